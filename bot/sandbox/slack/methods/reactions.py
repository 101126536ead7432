"""reactions.*: a small sign under a message."""

from __future__ import annotations

import re

from bot.sandbox.slack import wire
from bot.sandbox.slack.methods._registry import method, required
from bot.sandbox.slack.records import Json
from bot.sandbox.slack.refusals import Refused
from bot.sandbox.slack.state import State


@method("reactions.add", "reactions:write", tier=3)
def add(state: State, args: Json) -> Json:
    required(args, "channel", "timestamp", "name")
    message = state.message_for_app(state.channel_for_app(args["channel"]), args["timestamp"])
    name = str(args["name"])
    if re.fullmatch(r"[a-z0-9_+'-]+(::skin-tone-[2-6])?", name) is None:
        raise Refused("invalid_name")
    mark = (name, state.app.user_id)
    if mark in message.reactions:
        raise Refused("already_reacted")
    state.edit(message, reactions=(*message.reactions, mark))
    return {"ok": True}


@method("reactions.get", "reactions:read", tier=3)
def get(state: State, args: Json) -> Json:
    required(args, "channel", "timestamp")
    channel = state.channel_for_app(args["channel"])
    message = state.message_for_app(channel, args["timestamp"])
    return {"ok": True, "type": "message", "channel": channel.id, "message": wire.message(state, message)}
