"""Tables `plans` and `plan_slots`: the digests that people made, and which of their slots are somebody's."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from bot.domain.digests import DigestPlan, Parcel
from bot.storage.database import Database, rows
from bot.storage.outbox import keep_parcels, this_process
from bot.storage.packing import pack_plan, stamp, unpack_plan

log = logging.getLogger(__name__)

#: How long a slot is remembered, and how many of a plan's newest ones are whatever their age.
KEPT, NEWEST = timedelta(days=400), 100


class StoredPlans:
    """The port `Plans`. The disk alone is the truth, for every process that shares it; `owner` names this one.

    A plan that another version made, and this one does not wholly understand, is left out: it might tell the wrong
    things. Its name stays taken.
    """

    def __init__(self, database: Database, now: Callable[[], datetime], owner: str = "") -> None:
        self._database = database
        self._now = now
        self._owner = owner or this_process()

    async def all(self) -> tuple[DigestPlan, ...]:
        return await self._find("select id, body, since from plans")

    async def of(self, team: str, channel: str = "") -> tuple[DigestPlan, ...]:
        """Those of a channel, or of all channels, by name."""
        where = "team = ? and channel = ?" if channel else "team = ?"
        sql = f"select id, body, since from plans where {where} order by folded, channel"  # noqa: S608 - a condition of ours
        return await self._find(sql, team, *([channel] if channel else []))

    async def get(self, plan_id: str) -> DigestPlan | None:
        found = await self._find("select id, body, since from plans where id = ?", plan_id)
        return found[0] if found else None

    async def add(self, plan: DigestPlan) -> bool:
        """False if the channel has one of that name (whatever its case) already, or this very one is there."""
        return await self._database.commit(lambda db: _write(db.conn, _ADD, _row(plan)))

    async def change(self, plan: DigestPlan) -> bool:
        """Keep it in place of the one with its id; False if that is gone, or its name is another one's.

        `since` never goes back: a digest may have been made after the plan was read that is now changed.
        """
        return await self._database.commit(lambda db: _write(db.conn, _CHANGE, _row(plan)))

    async def remove(self, plan_id: str) -> bool:
        """Forget it with its slots: a digest of it that is being made is not kept. What is to be posted, is posted."""
        return await self._database.commit(lambda db: _remove(db.conn, plan_id))

    async def claim(self, plan_id: str, slot: str, *, lease_s: float) -> bool:
        """True for whoever may make the digest of this slot; False too if the plan is gone."""
        values = {**self._ours(plan_id, slot), "now": stamp(self._now()), "until": self._later(lease_s)}
        return await self._database.commit(lambda db: _write(db.conn, _CLAIM, values))

    async def renew(self, plan_id: str, slot: str, *, lease_s: float) -> None:
        """Extend our lease. One that another process took over meanwhile stays with that one."""
        values = {**self._ours(plan_id, slot), "until": self._later(lease_s)}
        await self._database.commit(lambda db: _write(db.conn, _RENEW, values))

    async def made(self, plan_id: str, slot: str, *, since: datetime, parcels: Sequence[Parcel]) -> bool:
        """In one step: the slot is done, the plan tells from `since` on next time, and these are to be posted.

        A parcel that is there already is not kept twice. Old slots of the plan are swept out.
        """
        now = self._now()
        values = {
            **self._ours(plan_id, slot),
            "at": stamp(now),
            "since": stamp(since),
            "before": f"{now - KEPT:%Y-%m-%d}",  # a slot's key begins with its day
            "newest": NEWEST - 1,
        }
        return await self._database.commit(lambda db: _made(db.conn, values, parcels))

    async def last_slot(self, plan_id: str) -> str:
        """The latest slot that is done, as its key; empty if there is none."""
        sql = "select slot from plan_slots where plan = ? and state = 'made' order by slot desc limit 1"
        found = await self._database.run(lambda db: rows(db.conn, sql, [plan_id]))
        return str(found[0]["slot"]) if found else ""

    async def _find(self, sql: str, *values: str) -> tuple[DigestPlan, ...]:
        return await self._database.run(lambda db: _plans(rows(db.conn, sql, values)))

    def _ours(self, plan_id: str, slot: str) -> dict[str, str]:
        return {"plan": plan_id, "slot": slot, "owner": self._owner}

    def _later(self, seconds: float) -> str:
        return stamp(self._now() + timedelta(seconds=seconds))


_ADD = (
    "insert into plans (id, team, channel, name, folded, owner, body, since) "
    "values (:id, :team, :channel, :name, :folded, :owner, :body, :since) on conflict do nothing"
)
_CHANGE = (
    "update or ignore plans set team = :team, channel = :channel, name = :name, folded = :folded, owner = :owner, "
    "body = :body, since = max(coalesce(since, :since), coalesce(:since, since)) where id = :id"
)
_CLAIM = (
    "insert into plan_slots (plan, slot, state, owner, lease_until) "
    "select id, :slot, 'claimed', :owner, :until from plans where id = :plan "
    "on conflict (plan, slot) do update set owner = excluded.owner, lease_until = excluded.lease_until "
    "where plan_slots.state = 'claimed' and plan_slots.lease_until < :now"
)
_OURS = "where plan = :plan and slot = :slot and owner = :owner and state = 'claimed'"
_RENEW = f"update plan_slots set lease_until = :until {_OURS}"  # noqa: S608 - a condition of ours
_MADE = f"update plan_slots set state = 'made', lease_until = null, made_at = :at {_OURS}"  # noqa: S608 - a condition of ours


def _write(connection: sqlite3.Connection, sql: str, values: Mapping[str, object]) -> bool:
    return connection.execute(sql, values).rowcount > 0


def _remove(connection: sqlite3.Connection, plan_id: str) -> bool:
    connection.execute("delete from plan_slots where plan = ?", [plan_id])
    return connection.execute("delete from plans where id = ?", [plan_id]).rowcount > 0


def _made(connection: sqlite3.Connection, values: Mapping[str, object], parcels: Sequence[Parcel]) -> bool:
    if not connection.execute(_MADE, values).rowcount:
        return False
    connection.execute("update plans set since = max(coalesce(since, :since), :since) where id = :plan", values)
    connection.execute(
        "delete from plan_slots where plan = :plan and slot < :before and slot < "
        "(select slot from plan_slots where plan = :plan order by slot desc limit 1 offset :newest)",
        values,
    )
    keep_parcels(connection, parcels)
    return True


def _row(plan: DigestPlan) -> dict[str, object]:
    return {
        "id": plan.id,
        "team": plan.team,
        "channel": plan.channel,
        "name": plan.name,
        "folded": plan.name.casefold(),
        "owner": plan.owner,
        "body": pack_plan(plan),
        "since": stamp(plan.since) if plan.since else None,
    }


def _plans(found: Sequence[Mapping[str, Any]]) -> tuple[DigestPlan, ...]:
    return tuple(plan for row in found if (plan := _plan(row)))


def _plan(row: Mapping[str, Any]) -> DigestPlan | None:
    plan = unpack_plan(row["body"])
    if plan is None:
        log.warning("digest %s was made by another version of Rundown and is left out", row["id"])
        return None
    return replace(plan, since=datetime.fromisoformat(row["since"])) if row["since"] else plan
