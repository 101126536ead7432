"""The endpoints of test runs. Source: the vendor's page on runs."""

from __future__ import annotations

from collections.abc import Mapping

from bot.sandbox.testrail import filters, refusals
from bot.sandbox.testrail.desk import Desk, boolean, id_field, id_list, needed_text, text
from bot.sandbox.testrail.model import Project, Run
from bot.sandbox.testrail.paging import Listing, Row
from bot.sandbox.testrail.refusals import Refusal, required, unknown
from bot.sandbox.testrail.wire import run_row


def get_run(desk: Desk) -> Row:
    """One run, also one of a plan."""
    return run_row(desk.store, desk.run())


def get_runs(desk: Desk) -> Listing[Run]:
    """The runs of a project that are in no plan, newest first."""
    project, params = desk.project(), desk.params
    created = filters.within(params)
    creators, suites = filters.ids(params, "created_by"), filters.ids(params, "suite_id")
    milestones = filters.ids(params, "milestone_id")
    completed, ref = filters.flag(params, "is_completed"), params.get("refs_filter")
    found = [
        run
        for run in desk.store.runs.values()
        if run.project_id == project.id
        and run.plan_id is None
        and created(run.created_on)
        and (creators is None or run.created_by in creators)
        and (suites is None or run.suite_id in suites)
        and (milestones is None or run.milestone_id in milestones)
        and (completed is None or completed == (run.completed_on is not None))
        and (not ref or filters.listed(run.refs, ref))
    ]
    found.sort(key=lambda run: (run.created_on, run.id), reverse=True)
    return Listing("runs", found, lambda run: run_row(desk.store, run))


def add_run(desk: Desk) -> Row:
    """Create a run. Raises Refusal for unknown suites, milestones, users and cases."""
    project = desk.project()
    desk.needs("add_run")
    body = desk.body
    suite_id = suite_of(desk, project)
    run = Run(
        desk.store.next_run_id(),
        project.id,
        suite_id,
        needed_text(body, "name"),
        desk.now,
        desk.by.id,
        description=text(body, "description"),
        milestone_id=milestone_of(desk, project.id),
        assignedto_id=id_field(body, "assignedto_id", desk.store.users.__contains__),
        include_all=boolean(body, "include_all", True),
        refs=text(body, "refs", longest=250),
    )
    desk.store.open_run(run, chosen_cases(desk, body, suite_id, run.include_all))
    return run_row(desk.store, run)


def update_run(desk: Desk) -> Row:
    """Change some fields of an open run outside plans; suite_id and assignedto_id are not among them."""
    run = desk.run()
    desk.needs("update_run")
    if run.plan_id is not None:
        raise Refusal(403, refusals.RUN_IN_PLAN_EDIT)
    must_be_open(run)
    change_run(desk, run)
    return run_row(desk.store, run)


def close_run(desk: Desk) -> Row:
    """Close an open run outside plans, for good."""
    run = desk.run()
    desk.needs("close_run")
    if run.plan_id is not None:
        raise Refusal(403, refusals.RUN_IN_PLAN_CLOSE)
    must_be_open(run)
    desk.store.close_run(run, desk.now)
    return run_row(desk.store, run)


def delete_run(desk: Desk) -> Row | None:
    """Delete a run outside plans with tests and results; with `soft=1` only say how many tests that are.

    `soft` is taken from the query and from the body; before 6.6 from neither. The shape of the preview is documented
    nowhere.
    """
    run = desk.run()
    desk.needs("delete_run")
    if run.plan_id is not None:
        raise Refusal(403, refusals.RUN_IN_PLAN_DELETE)
    if run.completed_on is not None:
        desk.needs("delete_completed_run")
    if not desk.old and (filters.flag(desk.params, "soft") or desk.body.get("soft") in (1, "1", True)):
        return {"tests": len(desk.store.tests_of(run))}
    desk.store.remove_run(run)
    return None


# -- shared with plans ----------------------------------------------------------------------------------------


def must_be_open(run: Run) -> None:
    """Raises Refusal when the run is closed."""
    if run.completed_on is not None:
        raise Refusal(403, refusals.RUN_COMPLETED)


def change_run(desk: Desk, run: Run) -> None:
    """Apply the fields that were sent, all or, when one is wrong, none; the others stay as they are."""
    body, changes = desk.body, dict[str, object]()
    if "name" in body:
        changes["name"] = needed_text(body, "name")
    if "description" in body:
        changes["description"] = text(body, "description")
    if "refs" in body:
        changes["refs"] = text(body, "refs", longest=250)
    if "milestone_id" in body:
        changes["milestone_id"] = milestone_of(desk, run.project_id)
    elif desk.detaches_milestones:
        changes["milestone_id"] = None
    include_all = boolean(body, "include_all", run.include_all)
    if include_all != run.include_all or body.get("case_ids") is not None:
        kept = [test.case_id for test in desk.store.tests_of(run)]
        desk.store.select(run, chosen_cases(desk, body, run.suite_id, include_all, unchanged=kept))
    run.include_all, run.updated_on = include_all, desk.now
    for name, value in changes.items():
        setattr(run, name, value)


def suite_of(desk: Desk, project: Project, body: Mapping[str, object] | None = None) -> int:
    """The suite a new run is made from; only projects with a single suite may leave it out."""
    body = desk.body if body is None else body
    own = [suite.id for suite in desk.store.suites.values() if suite.project_id == project.id]
    suite_id = id_field(body, "suite_id", own.__contains__)
    if suite_id is None and project.suite_mode != 1:
        raise required("suite_id")
    return own[0] if suite_id is None else suite_id


def milestone_of(desk: Desk, project_id: int) -> int | None:
    milestone_id = id_field(desk.body, "milestone_id", desk.store.milestones.__contains__)
    if milestone_id is not None and desk.store.milestones[milestone_id].project_id != project_id:
        raise unknown("milestone_id")
    return milestone_id


def chosen_cases(
    desk: Desk, body: Mapping[str, object], suite_id: int, include_all: bool, *, unchanged: list[int] | None = None
) -> list[int]:
    """The cases of a run: the whole suite, or those named. Raises Refusal for cases that are not in the suite."""
    everything = desk.store.case_ids_of(suite_id)
    named = id_list(body, "case_ids")
    if include_all:
        return everything
    if named is None:
        return unchanged or []
    if not set(named) <= set(everything):
        raise Refusal(400, "Field :case_ids contains unrecognized case IDs.")
    return named
