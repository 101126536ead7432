"""Lists of runs: of one project, or of every connection at once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from bot.domain.answers import RunList
from bot.domain.errors import NotFoundError, RundownError, SlowDownFault, UnavailableFault
from bot.domain.model import Project
from bot.domain.outcomes import Tally
from bot.domain.queries import RunQuery
from bot.usecases.listing import PAST_ROWS, ListAsk, list_runs
from bot.usecases.ports import ChannelContext
from bot.usecases.systems import Systems
from tests.usecases.world_of_fakes import (
    ASKER,
    HERE,
    NOW,
    FakeConnection,
    FakeRecall,
    a_practitest,
    a_testmo,
    a_testrail,
    check_words,
    context,
    down,
)

OPEN = RunQuery()


async def listed(
    *connections: FakeConnection,
    query: RunQuery = OPEN,
    chosen: ChannelContext | None = None,
    recall: FakeRecall | None = None,
    **ask: Any,
) -> RunList:
    return await list_runs(
        ListAsk(query=query, words="open runs", **ask),
        systems=Systems(connections),
        context=chosen,
        recall=recall or FakeRecall(),
        asker=ASKER,
        now=NOW,
    )


def rows(listing: RunList) -> str:
    return " ".join(str(run.ref) for run in listing.runs)


def world() -> tuple[FakeConnection, FakeConnection]:
    testmo, testrail = a_testmo(), a_testrail()
    testmo.add("A", 1, days_ago=1, tally=Tally(passed=1))
    testmo.add("A", 2, days_ago=2, tally=Tally(failed=1))
    testmo.add("R", 3, days_ago=3, tally=Tally(blocked=1), name="b")
    testrail.add("R", 10, days_ago=4, tally=Tally(failed=7), name="A")
    testrail.add("P", 9, days_ago=4, tally=Tally(untested=7), name="C")
    testrail.add("R", 8, days_ago=5, finished=True)
    testrail.add("R", 7, days_ago=5, project=2)
    return testmo, testrail


@pytest.mark.parametrize(
    ("ask", "refs"),
    [
        ({}, "testrail:R10 testmo:A2 testmo:R3 testmo:A1 testrail:P9"),
        ({"sort": "risk"}, "testrail:R10 testmo:A2 testmo:R3 testmo:A1 testrail:P9"),
        ({"sort": "newest"}, "testmo:A1 testmo:A2 testmo:R3 testrail:R10 testrail:P9"),
        ({"sort": "oldest"}, "testrail:P9 testrail:R10 testmo:R3 testmo:A2 testmo:A1"),
        ({"sort": "name"}, "testrail:R10 testmo:R3 testrail:P9 testmo:A1 testmo:A2"),
        ({"limit": 2}, "testrail:R10 testmo:A2"),
        ({"limit": 2, "sort": "oldest"}, "testrail:P9 testrail:R10"),
        ({"automated": True}, "testmo:A2 testmo:A1"),
        ({"automated": False}, "testmo:R3"),
        ({"connection": "testrail"}, "testrail:R10 testrail:P9"),
        ({"chosen": context("testmo")}, "testmo:A2 testmo:R3 testmo:A1"),
        ({"chosen": context("testmo"), "connection": "all"}, "testrail:R10 testmo:A2 testmo:R3 testmo:A1 testrail:P9"),
        ({"query": RunQuery(state="closed")}, "testrail:R8"),
        (
            {"query": RunQuery(state="all")},
            "testmo:A1 testmo:A2 testmo:R3 testrail:R10 testrail:P9 testrail:R8",
        ),
        ({"query": RunQuery(words=("nightly",))}, "testmo:A2 testmo:A1"),
        ({"query": RunQuery(words=("zzz",))}, ""),
        ({"query": RunQuery(tag=("smoke",))}, "testmo:A2 testmo:R3 testmo:A1"),
        ({"query": RunQuery(source=("ci",))}, "testmo:A2 testmo:A1"),
    ],
)
async def test_runs_are_chosen_and_put_in_order(ask: dict[str, Any], refs: str) -> None:
    assert rows(await listed(*world(), **ask)) == refs


async def test_runs_made_in_the_same_second_are_in_the_order_of_their_numbers() -> None:
    testmo = a_testmo()
    for number in (9, 10, 100):
        testmo.add("A", number, name="Nightly")
    assert rows(await listed(testmo, sort="newest")) == "testmo:A100 testmo:A10 testmo:A9"
    assert rows(await listed(testmo, sort="oldest")) == "testmo:A9 testmo:A10 testmo:A100"
    assert rows(await listed(testmo, sort="name")) == "testmo:A9 testmo:A10 testmo:A100"


@pytest.mark.parametrize(
    ("ask", "at_most"),
    [
        ({}, None),
        ({"limit": 3}, None),  # the riskiest may be the oldest
        ({"limit": 3, "sort": "newest"}, 3),
        ({"limit": 3, "sort": "oldest"}, None),
        ({"query": RunQuery(state="closed")}, PAST_ROWS),
        ({"query": RunQuery(state="all")}, PAST_ROWS),
        ({"query": RunQuery(state="closed"), "sort": "name"}, None),
        ({"query": RunQuery(state="closed"), "limit": 7}, 7),
    ],
)
async def test_a_system_reads_only_as_many_runs_as_are_wanted(ask: dict[str, Any], at_most: int | None) -> None:
    testmo = a_testmo()
    await listed(testmo, **ask)
    assert {(query.project, query.at_most) for _, query in testmo.calls("runs")} == {(1, at_most)}


async def test_lists_of_the_past_end_somewhere_and_lists_of_what_is_open_do_not() -> None:
    testmo = a_testmo()
    for number in range(1, 121):
        testmo.add("A", number, finished=number % 2 == 0)
    assert len((await listed(testmo)).runs) == 60
    past = await listed(testmo, query=RunQuery(state="closed"))
    assert (len(past.runs), past.total) == (PAST_ROWS, 60)


async def test_a_failing_connection_costs_only_its_rows() -> None:
    testmo, testrail = world()
    testrail.errors["runs"] = down()
    listing = await listed(testmo, testrail)
    assert rows(listing) == "testmo:A2 testmo:R3 testmo:A1"
    assert [(trouble.connection, trouble.error.what) for trouble in listing.troubles] == [
        ("testrail", "TestRail is down.")
    ]


async def test_one_kind_that_cannot_be_read_costs_only_its_rows() -> None:
    testmo, testrail = world()
    testrail.errors["runs P"] = down()
    listing = await listed(testmo, testrail)
    assert rows(listing) == "testrail:R10 testmo:A2 testmo:R3 testmo:A1"
    assert len(listing.troubles) == 1


async def test_a_connection_without_a_project_costs_only_its_rows() -> None:
    testmo, testrail = world()
    testrail.project, testrail.its_projects = None, (Project(1, "A"), Project(2, "B"))
    listing = await listed(testmo, testrail)
    assert rows(listing) == "testmo:A2 testmo:R3 testmo:A1"
    assert [trouble.error.what for trouble in listing.troubles] == ["Which project of TestRail?"]


async def test_a_name_that_one_system_does_not_know_is_a_note() -> None:
    testmo, testrail = world()
    testrail.errors["runs"] = NotFoundError("No milestone “5.2” in TestRail.", why="It names 3.", fix="Look at it.")
    listing = await listed(testmo, testrail, query=RunQuery(milestone=("5.2",)))
    assert rows(listing) == "testmo:A2 testmo:R3 testmo:A1"
    assert (listing.notes, listing.troubles) == (("testrail: No milestone “5.2” in TestRail.",), ())


@pytest.mark.parametrize("error", [down(), SlowDownFault("TestRail", "Too many calls.", why="So.", fix="Wait.")])
async def test_when_all_fail_the_first_error_is_the_answer(error: RundownError) -> None:
    testmo, testrail = world()
    testmo.errors["runs"], testrail.errors["runs"] = error, down()
    with pytest.raises(type(error)) as raised:
        await listed(testmo, testrail)
    assert raised.value is error


async def test_when_no_project_can_be_asked_that_is_the_answer() -> None:
    with pytest.raises(UnavailableFault) as raised:
        await listed(a_testrail(project=None, errors={"projects": down()}))
    check_words(raised.value)


@pytest.mark.parametrize(
    ("query", "automated", "notes"),
    [
        (RunQuery(), None, ()),
        (
            RunQuery(source=("ci",)),
            None,
            ("Testmo keeps no source for its runs; they are left out", "TestRail keeps no source for its runs; …"),
        ),
        (
            RunQuery(without_tag=("x",), closed_since=NOW),
            None,
            ("Testmo keeps no closed-since, without-tag for its runs; they are left out",),
        ),
        (RunQuery(), True, ("TestRail does not tell automated runs from manual ones; they are left out",)),
    ],
)
async def test_filters_that_a_system_lacks_are_noted(
    query: RunQuery, automated: bool | None, notes: tuple[str, ...]
) -> None:
    listing = await listed(*world(), query=query, automated=automated)
    for note in notes:
        assert any(said.startswith(note.rstrip("…")) for said in listing.notes), listing.notes
    assert bool(listing.notes) == bool(notes)


async def test_what_was_only_read_in_part_is_noted() -> None:
    listing = await listed(a_testrail(missing=("page 7 of 12",)))
    assert listing.notes == (
        "testrail: runs are partial: page 7 of 12",
        "testrail: plans are partial: page 7 of 12",
    )


async def test_nothing_that_can_be_asked_is_an_empty_list_that_says_why() -> None:
    listing = await listed(a_practitest(), query=RunQuery(tag=("smoke",)))
    assert (listing.runs, listing.notes) == ((), ("PractiTest keeps no tag for its test sets; they are left out",))


@pytest.mark.parametrize(
    ("connections", "several"),
    [((a_testmo(),), False), ((a_testmo(), a_testrail()), True), ((a_testrail("web"), a_testrail("api")), True)],
)
async def test_it_is_told_whether_several_connections_are_listed(
    connections: tuple[FakeConnection, ...], several: bool
) -> None:
    assert (await listed(*connections)).several_connections is several


async def test_the_rows_are_remembered_as_they_are_shown() -> None:
    recall = FakeRecall()
    listing = await listed(*world(), recall=recall, limit=3)
    assert await recall.listed(HERE, "U1") == tuple(run.ref for run in listing.runs)
    assert await recall.listed(HERE, "U2") == ()
    await listed(*world(), recall=recall, query=RunQuery(words=("zzz",)))
    assert await recall.listed(HERE, "U1") == tuple(run.ref for run in listing.runs), "a search in vain takes none away"


async def test_totals_are_what_the_systems_count() -> None:
    assert (await listed(*world(), limit=1)).total == 5


async def test_the_time_of_reading_is_the_oldest_of_all() -> None:
    earlier = NOW - timedelta(seconds=40)
    assert (await listed(a_testmo(read_at=earlier), a_testrail())).read_at == earlier
    assert (await listed(a_practitest(), query=RunQuery(tag=("x",)))).read_at == NOW
