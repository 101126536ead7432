"""List runs: of one project, or of every connection at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Literal

from bot.domain.answers import RunList, Trouble
from bot.domain.errors import AskError, RundownError, SystemFault, UnavailableFault
from bot.domain.model import Kind, Listing, Run
from bot.domain.queries import RunQuery
from bot.domain.risk import risk
from bot.usecases.finding import Asker
from bot.usecases.ports import ChannelContext, Recall
from bot.usecases.systems import Systems, Target, targets

Sort = Literal["risk", "newest", "oldest", "closed", "name"]

#: How many closed runs are listed when nobody says a number: lists of the past have no end.
PAST_ROWS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class ListAsk:
    """What to list. `words` is the filter in words, for the answer."""

    query: RunQuery
    words: str
    connection: str = ""
    project: str = ""
    automated: bool | None = None
    sort: Sort | None = None
    limit: int | None = None


async def list_runs(
    ask: ListAsk, *, systems: Systems, context: ChannelContext | None, recall: Recall, asker: Asker, now: datetime
) -> RunList:
    """Runs that match, in the order they should be read; remembered so that `#3` means the third.

    A connection that fails or lacks what is asked costs only its own rows. Raises its error when all of them do.
    """
    asked, troubles = await targets(systems, context, connection=ask.connection, project=ask.project)
    sort = ask.sort or ("risk" if ask.query.state == "open" else "newest")
    limit = ask.limit or (PAST_ROWS if ask.query.state != "open" else None)
    wanted, notes = _split(ask, asked)
    at_most = limit if sort == "newest" else None
    queries = [replace(ask.query, project=each.project.id, at_most=at_most) for each, _ in wanted]
    answers = await asyncio.gather(
        *(each.connection.runs(kind.letter, query) for (each, kind), query in zip(wanted, queries, strict=True)),
        return_exceptions=True,
    )
    listings: list[Listing[Run]] = []
    failed: list[Trouble] = []
    for (each, kind), answer in zip(wanted, answers, strict=True):
        if isinstance(answer, RundownError):
            failed.append(Trouble(each.connection.name, answer))
        elif isinstance(answer, BaseException):
            raise answer
        else:
            listings.append(answer)
            notes += [f"{each.connection.name}: {kind.plural} are partial: {missing}" for missing in answer.missing]
    if wanted and not listings:
        raise _all_of(failed)
    notes += [f"{each.connection}: {each.error.what}" for each in failed if isinstance(each.error, AskError)]
    rows = sorted((run for listing in listings for run in listing.items), key=_order(sort, now))[:limit]
    if rows:  # a search in vain takes nobody's numbers away
        await recall.remember_list(asker.place, asker.user, tuple(run.ref for run in rows))
    return RunList(
        runs=tuple(rows),
        words=ask.words,
        read_at=min((listing.read_at for listing in listings), default=now),
        total=_total(listings),
        several_connections=len({each.connection.name for each, _ in wanted}) > 1,
        notes=tuple(dict.fromkeys(notes)),
        troubles=(*troubles, *_once(each for each in failed if not isinstance(each.error, AskError))),
    )


def _split(ask: ListAsk, asked: Sequence[Target]) -> tuple[list[tuple[Target, Kind]], list[str]]:
    """Which kinds of which targets can be asked at all, and a note for each that can't be."""
    wanted: list[tuple[Target, Kind]] = []
    notes: list[str] = []
    given = _given(ask.query)
    for each in asked:
        for kind in each.connection.kinds.values():
            lacking = given - kind.filters
            if ask.automated is not None and kind.automated is None:
                system = each.connection.system
                notes.append(f"{system} does not tell automated {kind.plural} from manual ones; they are left out")
            elif ask.automated is not None and kind.automated is not ask.automated:
                continue
            elif lacking:
                names = ", ".join(sorted(name.replace("_", "-") for name in lacking))
                notes.append(f"{each.connection.system} keeps no {names} for its {kind.plural}; they are left out")
            else:
                wanted.append((each, kind))
    return wanted, notes


def _all_of(failed: Sequence[Trouble]) -> RundownError:
    """One error for a list that nobody could answer: the person's move if there is one, else every system's name."""
    mine = [each.error for each in failed if not isinstance(each.error, SystemFault)]
    faults = {each.error.system: each.error for each in failed if isinstance(each.error, SystemFault)}
    if mine or len(faults) < 2:
        return mine[0] if mine else failed[0].error
    return UnavailableFault(
        " and ".join((", ".join([*faults][:-1]), [*faults][-1])),
        "None of your systems could be asked.",
        why=" ".join(fault.what for fault in faults.values()),
        fix=failed[0].error.fix if len({type(fault) for fault in faults.values()}) == 1 else "Try again in a minute.",
        retry_at=max((fault.retry_at for fault in faults.values() if fault.retry_at), default=None),
    )


def _given(query: RunQuery) -> set[str]:
    """The filters that are used. `state` is one only where it narrows."""
    empty = RunQuery(state=query.state)
    unfiltered = {"project", "at_most", "state"}
    return {
        field.name
        for field in fields(query)
        if field.name not in unfiltered and getattr(query, field.name) != getattr(empty, field.name)
    }


def _order(sort: Sort, now: datetime) -> Callable[[Run], tuple[object, ...]]:
    match sort:
        case "risk":
            return lambda run: risk(run, now)
        case "newest":
            return lambda run: (-run.created_at.timestamp(), -run.ref.id)
        case "oldest":
            return lambda run: (run.created_at.timestamp(), run.ref.id)
        case "closed":
            return lambda run: (not run.finished, -(run.finished_at or run.created_at).timestamp(), -run.ref.id)
        case "name":
            return lambda run: (run.name.casefold(), run.ref.id)


def _total(listings: Sequence[Listing[Run]]) -> int | None:
    totals = [listing.total for listing in listings]
    known = [total for total in totals if total is not None]
    return sum(known) if len(known) == len(totals) else None


def _once(troubles: Iterable[Trouble]) -> tuple[Trouble, ...]:
    """One trouble a connection: two kinds of runs of a system that is down are one piece of news."""
    seen: dict[str, Trouble] = {}
    for trouble in troubles:
        seen.setdefault(trouble.connection, trouble)
    return tuple(seen.values())
