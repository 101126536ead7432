"""Which runs deserve a look first."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.domain.model import Run, State

#: A run nobody touched for so long is stale.
STALE = timedelta(days=14)

_ORDER = (State.FAILING, State.FAILED, State.BLOCKED, State.INCOMPLETE, State.RUNNING, State.OPEN, State.PASSED)


def is_stale(run: Run, now: datetime) -> bool:
    """Not finished, and neither made nor changed within two weeks."""
    return not run.finished and now - (run.updated_at or run.created_at) > STALE


def risk(run: Run, now: datetime) -> tuple[int, int, int, float]:
    """A key to sort by, the riskiest first: failing, blocked, stale or incomplete, the rest; newest first."""
    place = _ORDER.index(run.state)
    if is_stale(run, now):
        place = min(place, _ORDER.index(State.INCOMPLETE))
    return (place, -run.tally.failed, -(run.tally.blocked + run.tally.retest), -run.created_at.timestamp())
