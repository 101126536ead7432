"""A connection that answers from memory for a few seconds, and asks once when many ask the same at once."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeVar, cast

from bot.domain.acts import Change, Loss, Named, Start
from bot.domain.errors import SlowDownFault, TooSlowFault, UnavailableFault
from bot.domain.model import Kind, Listing, Person, Project, Result, Run, RunRef, Test, Thread
from bot.domain.queries import ResultQuery, RunQuery, Who
from bot.usecases.ports import PATIENCE, Connection, Patience

T = TypeVar("T")

SHORT_S, LONG_S, FOREVER_S = 15.0, 300.0, 3600.0
MOST_ROWS = 50_000
#: What an answer weighs beside its rows, in rows: many small ones need room, too.
ENTRY_ROWS = 10
#: Of so many runs inside plans it is remembered which plan that is.
MOST_PARENTS = 10_000

Key = tuple[Hashable, ...]
#: Questions whose answers no change of a run touches.
_LASTING = ("projects", "person", "offers")


@dataclass(frozen=True, slots=True)
class _Entry:
    value: object
    stale_at: float
    rows: int


@dataclass(frozen=True, slots=True)
class _Flight:
    """A question on its way, and the patience of the one who asked first: it goes by that."""

    task: asyncio.Task[Any]
    patience: Patience


class Remembering:
    """Wraps a connection; see `bot.usecases.ports.Connection` for the calls.

    Runs and results are kept 15 s, projects and people 5 min, the tests of finished runs an hour; at most 50,000 rows
    in all, the least used go first. Errors are never kept, nor that somebody was not found. Values tell when they were
    read (`read_at`). Many who ask the same get one answer, but nobody waits longer than they would alone: people do
    not wait for what background work asked, and a failure of the first one's patience is not the others'.
    `now` is the clock that patience is measured on.
    """

    def __init__(self, inner: Connection, *, now: Callable[[], float] = time.monotonic) -> None:
        self._inner = inner
        self._now = now
        self._kept: OrderedDict[Key, _Entry] = OrderedDict()
        self._rows = 0
        self._parents: OrderedDict[RunRef, RunRef] = OrderedDict()
        self._flights: dict[Key, _Flight] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        self._forgotten = 0

    @property
    def name(self) -> str:
        return self._inner.name

    @property
    def system(self) -> str:
        return self._inner.system

    @property
    def kinds(self) -> Mapping[str, Kind]:
        return self._inner.kinds

    @property
    def project(self) -> int | None:
        return self._inner.project

    def read_link(self, url: str) -> RunRef | None:
        return self._inner.read_link(url)

    async def projects(self) -> tuple[Project, ...]:
        return await self._once(("projects",), LONG_S, self._inner.projects)

    async def run(self, ref: RunRef) -> Run:
        return await self._once(("run", ref), SHORT_S, lambda: self._inner.run(ref))

    async def runs(self, letter: str, query: RunQuery) -> Listing[Run]:
        return await self._once(("runs", letter, query), SHORT_S, lambda: self._inner.runs(letter, query))

    async def scan(self, letter: str, query: RunQuery, see: Callable[[Run], None]) -> Listing[Run]:
        return await self._inner.scan(letter, query, see)

    async def earlier(self, run: Run, limit: int) -> Listing[Run]:
        return await self._once(("earlier", run.ref, limit), LONG_S, lambda: self._inner.earlier(run, limit))

    async def parts(self, run: Run) -> Listing[Run]:
        return await self._once(("parts", run.ref), SHORT_S, lambda: self._inner.parts(run))

    async def tests(self, ref: RunRef, *, reasons: bool = False) -> Listing[Test]:
        return await self._once(("tests", ref, reasons), SHORT_S, lambda: self._inner.tests(ref, reasons=reasons))

    async def history(self, runs: Sequence[Run]) -> tuple[Listing[Test], ...]:
        """Finished runs do not change, so only those not seen within the hour are asked for, all in one go."""
        known = {run.ref: cast("Listing[Test] | None", self._recall(("past", run.ref))) for run in runs}
        asked = list({run.ref: run for run in runs if known[run.ref] is None}.values())
        if asked:
            forgotten = self._forgotten
            refs = tuple(run.ref for run in asked)
            listings = await self._once(("history", *refs), 0.0, lambda: self._inner.history(asked))
            for run, tests in zip(asked, listings, strict=True):
                known[run.ref] = tests
                if run.finished and not tests.partial and forgotten == self._forgotten:
                    self._keep(("past", run.ref), tests, FOREVER_S)
        return tuple(past for run in runs if (past := known[run.ref]) is not None)

    async def results(self, ref: RunRef, query: ResultQuery) -> Listing[Result]:
        return await self._once(("results", ref, query), SHORT_S, lambda: self._inner.results(ref, query))

    async def threads(self, ref: RunRef) -> tuple[Thread, ...]:
        return await self._once(("threads", ref), SHORT_S, lambda: self._inner.threads(ref))

    async def find_person(self, who: Who) -> Person | None:
        return await self._once(("person", who), LONG_S, lambda: self._inner.find_person(who))

    async def prepare(self, change: Change) -> Change:
        return await self._inner.prepare(change)

    async def carry_out(self, change: Change, files: Mapping[str, bytes]) -> RunRef | None:
        """Whatever comes of it, what was remembered of the run, and every list of runs, is dropped.

        After a start also what can be chosen for the next one: its source may be new.
        """
        ref = None if isinstance(change, Start) else change.ref
        try:
            return await self._inner.carry_out(change, files)
        finally:
            self._forget_after(ref)

    async def was_done(self, change: Change, since: datetime) -> RunRef | bool | None:
        done = await self._inner.was_done(change, since)
        self._forget_after(None if isinstance(change, Start) else change.ref)
        return done

    async def loss(self, ref: RunRef) -> Loss:
        return await self._inner.loss(ref)

    async def offers(self, what: str, project: int) -> tuple[Named, ...]:
        return await self._once(("offers", what, project), LONG_S, lambda: self._inner.offers(what, project))

    def _forget_after(self, ref: RunRef | None) -> None:
        if ref is not None:
            self.forget(ref)
            return
        self._drop_all(lambda key: key[0] in ("runs", "earlier", "offers"))

    def forget(self, ref: RunRef) -> None:
        """Drop all that is remembered of a run (and of its plan, its parts, its threads), and every list of runs.

        Answers that are on their way were asked for before: whoever asks from now on does not get them.
        """
        self._inner.forget(ref)
        refs = self._related(_whole(ref))
        self._drop_all(lambda key: _is_about(key, refs))

    async def close(self) -> None:
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._inner.close()

    # One question at a time.

    async def _once(self, key: Key, keep_s: float, ask: Callable[[], Awaitable[T]]) -> T:
        patience = PATIENCE.get() or Patience(float("inf"))
        while True:
            known = self._recall(key)
            if known is not None:
                return cast("T", known)
            flight = self._joinable(key, patience)
            if flight is None:
                flight = self._take_off(key, keep_s, ask, patience)
                return cast("T", await self._landing(flight, None))
            try:
                return cast("T", await self._landing(flight, patience))
            except (TooSlowFault, SlowDownFault):
                if patience.until <= flight.patience.until:
                    raise  # else the first one's patience is over, but not ours

    def _joinable(self, key: Key, patience: Patience) -> _Flight | None:
        flight = self._flights.get(key)
        if flight is None or flight.task.done() or (patience.person and not flight.patience.person):
            return None
        return flight

    def _take_off(self, key: Key, keep_s: float, ask: Callable[[], Awaitable[T]], patience: Patience) -> _Flight:
        task = asyncio.create_task(self._fly(key, keep_s, ask), name=f"ask {self.name}")
        flight = self._flights[key] = _Flight(task, patience)
        self._tasks.add(task)

        def land(task: asyncio.Task[Any]) -> None:
            self._tasks.discard(task)
            if self._flights.get(key) is flight:
                del self._flights[key]
            if not task.cancelled():
                task.exception()  # looked at, so that a failure nobody waits for any more is not reported as forgotten

        task.add_done_callback(land)
        return flight

    async def _fly(self, key: Key, keep_s: float, ask: Callable[[], Awaitable[T]]) -> T:
        forgotten = self._forgotten
        value = await ask()
        self._learn(value)
        partial = isinstance(value, Listing) and value.partial
        if keep_s and value is not None and not partial and forgotten == self._forgotten:
            self._keep(key, value, keep_s)
        return value

    async def _landing(self, flight: _Flight, patience: Patience | None) -> object:
        """The answer, for as long as whoever joined has patience.

        Shielded: whoever asked first may go away, the others still want the answer.
        """
        left = None if patience is None else max(patience.until - self._now(), 0.0)
        try:
            async with asyncio.timeout(left) as limit:
                return cast("object", await asyncio.shield(flight.task))
        except TimeoutError:
            if not limit.expired():
                raise
            raise TooSlowFault(
                self.system,
                f"{self.system} is too slow: no answer in time.",
                why="The same was asked before, and is not answered yet.",
                fix="Try again in a minute.",
            ) from None
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is None or task.cancelling() or not flight.task.cancelled():
                raise
            raise UnavailableFault(
                self.system,
                f"{self.system} is not asked any more.",
                why="Rundown is about to stop.",
                fix="Ask again in a minute.",
            ) from None

    # The memory.

    def _recall(self, key: Key) -> object | None:
        entry = self._kept.get(key)
        if entry is None:
            return None
        if entry.stale_at <= self._now():
            self._drop(key)
            return None
        self._kept.move_to_end(key)
        return entry.value

    def _keep(self, key: Key, value: object, keep_s: float) -> None:
        rows = len(value.items) if isinstance(value, Listing) else len(value) if isinstance(value, tuple) else 1
        if rows > MOST_ROWS // 4:
            return
        self._drop(key)
        self._kept[key] = _Entry(value, self._now() + keep_s, rows + ENTRY_ROWS)
        self._rows += rows + ENTRY_ROWS
        while self._rows > MOST_ROWS:
            self._drop(next(iter(self._kept)))

    def _drop_all(self, wanted: Callable[[Key], bool]) -> None:
        """Of what is on its way nothing about runs is given to others: it may tell of a plan what changed with it."""
        self._forgotten += 1
        for key in [key for key in self._kept if wanted(key)]:
            self._drop(key)
        for key in [key for key in self._flights if wanted(key) or key[0] not in _LASTING]:
            del self._flights[key]

    def _drop(self, key: Key) -> None:
        entry = self._kept.pop(key, None)
        if entry is not None:
            self._rows -= entry.rows

    def _learn(self, value: object) -> None:
        """Which plan a run is in: kept longer than the run itself, as the one changes with the other."""
        rows = value.items if isinstance(value, Listing) else (value,)
        for run in (row for row in rows if isinstance(row, Run) and row.parent is not None):
            self._parents[run.ref] = cast("RunRef", run.parent)
            self._parents.move_to_end(run.ref)
        while len(self._parents) > MOST_PARENTS:
            self._parents.popitem(last=False)

    def _related(self, ref: RunRef) -> set[RunRef]:
        """The run with its plan, or the plan with its runs, as far as they were ever read."""
        return {ref, self._parents.get(ref, ref)} | {run for run, plan in self._parents.items() if plan == ref}


def _whole(ref: RunRef) -> RunRef:
    return ref if ref.thread is None else replace(ref, thread=None)


def _is_about(key: Key, refs: set[RunRef]) -> bool:
    return key[0] in ("runs", "earlier", "parts") or any(
        isinstance(part, RunRef) and _whole(part) in refs for part in key
    )
