"""Table `deliveries`: what Slack has delivered already, so that a second delivery does nothing."""

from __future__ import annotations

import time
from collections.abc import Callable

from bot.storage.database import Database

#: Slack redelivers within minutes; a signature is good for five.
KEPT_S = 3600.0


class StoredDeliveries:
    """Claims a delivery's key once, over restarts and over processes that share the file."""

    def __init__(self, database: Database, now: Callable[[], float] = time.time) -> None:
        self._database = database
        self._now = now
        self._swept_at = 0.0

    async def claim(self, key: str) -> bool:
        """True for whoever comes first with this key."""
        now = self._now()
        sweep = now - self._swept_at > KEPT_S / 4
        if sweep:
            self._swept_at = now
        return await self._database.run(lambda db: _claim(db.conn, key, now, sweep))


def _claim(connection: object, key: str, now: float, sweep: bool) -> bool:
    import sqlite3

    if not isinstance(connection, sqlite3.Connection):
        raise TypeError("not a connection")
    with connection:
        if sweep:
            connection.execute("delete from deliveries where at < ?", (now - KEPT_S,))
        done = connection.execute("insert or ignore into deliveries (key, at) values (?, ?)", (key, now))
        return done.rowcount == 1
