"""The fixed part of the sample: people, statuses, projects, milestones, configurations, suites and cases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bot.sandbox.testrail import titles
from bot.sandbox.testrail.model import Case, ConfigGroup, Milestone, Project, Section, Status, Suite, User
from bot.sandbox.testrail.store import Store
from bot.sandbox.world import COLLEAGUES

DAY = 86_400
#: The account the bot signs in with; TestRail's samples call their first user 1 too.
BOT_ID = 1
#: Appears in runs and results, but has no record any more: get_user refuses it.
GONE_ID = 17

WEBSHOP, MOBILE, BACK_OFFICE = 1, 2, 3
SMOKE, MOBILE_SUITE, OFFICE_SUITE, REGRESSION, ACCESSIBILITY, CATALOGUE, STRANGE = range(1, 8)


def furnish(store: Store, now: int) -> None:
    """Put in everything that is there before the first run."""
    add_people(store)
    add_statuses(store)
    for project in (
        Project(WEBSHOP, "Webshop", 3, announcement="Code freeze for 5.2 on Thursday."),
        Project(MOBILE, "Mobile app", 1),
        Project(BACK_OFFICE, "Back office", 3),
    ):
        store.projects[project.id] = project
    for milestone in (
        Milestone(6, WEBSHOP, "5.1", now - 30 * DAY, now - 80 * DAY, now - 29 * DAY),
        Milestone(7, WEBSHOP, "5.2", now + 3 * DAY, now - 28 * DAY, description="Faster checkout"),
        Milestone(8, WEBSHOP, "5.3", now + 45 * DAY),
        Milestone(12, MOBILE, "App 5.2", now + 10 * DAY, now - 20 * DAY),
        Milestone(15, BACK_OFFICE, "Year end", now + 60 * DAY, now - 9 * DAY),
    ):
        store.milestones[milestone.id] = milestone
    for group in (
        ConfigGroup(1, WEBSHOP, "Browsers", {1: "Chrome", 2: "Firefox", 3: "Safari", 4: "Edge"}),
        ConfigGroup(2, WEBSHOP, "Operating Systems", {5: "Windows 11", 6: "Ubuntu 12", 7: "macOS 26", 8: "iOS 26"}),
        ConfigGroup(3, MOBILE, "Phones", {21: "Pixel 10", 22: "iPhone 17"}),
    ):
        store.config_groups[group.id] = group
    for suite_id, project_id, name, sections in (
        (SMOKE, WEBSHOP, "Smoke", titles.SMOKE),
        (MOBILE_SUITE, MOBILE, "Master", titles.MOBILE),
        (OFFICE_SUITE, BACK_OFFICE, "Office", titles.BACK_OFFICE),
        (REGRESSION, WEBSHOP, "Regression", titles.REGRESSION),
        (ACCESSIBILITY, WEBSHOP, "Accessibility", titles.ACCESSIBILITY),
        (CATALOGUE, WEBSHOP, "Full catalogue", titles.CATALOGUE),
        (STRANGE, WEBSHOP, "Strange characters", titles.STRANGE),
    ):
        store.suites[suite_id] = Suite(suite_id, project_id, name, is_master=project_id == MOBILE)
        add_cases(store, suite_id, sections, now - 200 * DAY)


def add_people(store: Store) -> None:
    """Colleagues with a TestRail account, the bot's own account and somebody who left."""
    store.users[BOT_ID] = User(BOT_ID, "Rundown", "bot@acme.example", role="Lead", role_id=1)
    for one in COLLEAGUES:
        if one.testrail is not None:
            admin = one.role == "admin"
            store.users[one.testrail] = User(one.testrail, one.name, one.email, is_admin=admin)
    store.users[11] = User(11, "Nina Rossi", "nina@acme.example", is_active=False)


def add_statuses(store: Store) -> None:
    """The five built in and all seven custom ones. Colours: the vendor's samples."""
    for status in (
        Status(1, "passed", "Passed", (6667107, 9820525, 12709313)),
        Status(2, "blocked", "Blocked", (9474192, 13684944, 14737632)),
        Status(3, "untested", "Untested", (11579568, 15395562, 15790320), is_final=False),
        Status(4, "retest", "Retest", (13026868, 15593088, 16448182), is_final=False),
        Status(5, "failed", "Failed", (14250867, 15829135, 16631751)),
        Status(6, "custom_status1", "Known issue", (12087550, 14519170, 16039850)),
        Status(7, "custom_status2", "Skipped", (8421504, 11184810, 13421772)),
        Status(8, "custom_status3", "In progress", (3368703, 6730495, 10079487), is_final=False),
        Status(9, "custom_status4", "Won't test", (5592405, 8947848, 12303291)),
        Status(10, "custom_status5", "Unstable", (13408512, 16763904, 16772300)),
        Status(11, "custom_status6", "Not applicable", (7829367, 10066329, 14540253)),
        Status(12, "custom_status7", "Needs review", (6697881, 10053324, 13408767), is_final=False),
    ):
        store.statuses[status.id] = status


def add_cases(store: Store, suite_id: int, sections: Mapping[str, Sequence[str]], created_on: int) -> None:
    """The suite's sections and cases; case ids begin with the suite's number: suite 4 has C4001, C4002, …."""
    case_id = suite_id * 1000
    for place, (name, named) in enumerate(sections.items(), start=1):
        section = Section(suite_id * 100 + place, suite_id, name, place)
        store.sections[section.id] = section
        for order, title in enumerate(named, start=1):
            case_id += 1
            store.cases[case_id] = Case(
                case_id,
                suite_id,
                section.id,
                title,
                created_on,
                priority_id=1 + order % 4,
                estimate=f"{2 + order % 5}m",
                display_order=order,
                refs=f"WEB-{case_id // 10}" if order % 5 == 0 else None,
                custom={
                    "custom_automation_id": f"{name}.{title}" if suite_id == SMOKE else None,
                    "custom_preconds": None,
                    "custom_steps": None,
                    "custom_expected": None,
                },
            )
