"""The clock of digests: each slot is made once, in time or as soon as can be, whatever happens to the time of day."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.domain.digests import DigestPlan, Slot, Timing
from bot.schedule.clock import AGAIN, AT_ONCE, DueClock
from tests.storage.opening import Clock

#: A Friday; digests are due at nine.
DAY = datetime(2026, 11, 20, tzinfo=UTC)
NINE = Timing("0 9 * * *", "UTC", "daily at 09:00")
HOURLY = Timing("0 * * * *", "UTC", "cron 0 * * * *")
YEARLY = Timing("0 9 1 1 *", "UTC", "cron 0 9 1 1 *")


def at(hour: float, day: int = 20) -> datetime:
    return DAY.replace(day=day) + timedelta(hours=hour)


def plan(name: str = "a", timing: Timing = NINE, **more: Any) -> DigestPlan:
    known: dict[str, Any] = {"made_at": at(8, day=1), "since": at(9.01, day=19), **more}
    return DigestPlan(id=name, team="T1", channel="C1", name=name, owner="U1", owner_name="Ana", timing=timing, **known)


@dataclass
class Made:
    """What was made, as `plan slot skipped`. A plan's making waits for `gates`, and fails or is another's first."""

    said: list[str] = field(default_factory=list)
    begun: list[str] = field(default_factory=list)
    done: set[tuple[str, str]] = field(default_factory=set)
    gates: dict[str, asyncio.Event] = field(default_factory=dict)
    fails: dict[str, int] = field(default_factory=dict)
    others: dict[str, int] = field(default_factory=dict)
    news: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, it: DigestPlan, slot: Slot, skipped: int) -> bool:
        self.begun.append(it.id)
        if it.id in self.gates:
            await self.gates[it.id].wait()
        if self.fails.get(it.id, 0):
            self.fails[it.id] -= 1
            raise ValueError("it can't be made")
        if self.others.get(it.id, 0):
            self.others[it.id] -= 1
            return False
        if (it.id, slot.key) not in self.done:  # as the claim of a slot has it
            self.done.add((it.id, slot.key))
            self.said.append(f"{it.id} {slot.key[8:]}" + (f" +{skipped}" if skipped else ""))
            self.news.set()
        return True


@asynccontextmanager
async def clock(now: Clock, *plans: DigestPlan, made: Made | None = None) -> AsyncIterator[tuple[DueClock, Made]]:
    it = made or Made()
    due = DueClock(it, now)
    due.start(plans)
    try:
        yield due, it
    finally:
        due.stop()


async def looked(due: DueClock) -> None:
    due.look()
    await due.finished()


@pytest.mark.parametrize(
    ("times", "said"),
    [
        ([at(8.9)], []),
        ([at(9)], ["a 20T09:00"]),
        ([at(9), at(9), at(9.5), at(20)], ["a 20T09:00"]),
        ([at(9.05)], ["a 20T09:00"]),
        ([at(9), at(9, 21), at(9, 22)], ["a 20T09:00", "a 21T09:00", "a 22T09:00"]),
        # the loop was blocked, or the machine slept: ten slots are one
        ([at(9.5, 29)], ["a 29T09:00 +9"]),
        # forward, and back again: nothing twice, nothing lost
        ([at(9), at(8), at(9)], ["a 20T09:00"]),
        ([at(9, 21), at(8), at(9), at(9, 21), at(9, 22)], ["a 21T09:00 +1", "a 20T09:00", "a 22T09:00"]),
        ([at(8), at(7), at(9)], ["a 20T09:00"]),
        ([at(9), at(9, 19), at(9), at(9, 21)], ["a 20T09:00", "a 21T09:00"]),
    ],
)
async def test_a_slot_is_made_once_when_it_has_come_whatever_the_clock_does(
    times: list[datetime], said: list[str]
) -> None:
    now = Clock(at(8))
    async with clock(now, plan()) as (due, made):
        for moment in times:
            now.now = moment
            await looked(due)
        assert made.said == said


async def test_an_hourly_one_loses_no_hour_to_a_clock_that_went_forward_a_day_and_back() -> None:
    now = Clock(at(8.5))
    async with clock(now, plan("a", HOURLY, since=at(8.1))) as (due, made):
        for moment in (at(8.6, 21), *(at(hour / 2) for hour in range(17, 60))):
            now.now = moment
            await looked(due)
        keys = [each.split()[1] for each in made.said]
        today, tomorrow = [f"20T{hour:02}:00" for hour in range(9, 24)], [f"21T{hour:02}:00" for hour in range(6)]
        assert sorted(keys) == [*today, *tomorrow, "21T08:00"]


@pytest.mark.parametrize(
    ("it", "now", "said"),
    [
        (plan(), at(9), ["a 20T09:00"]),
        (plan(), at(9.1), ["a 20T09:00"]),
        (plan(), at(8.9), []),
        (plan(since=at(9.01, 10)), at(21.5), ["a 20T09:00 +9"]),
        (plan(since=None, made_at=at(9.5, 19)), at(10), ["a 20T09:00"]),
        (plan(since=None, made_at=at(9.5)), at(10), []),
        (plan(since=at(9.01)), at(10), []),
        (plan(since=at(9, 28)), at(10), []),  # told by a clock that was ahead
        (plan(paused_until=at(0, 24)), at(10), []),
        (plan(paused_until=at(9.5)), at(10), []),  # what came while it was paused was not missed
        (plan(paused_until=at(8.5)), at(10), ["a 20T09:00"]),
        (plan(paused_until=at(9)), at(10), ["a 20T09:00"]),
        (plan(parked="is_archived"), at(10), []),
        (
            plan(timing=Timing("0 9 1 1 *", "UTC", ""), made_at=DAY.replace(year=2025), since=None),
            at(10),
            ["a 01T09:00"],
        ),
    ],
)
async def test_what_was_missed_while_nobody_was_there_is_caught_up_once(
    it: DigestPlan, now: datetime, said: list[str]
) -> None:
    async with clock(Clock(now), it) as (due, made):
        await due.finished()
        await looked(due)
        assert made.said == said


LATER = Timing("0 11 * * *", "UTC", "daily at 11:00")


@pytest.mark.parametrize(
    ("happens", "said"),
    [
        (lambda due: None, ["a 20T09:00"]),
        (lambda due: due.removed("a"), []),
        (lambda due: due.changed(plan(timing=LATER)), ["a 20T11:00"]),
        (lambda due: due.changed(plan(paused_until=at(0, 24))), []),
        (lambda due: due.changed(plan(paused_until=at(9))), ["a 20T09:00"]),
        (lambda due: (due.changed(plan(paused_until=at(0, 24))), due.changed(plan())), ["a 20T09:00"]),
        (lambda due: due.changed(plan(parked="is_archived")), []),
        (lambda due: (due.changed(plan(parked="x")), due.changed(plan())), ["a 20T09:00"]),
        (lambda due: (due.removed("a"), due.changed(plan())), ["a 20T09:00"]),
        (lambda due: due.changed(plan("b")), ["a 20T09:00", "b 20T09:00"]),
        (lambda due: due.changed(plan("b", Timing("0 9 31 2 *", "UTC", "never"))), ["a 20T09:00"]),
        (lambda due: due.changed(plan("b", Timing("nonsense", "Nowhere", ""))), ["a 20T09:00"]),
    ],
)
async def test_plans_may_change_while_they_wait(happens: Callable[[DueClock], object], said: list[str]) -> None:
    now = Clock(at(8.5))
    async with clock(now, plan()) as (due, made):
        happens(due)
        for hour in (9, 10, 11, 12):
            now.now = at(hour)
            await looked(due)
        assert made.said == said


async def test_it_can_be_asked_what_waits() -> None:
    now = Clock(at(8.5))
    async with clock(now, plan(), plan("b", LATER, since=at(11.01, 19)), plan("c", parked="x")) as (due, _):
        assert len(due) == 2
        assert due.next_of("b") == Slot("2026-11-20T11:00", at(11))
        assert due.next_of("c") is None
        due.removed("b")
        assert (len(due), due.next_of("b")) == (1, None)


async def test_a_digest_that_takes_longer_than_its_plan_waits_is_followed_by_one() -> None:
    now = Clock(at(8.5))
    made = Made(gates={"a": asyncio.Event()})
    async with clock(now, plan("a", HOURLY, since=at(8.1)), plan("b"), made=made) as (due, _):
        for hour in (9, 10, 11, 12):
            now.now = at(hour)
            due.look()
            await asyncio.sleep(0)
        made.gates["a"].set()
        await due.finished()
        assert made.begun.count("a") == 2
        assert made.said == ["b 20T09:00", "a 20T09:00", "a 20T12:00 +2"]


@pytest.mark.parametrize("why", ["fails", "others"])
async def test_a_slot_that_was_not_made_is_taken_up_again_and_the_others_go_on(
    why: str, caplog: pytest.LogCaptureFixture
) -> None:
    now = Clock(at(8.5))
    made = Made(fails={"a": 2}) if why == "fails" else Made(others={"a": 2})
    with caplog.at_level(logging.CRITICAL):
        async with clock(now, plan(), plan("b"), made=made) as (due, _):
            now.now = at(9)
            await looked(due)
            assert made.said == ["b 20T09:00"]
            now.now += AGAIN - timedelta(seconds=1)
            await looked(due)
            assert made.begun.count("a") == 1, "their lease may not be over"
            for _ in range(4):
                now.now += AGAIN
                await looked(due)
            assert made.said == ["b 20T09:00", "a 20T09:00"]
            assert made.begun.count("a") == 3


async def test_a_slot_that_waits_to_be_taken_up_again_gives_way_to_a_later_one_and_to_a_removal() -> None:
    now = Clock(at(8.5))
    made = Made(others={"a": 1, "b": 9})
    async with clock(now, plan("a", HOURLY, since=at(8.1)), plan("b"), made=made) as (due, _):
        now.now = at(9)
        await looked(due)
        due.removed("b")
        now.now = at(10.5)
        await looked(due)
        now.now = at(10.6)
        await looked(due)
        assert made.said == ["a 20T10:00"]
        assert made.begun.count("b") == 1


async def test_so_many_are_made_at_a_time_and_none_is_missed() -> None:
    now = Clock(at(8.5))
    gate = asyncio.Event()
    made = Made(gates={f"p{number}": gate for number in range(50)})
    async with clock(now, *(plan(f"p{number}") for number in range(50)), made=made) as (due, _):
        now.now = at(9)
        due.look()
        await asyncio.sleep(0)
        assert len(made.begun) == AT_ONCE
        gate.set()
        await due.finished()
        assert len(made.said) == len(set(made.said)) == 50


async def test_ten_thousand_that_are_due_at_once_are_all_made() -> None:
    now = Clock(at(8.5))
    async with clock(now, *(plan(f"p{number}") for number in range(10_000))) as (due, made):
        now.now = at(9)
        await looked(due)
        assert len(made.done) == len(made.said) == 10_000
        assert len(due) == 10_000, "all of them wait for the next day"


async def test_it_is_let_go_of_while_one_is_made() -> None:
    now = Clock(at(8.5))
    made = Made(gates={"a": asyncio.Event()})
    async with clock(now, plan(), made=made) as (due, _):
        now.now = at(9)
        due.look()
        await asyncio.sleep(0)
        due.stop()
        async with asyncio.timeout(5):
            await due.finished()
        assert (made.begun, made.said) == (["a"], [])


# ── with the machine's own time: what wakes us is APScheduler ──


@dataclass
class Shifted:
    """The machine's time, moved so that it is a moment before nine."""

    before_s: float

    def __post_init__(self) -> None:
        self.shift = at(9) - timedelta(seconds=self.before_s) - datetime.now(UTC)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.shift


async def woken(made: Made, several: int) -> None:
    async with asyncio.timeout(10):
        while len(made.said) < several:
            made.news.clear()
            await made.news.wait()


async def test_it_wakes_in_time_by_itself() -> None:
    now = Shifted(0.2)
    made = Made()
    due = DueClock(made, now)
    due.start([plan(), plan("b"), plan("c", LATER, since=at(11.01, 19))])
    try:
        assert made.said == []
        await woken(made, 2)
        assert now() - at(9) < timedelta(seconds=2)
        assert sorted(made.said) == ["a 20T09:00", "b 20T09:00"]
    finally:
        due.stop()


async def test_it_wakes_for_a_plan_that_is_made_later_and_for_what_comes_after_it() -> None:
    now = Shifted(0.3)
    made = Made()
    due = DueClock(made, now)
    due.start([plan("c", LATER, since=at(11.01, 19))])
    try:
        due.changed(plan())
        await woken(made, 1)
        assert due._scheduler is not None
        job = due._scheduler.get_job("due")
        assert abs(job.next_run_time - (at(11) - now.shift)) < timedelta(seconds=1), "it is armed for the next"
    finally:
        due.stop()


async def test_a_loop_that_was_blocked_over_the_time_makes_it_late() -> None:
    now = Shifted(0.1)
    made = Made()
    due = DueClock(made, now)
    due.start([plan()])
    try:
        await asyncio.sleep(0)
        time.sleep(1.3)  # noqa: ASYNC251 - the loop is blocked: APScheduler's default grace is one second
        await woken(made, 1)
        assert made.said == ["a 20T09:00"]
    finally:
        due.stop()


async def test_a_restart_after_it_was_made_makes_it_no_second_time() -> None:
    now = Clock(at(8.5))
    made = Made()
    async with clock(now, plan(), made=made) as (due, _):
        now.now = at(9)
        await looked(due)
    async with clock(now, replace(plan(), since=at(9.001)), made=made) as (due, _):
        await looked(due)
    assert made.said == ["a 20T09:00"]
