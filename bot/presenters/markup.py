"""Slack markup that may be trusted, because only the functions of this file make it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote

from bot.presenters import text as texts

URL_LENGTH = 3_000

_ADDRESS = re.compile(r"https?://[^/?#@\\\s]+(?:[/?#]|\Z)", re.IGNORECASE)
_PERSON = re.compile(r"[UW][A-Z0-9]{2,30}")
_GROUP = re.compile(r"S[A-Z0-9]{2,30}")
_CHANNEL = re.compile(r"[CGD][A-Z0-9]{2,30}")
_MENTION = re.compile(r"<@([UW][A-Z0-9]{2,30})>")


@dataclass(frozen=True, slots=True)
class Markup:
    """Text that is ready for mrkdwn and is not escaped again. Not a `str`, so that nothing is mixed into it."""

    text: str

    def __bool__(self) -> bool:
        return bool(self.text)


@dataclass(frozen=True, slots=True)
class Plain:
    """Text for a `plain_text` object, where Slack parses nothing."""

    text: str

    def __bool__(self) -> bool:
        return bool(self.text)


def address(url: str) -> str:
    """A web address that can be neither misread nor leave its place; empty when it is not plain http(s) or too long.

    Addresses with a user name in them are refused: they hide where they lead, or hold a secret.
    """
    url = url.strip()
    if len(url) > URL_LENGTH or _ADDRESS.match(url) is None:
        return ""
    safe = quote(url, safe="!#$%&()*+,-./:;=?@[]_~", errors="replace")
    return safe if len(safe) <= URL_LENGTH else ""


def link(url: str, label: str) -> Markup:
    """The label, leading to the address where that is a web address."""
    words = texts.mrkdwn(label)
    safe = address(url)
    if not safe or not words.strip():
        return Markup(words)
    return Markup(f"<{safe.replace('&', '&amp;')}|{words}>")


def date(moment: datetime) -> Markup:
    """A moment in the reader's own time zone; in words of UTC where Slack can't do that."""
    stamp = max(0, int(moment.timestamp()))
    return Markup(f"<!date^{stamp}^{{date_short_pretty}} at {{time}}|{utc(moment)}>")


def utc(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def user(slack_id: str) -> Markup:
    """A person of this workspace, by Slack's id; anything else is only text."""
    return Markup(f"<@{slack_id}>" if _PERSON.fullmatch(slack_id) else texts.mrkdwn(slack_id))


def channel(slack_id: str) -> Markup:
    """A channel of this workspace, by Slack's id; anything else is only text. Direct messages have no name."""
    if slack_id.startswith("D") and _CHANNEL.fullmatch(slack_id):
        return Markup("This conversation")
    return Markup(f"<#{slack_id}>" if _CHANNEL.fullmatch(slack_id) else texts.mrkdwn(slack_id))


def group(slack_id: str) -> Markup:
    """A user group of this workspace, by Slack's id; anything else is only text. All of its people are called."""
    return Markup(f"<!subteam^{slack_id}>" if _GROUP.fullmatch(slack_id) else texts.mrkdwn(slack_id))


def mentions(text: str, limit: int = 600) -> Markup:
    """A sentence of ours in which people stand as `<@U…>`; all else in it is only text."""
    parts = _MENTION.split(texts.cut(text, limit))
    return Markup("".join(user(part).text if place % 2 else _between(part) for place, part in enumerate(parts)))


def code(text: str, limit: int = 300) -> Markup:
    """What people may type, byte by byte."""
    ready = texts.code(texts.cut(text, limit))
    return Markup(f"`{ready}`" if ready.strip() else "")


def said(text: str, limit: int = 600) -> Markup:
    """A sentence of ours in which `commands` stand between backticks. What is quoted in it stays text or code.

    Nothing but spaces is nothing.
    """
    parts = texts.cut(text, limit).split("`")
    if len(parts) % 2 == 0:  # a backtick without its twin is only text
        parts[-2:] = ["`".join(parts[-2:])]
    words = "".join(code(part).text if place % 2 else _between(part) for place, part in enumerate(parts))
    return Markup(words if words.strip() else "")


def _between(part: str) -> str:
    """Text next to code or people keeps the spaces around it."""
    words = part.strip()
    start = part.find(words)
    return part[:start] + texts.mrkdwn(words) + part[start + len(words) :] if words else part
