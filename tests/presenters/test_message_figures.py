"""Numbers become bars, sparklines and words that don't mislead."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.outcomes import Tally
from bot.presenters import figures
from bot.presenters.figures import counted_words

NOW = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("tally", "bar"),
    [
        (Tally(), ""),
        (Tally(passed=1), "■■■■■■■■■■■■"),
        (Tally(failed=3), "✕✕✕✕✕✕✕✕✕✕✕✕"),
        (Tally(untested=9), "□□□□□□□□□□□□"),
        (Tally(passed=1, failed=1), "■■■■■■✕✕✕✕✕✕"),
        (Tally(passed=999, failed=1), "■■■■■■■■■■■✕"),
        (Tally(passed=999, untested=1), "■■■■■■■■■■■□"),
        (Tally(untested=999, failed=1), "✕□□□□□□□□□□□"),
        (Tally(passed=74, failed=3, blocked=1, untested=2), "■■■■■■■■■■■✕"),
        (Tally(passed=3, failed=3, blocked=1, skipped=1, other=(("Known issue", 1),), retest=3), "■■■✕✕✕▨▨▨□□□"),
        (Tally(passed=10**400, failed=1), "■■■■■■■■■■■✕"),
    ],
)
def test_bars_show_every_failure(tally: Tally, bar: str) -> None:
    assert figures.bar(tally) == bar


COUNTS = st.integers(0, 10**9) | st.just(0)


@given(COUNTS, COUNTS, COUNTS, COUNTS)
def test_bars_are_whole_and_full_only_when_all_passed(passed: int, failed: int, blocked: int, untested: int) -> None:
    tally = Tally(passed=passed, failed=failed, blocked=blocked, untested=untested)
    bar = figures.bar(tally)
    assert len(bar) == (12 if tally.total else 0)
    assert ("✕" in bar) == (failed > 0)
    assert (bar == "■" * 12) == (passed > 0 and passed == tally.total)


@pytest.mark.parametrize(
    ("tally", "words"),
    [
        (Tally(), "no tests"),
        (Tally(passed=74, failed=3, blocked=1, untested=2), "74 passed · 3 failed · 1 blocked · 2 untested"),
        (Tally(passed=1, other=(("Known issue", 2), ("", 1))), "1 passed · 2 Known issue · 1 other"),
        (
            Tally(other=tuple((f"s{n}", 1) for n in range(16))),
            " · ".join(f"1 s{n}" for n in range(14)) + " · and 2 more statuses",
        ),
        (Tally(other=(("x" * 99, 1),)), f"1 {'x' * 39}…"),
    ],
)  # fmt: skip
def test_tallies_are_told_in_words(tally: Tally, words: str) -> None:
    assert figures.tally_words(tally) == words


@pytest.mark.parametrize(
    ("rates", "line"),
    [
        ((), ""),
        ((None,), ""),
        ((1.0, 1.0), "▇▇"),
        ((0.0, 1.0), "▁▇"),
        ((0.98, 0.975, 0.8, 0.97, 0.5, 0.6, 0.91), "▇▇▅▇▁▂▆"),
        ((1.0, None, 0.99), "▇·▇"),
        ((0.2, 1.0, 0.6), "▁▇▄"),
    ],
)
def test_sparklines(rates: tuple[float | None, ...], line: str) -> None:
    assert figures.sparkline(rates) == line


@pytest.mark.parametrize(
    ("rates", "words"),
    [
        ((0.98, 0.91), "▇▆ pass rate of executed tests 98 % → 91 %, 2 runs"),
        ((None, 0.98, 1.0), "·▇▇ pass rate of executed tests 98 % → 100 %, 3 runs"),
        ((1.0, 0.85, 0.88), "▇▅▆ pass rate of executed tests 100 % → 88 %, lowest 85 %, 3 runs"),
        ((0.98, 0.97, None), ""),
        ((0.5,), ""),
        ((None, None, 0.5), ""),
    ],
)
def test_trends(rates: tuple[float | None, ...], words: str) -> None:
    assert figures.trend_words(rates) == words


@pytest.mark.parametrize(
    ("rates", "words"),
    [
        ((0.98, 0.6, 0.91), "▇▂▆ pass rate 98 % → 91 %, lowest 60 %, in 3 runs"),
        ((1.0, 0.8, 1.0), "▇▅▇ pass rate 100 % → 100 %, lowest 80 %, in 3 runs"),
        ((None, 0.98, 1.0), "·▇▇ pass rate 98 % → 100 % in 3 runs"),
        ((0.98, 0.97, None), ""),
        ((0.5,), ""),
    ],
)
def test_trends_where_there_is_little_room(rates: tuple[float | None, ...], words: str) -> None:
    assert figures.trend_brief(rates) == words


@pytest.mark.parametrize(
    ("count", "total", "again", "told"),
    [
        (27, 27, "list", "27"),
        (27, None, "list", "27"),
        (3, 27, "list --limit 3", "First 3 of 27"),
        (3, 27, "list", "First 3 of 27"),
        (3, None, "list --limit 3", "First 3"),
        (2, None, "list --limit 3", "2"),
        (0, None, "list", "0"),
    ],
)
def test_counts_tell_when_rows_were_cut(count: int, total: int | None, again: str, told: str) -> None:
    assert figures.held(count, total, again) == told


def test_one_is_followed_by_the_singular() -> None:
    assert figures.counted_words("1", "open runs · name results", "run") == "open run · name results"
    assert figures.counted_words("2", "open runs", "run") == "open runs"
    assert figures.counted_words("1", "", "result") == "result"


@pytest.mark.parametrize(
    ("rate", "words"), [(0, "0 %"), (1, "100 %"), (0.999, "99 %"), (0.001, "1 %"), (0.905, "90 %"), (0.5, "50 %")]
)
def test_only_what_is_whole_is_called_so(rate: float, words: str) -> None:
    assert figures.percent(rate) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.42, "0.4 s"), (12, "12 s"), (75, "1 min 15 s"), (120, "2 min"), (3_300, "55 min"), (4_800, "1 h 20 min"),
     (7_200, "2 h"), (187_200, "2 d 4 h"), (-1, "0.0 s")],
)  # fmt: skip
def test_durations(seconds: float, words: str) -> None:
    assert figures.duration(seconds) == words


@pytest.mark.parametrize(
    ("age", "words"),
    [(timedelta(seconds=5), "just now"), (timedelta(minutes=5), "5 min ago"), (timedelta(hours=2), "2 h ago"),
     (timedelta(hours=47), "47 h ago"), (timedelta(days=3), "3 d ago"), (timedelta(days=36), "5 weeks ago"),
     (timedelta(minutes=-5), "in 5 min"), (timedelta(seconds=-5), "in a moment")],
)  # fmt: skip
def test_ages(age: timedelta, words: str) -> None:
    assert figures.ago(NOW - age, NOW) == words


@pytest.mark.parametrize(
    ("count", "words", "told"),
    [
        ("First 40 of 91", "all runs", "runs"),
        ("17", "open runs · in testrail · status failed", "open runs in testrail · status failed"),
        ("1", "all runs · in testrail", "run in testrail"),
        ("2", "", "runs"),
        ("2", "open runs · tag x · in testrail", "open runs · tag x · in testrail"),
    ],
)
def test_what_is_counted_reads_on_after_its_count(count: str, words: str, told: str) -> None:
    assert counted_words(count, words, "run") == told
