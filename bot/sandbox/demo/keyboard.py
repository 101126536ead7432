"""Lines from a person (with history and editing) or from a pipe, without stopping everything else meanwhile."""

from __future__ import annotations

import asyncio
import contextlib
import os
import queue
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any, Protocol

_BOLD, _PLAIN = "\x1b[1;36m", "\x1b[0m"


class Lines(Protocol):
    """Where lines come from."""

    async def line(self, prompt: str) -> str | None:
        """The next line; None at the end."""

    def above(self, show: Callable[[], None]) -> None:
        """Show something while a line may be half typed."""


class _Reader:
    """Reads in a thread of its own, which never keeps the program up; terminals can't be waited for otherwise."""

    def __init__(self, read: Callable[[str], str | None]) -> None:
        self._read = read
        self._asked: queue.SimpleQueue[tuple[str, Callable[[str | None], None]]] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    async def line(self, prompt: str) -> str | None:
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[str | None] = loop.create_future()

        def settle(text: str | None) -> None:
            if not answer.done():
                answer.set_result(text)

        def hand_over(text: str | None) -> None:
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
                loop.call_soon_threadsafe(settle, text)

        self._asked.put((prompt, hand_over))
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="demo keyboard", daemon=True)
            self._thread.start()
        return await answer

    def _work(self) -> None:
        while True:
            prompt, hand_over = self._asked.get()
            try:
                text = self._read(prompt)
            except (EOFError, OSError, ValueError):
                text = None
            hand_over(text)


class Pipe:
    """Lines of a standard input that is no terminal."""

    def __init__(self, fileno: int) -> None:
        self._lines = _pieces(fileno)
        self._reader = _Reader(lambda _: next(self._lines, None))

    async def line(self, prompt: str) -> str | None:
        return await self._reader.line(prompt)

    def above(self, show: Callable[[], None]) -> None:
        show()


class Keyboard:
    """Lines of a terminal. Use as a context: it leaves the terminal as it was, also when a line was half typed."""

    def __init__(self, *, styled: bool = False) -> None:
        self._readline = _readline()
        # only GNU's line editor knows signs that take no room in a prompt
        self._styled = styled and self._readline is not None and "libedit" not in (self._readline.__doc__ or "")
        self._reader = _Reader(input)
        self._prompt = ""
        self._typing = False
        self._settings: Any = None

    def __enter__(self) -> Keyboard:
        with contextlib.suppress(ImportError, OSError):
            import termios

            self._settings = termios.tcgetattr(sys.stdin.fileno())
        return self

    def __exit__(self, *_: object) -> None:
        if self._settings is not None:
            import termios

            with contextlib.suppress(OSError):
                termios.tcsetattr(sys.stdin.fileno(), termios.TCSADRAIN, self._settings)

    async def line(self, prompt: str) -> str | None:
        self._prompt, self._typing = f"{_BOLD}{prompt}{_PLAIN}" if self._styled else prompt, True
        try:
            return await self._reader.line(f"\1{_BOLD}\2{prompt}\1{_PLAIN}\2" if self._styled else prompt)
        finally:
            self._typing = False

    def above(self, show: Callable[[], None]) -> None:
        """Take the prompt away, show, and put the prompt back with what was typed so far."""
        if not self._typing:
            show()
            return
        sys.stdout.write("\r\x1b[J")
        show()
        typed = self._readline.get_line_buffer() if self._readline is not None else ""
        sys.stdout.write(self._prompt + typed)
        sys.stdout.flush()


def piped() -> Pipe:
    """The standard input's lines; none where there is no standard input."""
    try:
        fileno = sys.stdin.fileno()
    except (AttributeError, OSError, ValueError):
        fileno = os.open(os.devnull, os.O_RDONLY)
    return Pipe(fileno)


def _readline() -> Any:
    """The line editor with its history; None where Python has none (Windows)."""
    try:
        import readline
    except ImportError:
        return None
    return readline


def _pieces(fileno: int) -> Iterator[str]:
    """The lines of a file or pipe, read without Python's buffer, which a thread must not hold when the program ends."""
    rest = b""
    while piece := os.read(fileno, 65_536):
        *whole, rest = (rest + piece).split(b"\n")
        yield from (one.decode(errors="replace") for one in whole)
    if rest:
        yield rest.decode(errors="replace")
