"""The sample Testmo tells the story that demo and tests rely on."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from bot.sandbox.server import Clock
from bot.sandbox.testmo import Testmo
from bot.sandbox.testmo.sample.nightly import ADDED, FIXED, FLAKY, NEW, NOT_RUN, RETRIED, STILL
from bot.sandbox.world import COLLEAGUES, HOSTILE_NAMES
from tests.sandbox.testmo.testmo_caller import Caller, calling

UNFINISHED = 406
Outcomes = dict[tuple[str, str], list[int]]


async def nights(caller: Caller) -> list[dict[str, Any]]:
    """The finished runs of nightly-web, newest first."""
    sources = (await caller.get("/projects/1/automation/sources")).rows
    source = next(row["id"] for row in sources if row["name"] == "nightly-web")
    runs = await caller.all_pages("/projects/1/automation/runs", source_id=source)
    return [run for run in runs if run["is_completed"]]


async def outcomes(caller: Caller, run_id: int) -> Outcomes:
    """The status values of each test of a run, in order of arrival."""
    found: Outcomes = {}
    for row in await caller.all_pages(f"/automation/runs/{run_id}/tests", order="asc"):
        found.setdefault((row["folder"], row["name"]), []).append(row["status"])
    return found


def failing(found: Outcomes) -> set[tuple[str, str]]:
    return {test for test, statuses in found.items() if statuses[-1] == 3}


async def test_a412_is_the_newest_night_it_failed_and_has_a_third_thread() -> None:
    async with calling(Testmo()) as caller:
        runs = await nights(caller)
        third = (await caller.get("/automation/runs/412")).body["result"]["threads"][2]
    assert runs[0]["id"] == 412
    assert runs[0]["status"] == 3
    assert third["index"] == 3
    assert len(runs) >= 12
    assert all(run["total_count"] >= 80 and run["thread_count"] >= 3 for run in runs)


async def test_the_last_two_nights_differ_in_every_way() -> None:
    async with calling(Testmo()) as caller:
        runs = await nights(caller)
        now, before = await outcomes(caller, runs[0]["id"]), await outcomes(caller, runs[1]["id"])
    assert failing(now) - failing(before) == {*NEW, FLAKY}
    assert failing(now) & failing(before) == set(STILL)
    assert failing(before) - failing(now) == set(FIXED)
    assert set(before) - set(now) == {NOT_RUN}
    assert set(now) - set(before) == {ADDED}


async def test_one_test_failed_and_then_passed_in_another_thread_of_the_same_run() -> None:
    async with calling(Testmo()) as caller:
        rows = (await caller.get("/automation/runs/412/tests", order="asc")).rows
    tries = [row for row in rows if (row["folder"], row["name"]) == RETRIED]
    assert [row["status"] for row in tries] == [3, 2]
    assert tries[0]["key"] == tries[1]["key"]
    assert tries[0]["thread_id"] != tries[1]["thread_id"]
    assert tries[0]["created_at"] < tries[1]["created_at"]


async def test_one_test_is_flaky_by_flips() -> None:
    async with calling(Testmo()) as caller:
        last_ten = [(await outcomes(caller, run["id"]))[FLAKY][-1] for run in (await nights(caller))[:10]]
    flips = sum(one != other for one, other in pairwise(last_ten))
    assert flips >= 3
    assert set(last_ten[:5]) == {2, 3}


async def test_some_errors_share_a_cause_and_differ_in_numbers() -> None:
    async with calling(Testmo()) as caller:
        rows = (await caller.get("/automation/runs/412/tests", status_id=3)).rows
    texts = {row["fields"][0]["meta"]["message"] for row in rows if "#cart" in row["fields"][0]["value"]}
    assert len(texts) >= 3
    assert {re.sub(r"\d+", "N", text) for text in texts} == {"TimeoutError: timeout waiting for #cart after N ms"}


async def test_hostile_names_stand_for_a_run_two_tests_and_a_milestone() -> None:
    async with calling(Testmo()) as caller:
        runs = {row["name"] for row in await caller.all_pages("/projects/1/automation/runs")}
        tests = {row["name"] for row in (await caller.get("/automation/runs/412/tests")).rows}
        milestones = {row["name"] for row in (await caller.get("/projects/1/milestones")).rows}
    assert HOSTILE_NAMES[0] in runs
    assert {HOSTILE_NAMES[1], HOSTILE_NAMES[2]} <= tests
    assert HOSTILE_NAMES[1] in milestones


@pytest.mark.parametrize(("run_id", "told"), [(415, (4, 2, 1)), (414, (2, 1, 0)), (UNFINISHED, (4, 1, 0))])
async def test_some_runs_are_not_completed_each_in_its_way(run_id: int, told: tuple[int, int, int]) -> None:
    async with calling(Testmo()) as caller:
        run = (await caller.get(f"/automation/runs/{run_id}")).body["result"]
    assert (run["is_completed"], run["completed_at"]) == (False, None)
    assert (run["status"], run["thread_active_count"], run["failure_count"]) == told


async def test_the_unfinished_run_began_yesterday_and_went_silent() -> None:
    clock = Clock()
    async with calling(Testmo(clock)) as caller:
        run = (await caller.get(f"/automation/runs/{UNFINISHED}")).body["result"]
        tests = (await caller.get(f"/automation/runs/{UNFINISHED}/tests", sort="automation_run_tests:created_at")).rows
    began, last = datetime.fromisoformat(run["created_at"]), datetime.fromisoformat(tests[0]["created_at"])
    assert timedelta(hours=18) <= clock.now() - began <= timedelta(hours=43)
    assert last - began < timedelta(hours=1)


async def test_r118_has_every_status_a_history_and_a_deleted_result() -> None:
    async with calling(Testmo()) as caller:
        run = (await caller.get("/runs/118")).body["result"]
        results = await caller.all_pages("/runs/118/results")
    assert [run[f"status{number}_count"] for number in range(1, 7)] == [20, 4, 2, 3, 1, 2]
    assert run["untested_count"] == 10
    assert {result["status_id"] for result in results} == {2, 3, 4, 5, 6, 7}
    assert len(results) > len({result["test_id"] for result in results})
    assert sum(result["deleted_at"] is not None for result in results) == 1
    assert any(result["note"] and "&lt;!channel&gt;" in result["note"] for result in results)
    assert {result["assignee_id"] for result in results} >= {None, 4, 5}


async def test_manual_runs_are_open_closed_full_and_empty() -> None:
    async with calling(Testmo()) as caller:
        runs = {row["id"]: row for row in await caller.all_pages("/projects/1/runs")}
        pages = (await caller.get("/runs/105/results", per_page=25)).body["last_page"]
    assert {run_id for run_id, run in runs.items() if run["is_closed"]} == {105, 109, 112}
    assert runs[112]["untested_count"] == 10
    assert not runs[121]["is_started"]
    assert runs[117]["untested_count"] == 0
    assert pages == 16


async def test_names_of_cases_can_be_found_for_all_results() -> None:
    async with calling(Testmo()) as caller:
        names = {row["id"]: row["name"] for row in await caller.all_pages("/projects/1/cases")}
        results = await caller.all_pages("/runs/118/results")
    assert all(names[result["case_id"]] for result in results)


async def test_users_are_the_colleagues_one_who_left_and_one_who_is_forgotten() -> None:
    async with calling(Testmo()) as caller:
        users = {row["id"]: row for row in (await caller.get("/users")).rows}
        expands = (await caller.get("/runs/112", expands="users")).body["expands"]["users"]
    for colleague in COLLEAGUES:
        if colleague.testmo is not None:
            assert users[colleague.testmo]["email"] == colleague.email
    assert (users[6]["is_active"], users[6]["is_forgotten"]) == (False, False)
    assert (users[7]["name"], users[7]["email"], users[7]["is_forgotten"]) == (None, None, True)
    assert {"id": 7, "name": None} in expands


@pytest.mark.parametrize(
    "moment",
    [
        datetime(2026, 3, 29, 1, 30, tzinfo=UTC),
        datetime(2026, 3, 29, 9, 0, tzinfo=UTC),
        datetime(2026, 12, 31, 23, 59, tzinfo=UTC),
        datetime(2028, 2, 29, 4, 0, tzinfo=UTC),
    ],
)
async def test_last_night_is_last_night_and_nothing_is_from_the_future(moment: datetime) -> None:
    clock = Clock()
    clock.move_to(moment)
    async with calling(Testmo(clock)) as caller:
        runs = [row for project in (1, 2, 3) for row in await caller.all_pages(f"/projects/{project}/automation/runs")]
        run = next(row for row in runs if row["id"] == 412)
        tests = [test for row in runs for test in await caller.all_pages(f"/automation/runs/{row['id']}/tests")]
    now = clock.now()
    assert timedelta(hours=2) <= now - datetime.fromisoformat(run["created_at"]) < timedelta(hours=26, seconds=9)
    assert all(datetime.fromisoformat(each["created_at"]) <= now for each in [*runs, *tests])
    assert all(datetime.fromisoformat(row["completed_at"]) <= now for row in runs if row["completed_at"])
    assert [row["id"] for row in runs if not row["is_completed"]] == [415, 414, UNFINISHED]
    in_order = sorted(runs, key=lambda row: (row["created_at"], row["id"]))
    assert [row["id"] for row in in_order] == sorted(row["id"] for row in runs)
