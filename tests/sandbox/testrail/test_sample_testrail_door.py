"""The sample TestRail at its door: addresses, login, content type, switches, unknown endpoints, rate limit."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from yarl import URL

from bot.sandbox.server import running
from bot.sandbox.testrail import TestRail

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


UNAUTHORIZED = "Authentication failed: invalid or missing user/password or session cookie."
NO_TYPE = "Content-Type header missing (use Content-Type: application/json)"
WRONG_TYPE = "Content-Type header invalid (use Content-Type: application/json)"


def basic(email: str, given: str) -> dict[str, str]:
    return {"Authorization": aiohttp.encode_basic_auth(email, given)}


@pytest.mark.parametrize(
    ("headers", "status", "text"),
    [
        ({**JSON, **LOGIN}, 200, None),
        ({**JSON, **basic("BOT@acme.example", "testrail-demo-key")}, 200, None),
        ({**LOGIN, "Content-Type": "application/json; charset=utf-8"}, 200, None),
        (JSON, 401, UNAUTHORIZED),
        ({**JSON, **basic("bot@acme.example", "wrong")}, 401, UNAUTHORIZED),
        ({**JSON, **basic("bot@acme.example", "")}, 401, UNAUTHORIZED),
        ({**JSON, **basic("ana@acme.example", "testrail-demo-key")}, 401, UNAUTHORIZED),
        ({**JSON, "Authorization": "Bearer testrail-demo-key"}, 401, UNAUTHORIZED),
        ({**JSON, "Authorization": "Basic %%%"}, 401, UNAUTHORIZED),
        (LOGIN, 400, NO_TYPE),
        ({**LOGIN, "Content-Type": "text/plain"}, 400, WRONG_TYPE),
    ],
)
async def test_a_call_needs_a_login_and_the_json_content_type(
    server: TestRail, headers: dict[str, str], status: int, text: str | None
) -> None:
    got, said = await ask(server, "get_run/118", headers=headers)
    assert (got, said.get("error")) == (status, text)


@pytest.mark.parametrize(
    ("endpoint", "status", "text"),
    [
        ("get_nothing", 404, "Unknown method 'get_nothing'"),
        ("", 404, "Unknown method ''"),
        ("get_run", 400, "Field :run_id is a required field."),
        ("get_run/", 400, "Field :run_id is a required field."),
        ("get_run/R118", 400, "Field :run_id is not a valid ID."),
        ("get_run/1", 400, "Field :run_id is not a valid test run."),
        ("get_plan/118", 400, "Field :plan_id is not a valid test plan."),
        ("get_tests/9999", 400, "Field :run_id is not a valid test run."),
        ("get_test/9", 400, "Field :test_id is not a valid test."),
        ("get_runs/99", 400, "Field :project_id is not a valid or accessible project."),
        ("get_case/9", 400, "Field :case_id is not a valid test case."),
        ("get_suite/9", 400, "Field :suite_id is not a valid test suite."),
        ("get_milestone/99", 400, "Field :milestone_id is not a valid milestone."),
        ("get_user/17", 400, "Field :user_id is not a valid user."),
        ("get_user_by_email&email=no%40acme.example", 400, "Field :email is not a valid email address."),
        ("get_results_for_case/118/1", 400, "No (active) test found for the run/case combination."),
        ("get_cases/1", 400, "Field :suite_id is a required field."),
        ("get_runs/1?is_completed=0", 400, "Invalid characters in GET: [/api/v2/get_runs/1] [?]"),
        ("close_run/118", 400, 'Unsupported HTTP method "GET" for this action.'),
        (
            "get_users",
            403,
            "Access Denied. You are not a TestRail administrator. Field:project_id is a required field.",
        ),
    ],
)
async def test_what_cannot_be_answered_is_refused_in_the_vendors_words(
    server: TestRail, endpoint: str, status: int, text: str
) -> None:
    assert await ask(server, endpoint) == (status, {"error": text})


async def test_the_answer_is_below_the_sub_path_and_so_are_its_links() -> None:
    server = TestRail(root="/testrail")
    async with running(server):
        status, run = await ask(server, "get_run/81")
        assert (status, run["url"]) == (200, f"{server.url}/testrail/index.php?/runs/view/81")
        async with aiohttp.ClientSession() as session, session.get(f"{server.url}/index.php") as answer:
            assert answer.status == 404


async def test_pages_for_people_need_no_login_and_are_html(server: TestRail) -> None:
    address = URL(f"{server.web_url}/index.php?/runs/view/118&x=<b>", encoded=True)
    async with aiohttp.ClientSession() as session, session.get(address) as answer:
        assert (answer.status, answer.content_type) == (200, "text/html")
        assert "<b>" not in await answer.text()


async def test_password_and_key_both_open_the_door_and_colleagues_can_be_let_in() -> None:
    server = TestRail(user="qa@acme.example", key="k", password="open sesame")
    server.let_in(6, "ana's key")
    async with running(server):
        for email, given, name in (
            ("qa@acme.example", "k", "Rundown"),
            ("qa@acme.example", "open sesame", "Rundown"),
            ("ana@acme.example", "ana's key", "Ana Kovač"),
        ):
            status, user = await ask(server, "get_current_user", headers={**JSON, **basic(email, given)})
            assert (status, user["name"]) == (200, name)


@pytest.mark.parametrize(
    ("switch", "status", "word"),
    [
        ("maintenance", 409, "maintained"),
        ("api_disabled", 403, "The API is disabled for your installation."),
    ],
)
async def test_switches_of_the_whole_instance(server: TestRail, switch: str, status: int, word: str) -> None:
    setattr(server, switch, True)
    got, said = await ask(server, "get_projects")
    assert got == status
    assert word in said["error"]


async def test_rights_and_projects_can_be_taken_away(server: TestRail) -> None:
    server.denied.add("close_run")
    server.hidden.add(2)
    assert await ask(server, "close_run/118", {}) == (
        403,
        {"error": "You are not allowed to close test runs (insufficient permissions)."},
    )
    assert [(await ask(server, call))[0] for call in ("get_runs/2", "get_run/135", "get_tests/135")] == [403, 403, 403]
    assert [one["id"] for one in (await ask(server, "get_projects"))[1]["projects"]] == [1, 3]


async def test_the_rate_limit_says_how_many_seconds_to_wait() -> None:
    server = TestRail(per_minute=2)
    async with running(server):
        assert [(await ask(server, "get_run/118"))[0] for _ in range(3)] == [200, 200, 429]
        address = URL(f"{server.web_url}/index.php?/api/v2/get_run/118", encoded=True)
        async with aiohttp.ClientSession() as session, session.get(address, headers={**JSON, **LOGIN}) as answer:
            assert 1 <= int(answer.headers["Retry-After"]) <= 60
            assert (await answer.json())["error"].startswith(
                "API Rate Limit Exceeded - 2 per minute maximum allowed. Retry after "
            )


async def test_administrators_list_users_without_a_project() -> None:
    server = TestRail(admin=True)
    async with running(server):
        status, said = await ask(server, "get_users")
        assert status == 200
        assert {"ana@acme.example", "tom@acme.example"} <= {one["email"] for one in said["users"]}
