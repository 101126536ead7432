"""What every contract test needs: a sample server with a connection to it, every question there is, errors in words."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from bot.domain.errors import RundownError, SystemFault
from bot.domain.model import Listing, Run
from bot.domain.queries import ResultQuery, RunQuery, Who
from bot.sandbox.server import SampleServer, running
from bot.sandbox.world import ANA
from bot.systems import Account, system
from bot.systems._pace import Pace
from bot.usecases.ports import Connection
from tests.systems.contract_table import SAMPLES
from tests.systems.floor_kit import now, settle

GRACE_S = 0.001
ALL = RunQuery(state="all")


def connect(name: str, server: SampleServer, **options: Any) -> Connection:
    row = SAMPLES[name]
    account = Account(name, {**row.options(server), **options}, Pace(now=now), server.clock.now)
    return system(name).connect(account)


@asynccontextmanager
async def sample(
    name: str, *, options: Mapping[str, Any] | None = None, **how: Any
) -> AsyncIterator[tuple[Any, Connection]]:
    """A sample server and a connection to it, without a rate of its own; `options` are further ones of the latter."""
    server = SAMPLES[name].start(**how)
    async with running(server):
        connection = connect(name, server, **(options or {}))
        try:
            yield server, connection
        finally:
            await connection.close()
            await settle(50)


async def scanned(connection: Connection, letter: str, query: RunQuery) -> Listing[Run]:
    """All that is shown while very many are looked at, newest first, as a list of them would be."""
    seen: list[Run] = []
    told = await connection.scan(letter, query, seen.append)
    assert told.items == ()
    seen.sort(key=lambda run: (run.created_at, run.ref.id), reverse=True)
    return replace(told, items=tuple(seen))


Method = Callable[[Connection, Run], Awaitable[Any]]

#: Every question there is, put to a connection about one of its runs.
METHODS: dict[str, Method] = {
    "projects": lambda web, run: web.projects(),
    "run": lambda web, run: web.run(run.ref),
    "runs": lambda web, run: web.runs(run.ref.letter, ALL),
    "runs by name": lambda web, run: web.runs(run.ref.letter, replace(ALL, milestone=(run.milestone or "x",))),
    "scan": lambda web, run: scanned(web, run.ref.letter, ALL),
    "earlier": lambda web, run: web.earlier(run, 5),
    "parts": lambda web, run: web.parts(run),
    "tests": lambda web, run: web.tests(run.ref),
    "tests with reasons": lambda web, run: web.tests(run.ref, reasons=True),
    "history": lambda web, run: web.history([run]),
    "results": lambda web, run: web.results(run.ref, ResultQuery()),
    "threads": lambda web, run: web.threads(run.ref),
    "find person": lambda web, run: web.find_person(Who(ANA.name, ANA.email)),
}


def check_error(name: str, error: object) -> RundownError:
    """Four parts in words, none of them with a secret in it."""
    assert isinstance(error, RundownError), error
    for part in (error.what, error.why, error.fix):
        assert part.strip(), f"{error!r} lacks a part: {error.what!r} {error.why!r} {error.fix!r}"
    if isinstance(error, SystemFault):
        assert error.system == system(name).label
    told = " ".join((repr(error), error.what, error.why, error.fix, *error.closest))
    assert not [secret for secret in SAMPLES[name].secrets if secret in told]
    return error


def without_times(answer: Any) -> Any:
    """The answer without when it was read."""
    if isinstance(answer, tuple):
        return tuple(map(without_times, answer))
    if isinstance(answer, Listing):
        return (tuple(map(without_times, answer.items)), answer.total, answer.missing)
    return replace(answer, read_at=answer.created_at) if isinstance(answer, Run) else answer
