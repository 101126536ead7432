"""Rich text of the systems (HTML, or Markdown as people type it into comment fields) as plain text."""

from __future__ import annotations

import html
import re
from html.parser import HTMLParser

#: Longer texts are cut before they are read: nobody reads so much in a chat, and a parser's time must have an end.
MOST_CHARS = 8_000

_BLOCKS = frozenset(re.findall(r"\w+", """
    address article aside blockquote br dd div dl dt figcaption figure footer form h1 h2 h3 h4 h5 h6 header hr li main
    nav ol p pre section table tbody tfoot thead tr ul
"""))  # fmt: skip
_DROPPED = frozenset({"head", "iframe", "math", "noscript", "object", "script", "style", "svg", "template", "textarea"})
_INLINE = frozenset(re.findall(r"\w+", """
    a abbr b big body cite code col colgroup del em font html i img ins kbd mark q s samp small span strike strong sub
    sup td th tt u var wbr
"""))  # fmt: skip
_KNOWN = _BLOCKS | _DROPPED | _INLINE

_LOOKS_HTML = re.compile(rf"</?(?:{'|'.join(sorted(_KNOWN, key=len, reverse=True))})(?:\s[^<>]{{0,2000}})?/?>", re.I)
_DECLARATION = re.compile(r"<[!?][^<>]{0,2000}>")
#: A tag that no `>` ends before the next one begins. HTMLParser looks for that end again and again, to the text's end.
_UNENDED = re.compile(r"<(?![^<>]{0,2000}>)|<(?=[!?])")
_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]{1,30});")
_MARKDOWN = (
    (re.compile(r"^ {0,3}(?:`{3,}|~{3,})[\w+-]{0,30} *$", re.M), ""),
    (re.compile(r"!\[([^\[\]\n]{0,300})\]\([^()\s]{1,2000}\)"), r"\1"),
    (re.compile(r"\[([^\[\]\n]{1,300})\]\((?:https?:|index\.php\?|/)[^()\s]{1,2000}\)"), r"\1"),
    (re.compile(r"\*\*([^*\n]{1,500})\*\*"), r"\1"),
    (re.compile(r"`([^`\n]{1,500})`"), r"\1"),
    (re.compile(r"^ {0,3}#{1,6} +", re.M), ""),
)
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


def plain(text: str | None) -> str:
    """The text without markup: one line per paragraph, list item or table row, no blank lines, trimmed.

    HTML is told by its usual tags only, so `List<String>` in an error message stays. Scripts and styles are dropped,
    entities decoded once, links and pictures become their words. At most 8,000 characters are read.
    """
    if not text:
        return ""
    words = text[:MOST_CHARS].replace("\r\n", "\n").replace("\r", "\n")
    if _LOOKS_HTML.search(words):
        words = _from_html(words)
    else:
        words = _ENTITY.sub(lambda found: html.unescape(found[0]), _from_markdown(words))
    lines = (" ".join(line.split()) for line in _CONTROLS.sub("", words).split("\n"))
    return "\n".join(line for line in lines if line)


def _from_markdown(text: str) -> str:
    for pattern, instead in _MARKDOWN:
        text = pattern.sub(instead, text)
    return text


def _from_html(text: str) -> str:
    reader = _Reader()
    reader.feed(_UNENDED.sub("&lt;", _DECLARATION.sub("", _without_comments(text))))
    reader.close()
    return "".join(reader.parts)


def _without_comments(text: str) -> str:
    start = text.find("<!--")
    while start >= 0:
        end = text.find("-->", start + 4)
        if end < 0:
            break
        text = text[:start] + text[end + 3 :]
        start = text.find("<!--", start)
    return text


class _Reader(HTMLParser):
    """Collects the words in `parts`; tags that are none (`List<String>`) stay as they were typed."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._dropping = ""
        self._as_typed = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self._dropping:
            return
        if tag in _DROPPED:
            self._dropping = tag
        elif tag in _BLOCKS:
            self._as_typed = self._as_typed or tag == "pre"
            self.parts.append("\n- " if tag == "li" else "\n")
        elif tag in ("td", "th"):
            self.parts.append(" ")
        elif tag == "img":
            self.parts.append(dict(attrs).get("alt") or "")
        elif tag not in _KNOWN:
            self.parts.append(self.get_starttag_text() or "")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _DROPPED:
            self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        if self._dropping:
            self._dropping = "" if tag == self._dropping else self._dropping
        elif tag in _BLOCKS:
            self._as_typed = self._as_typed and tag != "pre"
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._dropping:
            self.parts.append(data if self._as_typed else re.sub(r"\s+", " ", data))
