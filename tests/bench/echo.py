"""The yardstick: the smallest Bolt app there is, as its own first page shows it. Over HTTP: its built-in server."""

from __future__ import annotations

import asyncio
import os
import sys
from typing import Any

from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

TEXT = "Hello"


def echo_app() -> AsyncApp:
    app = AsyncApp(
        signing_secret=os.environ.get("SLACK_SIGNING_SECRET", "not used in Socket Mode"),
        client=AsyncWebClient(os.environ["SLACK_BOT_TOKEN"], base_url=os.environ["SLACK_API_URL"]),
    )

    @app.command("/runs")
    async def say_hello(ack: Any) -> None:
        await ack(TEXT)

    return app


async def by_socket() -> None:
    from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler

    await AsyncSocketModeHandler(echo_app(), os.environ["SLACK_APP_TOKEN"]).start_async()  # type: ignore[no-untyped-call]


if __name__ == "__main__":
    if sys.argv[1:] == ["socket"]:
        asyncio.run(by_socket())
    else:
        echo_app().start(port=int(os.environ["PORT"]))
