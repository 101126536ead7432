"""Lists in pages: each row once, or a word on what is missing, whatever happens to the list while it is read."""

from __future__ import annotations

import asyncio
import math
import random
import tracemalloc
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import combinations_with_replacement, permutations
from typing import Any, TypeVar

import pytest

from bot.domain.errors import NotFoundError, RefusedFault, SystemFault, TooSlowFault, UnavailableFault
from bot.domain.model import Listing
from bot.systems import _pages
from bot.systems._pages import AGAIN, CHANGED, MOST_PAGES, MOST_ROWS, Page, by_number, by_offset
from tests.systems.floor_kit import play

T = TypeVar("T")
READ_AT = datetime(2026, 11, 20, 9, tzinfo=UTC)

#: A change of a list: a new row on top (-1), or the row at this place goes.
Change = int
NEW = -1


@dataclass(slots=True)
class Changing:
    """A list that is served in pages of `size` rows, newest first, and changes before some of the pages are served."""

    rows: list[int]
    size: int
    totals: bool = True
    lasts: bool = True
    before: dict[int, list[Change]] = field(default_factory=dict)
    served: int = 0
    always: set[int] = field(default_factory=set)
    newest: int = 1_000

    def serve(self, start: int) -> Page[int]:
        """The page from this row on, after the changes that come before this serving."""
        self.served += 1
        for change in self.before.get(self.served, ()):
            if change == NEW:
                self.newest += 1
                self.rows.insert(0, self.newest)
            elif change < len(self.rows):
                self.always.discard(self.rows.pop(change))
        if self.served == 1:
            self.always = set(self.rows)
        rows = self.rows[start : start + self.size]
        total = len(self.rows)
        return Page(
            rows,
            len(rows),
            total if self.totals else None,
            max(1, -(-total // self.size)) if self.lasts else None,
            start + self.size < total,
        )

    async def number(self, number: int) -> Page[int]:
        return self.serve((number - 1) * self.size)

    async def offset(self, offset: int) -> Page[int]:
        return self.serve(offset)

    def check(self, listing: Listing[int]) -> None:
        assert len(set(listing.items)) == len(listing.items), "a row came twice"
        lost = self.always - set(listing.items)
        assert not lost or listing.missing, f"silently lost {lost}"


def at_once(job: Coroutine[Any, Any, T]) -> T:
    """The answer of something that never waits."""
    try:
        job.send(None)
    except StopIteration as done:
        answer: T = done.value
        return answer
    raise AssertionError("it waits")


def identity(row: int) -> int:
    return row


def numbered(changing: Changing, **how: Any) -> Listing[int]:
    return at_once(by_number(changing.number, key=identity, now=lambda: READ_AT, **how))


def offsetted(changing: Changing, **how: Any) -> Listing[int]:
    return at_once(by_offset(changing.offset, key=identity, now=lambda: READ_AT, **how))


def overlapped(changing: Changing) -> Listing[int]:
    return offsetted(changing, overlap=True)


Reader = Callable[[Changing], Listing[int]]


def all_changes(rows: int, pages: int, most: int = 3) -> Iterator[dict[int, list[Change]]]:
    """Every way to spread up to three changes over the moments before the pages from the second on."""
    for number in range(most + 1):
        for moments in combinations_with_replacement(range(2, pages + 1), number):
            yield from _fill(moments, rows, {})


def _fill(moments: Sequence[int], rows: int, so_far: dict[int, list[Change]]) -> Iterator[dict[int, list[Change]]]:
    if not moments:
        yield so_far
        return
    for change in range(NEW, rows):
        left = rows + (1 if change == NEW else -1)
        yield from _fill(moments[1:], left, {**so_far, moments[0]: [*so_far.get(moments[0], []), change]})


@pytest.mark.parametrize(("rows", "size"), [(4, 1), (7, 2), (8, 2), (10, 3)])
@pytest.mark.parametrize(
    ("read", "totals"),
    [(numbered, True), (offsetted, True), (overlapped, True), (overlapped, False)],
    ids=["numbered", "by offset", "overlapping with totals", "overlapping without"],
)
def test_no_row_is_lost_in_silence_whatever_three_changes_happen(
    read: Reader, totals: bool, rows: int, size: int
) -> None:
    if read is overlapped and size == 1:
        size = 2  # pages of one row can't overlap
    for before in all_changes(rows, pages=4):
        changing = Changing(list(range(rows)), size, totals, False, {k: list(v) for k, v in before.items()})
        try:
            changing.check(read(changing))
        except AssertionError as error:
            raise AssertionError(f"{before}: {error}") from None


def _together(changing: Changing, order: Sequence[int]) -> Callable[[int], Awaitable[Page[int]]]:
    """Serves page 1, then pages 2 to 4 in this order, whatever order they were asked for in; others at the end."""

    async def read(number: int) -> Page[int]:
        if number > 1:
            await asyncio.sleep(order.index(number) + 1 if number in order else 9)
        return changing.serve((number - 1) * changing.size)

    return read


@pytest.mark.parametrize(("rows", "size"), [(4, 1), (7, 2), (8, 2), (10, 3), (16, 4)])
def test_no_row_is_lost_in_silence_when_pages_are_read_at_the_same_time(rows: int, size: int) -> None:
    """As long as fewer rows come than a page holds: then no new row is met, and counted in place of a lost one."""
    orders = list(permutations((2, 3, 4)))
    every = [before for before in all_changes(rows, 4) if _new_rows(before) < size]
    chance = random.Random(size)
    cases = [(before, order) for before in every for order in orders]

    async def scene() -> None:
        for before, order in chance.sample(cases, min(len(cases), 3_000)):
            changing = Changing(list(range(rows)), size, before={k: list(v) for k, v in before.items()})
            listing = await by_number(_together(changing, order), key=identity, now=lambda: READ_AT)
            try:
                changing.check(listing)
            except AssertionError as error:
                raise AssertionError(f"{order} {before}: {error}") from None

    play(scene)


def _new_rows(before: dict[int, list[Change]]) -> int:
    return sum(changes.count(NEW) for changes in before.values())


@pytest.mark.parametrize("read", [numbered, offsetted, overlapped])
def test_new_rows_alone_cost_nothing(read: Reader) -> None:
    for before in all_changes(0, 4):
        if _new_rows(before) < sum(map(len, before.values())):
            continue
        changing = Changing(list(range(20)), 5, read is not overlapped, False, dict(before))
        listing = read(changing)
        assert (listing.missing, set(listing.items)) == ((), set(range(20)))


@pytest.mark.parametrize("rows", [0, 1, 4, 5, 6, 10, 11, 40, 41])
def test_a_quiet_list_is_read_in_as_many_requests_as_it_has_pages(rows: int) -> None:
    pages = max(1, math.ceil(rows / 5))
    for lasts in (True, False):
        changing = Changing(list(range(rows)), 5, lasts=lasts)
        listing, _ = play(lambda changing=changing: by_number(changing.number, key=identity, now=lambda: READ_AT))  # type: ignore[misc]
        assert (listing.items, listing.missing, listing.total) == (tuple(range(rows)), (), rows)
        assert (changing.served, listing.read_at) == (pages, READ_AT)
    changing = Changing(list(range(rows)), 5, totals=False)
    assert offsetted(changing) == Listing(tuple(range(rows)), READ_AT, rows, ())
    assert changing.served == pages
    changing = Changing(list(range(rows)), 5, totals=False)
    assert overlapped(changing) == Listing(tuple(range(rows)), READ_AT, rows, ())
    assert changing.served <= max(1, 1 + math.ceil((rows - 5) / 4))


def test_eight_pages_are_in_flight_at_most() -> None:
    flying = most = 0

    async def read(number: int) -> Page[int]:
        nonlocal flying, most
        flying += 1
        most = max(most, flying)
        await asyncio.sleep(1)
        flying -= 1
        return Page([number], 1, 25, 25, number < 25)

    listing, played = play(lambda: by_number(read, key=identity, now=lambda: READ_AT))
    assert (most, played.seconds, listing.items) == (8, 4, tuple(range(1, 26)))


# Servers that lie.


@dataclass(slots=True)
class Lying:
    """Honest pages of one row each, with what `lie` says about page and end of the list instead."""

    lie: Callable[[int, Page[int]], Page[int]]
    pages: int = 4
    asked: int = 0

    async def number(self, number: int) -> Page[int]:
        self.asked += 1
        rows = [number * 10, number * 10 + 1] if number <= self.pages else []
        return self.lie(number, Page(rows, len(rows), self.pages * 2, self.pages, number < self.pages))

    async def offset(self, offset: int) -> Page[int]:
        return await self.number(offset // 2 + 1)


def lying(**lies: Any) -> Callable[[int, Page[int]], Page[int]]:
    def lie(number: int, page: Page[int]) -> Page[int]:
        told = {name: value(number, page) if callable(value) else value for name, value in lies.items()}
        return Page(**{**{each: getattr(page, each) for each in Page.__slots__}, **told})

    return lie


WHOLE = (10, 11, 20, 21, 30, 31, 40, 41)


@pytest.mark.parametrize(
    ("lies", "missing", "most_requests"),
    [
        ({"last": 10**9}, ("only the first 4 of 1,000,000,000 pages were read",), 1 + 8 + 4),
        ({"last": 10**9, "total": None}, ("only the first 4 of 1,000,000,000 pages were read",), 1 + 8 + 4),
        ({"last": 500}, (), 1 + 8 + 4),
        ({"last": 500, "total": None}, ("only the first 4 of 500 pages were read",), 1 + 8 + 4),
        ({"last": None}, (), 4),
        ({"last": None, "more": True}, (AGAIN,), 5),
        ({"last": 0}, (), 4),
        ({"last": 0, "total": None}, (), 4),
        ({"last": -3}, (), 4),
        ({"total": 15}, (CHANGED,), 4),
        ({"total": 0}, (), 4),
        ({"total": -5}, (), 4),
        ({"last": None, "total": None}, (), 4),
    ],
    ids=str,
)
def test_what_a_server_says_about_its_pages_is_not_believed(
    lies: dict[str, Any], missing: tuple[str, ...], most_requests: int
) -> None:
    server = Lying(lying(**lies))
    listing, _ = play(lambda: by_number(server.number, key=identity, now=lambda: READ_AT))
    assert (listing.items, listing.missing) == (WHOLE, missing)
    assert server.asked <= most_requests
    assert listing.total is None or listing.total >= len(WHOLE)


def first_page_again(_number: int, _page: Page[int]) -> list[int]:
    return [10, 11]


@pytest.mark.parametrize(
    ("lies", "most_requests"),
    [
        ({"rows": first_page_again}, 4),
        ({"rows": first_page_again, "total": None}, 4),
        ({"rows": first_page_again, "last": None, "more": True}, 2),
        ({"rows": first_page_again, "size": 2, "last": 10**9, "total": None, "more": True}, 1 + 8),
        ({"rows": first_page_again, "size": 2, "last": 10**9, "more": True}, 1 + 8),
    ],
    ids=["last told", "no total", "endless", "far end, no total", "far end"],
)
def test_the_same_page_again_ends_and_is_said(lies: dict[str, Any], most_requests: int) -> None:
    server = Lying(lying(**lies))
    listing, _ = play(lambda: by_number(server.number, key=identity, now=lambda: READ_AT))
    assert listing.items == (10, 11)
    assert set(listing.missing) & {CHANGED, AGAIN}
    assert server.asked <= most_requests
    server = Lying(lying(**{**lies, "more": True}))
    listing = at_once(by_offset(server.offset, key=identity, now=lambda: READ_AT))
    assert (listing.items, listing.missing[0], server.asked) == ((10, 11), AGAIN, 2)


def endless(start: int) -> Page[int]:
    rows = list(range(start, start + 50))
    return Page(rows, 50, None, None, more=True)


def test_an_endless_list_of_new_rows_ends_after_a_thousand_pages() -> None:
    asked = 0

    async def read(number: int) -> Page[int]:
        nonlocal asked
        asked += 1
        return endless(number * 50)

    listing = at_once(by_number(read, key=identity, now=lambda: READ_AT))
    assert (asked, len(listing.items)) == (MOST_PAGES, MOST_PAGES * 50)
    assert listing.missing == ("only the first 1,000 pages were read",)
    asked = 0
    listing = at_once(by_offset(read, key=identity, now=lambda: READ_AT))
    assert (asked, listing.missing) == (MOST_PAGES, ("only the first 1,000 pages were read",))


@pytest.mark.parametrize("last", [None, 10**9, 1_000])
def test_beyond_a_hundred_thousand_rows_nothing_is_read_and_that_is_said(last: int | None) -> None:
    size, asked = 2_000, 0

    async def read(number: int) -> Page[int]:
        nonlocal asked
        asked += 1
        return Page(list(range(number * size, (number + 1) * size)), size, None, last, more=True)

    listing, _ = play(lambda: by_number(read, key=identity, now=lambda: READ_AT))
    assert MOST_ROWS <= len(listing.items) <= MOST_ROWS + 8 * size
    assert listing.missing == (f"only the first {len(listing.items):,} rows were read",)
    assert asked <= MOST_ROWS // size + 8


def test_pages_of_rows_that_cannot_be_read_do_not_go_on_for_ever() -> None:
    asked = 0

    async def read(number: int) -> Page[int]:
        nonlocal asked
        asked += 1
        return Page([1] if number == 1 else [], 100, None, None, more=True, unreadable=99 if number == 1 else 100)

    listing = at_once(by_number(read, key=identity, now=lambda: READ_AT))
    assert (asked, listing.items) == (4, (1,))
    assert listing.missing == ("everything after page 4", "399 rows could not be read")


def test_a_page_of_rows_that_cannot_be_read_does_not_hide_the_next() -> None:
    async def read(number: int) -> Page[int]:
        return Page([] if number == 2 else [number], 1, None, None, number < 3, unreadable=int(number == 2))

    listing = at_once(by_number(read, key=identity, now=lambda: READ_AT))
    assert (listing.items, listing.missing) == ((1, 3), ("1 row could not be read",))


# Pages that fail.


def fault(kind: type[SystemFault] = UnavailableFault) -> SystemFault:
    return kind("Testmo", "Testmo is not available right now.")


@pytest.mark.parametrize(
    ("failing", "missing", "asked"),
    [
        ({7}, "page 7 of 12", 12),
        ({2, 12}, "pages 2, 12 of 12", 12),
        (set(range(2, 13)), "pages 2, 3, 4, 5, 6 … of 12", 11),
    ],
)
def test_pages_that_fail_are_named_and_cost_only_themselves(failing: set[int], missing: str, asked: int) -> None:
    requests: list[int] = []

    async def read(number: int) -> Page[int]:
        requests.append(number)
        await asyncio.sleep(0.1 * number)
        if number in failing:
            raise fault()
        return Page([number], 1, 12, 12, number < 12)

    listing, _ = play(lambda: by_number(read, key=identity, now=lambda: READ_AT))
    assert listing.missing == (missing,)
    assert set(listing.items) == set(range(1, 13)) - failing
    assert len(requests) == asked


@pytest.mark.parametrize("kind", [UnavailableFault, TooSlowFault, RefusedFault])
def test_where_pages_follow_each_other_a_failure_ends_the_list_and_is_said(kind: type[SystemFault]) -> None:
    async def read(offset: int) -> Page[int]:
        if offset >= 4:
            raise fault(kind)
        return Page([offset, offset + 1], 2, more=True)

    listing = at_once(by_offset(read, key=identity, now=lambda: READ_AT))
    assert (listing.items, listing.missing) == ((0, 1, 2, 3), ("everything after page 2",))


@pytest.mark.parametrize("error", [fault(), NotFoundError("No project 9.")])
def test_without_the_first_page_its_error_is_raised(error: Exception) -> None:
    async def read(_number: int) -> Page[int]:
        raise error

    for reader in (by_number, by_offset):
        with pytest.raises(type(error)) as caught:
            at_once(reader(read, key=identity, now=lambda: READ_AT))
        assert caught.value is error


def test_an_error_that_is_no_fault_of_the_system_is_raised_as_it_is() -> None:
    error = NotFoundError("No project 9.")

    async def read(number: int) -> Page[int]:
        await asyncio.sleep(number)
        if number == 3:
            raise error
        return Page([number], 1, 12, 12, number < 12)

    with pytest.raises(NotFoundError) as caught:
        play(lambda: by_number(read, key=identity, now=lambda: READ_AT))
    assert caught.value is error


def test_a_cancelled_reading_cancels_its_pages() -> None:
    flying = 0

    async def read(number: int) -> Page[int]:
        nonlocal flying
        flying += 1
        try:
            await asyncio.sleep(number)
        finally:
            flying -= 1
        return Page([number], 1, 12, 12, number < 12)

    async def scene() -> None:
        task = asyncio.create_task(by_number(read, key=identity, now=lambda: READ_AT))
        await asyncio.sleep(2)
        assert flying == 8
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert flying == 0

    play(scene)


# Stopping early.


@pytest.mark.parametrize(
    ("at_most", "requests"), [(0, 1), (1, 1), (5, 1), (6, 2), (10, 2), (11, 3), (50, 10), (60, 12), (1_000, 12)]
)
def test_no_more_pages_are_asked_for_than_rows_are_wanted(at_most: int, requests: int) -> None:
    for lasts in (True, False):
        changing = Changing(list(range(60)), 5, lasts=lasts)
        listing, _ = play(
            lambda changing=changing: by_number(changing.number, key=identity, now=lambda: READ_AT, at_most=at_most)  # type: ignore[misc]
        )
        assert (listing.items, listing.missing, listing.total) == (tuple(range(min(at_most, 60))), (), 60)
        assert changing.served == requests
    changing = Changing(list(range(60)), 5)
    assert offsetted(changing, at_most=at_most).items == tuple(range(min(at_most, 60)))
    assert changing.served == requests


def test_reading_stops_once_enough_rows_passed_the_filter() -> None:
    changing = Changing(list(range(1_000)), 5)

    def tenth(row: int) -> bool:
        return row % 10 == 0

    listing, _ = play(lambda: by_number(changing.number, key=identity, now=lambda: READ_AT, keep=tenth, at_most=3))
    assert (listing.items, listing.missing, listing.total) == ((0, 10, 20), (), None)
    assert changing.served <= 1 + 8 + 4


def test_a_failed_page_among_the_newest_is_said_even_if_there_are_rows_enough() -> None:
    async def read(number: int) -> Page[int]:
        if number == 2:
            raise fault()
        return Page([number * 2, number * 2 + 1], 2, 40, 20, number < 20)

    listing, _ = play(lambda: by_number(read, key=identity, now=lambda: READ_AT, keep=lambda _row: True, at_most=6))
    assert listing.missing == ("page 2 of 20",)


def test_what_is_sorted_out_is_not_held() -> None:
    async def read(number: int) -> Page[str]:
        return Page([f"{number * 1000 + row:04}" + "x" * 1_000 for row in range(1_000)], 1_000, 100_000, 100, True)

    tracemalloc.start()
    try:
        listing, _ = play(lambda: by_number(read, key=lambda row: int(row[:-1_000]), now=lambda: READ_AT, keep=_no_row))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (listing.items, listing.missing) == ((), ())
    assert peak < 30 * 1024**2


def _no_row(_row: object) -> bool:
    return False


def test_limits_are_those_that_were_promised() -> None:
    assert (_pages.MOST_PAGES, _pages.MOST_ROWS, _pages.IN_FLIGHT) == (1_000, 100_000, 8)


@pytest.mark.parametrize(
    ("totals", "told"),
    [([4, 4], 4), ([4, 5], 4), ([4, 10**9], 4), ([10**9, 10**9], 4)],
    ids=["as it is", "grown while it was read", "grown beyond belief", "beyond belief"],
)
def test_a_list_read_whole_tells_what_was_counted_whatever_its_pages_say(totals: list[int], told: int) -> None:
    async def read(number: int) -> Page[int]:
        rows = [2 * number - 1, 2 * number]
        return Page(rows, 2, totals[number - 1], 2, more=number < 2)

    found, _ = play(lambda: by_number(read, key=lambda row: row, now=lambda: READ_AT))
    assert (found.items, found.total) == ((1, 2, 3, 4), told)


@pytest.mark.parametrize(("total", "told"), [(6, 6), (10**9, None)], ids=["known", "beyond belief"])
def test_a_list_stopped_early_tells_only_a_total_its_pages_can_hold(total: int, told: int | None) -> None:
    async def read(number: int) -> Page[int]:
        return Page([2 * number - 1, 2 * number], 2, total, 3, more=number < 3)

    found, _ = play(lambda: by_number(read, key=lambda row: row, now=lambda: READ_AT, at_most=2))
    assert (found.items, found.total) == ((1, 2), told)
