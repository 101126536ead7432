"""Runs that may be compared, and what changed between them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from bot.domain.model import RunRef, Test
from bot.domain.outcomes import Outcome
from bot.domain.streams import Diff, by_key, compare, fold_name, is_flaky, outcome_strips, streak, stream_of
from tests.domain.runs_and_tests import NOW, a_run, a_test, outcomes, tests_of


@pytest.mark.parametrize(
    "alike",
    [
        ("Nightly API 2026-11-19", "nightly api 2026-11-20", "NIGHTLY  API  2025-01-01"),
        ("Smoke #118", "Smoke #9"),
        ("Release 5.2", "Release 5.10.1", "Release 6"),
        ("v2.4.1-rc1", "v2.5.0-rc12"),
        ("Regression 19.11.2026 03:00", "Regression 1.2.2026 23:59"),
        ("API 2026-11-19T03:00:00Z", "API 2026-12-24T18:30:01Z"),
        ("Smoke 19 Nov 2026", "Smoke 2 December 2025", "Smoke 3 may 2026"),
        ("Regression November 2026", "Regression Mar 2027"),
        ("1st pass", "2nd pass", "43rd pass"),
        ("build 4f1c2d9", "build 77ab01e", "build 1234567"),
        ("main@4f1c2d9e8b7a6c5d4e3f2a1b0c9d8e7f6a5b4c3d", "main@0000000000000000000000000000000000000000"),
        ("deploy 550e8400-e29b-41d4-a716-446655440000", "deploy 123e4567-e89b-12d3-a456-426614174000"),
        ("build_2026_11_19_4f1c2d9", "build_2026_11_20_1234567"),
        ("١٢ runs", "7 runs"),
        ("12", "13"),
    ],
)
def test_names_that_differ_by_what_varies_fold_to_the_same(alike: tuple[str, ...]) -> None:
    assert len({fold_name(name) for name in alike}) == 1


@pytest.mark.parametrize(
    "apart",
    [
        ("Nightly API 2026-11-19", "Nightly Web 2026-11-19"),
        ("Smoke", "Smoke 2"),
        ("Release 5.2", "Release 5.2 (retest)"),
        ("decade 5", "facade 5"),
        ("march of the penguins", "may of the penguins"),
        ("", "1"),
        ("Monday nightly", "Tuesday nightly"),
    ],
)
def test_names_that_mean_different_things_stay_apart(apart: tuple[str, ...]) -> None:
    assert len({fold_name(name) for name in apart}) == len(apart)


@given(some.text(max_size=60))
def test_folding_twice_changes_nothing_more(name: str) -> None:
    assert fold_name(fold_name(name)) == fold_name(name)


@pytest.mark.parametrize("piece", ["1", "a1", "1-", "# ", "may ", "nov 1 ", ".", "#" + " " * 50])
def test_folding_takes_no_time_whatever_the_name(piece: str) -> None:
    assert len(fold_name(piece * 20_000)) < 3_000_000


def test_runs_of_one_stream_share_series_configuration_kind_project_and_connection() -> None:
    base = a_run(1, series="nightly", config="Chrome")
    assert stream_of(a_run(2, series="nightly", config="Chrome", name="other")) == stream_of(base)
    for other in (
        a_run(2, series="smoke", config="Chrome"),
        a_run(2, series="nightly", config="Firefox"),
        a_run(2, series="nightly", config="Chrome", project=2),
        a_run(2, series="nightly", config="Chrome", ref=RunRef("testmo", "R", 2)),
        a_run(2, series="nightly", config="Chrome", ref=RunRef("web", "A", 2)),
    ):
        assert stream_of(other) != stream_of(base)


def test_without_a_series_the_folded_name_is_one() -> None:
    assert stream_of(a_run(1, name="Nightly 1")) == stream_of(a_run(2, name="nightly 22"))


def keys(tests: tuple[Test, ...]) -> str:
    return " ".join(test.key for test in tests)


@pytest.mark.parametrize(
    ("now", "before", "told"),
    [
        ("a:F", "a:P", "new a"),
        ("a:F", "a:F", "still a"),
        ("a:P", "a:F", "fixed a"),
        ("a:P", "a:P", ""),
        ("a:F", "", "new a"),
        ("a:F", "a:.", "new a"),
        ("a:F", "a:B", "new a"),
        ("a:.", "a:F", "not_run a"),
        ("a:B", "a:F", ""),
        ("a:S", "a:F", ""),
        ("", "a:F b:P", "gone 2"),
        ("a:P c:F", "a:P b:P", "new c, gone 1"),
        ("a:F b:F c:P d:. e:F", "a:P b:F c:F f:P", "new a e, still b, fixed c, not_run d, gone 1"),
        # one test twice in a run: its failure speaks for it, and it is told once
        ("a:F a:F", "a:P", "new a"),
        ("a:P a:F", "a:P", "new a"),
        ("a:P a:F", "a:F", "still a"),
        ("a:F", "a:F a:P", "still a"),
        ("a:F", "a:P a:F", "still a"),
        ("a:P a:P", "a:F a:P", "fixed a"),
        ("a:. a:P", "a:P", ""),
        ("a:. a:.", "a:P a:P", "not_run a"),
    ],
)
def test_tests_are_new_still_fixed_not_run_or_gone(now: str, before: str, told: str) -> None:
    diff = compare(a_run(2), tests_of(now), a_run(1), tests_of(before))
    groups = {name: keys(getattr(diff, name)) for name in ("new", "still", "fixed", "not_run")}
    counts = {"gone": str(diff.gone) if diff.gone else ""}
    assert ", ".join(f"{name} {words}" for name, words in {**groups, **counts}.items() if words) == told


@pytest.mark.parametrize(
    ("now", "before", "counts"),
    [
        ("", "", (0, 0, 0)),
        ("", "a:P", (0, 0, 1)),
        ("a:F b:P", "c:P", (0, 2, 1)),
        ("a:F a:P b:P", "b:F c:P", (1, 1, 1)),
    ],
)
def test_tests_in_common_and_of_one_run_alone_are_counted(now: str, before: str, counts: tuple[int, ...]) -> None:
    diff = compare(a_run(2), tests_of(now), a_run(1), tests_of(before))
    assert (diff.common, diff.added, diff.gone) == counts


RUNS = some.lists(some.builds(a_test, some.sampled_from("abc"), some.sampled_from("PFBSRO.")), max_size=8)


@given(RUNS, RUNS, some.lists(RUNS, max_size=4))
def test_a_test_is_in_one_group_of_a_comparison(now: list[Test], then: list[Test], past: list[list[Test]]) -> None:
    diff = compare(a_run(2), now, a_run(1), then, past)
    groups = [test.key for group in (diff.new, diff.still, diff.fixed, diff.not_run) for test in group]
    assert len(groups) == len(set(groups))
    assert {test.key for test in (*diff.new, *diff.still)} == {
        test.key for test in now if test.outcome is Outcome.FAILED
    }
    assert diff.judged_on == len(past)


def test_a_comparison_tells_which_tests_are_flaky_beside_the_groups() -> None:
    past = [tests_of(f"a:{letter} b:P") for letter in "FPFP"]
    diff = compare(a_run(2), tests_of("a:F b:P"), a_run(1), tests_of("a:P b:P"), past)
    assert (keys(diff.new), keys(diff.flaky)) == ("a", "a")


def test_two_results_of_a_test_in_one_run_are_no_flips() -> None:
    past = [tests_of("a:F a:P"), tests_of("a:P a:F"), tests_of("a:F a:P")]
    diff: Diff = compare(a_run(2), tests_of("a:F"), a_run(1), tests_of("a:F"), past)
    assert diff.flaky == ()


@pytest.mark.parametrize(
    ("strip", "flaky"),
    [
        ("", False),
        ("P", False),
        ("FPF", False),  # two flips
        ("FPFP", True),  # three
        ("PFPF", True),
        ("FFPPFFPP", True),  # three flips, both outcomes in the last five
        ("FFFFFPFP", False),  # three flips, but five times the same lately
        ("PPPPPFPF", False),
        ("PPPPFPFP", True),  # the fifth is still of the last five
        ("PPPPPPPFPF", False),
        ("PFFFFFFFFFPF", False),  # the third flip is beyond the last ten
        ("PFFFFFFFPF", True),
        ("FBPBFBP", True),  # what neither passed nor failed makes no flip, and hides none
        ("F....PFP", False),  # not run lately: one outcome in the last five runs
        ("F...PFP", True),
        ("F.........PFP", False),
        ("FSFOFRF.F", False),
    ],
)
def test_a_test_is_flaky_with_three_flips_in_ten_runs_and_both_outcomes_in_five(strip: str, flaky: bool) -> None:
    assert is_flaky(a_test("a", "F"), outcomes(strip)) is flaky


@pytest.mark.parametrize(
    ("letter", "retried", "flaky"), [("P", True, True), ("F", True, False), ("P", False, False), ("B", True, False)]
)
def test_a_test_that_passed_on_retry_is_flaky(letter: str, retried: bool, flaky: bool) -> None:
    assert is_flaky(a_test("a", letter, retried=retried), ()) is flaky


def test_strips_have_an_outcome_for_each_run() -> None:
    assert outcome_strips([tests_of("a:F b:P"), [], tests_of("b:F b:P")]) == {
        "a": outcomes("F.."),
        "b": outcomes("P.F"),
    }


@pytest.mark.parametrize(
    ("tests", "spoken"),
    [
        ("a:P a:F a:B", "a:F"),
        ("a:B a:P", "a:P"),
        ("a:. a:S", "a:S"),
        ("a:S a:B", "a:S"),
        ("a:. b:F a:P", "a:P b:F"),
    ],
)
def test_a_failure_speaks_for_a_test_that_is_there_twice(tests: str, spoken: str) -> None:
    assert list(by_key(tests_of(tests)).values()) == tests_of(spoken)


@pytest.mark.parametrize(
    ("past", "runs", "since", "at_least"),
    [
        ("", 1, 0, False),
        ("P", 1, 0, False),
        ("FP", 2, 1, False),
        ("FFP", 3, 2, False),
        ("FF", 3, 2, True),
        ("F.FP", 3, 3, False),  # not run, or not judged: neither longer nor over
        ("FBFP", 3, 3, False),
        ("..P", 1, 0, False),
        (".", 1, 0, True),
    ],
)
def test_a_streak_is_counted_back_to_the_last_pass(past: str, runs: int, since: int, at_least: bool) -> None:
    history = [(a_run(9 - day, days_ago=day), by_key(tests_of(f"a:{letter}"))) for day, letter in enumerate(past, 1)]
    found = streak(a_run(10), "a", history)
    assert (found.runs, found.at_least) == (runs, at_least)
    assert found.since == NOW - (NOW - a_run(days_ago=since).created_at)
