"""The database file: opened, upgraded, shared and closed; refused when it is damaged, foreign or too new."""

from __future__ import annotations

import asyncio
import sqlite3
import sys
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from sqlite_utils import Database as SqliteDatabase

from bot.storage.database import Database, DatabaseError

REMEMBERED = {"contexts", "recall_lists", "recall_runs", "run_threads", "deliveries"}
DIGESTS = {"plans", "plan_slots", "parcels", "streams", "stream_tests", "past_runs"}
TABLES = REMEMBERED | {"changes", "proposals", "grants", "access_requests", "cards"} | DIGESTS
#: Ours, and the one that tells which upgrades were made.
COUNT = len(TABLES) + 1


async def opened(path: Path | str) -> Database:
    database = Database(str(path))
    await database.open()
    return database


async def refusal(path: Path) -> DatabaseError:
    database = Database(str(path))
    with pytest.raises(DatabaseError) as raised:
        await database.open()
    assert not database.is_open
    await database.close()
    for words in (raised.value.what, raised.value.why, raised.value.fix):
        assert words.endswith(".")
    assert "RUNDOWN_DB" in raised.value.fix
    return raised.value


def made_by_us(path: Path) -> None:
    asyncio.run(_make(path))


async def _make(path: Path) -> None:
    await (await opened(path)).close()


async def test_a_new_file_gets_all_tables_and_an_old_one_keeps_its_rows(tmp_path: Path) -> None:
    path = tmp_path / "new folder" / "rundown.db"
    database = await opened(path)
    assert set(await database.run(lambda db: db.table_names())) >= TABLES
    await database.run(lambda db: db.table("deliveries").insert({"key": "k", "at": 1.0}))
    await database.close()
    again = await opened(path)
    assert await again.run(lambda db: [row["key"] for row in db["deliveries"].rows]) == ["k"]
    await again.close()


async def test_a_commit_survives_the_loss_of_power() -> None:
    database = await opened(":memory:")
    asked = ("synchronous", "foreign_keys", "busy_timeout")
    told = await database.run(lambda db: [db.conn.execute(f"PRAGMA {name}").fetchone()[0] for name in asked])
    assert told == [2, 1, 5000]
    await database.close()


async def test_readers_and_the_writer_do_not_stop_each_other(tmp_path: Path) -> None:
    database = await opened(tmp_path / "rundown.db")
    assert await database.run(lambda db: db.conn.execute("PRAGMA journal_mode").fetchone()[0]) == "wal"
    await database.close()


async def test_work_is_committed_when_it_is_done(tmp_path: Path) -> None:
    path = tmp_path / "rundown.db"
    database = await opened(path)
    await database.run(lambda db: db.table("deliveries").upsert({"key": "k", "at": 1.0}, pk="key"))
    with closing(sqlite3.connect(path)) as other:
        assert other.execute("select count(*) from deliveries").fetchone() == (1,)
    await database.close()


async def test_work_is_done_in_one_thread_and_not_in_that_of_the_loop() -> None:
    database = await opened(":memory:")
    threads = await asyncio.gather(*(database.run(lambda _: threading.get_ident()) for _ in range(20)))
    assert len({*threads, threading.get_ident()}) == 2
    await database.close()


# ── what is refused ──


def a_text_file(path: Path) -> None:
    path.write_text("not a database, but somebody's notes\n" * 100)


def a_folder(path: Path) -> None:
    path.mkdir()


def somebody_elses_database(path: Path) -> None:
    with closing(sqlite3.connect(path)) as other:
        other.execute("create table invoices (id integer primary key)")


def somebody_elses_with_migrations(path: Path) -> None:
    other = SqliteDatabase(path)
    other.table("_sqlite_migrations").create({"id": int, "migration_set": str, "name": str, "applied_at": str}, pk="id")
    other.table("_sqlite_migrations").insert({"migration_set": "accounts", "name": "001", "applied_at": "x"})
    other.table("contexts").create({"x": str})
    other.close()


def of_a_newer_rundown(path: Path) -> None:
    made_by_us(path)
    other = SqliteDatabase(path)
    other.table("_sqlite_migrations").insert({"migration_set": "rundown", "name": "999_later", "applied_at": "x"})
    other.close()


def half_a_file(path: Path) -> None:
    made_by_us(path)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def with_flipped_bytes(path: Path) -> None:
    made_by_us(path)
    content = bytearray(path.read_bytes())
    for place in range(4096, len(content), 7):
        content[place] ^= 0xFF
    path.write_bytes(bytes(content))


def with_a_flipped_head(path: Path) -> None:
    made_by_us(path)
    content = bytearray(path.read_bytes())
    content[:100] = bytes(byte ^ 0xFF for byte in content[:100])
    path.write_bytes(bytes(content))


@pytest.mark.parametrize(
    ("make", "what"),
    [
        (a_text_file, "can't be opened"),
        (a_folder, "can't be opened"),
        (half_a_file, "can't be opened"),
        (with_flipped_bytes, "can't be opened"),
        (with_a_flipped_head, "can't be opened"),
        (somebody_elses_database, "is the database of something else"),
        (somebody_elses_with_migrations, "is the database of something else"),
        (of_a_newer_rundown, "was written by a newer Rundown (999_later)"),
    ],
)
def test_a_file_that_cannot_be_ours_is_refused_and_left_as_it_is(
    tmp_path: Path, make: Callable[[Path], None], what: str
) -> None:
    path = tmp_path / "rundown.db"
    make(path)
    before = path.read_bytes() if path.is_file() else b""
    error = asyncio.run(refusal(path))
    assert str(path) in error.what
    assert what in error.what
    assert (path.read_bytes() if path.is_file() else b"") == before
    assert [each.name for each in tmp_path.iterdir() if each.name.endswith(("-wal", "-journal"))] == []


@pytest.mark.parametrize("place", ["/proc/rundown/rundown.db", "/dev/null/rundown.db"])
async def test_a_folder_that_cannot_be_written_is_refused(place: str) -> None:
    assert "can't be opened" in (await refusal(Path(place))).what


async def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "folder").write_text("")
    assert "can't be opened" in (await refusal(tmp_path / "folder" / "rundown.db")).what


async def test_an_empty_file_is_a_new_database(tmp_path: Path) -> None:
    path = tmp_path / "rundown.db"
    path.touch()
    await (await opened(path)).close()


async def test_an_upgrade_that_was_killed_is_done_again(tmp_path: Path) -> None:
    path = tmp_path / "rundown.db"
    await (await opened(path)).close()
    other = SqliteDatabase(path)
    other.table("deliveries").drop()
    other.table("_sqlite_migrations").delete_where("name = ?", ["003_deliveries"])
    other.close()
    database = await opened(path)
    assert set(await database.run(lambda db: db.table_names())) >= TABLES
    await database.close()


async def test_a_file_of_the_first_release_is_upgraded_and_keeps_its_rows(tmp_path: Path) -> None:
    path = tmp_path / "rundown.db"
    await (await opened(path)).close()
    other = SqliteDatabase(path)
    for table in TABLES - REMEMBERED:
        other.table(table).drop()
    for index in ("recall_lists", "recall_runs", "run_threads"):
        other.conn.execute(f"drop index idx_{index}_at")
    other.table("_sqlite_migrations").delete_where("name > '004'")
    other.table("contexts").insert(
        dict.fromkeys(("team", "channel", "connection", "project", "project_name", "chosen_by", "chosen_at"), "1")
    )
    other.close()
    database = await opened(path)
    assert set(await database.run(lambda db: db.table_names())) >= TABLES
    assert await database.run(lambda db: db["contexts"].count) == 1
    await database.close()


OPEN_IN_A_PROCESS = """
import asyncio, sys
from bot.storage.database import Database
async def main():
    database = Database(sys.argv[1])
    await database.open()
    print(len(await database.run(lambda db: db.table_names())))
    await database.close()
asyncio.run(main())
"""


async def test_processes_that_start_at_once_make_one_database(tmp_path: Path) -> None:
    processes = [
        await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            OPEN_IN_A_PROCESS,
            str(tmp_path / "rundown.db"),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        for _ in range(4)
    ]
    said = [await process.communicate() for process in processes]
    assert [process.returncode for process in processes] == [0] * 4, said
    assert {out for out, _ in said} == {f"{COUNT}\n".encode()}


async def test_databases_that_open_at_once_in_one_process_make_one_file(tmp_path: Path) -> None:
    databases = [Database(str(tmp_path / "rundown.db")) for _ in range(8)]
    await asyncio.gather(*(database.open() for database in databases))
    for database in databases:
        await database.close()


# ── before, after, and when things break ──


async def test_work_waits_until_the_file_is_open() -> None:
    database = Database(":memory:")
    asked = asyncio.create_task(database.run(lambda db: len(db.table_names())))
    await asyncio.sleep(0)
    assert not asked.done()
    await database.open()
    assert await asked == COUNT
    await database.close()


async def test_work_that_comes_too_late_is_refused_in_words() -> None:
    database = await opened(":memory:")
    await database.close()
    await database.close()
    with pytest.raises(DatabaseError) as raised:
        await database.run(lambda db: db.table_names())
    assert raised.value.why == "Rundown is shutting down."


async def test_work_that_was_begun_is_finished_before_the_file_is_closed(tmp_path: Path) -> None:
    database = await opened(tmp_path / "rundown.db")
    work = [
        asyncio.create_task(database.run(lambda db, key=key: db.table("deliveries").insert({"key": key, "at": 1.0})))  # type: ignore[misc]
        for key in "abc"
    ]
    await asyncio.sleep(0)
    await database.close()
    await asyncio.gather(*work)
    again = await opened(tmp_path / "rundown.db")
    assert await again.run(lambda db: db["deliveries"].count) == 3
    await again.close()


async def test_those_who_wait_for_a_file_that_is_closed_instead_are_refused() -> None:
    database = Database(":memory:")
    asked = asyncio.create_task(database.run(lambda db: db.table_names()))
    await asyncio.sleep(0)
    await database.close()
    with pytest.raises(DatabaseError):
        await asked


async def test_an_opening_that_nobody_waits_for_any_more_is_closed_too(tmp_path: Path) -> None:
    database = Database(str(tmp_path / "rundown.db"))
    opening = asyncio.create_task(database.open())
    await asyncio.sleep(0)
    opening.cancel()
    await database.close()
    assert not database.is_open
    assert not (tmp_path / "rundown.db-wal").exists()


def _no_such_table(db: SqliteDatabase) -> None:
    db.conn.execute("select * from nothing")


def _too_large(db: SqliteDatabase) -> None:
    db.conn.execute("select ?", (2**70,))


def _lone_surrogate(db: SqliteDatabase) -> None:
    db.conn.execute("select ?", ("\ud800",))


def _full(_: SqliteDatabase) -> None:
    raise OSError(28, "No space left on device")


@pytest.mark.parametrize("work", [_no_such_table, _too_large, _lone_surrogate, _full])
async def test_what_disk_and_file_refuse_is_told_in_our_words(work: Callable[[SqliteDatabase], None]) -> None:
    database = await opened(":memory:")
    with pytest.raises(DatabaseError) as raised:
        await database.run(work)
    assert raised.value.what == "Rundown can't use its database right now."
    assert await database.run(lambda db: len(db.table_names())) == COUNT  # and it goes on
    await database.close()


async def test_a_mistake_of_ours_is_not_taken_for_the_disks() -> None:
    database = await opened(":memory:")
    with pytest.raises(ZeroDivisionError):
        await database.run(lambda _: 1 // 0)
    await database.close()
