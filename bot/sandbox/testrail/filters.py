"""Reading filters of a list as TestRail does: lenient with booleans, strict with numbers."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from bot.sandbox.testrail.refusals import Refusal, bad

MAX_LIMIT = 250


def flag(params: Mapping[str, str], name: str) -> bool | None:
    """A boolean filter: `1` is true, everything else (also `true`) reads as 0; None when not given."""
    return params[name] == "1" if name in params else None


def natural(params: Mapping[str, str], name: str) -> int | None:
    """A whole number from 0 up, or None when not given. Raises Refusal."""
    text = params.get(name, "")
    if not text:
        return None
    if not re.fullmatch(r"\d+", text, re.ASCII):
        raise bad(name, "natural number")
    return int(text)


def ids(params: Mapping[str, str], name: str) -> frozenset[int] | None:
    """A comma-separated list of ids, or None when not given. Raises Refusal."""
    text = params.get(name, "")
    if not text:
        return None
    if not re.fullmatch(r"\s*\d+\s*(,\s*\d+\s*)*", text, re.ASCII):
        raise bad(name, "ID list")
    return frozenset(int(part) for part in text.split(","))


def limit_and_offset(params: Mapping[str, str], *, clamps: bool) -> tuple[int, int]:
    """How many rows from where. Above 250 becomes 250, or is refused where the version does not clamp.

    Texts of the refusals: from clients' tests against the real service.
    """
    limit = natural(params, "limit")
    if limit == 0:
        raise Refusal(400, "Field :limit is too small (minimum 1).")
    if limit is not None and limit > MAX_LIMIT and not clamps:
        raise Refusal(400, f"Field :limit is too large (maximum {MAX_LIMIT}).")
    return min(limit or MAX_LIMIT, MAX_LIMIT), natural(params, "offset") or 0


def listed(text: str | None, wanted: str) -> bool:
    """Whether a comma-separated text (references, defects) has this very element."""
    return wanted in [part.strip() for part in (text or "").split(",")]


def within(params: Mapping[str, str], what: str = "created") -> Callable[[int], bool]:
    """The test behind `created_after` and `created_before`: strictly after, strictly before."""
    after, before = natural(params, f"{what}_after"), natural(params, f"{what}_before")
    return lambda at: (after is None or at > after) and (before is None or at < before)
