"""What comes when days go by: a smoke test after every deployment, and more results of R118 as long as it is open."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from bot.sandbox.days import Day, Mood, Story
from bot.sandbox.testrail.company import BOT_ID, SMOKE
from bot.sandbox.testrail.history import BLOCK, FLAKY, LEA, NEW, TOM, UNTOUCHED
from bot.sandbox.testrail.model import FAILED, PASSED
from bot.sandbox.testrail.store import Store
from bot.sandbox.testrail.storyteller import Storyteller

RELEASE = 118
#: A day's deployment and the work of its testers, after its beginning at 02:00 UTC.
DEPLOYMENT, WORK = timedelta(hours=3), timedelta(hours=11)
SMOKE_EVERY, WORK_EVERY = timedelta(minutes=2), timedelta(minutes=20)
#: The deployment before the first day's.
LAST_DEPLOYMENT = 48

#: What fails in the smoke test, by place, and what is said of it.
SMOKE_FAILS = {Mood.BAD: {7: "HTTP 502 from the stock service, twice."}}
#: What is done in R118: place of the test, status, who, what is said.
RESULTS: dict[Mood, tuple[tuple[int, int, int, str], ...]] = {
    Mood.BAD: (
        (UNTOUCHED[0], FAILED, TOM, "Expected the confirmation within 10 s, got none in 60 s."),
        (FLAKY, PASSED, TOM, "Passed this time."),
    ),
    Mood.MIXED: (
        (NEW, PASSED, TOM, "Fixed in 5.2.0-rc4."),
        (UNTOUCHED[1], PASSED, TOM, ""),
        (FLAKY, FAILED, LEA, "Element #otp not found after 30 s."),
    ),
    Mood.QUIET: (
        (UNTOUCHED[0], PASSED, TOM, "Fixed in 5.2.0-rc5."),
        (BLOCK, PASSED, LEA, "The test account works again."),
    ),
}


def days_to_come(store: Store, day: Day) -> Iterator[Story]:
    """All that happens on one day."""
    yield _smoke(store, day)
    yield _release(store, day)


def _smoke(store: Store, day: Day) -> Story:
    """One more smoke test; closed when all is tested, unless somebody closed or deleted it before."""
    at = day.begins + DEPLOYMENT
    yield at
    teller = Storyteller(store, int(at.timestamp()))
    name = f"Smoke after deploy {LAST_DEPLOYMENT + 1 + day.number}"
    run = teller.run(store.next_run_id(), SMOKE, name, age_s=0, by=BOT_ID)
    fails = SMOKE_FAILS.get(day.mood, {})
    for place, test in enumerate(store.tests_of(run)):
        at += SMOKE_EVERY
        yield at
        if run.completed_on is not None or run.id not in store.runs:
            return
        teller.now = int(at.timestamp())
        failed = {"comment": fails[place]} if place in fails else {}
        teller.say(test, FAILED if failed else PASSED, ago_s=0, by=BOT_ID, **failed)
    teller.finish(run, ago_s=0)


def _release(store: Store, day: Day) -> Story:
    """The testers go on with the release, as far as it is still open and their tests are still in it."""
    for number, (place, status_id, by, comment) in enumerate(RESULTS[day.mood]):
        at = day.begins + WORK + number * WORK_EVERY
        yield at
        run = store.runs.get(RELEASE)
        if run is None or run.completed_on is not None:
            return
        tests = store.tests_of(run)
        if place < len(tests):
            teller = Storyteller(store, int(at.timestamp()))
            teller.say(tests[place], status_id, ago_s=0, by=by, comment=comment or None)
