"""What is inside runs: failing tests and single results."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.domain.answers import Failures
from bot.domain.errors import CannotError, NotFoundError, UnavailableFault
from bot.domain.model import Person, Result, Run
from bot.domain.outcomes import Outcome, Tally
from bot.domain.queries import ResultQuery, Who
from bot.usecases.failing import list_failures, list_results
from bot.usecases.showing import EXTRAS_S
from tests.usecases.world_of_fakes import (
    NOW,
    FakeConnection,
    a_practitest,
    a_testmo,
    a_testrail,
    a_thread,
    at_once,
    check_words,
    commands,
    down,
    found,
)

ANA = Person("7", "Ana", "ana@acme.test")
BEN = Person("8", "Ben", "ben@acme.test")


def nightly(*past: str, now: str, finished: bool = True) -> tuple[FakeConnection, Run]:
    """Finished runs with their tests, oldest first, and the run to be looked at."""
    testmo = a_testmo()
    for day, tests in enumerate(past, 1):
        testmo.add("A", day, days_ago=1 + len(past) - day, tests=tests, finished=True)
    return testmo, testmo.add("A", 50, tests=now, finished=finished)


def told(answer: Failures) -> str:
    """`a new`, `b 3 since -2`, `c 4+`: name, streak, flakiness."""
    words = []
    for row in answer.tests:
        word = row.test.name
        if row.streak:
            word += f" {row.streak.runs}" + ("+" if row.streak.at_least else "")
        words.append(word + (" flaky" if row.flaky else ""))
    return ", ".join(words)


@pytest.mark.parametrize(
    ("past", "now", "answer"),
    [
        ([], "a:F b:P c:F", "a, c"),
        (["a:P c:P"], "a:F b:P c:F", "a 1, c 1"),
        (["a:P b:F", "a:F b:F"], "a:F b:F", "a 2, b 3+"),
        (["b:P a:F", "b:P a:F"], "a:F b:F", "b 1, a 3+"),  # newly broken first
        (["a:P", "a:F", "a:."], "a:F", "a 2"),
        (["a:P a:F", "a:P"], "a:F", "a 1"),  # twice in a run: its failure speaks for it, but a pass later ends it
        (["a:P", "a:P a:F"], "a:F", "a 2"),
        (["a:P", "a:F", "a:P"], "a:F", "a 1 flaky"),
        (["a:F", "a:P"], "a:F", "a 1"),
        (["b:P"], "a:P b:P", ""),
    ],
)
async def test_failing_tests_come_with_how_long_they_have_been_failing(past: list[str], now: str, answer: str) -> None:
    testmo, run = nightly(*past, now=now)
    value = await list_failures(found(testmo, run))
    assert told(value) == answer
    assert value.judged_on == len(past)
    assert (value.where, value.missing, value.unnamed) == ("Testmo › Webshop", (), 0)


@pytest.mark.parametrize(("finished", "flaky"), [(True, True), (False, False)])
async def test_a_run_that_goes_on_is_not_among_the_finished_runs_that_flakiness_is_judged_on(
    finished: bool, flaky: bool
) -> None:
    testmo, run = nightly("a:P", "a:F", "a:P", now="a:F", finished=finished)
    (row,) = (await list_failures(found(testmo, run))).tests
    assert row.flaky is flaky


OWNED = "a:F@Ana b:F@Ben c:F d:P@Ana e:F@ana"


@pytest.mark.parametrize(
    ("owners", "unassigned", "names", "owner"),
    [
        ((), False, "a b c e", ""),
        ((Who("Ana"),), False, "a e", "Ana"),
        ((Who("ana@acme.test", "ana@acme.test"),), False, "a e", "Ana"),
        ((Who("7"),), False, "a e", "Ana"),
        ((Who("Ana"), Who("Ben")), False, "a b e", "Ana or Ben"),
        ((), True, "c", "nobody"),
        ((Who("Ben"),), True, "b c", "Ben or nobody"),
    ],
)
async def test_failing_tests_are_those_of_the_named_people(
    owners: tuple[Who, ...], unassigned: bool, names: str, owner: str
) -> None:
    testrail = a_testrail(people=(ANA, BEN))
    value = await list_failures(
        found(testrail, testrail.add("R", 1, tests=OWNED)), owners=owners, unassigned=unassigned
    )
    assert (" ".join(row.test.name for row in value.tests), value.owner) == (names, owner)


async def test_a_name_that_only_tests_know_is_good_enough() -> None:
    testmo = a_testmo()
    value = await list_failures(found(testmo, testmo.add("R", 1, tests=OWNED)), owners=(Who("ben"),))
    assert (told(value), value.owner) == ("b", "ben")


async def test_people_of_one_name_are_told_apart_by_their_numbers() -> None:
    testrail = a_testrail(people=(ANA,))
    run = testrail.add("R", 1, tests="a:F@Ana b:F@Ana")
    testrail.named[1] = [
        replace(test, assignee_id=number) for test, number in zip(testrail.named[1], "79", strict=True)
    ]
    assert told(await list_failures(found(testrail, run), owners=(Who("Ana"),))) == "a"


async def test_nobody_is_told_that_a_stranger_has_no_failing_tests() -> None:
    testrail = a_testrail(people=(ANA,))
    with pytest.raises(NotFoundError) as raised:
        await list_failures(found(testrail, testrail.add("R", 1, tests=OWNED)), owners=(Who("zoe@acme.test"),))
    assert raised.value.what == "TestRail knows nobody as “zoe@acme.test”."
    assert commands(raised.value) == ["failures testrail:R1"]
    check_words(raised.value)


async def test_a_person_without_failing_tests_has_none() -> None:
    testrail = a_testrail(people=(ANA, BEN))
    value = await list_failures(found(testrail, testrail.add("R", 1, tests="a:F@Ana")), owners=(Who("Ben"),))
    assert (value.tests, value.owner) == ((), "Ben")


@pytest.mark.parametrize(
    ("limit", "names"),
    [(None, "a b c"), (3, "a b c"), (9, "a b c"), (1, "a")],
)
async def test_what_a_limit_cuts_off_is_counted(limit: int | None, names: str) -> None:
    testmo, run = nightly(now="a:F b:F c:F d:P")
    value = await list_failures(found(testmo, run), limit=limit)
    assert (" ".join(row.test.name for row in value.tests), value.total) == (names, 3)


def counted() -> tuple[FakeConnection, Run]:
    """An automation run whose tests have no names: its threads only count them."""
    testmo = a_testmo(missing=("the names of the tests",))
    run = testmo.add("A", 412, tally=Tally(passed=3, failed=4), finished=True)
    testmo.threaded[412] = (a_thread(1, failed=1), a_thread(2), a_thread(3, failed=3))
    return testmo, run


@pytest.mark.parametrize(
    ("thread", "unnamed", "threads"), [(None, 4, [1, 2, 3]), (1, 1, [1]), (2, 0, [2]), (3, 3, [3])]
)
async def test_failures_without_names_are_counted_by_thread(
    thread: int | None, unnamed: int, threads: list[int]
) -> None:
    value = await list_failures(found(*counted(), thread))
    assert (value.tests, value.unnamed, [each.index for each in value.by_thread]) == ((), unnamed, threads)
    assert value.missing == ("the names of the tests",)


async def test_failures_without_names_are_counted_even_if_the_threads_cannot_be_read() -> None:
    testmo, run = counted()
    testmo.errors["threads"] = down("Testmo")
    value = await list_failures(found(testmo, run))
    assert (value.unnamed, value.by_thread) == (4, ())
    assert "the counts of its threads could not be read" in value.missing


async def test_where_nothing_fails_no_threads_are_read() -> None:
    testmo = a_testmo()
    value = await list_failures(found(testmo, testmo.add("A", 1)))
    assert (value.unnamed, value.by_thread, testmo.calls("threads")) == (0, (), [])


async def test_a_system_without_threads_only_counts() -> None:
    testrail = a_testrail()
    value = await list_failures(found(testrail, testrail.add("P", 9, tally=Tally(failed=2))))
    assert (value.unnamed, value.by_thread) == (2, ())


async def test_a_thread_has_its_own_failing_tests() -> None:
    testmo, run = nightly("a:P b:F", now="a:F b:F")
    testmo.named[50] = [replace(test, thread=number) for number, test in enumerate(testmo.named[50], 1)]
    assert told(await list_failures(found(testmo, run, thread=2))) == "b 2+"


async def test_one_instance_of_a_set_is_only_that_one() -> None:
    practitest = a_practitest()
    run = practitest.add("S", 55, tests="1:F 2:F")
    assert told(await list_failures(found(practitest, run, part=2))) == "2"


@pytest.mark.parametrize("call", ["earlier", "history"])
async def test_the_failing_tests_are_told_even_if_their_past_cannot_be_read(call: str) -> None:
    testmo, run = nightly("a:P", now="a:F")
    testmo.errors[call] = down("Testmo")
    value = await list_failures(found(testmo, run))
    assert (told(value), value.judged_on) == ("a", 0)
    assert value.missing == ("how long they have been failing could not be read",)


@pytest.mark.parametrize("call", ["earlier", "history", "projects"])
def test_the_past_is_not_waited_for(call: str) -> None:
    async def look() -> Failures:
        testmo, run = nightly("a:P", now="a:F")
        testmo.hangs.add(call)
        return await list_failures(found(testmo, run))

    value, seconds = at_once(look())
    assert told(value).startswith("a")
    assert seconds == pytest.approx(EXTRAS_S)


async def test_runs_of_the_past_that_are_not_whole_are_said() -> None:
    testmo, run = nightly("a:P", "a:F", now="a:F")
    testmo.lost[2] = "its tests"
    value = await list_failures(found(testmo, run))
    assert value.missing == ("how long they have been failing is told without all of A2",)


async def test_without_the_tests_themselves_there_is_no_answer() -> None:
    testmo, run = nightly("a:P", now="a:F")
    testmo.errors["tests"] = down("Testmo")
    with pytest.raises(UnavailableFault):
        await list_failures(found(testmo, run))


A_RESULT = Result(test="a", outcome=Outcome.FAILED, at=NOW)


@pytest.mark.parametrize(
    ("letter", "part", "asked"),
    [
        ("S", None, ResultQuery(latest=True)),
        ("S", 98142, ResultQuery(latest=True, instance=("98142",))),
        ("R", 64, ResultQuery(latest=True, test=("64",))),
    ],
)
async def test_results_are_those_of_the_run_or_of_one_test_in_it(
    letter: str, part: int | None, asked: ResultQuery
) -> None:
    connection = a_practitest() if letter == "S" else a_testrail()
    connection.results_of = [A_RESULT]
    run = connection.add(letter, 5)
    value = await list_results(found(connection, run, part=part), ResultQuery(latest=True), words="latest results")
    assert connection.calls("results") == [(run.ref, asked)]
    assert (value.results, value.words, value.total, value.where) == (
        (A_RESULT,),
        "latest results",
        1,
        f"{connection.system} › Webshop",
    )


async def test_results_of_what_has_none_are_refused_with_what_is_possible() -> None:
    testrail = a_testrail()
    with pytest.raises(CannotError) as raised:
        await list_results(found(testrail, testrail.add("P", 9)), ResultQuery(), words="results")
    assert commands(raised.value) == ["show testrail:P9"]
    check_words(raised.value)
