"""What comes in the sample TestRail when the clock is moved, told through the wire."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest
from yarl import URL

from bot.sandbox.server import Clock, running
from bot.sandbox.testrail import TestRail

LOGIN = {"Authorization": aiohttp.encode_basic_auth("bot@acme.example", "testrail-demo-key")}
NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
LAST = 143


class StillClock(Clock):
    """Time that stands still until it is moved."""

    def __init__(self) -> None:
        super().__init__()
        self.at = NOON

    def now(self) -> datetime:
        return self.at

    def move_to(self, moment: datetime) -> None:
        self.at = moment


@pytest.fixture
async def server() -> AsyncIterator[TestRail]:
    made = TestRail(StillClock())
    async with running(made):
        yield made


async def ask(server: TestRail, endpoint: str) -> Any:
    """The JSON of a call."""
    address = URL(f"{server.web_url}/index.php?/api/v2/{endpoint}", encoded=True)
    headers = {"Content-Type": "application/json", **LOGIN}
    async with aiohttp.ClientSession() as session, session.get(address, headers=headers) as answer:
        return await answer.json()


def go(server: TestRail, moment: datetime) -> None:
    server.live_until(moment)
    server.clock.move_to(moment)


def at(day: int, clock: str) -> datetime:
    """That time (UTC) so many days after the sample's."""
    return datetime.fromisoformat(f"{NOON + timedelta(days=day):%Y-%m-%d}T{clock}+00:00")


async def smokes(server: TestRail) -> list[dict[str, Any]]:
    """The smoke runs that came, oldest first."""
    rows = (await ask(server, "get_runs/1"))["runs"]
    return sorted((row for row in rows if row["id"] > LAST), key=lambda row: row["id"])


async def test_a_smoke_run_comes_each_day_and_fails_once_on_the_bad_one(server: TestRail) -> None:
    go(server, at(4, "07:00"))
    runs = await smokes(server)
    assert [(run["name"], run["passed_count"], run["failed_count"], run["is_completed"]) for run in runs] == [
        ("Smoke after deploy 49", 11, 1, True),
        ("Smoke after deploy 50", 12, 0, True),
        ("Smoke after deploy 51", 12, 0, True),
        ("Smoke after deploy 52", 11, 1, True),
    ]
    assert [datetime.fromtimestamp(run["created_on"], UTC) for run in runs] == [at(day, "05:00") for day in range(1, 5)]
    assert all(run["completed_on"] - run["created_on"] < 3600 for run in runs)


async def test_the_failure_says_why(server: TestRail) -> None:
    go(server, at(1, "07:00"))
    (run,) = await smokes(server)
    (result,) = (await ask(server, f"get_results_for_run/{run['id']}&status_id=5"))["results"]
    assert result["comment"] == "HTTP 502 from the stock service, twice."
    assert run["created_on"] < result["created_on"] <= run["completed_on"]


async def test_an_hour_brings_only_what_falls_into_it(server: TestRail) -> None:
    seen = []
    for clock in ("04:59", "05:00", "05:13", "05:24"):
        go(server, at(1, clock))
        seen.append([(run["passed_count"], run["untested_count"], run["is_completed"]) for run in await smokes(server)])
    assert seen == [[], [(0, 12, False)], [(6, 6, False)], [(11, 0, True)]]


@pytest.mark.parametrize(
    ("moment", "counts"),
    [
        (NOON, (74, 3, 1, 2)),
        (at(1, "12:00"), (74, 3, 1, 2)),
        (at(1, "14:00"), (75, 3, 1, 1)),
        (at(2, "14:00"), (76, 3, 1, 0)),
        (at(3, "14:00"), (78, 2, 0, 0)),
    ],
)
async def test_the_open_release_gets_some_results_every_afternoon(
    server: TestRail, moment: datetime, counts: tuple[int, ...]
) -> None:
    go(server, moment)
    run = await ask(server, "get_run/118")
    assert tuple(run[f"{word}_count"] for word in ("passed", "failed", "blocked", "untested")) == counts
    newest = (await ask(server, "get_results_for_run/118&limit=1"))["results"][0]
    assert newest["created_on"] <= moment.timestamp()


async def test_what_was_closed_or_deleted_gets_no_more_results(server: TestRail) -> None:
    go(server, at(1, "05:07"))
    (smoke,) = await smokes(server)
    server.close(118)
    server.remove_run(smoke["id"])
    before = await ask(server, "get_run/118")
    go(server, at(1, "20:00"))
    assert await ask(server, "get_run/118") == before
    assert await smokes(server) == []


async def test_results_are_numbered_in_the_order_of_time(server: TestRail) -> None:
    go(server, at(10, "20:00"))
    numbered = [
        (result.id, result.created_on)
        for run in server.store.runs.values()
        for test in server.store.tests_of(run)
        for result in test.results
    ]
    times = [created_on for _, created_on in sorted(numbered)]
    assert times == sorted(times)


async def test_time_that_merely_passes_brings_nothing(server: TestRail) -> None:
    before = await ask(server, "get_runs/1")
    server.clock.move_to(at(5, "12:00"))
    assert await ask(server, "get_runs/1") == before
