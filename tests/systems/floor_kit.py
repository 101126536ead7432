"""For the tests of what all systems stand on: a loop whose time passes only when nothing else can happen."""

from __future__ import annotations

import asyncio
import gc
import selectors
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, TypeVar

T = TypeVar("T")


class _Skipping(selectors.DefaultSelector):  # type: ignore[misc, valid-type]  # which one it is differs by platform
    """Waits for nothing: when no socket is ready, the time that would have been waited has passed."""

    skipped_s = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready: list[tuple[selectors.SelectorKey, int]] = super().select(0)
        if not ready and timeout is None:
            raise AssertionError("everybody waits, and nothing will ever happen")
        if not ready and timeout:
            self.skipped_s += timeout
        return ready


class SwiftLoop(asyncio.SelectorEventLoop):
    """An event loop in which an hour of waiting takes no time. Both ends of a socket must live in it."""

    def __init__(self) -> None:
        self._skipping = _Skipping()
        super().__init__(self._skipping)

    def time(self) -> float:
        return 1_000_000.0 + self._skipping.skipped_s


@dataclass(slots=True)
class Play:
    """What happened behind the scenes of a `play`: complaints of the loop, seconds that passed."""

    complaints: list[dict[str, Any]] = field(default_factory=list)
    seconds: float = 0.0


def play(scene: Callable[[], Coroutine[Any, Any, T]], *, leaves: int = 0) -> tuple[T, Play]:
    """Run it in a swift loop. Fails on tasks left behind (beyond `leaves`) and on anything the loop complains of."""
    played = Play()

    async def all_of_it() -> T:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _loop, context: played.complaints.append(context))
        began = loop.time()
        answer = await scene()
        await settle()
        played.seconds = loop.time() - began
        left = asyncio.all_tasks() - {asyncio.current_task()}
        assert len(left) <= leaves, f"left behind: {left}"
        return answer

    with asyncio.Runner(loop_factory=SwiftLoop) as runner:
        answer = runner.run(all_of_it())
        gc.collect(0)
    assert played.complaints == []
    return answer, played


async def settle(turns: int = 20) -> None:
    """Let everything happen that can happen now."""
    for _ in range(turns):
        await asyncio.sleep(0)


def now() -> float:
    """The loop's time in seconds."""
    return asyncio.get_running_loop().time()


async def gathered(*jobs: Awaitable[T]) -> list[T | BaseException]:
    """All of them, what was raised as values."""
    return await asyncio.gather(*jobs, return_exceptions=True)
