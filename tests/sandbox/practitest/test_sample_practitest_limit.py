"""The sample PractiTest's limit of calls a minute: off unless asked for, exact when on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import aiohttp
import pytest

from bot.sandbox.practitest import PractiTest
from bot.sandbox.server import Clock, running

TEN = datetime(2026, 11, 20, 10, 0, 0, tzinfo=UTC)


class StillClock(Clock):
    """Time that stands still until it is moved."""

    def __init__(self) -> None:
        super().__init__()
        self.at = TEN

    def now(self) -> datetime:
        return self.at


async def statuses(server: PractiTest, calls: int, token: str = "") -> list[int]:
    async with aiohttp.ClientSession(headers={"PTToken": token or server.token}) as session:
        return [(await session.get(f"{server.url}/api/v2/projects.json")).status for _call in range(calls)]


async def test_nothing_is_limited_by_default() -> None:
    server = PractiTest(StillClock())
    async with running(server):
        assert await statuses(server, 40) == [200] * 40
    assert server.calls_per_minute == {TEN: 40}


async def test_thirty_calls_a_minute_and_not_one_more() -> None:
    clock = StillClock()
    server = PractiTest(clock, limit=30)
    async with running(server):
        assert await statuses(server, 33) == [200] * 30 + [429] * 3
        clock.at = TEN + timedelta(seconds=59, milliseconds=999)
        assert await statuses(server, 2) == [429] * 2
        clock.at = TEN + timedelta(minutes=1)
        assert await statuses(server, 31) == [200] * 30 + [429]
    assert server.calls_per_minute == {TEN: 35, TEN + timedelta(minutes=1): 31}
    assert server.limit.refused == {TEN: 5, TEN + timedelta(minutes=1): 1}


async def test_all_tokens_of_the_account_share_the_limit() -> None:
    server = PractiTest(StillClock(), limit=4, personal_tokens={"toms-token": 5381})
    async with running(server):
        assert await statuses(server, 3) == [200] * 3
        assert await statuses(server, 2, "toms-token") == [200, 429]


async def test_strangers_do_not_use_up_the_limit() -> None:
    server = PractiTest(StillClock(), limit=1)
    async with running(server):
        assert await statuses(server, 3, "wrong") == [401] * 3
        assert await statuses(server, 2) == [200, 429]


@pytest.mark.parametrize(
    ("seconds", "retry_after", "header"),
    [
        (0, False, None),
        (0, True, "60"),
        (59.2, True, "1"),
        (30.5, True, "30"),
    ],
)
async def test_retry_after_is_sent_only_when_asked_for(
    seconds: float,
    retry_after: bool,
    header: str | None,
) -> None:
    clock = StillClock()
    clock.at = TEN + timedelta(seconds=seconds)
    server = PractiTest(clock, limit=0, retry_after=retry_after)
    async with (
        running(server),
        aiohttp.ClientSession(headers={"PTToken": server.token}) as session,
        session.get(f"{server.url}/api/v2/projects.json") as answer,
    ):
        assert answer.status == 429
        assert answer.headers.get("Retry-After") == header
        assert (await answer.json())["errors"][0]["title"]
