"""For the tests of what all systems stand on: a loop whose time passes only when nothing else can happen."""

from __future__ import annotations

import asyncio
import gc
import selectors
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

T = TypeVar("T")


class _Skipping(selectors.DefaultSelector):
    """Waits for nothing: when no socket is ready, the time that would have been waited has passed."""

    skipped_s = 0.0
    #: How long bytes may be on their way from one socket of this process to another.
    grace_s = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready: list[tuple[selectors.SelectorKey, int]] = super().select(0 if timeout == 0 else self.grace_s)
        if not ready and timeout is None:
            ready = super().select(5)
            if not ready:
                raise AssertionError("everybody waits, and nothing will ever happen")
        if not ready and timeout:
            self.skipped_s += timeout
        return ready


class SwiftLoop(asyncio.SelectorEventLoop):
    """An event loop in which an hour of waiting takes no time. Both ends of a socket must live in it."""

    def __init__(self, grace_s: float) -> None:
        self._skipping = _Skipping()
        self._skipping.grace_s = grace_s
        super().__init__(self._skipping)

    def time(self) -> float:
        return 1_000_000.0 + self._skipping.skipped_s


@dataclass(slots=True)
class Play:
    """What happened behind the scenes of a `play`: complaints of the loop, seconds that passed."""

    complaints: list[dict[str, Any]] = field(default_factory=list)
    seconds: float = 0.0


def play(scene: Callable[[], Coroutine[Any, Any, T]], *, grace_s: float = 0.0) -> tuple[T, Play]:
    """Run it in a swift loop. Fails on tasks left behind and on anything the loop complains of."""
    played = Play()

    def complain(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        if "task" not in context or not _is_a_servers(context["task"]):
            played.complaints.append(context)

    async def all_of_it() -> T:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(complain)
        began = loop.time()
        answer = await scene()
        await settle()
        played.seconds = loop.time() - began
        left = [task for task in asyncio.all_tasks() if task is not asyncio.current_task() and not _is_a_servers(task)]
        assert not left, f"left behind: {left}"
        return answer

    with asyncio.Runner(loop_factory=lambda: SwiftLoop(grace_s)) as runner:
        answer = runner.run(all_of_it())
        gc.collect(1)
    assert not played.complaints, played.complaints
    return answer, played


def _is_a_servers(task: asyncio.Task[Any]) -> bool:
    """A sample server that was told to hang does so until its loop ends."""
    return getattr(task.get_coro(), "__qualname__", "").startswith("RequestHandler.")


async def settle(turns: int = 20) -> None:
    """Let everything happen that can happen now."""
    for _ in range(turns):
        await asyncio.sleep(0)


def now() -> float:
    """The loop's time in seconds."""
    return asyncio.get_running_loop().time()


async def gathered(*jobs: Awaitable[T]) -> list[T | BaseException]:
    """All of them, what was raised as values."""
    return await asyncio.gather(*jobs, return_exceptions=True)


def http(status: int = 200, body: bytes = b"[]", **headers: str) -> bytes:
    """An answer on the wire; names of headers are given with underscores, `length` is the one it claims."""
    told = {"content_type": "application/json", "content_length": str(len(body)), **headers}
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in told.items() if value]
    return f"HTTP/1.1 {status} Said\r\n".encode() + "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


Answer = Callable[[asyncio.StreamWriter, int], Awaitable[None]]


@dataclass(slots=True)
class Server:
    """A server that says exactly the bytes it is told to. `asked` are heads and bodies of requests."""

    answer: Answer
    url: str = ""
    asked: list[bytes] = field(default_factory=list)
    connections: int = 0
    open: int = 0
    most_open: int = 0

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.open += 1
        self.most_open = max(self.open, self.most_open)
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
                self.asked.append(head + await reader.readexactly(int(length[0][15:]) if length else 0))
                if not await self._say(reader, writer):
                    return
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            self.open -= 1
            writer.close()

    async def _say(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Whether the client was still there to hear it; no client asks before it was answered."""
        saying = asyncio.create_task(self._speak(writer, len(self.asked)))
        leaving = asyncio.create_task(reader.read(1))
        try:
            await asyncio.wait({saying, leaving}, return_when=asyncio.FIRST_COMPLETED)
            if saying.done():
                await saying
            return saying.done()
        finally:
            saying.cancel()
            leaving.cancel()
            await gathered(saying, leaving)

    async def _speak(self, writer: asyncio.StreamWriter, number: int) -> None:
        await self.answer(writer, number)
        await writer.drain()


def saying(*answers: bytes) -> Answer:
    """These answers one after the other, the last one again and again."""

    async def answer(writer: asyncio.StreamWriter, number: int) -> None:
        writer.write(answers[min(number, len(answers)) - 1])

    return answer


@asynccontextmanager
async def serving(answer: Answer, **how: Any) -> AsyncIterator[Server]:
    """A server on loopback while the block lasts."""
    server = Server(answer)
    listening = await asyncio.start_server(server.take, "127.0.0.1", 0, **how)
    server.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    try:
        yield server
    finally:
        listening.close()
        await settle()
