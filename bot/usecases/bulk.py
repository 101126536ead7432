"""Close several runs in one confirmed go: a list first, then one after another, each recorded for itself."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime

from bot.domain.acts import Bulk, BulkItem, Close, Ended, Entry, Proposal
from bot.domain.answers import RunList
from bot.domain.checkpoints import checkpoint
from bot.domain.errors import AskError, NotAllowedError, NotFoundError, RundownError, SystemFault, TooLateError
from bot.domain.model import Run
from bot.usecases.changing import (
    GOOD_FOR,
    LEASE_S,
    ExpiredError,
    Hands,
    LateError,
    UnrecordedError,
    carry_out,
    unhurried,
    vouching,
)
from bot.usecases.ports import Ledger, Place
from bot.usecases.systems import Systems

log = logging.getLogger(__name__)

#: The most runs of one go.
MOST = 200
#: The most runs that are named for one reason to leave them out.
MOST_NAMED = 3
#: So many faults of a system in a row, and the rest is not tried.
FAULTS = 3


def propose_bulk(
    listing: RunList, *, key: str, typed: str, by: str, now: datetime, systems: Systems, dry: bool
) -> Bulk:
    """What would be closed, in the list's order, and what is left out and why. Raises AskError when nothing would."""
    items = tuple(BulkItem(run=run, why=_left_out(run, systems)) for run in listing.runs[:MOST])
    notes = list(listing.notes)
    silent = " ".join(f"{trouble.connection} could not be asked: {trouble.error.what}" for trouble in listing.troubles)
    notes += [f"{trouble.connection}: {trouble.error.what}" for trouble in listing.troubles]
    if len(listing.runs) > MOST or (listing.total or 0) > MOST:
        notes.append(f"only the first {MOST} are taken in one go")
    bulk = Bulk(
        key=key,
        words=listing.words,
        items=items,
        typed=typed,
        made_at=now,
        by=by,
        dry=dry,
        notes=tuple(notes),
    )
    if not bulk.left:
        found = (
            f"{len(items)} run{' fits' if len(items) == 1 else 's fit'}, none of which can be closed: {_reasons(bulk)}."
            if items
            else f"No runs fit “{listing.words}”."
        )
        raise AskError(
            "Nothing to close was found." if silent else "There is nothing to close.",
            why=f"{found} {silent}".strip(),
            fix="Try again in a minute, or name another connection with --in."
            if silent
            else "Widen the filters; `list` with the same ones shows the runs.",
            closest=() if silent else ("list",),
        )
    return bulk


def _reasons(bulk: Bulk) -> str:
    """`closed already (R1, R2, R3 and 4 more); part of P9 (R7)`."""
    told = []
    for why, runs in bulk.left_out:
        rest = len(runs) - MOST_NAMED
        named = ", ".join(run.ref.short for run in runs[:MOST_NAMED])
        told.append(f"{why} ({named}{f' and {rest} more' if rest > 0 else ''})")
    return "; ".join(told)


def _left_out(run: Run, systems: Systems) -> str:
    system = systems.get(run.ref.connection).system
    if run.finished:
        return f"{run.kind.ended or 'finished'} already"
    if run.kind.closing is None or "close" not in run.kind.verbs:
        off = "switched off here" in run.kind.cannot.get("close", "")
        return "not switched on here" if off else f"{system} can't close {_plural(run)}"
    if run.parent is not None:
        return f"part of {run.parent.short}"
    return ""


def _plural(run: Run) -> str:
    """Of a system with runs of both kinds, which kind it is."""
    plural = run.kind.plural
    return f"manual {plural}" if run.kind.automated is False and not plural.startswith("manual") else plural


def first_go(bulk: Bulk) -> str:
    """The key in the ledger of its first go: whoever is on record there decided it."""
    return f"{bulk.key}#0"


async def carry_out_bulk(
    bulk: Bulk,
    *,
    hands: Hands,
    place: Place,
    user: str,
    begun: Callable[[], Awaitable[None]],
    progress: Callable[[Bulk], Awaitable[None]],
) -> Bulk:
    """Close what is left of it, one after another; what was tried before is not tried again.

    Raises like `carry_out` before anything is done. One that fails, or is not any more what was listed, does not hold
    up the others; a system that fails again and again, or a right that was taken away, ends it: the rest is not tried.
    """
    now = hands.now()
    actor = await hands.gate.need(
        "close", place, user, now=now, key=f"{bulk.key} {user} refused {now.timestamp()}", title=bulk.words
    )
    goes, last = await _goes(bulk.key, hands.ledger)
    if last is not None and last.outcome in (Ended.BEGUN, Ended.CANCELLED):
        raise LateError(last)
    bulk = await recorded(bulk, hands.ledger)
    if last is not None and not bulk.left:
        raise LateError(last)
    if last is None and now - bulk.made_at > GOOD_FOR:
        raise ExpiredError("This list is too old to act on.", why="Things may have changed since.")
    claim = Entry(
        key=f"{bulk.key}#{goes}",
        verb="close",
        connection="",
        ref=None,
        title=f"{bulk.left} {bulk.words}",
        who=user,
        who_name=actor.name,
        team=place.team,
        channel=place.channel,
        thread=place.thread,
        at=now,
    )
    checkpoint("go asked")
    try:
        before = await hands.ledger.begin(claim, lease_s=LEASE_S)
    except RundownError as error:
        raise UnrecordedError from error
    if before is not None:
        raise LateError(before)
    checkpoint("go begun")
    async with vouching(claim.key, hands.ledger):
        try:
            await begun()
            checkpoint("go announced")
            with unhurried():  # each run has its own time, however many there are
                bulk = await _one_by_one(bulk, hands, place, user, progress)
        except BaseException:
            await _end(claim.key, Ended.FAILED, "Rundown was stopped in the middle of it.", hands)
            raise
        checkpoint("go ended")
        await _end(claim.key, Ended.DONE, " ".join((f"{bulk_words(bulk)}.", bulk.stopped)).strip(), hands)
        checkpoint("go recorded")
    return replace(bulk, attempt=claim.key)


async def _goes(key: str, ledger: Ledger) -> tuple[int, Entry | None]:
    """How many goes were made of a bulk, and the record of the last one."""
    goes, last = 0, None
    while (entry := await ledger.entry(f"{key}#{goes}")) is not None:
        goes, last = goes + 1, entry
    return goes, last


async def _end(key: str, outcome: Ended, why: str, hands: Hands) -> None:
    """Record the end of a go. When that fails, what was closed is closed: the records of its runs tell it."""
    try:
        await hands.ledger.end(key, outcome, at=hands.now(), why=why)
    except RundownError as error:
        log.error("the end of %s (%s) could not be recorded: %s", key, outcome, error.what)


async def _one_by_one(
    bulk: Bulk, hands: Hands, place: Place, user: str, progress: Callable[[Bulk], Awaitable[None]]
) -> Bulk:
    """What is left of it, each run for itself, until the end or until there is no sense in going on."""
    faults = 0
    stopped = ""
    for number, item in enumerate(bulk.items):
        if item.entry is not None or item.why:
            continue
        try:
            entry = await _one(bulk, item.run, hands, place, user)
            faults = faults + 1 if entry.outcome in (Ended.FAILED, Ended.DOUBT) else 0
        except NotAllowedError as error:
            stopped = f"{error.what} {error.why}"
            break
        bulk = _with(bulk, number, entry)
        await _leave_to_summary(entry, bulk, hands.ledger)
        if faults >= FAULTS and bulk.left:
            stopped = f"{FAULTS} in a row failed, so the rest was not tried."
            break
        await progress(bulk)
        checkpoint("go next")
    return replace(bulk, stopped=stopped)


async def _leave_to_summary(entry: Entry, bulk: Bulk, ledger: Ledger) -> None:
    """Nobody need be told of this run by itself: the go's own record stays open until its summary is said."""
    if entry.part_of == bulk.key and entry.outcome not in (Ended.BEGUN, Ended.DOUBT):
        with contextlib.suppress(RundownError):  # one too many is told then
            await ledger.tell(entry.key)


async def _one(bulk: Bulk, run: Run, hands: Hands, place: Place, user: str) -> Entry:
    """The record of one run of it, whatever became of it. Raises NotAllowedError."""
    key = f"{bulk.key}:{run.ref}"
    proposal = Proposal(
        key=key,
        verb="close",
        change=Close(run.ref),
        where="",
        by=user,
        made_at=hands.now(),
        typed=f"close {run.ref}",
        run=run,
        title=run.name,
        closing=run.kind.closing,
    )
    try:
        return (await carry_out(proposal, hands=hands, place=place, user=user, part_of=bulk.key)).entry
    except NotAllowedError:
        raise
    except LateError:
        outcome, why = Ended.STALE, "Somebody else was first."
    except (TooLateError, NotFoundError) as error:
        outcome, why = Ended.STALE, f"{error.what} {error.why}".strip()
    except SystemFault as error:
        outcome, why = Ended.FAILED, f"{error.what} {error.why}".strip()
    except RundownError as error:
        outcome, why = Ended.FAILED, error.what
    with contextlib.suppress(RundownError):
        known = await hands.ledger.entry(key)
        if known is not None:
            return known
    now = hands.now()
    return Entry(
        key=key,
        verb="close",
        connection=run.ref.connection,
        ref=run.ref,
        title=run.name,
        who=user,
        who_name="",
        team=place.team,
        channel=place.channel,
        thread=place.thread,
        at=now,
        outcome=outcome,
        ended_at=now,
        why=why,
        part_of=bulk.key,
    )


async def recorded(bulk: Bulk, ledger: Ledger) -> Bulk:
    """The bulk with what the ledger knows of its runs."""
    known = {
        entry.ref: entry for entry in await ledger.entries(last=2 * MOST, part_of=bulk.key) if entry.ref is not None
    }
    return replace(bulk, items=tuple(replace(item, entry=known.get(item.run.ref)) for item in bulk.items))


async def last_go(key: str, ledger: Ledger) -> Entry | None:
    """The record of the last go that was made of a bulk."""
    return (await _goes(key, ledger))[1]


def bulk_of(entry: Entry) -> str:
    """The key of the bulk that an entry is a go of; empty for one that stands for a single run."""
    key, mark, _ = entry.key.partition("#")
    return key if mark and entry.ref is None and entry.change is None else ""


def bulk_words(bulk: Bulk) -> str:
    """`11 closed, 1 not closed, 3 not tried`."""
    counts = (
        (bulk.count(Ended.DONE), "closed"),
        (bulk.count(Ended.FAILED), "not closed"),
        (bulk.count(Ended.STALE), "changed since"),
        (bulk.count(Ended.DOUBT, Ended.BEGUN), "in doubt"),
        (bulk.left, "not tried"),
    )
    return ", ".join(f"{count} {word}" for count, word in counts if count) or "nothing"


def _with(bulk: Bulk, number: int, entry: Entry) -> Bulk:
    items = list(bulk.items)
    items[number] = replace(items[number], entry=entry)
    return replace(bulk, items=tuple(items))
