"""What the tests of the local Slack share: a real client, a real Bolt app, small blocks."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox.slack import Workspace


@asynccontextmanager
async def client(ws: Workspace, token: str | None = None) -> AsyncIterator[AsyncWebClient]:
    """A real Web API client of the workspace."""
    async with aiohttp.ClientSession() as session:
        yield AsyncWebClient(ws.bot_token if token is None else token, base_url=ws.api_url, session=session)


def bolt(ws: Workspace) -> AsyncApp:
    """A real Bolt app of the workspace."""
    return AsyncApp(
        client=AsyncWebClient(ws.bot_token, base_url=ws.api_url),
        signing_secret=ws.signing_secret,
        process_before_response=True,
    )


@asynccontextmanager
async def connected(ws: Workspace, *apps: AsyncApp, ping_interval: float = 10) -> AsyncIterator[None]:
    """The apps, each with a socket of its own."""
    handlers = [AsyncSocketModeHandler(app, ws.app_token, ping_interval=ping_interval) for app in apps]
    try:
        for handler in handlers:
            await handler.connect_async()  # type: ignore[no-untyped-call]
        await ws.connected(len(handlers))
        yield
    finally:
        for handler in handlers:
            await handler.close_async()  # type: ignore[no-untyped-call]


@asynccontextmanager
async def listening(handler: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> AsyncIterator[str]:
    """An HTTP server for an app's request URL."""
    server = web.Application()
    server.router.add_post("/slack/events", handler)
    runner = web.AppRunner(server, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def listening_bolt(app: AsyncApp) -> AsyncIterator[str]:
    """A real Bolt app behind a request URL."""

    async def handle(request: web.Request) -> web.StreamResponse:
        return await to_aiohttp_response(await app.async_dispatch(await to_bolt_request(request)))

    async with listening(handle) as url:
        yield url


def plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text}


def mrkdwn(text: str) -> dict[str, Any]:
    return {"type": "mrkdwn", "text": text}


def section(text: str = "words", **more: Any) -> dict[str, Any]:
    return {"type": "section", "text": mrkdwn(text), **more}


def button(action_id: str = "close", text: str = "Close", **more: Any) -> dict[str, Any]:
    return {"type": "button", "text": plain(text), "action_id": action_id, **more}


def actions(*elements: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "actions", "elements": list(elements), **more}


def option(text: str = "one", value: str | None = None, **more: Any) -> dict[str, Any]:
    return {"text": plain(text), "value": text if value is None else value, **more}


def asking(block_id: str = "why", **more: Any) -> dict[str, Any]:
    """An input block with a text input."""
    element = {"type": "plain_text_input", "action_id": "typed", **more}
    return {"type": "input", "block_id": block_id, "label": plain("Why"), "element": element}


def modal(*blocks: dict[str, Any], title: str = "Close", **more: Any) -> dict[str, Any]:
    return {"type": "modal", "title": plain(title), "submit": plain("Go"), "blocks": list(blocks), **more}
