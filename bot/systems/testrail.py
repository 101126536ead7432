"""TestRail (API v2): runs `R`, also those inside plans, and plans `P`.

The endpoint is itself the query string (`index.php?/api/v2/get_runs/1&is_completed=0`), so everything further is
joined with `&`. Lists tell no total, so every page but the first begins with the last row of the page before: when
that row is not there, rows went away while the list was read.
"""

from __future__ import annotations

import asyncio
import base64
import math
import re
import sys
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import product
from operator import attrgetter
from typing import Any, Protocol, TypeVar
from urllib.parse import quote, unquote

import msgspec

from bot.domain.acts import Append, Change, Close, Delete, Edit, Loss, Named, Report, Start
from bot.domain.errors import (
    AmbiguousError,
    AskError,
    CannotError,
    Choice,
    NotFoundError,
    RejectedFault,
    RundownError,
    SystemFault,
    UnreadableFault,
)
from bot.domain.model import Closing, Kind, Listing, Person, Project, Result, Run, RunRef, Test, Thread
from bot.domain.numbers import Numbers
from bot.domain.outcomes import Outcome, Tally
from bot.domain.queries import ResultQuery, RunQuery, Who
from bot.domain.streams import fold_name
from bot.systems import testrail_writing as writing
from bot.systems._bulk import quick
from bot.systems._filters import Keep, first_of_each, is_common, keeping, status_words
from bot.systems._gaps import at_once, both, left_out, some
from bot.systems._kept import Kept
from bot.systems._links import as_page, below
from bot.systems._names import look_up, none_such, person_meant, project_meant, read_digits, what_there_is
from bot.systems._pages import HELD, LOOKED_AT, Page, Reach, by_offset, each_of
from bot.systems._plain import plain
from bot.systems._refusals import Forbidden, judging
from bot.systems._spec import Account, Option, System
from bot.systems._wire import Wire
from bot.systems.testrail_writing import Order, WireHeld
from bot.usecases.ports import PATIENCE

T = TypeVar("T")
LABEL = "TestRail"
API = "/index.php?/api/v2/"
#: Rows on a page, the vendor's most.
PAGE_ROWS = 250
#: How many plans are opened for the runs inside them: where a time or `open` bounds them, and where nothing does.
PLANS_ASKED, PLANS_UNASKED = 20, 10
#: So many plans that were just shown are remembered with the runs inside them.
PLANS_OPEN = 8
#: When to ask for names again after a fault, and how long an answer waits for them.
NAMES_AGAIN, NAMES_S = timedelta(seconds=30), 4.0

#: How long a start or edit waits for the list of a suite's cases to be sure that they are there.
CASES_S = 4.0

_NO_THREADS = "TestRail runs have no threads; `failures` and `results` show their tests."
_NO_REPORT = "Results get into TestRail by hand, or from the tool that runs the tests; `results` shows them here."
_NO_WRITING = "Rundown writes nothing on plans; put it on the plan in TestRail itself, or on a run that is in no plan."
RUN = Kind(
    letter="R",
    noun="run",
    plural="runs",
    ended="closed",
    verbs=frozenset({
        "failures", "results", "diff", "close", "start", "edit", "note", "link", "attach", "delete",
    }),
    filters=frozenset({
        "words", "state", "since", "until", "closed_since", "closed_until", "status", "milestone", "config", "suite",
        "refs", "by",
    }),
    cannot={"threads": _NO_THREADS, "report": _NO_REPORT},
    closing=Closing(
        "close",
        "closed",
        (
            "TestRail archives its tests and results.",
            "It takes no more results and no changes.",
        ),
    ),
)  # fmt: skip
PLAN = Kind(
    letter="P",
    noun="plan",
    plural="plans",
    ended="closed",
    verbs=frozenset({"failures", "results", "diff", "close"}),
    filters=frozenset({
        "words", "state", "since", "until", "closed_since", "closed_until", "status", "milestone", "by",
    }),
    cannot={
        "threads": _NO_THREADS,
        "report": _NO_REPORT,
        "start": "A plan is made in TestRail itself; `start` begins a run that is in no plan.",
        "edit": "A plan is edited in TestRail itself; `edit` changes runs that are in no plan.",
        "note": _NO_WRITING,
        "link": _NO_WRITING,
        "attach": _NO_WRITING,
        "delete": "A plan is deleted in TestRail itself; `delete` takes runs that are in no plan.",
    },
    closing=Closing(
        "close",
        "closed",
        (
            "Every run inside it that is still open is closed with it.",
            "TestRail archives their tests and results.",
            "They take no more results and no changes.",
        ),
    ),
)  # fmt: skip

# What is on the wire: anything but an id may be missing or null.


class _Shape(msgspec.Struct, kw_only=True, gc=False):
    id: int


class WireRun(_Shape, kw_only=True):
    """A run, or a plan (its counts are there in lists; `entries` only when it is read alone)."""

    name: str | None = None
    description: str | None = None
    project_id: int | None = None
    plan_id: int | None = None
    suite_id: int | None = None
    milestone_id: int | None = None
    config: str | None = None
    config_ids: list[int] | None = None
    refs: str | None = None
    assignedto_id: int | None = None
    created_by: int | None = None
    created_on: int | None = None
    updated_on: int | None = None
    completed_on: int | None = None
    is_completed: bool | None = None
    passed_count: int | None = None
    blocked_count: int | None = None
    untested_count: int | None = None
    retest_count: int | None = None
    failed_count: int | None = None
    custom_status1_count: int | None = None
    custom_status2_count: int | None = None
    custom_status3_count: int | None = None
    custom_status4_count: int | None = None
    custom_status5_count: int | None = None
    custom_status6_count: int | None = None
    custom_status7_count: int | None = None
    entries: list[WireEntry] | None = None


class WireMade(_Shape, kw_only=True):
    """What a change answers: the run or plan as it is after it."""

    description: str | None = None
    is_completed: bool | None = None


class WireEntry(msgspec.Struct):
    runs: list[msgspec.Raw] | None = None


class WireTest(_Shape, kw_only=True):
    case_id: int | None = None
    run_id: int | None = None
    status_id: int | None = None
    assignedto_id: int | None = None
    title: str | None = None


class WireResult(_Shape, kw_only=True):
    test_id: int
    status_id: int | None = None
    created_by: int | None = None
    created_on: int | None = None
    assignedto_id: int | None = None
    comment: str | None = None
    defects: str | None = None
    version: str | None = None
    elapsed: str | int | float | None = None


class WireNamed(_Shape, kw_only=True):
    """A project, suite, milestone (`milestones` below it), status (its `label`), user or group of configurations."""

    name: str | None = None
    label: str | None = None
    email: str | None = None
    is_active: bool | None = None
    is_completed: bool | None = None
    milestones: list[WireNamed] | None = None
    configs: list[WireNamed] | None = None


class WireCase(_Shape, kw_only=True):
    pass


class _Links(msgspec.Struct):
    next: str | None = None


class _Envelope(msgspec.Struct, kw_only=True):
    """A page since 6.7. Its rows are below the list's name, which must be there; see `_ENVELOPES`."""

    limit: int | None = None
    links: _Links | list[Any] | None = msgspec.field(default=None, name="_links")


_LISTS = (
    "runs", "plans", "tests", "results", "projects", "milestones", "suites", "users", "statuses", "configs", "cases",
)  # fmt: skip
_ENVELOPES: Mapping[str, Any] = {
    name: msgspec.defstruct(
        f"Page of {name}",
        [("rows", list[msgspec.Raw], msgspec.field(name=name))],
        bases=(_Envelope,),
        kw_only=True,
    )
    for name in _LISTS
}
#: What was never cut into pages before 6.7, when lists were bare arrays.
_UNCUT = frozenset(_LISTS) - {"runs", "plans", "results"}


class _WireError(msgspec.Struct):
    error: str = ""


# Reading: wire → domain, without asking anything.

#: Administrators can rename these statuses, so they are told by number; every other is `OTHER` with its label.
OUTCOMES = {1: Outcome.PASSED, 2: Outcome.BLOCKED, 3: Outcome.UNTESTED, 4: Outcome.RETEST, 5: Outcome.FAILED}
_STATUS_OF = {outcome.value: number for number, outcome in OUTCOMES.items()}
_counts = attrgetter(
    "passed_count", "blocked_count", "untested_count", "retest_count", "failed_count",
    *(f"custom_status{number}_count" for number in range(1, 8)),
)  # fmt: skip
_SPAN = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,6})?)\s*([wdhms])", re.I)
#: No TestRail is older than this: the year 2000.
_FIRST_S = 946_684_800
#: Working weeks and days, as TestRail counts them.
_SECONDS = {"w": 144_000, "d": 28_800, "h": 3_600, "m": 60, "s": 1}


@dataclass(frozen=True, slots=True)
class Lens:
    """What is needed to read rows: whose they are, when they were read, and what the numbers in them mean.

    `tallies` and `others` hold what is equal in many rows, so that it is there once.
    """

    connection: str
    root: str
    read_at: datetime
    statuses: Mapping[int, str] = field(default_factory=dict)
    people: Mapping[int, Person] = field(default_factory=dict)
    milestones: Mapping[int, str] = field(default_factory=dict)
    suites: Mapping[int, str] = field(default_factory=dict)
    tallies: dict[tuple[int, ...], Tally] = field(default_factory=dict)
    others: dict[object, Any] = field(default_factory=dict)

    def person(self, number: int | None) -> str:
        """A name; `user 17` for people our key can't see or who are gone."""
        if not number:
            return ""
        known = self.people.get(number)
        return known.name if known is not None else sys.intern(f"user {number}")


@lru_cache(maxsize=64)
def page_of(root: str, kind: str) -> str:
    """The address of a page, with `{id}` in it; one text for all rows."""
    return f"{as_page(root)}/index.php?/{kind}/view/{{id}}"


def counts(row: WireRun) -> tuple[int, ...]:
    """How many tests have status 1, 2, … 12."""
    return tuple(number or 0 for number in _counts(row))


def read_tally(numbers: tuple[int, ...], lens: Lens) -> Tally:
    """Counts of statuses 1 to 12. Equal ones are one value: thousands of runs are held at a time."""
    known = lens.tallies.get(numbers)
    if known is None:
        passed, blocked, untested, retest, failed, *custom = numbers
        pairs = ((read_label(6 + place, lens), number) for place, number in enumerate(custom) if number)
        other = tuple(lens.others.setdefault(pair, pair) for pair in pairs)
        passed, untested, other = (lens.others.setdefault(value, value) for value in (passed, untested, other))
        known = Tally(passed, failed, blocked, retest, 0, untested, 0, other)
        lens.tallies[numbers] = known
    return known


def read_label(status: int | None, lens: Lens) -> str:
    """The status in this TestRail's own words."""
    if status is None:
        return ""
    built_in = OUTCOMES.get(status)
    return lens.statuses.get(status) or (built_in.value.capitalize() if built_in else f"status {status}")


def read_time(seconds: int | None) -> datetime | None:
    """UNIX seconds as a time; None for none and for what is no time of this era."""
    try:
        return None if seconds is None or seconds < _FIRST_S else datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        return None


def read_elapsed(span: str | float | None) -> float | None:
    """`1m 45s` as seconds; units it does not have (`90`) are taken for seconds. None when it says nothing."""
    if not isinstance(span, str):
        return float(span) if span is not None and 0 <= span < 1e9 else None
    parts = _SPAN.findall(span)
    if parts:
        return sum(float(number) * _SECONDS[unit.lower()] for number, unit in parts)
    return float(span) if re.fullmatch(r"[0-9]{1,9}", span.strip()) else None


make_run = quick(Run)


def read_run(row: WireRun, lens: Lens) -> Run:
    """A run, inside a plan or not. Its stream is the suite, or in words `suite 4`, with the configuration."""
    suite = row.suite_id
    return _read_any(
        row,
        lens,
        RUN,
        read_tally(counts(row), lens),
        series=(lens.suites.get(suite) or sys.intern(f"suite {suite}")) if suite is not None else "",
        series_id=suite,
        parent=None if row.plan_id is None else RunRef(lens.connection, "P", row.plan_id),
    )


def read_plan(row: WireRun, lens: Lens, runs: Sequence[WireRun] = ()) -> Run:
    """A plan. Its tally is the sum of its runs where they are given, else its own counts."""
    numbers = tuple(map(sum, zip(*map(counts, runs), strict=True))) if runs else counts(row)
    return _read_any(row, lens, PLAN, read_tally(numbers, lens))


def _read_any(row: WireRun, lens: Lens, kind: Kind, tally: Tally, **more: Any) -> Run:
    finished = bool(row.is_completed)
    finished_at = read_time(row.completed_on) if finished else None
    updated_at = finished_at if row.updated_on == row.completed_on else read_time(row.updated_on)
    milestone = row.milestone_id
    description = writing.unmarked(plain(row.description))
    return make_run(
        ref=RunRef(lens.connection, kind.letter, row.id),
        kind=kind,
        project=row.project_id or 0,
        name=row.name or f"{kind.noun} {row.id}",
        tally=tally,
        finished=finished,
        created_at=read_time(row.created_on) or updated_at or finished_at or lens.read_at,
        read_at=lens.read_at,
        finished_at=finished_at,
        updated_at=updated_at,
        by=lens.person(row.created_by),
        assignee=lens.person(row.assignedto_id),
        config=sys.intern(row.config or ""),
        milestone=(lens.milestones.get(milestone) or sys.intern(f"milestone {milestone}")) if milestone else "",
        refs=sys.intern(row.refs or ""),
        description=description,
        rich=description != (row.description or "").strip().replace("\r\n", "\n"),
        page=page_of(lens.root, kind.plural),
        **more,
    )


def read_test(row: WireTest, lens: Lens, *, config: str = "", folder: str = "") -> Test:
    """A test as it stands. In a plan, `config` keeps the same case apart in its configurations."""
    key = f"test {row.id}" if row.case_id is None else str(row.case_id)
    return Test(
        key=f"{key} · {config}" if config else key,
        name=row.title or f"test {row.id}",
        outcome=OUTCOMES.get(row.status_id or 0, Outcome.OTHER),
        label=read_label(row.status_id, lens) or "no status",
        id=str(row.id),
        url=page_of(lens.root, "tests").format(id=row.id),
        folder=folder,
        assignee=lens.person(row.assignedto_id),
        assignee_id=str(row.assignedto_id or ""),
    )


def read_reason(test: Test, failed: Sequence[WireResult]) -> Test:
    """The test with what its failing results tell (newest first): the reason if it fails now, or that it once did."""
    if test.outcome is not Outcome.FAILED:
        return replace(test, retried=True)
    newest = failed[0]
    return replace(
        test,
        note=plain(newest.comment),
        defects=newest.defects or "",
        at=read_time(newest.created_on),
        elapsed_s=read_elapsed(newest.elapsed),
        retried=len(failed) > 1,
    )


def read_result(row: WireResult, lens: Lens, test: Test | None, *, config: str = "") -> Result:
    """One result; without a status it is a comment or an assignment."""
    name = test.name if test is not None else f"test {row.test_id}"
    return Result(
        test=f"{name} · {config}" if config else name,
        outcome=None if row.status_id is None else OUTCOMES.get(row.status_id, Outcome.OTHER),
        at=read_time(row.created_on) or lens.read_at,
        label=read_label(row.status_id, lens),
        by=lens.person(row.created_by),
        assignee=lens.person(row.assignedto_id) or (test.assignee if test is not None else ""),
        note=plain(row.comment),
        defects=row.defects or "",
        url=page_of(lens.root, "tests").format(id=row.test_id),
        version=row.version or "",
        elapsed_s=read_elapsed(row.elapsed),
    )


def read_person(row: WireNamed) -> Person:
    return Person(str(row.id), row.name or f"user {row.id}", row.email or "")


class UnknownError(NotFoundError):
    """TestRail knows no such run, plan or project; whoever asked says which."""


_NO_SUCH = re.compile(r"Field :(run|plan|project)_id is not a valid ")
_CLOSED = re.compile(r"The test (run|plan) is already completed")
_IN_PLAN = re.compile(
    r"belongs to a test plan and cannot be|is part of a test run\. Please use API endpoints for test plan"
)
_LACKING = re.compile(r"You are not allowed to (add|edit|close|delete) ([\w ]{1,40}) \(insufficient permissions\)")


def judge(status: int, body: bytes) -> RundownError | None:
    """What TestRail's own texts mean, for those that are known.

    It answers 400 for a number that names nothing, in the same form as for a malformed field. Which status comes with
    the other texts is told nowhere, and differs.
    """
    if status not in (400, 403, 404, 409):
        return None
    said = complaint(body)
    if status != 403 and (found := _NO_SUCH.search(said)):
        return UnknownError(f"{LABEL} has no such {found[1]}.", fix="See what there is with `list`.")
    if found := _CLOSED.search(said):
        return RejectedFault(
            LABEL,
            f"{LABEL} changed nothing: the {found[1]} is closed already.",
            why=f"A closed {found[1]} takes no changes.",
            fix="See how it is now with `show`.",
        )
    if _IN_PLAN.search(said):
        return RejectedFault(
            LABEL,
            f"{LABEL} changed nothing: the run belongs to a plan.",
            why="It is changed and closed with its plan only.",
            fix="`show` names its plan.",
        )
    if found := _LACKING.search(said):
        return Forbidden(
            LABEL,
            f"{LABEL} does not let our key {found[1]} {found[2]}.",
            why="The account of the key lacks that permission.",
            fix=f"Ask whoever runs {LABEL} for it.",
        )
    return None


def complaint(body: bytes) -> str:
    """TestRail's own words in an error body; none in the web page of a proxy."""
    try:
        return msgspec.json.decode(body, type=_WireError).error
    except (msgspec.MsgspecError, RecursionError, UnicodeError, ValueError):
        return ""


# Asking: what people want → filters and what is sorted out here.


@dataclass(frozen=True, slots=True)
class Wanted:
    """A RunQuery with its names looked up; a set that is None does not filter.

    `keep` decides of runs as they are read, everything else of rows as TestRail has them.
    """

    query: RunQuery
    keep: Keep | None = None
    by: frozenset[int] | None = None
    milestones: frozenset[int] | None = None
    suites: frozenset[int] | None = None
    configs: tuple[frozenset[int], ...] | None = None
    also: Callable[[WireRun], bool] = lambda _row: True

    def filters(self, plural: str) -> dict[str, str]:
        """What get_runs and get_plans filter themselves. Times are widened by a second: `keep` knows the edges."""
        query, of_runs = self.query, plural == "runs"
        return _given(
            is_completed={"open": "0", "closed": "1"}.get(query.state),
            created_after=_seconds(query.since, -1),
            created_before=_seconds(query.until, +1),
            created_by=_numbers(self.by),
            milestone_id=_numbers(self.milestones),
            suite_id=_numbers(self.suites) if of_runs else None,
            refs_filter=(query.refs.strip() or None) if of_runs else None,
        )

    def take(self, row: WireRun, lens: Lens, read: Callable[[WireRun, Lens], Run]) -> Run | None:
        """The run or plan, if it is wanted."""
        if not (
            (self.by is None or row.created_by in self.by)
            and (self.milestones is None or row.milestone_id in self.milestones)
            and (self.suites is None or row.suite_id in self.suites)
            and (self.configs is None or any(one.issubset(row.config_ids or ()) for one in self.configs))
            and (not self.query.refs or _lists(row.refs, self.query.refs))
            and self.also(row)
        ):
            return None
        run = read(row, lens)
        return run if self.keep is None or self.keep(run) else None

    def may_hold(self, plan: WireRun, oldest: datetime | None) -> WireRun | None:
        """The plan, if a wanted run can be in it: runs are begun in it while it lasts, and closed with it.

        Runs begun before `oldest` are not wanted any more.
        """
        query, ended = self.query, plan.completed_on if plan.is_completed else None
        fits = (
            (query.state == "all" or bool(plan.is_completed) == (query.state == "closed"))
            and (self.milestones is None or plan.milestone_id in self.milestones)
            and (ended is not None or not (query.closed_since or query.closed_until))
            and _within(ended, query.closed_since, query.closed_until)
            and _within(ended, query.since, None)
            and _within(ended, oldest, None)
            and _within(plan.created_on, None, query.until)
        )
        return plan if fits else None

    @property
    def bounded(self) -> bool:
        return self.query.state == "open" or bool(self.query.since or self.query.closed_since)


def _given(**params: str | None) -> dict[str, str]:
    return {name: value for name, value in params.items() if value is not None}


def _numbers(numbers: Iterable[int] | None) -> str | None:
    return None if numbers is None else ",".join(map(str, sorted(numbers)))


def _seconds(moment: datetime | None, wider: int = 0) -> str | None:
    return None if moment is None else str(max(0, math.floor(moment.timestamp()) + wider))


def _within(seconds: int | None, since: datetime | None, until: datetime | None) -> bool:
    """Whether a time lies in the bounds, both included; an unknown time is in any."""
    return seconds is None or (
        (since is None or seconds >= math.floor(since.timestamp())) and (until is None or seconds <= until.timestamp())
    )


def _lists(text: str | None, wanted: str) -> bool:
    """Whether a comma-separated text (references, defects) has this element."""
    return wanted.strip().casefold() in (part.strip().casefold() for part in (text or "").split(","))


def status_names(labels: Mapping[int, str]) -> dict[str, str]:
    """What people may call the statuses of this TestRail, with the word for each: its label, its number."""
    words = {number: outcome.value for number, outcome in OUTCOMES.items()}
    words |= {number: labels.get(number, f"status {number}") for number in range(6, 13)}
    return {labels.get(number, word): word for number, word in words.items()} | {
        str(number): word for number, word in words.items()
    }


def look_up_statuses(typed: Sequence[str], labels: Mapping[int, str]) -> frozenset[int]:
    """Numbers of outcomes (`failed`), of this TestRail's own labels (`Known issue`), and as they are; none for an
    outcome that TestRail does not have. Raises NotFoundError.
    """
    found: set[int] = set()
    for text in typed:
        number, word = read_digits(text), text.strip().casefold()
        fitting = {each for each, label in labels.items() if label.casefold() == word} if number is None else {number}
        fitting |= {_STATUS_OF[word]} if word in _STATUS_OF else set()
        fitting |= {*labels, *range(6, 13)} - set(OUTCOMES) if word == Outcome.OTHER else set()
        if not fitting and not is_common(word):
            raise none_such(LABEL, "status", text, [*labels.values(), *_STATUS_OF])
        found |= fitting
    return frozenset(found)


def look_up_configs(typed: Sequence[str], names: Mapping[int, str]) -> tuple[frozenset[int], ...]:
    """Each as the numbers a run must have: `Firefox`, `6`, `Firefox, Ubuntu 12`. Raises NotFoundError."""
    known = {name.casefold() for name in names.values()}
    wanted: list[frozenset[int]] = []
    for text in typed:
        several = [text] if text.strip().casefold() in known else [part.strip() for part in text.split(",")]
        try:
            fitting = [look_up(LABEL, "configuration", [one], names) for one in several]
        except NotFoundError as error:
            error.closest = tuple(text.replace(error.instead_of, name) for name in error.closest)
            error.instead_of = text
            raise
        wanted += map(frozenset, product(*fitting))  # groups may have configurations of the same name
    return tuple(wanted)


# Asking: the account.


@dataclass(frozen=True, slots=True)
class Part:
    """A run whose tests are wanted; alone, or as one of a plan's, where `config` and `folder` tell it from others."""

    run: int
    config: str = ""
    folder: str = ""


@dataclass(frozen=True, slots=True)
class AskedResults:
    """A ResultQuery with its names looked up; a set that is None does not filter."""

    query: ResultQuery
    statuses: frozenset[int] | None = None
    by: frozenset[int] | None = None
    owners: frozenset[str] | None = None

    @property
    def filters(self) -> dict[str, str]:
        """What get_results_for_run filters itself; the last result of a test can only be told among all of them."""
        query = self.query
        since = _given(created_after=_seconds(query.since, -1))
        return since if query.latest else since | _given(
            created_before=_seconds(query.until, +1),
            created_by=_numbers(self.by),
            status_id=_numbers(self.statuses),
            defects_filter=query.defects.strip() or None,
        )  # fmt: skip

    def fits(self, row: WireResult, test: Test | None) -> bool:
        query = self.query
        owner = test.assignee_id if test is not None else str(row.assignedto_id or "")
        return (
            (self.statuses is None or row.status_id in self.statuses)
            and _within(row.created_on, query.since, query.until)
            and (self.by is None or row.created_by in self.by)
            and (not query.defects or _lists(row.defects, query.defects))
            and ((self.owners is None and not query.unassigned) or owner in (self.owners or ("",)))
            and (not query.test or any(_is_test(text.strip(), row.test_id, test) for text in query.test))
        )


def _is_test(typed: str, number: int, test: Test | None) -> bool:
    """Whether `T64`, `C12`, a bare number (of test or case) or words of the title mean this test."""
    said = re.fullmatch(r"([tTcC]?)([0-9]{1,12})", typed)
    case = test.key.partition(" · ")[0] if test is not None else ""
    if said is not None:
        letter = said[1].casefold()
        return (letter != "c" and said[2] == str(number)) or (letter != "t" and said[2] == case)
    return test is not None and typed.casefold() in test.name.casefold()


class TestRail:
    """One TestRail account; see `bot.usecases.ports.Connection` for the calls."""

    __test__ = False
    system = LABEL
    kinds: Mapping[str, Kind] = {"R": RUN, "P": PLAN}

    def __init__(self, account: Account) -> None:
        self.name = account.name
        self.project = account.number("project")
        self._root = re.sub(r"/(index\.php.*)?$", "", account.text("url").strip().rstrip("/"))
        self._now = account.now
        self._kept = Kept(account.now)
        self._users_by_project = False
        self._opened: dict[RunRef, tuple[datetime, list[WireRun], tuple[str, ...]]] = {}
        key = account.text("key")
        login = base64.b64encode(f"{account.text('user')}:{key}".encode()).decode()
        refused = judging(LABEL, complaint, (key, login))
        self._wire = Wire(
            LABEL,
            self._root,
            headers={"Authorization": f"Basic {login}"},
            secrets=(key, login),
            pace=account.pace,
            now=account.now,
            judge=lambda status, body: judge(status, body) or refused(status, body),
            complaint=complaint,
            pause_s=10.0,
        )

    def read_link(self, url: str) -> RunRef | None:
        """`{root}/index.php?/runs/view/81&group_by=…` and plans likewise; the page of a test does not tell its run."""
        rest = below(self._root, url)
        if rest is None or rest.path != "/index.php":
            return None
        page = _LINK.fullmatch(unquote(rest.query.partition("&")[0]))
        return None if page is None else RunRef(self.name, "R" if page[1] == "runs" else "P", int(page[2]))

    async def projects(self) -> tuple[Project, ...]:
        rows = await self._all("get_projects", "projects")
        return tuple(Project(row.id, row.name or f"project {row.id}") for row in rows)

    async def run(self, ref: RunRef) -> Run:
        row = await self._one(ref, WireRun)
        lens = await self._lens(row.project_id)
        if ref.letter != "P":
            return read_run(row, lens)
        inside, missing = self._inside(row)
        plan = replace(read_plan(row, lens, inside), missing=missing)
        self._opened[ref] = plan.read_at, inside, missing
        while len(self._opened) > PLANS_OPEN:
            del self._opened[next(iter(self._opened))]
        return plan

    async def runs(self, letter: str, query: RunQuery) -> Listing[Run]:
        project = project_meant(LABEL, query.project, self.project)
        try:
            lens = await self._lens(project)
            wanted = await self._wanted(query, project)
            if letter == "P":
                return await self._outer(project, "plans", wanted, lens)
            return await self._runs(project, wanted, lens)
        except UnknownError:
            raise _no_project(project) from None

    async def scan(self, letter: str, query: RunQuery, see: Callable[[Run], None]) -> Listing[Run]:
        """See Connection. Only the runs inside plans, of a few plans at most, are held before they are shown."""
        project = project_meant(LABEL, query.project, self.project)
        shown = Numbers()

        def show(run: Run) -> bool:
            """Once, though pages overlap; and nothing is kept of it."""
            if shown.add(run.ref.id):
                see(run)
            return False

        try:
            lens = await self._lens(project)
            wanted = await self._wanted(replace(query, at_most=None), project)
            showing = replace(wanted, keep=lambda run: (wanted.keep is None or wanted.keep(run)) and show(run))
            if letter == "P":
                found = await self._outer(project, "plans", showing, lens, reach=LOOKED_AT)
            else:
                found = await self._runs(project, showing, lens, reach=LOOKED_AT)
        except UnknownError:
            raise _no_project(project) from None
        return replace(found, items=(), total=None if found.total is None or found.missing else len(shown))

    async def earlier(self, run: Run, limit: int) -> Listing[Run]:
        """See Connection. For a run inside a plan, the ten newest finished plans are looked into, no further."""
        lens = await self._lens(run.project)
        before = RunQuery(state="closed", until=run.created_at - timedelta(seconds=1), at_most=limit)
        keep = keeping(before)
        if run.ref.letter == "P":
            name = fold_name(run.name)
            alike = Wanted(before, keep, also=lambda row: fold_name(row.name or "") == name)
            return await self._outer(run.project, "plans", alike, lens)
        suites = None if run.series_id is None else frozenset({run.series_id})
        wanted = Wanted(before, keep, suites=suites, also=lambda row: (row.config or "") == run.config)
        if run.parent is None:
            return await self._outer(run.project, "runs", wanted, lens)
        inside, missing = await self._in_plans(run.project, wanted, lens, quiet=True)
        if run.config:  # only runs inside plans have one
            return _newest(inside, limit, lens.read_at, missing)
        alone = await self._outer(run.project, "runs", wanted, lens)
        return _newest([*alone.items, *inside], limit, lens.read_at, (*alone.missing, *missing))

    async def parts(self, run: Run) -> Listing[Run]:
        if run.ref.letter != "P":
            return Listing((), self._now(), 0)
        lens = await self._lens(run.project)
        read_at, rows, missing = self._opened.pop(run.ref, (None, [], ()))
        if read_at != run.read_at:  # else they came with the plan itself
            read_at = lens.read_at
            rows, missing = await self._rows_of(run.ref)
        lens = replace(lens, read_at=read_at)
        return Listing(tuple(read_run(row, lens) for row in rows), read_at, len(rows), missing)

    async def tests(self, ref: RunRef, *, reasons: bool = False) -> Listing[Test]:
        lens = await self._lens(None)
        if ref.letter != "P":
            with self._about(ref):
                return await self._tests(Part(ref.id), lens, reasons=reasons)
        return await self._through(ref, lambda part: self._tests(part, lens, reasons=reasons), "tests")

    async def history(self, runs: Sequence[Run]) -> tuple[Listing[Test], ...]:
        """One call per run and 250 tests. A run that can't be read costs only itself, unless none can."""
        await self._lens(None)  # so that the names are not asked for by each
        answers = await at_once(self.tests(run.ref) for run in runs)
        lost: Listing[Test] = Listing((), self._now(), None, ("its tests",))
        return tuple(lost if isinstance(answer, RundownError) else answer for answer in answers)

    async def results(self, ref: RunRef, query: ResultQuery) -> Listing[Result]:
        lens = await self._lens(None)
        owners = frozenset(map(str, await self._person_numbers(query.owner, self.project)))
        by = frozenset(await self._person_numbers(query.by, self.project))
        asked = AskedResults(
            query,
            look_up_statuses(query.status, await self._names("statuses", needed=True)) if query.status else None,
            by if query.by else None,
            owners | ({""} if query.unassigned else set()) if query.owner else None,
        )
        if asked.statuses is not None and not asked.statuses:  # a word that no status of TestRail stands for
            return Listing((), lens.read_at, 0)
        if ref.letter != "P":
            with self._about(ref):
                found = await self._results(Part(ref.id), asked, lens)
        else:
            found = await self._through(ref, lambda part: self._results(part, asked, lens), "results")
        ordered = sorted(found.items, key=lambda result: result.at, reverse=not query.oldest_first)
        return replace(found, items=tuple(ordered[: query.at_most]))

    async def threads(self, ref: RunRef) -> tuple[Thread, ...]:
        raise CannotError(f"{LABEL} has no threads.", why=_NO_THREADS, fix=f"Try `failures {ref.short}`.")

    async def find_person(self, who: Who) -> Person | None:
        return await self._find(who, self.project)

    async def prepare(self, change: Change) -> Change:
        """See Connection. Whether a run can be closed, edited or written on is asked of it, not of any memory."""
        writing.refuse_what_has_no_place(change, self._kind_of(change))
        if isinstance(change, Start):
            return await self._prepare_start(change)
        if isinstance(change, Report) or change.ref.letter == "P":
            return change
        row = await self._one(change.ref, WireRun)
        writing.refuse_what_is_fixed(change, plan=row.plan_id, closed=bool(row.is_completed))
        return await self._prepare_edit(change, row) if isinstance(change, Edit) else change

    async def carry_out(self, change: Change, files: Mapping[str, bytes]) -> RunRef | None:  # noqa: ARG002
        """See Connection. What an edit or an addition leaves as it is, is read right before it. No change has files."""
        writing.refuse_what_has_no_place(change, self._kind_of(change))
        if isinstance(change, Start):
            try:
                made = self._wire.decode(await self._post(writing.start_order(change)), WireMade)
            except UnknownError:
                raise _no_project(change.project) from None
            return RunRef(self.name, "R", made.id)
        order = await self._order(change)
        if order is not None:
            with self._about(change.ref):
                answer = await self._post(order)
            if not isinstance(change, Delete):
                self._read_changed(change, answer)
            elif answer.strip():  # nothing, or some JSON; a web page would be somebody else's answer
                self._wire.decode(answer, msgspec.Raw)
        return None

    async def was_done(self, change: Change, since: datetime) -> RunRef | bool | None:
        """See Connection. None for changes of a run that is gone by now."""
        if isinstance(change, Start):
            return await self._was_started(change, since)
        if isinstance(change, Report):
            return None
        try:
            if isinstance(change, Close | Delete):
                row = await self._one(change.ref, WireRun)
                return isinstance(change, Close) and bool(row.is_completed)
            held = await self._one(change.ref, WireHeld)
        except NotFoundError:
            return True if isinstance(change, Delete) else None
        if isinstance(change, Append):
            return writing.has_mark(held.description, change.marker)
        return writing.shows_edit(change, held, await self._cases_in(change.ref) if change.cases else None)

    async def loss(self, ref: RunRef) -> Loss:
        """See Connection. TestRail before 6.6 knows no `soft` and would delete at once, so it is never asked there.

        Since 6.7 lists come in envelopes: only a server that sends one is asked, else the tests are counted.
        """
        if ref.letter == "P":
            raise CannotError(
                PLAN.cannot["delete"],
                why="TestRail previews the deletion of runs only.",
                fix=f"Show it with `show {ref.short}`.",
                closest=(f"show {ref}",),
            )
        row = await self._one(ref, WireRun)
        tests = await self._wire.read(f"{API}get_tests/{ref.id}&limit=1")
        if not tests.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
            return Loss(sum(counts(row)))
        with self._about(ref):
            answer = await self._post(writing.count_order(ref))
        return writing.read_loss(self._wire.decode(answer, object)) if answer.strip() else Loss()

    async def offers(self, what: str, project: int) -> tuple[Named, ...]:
        """See Connection. Milestones that are not completed, people who are active, by name; suites in their order."""
        try:
            if what == "suite":
                suites = await self._names("suites", project)
                return tuple(Named(name, number) for number, name in suites.items())
            if what == "milestone":
                rows = await self._all(f"get_milestones/{project}", "milestones")
                rows += [below for row in rows for below in row.milestones or ()]
            elif what == "person":
                rows = sorted(await self._users(project), key=lambda row: (row.name or "").casefold())
            else:
                rows = []
        except UnknownError:
            raise _no_project(project) from None
        except (Forbidden, RejectedFault):
            return ()
        open_ones = [row for row in rows if not row.is_completed and row.is_active is not False]
        return tuple(Named(row.name, row.id) for row in open_ones if row.name)

    def forget(self, ref: RunRef) -> None:
        """The runs of a plan that was just shown are kept until they are shown, too."""
        for plan, (_, rows, _) in tuple(self._opened.items()):
            if plan == ref or (ref.letter != "P" and any(row.id == ref.id for row in rows)):
                del self._opened[plan]

    async def close(self) -> None:
        await self._wire.close()

    # Changes.

    def _kind_of(self, change: Change) -> Kind:
        letter = change.letter if isinstance(change, Start) else change.ref.letter
        return self.kinds.get(letter, RUN)

    async def _prepare_start(self, change: Start) -> Start:
        try:
            suite = await self._suite(change)
            milestone = await self._number("milestone", change.milestone, change.project)
        except UnknownError:
            raise _no_project(change.project) from None
        cases = await self._checked_cases(change.cases, change.project, suite.id if suite else None)
        assignee = await self._assignee(change.assignee, change.project)
        return replace(
            change, name=change.name.strip(), suite=suite, milestone=milestone, cases=cases, assignee=assignee
        )

    async def _prepare_edit(self, change: Edit, row: WireRun) -> Edit:
        project = row.project_id or change.project
        return replace(
            change,
            name=None if change.name is None else change.name.strip(),
            milestone=await self._number("milestone", change.milestone, project),
            cases=change.cases and await self._checked_cases(change.cases, project, row.suite_id),
        )

    async def _suite(self, change: Start) -> Named | None:
        """The suite that is meant: the only one where none is named. None where our key can't tell."""
        if change.suite is not None and (change.suite.name.strip() or change.suite.id is not None):
            return await self._number("suite", change.suite, change.project)
        suites = await self._names("suites", change.project, needed=True)
        if len(suites) > 1:
            told = [f"{name} ({number})" for number, name in suites.items()]
            raise AmbiguousError(
                "Which suite is the run to be made from?",
                tuple(Choice(words, f"--suite {number}") for words, number in zip(told, suites, strict=True)),
                why=what_there_is(told),
                fix="Add --suite with one of the names or numbers.",
            )
        return next((Named(name, number) for number, name in suites.items()), None)

    async def _number(self, noun: str, named: Named | None, project: int) -> Named | None:
        """The suite or milestone with its number and its name. Raises NotFoundError, or AskError for several."""
        if named is None or (named.id is None and not named.name.strip()):
            return named
        typed = named.name.strip() if named.id is None else str(named.id)
        names = await self._names(f"{noun}s", project, needed=True)
        fitting = _fitting(names, typed)
        if not fitting:  # it may have been made a minute ago
            self._kept.put(f"get_{noun}s/{project}", names, keep=timedelta())
            names = await self._names(f"{noun}s", project, needed=True)
            fitting = _fitting(names, typed)
        number = read_digits(typed)
        if not names and number is not None:  # our key can't see them: TestRail will judge
            return Named(named.name, number)
        if not fitting:
            raise none_such(LABEL, noun, typed, names.values())
        if len(fitting) > 1:
            raise AskError(
                f"Which {noun} “{typed[:80]}”?",
                why=f"{len(fitting)} have that name: {', '.join(map(str, fitting))}.",
                fix=f"Give the number of the {noun}.",
            )
        return Named(names[fitting[0]], fitting[0])

    async def _assignee(self, named: Named | None, project: int) -> Named | None:
        """The user with number and name. A number that our key can't look up is taken as it is."""
        if named is None or (named.id is None and not named.name.strip()):
            return None
        typed = named.name.strip() if named.id is None else str(named.id)
        person = await self._find(Who(typed), project)
        if person is not None:
            return Named(person.name, int(person.id))
        people = await self._people(project, needed=True)
        number = read_digits(typed)
        if number is None or people:
            raise none_such(LABEL, "user", typed, (one.name for one in people.values()))
        return Named(named.name, number)

    async def _checked_cases(self, cases: tuple[int, ...], project: int, suite: int | None) -> tuple[int, ...]:
        """Each case once. Raises NotFoundError for those that are not in the suite, if that can be told in time."""
        wanted = tuple(dict.fromkeys(cases))
        if not wanted:
            return ()
        try:
            async with asyncio.timeout(CASES_S):
                found = await self._list(
                    f"get_cases/{project}", "cases", WireCase, lambda row: row.id if row.id in wanted else None,
                    filters={} if suite is None else {"suite_id": str(suite)}, at_most=len(wanted),
                )  # fmt: skip
        except (SystemFault, UnknownError, TimeoutError):
            return wanted
        lost = [each for each in wanted if each not in found.items]
        if lost and not found.missing:
            several = len(lost) > 1
            raise NotFoundError(
                f"No case{'s' if several else ''} {', '.join(f'C{each}' for each in lost[:8])} in that suite.",
                why=f"{len(lost)} of {len(wanted)} cases {'are' if several else 'is'} not in it.",
                fix="Look at the numbers in TestRail; the cases of a run are all of one suite.",
            )
        return wanted

    async def _order(self, change: Close | Edit | Append | Report | Delete) -> Order | None:
        """What is to be sent; None when it is there already."""
        if isinstance(change, Close):
            return writing.close_order(change.ref)
        if isinstance(change, Delete):
            return writing.delete_order(change.ref)
        if isinstance(change, Report):
            raise AssertionError("unreachable: no kind has `report`")
        if isinstance(change, Edit) and change.milestone is not None:
            return writing.edit_order(change)
        try:
            held = await self._one(change.ref, WireHeld)
        except SystemFault as fault:
            fault.sent = False  # only reading had begun
            raise
        order = (
            writing.edit_order(change, held.milestone_id)
            if isinstance(change, Edit)
            else writing.append_order(change, held.description, held.milestone_id)
        )
        if order is not None:
            writing.refuse_what_is_fixed(change, plan=held.plan_id, closed=bool(held.is_completed))
        return order

    async def _post(self, order: Order) -> bytes:
        return await self._wire.call("POST", f"{API}{order.call}", order.raw)

    def _read_changed(self, change: Close | Edit | Append | Report, answer: bytes) -> None:
        """The answer must be the run as it is now; anything else leaves open what was done, and that is a fault."""
        row = self._wire.decode(answer, WireMade)
        marker = change.marker if isinstance(change, Append) else None
        as_asked = (
            row.id == change.ref.id
            and (not isinstance(change, Close) or row.is_completed is not False)
            and (marker is None or writing.has_mark(row.description, marker))
        )
        if not as_asked:
            fault = UnreadableFault(
                LABEL,
                f"{LABEL} took the change, but does not show it.",
                why=f"Its answer is not {change.ref.short} as it should be now.",
                fix=f"See how it is with `show {change.ref.short}`.",
            )
            fault.sent = True
            raise fault

    async def _was_started(self, change: Start, since: datetime) -> RunRef | bool | None:
        found = await self._list(
            f"get_runs/{change.project}", "runs", WireHeld, lambda row: row,
            filters={"created_after": str(writing.started_since(since))}, own=change.project,
        )  # fmt: skip
        shown = writing.shows_start(change, found.items, since)
        if isinstance(shown, bool) or shown is None:
            return None if found.missing else shown
        return RunRef(self.name, "R", shown)

    async def _cases_in(self, ref: RunRef) -> tuple[int, ...] | None:
        found = await self._list(f"get_tests/{ref.id}", "tests", WireTest, lambda row: row.case_id, own=ref.id)
        return None if found.missing else found.items

    async def _one(self, ref: RunRef, shape: type[_Row]) -> _Row:
        """The run or plan as it is now. Raises NotFoundError."""
        call = f"get_plan/{ref.id}" if ref.letter == "P" else f"get_run/{ref.id}"
        with self._about(ref):
            row = await self._wire.get(f"{API}{call}", shape)
        if row.id != ref.id:
            raise UnreadableFault(
                LABEL,
                f"{LABEL} answered with something else than {ref.short}.",
                why=f"It sent number {row.id}.",
                fix="Try again in a minute.",
            )
        return row

    # Runs.

    async def _wanted(self, query: RunQuery, project: int) -> Wanted:
        """Raises NotFoundError for names that TestRail does not have."""
        by = milestones = suites = configs = None
        own: Mapping[str, str] = {}
        if query.by:
            by = frozenset(await self._person_numbers(query.by, project))
        if query.milestone:
            names = await self._names("milestones", project, needed=True)
            milestones = frozenset(look_up(LABEL, "milestone", query.milestone, names))
        if query.suite:
            names = await self._names("suites", project, needed=True)
            suites = frozenset(look_up(LABEL, "suite", query.suite, names))
        if query.config:
            configs = look_up_configs(query.config, await self._names("configs", project, needed=True))
        if not all(map(is_common, query.status)):
            own = status_names(await self._names("statuses", needed=True))
        keep = keeping(replace(query, refs=""), status_words(LABEL, query.status, own))
        return Wanted(query, keep, by, milestones, suites, configs)

    async def _outer(
        self, project: int, plural: str, wanted: Wanted, lens: Lens, *, reach: Reach = HELD
    ) -> Listing[Run]:
        """The wanted plans, or runs that are in no plan (get_runs has only those), newest first."""
        read = read_run if plural == "runs" else read_plan
        found = await self._list(
            f"get_{plural}/{project}",
            plural,
            WireRun,
            lambda row: wanted.take(row, lens, read),
            filters=wanted.filters(plural),
            own=project,
            at_most=wanted.query.at_most,
            reach=reach,
        )
        return _newest(found.items, wanted.query.at_most, found.read_at, found.missing, found.total)

    async def _runs(self, project: int, wanted: Wanted, lens: Lens, *, reach: Reach = HELD) -> Listing[Run]:
        """Runs inside and outside plans. Plans that ended before the oldest run that is wanted need no look."""
        most = wanted.query.at_most
        alone: Listing[Run] = Listing((), lens.read_at, 0)
        if wanted.configs is None:  # only runs inside plans have a configuration
            alone = await self._outer(project, "runs", wanted, lens, reach=reach)
        enough = most is not None and len(alone.items) >= most
        oldest = alone.items[-1].created_at if enough and alone.items else None
        inside, missing = await self._in_plans(project, wanted, lens, oldest=oldest)
        total = None if alone.total is None or missing or enough else alone.total + len(inside)
        return _newest([*alone.items, *inside], most, alone.read_at, (*alone.missing, *missing), total)

    async def _in_plans(
        self, project: int, wanted: Wanted, lens: Lens, *, oldest: datetime | None = None, quiet: bool = False
    ) -> tuple[list[Run], tuple[str, ...]]:
        """The wanted runs inside plans, and what was left out: never more than the other runs are worth.

        Opens the newest plans that may hold such runs: at most 20, or 10 where no time bounds them; `quiet` does not
        count it as missing when there are more.
        """
        most = PLANS_ASKED if wanted.bounded else PLANS_UNASKED
        filters = {name: value for name, value in wanted.filters("plans").items() if name in _OF_PLANS}
        try:
            plans = await self._list(
                f"get_plans/{project}",
                "plans",
                WireRun,
                lambda row: row.id if wanted.may_hold(row, oldest) else None,
                filters=filters,
                own=project,
            )
            refs = [RunRef(self.name, "P", number) for number in plans.items[:most]]
            answers = await at_once(self._rows_of(ref) for ref in refs)
        except SystemFault:
            if wanted.configs is not None:  # there are no other runs to tell of
                raise
            return [], ("runs inside plans",)
        found: list[Run] = []
        missing = list(plans.missing)
        for ref, answer in zip(refs, answers, strict=True):
            if isinstance(answer, SystemFault):
                missing.append(f"the runs of {ref.short}")
            elif not isinstance(answer, RundownError):  # else it was deleted meanwhile
                found += [run for row in answer[0] if (run := wanted.take(row, lens, read_run)) is not None]
                missing += answer[1]
        if len(plans.items) > most and not quiet:
            missing.append(f"runs inside {some(len(plans.items) - most, 'older plan')}")
        return found, tuple(missing)

    async def _rows_of(self, plan: RunRef) -> tuple[list[WireRun], tuple[str, ...]]:
        """The runs inside a plan as TestRail has them, and what could not be read."""
        with self._about(plan):
            return self._inside(await self._wire.get(f"{API}get_plan/{plan.id}", WireRun))

    def _inside(self, plan: WireRun) -> tuple[list[WireRun], tuple[str, ...]]:
        raws = [raw for entry in plan.entries or () for raw in entry.runs or ()]
        rows, unreadable = self._wire.rows(raws, WireRun)
        for row in rows:
            row.plan_id = plan.id
            row.project_id = row.project_id or plan.project_id
            row.milestone_id = row.milestone_id or plan.milestone_id
        own = [row for row in rows if row.project_id == plan.project_id]
        missing = [f"{some(unreadable, 'row')} could not be read"] if unreadable else []
        return own, (*missing, *left_out(len(rows) - len(own), "of another project"))

    # Tests and results.

    async def _through(self, plan: RunRef, read: Callable[[Part], Awaitable[Listing[T]]], what: str) -> Listing[T]:
        """Everything of the runs inside a plan together. A run that fails costs only its own, unless all do."""
        rows, missing = await self._rows_of(plan)
        names = [f"{row.name or f'run {row.id}'} ({row.config})" if row.config else row.name or "" for row in rows]
        parts = [Part(row.id, row.config or "", name) for row, name in zip(rows, names, strict=True)]
        items: list[T] = []
        total: int | None = 0
        for part, answer in zip(parts, await at_once(map(read, parts)), strict=True):
            if isinstance(answer, RundownError):
                missing += (f"{what} of R{part.run}",)
                total = None
            else:
                items += answer.items
                missing += tuple(f"R{part.run}: {each}" for each in answer.missing)
                total = None if total is None or answer.total is None else total + answer.total
        return Listing(tuple(items), self._now(), total, missing)

    async def _tests(self, part: Part, lens: Lens, *, reasons: bool = False) -> Listing[Test]:
        found = await self._list(
            f"get_tests/{part.run}", "tests", WireTest,
            lambda row: read_test(row, lens, config=part.config, folder=part.folder), own=part.run,
        )  # fmt: skip
        if not reasons:
            return found
        try:
            failed = await self._list(
                f"get_results_for_run/{part.run}", "results", WireResult, lambda row: row,
                filters={"status_id": str(_STATUS_OF["failed"])},
            )  # fmt: skip
        except SystemFault:
            return replace(found, missing=(*found.missing, "the reasons of the failures"))
        by_test: dict[str, list[WireResult]] = {}
        for row in sorted(failed.items, key=lambda row: (row.created_on or 0, row.id), reverse=True):
            by_test.setdefault(str(row.test_id), []).append(row)
        told = tuple(read_reason(test, by_test[test.id]) if test.id in by_test else test for test in found.items)
        return replace(found, items=told, missing=(*found.missing, *(f"results: {each}" for each in failed.missing)))

    async def _results(self, part: Part, asked: AskedResults, lens: Lens) -> Listing[Result]:
        """Results of one run, newest first. Comments are no outcome, so they are never the last result of a test."""
        query = asked.query
        named = await self._tests(Part(part.run), lens)
        tests = {int(test.id): test for test in named.items}

        def take(row: WireResult) -> WireResult | None:
            return row if query.latest or asked.fits(row, tests.get(row.test_id)) else None

        found = await self._list(
            f"get_results_for_run/{part.run}", "results", WireResult, take, filters=asked.filters,
            at_most=None if query.latest or query.oldest_first else query.at_most,
        )  # fmt: skip
        rows = sorted(found.items, key=lambda row: (row.created_on or 0, row.id), reverse=True)
        total = found.total
        if query.latest:
            judged = (row for row in rows if row.status_id is not None)
            last = first_of_each(judged, lambda row: row.test_id)
            rows = [row for row in last if asked.fits(row, tests.get(row.test_id))]
            total = len(rows)
        items = tuple(read_result(row, lens, tests.get(row.test_id), config=part.config) for row in rows)
        return Listing(items, found.read_at, total, (*found.missing, *(f"names: {each}" for each in named.missing)))

    # People and names.

    async def _lens(self, project: int | None) -> Lens:
        """For rows of this project; None where only statuses and people are in them."""
        read_at = self._now()
        if project is None:
            tables = await asyncio.gather(self._names("statuses"), self._people(self.project))
            return Lens(self.name, self._root, read_at, *tables)
        # A run's stream goes by its suite's name, which must not change with the weather: no suites, no answer.
        (statuses, people), (milestones, suites) = await both(
            both(self._names("statuses"), self._people(project)),
            both(self._names("milestones", project), self._names("suites", project, needed=True)),
        )
        return Lens(self.name, self._root, read_at, statuses, people, milestones, suites)

    async def _table(
        self, key: str, read: Callable[[], Awaitable[Mapping[int, T]]], *, needed: bool = False
    ) -> Mapping[int, T]:
        """A look-up table, read again after 5 minutes; empty where our key may not read it.

        Names are worth no failure, and people wait 4 s for them at most: a passing fault leaves the table as it was,
        or numbers, for half a minute. Where it is `needed`, and was never read, the fault is raised.
        """

        async def ask() -> Mapping[int, T]:
            try:
                return await read()
            except (Forbidden, RejectedFault):
                return {}

        known: Mapping[int, T] | None = self._kept.last(key)
        failed = f"failed: {key}"
        if self._kept.is_fresh(failed) and (known is not None or not needed):
            return known or {}
        patience = PATIENCE.get()
        hurried = not needed and (patience is None or patience.person)
        try:
            async with asyncio.timeout(NAMES_S if hurried else None):
                return await self._kept.get(key, ask)
        except (SystemFault, TimeoutError):
            if known is None and needed:
                raise
            self._kept.put(failed, True, keep=NAMES_AGAIN)
            return known or {}

    async def _names(self, plural: str, project: int | None = None, *, needed: bool = False) -> Mapping[int, str]:
        """Statuses (their labels), milestones (also those below others), suites or configurations by number."""
        call = f"get_{plural}" if project is None else f"get_{plural}/{project}"

        async def read() -> dict[int, str]:
            rows = await self._all(call, plural)
            if plural == "configs":
                rows = [one for group in rows for one in group.configs or ()]
            rows += [one for row in rows for one in row.milestones or ()]
            return {row.id: name for row in rows if (name := row.label or row.name)}

        return await self._table(call, read, needed=needed)

    async def _people(self, project: int | None, *, needed: bool = False) -> Mapping[int, Person]:
        async def read() -> dict[int, Person]:
            return {row.id: read_person(row) for row in await self._users(project)}

        return await self._table(f"people of {project}", read, needed=needed)

    async def _users(self, project: int | None) -> list[WireNamed]:
        """Those of a project, as only administrators may ask without one; everybody where TestRail is too old."""
        if project is None and not self._users_by_project:
            try:
                return await self._all("get_users", "users")
            except (Forbidden, RejectedFault):
                self._users_by_project = True
        if project is None:
            project = next((each.id for each in await self.projects()), None)
        if project is None:
            return []
        try:
            return await self._all(f"get_users/{project}", "users")
        except (RejectedFault, UnknownError):
            return await self._all("get_users", "users")

    async def _find(self, who: Who, project: int | None) -> Person | None:
        """Somebody in the list of people, or whom TestRail finds by number or address; it tells only some keys."""
        people = await self._people(project, needed=True)
        known = person_meant(who, people.values())
        email = (who.email or (who.text if "@" in who.text else "")).strip()
        number = read_digits(who.text)
        if known is None and number is not None:
            return await self._one_person(f"get_user/{number}")
        if email and (known is None or not known.email):
            return await self._one_person(f"get_user_by_email&email={quote(email, '', errors='replace')}") or known
        return known

    async def _person_numbers(self, typed: Sequence[Who], project: int | None) -> Sequence[int]:
        """Numbers as they are, other people as `_find` finds them. Raises NotFoundError."""
        found: list[int] = []
        for who in typed:
            number = read_digits(who.text)
            if number is None:
                person = await self._find(who, project)
                if person is None:
                    people = await self._people(project, needed=True)
                    raise none_such(LABEL, "user", who.text or who.email, (one.name for one in people.values()))
                number = int(person.id)
            found.append(number)
        return found

    async def _one_person(self, call: str) -> Person | None:
        """Somebody who is not in the list. TestRail answers 400 for people it does not know, 403 to most keys."""
        try:
            return read_person(await self._wire.get(f"{API}{call}", WireNamed))
        except (Forbidden, RejectedFault):
            return None

    # The wire.

    @contextmanager
    def _about(self, ref: RunRef) -> Iterator[None]:
        """Names the run in the error when TestRail knows no such number."""
        try:
            yield
        except UnknownError:
            kind, other = (PLAN, RUN) if ref.letter == "P" else (RUN, PLAN)
            raise NotFoundError(
                f"No {kind.noun} {ref.short} in {LABEL}.",
                why="It was deleted, or its number is another.",
                fix=f"See what there is with `list`; {other.plural} are typed {other.letter}{ref.id}.",
            ) from None

    async def _all(self, call: str, plural: str) -> list[WireNamed]:
        listing = await self._list(call, plural, WireNamed, lambda row: row)
        return list(listing.items)

    async def _list(
        self,
        call: str,
        plural: str,
        shape: type[_Row],
        take: Callable[[_Row], T | None],
        *,
        filters: Mapping[str, str] | None = None,
        own: int | None = None,
        at_most: int | None = None,
        reach: Reach = HELD,
    ) -> Listing[T]:
        """The rows of a list that `take` takes, made into ours at once, so that nothing else of them is held.

        `own` is the project (of tests: the run) that rows must be of; others are left out and counted.
        """
        target = f"{API}{call}" + "".join(
            f"&{name}={quote(value, ',', errors='replace')}" for name, value in (filters or {}).items()
        )
        strangers: set[int] = set()

        async def read(offset: int) -> Page[tuple[int, T | None]]:
            where = f"&limit={PAGE_ROWS}&offset={offset}" if offset else ""
            raws, more = self._cut(await self._wire.read(target + where), plural)
            rows, unreadable = self._wire.rows(raws, shape)
            strangers.update([row.id for row in rows if own is not None and _home(row) not in (own, None)])
            kept = await each_of(rows, lambda row: (row.id, None if row.id in strangers else take(row)))
            return Page(kept, len(raws), more=more, unreadable=unreadable)

        found = await by_offset(
            read,
            key=lambda row: row[0],
            now=self._now,
            keep=lambda row: row[1] is not None,
            at_most=at_most,
            overlap=True,
            reach=reach,
        )
        items = tuple(value for _, value in found.items if value is not None)
        missing = (*found.missing, *left_out(len(strangers), f"of another {'run' if plural == 'tests' else 'project'}"))
        return Listing(items, found.read_at, found.total, missing)

    def _cut(self, body: bytes, plural: str) -> tuple[list[msgspec.Raw], bool]:
        """The rows of a page, and whether another follows: an envelope, or a bare array before 6.7.

        The link to the next page is only looked at, never followed: it was seen with limit=0 and of another list.
        """
        if body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"[":
            raws = self._wire.decode(body, list[msgspec.Raw])
            return raws, plural not in _UNCUT and len(raws) == PAGE_ROWS
        page = self._wire.decode(body, _ENVELOPES[plural])
        rows: list[msgspec.Raw] = page.rows
        follows = isinstance(page.links, _Links) and page.links.next is not None
        return rows, follows and len(rows) >= min(page.limit or PAGE_ROWS, PAGE_ROWS)


class _Numbered(Protocol):
    @property
    def id(self) -> int: ...


_Row = TypeVar("_Row", bound=_Numbered)
_LINK = re.compile(r"/(runs|plans)/view/([1-9][0-9]{0,11})/?")
#: The filters of a list of runs that can be put to its plans: a run's creator or begin may be another than its plan's.
_OF_PLANS = ("is_completed", "created_before", "milestone_id")


def _fitting(names: Mapping[int, str], typed: str) -> list[int]:
    """The numbers that a number or name means."""
    number, word = read_digits(typed), typed.casefold()
    fitting = [each for each, name in names.items() if name.strip().casefold() == word]
    return [number] if number is not None and number in names else fitting


def _home(row: object) -> int | None:
    """The project of a run, the run of a test."""
    return row.project_id if isinstance(row, WireRun | WireHeld) else row.run_id if isinstance(row, WireTest) else None


def _no_project(project: int) -> NotFoundError:
    return NotFoundError(
        f"No project {project} in {LABEL}.",
        why="It was deleted, or our key may not see it.",
        fix="Choose another with --project ID.",
    )


def _newest(
    runs: Iterable[Run], at_most: int | None, read_at: datetime, missing: tuple[str, ...], total: int | None = None
) -> Listing[Run]:
    rows = sorted({run.ref: run for run in runs}.values(), key=lambda run: (run.created_at, run.ref.id), reverse=True)
    return Listing(tuple(rows[:at_most]), read_at, total, missing)


SYSTEM = System(
    name="testrail",
    label=LABEL,
    options=(
        Option("url", "the address of TestRail, such as https://acme.testrail.io", of="url"),
        Option("user", "the email address of the account Rundown uses"),
        Option("key", "an API key of that account (My Settings, API Keys)", of="secret"),
        Option("project", "the number of the project that is meant when none is named", of="number", required=False),
    ),
    kinds=(RUN, PLAN),
    connect=TestRail,
    per_minute=180,
)
