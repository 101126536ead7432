"""Flags as they are typed, and the flags a verb knows."""

from __future__ import annotations

import re
from dataclasses import dataclass

from bot.slack.grammar_near import nearest
from bot.slack.grammar_words import Word
from bot.slack.verbs import Flag, Verb

#: Phones turn `--` into one long dash; a short one before a name and a colon excludes.
_LONG_DASHES = "‒–—―"
_DASHED = re.compile(rf"([-‐‑−{_LONG_DASHES}]+)([^\W\d_][^:=]*+)([:=])?")
_PAIR = re.compile(r"([^\W\d_][\w-]*+)([:=])")


@dataclass(frozen=True, slots=True)
class TypedFlag:
    """A flag as typed: with how many dashes (2 means two or a long one), its name, what followed a colon or `=`."""

    dashes: int
    name: str
    joint: str
    value: Word


def typed_flag(word: Word) -> TypedFlag | None:
    """The flag a word is by its dashes; None if it has none (`-5` and a lone dash are words)."""
    found = _DASHED.match(word.bare)
    if found is None:
        return None
    dashes = 2 if len(found[1]) > 1 or found[1] in _LONG_DASHES else 1
    return TypedFlag(dashes, word.text[found.start(2) : found.end(2)].lower(), found[3] or "", word[found.end() :])


def typed_pair(word: Word) -> TypedFlag | None:
    """`key:value` without dashes; None for any other word. Whether there is such a flag is not known here."""
    found = _PAIR.match(word.bare)
    return found and TypedFlag(0, found[1].lower(), found[2], word[found.end() :])


class Flags:
    """The flags of one verb, by name."""

    def __init__(self, verb: Verb) -> None:
        self._verb = verb
        self._known = {name: flag for flag in (*verb.flags, *verb.everywhere) for name in (flag.name, *flag.aliases)}

    def exact(self, name: str) -> Flag | None:
        return self._known.get(name)

    def fitting(self, name: str) -> tuple[Flag, ...]:
        """The flag of that name, else those it begins; verbs that write know no beginnings."""
        if flag := self._known.get(name):
            return (flag,)
        if self._verb.writes:
            return ()
        begun = [flag for known, flag in self._known.items() if known.startswith(name) and not flag.hidden]
        return tuple(dict.fromkeys(begun))

    def like(self, name: str) -> tuple[str, ...]:
        """Names of flags that may have been meant: those it begins, and those it is like."""
        known = [known for known, flag in self._known.items() if not flag.hidden]
        begun = [other for other in known if other.startswith(name)]
        return tuple(dict.fromkeys(self._known[other].name for other in (*begun, *nearest(name, known))))
