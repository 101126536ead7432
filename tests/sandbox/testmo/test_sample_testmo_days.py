"""What comes in the sample Testmo when the clock is moved, told through the wire."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.sandbox.server import Clock
from bot.sandbox.testmo import Testmo
from tests.sandbox.testmo.testmo_caller import Caller, calling

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
#: The last run of the sample, and the one that follows soon after it.
LAST, AGAIN = 415, 416
SHORT = {"Nightly web 20": "web", "Nightly web Firefox": "firefox", "Nightly web iPhone": "iphone"}


class StillClock(Clock):
    """Time that stands still until it is moved."""

    def __init__(self, at: datetime = NOON) -> None:
        super().__init__()
        self.at = at

    def now(self) -> datetime:
        return self.at

    def move_to(self, moment: datetime) -> None:
        self.at = moment


def lived(moment: datetime, *, birth: datetime = NOON) -> Testmo:
    """A server of that birth at which it is this moment now."""
    server = Testmo(StillClock(birth))
    go(server, moment)
    return server


def go(server: Testmo, moment: datetime) -> None:
    server.live_until(moment)
    server.clock.move_to(moment)


def morning(days: int) -> datetime:
    """08:00 UTC, so many days after the sample's."""
    return NOON + timedelta(days=days, hours=-4)


async def runs_of(caller: Caller, *projects: int) -> list[dict[str, Any]]:
    """All that the nights brought, oldest first."""
    rows = [row for one in projects for row in await caller.all_pages(f"/projects/{one}/automation/runs")]
    return sorted((row for row in rows if row["id"] > AGAIN), key=lambda row: row["id"])


async def failed_tests(caller: Caller, run_id: int) -> dict[str, str]:
    """Name and error of each failed result of a run."""
    rows = await caller.all_pages(f"/automation/runs/{run_id}/tests", status_id=3)
    return {f"{row['folder']}: {row['name']}": row["fields"][0]["meta"]["message"] for row in rows}


def told(run: dict[str, Any]) -> tuple[str, bool, int]:
    """Which suite, whether it is completed, how many results failed."""
    name = next((short for begin, short in SHORT.items() if run["name"].startswith(begin)), run["name"])
    return name, run["is_completed"], run["failure_count"]


@pytest.mark.parametrize(
    ("day", "webshop", "others"),
    [
        (
            1,
            [
                ("web", True, 5),
                ("firefox", True, 4),
                ("iphone", True, 0),
                ("API contract #261", True, 3),
                ("API contract #261, again", False, 3),
            ],
            [
                ("Mobile smoke iPhone 21", True, 0),
                ("Mobile smoke Pixel 20", True, 2),
                ("unit-backend build 911", True, 1),
            ],
        ),
        (
            2,
            [("web", True, 1), ("firefox", True, 0), ("iphone", True, 3), ("API contract #262", True, 0)],
            [
                ("Mobile smoke iPhone 22", True, 0),
                ("Mobile smoke Pixel 21", True, 0),
                ("unit-backend build 912", True, 0),
            ],
        ),
        (
            3,
            [("web", True, 0), ("firefox", True, 0), ("iphone", True, 0), ("API contract #263", True, 0)],
            [
                ("Mobile smoke iPhone 23", True, 0),
                ("Mobile smoke Pixel 22", True, 0),
                ("unit-backend build 913", True, 0),
            ],
        ),
    ],
)
async def test_each_kind_of_day_has_its_runs(
    day: int, webshop: list[tuple[str, bool, int]], others: list[tuple[str, bool, int]]
) -> None:
    async with calling(lived(morning(day))) as caller:
        since = morning(day).replace(hour=0).isoformat()
        mine = [told(run) for run in await runs_of(caller, 1) if run["created_at"] >= since]
        rest = [told(run) for run in await runs_of(caller, 2, 3) if run["created_at"] >= since]
    assert mine == webshop
    assert rest == others


async def test_the_fourth_day_is_as_bad_as_the_first() -> None:
    async with calling(lived(morning(4))) as caller:
        runs = await runs_of(caller, 1)
    first, fourth = runs[:5], runs[-5:]
    assert [run["failure_count"] for run in fourth] == [run["failure_count"] for run in first] == [5, 4, 0, 3, 3]


async def test_failures_of_a_bad_day_have_names_and_share_their_causes() -> None:
    async with calling(lived(morning(1))) as caller:
        runs = {told(run)[0]: run["id"] for run in await runs_of(caller, 1)}
        web, firefox = await failed_tests(caller, runs["web"]), await failed_tests(caller, runs["firefox"])
        contract = await failed_tests(caller, runs["API contract #261"])
    assert set(web) & set(firefox) == {"Cart: merges carts after login", "Cart: survives a reload"}
    texts = [*web.values(), *firefox.values(), *contract.values()]
    assert len(set(texts)) == len(texts)
    assert {re.sub(r"\d+", "N", text) for text in texts} == {
        "AssertionError: expected N but got N from POST /api/payments (trace NfNaN)",
        "TimeoutError: timeout waiting for #cart after N ms",
        'ContractError: field "currency" missing in answer N',
    }


async def test_one_test_fails_through_the_nights_until_the_quiet_one() -> None:
    async with calling(lived(morning(3))) as caller:
        nights = [run["id"] for run in await runs_of(caller, 1) if told(run)[0] == "web"]
        failed = [set(await failed_tests(caller, run_id)) for run_id in (412, *nights)]
    assert ["Checkout: refuses an expired card" in each for each in failed] == [True, True, True, False]


async def test_on_a_mixed_day_one_test_passes_on_retry_in_another_thread() -> None:
    async with calling(lived(morning(2))) as caller:
        run = [run for run in await runs_of(caller, 1) if told(run)[0] == "iphone"][-1]
        rows = await caller.all_pages(f"/automation/runs/{run['id']}/tests", order="asc")
    tries = [row for row in rows if row["name"] == "subscribes with double opt-in"]
    assert [row["status"] for row in tries] == [3, 2]
    assert len({row["thread_id"] for row in tries}) == 2
    assert tries[0]["created_at"] < tries[1]["created_at"]
    assert len(names_with(rows, 3)) == 3


def names_with(rows: list[dict[str, Any]], status: int) -> set[str]:
    return {row["name"] for row in rows if row["status"] == status}


async def test_nightly_suites_begin_at_two_and_are_completed_by_twenty_to_three() -> None:
    async with calling(lived(morning(6))) as caller:
        runs = [run for run in await runs_of(caller, 1, 2, 3) if not run["name"].endswith("again")]
    began = {run["created_at"][11:16] for run in runs}
    assert min(began) == "02:00"
    assert max(began) < "02:40"
    assert all("02:00" < run["completed_at"][11:16] < "02:40" for run in runs)
    assert len(runs) == 6 * 7


async def test_the_second_try_of_a_bad_day_is_completed_in_the_afternoon() -> None:
    async with calling(lived(morning(1))) as caller:
        run_id = (await runs_of(caller, 1))[-1]["id"]
        open_one = (await caller.get(f"/automation/runs/{run_id}")).body["result"]
        go(caller.server, morning(1) + timedelta(hours=9))
        closed = (await caller.get(f"/automation/runs/{run_id}")).body["result"]
    assert (open_one["status"], open_one["thread_active_count"]) == (4, 2)
    assert (closed["status"], closed["thread_active_count"]) == (3, 0)
    assert closed["completed_at"] == "2026-11-21T16:00:00.000Z"
    assert open_one["total_count"] == closed["total_count"] == 18


async def test_a_night_can_be_lived_through_step_by_step() -> None:
    server = Testmo(StillClock())
    seen = []
    async with calling(server) as caller:
        for clock in ("01:59", "02:00:10", "02:15", "02:40"):
            go(server, datetime.fromisoformat(f"2026-11-21T{clock}+00:00"))
            run = next((run for run in await runs_of(caller, 1) if told(run)[0] == "web"), None)
            seen.append(run and (run["thread_count"], run["total_count"] > 40, run["is_completed"], run["status"]))
    assert seen == [None, (0, False, False, 4), (4, False, False, 4), (4, True, True, 3)]


async def test_many_small_moves_bring_the_same_as_one() -> None:
    one, many = Testmo(StillClock()), Testmo(StillClock())
    end = morning(4)
    go(one, end)
    while many.clock.now() < end:
        go(many, min(end, many.clock.now() + timedelta(minutes=7, seconds=3)))
    assert many.store.automation_runs == one.store.automation_runs
    async with calling(one) as caller, calling(many) as other:
        assert await runs_of(caller, 1, 2, 3) == await runs_of(other, 1, 2, 3)


async def test_what_is_completed_by_hand_in_the_night_takes_no_more_results() -> None:
    server = Testmo(StillClock())
    async with calling(server) as caller:
        go(server, datetime(2026, 11, 21, 2, 15, tzinfo=UTC))
        run = next(run for run in await runs_of(caller, 1) if told(run)[0] == "web")
        assert (await caller.post(f"/automation/runs/{run['id']}/complete", {})).status == 204
        before = (await caller.get(f"/automation/runs/{run['id']}")).body
        go(server, morning(1))
        assert (await caller.get(f"/automation/runs/{run['id']}")).body == before


async def test_the_runs_that_go_on_at_the_birth_are_completed_soon() -> None:
    async with calling(lived(NOON + timedelta(minutes=5))) as caller:
        newest = (await caller.get("/projects/1/automation/runs")).rows[0]["id"]
        contract = (await caller.get("/automation/runs/415")).body["result"]
        smoke = (await caller.get("/automation/runs/414")).body["result"]
        unfinished = (await caller.get("/automation/runs/406")).body["result"]
    assert (contract["is_completed"], contract["total_count"], contract["failure_count"]) == (True, 24, 1)
    assert (smoke["is_completed"], smoke["status"]) == (True, 2)
    assert not unfinished["is_completed"]
    assert newest == LAST


async def test_what_failed_at_the_birth_passes_when_it_is_tried_again() -> None:
    async with calling(lived(NOON + timedelta(minutes=20))) as caller:
        again = (await caller.get(f"/automation/runs/{AGAIN}")).body["result"]
    assert (again["name"], again["status"], again["is_completed"]) == ("API contract #260, again", 2, True)


async def test_time_that_merely_passes_brings_nothing() -> None:
    server = Testmo(StillClock())
    async with calling(server) as caller:
        before = (await caller.get("/projects/1/automation/runs")).body
        server.clock.move_to(morning(5))
        assert (await caller.get("/projects/1/automation/runs")).body == before


@pytest.mark.parametrize(("days", "nights"), [(7, 7), (31, 31), (120, 31)])
async def test_a_long_move_brings_a_month_of_nights_at_most(days: int, nights: int) -> None:
    server = lived(morning(days))
    async with calling(server) as caller:
        runs = await runs_of(caller, 1, 2, 3)
    assert sum(told(run)[0] == "web" for run in runs) == nights
    assert [run["id"] for run in runs] == [
        run["id"] for run in sorted(runs, key=lambda run: (run["created_at"], run["id"]))
    ]
    now = server.clock.now().isoformat()
    assert all(run["created_at"] <= now and (run["completed_at"] or "") <= now for run in runs)


async def test_an_instance_without_sample_stays_empty() -> None:
    server = Testmo(StillClock(), sample=False)
    go(server, morning(3))
    async with calling(server) as caller:
        assert (await caller.get("/projects/1/automation/runs")).rows == []
