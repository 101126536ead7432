"""Socket Mode's server side: tickets, connections, envelopes out, acknowledgements in, goodbyes."""

from __future__ import annotations

import asyncio
import json
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import uuid4

from aiohttp import WSMsgType, web

from bot.sandbox.slack.deliveries import ACK_TIMEOUT_S, Attempt, Delivery
from bot.sandbox.slack.records import Json
from bot.sandbox.slack.refusals import Refused
from bot.sandbox.slack.state import State

TICKET_LIFE_S = 30.0
CONNECTIONS_MAX = 10

Goodbye = Literal["warning", "refresh_requested", "link_disabled", "too_many_websockets"]


@dataclass(slots=True, eq=False)
class Connection:
    """One open socket. `leaving`: it has been told to go and gets nothing new. `deaf`: what is sent never arrives."""

    number: int
    socket: web.WebSocketResponse
    request: web.Request
    leaving: bool = False
    deaf: bool = False
    envelopes: int = 0


class SocketMode:
    """Hands every envelope to exactly one of the open connections, in turn."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._tickets: dict[str, datetime] = {}
        self._waiting: dict[str, asyncio.Future[Any]] = {}
        self._turn = 0
        self._count = 0
        self.connections: list[Connection] = []
        self.link_disabled = False

    def open(self) -> str:
        """A new single-use URL. Raises Refused link_disabled."""
        if self.link_disabled:
            raise Refused("link_disabled")
        ticket = secrets.token_hex(16)
        self._tickets[ticket] = self._state.now()
        base = self._state.base_url.replace("http://", "ws://")
        return f"{base}/link/?ticket={ticket}&app_id={self._state.app.id}"

    def spend(self, ticket: str) -> None:
        """A handshake that failed has used its ticket up all the same."""
        self._tickets.pop(ticket, None)

    async def accept(self, request: web.Request) -> web.StreamResponse:
        """The handshake and then the life of one connection."""
        given = self._tickets.pop(request.query.get("ticket", ""), None)
        if given is None or (self._state.now() - given).total_seconds() > TICKET_LIFE_S or self.link_disabled:
            return web.Response(status=403, text="invalid ticket")
        socket = web.WebSocketResponse(max_msg_size=0)
        await socket.prepare(request)
        self._count += 1
        connection = Connection(self._count, socket, request)
        if len(self.connections) >= CONNECTIONS_MAX:
            await self._say_goodbye(connection, "too_many_websockets")
            await socket.close()
            return socket
        self.connections.append(connection)
        await socket.send_json(self._hello())
        await socket.ping(b"Ping from the local Slack")
        self._state.changed()
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    self._take(message.data)
        finally:
            self._drop(connection)
        return socket

    def _hello(self) -> Json:
        return {
            "type": "hello",
            "num_connections": len(self.connections),
            "debug_info": {"host": "applink-local", "build_number": 1, "approximate_connection_time": 18060},
            "connection_info": {"app_id": self._state.app.id},
        }

    def _take(self, data: str) -> None:
        """An acknowledgement; it may come through another connection than its envelope went."""
        try:
            value = json.loads(data)
        except ValueError:
            return
        future = self._waiting.pop(str(value.get("envelope_id")), None) if isinstance(value, dict) else None
        if future is not None and not future.done():
            future.set_result(value.get("payload"))

    def _drop(self, connection: Connection) -> None:
        if connection in self.connections:
            self.connections.remove(connection)
        self._state.changed()

    async def tell(
        self,
        delivery: Delivery,
        *,
        retry_num: int = 0,
        reason: str = "",
        envelope_id: str = "",
        to: Connection | None = None,
    ) -> Attempt:
        """Send one envelope and wait for its acknowledgement, at most three seconds."""
        attempt = Attempt(self._state.now(), retry_num, reason, envelope_id or str(uuid4()))
        delivery.attempts.append(attempt)
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting[attempt.envelope_id] = future
        try:
            attempt.connection = await self._send(self._envelope(delivery, attempt), to)
            if not attempt.connection:
                attempt.failure = "connection_failed"
            elif await self._state.wait_by_clock(future, ACK_TIMEOUT_S):
                attempt.acked_at, attempt.ack = self._state.now(), future.result()
            else:
                attempt.failure = "timeout"
        finally:
            self._waiting.pop(attempt.envelope_id, None)
        self._state.changed()
        return attempt

    def _envelope(self, delivery: Delivery, attempt: Attempt) -> Json:
        answers = delivery.kind == "slash_commands" or delivery.payload.get("type") in {
            "view_submission",
            "block_suggestion",
        }
        envelope: Json = {
            "envelope_id": attempt.envelope_id,
            "payload": delivery.payload,
            "type": delivery.kind,
            "accepts_response_payload": answers,
        }
        if delivery.kind == "events_api":
            envelope |= {"retry_attempt": attempt.retry_num, "retry_reason": attempt.retry_reason}
        return envelope

    async def _send(self, envelope: Json, to: Connection | None) -> int:
        """Returns the number of the connection it went to, 0 when none is open."""
        while True:
            open_ones = [one for one in self.connections if not one.leaving and not one.socket.closed]
            if to is not None:
                open_ones = [one for one in open_ones if one is to]
            if not open_ones:
                return 0
            self._turn += 1
            chosen = open_ones[self._turn % len(open_ones)]
            try:
                if not chosen.deaf:
                    await chosen.socket.send_json(envelope)
            except (ConnectionError, RuntimeError):
                self._drop(chosen)
                continue
            chosen.envelopes += 1
            return chosen.number

    async def refresh(self, reason: Goodbye = "refresh_requested", only: Connection | None = None) -> None:
        """Tell connections to go. After `warning` they still get envelopes; after the others not."""
        if reason == "link_disabled":
            self.link_disabled = True
        for connection in [only] if only is not None else list(self.connections):
            await self._say_goodbye(connection, reason)

    async def _say_goodbye(self, connection: Connection, reason: Goodbye) -> None:
        connection.leaving = connection.leaving or reason != "warning"
        await connection.socket.send_json(
            {
                "type": "disconnect",
                "reason": reason,
                "debug_info": {"host": "applink-local"},
            }
        )

    def cut(self) -> None:
        """Every connection breaks without a word (a reset)."""
        for connection in list(self.connections):
            if connection.request.transport is not None:
                connection.request.transport.abort()

    async def close(self) -> None:
        for connection in list(self.connections):
            await connection.socket.close()
