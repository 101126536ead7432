"""Records as the JSON objects of Testmo's API 2.4; field names and order follow the vendor's pages and client."""

from __future__ import annotations

from datetime import UTC, datetime

from bot.sandbox.testmo.records import (
    AutomationRun,
    Case,
    Issue,
    Json,
    ManualRun,
    Milestone,
    Named,
    Project,
    Result,
    State,
    Thread,
    User,
)
from bot.sandbox.testmo.statuses import Status, counters


def stamp(at: datetime | None) -> str | None:
    """ISO 8601 with milliseconds and Z, as in `2025-02-07T09:39:21.211Z`."""
    if at is None:
        return None
    utc = at.astimezone(UTC)
    return f"{utc:%Y-%m-%dT%H:%M:%S}.{utc.microsecond // 1000:03d}Z"


def thread(record: Thread) -> Json:
    """A thread as a part of a single automation run."""
    return {
        "id": record.id,
        "index": record.index,
        "name": f"Thread {record.index}",
        "status": record.status,
        "elapsed": record.elapsed,
        "is_completed": record.completed_at is not None,
        "artifacts": list(record.artifacts),
        "fields": [read_field(field) for field in record.fields],
        **counters(test.status_id for test in record.tests),
        "created_at": stamp(record.created_at),
        "created_by": record.created_by,
        "completed_at": stamp(record.completed_at),
        "completed_by": record.completed_by,
    }


def read_field(field: Json) -> Json:
    """A field as it is read: what is highlighted can be written but is not given back.

    An empty `meta` is an empty list, as PHP writes it (inferred from `expands`).
    """
    return {"type": field["type"], "name": field["name"], "value": field["value"], "meta": field["meta"] or []}


def automation_run(record: AutomationRun, *, with_threads: bool = False) -> Json:
    """An automation run; `threads` come with a single run only."""
    done = sum(thread.completed_at is not None for thread in record.threads)
    return {
        "id": record.id,
        "project_id": record.project_id,
        "source_id": record.source_id,
        "name": record.name,
        "status": record.status,
        "config_id": record.config_id,
        "milestone_id": record.milestone_id,
        "elapsed": record.elapsed,
        "is_completed": record.completed_at is not None,
        "artifacts": list(record.artifacts),
        "fields": [read_field(field) for field in record.fields],
        "links": list(record.links),
        "tags": list(record.tags),
        **({"threads": [thread(part) for part in record.threads]} if with_threads else {}),
        **counters(test.status_id for test in record.tests()),
        "thread_count": len(record.threads),
        "thread_active_count": len(record.threads) - done,
        "thread_completed_count": done,
        "created_at": stamp(record.created_at),
        "created_by": record.created_by,
        "updated_at": stamp(record.updated_at),
        "updated_by": record.updated_by,
        "completed_at": stamp(record.completed_at),
        "completed_by": record.completed_by,
    }


def manual_run(record: ManualRun) -> Json:
    """A manual run. `forecast` is the expected time of all tests, `forecast_completed` of those with a final status."""
    counts = counters(record.status_ids())
    share = counts["completed_count"] / counts["total_count"] if counts["total_count"] else 0
    known = [result.elapsed for result in record.results if result.elapsed is not None]
    return {
        "id": record.id,
        "project_id": record.project_id,
        "name": record.name,
        "config_id": record.config_id,
        "milestone_id": record.milestone_id,
        "state_id": record.state_id,
        "forecast": record.forecast,
        "forecast_completed": None if record.forecast is None else round(record.forecast * share),
        "elapsed": sum(known) if known else None,
        "is_started": bool(record.results),
        "is_closed": record.closed_at is not None,
        "issues": list(record.issues),
        "links": list(record.links),
        "tags": list(record.tags),
        **counts,
        "started_at": stamp(record.results[0].created_at) if record.results else None,
        "created_at": stamp(record.created_at),
        "created_by": record.created_by,
        "updated_at": stamp(record.updated_at),
        "updated_by": record.updated_by,
        "closed_at": stamp(record.closed_at),
        "closed_by": record.closed_by,
    }


def result(record: Result, run: ManualRun, *, is_latest: bool) -> Json:
    """One result of a manual run."""
    return {
        "id": record.id,
        "project_id": run.project_id,
        "run_id": run.id,
        "test_id": record.test_id,
        "case_id": record.case_id,
        "status_id": record.status_id,
        "note": record.note,
        "elapsed": record.elapsed,
        "assignee_id": record.assignee_id,
        "is_latest": is_latest,
        "issues": list(record.issues),
        "created_at": stamp(record.created_at),
        "created_by": record.created_by,
        "updated_at": stamp(record.updated_at),
        "updated_by": record.updated_by,
        "deleted_at": stamp(record.deleted_at),
        "deleted_by": record.deleted_by,
    }


def milestone(record: Milestone, root_id: int) -> Json:
    """A milestone; one without parent is its own root."""
    return {
        "id": record.id,
        "project_id": record.project_id,
        "root_id": root_id,
        "parent_id": record.parent_id,
        "type_id": record.type_id,
        "name": record.name,
        "note": record.note,
        "is_started": record.started_at is not None,
        "is_completed": record.completed_at is not None,
        "start_date": record.start_date,
        "due_date": record.due_date,
        "automation_tags": list(record.automation_tags),
        "issues": list(record.issues),
        "links": [],
        "started_at": stamp(record.started_at),
        "created_at": stamp(record.created_at),
        "created_by": record.created_by,
        "updated_at": None,
        "updated_by": None,
        "completed_at": stamp(record.completed_at),
    }


def case(record: Case) -> Json:
    """A case of the repository."""
    return {
        "id": record.id,
        "estimate": None,
        "folder_id": record.folder_id,
        "forecast": None,
        "has_automation": record.has_automation,
        "has_automation_status": False,
        "key": record.id,
        "name": record.name,
        "project_id": record.project_id,
        "repo_id": record.project_id,
        "state_id": 4,
        "status_id": None,
        "status_at": None,
        "template_id": 1,
        "created_at": stamp(record.created_at),
        "created_by": record.created_by,
        "updated_at": None,
        "updated_by": None,
        "automation_links": [],
        "tags": list(record.tags),
        "history": [],
        "comments": [],
    }


def user(record: User) -> Json:
    """A user as administrators see it. A forgotten one has no name and no email any more."""
    return {
        "id": record.id,
        "name": record.name,
        "email": record.email,
        "type": 1,
        "timezone": record.timezone,
        "date_format": "Y-m-d",
        "time_format": "H:i",
        "notifications": 1,
        "tfa_enabled": False,
        "is_active": record.is_active,
        "is_forgotten": record.is_forgotten,
        "is_api": record.is_api,
        "role_id": 1 if record.is_admin else 2,
        "groups": [],
        "created_at": stamp(record.created_at),
        "created_by": 2,
        "updated_at": None,
        "updated_by": None,
    }


def current_user(record: User) -> Json:
    """The bare object of GET /user: no envelope, no email."""
    return {
        "id": record.id,
        "name": record.name,
        "timezone": record.timezone,
        "date_format": "Y-m-d",
        "time_format": "H:i",
    }


def project(record: Project, counts: Json) -> Json:
    """A project with the numbers of what it holds."""
    return {
        "id": record.id,
        "name": record.name,
        "is_completed": False,
        **counts,
        "created_at": stamp(record.created_at),
        "created_by": record.created_by,
        "updated_at": None,
        "updated_by": None,
        "completed_at": None,
    }


def named(record: Named | Milestone) -> Json:
    """Id and name, the expand of most things."""
    return {"id": record.id, "name": record.name}


def person(record: User) -> Json:
    """Id and name, the expand of a user and the row of a project's user list."""
    return {"id": record.id, "name": record.name}


def state(record: State) -> Json:
    """The expand of a workflow state."""
    return {"id": record.id, "name": record.name, "is_default": record.is_default}


def issue(record: Issue) -> Json:
    """The expand of an issue."""
    return {
        "id": record.id,
        "type": record.type,
        "display_id": record.display_id,
        "external_project_id": record.external_project_id,
        "external_project_key": record.external_project_key,
    }


def status(record: Status) -> Json:
    """The expand of a status."""
    return {
        "id": record.id,
        "name": record.name,
        "system_name": record.system_name,
        "color": record.color,
        "is_final": record.is_final,
        "is_untested": record.is_untested,
        "is_passed": record.is_passed,
        "is_failed": record.is_failed,
        "aliases": list(record.aliases),
    }
