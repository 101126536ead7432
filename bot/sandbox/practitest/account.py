"""The account's memory: every record by number, and the statuses that follow from each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from bot.sandbox.practitest.records import (
    Attachment,
    CustomField,
    CustomFields,
    Group,
    Instance,
    LibraryTest,
    Milestone,
    Project,
    Run,
    SavedFilter,
    SetRecord,
    Step,
    StepRun,
    User,
)
from bot.sandbox.practitest.statuses import roll_up


@dataclass(frozen=True, slots=True)
class NewRun:
    """A run about to be added. `ran_at` is a manual run's own date, None for the moment it is added."""

    instance_id: int
    status: str
    run_type: str = "AutomatedRun"
    tester_id: int | None = None
    ran_at: datetime | None = None
    duration_s: int = 0
    output: str | None = None
    version: str | None = None
    custom_fields: CustomFields = field(default_factory=dict)
    steps: Sequence[Step] = ()
    files: Sequence[tuple[int | None, str, bytes]] = ()


class Account:
    """All records of one PractiTest account. Numbers are never used twice."""

    def __init__(self) -> None:
        self.projects: dict[int, Project] = {}
        self.users: dict[int, User] = {}
        self.groups: dict[int, Group] = {}
        self.milestones: dict[int, Milestone] = {}
        self.fields: dict[int, CustomField] = {}
        self.filters: dict[int, SavedFilter] = {}
        self.tests: dict[int, LibraryTest] = {}
        self.sets: dict[int, SetRecord] = {}
        self.instances: dict[int, Instance] = {}
        self.runs: dict[int, Run] = {}
        self.step_runs: dict[int, StepRun] = {}
        self.attachments: list[Attachment] = []
        self._instances_of: dict[int, list[Instance]] = {}
        self._sets_made: dict[int, int] = {}
        self._last = {"set": 0, "instance": 97_000, "run": 49_000, "step_run": 374_000}

    def instances_of(self, set_id: int) -> list[Instance]:
        """A set's instances, in their order."""
        return self._instances_of.get(set_id, [])

    def add_set(self, project_id: int, name: str, at: datetime, *, set_id: int | None = None) -> SetRecord:
        """An empty set; `set_id` asks for a certain number."""
        number = self._number("set", set_id)
        display = self._sets_made[project_id] = self._sets_made.get(project_id, 0) + 1
        made = SetRecord(number, project_id, display, name, at, at)
        self.sets[number] = made
        self._instances_of[number] = []
        return made

    def add_instance(
        self,
        set_id: int,
        test_id: int,
        *,
        name: str | None = None,
        instance_id: int | None = None,
    ) -> Instance:
        """Put a test into a set; it is NO RUN until a run is added."""
        home, siblings = self.sets[set_id], self._instances_of[set_id]
        number = self._number("instance", instance_id)
        position = siblings[-1].position + 1 if siblings else 1
        made = Instance(
            number,
            home.project_id,
            set_id,
            test_id,
            position,
            name or self.tests[test_id].name,
            home.created_at,
            home.created_at,
        )
        self.instances[number] = made
        siblings.append(made)
        self._roll_up(home)
        return made

    def add_run(self, new: NewRun, at: datetime) -> Run:
        """Add a run; its instance, set and test take over its status and date."""
        place = self.instances[new.instance_id]
        run = Run(
            self._number("run"),
            place.project_id,
            place.id,
            place.set_id,
            place.test_id,
            new.status,
            new.run_type,
            new.tester_id,
            new.duration_s,
            at,
            at,
            new.output,
            new.version,
            dict(new.custom_fields),
        )
        self.runs[run.id] = run
        for position, step in enumerate(new.steps, 1):
            number = self._number("step_run")
            self.step_runs[number] = StepRun(number, place.project_id, run.id, position, step, at)
        self.attachments += [Attachment(run.id, name, content, step) for step, name, content in new.files]
        self._take_over(place, run, new.ran_at or at)
        return run

    def remove_set(self, set_id: int) -> None:
        """Delete a set with its instances and their runs. Raises KeyError when there is none."""
        del self.sets[set_id]
        for gone in self._instances_of.pop(set_id):
            del self.instances[gone.id]
        self.runs = {number: run for number, run in self.runs.items() if run.set_id != set_id}
        self.step_runs = {number: step for number, step in self.step_runs.items() if step.run_id in self.runs}

    def _take_over(self, place: Instance, run: Run, ran_at: datetime) -> None:
        place.run_status, place.last_run, place.last_duration_s = run.status, ran_at, run.duration_s
        place.tester_id, place.updated_at = run.tester_id, run.created_at
        test = self.tests[place.test_id]
        test.run_status, test.last_run = run.status, ran_at
        home = self.sets[place.set_id]
        home.last_run = ran_at if home.last_run is None else max(home.last_run, ran_at)
        home.updated_at = run.created_at
        self._roll_up(home)

    def _roll_up(self, home: SetRecord) -> None:
        home.run_status = roll_up(instance.run_status for instance in self.instances_of(home.id))

    def _number(self, kind: str, wanted: int | None = None) -> int:
        number = self._last[kind] + 1 if wanted is None else wanted
        self._last[kind] = max(self._last[kind], number)
        return number
