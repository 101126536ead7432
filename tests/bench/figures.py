"""The bench's arithmetic: pairs → ratio, inter-quartile range, verdict. Pure, and the only part of it with tests."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")

#: A spread above this is no measurement: the case is repeated once, then called unclear.
WIDE = 0.25
#: A measurement is quiet when others used no more than this part of the cores meanwhile.
QUIET = 0.05

Pair = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the table. `bar` is the largest ratio that is kept, None for what is only told.

    `ratio` is the median of the pairwise ratios, `low` and `high` are its quartiles. With `exactly`, ours must be the
    yardstick, no more and no less. `busy` tells that others kept the machine busy, so that no miss can be proven.
    """

    case: str
    what: str
    ours: float
    yardstick: float
    unit: str
    ratio: float
    low: float
    high: float
    bar: float | None = None
    exactly: bool = False
    busy: bool = False
    note: str = ""

    @property
    def spread(self) -> float:
        """The inter-quartile range as a part of the median."""
        return (self.high - self.low) / self.ratio if self.ratio else 0.0

    @property
    def wide(self) -> bool:
        return self.bar is not None and self.spread > WIDE

    @property
    def verdict(self) -> str:
        """`kept`, `missed`, `unclear` (and on which side of the bar most of it lies), or empty without a bar."""
        if self.exactly:
            return "kept" if self.ours == self.yardstick else "missed"
        if self.bar is None:
            return ""
        if self.wide:
            side = "below" if self.high <= self.bar else "above" if self.low > self.bar else "around"
            return f"unclear ({side} the bar)"
        if self.ratio <= self.bar:
            return "kept"
        return "unclear (machine busy)" if self.busy else "missed"


def compared(
    case: str,
    what: str,
    pairs: Sequence[Pair],
    unit: str,
    *,
    bar: float | None = None,
    busy: bool = False,
    note: str = "",
) -> Row:
    """A row of pairs (ours, yardstick), each measured one right after the other."""
    ratios = [ours / yardstick for ours, yardstick in pairs]
    low, ratio, high = quartiles(ratios)
    ours, yardstick = (statistics.median(side) for side in zip(*pairs, strict=True))
    return Row(
        case=case, what=what, ours=ours, yardstick=yardstick, unit=unit,
        ratio=ratio, low=low, high=high, bar=bar, busy=busy, note=note,
    )  # fmt: skip


def against(
    case: str,
    what: str,
    ours: Iterable[float],
    limit: float,
    unit: str,
    *,
    bar: float | None = None,
    busy: bool = False,
    note: str = "",
) -> Row:
    """A row of measurements against one number that was computed, not measured."""
    return compared(case, what, [(each, limit) for each in ours], unit, bar=bar, busy=busy, note=note)


def exact(case: str, what: str, got: float, expected: float, unit: str = "", *, note: str = "") -> Row:
    """A row of something that is counted, not measured: it must be right."""
    ratio = got / expected if expected else 1.0
    return Row(
        case=case, what=what, ours=got, yardstick=expected, unit=unit,
        ratio=ratio, low=ratio, high=ratio, exactly=True, note=note,
    )  # fmt: skip


def quiet(measured: Sequence[tuple[T, float]], least: int) -> tuple[list[T], bool]:
    """Of (measurement, share of the cores that others used) the quiet ones, and whether there were too few.

    Then it is all of them: a busy machine gives figures too, only none to be judged by.
    """
    kept = [each for each, share in measured if share <= QUIET]
    return (kept, False) if len(kept) >= least else ([each for each, _ in measured], True)


def quartiles(values: Sequence[float]) -> tuple[float, float, float]:
    """Lower quartile, median, upper quartile."""
    if len(values) < 2:
        return values[0], values[0], values[0]
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    return low, middle, high


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that so large a share (0 to 1) of all does not exceed: nearest rank."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def slope(points: Iterable[Pair]) -> float:
    """How a cost grows: the exponent of its curve (size, cost). 0 is flat, 1 linear."""
    logs = [(math.log(size), math.log(cost)) for size, cost in points]
    return statistics.linear_regression([x for x, _ in logs], [y for _, y in logs]).slope


def rounds_floor(pages: int, latency_s: float, in_flight: int) -> float:
    """Seconds that so many pages need at least: the first tells how many there are, the others follow together."""
    return latency_s * (1 + math.ceil((pages - 1) / in_flight))
