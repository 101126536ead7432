"""Reading the JSON body of a POST: types, lengths and counts; all complaints at once."""

from __future__ import annotations

import re
from collections.abc import Mapping

from bot.sandbox.testmo.refusals import Refusal, invalid

STRING_LIMIT = 750
TEXT_LIMIT = 16 * 1024


class Body:
    """One JSON object of a body. Null is the same as absent.

    Names in complaints are paths as in `tests.0.status`. `done` refuses (422) for all that was wrong, with
    `strict` also for properties nobody read.
    """

    def __init__(
        self, given: Mapping[str, object], *, strict: bool, path: str = "", errors: dict[str, list[str]] | None = None
    ) -> None:
        self._given = given
        self._strict = strict
        self._path = path
        self._errors: dict[str, list[str]] = {} if errors is None else errors
        self._read: set[str] = set()

    def text(
        self, name: str, *, limit: int = STRING_LIMIT, required: bool = False, pattern: str | None = None
    ) -> str | None:
        """A string of at most `limit` characters that matches the whole pattern."""
        value = self._take(name, required)
        if value is None:
            return None
        if not isinstance(value, str):
            self.complain(name, "must be a string.")
            return None
        if required and not value.strip():
            self.complain(name, "is required.")
        elif len(value) > limit:
            self.complain(name, f"must not be greater than {limit} characters.")
        elif pattern is not None and not re.fullmatch(pattern, value):
            self.complain(name, "format is invalid.")
        return value

    def word(self, name: str, *, pattern: str | None = None) -> str:
        """A required string; empty when it was wrong."""
        return self.text(name, required=True, pattern=pattern) or ""

    def number(self, name: str, *, required: bool = False, among: tuple[int, ...] | None = None) -> int | None:
        """A whole number from 0 (or one of `among`)."""
        value = self._take(name, required)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int):
            self.complain(name, "must be an integer.")
            return None
        if value < 0 or (among is not None and value not in among):
            self.complain(name, "is invalid.")
        return value

    def flag(self, name: str) -> bool | None:
        """True or false."""
        value = self._take(name, required=False)
        if value is None or isinstance(value, bool):
            return value
        self.complain(name, "must be true or false.")
        return None

    def words(self, name: str, *, pattern: str) -> tuple[str, ...]:
        """A list of strings that match the whole pattern."""
        found: list[str] = []
        for position, value in enumerate(self._list(name)):
            if not isinstance(value, str) or len(value) > STRING_LIMIT or not re.fullmatch(pattern, value):
                self.complain(f"{name}.{position}", "format is invalid.")
            else:
                found.append(value)
        return tuple(found)

    def texts(self, name: str) -> dict[str, str]:
        """An object whose values are strings; an empty list stands for an empty object."""
        value = self._take(name, required=False)
        if value is None or value == []:
            return {}
        if not isinstance(value, dict) or not all(isinstance(each, str) for each in value.values()):
            self.complain(name, "must be an object of strings.")
            return {}
        return dict(value)

    def parts(self, name: str, *, most: int) -> list[Body]:
        """A list of at most `most` objects."""
        values = self._list(name)
        if len(values) > most:
            self.complain(name, f"must not have more than {most} items.")
            return []
        parts: list[Body] = []
        for position, value in enumerate(values):
            if isinstance(value, dict):
                path = f"{self._path}{name}.{position}."
                parts.append(Body(value, strict=self._strict, path=path, errors=self._errors))
            else:
                self.complain(f"{name}.{position}", "must be an object.")
        return parts

    def read_up(self) -> None:
        """Complains about properties that nobody read (when strict)."""
        if self._strict:
            for name in self._given:
                if name not in self._read:
                    self.complain(name, "is not supported.")

    def done(self) -> None:
        """Raises Refusal 422 when anything was wrong."""
        self.read_up()
        if self._errors:
            raise invalid(self._errors)

    def complain(self, name: str, text: str) -> None:
        """Adds a complaint: "The … field" and this text."""
        path = f"{self._path}{name}"
        self._errors.setdefault(path, []).append(f"The {path} field {text}")

    def _take(self, name: str, required: bool) -> object:
        self._read.add(name)
        value = self._given.get(name)
        if value is None and required:
            self.complain(name, "is required.")
        return value

    def _list(self, name: str) -> list[object]:
        value = self._take(name, required=False)
        if value is None:
            return []
        if isinstance(value, list):
            return value
        self.complain(name, "must be an array.")
        return []


def malformed(why: str) -> Refusal:
    """400: the body cannot be read at all."""
    return Refusal(400, why)
