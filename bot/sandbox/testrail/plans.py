"""The endpoints of test plans: several runs (suites, configurations) closed together."""

from __future__ import annotations

from collections.abc import Mapping

from bot.sandbox.testrail import filters, refusals
from bot.sandbox.testrail.desk import Desk, boolean, id_field, id_list, needed_text, text
from bot.sandbox.testrail.model import Entry, Plan, Run
from bot.sandbox.testrail.paging import Listing, Row
from bot.sandbox.testrail.refusals import Refusal, bad, unknown
from bot.sandbox.testrail.runs import change_run, chosen_cases, milestone_of, must_be_open, suite_of
from bot.sandbox.testrail.store import entry_id
from bot.sandbox.testrail.wire import entry_row, plan_row, run_row, whole_plan_row


def get_plan(desk: Desk) -> Row:
    """One plan with its entries and their runs."""
    return whole_plan_row(desk.store, desk.plan())


def get_plans(desk: Desk) -> Listing[Plan]:
    """The plans of a project, newest first, without their entries."""
    project, params = desk.project(), desk.params
    created = filters.within(params)
    creators, milestones = filters.ids(params, "created_by"), filters.ids(params, "milestone_id")
    completed = filters.flag(params, "is_completed")
    found = [
        plan
        for plan in desk.store.plans.values()
        if plan.project_id == project.id
        and created(plan.created_on)
        and (creators is None or plan.created_by in creators)
        and (milestones is None or plan.milestone_id in milestones)
        and (completed is None or completed == (plan.completed_on is not None))
    ]
    found.sort(key=lambda plan: (plan.created_on, plan.id), reverse=True)
    return Listing("plans", found, lambda plan: plan_row(desk.store, plan))


def add_plan(desk: Desk) -> Row:
    """Create a plan, with its entries if they are sent along."""
    project = desk.project()
    desk.needs("add_plan")
    plan = Plan(
        desk.store.next_run_id(),
        project.id,
        needed_text(desk.body, "name"),
        desk.now,
        desk.by.id,
        description=text(desk.body, "description"),
        milestone_id=milestone_of(desk, project.id),
    )
    sent = desk.body.get("entries") or []
    if not isinstance(sent, list) or not all(isinstance(one, dict) for one in sent):
        raise bad("entries", "array")
    desk.store.open_plan(plan)
    try:
        for one in sent:
            _add_entry(desk, plan, one)
    except Refusal:
        desk.store.remove_plan(plan)
        raise
    return whole_plan_row(desk.store, plan)


def update_plan(desk: Desk) -> Row:
    """Change name, description or milestone of an open plan."""
    plan = _open_plan(desk, "update_plan")
    changes: dict[str, object] = {"updated_on": desk.now}
    if "name" in desk.body:
        changes["name"] = needed_text(desk.body, "name")
    if "description" in desk.body:
        changes["description"] = text(desk.body, "description")
    if "milestone_id" in desk.body:
        changes["milestone_id"] = milestone_of(desk, plan.project_id)
    for name, value in changes.items():
        setattr(plan, name, value)
    return whole_plan_row(desk.store, plan)


def close_plan(desk: Desk) -> Row:
    """Close a plan and all its runs, for good."""
    plan = _open_plan(desk, "close_plan")
    desk.store.close_plan(plan, desk.now)
    return whole_plan_row(desk.store, plan)


def delete_plan(desk: Desk) -> None:
    """Delete a plan with its runs, tests and results."""
    plan = desk.plan()
    desk.needs("delete_plan")
    desk.store.remove_plan(plan)


def add_plan_entry(desk: Desk) -> Row:
    """Add an entry, with one run or one for each combination of configurations sent."""
    plan = _open_plan(desk, "update_plan")
    entry = _add_entry(desk, plan, desk.body)
    return entry_row(desk.store, entry, len(plan.entries))


def update_plan_entry(desk: Desk) -> Row:
    """Change an entry and the runs in it."""
    plan = _open_plan(desk, "update_plan")
    entry = _entry(desk, plan)
    for run_id in entry.run_ids:
        change_run(desk, desk.store.runs[run_id])
    entry.name = desk.store.runs[entry.run_ids[0]].name
    entry.include_all = boolean(desk.body, "include_all", entry.include_all)
    return entry_row(desk.store, entry, plan.entries.index(entry) + 1)


def delete_plan_entry(desk: Desk) -> None:
    """Delete an entry with its runs."""
    plan = _open_plan(desk, "update_plan")
    for run_id in list(_entry(desk, plan).run_ids):
        desk.store.remove_run(desk.store.runs[run_id])


def update_run_in_plan_entry(desk: Desk) -> Row:
    """Change one run of a plan."""
    run = desk.run()
    desk.needs("update_plan")
    if run.plan_id is None:
        raise unknown("run_id")
    must_be_open(run)
    change_run(desk, run)
    return run_row(desk.store, run)


# -- inside ---------------------------------------------------------------------------------------------------


def _open_plan(desk: Desk, right: str) -> Plan:
    plan = desk.plan()
    desk.needs(right)
    if plan.completed_on is not None:
        raise Refusal(403, refusals.PLAN_COMPLETED)
    return plan


def _entry(desk: Desk, plan: Plan) -> Entry:
    wanted = desk.question.ids[1] if desk.has_id(1) else ""
    for entry in plan.entries:
        if entry.id == wanted:
            return entry
    raise unknown("entry_id")


def _add_entry(desk: Desk, plan: Plan, body: Mapping[str, object]) -> Entry:
    suite_id = suite_of(desk, desk.store.projects[plan.project_id], body)
    name = text(body, "name", longest=250) or desk.store.suites[suite_id].name
    include_all = boolean(body, "include_all", True)
    entry = Entry(
        entry_id(f"{plan.id}/{name}/{len(plan.entries)}/{desk.now}"),
        plan.id,
        suite_id,
        name,
        include_all,
        text(body, "description"),
        text(body, "refs", longest=250),
    )
    runs = body.get("runs") or [{}]
    if not isinstance(runs, list) or not all(isinstance(one, dict) for one in runs):
        raise bad("runs", "array")
    for sent in runs:
        merged = {**body, **sent}
        run = Run(
            desk.store.next_run_id(),
            plan.project_id,
            suite_id,
            name,
            desk.now,
            desk.by.id,
            description=text(merged, "description"),
            milestone_id=plan.milestone_id,
            assignedto_id=id_field(merged, "assignedto_id", desk.store.users.__contains__),
            include_all=boolean(merged, "include_all", include_all),
            refs=text(merged, "refs", longest=250),
            config_ids=tuple(id_list(sent, "config_ids") or ()),
        )
        desk.store.enter(plan, entry, run, chosen_cases(desk, merged, suite_id, run.include_all))
    return entry
