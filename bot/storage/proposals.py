"""Table `proposals`: changes that were put before people, one by one (`one`) or several in one go (`bulk`)."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Literal

from bot.domain.acts import Bulk, Proposal
from bot.storage.database import Database, put, rows
from bot.storage.packing import pack_bulk, pack_proposal, stamp, unpack_bulk, unpack_proposal
from bot.storage.sweeping import Sweep

KEPT = timedelta(days=30)

Kind = Literal["one", "bulk"]


class StoredProposals:
    """The port `Proposals`. One that another version made, and this one does not wholly understand, is not there."""

    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now
        self._sweep = Sweep(now, KEPT)

    async def put(self, proposal: Proposal, *, team: str, channel: str, thread: str, user: str) -> None:
        place = {"team": team, "channel": channel, "thread": thread, "user": user}
        await self._put("one", proposal.key, lambda: pack_proposal(proposal), place)

    async def get(self, key: str) -> Proposal | None:
        return await self._database.run(lambda db: unpack_proposal(_body(db.conn, "one", key)))

    async def put_bulk(self, bulk: Bulk) -> None:
        await self._put("bulk", bulk.key, lambda: pack_bulk(bulk), {"user": bulk.by})

    async def get_bulk(self, key: str) -> Bulk | None:
        return await self._database.run(lambda db: unpack_bulk(_body(db.conn, "bulk", key)))

    async def _put(self, kind: Kind, key: str, pack: Callable[[], str], place: dict[str, str]) -> None:
        row = {"kind": kind, "key": key, **place, "at": stamp(self._now())}
        before = self._sweep.due()
        await self._database.run(lambda db: _put(db.conn, {**row, "body": pack()}, before))


def _put(connection: sqlite3.Connection, row: dict[str, str], before: str | None) -> None:
    with connection:
        if before:
            connection.execute("delete from proposals where at < ?", [before])
        put(connection, "proposals", row, key=("kind", "key"))


def _body(connection: sqlite3.Connection, kind: Kind, key: str) -> str | None:
    found = rows(connection, "select body from proposals where kind = ? and key = ?", [kind, key])
    return str(found[0]["body"]) if found else None
