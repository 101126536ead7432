"""Hours at a system that allows so many calls a minute: digests want all of them, and people come now and then."""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from bot.systems._pace import Pace
from tests.systems.floor_kit import now

#: Calls for which digests are waiting at any time.
BACKLOG = 10


@dataclass(slots=True)
class Strict:
    """A server that counts every call in any 60 s, as it sees them, and refuses what is too many."""

    per_minute: int
    seen: int = 0
    refused: int = 0
    most: int = 0
    _last: deque[float] = field(default_factory=deque)

    def see(self, at: float) -> None:
        while self._last and self._last[0] <= at - 60:
            self._last.popleft()
        self._last.append(at)
        self.seen += 1
        self.most = max(self.most, len(self._last))
        self.refused += len(self._last) > self.per_minute


@dataclass(slots=True)
class Hours:
    """What became of them: the server's count, calls for digests, and how long each command waited in all, in s."""

    server: Strict
    background: int = 0
    waits_s: list[float] = field(default_factory=list)


async def busy(minutes: int, *, per_minute: int, every_s: float, calls: Sequence[int], seed: int = 1) -> Hours:
    """So long, with a command every so many seconds on average, at random, of so many calls one after the other."""
    chance = random.Random(seed)
    pace, hours = Pace(per_minute, now=now), Hours(Strict(per_minute))
    over = now() + minutes * 60

    async def call(*, person: bool) -> float:
        """Seconds waited for the turn. The server answers within 0.1 to 0.6 s, and sees the call at any time in it."""
        came, lasts_s = now(), chance.uniform(0.1, 0.6)
        async with pace.turn(person=person):
            waited_s, seen_after_s = now() - came, lasts_s * chance.random()
            await asyncio.sleep(seen_after_s)
            hours.server.see(now())
            await asyncio.sleep(lasts_s - seen_after_s)
        return waited_s

    async def digest() -> None:
        while now() < over:
            await call(person=False)
            hours.background += 1

    async def command() -> None:
        hours.waits_s.append(sum([await call(person=True) for _ in range(chance.choice(calls))]))

    tasks = [asyncio.create_task(digest()) for _ in range(BACKLOG)]
    while now() < over:
        await asyncio.sleep(chance.expovariate(1 / every_s))
        tasks.append(asyncio.create_task(command()))
    await asyncio.gather(*tasks)
    return hours
