"""Records → PractiTest's JSON: `id` is a string at the top, numbers stay numbers in `attributes`.

Times carry an offset, and not everywhere the same one: runs and fields are told in the account's zone, sets,
instances and tests in UTC, as in the vendor's samples.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from bot.sandbox.practitest.account import Account
from bot.sandbox.practitest.records import (
    CustomField,
    Group,
    Instance,
    LibraryTest,
    Milestone,
    Project,
    Run,
    SetRecord,
    StepRun,
    User,
)

Json = dict[str, Any]

#: The zone of the account in the vendor's samples.
ACCOUNT_ZONE = timezone(timedelta(hours=2))


def moment(at: datetime | None, zone: timezone = UTC) -> str | None:
    """`2017-03-07T11:10:42+02:00`, to the second; None stays None."""
    return None if at is None else at.astimezone(zone).isoformat(timespec="seconds")


def clock_time(seconds: int) -> str:
    """Seconds as `HH:MM:SS`."""
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def _entity(number: int, kind: str, attributes: Json) -> Json:
    return {"id": str(number), "type": kind, "attributes": attributes}


def project(_account: Account, record: Project) -> Json:
    return _entity(
        record.id,
        "projects",
        {
            "name": record.name,
            "created-at": record.created_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "automation-support": True,
            "enable-delete-issues": False,
            "time-management-support": True,
        },
    )


def user(_account: Account, record: User) -> Json:
    return _entity(
        record.id,
        "users",
        {
            "first-name": record.first_name,
            "last-name": record.last_name,
            "display-name": record.display_name,
            "email": record.email,
            "time-zone": "UTC",
            "created-at": moment(record.created_at, ACCOUNT_ZONE),
        },
    )


def group(_account: Account, record: Group) -> Json:
    return _entity(
        record.id,
        "groups",
        {
            "name": record.name,
            "created-at": moment(record.created_at, ACCOUNT_ZONE),
        },
    )


def custom_field(_account: Account, record: CustomField) -> Json:
    return _entity(
        record.id,
        "custom-fields",
        {
            "name": record.name,
            "field-format": record.format,
            "project-id": record.project_id,
            "possible-values": list(record.values),
            "parent-list-id": None,
            "possible-values-parent-cf-id": None,
            "created-at": moment(record.created_at, ACCOUNT_ZONE),
            "updated-at": moment(record.created_at, ACCOUNT_ZONE),
        },
    )


def milestone(_account: Account, record: Milestone) -> Json:
    return _entity(
        record.id,
        "milestones",
        {
            "project-id": record.project_id,
            "display-id": record.display_id,
            "name": record.name,
            "description": None,
            "milestone-status": record.status,
            "milestone-type": record.kind,
            "start-date": record.starts.isoformat(),
            "end-date": record.ends.isoformat(),
            "author-id": record.author_id,
            "custom-fields": {},
            "created-at": moment(record.created_at),
            "updated-at": moment(record.created_at),
        },
    )


def milestone_relationships(account: Account, record: Milestone) -> Json:
    """What `relationships=true` adds to a milestone: the sets that point to it."""
    linked = [{"id": str(each.id), "type": "sets"} for each in account.sets.values() if each.milestone_id == record.id]
    return {"requirements": {"data": []}, "issues": {"data": []}, "suites": {"data": linked}}


def test(_account: Account, record: LibraryTest) -> Json:
    return _entity(
        record.id,
        "tests",
        {
            "project-id": record.project_id,
            "display-id": record.display_id,
            "name": record.name,
            "description": None,
            "steps-count": 0,
            "status": "Ready",
            "run-status": record.run_status,
            "last-run": moment(record.last_run),
            "author-id": record.author_id,
            "assigned-to-id": None,
            "assigned-to-type": None,
            "cloned-from-id": None,
            "planned-execution": None,
            "version": None,
            "priority": None,
            "duration-estimate": clock_time(record.estimate_s),
            "test-type": record.kind,
            "custom-fields": {},
            "folder-id": None,
            "created-at": moment(record.created_at),
            "updated-at": moment(record.created_at),
        },
    )


def test_set(account: Account, record: SetRecord) -> Json:
    return _entity(
        record.id,
        "sets",
        {
            "project-id": record.project_id,
            "display-id": record.display_id,
            "name": record.name,
            "description": record.description,
            "instances-count": len(account.instances_of(record.id)),
            "run-status": record.run_status,
            "last-run": moment(record.last_run),
            "assigned-to-id": record.assigned_to_id,
            "assigned-to-type": record.assigned_to_type,
            "planned-execution": moment(record.planned_execution),
            "version": record.version,
            "priority": record.priority,
            "custom-fields": record.custom_fields,
            "folder-id": None,
            "milestone-id": record.milestone_id,
            "created-at": moment(record.created_at),
            "updated-at": moment(record.updated_at),
        },
    )


def set_durations(account: Account, record: SetRecord) -> Json:
    """What `duration=true` adds to a set's attributes: the tests' estimates, and the time of the last runs."""
    places = account.instances_of(record.id)
    return {
        "duration-estimate": clock_time(sum(account.tests[place.test_id].estimate_s for place in places)),
        "actual-duration": clock_time(sum(place.last_duration_s for place in places)),
    }


def instance(account: Account, record: Instance) -> Json:
    home = account.sets[record.set_id]
    return _entity(
        record.id,
        "instances",
        {
            "name": record.name,
            "project-id": record.project_id,
            "set-id": record.set_id,
            "set-display-id": home.display_id,
            "test-id": record.test_id,
            "test-display-id": account.tests[record.test_id].display_id,
            "custom-fields": record.custom_fields,
            "display-id": f"{home.display_id}:{record.position}",
            "tester-id": record.tester_id,
            "priority": record.priority,
            "last-run-duration": clock_time(record.last_duration_s),
            "last-run": moment(record.last_run),
            "run-status": record.run_status,
            "planned-execution": moment(record.planned_execution),
            "version": record.version,
            "assigned-to-id": record.assigned_to_id,
            "assigned-to-type": record.assigned_to_type,
            "created-at": moment(record.created_at),
            "updated-at": moment(record.updated_at),
        },
    )


def run(_account: Account, record: Run) -> Json:
    return _entity(
        record.id,
        "runs",
        {
            "project-id": record.project_id,
            "status": record.status,
            "tester-id": record.tester_id,
            "instance-id": record.instance_id,
            "preconditions": None,
            "version": record.version,
            "test-id": record.test_id,
            "run-type": record.run_type,
            "custom-fields": record.custom_fields,
            "automated-execution-output": record.output,
            "run-duration": clock_time(record.duration_s),
            "created-at": moment(record.created_at, ACCOUNT_ZONE),
            "updated-at": moment(record.updated_at, ACCOUNT_ZONE),
        },
    )


def step_run(_account: Account, record: StepRun) -> Json:
    return _entity(
        record.id,
        "step-runs",
        {
            "project-id": record.project_id,
            "run-id": record.run_id,
            "name": record.step.name,
            "description": record.step.description,
            "expected-results": record.step.expected,
            "actual-results": record.step.actual,
            "status": record.step.status,
            "position": record.position,
            "created-at": moment(record.created_at, ACCOUNT_ZONE),
            "updated-at": moment(record.created_at, ACCOUNT_ZONE),
        },
    )
