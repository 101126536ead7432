"""Tables `grants` and `access_requests`: the rules of who may change what, and who asked for one."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from bot.domain.access import AccessRequest, Grant
from bot.storage.database import Database, alone, put, rows
from bot.storage.packing import stamp

#: How long the same person need not ask for the same again.
ASKED_FOR = timedelta(days=1)

_SAME_RULE = ("team", "verb", "subject", "channel")


class StoredGrants:
    """The port `Grants`. Nothing is held in memory: a right that was taken away is gone at the next question."""

    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now

    async def all(self, team: str) -> tuple[Grant, ...]:
        """The rules of a workspace, oldest first."""
        sql = "select * from grants where team = ? order by at, verb, subject, channel"
        return tuple(_grant(row) for row in await self._database.run(lambda db: rows(db.conn, sql, [team])))

    async def put(self, team: str, grant: Grant) -> None:
        await self._database.run(lambda db: _put(db.conn, _grant_row(team, grant)))

    async def drop(self, team: str, grant: Grant) -> bool:
        """Take the rule away; False if it was not there, or says the contrary by now."""
        return await self._database.run(lambda db: _drop(db.conn, _grant_row(team, grant)))

    async def ask(self, request: AccessRequest) -> bool:
        since = stamp(self._now() - ASKED_FOR)
        return await self._database.run(lambda db: _ask(db.conn, _request_row(request), since))

    async def last_request(self, request: AccessRequest) -> AccessRequest | None:
        return await self._database.run(lambda db: _asked(db.conn, _request_row(request)))

    async def request(self, key: str) -> AccessRequest | None:
        return await self._database.run(lambda db: _find(db.conn, key))

    async def settle(self, key: str, settled: str, by: str) -> AccessRequest | None:
        return await self._database.run(lambda db: _settle(db.conn, key, settled, by))


def _put(connection: sqlite3.Connection, row: dict[str, object]) -> None:
    with connection:
        put(connection, "grants", row, key=_SAME_RULE)


def _drop(connection: sqlite3.Connection, row: dict[str, object]) -> bool:
    same = " and ".join(f"{name} = :{name}" for name in (*_SAME_RULE, "allow"))
    with connection:
        return connection.execute(f"delete from grants where {same}", row).rowcount > 0  # noqa: S608 - names of ours


def _ask(connection: sqlite3.Connection, row: dict[str, object], since: str) -> bool:
    with alone(connection):
        asked = rows(
            connection,
            "select key from access_requests where key = :key union all select key from access_requests "
            "where team = :team and user = :user and verb = :verb and channel = :channel and at > :since",
            {**row, "since": since},
        )
        if not asked:
            put(connection, "access_requests", row, key=("key",))
        return not asked


def _asked(connection: sqlite3.Connection, row: dict[str, object]) -> AccessRequest | None:
    sql = (
        "select key from access_requests where team = :team and user = :user and verb = :verb "
        "and channel = :channel order by at desc, rowid desc limit 1"
    )
    found = rows(connection, sql, row)
    return _find(connection, found[0]["key"]) if found else None


def _settle(connection: sqlite3.Connection, key: str, settled: str, by: str) -> AccessRequest | None:
    with connection:
        done = connection.execute(
            "update access_requests set settled = ?, settled_by = ? where key = ? and settled = ''", [settled, by, key]
        )
    return _find(connection, key) if done.rowcount else None


def _find(connection: sqlite3.Connection, key: str) -> AccessRequest | None:
    found = rows(connection, "select * from access_requests where key = ?", [key])
    return AccessRequest(**{**found[0], "at": datetime.fromisoformat(found[0]["at"])}) if found else None


def _request_row(request: AccessRequest) -> dict[str, object]:
    return {
        "key": request.key,
        "verb": request.verb,
        "user": request.user,
        "user_name": request.user_name,
        "team": request.team,
        "channel": request.channel,
        "at": stamp(request.at),
        "command": request.command,
        "settled": request.settled,
        "settled_by": request.settled_by,
    }


def _grant_row(team: str, grant: Grant) -> dict[str, object]:
    return {
        "team": team,
        "verb": grant.verb,
        "kind": grant.kind,
        "subject": grant.subject,
        "channel": grant.channel,
        "allow": int(grant.allow),
        "made_by": grant.by,
        "at": stamp(grant.at),
    }


def _grant(row: dict[str, Any]) -> Grant:
    return Grant(
        verb=row["verb"],
        kind=row["kind"],
        subject=row["subject"],
        channel=row["channel"],
        allow=bool(row["allow"]),
        by=row["made_by"],
        at=datetime.fromisoformat(row["at"]),
    )
