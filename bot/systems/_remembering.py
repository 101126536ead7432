"""A connection that answers from memory for a few seconds, and asks once when many ask the same at once."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from bot.domain.model import Kind, Listing, Person, Project, Result, Run, RunRef, Test, Thread
from bot.domain.queries import ResultQuery, RunQuery, Who
from bot.usecases.ports import Connection

T = TypeVar("T")

SHORT_S, LONG_S, FOREVER_S = 15.0, 300.0, 3600.0
MOST_ROWS = 50_000


@dataclass(slots=True)
class _Entry:
    value: Any
    stale_at: float
    rows: int


class Remembering:
    """Wraps a connection; see `bot.usecases.ports.Connection` for the calls.

    Runs and results are kept 15 s, projects and people 5 min, the tests of finished runs an hour; at most 50,000 rows
    in all, the least used go first. Errors are never kept. Values tell when they were read (`read_at`).
    """

    def __init__(self, inner: Connection, *, now: Callable[[], float] = time.monotonic) -> None:
        self._inner = inner
        self._now = now
        self._kept: OrderedDict[Hashable, _Entry] = OrderedDict()
        self._rows = 0
        self._flights: dict[Hashable, asyncio.Task[Any]] = {}

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

    async def earlier(self, run: Run, limit: int) -> Listing[Run]:
        return await self._once(("earlier", run.ref, limit), LONG_S, lambda: self._inner.earlier(run, limit))

    async def parts(self, run: Run) -> Listing[Run]:
        return await self._once(("parts", run.ref), SHORT_S, lambda: self._inner.parts(run))

    async def tests(self, ref: RunRef, *, reasons: bool = False) -> Listing[Test]:
        return await self._once(("tests", ref, reasons), SHORT_S, lambda: self._inner.tests(ref, reasons=reasons))

    async def history(self, runs: Sequence[Run]) -> tuple[Listing[Test], ...]:
        """Finished runs do not change, so only those not seen within the hour are asked for, all in one go."""
        known: dict[RunRef, Listing[Test] | None] = {
            run.ref: cast("Listing[Test] | None", self._recall(("past", run.ref))) for run in runs
        }
        asked = [run for run in runs if known[run.ref] is None]
        if asked:
            refs = tuple(run.ref for run in asked)
            listings = await self._once(("history", refs), 0.0, lambda: self._inner.history(asked))
            for run, tests in zip(asked, listings, strict=True):
                known[run.ref] = tests
                if run.finished and not tests.partial:
                    self._keep(("past", run.ref), tests, FOREVER_S)
        return tuple(past for run in runs if (past := known[run.ref]) is not None)

    async def results(self, ref: RunRef, query: ResultQuery) -> Listing[Result]:
        return await self._once(("results", ref, query), SHORT_S, lambda: self._inner.results(ref, query))

    async def threads(self, ref: RunRef) -> tuple[Thread, ...]:
        return await self._once(("threads", ref), SHORT_S, lambda: self._inner.threads(ref))

    async def find_person(self, who: Who) -> Person | None:
        return await self._once(("person", who), LONG_S, lambda: self._inner.find_person(who))

    def forget(self, ref: RunRef) -> None:
        """Drop everything remembered of one run, and every list it may stand in."""
        for key in [key for key in self._kept if isinstance(key, tuple) and (ref in key or key[0] == "runs")]:
            self._drop(key)

    async def close(self) -> None:
        for flight in self._flights.values():
            flight.cancel()
        await self._inner.close()

    async def _once(self, key: Hashable, keep_s: float, ask: Callable[[], Awaitable[T]]) -> T:
        known = self._recall(key)
        if known is not None:
            return cast("T", known)
        flight = self._flights.get(key)
        if flight is None:
            flight = asyncio.create_task(self._fly(key, keep_s, ask), name=f"ask {self.name}")
            flight.add_done_callback(_heard)
            self._flights[key] = flight
        # Shielded: whoever asked first may lose patience, the others still want the answer.
        return cast("T", await asyncio.shield(flight))

    async def _fly(self, key: Hashable, keep_s: float, ask: Callable[[], Awaitable[T]]) -> T:
        try:
            value = await ask()
            if keep_s and not (isinstance(value, Listing) and value.partial):
                self._keep(key, value, keep_s)
            return value
        finally:
            del self._flights[key]

    def _recall(self, key: Hashable) -> object | None:
        entry = self._kept.get(key)
        if entry is None:
            return None
        if entry.stale_at <= self._now():
            self._drop(key)
            return None
        self._kept.move_to_end(key)
        return cast("object", entry.value)

    def _keep(self, key: Hashable, value: object, keep_s: float) -> None:
        rows = len(value.items) if isinstance(value, Listing) else len(value) if isinstance(value, tuple) else 1
        if rows > MOST_ROWS // 4:
            return
        self._drop(key)
        self._kept[key] = _Entry(value, self._now() + keep_s, rows)
        self._rows += rows
        while self._rows > MOST_ROWS:
            self._drop(next(iter(self._kept)))

    def _drop(self, key: Hashable) -> None:
        entry = self._kept.pop(key, None)
        if entry is not None:
            self._rows -= entry.rows


def _heard(flight: asyncio.Task[Any]) -> None:
    """Look at the outcome, so that a failure nobody waited for any more is not reported as forgotten."""
    if not flight.cancelled():
        flight.exception()
