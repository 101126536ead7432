"""One page of a list, and the ways in which pages go wrong in life.

A trick takes the page that is due and returns the envelope to send; `honest` is the real one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

Row = dict[str, object]
Envelope = dict[str, object]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Listing(Generic[T]):
    """A whole list before it is cut: its key in the envelope, its things and how one of them is shown.

    `whole_when_old`: versions before 6.7 sent this list uncut.
    """

    key: str
    things: Sequence[T]
    show: Callable[[T], Row]
    whole_when_old: bool = False

    def cut(self, offset: int, limit: int) -> list[Row]:
        return [self.show(thing) for thing in self.things[offset : offset + limit]]


@dataclass(frozen=True, slots=True)
class Page:
    """What a client asked for: `limit` rows from `offset`; `link` begins the links to the neighbours."""

    listing: Listing[Any]
    link: str
    limit: int
    offset: int

    def rows(self, offset: int | None = None) -> list[Row]:
        return self.listing.cut(self.offset if offset is None else offset, self.limit)

    def link_to(self, offset: int) -> str:
        return f"{self.link}&limit={self.limit}&offset={offset}"

    def envelope(self, rows: list[Row], following: str | None) -> Envelope:
        previous = self.link_to(max(0, self.offset - self.limit)) if self.offset else None
        return {
            "offset": self.offset,
            "limit": self.limit,
            "size": len(rows),
            "_links": {"next": following, "prev": previous},
            self.listing.key: rows,
        }


Trick = Callable[[Page], Envelope]


def honest(page: Page) -> Envelope:
    """The page as it should be."""
    end = page.offset + page.limit
    return page.envelope(page.rows(), page.link_to(end) if end < len(page.listing.things) else None)


def endless_next(page: Page) -> Envelope:
    """Full pages and a next link for ever: past the end the list begins anew."""
    total = len(page.listing.things)
    rows = page.rows(page.offset % total if total else 0)
    return page.envelope(rows, page.link_to(page.offset + page.limit))


def same_page_again(page: Page) -> Envelope:
    """The first page whatever offset was asked for, and a link to the next."""
    return page.envelope(page.rows(0), page.link_to(page.offset + page.limit))


def zero_limit_link(page: Page) -> Envelope:
    """An honest page whose next link carries `limit=0`, which is refused when followed."""
    envelope = honest(page)
    end = page.offset + page.limit
    if end < len(page.listing.things):
        envelope["_links"] = {"next": f"{page.link}&limit=0&offset={end}", "prev": None}
    return envelope


def with_row(row: Row) -> Trick:
    """Honest pages with this row (another project's, say) put on top of each."""

    def trick(page: Page) -> Envelope:
        envelope = honest(page)
        rows = [row, *page.rows()]
        return {**envelope, "size": len(rows), page.listing.key: rows}

    return trick
