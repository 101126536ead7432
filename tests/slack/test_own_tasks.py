"""Our own tasks: kept until they end, drained at the end, and never silent about what went wrong."""

from __future__ import annotations

import asyncio
import gc
import logging

import pytest

from bot.slack.tasks import Tasks


async def _value(value: str) -> str:
    await asyncio.sleep(0)
    return value


async def _fails() -> None:
    await asyncio.sleep(0)
    raise ValueError("it went wrong")


async def _waits(until: asyncio.Event, done: list[str]) -> None:
    await until.wait()
    done.append("done")


async def test_tasks_are_kept_though_nobody_holds_on_to_them() -> None:
    tasks, done, until = Tasks(), list[str](), asyncio.Event()
    for _ in range(10):
        tasks.spawn(_waits(until, done), "waits")
    await asyncio.sleep(0)
    gc.collect()
    assert len(tasks) == 10
    until.set()
    assert await tasks.drain(5) == 0
    assert (len(tasks), len(done)) == (0, 10)


async def test_a_task_is_given_back_with_its_name_and_its_value() -> None:
    task = Tasks().spawn(_value("x"), "a name")
    assert (await task, task.get_name()) == ("x", "a name")


async def test_what_fails_is_logged_with_its_name_and_costs_nobody_else(caplog: pytest.LogCaptureFixture) -> None:
    tasks = Tasks()
    with caplog.at_level(logging.ERROR):
        tasks.spawn(_fails(), "question 7")
        other = tasks.spawn(_value("x"), "question 8")
        assert await tasks.drain(5) == 0
    assert other.result() == "x"
    (record,) = caplog.records
    assert record.getMessage() == "task question 7 failed"
    assert record.exc_info is not None
    assert len(tasks) == 0


async def test_what_takes_too_long_is_cancelled_at_the_end_and_counted(caplog: pytest.LogCaptureFixture) -> None:
    tasks, done = Tasks(), list[str]()
    never = asyncio.Event()
    late = [tasks.spawn(_waits(never, done), "late") for _ in range(3)]
    in_time = tasks.spawn(_value("x"), "in time")
    assert await tasks.drain(0.01) == 3
    assert in_time.result() == "x"
    assert all(task.cancelled() for task in late)
    assert (len(tasks), done, caplog.records) == (0, [], [])


async def test_what_is_cancelled_may_say_a_last_word() -> None:
    tasks, said = Tasks(), list[str]()

    async def polite() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            await asyncio.sleep(0)
            said.append("restarting")
            raise

    tasks.spawn(polite(), "polite")
    await asyncio.sleep(0)
    assert await tasks.drain(0.01) == 1
    assert said == ["restarting"]


async def test_what_ignores_its_end_does_not_hold_it_up() -> None:
    tasks, until = Tasks(), asyncio.Event()

    async def stubborn() -> None:
        while not until.is_set():
            try:
                await until.wait()
            except asyncio.CancelledError:
                continue

    task = tasks.spawn(stubborn(), "stubborn")
    await asyncio.sleep(0)
    assert await tasks.drain(0.01) == 1
    assert not task.done()
    until.set()
    await task


async def test_draining_nothing_takes_nothing() -> None:
    assert await Tasks().drain(60) == 0


async def test_one_that_was_cancelled_by_another_is_no_failure(caplog: pytest.LogCaptureFixture) -> None:
    tasks = Tasks()
    task = tasks.spawn(_waits(asyncio.Event(), []), "x")
    await asyncio.sleep(0)
    task.cancel()
    assert await tasks.drain(5) == 0
    assert (len(tasks), caplog.records) == (0, [])
