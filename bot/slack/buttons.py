"""Every press of a button ends here. What a button means is in its action_id before the colon; its value is a command.

A message may be months old: a press needs nothing that was only in memory, and a button nobody knows any more
is answered, not ignored.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from bot.domain.errors import AskError
from bot.postman import ReturnPath
from bot.slack.desk import Desk, Question

Press = Callable[[str, ReturnPath, str], None]


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

    def press(self, action: Mapping[str, Any], back: ReturnPath, key: str) -> None:
        """Hand a press over. `action` is one of Slack's `actions`; `key` is the same for every delivery of it."""
        name = str(action.get("action_id", "")).partition(":")[0]
        chosen = action.get("selected_option") or {}
        value = str(action.get("value") or chosen.get("value") or "")
        known = self._known.get(name)
        if known is None:
            self._desk.tell(back, _Retired(), key=key)
        else:
            known(value, back, key)

    def _ask(self, value: str, back: ReturnPath, key: str) -> None:
        """A further question about what is shown: answered to whoever pressed."""
        self._desk.take(Question(text=value, back=back, key=key))

    def _turn(self, value: str, back: ReturnPath, key: str) -> None:
        """Another page, or the one that was meant: in place of the message, for the one who had asked."""
        self._desk.take(Question(text=value, back=back, key=key, in_place=self._desk.was_asked_by(back)))

    def _share(self, value: str, back: ReturnPath, key: str) -> None:
        """The same answer for everybody here, once."""
        if not self._desk.begins_sharing(back):
            return
        self._desk.take(Question(text=value, back=back, key=key, share=True, clicked_share=True))


def _just_a_link(_value: str, _back: ReturnPath, _key: str) -> None:
    """Slack opened the page; the press only had to be acknowledged."""
