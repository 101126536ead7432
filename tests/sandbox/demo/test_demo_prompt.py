"""The conversation at the prompt: what is read, drawn, and when it ends."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from datetime import UTC

import pytest
from rich.console import Console

from bot.sandbox.demo import Town
from bot.sandbox.demo.keyboard import Pipe
from bot.sandbox.demo.terminal import converse, knows_hyperlinks
from tests.sandbox.demo.demo_fake_app import FakeApp, answering, paper, text


class Typed:
    """Lines as from a keyboard; `seen` are the prompts they were typed at."""

    def __init__(self, *lines: str) -> None:
        self._lines = list(lines)
        self.seen: list[str] = []

    async def line(self, prompt: str) -> str | None:
        self.seen.append(prompt)
        return self._lines.pop(0) if self._lines else None

    def above(self, show: Callable[[], None]) -> None:
        show()


async def talked(*lines: str, width: int = 80, echo: bool = False) -> tuple[str, list[str]]:
    """What was drawn, and the prompts."""
    async with answering() as (town, _):
        console, typed = paper(width), Typed(*lines)
        await converse(town, "ana", "#release", console, typed, echo=echo, timeout_s=10, zone=UTC)
        return text(console), typed.seen


@pytest.mark.parametrize("width", [60, 80, 160])
async def test_the_welcome_tells_what_this_is_and_what_to_try_in_15_lines(width: int) -> None:
    shown, _ = await talked(width=width)
    lines = shown.rstrip("\n").split("\n")
    assert len(lines) <= 15
    tried = [line.split("   ")[0].strip() for line in lines if line.startswith(("  /runs", "  @rundown"))]
    assert tried == ["/runs", "/runs show A412", "@rundown failures testrail:R118", "/runs use testrail Webshop"]


async def test_the_prompt_tells_who_types_where() -> None:
    _, prompts = await talked("@rundown public", ":thread", ":thread off", ":as tom", ":in #checkout", ":dm")
    assert prompts == [
        "ana in #release › ",
        "ana in #release › ",
        "ana in a thread of #release › ",
        "ana in #release › ",
        "tom in #release › ",
        "tom in #checkout › ",
        "tom to rundown › ",
    ]


async def test_at_the_prompt_the_line_before_the_answer_is_shown_too() -> None:
    shown, _ = await talked("/runs slow")
    assert shown.index("⏳ Looking up “slow” in Testmo…") < shown.index("Here it is.")


@pytest.mark.parametrize(("echo", "count"), [(True, 1), (False, 0)])
async def test_lines_nobody_saw_being_typed_are_shown(echo: bool, count: int) -> None:
    shown, _ = await talked(":see", echo=echo)
    assert shown.count("ana in #release › :see") == count


@pytest.mark.parametrize("lines", [[":quit", ":dm"], [":q", ":dm"], [":exit", ":dm"]])
async def test_it_ends_when_told_to(lines: Sequence[str]) -> None:
    _, prompts = await talked(*lines)
    assert len(prompts) == 1


async def test_help_lists_what_can_be_typed() -> None:
    shown, _ = await talked(":help")
    assert [
        word
        for word in (
            ":as tom",
            ":thread off",
            ":press",
            ":fill",
            ":shortcut",
            "=@path",
            "--run",
            ":see",
            ":fail testrail",
            ":heal",
        )
        if word not in shown
    ] == []


async def test_what_comes_unasked_is_drawn_above_the_prompt() -> None:
    async with answering() as (town, app):
        console, keyboard = paper(), _Interrupting(town, app)
        await converse(town, "ana", "#release", console, keyboard, echo=False, zone=UTC)
        assert keyboard.above_calls == 1
        assert "Nightly web broke" in text(console)


class _Interrupting(Typed):
    """A message arrives while the line is being typed."""

    def __init__(self, town: Town, app: FakeApp) -> None:
        super().__init__()
        self._town, self._app = town, app
        self.above_calls = 0
        self._typing = False

    async def line(self, prompt: str) -> str | None:
        self._typing = True
        await self._app.web.chat_postMessage(channel="C0RELEASE1", text="Nightly web broke")
        self._typing = False
        return None

    def above(self, show: Callable[[], None]) -> None:
        self.above_calls += self._typing
        show()


async def test_lines_come_through_a_pipe_however_they_are_cut() -> None:
    reading, writing = os.pipe()
    pipe = Pipe(reading)
    os.write(writing, "/runs list\n:see\n@rundown žluť".encode()[:-1])
    first = [await pipe.line(""), await pipe.line("")]
    os.write(writing, "ť".encode()[-1:])
    os.close(writing)
    last = [await pipe.line(""), await pipe.line(""), await pipe.line("")]
    os.close(reading)
    assert (first, last) == (["/runs list", ":see"], ["@rundown žluť", None, None])


@pytest.mark.parametrize(
    ("env", "known"),
    [
        ({"TERM": "xterm-kitty"}, True),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "iTerm.app"}, True),
        ({"TERM": "xterm-256color", "VTE_VERSION": "7600"}, True),
        ({"TERM": "xterm-256color", "VTE_VERSION": "4205"}, False),
        ({"TERM": "xterm-256color", "WT_SESSION": "1"}, True),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "Apple_Terminal"}, False),
        ({"TERM": "tmux-256color", "TERM_PROGRAM": "iTerm.app"}, False),
        ({}, False),
    ],
)
def test_hyperlinks_are_for_terminals_known_to_show_them(env: dict[str, str], known: bool) -> None:
    console = Console(file=paper().file, force_terminal=True, color_system="standard", _environ=env)
    assert knows_hyperlinks(console, env) is known
    assert not knows_hyperlinks(paper(), env)
