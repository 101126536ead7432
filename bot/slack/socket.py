"""Socket Mode: every envelope is acknowledged, no refresh loses one, and a link that went deaf is replaced.

The SDK's client closes the old connection before it has a new one (what Slack sends meanwhile is lost), tries a failed
handshake's single-use address for ever, and does not notice a session that is up but delivers nothing. So this is a
small client of our own: each link gets a fresh address, and a new link is up before the old one is let go.
Source of the protocol: docs.slack.dev, "Using Socket Mode".
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

from bot.slack.tasks import Tasks

if TYPE_CHECKING:
    import aiohttp
    from slack_bolt.response import BoltResponse

log = logging.getLogger(__name__)

#: Takes an envelope's payload and its retry headers, gives what to answer.
Intake = Callable[[Mapping[str, Any], Mapping[str, str]], Awaitable["BoltResponse"]]
#: Asks Slack for a fresh single-use address. Raises what went wrong.
AskAddress = Callable[[], Awaitable[str]]

#: Seconds: between our pings; a handshake may take; a link that is being replaced may still talk.
PING_S, HANDSHAKE_S, FAREWELL_S = 10.0, 10.0, 15.0
#: Seconds without a single envelope after which the link is renewed, in case it is deaf.
QUIET_S = 15 * 60.0
#: Seconds to wait before the next try, at first and at most.
FIRST_WAIT_S, LONGEST_WAIT_S = 0.5, 30.0


class SocketDoor:
    """Keeps one link to Slack open, two while one is replaced."""

    def __init__(self, ask_address: AskAddress, intake: Intake, tasks: Tasks) -> None:
        self._ask_address = ask_address
        self._intake = intake
        self._tasks = tasks
        self._links: list[aiohttp.ClientWebSocketResponse] = []
        self._wanted = asyncio.Event()
        self._up = asyncio.Event()
        self._heard = asyncio.Event()
        self._keeper: asyncio.Task[None] | None = None
        self._readers: set[asyncio.Task[None]] = set()
        self._session: aiohttp.ClientSession | None = None

    @property
    def up(self) -> bool:
        """Whether a link is open now."""
        return any(not link.closed for link in self._links)

    async def open(self) -> None:
        """Connect and stay connected until `close`; returns when the first link is up or the first try has failed."""
        import aiohttp

        self._session = aiohttp.ClientSession(trust_env=True)
        self._keeper = asyncio.create_task(self._keep(), name="socket keeper")
        first = asyncio.create_task(self._up.wait())
        await asyncio.wait({first}, timeout=HANDSHAKE_S)
        first.cancel()

    async def close(self) -> None:
        """Take nothing in any more."""
        for task in (*self._readers, *([self._keeper] if self._keeper else [])):
            task.cancel()
        for link in self._links:
            await link.close()
        if self._session is not None:
            await self._session.close()

    async def _keep(self) -> None:
        """Open a link whenever one is wanted: at the start, when one ends or is told to go, when all is too quiet."""
        wait_s = FIRST_WAIT_S
        while True:
            try:
                link = await self._connect()
            except Exception as error:  # whatever it was: log it and try again, with a fresh address
                log.warning("Socket Mode: no link (%s: %s); next try in %.1f s", type(error).__name__, error, wait_s)
                await asyncio.sleep(wait_s)
                wait_s = min(wait_s * 2, LONGEST_WAIT_S)
                continue
            wait_s = FIRST_WAIT_S
            self._replace_by(link)
            while not await self._is_wanted():
                self._heard.clear()
            self._wanted.clear()

    async def _is_wanted(self) -> bool:
        """Wait until a new link is wanted, or the present one has been quiet for too long. False: look again."""
        try:
            async with asyncio.timeout(QUIET_S):
                await self._wanted.wait()
        except TimeoutError:
            if self._heard.is_set():
                return False
            log.info("Socket Mode: quiet for long, renewing the link in case it is deaf")
        return True

    async def _connect(self) -> aiohttp.ClientWebSocketResponse:
        assert self._session is not None  # noqa: S101 - made in `open`
        async with asyncio.timeout(HANDSHAKE_S):
            address = await self._ask_address()
            return await self._session.ws_connect(address, heartbeat=PING_S, max_msg_size=0)

    def _replace_by(self, link: aiohttp.ClientWebSocketResponse) -> None:
        old, self._links = self._links, [link]
        reader = asyncio.create_task(self._read(link), name="socket reader")
        self._readers.add(reader)
        reader.add_done_callback(self._readers.discard)
        self._up.set()
        for each in old:
            if not each.closed:
                self._tasks.spawn(self._say_farewell(each), "socket farewell")

    async def _say_farewell(self, link: aiohttp.ClientWebSocketResponse) -> None:
        """Slack closes a link it has told to go; one that stays is closed by us, after what it may still say."""
        for _ in range(int(FAREWELL_S * 10)):
            if link.closed:
                return
            await asyncio.sleep(0.1)
        await link.close()

    async def _read(self, link: aiohttp.ClientWebSocketResponse) -> None:
        import aiohttp

        try:
            async for message in link:
                if message.type is aiohttp.WSMsgType.TEXT:
                    self._hear(link, message.data)
        finally:
            if link in self._links:
                log.info("Socket Mode: the link ended (%s)", link.close_code)
                self._wanted.set()

    def _hear(self, link: aiohttp.ClientWebSocketResponse, text: str) -> None:
        try:
            envelope = json.loads(text)
        except ValueError:
            log.warning("Socket Mode: an envelope that is no JSON")
            return
        kind = envelope.get("type") if isinstance(envelope, dict) else None
        if kind == "disconnect":
            log.info("Socket Mode: told to go (%s)", envelope.get("reason"))
            if link in self._links:
                self._wanted.set()
        elif kind != "hello" and isinstance(envelope, dict) and envelope.get("envelope_id"):
            self._heard.set()
            self._tasks.spawn(self._take(link, envelope), "envelope")

    async def _take(self, link: aiohttp.ClientWebSocketResponse, envelope: Mapping[str, Any]) -> None:
        headers: dict[str, str] = {}
        if envelope.get("retry_attempt"):
            headers["x-slack-retry-num"] = str(envelope["retry_attempt"])
            headers["x-slack-retry-reason"] = str(envelope.get("retry_reason") or "")
        ack: dict[str, Any] = {"envelope_id": envelope["envelope_id"]}
        try:
            payload = _payload(await self._intake(envelope.get("payload") or {}, headers))
            if payload is not None and envelope.get("accepts_response_payload"):
                ack["payload"] = payload
        except Exception:
            log.exception("an envelope could not be taken in")
        # Acknowledged whatever came of it: without an ack Slack shows its own error, and delivers again.
        await self._send(link, json.dumps(ack))

    async def _send(self, link: aiohttp.ClientWebSocketResponse, text: str) -> None:
        """By the link it came on, else by another one: Slack takes an ack from any of ours."""
        for each in (link, *self._links):
            if each.closed:
                continue
            try:
                await each.send_str(text)
            except (ConnectionError, RuntimeError):
                continue
            return
        log.warning("Socket Mode: an ack could not be sent, no link is open")


def _payload(answer: BoltResponse) -> dict[str, Any] | None:
    if answer.status != 200 or not answer.body:
        return None
    if "json" in (answer.headers.get("content-type") or [""])[0]:
        read = json.loads(answer.body)
        return read if isinstance(read, dict) else None
    return {"text": answer.body}
