"""One call to the API as it stands in the query string: endpoint, ids and filters."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import unquote, unquote_plus

from bot.sandbox.testrail.refusals import Refusal

PREFIX = "/api/v2/"


@dataclass(frozen=True, slots=True)
class Question:
    """`get_runs/1&is_completed=0` taken apart. `filters` is the undecoded rest without limit and offset."""

    name: str
    ids: tuple[str, ...]
    params: dict[str, str]
    filters: str

    @property
    def link(self) -> str:
        """How `_links` of a page begin: prefix, endpoint, ids and filters, without `index.php?`."""
        return PREFIX + "/".join((self.name, *self.ids)) + self.filters


def asks_the_api(query: str) -> bool:
    """Whether this (undecoded) query string is a call to the API and not a page for people."""
    return query.startswith(PREFIX)


def read_question(query: str) -> Question:
    """Take an undecoded query string apart.

    Raises Refusal for a second `?`: further parameters are joined with `&`, since the endpoint is itself the query.
    """
    if "?" in query:
        raise Refusal(400, f"Invalid characters in GET: [{query.partition('?')[0]}] [?]")
    endpoint, *pairs = query.removeprefix(PREFIX).split("&")
    name, *ids = (unquote(part) for part in endpoint.split("/"))
    params, kept = {}, []
    for pair in filter(None, pairs):
        key, _, value = pair.partition("=")
        params[unquote_plus(key)] = unquote_plus(value)
        if key not in ("limit", "offset"):
            kept.append(f"&{pair}")
    return Question(name, tuple(filter(None, ids)), params, "".join(kept))
