"""Deliveries as signed HTTP requests: with a real Bolt app, and with apps that misbehave."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs

import pytest
from aiohttp import web

from bot.sandbox.slack import CannotDo, Workspace
from bot.sandbox.slack.signed_http import sign
from bot.sandbox.world import ANA, LEA
from tests.sandbox.slack.local_slack_kit import actions, bolt, button, client, listening, listening_bolt


async def test_bolt_takes_commands_clicks_and_events_over_http() -> None:
    async with Workspace(messages_per_second=None) as ws:
        app = bolt(ws)

        @app.command("/runs")
        async def runs(ack: Any, respond: Any) -> None:
            await ack()
            await respond(text="card", blocks=[actions(button("close", value="R118"))])

        @app.action("close")
        async def close(ack: Any, action: dict[str, Any], respond: Any) -> None:
            await ack()
            await respond(text=f"closing {action['value']}", replace_original=True)

        @app.event("app_mention")
        async def mention(event: dict[str, Any], say: Any) -> None:
            await say("hello", thread_ts=event["ts"])

        async with listening_bolt(app) as url:
            await ws.connect_http(url)
            delivery = await ws.command(ANA, "#release", "/runs", "show R118")
            card = await ws.next_message()
            clicked = await ws.click(ANA, card, "close")
            await ws.until(lambda: ws.now(card).text == "closing R118")
            mention_told = await ws.mention(LEA, "#release", "hi")
            await ws.next_message(lambda message: message.text == "hello")
        assert (delivery.acked, clicked.acked, mention_told.acked) == (True, True, True)
        assert ws.errors == []


async def test_requests_are_signed_and_shaped_like_slacks() -> None:
    got: list[tuple[dict[str, str], bytes]] = []

    async def handle(request: web.Request) -> web.StreamResponse:
        got.append((dict(request.headers), await request.read()))
        return web.Response()

    async with Workspace() as ws, listening(handle) as url, client(ws) as slack:
        await ws.connect_http(url, verify=False)
        await ws.command(ANA, "#release", "/runs", "show R118 & more")
        await slack.chat_postMessage(channel="#release", text="a", blocks=[actions(button())])
        await ws.click(ANA, ws.said()[0], 1)
        await ws.mention(ANA, "#release", "hi")
        for headers, body in got:
            timestamp = headers["X-Slack-Request-Timestamp"]
            assert headers["X-Slack-Signature"] == sign(ws.signing_secret, timestamp, body)
    command, click, mention = got
    assert command[0]["Content-Type"] == click[0]["Content-Type"] == "application/x-www-form-urlencoded"
    assert parse_qs(command[1].decode())["text"] == ["show R118 &amp; more"]
    assert json.loads(parse_qs(click[1].decode())["payload"][0])["type"] == "block_actions"
    assert mention[0]["Content-Type"] == "application/json"
    assert json.loads(mention[1])["type"] == "event_callback"
    assert "X-Slack-Retry-Num" not in mention[0]


async def test_a_request_url_must_answer_the_challenge() -> None:
    async def handle(_: web.Request) -> web.StreamResponse:
        return web.Response(text="hello?")

    async with Workspace() as ws, listening(handle) as url:
        with pytest.raises(CannotDo):
            await ws.connect_http(url)


async def test_events_are_repeated_three_times_with_number_and_reason() -> None:
    got: list[tuple[str, str]] = []

    async def handle(request: web.Request) -> web.StreamResponse:
        got.append((request.headers.get("X-Slack-Retry-Num", ""), request.headers.get("X-Slack-Retry-Reason", "")))
        return web.Response(status=500)

    async with Workspace() as ws, listening(handle) as url:
        await ws.connect_http(url, verify=False)
        delivery = await ws.mention(ANA, "#release", "hi")
        for number, wait_s in ((2, 0), (3, 60), (4, 300)):
            ws.clock.move_to(ws.clock.now() + timedelta(seconds=wait_s))
            count = number
            await ws.until(lambda: len(got) == count)  # noqa: B023
        await ws.until(lambda: delivery.retries == 3)
    assert got == [("", ""), ("1", "http_error"), ("2", "http_error"), ("3", "http_error")]
    assert not delivery.acked


async def test_an_app_can_ask_not_to_be_told_again() -> None:
    async def handle(_: web.Request) -> web.StreamResponse:
        return web.Response(status=503, headers={"X-Slack-No-Retry": "1"})

    async with Workspace() as ws, listening(handle) as url:
        await ws.connect_http(url, verify=False)
        delivery = await ws.mention(ANA, "#release", "hi")
        assert delivery.attempts[0].no_retry
        await ws.until(lambda: not ws.courier.busy)
        assert len(delivery.attempts) == 1


async def test_a_slow_answer_is_a_timeout_and_a_wrong_one_a_failure() -> None:
    asked, never = asyncio.Event(), asyncio.Event()

    async def handle(request: web.Request) -> web.StreamResponse:
        if b"slow" in await request.read():
            asked.set()
            await never.wait()
        return web.Response(status=404)

    async with Workspace() as ws, listening(handle) as url:
        await ws.connect_http(url, verify=False)
        assert (await ws.command(ANA, "#release", "/runs", "wrong")).user_error == "dispatch_failed"
        typing = asyncio.create_task(ws.command(ANA, "#release", "/runs", "slow"))
        await asked.wait()
        ws.clock.move_to(ws.clock.now() + timedelta(seconds=3.1))
        assert (await typing).user_error == "operation_timeout"
        never.set()


async def test_nobody_listening_is_a_failed_dispatch() -> None:
    async with Workspace() as ws:
        await ws.connect_http("http://127.0.0.1:9/slack/events", verify=False)
        assert (await ws.command(ANA, "#release", "/runs")).user_error == "dispatch_failed"


async def test_a_replay_is_the_same_to_the_byte() -> None:
    got: list[tuple[str, bytes]] = []

    async def handle(request: web.Request) -> web.StreamResponse:
        got.append((request.headers["X-Slack-Signature"], await request.read()))
        return web.Response()

    async with Workspace() as ws, listening(handle) as url:
        await ws.connect_http(url, verify=False)
        delivery = await ws.command(ANA, "#release", "/runs", "close R118")
        await ws.replay(delivery)
        assert got[0] == got[1]
        await ws.redeliver(delivery)
        assert got[2][1] == got[0][1]
