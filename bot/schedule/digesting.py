"""Makes one digest: claims its slot, gathers, puts into words, and hands the words to the outbox in one step."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta

from bot.domain.checkpoints import checkpoint
from bot.domain.digests import DigestNews, DigestPlan, Parcel, Sending, Slot
from bot.domain.errors import OurError, RundownError
from bot.mailroom import parcels_of
from bot.presenters import messages
from bot.presenters.message import Message
from bot.timetable import slot_before, slots_between
from bot.usecases.digests import gather_news
from bot.usecases.ports import PATIENCE, History, Patience, Plans
from bot.usecases.systems import Systems

log = logging.getLogger(__name__)

#: Seconds for which a process vouches for a digest it is making; seconds that gathering may take.
LEASE_S, GATHER_S = 60.0, 240.0
#: A slot missed for longer than this is not caught up; one line says that it was missed.
CATCH_UP = timedelta(hours=12)
#: Mishaps that are remembered, and how the slots of lines end that say that a digest was missed.
FAILED, MISSED = 1000, " missed"

#: Answers a reading command as if it had been asked in a plan's channel.
Ask = Callable[[DigestPlan], Awaitable[Message]]


class Digesting:
    """Makes digests, when they are due and when somebody wants to see one. `ring` says that there is one to post."""

    def __init__(
        self,
        *,
        plans: Plans,
        systems: Systems,
        history: History,
        ring: Callable[[], None],
        ask: Ask,
        now: Callable[[], datetime],
    ) -> None:
        self._plans = plans
        self._systems = systems
        self._history = history
        self._ring = ring
        self._ask = ask
        self._now = now
        #: Plan and slot of what went wrong in us once.
        self._failed: dict[tuple[str, str], None] = {}

    async def make(self, plan: DigestPlan, slot: Slot, skipped: int) -> bool:
        """The digest of a slot, once. False if somebody else is at it, who may yet die of it.

        What goes wrong in us is raised the first time, and said instead of the digest if it goes wrong again.
        """
        current = await self._plans.get(plan.id)
        if current is None or current.parked or current.timing != plan.timing:
            return True
        plan = current
        now = self._now()
        if plan.paused_until is not None and plan.paused_until > now:
            return True
        if not await self._plans.claim(plan.id, slot.key, lease_s=LEASE_S):
            return await self._plans.last_slot(plan.id) >= slot.key
        checkpoint("digest claimed")
        if plan.since is not None and plan.since > now:  # told by a clock that was set back since
            plan = replace(plan, since=None)
        if skipped:
            skipped = await self._missed(plan, slot, skipped)
        async with self._vouching(plan, slot):
            message, since = await self._written(plan, slot, skipped, now)
        checkpoint("digest written")
        parcels = parcels_of(message, _first(plan, slot.key, self._now())) if message is not None else ()
        kept = await self._plans.made(plan.id, slot.key, since=since, parcels=parcels)
        self._failed.pop((plan.id, slot.key), None)
        if kept:
            checkpoint("digest kept")
            self._ring()
        return kept

    async def _missed(self, plan: DigestPlan, slot: Slot, skipped: int) -> int:
        """How many of the slots before this one nobody has made, at most so many."""
        last = await self._plans.last_slot(plan.id)
        begin = max(plan.since or plan.made_at, plan.paused_until or plan.made_at, slot.at - timedelta(days=400))
        between = slots_between(plan.timing, begin, slot.at)
        return min(skipped, sum(1 for each in between if last < each.key < slot.key))

    async def _written(
        self, plan: DigestPlan, slot: Slot, skipped: int, now: datetime
    ) -> tuple[Message | None, datetime]:
        """What is said, and from when on the next digest has to tell: from now, if this one tells of the runs."""
        try:
            return await self._said(plan, slot, skipped, now)
        except RundownError as error:
            said = messages.digest_failed(plan, error, slot=slot, now=now, skipped=skipped)
            return said, plan.since or plan.made_at
        except Exception as error:
            if (plan.id, slot.key) not in self._failed:
                self._failed[plan.id, slot.key] = None
                while len(self._failed) > FAILED:
                    del self._failed[next(iter(self._failed))]
                raise
            log.exception("the digest %s of %s could not be made twice; that is said instead", plan.id, slot.key)
            fault = OurError(str(error) or type(error).__name__)
            said = messages.digest_failed(plan, fault, slot=slot, now=now, skipped=skipped)
            return said, plan.since or plan.made_at

    async def _said(self, plan: DigestPlan, slot: Slot, skipped: int, now: datetime) -> tuple[Message | None, datetime]:
        if now - slot.at > CATCH_UP:
            return messages.digest_missed(plan, slot, skipped=skipped, now=now), plan.since or plan.made_at
        if plan.ask:
            return messages.digest_answer(plan, await self._ask(plan), slot=slot, now=now, skipped=skipped), now
        news = await self.news(plan, slot, skipped)
        if news.empty and plan.if_empty == "skip":
            return None, news.read_at
        return messages.digest(news, now=now), news.read_at

    async def message(self, plan: DigestPlan, slot: Slot, skipped: int = 0) -> Message | None:
        """What the digest says; None where there is nothing to say and the plan wants silence then."""
        now = self._now()
        try:
            message, _ = await self._said(plan, slot, skipped, now)
        except RundownError as error:
            return messages.digest_failed(plan, error, slot=slot, now=now)
        return message

    async def news(self, plan: DigestPlan, slot: Slot, skipped: int = 0) -> DigestNews:
        """What there is to tell. Behind everything that people wait for."""
        PATIENCE.set(Patience(time.monotonic() + GATHER_S, person=False))
        return await gather_news(
            plan,
            slot,
            systems=self._systems,
            history=self._history,
            now=self._now(),
            skipped=skipped,
            before=slot_before(plan.timing, slot.at),
        )

    @asynccontextmanager
    async def _vouching(self, plan: DigestPlan, slot: Slot) -> AsyncIterator[None]:
        async def renew() -> None:
            while True:
                await asyncio.sleep(LEASE_S / 3)
                with contextlib.suppress(RundownError):
                    await self._plans.renew(plan.id, slot.key, lease_s=LEASE_S)

        renewing = asyncio.create_task(renew(), name=f"lease {plan.id} {slot.key}")
        try:
            yield
        finally:
            renewing.cancel()

    async def park(self, parcel: Parcel) -> DigestPlan | None:
        """Its message won't be posted. Where the channel can't be reached, the plan waits with its reason.

        One that only came too late is followed by a line that says so, once until that is posted. None if the plan is
        not parked now, or was before.
        """
        plan = await self._plans.get(parcel.for_whom)
        if plan is None or plan.parked:
            return None
        if parcel.state is Sending.EXPIRED:
            await self._say_missed(plan, parcel)
            return None
        parked = replace(plan, parked=parcel.reason)
        return parked if await self._plans.change(parked) else None

    async def _say_missed(self, plan: DigestPlan, parcel: Parcel) -> None:
        """One line for all of a day's messages that came too late; it is as if that line had a slot of its own."""
        slot = f"{parcel.slot[:10]}{MISSED}"
        if parcel.slot.endswith(MISSED) or not await self._plans.claim(plan.id, slot, lease_s=LEASE_S):
            return
        now = self._now()
        message = messages.digest_missed(plan, Slot(parcel.slot, parcel.made_at), skipped=0, now=now)
        parcels = parcels_of(message, _first(plan, slot, now))
        await self._plans.made(plan.id, slot, since=plan.since or plan.made_at, parcels=parcels)
        self._ring()


def _first(plan: DigestPlan, slot: str, now: datetime) -> Parcel:
    """A slot's message as it is due, but for its words."""
    return Parcel(
        key=f"{plan.id} {slot} {plan.channel}",
        team=plan.team,
        channel=plan.channel,
        body="",
        made_at=now,
        for_whom=plan.id,
        owner=plan.owner,
        slot=slot,
    )
