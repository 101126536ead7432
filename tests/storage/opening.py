"""What tests of tables stand on: a file opened for a while, and a clock that is set by hand."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.storage.database import Database

NOW = datetime(2026, 11, 20, 9, 0, 0, 123456, tzinfo=UTC)


@dataclass
class Clock:
    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now

    def later(self, **by: float) -> datetime:
        self.now += timedelta(**by)
        return self.now


@asynccontextmanager
async def database(path: Path | str = ":memory:") -> AsyncIterator[Database]:
    it = Database(str(path))
    await it.open()
    try:
        yield it
    finally:
        await it.close()


async def refusing(it: Database) -> None:
    """From now on the file can be read, but not written."""
    await it.run(lambda db: db.conn.execute("PRAGMA query_only = ON"))


async def full(it: Database) -> None:
    """From now on there is no room for another page, as on a full disk."""

    await it.run(lambda db: db.conn.execute("PRAGMA max_page_count = 1"))  # SQLite makes it as many as there are


async def emptied(it: Database) -> None:
    """There is room again."""
    await it.run(lambda db: db.conn.execute("PRAGMA max_page_count = 1000000"))


async def plans(it: Database, statements: list[str]) -> list[str]:
    """How SQLite goes about these statements: one line a step."""
    found = await it.run(lambda db: [db.conn.execute(f"explain query plan {each}").fetchall() for each in statements])
    return [step[3] for steps in found for step in steps]


async def traced(it: Database) -> list[str]:
    """A list that gets every statement that is run from now on."""
    statements: list[str] = []
    await it.run(lambda db: db.conn.set_trace_callback(statements.append))
    return statements


async def untraced(it: Database) -> None:
    await it.run(lambda db: db.conn.set_trace_callback(None))
