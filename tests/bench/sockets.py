"""Case `socket`: envelopes pushed through Socket Mode until they are acknowledged, against Bolt's own handler."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator

from aiohttp import WSMsgType, web

from tests.bench.ack import WARM_S, answered, stubs
from tests.bench.figures import Pair, Row, compared, exact
from tests.bench.load import Commands, ask_json, no_collector
from tests.bench.plan import Plan
from tests.bench.programs import Program, free_port, program, rundown_settings, workplace

#: Seconds that anything may take before the bench gives up.
PATIENCE_S = 30.0


class Socket:
    """Slack's end of one Socket Mode connection. The rest of Slack's Web API is answered by the stubs."""

    def __init__(self, stub: str) -> None:
        self.commands = Commands(stub)
        self._stub = stub
        self._link = ""
        self._open: web.WebSocketResponse | None = None
        self._ready = asyncio.Event()
        self._acked: dict[str, float] = {}
        self._last = asyncio.Event()
        self._due = 0

    @contextlib.asynccontextmanager
    async def listening(self) -> AsyncIterator[str]:
        """Slack's address while the block lasts."""
        app = web.Application()
        app.add_routes([web.get("/link", self._connected), web.route("*", "/api/{method}", self._asked)])
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        port = runner.addresses[0][1]
        self._link = f"ws://127.0.0.1:{port}/link?ticket=bench&app_id=A0BENCH001"
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            await runner.cleanup()

    async def ready(self, its: Program) -> None:
        async with asyncio.timeout(PATIENCE_S):
            await self._ready.wait()
        its.running()

    async def push(self, count: int) -> float:
        """Milliseconds until the last of so many envelopes, sent at once, is acknowledged."""
        assert self._open is not None
        envelopes = [self._envelope() for _ in range(count)]
        self._acked.clear()
        self._last.clear()
        self._due = count
        with no_collector():
            begun = time.perf_counter()
            for envelope in envelopes:
                await self._open.send_str(envelope)
            async with asyncio.timeout(PATIENCE_S):
                await self._last.wait()
        return (max(self._acked.values()) - begun) * 1e3

    def _envelope(self) -> str:
        number = next(self.commands.numbers)
        return json.dumps({
            "envelope_id": f"bench-{number}", "type": "slash_commands", "accepts_response_payload": True,
            "payload": self.commands.form(number),
        })  # fmt: skip

    async def _connected(self, request: web.Request) -> web.WebSocketResponse:
        link = web.WebSocketResponse()
        await link.prepare(request)
        hello = {
            "type": "hello", "num_connections": 1, "connection_info": {"app_id": "A0BENCH001"},
            "debug_info": {"host": "bench", "approximate_connection_time": 18_060},
        }  # fmt: skip
        await link.send_str(json.dumps(hello))
        self._open = link
        self._ready.set()
        async for message in link:
            if message.type is WSMsgType.TEXT and "envelope_id" in message.data:
                self._acked[json.loads(message.data)["envelope_id"]] = time.perf_counter()
                if len(self._acked) == self._due:
                    self._last.set()
        return link

    async def _asked(self, request: web.Request) -> web.Response:
        method = request.match_info["method"]
        if method == "apps.connections.open":
            return web.json_response({"ok": True, "url": self._link})
        return web.json_response(await ask_json(f"{self._stub}/api/{method}"))


@contextlib.asynccontextmanager
async def bot(stub: str, *, ours: bool) -> AsyncIterator[Socket]:
    """Ours or Bolt's hello, connected."""
    its = Socket(stub)
    async with its.listening() as slack:
        with workplace() as folder:
            settings = rundown_settings(stub, free_port(), folder / "bench.db", socket_mode=True)
            settings["SLACK_API_URL"] = f"{slack}/api/"
            how = ("bot", "serve") if ours else ("tests.bench.echo", "socket")
            async with program(*how, settings=settings) as running:
                await its.ready(running)
                await asyncio.sleep(WARM_S)
                for _ in range(30):
                    await its.push(1)
                yield its


async def inform(plan: Plan) -> list[Row]:
    rows: list[Row] = []
    async with stubs() as stub, bot(stub, ours=True) as ours, bot(stub, ours=False) as bolt:
        for count, pairs in ((1, plan(60, 10)), (64, plan(9, 3)), (1_000, plan(5, 0))):
            if not pairs:
                continue
            several: list[Pair] = []
            waits: list[float] = []
            right = 0
            for _ in range(pairs):
                await ask_json(f"{stub}/bench/reset")
                mine = await ours.push(count)
                told, waited = await answered(stub, count)
                right += told["answered"] - told["twice"]
                waits.append(waited)
                several.append((mine, await bolt.push(count)))
            note = f"all answered {max(waits):.2f} s later" if count > 1 else ""
            rows.append(compared("socket", f"{count:,} at once, until the last ack", several, "ms", note=note))
            rows.append(exact("socket", f"answers to {count:,} at once", right, count * pairs))
    return rows
