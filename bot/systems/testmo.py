"""How Testmo speaks: REST below `/api/v1`, a bearer token, numbered pages, ISO 8601 times, elapsed in microseconds.

How it is written to is in `testmo_writing`.

`R` are its manual runs, `A` its automation runs. Sources: the vendor's pages on runs, run results and automation runs,
and the models of its client (API 2.4). Habits met on the way:
- a run's counters are `untested_count` and `status1_count` to `status24_count`, the N-th for status id N + 1;
- an automation run may say "success" while it still runs: only `is_completed` tells that it is over;
- its lists of automation runs know `status` and no `state`, whatever the example on the page says;
- `expands` is `[]` when there is nothing in it, and an empty list has no page numbers;
- a manual result has no name (those of the repository's cases are asked for), an automated one no author.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from operator import attrgetter
from typing import Any, Generic, TypeVar
from urllib.parse import urlencode

import msgspec

from bot.domain.acts import Append, Change, Close, Delete, Edit, Loss, Named, Report, Start
from bot.domain.errors import (
    AskError,
    CannotError,
    NotFoundError,
    RejectedFault,
    RundownError,
    SystemFault,
    TooLargeFault,
    UnreadableFault,
)
from bot.domain.model import Closing, Kind, Listing, Person, Project, Result, Run, RunRef, Test, Thread
from bot.domain.outcomes import Outcome, Tally
from bot.domain.queries import ResultQuery, RunQuery, Who
from bot.domain.streams import stream_of
from bot.systems import testmo_writing as writing
from bot.systems._bulk import decoded, quick
from bot.systems._filters import Keep, first_of_each, is_common, keeping, status_words, within
from bot.systems._gaps import at_once, both, without
from bot.systems._kept import Kept
from bot.systems._links import as_page, below
from bot.systems._names import look_up, look_up_people, none_such, person_meant, project_meant, read_digits
from bot.systems._pages import HELD, LOOKED_AT, Page, Reach, by_number, each_of
from bot.systems._plain import plain
from bot.systems._refusals import Forbidden, Gone, Judge, judging
from bot.systems._spec import Account, Option, System
from bot.systems._times import LONG_AGO, read_moment
from bot.systems._wire import Wire
from bot.usecases.ports import PATIENCE, Patience

log = logging.getLogger(__name__)
T = TypeVar("T")
R = TypeVar("R")
W = TypeVar("W", bound=msgspec.Struct)
LABEL = "Testmo"
#: How far back names of configurations and runs of the same stream are looked for, in pages of 100 runs.
PAGES_BACK = 10
#: So many different tallies, and sets of tags, of a list are told apart, so that those alike are one in memory.
MOST_ALIKE = 2_000
#: So many cases of a project are remembered by name, beside those that were asked for.
MOST_CASES = 5_000
#: Their clock and ours may differ by so much.
CLOCKS_APART = timedelta(minutes=2)
#: So long the last call of a report that failed half-way may take.
LAST_CALL_S = 10.0
UNNAMED = "the tests: this Testmo does not name automation tests"

_BOTH = {"words", "state", "since", "until", "closed_since", "closed_until", "by", "milestone", "config", "status"}
_TAGS = {"tag", "without_tag"}
MANUAL = Kind(
    "R",
    "run",
    "runs",
    "closed",
    automated=False,
    verbs=frozenset({"failures", "results", "diff"}),
    filters=frozenset(_BOTH | _TAGS | {"workflow", "refs"}),
    cannot={
        "threads": "Testmo's manual runs have no threads; its automation runs (A…) do.",
        "close": "Closing manual runs is switched off here, as not every Testmo's API can; close it on its page.",
        "start": "Testmo's API starts automation runs only; start a manual run on Testmo's pages.",
        "edit": "Testmo's API changes nothing of a manual run; edit it on its page.",
        "note": "Testmo's API adds nothing to a manual run; its automation runs (A…) take notes.",
        "link": "Testmo's API adds nothing to a manual run; its automation runs (A…) take links.",
        "attach": "Testmo's API adds nothing to a manual run; its automation runs (A…) take artifacts.",
        "report": "Testmo's API takes no results for manual runs; automation runs (A…) take them by the test's name.",
        "delete": "Testmo's API deletes no runs; delete it on its page.",
    },
)
#: Manual runs where the settings say that they may be closed.
MANUAL_CLOSING = replace(
    MANUAL,
    verbs=MANUAL.verbs | {"close"},
    cannot={verb: why for verb, why in MANUAL.cannot.items() if verb != "close"},
    closing=Closing(
        "close",
        "closed",
        ("It takes no further results.", "Tests without a result stay untested."),
    ),
)
AUTOMATION = Kind(
    "A",
    "automation run",
    "automation runs",
    "completed",
    automated=True,
    verbs=frozenset({"failures", "results", "diff", "threads", "close", "start", "note", "link", "attach", "report"}),
    filters=frozenset(_BOTH | _TAGS | {"source"}),
    cannot={
        "edit": "Testmo takes additions to an automation run, no changes; `note` and `link` add to it.",
        "delete": "Testmo's API deletes no automation runs; delete it on its page.",
    },
    closing=Closing(
        "complete",
        "completed",
        ("All its threads are completed, too.", "It takes no further threads or results."),
    ),
    closing_thread=Closing(
        "complete",
        "completed",
        ("The thread takes no further results.", "The other threads and the run go on."),
    ),
)


# What is on the wire: anything but an id may be missing or null.


class Envelope(msgspec.Struct, Generic[R]):
    """A page of a list. An empty one has neither page nor last page."""

    result: list[R]
    next_page: int | None = None
    last_page: int | None = None
    total: int | None = None
    expands: msgspec.Raw = msgspec.Raw(b"[]")


class Single(msgspec.Struct):
    result: msgspec.Raw
    expands: msgspec.Raw = msgspec.Raw(b"[]")


class Complaint(msgspec.Struct):
    """An error body; `errors` holds lists of texts by parameter, and may be missing."""

    message: str | None = None
    errors: Any = None


class NamedRow(msgspec.Struct):
    """A milestone, source, project, user or case, or one of the objects in `expands`."""

    id: int
    name: str | None = None
    project_id: int | None = None
    email: str | None = None
    display_id: str | None = None
    folder_id: int | None = None


class StatusRow(msgspec.Struct):
    id: int
    name: str | None = None
    system_name: str | None = None
    is_untested: bool | None = None
    is_passed: bool | None = None
    is_failed: bool | None = None


class LinkRow(msgspec.Struct):
    name: str | None = None
    url: str | None = None


class Counters(msgspec.Struct, kw_only=True, gc=False):
    untested_count: int | None = None
    status1_count: int | None = None
    status2_count: int | None = None
    status3_count: int | None = None
    status4_count: int | None = None
    status5_count: int | None = None
    status6_count: int | None = None
    status7_count: int | None = None
    status8_count: int | None = None
    status9_count: int | None = None
    status10_count: int | None = None
    status11_count: int | None = None
    status12_count: int | None = None
    status13_count: int | None = None
    status14_count: int | None = None
    status15_count: int | None = None
    status16_count: int | None = None
    status17_count: int | None = None
    status18_count: int | None = None
    status19_count: int | None = None
    status20_count: int | None = None
    status21_count: int | None = None
    status22_count: int | None = None
    status23_count: int | None = None
    status24_count: int | None = None
    success_count: int | None = None
    failure_count: int | None = None
    total_count: int | None = None


class ThreadRow(Counters, kw_only=True):
    id: int
    index: int | None = None
    name: str | None = None
    status: int | None = None
    elapsed: float | None = None
    is_completed: bool | None = None
    created_at: str | None = None
    completed_at: str | None = None


class RunRow(Counters, kw_only=True):
    """Either kind of run: what one kind does not have is missing."""

    id: int
    project_id: int
    name: str | None = None
    source_id: int | None = None
    state_id: int | None = None
    config_id: int | None = None
    milestone_id: int | None = None
    status: int | None = None
    elapsed: float | None = None
    is_closed: bool | None = None
    is_completed: bool | None = None
    issues: list[int | str] | None = None
    links: list[LinkRow] | None = None
    tags: list[str] | None = None
    threads: list[msgspec.Raw] | None = None
    thread_count: int | None = None
    thread_active_count: int | None = None
    created_at: str | None = None
    created_by: int | None = None
    updated_at: str | None = None
    closed_at: str | None = None
    completed_at: str | None = None


class ResultRow(msgspec.Struct):
    id: int
    project_id: int | None = None
    run_id: int | None = None
    test_id: int | None = None
    case_id: int | None = None
    status_id: int | None = None
    note: str | None = None
    elapsed: float | None = None
    assignee_id: int | None = None
    is_latest: bool | None = None
    issues: list[int | str] | None = None
    created_at: str | None = None
    created_by: int | None = None
    deleted_at: str | None = None


class FieldRow(msgspec.Struct):
    """A field of an automated test; `type` is 1 string, 2 text, 3 HTML, 4 console, 5 address."""

    type: int | None = None
    name: str | None = None
    value: str | None = None


class TestRow(msgspec.Struct):
    """A row of …/tests, which is newer than the vendor's pages: fields as other clients read them."""

    automation_test_id: int | None = None
    id: int | None = None
    automation_case_id: int | None = None
    key: str | None = None
    name: str | None = None
    folder: str | None = None
    status: int | str | None = None
    elapsed: float | None = None
    thread_id: int | None = None
    created_at: str | None = None
    fields: list[FieldRow] | None = None

    @property
    def number(self) -> int | None:
        return self.id if self.automation_test_id is None else self.automation_test_id

    @property
    def same_as(self) -> str:
        """What this test is called in every run of its source."""
        case = "" if self.automation_case_id is None else str(self.automation_case_id)
        return self.key or case or self.name or ("a test" if self.number is None else f"test {self.number}")


# Reading: wire → domain, without asking anything.


@dataclass(frozen=True, slots=True)
class Status:
    outcome: Outcome
    label: str

    @property
    def word(self) -> str:
        """What people call it: the outcome's word, or its own label."""
        return self.label if self.outcome is Outcome.OTHER else self.outcome.value


_SYSTEM_NAMES = {word.value: word for word in Outcome if word not in (Outcome.OTHER, Outcome.RUNNING)}
#: Ids as on the vendor's page on results, for answers that tell no statuses; 7 and above are an instance's own.
STOCK = {
    number: Status(_SYSTEM_NAMES[word], word.capitalize())
    for number, word in enumerate(("untested", "passed", "failed", "retest", "blocked", "skipped"), 1)
}
_VERDICTS = {2: Outcome.PASSED, 3: Outcome.FAILED, 4: Outcome.RUNNING}
NEUTRAL = Status(Outcome.OTHER, "neutral")
_TEST_STATUSES: Mapping[int | str | None, Status] = {
    2: Status(Outcome.PASSED, "passed"),
    3: Status(Outcome.FAILED, "failed"),
    4: Status(Outcome.RUNNING, "running"),
}
#: What people may call the statuses of automated tests.
_TEST_WORDS = {"passed": "2", "success": "2", "failed": "3", "failure": "3", "running": "4"}


@dataclass(slots=True)
class Names:
    """What the numbers in rows stand for, as the `expands` of an answer tell. Equal values are held once."""

    users: dict[int, str] = field(default_factory=dict)
    configs: dict[int, str] = field(default_factory=dict)
    milestones: dict[int, str] = field(default_factory=dict)
    states: dict[int, str] = field(default_factory=dict)
    automation_sources: dict[int, str] = field(default_factory=dict)
    folders: dict[int, str] = field(default_factory=dict)
    issues: dict[int, str] = field(default_factory=dict)
    statuses: dict[int, Status] = field(default_factory=dict)
    tallies: dict[tuple[int | None, ...], Tally] = field(default_factory=dict)
    tags: dict[tuple[str, ...], tuple[str, ...]] = field(default_factory=dict)

    def status(self, number: int) -> Status:
        known = (self.statuses or STOCK).get(number)
        return Status(Outcome.OTHER, f"status {number}") if known is None else known


_GROUPS = ("users", "configs", "milestones", "states", "automation_sources", "folders", "issues")


def _named(names: Mapping[int, str], number: int | None, noun: str) -> str:
    """The name behind a number; `user 17` for somebody who is gone, empty for none."""
    return "" if number is None else names.get(number) or sys.intern(f"{noun} {number}")


def read_elapsed(microseconds: float | None) -> float | None:
    """Seconds; None for what is no duration."""
    return microseconds / 1e6 if microseconds is not None and 0 <= microseconds < 1e15 else None


def read_status(row: StatusRow) -> Status:
    """A status by its flags, then by its system name; an administrator's own neutral one is OTHER."""
    label = sys.intern(row.name or row.system_name or f"status {row.id}")
    if row.is_passed or row.is_failed or row.is_untested:
        return Status(Outcome.PASSED if row.is_passed else Outcome.FAILED if row.is_failed else Outcome.UNTESTED, label)
    return Status(_SYSTEM_NAMES.get((row.system_name or label).casefold(), Outcome.OTHER), label)


_COUNTS = attrgetter(
    "untested_count", *(f"status{n}_count" for n in range(1, 25)), "success_count", "failure_count", "total_count"
)


def read_tally(row: Counters, names: Names) -> Tally:
    """The counts of a run or thread.

    Which counter belongs to which status is inferred, so the sums must agree with what Testmo counts itself;
    otherwise its own totals are taken, and all between passed, failed and untested is `other`.
    """
    told: tuple[int | None, ...] = _COUNTS(row)
    tally = names.tallies.get(told)
    if tally is None:
        if len(names.tallies) >= MOST_ALIKE:
            names.tallies.clear()
        tally = names.tallies[told] = _tally([max(count or 0, 0) for count in told[:25]], told[25:], names)
    return tally


def _tally(counts: list[int], sums: tuple[int | None, ...], names: Names) -> Tally:
    plain_counts = {Outcome.UNTESTED: counts[0]}
    other: dict[str, int] = {}
    for number, count in enumerate(counts[1:], 2):
        if count:
            status = names.status(number)
            if status.outcome is Outcome.OTHER:
                other[status.label] = other.get(status.label, 0) + count
            else:
                plain_counts[status.outcome] = plain_counts.get(status.outcome, 0) + count
    passed, failed = plain_counts.get(Outcome.PASSED, 0), plain_counts.get(Outcome.FAILED, 0)
    counted = (passed, failed, sum(counts))
    agree = all(told is None or told == count for told, count in zip(sums, counted, strict=True))
    if agree and plain_counts[Outcome.UNTESTED] == counts[0]:
        return Tally(**{outcome.value: count for outcome, count in plain_counts.items()}, other=tuple(other.items()))
    success, failure, total = (max(count or 0, 0) for count in sums)
    rest = (total if sums[2] is not None else sum(counts)) - success - failure - counts[0]
    return Tally(passed=success, failed=failure, untested=counts[0], other=(("other", rest),) if rest > 0 else ())


make_run = quick(Run)


def read_run(row: RunRow, names: Names, kind: Kind, *, connection: str, page: str, read_at: datetime) -> Run:
    """A run of that kind. An automation run's status is a verdict only; whether it is over is told apart."""
    automated = kind.automated is True
    finished = (row.is_completed if automated else row.is_closed) is True
    finished_at = read_moment(row.completed_at if automated else row.closed_at)
    updated_at = finished_at if row.updated_at == (row.closed_at or row.completed_at) else read_moment(row.updated_at)
    source = _named(names.automation_sources, row.source_id, "source")
    return make_run(
        ref=RunRef(connection, kind.letter, row.id),
        kind=kind,
        project=row.project_id,
        name=row.name or f"{kind.noun.capitalize()} {row.id}",
        tally=read_tally(row, names),
        finished=finished,
        created_at=read_moment(row.created_at) or updated_at or finished_at or read_at,
        read_at=read_at,
        finished_at=finished_at if finished else None,
        updated_at=updated_at,
        by=_named(names.users, row.created_by, "user"),
        series=source,
        series_id=row.source_id,
        config=_named(names.configs, row.config_id, "config"),
        milestone=_named(names.milestones, row.milestone_id, "milestone"),
        source=source,
        workflow=_named(names.states, row.state_id, "state"),
        refs=_issues(row.issues, names) if row.issues else "",
        tags=_tags(row.tags, names) if row.tags else (),
        links=_links(row.links) if row.links else (),
        elapsed_s=read_elapsed(row.elapsed),
        verdict=_VERDICTS.get(row.status or 0) if automated else None,
        threads_total=row.thread_count or 0,
        threads_active=row.thread_active_count or 0,
        page=page,
    )


_WEB = re.compile(r"https?://", re.IGNORECASE)


def _tags(tags: list[str], names: Names) -> tuple[str, ...]:
    given = tuple(tags)
    if len(names.tags) >= MOST_ALIKE:
        names.tags.clear()
    return names.tags.get(given) or names.tags.setdefault(given, tuple(map(sys.intern, given)))


def _links(rows: Iterable[LinkRow]) -> tuple[tuple[str, str], ...]:
    return tuple((row.name or row.url, row.url) for row in rows if row.url and _WEB.match(row.url))


def _issues(issues: list[int | str] | None, names: Names) -> str:
    return ", ".join(
        issue if isinstance(issue, str) else names.issues.get(issue) or f"issue {issue}" for issue in issues or ()
    )


def read_threads(rows: Sequence[ThreadRow], names: Names, read_at: datetime) -> tuple[Thread, ...]:
    """The threads by index, which counts from 1 here even if a Testmo should count from 0."""
    ordered = sorted(rows, key=lambda row: (row.index if row.index is not None else row.id, row.id))
    shift = 1 if ordered and ordered[0].index == 0 else 0
    return tuple(
        Thread(
            index=place if row.index is None else row.index + shift,
            id=row.id,
            name=row.name or f"Thread {place}",
            tally=read_tally(row, names),
            finished=row.is_completed is True,
            created_at=read_moment(row.created_at) or read_at,
            finished_at=read_moment(row.completed_at) if row.is_completed else None,
            elapsed_s=read_elapsed(row.elapsed),
            verdict=_VERDICTS.get(row.status or 0),
        )
        for place, row in enumerate(ordered, 1)
    )


def read_neutral(tally: Tally) -> Status:
    """What the neutral tests (status 1) of a run are: the one thing beside passed and failed that it counts."""
    left = [part for part in tally.parts() if part[0] not in ("passed", "failed", "running")]
    if len(left) != 1 or left[0][0] == "other":
        return NEUTRAL
    word = left[0][0]
    return Status(_SYSTEM_NAMES.get(word, Outcome.OTHER), word)


def read_automation_tests(
    rows: Iterable[TestRow], threads: Mapping[int, int], url: str, neutral: Status = NEUTRAL, *, reasons: bool = False
) -> tuple[Test, ...]:
    """The tests of an automation run, each once, in the order they ended: the last of several results counts.

    `threads` are indexes by thread id, `url` is the run's page.
    """
    tries: dict[str, list[TestRow]] = {}
    for row in sorted(rows, key=_moment_of):
        tries.setdefault(row.same_as, []).append(row)
    tests = []
    for key, results in tries.items():
        last = results[-1]
        *before, status = [_test_status(each, neutral) for each in results]
        tests.append(
            Test(
                key=key,
                name=last.name or key,
                outcome=status.outcome,
                label=status.label,
                id="" if last.number is None else str(last.number),
                url=url,
                folder=sys.intern(last.folder or ""),
                note=read_reason(last.fields) if reasons else "",
                at=read_moment(last.created_at),
                elapsed_s=read_elapsed(last.elapsed),
                thread=None if last.thread_id is None else threads.get(last.thread_id),
                retried=_retried([each.outcome for each in before], status.outcome),
            )
        )
    return tuple(tests)


def _moment_of(row: TestRow | ResultRow) -> tuple[datetime, int]:
    number = row.number if isinstance(row, TestRow) else row.id
    return read_moment(row.created_at) or LONG_AGO, number or 0


def _test_status(row: TestRow, neutral: Status = NEUTRAL) -> Status:
    if row.status == 1:
        return neutral
    label = "no status" if row.status is None else f"status {row.status}"
    return _TEST_STATUSES.get(row.status) or Status(Outcome.OTHER, label)


def _retried(before: Sequence[Outcome], last: Outcome) -> bool:
    """Whether a test failed before its last result in this run, or fails now and did not."""
    return Outcome.FAILED in before or (last is Outcome.FAILED and Outcome.PASSED in before)


_TELLING = re.compile(r"error|message|exception|failure|reason|stack|trace|output", re.IGNORECASE)


def read_reason(fields: Sequence[FieldRow] | None) -> str:
    """Why an automated test failed: the field that is called so, else its first long text."""
    told = [row for row in fields or () if row.value and row.type != 5]
    telling = next((row for row in told if _TELLING.search(row.name or "")), None)
    best = telling or next((row for row in told if row.type in (2, 3, 4)), None)
    return plain(best.value) if best else ""


#: Names of cases by id, each with the name of its folder; both empty for a case that is gone.
Cases = Mapping[int, tuple[str, str]]


def _case(cases: Cases, row: ResultRow) -> tuple[str, str]:
    """Name and folder; `case 1078` when the name is not known."""
    name, folder = cases.get(row.case_id or 0, ("", ""))
    number = f"result {row.id}" if row.test_id is None else f"test {row.test_id}"
    return name or (number if row.case_id is None else f"case {row.case_id}"), folder


def read_tests(
    rows: Iterable[ResultRow], names: Names, cases: Cases, page: str, *, reasons: bool = False
) -> tuple[Test, ...]:
    """The tests of a manual run that have a result, each once; with `reasons` `rows` hold every result of the run.

    `page` is the address of the run's page.
    """
    tries: dict[int, list[ResultRow]] = {}
    for row in sorted(rows, key=_moment_of):
        if row.status_id is not None:
            tries.setdefault(row.id if row.test_id is None else row.test_id, []).append(row)
    tests = []
    for number, results in tries.items():
        last = results[-1]
        *before, status = [names.status(each.status_id or 0) for each in results]
        name, folder = _case(cases, last)
        tests.append(
            Test(
                key=f"test {number}" if last.case_id is None else str(last.case_id),
                name=name,
                outcome=status.outcome,
                label=status.label,
                id=str(number),
                url=f"{page}?test_id={number}",
                folder=folder,
                assignee=_named(names.users, last.assignee_id, "user"),
                assignee_id="" if last.assignee_id is None else str(last.assignee_id),
                note=plain(last.note) if reasons else "",
                defects=_issues(last.issues, names) if reasons else "",
                at=read_moment(last.created_at),
                elapsed_s=read_elapsed(last.elapsed),
                retried=reasons and _retried([each.outcome for each in before], status.outcome),
            )
        )
    return tuple(tests)


def read_result(row: ResultRow, names: Names, cases: Cases, page: str, read_at: datetime) -> Result:
    """One result of a manual run; without a status it is a bare comment."""
    status = None if row.status_id is None else names.status(row.status_id)
    return Result(
        test=_case(cases, row)[0],
        outcome=status.outcome if status else None,
        at=read_moment(row.created_at) or read_at,
        label=status.label if status else "",
        by=_named(names.users, row.created_by, "user"),
        assignee=_named(names.users, row.assignee_id, "user"),
        note=plain(row.note),
        defects=_issues(row.issues, names),
        url=page if row.test_id is None else f"{page}?test_id={row.test_id}",
        elapsed_s=read_elapsed(row.elapsed),
    )


def read_automation_result(row: TestRow, url: str, read_at: datetime, neutral: Status = NEUTRAL) -> Result:
    """One result of an automated test."""
    status = _test_status(row, neutral)
    return Result(
        test=row.name or row.same_as,
        outcome=status.outcome,
        at=read_moment(row.created_at) or read_at,
        label=status.label,
        note=read_reason(row.fields),
        url=url,
        elapsed_s=read_elapsed(row.elapsed),
    )


def complaint(body: bytes) -> str:
    """Testmo's own words in an error body: its message, and what is wrong with each parameter."""
    told = msgspec.json.decode(body, type=Complaint)
    by_parameter = told.errors.values() if isinstance(told.errors, dict) else [told.errors]
    texts = [text for texts in by_parameter for text in (texts if isinstance(texts, list) else [texts])]
    return " ".join(dict.fromkeys(text for text in (told.message, *texts) if text and isinstance(text, str)))


# Asking: what people want → parameters and what is sorted out here.

_PATHS = {"R": "/runs", "A": "/automation/runs"}
_EXPANDS = {
    "R": "configs,issues,milestones,states,statuses,users",
    "A": "automation_sources,configs,milestones,statuses,users",
}
_LINK = re.compile(r"/(automation/)?runs/view/([1-9][0-9]{0,14})(?![^/])")
_BACK = f"runs older than the latest {PAGES_BACK * 100:,}"


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _moments(**moments: datetime | None) -> dict[str, str]:
    return {name: _stamp(at) for name, at in moments.items() if at is not None}


def _page_size(at_most: int | None) -> int:
    """The smallest page Testmo knows that holds so many rows."""
    return next((size for size in (15, 25, 50) if at_most is not None and at_most <= size), 100)


def _params(letter: str, query: RunQuery) -> tuple[dict[str, str], RunQuery]:
    """What Testmo sorts out itself and needs no looking up, and the query without that."""
    until, left = query.until, replace(query, since=None, until=None)
    params: dict[str, str] = {}
    if letter == "R":
        params |= {} if query.state == "all" else {"is_closed": "1" if query.state == "closed" else "0"}
        params |= _moments(closed_after=query.closed_since, closed_before=query.closed_until)
        left = replace(left, state="all", closed_since=None, closed_until=None)
    elif query.closed_until:  # whatever is completed by then was created before
        until = min(filter(None, (until, query.closed_until)))
    params |= _moments(created_after=query.since, created_before=until)
    if query.tag and not any("," in tag for tag in query.tag):  # there are commas between those that are asked for
        params["tags"] = ",".join(query.tag)
        left = replace(left, tag=())
    return params, left


def status_names(statuses: Mapping[int, Status], letter: str) -> dict[str, str]:
    """What people may call the statuses of this Testmo, with the word for each: its label, its number."""
    words = {number: status.word for number, status in statuses.items()}
    words |= {number: verdict.value for number, verdict in _VERDICTS.items()} if letter == "A" else {}
    return {status.label: status.word for status in statuses.values()} | {
        str(number): word for number, word in words.items()
    }


def _names_test(wanted: Sequence[str], numbers: Sequence[int | None], name: str) -> bool:
    folded = name.casefold()
    return not wanted or any(
        int(word) in numbers if read_digits(word) is not None else word.casefold() in folded for word in wanted
    )


def _cannot_filter(query: ResultQuery, *names: str) -> None:
    for name in names:
        if getattr(query, name):
            raise CannotError(
                f"Results of this run can't be chosen by {name}.",
                why="Testmo does not keep that for them.",
                fix="Leave that flag out; status, time and the test's name work.",
            )


# Changing: what can be told of a change without asking anything.

#: What is offered for a change → where Testmo lists it.
_LISTS = {"source": "automation/sources", "milestone": "milestones"}


class NoMethod(RejectedFault):
    """405: the server has this thing but not this call."""


def _judging_methods(otherwise: Judge) -> Judge:
    def judge(status: int, body: bytes) -> RundownError | None:
        if status == 405:
            fix = "Look whether this Testmo is an old one; what it lacks can be done on its pages."
            return NoMethod(LABEL, "Testmo does not know this call.", why="It is newer than this Testmo.", fix=fix)
        return otherwise(status, body)

    return judge


def _verbs_of(change: Change) -> tuple[str, ...]:
    """The verbs a kind must have for this change; an addition may be several at a time."""
    if isinstance(change, Append):
        parts = {"note": change.note, "link": change.links, "attach": change.artifacts}
        return tuple(verb for verb, part in parts.items() if part) or ("note",)
    return (type(change).__name__.lower(),)


def _no_such_change(kind: Kind, verb: str, ref: RunRef | None) -> CannotError:
    return CannotError(
        f"Testmo has no {verb} for {'an' if kind.automated else 'a manual'} {kind.noun}.",
        why=kind.cannot[verb],
        fix="`list` shows the runs there are." if ref is None else f"`show {ref.short}` leads to its page.",
        closest=() if ref is None else (f"show {replace(ref, thread=None)}",),
    )


def _thread_meant(ref: RunRef, threads: Sequence[Thread]) -> Thread:
    thread = next((each for each in threads if each.index == ref.thread), None)
    if thread is not None:
        return thread
    nearest = sorted((each.index for each in threads), key=lambda index: abs(index - (ref.thread or 0)))[:3]
    raise NotFoundError(
        f"No thread {ref.short} in Testmo.",
        why=f"A{ref.id} has {len(threads)} {'thread' if len(threads) == 1 else 'threads'}.",
        fix=f"`threads A{ref.id}` shows them.",
        closest=tuple(replace(ref, thread=index).short for index in nearest),
        instead_of=ref.short,
    )


def _cannot_close(ref: RunRef) -> CannotError:
    return CannotError(
        f"This Testmo can't close {ref.short} for us.",
        why="Its API does not know that call.",
        fix="Close it on its page.",
    )


def _meant(noun: str, named: Named, names: Mapping[int, str]) -> Named | None:
    """The one thing with this number or name; None when nothing is named."""
    if named.id is not None:
        return Named(names.get(named.id, "") or named.name, named.id)
    if not named.name.strip():
        return None
    numbers = look_up(LABEL, noun, [named.name], names)
    if len(numbers) > 1:
        told = ", ".join(map(str, numbers[:8]))
        why = f"They have the numbers {told}."
        raise AskError(f"Testmo has several {noun}s “{named.name[:80]}”.", why=why, fix="Give its number.")
    return Named(names.get(numbers[0], "") or named.name.strip(), numbers[0])


def _half_done(fault: SystemFault, what_is_there: str) -> SystemFault:
    """The fault with a sentence on what is there by now; something has been made, so it counts as sent."""
    whole = type(fault)(
        fault.system, fault.what, why=f"{fault.why} {what_is_there}".strip(), fix=fault.fix, retry_at=fault.retry_at
    )
    whole.sent = True
    whole.answered = fault.answered
    whole.left = what_is_there
    return whole


# Asking: the account.


class Testmo:
    """One Testmo account; see `bot.usecases.ports.Connection` for the calls."""

    system = LABEL

    def __init__(self, account: Account) -> None:
        self.name = account.name
        self.project = account.number("project")
        manual = MANUAL_CLOSING if account.options.get("close_manual_runs") is True else MANUAL
        self.kinds: Mapping[str, Kind] = {kind.letter: kind for kind in (manual, AUTOMATION)}
        self._root = account.text("url").strip().rstrip("/").removesuffix("/api/v1")
        self._pages = {letter: f"{as_page(self._root)}{path}/view/{{id}}" for letter, path in _PATHS.items()}
        self._now = account.now
        self._pace = account.pace
        self._kept = Kept(account.now)
        token = account.text("token")
        self._wire = Wire(
            LABEL,
            f"{self._root}/api/v1",
            headers={"Authorization": f"Bearer {token}"},
            secrets=(token,),
            pace=account.pace,
            now=account.now,
            judge=_judging_methods(judging(LABEL, complaint, (token,))),
            complaint=complaint,
            pause_s=60.0,
        )

    def read_link(self, url: str) -> RunRef | None:
        """Addresses of run pages, with anything behind the number; only of this very Testmo."""
        rest = below(self._root, url)
        found = _LINK.match(rest.path) if rest else None
        return found and RunRef(self.name, "A" if found[1] else "R", int(found[2]))

    async def projects(self) -> tuple[Project, ...]:
        rows = await self._table("/projects")
        return tuple(Project(row.id, row.name or f"Project {row.id}") for row in rows.items)

    async def run(self, ref: RunRef) -> Run:
        row, names = await self._row(ref)
        return self._reader(ref.letter)(row, names, self._now())

    async def runs(self, letter: str, query: RunQuery) -> Listing[Run]:
        project = project_meant(LABEL, query.project, self.project)
        self._kind(letter)
        params, keep = await self._wanted(letter, project, query)
        size = 100 if keep else _page_size(query.at_most)
        return await self._runs(letter, project, params, keep, query.at_most, size=size)

    async def scan(self, letter: str, query: RunQuery, see: Callable[[Run], None]) -> Listing[Run]:
        project = project_meant(LABEL, query.project, self.project)
        self._kind(letter)
        params, keep = await self._wanted(letter, project, query)

        def shown(run: Run) -> bool:
            if keep is None or keep(run):
                see(run)
            return False

        return replace(await self._runs(letter, project, params, shown, None, reach=LOOKED_AT), total=None)

    async def earlier(self, run: Run, limit: int) -> Listing[Run]:
        """Of manual runs, those whose names fold to the same are picked out of the closed ones before."""
        if limit < 1:
            return Listing((), self._now())
        params, stream = _moments(created_before=run.created_at), stream_of(run)
        if run.ref.letter == "R":
            params["is_closed"] = "1"
        elif run.series_id is not None:
            params["source_id"] = str(run.series_id)

        def fits(each: Run) -> bool:
            return each.finished and each.ref != run.ref and stream_of(each) == stream

        size = 100 if run.ref.letter == "R" else _page_size(2 * limit)
        pages = PAGES_BACK * 100 // size
        found = await self._runs(run.ref.letter, run.project, params, fits, limit, size=size, most_pages=pages)
        enough = len(found.items) >= limit
        return replace(found, missing=tuple(word for word in found.missing if not (enough and word == _BACK)))

    async def parts(self, run: Run) -> Listing[Run]:
        return Listing((), run.read_at)

    async def tests(self, ref: RunRef, *, reasons: bool = False) -> Listing[Test]:
        if not self._kind(ref.letter).automated:
            found, names = await self._result_rows(ref, {} if reasons else {"get_latest_result": "1"})
            cases, unnamed = await self._case_names(found.items)
            tests = read_tests(found.items, names, cases, self._page(ref), reasons=reasons)
            return _whole(tests, found, unnamed)
        tally, _, threads, rows = await self._automation_rows(ref)
        indexes = {thread.id: thread.index for thread in threads}
        neutral = read_neutral(tally)
        return _whole(read_automation_tests(rows.items, indexes, self._page(ref), neutral, reasons=reasons), rows)

    async def history(self, runs: Sequence[Run]) -> tuple[Listing[Test], ...]:
        """One call for each run (and each further page). A run that can't be read is empty and says so."""
        read = await at_once(map(self._past_rows, runs))
        good = [(run, part) for run, part in zip(runs, read, strict=True) if not isinstance(part, RundownError)]
        rows = [row for _, (found, _) in good for row in found.items]
        cases, unnamed = await self._case_names(rows, past=True)
        past: dict[RunRef, Listing[Test]] = {}
        for run, (found, names) in good:
            if run.ref.letter == "R":
                past[run.ref] = _whole(read_tests(found.items, names, cases, run.url), found, unnamed)
            else:
                tests = read_automation_tests(found.items, {}, run.url, read_neutral(run.tally))
                past[run.ref] = _whole(tests, found)
        lost = self._now()
        return tuple(past.get(run.ref) or Listing((), lost, None, (f"the tests of {run.ref.short}",)) for run in runs)

    async def results(self, ref: RunRef, query: ResultQuery) -> Listing[Result]:
        kind = self._kind(ref.letter)
        if query.automated is not None and query.automated != kind.automated:
            return Listing((), self._now(), 0)
        listing = await (self._automation_results(ref, query) if kind.automated else self._manual_results(ref, query))
        return listing if query.at_most is None else replace(listing, items=listing.items[: query.at_most])

    async def threads(self, ref: RunRef) -> tuple[Thread, ...]:
        return self._read_threads(*await self._row(ref)) if self._kind(ref.letter).automated else ()

    async def find_person(self, who: Who) -> Person | None:
        return person_meant(who, await self._people(self.project))

    async def prepare(self, change: Change) -> Change:
        """Manual runs are closed by a call that not every Testmo has, so it is asked first whether this one does."""
        self._must_take(change)
        match change:
            case Close(ref) if ref.letter == "R":
                allowed = await self._wire.allowed(f"/runs/{ref.id}")
                if allowed is not None and "PATCH" not in allowed:
                    raise _cannot_close(ref)
            case Close(ref) if ref.thread is not None:
                await self._thread_number(ref)
            case Start():
                return await self._named_start(writing.checked_start(change))
            case Append():
                change = writing.checked_append(change)
                await self._thread_number(change.ref)
                return change
            case Report():
                return await self._named_report(writing.checked_report(change))
        return change

    async def carry_out(self, change: Change, files: Mapping[str, bytes]) -> RunRef | None:  # noqa: ARG002
        """One call that changes something, but three for a report: its thread, its results, the thread's end.

        There are never `files`: what Testmo takes are addresses of them.
        """
        self._must_take(change)
        match change:
            case Close(ref) if ref.letter == "R":
                await self._close_manual(ref)
            case Close(ref):
                thread = await self._thread_number(ref)
                await self._send(writing.complete_run(ref.id) if thread is None else writing.complete_thread(thread))
            case Start():
                made = await self._send_for_number(writing.create_run(change))
                self._kept.put(("automation/sources", change.project), {}, keep=timedelta())  # it may be a new one
                return RunRef(self.name, "A", made)
            case Append(ref=ref):
                await self._send(writing.append_to_run(change, await self._thread_number(ref)))
            case Report():
                await self._report(change)
        return None

    async def was_done(self, change: Change, since: datetime) -> RunRef | bool | None:
        if isinstance(change, Start):
            return await self._started(change, since - CLOCKS_APART)
        try:
            return await self._shows(change)
        except NotFoundError:  # the run, or its thread, is gone by now
            return None

    async def loss(self, ref: RunRef) -> Loss:
        raise _no_such_change(self._kind(ref.letter), "delete", ref)

    async def offers(self, what: str, project: int) -> tuple[Named, ...]:
        """Configurations are those that runs have: Testmo lists them nowhere else."""
        if what == "person":
            return tuple(Named(person.name, int(person.id)) for person in await self._people(project))
        if what == "config":
            names = await self._configs(project, 1)
        elif what in _LISTS:
            names = await self._listed(project, _LISTS[what])
        else:
            return ()
        return tuple(Named(name, number) for number, name in names.items() if name)

    def forget(self, ref: RunRef) -> None:
        """Nothing of a run is remembered here."""

    async def close(self) -> None:
        await self._wire.close()

    # Changes.

    def _must_take(self, change: Change) -> None:
        """Raise CannotError for what is not done to runs of this kind."""
        ref = None if isinstance(change, Start) else change.ref
        kind = self._kind(change.letter if isinstance(change, Start) else change.ref.letter)
        for verb in (*_verbs_of(change), *(("threads",) if ref and ref.thread is not None else ())):
            if verb not in kind.verbs:
                raise _no_such_change(kind, verb, ref)

    async def _send(self, request: writing.Request) -> bytes:
        return await self._wire.call(request.method, request.path, request.body)

    async def _send_for_number(self, request: writing.Request) -> int:
        """What is made by it. Unreadable or not: by then it is made."""
        return self._wire.decode(await self._send(request), NamedRow).id

    async def _thread_number(self, ref: RunRef) -> int | None:
        """Testmo's own number of the thread that people know by its index; None when the whole run is meant."""
        return None if ref.thread is None else _thread_meant(ref, self._read_threads(*await self._row(ref))).id

    async def _close_manual(self, ref: RunRef) -> None:
        try:
            await self._send(writing.close_run(ref.id))
        except Gone:
            await self._row(ref)  # else it is the run that is not there
            raise _cannot_close(ref) from None
        except NoMethod:
            raise _cannot_close(ref) from None

    async def _named_start(self, change: Start) -> Start:
        """With the numbers of its milestone and configuration, and a source that is there spelled as it is there."""
        milestone, config = change.milestone, change.config
        if milestone is not None:
            names = await self._listed(change.project, "milestones")
            milestone = _meant("milestone", milestone, names)
        if config is not None:
            names = await self._configs(change.project, 1)
            if config.id is None and config.name.strip().casefold() not in {name.casefold() for name in names.values()}:
                names = await self._configs(change.project, PAGES_BACK)
            config = _meant("configuration", config, names)
        try:
            sources = await self._listed(change.project, "automation/sources")
        except (Forbidden, Gone):
            sources = {}
        known = {name.casefold(): name for name in sources.values()}
        source = change.source if change.source in known.values() else known.get(change.source.casefold())
        return replace(change, milestone=milestone, config=config, source=source or change.source)

    async def _configs(self, project: int, pages: int) -> Mapping[int, str]:
        """The configurations that runs of either kind have: both kinds choose from the same ones."""
        automated, manual = await both(self._seen("A", project, pages), self._seen("R", project, pages))
        return manual.configs | automated.configs

    async def _named_report(self, change: Report) -> Report:
        (row, _), known = await both(self._row(change.ref), self._places(change.ref.id))
        if row.is_completed:
            raise CannotError(
                f"{change.ref.short} is completed.",
                why="Testmo takes no results for an automation run that is completed.",
                fix="Report to a run that is still open, or `start` a new one.",
            )
        places = [writing.place_of(test, change.folder, known, change.ref.short) for test in change.tests]
        tests = tuple(replace(test, name=place.name) for test, place in zip(change.tests, places, strict=True))
        return replace(change, tests=tests)

    async def _places(self, run_id: int) -> list[writing.Place]:
        """Where the results of a run belong, the newest first; none where this Testmo does not name its tests."""
        rows = None if self._kept.is_fresh("unnamed") else await self._test_rows(run_id)
        return [
            writing.Place(
                row.key
                if row.key and writing.is_key(row.key)
                else writing.made_key(row.folder or writing.FOLDER, row.name),
                row.name,
                row.folder or "",
                row.number,
            )
            for row in (rows.items if rows else ())
            if row.name
        ]

    async def _report(self, change: Report) -> None:
        """Once there is a thread, whatever fails is told with what is there now, and as done perhaps."""
        known = await self._places(change.ref.id)
        places = [writing.place_of(test, change.folder, known, change.ref.short) for test in change.tests]
        thread = await self._send_for_number(writing.create_thread(change))
        run = change.ref.short
        try:
            await self._send(writing.append_tests(change, thread, places))
        except SystemFault as fault:
            ended = "completed" if await self._end(thread) else "still open"
            in_it = "whether the results are in it is not known" if fault.sent else "nothing is in it"
            raise _half_done(fault, f"A new thread is in {run}, {ended}; {in_it}.") from None
        try:
            await self._send(writing.complete_thread(thread))
        except SystemFault as fault:
            ended = "may still be open" if fault.sent else "is still open"
            raise _half_done(fault, f"The results are in {run}; their thread {ended}.") from None

    async def _end(self, thread: int) -> bool:
        """Whether the thread could be completed. This has its own time: whoever waits for the report has none left."""
        last = PATIENCE.set(Patience(self._pace.now() + LAST_CALL_S))
        try:
            await self._send(writing.complete_thread(thread))
        except RundownError as error:
            log.warning("a thread of a report could not be completed: %s", error.what)
            return False
        finally:
            PATIENCE.reset(last)
        return True

    async def _started(self, change: Start, since: datetime) -> RunRef | bool | None:
        """The newest run of this name and source since then."""

        def fits(run: Run) -> bool:
            untold = run.source in ("", f"source {run.series_id}")
            of_source = untold or run.source.casefold() == change.source.casefold()
            return of_source and run.name == change.name and run.created_at >= since

        found = await self._runs("A", change.project, _moments(created_after=since), fits, 1)
        if found.items:
            return found.items[0].ref
        return None if found.missing else False

    async def _shows(self, change: Close | Edit | Append | Report | Delete) -> bool | None:
        ref = change.ref
        if isinstance(change, Close):
            row, names = await self._row(ref)
            if ref.thread is not None:
                return _thread_meant(ref, self._read_threads(row, names)).finished
            return row.is_completed if self._kind(ref.letter).automated else row.is_closed
        kept = self._wire.decode(bytes((await self._single(ref)).result), writing.KeptRun)
        if isinstance(change, Append):
            return writing.shows_append(kept, change, await self._thread_number(ref))
        return writing.shows_report(kept, change) if isinstance(change, Report) else None

    # Runs.

    def _kind(self, letter: str) -> Kind:
        kind = self.kinds.get(letter)
        if kind is None:
            raise NotFoundError(
                f"Testmo has no {letter} runs.",
                why="Its runs are R (manual) and A (automation).",
                fix="Type one of these letters before the number, for example A412.",
            )
        return kind

    def _page(self, ref: RunRef) -> str:
        return self._pages[ref.letter].format(id=ref.id)

    def _reader(self, letter: str) -> Callable[[RunRow, Names, datetime], Run]:
        kind, page = self.kinds[letter], self._pages[letter]
        return lambda row, names, read_at: read_run(row, names, kind, connection=self.name, page=page, read_at=read_at)

    async def _row(self, ref: RunRef) -> tuple[RunRow, Names]:
        """A run as Testmo tells it. Raises NotFoundError, or UnreadableFault when the answer is of another run."""
        told = await self._single(ref)
        row = self._wire.decode(bytes(told.result), RunRow)
        if row.id != ref.id:
            raise UnreadableFault(
                LABEL,
                f"Testmo answered with another run than {ref.letter}{ref.id}.",
                why="Its answer holds another number than was asked for.",
                fix="Try again in a minute.",
            )
        return row, self._learn(told.expands, Names())

    async def _single(self, ref: RunRef) -> Single:
        self._kind(ref.letter)
        expands = urlencode({"expands": _EXPANDS[ref.letter]})
        try:
            return await self._wire.get(f"{_PATHS[ref.letter]}/{ref.id}?{expands}", Single)
        except Gone:
            raise NotFoundError(
                f"No run {ref.letter}{ref.id} in Testmo.",
                why="It was deleted, or our key can't see its project.",
                fix="Look at the number; `list` shows the runs there are.",
            ) from None

    async def _runs(
        self,
        letter: str,
        project: int,
        params: Mapping[str, str],
        keep: Keep | None,
        at_most: int | None,
        **how: Any,
    ) -> Listing[Run]:
        sort = "runs:created_at" if letter == "R" else "automation_runs:created_at"
        found, _ = await self._list(
            f"/projects/{project}{_PATHS[letter]}",
            {**params, "sort": sort, "order": "desc", "expands": _EXPANDS[letter]},
            RunRow,
            self._reader(letter),
            key=lambda run: run.ref.id,
            keep=keep and (lambda run: run.project != project or keep(run)),
            at_most=at_most,
            **how,
        )
        return without(found, lambda run: run.project != project, "of another project")

    async def _wanted(self, letter: str, project: int, query: RunQuery) -> tuple[dict[str, str], Keep | None]:
        """What is asked of Testmo, and what is sorted out here. Raises NotFoundError for names it does not have."""
        params, left = _params(letter, query)
        if query.by:
            params["created_by"] = _commas(await self._person_numbers(query.by, project))
        for name, given, noun, names in (
            ("milestone_id", query.milestone, "milestone", partial(self._listed, project, "milestones")),
            ("source_id", query.source, "source", partial(self._listed, project, "automation/sources")),
            ("config_id", query.config, "configuration", partial(self._met, letter, project, "configs", query.config)),
            (
                "state_id",
                query.workflow,
                "workflow state",
                partial(self._met, letter, project, "states", query.workflow),
            ),
        ):
            if given:
                params[name] = _commas(look_up(LABEL, noun, given, await names()))
        statuses = await self._status_words(letter, project, query.status)
        ended = query.state == "closed" or query.closed_since or query.closed_until
        if letter == "A" and statuses == {"failed"} and ended:  # Testmo calls nothing failed that still runs
            params["status"] = "3"
        return params, keeping(left, statuses)

    async def _status_words(self, letter: str, project: int, typed: Sequence[str]) -> frozenset[str]:
        if all(map(is_common, typed)):
            return status_words(LABEL, typed, {})
        statuses = (await self._seen(letter, project, 1)).statuses or STOCK
        return status_words(LABEL, typed, status_names(statuses, letter))

    # Tests and results.

    async def _result_rows(
        self,
        ref: RunRef,
        params: Mapping[str, str],
        keep: Callable[[ResultRow], bool] = lambda _row: True,
        at_most: int | None = None,
    ) -> tuple[Listing[ResultRow], Names]:
        """Results of a manual run, newest first unless asked otherwise; deleted ones are left out."""
        asked = {"sort": "run_results:created_at", "order": "desc", "expands": "issues,statuses,users"}
        asked |= {"get_latest_result": "0", **params}
        try:
            found, names = await self._list(
                f"/runs/{ref.id}/results",
                asked,
                ResultRow,
                _as_it_is,
                key=_id,
                keep=lambda row: row.deleted_at is None and keep(row),
                at_most=at_most,
            )
        except (Gone, Forbidden):
            await self._row(ref)  # the vendor's page on results knows no 404: an unknown run may be refused instead
            raise
        return without(found, lambda row: row.run_id not in (None, ref.id), "of another run"), names

    async def _manual_results(self, ref: RunRef, query: ResultQuery) -> Listing[Result]:
        _cannot_filter(query, "instance")
        params = _moments(created_after=query.since, created_before=query.until)
        if query.latest:
            params["get_latest_result"] = "1"
        if query.oldest_first:
            params["order"] = "asc"
        if query.by:
            params["created_by"] = _commas(await self._person_numbers(query.by, self.project))
        if query.owner or query.unassigned:
            owners = await self._person_numbers(query.owner, self.project)
            params["assignee_id"] = _commas([*([0] if query.unassigned else ()), *owners])
        if query.status:
            params["status_id"] = await self._status_numbers(ref, query.status)
        here = bool(query.test or query.defects)
        found, names = await self._result_rows(
            ref,
            params,
            lambda row: not query.latest or row.is_latest is not False,
            None if here else query.at_most,
        )
        cases, unnamed = await self._case_names(found.items)
        read = [(row, read_result(row, names, cases, self._page(ref), found.read_at)) for row in found.items]
        results = tuple(
            result
            for row, result in read
            if _names_test(query.test, (row.test_id, row.case_id), result.test)
            and query.defects.casefold() in result.defects.casefold()
        )
        return Listing(results, found.read_at, len(results) if here else found.total, found.missing + unnamed)

    async def _status_numbers(self, ref: RunRef, words: Sequence[str]) -> str:
        async def ask() -> Mapping[int, Status]:
            return (await self._row(ref))[1].statuses or STOCK

        if all(read_digits(word) is not None for word in words):
            return ",".join(dict.fromkeys(words))
        statuses = await self._kept.get("statuses", ask)
        numbers: list[int] = []
        for word in words:
            number, folded = read_digits(word), word.strip().casefold()
            fits = [n for n, one in statuses.items() if folded in (one.word.casefold(), one.label.casefold())]
            if number is None and not fits:
                raise none_such(LABEL, "status", word, [one.word for one in statuses.values()])
            numbers += fits if number is None else [number]
        return _commas(numbers)

    async def _automation_results(self, ref: RunRef, query: ResultQuery) -> Listing[Result]:
        _cannot_filter(query, "by", "owner", "unassigned", "defects", "instance")
        tally, names, _, rows = await self._automation_rows(ref)
        neutral = read_neutral(tally)
        own = {*_TEST_WORDS, *_SYSTEM_NAMES, "neutral", *(one.label.casefold() for one in names.statuses.values())}
        wanted = {_TEST_WORDS.get(word.casefold(), word.casefold()) for word in query.status}
        for word in query.status:
            if read_digits(word) is None and word.casefold() not in own:
                raise none_such(LABEL, "status", word, sorted(own))
        found = sorted(rows.items, key=_moment_of, reverse=True)
        if query.latest:
            found = first_of_each(found, lambda row: row.same_as)
        results = tuple(
            read_automation_result(row, self._page(ref), rows.read_at, neutral)
            for row in (reversed(found) if query.oldest_first else found)
            if (not wanted or {str(row.status), _test_status(row, neutral).label.casefold()} & wanted)
            and (not (query.since or query.until) or within(read_moment(row.created_at), query.since, query.until))
            and _names_test(query.test, (row.number, row.automation_case_id), row.name or row.same_as)
        )
        return Listing(results, rows.read_at, None if rows.missing else len(results), rows.missing)

    async def _automation_rows(self, ref: RunRef) -> tuple[Tally, Names, tuple[Thread, ...], Listing[TestRow]]:
        """A run's counts, names and threads, and the results of its tests (of one thread when `ref` names it)."""
        unnamed: Listing[TestRow] = Listing((), self._now(), None, (UNNAMED,))
        if ref.thread is None and not self._kept.is_fresh("unnamed"):
            (row, names), rows = await both(self._row(ref), self._test_rows(ref.id))
        else:
            (row, names), rows = await self._row(ref), None
        threads = self._read_threads(row, names)
        if ref.thread is not None:
            thread = _thread_meant(ref, threads)
            rows = None if self._kept.is_fresh("unnamed") else await self._test_rows(ref.id, thread.id)
        if rows is None and not self._kept.is_fresh("unnamed"):
            self._kept.put("unnamed", None)
        return read_tally(row, names), names, threads, rows or unnamed

    async def _test_rows(self, run_id: int, thread_id: int | None = None) -> Listing[TestRow] | None:
        """Results of automated tests, newest first; None where this Testmo has no such list (or no such run)."""
        params = {"sort": "automation_run_tests:created_at", "order": "desc"}
        if thread_id is not None:
            params["thread_id"] = str(thread_id)
        keep = None if thread_id is None else (lambda row: row.thread_id in (None, thread_id))
        ask = partial(
            self._list, f"/automation/runs/{run_id}/tests", params, TestRow, _as_it_is, key=_test_id, keep=keep
        )
        try:
            return (await ask(size=1000))[0]
        except TooLargeFault:  # a thousand rows, each with a long error text
            return (await ask(size=100))[0]
        except Gone:
            return None

    def _read_threads(self, row: RunRow, names: Names) -> tuple[Thread, ...]:
        return read_threads(self._wire.rows(row.threads or [], ThreadRow)[0], names, self._now())

    async def _past_rows(self, run: Run) -> tuple[Listing[Any], Names]:
        if run.ref.letter == "R":
            return await self._result_rows(run.ref, {"get_latest_result": "1"})
        rows = None if self._kept.is_fresh("unnamed") else await self._test_rows(run.ref.id)
        return rows or Listing((), self._now(), None, (UNNAMED,)), Names()

    async def _case_names(
        self, rows: Iterable[ResultRow | TestRow], *, past: bool = False
    ) -> tuple[Cases, tuple[str, ...]]:
        """Names of the cases of these results, and a word when they can't be read.

        That our key may not read them is said of the run that was asked for, not of `past` ones: it will not change.
        """
        wanted: dict[int, set[int]] = {}
        for row in rows:
            if isinstance(row, ResultRow) and row.case_id is not None and row.project_id is not None:
                wanted.setdefault(row.project_id, set()).add(row.case_id)
        found: dict[int, tuple[str, str]] = {}
        missing: tuple[str, ...] = ()
        for project, numbers in wanted.items():
            known = await self._kept.get(("cases", project), _no_cases)
            forbidden = ("no cases", project)
            if not numbers <= known.keys() and not self._kept.is_fresh(forbidden):
                try:
                    await self._read_cases(project, numbers - known.keys(), known)
                except Forbidden:
                    self._kept.put(forbidden, True)
                except SystemFault as error:
                    log.info("names of cases could not be read: %s", error.what)
            if not numbers <= known.keys() and not (past and self._kept.is_fresh(forbidden)):
                missing = ("the names of the cases" if numbers.isdisjoint(known) else "the names of some cases",)
            found.update(known)
        return found, missing

    async def _read_cases(self, project: int, wanted: set[int], known: dict[int, tuple[str, str]]) -> None:
        """Read cases until all are found: Testmo can't be asked for a case by its number."""

        def take(row: NamedRow, names: Names, _read_at: datetime) -> NamedRow:
            if row.project_id in (None, project) and (row.id in wanted or len(known) < MOST_CASES):
                known[row.id] = (row.name or "", names.folders.get(row.folder_id or 0, ""))
            return row

        found, _ = await self._list(
            f"/projects/{project}/cases",
            {},
            NamedRow,
            take,
            key=_id,
            keep=lambda row: row.id in wanted,
            at_most=len(wanted),
        )
        if not found.missing:
            known.update(dict.fromkeys(wanted - known.keys(), ("", "")))

    # People and names.

    async def _people(self, project: int | None) -> Sequence[Person]:
        """Everybody, with email addresses, for administrators' keys; else the project's members; else nobody."""

        async def ask() -> Sequence[Person]:
            for path in ("/users", *(() if project is None else (f"/projects/{project}/users",))):
                try:
                    rows = await self._table(path)
                except (Forbidden, Gone):
                    continue
                return [Person(str(row.id), row.name or f"user {row.id}", row.email or "") for row in rows.items]
            return ()

        return await self._kept.get(("people", project), ask)

    async def _person_numbers(self, people: Sequence[Who], project: int | None) -> Sequence[int]:
        known = () if all(read_digits(who.text) is not None for who in people) else await self._people(project)
        return look_up_people(LABEL, people, known)

    async def _listed(self, project: int, path: str) -> Mapping[int, str]:
        async def ask() -> Mapping[int, str]:
            rows = await self._table(f"/projects/{project}/{path}")
            return {row.id: row.name or "" for row in rows.items if row.project_id in (None, project)}

        return await self._kept.get((path, project), ask)

    async def _met(self, letter: str, project: int, group: str, wanted: Sequence[str]) -> Mapping[int, str]:
        """Names that runs have, of the latest ones; further back if one that is wanted is not among these."""
        names: Mapping[int, str] = {}
        unknown = {word.strip().casefold() for word in wanted if read_digits(word) is None}
        for pages in (1, PAGES_BACK) if unknown else ():
            names = getattr(await self._seen(letter, project, pages), group)
            if unknown <= {name.casefold() for name in names.values()}:
                break
        return names

    async def _seen(self, letter: str, project: int, pages: int) -> Names:
        """The configurations, states and statuses of the latest runs: Testmo lists them nowhere else."""

        async def ask() -> Names:
            path, expands = f"/projects/{project}{_PATHS[letter]}", {"expands": _EXPANDS[letter]}
            return (await self._list(path, expands, NamedRow, _as_it_is, key=_id, most_pages=pages))[1]

        return await self._kept.get(("seen", letter, project, pages), ask)

    async def _table(self, path: str) -> Listing[NamedRow]:
        return (await self._list(path, {}, NamedRow, _as_it_is, key=_id))[0]

    # The wire.

    async def _list(
        self,
        path: str,
        params: Mapping[str, str],
        shape: type[W],
        read: Callable[[W, Names, datetime], T],
        *,
        key: Callable[[T], Hashable],
        keep: Callable[[T], bool] | None = None,
        at_most: int | None = None,
        size: int = 100,
        most_pages: int | None = None,
        reach: Reach = HELD,
    ) -> tuple[Listing[T], Names]:
        """All rows of a list, and the names that came along. Beyond `most_pages` nothing is read, which is said."""
        names, read_at, cut = Names(), self._now(), False

        async def page(number: int) -> Page[T]:
            nonlocal cut
            query = urlencode({**params, "page": number, "per_page": size})
            body = await self._wire.read(f"{path}?{query}")
            told, rows, bad = self._rows(body, shape)
            self._learn(told.expands, names)
            total, last, more = told.total, told.last_page, told.next_page is not None
            if most_pages is not None and (last or 0) > most_pages:
                cut, total, last = True, None, most_pages
            made = await each_of(rows, lambda row: read(row, names, read_at))
            return Page(made, len(told.result), total, last, more, bad)

        found = await by_number(page, key=key, now=lambda: read_at, keep=keep, at_most=at_most, reach=reach)
        return (replace(found, total=None, missing=(*found.missing, _BACK)) if cut else found), names

    def _rows(self, body: bytes, shape: type[W]) -> tuple[Envelope[Any], list[W], int]:
        """A page, its rows, and how many of them can't be read."""
        whole: Envelope[W] | None = decoded(body, Envelope[shape])  # type: ignore[valid-type]
        if whole is not None:
            return whole, whole.result, 0
        loose = self._wire.decode(body, Envelope[msgspec.Raw])
        return loose, *self._wire.rows(loose.result, shape)

    def _learn(self, expands: msgspec.Raw, names: Names) -> Names:
        """Take up the objects of `expands`; a bad one, or a bad group of them, costs only itself."""
        for group, raw in _decoded(expands, dict[str, msgspec.Raw], {}).items():
            rows = _decoded(raw, list[msgspec.Raw], [])
            if group == "statuses":
                for status in self._wire.rows(rows, StatusRow)[0]:
                    names.statuses.setdefault(status.id, read_status(status))
            elif group in _GROUPS:
                table: dict[int, str] = getattr(names, group)
                for row in self._wire.rows(rows, NamedRow)[0]:
                    if row.id not in table and (name := row.display_id or row.name):
                        table[row.id] = sys.intern(name)
        return names


def _id(row: NamedRow | ResultRow) -> int:
    return row.id


def _test_id(row: TestRow) -> Hashable:
    return row.number or (row.same_as, row.thread_id, row.created_at)


def _as_it_is(row: W, _names: Names, _read_at: datetime) -> W:
    return row


async def _no_cases() -> dict[int, tuple[str, str]]:
    return {}


def _decoded(raw: msgspec.Raw, shape: type[T], otherwise: T) -> T:
    try:
        return msgspec.json.decode(raw, type=shape)
    except (msgspec.MsgspecError, RecursionError, ValueError):
        return otherwise


def _commas(numbers: Iterable[int]) -> str:
    return ",".join(map(str, dict.fromkeys(numbers)))


def _whole(tests: tuple[Test, ...], rows: Listing[Any], more: tuple[str, ...] = ()) -> Listing[Test]:
    """Tests made of result rows: they are all there are when the rows are."""
    return Listing(tests, rows.read_at, None if rows.missing else len(tests), rows.missing + more)


SYSTEM = System(
    name="testmo",
    label=LABEL,
    options=(
        Option("url", "the address of your Testmo, such as https://acme.testmo.net", of="url"),
        Option("token", "an API token, made in your Testmo profile under API access", of="secret"),
        Option("project", "the number of the project that is meant when none is named", of="number", required=False),
        Option("close_manual_runs", "true or false", of="switch", required=False, default=False),
    ),
    kinds=(MANUAL, AUTOMATION),
    connect=Testmo,
)
