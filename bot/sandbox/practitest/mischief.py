"""Pages that lie, for tests of clients that must survive them: `server.twists["runs"] = mischief.endless`."""

from __future__ import annotations

from dataclasses import replace

from bot.sandbox.practitest.paging import Page, Twist


def endless(page: Page) -> Page:
    """There is always a next page, and it always has rows: the first page's, again and again."""
    return replace(page, rows=page.rows or page.rows_of(1), next_number=page.number + 1)


def huge_total_pages(page: Page) -> Page:
    """Ten to the ninth pages are promised, and as many next ones; those past the end are empty."""
    return replace(page, total_pages=10**9, next_number=page.number + 1)


def same_page_again(page: Page) -> Page:
    """Whatever page is asked for, the first is answered; `meta` agrees with what was asked."""
    return replace(page, rows=page.rows_of(1))


def stuck(page: Page) -> Page:
    """The next page is this page."""
    return replace(page, next_number=page.number)


def foreign_row(page: Page) -> Page:
    """A row of another project stands at the front."""
    stranger = page.stranger()
    return page if stranger is None else replace(page, rows=[stranger, *page.rows])


def wrong_total(count: int) -> Twist:
    """`total-count` is this number, whatever is there."""
    return lambda page: replace(page, total_count=count)
