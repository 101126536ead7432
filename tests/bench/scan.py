"""Case `scan`: a digest over 100,000 automation runs of one day, beside one over 1,000: its memory and its calls.

Then hours at PractiTest, whose accounts have 30 calls a minute, on a clock that takes no time.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import re
import resource
import sys
import tempfile
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypedDict
from urllib.parse import parse_qs, urlsplit

from tests.bench.figures import Row, against, compared, exact, percentile
from tests.bench.load import ask_json
from tests.bench.plan import Plan
from tests.bench.probes import tell
from tests.bench.programs import LOAD, program
from tests.bench.stubs import EMPTY, EXPANDS, NOTHING, OK, PER_PAGE, PROJECTS, Door, run_row, told

BAR_PEAK, MOST_WAIT_S = 1.5, 1.0
FEW, MANY = 1_000, 100_000
#: Seconds after which a page arrives.
LATENCY_S = 0.02
NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)
#: One of so many runs is never completed.
LEFT_OPEN = 50


class Told(TypedDict):
    """What the probe tells of one digest: MiB of the program at its peak and before it, seconds, what was told."""

    peak_mib: float
    base_mib: float
    wall_s: float
    runs: int
    streams: int
    notes: list[str]


async def measure(plan: Plan) -> list[Row]:
    async with program("tests.bench.scan", "serve", where=LOAD) as serving:
        stub = f"http://127.0.0.1:{await serving.line()}"
        pairs = [(await _digest(stub, MANY), await _digest(stub, FEW)) for _ in range(plan(3, 1))]
    (many, asked), (few, _) = pairs[0]
    grown = f"by {many['peak_mib'] - many['base_mib']:.1f} MiB and {few['peak_mib'] - few['base_mib']:.1f}"
    peaks = [(ours["peak_mib"], yardstick["peak_mib"]) for (ours, _), (yardstick, _) in pairs]
    walls = [(ours["wall_s"], yardstick["wall_s"]) for (ours, _), (yardstick, _) in pairs]
    what = f"{MANY:,} runs to {FEW:,}"
    others = ", ".join(f"{count} {name}" for name, count in asked.items() if name not in ("page", "projects"))
    worst = max(its["page"] + its["projects"] for (_, its), _ in pairs)
    return [
        compared("scan", f"peak memory, {what}", peaks, "MiB", bar=BAR_PEAK, note=f"the digest let it grow {grown}"),
        exact("scan", "calls for the runs, worst", worst, -(-MANY // PER_PAGE) + 1, note=f"and {others}"),
        exact("scan", "runs told, least", min(it["runs"] for (it, _), _ in pairs), MANY - MANY // LEFT_OPEN),
        compared("scan", f"time, {what}", walls, "s", note="; ".join(many["notes"])),
        *await _hours(plan(10, 1)),
    ]


async def _digest(stub: str, rows: int) -> tuple[Told, dict[str, int]]:
    """One digest in a program of its own, and how often it asked for what."""
    await ask_json(f"{stub}/bench/reset")
    async with program("tests.bench.scan", "digest", stub, str(rows)) as probe:
        its: Told = await probe.told()
    return its, await ask_json(f"{stub}/bench/asked")


async def _hours(several: int) -> list[Row]:
    """Digests that want every call of PractiTest, and a command of up to three calls every 15 s."""
    from bot.systems import system
    from tests.systems.floor_kit import play
    from tests.systems.hours_kit import busy

    per_minute = system("practitest").per_minute or 0
    hours, _ = await asyncio.to_thread(
        play, lambda: busy(several * 60, per_minute=per_minute, every_s=15, calls=(1, 2, 3))
    )
    wait_s = percentile(hours.waits_s, 0.95)
    whole, commands = f"of {hours.server.seen / several:,.0f} calls an hour", f"{len(hours.waits_s):,} commands"
    longest = f"{commands}; the longest {max(hours.waits_s):.1f} s"
    most = hours.server.most
    return [
        exact("scan", "PractiTest: answers of 429", hours.server.refused, 0, note=whole),
        against("scan", "PractiTest: calls in the worst 60 s", [most], per_minute, "calls", bar=1.0),
        against("scan", "PractiTest: a person waits, p95", [wait_s], MOST_WAIT_S, "s", bar=1.0, note=longest),
    ]


# The probe: python -m tests.bench.scan digest STUB ROWS


async def digest(stub: str, rows: int) -> None:
    from bot.domain.digests import DigestPlan, Slot, Timing
    from bot.presenters import messages
    from bot.storage.database import Database
    from bot.storage.history import StoredHistory
    from bot.systems import system
    from bot.systems._httpx import httpx  # noqa: F401 - it comes with the first call, and is no part of a digest
    from bot.systems._pace import Pace
    from bot.systems._remembering import Remembering
    from bot.systems._spec import Account
    from bot.usecases.digests import gather_news
    from bot.usecases.ports import PATIENCE, Patience
    from bot.usecases.systems import Systems

    testmo = system("testmo")
    options: dict[str, str | int | bool | None] = {"url": f"{stub}/testmo", "token": "bench-token", "project": rows}
    plan = DigestPlan(
        id="d1", team="T1", channel="C1", name="Nightly", owner="U1", owner_name="Ana", what=("failed", "unfinished"),
        timing=Timing("0 9 * * *", "UTC", "daily at 09:00"), made_at=NOW - timedelta(days=30),
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        file = Database(str(Path(folder) / "bench.db"))
        await file.open()
        connection = Remembering(testmo.connect(Account("testmo", options, Pace(testmo.per_minute), lambda: NOW)))
        PATIENCE.set(Patience(time.monotonic() + 240, person=False))
        gc.collect()
        base_mib, begun = _peak_from_now_on(), time.perf_counter()
        news = await gather_news(
            plan,
            Slot("2026-11-20T09:00", NOW),
            systems=Systems([connection]),
            history=StoredHistory(file, lambda: NOW),
            now=NOW,
        )
        messages.digest(news, now=NOW)
        wall_s, peak_mib = time.perf_counter() - begun, _mib("VmHWM")
        await connection.close()
        await file.close()
    if news.troubles:
        raise AssertionError(news.troubles)
    told = Told(
        peak_mib=peak_mib,
        base_mib=base_mib,
        wall_s=wall_s,
        runs=news.runs,
        streams=len(news.streams),
        notes=list(news.notes),
    )
    tell(told)


def _peak_from_now_on() -> float:
    """MiB that this program holds now; where the machine lets us, its peak is counted from here."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")
    return _mib("VmRSS")


def _mib(name: str) -> float:
    """A figure of this program's memory; its peak where the machine tells no other."""
    with contextlib.suppress(OSError):
        found = re.search(rf"(?m)^{name}:\s*(\d+) kB", Path("/proc/self/status").read_text())
        if found:
            return int(found[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 1024)


# The server: python -m tests.bench.scan serve


_LIST = re.compile(r"/testmo/api/v1/projects/(\d+)/automation/runs\?")
_ONE = re.compile(r"/testmo/api/v1/automation/runs/(\d+)(/tests)?\?")


class Testmo:
    """A project has as many runs as its number says, all begun within a day; no two have the same counts or tags."""

    def __init__(self) -> None:
        self._asked: Counter[str] = Counter()

    def answer(self, target: str, _body: bytes) -> tuple[bytes, float]:
        if found := _LIST.match(target):
            self._asked["page"] += 1
            return _page(int(found[1]), int(parse_qs(urlsplit(target).query)["page"][0])), LATENCY_S
        if found := _ONE.match(target):
            self._asked["tests of a run" if found[2] else "run"] += 1
            return EMPTY if found[2] else told({"result": _run(int(found[1]), MANY), "expands": EXPANDS}), 0.0
        if target.startswith("/testmo/api/v1/projects?"):
            self._asked["projects"] += 1
            return PROJECTS, 0.0
        if target == "/bench/asked":
            return told(dict(self._asked)), 0.0
        if target == "/bench/reset":
            self._asked.clear()
            return OK, 0.0
        self._asked[urlsplit(target).path] += 1
        return NOTHING, 0.0


def _page(rows: int, page: int) -> bytes:
    last = -(-rows // PER_PAGE)
    numbers = range(rows - (page - 1) * PER_PAGE, max(rows - page * PER_PAGE, 0), -1)
    return told({
        "page": page, "prev_page": page - 1 or None, "next_page": page + 1 if page < last else None,
        "last_page": last, "per_page": PER_PAGE, "total": rows,
        "result": [_run(number, rows) for number in numbers], "expands": EXPANDS,
    })  # fmt: skip


def _run(number: int, rows: int) -> dict[str, Any]:
    row = run_row(number, rows)
    created = NOW - timedelta(minutes=1) - (rows - number) * timedelta(hours=22) / rows
    over, failed = number % LEFT_OPEN != 0, row["failure_count"]
    created_at, ended_at = (f"{at:%Y-%m-%dT%H:%M:%S}.000Z" for at in (created, created + timedelta(seconds=40)))
    return row | {
        "is_completed": over, "status1_count": number, "success_count": number, "total_count": number + failed,
        "completed_count": number + failed, "tags": [f"build-{number}"], "created_at": created_at,
        "updated_at": ended_at if over else created_at, "completed_at": ended_at if over else None,
    }  # fmt: skip


async def serve() -> None:
    testmo = Testmo()
    server = await asyncio.get_running_loop().create_server(lambda: Door(testmo.answer), "127.0.0.1", 0)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve() if sys.argv[1] == "serve" else digest(sys.argv[2], int(sys.argv[3])))
