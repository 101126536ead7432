"""The town starts, the bot can run on its environment, trouble comes and goes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from click.testing import CliRunner

from bot.cli import main
from bot.config import read_settings
from bot.sandbox.demo import Town, play
from bot.sandbox.server import Clock
from bot.sandbox.slack import CannotDo
from bot.sandbox.testmo.server import DEMO_TOKEN
from tests.sandbox.demo.demo_fake_app import paper, text


@pytest.mark.parametrize(("http", "transport"), [(False, "socket"), (True, "http")])
async def test_the_environment_is_all_the_bot_needs(http: bool, transport: str) -> None:
    async with Town(http=http) as town:
        settings = read_settings(town.environment())
        assert settings.transport == transport
        assert [connection.name for connection in settings.connections] == ["testmo", "testrail", "practitest"]
        assert [connection.options["project"] for connection in settings.connections] == [1, 1, 4566]
        assert settings.slack_api_url == town.slack.api_url
        assert settings.port == 0


@pytest.mark.parametrize("mode", ["read", "write"])
async def test_the_bot_may_do_what_the_mode_says(mode: str) -> None:
    async with Town(mode=mode) as town:
        assert read_settings(town.environment()).mode == mode


@pytest.mark.parametrize(("mode", "expected"), [("read", "only reads here"), ("", "Close testrail:R118")])
def test_the_demo_keeps_the_mode_of_the_environment(mode: str, expected: str) -> None:
    told = CliRunner(env={"RUNDOWN_MODE": mode}).invoke(main, ["demo", "--run", "/runs close testrail:R118"])
    assert expected in told.output


async def test_two_towns_stand_side_by_side_on_loopback() -> None:
    async with Town() as one, Town() as other:
        urls = [
            url for town in (one, other) for url in (town.slack.url, *(server.url for server in town.systems.values()))
        ]
        assert len(set(urls)) == 8
        assert all(url.startswith("http://127.0.0.1:") for url in urls)


async def test_slack_delivers_to_a_port_that_answers_its_challenge() -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.json_response({"challenge": (await request.json())["challenge"]})

    app = web.Application()
    app.add_routes([web.post("/slack/events", answer)])
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port = runner.addresses[0][1]
    async with Town(http=True) as town:
        await town.connect_http(port)
        assert town.slack.http.request_url == f"http://127.0.0.1:{port}/slack/events"
    await runner.cleanup()


async def test_a_system_fails_and_heals() -> None:
    async with Town() as town, aiohttp.ClientSession(headers={"Authorization": f"Bearer {DEMO_TOKEN}"}) as session:

        async def status() -> int:
            async with session.get(f"{town.testmo.url}/api/v1/user") as answer:
                return answer.status

        seen = [await status()]
        town.fail("testmo")
        seen.append(await status())
        town.heal("testmo")
        seen.append(await status())
        assert seen == [200, 503, 200]


async def test_trouble_replaces_trouble() -> None:
    async with Town() as town:
        town.fail("testrail")
        town.slow("testrail")
        town.slow("practitest")
        assert [len(server.faults.script) for server in town.systems.values()] == [0, 1, 1]
        town.heal()
        assert [len(server.faults.script) for server in town.systems.values()] == [0, 0, 0]


async def test_an_unknown_system_is_refused_by_name() -> None:
    async with Town() as town:
        with pytest.raises(CannotDo, match="there are testmo, testrail, practitest"):
            town.fail("jira")


def clock_at(moment: str) -> Clock:
    clock = Clock()
    clock.move_to(datetime.fromisoformat(moment))
    return clock


async def newest_run(town: Town) -> dict[str, Any]:
    """The automation run of the webshop that began last, as Testmo tells it."""
    address = f"{town.testmo.url}/api/v1/projects/1/automation/runs"
    headers = {"Authorization": f"Bearer {DEMO_TOKEN}"}
    async with aiohttp.ClientSession(headers=headers) as session, session.get(address) as answer:
        rows: list[dict[str, Any]] = (await answer.json())["result"]
        return max(rows, key=lambda row: row["id"])


def held(town: Town) -> list[int]:
    """How many automation runs, runs and sets there are."""
    return [len(town.testmo.store.automation_runs), len(town.testrail.store.runs), len(town.practitest.account.sets)]


async def test_a_move_lets_every_system_live_before_the_bot_is_told() -> None:
    heard: list[tuple[bool, str]] = []
    async with Town(clock=clock_at("2026-11-20T12:00+00:00")) as town:
        moment = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)

        async def look() -> None:
            heard.append((town.clock.now() >= moment, (await newest_run(town))["name"]))

        before = held(town)
        town.on_move = look
        await town.move(moment)
        after = held(town)
    assert heard == [(True, "API contract #261, again")]
    assert [now - then for now, then in zip(after, before, strict=True)] == [9, 1, 1]


async def test_without_a_move_nothing_comes() -> None:
    async with Town(clock=clock_at("2026-11-21T01:59:59+00:00")) as town:
        name = (await newest_run(town))["name"]
        town.clock.move_to(datetime(2026, 11, 21, 8, 0, tzinfo=UTC))
        assert (await newest_run(town))["name"] == name == "API contract #260"


@pytest.mark.parametrize(
    ("now", "words", "told", "run"),
    [
        ("2026-11-18T12:00+00:00", "tomorrow 09:00", "Thursday 19 November 2026, 09:00", "API contract #261, again"),
        ("2026-11-20T12:00+00:00", "monday 09:00", "Monday 23 November 2026, 09:00", "API contract #263"),
        ("2026-10-24T12:00+00:00", "tomorrow 09:00", "Sunday 25 October 2026, 09:00", "API contract #261, again"),
        ("2026-10-25T00:30+00:00", "+1h", "Sunday 25 October 2026, 02:30", "API contract #260, again"),
        ("2026-10-25T00:30+00:00", "+3h", "Sunday 25 October 2026, 04:30", "API contract #261, again"),
        ("2027-03-27T12:00+00:00", "tomorrow 09:00", "Sunday 28 March 2027, 09:00", "API contract #261, again"),
        ("2027-03-27T12:00+00:00", "tomorrow 02:30", "Sunday 28 March 2027, 03:30", "API contract #260, again"),
    ],
)
async def test_the_clock_is_moved_in_words_also_when_clocks_change(now: str, words: str, told: str, run: str) -> None:
    console = paper()
    async with Town(clock=clock_at(now)) as town:
        assert await play(town, [f":clock {words}"], "ana", "#release", console) == 0
        assert (await newest_run(town))["name"] == run
    assert f"It is {told} in Europe/Berlin." in text(console)


async def test_time_only_goes_forward() -> None:
    console = paper()
    async with Town(clock=clock_at("2026-11-20T12:00+00:00")) as town:
        assert await play(town, [":clock 2026-11-20 12:59"], "ana", "#release", console) == 1
        assert town.clock.now() - datetime(2026, 11, 20, 12, tzinfo=UTC) < timedelta(minutes=5)
    assert "Time only goes forward here." in text(console)
