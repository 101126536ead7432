"""Runs and tests made short, for tables."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from bot.domain.model import Kind, Run, RunRef, Test
from bot.domain.outcomes import Outcome, Tally

NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)
KIND = Kind("A", "automation run", "automation runs", "completed", automated=True)

#: One letter for each outcome, as the tables write histories: `PFF.` is passed, failed, failed, not run.
LETTERS = {
    "P": Outcome.PASSED,
    "F": Outcome.FAILED,
    "B": Outcome.BLOCKED,
    "S": Outcome.SKIPPED,
    "R": Outcome.RETEST,
    "O": Outcome.OTHER,
    ".": Outcome.UNTESTED,
}


def a_run(number: int = 1, *, days_ago: float = 0, **more: Any) -> Run:
    given: dict[str, Any] = {
        "ref": RunRef("testmo", "A", number),
        "kind": KIND,
        "project": 1,
        "name": f"Nightly {number}",
        "tally": Tally(passed=1),
        "finished": True,
        "created_at": NOW - timedelta(days=days_ago),
        "read_at": NOW,
    }
    return Run(**{**given, **more})


def a_test(key: str, letter: str, **more: Any) -> Test:
    return Test(key=key, name=more.pop("name", key), outcome=LETTERS[letter], **more)


def tests_of(words: str) -> list[Test]:
    """`a:P b:F` → two tests."""
    pairs = (word.split(":") for word in words.split())
    return [a_test(key, letter, id=f"{key}{letter}") for key, letter in pairs]


def outcomes(letters: str) -> list[Outcome]:
    return [LETTERS[letter] for letter in letters]
