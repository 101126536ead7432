"""Runs and what is in them, as people speak of them whatever system they live in. Times are aware and in UTC."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Generic, TypeVar

from bot.domain.outcomes import Outcome, Tally

T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of run in one system, and what that system can do with it.

    `letter` is what people type before the number; `ended` the system's word for finished (`closed`, `completed`).
    `automated` is None where the system does not tell. `verbs` and `filters` are what it can do beyond `list`
    and `show`; `cannot` says in one sentence, verb by verb, what it can't and what is possible instead. `closing` tells
    what closing a run of it means, `closing_thread` what closing one thread does; None where that can't be done.
    """

    letter: str
    noun: str
    plural: str
    ended: str
    automated: bool | None = None
    verbs: frozenset[str] = frozenset()
    filters: frozenset[str] = frozenset()
    cannot: Mapping[str, str] = field(default_factory=dict)
    closing: Closing | None = None
    closing_thread: Closing | None = None


@dataclass(frozen=True, slots=True)
class Closing:
    """What closing means for one kind of run, in its system's words.

    `verb` and `done` are the system's (`complete`, `completed`); `consequences` are whole sentences; `for_good` tells
    that it cannot be undone; with `finishes` false the run stays open for results (it is only marked).
    """

    verb: str
    done: str
    consequences: tuple[str, ...] = ()
    for_good: bool = True
    finishes: bool = True


@dataclass(frozen=True, slots=True)
class RunRef:
    """Where a run is: the connection, the kind's letter, its number there; `thread` for a part of an automation run."""

    connection: str
    letter: str
    id: int
    thread: int | None = None

    @property
    def short(self) -> str:
        """As people type it: `R118`, `A412/3`."""
        return f"{self.letter}{self.id}" + ("" if self.thread is None else f"/{self.thread}")

    def __str__(self) -> str:
        return f"{self.connection}:{self.short}"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody as a system knows them. `id` is the system's number as text; `email` is empty where it is not told."""

    id: str
    name: str
    email: str = ""


@dataclass(frozen=True, slots=True)
class Project:
    id: int
    name: str


class State(StrEnum):
    """What a run looks like at a glance. Finished or not is the system's word, never guessed from a colour."""

    FAILED = "failed"  # finished with failures
    FAILING = "failing"  # not finished, failures already
    PASSED = "passed"  # finished, nothing failed and nothing left undone
    INCOMPLETE = "incomplete"  # finished with tests left (untested, blocked, …) or without any, nothing failed
    BLOCKED = "blocked"  # not finished, nothing failed, something blocked
    RUNNING = "running"  # not finished, and a machine is at it
    OPEN = "open"  # not finished, nothing failed


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run as its system tells it, read at `read_at`.

    `series` names what may be compared (source, suite, or the name without its numbers) and `series_id` is the
    system's number for it; see `bot.domain.streams`. `verdict` is the system's own word where it has one.
    `page` is the address of its page with `{id}` in it; `elapsed_s` is wall time in seconds.
    `rich` tells that its description has formatting there that is not told here. `missing` says in words what could
    not be read of it: with `its counts`, an empty tally means nothing.
    """

    ref: RunRef
    kind: Kind
    project: int
    name: str
    tally: Tally
    finished: bool
    created_at: datetime
    read_at: datetime
    finished_at: datetime | None = None
    updated_at: datetime | None = None
    by: str = ""
    assignee: str = ""
    series: str = ""
    series_id: int | None = None
    config: str = ""
    milestone: str = ""
    source: str = ""
    workflow: str = ""
    refs: str = ""
    tags: tuple[str, ...] = ()
    links: tuple[tuple[str, str], ...] = ()
    description: str = ""
    rich: bool = False
    elapsed_s: float | None = None
    verdict: Outcome | None = None
    threads_total: int = 0
    threads_active: int = 0
    parent: RunRef | None = None
    page: str = ""
    missing: tuple[str, ...] = ()

    @property
    def url(self) -> str:
        return self.page.format(id=self.ref.id)

    @property
    def failing(self) -> bool:
        return self.tally.failed > 0 or self.verdict is Outcome.FAILED

    @property
    def state(self) -> State:
        if self.failing:
            return State.FAILED if self.finished else State.FAILING
        if self.finished:
            tally = self.tally
            left = tally.untested + tally.blocked + tally.retest + tally.running
            empty = not tally.total and self.verdict is not Outcome.PASSED
            return State.INCOMPLETE if left or empty else State.PASSED
        if self.tally.blocked:
            return State.BLOCKED
        return State.RUNNING if self.verdict is Outcome.RUNNING or self.threads_active else State.OPEN


@dataclass(frozen=True, slots=True, kw_only=True)
class Thread:
    """One of the parallel parts of an automation run. `index` counts from 1, as people type it: `A412/3`."""

    index: int
    id: int
    name: str
    tally: Tally
    finished: bool
    created_at: datetime
    finished_at: datetime | None = None
    elapsed_s: float | None = None
    verdict: Outcome | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Test:
    """One thing executed in a run, as it stands now.

    `key` is the same for the same test in every run of a stream. `label` is the system's own word for the outcome.
    `note` is the reason in plain text (HTML and Markdown already removed). `retried` tells that it failed earlier
    in this very run. `elapsed_s` is seconds.
    """

    key: str
    name: str
    outcome: Outcome
    label: str = ""
    id: str = ""
    url: str = ""
    folder: str = ""
    assignee: str = ""
    assignee_id: str = ""
    note: str = ""
    defects: str = ""
    at: datetime | None = None
    elapsed_s: float | None = None
    thread: int | None = None
    retried: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One outcome of one test, at one time.

    `test` is the test's name where it is known, else its number in words (`test 64`). `outcome` is None for a bare
    comment. `elapsed_s` is seconds, None where the system keeps none. Source: TestRail `get_results_for_run`;
    for the others see their `read_result`.
    """

    test: str
    outcome: Outcome | None
    at: datetime
    label: str = ""
    by: str = ""
    assignee: str = ""
    note: str = ""
    defects: str = ""
    url: str = ""
    version: str = ""
    elapsed_s: float | None = None


@dataclass(frozen=True, slots=True)
class Listing(Generic[T_co]):
    """Rows that were asked for, and whether they are all.

    `total` is how many there are as the system counts them, None where it does not say or rows were sorted out here.
    `missing` says in words what is not here (`page 7 of 12`); empty when the rows are complete.
    """

    items: tuple[T_co, ...]
    read_at: datetime
    total: int | None = None
    missing: tuple[str, ...] = ()

    @property
    def partial(self) -> bool:
        return bool(self.missing)
