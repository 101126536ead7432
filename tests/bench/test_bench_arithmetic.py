"""The bench judges by these figures; what it measures is not tested here, for no test may depend on a clock."""

from __future__ import annotations

import pytest

from tests.bench.figures import Row, against, compared, exact, percentile, quartiles, quiet, rounds_floor, slope


@pytest.mark.parametrize(
    ("values", "share", "expected"),
    [([3.0, 1.0, 2.0], 0.5, 2.0), ([1.0, 2.0, 3.0, 4.0], 0.99, 4.0), ([7.0], 0.5, 7.0), (range(1, 101), 0.99, 99)],
)
def test_a_percentile_is_a_value_that_was_measured(values: list[float], share: float, expected: float) -> None:
    assert percentile(values, share) == expected


def test_quartiles_of_one_measurement_are_that_measurement() -> None:
    assert quartiles([4.0]) == (4.0, 4.0, 4.0)
    assert quartiles([1.0, 2.0, 3.0, 4.0, 5.0]) == (2.0, 3.0, 4.0)


def test_the_ratio_is_the_median_of_the_pairs_and_not_of_the_sides() -> None:
    row = compared("ack", "p50", [(1.0, 10.0), (4.0, 20.0), (9.0, 30.0)], "ms")
    assert (row.ours, row.yardstick, row.ratio) == (4.0, 20.0, 0.2)


def _row(low: float, ratio: float, high: float, bar: float | None) -> Row:
    return Row(case="c", what="w", ours=ratio, yardstick=1.0, unit="ms", ratio=ratio, low=low, high=high, bar=bar)


@pytest.mark.parametrize(
    ("row", "verdict"),
    [
        (_row(0.9, 1.0, 1.1, 1.0), "kept"),
        (_row(0.9, 1.01, 1.1, 1.0), "missed"),
        (_row(0.5, 0.6, 0.8, 1.0), "unclear (below the bar)"),
        (_row(0.8, 1.0, 1.2, 1.0), "unclear (around the bar)"),
        (_row(1.2, 1.6, 2.0, 1.0), "unclear (above the bar)"),
        (_row(1.2, 1.6, 2.0, None), ""),
        (compared("ack", "p99", [(2.0, 1.0)] * 3, "ms", bar=1.0, busy=True), "unclear (machine busy)"),
        (compared("ack", "p99", [(1.0, 1.0)] * 3, "ms", bar=1.0, busy=True), "kept"),
        (exact("fetch", "requests", 100, 100), "kept"),
        (exact("fetch", "requests", 101, 100), "missed"),
        (exact("fetch", "requests", 99, 100), "missed"),
        (against("fetch", "wall", [0.7, 0.72, 0.74], 0.7, "s", bar=1.15), "kept"),
    ],
)
def test_the_verdict_is_told_only_where_the_figures_tell_it(row: Row, verdict: str) -> None:
    assert row.verdict == verdict


@pytest.mark.parametrize(
    ("measured", "judged", "busy"),
    [
        ([("a", 0.01), ("b", 0.40), ("c", 0.05)], ["a", "c"], False),
        ([("a", 0.01), ("b", 0.40), ("c", 0.30)], ["a", "b", "c"], True),
    ],
)
def test_measurements_beside_busy_neighbours_are_left_out(
    measured: list[tuple[str, float]], judged: list[str], busy: bool
) -> None:
    assert quiet(measured, 2) == (judged, busy)


@pytest.mark.parametrize(("power", "expected"), [(0, 0.0), (1, 1.0), (2, 2.0)])
def test_the_slope_is_the_power_by_which_a_cost_grows(power: int, expected: float) -> None:
    assert slope([(n, 3.0 * n**power) for n in (1, 10, 100, 400)]) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(("pages", "rounds"), [(1, 1), (9, 2), (10, 3), (100, 14), (400, 51)])
def test_the_floor_of_a_fetch_is_its_rounds(pages: int, rounds: int) -> None:
    assert rounds_floor(pages, 0.05, 8) == pytest.approx(0.05 * rounds)
