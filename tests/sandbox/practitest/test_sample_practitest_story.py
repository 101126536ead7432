"""The sample PractiTest's data agrees with itself, and can be moved and spoiled while a client pages."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest
from yarl import URL

from bot.sandbox.practitest import PractiTest, mischief
from bot.sandbox.practitest.paging import Twist
from bot.sandbox.practitest.statuses import RUN_STATUSES, roll_up
from bot.sandbox.server import Clock, running
from bot.sandbox.world import HOSTILE_NAMES

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


class StillClock(Clock):
    """Time that stands still."""

    def __init__(self, at: datetime = NOON) -> None:
        super().__init__()
        self.at = at

    def now(self) -> datetime:
        return self.at


@pytest.fixture
async def server() -> AsyncIterator[PractiTest]:
    made = PractiTest(StillClock())
    async with running(made):
        yield made


async def page(server: PractiTest, path: str, number: int = 1) -> Any:
    target = URL(f"{server.url}/api/v2/projects/4566/{path}&page[number]={number}", encoded=True)
    async with aiohttp.ClientSession(headers={"PTToken": server.token}) as session, session.get(target) as answer:
        assert answer.status == 200
        return await answer.json()


def ids(body: Any) -> list[int]:
    return [int(row["id"]) for row in body["data"]]


@pytest.fixture
def told() -> PractiTest:
    return PractiTest(StillClock())


def test_the_same_moment_tells_the_same_story(told: PractiTest) -> None:
    again = PractiTest(StillClock()).account
    for table in ("runs", "sets", "instances", "tests", "step_runs", "users", "milestones"):
        assert getattr(told.account, table) == getattr(again, table)


def test_an_instance_has_the_status_of_its_newest_run(told: PractiTest) -> None:
    newest = {run.instance_id: run for run in told.account.runs.values()}
    for place in told.account.instances.values():
        run = newest.get(place.id)
        expected = (run.status, run.created_at, run.tester_id) if run else ("NO RUN", None, None)
        assert (place.run_status, place.last_run, place.tester_id) == expected


def test_a_set_has_the_status_of_its_instances(told: PractiTest) -> None:
    for each in told.account.sets.values():
        places = told.account.instances_of(each.id)
        assert each.run_status == roll_up(place.run_status for place in places)
        assert each.last_run == max((place.last_run for place in places if place.last_run), default=None)


def test_nothing_happens_in_the_future_or_before_its_set(told: PractiTest) -> None:
    for run in told.account.runs.values():
        assert told.account.sets[run.set_id].created_at <= run.created_at <= NOON


def test_runs_are_numbered_in_the_order_of_time(told: PractiTest) -> None:
    times = [run.created_at for _number, run in sorted(told.account.runs.items())]
    assert times == sorted(times)


def test_s55_is_the_cart_round(told: PractiTest) -> None:
    cart = told.account.sets[55]
    places = told.account.instances_of(55)
    assert (cart.project_id, cart.name, places[0].id, len(places)) == (4566, "UAT cart", 98142, 31)
    assert Counter(place.run_status for place in places) == {
        "PASSED": 17,
        "FAILED": 5,
        "BLOCKED": 2,
        "N/A": 2,
        "NOT COMPLETED": 1,
        "NO RUN": 4,
    }
    runs = [run for run in told.account.runs.values() if run.set_id == 55]
    assert {run.run_type for run in runs} == {"ManualRun", "AutomatedRun"}
    assert {run.status for run in runs} == set(RUN_STATUSES)
    assert max(Counter(run.instance_id for run in runs).values()) == 3


def test_outputs_are_on_automated_runs_and_short(told: PractiTest) -> None:
    for run in told.account.runs.values():
        assert run.output is None or (run.run_type == "AutomatedRun" and len(run.output) <= 255)
        assert run.run_type == "AutomatedRun" or run.tester_id is not None


def test_nights_form_a_series_over_the_same_tests(told: PractiTest) -> None:
    nights = [each for each in told.account.sets.values() if each.name.startswith("Nightly API 2026-11-")]
    assert len([each for each in nights if each.id < 55]) >= 8
    assert len({tuple(place.test_id for place in told.account.instances_of(each.id)) for each in nights}) == 1
    assert len({each.name for each in nights}) == len(nights) == 13


@pytest.mark.parametrize(
    ("test", "last_three"),
    [
        ("POST /cart/items", ["PASSED", "PASSED", "FAILED"]),
        ("POST /checkout", ["FAILED", "FAILED", "FAILED"]),
        ("GET /orders", ["FAILED", "FAILED", "PASSED"]),
        ("POST /orders/{id}/cancel", ["PASSED", "FAILED", "PASSED"]),
        ("PUT /stock/{sku}", ["PASSED", "PASSED", "NO RUN"]),
        ("POST /payments", ["PASSED", "PASSED", "BLOCKED"]),
    ],
)
def test_nights_have_new_still_fixed_and_flaky_tests(told: PractiTest, test: str, last_three: list[str]) -> None:
    found = [place.run_status for place in told.account.instances.values() if place.name == test]
    assert found[-3:] == last_three


def test_one_test_passed_on_retry_last_night(told: PractiTest) -> None:
    place = next(each for each in told.account.instances_of(57) if each.name == "POST /orders/{id}/return")
    assert [run.status for run in told.account.runs.values() if run.instance_id == place.id] == ["FAILED", "PASSED"]


def test_hostile_texts_are_there(told: PractiTest) -> None:
    assert told.account.sets[58].name == HOSTILE_NAMES[0]
    assert {place.name for place in told.account.instances_of(58)} >= set(HOSTILE_NAMES[1:])
    assert any(run.output and HOSTILE_NAMES[0] in run.output for run in told.account.runs.values())


def test_a_tester_may_be_gone(told: PractiTest) -> None:
    testers = {run.tester_id for run in told.account.runs.values() if run.set_id == 55}
    assert testers - set(told.account.users) == {5301}


def test_sets_are_assigned_to_people_and_groups(told: PractiTest) -> None:
    kinds = {each.assigned_to_type for each in told.account.sets.values()}
    assert kinds == {"user", "group", None}
    assert {each.milestone_id for each in told.account.sets.values()} >= {101, 102, 103, None}
    assert any(each.planned_execution for each in told.account.sets.values())


async def test_thousands_of_sets_are_paged(server: PractiTest) -> None:
    made = server.add_sets(4566, 5000)
    body = await page(server, "sets.json?")
    assert body["meta"]["total-count"] == 5019
    assert ids(body)[0] == made[-1]
    assert len((await page(server, "sets.json?", 51))["data"]) == 19


async def test_a_removed_set_takes_its_instances_and_runs_along(server: PractiTest) -> None:
    server.remove_set(55)
    assert ids(await page(server, "instances.json?set-ids=55")) == []
    assert ids(await page(server, "runs.json?set-ids=55")) == []
    assert 55 not in ids(await page(server, "sets.json?"))


async def test_rows_move_while_a_client_pages(server: PractiTest) -> None:
    shifts: list[tuple[str, int]] = []

    def shift(resource: str, number: int) -> None:
        shifts.append((resource, number))
        server.add_run(98142, "PASSED")

    server.shift_pages = shift
    first, second = await page(server, "runs.json?"), await page(server, "runs.json?", 2)
    assert shifts == [("runs", 2)]
    assert ids(first)[-1] == ids(second)[0]


@pytest.mark.parametrize(
    ("twist", "number", "expected"),
    [
        (mischief.endless, 1, {"next-page": 2}),
        (mischief.endless, 900, {"next-page": 901}),
        (mischief.huge_total_pages, 3, {"total-pages": 10**9, "next-page": 4, "total-count": 250}),
        (mischief.stuck, 2, {"next-page": 2, "current-page": 2}),
        (mischief.wrong_total(7), 1, {"total-count": 7, "total-pages": 3}),
        (mischief.same_page_again, 2, {"current-page": 2, "next-page": 3}),
    ],
)
async def test_pages_can_be_made_to_lie(
    server: PractiTest,
    twist: Twist,
    number: int,
    expected: dict[str, int],
) -> None:
    server.twists["instances"] = twist
    body = await page(server, "instances.json?set-ids=52", number)
    assert {name: body["meta"][name] for name in expected} == expected
    assert body["data"]


async def test_the_same_page_may_come_again(server: PractiTest) -> None:
    server.twists["instances"] = mischief.same_page_again
    path = "instances.json?set-ids=52"
    assert ids(await page(server, path)) == ids(await page(server, path, 2))


@pytest.mark.parametrize("resource", ["runs", "sets", "instances"])
async def test_another_projects_row_may_slip_in(server: PractiTest, resource: str) -> None:
    server.twists[resource] = mischief.foreign_row
    body = await page(server, f"{resource}.json?")
    assert [row["attributes"]["project-id"] for row in body["data"]][:2] == [4567, 4566]
