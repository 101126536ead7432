"""Socket Mode: every envelope is acknowledged, and a connection that went deaf is replaced.

Known faults of the client library that are cured here: after a failed handshake it tries the same single-use address
for ever; a bad token makes it retry without a word; a session can be up and deliver nothing.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from slack_bolt.response import BoltResponse
    from slack_sdk.socket_mode.aiohttp import SocketModeClient
    from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
    from slack_sdk.socket_mode.request import SocketModeRequest
    from slack_sdk.web.async_client import AsyncWebClient

log = logging.getLogger(__name__)

#: Takes an envelope's payload and its retry headers, gives what to answer.
Intake = Callable[[Mapping[str, Any], Mapping[str, str]], Awaitable["BoltResponse"]]

CHECK_S = 5.0
#: Seconds without a connection after which a new one is made from the start.
DOWN_S = 20.0
#: Seconds without a single envelope after which the session is renewed, in case it is deaf.
QUIET_S = 15 * 60.0


class SocketDoor:
    """One Socket Mode connection, watched."""

    def __init__(self, web_client: AsyncWebClient, app_token: str, intake: Intake) -> None:
        self._web_client = web_client
        self._app_token = app_token
        self._intake = intake
        self._client: SocketModeClient | None = None
        self._watching: asyncio.Task[None] | None = None
        self._heard_at = time.monotonic()
        self._down_since: float | None = None

    async def open(self) -> None:
        """Connect, and stay connected until `close`. The token should have been tried before (see `app`)."""
        await self._connect()
        self._watching = asyncio.create_task(self._watch(), name="socket watchdog")

    async def connected(self) -> bool:
        return self._client is not None and await self._client.is_connected()

    @property
    def up(self) -> bool:
        """Whether the last look found a connection."""
        session = self._client.current_session if self._client is not None else None
        return session is not None and not session.closed

    async def close(self) -> None:
        """Take nothing in any more."""
        if self._watching is not None:
            self._watching.cancel()
        await self._disconnect()

    async def _connect(self) -> None:
        from slack_sdk.socket_mode.aiohttp import SocketModeClient

        await self._disconnect()
        client = SocketModeClient(self._app_token, web_client=self._web_client, ping_interval=5)
        client.socket_mode_request_listeners.append(self._take)
        self._client = client
        self._heard_at = time.monotonic()
        try:
            async with asyncio.timeout(DOWN_S):
                await client.connect_to_new_endpoint(force=True)
        except TimeoutError:
            log.warning("Socket Mode: no connection within %.0f s", DOWN_S)
        except Exception as error:  # whatever the library raises: the watchdog tries again
            log.warning("Socket Mode: connecting failed: %s", type(error).__name__)

    async def _disconnect(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            try:
                async with asyncio.timeout(5):
                    await client.close()  # type: ignore[no-untyped-call]
            except Exception as error:
                log.warning("Socket Mode: closing failed: %s", type(error).__name__)

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(CHECK_S)
            now = time.monotonic()
            if await self.connected():
                self._down_since = None
                if now - self._heard_at > QUIET_S:
                    log.info("Socket Mode: quiet for long, renewing the session")
                    await self._connect()
                continue
            self._down_since = self._down_since or now
            if now - self._down_since > DOWN_S:
                log.warning("Socket Mode: down for %.0f s, connecting anew", now - self._down_since)
                self._down_since = None
                await self._connect()

    async def _take(self, client: AsyncBaseSocketModeClient, request: SocketModeRequest) -> None:
        from slack_sdk.socket_mode.response import SocketModeResponse

        self._heard_at = time.monotonic()
        headers: dict[str, str] = {}
        if request.retry_attempt:
            headers["x-slack-retry-num"] = str(request.retry_attempt)
            headers["x-slack-retry-reason"] = request.retry_reason or ""
        payload: dict[str, Any] | None = None
        try:
            answer = await self._intake(request.payload, headers)
            payload = _payload(answer)
        except Exception:
            log.exception("an envelope could not be taken in")
        # Acknowledged whatever came of it: without an ack Slack shows its own error, and delivers again.
        await client.send_socket_mode_response(SocketModeResponse(request.envelope_id, payload))


def _payload(answer: BoltResponse) -> dict[str, Any] | None:
    import json

    if answer.status != 200 or not answer.body:
        return None
    kind = (answer.headers.get("content-type") or [""])[0]
    if "json" in kind:
        read = json.loads(answer.body)
        return read if isinstance(read, dict) else None
    return {"text": answer.body}
