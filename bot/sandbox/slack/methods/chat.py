"""chat.*: saying, changing and taking back."""

from __future__ import annotations

import re
from typing import Any

from bot.sandbox.slack import wire
from bot.sandbox.slack.blockkit import validate_blocks, validate_message, validate_view
from bot.sandbox.slack.content import Content, read_content, refuse_long_update, unpacked
from bot.sandbox.slack.methods._registry import method, need, own, required, truthy
from bot.sandbox.slack.records import Channel, Json
from bot.sandbox.slack.refusals import Refused
from bot.sandbox.slack.state import State


def _place(state: State, word: Any) -> Channel:
    """Where a message goes: a channel id, `#name`, or a person's id (their direct messages with the app)."""
    if not word:
        raise Refused("channel_not_found")
    if word in state.people:
        return state.direct(str(word), state.app.user_id)
    channel = state.channel_for_app(word)
    if channel.archived:
        raise Refused("is_archived")
    if state.app.user_id not in channel.members:
        if channel.kind == "channel" and "chat:write.public" in state.app.scopes:
            return channel
        raise Refused("not_in_channel")
    return channel


def _thread(state: State, channel: Channel, thread_ts: Any) -> str:
    """The parent's ts; "" for a message of its own, also when the parent is gone (see Quirks).

    A reply's ts is refused: Slack makes an orphan of it.
    """
    if not thread_ts:
        return ""
    if re.fullmatch(r"\d+\.\d{6}", str(thread_ts)) is None:
        raise Refused("invalid_thread_ts", messages=[f"{thread_ts} is not a valid thread_ts"])
    parent = state.messages.get((channel.id, str(thread_ts)))
    if parent is None or parent.is_ephemeral or (parent.deleted and not state.replies(channel.id, parent.ts)):
        if state.quirks.lost_threads == "refuse":
            raise Refused("thread_not_found")
        return ""
    if parent.thread_ts:
        raise Refused("cannot_reply_to_message")
    return parent.ts


def _paced(state: State, channel: Channel) -> None:
    wait = state.pace.message(channel.id, state.now())
    if wait:
        raise Refused("ratelimited", status=429, headers={"Retry-After": str(wait)})


def _own_face(state: State, args: Json) -> None:
    if any(args.get(key) for key in ("username", "icon_url", "icon_emoji")):
        need(state, "chat:write.customize")


@method("chat.postMessage", "chat:write")
def post_message(state: State, args: Json) -> Json:
    channel = _place(state, args.get("channel"))
    _own_face(state, args)
    content = read_content(args)
    thread_ts = _thread(state, channel, args.get("thread_ts"))
    _paced(state, channel)
    message = state.post(
        channel,
        state.app.user_id,
        content.text or "",
        blocks=content.blocks or (),
        attachments=content.attachments or (),
        thread_ts=thread_ts,
        broadcast=truthy(args.get("reply_broadcast")),
        by_app=True,
        metadata=content.metadata,
    )
    return {"ok": True, "channel": channel.id, "ts": message.ts, "message": wire.message(state, message)}


@method("chat.postEphemeral", "chat:write", tier=4)
def post_ephemeral(state: State, args: Json) -> Json:
    channel = _place(state, args.get("channel"))
    user = args.get("user")
    if user not in state.people:
        raise Refused("user_not_found" if user else "invalid_arguments")
    if user not in channel.members:
        raise Refused("user_not_in_channel")
    _own_face(state, args)
    content = read_content(args)
    message = state.post(
        channel,
        state.app.user_id,
        content.text or "",
        blocks=content.blocks or (),
        attachments=content.attachments or (),
        thread_ts=_thread(state, channel, args.get("thread_ts")),
        only_for=str(user),
        by_app=True,
    )
    return {"ok": True, "message_ts": message.ts}


@method("chat.update", "chat:write", tier=3)
def update(state: State, args: Json) -> Json:
    required(args, "channel", "ts")
    channel = state.channel_for_app(args["channel"])
    message = state.message_for_app(channel, args["ts"])
    own(state, message, "cant_update_message")
    if message.key in state.edit_closed:
        raise Refused("edit_window_closed")
    refuse_long_update(args.get("text"))
    changes = _changes(read_content(args), state.quirks.text_alone_keeps_blocks)
    message = state.edit(message, edited_by=state.app.user_id, **changes)
    shown = wire.message(state, message)
    return {"ok": True, "channel": channel.id, "ts": message.ts, "text": message.text, "message": shown}


def _changes(content: Content, keep: bool) -> dict[str, Any]:
    """Text alone takes blocks and attachments away (unless `keep`); beside either, what is not mentioned stays."""
    changes: dict[str, Any] = {}
    if content.text is not None:
        changes["text"] = content.text
    if content.blocks is not None or (content.text is not None and not keep):
        changes["blocks"] = content.blocks or ()
    if content.attachments is not None or (content.blocks is None and not keep):
        changes["attachments"] = tuple(content.attachments or ())
    if content.metadata is not None:
        changes["metadata"] = content.metadata
    return changes


@method("chat.delete", "chat:write", tier=3)
def delete(state: State, args: Json) -> Json:
    required(args, "channel", "ts")
    channel = state.channel_for_app(args["channel"])
    message = state.message_for_app(channel, args["ts"])
    own(state, message, "cant_delete_message")
    state.remove(message)
    return {"ok": True, "channel": channel.id, "ts": message.ts}


@method("chat.getPermalink")
def get_permalink(state: State, args: Json) -> Json:
    required(args, "channel", "message_ts")
    channel = state.channel_for_app(args["channel"])
    message = state.message_for_app(channel, args["message_ts"])
    return {"ok": True, "channel": channel.id, "permalink": wire.permalink(state, message)}


@method("chat.unfurl", "links:write", tier=3)
def unfurl(state: State, args: Json) -> Json:
    """Put cards under links that were announced by link_shared, by `unfurl_id` and `source` or by channel and ts."""
    unfurls = unpacked(args.get("unfurls"), "invalid_unfurls_format")
    if unfurls is None and args.get("metadata") is None and not args.get("user_auth_required"):
        raise Refused("missing_unfurls")
    if not isinstance(unfurls or {}, dict):
        raise Refused("invalid_unfurls_format")
    channel_id, ts, links = _announced(state, args)
    for link, card in (unfurls or {}).items():
        if link not in links:
            raise Refused("cannot_unfurl_url")
        problems = validate_blocks(card.get("blocks"), "message", "/blocks") if "blocks" in card else []
        if problems:
            raise Refused("invalid_blocks", messages=map(str, problems))
    message = state.messages.get((channel_id, ts))
    if message is None or message.deleted:
        raise Refused("cannot_find_message")
    fresh = [
        {**card, "id": number, "from_url": link, "is_app_unfurl": True, "app_unfurl_url": link, "app_id": state.app.id}
        for number, (link, card) in enumerate((unfurls or {}).items(), start=len(message.attachments) + 1)
    ]
    state.edit(message, attachments=(*message.attachments, *fresh))
    return {"ok": True}


def _announced(state: State, args: Json) -> tuple[str, str, tuple[str, ...]]:
    if args.get("unfurl_id"):
        if args["unfurl_id"] not in state.unfurls or not args.get("source"):
            raise Refused("invalid_unfurl_id")
        return state.unfurls[args["unfurl_id"]]
    required(args, "channel", "ts")
    for channel_id, ts, links in state.unfurls.values():
        if (channel_id, ts) == (args["channel"], str(args["ts"])):
            return channel_id, ts, links
    raise Refused("cannot_find_message")


@method("blocks.validate", caller="anybody")
def blocks_validate(_state: State, args: Json) -> Json:
    """Judge blocks, a message or a view: exactly one of them."""
    given = [name for name in ("blocks", "message", "view") if args.get(name) is not None]
    if len(given) != 1:
        raise Refused("invalid_arguments", messages=["exactly one of blocks, message, view is required"])
    value = unpacked(args[given[0]], "invalid_arguments")
    problems = {
        "blocks": lambda: validate_blocks(value, "message"),
        "message": lambda: validate_message(value),
        "view": lambda: validate_view(value),
    }[given[0]]()
    if not problems:
        return {"ok": True}
    return {
        "ok": False,
        "error": f"invalid_{given[0]}",
        "errors": [
            {"pointer": one.pointer, "code": one.code, "message": one.message, "constraint": one.constraint}
            for one in problems
        ],
    }
