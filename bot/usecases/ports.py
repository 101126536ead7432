"""What the use cases need of the world, as protocols. The rooms above implement them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.domain.model import Kind, Listing, Person, Project, Result, Run, RunRef, Test, Thread
from bot.domain.queries import ResultQuery, RunQuery, Who


@dataclass(frozen=True, slots=True)
class Patience:
    """How long the one who asks will wait: until this `time.monotonic()`; people go ahead of background work."""

    until: float
    person: bool = True


#: Set by the front doors around each question; the systems keep to it. Without one, a call has its own limit only.
PATIENCE: ContextVar[Patience | None] = ContextVar("patience", default=None)


class Connection(Protocol):
    """One configured account of a test system. Every call may raise a `SystemFault`.

    `name` is what people type, `system` the product's name (`TestRail`), `kinds` its kinds of runs by letter,
    `project` the number of the project that is meant when none is named, None if none is configured.
    """

    @property
    def name(self) -> str: ...
    @property
    def system(self) -> str: ...
    @property
    def kinds(self) -> Mapping[str, Kind]: ...
    @property
    def project(self) -> int | None: ...

    def read_link(self, url: str) -> RunRef | None:
        """The run (or the run of the test) behind an address of this system's web pages; None for any other address."""

    async def projects(self) -> tuple[Project, ...]:
        """The projects our key can see, in the system's order."""

    async def run(self, ref: RunRef) -> Run:
        """One run, of any project our key can see. Raises NotFoundError."""

    async def runs(self, letter: str, query: RunQuery) -> Listing[Run]:
        """Runs of one kind in `query.project`, newest first.

        Filters the system knows are applied there, the others here; `query` holds only fields named in the kind's
        `filters`. Names are looked up (milestone `5.2`, source `nightly`): raises NotFoundError with the closest.
        """

    async def earlier(self, run: Run, limit: int) -> Listing[Run]:
        """Finished runs of the same stream begun before `run`, newest first, at most `limit`."""

    async def parts(self, run: Run) -> Listing[Run]:
        """The runs inside a plan; empty for a run that is not one."""

    async def tests(self, ref: RunRef, *, reasons: bool = False) -> Listing[Test]:
        """The tests of a run as they stand now; of one thread when `ref` names it.

        With `reasons`, `note`, `defects` and `retried` are filled too, at the cost of further calls.
        """

    async def history(self, runs: Sequence[Run]) -> tuple[Listing[Test], ...]:
        """The tests of several runs, without reasons, in as few calls as the system allows."""

    async def results(self, ref: RunRef, query: ResultQuery) -> Listing[Result]:
        """The results of a run, newest first unless asked otherwise."""

    async def threads(self, ref: RunRef) -> tuple[Thread, ...]:
        """The threads of an automation run, by index."""

    async def find_person(self, who: Who) -> Person | None:
        """Who that is in this system, by number, email or name; None if nobody (or not uniquely) fits."""

    async def close(self) -> None:
        """Let go of the network."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where something was asked: workspace, channel, and the thread in it (its root's timestamp) or none."""

    team: str
    channel: str
    thread: str = ""


@dataclass(frozen=True, slots=True)
class ChannelContext:
    """What `use` chose for a channel, by whom (Slack user id) and when."""

    connection: str
    project: int
    project_name: str
    by: str
    at: datetime


class Contexts(Protocol):
    """The channels' contexts."""

    async def get(self, place: Place) -> ChannelContext | None: ...
    async def set(self, place: Place, context: ChannelContext) -> None: ...


class Recall(Protocol):
    """What a person was last shown somewhere, so that `#3`, `last`, `prev` and `this` mean something."""

    async def remember_list(self, place: Place, user: str, refs: Sequence[RunRef]) -> None: ...
    async def listed(self, place: Place, user: str) -> tuple[RunRef, ...]: ...
    async def remember_run(self, place: Place, user: str, ref: RunRef) -> None: ...
    async def last_run(self, place: Place, user: str) -> RunRef | None: ...
    async def bind_thread(self, place: Place, ref: RunRef) -> None: ...
    async def thread_run(self, place: Place) -> RunRef | None: ...
