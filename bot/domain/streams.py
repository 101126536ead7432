"""Streams: runs that may be compared, and what changed between them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from bot.domain.model import Run, Test
from bot.domain.outcomes import Outcome

#: A test is flaky with at least so many flips in its last so many finished runs, both outcomes in the last so many.
FLIPS, WINDOW, RECENT = 3, 10, 5

_VARYING = re.compile(r"\d+(?:[./:_-]\d+)*")


@dataclass(frozen=True, slots=True)
class Stream:
    """What runs must share to be compared. `series` is the source, the suite, or the folded name of a set."""

    connection: str
    project: int
    letter: str
    series: str
    config: str


def stream_of(run: Run) -> Stream:
    return Stream(run.ref.connection, run.project, run.ref.letter, run.series or fold_name(run.name), run.config)


def fold_name(name: str) -> str:
    """A run's name without what differs from run to run (numbers, dates, versions), for systems that keep no series.

    `Nightly API 2026-11-19` and `nightly api 2026-11-20` fold to the same text.
    """
    return " ".join(_VARYING.sub("#", name.casefold()).split())


@dataclass(frozen=True, slots=True)
class Streak:
    """How long a test has been failing: `runs` finished or present runs in a row, the first of them at `since`.

    `at_least` tells that the streak fills all the history that was read, so it may be longer.
    """

    runs: int
    since: datetime | None
    at_least: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Diff:
    """What differs between a run and the last finished one of its stream (or a named one).

    A test is in one of `new`, `still`, `fixed`; `flaky` and `not_run` are told beside them. `gone` counts tests
    of the older run that the newer one does not have; `judged_on` is how many runs flakiness was judged on.
    """

    run: Run
    base: Run
    new: tuple[Test, ...]
    still: tuple[Test, ...]
    fixed: tuple[Test, ...]
    flaky: tuple[Test, ...]
    not_run: tuple[Test, ...]
    gone: int = 0
    judged_on: int = 0
    missing: tuple[str, ...] = ()


def compare(
    run: Run, tests: Sequence[Test], base: Run, before: Sequence[Test], history: Sequence[Sequence[Test]] = ()
) -> Diff:
    """Compare the tests of two runs. `history` holds the tests of finished runs of the stream, newest first."""
    then = {test.key: test for test in before}
    strips = outcome_strips(history)
    failing = [test for test in tests if test.outcome is Outcome.FAILED]
    return Diff(
        run=run,
        base=base,
        new=tuple(test for test in failing if not _failed(then.get(test.key))),
        still=tuple(test for test in failing if _failed(then.get(test.key))),
        fixed=tuple(test for test in tests if test.outcome is Outcome.PASSED and _failed(then.get(test.key))),
        flaky=tuple(test for test in tests if is_flaky(test, strips.get(test.key, ()))),
        not_run=tuple(test for test in tests if test.outcome is Outcome.UNTESTED),
        gone=len(then.keys() - {test.key for test in tests}),
        judged_on=len(history),
    )


def _failed(test: Test | None) -> bool:
    return test is not None and test.outcome is Outcome.FAILED


def outcome_strips(history: Sequence[Iterable[Test]]) -> Mapping[str, Sequence[Outcome]]:
    """Each test's outcomes over runs, in the order of `history`; runs that lack the test are left out of its strip."""
    strips: dict[str, list[Outcome]] = {}
    for tests in history:
        for test in tests:
            strips.setdefault(test.key, []).append(test.outcome)
    return strips


def is_flaky(test: Test, strip: Sequence[Outcome]) -> bool:
    """Passed on retry in this run, or flipped often lately. `strip` is newest first."""
    if test.retried and test.outcome is Outcome.PASSED:
        return True
    judged = [outcome for outcome in strip if outcome in (Outcome.PASSED, Outcome.FAILED)][:WINDOW]
    flips = sum(1 for newer, older in pairwise(judged) if newer is not older)
    return flips >= FLIPS and len(set(judged[:RECENT])) == 2


def streak(run: Run, key: str, history: Sequence[tuple[Run, Mapping[str, Test]]]) -> Streak:
    """How long the test has failed, counted back from `run`, where it fails. `history` is newest first, without `run`.

    Runs in which the test is missing or was not judged neither lengthen nor end the streak.
    """
    runs, since = 1, run.created_at
    for earlier, tests in history:
        test = tests.get(key)
        if test is None or test.outcome not in (Outcome.PASSED, Outcome.FAILED):
            continue
        if test.outcome is Outcome.PASSED:
            return Streak(runs, since)
        runs, since = runs + 1, earlier.created_at
    return Streak(runs, since, at_least=bool(history))
