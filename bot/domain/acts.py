"""Changes that people ask for, as values: what is to be done, what was seen before it, what became of it.

A change names everything it needs, so that it means the same an hour later and in another process. Names that were
typed (`Named`) have their number once the system has looked them up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TypeAlias

from bot.domain.model import Closing, Run, RunRef, State
from bot.domain.outcomes import Outcome, Tally

#: Who changed something so many minutes ago may still be at it.
LATELY_MIN = 15


@dataclass(frozen=True, slots=True)
class Named:
    """Something of a system by what was typed: its `name`, and its number once that is known. Both empty: none."""

    name: str
    id: int | None = None


@dataclass(frozen=True, slots=True)
class Pointer:
    """A named web address; `note` is a short remark beside it."""

    name: str
    url: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Close:
    """Close, complete or mark a run; with `ref.thread` only that thread of it."""

    ref: RunRef


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """Begin a new run of the kind `letter` in a project.

    `cases` are numbers of cases, empty for all of the suite. `fields` are (name, value). Not every system takes all:
    what one does not is refused by `prepare`.
    """

    connection: str
    letter: str
    project: int
    name: str
    description: str = ""
    source: str = ""
    config: Named | None = None
    milestone: Named | None = None
    suite: Named | None = None
    cases: tuple[int, ...] = ()
    assignee: Named | None = None
    refs: str = ""
    tags: tuple[str, ...] = ()
    links: tuple[Pointer, ...] = ()
    artifacts: tuple[Pointer, ...] = ()
    fields: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """Change what a run says of itself. None leaves as it is, an empty text or a `Named("")` takes away.

    `cases` are numbers of cases; an empty tuple means every case of the suite.
    """

    ref: RunRef
    project: int
    name: str | None = None
    description: str | None = None
    milestone: Named | None = None
    cases: tuple[int, ...] | None = None
    refs: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Append:
    """Put something on a run beside what is there: a note, a link, an artifact (each may come several at a time).

    `by` names the person, `at` is when they asked. `marker` is unique to this change: where the system has no place of
    its own for it, it is written along, so that the same thing is never put there twice.
    """

    ref: RunRef
    by: str
    at: datetime
    marker: str
    note: str = ""
    links: tuple[Pointer, ...] = ()
    artifacts: tuple[Pointer, ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a reported result, with its own outcome."""

    name: str
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that goes with a result: Slack's id of it, its name, its size. Its bytes are fetched to be sent."""

    id: str
    name: str
    size: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reported:
    """One test's outcome to report: the test by its number in the run, or by name where the system goes by names."""

    outcome: Outcome
    id: int | None = None
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Report results of tests of a run. What stands beside `tests` holds for each of them.

    `duration_s` is seconds; `tester` is who ran it by hand (None for an automated result); `fields` are (name, value).
    """

    ref: RunRef
    project: int
    by: str
    at: datetime
    marker: str
    tests: tuple[Reported, ...]
    note: str = ""
    duration_s: float | None = None
    steps: tuple[Step, ...] = ()
    version: str = ""
    tester: Named | None = None
    folder: str = ""
    fields: tuple[tuple[str, str], ...] = ()
    files: tuple[Attachment, ...] = ()


@dataclass(frozen=True, slots=True)
class Delete:
    """Delete a run with all that is in it, for good."""

    ref: RunRef


Change: TypeAlias = Close | Start | Edit | Append | Report | Delete

#: Verb of the access rules → the kinds of change it covers. `note`, `link` and `attach` are all an `Append`.
WRITES = ("close", "start", "edit", "note", "link", "attach", "report", "delete")


@dataclass(frozen=True, slots=True)
class Seen:
    """What a run looked like when somebody decided something about it."""

    tally: Tally
    finished: bool
    state: State

    @classmethod
    def of(cls, run: Run) -> Seen:
        return cls(run.tally, run.finished, run.state)


class Ended(StrEnum):
    """What became of a change that was asked for. Only `BEGUN` and `DOUBT` are not final."""

    BEGUN = "begun"  # recorded, perhaps on its way
    DOUBT = "in doubt"  # the system did not answer, and reading it did not settle it yet
    DONE = "done"
    FAILED = "failed"  # the system refused, or it is known not to have been done
    STALE = "stale"  # not tried: the run was not any more what the person had seen
    REFUSED = "refused"  # not tried: the person may not
    CANCELLED = "cancelled"  # not tried: the person thought better of it


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One attempted change, as the ledger keeps it; what the audit shows.

    `key` is unique to it; `ref` is the run (of a start: the new one, once known); `who` is the Slack id of `who_name`;
    `team`, `channel`, `thread` are where it was asked. `seen` is what the person had been shown, `after` what the run
    looked like in the end. `why` says in a sentence what was in the way. `part_of` is the key of a bulk change.
    `told` is false until the person knows the end.
    """

    key: str
    verb: str
    connection: str
    ref: RunRef | None
    title: str
    who: str
    who_name: str
    team: str
    channel: str
    thread: str
    at: datetime
    change: Change | None = None
    seen: Seen | None = None
    outcome: Ended = Ended.BEGUN
    ended_at: datetime | None = None
    after: Seen | None = None
    why: str = ""
    part_of: str = ""
    told: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Recent:
    """Results that came lately: how many within `minutes`, the last one when and by whom."""

    count: int
    minutes: int
    last_at: datetime | None = None
    last_by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A change as it is put before the person: all they need to decide, and all that is needed to carry it out.

    `key` names it on the button. `run` is as just read (None for a start). `lines` say what will happen, `warnings`
    what cannot be undone or may surprise; `fields` are (word, before, after) of what changes. `untested_by` is (who,
    how many), nobody as an empty name. `typed` is the command that says the same, for the form and for asking again.
    `confirm` is a name that has to be typed. `missing` says what could not be read.
    """

    key: str
    verb: str
    change: Change
    where: str
    by: str
    made_at: datetime
    typed: str
    run: Run | None = None
    title: str = ""
    closing: Closing | None = None
    lines: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    fields: tuple[tuple[str, str, str], ...] = ()
    untested_by: tuple[tuple[str, int], ...] = ()
    recent: Recent | None = None
    confirm: str = ""
    missing: tuple[str, ...] = ()
    has_form: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What became of one change, for everybody to read: who, when, before, after."""

    entry: Entry
    where: str
    done_word: str
    run: Run | None = None
    lines: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkItem:
    """One run of a bulk change; `entry` once it was tried, `why` where it is left out beforehand."""

    run: Run
    entry: Entry | None = None
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bulk:
    """Several runs to close in one go, in their order. `words` says the filter; `notes` what was left out and why.

    Of the runs that are in the list and are left out, `left_out` tells the reasons.

    `attempt` is the key of the ledger's entry for the go that was made of it.
    """

    key: str
    words: str
    items: tuple[BulkItem, ...]
    typed: str
    made_at: datetime
    by: str
    dry: bool = False
    stopped: str = ""
    attempt: str = ""
    notes: tuple[str, ...] = ()

    def count(self, *outcomes: Ended) -> int:
        return sum(1 for item in self.items if item.entry is not None and item.entry.outcome in outcomes)

    @property
    def left(self) -> int:
        """Runs that were not tried, and are to be."""
        return sum(1 for item in self.items if item.entry is None and not item.why)

    @property
    def left_out(self) -> tuple[tuple[str, tuple[Run, ...]], ...]:
        """The runs that are left out, by the reason, in the order in which the reasons come first."""
        grouped: dict[str, list[Run]] = {}
        for item in self.items:
            if item.why:
                grouped.setdefault(item.why, []).append(item.run)
        return tuple((why, tuple(runs)) for why, runs in grouped.items())

    @property
    def warnings(self) -> tuple[str, ...]:
        """What may surprise about the runs that are to be closed, as far as the list tells it."""
        runs = [item.run for item in self.items if not item.why]
        failing = [run for run in runs if run.tally.failed]
        since = self.made_at - timedelta(minutes=LATELY_MIN)
        lately = [run for run in runs if run.updated_at is not None and run.updated_at >= since]
        warnings = []
        if failing:
            failed = sum(run.tally.failed for run in failing)
            warnings.append(f"{failed} test{'' if failed == 1 else 's'} in {_some(failing)} fail{'s' * (failed == 1)}.")
        if lately:
            warnings.append(f"Somebody was at {_some(lately)} in the last {LATELY_MIN} minutes.")
        return tuple(warnings)


def _some(runs: Sequence[Run]) -> str:
    """`R1, R2, R3 and 4 more`."""
    rest = len(runs) - 3
    named = ", ".join(run.ref.short for run in runs[:3])
    return f"{named} and {rest} more" if rest > 0 else named


@dataclass(frozen=True, slots=True)
class Loss:
    """What deleting a run would take with it; None where the system does not count it."""

    tests: int | None = None
    results: int | None = None
    words: tuple[str, ...] = field(default=())


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """The newest entries of the ledger that fit, newest first. `words` says the filter; `whole` that there are no more.

    `all_attempts` tells that refused ones are among them (admins see those).
    """

    entries: tuple[Entry, ...]
    words: str
    whole: bool
    all_attempts: bool = False
