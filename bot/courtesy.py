"""People first: what nobody waits for takes short turns, and none while a request is taken in.

One loop does everything, so an acknowledgement waits for whatever is ready before it, and ten thousand digests that are
due at once are hundreds of tasks that are always ready. Such tasks are begun with `Courtesy.begin`. Their steps get a
fraction of a millisecond; then the loop goes round some times without them, so that a request which came meanwhile is
read, understood and acknowledged before their next turn.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Generator, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, ParamSpec, TypeVar

T = TypeVar("T")
P = ParamSpec("P")

#: Seconds that all such work may take together until its next turn; a step can't be cut, so it may end later.
TURN_S = 0.0002
#: Rounds of the loop between two turns: a request needs so many from the socket to its handler.
ROUNDS = 5
#: At most so many steps are called for a turn, however short they were lately.
MOST = 32
#: A request that takes longer waits for something, and nobody stands back for that.
BRIEF_S = 0.05

_BEHIND: ContextVar[Courtesy | None] = ContextVar("behind", default=None)


class Courtesy:
    """Of the running loop. What is begun with `begin`, and all that this begins, stands behind what `first` wraps."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._loop.set_task_factory(_make_task)
        self._line: deque[asyncio.Future[None]] = deque()
        #: What this turn has taken, and a step takes on average.
        self._spent_s = 0.0
        self._step_s = TURN_S
        self._people = 0
        self._people_until = 0.0
        #: Whether the next turn is on its way.
        self._coming = False

    def begin(self, work: Coroutine[Any, Any, T], *, name: str) -> asyncio.Task[T]:
        """A task for work that nobody waits for."""
        before = _BEHIND.set(self)
        try:
            return asyncio.create_task(work, name=name)
        finally:
            _BEHIND.reset(before)

    def first(self, take: Callable[P, Awaitable[T]]) -> Callable[P, Awaitable[T]]:
        """The same, and while it runs nothing goes on that nobody waits for."""

        async def taken(*args: P.args, **kwargs: P.kwargs) -> T:
            with self._person():
                return await take(*args, **kwargs)

        return taken

    @contextmanager
    def _person(self) -> Iterator[None]:
        self._people += 1
        self._people_until = time.perf_counter() + BRIEF_S
        try:
            yield
        finally:
            self._people -= 1

    def may_go(self, *, called: bool) -> bool:
        """Whether a step may go now. One that was called has waited for this turn."""
        return not self._held_s() and (called or self._spent_s < TURN_S)

    def wait(self) -> asyncio.Future[None]:
        """Done when a step may go that may not go now."""
        mine: asyncio.Future[None] = self._loop.create_future()
        self._line.append(mine)
        self._ask()
        return mine

    def took(self, seconds: float) -> None:
        """A step took so long."""
        self._spent_s += seconds
        self._step_s += (seconds - self._step_s) / 32
        self._ask()

    def _held_s(self) -> float:
        """Seconds for which such work is held at most, as somebody is being answered."""
        return max(self._people_until - time.perf_counter(), 0.0) if self._people else 0.0

    def _ask(self) -> None:
        """Ask for the next turn."""
        if not self._coming:
            self._coming = True
            self._loop.call_soon(self._pass, ROUNDS)

    def _pass(self, rounds: int) -> None:
        if rounds:
            self._loop.call_soon(self._pass, rounds - 1)
        elif held_s := self._held_s():
            self._loop.call_later(min(held_s, TURN_S), self._pass, 0)
        else:
            self._coming = False
            self._call()

    def _call(self) -> None:
        """A new turn: call those that have waited longest, as many as fit."""
        self._spent_s = 0.0
        room = min(max(int(TURN_S / max(self._step_s, 1e-6)), 1), MOST)
        while self._line and room:
            theirs = self._line.popleft()
            if not theirs.done():
                theirs.set_result(None)
                room -= 1
        if self._line:
            self._ask()


class _Courteous(Coroutine[Any, Any, T]):
    """A coroutine whose steps wait for their turns."""

    def __init__(self, work: Coroutine[Any, Any, T], courtesy: Courtesy) -> None:
        self._work = work
        self._courtesy = courtesy
        self._called = False
        self.__name__ = getattr(work, "__name__", type(work).__name__)
        self.__qualname__ = getattr(work, "__qualname__", type(work).__qualname__)

    def send(self, value: Any) -> Any:
        if not self._courtesy.may_go(called=self._called):
            self._called = True
            return next(self._courtesy.wait().__await__())
        self._called = False
        begun_at = time.perf_counter()
        try:
            return self._work.send(value)
        finally:
            self._courtesy.took(time.perf_counter() - begun_at)

    def throw(self, *error: Any) -> Any:
        """It is cancelled, and need not wait for that."""
        self._called = False
        return self._work.throw(*error)

    def close(self) -> None:
        self._work.close()

    def __await__(self) -> Generator[Any, Any, T]:
        return self._work.__await__()

    def __getattr__(self, name: str) -> Any:
        """Whatever is looked at in a coroutine: its frame, whether it runs."""
        return getattr(self._work, name)


def _make_task(loop: asyncio.AbstractEventLoop, work: Any, **how: Any) -> asyncio.Task[Any]:
    courtesy = _BEHIND.get()
    return asyncio.Task(work if courtesy is None else _Courteous(work, courtesy), loop=loop, **how)
