"""Which runs are wanted, and what the words for a status mean: the same in every system."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.domain.errors import NotFoundError
from bot.domain.model import Kind, Run, RunRef, State
from bot.domain.outcomes import Outcome, Tally
from bot.domain.queries import RunQuery
from bot.systems._filters import in_status, is_common, keeping, status_words, within

NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)
DAY = timedelta(days=1)


def run(*, finished: bool = False, verdict: Outcome | None = None, **counts: Any) -> Run:
    return Run(
        ref=RunRef("tr", "R", 1),
        kind=Kind("R", "run", "runs", "closed"),
        project=1,
        name="Smoke 8.2",
        tally=Tally(**counts),
        finished=finished,
        created_at=NOW,
        read_at=NOW,
        finished_at=NOW + DAY if finished else None,
        verdict=verdict,
        series="Nightly",
        config="Firefox",
        refs="SHOP-12, SHOP-13",
        tags=("Web", "a,b"),
    )


UNREAD = replace(run(verdict=Outcome.BLOCKED), missing=("its counts could not be read",))


@pytest.mark.parametrize(
    ("one", "words"),
    [
        (run(finished=True, passed=3), {"passed"}),
        (run(passed=3), {"open"}),  # it may still fail
        (run(finished=True, passed=3, failed=1), {"failed"}),
        (run(passed=3, failed=1), {"failed", "failing"}),
        (run(verdict=Outcome.FAILED), {"failed", "failing"}),
        (run(finished=True, passed=3, untested=1), {"incomplete", "untested"}),
        (run(finished=True), {"incomplete"}),
        (run(passed=3, blocked=1), {"blocked"}),
        (run(finished=True, failed=3, blocked=1), {"failed", "blocked"}),
        (run(passed=1, retest=1, skipped=1), {"open", "retest", "skipped"}),
        (run(passed=1, verdict=Outcome.RUNNING), {"running"}),
        (run(finished=True, passed=1, other=(("Known Issue", 2),)), {"passed", "other", "known issue"}),
        (UNREAD, {"open", "blocked"}),
    ],
)
def test_a_word_for_a_status_has_one_meaning(one: Run, words: set[str]) -> None:
    every = {*State, *Outcome, "known issue"}
    assert {word for word in every if in_status(one, word)} == words


def test_words_of_all_systems_and_of_one_are_known() -> None:
    own = {"Broken": "failed", "5": "failed", "Known issue": "Known issue", "Passed": "passed"}
    assert status_words("TestRail", ["FAILED", " broken ", "5"], own) == {"failed"}
    assert status_words("TestRail", ["success", "Known Issue", "open"], own) == {"passed", "known issue", "open"}
    assert status_words("TestRail", [], own) == frozenset()
    assert [is_common(word) for word in ("Failed", "failure", "broken", "5")] == [True, True, False, False]


def test_a_word_that_is_no_status_is_answered_with_what_there_is() -> None:
    own = {"Known issue": "Known issue", "7": "Known issue", "Passed": "passed"}
    with pytest.raises(NotFoundError) as caught:
        status_words("TestRail", ["failed", "knwon issue"], own)
    assert caught.value.what == "No status “knwon issue” in TestRail."
    assert caught.value.why.startswith("There are Known issue, failed, failing, passed, ")
    assert (caught.value.closest[0], caught.value.instead_of) == ("Known issue", "knwon issue")


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        (RunQuery(), False),
        (RunQuery(state="closed"), True),
        (RunQuery(state="all", since=NOW, until=NOW), True),
        (RunQuery(state="all", since=NOW + DAY), False),
        (RunQuery(state="all", closed_since=NOW + DAY, closed_until=NOW + DAY), True),
        (RunQuery(state="all", closed_until=NOW), False),
        (RunQuery(state="all", words=("smoke", "NIGHT")), True),
        (RunQuery(state="all", words=("firefox", "web")), True),
        (RunQuery(state="all", words=("smoke", "chrome")), False),
        (RunQuery(state="all", tag=("x", "WEB")), True),
        (RunQuery(state="all", tag=("a",)), False),
        (RunQuery(state="all", without_tag=("web",)), False),
        (RunQuery(state="all", without_tag=("x",)), True),
        (RunQuery(state="all", refs=" shop-13 "), True),
        (RunQuery(state="all", refs="SHOP-14"), False),
    ],
)
def test_keeps_the_runs_that_are_wanted(query: RunQuery, wanted: bool) -> None:
    keep = keeping(query)
    assert keep is not None
    assert keep(run(finished=True, passed=1)) is wanted


def test_nothing_is_left_to_sort_out_of_a_query_that_a_system_knows_all_of() -> None:
    assert keeping(RunQuery(state="all", milestone=("5.2",), at_most=3)) is None
    keep = keeping(RunQuery(state="all"), {"failed", "blocked"})
    assert keep is not None
    assert [keep(one) for one in (run(failed=1), run(blocked=1), run(passed=1))] == [True, True, False]


def test_a_time_that_is_not_told_lies_in_no_bounds() -> None:
    assert within(None, None, None)
    assert not within(None, NOW, None)
    assert not within(None, None, NOW)
