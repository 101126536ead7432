"""The demo's way in: plays commands one after another and ends, or hands over to the prompt when there are none."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import tzinfo

from rich.console import Console
from rich.text import Text

from bot.sandbox.demo.acts import read_line
from bot.sandbox.demo.screen import Screen
from bot.sandbox.demo.session import ANSWER_S, QUIET_S, Session
from bot.sandbox.demo.terminal import knows_hyperlinks, talk
from bot.sandbox.demo.town import Town
from bot.sandbox.slack import CannotDo


async def run(town: Town, commands: Sequence[str], *, person: str, channel: str) -> int:
    """Play the commands, or talk at the prompt without any. Returns the exit code."""
    reconfigure = getattr(sys.stdout, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="replace")  # a terminal without these letters gets question marks, not a traceback
    console = Console(highlight=False, markup=False, emoji=False)
    try:
        if commands:
            return await play(town, commands, person, channel, console)
        return await talk(town, person, channel, console)
    except CannotDo as error:
        Console(stderr=True, highlight=False, markup=False).print(Text(f"{error}."))
        return 1


async def play(
    town: Town,
    commands: Sequence[str],
    person: str,
    channel: str,
    out: Console,
    *,
    timeout_s: float = ANSWER_S,
    quiet_s: float = QUIET_S,
    zone: tzinfo | None = None,
) -> int:
    """Type each command and draw its answer. Returns 1 if one got no answer, else 0.

    The next one is typed when nothing has changed for `quiet_s` seconds, so that all stands under its own command.
    `zone` is where times are told for, None for this machine's.
    """
    links = knows_hyperlinks(out)
    session = Session(
        town,
        person,
        channel,
        lambda who, where: Screen(town, out, who, where, interim=False, hyperlinks=links, zone=zone),
    )
    failed = False
    for number, command in enumerate(commands):
        if number:
            session.screen.show(Text())
        session.show_prompt(command)
        done = await session.do(read_line(command))
        failed = not await session.answered(done, timeout_s) or failed
        await session.settled(done, quiet_s)
        if done.ends:
            break
    return int(failed)
