"""A long list, ten rows at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")

ROWS = 10


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some rows of a list: `first` counts from 1, `total` counts all, `more` what comes after these."""

    rows: tuple[T, ...]
    number: int
    last: int
    first: int
    total: int

    @property
    def end(self) -> int:
        return self.first + len(self.rows) - 1

    @property
    def more(self) -> int:
        return self.total - self.end


def page_of(rows: Sequence[T], number: int, total: int | None = None, size: int = ROWS) -> Page[T]:
    """The page of that number, or the nearest there is."""
    last = max(1, -(-len(rows) // size))
    number = min(max(1, number), last)
    start = (number - 1) * size
    return Page(tuple(rows[start : start + size]), number, last, start + 1, max(len(rows), total or 0))
