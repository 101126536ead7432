"""Case `digests`: 10,000 plans due at once against a bare heap, against Slack's limits, and against people's acks."""

from __future__ import annotations

import asyncio
import gc
import heapq
import sqlite3
import tempfile
import time
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from slack_sdk.errors import SlackApiError

from bot.domain.digests import DigestPlan, Timing
from tests.bench.ack import Server, ready, stubs
from tests.bench.figures import Pair, Row, against, compared, exact
from tests.bench.load import Client, Commands, Measured, ask_json, open_loop
from tests.bench.plan import Plan
from tests.bench.programs import TEAM, free_port, program, rundown_settings, workplace

BAR_START, BAR_POSTED, BAR_ACK = 3.0, 1.15, 2.0
PLANS, CHANNELS = 10_000, 1_000
NINE = datetime(2026, 11, 20, 9, tzinfo=UTC)
#: Seconds after which Slack answers a post.
ANSWERED_S = 0.1
#: What a workspace takes, if it has a limit: so many a second, so many at once; and the most 429s we may cause, in %.
PER_SECOND, BURST, MOST_REFUSED = 100, 20, 2.0
#: Commands that come meanwhile, and how many a second; the seconds that all the digests get until they are on record.
COMMANDS, ACKS_PER_SECOND, RECORDED_S = 800, 100, 120.0


async def measure(plan: Plan) -> list[Row]:
    """From nine o'clock until the last one has begun; until the last one is on record; and commands meanwhile."""
    pairs: list[Pair] = []
    missed = 0
    for _ in range(plan(21, 5)):
        ours, begun = await _our_start()
        missed += PLANS - begun
        pairs.append((ours * 1e3, await _heap_start() * 1e3))
    return [
        compared("digests", f"{PLANS:,} due at once: the last has begun", pairs, "ms", bar=BAR_START),
        exact("digests", "missed", missed, 0),
        *await _channels(plan),
        *(() if plan.quick else await _workspace(plan)),
        *(() if plan.quick else await _commands(plan)),
    ]


async def _channels(plan: Plan) -> list[Row]:
    """As many as Slack takes in a channel: a message a second."""
    several, channels = plan(PLANS, 300), plan(CHANNELS, 100)
    slack = Limited()
    done = await _whole_path(several, channels, slack)
    ideal_s = several / channels
    what = f"{several:,} made and posted in {channels:,} channels"
    note = f"{done.cpu_s / several * 1e3:.2f} ms CPU each; the limiter's last turn comes after {ideal_s - 1:.0f} s"
    return [
        against("digests", what, [done.took_s], ideal_s, "s", bar=(plan.quick and 2.0) or BAR_POSTED, note=note),
        *_right(done, several),
    ]


async def _workspace(plan: Plan) -> list[Row]:
    """As many as Slack takes in a workspace, with a limit that nobody tells."""
    slack = Limited(PER_SECOND, BURST)
    done = await _whole_path(1_000, 500, slack)
    ideal_s = (1_000 - BURST) / PER_SECOND
    return [
        against("digests", "1,000 where a workspace takes 100/s", [done.took_s], ideal_s, "s", bar=BAR_POSTED),
        against("digests", "429s until the pace is found", [slack.refused / 10], MOST_REFUSED, "%", bar=1.0),
        *_right(done, 1_000),
    ]


def _right(done: Posted, several: int) -> list[Row]:
    wrong = f"{done.missed} missed, {done.lost} lost, {done.doubled} doubled"
    return [exact("digests", "each made, posted and recorded once", several - done.wrong, several, note=wrong)]


async def _commands(plan: Plan) -> list[Row]:
    """Commands to a bot with all these plans: while none is due, and while all of them are made and posted."""
    pairs: list[Pair] = []
    halves: list[Pair] = []
    right = sent = 0
    waits: list[float] = []
    async with stubs() as stub:
        commands = Commands(stub)
        for _ in range(plan(3, 1)):
            idle, _ = await _acks(stub, commands, due=False)
            busy, posted = await _acks(stub, commands, due=True)
            pairs.append((busy.p99, idle.p99))
            halves.append((busy.p50, idle.p50))
            right, sent = right + posted.count, sent + PLANS
            waits.append(posted.took_s)
    note = f"all {PLANS:,} on record after {', '.join(f'{each:.0f}' for each in waits)} s"
    return [
        compared("digests", f"ack p99 while {PLANS:,} are made and posted", pairs, "ms", bar=BAR_ACK, note=note),
        compared("digests", "ack p50 meanwhile", halves, "ms"),
        exact("digests", "posted meanwhile, each once", right, sent),
    ]


@dataclass(frozen=True, slots=True)
class Meanwhile:
    """Posts that Slack got, if each was another's and all are on record, and the seconds until then."""

    count: int
    took_s: float


async def _acks(stub: str, commands: Commands, *, due: bool) -> tuple[Measured, Meanwhile]:
    """What commands meet, a hundred a second, in a bot that has just begun with plans that are due, or are not."""
    port = free_port()
    with workplace() as folder:
        file = folder / "bench.db"
        await _seed(file, due=due)
        await ask_json(f"{stub}/bench/reset")
        async with program("bot", "serve", settings=rundown_settings(stub, port, file)) as running:
            client = Client(port)
            await ready(Server(running, client), commands)
            begun_at = time.perf_counter()
            before = await _posts(stub)
            measured = await open_loop(client, commands.several(COMMANDS), ACKS_PER_SECOND)
            if due and before >= await _posts(stub):
                raise TimeoutError("nothing was posted while commands came")
            while due and _on_record(file) < PLANS:
                running.running()
                if time.perf_counter() - begun_at > RECORDED_S:
                    break
                await asyncio.sleep(0.25)
            took_s = time.perf_counter() - begun_at
            client.close()
            recorded = _on_record(file)
        posts = await _posts(stub)
    return measured, Meanwhile(recorded if posts == recorded else 0, took_s)


async def _posts(stub: str) -> int:
    return int((await ask_json(f"{stub}/bench/tally"))["asked"].get("/api/chat.postMessage", 0))


def _on_record(file: Path) -> int:
    with closing(sqlite3.connect(file, timeout=30)) as connection:
        return int(connection.execute("select count(*) from parcels where state = 'posted'").fetchone()[0])


async def _seed(path: Path, *, due: bool) -> None:
    """A file with all the plans, made an hour ago: due since some minutes, or in some hours."""
    from bot.storage.database import Database
    from bot.storage.plans import StoredPlans

    now = datetime.now(UTC)
    at = now + (-timedelta(minutes=2) if due else timedelta(hours=12))
    timing = Timing(f"{at.minute} {at.hour} * * *", "UTC", f"daily at {at:%H:%M}")
    file = Database(str(path))
    await file.open()
    stored = StoredPlans(file, lambda: now)
    made_at = now - timedelta(hours=1)
    plans = [
        replace(_plan(number), team=TEAM, timing=timing, made_at=made_at, connection="testmo", project="1")
        for number in range(PLANS)
    ]
    await asyncio.gather(*map(stored.add, plans))
    await file.close()


def _plan(number: int, channels: int = CHANNELS) -> DigestPlan:
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


class Limited:
    """Slack as far as posting goes: each channel takes a message a second, and all together so many, if told.

    It answers after 100 ms. `posted` counts messages by their keys, `refused` its 429s.
    """

    def __init__(self, per_second: float | None = None, burst: int = 1) -> None:
        self.posted: Counter[str] = Counter()
        self.refused = 0
        self._rested: dict[str, float] = {}
        self._per_second, self._burst = per_second, burst
        self._left, self._at = float(burst), 0.0

    async def api_call(self, _method: str, *, json: dict[str, Any]) -> Any:
        takes = self._takes(json["channel"])
        await asyncio.sleep(ANSWERED_S)
        if not takes:
            self.refused += 1
            answer = {"ok": False, "error": "ratelimited"}
            told = SimpleNamespace(status_code=429, data=answer, headers={"Retry-After": "1"})
            raise SlackApiError("", told)  # type: ignore[no-untyped-call]
        self.posted[json["metadata"]["event_payload"]["key"]] += 1
        return SimpleNamespace(data={"ok": True, "ts": f"1.{sum(self.posted.values()):06}"})

    def _takes(self, channel: str) -> bool:
        now = time.perf_counter()
        if now < self._rested.get(channel, 0.0):
            return False
        if self._per_second is not None:
            self._left = min(self._burst, self._left + (now - (self._at or now)) * self._per_second)
            self._at = now
            if self._left < 1:
                return False
            self._left -= 1
        self._rested[channel] = now + 1.0
        return True


@dataclass(frozen=True, slots=True)
class Posted:
    """How it went: seconds from the clock's look to the last record, and what is not as it must be."""

    took_s: float
    missed: int
    lost: int
    doubled: int
    cpu_s: float

    @property
    def wrong(self) -> int:
        return self.missed + self.lost + self.doubled


async def _whole_path(several: int, channels: int, slack: Limited) -> Posted:
    """Due, claimed, made, posted and recorded, with all that the bot has for it but the systems."""
    from bot.mailroom import Mailroom
    from bot.postman import Postman
    from bot.presenters.message import Message
    from bot.schedule.clock import DueClock
    from bot.schedule.digesting import Digesting
    from bot.storage.database import Database
    from bot.storage.history import StoredHistory
    from bot.storage.outbox import StoredOutbox
    from bot.storage.plans import StoredPlans
    from bot.usecases.systems import Systems

    begun_at: float | None = None

    def now() -> datetime:
        return (
            NINE - timedelta(minutes=1)
            if begun_at is None
            else NINE + timedelta(seconds=time.perf_counter() - begun_at)
        )

    message = Message("text", [{"type": "section", "text": {"type": "mrkdwn", "text": "words " * 300}}])

    async def ask(_plan: object) -> Message:
        return message

    async def refused(parcel: Any) -> None:
        raise AssertionError(parcel)

    with tempfile.TemporaryDirectory() as folder:
        file = Database(str(Path(folder) / "bench.db"))
        await file.open()
        stored = StoredPlans(file, now)
        plans = [replace(_plan(number, channels), ask="list") for number in range(several)]
        await asyncio.gather(*map(stored.add, plans))
        client: Any = slack
        mailroom = Mailroom(Postman(client, client), StoredOutbox(file, now), now, refused)
        digesting = Digesting(
            plans=stored, systems=Systems([]), history=StoredHistory(file, now), ring=mailroom.ring, ask=ask, now=now
        )
        clock = DueClock(digesting.make, now)
        clock.start(plans)
        posting = asyncio.create_task(mailroom.work_for_ever())
        gc.collect()
        begun_at, cpu_at = time.perf_counter(), time.process_time()
        clock.look()
        await clock.finished()
        while left := await file.run(_left):  # noqa: ASYNC110  the file alone tells
            await asyncio.sleep(0.01 if left < 100 else 0.1)
        took_s, cpu_s = time.perf_counter() - begun_at, time.process_time() - cpu_at
        posting.cancel()
        clock.stop()
        made, kept = await file.run(_made_and_posted)
        await file.close()
    said = len(slack.posted)
    doubled = sum(slack.posted.values()) - said
    return Posted(took_s, several - made, several - min(said, kept), doubled, cpu_s)


def _left(db: Any) -> int:
    return int(db.conn.execute("select count(*) from parcels where free_at is not null").fetchone()[0])


def _made_and_posted(db: Any) -> tuple[int, int]:
    """Slots that are done, and parcels that are on record as posted."""
    made = db.conn.execute("select count(*) from plan_slots where state = 'made'").fetchone()[0]
    return made, db.conn.execute("select count(*) from parcels where state = 'posted'").fetchone()[0]
