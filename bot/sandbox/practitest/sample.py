"""The sample account: Acme's three projects, told relative to a moment and otherwise always the same."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from bot.sandbox.practitest import story
from bot.sandbox.practitest.account import Account
from bot.sandbox.practitest.records import (
    CustomField,
    FilterQuestion,
    Group,
    Milestone,
    Project,
    SavedFilter,
    SetRecord,
    User,
)
from bot.sandbox.practitest.teller import Teller
from bot.sandbox.world import ANA, COLLEAGUES

WEBSHOP, MOBILE, BACK_OFFICE = 4566, 4567, 4568

#: A pipeline's login, someone who left, and a tester whose user record is gone.
PIPELINE, FORMER, GONE = 5390, 5379, 5301

TESTERS = 354

RELEASE, LAST_RELEASE, APP_RELEASE = 101, 102, 103

_FOUNDED = datetime(2025, 3, 3, 9, 30, tzinfo=UTC)

_FIELDS = (
    (45293, WEBSHOP, "OS", "list", ("Win", "Mac", "Linux")),
    (45390, WEBSHOP, "Browser", "list", ("Chrome", "Firefox", "Safari")),
    (45510, WEBSHOP, "Sponsor", "user", ()),
    (45900, WEBSHOP, "Build", "text", ()),
    (45911, WEBSHOP, "Sign-off", "list", ("Open", "In review", "Done")),
    (45916, WEBSHOP, "Clients", "multilist", ("ClientA", "ClientB", "ClientC")),
    (47889, WEBSHOP, "Device", "list", ("Mac", "PC", "Tablet")),
    (46001, MOBILE, "Phone", "list", ("iPhone 15", "Pixel 9", "Galaxy S25")),
    (46101, BACK_OFFICE, "Country", "list", ("DE", "FR", "SI")),
)


def fill(now: datetime) -> Account:
    """A new account as it looks at `now`."""
    account = Account()
    _people(account)
    _projects(account, now)
    _filters(account)
    teller = Teller(account, now)
    story.webshop(teller, WEBSHOP)
    story.mobile(teller, MOBILE)
    story.back_office(teller, BACK_OFFICE)
    teller.tell()
    return account


def _people(account: Account) -> None:
    for person in COLLEAGUES:
        if person.practitest is not None:
            first, _, last = person.name.partition(" ")
            account.users[person.practitest] = User(
                person.practitest,
                first,
                last,
                person.name,
                person.email,
                _FOUNDED,
            )
    account.users[PIPELINE] = User(PIPELINE, None, None, "ci@acme.example", "ci@acme.example", _FOUNDED)
    account.users[FORMER] = User(FORMER, "Ida", "Roth", "Ida Roth", "ida@acme.example", _FOUNDED, active=False)
    for number, name in ((353, "Administrators"), (TESTERS, "Testers"), (355, "Developers")):
        account.groups[number] = Group(number, name, _FOUNDED)


def _projects(account: Account, now: datetime) -> None:
    for number, name in ((WEBSHOP, "Webshop UAT"), (MOBILE, "Mobile UAT"), (BACK_OFFICE, "Back office UAT")):
        account.projects[number] = Project(number, name, _FOUNDED)
    for number, project_id, name, form, values in _FIELDS:
        account.fields[number] = CustomField(number, project_id, name, form, values, _FOUNDED)
    author = ANA.practitest or PIPELINE
    for number, project_id, display, name, status, weeks in (
        (RELEASE, WEBSHOP, 2, "Release 4.2", "Active", 1),
        (LAST_RELEASE, WEBSHOP, 1, "Release 4.1", "Closed", -4),
        (APP_RELEASE, MOBILE, 1, "App 7.0", "Active", 3),
    ):
        ends = (now + timedelta(weeks=weeks)).date()
        account.milestones[number] = Milestone(
            number,
            project_id,
            display,
            name,
            status,
            "Release",
            ends - timedelta(weeks=6),
            ends,
            author,
            _FOUNDED,
        )


def _filters(account: Account) -> None:
    def nightly(record: SetRecord, _asked: FilterQuestion) -> bool:
        return record.name.startswith("Nightly")

    def mine(record: SetRecord, asked: FilterQuestion) -> bool:
        return record.assigned_to_type == "user" and record.assigned_to_id == asked.user_id

    def by_version(record: SetRecord, asked: FilterQuestion) -> bool:
        return asked.value in {None, record.version} and asked.sub_value in {None, record.priority}

    for saved in (
        SavedFilter(323, WEBSHOP, "Nightly", nightly),
        SavedFilter(324, WEBSHOP, "Assigned to me", mine, needs_user=True),
        SavedFilter(325, WEBSHOP, "By version and priority", by_version),
        SavedFilter(326, MOBILE, "Assigned to me", mine, needs_user=True),
    ):
        account.filters[saved.id] = saved
