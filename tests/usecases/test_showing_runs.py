"""The card of a run, and its threads."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bot.domain.answers import RunCard
from bot.domain.errors import CannotError, NotFoundError, RundownError
from bot.domain.model import Run, State
from bot.domain.outcomes import Outcome, Tally
from bot.usecases.finding import Found
from bot.usecases.showing import EXTRAS_S, TREND_RUNS, need, show_run, show_threads
from tests.usecases.world_of_fakes import (
    FakeConnection,
    a_testmo,
    a_testrail,
    a_thread,
    at_once,
    check_words,
    commands,
    down,
    found,
)


def nightly(count: int = 3) -> tuple[FakeConnection, Run]:
    testmo = a_testmo()
    for number in range(1, count):
        failed = number % 2
        testmo.add("A", number, days_ago=count - number, finished=True, tally=Tally(passed=3, failed=failed))
    return testmo, testmo.add("A", count, tally=Tally(passed=1), threads_active=1)


async def test_a_card_has_the_run_its_place_its_trend_and_what_can_be_asked_next() -> None:
    testmo, run = nightly()
    card = await show_run(found(testmo, run))
    assert (card.run, card.where, card.missing) == (run, "Testmo › Webshop", ())
    assert [(point.ref.short, point.rate, point.state) for point in card.trend] == [
        ("A1", 0.75, State.FAILED),
        ("A2", 1.0, State.PASSED),
        ("A3", 1.0, State.RUNNING),
    ]
    assert card.buttons == ("diff", "results", "threads")


@pytest.mark.parametrize("count", [1, 2, TREND_RUNS, TREND_RUNS + 5])
async def test_a_trend_ends_with_this_run_and_is_none_without_another(count: int) -> None:
    testmo, run = nightly(count)
    trend = (await show_run(found(testmo, run))).trend
    assert len(trend) == (0 if count == 1 else min(count, TREND_RUNS))
    if trend:
        assert trend[-1].ref == run.ref


@pytest.mark.parametrize(
    ("tally", "verdict", "offered"),
    [(Tally(failed=1), None, True), (Tally(), Outcome.FAILED, True), (Tally(passed=1), None, False)],
)
async def test_failures_are_offered_only_where_something_fails(
    tally: Tally, verdict: Outcome | None, offered: bool
) -> None:
    testrail = a_testrail()
    run = testrail.add("R", 1, tally=tally, verdict=verdict)
    assert ("failures" in (await show_run(found(testrail, run))).buttons) is offered


async def test_a_plan_shows_its_runs() -> None:
    testrail = a_testrail()
    plan = testrail.add("P", 9)
    testrail.add("R", 10, parent=plan.ref)
    testrail.add("R", 11)
    assert [part.ref.short for part in (await show_run(found(testrail, plan))).parts] == ["R10"]


MISSING = {"earlier": "the trend could not be read", "parts": "the runs of this plan could not be read"}


@pytest.mark.parametrize("call", ["earlier", "parts", "projects"])
async def test_what_fails_beside_the_run_is_left_out_and_said(call: str) -> None:
    testmo, run = nightly()
    testmo.errors[call] = down()
    card = await show_run(found(testmo, run))
    assert card.missing == ((MISSING[call],) if call in MISSING else ())
    assert card.where == ("Testmo › project 1" if call == "projects" else "Testmo › Webshop")
    assert card.run == run


@pytest.mark.parametrize("hanging", [("earlier",), ("parts",), ("projects",), ("earlier", "parts", "projects")])
def test_what_hangs_beside_the_run_is_left_out_and_said(hanging: tuple[str, ...]) -> None:
    async def look() -> RunCard:
        testmo, run = nightly()
        testmo.hangs.update(hanging)
        return await show_run(found(testmo, run))

    card, seconds = at_once(look())
    assert set(card.missing) == {MISSING[call] for call in hanging if call in MISSING}
    assert seconds == pytest.approx(EXTRAS_S)


async def test_a_mistake_of_ours_is_not_passed_over_as_something_missing() -> None:
    class Wrong(Exception):
        pass

    testmo, run = nightly()
    testmo.errors["earlier"] = Wrong()  # type: ignore[assignment]
    with pytest.raises(Wrong):
        await show_run(found(testmo, run))


def threaded() -> tuple[FakeConnection, Run]:
    testmo = a_testmo()
    run = testmo.add("A", 412, threads_total=2)
    testmo.threaded[412] = (a_thread(1), a_thread(2, failed=3))
    return testmo, run


@pytest.mark.parametrize(("thread", "indexes"), [(None, [1, 2]), (1, [1]), (2, [2])])
async def test_threads_are_all_or_the_one_that_is_named(thread: int | None, indexes: list[int]) -> None:
    listing = await show_threads(found(*threaded(), thread))
    assert [each.index for each in listing.threads] == indexes
    assert listing.where == "Testmo › Webshop"


async def test_a_run_may_have_no_threads() -> None:
    testmo = a_testmo()
    assert (await show_threads(found(testmo, testmo.add("A", 1)))).threads == ()


@pytest.mark.parametrize(
    ("find", "kind", "what", "why", "offers"),
    [
        (
            lambda: found(*threaded(), 3),
            NotFoundError,
            "A412 has no thread 3.",
            "It has 2 threads.",
            ["threads testmo:A412"],
        ),
        (
            lambda: _of(a_testmo(), "R"),
            CannotError,
            "Testmo has no threads for a run.",
            "Manual runs have no threads.",
            ["show testmo:R1"],
        ),
        (
            lambda: _of(a_testrail(), "P"),
            CannotError,
            "TestRail has no threads for a plan.",
            "A plan there is one whole.",
            ["show testrail:P1"],
        ),
    ],
)
async def test_what_cannot_be_shown_is_said_with_what_is_possible(
    find: Callable[[], Found], kind: type[RundownError], what: str, why: str, offers: list[str]
) -> None:
    with pytest.raises(kind) as raised:
        await show_threads(find())
    assert (raised.value.what, raised.value.why, commands(raised.value)) == (what, why, offers)
    check_words(raised.value)


def _of(connection: FakeConnection, letter: str) -> Found:
    return found(connection, connection.add(letter, 1))


async def test_a_verb_that_the_system_has_needs_no_words() -> None:
    need(_of(a_testmo(), "A"), "threads")
