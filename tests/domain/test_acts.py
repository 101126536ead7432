"""Changes as values: what was seen of a run, how far a go of several is."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bot.domain.acts import Bulk, BulkItem, Ended, Entry, Seen
from bot.domain.model import Kind, Run, RunRef, State
from bot.domain.outcomes import Tally

NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)
KIND = Kind("R", "run", "runs", "closed")


def a_run(number: int = 1, tally: Tally = Tally(), finished: bool = False) -> Run:  # noqa: B008  a frozen value
    return Run(
        ref=RunRef("testrail", "R", number), kind=KIND, project=1, name="Smoke", tally=tally, finished=finished,
        created_at=NOW, read_at=NOW,
    )  # fmt: skip


def item(number: int, outcome: Ended | None = None, why: str = "") -> BulkItem:
    entry = None
    if outcome is not None:
        entry = Entry(
            key=f"k{number}", verb="close", connection="testrail", ref=None, title="", who="U1", who_name="", team="",
            channel="", thread="", at=NOW, outcome=outcome,
        )  # fmt: skip
    return BulkItem(run=a_run(number), entry=entry, why=why)


@pytest.mark.parametrize(
    ("tally", "finished", "state"),
    [
        (Tally(passed=1, failed=1), False, State.FAILING),
        (Tally(passed=1, failed=1), True, State.FAILED),
        (Tally(passed=1), True, State.PASSED),
        (Tally(untested=1), False, State.OPEN),
    ],
)
def test_what_was_seen_of_a_run_is_its_counts_and_state(tally: Tally, finished: bool, state: State) -> None:
    assert Seen.of(a_run(tally=tally, finished=finished)) == Seen(tally, finished, state)


@pytest.mark.parametrize(
    ("items", "left", "done", "unsure"),
    [
        ((), 0, 0, 0),
        ((item(1), item(2, why="closed already")), 1, 0, 0),
        ((item(1, Ended.DONE), item(2, Ended.FAILED), item(3)), 1, 1, 0),
        ((item(1, Ended.DONE), item(2, Ended.DONE), item(3, Ended.DOUBT), item(4, Ended.BEGUN)), 0, 2, 2),
        ((item(1, Ended.BEGUN, why="x"),), 0, 0, 1),
    ],
)
def test_a_go_of_several_knows_how_far_it_is(items: tuple[BulkItem, ...], left: int, done: int, unsure: int) -> None:
    bulk = Bulk(key="b", words="open runs", items=items, typed="close", made_at=NOW, by="U1")
    assert (bulk.left, bulk.count(Ended.DONE), bulk.count(Ended.DOUBT, Ended.BEGUN)) == (left, done, unsure)
