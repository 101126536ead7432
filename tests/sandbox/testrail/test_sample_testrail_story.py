"""What the sample TestRail shows: shapes of rows, the story it tells, counters that agree with tests."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from yarl import URL

from bot.sandbox.server import running
from bot.sandbox.testrail import TestRail
from bot.sandbox.testrail.sample import tell

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


RUN_FIELDS = {
    "assignedto_id",
    "blocked_count",
    "completed_on",
    "config",
    "config_ids",
    "created_by",
    "created_on",
    "refs",
    *(f"custom_status{n}_count" for n in range(1, 8)),
    "description",
    "failed_count",
    "id",
    "include_all",
    "is_completed",
    "milestone_id",
    "name",
    "passed_count",
    "plan_id",
    "project_id",
    "retest_count",
    "suite_id",
    "untested_count",
    "updated_on",
    "url",
}
COUNTERS = {
    1: "passed_count",
    2: "blocked_count",
    3: "untested_count",
    4: "retest_count",
    5: "failed_count",
    **{5 + n: f"custom_status{n}_count" for n in range(1, 8)},
}


def counts(row: dict[str, Any]) -> dict[int, int]:
    return {status: row[name] for status, name in COUNTERS.items() if row[name]}


async def everything(server: TestRail, endpoint: str, key: str) -> list[Any]:
    """All rows of a list, by offset until a short page."""
    rows: list[Any] = []
    while len(rows) % 250 == 0:
        page = (await ask(server, f"{endpoint}&limit=250&offset={len(rows)}"))[1][key]
        if not page:
            break
        rows += page
    return rows


async def test_r81_is_the_vendors_own_example(server: TestRail) -> None:
    _, run = await ask(server, "get_run/81")
    assert set(run) == RUN_FIELDS
    assert {name: value for name, value in run.items() if name not in ("created_on", "url")} == {
        "assignedto_id": 6,
        "blocked_count": 0,
        "completed_on": None,
        "config": "Firefox, Ubuntu 12",
        "config_ids": [2, 6],
        "created_by": 1,
        "refs": "SAN-1",
        "description": None,
        "failed_count": 2,
        "id": 81,
        "include_all": False,
        "is_completed": False,
        "milestone_id": 7,
        "name": "File Formats",
        "passed_count": 2,
        "plan_id": 80,
        "project_id": 1,
        "retest_count": 1,
        "suite_id": 4,
        "untested_count": 3,
        "updated_on": None,
        **{f"custom_status{n}_count": 0 for n in range(1, 8)},
    }


async def test_r118_is_the_open_release_run(server: TestRail) -> None:
    _, run = await ask(server, "get_run/118")
    assert counts(run) == {1: 74, 5: 3, 2: 1, 3: 2}
    assert (run["name"], run["project_id"], run["suite_id"], run["milestone_id"], run["is_completed"]) == (
        "Release 5.2 regression",
        1,
        4,
        7,
        False,
    )
    _, milestone = await ask(server, "get_milestone/7")
    assert milestone["name"] == "5.2"
    untested = (await ask(server, "get_tests/118&status_id=3"))[1]["tests"]
    assert [test["assignedto_id"] for test in untested] == [7, 7]
    failed = (await ask(server, "get_results_for_run/118&status_id=5"))[1]["results"]
    assert all(result["comment"] for result in failed)
    assert [result["defects"] for result in failed if result["defects"]] == ["WEB-2291"]


async def test_the_twelve_runs_before_r118_have_the_same_cases_and_a_past_worth_telling(server: TestRail) -> None:
    closed = (await ask(server, "get_runs/1&suite_id=4&is_completed=1"))[1]["runs"]
    assert [run["id"] for run in closed] == list(range(117, 105, -1))
    past: dict[int, list[int]] = {}
    for run in reversed(closed):
        for test in (await ask(server, f"get_tests/{run['id']}"))[1]["tests"]:
            past.setdefault(test["case_id"], []).append(test["status_id"])
    now = {test["case_id"]: test["status_id"] for test in (await ask(server, "get_tests/118"))[1]["tests"]}
    assert set(past) == set(now)
    fails, failed = (
        {case for case, row in table.items() if row == 5}
        for table in (now, {case: row[-1] for case, row in past.items()})
    )
    assert (fails - failed, fails & failed, failed - fails) == ({4044, 4052}, {4018}, {4013, 4034})
    flips = {case: sum(a != b for a, b in zip(row[-10:], row[-9:], strict=False)) for case, row in past.items()}
    assert {case for case in flips if flips[case] >= 3 and {1, 5} <= set(past[case][-5:])} == {4052, 4061}


async def test_a_test_has_the_title_of_its_case_and_a_result_has_none(server: TestRail) -> None:
    test = (await ask(server, "get_tests/118&status_id=5&limit=1"))[1]["tests"][0]
    assert {"id", "case_id", "status_id", "assignedto_id", "run_id", "title"} <= set(test)
    result = (await ask(server, f"get_results/{test['id']}"))[1]["results"][0]
    assert set(result) == {
        "id",
        "test_id",
        "status_id",
        "created_on",
        "assignedto_id",
        "comment",
        "version",
        "elapsed",
        "defects",
        "created_by",
        "attachment_ids",
    }
    assert (result["test_id"], result["elapsed"][-1]) == (test["id"], "s")


async def test_somebody_only_commented(server: TestRail) -> None:
    results = (await ask(server, "get_results_for_run/118"))[1]["results"]
    words = [result for result in results if result["status_id"] is None]
    assert [(result["comment"], result["elapsed"]) for result in words] == [
        ("Looked at it again with Lea: fine.", None)
    ]


async def test_results_come_newest_first_and_their_ids_agree(server: TestRail) -> None:
    results = await everything(server, "get_results_for_run/118", "results")
    assert [result["id"] for result in results] == sorted((result["id"] for result in results), reverse=True)
    assert [result["created_on"] for result in results] == sorted(
        (result["created_on"] for result in results), reverse=True
    )


async def test_plans_hold_entries_and_entries_hold_runs(server: TestRail) -> None:
    _, plan = await ask(server, "get_plan/9")
    assert (plan["name"], plan["is_completed"]) == ("Release 5.2 acceptance", False)
    assert [[run["config"] for run in entry["runs"]] for entry in plan["entries"]] == [
        ["Chrome, Windows 11", "Safari, macOS 26", "Firefox, Ubuntu 12"],
        ["Safari, iOS 26"],
        [None],
    ]
    runs = [run for entry in plan["entries"] for run in entry["runs"]]
    assert all(set(run) == RUN_FIELDS | {"entry_id", "entry_index"} for run in runs)
    assert {status: sum(counts(run).get(status, 0) for run in runs) for status in counts(plan)} == counts(plan)
    plans = (await ask(server, "get_plans/1"))[1]["plans"]
    assert [one["id"] for one in plans] == [9, 80, 70]
    assert all("entries" not in one for one in plans)


async def test_custom_statuses_have_labels_and_can_be_renamed(server: TestRail) -> None:
    _, statuses = await ask(server, "get_statuses")
    assert [one["id"] for one in statuses] == list(range(1, 13))
    assert [one["name"] for one in statuses[5:]] == [f"custom_status{n}" for n in range(1, 8)]
    assert statuses[5]["label"] == "Known issue"
    server.rename_status(6, "Bekannter Fehler")
    _, renamed = await ask(server, "get_statuses/1")
    assert renamed[5] == {**statuses[5], "label": "Bekannter Fehler"}
    _, sweep = await ask(server, "get_run/124")
    assert counts(sweep) == {1: 9, 5: 2, 6: 3, 7: 2, 4: 1, 8: 1, 10: 1, 3: 1}


async def test_oddities_of_life_are_there(server: TestRail) -> None:
    runs = await everything(server, "get_runs/1", "runs")
    by_id = {run["id"]: run for run in runs}
    assert by_id[126]["name"].startswith("<!channel>")
    titles = [test["title"] for test in (await ask(server, "get_tests/126"))[1]["tests"]]
    assert sum("{" in title for title in titles) == 2
    assert len(await everything(server, "get_tests/125", "tests")) == 600
    assert by_id[128]["created_by"] == by_id[128]["assignedto_id"] == 17
    assert counts(by_id[127]) == {}
    newest = (await ask(server, "get_results_for_run/60&limit=1"))[1]["results"][0]["created_on"]
    assert server.clock.now().timestamp() - newest == pytest.approx(40 * 86_400, abs=60)
    assert not by_id[60]["is_completed"]


async def test_about_forty_runs_in_three_projects_with_counters_that_agree(server: TestRail) -> None:
    ids = [run["id"] for project in (1, 2, 3) for run in await everything(server, f"get_runs/{project}", "runs")]
    ids += [
        run["id"]
        for plan in (9, 70, 80)
        for entry in (await ask(server, f"get_plan/{plan}"))[1]["entries"]
        for run in entry["runs"]
    ]
    assert 38 <= len(set(ids)) <= 48
    for run_id in ids:
        _, run = await ask(server, f"get_run/{run_id}")
        seen: dict[int, int] = {}
        for test in await everything(server, f"get_tests/{run_id}", "tests"):
            seen[test["status_id"]] = seen.get(test["status_id"], 0) + 1
        assert counts(run) == seen


def test_the_same_moment_tells_the_same_story() -> None:
    now = 1_800_000_000
    assert tell(now) == tell(now)


@pytest.mark.parametrize(
    "endpoint",
    [
        "get_case_fields",
        "get_case_types",
        "get_priorities",
        "get_result_fields",
        "get_statuses",
        "get_configs/1",
        "get_templates/1",
    ],
)
async def test_lists_that_are_bare_arrays(server: TestRail, endpoint: str) -> None:
    status, said = await ask(server, endpoint)
    assert status == 200
    assert isinstance(said, list)


@pytest.mark.parametrize(
    ("endpoint", "key", "size"),
    [
        ("get_projects", "projects", 3),
        ("get_suites/1", "suites", 5),
        ("get_sections/1&suite_id=4", "sections", 8),
        ("get_cases/1&suite_id=4", "cases", 80),
        ("get_cases/2", "cases", 30),
        ("get_milestones/1", "milestones", 3),
        ("get_users/1", "users", 6),
        ("get_plans/1", "plans", 3),
        ("get_tests/118", "tests", 80),
        ("get_results_for_case/118/4044", "results", 1),
        ("get_runs/3", "runs", 4),
    ],
)
async def test_lists_in_envelopes(server: TestRail, endpoint: str, key: str, size: int) -> None:
    _, said = await ask(server, endpoint)
    assert set(said) == {"offset", "limit", "size", "_links", key}
    assert (said["offset"], said["limit"], said["size"], len(said[key])) == (0, 250, size, size)
    assert said["_links"] == {"next": None, "prev": None}


async def test_people_are_found_by_id_email_and_login(server: TestRail) -> None:
    assert (await ask(server, "get_user/6"))[1]["name"] == "Ana Kovač"
    assert (await ask(server, "get_user_by_email&email=TOM%40acme.example"))[1]["id"] == 7
    assert (await ask(server, "get_current_user/1"))[1]["email"] == "bot@acme.example"
