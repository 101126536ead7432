"""What the sample instance keeps. Times are aware, in UTC and whole milliseconds; elapsed is in microseconds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from bot.sandbox.testmo.statuses import FAILED, FAILURE, RUNNING, SUCCESS, UNTESTED

Json = dict[str, object]


@dataclass(slots=True)
class User:
    """A person or an API user. An erased person (`is_forgotten`) has neither name nor email."""

    id: int
    name: str | None
    email: str | None
    created_at: datetime
    is_admin: bool = False
    is_active: bool = True
    is_forgotten: bool = False
    is_api: bool = False
    timezone: str = "Europe/Berlin"


@dataclass(slots=True)
class Project:
    """One project; `members` are ids of users."""

    id: int
    name: str
    created_at: datetime
    created_by: int
    members: tuple[int, ...]


@dataclass(slots=True)
class Named:
    """Anything that is an id and a name here: configurations, tags, templates, folders, milestone types."""

    id: int
    name: str


@dataclass(slots=True)
class State:
    """A workflow state of manual runs; says nothing about whether a run is closed."""

    id: int
    name: str
    is_default: bool = False


@dataclass(slots=True)
class Issue:
    """A ticket in the tracker, `display_id` as people say it ("SHOP-1287")."""

    id: int
    display_id: str
    type: int = 1
    external_project_id: int = 10
    external_project_key: str = "SHOP"


@dataclass(slots=True)
class Milestone:
    """A milestone; automation runs with one of `automation_tags` join it when they are created."""

    id: int
    project_id: int
    name: str
    created_at: datetime
    created_by: int
    type_id: int = 1
    parent_id: int | None = None
    note: str | None = None
    automation_tags: tuple[str, ...] = ()
    issues: tuple[int, ...] = ()
    start_date: str | None = None
    due_date: str | None = None
    started_at: datetime | None = None
    completed_at: datetime | None = None


@dataclass(slots=True)
class Case:
    """A case of the repository: the name behind a result's `case_id`."""

    id: int
    project_id: int
    name: str
    folder_id: int
    created_at: datetime
    created_by: int
    tags: tuple[int, ...] = ()
    has_automation: bool = False


@dataclass(slots=True)
class Source:
    """What automation runs of one suite have in common."""

    id: int
    project_id: int
    name: str
    created_at: datetime
    created_by: int
    retired_at: datetime | None = None
    retired_by: int | None = None


@dataclass(slots=True)
class AutomationTest:
    """One result of an automated test. `key` names the test across the runs of its source."""

    id: int
    key: str
    name: str
    folder: str
    status_id: int
    created_at: datetime
    elapsed: int | None = None
    file: str | None = None
    line: int | None = None
    assertions: int | None = None
    artifacts: tuple[Json, ...] = ()
    fields: tuple[Json, ...] = ()


@dataclass(slots=True)
class Thread:
    """A parallel part of an automation run; `index` counts from 1 within the run."""

    id: int
    index: int
    created_at: datetime
    created_by: int
    tests: list[AutomationTest] = field(default_factory=list)
    elapsed_observed: int | None = None
    elapsed_computed: int | None = None
    artifacts: tuple[Json, ...] = ()
    fields: tuple[Json, ...] = ()
    completed_at: datetime | None = None
    completed_by: int | None = None

    @property
    def elapsed(self) -> int | None:
        """Observed time, else computed, else the sum of the tests' own."""
        if self.elapsed_observed is not None:
            return self.elapsed_observed
        if self.elapsed_computed is not None:
            return self.elapsed_computed
        known = [test.elapsed for test in self.tests if test.elapsed is not None]
        return sum(known) if known else None

    @property
    def status(self) -> int:
        """4 while it is open, then 3 when a test failed, else 2."""
        if self.completed_at is None:
            return RUNNING
        return FAILURE if any(test.status_id == FAILED for test in self.tests) else SUCCESS


@dataclass(slots=True)
class AutomationRun:
    """An automation run. `shown_status` overrides what follows from the threads while the run is not completed:

    the vendor's own sample shows a run with status 2, active threads and `is_completed` false.
    """

    id: int
    project_id: int
    source_id: int
    name: str
    created_at: datetime
    created_by: int
    config_id: int | None = None
    milestone_id: int | None = None
    tags: tuple[str, ...] = ()
    artifacts: tuple[Json, ...] = ()
    fields: tuple[Json, ...] = ()
    links: tuple[Json, ...] = ()
    threads: list[Thread] = field(default_factory=list)
    measured_elapsed: int | None = None
    shown_status: int | None = None
    updated_at: datetime | None = None
    updated_by: int | None = None
    completed_at: datetime | None = None
    completed_by: int | None = None

    def tests(self) -> Iterator[AutomationTest]:
        """The tests of all threads."""
        for thread in self.threads:
            yield from thread.tests

    @property
    def elapsed(self) -> int | None:
        """Measured from start to end when asked for, else that of the longest thread."""
        if self.measured_elapsed is not None:
            return self.measured_elapsed
        known = [thread.elapsed for thread in self.threads if thread.elapsed is not None]
        return max(known) if known else None

    @property
    def status(self) -> int:
        """4 while threads are open (or none came yet), then 3 when a test failed, else 2."""
        if self.completed_at is None:
            if self.shown_status is not None:
                return self.shown_status
            if not self.threads or any(thread.completed_at is None for thread in self.threads):
                return RUNNING
        return FAILURE if any(test.status_id == FAILED for test in self.tests()) else SUCCESS


@dataclass(slots=True)
class Result:
    """One outcome of one test of a manual run. `note` is HTML."""

    id: int
    test_id: int
    case_id: int
    status_id: int
    created_at: datetime
    created_by: int
    note: str | None = None
    elapsed: int | None = None
    assignee_id: int | None = None
    issues: tuple[int, ...] = ()
    updated_at: datetime | None = None
    updated_by: int | None = None
    deleted_at: datetime | None = None
    deleted_by: int | None = None


@dataclass(slots=True)
class ManualRun:
    """A manual run: `tests` maps test ids to case ids, `results` is the whole history in order of creation."""

    id: int
    project_id: int
    name: str
    created_at: datetime
    created_by: int
    state_id: int = 1
    config_id: int | None = None
    milestone_id: int | None = None
    forecast: int | None = None
    issues: tuple[int, ...] = ()
    links: tuple[Json, ...] = ()
    tags: tuple[str, ...] = ()
    tests: dict[int, int] = field(default_factory=dict)
    results: list[Result] = field(default_factory=list)
    updated_at: datetime | None = None
    updated_by: int | None = None
    closed_at: datetime | None = None
    closed_by: int | None = None

    def latest(self) -> dict[int, Result]:
        """The last result of each test that has one; deleted results do not count."""
        return {result.test_id: result for result in self.results if result.deleted_at is None}

    def status_ids(self) -> Iterator[int]:
        """The present status of every test."""
        latest = self.latest()
        for test_id in self.tests:
            result = latest.get(test_id)
            yield UNTESTED if result is None else result.status_id
