"""Every press of a button ends here. What a button means is in its action_id before the colon; its value is a command.

A message may be months old: a press needs nothing that was only in memory, and a button nobody knows any more
is answered, not ignored.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bot.domain.errors import AskError
from bot.postman import ReturnPath
from bot.slack.desk import Desk
from bot.slack.questions import Question


@dataclass(frozen=True, slots=True)
class Click:
    """One press. `what` is behind the colon of the action_id; `key` is the same for every delivery of the press.

    `trigger` opens a dialog, once and within three seconds.
    """

    what: str
    value: str
    back: ReturnPath
    key: str
    trigger: str = ""


Press = Callable[[Click], None]


class _Retired(AskError):
    def __init__(self) -> None:
        super().__init__(
            "This button is from an older version of Rundown.",
            why="What it did is done otherwise now.",
            fix="Type the command instead; `help` lists them.",
            closest=("help",),
        )


class Buttons:
    """The buttons by name. A feature may add its own with `on`."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._known: dict[str, Press] = {
            "ask": self._ask,
            "page": self._turn,
            "choose": self._turn,
            "share": self._share,
            "open": _just_a_link,
        }

    def on(self, name: str, press: Press) -> None:
        self._known[name] = press

    def press(self, action: Mapping[str, Any], back: ReturnPath, key: str, trigger: str = "") -> None:
        """Hand a press over. `action` is one of Slack's `actions`; `key` is the same for every delivery of it."""
        name, _, what = str(action.get("action_id", "")).partition(":")
        chosen = action.get("selected_option") or {}
        value = str(action.get("value") or chosen.get("value") or "")
        known = self._known.get(name)
        if known is None:
            self._desk.tell(back, _Retired(), key=key)
        else:
            known(Click(what, value, back, key, trigger))

    def _ask(self, click: Click) -> None:
        """A further question about what is shown: answered to whoever pressed."""
        self._desk.take(Question(text=click.value, back=click.back, key=click.key, trigger=click.trigger))

    def _turn(self, click: Click) -> None:
        """Another page, or the one that was meant: in place of the message, for the one who had asked."""
        in_place = self._desk.was_asked_by(click.back)
        self._desk.take(
            Question(text=click.value, back=click.back, key=click.key, trigger=click.trigger, in_place=in_place)
        )

    def _share(self, click: Click) -> None:
        """The same answer for everybody here, once."""
        if not self._desk.begins_sharing(click.back):
            return
        self._desk.take(Question(text=click.value, back=click.back, key=click.key, share=True, clicked_share=True))


def _just_a_link(_click: Click) -> None:
    """Slack opened the page; the press only had to be acknowledged."""
