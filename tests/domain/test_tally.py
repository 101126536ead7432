"""Counts by outcome: words, sums, custom statuses."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from bot.domain.outcomes import Outcome, Tally, count

TALLIES = some.builds(
    Tally,
    **{
        word: some.integers(0, 50)
        for word in ("passed", "failed", "blocked", "retest", "skipped", "untested", "running")
    },
    other=some.lists(some.tuples(some.sampled_from(["On hold", "Won't fix", ""]), some.integers(0, 9))).map(tuple),
)


@pytest.mark.parametrize(
    ("tally", "words"),
    [
        (Tally(), "no tests"),
        (Tally(passed=3), "3 passed"),
        (Tally(failed=1, passed=2), "2 passed · 1 failed"),
        (Tally(untested=4, blocked=1, passed=1), "1 passed · 1 blocked · 4 untested"),
        (Tally(retest=1, skipped=2, running=3), "1 retest · 2 skipped · 3 running"),
        (Tally(passed=1, untested=2, other=(("On hold", 3), ("N/A", 0))), "1 passed · 3 On hold · 2 untested"),
        (Tally(other=(("", 2),)), "2 other"),
        (Tally(other=(("b", 1), ("a", 2))), "1 b · 2 a"),
    ],
)
def test_a_tally_says_what_is_not_zero(tally: Tally, words: str) -> None:
    assert str(tally) == words


@pytest.mark.parametrize(
    ("tally", "total", "done", "rate"),
    [
        (Tally(), 0, 0, None),
        (Tally(passed=3, failed=1), 4, 4, 0.75),
        (Tally(untested=2, retest=1, running=1), 4, 0, None),
        (Tally(blocked=1, skipped=1, other=(("x", 2),)), 4, 4, None),
        (Tally(failed=2), 2, 2, 0.0),
        (Tally(passed=1, blocked=9), 10, 10, 1.0),
    ],
)
def test_totals_and_the_pass_rate_follow_from_the_counts(
    tally: Tally, total: int, done: int, rate: float | None
) -> None:
    assert (tally.total, tally.done, tally.pass_rate) == (total, done, rate)


@pytest.mark.parametrize(
    ("one", "other", "both"),
    [
        (Tally(passed=1), Tally(passed=2, failed=1), Tally(passed=3, failed=1)),
        (Tally(other=(("a", 1),)), Tally(other=(("b", 2), ("a", 3))), Tally(other=(("a", 4), ("b", 2)))),
        (Tally(other=(("a", 1), ("a", 2))), Tally(), Tally(other=(("a", 3),))),
    ],
)
def test_sums_keep_every_count_and_every_label(one: Tally, other: Tally, both: Tally) -> None:
    assert one + other == both


@given(TALLIES, TALLIES)
def test_a_sum_loses_nothing(one: Tally, other: Tally) -> None:
    assert (one + other).total == one.total + other.total


@given(TALLIES)
def test_the_words_of_a_tally_add_up_to_its_total(tally: Tally) -> None:
    assert sum(number for _, number in tally.parts()) == tally.total


@given(some.lists(some.tuples(some.sampled_from(Outcome), some.sampled_from(["On hold", "N/A", ""]))))
def test_counting_counts_each_once_and_keeps_custom_labels(outcomes: list[tuple[Outcome, str]]) -> None:
    tally = count(outcomes)
    assert tally.total == len(outcomes)
    assert tally.passed == sum(outcome is Outcome.PASSED for outcome, _ in outcomes)
    assert dict(tally.other) == {
        label: sum(each == (Outcome.OTHER, label) for each in outcomes)
        for outcome, label in outcomes
        if outcome is Outcome.OTHER
    }
