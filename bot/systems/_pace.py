"""One pace per connection: so many calls a minute, so many at once, nobody before a pause ends, people first."""

from __future__ import annotations

import asyncio
import heapq
import math
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

WINDOW_S = 60.0


class TooLong(Exception):
    """The wait for a turn would outlast the one who waits. `wait_s` is how long it would have been, in seconds."""

    def __init__(self, wait_s: float) -> None:
        super().__init__(f"{wait_s:.1f} s")
        self.wait_s = wait_s


class Pace:
    """Hands out turns for calls.

    Never more than `per_minute` calls in any 60 s as the server sees them: a call counts from its start until 60 s
    after its answer. Background work leaves a fifth of the minute to people and always waits behind them.
    `now` is a monotonic clock in seconds and `sleep` waits on it; tests bring their own.
    """

    def __init__(
        self,
        per_minute: int | None = None,
        *,
        in_flight: int = 8,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.per_minute = per_minute
        self._in_flight_most = in_flight
        self._now = now
        self._sleep = sleep
        self._ended: deque[float] = deque()
        self._in_flight = 0
        self._paused_until = -math.inf
        self._waiting: list[tuple[bool, int, asyncio.Future[None]]] = []
        self._order = 0
        self._waker: asyncio.Task[None] | None = None

    def pause(self, seconds: float) -> None:
        """Give nobody a turn for so long (the server said so)."""
        self._paused_until = max(self._paused_until, self._now() + seconds)

    @property
    def used(self) -> int:
        """Calls that count in the present minute."""
        self._forget()
        return len(self._ended) + self._in_flight

    @asynccontextmanager
    async def turn(self, *, person: bool = True, until: float = math.inf) -> AsyncIterator[None]:
        """Wait for a turn and hold it. Raises TooLong at once when it can't come before `until` (clock of `now`)."""
        await self._wait(person, until)
        try:
            yield
        finally:
            self._in_flight -= 1
            if self.per_minute is not None:
                self._ended.append(self._now())
            self._hand_out()

    async def _wait(self, person: bool, until: float) -> None:
        ahead = [entry for entry in self._waiting if entry[0] <= (not person)]
        if not ahead and self._takes(person):
            self._in_flight += 1
            return
        least = self._least_wait(person)
        if self._now() + least > until:
            raise TooLong(least)
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._order += 1
        heapq.heappush(self._waiting, (not person, self._order, future))
        self._hand_out()
        try:
            await future
        except asyncio.CancelledError:
            if future.done() and not future.cancelled():
                self._in_flight -= 1
            self._hand_out()
            raise

    def _room(self, person: bool) -> int:
        most = self.per_minute or 0
        return most if person else max(1, most - math.ceil(most / 5))

    def _takes(self, person: bool) -> bool:
        if self._in_flight >= self._in_flight_most or self._now() < self._paused_until:
            return False
        return self.per_minute is None or self.used < self._room(person)

    def _least_wait(self, person: bool) -> float:
        """A lower bound in seconds: what pause and minute alone impose, as if every call in flight ended now."""
        wait = self._paused_until - self._now()
        if self.per_minute is not None:
            over = self.used - self._room(person)
            if 0 <= over < len(self._ended):
                wait = max(wait, self._ended[over] + WINDOW_S - self._now())
            elif over >= len(self._ended):
                wait = max(wait, WINDOW_S)
        return max(wait, 0.0)

    def _forget(self) -> None:
        old = self._now() - WINDOW_S
        while self._ended and self._ended[0] <= old:
            self._ended.popleft()

    def _hand_out(self) -> None:
        while self._waiting:
            background, _, future = self._waiting[0]
            if future.done():
                heapq.heappop(self._waiting)
            elif self._takes(not background):
                heapq.heappop(self._waiting)
                self._in_flight += 1
                future.set_result(None)
            else:
                break
        if self._waiting and self._in_flight < self._in_flight_most and (self._waker is None or self._waker.done()):
            self._waker = asyncio.get_running_loop().create_task(self._wake(), name="pace")

    async def _wake(self) -> None:
        """Hand out again when the minute or the pause allows; ends when a call in flight will do it anyway."""
        while self._waiting and self._in_flight < self._in_flight_most:
            wait = self._least_wait(not self._waiting[0][0])
            await self._sleep(max(wait, 0.001))
            self._hand_out()
