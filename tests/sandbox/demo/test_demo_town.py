"""The town starts, the bot can run on its environment, trouble comes and goes."""

from __future__ import annotations

import aiohttp
import pytest
from aiohttp import web

from bot.config import read_settings
from bot.sandbox.demo import Town
from bot.sandbox.slack import CannotDo
from bot.sandbox.testmo.server import DEMO_TOKEN


@pytest.mark.parametrize(("http", "transport"), [(False, "socket"), (True, "http")])
async def test_the_environment_is_all_the_bot_needs(http: bool, transport: str) -> None:
    async with Town(http=http) as town:
        settings = read_settings(town.environment())
        assert settings.transport == transport
        assert [connection.name for connection in settings.connections] == ["testmo", "testrail", "practitest"]
        assert [connection.options["project"] for connection in settings.connections] == [1, 1, 4566]
        assert settings.slack_api_url == town.slack.api_url
        assert settings.port == 0


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
