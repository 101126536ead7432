"""What a digest gathers: which runs, what became of their streams, in how few calls, and what is said of the rest."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from bot.domain.digests import DigestNews, DigestPlan, Slot, StreamNews, Timing, Turn
from bot.domain.errors import NoContextError, NotFoundError, OurError, RefusedFault, TooSlowFault, UnavailableFault
from bot.domain.model import Listing, Project, Run
from bot.domain.outcomes import Tally
from bot.domain.queries import RunQuery, Who
from bot.usecases.digests import (
    BATCH,
    LONGEST,
    NAMED,
    NAMED_S,
    SCAN_S,
    STALE_MOST,
    TESTS,
    WHERE_S,
    gather_news,
    past_of,
)
from bot.usecases.systems import Systems
from tests.usecases.world_of_fakes import (
    AUTOMATION,
    NOW,
    FakeConnection,
    FakeHistory,
    a_practitest,
    a_testmo,
    a_testrail,
    at_once,
    check_words,
    down,
)

DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
PLAN = DigestPlan(
    id="p1",
    team="T1",
    channel="C1",
    name="nightly",
    owner="U1",
    owner_name="Ana",
    timing=Timing("0 9 * * *", "UTC", "at 09:00"),
    made_at=NOW - 90 * DAY,
    since=NOW - DAY,
)


async def gathered(
    *connections: FakeConnection, history: FakeHistory | None = None, now: datetime = NOW, **more: Any
) -> DigestNews:
    """Unless another history is given, the digests before have seen all that ended up to the last of them."""
    plan, systems = replace(PLAN, **more), Systems(connections)
    if history is None:
        history = FakeHistory()
        runs = [run for each in connections for run in each.its_runs if run.finished]
        await history.keep([past_of(run) for run in runs if plan.since and _end(run) <= plan.since])
    return await gather_news(plan, Slot("s", now), systems=systems, history=history, now=now)


def _end(run: Run) -> datetime:
    return run.finished_at or run.updated_at or run.created_at


def ran(
    where: FakeConnection,
    number: int,
    *,
    ended: timedelta,
    took: timedelta = 10 * MINUTE,
    letter: str = "A",
    **more: Any,
) -> Run:
    """A run that ended so long ago; `tests` or `tally` as for `add`."""
    at = NOW - ended
    given: dict[str, Any] = {"finished": True, "finished_at": at, "created_at": at - took, **more}
    return where.add(letter, number, **given)


def told(news: DigestNews) -> str:
    """`broke A5, passed A6`."""
    return ", ".join(f"{each.turn} {each.run.ref.short}" for each in news.streams)


def only(news: DigestNews) -> StreamNews:
    (stream,) = news.streams
    return stream


F, P = Tally(passed=1, failed=1), Tally(passed=2)


# ── which runs ──


@pytest.mark.parametrize(
    ("run", "is_told"),
    [
        ({"ended": HOUR}, True),
        ({"ended": HOUR, "tally": P}, True),
        ({"ended": HOUR, "took": 3 * DAY}, True),  # begun long before
        ({"ended": HOUR, "took": 8 * DAY}, False),  # and that is too long for automation
        ({"ended": timedelta()}, True),
        ({"ended": DAY}, False),  # the last one told it
        ({"ended": -MINUTE}, False),  # its clock is ahead: the next one tells it
        ({"ended": HOUR, "finished": False, "finished_at": None}, False),  # never folded into failed
        ({"ended": HOUR, "letter": "R"}, False),  # by hand
    ],
)
async def test_runs_of_testmo_are_told_by_when_they_ended(run: dict[str, Any], is_told: bool) -> None:
    testmo = a_testmo()
    ran(testmo, 1, **{"tally": F, **run})
    history = FakeHistory()
    await history.keep([past_of(each) for each in testmo.its_runs if each.finished_at])  # none was missed
    news = await gathered(testmo, history=history)
    assert (news.runs, len(news.streams)) == (int(is_told), int(is_told))


@pytest.mark.parametrize(
    ("run", "is_told"),
    [
        ({"tally": F}, True),
        ({"tally": P}, True),
        ({"tally": F, "finished": False, "finished_at": None, "updated_at": NOW - HOUR}, True),
        ({"tally": F, "finished": False, "finished_at": None, "updated_at": NOW - HOUR, "took": 20 * DAY}, True),
        ({"tally": F, "finished": False, "finished_at": None, "updated_at": NOW - 2 * DAY, "took": 3 * DAY}, False),
        ({"tally": P, "finished": False, "finished_at": None, "updated_at": NOW - HOUR}, False),
    ],
)
@pytest.mark.parametrize(("system", "letter"), [(a_testrail, "R"), (a_practitest, "S")])
async def test_where_systems_leave_runs_open_those_that_fail_and_moved_are_told(
    system: Callable[[], FakeConnection], letter: str, run: dict[str, Any], is_told: bool
) -> None:
    connection = system()
    ran(connection, 1, letter=letter, **{"ended": HOUR, **run})
    news = await gathered(connection)
    assert len(news.streams) == is_told
    assert all(each.run.kind.automated is None for each in news.streams)  # by this they are marked


async def test_plans_are_not_told_but_their_runs() -> None:
    testrail = a_testrail()
    plan = ran(testrail, 9, letter="P", ended=HOUR, tally=F)
    ran(testrail, 1, letter="R", ended=HOUR, tally=F, parent=plan.ref)
    news = await gathered(testrail)
    assert told(news) == "broke R1"
    assert [letter for letter, _ in testrail.calls("scan")] == ["R"]


ALL = frozenset({"words", "since", "until", "source", "tag", "without_tag", "milestone", "config", "by"})


@pytest.mark.parametrize(
    ("query", "rows"),
    [
        (RunQuery(words=("api",)), "A1"),
        (RunQuery(source=("nightly",)), "A1 A2"),
        (RunQuery(tag=("main",)), "A1 A3"),
        (RunQuery(without_tag=("main",)), "A2"),
        (RunQuery(milestone=("5.2",)), "A2"),
        (RunQuery(config=("Chrome",)), "A3"),
        (RunQuery(by=(Who("ana"),)), "A1"),
        (RunQuery(source=("nightly",), tag=("main",)), "A1"),
        (RunQuery(source=("weekly",)), ""),
        (RunQuery(since=NOW, until=NOW, closed_since=NOW, at_most=1), "A1 A2 A3"),  # times are the digest's own
    ],
)
@pytest.mark.parametrize("what", ["failed", "unfinished", "stale"])
async def test_filters_hold_for_all_that_is_told(query: RunQuery, rows: str, what: str) -> None:
    testmo = a_testmo()
    testmo.kinds = {"A": replace(AUTOMATION, filters=ALL)}
    ended = {"failed": HOUR, "unfinished": 2 * DAY, "stale": 20 * DAY}[what]
    more: dict[str, Any] = {} if what == "failed" else {"finished": False, "finished_at": None}
    one: dict[str, Any] = {"name": "API", "source": "nightly", "tags": ("main",), "by": "ana", "series": "a"}
    ran(testmo, 1, ended=ended, tally=F, **one, **more)
    ran(testmo, 2, ended=ended, tally=F, source="nightly", milestone="5.2", series="b", **more)
    ran(testmo, 3, ended=ended, tally=F, source="ui", tags=("main", "x"), config="Chrome", series="c", **more)
    news = await gathered(testmo, query=query, what=(what,))
    found = {"failed": [each.run for each in news.streams], "unfinished": news.unfinished, "stale": news.stale}[what]
    assert " ".join(sorted(run.ref.short for run in found)) == rows


@pytest.mark.parametrize(
    ("more", "scanned", "where"),
    [
        ({}, "testmo:A testrail:R practitest:S", "Testmo › Webshop · TestRail › Webshop · PractiTest › Webshop"),
        ({"automated": True}, "testmo:A", "Testmo › Webshop"),
        ({"automated": False}, "testmo:R", "Testmo › Webshop"),
        ({"query": RunQuery(source=("nightly",))}, "testmo:A", "Testmo › Webshop"),
        ({"query": RunQuery(milestone=("5.2",))}, "testmo:A testrail:R", "Testmo › Webshop · TestRail › Webshop"),
        ({"connection": "testrail"}, "testrail:R", "TestRail › Webshop"),
        ({"connection": "PractiTest"}, "practitest:S", "PractiTest › Webshop"),
        ({"what": ("unfinished",)}, "testmo:A", "Testmo › Webshop"),
        (
            {"what": ("stale",)},
            "testmo:R testmo:A testrail:R testrail:P practitest:S",
            "Testmo › Webshop · TestRail › Webshop · PractiTest › Webshop",
        ),
        ({"what": ("stale",), "automated": True}, "testmo:A", "Testmo › Webshop"),
        ({"what": ("failed", "unfinished", "stale"), "automated": True}, "testmo:A testmo:A", "Testmo › Webshop"),
    ],
)
async def test_only_kinds_that_may_have_what_is_asked_are_read_each_once(
    more: dict[str, Any], scanned: str, where: str
) -> None:
    everyone = (a_testmo(), a_testrail(), a_practitest())
    news = await gathered(*everyone, **more)
    assert " ".join(f"{each.name}:{letter}" for each in everyone for letter, _ in each.calls("scan")) == scanned
    assert news.where == where
    assert not news.notes


async def test_a_filter_that_nobody_knows_is_said() -> None:
    news = await gathered(a_testrail(), query=RunQuery(source=("nightly",)))
    assert news.notes == ("nothing was looked at: no kind of run here fits what this digest is about",)


async def test_projects_are_looked_up_in_each_connection() -> None:
    testmo = a_testmo(its_projects=(Project(1, "Webshop"), Project(2, "App")))
    testrail = a_testrail()
    ran(testmo, 1, ended=HOUR, tally=F, project=2)
    ran(testmo, 2, ended=HOUR, tally=F)
    news = await gathered(testmo, testrail, project="App")
    assert (told(news), news.where, news.troubles) == ("broke A1", "Testmo › App", ())


# ── streams ──

#: What ended when, as (days ago, outcome), and what is told of the stream.
STORIES = [
    ([(0.1, F)], "broke A1", None),
    ([(3, P), (0.1, F)], "broke A2", False),
    ([(3, F), (0.1, F)], "still failing A2", True),
    ([(3, F), (0.1, P)], "recovered A2", True),
    ([(3, P), (0.1, P)], "passed A2", False),
    ([(0.1, P)], "passed A1", None),
    ([(3, P), (0.3, F), (0.2, F), (0.1, P)], "passed A4", False),  # broke and recovered since
    ([(3, F), (0.3, P), (0.1, F)], "still failing A3", True),
    ([(3, P), (0.3, F), (0.2, P), (0.1, F)], "broke A4", False),
    ([(4, F), (3, P), (0.1, F)], "broke A3", False),
    ([(3, F), *((0.9 - night / 20, F) for night in range(15))], "still failing A16", True),  # more than looked back at
    ([(3, P), *((0.9 - night / 20, F) for night in range(15))], "broke A16", False),
]


@pytest.mark.parametrize(("runs", "words", "before"), STORIES)
@pytest.mark.parametrize("order", [1, -1])
async def test_what_became_of_a_stream_is_told_against_the_time_before(
    runs: list[tuple[float, Tally]], words: str, before: bool | None, order: int
) -> None:
    """In whatever order the runs come in."""
    testmo = a_testmo(backwards=order < 0)
    for number, (days, tally) in enumerate(runs, 1):
        ran(testmo, number, ended=days * DAY, tally=tally)
    news = await gathered(testmo)
    assert (told(news), only(news).before) == (words, before)
    since = [tally for days, tally in runs if days < 1]
    assert (only(news).runs, only(news).failed) == (len(since), since.count(F))


async def test_the_latest_run_is_the_one_that_ended_last() -> None:
    testmo = a_testmo()
    ran(testmo, 1, ended=HOUR, took=9 * HOUR, tally=F)
    ran(testmo, 2, ended=3 * HOUR, tally=P)
    ran(testmo, 3, ended=2 * HOUR, tally=P, finished=False, finished_at=None)
    assert told(await gathered(testmo)) == "broke A1"


async def test_of_runs_that_end_together_the_one_begun_last_counts_in_any_order() -> None:
    for backwards in (False, True):
        testmo = a_testmo(backwards=backwards)
        for number in (1, 2, 3):
            ran(testmo, number, ended=HOUR, took=(4 - number) * HOUR, tally=F if number == 3 else P)
        assert told(await gathered(testmo)) == "broke A3"


async def test_streams_of_the_same_name_in_two_connections_are_two() -> None:
    one, other = a_testmo("web"), a_testmo("app")
    ran(one, 1, ended=3 * DAY, tally=F)
    ran(one, 2, ended=HOUR, tally=F)
    ran(other, 1, ended=3 * DAY, tally=P)
    ran(other, 2, ended=HOUR, tally=F)
    news = await gathered(one, other)
    assert {str(each.run.ref): each.turn for each in news.streams} == {"web:A2": Turn.STILL, "app:A2": Turn.BROKE}


async def test_a_run_that_pages_show_twice_counts_once() -> None:
    testmo = a_testmo()
    run = ran(testmo, 1, ended=HOUR, tally=F)
    testmo.its_runs.append(run)
    news = await gathered(testmo)
    assert (news.runs, only(news).runs) == (1, 1)


async def test_how_long_a_stream_is_broken_is_looked_back_at_as_far_as_it_is_known() -> None:
    testmo, history = a_testmo(), FakeHistory()
    for day in range(1, 50):
        ran(testmo, 100 - day, ended=day * DAY + HOUR, tally=P if day == 41 else F)
    await history.keep([past_of(run) for run in testmo.its_runs])
    ran(testmo, 100, ended=HOUR, tally=F)
    stream = only(await gathered(testmo, history=history))
    assert (stream.turn, stream.broken_for, stream.at_least) == (Turn.STILL, 41, False)
    assert stream.broken_since == NOW - 40 * DAY - HOUR - 10 * MINUTE
    assert [point.ref.id for point in stream.trend] == list(range(91, 101))


async def test_a_trend_tells_states_oldest_first() -> None:
    testmo = a_testmo()
    for number, tally in enumerate([P, F, Tally(passed=1, untested=1), Tally(), P, F], 1):
        ran(testmo, number, ended=(7 - number) * DAY - HOUR, tally=tally)
    stream = only(await gathered(testmo))
    assert " ".join(point.state.value for point in stream.trend) == "passed failed incomplete incomplete passed failed"
    assert [point.rate for point in stream.trend] == [1, 0.5, 1, None, 1, 0.5]


async def test_the_first_digest_says_of_nothing_that_it_was_otherwise_before() -> None:
    testmo = a_testmo()
    ran(testmo, 1, ended=HOUR, tests="a:F b:P")
    ran(testmo, 2, ended=30 * HOUR, tally=F, series="older")
    news = await gathered(testmo, since=None)
    stream = only(news)
    assert (told(news), news.before, news.since) == ("broke A1", None, NOW - DAY)
    assert (stream.before, stream.compared, stream.new, stream.still, stream.fixed) == (None, False, 0, 0, 0)
    assert stream.tests[0].streak is None


@pytest.mark.parametrize(("before", "since"), [(3 * DAY, 3 * DAY), (HOUR, DAY)], ids=["a weekend ago", "an hour ago"])
async def test_the_first_digest_tells_of_a_day_or_of_all_since_the_slot_before(
    before: timedelta, since: timedelta
) -> None:
    testmo = a_testmo()
    ran(testmo, 1, ended=2 * DAY, tally=F)
    plan, systems = replace(PLAN, since=None), Systems([testmo])
    news = await gather_news(plan, Slot("s", NOW), systems=systems, history=FakeHistory(), now=NOW, before=NOW - before)
    assert (news.since, news.runs) == (NOW - since, 1 if since > DAY else 0)


async def test_the_first_digest_knows_what_its_systems_show_of_the_days_before() -> None:
    testmo = a_testmo()
    ran(testmo, 1, ended=3 * DAY, tally=P)
    ran(testmo, 2, ended=HOUR, tests="a:F b:P")
    stream = only(await gathered(testmo, since=None))
    assert (stream.turn, stream.before, stream.new, stream.compared) == (Turn.BROKE, False, 1, True)


async def test_how_many_failed_at_the_last_digest_is_told() -> None:
    testmo = a_testmo()
    for number, (before, now) in enumerate([(F, F), (F, P), (P, F), (P, P)]):
        ran(testmo, number, ended=2 * DAY, tally=before, series=str(number))
        ran(testmo, 10 + number, ended=HOUR, tally=now, series=str(number))
    news = await gathered(testmo)
    assert (news.before, news.count(Turn.BROKE, Turn.STILL), news.passed, news.runs) == (2, 2, 1, 4)


# ── their tests ──


def nightly(*past: str, now: str, **more: Any) -> FakeConnection:
    """A night each, oldest first; the last one has just ended."""
    testmo = a_testmo()
    for number, tests in enumerate((*past, now), 1):
        ran(testmo, number, ended=(len(past) + 1 - number) * DAY + HOUR, tests=tests, **more)
    return testmo


async def every_morning(testmo: FakeConnection, history: FakeHistory) -> DigestNews:
    """A digest after each of the nights; the last one is returned."""
    runs, news = testmo.its_runs, None
    for number in range(1, len(runs) + 1):
        testmo.its_runs = runs[:number]
        now = (runs[number - 1].finished_at or NOW) + HOUR
        news = await gathered(testmo, history=history, now=now, since=now - DAY)
    assert news is not None
    return news


@pytest.mark.parametrize(
    ("past", "now", "counts", "rows"),
    [
        (["a:P b:P"], "a:F b:P", (1, 0, 0, 0), "a 1"),
        (["a:F b:P"], "a:F b:F", (1, 1, 0, 0), "b 1, a 2+"),
        (["a:F b:F"], "a:F b:P", (0, 1, 1, 0), "a 2+"),
        (["a:F b:F"], "a:F", (0, 1, 0, 0), "a 2+"),  # b is not there any more, which mends nothing
        (["a:P", "a:F", "a:F"], "a:F", (0, 1, 0, 0), "a 3"),  # the tests of the clean one were never asked for
        (["x:F a:P", "x:F a:F", "x:F a:P", "x:F a:F"], "x:F a:F", (0, 2, 0, 1), "a 2 flaky, x 5+"),
        (["a:F b:P", "a:F b:F"], "a:F a:P b:F b:F", (0, 2, 0, 0), "b 2, a 3+"),  # there twice: once told
    ],
)
async def test_what_is_new_about_the_tests_is_told_by_what_was_kept(
    past: list[str], now: str, counts: tuple[int, int, int, int], rows: str
) -> None:
    testmo = nightly(*past, now=now)
    stream = only(await every_morning(testmo, FakeHistory()))
    said = [
        f"{row.test.name} {row.streak.runs}{'+' if row.streak.at_least else ''}{' flaky' if row.flaky else ''}"
        for row in stream.tests
        if row.streak
    ]
    assert (", ".join(said), stream.tests_total) == (rows, len(said))
    assert (stream.new, stream.still, stream.fixed, stream.flaky) == counts


async def test_each_failing_stream_costs_one_call_and_the_others_none() -> None:
    testmo = a_testmo()
    for number in range(8):
        ran(testmo, number, ended=HOUR, tests="a:F" if number < 3 else "a:P", series=str(number))
        ran(testmo, 100 + number, ended=2 * HOUR, tests="a:P", series=str(number))
    history = FakeHistory()
    await history.keep([past_of(run) for run in testmo.its_runs])
    await gathered(testmo, history=history, since=NOW - 90 * MINUTE)
    assert sorted(ref.id for ref in testmo.calls("tests")) == [0, 1, 2]
    looks = [what for call, what in history.asked if call == "of"]
    assert len(looks) == 8 + 3  # one for each stream, one more where tests are named
    called = {call for call, _ in testmo.asked}
    assert called == {"projects", "scan", "runs", "runs A", "scan end", "tests"}
    assert len(testmo.calls("scan")) == 1


async def test_a_test_is_called_unseen_only_where_earlier_tests_are_known() -> None:
    clean = only(await every_morning(nightly("a:P", now="a:F"), FakeHistory()))
    named = only(await every_morning(nightly("a:F b:P", now="a:F b:F c:F"), FakeHistory()))
    assert [row.seen for row in clean.tests] == [True]
    assert {row.test.key: row.seen for row in named.tests} == {"a": True, "b": True, "c": False}


async def test_a_base_whose_tests_were_never_read_makes_nothing_new() -> None:
    testmo = a_testmo()
    ran(testmo, 1, ended=2 * DAY, tally=F)
    ran(testmo, 2, ended=HOUR, tests="a:F b:P")
    stream = only(await gathered(testmo))
    assert (stream.turn, stream.compared, stream.new, stream.still, stream.fixed) == (Turn.STILL, False, 0, 0, 0)
    assert (stream.tests[0].streak, stream.tests_total) == (None, 1)


async def test_a_test_that_passed_in_between_is_new_though_its_stream_still_fails() -> None:
    testmo, history = nightly(now="a:F b:F"), FakeHistory()
    await every_morning(testmo, history)
    ran(testmo, 2, ended=30 * MINUTE, tests="a:P b:P")
    ran(testmo, 3, ended=10 * MINUTE, tests="a:F b:P")
    stream = only(await gathered(testmo, history=history, since=NOW - 45 * MINUTE))
    assert (stream.turn, stream.new, stream.still, stream.fixed) == (Turn.STILL, 1, 0, 0)


async def test_what_failed_in_runs_that_were_never_read_does_not_seem_new() -> None:
    testmo = a_testmo()
    ran(testmo, 1, ended=3 * DAY, tally=P)
    ran(testmo, 2, ended=2 * DAY, tally=F)
    ran(testmo, 3, ended=HOUR, tests="a:F b:P")
    stream = only(await gathered(testmo))
    assert (stream.broken_for, stream.compared, stream.new) == (2, False, 0)


async def test_a_run_in_between_that_was_never_read_does_not_hide_what_is_new() -> None:
    testmo, history = nightly(now="a:F b:P"), FakeHistory()
    await every_morning(testmo, history)
    ran(testmo, 2, ended=30 * MINUTE, tally=F)
    ran(testmo, 3, ended=10 * MINUTE, tests="a:F b:F")
    stream = only(await gathered(testmo, history=history, since=NOW - 45 * MINUTE))
    assert (stream.runs, stream.new, stream.still) == (2, 1, 1)


async def test_runs_that_pass_with_tests_that_flip_are_flaky() -> None:
    testmo = nightly(*["a:F b:P", "a:P b:P"] * 3, now="a:P b:P")
    news = await every_morning(testmo, FakeHistory())
    assert (told(news), only(news).flaky) == ("flaky A7", 1)
    assert not news.empty


async def test_unnamed_failures_are_counted_and_not_kept_as_none() -> None:
    testmo, history = a_testmo(), FakeHistory()
    run = ran(testmo, 1, ended=HOUR, tally=Tally(passed=1, failed=7))
    stream = only(await gathered(testmo, history=history))
    assert (stream.unnamed, stream.tests, stream.tests_total) == (7, (), 0)
    assert history.rows[run.ref].failed is None


async def test_tests_that_could_not_all_be_read_are_said_and_not_kept() -> None:
    testmo, history = nightly(now="a:F b:P"), FakeHistory()
    testmo.missing = ("page 2 of 3",)
    news = await gathered(testmo, history=history)
    assert only(news).missing == ("page 2 of 3",)
    assert news.notes == ("testmo: automation runs are partial: page 2 of 3",)
    assert history.rows[testmo.its_runs[0].ref].failed is None


async def test_only_the_most_urgent_streams_are_named() -> None:
    testmo = a_testmo()
    for number in range(NAMED + 3):
        ran(testmo, number, ended=HOUR, tests="a:F", series=str(number))
    news = await gathered(testmo)
    assert len(testmo.calls("tests")) == NAMED
    assert sum(1 for each in news.streams if each.tests) == NAMED
    assert news.notes == (f"the failing tests of the {NAMED} most urgent streams are named, of {NAMED + 3}",)


async def test_of_very_many_failing_tests_some_are_kept_and_all_counted() -> None:
    testmo = a_testmo()
    ran(testmo, 1, ended=HOUR, tests=" ".join(f"t{number}:F" for number in range(TESTS + 50)))
    stream = only(await gathered(testmo))
    assert (len(stream.tests), stream.tests_total) == (TESTS, TESTS + 50)


async def test_owners_and_shared_errors_are_told_over_all_streams() -> None:
    testmo = a_testmo()
    for number in (1, 2):
        ran(testmo, number, ended=HOUR, tests=f"a{number}:F@Ana b{number}:F", series=str(number))
        testmo.named[number] = [replace(each, note=f"Timeout after {number} s") for each in testmo.named[number]]
    news = await gathered(testmo)
    assert news.owners == (("Ana", ("a1", "a2")), ("", ("b1", "b2")))
    assert [(each.words, each.count, each.streams) for each in news.clusters] == [("Timeout after # s", 4, 2)]


def test_tests_that_do_not_come_are_not_waited_for_longer_than_all_of_them_may_take() -> None:
    testmo, testrail = nightly(now="a:F"), a_testrail()
    ran(testmo, 50, ended=HOUR, tests="a:F", series="other")
    ran(testrail, 2, letter="R", ended=HOUR, tests="b:F")
    testmo.hangs.add("tests")
    news, seconds = at_once(gathered(testmo, testrail))
    assert seconds == pytest.approx(NAMED_S)
    assert news.notes == ("the tests of A1 could not be read", "the tests of A50 could not be read")
    assert told(news).count("broke") == 3
    assert sum(each.tests_total for each in news.streams) == 1


# ── open runs ──


@pytest.mark.parametrize(
    ("age", "moved", "took_min", "is_unfinished"),
    [
        (7 * HOUR, None, [], True),
        (5 * HOUR, None, [], False),
        (5 * HOUR, None, [30, 40, 50], True),
        (90 * MINUTE, None, [30, 40, 50], False),
        (50 * MINUTE, None, [5], False),  # an hour at least
        (70 * MINUTE, None, [5], True),
        (70 * MINUTE, None, [5, 5, 600], True),  # one that hung is not the usual
        (70 * MINUTE, 10 * MINUTE, [5], False),  # results still come
        (10 * DAY, None, [30], True),
    ],
)
async def test_runs_that_take_longer_than_usual_are_unfinished_and_not_failed(
    age: timedelta, moved: timedelta | None, took_min: list[int], is_unfinished: bool
) -> None:
    testmo = a_testmo()
    for number, minutes in enumerate(took_min, 1):
        ran(testmo, number, ended=(1 + number) * DAY, took=minutes * MINUTE, tally=P)
    testmo.add("A", 50, created_at=NOW - age, tally=F, updated_at=NOW - moved if moved else None)
    news = await gathered(testmo, what=("failed", "unfinished"))
    assert [run.ref.id for run in news.unfinished] == [50] * is_unfinished
    assert not news.streams


async def test_runs_by_hand_are_never_unfinished() -> None:
    testmo, testrail = a_testmo(), a_testrail()
    testmo.add("R", 1, days_ago=3)
    testrail.add("R", 2, days_ago=3)
    assert (await gathered(testmo, testrail, what=("unfinished",))).unfinished == ()


async def test_what_nobody_asked_for_is_not_told() -> None:
    testmo = a_testmo()
    testmo.add("A", 1, days_ago=3)
    testmo.add("A", 2, days_ago=30)
    ran(testmo, 3, ended=HOUR, tally=F)
    for what in ("failed", "unfinished", "stale"):
        news = await gathered(testmo, what=(what,))
        assert [bool(news.streams), bool(news.unfinished), bool(news.stale)] == [
            what == each for each in ("failed", "unfinished", "stale")
        ]
        assert news.runs == (what == "failed")


async def test_open_runs_of_every_kind_without_a_change_for_two_weeks_are_stale() -> None:
    testmo, testrail, practitest = a_testmo(), a_testrail(), a_practitest()
    testmo.add("R", 1, days_ago=15)
    testmo.add("R", 2, days_ago=13)
    testmo.add("A", 3, days_ago=40)
    testmo.add("A", 4, days_ago=20, finished=True)
    testrail.add("R", 5, days_ago=400)
    testrail.add("R", 6, days_ago=400, updated_at=NOW - 2 * DAY)
    plan = testrail.add("P", 7, days_ago=300)
    testrail.add("R", 8, days_ago=300, parent=plan.ref)  # goes with its plan
    practitest.add("S", 9, days_ago=100, updated_at=NOW - 16 * DAY)
    news = await gathered(testmo, testrail, practitest, what=("stale",))
    assert " ".join(run.ref.short for run in news.stale) == "R5 P7 A3 S9 R1"
    assert not news.notes


async def test_a_run_is_unfinished_or_stale_and_never_both() -> None:
    testmo = a_testmo()
    testmo.add("A", 1, days_ago=14.5)
    news = await gathered(testmo, what=("unfinished", "stale"))
    assert [len(news.unfinished), len(news.stale)] == [1, 0]


async def test_of_very_many_stale_runs_those_left_alone_longest_are_told() -> None:
    testrail = a_testrail()
    for number in range(5 * STALE_MOST):
        testrail.add("R", number, days_ago=20 + (number * 7919) % (5 * STALE_MOST))
    news = await gathered(testrail, what=("stale",))
    ages = [(NOW - run.created_at).days for run in news.stale]
    assert ages == list(range(5 * STALE_MOST + 19, 4 * STALE_MOST + 19, -1))
    assert news.notes == (f"the {STALE_MOST} stale runs that were left alone longest are told, of {5 * STALE_MOST}",)


# ── what goes wrong ──


@pytest.mark.parametrize("call", ["projects", "scan", "runs", "scan end"])
@pytest.mark.parametrize("what", [("failed",), ("failed", "unfinished", "stale")])
def test_a_system_that_hangs_or_fails_is_one_line_and_the_others_are_told(call: str, what: tuple[str, ...]) -> None:
    refused = RefusedFault("TestRail", "TestRail refuses our key.", why="It says so.", fix="Renew it.")
    for error in (down(), refused, None):
        testmo, testrail = nightly(now="a:F"), a_testrail(project=None)
        ran(testrail, 2, letter="R", ended=HOUR, tests="b:F")
        if error is None:
            testrail.hangs.add(call)
        else:
            testrail.errors[call] = error
        news, seconds = at_once(gathered(testmo, testrail, what=what))
        (trouble,) = news.troubles
        assert trouble.connection == "testrail"
        assert trouble.error is error or (error is None and isinstance(trouble.error, TooSlowFault))
        check_words(trouble.error)
        assert "broke A1" in told(news)
        assert ("R2" in told(news)) == (call == "scan end")  # what was read is told
        assert not news.empty
        assert seconds == pytest.approx(0 if error else WHERE_S if call == "projects" else SCAN_S)


def test_when_nobody_answers_that_is_the_digest() -> None:
    testmo, testrail = a_testmo(project=None), a_testrail(project=None)
    testmo.errors["projects"] = down("Testmo")
    testrail.hangs.add("projects")
    news, _ = at_once(gathered(testmo, testrail))
    assert [each.connection for each in news.troubles] == ["testmo", "testrail"]
    assert (news.streams, news.where, news.empty) == ((), "testmo · testrail", False)


async def test_a_name_that_only_one_system_has_is_a_note_and_one_that_nobody_has_a_trouble() -> None:
    lacks = NotFoundError("No source “nightly” in Testmo.", why="It has none.", fix="Name another.")
    web, app = a_testmo("web"), a_testmo("app")
    ran(web, 1, ended=HOUR, tally=F, source="nightly")
    app.errors["scan"] = lacks
    one = await gathered(web, app, query=RunQuery(source=("nightly",)))
    assert (told(one), one.troubles, one.notes) == ("broke A1", (), ("app: No source “nightly” in Testmo.",))
    web.errors["scan"] = lacks
    none = await gathered(web, app, query=RunQuery(source=("nightly",)))
    assert [each.connection for each in none.troubles] == ["web", "app"]
    assert not none.empty


async def test_what_makes_a_digest_senseless_is_raised() -> None:
    with pytest.raises(NotFoundError, match="no connection"):
        await gathered(a_testmo(), connection="testral")
    with pytest.raises(NotFoundError, match="No project"):
        await gathered(a_testmo(), a_testrail(), project="Shop 9")
    with pytest.raises(NoContextError):
        await gathered()


async def test_a_history_that_fails_is_no_fault_of_a_system() -> None:
    history = FakeHistory()
    history.broken.add("keep")
    with pytest.raises(OurError):
        await gathered(nightly(now="a:F"), history=history)


async def test_a_name_of_a_project_that_cannot_be_read_is_its_number() -> None:
    testmo = nightly(now="a:F")
    testmo.errors["projects"] = UnavailableFault("Testmo", "Testmo is down.")
    assert (await gathered(testmo)).where == "Testmo › project 1"


# ── once each ──


async def test_what_a_system_did_not_show_to_the_last_digest_is_told_now_once() -> None:
    testmo, history = nightly(now="a:F"), FakeHistory()
    ran(testmo, 2, ended=30 * HOUR, tally=F, series="weekly")  # the system was down then
    ran(testmo, 3, ended=54 * HOUR, tally=P, series="weekly")
    await history.keep([past_of(testmo.its_runs[2])])
    news = await gathered(testmo, history=history)
    assert {each.run.ref.id: each.turn for each in news.streams} == {1: Turn.BROKE, 2: Turn.BROKE}
    assert (news.belated, news.notes) == (1, ())
    again = await gathered(testmo, history=history, now=NOW + DAY, since=NOW)
    assert (again.streams, again.notes) == ((), ())


async def test_of_a_stream_that_is_told_late_the_time_before_all_of_it_counts() -> None:
    testmo, history = a_testmo(), FakeHistory()
    for number, (hours, tally) in enumerate([(80, P), (50, F), (30, F)], 1):
        ran(testmo, number, ended=hours * HOUR, tally=tally)
    await history.keep([past_of(testmo.its_runs[0])])
    assert told(await gathered(testmo, history=history)) == "broke A3"


async def test_a_clock_that_was_ahead_loses_nothing() -> None:
    """The last digest thought it was tomorrow."""
    testmo, history = a_testmo(), FakeHistory()
    ran(testmo, 1, ended=HOUR, tally=F, series="a")
    ran(testmo, 2, ended=-HOUR, tally=F, series="b")
    first = await gathered(testmo, history=history, since=NOW + DAY)
    second = await gathered(testmo, history=history, since=NOW, now=NOW + DAY)
    assert [told(first), told(second)] == ["broke A1", "broke A2"]


async def test_what_ended_before_a_digest_was_made_is_not_late_for_it() -> None:
    testmo = a_testmo()
    ran(testmo, 1, ended=30 * HOUR, tally=F)
    assert (await gathered(testmo, history=FakeHistory(), made_at=NOW - 29 * HOUR)).runs == 0


async def test_after_a_very_long_pause_only_so_much_is_told() -> None:
    testmo = a_testmo()
    ran(testmo, 1, ended=LONGEST - HOUR, tally=F, series="a")
    ran(testmo, 2, ended=LONGEST + DAY, tally=F, series="b")
    news = await gathered(testmo, history=FakeHistory(), since=NOW - 300 * DAY)
    assert (told(news), news.since) == ("broke A1", NOW - LONGEST)
    assert news.notes == (f"runs that ended more than {LONGEST.days} days ago are left out",)


minutes = some.integers(0, 240)


@settings(max_examples=150, deadline=None)
@given(
    ends=some.lists(some.tuples(minutes, some.integers(0, 90), some.booleans()), max_size=12),
    times=some.lists(some.tuples(minutes, some.booleans(), some.booleans()), min_size=1, max_size=6),
)
def test_every_finished_run_is_told_by_one_digest(
    ends: list[tuple[int, int, bool]], times: list[tuple[int, bool, bool]]
) -> None:
    """Digests at any times, also at the very minute a run ends; some when the system is down, some half read."""
    first, last = min(at for at, *_ in times), 300
    begin = NOW + first * MINUTE
    testmo, history, plan = a_testmo(), FakeHistory(), replace(PLAN, made_at=begin, since=begin)
    for number, (end, took, fails) in enumerate(ends):
        at = NOW + end * MINUTE
        given: dict[str, Any] = {"finished": True, "finished_at": at, "created_at": at - took * MINUTE}
        testmo.add("A", number, tally=F if fails else P, series=str(number), **given)
    everything, counted = testmo.its_runs, 0
    names: list[int] = []

    async def one_day() -> None:
        nonlocal plan, counted
        for at, is_down, is_partial in [*sorted(times), (last, False, False)]:
            now = NOW + at * MINUTE
            testmo.its_runs = [run for run in everything if run.created_at <= now]
            testmo.its_runs = [
                run if run.finished_at and run.finished_at <= now else replace(run, finished=False, finished_at=None)
                for run in testmo.its_runs
            ]
            testmo.errors = {"scan": down("Testmo")} if is_down else {"scan end": down("Testmo")} if is_partial else {}
            if is_partial:
                testmo.its_runs = testmo.its_runs[::2]
            news = await gather_news(plan, Slot("s", now), systems=Systems([testmo]), history=history, now=now)
            names.extend(each.run.ref.id for each in news.streams)
            counted += news.runs
            plan = replace(plan, since=news.read_at)

    at_once(one_day())
    expected = [number for number, (end, *_) in enumerate(ends) if end > first]
    assert sorted(names) == expected
    assert counted == len(expected)


# ── in little memory ──


@dataclass
class Endless(FakeConnection):
    """Shows very many runs that are made on the way; `alive` are the runs in memory, counted now and then."""

    alive: list[int] = field(default_factory=list)

    async def scan(self, letter: str, query: RunQuery, see: Callable[[Run], None]) -> Listing[Run]:
        await self._answer("scan", (letter, query))
        for number in range(20_000):
            at = NOW - timedelta(seconds=number)
            run = self.add(letter, number, finished=True, finished_at=at, created_at=at, series=str(number % 50))
            self.its_runs.clear()
            see(run)
            if number % 100 == 99:  # a page
                for _ in range(5):
                    await asyncio.sleep(0)
            if number % 4000 == 3999:
                self.alive.append(sum(isinstance(each, Run) for each in gc.get_objects()))
        return Listing((), NOW)


async def test_of_very_many_runs_one_of_each_stream_and_a_batch_are_held() -> None:
    before = sum(isinstance(each, Run) for each in gc.get_objects())
    testmo, history = Endless("testmo", "Testmo", {"A": AUTOMATION}), FakeHistory()
    news = await gathered(testmo, history=history)
    assert (news.runs, len(news.streams), len(history.rows)) == (20_000, 50, 20_000)
    assert max(testmo.alive) - before <= 2 * BATCH + 100
    assert max(size for call, size in history.asked if call == "keep") <= BATCH
