"""The load: a raw asyncio client for signed commands, cheap enough not to be what is measured.

Open loop counts from the moment a request was due, so that a server that stalls pays for everything it kept waiting.
"""

from __future__ import annotations

import asyncio
import gc
import hashlib
import hmac
import itertools
import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit

from tests.bench.figures import percentile
from tests.bench.programs import CHANNEL, SECRET, TEAM, USER

#: An event loop's timers are late by up to a millisecond, so the last one is spent looking at the clock.
CLOSE_S = 0.0015


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: bytes
    at: float


class Line(asyncio.Protocol):
    """One keep-alive connection with one request at a time on it."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._waiting: asyncio.Future[Answer] | None = None
        self._got = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._got += data
        head, blank, body = self._got.partition(b"\r\n\r\n")
        if not blank or len(body) < _length(head):
            return
        self._got = b""
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(Answer(int(head[9:12]), body, time.perf_counter()))

    def connection_lost(self, error: Exception | None) -> None:
        self._transport = None
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(error or ConnectionResetError("closed before the answer"))

    @property
    def open(self) -> bool:
        return self._transport is not None

    def ask(self, request: bytes) -> asyncio.Future[Answer]:
        if self._transport is None:
            raise ConnectionResetError("not connected")
        self._waiting = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return self._waiting

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        if line[:15].lower() == b"content-length:":
            return int(line[15:])
    return 0


class Client:
    """A pool of lines to one server, as many as are needed at once."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._idle: list[Line] = []

    async def ask(self, request: bytes) -> Answer:
        line = self._idle.pop() if self._idle else None
        while line is not None and not line.open:
            line = self._idle.pop() if self._idle else None
        if line is None:
            _, line = await asyncio.get_running_loop().create_connection(Line, "127.0.0.1", self._port)
        answer = await line.ask(request)
        self._idle.append(line)
        return answer

    def close(self) -> None:
        for line in self._idle:
            line.close()
        self._idle.clear()


async def ask_json(url: str) -> Any:
    """What a stub tells of itself."""
    parts = urlsplit(url)
    client = Client(parts.port or 80)
    try:
        answer = await client.ask(f"GET {parts.path} HTTP/1.1\r\nHost: stub\r\n\r\n".encode())
    finally:
        client.close()
    return json.loads(answer.body)


@dataclass(slots=True)
class Commands:
    """Signed slash commands, each with a number of its own that its answer will carry."""

    stub: str
    text: str = "show A412"
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def form(self, number: int) -> dict[str, str]:
        """What Slack tells of one command."""
        return {
            "token": "legacy",
            "team_id": TEAM,
            "team_domain": "acme",
            "channel_id": CHANNEL,
            "channel_name": "release",
            "user_id": USER,
            "user_name": "ana",
            "command": "/runs",
            "text": self.text,
            "api_app_id": "A0BENCH001",
            "is_enterprise_install": "false",
            "response_url": f"{self.stub}/commands/{number}",
            "trigger_id": f"{time.time_ns()}.{number}.bench",
        }

    def signed(self) -> tuple[int, bytes]:
        """The next command's number, and its whole request."""
        number = next(self.numbers)
        body = urlencode(self.form(number)).encode()
        stamp = str(int(time.time()))
        signature = hmac.new(SECRET.encode(), f"v0:{stamp}:".encode() + body, hashlib.sha256).hexdigest()
        head = (
            "POST /slack/events HTTP/1.1\r\nHost: bench.example\r\nUser-Agent: Slackbot 1.0\r\n"
            f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n"
            f"X-Slack-Request-Timestamp: {stamp}\r\nX-Slack-Signature: v0={signature}\r\n\r\n"
        )
        return number, head.encode() + body

    def several(self, count: int) -> list[bytes]:
        """So many requests, made before the clock runs."""
        return [self.signed()[1] for _ in range(count)]


@dataclass(slots=True)
class Measured:
    """Latencies in milliseconds of the requests that were answered with 200; `wall_s` for all of them."""

    millis: list[float] = field(default_factory=list)
    refused: int = 0
    wall_s: float = 0.0

    @property
    def p50(self) -> float:
        return percentile(self.millis, 0.50)

    @property
    def p99(self) -> float:
        return percentile(self.millis, 0.99)

    def take(self, answer: Answer, since: float) -> None:
        if answer.status == 200:
            self.millis.append((answer.at - since) * 1e3)
        else:
            self.refused += 1


async def open_loop(client: Client, requests: Sequence[bytes], per_second: float) -> Measured:
    """One request every so often, whether the ones before were answered or not."""
    measured = Measured()
    running: list[asyncio.Task[None]] = []

    async def one(request: bytes, due: float) -> None:
        measured.take(await client.ask(request), due)

    with no_collector():
        begun = time.perf_counter() + 0.01
        for number, request in enumerate(requests):
            due = begun + number / per_second
            await until(due)
            running.append(asyncio.create_task(one(request, due)))
        await asyncio.gather(*running)
    measured.wall_s = time.perf_counter() - begun
    return measured


async def closed_loop(client: Client, requests: Sequence[bytes], in_flight: int) -> Measured:
    """So many at once, each followed by the next as soon as it is answered."""
    measured = Measured()
    waiting = iter(requests)

    async def work() -> None:
        for request in waiting:
            since = time.perf_counter()
            measured.take(await client.ask(request), since)

    with no_collector():
        begun = time.perf_counter()
        await asyncio.gather(*(work() for _ in range(in_flight)))
    measured.wall_s = time.perf_counter() - begun
    return measured


async def until(due: float) -> None:
    """Wait for a moment of `time.perf_counter()`, to a few microseconds."""
    left = due - time.perf_counter()
    if left > CLOSE_S:
        await asyncio.sleep(left - CLOSE_S)
    while time.perf_counter() < due:  # noqa: ASYNC110  an event would be as late as the timer that sets it
        await asyncio.sleep(0)


@contextmanager
def no_collector() -> Iterator[None]:
    """Keep the load's own garbage collector out of the latencies."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
