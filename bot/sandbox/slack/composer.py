"""What Slack's clients make of what a person types: mentions and links become `<…>`, the rest is escaped."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bot.sandbox.slack.records import Json
from bot.sandbox.slack.state import State

_TOKEN = re.compile(
    r"(?P<url>https?://[^\s<>|]+)"
    r"|(?P<mail>(?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+)"
    r"|(?P<domain>(?<![\w@./:-])(?:[a-z0-9-]+\.)+(?:com|org|net|io|dev|example)\b(?:/[^\s<>|]*)?)"
    r"|(?<!\w)@(?P<at>[a-z0-9._-]*[a-z0-9_])"
    r"|(?<!\w)#(?P<hash>[a-z0-9_-]+)",
    re.IGNORECASE,
)
_AFTER_LINK = ".,;:!?'\")]}"


def escape(text: str) -> str:
    """The three characters that Slack's text cannot hold as they are."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def elements(state: State, text: str) -> list[Json]:
    """Typed words as rich text elements (text, user, channel, usergroup, broadcast, link)."""
    found: list[Json] = []
    end = 0
    for match in _TOKEN.finditer(text):
        element, used = _element(state, match)
        if element is None:
            continue
        if match.start() > end:
            found.append({"type": "text", "text": text[end : match.start()]})
        found.append(element)
        end = match.start() + used
    if end < len(text):
        found.append({"type": "text", "text": text[end:]})
    return found


def message_text(parts: list[Json]) -> str:
    """The `text` of a message that was typed so."""
    return "".join(_spell(part, labels={}) for part in parts)


def command_text(state: State, text: str) -> str:
    """The `text` of a slash command with should_escape: like a message, but mentions carry names."""
    names = {person.id: person.handle for person in state.people.values()}
    names |= {channel.id: channel.name for channel in state.channels.values()}
    names |= {group.id: f"@{group.handle}" for group in state.groups.values()}
    return "".join(_spell(part, labels=names) for part in elements(state, text))


def rich_text(parts: list[Json]) -> list[Json]:
    """The `blocks` that Slack's composer sends along."""
    return [{"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": parts}]}]


def links(parts: list[Json]) -> list[str]:
    return [part["url"] for part in parts if part["type"] == "link" and not part["url"].startswith("mailto:")]


def read_text(text: str) -> list[Json]:
    """Rich text elements of a text that is in Slack's own form already."""
    return list(_read(text))


def _read(text: str) -> Iterator[Json]:
    end = 0
    for match in re.finditer(r"<([^<>|]+)(?:\|([^<>]*))?>", text):
        if match.start() > end:
            yield {"type": "text", "text": _plain(text[end : match.start()])}
        yield _control(match[1], match[2])
        end = match.end()
    if end < len(text):
        yield {"type": "text", "text": _plain(text[end:])}


def _control(inner: str, label: str | None) -> Json:
    for sign, kind, key in (
        ("@", "user", "user_id"),
        ("#", "channel", "channel_id"),
        ("!subteam^", "usergroup", "usergroup_id"),
    ):
        if inner.startswith(sign):
            return {"type": kind, key: inner.removeprefix(sign)}
    if inner in {"!here", "!channel", "!everyone"}:
        return {"type": "broadcast", "range": inner[1:]}
    link: Json = {"type": "link", "url": _plain(inner)}
    return {**link, "text": _plain(label)} if label else link


def _plain(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _element(state: State, match: re.Match[str]) -> tuple[Json | None, int]:
    """The element of a token and how many characters of it belong to it; None when it is only text."""
    whole = match[0]
    if match["url"] or match["domain"]:
        link = whole.rstrip(_AFTER_LINK)
        if match["url"]:
            return {"type": "link", "url": link}, len(link)
        return {"type": "link", "url": f"http://{link}", "text": link}, len(link)
    if match["mail"]:
        return {"type": "link", "url": f"mailto:{whole}", "text": whole}, len(whole)
    return _named(state, match), len(whole)


def _named(state: State, match: re.Match[str]) -> Json | None:
    if match["hash"]:
        for channel in state.channels.values():
            if channel.name == match["hash"].lower() and not channel.is_direct:
                return {"type": "channel", "channel_id": channel.id}
        return None
    word = match["at"].lower()
    if word in {"here", "channel", "everyone"}:
        return {"type": "broadcast", "range": word}
    for person in state.people.values():
        if person.handle == word:
            return {"type": "user", "user_id": person.id}
    for group in state.groups.values():
        if group.handle == word:
            return {"type": "usergroup", "usergroup_id": group.id}
    return None


def _spell(part: Json, labels: dict[str, str]) -> str:
    def tag(sign: str, ident: str) -> str:
        return f"<{sign}{ident}|{labels[ident]}>" if labels.get(ident) else f"<{sign}{ident}>"

    match part["type"]:
        case "text":
            return escape(part["text"])
        case "user":
            return tag("@", part["user_id"])
        case "channel":
            # a message carries the bare separator here, a command the name
            return tag("#", part["channel_id"]) if labels else f"<#{part['channel_id']}|>"
        case "usergroup":
            return tag("!subteam^", part["usergroup_id"])
        case "broadcast":
            return f"<!{part['range']}>"
        case _:
            label = f"|{escape(part['text'])}" if part.get("text") else ""
            return f"<{escape(part['url'])}{label}>"
