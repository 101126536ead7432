"""People, projects, milestones, configurations and cases of the sample instance."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.sandbox.testmo.records import Case, Issue, Milestone, Named, Project, State, User
from bot.sandbox.testmo.store import Store
from bot.sandbox.world import ANA, COLLEAGUES, HOSTILE_NAMES, LEA, MAX, TOM

#: Ids of users that are not in the company's list.
BOT, DEACTIVATED, ERASED = 1, 6, 7
WEBSHOP, MOBILE, BACK_OFFICE = 1, 2, 3
CHROME, FIREFOX, IOS, ANDROID = 1, 2, 3, 4
IN_REVIEW, IN_PROGRESS, READY_TO_SHIP = 1, 2, 3
RELEASE_82, RELEASE_81, HOSTILE_MILESTONE, STORE_SUBMISSION, PATCH_821 = 3, 2, 4, 5, 6

#: What is tested in the webshop: folder, then names.
AREAS = {
    "Checkout": (
        "pays by credit card",
        "pays by PayPal",
        "pays by invoice",
        "applies a voucher",
        "applies a gift card",
        "keeps the basket after login",
        "validates the postal code",
        "shows shipping costs",
        "sends a confirmation mail",
        "refuses an expired card",
    ),
    "Cart": (
        "adds a product",
        "removes a product",
        "changes the quantity",
        "merges carts after login",
        "shows the subtotal",
        "limits the quantity to stock",
        "survives a reload",
        "offers related products",
        "moves an item to the wish list",
        "empties the cart",
    ),
    "Search": (
        "finds by name",
        "finds by article number",
        "ranks exact matches first",
        "suggests while typing",
        "suggests synonyms",
        "filters by price",
        "filters by size",
        "sorts by rating",
        "pages through results",
        "shows nothing found",
    ),
    "Login": (
        "logs in with a password",
        "logs in with a passkey",
        "refuses a wrong password",
        "locks after five attempts",
        "resets a password",
        "remembers the device",
        "logs out everywhere",
        "asks for a second factor",
        "redirects to the page before",
        "expires after an hour",
    ),
    "Catalogue": (
        "shows a category",
        "shows a product",
        "shows the size table",
        "switches the colour",
        "zooms into pictures",
        "shows the stock level",
        "hides withdrawn products",
        "shows reviews",
        "writes a review",
        "compares products",
    ),
    "Account": (
        "shows past orders",
        "repeats an order",
        "changes the email address",
        "changes the password",
        "adds an address",
        "removes an address",
        "exports personal data",
        "deletes the account",
        "shows vouchers",
        "starts a return",
    ),
    "Newsletter": (
        "subscribes with double opt-in",
        "unsubscribes by link",
        "refuses a wrong address",
        "shows the archive",
        "changes topics",
        "keeps consent with date",
        "resends the opt-in mail",
        "imports from the till",
        "pauses in holidays",
        "shows a preview",
    ),
    "Wish list": (
        "adds a product",
        "removes a product",
        "shares a list by link",
        "shows price changes",
        "moves to the cart",
        "asks guests to log in",
        "renames a list",
        "sorts by date",
        "merges two lists",
        "empties a list",
    ),
}
CASES_PER_FOLDER = 40


def add_company(store: Store, now: datetime) -> None:
    """Adds everything but runs."""
    since = now - timedelta(days=700)
    _add_people(store, since)
    everyone = tuple(store.users)
    store.projects = {
        WEBSHOP: Project(WEBSHOP, "Webshop", since, ANA.testmo or 0, everyone),
        MOBILE: Project(MOBILE, "Mobile app", since + timedelta(days=90), ANA.testmo or 0, everyone[:5]),
        BACK_OFFICE: Project(BACK_OFFICE, "Back office", since + timedelta(days=200), TOM.testmo or 0, (1, 2, 3)),
    }
    store.configs = _named("Chrome", "Firefox", "iOS 19, iPhone", "Android 16, Pixel")
    store.states = {
        IN_REVIEW: State(IN_REVIEW, "In review", is_default=True),
        IN_PROGRESS: State(IN_PROGRESS, "In progress"),
        READY_TO_SHIP: State(READY_TO_SHIP, "Ready to ship"),
    }
    store.issues = {
        each: Issue(each, f"SHOP-{number}") for each, number in enumerate((1287, 1290, 1304, 1311), start=1)
    }
    store.tags = _named("smoke", "release", "risk")
    store.folders = _named(*AREAS)
    store.templates = _named("Case (steps)")
    store.milestone_types = _named("Release", "Sprint")
    _add_milestones(store, now)
    _add_cases(store, since)


def _named(*names: str) -> dict[int, Named]:
    return {number: Named(number, name) for number, name in enumerate(names, start=1)}


def _add_people(store: Store, since: datetime) -> None:
    """The colleagues, the bot's own user, one who left, and one whose data was erased."""
    people = [User(BOT, "Rundown", "rundown@acme.example", since, is_admin=True, is_api=True)]
    people += [
        User(each.testmo, each.name, each.email, since, is_admin=each.role == "admin")
        for each in COLLEAGUES
        if each.testmo is not None
    ]
    people.append(User(DEACTIVATED, "Nina Roth", "nina@acme.example", since, is_active=False))
    people.append(User(ERASED, None, None, since, is_active=False, is_forgotten=True))
    store.users = {each.id: each for each in people}


def _add_milestones(store: Store, now: datetime) -> None:
    day = timedelta(days=1)
    found = [
        Milestone(1, WEBSHOP, "Release 8", now - 200 * day, ANA.testmo or 0, started_at=now - 180 * day),
        Milestone(
            RELEASE_81,
            WEBSHOP,
            "Release 8.1",
            now - 90 * day,
            ANA.testmo or 0,
            parent_id=1,
            started_at=now - 80 * day,
            completed_at=now - 30 * day,
        ),
        Milestone(
            RELEASE_82,
            WEBSHOP,
            "Release 8.2",
            now - 40 * day,
            ANA.testmo or 0,
            parent_id=1,
            note="<p>Checkout on one page. <strong>Frozen</strong> two days before.</p>",
            automation_tags=("release-82",),
            issues=(1, 3),
            started_at=now - 28 * day,
            start_date=f"{now - 28 * day:%Y-%m-%d}",
            due_date=f"{now + 9 * day:%Y-%m-%d}",
        ),
        Milestone(HOSTILE_MILESTONE, WEBSHOP, HOSTILE_NAMES[1], now - 20 * day, MAX.testmo or 0, type_id=2),
        Milestone(
            STORE_SUBMISSION,
            MOBILE,
            "Store submission 4.0",
            now - 15 * day,
            LEA.testmo or 0,
            automation_tags=("store",),
            started_at=now - 10 * day,
        ),
        Milestone(PATCH_821, BACK_OFFICE, "Year-end closing", now - 12 * day, TOM.testmo or 0),
    ]
    store.milestones = {each.id: each for each in found}


def _add_cases(store: Store, since: datetime) -> None:
    """The webshop's cases (each automated test's and further ones by hand), and some for the other projects."""
    for folder_id, (folder, names) in enumerate(AREAS.items(), start=1):
        for number in range(CASES_PER_FOLDER):
            automated = number < len(names)
            name = names[number] if automated else f"by hand, variant {number - len(names) + 1}"
            _add_case(store, WEBSHOP, f"{folder}: {name}", folder_id, since, automated=automated)
    for project, noun, count in ((MOBILE, "App screen", 24), (BACK_OFFICE, "Ledger form", 12)):
        for number in range(1, count + 1):
            _add_case(store, project, f"{noun} {number}", 1, since, automated=False)


def _add_case(store: Store, project: int, name: str, folder_id: int, since: datetime, *, automated: bool) -> None:
    case_id = 1000 + store.next_id("case")
    created = since + timedelta(hours=case_id)
    tags = (1,) if case_id % 9 == 0 else ()
    store.cases[case_id] = Case(case_id, project, name, folder_id, created, ANA.testmo or 0, tags, automated)
