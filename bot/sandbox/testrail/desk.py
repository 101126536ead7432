"""What an endpoint has before it when it answers one call: the store, the question, the body, who asks and when."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from bot.sandbox.testrail.model import Case, Plan, Project, Run, Suite, Test, User
from bot.sandbox.testrail.question import Question
from bot.sandbox.testrail.refusals import Refusal, bad, denied, no_access, required, unknown
from bot.sandbox.testrail.store import Store

T = TypeVar("T")

#: What a right is called when it is missing: endpoint → verb and things of "You are not allowed to …".
RIGHTS = {
    "add_run": ("add", "test runs"),
    "update_run": ("edit", "test runs"),
    "close_run": ("close", "test runs"),
    "delete_run": ("delete", "test runs"),
    "delete_completed_run": ("delete", "completed test runs"),
    "add_plan": ("add", "test plans"),
    "update_plan": ("edit", "test plans"),
    "close_plan": ("close", "test plans"),
    "delete_plan": ("delete", "test plans"),
    "add_results": ("add", "test results"),
}


@dataclass(frozen=True, slots=True)
class Desk:
    """One call on its way. `now` is UNIX seconds; `denied` are names of RIGHTS; `hidden` are project ids.

    `old` is a version that knows no `soft`, `detaches_milestones` one with an odd update_run; see `TestRail`.
    """

    store: Store
    question: Question
    body: Mapping[str, object]
    by: User
    now: int
    denied: frozenset[str] = frozenset()
    hidden: frozenset[int] = field(default=frozenset())
    old: bool = False
    detaches_milestones: bool = False

    @property
    def params(self) -> Mapping[str, str]:
        return self.question.params

    def needs(self, right: str) -> None:
        """Raises Refusal (403) when the account lacks this right."""
        if right in self.denied:
            raise denied(*RIGHTS[right])

    def id(self, name: str, place: int = 0) -> int:
        """The id at this place of the path. Raises Refusal when it is missing or no number."""
        if place >= len(self.question.ids):
            raise required(name)
        return as_id(name, self.question.ids[place])

    def has_id(self, place: int = 0) -> bool:
        return place < len(self.question.ids)

    # -- things by the ids of the path; each raises Refusal when there is none -------------------------------

    def project(self, place: int = 0) -> Project:
        project_id = self.id("project_id", place)
        if project_id in self.hidden:
            raise no_access()
        return find(self.store.projects, project_id, "project_id")

    def run(self) -> Run:
        run = find(self.store.runs, self.id("run_id"), "run_id")
        if run.project_id in self.hidden:
            raise no_access()
        return run

    def plan(self) -> Plan:
        plan = find(self.store.plans, self.id("plan_id"), "plan_id")
        if plan.project_id in self.hidden:
            raise no_access()
        return plan

    def test(self) -> Test:
        test = self.store.test(self.id("test_id"))
        if test is None:
            raise unknown("test_id")
        if self.store.runs[test.run_id].project_id in self.hidden:
            raise no_access()
        return test

    def suite(self) -> Suite:
        return find(self.store.suites, self.id("suite_id"), "suite_id")

    def case(self, place: int = 0) -> Case:
        return find(self.store.cases, self.id("case_id", place), "case_id")


def find(table: Mapping[int, T], key: int, name: str) -> T:
    """The row with this key. Raises Refusal ("Field :… is not a valid …")."""
    if key not in table:
        raise unknown(name)
    return table[key]


def as_id(name: str, value: object) -> int:
    """A number given as number or text, as PHP would take it. Raises Refusal."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and re.fullmatch(r"\d+", value, re.ASCII):
        return int(value)
    raise bad(name, "ID")


# -- fields of a request body ---------------------------------------------------------------------------------


def text(body: Mapping[str, object], name: str, *, longest: int | None = None) -> str | None:
    """A text field, None when absent or null. Raises Refusal."""
    value = body.get(name)
    if value is None:
        return None
    if not isinstance(value, str):
        raise bad(name, "string")
    if longest is not None and len(value) > longest:
        raise Refusal(400, f"Field :{name} is too long ({longest} characters at most).")
    return value


def needed_text(body: Mapping[str, object], name: str) -> str:
    """A name, 250 characters at most. Raises Refusal."""
    value = text(body, name, longest=250)
    if not value or not value.strip():
        raise required(name)
    return value


def boolean(body: Mapping[str, object], name: str, default: bool) -> bool:
    """A boolean field; 1 and 0 do as well. Raises Refusal."""
    value = body.get(name)
    if value is None:
        return default
    if value not in (True, False, 1, 0):
        raise bad(name, "boolean")
    return bool(value)


def id_field(body: Mapping[str, object], name: str, known: Callable[[int], bool]) -> int | None:
    """An id of something that exists, None when absent or null. Raises Refusal."""
    value = body.get(name)
    if value is None:
        return None
    found = as_id(name, value)
    if not known(found):
        raise unknown(name)
    return found


def id_list(body: Mapping[str, object], name: str) -> list[int] | None:
    """A list of ids, None when absent or null. Raises Refusal."""
    value = body.get(name)
    if value is None:
        return None
    if not isinstance(value, list):
        raise bad(name, "array")
    return [as_id(name, one) for one in value]
