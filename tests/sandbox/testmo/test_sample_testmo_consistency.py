"""The sample Testmo's counters always agree with its stored tests."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.sandbox.server import Clock
from bot.sandbox.testmo import Testmo, wire
from bot.sandbox.testmo.statuses import BY_ALIAS, STATUSES, counters
from tests.sandbox.testmo.testmo_caller import calling

ALIASES = sorted(BY_ALIAS)


def agrees(row: dict[str, Any]) -> bool:
    """The counters of one row add up."""
    numbered = sum(row[f"status{number}_count"] for number in range(1, 25))
    return (row["total_count"], row["success_count"], row["failure_count"], row["completed_count"]) == (
        row["untested_count"] + numbered,
        row["status1_count"],
        row["status2_count"],
        numbered - row["status3_count"],
    )


@given(st.lists(st.sampled_from([status.id for status in STATUSES])))
def test_counters_are_offset_by_one_against_status_ids(status_ids: list[int]) -> None:
    counts = counters(status_ids)
    held = Counter(status_ids)
    assert agrees(counts)
    assert counts["untested_count"] == held[1]
    assert all(counts[f"status{number}_count"] == held[number + 1] for number in range(1, 25))


@given(
    st.lists(st.tuples(st.integers(1, 4), st.lists(st.sampled_from(ALIASES), max_size=5)), max_size=12), st.booleans()
)
def test_a_run_is_the_sum_of_its_threads_whatever_arrives(steps: list[tuple[int, list[str]]], finish: bool) -> None:
    server = Testmo(sample=False)
    run = server.start_run(1, "property", "Anything")
    for thread, aliases in steps:
        server.add_tests(run.id, [(f"test {at}", alias) for at, alias in enumerate(aliases)], thread=thread)
    if finish:
        server.finish_run(run.id)
    row: dict[str, Any] = wire.automation_run(run, with_threads=True)
    assert agrees(row)
    assert all(agrees(thread) for thread in row["threads"])
    for name in (name for name in row if name.endswith("_count") and not name.startswith("thread_")):
        assert row[name] == sum(thread[name] for thread in row["threads"])
    assert row["thread_count"] == row["thread_active_count"] + row["thread_completed_count"] == len(row["threads"])
    assert row["is_completed"] is finish
    failed = any(BY_ALIAS[alias].is_failed for _, aliases in steps for alias in aliases)
    assert row["status"] == (4 if not finish else 3 if failed else 2)


@pytest.mark.parametrize("project", [1, 2, 3])
async def test_the_sample_runs_agree_with_their_tests(project: int) -> None:
    async with calling(Testmo()) as caller:
        for row in await caller.all_pages(f"/projects/{project}/automation/runs"):
            tests = await caller.all_pages(f"/automation/runs/{row['id']}/tests")
            held = Counter(test["status"] for test in tests)
            assert agrees(row)
            assert (row["total_count"], row["failure_count"]) == (len(tests), held[3])
            assert row["success_count"] == held[2]
            assert len({test["automation_test_id"] for test in tests}) == len(tests)


@pytest.mark.parametrize("run_id", [95, 105, 109, 112, 116, 117, 118, 119, 120, 121])
async def test_a_manual_run_agrees_with_its_latest_results(run_id: int) -> None:
    async with calling(Testmo()) as caller:
        run = (await caller.get(f"/runs/{run_id}")).body["result"]
        results = await caller.all_pages(f"/runs/{run_id}/results")
        latest = await caller.all_pages(f"/runs/{run_id}/results", get_latest_result=1)
    held = Counter(result["status_id"] for result in latest)
    assert agrees(run)
    assert all(run[f"status{number}_count"] == held[number + 1] for number in range(1, 25))
    assert run["untested_count"] == run["total_count"] - len(latest)
    newest = {result["test_id"]: result["id"] for result in reversed(results) if result["deleted_at"] is None}
    assert {result["id"] for result in latest} == set(newest.values())


async def test_a_new_result_moves_the_counters_and_is_the_latest() -> None:
    server = Testmo()
    async with calling(server) as caller:
        before = (await caller.get("/runs/121")).body["result"]
        test_id = next(iter(server.store.manual_runs[121].tests))
        result = server.add_result(121, test_id, 3, by=4, note="<p>No.</p>")
        after = (await caller.get("/runs/121")).body["result"]
        rows = (await caller.get("/runs/121/results")).rows
    assert (before["untested_count"], before["is_started"]) == (15, False)
    assert (after["untested_count"], after["failure_count"], after["is_started"]) == (14, 1, True)
    assert [(row["id"], row["is_latest"], row["created_by"]) for row in rows] == [(result.id, True, 4)]


async def test_a_run_closed_or_removed_behind_the_wire_is_seen_so() -> None:
    server = Testmo()
    async with calling(server) as caller:
        server.close_run(118, by=2)
        closed = (await caller.get("/runs/118")).body["result"]
        server.remove_manual_run(118)
        server.remove_run(412)
        gone = [(await caller.get(path)).status for path in ("/runs/118", "/automation/runs/412")]
    assert (closed["is_closed"], closed["closed_by"], closed["untested_count"]) == (True, 2, 10)
    assert gone == [404, 404]


def told(server: Testmo) -> list[tuple[object, ...]]:
    runs = server.store.automation_runs.values()
    return [(run.id, run.name, test.id, test.key, test.status_id, test.elapsed) for run in runs for test in run.tests()]


def test_two_instances_tell_the_same_story() -> None:
    clock = Clock()
    clock.move_to(datetime(2026, 11, 21, 9, tzinfo=UTC))
    assert told(Testmo(clock)) == told(Testmo(clock))
