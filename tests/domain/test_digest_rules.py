"""Rules of digests: what became of a stream and its tests, told from kept runs; errors and owners in few words."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as some

from bot.domain.answers import FailedTest
from bot.domain.digests import (
    Cluster,
    PastRun,
    StreamNews,
    Turn,
    broken_for,
    by_urgency,
    clusters_of,
    failed_in,
    fold_error,
    outcome_in,
    outcome_sets,
    owners_of,
    streak_in,
    strip_of,
    turn_of,
)
from bot.domain.model import RunRef
from bot.domain.outcomes import Outcome, Tally
from bot.domain.streams import Streak, by_key, is_flaky, outcome_strips, streak, stream_of
from tests.domain.runs_and_tests import LETTERS, NOW, a_run, a_test, tests_of

DAY = timedelta(days=1)


def kept(words: str | None, *, days_ago: float = 1, tally: Tally | None = None, failing: bool | None = None) -> PastRun:
    """A kept run of so many days ago: `a:F b:P`, None where its tests were never read."""
    run = a_run(int(100 - days_ago), days_ago=days_ago)
    failed, passed = (
        (None, None) if words is None else outcome_sets((test.key, test.outcome) for test in tests_of(words))
    )
    counted = tally or Tally(passed=len(passed or ()), failed=len(failed or ()))
    return PastRun(
        ref=run.ref,
        stream=stream_of(run),
        created_at=run.created_at,
        finished_at=run.created_at + timedelta(minutes=10),
        tally=counted,
        failing=bool(counted.failed) if failing is None else failing,
        failed=failed,
        passed=passed,
    )


def nights(*words: str | None) -> list[PastRun]:
    """Kept runs, newest first: `-` is one whose failing tests were never read, None a clean one without tests, `+` one
    in which nothing failed, but something was skipped.
    """
    unread = {"-": Tally(failed=1), None: Tally(passed=3), "+": Tally(passed=3, skipped=1)}
    return [
        kept(None, days_ago=day, tally=unread[word]) if word in unread else kept(word, days_ago=day)
        for day, word in enumerate(words, 1)
    ]


# ── streams ──


@pytest.mark.parametrize(
    ("failing", "before", "flaky", "turn"),
    [
        (True, False, 0, Turn.BROKE),
        (True, None, 0, Turn.BROKE),
        (True, True, 0, Turn.STILL),
        (True, True, 3, Turn.STILL),
        (False, True, 0, Turn.FIXED),
        (False, True, 3, Turn.FIXED),
        (False, False, 3, Turn.FLAKY),
        (False, None, 3, Turn.FLAKY),
        (False, False, 0, Turn.PASSED),
        (False, None, 0, Turn.PASSED),
    ],
)
def test_what_became_of_a_stream(failing: bool, before: bool | None, flaky: int, turn: Turn) -> None:
    assert turn_of(failing, before, flaky=flaky) is turn


@pytest.mark.parametrize(
    ("past", "runs", "days", "at_least"),
    [
        ("", 1, 0, False),
        ("P", 1, 0, False),
        ("F", 2, 1, True),
        ("FP", 2, 1, False),
        ("FFPF", 3, 2, False),
        ("FFF", 4, 3, True),
    ],
)
def test_how_long_a_stream_has_been_broken(past: str, runs: int, days: int, at_least: bool) -> None:
    run = a_run(tally=Tally(failed=1))
    history = nights(*("-" if letter == "F" else None for letter in past))
    assert broken_for(run, history) == (runs, NOW - days * DAY, at_least)


def test_the_worst_streams_come_first() -> None:
    rows = [
        news("passed", Turn.PASSED),
        news("recovered", Turn.FIXED),
        news("flaky", Turn.FLAKY),
        news("still 2", Turn.STILL, broken_for=2),
        news("still 9", Turn.STILL, broken_for=9),
        news("broke, 1 failed", Turn.BROKE, broken_for=1, failed=1),
        news("broke, 7 failed", Turn.BROKE, broken_for=1, failed=7),
    ]
    assert [each.run.name for each in by_urgency(rows)] == [
        "broke, 7 failed",
        "broke, 1 failed",
        "still 9",
        "still 2",
        "flaky",
        "recovered",
        "passed",
    ]


def news(name: str, turn: Turn = Turn.STILL, *tests: FailedTest, failed: int = 1, broken_for: int = 0) -> StreamNews:
    run = a_run(len(name), name=name, tally=Tally(failed=failed))
    return StreamNews(run=run, turn=turn, runs=1, failed=failed, broken_for=broken_for, tests=tests)


# ── tests in kept runs ──


@pytest.mark.parametrize(
    ("past", "failed", "of_a"),
    [
        (kept("a:F b:P"), {"a"}, Outcome.FAILED),
        (kept("a:P b:F"), {"b"}, Outcome.PASSED),
        (kept("b:F"), {"b"}, Outcome.UNTESTED),
        (kept("a:B b:P"), set(), Outcome.UNTESTED),
        (kept("a:P a:F"), {"a"}, Outcome.FAILED),  # there twice: its failure speaks
        (kept(None, tally=Tally(failed=1)), None, None),
        (kept(None, tally=Tally(passed=2)), set(), Outcome.PASSED),
        (kept(None, tally=Tally(passed=2, blocked=1)), set(), Outcome.UNTESTED),  # who knows which is blocked
        (kept(None, tally=Tally(passed=2), failing=True), None, None),  # its own verdict says so
        (kept(None, tally=Tally()), None, None),  # no counts either
    ],
)
def test_what_is_known_of_a_test_in_a_kept_run(past: PastRun, failed: set[str] | None, of_a: Outcome | None) -> None:
    assert failed_in(past) == failed
    assert outcome_in(past, "a") is of_a


@pytest.mark.parametrize(
    ("past", "told"),
    [
        ([], (1, 0, False)),
        (["a:P"], (1, 0, False)),
        (["b:P"], (1, 0, False)),  # it was never there: new, and no streak over all that is known
        ([None], (1, 0, False)),
        (["a:F", "a:P"], (2, 1, False)),
        (["a:F", "b:P", "a:F", "a:P"], (3, 3, False)),
        (["a:F", "a:F"], (3, 2, True)),
        (["-", "a:P"], (1, 0, False)),
        (["-", "a:F", "a:P"], (2, 2, True)),  # what was never read may have passed
        (["a:F", "-", None], (2, 1, True)),
        (["a:B", "a:F", None], (2, 2, False)),
        (["+", "a:F"], (1, 0, False)),  # nothing failed in it: what fails now broke since
        (["a:F", "+", "a:F"], (2, 1, False)),
    ],
)
def test_how_long_a_test_has_failed(past: list[str | None], told: tuple[int, int, bool]) -> None:
    runs, days, at_least = told
    assert streak_in(a_run(), "a", nights(*past)) == Streak(runs, NOW - days * DAY, at_least)


outcomes_of_a = some.lists(some.sampled_from([*LETTERS, " "]), max_size=12)


@given(outcomes_of_a)
def test_kept_runs_tell_the_same_as_the_runs_themselves(letters: list[str]) -> None:
    """A space is a run without the test. Every run has another one, else it would not be known at all."""
    words = ["b:F " + (f"a:{letter}" if letter != " " else "") for letter in letters]
    runs = [(a_run(day, days_ago=day), by_key(tests_of(word))) for day, word in enumerate(words, 1)]
    past, failing = nights(*words), a_test("a", "F")
    strip = outcome_strips([tests_of(word) for word in words]).get("a", ())
    assert is_flaky(failing, strip_of(past, "a")) == is_flaky(failing, strip)
    one, other = streak_in(a_run(), "a", past), streak(a_run(), "a", runs)
    assert (one.runs, one.since) == (other.runs, other.since)
    assert one.runs == 1 or one.at_least == other.at_least


# ── errors ──


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("", ""),
        (" \n\t\n", ""),
        ("\n  Expected 3 got 4\nstack", "Expected # got #"),
        ("Expected -3 got 4.5", "Expected # got #"),
        ("Timeout after 3,000ms", "Timeout after #ms"),
        ("AssertionError:  a   b", "AssertionError: a b"),
        ("/app/tests/test_cart.py:57: AssertionError", "/app/tests/test_cart.py:#: AssertionError"),
        ("at Cart.js:57:12", "at Cart.js:#"),
        ("order 4f1c2d9a77 missing", "order # missing"),
        ("order 550e8400-e29b-41d4-a716-446655440000 missing", "order # missing"),
        ("order deadbeef-dead-beef-dead-beefdeadbeef missing", "order # missing"),
        ("segfault at 0x7FFE12aa", "segfault at #"),
        ("session zk83hq1x expired", "session # expired"),
        ("at 2026-11-20T08:59:31.120Z: refused", "at #: refused"),
        ("at 2026-11-20 08:59: refused", "at #: refused"),
        ("on 2026-11-20 refused", "on # refused"),
        ("connect 10.0.0.7:5432 refused", "connect # refused"),
        ("the facade is defaced", "the facade is defaced"),
        ("HTTP 503 from api-2", "HTTP # from api-#"),
        ("Traceback (most recent call last):\n  File 'x', line 3\nKeyError: 'a7'\n", "KeyError: 'a#'"),
        ("٣ rows", "# rows"),
    ],
)
def test_errors_are_told_without_what_differs_each_time(text: str, folded: str) -> None:
    assert fold_error(text) == folded


ERRORS = some.one_of(
    some.text(),
    some.text(alphabet="0123456789abcdefx-:/.,_# TZ\n"),
    some.from_regex(r"[0-9a-z]{0,9}aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee[0-9a-z]{0,9}", fullmatch=True),
    some.text(alphabet="ab1- ", min_size=290, max_size=400),
)


@given(ERRORS)
def test_folding_twice_changes_nothing_and_some_words_are_left(text: str) -> None:
    folded = fold_error(text)
    assert fold_error(folded) == folded
    assert len(folded) <= 300
    assert bool(folded) == bool(text.strip())


def failing(name: str, note: str = "", assignee: str = "") -> FailedTest:
    return FailedTest(a_test(name, "F", note=note, assignee=assignee))


def test_errors_that_several_tests_share_come_with_the_commonest_first() -> None:
    rows = [
        news("one", Turn.BROKE, failing("a", "Timeout after 3 s"), failing("b", "Timeout after 30 s"), failing("x")),
        news("three", Turn.STILL, failing("a", "Timeout after 5 s"), failing("c", "KeyError 1"), failing("y")),
        news("fourth", Turn.STILL, failing("d", "KeyError 2"), failing("e", "alone")),
    ]
    assert clusters_of(rows) == (
        Cluster("Timeout after # s", 3, ("a", "b"), 2),
        Cluster("KeyError #", 2, ("c", "d"), 2),
    )
    assert clusters_of(rows, least=3) == clusters_of(rows)[:1]


def test_owners_come_with_most_failing_tests_first_and_nobody_last() -> None:
    rows = [
        news("one", Turn.BROKE, failing("a"), failing("b"), failing("c"), failing("d", assignee="Ben")),
        # The same test in another stream is one piece of work.
        news("two", Turn.STILL, *(failing("d", assignee=" Ben ") for _ in range(3))),
        news("three", Turn.STILL, failing("e", assignee="Ana"), failing("f", assignee="Ana")),
    ]
    assert owners_of(rows) == (("Ana", ("e", "f")), ("Ben", ("d",)), ("", ("a", "b", "c")))


def test_runs_of_the_same_number_in_two_connections_are_two_streams_of_a_cluster() -> None:
    one = news("one", Turn.BROKE, failing("a", "Boom"))
    other = replace(one, run=replace(one.run, ref=RunRef("testmo-2", "A", one.run.ref.id)))
    assert clusters_of([one, other]) == (Cluster("Boom", 2, ("a",), 2),)
