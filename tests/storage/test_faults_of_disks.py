"""Disks that fill up, files that are damaged, power that fails, upgrades that are killed: nothing halfway is left."""

from __future__ import annotations

import asyncio
import resource
import shutil
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlite_utils import Database as SqliteDatabase

from bot.domain.digests import DigestPlan, Parcel, Sending, Timing
from bot.domain.errors import OurError
from bot.storage.database import Database, DatabaseError
from bot.storage.outbox import StoredOutbox
from bot.storage.plans import StoredPlans
from bot.storage.schema import migrations
from tests.storage.opening import NOW, Clock, database

PLAN = DigestPlan(
    id="d1",
    team="T1",
    channel="C1",
    name="nightly",
    owner="U1",
    owner_name="Ana",
    timing=Timing("0 9 * * *", "UTC", "daily at 09:00"),
    made_at=NOW - timedelta(days=30),
)
LEASE_S = 60.0
#: Parts of each message, so that half of one could be told from all of it.
PARTS = 3


def slot(day: int) -> str:
    return f"2026-11-{day:02}T09:00"


def message(day: int) -> list[Parcel]:
    """What one digest says: its first message and its parts, larger than a page of the file."""
    first = Parcel(
        key=f"d1 {slot(day)} C1",
        team="T1",
        channel="C1",
        body="{}" + " " * 5000,
        made_at=NOW,
        for_whom="d1",
        owner="U1",
        slot=slot(day),
    )
    parts = (replace(first, key=f"{first.key}/{number}", under=first.key) for number in range(2, 2 + PARTS))
    return [first, *parts]


async def make(stored: StoredPlans, day: int) -> bool:
    assert await stored.claim("d1", slot(day), lease_s=LEASE_S)
    return await stored.made("d1", slot(day), since=NOW, parcels=message(day))


# ── F88: no room ──


@contextmanager
def no_room(path: Path) -> Iterator[None]:
    """No file of this process may become larger than the log of that database is now: the system refuses to write."""
    before, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (Path(f"{path}-wal").stat().st_size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (before, hard))


async def _claim(plans: StoredPlans, _: StoredOutbox) -> object:
    return await plans.claim("d1", slot(22), lease_s=LEASE_S)


async def _made(plans: StoredPlans, _: StoredOutbox) -> object:
    return await plans.made("d1", slot(21), since=NOW, parcels=message(21))


async def _due(_: StoredPlans, outbox: StoredOutbox) -> object:
    return [each.key for each in await outbox.due(lease_s=LEASE_S, most=9)]


async def _posting(_: StoredPlans, outbox: StoredOutbox) -> object:
    return await outbox.posting(message(19)[0].key, at=NOW)


async def _ended(_: StoredPlans, outbox: StoredOutbox) -> object:
    await outbox.ended(message(19)[0].key, Sending.POSTED, at=NOW, ts="1.5")
    return None


async def _add(plans: StoredPlans, _: StoredOutbox) -> object:
    return await plans.add(replace(PLAN, id="d2", name="weekly"))


Act = Callable[[StoredPlans, StoredOutbox], Any]


@pytest.mark.parametrize(
    ("act", "answer"),
    [
        pytest.param(_claim, True, id="at the claim"),
        pytest.param(_made, True, id="when the words are kept"),
        pytest.param(_due, [message(20)[0].key], id="when it is taken to be posted"),
        pytest.param(_posting, True, id="right before it is posted"),
        pytest.param(_ended, None, id="at the confirmation"),
        pytest.param(_add, True, id="when somebody makes a digest"),
    ],
)
async def test_on_a_full_disk_a_step_is_not_done_at_all_and_is_done_once_there_is_room(
    tmp_path: Path, act: Act, answer: object
) -> None:
    path = tmp_path / "rundown.db"
    async with database(path) as file:
        plans, outbox = StoredPlans(file, Clock(), "we"), StoredOutbox(file, Clock(), "we")
        assert await plans.add(PLAN)
        assert await make(plans, 19)
        assert len(await outbox.due(lease_s=LEASE_S, most=9)) == 1
        assert await make(plans, 20)
        await outbox.ended(message(19)[0].key, Sending.POSTED, at=NOW, ts="1.4") if act is _due else None
        assert await plans.claim("d1", slot(21), lease_s=LEASE_S)
        before = await _rows(file)
        with no_room(path), pytest.raises(OurError) as raised:
            await act(plans, outbox)
        assert raised.value.what == "Rundown can't use its database right now."
        assert await _rows(file) == before, "nothing is done by half"
        said = await act(plans, outbox)
        assert (said[-1:] if act is _due else said) == answer
        assert await _rows(file) != before


async def _rows(file: Database) -> list[Any]:
    tables = ("plans", "plan_slots", "parcels")
    return await file.run(lambda db: [db.conn.execute(f"select * from {table}").fetchall() for table in tables])


async def test_a_full_disk_when_it_starts_is_a_refusal_and_the_next_start_upgrades(tmp_path: Path) -> None:
    path = tmp_path / "rundown.db"
    _release(path, "007_cards")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, limits[1]))
    try:
        with pytest.raises(DatabaseError) as raised:
            await Database(str(path)).open()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert "can't be opened" in raised.value.what
    async with database(path) as file:
        assert await _schema(file) == await _newest()
        assert await file.run(lambda db: db["contexts"].count) == 1


# ── F90: damaged ──


async def _written(folder: Path, days: int) -> tuple[Path, bytes]:
    """A file and its log as `kill -9` leaves them after so many digests: most is in the log."""
    live, left = folder / "live.db", folder / "left.db"
    async with database(live) as file:
        plans = StoredPlans(file, Clock())
        assert await plans.add(PLAN)
        await file.run(lambda db: db.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall())
        for day in range(1, days + 1):
            assert await make(plans, day)
        shutil.copy(live, left)
        return left, (folder / "live.db-wal").read_bytes()


async def _days(path: Path) -> list[int]:
    """The days whose digest is there. Fails where one is there by half."""
    async with database(path) as file:
        assert len(await StoredPlans(file, Clock()).all()) == 1
        done = await file.run(
            lambda db: db.conn.execute("select slot from plan_slots where state = 'made' order by slot").fetchall()
        )
        kept = await file.run(
            lambda db: db.conn.execute("select slot, count(*) from parcels group by slot order by slot").fetchall()
        )
        assert kept == [(each, 1 + PARTS) for (each,) in done], "a slot is done with all of its message, or neither is"
        return [int(each[8:10]) for (each,) in done]


def _cut(log: bytes, part: float) -> bytes:
    return log[: int(len(log) * part)]


def _flipped(log: bytes, part: float) -> bytes:
    place = int(len(log) * part)
    return log[:place] + bytes([log[place] ^ 0xFF]) + log[place + 1 :]


@pytest.mark.parametrize("damage", [_cut, _flipped])
async def test_of_a_log_that_is_cut_or_damaged_whole_digests_are_left_up_to_there(
    tmp_path: Path, damage: Callable[[bytes, float], bytes]
) -> None:
    left, log = await _written(tmp_path, 6)
    assert await _days(_copy(left, tmp_path / "all.db", log)) == [1, 2, 3, 4, 5, 6]
    counts = []
    for number in range(1, 25):
        days = await _days(_copy(left, tmp_path / f"{number}.db", damage(log, number / 25)))
        assert days == list(range(1, len(days) + 1))
        counts.append(len(days))
    assert counts == sorted(counts)
    assert {0, 5} <= set(counts) <= set(range(7))


def _copy(file: Path, to: Path, log: bytes) -> Path:
    shutil.copy(file, to)
    Path(f"{to}-wal").write_bytes(log)
    return to


@pytest.mark.parametrize("kept", [100, 4096, 5000, 8 * 4096, 20 * 4096])
async def test_a_file_that_was_cut_is_refused_with_the_way_to_restore_it_and_no_empty_one_takes_its_place(
    tmp_path: Path, kept: int
) -> None:
    path = tmp_path / "rundown.db"
    async with database(path) as file:
        assert await make_plan(file)
    content = path.read_bytes()
    path.write_bytes(content[:kept])
    with pytest.raises(DatabaseError) as raised:
        await Database(str(path)).open()
    assert str(path) in raised.value.what
    assert "restore the file from a backup" in raised.value.fix
    assert path.read_bytes() == content[:kept]
    path.write_bytes(content)  # as it says
    async with database(path) as file:
        assert await StoredPlans(file, Clock()).all() == (PLAN,)


async def make_plan(file: Database) -> bool:
    return await StoredPlans(file, Clock()).add(PLAN)


# ── F92: upgrades ──

#: The number of every released schema.
RELEASES = [step.name for step in migrations()._migrations]


async def _schema(file: Database) -> list[tuple[str, str, str]]:
    """Every table and index, in one spelling."""
    sql = "select type, name, sql from sqlite_master where name not like 'sqlite_%' order by type, name"
    found = await file.run(lambda db: db.conn.execute(sql).fetchall())
    return [(kind, name, " ".join((text or "").replace('"', "").split())) for kind, name, text in found]


async def _newest() -> list[tuple[str, str, str]]:
    async with database() as file:
        return await _schema(file)


def _release(path: Path, last: str) -> None:
    """A file as the release with this schema wrote it."""
    file = SqliteDatabase(path)
    later = [name for name in RELEASES if name > last][:1]
    migrations().apply(file, stop_before=later or None)
    file.table("contexts").insert(
        dict.fromkeys(("team", "channel", "connection", "project_name", "chosen_by", "chosen_at"), "1") | {"project": 1}
    )
    file.close()


@pytest.mark.parametrize("last", RELEASES)
async def test_a_file_of_each_release_becomes_the_newest_and_keeps_its_rows(tmp_path: Path, last: str) -> None:
    path = tmp_path / "rundown.db"
    _release(path, last)
    async with database(path) as file:
        assert await _schema(file) == await _newest()
        assert await file.run(lambda db: db["contexts"].count) == 1
        assert await make_plan(file)


DIE_IN_AN_UPGRADE = """
import asyncio, os, shutil, signal, sqlite3, sys
import sqlite_utils
from bot.storage.database import Database
from bot.storage.schema import migrations

class Dying(Database):
    left = 0
    def _upgraded(self, connection):
        connection.set_trace_callback(self._count)
        return super()._upgraded(connection)
    def _count(self, _):
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        self.left -= 1

def open_until(path, number):
    dying = Dying(path)
    dying.left = number
    asyncio.run(dying.open())
    os._exit(0)

migrations()
folder, begin = sys.argv[1], sys.argv[2]
for number in range(10_000):
    path = f"{folder}/{number}.db"
    if begin:
        shutil.copy(begin, path)
    child = os.fork()
    if child == 0:
        open_until(path, number)
    if os.waitpid(child, 0)[1] == 0:
        break
print(number)
"""


@pytest.mark.parametrize("last", ["", "007_cards"], ids=["a new file", "a file of before there were digests"])
async def test_an_upgrade_that_is_killed_before_any_of_its_statements_is_done_by_the_next_start(
    tmp_path: Path, last: str
) -> None:
    begin = tmp_path / "begin.db"
    if last:
        _release(begin, last)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", DIE_IN_AN_UPGRADE, str(tmp_path), str(begin) if last else ""),
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await process.communicate()
    assert process.returncode == 0
    statements, newest = int(out), await _newest()
    assert statements > 20, "each of them was a place to die at"
    for number in range(statements):
        path = tmp_path / f"{number}.db"
        with closing(sqlite3.connect(path)) as left:
            made = len(left.execute("select name from sqlite_master where type = 'table'").fetchall())
        async with database(path) as file:
            assert await _schema(file) == newest, f"killed before statement {number}, with {made} tables"
            assert await file.run(lambda db: db["contexts"].count) == int(bool(last))


async def test_an_older_version_refuses_a_newer_file_and_what_waits_in_it_is_there_for_the_newer_one(
    tmp_path: Path,
) -> None:
    path = tmp_path / "rundown.db"
    async with database(path) as file:
        plans = StoredPlans(file, Clock())
        assert await plans.add(PLAN)
        assert await make(plans, 20)
        assert await plans.claim("d1", slot(21), lease_s=LEASE_S)
        before = await _rows(file)
    newer = {"migration_set": "rundown", "name": "999_later", "applied_at": "x"}
    with closing(SqliteDatabase(path)) as other:
        other.table("_sqlite_migrations").insert(newer)
    with pytest.raises(DatabaseError) as raised:
        await Database(str(path)).open()
    assert "was written by a newer Rundown (999_later)" in raised.value.what
    assert "Upgrade Rundown" in raised.value.fix
    with closing(SqliteDatabase(path)) as other:
        other.table("_sqlite_migrations").delete_where("name = ?", ["999_later"])
    async with database(path) as file:
        assert await _rows(file) == before
        assert [each.key for each in await StoredOutbox(file, Clock()).due(lease_s=1, most=9)] == [message(20)[0].key]
