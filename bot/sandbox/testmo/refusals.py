"""How the server says no: one exception for every refusal, turned into Testmo's error body."""

from __future__ import annotations

from collections.abc import Mapping, Sequence


class Refusal(Exception):
    """A request that is answered with an error.

    `errors` names parameters and what is wrong with each (422). The documented body is
    `{"message": …, "errors": {…}}`, where `errors` may be missing. The texts are ours: the vendor's pages show none.
    """

    def __init__(
        self,
        status: int,
        message: str,
        errors: Mapping[str, Sequence[str]] | None = None,
        *,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.errors = errors
        self.headers = dict(headers or {})

    def body(self) -> dict[str, object]:
        """The JSON object to answer with."""
        if not self.errors:
            return {"message": self.message}
        return {"message": self.message, "errors": {name: list(texts) for name, texts in self.errors.items()}}


def invalid(errors: Mapping[str, Sequence[str]]) -> Refusal:
    """422 for these parameters; the message is the first complaint."""
    first = next(iter(errors.values()))[0]
    return Refusal(422, first, errors)


def not_allowed() -> Refusal:
    """403."""
    return Refusal(403, "This action is unauthorized.")


def missing(what: str) -> Refusal:
    """404 for a thing of this kind."""
    return Refusal(404, f"The {what} does not exist or was deleted.")
