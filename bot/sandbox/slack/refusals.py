"""How the workspace says no: one exception that carries Slack's error code and whatever goes with it."""

from __future__ import annotations

from collections.abc import Iterable

from bot.sandbox.slack.records import Json


class Refused(Exception):
    """A request that Slack would answer with `ok: false`. `extra` is merged into the answer."""

    def __init__(
        self,
        error: str,
        *,
        messages: Iterable[str] = (),
        status: int = 200,
        headers: dict[str, str] | None = None,
        extra: Json | None = None,
    ) -> None:
        super().__init__(error)
        self.error = error
        self.messages = tuple(messages)
        self.status = status
        self.headers = headers or {}
        self.extra = extra or {}

    def body(self) -> Json:
        """The answer's JSON, with Slack's `response_metadata.messages` when there are details."""
        answer: Json = {"ok": False, "error": self.error, **self.extra}
        if self.messages:
            answer["response_metadata"] = {"messages": [f"[ERROR] {message}" for message in self.messages]}
        return answer


class CannotDo(ValueError):
    """A person of the workspace cannot do this in Slack's own clients (no such button, not in the channel, …)."""
