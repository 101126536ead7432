"""What can be clicked.

A button's value is the command it asks, without the slash command's name: `show testrail:R118`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bot.domain.errors import Choice
from bot.domain.model import Run
from bot.presenters.icons import VERBS
from bot.presenters.limits import ID, OPTION_VALUE, VALUE
from bot.presenters.markup import address
from bot.presenters.text import cut

MANY, MENU = 5, 40

#: Two words of people for one thing.
CLOSES = ("close", "complete")


@dataclass(frozen=True, slots=True)
class Button:
    """`style` is empty, `primary` for what is meant to be pressed, or `danger` for what can't be taken back.

    With `confirm`, Slack asks that question before the press counts.
    """

    action: str
    label: str
    value: str
    url: str = ""
    style: str = ""
    confirm: str = ""


def ask(verb: str, command: str = "", label: str = "") -> Button:
    """Asks a command; the answer is for the one who clicks."""
    return Button(f"ask:{verb}", label or VERBS.get(verb, verb.capitalize()), command or verb)


def asks(verbs: Iterable[str], run: Run) -> tuple[Button, ...]:
    """The verbs of one run; closing it is called what its system calls it."""
    return tuple(ask(verb, f"{verb} {run.ref}", _label(verb, run)) for verb in dict.fromkeys(verbs))


def _label(verb: str, run: Run) -> str:
    closing = run.kind.closing
    return f"{cut(closing.verb, 40).capitalize()}…" if verb in CLOSES and closing and closing.verb.strip() else ""


def opens(what: str, url: str, value: str, label: str = "Open") -> tuple[Button, ...]:
    """A way to a page of the system, where its address is one."""
    safe = address(url)
    return (Button(f"open:{what}", label, value, safe),) if safe else ()


def share(command: str, shareable: bool) -> tuple[Button, ...]:
    return (Button("share", "Share", command),) if shareable else ()


def turns(again: str, page: int, last: int) -> tuple[Button, ...]:
    """Previous and next page of the same question."""
    before = (Button("page:prev", "‹ Previous", f"{again} --page {page - 1}"),) if page > 1 else ()
    after = (Button("page:next", "Next ›", f"{again} --page {page + 1}"),) if page < last else ()
    return before + after


def refresh(again: str, needed: bool) -> tuple[Button, ...]:
    """The same question once more, where that tells more."""
    return (Button("page:again", "Refresh", again),) if needed else ()


def choices(several: Sequence[Choice]) -> tuple[tuple[Button, ...], tuple[Choice, ...]]:
    """Up to five choices as buttons, more as the options of a menu (if each fits one)."""
    several = several[:MENU]
    short = tuple(choice for choice in several if 0 < len(choice.command) <= OPTION_VALUE)
    if len(several) > MANY and len(short) == len(several):
        return (), tuple(Choice(cut(choice.label, 75) or choice.command[:75], choice.command) for choice in short)
    return tuple(
        Button(f"choose:{number}", choice.label, choice.command) for number, choice in enumerate(several[:25], 1)
    ), ()


def legal(*groups: tuple[Button, ...]) -> tuple[Button, ...]:
    """The buttons that Slack takes, in order."""
    return tuple(
        Button(
            button.action,
            cut(button.label, 75) or "Open",
            button.value,
            button.url,
            button.style,
            cut(button.confirm, 300),
        )
        for group in groups
        for button in group
        if 0 < len(button.action) <= ID and 0 < len(button.value) <= VALUE
    )
