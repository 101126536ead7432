"""Reading lists that come in pages, completely or with a word on what is missing.

Pages shift while they are read: a new row on top pushes one into the next page (it comes twice, and is taken once);
a deleted row pulls one into a page already read (it never comes). So rows are told apart by their key, and the totals
that the pages give are compared: a total that shrinks from one page to the next, or fewer rows than there were at the
start, make the list partial. That finds every lost row as long as rows come on top, fewer than a page holds. Where no
totals are given, pages that are read one after the other can overlap by a row: when the last row of a page is not met
again, the list is partial.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Hashable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import pairwise
from typing import Generic, TypeVar

from bot.domain.errors import RundownError, SystemFault
from bot.domain.model import Listing
from bot.domain.numbers import Numbers
from bot.usecases.ports import PATIENCE
from bot.usecases.room import ROOM

T = TypeVar("T")
R = TypeVar("R")

IN_FLIGHT = 8
MOST_PAGES = 1_000
MOST_ROWS = 100_000
#: After so many failed pages the others are not asked for: the server has other troubles.
MOST_FAILED = 3

#: Rows that are made into ours in one go while nobody waits for them.
SLICE = 20

CHANGED = "the list changed while it was read"
AGAIN = "the same page came again and again"


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


@dataclass(frozen=True, slots=True)
class Reach:
    """How far a list is read: so many pages, and no further once so many rows were met."""

    pages: int
    rows: int


#: What is held must fit into memory; what is only looked at need not.
HELD = Reach(MOST_PAGES, MOST_ROWS)
LOOKED_AT = Reach(10 * MOST_PAGES, 10 * MOST_ROWS)


async def each_of(rows: Sequence[R], make: Callable[[R], T]) -> list[T]:
    """What is made of each row: in slices where nobody waits for it, for then somebody else may be waiting."""
    patience = PATIENCE.get()
    if patience is None or patience.person:
        return [make(row) for row in rows]
    made: list[T] = []
    for start in range(0, len(rows), SLICE):
        await asyncio.sleep(0)
        made += map(make, rows[start : start + SLICE])
    await asyncio.sleep(0)
    return made


class Keys:
    """Keys of rows that were met; the usual ones, numbers, in few bytes."""

    __slots__ = ("_numbers", "_others")

    def __init__(self) -> None:
        self._numbers = Numbers()
        self._others: set[Hashable] = set()

    def __len__(self) -> int:
        return len(self._numbers) + len(self._others)

    def add(self, key: Hashable) -> bool:
        """Whether it was not met before."""
        if isinstance(key, int):
            return self._numbers.add(key)
        known = len(self._others)
        self._others.add(key)
        return len(self._others) > known


@dataclass(slots=True)
class Gathering(Generic[T]):
    """Rows collected so far, in the order of their pages, each once."""

    key: Callable[[T], Hashable]
    keep: Callable[[T], bool] | None = None
    at_most: int | None = None
    reach: Reach = HELD
    pages: dict[int, Page[T]] = field(default_factory=dict)
    failed: dict[int, RundownError] = field(default_factory=dict)
    seen: Keys = field(default_factory=Keys)
    missing: list[str] = field(default_factory=list)
    kept: int = 0
    barren: int = 0
    end: int | None = None

    def add(self, number: int, page: Page[T]) -> int:
        """Take a page; returns how many of its rows were new."""
        fresh = 0
        rows: list[T] = []
        for row in page.rows:
            if self.seen.add(self.key(row)):
                fresh += 1
                if self.keep is None or self.keep(row):
                    rows.append(row)
        self.kept += len(rows)
        self.pages[number] = replace(page, rows=rows)
        if page.size == 0:
            self.end = min(number, self.end or number)
        elif not fresh and not page.unreadable:
            self.barren += 1
        return fresh

    def over(self, number: int) -> bool:
        """Whether there is no point in reading this page any more."""
        hopeless = len(self.failed) >= MOST_FAILED or self.barren >= MOST_FAILED
        return self.enough or hopeless or (self.end is not None and number >= self.end)

    @property
    def pages_wanted(self) -> int:
        """So many more pages may be of use."""
        size = self.pages[1].size
        if self.at_most is None or self.keep is not None or not size:
            return self.reach.pages
        return -(-(self.at_most - self.kept) // size)

    @property
    def enough(self) -> bool:
        return self.satisfied or self.full

    @property
    def satisfied(self) -> bool:
        return self.at_most is not None and self.kept >= self.at_most

    @property
    def full(self) -> bool:
        return len(self.seen) >= self.reach.rows

    def note(self, words: str) -> None:
        """Say what is missing, once."""
        if words not in self.missing:
            self.missing.append(words)

    def listing(self, read_at: datetime, *, whole: bool) -> Listing[T]:
        """What was gathered. `whole` tells that reading went to the end, so that totals can be compared."""
        pages = [self.pages[number] for number in sorted(self.pages)]
        rows = [row for page in pages for row in page.rows]
        unreadable = sum(page.unreadable for page in pages)
        counted = len(self.seen) + unreadable
        if self.full and not whole and not self.satisfied:
            self.note(f"only the first {len(self.seen):,} rows were read")
        if unreadable:
            self.note(f"{unreadable} {'row' if unreadable == 1 else 'rows'} could not be read")
        totals = [page.total for page in pages if page.total is not None]
        shrank = any(later < earlier for earlier, later in pairwise(totals))
        if totals and (shrank or min(totals) < totals[0] or (whole and counted < totals[0])):
            self.note(CHANGED)
        return Listing(
            tuple(rows[: self.at_most]),
            read_at,
            self._total(len(rows), counted, totals, whole=whole),
            tuple(self.missing),
        )

    def _total(self, kept: int, counted: int, totals: list[int], *, whole: bool) -> int | None:
        """How many rows there are. Once all were read, only what was counted is told, whatever the pages say."""
        if self.keep is not None:
            return kept if whole else None
        if whole:
            return counted if totals or not self.missing else None
        if not totals:
            return None
        told, last = max([*totals, counted]), max(page.last or 0 for page in self.pages.values())
        fits = not last or told <= last * max(page.size for page in self.pages.values())
        return told if fits else None


async def by_number(
    read: Callable[[int], Awaitable[Page[T]]],
    *,
    key: Callable[[T], Hashable],
    now: Callable[[], datetime],
    keep: Callable[[T], bool] | None = None,
    at_most: int | None = None,
    reach: Reach = HELD,
) -> Listing[T]:
    """All rows of numbered pages: page 1, then the others eight at a time once the last page is known.

    A page that fails is named in `missing`; if page 1 fails, its error is raised. With `at_most`, reading stops
    early once so many rows passed `keep`.
    """
    gathering = Gathering(key, keep, at_most, reach)
    read_at = now()
    gathering.add(1, await read(1))
    first = gathering.pages[1]
    if first.last is None or (first.last < 1 and first.more):
        whole = await _follow(read, gathering)
    else:
        whole = await _together(read, gathering, first.last)
    return gathering.listing(read_at, whole=whole)


async def by_offset(
    read: Callable[[int], Awaitable[Page[T]]],
    *,
    key: Callable[[T], Hashable],
    now: Callable[[], datetime],
    keep: Callable[[T], bool] | None = None,
    at_most: int | None = None,
    overlap: bool = False,
    reach: Reach = HELD,
) -> Listing[T]:
    """All rows of pages that are asked for by offset, one after the other, as the end is not known beforehand.

    With `overlap` each page begins with the last row of the one before: needed where pages give no `total`.
    """
    gathering = Gathering(key, keep, at_most, reach)
    read_at = now()
    offset = 0
    edge: Hashable = None

    async def next_page(_number: int) -> Page[T]:
        nonlocal offset, edge
        page = await read(offset)
        keys = [key(row) for row in page.rows]
        if edge is not None and edge not in keys and not page.unreadable:
            gathering.note(CHANGED)
        again = overlap and page.more and len(keys) > 1
        edge = keys[-1] if again else None
        offset += page.size - again
        return page

    gathering.add(1, await next_page(1))
    whole = await _follow(next_page, gathering)
    return gathering.listing(read_at, whole=whole)


async def _follow(read: Callable[[int], Awaitable[Page[T]]], gathering: Gathering[T]) -> bool:
    """Read page after page while more is promised; returns whether the end was reached."""
    number, barren = 1, 0
    while gathering.pages[number].more and not gathering.enough:
        if number >= gathering.reach.pages:
            gathering.note(f"only the first {gathering.reach.pages:,} pages were read")
            return False
        number += 1
        try:
            page = await _next(read, number)
        except SystemFault as error:
            gathering.failed[number] = error
            gathering.note(f"everything after page {number - 1}")
            return False
        barren = 0 if gathering.add(number, page) else barren + 1
        # A page of rows that can't be read may be followed by others, but not for ever.
        if page.more and barren >= (MOST_FAILED if page.unreadable else 1):
            gathering.note(f"everything after page {number}" if page.unreadable else AGAIN)
            return False
    return not gathering.pages[number].more


async def _together(read: Callable[[int], Awaitable[Page[T]]], gathering: Gathering[T], told: int) -> bool:
    """Read pages 2 to the last as it is `told`, eight in flight; returns whether the end was reached."""
    done, last = 1, min(told, gathering.reach.pages)
    while done < last and not gathering.over(done):
        upto = min(last, done + gathering.pages_wanted)
        await _read_range(read, gathering, done + 1, upto)
        done = upto
        told = max(page.last or 0 for page in gathering.pages.values())  # rows may have come meanwhile
        last = min(told, gathering.reach.pages)
    return _say_what_lacks(gathering, told)


async def _next(read: Callable[[int], Awaitable[Page[T]]], number: int) -> Page[T]:
    """A further page, once there is room for its rows."""
    room = ROOM.get()
    if room is not None:
        await room()
    return await read(number)


async def _read_range(
    read: Callable[[int], Awaitable[Page[T]]], gathering: Gathering[T], first: int, last: int
) -> None:
    numbers = iter(range(first, last + 1))

    async def work(mine: Iterator[int]) -> None:
        for number in mine:
            if gathering.over(number):
                return
            try:
                gathering.add(number, await _next(read, number))  # no name for it, which would hold its rows
            except SystemFault as error:
                gathering.failed[number] = error

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(min(IN_FLIGHT, last - first + 1)):
                group.create_task(work(numbers))
    except BaseExceptionGroup as several:
        raise several.exceptions[0] from None


def _say_what_lacks(gathering: Gathering[T], told: int) -> bool:
    """Note which pages were not read, unless nobody needs them; returns whether the end was reached."""
    last = min(told, gathering.reach.pages)
    unread = [number for number in range(2, last + 1) if number not in gathering.pages]
    ended = gathering.end is not None
    if gathering.failed:
        hopeless = len(gathering.failed) >= MOST_FAILED
        gathering.note(_name_pages(unread if hopeless else sorted(gathering.failed), told))
    if gathering.barren and (gathering.barren >= MOST_FAILED or gathering.pages[1].total is None):
        gathering.note(AGAIN)
    if gathering.enough or gathering.failed or gathering.barren >= MOST_FAILED:
        return not unread and not gathering.failed and told <= gathering.reach.pages
    if told > gathering.reach.pages or (ended and gathering.pages[1].total is None):
        filled = sum(page.size > 0 for page in gathering.pages.values())
        gathering.note(f"only the first {filled:,} of {told:,} pages were read")
    return told <= gathering.reach.pages


def _name_pages(numbers: Collection[int], last: int) -> str:
    if len(numbers) == 1:
        return f"page {next(iter(numbers))} of {last:,}"
    shown = ", ".join(str(number) for number in list(numbers)[:5]) + (" …" if len(numbers) > 5 else "")
    return f"pages {shown} of {last:,}"
