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

_ALONE = (r"(?<![a-z\d])(?:", r")(?![a-z\d])")
_HASH = re.compile(
    r"[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}|(?=[a-f]*\d)(?=\d*[a-f])[\da-f]{7,40}".join(_ALONE), re.ASCII
)
_NUMBER = re.compile(r"\d+(?:[./:_-]\d+)*(?:(?:st|nd|rd|th)(?![a-z]))?")
_JOINED = re.compile(r"#(?:[./:_-]#)+")
_MONTH = (
    r"jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
    r"|nov(?:ember)?|dec(?:ember)?"
).join(_ALONE)
#: A month is a part of a date only beside a number.
_DATE = re.compile(rf"#[ .,_-]*{_MONTH}(?:[ .,_-]*#)?|{_MONTH}[ .,_-]*#")


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
    """A run's name without what differs from run to run, for systems that keep no series.

    That is numbers, dates, versions and hashes of commits: `Nightly API 2026-11-19` and `nightly api 2026-11-20` fold
    to the same text, `Smoke 19 Nov 2026, 4f1c2d9` and `Smoke 2 Dec 2026, 77ab01e` as well.
    """
    numbered = _JOINED.sub("#", _NUMBER.sub("#", _HASH.sub("#", name.casefold())))
    return " ".join(_DATE.sub("#", numbered).split())


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

    A test is in one of `new`, `still`, `fixed`; `flaky` and `not_run` are told beside them. `common` counts tests
    that both runs have, `added` those of the newer run alone, `gone` those of the older one alone; `judged_on` is how
    many runs flakiness was judged on.
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
    common: int = 0
    added: int = 0


def compare(
    run: Run, tests: Sequence[Test], base: Run, before: Sequence[Test], history: Sequence[Sequence[Test]] = ()
) -> Diff:
    """Compare the tests of two runs. `history` holds the tests of finished runs of the stream, newest first."""
    now, then = by_key(tests), by_key(before)
    strips = outcome_strips(history)
    failing = [test for test in now.values() if test.outcome is Outcome.FAILED]
    flaky = {test.key for test in tests if is_flaky(test, strips.get(test.key, ()))}
    return Diff(
        run=run,
        base=base,
        new=tuple(test for test in failing if not _failed(then.get(test.key))),
        still=tuple(test for test in failing if _failed(then.get(test.key))),
        fixed=tuple(test for test in now.values() if test.outcome is Outcome.PASSED and _failed(then.get(test.key))),
        flaky=tuple(test for test in now.values() if test.key in flaky),
        not_run=tuple(test for test in now.values() if test.outcome is Outcome.UNTESTED),
        gone=len(then.keys() - now.keys()),
        judged_on=len(history),
        common=len(now.keys() & then.keys()),
        added=len(now.keys() - then.keys()),
    )


def by_key(tests: Iterable[Test]) -> Mapping[str, Test]:
    """Each test once, in its first place. A run may hold one several times (threads, configurations): its failure
    speaks for it, else a pass, else any other outcome before none.
    """
    found: dict[str, Test] = {}
    for test in tests:
        known = found.get(test.key)
        if known is None or _weight(test) < _weight(known):
            found[test.key] = test
    return found


def _weight(test: Test) -> int:
    return _SPEAKS.get(test.outcome, 2)


_SPEAKS = {Outcome.FAILED: 0, Outcome.PASSED: 1, Outcome.UNTESTED: 3}


def _failed(test: Test | None) -> bool:
    return test is not None and test.outcome is Outcome.FAILED


def outcome_strips(history: Sequence[Iterable[Test]]) -> Mapping[str, Sequence[Outcome]]:
    """Each test's outcomes, one for each run of `history` in its order; untested in runs that lack the test."""
    runs = [by_key(tests) for tests in history]
    keys = dict.fromkeys(key for run in runs for key in run)
    return {key: [run[key].outcome if key in run else Outcome.UNTESTED for run in runs] for key in keys}


def is_flaky(test: Test, strip: Sequence[Outcome]) -> bool:
    """Passed on retry in this run, or flipped often lately. `strip` has an outcome per finished run, newest first.

    Runs in which the test neither passed nor failed count among the last ones, and make no flip.
    """
    if test.retried and test.outcome is Outcome.PASSED:
        return True
    flips = sum(1 for newer, older in pairwise(_judged(strip[:WINDOW])) if newer is not older)
    return flips >= FLIPS and len(set(_judged(strip[:RECENT]))) == 2


def _judged(strip: Sequence[Outcome]) -> list[Outcome]:
    return [outcome for outcome in strip if outcome in (Outcome.PASSED, Outcome.FAILED)]


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
