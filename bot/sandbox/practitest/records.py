"""What a PractiTest account keeps. Plain values; times are aware and in UTC, durations are seconds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime

#: A custom-field's value: text, a choice, several choices, or nothing.
FieldValue = str | list[str] | None
CustomFields = dict[str, FieldValue]


@dataclass(frozen=True, slots=True)
class Project:
    """One project of the account."""

    id: int
    name: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class User:
    """One person with a login. `active` only filters; the API does not show it."""

    id: int
    first_name: str | None
    last_name: str | None
    display_name: str
    email: str
    created_at: datetime
    active: bool = True


@dataclass(frozen=True, slots=True)
class Group:
    """A group of people that sets can be assigned to."""

    id: int
    name: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Milestone:
    """A dated goal of a project; sets point to it."""

    id: int
    project_id: int
    display_id: int
    name: str
    status: str
    kind: str
    starts: date
    ends: date
    author_id: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class CustomField:
    """A field the account added. `format` is list, multilist, text, user …; `values` are a list's choices."""

    id: int
    project_id: int
    name: str
    format: str
    values: tuple[str, ...]
    created_at: datetime

    @property
    def key(self) -> str:
        """Its name inside `custom-fields`."""
        return f"---f-{self.id}"


@dataclass(slots=True)
class LibraryTest:
    """A test of the test library; instances are its places in sets."""

    id: int
    project_id: int
    display_id: int
    name: str
    kind: str
    author_id: int
    estimate_s: int
    created_at: datetime
    run_status: str = "NO RUN"
    last_run: datetime | None = None


@dataclass(slots=True)
class SetRecord:
    """A test set: what other systems call a run. Its run status follows from its instances."""

    id: int
    project_id: int
    display_id: int
    name: str
    created_at: datetime
    updated_at: datetime
    description: str | None = None
    run_status: str = "NO RUN"
    last_run: datetime | None = None
    assigned_to_id: int | None = None
    assigned_to_type: str | None = None
    planned_execution: datetime | None = None
    version: str | None = None
    priority: str | None = None
    custom_fields: CustomFields = field(default_factory=dict)
    milestone_id: int | None = None


@dataclass(slots=True)
class Instance:
    """One test inside one set. Its run status is that of its newest run."""

    id: int
    project_id: int
    set_id: int
    test_id: int
    position: int
    name: str
    created_at: datetime
    updated_at: datetime
    run_status: str = "NO RUN"
    last_run: datetime | None = None
    last_duration_s: int = 0
    tester_id: int | None = None
    assigned_to_id: int | None = None
    assigned_to_type: str | None = None
    planned_execution: datetime | None = None
    version: str | None = None
    priority: str | None = None
    custom_fields: CustomFields = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Run:
    """One execution of an instance. `run_type` is AutomatedRun or ManualRun."""

    id: int
    project_id: int
    instance_id: int
    set_id: int
    test_id: int
    status: str
    run_type: str
    tester_id: int | None
    duration_s: int
    created_at: datetime
    updated_at: datetime
    output: str | None = None
    version: str | None = None
    custom_fields: CustomFields = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that came with a run, or with one of its steps (`step`, counted from 1)."""

    run_id: int
    filename: str
    content: bytes
    step: int | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One step as it was reported with a run."""

    name: str
    status: str
    description: str | None = None
    expected: str | None = None
    actual: str | None = None


@dataclass(frozen=True, slots=True)
class StepRun:
    """One step of one run; `position` counts from 1."""

    id: int
    project_id: int
    run_id: int
    position: int
    step: Step
    created_at: datetime


@dataclass(frozen=True, slots=True)
class FilterQuestion:
    """What a request says about a saved filter: for whom it asks, and an auto-filter's two levels."""

    user_id: int | None = None
    value: str | None = None
    sub_value: str | None = None


@dataclass(frozen=True, slots=True)
class SavedFilter:
    """A filter of test sets that people saved in PractiTest's pages; the API names it by number."""

    id: int
    project_id: int
    name: str
    matches: Callable[[SetRecord, FilterQuestion], bool]
    needs_user: bool = False
