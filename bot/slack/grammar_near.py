"""Which known word somebody may have meant. Only asked when nothing matched, and its library is only loaded then."""

from __future__ import annotations

from collections.abc import Iterable


def nearest(typed: str, known: Iterable[str], limit: int = 3, *, least: float = 0.5) -> tuple[str, ...]:
    """The known words most like the typed one, best first; none if nothing is like it (1 is equal, 0 has no letter)."""
    # Not at the top: the start of the program must not wait for it.
    from rapidfuzz import process
    from rapidfuzz.distance import OSA

    found = process.extract(
        typed.lower()[:64], list(known), scorer=OSA.normalized_similarity, score_cutoff=least, limit=limit
    )
    return tuple(word for word, likeness, _ in found if likeness > found[0][1] - 0.2)
