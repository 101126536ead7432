"""Commands: what somebody asked for, as a value. A command can be written down again and read back equal."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeAlias

from bot.domain.refs import LastRef, LinkRef, NamedRef, PrevRef, Ref, RowRef, ThisRef
from bot.slack.grammar_words import quoted
from bot.slack.refs import ref_text


@dataclass(frozen=True, slots=True)
class When:
    """A point in time as it was typed (`7d`, `monday`, `2026-11-01`) and what it means: `at` is aware, in UTC."""

    text: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Lines:
    """What a flag was given that may come several times, a text each time."""

    texts: tuple[str, ...]

    def __str__(self) -> str:
        return ", ".join(self.texts)


@dataclass(frozen=True, slots=True)
class Numbers:
    """Whole numbers, in their order, each once; none of them where `all` was typed."""

    numbers: tuple[int, ...]

    def __str__(self) -> str:
        """As they can be typed: `1,2,4-8`."""
        spans: list[list[int]] = []
        for number in self.numbers:
            if spans and number == spans[-1][-1] + 1:
                spans[-1][1:] = [number]
            else:
                spans.append([number])
        return ",".join("-".join(map(str, span)) for span in spans) or "all"

    def and_also(self, more: Numbers) -> Numbers:
        """These numbers and those; all, if either are all."""
        both = self.numbers and more.numbers
        return Numbers(tuple(sorted({*self.numbers, *more.numbers})) if both else ())


@dataclass(frozen=True, slots=True)
class Span:
    """A length of time in whole seconds."""

    seconds: int

    def __str__(self) -> str:
        """As it can be typed: `00:05:00`."""
        minutes, seconds = divmod(self.seconds, 60)
        return f"{minutes // 60:02}:{minutes % 60:02}:{seconds:02}"


#: A switch is True; a flag that takes several words has a tuple; a person is what was typed (see `people`).
Value: TypeAlias = bool | int | str | tuple[str, ...] | When | Lines | Numbers | Span | Ref


@dataclass(frozen=True, slots=True)
class Command:
    """One command. `verb` is the verb's own name; `flags` are (name, value) by name, exclusions under `-name`."""

    verb: str
    refs: tuple[Ref, ...] = ()
    words: tuple[str, ...] = ()
    flags: tuple[tuple[str, Value], ...] = ()
    share: bool = False
    page: int = 1

    def text(self) -> str:
        """The canonical words of this command: the grammar reads them as an equal command.

        They are one line, and not limited in length.
        """
        parts = [self.verb, *map(ref_text, self.refs), *map(quoted, self.words)]
        parts += [_flag_text(name, value) for name, value in self.flags]
        if self.share:
            parts.append("--share")
        if self.page > 1:
            parts.append(f"--page {self.page}")
        return " ".join(parts)

    def with_page(self, page: int) -> Command:
        """The same command for another page of its answer, counted from 1."""
        return replace(self, page=page)

    def shared(self) -> Command:
        """The same command, answered in public."""
        return replace(self, share=True)

    def with_switch(self, name: str, instead_of: tuple[str, ...] = ()) -> Command:
        """The same command with this switch on and those off, from its first page."""
        kept = [(flag, value) for flag, value in self.flags if flag not in (name, *instead_of)]
        return replace(self, flags=tuple(sorted([*kept, (name, True)], key=lambda each: each[0])), page=1)

    def with_word(self, old: str, new: str) -> Command:
        """The same command with another word in place of one, wherever it stands in words and flags."""

        def put(word: str) -> str:
            return new if word.casefold() == old.casefold() else word

        def put_in(value: Value) -> Value:
            if isinstance(value, tuple):
                return tuple(put(word) for word in value)
            return put(value) if isinstance(value, str) else value

        return replace(
            self,
            words=tuple(put(word) for word in self.words),
            flags=tuple((name, put_in(value)) for name, value in self.flags),
        )

    def get(self, flag: str) -> Value | None:
        return next((value for name, value in self.flags if name == flag), None)

    def on(self, flag: str) -> bool:
        """Whether a switch was given."""
        return self.get(flag) is True

    def word(self, flag: str) -> str:
        """The word of a flag, empty if it was not given."""
        value = self.get(flag)
        return value if isinstance(value, str) else ""

    def several(self, flag: str) -> tuple[str, ...]:
        """The words, people or lines of a flag, none if it was not given. `-tag` names what a flag excludes."""
        value = self.get(flag)
        if isinstance(value, Lines):
            return value.texts
        return value if isinstance(value, tuple) else ()

    def number(self, flag: str) -> int | None:
        value = self.get(flag)
        return value if isinstance(value, int) and not isinstance(value, bool) else None

    def numbers(self, flag: str) -> tuple[int, ...] | None:
        """The numbers of a flag, none of them for `all`; None if it was not given."""
        value = self.get(flag)
        return value.numbers if isinstance(value, Numbers) else None

    def seconds(self, flag: str) -> int | None:
        value = self.get(flag)
        return value.seconds if isinstance(value, Span) else None

    def when(self, flag: str) -> datetime | None:
        value = self.get(flag)
        return value.at if isinstance(value, When) else None

    def ref(self, flag: str) -> Ref | None:
        """The reference a flag names."""
        value = self.get(flag)
        return value if isinstance(value, NamedRef | LinkRef | LastRef | PrevRef | ThisRef | RowRef) else None


def _flag_text(name: str, value: Value) -> str:
    if value is True:
        return f"--{name}"
    begin = f"{name}:" if name.startswith("-") else f"--{name} "
    if isinstance(value, Lines):
        return " ".join(begin + quoted(text, value=True) for text in value.texts)
    if isinstance(value, tuple):
        return begin + ",".join(quoted(part, value=True) for part in value)
    if isinstance(value, When):
        value = value.text
    if isinstance(value, str):
        return begin + quoted(value, value=True)
    return begin + (str(value) if isinstance(value, int | Numbers | Span) else ref_text(value))
