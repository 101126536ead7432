"""Reading the query of a list or a single object: filters, sorting, page, expands; all complaints at once."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from bot.sandbox.testmo.refusals import invalid

T = TypeVar("T")
Keep = Callable[[T], bool]

PAGE_SIZES = (15, 25, 50, 100)
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:?\d\d)")
_FLAGS = {"0": False, "false": False, "1": True, "true": True}


@dataclass(frozen=True, slots=True)
class Paging:
    """The page that is asked for. `page` counts from 1."""

    page: int
    per_page: int
    sort: str
    descending: bool


class Query:
    """One request's query. Each method reads one parameter and returns what to do with it;
    `done` refuses the request (422) for all that was wrong, with `strict` also for parameters nobody read.
    """

    def __init__(self, given: Mapping[str, str], *, strict: bool) -> None:
        self._given = given
        self._strict = strict
        self._read: set[str] = set()
        self._errors: dict[str, list[str]] = {}

    def among(self, name: str, of: Callable[[T], int | None]) -> Keep[T]:
        """Keeps rows whose value is in a comma-separated list of ids; 0 stands for "none"."""
        raw = self._take(name)
        if raw is None:
            return _all
        wanted = self._ids(name, raw)
        return lambda row: (of(row) or 0) in wanted

    def any_of(self, name: str, of: Callable[[T], Sequence[str]]) -> Keep[T]:
        """Keeps rows that have one of the comma-separated words (tags)."""
        raw = self._take(name)
        if raw is None:
            return _all
        wanted = set(filter(None, raw.split(",")))
        return lambda row: not wanted.isdisjoint(of(row))

    def after(self, name: str, of: Callable[[T], datetime | None]) -> Keep[T]:
        """Keeps rows later than a moment; rows without one are not."""
        limit = self._moment(name)
        return _all if limit is None else lambda row: (at := of(row)) is not None and at > limit

    def before(self, name: str, of: Callable[[T], datetime | None]) -> Keep[T]:
        """Keeps rows earlier than a moment; rows without one are not."""
        limit = self._moment(name)
        return _all if limit is None else lambda row: (at := of(row)) is not None and at < limit

    def flag(self, name: str, of: Callable[[T], bool]) -> Keep[T]:
        """Keeps rows whose value is the one asked for (0, 1, true, false)."""
        wanted = self.switch(name)
        return _all if wanted is None else lambda row: of(row) is wanted

    def switch(self, name: str) -> bool | None:
        """A yes or no on its own."""
        raw = self._take(name)
        if raw is None:
            return None
        if raw.lower() not in _FLAGS:
            self._complain(name, f"The {name} field must be true or false.")
        return _FLAGS.get(raw.lower())

    def expands(self, supported: Sequence[str]) -> tuple[str, ...]:
        """The comma-separated names of what to send along."""
        names = tuple(filter(None, (self._take("expands") or "").split(",")))
        unknown = [name for name in names if name not in supported]
        if unknown:
            self._complain("expands", f"The expands field does not support: {', '.join(unknown)}.")
        return names

    def paging(self, sorts: Sequence[str], *, descending: bool = True, sizes: Sequence[int] = PAGE_SIZES) -> Paging:
        """Page, page size and order. `sorts` are the supported sort fields, the first one is the default."""
        page = self._number("page", 1)
        if page < 1:
            self._complain("page", "The page field must be at least 1.")
        per_page = self._number("per_page", 100)
        if per_page not in sizes:
            self._complain("per_page", "The selected per_page is invalid.")
        sort = (self._take("sort") or sorts[0]) if sorts else ""
        if sorts and sort not in sorts:
            self._complain("sort", "The selected sort is invalid.")
        order = self._take("order") if sorts else None
        if order not in (None, "asc", "desc"):
            self._complain("order", "The selected order is invalid.")
        return Paging(page, per_page, sort, descending if order is None else order == "desc")

    def done(self) -> None:
        """Raises Refusal 422 when anything was wrong."""
        if self._strict:
            for name in self._given:
                if name not in self._read:
                    self._complain(name, f"The {name} parameter is not supported.")
        if self._errors:
            raise invalid(self._errors)

    def _take(self, name: str) -> str | None:
        self._read.add(name)
        return self._given.get(name)

    def _complain(self, name: str, text: str) -> None:
        self._errors.setdefault(name, []).append(text)

    def _number(self, name: str, default: int) -> int:
        raw = self._take(name)
        if raw is None:
            return default
        if not re.fullmatch(r"[0-9]{1,18}", raw):
            self._complain(name, f"The {name} field must be an integer.")
            return default
        return int(raw)

    def _ids(self, name: str, raw: str) -> frozenset[int]:
        parts = raw.split(",")
        if not all(re.fullmatch(r"[0-9]{1,18}", part) for part in parts):
            self._complain(name, f"The {name} field must be a comma-separated list of IDs.")
            return frozenset()
        return frozenset(map(int, parts))

    def _moment(self, name: str) -> datetime | None:
        raw = self._take(name)
        if raw is None:
            return None
        try:
            if not _MOMENT.fullmatch(raw):
                raise ValueError(raw)
            return datetime.fromisoformat(raw)
        except ValueError:
            self._complain(name, f"The {name} field must be a date in ISO8601 format and UTC time zone.")
            return None


def _all(_row: object) -> bool:
    return True
