"""Clocks that are set, loops that stand still, digests that take too long: the clock of digests on a real file."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from bot.domain.digests import DigestPlan, Timing
from bot.presenters.message import Message
from bot.schedule.clock import AGAIN, DueClock
from bot.schedule.digesting import Digesting
from bot.storage.history import StoredHistory
from bot.storage.outbox import StoredOutbox
from bot.storage.plans import StoredPlans
from bot.usecases.systems import Systems
from tests.storage.opening import Clock, database

DAY = datetime(2026, 11, 20, tzinfo=UTC)
DAILY = Timing("0 9 * * *", "UTC", "daily at 09:00")
HOURLY = Timing("0 * * * *", "UTC", "cron 0 * * * *")


def at(hour: float, day: int = 20) -> datetime:
    return DAY.replace(day=day) + timedelta(hours=hour)


def plan(name: str, timing: Timing, since: datetime) -> DigestPlan:
    return DigestPlan(
        id=name,
        team="T1",
        channel="C1",
        name=name,
        owner="U1",
        owner_name="Ana",
        timing=timing,
        made_at=at(8, day=1),
        since=since,
        ask="list",
    )


@dataclass
class Office:
    """What wakes for digests and makes them, on a file. A digest's answer waits for `gate`."""

    now: Clock
    due: DueClock
    plans: StoredPlans
    outbox: StoredOutbox
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    begun: list[str] = field(default_factory=list)

    async def at(self, *moments: datetime) -> None:
        """It is these moments, one after the other; what is due at each is done."""
        for moment in moments:
            self.now.now = moment
            self.due.look()
            await self.due.finished()

    async def told(self, name: str = "a") -> dict[str, str]:
        """What was put into the outbox: slot → all its words, oldest slot first."""
        parcels = await self.outbox.about(name, most=1000)
        assert len({each.key for each in parcels}) == len(parcels)
        return {each.slot[8:]: str(json.loads(each.body)) for each in sorted(parcels, key=lambda one: one.slot)}


@asynccontextmanager
async def office(start: datetime, *plans: DigestPlan) -> AsyncIterator[Office]:
    now = Clock(start)
    async with database() as file:
        stored, outbox = StoredPlans(file, now), StoredOutbox(file, now)
        for each in plans:
            assert await stored.add(each)

        async def answer(asked: DigestPlan) -> Message:
            it.begun.append(asked.id)
            await it.gate.wait()
            return Message("3 runs failed", [{"type": "section", "text": {"type": "mrkdwn", "text": "3 runs failed"}}])

        digesting = Digesting(
            plans=stored,
            systems=Systems([]),
            history=StoredHistory(file, now),
            ring=lambda: None,
            ask=answer,
            now=now,
        )
        it = Office(now, DueClock(digesting.make, now), stored, outbox)
        it.gate.set()
        it.due.start(plans)
        try:
            yield it
        finally:
            it.due.stop()


# ── F76, F77: late ──


@pytest.mark.parametrize(
    ("late", "words"),
    [
        (timedelta(seconds=3), ""),
        (timedelta(minutes=1), ""),
        (timedelta(minutes=3), "3 min late"),
        (timedelta(minutes=7), "7 min late"),
        (timedelta(hours=11, minutes=55), "11 h 55 min late"),
    ],
)
async def test_a_loop_that_stood_still_over_the_time_makes_it_late_once_and_it_says_so(
    late: timedelta, words: str
) -> None:
    async with office(at(8.9), plan("a", DAILY, at(9.01, 19))) as it:
        await it.at(at(9) + late, at(9) + late + AGAIN)
        told = await it.told()
        assert list(told) == ["20T09:00"]
        assert (words in told["20T09:00"]) if words else ("late" not in told["20T09:00"])


# ── F79: the system's clock is set ──


@pytest.mark.parametrize(
    ("moments", "slots"),
    [
        pytest.param(
            [at(9), at(8), at(8.5), at(9), at(9.5), at(9, 21)],
            ["20T09:00", "21T09:00"],
            id="back an hour, right after nine",
        ),
        pytest.param([at(8.99), at(7.99), at(9), at(9, 21)], ["20T09:00", "21T09:00"], id="back an hour, before nine"),
        pytest.param(
            [at(9), at(9, 19), at(10, 19), at(9), at(9, 21)],
            ["20T09:00", "21T09:00"],
            id="back a day, right after nine",
        ),
        pytest.param(
            [at(9, 21), at(9.1), at(9, 21), at(9, 22)],
            ["21T09:00, 1 before it was missed", "22T09:00"],
            id="forward a day, and back after nine",
        ),
        pytest.param(
            [at(8.5, 21), at(8.6), at(9), at(9, 21)],
            ["20T09:00", "21T09:00"],
            id="forward a day, and back before nine",
        ),
        pytest.param(
            [at(9, 21), at(9, 22)],
            ["21T09:00, 1 before it was missed", "22T09:00"],
            id="forward a day for good",
        ),
    ],
)
async def test_a_clock_that_is_set_doubles_no_digest_and_loses_none(
    moments: Sequence[datetime], slots: list[str]
) -> None:
    async with office(at(8.5), plan("a", DAILY, at(9.01, 19))) as it:
        await it.at(*moments)
        told = await it.told()
        missed = "1 before it was missed"
        assert [f"{slot}, {missed}" if missed in words else slot for slot, words in told.items()] == slots


@pytest.mark.parametrize("jump", [timedelta(hours=1), timedelta(days=1)], ids=["an hour", "a day"])
async def test_an_hourly_digest_comes_once_an_hour_after_the_clock_was_set_back(jump: timedelta) -> None:
    async with office(at(8.5), plan("a", HOURLY, at(8.1))) as it:
        await it.at(at(9), at(10), at(11))
        again = [at(11) - jump + timedelta(minutes=20 * step) for step in range(3 * 30)]
        await it.at(*again)
        told = list(await it.told())
        # hours before the first one may be told for the first time now; none is told twice, none since is left out
        assert [slot for slot in told if slot >= "20T09:00"] == [
            f"{moment:%dT%H:00}" for moment in (at(hour) for hour in range(9, 60)) if moment <= again[-1]
        ]


async def test_a_clock_that_went_forward_a_day_makes_one_digest_of_an_hourly_one_and_not_twenty_four() -> None:
    async with office(at(8.5), plan("a", HOURLY, at(8.1))) as it:
        await it.at(at(8.6, 21))
        told = await it.told()
        assert list(told) == ["21T08:00"]
        assert "23 before it were missed" in told["21T08:00"]


async def test_a_digest_made_by_a_clock_that_was_ahead_does_not_keep_the_next_ones_back() -> None:
    async with office(at(8.5), plan("a", DAILY, at(9.01, 19))) as it:
        await it.at(at(9.01, 27), at(8))
        ahead = await it.plans.get("a")
        assert ahead is not None
        assert ahead.since == at(9.01, 27)
        await it.at(at(9), at(9, 21))
        assert list(await it.told()) == ["20T09:00", "21T09:00", "27T09:00"]


# ── F81: the last one is still being made ──


async def test_while_a_digest_is_made_the_next_ones_wait_and_one_follows_that_says_what_was_missed() -> None:
    async with office(at(8.5), plan("a", HOURLY, at(8.1)), plan("b", HOURLY, at(8.1))) as it:
        it.gate.clear()
        for hour in (9, 10, 11):
            it.now.now = at(hour)
            it.due.look()
            await _until(lambda: {"a", "b"} <= set(it.begun))
        assert sorted(it.begun) == ["a", "b"], "none is begun on top of another"
        it.gate.set()
        await it.due.finished()
        assert sorted(it.begun) == ["a", "a", "b", "b"]
        told = await it.told()
        assert list(told) == ["20T09:00", "20T11:00"]
        assert "1 before it was missed" in told["20T11:00"]
        await it.at(at(12))
        assert list(await it.told()) == ["20T09:00", "20T11:00", "20T12:00"]


async def _until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not holds():  # noqa: ASYNC110  the writer thread is waited for
            await asyncio.sleep(0.005)
