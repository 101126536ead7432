"""The table that Web API methods enter themselves into, and what several of them share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from bot.sandbox.slack.records import ChannelKind, Json, Message
from bot.sandbox.slack.refusals import Refused
from bot.sandbox.slack.state import State

Work = Callable[[State, Json], Json]


@dataclass(frozen=True, slots=True)
class Method:
    """One Web API method: its work, the scopes it always needs, its tier (None: special), who may call it."""

    name: str
    work: Work
    scopes: tuple[str, ...] = ()
    tier: int | None = None
    caller: Literal["bot", "app", "anybody"] = "bot"


METHODS: dict[str, Method] = {}


def method(
    name: str,
    *scopes: str,
    tier: int | None = None,
    caller: Literal["bot", "app", "anybody"] = "bot",
) -> Callable[[Work], Work]:
    """Enter a function as a Web API method."""

    def enter(work: Work) -> Work:
        METHODS[name] = Method(name, work, scopes, tier, caller)
        return work

    return enter


def need(state: State, *scopes: str) -> None:
    """Raises Refused missing_scope with what is needed and what was granted."""
    missing = [scope for scope in scopes if scope not in state.app.scopes]
    if missing:
        provided = ",".join(sorted(state.app.scopes))
        raise Refused("missing_scope", extra={"needed": ",".join(missing), "provided": provided})


#: Scope families by the kind of conversation.
FAMILY: dict[ChannelKind, str] = {"channel": "channels", "group": "groups", "im": "im", "mpim": "mpim"}


def required(args: Json, *names: str) -> None:
    """Raises Refused invalid_arguments naming what is missing."""
    missing = [name for name in names if args.get(name) in (None, "")]
    if missing:
        raise Refused("invalid_arguments", messages=[f"missing required field: {name}" for name in missing])


def truthy(value: Any) -> bool:
    """Slack's idea of a true argument: JSON true, 1, "1", "true"."""
    return value is True or str(value).lower() in {"1", "true"}


def page(items: Sequence[Any], args: Json, default: int = 100) -> tuple[list[Any], Json]:
    """One page by `cursor` and `limit`, and the `response_metadata` for the answer."""
    try:
        start = int(str(args.get("cursor") or "0").removeprefix("next:"))
    except ValueError:
        raise Refused("invalid_cursor") from None
    try:
        size = int(args.get("limit") or default)
    except ValueError:
        raise Refused("invalid_limit") from None
    if not 1 <= size <= 1000:
        raise Refused("invalid_limit")
    rest = start + size < len(items)
    return list(items[start : start + size]), {"next_cursor": f"next:{start + size}" if rest else ""}


def own(state: State, message: Message, error: str) -> None:
    """Raises Refused(error) unless the app posted the message."""
    if message.user != state.app.user_id:
        raise Refused(error)
