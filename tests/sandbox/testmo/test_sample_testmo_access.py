"""The sample Testmo keeps its doors: tokens, rights, routes, methods, rate limit."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.sandbox.server import Clock
from bot.sandbox.testmo import Access, Testmo
from tests.sandbox.testmo.testmo_caller import calling

COMPLETE = "/automation/runs/415/complete"


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer wrong", "Basic dGVzdDp0ZXN0", "testmo-demo-token"])
async def test_without_the_right_bearer_token_nothing_is_told(header: str) -> None:
    async with calling(Testmo()) as caller:
        heard = await caller.ask("GET", "/runs/118", headers={"Authorization": header})
    assert (heard.status, heard.body) == (401, {"message": "Unauthenticated."})


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/runs/118", 200),
        ("GET", "/projects/1/runs", 200),
        ("GET", "/projects/2/runs", 403),
        ("GET", "/projects/2", 403),
        ("GET", "/runs/120", 403),
        ("GET", "/automation/runs/414", 403),
        ("GET", "/automation/sources/3", 403),
        ("GET", "/milestones/5", 403),
        ("GET", "/users", 403),
        ("GET", "/users/2", 403),
        ("GET", "/projects/1/users", 200),
        ("POST", COMPLETE, 403),
        ("POST", "/projects/1/automation/runs", 403),
    ],
)
async def test_a_token_reaches_as_far_as_its_rights(method: str, path: str, status: int) -> None:
    server = Testmo()
    server.tokens["reader"] = Access(3, may_write=False, projects=frozenset({1}))
    async with calling(server) as caller:
        assert (await caller.ask(method, path, token="reader", json={})).status == status


async def test_a_reader_sees_only_its_projects() -> None:
    server = Testmo()
    server.tokens["reader"] = Access(3, may_write=False, projects=frozenset({1}))
    async with calling(server) as caller:
        assert (await caller.ask("GET", "/projects", token="reader")).ids == [1]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nowhere", 404),
        ("GET", "/runs/118/", 404),
        ("GET", "/runs/R118", 404),
        ("GET", "/projects/1/runs/118", 404),
        ("GET", "/runs/9999", 404),
        ("GET", "/automation/runs/9999", 404),
        ("GET", "/projects/99", 404),
        ("GET", "/users/99", 404),
        ("GET", "/milestones/99", 404),
        ("GET", "/automation/sources/99", 404),
        ("POST", "/projects/99/automation/runs", 404),
        ("POST", "/automation/runs/threads/9999/complete", 404),
        ("GET", "/projects/99/runs", 403),
        ("GET", "/projects/99/automation/runs", 403),
        ("GET", "/runs/9999/results", 403),
        ("GET", COMPLETE, 405),
        ("DELETE", "/runs/118", 405),
        ("PATCH", "/runs/118", 405),
        ("PUT", "/automation/runs/412", 405),
        ("POST", "/runs/118", 405),
    ],
)
async def test_what_is_not_there_is_refused_in_json(method: str, path: str, status: int) -> None:
    async with calling(Testmo()) as caller:
        heard = await caller.ask(method, path, json={})
    assert heard.status == status
    assert set(heard.body) == {"message"}


async def test_lists_of_unknown_parents_can_answer_404() -> None:
    async with calling(Testmo(missing_parent=404)) as caller:
        assert (await caller.get("/projects/99/runs")).status == 404


async def test_405_names_the_methods_that_work() -> None:
    async with calling(Testmo()) as caller:
        assert (await caller.ask("DELETE", COMPLETE)).headers["Allow"] == "POST"


@pytest.mark.parametrize(("close_runs", "allowed"), [(True, "GET, PATCH"), (False, "GET")])
@pytest.mark.parametrize(("method", "status"), [("OPTIONS", 200), ("DELETE", 405)])
async def test_whether_manual_runs_can_be_closed_is_told_without_closing_one(
    close_runs: bool, allowed: str, method: str, status: int
) -> None:
    async with calling(server := Testmo(close_runs=close_runs)) as caller:
        heard = await caller.ask(method, "/runs/118")
    assert (heard.status, heard.headers["Allow"]) == (status, allowed)
    assert server.store.manual_runs[118].closed_at is None


async def test_beyond_the_rate_limit_calls_wait_and_pestering_lengthens_it() -> None:
    clock = Clock()
    start = clock.now()
    async with calling(Testmo(clock, calls_per_minute=3)) as caller:
        passed = [(await caller.get("/user")).status for _ in range(3)]
        first, second = await caller.get("/user"), await caller.get("/user")
        clock.move_to(start + timedelta(seconds=180))
        later = await caller.get("/user")
    assert passed == [200, 200, 200]
    assert (first.status, second.status, later.status) == (429, 429, 200)
    assert 50 <= int(first.headers["Retry-After"]) <= 60
    assert int(second.headers["Retry-After"]) > int(first.headers["Retry-After"])


async def test_the_faults_of_all_sample_servers_work_here() -> None:
    server = Testmo()
    server.faults.slow_down(r"GET /api/v1/runs/118", "7", times=1)
    async with calling(server) as caller:
        assert [(await caller.get("/runs/118")).status for _ in range(2)] == [429, 200]
    assert len(server.calls(r"GET /api/v1/runs/118")) == 2
