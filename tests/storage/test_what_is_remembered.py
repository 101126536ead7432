"""Contexts, what people saw last, and deliveries: over restarts, in several processes, and without a disk."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from bot.domain.model import RunRef
from bot.storage import contexts as contexts_of
from bot.storage import recall as recall_of
from bot.storage.contexts import StoredContexts
from bot.storage.database import Database, DatabaseError
from bot.storage.deliveries import KEPT_S, StoredDeliveries
from bot.storage.recall import MOST_ROWS, StoredRecall
from bot.usecases.ports import ChannelContext, Place
from tests.storage.opening import NOW, Clock, database

HERE = Place("T1", "C1")
THREAD = Place("T1", "C1", "171.5")
CONTEXT = ChannelContext("testrail", 7, "Webshop", by="U1", at=NOW)
REFS = (RunRef("testrail", "R", 118), RunRef("testmo", "A", 412, 3), RunRef("web_2-x", "S", 2**62))


def recall(it: Database) -> StoredRecall:
    return StoredRecall(it, lambda: NOW)


async def test_contexts_survive_reopening(tmp_path: Path) -> None:
    async with database(tmp_path / "a.db") as first:
        await StoredContexts(first).set(HERE, CONTEXT)
    async with database(tmp_path / "a.db") as second:
        contexts = StoredContexts(second)
        assert await contexts.get(HERE) == CONTEXT
        assert await contexts.get(THREAD) == CONTEXT
        assert await contexts.get(Place("T2", "C1")) is None
        changed = ChannelContext("testmo", 1, "", by="U2", at=NOW)
        await contexts.set(HERE, changed)
        assert await contexts.get(HERE) == changed


async def test_what_was_seen_last_survives_reopening(tmp_path: Path) -> None:
    async with database(tmp_path / "a.db") as first:
        it = recall(first)
        await it.remember_list(HERE, "U1", REFS)
        await it.remember_run(HERE, "U1", REFS[1])
        await it.bind_thread(THREAD, REFS[2])
    async with database(tmp_path / "a.db") as second:
        it = recall(second)
        assert await it.listed(HERE, "U1") == REFS
        assert await it.last_run(HERE, "U1") == REFS[1]
        assert await it.thread_run(THREAD) == REFS[2]
        assert await it.thread_run(HERE) is None
        assert (await it.listed(HERE, "U2"), await it.last_run(Place("T1", "C2"), "U1")) == ((), None)


async def test_a_shorter_list_replaces_a_longer_one() -> None:
    async with database() as only:
        it = recall(only)
        await it.remember_list(HERE, "U1", REFS)
        await it.remember_list(HERE, "U1", REFS[:1])
        assert await it.listed(HERE, "U1") == REFS[:1]
        await it.remember_list(HERE, "U1", ())
        assert await it.listed(HERE, "U1") == ()


async def test_rows_are_remembered_as_far_as_people_can_list_them() -> None:
    async with database() as only:
        it = recall(only)
        await it.remember_list(HERE, "U1", [RunRef("testrail", "R", number) for number in range(1, 5_000)])
        listed = await it.listed(HERE, "U1")
        assert (len(listed), listed[-1].id) == (MOST_ROWS, 1_000)


UNUSUAL = ["", " ", "'; drop table recall_runs; --", "[x]", '"', "é\u202e🎉", "\x00", "a" * 10_000, "%_?"]


@pytest.mark.parametrize("odd", UNUSUAL, ids=range(len(UNUSUAL)))
async def test_unusual_ids_are_ids(odd: str, tmp_path: Path) -> None:
    place = Place(odd, odd, odd or "1")
    async with database(tmp_path / "a.db") as first:
        await recall(first).remember_run(place, odd, REFS[0])
        await recall(first).bind_thread(place, REFS[1])
        await StoredContexts(first).set(place, ChannelContext("testmo", 1, odd, by=odd, at=NOW))
        assert await StoredDeliveries(first).claim(odd)
    async with database(tmp_path / "a.db") as second:
        assert await recall(second).last_run(place, odd) == REFS[0]
        assert await recall(second).thread_run(place) == REFS[1]
        stored = await StoredContexts(second).get(place)
        assert stored is not None
        assert (stored.project_name, stored.by) == (odd, odd)
        assert not await StoredDeliveries(second).claim(odd)


async def test_processes_that_share_a_file_know_what_the_other_was_told(tmp_path: Path) -> None:
    async with database(tmp_path / "a.db") as one, database(tmp_path / "a.db") as other:
        ours, theirs = StoredContexts(one), StoredContexts(other)
        assert await theirs.get(HERE) is None
        await ours.set(HERE, CONTEXT)
        assert await theirs.get(HERE) == CONTEXT
        mine, yours = recall(one), recall(other)
        await mine.remember_run(HERE, "U1", REFS[0])
        assert await yours.last_run(HERE, "U1") == REFS[0]
        await yours.remember_run(HERE, "U1", REFS[1])
        assert await mine.last_run(HERE, "U1") == REFS[1]
        await mine.remember_run(HERE, "U1", REFS[0])
        assert await yours.last_run(HERE, "U1") == REFS[0]


async def test_what_is_remembered_while_it_is_being_read_is_not_lost() -> None:
    async with database() as only:
        it = recall(only)
        await it.remember_run(HERE, "U1", REFS[0])
        await asyncio.gather(*(it.last_run(HERE, "U1") for _ in range(5)), it.remember_run(HERE, "U1", REFS[1]))
        assert await it.last_run(HERE, "U1") == REFS[1]


async def test_the_same_again_is_not_written_again(tmp_path: Path) -> None:
    async with database(tmp_path / "a.db") as only:
        it = recall(only)
        await it.remember_run(HERE, "U1", REFS[0])
        wal = (tmp_path / "a.db-wal").stat().st_size
        for _ in range(5):
            await it.remember_run(HERE, "U1", REFS[0])
        assert (tmp_path / "a.db-wal").stat().st_size == wal


async def test_what_nobody_has_seen_for_long_goes_when_something_is_remembered() -> None:
    async with database() as only:
        clock = Clock()
        it = StoredRecall(only, clock)
        await it.remember_list(HERE, "old", REFS)
        await it.remember_run(HERE, "old", REFS[0])
        await it.bind_thread(THREAD, REFS[0])
        clock.now += recall_of.KEPT - timedelta(hours=2)
        await it.remember_run(HERE, "young", REFS[1])
        clock.later(hours=3)
        await it.remember_run(HERE, "new", REFS[2])
        assert (await it.listed(HERE, "old"), await it.last_run(HERE, "old"), await it.thread_run(THREAD)) == (
            (),
            None,
            None,
        )
        assert (await it.last_run(HERE, "young"), await it.last_run(HERE, "new")) == (REFS[1], REFS[2])


async def test_what_was_seen_again_is_not_old() -> None:
    async with database() as only:
        clock = Clock()
        it = StoredRecall(only, clock)
        await it.remember_run(HERE, "U1", REFS[0])
        clock.later(days=60)
        await it.remember_run(HERE, "U1", REFS[0])
        clock.later(days=60)
        await it.remember_run(HERE, "U2", REFS[0])
        assert await it.last_run(HERE, "U1") == REFS[0]


async def test_old_rows_go_at_most_once_an_hour() -> None:
    async with database() as only:
        clock = Clock()
        it = StoredRecall(only, clock)
        await it.remember_run(HERE, "old", REFS[0])
        clock.now += recall_of.KEPT - timedelta(minutes=30)
        await it.remember_run(HERE, "new", REFS[0])
        clock.later(minutes=59)
        await it.remember_run(HERE, "new", REFS[1])
        assert await it.last_run(HERE, "old") == REFS[0]
        clock.later(minutes=1)
        await it.remember_run(HERE, "new", REFS[2])
        assert await it.last_run(HERE, "old") is None


TABLES = ("contexts", "recall_lists", "recall_runs", "run_threads")


async def broken(it: Database) -> None:
    """From now on every question fails, as it does on a broken disk."""
    for table in TABLES:
        await it.run(lambda db, table=table: _rename(db.conn, table, "channel", "lost"))  # type: ignore[misc]


async def mended(it: Database) -> None:
    for table in TABLES:
        await it.run(lambda db, table=table: _rename(db.conn, table, "lost", "channel"))  # type: ignore[misc]


def _rename(connection: sqlite3.Connection, table: str, column: str, new: str) -> None:
    connection.execute(f"alter table {table} rename column {column} to {new}")


async def test_what_was_seen_last_is_still_known_when_the_disk_breaks() -> None:
    async with database() as only:
        it = recall(only)
        await it.remember_run(HERE, "U1", REFS[0])
        await broken(only)
        assert await it.last_run(HERE, "U1") == REFS[0]
        await it.remember_list(HERE, "U1", REFS)
        await it.bind_thread(THREAD, REFS[1])
        await it.remember_run(HERE, "U1", REFS[2])
        assert await it.listed(HERE, "U1") == REFS
        assert await it.thread_run(THREAD) == REFS[1]
        assert await it.last_run(HERE, "U1") == REFS[2]
        assert await it.last_run(HERE, "U2") is None


async def test_what_the_disk_did_not_take_is_written_when_it_is_said_again() -> None:
    async with database() as only:
        it = recall(only)
        await it.remember_run(HERE, "U1", REFS[0])
        await broken(only)
        await it.remember_run(HERE, "U1", REFS[1])
        await mended(only)
        assert await it.last_run(HERE, "U1") == REFS[1]  # not what the disk still has
        await it.remember_run(HERE, "U1", REFS[1])
        assert await recall(only).last_run(HERE, "U1") == REFS[1]


async def test_a_context_that_is_known_holds_when_the_disk_breaks_and_none_is_made_up() -> None:
    async with database() as only:
        contexts = StoredContexts(only)
        await contexts.set(HERE, CONTEXT)
        await broken(only)
        assert await contexts.get(HERE) == CONTEXT
        with pytest.raises(DatabaseError):
            await contexts.get(Place("T1", "C2"))


async def test_a_context_that_could_not_be_written_is_not_acted_on() -> None:
    async with database() as only:
        contexts = StoredContexts(only)
        await only.run(lambda db: db.conn.execute("PRAGMA query_only = ON"))
        with pytest.raises(DatabaseError):
            await contexts.set(HERE, CONTEXT)
        assert await contexts.get(HERE) is None


async def _remember_runs(it: Database, count: int) -> int:
    keeper = recall(it)
    for number in range(count):
        await keeper.remember_run(Place("T1", f"C{number}"), "U1", REFS[0])
    return len(keeper._known)


async def _know_contexts(it: Database, count: int) -> int:
    keeper = StoredContexts(it)
    for number in range(count):
        await keeper.get(Place("T1", f"C{number}"))
    return len(keeper._known)


@pytest.mark.parametrize(
    ("fill", "most"), [(_remember_runs, recall_of.MOST_KNOWN), (_know_contexts, contexts_of.MOST_KNOWN)]
)
async def test_memory_has_an_end(fill: Callable[[Database, int], Awaitable[int]], most: int) -> None:
    async with database() as only:
        assert await fill(only, most + 10) == most


# ── deliveries ──


async def test_of_many_claimers_one_is_first(tmp_path: Path) -> None:
    async with database(tmp_path / "a.db") as one, database(tmp_path / "a.db") as other:
        ours, theirs = StoredDeliveries(one), StoredDeliveries(other)
        for round_number in range(5):
            claims = [each.claim(f"event {round_number}") for each in (ours, theirs) for _ in range(25)]
            assert sum(await asyncio.gather(*claims)) == 1


async def test_a_claim_holds_over_a_restart(tmp_path: Path) -> None:
    async with database(tmp_path / "a.db") as first:
        assert await StoredDeliveries(first).claim("event 1")
    async with database(tmp_path / "a.db") as second:
        assert not await StoredDeliveries(second).claim("event 1")
        assert await StoredDeliveries(second).claim("event 2")


@pytest.mark.parametrize(("later_s", "first"), [(0, False), (KEPT_S - 1, False), (KEPT_S + 1, True)])
async def test_a_claim_is_kept_an_hour(later_s: float, first: bool) -> None:
    now = [1_000_000.0]
    async with database() as only:
        deliveries = StoredDeliveries(only, lambda: now[0])
        assert await deliveries.claim("event 1")
        now[0] += later_s
        assert await deliveries.claim("event 1") is first


async def test_old_claims_are_swept_away(tmp_path: Path) -> None:
    now = [1_000_000.0]
    async with database(tmp_path / "a.db") as only:
        deliveries = StoredDeliveries(only, lambda: now[0])
        for number in range(50):
            await deliveries.claim(f"event {number}")
        now[0] += KEPT_S + 1
        await deliveries.claim("another")
        with closing(sqlite3.connect(tmp_path / "a.db")) as other:
            assert other.execute("select key from deliveries").fetchall() == [("another",)]


async def test_a_claim_that_cannot_be_written_is_an_error() -> None:
    async with database() as only:
        await only.run(lambda db: db.table("deliveries").drop())
        with pytest.raises(DatabaseError):
            await StoredDeliveries(only).claim("event 1")
        with pytest.raises(DatabaseError):
            await StoredDeliveries(only).claim("\ud800")
