"""The sample data, made relative to one moment: deterministic, so that two instances tell the same story."""

from __future__ import annotations

from datetime import datetime
from operator import attrgetter

from bot.sandbox.testmo.sample.coming import nights_to_come, still_going
from bot.sandbox.testmo.sample.company import BOT, add_company
from bot.sandbox.testmo.sample.manual import add_manual_runs
from bot.sandbox.testmo.sample.nightly import link_cases, nightly_web
from bot.sandbox.testmo.sample.suites import other_suites, retire_selenium
from bot.sandbox.testmo.store import Store

__all__ = ["BOT", "LAST_NIGHT", "fill", "nights_to_come", "still_going"]

#: The automation run of last night's nightly-web: it failed.
LAST_NIGHT = 412


def fill(store: Store, now: datetime, *, with_runs: bool) -> None:
    """Puts the company into an empty store, with its runs as of `now` when wanted.

    Automation runs get ids in order of creation, counted so that last night's is A412.
    """
    add_company(store, now)
    if not with_runs:
        return
    nights = nightly_web(now)
    plans = sorted([*nights, *other_suites(now, nights[-1].at)], key=attrgetter("at"))
    store.last_ids |= {
        "automation_run": LAST_NIGHT - 1 - plans.index(nights[-1]),
        "thread": 1500,
        "automation_test": 61_000,
    }
    link_cases(store)
    for plan in plans:
        plan.build(store)
    retire_selenium(store, now)
    add_manual_runs(store, now)
