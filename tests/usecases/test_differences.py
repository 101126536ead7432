"""What changed between a run and the last finished one of its stream, or another one."""

from __future__ import annotations

import pytest

from bot.domain.errors import CannotError, NotFoundError, UnavailableFault
from bot.domain.model import Run, Test
from bot.domain.streams import WINDOW, Diff
from bot.usecases.failing import FLAKY_S, diff_runs
from tests.usecases.world_of_fakes import (
    FakeConnection,
    a_testmo,
    a_testrail,
    at_once,
    check_words,
    commands,
    down,
    found,
)


def world(*, finished: bool = False) -> tuple[FakeConnection, Run]:
    """The run before passed b only; flaky flips; gone is no more."""
    testmo = a_testmo()
    testmo.add("A", 1, days_ago=4, finished=True, tests="a:F b:F flaky:F gone:P")
    testmo.add("A", 2, days_ago=3, finished=True, tests="a:P b:F flaky:P gone:P")
    testmo.add("A", 3, days_ago=2, finished=True, tests="a:P b:F flaky:F gone:P fine:P")
    testmo.add("A", 4, days_ago=1, finished=False, tests="a:F b:P flaky:P")  # not finished: nothing to compare with
    return testmo, testmo.add("A", 5, finished=finished, tests="a:F b:F flaky:P fine:P later:.")


def names(tests: tuple[Test, ...]) -> str:
    return " ".join(test.name for test in tests)


def told(diff: Diff) -> str:
    groups = {name: names(getattr(diff, name)) for name in ("new", "still", "fixed", "flaky", "not_run")}
    return ", ".join(f"{name} {words}" for name, words in groups.items() if words)


@pytest.mark.parametrize(
    ("finished", "groups", "judged_on"),
    [
        (True, "new a, still b, fixed flaky, flaky flaky, not_run later", 4),
        (False, "new a, still b, fixed flaky, not_run later", 3),
    ],
)
async def test_a_run_is_compared_with_the_last_finished_one_of_its_stream(
    finished: bool, groups: str, judged_on: int
) -> None:
    diff = await diff_runs(found(*world(finished=finished)))
    assert (diff.base.ref.short, told(diff), diff.gone, diff.judged_on) == ("A3", groups, 1, judged_on)
    assert diff.missing == ()


async def test_a_run_is_compared_with_the_one_that_is_named() -> None:
    testmo, run = world()
    diff = await diff_runs(found(testmo, run), found(testmo, testmo.its_runs[0]))
    assert (diff.base.ref.short, told(diff)) == ("A1", "still a b, fixed flaky, not_run later")


async def test_runs_of_two_systems_have_no_tests_in_common() -> None:
    testmo, run = world()
    testrail = a_testrail()
    base = testrail.add("R", 7, tests="a:F", finished=True)
    with pytest.raises(CannotError) as raised:
        await diff_runs(found(testmo, run), found(testrail, base))
    check_words(raised.value)


async def test_the_later_run_is_compared_with_the_earlier_whichever_is_named_first() -> None:
    testmo, run = world()
    earlier = testmo.its_runs[0]
    there = await diff_runs(found(testmo, run), found(testmo, earlier))
    back = await diff_runs(found(testmo, earlier), found(testmo, run))
    assert there.run.ref == back.run.ref == run.ref
    assert names(there.new) == names(back.new)


async def test_without_an_earlier_run_there_is_a_way_out() -> None:
    testmo = a_testmo()
    run = testmo.add("A", 1, tests="a:F", source="nightly")
    with pytest.raises(NotFoundError) as raised:
        await diff_runs(found(testmo, run))
    assert raised.value.what == "There is nothing to compare A1 with."
    assert commands(raised.value) == ["show testmo:A1"]
    check_words(raised.value)


async def test_flakiness_is_judged_on_ten_runs_at_most() -> None:
    testmo = a_testmo()
    for number in range(1, 15):
        testmo.add("A", number, days_ago=20 - number, finished=True, tests="a:P")
    diff = await diff_runs(found(testmo, testmo.add("A", 50, finished=True, tests="a:P")))
    assert diff.judged_on == WINDOW


async def test_one_thread_does_not_miss_the_tests_of_the_others() -> None:
    testmo, run = world()
    diff = await diff_runs(found(testmo, run, thread=1))
    assert diff.gone == 0


async def test_what_was_not_read_whole_is_said_once() -> None:
    testmo, run = world()
    testmo.lost.update({2: "page 2 of 3", 3: "page 1 of 3"})
    testmo.missing = ("page 9 of 9",)
    assert (await diff_runs(found(testmo, run))).missing == (
        "page 9 of 9",
        "A3: page 1 of 3",
        "flaky is judged without all of A3, A2",
    )


async def test_with_a_named_run_the_past_is_not_worth_failing_for() -> None:
    testmo, run = world()
    base = found(testmo, testmo.its_runs[0])
    testmo.errors["earlier"] = down("Testmo")
    diff = await diff_runs(found(testmo, run), base)
    assert diff.flaky == ()
    assert diff.missing == ("which tests are flaky could not be read",)


def test_with_a_named_run_the_past_is_not_waited_for() -> None:
    async def look() -> Diff:
        testmo, run = world()
        base = found(testmo, testmo.its_runs[0])
        testmo.hangs.add("earlier")
        return await diff_runs(found(testmo, run), base)

    diff, seconds = at_once(look())
    assert diff.missing == ("which tests are flaky could not be read",)
    assert seconds == pytest.approx(FLAKY_S)


@pytest.mark.parametrize("call", ["tests", "earlier"])
async def test_without_what_is_compared_there_is_no_answer(call: str) -> None:
    testmo, run = world()
    testmo.errors[call] = down("Testmo")
    with pytest.raises(UnavailableFault):
        await diff_runs(found(testmo, run))
