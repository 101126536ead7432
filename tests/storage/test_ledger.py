"""The ledger: of many who begin, one is first; what was begun is found again; what was done can be looked up."""

from __future__ import annotations

import asyncio
import sqlite3
import sys
import threading
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.domain.acts import Append, Close, Ended, Entry, Pointer, Seen, Start
from bot.domain.errors import OurError
from bot.domain.model import RunRef, State
from bot.domain.outcomes import Tally
from bot.storage.database import Database, DatabaseError
from bot.storage.ledger import TELL_FOR, VOUCHED_S, StoredLedger
from tests.storage.opening import NOW, Clock, database, emptied, full, plans, refusing, traced, untraced

RUN = RunRef("testrail", "R", 118)
NIGHTLY = RunRef("testmo", "A", 412)
THIRD = replace(NIGHTLY, thread=3)
SEEN = Seen(Tally(passed=40, failed=2, other=(("Known bug", 1),)), finished=False, state=State.FAILING)
AFTER = Seen(Tally(passed=42), finished=True, state=State.PASSED)
LEASE_S = 15.0


def entry(key: str = "k1", ref: RunRef | None = RUN, **more: Any) -> Entry:
    known: dict[str, Any] = {
        "verb": "close",
        "connection": ref.connection if ref else "testmo",
        "title": "Sprint 12 “smoke” 🎉",
        "who": "U1",
        "who_name": "Anna",
        "team": "T1",
        "channel": "C1",
        "thread": "171.5",
        "at": NOW,
        "change": Close(ref) if ref else None,
        "seen": SEEN,
    }
    return Entry(key=key, ref=ref, **{**known, **more})


async def begun(ledger: StoredLedger, *them: Entry) -> None:
    for each in them:
        assert await ledger.begin(each, lease_s=LEASE_S) is None


async def done(ledger: StoredLedger, one: Entry, outcome: Ended = Ended.DONE) -> None:
    await begun(ledger, one)
    await ledger.end(one.key, outcome, at=one.at)
    await ledger.tell(one.key)


# ── what is kept ──

START = Start(connection="testmo", letter="A", project=1, name="Nightly", tags=("a", "b"), links=(Pointer("CI", "u"),))
NOTE = Append(ref=NIGHTLY, by="Anna", at=NOW, marker="m", note="looks fine")


@pytest.mark.parametrize(
    "one",
    [
        entry(),
        entry(ref=THIRD),
        entry(ref=None, change=START, verb="start", seen=None),
        entry(ref=NIGHTLY, change=NOTE, verb="note", part_of="bulk 1"),
        entry(ref=None, connection="", change=None, seen=None),
        entry(title="", who_name="'; drop table changes; --", thread="", why="\x00"),
    ],
)
async def test_an_entry_is_kept_as_it_is_over_a_restart(tmp_path: Path, one: Entry) -> None:
    async with database(tmp_path / "a.db") as first:
        ledger = StoredLedger(first, Clock())
        await begun(ledger, one)
        assert await ledger.entry(one.key) == one
    async with database(tmp_path / "a.db") as second:
        assert await StoredLedger(second, Clock()).entry(one.key) == one
        assert await StoredLedger(second, Clock()).entry("another") is None


async def test_the_end_is_kept_beside_what_was_seen_before() -> None:
    async with database() as only:
        ledger = StoredLedger(only, Clock())
        await begun(ledger, entry())
        at = NOW + timedelta(seconds=3)
        await ledger.end("k1", Ended.DONE, at=at, after=AFTER, why="All right.")
        ended = replace(entry(), outcome=Ended.DONE, ended_at=at, after=AFTER, why="All right.")
        assert await ledger.entry("k1") == ended
        await ledger.tell("k1")
        assert await ledger.entry("k1") == replace(ended, told=True)


async def test_a_start_gets_its_run_when_it_is_known_and_keeps_it() -> None:
    async with database() as only:
        ledger = StoredLedger(only, Clock())
        await begun(ledger, entry(ref=None, change=START, verb="start"))
        await ledger.end("k1", Ended.DONE, at=NOW, ref=THIRD)
        await ledger.end("k1", Ended.DONE, at=NOW)
        found = await ledger.entry("k1")
        assert found is not None
        assert found.ref == THIRD


async def test_what_is_begun_is_begun_and_unknown_to_the_person_whatever_it_says_itself() -> None:
    async with database() as only:
        ledger = StoredLedger(only, Clock())
        await begun(ledger, entry(outcome=Ended.DONE, ended_at=NOW, told=True))
        assert await ledger.entry("k1") == entry()


async def test_what_was_refused_is_noted_and_in_nobodys_way() -> None:
    async with database() as only:
        clock = Clock()
        ledger = StoredLedger(only, clock)
        refused = entry(outcome=Ended.REFUSED, why="Nobody has allowed you to close here.")
        await ledger.note(refused)
        await ledger.note(replace(refused, why="a second time"))
        assert await ledger.entry("k1") == replace(refused, ended_at=NOW, told=True)
        await begun(ledger, entry("k2"))
        clock.later(days=2)
        assert [each.key for each in await ledger.orphans()] == ["k2"]


@pytest.mark.parametrize("outcome", [Ended.BEGUN, Ended.DOUBT])
async def test_what_has_not_ended_cannot_be_noted(outcome: Ended) -> None:
    async with database() as only:
        ledger = StoredLedger(only, Clock())
        with pytest.raises(ValueError, match="k1"):
            await ledger.note(entry(outcome=outcome))
        assert await ledger.entry("k1") is None


# ── who comes first ──


@pytest.mark.parametrize("outcome", list(Ended))
async def test_the_same_key_is_in_the_way_whatever_became_of_it(outcome: Ended) -> None:
    async with database() as only:
        ledger = StoredLedger(only, Clock())
        await begun(ledger, entry())
        await ledger.end("k1", outcome, at=NOW)
        before = await ledger.begin(entry(who="U2", ref=NIGHTLY), lease_s=LEASE_S)
        assert before is not None
        assert (before.key, before.who, before.outcome, before.ref) == ("k1", "U1", outcome, RUN)


@pytest.mark.parametrize(
    ("first", "second", "in_the_way"),
    [
        (RUN, RUN, True),
        (NIGHTLY, THIRD, True),
        (THIRD, NIGHTLY, True),
        (THIRD, replace(NIGHTLY, thread=4), True),
        (RUN, replace(RUN, id=119), False),
        (RUN, replace(RUN, letter="P"), False),
        (RUN, replace(RUN, connection="testmo"), False),
        (None, None, False),
        (RUN, None, False),
        (None, RUN, False),
    ],
)
async def test_another_change_of_the_same_run_is_in_the_way(
    first: RunRef | None, second: RunRef | None, in_the_way: bool
) -> None:
    async with database() as only:
        ledger = StoredLedger(only, Clock())
        await begun(ledger, entry("k1", first))
        before = await ledger.begin(entry("k2", second), lease_s=LEASE_S)
        assert (before.key if before else None) == ("k1" if in_the_way else None)
        assert (await ledger.entry("k2") is None) is in_the_way


@pytest.mark.parametrize("outcome", [each for each in Ended if each is not Ended.BEGUN])
async def test_a_run_is_free_again_when_its_change_has_ended(outcome: Ended) -> None:
    async with database() as only:
        ledger = StoredLedger(only, Clock())
        await begun(ledger, entry("k1"))
        await ledger.end("k1", outcome, at=NOW)
        await begun(ledger, entry("k2"))


async def test_what_was_begun_long_ago_is_in_the_way_until_somebody_has_ended_it() -> None:
    async with database() as only:
        clock = Clock()
        ledger = StoredLedger(only, clock)
        await begun(ledger, entry("k1"))
        clock.later(days=30)
        assert await ledger.begin(entry("k2"), lease_s=LEASE_S) == entry("k1")
        assert await ledger.orphans() == (entry("k1"),)
        assert await ledger.begin(entry("k2"), lease_s=LEASE_S) == entry("k1")
        await ledger.end("k1", Ended.FAILED, at=clock.now)
        await begun(ledger, entry("k2"))


@pytest.mark.parametrize("same", ["key", "run"])
async def test_of_25_connections_that_begin_at_once_one_is_first(tmp_path: Path, same: str) -> None:
    async with AsyncExitStack() as stack:
        opened = [await stack.enter_async_context(database(tmp_path / "a.db")) for _ in range(25)]
        ledgers = [StoredLedger(each, Clock()) for each in opened]
        told = await asyncio.gather(
            *(
                ledger.begin(
                    entry("k", replace(RUN, id=number)) if same == "key" else entry(f"k{number}"), lease_s=LEASE_S
                )
                for number, ledger in enumerate(ledgers)
            )
        )
        (first,) = await ledgers[0].entries(last=99)
        assert told.count(None) == 1
        assert {each for each in told if each is not None} == {first}


async def test_one_who_begins_while_another_writes_is_told_who_was_first(tmp_path: Path) -> None:
    async with database(tmp_path / "a.db") as only:
        ledger = StoredLedger(only, Clock())
        await begun(ledger, entry("k1"))
        with closing(sqlite3.connect(tmp_path / "a.db")) as other:
            other.execute("update changes set outcome = 'done'")
            other.commit()
            other.execute("update changes set outcome = 'begun'")  # not committed: nobody else sees it yet
            reached = threading.Event()
            await only.run(
                lambda db: db.conn.set_trace_callback(lambda sql: reached.set() if sql[:5] == "BEGIN" else None)
            )
            second = asyncio.create_task(ledger.begin(entry("k2"), lease_s=LEASE_S))
            assert await asyncio.to_thread(reached.wait, 10)
            other.commit()
        assert await second == entry("k1")


async def test_two_who_do_not_see_each_other_cannot_both_be_at_one_run(tmp_path: Path) -> None:
    async with database(tmp_path / "a.db") as only:
        await begun(StoredLedger(only, Clock()), entry("k1"))
        with closing(sqlite3.connect(tmp_path / "a.db")) as other, pytest.raises(sqlite3.IntegrityError):
            other.execute(
                "insert into changes (key, verb, at, outcome, told, run) "
                "select 'k2', verb, at, outcome, told, run from changes"
            )


# ── leases and orphans ──


@pytest.mark.parametrize(("later_s", "found"), [(0, 0), (LEASE_S - 1, 0), (LEASE_S + 1, 1)])
async def test_what_was_begun_is_an_orphan_when_nobody_vouches_for_it(later_s: float, found: int) -> None:
    async with database() as only:
        clock = Clock()
        ledger = StoredLedger(only, clock)
        await begun(ledger, entry())
        clock.later(seconds=later_s)
        assert await ledger.orphans() == (entry(),) * found


async def test_a_lease_that_is_renewed_goes_on() -> None:
    async with database() as only:
        clock = Clock()
        ledger = StoredLedger(only, clock)
        await begun(ledger, entry())
        for _ in range(5):
            clock.later(seconds=LEASE_S - 1)
            await ledger.renew("k1", lease_s=LEASE_S)
        assert await ledger.orphans() == ()
        clock.later(seconds=LEASE_S + 1)
        assert await ledger.orphans() == (entry(),)


async def test_whoever_takes_an_orphan_vouches_for_it(tmp_path: Path) -> None:
    async with database(tmp_path / "a.db") as one, database(tmp_path / "a.db") as other:
        clock = Clock()
        ours, theirs = StoredLedger(one, clock, owner="us"), StoredLedger(other, clock, owner="them")
        await begun(ours, entry())
        clock.later(seconds=LEASE_S + 1)
        assert await theirs.orphans() == (entry(),)
        assert (await theirs.orphans(), await ours.orphans()) == ((), ())
        await ours.renew("k1", lease_s=1e6)  # it was away, and comes too late
        clock.later(seconds=VOUCHED_S + 1)
        assert await ours.orphans() == (entry(),)


async def test_two_processes_never_get_the_same_orphan(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        clock = Clock()
        opened = [await stack.enter_async_context(database(tmp_path / "a.db")) for _ in range(6)]
        ledgers = [StoredLedger(each, clock) for each in opened]
        for number in range(10):
            await begun(ledgers[0], entry(f"k{number}", replace(RUN, id=number + 1)))
        clock.later(seconds=LEASE_S + 1)
        taken = await asyncio.gather(*(ledger.orphans() for ledger in ledgers))
        assert sorted(each.key for some in taken for each in some) == [f"k{number}" for number in range(10)]


async def test_an_end_in_doubt_comes_back_after_a_minute_until_it_is_settled() -> None:
    async with database() as only:
        clock = Clock()
        ledger = StoredLedger(only, clock)
        await begun(ledger, entry())
        for _ in range(3):
            await ledger.end("k1", Ended.DOUBT, at=clock.now)
            assert await ledger.orphans() == ()
            clock.later(seconds=59)
            assert await ledger.orphans() == ()
            clock.later(seconds=2)
            assert [(each.key, each.outcome) for each in await ledger.orphans()] == [("k1", Ended.DOUBT)]
        await ledger.end("k1", Ended.DONE, at=clock.now)
        await ledger.tell("k1")
        clock.later(days=1)
        assert await ledger.orphans() == ()


async def test_an_end_that_the_person_does_not_know_is_an_orphan_for_a_day() -> None:
    async with database() as only:
        clock = Clock()
        ledger = StoredLedger(only, clock)
        await begun(ledger, entry())
        await ledger.end("k1", Ended.DONE, at=clock.now)
        assert await ledger.orphans() == ()
        clock.later(seconds=LEASE_S + 1)
        assert [each.outcome for each in await ledger.orphans()] == [Ended.DONE]
        clock.now = NOW + TELL_FOR - timedelta(seconds=1)
        assert [each.key for each in await ledger.orphans()] == ["k1"]
        clock.later(seconds=VOUCHED_S + 2)
        assert await ledger.orphans() == ()


async def test_what_is_told_is_no_orphan_and_no_lease_makes_it_one() -> None:
    async with database() as only:
        clock = Clock()
        ledger = StoredLedger(only, clock)
        await done(ledger, entry())
        await ledger.end("k1", Ended.DONE, at=NOW)  # said again: the person knows that already
        await ledger.renew("k1", lease_s=1)
        clock.later(hours=1)
        assert await ledger.orphans() == ()


async def test_a_begun_change_is_looked_for_however_old_it_is() -> None:
    async with database() as only:
        clock = Clock()
        ledger = StoredLedger(only, clock)
        await begun(ledger, entry())
        clock.later(days=400)
        assert await ledger.orphans() == (entry(),)


@pytest.mark.parametrize(("told", "found"), [(False, 1), (True, 0)])
async def test_a_doubt_that_the_person_knows_of_is_given_up_after_a_day(told: bool, found: int) -> None:
    async with database() as only:
        clock = Clock()
        ledger = StoredLedger(only, clock)
        await begun(ledger, entry())
        await ledger.end("k1", Ended.DOUBT, at=NOW)
        if told:
            await ledger.tell("k1")
        clock.later(seconds=VOUCHED_S + 1)
        assert len(await ledger.orphans()) == 1
        clock.later(days=1)
        assert len(await ledger.orphans()) == found


async def test_another_end_than_the_one_that_was_told_is_to_be_told() -> None:
    async with database() as only:
        clock = Clock()
        ledger = StoredLedger(only, clock)
        await begun(ledger, entry("k1"), entry("k2", NIGHTLY))
        await ledger.end("k1", Ended.DOUBT, at=NOW)
        await ledger.end("k2", Ended.FAILED, at=NOW)
        for key in ("k1", "k2"):
            await ledger.tell(key)
            await ledger.end(key, Ended.DONE, at=NOW)
        clock.later(seconds=VOUCHED_S + 1)
        found = await ledger.orphans()
        assert {(each.key, each.outcome, each.told) for each in found} == {
            ("k1", Ended.DONE, False),
            ("k2", Ended.DONE, False),
        }


@pytest.mark.parametrize("late", [Ended.BEGUN, Ended.DOUBT])
async def test_a_final_end_is_not_put_in_doubt_by_one_who_comes_late(late: Ended) -> None:
    async with database() as only:
        ledger = StoredLedger(only, Clock())
        await done(ledger, entry())
        await ledger.end("k1", late, at=NOW + timedelta(hours=1), why="No answer.")
        found = await ledger.entry("k1")
        assert found is not None
        assert (found.outcome, found.ended_at, found.why, found.told) == (Ended.DONE, NOW, "", True)


BEGIN_AND_HANG = """
import asyncio, sys
from datetime import datetime
from bot.domain.acts import Close, Entry
from bot.domain.model import RunRef
from bot.storage.database import Database
from bot.storage.ledger import StoredLedger
async def main():
    now = datetime.fromisoformat(sys.argv[2])
    database = Database(sys.argv[1])
    await database.open()
    ref = RunRef("testrail", "R", 118)
    entry = Entry(key="k1", verb="close", connection="testrail", ref=ref, title="", who="U1", who_name="", team="T1",
                  channel="C1", thread="", at=now, change=Close(ref))
    assert await StoredLedger(database, lambda: now).begin(entry, lease_s=15) is None
    print("begun", flush=True)
    await asyncio.Event().wait()
asyncio.run(main())
"""


async def test_what_a_killed_process_had_begun_is_found_by_another(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", BEGIN_AND_HANG, str(path), NOW.isoformat(), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    assert await process.stdout.readline() == b"begun\n"
    process.kill()
    assert await process.wait() == -9
    async with database(path) as after:
        clock = Clock()
        ledger = StoredLedger(after, clock)
        before = await ledger.begin(entry("k2"), lease_s=LEASE_S)
        assert before is not None
        assert (before.key, before.outcome, before.change) == ("k1", Ended.BEGUN, Close(RUN))
        assert await ledger.orphans() == ()
        clock.later(seconds=LEASE_S + 1)
        assert await ledger.orphans() == (before,)
        await ledger.end("k1", Ended.FAILED, at=clock.now)
        await begun(ledger, entry("k2"))


# ── what cannot be recorded ──


async def _begin(ledger: StoredLedger) -> None:
    await ledger.begin(entry("new", NIGHTLY, title="x" * 100_000), lease_s=LEASE_S)


async def _end(ledger: StoredLedger) -> None:
    await ledger.end("old", Ended.DONE, at=NOW, why="x" * 100_000)


async def _note(ledger: StoredLedger) -> None:
    await ledger.note(entry("new", NIGHTLY, outcome=Ended.REFUSED, title="x" * 100_000))


async def _renew(ledger: StoredLedger) -> None:
    await ledger.renew("old", lease_s=LEASE_S)


async def _tell(ledger: StoredLedger) -> None:
    await ledger.tell("old")


async def _orphans(ledger: StoredLedger) -> None:
    await ledger.orphans()


READ_ONLY = [(refusing, act) for act in (_begin, _end, _note, _renew, _tell, _orphans)]
FULL = [(full, act) for act in (_begin, _end, _note)]


@pytest.mark.parametrize(("fails", "act"), READ_ONLY + FULL)
async def test_what_the_disk_does_not_take_is_an_error_and_leaves_nothing(
    tmp_path: Path,
    fails: Callable[[Database], Awaitable[None]],
    act: Callable[[StoredLedger], Awaitable[None]],
) -> None:
    async with database(tmp_path / "a.db") as only:
        clock = Clock()
        ledger = StoredLedger(only, clock)
        await begun(ledger, entry("old"))
        clock.later(seconds=LEASE_S + 1)
        before = await _all_rows(only)
        await fails(only)
        with pytest.raises(OurError):
            await act(ledger)
        assert await _all_rows(only) == before
    async with database(tmp_path / "a.db") as again:
        assert await _all_rows(again) == before


async def _all_rows(it: Database) -> list[Any]:
    return await it.run(lambda db: db.conn.execute("select * from changes").fetchall())


async def test_when_there_is_room_again_it_goes_on(tmp_path: Path) -> None:
    async with database(tmp_path / "a.db") as only:
        ledger = StoredLedger(only, Clock())
        await full(only)
        with pytest.raises(DatabaseError):
            await _begin(ledger)
        await emptied(only)
        await _begin(ledger)
        found = await ledger.entry("new")
        assert found is not None


@pytest.mark.parametrize("odd", ["title", "who", "key"])
async def test_text_that_no_file_can_hold_is_an_error(odd: str) -> None:
    async with database() as only:
        ledger = StoredLedger(only, Clock())
        no_text: dict[str, Any] = {odd: "\ud800"}
        with pytest.raises(OurError):
            await ledger.begin(replace(entry(), **no_text), lease_s=LEASE_S)
        assert await ledger.entries(last=9) == ()


@pytest.mark.parametrize("act", [_end, _tell])
async def test_the_end_of_what_was_never_begun_cannot_be_recorded(
    act: Callable[[StoredLedger], Awaitable[None]],
) -> None:
    async with database() as only:
        with pytest.raises(OurError, match="records"):
            await act(StoredLedger(only, Clock()))


# ── looking things up ──


async def some_history(ledger: StoredLedger) -> None:
    """Eight entries, a minute apart; the last one is begun."""
    rows: tuple[tuple[str, str, str, RunRef | None, Ended], ...] = (
        ("1", "close", "U1", RUN, Ended.FAILED),
        ("2", "close", "U2", RUN, Ended.DONE),
        ("3", "note", "U1", NIGHTLY, Ended.DONE),
        ("4", "close", "U1", THIRD, Ended.DONE),
        ("5", "start", "U2", None, Ended.DONE),
        ("6", "close", "U3", RUN, Ended.STALE),
        ("7", "note", "U2", NIGHTLY, Ended.DOUBT),
    )
    for minute, (key, verb, who, ref, outcome) in enumerate(rows):
        at = NOW + timedelta(minutes=minute)
        part_of = "bulk" if key in "26" else ""
        await done(ledger, entry(key, ref, verb=verb, who=who, at=at, part_of=part_of), outcome)
    await begun(ledger, entry("8", RUN, at=NOW + timedelta(minutes=7), who="U1"))


@pytest.mark.parametrize(
    ("asked", "keys"),
    [
        ({}, "87654321"),
        ({"last": 3}, "876"),
        ({"last": 0}, ""),
        ({"last": -1}, ""),
        ({"verb": "close"}, "86421"),
        ({"who": "U2"}, "752"),
        ({"ref": RUN}, "8621"),
        ({"ref": NIGHTLY}, "743"),
        ({"ref": THIRD}, "4"),
        ({"since": NOW + timedelta(minutes=5)}, "876"),
        ({"outcome": "done"}, "5432"),
        ({"outcome": Ended.BEGUN}, "8"),
        ({"part_of": "bulk"}, "62"),
        ({"verb": "close", "who": "U1", "last": 2}, "84"),
        ({"ref": RUN, "outcome": "done", "since": NOW, "verb": "close", "who": "U2", "part_of": "bulk"}, "2"),
        ({"who": "' or 1=1; --"}, ""),
    ],
)
async def test_entries_that_fit_come_newest_first(asked: dict[str, Any], keys: str) -> None:
    async with database() as only:
        ledger = StoredLedger(only, Clock())
        await some_history(ledger)
        assert "".join(each.key for each in await ledger.entries(**{"last": 20, **asked})) == keys


async def test_entries_of_the_same_moment_come_last_recorded_first() -> None:
    async with database() as only:
        ledger = StoredLedger(only, Clock())
        for key in "abc":
            await done(ledger, entry(key))
        assert "".join(each.key for each in await ledger.entries(last=20)) == "cba"


@pytest.mark.parametrize(
    ("ref", "verb", "key"),
    [
        (RUN, "close", "2"),
        (RUN, "note", None),
        (NIGHTLY, "note", "3"),
        (NIGHTLY, "close", None),  # only a thread of it was
        (THIRD, "close", "4"),
        (replace(NIGHTLY, thread=4), "close", None),
        (THIRD, "note", "3"),
    ],
)
async def test_the_last_change_that_was_done_to_a_run_is_found(ref: RunRef, verb: str, key: str | None) -> None:
    async with database() as only:
        ledger = StoredLedger(only, Clock())
        await some_history(ledger)
        found = await ledger.last_done(ref, verb)
        assert (found.key if found else None) == key


async def test_of_two_that_were_done_the_later_one_is_last() -> None:
    async with database() as only:
        ledger = StoredLedger(only, Clock())
        for key, minute in (("a", 5), ("b", 9), ("c", 7)):
            await begun(ledger, entry(key))
            await ledger.end(key, Ended.DONE, at=NOW + timedelta(minutes=minute))
        found = await ledger.last_done(RUN, "close")
        assert found is not None
        assert found.key == "b"


@pytest.mark.parametrize(
    ("column", "value", "shown"),
    [
        ("change", '{"Reopen": {}}', {"change": None}),
        ("change", "no json", {"change": None}),
        ("seen", '{"tally": 7}', {"seen": None}),
        ("outcome", "undone", {"outcome": Ended.DOUBT}),
    ],
)
async def test_what_another_version_wrote_is_shown_as_far_as_it_is_understood(
    column: str, value: str, shown: dict[str, Any]
) -> None:
    async with database() as only:
        ledger = StoredLedger(only, Clock())
        await begun(ledger, entry())
        await only.run(lambda db: db.table("changes").update("k1", {column: value}))
        assert await ledger.entries(last=20) == (replace(entry(), **shown),)


async def test_the_ledger_is_kept_for_ever() -> None:
    async with database() as only:
        clock = Clock()
        ledger = StoredLedger(only, clock)
        await some_history(ledger)
        clock.later(days=4000)
        await done(ledger, entry("new", at=clock.now, ref=replace(RUN, id=5)))
        assert len(await ledger.entries(last=20)) == 9


QUESTIONS: list[Callable[[StoredLedger], Awaitable[object]]] = [
    lambda ledger: ledger.entries(last=20, since=NOW),
    lambda ledger: ledger.entries(last=20, verb="close"),
    lambda ledger: ledger.entries(last=20, who="U1", since=NOW),
    lambda ledger: ledger.entries(last=20, ref=THIRD),
    lambda ledger: ledger.entries(last=20, outcome="refused"),
    lambda ledger: ledger.entries(last=20, part_of="bulk"),
    lambda ledger: ledger.entries(last=20, verb="close", who="U1", outcome="done", since=NOW),
    lambda ledger: ledger.last_done(RUN, "close"),
    lambda ledger: ledger.entry("k1"),
    lambda ledger: ledger.begin(entry(), lease_s=LEASE_S),
]


@pytest.mark.parametrize("question", QUESTIONS, ids=range(len(QUESTIONS)))
async def test_no_question_reads_or_sorts_the_whole_ledger(
    question: Callable[[StoredLedger], Awaitable[object]],
) -> None:
    async with database() as only:
        steps = await _steps(only, question(StoredLedger(only, Clock())))
        assert steps
        assert [step for step in steps if not step.startswith("SEARCH changes USING")] == []


async def test_the_newest_entries_of_all_are_read_in_the_order_of_an_index() -> None:
    async with database() as only:
        steps = await _steps(only, StoredLedger(only, Clock()).entries(last=20))
        assert steps == ["SCAN changes USING INDEX idx_changes_at"]


async def test_looking_for_orphans_reads_the_open_ones_only() -> None:
    async with database() as only:
        steps = await _steps(only, StoredLedger(only, Clock()).orphans())
        read = [step for step in steps if "changes" in step]
        assert len(read) == 3
        assert [step for step in read if "changes_leased (lease_until<?)" not in step] == []


async def _steps(it: Database, question: Awaitable[object]) -> list[str]:
    statements = await traced(it)
    await question
    await untraced(it)
    return await plans(it, [each for each in statements if each.startswith(("select", "update"))])
