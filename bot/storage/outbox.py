"""Table `parcels`: messages that nobody waits for, from when they are due until nobody asks whether they were sent."""

from __future__ import annotations

import os
import secrets
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from bot.domain.digests import Parcel, Sending
from bot.storage.database import Database, rows
from bot.storage.packing import stamp
from bot.storage.sweeping import Sweep

#: How long it can be told whether something was sent.
KEPT = timedelta(days=90)

_OPEN = (Sending.WAITING, Sending.POSTING)
_KNOWN = frozenset(each.value for each in Sending)
#: `free_at` of what anybody may take at once. It is null for what has ended and for a part that waits for its parent.
_AT_ONCE = ""


class StoredOutbox:
    """The port `Outbox`. The disk alone is the truth, for every process that shares it; `owner` names this one.

    Messages to one place (a channel, or one thread in it) keep their order: none is due while an older one is somebody
    else's, or waits until later.
    """

    def __init__(self, database: Database, now: Callable[[], datetime], owner: str = "") -> None:
        self._database = database
        self._now = now
        self._owner = owner or this_process()
        self._sweep = Sweep(now, KEPT)

    async def put(self, parcels: Sequence[Parcel]) -> bool:
        """Keep them all, once: False, and none is kept, if the first one's key is there."""
        return await self._database.commit(lambda db: keep_parcels(db.conn, parcels))

    async def due(self, *, lease_s: float, most: int) -> tuple[Parcel, ...]:
        """Parcels to be posted now, oldest first, ours from now on. One in doubt says so: it is `POSTING`."""
        values = {"now": stamp(self._now()), "holder": self._owner, "until": self._later(lease_s), "most": max(most, 0)}
        return await self._database.commit(lambda db: _take(db.conn, values))

    async def posting(self, key: str, *, at: datetime, repeat: bool = False) -> bool:
        """Record that it is about to be posted, perhaps a second time. Once a possible repeat, it stays one."""
        values = {"key": key, "holder": self._owner, "at": stamp(at), "repeat": int(repeat), "now": self._later(0)}
        return await self._database.commit(lambda db: _change(db.conn, _POSTING, values))

    async def ended(self, key: str, state: Sending, *, at: datetime, ts: str = "", reason: str = "") -> None:
        """Record the end, also for one that another process took over meanwhile. What is posted stays so.

        Its parts follow: they are due now, or they end as it did.
        """
        if state in _OPEN:
            raise ValueError(f"{key} has not ended")
        values = {"key": key, "state": state.value, "at": stamp(at), "ts": ts, "reason": reason}
        before = self._sweep.due()
        await self._database.commit(lambda db: _end(db.conn, values, before))

    async def renew(self, keys: Sequence[str], *, lease_s: float) -> None:
        """Extend our leases. What another process took over meanwhile stays with that one."""
        until = self._later(lease_s)
        values = [{"key": key, "holder": self._owner, "until": until} for key in keys]
        await self._database.commit(lambda db: _renew(db.conn, values))

    async def later(self, key: str, *, wait_s: float, reason: str) -> None:
        """Not now: it waits again, for so long at least, and what is to follow it in its place waits with it."""
        values = {"key": key, "holder": self._owner, "until": self._later(max(wait_s, 0)), "reason": reason}
        await self._database.commit(lambda db: _change(db.conn, _LATER, values))

    async def about(self, for_whom: str, *, most: int = 20) -> tuple[Parcel, ...]:
        sql = "select * from parcels where for_whom = ? order by made_at desc, rowid desc limit ?"
        found = await self._database.run(lambda db: rows(db.conn, sql, [for_whom, max(most, 0)]))
        return tuple(map(_parcel, found))

    def _later(self, seconds: float) -> str:
        return stamp(self._now() + timedelta(seconds=seconds))


def this_process() -> str:
    """A name for this process, which no other one has."""
    return f"{os.getpid()}-{secrets.token_hex(4)}"


def keep_parcels(connection: sqlite3.Connection, parcels: Sequence[Parcel]) -> bool:
    """Keep these in somebody's transaction. False, and none is kept, if the first one's key is there."""
    for number, parcel in enumerate(parcels):
        row = _row(parcel)
        sql = f"insert into parcels ({', '.join(row)}) values ({', '.join(f':{name}' for name in row)})"  # noqa: S608 - names of ours
        kept = connection.execute(f"{sql} on conflict (key) do nothing", row).rowcount
        if number == 0 and not kept:
            return False
    for under in dict.fromkeys(parcel.under for parcel in parcels if parcel.under):
        _settle_parts(connection, under)
    return True


_DUE = """
select * from parcels as it where free_at <= :now and not exists (
    select 1 from parcels as older
    where older.team = it.team and older.channel = it.channel and older.under = it.under and older.thread = it.thread
    and (older.made_at, older.rowid) < (it.made_at, it.rowid) and older.free_at > :now
) order by made_at, rowid limit :most
"""


def _take(connection: sqlite3.Connection, values: Mapping[str, object]) -> tuple[Parcel, ...]:
    found = rows(connection, _DUE, values)
    connection.executemany(
        "update parcels set holder = :holder, free_at = :until where key = :key",
        [{**values, "key": row["key"]} for row in found],
    )
    return tuple(map(_parcel, found))


_OURS = "where key = :key and holder = :holder and free_at is not null"
_POSTING = (
    "update parcels set repeat = max(repeat, :repeat), state = 'posting', tries = tries + 1, "  # noqa: S608 - a condition of ours
    f"tried_at = :at {_OURS} and free_at > :now"  # else what comes before it may be somebody else's by now
)
_LATER = f"update parcels set state = 'waiting', holder = '', free_at = :until, reason = :reason {_OURS}"  # noqa: S608 - a condition of ours
_RENEW = f"update parcels set free_at = :until {_OURS}"  # noqa: S608 - a condition of ours


def _change(connection: sqlite3.Connection, sql: str, values: Mapping[str, object]) -> bool:
    return connection.execute(sql, values).rowcount > 0


def _renew(connection: sqlite3.Connection, values: Sequence[Mapping[str, object]]) -> None:
    connection.executemany(_RENEW, values)


def _end(connection: sqlite3.Connection, values: Mapping[str, object], before: str | None) -> None:
    if before:
        connection.execute("delete from parcels where ended_at < ?", [before])
    ended = connection.execute(
        "update parcels set state = :state, posted_at = iif(:state = 'posted', :at, null), ts = :ts, "
        "reason = :reason, holder = '', free_at = null, ended_at = :at "
        "where key = :key and (ended_at is null or (:state = 'posted' and state != 'posted'))",
        values,
    )
    if ended.rowcount:
        _settle_parts(connection, str(values["key"]))


_WAIT_FOR_IT = "under = :key and under != '' and free_at is null and ended_at is null"


def _settle_parts(connection: sqlite3.Connection, key: str) -> None:
    """Let the parts of a parcel into its thread if it is posted; end them, and theirs, as it did if it won't be."""
    found = rows(connection, "select state, thread, ts, reason, ended_at from parcels where key = ?", [key])
    if not found:
        found = [{"state": "refused", "reason": "what it belongs to is not there", "ended_at": None}]
    parent = {**found[0], "key": key}
    if parent["state"] == Sending.POSTED:
        into = {**parent, "into": parent["thread"] or parent["ts"], "free": _AT_ONCE}  # Slack's threads have one level
        connection.execute(f"update parcels set thread = :into, free_at = :free where {_WAIT_FOR_IT}", into)  # noqa: S608 - a condition of ours
    elif parent["state"] not in _OPEN:
        parts = rows(connection, f"select key from parcels where {_WAIT_FOR_IT}", parent)  # noqa: S608 - a condition of ours
        connection.execute(
            "update parcels set state = :state, reason = :reason, ended_at = coalesce(:ended_at, made_at) "  # noqa: S608 - a condition of ours
            f"where {_WAIT_FOR_IT}",
            parent,
        )
        for part in parts:
            _settle_parts(connection, part["key"])


def _row(parcel: Parcel) -> dict[str, object]:
    is_open = parcel.state in _OPEN
    return {
        "key": parcel.key,
        "team": parcel.team,
        "channel": parcel.channel,
        "body": parcel.body,
        "made_at": stamp(parcel.made_at),
        "for_whom": parcel.for_whom,
        "owner": parcel.owner,
        "slot": parcel.slot,
        "under": parcel.under,
        "thread": parcel.thread,
        "state": parcel.state.value,
        "tries": parcel.tries,
        "tried_at": stamp(parcel.tried_at) if parcel.tried_at else None,
        "posted_at": stamp(parcel.posted_at) if parcel.posted_at else None,
        "ts": parcel.ts,
        "reason": parcel.reason,
        "repeat": int(parcel.repeat),
        "holder": "",
        "free_at": _AT_ONCE if is_open and not parcel.under else None,
        "ended_at": None if is_open else stamp(parcel.posted_at or parcel.made_at),
    }


def _parcel(row: Mapping[str, Any]) -> Parcel:
    return Parcel(
        key=row["key"],
        team=row["team"],
        channel=row["channel"],
        body=row["body"],
        made_at=datetime.fromisoformat(row["made_at"]),
        for_whom=row["for_whom"],
        owner=row["owner"],
        slot=row["slot"],
        under=row["under"],
        thread=row["thread"],
        state=Sending(row["state"]) if row["state"] in _KNOWN else Sending.POSTING,  # of another version: in doubt
        tries=row["tries"],
        tried_at=datetime.fromisoformat(row["tried_at"]) if row["tried_at"] else None,
        posted_at=datetime.fromisoformat(row["posted_at"]) if row["posted_at"] else None,
        ts=row["ts"],
        reason=row["reason"],
        repeat=bool(row["repeat"]),
    )
