"""Case `digests`: 10,000 plans due at once against a bare heap; then the outbox against Slack's own pace."""

from __future__ import annotations

import asyncio
import gc
import heapq
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.bench.figures import Pair, Row, against, compared, exact
from tests.bench.plan import Plan

BAR_START = 3.0
PLANS, CHANNELS = 10_000, 1_000
NINE = datetime(2026, 11, 20, 9, tzinfo=UTC)
#: Slack's own pace: a message a second and channel.
IDEAL_S = PLANS / CHANNELS


async def measure(plan: Plan) -> list[Row]:
    """From nine o'clock until the last one has begun."""
    pairs: list[Pair] = []
    missed = 0
    for _ in range(plan(21, 5)):
        ours, begun = await _our_start()
        missed += PLANS - begun
        pairs.append((ours * 1e3, await _heap_start() * 1e3))
    return [
        compared("digests", f"{PLANS:,} due at once: the last has begun", pairs, "ms", bar=BAR_START),
        exact("digests", "missed", missed, 0),
    ]


async def inform(plan: Plan) -> list[Row]:
    """From the first claim to the last record, on a file, with a Slack that answers after 100 ms."""
    several = plan(PLANS, PLANS // 10)
    made_s, posted_s = await _posting(several, several // 10)
    return [
        against("digests", f"{several:,} made: claimed and kept", [made_s], IDEAL_S, "s"),
        against("digests", f"{several:,} posted in {several // 10:,} channels", [posted_s], IDEAL_S, "s"),
    ]


def _plan(number: int, channels: int = CHANNELS) -> Any:
    from bot.domain.digests import DigestPlan, Timing

    return DigestPlan(
        id=f"d{number}", team="T1", channel=f"C{number % channels}", name=f"Nightly {number}", owner="U1",
        owner_name="Ana", timing=Timing("0 9 * * *", "UTC", "daily at 09:00"), made_at=NINE - timedelta(hours=1),
    )  # fmt: skip


async def _our_start() -> tuple[float, int]:
    from bot.schedule.clock import DueClock

    begun: list[str] = []
    now = NINE - timedelta(minutes=1)

    async def make(plan: Any, _slot: object, _skipped: int) -> bool:
        begun.append(plan.id)
        return True

    clock = DueClock(make, lambda: now)
    clock.start([_plan(number) for number in range(PLANS)])
    now = NINE
    gc.collect()
    at = time.perf_counter()
    clock.look()
    await clock.finished()
    took = time.perf_counter() - at
    clock.stop()
    return took, len(set(begun))


async def _heap_start() -> float:
    """What it takes at least: each comes from a heap, goes back to it for the next day, and is begun."""
    begun: list[int] = []
    heap = [(NINE, number) for number in range(PLANS)]
    heapq.heapify(heap)

    async def make(number: int) -> bool:
        begun.append(number)
        return True

    gc.collect()
    at = time.perf_counter()
    line = []
    while heap[0][0] <= NINE:
        due, number = heapq.heappop(heap)
        heapq.heappush(heap, (due + timedelta(days=1), number))
        line.append(number)
    for number in line:
        await make(number)
    return time.perf_counter() - at


async def _posting(several: int, channels: int) -> tuple[float, float]:
    from bot.mailroom import Mailroom, parcels_of
    from bot.postman import Postman
    from bot.presenters.message import Message
    from bot.storage.database import Database
    from bot.storage.outbox import StoredOutbox
    from bot.storage.plans import StoredPlans

    class Answered:
        data = {"ok": True, "ts": "1.000001"}  # noqa: RUF012  read only

    class Client:
        async def api_call(self, _method: str, **_arguments: Any) -> Answered:
            await asyncio.sleep(0.1)
            return Answered()

    def now() -> datetime:
        return datetime.now(UTC)

    async def refused(parcel: Any) -> None:
        raise AssertionError(parcel)

    with tempfile.TemporaryDirectory() as folder:
        file = Database(str(Path(folder) / "bench.db"))
        await file.open()
        stored, outbox = StoredPlans(file, now), StoredOutbox(file, now)
        plans = [_plan(number, channels) for number in range(several)]
        for each in plans:
            await stored.add(each)
        message = Message("text", [{"type": "section", "text": {"type": "mrkdwn", "text": "words " * 300}}])
        gate = asyncio.Semaphore(8)

        async def make(plan: Any) -> None:
            from bot.domain.digests import Parcel

            async with gate:
                await stored.get(plan.id)
                await stored.claim(plan.id, "2026-11-20T09:00", lease_s=60)
                first = Parcel(
                    key=plan.id, team="T1", channel=plan.channel, body="", made_at=now(), for_whom=plan.id, owner="U1"
                )
                await stored.made(plan.id, "2026-11-20T09:00", since=now(), parcels=parcels_of(message, first))

        at = time.perf_counter()
        await asyncio.gather(*(make(each) for each in plans))
        made_s = time.perf_counter() - at
        client: Any = Client()
        mailroom = Mailroom(Postman(client, client), outbox, now, refused)
        at = time.perf_counter()
        posted = await mailroom.work()
        posted_s = time.perf_counter() - at
        await file.close()
        if posted != several:
            raise AssertionError(f"{posted} of {several} were posted")
        return made_s, posted_s
