"""What the use cases hand to the presenters: one value for each kind of answer."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from bot.domain.errors import Choice, Family, RundownError
from bot.domain.model import Person, Project, Result, Run, RunRef, State, Test, Thread
from bot.domain.streams import Streak


@dataclass(frozen=True, slots=True)
class Trouble:
    """A connection that could not answer, while the others could."""

    connection: str
    error: RundownError


@dataclass(frozen=True, slots=True)
class TrendPoint:
    """One finished run of a stream: its reference, pass rate (0 to 1, None when nothing was judged) and state."""

    ref: RunRef
    rate: float | None
    state: State


@dataclass(frozen=True, slots=True, kw_only=True)
class RunCard:
    """One run. `where` names connection and project for people (`TestRail › Webshop`).

    `trend` is the stream, oldest first, ending with this run. `parts` are the runs of a plan. `missing` says what
    could not be read (never the run itself). `buttons` are the verbs that make sense for it, in order.
    """

    run: Run
    where: str
    trend: tuple[TrendPoint, ...] = ()
    parts: tuple[Run, ...] = ()
    missing: tuple[str, ...] = ()
    buttons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RunList:
    """Runs in the order they should be read. `words` says the filter in words; `notes` what was left out and why.

    `total` counts what matched, which may be more than `runs` holds; None where a system does not say.
    """

    runs: tuple[Run, ...]
    words: str
    read_at: datetime
    total: int | None = None
    several_connections: bool = False
    notes: tuple[str, ...] = ()
    troubles: tuple[Trouble, ...] = ()


@dataclass(frozen=True, slots=True)
class FailedTest:
    """A failing test. `seen` tells that an earlier run of the stream had it."""

    test: Test
    streak: Streak | None = None
    flaky: bool = False
    seen: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Failures:
    """The failing tests of a run, newly broken first: `tests` of `total` that fit, `new` of them new.

    `unnamed` counts failures whose tests the system does not name; `by_thread` are those counts per thread.
    """

    run: Run
    where: str
    tests: tuple[FailedTest, ...]
    read_at: datetime
    total: int = 0
    new: int = 0
    owner: str = ""
    unnamed: int = 0
    by_thread: tuple[Thread, ...] = ()
    judged_on: int = 0
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultList:
    run: Run
    where: str
    results: tuple[Result, ...]
    words: str
    read_at: datetime
    total: int | None = None
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreadList:
    run: Run
    where: str
    threads: tuple[Thread, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionView:
    """One connection as people may know it: its name, system, project in use here, and what answered just now."""

    name: str
    system: str
    project: Project | None = None
    kinds: tuple[str, ...] = ()
    trouble: RundownError | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Here:
    """What holds in this channel. `chosen_by` and `chosen_at` tell who set it with `use`."""

    channel: str
    chosen: ConnectionView | None
    connections: tuple[ConnectionView, ...]
    chosen_by: str = ""
    chosen_at: datetime | None = None
    this: RunRef | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Menu:
    """What matters here: the context in a line and the open runs most at risk."""

    here: Here
    at_risk: RunList


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who a person is in one system: found, not found, or not to be found out (`trouble`)."""

    connection: str
    system: str
    person: Person | None = None
    trouble: RundownError | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WhoAmI:
    name: str
    email: str
    role: str
    identities: tuple[Identity, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextSet:
    """The channel's context was set by `by`."""

    connection: ConnectionView
    channel: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    rundown: str
    python: str
    connections: tuple[ConnectionView, ...] = field(default_factory=tuple)


@dataclass(frozen=True, slots=True, kw_only=True)
class HelpVerb:
    """All about one verb, as the grammar has it. `flags` are (how it is typed, one sentence)."""

    name: str
    sentence: str
    usage: str
    flags: tuple[tuple[str, str], ...]
    examples: tuple[str, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class HelpIndex:
    """The verbs, each with its sentence and one example; `command` is the slash command's name (`/runs`)."""

    command: str
    verbs: tuple[HelpVerb, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Complaint:
    """An error in the words a person gets: what, why, how to mend it, closest matches, and a reference for the log.

    `closest` are whole commands that can be taken with one click. `family` tells whose move is next.
    """

    family: Family
    what: str
    reference: str
    why: str = ""
    fix: str = ""
    closest: tuple[Choice, ...] = ()
    system: str = ""
    retry_at: datetime | None = None
