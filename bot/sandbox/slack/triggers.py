"""Trigger ids: the one-use, three-second right to open a dialog in front of the person who just did something."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import datetime

from bot.sandbox.slack.refusals import Refused

TRIGGER_LIFE_S = 3.0


@dataclass(slots=True)
class Trigger:
    """Who may be shown a dialog, since when; `view_id` is the modal the act happened in, "" outside modals."""

    user: str
    at: datetime
    view_id: str = ""
    used: bool = False


@dataclass(slots=True)
class Triggers:
    """All trigger ids given out."""

    known: dict[str, Trigger] = field(default_factory=dict)

    def give(self, user: str, now: datetime, view_id: str = "") -> str:
        """A new trigger id in Slack's form: number.number.hex."""
        trigger_id = f"{int(now.timestamp() * 1000)}.{secrets.randbelow(10**12):012d}.{secrets.token_hex(16)}"
        self.known[trigger_id] = Trigger(user, now, view_id)
        return trigger_id

    def take(self, trigger_id: str, now: datetime) -> Trigger:
        """Use a trigger. Raises Refused: invalid_trigger_id, exchanged_trigger_id, expired_trigger_id."""
        trigger = self.known.get(trigger_id)
        if trigger is None:
            raise Refused("invalid_trigger_id")
        if trigger.used:
            raise Refused("exchanged_trigger_id")
        if (now - trigger.at).total_seconds() > TRIGGER_LIFE_S:
            raise Refused("expired_trigger_id")
        trigger.used = True
        return trigger
