"""When digests are due: a heap of times in memory over our own rows, and one APScheduler job at the top of it.

The rows are the truth. What is due is worked on in tasks of ours; the scheduler only wakes us. We look again every
while by a clock that can't be moved, so that neither a clock that was nor a loop that was blocked loses anything.
"""

from __future__ import annotations

import asyncio
import heapq
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from bot.domain.digests import DigestPlan, Slot, Timing
from bot.timetable import next_slot, slots_between

if TYPE_CHECKING:
    from apscheduler.schedulers.asyncio import AsyncIOScheduler

log = logging.getLogger(__name__)

#: Seconds between two looks at the heap whatever the scheduler says.
LOOK_S = 20.0
#: Digests that are made at the same time.
AT_ONCE = 8
#: After so long a slot that could not be made, or that somebody else was at, is taken up again: their lease is over.
AGAIN = timedelta(seconds=61)
#: A clock that went back by more was set, not corrected.
SET_BACK = timedelta(seconds=2)
#: Slots of so long are looked up once for all plans with the same times; older ones than this are forgotten.
NEAR, FAR = timedelta(days=8), timedelta(days=400)

#: Begins a task.
Begin = Callable[..., asyncio.Task[None]]
#: Makes the digest of a slot; told how many slots before it were missed. False if somebody else is at it.
Make = Callable[[DigestPlan, Slot, int], Awaitable[bool]]


@dataclass(slots=True)
class _Due:
    """A slot to be made at a time, and how many before it were missed. `number` tells whether it counts still."""

    at: datetime
    plan: DigestPlan
    slot: Slot
    skipped: int = 0
    number: int = 0


class DueClock:
    """Wakes at each plan's next slot. `now` is the time of day."""

    def __init__(self, make: Make, now: Callable[[], datetime], begin: Begin = asyncio.create_task) -> None:
        self._make = make
        self._begin = begin
        self._now = now
        self._looked_at = datetime(2000, 1, 1, tzinfo=UTC)
        #: By time; a running number keeps plans of the same time from being compared.
        self._heap: list[tuple[datetime, int, _Due]] = []
        self._pushed = 0
        #: Slots that are to be taken up again.
        self._again: list[_Due] = []
        self._plans: dict[str, DigestPlan] = {}
        self._numbers: dict[str, int] = {}
        self._line: deque[_Due] = deque()
        #: Plans in line or in work, each with the slot that follows, if one came meanwhile.
        self._busy: dict[str, _Due | None] = {}
        self._workers: set[asyncio.Task[None]] = set()
        self._looking: asyncio.Task[None] | None = None
        self._started = False
        self._scheduler: AsyncIOScheduler | None = None

    def __len__(self) -> int:
        """How many plans wait for their time."""
        return sum(1 for _, _, due in self._heap if self._numbers.get(due.plan.id) == due.number)

    def start(self, plans: Iterable[DigestPlan]) -> None:
        """Begin with these plans. What was missed while nobody was there is caught up once, now."""
        self._started = True
        self._looking = asyncio.create_task(self._look_for_ever(), name="look for digests that are due")
        seen = _Seen(self._now())
        for plan in plans:
            self._enter(plan, seen, catching_up=True)
        self.look()

    def stop(self) -> None:
        """Wake no more. What is being made is let go of: its slot is free once its lease is over."""
        self._started = False
        if self._scheduler is not None:
            self._scheduler.shutdown(wait=False)
            self._scheduler = None
        if self._looking is not None:
            self._looking.cancel()
        self._line.clear()
        for worker in self._workers:
            worker.cancel()

    async def finished(self) -> None:
        """Wait for what is being made."""
        while self._workers:
            await asyncio.wait(set(self._workers))

    def changed(self, plan: DigestPlan) -> None:
        """A plan was made or changed: from now on it goes by this."""
        self._enter(plan, _Seen(self._now()))
        self.look()

    def removed(self, plan_id: str) -> None:
        self._numbers[plan_id] = self._numbers.get(plan_id, 0) + 1
        self._plans.pop(plan_id, None)

    def next_of(self, plan_id: str) -> Slot | None:
        """When a plan is due next; None for one that does not wait."""
        number = self._numbers.get(plan_id)
        return next((due.slot for _, _, due in self._heap if due.plan.id == plan_id and due.number == number), None)

    def look(self) -> None:
        """Hand over what is due by now, and see to it that we are woken for the next."""
        now = self._now()
        seen = _Seen(now)
        if now < self._looked_at - SET_BACK:
            log.warning("the clock was set back by %s", self._looked_at - now)
            for plan in list(self._plans.values()):  # what was done already is so by its slot
                self._enter(plan, seen)
            self._again = [replace(due, at=min(due.at, now + AGAIN)) for due in self._again]
        self._looked_at = now
        while self._heap and self._heap[0][0] <= now:
            due = heapq.heappop(self._heap)[2]
            if self._numbers.get(due.plan.id) != due.number:
                continue  # removed or changed meanwhile
            last, later = seen.until_now(due)  # the clock jumped: one digest for all
            if later:
                due = replace(due, slot=last, skipped=due.skipped + later)
            self._hand_over(due)
            self._enter(due.plan, seen, after=max(due.slot.at, now))
        self._take_up_again(now)
        self._arm(now)

    def _take_up_again(self, now: datetime) -> None:
        """Hand over what is to be tried again by now; where a later slot came meanwhile, that one tells all."""
        again, self._again = self._again, []
        for due in again:
            in_line = self._busy.get(due.plan.id, due)
            if due.plan.id not in self._plans or in_line is None or in_line.slot.at > due.slot.at:
                continue
            if due.at <= now:
                self._hand_over(due)
            else:
                self._again.append(due)

    def _enter(
        self, plan: DigestPlan, seen: _Seen, *, after: datetime | None = None, catching_up: bool = False
    ) -> None:
        """Put the plan's next slot on the heap; the one before it does not count any more."""
        number = self._numbers[plan.id] = self._numbers.get(plan.id, 0) + 1
        self._plans[plan.id] = plan
        if plan.parked:
            return
        try:
            if plan.paused_until is not None and plan.paused_until > seen.now:
                after = plan.paused_until - timedelta.resolution
            elif catching_up and (missed := seen.missed(plan)) is not None:
                slot, skipped = missed
                self._push(_Due(slot.at, plan, slot, skipped, number))
                return
            slot = seen.next(plan.timing, after or seen.now)
        except Exception as error:  # a plan that can't be read must not stop the others
            log.error("the digest %s has no next time: %s", plan.id, error)
            return
        self._push(_Due(slot.at, plan, slot, 0, number))

    def _push(self, due: _Due) -> None:
        self._pushed += 1
        heapq.heappush(self._heap, (due.at, self._pushed, due))

    def _arm(self, now: datetime) -> None:
        """Be woken when the next one is due, by the machine's clock."""
        if not self._started or not self._heap:
            return
        if self._scheduler is None:
            self._scheduler = _scheduler()
        wait = max(self._heap[0][0] - now, timedelta())
        when = datetime.now(UTC) + min(wait, timedelta(days=1))
        how: dict[str, Any] = {"id": "due", "replace_existing": True, "misfire_grace_time": None}
        self._scheduler.add_job(self._woken, "date", run_date=when, **how)

    async def _woken(self) -> None:
        """A coroutine, because APScheduler runs plain functions in threads."""
        self.look()

    async def _look_for_ever(self) -> None:
        """APScheduler sleeps as long as the machine's clock once said, also when that was set back meanwhile."""
        while True:
            await asyncio.sleep(LOOK_S)
            try:
                self.look()
            except Exception:
                log.exception("what is due can't be looked for")

    def _hand_over(self, due: _Due) -> None:
        """Let it be made; while the plan's last digest still is, it follows that, and one stands for all."""
        if due.plan.id not in self._busy:
            self._busy[due.plan.id] = None
            self._line.append(due)
            if len(self._workers) < AT_ONCE:
                worker = self._begin(self._work(), name="making digests")
                self._workers.add(worker)
                worker.add_done_callback(self._workers.discard)
            return
        waiting = self._busy[due.plan.id]
        if waiting is not None and waiting.slot != due.slot:
            older, newer = sorted((waiting, due), key=lambda each: each.slot.at)
            due = replace(newer, skipped=newer.skipped + older.skipped + 1)
        self._busy[due.plan.id] = due

    async def _work(self) -> None:
        while self._line:
            due = self._line.popleft()
            try:
                made = await self._make(due.plan, due.slot, due.skipped)
            except Exception:
                log.exception("the digest %s of %s could not be made; it is tried again", due.plan.id, due.slot.key)
                made = False
            if not made:
                self._again.append(replace(due, at=self._now() + AGAIN))
            follows = self._busy.pop(due.plan.id)
            if follows is not None and follows.slot != due.slot:
                self._busy[due.plan.id] = None
                self._line.append(follows)


class _Seen:
    """Slots around one moment. Many plans have the same times: they are looked up once."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self._next: dict[tuple[str, str, datetime], Slot] = {}
        self._until: dict[tuple[str, str, datetime], list[Slot]] = {}

    def next(self, timing: Timing, after: datetime) -> Slot:
        key = (timing.cron, timing.zone, after)
        found = self._next.get(key)
        if found is None:
            found = self._next[key] = next_slot(timing, after)
        return found

    def until_now(self, due: _Due) -> tuple[Slot, int]:
        """The last slot from the one that is due up to now, and how many there are before it."""
        later = self._between(due.plan.timing, due.slot.at)
        return (later[-1], len(later)) if later else (due.slot, 0)

    def missed(self, plan: DigestPlan) -> tuple[Slot, int] | None:
        """The last slot since the plan told something, and how many there were before it."""
        begin = max(plan.since or plan.made_at, self.now - FAR)
        if plan.paused_until is not None:
            begin = max(begin, plan.paused_until - timedelta.resolution)
        if begin >= self.now - NEAR:
            found = [slot for slot in self._between(plan.timing, self.now - NEAR) if slot.at > begin]
        else:
            found = list(slots_between(plan.timing, begin, self.now))
        return (found[-1], len(found) - 1) if found else None

    def _between(self, timing: Timing, after: datetime) -> list[Slot]:
        key = (timing.cron, timing.zone, after)
        found = self._until.get(key)
        if found is None:
            found = self._until[key] = list(slots_between(timing, after, self.now))
        return found


def _scheduler() -> AsyncIOScheduler:
    """The library is loaded when the first plan waits for its time."""
    from apscheduler.schedulers.asyncio import AsyncIOScheduler

    scheduler = AsyncIOScheduler(timezone=UTC)
    scheduler.start()
    return scheduler
