"""The database file: opened once, used by one thread, upgraded on opening, refused when it is not ours or too new."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from bot.domain.errors import OurError

if TYPE_CHECKING:
    from sqlite_utils import Database as SqliteDatabase

T = TypeVar("T")
log = logging.getLogger(__name__)

#: How long work waits for the file to be opened.
OPENING_S = 10.0
#: Changes that share a commit at most. Who wakes after it wakes at once, and an ack must not wait behind a crowd.
TOGETHER = 32

#: What disk, file or SQLite's types may say to a piece of work.
_REFUSALS = (sqlite3.Error, OSError, OverflowError, UnicodeError)


class DatabaseError(OurError):
    """The database can't be used. Its words are for whoever runs the bot."""


@dataclass(slots=True, eq=False)
class _Change:
    """A piece of work that is to be committed, who waits for it, and what became of it."""

    work: Callable[[SqliteDatabase], Any]
    waiting: asyncio.Future[Any]
    result: Any = None
    error: BaseException | None = None

    def tell(self) -> None:
        """In the loop's thread, once it is on the disk or known not to be."""
        if self.waiting.done():
            return
        if self.error is None:
            self.waiting.set_result(self.result)
        else:
            self.waiting.set_exception(self.error)


class Database:
    """Runs work in the writer thread. `path` may be `:memory:`. Durable: a commit survives a crash of the machine."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="database")
        self._db: SqliteDatabase | None = None
        self._opened = asyncio.Event()
        self._closed = False
        self._changes: deque[_Change] = deque()
        #: Whether the thread has been asked to see to the changes, and has not begun to.
        self._asked = False

    @property
    def is_open(self) -> bool:
        return self._db is not None

    async def open(self) -> None:
        """Open and upgrade. Raises DatabaseError when the file is damaged, of something else, or of a newer Rundown."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._open)
        self._opened.set()

    async def run(self, work: Callable[[SqliteDatabase], T]) -> T:
        """Let the writer thread do this, once the file is open. Raises DatabaseError when disk or file won't."""
        await self._usable()
        with self._in_our_words():
            return await asyncio.get_running_loop().run_in_executor(self._thread, self._work, work)

    async def commit(self, work: Callable[[SqliteDatabase], T]) -> T:
        """Let the writer thread do this wholly or not at all, in one commit with what others want at the same time.

        It returns once that is on the disk. What fails fails for itself. The work begins and commits nothing, and
        changes nothing but rows: it may be undone with the others' and done again. No other process writes meanwhile.
        """
        await self._usable()
        loop = asyncio.get_running_loop()
        change = _Change(work, loop.create_future())
        self._changes.append(change)
        if not self._asked:
            self._asked = True
            self._thread.submit(self._commit, loop)
        with self._in_our_words():
            result: T = await change.waiting
            return result

    async def _usable(self) -> None:
        """Wait for the file to be open. Raises DatabaseError."""
        if not self._closed:
            try:
                async with asyncio.timeout(OPENING_S):
                    await self._opened.wait()
            except TimeoutError:
                raise self._unusable("It is not open yet.") from None
        if self._closed:
            raise self._unusable("Rundown is shutting down.")

    @contextmanager
    def _in_our_words(self) -> Iterator[None]:
        try:
            yield
        except _REFUSALS as error:
            log.error("database: %s", error)
            raise self._unusable("The reason is in the log.") from error

    async def close(self) -> None:
        """Finish what was begun, then let go of the file. Work that comes later is refused."""
        if not self._closed:
            self._closed = True
            self._opened.set()
            await asyncio.get_running_loop().run_in_executor(self._thread, self._close)
        self._thread.shutdown(wait=False)

    def _unusable(self, why: str) -> DatabaseError:
        return DatabaseError("Rundown can't use its database right now.", why=why, fix="Try again in a minute.")

    def _work(self, work: Callable[[SqliteDatabase], T]) -> T:
        if self._db is None:
            raise sqlite3.ProgrammingError("the database is not open")
        return work(self._db)

    def _commit(self, loop: asyncio.AbstractEventLoop) -> None:
        """Commit what is wanted by now, in the writer thread; what is too much waits for its turn behind the others."""
        self._asked = False  # first: what comes from here on asks again
        changes: list[_Change] = []
        while self._changes and len(changes) < TOGETHER:
            change = self._changes.popleft()
            if not change.waiting.cancelled():
                changes.append(change)
        if self._changes and not self._asked:
            self._asked = True
            self._thread.submit(self._commit, loop)
        try:
            self._work(lambda db: _commit_all(db, changes))
        except BaseException as error:
            _fail(changes, error)
        loop.call_soon_threadsafe(_tell, changes)

    def _close(self) -> None:
        if self._db is not None:
            self._db.conn.close()
            self._db = None

    def _open(self) -> None:
        path = self.path if self.path == ":memory:" else str(Path(self.path).expanduser())
        try:
            if path != ":memory:":
                Path(path).parent.mkdir(parents=True, exist_ok=True)
            connection = sqlite3.connect(path)
            try:
                self._db = self._upgraded(connection)
            except BaseException:
                connection.close()
                raise
        except (sqlite3.Error, OSError) as error:
            raise DatabaseError(
                f"The database {self.path} can't be opened: {error}.",
                why="It is no folder or file that Rundown can write, or the file is damaged.",
                fix="Check the folder's rights, restore the file from a backup, or name another in RUNDOWN_DB.",
            ) from error

    def _upgraded(self, connection: sqlite3.Connection) -> SqliteDatabase:
        """The database, up to date. Nothing is written to a file before it is known to be whole, ours and not newer."""
        from sqlite_utils import Database as SqliteDatabase

        from bot.storage.schema import migrations

        connection.execute("PRAGMA busy_timeout = 5000")
        (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        if verdict != "ok":
            raise sqlite3.DatabaseError(verdict)
        db = SqliteDatabase(connection)
        ours = migrations()
        applied = {done.name for done in ours.applied(db)}
        if not applied and set(db.table_names()) - {ours.migrations_table}:
            raise DatabaseError(
                f"{self.path} is the database of something else.",
                why="It has tables, and none of them was made by Rundown.",
                fix="Name another file in RUNDOWN_DB; a new one is made if there is none.",
            )
        newer = applied - {step.name for step in ours._migrations}
        if newer:
            raise DatabaseError(
                f"{self.path} was written by a newer Rundown ({', '.join(sorted(newer))}).",
                why="An older one would not know what is in it.",
                fix="Upgrade Rundown, or name another file in RUNDOWN_DB.",
            )
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("BEGIN IMMEDIATE")  # two processes that start at once upgrade one after the other
        with connection:
            ours.apply(db)
        return db


def _commit_all(db: SqliteDatabase, changes: Sequence[_Change]) -> None:
    """Make all these changes in one commit. Where that can't be, each is made for itself."""
    if len(changes) > 1:
        db.conn.execute("BEGIN IMMEDIATE")  # if this can't be, nothing was done, and all are told
        try:
            with db.conn:
                for change in changes:
                    _make_inside(db, change)
            return
        except Exception as error:  # a full disk, say, undoes the others' changes as well
            log.warning("%d changes can't be made in one commit: %s", len(changes), error)
    for number, change in enumerate(changes):
        change.result, change.error = None, None
        try:
            db.conn.execute("BEGIN IMMEDIATE")
        except sqlite3.Error as error:  # nobody waits for the lock once more behind somebody who did in vain
            _fail(changes[number:], error)
            return
        try:
            with db.conn:
                change.result = change.work(db)
        except BaseException as error:
            change.error = error


def _make_inside(db: SqliteDatabase, change: _Change) -> None:
    """Make one change, or none of it, within a transaction. Raises what ends the whole transaction."""
    db.conn.execute("SAVEPOINT one_change")
    try:
        change.result = change.work(db)
    except Exception as error:
        change.error = error
        db.conn.execute("ROLLBACK TO one_change")
    db.conn.execute("RELEASE one_change")


def _fail(changes: Iterable[_Change], error: BaseException) -> None:
    for change in changes:
        change.error = error


def _tell(changes: Iterable[_Change]) -> None:
    for change in changes:
        change.tell()


def breathe() -> None:
    """For long work in the writer thread that is no SQL: the loop gets Python's lock now, else only after 5 ms."""
    time.sleep(0.00001)  # without a real wait the lock would be ours again before anybody wakes


@contextmanager
def alone(connection: sqlite3.Connection) -> Iterator[None]:
    """One transaction in which no other process writes: what is read in it is still so when it commits."""
    connection.execute("BEGIN IMMEDIATE")
    with connection:
        yield


def rows(
    connection: sqlite3.Connection, sql: str, values: Sequence[object] | Mapping[str, object] = ()
) -> list[dict[str, Any]]:
    """All rows that a question finds, by column."""
    cursor = connection.execute(sql, values)
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor]


def put(connection: sqlite3.Connection, table: str, row: Mapping[str, object], *, key: Sequence[str]) -> None:
    """Write a row, in place of the one with the same key. Names are ours, never somebody's words."""
    names = ", ".join(row)
    new = ", ".join(f"{name} = excluded.{name}" for name in row if name not in key)
    connection.execute(
        f"insert into {table} ({names}) values ({', '.join(f':{name}' for name in row)}) "  # noqa: S608 - names of ours
        f"on conflict ({', '.join(key)}) do update set {new}",
        row,
    )
