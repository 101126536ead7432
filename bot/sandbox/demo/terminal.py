"""The prompt: read a line, do it, draw what comes back, until the person leaves."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Iterator, Mapping
from datetime import tzinfo

from rich.console import Console, RenderableType
from rich.text import Text

from bot.sandbox.demo.acts import read_line
from bot.sandbox.demo.guide import ENDING, FIRST, INTRODUCTION
from bot.sandbox.demo.keyboard import Keyboard, Lines, piped
from bot.sandbox.demo.screen import Screen, place_name
from bot.sandbox.demo.session import ANSWER_S, Session
from bot.sandbox.demo.town import Town


async def talk(town: Town, person: str, channel: str, console: Console) -> int:
    """Talk at the prompt; lines may also come through a pipe, then they are shown as they are read. Returns 0."""
    with _interruptible() as interrupted:
        try:
            if sys.stdin is not None and sys.stdin.isatty() and console.is_terminal:
                with Keyboard(styled=console.color_system is not None and not console.no_color) as keyboard:
                    await converse(town, person, channel, console, keyboard, echo=False)
            else:
                await converse(town, person, channel, console, piped(), echo=True)
        except asyncio.CancelledError:
            if not interrupted():
                raise
            console.print()
    return 0


async def converse(
    town: Town,
    person: str,
    channel: str,
    console: Console,
    lines: Lines,
    *,
    echo: bool,
    timeout_s: float = ANSWER_S,
    zone: tzinfo | None = None,
) -> None:
    """The conversation itself. With `echo` each line is shown, because nobody saw it being typed."""
    links = knows_hyperlinks(console)
    session = Session(
        town,
        person,
        channel,
        lambda who, where: Screen(town, console, who, where, interim=True, hyperlinks=links, zone=zone),
    )
    screen = session.screen
    show = screen.show

    def show_above(drawing: RenderableType) -> None:
        lines.above(lambda: show(drawing))

    screen.show = show_above
    _welcome(screen)
    while True:
        prompt = session.prompt()
        typed = await lines.line(prompt)
        if typed is None:
            screen.show(Text())
            return
        if echo:
            session.show_prompt(typed)
        done = await session.do(read_line(typed))
        if done.ends:
            return
        if await session.answered(done, timeout_s):
            await session.settled(done)
        if typed.strip():
            screen.show(Text())


def _welcome(screen: Screen) -> None:
    """What this is and what to try, in at most 15 lines."""
    screen.show(INTRODUCTION)
    screen.show(Text(f"You are {screen.person.name} in {place_name(screen.channel)} of Acme. Try first:\n"))
    screen.show(FIRST)
    screen.show(ENDING)


def knows_hyperlinks(console: Console, env: Mapping[str, str] = os.environ) -> bool:
    """Whether the terminal is one that is known to make links of OSC 8 sequences (others would swallow the address)."""
    term, program = env.get("TERM", ""), env.get("TERM_PROGRAM", "")
    if not console.is_terminal or console.color_system is None or term.startswith(("screen", "tmux")):
        return False
    known = {"iTerm.app", "WezTerm", "vscode", "ghostty", "Hyper", "Tabby", "rio", "WarpTerminal", "mintty"}
    if program in known or any(word in term for word in ("kitty", "foot", "ghostty", "wezterm", "alacritty")):
        return True
    vte = env.get("VTE_VERSION", "")
    return bool(env.get("WT_SESSION") or env.get("KONSOLE_VERSION")) or (vte.isdecimal() and int(vte) >= 5000)


@contextlib.contextmanager
def _interruptible() -> Iterator[_Interrupted]:
    """Ctrl-C ends what is going on in this task; the value tells afterwards whether it was that."""
    task, loop = asyncio.current_task(), asyncio.get_running_loop()
    interrupted = _Interrupted()

    def interrupt() -> None:
        interrupted.happened = True
        if task is not None:
            task.cancel()

    try:
        loop.add_signal_handler(signal.SIGINT, interrupt)
    except (NotImplementedError, ValueError, RuntimeError):  # Windows; not the main thread: Python's own way stays
        yield interrupted
        return
    try:
        yield interrupted
    finally:
        loop.remove_signal_handler(signal.SIGINT)


class _Interrupted:
    happened = False

    def __call__(self) -> bool:
        """Whether it was Ctrl-C; the task may then go on to its orderly end."""
        task = asyncio.current_task()
        if self.happened and task is not None:
            task.uncancel()
        return self.happened
