"""Reading lists that come in pages, completely or with a word on what is missing.

Pages shift while they are read: a new row on top pushes one into the next page (it comes twice, and is taken once);
a deleted row pulls one into a page already read (it never comes). So rows are told apart by their key, and the totals
that the pages give are compared: fewer rows than there were at the start, or a total that shrank, make the list
partial.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, TypeVar

from bot.domain.errors import RundownError, SystemFault
from bot.domain.model import Listing

T = TypeVar("T")

IN_FLIGHT = 8
MOST_PAGES = 1_000
MOST_ROWS = 100_000


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page as its system gave it. `last` is the number of the last page, `total` the rows in all, where it says so.

    `more` tells that another page follows; `size` is how many rows it had, the `unreadable` ones included.
    """

    rows: list[T]
    size: int
    total: int | None = None
    last: int | None = None
    more: bool = False
    unreadable: int = 0


@dataclass(slots=True)
class Gathering(Generic[T]):
    """Rows collected so far, in the order of their pages, each once."""

    key: Callable[[T], Hashable]
    keep: Callable[[T], bool] | None = None
    at_most: int | None = None
    pages: dict[int, Page[T]] = field(default_factory=dict)
    failed: dict[int, RundownError] = field(default_factory=dict)
    seen: set[Hashable] = field(default_factory=set)
    missing: list[str] = field(default_factory=list)
    kept: int = 0

    def add(self, number: int, page: Page[T]) -> int:
        """Take a page; returns how many of its rows were new."""
        fresh = 0
        rows: list[T] = []
        for row in page.rows:
            key = self.key(row)
            if key not in self.seen:
                self.seen.add(key)
                fresh += 1
                if self.keep is None or self.keep(row):
                    rows.append(row)
        self.kept += len(rows)
        self.pages[number] = Page(rows, page.size, page.total, page.last, page.more, page.unreadable)
        return fresh

    @property
    def enough(self) -> bool:
        return (self.at_most is not None and self.kept >= self.at_most) or len(self.seen) >= MOST_ROWS

    def listing(self, read_at: datetime, *, whole: bool) -> Listing[T]:
        """What was gathered. `whole` tells that reading went to the end, so that totals can be compared."""
        rows: list[T] = []
        for number in sorted(self.pages):
            rows.extend(self.pages[number].rows)
        totals = [page.total for page in self.pages.values() if page.total is not None]
        first = self.pages[min(self.pages)].total if self.pages else None
        unreadable = sum(page.unreadable for page in self.pages.values())
        if unreadable:
            self.missing.append(f"{unreadable} {'row' if unreadable == 1 else 'rows'} could not be read")
        if whole and not self.failed and first is not None:
            counted = len(self.seen) + unreadable
            if min(totals) < first or counted < first:
                self.missing.append("the list changed while it was read")
        total = max(totals, default=None) if self.keep is None else len(rows) if whole else None
        cut = rows if self.at_most is None else rows[: self.at_most]
        return Listing(tuple(cut), read_at, total, tuple(self.missing))


async def by_number(
    read: Callable[[int], Awaitable[Page[T]]],
    *,
    key: Callable[[T], Hashable],
    now: Callable[[], datetime],
    keep: Callable[[T], bool] | None = None,
    at_most: int | None = None,
) -> Listing[T]:
    """All rows of numbered pages: page 1, then the others eight at a time once the last page is known.

    A page that fails is named in `missing`; if page 1 fails, its error is raised. With `at_most`, reading stops
    early once so many rows passed `keep`.
    """
    gathering = Gathering(key, keep, at_most)
    read_at = now()
    first = await read(1)
    gathering.add(1, first)
    if first.last is None:
        whole = await _follow(read, gathering)
    else:
        last = min(first.last, MOST_PAGES)
        if last < first.last:
            gathering.missing.append(f"only the first {last:,} of {first.last:,} pages were read")
        whole = await _together(read, gathering, last)
        if gathering.failed:
            gathering.missing.append(_name_pages(sorted(gathering.failed), first.last))
    return gathering.listing(read_at, whole=whole)


async def by_offset(
    read: Callable[[int], Awaitable[Page[T]]],
    *,
    key: Callable[[T], Hashable],
    now: Callable[[], datetime],
    keep: Callable[[T], bool] | None = None,
    at_most: int | None = None,
) -> Listing[T]:
    """All rows of pages that are asked for by offset, one after the other, as the end is not known beforehand."""
    gathering = Gathering(key, keep, at_most)
    read_at = now()
    offset = 0

    async def next_page(_number: int) -> Page[T]:
        nonlocal offset
        page = await read(offset)
        offset += page.size
        return page

    gathering.add(1, await next_page(1))
    whole = await _follow(next_page, gathering)
    return gathering.listing(read_at, whole=whole)


async def _follow(read: Callable[[int], Awaitable[Page[T]]], gathering: Gathering[T]) -> bool:
    """Read page after page while more is promised; returns whether the end was reached."""
    number = 1
    while gathering.pages[number].more and not gathering.enough:
        if number >= MOST_PAGES:
            gathering.missing.append(f"only the first {MOST_PAGES:,} pages were read")
            return False
        number += 1
        try:
            page = await read(number)
        except SystemFault as error:
            gathering.failed[number] = error
            gathering.missing.append(f"everything after page {number - 1}")
            return False
        if gathering.add(number, page) == 0 and page.more:
            gathering.missing.append("the same page came again and again")
            return False
    return not gathering.pages[number].more


async def _together(read: Callable[[int], Awaitable[Page[T]]], gathering: Gathering[T], last: int) -> bool:
    """Read pages 2 to `last`, eight in flight; returns whether the end was reached."""
    done = 1
    while done < last and not gathering.failed and not gathering.enough:
        await _read_range(read, gathering, done + 1, last)
        done = last
        last = min(max(page.last or 0 for page in gathering.pages.values()), MOST_PAGES)  # rows may have come meanwhile
    return done >= last and not gathering.failed and len(gathering.pages) >= done


async def _read_range(
    read: Callable[[int], Awaitable[Page[T]]], gathering: Gathering[T], first: int, last: int
) -> None:
    numbers = iter(range(first, last + 1))

    async def work(mine: Iterator[int]) -> None:
        for number in mine:
            if gathering.enough:
                return
            try:
                gathering.add(number, await read(number))
            except SystemFault as error:
                gathering.failed[number] = error

    async with asyncio.TaskGroup() as group:
        for _ in range(min(IN_FLIGHT, last - first + 1)):
            group.create_task(work(numbers))


def _name_pages(numbers: list[int], last: int) -> str:
    if len(numbers) == 1:
        return f"page {numbers[0]} of {last}"
    shown = ", ".join(str(number) for number in numbers[:5]) + (" …" if len(numbers) > 5 else "")
    return f"pages {shown} of {last}"
