"""References to runs as people type them: `R118`, `A412/3`, `testrail:R118`, a link, `last`, `prev`, `this`, `#3`.

Which run is meant is found out elsewhere; nothing is ever fetched from an address.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from bot.domain.refs import LastRef, LinkRef, NamedRef, PrevRef, Ref, RowRef, ThisRef
from bot.slack.grammar_words import Word, quoted

#: No system numbers its things beyond this.
LARGEST = 2**63 - 1


class NumberError(ValueError):
    """A number no run can have: 0, or too large."""


def ref_text(ref: Ref) -> str:
    """The reference as the grammar reads it back: quoted where its words need it."""
    match ref:
        case NamedRef(connection=str(), letter=None):
            return f'"{ref}"'
        case LinkRef(url=url):
            return url if _SAFE_LINK.fullmatch(url) else quoted(url)
        case LastRef(words=words) if words:
            return f"last:{quoted(words)}"
        case _:
            return str(ref)


#: References that are one word.
SPOKEN: Mapping[str, Ref] = {"last": LastRef(), "prev": PrevRef(), "this": ThisRef()}

_NAMED = re.compile(r"(?:([^\W_][\w.-]{1,63}):)?([a-z])?([0-9]+)(?:/([0-9]+))?")
_ROW = re.compile(r"#([0-9]+)")
_LINK = re.compile(r"https?://[^\s<>]+", re.IGNORECASE)
_SAFE_LINK = re.compile(r"https?://[\w./?&=%#@+*~:-]+", re.IGNORECASE)
_NEAR = re.compile(r"\W*(?:([^\W\d_]{1,20})[\W_]*)?([0-9]{1,19})(?:/([0-9]{1,19}))?\W*")
_NOUNS = {
    **dict.fromkeys(("", "run", "runs", "testrun", "test", "id", "no", "nr", "number"), ""),
    **dict.fromkeys(("plan", "testplan"), "P"),
    **dict.fromkeys(("set", "testset"), "S"),
    **dict.fromkeys(("automation", "auto"), "A"),
}


def read_ref(word: Word) -> Ref | None:
    """The reference a word is, None if it is none. Raises NumberError."""
    if link := read_link(word):
        return LinkRef(link)
    text = word.text.lower()
    if spoken := SPOKEN.get(text):
        return spoken
    if text.startswith("last:"):
        return LastRef(word.text[len("last:") :].strip())
    if row := _ROW.fullmatch(text):
        return RowRef(_number(row[1]))
    if named := _NAMED.fullmatch(text):
        return _named(*named.groups())
    return None


def read_link(word: Word) -> str:
    """The web address a word is, empty if it is none."""
    link = word.url or word.text
    return link if _LINK.fullmatch(link) else ""


def is_ref(word: Word) -> bool:
    """Whether a word is written like a reference, be its number possible or not."""
    try:
        return read_ref(word) is not None
    except NumberError:
        return True


def names_kind(word: Word) -> bool:
    """Whether a word is a reference with connection and letter, such as `testrail:R118`."""
    found = _NAMED.fullmatch(word.text.lower())
    return bool(found and found[1] and found[2])


def near_refs(text: str) -> tuple[str, ...]:
    """References that may have been meant by a text that is none: `R-118`, `R 118`, `run118`, `plan 9`."""
    found = _NEAR.fullmatch(text) if len(text) <= 80 and not text.startswith("<") else None
    noun = (found[1] or "").lower() if found else ""
    letter = noun.upper() if len(noun) == 1 and noun.isascii() else _NOUNS.get(noun)
    if found is None or letter is None:
        return ()
    return (f"{letter}{int(found[2])}" + (f"/{int(found[3])}" if found[3] else ""),)


def _named(connection: str | None, letter: str | None, number: str, part: str | None) -> NamedRef:
    inside = None if part is None else _number(part)
    return NamedRef(connection, letter.upper() if letter else None, _number(number), inside)


def _number(digits: str) -> int:
    digits = digits.lstrip("0")
    if not digits or len(digits) > len(str(LARGEST)) or int(digits) > LARGEST:
        raise NumberError(digits)
    return int(digits)
