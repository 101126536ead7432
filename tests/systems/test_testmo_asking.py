"""What the connection asks Testmo for, and what it makes of the answers; against the sample server."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from aiohttp import web

from bot.domain.errors import (
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
from bot.domain.model import Run, RunRef
from bot.domain.outcomes import Outcome
from bot.domain.queries import ResultQuery, RunQuery, Who
from bot.domain.streams import stream_of
from bot.sandbox.server import SampleServer, running
from bot.sandbox.testmo import Access
from bot.sandbox.testmo import Testmo as SampleTestmo
from bot.sandbox.testmo.paging import foreign_row, huge_last_page, wrong_total
from bot.systems import system, testmo
from bot.systems._pace import Pace
from bot.systems._spec import Account
from bot.usecases.ports import Connection

FIXTURES = Path(__file__).parent.parent / "fixtures" / "testmo"
DAY = timedelta(days=1)
RUN_EXPANDS = "expands=configs%2Cissues%2Cmilestones%2Cstates%2Cstatuses%2Cusers"
AUTO_EXPANDS = "expands=automation_sources%2Cconfigs%2Cmilestones%2Cstatuses%2Cusers"


def connect(url: str, token: str, now: Callable[[], datetime], project: int | None = 1) -> Connection:
    options = {"url": url, "token": token, "project": project, "close_manual_runs": False}
    return system("testmo").connect(Account("testmo", options, Pace(), now))


@asynccontextmanager
async def sample(*, project: int | None = 1, **options: Any) -> AsyncIterator[tuple[SampleTestmo, Connection]]:
    async with running(server := SampleTestmo(**options)):
        connection = connect(server.url, server.token, server.clock.now, project)
        yield server, connection
        await connection.close()


class Canned(SampleServer):
    """Answers paths below /api/v1 with what a test put into `answers`; anything else is a 404 in HTML."""

    def __init__(self, answers: dict[str, Any]) -> None:
        super().__init__()
        self.answers = answers

    def routes(self) -> list[web.RouteDef]:
        return [web.route("*", "/{path:.*}", self._answer)]

    def refuse(self, request: web.Request) -> web.Response | None:
        return None

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        answer = self.answers.get(request.path.removeprefix("/api/v1"))
        if answer is None:
            return web.Response(status=404, text="<html>nothing here</html>", content_type="text/html")
        return web.json_response(
            json.loads((FIXTURES / f"{answer}.json").read_text()) if isinstance(answer, str) else answer
        )


@asynccontextmanager
async def canned(**answers: Any) -> AsyncIterator[tuple[Canned, Connection]]:
    async with running(server := Canned({path.replace("__", "/"): answer for path, answer in answers.items()})):
        connection = connect(server.url, "secret-token", server.clock.now)
        yield server, connection
        await connection.close()


def asked(server: SampleServer) -> list[tuple[str, dict[str, str]]]:
    """The calls so far as (path below the API, parameters without page, sort, expands and "every result")."""
    calls = []
    for call in server.journal:
        assert call.method == "GET"
        parts = urlsplit(call.target)
        params = dict(parse_qsl(parts.query))
        for usual in ("page", "per_page", "sort", "order", "expands"):
            params.pop(usual, None)
        if params.get("get_latest_result") == "0":
            del params["get_latest_result"]
        calls.append((parts.path.removeprefix("/api/v1"), params))
    return calls


def shorts(runs: tuple[Run, ...]) -> list[str]:
    return [run.ref.short for run in runs]


def stamp(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H%%3A%M%%3A%S}.{at.microsecond // 1000:03d}Z"


# Exact requests.


async def test_the_calls_go_out_as_the_vendors_pages_have_them() -> None:
    async with sample() as (server, connection):
        run = await connection.run(RunRef("testmo", "R", 118))
        auto = await connection.run(RunRef("testmo", "A", 412))
        await connection.projects()
        await connection.runs("R", RunQuery())
        await connection.runs("A", RunQuery(state="all", at_most=20))
        await connection.earlier(run, 5)
        await connection.earlier(auto, 5)
        await connection.results(run.ref, ResultQuery(latest=True, at_most=3))
        assert [f"{call.method} {call.target}" for call in server.journal if "/cases?" not in call.target] == [
            f"GET /api/v1/runs/118?{RUN_EXPANDS}",
            f"GET /api/v1/automation/runs/412?{AUTO_EXPANDS}",
            "GET /api/v1/projects?page=1&per_page=100",
            "GET /api/v1/projects/1/runs?is_closed=0"
            f"&sort=runs%3Acreated_at&order=desc&{RUN_EXPANDS}&page=1&per_page=100",
            "GET /api/v1/projects/1/automation/runs?"
            f"sort=automation_runs%3Acreated_at&order=desc&{AUTO_EXPANDS}&page=1&per_page=25",
            f"GET /api/v1/projects/1/runs?created_before={stamp(run.created_at)}&is_closed=1"
            f"&sort=runs%3Acreated_at&order=desc&{RUN_EXPANDS}&page=1&per_page=100",
            f"GET /api/v1/projects/1/automation/runs?created_before={stamp(auto.created_at)}&source_id={auto.series_id}"
            f"&sort=automation_runs%3Acreated_at&order=desc&{AUTO_EXPANDS}&page=1&per_page=15",
            "GET /api/v1/runs/118/results?sort=run_results%3Acreated_at&order=desc&expands=issues%2Cstatuses%2Cusers"
            "&get_latest_result=1&page=1&per_page=100",
        ]
        assert {call.headers["Authorization"] for call in server.journal} == {"Bearer testmo-demo-token"}


MARCH = datetime(2025, 3, 1, 12, 0, 0, 5_000, tzinfo=UTC)


@pytest.mark.parametrize(
    ("letter", "query", "params"),
    [
        ("R", RunQuery(), {"is_closed": "0"}),
        ("R", RunQuery(state="closed"), {"is_closed": "1"}),
        ("R", RunQuery(state="all"), {}),
        ("R", RunQuery(since=MARCH), {"is_closed": "0", "created_after": "2025-03-01T12:00:00.005Z"}),
        ("R", RunQuery(until=MARCH), {"is_closed": "0", "created_before": "2025-03-01T12:00:00.005Z"}),
        ("R", RunQuery(state="all", closed_since=MARCH), {"closed_after": "2025-03-01T12:00:00.005Z"}),
        ("R", RunQuery(state="all", closed_until=MARCH), {"closed_before": "2025-03-01T12:00:00.005Z"}),
        ("R", RunQuery(state="all", by=(Who("3"), Who("Ana Kovač"))), {"created_by": "3,2"}),
        ("R", RunQuery(state="all", by=(Who("x", email="TOM@acme.example"),)), {"created_by": "3"}),
        ("R", RunQuery(state="all", milestone=("release 8.2", "9")), {"milestone_id": "3,9"}),
        ("R", RunQuery(state="all", config=("Chrome", "Firefox", "77")), {"config_id": "1,2,77"}),
        ("R", RunQuery(state="all", workflow=("In progress",)), {"state_id": "2"}),
        ("R", RunQuery(state="all", workflow=("2",)), {"state_id": "2"}),
        ("R", RunQuery(state="all", tag=("release", "smoke")), {"tags": "release,smoke"}),
        ("R", RunQuery(state="all", tag=("a,b",)), {}),
        ("R", RunQuery(state="all", status=("failed",)), {}),
        ("R", RunQuery(state="all", words=("release",), without_tag=("x",), refs="SHOP"), {}),
        ("A", RunQuery(), {}),
        ("A", RunQuery(state="closed"), {}),
        ("A", RunQuery(since=MARCH), {"created_after": "2025-03-01T12:00:00.005Z"}),
        ("A", RunQuery(until=MARCH, closed_until=MARCH + DAY), {"created_before": "2025-03-01T12:00:00.005Z"}),
        ("A", RunQuery(closed_until=MARCH), {"created_before": "2025-03-01T12:00:00.005Z"}),
        ("A", RunQuery(closed_since=MARCH), {}),
        ("A", RunQuery(by=(Who("1"),)), {"created_by": "1"}),
        ("A", RunQuery(milestone=("Release 8.2",)), {"milestone_id": "3"}),
        ("A", RunQuery(config=("chrome",)), {"config_id": "1"}),
        ("A", RunQuery(source=("nightly-web", "7")), {"source_id": "2,7"}),
        ("A", RunQuery(status=("failed",)), {}),  # also those that fail but are not over: these have another status
        ("A", RunQuery(state="closed", status=("Failure", "3")), {"status": "3"}),
        ("A", RunQuery(state="all", closed_since=MARCH, status=("failed",)), {"status": "3"}),
        ("A", RunQuery(state="closed", status=("passed",)), {}),
        ("A", RunQuery(state="closed", status=("failed", "running")), {}),
        ("A", RunQuery(status=("skipped",)), {}),
        ("A", RunQuery(tag=("nightly",)), {"tags": "nightly"}),
    ],
)
async def test_what_testmo_can_sort_out_is_asked_of_testmo(
    letter: str, query: RunQuery, params: dict[str, str]
) -> None:
    async with sample() as (server, connection):
        await connection.runs(letter, query)
        path, given = asked(server)[-1]
        assert (path, given) == (f"/projects/1{'/automation' if letter == 'A' else ''}/runs", params)
        assert "state" not in given


@pytest.mark.parametrize(
    ("at_most", "query", "size"),
    [
        (None, {}, 100),
        (1, {}, 15),
        (15, {}, 15),
        (16, {}, 25),
        (50, {}, 50),
        (51, {}, 100),
        (3, {"words": ("x",)}, 100),
    ],
)
async def test_pages_are_no_larger_than_needed(at_most: int | None, query: dict[str, Any], size: int) -> None:
    async with sample() as (server, connection):
        await connection.runs("R", RunQuery(state="all", at_most=at_most, **query))
        assert f"per_page={size}" in server.journal[-1].target


# Filters, checked against all runs sorted out by hand.


def _finished_within(run: Run, since: datetime, until: datetime) -> bool:
    return run.finished_at is not None and since <= run.finished_at < until


@pytest.mark.parametrize(
    ("letter", "make", "wanted"),
    [
        ("R", lambda now: RunQuery(), lambda run, now: not run.finished),
        ("R", lambda now: RunQuery(state="closed"), lambda run, now: run.finished),
        ("R", lambda now: RunQuery(state="all", since=now - 4 * DAY), lambda run, now: run.created_at > now - 4 * DAY),
        ("R", lambda now: RunQuery(state="all", until=now - 4 * DAY), lambda run, now: run.created_at < now - 4 * DAY),
        (
            "R",
            lambda now: RunQuery(state="all", closed_since=now - 23 * DAY, closed_until=now - 19 * DAY),
            lambda run, now: _finished_within(run, now - 23 * DAY, now - 19 * DAY),
        ),
        ("R", lambda now: RunQuery(state="all", by=(Who("Tom Becker"),)), lambda run, now: run.by == "Tom Becker"),
        ("R", lambda now: RunQuery(state="all", by=(Who("7"),)), lambda run, now: run.by == "user 7"),
        (
            "R",
            lambda now: RunQuery(state="all", milestone=("Release 8.1",)),
            lambda run, now: run.milestone == "Release 8.1",
        ),
        ("R", lambda now: RunQuery(state="all", config=("FIREFOX",)), lambda run, now: run.config == "Firefox"),
        ("R", lambda now: RunQuery(state="all", workflow=("In review",)), lambda run, now: run.workflow == "In review"),
        ("R", lambda now: RunQuery(state="all", tag=("smoke",)), lambda run, now: "smoke" in run.tags),
        ("R", lambda now: RunQuery(state="all", without_tag=("RELEASE",)), lambda run, now: "release" not in run.tags),
        ("R", lambda now: RunQuery(state="all", refs="shop-1290"), lambda run, now: "SHOP-1290" in run.refs),
        ("R", lambda now: RunQuery(state="all", words=("8.2", "REGR")), lambda run, now: run.ref.id == 118),
        ("R", lambda now: RunQuery(state="all", words=("risk",)), lambda run, now: run.ref.id == 119),
        ("R", lambda now: RunQuery(state="all", status=("failed",)), lambda run, now: run.tally.failed > 0),
        ("R", lambda now: RunQuery(state="all", status=("3",)), lambda run, now: run.tally.failed > 0),
        ("R", lambda now: RunQuery(state="all", status=("blocked",)), lambda run, now: run.tally.blocked > 0),
        ("R", lambda now: RunQuery(state="all", status=("known ISSUE",)), lambda run, now: bool(run.tally.other)),
        ("R", lambda now: RunQuery(state="all", status=("7",)), lambda run, now: bool(run.tally.other)),
        ("R", lambda now: RunQuery(state="all", status=("passed",)), lambda run, now: str(run.state) == "passed"),
        ("R", lambda now: RunQuery(state="all", status=("open",)), lambda run, now: str(run.state) == "open"),
        ("A", lambda now: RunQuery(), lambda run, now: not run.finished),
        ("A", lambda now: RunQuery(state="closed"), lambda run, now: run.finished),
        ("A", lambda now: RunQuery(state="all", since=now - 4 * DAY), lambda run, now: run.created_at > now - 4 * DAY),
        (
            "A",
            lambda now: RunQuery(state="all", closed_since=now - 3 * DAY, closed_until=now - DAY),
            lambda run, now: _finished_within(run, now - 3 * DAY, now - DAY),
        ),
        ("A", lambda now: RunQuery(state="all", by=(Who("Rundown"),)), lambda run, now: run.by == "Rundown"),
        (
            "A",
            lambda now: RunQuery(state="all", milestone=("Release 8.2",)),
            lambda run, now: run.milestone == "Release 8.2",
        ),
        ("A", lambda now: RunQuery(state="all", config=("Chrome",)), lambda run, now: run.config == "Chrome"),
        ("A", lambda now: RunQuery(state="all", source=("Nightly-Web",)), lambda run, now: run.source == "nightly-web"),
        ("A", lambda now: RunQuery(state="all", status=("failed",)), lambda run, now: run.failing),
        (
            "A",
            lambda now: RunQuery(state="closed", status=("failed",)),
            lambda run, now: run.finished and run.verdict is Outcome.FAILED,
        ),
        ("A", lambda now: RunQuery(state="all", status=("2",)), lambda run, now: str(run.state) == "passed"),
        ("A", lambda now: RunQuery(state="all", status=("failing",)), lambda run, now: str(run.state) == "failing"),
        ("A", lambda now: RunQuery(state="all", status=("skipped",)), lambda run, now: run.tally.skipped > 0),
        ("A", lambda now: RunQuery(state="all", tag=("api",)), lambda run, now: "api" in run.tags),
        ("A", lambda now: RunQuery(state="all", without_tag=("api",)), lambda run, now: "api" not in run.tags),
        ("A", lambda now: RunQuery(state="all", words=("nightly-w",)), lambda run, now: run.source == "nightly-web"),
        ("A", lambda now: RunQuery(state="all", words=("API", "#25")), lambda run, now: "API contract #25" in run.name),
    ],
)
async def test_every_filter_keeps_just_the_runs_that_are_meant(
    letter: str, make: Callable[[datetime], RunQuery], wanted: Callable[[Run, datetime], bool]
) -> None:
    async with sample() as (server, connection):
        now = server.clock.now()
        every = (await connection.runs(letter, RunQuery(state="all"))).items
        found = await connection.runs(letter, make(now))
        assert shorts(found.items) == shorts(tuple(run for run in every if wanted(run, now)))
        assert (found.total, found.missing) == (len(found.items), ())
        assert 0 < len(found.items) < len(every) or make(now).by


@pytest.mark.parametrize(
    ("letter", "query", "noun", "closest"),
    [
        ("R", RunQuery(milestone=("Relase 8.2",)), "milestone “Relase 8.2”", "Release 8.2"),
        ("R", RunQuery(config=("Chrom",)), "configuration “Chrom”", "Chrome"),
        ("R", RunQuery(workflow=("in progres",)), "workflow state “in progres”", "In progress"),
        ("R", RunQuery(by=(Who("Ana Kovac"),)), "user “Ana Kovac”", "Ana Kovač"),
        ("R", RunQuery(status=("know issue",)), "status “know issue”", "Known issue"),
        ("R", RunQuery(status=("99",)), "status “99”", None),
        ("A", RunQuery(source=("nightlyweb",)), "source “nightlyweb”", "nightly-web"),
        ("A", RunQuery(status=("faild",)), "status “faild”", "failed"),
    ],
)
async def test_a_name_that_is_not_there_is_an_error_with_the_closest(
    letter: str, query: RunQuery, noun: str, closest: str | None
) -> None:
    async with sample() as (_, connection):
        with pytest.raises(NotFoundError) as caught:
            await connection.runs(letter, query)
        assert caught.value.what == f"No {noun} in Testmo."
        assert caught.value.why
        assert caught.value.fix
        assert caught.value.closest[:1] == (() if closest is None else (closest,))


async def test_names_are_looked_up_once_in_five_minutes() -> None:
    async with sample() as (server, connection):
        for _ in range(3):
            await connection.runs("A", RunQuery(source=("nightly-web",), milestone=("Release 8.2",)))
        assert [path for path, _ in asked(server)].count("/projects/1/automation/sources") == 1
        server.clock.move_to(server.clock.now() + timedelta(minutes=6))
        await connection.runs("A", RunQuery(source=("nightly-web",)))
        assert [path for path, _ in asked(server)].count("/projects/1/automation/sources") == 2
        assert [path for path, _ in asked(server)].count("/projects/1/milestones") == 1


async def test_without_a_project_the_person_has_to_name_one() -> None:
    async with sample(project=None) as (server, connection):
        with pytest.raises(NoContextError):
            await connection.runs("R", RunQuery())
        assert server.journal == []
        assert shorts((await connection.runs("R", RunQuery(project=3))).items) == ["R116"]


# Lists: pages, lies.


async def test_all_pages_are_read_each_row_once() -> None:
    async with sample(project=2) as (server, connection):
        server.add_runs(2, 320)
        found = await connection.runs("A", RunQuery(state="all", source=("synthetic",)))
        assert (len(found.items), found.total, found.missing) == (320, 320, ())
        assert len(server.calls("/projects/2/automation/runs")) == 4
        assert [run.created_at for run in found.items] == sorted((run.created_at for run in found.items), reverse=True)


async def test_reading_stops_when_enough_runs_are_found() -> None:
    async with sample(project=2) as (server, connection):
        server.add_runs(2, 320)
        found = await connection.runs("A", RunQuery(state="closed", at_most=7))
        assert len(found.items) == 7
        assert len(server.calls("/projects/2/automation/runs")) == 1


async def test_a_row_of_another_project_is_left_out_and_said() -> None:
    async with sample() as (server, connection):
        server.lies.append(foreign_row)
        for letter, query in (
            ("R", RunQuery(state="all")),
            ("A", RunQuery(state="all")),
            ("A", RunQuery(state="closed")),
        ):
            found = await connection.runs(letter, query)
            assert found.missing == ("1 row of another project was left out",)
            assert {run.project for run in found.items} == {1}
            assert found.total == len(found.items)


async def test_a_total_that_is_wrong_makes_the_list_partial() -> None:
    async with sample() as (server, connection):
        server.lies.append(wrong_total)
        assert (await connection.runs("R", RunQuery())).partial


async def test_a_last_page_beyond_all_reason_ends_somewhere() -> None:
    async with sample() as (server, connection):
        server.lies.append(huge_last_page)
        run = await connection.run(RunRef("testmo", "A", 412))
        found = await connection.earlier(run, 300)
        assert "runs older than the latest 1,000" in found.missing
        assert len(server.calls("/projects/1/automation/runs")) <= 10


async def test_a_page_that_fails_is_named() -> None:
    async with sample(project=2) as (server, connection):
        server.add_runs(2, 320)
        server.faults.answer(r"automation/runs\?.*page=3&", 422)
        found = await connection.runs("A", RunQuery(state="all"))
        assert found.missing == ("page 3 of 4",)


async def test_a_row_that_cannot_be_read_costs_only_itself() -> None:
    async with canned(__projects__1__runs="runs.bad_row") as (_, connection):
        found = await connection.runs("R", RunQuery(state="all"))
        assert (shorts(found.items), found.missing) == (["R1", "R2"], ("1 row could not be read",))


async def test_an_empty_list_has_no_page_numbers() -> None:
    async with canned(__projects__1__runs="runs.empty") as (_, connection):
        found = await connection.runs("R", RunQuery())
        assert (found.items, found.total, found.missing) == ((), 0, ())


@pytest.mark.parametrize(
    "expands", [[], {}, None, "none", {"users": None, "statuses": {}, "configs": [7, {"id": "x"}], "states": "?"}]
)
async def test_names_that_cannot_be_read_cost_only_themselves(expands: Any) -> None:
    answer = json.loads((FIXTURES / "run.full.json").read_text()) | {"expands": expands}
    async with canned(__runs__118=answer) as (_, connection):
        run = await connection.run(RunRef("testmo", "R", 118))
        assert (run.by, run.config, run.tally.blocked) == ("user 2", "config 3", 3)


# One run, its stream.


async def test_an_unknown_run_is_not_found_whatever_is_asked_of_it() -> None:
    async with sample() as (_, connection):
        asks = [
            connection.run(RunRef("testmo", "R", 9999)),
            connection.tests(RunRef("testmo", "R", 9999)),
            connection.results(RunRef("testmo", "R", 9999), ResultQuery()),
            connection.run(RunRef("testmo", "A", 9999)),
            connection.tests(RunRef("testmo", "A", 9999)),
            connection.threads(RunRef("testmo", "A", 9999)),
            connection.tests(RunRef("testmo", "A", 9999, 2)),
            connection.results(RunRef("testmo", "A", 9999), ResultQuery()),
        ]
        for number, ask in enumerate(asks):
            with pytest.raises(NotFoundError) as caught:
                await ask
            assert caught.value.what == f"No run {'R' if number < 3 else 'A'}9999 in Testmo."
            assert caught.value.why
            assert caught.value.fix


async def test_a_letter_that_testmo_does_not_have_is_not_found() -> None:
    async with sample() as (server, connection):
        for ask in (
            connection.run(RunRef("testmo", "P", 1)),
            connection.runs("S", RunQuery()),
            connection.tests(RunRef("testmo", "S", 1)),
        ):
            with pytest.raises(NotFoundError):
                await ask
        assert server.journal == []


async def test_an_answer_of_another_run_is_never_shown() -> None:
    async with canned(__runs__117="run.full") as (_, connection):
        with pytest.raises(UnreadableFault):
            await connection.run(RunRef("testmo", "R", 117))


async def test_earlier_runs_are_the_finished_ones_of_the_same_stream() -> None:
    async with sample() as (_server, connection):
        run = await connection.run(RunRef("testmo", "A", 412))
        found = await connection.earlier(run, 5)
        every = (await connection.runs("A", RunQuery(state="all"))).items
        same = [each for each in every if stream_of(each) == stream_of(run) and each.created_at < run.created_at]
        assert shorts(found.items) == [each.ref.short for each in same if each.finished][:5]
        assert (len(found.items), found.missing) == (5, ())
        assert (await connection.earlier(run, 0)).items == ()


async def test_earlier_manual_runs_have_the_same_name_but_for_numbers() -> None:
    rows = json.loads((FIXTURES / "runs.page.json").read_text())
    closed = rows["result"][1]
    names = ["Regression 8.2.0", "Smoke 8.1.9", "Regression 8.1.9", "regression 7.0", "Regression, old"]
    rows["result"] = [closed | {"id": 50 - place, "name": name} for place, name in enumerate(names)]
    rows |= {"next_page": None, "last_page": 1, "total": len(names)}
    async with canned(__projects__1__runs=rows, __runs__50={"result": rows["result"][0], "expands": []}) as (
        _,
        connection,
    ):
        run = await connection.run(RunRef("testmo", "R", 50))
        assert shorts((await connection.earlier(run, 9)).items) == ["R48", "R47"]
        assert shorts((await connection.earlier(run, 1)).items) == ["R48"]


async def test_threads_of_an_automation_run() -> None:
    async with sample() as (_, connection):
        threads = await connection.threads(RunRef("testmo", "A", 412))
        assert [thread.index for thread in threads] == [1, 2, 3, 4]
        run = await connection.run(RunRef("testmo", "A", 412))
        assert sum(thread.tally.failed for thread in threads) == run.tally.failed
        assert await connection.threads(RunRef("testmo", "R", 118)) == ()
        assert (await connection.parts(run)).items == ()


# Tests.


async def test_tests_of_an_automation_run_take_two_calls() -> None:
    async with sample() as (server, connection):
        found = await connection.tests(RunRef("testmo", "A", 412), reasons=True)
        assert sorted(path for path, _ in asked(server)) == ["/automation/runs/412", "/automation/runs/412/tests"]
        failed = [test for test in found.items if test.outcome is Outcome.FAILED]
        assert failed
        assert all(test.name and test.note and test.thread and test.folder for test in failed)
        assert all("<" not in test.note or "Error" in test.note for test in failed)
        assert {test.label for test in found.items} == {"passed", "failed", "skipped"}
        assert any(test.retried for test in found.items)
        assert (found.total, found.missing) == (len(found.items), ())


async def test_tests_of_a_thread_are_that_threads_only() -> None:
    async with sample() as (server, connection):
        every = (await connection.tests(RunRef("testmo", "A", 412))).items
        threads = await connection.threads(RunRef("testmo", "A", 412))
        found = await connection.tests(RunRef("testmo", "A", 412, 3))
        assert asked(server)[-1] == ("/automation/runs/412/tests", {"thread_id": str(threads[2].id)})
        assert {test.thread for test in found.items} == {3}
        assert {test.key for test in every if test.thread == 3} <= {test.key for test in found.items}
        with pytest.raises(NotFoundError, match=r"No thread A412/9 in Testmo\."):
            await connection.tests(RunRef("testmo", "A", 412, 9))


async def test_a_testmo_that_does_not_name_automation_tests_is_asked_only_now_and_then() -> None:
    async with sample(run_tests=False) as (server, connection):
        run = await connection.run(RunRef("testmo", "A", 412))
        for _ in range(2):
            found = await connection.tests(run.ref)
            assert (found.items, found.missing) == ((), (testmo.UNNAMED,))
        assert (await connection.tests(RunRef("testmo", "A", 412, 2))).missing == (testmo.UNNAMED,)
        assert [each.missing for each in await connection.history((run, run))] == [(testmo.UNNAMED,)] * 2
        assert (await connection.results(run.ref, ResultQuery())).missing == (testmo.UNNAMED,)
        assert len(server.calls("/tests")) == 1


async def test_the_tests_of_a_large_automation_run_come_in_pages_of_a_thousand() -> None:
    async with sample(project=2) as (server, connection):
        run = server.start_run(2, "bulk", "Bulk")
        server.add_tests(run.id, [(f"test {number}", "passed") for number in range(2_300)])
        found = await connection.tests(RunRef("testmo", "A", run.id))
        assert (len(found.items), found.missing) == (2_300, ())
        pages = [call.target.rpartition("desc&")[2] for call in server.calls("/tests")]
        assert sorted(pages) == [f"page={number}&per_page=1000" for number in (1, 2, 3)]


async def test_tests_of_a_manual_run_are_its_latest_results_with_the_names_of_the_cases() -> None:
    async with sample() as (server, connection):
        run = await connection.run(RunRef("testmo", "R", 118))
        found = await connection.tests(run.ref)
        assert asked(server)[1] == ("/runs/118/results", {"get_latest_result": "1"})
        assert len(found.items) == run.tally.total - run.tally.untested
        assert not any(test.name.startswith("case ") for test in found.items)
        assert {test.folder for test in found.items} == {""}
        assert {(test.note, test.retried) for test in found.items} == {("", False)}
        by_outcome = [test.outcome for test in found.items]
        assert by_outcome.count(Outcome.FAILED) == run.tally.failed
        assert by_outcome.count(Outcome.OTHER) == 2
        assert {test.label for test in found.items if test.outcome is Outcome.OTHER} == {"Known issue"}


async def test_reasons_of_a_manual_run_come_from_all_its_results() -> None:
    async with sample() as (server, connection):
        found = await connection.tests(RunRef("testmo", "R", 118), reasons=True)
        assert asked(server)[0] == ("/runs/118/results", {})
        assert any(test.retried for test in found.items)
        assert any(test.defects for test in found.items)
        notes = [test.note for test in found.items if test.outcome is Outcome.FAILED and test.note]
        assert notes
        assert not any("<p>" in note for note in notes)
        plain = await connection.tests(RunRef("testmo", "R", 118))
        assert {(test.key, test.outcome) for test in plain.items} == {(test.key, test.outcome) for test in found.items}


async def test_names_of_cases_are_read_once_and_no_further_than_needed() -> None:
    async with sample() as (server, connection):
        await connection.tests(RunRef("testmo", "R", 118))
        pages = len(server.calls("/cases"))
        await connection.tests(RunRef("testmo", "R", 118), reasons=True)
        await connection.tests(RunRef("testmo", "R", 117))
        assert len(server.calls("/cases")) == pages


async def test_a_case_that_is_gone_is_told_by_its_number_and_not_looked_for_again() -> None:
    async with sample() as (server, connection):
        gone = next(iter(server.store.manual_runs[117].tests.values()))
        del server.store.cases[gone]
        for _ in range(2):
            found = await connection.tests(RunRef("testmo", "R", 117))
            assert [test.name for test in found.items if test.name.startswith("case ")] == [f"case {gone}"]
            assert found.missing == ()
        assert len(server.calls(r"/cases\?page=1&")) == 1


@pytest.mark.parametrize("status", [403, 404, 422])
async def test_without_the_names_of_cases_tests_are_still_told(status: int) -> None:
    async with sample() as (server, connection):
        server.faults.answer("/cases", status)
        found = await connection.tests(RunRef("testmo", "R", 117))
        assert found.missing == ("the names of the cases",)
        assert {test.name for test in found.items} == {f"case {test.key}" for test in found.items}
        results = await connection.results(RunRef("testmo", "R", 117), ResultQuery())
        assert results.missing == ("the names of the cases",)


async def test_a_page_of_cases_that_fails_is_said() -> None:
    async with sample() as (server, connection):
        server.faults.answer(r"/cases\?page=4&", 422)
        found = await connection.tests(RunRef("testmo", "R", 117))
        assert found.missing in (("the names of the cases",), ("the names of some cases",))
        assert any(test.name == f"case {test.key}" for test in found.items)


async def test_a_status_that_is_none_is_an_error_with_the_closest() -> None:
    async with sample() as (_, connection):
        for letter, number in (("A", 412), ("R", 118)):
            assert await connection.results(RunRef("testmo", letter, number), ResultQuery(status=("known issue",)))
            with pytest.raises(NotFoundError) as caught:
                await connection.results(RunRef("testmo", letter, number), ResultQuery(status=("faild",)))
            assert caught.value.closest[:1] == ("failed",)


async def test_history_takes_one_call_for_each_run() -> None:
    async with sample() as (server, connection):
        run = await connection.run(RunRef("testmo", "A", 412))
        earlier = (await connection.earlier(run, 4)).items
        server.journal.clear()
        past = await connection.history(earlier)
        assert sorted(path for path, _ in asked(server)) == sorted(
            f"/automation/runs/{each.ref.id}/tests" for each in earlier
        )
        for each, tests in zip(earlier, past, strict=True):
            again = await connection.tests(each.ref)
            assert {(test.key, test.outcome) for test in tests.items} == {
                (test.key, test.outcome) for test in again.items
            }
        assert await connection.history(()) == ()


async def test_history_of_manual_runs_reads_the_cases_once() -> None:
    async with sample() as (server, connection):
        runs = [await connection.run(RunRef("testmo", "R", number)) for number in (118, 117, 105)]
        server.journal.clear()
        past = await connection.history(runs)
        assert len(server.calls(r"/cases\?page=1&")) == 1
        assert [len(each.items) for each in past] == [run.tally.total - run.tally.untested for run in runs]


async def test_a_run_of_the_history_that_cannot_be_read_costs_only_itself() -> None:
    async with sample() as (server, connection):
        runs = [await connection.run(RunRef("testmo", "A", number)) for number in (412, 404)]
        server.faults.answer("/automation/runs/404/tests", 403)
        good, bad = await connection.history(runs)
        assert (bool(good.items), good.missing) == (True, ())
        assert (bad.items, bad.missing) == ((), ("the tests of A404",))
        server.faults.answer("/automation/runs/412/tests", 403)
        with pytest.raises(RefusedFault):
            await connection.history(runs)


# Results.


@pytest.mark.parametrize(
    ("query", "params"),
    [
        (ResultQuery(), {}),
        (ResultQuery(latest=True), {"get_latest_result": "1"}),
        (
            ResultQuery(since=MARCH, until=MARCH + DAY),
            {
                "created_after": "2025-03-01T12:00:00.005Z",
                "created_before": "2025-03-02T12:00:00.005Z",
            },
        ),
        (ResultQuery(by=(Who("Lea Martin"), Who("5"))), {"created_by": "4,5"}),
        (ResultQuery(owner=(Who("Max Ngo"),)), {"assignee_id": "5"}),
        (ResultQuery(unassigned=True), {"assignee_id": "0"}),
        (ResultQuery(unassigned=True, owner=(Who("4"),)), {"assignee_id": "0,4"}),
        (ResultQuery(status=("3",)), {"status_id": "3"}),
        (ResultQuery(status=("failed", "Known issue", "blocked")), {"status_id": "3,7,5"}),
        (ResultQuery(test=("1021",), defects="SHOP"), {}),
    ],
)
async def test_results_are_filtered_by_testmo(query: ResultQuery, params: dict[str, str]) -> None:
    async with sample() as (server, connection):
        await connection.results(RunRef("testmo", "R", 118), query)
        assert [given for path, given in asked(server) if path == "/runs/118/results"] == [params]


async def test_results_come_newest_first_unless_asked_otherwise() -> None:
    async with sample() as (server, connection):
        ref = RunRef("testmo", "R", 105)
        found = await connection.results(ref, ResultQuery())
        assert [each.at for each in found.items] == sorted((each.at for each in found.items), reverse=True)
        assert found.total == len(found.items) == len(server.store.manual_runs[105].results)
        oldest = await connection.results(ref, ResultQuery(oldest_first=True, at_most=2))
        assert [each.at for each in oldest.items] == [each.at for each in found.items[:-3:-1]]
        assert "order=asc" in server.calls("/results")[-1].target


async def test_results_are_chosen_by_test_and_defect_here() -> None:
    async with sample() as (_, connection):
        ref = RunRef("testmo", "R", 118)
        every = (await connection.results(ref, ResultQuery())).items
        for query in (
            ResultQuery(test=("VARIANT 12",)),
            ResultQuery(defects="shop-1304"),
            ResultQuery(test=("1022",)),
            ResultQuery(test=("9352",)),
        ):
            found = await connection.results(ref, query)
            assert 0 < len(found.items) < len(every)
            assert found.total == len(found.items)
        assert len((await connection.results(ref, ResultQuery(defects="SHOP", at_most=1))).items) == 1


async def test_deleted_results_are_left_out() -> None:
    async with sample() as (server, connection):
        stored = server.store.manual_runs[118].results
        found = await connection.results(RunRef("testmo", "R", 118), ResultQuery())
        assert len(found.items) == sum(each.deleted_at is None for each in stored) == len(stored) - 1


async def test_results_of_an_automation_run_are_those_of_its_tests() -> None:
    async with sample() as (_server, connection):
        ref = RunRef("testmo", "A", 412)
        every = await connection.results(ref, ResultQuery())
        run = await connection.run(ref)
        assert (len(every.items), every.total) == (run.tally.total, run.tally.total)
        assert [each.at for each in every.items] == sorted((each.at for each in every.items), reverse=True)
        failed = await connection.results(ref, ResultQuery(status=("failed",)))
        assert {each.outcome for each in failed.items} == {Outcome.FAILED}
        assert len(failed.items) == run.tally.failed
        assert all(each.note for each in failed.items)
        assert len((await connection.results(ref, ResultQuery(status=("skipped", "3")))).items) == run.tally.failed + 2
        latest = await connection.results(ref, ResultQuery(latest=True))
        assert len(latest.items) == len((await connection.tests(ref)).items)
        middle = every.items[len(every.items) // 2].at
        since = await connection.results(ref, ResultQuery(since=middle, oldest_first=True, at_most=2))
        assert [each.at for each in since.items] == sorted(each.at for each in every.items if each.at >= middle)[:2]
        named = await connection.results(ref, ResultQuery(test=("credit CARD",)))
        assert {each.test for each in named.items} == {"pays by credit card"}
        assert (await connection.results(ref, ResultQuery(automated=False))).items == ()
        assert (await connection.results(RunRef("testmo", "R", 118), ResultQuery(automated=True))).items == ()


@pytest.mark.parametrize(
    ("letter", "query"),
    [
        ("A", ResultQuery(by=(Who("2"),))),
        ("A", ResultQuery(owner=(Who("2"),))),
        ("A", ResultQuery(unassigned=True)),
        ("A", ResultQuery(defects="SHOP-1")),
        ("R", ResultQuery(instance=("1",))),
    ],
)
async def test_a_filter_that_testmo_has_no_data_for_is_refused(letter: str, query: ResultQuery) -> None:
    async with sample() as (server, connection):
        with pytest.raises(CannotError):
            await connection.results(RunRef("testmo", letter, 1), query)
        assert server.journal == []


async def test_results_of_another_run_are_left_out_and_said() -> None:
    page = json.loads((FIXTURES / "results.page.json").read_text()) | {"next_page": None, "last_page": 1, "total": 2}
    page["result"][1]["run_id"] = 7
    async with canned(__runs__1__results=page) as (_, connection):
        found = await connection.results(RunRef("testmo", "R", 1), ResultQuery())
        assert (len(found.items), found.total) == (1, 1)
        assert found.missing == ("1 row of another run was left out", "the names of the cases")


# People and projects.


@pytest.mark.parametrize(
    ("who", "number"),
    [
        (Who("2"), "2"),
        (Who("999"), None),
        (Who("ANA@acme.example"), "2"),
        (Who("anything", email="lea@acme.example"), "4"),
        (Who("ana kovač"), "2"),
        (Who("Ana Kovač", email="another@acme.example"), None),
        (Who("Nobody"), None),
        (Who(""), None),
        (Who("user 7"), "7"),
    ],
)
async def test_people_are_found_by_number_address_or_name(who: Who, number: str | None) -> None:
    async with sample() as (_, connection):
        person = await connection.find_person(who)
        assert (person and person.id) == number


async def test_a_name_that_fits_several_people_fits_nobody() -> None:
    async with canned(__users="users.page") as (_, connection):
        assert await connection.find_person(Who("Tom Becker")) is None
        person = await connection.find_person(Who("Tom Becker", email="tom2@acme.example"))
        assert person is not None
        assert person.id == "4"


async def test_who_is_no_administrator_finds_the_members_of_the_project() -> None:
    async with running(server := SampleTestmo()):
        server.tokens["plain"] = Access(3)
        connection = connect(server.url, "plain", server.clock.now)
        person = await connection.find_person(Who("Ana Kovač", email="ana@acme.example"))
        assert person is not None
        assert (person.id, person.email) == ("2", "")
        assert [path for path, _ in asked(server)] == ["/users", "/projects/1/users"]
        await connection.close()


async def test_who_may_see_no_users_at_all_finds_nobody() -> None:
    async with sample() as (server, connection):
        server.faults.answer("/users", 403)
        assert await connection.find_person(Who("Ana Kovač")) is None
        assert (await connection.run(RunRef("testmo", "R", 118))).by == "Ana Kovač"


async def test_projects_come_in_testmos_order() -> None:
    async with sample() as (_, connection):
        assert [(project.id, project.name) for project in await connection.projects()] == [
            (3, "Back office"),
            (2, "Mobile app"),
            (1, "Webshop"),
        ]


# Errors.


async def test_a_wrong_key_is_refused_even_where_being_forbidden_is_normal() -> None:
    async with running(server := SampleTestmo()):
        connection = connect(server.url, "wrong-secret", server.clock.now)
        for ask in (connection.find_person(Who("Ana")), connection.projects(), connection.runs("R", RunQuery())):
            with pytest.raises(RefusedFault) as caught:
                await ask
            assert "wrong-secret" not in f"{caught.value.what}{caught.value.why}{caught.value.fix}"
        await connection.close()


async def test_a_secret_that_comes_back_in_an_error_is_not_told() -> None:
    async with sample() as (server, connection):
        for status in (400, 401, 403, 404, 422):
            server.faults.clear()
            server.faults.answer("/projects", status, json.dumps({"message": f"token {server.token} is bad"}))
            with pytest.raises(SystemFault) as caught:
                await connection.projects()
            assert server.token not in f"{caught.value}{caught.value.why}{caught.value.fix}"
            assert "is bad" in caught.value.why


async def test_a_refused_question_is_told_in_testmos_words() -> None:
    async with sample() as (server, connection):
        server.faults.answer("/automation/runs", 422, (FIXTURES / "error.validation.json").read_bytes())
        with pytest.raises(RejectedFault) as caught:
            await connection.runs("A", RunQuery(state="closed", status=("failed",)))
        assert caught.value.why.startswith("The given data was invalid. The selected status is invalid.")


async def test_after_a_429_without_a_time_testmo_is_left_alone_for_a_minute() -> None:
    async with sample() as (server, connection):
        server.faults.slow_down("/projects", None)
        with pytest.raises(SlowDownFault) as caught:
            await connection.projects()
        assert caught.value.retry_at is not None
        assert timedelta(seconds=50) < caught.value.retry_at - server.clock.now() <= timedelta(seconds=60)
        assert len(server.journal) == 1


async def test_web_pages_and_cut_answers_are_never_taken_for_empty_lists() -> None:
    async with sample() as (server, connection):
        server.faults.html("/projects/1/runs")
        server.faults.cut("/automation/runs", 100)
        server.faults.answer("/runs/1/results", 200, "{}")
        server.faults.answer("/runs/118", 200, '{"result": null}')
        for ask in (
            connection.runs("R", RunQuery()),
            connection.runs("A", RunQuery()),
            connection.results(RunRef("testmo", "R", 1), ResultQuery()),
            connection.run(RunRef("testmo", "R", 118)),
        ):
            with pytest.raises(UnreadableFault):
                await ask


async def test_an_outage_is_told_as_one() -> None:
    async with sample() as (server, connection):
        server.faults.answer("/projects", 503, "down", content_type="text/plain")
        with pytest.raises(UnavailableFault):
            await connection.projects()
