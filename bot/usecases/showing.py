"""Show one run: its card, its threads."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Collection
from typing import TypeVar

from bot.domain.answers import RunCard, ThreadList, TrendPoint
from bot.domain.errors import CannotError, NotFoundError, RundownError
from bot.domain.model import Run
from bot.usecases.finding import Found
from bot.usecases.systems import name_project

T = TypeVar("T")

#: Finished runs in a trend, this one included.
TREND_RUNS = 10
#: Seconds a card waits for what is beside the run itself.
EXTRAS_S = 4.0

_BUTTONS = ("failures", "diff", "results", "threads")


async def show_run(found: Found, *, changes: Collection[str] = ()) -> RunCard:
    """The card of a run: the run as just read, the trend of its stream, the runs of a plan.

    `changes` are the verbs of changes that may be offered on it; those that make sense for this run become buttons.

    What is beside the run itself is left out, and said, when it fails or takes too long.
    """
    missing: list[str] = []
    earlier, parts, where = await asyncio.gather(
        extra(found.connection.earlier(found.run, TREND_RUNS - 1), "the trend", missing),
        extra(found.connection.parts(found.run), "the runs of this plan", missing),
        where_is(found),
    )
    trend = [_point(run) for run in reversed(earlier.items)] if earlier else []
    return RunCard(
        run=found.run,
        where=where,
        trend=(*trend, _point(found.run)) if trend else (),
        parts=parts.items if parts else (),
        missing=(*found.run.missing, *missing, *(parts.missing if parts else ()), *found.doubts),
        buttons=tuple(
            verb
            for verb in _BUTTONS
            if verb in found.run.kind.verbs and _worth(verb, found.run, alone=earlier is not None and not earlier.items)
        )
        + changes_of(found.run, changes),
    )


def changes_of(run: Run, offered: Collection[str]) -> tuple[str, ...]:
    """The changes worth a button on this run, of those that may be offered."""
    if run.finished or run.parent is not None:
        return ()
    return tuple(verb for verb in ("close", "note") if verb in offered and verb in run.kind.verbs)


async def show_threads(found: Found) -> ThreadList:
    """The threads of an automation run, or the one that the reference names."""
    need(found, "threads")
    threads = all_of_it = await found.connection.threads(found.run.ref)
    if found.ref.thread is not None:
        threads = tuple(thread for thread in all_of_it if thread.index == found.ref.thread)
        if not threads:
            raise NotFoundError(
                f"{found.run.ref.short} has no thread {found.ref.thread}.",
                why=f"It has {len(all_of_it)} thread{'' if len(all_of_it) == 1 else 's'}.",
                fix=f"See them with `threads {found.run.ref.short}`.",
                closest=(f"threads {found.run.ref}",),
            )
    return ThreadList(run=found.run, where=await where_is(found), threads=threads)


def need(found: Found, verb: str) -> None:
    """Raise CannotError when the system cannot do this with that kind of run, with what is possible instead."""
    kind = found.run.kind
    if verb not in kind.verbs:
        raise CannotError(
            f"{found.connection.system} has no {verb} for a {kind.noun}.",
            why=kind.cannot.get(verb, f"A {kind.noun} there is one whole."),
            fix=f"Show it with `show {found.run.ref.short}`.",
            closest=(f"show {found.run.ref}",),
        )


async def where_is(found: Found) -> str:
    """Connection and project for people: `TestRail › Webshop`; the project's number where its name takes too long."""
    try:
        async with asyncio.timeout(EXTRAS_S):
            name = (await name_project(found.connection, found.run.project)).name
    except TimeoutError:
        name = f"project {found.run.project}"
    return f"{found.connection.system} › {name}"


async def extra(asking: Awaitable[T], what: str, missing: list[str], within_s: float = EXTRAS_S) -> T | None:
    """Something good to have: None, with a word in `missing`, when it fails or takes too long."""
    try:
        async with asyncio.timeout(within_s):
            return await asking
    except (RundownError, TimeoutError):
        missing.append(f"{what} could not be read")
        return None


def _point(run: Run) -> TrendPoint:
    return TrendPoint(run.ref, run.tally.pass_rate, run.state)


def _worth(verb: str, run: Run, *, alone: bool) -> bool:
    """Whether the verb has anything to show; `alone` runs have none to be compared with."""
    match verb:
        case "failures":
            return run.failing
        case "diff":
            return not alone and run.tally.done > 0
        case "results":
            return (run.tally.total == 0 and bool(run.missing)) or run.tally.done > 0
    return True
