"""What each documented filter of the sample PractiTest lets through."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta
from typing import Any

import aiohttp
import pytest
from yarl import URL

from bot.sandbox.practitest import PractiTest
from bot.sandbox.server import running

Fits = Callable[[dict[str, Any]], bool]

NIGHTS = {*range(40, 51), 54, 57}


@pytest.fixture
async def server() -> AsyncIterator[PractiTest]:
    made = PractiTest()
    async with running(made):
        yield made


async def rows(server: PractiTest, path: str) -> list[dict[str, Any]]:
    """All rows of a list, page after page; fails when the filter is refused or a parameter is not known."""
    found: list[dict[str, Any]] = []
    number: int | None = 1
    async with aiohttp.ClientSession(headers={"PTToken": server.token}) as session:
        while number:
            target = URL(f"{server.url}/api/v2/{path}&page[number]={number}", encoded=True)
            async with session.get(target) as answer:
                body = await answer.json()
                assert answer.status == 200, body
            found += body["data"]
            number = body["meta"]["next-page"]
    assert server.ignored == []
    return [{"id": int(row["id"]), **row["attributes"]} for row in found]


def home(server: PractiTest, row: dict[str, Any]) -> dict[str, Any]:
    """The row, with the number of its set where the wire has none."""
    run = server.account.runs.get(row["id"])
    place = server.account.instances.get(row["id"])
    return {"set": run.set_id if run else place.set_id if place else None, **row}


@pytest.mark.parametrize(
    ("path", "fits"),
    [
        ("projects/4566/runs.json?set-ids=55", lambda row: row["set"] == 55),
        ("projects/4566/runs.json?set-ids=55,54", lambda row: row["set"] in {54, 55}),
        ("projects/4566/runs.json?set-ids=55%2C54", lambda row: row["set"] in {54, 55}),
        ("projects/4566/runs.json?instance-ids=98142", lambda row: row["instance-id"] == 98142),
        ("projects/4566/runs.json?instance-ids=98142,98145", lambda row: row["instance-id"] in {98142, 98145}),
        ("projects/4566/runs.json?test-ids=80893", lambda row: row["test-id"] == 80893),
        ("projects/4566/runs.json?run-type=ManualRun", lambda row: row["run-type"] == "ManualRun"),
        ("projects/4566/runs.json?run-type=AutomatedRun", lambda row: row["run-type"] == "AutomatedRun"),
        ("projects/4566/runs.json?set-filter-id=323", lambda row: row["set"] in NIGHTS),
        ("projects/4566/runs.json?set-filter-id=324&set-filter-user-id=5381", lambda row: row["set"] == 55),
        (
            "projects/4566/runs.json?set-ids=55&run-type=ManualRun",
            lambda row: row["set"] == 55 and row["run-type"] == "ManualRun",
        ),
        ("projects/4566/instances.json?set-ids=55", lambda row: row["set-id"] == 55),
        ("projects/4566/instances.json?set_ids=55,57", lambda row: row["set-id"] in {55, 57}),
        ("projects/4566/instances.json?test-ids=80893", lambda row: row["test-id"] == 80893),
        ("projects/4566/instances.json?test-display-ids=1,2", lambda row: row["test-display-id"] in {1, 2}),
        ("projects/4566/instances.json?display-ids=16:1,16:2", lambda row: row["display-id"] in {"16:1", "16:2"}),
        ("projects/4566/instances.json?display-id=16:31", lambda row: row["display-id"] == "16:31"),
        ("projects/4566/instances.json?name_like=VOUCHER", lambda row: "voucher" in row["name"].lower()),
        ("projects/4566/instances.json?name_exact=Gift%20wrap", lambda row: row["name"] == "Gift wrap"),
        (
            "projects/4566/instances.json?set-filter-id=323&name_like=cart",
            lambda row: row["set"] in NIGHTS and "cart" in row["name"],
        ),
        ("projects/4566/sets.json?name_exact=UAT+cart", lambda row: row["id"] == 55),
        ("projects/4566/sets.json?name_like=nightly%20api", lambda row: row["name"].startswith("Nightly API ")),
        ("projects/4566/sets.json?display-ids=2,16", lambda row: row["display-id"] in {2, 16}),
        ("projects/4566/sets.json?filter-id=323", lambda row: row["name"].startswith("Nightly")),
        (
            "projects/4566/sets.json?filter-id=323&name_like=-1",
            lambda row: row["name"].startswith("Nightly") and "-1" in row["name"],
        ),
        ("projects/4566/sets.json?filter-id=324&filter-user-id=5381", lambda row: row["assigned-to-id"] == 5381),
        ("projects/4566/sets.json?filter-id=325&autofilter-value=4.2", lambda row: row["version"] == "4.2"),
        (
            "projects/4566/sets.json?filter-id=325&autofilter-value=4.2&sub-autofilter-value=2-high",
            lambda row: row["id"] == 55,
        ),
        ("projects/4566/tests.json?display-ids=1", lambda row: row["id"] == 80893),
        ("projects/4566/tests.json?name_like=voucher", lambda row: "voucher" in row["name"].lower()),
        ("projects/4566/step_runs.json?status=FAILED", lambda row: row["status"] == "FAILED"),
        ("projects/4566/step_runs.json?name_exact=Prepare", lambda row: row["name"] == "Prepare"),
        ("users.json?email=tom@acme.example", lambda row: row["id"] == 5381),
        ("users.json?active=true", lambda row: row["email"] != "ida@acme.example"),
    ],
)
async def test_filters_let_through_what_fits(server: PractiTest, path: str, fits: Fits) -> None:
    found = await rows(server, path)
    everything = await rows(server, path.partition("?")[0] + "?")
    assert found
    assert found == [row for row in everything if fits(home(server, row))]


@pytest.mark.parametrize(
    ("path", "count"),
    [
        ("projects/4566/instances.json?set-ids=55", 31),
        ("projects/4566/instances.json?set-ids=52", 250),
        ("projects/4566/sets.json?filter-id=323", 13),
        ("projects/4566/instances.json?test-ids=80893", 4),
        ("projects/4566/instances.json?set-ids=999999", 0),
        ("projects/4566/runs.json?set-ids=61", 0),
        ("projects/4566/sets.json?name_exact=uat%20cart", 0),
        ("projects/4566/sets.json?filter-id=324&filter-user-id=77", 0),
        ("users.json?email=nobody@acme.example", 0),
    ],
)
async def test_filters_count(server: PractiTest, path: str, count: int) -> None:
    assert len(await rows(server, path)) == count


async def test_a_blank_list_of_ids_filters_nothing(server: PractiTest) -> None:
    everything = await rows(server, "projects/4566/instances.json?")
    assert await rows(server, "projects/4566/instances.json?set-ids=") == everything


@pytest.mark.parametrize("hours", [1, 8, 24, 100])
async def test_runs_of_the_last_hours(server: PractiTest, hours: int) -> None:
    since = server.clock.now() - timedelta(hours=hours)
    found = await rows(server, f"projects/4566/runs.json?updated-hours-ago={hours}")
    everything = await rows(server, "projects/4566/runs.json?")
    assert found == [row for row in everything if datetime.fromisoformat(row["updated-at"]) >= since]
    assert len(everything) > len(found) > 0


@pytest.mark.parametrize("list_of", ["runs", "sets"])
async def test_runs_and_sets_come_newest_first(server: PractiTest, list_of: str) -> None:
    ids = [row["id"] for row in await rows(server, f"projects/4566/{list_of}.json?")]
    assert ids == sorted(ids, reverse=True)


async def test_step_runs_belong_to_their_run_in_order(server: PractiTest) -> None:
    manual = (await rows(server, "projects/4566/runs.json?set-ids=55&run-type=ManualRun"))[0]
    steps = await rows(server, f"projects/4566/step_runs.json?run-ids={manual['id']}")
    assert [step["position"] for step in steps] == [1, 2]
    assert {step["run-id"] for step in steps} == {manual["id"]}


@pytest.mark.parametrize(
    "path",
    [
        "runs.json?set-ids=1;2",
        "runs.json?test-ids=abc",
        "runs.json?run-type=Automated",
        "runs.json?updated-hours-ago=-1",
        "runs.json?updated-hours-ago=soon",
        "runs.json?set-filter-id=999",
        "runs.json?set-filter-id=324",
        "sets.json?filter-id=326",
        "sets.json?filter-id=324",
        "sets.json?display-ids=x",
        "instances.json?set-ids=55,,57",
        "step_runs.json?status=BROKEN",
    ],
)
async def test_wrong_filters_are_refused(server: PractiTest, path: str) -> None:
    async with (
        aiohttp.ClientSession(headers={"PTToken": server.token}) as session,
        session.get(f"{server.url}/api/v2/projects/4566/{path}") as answer,
    ):
        assert answer.status == 422
        assert (await answer.json())["errors"][0]["title"]
