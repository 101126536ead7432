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
from bot.domain.digests import DigestNews, DigestPlan, Parcel, Slot
from bot.domain.errors import RundownError
from bot.mailroom import parcels_of
from bot.presenters import messages
from bot.presenters.message import Message
from bot.usecases.digests import gather_news
from bot.usecases.ports import PATIENCE, History, Patience, Plans
from bot.usecases.systems import Systems

log = logging.getLogger(__name__)

#: Seconds for which a process vouches for a digest it is making; seconds that gathering may take.
LEASE_S, GATHER_S = 60.0, 240.0
#: A slot missed for longer than this is not caught up; one line says that it was missed.
CATCH_UP = timedelta(hours=12)

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

    async def make(self, plan: DigestPlan, slot: Slot, skipped: int) -> None:
        """The digest of a slot, once: whoever else makes it at the same time is let do so."""
        current = await self._plans.get(plan.id)
        if current is None or current.parked or current.timing != plan.timing:
            return
        plan = current
        if plan.paused_until is not None and plan.paused_until > self._now():
            return
        if not await self._plans.claim(plan.id, slot.key, lease_s=LEASE_S):
            return
        checkpoint("digest claimed")
        begun = self._now()
        async with self._vouching(plan, slot):
            message, told = await self._write(plan, slot, skipped)
        checkpoint("digest written")
        first = Parcel(
            key=f"{plan.id} {slot.key} {plan.channel}",
            team=plan.team,
            channel=plan.channel,
            body="",
            made_at=self._now(),
            for_whom=plan.id,
            owner=plan.owner,
            slot=slot.key,
        )
        parcels = parcels_of(message, first) if message is not None else ()
        since = begun if told else plan.since or plan.made_at
        await self._plans.made(plan.id, slot.key, since=since, parcels=parcels)
        checkpoint("digest kept")
        self._ring()

    async def message(self, plan: DigestPlan, slot: Slot, skipped: int = 0) -> Message | None:
        """What the digest says; None where there is nothing to say and the plan wants silence then."""
        return (await self._write(plan, slot, skipped))[0]

    async def _write(self, plan: DigestPlan, slot: Slot, skipped: int) -> tuple[Message | None, bool]:
        """What it says, and whether it tells what happened since the last one; else the next one still has to."""
        now = self._now()
        if now - slot.at > CATCH_UP:
            return messages.digest_missed(plan, slot, skipped=skipped, now=now), False
        if plan.ask:
            return messages.digest_answer(plan, await self._ask(plan), slot=slot, now=now), True
        try:
            news = await self.news(plan, slot, skipped)
        except RundownError as error:
            return messages.digest_failed(plan, error, slot=slot, now=now), False
        if news.empty and plan.if_empty == "skip":
            return None, True
        return messages.digest(news, now=now), True

    async def news(self, plan: DigestPlan, slot: Slot, skipped: int = 0) -> DigestNews:
        """What there is to tell. Behind everything that people wait for."""
        PATIENCE.set(Patience(time.monotonic() + GATHER_S, person=False))
        return await gather_news(
            plan, slot, systems=self._systems, history=self._history, now=self._now(), skipped=skipped
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
        """Its channel can't be reached any more: the plan waits with its reason. None if it was parked before."""
        plan = await self._plans.get(parcel.for_whom)
        if plan is None or plan.parked:
            return None
        parked = replace(plan, parked=parcel.reason)
        return parked if await self._plans.change(parked) else None
