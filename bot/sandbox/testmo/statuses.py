"""The statuses of this instance and their counters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Status:
    """One test status. `aliases` are the words that automation may send for it."""

    id: int
    name: str
    system_name: str
    color: str
    aliases: tuple[str, ...]
    is_final: bool = True
    is_untested: bool = False
    is_passed: bool = False
    is_failed: bool = False


UNTESTED, PASSED, FAILED, RETEST, BLOCKED, SKIPPED, KNOWN_ISSUE = 1, 2, 3, 4, 5, 6, 7

#: Ids 1 to 6 as on the vendor's results page; 7 is this instance's own. Which of them are final is an
#: administrator's choice at Testmo: here everything but Untested and Retest.
STATUSES = (
    Status(UNTESTED, "Untested", "untested", "#a3a3a3", ("untested",), is_final=False, is_untested=True),
    Status(PASSED, "Passed", "passed", "#22c55e", ("passed", "pass", "success", "ok"), is_passed=True),
    Status(FAILED, "Failed", "failed", "#ef4444", ("failed", "fail", "failure", "error"), is_failed=True),
    Status(RETEST, "Retest", "retest", "#f59e0b", ("retest",), is_final=False),
    Status(BLOCKED, "Blocked", "blocked", "#7c3aed", ("blocked",)),
    Status(SKIPPED, "Skipped", "skipped", "#60a5fa", ("skipped", "pending", "ignored", "disabled")),
    Status(KNOWN_ISSUE, "Known issue", "status7", "#0ea5e9", ("known-issue",)),
)
BY_ID = {status.id: status for status in STATUSES}
BY_ALIAS = {alias: status for status in STATUSES for alias in status.aliases}

#: Status of an automation run, thread or test: 1 neutral (tests only), 2 success, 3 failure, 4 running.
NEUTRAL, SUCCESS, FAILURE, RUNNING = 1, 2, 3, 4

LAST_COUNTER = 24


def automation_status(status_id: int) -> int:
    """The success/failure/neutral value of a test that has this status."""
    status = BY_ID[status_id]
    return SUCCESS if status.is_passed else FAILURE if status.is_failed else NEUTRAL


def counters(status_ids: Iterable[int]) -> dict[str, int]:
    """All count fields of an object that holds tests with these status ids.

    `statusN_count` belongs to the status with id N+1, because id 1 is `untested_count`: in the vendor's sample
    status1_count equals success_count and status2_count equals failure_count.
    """
    held = Counter(status_ids)
    counts = {"untested_count": held[UNTESTED]}
    counts |= {f"status{number}_count": held[number + 1] for number in range(1, LAST_COUNTER + 1)}
    counts["success_count"] = sum(held[status.id] for status in STATUSES if status.is_passed)
    counts["failure_count"] = sum(held[status.id] for status in STATUSES if status.is_failed)
    counts["completed_count"] = sum(held[status.id] for status in STATUSES if status.is_final)
    counts["total_count"] = held.total()
    return counts
