"""Letters that several connections number runs with: there `R118` alone would not say whose it is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

shared: set[str] = set()


def use(connections: Iterable[Sequence[str]]) -> None:
    """From now on write references so that they mean one run; each connection gives the letters of its kinds."""
    seen: set[str] = set()
    shared.clear()
    for letters in connections:
        shared.update(seen.intersection(letters))
        seen.update(letters)
