"""The sample Testmo answers GET in the documented shapes, and its filters filter."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.sandbox.testmo import Testmo
from tests.sandbox.testmo.testmo_caller import calling

Row = dict[str, Any]
COUNTS = [
    "untested_count",
    *(f"status{number}_count" for number in range(1, 25)),
    "success_count",
    "failure_count",
    "completed_count",
    "total_count",
]
RUN = [
    "id",
    "project_id",
    "name",
    "config_id",
    "milestone_id",
    "state_id",
    "forecast",
    "forecast_completed",
    "elapsed",
    "is_started",
    "is_closed",
    "issues",
    "links",
    "tags",
    *COUNTS,
    "started_at",
    "created_at",
    "created_by",
    "updated_at",
    "updated_by",
    "closed_at",
    "closed_by",
]
AUTOMATION_RUN = [
    "id",
    "project_id",
    "source_id",
    "name",
    "status",
    "config_id",
    "milestone_id",
    "elapsed",
    "is_completed",
    "artifacts",
    "fields",
    "links",
    "tags",
    *COUNTS,
    "thread_count",
    "thread_active_count",
    "thread_completed_count",
    "created_at",
    "created_by",
    "updated_at",
    "updated_by",
    "completed_at",
    "completed_by",
]
RESULT = [
    "id",
    "project_id",
    "run_id",
    "test_id",
    "case_id",
    "status_id",
    "note",
    "elapsed",
    "assignee_id",
    "is_latest",
    "issues",
    "created_at",
    "created_by",
    "updated_at",
    "updated_by",
    "deleted_at",
    "deleted_by",
]
THREAD = [
    "id",
    "index",
    "name",
    "status",
    "elapsed",
    "is_completed",
    "artifacts",
    "fields",
    *COUNTS,
    "created_at",
    "created_by",
    "completed_at",
    "completed_by",
]
ENVELOPE = ["page", "prev_page", "next_page", "last_page", "per_page", "total", "result", "expands"]


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/projects/1/runs", RUN),
        ("/projects/1/automation/runs", AUTOMATION_RUN),
        ("/runs/118/results", RESULT),
        (
            "/projects/1/milestones",
            [
                "id",
                "project_id",
                "root_id",
                "parent_id",
                "type_id",
                "name",
                "note",
                "is_started",
                "is_completed",
                "start_date",
                "due_date",
                "automation_tags",
                "issues",
                "links",
                "started_at",
                "created_at",
                "created_by",
                "updated_at",
                "updated_by",
                "completed_at",
            ],
        ),
        (
            "/projects/3/automation/sources",
            [
                "id",
                "project_id",
                "name",
                "status",
                "is_retired",
                "run_count",
                "test_count_average",
                "elapsed_average",
                "ran_at",
                "created_at",
                "created_by",
                "updated_at",
                "updated_by",
                "retired_at",
                "retired_by",
            ],
        ),
        (
            "/automation/runs/412/tests",
            [
                "automation_test_id",
                "automation_case_id",
                "repository_case_id",
                "repository_case_ids",
                "key",
                "name",
                "folder",
                "status",
                "elapsed",
                "thread_id",
                "created_at",
                "fields",
            ],
        ),
        (
            "/users",
            [
                "id",
                "name",
                "email",
                "type",
                "timezone",
                "date_format",
                "time_format",
                "notifications",
                "tfa_enabled",
                "is_active",
                "is_forgotten",
                "is_api",
                "role_id",
                "groups",
                "created_at",
                "created_by",
                "updated_at",
                "updated_by",
            ],
        ),
    ],
)
async def test_a_list_has_the_documented_envelope_and_fields(path: str, fields: list[str]) -> None:
    async with calling(Testmo()) as caller:
        heard = await caller.get(path)
    assert heard.status == 200
    assert heard.headers["Content-Type"].startswith("application/json")
    assert list(heard.body) == ENVELOPE
    assert heard.body["expands"] == []
    assert all(list(row) == fields for row in heard.rows)


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/runs/118", RUN),
        ("/automation/runs/412", [*AUTOMATION_RUN[:13], "threads", *AUTOMATION_RUN[13:]]),
    ],
)
async def test_a_single_object_comes_with_expands_only(path: str, fields: list[str]) -> None:
    async with calling(Testmo()) as caller:
        heard = await caller.get(path)
    assert list(heard.body) == ["result", "expands"]
    assert list(heard.body["result"]) == fields
    assert heard.body["expands"] == []


async def test_the_current_user_is_a_bare_object_and_project_users_have_no_expands() -> None:
    async with calling(Testmo()) as caller:
        me = await caller.get("/user")
        members = await caller.get("/projects/1/users")
    assert list(me.body) == ["id", "name", "timezone", "date_format", "time_format"]
    assert "expands" not in members.body
    assert all(list(row) == ["id", "name"] for row in members.rows)


async def test_a_single_automation_run_tells_its_threads() -> None:
    async with calling(Testmo()) as caller:
        threads = (await caller.get("/automation/runs/412")).body["result"]["threads"]
    assert [thread["index"] for thread in threads] == [1, 2, 3, 4]
    assert all(list(thread) == THREAD for thread in threads)


async def test_json_looks_like_that_of_php() -> None:
    server = Testmo()
    async with calling(server) as caller:
        url = f"{server.url}/api/v1/runs/118/results"
        async with caller.session.get(url, headers={"Authorization": f"Bearer {server.token}"}) as answer:
            raw = await answer.read()
    assert b"<\\/p>" in raw
    assert raw.isascii()


AGO = {f"{days}d": (datetime.now(UTC) - timedelta(days=days)).isoformat(timespec="milliseconds") for days in (1, 4, 25)}


@pytest.mark.parametrize(
    ("path", "params", "fits"),
    [
        ("/projects/1/automation/runs", {"status": "3"}, lambda row: row["status"] == 3),
        ("/projects/1/automation/runs", {"status": "2,4"}, lambda row: row["status"] in (2, 4)),
        ("/projects/1/automation/runs", {"config_id": "1"}, lambda row: row["config_id"] == 1),
        ("/projects/1/automation/runs", {"milestone_id": "3,4"}, lambda row: row["milestone_id"] in (3, 4)),
        ("/projects/1/automation/runs", {"source_id": "2"}, lambda row: row["source_id"] == 2),
        ("/projects/1/automation/runs", {"tags": "nightly,none"}, lambda row: "nightly" in row["tags"]),
        ("/projects/1/automation/runs", {"created_by": "7"}, lambda row: row["created_by"] == 7),
        ("/projects/1/automation/runs", {"created_after": AGO["4d"]}, lambda row: row["created_at"] > AGO["4d"][:19]),
        ("/projects/1/automation/runs", {"created_before": AGO["4d"]}, lambda row: row["created_at"] < AGO["4d"][:19]),
        ("/projects/1/runs", {"is_closed": "0"}, lambda row: not row["is_closed"]),
        ("/projects/1/runs", {"is_closed": "true"}, lambda row: row["is_closed"]),
        ("/projects/1/runs", {"closed_after": AGO["25d"]}, lambda row: (row["closed_at"] or "") > AGO["25d"][:19]),
        ("/projects/1/runs", {"closed_before": AGO["25d"]}, lambda row: (row["closed_at"] or "z") < AGO["25d"][:19]),
        ("/projects/1/runs", {"state_id": "2"}, lambda row: row["state_id"] == 2),
        ("/projects/1/runs", {"milestone_id": "3"}, lambda row: row["milestone_id"] == 3),
        ("/projects/1/runs", {"config_id": "2"}, lambda row: row["config_id"] == 2),
        ("/projects/1/runs", {"tags": "smoke"}, lambda row: "smoke" in row["tags"]),
        ("/projects/1/runs", {"created_by": "2,4"}, lambda row: row["created_by"] in (2, 4)),
        ("/runs/118/results", {"status_id": "3,7"}, lambda row: row["status_id"] in (3, 7)),
        ("/runs/118/results", {"assignee_id": "0"}, lambda row: row["assignee_id"] is None),
        ("/runs/118/results", {"assignee_id": "0,4"}, lambda row: row["assignee_id"] in (None, 4)),
        ("/runs/118/results", {"get_latest_result": "1"}, lambda row: row["is_latest"]),
        ("/runs/118/results", {"created_after": AGO["1d"]}, lambda row: row["created_at"] > AGO["1d"][:19]),
        ("/automation/runs/412/tests", {"status_id": "1"}, lambda row: row["status"] == 1),
        ("/automation/runs/412/tests", {"status_id": "3"}, lambda row: row["status"] == 3),
        ("/projects/1/milestones", {"is_completed": "1"}, lambda row: row["is_completed"]),
        ("/projects/1/milestones", {"root_id": "1"}, lambda row: row["root_id"] == 1),
        (
            "/projects/1/milestones",
            {"automation_tags": "release-82"},
            lambda row: "release-82" in row["automation_tags"],
        ),
        ("/projects/3/automation/sources", {"is_retired": "1"}, lambda row: row["is_retired"]),
        ("/projects/1/cases", {"folder_id": "2,3"}, lambda row: row["folder_id"] in (2, 3)),
        ("/projects/1/cases", {"has_automation": "0"}, lambda row: not row["has_automation"]),
    ],
)
async def test_a_filter_keeps_exactly_the_rows_that_fit(
    path: str, params: dict[str, str], fits: Callable[[Row], bool]
) -> None:
    async with calling(Testmo()) as caller:
        everything = await caller.all_pages(path)
        kept = await caller.all_pages(path, **params)
    assert kept == [row for row in everything if fits(row)]
    assert 0 < len(kept) < len(everything)


async def test_tests_of_an_automation_run_can_be_those_of_one_thread() -> None:
    async with calling(Testmo()) as caller:
        thread = (await caller.get("/automation/runs/412")).body["result"]["threads"][2]
        rows = (await caller.get("/automation/runs/412/tests", thread_id=thread["id"])).rows
    assert len(rows) == thread["total_count"]
    assert {row["thread_id"] for row in rows} == {thread["id"]}


@pytest.mark.parametrize(
    ("path", "params", "by"),
    [
        ("/projects/1/automation/runs", {}, ("created_at", True)),
        ("/projects/1/automation/runs", {"order": "asc", "sort": "automation_runs:created_at"}, ("created_at", False)),
        ("/projects/1/runs", {}, ("created_at", True)),
        ("/projects/1/runs", {"is_closed": "1", "sort": "runs:closed_at"}, ("closed_at", True)),
        ("/projects/1/runs", {"is_closed": "1", "sort": "runs:closed_at", "order": "asc"}, ("closed_at", False)),
        ("/runs/105/results", {}, ("created_at", True)),
        ("/automation/runs/412/tests", {}, ("automation_test_id", True)),
        ("/automation/runs/412/tests", {"sort": "automation_run_tests:elapsed"}, ("elapsed", True)),
        ("/automation/runs/412/tests", {"sort": "automation_run_tests:name", "order": "asc"}, ("name", False)),
        ("/projects/1/cases", {"sort": "repository_cases:name", "order": "asc"}, ("name", False)),
    ],
)
async def test_rows_are_sorted_newest_first_or_as_asked(
    path: str, params: dict[str, str], by: tuple[str, bool]
) -> None:
    async with calling(Testmo()) as caller:
        values = [row[by[0]] for row in (await caller.get(path, **params)).rows]
    assert len(values) > 2
    assert values == sorted(values, reverse=by[1])


@pytest.mark.parametrize(
    ("path", "params", "wrong"),
    [
        ("/projects/1/automation/runs", {"state": "3"}, "state"),
        ("/projects/1/automation/runs", {"completed_after": "2026-01-01T00:00:00.000Z"}, "completed_after"),
        ("/projects/1/automation/runs", {"limit": "10"}, "limit"),
        ("/projects/1/automation/runs", {"per_page": "10"}, "per_page"),
        ("/projects/1/automation/runs", {"per_page": "200"}, "per_page"),
        ("/projects/1/automation/runs", {"page": "0"}, "page"),
        ("/projects/1/automation/runs", {"page": "two"}, "page"),
        ("/projects/1/automation/runs", {"sort": "runs:created_at"}, "sort"),
        ("/projects/1/automation/runs", {"order": "newest"}, "order"),
        ("/projects/1/automation/runs", {"status": "failed"}, "status"),
        ("/projects/1/automation/runs", {"created_after": "2026-11-01"}, "created_after"),
        ("/projects/1/automation/runs", {"created_after": "2026-11-01T00:00:00"}, "created_after"),
        ("/projects/1/automation/runs", {"created_after": "2026-13-01T00:00:00.000Z"}, "created_after"),
        ("/projects/1/automation/runs", {"created_after": "1767225600"}, "created_after"),
        ("/projects/1/automation/runs", {"expands": "users,states"}, "expands"),
        ("/projects/1/runs", {"is_closed": "yes"}, "is_closed"),
        ("/projects/1/runs", {"is_closed": ""}, "is_closed"),
        ("/projects/1/runs", {"milestone_id": "1, 2"}, "milestone_id"),
        ("/runs/118/results", {"status_id": "failed"}, "status_id"),
        ("/runs/118", {"page": "1"}, "page"),
        ("/automation/runs/412", {"expands": "threads"}, "expands"),
        ("/automation/runs/412/tests", {"per_page": "50"}, "per_page"),
        ("/automation/runs/412/tests", {"per_page": "1001"}, "per_page"),
        ("/automation/runs/412/tests", {"expands": "users"}, "expands"),
        ("/users", {"name": "ana"}, "name"),
    ],
)
async def test_a_wrong_parameter_is_refused_by_name(path: str, params: dict[str, str], wrong: str) -> None:
    async with calling(Testmo()) as caller:
        heard = await caller.get(path, **params)
    assert heard.status == 422
    assert list(heard.body["errors"]) == [wrong]
    assert heard.body["message"] == heard.body["errors"][wrong][0]


async def test_a_lenient_server_ignores_unknown_parameters_and_takes_all_runs_for_failed_ones() -> None:
    async with calling(Testmo(strict=False)) as caller:
        everything = await caller.get("/projects/1/automation/runs")
        as_on_the_page = await caller.get("/projects/1/automation/runs", state="3")
    assert as_on_the_page.body == everything.body


@pytest.mark.parametrize(
    ("path", "name", "of"),
    [
        ("/projects/1/automation/runs", "users", {"created_by", "completed_by"}),
        ("/projects/1/automation/runs", "automation_sources", {"source_id"}),
        ("/projects/1/automation/runs", "configs", {"config_id"}),
        ("/projects/1/automation/runs", "milestones", {"milestone_id"}),
        ("/projects/1/runs", "states", {"state_id"}),
        ("/projects/1/runs", "milestones", {"milestone_id"}),
        ("/projects/1/runs", "issues", {"issues"}),
        ("/runs/118/results", "statuses", {"status_id"}),
        ("/runs/118/results", "issues", {"issues"}),
        ("/runs/118/results", "users", {"created_by", "updated_by", "assignee_id", "deleted_by"}),
        ("/projects/1/cases", "folders", {"folder_id"}),
    ],
)
async def test_expands_hold_what_the_rows_refer_to_once_each(path: str, name: str, of: set[str]) -> None:
    async with calling(Testmo()) as caller:
        heard = await caller.get(path, expands=name)
    expands = heard.body["expands"]
    values = [row[field] for row in heard.rows for field in of]
    flat = [each for value in values for each in (value if isinstance(value, list) else [value])]
    assert list(expands) == [name]
    assert [each["id"] for each in expands[name]] == sorted({each for each in flat if each is not None})


async def test_the_statuses_of_a_run_explain_its_counters() -> None:
    async with calling(Testmo()) as caller:
        body = (await caller.get("/runs/118", expands="statuses")).body
    run, statuses = body["result"], body["expands"]["statuses"]
    passed = [each["id"] for each in statuses if each["is_passed"]]
    assert sum(run[f"status{status_id - 1}_count"] for status_id in passed) == run["success_count"]
    assert next(each for each in statuses if each["id"] == 7)["name"] == "Known issue"


async def test_an_instance_without_run_tests_answers_404_there() -> None:
    async with calling(Testmo(run_tests=False)) as caller:
        assert (await caller.get("/automation/runs/412/tests")).status == 404
        assert (await caller.get("/automation/runs/412")).status == 200


async def test_error_texts_can_be_left_out_of_the_run_tests() -> None:
    async with calling(Testmo(test_fields=False)) as caller:
        assert "fields" not in (await caller.get("/automation/runs/412/tests")).rows[0]
