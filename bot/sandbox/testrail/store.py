"""What the sample TestRail remembers, and the few ways in which it changes. Knows nothing of HTTP.

Counters are never stored: they are counted from the tests, so that they cannot disagree with them.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from bot.sandbox.testrail.model import (
    UNTESTED,
    Case,
    ConfigGroup,
    Dormant,
    Entry,
    Milestone,
    Plan,
    Project,
    Result,
    Run,
    Section,
    Status,
    Suite,
    Test,
    User,
)


@dataclass(slots=True)
class Store:
    """All tables. `web` is the server's base address, as it stands in the `url` of a run."""

    web: str = ""
    users: dict[int, User] = field(default_factory=dict)
    statuses: dict[int, Status] = field(default_factory=dict)
    projects: dict[int, Project] = field(default_factory=dict)
    milestones: dict[int, Milestone] = field(default_factory=dict)
    suites: dict[int, Suite] = field(default_factory=dict)
    sections: dict[int, Section] = field(default_factory=dict)
    cases: dict[int, Case] = field(default_factory=dict)
    config_groups: dict[int, ConfigGroup] = field(default_factory=dict)
    runs: dict[int, Run] = field(default_factory=dict)
    plans: dict[int, Plan] = field(default_factory=dict)
    tests: dict[int, Test] = field(default_factory=dict)
    _last_run: int = 0
    _next_test: int = 10_001
    _next_result: int = 50_001

    # -- looking --------------------------------------------------------------------------------------------

    def next_run_id(self) -> int:
        """A number for a new run or plan; they share them, and none is given out twice, even after a deletion."""
        self._last_run += 1
        return self._last_run

    def case_ids_of(self, suite_id: int) -> list[int]:
        return [case.id for case in self.cases.values() if case.suite_id == suite_id]

    def tests_of(self, run: Run) -> list[Test]:
        """The run's tests in the order of the suite."""
        if run.tests is None:
            self._wake(run)
        return list((run.tests or {}).values())

    def test_for(self, run: Run, case_id: int) -> Test | None:
        self.tests_of(run)
        return (run.tests or {}).get(case_id)

    def test(self, test_id: int) -> Test | None:
        """The test with this id, also of a run that nobody has looked into yet."""
        if test_id not in self.tests:
            for run in self.runs.values():
                nap = run.dormant
                if nap is not None and nap.first_test <= test_id < nap.first_test + len(nap.statuses):
                    self._wake(run)
                    break
        return self.tests.get(test_id)

    def results_of(self, run: Run) -> list[Result]:
        """All results of the run, newest first."""
        found = [result for test in self.tests_of(run) for result in test.results]
        return sorted(found, key=lambda result: (result.created_on, result.id), reverse=True)

    def counts(self, runs: Iterable[Run]) -> Counter[int]:
        """Tests by status id, over all these runs."""
        found: Counter[int] = Counter()
        for run in runs:
            if run.dormant is not None:
                found.update(run.dormant.statuses)
            else:
                found.update(test.status_id for test in self.tests_of(run))
        return found

    def runs_of(self, plan: Plan) -> list[Run]:
        return [self.runs[run_id] for entry in plan.entries for run_id in entry.run_ids]

    def config_names(self, config_ids: Sequence[int]) -> str | None:
        names = {one: name for group in self.config_groups.values() for one, name in group.configs.items()}
        return ", ".join(names[one] for one in config_ids if one in names) or None

    # -- changing -------------------------------------------------------------------------------------------

    def open_run(self, run: Run, case_ids: Iterable[int]) -> Run:
        """Keep a new run with one untested test for each case."""
        self.runs[run.id] = run
        self._last_run = max(self._last_run, run.id)
        self.select(run, case_ids)
        return run

    def select(self, run: Run, case_ids: Iterable[int]) -> None:
        """Make the run's tests those of exactly these cases; tests that leave take their results along."""
        wanted = dict.fromkeys(sorted(case_ids))
        before = {test.case_id: test for test in self.tests_of(run)}
        for case_id, test in before.items():
            if case_id not in wanted:
                del self.tests[test.id]
        run.tests = {case_id: before.get(case_id) or self._new_test(run, case_id) for case_id in wanted}

    def record(self, test: Test, status_id: int | None, *, by: int, at: int, **more: object) -> Result:
        """Add a result (without a status: a comment or an assignment) and move the test accordingly.

        `more`: comment, version, elapsed, defects, assignedto_id and custom_… fields.
        """
        custom = {name: value for name, value in more.items() if name.startswith("custom_")}
        result = Result(self._take_result_ids(1), test.id, status_id, by, at, custom=custom)
        for name, value in more.items():
            if name not in custom:
                setattr(result, name, value)
        test.results.append(result)
        if status_id is not None:
            test.status_id = status_id
        if result.assignedto_id is not None:
            test.assignedto_id = result.assignedto_id
        return result

    def close_run(self, run: Run, at: int) -> None:
        run.completed_on = at

    def close_plan(self, plan: Plan, at: int) -> None:
        """Close the plan and every run in it."""
        plan.completed_on = at
        for run in self.runs_of(plan):
            run.completed_on = run.completed_on or at

    def remove_run(self, run: Run) -> None:
        """Forget the run, its tests and its results; an entry left without runs leaves its plan too."""
        for test in (run.tests or {}).values():
            self.tests.pop(test.id, None)
        self.runs.pop(run.id, None)
        plan = self.plans.get(run.plan_id or 0)
        if plan is not None:
            for entry in plan.entries:
                entry.run_ids = [run_id for run_id in entry.run_ids if run_id != run.id]
            plan.entries = [entry for entry in plan.entries if entry.run_ids]

    def open_plan(self, plan: Plan) -> Plan:
        """Keep a new plan."""
        self.plans[plan.id] = plan
        self._last_run = max(self._last_run, plan.id)
        return plan

    def remove_plan(self, plan: Plan) -> None:
        for run in self.runs_of(plan):
            self.remove_run(run)
        self.plans.pop(plan.id, None)

    def enter(self, plan: Plan, entry: Entry, run: Run, case_ids: Iterable[int]) -> Run:
        """Put a new run into an entry of a plan."""
        run.plan_id, run.entry_id = plan.id, entry.id
        if entry not in plan.entries:
            plan.entries.append(entry)
        entry.run_ids.append(run.id)
        return self.open_run(run, case_ids)

    def number_results_by_time(self) -> None:
        """Give all results new ids in the order of their times, as if they had come in one after the other."""
        found = [result for test in self.tests.values() for result in test.results]
        self._next_result = min((result.id for result in found), default=self._next_result)
        for result in sorted(found, key=lambda result: (result.created_on, result.id)):
            result.id = self._take_result_ids(1)

    def add_dormant_runs(self, pattern: Run, statuses: bytes, number: int, *, apart_s: int = 60) -> list[Run]:
        """`number` runs like the pattern, `apart_s` seconds between them; their tests are made when looked at."""
        case_ids = tuple(self.case_ids_of(pattern.suite_id)[: len(statuses)])
        statuses = statuses[: len(case_ids)]
        made = []
        for place in range(number):
            run_id = self.next_run_id()
            made.append(
                Run(
                    run_id,
                    pattern.project_id,
                    pattern.suite_id,
                    f"{pattern.name} {run_id}",
                    pattern.created_on - apart_s * (number - place),
                    pattern.created_by,
                    milestone_id=pattern.milestone_id,
                    completed_on=pattern.completed_on,
                    include_all=False,
                    dormant=Dormant(
                        statuses, case_ids, self._take_test_ids(len(statuses)), self._take_result_ids(len(statuses))
                    ),
                )
            )
        self.runs.update((run.id, run) for run in made)
        return made

    # -- inside ---------------------------------------------------------------------------------------------

    def _wake(self, run: Run) -> None:
        nap, run.dormant, run.tests = run.dormant, None, {}
        if nap is None:
            return
        for place, (case_id, status_id) in enumerate(zip(nap.case_ids, nap.statuses, strict=True)):
            title = self.cases[case_id].title if case_id in self.cases else f"C{case_id}"
            test = Test(nap.first_test + place, run.id, case_id, title, status_id)
            if status_id != UNTESTED:
                test.results.append(
                    Result(nap.first_result + place, test.id, status_id, run.created_by, run.created_on + place)
                )
            self.tests[test.id] = run.tests[case_id] = test

    def _new_test(self, run: Run, case_id: int) -> Test:
        test = Test(self._take_test_ids(1), run.id, case_id, self.cases[case_id].title)
        test.assignedto_id = run.assignedto_id
        self.tests[test.id] = test
        return test

    def _take_test_ids(self, number: int) -> int:
        self._next_test += number
        return self._next_test - number

    def _take_result_ids(self, number: int) -> int:
        self._next_result += number
        return self._next_result - number


def entry_id(seed: str) -> str:
    """An entry's id as TestRail has it: a UUID; the same seed gives the same."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, seed))
