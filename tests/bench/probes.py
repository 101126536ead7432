"""Helpers of the programs that measure pure functions: take turns, in one process, on one core."""

from __future__ import annotations

import gc
import json
import sys
import time
from collections.abc import Callable

from tests.bench.figures import Pair


def cpu_us(work: Callable[[], object], times: int) -> float:
    """CPU microseconds of one call, the collector's share included."""
    gc.collect()
    begun = time.process_time()
    for _ in range(times):
        work()
    return (time.process_time() - begun) / times * 1e6


def turns(ours: Callable[[], object], yardstick: Callable[[], object], *, pairs: int, times: int) -> list[Pair]:
    """CPU microseconds of both, one right after the other, so many times."""
    ours(), yardstick()
    return [(cpu_us(ours, times), cpu_us(yardstick, times)) for _ in range(pairs)]


def tell(value: object) -> None:
    """One line of JSON for the bench."""
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()
