"""Lists of the sample TestRail: every filter filters, pages follow each other, and pages go wrong on demand."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from yarl import URL

from bot.sandbox.server import running
from bot.sandbox.testrail import TestRail, paging

LOGIN = {"Authorization": aiohttp.encode_basic_auth("bot@acme.example", "testrail-demo-key")}
JSON = {"Content-Type": "application/json"}


@pytest.fixture
async def server() -> AsyncIterator[TestRail]:
    made = TestRail()
    async with running(made):
        yield made


async def ask(
    server: TestRail, endpoint: str, body: Any = None, *, method: str = "", **options: Any
) -> tuple[int, Any]:
    """Status and JSON of a call; POST when there is a body. The address goes out undecoded."""
    options = {"headers": {**JSON, **LOGIN}, **options}
    if body is not None:
        options["json"] = body
    address = URL(f"{server.web_url}/index.php?/api/v2/{endpoint}", encoded=True)
    async with (
        aiohttp.ClientSession() as session,
        session.request(method or ("GET" if body is None else "POST"), address, **options) as answer,
    ):
        return answer.status, await answer.json() if await answer.read() else None


async def run_ids(server: TestRail, endpoint: str) -> list[int]:
    return [run["id"] for run in (await ask(server, endpoint))[1]["runs"]]


@pytest.mark.parametrize(
    ("filters", "inside", "outside"),
    [
        ("", {118, 117, 60, 128}, {81, 119, 71, 135}),
        ("&is_completed=1", {117, 106, 83}, {118, 60}),
        ("&is_completed=0", {118, 60, 125}, {117, 83}),
        ("&is_completed=True", {118, 60, 125}, {117, 83}),
        ("&is_completed=true", {118, 60, 125}, {117, 83}),
        ("&created_by=17", {128}, {118, 117}),
        ("&created_by=17,8", {128, 125}, {118, 117}),
        ("&created_by=17%2C8", {128, 125}, {118, 117}),
        ("&suite_id=4", {118, 117}, {124, 83}),
        ("&suite_id=4,5", {118, 124, 60}, {83, 125}),
        ("&milestone_id=8", {127}, {118}),
        ("&milestone_id=6,8", {127, 60}, {118}),
        ("&refs_filter=WEB-2100", {118}, {117}),
        ("&refs_filter=REL-52", {118, 117}, {124}),
        ("&refs_filter=REL-5", set(), {118, 117}),
        ("&refs_filter=REL-52&is_completed=0", {118}, {117}),
        ("&include_plan_runs=1", {118}, {81, 119}),
        ("&milestone_id=", {118, 60, 127}, {81}),
        ("&nonsense=1", {118, 60, 127}, {81}),
    ],
)
async def test_runs_are_filtered(server: TestRail, filters: str, inside: set[int], outside: set[int]) -> None:
    found = set(await run_ids(server, f"get_runs/1{filters}"))
    assert inside <= found
    assert not outside & found


async def test_creation_times_are_strict_bounds(server: TestRail) -> None:
    at = server.row(118)["created_on"]
    assert isinstance(at, int)
    assert 118 not in await run_ids(server, f"get_runs/1&created_after={at}")
    assert 118 in await run_ids(server, f"get_runs/1&created_after={at - 1}")
    assert await run_ids(server, f"get_runs/1&created_after={at - 1}&created_before={at + 1}") == [118]
    assert 118 not in await run_ids(server, f"get_runs/1&created_before={at}")


@pytest.mark.parametrize(
    ("endpoint", "key", "number"),
    [
        ("get_tests/118&status_id=5", "tests", 3),
        ("get_tests/118&status_id=5,2", "tests", 4),
        ("get_tests/118&status_id=9", "tests", 0),
        ("get_results_for_run/118&status_id=5", "results", 4),
        ("get_results_for_run/118&status_id=2,5", "results", 5),
        ("get_results_for_run/118&defects_filter=WEB-2291", "results", 1),
        ("get_results_for_run/118&defects_filter=WEB-229", "results", 0),
        ("get_results_for_run/128&created_by=17", "results", 4),
        ("get_results_for_run/128&created_by=7", "results", 0),
        ("get_results_for_run/118&created_after=4000000000", "results", 0),
        ("get_results_for_case/118/4046&status_id=5", "results", 1),
        ("get_results_for_case/118/4046", "results", 2),
        ("get_plans/1&is_completed=1", "plans", 1),
        ("get_plans/1&is_completed=0", "plans", 2),
        ("get_plans/1&milestone_id=6", "plans", 1),
        ("get_plans/1&created_by=1", "plans", 1),
        ("get_milestones/1&is_completed=1", "milestones", 1),
        ("get_milestones/1&is_started=0", "milestones", 1),
        ("get_projects&is_completed=1", "projects", 0),
        ("get_cases/1&suite_id=4&section_id=402", "cases", 10),
        ("get_cases/1&suite_id=4&filter=pay%20by", "cases", 5),
    ],
)
async def test_other_lists_are_filtered(server: TestRail, endpoint: str, key: str, number: int) -> None:
    assert len((await ask(server, endpoint))[1][key]) == number


@pytest.mark.parametrize(
    ("filters", "text"),
    [
        ("limit=0", "Field :limit is too small (minimum 1)."),
        ("limit=-1", "Field :limit is not a valid natural number."),
        ("limit=o", "Field :limit is not a valid natural number."),
        ("offset=-1", "Field :offset is not a valid natural number."),
        ("created_after=yesterday", "Field :created_after is not a valid natural number."),
        ("created_by=ana", "Field :created_by is not a valid ID list."),
        ("milestone_id=1,", "Field :milestone_id is not a valid ID list."),
    ],
)
async def test_filters_of_the_wrong_kind_are_refused(server: TestRail, filters: str, text: str) -> None:
    assert await ask(server, f"get_runs/1&{filters}") == (400, {"error": text})


@pytest.mark.parametrize(
    ("filters", "shown", "following", "previous"),
    [
        ("", (0, 250, 250), "/api/v2/get_tests/125&limit=250&offset=250", None),
        ("&limit=1000", (0, 250, 250), "/api/v2/get_tests/125&limit=250&offset=250", None),
        (
            "&offset=250",
            (250, 250, 250),
            "/api/v2/get_tests/125&limit=250&offset=500",
            "/api/v2/get_tests/125&limit=250&offset=0",
        ),
        ("&offset=500", (500, 250, 100), None, "/api/v2/get_tests/125&limit=250&offset=250"),
        ("&offset=600", (600, 250, 0), None, "/api/v2/get_tests/125&limit=250&offset=350"),
        ("&limit=2&status_id=1%2C5", (0, 2, 2), "/api/v2/get_tests/125&status_id=1%2C5&limit=2&offset=2", None),
    ],
)
async def test_pages_say_where_they_are(
    server: TestRail, filters: str, shown: tuple[int, int, int], following: str | None, previous: str | None
) -> None:
    _, page = await ask(server, f"get_tests/125{filters}")
    assert (page["offset"], page["limit"], page["size"]) == shown
    assert page["_links"] == {"next": following, "prev": previous}


async def follow(server: TestRail, endpoint: str, key: str, *, most: int = 20) -> list[list[int]]:
    """The ids of page after page along `next`, at most so many."""
    link: str | None = f"/api/v2/{endpoint}"
    pages: list[list[int]] = []
    while link and len(pages) < most:
        status, page = await ask(server, link.removeprefix("/api/v2/"))
        if status != 200:
            break
        pages.append([row["id"] for row in page[key]])
        link = page["_links"]["next"]
    return pages


async def test_following_the_links_gives_every_row_once(server: TestRail) -> None:
    pages = await follow(server, "get_tests/125", "tests")
    assert [len(page) for page in pages] == [250, 250, 100]
    assert len({one for page in pages for one in page}) == 600


async def test_before_6_7_lists_are_bare_arrays_and_too_large_a_limit_is_refused() -> None:
    server = TestRail(old=True)
    async with running(server):
        for endpoint, number in (
            ("get_runs/1&limit=3", 3),
            ("get_tests/125", 600),
            ("get_results_for_run/125", 250),
            ("get_suites/1", 5),
        ):
            _, said = await ask(server, endpoint)
            assert (type(said), len(said)) == (list, number)
        assert await ask(server, "get_runs/1&limit=251") == (400, {"error": "Field :limit is too large (maximum 250)."})


async def test_ten_thousand_runs_can_be_paged(server: TestRail) -> None:
    made = server.add_runs(2, 10_000)
    pages = await follow(server, "get_runs/2", "runs", most=50)
    assert len(pages) == 41
    assert {run.id for run in made} <= {one for page in pages for one in page}


async def test_bulk_runs_have_tests_and_results_that_agree_with_their_counters(server: TestRail) -> None:
    run = server.add_runs(1, 3, passed=2, failed=1, untested=1)[1]
    before = server.row(run.id)
    tests = (await ask(server, f"get_tests/{run.id}"))[1]["tests"]
    assert [test["status_id"] for test in tests] == [1, 1, 5, 3]
    assert (await ask(server, f"get_run/{run.id}"))[1] == before
    assert len((await ask(server, f"get_results_for_run/{run.id}"))[1]["results"]) == 3


async def test_a_test_of_a_bulk_run_is_found_before_anybody_looked_into_the_run(server: TestRail) -> None:
    run = server.add_runs(1, 3)[2]
    assert run.dormant is not None
    _, test = await ask(server, f"get_test/{run.dormant.first_test + 2}")
    assert test["run_id"] == run.id


async def test_rows_can_move_while_a_client_pages(server: TestRail) -> None:
    server.add_runs(2, 300)
    server.shift_pages = lambda: server.add_runs(2, 1, closed=False)
    seen = [one for page in await follow(server, "get_runs/2&is_completed=1", "runs") for one in page]
    assert len(seen) == len(set(seen))
    server.shift_pages = lambda: server.add_runs(2, 5)
    seen = [one for page in await follow(server, "get_runs/2&limit=100", "runs") for one in page]
    assert len(seen) > len(set(seen))


@pytest.mark.parametrize(
    ("trick", "lengths"),
    [
        (paging.endless_next, [20] * 6),
        (paging.same_page_again, [20] * 6),
        (paging.zero_limit_link, [20]),
    ],
)
async def test_paging_can_misbehave(server: TestRail, trick: paging.Trick, lengths: list[int]) -> None:
    server.tricks["get_tests"] = trick
    pages = await follow(server, "get_tests/118&limit=20", "tests", most=6)
    assert [len(page) for page in pages] == lengths
    assert (pages[0] == pages[-1]) == (trick is not paging.endless_next)


async def test_another_projects_row_can_slip_in(server: TestRail) -> None:
    server.tricks["get_runs"] = paging.with_row(server.row(135))
    _, page = await ask(server, "get_runs/1&limit=2")
    assert [row["project_id"] for row in page["runs"]] == [2, 1, 1]
    assert page["size"] == 3
