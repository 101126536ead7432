"""Rich text as plain text; what reads it is loaded with the first text, as an acknowledgement needs none of it."""

from __future__ import annotations


def plain(text: str | None) -> str:
    """The text without markup; see `bot.systems._rich_text.plain`."""
    if not text:
        return ""
    from bot.systems import _rich_text

    return _rich_text.plain(text)
