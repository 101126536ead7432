"""One pace per connection: so many calls a minute, so many at once, nobody before a pause ends, people first."""

from __future__ import annotations

import asyncio
import math
import time
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

WINDOW_S = 60.0
#: A sleep may end a little early; nobody wakes more often than this.
TICK_S = 0.001

#: Those who wait, in the order they came, each with the time by which the turn must have come.
Queue = OrderedDict[asyncio.Future[None], float]


class TooLong(Exception):
    """The wait for a turn would outlast the one who waits. `wait_s` is how long it would have been, in seconds."""

    def __init__(self, wait_s: float) -> None:
        super().__init__(f"{wait_s:.1f} s")
        self.wait_s = wait_s


class Pace:
    """Hands out turns for calls.

    Never more than `per_minute` calls in any 60 s as the server sees them: a call counts from its start until 60 s
    after its answer. Background work always waits behind people, and leaves them a fifth of the minute and of the
    calls in flight. Once half of its own share is used it takes the rest one by one, evenly over the minute: calls
    that come in a bunch come free in a bunch, and people who used up their fifth would wait for that.
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
        if (per_minute is not None and per_minute < 1) or in_flight < 1:
            raise ValueError("a pace without any calls")
        self.per_minute = per_minute
        self.now = now
        self.sleep = sleep
        self._in_flight_most = in_flight
        self._ended: deque[float] = deque()
        self._in_flight = 0
        self._paused_until = -math.inf
        self._spaced_until = -math.inf
        self._people: Queue = OrderedDict()
        self._background: Queue = OrderedDict()
        self._waker: tuple[float, asyncio.Task[None]] | None = None

    def pause(self, seconds: float) -> None:
        """Give nobody a turn for so long (the server said so). Those who can't wait so long are told at once."""
        self._paused_until = max(self._paused_until, self.now() + seconds)
        for queue in (self._people, self._background):
            for future in [future for future, until in queue.items() if until < self._paused_until]:
                del queue[future]
                if not future.done():
                    future.set_exception(TooLong(self._paused_until - self.now()))
        self._hand_out()

    @property
    def used(self) -> int:
        """Calls that count in the present minute."""
        old = self.now() - WINDOW_S
        while self._ended and self._ended[0] <= old:
            self._ended.popleft()
        return len(self._ended) + self._in_flight

    @asynccontextmanager
    async def turn(self, *, person: bool = True, until: float = math.inf) -> AsyncIterator[None]:
        """Wait for a turn and hold it. Raises TooLong at once when it can't come before `until` (clock of `now`)."""
        await self._wait(person, until)
        try:
            yield
        finally:
            self._give_back()

    async def _wait(self, person: bool, until: float) -> None:
        people, background = _living(self._people), 0 if person else _living(self._background)
        if not people + background and self._takes(person):
            self._begin(person)
            return
        least = self._least_wait(person, people, background)
        if self.now() + least > until:
            raise TooLong(least)
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        queue = self._people if person else self._background
        queue[future] = until
        self._hand_out()
        try:
            await future
        except asyncio.CancelledError:
            queue.pop(future, None)
            if future.done() and not future.cancelled() and future.exception() is None:
                self._in_flight -= 1  # the turn had come, but was never used
            self._hand_out()
            raise

    def _begin(self, person: bool) -> None:
        self._in_flight += 1
        if not person and self.per_minute is not None:
            self._spaced_until = self.now() + _space_s(self.per_minute)

    def _give_back(self) -> None:
        self._in_flight -= 1
        if self.per_minute is not None:
            self._ended.append(self.now())
        self._hand_out()

    def _takes(self, person: bool) -> bool:
        """Whether one more call may start now."""
        if self._in_flight >= _share(self._in_flight_most, person) or self.now() < self._paused_until:
            return False
        if self.per_minute is None:
            return True
        used = self.used
        spaced = person or used < _bunch(self.per_minute) or self.now() >= self._spaced_until
        return spaced and used < _share(self.per_minute, person)

    def _least_wait(self, person: bool, people: int = 0, background: int = 0) -> float:
        """Seconds that pause and minute impose behind so many others, even if every call were over in no time."""
        now = self.now()
        start = max(self._paused_until, now)
        if self.per_minute is not None:
            in_flight = self.used - len(self._ended)  # forgets old ones, too
            free_at = [end + WINDOW_S for end in self._ended] + [now + WINDOW_S] * in_flight
            spaced_until, bunch = self._spaced_until, _bunch(self.per_minute)
            for one in (*[True] * people, *[False] * background, person):
                share = _share(self.per_minute, one)
                if len(free_at) >= share:
                    start = max(start, free_at[-share])
                if not one:
                    if len(free_at) >= bunch:
                        start = max(start, min(spaced_until, free_at[-bunch] if bunch else math.inf))
                    spaced_until = start + _space_s(self.per_minute)
                free_at.append(start + WINDOW_S)
        return start - now

    def _hand_out(self) -> None:
        for queue, person in ((self._people, True), (self._background, False)):
            while queue:
                future = next(iter(queue))
                if not future.done() and not self._takes(person):
                    self._wake_for(person)
                    return
                del queue[future]
                if not future.done():
                    self._begin(person)
                    future.set_result(None)
        self._wake_no_more()

    def _wake_for(self, person: bool) -> None:
        """See to it that whoever is next is thought of in time; a call in flight that ends does so anyway."""
        due = self.now() + max(self._least_wait(person), TICK_S)
        if self._waker is not None and self._waker[0] <= due:
            return
        self._wake_no_more()
        if self._in_flight < _share(self._in_flight_most, person):
            task = asyncio.get_running_loop().create_task(self._wake(due), name="pace")
            self._waker = (due, task)

    def _wake_no_more(self) -> None:
        if self._waker is not None:
            self._waker[1].cancel()
            self._waker = None

    async def _wake(self, due: float) -> None:
        await self.sleep(max(due - self.now(), TICK_S))
        self._waker = None
        self._hand_out()


def _share(most: int, person: bool) -> int:
    """What of a limit may be used up: all of it by people, all but a fifth (one at least) by background work."""
    return most if person else max(1, most - math.ceil(most / 5))


def _bunch(per_minute: int) -> int:
    """Background work may begin together until so many calls count: no more, or the bunch would last for ever."""
    return _share(per_minute, person=False) // 2


def _space_s(per_minute: int) -> float:
    """Seconds from one background call to the next when they are spread evenly over the minute."""
    return WINDOW_S / _share(per_minute, person=False)


def _living(queue: Queue) -> int:
    return sum(not future.done() for future in queue)
