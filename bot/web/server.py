"""The HTTP server: `POST /slack/events`, `/healthz`, `/readyz`."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiohttp import web

from bot.web.guard import MOST_BYTES, Seen, is_from_slack

if TYPE_CHECKING:
    from slack_bolt.response import BoltResponse

log = logging.getLogger(__name__)

#: Seconds that a body may take to arrive; Slack itself waits three for the whole answer.
BODY_S = 5.0
#: Seconds in which the rest of a refused body is read away, so that its sender hears the answer.
LINGER_S = 1.0

#: Takes body and headers of a request that is Slack's, gives what to answer.
Intake = Callable[[str, Mapping[str, str]], Awaitable["BoltResponse"]]


@dataclass(frozen=True, slots=True)
class Doors:
    """What the server opens onto. `intake` is None in Socket Mode; `ready` tells what is not ready, and why.

    `body_s` is how many seconds a body may take to arrive.
    """

    ready: Callable[[], Mapping[str, str]]
    intake: Intake | None = None
    signing_secret: str = ""
    now: Callable[[], float] = time.time
    body_s: float = BODY_S


class WebServer:
    """Listens while the bot runs. `port` 0 takes a free one; `port` tells which after `start`."""

    def __init__(self, doors: Doors, port: int, host: str = "0.0.0.0") -> None:  # noqa: S104 - a service listens
        self._doors = doors
        self._host = host
        self.port = port
        self._seen = Seen(doors.now)
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        app = web.Application(client_max_size=MOST_BYTES)
        app.add_routes([web.get("/healthz", self._health), web.get("/readyz", self._readiness)])
        if self._doors.intake is not None:
            app.add_routes([web.post("/slack/events", self._slack)])
        self._runner = web.AppRunner(
            app, access_log=None, keepalive_timeout=30, shutdown_timeout=5, lingering_time=LINGER_S
        )
        await self._runner.setup()
        await web.TCPSite(self._runner, self._host, self.port).start()
        self.port = int(self._runner.addresses[0][1])

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _health(self, _request: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def _readiness(self, _request: web.Request) -> web.Response:
        """200 only when Slack is connected and the database open; else each part that is not, in words."""
        missing = self._doors.ready()
        return web.json_response({"ready": not missing, "missing": dict(missing)}, status=503 if missing else 200)

    async def _slack(self, request: web.Request) -> web.Response:
        if (request.content_length or 0) > MOST_BYTES:
            return _refusal(413)
        try:
            async with asyncio.timeout(self._doors.body_s):
                body = await request.read()
        except web.HTTPRequestEntityTooLarge:
            return _refusal(413)
        except TimeoutError:
            return _refusal(408)
        if not is_from_slack(self._doors.signing_secret, request.headers, body, self._doors.now()):
            return web.Response(status=401)
        if not self._seen.first(request.headers["X-Slack-Signature"]):
            return web.Response(status=200)  # the same request again: it has been taken, and is not taken twice
        try:
            text = body.decode()
        except UnicodeDecodeError:
            return web.Response(status=400)
        if self._doors.intake is None:
            return web.Response(status=404)
        answer = await self._doors.intake(text, request.headers)
        return web.Response(status=answer.status, body=answer.body, headers=_first_of_each(answer.headers))


def _refusal(status: int) -> web.Response:
    """The answer to a body that was not read to its end; nothing more is heard on that connection."""
    answer = web.Response(status=status)
    answer.force_close()
    return answer


def _first_of_each(headers: Mapping[str, Sequence[str]]) -> dict[str, str]:
    return {name: values[0] for name, values in headers.items() if values}
