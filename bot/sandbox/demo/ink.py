"""Slack's texts as styled text of the terminal: mrkdwn, plain text, rich text elements."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Any
from urllib.parse import quote

from rich.console import RenderableType
from rich.style import Style
from rich.text import Text

from bot.sandbox.demo import dates
from bot.sandbox.demo.letters import emoji, harmless, line, small, with_emoji
from bot.sandbox.demo.shapes import Behind
from bot.sandbox.slack.mrkdwn import Span, parse
from bot.sandbox.slack.records import Json

BOLD, ITALIC, STRIKE = Style(bold=True), Style(italic=True), Style(strike=True)
CODE, NAME, LINK = Style(color="red"), Style(color="cyan"), Style(underline=True, color="blue")
QUIET = Style(dim=True)

_STYLES = {"bold": BOLD, "italic": ITALIC, "strike": STRIKE, "code": CODE}
#: What stands for a style that can't be seen; bold and italic only stress what the words say anyway.
_MARKS = {"strike": "~", "code": "`"}
_SIGNS = {"user": "@", "usergroup": "@", "channel": "#"}
_LEADS = re.compile(r"(?:https?://|mailto:)", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What a drawing depends on besides the message.

    `names` are what ids of people, channels and groups are shown as; `people` and `channels` are (id, name) to choose
    from. `zone` None is this machine's. Without `styled` marks stand where colour would (`code`, ~gone~); without
    `hyperlinks` addresses are listed below the message.
    """

    names: Mapping[str, str]
    now: datetime
    zone: tzinfo | None = None
    styled: bool = False
    hyperlinks: bool = False
    people: Sequence[tuple[str, str]] = ()
    channels: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True, slots=True)
class Ink:
    """Writes the texts of one message; `addresses` are those that stand below it, in the order of their marks."""

    look: Look
    addresses: list[str] = field(default_factory=list)

    def text(self, value: Any, style: Style | None = None) -> list[RenderableType]:
        """A text object, as paragraphs."""
        if not isinstance(value, dict):
            return []
        words = str(value.get("text") or "")
        if value.get("type") == "mrkdwn":
            return self.mrkdwn(words, style, verbatim=bool(value.get("verbatim")))
        return [Text(harmless(self._named(value, words)), style or "", overflow="fold")]

    def label(self, value: Any) -> str:
        """A text object's words on one line, for buttons and options."""
        if not isinstance(value, dict):
            return ""
        words = str(value.get("text") or "")
        if value.get("type") == "mrkdwn":
            return " ".join(self.inline(self._parsed(words)).plain.split())
        return line(self._named(value, words))

    def _named(self, value: Json, words: str) -> str:
        return words if value.get("emoji") is False else with_emoji(words)

    def _parsed(self, words: str, *, verbatim: bool = False, names: bool = True) -> tuple[Span, ...]:
        return parse(dates.settle(words, self.look.now, self.look.zone), verbatim=verbatim, names=names)

    def mrkdwn(
        self, words: str, style: Style | None = None, *, verbatim: bool = False, names: bool = True
    ) -> list[RenderableType]:
        """Paragraphs: running text, and between it quotes and code behind their bars."""
        found: list[RenderableType] = []
        running: list[Span] = []

        def flush() -> None:
            text = self.inline(running, style)
            running.clear()
            if text.plain.strip():
                found.append(_without_outer_breaks(text))

        for span in self._parsed(words, verbatim=verbatim, names=names):
            if span.kind not in {"quote", "pre"}:
                running.append(span)
                continue
            flush()
            if span.kind == "quote":
                found.append(Behind(self.inline(span.inside, style), "▌ ", style="dim"))
            else:
                found.append(Behind(self.inline(span.inside, CODE), "┆ ", style="dim"))
        flush()
        return found

    def inline(self, spans: Iterable[Span], style: Style | None = None) -> Text:
        """Running text."""
        text = Text(overflow="fold")
        for span in spans:
            self._write(text, span, style or Style.null())
        return text

    def _write(self, text: Text, span: Span, style: Style) -> None:
        match span.kind:
            case "bold" | "italic" | "strike" | "code":
                self._marked(text, span.kind, self.inline(span.inside, style + _STYLES[span.kind]))
            case "quote" | "pre":
                text.append_text(self.inline(span.inside, style))
            case "link":
                self.link(text, span.target, span.text, style)
            case "date" if span.inside:
                self.link(text, span.inside[0].target, span.text, style)
            case "user" | "usergroup" | "channel" | "broadcast":
                text.append(self.name(span.kind, span.target, span.text), style + NAME)
            case "emoji":
                text.append(emoji(span.target), style)
            case _:
                text.append(harmless(span.text), style)

    def _marked(self, text: Text, kind: str, inside: Text) -> None:
        mark = "" if self.look.styled else _MARKS.get(kind, "")
        text.append(mark)
        text.append_text(inside)
        text.append(mark)

    def name(self, kind: str, ident: str, otherwise: str) -> str:
        """`@Ana Kovač`, `#release`."""
        sign = _SIGNS.get(kind, "")
        known = self.look.names.get(ident)
        return line(f"{sign}{known.removeprefix(sign)}" if known else otherwise)

    def link(self, text: Text, url: str, label: str, style: Style | None = None) -> None:
        """The label; where it leads as a hyperlink, else by a mark, unless the label says so itself."""
        address, shown = line(url), harmless(label) or line(url)
        leads = _LEADS.match(url) is not None
        look = (style or Style.null()) + LINK
        if leads and self.look.hyperlinks:
            look += Style(link=quote(address, safe="!#$%&'()*+,/:;=?@[]_~.-"))
        text.append(shown, look)
        if address.removeprefix("mailto:") == shown or (leads and self.look.hyperlinks):
            return
        if address not in self.addresses:
            self.addresses.append(address)
        text.append(small(self.addresses.index(address) + 1), QUIET)

    # -- rich text ---------------------------------------------------------------------------------------------------

    def rich(self, block: Json) -> list[RenderableType]:
        """A rich_text block, as paragraphs."""
        return [paragraph for part in block.get("elements", ()) for paragraph in self._rich_part(part)]

    def _rich_part(self, part: Json) -> list[RenderableType]:
        elements = part.get("elements", ())
        match part.get("type"):
            case "rich_text_list":
                return self._list(part)
            case "rich_text_quote":
                return [Behind(self._rich_inline(elements), "▌ ", style="dim")]
            case "rich_text_preformatted":
                return [Behind(self._rich_inline(elements, CODE), "┆ ", style="dim")]
            case _:
                return [_without_outer_breaks(self._rich_inline(elements))]

    def _list(self, part: Json) -> list[RenderableType]:
        indent = "   " * int(part.get("indent") or 0)
        start = int(part.get("offset") or 0) + 1
        items: list[RenderableType] = []
        for number, item in enumerate(part.get("elements", ()), start):
            mark = f"{indent}{number}. " if part.get("style") == "ordered" else f"{indent}• "
            items.append(Behind(self._rich_inline(item.get("elements", ())), mark, " " * len(mark)))
        return items

    def _rich_inline(self, elements: Iterable[Json], style: Style | None = None) -> Text:
        text = Text(overflow="fold")
        for element in elements:
            wanted = element.get("style")
            kinds = [kind for kind in _STYLES if isinstance(wanted, dict) and wanted.get(kind)]
            inside = self._rich_leaf(element, sum((_STYLES[kind] for kind in kinds), style or Style.null()))
            for kind in kinds:
                outer = Text(overflow="fold")
                self._marked(outer, kind, inside)
                inside = outer
            text.append_text(inside)
        return text

    def _rich_leaf(self, element: Json, style: Style) -> Text:
        text = Text(overflow="fold")
        match element.get("type"):
            case "link":
                url = str(element.get("url") or "")
                self.link(text, url, str(element.get("text") or url), style)
            case "user" | "usergroup" | "channel" as kind:
                ident = str(element.get(f"{kind}_id") or "")
                text.append(self.name(kind, ident, f"{_SIGNS[kind]}{ident}"), style + NAME)
            case "broadcast":
                text.append(line(f"@{element.get('range')}"), style + NAME)
            case "emoji":
                text.append(emoji(line(str(element.get("name")))), style)
            case "date":
                spelled = dates.spell(
                    str(element.get("format")), int(element.get("timestamp") or 0), self.look.now, self.look.zone
                )
                text.append(harmless(spelled or str(element.get("fallback") or "")), style)
            case "color":
                text.append(line(str(element.get("value"))), style)
            case _:
                text.append(harmless(str(element.get("text") or "")), style)
        return text


def _without_outer_breaks(text: Text) -> Text:
    """The paragraph without empty lines around it; blanks inside its first line stay."""
    plain = text.plain
    begin = len(plain) - len(plain.lstrip("\n"))
    end = len(plain.rstrip("\n"))
    return text[begin:end] if begin < end else Text(overflow="fold")
