"""What happened in Acme's projects: UAT rounds by hand, nightly API checks by a pipeline, a large regression."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.sandbox.practitest import words
from bot.sandbox.practitest.records import Instance, LibraryTest, Step
from bot.sandbox.practitest.statuses import BLOCKED, FAILED, NO_RUN, NOT_APPLICABLE, NOT_COMPLETED, PASSED
from bot.sandbox.practitest.teller import Teller
from bot.sandbox.world import ANA, HOSTILE_NAMES, LEA, TOM

CART_SET, REGRESSION_SET, LAST_NIGHT_SET, HOSTILE_SET = 55, 52, 57, 58
CART_INSTANCE = 98_142

_PIPELINE, _GONE, _TESTERS = 5390, 5301, 354
_HANDS = (ANA.practitest, TOM.practitest, LEA.practitest, _GONE)

_LETTERS = {"P": PASSED, "F": FAILED, "B": BLOCKED, "A": NOT_APPLICABLE, "C": NOT_COMPLETED, "N": NO_RUN}

#: The nights' sets, oldest first: number, and how many days ago.
_NIGHTS = (*zip(range(40, 51), range(12, 1, -1), strict=True), (54, 1), (LAST_NIGHT_SET, 0))

#: The cart round, one word an instance: its runs in order, the last one counts; `-` was never run.
_CART = (
    "PFF",
    "F",
    "PF",
    "FPF",
    "BF",
    *("PP", "P", "FP", "P", "P", "PP", "P", "P", "P", "FP", "P", "P", "P", "P", "P", "PP", "P"),
    "B",
    "PB",
    "AA",
    "A",
    "C",
    "PN",
    "-",
    "-",
    "-",
)


def webshop(teller: Teller, project_id: int) -> None:
    """Project 4566: the cart rounds, thirteen nights, the regression, and what must not break a message."""
    cart = teller.tests(project_id, words.CART)
    _earlier_round(teller, project_id, 31, 28 * 24, cart)
    _earlier_round(teller, project_id, 38, 14 * 24, cart)
    api = teller.tests(project_id, list(words.NIGHTS), kind="ApiTest")
    for set_id, days in _NIGHTS[:-2]:
        _night(teller, project_id, set_id, days, api)
    _regression(teller, project_id)
    _night(teller, project_id, *_NIGHTS[-2], api)
    _cart_round(teller, project_id, cart)
    _night(teller, project_id, *_NIGHTS[-1], api)
    _hostile(teller, project_id)
    teller.a_set(
        59,
        project_id,
        "Release 4.2 sign-off",
        teller.at(4),
        cart[:6],
        milestone_id=101,
        version="4.2",
        planned_execution=teller.now + timedelta(days=3),
        assigned_to_id=_TESTERS,
        assigned_to_type="group",
    )


def _earlier_round(teller: Teller, project_id: int, set_id: int, hours: int, tests: list[LibraryTest]) -> None:
    """A finished cart round: all passed but one or two."""
    begun = teller.at(hours)
    _made, places = teller.a_set(
        set_id,
        project_id,
        f"UAT cart {begun:%Y-%m-%d}",
        begun,
        tests,
        milestone_id=102,
        version="4.1",
        custom_fields={"---f-45911": "Done"},
    )
    for number, place in enumerate(places):
        status = FAILED if number in {2, set_id % 7} else PASSED
        _by_hand(teller, place, begun + timedelta(minutes=12 * number + 5), status, version="4.1")


def _cart_round(teller: Teller, project_id: int, tests: list[LibraryTest]) -> None:
    """S55: begun yesterday, still going on, every status there is."""
    begun = teller.at(28)
    _made, places = teller.a_set(
        CART_SET,
        project_id,
        "UAT cart",
        begun,
        tests,
        first_instance=CART_INSTANCE,
        description="Acceptance of the new cart before release 4.2",
        milestone_id=101,
        version="4.2",
        priority="2-high",
        assigned_to_id=TOM.practitest,
        assigned_to_type="user",
        planned_execution=teller.now + timedelta(days=1),
        custom_fields={
            "---f-45293": "Win",
            "---f-45911": "Open",
            "---f-45916": ["ClientA", "ClientB"],
            "---f-45900": '<a href="https://ci.acme.example/builds/812">build 812</a>',
        },
    )
    for number, (place, letters) in enumerate(zip(places, _CART, strict=True)):
        place.custom_fields = {"---f-45390": "Chrome"} if number % 3 == 0 else {}
        for turn, letter in enumerate(letters.strip("-")):
            at = begun + timedelta(minutes=20 + 44 * number + 430 * turn) if number else teller.at(20 - 9.9 * turn)
            if (number + turn) % 2 or letter in "AC":
                _by_hand(teller, place, at, _LETTERS[letter], version="4.2")
            else:
                _by_machine(teller, place, at, _LETTERS[letter], version="4.2")


def _night(teller: Teller, project_id: int, set_id: int, days: int, tests: list[LibraryTest]) -> None:
    """One nightly set; the letters of `words.NIGHTS` say what each test did, `r` is failed and passed on retry."""
    begun = teller.at(6 + 24 * days)
    _made, places = teller.a_set(
        set_id,
        project_id,
        f"Nightly API {begun:%Y-%m-%d}",
        begun,
        tests,
        version=f"4.2.{12 - days}",
        custom_fields={"---f-45293": "Linux"},
    )
    for number, (place, letters) in enumerate(zip(places, words.NIGHTS.values(), strict=True)):
        letter = letters[-1 - days]
        at = begun + timedelta(seconds=40 * number + 15)
        if letter == "r":
            _by_machine(teller, place, at, FAILED)
            _by_machine(teller, place, at + timedelta(minutes=20), PASSED)
        elif letter != "N":
            _by_machine(teller, place, at, _LETTERS[letter])


def _regression(teller: Teller, project_id: int) -> None:
    """S52: 250 instances, so that a list of them needs three pages."""
    names = [f"{check} [{place}]" for place in words.PLACES for check in words.CHECKS]
    begun = teller.at(50)
    _made, places = teller.a_set(
        REGRESSION_SET,
        project_id,
        "Regression all browsers",
        begun,
        teller.tests(project_id, names),
        milestone_id=101,
        version="4.2",
        assigned_to_id=_TESTERS,
        assigned_to_type="group",
    )
    for number, place in enumerate(places):
        if number % 25 == 24:
            continue
        status = FAILED if number % 41 == 7 else BLOCKED if number % 97 == 50 else PASSED
        _by_machine(teller, place, begun + timedelta(minutes=2 * number), status)


def _hostile(teller: Teller, project_id: int) -> None:
    """S58: texts that try to ping, link, format or run something where they are shown."""
    begun = teller.at(5)
    tests = teller.tests(project_id, [*HOSTILE_NAMES[1:], "Harmless check"])
    _made, places = teller.a_set(HOSTILE_SET, project_id, HOSTILE_NAMES[0], begun, tests)
    output = f"{HOSTILE_NAMES[1]} & {HOSTILE_NAMES[0]}"
    for place in places:
        teller.plan(place, begun + timedelta(minutes=9), FAILED, output=output[:255], tester_id=_PIPELINE)


def mobile(teller: Teller, project_id: int) -> None:
    """Project 4567: smoke rounds on phones; the newest is blocked."""
    tests = teller.tests(project_id, words.PHONE)
    for set_id, days, letters in ((61, 21, "PPPPPPPP"), (62, 14, "PPFPPPPP"), (63, 7, "PPFPPFPP"), (64, 1, "PPPPBPNN")):
        begun = teller.at(24 * days)
        _made, places = teller.a_set(
            set_id,
            project_id,
            f"iOS smoke week {begun:%V}",
            begun,
            tests,
            milestone_id=103,
            custom_fields={"---f-46001": "iPhone 15"},
            assigned_to_id=LEA.practitest,
            assigned_to_type="user",
        )
        for number, (place, letter) in enumerate(zip(places, letters, strict=True)):
            if letter != "N":
                _by_hand(teller, place, begun + timedelta(minutes=15 * number + 3), _LETTERS[letter])
    teller.a_set(65, project_id, "Android smoke", teller.at(3), tests)


def back_office(teller: Teller, project_id: int) -> None:
    """Project 4568: one good set, and one that nobody has put tests into yet."""
    begun = teller.at(30)
    _made, places = teller.a_set(71, project_id, "Invoices", begun, teller.tests(project_id, words.INVOICES))
    for number, place in enumerate(places):
        _by_machine(teller, place, begun + timedelta(minutes=number), PASSED)
    teller.a_set(72, project_id, "Returns (draft)", teller.at(2), [])


def _by_machine(teller: Teller, place: Instance, at: datetime, status: str, version: str | None = None) -> None:
    output = {PASSED: "OK", FAILED: words.ERRORS[place.test_id % len(words.ERRORS)], BLOCKED: words.BLOCK}.get(status)
    teller.plan(
        place,
        at,
        status,
        output=output,
        tester_id=_PIPELINE,
        version=version,
        custom_fields={"---f-45293": "Win"} if place.id % 4 == 0 else {},
    )


def _by_hand(teller: Teller, place: Instance, at: datetime, status: str, version: str | None = None) -> None:
    """A manual run by one of the testers, one of whom has no user record any more; its steps explain its status."""
    teller.plan(
        place,
        at,
        status,
        run_type="ManualRun",
        tester_id=_HANDS[place.id % len(_HANDS)],
        version=version,
        duration_s=teller.random.randrange(120, 5400),
        steps=_steps(place, status),
    )


def _steps(place: Instance, status: str) -> list[Step]:
    last = {NOT_COMPLETED: NO_RUN}.get(status, status)
    first = status if status in {NO_RUN, NOT_APPLICABLE} else PASSED
    actual = words.REASONS[place.test_id % len(words.REASONS)] if status in {FAILED, BLOCKED} else None
    return [
        Step("Prepare", first, "Log in as a customer of the test shop", "The start page is shown"),
        Step(place.name[:200], last, None, "As described in the story", actual),
    ]
