"""How much is measured: a quick look, or all of it; and the clock that a quick look keeps to."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from tests.bench.figures import Row


@dataclass(frozen=True, slots=True)
class Plan:
    """`quick` or whole. After `last_s` seconds nothing is repeated any more."""

    quick: bool
    last_s: float
    begun_at: float = field(default_factory=time.monotonic)

    def __call__(self, whole: int, quick: int) -> int:
        """How often, or how many."""
        return quick if self.quick else whole

    @property
    def late(self) -> bool:
        return time.monotonic() - self.begun_at > self.last_s


#: Measures one thing from its beginning to its end.
Case = Callable[[Plan], Awaitable[list[Row]]]
