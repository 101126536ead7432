"""PractiTest's run statuses, and how many of them become one."""

from __future__ import annotations

from collections.abc import Iterable

PASSED, FAILED, BLOCKED, NO_RUN, NOT_APPLICABLE = "PASSED", "FAILED", "BLOCKED", "NO RUN", "N/A"
NOT_COMPLETED = "NOT COMPLETED"

#: What a step may be reported as (the vendor's page on runs); NOT COMPLETED is only ever worked out.
STEP_STATUSES = (PASSED, FAILED, BLOCKED, NO_RUN, NOT_APPLICABLE)
RUN_STATUSES = (*STEP_STATUSES, NOT_COMPLETED)


def roll_up(statuses: Iterable[str]) -> str:
    """The status of a run by its steps, or of a set by its instances; NO RUN when there are none.

    A failure wins, then a block; some done and some not is NOT COMPLETED; N/A does not stand in the way of PASSED.
    """
    seen = set(statuses)
    for loud in (FAILED, BLOCKED):
        if loud in seen:
            return loud
    if len(seen) <= 1:
        return seen.pop() if seen else NO_RUN
    return NOT_COMPLETED if seen & {NO_RUN, NOT_COMPLETED} else PASSED
