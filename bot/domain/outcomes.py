"""Outcomes of tests and their counts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum


class Outcome(StrEnum):
    """What became of a test. `OTHER` keeps the system's own label beside it (see `Test.label`)."""

    PASSED = "passed"
    FAILED = "failed"
    BLOCKED = "blocked"
    RETEST = "retest"
    SKIPPED = "skipped"
    UNTESTED = "untested"
    RUNNING = "running"
    OTHER = "other"


#: Outcomes after which nothing more is expected of a test.
DONE = frozenset({Outcome.PASSED, Outcome.FAILED, Outcome.BLOCKED, Outcome.SKIPPED, Outcome.OTHER})


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts by outcome of a run. `other` holds custom statuses as (label, count), in the system's order."""

    passed: int = 0
    failed: int = 0
    blocked: int = 0
    retest: int = 0
    skipped: int = 0
    untested: int = 0
    running: int = 0
    other: tuple[tuple[str, int], ...] = ()

    @property
    def total(self) -> int:
        return self.done + self.retest + self.untested + self.running

    @property
    def done(self) -> int:
        """Tests after which nothing more is expected."""
        return self.passed + self.failed + self.blocked + self.skipped + sum(n for _, n in self.other)

    @property
    def pass_rate(self) -> float | None:
        """Passed of all that were judged passed or failed, 0 to 1; None when none was."""
        judged = self.passed + self.failed
        return self.passed / judged if judged else None

    def parts(self) -> tuple[tuple[str, int], ...]:
        """(word, count) of what is not zero: `passed`, `failed`, `blocked`, …, custom labels, `untested` last."""
        words = ("passed", "failed", "blocked", "retest", "skipped", "running", "untested")
        named = tuple((word, getattr(self, word)) for word in words)
        other = tuple((label.strip() or Outcome.OTHER.value, number) for label, number in self.other)
        return tuple((word, number) for word, number in (*named[:-1], *other, named[-1]) if number)

    def __str__(self) -> str:
        return " · ".join(f"{count} {word}" for word, count in self.parts()) or "no tests"

    def __add__(self, more: Tally) -> Tally:
        other: dict[str, int] = {}
        for label, number in (*self.other, *more.other):  # two statuses of a system may have one label
            other[label] = other.get(label, 0) + number
        plain = {word: getattr(self, word) + getattr(more, word) for word in _PLAIN}
        return replace(Tally(), **plain, other=tuple(other.items()))


_PLAIN = ("passed", "failed", "blocked", "retest", "skipped", "untested", "running")


def count(outcomes: Iterable[tuple[Outcome, str]]) -> Tally:
    """The tally of (outcome, label) pairs; labels matter for `OTHER` only."""
    plain = dict.fromkeys(_PLAIN, 0)
    other: dict[str, int] = {}
    for outcome, label in outcomes:
        if outcome is Outcome.OTHER:
            other[label] = other.get(label, 0) + 1
        else:
            plain[outcome.value] += 1
    return replace(Tally(), **plain, other=tuple(other.items()))
