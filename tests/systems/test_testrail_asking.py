"""What goes out to TestRail, call by call, and what comes of its answers; against the sample server and fixtures."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path

import pytest
from aiohttp import web

from bot.domain.errors import (
    AskError,
    CannotError,
    NoContextError,
    NotFoundError,
    RefusedFault,
    RejectedFault,
    SlowDownFault,
    SystemFault,
    UnavailableFault,
    UnreadableFault,
)
from bot.domain.model import Listing, Person, Run, RunRef
from bot.domain.outcomes import Outcome
from bot.domain.queries import ResultQuery, RunQuery, Who
from bot.sandbox.server import SampleServer, running
from bot.sandbox.testrail import TestRail as Sample
from bot.sandbox.testrail import model as stored
from bot.sandbox.testrail.paging import endless_next, same_page_again, with_row, zero_limit_link
from bot.systems import testrail
from bot.systems._pace import Pace
from bot.systems._spec import Account

FIXTURES = Path(__file__).parents[1] / "fixtures" / "testrail"
KEY = "testrail-demo-key"
TABLES = ["get_statuses", "get_users/1", "get_milestones/1", "get_suites/1"]
DAY = timedelta(days=1)


class Shelf(SampleServer):
    """Answers calls (`get_run/81`, filters apart) with fixtures; others with 404."""

    def __init__(self, answers: Mapping[str, str]) -> None:
        super().__init__()
        self.answers = dict(answers)

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/index.php", self._answer)]

    def refuse(self, request: web.Request) -> web.Response | None:
        return None

    async def _answer(self, request: web.Request) -> web.Response:
        call = request.raw_path.partition("?/api/v2/")[2].partition("&")[0]
        name = self.answers.get(call)
        if name is None:
            return web.json_response({"error": f"Unknown method '{call}'"}, status=404)
        body = (FIXTURES / f"{name}.json").read_bytes()
        return web.Response(
            body=body, status=400 if name.startswith("error.") else 200, content_type="application/json"
        )


@asynccontextmanager
async def connected(
    server: SampleServer, *, root: str = "", project: int | None = 1, key: str = KEY
) -> AsyncIterator[testrail.TestRail]:
    """The server listening, and a connection named `tr` to it, without a rate of its own."""
    async with running(server):
        options = {"url": f"{server.url}{root}", "user": "bot@acme.example", "key": key, "project": project}
        connection = testrail.TestRail(Account("tr", options, Pace(None), server.clock.now))
        try:
            yield connection
        finally:
            await connection.close()


@pytest.fixture
async def sample() -> Sample:
    return Sample(admin=True)


def asked(server: SampleServer) -> list[str]:
    """The calls so far, without what all have in common: `get_runs/1&is_completed=0`."""
    assert all(call.method == "GET" and "/index.php?/api/v2/" in call.target for call in server.journal)
    return [call.target.partition("?/api/v2/")[2] for call in server.journal]


def asked_beside_names(server: SampleServer) -> list[str]:
    return [call for call in asked(server) if call not in TABLES]


def short(listing: Listing[Run]) -> list[str]:
    return [run.ref.short for run in listing.items]


def R(number: int) -> RunRef:
    return RunRef("tr", "R", number)


def P(number: int) -> RunRef:
    return RunRef("tr", "P", number)


# -- one run ------------------------------------------------------------------------------------------------------


async def test_a_call_carries_the_key_and_its_content_type(sample: Sample) -> None:
    async with connected(sample) as connection:
        await connection.run(R(118))
    headers = sample.journal[0].headers
    assert headers["Authorization"] == "Basic " + base64.b64encode(f"bot@acme.example:{KEY}".encode()).decode()
    assert headers["Content-Type"] == "application/json"
    assert sample.journal[0].target == "/index.php?/api/v2/get_run/118"


async def test_names_are_read_once_for_many_runs(sample: Sample) -> None:
    async with connected(sample) as connection:
        for number in (118, 81, 118):
            await connection.run(R(number))
    assert sorted(asked(sample)) == sorted([*TABLES, "get_run/118", "get_run/118", "get_run/81"])


async def test_names_are_read_again_after_five_minutes(sample: Sample) -> None:
    async with connected(sample) as connection:
        assert (await connection.run(R(118))).milestone == "5.2"
        sample.store.milestones[7].name = "5.2 LTS"
        assert (await connection.run(R(118))).milestone == "5.2"
        sample.clock.move_to(sample.clock.now() + timedelta(minutes=6))
        assert (await connection.run(R(118))).milestone == "5.2 LTS"


async def test_a_server_below_a_sub_path_works() -> None:
    sample = Sample(root="/testrail")
    async with connected(sample, root="/testrail/") as connection:
        run = await connection.run(R(81))
    assert run.url == f"{sample.web_url}/index.php?/runs/view/81" == sample.row(81)["url"]
    assert sample.journal[0].target == "/testrail/index.php?/api/v2/get_run/81"


async def test_a_run_inside_a_plan_tells_its_plan(sample: Sample) -> None:
    async with connected(sample) as connection:
        run = await connection.run(R(81))
    assert (run.parent, run.config, run.series, run.assignee) == (
        P(80),
        "Firefox, Ubuntu 12",
        "Regression",
        "Ana Kovač",
    )


async def test_a_plan_is_read_with_one_call_and_counts_its_runs(sample: Sample) -> None:
    async with connected(sample) as connection:
        plan = await connection.run(P(80))
        parts = await connection.parts(plan)
    assert asked_beside_names(sample) == ["get_plan/80"]
    assert str(plan.tally) == "9 passed · 2 failed · 1 retest · 4 untested"
    assert (short(parts), parts.total, parts.missing) == (["R81", "R82"], 2, ())
    assert {part.parent for part in parts.items} == {P(80)}


async def test_a_run_has_no_parts_and_that_needs_no_call(sample: Sample) -> None:
    async with connected(sample) as connection:
        run = await connection.run(R(118))
        sample.journal.clear()
        assert (await connection.parts(run)).items == ()
    assert asked(sample) == []


@pytest.mark.parametrize(
    ("ref", "what", "hint"),
    [(R(9999), "No run R9999 in TestRail.", "P9999"), (P(118), "No plan P118 in TestRail.", "R118")],
)
async def test_an_unknown_number_is_the_persons_error(sample: Sample, ref: RunRef, what: str, hint: str) -> None:
    async with connected(sample) as connection:
        for ask in (connection.run(ref), connection.tests(ref), connection.results(ref, ResultQuery())):
            with pytest.raises(NotFoundError) as caught:
                await ask
            assert caught.value.what == what
            assert hint in caught.value.fix


async def test_another_run_than_asked_is_not_shown() -> None:
    async with connected(Shelf({"get_run/5": "get_run.open"})) as connection:
        with pytest.raises(UnreadableFault, match="R5"):
            await connection.run(R(5))


@pytest.mark.parametrize("name", ["get_plan.without_entries", "get_plan.entries_null", "get_plan.empty_entries"])
async def test_a_plan_without_runs_keeps_its_own_counts(name: str) -> None:
    async with connected(Shelf({"get_plan/80": name, "get_suites/1": "get_suites.array"})) as connection:
        assert (await connection.run(P(80))).tally.failed == 2


async def test_bad_and_strange_runs_inside_a_plan_cost_only_themselves() -> None:
    async with connected(Shelf({"get_plan/80": "get_plan.bad_run", "get_suites/1": "get_suites.array"})) as connection:
        plan = await connection.run(P(80))
        parts = await connection.parts(plan)
    assert short(parts) == ["R81"]
    assert parts.missing == plan.missing == ("1 row could not be read", "1 row of another project was left out")


async def test_a_key_that_may_read_only_runs_shows_numbers() -> None:
    shelf = Shelf({"get_run/81": "get_run.open"})
    async with connected(shelf) as connection:
        run = await connection.run(R(81))
        await connection.run(R(81))
    assert (run.by, run.assignee, run.milestone, run.series) == ("user 1", "user 6", "milestone 7", "suite 4")
    assert len([call for call in asked(shelf) if not call.startswith("get_run/")]) == 5  # once


# -- lists of runs ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "runs", "plans"),
    [
        (RunQuery(), "get_runs/1&is_completed=0", "get_plans/1&is_completed=0"),
        (RunQuery(state="closed"), "get_runs/1&is_completed=1", "get_plans/1&is_completed=1"),
        (RunQuery(state="all"), "get_runs/1", "get_plans/1"),
        (
            RunQuery(state="all", since=datetime(2026, 1, 1, tzinfo=UTC), until=datetime(2026, 1, 2, tzinfo=UTC)),
            "get_runs/1&created_after=1767225599&created_before=1767312001",
            "get_plans/1&created_before=1767312001",
        ),
        (
            RunQuery(by=(Who("6"), Who("tom@acme.example"))),
            "get_runs/1&is_completed=0&created_by=6,7",
            "get_plans/1&is_completed=0",
        ),
        (
            RunQuery(milestone=("5.2", "8")),
            "get_runs/1&is_completed=0&milestone_id=7,8",
            "get_plans/1&is_completed=0&milestone_id=7,8",
        ),
        (
            RunQuery(suite=("smoke", "4")),
            "get_runs/1&is_completed=0&suite_id=1,4",
            "get_plans/1&is_completed=0",
        ),
        (
            RunQuery(refs="A&B is_completed=1"),
            "get_runs/1&is_completed=0&refs_filter=A%26B%20is_completed%3D1",
            "get_plans/1&is_completed=0",
        ),
        (RunQuery(words=("smoke",)), "get_runs/1&is_completed=0", "get_plans/1&is_completed=0"),
        (RunQuery(status=("failed",)), "get_runs/1&is_completed=0", "get_plans/1&is_completed=0"),
        (RunQuery(project=2), "get_runs/2&is_completed=0", "get_plans/2&is_completed=0"),
    ],
)
async def test_filters_go_out_where_testrail_has_them(sample: Sample, query: RunQuery, runs: str, plans: str) -> None:
    async with connected(sample) as connection:
        await connection.runs("R", query)
    assert [call for call in asked(sample) if call.startswith("get_runs")] == [runs]
    assert [call for call in asked(sample) if call.startswith("get_plans")] == [plans]


@pytest.mark.parametrize(
    ("query", "call"),
    [
        (RunQuery(), "get_plans/1&is_completed=0"),
        (RunQuery(state="all", by=(Who("Ana Kovač"),), milestone=("5.2",)), "get_plans/1&created_by=6&milestone_id=7"),
        (
            RunQuery(state="closed", since=datetime(2026, 1, 1, tzinfo=UTC), until=datetime(2026, 1, 2, tzinfo=UTC)),
            "get_plans/1&is_completed=1&created_after=1767225599&created_before=1767312001",
        ),
    ],
)
async def test_filters_of_plans_go_out(sample: Sample, query: RunQuery, call: str) -> None:
    async with connected(sample) as connection:
        await connection.runs("P", query)
    assert asked_beside_names(sample) == [call]


def truth(sample: Sample, fits: Callable[[stored.Run], object]) -> set[str]:
    """The runs of project 1 that fit, as the sample keeps them, inside plans or not."""
    return {f"R{run.id}" for run in sample.store.runs.values() if run.project_id == 1 and fits(run)}


@lru_cache(maxsize=64)
def moment_ago(sample: Sample, days: float) -> datetime:
    """The same whenever it is asked for, while the sample's clock goes on."""
    return (sample.clock.now() - days * DAY).replace(microsecond=0)


def ago(sample: Sample, days: float) -> int:
    return int(moment_ago(sample, days).timestamp())


Fits = Callable[[Sample, stored.Run], object]
EVERY_FILTER: list[tuple[str, Callable[[Sample], RunQuery], Fits]] = [
    ("open", lambda s: RunQuery(), lambda s, r: r.completed_on is None),
    ("closed", lambda s: RunQuery(state="closed"), lambda s, r: r.completed_on is not None),
    ("all", lambda s: RunQuery(state="all"), lambda s, r: True),
    (
        "since",
        lambda s: RunQuery(state="all", since=moment_ago(s, 3.5)),
        lambda s, r: r.created_on >= ago(s, 3.5),
    ),
    (
        "until",
        lambda s: RunQuery(state="all", until=moment_ago(s, 3.5)),
        lambda s, r: r.created_on <= ago(s, 3.5),
    ),
    (
        "closed since",
        lambda s: RunQuery(state="closed", closed_since=moment_ago(s, 5.5)),
        lambda s, r: (r.completed_on or 0) >= ago(s, 5.5),
    ),
    (
        "closed until",
        lambda s: RunQuery(state="closed", closed_until=moment_ago(s, 5.5)),
        lambda s, r: r.completed_on is not None and r.completed_on <= ago(s, 5.5),
    ),
    ("by", lambda s: RunQuery(state="all", by=(Who("Max Ngo"),)), lambda s, r: r.created_by == 9),
    ("milestone", lambda s: RunQuery(state="all", milestone=("5.1",)), lambda s, r: r.milestone_id == 6),
    ("suite", lambda s: RunQuery(state="all", suite=("Smoke",)), lambda s, r: r.suite_id == 1),
    ("config", lambda s: RunQuery(state="all", config=("Safari",)), lambda s, r: 3 in r.config_ids),
    (
        "configs",
        lambda s: RunQuery(state="all", config=("Firefox, Ubuntu 12", "8")),
        lambda s, r: {2, 6} <= set(r.config_ids) or 8 in r.config_ids,
    ),
    ("refs", lambda s: RunQuery(state="all", refs="REL-52"), lambda s, r: "REL-52" in (r.refs or "")),
    ("words", lambda s: RunQuery(state="all", words=("DEPLOY", "smoke")), lambda s, r: "deploy" in r.name),
    (
        "failed",
        lambda s: RunQuery(state="all", status=("failed",)),
        lambda s, r: any(test.status_id == 5 for test in s.store.tests_of(r)),
    ),
    (
        "custom status",
        lambda s: RunQuery(state="all", status=("known issue", "blocked")),
        lambda s, r: any(test.status_id in (2, 6) for test in s.store.tests_of(r)),
    ),
    ("several", lambda s: RunQuery(suite=("4",), milestone=("7",), by=(Who("6"),)),
     lambda s, r: (r.suite_id, r.milestone_id, r.created_by, r.completed_on) == (4, 7, 6, None)),
]  # fmt: skip


@pytest.mark.parametrize(("query", "fits"), [each[1:] for each in EVERY_FILTER], ids=[each[0] for each in EVERY_FILTER])
async def test_every_filter_keeps_what_it_should_inside_plans_too(
    sample: Sample, query: Callable[[Sample], RunQuery], fits: Fits
) -> None:
    async with connected(sample) as connection:
        found = await connection.runs("R", query(sample))
    assert set(short(found)) == truth(sample, lambda run: fits(sample, run))
    assert found.missing == ()
    assert found.total == len(found.items) > 0
    assert [run.created_at for run in found.items] == sorted((run.created_at for run in found.items), reverse=True)


@pytest.mark.parametrize(
    ("query", "plans"),
    [
        (RunQuery(), ["P9", "P80"]),
        (RunQuery(state="closed"), ["P70"]),
        (RunQuery(state="all"), ["P9", "P80", "P70"]),
        (RunQuery(state="all", words=("acceptance",)), ["P9", "P70"]),
        (RunQuery(state="all", status=("blocked",)), ["P9"]),
        (RunQuery(state="all", milestone=("5.1",)), ["P70"]),
        (RunQuery(state="all", by=(Who("Rundown"),)), ["P80"]),
        (RunQuery(state="all", at_most=1), ["P9"]),
    ],
)
async def test_lists_plans(sample: Sample, query: RunQuery, plans: list[str]) -> None:
    async with connected(sample) as connection:
        assert short(await connection.runs("P", query)) == plans


async def test_plans_are_found_by_when_they_ended(sample: Sample) -> None:
    now = sample.clock.now()
    async with connected(sample) as connection:
        late = await connection.runs("P", RunQuery(state="closed", closed_since=now - 31 * DAY))
        early = await connection.runs("P", RunQuery(state="closed", closed_until=now - 31 * DAY))
    assert (short(late), short(early)) == (["P70"], [])


@pytest.mark.parametrize(
    ("query", "what", "closest"),
    [
        (RunQuery(milestone=("5.22",)), "No milestone “5.22” in TestRail.", "5.2"),
        (RunQuery(suite=("Regresion",)), "No suite “Regresion” in TestRail.", "Regression"),
        (RunQuery(config=("Chrme",)), "No configuration “Chrme” in TestRail.", "Chrome"),
        (RunQuery(status=("knwon issue",)), "No status “knwon issue” in TestRail.", "Known issue"),
        (RunQuery(by=(Who("Tom Bekcer"),)), "No user “Tom Bekcer” in TestRail.", "Tom Becker"),
    ],
)
async def test_an_unknown_name_is_answered_with_the_closest(
    sample: Sample, query: RunQuery, what: str, closest: str
) -> None:
    async with connected(sample) as connection:
        with pytest.raises(NotFoundError) as caught:
            await connection.runs("R", query)
    assert (caught.value.what, caught.value.closest[0]) == (what, closest)


async def test_an_unknown_project_is_the_persons_error(sample: Sample) -> None:
    async with connected(sample) as connection:
        for letter in "RP":
            with pytest.raises(NotFoundError, match="No project 99 in TestRail"):
                await connection.runs(letter, RunQuery(project=99))


async def test_without_a_project_one_has_to_be_named(sample: Sample) -> None:
    async with connected(sample, project=None) as connection:
        with pytest.raises(NoContextError):
            await connection.runs("R", RunQuery())
        assert short(await connection.runs("R", RunQuery(project=2))) == ["R135"]


async def test_the_newest_runs_need_no_look_into_plans_that_ended_before(sample: Sample) -> None:
    async with connected(sample) as connection:
        found = await connection.runs("R", RunQuery(state="closed", at_most=3))
    assert (short(found), found.total, found.missing) == (["R117", "R116", "R115"], None, ())
    assert asked_beside_names(sample) == ["get_runs/1&is_completed=1", "get_plans/1&is_completed=1"]


def add_plans(sample: Sample, number: int, *, closed: bool, name: str = "Sprint", config: tuple[int, ...] = ()) -> None:
    """Plans P1001, P1002, … of project 1, a day apart, the last one yesterday; run R2001 in P1001 and so on."""
    now = int(sample.clock.now().timestamp())
    for place in range(number):
        begun = now - (number - place) * 86_400
        plan = stored.Plan(1001 + place, 1, f"{name} {place}", begun, 6)
        entry = stored.Entry(f"e{place}", plan.id, 4, "Checkout")
        run = stored.Run(2001 + place, 1, 4, "Checkout", begun, 6, config_ids=config)
        sample.store.plans[plan.id] = plan
        sample.store.enter(plan, entry, run, [4001])
        if closed:
            sample.store.close_plan(plan, begun + 3600)


async def test_runs_inside_too_many_plans_are_left_out_and_said(sample: Sample) -> None:
    add_plans(sample, 24, closed=True)
    async with connected(sample) as connection:
        found = await connection.runs("R", RunQuery(state="closed"))
        assert found.missing == ("runs inside 15 older plans",)
        assert found.total is None
        assert {f"R{2001 + place}" for place in range(14, 24)} <= set(short(found))
        assert len([call for call in asked(sample) if call.startswith("get_plan/")]) == 10
        found = await connection.runs("R", RunQuery(state="closed", since=sample.clock.now() - 15.5 * DAY))
        assert found.missing == ()
        assert len([call for call in asked(sample) if call.startswith("get_plan/")]) == 25


async def test_of_very_many_open_plans_the_newest_twenty_are_opened(sample: Sample) -> None:
    add_plans(sample, 20, closed=False)
    async with connected(sample) as connection:
        found = await connection.runs("R", RunQuery())
    assert found.missing == ("runs inside 2 older plans",)


async def test_a_plan_that_fails_costs_only_its_own_runs(sample: Sample) -> None:
    sample.faults.answer("get_plan/80", 500, '{"error": "Whoops"}')
    async with connected(sample) as connection:
        found = await connection.runs("R", RunQuery())
    assert found.missing == ("the runs of P80",)
    assert "R119" in short(found)
    assert "R81" not in short(found)


async def test_plans_that_cannot_be_listed_cost_only_their_runs(sample: Sample) -> None:
    sample.faults.answer("get_plans", 500, '{"error": "Whoops"}')
    async with connected(sample) as connection:
        found = await connection.runs("R", RunQuery())
    assert found.missing == ("runs inside plans",)
    assert "R118" in short(found)


async def test_runs_of_a_configuration_are_in_plans_only_so_a_refusal_is_told(sample: Sample) -> None:
    async with connected(sample) as connection:
        assert (await connection.runs("R", RunQuery(config=("Firefox",)))).items
        sample.faults.answer("get_plan", 401, '{"error": "Authentication failed"}')
        with pytest.raises(RefusedFault):
            await connection.runs("R", RunQuery(config=("Firefox",)))


async def test_a_part_of_several_configurations_is_put_right_within_the_whole(sample: Sample) -> None:
    async with connected(sample) as connection:
        with pytest.raises(NotFoundError) as caught:
            await connection.runs("R", RunQuery(config=("Firefx, Ubuntu 12",)))
    assert (caught.value.closest[0], caught.value.instead_of) == ("Firefox, Ubuntu 12", "Firefx, Ubuntu 12")


async def test_lists_at_the_same_time_ask_for_names_once(sample: Sample) -> None:
    async with connected(sample) as connection:
        await asyncio.gather(connection.runs("R", RunQuery()), connection.runs("P", RunQuery()))
    assert sorted(call for call in asked(sample) if call in TABLES) == sorted(TABLES)


# -- pages --------------------------------------------------------------------------------------------------------


async def test_ten_thousand_runs_take_forty_one_calls_and_come_once_each(sample: Sample) -> None:
    sample.add_runs(1, 10_000)
    async with connected(sample) as connection:
        found = await connection.runs("R", RunQuery(state="closed"))
    calls = [call for call in asked(sample) if call.startswith("get_runs")]
    assert calls[:2] == ["get_runs/1&is_completed=1", "get_runs/1&is_completed=1&limit=250&offset=249"]
    assert len(calls) == 41
    assert len(set(short(found))) == len(found.items) == found.total == 10_019


@pytest.mark.parametrize("number", [249, 250, 251, 499, 500])
@pytest.mark.parametrize("old", [False, True])
async def test_lists_of_any_length_are_whole_before_and_after_6_7(number: int, old: bool) -> None:
    sample = Sample(old=old)
    before = len([run for run in sample.store.runs.values() if run.project_id == 3])
    sample.add_runs(3, number - before, closed=False)
    async with connected(sample, project=3) as connection:
        found = await connection.runs("R", RunQuery(state="all"))
    assert (len(found.items), found.missing) == (number, ())


async def test_tests_of_a_big_run_come_whole_before_and_after_6_7() -> None:
    for old in (False, True):
        async with connected(Sample(old=old)) as connection:
            found = await connection.tests(R(125), reasons=True)
        assert (len(found.items), found.total, found.missing) == (600, 600, ())


@pytest.mark.parametrize(
    ("name", "runs", "missing"),
    [
        ("get_runs.envelope", ["R2", "R1"], ()),
        ("get_runs.before_6_7", ["R2", "R1"], ()),
        ("get_runs.other_list_in_next", ["R2", "R1"], ()),
        ("get_runs.links_as_list", ["R1"], ()),
        ("get_runs.bad_row", ["R1"], ("1 row could not be read",)),
    ],
)
async def test_reads_envelopes_and_bare_arrays(name: str, runs: list[str], missing: tuple[str, ...]) -> None:
    shelf = Shelf({
        "get_runs/1": name, "get_plans/1": "get_plans.envelope", "get_plan/80": "get_plan.without_entries",
        "get_suites/1": "get_suites.array",
    })  # fmt: skip
    async with connected(shelf) as connection:
        found = await connection.runs("R", RunQuery())
    assert (short(found), found.missing) == (runs, missing)


async def test_an_envelope_without_its_rows_is_not_an_empty_list() -> None:
    async with connected(Shelf({"get_runs/1": "get_runs.without_rows"})) as connection:
        with pytest.raises(UnreadableFault):
            await connection.runs("R", RunQuery())


async def test_a_list_whose_next_link_never_ends_comes_to_an_end(sample: Sample) -> None:
    sample.add_runs(1, 600)
    sample.tricks["get_runs"] = endless_next
    async with connected(sample) as connection:
        found = await connection.runs("R", RunQuery(state="closed"))
    assert (len(found.items), len(set(short(found))), found.missing) == (619, 619, ())
    assert len(sample.calls("get_runs")) == 3


async def test_the_same_page_again_and_again_is_read_twice_and_told(sample: Sample) -> None:
    sample.add_runs(1, 600)
    sample.tricks["get_runs"] = same_page_again
    async with connected(sample) as connection:
        found = await connection.runs("R", RunQuery(state="closed"))
    assert found.missing == ("the same page came again and again",)
    assert len(set(short(found))) == len(found.items) == 252
    assert len(sample.calls("get_runs")) == 2


async def test_the_link_to_the_next_page_is_not_followed(sample: Sample) -> None:
    sample.add_runs(1, 600)
    sample.tricks["get_runs"] = zero_limit_link
    async with connected(sample) as connection:
        found = await connection.runs("R", RunQuery(state="closed"))
    assert (len(found.items), found.missing) == (619, ())


async def test_runs_that_come_while_a_list_is_read_double_nothing(sample: Sample) -> None:
    sample.add_runs(1, 600)
    sample.shift_pages = lambda: sample.add_runs(1, 3)
    async with connected(sample) as connection:
        found = await connection.runs("R", RunQuery(state="closed"))
    assert len(set(short(found))) == len(found.items) >= 619
    assert found.missing == ()


async def test_runs_that_go_while_a_list_is_read_are_told(sample: Sample) -> None:
    newest = sorted(sample.add_runs(1, 600), key=lambda run: run.created_on)
    sample.shift_pages = lambda: sample.remove_run(newest.pop().id)
    async with connected(sample) as connection:
        found = await connection.runs("R", RunQuery(state="closed"))
    assert found.missing == ("the list changed while it was read",)


async def test_rows_of_another_project_are_left_out_and_told(sample: Sample) -> None:
    sample.tricks["get_runs"] = with_row(sample.row(143))
    async with connected(sample) as connection:
        found = await connection.runs("R", RunQuery())
    assert found.missing == ("1 row of another project was left out",)
    assert "R143" not in short(found)


async def test_a_page_that_fails_makes_the_list_partial(sample: Sample) -> None:
    sample.add_runs(1, 600)
    sample.faults.answer("get_runs.*offset=4", 500)
    async with connected(sample) as connection:
        found = await connection.runs("R", RunQuery(state="closed"))
    assert "everything after page 2" in found.missing
    assert found.total is None


# -- streams ------------------------------------------------------------------------------------------------------


async def test_earlier_runs_are_closed_ones_of_the_suite(sample: Sample) -> None:
    async with connected(sample) as connection:
        run = await connection.run(R(118))
        sample.journal.clear()
        found = await connection.earlier(run, 3)
    assert short(found) == ["R117", "R116", "R115"]
    before = int(run.created_at.timestamp())
    assert asked(sample) == [f"get_runs/1&is_completed=1&created_before={before}&suite_id=4"]


async def test_earlier_runs_are_begun_before(sample: Sample) -> None:
    async with connected(sample) as connection:
        found = await connection.earlier(await connection.run(R(109)), 10)
    assert short(found) == ["R108", "R107", "R106"]


async def test_earlier_runs_of_one_inside_a_plan_are_of_its_configuration(sample: Sample) -> None:
    add_plans(sample, 14, closed=True, config=(2, 6))
    async with connected(sample) as connection:
        run = await connection.run(R(81))
        sample.journal.clear()
        found = await connection.earlier(run, 20)
        before = int(run.created_at.timestamp())
        assert asked(sample)[0] == f"get_plans/1&is_completed=1&created_before={before}"
        assert [call.partition("/")[0] for call in asked(sample)[1:]] == ["get_plan"] * 10
    assert short(found) == [f"R{number}" for number in range(2010, 2000, -1)]
    assert {each.config for each in found.items} == {"Firefox, Ubuntu 12"}


async def test_earlier_runs_of_one_inside_a_plan_without_configuration_may_be_in_no_plan(sample: Sample) -> None:
    async with connected(sample) as connection:
        found = await connection.earlier(await connection.run(R(123)), 3)
    assert short(found) == ["R87", "R86", "R85"]


async def test_earlier_plans_have_the_same_name_but_for_numbers(sample: Sample) -> None:
    add_plans(sample, 3, closed=True, name="Release 5.1 acceptance of")
    async with connected(sample) as connection:
        plan = await connection.run(P(9))
        sample.journal.clear()
        assert short(await connection.earlier(plan, 9)) == ["P70"]
    assert asked(sample) == [f"get_plans/1&is_completed=1&created_before={int(plan.created_at.timestamp())}"]


# -- tests --------------------------------------------------------------------------------------------------------


async def test_tests_of_a_run_take_one_call_and_reasons_one_more(sample: Sample) -> None:
    async with connected(sample) as connection:
        await connection.tests(R(118))
        assert asked_beside_names(sample) == ["get_tests/118"]
        sample.journal.clear()
        await connection.tests(R(118), reasons=True)
        assert asked_beside_names(sample) == ["get_tests/118", "get_results_for_run/118&status_id=5"]


async def test_failing_tests_come_with_their_reasons(sample: Sample) -> None:
    async with connected(sample) as connection:
        found = await connection.tests(R(118), reasons=True)
    failing = {test.name: test for test in found.items if test.outcome is Outcome.FAILED}
    told = [test for test in failing.values() if test.note.startswith("The postal code is refused:")]
    assert len(failing) == 3
    assert told[0].note.splitlines()[1:3] == ["- 8010 Graz: no", "- 1010 Wien: yes"]
    assert told[0].elapsed_s == 200.0
    assert {test.defects for test in failing.values()} == {"", "WEB-2291"}
    assert [test.outcome for test in found.items if test.retried] == [Outcome.PASSED]


async def test_the_owner_of_a_test_is_told(sample: Sample) -> None:
    async with connected(sample) as connection:
        found = await connection.tests(R(118))
    left = [test for test in found.items if test.outcome is Outcome.UNTESTED]
    assert {(test.assignee, test.assignee_id) for test in left} == {("Tom Becker", "7")}


async def test_reasons_that_cannot_be_read_cost_only_themselves(sample: Sample) -> None:
    sample.faults.html("get_results_for_run")
    async with connected(sample) as connection:
        found = await connection.tests(R(118), reasons=True)
    assert (len(found.items), found.missing) == (80, ("the reasons of the failures",))


async def test_tests_of_a_plan_are_those_of_its_runs_kept_apart(sample: Sample) -> None:
    async with connected(sample) as connection:
        found = await connection.tests(P(80))
    assert asked_beside_names(sample)[0] == "get_plan/80"
    assert sorted(asked_beside_names(sample)[1:]) == ["get_tests/81", "get_tests/82"]
    assert len({test.key for test in found.items}) == len(found.items) == 16
    assert {test.folder for test in found.items} == {
        "File Formats (Firefox, Ubuntu 12)",
        "File Formats (Chrome, Ubuntu 12)",
    }


async def test_a_run_of_a_plan_that_fails_costs_only_its_own_tests(sample: Sample) -> None:
    sample.faults.answer("get_tests/82", 500)
    async with connected(sample) as connection:
        found = await connection.tests(P(80))
    assert (len(found.items), found.missing, found.total) == (8, ("tests of R82",), None)


async def test_tests_of_another_run_are_left_out(sample: Sample) -> None:
    sample.tricks["get_tests"] = with_row({"id": 1, "run_id": 999, "title": "Secret", "status_id": 5})
    async with connected(sample) as connection:
        found = await connection.tests(R(81))
    assert found.missing == ("1 row of another run was left out",)
    assert "Secret" not in {test.name for test in found.items}


async def test_history_takes_one_call_a_run(sample: Sample) -> None:
    async with connected(sample) as connection:
        runs = [await connection.run(R(number)) for number in (117, 116)]
        sample.journal.clear()
        found = await connection.history(runs)
    assert sorted(asked(sample)) == ["get_tests/116", "get_tests/117"]
    assert [len(each.items) for each in found] == [80, 80]


async def test_a_run_of_history_that_fails_costs_only_itself(sample: Sample) -> None:
    async with connected(sample) as connection:
        runs = [await connection.run(R(number)) for number in (117, 116)]
        sample.remove_run(116)
        good, bad = await connection.history(runs)
    assert (len(good.items), good.missing) == (80, ())
    assert (len(bad.items), bad.partial) == (0, True)


async def test_history_fails_when_nothing_can_be_read(sample: Sample) -> None:
    async with connected(sample) as connection:
        runs = [await connection.run(R(number)) for number in (117, 116)]
        sample.faults.answer("get_tests", 503)
        with pytest.raises(UnavailableFault):
            await connection.history(runs)


# -- results ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "filters"),
    [
        (ResultQuery(), ""),
        (ResultQuery(status=("failed", "Known issue", "blocked")), "&status_id=2,5,6"),
        (ResultQuery(by=(Who("Tom Becker"), Who("8"))), "&created_by=7,8"),
        (ResultQuery(defects="WEB-2291&x"), "&defects_filter=WEB-2291%26x"),
        (
            ResultQuery(since=datetime(2026, 1, 1, tzinfo=UTC), until=datetime(2026, 1, 2, tzinfo=UTC)),
            "&created_after=1767225599&created_before=1767312001",
        ),
        (
            ResultQuery(latest=True, status=("failed",), by=(Who("7"),), since=datetime(2026, 1, 1, tzinfo=UTC)),
            "&created_after=1767225599",
        ),
        (ResultQuery(owner=(Who("7"),), test=("T1",), oldest_first=True, at_most=3), ""),
    ],
)
async def test_filters_of_results_go_out_where_testrail_has_them(
    sample: Sample, query: ResultQuery, filters: str
) -> None:
    async with connected(sample) as connection:
        await connection.results(R(118), query)
    assert asked_beside_names(sample) == ["get_tests/118", f"get_results_for_run/118{filters}"]


def stored_results(sample: Sample, run: int) -> list[tuple[stored.Test, stored.Result]]:
    """Newest first."""
    pairs = [(test, result) for test in sample.tests(run) for result in test.results]
    return sorted(pairs, key=lambda pair: (pair[1].created_on, pair[1].id), reverse=True)


ResultFits = Callable[[Sample, stored.Test, stored.Result], object]
RESULT_FILTERS: list[tuple[str, Callable[[Sample], ResultQuery], ResultFits]] = [
    ("all", lambda s: ResultQuery(), lambda s, t, r: True),
    ("status", lambda s: ResultQuery(status=("failed", "2")), lambda s, t, r: r.status_id in (5, 2)),
    ("latest", lambda s: ResultQuery(latest=True),
     lambda s, t, r: r is [one for one in t.results if one.status_id is not None][-1]),
    ("latest failed", lambda s: ResultQuery(latest=True, status=("failed",)),
     lambda s, t, r: t.status_id == 5 and r is t.results[-1]),
    ("since", lambda s: ResultQuery(since=moment_ago(s, 1 / 12)), lambda s, t, r: r.created_on >= ago(s, 1 / 12)),
    ("until", lambda s: ResultQuery(until=moment_ago(s, 1 / 12)), lambda s, t, r: r.created_on <= ago(s, 1 / 12)),
    ("by", lambda s: ResultQuery(by=(Who("lea@acme.example"),)), lambda s, t, r: r.created_by == 8),
    ("defects", lambda s: ResultQuery(defects="WEB-2291"), lambda s, t, r: r.defects == "WEB-2291"),
    ("test", lambda s: ResultQuery(test=(f"T{s.tests(118)[43].id}",)), lambda s, t, r: t.id == s.tests(118)[43].id),
    ("case", lambda s: ResultQuery(test=("C4044",)), lambda s, t, r: t.case_id == 4044),
    ("title", lambda s: ResultQuery(test=("SIGN IN",)), lambda s, t, r: "sign in" in t.title.casefold()),
    ("nobody's", lambda s: ResultQuery(unassigned=True), lambda s, t, r: t.assignedto_id is None),
]  # fmt: skip


@pytest.mark.parametrize(
    ("query", "fits"), [each[1:] for each in RESULT_FILTERS], ids=[each[0] for each in RESULT_FILTERS]
)
async def test_every_filter_of_results_keeps_what_it_should(
    sample: Sample, query: Callable[[Sample], ResultQuery], fits: ResultFits
) -> None:
    async with connected(sample) as connection:
        found = await connection.results(R(118), query(sample))
    wanted = [
        (test.title, result.created_on) for test, result in stored_results(sample, 118) if fits(sample, test, result)
    ]
    assert [(each.test, int(each.at.timestamp())) for each in found.items] == wanted
    assert found.total == len(wanted) > 0


async def test_results_of_an_owner_are_those_of_the_tests_assigned(sample: Sample) -> None:
    async with connected(sample) as connection:
        mine = await connection.results(R(124), ResultQuery(owner=(Who("Lea Martin"),)))
        none = await connection.results(R(124), ResultQuery(owner=(Who("Tom Becker"),)))
        both = await connection.results(R(124), ResultQuery(owner=(Who("Tom Becker"),), unassigned=True))
    assert (len(mine.items), len(none.items), len(both.items)) == (19, 0, 0)


async def test_results_come_in_the_order_and_number_that_was_asked_for(sample: Sample) -> None:
    every = [test.title for test, _ in stored_results(sample, 118)]
    async with connected(sample) as connection:
        newest = await connection.results(R(118), ResultQuery(at_most=3))
        oldest = await connection.results(R(118), ResultQuery(at_most=3, oldest_first=True))
    assert [each.test for each in newest.items] == every[:3]
    assert [each.test for each in oldest.items] == every[::-1][:3]
    assert newest.total == oldest.total == len(every)


async def test_a_comment_is_a_result_without_an_outcome(sample: Sample) -> None:
    async with connected(sample) as connection:
        found = await connection.results(R(118), ResultQuery())
    talk = [each for each in found.items if each.outcome is None]
    assert [(each.note, each.label, each.by) for each in talk] == [
        ("Looked at it again with Lea: fine.", "", "Tom Becker")
    ]


async def test_an_outcome_that_testrail_does_not_have_has_no_results(sample: Sample) -> None:
    async with connected(sample) as connection:
        found = await connection.results(R(118), ResultQuery(status=("running",)))
    assert (found.items, found.total) == ((), 0)


async def test_results_of_a_plan_are_those_of_its_runs(sample: Sample) -> None:
    async with connected(sample) as connection:
        found = await connection.results(P(80), ResultQuery(at_most=4))
    assert (len(found.items), found.total) == (4, 12)
    assert [each.at for each in found.items] == sorted((each.at for each in found.items), reverse=True)
    assert all(" · " in each.test for each in found.items)


async def test_a_renamed_status_keeps_its_new_label(sample: Sample) -> None:
    sample.rename_status(5, "Broken")
    sample.rename_status(6, "Bug is known")
    async with connected(sample) as connection:
        run = await connection.run(R(124))
        tests = await connection.tests(R(124))
        listed = await connection.runs("R", RunQuery(status=("broken",)))
    assert dict(run.tally.other)["Bug is known"] == 3
    assert {test.label for test in tests.items if test.outcome is Outcome.FAILED} == {"Broken"}
    assert "R124" in short(listed)


# -- people -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("who", "name"),
    [
        (Who("7"), "Tom Becker"),
        (Who("tom@ACME.example"), "Tom Becker"),
        (Who("<@U0TOM00002>", email="tom@acme.example"), "Tom Becker"),
        (Who("tom becker"), "Tom Becker"),
        (Who("Lea"), "Lea Martin"),
        (Who("17"), None),
        (Who("gone@acme.example"), None),
        (Who("Nobody"), None),
        (Who(""), None),
        (Who("99999999999999999999999"), None),
    ],
)
@pytest.mark.parametrize("admin", [True, False])
async def test_finds_people(who: Who, name: str | None, admin: bool) -> None:
    async with connected(Sample(admin=admin)) as connection:
        person = await connection.find_person(who)
    assert (person.name if person else None) == name


async def test_a_name_that_fits_two_people_finds_nobody(sample: Sample) -> None:
    sample.store.users[70] = stored.User(70, "Tom Becker", "tom2@acme.example")
    async with connected(sample) as connection:
        assert await connection.find_person(Who("Tom Becker")) is None
        assert await connection.find_person(Who("tom2@acme.example")) == Person("70", "Tom Becker", "tom2@acme.example")


async def test_keys_that_do_not_administer_ask_for_the_people_of_a_project() -> None:
    sample = Sample(admin=False)
    async with connected(sample) as connection:
        await connection.find_person(Who("Tom Becker"))
        sample.clock.move_to(sample.clock.now() + timedelta(minutes=6))
        await connection.find_person(Who("Tom Becker"))
    assert asked(sample) == ["get_users/1", "get_users/1"]


async def test_without_a_project_of_its_own_it_takes_the_first_it_sees() -> None:
    sample = Sample(admin=False)
    sample.hidden.add(1)
    async with connected(sample, project=None) as connection:
        assert (await connection.find_person(Who("Tom Becker"))) is not None
    assert asked(sample) == ["get_users", "get_projects", "get_users/2"]


async def test_people_may_come_as_array_or_envelope() -> None:
    for name in ("get_users.array", "get_users.envelope"):
        async with connected(Shelf({"get_users": name})) as connection:
            assert (await connection.find_person(Who("8"))) == Person("8", "user 8", "")


async def test_milestones_below_others_have_names_too() -> None:
    shelf = Shelf({
        "get_milestones/1": "get_milestones.nested", "get_suites/1": "get_suites.array",
        "get_runs/1": "get_runs.envelope", "get_plans/1": "get_plans.envelope",
    })  # fmt: skip
    async with connected(shelf) as connection:
        await connection.runs("R", RunQuery(milestone=("5.2 rc",)))
    assert "get_runs/1&is_completed=0&milestone_id=71" in asked(shelf)


async def test_lists_projects(sample: Sample) -> None:
    async with connected(sample) as connection:
        assert [(each.id, each.name) for each in await connection.projects()] == [
            (1, "Webshop"), (2, "Mobile app"), (3, "Back office"),
        ]  # fmt: skip


async def test_there_are_no_threads_and_that_is_said(sample: Sample) -> None:
    async with connected(sample) as connection:
        with pytest.raises(CannotError) as caught:
            await connection.threads(R(118))
    assert caught.value.why == testrail.RUN.cannot["threads"]
    assert sample.journal == []


# -- faults -------------------------------------------------------------------------------------------------------

Spoil = Callable[[Sample], object]
FAULTS: list[tuple[str, Spoil, type[Exception]]] = [
    ("maintenance", lambda s: setattr(s, "maintenance", True), UnavailableFault),
    ("api off", lambda s: setattr(s, "api_disabled", True), RefusedFault),
    ("bad request", lambda s: s.faults.answer("get_", 400, '{"error": "Field :x is bad."}'), RejectedFault),
    ("down", lambda s: s.faults.answer("get_", 503), UnavailableFault),
    ("web page", lambda s: s.faults.html("get_"), UnreadableFault),
    ("web page with 400", lambda s: s.faults.html("get_", status=400), RejectedFault),
    ("cut", lambda s: s.faults.cut("get_", 40), UnreadableFault),
    ("nothing", lambda s: s.faults.answer("get_", 200, b""), UnreadableFault),
    ("another form", lambda s: s.faults.answer("get_", 200, b'"yes"'), UnreadableFault),
    ("elsewhere", lambda s: s.faults.redirect("get_", "https://evil.example/"), UnavailableFault),
    ("broken off", lambda s: s.faults.reset("get_"), UnavailableFault),
    ("slow down", lambda s: s.faults.slow_down("get_", "60"), SlowDownFault),
]


@pytest.mark.parametrize(("spoil", "error"), [each[1:] for each in FAULTS], ids=[each[0] for each in FAULTS])
async def test_faults_are_told_in_their_own_family_and_without_secrets(
    sample: Sample, spoil: Spoil, error: type[SystemFault]
) -> None:
    spoil(sample)
    secret = base64.b64encode(f"bot@acme.example:{KEY}".encode()).decode()
    async with connected(sample) as connection:
        calls: Iterable[Callable[[], object]] = (
            lambda: connection.run(R(118)),
            lambda: connection.runs("R", RunQuery()),
            lambda: connection.tests(R(118)),
        )
        for ask in calls:
            with pytest.raises(error) as caught:
                await ask()  # type: ignore[misc]
            fault = caught.value
            assert fault.what
            assert fault.fix
            assert not any(word in f"{fault} {fault.why} {fault.fix}" for word in (KEY, secret))


async def test_only_what_our_key_may_not_see_counts_as_nothing(sample: Sample) -> None:
    """403 hides names; 401 and 500 are told, whatever was asked for by name."""
    asks: list[Callable[[testrail.TestRail], object]] = [
        lambda connection: connection.find_person(Who("Tom Becker")),
        lambda connection: connection.find_person(Who("gone@acme.example")),
        lambda connection: connection.find_person(Who("17")),
        lambda connection: connection.runs("R", RunQuery(milestone=("5.2",))),
        lambda connection: connection.runs("R", RunQuery(by=(Who("Tom Becker"),))),
    ]
    for ask in asks:
        for status, error in ((401, RefusedFault), (500, UnavailableFault)):
            spoilt = Sample(admin=True)
            spoilt.faults.answer("get_(user|users|milestones|user_by_email)", status, '{"error": "no"}')
            async with connected(spoilt) as connection:
                with pytest.raises(error):
                    await ask(connection)  # type: ignore[misc]
    sample.faults.answer("get_(user|users|milestones|user_by_email)", 403, '{"error": "no"}')
    async with connected(sample) as connection:
        assert await connection.find_person(Who("Tom Becker")) is None
        with pytest.raises(NotFoundError) as caught:
            await connection.runs("R", RunQuery(milestone=("5.2",)))
    assert (caught.value.why, caught.value.fix) == ("Our key can see none.", "Give its number.")


async def test_a_wrong_key_is_refused(sample: Sample) -> None:
    async with connected(sample, key="wrong") as connection:
        with pytest.raises(RefusedFault, match="refuses our key"):
            await connection.run(R(118))


async def test_a_project_without_access_is_refused(sample: Sample) -> None:
    sample.hidden.add(1)
    async with connected(sample) as connection:
        with pytest.raises((RefusedFault, AskError)):
            await connection.runs("R", RunQuery())


async def test_without_seconds_it_holds_still_for_ten(sample: Sample) -> None:
    sample.faults.slow_down("get_run/", None)
    async with connected(sample) as connection:
        with pytest.raises(SlowDownFault) as caught:
            async with asyncio.timeout(5):
                await patient(connection.run(R(118)))
    assert caught.value.retry_at is not None
    assert timedelta(seconds=5) < caught.value.retry_at - sample.clock.now() <= timedelta(seconds=10)


async def patient(ask: object) -> object:
    """Wait for the answer, a second at most."""
    import time

    from bot.usecases.ports import PATIENCE, Patience

    PATIENCE.set(Patience(time.monotonic() + 1.0))
    return await ask  # type: ignore[misc]


async def test_names_are_worth_no_failure(sample: Sample) -> None:
    sample.faults.answer("get_(users|milestones|statuses)", 500)
    async with connected(sample) as connection:
        run = await connection.run(R(124))
        assert (run.by, run.milestone, run.series) == ("user 6", "milestone 7", "Accessibility")
        assert dict(run.tally.other)["status 6"] == 3
        sample.faults.clear()
        assert (await connection.run(R(124))).milestone == "milestone 7"
        sample.clock.move_to(sample.clock.now() + timedelta(seconds=31))
        assert (await connection.run(R(124))).milestone == "5.2"


async def test_names_stay_as_they_were_when_they_cannot_be_read_again(sample: Sample) -> None:
    async with connected(sample) as connection:
        await connection.run(R(124))
        sample.faults.answer("get_(suites|milestones)", 500)
        sample.clock.move_to(sample.clock.now() + timedelta(minutes=6))
        run = await connection.run(R(124))
    assert (run.series, run.milestone) == ("Accessibility", "5.2")


async def test_a_stream_is_never_named_by_chance(sample: Sample) -> None:
    sample.faults.answer("get_suites", 500)
    async with connected(sample) as connection:
        with pytest.raises(UnavailableFault):
            await connection.run(R(124))


async def test_a_filter_by_name_fails_when_the_names_cannot_be_read(sample: Sample) -> None:
    sample.faults.answer("get_milestones", 500)
    async with connected(sample) as connection:
        with pytest.raises(UnavailableFault):
            await connection.runs("R", RunQuery(milestone=("5.2",)))


def test_it_says_of_itself_what_the_settings_need() -> None:
    assert [(option.name, option.required, option.of) for option in testrail.SYSTEM.options] == [
        ("url", True, "url"),
        ("user", True, "text"),
        ("key", True, "secret"),
        ("project", False, "number"),
    ]
    assert testrail.SYSTEM.per_minute == 180
    for kind in testrail.SYSTEM.kinds:
        assert kind.filters <= set(RunQuery.__dataclass_fields__)
        assert not kind.verbs & set(kind.cannot)
