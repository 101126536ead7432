"""What people wrote in Slack, in words that mean the same elsewhere: names for mentions, addresses for links."""

from __future__ import annotations

import asyncio
import html
import re
from collections.abc import Awaitable, Callable, Mapping

from bot.domain.errors import RundownError

#: A mention, a channel, a group or a link as Slack writes it, the label behind a bar.
_WRITTEN = re.compile(r"<(?P<what>[@#!][^<>|\s]+|(?:https?://|mailto:)[^<>|\s]+)(?:\|(?P<label>[^<>]*))?>", re.I)
_GROUPS = ("here", "channel", "everyone")

#: The name of the person with this Slack id.
NameOf = Callable[[str], Awaitable[str]]


def labels_in(text: str) -> Mapping[str, str]:
    """What Slack wrote along with the mentions, channels and links of a text, by what they point to."""
    return {
        html.unescape(each["what"]): html.unescape(each["label"]) for each in _WRITTEN.finditer(text) if each["label"]
    }


async def in_words(text: str, name_of: NameOf, labels: Mapping[str, str] | None = None) -> str:
    """The text with names for what only Slack understands; `labels` are known from elsewhere, as of `labels_in`."""
    known = labels or {}
    said = await _replaced(text, name_of, known)
    for address, label in known.items():
        if address.startswith("http") and _says_more(label, address):
            alone = rf"(?<![\w(/]){re.escape(address)}(?![\w/])"
            said = f"{label} ({address})".join(re.split(alone, said))
    return said


async def message_in_words(text: str, name_of: NameOf) -> str:
    """The same for the text of a message, in which Slack has escaped what people typed."""
    return html.unescape(re.sub(r"&(?!(?:amp|lt|gt);)", "&amp;", await _replaced(text, name_of, {})))


async def _replaced(text: str, name_of: NameOf, known: Mapping[str, str]) -> str:
    found = list(_WRITTEN.finditer(text))
    pieces = await asyncio.gather(
        *(_word(each["what"], each["label"] or known.get(each["what"], ""), name_of) for each in found)
    )
    said: list[str] = []
    done = 0
    for each, piece in zip(found, pieces, strict=True):
        said += (text[done : each.start()], piece)
        done = each.end()
    return "".join((*said, text[done:]))


async def _word(what: str, label: str, name_of: NameOf) -> str:
    label = label.strip()
    if what[0] == "@":
        try:
            name = await name_of(what[1:])
        except RundownError:
            name = ""
        return f"@{name or label or what[1:]}"
    if what[0] == "#":
        return f"#{label.lstrip('#') or what[1:]}"
    if what[0] == "!":
        kind = what[1:].split("^", maxsplit=1)[0]
        return label if label and kind not in _GROUPS else f"@{kind if kind in _GROUPS else 'group'}"
    address = what.removeprefix("mailto:")
    return f"{label} ({address})" if _says_more(label, address) else address


def _says_more(label: str, address: str) -> bool:
    """Whether a link's label is more than its address once again."""
    return bool(label) and label not in (address, address.rsplit("://", maxsplit=1)[-1])
