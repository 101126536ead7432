"""What the sample TestRail keeps. Times are UNIX seconds, ids are TestRail's, None is JSON's null."""

from __future__ import annotations

from dataclasses import dataclass, field

PASSED, BLOCKED, UNTESTED, RETEST, FAILED = 1, 2, 3, 4, 5
#: custom_status1 is 6, custom_status7 is 12.
KNOWN_ISSUE, SKIPPED, IN_PROGRESS, WONT_TEST, UNSTABLE, NOT_APPLICABLE, NEEDS_REVIEW = range(6, 13)


@dataclass(slots=True)
class User:
    id: int
    name: str
    email: str
    is_active: bool = True
    is_admin: bool = False
    role: str = "Tester"
    role_id: int = 3


@dataclass(slots=True)
class Status:
    """`colors` are dark, medium, bright as 24-bit numbers."""

    id: int
    name: str
    label: str
    colors: tuple[int, int, int]
    is_final: bool = True


@dataclass(slots=True)
class Project:
    """`suite_mode`: 1 one suite, 2 one suite with baselines, 3 several suites."""

    id: int
    name: str
    suite_mode: int
    announcement: str | None = None
    is_completed: bool = False
    completed_on: int | None = None


@dataclass(slots=True)
class Milestone:
    id: int
    project_id: int
    name: str
    due_on: int | None = None
    started_on: int | None = None
    completed_on: int | None = None
    description: str | None = None


@dataclass(slots=True)
class Suite:
    id: int
    project_id: int
    name: str
    is_master: bool = False
    description: str | None = None


@dataclass(slots=True)
class Section:
    id: int
    suite_id: int
    name: str
    display_order: int
    parent_id: int | None = None
    description: str | None = None


@dataclass(slots=True)
class Case:
    id: int
    suite_id: int
    section_id: int
    title: str
    created_on: int
    created_by: int = 6
    priority_id: int = 2
    type_id: int = 7
    template_id: int = 1
    milestone_id: int | None = None
    estimate: str | None = None
    refs: str | None = None
    display_order: int = 1
    custom: dict[str, object] = field(default_factory=dict)


@dataclass(slots=True)
class ConfigGroup:
    """A group of configurations; `configs` maps id to name."""

    id: int
    project_id: int
    name: str
    configs: dict[int, str]


@dataclass(slots=True)
class Result:
    """`status_id` is None where somebody only commented or assigned. `elapsed` reads like "1m 45s"."""

    id: int
    test_id: int
    status_id: int | None
    created_by: int
    created_on: int
    assignedto_id: int | None = None
    comment: str | None = None
    version: str | None = None
    elapsed: str | None = None
    defects: str | None = None
    custom: dict[str, object] = field(default_factory=dict)


@dataclass(slots=True)
class Test:
    """One case inside one run. `title` is kept, as TestRail does when a run is closed. `results`: oldest first."""

    id: int
    run_id: int
    case_id: int
    title: str
    status_id: int = UNTESTED
    assignedto_id: int | None = None
    results: list[Result] = field(default_factory=list)


@dataclass(slots=True)
class Dormant:
    """The tests of a run nobody has looked into: one status per test, ids counted up from the first ones."""

    statuses: bytes
    case_ids: tuple[int, ...]
    first_test: int
    first_result: int


@dataclass(slots=True)
class Run:
    """A run. `tests` maps case id to test; with `dormant` they are made when first asked for."""

    id: int
    project_id: int
    suite_id: int
    name: str
    created_on: int
    created_by: int
    description: str | None = None
    milestone_id: int | None = None
    assignedto_id: int | None = None
    include_all: bool = True
    completed_on: int | None = None
    updated_on: int | None = None
    plan_id: int | None = None
    entry_id: str | None = None
    config_ids: tuple[int, ...] = ()
    refs: str | None = None
    tests: dict[int, Test] | None = None
    dormant: Dormant | None = None


@dataclass(slots=True)
class Entry:
    """One line of a plan: a suite, run in one or several configurations."""

    id: str
    plan_id: int
    suite_id: int
    name: str
    include_all: bool = True
    description: str | None = None
    refs: str | None = None
    run_ids: list[int] = field(default_factory=list)


@dataclass(slots=True)
class Plan:
    id: int
    project_id: int
    name: str
    created_on: int
    created_by: int
    description: str | None = None
    milestone_id: int | None = None
    assignedto_id: int | None = None
    completed_on: int | None = None
    updated_on: int | None = None
    refs: str | None = None
    entries: list[Entry] = field(default_factory=list)
