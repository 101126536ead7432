"""How PractiTest speaks: API v2, JSON in pages of at most 100 rows, Basic with the token, 30 calls a minute.

`S` are its test sets; a set's tests are its instances, their results its "runs". Sources: the vendor's pages on runs,
sets, instances, step runs, milestones, groups and users, and its help page on run statuses. Habits met on the way:
- a set is never closed: it counts as finished once it has instances and each of them has a final result (neither
  NO RUN nor NOT COMPLETED), and then since its last run;
- a set's own status follows from its instances (PASSED and N/A: all done; NO RUN and NOT COMPLETED: some are not;
  FAILED and BLOCKED: either), so instances are read only where that leaves something open;
- calls are scarce: a question reads a few pages only, and what it left out is said;
- nothing tells the order of its lists: newest first in all samples, and checked on the first page;
- addresses and the API go by `id`, people see `display-id`;
- `links` in answers can repeat the token: they are never read, addresses are made here.

What is changed here is put into words by `practitest_writing`; this file looks numbers up, sends, and reads again.
"""

from __future__ import annotations

import asyncio
import base64
import functools
import math
import re
import sys
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import takewhile
from operator import attrgetter
from typing import Annotated, Any, Generic, TypeVar
from urllib.parse import urlencode

import msgspec

from bot.domain.acts import Change, Close, Loss, Named, Report, Start
from bot.domain.errors import CannotError, NotFoundError, SystemFault, TooLateError
from bot.domain.model import Kind, Listing, Person, Project, Result, Run, RunRef, Test, Thread
from bot.domain.outcomes import Outcome, Tally, count
from bot.domain.queries import ResultQuery, RunQuery, Who
from bot.domain.streams import fold_name
from bot.systems import practitest_writing as writing
from bot.systems._bulk import quick
from bot.systems._filters import first_of_each, keeping, status_words, within
from bot.systems._gaps import left_out, some
from bot.systems._kept import Kept
from bot.systems._links import as_page, below
from bot.systems._names import look_up, look_up_people, none_such, person_meant, project_meant, read_digits
from bot.systems._pages import Page, by_number
from bot.systems._plain import plain
from bot.systems._refusals import Forbidden, Gone, judging
from bot.systems._spec import Account, Option, System
from bot.systems._times import LONG_AGO, read_moment
from bot.systems._wire import Wire
from bot.usecases.ports import PATIENCE

T = TypeVar("T")
LABEL = "PractiTest"
WEB = "https://prod.practitest.com"
MARKED = "Completed"
PAGE = 100
#: Ids in one address, as the vendor's own client does it: longer lists break the address.
BATCH = 50
#: Pages one question may read: of sets, of one set's instances, of its results, and of results for reasons only.
SET_PAGES, PLACE_PAGES, RESULT_PAGES, REASON_PAGES = 4, 20, 6, 3
#: Pages of users, groups, milestones and projects.
NAME_PAGES = 10
#: So many other projects are tried for a set that is not in the usual one.
OTHER_PROJECTS = 4
#: How long is kept: instances just read; instances and counts of sets that have not changed since.
JUST_READ, UNCHANGED, DONE_KEPT = (timedelta(seconds=each) for each in (15, 300, 3600))
#: Digests of the same minute share pages of sets.
SHARED = timedelta(seconds=60)
#: A set changed later than so long before it was read may change again within the same second.
SETTLED = timedelta(seconds=5)
MOST_PLACES, MOST_SETS = 4_000, 10_000
UNCOUNTED = "its counts could not be read"

SET = Kind(
    "S",
    "test set",
    "test sets",
    "finished",
    verbs=frozenset({"failures", "results", "diff", "report"}),
    filters=frozenset(
        {"words", "state", "since", "until", "closed_since", "closed_until", "status", "by", "milestone"}
        | {"set_filter", "set_filter_user"}
    ),
    cannot={
        "threads": "A PractiTest test set has instances and no threads; `results` lists what was run of them.",
        "close": "PractiTest never closes test sets, one counts as finished once all its instances have a result; "
        "whoever set up Rundown can name a field that stands for it (mark_field in the settings).",
        "complete": "PractiTest never closes test sets, one counts as finished once all its instances have a result; "
        "whoever set up Rundown can name a field that stands for it (mark_field in the settings).",
        "start": "Test sets are made in PractiTest itself; `report` puts results into one that is there.",
        "edit": "Test sets are edited on their page in PractiTest.",
        "note": "PractiTest keeps notes with the results of an instance: give `report` a --note.",
        "link": "PractiTest keeps no links with a test set; write it into the --note of a `report`, or on its page.",
        "attach": "PractiTest keeps files with the results of an instance: attach them to a `report`.",
        "delete": "Rundown deletes nothing in PractiTest; that can be done on the page of the test set.",
    },
)


# What is on the wire: anything but an id may be missing, null, or of another type than its page says.


class Attributes(msgspec.Struct, rename="kebab"):
    project_id: Any = None
    name: Any = None
    created_at: Any = None
    updated_at: Any = None


class SetAttributes(Attributes):
    display_id: Any = None
    description: Any = None
    instances_count: Any = None
    run_status: Any = None
    last_run: Any = None
    assigned_to_id: Any = None
    assigned_to_type: Any = None
    milestone_id: Any = None


class PlaceAttributes(Attributes):
    """An instance: the place of a test in a set."""

    set_id: Any = None
    test_id: Any = None
    display_id: Any = None
    run_status: Any = None
    last_run: Any = None
    last_run_duration: Any = None
    tester_id: Any = None
    assigned_to_id: Any = None
    assigned_to_type: Any = None


class ResultAttributes(Attributes):
    """What PractiTest calls a run: one result of an instance."""

    status: Any = None
    tester_id: Any = None
    instance_id: Any = None
    run_type: Any = None
    version: Any = None
    automated_execution_output: Any = None
    run_duration: Any = None


class StepAttributes(Attributes):
    run_id: Any = None
    status: Any = None
    actual_results: Any = None


class MarkAttributes(Attributes):
    """Of a set, what a mark is read from: lists of sets are read without it."""

    custom_fields: Any = None


class FieldAttributes(Attributes):
    """A custom field; `possible_values` are the choices of a list, empty for one that takes any text."""

    possible_values: Any = None


class NameAttributes(Attributes):
    """A project, milestone, group or user."""

    display_name: Any = None
    first_name: Any = None
    last_name: Any = None
    email: Any = None


A = TypeVar("A", bound=Attributes)


class Row(msgspec.Struct, Generic[A]):
    id: Annotated[int, msgspec.Meta(gt=0, lt=2**63 - 1)]
    attributes: A

    @property
    def project(self) -> int | None:
        return read_number(self.attributes.project_id)

    @property
    def created(self) -> datetime | None:
        return read_moment(self.attributes.created_at)


SetRow = Row[SetAttributes]
PlaceRow = Row[PlaceAttributes]
ResultRow = Row[ResultAttributes]
StepRow = Row[StepAttributes]
FieldRow = Row[FieldAttributes]
NameRow = Row[NameAttributes]


class Meta(msgspec.Struct, rename="kebab"):
    next_page: Any = None
    total_pages: Any = None
    total_count: Any = None


class Envelope(msgspec.Struct):
    """A page of a list; its `links` are left alone."""

    data: list[msgspec.Raw]
    meta: Meta | None = None


class Single(msgspec.Struct):
    data: SetRow


class SinglePlace(msgspec.Struct):
    data: PlaceRow


class SingleMark(msgspec.Struct):
    data: Row[MarkAttributes]


# Reading: wire → domain, without asking anything.

OUTCOMES = {
    "PASSED": Outcome.PASSED,
    "FAILED": Outcome.FAILED,
    "BLOCKED": Outcome.BLOCKED,
    "NO RUN": Outcome.UNTESTED,
    "N/A": Outcome.SKIPPED,
    "NOT COMPLETED": Outcome.RUNNING,
    "NOT COMPLETE": Outcome.RUNNING,
}
_DONE = (Outcome.PASSED, Outcome.SKIPPED)
_NOT_DONE = (Outcome.UNTESTED, Outcome.RUNNING)
_ELAPSED = re.compile(r"(\d{1,6}):([0-5]?\d):([0-5]?\d)", re.ASCII)


def read_number(value: object) -> int | None:
    """A number above 0, also as text; None for anything else."""
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,18}", value):
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None


def read_text(value: object) -> str:
    """Text as it came, a number as text; empty for anything else."""
    return value if isinstance(value, str) else str(value) if type(value) in (int, float) else ""


def read_elapsed(value: object) -> float | None:
    """`HH:MM:SS` as seconds; None for no time at all, which is what PractiTest keeps when nobody took it."""
    found = _ELAPSED.fullmatch(value.strip()) if isinstance(value, str) else None
    seconds = sum(int(part) * unit for part, unit in zip(found.groups(), (3600, 60, 1), strict=True)) if found else 0
    return float(seconds) if seconds else None


def read_outcome(status: object) -> tuple[Outcome, str]:
    """A status as outcome and label. One that is not told at all is OTHER `unknown`, never taken for a good one."""
    label = sys.intern(read_text(status).strip() or "unknown")
    return OUTCOMES.get(label.upper(), Outcome.OTHER), label


@dataclass(frozen=True, slots=True)
class Names:
    """What the numbers in rows stand for; `user 17` for one that is not known."""

    users: Mapping[int, Person] = field(default_factory=dict)
    groups: Mapping[int, str] = field(default_factory=dict)
    milestones: Mapping[int, str] = field(default_factory=dict)

    def user(self, value: object) -> str:
        number = read_number(value)
        known = self.users.get(number) if number else None
        return known.name if known else _unnamed("user", number)

    def assignee(self, row: SetAttributes) -> str:
        if row.assigned_to_type != "group":
            return self.user(row.assigned_to_id)
        number = read_number(row.assigned_to_id)
        return self.groups.get(number or 0) or _unnamed("group", number)

    def milestone(self, value: object) -> str:
        number = read_number(value)
        return self.milestones.get(number or 0) or _unnamed("milestone", number)


def _unnamed(noun: str, number: int | None) -> str:
    return "" if number is None else sys.intern(f"{noun} {number}")


@dataclass(frozen=True, slots=True)
class Counted:
    """The tally of a set, and when the last of its instances was run."""

    tally: Tally
    last_run: datetime | None


@dataclass(frozen=True, slots=True)
class Places:
    """The instances of one set; `whole` tells that none is lacking, `unreadable` how many could not be read."""

    rows: tuple[PlaceRow, ...]
    read_at: datetime
    missing: tuple[str, ...] = ()
    whole: bool = True
    unreadable: int = 0

    @property
    def counted(self) -> Counted:
        pairs = [read_outcome(row.attributes.run_status) for row in self.rows]
        pairs += [(Outcome.OTHER, "unreadable")] * self.unreadable
        ran = (read_moment(row.attributes.last_run) for row in self.rows)
        return Counted(count(pairs), max(filter(None, ran), default=None))

    @property
    def people(self) -> set[int]:
        """Everybody who is named in these instances."""
        return {owner for row in self.rows if (owner := _owner(row.attributes))}

    def belongs(self) -> Callable[[ResultRow], str]:
        """Tells why a result is none of these instances'; empty when it is one."""
        ours = {row.id for row in self.rows}
        return lambda row: (
            "" if not self.whole or read_number(row.attributes.instance_id) in ours else "of another test set"
        )


def read_verdict(row: SetRow) -> Outcome | None:
    """The set's own status; None where it has none."""
    return read_outcome(row.attributes.run_status)[0] if row.attributes.run_status else None


make_run = quick(Run)


def read_run(
    row: SetRow,
    counted: Counted | None,
    names: Names,
    *,
    ref: RunRef,
    project: int,
    page: str,
    read_at: datetime,
    kind: Kind = SET,
) -> Run:
    """A test set. Without counts its tally is empty, and it is finished only if its own status leaves no doubt."""
    its, verdict = row.attributes, read_verdict(row)
    last_run = read_moment(its.last_run) or (counted.last_run if counted else None)
    updated = read_moment(its.updated_at)
    updated = last_run if updated == last_run else updated  # one value in memory where they are equal
    tally = _shared(counted.tally) if counted else NO_TALLY
    if counted:
        finished = tally.total > 0 and not tally.untested and not tally.running
    else:
        finished = verdict in _DONE and its.instances_count != 0
    return make_run(
        ref=ref,
        kind=kind,
        project=project,
        name=read_text(its.name).strip() or f"test set {row.id}",
        tally=tally,
        finished=finished,
        created_at=row.created or updated or last_run or read_at,
        read_at=read_at,
        finished_at=last_run if finished else None,
        updated_at=updated,
        assignee=names.assignee(its),
        milestone=names.milestone(its.milestone_id),
        description=plain(read_text(its.description)),
        verdict=verdict,
        page=page,
        missing=() if counted else (UNCOUNTED,),
    )


NO_TALLY = Tally()


@functools.lru_cache(maxsize=2_000)
def _shared(tally: Tally) -> Tally:
    """Runs of equal counts hold one tally: lists of thousands are kept in memory."""
    return tally


@dataclass(frozen=True, slots=True)
class Told:
    """What the results of an instance tell beyond its status."""

    note: str = ""
    retried: bool = False


def read_told(place: PlaceRow, results: Iterable[ResultRow], reasons: Mapping[int, str]) -> Told:
    """Why an instance failed or is blocked, and whether it failed and passed later.

    `results` are its own, in any order; `reasons` what people wrote of failed steps, by the number of the result.
    """
    row_status = read_outcome(place.attributes.run_status)[0]
    failed = retried = False
    note = ""
    for row in sorted(results, key=_age):
        outcome = read_outcome(row.attributes.status)[0]
        retried = retried or (failed and outcome is Outcome.PASSED)
        failed = failed or outcome is Outcome.FAILED
        if outcome is row_status and outcome in (Outcome.FAILED, Outcome.BLOCKED):
            note = plain(read_text(row.attributes.automated_execution_output)) or reasons.get(row.id, "")
    return Told(note, retried)


def read_tests(rows: Iterable[PlaceRow], told: Mapping[int, Told], names: Names, page: str) -> tuple[Test, ...]:
    """The instances as tests, in their order. `page` is the address of an instance's page with `{id}` in it.

    A test that stands several times in a set is told apart by counting: `80893`, `80893#2`.
    """
    tests: list[Test] = []
    seen: dict[str, int] = {}
    for row in rows:
        its = row.attributes
        outcome, label = read_outcome(its.run_status)
        more = told.get(row.id) or _NOTHING_TOLD
        base = str(read_number(its.test_id) or f"i{row.id}")
        seen[base] = nth = seen.get(base, 0) + 1
        owner = _owner(its)
        tests.append(
            Test(
                key=sys.intern(base if nth == 1 else f"{base}#{nth}"),
                name=_place_name(row),
                outcome=outcome,
                label=label,
                id=str(row.id),
                url=page.format(id=row.id),
                assignee=names.user(owner),
                assignee_id=str(owner or ""),
                note=more.note,
                at=read_moment(its.last_run),
                elapsed_s=read_elapsed(its.last_run_duration),
                retried=more.retried,
            )
        )
    return tuple(tests)


_NOTHING_TOLD = Told()


def read_result(row: ResultRow, place: PlaceRow | None, names: Names, page: str, read_at: datetime) -> Result:
    """A result; `at` is when it was last changed, which for a person's result is when it was ended."""
    its = row.attributes
    outcome, label = read_outcome(its.status)
    number = read_number(its.instance_id)
    return Result(
        test=_place_name(place) if place else f"instance {number}" if number else "an unknown test",
        outcome=outcome,
        at=_changed(row) or read_at,
        label=label,
        by=names.user(its.tester_id),
        assignee=names.user(_owner(place.attributes)) if place else "",
        note=plain(read_text(its.automated_execution_output)),
        url=page.format(id=number) if number else "",
        version=read_text(its.version),
        elapsed_s=read_elapsed(its.run_duration),
    )


def read_shown(row: ResultRow) -> writing.Shown:
    """A result as it is held against what was reported."""
    its = row.attributes
    by_hand = {"ManualRun": True, "AutomatedRun": False}.get(read_text(its.run_type))
    return writing.Shown(
        read_number(its.instance_id),
        read_text(its.status).strip(),
        read_text(its.automated_execution_output),
        by_hand,
        read_number(its.tester_id),
        row.created,
    )


def _place_name(row: PlaceRow) -> str:
    return sys.intern(read_text(row.attributes.name).strip() or f"instance {row.id}")


def _owner(its: PlaceAttributes) -> int | None:
    """Who is to run it, else who ran it last."""
    assigned = read_number(its.assigned_to_id) if its.assigned_to_type in (None, "user") else None
    return assigned or read_number(its.tester_id)


def _changed(row: ResultRow) -> datetime | None:
    return read_moment(row.attributes.updated_at) or row.created


def _age(row: Row[Any]) -> tuple[datetime, int]:
    return (row.created or LONG_AGO, row.id)


def read_person(row: NameRow) -> Person:
    its = row.attributes
    full = f"{read_text(its.first_name)} {read_text(its.last_name)}".strip()
    email = read_text(its.email)
    return Person(str(row.id), read_text(its.display_name).strip() or full or email or f"user {row.id}", email)


def read_size(row: SetRow) -> int | None:
    """How many instances the set says it has; None where it does not say."""
    size = row.attributes.instances_count
    return 0 if size == 0 and size is not False else read_number(size)


def complaint(body: bytes) -> str:
    """The service's own words: `{"errors": [{"title": "…"}]}`."""
    errors = msgspec.json.decode(body).get("errors") if body.lstrip()[:1] == b"{" else None
    titles = [each.get("title") if isinstance(each, dict) else each for each in errors or ()]
    return "; ".join(title for title in titles if isinstance(title, str))


# Asking: what people want → parameters and what is sorted out here.


def may_fit(row: SetRow, query: RunQuery, statuses: Collection[str] = ()) -> bool:
    """Whether the set may be wanted as far as its own status tells, before its instances are read."""
    verdict = read_verdict(row)
    if query.state == "open" and verdict in _DONE:
        return not read_size(row)
    closed = query.state == "closed" or bool(query.closed_since or query.closed_until)
    if closed and verdict in _NOT_DONE:
        return False
    if statuses and {*statuses} <= {"failed", "failing"}:
        return verdict not in (*_DONE, *_NOT_DONE, Outcome.BLOCKED)
    return True


def status_names(labels: Iterable[str]) -> dict[str, str]:
    """What people may call the statuses of this account, with the word for each: PractiTest's labels, and its own."""
    return {label: label for label in labels if label} | {label: outcome.value for label, outcome in OUTCOMES.items()}


def constant_word(name: str) -> str:
    """The longest word of a name that its stream shares, so that the service can choose by it; empty for none."""
    shared = {word for word in fold_name(name).split() if "#" not in word}
    return max((word for word in name.split() if word.casefold() in shared), key=len, default="")


_LINK = re.compile(r"/p/([1-9][0-9]{0,17})/sets/([1-9][0-9]{0,17})(?:/.*)?", re.ASCII)

# Asking: the account.


@dataclass(frozen=True, slots=True)
class Found(Generic[A]):
    """Rows of a list. `total` is None where rows were sorted out or reading stopped early."""

    rows: tuple[Row[A], ...]
    read_at: datetime
    missing: tuple[str, ...]
    total: int | None
    unreadable: int


class PractiTest:
    """One PractiTest account; see `bot.usecases.ports.Connection` for the calls."""

    system = LABEL

    def __init__(self, account: Account) -> None:
        self.name = account.name
        self._mark = writing.read_mark(account.text("mark_field"), account.text("mark_value") or MARKED)
        self.kinds: Mapping[str, Kind] = {SET.letter: writing.marking(SET, self._mark)}
        self.project = account.number("project")
        self._web = (account.text("web_url") or WEB).strip().rstrip("/")
        self._pages: dict[int, str] = {}
        self._now = account.now
        self._pace = account.pace
        self._kept = Kept(account.now)
        self._homes: OrderedDict[int, tuple[int, int]] = OrderedDict()
        self._hints: OrderedDict[int, int] = OrderedDict()
        self._places: OrderedDict[int, tuple[datetime | None, Places]] = OrderedDict()
        self._counts: OrderedDict[int, tuple[Hashable, datetime, Counted]] = OrderedDict()
        self._forgotten = 0
        token = account.text("token")
        login = base64.b64encode(f"rundown:{token}".encode()).decode()
        self._wire = Wire(
            LABEL,
            account.text("url").strip().rstrip("/"),
            headers={"Authorization": f"Basic {login}"},
            secrets=(token, login),
            pace=account.pace,
            now=account.now,
            judge=judging(LABEL, complaint, (token, login)),
            complaint=complaint,
            pause_s=20.0,
        )

    def read_link(self, url: str) -> RunRef | None:
        """`{web}/p/4566/sets/55/edit`, with or without `/edit`, or of one of its instances; of this web address only.

        The project in it is remembered as the first one to look for the set in.
        """
        rest = below(self._web, url)
        found = _LINK.fullmatch(rest.path) if rest else None
        if found is None:
            return None
        _keep(self._hints, int(found[2]), int(found[1]))
        return RunRef(self.name, "S", int(found[2]))

    async def projects(self) -> tuple[Project, ...]:
        async def ask() -> tuple[Project, ...]:
            found = await self._list("/projects.json", NameRow, pages=NAME_PAGES)
            return tuple(Project(row.id, read_text(row.attributes.name) or f"project {row.id}") for row in found.rows)

        return await self._known("projects", ask)

    async def run(self, ref: RunRef) -> Run:
        """A set by its number in addresses, else by the one PractiTest shows (`display-id`) in the usual project."""
        read_at = self._now()
        project, row = await self._find(ref.id)
        names, counted = await asyncio.gather(self._names(project, [row]), self._count_one(project, row))
        return self._run(row, counted, names, project, read_at)

    async def runs(self, letter: str, query: RunQuery) -> Listing[Run]:  # noqa: ARG002 - there is one kind
        """Sets by creation, newest first. Their counts are read for as many as the calls of a minute allow."""
        project = project_meant(LABEL, query.project, self.project)
        params, keep = await self._wanted(project, query)
        by_set = query.state == "all" and not (query.status or query.closed_since or query.closed_until)
        wanted = query.at_most if by_set else None

        def enough(rows: Sequence[SetRow]) -> bool:
            return (wanted is not None and sum(map(keep, rows)) >= wanted) or (
                query.since is not None and rows[-1].created is not None and rows[-1].created < query.since
            )

        found = await self._sets(project, params, keep, enough)
        statuses = status_words(
            LABEL, query.status, status_names(read_text(row.attributes.run_status) for row in found.rows)
        )
        fits = keeping(replace(query, words=(), since=None, until=None), statuses)
        rows = [row for row in sorted(found.rows, key=_age, reverse=True) if may_fit(row, query, statuses)][:wanted]
        names, (counts, gaps) = await asyncio.gather(self._names(project, rows), self._count(project, rows))
        read = (self._run(row, counts.get(row.id), names, project, found.read_at) for row in rows)
        runs = [run for run in read if fits is None or fits(run)]
        stopped = found.total is None or gaps
        total = None if stopped else len(runs) if wanted is None else found.total
        return Listing(tuple(runs[: query.at_most]), found.read_at, total, (*found.missing, *gaps))

    async def scan(self, letter: str, query: RunQuery, see: Callable[[Run], None]) -> Listing[Run]:
        found = await self.runs(letter, query)
        for run in found.items:
            see(run)
        return replace(found, items=())

    async def earlier(self, run: Run, limit: int) -> Listing[Run]:
        """Sets whose names fold to the same, as many as their instances can be read in a few calls."""
        if limit < 1:
            return Listing((), self._now())
        stream, word = fold_name(run.name), constant_word(run.name)
        before = (run.created_at, run.ref.id)

        def keep(row: SetRow) -> bool:
            return (
                fold_name(read_text(row.attributes.name).strip()) == stream
                and _age(row) < before
                and read_verdict(row) not in _NOT_DONE
            )

        found = await self._sets(run.project, {"name_like": word} if word else {}, keep)
        rows = sorted(found.rows, key=_age, reverse=True)
        names = await self._names(run.project, rows[:limit])
        runs: list[Run] = []
        gaps: tuple[str, ...] = ()
        for _attempt in range(2):  # the second one is for sets that turned out not to be finished
            some, rows = rows[: limit - len(runs)], rows[limit - len(runs) :]
            counts, gaps = await self._count(run.project, some)
            known = takewhile(lambda row: row.id in counts, some)  # noqa: B023 - used up at once
            read = (self._run(row, counts[row.id], names, run.project, found.read_at) for row in known)
            runs += [each for each in read if each.finished]
            if gaps or len(runs) >= limit:
                break
        return Listing(tuple(runs), found.read_at, None, (*found.missing, *gaps))

    async def parts(self, run: Run) -> Listing[Run]:
        return Listing((), run.read_at)

    async def tests(self, ref: RunRef, *, reasons: bool = False) -> Listing[Test]:
        """The instances of a set. Reasons come from its newest results, those of people from their failed steps."""
        project, number = await self._home(ref.id)
        places = await self._places_of(project, number)
        told: Mapping[int, Told] = {}
        gaps: tuple[str, ...] = ()
        asking = self._names(project, people=places.people)
        if reasons and places.rows:
            names, (told, gaps) = await asyncio.gather(asking, self._reasons(project, number, places))
        else:
            names = await asking
        tests = read_tests(places.rows, told, names, self._place_page(project, number))
        return Listing(tests, places.read_at, len(tests) if places.whole else None, (*places.missing, *gaps))

    async def history(self, runs: Sequence[Run]) -> tuple[Listing[Test], ...]:
        """Many sets in a call. Those that would take too many calls are empty, and say so."""
        found: dict[int, Places] = {}
        for project in dict.fromkeys(run.project for run in runs):
            mine = [run for run in runs if run.project == project]
            known = {run.ref.id: places for run in mine if (places := self._recall(run.ref.id, run.updated_at))}
            asked = {run.ref.id: run.tally.total or None for run in mine if run.ref.id not in known}
            found |= known | await self._instances(project, asked, {run.ref.id: run.updated_at for run in mine})
        people = {each for places in found.values() for each in places.people}
        names = await self._names(self.project or 0, people=people)
        nothing: Listing[Test] = Listing(
            (), self._now(), None, ("its instances were not read: that takes too many calls",)
        )
        return tuple(
            Listing(
                read_tests(places.rows, {}, names, self._place_page(run.project, run.ref.id)),
                places.read_at,
                len(places.rows) if places.whole else None,
                places.missing,
            )
            if (places := found.get(run.ref.id))
            else nothing
            for run in runs
        )

    async def results(self, ref: RunRef, query: ResultQuery) -> Listing[Result]:
        """The results of a set's instances, newest first. PractiTest keeps no defects with them."""
        if query.defects:
            raise CannotError(
                "Results of PractiTest can't be chosen by defect.",
                why="Its API tells no defects with a result.",
                fix="Leave --defects out; status, time, test and person work.",
            )
        project, number = await self._home(ref.id)
        places = await self._places_of(project, number)
        params, keep = await self._wanted_results(number, places, query)

        def enough(rows: Sequence[ResultRow]) -> bool:
            sure = not query.latest and not query.oldest_first
            return sure and query.at_most is not None and sum(map(keep, rows)) >= query.at_most

        found = await self._list(
            f"/projects/{project}/runs.json",
            ResultRow,
            params,
            project=project,
            pages=RESULT_PAGES,
            keep=keep,
            enough=enough,
            belongs=places.belongs(),
        )
        rows = sorted(found.rows, key=_age, reverse=True)
        if query.latest:
            last = first_of_each(rows, lambda row: read_number(row.attributes.instance_id))
            rows = [row for row in last if _in_status(row, query.status)]
        status_words(LABEL, query.status, status_names(read_text(row.attributes.status) for row in found.rows))
        rows.sort(key=lambda row: (_changed(row) or LONG_AGO, row.id), reverse=not query.oldest_first)
        names = await self._names(project, people={*places.people, *(_tester(row) for row in rows)})
        page, known = self._place_page(project, number), {row.id: row for row in places.rows}
        shown = tuple(
            read_result(row, known.get(read_number(row.attributes.instance_id) or 0), names, page, found.read_at)
            for row in rows[: query.at_most]
        )
        return Listing(
            shown, found.read_at, None if found.total is None else len(rows), (*found.missing, *places.missing)
        )

    async def threads(self, ref: RunRef) -> tuple[Thread, ...]:
        raise CannotError(
            f"{ref.short} has no threads.", why=SET.cannot["threads"], fix=f"Show it with `show {ref.short}`."
        )

    async def find_person(self, who: Who) -> Person | None:
        """None too where our token may not list users, or several fit."""
        try:
            return person_meant(who, (await self._users()).values())
        except Forbidden:
            return None

    async def close(self) -> None:
        await self._wire.close()

    # Changes.

    async def prepare(self, change: Change) -> Change:
        """The set by its own number; of a report also its instances, custom fields and tester."""
        self._need(change)
        if isinstance(change, Report):
            return await self._prepared(writing.trimmed(change))
        if isinstance(change, Close) and self._mark:
            if change.ref.thread is not None:
                raise CannotError(
                    f"No part of S{change.ref.id} can be marked.",
                    why="The field is one of the whole test set.",
                    fix=f"Mark the test set: `close S{change.ref.id}`.",
                )
            project, number = await self._home(change.ref.id)
            if writing.is_marked(self._mark, await self._fields_of(project, number)):
                raise TooLateError(
                    f"S{number} is marked already.",
                    why=f"Its field {self._mark.number} is “{self._mark.value}”.",
                    fix=f"Show it with `show S{number}`.",
                )
            try:
                await self._field(project, self._mark.key, self._mark.value)
            except NotFoundError as unknown:
                raise CannotError(
                    f"S{number} can't be marked.",
                    why=unknown.what,
                    fix="Ask whoever set up Rundown to look at mark_field and mark_value in its settings.",
                ) from None
            return Close(RunRef(self.name, SET.letter, number))
        return change

    async def carry_out(self, change: Change, files: Mapping[str, bytes]) -> RunRef | None:
        self._need(change)
        with _ahead():
            if isinstance(change, Report):
                await self._send(change.ref, writing.write_report(change, files))
            elif isinstance(change, Close) and self._mark:
                await self._send(change.ref, writing.write_mark(self._mark, *await self._home(change.ref.id)))
        return None

    async def was_done(self, change: Change, since: datetime) -> RunRef | bool | None:
        """A mark by the set's field; results by what the instances got since. What is never sent was never done."""
        if isinstance(change, Close) and self._mark:
            try:
                return writing.is_marked(self._mark, await self._fields_of(*await self._home(change.ref.id)))
            except (Gone, NotFoundError):
                return None
        return await self._was_reported(change, since) if isinstance(change, Report) else False

    async def loss(self, ref: RunRef) -> Loss:
        raise CannotError(
            f"{ref.short} can't be deleted from here.",
            why=SET.cannot["delete"],
            fix=f"Its page is linked in `show {ref.short}`.",
        )

    async def offers(self, what: str, project: int) -> tuple[Named, ...]:  # noqa: ARG002 - users are the account's
        """Testers, by name; none where our token may not list users."""
        with suppress(Forbidden):
            users = await self._users() if what == "person" else {}
            return tuple(Named(user.name, number) for number, user in sorted(users.items(), key=_by_name))
        return ()

    def forget(self, ref: RunRef) -> None:
        """Also what is being read of any set just now is not kept."""
        self._forgotten += 1
        _, number = self._homes.get(ref.id, (0, ref.id))
        for each in {ref.id, number}:
            self._places.pop(each, None)
            self._counts.pop(each, None)

    def _need(self, change: Change) -> None:
        """Raise CannotError for what test sets have no way to, with what is possible instead."""
        verb, kind = writing.verb_of(change), self.kinds[SET.letter]
        if verb not in kind.verbs:
            fix = (
                "See what there is with `list`."
                if isinstance(change, Start)
                else f"Show it with `show {change.ref.short}`."
            )
            raise CannotError(f"{LABEL} has no {verb} for a {kind.noun}.", why=kind.cannot[verb], fix=fix)

    async def _send(self, ref: RunRef, write: writing.Write) -> None:
        """Whatever comes of it, what is remembered of the set may be wrong from now on."""
        try:
            await self._wire.call(write.method, write.path, msgspec.json.encode(write.body))
        finally:
            self.forget(ref)

    async def _prepared(self, report: Report) -> Report:
        writing.check(report)
        project, number = await self._home(report.ref.id)
        spots = await self._spots(project, number, report)
        tests = writing.once_each(writing.all_meant(report.tests, spots))
        fields = [(await self._field(project, name, value), value) for name, value in report.fields]
        tester = await self._tester(report.tester) if report.tester else None
        ref = RunRef(self.name, SET.letter, number)
        return replace(report, ref=ref, project=project, tests=tests, fields=tuple(fields), tester=tester)

    async def _spots(self, project: int, number: int, report: Report) -> Sequence[writing.Spot]:
        """The set's instances. Of a set too large to be read whole, those that were named by number too."""
        places = await self._places_of(project, number)
        rows = {row.id: row for row in places.rows}
        if not places.whole:
            for test in report.tests:
                row = await self._place(project, number, test.id) if test.id and test.id not in rows else None
                rows |= {row.id: row} if row else {}
        return [writing.Spot(row.id, read_text(row.attributes.display_id), _place_name(row)) for row in rows.values()]

    async def _place(self, project: int, number: int, instance: int) -> PlaceRow | None:
        try:
            row = (await self._wire.get(f"/projects/{project}/instances/{instance}.json", SinglePlace)).data
        except Gone:
            return None
        return row if row.id == instance and read_number(row.attributes.set_id) == number else None

    async def _tester(self, tester: Named) -> Named:
        (number,) = await self._person_numbers([Who(tester.name if tester.id is None else str(tester.id))])
        users: Mapping[int, Person] = {}
        with suppress(SystemFault):
            users = await self._users()
        if number in users:
            return Named(users[number].name, number)
        if 0 < len(users) < NAME_PAGES * PAGE:
            raise none_such(LABEL, "user", tester.name or str(number), (each.name for each in users.values()))
        return Named(tester.name, number)

    async def _field(self, project: int, name: str, value: str) -> str:
        """The key of a custom field, by its number or its name. Raises NotFoundError for a field or value unknown.

        Where our token may not list fields, a number is taken as it is.
        """
        key = writing.field_key(name)
        try:
            fields = await self._custom_fields(project)
        except SystemFault as fault:
            if not key and not isinstance(fault, Forbidden):
                raise
            fields = {}
        except NotFoundError:  # the project is there, as its set is: this PractiTest just lists no fields
            fields = {}
        names = {number: read_text(row.attributes.name) for number, row in fields.items()}
        if not key:
            number, *others = look_up(LABEL, "custom field", [name], names)
            if others:
                raise writing.several_fields(name, [number, *others])
            key = writing.field_key(str(number))
        row = fields.get(int(key.removeprefix("---f-")))
        if row is None:
            if 0 < len(fields) < NAME_PAGES * PAGE:
                raise none_such(LABEL, "custom field", name, names.values())
            return key
        choices = row.attributes.possible_values
        known = [read_text(each) for each in choices] if isinstance(choices, list) else []
        if known and value not in known:
            raise none_such(LABEL, f"value of the field {names[row.id] or key}", value, known, fix="Take one of these.")
        return key

    async def _custom_fields(self, project: int) -> Mapping[int, FieldRow]:
        async def ask() -> Mapping[int, FieldRow]:
            path = f"/projects/{project}/custom_fields.json"
            return {row.id: row for row in (await self._list(path, FieldRow, project=project, pages=NAME_PAGES)).rows}

        return await self._known(("custom_fields", project), ask)

    async def _fields_of(self, project: int, number: int) -> Any:
        """The custom fields of a set, as they came."""
        row = (await self._wire.get(f"/projects/{project}/sets/{number}.json", SingleMark)).data
        return row.attributes.custom_fields

    async def _was_reported(self, report: Report, since: datetime) -> bool | None:
        """By the results of these instances since then, all of which fit into a page or two."""
        numbers = {test.id for test in report.tests if test.id is not None}
        hours = math.ceil((self._now() - since + writing.CLOCKS) / timedelta(hours=1))
        found = await self._list(
            f"/projects/{report.project}/runs.json",
            ResultRow,
            {**_ids("instance-ids", numbers), "updated-hours-ago": str(max(1, hours))},
            project=report.project,
            pages=RESULT_PAGES,
        )
        whole = not found.missing and not found.unreadable
        return writing.was_reported(report, map(read_shown, found.rows), since, whole=whole)

    # Runs.

    async def _find(self, number: int) -> tuple[int, SetRow]:
        """The set and its project: where it was seen, in the usual project, in a few others, by its shown number."""
        seen = self._homes.pop(number, None)
        likely = [seen, (self._hints.get(number), number), (self.project, number)]
        tried = dict.fromkeys((project, its) for project, its in filter(None, likely) if project)
        for project, its in tried:
            if row := await self._set(project, its):
                return self._settle(number, project, row)
        projects: tuple[Project, ...] = ()
        with suppress(Forbidden):
            projects = await self.projects()
        for project in [each.id for each in projects if (each.id, number) not in tried][:OTHER_PROJECTS]:
            if row := await self._set(project, number):
                return self._settle(number, project, row)
        home = self.project or (projects[0].id if len(projects) == 1 else None)
        if home:
            found = await self._sets(
                home, {"display-ids": str(number)}, lambda row: read_number(row.attributes.display_id) == number
            )
            if len(found.rows) == 1:
                return self._settle(number, home, found.rows[0])
        raise NotFoundError(
            f"No test set S{number} in {LABEL}.",
            why="No project our token sees has it, neither by the number in addresses nor by the one shown.",
            fix="See what there is with `list`, or paste the address of its page.",
        )

    def _settle(self, number: int, project: int, row: SetRow) -> tuple[int, SetRow]:
        _keep(self._homes, number, (project, row.id))
        _keep(self._homes, row.id, (project, row.id))
        return project, row

    async def _home(self, number: int) -> tuple[int, int]:
        """Project and number of a set that somebody gave a number for."""
        known = self._homes.get(number)
        if known is None:
            project, row = await self._find(number)
            known = project, row.id
        return known

    async def _set(self, project: int, number: int) -> SetRow | None:
        try:
            row = (await self._wire.get(f"/projects/{project}/sets/{number}.json", Single)).data
        except Gone:
            return None
        except Forbidden:
            if project == self.project:
                raise
            return None
        return row if row.id == number and row.project in (None, project) else None

    def _run(self, row: SetRow, counted: Counted | None, names: Names, project: int, read_at: datetime) -> Run:
        page = self._pages.get(project)
        if page is None:
            page = self._pages[project] = f"{self._address(project)}/sets/{{id}}/edit"
        ref = RunRef(self.name, SET.letter, row.id)
        kind = self.kinds[SET.letter]
        return read_run(row, counted, names, ref=ref, project=project, page=page, read_at=read_at, kind=kind)

    def _place_page(self, project: int, number: int) -> str:
        return f"{self._address(project)}/sets/{number}/instances/{{id}}/edit"

    def _address(self, project: int) -> str:
        return as_page(f"{self._web}/p/{project}")

    async def _wanted(self, project: int, query: RunQuery) -> tuple[dict[str, str], Callable[[SetRow], bool]]:
        """What of a query the service can do, and what is left to do here. Raises NotFoundError for unknown names."""
        params = {"name_like": max(query.words, key=len)} if query.words else {}
        if query.set_filter:
            if read_digits(query.set_filter) is None:
                raise NotFoundError(
                    f"No filter “{query.set_filter[:80]}” in {LABEL}.",
                    why=f"{LABEL} tells its filters by number only.",
                    fix="Give the number, as it stands in the address of the filter's page.",
                    instead_of=query.set_filter,
                )
            params["filter-id"] = query.set_filter.strip()
            if query.set_filter_user:
                params["filter-user-id"] = str(*await self._person_numbers([query.set_filter_user]))
        people = await self._person_numbers(query.by)
        milestones = await self._milestone_numbers(project, query.milestone)
        words = [word.casefold() for word in query.words]

        def keep(row: SetRow) -> bool:
            its = row.attributes
            name = read_text(its.name).casefold()
            return (
                all(word in name for word in words)
                and within(row.created, query.since, query.until)
                and (not people or (its.assigned_to_type != "group" and read_number(its.assigned_to_id) in people))
                and (not milestones or read_number(its.milestone_id) in milestones)
            )

        return params, keep

    async def _sets(
        self,
        project: int,
        params: Mapping[str, str],
        keep: Callable[[SetRow], bool],
        enough: Callable[[Sequence[SetRow]], bool] = lambda _rows: False,
    ) -> Found[SetAttributes]:
        found = await self._list(
            f"/projects/{project}/sets.json",
            SetRow,
            params,
            project=project,
            pages=SET_PAGES,
            keep=keep,
            enough=enough,
            shared=True,
        )
        for row in found.rows:
            _keep(self._homes, row.id, (project, row.id))
        return found

    # Tests and results.

    async def _instances(
        self, project: int, sizes: Mapping[int, int | None], as_of: Mapping[int, datetime | None]
    ) -> dict[int, Places]:
        """The instances of sets: of the first one, and of as many more as few calls allow. Only whole ones.

        `sizes` are the sets' counts of instances as far as known, `as_of` when the sets were last changed.
        """
        taken: list[int] = []
        expected = 0
        room = self._room()
        for number, size in sizes.items():
            more = PAGE // 2 if size is None else size
            if expected + more <= (room if taken else PLACE_PAGES) * PAGE:
                taken.append(number)
                expected += more
        batches = [taken[at : at + BATCH] for at in range(0, len(taken), BATCH)]
        answers = await asyncio.gather(
            *(self._read_places(project, {number: sizes[number] for number in batch}, as_of) for batch in batches)
        )
        return {number: places for answer in answers for number, places in answer.items() if places.whole}

    def _room(self) -> int:
        """How many pages of instances of several sets one question may read, by what is left of the minute.

        What nobody waits for takes its time: it reads all it may, behind everybody else.
        """
        patience = PATIENCE.get()
        if patience is not None and not patience.person:
            return PLACE_PAGES
        most = self._pace.per_minute
        return PLACE_PAGES if most is None else min(PLACE_PAGES, max(2, (most - self._pace.used) // 6))

    async def _read_places(
        self, project: int, sizes: Mapping[int, int | None], as_of: Mapping[int, datetime | None]
    ) -> dict[int, Places]:
        alone = len(sizes) == 1

        def belongs(row: PlaceRow) -> str:
            number = read_number(row.attributes.set_id)
            return "" if number in sizes or (alone and number is None) else "of another test set"

        forgotten = self._forgotten
        found = await self._list(
            f"/projects/{project}/instances.json",
            PlaceRow,
            {"set-ids": ",".join(map(str, sizes))},
            project=project,
            pages=PLACE_PAGES,
            belongs=belongs,
        )
        of: dict[int, list[PlaceRow]] = {number: [] for number in sizes}
        for row in found.rows:
            of[next(iter(sizes)) if alone else read_number(row.attributes.set_id) or 0].append(row)
        unreadable = found.unreadable if alone else 0
        answer: dict[int, Places] = {}
        for number, rows in of.items():
            size = sizes[number]
            whole = not found.missing or (size is not None and len(rows) + unreadable >= size)
            missing = found.missing if alone else ()
            answer[number] = Places(tuple(rows), found.read_at, missing, whole, unreadable)
            if whole and not unreadable and forgotten == self._forgotten:
                _keep(self._places, number, (as_of.get(number), answer[number]))
        held = sum(len(places.rows) for _, places in self._places.values())
        while held > MOST_PLACES and len(self._places) > 1:
            held -= len(self._places.popitem(last=False)[1][1].rows)
        return answer

    async def _places_of(self, project: int, number: int) -> Places:
        """The instances of one set, read within the last seconds."""
        known = self._recall(number, None)
        return known or (await self._read_places(project, {number: None}, {}))[number]

    def _recall(self, number: int, changed: datetime | None) -> Places | None:
        """Instances just read, or some minutes ago if the set, last changed then, has not changed since."""
        as_of, places = self._places.get(number, (None, None))
        if places is None:
            return None
        kept = UNCHANGED if changed is not None and changed == as_of else JUST_READ
        return places if timedelta() <= self._now() - places.read_at <= kept else None

    async def _count_one(self, project: int, row: SetRow) -> Counted | None:
        """The counts of a set as they are now; None where our token may not read them, or they take too many calls."""
        size = read_size(row)
        if size == 0:
            return Counted(NO_TALLY, None)
        if size is not None and size > PLACE_PAGES * PAGE:
            return None
        try:
            places = (await self._read_places(project, {row.id: size}, {row.id: _set_changed(row)}))[row.id]
        except Forbidden:
            return None
        if not places.whole:
            return None
        self._remember(row, counted := places.counted)
        return counted

    async def _count(self, project: int, rows: Sequence[SetRow]) -> tuple[dict[int, Counted], tuple[str, ...]]:
        """The counts of sets, from memory for those that have not changed; and what was not read, in words."""
        counts: dict[int, Counted] = {}
        asked: dict[int, SetRow] = {}
        for row in rows:
            stamp, at, counted = self._counts.get(row.id, (None, None, None))
            if read_size(row) == 0:
                counts[row.id] = Counted(NO_TALLY, None)
            elif counted and at and stamp == _stamp(row) and self._now() - at <= _keeps(counted):
                counts[row.id] = counted
            else:
                asked[row.id] = row
        if not asked:
            return counts, ()
        why = " (too many calls at once), so more may be finished; ask again in a minute"
        read: dict[int, Places] = {}
        try:
            read = await self._instances(
                project,
                {number: read_size(row) for number, row in asked.items()},
                {number: _set_changed(row) for number, row in asked.items()},
            )
        except SystemFault as fault:
            why = f": {fault.what}"
        for number, places in read.items():
            counts[number] = places.counted
            self._remember(asked[number], counts[number])
        unread = len(asked) - len(read)
        said = f"the counts of {some(unread, 'test set')} were not read{why}"
        return counts, (said,) if unread else ()

    def _remember(self, row: SetRow, counted: Counted) -> None:
        now, changed = self._now(), _set_changed(row)
        if changed is not None and now - changed > SETTLED:
            _keep(self._counts, row.id, (_stamp(row), now, counted))

    async def _reasons(self, project: int, number: int, places: Places) -> tuple[Mapping[int, Told], tuple[str, ...]]:
        """What the newest results of a set tell of its instances, and what could not be read, in words."""
        try:
            found = await self._list(
                f"/projects/{project}/runs.json",
                ResultRow,
                {"set-ids": str(number)},
                project=project,
                pages=REASON_PAGES,
                belongs=places.belongs(),
            )
        except SystemFault as fault:
            return {}, (f"the reasons: {fault.what}",)
        of: dict[int, list[ResultRow]] = {}
        for row in found.rows:
            of.setdefault(read_number(row.attributes.instance_id) or 0, []).append(row)
        gaps = [f"reasons: {each}" for each in found.missing]
        steps: Mapping[int, str] = {}
        try:
            steps = await self._steps(project, list(filter(None, (_silent(place, of) for place in places.rows))))
        except SystemFault as fault:
            gaps.append(f"the reasons of manual results: {fault.what}")
        return {place.id: read_told(place, of.get(place.id, ()), steps) for place in places.rows}, tuple(gaps)

    async def _steps(self, project: int, results: Sequence[ResultRow]) -> Mapping[int, str]:
        """What people wrote as actual result of the failed steps, by the result's number; of the newest results."""
        newest = sorted(results, key=_age, reverse=True)[:BATCH]
        if not newest:
            return {}
        found = await self._list(
            f"/projects/{project}/step_runs.json",
            StepRow,
            {"run-ids": ",".join(str(row.id) for row in newest)},
            project=project,
            pages=2,
            keep=lambda row: row.attributes.status == "FAILED",
        )
        said: dict[int, str] = {}
        for row in found.rows:
            its = row.attributes
            said.setdefault(read_number(its.run_id) or 0, plain(read_text(its.actual_results)) or read_text(its.name))
        return said

    async def _wanted_results(
        self, number: int, places: Places, query: ResultQuery
    ) -> tuple[dict[str, str], Callable[[ResultRow], bool]]:
        """As `_wanted`, for the results of a set. A status is left to the caller where only the latest are wanted."""
        params = {"set-ids": str(number)}
        wanted: set[int] | None = None
        if query.instance:
            wanted = _pick(places, "instance", query.instance, lambda row, word: word in (
                str(row.id), row.attributes.display_id))  # fmt: skip
            params |= _ids("instance-ids", wanted)
        if query.test:
            tests = _pick(places, "test", query.test, _is_test)
            wanted = tests if wanted is None else wanted & tests
            if all(map(read_number, query.test)):
                params |= _ids("test-ids", {int(word) for word in query.test})
            elif not query.instance:
                params |= _ids("instance-ids", tests)
        if query.owner or query.unassigned:
            owners = {*await self._person_numbers(query.owner), *([None] if query.unassigned else ())}
            owned = {row.id for row in places.rows if _owner(row.attributes) in owners}
            wanted = owned if wanted is None else wanted & owned
        kind = {True: "AutomatedRun", False: "ManualRun", None: ""}[query.automated]
        params |= {"run-type": kind} if kind else {}
        if query.since:
            hours = math.ceil((self._now() - query.since) / timedelta(hours=1))
            params["updated-hours-ago"] = str(max(1, hours))
        people = await self._person_numbers(query.by)

        def keep(row: ResultRow) -> bool:
            its = row.attributes
            return (
                (wanted is None or read_number(its.instance_id) in wanted)
                and (not people or read_number(its.tester_id) in people)
                and (not kind or its.run_type in (None, kind))
                and within(_changed(row), query.since, query.until)
                and (query.latest or _in_status(row, query.status))
            )

        return params, keep

    # People and names.

    async def _names(self, project: int, rows: Sequence[SetRow] = (), *, people: Collection[int] = ()) -> Names:
        """What is needed to name these; empty, for now, where it can't be read."""
        assigned = {read_text(row.attributes.assigned_to_type) for row in rows if row.attributes.assigned_to_id}
        users, groups, milestones = await asyncio.gather(
            _or_nothing(bool(people or assigned - {"group"}), self._users),
            _or_nothing("group" in assigned, lambda: self._table("groups", project)),
            _or_nothing(any(row.attributes.milestone_id for row in rows), lambda: self._table("milestones", project)),
        )
        return Names(users, groups, milestones)

    async def _users(self) -> Mapping[int, Person]:
        async def ask() -> Mapping[int, Person]:
            found = await self._list("/users.json", NameRow, pages=NAME_PAGES)
            return {row.id: read_person(row) for row in found.rows}

        return await self._known("users", ask)

    async def _table(self, what: str, project: int) -> Mapping[int, str]:
        async def ask() -> Mapping[int, str]:
            found = await self._list(f"/projects/{project}/{what}.json", NameRow, project=project, pages=NAME_PAGES)
            return {row.id: sys.intern(read_text(row.attributes.name)) for row in found.rows}

        return await self._known((what, project), ask)

    async def _known(self, key: Hashable, ask: Callable[[], Awaitable[T]]) -> T:
        """From memory for five minutes, also that it is forbidden."""

        async def told() -> T | Forbidden:
            try:
                return await ask()
            except Forbidden as refusal:
                return refusal

        known = await self._kept.get(key, told)
        if isinstance(known, Forbidden):
            raise Forbidden(LABEL, known.what, why=known.why, fix=known.fix)
        return known

    async def _person_numbers(self, typed: Sequence[Who]) -> Sequence[int]:
        """Raises NotFoundError with the closest names."""
        people: Sequence[Person] = ()
        if not all(read_digits(who.text) for who in typed):
            try:
                people = tuple((await self._users()).values())
            except Forbidden:
                who = next(who for who in typed if not read_digits(who.text))
                fix = "Give the user's number: our key may not list users."
                raise none_such(LABEL, "user", who.text or who.email, (), fix=fix) from None
        return look_up_people(LABEL, typed, people)

    async def _milestone_numbers(self, project: int, typed: Sequence[str]) -> Sequence[int]:
        named = not all(read_digits(word) for word in typed)
        return look_up(LABEL, "milestone", typed, await self._table("milestones", project) if named else {})

    # The wire.

    async def _list(
        self,
        path: str,
        shape: type[Row[A]],
        params: Mapping[str, str] | None = None,
        *,
        pages: int,
        project: int | None = None,
        keep: Callable[[Row[A]], bool] = lambda _row: True,
        enough: Callable[[Sequence[Row[A]]], bool] = lambda _rows: False,
        belongs: Callable[[Row[A]], str] = lambda _row: "",
        shared: bool = False,
    ) -> Found[A]:
        """The rows of a list, at most so many pages of the newest ones; of page 1 only if its rows are `enough`.

        Rows of another project, or of which `belongs` says what they are instead, are left out and reported. Pages that
        are `shared` may have been read within the last minute where nobody waits for them: many digests come at nine.
        """
        patience = PATIENCE.get()
        shared = shared and patience is not None and not patience.person
        began_at = self._now()
        backwards = cut = stopped = False
        unreadable = last = 0
        strangers: dict[str, int] = {}
        oldest: set[int] = set()

        async def read(number: int) -> Page[Row[A]]:
            nonlocal backwards, began_at, cut, stopped, unreadable, last
            asked = last - number + 2 if backwards and number > 1 else number
            query = urlencode({**(params or {}), "page[number]": asked, "page[size]": PAGE}, safe=",")
            page = functools.partial(self._page, f"{path}?{query}")
            answer, read_at = await (self._kept.get(page.args, page, keep=SHARED, stale=False) if shared else page())
            began_at = min(began_at, read_at)
            rows, bad = self._wire.rows(answer.data, shape)
            unreadable += bad
            meta = answer.meta or Meta()
            told, more = read_number(meta.total_pages), read_number(meta.next_page) is not None
            if number == 1:
                last = told or 1
                falling = not rows or _age(rows[0])[0] >= _age(rows[-1])[0]
                stopped = falling and (more or last > 1) and bool(rows) and enough(rows)
                cut, backwards = last > pages and not stopped, not falling and last > pages
                oldest.update(row.id for row in rows if backwards)
            cut = cut or (more and number >= pages)
            whole = not cut and not stopped
            return Page(
                rows,
                len(answer.data),
                total=meta.total_count if whole and isinstance(meta.total_count, int) else None,
                last=1 if stopped else None if told is None and more else min(told or 1, pages),
                more=more and number < pages and not stopped,
                unreadable=bad,
            )

        def ours(row: Row[A]) -> bool:
            other = "of another project" if project and row.project not in (None, project) else belongs(row)
            if other:
                strangers[other] = strangers.get(other, 0) + 1
            return not other and row.id not in oldest and keep(row)

        try:
            found = await by_number(read, key=attrgetter("id"), now=self._now, keep=ours)
        except Gone:
            if project is None:
                raise
            raise NotFoundError(
                f"No project {project} in {LABEL}.",
                why="It is not there, or our token may not see it.",
                fix="Name one by its number or its name.",
            ) from None
        missing = list(found.missing)
        missing += [f"only the newest {pages - backwards} of {last:,} pages were read"] if cut else []
        missing += [words for other, number in strangers.items() for words in left_out(number, other)]
        total = None if cut or stopped else found.total
        return Found(found.items, began_at, tuple(missing), total, unreadable)

    async def _page(self, target: str) -> tuple[Envelope, datetime]:
        """A page of a list, and when it was asked for."""
        asked_at = self._now()
        return await self._wire.get(target, Envelope), asked_at


def _set_changed(row: SetRow) -> datetime | None:
    return read_moment(row.attributes.updated_at) or read_moment(row.attributes.last_run)


def _stamp(row: SetRow) -> tuple[Any, ...]:
    its = row.attributes
    return (its.updated_at, its.last_run, read_size(row), its.run_status)


def _keeps(counted: Counted) -> timedelta:
    return UNCHANGED if counted.tally.untested or counted.tally.running else DONE_KEPT


def _silent(place: PlaceRow, of: Mapping[int, Sequence[ResultRow]]) -> ResultRow | None:
    """The newest failed result of an instance that fails, if it came without any output: a person's."""
    failed = [row for row in of.get(place.id, ()) if row.attributes.status == "FAILED"]
    if place.attributes.run_status != "FAILED" or not failed:
        return None
    newest = max(failed, key=_age)
    return None if newest.attributes.automated_execution_output else newest


def _pick(places: Places, noun: str, words: Sequence[str], means: Callable[[PlaceRow, str], bool]) -> set[int]:
    """The instances that words mean. Raises NotFoundError for a word that means none of them."""
    picked: set[int] = set()
    for word in words:
        found = {row.id for row in places.rows if means(row, word.strip())}
        if not found and places.whole:
            raise none_such(LABEL, f"{noun} of this test set", word, (_place_name(row) for row in places.rows))
        picked |= found or ({int(word)} if noun == "instance" and read_number(word) else set())
    return picked


def _is_test(row: PlaceRow, word: str) -> bool:
    return str(row.attributes.test_id) == word if read_number(word) else word.casefold() in _place_name(row).casefold()


def _in_status(row: ResultRow, words: Sequence[str]) -> bool:
    outcome, label = read_outcome(row.attributes.status)
    return not words or any(word.casefold() in (outcome.value, label.casefold()) for word in words)


def _ids(name: str, numbers: Collection[int]) -> dict[str, str]:
    return {name: ",".join(map(str, sorted(numbers)))} if 0 < len(numbers) <= BATCH else {}


def _tester(row: ResultRow) -> int:
    return read_number(row.attributes.tester_id) or 0


def _by_name(user: tuple[int, Person]) -> tuple[str, int]:
    number, person = user
    return person.name.casefold(), number


@contextmanager
def _ahead() -> Iterator[None]:
    """A change that a person confirmed goes ahead of background work, whoever carries it out."""
    patience = PATIENCE.get()
    mark = PATIENCE.set(replace(patience, person=True) if patience else None)
    try:
        yield
    finally:
        PATIENCE.reset(mark)


async def _or_nothing(needed: bool, ask: Callable[[], Awaitable[Mapping[int, T]]]) -> Mapping[int, T]:
    """Names are good to have: an answer without them says `user 17`."""
    with suppress(SystemFault, NotFoundError):
        return await ask() if needed else {}
    return {}


def _keep(memory: OrderedDict[int, T], key: int, value: T) -> None:
    """Remember at most 10,000 of these, the oldest go first."""
    memory[key] = value
    memory.move_to_end(key)
    if len(memory) > MOST_SETS:
        memory.popitem(last=False)


SYSTEM = System(
    name="practitest",
    label=LABEL,
    options=(
        Option("url", "the address of the API, such as https://api.practitest.com/api/v2", of="url"),
        Option("token", "an API token of the account, or a personal one", of="secret"),
        Option("project", "the number of the project that is meant when none is named", of="number", required=False),
        Option(
            "web_url",
            f"the address of PractiTest's pages, such as {WEB}",
            of="url",
            required=False,
            default=WEB,
        ),
        Option(
            "mark_field",
            "the number of the custom field of test sets that stands for closing them, such as 45911 or ---f-45911",
            required=False,
        ),
        Option("mark_value", f"what that field is set to, such as {MARKED}", required=False, default=MARKED),
    ),
    kinds=(SET,),
    connect=PractiTest,
    per_minute=30,
)
