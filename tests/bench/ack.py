"""Case `ack`: a real `/runs show A412` over signed HTTP against Bolt's hello, a hundred times a second."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from statistics import median

from tests.bench.figures import Row, compared, exact, quiet
from tests.bench.load import Client, Commands, Measured, ask_json, closed_loop, open_loop
from tests.bench.plan import Plan
from tests.bench.programs import LOAD, Neighbours, Program, free_port, program, rundown_settings, workplace

PER_SECOND = 100
BAR_P50, BAR_P99 = 0.10, 0.20
#: Seconds until the last answer to a block of commands must have come.
ANSWERED_S = 60.0
#: Seconds that a server gets to load what it loads behind its first ack.
WARM_S = 0.6


@dataclass(frozen=True, slots=True)
class Server:
    """A bot that listens."""

    program: Program
    client: Client


@contextlib.asynccontextmanager
async def stubs() -> AsyncIterator[str]:
    """The stubs, running; their address."""
    async with program("tests.bench.stubs", where=LOAD) as running:
        yield f"http://127.0.0.1:{await running.line()}"


@contextlib.asynccontextmanager
async def server(stub: str, *, ours: bool) -> AsyncIterator[Server]:
    """Ours or Bolt's hello, started but not waited for."""
    port = free_port()
    with workplace() as folder:
        settings = rundown_settings(stub, port, folder / "bench.db")
        how = ("bot", "serve") if ours else ("tests.bench.echo",)
        async with program(*how, settings=settings) as running:
            client = Client(port)
            try:
                yield Server(running, client)
            finally:
                client.close()


async def ready(its: Server, commands: Commands) -> None:
    """Wait until it acknowledges, and has done so often enough to be warm."""
    async with asyncio.timeout(30):
        while True:
            its.program.running()
            with contextlib.suppress(OSError):
                if (await its.client.ask(commands.signed()[1])).status == 200:
                    break
            await asyncio.sleep(0.02)
    await asyncio.sleep(WARM_S)
    await closed_loop(its.client, commands.several(50), 2)


async def answered(stub: str, count: int) -> tuple[dict[str, int], float]:
    """What the response_urls got, once as many answers came as commands were sent, and the seconds until then."""
    begun = time.perf_counter()
    while True:
        told = await ask_json(f"{stub}/bench/tally")
        waited = time.perf_counter() - begun
        if told["answered"] >= count or waited > ANSWERED_S:
            return told, waited
        await asyncio.sleep(0.05)


@dataclass(frozen=True, slots=True)
class Block:
    """One pair: the latencies of both, and their CPU milliseconds per command."""

    ours: Measured
    bolt: Measured
    ours_cpu_ms: float
    bolt_cpu_ms: float


@dataclass(frozen=True, slots=True)
class Both:
    """Ours and Bolt's hello, warm, and the commands for them."""

    stub: str
    commands: Commands
    ours: Server
    bolt: Server


@contextlib.asynccontextmanager
async def both() -> AsyncIterator[Both]:
    async with stubs() as stub, server(stub, ours=True) as ours, server(stub, ours=False) as bolt:
        commands = Commands(stub)
        await ready(bolt, commands)
        await ready(ours, commands)
        yield Both(stub, commands, ours, bolt)


async def measure(plan: Plan) -> list[Row]:
    async with both() as its:
        return await _at_100(plan, its.stub, its.commands, its.ours, its.bolt)


async def inform(plan: Plan) -> list[Row]:
    async with both() as its:
        return await _in_flight(plan, its.stub, its.commands, its.ours, its.bolt)


async def _at_100(plan: Plan, stub: str, commands: Commands, ours: Server, bolt: Server) -> list[Row]:
    count, wanted, least = plan(400, 100), plan(9, 5), plan(7, 4)
    blocks: list[tuple[Block, float]] = []
    right = sent = 0
    neighbours = Neighbours()
    while len(blocks) < plan(18, 7) and (len(blocks) < wanted or quiet(blocks, least)[1]):
        await asyncio.sleep(0.1)
        await ask_json(f"{stub}/bench/reset")
        neighbours.share()
        mine, mine_cpu = await _block(ours, commands, count)
        told, _ = await answered(stub, count)
        right, sent = right + told["answered"] - told["twice"], sent + count
        its, its_cpu = await _block(bolt, commands, count)
        blocks.append((Block(mine, its, mine_cpu, its_cpu), neighbours.share()))
    judged, busy = quiet(blocks, least)
    refused = sum(block.ours.refused + block.bolt.refused for block, _ in blocks)
    p50s = [(block.ours.p50, block.bolt.p50) for block in judged]
    p99s = [(block.ours.p99, block.bolt.p99) for block in judged]
    cpu = [(block.ours_cpu_ms, block.bolt_cpu_ms) for block in judged]
    kept = f"{len(judged)} of {len(blocks)} blocks judged; others used {median(each for _, each in blocks):.0%}"
    tails = f"beyond p50: {_tail(each.ours for each in judged)} ms, Bolt {_tail(each.bolt for each in judged)}"
    rows = [
        compared("ack", f"p50 at {PER_SECOND}/s", p50s, "ms", bar=BAR_P50, busy=busy, note=kept),
        compared("ack", f"p99 at {PER_SECOND}/s", p99s, "ms", bar=BAR_P99, busy=busy, note=tails),
        exact("ack", "answers, each once", right, sent, note=f"{refused} requests refused" if refused else ""),
    ]
    if all(its for _, its in cpu):
        rows.append(compared("ack", "CPU per command, answer included", cpu, "ms", note="the hello has no answer"))
    return rows


def _tail(several: Iterable[Measured]) -> str:
    return f"{median(each.p99 - each.p50 for each in several):.1f}"


async def _block(its: Server, commands: Commands, count: int) -> tuple[Measured, float]:
    """Latencies, and the CPU milliseconds per command."""
    requests = commands.several(count)
    before = its.program.cpu_s()
    measured = await open_loop(its.client, requests, PER_SECOND)
    return measured, (its.program.cpu_s() - before) / count * 1e3


async def _in_flight(plan: Plan, stub: str, commands: Commands, ours: Server, bolt: Server) -> list[Row]:
    rows: list[Row] = []
    for in_flight in (1, 16, 64):
        count = plan(384, 128) if in_flight > 1 else plan(200, 50)
        pairs: list[tuple[Measured, Measured]] = []
        waits: list[float] = []
        for _ in range(plan(5, 1)):
            await ask_json(f"{stub}/bench/reset")
            mine = await closed_loop(ours.client, commands.several(count), in_flight)
            _, waited = await answered(stub, count)
            waits.append(waited + mine.wall_s)
            pairs.append((mine, await closed_loop(bolt.client, commands.several(count), in_flight)))
        late = f"all {count} answered after {max(waits):.2f} s"
        rows += [
            compared("ack", f"p50, {in_flight} in flight", [(a.p50, b.p50) for a, b in pairs], "ms"),
            compared("ack", f"p99, {in_flight} in flight", [(a.p99, b.p99) for a, b in pairs], "ms", note=late),
        ]
    return rows
