"""`rundown serve` as an operator meets it: settings, tokens, readiness, restarts, the end."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import aiohttp
import pytest

from bot.app import Rundown, StartError
from bot.config import read_settings
from bot.sandbox.server import Clock, running
from bot.sandbox.slack import Workspace
from bot.sandbox.testmo import Testmo


def environment(slack: Workspace, testmo: Testmo, **more: str) -> dict[str, str]:
    return {
        "SLACK_BOT_TOKEN": slack.bot_token,
        "SLACK_API_URL": slack.api_url,
        "TESTMO_URL": testmo.url,
        "TESTMO_TOKEN": "testmo-demo-token",
        "TESTMO_PROJECT": "1",
        "RUNDOWN_DB": ":memory:",
        "PORT": "0",
        **more,
    }


@asynccontextmanager
async def servers() -> AsyncIterator[tuple[Workspace, Testmo]]:
    clock = Clock()
    testmo = Testmo(clock)
    async with running(testmo), Workspace(clock) as slack:
        yield slack, testmo


async def serve(env: Mapping[str, str]) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bot",
        "serve",
        env={"PATH": os.environ["PATH"], **env},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def test_all_complaints_about_settings_come_at_once_and_show_no_secret() -> None:
    process = await serve({"SLACK_BOT_TOKEN": "not-a-token-but-secret", "TESTMO_URL": "acme", "PORT": "ninety"})
    _, said = await process.communicate()
    text = said.decode()
    assert process.returncode == 2
    for name in ("SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "TESTMO_URL", "TESTMO_TOKEN", "PORT"):
        assert name in text
    assert "not-a-token-but-secret" not in text
    assert "Traceback" not in text


@pytest.mark.parametrize("token", ["SLACK_BOT_TOKEN", "SLACK_APP_TOKEN"])
async def test_a_token_that_slack_refuses_ends_the_start_and_is_named(token: str) -> None:
    async with servers() as (slack, testmo):
        env = environment(slack, testmo, SLACK_APP_TOKEN=slack.app_token)
        env[token] = "xapp-1-wrong" if "APP" in token else "xoxb-wrong"
        process = await serve(env)
        _, said = await process.communicate()
        assert process.returncode == 1
        assert token in said.decode()
        assert "Traceback" not in said.decode()


async def test_at_sigterm_what_was_asked_is_answered_and_then_it_ends() -> None:
    async with servers() as (slack, testmo):
        process = await serve(environment(slack, testmo, SLACK_APP_TOKEN=slack.app_token))
        await slack.connected(timeout_s=20)
        await slack.command("ana", "#release", "/runs", "version")
        await slack.next_message(timeout_s=15)
        testmo.faults.delay("automation/runs/412", 1.0)
        await slack.command("ana", "#release", "/runs", "show A412")
        process.send_signal(signal.SIGTERM)
        answer = await slack.next_message(lambda message: "A412" in message.text, timeout_s=15)
        assert "71 passed" in slack.words(answer)
        _, said = await process.communicate()
        assert process.returncode == 0, said.decode()
        assert "never retrieved" not in said.decode()


async def test_readiness_waits_for_slack_and_says_what_is_missing() -> None:
    async with servers() as (slack, testmo):
        slack.fail("auth.test", "internal_error", times=2)
        env = environment(slack, testmo, SLACK_SIGNING_SECRET=slack.signing_secret)
        bot = Rundown(read_settings(env), host="127.0.0.1")
        starting = asyncio.create_task(bot.start())
        try:
            await slack.until(lambda: bot.web is not None and bot.web.port)
            assert bot.web is not None
            address = f"http://127.0.0.1:{bot.web.port}"
            async with aiohttp.ClientSession() as session:
                async with session.get(f"{address}/healthz") as healthy:
                    assert healthy.status == 200
                async with session.get(f"{address}/readyz") as early:
                    assert early.status == 503
                    assert "slack" in (await early.json())["missing"]
                await starting
                async with session.get(f"{address}/readyz") as late:
                    assert late.status == 200, await late.text()
        finally:
            await bot.stop()


async def test_a_port_that_is_taken_ends_the_start_with_the_way_out() -> None:
    async with servers() as (slack, testmo):
        taken = testmo.url.rsplit(":", 1)[1]
        process = await serve(environment(slack, testmo, SLACK_SIGNING_SECRET=slack.signing_secret, PORT=taken))
        _, said = await process.communicate()
        assert process.returncode == 1
        assert "PORT" in said.decode()
        assert "Traceback" not in said.decode()


async def test_a_refreshed_and_a_cut_socket_lose_no_command() -> None:
    async with servers() as (slack, testmo):
        bot = Rundown(read_settings(environment(slack, testmo, SLACK_APP_TOKEN=slack.app_token)), host="127.0.0.1")
        await bot.start()
        try:
            await slack.connected()
            await slack.refresh("refresh_requested")
            await slack.until(lambda: any(not link.leaving for link in slack.connections))
            assert (await slack.command("ana", "#release", "/runs", "version")).acked
            before = list(slack.connections)
            slack.cut_connections()
            await slack.until(lambda: any(link not in before for link in slack.connections), timeout_s=20)
            assert (await slack.command("ana", "#release", "/runs", "version")).acked
        finally:
            await bot.stop()


async def test_a_database_of_something_else_ends_the_start(tmp_path: object) -> None:
    path = f"{tmp_path}/notes.txt"
    with open(path, "w") as file:  # noqa: ASYNC230 - a small file of a test
        file.write("these are my notes, not a database, and they are longer than a header " * 10)
    async with servers() as (slack, testmo):
        process = await serve(environment(slack, testmo, SLACK_APP_TOKEN=slack.app_token, RUNDOWN_DB=path))
        _, said = await process.communicate()
        assert process.returncode == 1
        assert "RUNDOWN_DB" in said.decode()


async def test_slack_refusing_us_is_a_start_error_with_the_variable() -> None:
    async with servers() as (slack, testmo):
        env = environment(slack, testmo, SLACK_APP_TOKEN=slack.app_token, SLACK_BOT_TOKEN="xoxb-somebody-elses")
        bot = Rundown(read_settings(env), host="127.0.0.1")
        with pytest.raises(StartError, match="SLACK_BOT_TOKEN"):
            await bot.start()
        await bot.stop()


async def test_while_it_stops_a_command_over_http_is_told_so_and_not_taken() -> None:
    async with servers() as (slack, testmo):
        env = environment(slack, testmo, SLACK_SIGNING_SECRET=slack.signing_secret)
        bot = Rundown(read_settings(env), host="127.0.0.1")
        await bot.start()
        assert bot.web is not None
        await slack.connect_http(f"http://127.0.0.1:{bot.web.port}/slack/events")
        testmo.faults.delay("automation/runs/412", 1.0)
        await slack.command("ana", "#release", "/runs", "show A412")
        stopping = asyncio.create_task(bot.stop())
        await slack.until(lambda: bot.missing().get("slack") == "shutting down")
        told = await slack.command("tom", "#release", "/runs", "show A412")
        assert told.acked
        answers = [await slack.next_message(timeout_s=8), await slack.next_message(timeout_s=8)]
        await stopping
        words = [slack.words(message) for message in answers]
        assert any("restarting" in text for text in words)
        assert any("71 passed" in text for text in words)
