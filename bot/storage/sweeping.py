"""When old rows are swept out: on a write, at most once an hour."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from bot.storage.packing import stamp

EVERY = timedelta(hours=1)


class Sweep:
    """Tells a table's writes when to take old rows along. `kept` is how long rows stay."""

    def __init__(self, now: Callable[[], datetime], kept: timedelta) -> None:
        self._now = now
        self._kept = kept
        self._swept_at: datetime | None = None

    def due(self) -> str | None:
        """The time before which rows go, in a row's own form; None if it is not an hour since the last one."""
        now = self._now()
        if self._swept_at is not None and now - self._swept_at < EVERY:
            return None
        self._swept_at = now
        return stamp(now - self._kept)
