"""What a run looks like at a glance, and which runs deserve a look first."""

from __future__ import annotations

from datetime import timedelta
from itertools import product

import pytest

from bot.domain.model import Run, RunRef, State
from bot.domain.outcomes import Outcome, Tally, count
from bot.domain.risk import STALE, is_stale, risk
from tests.domain.runs_and_tests import NOW, a_run

OPEN, ENDED = False, True


@pytest.mark.parametrize(
    ("finished", "tally", "verdict", "threads", "state"),
    [
        (OPEN, Tally(), None, 0, State.OPEN),
        (OPEN, Tally(passed=3), None, 0, State.OPEN),
        (OPEN, Tally(untested=3), None, 0, State.OPEN),
        (OPEN, Tally(passed=1, failed=1), None, 0, State.FAILING),
        (OPEN, Tally(passed=1, blocked=1), None, 0, State.BLOCKED),
        (OPEN, Tally(blocked=1, failed=1), None, 0, State.FAILING),
        (OPEN, Tally(passed=1), Outcome.RUNNING, 0, State.RUNNING),
        (OPEN, Tally(passed=1), None, 2, State.RUNNING),
        (OPEN, Tally(blocked=1), Outcome.RUNNING, 2, State.BLOCKED),
        (OPEN, Tally(), Outcome.FAILED, 0, State.FAILING),
        (OPEN, Tally(passed=1), Outcome.PASSED, 0, State.OPEN),
        (ENDED, Tally(passed=3), None, 0, State.PASSED),
        (ENDED, Tally(passed=3, skipped=1), None, 0, State.PASSED),
        (ENDED, Tally(passed=2, other=(("On hold", 1),)), None, 0, State.PASSED),
        (ENDED, Tally(passed=3, failed=1), None, 0, State.FAILED),
        (ENDED, Tally(), Outcome.FAILED, 0, State.FAILED),
        (ENDED, Tally(passed=3, untested=1), None, 0, State.INCOMPLETE),
        (ENDED, Tally(passed=3, retest=1), None, 0, State.INCOMPLETE),
        (ENDED, Tally(passed=3, running=1), None, 0, State.INCOMPLETE),
        (ENDED, Tally(passed=3, blocked=1), None, 0, State.INCOMPLETE),
        (ENDED, Tally(failed=1, untested=9), None, 0, State.FAILED),
        (ENDED, Tally(), None, 0, State.INCOMPLETE),  # nothing was tested: nobody may call that passed
        (ENDED, Tally(), Outcome.PASSED, 0, State.PASSED),  # the system's own word
    ],
)
def test_the_state_follows_from_the_systems_word_and_the_counts(
    finished: bool, tally: Tally, verdict: Outcome | None, threads: int, state: State
) -> None:
    assert a_run(finished=finished, tally=tally, verdict=verdict, threads_active=threads).state is state


COUNTS = ("passed", "failed", "blocked", "retest", "skipped", "untested", "running")


@pytest.mark.parametrize("finished", [OPEN, ENDED])
@pytest.mark.parametrize("verdict", [None, *Outcome])
def test_no_combination_of_counts_is_called_what_it_is_not(finished: bool, verdict: Outcome | None) -> None:
    for counts, threads in product(product((0, 2), repeat=len(COUNTS)), (0, 1)):
        run = a_run(
            finished=finished,
            verdict=verdict,
            threads_active=threads,
            tally=count(
                (Outcome(word), "") for word, number in zip(COUNTS, counts, strict=True) for _ in range(number)
            ),
        )
        tally, state = run.tally, run.state
        failing = bool(tally.failed) or verdict is Outcome.FAILED
        assert (state in (State.FAILED, State.FAILING)) == failing
        assert (state in (State.FAILED, State.PASSED, State.INCOMPLETE)) == finished
        if state is State.PASSED:
            assert tally.untested + tally.blocked + tally.retest + tally.running == 0
        if state is State.RUNNING:
            assert threads or verdict is Outcome.RUNNING


@pytest.mark.parametrize(
    ("run", "stale"),
    [
        (a_run(finished=False, days_ago=13.9), False),
        (a_run(finished=False, days_ago=14.1), True),
        (a_run(finished=False, days_ago=90, updated_at=NOW - timedelta(days=1)), False),
        (a_run(finished=False, days_ago=90, updated_at=NOW - timedelta(days=15)), True),
        (a_run(finished=True, days_ago=90), False),
        (a_run(finished=False, created_at=NOW - STALE), False),
    ],
)
def test_a_run_is_stale_when_nobody_touched_it_for_two_weeks(run: Run, stale: bool) -> None:
    assert is_stale(run, NOW) is stale


def test_the_riskiest_runs_come_first() -> None:
    in_order = [
        a_run(1, finished=False, tally=Tally(failed=5), days_ago=3),
        a_run(2, finished=False, tally=Tally(failed=1), days_ago=1),
        a_run(3, finished=False, tally=Tally(failed=1), days_ago=2),
        a_run(4, finished=True, tally=Tally(failed=9), days_ago=0),
        a_run(5, finished=False, tally=Tally(blocked=3), days_ago=1),
        a_run(6, finished=False, tally=Tally(blocked=1), days_ago=1),
        a_run(7, finished=True, tally=Tally(passed=1, untested=1), days_ago=2),
        a_run(8, finished=False, tally=Tally(untested=1), days_ago=30),  # stale
        a_run(9, finished=False, tally=Tally(passed=1), threads_active=1, days_ago=1),
        a_run(10, finished=False, tally=Tally(passed=1), days_ago=1),
        a_run(11, finished=True, tally=Tally(passed=1), days_ago=0),
    ]
    shuffled = [*in_order[1::2], *in_order[::2]]
    assert [run.ref.id for run in sorted(shuffled, key=lambda run: risk(run, NOW))] == list(range(1, 12))


@pytest.mark.parametrize(
    ("ref", "short", "whole"),
    [
        (RunRef("testrail", "R", 118), "R118", "testrail:R118"),
        (RunRef("testmo", "A", 412, 3), "A412/3", "testmo:A412/3"),
        (RunRef("web", "S", 1, 0), "S1/0", "web:S1/0"),
    ],
)
def test_references_are_written_as_people_type_them(ref: RunRef, short: str, whole: str) -> None:
    assert (ref.short, str(ref)) == (short, whole)


def test_the_page_of_a_run_has_its_number_in_it() -> None:
    assert a_run(412, page="https://acme.testmo.net/automation/runs/view/{id}").url.endswith("/view/412")
    assert a_run(412).url == ""
