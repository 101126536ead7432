"""The words of a message as a person reads them: for assertions, and for a quick look."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bot.sandbox.slack.mrkdwn import Span, parse
from bot.sandbox.slack.records import Json, Message

_SIGNS = {"user": "@", "usergroup": "@", "channel": "#"}


def words(message: Message, names: Mapping[str, str]) -> str:
    """Blocks if there are any (they replace the text on screen), then attachments; one line per part.

    `names` are what ids of people, channels and groups are shown as.
    """
    reader = Reader(names)
    lines = list(reader.blocks(message.blocks)) if message.blocks else [reader.mrkdwn(message.text)]
    for attachment in message.attachments:
        lines += reader.blocks(attachment.get("blocks") or ())
        lines += [reader.mrkdwn(str(attachment[key])) for key in ("title", "text") if attachment.get(key)]
    return "\n".join(line for line in lines if line)


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads texts aloud, ids by their names."""

    names: Mapping[str, str]

    def mrkdwn(self, text: str, *, verbatim: bool = False) -> str:
        return self._spans(parse(text, verbatim=verbatim))

    def _spans(self, spans: Iterable[Span]) -> str:
        return "".join(self._spans(span.inside) if span.inside else self._leaf(span) for span in spans)

    def _leaf(self, span: Span) -> str:
        known = self.names.get(span.target) if span.kind in _SIGNS else None
        return f"{_SIGNS[span.kind]}{known}" if known else span.text

    def blocks(self, blocks: Iterable[Json]) -> Iterator[str]:
        """Every text in the blocks, in reading order."""
        for block in blocks:
            if block.get("type") == "rich_text":
                yield "".join(self._rich(block))
            else:
                yield from self._texts(block)

    def _texts(self, value: Any) -> Iterator[str]:
        if isinstance(value, list | tuple):
            for inner in value:
                yield from self._texts(inner)
        elif isinstance(value, dict):
            kind, inner = value.get("type"), value.get("text")
            if kind == "mrkdwn":
                yield self.mrkdwn(str(inner), verbatim=bool(value.get("verbatim")))
            elif kind == "rich_text":
                yield "".join(self._rich(value))
            elif isinstance(inner, str):
                yield inner
            else:
                yield from self._parts(value)

    def _parts(self, value: Json) -> Iterator[str]:
        for key, part in value.items():
            if isinstance(part, str) and key in {"title", "caption", "label", "alt_text"}:
                yield part
            elif key != "confirm":
                yield from self._texts(part)

    def _rich(self, value: Json) -> Iterator[str]:
        for index, part in enumerate(value.get("elements", ())):
            kind = str(part.get("type"))
            if kind.startswith("rich_text_"):
                yield "\n" if index else ""
                yield from self._rich(part)
            elif kind in _SIGNS:
                ident = str(part[f"{kind}_id"])
                yield f"{_SIGNS[kind]}{self.names.get(ident, ident)}"
            elif kind == "broadcast":
                yield f"@{part['range']}"
            elif kind == "emoji":
                yield f":{part['name']}:"
            else:
                yield str(part.get("text") or part.get("url") or part.get("fallback") or "")
