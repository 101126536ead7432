"""conversations.* and users.conversations: which channels there are, who is in them, what was said."""

from __future__ import annotations

from typing import Any

from bot.sandbox.slack import wire
from bot.sandbox.slack.methods._registry import FAMILY, method, need, page, required, truthy
from bot.sandbox.slack.records import Channel, ChannelKind, Json, Message
from bot.sandbox.slack.refusals import Refused
from bot.sandbox.slack.state import State

TYPES: dict[str, ChannelKind] = {"public_channel": "channel", "private_channel": "group", "im": "im", "mpim": "mpim"}


def _readable(state: State, args: Json, right: str) -> Channel:
    """The channel named, if the app may do this (`read`, `history`) with channels of its kind."""
    required(args, "channel")
    channel = state.channel_for_app(args["channel"])
    need(state, f"{FAMILY[channel.kind]}:{right}")
    return channel


def _kinds(state: State, args: Json) -> list[ChannelKind]:
    words = [word.strip() for word in str(args.get("types") or "public_channel").split(",")]
    if any(word not in TYPES for word in words):
        raise Refused("invalid_types")
    kinds = [TYPES[word] for word in words]
    need(state, *(f"{FAMILY[kind]}:read" for kind in kinds))
    return kinds


@method("conversations.list", tier=2)
def list_(state: State, args: Json) -> Json:
    kinds = _kinds(state, args)
    found = [one for one in state.channels.values() if one.kind in kinds and state.app_sees(one)]
    return _listing(state, found, args)


@method("users.conversations", tier=3)
def of_user(state: State, args: Json) -> Json:
    """The conversations that a person (default: the app) is in and the app can see."""
    kinds = _kinds(state, args)
    user = args.get("user") or state.app.user_id
    found = [
        one for one in state.channels.values() if one.kind in kinds and user in one.members and state.app_sees(one)
    ]
    return _listing(state, found, args)


def _listing(state: State, found: list[Channel], args: Json) -> Json:
    if truthy(args.get("exclude_archived")):
        found = [one for one in found if not one.archived]
    part, metadata = page(found, args)
    return {"ok": True, "channels": [wire.channel(state, one) for one in part], "response_metadata": metadata}


@method("conversations.info", tier=3)
def info(state: State, args: Json) -> Json:
    return {"ok": True, "channel": wire.channel(state, _readable(state, args, "read"))}


@method("conversations.members", tier=4)
def members(state: State, args: Json) -> Json:
    part, metadata = page(_readable(state, args, "read").members, args)
    return {"ok": True, "members": part, "response_metadata": metadata}


@method("conversations.join", "channels:join", tier=3)
def join(state: State, args: Json) -> Json:
    required(args, "channel")
    channel = state.channel_for_app(args["channel"])
    if channel.kind != "channel":
        raise Refused("method_not_supported_for_channel_type")
    if channel.archived:
        raise Refused("is_archived")
    if state.app.user_id not in channel.members:
        channel.members.append(state.app.user_id)
        state.changed()
    return {"ok": True, "channel": wire.channel(state, channel)}


@method("conversations.open", tier=3)
def open_(state: State, args: Json) -> Json:
    need(state, "im:write")
    if args.get("channel"):
        return {
            "ok": True,
            "no_op": True,
            "already_open": True,
            "channel": {"id": state.channel_for_app(args["channel"]).id},
        }
    given = args.get("users") or ""
    users = [word.strip() for word in given.split(",")] if isinstance(given, str) else list(given)
    if not users or not users[0]:
        raise Refused("users_list_not_supplied")
    if any(user not in state.people for user in users):
        raise Refused("user_not_found")
    if any(state.people[user].deleted for user in users):
        raise Refused("user_disabled")
    if len(users) > 1:
        need(state, "mpim:write")
    opened = state.direct(*users, state.app.user_id)
    return {"ok": True, "channel": wire.channel(state, opened) if truthy(args.get("return_im")) else {"id": opened.id}}


def _member(state: State, channel: Channel) -> None:
    if state.app.user_id not in channel.members:
        raise Refused("not_in_channel")


def _between(messages: list[Message], args: Json) -> list[Message]:
    oldest, latest = str(args.get("oldest") or "0"), str(args.get("latest") or "9999999999.999999")
    if truthy(args.get("inclusive")):
        return [one for one in messages if float(oldest) <= float(one.ts) <= float(latest)]
    return [one for one in messages if float(oldest) < float(one.ts) < float(latest)]


def _shown(state: State, one: Message, args: Json) -> Json:
    shown = wire.message(state, one)
    if one.metadata is not None:
        event_type = {"event_type": one.metadata.get("event_type")}
        shown["metadata"] = one.metadata if truthy(args.get("include_all_metadata")) else event_type
    return shown


@method("conversations.history", tier=3)
def history(state: State, args: Json) -> Json:
    """Newest first, without replies (unless broadcast) and without what only one person sees."""
    channel = _readable(state, args, "history")
    _member(state, channel)
    messages = [
        one for one in state.in_channel(channel.id) if not one.is_ephemeral and (not one.thread_ts or one.broadcast)
    ]
    return _messages(state, list(reversed(_between(messages, args))), args)


@method("conversations.replies", tier=3)
def replies(state: State, args: Json) -> Json:
    """The parent and its replies, oldest first."""
    channel = _readable(state, args, "history")
    _member(state, channel)
    required(args, "ts")
    ts = str(args["ts"])
    named = state.messages.get((channel.id, ts))
    root = named.thread_ts or ts if named else ts
    thread = [one for one in state.in_channel(channel.id) if root in (one.ts, one.thread_ts) and not one.is_ephemeral]
    if not thread:
        raise Refused("thread_not_found")
    return _messages(
        state,
        [one for one in thread if one.ts == root]
        + _between(
            [one for one in thread if one.ts != root],
            args,
        ),
        args,
    )


def _messages(state: State, messages: list[Message], args: Json) -> Json:
    part, metadata = page(messages, args)
    more = bool(metadata["next_cursor"])
    answer: dict[str, Any] = {"ok": True, "messages": [_shown(state, one, args) for one in part], "has_more": more}
    return {**answer, "pin_count": 0, **({"response_metadata": metadata} if more else {})}
