"""What the use cases need of the world, as protocols. The rooms above implement them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from bot.domain.access import AccessRequest, Actor, Grant
    from bot.domain.acts import Bulk, Change, Ended, Entry, Loss, Named, Proposal, Seen
    from bot.domain.digests import DigestPlan, Parcel, PastRun, Sending
    from bot.domain.model import Kind, Listing, Person, Project, Result, Run, RunRef, Test, Thread
    from bot.domain.queries import ResultQuery, RunQuery, Who
    from bot.domain.streams import Stream


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

    async def scan(self, letter: str, query: RunQuery, see: Callable[[Run], None]) -> Listing[Run]:
        """Show every run of the query to `see`, in any order, without holding them; the listing returned is empty.

        For what looks at very many. Its `missing` says what was not read, `total` how many there are.
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

    async def prepare(self, change: Change) -> Change:
        """The change with its names looked up and its words checked, as it will be sent; nothing is changed yet.

        Raises an AskError for what this system can't take (unknown suite, no such case, a field it has no place for),
        with what is possible instead.
        """

    async def carry_out(self, change: Change, files: Mapping[str, bytes]) -> RunRef | None:
        """Do it, now, in as few calls as the system allows, none of them ever repeated. `files` are bytes by file id.

        Returns the new run of a start. Raises a SystemFault; `fault.sent` tells whether the system may have done it
        all the same (see `bot.domain.errors.SystemFault`).
        """

    async def was_done(self, change: Change, since: datetime) -> RunRef | bool | None:
        """Whether the system shows that this was done at `since` or later, read from it anew.

        True or the new run if so, False if not, None where the system's answers can't tell. For a closing run that is
        `finished`; for what is not told by the run itself, what the change had left there.
        """

    async def loss(self, ref: RunRef) -> Loss:
        """What deleting this run would take with it, by the system's own preview. Raises CannotError."""

    async def offers(self, what: str, project: int) -> tuple[Named, ...]:
        """What can be chosen for a change: `suite`, `milestone`, `person`, `source`; empty where there is none."""

    def forget(self, ref: RunRef) -> None:
        """Answer from no memory of this run any more."""

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


class Ledger(Protocol):
    """Every attempted change, before and after: what makes it happen once, and what the audit shows.

    Each call is durable when it returns, and raises OurError when it could not be recorded.
    """

    async def begin(self, entry: Entry, *, lease_s: float) -> Entry | None:
        """Record that this is begun. None for whoever comes first; else the entry that stands in the way.

        In the way is the entry of the same key, whatever became of it, and one that is still `BEGUN` on the same run.
        The lease says until when this process vouches for it; `renew` extends it.
        """

    async def renew(self, key: str, *, lease_s: float) -> None: ...

    async def end(
        self,
        key: str,
        outcome: Ended,
        *,
        at: datetime,
        after: Seen | None = None,
        why: str = "",
        ref: RunRef | None = None,
    ) -> None:
        """Record what became of it."""

    async def tell(self, key: str) -> None:
        """Record that the person knows the end."""

    async def note(self, entry: Entry) -> None:
        """Record an attempt that ended before it began (refused, cancelled)."""

    async def entry(self, key: str) -> Entry | None: ...

    async def last_done(self, ref: RunRef, verb: str) -> Entry | None:
        """The last change of that verb that was done to a run from here."""

    async def orphans(self) -> tuple[Entry, ...]:
        """Entries that are not final, or whose end the person does not know, and that no process vouches for.

        Who asks vouches for them from then on, so that two processes never settle the same one.
        """

    async def entries(
        self,
        *,
        last: int,
        verb: str = "",
        who: str = "",
        ref: RunRef | None = None,
        since: datetime | None = None,
        outcome: str = "",
        part_of: str = "",
    ) -> tuple[Entry, ...]:
        """The newest entries that fit, newest first."""


class Proposals(Protocol):
    """Changes that were put before people, until they are carried out or forgotten."""

    async def put(self, proposal: Proposal, *, team: str, channel: str, thread: str, user: str) -> None: ...
    async def get(self, key: str) -> Proposal | None: ...
    async def put_bulk(self, bulk: Bulk) -> None: ...
    async def get_bulk(self, key: str) -> Bulk | None: ...


class Grants(Protocol):
    """The rules of who may change what."""

    async def all(self, team: str) -> tuple[Grant, ...]: ...
    async def put(self, team: str, grant: Grant) -> None:
        """Make the rule, in place of the one for the same verb, subject and channel."""

    async def drop(self, team: str, grant: Grant) -> bool:
        """Take the rule away; False if it was not there."""

    async def ask(self, request: AccessRequest) -> bool:
        """Keep a request; False if the same person asked for the same verb and channel within the day."""

    async def last_request(self, request: AccessRequest) -> AccessRequest | None:
        """The latest request of the same person for the same verb and channel."""

    async def request(self, key: str) -> AccessRequest | None: ...
    async def settle(self, key: str, settled: str, by: str) -> AccessRequest | None:
        """Decide a request, once: None if it was decided before (or is unknown)."""


@dataclass(frozen=True, slots=True)
class Card:
    """A message in public that shows a run: where it is, and the command that says it again."""

    team: str
    channel: str
    ts: str
    thread: str
    ref: RunRef
    command: str


class Cards(Protocol):
    """The cards of runs that were posted, so that they can be edited to the new state."""

    async def put(self, card: Card) -> None: ...
    async def of(self, ref: RunRef, *, most: int = 50) -> tuple[Card, ...]:
        """The newest cards of a run (of any thread of it)."""

    async def drop(self, card: Card) -> None: ...


class Directory(Protocol):
    """Who somebody is, with the role and groups they have right now."""

    async def actor(self, team: str, user: str) -> Actor:
        """Raises OurError when Slack won't tell: then nobody may change anything."""


class Plans(Protocol):
    """The digests that people made, and which of their slots are somebody's."""

    async def all(self) -> tuple[DigestPlan, ...]: ...
    async def of(self, team: str, channel: str = "") -> tuple[DigestPlan, ...]:
        """Those of a channel, or of all channels, by name."""

    async def get(self, plan_id: str) -> DigestPlan | None: ...
    async def add(self, plan: DigestPlan) -> bool:
        """False if the channel has one of that name (whatever its case) already."""

    async def change(self, plan: DigestPlan) -> bool:
        """Keep it in place of the one with its id; False if that is gone, or its name is another one's."""

    async def remove(self, plan_id: str) -> bool: ...

    async def claim(self, plan_id: str, slot: str, *, lease_s: float) -> bool:
        """True for whoever may make the digest of this slot: nobody has made it, nobody is at it (or they died)."""

    async def renew(self, plan_id: str, slot: str, *, lease_s: float) -> None: ...

    async def made(self, plan_id: str, slot: str, *, since: datetime, parcels: Sequence[Parcel]) -> bool:
        """In one step: the slot is done, the plan tells from `since` on next time, and these are to be posted.

        False, and nothing is kept, if the slot was done before or is not ours any more.
        """

    async def last_slot(self, plan_id: str) -> str:
        """The latest slot that is done, as its key; empty if there is none."""


class Outbox(Protocol):
    """Messages that are due: kept before they are posted, and after."""

    async def put(self, parcels: Sequence[Parcel]) -> bool:
        """Keep them all, once: False, and none is kept, if the first one's key is there."""

    async def due(self, *, lease_s: float, most: int) -> tuple[Parcel, ...]:
        """Parcels to be posted now (waiting, or on their way when their process died), oldest first, ours from now on.

        A part whose parent is not posted is not among them; its `thread` is the parent's timestamp.
        """

    async def posting(self, key: str, *, at: datetime, repeat: bool = False) -> bool:
        """Record that it is about to be posted, with `repeat` perhaps a second time; False if it is not ours."""

    async def ended(self, key: str, state: Sending, *, at: datetime, ts: str = "", reason: str = "") -> None: ...
    async def renew(self, keys: Sequence[str], *, lease_s: float) -> None: ...
    async def later(self, key: str, *, wait_s: float, reason: str) -> None:
        """Not now: it waits again, for so long at least."""

    async def about(self, for_whom: str, *, most: int = 20) -> tuple[Parcel, ...]:
        """What was to be posted for a plan, newest first: was it sent, when, how often tried, why not."""


class History(Protocol):
    """Finished runs and what became of their tests, as they were when they were read."""

    async def keep(self, runs: Sequence[PastRun]) -> int:
        """Keep them; returns how many rows were written. What is there unchanged writes none; tests once known stay."""

    async def of(self, stream: Stream, *, before: datetime, most: int) -> tuple[PastRun, ...]:
        """The newest finished runs of a stream that began before then, newest first."""

    async def known(self, refs: Sequence[RunRef]) -> Mapping[RunRef, PastRun]: ...
    async def sweep(self, older_than: datetime) -> int:
        """Forget runs that began before then; returns how many."""
