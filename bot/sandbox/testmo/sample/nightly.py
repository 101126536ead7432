"""nightly-web: fourteen nights of the webshop's end-to-end tests; last night's is A412 and it failed."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.sandbox.testmo.sample.company import AREAS, CHROME, RELEASE_82, WEBSHOP
from bot.sandbox.testmo.sample.plan import Plan, draft, key, wobble
from bot.sandbox.testmo.statuses import FAILED, PASSED, SKIPPED
from bot.sandbox.testmo.store import Draft, Store
from bot.sandbox.world import HOSTILE_NAMES

NIGHTS = 14
THREADS = 4
TestName = tuple[str, str]

#: Nights are counted back from last night, which is 0.
NEW: tuple[TestName, ...] = (
    ("Checkout", "pays by credit card"),
    ("Cart", "merges carts after login"),
    ("Cart", "survives a reload"),
    ("Checkout", HOSTILE_NAMES[1]),
    ("Catalogue", HOSTILE_NAMES[2]),
)
STILL: dict[TestName, frozenset[int]] = {
    ("Search", "ranks exact matches first"): frozenset({0, 1}),
    ("Account", "changes the email address"): frozenset({0, 1, 2, 3}),
    ("Checkout", "refuses an expired card"): frozenset({0, 1, 2, 3, 4, 5}),
}
FIXED: dict[TestName, frozenset[int]] = {
    ("Login", "locks after five attempts"): frozenset({1, 2}),
    ("Catalogue", "shows the size table"): frozenset({1}),
}
FLAKY: TestName = ("Newsletter", "subscribes with double opt-in")
FLAKY_NIGHTS = frozenset({0, 2, 3, 5, 8})
#: Failed first and passed when it was repeated by another thread of the same run.
RETRIED: TestName = ("Cart", "adds a product")
SKIPPED_TESTS: frozenset[TestName] = frozenset({("Account", "deletes the account"), ("Search", "suggests synonyms")})
#: Planned and not run last night; and one that is new last night.
NOT_RUN: TestName = ("Wish list", "shares a list by link")
ADDED: TestName = ("Wish list", "sorts by price")

_FAILING = STILL | FIXED | {FLAKY: FLAKY_NIGHTS} | dict.fromkeys(NEW, frozenset({0}))
_ON_CART = {"pays by credit card", "merges carts after login", "survives a reload"}
_ERRORS = {
    "ranks exact matches first": 'AssertionError: expected row 1 to be "SKU-4711", got "SKU-{n}"',
    "changes the email address": "Error: strict mode violation: getByRole('button') resolved to 2 elements",
    "refuses an expired card": "AssertionError: expected 422 but got 500 from POST /api/payments (trace 7f3a{n})",
    "locks after five attempts": 'AssertionError: expected "Account locked" within 5000 ms, took {n} ms',
    "shows the size table": "TypeError: Cannot read properties of undefined (reading 'sizes')",
    "subscribes with double opt-in": "Error: no mail to opt-in-{n}@mail.acme.example after 60 s",
}


def last_night(now: datetime) -> datetime:
    """The last 02:00 UTC that is at least two hours ago."""
    moment = now.replace(hour=2, minute=0, second=4, microsecond=0)
    while moment > now - timedelta(hours=2):
        moment -= timedelta(days=1)
    return moment


def link_cases(store: Store) -> None:
    """Links the automated tests of the checkout and the cart to their cases in the repository."""
    for case in store.cases.values():
        folder, _, name = case.name.partition(": ")
        if case.has_automation and folder in ("Checkout", "Cart"):
            store.case_links[key(folder, name)] = case.id


def nightly_web(now: datetime) -> list[Plan]:
    """The plans of all nights, last night's last."""
    return [_night(last_night(now) - timedelta(days=night), night) for night in range(NIGHTS - 1, -1, -1)]


def _night(at: datetime, night: int) -> Plan:
    return Plan(
        at,
        WEBSHOP,
        "nightly-web",
        f"Nightly web {at:%Y-%m-%d}",
        _threads(night),
        lasts=timedelta(minutes=36),
        config_id=CHROME,
        milestone_id=RELEASE_82 if night < 10 else None,
        tags=("nightly", "web"),
        command="npx playwright test --project=chrome",
    )


def _threads(night: int) -> list[list[Draft]]:
    threads: list[list[Draft]] = [[] for _ in range(THREADS)]
    for number, test in enumerate(tests_of_night(night)):
        threads[number % THREADS].append(_draft(test, night))
    if night == 0:
        threads[0].insert(0, draft(*RETRIED, FAILED, error=_error(RETRIED[1], night)))
        threads[0] = [each for at, each in enumerate(threads[0]) if at == 0 or each.name != RETRIED[1]]
        for part in threads[1:]:
            part[:] = [each for each in part if (each.folder, each.name) != RETRIED]
        threads[2].append(draft(*RETRIED, salt=night))
    return threads


def tests_of_night(night: int) -> list[TestName]:
    """What ran that night, counted back from last night, which is 0; any other night had the usual tests."""
    tests = [(folder, name) for folder, names in AREAS.items() for name in names]
    tests += [("Checkout", HOSTILE_NAMES[1]), ("Catalogue", HOSTILE_NAMES[2])]
    if night == 0:
        tests = [test for test in tests if test != NOT_RUN] + [ADDED]
    return tests


def _draft(test: TestName, night: int) -> Draft:
    if test in SKIPPED_TESTS:
        return draft(*test, SKIPPED, salt=night)
    if night in _FAILING.get(test, ()):
        return draft(*test, FAILED, salt=night, error=_error(test[1], night))
    return draft(*test, PASSED, salt=night)


def _error(name: str, night: int) -> str:
    """The error text; those about the cart share a cause and differ in numbers."""
    number = wobble(name, night)
    if name in _ON_CART or name == RETRIED[1]:
        return f"TimeoutError: timeout waiting for #cart after {30_000 + number % 90} ms"
    return _ERRORS.get(name, 'AssertionError: expected <total> & "*sum*" to match {n}').replace("{n}", str(number))
