"""What Slack makes of a mrkdwn string: a tree of spans. Pure.

`parse(text)` gives the spans; `walk` visits all of them; `plain` the bare words; `pings` and `links` what a hostile
name would want to smuggle in. Where Slack's behaviour is not documented the reading is the suspicious one: what might
ping or link counts as pinging or linking. Source: docs.slack.dev messaging/formatting-message-text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

Kind = Literal[
    "text",
    "bold",
    "italic",
    "strike",
    "code",
    "pre",
    "quote",
    "link",
    "user",
    "channel",
    "usergroup",
    "broadcast",
    "date",
    "emoji",
]


@dataclass(frozen=True, slots=True)
class Span:
    """One piece. `text` is what a leaf shows (a link's label, literally); `target` the URL, id, range, time or name;
    `inside` the pieces of bold, italic, strike, code, pre and quote.
    """

    kind: Kind
    text: str = ""
    target: str = ""
    inside: tuple[Span, ...] = ()


_MARKS: dict[str, Kind] = {"*": "bold", "_": "italic", "~": "strike"}
_CONTROL = re.compile(r"<([^<>\n]*)>")
_EMOJI = re.compile(r":((?:[+-]1|100|1234|[a-z0-9_'+-]*[a-z][a-z0-9_'+-]*)(?:::skin-tone-[2-6])?):")
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)
_URL = r"\b[a-z][a-z0-9+.-]*://(?:(?!&[lg]t;)[^\s<>|])+"
_BARE_URL = re.compile(_URL, re.IGNORECASE)
_BARE = re.compile(
    rf"(?P<url>{_URL})"
    r"|(?P<mail>(?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+)"
    r"|(?P<domain>(?<![\w@./:-])(?:[a-z0-9-]+\.)+(?:com|org|net|io|dev|co|app|ai|example)\b(?:/[^\s<>|]*)?)"
    r"|(?P<broadcast>(?<!\w)@(?:here|channel|everyone)\b)"
    r"|(?<!\w)#(?P<channel>[a-z0-9][a-z0-9_-]*)",
    re.IGNORECASE,
)
_AFTER_LINK = ".,;:!?'\")]}*_~"


def parse(text: str, *, verbatim: bool = False, names: bool = True) -> tuple[Span, ...]:
    """The spans of a mrkdwn text.

    Without `verbatim` bare URLs, domains and addresses become links, and with `names` also `#channel` and `@here`
    (a message's top-level `text` knows no names unless `link_names` is set).
    """
    spans: list[Span] = []
    for index, part in enumerate(re.split(r"```(.+?)```", text, flags=re.DOTALL)):
        if index % 2:
            spans.append(Span("pre", inside=tuple(_code(part.strip("\n")))))
        else:
            spans.extend(_lines(part, _Reader(verbatim, names)))
    return tuple(_joined(spans))


def plain(spans: Iterable[Span]) -> str:
    """The words on the screen without any markup."""
    return "".join(plain(span.inside) if span.inside else span.text for span in spans)


def walk(spans: Iterable[Span]) -> Iterator[Span]:
    """Every span, however deep."""
    for span in spans:
        yield span
        yield from walk(span.inside)


def pings(spans: Iterable[Span]) -> list[Span]:
    """Everything that notifies somebody: users, user groups, here/channel/everyone."""
    return [span for span in walk(spans) if span.kind in {"user", "usergroup", "broadcast"}]


def links(spans: Iterable[Span]) -> list[Span]:
    """Everything that leads somewhere: links (a date may be one), channels."""
    return [span for span in walk(spans) if span.kind in {"link", "channel"} or (span.kind == "date" and span.inside)]


def decode(text: str) -> str:
    """The three entities; nothing else is one."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _lines(part: str, reader: _Reader) -> Iterator[Span]:
    """Quotes are a matter of lines: `>` (also as `&gt;`) at the start; `>>>` quotes all the rest."""
    rest = part
    while rest:
        mark = re.match(r"(?:&gt;|>){3}\s?", rest)
        if mark:
            yield Span("quote", inside=tuple(reader.read(rest[mark.end() :])))
            return
        line, newline, rest = rest.partition("\n")
        mark = re.match(r"(?:&gt;|>)\s?", line)
        if mark:
            yield Span("quote", inside=tuple(reader.read(line[mark.end() :])))
        else:
            yield from reader.read(line)
        if newline:
            yield Span("text", "\n")


def _code(part: str) -> Iterator[Span]:
    """Inside code nothing is formatted; control sequences are still taken for what they are."""
    end = 0
    for match in _CONTROL.finditer(part):
        if match.start() > end:
            yield Span("text", decode(part[end : match.start()]))
        yield _control(match[1])
        end = match.end()
    if end < len(part):
        yield Span("text", decode(part[end:]))


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads one line: control sequences and code first, then bold, italic and strike, then what is linked unasked."""

    verbatim: bool
    names: bool

    def read(self, line: str) -> Iterator[Span]:
        position = 0
        begin = 0
        while position < len(line):
            found = self._at(line, position)
            if found is None:
                position += 1
                continue
            span, end = found
            yield from self._leaf(line[begin:position])
            yield span
            begin = position = end
        yield from self._leaf(line[begin:])

    def _at(self, line: str, position: int) -> tuple[Span, int] | None:
        """The marked-up span that begins here and where it ends."""
        sign = line[position]
        if sign == "<":
            match = _CONTROL.match(line, position)
            return (_control(match[1]), match.end()) if match else None
        if sign == "`":
            end = line.find("`", position + 1)
            if end > position + 1:
                return Span("code", inside=tuple(_code(line[position + 1 : end]))), end + 1
            return None
        if not self.verbatim and (match := _BARE_URL.match(line, position)):
            shown = match[0].rstrip(_AFTER_LINK)
            return Span("link", decode(shown), decode(shown)), position + len(shown)
        if sign in _MARKS and not (position and (_is_word(line[position - 1]) or line[position - 1] == sign)):
            end = _closing(line, position)
            if end:
                inside = tuple(self.read(line[position + 1 : end]))
                return Span(_MARKS[sign], inside=inside), end + 1
        return None

    def _leaf(self, text: str) -> Iterator[Span]:
        """Text without markup: emoji, and unless verbatim what Slack links by itself."""
        end = 0
        for match in () if self.verbatim else _BARE.finditer(text):
            span, length = self._bare(match)
            if span is not None:
                yield from _emoji(text[end : match.start()])
                yield span
                end = match.start() + length
        yield from _emoji(text[end:])

    def _bare(self, match: re.Match[str]) -> tuple[Span | None, int]:
        if match["url"] or match["domain"]:
            shown = match[0].rstrip(_AFTER_LINK)
            target = shown if match["url"] else f"http://{shown}"
            return Span("link", decode(shown), decode(target)), len(shown)
        if match["mail"]:
            return Span("link", match[0], f"mailto:{match[0]}"), len(match[0])
        if not self.names:
            return None, 0
        if match["broadcast"]:
            return Span("broadcast", match[0], match[0][1:].lower()), len(match[0])
        return Span("channel", match[0], match["channel"].lower()), len(match[0])


def _is_word(sign: str) -> bool:
    return sign.isalnum()


def _closing(line: str, position: int) -> int:
    """Where the mark that opens at `position` closes, 0 when it does not: neither side may be glued to a word,
    and the first and last character inside are no blanks.
    """
    sign = line[position]
    if position + 1 >= len(line) or line[position + 1].isspace() or line[position + 1] == sign:
        return 0
    end = line.find(sign, position + 2)
    while end > 0:
        after = line[end + 1] if end + 1 < len(line) else " "
        glued = _is_word(after) or sign in (after, line[end - 1])
        if not line[end - 1].isspace() and not glued and not _in_control(line, end):
            return end
        end = line.find(sign, end + 1)
    return 0


def _in_control(line: str, position: int) -> bool:
    """Whether a character is part of a `<…>` sequence or of code."""
    return any(match.start() < position < match.end() for match in re.finditer(r"<[^<>\n]*>|`[^`]+`", line))


def _emoji(text: str) -> Iterator[Span]:
    end = 0
    for match in _EMOJI.finditer(text):
        if match.start() > end:
            yield Span("text", decode(text[end : match.start()]))
        yield Span("emoji", match[0], match[1])
        end = match.end()
    if end < len(text):
        yield Span("text", decode(text[end:]))


def _control(inner: str) -> Span:
    """One `<…>` sequence."""
    head, bar, label = inner.partition("|")
    for sign, kind, shown in (("@", "user", "@"), ("#", "channel", "#"), ("!subteam^", "usergroup", "@")):
        if head.startswith(sign) and len(head) > len(sign):
            ident = head.removeprefix(sign)
            named = decode(label) if label else ident
            return Span(kind, named if named.startswith(shown) else shown + named, ident)  # type: ignore[arg-type]
    if head in {"!here", "!channel", "!everyone"}:
        return Span("broadcast", f"@{head[1:]}", head[1:])
    if head.startswith("!date^"):
        _, stamp, *rest = head.split("^")
        link = (Span("link", decode(label), decode(rest[1])),) if len(rest) > 1 else ()
        return Span("date", decode(label) or stamp, stamp, link)
    if head.startswith("!"):
        return Span("text", decode(label) if bar else f"<{decode(inner)}>")
    if _SCHEME.match(head):
        return Span("link", decode(label) if label else decode(head), decode(head))
    return Span("text", f"<{decode(inner)}>")


def _joined(spans: Iterable[Span]) -> Iterator[Span]:
    """Neighbouring text as one span."""
    last: Span | None = None
    for span in spans:
        if last is not None and span.kind == last.kind == "text":
            last = Span("text", last.text + span.text)
            continue
        if last is not None:
            yield last
        last = span
    if last is not None:
        yield last
