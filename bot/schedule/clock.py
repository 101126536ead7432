"""When digests are due: a heap of times in memory over our own rows, and one APScheduler job at the top of it.

The rows are the truth. What is due is worked on in tasks of ours; the scheduler only wakes us, and looks again every
while, so that a clock that was moved or a loop that was blocked loses nothing.
"""

from __future__ import annotations

import asyncio
import heapq
import logging
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from bot.domain.digests import DigestPlan, Slot
from bot.timetable import next_slot, slots_between

if TYPE_CHECKING:
    from apscheduler.schedulers.asyncio import AsyncIOScheduler

log = logging.getLogger(__name__)

#: Seconds between two looks at the heap whatever the scheduler says.
LOOK_S = 20.0
#: Digests that are made at the same time.
AT_ONCE = 8

#: Makes the digest of a slot; told how many slots before it were missed.
Make = Callable[[DigestPlan, Slot, int], Awaitable[None]]


@dataclass(order=True, slots=True)
class _Due:
    at: datetime
    plan: DigestPlan = field(compare=False)
    slot: Slot = field(compare=False)
    skipped: int = field(compare=False, default=0)
    number: int = 0


class DueClock:
    """Wakes at each plan's next slot. `now` is the time of day."""

    def __init__(self, make: Make, now: Callable[[], datetime]) -> None:
        self._make = make
        self._now = now
        self._heap: list[_Due] = []
        self._numbers: dict[str, int] = {}
        self._running: set[asyncio.Task[None]] = set()
        self._gate = asyncio.Semaphore(AT_ONCE)
        self._scheduler: AsyncIOScheduler | None = None

    def __len__(self) -> int:
        """How many plans wait for their time."""
        return sum(1 for due in self._heap if self._numbers.get(due.plan.id) == due.number)

    def start(self, plans: Iterable[DigestPlan]) -> None:
        """Begin with these plans. What was missed while nobody was there is caught up once, now."""
        from apscheduler.schedulers.asyncio import AsyncIOScheduler

        self._scheduler = AsyncIOScheduler(timezone=UTC)
        self._scheduler.start()
        self._scheduler.add_job(self.look, "interval", seconds=LOOK_S, id="look", misfire_grace_time=None)
        for plan in plans:
            self._enter(plan, catching_up=True)
        self.look()

    def stop(self) -> None:
        """Wake no more; what is being made goes on."""
        if self._scheduler is not None:
            self._scheduler.shutdown(wait=False)
            self._scheduler = None

    async def finished(self) -> None:
        """Wait for what is being made."""
        while self._running:
            await asyncio.wait(set(self._running))

    def changed(self, plan: DigestPlan) -> None:
        """A plan was made or changed: from now on it goes by this."""
        self._enter(plan)
        self.look()

    def removed(self, plan_id: str) -> None:
        self._numbers.pop(plan_id, None)

    def next_of(self, plan_id: str) -> Slot | None:
        """When a plan is due next; None for one that does not wait."""
        number = self._numbers.get(plan_id)
        return next((due.slot for due in self._heap if due.plan.id == plan_id and due.number == number), None)

    def look(self) -> None:
        """Start what is due by now, and see to it that we are woken for the next."""
        now = self._now()
        while self._heap and self._heap[0].at <= now:
            due = heapq.heappop(self._heap)
            if self._numbers.get(due.plan.id) != due.number:
                continue  # removed or changed meanwhile
            later = list(slots_between(due.plan.timing, due.slot.at, now))  # the clock jumped: one digest for all
            if later:
                due = _Due(later[-1].at, due.plan, later[-1], due.skipped + len(later), due.number)
            self._spawn(due)
            self._enter(due.plan, after=max(due.slot.at, now))
        self._arm(now)

    def _enter(self, plan: DigestPlan, *, after: datetime | None = None, catching_up: bool = False) -> None:
        """Put the plan's next slot on the heap; the one before it does not count any more."""
        number = self._numbers[plan.id] = self._numbers.get(plan.id, 0) + 1
        now = self._now()
        if plan.parked:
            return
        if plan.paused_until is not None and plan.paused_until > now:
            after = plan.paused_until
        elif catching_up:
            begin = min(plan.since or plan.made_at, now)
            missed = list(slots_between(plan.timing, begin, now))
            if missed:
                heapq.heappush(self._heap, _Due(missed[-1].at, plan, missed[-1], len(missed) - 1, number))
                return
        try:
            slot = next_slot(plan.timing, after or now)
        except Exception as error:  # a plan that can't be read must not stop the others
            log.error("the digest %s has no next time: %s", plan.id, error)
            return
        heapq.heappush(self._heap, _Due(slot.at, plan, slot, 0, number))

    def _arm(self, now: datetime) -> None:
        """Be woken when the next one is due, by the machine's clock."""
        if self._scheduler is None or not self._heap:
            return
        wait = max(self._heap[0].at - now, timedelta())
        when = datetime.now(UTC) + min(wait, timedelta(days=1))
        how: dict[str, Any] = {"id": "due", "replace_existing": True, "misfire_grace_time": None}
        self._scheduler.add_job(self.look, "date", run_date=when, **how)

    def _spawn(self, due: _Due) -> None:
        task = asyncio.create_task(self._work(due), name=f"digest {due.plan.id} {due.slot.key}")
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _work(self, due: _Due) -> None:
        async with self._gate:
            try:
                await self._make(due.plan, due.slot, due.skipped)
            except Exception:
                log.exception("the digest %s of %s could not be made", due.plan.id, due.slot.key)
