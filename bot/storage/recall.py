"""Tables `recall_lists`, `recall_runs`, `run_threads`: what a person saw last, and which run a thread is about."""

from __future__ import annotations

import logging
import sqlite3
from collections import OrderedDict
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from bot.domain.model import RunRef
from bot.storage.database import Database, DatabaseError
from bot.storage.packing import pack_ref, stamp, unpack_ref
from bot.storage.sweeping import Sweep
from bot.usecases.ports import Place

log = logging.getLogger(__name__)

#: Rows of a list that `#n` can name: as many as `--limit` allows.
MOST_ROWS = 1_000
#: Entries held in memory as well, for the time when the disk can't be used.
MOST_KNOWN = 2_000
#: How long rows stay, and how old one gets before saying the same again makes it young.
KEPT, FRESH = timedelta(days=90), timedelta(days=1)

TABLES = ("recall_lists", "recall_runs", "run_threads")


class StoredRecall:
    """The port `Recall`. The disk is the truth, so that `#3` means the third after a restart and in every process.

    While the disk can't be used, what this process remembered itself is told from memory.
    """

    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now
        self._sweep = Sweep(now, KEPT)
        self._known: OrderedDict[tuple[str, ...], str] = OrderedDict()
        self._unwritten: set[tuple[str, ...]] = set()

    async def remember_list(self, place: Place, user: str, refs: Sequence[RunRef]) -> None:
        await self._write("recall_lists", "refs", _by(place, user), " ".join(pack_ref(ref) for ref in refs[:MOST_ROWS]))

    async def listed(self, place: Place, user: str) -> tuple[RunRef, ...]:
        packed = await self._read("recall_lists", "refs", _by(place, user))
        return tuple(unpack_ref(each) for each in packed.split())

    async def remember_run(self, place: Place, user: str, ref: RunRef) -> None:
        await self._write("recall_runs", "ref", _by(place, user), pack_ref(ref))

    async def last_run(self, place: Place, user: str) -> RunRef | None:
        packed = await self._read("recall_runs", "ref", _by(place, user))
        return unpack_ref(packed) if packed else None

    async def bind_thread(self, place: Place, ref: RunRef) -> None:
        await self._write("run_threads", "ref", _in(place), pack_ref(ref))

    async def thread_run(self, place: Place) -> RunRef | None:
        if not place.thread:
            return None
        packed = await self._read("run_threads", "ref", _in(place))
        return unpack_ref(packed) if packed else None

    async def _write(self, table: str, column: str, key: dict[str, str], value: str) -> None:
        known = (table, *key.values())
        self._remember(known, value)
        row = {**key, column: value, "at": stamp(self._now())}
        stale, before = stamp(self._now() - FRESH), self._sweep.due()
        try:
            if before:
                await self._database.run(lambda db: _sweep(db.conn, before))
            await self._database.run(lambda db: _put(db.conn, table, column, row, stale))
            self._unwritten.discard(known)
        except DatabaseError as error:  # an answer is worth more than its being remembered over a restart
            self._unwritten.add(known)
            log.warning("not remembered on the disk: %s", error)

    async def _read(self, table: str, column: str, key: dict[str, str]) -> str:
        known = (table, *key.values())
        if known in self._unwritten:
            return self._known[known]
        where = " and ".join(f"[{name}] = ?" for name in key)
        try:
            rows = await self._database.run(lambda db: list(db[table].rows_where(where, list(key.values()))))
        except DatabaseError as error:
            log.warning("not recalled from the disk: %s", error)
            return self._known.get(known, "")
        return str(rows[0][column]) if rows else ""

    def _remember(self, key: tuple[str, ...], value: str) -> None:
        self._known[key] = value
        self._known.move_to_end(key)
        while len(self._known) > MOST_KNOWN:
            self._unwritten.discard(self._known.popitem(last=False)[0])


def _sweep(connection: sqlite3.Connection, before: str) -> None:
    with connection:
        for table in TABLES:
            connection.execute(f"delete from [{table}] where at < ?", [before])  # noqa: S608 - names of ours


def _put(connection: sqlite3.Connection, table: str, column: str, row: dict[str, str], stale: str) -> None:
    """Write a row, if it says something new or is older than `stale`: the same again costs no wait for the disk."""
    names = ", ".join(f"[{name}]" for name in row)
    keys = ", ".join(f"[{name}]" for name in row if name not in (column, "at"))
    with connection:
        connection.execute(
            f"insert into [{table}] ({names}) values ({', '.join('?' * len(row))}) on conflict ({keys}) do update "  # noqa: S608 - names of ours
            f"set [{column}] = excluded.[{column}], at = excluded.at "
            f"where [{column}] is not excluded.[{column}] or at < ?",
            (*row.values(), stale),
        )


def _by(place: Place, user: str) -> dict[str, str]:
    return {"team": place.team, "channel": place.channel, "user": user}


def _in(place: Place) -> dict[str, str]:
    return {"team": place.team, "channel": place.channel, "thread": place.thread}
