"""Table `cards`: messages in public that show a run, so that they can be edited to its new state."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from bot.domain.model import RunRef
from bot.storage.database import Database, put, rows
from bot.storage.packing import pack_ref, stamp, unpack_ref
from bot.storage.sweeping import Sweep
from bot.usecases.ports import Card

KEPT = timedelta(days=90)


class StoredCards:
    """The port `Cards`. A message shows one run: the one it was put for last."""

    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now
        self._sweep = Sweep(now, KEPT)

    async def put(self, card: Card) -> None:
        row = {
            "team": card.team,
            "channel": card.channel,
            "ts": card.ts,
            "thread": card.thread,
            "run": _run(card.ref),
            "run_thread": card.ref.thread,
            "command": card.command,
            "at": stamp(self._now()),
        }
        before = self._sweep.due()
        await self._database.run(lambda db: _put(db.conn, row, before))

    async def of(self, ref: RunRef, *, most: int = 50) -> tuple[Card, ...]:
        sql = "select * from cards where run = ? order by at desc, rowid desc limit ?"
        found = await self._database.run(lambda db: rows(db.conn, sql, [_run(ref), max(most, 0)]))
        return tuple(_card(row) for row in found)

    async def drop(self, card: Card) -> None:
        await self._database.run(lambda db: _drop(db.conn, card))


def _put(connection: sqlite3.Connection, row: Mapping[str, object], before: str | None) -> None:
    with connection:
        if before:
            connection.execute("delete from cards where at < ?", [before])
        put(connection, "cards", row, key=("team", "channel", "ts"))


def _drop(connection: sqlite3.Connection, card: Card) -> None:
    with connection:
        connection.execute(
            "delete from cards where team = ? and channel = ? and ts = ?", [card.team, card.channel, card.ts]
        )


def _run(ref: RunRef) -> str:
    return pack_ref(RunRef(ref.connection, ref.letter, ref.id))


def _card(row: dict[str, Any]) -> Card:
    run = unpack_ref(row["run"])
    return Card(
        team=row["team"],
        channel=row["channel"],
        ts=row["ts"],
        thread=row["thread"],
        ref=RunRef(run.connection, run.letter, run.id, row["run_thread"]),
        command=row["command"],
    )
