"""Pasted addresses. They are only ever parsed, never fetched."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

MOST_CHARS = 2_000
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Below:
    """What of an address is below the root of a system: path (with its first slash) and query, as they were."""

    path: str
    query: str


def below(root: str, url: str) -> Below | None:
    """The rest of an address of this very server, port and sub-path; None for any other, and for trickery."""
    url = url.strip()
    if len(url) > MOST_CHARS or any(char.isspace() or not char.isprintable() or char == "\\" for char in url):
        return None
    try:
        ours, theirs = urlsplit(root), urlsplit(url)
        if "@" in theirs.netloc or _origin(theirs) != _origin(ours):
            return None
    except ValueError:
        return None
    path = theirs.path.removeprefix(ours.path)
    ours_is_left = theirs.path.startswith(ours.path) and path.startswith("/")
    return Below(path, theirs.query) if ours_is_left else None


def _origin(parts: SplitResult) -> tuple[str, str | None, int | None]:
    return parts.scheme, parts.hostname, parts.port or _PORTS.get(parts.scheme)


def as_page(address: str) -> str:
    """An address that `{id}` may be put behind: braces of its own are written as they are in addresses."""
    return address.replace("{", "%7B").replace("}", "%7D")
