"""Manual runs: open and closed, custom statuses, histories, notes in HTML, one of about 400 results."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from random import Random

from bot.sandbox.testmo.records import Json, ManualRun
from bot.sandbox.testmo.sample.company import (
    BACK_OFFICE,
    CHROME,
    DEACTIVATED,
    ERASED,
    FIREFOX,
    HOSTILE_MILESTONE,
    IN_PROGRESS,
    IN_REVIEW,
    IOS,
    MOBILE,
    PATCH_821,
    READY_TO_SHIP,
    RELEASE_81,
    RELEASE_82,
    STORE_SUBMISSION,
    WEBSHOP,
)
from bot.sandbox.testmo.statuses import BLOCKED, FAILED, KNOWN_ISSUE, PASSED, RETEST, SKIPPED
from bot.sandbox.testmo.store import Store
from bot.sandbox.world import ANA, LEA, MAX, TOM

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
MINUTE_US = 60_000_000
A, T, L, M = ANA.testmo or 0, TOM.testmo or 0, LEA.testmo or 0, MAX.testmo or 0

VOUCHER = (
    "<p>Total shows <strong>&euro;0.00</strong> after voucher <code>SPRING&amp;SUN</code>.</p>"
    "<ul><li>Chrome only</li><li>since build 4711</li></ul>"
)
HOSTILE = '<p>&lt;!channel&gt; please look &lt;@U0ANA00001&gt; <a href="https://evil.example">here</a> {{ 7*7 }}</p>'
#: What a test of R118 went through, oldest first: status and note.
Story = tuple[tuple[int, str | None], ...]
REGRESSION: tuple[tuple[int, Story], ...] = (
    (14, ((PASSED, None),)),
    (4, ((FAILED, "<p>Button stays grey.</p>"), (RETEST, "<p>Fixed in build 4712.</p>"), (PASSED, None))),
    (2, ((BLOCKED, "<p>Test data missing.</p>"), (PASSED, "<p>Works with the new data.</p>"))),
    (1, ((PASSED, None), (FAILED, VOUCHER))),
    (1, ((FAILED, HOSTILE),)),
    (2, ((FAILED, "<p>First try.</p>"), (FAILED, "<p>Same again: 500 from <em>/api/payments</em>.</p>"))),
    (2, ((FAILED, "<p>Typo in the mail.</p>"), (RETEST, "<p>Fixed, please repeat.</p>"))),
    (3, ((BLOCKED, "<p>Payment sandbox is down.<br>Asked the provider.</p>"),)),
    (1, ((SKIPPED, "<p>Not for this market.</p>"),)),
    (2, ((FAILED, None), (KNOWN_ISSUE, "<p>Accepted for 8.2, see ticket.</p>"))),
    (10, ()),
)


def add_manual_runs(store: Store, now: datetime) -> None:
    """All manual runs, R95 to R121."""
    store.last_ids |= {"result": 5200, "test": 9000}
    _old_open(store, now)
    _full_regression(store, now)
    _closed(store, now)
    _regression(store, now)
    _other_projects(store, now)
    _others_open(store, now)


def _run(
    store: Store, run_id: int, project: int, name: str, *, at: datetime, by: int, tests: int, skip: int = 0
) -> ManualRun:
    """A run of that many cases of its project, in the order of the repository after `skip`."""
    cases = [case.id for case in store.cases.values() if case.project_id == project][skip : skip + tests]
    run = ManualRun(run_id, project, name, at, by, tests={store.next_id("test"): case for case in cases})
    run.forecast = tests * 3 * MINUTE_US
    store.manual_runs[run_id] = run
    return run


def _all(
    store: Store, run: ManualRun, status_ids: Sequence[int], *, start: datetime, every: timedelta, by: Sequence[int]
) -> None:
    """One result for each of the first tests."""
    for number, (test_id, status_id) in enumerate(zip(run.tests, status_ids, strict=False)):
        store.add_result(
            run,
            test_id,
            status_id,
            at=start + number * every,
            by=by[number % len(by)],
            elapsed=(60 + number % 7 * 20) * 1_000_000,
            assignee_id=by[(number + 1) % len(by)],
        )


def _old_open(store: Store, now: datetime) -> None:
    """R95: open for 52 days, last touched 45 days ago."""
    run = _run(store, 95, WEBSHOP, "Checkout spike, please ignore", at=now - 52 * DAY, by=DEACTIVATED, tests=12)
    _all(store, run, [PASSED] * 7 + [FAILED], start=now - 45 * DAY, every=MINUTE, by=(DEACTIVATED,))
    run.state_id = IN_PROGRESS


def _full_regression(store: Store, now: datetime) -> None:
    """R105: closed, 260 tests with about 400 results."""
    run = _run(store, 105, WEBSHOP, "Full regression 8.1", at=now - 38 * DAY, by=A, tests=260)
    luck = Random(105)
    at = now - 38 * DAY
    for test_id in run.tests:
        tries = luck.choices((1, 2, 3), (60, 30, 10))[0]
        final = luck.choices((PASSED, FAILED, BLOCKED, SKIPPED, KNOWN_ISSUE), (88, 4, 2, 3, 3))[0]
        for status_id in [FAILED] * (tries - 1) + [final]:
            at += timedelta(seconds=luck.randint(60, 240))
            noted = status_id == FAILED and luck.random() < 0.4
            store.add_result(
                run,
                test_id,
                status_id,
                at=at,
                by=luck.choice((A, T, L, M)),
                assignee_id=luck.choice((T, L, None)),
                elapsed=luck.randint(1, 9) * MINUTE_US // 2,
                note="<p>Seen on the second attempt too.</p>" if noted else None,
            )
    run.milestone_id, run.config_id, run.state_id, run.tags = RELEASE_81, CHROME, READY_TO_SHIP, ("release", "full")
    store.close_run(run, at=now - 31 * DAY, by=A)


def _closed(store: Store, now: datetime) -> None:
    """R109 all passed; R112 closed with untested tests and a custom status, created by someone now erased."""
    good = _run(store, 109, WEBSHOP, "Smoke 8.1.3", at=now - 24 * DAY, by=T, tests=18, skip=40)
    _all(store, good, [PASSED] * 18, start=now - 23 * DAY, every=3 * MINUTE, by=(T, L))
    good.milestone_id, good.config_id, good.tags = RELEASE_81, FIREFOX, ("smoke",)
    store.close_run(good, at=now - 22 * DAY, by=T)
    name = "Release 8.1 regression, Firefox"
    mixed = _run(store, 112, WEBSHOP, name, at=now - 20 * DAY, by=ERASED, tests=40, skip=80)
    _all(
        store,
        mixed,
        [PASSED] * 25 + [FAILED] * 3 + [KNOWN_ISSUE] * 2,
        start=now - 19 * DAY,
        every=4 * MINUTE,
        by=(ERASED, L),
    )
    mixed.config_id, mixed.milestone_id, mixed.state_id, mixed.tags = FIREFOX, RELEASE_81, READY_TO_SHIP, ("release",)
    store.close_run(mixed, at=now - 17 * DAY, by=A)


def _regression(store: Store, now: datetime) -> None:
    """R118: the run of the day. Open, every status there is, histories, the last result four minutes ago."""
    total = sum(count for count, _ in REGRESSION)
    run = _run(store, 118, WEBSHOP, "Release 8.2 regression", at=now - 3 * DAY, by=A, tests=total)
    stories = [story for count, story in REGRESSION for _ in range(count)]
    steps: list[tuple[int, int, str | None]] = [
        (test_id, *story[step])
        for step in range(3)
        for test_id, story in zip(run.tests, stories, strict=True)
        if step < len(story)
    ]
    start = now - 2 * DAY
    pause = (now - 4 * MINUTE - start) / (len(steps) - 1)
    for number, (test_id, status_id, note) in enumerate(steps):
        at = start + number * pause
        store.add_result(
            run,
            test_id,
            status_id,
            at=at.replace(microsecond=at.microsecond // 1000 * 1000),
            by=(L, M, T)[number % 3],
            note=note,
            elapsed=(90 + number % 11 * 15) * 1_000_000,
            assignee_id=(L, M, None)[test_id % 3],
            issues=(1 + test_id % 4,) if status_id in (FAILED, KNOWN_ISSUE) else (),
        )
    _take_one_back(store, run, now)
    link: Json = {"name": "Release plan", "note": "What is in 8.2", "url": "https://wiki.acme.example/release-8-2"}
    run.links = (link,)
    run.config_id, run.milestone_id, run.state_id = CHROME, RELEASE_82, IN_PROGRESS
    run.issues, run.tags = (1, 3), ("release", "release-82")


def _take_one_back(store: Store, run: ManualRun, now: datetime) -> None:
    """A result that was entered for the wrong test and deleted: listed, but the test is untested again."""
    wrong = store.add_result(run, list(run.tests)[-1], FAILED, at=now - DAY, by=M, note="<p>Oops, wrong test.</p>")
    wrong.deleted_at, wrong.deleted_by = now - DAY + MINUTE, M
    run.results.sort(key=lambda result: result.created_at)
    run.updated_at, run.updated_by = run.results[-1].created_at, run.results[-1].created_by


def _other_projects(store: Store, now: datetime) -> None:
    """R116 in the back office, R120 in the mobile app."""
    ledger = _run(store, 116, BACK_OFFICE, "Year-end closing dry run", at=now - 6 * DAY, by=T, tests=12)
    _all(store, ledger, [PASSED] * 5 + [BLOCKED] * 2, start=now - 5 * DAY, every=9 * MINUTE, by=(T,))
    ledger.milestone_id, ledger.state_id = PATCH_821, IN_PROGRESS
    phone = _run(store, 120, MOBILE, "Store submission 4.0, iPhone", at=now - 2 * DAY, by=L, tests=24)
    _all(store, phone, [PASSED] * 21 + [FAILED] + [RETEST], start=now - DAY, every=5 * MINUTE, by=(L, M))
    phone.config_id, phone.milestone_id, phone.state_id, phone.tags = IOS, STORE_SUBMISSION, IN_PROGRESS, ("store",)


def _others_open(store: Store, now: datetime) -> None:
    """R117 done but not closed; R119 of the hostile milestone; R121 created an hour ago, nothing tested yet."""
    done = _run(store, 117, WEBSHOP, "Checkout on one page", at=now - 4 * DAY, by=L, tests=20, skip=10)
    _all(store, done, [PASSED] * 20, start=now - 3 * DAY, every=6 * MINUTE, by=(L, M))
    done.config_id, done.milestone_id, done.state_id, done.tags = FIREFOX, RELEASE_82, READY_TO_SHIP, ("release",)
    odd = _run(store, 119, WEBSHOP, "Payments & vouchers <risk>", at=now - 2 * DAY, by=M, tests=9, skip=60)
    _all(store, odd, [PASSED, FAILED, SKIPPED], start=now - DAY, every=7 * MINUTE, by=(M,))
    odd.milestone_id, odd.issues, odd.tags = HOSTILE_MILESTONE, (2,), ("risk",)
    fresh = _run(store, 121, WEBSHOP, "Hotfix 8.2.1 smoke", at=now - timedelta(hours=1), by=A, tests=15, skip=5)
    fresh.state_id, fresh.tags = IN_REVIEW, ("smoke",)
