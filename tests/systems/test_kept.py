"""What a connection remembers for some minutes."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from bot.domain.errors import UnavailableFault
from bot.systems._kept import Kept
from bot.usecases.ports import PATIENCE, Patience

MINUTE = timedelta(minutes=1)


class Clock:
    at = datetime(2026, 11, 20, 9, tzinfo=UTC)

    def now(self) -> datetime:
        return self.at


class Asked:
    """Counts how often it is asked; answers when it is let go."""

    def __init__(self, *, held: bool = False) -> None:
        self.times = 0
        self.gate = asyncio.Event()
        if not held:
            self.gate.set()

    async def __call__(self) -> int:
        self.times += 1
        await self.gate.wait()
        return self.times


async def test_many_who_need_it_at_once_ask_once() -> None:
    kept, ask = Kept(Clock().now), Asked()
    assert await asyncio.gather(*(kept.get("users", ask) for _ in range(8))) == [1] * 8
    assert await kept.get("statuses", ask) == 2


async def test_it_is_asked_again_when_it_is_old_or_the_clock_was_put_back() -> None:
    clock, ask = Clock(), Asked()
    kept = Kept(clock.now)
    for after, times in ((0 * MINUTE, 1), (4 * MINUTE, 1), (2 * MINUTE, 2), (-2 * MINUTE, 3)):
        clock.at += after
        assert await kept.get("users", ask) == times


async def test_while_it_is_asked_for_again_the_others_take_the_old_one() -> None:
    clock, ask = Clock(), Asked()
    kept = Kept(clock.now)
    await kept.get("users", ask)
    clock.at += 6 * MINUTE
    ask.gate.clear()
    renewing = asyncio.create_task(kept.get("users", ask))
    await asyncio.sleep(0)
    assert await kept.get("users", ask) == 1
    ask.gate.set()
    assert await renewing == 2


async def test_people_do_not_wait_for_background_work() -> None:
    kept, slow, quick = Kept(Clock().now), Asked(held=True), Asked()

    async def behind() -> int:
        PATIENCE.set(Patience(float("inf"), person=False))
        return await kept.get("users", slow)

    background = asyncio.create_task(behind())
    await asyncio.sleep(0)
    assert await kept.get("users", quick) == 1
    background.cancel()
    with pytest.raises(asyncio.CancelledError):
        await background


async def test_errors_are_not_kept_and_whoever_gives_up_leaves_the_turn_to_the_next() -> None:
    kept, ask = Kept(Clock().now), Asked(held=True)

    async def fail() -> int:
        raise UnavailableFault("Testmo", "Testmo is not available right now.")

    with pytest.raises(UnavailableFault):
        await kept.get("users", fail)
    first = asyncio.create_task(kept.get("users", ask))
    second = asyncio.create_task(kept.get("users", ask))
    await asyncio.sleep(0)
    first.cancel()
    ask.gate.set()
    assert await second == 2


def test_a_word_can_be_put_there_and_be_looked_at() -> None:
    clock = Clock()
    kept = Kept(clock.now)
    assert (kept.is_fresh("unnamed"), kept.last("unnamed")) == (False, None)
    kept.put("unnamed", "yes", keep=MINUTE)
    assert (kept.is_fresh("unnamed"), kept.last("unnamed")) == (True, "yes")
    clock.at += MINUTE
    assert (kept.is_fresh("unnamed"), kept.last("unnamed")) == (False, "yes")
