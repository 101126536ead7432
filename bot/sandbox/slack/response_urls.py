"""response_url: five answers within thirty minutes to a command or a click, also where the app is no member."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from aiohttp import web

from bot.sandbox.slack.content import Content, read_content
from bot.sandbox.slack.methods._registry import truthy
from bot.sandbox.slack.records import Channel, Json, Message
from bot.sandbox.slack.refusals import Refused
from bot.sandbox.slack.state import State

USES_MAX = 5
LIFE_S = 30 * 60


@dataclass(slots=True)
class ResponseUrl:
    """One such URL. `source` is the message that was clicked (None for commands), `last` what it said last."""

    url: str
    channel: str
    user: str
    at: datetime
    source: tuple[str, str] | None = None
    last: tuple[str, str] | None = None
    uses: list[Json] = field(default_factory=list)


class ResponseUrls:
    """All response_urls given out, by their path."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._known: dict[str, ResponseUrl] = {}

    def give(self, family: str, channel: str, user: str, source: Message | None = None) -> str:
        """A new URL for a command (`commands`) or an interaction (`actions`)."""
        path = f"/{family}/{self._state.team_id}/{secrets.randbelow(10**13):013d}/{secrets.token_urlsafe(18)}"
        url = self._state.base_url + path
        self._known[path] = ResponseUrl(url, channel, user, self._state.now(), source.key if source else None)
        return url

    def find(self, url: str) -> ResponseUrl:
        """The record of a URL, for tests that count its uses. Raises KeyError."""
        return self._known[url.removeprefix(self._state.base_url)]

    async def answer(self, request: web.Request) -> web.Response:
        """One use: `ok`, or the reason in plain text with 404 (spent, expired) or 400 (what was said is wrong)."""
        raw = await request.read()
        args: Json = {}
        try:
            args = self._read(raw, request.content_type)
            self.use(self._usable(request.path), args)
        except Refused as refused:
            self._state.refuse("response_url", refused, args)
            return web.Response(status=refused.status, text=refused.error)
        return web.Response(text="ok")

    def _usable(self, path: str) -> ResponseUrl:
        known = self._known.get(path)
        if known is None:
            raise Refused("no_service", status=404)
        if (self._state.now() - known.at).total_seconds() > LIFE_S:
            raise Refused("expired_url", status=404)
        if len(known.uses) >= USES_MAX:
            raise Refused("used_url", status=404)
        return known

    def _read(self, raw: bytes, kind: str) -> Json:
        try:
            value: Any = json.loads(raw)
        except ValueError:
            raise Refused("invalid_payload", status=400) from None
        if not isinstance(value, dict) or kind != "application/json":
            raise Refused("invalid_payload", status=400)
        return value

    def use(self, known: ResponseUrl, args: Json) -> None:
        """Say, replace or delete. Raises Refused with status 400 when what is said is wrong."""
        original = self._original(known)
        if truthy(args.get("delete_original")):
            known.uses.append(args)
            if original is not None:
                self._state.remove(original)
            return
        try:
            content = read_content(args, measure=False)
        except Refused as refused:
            raise Refused(refused.error, messages=refused.messages, status=400) from None
        known.uses.append(args)
        self.say(known, args, content)

    def say(self, known: ResponseUrl, args: Json, content: Content) -> None:
        """Put the words where they belong; also used for what came with a command's acknowledgement."""
        original = self._original(known)
        words: dict[str, Any] = {
            "text": content.text or "",
            "blocks": content.blocks or (),
            "attachments": tuple(content.attachments or ()),
        }
        if truthy(args.get("replace_original")) and original is not None:
            self._state.edit(original, edited_by="" if original.is_ephemeral else self._state.app.user_id, **words)
            return
        channel: Channel = self._state.channels[known.channel]
        message = self._state.post(
            channel,
            self._state.app.user_id,
            words["text"],
            blocks=words["blocks"],
            attachments=words["attachments"],
            thread_ts=str(args.get("thread_ts") or ""),
            by_app=True,
            metadata=content.metadata,
            only_for="" if args.get("response_type") == "in_channel" else known.user,
        )
        known.last = message.key

    def _original(self, known: ResponseUrl) -> Message | None:
        """A click's own message; for commands the last one said here. None when it is gone."""
        key = known.source or known.last
        message = self._state.messages.get(key) if key else None
        return None if message is None or message.deleted else message
