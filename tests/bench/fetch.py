"""Case `fetch`: 10,000 automation runs of Testmo, a hundred pages that are 50 ms away, as a domain listing."""

from __future__ import annotations

import asyncio
import gc
import json
import statistics
import sys
import time
import tracemalloc
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypedDict

from tests.bench.ack import stubs
from tests.bench.figures import Row, against, compared, exact, rounds_floor
from tests.bench.load import Answer, Client, ask_json
from tests.bench.plan import Plan
from tests.bench.probes import tell
from tests.bench.programs import program
from tests.bench.stubs import LATENCY_S, PER_PAGE

if TYPE_CHECKING:
    from bot.domain.model import Listing, Run
    from bot.systems._remembering import Remembering

BAR_WALL, MOST_MIB = 1.15, 6.0
IN_FLIGHT = 8


class Told(TypedDict):
    """What the probe tells: seconds of each fetch and of a raw client's, CPU seconds, rows, page requests, memory."""

    wall: list[float]
    raw: list[float]
    cpu: list[float]
    rows: list[int]
    pages: list[int]
    others: list[str]
    mib: float


async def measure(plan: Plan) -> list[Row]:
    async with stubs() as stub:
        rows = await _fetches(stub, 100, plan(9, 3), judged=True)
        async with program("tests.bench.fetch", stub, "100", "0", "0") as probe:
            told: Told = await probe.told()
        held = [told["mib"]]
        return [*rows, against("fetch", f"held by {told['rows'][0]:,} runs", held, MOST_MIB, "MiB", bar=1.0)]


async def inform(plan: Plan) -> list[Row]:
    async with stubs() as stub:
        rows = await _fetches(stub, 10, plan(9, 3))
        if not plan.quick:
            rows += [*await _fetches(stub, 400, 5), *await _fetches(stub, 100, 7, raw=7)]
        return rows


async def _fetches(stub: str, pages: int, times: int, *, raw: int = 0, judged: bool = False) -> list[Row]:
    """Fetches against the floor, and so many of them against a raw client too."""
    async with program("tests.bench.fetch", stub, str(pages), str(times), str(raw)) as probe:
        told: Told = await probe.told()
    floor = rounds_floor(pages, LATENCY_S, IN_FLIGHT)
    cpu = statistics.mean(told["cpu"]) / pages * 1e3
    others = sorted(set(told["others"]))
    bar = BAR_WALL if judged else None
    if raw:
        pairs = list(zip(told["wall"], told["raw"], strict=False))
        return [compared("fetch", f"{pages} pages to raw sockets", pairs, "s", note=f"CPU {cpu:.2f} ms a page")]
    rows = [
        against(
            "fetch", f"{pages} pages to the floor", told["wall"], floor, "s", bar=bar, note=f"CPU {cpu:.2f} ms a page"
        )
    ]
    if judged:
        note = f"and {', '.join(others)}" if others else ""
        rows += [
            exact(
                "fetch", "requests for pages, worst", max(told["pages"], key=lambda n: abs(n - pages)), pages, note=note
            ),
            exact("fetch", "rows, worst", min(told["rows"]), pages * PER_PAGE),
        ]
    return rows


# The probe: python -m tests.bench.fetch STUB PAGES TIMES RAW; with no times, what one listing holds is measured.


async def probe(stub: str, pages: int, times: int, raw: int) -> Told:
    told = Told(wall=[], raw=[], cpu=[], rows=[], pages=[], others=[], mib=0.0)
    await _fetch(_connection(stub), 10)
    for turn in range(times):
        gc.collect()
        await ask_json(f"{stub}/bench/reset")
        begun, used = time.perf_counter(), time.process_time()
        connection = _connection(stub)
        listing = await _fetch(connection, pages)
        told["wall"].append(time.perf_counter() - begun)
        told["cpu"].append(time.process_time() - used)
        await connection.close()
        if listing.missing:
            raise AssertionError(f"the listing is partial: {listing.missing}")
        told["rows"].append(len({run.ref.id for run in listing.items}))
        asked = (await ask_json(f"{stub}/bench/tally"))["asked"]
        told["pages"].append(asked.pop("page", 0))
        told["others"] += asked
        del listing, connection
        if turn < raw:
            told["raw"].append(await _raw(stub, pages))
    if not times:
        told["mib"], rows = await _held(stub, pages)
        told["rows"].append(rows)
    return told


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
    tell(asyncio.run(probe(sys.argv[1], *map(int, sys.argv[2:]))))
