"""Brings deliveries to the app by the way it is connected, and repeats events as Slack does."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from bot.sandbox.slack.deliveries import RETRY_AFTER_S, Attempt, Delivery
from bot.sandbox.slack.signed_http import SignedHttp
from bot.sandbox.slack.socket_mode import Connection, SocketMode
from bot.sandbox.slack.state import State

_TIMEOUTS = {"timeout", "http_timeout"}


class Courier:
    """Socket Mode unless a request URL was given."""

    def __init__(self, state: State, socket: SocketMode, http: SignedHttp) -> None:
        self._state = state
        self._socket = socket
        self._http = http
        self._tasks: set[asyncio.Task[Any]] = set()
        self.deliveries: list[Delivery] = []

    async def deliver(self, delivery: Delivery, *, to: Connection | None = None) -> Delivery:
        """Tell the app. A command or interaction that is not acknowledged shows the person Slack's own error;
        an event is repeated in the background.
        """
        self.deliveries.append(delivery)
        attempt = await self._tell(delivery, to=to)
        if attempt.failure and delivery.kind == "events_api":
            self.later(self._repeat(delivery, attempt))
        elif attempt.failure:
            delivery.user_error = "operation_timeout" if attempt.failure in _TIMEOUTS else "dispatch_failed"
            delivery.user_sees = _sentence(delivery)
        return delivery

    async def redeliver(
        self, delivery: Delivery, *, same_envelope: bool = False, to: Connection | None = None
    ) -> Attempt:
        """Tell the same once more, marked as a retry; over a socket in a new envelope unless told otherwise."""
        envelope_id = delivery.attempts[-1].envelope_id if same_envelope and delivery.attempts else ""
        reason = "timeout" if not self._http.request_url else "http_timeout"
        return await self._tell(delivery, retry_num=delivery.retries + 1, reason=reason, envelope_id=envelope_id, to=to)

    async def replay(self, delivery: Delivery) -> Attempt:
        """The very same request again: same bytes and signature over HTTP, same envelope over a socket."""
        first = delivery.attempts[0]
        if self._http.request_url:
            return await self._http.tell(delivery, replay=first)
        return await self._socket.tell(delivery, envelope_id=first.envelope_id)

    async def _tell(
        self,
        delivery: Delivery,
        *,
        retry_num: int = 0,
        reason: str = "",
        envelope_id: str = "",
        to: Connection | None = None,
    ) -> Attempt:
        if self._http.request_url:
            return await self._http.tell(delivery, retry_num=retry_num, reason=reason)
        return await self._socket.tell(delivery, retry_num=retry_num, reason=reason, envelope_id=envelope_id, to=to)

    async def _repeat(self, delivery: Delivery, attempt: Attempt) -> None:
        """Up to three repetitions: at once, a minute and five minutes later by the workspace's clock."""
        for number, wait_s in enumerate(RETRY_AFTER_S, start=1):
            if not attempt.failure or attempt.no_retry:
                return
            never: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            await self._state.wait_by_clock(never, wait_s)
            attempt = await self._tell(delivery, retry_num=number, reason=attempt.failure)

    @property
    def busy(self) -> bool:
        """Whether repetitions or echoes are still under way."""
        return bool(self._tasks)

    def later(self, work: Coroutine[Any, Any, Any]) -> None:
        """Work that goes on while the person already does something else; ended by `close`."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


def _sentence(delivery: Delivery) -> str:
    """Slack's words for an app that did not answer."""
    if delivery.kind == "slash_commands":
        return f'{delivery.payload["command"]} failed with the error "{delivery.user_error}"'
    if delivery.payload.get("type") == "view_submission":
        return "We had some trouble connecting. Try again?"
    return "This app didn’t respond. Try again?"
