"""Writes runs and results into the past, the same ones for the same seed."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bot.sandbox.testrail.elapsed import show_span
from bot.sandbox.testrail.model import BLOCKED, FAILED, PASSED, RETEST, UNTESTED, Entry, Plan, Run, Test
from bot.sandbox.testrail.store import Store, entry_id

HOUR, DAY = 3600, 86_400
LETTERS = {"P": PASSED, "F": FAILED, "B": BLOCKED, "R": RETEST, "U": UNTESTED}

#: What testers write when something fails.
REASONS = (
    "Total shows 0.00 until the page is loaded again.",
    "Expected the confirmation within 10 s, got none in 60 s.",
    "Element #pay-now not found after 30 s.",
    "HTTP 502 from the stock service, twice.",
    "The button stays grey although the terms are accepted.",
)


@dataclass(slots=True)
class Storyteller:
    """`now` is UNIX seconds; testers are user ids who take turns."""

    store: Store
    now: int
    testers: Sequence[int] = (7, 8, 9)
    dice: random.Random = field(default_factory=lambda: random.Random(52))

    def run(
        self,
        run_id: int,
        suite_id: int,
        name: str,
        *,
        age_s: int,
        by: int = 6,
        cases: Sequence[int] | None = None,
        **more: object,
    ) -> Run:
        """An open run `age_s` old, with the whole suite or some cases; `more`: any other field of Run."""
        project_id = self.store.suites[suite_id].project_id
        run = Run(run_id, project_id, suite_id, name, self.now - age_s, by, include_all=cases is None)
        for what, value in more.items():
            setattr(run, what, value)
        return self.store.open_run(run, self.store.case_ids_of(suite_id) if cases is None else cases)

    def entry(self, plan: Plan, suite_id: int, name: str, runs: Mapping[int, Sequence[int]], size: int = 0) -> Entry:
        """An entry of a plan with one run per id, each with its configurations, over the first `size` cases."""
        entry = Entry(entry_id(f"{plan.id}/{name}"), plan.id, suite_id, name, include_all=size == 0)
        cases = self.store.case_ids_of(suite_id)[: size or None]
        for run_id, config_ids in runs.items():
            run = Run(
                run_id,
                plan.project_id,
                suite_id,
                name,
                plan.created_on,
                plan.created_by,
                milestone_id=plan.milestone_id,
                include_all=size == 0,
                config_ids=tuple(config_ids),
            )
            self.store.enter(plan, entry, run, cases)
        return entry

    def play(self, run: Run, statuses: Sequence[int], *, since_s: int, until_s: int) -> None:
        """One result per test in order, spread evenly from `since_s` to `until_s` seconds ago; untested gets none."""
        pairs = zip(self.store.tests_of(run), statuses, strict=True)
        tested = [(test, status_id) for test, status_id in pairs if status_id != UNTESTED]
        step = (since_s - until_s) / max(1, len(tested) - 1)
        for place, (test, status_id) in enumerate(tested):
            self.say(test, status_id, ago_s=since_s - int(step * place))

    def say(self, test: Test, status_id: int | None, *, ago_s: int, by: int | None = None, **more: object) -> None:
        """One result. Failures get a reason, and every real result a time, unless told otherwise."""
        said = dict(more)
        if status_id == FAILED:
            said.setdefault("comment", self.dice.choice(REASONS))
        if status_id is not None:
            said.setdefault("elapsed", show_span(self.dice.randrange(4, 200)))
        tester = self.dice.choice(self.testers) if by is None else by
        self.store.record(test, status_id, by=tester, at=self.now - ago_s, **said)

    def finish(self, run: Run, *, ago_s: int) -> None:
        self.store.close_run(run, self.now - ago_s)


def outcomes(**numbers: int) -> list[int]:
    """Statuses in a row: `outcomes(P=9, F=1)`; custom ones by number: `outcomes(P=9, c6=1)`."""
    row: list[int] = []
    for letter, number in numbers.items():
        row += [LETTERS[letter] if letter in LETTERS else int(letter[1:])] * number
    return row
