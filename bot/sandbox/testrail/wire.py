"""Things as TestRail writes them. Shapes: the vendor's pages on runs, results, tests, plans, users, statuses."""

from __future__ import annotations

from collections import Counter

from bot.sandbox.testrail.model import (
    BLOCKED,
    FAILED,
    PASSED,
    RETEST,
    UNTESTED,
    Case,
    ConfigGroup,
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
from bot.sandbox.testrail.paging import Row
from bot.sandbox.testrail.store import Store


def page_url(store: Store, page: str, thing_id: int) -> str:
    """The address people open, e.g. `http://…/index.php?/runs/view/81`."""
    return f"{store.web}/index.php?/{page}/{thing_id}"


def counters(tally: Counter[int]) -> Row:
    """The twelve `…_count` fields of a run or plan."""
    named = {
        "passed_count": tally[PASSED],
        "blocked_count": tally[BLOCKED],
        "untested_count": tally[UNTESTED],
        "retest_count": tally[RETEST],
        "failed_count": tally[FAILED],
    }
    return {**named, **{f"custom_status{n}_count": tally[5 + n] for n in range(1, 8)}}


def run_row(store: Store, run: Run) -> Row:
    return {
        "id": run.id,
        "suite_id": run.suite_id,
        "name": run.name,
        "description": run.description,
        "milestone_id": run.milestone_id,
        "assignedto_id": run.assignedto_id,
        "include_all": run.include_all,
        "is_completed": run.completed_on is not None,
        "completed_on": run.completed_on,
        "config": store.config_names(run.config_ids),
        "config_ids": list(run.config_ids),
        **counters(store.counts([run])),
        "project_id": run.project_id,
        "plan_id": run.plan_id,
        "created_on": run.created_on,
        "updated_on": run.updated_on,
        "refs": run.refs,
        "created_by": run.created_by,
        "url": page_url(store, "runs/view", run.id),
    }


def plan_row(store: Store, plan: Plan) -> Row:
    """A plan as in a list: without its entries."""
    return {
        "id": plan.id,
        "name": plan.name,
        "description": plan.description,
        "milestone_id": plan.milestone_id,
        "assignedto_id": plan.assignedto_id,
        "is_completed": plan.completed_on is not None,
        "completed_on": plan.completed_on,
        **counters(store.counts(store.runs_of(plan))),
        "project_id": plan.project_id,
        "created_on": plan.created_on,
        "updated_on": plan.updated_on,
        "created_by": plan.created_by,
        "refs": plan.refs,
        "url": page_url(store, "plans/view", plan.id),
    }


def entry_row(store: Store, entry: Entry, place: int = 1) -> Row:
    """An entry with its runs, which have two fields more here than alone."""
    runs = [
        {**run_row(store, store.runs[run_id]), "entry_id": entry.id, "entry_index": place} for run_id in entry.run_ids
    ]
    return {
        "id": entry.id,
        "suite_id": entry.suite_id,
        "name": entry.name,
        "description": entry.description,
        "include_all": entry.include_all,
        "refs": entry.refs,
        "runs": runs,
    }


def whole_plan_row(store: Store, plan: Plan) -> Row:
    entries = [entry_row(store, entry, place) for place, entry in enumerate(plan.entries, start=1)]
    return {**plan_row(store, plan), "entries": entries}


def row_of_test(store: Store, test: Test) -> Row:
    """A test; what it has from its case is missing when the case is gone."""
    case = store.cases.get(test.case_id)
    return {
        "id": test.id,
        "case_id": test.case_id,
        "status_id": test.status_id,
        "assignedto_id": test.assignedto_id,
        "run_id": test.run_id,
        "title": test.title,
        "template_id": case.template_id if case else 1,
        "type_id": case.type_id if case else 7,
        "priority_id": case.priority_id if case else 2,
        "estimate": case.estimate if case else None,
        "estimate_forecast": None,
        "refs": case.refs if case else None,
        "milestone_id": case.milestone_id if case else None,
        "labels": [],
        **(case.custom if case else {}),
    }


def result_row(result: Result) -> Row:
    return {
        "id": result.id,
        "test_id": result.test_id,
        "status_id": result.status_id,
        "created_on": result.created_on,
        "assignedto_id": result.assignedto_id,
        "comment": result.comment,
        "version": result.version,
        "elapsed": result.elapsed,
        "defects": result.defects,
        "created_by": result.created_by,
        "attachment_ids": [],
        **result.custom,
    }


def case_row(case: Case) -> Row:
    return {
        "id": case.id,
        "title": case.title,
        "section_id": case.section_id,
        "template_id": case.template_id,
        "type_id": case.type_id,
        "priority_id": case.priority_id,
        "milestone_id": case.milestone_id,
        "refs": case.refs,
        "created_by": case.created_by,
        "created_on": case.created_on,
        "updated_by": case.created_by,
        "updated_on": case.created_on,
        "estimate": case.estimate,
        "estimate_forecast": None,
        "suite_id": case.suite_id,
        "display_order": case.display_order,
        "is_deleted": 0,
        "labels": [],
        **case.custom,
    }


def section_row(section: Section) -> Row:
    return {
        "id": section.id,
        "suite_id": section.suite_id,
        "name": section.name,
        "description": section.description,
        "parent_id": section.parent_id,
        "display_order": section.display_order,
        "depth": 0 if section.parent_id is None else 1,
    }


def suite_row(store: Store, suite: Suite) -> Row:
    return {
        "id": suite.id,
        "name": suite.name,
        "description": suite.description,
        "project_id": suite.project_id,
        "is_master": suite.is_master,
        "is_baseline": False,
        "is_completed": False,
        "completed_on": None,
        "url": page_url(store, "suites/view", suite.id),
    }


def milestone_row(store: Store, milestone: Milestone) -> Row:
    return {
        "id": milestone.id,
        "name": milestone.name,
        "description": milestone.description,
        "start_on": milestone.started_on,
        "started_on": milestone.started_on,
        "is_started": milestone.started_on is not None,
        "due_on": milestone.due_on,
        "is_completed": milestone.completed_on is not None,
        "completed_on": milestone.completed_on,
        "project_id": milestone.project_id,
        "parent_id": None,
        "refs": None,
        "url": page_url(store, "milestones/view", milestone.id),
    }


def project_row(store: Store, project: Project) -> Row:
    return {
        "id": project.id,
        "name": project.name,
        "announcement": project.announcement,
        "show_announcement": project.announcement is not None,
        "is_completed": project.is_completed,
        "completed_on": project.completed_on,
        "suite_mode": project.suite_mode,
        "default_role_id": None,
        "case_statuses_enabled": False,
        "url": page_url(store, "projects/overview", project.id),
        "users": [
            {"id": user.id, "global_role_id": None, "global_role": None, "project_role_id": None, "project_role": None}
            for user in store.users.values()
        ],
        "groups": [],
    }


def user_row(user: User) -> Row:
    return {
        "id": user.id,
        "name": user.name,
        "email": user.email,
        "is_active": user.is_active,
        "is_admin": user.is_admin,
        "role_id": user.role_id,
        "role": user.role,
    }


def status_row(status: Status) -> Row:
    dark, medium, bright = status.colors
    return {
        "id": status.id,
        "name": status.name,
        "label": status.label,
        "color_dark": dark,
        "color_medium": medium,
        "color_bright": bright,
        "is_system": status.id <= FAILED,
        "is_untested": status.id == UNTESTED,
        "is_final": status.is_final,
    }


def config_group_row(group: ConfigGroup) -> Row:
    configs = [{"id": one, "name": name, "group_id": group.id} for one, name in group.configs.items()]
    return {"id": group.id, "name": group.name, "project_id": group.project_id, "configs": configs}
