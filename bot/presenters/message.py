"""What the bot says: one message, and what continues in its thread."""

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
