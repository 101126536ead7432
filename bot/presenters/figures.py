"""Counts, rates, times and durations as people read them: bars, sparklines, ages."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

from bot.domain.outcomes import Tally
from bot.presenters.text import cut

#: The cells of a bar differ in shape, not in colour: passed, failed, other, still to do.
CELLS = ("■", "✕", "▨", "□")
STEPS = "▁▂▃▄▅▆▇"
#: Where a sparkline begins, so that its steps mean the same from card to card.
FLOOR = 0.5

MINUTE, HOUR, DAY, WEEK = 60, 3_600, 86_400, 604_800


def tally_words(tally: Tally) -> str:
    """`74 passed · 3 failed · 1 blocked · 2 untested`; labels of custom statuses are kept, endless ones cut."""
    parts = tally.parts()
    shown = " · ".join(f"{count} {cut(word, 40) or 'other'}" for word, count in parts[:14])
    return shown + (f" · and {len(parts) - 14} more statuses" if len(parts) > 14 else "") or "no tests"


def bar(tally: Tally, cells: int = 12) -> str:
    """The tally as a row of cells. A failure always has one, and only where all passed is the bar full."""
    other = tally.blocked + tally.skipped + sum(count for _, count in tally.other)
    counts = [max(0, n) for n in (tally.passed, tally.failed, other, tally.untested + tally.retest + tally.running)]
    total = sum(counts)
    if not total:
        return ""
    shares = [count * cells // total for count in counts]
    rests = [count * cells % total for count in counts]
    for place in sorted(range(4), key=lambda place: -rests[place])[: cells - sum(shares)]:
        shares[place] += 1
    if counts[1] and not shares[1]:
        _move(shares, shares.index(max(shares)), 1)
    if shares[0] == cells and counts[0] < total:
        _move(shares, 0, counts.index(max(counts[1:]), 1))
    return "".join(cell * share for cell, share in zip(CELLS, shares, strict=True))


def _move(shares: list[int], giver: int, taker: int) -> None:
    shares[giver] -= 1
    shares[taker] += 1


def percent(rate: float) -> str:
    """`91 %`. Only what is whole is called 0 % or 100 %."""
    if rate <= 0 or rate >= 1:
        return "100 %" if rate >= 1 else "0 %"
    return f"{min(99, max(1, round(rate * 100)))} %"


def sparkline(rates: Sequence[float | None]) -> str:
    """Rates from 0 to 1 as a line of steps, from half or the lowest (if that is less) to all; `·` is no rate."""
    known = [rate for rate in rates if rate is not None]
    if not known:
        return ""
    floor, last = max(0.0, min(FLOOR, *known)), len(STEPS) - 1
    return "".join(
        "·" if rate is None else STEPS[max(0, min(last, round((rate - floor) / (1 - floor) * last)))] for rate in rates
    )


def trend_words(rates: Sequence[float | None]) -> str:
    """`▇▇▆▇▁▅ pass rate of executed tests 98 % → 91 %, lowest 60 %, 6 runs`, the last of them the run it is about.

    Empty when there is nothing to compare, or that run has no rate.
    """
    known = [rate for rate in rates if rate is not None]
    if len(known) < 2 or rates[-1] is None:
        return ""
    lowest = percent(min(known))
    ends = (percent(known[0]), percent(known[-1]))
    low = "" if lowest in ends else f", lowest {lowest}"
    return f"{sparkline(rates)} pass rate of executed tests {ends[0]} → {ends[1]}{low}, {len(rates)} runs"


def trend_brief(rates: Sequence[float | None]) -> str:
    """The same where there is little room: `▇▇▆▇▁▅ pass rate 98 % → 91 % in 6 runs`."""
    known = [rate for rate in rates if rate is not None]
    if len(known) < 2 or rates[-1] is None:
        return ""
    first, lowest, last = map(percent, (known[0], min(known), known[-1]))
    dip = f", lowest {lowest}," if lowest not in (first, last) else ""
    return f"{sparkline(rates)} pass rate {first} → {last}{dip} in {len(rates)} runs"


def duration(seconds: float) -> str:
    """`0.4 s`, `12 s`, `55 min`, `1 h 20 min`, `2 d 4 h`."""
    if seconds < 1:
        return f"{max(0.0, seconds):.1f} s"
    whole = int(seconds)
    if whole < MINUTE:
        return f"{whole} s"
    if whole < 10 * MINUTE and whole % MINUTE:
        return f"{whole // MINUTE} min {whole % MINUTE} s"
    if whole < HOUR:
        return f"{whole // MINUTE} min"
    (big, word), (small, minor) = ((HOUR, "h"), (MINUTE, "min")) if whole < 2 * DAY else ((DAY, "d"), (HOUR, "h"))
    rest = whole % big // small
    return f"{whole // big} {word}" + (f" {rest} {minor}" if rest else "")


def ago(moment: datetime, now: datetime) -> str:
    """`just now`, `5 min ago`, `2 h ago`, `3 d ago`, `5 weeks ago`; `in 5 min` for what is still to come."""
    seconds = int((now - moment).total_seconds())
    size = abs(seconds)
    if size < MINUTE:
        return "just now" if seconds >= 0 else "in a moment"
    unit, word = next(
        (unit, word)
        for unit, limit, word in (
            (MINUTE, HOUR, "min"),
            (HOUR, 2 * DAY, "h"),
            (DAY, 3 * WEEK, "d"),
            (WEEK, size + 1, "weeks"),
        )
        if size < limit
    )
    return f"{size // unit} {word} ago" if seconds > 0 else f"in {size // unit} {word}"


def held(count: int, total: int | None, again: str = "") -> str:
    """How many rows there are: `27`, `First 3 of 27`; `First 3` where they were cut and nobody counted the rest."""
    if total is not None and total > count:
        return f"First {count} of {total}"
    asked = _LIMIT.search(again)
    return f"First {count}" if total is None and asked and count >= int(asked[1]) else str(count)


_LIMIT = re.compile(r"--limit (\d{1,9})(?!\S)")
#: Where they are, told right after what they are.
_WHERE = re.compile(r"(?<=(?:run|ult)s) · in ")
_NOUN = re.compile(r"\b(run|result)s\b")


def counted_words(count: str, words: str, noun: str) -> str:
    """What follows a count: `open runs in testrail · status failed`, in the singular after `1`; all runs are runs."""
    words = _WHERE.sub(" in ", words.removeprefix("all ") or f"{noun}s", count=1)
    return _NOUN.sub(r"\1", words, count=1) if count == "1" else words


def plural(count: int, one: str, many: str = "") -> str:
    """`1 run`, `2 runs`."""
    return f"{count} {one if count == 1 else many or one + 's'}"
