"""Digests as a whole: woken when they are due, made, posted; what can't be posted any more is parked."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from importlib import import_module

from bot.domain.digests import DigestPlan, Parcel, Sending
from bot.domain.errors import RundownError
from bot.mailroom import Mailroom
from bot.postman import NotSaidError, Postman
from bot.presenters import messages
from bot.schedule.clock import DueClock
from bot.schedule.digesting import Digesting
from bot.usecases.ports import History, Outbox, Plans

log = logging.getLogger(__name__)

#: Seconds for what has become due when the clock was moved; messages of a plan that are looked at for that.
CATCH_UP_S, NEWEST = 60.0, 50
#: Seconds between two tries to tell an owner what happened; reasons for which nobody can ever be told.
TELL_S = 300.0
_UNREACHABLE = frozenset(
    {"cannot_dm_bot", "missing_scope", "messages_tab_disabled", "user_disabled", "user_not_found", "user_not_visible"}
)
#: Reasons that are nobody's but whoever installs Rundown. No owner can be told of them, as nothing can be said at all.
_OF_TOKEN = frozenset(
    {"account_inactive", "invalid_auth", "not_allowed_token_type", "not_authed", "token_expired", "token_revoked"}
)


class Digests:
    """What digests go through, started and stopped together. `kept` is how long finished runs are remembered."""

    def __init__(
        self,
        *,
        plans: Plans,
        outbox: Outbox,
        history: History,
        kept: timedelta,
        digesting: Digesting,
        clock: DueClock,
        mailroom: Mailroom,
        postman: Postman,
        now: Callable[[], datetime],
    ) -> None:
        self._plans = plans
        self._outbox = outbox
        self._history = history
        self._kept = kept
        self._digesting = digesting
        self._clock = clock
        self._mailroom = mailroom
        self._postman = postman
        self._now = now
        self._awake = asyncio.Event()
        #: Parked, and their owners do not know.
        self._untold: list[DigestPlan] = []

    async def work(self) -> None:
        """Wake for what is due and post it, from now on. The scheduler is loaded once everybody has been answered."""
        while True:
            try:
                plans = [await self._back(plan) for plan in await self._plans.all()]
                break
            except RundownError as error:
                log.warning("the digests can't be read yet: %s", error.what)
                await asyncio.sleep(5)
        if plans:
            await asyncio.to_thread(import_module, "apscheduler.schedulers.asyncio")
        self._clock.start(plans)
        self._awake.set()
        await asyncio.gather(self._mailroom.work_for_ever(), self._forget_for_ever(), self._tell_for_ever())

    async def _back(self, plan: DigestPlan) -> DigestPlan:
        """The plan, to be posted again if what kept it back was our token: without a good one we would not be here."""
        if plan.parked not in _OF_TOKEN:
            return plan
        again = replace(plan, parked="")
        log.warning("digest %s is posted again: it was kept back by %s", plan.id, plan.parked)
        return again if await self._plans.change(again) else plan

    async def _forget_for_ever(self) -> None:
        """Forget finished runs that are older than the settings want them kept, once a day."""
        while True:
            try:
                await self._history.sweep(self._now() - self._kept)
            except RundownError as error:
                log.warning("old runs can't be forgotten: %s", error.what)
            await asyncio.sleep(24 * 3600)

    async def catch_up(self) -> None:
        """Make and post what is due by now, and wait until it is there, for `CATCH_UP_S` seconds at most."""
        try:
            async with asyncio.timeout(CATCH_UP_S):
                await self._awake.wait()
                await self._tell_untold()
                self._clock.look()
                await self._clock.finished()
                while await self._mailroom.work() or await self._left():  # noqa: ASYNC110  the mailroom's own task
                    await asyncio.sleep(0.02)  # may have taken them
        except TimeoutError:
            log.warning("what was due is not all posted yet")

    async def _left(self) -> bool:
        """Whether anything is still to be posted that does not wait for a better time."""
        for plan in await self._plans.all():
            about = await self._outbox.about(plan.id, most=NEWEST)
            if any(each.state in (Sending.WAITING, Sending.POSTING) and not each.reason for each in about):
                return True
        return False

    def stop(self) -> None:
        self._clock.stop()

    async def park(self, parcel: Parcel) -> None:
        """A digest can't be posted any more: it waits with its reason, and its owner is told once."""
        plan = await self._digesting.park(parcel)
        if plan is None:
            return
        self._clock.removed(plan.id)
        if not await self._tell(plan):
            self._untold.append(plan)

    async def _tell(self, plan: DigestPlan) -> bool:
        """Tell its owner that it is parked, once; False if that has to be tried again."""
        told = messages.digest_parked(plan, messages.reason_words(plan.parked), now=self._now())
        try:
            await self._postman.direct(plan.owner, told)
        except NotSaidError as error:
            log.warning("the owner of digest %s can't be told that it is parked: %s", plan.id, error.reason)
            return error.reason in _UNREACHABLE
        return True

    async def _tell_untold(self) -> None:
        """Try again to tell those who could not be told. What goes again by now is no news any more."""
        untold, self._untold = self._untold, []
        for plan in untold:
            current = await self._plans.get(plan.id)
            if current is not None and current.parked and not await self._tell(current):
                self._untold.append(plan)

    async def _tell_for_ever(self) -> None:
        while True:
            await asyncio.sleep(TELL_S)
            try:
                await self._tell_untold()
            except RundownError as error:
                log.warning("owners can't be told what is parked: %s", error.what)
