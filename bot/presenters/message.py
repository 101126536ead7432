"""What the bot says: one message, and what continues in its thread; or a form to fill in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Block = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Message:
    """A message as Slack takes it. `text` is the full sentence for notifications and screen readers (already escaped).

    `more` are messages that belong in the thread of this one, in order.
    """

    text: str
    blocks: list[Block]
    more: tuple[Message, ...] = ()


#: Slack takes so many characters of data that ride along with a form.
METADATA, CALLBACK = 3_000, 255


@dataclass(frozen=True, slots=True)
class View:
    """A modal as Slack takes it, but for what it is called. An empty `submit` has no such button.

    Each input's `block_id` is the name of its field, its `action_id` is `field:NAME`.
    """

    title: str
    submit: str
    close: str
    blocks: list[Block]

    def as_dict(self, callback_id: str, private_metadata: str = "") -> dict[str, Any]:
        """The view for `views.open` and its like. Raises ValueError for data that Slack would refuse."""
        if not 0 < len(callback_id) <= CALLBACK or len(private_metadata) > METADATA:
            raise ValueError(f"a view has a callback_id, and at most {METADATA} characters of data")
        view: dict[str, Any] = {
            "type": "modal",
            "callback_id": callback_id,
            "private_metadata": private_metadata,
            "title": _plain(self.title),
            "close": _plain(self.close),
            "blocks": self.blocks,
        }
        return view | {"submit": _plain(self.submit)} if self.submit else view


def _plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "emoji": False, "text": text}
