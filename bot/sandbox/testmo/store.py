"""The instance's memory and the changes it knows. Every change takes its moment and its author by argument."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.sandbox.testmo.records import (
    AutomationRun,
    AutomationTest,
    Case,
    Issue,
    Json,
    ManualRun,
    Milestone,
    Named,
    Project,
    Result,
    Source,
    State,
    Thread,
    User,
)

MICROSECOND = timedelta(microseconds=1)


@dataclass(slots=True)
class Draft:
    """A test result as automation sends it, before it has an id."""

    key: str
    name: str
    folder: str
    status_id: int
    elapsed: int | None = None
    file: str | None = None
    line: int | None = None
    assertions: int | None = None
    artifacts: tuple[Json, ...] = ()
    fields: tuple[Json, ...] = ()


@dataclass
class Store:
    """Everything the instance keeps, by id; `last_ids` are the highest ids given out, by kind."""

    users: dict[int, User] = field(default_factory=dict)
    projects: dict[int, Project] = field(default_factory=dict)
    sources: dict[int, Source] = field(default_factory=dict)
    milestones: dict[int, Milestone] = field(default_factory=dict)
    milestone_types: dict[int, Named] = field(default_factory=dict)
    configs: dict[int, Named] = field(default_factory=dict)
    states: dict[int, State] = field(default_factory=dict)
    issues: dict[int, Issue] = field(default_factory=dict)
    tags: dict[int, Named] = field(default_factory=dict)
    folders: dict[int, Named] = field(default_factory=dict)
    templates: dict[int, Named] = field(default_factory=dict)
    cases: dict[int, Case] = field(default_factory=dict)
    automation_runs: dict[int, AutomationRun] = field(default_factory=dict)
    threads: dict[int, tuple[AutomationRun, Thread]] = field(default_factory=dict)
    manual_runs: dict[int, ManualRun] = field(default_factory=dict)
    automation_cases: dict[tuple[int, str], int] = field(default_factory=dict)
    case_links: dict[str, int] = field(default_factory=dict)
    last_ids: dict[str, int] = field(default_factory=dict)

    def next_id(self, kind: str) -> int:
        """A fresh id; ids of a kind only grow, removed ones do not come back."""
        self.last_ids[kind] = self.last_ids.get(kind, 0) + 1
        return self.last_ids[kind]

    def source_named(self, project_id: int, name: str, *, at: datetime, by: int) -> Source:
        """The project's source with this name, made when it is new (as the vendor does on creating a run)."""
        for source in self.sources.values():
            if source.project_id == project_id and source.name == name:
                return source
        source = Source(self.next_id("source"), project_id, name, at, by)
        self.sources[source.id] = source
        return source

    def milestone_for_tags(self, project_id: int, tags: Iterable[str]) -> int | None:
        """The milestone that wants automation runs with one of these tags."""
        wanted = set(tags)
        return next(
            (
                milestone.id
                for milestone in self.milestones.values()
                if milestone.project_id == project_id and wanted.intersection(milestone.automation_tags)
            ),
            None,
        )

    def start_run(
        self,
        project_id: int,
        source: str,
        name: str,
        *,
        at: datetime,
        by: int,
        config_id: int | None = None,
        milestone_id: int | None = None,
        tags: Sequence[str] = (),
        artifacts: Sequence[Json] = (),
        fields: Sequence[Json] = (),
        links: Sequence[Json] = (),
    ) -> AutomationRun:
        """A new automation run without threads."""
        run = AutomationRun(
            self.next_id("automation_run"),
            project_id,
            self.source_named(project_id, source, at=at, by=by).id,
            name,
            at,
            by,
            config_id,
            milestone_id or self.milestone_for_tags(project_id, tags),
            tuple(tags),
            tuple(artifacts),
            tuple(fields),
            tuple(links),
        )
        self.automation_runs[run.id] = run
        return run

    def start_thread(self, run: AutomationRun, *, at: datetime, by: int) -> Thread:
        """A new, open thread with the run's next index."""
        thread = Thread(self.next_id("thread"), len(run.threads) + 1, at, by)
        run.threads.append(thread)
        self.threads[thread.id] = (run, thread)
        return thread

    def add_tests(self, run: AutomationRun, thread: Thread, drafts: Iterable[Draft], *, at: datetime) -> None:
        """More results for a thread; ids grow with the order of arrival."""
        for draft in drafts:
            self.automation_case(run.source_id, draft.key)
            thread.tests.append(
                AutomationTest(
                    self.next_id("automation_test"),
                    draft.key,
                    draft.name,
                    draft.folder,
                    draft.status_id,
                    at,
                    draft.elapsed,
                    draft.file,
                    draft.line,
                    draft.assertions,
                    draft.artifacts,
                    draft.fields,
                )
            )

    def automation_case(self, source_id: int, key: str) -> int:
        """The id of the automated test with this key in this source, for all its results."""
        known = self.automation_cases.get((source_id, key))
        if known is None:
            known = self.automation_cases[source_id, key] = self.next_id("automation_case")
        return known

    def complete_thread(self, thread: Thread, *, at: datetime, by: int) -> None:
        """Closes a thread for results."""
        thread.completed_at, thread.completed_by = at, by

    def complete_run(self, run: AutomationRun, *, at: datetime, by: int, measure_elapsed: bool = False) -> None:
        """Closes a run and its open threads; with `measure_elapsed` its time is from creation to now."""
        for thread in run.threads:
            if thread.completed_at is None:
                self.complete_thread(thread, at=at, by=by)
        run.completed_at, run.completed_by, run.shown_status = at, by, None
        if measure_elapsed:
            run.measured_elapsed = (at - run.created_at) // MICROSECOND

    def remove_run(self, run_id: int) -> None:
        """Takes an automation run and its threads away."""
        for thread in self.automation_runs.pop(run_id).threads:
            del self.threads[thread.id]

    def add_result(
        self,
        run: ManualRun,
        test_id: int,
        status_id: int,
        *,
        at: datetime,
        by: int,
        note: str | None = None,
        elapsed: int | None = None,
        assignee_id: int | None = None,
        issues: Sequence[int] = (),
    ) -> Result:
        """One more result for a test of a manual run."""
        result = Result(
            self.next_id("result"),
            test_id,
            run.tests[test_id],
            status_id,
            at,
            by,
            note,
            elapsed,
            assignee_id,
            tuple(issues),
        )
        run.results.append(result)
        run.updated_at, run.updated_by = at, by
        return result

    def close_run(self, run: ManualRun, *, at: datetime, by: int) -> None:
        """Closes a manual run; untested tests stay untested."""
        run.closed_at, run.closed_by = at, by
