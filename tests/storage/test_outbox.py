"""The outbox: what is due is there until it has ended; each to one of us, in order; what was on its way is in doubt."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from bot.domain.digests import Parcel, Sending
from bot.domain.errors import OurError
from bot.storage.database import Database
from bot.storage.outbox import KEPT, StoredOutbox
from tests.storage.opening import NOW, Clock, database, full, plans, refusing, traced, untraced

LEASE_S = 60.0
PARCEL = Parcel(
    key="d1/2026-11-20T09:00/C1",
    team="T1",
    channel="C1",
    body='{"text": "3 streams fail „ü“ 🎉"}',
    made_at=NOW,
    for_whom="d1",
    owner="U1",
    slot="2026-11-20T09:00",
)


def parcel(key: str, **more: Any) -> Parcel:
    return replace(PARCEL, key=key, **more)


async def taken(outbox: StoredOutbox, most: int = 99) -> list[str]:
    return [each.key for each in await outbox.due(lease_s=LEASE_S, most=most)]


async def post(outbox: StoredOutbox, *keys: str, at: Any = NOW) -> None:
    for key in keys:
        assert await outbox.posting(key, at=at)
        await outbox.ended(key, Sending.POSTED, at=at, ts=f"ts of {key}")


async def about(outbox: StoredOutbox) -> dict[str, Parcel]:
    return {each.key: each for each in await outbox.about("d1", most=999)}


# ── what is kept ──


@pytest.mark.parametrize(
    "one",
    [
        PARCEL,
        parcel("k", thread="1763629200.000100", for_whom="d2", slot="", owner=""),
        parcel("k", state=Sending.POSTED, tries=2, tried_at=NOW, posted_at=NOW, ts="1.5", repeat=True),
        parcel("k", state=Sending.REFUSED, tries=1, tried_at=NOW, reason="is_archived"),
        parcel("'; drop table parcels; --", body="\x00"),
    ],
)
async def test_a_parcel_is_kept_as_it_is_over_a_restart(tmp_path: Path, one: Parcel) -> None:
    async with database(tmp_path / "a.db") as first:
        assert await StoredOutbox(first, Clock()).put([one])
    async with database(tmp_path / "a.db") as second:
        outbox = StoredOutbox(second, Clock())
        assert await outbox.about(one.for_whom) == (one,)
        assert await outbox.about("another") == ()
        assert await taken(outbox) == ([one.key] if one.state is Sending.WAITING else [])


@pytest.mark.parametrize(
    ("again", "kept", "there"),
    [
        ([], True, "ab"),
        (["a"], False, "ab"),
        (["a", "c"], False, "ab"),
        (["c", "a", "d"], True, "abcd"),
    ],
)
async def test_parcels_are_kept_once_all_or_none(again: Sequence[str], kept: bool, there: str) -> None:
    async with database() as only:
        outbox = StoredOutbox(only, Clock())
        assert await outbox.put([parcel("a"), parcel("b")])
        assert await outbox.put([parcel(key, body="another") for key in again]) is kept
        found = await about(outbox)
        assert sorted(found) == list(there)
        assert {found[key].body for key in "ab"} == {PARCEL.body}


async def test_of_25_connections_that_put_the_same_one_keeps_it(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        opened = [await stack.enter_async_context(database(tmp_path / "a.db")) for _ in range(25)]
        them = [StoredOutbox(each, Clock()) for each in opened]
        kept = await asyncio.gather(
            *(
                each.put([parcel("k", body=str(number)), parcel(f"part of {number}", under="k")])
                for number, each in enumerate(them)
            )
        )
        assert kept.count(True) == 1
        first = str(kept.index(True))
        found = await about(them[0])
        assert (sorted(found), found["k"].body) == (["k", f"part of {first}"], first)


# ── whose it is ──


async def test_of_25_connections_each_parcel_is_taken_by_one(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        opened = [await stack.enter_async_context(database(tmp_path / "a.db")) for _ in range(25)]
        them = [StoredOutbox(each, Clock()) for each in opened]
        assert await them[0].put([parcel(f"{number:03}", channel=f"C{number}") for number in range(100)])
        found = await asyncio.gather(*(taken(each, most=7) for each in them))
        assert sorted(key for keys in found for key in keys) == [f"{number:03}" for number in range(100)]


@pytest.mark.parametrize(("later_s", "free"), [(0, False), (LEASE_S - 1, False), (LEASE_S, True)])
async def test_what_was_taken_is_free_again_when_whoever_took_it_is_not_heard_of(later_s: float, free: bool) -> None:
    async with database() as only:
        clock = Clock()
        us, them = StoredOutbox(only, clock, "us"), StoredOutbox(only, clock, "them")
        assert await us.put([PARCEL])
        assert await taken(us) == [PARCEL.key]
        clock.later(seconds=later_s)
        assert await them.due(lease_s=LEASE_S, most=9) == (PARCEL,) * free
        await us.renew([PARCEL.key], lease_s=LEASE_S)
        assert await us.posting(PARCEL.key, at=clock.now) is not free
        assert await them.posting(PARCEL.key, at=clock.now) is free


async def test_a_lease_that_is_renewed_goes_on() -> None:
    async with database() as only:
        clock = Clock()
        outbox = StoredOutbox(only, clock)
        assert await outbox.put([parcel("a"), parcel("b", channel="C2")])
        assert await taken(outbox) == ["a", "b"]
        for _ in range(3):
            clock.later(seconds=LEASE_S - 1)
            await outbox.renew(["a", "no such key"], lease_s=LEASE_S)
        assert await taken(outbox) == ["b"]
        clock.later(seconds=LEASE_S)
        assert await taken(outbox) == ["a", "b"]


async def test_what_is_not_ours_or_has_ended_is_not_to_be_posted() -> None:
    async with database() as only:
        outbox = StoredOutbox(only, Clock())
        assert await outbox.put([parcel("a")])
        assert not await outbox.posting("a", at=NOW)
        assert not await outbox.posting("no such key", at=NOW)
        assert await taken(outbox) == ["a"]
        await post(outbox, "a")
        assert not await outbox.posting("a", at=NOW)
        assert (await about(outbox))["a"].tries == 1


# ── how far it is ──


async def test_each_step_is_told_afterwards() -> None:
    async with database() as only:
        clock = Clock()
        outbox = StoredOutbox(only, clock)
        assert await outbox.put([PARCEL])
        assert await taken(outbox) == [PARCEL.key]
        assert await outbox.posting(PARCEL.key, at=NOW)
        on_its_way = replace(PARCEL, state=Sending.POSTING, tries=1, tried_at=NOW)
        assert await outbox.about("d1") == (on_its_way,)
        await outbox.later(PARCEL.key, wait_s=30, reason="ratelimited")
        waits = replace(on_its_way, state=Sending.WAITING, reason="ratelimited")
        assert await outbox.about("d1") == (waits,)
        clock.later(seconds=29)
        assert await taken(outbox) == []
        again = clock.later(seconds=1)
        assert await outbox.due(lease_s=LEASE_S, most=9) == (waits,)
        await post(outbox, PARCEL.key, at=again)
        posted = replace(
            PARCEL, state=Sending.POSTED, tries=2, tried_at=again, posted_at=again, ts=f"ts of {PARCEL.key}"
        )
        assert await outbox.about("d1") == (posted,)


@pytest.mark.parametrize("state", [Sending.REFUSED, Sending.EXPIRED])
async def test_what_will_not_be_posted_says_why_and_is_due_no_more(state: Sending) -> None:
    async with database() as only:
        clock = Clock()
        outbox = StoredOutbox(only, clock)
        assert await outbox.put([PARCEL])
        assert await taken(outbox) == [PARCEL.key]
        await outbox.ended(PARCEL.key, state, at=NOW, reason="is_archived")
        assert await outbox.about("d1") == (replace(PARCEL, state=state, reason="is_archived"),)
        clock.later(days=1)
        assert await taken(outbox) == []


@pytest.mark.parametrize(
    ("first", "second", "stays"),
    [
        (Sending.POSTED, Sending.REFUSED, Sending.POSTED),
        (Sending.POSTED, Sending.EXPIRED, Sending.POSTED),
        (Sending.REFUSED, Sending.EXPIRED, Sending.REFUSED),
        (Sending.EXPIRED, Sending.POSTED, Sending.POSTED),
    ],
)
async def test_what_is_posted_is_posted_whatever_another_process_says(
    first: Sending, second: Sending, stays: Sending
) -> None:
    async with database() as only:
        us, them = StoredOutbox(only, Clock(), "us"), StoredOutbox(only, Clock(), "them")
        assert await us.put([PARCEL])
        assert await taken(us) == [PARCEL.key]
        await us.ended(PARCEL.key, first, at=NOW, ts="1" if first is Sending.POSTED else "")
        await them.ended(PARCEL.key, second, at=NOW, ts="2" if second is Sending.POSTED else "")
        (found,) = await us.about("d1")
        assert found.state is stays
        assert bool(found.ts) is bool(found.posted_at) is (stays is Sending.POSTED)


@pytest.mark.parametrize("state", [Sending.WAITING, Sending.POSTING])
async def test_what_has_not_ended_cannot_be_recorded_as_ended(state: Sending) -> None:
    async with database() as only:
        outbox = StoredOutbox(only, Clock())
        assert await outbox.put([PARCEL])
        with pytest.raises(ValueError, match="d1"):
            await outbox.ended(PARCEL.key, state, at=NOW)


async def test_what_was_taken_over_is_not_put_off_by_whoever_had_it() -> None:
    async with database() as only:
        clock = Clock()
        us, them = StoredOutbox(only, clock, "us"), StoredOutbox(only, clock, "them")
        assert await us.put([PARCEL])
        assert await taken(us) == [PARCEL.key]
        clock.later(seconds=LEASE_S)
        assert await taken(them) == [PARCEL.key]
        await us.later(PARCEL.key, wait_s=9999, reason="ratelimited")
        assert await us.about("d1") == (PARCEL,)
        assert await them.posting(PARCEL.key, at=clock.now)


async def test_what_was_put_off_is_nobodys_until_it_is_due_again() -> None:
    async with database() as only:
        clock = Clock()
        outbox = StoredOutbox(only, clock)
        assert await outbox.put([PARCEL])
        assert await taken(outbox) == [PARCEL.key]
        await outbox.later(PARCEL.key, wait_s=30, reason="ratelimited")
        await outbox.renew([PARCEL.key], lease_s=9999)
        assert not await outbox.posting(PARCEL.key, at=NOW)
        clock.later(seconds=30)
        assert await taken(outbox) == [PARCEL.key]


@pytest.mark.parametrize("repeats", [(False, True), (True, False), (False, False)])
async def test_what_may_be_a_repeat_once_stays_one(repeats: tuple[bool, bool]) -> None:
    async with database() as only:
        clock = Clock()
        outbox = StoredOutbox(only, clock)
        assert await outbox.put([PARCEL])
        assert await taken(outbox) == [PARCEL.key]
        for repeat in repeats:
            assert await outbox.posting(PARCEL.key, at=NOW, repeat=repeat)
        (found,) = await outbox.about("d1")
        assert (found.repeat, found.tries) == (any(repeats), 2)


POST_AND_HANG = """
import asyncio, sys
from datetime import datetime
from bot.domain.digests import Parcel
from bot.storage.database import Database
from bot.storage.outbox import StoredOutbox
async def main():
    now = datetime.fromisoformat(sys.argv[2])
    database = Database(sys.argv[1])
    await database.open()
    outbox = StoredOutbox(database, lambda: now)
    for key in "ab":
        one = Parcel(key=key, team="T1", channel=key, body="{}", made_at=now, for_whom="d1", owner="U1")
        assert await outbox.put([one])
    assert len(await outbox.due(lease_s=60, most=9)) == 2
    assert await outbox.posting("a", at=now)
    print("posting", flush=True)
    await asyncio.Event().wait()
asyncio.run(main())
"""


async def test_what_a_killed_process_was_posting_is_found_in_doubt_by_another(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", POST_AND_HANG, str(path), NOW.isoformat(), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    assert await process.stdout.readline() == b"posting\n"
    process.kill()
    assert await process.wait() == -9
    async with database(path) as after:
        clock = Clock()
        outbox = StoredOutbox(after, clock)
        assert await taken(outbox) == []
        clock.later(seconds=LEASE_S)
        found = await outbox.due(lease_s=LEASE_S, most=9)
        assert [(each.key, each.state, each.tries, each.tried_at) for each in found] == [
            ("a", Sending.POSTING, 1, NOW),
            ("b", Sending.WAITING, 0, None),
        ]
        await outbox.ended("a", Sending.POSTED, at=clock.now, ts="1.5")
        assert (await about(outbox))["a"].ts == "1.5"


# ── in order ──


async def test_the_oldest_are_due_first_as_many_as_are_wanted() -> None:
    async with database() as only:
        outbox = StoredOutbox(only, Clock())
        ages = {"c": 3, "a": 5, "b": 5, "d": 1}
        for key, minutes in ages.items():
            assert await outbox.put([parcel(key, channel=key, made_at=NOW - timedelta(minutes=minutes))])
        assert [await taken(outbox, most) for most in (0, -1, 3, 3)] == [[], [], ["a", "b", "c"], ["d"]]
        assert [each.key for each in await outbox.about("d1", most=3)] == ["d", "c", "b"]


@pytest.mark.parametrize(
    ("second", "waits"),
    [
        ({}, True),
        ({"made_at": NOW - timedelta(seconds=1)}, False),  # it is the older one
        ({"channel": "C2"}, False),
        ({"team": "T2"}, False),
        ({"thread": "171.5"}, False),
    ],
)
@pytest.mark.parametrize("busy", ["somebody else's", "put off"])
async def test_one_waits_for_an_older_one_to_the_same_place(second: dict[str, Any], waits: bool, busy: str) -> None:
    async with database() as only:
        clock = Clock()
        outbox = StoredOutbox(only, clock)
        assert await outbox.put([parcel("a")])
        assert await taken(outbox) == ["a"]
        if busy == "put off":
            await outbox.later("a", wait_s=30, reason="ratelimited")
        assert await outbox.put([parcel("b", **second)])
        assert await taken(outbox) == ([] if waits else ["b"])
        clock.later(seconds=LEASE_S)
        assert "a" in await taken(outbox)


async def test_one_that_will_not_be_posted_is_in_nobodys_way() -> None:
    async with database() as only:
        outbox = StoredOutbox(only, Clock())
        assert await outbox.put([parcel("a"), parcel("b")])
        assert await taken(outbox, most=1) == ["a"]
        assert await taken(outbox) == []
        await outbox.ended("a", Sending.REFUSED, at=NOW, reason="msg_too_long")
        assert await taken(outbox) == ["b"]


# ── parts ──

DIGEST = (
    parcel("a"),
    parcel("a/2", under="a"),
    parcel("a/3", under="a"),
    parcel("a/2/x", under="a/2"),
    parcel("b", channel="C2"),
)


async def test_parts_are_due_in_the_thread_of_their_parent_when_that_is_posted() -> None:
    async with database() as only:
        clock = Clock()
        outbox = StoredOutbox(only, clock)
        assert await outbox.put(DIGEST)
        assert await taken(outbox) == ["a", "b"]
        assert await outbox.posting("a", at=NOW)
        assert await taken(outbox) == []
        await outbox.ended("a", Sending.POSTED, at=NOW, ts="1.5")
        found = await outbox.due(lease_s=LEASE_S, most=9)
        assert found == (replace(DIGEST[1], thread="1.5"), replace(DIGEST[2], thread="1.5"))
        await post(outbox, "a/2")
        (deeper,) = await outbox.due(lease_s=LEASE_S, most=9)
        assert (deeper.key, deeper.thread) == ("a/2/x", "1.5")  # a thread has no threads in it


async def test_parts_of_what_is_posted_into_a_thread_go_there_too() -> None:
    async with database() as only:
        outbox = StoredOutbox(only, Clock())
        assert await outbox.put([parcel("a", thread="171.5"), parcel("a/2", under="a")])
        assert await taken(outbox) == ["a"]
        await post(outbox, "a")
        assert [each.thread for each in await outbox.due(lease_s=LEASE_S, most=9)] == ["171.5"]


@pytest.mark.parametrize("state", [Sending.REFUSED, Sending.EXPIRED])
async def test_parts_of_what_will_not_be_posted_end_as_it_did(state: Sending) -> None:
    async with database() as only:
        clock = Clock()
        outbox = StoredOutbox(only, clock)
        assert await outbox.put(DIGEST)
        assert await taken(outbox) == ["a", "b"]
        await outbox.ended("a", state, at=NOW, reason="is_archived")
        found = {key: (each.state, each.reason) for key, each in (await about(outbox)).items()}
        ended = dict.fromkeys(("a", "a/2", "a/3", "a/2/x"), (state, "is_archived"))
        assert found == {**ended, "b": (Sending.WAITING, "")}
        clock.later(days=1)
        assert await taken(outbox) == ["b"]


@pytest.mark.parametrize(
    ("parent", "state", "thread"),
    [
        (parcel("a"), Sending.WAITING, ""),
        (parcel("a", state=Sending.POSTED, posted_at=NOW, ts="1.5"), Sending.WAITING, "1.5"),
        (parcel("a", state=Sending.EXPIRED, reason="too late"), Sending.EXPIRED, ""),
        (parcel("another"), Sending.REFUSED, ""),
    ],
)
async def test_a_part_that_comes_later_follows_what_became_of_its_parent(
    parent: Parcel, state: Sending, thread: str
) -> None:
    async with database() as only:
        outbox = StoredOutbox(only, Clock())
        assert await outbox.put([parent])
        assert await outbox.put([parcel("a/2", under="a")])
        found = (await about(outbox))["a/2"]
        assert (found.state, found.thread, bool(found.reason)) == (state, thread, state is not Sending.WAITING)
        assert ("a/2" in await taken(outbox)) is bool(thread)


# ── all of it together ──

steps = some.one_of(
    some.tuples(some.just("put"), some.integers(0, 2), some.booleans()),
    some.tuples(some.just("take"), some.integers(0, 1), some.integers(1, 3)),
    some.tuples(some.sampled_from(["post", "put off", "die"]), some.integers(0, 1), some.just(0)),
    some.tuples(some.just("wait"), some.sampled_from([1, 30, 61]), some.just(0)),
)


@given(some.lists(steps, max_size=40))
@settings(max_examples=60, deadline=None)
def test_whatever_happens_all_is_posted_once_and_each_place_in_order(happens: list[tuple[str, int, int]]) -> None:
    asyncio.run(_all_is_posted_once_and_each_place_in_order(happens))


async def _all_is_posted_once_and_each_place_in_order(happens: list[tuple[str, int, int]]) -> None:
    async with database() as only:
        clock = Clock()
        us = [StoredOutbox(only, clock, "us"), StoredOutbox(only, clock, "them")]
        held: list[list[str]] = [[], []]
        put: list[str] = []
        posted: list[str] = []

        async def post_all(who: int) -> None:
            for key in held[who]:
                if await us[who].posting(key, at=clock.now):
                    await us[who].ended(key, Sending.POSTED, at=clock.now, ts=key)
                    posted.append(key)
            held[who].clear()

        for number, (what, which, much) in enumerate(happens):
            if what == "put":
                key = f"C{which}:{number:02}"
                them = [parcel(key, channel=f"C{which}"), parcel(f"{key}/2", channel=f"C{which}", under=key)]
                put += [each.key for each in them[: 1 + much]]
                assert await us[0].put([replace(each, made_at=clock.now) for each in them[: 1 + much]])
            elif what == "take":
                held[which] += await taken(us[which], much)
            elif what == "post":
                await post_all(which)
            elif what == "put off":
                for key in reversed(held[which]):
                    await us[which].later(key, wait_s=45, reason="ratelimited")
                held[which].clear()
            elif what == "die":
                held[which].clear()
            else:
                clock.later(seconds=which)
        for _ in range(2 * len(put) + 2):
            clock.later(seconds=61)
            held[0] += await taken(us[0])
            await post_all(0)
        assert sorted(posted) == sorted(put)
        for channel in ("C0", "C1", "C2"):
            there = [key for key in posted if key.startswith(channel) and not key.endswith("/2")]
            assert there == sorted(there)
        assert all(posted.index(key) > posted.index(key[:-2]) for key in posted if key.endswith("/2"))
        assert {(each.state, each.repeat) for each in (await about(us[0])).values()} <= {(Sending.POSTED, False)}


# ── what goes ──


async def test_what_ended_is_told_of_for_ninety_days_and_what_waits_stays() -> None:
    async with database() as only:
        clock = Clock()
        outbox = StoredOutbox(only, clock)
        for key in ("old", "refused", "younger", "waits"):
            assert await outbox.put([parcel(key, channel=key)])
        await outbox.ended("old", Sending.POSTED, at=NOW, ts="1")
        await outbox.ended("refused", Sending.REFUSED, at=NOW)
        await outbox.ended("younger", Sending.POSTED, at=NOW + timedelta(minutes=30), ts="2")
        clock.now += KEPT
        assert set(await about(outbox)) == {"old", "refused", "younger", "waits"}
        for later, left in (
            (timedelta(minutes=1), {"younger", "waits"}),
            (timedelta(minutes=59), {"younger", "waits"}),
            (timedelta(minutes=1), {"waits"}),
        ):
            clock.now += later
            await outbox.ended("no such key", Sending.EXPIRED, at=clock.now)
            assert set(await about(outbox)) == left


# ── the file ──


async def test_no_question_reads_or_sorts_all_parcels() -> None:
    async with database() as only:
        outbox = StoredOutbox(only, Clock())
        statements = await traced(only)
        assert await outbox.put(DIGEST)
        await taken(outbox)
        await outbox.renew(["a"], lease_s=LEASE_S)
        await outbox.later("b", wait_s=1, reason="ratelimited")
        await post(outbox, "a")
        await outbox.ended("a/2", Sending.REFUSED, at=NOW)
        await about(outbox)
        await untraced(only)
        asked = [each for each in statements if each.strip().startswith(("select", "update", "delete"))]
        read = [step for step in await plans(only, asked) if not step.startswith("CORRELATED")]
        open_ones = "SCAN it USING INDEX parcels_open"
        assert open_ones in read
        odd = [step for step in read if step != open_ones and not (step.startswith("SEARCH") and "INDEX" in step)]
        assert odd == []
        assert [step for step in read if step.startswith("SEARCH older")] != []


async def _put(outbox: StoredOutbox) -> None:
    await outbox.put([parcel("c"), parcel("d", body="x" * 100_000)])


async def _take(outbox: StoredOutbox) -> None:
    await outbox.due(lease_s=LEASE_S, most=9)


async def _posting(outbox: StoredOutbox) -> None:
    await outbox.posting("a", at=NOW)


async def _ended(outbox: StoredOutbox) -> None:
    await outbox.ended("a", Sending.REFUSED, at=NOW, reason="x" * 100_000)


async def _later(outbox: StoredOutbox) -> None:
    await outbox.later("a", wait_s=1, reason="x" * 100_000)


async def _renew(outbox: StoredOutbox) -> None:
    await outbox.renew(["a"], lease_s=LEASE_S)


async def _no_text(outbox: StoredOutbox) -> None:
    await outbox.put([parcel("c"), parcel("d", body="\ud800")])


async def _nothing(_: Database) -> None:
    """The disk is well."""


READ_ONLY = [(refusing, act) for act in (_put, _take, _posting, _ended, _later, _renew)]
FULL = [(full, act) for act in (_put, _ended, _later)]


@pytest.mark.parametrize(("fails", "act"), [*READ_ONLY, *FULL, (_nothing, _no_text)])
async def test_what_the_disk_does_not_take_is_an_error_and_changes_nothing(
    fails: Callable[[Database], Awaitable[None]], act: Callable[[StoredOutbox], Awaitable[None]]
) -> None:
    async with database() as only:
        outbox = StoredOutbox(only, Clock())
        assert await outbox.put([parcel("a"), parcel("a/2", under="a"), parcel("b", channel="C2")])
        assert await taken(outbox, most=1) == ["a"]
        before = await _all_rows(only)
        await fails(only)
        with pytest.raises(OurError):
            await act(outbox)
        assert await _all_rows(only) == before


async def _all_rows(it: Database) -> list[Any]:
    return await it.run(lambda db: db.conn.execute("select * from parcels").fetchall())
