"""Digests: what each channel learns, when, and what it says. Pure values and rules; times are aware and in UTC."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Literal

from bot.domain.answers import FailedTest, TrendPoint, Trouble
from bot.domain.model import Run, RunRef
from bot.domain.outcomes import Outcome, Tally
from bot.domain.queries import RunQuery
from bot.domain.streams import Streak, Stream

What = Literal["failed", "unfinished", "stale"]
IfEmpty = Literal["skip", "line", "post"]


@dataclass(frozen=True, slots=True)
class Timing:
    """When: a cron expression of five fields, read in an IANA zone. `said` is how it was given (`mon-fri at 09:00`)."""

    cron: str
    zone: str
    said: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestPlan:
    """One channel's digest as somebody made it: when, about which runs, what of them, by whom.

    `name` is unique in its channel. `connection` and `project` are as typed, or the channel's own then (empty: all);
    `query` holds the filters. With `ask` (a reading command) its answer is posted instead. `paused_until` is far ahead
    for one that waits to be resumed; one that runs has None, or the moment from which on it runs again or at other
    times: what was due before it was not missed, also after a restart. `parked` says why it cannot be posted any
    more, empty if it can. `since` is when it last told something: the next one tells what came after it.
    """

    id: str
    team: str
    channel: str
    name: str
    owner: str
    owner_name: str
    timing: Timing
    made_at: datetime
    connection: str = ""
    project: str = ""
    query: RunQuery = field(default_factory=lambda: RunQuery(state="all"))
    words: str = ""
    typed: str = ""
    automated: bool | None = None
    what: tuple[What, ...] = ("failed",)
    if_empty: IfEmpty = "line"
    ask: str = ""
    paused_until: datetime | None = None
    parked: str = ""
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Slot:
    """One time that a plan is due. `key` is its local wall time (`2026-10-25T09:00`): one for each, however often the
    clock shows it. `at` is in UTC.
    """

    key: str
    at: datetime


class Turn(StrEnum):
    """What became of a stream since the last digest."""

    BROKE = "broke"  # fails now, did not before
    STILL = "still failing"
    FIXED = "recovered"
    FLAKY = "flaky"  # passed, with tests that flip
    PASSED = "passed"


@dataclass(frozen=True, slots=True, kw_only=True)
class PastRun:
    """A finished run as it is kept: enough to compare with, without asking the system again.

    `failed` are the keys of the tests that failed, `passed` of those that passed; both None where the tests were never
    read. Outcomes other than these are not kept.
    """

    ref: RunRef
    stream: Stream
    created_at: datetime
    finished_at: datetime | None
    tally: Tally
    failing: bool
    failed: frozenset[str] | None = None
    passed: frozenset[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamNews:
    """What one stream has to tell: its latest finished run since the last digest, and how it came there.

    `runs` finished since then, `failed` of them failed. `broken_for` counts its failing finished runs in a row up to
    now, the first of them at `broken_since`; `at_least` tells that they fill all that is known. `before` tells whether
    the last finished run before these failed, None if none is known: then it can't be said that anything broke.
    `tests` are the failing ones of the latest run, each once, newly broken first, of `tests_total`. Of these `new` and
    `still` are told by their streaks, `fixed` against the last finished run (the last digest's, where those after it
    were not read); all are 0 where its tests are not known (`compared` is False).
    `flaky` counts tests that flip, whether they fail now or not. `unnamed` counts failures that have no names.
    """

    run: Run
    turn: Turn
    runs: int
    failed: int
    broken_for: int = 0
    broken_since: datetime | None = None
    at_least: bool = False
    trend: tuple[TrendPoint, ...] = ()
    tests: tuple[FailedTest, ...] = ()
    tests_total: int = 0
    new: int = 0
    still: int = 0
    fixed: int = 0
    flaky: int = 0
    unnamed: int = 0
    missing: tuple[str, ...] = ()
    before: bool | None = None
    compared: bool = False


@dataclass(frozen=True, slots=True)
class Cluster:
    """Failures with the same error once numbers and ids are folded: its words, how many, the tests, each name once."""

    words: str
    count: int
    tests: tuple[str, ...]
    streams: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestNews:
    """All that one digest says. `streams` are those that ran, the worst first; `before` counts those of them that
    failed at the last digest, None where there was none. `runs` finished (or fail, and moved) since then; `belated` of
    them before that digest, which could not see them.

    `late_min` is how many minutes late it is, `skipped` how many slots were missed in between (they are not caught up
    one by one). `read_at` is when the systems were asked.
    """

    plan: DigestPlan
    slot: Slot
    since: datetime
    read_at: datetime
    where: str
    streams: tuple[StreamNews, ...] = ()
    passed: int = 0
    runs: int = 0
    unfinished: tuple[Run, ...] = ()
    stale: tuple[Run, ...] = ()
    owners: tuple[tuple[str, tuple[str, ...]], ...] = ()
    clusters: tuple[Cluster, ...] = ()
    before: int | None = None
    troubles: tuple[Trouble, ...] = ()
    notes: tuple[str, ...] = ()
    belated: int = 0
    late_min: int = 0
    skipped: int = 0

    @property
    def empty(self) -> bool:
        """Whether nothing needs anybody: nothing failed or recovered, nothing left open, every system answered."""
        told = any(each.turn is not Turn.PASSED for each in self.streams)
        return not (told or self.unfinished or self.stale or self.troubles)

    def count(self, *turns: Turn) -> int:
        return sum(1 for each in self.streams if each.turn in turns)


@dataclass(frozen=True, slots=True)
class PlanLook:
    """A plan as it is shown: when it comes next, the reader's zone beside its own, what became of the last ones."""

    plan: DigestPlan
    next: tuple[Slot, ...] = ()
    reader_zone: str = "UTC"
    sent: tuple[Parcel, ...] = ()


class Sending(StrEnum):
    """How far a message is that nobody waits for."""

    WAITING = "waiting"
    POSTING = "posting"  # on its way; after a crash: in doubt
    POSTED = "posted"
    REFUSED = "refused"  # Slack will not take it; `reason` tells why
    EXPIRED = "expired"  # too late to be of use


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """One message that is due, as it is kept before it is posted and after.

    `key` is unique to what it says: plan, slot, channel, and `/2` for its second part. A part goes into the thread of
    the parcel `under` (empty: into the channel, or into `thread`). `body` is the message as JSON. `for_whom` is the
    plan it comes from, `owner` the Slack id of who is told when it can't be posted. `ts` is where it was posted,
    `repeat` that it may have been posted before.
    """

    key: str
    team: str
    channel: str
    body: str
    made_at: datetime
    for_whom: str
    owner: str
    slot: str = ""
    under: str = ""
    thread: str = ""
    state: Sending = Sending.WAITING
    tries: int = 0
    tried_at: datetime | None = None
    posted_at: datetime | None = None
    ts: str = ""
    reason: str = ""
    repeat: bool = False


def turn_of(failing_now: bool, before: bool | None, *, flaky: int = 0) -> Turn:
    """What became of a stream, told by its latest run and the last one of the time before (None: there was none)."""
    if failing_now:
        return Turn.STILL if before else Turn.BROKE
    if before:
        return Turn.FIXED
    return Turn.FLAKY if flaky else Turn.PASSED


def broken_for(run: Run, history: Sequence[PastRun]) -> tuple[int, datetime, bool]:
    """How many finished runs in a row have failed up to this failing one, since when, and whether that is all we know.

    `history` is newest first, without `run`.
    """
    runs, since = 1, run.created_at
    for past in history:
        if not past.failing:
            return runs, since, False
        runs, since = runs + 1, past.created_at
    return runs, since, bool(history)


_ORDER = {Turn.BROKE: 0, Turn.STILL: 1, Turn.FLAKY: 2, Turn.FIXED: 3, Turn.PASSED: 4}


def by_urgency(streams: Iterable[StreamNews]) -> tuple[StreamNews, ...]:
    """Newly broken first, then what has been broken longest, then flaky, recovered, passed."""
    return tuple(
        sorted(
            streams,
            key=lambda each: (_ORDER[each.turn], -each.broken_for, -each.run.tally.failed, each.run.name.casefold()),
        )
    )


def past_end(past: PastRun) -> datetime:
    """When a kept run ended, as far as its system tells."""
    return past.finished_at or past.created_at


def failed_in(past: PastRun) -> frozenset[str] | None:
    """The keys of the tests that failed in a kept run; None where that is not known.

    Of a run in which nothing failed it is known without its tests, too.
    """
    if past.failed is not None:
        return past.failed
    return frozenset() if past.tally.total and not past.failing else None


def outcome_in(past: PastRun, key: str) -> Outcome | None:
    """What became of a test in a kept run: untested if the run does not tell, None if its tests are not known."""
    if past.failed is not None and past.passed is not None:
        if key in past.failed:
            return Outcome.FAILED
        return Outcome.PASSED if key in past.passed else Outcome.UNTESTED
    if failed_in(past) is None:
        return None
    return Outcome.PASSED if past.tally.passed == past.tally.total else Outcome.UNTESTED


def strip_of(past: Sequence[PastRun], key: str) -> tuple[Outcome, ...]:
    """A test's outcomes in kept runs, in their order; what is not known counts as not judged."""
    return tuple(outcome_in(each, key) or Outcome.UNTESTED for each in past)


def streak_in(run: Run, key: str, past: Sequence[PastRun]) -> Streak:
    """How long a test has failed, counted back from `run`, where it fails. `past` is newest first, without `run`.

    As everywhere, runs that did not judge the test neither lengthen nor end it. Where the tests of a run were never
    read, one without any failure ends it, and over one with failures the streak may be longer than it seems.
    """
    runs, since, doubt = 1, run.created_at, False
    for each in past:
        outcome = outcome_in(each, key)
        if outcome is Outcome.PASSED or (each.failed is None and failed_in(each) is not None):
            return Streak(runs, since, at_least=doubt and runs > 1)
        if outcome is Outcome.FAILED:
            runs, since = runs + 1, each.created_at
        doubt = doubt or outcome is None
    return Streak(runs, since, at_least=runs > 1)


_IGNORE = re.IGNORECASE | re.ASCII
_TIME = re.compile(
    r"\b\d{4}-\d\d?-\d\d?(?:[T ]\d\d?:\d\d(?::\d\d(?:[.,]\d+)?)?(?: ?(?:Z|UTC|[+-]\d\d:?\d\d))?)?\b", _IGNORE
)
_ID = re.compile(
    r"\b(?:0x[0-9a-f]+|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|(?=[a-f]*\d)[0-9a-f]{7,64}"
    r"|(?=[a-z]*\d+[a-z]+\d)[0-9a-z]{6,64})\b",
    _IGNORE,
)
#: A number with its sign, where that is one and no hyphen.
_NUMBER = re.compile(r"(?:(?<=[\s(\[=,:])-)?\d+(?:[.,:/_-]\d+)*")
_JOINED = re.compile(r"#(?:[.,:/_-]?#)+")
_TRACEBACK = "traceback (most recent call last)"
#: Characters of an error that are enough to know it by.
_WORDS = 300


def fold_error(text: str) -> str:
    """An error in one line without what differs from one time to the next: numbers, times, ids, hashes, spaces.

    That is its first line, or the last one of a Python traceback. Folding twice changes nothing.
    """
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if not lines:
        return ""
    words = lines[-1 if lines[0].casefold().startswith(_TRACEBACK) else 0][: 4 * _WORDS]
    while (folded := _fold(words)) != words:  # what was cut or folded may have uncovered an id
        words = folded
    return words


def _fold(line: str) -> str:
    for pattern in (_TIME, _ID, _NUMBER, _JOINED):
        line = pattern.sub("#", line)
    return " ".join(line.split())[:_WORDS].rstrip()


def clusters_of(streams: Iterable[StreamNews], *, least: int = 2) -> tuple[Cluster, ...]:
    """Errors that several failing tests share, the commonest first."""
    tests: dict[str, list[str]] = defaultdict(list)
    where: dict[str, set[RunRef]] = defaultdict(set)
    for each in streams:
        for failed in each.tests:
            words = fold_error(failed.test.note)
            if words:
                tests[words].append(failed.test.name)
                where[words].add(each.run.ref)
    found = [
        Cluster(words, len(names), tuple(dict.fromkeys(names)), len(where[words]))
        for words, names in tests.items()
        if len(names) >= least
    ]
    return tuple(sorted(found, key=lambda each: (-each.count, each.words)))


def owners_of(streams: Iterable[StreamNews]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Failing tests by who they are assigned to, most first; nobody as an empty name, last."""
    found: dict[str, dict[str, None]] = defaultdict(dict)
    for each in streams:
        for failed in each.tests:
            found[failed.test.assignee.strip()][failed.test.name] = None
    rows = sorted(found.items(), key=lambda row: (not row[0], -len(row[1]), row[0].casefold()))
    return tuple((who, tuple(names)) for who, names in rows)


def outcome_sets(tests: Iterable[tuple[str, Outcome]]) -> tuple[frozenset[str], frozenset[str]]:
    """The keys of the tests that failed, and of those that passed; a failure speaks for a test that is there twice."""
    failed: set[str] = set()
    passed: set[str] = set()
    for key, outcome in tests:
        if outcome is Outcome.FAILED:
            failed.add(key)
        elif outcome is Outcome.PASSED:
            passed.add(key)
    return frozenset(failed), frozenset(passed - failed)
