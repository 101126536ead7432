"""What the sample TestRail lets be changed, and what it refuses: runs, results, plans."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from yarl import URL

from bot.sandbox.server import running
from bot.sandbox.testrail import TestRail

LOGIN = {"Authorization": aiohttp.encode_basic_auth("bot@acme.example", "testrail-demo-key")}
JSON = {"Content-Type": "application/json"}


@pytest.fixture
async def server() -> AsyncIterator[TestRail]:
    made = TestRail()
    async with running(made):
        yield made


async def ask(
    server: TestRail, endpoint: str, body: Any = None, *, method: str = "", **options: Any
) -> tuple[int, Any]:
    """Status and JSON of a call; POST when there is a body. The address goes out undecoded."""
    options = {"headers": {**JSON, **LOGIN}, **options}
    if body is not None:
        options["json"] = body
    address = URL(f"{server.web_url}/index.php?/api/v2/{endpoint}", encoded=True)
    async with (
        aiohttp.ClientSession() as session,
        session.request(method or ("GET" if body is None else "POST"), address, **options) as answer,
    ):
        return answer.status, await answer.json() if await answer.read() else None


COMPLETED = "This operation is not allowed. The test run is already completed."
PLAN_COMPLETED = "This operation is not allowed. The test plan is already completed."
NEW_RUN = {"suite_id": 4, "name": "New"}


async def test_a_run_is_added_with_the_whole_suite_or_some_cases(server: TestRail) -> None:
    _, whole = await ask(server, "add_run/1", {**NEW_RUN, "milestone_id": 7, "assignedto_id": 7, "refs": "A-1, B-2"})
    assert (whole["untested_count"], whole["include_all"]) == (80, True)
    assert (whole["assignedto_id"], whole["created_by"]) == (7, 1)
    assert (await ask(server, f"get_run/{whole['id']}"))[1] == whole
    _, some = await ask(server, "add_run/1", {**NEW_RUN, "include_all": False, "case_ids": [4002, 4001]})
    tests = (await ask(server, f"get_tests/{some['id']}"))[1]["tests"]
    assert [test["case_id"] for test in tests] == [4001, 4002]
    _, none = await ask(server, "add_run/2", {"name": "No suite needed", "include_all": False})
    assert (none["suite_id"], none["untested_count"]) == (2, 0)


@pytest.mark.parametrize(
    ("call", "body", "text"),
    [
        ("add_run/1", {"name": "n"}, "Field :suite_id is a required field."),
        ("add_run/1", {"suite_id": 4}, "Field :name is a required field."),
        ("add_run/1", {**NEW_RUN, "name": 5}, "Field :name is not a valid string."),
        ("add_run/1", {**NEW_RUN, "name": "x" * 251}, "Field :name is too long (250 characters at most)."),
        ("add_run/1", {**NEW_RUN, "suite_id": 2}, "Field :suite_id is not a valid test suite."),
        ("add_run/1", {**NEW_RUN, "milestone_id": 12}, "Field :milestone_id is not a valid milestone."),
        ("add_run/1", {**NEW_RUN, "assignedto_id": 17}, "Field :assignedto_id is not a valid user."),
        ("add_run/1", {**NEW_RUN, "include_all": "yes"}, "Field :include_all is not a valid boolean."),
        ("add_run/1", {**NEW_RUN, "case_ids": 4001, "include_all": False}, "Field :case_ids is not a valid array."),
        (
            "add_run/1",
            {**NEW_RUN, "case_ids": [1], "include_all": False},
            "Field :case_ids contains unrecognized case IDs.",
        ),
        ("add_run/99", NEW_RUN, "Field :project_id is not a valid or accessible project."),
        ("update_run/118", {"name": ""}, "Field :name is a required field."),
        ("update_run/118", {"name": "New", "milestone_id": 99}, "Field :milestone_id is not a valid milestone."),
        ("add_result_for_case/118/4001", {"status_id": 3}, "Field :status_id is not a valid status."),
        ("add_result_for_case/118/4001", {"status_id": 99}, "Field :status_id is not a valid status."),
        (
            "add_result_for_case/118/4001",
            {"status_id": 1, "elapsed": "soon"},
            "Field :elapsed is not in a valid time span format.",
        ),
        ("add_result_for_case/118/1001", {"status_id": 1}, "No (active) test found for the run/case combination."),
        ("add_results_for_cases/118", {"results": []}, "Field :results cannot be empty (one result is required)"),
        ("add_results_for_cases/118", {}, "Field :results is not a valid array."),
        (
            "add_results_for_cases/118",
            {"results": [{"case_id": 4001, "status_id": 1}, {"case_id": 7, "status_id": 1}]},
            "Field :results contains one or more invalid results (case C7 unknown or not part of the test run)",
        ),
        (
            "add_plan/1",
            {"name": "P", "entries": [{"suite_id": 4}, {"suite_id": 2}]},
            "Field :suite_id is not a valid test suite.",
        ),
    ],
)
async def test_what_is_wrong_is_refused_and_changes_nothing(
    server: TestRail, call: str, body: dict[str, Any], text: str
) -> None:
    store = server.store

    def state() -> object:
        return server.row(118), len(store.runs), len(store.plans), len(store.tests), store.results_of(server.run(118))

    before = state()
    assert await ask(server, call, body) == (400, {"error": text})
    assert state() == before


@pytest.mark.parametrize("body", [b"{", b'"text"', b"[1]"])
async def test_a_body_that_is_no_json_object_is_refused(server: TestRail, body: bytes) -> None:
    status, _ = await ask(server, "close_run/118", method="POST", data=body)
    assert status == 400
    assert server.run(118).completed_on is None


async def test_update_changes_what_was_sent_and_leaves_the_rest(server: TestRail) -> None:
    _, before = await ask(server, "get_run/118")
    _, after = await ask(server, "update_run/118", {"description": "new", "suite_id": 1, "assignedto_id": 9})
    assert {name for name in after if after[name] != before[name]} == {"description", "updated_on"}


async def test_update_can_choose_other_cases_and_keeps_results_of_those_that_stay(server: TestRail) -> None:
    _, run = await ask(server, "update_run/118", {"include_all": False, "case_ids": [4001, 4044]})
    assert (run["passed_count"], run["failed_count"], run["untested_count"], run["include_all"]) == (1, 1, 0, False)
    _, run = await ask(server, "update_run/118", {"include_all": True})
    assert (run["passed_count"], run["failed_count"], run["untested_count"]) == (1, 1, 78)


@pytest.mark.parametrize("options", [{"json": {}}, {"json": {"run_id": 118}}, {"data": b""}])
async def test_close_run_ignores_its_body_and_returns_the_closed_run(server: TestRail, options: dict[str, Any]) -> None:
    status, run = await ask(server, "close_run/118", method="POST", **options)
    assert (status, run["is_completed"], run["passed_count"]) == (200, True, 74)
    assert run["completed_on"] == pytest.approx(server.clock.now().timestamp(), abs=5)


@pytest.mark.parametrize(
    ("call", "body"),
    [
        ("close_run/117", {}),
        ("update_run/117", {"name": "n"}),
        ("add_result_for_case/117/4001", {"status_id": 1}),
        ("add_results_for_cases/117", {"results": [{"case_id": 4001, "status_id": 1}]}),
        ("add_results/117", {"results": [{"test_id": 1, "status_id": 1}]}),
    ],
)
async def test_a_closed_run_stays_as_it_is(server: TestRail, call: str, body: dict[str, Any]) -> None:
    assert await ask(server, call, body) == (403, {"error": COMPLETED})


async def test_a_result_for_a_test_of_a_closed_run_is_refused(server: TestRail) -> None:
    test = server.tests(117)[0]
    assert await ask(server, f"add_result/{test.id}", {"status_id": 1}) == (403, {"error": COMPLETED})


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (
            "close_run/81",
            "This operation is not allowed. The test run belongs to a test plan and cannot be closed independently.",
        ),
        (
            "update_run/81",
            "This operation is not allowed. The test run belongs to a test plan and cannot be edited independently.",
        ),
        ("delete_run/81", "Field :run_id is part of a test run. Please use API endpoints for test plan entries."),
    ],
)
async def test_a_run_of_a_plan_is_not_changed_alone(server: TestRail, call: str, text: str) -> None:
    assert await ask(server, call, {}) == (403, {"error": text})


@pytest.mark.parametrize(
    ("call", "body"),
    [
        ("delete_run/118&soft=1", {}),
        ("delete_run/118", {"soft": 1}),
        ("delete_run/118", {"soft": True}),
    ],
)
async def test_a_soft_delete_only_counts(server: TestRail, call: str, body: dict[str, Any]) -> None:
    assert await ask(server, call, body) == (200, {"tests": 80})
    assert (await ask(server, "get_run/118"))[0] == 200


async def test_a_version_before_6_6_knows_no_soft_delete() -> None:
    old = TestRail(old=True)
    async with running(old):
        assert await ask(old, "delete_run/118&soft=1", {"soft": 1}) == (200, None)
        assert (await ask(old, "get_run/118"))[0] == 400


async def test_a_build_may_detach_the_milestone_that_is_not_sent_along(server: TestRail) -> None:
    assert (await ask(server, "update_run/118", {"name": "A"}))[1]["milestone_id"] == 7
    server.detaches_milestones = True
    assert (await ask(server, "update_run/118", {"name": "B", "milestone_id": 7}))[1]["milestone_id"] == 7
    assert (await ask(server, "update_run/118", {"name": "C"}))[1]["milestone_id"] is None


@pytest.mark.parametrize("call", ["delete_run/118", "delete_run/118&soft=0"])
async def test_delete_takes_tests_and_results_along_and_numbers_are_not_used_again(server: TestRail, call: str) -> None:
    test = server.tests(118)[0]
    assert await ask(server, call, {}) == (200, None)
    assert (await ask(server, "get_run/118"))[0] == (await ask(server, f"get_test/{test.id}"))[0] == 400
    _, one = await ask(server, "add_run/1", NEW_RUN)
    await ask(server, f"delete_run/{one['id']}", {})
    _, two = await ask(server, "add_run/1", NEW_RUN)
    assert two["id"] == one["id"] + 1


async def test_a_result_moves_the_test_and_a_comment_does_not(server: TestRail) -> None:
    _, result = await ask(
        server,
        "add_result_for_case/118/4079",
        {
            "status_id": 6,
            "comment": "as agreed",
            "elapsed": "105s",
            "defects": "WEB-1",
            "version": "5.2",
            "custom_build_url": "https://ci.acme.example/1",
        },
    )
    assert (result["status_id"], result["elapsed"], result["created_by"], result["custom_build_url"]) == (
        6,
        "1m 45s",
        1,
        "https://ci.acme.example/1",
    )
    _, words = await ask(server, f"add_result/{result['test_id']}", {"comment": "and a word", "assignedto_id": 8})
    assert words["status_id"] is None
    _, test = await ask(server, f"get_test/{result['test_id']}&with_data=1")
    assert (test["status_id"], test["assignedto_id"], [one["id"] for one in test["results"]]) == (
        6,
        8,
        [words["id"], result["id"]],
    )
    _, run = await ask(server, "get_run/118")
    assert (run["untested_count"], run["custom_status1_count"]) == (1, 1)


async def test_many_results_keep_the_order_they_were_sent_in(server: TestRail) -> None:
    sent = [{"case_id": case, "status_id": 5, "comment": str(case)} for case in (4079, 4003, 4080)]
    _, results = await ask(server, "add_results_for_cases/118", {"results": sent})
    assert [one["comment"] for one in results] == ["4079", "4003", "4080"]
    tests = [one["test_id"] for one in results]
    again = {"results": [{"test_id": test, "status_id": 1} for test in tests]}
    assert [one["test_id"] for one in (await ask(server, "add_results/118", again))[1]] == tests


async def test_a_plan_is_closed_with_its_runs_once(server: TestRail) -> None:
    _, plan = await ask(server, "close_plan/9", {})
    assert plan["is_completed"]
    assert all(run["is_completed"] for entry in plan["entries"] for run in entry["runs"])
    for call in ("close_plan/9", "update_plan/9", "add_plan_entry/9"):
        assert await ask(server, call, {}) == (403, {"error": PLAN_COMPLETED})


async def test_a_plan_is_made_of_entries_and_configurations(server: TestRail) -> None:
    _, plan = await ask(
        server,
        "add_plan/1",
        {
            "name": "P",
            "milestone_id": 7,
            "entries": [
                {
                    "suite_id": 4,
                    "name": "E",
                    "include_all": False,
                    "case_ids": [4001],
                    "config_ids": [1, 2],
                    "runs": [{"config_ids": [1]}, {"config_ids": [2], "case_ids": [4001, 4002]}],
                }
            ],
        },
    )
    runs = plan["entries"][0]["runs"]
    assert [(run["config"], run["untested_count"]) for run in runs] == [("Chrome", 1), ("Firefox", 2)]
    assert plan["untested_count"] == 3
    _, entry = await ask(server, f"add_plan_entry/{plan['id']}", {"suite_id": 1})
    assert (entry["name"], entry["runs"][0]["untested_count"]) == ("Smoke", 12)
    _, entry = await ask(server, f"update_plan_entry/{plan['id']}/{entry['id']}", {"name": "Other"})
    assert (entry["name"], entry["runs"][0]["name"]) == ("Other", "Other")
    _, run = await ask(server, f"update_run_in_plan_entry/{runs[0]['id']}", {"description": "d"})
    assert run["description"] == "d"
    assert await ask(server, f"delete_plan_entry/{plan['id']}/{entry['id']}", {}) == (200, None)
    assert len((await ask(server, f"get_plan/{plan['id']}"))[1]["entries"]) == 1
    assert await ask(server, f"delete_plan/{plan['id']}", {}) == (200, None)
    assert (await ask(server, f"get_run/{runs[0]['id']}"))[0] == 400


async def test_levers_change_things_behind_a_clients_back(server: TestRail) -> None:
    server.add_result(server.tests(118, 3)[0], 5, comment="just now")
    assert (await ask(server, "get_run/118"))[1]["failed_count"] == 4
    server.close(118)
    assert (await ask(server, "get_run/118"))[1]["is_completed"]
    server.close_plan(9)
    assert (await ask(server, "get_run/119"))[1]["is_completed"]
    server.remove_run(118)
    assert (await ask(server, "get_run/118"))[0] == 400
    server.remove_run(123)
    assert len((await ask(server, "get_plan/9"))[1]["entries"]) == 2


async def test_sections_and_cases_can_be_added_for_automation(server: TestRail) -> None:
    _, suite = await ask(server, "add_suite/1", {"name": "New suite"})
    _, section = await ask(server, "add_section/1", {"suite_id": suite["id"], "name": "New section"})
    _, case = await ask(server, f"add_case/{section['id']}", {"title": "New case", "custom_automation_id": "a.b"})
    assert (await ask(server, f"get_case/{case['id']}"))[1]["custom_automation_id"] == "a.b"
    assert (await ask(server, f"get_cases/1&suite_id={suite['id']}"))[1]["size"] == 1
    assert await ask(server, f"delete_section/{section['id']}&soft=1", {}) == (200, {"cases": 1})
    assert await ask(server, f"delete_section/{section['id']}", {}) == (200, None)
    assert (await ask(server, f"get_case/{case['id']}"))[0] == 400
