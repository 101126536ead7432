"""All the sample's runs and plans: about forty, in three projects, relative to now."""

from __future__ import annotations

from bot.sandbox.testrail.company import (
    ACCESSIBILITY,
    BOT_ID,
    CATALOGUE,
    GONE_ID,
    MOBILE_SUITE,
    OFFICE_SUITE,
    REGRESSION,
    SMOKE,
    STRANGE,
    WEBSHOP,
    furnish,
)
from bot.sandbox.testrail.history import tell_history, tell_release
from bot.sandbox.testrail.model import FAILED, PASSED, Plan
from bot.sandbox.testrail.store import Store
from bot.sandbox.testrail.storyteller import DAY, HOUR, Storyteller, outcomes
from bot.sandbox.world import HOSTILE_NAMES

__all__ = ["BOT_ID", "tell"]


def tell(now: int) -> Store:
    """A store with the whole story, as of `now` (UNIX seconds); the same for the same `now`."""
    store = Store()
    furnish(store, now)
    teller = Storyteller(store, now)
    tell_old_plan(teller)
    tell_file_formats(teller)
    tell_smoke(teller)
    tell_history(teller)
    tell_release(teller)
    tell_acceptance(teller)
    tell_oddities(teller)
    tell_mobile(teller)
    tell_back_office(teller)
    store.number_results_by_time()
    return store


def tell_old_plan(teller: Storyteller) -> None:
    """P70, closed a month ago with its two runs."""
    plan = Plan(70, WEBSHOP, "Release 5.1 acceptance", teller.now - 35 * DAY, 6, milestone_id=6)
    teller.store.open_plan(plan)
    teller.entry(plan, REGRESSION, "Checkout", {71: (1, 5), 72: (3, 7)}, size=20)
    for run in teller.store.runs_of(plan):
        teller.play(run, outcomes(P=19, F=1), since_s=34 * DAY, until_s=31 * DAY)
    teller.store.close_plan(plan, teller.now - 30 * DAY)


def tell_file_formats(teller: Storyteller) -> None:
    """P80 with R81 "File Formats", the run of the vendor's own page, counter by counter."""
    plan = Plan(80, WEBSHOP, "System test", teller.now - 4 * DAY, BOT_ID, milestone_id=7)
    teller.store.open_plan(plan)
    teller.entry(plan, REGRESSION, "File Formats", {81: (2, 6), 82: (1, 6)}, size=8)
    first, second = teller.store.runs_of(plan)
    first.assignedto_id, first.refs = 6, "SAN-1"
    teller.play(first, outcomes(P=2, F=2, R=1, U=3), since_s=3 * DAY, until_s=2 * DAY)
    teller.play(second, outcomes(P=7, U=1), since_s=3 * DAY, until_s=2 * DAY)


def tell_smoke(teller: Storyteller) -> None:
    """R83 to R87: the smoke test after every deployment, closed; R129: today's, open and all passed."""
    for run_id in range(83, 88):
        age_s = (95 - run_id) * DAY
        run = teller.run(run_id, SMOKE, f"Smoke after deploy {run_id - 40}", age_s=age_s, by=BOT_ID)
        teller.play(run, outcomes(P=11, F=1) if run_id == 85 else outcomes(P=12), since_s=age_s, until_s=age_s - HOUR)
        teller.finish(run, ago_s=age_s - 2 * HOUR)
    run = teller.run(129, SMOKE, "Smoke after deploy 48", age_s=3 * HOUR, by=BOT_ID)
    teller.play(run, outcomes(P=12), since_s=3 * HOUR, until_s=2 * HOUR)


def tell_acceptance(teller: Storyteller) -> None:
    """P9 "Release 5.2 acceptance", open: three entries, five runs."""
    plan = Plan(
        9,
        WEBSHOP,
        "Release 5.2 acceptance",
        teller.now - 2 * DAY,
        6,
        milestone_id=7,
        refs="REL-52",
        description="What the product owner signs.",
    )
    teller.store.open_plan(plan)
    teller.entry(plan, REGRESSION, "Checkout", {119: (1, 5), 120: (3, 7), 121: (2, 6)}, size=10)
    teller.entry(plan, ACCESSIBILITY, "Accessibility", {122: (3, 8)})
    teller.entry(plan, SMOKE, "Smoke", {123: ()})
    rows = (
        outcomes(P=10),
        outcomes(P=7, F=1, U=2),
        outcomes(P=4, B=1, U=5),
        outcomes(P=15, F=2, c6=1, U=2),
        outcomes(P=12),
    )
    for run, row in zip(teller.store.runs_of(plan), rows, strict=True):
        teller.play(run, row, since_s=40 * HOUR, until_s=4 * HOUR)


def tell_oddities(teller: Storyteller) -> None:
    """Custom statuses, a big run, a forgotten one, hostile names, an empty run, a person who is gone."""
    sweep = teller.run(124, ACCESSIBILITY, "Known issues sweep", age_s=2 * DAY, milestone_id=7, assignedto_id=8)
    teller.play(
        sweep,
        outcomes(P=9, F=2, c6=3, c7=2, R=1, c8=1, c10=1, U=1),
        since_s=30 * HOUR,
        until_s=5 * HOUR,
    )
    big = teller.run(125, CATALOGUE, "Full catalogue 5.2", age_s=5 * DAY, milestone_id=7, by=8)
    teller.play(big, outcomes(P=540, F=21, B=9, U=30), since_s=4 * DAY, until_s=HOUR)
    forgotten = teller.run(60, ACCESSIBILITY, "Accessibility spring audit", age_s=47 * DAY, milestone_id=6, by=9)
    teller.play(forgotten, outcomes(P=11, F=2, U=7), since_s=46 * DAY, until_s=40 * DAY)
    hostile = teller.run(126, STRANGE, HOSTILE_NAMES[0], age_s=DAY, description=HOSTILE_NAMES[2])
    for test in teller.store.tests_of(hostile)[:3]:
        comment = " ".join(HOSTILE_NAMES)
        teller.say(test, FAILED, ago_s=20 * HOUR, by=9, comment=comment, defects="WEB-1, <!here>")
    teller.run(127, SMOKE, "Placeholder for 5.3", age_s=9 * DAY, cases=[], milestone_id=8)
    orphan = teller.run(
        128,
        SMOKE,
        "Gift cards, exploratory",
        age_s=6 * DAY,
        by=GONE_ID,
        cases=range(1001, 1007),
        refs="GIFT-7",
    )
    for test in teller.store.tests_of(orphan)[:4]:
        teller.say(test, PASSED, ago_s=5 * DAY, by=GONE_ID)
    orphan.assignedto_id = GONE_ID


def tell_mobile(teller: Storyteller) -> None:
    """R130 to R134, closed beta runs, and R135, the open one."""
    for run_id in range(130, 135):
        age_s = (140 - run_id) * 2 * DAY
        run = teller.run(run_id, MOBILE_SUITE, f"App 5.2 beta {run_id - 129}", age_s=age_s, milestone_id=12, by=8)
        teller.play(run, outcomes(P=28, F=2), since_s=age_s - HOUR, until_s=age_s - DAY)
        teller.finish(run, ago_s=age_s - DAY)
    run = teller.run(135, MOBILE_SUITE, "App 5.2 beta 6", age_s=DAY, milestone_id=12, by=8)
    teller.play(run, outcomes(P=22, F=1, U=7), since_s=20 * HOUR, until_s=2 * HOUR)


def tell_back_office(teller: Storyteller) -> None:
    """R140 and R141 closed, R142 and R143 open."""
    for run_id, name, row, closed in (
        (140, "Month end close 1", outcomes(P=15), True),
        (141, "Month end close 2", outcomes(P=14, F=1), True),
        (142, "Month end close 3", outcomes(P=6, U=9), False),
        (143, "Invoices after the VAT change", outcomes(P=10, B=3, F=2), False),
    ):
        age_s = (150 - run_id) * 3 * DAY
        run = teller.run(run_id, OFFICE_SUITE, name, age_s=age_s, milestone_id=15, by=9)
        teller.play(run, row, since_s=age_s - HOUR, until_s=age_s - 9 * HOUR)
        if closed:
            teller.finish(run, ago_s=age_s - DAY)
