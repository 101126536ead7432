"""What comes when days go by: every suite runs each night, with what the kind of day has in store for it.

On a bad day two suites of the webshop break, with errors that share their causes, one fails still, and the second try
of one is left unfinished until the afternoon. On a mixed day those two recover, one fails still, another one breaks,
and one of its tests passes on retry. On a quiet day everything passes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.sandbox.days import Day, Mood, Story
from bot.sandbox.testmo.records import AutomationRun
from bot.sandbox.testmo.sample.company import (
    ANDROID,
    AREAS,
    BACK_OFFICE,
    BOT,
    CHROME,
    FIREFOX,
    IOS,
    MOBILE,
    RELEASE_82,
    WEBSHOP,
)
from bot.sandbox.testmo.sample.nightly import FLAKY, SKIPPED_TESTS, TestName, tests_of_night
from bot.sandbox.testmo.sample.plan import Plan, draft, wobble
from bot.sandbox.testmo.sample.suites import contract_tests, smoke_tests, unit_tests
from bot.sandbox.testmo.statuses import FAILED, SKIPPED
from bot.sandbox.testmo.store import Draft, Store
from bot.sandbox.world import TOM

MINUTE = timedelta(minutes=1)
#: Errors with one cause each; {n} is another number in every test.
CART = "TimeoutError: timeout waiting for #cart after 30{n} ms"
PAYMENTS = "AssertionError: expected 422 but got 500 from POST /api/payments (trace 7f3a{n})"
CURRENCY = 'ContractError: field "currency" missing in answer {n}'
PASSKEY = "Error: navigator.credentials.get() timed out after {n} ms"
OPT_IN = "Error: no mail to opt-in-{n}@mail.acme.example after 60 s"
PAY_NOW = "NoSuchElementError: ~pay-now not shown in 8{n} ms"
ROUNDING = "AssertionError: assert Decimal('{n}.005') == Decimal('{n}.01')"

Failures = Mapping[TestName, str]


def _names(drafts: Sequence[Draft]) -> tuple[TestName, ...]:
    return tuple((each.folder, each.name) for each in drafts)


def _areas(*folders: str) -> tuple[TestName, ...]:
    return tuple((folder, name) for folder in folders for name in AREAS[folder])


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """One stream as it runs every night, `after` the day's beginning.

    In `title`, {at} is when it begins, {build} counts from `first_build` on. `fails` are the errors of the tests that
    fail, by the kind of day; `retried` fail first and pass in another thread. On `hangs` days it is tried once more,
    and that run is left open.
    """

    project: int
    source: str
    title: str
    tests: tuple[TestName, ...]
    after: timedelta
    lasts: timedelta
    threads: int = 2
    first_build: int = 0
    config_id: int | None = None
    milestone_id: int | None = None
    tags: tuple[str, ...] = ()
    command: str = "npx playwright test"
    fails: Mapping[Mood, Failures] = field(default_factory=dict)
    retried: Mapping[Mood, Failures] = field(default_factory=dict)
    hangs: frozenset[Mood] = frozenset()


SUITES = (
    Suite(
        project=WEBSHOP,
        source="nightly-web",
        title="Nightly web {at:%Y-%m-%d}",
        tests=tuple(tests_of_night(1)),
        after=timedelta(seconds=4),
        lasts=36 * MINUTE,
        threads=4,
        config_id=CHROME,
        milestone_id=RELEASE_82,
        tags=("nightly", "web"),
        command="npx playwright test --project=chrome",
        fails={
            Mood.BAD: {
                ("Checkout", "refuses an expired card"): PAYMENTS,
                ("Checkout", "pays by credit card"): PAYMENTS,
                ("Checkout", "pays by PayPal"): PAYMENTS,
                ("Cart", "merges carts after login"): CART,
                ("Cart", "survives a reload"): CART,
            },
            Mood.MIXED: {("Checkout", "refuses an expired card"): PAYMENTS},
        },
    ),
    Suite(
        project=WEBSHOP,
        source="nightly-web",
        title="Nightly web Firefox {at:%Y-%m-%d}",
        tests=_areas("Checkout", "Cart", "Login"),
        after=1 * MINUTE,
        lasts=24 * MINUTE,
        config_id=FIREFOX,
        tags=("nightly", "web"),
        command="npx playwright test --project=firefox",
        fails={
            Mood.BAD: {
                ("Cart", "merges carts after login"): CART,
                ("Cart", "survives a reload"): CART,
                ("Cart", "changes the quantity"): CART,
                ("Checkout", "keeps the basket after login"): CART,
            }
        },
    ),
    Suite(
        project=WEBSHOP,
        source="nightly-web",
        title="Nightly web iPhone {at:%Y-%m-%d}",
        tests=_areas("Checkout", "Login", "Newsletter"),
        after=2 * MINUTE,
        lasts=24 * MINUTE,
        config_id=IOS,
        tags=("nightly", "web"),
        command="npx playwright test --project=iphone",
        fails={
            Mood.MIXED: {
                ("Login", "logs in with a passkey"): PASSKEY,
                ("Login", "asks for a second factor"): PASSKEY,
            }
        },
        retried={Mood.MIXED: {FLAKY: OPT_IN}},
    ),
    Suite(
        project=WEBSHOP,
        source="api-contract",
        title="API contract #{build}",
        first_build=261,
        tests=_names(contract_tests(0)),
        after=5 * MINUTE,
        lasts=4 * MINUTE,
        tags=("api",),
        command="npm run contract",
        fails={
            Mood.BAD: {
                ("Contracts", "prices keeps version 2"): CURRENCY,
                ("Contracts", "stock keeps version 1"): CURRENCY,
                ("Contracts", "vouchers keeps version 1"): CURRENCY,
            }
        },
        hangs=frozenset({Mood.BAD}),
    ),
    Suite(
        project=MOBILE,
        source="mobile-smoke",
        title="Mobile smoke iPhone {build}",
        first_build=21,
        tests=_names(smoke_tests(0)),
        after=10 * MINUTE,
        lasts=12 * MINUTE,
        threads=1,
        config_id=IOS,
        tags=("mobile", "store"),
        command="npx wdio run",
    ),
    Suite(
        project=MOBILE,
        source="mobile-smoke",
        title="Mobile smoke Pixel {build}",
        first_build=20,
        tests=_names(smoke_tests(0)),
        after=11 * MINUTE,
        lasts=12 * MINUTE,
        threads=1,
        config_id=ANDROID,
        tags=("mobile", "store"),
        command="npx wdio run",
        fails={Mood.BAD: {("Smoke", "opens cart"): PAY_NOW, ("Smoke", "opens payment"): PAY_NOW}},
    ),
    Suite(
        project=BACK_OFFICE,
        source="unit-backend",
        title="unit-backend build {build}",
        first_build=911,
        tests=_names(unit_tests(0)),
        after=15 * MINUTE,
        lasts=2 * MINUTE,
        tags=("unit",),
        command="pytest -q",
        fails={Mood.BAD: {("ledger.tests", "rounds half up in period 2"): ROUNDING}},
    ),
)
#: When the second try begins, how many tests it gets through, and when somebody completes it.
AGAIN, AGAIN_TESTS, GIVEN_UP = timedelta(minutes=15), 18, timedelta(hours=14)


def nights_to_come(store: Store, day: Day) -> Iterator[Story]:
    """All that happens on one day."""
    for suite in SUITES:
        yield _plan(suite, day).unfold(store)
        if day.mood in suite.hangs:
            yield _second_try(suite, day, store)


def still_going(store: Store, now: datetime) -> Iterator[Story]:
    """The runs that were going on at `now` come to their end; the contracts, which fail, pass at the second try."""
    tests = contract_tests(0)
    for run in list(store.automation_runs.values()):
        source = store.sources[run.source_id].name
        if run.completed_at is None and source in ("api-contract", "mobile-smoke"):
            yield _ending(store, run, now + 3 * MINUTE, tests[16:] if source == "api-contract" else ())
    yield Plan(
        now + 10 * MINUTE,
        WEBSHOP,
        "api-contract",
        "API contract #260, again",
        [tests[:12], tests[12:]],
        lasts=4 * MINUTE,
        tags=("api",),
        command="npm run contract",
    ).unfold(store)


def _plan(suite: Suite, day: Day) -> Plan:
    at = day.begins + suite.after
    return Plan(
        at,
        suite.project,
        suite.source,
        suite.title.format(at=at, build=suite.first_build + day.number),
        _threads(suite, day),
        lasts=suite.lasts,
        config_id=suite.config_id,
        milestone_id=suite.milestone_id,
        tags=suite.tags,
        command=suite.command,
    )


def _threads(suite: Suite, day: Day) -> list[list[Draft]]:
    """The results of each thread; what is retried comes first in the first one and passes at the end of the last."""
    fails, retried = suite.fails.get(day.mood, {}), suite.retried.get(day.mood, {})
    drafts = [_draft(suite, test, day, fails.get(test, "")) for test in suite.tests if test not in retried]
    threads = [drafts[number :: suite.threads] for number in range(suite.threads)]
    threads[0][:0] = [_draft(suite, test, day, error) for test, error in retried.items()]
    threads[-1] += [_draft(suite, test, day) for test in retried]
    return threads


def _draft(suite: Suite, test: TestName, day: Day, error: str = "") -> Draft:
    salt = f"{suite.config_id} {day.number}"
    if error:
        number = 100 + wobble(*test, salt) % 900
        return draft(*test, FAILED, salt=salt, error=error.replace("{n}", str(number)))
    return draft(*test, SKIPPED, salt=salt) if test in SKIPPED_TESTS else draft(*test, salt=salt)


def _second_try(suite: Suite, day: Day, store: Store) -> Story:
    """The same again; it stops in the middle, and in the afternoon somebody completes it, unless others did."""
    plan = _plan(suite, day)
    plan.at += AGAIN
    plan.name += ", again"
    plan.threads = [part[: AGAIN_TESTS // suite.threads] for part in plan.threads]
    plan.completed, plan.open_threads = False, len(plan.threads)
    run = yield from plan.unfold(store)
    yield from _ending(store, run, day.begins + GIVEN_UP, by=TOM.testmo or BOT)


def _ending(
    store: Store, run: AutomationRun, at: datetime, rest: Sequence[Draft] = (), *, by: int = BOT
) -> Iterator[datetime]:
    """The last results come, and the run is completed."""
    yield at
    if run.completed_at is None:
        if rest and run.threads[-1].completed_at is None:
            store.add_tests(run, run.threads[-1], rest, at=at)
        store.complete_run(run, at=at, by=by, measure_elapsed=True)
