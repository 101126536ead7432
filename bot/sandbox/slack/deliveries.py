"""What the workspace tells the app: one record per thing told, one attempt per time it was told."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from bot.sandbox.slack.records import Json, Message, View

Kind = Literal["slash_commands", "events_api", "interactive"]

ACK_TIMEOUT_S = 3.0
#: Waits before the three repetitions of an event. Source: docs.slack.dev apis/events-api.
RETRY_AFTER_S = (0.0, 60.0, 300.0)


@dataclass(slots=True)
class Attempt:
    """One time of telling. `failure` is Slack's `retry_reason` word, "" when it was acknowledged in time.

    `connection` is the socket's number (0 over HTTP); `status` the HTTP status (0 over a socket);
    `headers` and `body` are what went over HTTP, for an exact replay.
    """

    at: datetime
    retry_num: int = 0
    retry_reason: str = ""
    envelope_id: str = ""
    connection: int = 0
    status: int = 0
    acked_at: datetime | None = None
    ack: Any = None
    failure: str = ""
    no_retry: bool = False
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(slots=True, eq=False)
class Delivery:
    """One command, event or interaction on its way to the app.

    `user_error` is Slack's word when the person saw Slack's own error instead of ours (`operation_timeout`,
    `dispatch_failed`, `not_supported_in_threads`, `invalid_command`), "" when they did not; `user_sees` the sentence.
    `message` is what the person posted, `twins` the other events of the same act, `options` the answer to a
    suggestion request, `view_errors` the words under a dialog's inputs, `view` the dialog on top afterwards.
    """

    kind: Kind
    payload: Json
    attempts: list[Attempt] = field(default_factory=list)
    user_error: str = ""
    user_sees: str = ""
    message: Message | None = None
    twins: tuple[Delivery, ...] = ()
    options: list[Json] = field(default_factory=list)
    view_errors: Json = field(default_factory=dict)
    view: View | None = None

    @property
    def acked(self) -> bool:
        """Whether any attempt was acknowledged in time."""
        return any(not attempt.failure and attempt.acked_at is not None for attempt in self.attempts)

    @property
    def ack(self) -> Any:
        """The payload of the acknowledgement: JSON, words, or None for an empty one."""
        return next((attempt.ack for attempt in self.attempts if attempt.acked_at and not attempt.failure), None)

    @property
    def seconds_to_ack(self) -> float | None:
        """From the first attempt to the acknowledgement, None without one."""
        acked = [one.acked_at for one in self.attempts if one.acked_at and not one.failure]
        return (acked[0] - self.attempts[0].at).total_seconds() if acked else None

    @property
    def retries(self) -> int:
        return max((attempt.retry_num for attempt in self.attempts), default=0)

    @property
    def event(self) -> Json:
        return dict(self.payload.get("event") or {})

    @property
    def event_id(self) -> str:
        return str(self.payload.get("event_id") or "")

    @property
    def trigger_id(self) -> str:
        return str(self.payload.get("trigger_id") or "")

    @property
    def response_url(self) -> str:
        return str(self.payload.get("response_url") or "")
