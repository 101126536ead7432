"""Foreign text made harmless: it can't ping, link, format, hide or break anything in a Slack message.

Slack has entities for `& < >` only. Its formatting characters can't be escaped, so they are replaced by lookalikes,
and `_` only where it could open or close italics: `test_login_ok` stays byte-exact.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

#: Sees to it that what follows is neither an emoji name nor a quotation; has no width.
JOINER = "\u2060"

_GENERIC_MARKS = "\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f"
_SURROGATES = "\ud800-\udfff"

#: Controls, line ends, blanks that are no white space: a space. Bidi controls, invisible characters: nothing.
_SPACED = (*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029, 0x2800, 0x3164, 0xFFA0)
_REMOVED = (
    0xAD, 0x61C, 0x180E, 0x200B, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2060, 0x2070), 0xFEFF,
    *range(0xFFF9, 0xFFFC), *range(0x1D173, 0x1D17B), *range(0xE0000, 0xE0080),
)  # fmt: skip
_CLEAN: dict[int, str] = {**dict.fromkeys(_SPACED, " "), **dict.fromkeys(_REMOVED, "")}
_ENTITIES = {ord("&"): "&amp;", ord("<"): "&lt;", ord(">"): "&gt;"}
_HARMLESS: dict[int, str] = {**_ENTITIES, ord("*"): "\u2217", ord("`"): "\u02cb", ord("~"): "\u223c"}


def _any_of(codes: Iterable[int], *more: str) -> str:
    """A character class, of ranges: single characters beyond 0xFFFF make a pattern slow."""
    ranges: list[list[int]] = []
    for code in sorted(codes):
        if ranges and ranges[-1][1] == code - 1:
            ranges[-1][1] = code
        else:
            ranges.append([code, code])
    return "[" + "".join(f"\\U{first:08x}-\\U{last:08x}" for first, last in ranges) + "".join(more) + "]"


_UNCLEAN = re.compile(_any_of(_CLEAN, _GENERIC_MARKS, _SURROGATES, "\u200c\u200d"))
_FOREIGN = re.compile(_any_of({*_CLEAN, *_HARMLESS}, _GENERIC_MARKS, _SURROGATES, "\u200c\u200d"))
_SURROGATE = re.compile(f"[{_SURROGATES}]")
_PILED_MARKS = re.compile(f"([{_GENERIC_MARKS}]{{4}})[{_GENERIC_MARKS}]+")
_STRAY_JOINER = re.compile("(?<![^\x00-\x7f\u200c\u200d])[\u200c\u200d]+|[\u200c\u200d]+(?![^\x00-\x7f\u200c\u200d])")
_ITALIC = re.compile(r"(?<![A-Za-z0-9_])_+|_+(?![A-Za-z0-9_])")
#: Names of emoji have a letter in them, but for 👍 👎 💯 🔢: times and places in files (`a.ts:21:7`) have none.
_EMOJI = re.compile(r":(?=(?:[+-]1|100|1234|[\d+'\u2019-]*[^\W\d][\w+'\u2019-]*):)")


def clean(text: str) -> str:
    """One line without controls, invisible characters and piled-up accents. Nothing visible is lost."""
    if _UNCLEAN.search(text) is None:
        return text.strip()
    text = _STRAY_JOINER.sub("", whole(text).translate(_CLEAN))
    return _PILED_MARKS.sub(r"\1", text).strip()


def whole(text: str) -> str:
    """The text without halves of characters, which no one can send."""
    if text.isascii() or _SURROGATE.search(text) is None:
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def mrkdwn(text: str) -> str:
    """The text as it may stand in a mrkdwn object, a link's label or a message's fallback: it is only ever text."""
    if _FOREIGN.search(text) is not None:
        text = clean(text).translate(_HARMLESS).strip()
        if text.startswith("&gt;"):
            text = JOINER + text
    else:
        text = text.strip()
    if "_" in text:
        text = _ITALIC.sub(_low_macrons, text)
    if ":" in text:
        text = _EMOJI.sub(":" + JOINER, text)
    return text


def code(text: str) -> str:
    """The text as it may stand between backticks, where nothing else formats: only backticks are replaced."""
    return clean(text).replace("`", "\u02cb").translate(_ENTITIES)


def _low_macrons(match: re.Match[str]) -> str:
    return "\u02cd" * len(match[0])


def cut(text: str, limit: int) -> str:
    """The text cleaned and at most `limit` characters long, shortened at a word with “…”, never inside a character."""
    text = clean(text)
    if len(text) <= limit:
        return text
    if limit < 2:
        return "…"[:limit]
    room = limit - 1
    space = text.rfind(" ", room * 3 // 5, room + 1)
    return text[: space if space > 0 else character_end(text, room)].rstrip(" ,.;:-–—·") + "…"


def character_end(text: str, at: int) -> int:
    """The last place up to `at` that is not inside what people see as one character."""
    while 0 < at < len(text) and _continues(text, at):
        at -= 1
    return at


def _continues(text: str, at: int) -> bool:
    char, before = text[at], text[at - 1]
    if char.isascii():
        return False
    if _is_flag_letter(char) and _is_flag_letter(before):
        run = at
        while run and _is_flag_letter(text[run - 1]):
            run -= 1
        return (at - run) % 2 == 1
    return (
        char in "\u200c\u200d\u2060"
        or before == "\u200d"
        or "\U0001f3fb" <= char <= "\U0001f3ff"
        or unicodedata.category(char)[0] == "M"
    )


def _is_flag_letter(char: str) -> bool:
    return "\U0001f1e6" <= char <= "\U0001f1ff"


_ENTITY = re.compile(r"&(?:amp|lt|gt);")
_LINK = re.compile(r"<https?://[^|<>\n]*\|([^<>\n]*)>")


def cut_escaped(text: str, limit: int) -> str:
    """Already escaped text cut to `limit` characters: first its links become their labels, then whole tokens go."""
    if len(text) <= limit:
        return text
    text = _LINK.sub(r"\1", text)
    if len(text) <= limit:
        return text
    return text[: character_end(text, _token_end(text, limit - 1))].rstrip() + "…"


def _token_end(text: str, at: int) -> int:
    """The last place up to `at` that is not inside a link, a piece of code or an entity."""
    opened = text.rfind("<", 0, at)
    if opened > text.rfind(">", 0, at) and ">" in text[at:]:
        at = opened
    if text.count("`", 0, at) % 2 and "`" in text[at:]:
        at = text.rfind("`", 0, at)
    ampersand = text.rfind("&", max(0, at - 4), at)
    entity = _ENTITY.match(text, ampersand) if ampersand >= 0 else None
    return ampersand if entity is not None and entity.end() > at else at


#: No link or entity is longer.
LONGEST_TOKEN = 7_000


def cut_bytes(text: str, limit: int) -> str:
    """Already escaped text cut to `limit` bytes of UTF-8."""
    if len(text) * 4 <= limit or len(text.encode()) <= limit:
        return text
    text = text[: limit + LONGEST_TOKEN]
    room = len(text.encode()[: limit - len("…".encode())].decode(errors="ignore")) + 1
    while len((short := cut_escaped(text, room)).encode()) > limit:  # labels of links may weigh more than the rest
        room -= max(1, (len(short.encode()) - limit) // 4)
    return short
