"""The sample PractiTest's wire format: credentials, addresses, envelopes, attributes, times."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import aiohttp
import pytest
from yarl import URL

from bot.sandbox.practitest import PractiTest
from bot.sandbox.server import running

TOKEN = "practitest-demo-token"


@pytest.fixture
async def server() -> AsyncIterator[PractiTest]:
    made = PractiTest()
    async with running(made):
        yield made


async def ask(server: PractiTest, path: str, method: str = "GET", **options: Any) -> tuple[int, Any]:
    options.setdefault("headers", {"PTToken": TOKEN})
    async with aiohttp.ClientSession() as session:
        target = URL(f"{server.url}{path}", encoded=True)
        async with session.request(method, target, **options) as answer:
            return answer.status, await answer.json()


def basic(user: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


@pytest.mark.parametrize(
    ("headers", "query", "status"),
    [
        (basic("ana@acme.example", TOKEN), "", 200),
        (basic("anything", TOKEN), "", 200),
        (basic("", TOKEN), "", 200),
        ({"PTToken": TOKEN}, "", 200),
        ({}, f"?api_token={TOKEN}&developer_email=admin%40pt.com", 200),
        ({}, f"?api_token={TOKEN}", 200),
        ({}, "", 401),
        ({"PTToken": "wrong"}, "", 401),
        (basic("ana@acme.example", "wrong"), "", 401),
        ({"Authorization": "Basic %%%"}, "", 401),
        ({"Authorization": f"Bearer {TOKEN}"}, "", 401),
        ({}, "?developer_email=admin%40pt.com", 401),
    ],
)
async def test_three_forms_of_the_token_open_the_account(
    server: PractiTest,
    headers: dict[str, str],
    query: str,
    status: int,
) -> None:
    got, body = await ask(server, f"/api/v2/projects.json{query}", headers=headers)
    assert got == status
    assert ("data" in body) == (status == 200)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/v2/projects", 406),
        ("GET", "/api/v2/projects/4566/runs", 406),
        ("GET", "/api/v2/projects/4566/runs.xml", 406),
        ("GET", "/api/v1/projects.json", 404),
        ("GET", "/", 404),
        ("GET", "/api/v2/nothing.json", 404),
        ("GET", "/api/v2/runs.json", 404),
        ("GET", "/api/v2/projects/4566/users.json", 404),
        ("GET", "/api/v2/projects/1/runs.json", 404),
        ("GET", "/api/v2/projects/1.json", 404),
        ("GET", "/api/v2/projects/4566/sets/1.json", 404),
        ("GET", "/api/v2/projects/4567/sets/55.json", 404),
        ("GET", "/api/v2/projects/4567/instances/98142.json", 404),
        ("GET", "/api/v2/projects/4566/runs/49001.json", 404),
        ("GET", "/api/v2/projects/" + "9" * 5000 + ".json", 404),
        ("POST", "/api/v2/projects/4566/sets/55.json", 405),
        ("DELETE", "/api/v2/projects/4566/sets/55.json", 405),
        ("PUT", "/api/v2/projects/4566/runs.json", 405),
        ("PUT", "/api/v2/projects/4566/tests/80893.json", 405),
    ],
)
async def test_wrong_addresses_are_refused_with_a_title(
    server: PractiTest,
    method: str,
    path: str,
    status: int,
) -> None:
    got, body = await ask(server, path, method)
    assert got == status
    assert isinstance(body["errors"][0]["title"], str)


@pytest.mark.parametrize("spelling", ["page[number]={}&page[size]={}", "page%5Bnumber%5D={}&page%5Bsize%5D={}"])
async def test_a_page_is_wrapped_as_on_the_vendors_page(server: PractiTest, spelling: str) -> None:
    path = "/api/v2/projects/4566/runs.json"
    credentials = f"api_token={TOKEN}&developer_email=pt%40gmail.com"
    _status, body = await ask(server, f"{path}?{spelling.format(1, 2)}&{credentials}", headers={})
    total = body["meta"]["total-count"]
    pages = -(-total // 2)
    link = f"{server.url}{path}?{credentials}&page%5Bnumber%5D={{}}&page%5Bsize%5D=2"
    assert list(body) == ["data", "links", "meta"]
    assert len(body["data"]) == 2
    assert body["links"] == {"self": link.format(1), "next": link.format(2), "last": link.format(pages)}
    assert body["meta"] == {
        "current-page": 1,
        "next-page": 2,
        "prev-page": None,
        "total-pages": pages,
        "total-count": total,
    }


@pytest.mark.parametrize(
    ("page", "rows", "rels", "neighbours"),
    [
        (1, 100, ["self", "next", "last"], (None, 2)),
        (2, 100, ["self", "first", "prev", "next", "last"], (1, 3)),
        (3, 50, ["self", "first", "prev"], (2, None)),
        (9, 0, ["self", "first", "prev"], (None, None)),
    ],
)
async def test_pages_of_250_instances_know_their_neighbours(
    server: PractiTest,
    page: int,
    rows: int,
    rels: list[str],
    neighbours: tuple[int | None, int | None],
) -> None:
    _status, body = await ask(server, f"/api/v2/projects/4566/instances.json?set-ids=52&page[number]={page}")
    meta = body["meta"]
    assert (len(body["data"]), list(body["links"])) == (rows, rels)
    assert (meta["prev-page"], meta["next-page"]) == neighbours
    assert (meta["total-pages"], meta["total-count"]) == (3, 250)


@pytest.mark.parametrize(
    ("query", "status", "rows"),
    [
        ("page[size]=250", 200, 100),
        ("page[size]=100", 200, 100),
        ("page[size]=7", 200, 7),
        ("page[size]=", 200, 100),
        ("page[size]=0", 422, 0),
        ("page[size]=-1", 422, 0),
        ("page[number]=0", 422, 0),
        ("page[number]=x", 422, 0),
        ("page[number]=" + "9" * 5000, 422, 0),
    ],
)
async def test_page_sizes_end_at_100(server: PractiTest, query: str, status: int, rows: int) -> None:
    got, body = await ask(server, f"/api/v2/projects/4566/runs.json?{query}")
    assert (got, len(body.get("data", []))) == (status, rows)


async def test_a_single_page_has_no_links(server: PractiTest) -> None:
    _status, body = await ask(server, "/api/v2/projects/4566/sets.json")
    assert body["links"] == {}
    assert body["meta"]["total-pages"] == 1


async def test_an_empty_list_has_no_pages(server: PractiTest) -> None:
    _status, body = await ask(server, "/api/v2/projects/4568/instances.json?set-ids=72")
    assert body == {
        "data": [],
        "links": {},
        "meta": {
            "current-page": 1,
            "next-page": None,
            "prev-page": None,
            "total-pages": 0,
            "total-count": 0,
        },
    }


COMMON = "custom-fields created-at updated-at project-id"


@pytest.mark.parametrize(
    ("path", "kind", "attributes"),
    [
        ("projects", "projects", "name created-at automation-support enable-delete-issues time-management-support"),
        (
            "projects/4566",
            "projects",
            "name created-at automation-support enable-delete-issues time-management-support",
        ),
        ("users", "users", "first-name last-name display-name email time-zone created-at"),
        (
            "projects/4566/runs",
            "runs",
            f"{COMMON} status tester-id instance-id preconditions version test-id run-type "
            "automated-execution-output run-duration",
        ),
        (
            "projects/4566/sets",
            "sets",
            f"{COMMON} display-id name description instances-count run-status last-run "
            "assigned-to-id assigned-to-type planned-execution version priority folder-id milestone-id",
        ),
        (
            "projects/4566/sets/55",
            "sets",
            f"{COMMON} display-id name description instances-count run-status last-run "
            "assigned-to-id assigned-to-type planned-execution version priority folder-id milestone-id",
        ),
        (
            "projects/4566/instances/98142",
            "instances",
            f"{COMMON} name set-id set-display-id test-id test-display-id "
            "display-id tester-id priority last-run-duration last-run run-status planned-execution version "
            "assigned-to-id assigned-to-type",
        ),
        (
            "projects/4566/tests/80893",
            "tests",
            f"{COMMON} display-id name description steps-count status run-status "
            "last-run author-id assigned-to-id assigned-to-type cloned-from-id planned-execution version priority "
            "duration-estimate test-type folder-id",
        ),
        (
            "projects/4566/step_runs",
            "step-runs",
            "project-id run-id name description expected-results actual-results status position created-at updated-at",
        ),
        (
            "projects/4566/custom_fields",
            "custom-fields",
            "name field-format project-id possible-values parent-list-id "
            "possible-values-parent-cf-id created-at updated-at",
        ),
        (
            "projects/4566/milestones",
            "milestones",
            f"{COMMON} display-id name description milestone-status milestone-type start-date end-date author-id",
        ),
        ("projects/4566/groups", "groups", "name created-at"),
    ],
)
async def test_records_have_the_documented_attributes(
    server: PractiTest,
    path: str,
    kind: str,
    attributes: str,
) -> None:
    _status, body = await ask(server, f"/api/v2/{path}.json")
    rows = body["data"] if isinstance(body["data"], list) else [body["data"]]
    for row in rows:
        assert list(row) == ["id", "type", "attributes"]
        assert row["id"].isdigit()
        assert row["type"] == kind
        assert set(row["attributes"]) == set(attributes.split())
        assert all(
            isinstance(value, int | None)
            for name, value in row["attributes"].items()
            if name.endswith("-id") and not (name == "display-id" and kind == "instances")
        )


@pytest.mark.parametrize(
    ("path", "offset"),
    [
        ("projects/4566/runs", timedelta(hours=2)),
        ("projects/4566/sets", timedelta()),
        ("projects/4566/instances", timedelta()),
        ("users", timedelta(hours=2)),
        ("projects", timedelta()),
    ],
)
async def test_times_carry_an_offset(server: PractiTest, path: str, offset: timedelta) -> None:
    _status, body = await ask(server, f"/api/v2/{path}.json")
    times = [value for row in body["data"] for name, value in row["attributes"].items() if name.endswith("-at")]
    assert times
    assert {datetime.fromisoformat(time).utcoffset() for time in times} == {offset}


@pytest.mark.parametrize("path", ["sets.json?duration=true&name_exact=UAT+cart", "sets/55.json?duration=true"])
async def test_durations_are_shown_on_demand(server: PractiTest, path: str) -> None:
    _status, body = await ask(server, f"/api/v2/projects/4566/{path}")
    [row] = body["data"] if isinstance(body["data"], list) else [body["data"]]
    assert list(row["attributes"])[-2:] == ["duration-estimate", "actual-duration"]
    assert [len(part) for part in row["attributes"]["duration-estimate"].split(":")] == [2, 2, 2]


async def test_milestones_name_their_sets_on_demand(server: PractiTest) -> None:
    _status, body = await ask(server, "/api/v2/projects/4566/milestones/101.json?relationships=true")
    assert {"id": "55", "type": "sets"} in body["data"]["relationships"]["suites"]["data"]


async def test_unknown_parameters_change_nothing_and_are_remembered(server: PractiTest) -> None:
    _status, plain = await ask(server, "/api/v2/projects/4566/sets.json")
    _status, odd = await ask(server, "/api/v2/projects/4566/sets.json?state=open")
    assert plain == odd
    assert server.ignored == ["state"]
