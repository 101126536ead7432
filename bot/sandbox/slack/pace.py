"""How often Slack lets an app do something: one message per second and channel, and tiers per method."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta

#: Calls per minute by tier. Source: docs.slack.dev apis/web-api/rate-limits.
TIERS = {1: 1, 2: 20, 3: 50, 4: 100}


@dataclass(slots=True)
class Bucket:
    """A token bucket: `burst` at once, then `per_second`."""

    per_second: float
    burst: int
    level: float
    at: datetime

    def take(self, now: datetime) -> float:
        """Take one token; returns 0, or the seconds to wait when there is none."""
        passed = max(0.0, (now - self.at).total_seconds())
        self.level = min(float(self.burst), self.level + passed * self.per_second)
        self.at = now
        if self.level >= 1:
            self.level -= 1
            return 0.0
        return (1 - self.level) / self.per_second


@dataclass(slots=True)
class Pace:
    """The limits of one workspace.

    `messages_per_second` (None: off) is per channel with `burst` at once. `tiers` switches the limits per method on.
    """

    messages_per_second: float | None = 1.0
    burst: int = 3
    tiers: bool = False
    _channels: dict[str, Bucket] = field(default_factory=dict)
    _calls: dict[str, deque[datetime]] = field(default_factory=dict)

    def message(self, channel: str, now: datetime) -> int:
        """Count one message to a channel; returns 0, or the whole seconds for Retry-After."""
        if self.messages_per_second is None:
            return 0
        fresh = Bucket(self.messages_per_second, self.burst, float(self.burst), now)
        return math.ceil(self._channels.setdefault(channel, fresh).take(now))

    def call(self, method: str, tier: int | None, now: datetime) -> int:
        """Count one call of a method; returns 0, or the whole seconds for Retry-After."""
        if not self.tiers or tier is None:
            return 0
        calls = self._calls.setdefault(method, deque())
        while calls and now - calls[0] >= timedelta(minutes=1):
            calls.popleft()
        if len(calls) < TIERS[tier]:
            calls.append(now)
            return 0
        return max(1, math.ceil(60 - (now - calls[0]).total_seconds()))
