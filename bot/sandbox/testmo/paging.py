"""Pages: cutting rows, the documented envelope, and ways to get it wrong on purpose."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from bot.sandbox.testmo.query import Paging
from bot.sandbox.testmo.records import Json

T = TypeVar("T")


def cut(rows: Sequence[T], asked: Paging) -> Sequence[T]:
    """The rows of one page; none beyond the end."""
    start = (asked.page - 1) * asked.per_page
    return rows[start : start + asked.per_page]


def envelope(total: int, asked: Paging, result: list[Json]) -> Json:
    """The fields around a page, in the vendor's order and without `expands`.

    An empty list has neither page nor last page (both null, as the vendor's client expects it may be);
    a page beyond the end is an empty result that still tells the last page.
    """
    last = -(-total // asked.per_page) or None
    return {
        "page": None if last is None else asked.page,
        "prev_page": None if last is None or asked.page == 1 else min(asked.page - 1, last),
        "next_page": None if last is None or asked.page >= last else asked.page + 1,
        "last_page": last,
        "per_page": asked.per_page,
        "total": total,
        "result": result,
    }


@dataclass(frozen=True, slots=True)
class Turned:
    """What a lie may look at: the page asked for, the request's path, and rows of other pages."""

    asked: Paging
    path: str
    rows_of: Callable[[int], list[Json]]


def rows_in(page: Json) -> list[Json]:
    """The rows of an envelope."""
    rows = page["result"]
    return rows if isinstance(rows, list) else []


#: Takes a true envelope and returns the one to send.
Lie = Callable[[Json, Turned], Json]


def endless(page: Json, turned: Turned) -> Json:
    """There is always a next page."""
    return page | {"page": turned.asked.page, "next_page": turned.asked.page + 1}


def huge_last_page(page: Json, _turned: Turned) -> Json:
    """The last page is number 1,000,000,000."""
    return page | {"last_page": 10**9}


def same_page_again(page: Json, turned: Turned) -> Json:
    """Every page holds the rows of the first one."""
    return page | {"result": turned.rows_of(1)}


def wrong_total(page: Json, _turned: Turned) -> Json:
    """The total is 7 more than there are."""
    return page | {"total": page["total"] + 7 if isinstance(page["total"], int) else 7}


def foreign_row(page: Json, _turned: Turned) -> Json:
    """One more row, with its own id, that belongs to another project."""
    rows = rows_in(page)
    if not rows:
        return page
    stranger = rows[-1] | {"id": 990_001, "project_id": 99, "name": "Of another project"}
    return page | {"result": [*rows, stranger]}
