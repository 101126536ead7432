"""The account's limit of calls a minute: clock minutes, refused until the minute ends, then all is forgotten."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta


def minute_of(at: datetime) -> datetime:
    """The beginning of the minute."""
    return at.replace(second=0, microsecond=0)


class MinuteLimit:
    """Counts calls. `calls` has every call of each minute, `refused` those over the limit; None means no limit."""

    def __init__(self, allowance: int | None) -> None:
        self.allowance = allowance
        self.calls: Counter[datetime] = Counter()
        self.refused: Counter[datetime] = Counter()

    def wait_s(self, at: datetime) -> int | None:
        """Count a call: None when it may pass, else whole seconds until the minute ends (at least 1)."""
        minute = minute_of(at)
        self.calls[minute] += 1
        if self.allowance is None or self.calls[minute] <= self.allowance:
            return None
        self.refused[minute] += 1
        left = minute + timedelta(minutes=1) - at
        return max(1, -(-left // timedelta(seconds=1)))
