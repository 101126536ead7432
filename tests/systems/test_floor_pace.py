"""The pace keeps to the minute as the server sees it, thinks of people first, and loses no turn."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.systems._pace import Pace, TooLong
from tests.systems.floor_kit import gathered, now, play, settle

#: Wake-ups may come a millisecond late, and lateness adds up along a queue.
LATE_S = 0.012


def pace_of(per_minute: int | None, in_flight: int = 8) -> Pace:
    return Pace(per_minute, in_flight=in_flight, now=now)


@dataclass(frozen=True, slots=True)
class Job:
    """A call: comes `at`, the server sees it `seen` of the way through its `lasts` seconds."""

    at: float
    person: bool
    lasts: float
    seen: float = 0.5
    gives_up_after: float = math.inf


@dataclass(slots=True)
class Outcome:
    started: float | None = None
    seen: float | None = None
    ended: float | None = None


async def do(pace: Pace, job: Job, outcome: Outcome, began: float) -> None:
    await asyncio.sleep(began + job.at - now())
    async with pace.turn(person=job.person):
        outcome.started = now() - began
        outcome.seen = outcome.started + job.lasts * job.seen
        try:
            await asyncio.sleep(job.lasts)
        finally:
            outcome.ended = now() - began


async def do_all(pace: Pace, jobs: Sequence[Job], pauses: Sequence[tuple[float, float]]) -> list[Outcome]:
    began = now()
    loop = asyncio.get_running_loop()
    outcomes = [Outcome() for _ in jobs]
    tasks = [asyncio.create_task(do(pace, job, its, began)) for job, its in zip(jobs, outcomes, strict=True)]
    for job, task in zip(jobs, tasks, strict=True):
        if job.gives_up_after < math.inf:
            loop.call_at(began + job.at + job.gives_up_after, task.cancel)
    for at, seconds in pauses:
        loop.call_at(began + at, pace.pause, seconds)
    await gathered(*tasks)
    await asyncio.sleep(61)
    assert pace.used == 0
    return outcomes


def oracle(
    jobs: Sequence[Job], pauses: Sequence[tuple[float, float]], per_minute: int | None, in_flight: int
) -> list[float | None]:
    """When each should start: look at every moment anything can change, and at every call there ever was."""
    started: dict[int, float] = {}
    ended: dict[int, float] = {}
    gone: set[int] = set()
    even = -math.inf  # when the next background call is due, if they are spread evenly
    moments = {job.at for job in jobs} | {at for at, _ in pauses} | {at + seconds for at, seconds in pauses}
    moments |= {job.at + job.gives_up_after for job in jobs if job.gives_up_after < math.inf}
    while moments:
        t = min(moments)
        moments.discard(t)
        for index, job in enumerate(jobs):
            quits = job.at + job.gives_up_after
            if quits <= t and index not in started:
                gone.add(index)
        paused = any(at <= t < at + seconds for at, seconds in pauses)
        waiting = [i for i, job in enumerate(jobs) if job.at <= t and i not in started and i not in gone]
        for index in sorted(waiting, key=lambda i: (not jobs[i].person, jobs[i].at)):
            running = sum(ended[i] > t for i in started)
            counting = sum(ended[i] + 60 > t for i in started)
            fifth = not jobs[index].person
            most = in_flight - math.ceil(in_flight / 5) * fifth
            budget = math.inf if per_minute is None else per_minute - math.ceil(per_minute / 5) * fifth
            if paused or running >= max(1, most) or counting >= max(1, budget):
                break
            if fifth and per_minute is not None:
                share = max(1, per_minute - math.ceil(per_minute / 5))
                if counting >= share // 2 and t < even:
                    break
                even = t + 60 / share
                moments.add(even)
            started[index] = t
            ended[index] = min(t + jobs[index].lasts, max(t, jobs[index].at + jobs[index].gives_up_after))
            moments |= {ended[index], ended[index] + 60}
            # A call without any length has ended at this very moment, but the next one comes after it.
            moments.add(t + 1e-9)
    return [started.get(index) for index in range(len(jobs))]


WHOLE = st.integers(0, 150)
LASTS = st.sampled_from([1, 2, 3, 20, 61, 100])


@st.composite
def many_jobs(draw: st.DrawFn, *, quitters: bool) -> list[Job]:
    """No two come at the same moment, nor when a call may end, so that the order is beyond doubt."""
    jobs = []
    for index in range(draw(st.integers(1, 25))):
        quits = draw(st.one_of(st.just(math.inf), st.integers(0, 80))) + 0.525 if quitters else math.inf
        jobs.append(Job(draw(WHOLE) + index * 0.03, draw(st.booleans()), draw(LASTS), draw(st.floats(0, 1)), quits))
    return jobs


PAUSES = st.lists(st.tuples(WHOLE.map(lambda at: at + 0.015), st.integers(1, 90)), max_size=2)


@settings(max_examples=250, deadline=None)
@given(
    jobs=many_jobs(quitters=True),
    pauses=PAUSES,
    per_minute=st.sampled_from([None, 1, 2, 3, 5, 6, 10]),
    in_flight=st.sampled_from([1, 2, 5, 8]),
)
def test_every_turn_comes_when_a_brute_force_oracle_gives_it(
    jobs: list[Job], pauses: list[tuple[float, float]], per_minute: int | None, in_flight: int
) -> None:
    outcomes, _ = play(lambda: do_all(pace_of(per_minute, in_flight), jobs, pauses))
    expected = oracle(jobs, pauses, per_minute, in_flight)
    for job, outcome, due in zip(jobs, outcomes, expected, strict=True):
        assert (outcome.started is None) == (due is None), (job, outcome, due)
        assert outcome.started is None or due is None or abs(outcome.started - due) < LATE_S, (job, outcome, due)


@settings(max_examples=150, deadline=None)
@given(jobs=many_jobs(quitters=True), per_minute=st.integers(1, 7), in_flight=st.integers(1, 8))
def test_the_server_never_sees_more_than_the_minute_allows(jobs: list[Job], per_minute: int, in_flight: int) -> None:
    outcomes, _ = play(lambda: do_all(pace_of(per_minute, in_flight), jobs, ()))
    seen = sorted(
        outcome.seen
        for outcome in outcomes
        if outcome.seen is not None and outcome.ended is not None and outcome.seen <= outcome.ended
    )
    assert all(later - earlier >= 60 - 1e-6 for earlier, later in zip(seen, seen[per_minute:], strict=False))
    spans = [(o.started, o.ended) for o in outcomes if o.started is not None and o.ended is not None]
    assert all(sum(start <= at < end for start, end in spans) <= in_flight for at, _ in spans)


@settings(max_examples=150, deadline=None)
@given(jobs=many_jobs(quitters=False), per_minute=st.integers(1, 7), in_flight=st.integers(1, 8), pauses=PAUSES)
def test_nobody_is_sent_away_who_would_have_got_a_turn(
    jobs: list[Job], per_minute: int, in_flight: int, pauses: list[tuple[float, float]]
) -> None:
    async def ask(pace: Pace, job: Job, began: float) -> tuple[float, float]:
        """The wait that was foretold, and how long it was in the end."""
        await asyncio.sleep(began + job.at - now())
        came, foretold = now(), 0.0
        try:
            async with pace.turn(person=job.person, until=-math.inf):
                await asyncio.sleep(job.lasts)
                return 0.0, 0.0
        except TooLong as wait:
            foretold = wait.wait_s
        async with pace.turn(person=job.person):
            waited = now() - came
            await asyncio.sleep(job.lasts)
        return foretold, waited

    async def scene() -> list[tuple[float, float]]:
        pace, began = pace_of(per_minute, in_flight), now()
        for at, seconds in pauses:
            asyncio.get_running_loop().call_at(began + at, pace.pause, seconds)
        return await asyncio.gather(*(ask(pace, job, began) for job in jobs))

    waits, _ = play(scene)
    assert all(foretold <= waited + 1e-6 for foretold, waited in waits)


async def _starts(pace: Pace, asked: Sequence[tuple[str, bool]], lasts: float = 0.0) -> list[tuple[str, float]]:
    """Ask in this order at the same moment; names and start times in the order they got their turn."""
    began, order = now(), list[tuple[str, float]]()

    async def one(name: str, person: bool) -> None:
        async with pace.turn(person=person):
            order.append((name, round(now() - began, 1)))
            await asyncio.sleep(lasts)

    await asyncio.gather(*(one(name, person) for name, person in asked))
    return order


def test_people_go_first_and_each_in_the_order_they_came() -> None:
    asked = [("b1", False), ("b2", False), ("p1", True), ("b3", False), ("p2", True)]
    order, _ = play(lambda: _starts(pace_of(None, in_flight=1), asked, lasts=5))
    assert [name for name, _ in order] == ["b1", "p1", "p2", "b2", "b3"]


@pytest.mark.parametrize(
    ("per_minute", "person", "at_once"),
    [(30, True, 30), (30, False, 12), (5, False, 2), (4, False, 1), (2, False, 1), (1, False, 1), (1, True, 1)],
)
def test_background_work_begins_with_half_of_its_share(per_minute: int, person: bool, at_once: int) -> None:
    asked = [(str(number), person) for number in range(40)]
    order, _ = play(lambda: _starts(pace_of(per_minute, in_flight=100), asked))
    assert sum(at < 1 for _, at in order) == at_once


@pytest.mark.parametrize(
    ("per_minute", "person", "a_minute"),
    [(30, True, 30), (30, False, 24), (5, False, 4), (4, False, 3), (2, False, 1), (1, False, 1), (1, True, 1)],
)
def test_background_work_leaves_a_fifth_of_the_minute_to_people(per_minute: int, person: bool, a_minute: int) -> None:
    asked = [(str(number), person) for number in range(10 * a_minute)]
    order, _ = play(lambda: _starts(pace_of(per_minute, in_flight=100), asked))
    starts = [at for _, at in order]
    assert max(sum(at <= each < at + 59.9 for each in starts) for at in starts) == a_minute


@pytest.mark.parametrize(("person", "together"), [(True, 8), (False, 6)])
def test_background_work_leaves_a_fifth_of_the_calls_in_flight_to_people(person: bool, together: int) -> None:
    order, _ = play(lambda: _starts(pace_of(None), [(str(number), person) for number in range(20)], lasts=10))
    assert sum(at < 1 for _, at in order) == together


def test_a_person_is_not_held_up_by_the_alarm_clock_of_background_work() -> None:
    """Background work waits for the 7th place to get free, the person who comes later only for the 1st."""

    async def scene() -> float:
        pace, began = pace_of(30, in_flight=100), now()
        for _ in range(30):
            async with pace.turn():
                await asyncio.sleep(1)
        waiting = asyncio.create_task(_starts(pace, [("b", False)]))
        await settle()
        async with pace.turn():
            got = now() - began
        await waiting
        return got

    got, _ = play(scene)
    assert got == pytest.approx(61, abs=LATE_S)


@pytest.mark.parametrize(
    ("per_minute", "used", "waiting", "person", "wait_s"),
    [
        (2, 2, 0, True, 60.0),
        (2, 2, 1, True, 60.0),
        (2, 2, 2, True, 120.0),
        (2, 2, 5, True, 180.0),
        (5, 5, 0, False, 60.0),
        (5, 4, 0, False, 60.0),
        (10, 10, 9, True, 60.0),
        (10, 10, 10, True, 120.0),
    ],
)
def test_who_would_wait_too_long_is_told_at_once_how_long(
    per_minute: int, used: int, waiting: int, person: bool, wait_s: float
) -> None:
    async def scene() -> tuple[float, float]:
        pace = pace_of(per_minute, in_flight=100)
        for _ in range(used):
            async with pace.turn():
                pass
        crowd = [asyncio.create_task(_starts(pace, [("w", person)])) for _ in range(waiting)]
        await settle()
        asked = now()
        with pytest.raises(TooLong) as caught:
            async with pace.turn(person=person, until=asked + wait_s - 0.5):
                raise AssertionError("a turn too early")
        told = now() - asked
        async with pace.turn(person=person, until=asked + wait_s + 0.5):
            pass
        await asyncio.gather(*crowd)
        return told, caught.value.wait_s

    (told, wait), _ = play(scene)
    assert told == 0
    assert wait == pytest.approx(wait_s)


def test_a_pause_holds_everybody_and_tells_at_once_those_who_cannot_wait() -> None:
    async def scene() -> list[object]:
        pace = pace_of(1, in_flight=100)
        said: list[object] = []

        async def one(name: str, until: float, *, person: bool) -> None:
            began = now()
            try:
                async with pace.turn(person=person, until=now() + until):
                    said.append((name, "turn", round(now() - began)))
            except TooLong as wait:
                said.append((name, round(wait.wait_s), round(now() - began)))

        await one("first", 1, person=True)
        jobs = [one("hasty", 70, person=True), one("patient", 500, person=True), one("slow", 900, person=False)]
        tasks = [asyncio.create_task(job) for job in jobs]
        await asyncio.sleep(10)
        pace.pause(300)
        pace.pause(5)
        await settle()
        said.append("paused")
        await one("late", 200, person=True)
        await asyncio.gather(*tasks)
        return said

    said, _ = play(scene)
    assert said == [
        ("first", "turn", 0),
        ("hasty", 300, 10),
        "paused",
        ("late", 360, 0),
        ("patient", "turn", 310),
        ("slow", "turn", 370),
    ]


@pytest.mark.parametrize("turns", range(8))
def test_giving_up_at_any_moment_loses_no_turn(turns: int) -> None:
    """Three ask, one is in flight; each of them gives up after so many turns of the loop, all ways round."""

    async def scene() -> int:
        pace = pace_of(None, in_flight=1)
        order: list[int] = []

        async def one(number: int) -> None:
            async with pace.turn():
                order.append(number)
                await settle(3)

        for first in range(3):
            tasks = [asyncio.create_task(one(number)) for number in range(4)]
            await settle(turns)
            tasks[first].cancel()
            await settle(turns)
            tasks[first + 1].cancel()
            await gathered(*tasks)
            assert pace.used == 0
            assert {2, 3, 1, 0} - set(order) <= {first, first + 1}
        return len(order)

    play(scene)


def test_a_turn_that_came_together_with_the_cancellation_goes_to_the_next() -> None:
    async def scene() -> list[str]:
        pace, order = pace_of(None, in_flight=1), list[str]()

        async def one(name: str) -> None:
            async with pace.turn():
                order.append(name)

        async with pace.turn():
            lost, next_one = asyncio.create_task(one("lost")), asyncio.create_task(one("next"))
            await settle()
        lost.cancel()  # its turn has been given to it by now, but it has not noticed yet
        await gathered(lost, next_one)
        return order

    order, _ = play(scene)
    assert order == ["next"]


def test_nothing_is_left_behind_when_everybody_gives_up() -> None:
    async def scene() -> float:
        pace = pace_of(1)
        pace.pause(600)
        tasks = [asyncio.create_task(_starts(pace, [("x", True)])) for _ in range(50)]
        await settle()
        for task in tasks:
            task.cancel()
        await gathered(*tasks)
        await settle()
        assert len(asyncio.all_tasks()) == 1
        return now()

    _, played = play(scene)
    assert played.seconds == 0


def test_an_error_inside_a_turn_gives_it_back() -> None:
    async def scene() -> int:
        pace = pace_of(None, in_flight=1)
        with pytest.raises(KeyError):
            async with pace.turn():
                raise KeyError
        return pace.used

    assert play(scene)[0] == 0


@pytest.mark.parametrize(("per_minute", "in_flight"), [(0, 8), (-1, 8), (None, 0)])
def test_a_pace_without_calls_is_refused(per_minute: int | None, in_flight: int) -> None:
    with pytest.raises(ValueError, match="without any calls"):
        Pace(per_minute, in_flight=in_flight)
