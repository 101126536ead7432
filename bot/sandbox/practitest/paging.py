"""One page of a list: `data`, `links`, `meta` as on the vendor's page on runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote_plus

from bot.sandbox.practitest.asking import Query
from bot.sandbox.practitest.wire import Json

PAGE_LIMIT = 100
NUMBER, SIZE = "page[number]", "page[size]"


@dataclass(slots=True)
class Page:
    """A page about to be answered; a twist may change it.

    `rows_of` gives the rows of any page of the same list, `stranger` a row of the same kind from another project.
    """

    resource: str
    number: int
    size: int
    rows: list[Json]
    total_count: int
    total_pages: int
    next_number: int | None
    prev_number: int | None
    rows_of: Callable[[int], list[Json]]
    stranger: Callable[[], Json | None]


#: A change of a page on its way out: the same page, or another one.
Twist = Callable[[Page], Page]


def read_page(query: Query) -> tuple[int, int]:
    """Number (default 1) and size (default 100; more than 100 is 100). Raises RefusalError (422) for junk."""
    return query.whole(NUMBER) or 1, min(query.whole(SIZE) or PAGE_LIMIT, PAGE_LIMIT)


def cut(
    resource: str,
    number: int,
    size: int,
    *,
    total: int,
    rows_of: Callable[[int], list[Json]],
    stranger: Callable[[], Json | None],
) -> Page:
    """The honest page. Past the end it is empty and points nowhere; an empty list has 0 pages."""
    pages = -(-total // size)
    within = number <= pages
    return Page(
        resource,
        number,
        size,
        rows_of(number),
        total,
        pages,
        next_number=number + 1 if number < pages else None,
        prev_number=number - 1 if within and number > 1 else None,
        rows_of=rows_of,
        stranger=stranger,
    )


def envelope(page: Page, query: Query, address: str) -> Json:
    """What is answered. `links` is `{}` for a single page, else full addresses that repeat the request's
    parameters in alphabetical order, a token among them: never show `links` to people.
    """
    return {
        "data": page.rows,
        "links": _links(page, query, address),
        "meta": {
            "current-page": page.number,
            "next-page": page.next_number,
            "prev-page": page.prev_number,
            "total-pages": page.total_pages,
            "total-count": page.total_count,
        },
    }


def _links(page: Page, query: Query, address: str) -> Json:
    if page.total_pages <= 1 and page.next_number is None:
        return {}
    numbers = {"self": page.number}
    if page.number > 1:
        numbers |= {"first": 1, "prev": page.number - 1}
    if page.next_number is not None:
        numbers |= {"next": page.next_number, "last": page.total_pages}
    return {rel: _link(number, page.size, query, address) for rel, number in numbers.items()}


def _link(number: int, size: int, query: Query, address: str) -> str:
    given = {name: value for name, value in query.pairs if name not in {NUMBER, SIZE}}
    pairs = {**given, NUMBER: str(number), SIZE: str(size)}
    return f"{address}?" + "&".join(sorted(f"{quote_plus(name)}={quote_plus(value)}" for name, value in pairs.items()))
