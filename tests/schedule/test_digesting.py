"""Making a digest: its slot is one process's, its words are kept with it in one step, and there is never silence."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.domain.digests import DigestPlan, Parcel, Sending, Slot, Timing
from bot.domain.errors import NotFoundError
from bot.presenters.message import Message
from bot.schedule.digesting import LEASE_S, Digesting
from bot.storage.history import StoredHistory
from bot.storage.outbox import StoredOutbox
from bot.storage.plans import StoredPlans
from bot.usecases.systems import Systems
from tests.storage.opening import Clock, database

NINE = datetime(2026, 11, 20, 9, tzinfo=UTC)
SLOT = Slot("2026-11-20T09:00", NINE)
TOLD = NINE - timedelta(hours=23)
PLAN = DigestPlan(
    id="d1",
    team="T1",
    channel="C1",
    name="Nightly",
    owner="U1",
    owner_name="Ana",
    timing=Timing("0 9 * * *", "UTC", "daily at 09:00"),
    made_at=NINE - timedelta(days=30),
    since=TOLD,
    ask="list",
)


class BrokenError(Exception):
    """A bug of ours."""


@dataclass
class Desk:
    """What makes digests, on a file of its own. Each of `says` is the answer to the next question, or is raised."""

    digesting: Digesting
    plans: StoredPlans
    rivals: StoredPlans
    outbox: StoredOutbox
    now: Clock
    says: list[str | Exception] = field(default_factory=list)
    rings: list[None] = field(default_factory=list)

    async def make(self, *, skipped: int = 0) -> bool:
        return await self.digesting.make(PLAN, SLOT, skipped)

    async def texts(self) -> list[str]:
        return [one.body for one in await self.outbox.about("d1")]

    async def since(self) -> datetime | None:
        plan = await self.plans.get("d1")
        return plan.since if plan else None


@asynccontextmanager
async def desk(plan: DigestPlan | None = PLAN, at: datetime = NINE) -> AsyncIterator[Desk]:
    now = Clock(at)
    async with database() as file:
        plans, outbox = StoredPlans(file, now, "we"), StoredOutbox(file, now)
        says: list[str | Exception] = []
        rings: list[None] = []

        async def answer(_plan: DigestPlan) -> Message:
            said = says.pop(0) if says else "3 runs failed"
            if isinstance(said, Exception):
                raise said
            return Message(said, [{"type": "section", "text": {"type": "mrkdwn", "text": said}}])

        digesting = Digesting(
            plans=plans,
            systems=Systems([]),
            history=StoredHistory(file, now),
            ring=lambda: rings.append(None),
            ask=answer,
            now=now,
        )
        if plan is not None:
            assert await plans.add(plan)
        yield Desk(digesting, plans, StoredPlans(file, now, "they"), outbox, now, says, rings)


async def test_a_slot_is_made_once_and_its_words_are_to_be_posted() -> None:
    async with desk() as it:
        assert await it.make()
        assert await it.make()
        (parcel,) = await it.outbox.about("d1")
        assert (parcel.key, parcel.channel, parcel.owner) == ("d1 2026-11-20T09:00 C1", "C1", "U1")
        assert "3 runs failed" in parcel.body
        assert (await it.since(), len(it.rings)) == (NINE, 1)


@pytest.mark.parametrize(
    "plan",
    [
        None,
        replace(PLAN, parked="is_archived"),
        replace(PLAN, paused_until=NINE + timedelta(hours=1)),
        replace(PLAN, timing=Timing("0 10 * * *", "UTC", "daily at 10:00")),
    ],
    ids=["removed", "parked", "paused", "moved"],
)
async def test_a_plan_that_changed_meanwhile_goes_by_what_it_says_now(plan: DigestPlan | None) -> None:
    async with desk(plan) as it:
        assert await it.make(), "there is nothing to be taken up again"
        assert await it.texts() == []


async def test_what_another_process_makes_is_left_to_it_and_taken_up_when_it_died() -> None:
    async with desk() as it:
        assert await it.rivals.claim("d1", SLOT.key, lease_s=LEASE_S)
        assert not await it.make(), "it may die yet"
        it.now.later(seconds=LEASE_S + 1)
        assert await it.make()
        assert len(await it.texts()) == 1
        assert not await it.rivals.made("d1", SLOT.key, since=NINE, parcels=[]), "nor does the dead one come back"


async def test_what_another_process_has_made_is_done() -> None:
    async with desk() as it:
        assert await it.rivals.claim("d1", SLOT.key, lease_s=LEASE_S)
        assert await it.rivals.made("d1", SLOT.key, since=NINE, parcels=[])
        assert await it.make()
        assert await it.texts() == []


async def test_of_many_who_make_it_at_once_one_does() -> None:
    async with desk() as it:
        await asyncio.gather(*(it.make() for _ in range(25)))
        assert len(await it.texts()) == len(it.rings) == 1


async def test_a_fault_with_words_is_said_and_what_was_not_told_is_told_next_time() -> None:
    async with desk() as it:
        it.says.append(NotFoundError("There is no run R7.", why="It was deleted.", fix="Edit the digest."))
        assert await it.make()
        (body,) = await it.texts()
        assert "There is no run R7." in body
        assert await it.since() == TOLD


async def test_a_bug_is_tried_again_and_then_said_without_its_words(caplog: pytest.LogCaptureFixture) -> None:
    async with desk() as it:
        it.says += [BrokenError("secret"), BrokenError("secret")]
        with pytest.raises(BrokenError):
            await it.make()
        assert not await it.make(), "its slot is ours still"
        it.now.later(seconds=LEASE_S + 1)
        with caplog.at_level(logging.CRITICAL):
            assert await it.make()
        (body,) = await it.texts()
        assert "Something went wrong in Rundown." in body
        assert "secret" not in body
        assert await it.since() == TOLD


async def test_a_bug_that_passes_leaves_no_trace() -> None:
    async with desk() as it:
        it.says += [BrokenError("secret")]
        with pytest.raises(BrokenError):
            await it.make()
        it.now.later(seconds=LEASE_S + 1)
        assert await it.make()
        (body,) = await it.texts()
        assert "3 runs failed" in body


@pytest.mark.parametrize(
    ("late", "missed"), [(timedelta(minutes=7), False), (timedelta(hours=12), False), (timedelta(hours=12.5), True)]
)
async def test_what_comes_late_is_told_and_what_comes_too_late_is_one_line(late: timedelta, missed: bool) -> None:
    async with desk(at=NINE + late) as it:
        assert await it.make(skipped=4)
        (body,) = await it.texts()
        assert ("3 runs failed" in body) is not missed
        assert ("missed" in body) is missed
        assert await it.since() == (TOLD if missed else NINE + late)


REFUSED = Parcel(
    key="d1 2026-11-20T09:00 C1",
    team="T1",
    channel="C1",
    body="{}",
    made_at=NINE,
    for_whom="d1",
    owner="U1",
    slot=SLOT.key,
    state=Sending.REFUSED,
    reason="is_archived",
)


async def test_a_plan_whose_channel_is_gone_is_parked_once() -> None:
    async with desk() as it:
        parked = await it.digesting.park(REFUSED)
        assert parked is not None
        assert parked.parked == "is_archived"
        assert (await it.plans.get("d1")) == parked
        assert await it.digesting.park(REFUSED) is None
        assert await it.digesting.park(replace(REFUSED, for_whom="gone")) is None


async def test_messages_that_came_too_late_are_one_line_a_day_and_park_nothing() -> None:
    async with desk(at=NINE + timedelta(hours=14)) as it:
        for slot in ("2026-11-20T09:00", "2026-11-20T10:00"):
            assert await it.digesting.park(replace(REFUSED, slot=slot, state=Sending.EXPIRED)) is None
        (line,) = await it.outbox.about("d1")
        assert "missed" in line.body
        assert (line.state, len(it.rings), await it.since()) == (Sending.WAITING, 1, TOLD)
        assert await it.digesting.park(replace(line, state=Sending.EXPIRED)) is None
        assert len(await it.texts()) == 1
        plan = await it.plans.get("d1")
        assert plan is not None
        assert plan.parked == ""
