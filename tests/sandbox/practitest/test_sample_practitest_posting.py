"""The sample PractiTest's rules for new runs, and for changes of sets and instances."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest

from bot.sandbox.practitest import PractiTest
from bot.sandbox.server import running

INSTANCE = 98142
LOG = base64.b64encode(b"one line\n" * 40).decode()


@pytest.fixture
async def server() -> AsyncIterator[PractiTest]:
    made = PractiTest(personal_tokens={"toms-token": 5381})
    async with running(made):
        yield made


async def send(
    server: PractiTest,
    body: Any,
    *,
    method: str = "POST",
    path: str = "runs",
    token: str = "",
    **options: Any,
) -> tuple[int, Any]:
    headers = {"PTToken": token or server.token, "Content-Type": "application/json", **options.pop("headers", {})}
    raw = body if isinstance(body, str | bytes) else json.dumps(body)
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.request(method, f"{server.url}/api/v2/projects/4566/{path}.json", data=raw) as answer,
    ):
        return answer.status, await answer.json()


def run(steps: Any = None, files: Any = None, **attributes: Any) -> dict[str, Any]:
    """One item of the body, as the vendor's page shows it."""
    item: dict[str, Any] = {
        "type": "instances",
        "attributes": {
            "instance-id": INSTANCE,
            **{name.replace("_", "-"): value for name, value in attributes.items()},
        },
    }
    if steps is not None:
        item["steps"] = {"data": steps}
    if files is not None:
        item["files"] = {"data": files}
    return item


def step(status: str, **more: Any) -> dict[str, Any]:
    return {"name": f"is {status}", "expected-results": "result", "status": status, **more}


@pytest.mark.parametrize(
    ("item", "status"),
    [
        (run(exit_code=0), "PASSED"),
        (run(exit_code=1), "FAILED"),
        (run(exit_code=-7), "FAILED"),
        (run(exit_code="0"), "PASSED"),
        (run(), "FAILED"),
        (run([step("FAILED"), step("PASSED")], exit_code=0), "FAILED"),
        (run([step("PASSED"), step("PASSED")], exit_code=1), "PASSED"),
        (run([step("PASSED"), step("BLOCKED")]), "BLOCKED"),
        (run([step("BLOCKED"), step("FAILED")]), "FAILED"),
        (run([step("PASSED"), step("N/A")]), "PASSED"),
        (run([step("N/A")]), "N/A"),
        (run([step("NO RUN")]), "NO RUN"),
        (run([step("PASSED"), step("NO RUN")]), "NOT COMPLETED"),
        (run([{"name": "no status"}]), "NO RUN"),
        (run([], exit_code=0), "PASSED"),
    ],
)
async def test_exit_code_and_steps_decide_the_status(server: PractiTest, item: Any, status: str) -> None:
    got, body = await send(server, {"data": item})
    assert got == 200
    assert body["data"]["attributes"]["status"] == status
    assert server.account.instances[INSTANCE].run_status == status


async def test_a_new_run_is_answered_and_listed(server: PractiTest) -> None:
    _status, body = await send(
        server,
        {
            "data": run(
                exit_code=0,
                automated_execution_output="THIS IS MY OUTPUT",
                run_duration="00:05:07",
                version="1.5",
                custom_fields={"---f-45293": "Win"},
            )
        },
    )
    made = body["data"]
    expected = {
        "project-id": 4566,
        "status": "PASSED",
        "tester-id": None,
        "instance-id": INSTANCE,
        "preconditions": None,
        "version": "1.5",
        "test-id": 80893,
        "run-type": "AutomatedRun",
        "custom-fields": {"---f-45293": "Win"},
        "automated-execution-output": "THIS IS MY OUTPUT",
        "run-duration": "00:05:07",
    }
    assert {name: value for name, value in made["attributes"].items() if not name.endswith("-at")} == expected
    _status, listed = await send(server, "", method="GET", path="runs")
    assert listed["data"][0] == made


async def test_a_run_moves_its_instance_its_set_and_its_test(server: PractiTest) -> None:
    await send(server, {"data": run(exit_code=0, run_duration="01:00:00")})
    now = server.clock.now()
    place, home = server.account.instances[INSTANCE], server.account.sets[55]
    assert (place.run_status, place.last_duration_s) == ("PASSED", 3600)
    assert place.last_run is not None
    assert abs((now - place.last_run).total_seconds()) < 60
    assert home.last_run == place.last_run
    assert server.account.tests[80893].run_status == "PASSED"


async def test_a_set_passes_when_its_last_failure_is_mended(server: PractiTest) -> None:
    home = server.account.sets[64]
    for place in server.account.instances_of(home.id):
        assert home.run_status != "PASSED"
        server.add_run(place.id, "PASSED")
    assert home.run_status == "PASSED"


@pytest.mark.parametrize("count", [1, 2, 20])
async def test_an_array_of_runs_is_answered_with_an_array(server: PractiTest, count: int) -> None:
    status, body = await send(
        server,
        {
            "data": [
                {"type": "instances", "attributes": {"instance-id": INSTANCE + number, "exit-code": 0}}
                for number in range(count)
            ]
        },
    )
    assert status == 200
    assert list(body) == ["data"]
    assert [row["attributes"]["instance-id"] for row in body["data"]] == list(range(INSTANCE, INSTANCE + count))


@pytest.mark.parametrize(
    "item",
    [
        {"attributes": {"instance-id": INSTANCE, "exit-code": 0}},
        {"type": "runs", "attributes": {"instance-id": INSTANCE, "exit-code": 0}},
        {"type": "instances", "attributes": {"instance-id": str(INSTANCE), "exit-code": 0}},
    ],
)
async def test_spellings_of_the_vendors_own_clients_are_taken(server: PractiTest, item: Any) -> None:
    status, _body = await send(server, {"data": item})
    assert status == 200


async def test_a_manual_run_has_its_tester_and_its_date(server: PractiTest) -> None:
    status, body = await send(
        server,
        {
            "data": run(
                [step("PASSED")],
                run_type="ManualRun",
                tester_id=5382,
                run_date="2026-03-01T12:43:31Z",
            )
        },
    )
    place = server.account.instances[INSTANCE]
    assert status == 200
    assert (body["data"]["attributes"]["run-type"], body["data"]["attributes"]["tester-id"]) == ("ManualRun", 5382)
    assert (place.tester_id, place.last_run) == (5382, datetime(2026, 3, 1, 12, 43, 31, tzinfo=UTC))


async def test_a_personal_token_is_the_tester(server: PractiTest) -> None:
    _status, body = await send(server, {"data": run(exit_code=0, run_type="ManualRun")}, token="toms-token")
    assert body["data"]["attributes"]["tester-id"] == 5381


async def test_run_type_outside_the_attributes_is_not_seen(server: PractiTest) -> None:
    item = {**run([step("PASSED")]), "run-type": "ManualRun", "tester-id": 5381}
    _status, body = await send(server, {"data": item})
    assert body["data"]["attributes"]["run-type"] == "AutomatedRun"


async def test_files_are_kept_with_run_and_step(server: PractiTest) -> None:
    broken = "\n".join(LOG[at : at + 60] for at in range(0, len(LOG), 60)) + "\n "
    body = json.dumps(
        {
            "data": run(
                [step("FAILED", files={"data": [{"filename": "log.html", "content_encoded": "aGk="}]})],
                [{"filename": "one.log", "content_encoded": "MARK"}],
            )
        }
    ).replace("MARK", broken)
    status, answer = await send(server, body)
    assert status == 200
    assert [(file.run_id, file.filename, file.content, file.step) for file in server.account.attachments] == [
        (int(answer["data"]["id"]), "one.log", b"one line\n" * 40, None),
        (int(answer["data"]["id"]), "log.html", b"hi", 1),
    ]


@pytest.mark.parametrize(
    "item",
    [
        {"type": "instances", "attributes": {"exit-code": 0}},
        {"type": "instances"},
        {"type": "sets", "attributes": {"instance-id": INSTANCE}},
        "98142",
        run(instance_id=1),
        run(instance_id="16:1"),
        run(instance_id=True),
        run(exit_code="passed"),
        run(run_type="Manual"),
        run(run_type="ManualRun", exit_code=0),
        run(run_type="ManualRun", exit_code=0, tester_id=5301),
        run(run_type="ManualRun", exit_code=0, tester_id=5381, automated_execution_output="x"),
        run(run_type="ManualRun", exit_code=0, tester_id=5381, run_date="yesterday"),
        run(exit_code=0, run_date="2026-03-01"),
        run(exit_code=0, tester_id=5381),
        run(exit_code=0, run_duration="100:00:00"),
        run(exit_code=0, run_duration="0:05:00"),
        run(exit_code=0, run_duration="5m"),
        run(exit_code=0, run_duration="00:61:00"),
        run(exit_code=0, run_duration=300),
        run(exit_code=0, automated_execution_output="x" * 256),
        run(exit_code=0, automated_execution_output=["x"]),
        run(exit_code=0, custom_fields={"---f-1": "Win"}),
        run(exit_code=0, custom_fields={"OS": "Win"}),
        run(exit_code=0, custom_fields={"---f-45293": "Amiga"}),
        run(exit_code=0, custom_fields={"---f-46001": "Pixel 9"}),
        run(exit_code=0, custom_fields=["Win"]),
        run([step("NOT COMPLETED")]),
        run([step("passed")]),
        run([{"status": "PASSED"}]),
        run([{"name": "x" * 256, "status": "PASSED"}]),
        run("PASSED"),
        run(files=[{"filename": "a.log", "content_encoded": "not base64!"}]),
        run(files=[{"filename": "a.log"}]),
        run(files=[{"content_encoded": "aGk="}]),
    ],
)
async def test_wrong_runs_are_refused_and_nothing_is_added(server: PractiTest, item: Any) -> None:
    before = len(server.account.runs)
    status, body = await send(server, {"data": [run(exit_code=0), item]})
    assert status == 422
    assert body["errors"][0]["title"]
    assert len(server.account.runs) == before


@pytest.mark.parametrize("length", [0, 1, 255])
async def test_output_has_room_for_255_characters(server: PractiTest, length: int) -> None:
    status, _body = await send(server, {"data": run(exit_code=1, automated_execution_output="ß" * length)})
    assert status == 200


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        ({"data": [run(exit_code=0)] * 21}, {}, 422),
        ({"data": []}, {}, 422),
        ({}, {}, 422),
        ([], {}, 422),
        ("{", {}, 400),
        (b"\xff\xfe{", {}, 400),
        ("", {}, 400),
        ({"data": run(exit_code=0)}, {"Content-Type": "text/plain"}, 422),
        ({"data": run(exit_code=0)}, {"Content-Type": "application/x-www-form-urlencoded"}, 422),
    ],
)
async def test_wrong_bodies_are_refused(server: PractiTest, body: Any, headers: dict[str, str], status: int) -> None:
    got, answer = await send(server, body, headers=headers)
    assert got == status
    assert answer["errors"][0]["title"]


async def test_a_set_is_marked_by_a_custom_field(server: PractiTest) -> None:
    status, body = await send(
        server,
        {"data": {"type": "sets", "attributes": {"custom-fields": {"---f-45911": "Done"}}}},
        method="PUT",
        path="sets/55",
    )
    assert status == 200
    assert body["data"]["attributes"]["custom-fields"]["---f-45911"] == "Done"
    assert body["data"]["attributes"]["custom-fields"]["---f-45293"] == "Win"
    assert body["data"]["attributes"]["run-status"] == "FAILED"


@pytest.mark.parametrize(
    ("attributes", "shown"),
    [
        ({"name": "UAT cart 2"}, {"name": "UAT cart 2"}),
        ({"version": 1.5, "priority": "highest"}, {"version": "1.5", "priority": "highest"}),
        ({"planned-execution": "2017-03-01T12:43:31Z"}, {"planned-execution": "2017-03-01T12:43:31+00:00"}),
        ({"assigned-to-id": 354, "assigned-to-type": "group"}, {"assigned-to-id": 354, "assigned-to-type": "group"}),
        ({"assigned-to-id": 5380}, {"assigned-to-id": 5380, "assigned-to-type": "user"}),
        ({"assigned-to-id": None}, {"assigned-to-id": None, "assigned-to-type": None}),
        ({"milestone-id": 102}, {"milestone-id": 102}),
        ({"custom-fields": {"---f-45916": ["ClientC"]}}, {}),
        ({"run-status": "PASSED"}, {"run-status": "FAILED"}),
    ],
)
async def test_sets_can_be_changed(server: PractiTest, attributes: Any, shown: dict[str, Any]) -> None:
    status, body = await send(server, {"data": {"attributes": attributes}}, method="PUT", path="sets/55")
    assert status == 200
    assert {name: body["data"]["attributes"][name] for name in shown} == shown


async def test_an_instance_can_be_changed(server: PractiTest) -> None:
    body = {"data": {"type": "instances", "attributes": {"version": 1.5, "custom-fields": {"---f-45390": "Chrome"}}}}
    status, answer = await send(server, body, method="PUT", path="instances/98143")
    assert status == 200
    assert answer["data"]["attributes"]["custom-fields"] == {"---f-45390": "Chrome"}


@pytest.mark.parametrize(
    "attributes",
    [
        {"name": ""},
        {"custom-fields": {"---f-45911": "Closed"}},
        {"custom-fields": {"---f-46001": "Pixel 9"}},
        {"milestone-id": 103},
        {"assigned-to-id": 999},
        {"assigned-to-id": 5380, "assigned-to-type": "team"},
        {"planned-execution": "soon"},
        {"custom-fields": "Done"},
    ],
)
async def test_wrong_changes_are_refused(server: PractiTest, attributes: Any) -> None:
    before = server.account.sets[55].updated_at
    status, _body = await send(server, {"data": {"attributes": attributes}}, method="PUT", path="sets/55")
    assert status == 422
    assert server.account.sets[55].updated_at == before
