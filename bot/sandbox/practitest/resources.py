"""The collections of the API: which records a query asks for, one by its number, and how it is shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from bot.sandbox.practitest import wire
from bot.sandbox.practitest.account import Account
from bot.sandbox.practitest.asking import Query, RefusalError
from bot.sandbox.practitest.records import (
    CustomField,
    FilterQuestion,
    Instance,
    LibraryTest,
    Milestone,
    Project,
    Run,
    SetRecord,
    StepRun,
    User,
)
from bot.sandbox.practitest.statuses import STEP_STATUSES


class _Named(Protocol):
    @property
    def name(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Resource:
    """One collection. `table` has its records; `pick` answers a list request in the service's order.

    `show` is one record as JSON, with what the query opts into. `single` says whether one record can be asked for.
    """

    table: Callable[[Account], Mapping[int, Any]]
    pick: Callable[[Account, int, Query, datetime], list[Any]]
    show: Callable[[Account, Any, Query], wire.Json]
    single: bool = True


def _plain(show: Callable[[Account, Any], wire.Json]) -> Callable[[Account, Any, Query], wire.Json]:
    return lambda account, record, _query: show(account, record)


def _of_project(records: Mapping[int, Any], project_id: int) -> list[Any]:
    return [record for record in records.values() if record.project_id == project_id]


def _newest_first(records: list[Any]) -> list[Any]:
    return sorted(records, key=lambda record: record.id, reverse=True)


def _name_fits(query: Query) -> Callable[[_Named], bool]:
    """`name_exact` is case sensitive, `name_like` is not and may match inside."""
    exact, like = query.text("name_exact"), query.text("name_like")
    return lambda record: (
        (exact is None or record.name == exact) and (like is None or like.casefold() in record.name.casefold())
    )


def _in_filter(
    account: Account,
    project_id: int,
    query: Query,
    prefix: str = "",
) -> Callable[[SetRecord], bool] | None:
    """The saved filter a query names (`filter-id`, or `set-filter-id` with a prefix). Raises RefusalError (422)."""
    wanted = query.whole(f"{prefix}filter-id", f"{prefix}filter-id".replace("-", "_"))
    user_id = query.whole(f"{prefix}filter-user-id", f"{prefix}filter-user-id".replace("-", "_"))
    asked = FilterQuestion(user_id, query.text("autofilter-value"), query.text("sub-autofilter-value"))
    if wanted is None:
        return None
    saved = account.filters.get(wanted)
    if saved is None or saved.project_id != project_id:
        raise RefusalError(422, f"{prefix}filter-id {wanted} is not a filter of this project")
    if saved.needs_user and user_id is None:
        raise RefusalError(422, f"{prefix}filter-user-id is missing: the filter depends on the current user")
    return lambda record: saved.matches(record, asked)


def _projects(account: Account, _project_id: int, _query: Query, _now: datetime) -> list[Project]:
    return _newest_first(list(account.projects.values()))


def _users(account: Account, _project_id: int, query: Query, _now: datetime) -> list[User]:
    email, active = query.text("email"), query.flag("active")
    return [
        user
        for user in account.users.values()
        if (email is None or user.email.casefold() == email.casefold()) and (user.active or not active)
    ]


def _groups(account: Account, _project_id: int, _query: Query, _now: datetime) -> list[Any]:
    return list(account.groups.values())


def _fields(account: Account, project_id: int, _query: Query, _now: datetime) -> list[CustomField]:
    return _newest_first(_of_project(account.fields, project_id))


def _milestones(account: Account, project_id: int, _query: Query, _now: datetime) -> list[Milestone]:
    return _of_project(account.milestones, project_id)


def _tests(account: Account, project_id: int, query: Query, _now: datetime) -> list[LibraryTest]:
    displays, fits = query.ids("display-ids"), _name_fits(query)
    return _newest_first(
        [
            test
            for test in _of_project(account.tests, project_id)
            if fits(test) and (displays is None or test.display_id in displays)
        ]
    )


def _sets(account: Account, project_id: int, query: Query, _now: datetime) -> list[SetRecord]:
    displays, fits, within = query.ids("display-ids"), _name_fits(query), _in_filter(account, project_id, query)
    query.flag("duration")
    return _newest_first(
        [
            each
            for each in _of_project(account.sets, project_id)
            if fits(each) and (displays is None or each.display_id in displays) and (within is None or within(each))
        ]
    )


def _instances(account: Account, project_id: int, query: Query, _now: datetime) -> list[Instance]:
    sets, tests = query.ids("set-ids", "set_ids"), query.ids("test-ids", "test_id")
    test_displays, display = query.ids("test-display-ids"), query.text("display-ids", "display-id", "display_id")
    displays = None if display is None else {part.strip() for part in display.split(",")}
    fits, within = _name_fits(query), _in_filter(account, project_id, query, "set-")

    def asked_for(each: Instance) -> bool:
        home = account.sets[each.set_id]
        return (
            (sets is None or each.set_id in sets)
            and (tests is None or each.test_id in tests)
            and (test_displays is None or account.tests[each.test_id].display_id in test_displays)
            and (displays is None or f"{home.display_id}:{each.position}" in displays)
            and (within is None or within(home))
            and fits(each)
        )

    return sorted(
        filter(asked_for, _of_project(account.instances, project_id)),
        key=lambda each: each.id,
    )


def _runs(account: Account, project_id: int, query: Query, now: datetime) -> list[Run]:
    tests, sets, places = query.ids("test-ids"), query.ids("set-ids"), query.ids("instance-ids")
    kind, hours = query.text("run-type"), query.whole("updated-hours-ago")
    if kind not in {None, "AutomatedRun", "ManualRun"}:
        raise RefusalError(422, "run-type must be AutomatedRun or ManualRun")
    within = _in_filter(account, project_id, query, "set-")
    since = None if hours is None else now - timedelta(hours=min(hours, 1_000_000))
    return _newest_first(
        [
            run
            for run in _of_project(account.runs, project_id)
            if (tests is None or run.test_id in tests)
            and (sets is None or run.set_id in sets)
            and (places is None or run.instance_id in places)
            and (kind is None or run.run_type == kind)
            and (since is None or run.updated_at >= since)
            and (within is None or within(account.sets[run.set_id]))
        ]
    )


def _step_runs(account: Account, project_id: int, query: Query, _now: datetime) -> list[StepRun]:
    runs, status = query.ids("run-ids", "runs-ids"), query.text("status")
    fits = _name_fits(query)
    if status not in {None, *STEP_STATUSES}:
        raise RefusalError(422, "status must be one of " + ", ".join(STEP_STATUSES))
    return [
        each
        for each in _of_project(account.step_runs, project_id)
        if (runs is None or each.run_id in runs) and (status is None or each.step.status == status) and fits(each.step)
    ]


def _show_set(account: Account, record: SetRecord, query: Query) -> wire.Json:
    shown = wire.test_set(account, record)
    if query.flag("duration"):
        shown["attributes"] |= wire.set_durations(account, record)
    return shown


def _show_milestone(account: Account, record: Milestone, query: Query) -> wire.Json:
    shown = wire.milestone(account, record)
    if query.flag("relationships"):
        shown["relationships"] = wire.milestone_relationships(account, record)
    return shown


#: Collections of the account, by the word in the path.
OF_ACCOUNT = {
    "projects": Resource(lambda account: account.projects, _projects, _plain(wire.project)),
    "users": Resource(lambda account: account.users, _users, _plain(wire.user)),
}

#: Collections inside a project. A single run cannot be asked for: the vendor documents no such call.
OF_PROJECT = {
    "runs": Resource(lambda account: account.runs, _runs, _plain(wire.run), single=False),
    "sets": Resource(lambda account: account.sets, _sets, _show_set),
    "instances": Resource(lambda account: account.instances, _instances, _plain(wire.instance)),
    "tests": Resource(lambda account: account.tests, _tests, _plain(wire.test)),
    "step_runs": Resource(lambda account: account.step_runs, _step_runs, _plain(wire.step_run), single=False),
    "custom_fields": Resource(lambda account: account.fields, _fields, _plain(wire.custom_field)),
    "milestones": Resource(lambda account: account.milestones, _milestones, _show_milestone),
    "groups": Resource(lambda account: account.groups, _groups, _plain(wire.group), single=False),
}
