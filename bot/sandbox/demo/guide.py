"""What the demo says of itself: the welcome, and the list of what can be typed."""

from __future__ import annotations

from rich.table import Table
from rich.text import Text

from bot.sandbox.demo.shapes import Behind

TRY_FIRST = (
    ("/runs", "what matters here"),
    ("/runs show A412", "one automation run"),
    ("@rundown failures testrail:R118", "what fails, for all"),
    ("/runs use testrail Webshop", "set the project here"),
)
COMMANDS = (
    ("/runs …", "the slash command; only you see the answer"),
    ("@rundown …", "ask in public; in a thread, this is the only way"),
    ("anything else", "is said to the channel (in :dm: to Rundown)"),
    (
        "7   7.2   7=text   7=@path",
        "press [7 …], choose the second option of [7 … ▾], enter into [7 … ✎], a file into it",
    ),
    (":press Close", "press the newest button that begins with these words; also :press 7"),
    (":fill Name=text", "enter into what has this label in the dialog; options by their words, files as @path"),
    (":shortcut note", "a shortcut on the newest public message (:shortcut note 2: the one before); alone: lists them"),
    (":as tom", "go on as ana (an admin), tom, lea, max, gus (a guest) or olga (of another company)"),
    (":in #checkout   :dm", "go to another channel, to the direct messages with Rundown"),
    (":thread   :thread off", "reply in the thread of the last public message, or in the channel again"),
    (":see", "the whole conversation as this person sees it, and the dialog"),
    (
        ":clock tomorrow 09:00",
        "let time pass: monday 09:00, +2h, 2026-12-24 09:00; alone: what time it is."
        " Each night brings new runs: a bad, a mixed, a quiet one, and again",
    ),
    (":fail testrail   :slow testmo", "trouble with testmo, testrail or practitest"),
    (":heal", "all systems work again"),
    (":quit", "leave (or Ctrl-D)"),
    ('--run "…" --run ":as tom"', "each --run of rundown demo takes one such line; it ends after the last"),
)


def _table(rows: tuple[tuple[str, str], ...]) -> Behind:
    table = Table.grid(padding=(0, 3, 0, 0))
    table.add_column(style="bold cyan", no_wrap=True)
    table.add_column()
    for typed, meaning in rows:
        table.add_row(Text(f"  {typed}"), Text(meaning))
    return Behind(table, "")


HELP = _table(COMMANDS)
FIRST = _table(TRY_FIRST)
INTRODUCTION = Text.assemble(
    ("Rundown, on this machine", "bold"),
    "\nThe real bot, between sample Testmo, TestRail and PractiTest and a local Slack."
    "\nNo account, no network; all of it is gone when you leave.\n",
)
ENDING = Text.assemble(
    "\nA number presses its button. ",
    (":help", "bold cyan"),
    " lists the rest, ",
    (":quit", "bold cyan"),
    " leaves.\n",
)
