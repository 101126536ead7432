"""The database file: opened once, used by one thread, upgraded on opening, refused when it is not ours or too new."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from bot.domain.errors import OurError

if TYPE_CHECKING:
    from sqlite_utils import Database as SqliteDatabase

T = TypeVar("T")
log = logging.getLogger(__name__)

#: How long work waits for the file to be opened.
OPENING_S = 10.0


class DatabaseError(OurError):
    """The database can't be used. Its words are for whoever runs the bot."""


class Database:
    """Runs work in the writer thread. `path` may be `:memory:`. Durable: a commit survives a crash of the machine."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="database")
        self._db: SqliteDatabase | None = None
        self._opened = asyncio.Event()

    @property
    def is_open(self) -> bool:
        return self._db is not None

    async def open(self) -> None:
        """Open and upgrade. Raises DatabaseError when the file is damaged, of something else, or of a newer Rundown."""
        self._db = await asyncio.get_running_loop().run_in_executor(self._thread, self._open)
        self._opened.set()

    async def run(self, work: Callable[[SqliteDatabase], T]) -> T:
        """Let the writer thread do this, once the file is open. Raises DatabaseError when disk or file won't."""
        try:
            async with asyncio.timeout(OPENING_S):
                await self._opened.wait()
        except TimeoutError:
            raise DatabaseError("Rundown has no database right now.", fix="Try again in a minute.") from None
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, self._work, work)
        except sqlite3.Error as error:
            log.error("database: %s", error)
            raise DatabaseError("Rundown can't use its database right now.", fix="Try again in a minute.") from error

    async def close(self) -> None:
        if self._db is not None:
            await asyncio.get_running_loop().run_in_executor(self._thread, self._db.conn.close)
            self._db = None
        self._thread.shutdown(wait=False)

    def _work(self, work: Callable[[SqliteDatabase], T]) -> T:
        if self._db is None:
            raise sqlite3.ProgrammingError("the database is not open")
        return work(self._db)

    def _open(self) -> SqliteDatabase:
        from sqlite_utils import Database as SqliteDatabase

        from bot.storage.schema import migrations

        try:
            if self.path != ":memory:":
                Path(self.path).expanduser().parent.mkdir(parents=True, exist_ok=True)
            connection = sqlite3.connect(str(Path(self.path).expanduser()) if self.path != ":memory:" else self.path)
            connection.execute("PRAGMA busy_timeout = 5000")
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA foreign_keys = ON")
            (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
            if verdict != "ok":
                raise sqlite3.DatabaseError(verdict)
            db = SqliteDatabase(connection)
            ours = migrations()
            newer = {done.name for done in ours.applied(db)} - {step.name for step in migrations()._migrations}
            if newer:
                raise DatabaseError(
                    f"{self.path} was written by a newer Rundown ({', '.join(sorted(newer))}).",
                    fix="Upgrade Rundown, or name another file in RUNDOWN_DB.",
                )
            ours.apply(db)
        except (sqlite3.Error, OSError) as error:
            raise DatabaseError(
                f"The database {self.path} can't be opened: {error}.",
                fix="Check the folder's rights, restore the file from a backup, or name another in RUNDOWN_DB.",
            ) from error
        return db
