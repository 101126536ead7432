"""What people type in Slack → words: quotes, links, mentions and Slack's escapes are read here, nothing is looked up.

Everything is linear in the length of the text, whatever it holds.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

#: Stands in `Word.bare` for every character that is no grammar: it was quoted, or Slack wrote it.
_SPOKEN = "\0"

_LINE = re.compile("\r\n|[\r\u2028\u2029]")
_SPACE = re.compile(r"[^\S\n]")
_JUNK = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff]"
)
_SLACK = re.compile(
    r"<(?P<what>[@#!][^<>|\s]++|[A-Za-z][A-Za-z0-9+.-]{1,20}:[^<>|\s]++)(?:\|(?P<label>[^<>]*+))?>|&(?P<entity>amp|lt|gt|#10);"
)
_ENTITY = re.compile("&(amp|lt|gt);")
_ENTITIES = {"amp": "&", "lt": "<", "gt": ">", "#10": "\n"}

_AMBIGUOUS = re.compile("&(?=(?:amp|lt|gt|#10);)")
_MENTION = re.compile(r"<[@#!][\w^.-]+>")
_PLAIN = re.compile(r"[\w.+#@/*%][\w.+#@/*%-]*")
_PLAIN_VALUE = re.compile(r"[\w.+#@/*%][\w.+#@/*%:=-]*")


class UnclosedError(Exception):
    """A quotation mark was opened and never closed. `rest` is the text from there on, `without` the text lacking it."""

    def __init__(self, rest: str, without: str) -> None:
        super().__init__(rest)
        self.rest = rest
        self.without = without


@dataclass(frozen=True, slots=True)
class Word:
    """One word as somebody typed it.

    `text` is what it says. `bare` is as long, but only characters typed without quotes are still to be seen in it:
    flags, colons and commas are looked for there. `url` is set when the whole word is a link. `raw` is the word with
    its quotation marks, `lines` how many lines end between it and the word before.
    """

    text: str
    bare: str
    url: str = ""
    raw: str = field(default="", compare=False)
    lines: int = field(default=0, compare=False)

    @classmethod
    def of(cls, text: str) -> Word:
        """A word typed without quotes."""
        return cls(text, text)

    @classmethod
    def said(cls, text: str) -> Word:
        """A word in quotes: nothing in it is grammar."""
        return cls(text, _SPOKEN * len(text))

    def __getitem__(self, part: slice) -> Word:
        return Word(self.text[part], self.bare[part], self.url if part == slice(None) else "")

    def __add__(self, more: Word) -> Word:
        return Word(self.text + more.text, self.bare + more.bare)

    def in_a_line(self) -> Word:
        """The word with spaces for the ends of lines in it."""
        return self if "\n" not in self.text else Word(self.text.replace("\n", " "), self.bare.replace("\n", " "))

    def split(self) -> tuple[Word, ...]:
        """The parts between commas that stand outside quotes, without empty ones."""
        parts, start = [], 0
        for end in (*(at for at, char in enumerate(self.bare) if char == ","), len(self.bare)):
            parts.append(self[start:end])
            start = end + 1
        return tuple(part for part in parts if part.text.strip())


def words_of(text: str) -> tuple[Word, ...]:
    """Cut a text, as Slack hands it over, into words. Raises UnclosedError."""
    said, marks, links = _unescaped(_unwrapped(clean(text)))
    return _Cutter(said, marks, links).words()


def prose(words: Sequence[Word]) -> str:
    """Words as the text somebody wrote, with its lines and quotation marks; what is quoted as a whole is unquoted."""
    if len(words) == 1:
        return words[0].text.strip()
    gaps = ("", *(" " if not word.lines else "\n" * min(word.lines, 2) for word in words[1:]))
    return "".join(gap + (word.raw or word.text) for gap, word in zip(gaps, words, strict=True)).strip()


def clean(text: str) -> str:
    """The text without characters nobody sees (NUL, marks of direction, zero width); every kind of space is a space.

    Ends of lines stay.
    """
    return _JUNK.sub("", _SPACE.sub(" ", _LINE.sub("\n", text))).strip()


def quoted(text: str, *, value: bool = False) -> str:
    """The text so that `words_of` reads it back as one word, in quotes only where they are needed.

    A `value` stands behind its flag, where colons mean nothing. It is always one line: ends of lines are written as
    `&#10;`. Slack escapes the `&` of what people type, so that nobody types this by chance.
    """
    if _MENTION.fullmatch(text) or (_PLAIN_VALUE if value else _PLAIN).fullmatch(text):
        return text
    escaped = _AMBIGUOUS.sub("&amp;", text).replace("<", "&lt;").replace("\n", "&#10;")
    return '"' + escaped.replace('"', '""') + '"'


def strip_mention(text: str, bot_user_id: str) -> str:
    """What is said to the bot: the text without its mention (`<@U1> show R118`, `show R118 <@U1|rundown>`).

    In the middle of a sentence the words behind the mention are meant: `hey <@U1> show A412`.
    """
    mention = rf"<@{re.escape(bot_user_id)}(?:\|[^<>]*+)?>"
    text = clean(text)
    begins = re.match(mention, text) is not None
    while (found := re.match(rf"{mention}[\s:,]*+", text)) is not None:
        text = text[found.end() :]
    while text.endswith(">") and re.fullmatch(mention, text[text.rfind("<") :]):
        text = text[: text.rfind("<")].rstrip()
    if begins or (found := re.search(rf"{mention}[\s:,]*+", text)) is None:
        return text
    after = strip_mention(text[found.end() :], bot_user_id)
    return after if any(map(str.isalnum, after)) else text[: found.start()].rstrip()


def strip_command(text: str, command_name: str) -> str:
    """The text without the slash command's name, which people type in direct messages: `/runs list`, `runs list`."""
    text = _unwrapped(clean(text))
    first, *rest = text.split(maxsplit=1) or ("",)
    return "".join(rest) if first.lower().lstrip("/") == command_name.lower().lstrip("/") else text


def _unwrapped(text: str) -> str:
    """A command copied from help comes as code: the backticks around all of it mean nothing."""
    inner = text.strip("`")
    return inner.strip() if inner != text and "`" not in inner else text


def _unescaped(text: str) -> tuple[str, str, dict[tuple[int, int], str]]:
    """What the text says, the same with Slack's own writing marked, and where links begin and end in it."""
    said: list[str] = []
    marks: list[str] = []
    links: dict[tuple[int, int], str] = {}
    size = done = 0
    for found in _SLACK.finditer(text):
        between = text[done : found.start()]
        piece, url = _slack_says(found)
        said += (between, piece)
        marks += (between, _SPOKEN * len(piece))
        start = size + len(between)
        size = start + len(piece)
        if url:
            links[start, size] = url
        done = found.end()
    return "".join((*said, text[done:])), "".join((*marks, text[done:])), links


def _slack_says(found: re.Match[str]) -> tuple[str, str]:
    """What an escape of Slack says, and its address if it is a link."""
    if found["entity"]:
        return _ENTITIES[found["entity"]], ""
    what = _ENTITY.sub(lambda entity: _ENTITIES[entity[1]], found["what"])
    if what[0] in "@#!":
        return f"<{what}>", ""
    if what.lower().startswith("mailto:"):
        return what[len("mailto:") :], ""
    label = _ENTITY.sub(lambda entity: _ENTITIES[entity[1]], found["label"] or "").strip()
    # Slack makes links of words that only look like one (`web.dev`): there the label is what was typed.
    return (label if label and what.endswith("//" + label) else what), what


#: What closes a quotation that begins with the key: the nearest of the first set, else of the second.
_DOUBLE = {
    '"': ('"', "“”„"),
    "“": ('”"', "“„"),
    "”": ('”"', "“"),
    "„": ('“”"', "„"),
    "«": ("»", "«"),
    "»": ("«", "»"),
}
#: These are apostrophes as well: they close only where a word ends, and are letters where nothing closes them.
_SINGLE = {"'": "'’", "‘": "’'", "’": "’'", "‚": "‘’'", "‹": "›", "›": "‹", "`": "`"}
_CLOSERS = {opener: tuple(re.compile(f"[{closers}]") for closers in pair) for opener, pair in _DOUBLE.items()} | {
    opener: (re.compile(f"[{closers}](?=[ ,\\n]|$)"),) for opener, closers in _SINGLE.items()
}


#: What stands between words.
_GAPS = (" ", "\n")


class _Cutter:
    """Cuts one text. `marks` is looked at, `said` is what is kept."""

    def __init__(self, said: str, marks: str, links: dict[tuple[int, int], str]) -> None:
        self._said = said
        self._marks = marks
        self._links = links
        self._vain: set[re.Pattern[str]] = set()

    def words(self) -> tuple[Word, ...]:
        found, at, lines = [], 0, 0
        while at < len(self._marks):
            if self._marks[at] in _GAPS:
                lines += self._marks[at] == "\n"
                at += 1
                continue
            word, at = self._word(at, lines)
            found.append(word)
            lines = 0
        return tuple(found)

    def _word(self, start: int, lines: int) -> tuple[Word, int]:
        text: list[str] = []
        bare: list[str] = []
        at = start
        while at < len(self._marks) and (mark := self._marks[at]) not in _GAPS:
            end = self._close(at) if mark in _CLOSERS and (at == start or self._marks[at - 1] in "=:,") else None
            if end is None:
                text.append(self._said[at])
                bare.append(mark)
                at += 1
                continue
            inside = self._inside(at, end)
            text.append(inside)
            bare.append(_SPOKEN * len(inside))
            at = end + 1
        url = self._links.get((start, at), "")
        return Word("".join(text), "".join(bare), url, raw=self._said[start:at], lines=lines), at

    def _inside(self, at: int, end: int) -> str:
        inside = self._said[at + 1 : end].strip()
        return inside.replace('""', '"') if self._marks[at] == self._marks[end] == '"' else inside

    def _close(self, at: int) -> int | None:
        """Where the quotation that begins at `at` ends; None if this is an apostrophe. Raises UnclosedError."""
        opener = self._marks[at]
        for closers in _CLOSERS[opener]:
            if closers not in self._vain and (end := self._search(closers, at)) is not None:
                return end
            self._vain.add(closers)
        if opener in _SINGLE:
            return None
        raise UnclosedError(self._said[at:], self._said[:at] + self._said[at + 1 :])

    def _search(self, closers: re.Pattern[str], at: int) -> int | None:
        """The nearest closing mark; a doubled `""` inside `"…"` is not one."""
        begin = at + 1
        while (found := closers.search(self._marks, begin)) is not None:
            end = found.start()
            if self._marks[at] == found[0] == '"' and self._marks[end + 1 : end + 2] == '"':
                begin = end + 2
                continue
            return end
        return None
