"""The sample Testmo pages as documented, cheaply, and wrongly when told to."""

from __future__ import annotations

import math

import pytest

from bot.sandbox.testmo import Testmo, paging
from tests.sandbox.testmo.testmo_caller import calling

RUNS = "/projects/1/automation/runs"


@pytest.mark.parametrize(
    ("path", "params", "envelope"),
    [
        (RUNS, {}, (1, None, None, 1, 100, 27)),
        (RUNS, {"per_page": 15}, (1, None, 2, 2, 15, 27)),
        (RUNS, {"per_page": 15, "page": 2}, (2, 1, None, 2, 15, 27)),
        (RUNS, {"per_page": 15, "page": 9}, (9, 2, None, 2, 15, 27)),
        (RUNS, {"tags": "nothing-has-it"}, (None, None, None, None, 100, 0)),
        ("/runs/105/results", {"per_page": 25, "page": 3}, (3, 2, 4, 16, 25, 396)),
        ("/runs/121/results", {}, (None, None, None, None, 100, 0)),
        ("/automation/runs/412/tests", {"per_page": 500}, (1, None, None, 1, 500, 83)),
    ],
)
async def test_the_envelope_tells_where_one_is(
    path: str, params: dict[str, int | str], envelope: tuple[int | None, ...]
) -> None:
    async with calling(Testmo()) as caller:
        body = (await caller.get(path, **params)).body
    names = ("page", "prev_page", "next_page", "last_page", "per_page", "total")
    assert tuple(body[name] for name in names) == envelope


@pytest.mark.parametrize("per_page", [15, 25, 50, 100])
async def test_pages_together_are_the_whole_list(per_page: int) -> None:
    async with calling(Testmo()) as caller:
        rows = await caller.all_pages("/runs/105/results", per_page=per_page)
        beyond = await caller.get("/runs/105/results", per_page=per_page, page=math.ceil(396 / per_page) + 1)
    assert len({row["id"] for row in rows}) == len(rows) == 396
    assert beyond.rows == []


async def test_ten_thousand_runs_can_be_paged() -> None:
    server = Testmo(sample=False)
    server.add_runs(1, 10_000)
    async with calling(server) as caller:
        heard = await caller.get(RUNS, page=100)
        failed = await caller.get(RUNS, status=3)
    assert heard.body["last_page"] == 100
    assert len(heard.rows) == 100
    assert heard.ids[-1] == 1
    assert failed.body["total"] == 10_000 // 7


async def test_rows_move_between_pages_when_told_to() -> None:
    server = Testmo()
    seen: list[int] = []

    def shift(page: int) -> None:
        seen.append(page)
        server.start_run(1, "nightly-web", f"Came while page {page} was fetched")

    server.shift_pages = shift
    async with calling(server) as caller:
        rows = await caller.all_pages(RUNS, per_page=15)
        server.shift_pages = None
        await caller.all_pages(RUNS, per_page=15)
    ids = [row["id"] for row in rows]
    assert seen == [2]
    assert len(ids) - len(set(ids)) == 1


async def test_a_row_is_missed_when_one_before_it_goes_away() -> None:
    server = Testmo()
    server.shift_pages = lambda _page: server.remove_run(415)
    async with calling(server) as caller:
        ids = [row["id"] for row in await caller.all_pages(RUNS, per_page=15)]
    assert len(ids) == len(set(ids)) == 26


async def test_there_can_always_be_a_next_page() -> None:
    server = Testmo()
    server.lies.append(paging.endless)
    async with calling(server) as caller:
        body = (await caller.get(RUNS, page=4000)).body
    assert (body["next_page"], body["result"]) == (4001, [])


async def test_the_last_page_can_be_absurd() -> None:
    server = Testmo()
    server.lies.append(paging.huge_last_page)
    async with calling(server) as caller:
        assert (await caller.get(RUNS)).body["last_page"] == 10**9


async def test_every_page_can_be_the_first() -> None:
    server = Testmo()
    server.lies += [paging.same_page_again, paging.endless]
    async with calling(server) as caller:
        first, second = await caller.get(RUNS, per_page=15), await caller.get(RUNS, per_page=15, page=2)
    assert first.ids == second.ids


async def test_the_total_can_be_wrong() -> None:
    server = Testmo()
    server.lies.append(paging.wrong_total)
    async with calling(server) as caller:
        heard = await caller.get(RUNS)
        server.lies.clear()
        true = await caller.get(RUNS)
    assert (heard.body["total"], true.body["total"]) == (34, 27)


async def test_a_row_of_another_project_can_slip_in() -> None:
    server = Testmo()
    server.lies.append(paging.foreign_row)
    async with calling(server) as caller:
        projects = [row["project_id"] for row in (await caller.get(RUNS)).rows]
    assert set(projects) == {1, 99}
