"""Case `start`: from the start of the process to its first ack, and what it holds when nothing happens any more."""

from __future__ import annotations

import asyncio
import contextlib
import statistics
import time
from dataclasses import dataclass

from tests.bench.ack import Server, server, stubs
from tests.bench.figures import Pair, Row, compared, exact
from tests.bench.load import Commands, ask_json
from tests.bench.plan import Plan

BAR_START, BAR_RESIDENT = 1.3, 1.5
#: A process is at rest when so many looks, LOOK_S apart, find the same memory within a hundredth.
LOOKS, LOOK_S = 5, 0.6


@dataclass(frozen=True, slots=True)
class Begun:
    """How it began: seconds and CPU seconds to the first command that was acknowledged and answered.

    `false` counts commands that were acknowledged before, but answered with something else than what was asked for.
    """

    seconds: float
    cpu_s: float
    false: int


async def measure(plan: Plan) -> list[Row]:
    async with stubs() as stub:
        commands = Commands(stub)
        for warm in (True, False):  # so that everything is compiled, and in the machine's memory
            await _begin(stub, commands, ours=warm)
        several = [
            (await _begin(stub, commands, ours=True), await _begin(stub, commands, ours=False))
            for _ in range(plan(11, 3))
        ]
        resident = [await _resident(stub, commands) for _ in range(plan(3, 1))]
    starts: list[Pair] = [(mine.seconds * 1e3, its.seconds * 1e3) for mine, its in several]
    cpu: list[Pair] = [(mine.cpu_s * 1e3, its.cpu_s * 1e3) for mine, its in several]
    rows = [compared("start", "to the first ack", starts, "ms", bar=BAR_START)]
    if all(min(pair) for pair in cpu):
        rows.append(compared("start", "CPU until then", cpu, "ms"))
    rows.append(exact("start", "commands acked and answered wrongly", sum(mine.false for mine, _ in several), 0))
    if all(min(pair) for pair in resident):
        rows.append(compared("start", "memory at rest", resident, "MiB", bar=BAR_RESIDENT))
    return rows


async def _begin(stub: str, commands: Commands, *, ours: bool) -> Begun:
    async with server(stub, ours=ours) as its:
        return await _first_ack(stub, commands, its, ours=ours)


async def _first_ack(stub: str, commands: Commands, its: Server, *, ours: bool) -> Begun:
    """Ask from the very beginning until a command is taken that is answered too (Bolt's hello is its own answer)."""
    false = 0
    async with asyncio.timeout(30):
        while True:
            its.program.running()
            number, request = commands.signed()
            try:
                answer = await its.client.ask(request)
            except OSError:
                await asyncio.sleep(0.002)
                continue
            if answer.status != 200:
                await asyncio.sleep(0.002)
                continue
            begun = Begun(answer.at - its.program.begun_at, its.program.cpu_s(), false)
            if not ours or await _answered(stub, number):
                return begun
            false += 1


async def _answered(stub: str, number: int) -> bool:
    """Whether this command got what it asked for; False when it got something else first, or nothing for long."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(10):
            while True:
                told = await ask_json(f"{stub}/bench/command/{number}")
                if told["right"] or told["wrong"]:
                    return bool(told["right"])
                await asyncio.sleep(0.005)
    return False


async def _resident(stub: str, commands: Commands) -> Pair:
    """MiB of both when they are at rest: warmed up, one command answered, side by side."""
    async with server(stub, ours=True) as ours, server(stub, ours=False) as bolt:
        await _first_ack(stub, commands, ours, ours=True)
        await _first_ack(stub, commands, bolt, ours=False)
        mine, its = await asyncio.gather(_at_rest(ours), _at_rest(bolt))
        return mine, its


async def _at_rest(its: Server) -> float:
    until = time.monotonic() + 30
    looks: list[float] = []
    while len(looks) < LOOKS or max(looks) - min(looks) > 0.01 * max(looks):
        await asyncio.sleep(LOOK_S)
        looks = [*looks, its.program.resident_mib()][-LOOKS:]
        if time.monotonic() > until:
            raise TimeoutError("its memory does not come to rest")
    return statistics.median(looks)
