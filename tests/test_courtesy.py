"""Work that nobody waits for takes turns, stands still while somebody is answered, and is done all the same."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Callable
from itertools import pairwise

import anyio
import pytest

from bot.courtesy import ROUNDS, Courtesy

BUSY_S = 0.001


async def rounds(several: int) -> None:
    for _ in range(several):
        await asyncio.sleep(0)


class Busy:
    """Tasks that always have something to do, and how many of their steps were taken."""

    def __init__(self, courtesy: Courtesy, tasks: int, step_s: float = BUSY_S) -> None:
        self.steps = 0
        self._step_s = step_s
        self.tasks = [courtesy.begin(self._work(), name=f"busy {number}") for number in range(tasks)]

    async def _work(self) -> None:
        while True:
            self.steps += 1
            begun = time.perf_counter()
            while time.perf_counter() - begun < self._step_s:
                pass
            await asyncio.sleep(0)

    async def until(self, steps: int) -> None:
        while self.steps < steps:  # noqa: ASYNC110  an event would be set within a step
            await asyncio.sleep(0)

    async def ends(self) -> None:
        for task in self.tasks:
            task.cancel()
        assert {type(each) for each in await asyncio.gather(*self.tasks, return_exceptions=True)} == {
            asyncio.CancelledError
        }


async def test_between_two_turns_the_loop_goes_round_without_such_work() -> None:
    busy = Busy(Courtesy(), 50)
    await busy.until(100)
    seen = []
    for _ in range(20 * (ROUNDS + 1)):
        await asyncio.sleep(0)
        seen.append(busy.steps)
    steps = [after - before for before, after in pairwise(seen)]
    assert max(steps) == 1  # a step that is longer than a turn is alone in it
    assert sum(steps) <= 20 + 1
    await busy.ends()


async def test_nothing_of_it_goes_on_while_somebody_is_answered() -> None:
    courtesy = Courtesy()
    busy = Busy(courtesy, 50)
    await busy.until(100)

    @courtesy.first
    async def answer(question: str) -> tuple[str, int]:
        before = busy.steps
        await rounds(5 * ROUNDS)
        return question.upper(), busy.steps - before

    assert await answer("when?") == ("WHEN?", 0)
    await busy.until(busy.steps + 100)  # and then it does
    await busy.ends()


async def test_an_answer_that_hangs_holds_nothing_up() -> None:
    courtesy = Courtesy()
    busy = Busy(courtesy, 3)

    @courtesy.first
    async def hang() -> None:
        await busy.until(busy.steps + 200)

    async with asyncio.timeout(30):
        await hang()
    await busy.ends()


async def test_a_request_that_fails_is_over_too() -> None:
    courtesy = Courtesy()
    busy = Busy(courtesy, 3)

    @courtesy.first
    async def fail() -> None:
        raise ValueError("no")

    for _ in range(3):
        with pytest.raises(ValueError, match="no"):
            await fail()
    begun = time.perf_counter()
    await busy.until(busy.steps + 10)
    assert time.perf_counter() - begun < 5
    await busy.ends()


async def test_short_steps_share_a_turn() -> None:
    busy = Busy(Courtesy(), 500, step_s=0)
    await busy.until(5_000)
    most = 0
    for _ in range(10 * ROUNDS):
        before = busy.steps
        await asyncio.sleep(0)
        most = max(most, busy.steps - before)
    assert most > 1
    await busy.ends()


async def test_each_gets_its_turn_in_the_order_they_asked() -> None:
    courtesy = Courtesy()
    steps: list[int] = []

    async def work(number: int) -> None:
        for _ in range(3):
            steps.append(number)
            time.sleep(BUSY_S)  # noqa: ASYNC251  it is work
            await asyncio.sleep(0)

    await asyncio.gather(*(courtesy.begin(work(number), name="") for number in range(10)))
    assert steps == [*range(10)] * 3


async def _result(courtesy: Courtesy) -> object:
    return await courtesy.begin(_of_child(lambda: 7), name="")


async def _error(courtesy: Courtesy) -> object:
    def fail() -> int:
        raise LookupError("gone")

    with pytest.raises(LookupError, match="gone"):
        await courtesy.begin(_of_child(fail), name="")
    return 7


async def _of_child(give: Callable[[], int]) -> int:
    async with asyncio.timeout(5):
        return (await asyncio.gather(_later(give)))[0]


async def _later(give: Callable[[], int]) -> int:
    await asyncio.sleep(0.001)
    return give()


async def _cancelled(courtesy: Courtesy) -> object:
    async def work() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    begun, ended = asyncio.Event(), asyncio.Event()
    task = courtesy.begin(work(), name="")
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    return 7 if ended.is_set() else 0


async def _timed_out(courtesy: Courtesy) -> object:
    async def work() -> int:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.001):
                await asyncio.Event().wait()
        return 7

    return await courtesy.begin(work(), name="")


async def _of_anyio(courtesy: Courtesy) -> object:
    """The library that httpx does its calls with; it looks into tasks."""

    async def work() -> int:
        async with anyio.create_task_group() as group:
            group.start_soon(anyio.sleep, 60)
            await anyio.sleep(0.001)
            group.cancel_scope.cancel()
        task = asyncio.current_task()
        assert task is not None
        return 7 if inspect.getcoroutinestate(task.get_coro()) == inspect.CORO_RUNNING else 0  # type: ignore[arg-type]

    return await courtesy.begin(work(), name="")


@pytest.mark.parametrize("scene", [_result, _error, _cancelled, _timed_out, _of_anyio])
async def test_tasks_end_as_they_would_without_it(scene: Callable[[Courtesy], object]) -> None:
    courtesy = Courtesy()
    assert await scene(courtesy) == 7  # type: ignore[misc]
    busy = Busy(courtesy, 20)
    assert await scene(courtesy) == 7  # type: ignore[misc]
    await busy.ends()


async def test_what_such_work_begins_stands_behind_as_well_and_what_others_begin_does_not() -> None:
    courtesy = Courtesy()
    kinds: dict[str, str] = {}

    async def child(name: str) -> None:
        task = asyncio.current_task()
        assert task is not None
        kinds[name] = type(task.get_coro()).__name__

    async def parent() -> None:
        await asyncio.gather(child("by gather"), asyncio.create_task(child("by hand")))

    await courtesy.begin(parent(), name="")
    await asyncio.create_task(child("of somebody else"))
    assert kinds == {"by gather": "_Courteous", "by hand": "_Courteous", "of somebody else": "coroutine"}
