"""response_url: how often, how long, for whom, replacing what."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import aiohttp
import pytest

from bot.sandbox.slack import Workspace
from bot.sandbox.world import ANA, TOM
from tests.sandbox.slack.local_slack_kit import actions, bolt, button, client, connected, section


@asynccontextmanager
async def commanded() -> AsyncIterator[tuple[Workspace, str]]:
    """A workspace where Ana has just typed a command; gives its response_url."""
    async with Workspace() as ws:
        app = bolt(ws)

        @app.command("/runs")
        async def runs(ack: Any) -> None:
            await ack()

        async with connected(ws, app):
            yield ws, (await ws.command(ANA, "#release", "/runs")).response_url


async def post(url: str, words: Any) -> tuple[int, str]:
    async with aiohttp.ClientSession() as http, http.post(url, json=words) as answer:
        return answer.status, await answer.text()


async def test_the_answer_is_ephemeral_unless_told_otherwise() -> None:
    async with commanded() as (ws, url):
        assert await post(url, {"text": "a"}) == (200, "ok")
        assert await post(url, {"text": "b", "response_type": "in_channel"}) == (200, "ok")
        assert [message.text for message in ws.seen_by(ANA, "#release")] == ["a", "b"]
        assert [message.text for message in ws.seen_by(TOM, "#release")] == ["b"]


async def test_five_uses_and_no_more() -> None:
    async with commanded() as (ws, url):
        for _ in range(5):
            assert (await post(url, {"text": "a"}))[0] == 200
        assert await post(url, {"text": "a"}) == (404, "used_url")
        assert [refusal.error for refusal in ws.errors] == ["used_url"]


async def test_thirty_minutes_and_no_more() -> None:
    async with commanded() as (ws, url):
        ws.clock.move_to(ws.clock.now() + timedelta(minutes=29))
        assert (await post(url, {"text": "a"}))[0] == 200
        ws.clock.move_to(ws.clock.now() + timedelta(minutes=2))
        assert await post(url, {"text": "a"}) == (404, "expired_url")


@pytest.mark.parametrize(
    ("words", "error"),
    [
        ({}, "no_text"),
        ({"text": "a", "blocks": [section("")]}, "invalid_blocks"),
        ({"text": "a", "blocks": "[{"}, "invalid_blocks_format"),
        (["a"], "invalid_payload"),
    ],
)
async def test_what_is_said_is_judged_and_not_counted(words: Any, error: str) -> None:
    async with commanded() as (ws, url):
        assert await post(url, words) == (400, error)
        assert ws.response_urls.find(url).uses == []


async def test_the_total_limit_of_messages_does_not_apply() -> None:
    async with commanded() as (_, url):
        assert (await post(url, {"text": "a", "blocks": [section("a" * 3000)] * 5}))[0] == 200


async def test_a_command_replaces_its_own_last_words() -> None:
    async with commanded() as (ws, url):
        await post(url, {"text": "looking", "replace_original": True})
        await post(url, {"text": "found", "replace_original": True})
        (message,) = ws.seen_by(ANA, "#release")
        assert (message.text, message.edits, message.only_for) == ("found", 1, ANA.slack)
        await post(url, {"delete_original": True})
        assert ws.seen_by(ANA, "#release") == []


async def test_a_click_replaces_the_message_it_was_made_in() -> None:
    async with Workspace() as ws, client(ws) as slack:
        app = bolt(ws)

        @app.action("close")
        async def close(ack: Any) -> None:
            await ack()

        async with connected(ws, app):
            await slack.chat_postMessage(channel="#release", text="card", blocks=[actions(button())])
            (card,) = ws.said()
            url = (await ws.click(TOM, card, "Close")).response_url
            await post(url, {"text": "just for you"})
            await post(url, {"text": "closed", "replace_original": True})
            await post(url, {"text": "in its thread", "thread_ts": card.ts, "response_type": "in_channel"})
        assert [message.text for message in ws.seen_by(ANA, "#release")] == ["closed"]
        assert [message.text for message in ws.seen_by(TOM, "#release")] == ["closed", "just for you"]
        assert [message.text for message in ws.thread(ANA, card)] == ["closed", "in its thread"]


async def test_an_ephemeral_message_is_changed_only_this_way() -> None:
    async with Workspace() as ws, client(ws) as slack:
        app = bolt(ws)

        @app.action("share")
        async def share(ack: Any, body: dict[str, Any], respond: Any) -> None:
            await ack()
            assert body["container"]["is_ephemeral"]
            assert "message" not in body
            await respond(delete_original=True)

        async with connected(ws, app):
            await slack.chat_postEphemeral(
                channel="#release", user=ANA.slack, text="card", blocks=[actions(button("share", "Share"))]
            )
            (card,) = ws.seen_by(ANA, "#release")
            await ws.click(ANA, card, "Share")
            await ws.until(lambda: ws.seen_by(ANA, "#release") == [])
        assert ws.errors == []


async def test_unknown_urls_and_scripted_faults() -> None:
    async with commanded() as (ws, url):
        assert (await post(f"{ws.url}/commands/T0/1/x", {"text": "a"})) == (404, "no_service")
        ws.faults.answer(r"POST /commands/", 500, "sorry", times=1)
        assert await post(url, {"text": "a"}) == (500, "sorry")
        assert (await post(url, {"text": "a"}))[0] == 200
