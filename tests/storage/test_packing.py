"""Domain values as text and back: equal, whatever is in them; what another version wrote is not half read."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from types import MappingProxyType
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from bot.domain.acts import (
    Append,
    Bulk,
    BulkItem,
    Change,
    Close,
    Delete,
    Edit,
    Ended,
    Entry,
    Proposal,
    Recent,
    Report,
    Reported,
    Seen,
    Start,
)
from bot.domain.digests import DigestPlan, Timing
from bot.domain.model import Closing, Kind, Run, RunRef, State
from bot.domain.outcomes import Outcome, Tally
from bot.domain.queries import RunQuery
from bot.storage import packing

times = some.datetimes(min_value=datetime(1970, 1, 2), max_value=datetime(2999, 1, 1), timezones=some.just(UTC))  # noqa: DTZ001 - aware by `timezones`
seconds = some.none() | some.floats(allow_nan=False, allow_infinity=False)
numbers = some.integers(0, 2**63 - 1)
refs = some.builds(RunRef, id=numbers, thread=some.none() | numbers)

changes = some.one_of(
    some.builds(Close, refs),
    some.builds(Start, cases=some.lists(numbers).map(tuple)),
    some.builds(Edit, ref=refs, cases=some.none() | some.lists(numbers).map(tuple)),
    some.builds(Append, ref=refs, at=times),
    some.builds(Report, ref=refs, at=times, duration_s=seconds, tests=some.tuples(some.builds(Reported))),
    some.builds(Delete, refs),
)
runs = some.builds(
    Run,
    ref=refs,
    kind=some.builds(Kind, cannot=some.dictionaries(some.text(), some.text())),
    created_at=times,
    read_at=times,
    finished_at=some.none() | times,
    updated_at=some.none() | times,
    elapsed_s=seconds,
    parent=some.none() | refs,
)
entries = some.builds(
    Entry, ref=some.none() | refs, at=times, ended_at=some.none() | times, change=some.none() | changes
)
proposals = some.builds(
    Proposal,
    change=changes,
    run=some.none() | runs,
    made_at=times,
    recent=some.none() | some.builds(Recent, last_at=some.none() | times),
)
bulks = some.builds(
    Bulk,
    made_at=times,
    items=some.lists(some.builds(BulkItem, run=runs, entry=some.none() | entries), max_size=3).map(tuple),
)
seens = some.builds(Seen)
queries = some.builds(
    RunQuery,
    **{name: some.none() | times for name in ("since", "until", "closed_since", "closed_until")},
    at_most=some.none() | numbers,
    project=some.none() | numbers,
)
digests = some.builds(DigestPlan, made_at=times, paused_until=some.none() | times, query=queries)

KIND = Kind(
    letter="A",
    noun="automation run",
    plural="automation runs",
    ended="completed",
    automated=True,
    verbs=frozenset({"close", "note", "threads"}),
    filters=frozenset({"source"}),
    cannot={"delete": "Testmo has no way to delete it.", "edit": "It only takes additions."},
    closing=Closing("complete", "completed", ("Nothing can be added any more.",)),
    closing_thread=Closing("complete", "completed", for_good=False, finishes=False),
)
AT = datetime(2026, 11, 20, 9, 0, 0, 5, tzinfo=UTC)
RUN = Run(
    ref=RunRef("testmo", "A", 412),
    kind=KIND,
    project=3,
    name="Nightly „ü“ 🎉 \x00",
    tally=Tally(passed=40, failed=2, other=(("Known bug", 3), ("", 1))),
    finished=False,
    created_at=AT,
    read_at=AT,
    verdict=Outcome.FAILED,
    links=(("CI", "https://ci.example/1"),),
    elapsed_s=12.5,
    parent=RunRef("testmo", "A", 1, 2),
)
PROPOSAL = Proposal(
    key="k", verb="close", change=Close(RUN.ref), where="", by="U1", made_at=AT, typed="close A412", run=RUN
)
ENTRY = Entry(
    key="b:1",
    verb="close",
    connection="testmo",
    ref=RUN.ref,
    title="Nightly",
    who="U1",
    who_name="Anna",
    team="T1",
    channel="C1",
    thread="",
    at=AT,
    change=Close(RUN.ref),
    seen=Seen.of(RUN),
    outcome=Ended.DONE,
)
BULK = Bulk(
    key="b",
    words="older than 30 days",
    items=(BulkItem(run=RUN, entry=ENTRY), BulkItem(run=RUN, why="it has a parent")),
    typed="close --older-than 30d",
    made_at=AT,
    by="U1",
    notes=("2 left out",),
)


@given(changes)
@settings(max_examples=150)
def test_a_change_is_the_same_when_it_is_read_back(change: Change) -> None:
    assert packing.unpack_change(packing.pack_change(change)) == change


@given(proposals)
@settings(max_examples=40)
def test_a_proposal_is_the_same_when_it_is_read_back(proposal: Proposal) -> None:
    assert packing.unpack_proposal(packing.pack_proposal(proposal)) == proposal


@given(bulks)
@settings(max_examples=40)
def test_a_bulk_is_the_same_when_it_is_read_back(bulk: Bulk) -> None:
    assert packing.unpack_bulk(packing.pack_bulk(bulk)) == bulk


@given(seens)
@settings(max_examples=40)
def test_what_was_seen_is_the_same_when_it_is_read_back(seen: Seen) -> None:
    assert packing.unpack_seen(packing.pack_seen(seen)) == seen


@given(digests)
@settings(max_examples=100)
def test_a_digests_plan_is_the_same_when_it_is_read_back(plan: DigestPlan) -> None:
    assert packing.unpack_plan(packing.pack_plan(plan)) == plan


@given(some.builds(Tally))
@settings(max_examples=40)
def test_a_tally_is_the_same_when_it_is_read_back(tally: Tally) -> None:
    assert packing.unpack_tally(packing.pack_tally(tally)) == tally


@given(some.lists(some.text()))
@settings(max_examples=40)
def test_words_are_the_same_when_they_are_read_back(words: list[str]) -> None:
    assert packing.unpack_words(packing.pack_words(words)) == words


def test_every_kind_of_change_is_tried_above() -> None:
    assert set(get_args(Change)) == {Close, Start, Edit, Append, Report, Delete}


def test_a_whole_run_with_its_kind_comes_back_with_its_types() -> None:
    read = packing.unpack_proposal(packing.pack_proposal(PROPOSAL))
    assert read == PROPOSAL
    assert read is not None
    assert read.run is not None
    assert (type(read.run.kind.verbs), type(read.run.verdict), type(read.run.tally.other)) == (
        frozenset,
        Outcome,
        tuple,
    )
    assert hash(read.run.kind.verbs) == hash(KIND.verbs)
    assert read.run.state is State.FAILING
    assert packing.unpack_bulk(packing.pack_bulk(BULK)) == BULK


def test_a_mapping_that_is_no_dict_is_kept_too() -> None:
    proposal = replace(PROPOSAL, run=replace(RUN, kind=replace(KIND, cannot=MappingProxyType({"edit": "No."}))))
    assert packing.unpack_proposal(packing.pack_proposal(proposal)) == proposal


def test_nothing_stays_nothing() -> None:
    assert packing.pack_change(None) is None
    assert packing.pack_seen(None) is None
    assert packing.unpack_change(None) is None
    assert packing.unpack_proposal(None) is None


# ── other versions ──


def _no_json(_: Any) -> str:
    return "{not json"


def _no_object(_: Any) -> str:
    return "[1, 2]"


def _nothing_in_it(_: Any) -> str:
    return "null"


def _another_kind_of_change(plain: Any) -> str:
    plain["change"] = {"Reopen": plain["change"]["Close"]}
    return json.dumps(plain)


def _two_changes(plain: Any) -> str:
    plain["change"]["Delete"] = plain["change"]["Close"]
    return json.dumps(plain)


def _a_field_we_do_not_know(plain: Any) -> str:
    return json.dumps({**plain, "sign_off": "U7"})


def _a_change_that_says_more_than_we_know(plain: Any) -> str:
    plain["change"]["Close"]["only_if_green"] = True
    return json.dumps(plain)


def _more_than_we_know_deep_inside(plain: Any) -> str:
    plain["run"]["kind"]["closing"]["sign_off"] = ["U7"]
    return json.dumps(plain)


def _an_outcome_we_do_not_know(plain: Any) -> str:
    plain["run"]["verdict"] = "exploded"
    return json.dumps(plain)


def _something_needed_is_missing(plain: Any) -> str:
    del plain["typed"]
    return json.dumps(plain)


def _a_text_instead_of_a_number(plain: Any) -> str:
    plain["change"]["Close"]["ref"]["id"] = "twelve"
    return json.dumps(plain)


@pytest.mark.parametrize(
    "write",
    [
        _no_json,
        _no_object,
        _nothing_in_it,
        _another_kind_of_change,
        _two_changes,
        _a_field_we_do_not_know,
        _a_change_that_says_more_than_we_know,
        _more_than_we_know_deep_inside,
        _an_outcome_we_do_not_know,
        _something_needed_is_missing,
        _a_text_instead_of_a_number,
    ],
)
def test_a_proposal_that_cannot_be_read_whole_is_none(write: Callable[[Any], str]) -> None:
    assert packing.unpack_proposal(write(json.loads(packing.pack_proposal(PROPOSAL)))) is None


def test_a_proposal_of_an_older_version_that_knew_less_is_read() -> None:
    plain = json.loads(packing.pack_proposal(PROPOSAL))
    del plain["has_form"], plain["run"]["kind"]["closing_thread"], plain["change"]["Close"]["ref"]["thread"]
    read = packing.unpack_proposal(json.dumps(plain))
    assert read is not None
    assert read.change == PROPOSAL.change


PLAN = DigestPlan(
    id="d1",
    team="T1",
    channel="C1",
    name="Nightly",
    owner="U1",
    owner_name="Anna",
    timing=Timing("0 9 * * *", "UTC", "at 09:00"),
    made_at=AT,
)


def _no_plan(_: Any) -> str:
    return '"a text"'


def _a_filter_we_do_not_know(plain: Any) -> str:
    plain["query"]["branch"] = ["main"]
    return json.dumps(plain)


def _a_part_we_do_not_know(plain: Any) -> str:
    return json.dumps({**plain, "what": ["failed", "slow"]})


@pytest.mark.parametrize(
    "write", [_no_json, _no_object, _no_plan, _a_field_we_do_not_know, _a_filter_we_do_not_know, _a_part_we_do_not_know]
)
def test_a_plan_that_cannot_be_read_whole_is_none(write: Callable[[Any], str]) -> None:
    assert packing.unpack_plan(write(json.loads(packing.pack_plan(PLAN)))) is None


def test_a_plan_of_an_older_version_that_knew_less_is_read() -> None:
    plain = json.loads(packing.pack_plan(PLAN))
    del plain["parked"], plain["query"]["set_filter"], plain["automated"]
    assert packing.unpack_plan(json.dumps(plain)) == PLAN


def test_a_bulk_with_one_item_that_cannot_be_read_is_none() -> None:
    plain = json.loads(packing.pack_bulk(BULK))
    plain["items"][0]["entry"]["change"] = {"Reopen": {}}
    assert packing.unpack_bulk(json.dumps(plain)) is None


# ── times and references ──


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        (AT.replace(microsecond=0), AT),
        (AT.replace(microsecond=999_999), AT.replace(microsecond=0) + timedelta(seconds=1)),
        (AT.astimezone(timezone(timedelta(hours=9))), AT + timedelta(microseconds=1)),
        (AT, AT.astimezone(timezone(timedelta(hours=-9))) + timedelta(microseconds=1)),
    ],
)
def test_times_sort_as_their_texts_do_and_come_back(earlier: datetime, later: datetime) -> None:
    assert packing.stamp(earlier) < packing.stamp(later)
    assert datetime.fromisoformat(packing.stamp(earlier)) == earlier


@given(
    some.builds(RunRef, connection=some.from_regex(r"[a-z0-9_-]+", fullmatch=True), letter=some.sampled_from("RAPS"))
)
def test_references_come_back(ref: RunRef) -> None:
    assert packing.unpack_ref(packing.pack_ref(ref)) == ref
