"""What is remembered inside a connection for some minutes: names, people, what a server cannot do."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar, cast

from bot.usecases.ports import PATIENCE

T = TypeVar("T")
FIVE_MINUTES = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class _Entry:
    value: Any
    kept_at: datetime
    stale_at: datetime


class Kept:
    """A few answers, each under its key. Errors are never kept, unless somebody `put`s a word for them."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._entries: dict[Hashable, _Entry] = {}
        self._locks: dict[Hashable, asyncio.Lock] = {}

    async def get(
        self, key: Hashable, ask: Callable[[], Awaitable[T]], *, keep: timedelta = FIVE_MINUTES, stale: bool = True
    ) -> T:
        """What is kept, else what `ask` gives: asked once when several need it at the same time.

        While it is asked for again, the others take what was there before, unless nothing `stale` will do. People never
        wait for background work.
        """
        patience = PATIENCE.get()
        lock = self._locks.setdefault((key, patience is None or patience.person), asyncio.Lock())
        if stale and key in self._entries and lock.locked():
            return cast("T", self.last(key))
        async with lock:
            if not self.is_fresh(key):
                self.put(key, await ask(), keep=keep)
            return cast("T", self.last(key))

    def put(self, key: Hashable, value: object, *, keep: timedelta = FIVE_MINUTES) -> None:
        now = self._now()
        self._entries[key] = _Entry(value, now, now + keep)

    def is_fresh(self, key: Hashable) -> bool:
        """Whether it is there and not too old; a clock that was put back makes everything too old."""
        entry = self._entries.get(key)
        return entry is not None and entry.kept_at <= self._now() < entry.stale_at

    def last(self, key: Hashable) -> Any:
        """What was kept last, however old; None when nothing ever was."""
        entry = self._entries.get(key)
        return None if entry is None else entry.value
