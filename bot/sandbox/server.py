"""What every sample server shares: a loopback address, a journal of calls, a script of faults, a clock to move."""

from __future__ import annotations

import asyncio
import gzip
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from aiohttp import web
from aiohttp.typedefs import Middleware

from bot.sandbox.days import Days

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Clock:
    """The sandbox's time: the machine's, shifted. `now` is aware and in UTC."""

    def __init__(self) -> None:
        self._shift = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self._shift

    def move_to(self, moment: datetime) -> None:
        self._shift = moment - datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Call:
    """One request as the server got it. `target` is path and query undecoded, as on the request line."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    at: datetime


@dataclass(slots=True)
class Fault:
    """What to do instead of (or around) answering requests whose `METHOD target` matches the pattern.

    `times` counts down to nothing, -1 means always. With `after` the real handler runs first and its
    answer is spoiled afterwards (an act that is done but never confirmed).
    """

    pattern: str
    spoil: Callable[[web.Request, web.StreamResponse | None], Awaitable[web.StreamResponse]]
    times: int = -1
    after: bool = False
    hits: int = 0

    def takes(self, line: str) -> bool:
        return self.times != 0 and re.search(self.pattern, line) is not None


@dataclass(slots=True)
class Faults:
    """The fault script of one server; each method adds a fault and returns it."""

    script: list[Fault] = field(default_factory=list)

    def clear(self) -> None:
        self.script.clear()

    def find(self, line: str) -> Fault | None:
        return next((fault for fault in self.script if fault.takes(line)), None)

    def _add(self, fault: Fault) -> Fault:
        self.script.append(fault)
        return fault

    def answer(
        self,
        pattern: str,
        status: int,
        body: bytes | str = b"",
        *,
        times: int = -1,
        after: bool = False,
        content_type: str = "application/json",
        headers: dict[str, str] | None = None,
    ) -> Fault:
        """Answer with this status, body and headers."""
        raw = body.encode() if isinstance(body, str) else body

        async def spoil(_request: web.Request, _answer: web.StreamResponse | None) -> web.StreamResponse:
            return web.Response(status=status, body=raw, headers={"Content-Type": content_type, **(headers or {})})

        return self._add(Fault(pattern, spoil, times, after))

    def slow_down(self, pattern: str, retry_after: str | None, *, times: int = -1) -> Fault:
        """429, with this `Retry-After` text or without one."""
        headers = {} if retry_after is None else {"Retry-After": retry_after}
        return self.answer(pattern, 429, b'{"error": "Too Many Requests"}', times=times, headers=headers)

    def html(self, pattern: str, *, status: int = 200, times: int = -1) -> Fault:
        """A login or maintenance page where JSON belongs."""
        page = "<!doctype html><html><body><h1>Down for maintenance</h1></body></html>"
        return self.answer(pattern, status, page, times=times, content_type="text/html; charset=utf-8")

    def cut(self, pattern: str, keep: int, *, times: int = -1) -> Fault:
        """The real answer, its body cut after `keep` bytes (the length header agrees with the cut)."""

        async def spoil(_request: web.Request, answer: web.StreamResponse | None) -> web.StreamResponse:
            whole = answer.body if isinstance(answer, web.Response) and isinstance(answer.body, bytes) else b""
            return web.Response(status=200, body=whole[:keep], headers={"Content-Type": "application/json"})

        return self._add(Fault(pattern, spoil, times, after=True))

    def hang(self, pattern: str, *, times: int = -1, after: bool = False) -> Fault:
        """Accept and never answer (with `after`: do the work, then never answer)."""

        async def spoil(_request: web.Request, _answer: web.StreamResponse | None) -> web.StreamResponse:
            await asyncio.Event().wait()
            raise AssertionError("unreachable")

        return self._add(Fault(pattern, spoil, times, after))

    def delay(self, pattern: str, seconds: float, *, times: int = -1) -> Fault:
        """The real answer, late."""

        async def spoil(_request: web.Request, answer: web.StreamResponse | None) -> web.StreamResponse:
            await asyncio.sleep(seconds)
            return answer or web.Response(status=500)

        return self._add(Fault(pattern, spoil, times, after=True))

    def drip(self, pattern: str, *, every_s: float = 0.5, times: int = -1) -> Fault:
        """A valid beginning, then one blank per interval for ever."""

        async def spoil(request: web.Request, _answer: web.StreamResponse | None) -> web.StreamResponse:
            answer = web.StreamResponse(headers={"Content-Type": "application/json"})
            await answer.prepare(request)
            while True:
                await answer.write(b" ")
                await asyncio.sleep(every_s)

        return self._add(Fault(pattern, spoil, times))

    def bomb(self, pattern: str, size: int = 200_000_000, *, times: int = -1) -> Fault:
        """A small gzip body that unpacks to `size` bytes of JSON."""

        async def spoil(_request: web.Request, _answer: web.StreamResponse | None) -> web.StreamResponse:
            packed = gzip.compress(b"[" + b" " * size + b"]", 9)
            return web.Response(body=packed, headers={"Content-Type": "application/json", "Content-Encoding": "gzip"})

        return self._add(Fault(pattern, spoil, times))

    def redirect(self, pattern: str, location: str, *, status: int = 302, times: int = -1) -> Fault:
        """Send the client elsewhere."""
        return self.answer(pattern, status, b"", times=times, headers={"Location": location})

    def reset(self, pattern: str, *, times: int = -1, after: bool = False) -> Fault:
        """Drop the connection without an answer (with `after`: the work is done first)."""

        async def spoil(request: web.Request, _answer: web.StreamResponse | None) -> web.StreamResponse:
            if request.transport is not None:
                request.transport.abort()
            raise ConnectionResetError

        return self._add(Fault(pattern, spoil, times, after))


class SampleServer:
    """A server on loopback that keeps a journal of its calls and can be told to misbehave.

    Subclasses add their routes in `routes`, check credentials in `refuse`, and say in `days` what time brings.
    """

    name = "sample"

    def __init__(self, clock: Clock | None = None) -> None:
        self.clock = clock or Clock()
        self.journal: list[Call] = []
        self.faults = Faults()
        self.days = Days(self.clock.now(), lambda _day: ())
        self._runner: web.AppRunner | None = None
        self.url = ""

    def routes(self) -> list[web.RouteDef]:
        raise NotImplementedError

    def refuse(self, request: web.Request) -> web.Response | None:
        """The answer to a request with wrong credentials, None when they are right."""
        raise NotImplementedError

    async def start(self, port: int = 0) -> str:
        """Listen on loopback; returns (and keeps in `url`) `http://127.0.0.1:PORT`."""
        app = web.Application(middlewares=[self._middleware()], client_max_size=16 * 1024 * 1024)
        app.add_routes(self.routes())
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", port)
        await site.start()
        host, real_port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{real_port}"
        return self.url

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    def live_until(self, moment: datetime) -> None:
        """Let happen what happens up to this moment; the clock itself is moved by others.

        Nothing else brings anything: the seconds that really pass leave the data as they are.
        """
        self.days.live_until(moment)

    def calls(self, pattern: str = "") -> list[Call]:
        """The journal's calls whose `METHOD target` matches."""
        return [call for call in self.journal if re.search(pattern, f"{call.method} {call.target}")]

    def _middleware(self) -> Middleware:
        @web.middleware
        async def around(request: web.Request, handler: Handler) -> web.StreamResponse:
            body = await request.read()
            target = request.raw_path
            self.journal.append(Call(request.method, target, dict(request.headers), body, self.clock.now()))
            fault = self.faults.find(f"{request.method} {target}")
            if fault is None:
                return self.refuse(request) or await handler(request)
            fault.hits += 1
            if fault.times > 0:
                fault.times -= 1
            answer = (self.refuse(request) or await handler(request)) if fault.after else None
            return await fault.spoil(request, answer)

        return around


@asynccontextmanager
async def running(*servers: SampleServer) -> AsyncIterator[None]:
    """The servers, listening while the block lasts."""
    try:
        for server in servers:
            await server.start()
        yield
    finally:
        for server in servers:
            await server.stop()
