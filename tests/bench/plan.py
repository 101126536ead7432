"""How much is measured: a quick look, or all of it; and the clock that a quick look keeps to."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from tests.bench.figures import Row


@dataclass(frozen=True, slots=True)
class Plan:
    """`quick` or whole."""

    quick: bool
    begun_at: float = field(default_factory=time.monotonic)

    def __call__(self, whole: int, quick: int) -> int:
        """How often, or how many."""
        return quick if self.quick else whole

    def has_time_for(self, seconds: float) -> bool:
        """Whether something may be repeated that took so long."""
        return time.monotonic() - self.begun_at + seconds < self(400, 30)


#: Measures what is judged, or what is only told.
Measure = Callable[[Plan], Awaitable[list[Row]]]
