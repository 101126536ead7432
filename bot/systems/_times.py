"""Times as systems write them."""

from __future__ import annotations

from datetime import UTC, datetime

#: Stands for a time that a system does not tell, where there has to be one.
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


def read_moment(value: object) -> datetime | None:
    """An ISO 8601 time, in UTC when it says no zone; None when it is no time."""
    if not isinstance(value, str) or not value:
        return None
    try:
        at = datetime.fromisoformat(value.strip())
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at if at.tzinfo is UTC else at.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
