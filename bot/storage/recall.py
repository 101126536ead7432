"""Tables `recall_lists`, `recall_runs`, `run_threads`: what a person saw last, and which run a thread is about."""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Callable, Sequence
from datetime import datetime

from bot.domain.model import RunRef
from bot.storage.database import Database, DatabaseError
from bot.usecases.ports import Place

log = logging.getLogger(__name__)

#: Rows of a list that `#n` can name.
MOST_ROWS = 200
#: Entries held in memory; the rest are on the disk.
MOST_KNOWN = 10_000


class StoredRecall:
    """The port `Recall`, kept in memory and on the disk, so that `#3` still means the third after a restart."""

    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now
        self._known: OrderedDict[tuple[str, ...], str] = OrderedDict()

    async def remember_list(self, place: Place, user: str, refs: Sequence[RunRef]) -> None:
        await self._write("recall_lists", "refs", _by(place, user), " ".join(_pack(ref) for ref in refs[:MOST_ROWS]))

    async def listed(self, place: Place, user: str) -> tuple[RunRef, ...]:
        packed = await self._read("recall_lists", "refs", _by(place, user))
        return tuple(_unpack(each) for each in packed.split())

    async def remember_run(self, place: Place, user: str, ref: RunRef) -> None:
        await self._write("recall_runs", "ref", _by(place, user), _pack(ref))

    async def last_run(self, place: Place, user: str) -> RunRef | None:
        packed = await self._read("recall_runs", "ref", _by(place, user))
        return _unpack(packed) if packed else None

    async def bind_thread(self, place: Place, ref: RunRef) -> None:
        await self._write("run_threads", "ref", _in(place), _pack(ref))

    async def thread_run(self, place: Place) -> RunRef | None:
        if not place.thread:
            return None
        packed = await self._read("run_threads", "ref", _in(place))
        return _unpack(packed) if packed else None

    async def _write(self, table: str, column: str, key: dict[str, str], value: str) -> None:
        if self._known.get((table, *key.values())) == value:
            return
        row = {**key, column: value, "at": self._now().isoformat()}
        self._remember((table, *key.values()), value)
        try:
            await self._database.run(lambda db: db.table(table).upsert(row, pk=tuple(key)))
        except DatabaseError as error:  # an answer is worth more than its being remembered over a restart
            log.warning("not remembered on the disk: %s", error)

    async def _read(self, table: str, column: str, key: dict[str, str]) -> str:
        known = (table, *key.values())
        if known not in self._known:
            where = " and ".join(f"[{name}] = ?" for name in key)
            rows = await self._database.run(lambda db: list(db[table].rows_where(where, list(key.values()))))
            self._remember(known, str(rows[0][column]) if rows else "")
        return self._known[known]

    def _remember(self, key: tuple[str, ...], value: str) -> None:
        self._known[key] = value
        self._known.move_to_end(key)
        while len(self._known) > MOST_KNOWN:
            self._known.popitem(last=False)


def _by(place: Place, user: str) -> dict[str, str]:
    return {"team": place.team, "channel": place.channel, "user": user}


def _in(place: Place) -> dict[str, str]:
    return {"team": place.team, "channel": place.channel, "thread": place.thread}


def _pack(ref: RunRef) -> str:
    return str(ref)


def _unpack(packed: str) -> RunRef:
    connection, _, short = packed.rpartition(":")
    number, _, thread = short[1:].partition("/")
    return RunRef(connection, short[0], int(number), int(thread) if thread else None)
