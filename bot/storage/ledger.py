"""Table `changes`: every attempted change, what it was decided on and what became of it. Rows are never swept."""

from __future__ import annotations

import os
import secrets
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from bot.domain.acts import Ended, Entry, Seen
from bot.domain.model import RunRef
from bot.storage.database import Database, DatabaseError, alone, rows
from bot.storage.packing import pack_change, pack_ref, pack_seen, stamp, unpack_change, unpack_ref, unpack_seen

#: How long whoever takes over an orphan vouches for it, and how long an end in doubt is left alone.
VOUCHED_S = 60.0
#: How long somebody is looked for who does not know the end of a change.
TELL_FOR = timedelta(days=1)

_OPEN = (Ended.BEGUN, Ended.DOUBT)
_IS_OPEN = "outcome in ('begun', 'in doubt')"


class StoredLedger:
    """The port `Ledger`. The disk alone is the truth, for every process that shares it.

    A row has a lease as long as something is to be done about it: until it is final and the person knows. `owner`
    names this process.
    """

    def __init__(self, database: Database, now: Callable[[], datetime], owner: str = "") -> None:
        self._database = database
        self._now = now
        self._owner = owner or f"{os.getpid()}-{secrets.token_hex(4)}"

    async def begin(self, entry: Entry, *, lease_s: float) -> Entry | None:
        lease = {"owner": self._owner, "lease_until": self._later(lease_s)}
        return await self._database.run(lambda db: _begin(db.conn, entry, lease))

    async def renew(self, key: str, *, lease_s: float) -> None:
        """Extend our lease. One that another process took over meanwhile stays with that one."""
        values = {"key": key, "owner": self._owner, "until": self._later(lease_s)}
        await self._database.run(lambda db: _renew(db.conn, values))

    async def end(
        self,
        key: str,
        outcome: Ended,
        *,
        at: datetime,
        after: Seen | None = None,
        why: str = "",
        ref: RunRef | None = None,
    ) -> None:
        """Record what became of it. A final end is not put in doubt again; another end than before is to be told."""
        values = {
            "key": key,
            "outcome": outcome.value,
            "at": stamp(at),
            "why": why,
            "run": _run(ref),
            "run_thread": ref.thread if ref else None,
            "later": self._later(VOUCHED_S),
        }
        await self._database.run(lambda db: _end(db.conn, outcome, after, values))

    async def tell(self, key: str) -> None:
        await self._database.run(lambda db: _tell(db.conn, key))

    async def note(self, entry: Entry) -> None:
        """Record an attempt that ended before it began. One that is recorded already stays as it is."""
        if entry.outcome in _OPEN:
            raise ValueError(f"{entry.key} has not ended")
        ended_at = stamp(entry.ended_at or self._now())
        await self._database.run(lambda db: _note(db.conn, entry, ended_at))

    async def entry(self, key: str) -> Entry | None:
        found = await self._database.run(lambda db: _find(db.conn, "select * from changes where key = ?", [key]))
        return found[0] if found else None

    async def last_done(self, ref: RunRef, verb: str) -> Entry | None:
        """The last change of that verb that was done to a run. For a thread, one of the whole run counts as well."""
        found = await self._database.run(
            lambda db: _find(
                db.conn,
                "select * from changes where run = ? and verb = ? and outcome = 'done' "
                "and (run_thread is null or run_thread = ?) order by ended_at desc, rowid desc limit 1",
                [_run(ref), verb, ref.thread],
            )
        )
        return found[0] if found else None

    async def orphans(self) -> tuple[Entry, ...]:
        """Entries that need somebody and whose lease ran out; the lease is ours then.

        Given up after a day: to tell a final end, and to look for one that the person knows to be in doubt.
        """
        values = {
            "now": stamp(self._now()),
            "owner": self._owner,
            "until": self._later(VOUCHED_S),
            "day_ago": stamp(self._now() - TELL_FOR),
        }
        return await self._database.run(lambda db: _take_over(db.conn, values))

    async def entries(
        self,
        *,
        last: int,
        verb: str = "",
        who: str = "",
        ref: RunRef | None = None,
        since: datetime | None = None,
        outcome: str = "",
        part_of: str = "",
    ) -> tuple[Entry, ...]:
        """The newest entries that fit, newest first. Those of a run are also those of its threads."""
        asked = {
            "verb = ?": verb,
            "who = ?": who,
            "run = ?": _run(ref),
            "run_thread = ?": ref.thread if ref else None,
            "at >= ?": stamp(since) if since else None,
            "outcome = ?": str(outcome),
            "part_of = ?": part_of,
        }
        fitting = {condition: value for condition, value in asked.items() if value not in ("", None)}
        where = f"where {' and '.join(fitting)}" if fitting else ""
        sql = f"select * from changes {where} order by at desc, rowid desc limit ?"  # noqa: S608 - conditions of ours
        return await self._database.run(lambda db: _find(db.conn, sql, [*fitting.values(), max(last, 0)]))

    def _later(self, seconds: float) -> str:
        return stamp(self._now() + timedelta(seconds=seconds))


def _begin(connection: sqlite3.Connection, entry: Entry, lease: dict[str, str]) -> Entry | None:
    row = {**_row(entry), **lease, "outcome": Ended.BEGUN.value, "ended_at": None, "told": 0}
    with alone(connection):
        in_the_way = _find(connection, "select * from changes where key = ?", [entry.key]) or _find(
            connection, "select * from changes where run = ? and outcome = 'begun'", [row["run"]]
        )
        if in_the_way:
            return in_the_way[0]
        _insert(connection, row)
        return None


def _note(connection: sqlite3.Connection, entry: Entry, ended_at: str) -> None:
    with connection:
        _insert(connection, {**_row(entry), "ended_at": ended_at, "told": 1}, "on conflict (key) do nothing")


def _insert(connection: sqlite3.Connection, row: dict[str, object], otherwise: str = "") -> None:
    connection.execute(
        f"insert into changes ({', '.join(row)}) values ({', '.join(f':{name}' for name in row)}) {otherwise}",  # noqa: S608 - names of ours
        row,
    )


def _renew(connection: sqlite3.Connection, values: dict[str, str]) -> None:
    with connection:
        connection.execute(
            "update changes set lease_until = :until where key = :key and owner = :owner and lease_until is not null",
            values,
        )


def _end(connection: sqlite3.Connection, outcome: Ended, after: Seen | None, values: Mapping[str, object]) -> None:
    with alone(connection):
        known = _known(connection, str(values["key"]))
        if outcome in _OPEN and known["outcome"] not in _OPEN:
            return
        told = known["told"] if known["outcome"] == outcome else 0
        connection.execute(
            "update changes set outcome = :outcome, ended_at = :at, after = :after, why = :why, told = :told, "
            "run = coalesce(:run, run), run_thread = iif(:run is null, run_thread, :run_thread), "
            "lease_until = iif(:open, :later, iif(:told, null, coalesce(lease_until, :later))) where key = :key",
            {**values, "after": pack_seen(after), "told": told, "open": outcome in _OPEN},
        )


def _tell(connection: sqlite3.Connection, key: str) -> None:
    with alone(connection):
        _known(connection, key)
        connection.execute(
            f"update changes set told = 1, lease_until = iif({_IS_OPEN}, lease_until, null) where key = ?",  # noqa: S608 - a condition of ours
            [key],
        )


def _take_over(connection: sqlite3.Connection, values: dict[str, str]) -> tuple[Entry, ...]:
    with alone(connection):
        connection.execute(
            "update changes set lease_until = null where lease_until < :now and "  # noqa: S608 - a condition of ours
            f"iif({_IS_OPEN}, outcome = 'in doubt' and told and at < :day_ago, ended_at < :day_ago)",
            values,
        )
        found = _find(connection, "select * from changes where lease_until < :now order by lease_until", values)
        connection.execute("update changes set owner = :owner, lease_until = :until where lease_until < :now", values)
        return found


def _find(
    connection: sqlite3.Connection, sql: str, values: Sequence[object] | Mapping[str, object]
) -> tuple[Entry, ...]:
    return tuple(_entry(row) for row in rows(connection, sql, values))


def _known(connection: sqlite3.Connection, key: str) -> dict[str, Any]:
    found = rows(connection, "select outcome, told from changes where key = ?", [key])
    if not found:
        raise DatabaseError(
            "Rundown can't find this change in its records.",
            why="It was never recorded as begun, or the database was exchanged.",
            fix="Look at the run's own page before you try again.",
        )
    return found[0]


def _run(ref: RunRef | None) -> str | None:
    """The run that is busy while it is changed, whatever thread of it."""
    return pack_ref(RunRef(ref.connection, ref.letter, ref.id)) if ref else None


def _row(entry: Entry) -> dict[str, object]:
    return {
        "key": entry.key,
        "verb": entry.verb,
        "connection": entry.connection,
        "run": _run(entry.ref),
        "run_thread": entry.ref.thread if entry.ref else None,
        "title": entry.title,
        "who": entry.who,
        "who_name": entry.who_name,
        "team": entry.team,
        "channel": entry.channel,
        "thread": entry.thread,
        "at": stamp(entry.at),
        "change": pack_change(entry.change),
        "seen": pack_seen(entry.seen),
        "outcome": entry.outcome.value,
        "ended_at": stamp(entry.ended_at) if entry.ended_at else None,
        "after": pack_seen(entry.after),
        "why": entry.why,
        "part_of": entry.part_of,
        "told": int(entry.told),
    }


def _entry(row: dict[str, Any]) -> Entry:
    """The entry of a row. What another version wrote is shown as far as this one knows it."""
    run = unpack_ref(row["run"]) if row["run"] else None
    known = {each.value for each in Ended}
    return Entry(
        key=row["key"],
        verb=row["verb"],
        connection=row["connection"],
        ref=RunRef(run.connection, run.letter, run.id, row["run_thread"]) if run else None,
        title=row["title"],
        who=row["who"],
        who_name=row["who_name"],
        team=row["team"],
        channel=row["channel"],
        thread=row["thread"],
        at=datetime.fromisoformat(row["at"]),
        change=unpack_change(row["change"]),
        seen=unpack_seen(row["seen"]),
        outcome=Ended(row["outcome"]) if row["outcome"] in known else Ended.DOUBT,  # we can't tell what it means
        ended_at=datetime.fromisoformat(row["ended_at"]) if row["ended_at"] else None,
        after=unpack_seen(row["after"]),
        why=row["why"],
        part_of=row["part_of"],
        told=bool(row["told"]),
    )
