"""The endpoints of projects, milestones, configurations, suites, sections and cases."""

from __future__ import annotations

from bot.sandbox.testrail import filters
from bot.sandbox.testrail.desk import Desk, as_id, find, id_field, needed_text, text
from bot.sandbox.testrail.model import Case, Milestone, Project, Section, Suite
from bot.sandbox.testrail.paging import Listing, Row
from bot.sandbox.testrail.refusals import required
from bot.sandbox.testrail.runs import suite_of
from bot.sandbox.testrail.wire import case_row, config_group_row, milestone_row, project_row, section_row, suite_row


def get_project(desk: Desk) -> Row:
    return project_row(desk.store, desk.project())


def get_projects(desk: Desk) -> Listing[Project]:
    """The projects this account may see."""
    completed = filters.flag(desk.params, "is_completed")
    found = [
        project
        for project in desk.store.projects.values()
        if project.id not in desk.hidden and (completed is None or completed == project.is_completed)
    ]
    return Listing("projects", found, lambda project: project_row(desk.store, project), whole_when_old=True)


def get_milestone(desk: Desk) -> Row:
    milestone = find(desk.store.milestones, desk.id("milestone_id"), "milestone_id")
    return {**milestone_row(desk.store, milestone), "milestones": []}


def get_milestones(desk: Desk) -> Listing[Milestone]:
    """The milestones of a project."""
    project = desk.project()
    completed, started = filters.flag(desk.params, "is_completed"), filters.flag(desk.params, "is_started")
    found = [
        milestone
        for milestone in desk.store.milestones.values()
        if milestone.project_id == project.id
        and (completed is None or completed == (milestone.completed_on is not None))
        and (started is None or started == (milestone.started_on is not None))
    ]
    return Listing("milestones", found, lambda one: milestone_row(desk.store, one), whole_when_old=True)


def get_configs(desk: Desk) -> list[Row]:
    """The groups of configurations of a project."""
    project = desk.project()
    return [config_group_row(one) for one in desk.store.config_groups.values() if one.project_id == project.id]


def get_suite(desk: Desk) -> Row:
    return suite_row(desk.store, desk.suite())


def get_suites(desk: Desk) -> Listing[Suite]:
    """The suites of a project; an envelope since 2025, an array before."""
    project = desk.project()
    found = [suite for suite in desk.store.suites.values() if suite.project_id == project.id]
    return Listing("suites", found, lambda suite: suite_row(desk.store, suite), whole_when_old=True)


def get_section(desk: Desk) -> Row:
    return section_row(find(desk.store.sections, desk.id("section_id"), "section_id"))


def get_sections(desk: Desk) -> Listing[Section]:
    """The sections of a suite."""
    suite_id = suite_of(desk, desk.project(), desk.params)
    found = [section for section in desk.store.sections.values() if section.suite_id == suite_id]
    return Listing("sections", found, section_row, whole_when_old=True)


def get_case(desk: Desk) -> Row:
    return case_row(desk.case())


def get_cases(desk: Desk) -> Listing[Case]:
    """The cases of a suite, in its order."""
    params = desk.params
    suite_id = suite_of(desk, desk.project(), params)
    created, updated = filters.within(params), filters.within(params, "updated")
    lists = {
        name: filters.ids(params, name)
        for name in ("section_id", "milestone_id", "priority_id", "type_id", "template_id", "created_by")
    }
    words, ref = params.get("filter", "").lower(), params.get("refs_filter") or params.get("refs")
    found = [
        case
        for case in desk.store.cases.values()
        if case.suite_id == suite_id
        and created(case.created_on)
        and updated(case.created_on)
        and words in case.title.lower()
        and (not ref or filters.listed(case.refs, ref))
        and all(wanted is None or getattr(case, name) in wanted for name, wanted in lists.items())
    ]
    return Listing("cases", found, case_row, whole_when_old=True)


def add_suite(desk: Desk) -> Row:
    """Create a suite."""
    project = desk.project()
    suite = Suite(max(desk.store.suites) + 1, project.id, needed_text(desk.body, "name"))
    suite.description = text(desk.body, "description")
    desk.store.suites[suite.id] = suite
    return suite_row(desk.store, suite)


def add_section(desk: Desk) -> Row:
    """Create a section in a suite."""
    suite_id = suite_of(desk, desk.project())
    parent_id = id_field(desk.body, "parent_id", desk.store.sections.__contains__)
    number = max(desk.store.sections) + 1
    section = Section(number, suite_id, needed_text(desk.body, "name"), number, parent_id)
    desk.store.sections[section.id] = section
    return section_row(section)


def delete_section(desk: Desk) -> Row | None:
    """Delete a section with its cases; with `soft=1` only say how many those are."""
    section = find(desk.store.sections, desk.id("section_id"), "section_id")
    cases = [case.id for case in desk.store.cases.values() if case.section_id == section.id]
    if filters.flag(desk.params, "soft"):
        return {"cases": len(cases)}
    for case_id in cases:
        del desk.store.cases[case_id]
    del desk.store.sections[section.id]
    return None


def add_case(desk: Desk) -> Row:
    """Create a case in a section."""
    section = find(desk.store.sections, desk.id("section_id"), "section_id")
    title = text(desk.body, "title", longest=250)
    if not title:
        raise required("title")
    case = Case(max(desk.store.cases) + 1, section.suite_id, section.id, title, desk.now, desk.by.id)
    for name in ("priority_id", "type_id", "template_id"):
        if desk.body.get(name) is not None:
            setattr(case, name, as_id(name, desk.body[name]))
    case.estimate, case.refs = text(desk.body, "estimate"), text(desk.body, "refs")
    case.custom = {name: value for name, value in desk.body.items() if name.startswith("custom_")}
    desk.store.cases[case.id] = case
    return case_row(case)
