"""What comes when days go by: every night the pipeline checks the webshop's API in a new set."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta

from bot.sandbox.days import Day, Mood, Story
from bot.sandbox.practitest import words
from bot.sandbox.practitest.account import Account, NewRun
from bot.sandbox.practitest.sample import PIPELINE, WEBSHOP
from bot.sandbox.practitest.statuses import FAILED, PASSED
from bot.sandbox.practitest.teller import Teller

#: When the set begins, after the day's beginning at 02:00 UTC, and how far apart its runs are.
BEGINS, EVERY = timedelta(minutes=30), timedelta(seconds=40)
#: The last version that the sample tells of is 4.2.12.
FIRST_VERSION = 13

VOUCHER, GATEWAY, CONFLICT = words.ERRORS[0], words.ERRORS[2], words.ERRORS[4]
#: What fails by the kind of day, and what the machine writes about it.
FAILS: Mapping[Mood, Mapping[str, str]] = {
    Mood.BAD: {
        "POST /checkout": GATEWAY,
        "POST /checkout/voucher": VOUCHER,
        "POST /payments": GATEWAY,
        "POST /payments/{id}/refund": GATEWAY,
    },
    Mood.MIXED: {"POST /checkout/voucher": VOUCHER, "PUT /stock/{sku}": CONFLICT},
}
#: What fails first and passes right after.
RETRIED = {Mood.MIXED: "POST /orders/{id}/cancel"}


def days_to_come(account: Account, day: Day) -> Iterator[Story]:
    """All that happens on one day."""
    yield _night(account, day)


def _night(account: Account, day: Day) -> Story:
    """One nightly set over the same tests as the nights before; nothing more of it once it is deleted."""
    at = day.begins + BEGINS
    yield at
    tests = [test for test in account.tests.values() if test.project_id == WEBSHOP and test.kind == "ApiTest"]
    teller = Teller(account, at)
    made, places = teller.a_set(
        None,
        WEBSHOP,
        f"Nightly API {at:%Y-%m-%d}",
        at,
        tests,
        version=f"4.2.{FIRST_VERSION + day.number}",
        custom_fields={"---f-45293": "Linux"},
    )
    errors = FAILS.get(day.mood, {})
    for place in places:
        outputs = [errors.get(place.name, "OK")]
        if place.name == RETRIED.get(day.mood):
            outputs.insert(0, GATEWAY)
        for output in outputs:
            at += EVERY
            yield at
            if made.id not in account.sets:
                return
            status = PASSED if output == "OK" else FAILED
            took_s = teller.random.randrange(4, 400)
            account.add_run(
                NewRun(place.id, status, tester_id=PIPELINE, duration_s=took_s, output=output, version=made.version), at
            )
