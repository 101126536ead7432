"""What people type to mean a run, before it is known which run that is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class NamedRef:
    """`R118`, `testrail:R118`, `A412/3`, `S55/98142`, or a bare number. What was not typed is None.

    `part` is what follows the slash: a thread of an automation run, a test of any other.
    """

    connection: str | None
    letter: str | None
    id: int
    part: int | None = None

    def __str__(self) -> str:
        prefix = f"{self.connection}:" if self.connection else ""
        return f"{prefix}{self.letter or ''}{self.id}" + ("" if self.part is None else f"/{self.part}")


@dataclass(frozen=True, slots=True)
class LinkRef:
    """A pasted web address, only ever parsed, never fetched."""

    url: str

    def __str__(self) -> str:
        return self.url


@dataclass(frozen=True, slots=True)
class LastRef:
    """`last`, or `last:nightly` for the last one with these words in it."""

    words: str = ""

    def __str__(self) -> str:
        return f"last:{self.words}" if self.words else "last"


@dataclass(frozen=True, slots=True)
class PrevRef:
    """`prev`: the run before the one last looked at, in its stream."""

    def __str__(self) -> str:
        return "prev"


@dataclass(frozen=True, slots=True)
class ThisRef:
    """`this`: the run of the thread."""

    def __str__(self) -> str:
        return "this"


@dataclass(frozen=True, slots=True)
class RowRef:
    """`#3`: a row of the asker's last list here, counted from 1."""

    row: int

    def __str__(self) -> str:
        return f"#{self.row}"


Ref = NamedRef | LinkRef | LastRef | PrevRef | ThisRef | RowRef
