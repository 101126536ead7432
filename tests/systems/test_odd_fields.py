"""A decorative field of another type than it should be costs itself only: the run is still shown and listed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from bot.domain.model import Listing, Run, RunRef
from bot.domain.queries import RunQuery
from bot.sandbox.server import SampleServer, running
from bot.systems import system
from bot.systems._mend import mended
from bot.systems._pace import Pace
from bot.systems._spec import Account
from bot.systems.testmo import ResultRow
from bot.systems.testrail import WireRun

FIXTURES = Path(__file__).parents[1] / "fixtures"
ODD: list[Any] = [None, 7, "x", [], {}, [{"id": 1}], {"a": []}]
ACCOUNTS: dict[str, dict[str, Any]] = {
    "testmo": {"token": "t", "project": 1, "close_manual_runs": False},
    "testrail": {"user": "u@acme.example", "key": "k", "project": 1},
    "practitest": {"token": "t", "project": 4566, "web_url": "https://prod.practitest.com"},
}
TESTMO = [
    "name",
    "source_id",
    "state_id",
    "config_id",
    "milestone_id",
    "elapsed",
    "issues",
    "links",
    "tags",
    "threads",
    "thread_count",
    "thread_active_count",
    "created_at",
    "created_by",
    "updated_at",
    "closed_at",
    "completed_at",
]
TESTRAIL = [
    "name",
    "description",
    "suite_id",
    "milestone_id",
    "config",
    "config_ids",
    "refs",
    "assignedto_id",
    "created_by",
    "created_on",
    "updated_on",
    "completed_on",
]
PRACTITEST = [
    "name",
    "created-at",
    "updated-at",
    "display-id",
    "description",
    "run-status",
    "last-run",
    "assigned-to-id",
    "assigned-to-type",
    "milestone-id",
]


class OneRun(SampleServer):
    """Has one run, shown and listed as the test wants it; empty lists of everything else."""

    def __init__(self, name: str, row: dict[str, Any]) -> None:
        super().__init__()
        self.name, self.row = name, row

    def routes(self) -> list[web.RouteDef]:
        return [web.route("*", "/{path:.*}", self._answer)]

    def refuse(self, request: web.Request) -> web.Response | None:
        return None

    async def _answer(self, request: web.Request) -> web.Response:
        path = request.raw_path.replace("/index.php?/api/v2/", "/").partition("?")[0].partition("&")[0]
        last = path.rsplit("/", 2)
        rows = [self.row] if last[-1] in ("runs", "sets.json") or last[-2] in ("get_runs", "get_plans") else []
        if self.name == "testrail":
            told: Any = self.row if last[-2] in ("get_run", "get_plan") else rows
        elif self.name == "testmo":
            one = "/projects/" not in path and last[-1].isdigit()
            told = {"result": self.row if one else rows, "expands": []}
        else:
            one = last[-2] == "sets"
            told = {"data": self.row if one else rows, "meta": {"total-count": len(rows), "total-pages": 1}}
        return web.json_response(told)


async def shown_and_listed(name: str, letter: str, row: dict[str, Any]) -> tuple[Run, Listing[Run]]:
    async with running(server := OneRun(name, row)):
        account = Account("it", {"url": server.url, **ACCOUNTS[name]}, Pace(None), server.clock.now)
        connection = system(name).connect(account)
        try:
            project = 4566 if name == "practitest" else 1
            run = await connection.run(RunRef("it", letter, int(row["id"])))
            return run, await connection.runs(letter, RunQuery(project=project, state="all"))
        finally:
            await connection.close()


def row_of(name: str) -> dict[str, Any]:
    if name == "testmo":
        counts = {"untested_count": 1, "status1_count": 2, "success_count": 2, "failure_count": 0, "total_count": 3}
        return {"id": 5, "project_id": 1, "is_closed": False, "is_completed": False, "name": "Nightly", **counts}
    if name == "testrail":
        return {"id": 5, "project_id": 1, "is_completed": False, "passed_count": 2, "untested_count": 1}
    told = json.loads((FIXTURES / "practitest" / "set.sample.json").read_text())
    row: dict[str, Any] = told.get("data", told)
    row["attributes"]["project-id"] = 4566
    return row


def rows(name: str, letters: str, fields: list[str]) -> list[Any]:
    return [pytest.param(name, letter, each, id=f"{name} {letter} {each}") for letter in letters for each in fields]


@pytest.mark.parametrize(
    ("name", "letter", "field"),
    [*rows("testmo", "RA", TESTMO), *rows("testrail", "RP", TESTRAIL), *rows("practitest", "S", PRACTITEST)],
)
async def test_a_run_with_an_odd_field_is_shown_and_listed(name: str, letter: str, field: str) -> None:
    for odd in ODD:
        row = row_of(name)
        (row["attributes"] if name == "practitest" else row)[field] = odd
        run, listing = await shown_and_listed(name, letter, row)
        assert run.ref.id == int(row["id"])
        assert [each.ref for each in listing.items] == [run.ref], odd
        assert not any("could not be read" in each for each in listing.missing), odd
        assert name == "practitest" or run.tally.total == 3
        assert run.created_at.year > 1970


async def test_what_can_be_taken_of_an_odd_field_is_taken() -> None:
    row = row_of("testmo") | {
        "issues": [{"id": 1, "display_id": "J-1"}, 4],
        "tags": [{"id": 3, "name": "smoke"}, None, "web"],
        "links": [{"name": "CI", "url": "https://ci.example"}, "https://x.example", {"name": {}, "url": 4}],
    }
    run, _ = await shown_and_listed("testmo", "R", row)
    assert (run.refs, run.tags) == ("J-1, issue 4", ("smoke", "web"))
    assert run.links == (("CI", "https://ci.example"),)
    rail, _ = await shown_and_listed("testrail", "R", row_of("testrail") | {"refs": ["A-1", 2], "config": 7})
    assert (rail.refs, rail.config) == ("A-1, 2", "7")
    assert mended(b'{"id": 1, "config_ids": "2,6"}', WireRun).config_ids == [2, 6]


@pytest.mark.parametrize("field", ["passed_count", "is_completed"])
async def test_a_count_of_another_type_is_never_guessed(field: str) -> None:
    from bot.domain.errors import UnreadableFault

    with pytest.raises(UnreadableFault):
        await shown_and_listed("testrail", "R", row_of("testrail") | {field: {"a": []}})


def test_a_result_that_may_be_deleted_is_not_taken_for_one_that_is_there() -> None:
    import msgspec

    with pytest.raises(msgspec.ValidationError):
        mended(b'{"id": 1, "deleted_at": {"a": 1}}', ResultRow)
