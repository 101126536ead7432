"""Case `fetch`: 10,000 automation runs of Testmo, a hundred pages that are 50 ms away, as a domain listing."""

from __future__ import annotations

import asyncio
import gc
import json
import sys
import time
import tracemalloc
from datetime import UTC, datetime
from statistics import median
from typing import TYPE_CHECKING, TypedDict

from tests.bench.ack import stubs
from tests.bench.figures import Row, against, compared, exact, quiet, rounds_floor
from tests.bench.load import Answer, Client, ask_json
from tests.bench.plan import Plan
from tests.bench.probes import tell
from tests.bench.programs import Neighbours, program
from tests.bench.stubs import LATENCY_S, PER_PAGE

if TYPE_CHECKING:
    from bot.domain.model import Listing, Run
    from bot.systems._remembering import Remembering

BAR_WALL, MOST_MIB = 1.15, 6.0
IN_FLIGHT = 8


class Told(TypedDict):
    """What the probe tells of one fetch: seconds, CPU seconds, rows, requests for pages, other requests by path.

    `raw_s` is a raw client's time for the same pages, 0 where it was not asked for.
    """

    wall_s: float
    cpu_s: float
    rows: int
    pages: int
    others: list[str]
    raw_s: float


async def measure(plan: Plan) -> list[Row]:
    async with stubs() as stub:
        rows = await _fetches(stub, 100, plan(9, 3), judged=True)
        async with program("tests.bench.fetch", stub, "100", "0", "0") as probe:
            mib, count = await probe.told()
        return [*rows, against("fetch", f"held by {count:,} runs", [mib], MOST_MIB, "MiB", bar=1.0)]


async def inform(plan: Plan) -> list[Row]:
    async with stubs() as stub:
        rows = await _fetches(stub, 10, plan(9, 3))
        if not plan.quick:
            rows += [*await _fetches(stub, 400, 5), *await _fetches(stub, 100, 7, raw=7)]
        return rows


async def _fetches(stub: str, pages: int, times: int, *, raw: int = 0, judged: bool = False) -> list[Row]:
    """Fetches against the floor, and so many of them against a raw client too."""
    several: list[tuple[Told, float]] = []
    async with program("tests.bench.fetch", stub, str(pages), str(times), str(raw)) as probe:
        await probe.line()
        neighbours = Neighbours()
        for _ in range(times):
            told: Told = await probe.told()
            several.append((told, neighbours.share()))
    chosen, busy = quiet(several, (times + 1) // 2)
    cpu = f"CPU {median(each['cpu_s'] for each in chosen) / pages * 1e3:.2f} ms a page"
    if raw:
        pairs = [(each["wall_s"], each["raw_s"]) for each in chosen if each["raw_s"]]
        return [compared("fetch", f"{pages} pages to raw sockets", pairs, "s")]
    floor, bar = rounds_floor(pages, LATENCY_S, IN_FLIGHT), BAR_WALL if judged else None
    walls = [each["wall_s"] for each in chosen]
    rows = [against("fetch", f"{pages} pages to the floor", walls, floor, "s", bar=bar, note=cpu, busy=busy)]
    if judged:
        others = sorted({path for each, _ in several for path in each["others"]})
        asked = max((each["pages"] for each, _ in several), key=lambda number: abs(number - pages))
        got = min(each["rows"] for each, _ in several)
        rows += [
            exact("fetch", "requests for pages, worst", asked, pages, note=f"and {others}" if others else ""),
            exact("fetch", "rows, worst", got, pages * PER_PAGE),
        ]
    return rows


# The probe: python -m tests.bench.fetch STUB PAGES TIMES RAW; with no times, what one listing holds is measured.


async def probe(stub: str, pages: int, times: int, raw: int) -> None:
    await _fetch(_connection(stub), 10)
    if not times:
        tell(await _held(stub, pages))
        return
    await _raw(stub, pages)
    tell("ready")
    for turn in range(times):
        gc.collect()
        await ask_json(f"{stub}/bench/reset")
        begun, used = time.perf_counter(), time.process_time()
        connection = _connection(stub)
        listing = await _fetch(connection, pages)
        wall_s, cpu_s = time.perf_counter() - begun, time.process_time() - used
        await connection.close()
        if listing.missing:
            raise AssertionError(f"the listing is partial: {listing.missing}")
        asked = (await ask_json(f"{stub}/bench/tally"))["asked"]
        rows = len({run.ref.id for run in listing.items})
        del listing, connection
        raw_s = await _raw(stub, pages) if turn < raw else 0.0
        its = asked.pop("page", 0)
        tell(Told(wall_s=wall_s, cpu_s=cpu_s, rows=rows, pages=its, others=list(asked), raw_s=raw_s))


def _connection(stub: str) -> Remembering:
    from bot.systems import system
    from bot.systems._pace import Pace
    from bot.systems._remembering import Remembering
    from bot.systems._spec import Account

    options: dict[str, str | int | bool | None] = {"url": f"{stub}/testmo", "token": "testmo-bench-token", "project": 1}
    return Remembering(system("testmo").connect(Account("testmo", options, Pace(), lambda: datetime.now(UTC))))


async def _fetch(connection: Remembering, project: int) -> Listing[Run]:
    """All runs of a project, which has as many pages as its number says."""
    from bot.domain.queries import RunQuery

    return await connection.runs("A", RunQuery(project=project, state="all"))


async def _raw(stub: str, pages: int) -> float:
    """Seconds that a raw client needs for the same pages when it knows beforehand how many there are."""
    client = Client(int(stub.rpartition(":")[2]))
    numbers = iter(range(2, pages + 1))

    async def ask(number: int) -> Answer:
        answer = await client.ask(f"GET /bench/pages/{pages}/{number} HTTP/1.1\r\nHost: stub\r\n\r\n".encode())
        json.loads(answer.body)
        return answer

    async def work() -> None:
        for number in numbers:
            await ask(number)

    begun = time.perf_counter()
    await ask(1)
    await asyncio.gather(*(work() for _ in range(IN_FLIGHT)))
    seconds = time.perf_counter() - begun
    client.close()
    return seconds


async def _held(stub: str, pages: int) -> tuple[float, int]:
    """MiB that vanish when a listing does, and its rows."""
    tracemalloc.start()
    connection = _connection(stub)
    listing: Listing[Run] | None = await _fetch(connection, pages)
    count = len(listing.items) if listing else 0
    await connection.close()
    del connection
    gc.collect()
    full, _ = tracemalloc.get_traced_memory()
    listing = None
    gc.collect()
    empty, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return (full - empty) / 2**20, count


if __name__ == "__main__":
    asyncio.run(probe(sys.argv[1], *map(int, sys.argv[2:])))
