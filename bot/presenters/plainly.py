"""A message as plain text, for terminals: links by their names, dates by their words, without Slack's escapes."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import Any

from bot.presenters.message import Block, Message

_TOKEN = re.compile(r"<([^<>|]+)(?:\|([^<>]*))?>")


def plain_text(message: Message) -> str:
    """All of it, what continues it after a blank line."""
    parts = ["\n".join(line for block in message.blocks for line in _lines(block))]
    parts += [plain_text(more) for more in message.more]
    return "\n\n".join(part for part in parts if part)


def _lines(block: Block) -> Iterator[str]:
    """A block's texts; buttons are no text."""
    for text in (block.get("text"), *block.get("fields", ()), *_elements(block)):
        said = text.get("text") if isinstance(text, dict) else None
        if isinstance(said, str) and said.strip():
            yield _plain(said)


def _elements(block: Block) -> list[Any]:
    return list(block.get("elements", ())) if block.get("type") == "context" else []


def _plain(text: str) -> str:
    return html.unescape(_TOKEN.sub(_named, text)).replace("*", "").replace("`", "")


def _named(found: re.Match[str]) -> str:
    return found[2] or found[1]
