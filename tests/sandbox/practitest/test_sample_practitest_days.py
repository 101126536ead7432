"""What comes in the sample PractiTest when the clock is moved, told through the wire."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest
from yarl import URL

from bot.sandbox.practitest import PractiTest
from bot.sandbox.practitest.statuses import roll_up
from bot.sandbox.server import Clock, running

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
LAST = 72


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
async def server() -> AsyncIterator[PractiTest]:
    made = PractiTest(StillClock())
    async with running(made):
        yield made


async def rows(server: PractiTest, path: str) -> list[dict[str, Any]]:
    """The attributes of what a list's first page holds, with their ids."""
    target = URL(f"{server.url}/api/v2/projects/4566/{path}", encoded=True)
    async with aiohttp.ClientSession(headers={"PTToken": server.token}) as session, session.get(target) as answer:
        return [{"id": int(row["id"]), **row["attributes"]} for row in (await answer.json())["data"]]


def go(server: PractiTest, moment: datetime) -> None:
    server.live_until(moment)
    server.clock.move_to(moment)


def morning(days: int) -> datetime:
    """08:00 UTC, so many days after the sample's."""
    return NOON + timedelta(days=days, hours=-4)


async def nights(server: PractiTest) -> list[dict[str, Any]]:
    """The sets that came, oldest first."""
    return sorted((row for row in await rows(server, "sets.json") if row["id"] > LAST), key=lambda row: row["id"])


@pytest.mark.parametrize(
    ("day", "status", "failing"),
    [
        (1, "FAILED", {"POST /checkout", "POST /checkout/voucher", "POST /payments", "POST /payments/{id}/refund"}),
        (2, "FAILED", {"POST /checkout/voucher", "PUT /stock/{sku}"}),
        (3, "PASSED", set()),
        (4, "FAILED", {"POST /checkout", "POST /checkout/voucher", "POST /payments", "POST /payments/{id}/refund"}),
    ],
)
async def test_each_kind_of_day_has_its_set(server: PractiTest, day: int, status: str, failing: set[str]) -> None:
    go(server, morning(day))
    found = await nights(server)
    places = await rows(server, f"instances.json?set-ids={found[-1]['id']}")
    assert len(found) == day
    assert found[-1]["name"] == f"Nightly API 2026-11-{20 + day}"
    assert found[-1]["run-status"] == status
    assert {place["name"] for place in places if place["run-status"] == "FAILED"} == failing
    assert len(places) == 24


async def test_the_failures_of_a_bad_day_share_an_error(server: PractiTest) -> None:
    go(server, morning(1))
    (night,) = await nights(server)
    runs = [run for run in await rows(server, f"runs.json?set-ids={night['id']}") if run["status"] == "FAILED"]
    outputs = Counter(run["automated-execution-output"] for run in runs)
    assert outputs.most_common(1) == [("HTTP 502 Bad Gateway from POST /checkout after 3 attempts", 3)]


async def test_on_a_mixed_day_one_test_passes_on_retry(server: PractiTest) -> None:
    go(server, morning(2))
    night = (await nights(server))[-1]
    runs = sorted(await rows(server, f"runs.json?set-ids={night['id']}"), key=lambda run: run["id"])
    tries = Counter(run["instance-id"] for run in runs)
    (place,) = [number for number, count in tries.items() if count == 2]
    assert [run["status"] for run in runs if run["instance-id"] == place] == ["FAILED", "PASSED"]


async def test_a_night_can_be_lived_through_step_by_step(server: PractiTest) -> None:
    seen = []
    for clock in ("02:29", "02:30", "02:38", "02:50"):
        go(server, datetime.fromisoformat(f"2026-11-21T{clock}+00:00"))
        found = await nights(server)
        runs = await rows(server, f"runs.json?set-ids={found[0]['id']}") if found else []
        seen.append((len(found), len(runs)))
    assert seen == [(0, 0), (1, 0), (1, 12), (1, 24)]


async def test_statuses_and_dates_agree(server: PractiTest) -> None:
    go(server, morning(7))
    account = server.account
    for each in account.sets.values():
        places = account.instances_of(each.id)
        assert each.run_status == roll_up(place.run_status for place in places)
        assert each.last_run == max((place.last_run for place in places if place.last_run), default=None)
    times = [run.created_at for _number, run in sorted(account.runs.items())]
    assert times == sorted(times)
    assert times[-1] <= server.clock.now()
    names = [each.name for each in account.sets.values() if each.project_id == 4566]
    assert len(set(names)) == len(names)


async def test_a_set_that_is_deleted_gets_no_more_runs(server: PractiTest) -> None:
    go(server, datetime(2026, 11, 21, 2, 35, tzinfo=UTC))
    (night,) = await nights(server)
    server.remove_set(night["id"])
    go(server, morning(1))
    assert await nights(server) == []
    assert all(run.set_id != night["id"] for run in server.account.runs.values())


async def test_time_that_merely_passes_brings_nothing(server: PractiTest) -> None:
    server.clock.move_to(morning(5))
    assert await nights(server) == []
