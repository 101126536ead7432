"""Reading a request's query: documented parameters are checked, others are ignored (and remembered as ignored)."""

from __future__ import annotations

import re
from collections.abc import Iterable

_DIGITS = re.compile(r"\d{1,18}", re.ASCII)


class RefusalError(Exception):
    """The request is answered with this status and `{"errors": [{"title": …}]}`."""

    def __init__(self, status: int, title: str) -> None:
        super().__init__(title)
        self.status = status
        self.title = title


class Query:
    """A request's parameters. A blank value is the same as none, as in the real service: beware of empty lists.

    Several names of one parameter are spellings the vendor's pages have had over time.
    """

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        self.pairs = list(pairs)
        self._values = {name: value for name, value in self.pairs if value.strip()}
        self._known = {"api_token", "developer_email"}

    def text(self, *names: str) -> str | None:
        """The value of the first name that is there."""
        self._known.update(names)
        return next((self._values[name] for name in names if name in self._values), None)

    def whole(self, *names: str) -> int | None:
        """A whole number, at least 1. Raises RefusalError (422) for anything else."""
        value = self.text(*names)
        if value is None:
            return None
        if not _DIGITS.fullmatch(value) or int(value) < 1:
            raise RefusalError(422, f"{names[0]} must be a positive number")
        return int(value)

    def ids(self, *names: str) -> set[int] | None:
        """Numbers separated by commas. Raises RefusalError (422) when one is no number."""
        value = self.text(*names)
        if value is None:
            return None
        parts = [part.strip() for part in value.split(",")]
        if not all(_DIGITS.fullmatch(part) for part in parts):
            raise RefusalError(422, f"{names[0]} must be ids separated by commas")
        return {int(part) for part in parts}

    def flag(self, name: str) -> bool:
        """Whether the parameter is `true`."""
        return self.text(name) == "true"

    def ignored(self) -> list[str]:
        """Names that nobody asked for: the service takes no notice of them."""
        return [name for name, _value in self.pairs if name not in self._known]
