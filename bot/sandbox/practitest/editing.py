"""PUT sets/{id}.json and instances/{id}.json: the attributes that may change, checked before any does."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from bot.sandbox.practitest import bodies
from bot.sandbox.practitest.account import Account
from bot.sandbox.practitest.asking import RefusalError
from bot.sandbox.practitest.records import Instance, SetRecord


def edit_set(record: SetRecord, data: object, account: Account, now: datetime) -> None:
    """Change a set. Statuses and dates of runs cannot be set: there is no closing here, only marking by a field.

    Raises RefusalError (422).
    """
    given = _attributes(data, "sets")
    changes = _shared_changes(record, given, account)
    if "name" in given:
        changes["name"] = bodies.text(given["name"], "name")
        if not changes["name"]:
            raise RefusalError(422, "name can't be blank")
    if "description" in given:
        changes["description"] = bodies.text(given["description"], "description")
    if "milestone-id" in given:
        changes["milestone_id"] = _milestone(given["milestone-id"], account, record.project_id)
    _apply(record, changes, now)


def edit_instance(record: Instance, data: object, account: Account, now: datetime) -> None:
    """Change an instance; its name belongs to its test. Raises RefusalError (422)."""
    _apply(record, _shared_changes(record, _attributes(data, "instances"), account), now)


def _attributes(data: object, kind: str) -> dict[str, Any]:
    item = bodies.mapping(data, "data")
    if item.get("type", kind) != kind:
        raise RefusalError(422, f"data/type must be {kind}")
    return bodies.mapping(item.get("attributes"), "data/attributes")


def _shared_changes(record: SetRecord | Instance, given: dict[str, Any], account: Account) -> dict[str, Any]:
    changes: dict[str, Any] = {
        name: bodies.text(given[name], name) for name in ("version", "priority") if name in given
    }
    if "planned-execution" in given:
        changes["planned_execution"] = bodies.date_and_time(given["planned-execution"], "planned-execution")
    if "custom-fields" in given:
        fields = bodies.custom_fields(given["custom-fields"], account, record.project_id)
        changes["custom_fields"] = {**record.custom_fields, **fields}
    if "assigned-to-id" in given:
        changes |= _assignment(given, account)
    return changes


def _assignment(given: dict[str, Any], account: Account) -> dict[str, Any]:
    """A user unless the type says group."""
    wanted, kind = bodies.number(given["assigned-to-id"], "assigned-to-id"), given.get("assigned-to-type") or "user"
    if wanted is None:
        return {"assigned_to_id": None, "assigned_to_type": None}
    if kind not in {"user", "group"}:
        raise RefusalError(422, "assigned-to-type must be user or group")
    if wanted not in (account.groups if kind == "group" else account.users):
        raise RefusalError(422, f"assigned-to-id {wanted} is not a {kind} of this account")
    return {"assigned_to_id": wanted, "assigned_to_type": kind}


def _milestone(value: object, account: Account, project_id: int) -> int | None:
    wanted = bodies.number(value, "milestone-id")
    found = account.milestones.get(wanted) if wanted is not None else None
    if wanted is not None and (found is None or found.project_id != project_id):
        raise RefusalError(422, f"milestone-id {wanted} is not a milestone of this project")
    return wanted


def _apply(record: SetRecord | Instance, changes: dict[str, Any], now: datetime) -> None:
    for name, value in changes.items():
        setattr(record, name, value)
    record.updated_at = now
