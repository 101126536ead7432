"""The optional rate limit."""

from __future__ import annotations

import math
from collections import deque
from datetime import datetime, timedelta

MINUTE = timedelta(minutes=1)


class RateLimit:
    """So many calls in any 60 seconds; a call while blocked lengthens the block by `penalty_s` seconds.

    The vendor names no number, only 429 with `Retry-After` (without it: wait 60 s at least) and longer blocks for
    those who do not listen.
    """

    def __init__(self, calls_per_minute: int, *, penalty_s: int = 5) -> None:
        self.calls_per_minute = calls_per_minute
        self.penalty = timedelta(seconds=penalty_s)
        self._taken: deque[datetime] = deque()
        self._blocked_until: datetime | None = None

    def wait_s(self, now: datetime) -> int | None:
        """Counts one call; whole seconds to wait when it is refused, None when it may pass."""
        if self._blocked_until is not None and now < self._blocked_until:
            self._blocked_until += self.penalty
            return math.ceil((self._blocked_until - now).total_seconds())
        while self._taken and now - self._taken[0] >= MINUTE:
            self._taken.popleft()
        if len(self._taken) < self.calls_per_minute:
            self._taken.append(now)
            self._blocked_until = None
            return None
        self._blocked_until = self._taken[0] + MINUTE
        return max(1, math.ceil((self._blocked_until - now).total_seconds()))
