"""The other suites: contract tests every six hours, the app's smoke tests, unit tests of the back office.

Finished history lies before last night and hangs on it; three runs lie in the two hours before now. So every run has
the same id at any time of day.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.sandbox.testmo.sample.company import (
    ANDROID,
    BACK_OFFICE,
    DEACTIVATED,
    ERASED,
    HOSTILE_MILESTONE,
    IOS,
    MOBILE,
    WEBSHOP,
)
from bot.sandbox.testmo.sample.plan import Plan, draft, wobble
from bot.sandbox.testmo.statuses import FAILED, PASSED, SUCCESS
from bot.sandbox.testmo.store import Draft, Store
from bot.sandbox.world import HOSTILE_NAMES

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
CONTRACTS = ("orders", "prices", "stock", "customers", "vouchers", "returns")
SCREENS = ("start", "search", "product", "cart", "payment", "orders")
LEDGER = ("books an invoice", "cancels an invoice", "splits an amount", "rounds half up", "closes a month")


def other_suites(now: datetime, night: datetime) -> list[Plan]:
    """The plans of all runs but the nightly ones, in any order. `night` is when last night's run began."""
    return [
        *_contract_runs(night),
        _contract_run_hostile(now),
        _contract_run_going(now),
        *_smoke_runs(night),
        _smoke_run_nearly_done(now),
        *_unit_runs(night),
        _unit_run_unfinished(night),
        *_retired_runs(night),
    ]


def contract_tests(salt: int, *, failing: frozenset[str] = frozenset(), count: int = 24) -> list[Draft]:
    tests: list[Draft] = []
    for number in range(count):
        name = f"{CONTRACTS[number % len(CONTRACTS)]} keeps version {number // len(CONTRACTS) + 1}"
        bad = name in failing
        text = f'ContractError: field "currency" missing in answer {wobble(name, salt)}' if bad else ""
        tests.append(draft("Contracts", name, FAILED if bad else PASSED, salt=salt, error=text))
    return tests


def _contract_runs(night: datetime) -> list[Plan]:
    """Every six hours for three days: green, then two failed ones, green again."""
    plans: list[Plan] = []
    for back in range(1, 12):
        failing = frozenset({"prices keeps version 2", "stock keeps version 1"}) if back in (5, 6) else frozenset()
        tests = contract_tests(back, failing=failing)
        plans.append(
            Plan(
                night - (back * 6 - 3) * HOUR,
                WEBSHOP,
                "api-contract",
                f"API contract #{259 - back}",
                [tests[:12], tests[12:]],
                lasts=4 * MINUTE,
                tags=("api",),
                command="npm run contract",
                by=ERASED if back == 9 else 1,
            )
        )
    return plans


def _contract_run_hostile(now: datetime) -> Plan:
    """The last finished one, with a name and a milestone that try to do something where they are shown."""
    tests = contract_tests(1)
    return Plan(
        now - 90 * MINUTE,
        WEBSHOP,
        "api-contract",
        HOSTILE_NAMES[0],
        [tests[:12], tests[12:]],
        lasts=4 * MINUTE,
        milestone_id=HOSTILE_MILESTONE,
        tags=("api",),
        command="npm run contract",
    )


def _contract_run_going(now: datetime) -> Plan:
    """Going on right now: two open threads, one failure so far."""
    tests = contract_tests(0, failing=frozenset({"vouchers keeps version 1"}), count=16)
    return Plan(
        now - 5 * MINUTE,
        WEBSHOP,
        "api-contract",
        "API contract #260",
        [tests[:9], tests[9:]],
        lasts=4 * MINUTE,
        completed=False,
        open_threads=2,
        tags=("api",),
        command="npm run contract",
    )


def smoke_tests(salt: int, *, count: int = 12) -> list[Draft]:
    found: list[Draft] = []
    for number in range(count):
        bad = salt == 4 and number == 3
        name = f"opens {SCREENS[number % 6]}" + (" offline" if number > 5 else "")
        text = f"NoSuchElementError: ~pay-now not shown in {8000 + salt} ms" if bad else ""
        found.append(draft("Smoke", name, FAILED if bad else PASSED, salt=salt, error=text))
    return found


def _smoke_runs(night: datetime) -> list[Plan]:
    """Once a day on each of two phones: two streams of one source."""
    return [
        Plan(
            night - back * DAY + (7 + config) * HOUR,
            MOBILE,
            "mobile-smoke",
            f"Mobile smoke {phone} {20 - back}",
            [smoke_tests(back * 10 if config == IOS else back)],
            config_id=config,
            tags=("mobile", "store"),
            command="npx wdio run",
        )
        for back in range(1, 7)
        for config, phone in ((IOS, "iPhone"), (ANDROID, "Pixel"))
    ]


def _smoke_run_nearly_done(now: datetime) -> Plan:
    """Says success while it is not completed and a thread is open: no failure so far, as in the vendor's sample."""
    tests = smoke_tests(0)
    return Plan(
        now - 80 * MINUTE,
        MOBILE,
        "mobile-smoke",
        "Mobile smoke iPhone 20",
        [tests[:8], tests[8:]],
        completed=False,
        open_threads=1,
        shown_status=SUCCESS,
        config_id=IOS,
        tags=("mobile",),
        lasts=70 * MINUTE,
    )


def unit_tests(salt: int, count: int = 40) -> list[Draft]:
    found: list[Draft] = []
    for number in range(count):
        bad = salt in (1, 3) and number == 8
        name = f"{LEDGER[number % len(LEDGER)]} in period {number // len(LEDGER) + 1}"
        text = f"AssertionError: assert Decimal('{salt}.005') == Decimal('{salt}.01')" if bad else ""
        found.append(draft("ledger.tests", name, FAILED if bad else PASSED, salt=salt, error=text))
    return found


def _unit_runs(night: datetime) -> list[Plan]:
    """Twice a day for four days."""
    return [
        Plan(
            night - (back * 12 + 16) * HOUR,
            BACK_OFFICE,
            "unit-backend",
            f"unit-backend build {910 - back}",
            [unit_tests(back)[:20], unit_tests(back)[20:]],
            lasts=2 * MINUTE,
            tags=("unit",),
            command="pytest -q",
        )
        for back in range(1, 9)
    ]


def _unit_run_unfinished(night: datetime) -> Plan:
    """Began the morning before last night, gave results for half an hour and never again: not failed, not finished."""
    tests = unit_tests(0, count=17)
    return Plan(
        night - 16 * HOUR,
        BACK_OFFICE,
        "unit-backend",
        "unit-backend build 910",
        [tests[:10], tests[10:]],
        lasts=30 * MINUTE,
        completed=False,
        open_threads=1,
        tags=("unit",),
        command="pytest -q",
    )


def retire_selenium(store: Store, now: datetime) -> None:
    """Retires the source of the old suite."""
    for source in store.sources.values():
        if source.name == "legacy-selenium":
            source.retired_at, source.retired_by = now - 190 * DAY, 3


def _retired_runs(night: datetime) -> list[Plan]:
    """Of a suite that is no longer used, by someone who has left."""
    return [
        Plan(
            night - days * DAY,
            BACK_OFFICE,
            "legacy-selenium",
            f"Selenium grid {days}",
            [unit_tests(days, count=6)],
            by=DEACTIVATED,
            command="mvn verify",
        )
        for days in (210, 203)
    ]
