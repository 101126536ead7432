"""The sample Testmo takes automation runs step by step, and refuses what the facts say it refuses."""

from __future__ import annotations

from typing import Any

import pytest

from bot.sandbox.testmo import Testmo
from tests.sandbox.testmo.testmo_caller import Caller, calling

CREATE = "/projects/1/automation/runs"
GOING = 415
LINK = {"name": "Build", "url": "https://ci.acme.example/1"}
FIELD = {"type": 1, "name": "Branch", "value": "main"}
ARTIFACT = {"name": "a.png", "url": "https://ci.acme.example/a.png", "mime_type": "image/png", "size": 1048576}
TEST = {"key": "5ccaaa9ca9f351d0c36b45c59728f1a23d16601d", "name": "Test 1", "folder": "A", "status": "passed"}


async def create(caller: Caller, **more: Any) -> int:
    heard = await caller.post(CREATE, {"name": "Run 1", "source": "frontend", **more})
    assert heard.status == 201
    assert list(heard.body) == ["id"]
    return int(heard.body["id"])


async def run_of(caller: Caller, run_id: int) -> dict[str, Any]:
    return dict((await caller.get(f"/automation/runs/{run_id}")).body["result"])


async def test_a_run_lives_from_creation_to_completion() -> None:
    async with calling(Testmo()) as caller:
        run_id = await create(caller, links=[LINK], artifacts=[ARTIFACT], fields=[FIELD], config="Firefox")
        thread = (await caller.post(f"/automation/runs/{run_id}/threads", {"elapsed_observed": 600_000_000})).body["id"]
        tests = [TEST, TEST | {"key": "b", "status": "failed"}, TEST | {"key": "c", "status": "skipped"}]
        added = await caller.post(f"/automation/runs/threads/{thread}/append", {"elapsed_observed": 5, "tests": tests})
        going = await run_of(caller, run_id)
        ended = await caller.post(f"/automation/runs/threads/{thread}/complete", {"elapsed_observed": 700_000_000})
        before = await run_of(caller, run_id)
        done = await caller.post(f"/automation/runs/{run_id}/complete", {"measure_elapsed": False})
        after = await run_of(caller, run_id)
    assert (added.status, added.body, ended.status, done.status, done.body) == (204, None, 204, 204, None)
    assert (going["status"], going["elapsed"], going["thread_active_count"]) == (4, 600_000_005, 1)
    assert (before["status"], before["is_completed"], before["elapsed"]) == (3, False, 700_000_000)
    assert (after["status"], after["is_completed"], after["completed_by"]) == (3, True, 1)
    counts = [after[f"{name}_count"] for name in ("success", "failure", "status5", "completed", "untested", "total")]
    assert counts == [1, 1, 1, 3, 0, 3]
    assert after["config_id"] == 2
    assert after["links"] == [LINK | {"note": None}]
    assert after["fields"] == [FIELD | {"meta": []}]


async def test_completing_a_run_completes_its_threads_and_can_measure() -> None:
    async with calling(Testmo()) as caller:
        heard = await caller.post(f"/automation/runs/{GOING}/complete", {"measure_elapsed": True})
        run = await run_of(caller, GOING)
    assert heard.status == 204
    assert (run["thread_active_count"], run["thread_completed_count"]) == (0, 2)
    assert all(thread["is_completed"] for thread in run["threads"])
    assert 290_000_000 < run["elapsed"] < 400_000_000


async def test_an_appended_note_and_link_show_with_who_and_when() -> None:
    async with calling(Testmo()) as caller:
        heard = await caller.post(f"/automation/runs/{GOING}/append", {"fields": [FIELD], "links": [LINK]})
        run = await run_of(caller, GOING)
    assert heard.status == 204
    assert run["links"][-1]["name"] == "Build"
    assert run["updated_by"] == 1
    assert run["updated_at"] is not None


@pytest.mark.parametrize(
    "path",
    [
        "/automation/runs/412/complete",
        "/automation/runs/412/append",
        "/automation/runs/412/threads",
        "/automation/runs/threads/{thread}/append",
        "/automation/runs/threads/{thread}/complete",
    ],
)
async def test_what_is_completed_is_closed_for_input(path: str) -> None:
    async with calling(Testmo()) as caller:
        before = await run_of(caller, 412)
        heard = await caller.post(path.format(thread=before["threads"][0]["id"]), {})
        after = await run_of(caller, 412)
    assert heard.status == 422
    assert "already completed" in heard.body["message"]
    assert after == before


async def test_a_completed_run_takes_links_where_the_instance_allows_it() -> None:
    async with calling(Testmo(append_after_complete=True)) as caller:
        assert (await caller.post("/automation/runs/412/append", {"links": [LINK]})).status == 204
        assert (await caller.post("/automation/runs/412/threads", {})).status == 422


async def test_a_completed_thread_takes_nothing_while_its_run_goes_on() -> None:
    async with calling(Testmo()) as caller:
        thread = (await run_of(caller, GOING))["threads"][0]["id"]
        answers = [
            (await caller.post(f"/automation/runs/threads/{thread}/{verb}", {})).status
            for verb in ("complete", "complete", "append")
        ]
    assert answers == [204, 422, 422]


async def test_a_new_source_is_made_once_and_a_tag_finds_its_milestone() -> None:
    async with calling(Testmo()) as caller:
        first = await create(caller, tags=["release-82"])
        second = await create(caller, milestone="Release 8.1", milestone_id=1)
        rows = [await run_of(caller, run_id) for run_id in (first, second)]
        sources = [row["name"] for row in (await caller.get("/projects/1/automation/sources")).rows]
    assert [row["milestone_id"] for row in rows] == [3, 1]
    assert rows[0]["source_id"] == rows[1]["source_id"]
    assert sources.count("frontend") == 1


@pytest.mark.parametrize(
    ("more", "wrong"),
    [
        ({"name": None}, "name"),
        ({"name": "  "}, "name"),
        ({"name": "n" * 751}, "name"),
        ({"name": 7}, "name"),
        ({"source": "2nd"}, "source"),
        ({"source": "a"}, "source"),
        ({"source": "front end"}, "source"),
        ({"config": "Netscape"}, "config"),
        ({"config_id": 99}, "config_id"),
        ({"config_id": "1"}, "config_id"),
        ({"milestone": "Store submission 4.0"}, "milestone"),
        ({"milestone_id": 5}, "milestone_id"),
        ({"tags": "nightly"}, "tags"),
        ({"tags": ["release 8.2"]}, "tags.0"),
        ({"links": [{"name": "x"}]}, "links.0.url"),
        ({"links": [{"name": "x", "url": "javascript:alert(1)"}]}, "links.0.url"),
        ({"links": [LINK | {"note": "n" * 81}]}, "links.0.note"),
        ({"artifacts": [ARTIFACT] * 26}, "artifacts"),
        ({"fields": [FIELD] * 26}, "fields"),
        ({"fields": [FIELD | {"type": 6}]}, "fields.0.type"),
        ({"fields": [{"name": "x", "value": "y"}]}, "fields.0.type"),
        ({"fields": [FIELD | {"value": "v" * 751}]}, "fields.0.value"),
        ({"fields": [FIELD | {"type": 2, "value": "v" * 16_385}]}, "fields.0.value"),
        ({"fields": [FIELD | {"meta": {"a": 1}}]}, "fields.0.meta"),
        ({"fields": [FIELD | {"is_highlight": 1}]}, "fields.0.is_highlight"),
        ({"colour": "red"}, "colour"),
    ],
)
async def test_a_wrong_run_is_refused_by_the_name_of_what_is_wrong(more: dict[str, Any], wrong: str) -> None:
    async with calling(Testmo()) as caller:
        before = (await caller.get(CREATE)).body["total"]
        heard = await caller.post(CREATE, {"name": "Run 1", "source": "frontend"} | more)
        after = (await caller.get(CREATE)).body["total"]
    assert heard.status == 422
    assert list(heard.body["errors"]) == [wrong]
    assert after == before


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ({"tests": [{}]}, ["tests.0.status", "tests.0.key", "tests.0.name", "tests.0.folder"]),
        ({"tests": [TEST | {"status": "great"}]}, ["tests.0.status"]),
        ({"tests": [TEST | {"key": "k" * 65}]}, ["tests.0.key"]),
        ({"tests": [TEST | {"key": "Upper"}]}, ["tests.0.key"]),
        ({"tests": [TEST, TEST | {"elapsed": -1}]}, ["tests.1.elapsed"]),
        ({"tests": [TEST | {"elapsed": 1.5}]}, ["tests.0.elapsed"]),
        ({"tests": [TEST | {"line": True}]}, ["tests.0.line"]),
        ({"tests": [TEST | {"artifacts": [ARTIFACT] * 26}]}, ["tests.0.artifacts"]),
        ({"tests": [TEST | {"fields": [{"type": 4}]}]}, ["tests.0.fields.0.name"]),
        ({"tests": [TEST] * 251}, ["tests"]),
        ({"tests": ["passed"]}, ["tests.0"]),
        ({"tests": TEST}, ["tests"]),
        ({"elapsed_observed": "5"}, ["elapsed_observed"]),
        ({"links": [LINK]}, ["links"]),
    ],
)
async def test_wrong_results_are_refused_and_none_of_them_kept(body: dict[str, Any], wrong: list[str]) -> None:
    async with calling(Testmo()) as caller:
        before = await run_of(caller, GOING)
        heard = await caller.post(f"/automation/runs/threads/{before['threads'][0]['id']}/append", body)
        after = await run_of(caller, GOING)
    assert heard.status == 422
    assert list(heard.body["errors"]) == wrong
    assert after == before


@pytest.mark.parametrize(
    ("alias", "counter"),
    [
        ("passed", "status1_count"),
        ("success", "status1_count"),
        ("failed", "status2_count"),
        ("failure", "status2_count"),
        ("error", "status2_count"),
        ("retest", "status3_count"),
        ("blocked", "status4_count"),
        ("skipped", "status5_count"),
        ("known-issue", "status6_count"),
        ("untested", "untested_count"),
    ],
)
async def test_an_alias_counts_as_its_status(alias: str, counter: str) -> None:
    async with calling(Testmo()) as caller:
        run_id = await create(caller)
        thread = (await caller.post(f"/automation/runs/{run_id}/threads", {})).body["id"]
        await caller.post(f"/automation/runs/threads/{thread}/append", {"tests": [TEST | {"status": alias}] * 250})
        run = await run_of(caller, run_id)
    assert (run[counter], run["total_count"]) == (250, 250)


@pytest.mark.parametrize(
    ("headers", "data"),
    [
        ({"Content-Type": "text/plain"}, b"{}"),
        ({"Content-Type": "application/x-www-form-urlencoded"}, b"measure_elapsed=1"),
        ({"Content-Type": "application/json"}, b"{not json"),
        ({"Content-Type": "application/json"}, b'"text"'),
        ({"Content-Type": "application/json"}, b"[1]"),
    ],
)
async def test_a_body_that_is_not_a_json_object_is_400(headers: dict[str, str], data: bytes) -> None:
    async with calling(Testmo()) as caller:
        heard = await caller.ask("POST", f"/automation/runs/{GOING}/complete", headers=headers, data=data)
        run = await run_of(caller, GOING)
    assert heard.status == 400
    assert set(heard.body) == {"message"}
    assert not run["is_completed"]


async def test_a_lenient_server_ignores_unknown_properties() -> None:
    async with calling(Testmo(strict=False)) as caller:
        assert await create(caller, colour="red")


async def test_a_manual_run_can_be_closed_once_where_the_instance_knows_how() -> None:
    async with calling(Testmo(close_runs=True)) as caller:
        closed = await caller.ask("PATCH", "/runs/118", json={"is_closed": True})
        again = await caller.ask("PATCH", "/runs/118", json={"is_closed": True})
        reopened = await caller.ask("PATCH", "/runs/118", json={"is_closed": False})
    assert closed.status == 200
    assert (closed.body["result"]["is_closed"], closed.body["result"]["untested_count"]) == (True, 10)
    assert (again.status, reopened.status) == (422, 422)
