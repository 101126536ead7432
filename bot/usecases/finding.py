"""From what people type to the one run that is meant. Several fit: they choose, we never guess."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from difflib import get_close_matches

from bot.domain.errors import AmbiguousError, AskError, Choice, NotFoundError, RundownError, SystemFault
from bot.domain.model import Run, RunRef
from bot.domain.queries import RunQuery
from bot.domain.refs import LastRef, LinkRef, NamedRef, PrevRef, Ref, RowRef, ThisRef
from bot.usecases.ports import ChannelContext, Connection, Place, Recall
from bot.usecases.systems import Systems, nothing_connected, targets

#: How far back `last:words` looks.
LAST_WITHIN = timedelta(days=90)
#: Seconds that a search for runs with a similar number may take.
CLOSEST_S = 2.5


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks, and where. `user` is their Slack id."""

    place: Place
    user: str


@dataclass(frozen=True, slots=True)
class Found:
    """The run that was meant. `ref` may name a thread; `part` is what followed the slash where it is not a thread.

    `doubts` say which systems could not be asked and may have a run of that number too.
    """

    connection: Connection
    ref: RunRef
    run: Run
    part: int | None = None
    doubts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Finder:
    """Looks runs up for one asker. `again` gives the whole command for another reference, so that it can be chosen."""

    systems: Systems
    context: ChannelContext | None
    recall: Recall
    asker: Asker
    now: datetime
    again: Callable[[Ref], str]

    async def find(self, ref: Ref) -> Found:
        """The run behind a reference. Raises NotFoundError, AmbiguousError, or the fault of the system that had it."""
        found = await self._find(ref)
        await self.recall.remember_run(self.asker.place, self.asker.user, found.run.ref)
        return found

    async def _find(self, ref: Ref) -> Found:
        match ref:
            case NamedRef():
                return await self._named(ref)
            case LinkRef():
                return await self._read(self._linked(ref))
            case LastRef():
                return await self._last(ref)
            case PrevRef():
                return await self._previous()
            case ThisRef():
                return await self._read(await self._this())
            case RowRef():
                return await self._read(await self._row(ref))

    async def _read(self, ref: RunRef) -> Found:
        connection = self.systems.get(ref.connection)
        return Found(connection, ref, await connection.run(_whole(ref)))

    async def _named(self, ref: NamedRef) -> Found:
        candidates = list(self._candidates(ref))
        if not candidates:
            raise self._no_such_letter(ref)
        context = self.context if ref.connection is None else None
        here = [each for each in candidates if context is not None and each[0].name == context.connection]
        for asked in (here, [each for each in candidates if each not in here]):
            found, errors = await _try(asked)
            if found:
                return self._choose(ref, found, errors)
            # Whoever can't answer may have it; to take another's run for it would be a guess.
            for error in errors:
                if not isinstance(error, AskError):
                    raise error
        raise NotFoundError(
            f"No run {ref} found.",
            why="Looked in " + ", ".join(dict.fromkeys(_place(each) for each, _ in candidates)) + ".",
            fix="See what there is with `list`, or paste the run's web address.",
            closest=await self._closest(ref, candidates) or ("list",),
        )

    def _candidates(self, ref: NamedRef) -> Iterable[tuple[Connection, RunRef]]:
        for connection in self._meant(ref):
            for letter in connection.kinds:
                if ref.letter in (None, letter):
                    yield connection, RunRef(connection.name, letter, ref.id)

    def _meant(self, ref: NamedRef) -> Sequence[Connection]:
        """The connections a reference may be of. Raises NotFoundError for one that is not there."""
        if ref.connection is None:
            return tuple(self.systems)
        named = self.systems.named(ref.connection)
        return named or (self.systems.get(ref.connection),)

    def _choose(self, ref: NamedRef, found: Sequence[Found], errors: Sequence[RundownError]) -> Found:
        silent = dict.fromkeys(error.system for error in errors if isinstance(error, SystemFault))
        doubts = tuple(f"{system} could not be asked and may have {ref} too" for system in silent)
        if len(found) > 1:
            raise AmbiguousError(
                f"Which {ref}?",
                tuple(Choice(_label(each), self.again(_named(each.ref, ref.part))) for each in found),
                why="; ".join((f"{len(found)} runs have that number", *doubts)) + ".",
                fix="Choose one, or type its connection before it.",
            )
        only = replace(found[0], doubts=doubts)
        if ref.part is None:
            return only
        if "threads" in only.run.kind.verbs:
            return replace(only, ref=replace(only.ref, thread=ref.part))
        return replace(only, part=ref.part)

    def _linked(self, ref: LinkRef) -> RunRef:
        for connection in self.systems:
            found = connection.read_link(ref.url)
            if found is not None:
                return found
        raise NotFoundError(
            "That address is not a run of one of your systems.",
            why="Connected are " + ", ".join(f"{each.name} ({each.system})" for each in self.systems) + ".",
            fix="Paste the address of a run's page there, or type its number, for example R118.",
            closest=("list",),
        )

    async def _last(self, ref: LastRef) -> Found:
        asked, troubles = await targets(self.systems, self.context)
        since = self.now - LAST_WITHIN if ref.words else None
        found: list[Found] = []
        errors: list[RundownError] = [trouble.error for trouble in troubles]
        wanted = [
            (each, letter, kind)
            for each in asked
            for letter, kind in each.connection.kinds.items()
            if not ref.words or "words" in kind.filters
        ]
        queries = [
            RunQuery(
                project=each.project.id,
                words=tuple(ref.words.split()),
                state="all",
                since=since if "since" in kind.filters else None,
                at_most=1,
            )
            for each, _, kind in wanted
        ]
        answers = await asyncio.gather(
            *(each.connection.runs(letter, query) for (each, letter, _), query in zip(wanted, queries, strict=True)),
            return_exceptions=True,
        )
        for (each, _, _), answer in zip(wanted, answers, strict=True):
            if isinstance(answer, RundownError):
                errors.append(answer)
            elif isinstance(answer, BaseException):
                raise answer
            else:
                found += [Found(each.connection, run.ref, run) for run in answer.items]
        if found:
            return max(found, key=lambda each: each.run.created_at)
        if errors:
            raise next((error for error in errors if not isinstance(error, AskError)), errors[0])
        raise NotFoundError(
            f"There is no {ref}.",
            why="No run of the last 90 days has these words." if ref.words else "There are no runs yet.",
            fix="See what there is with `list --all`.",
            closest=("list --all",),
        )

    async def _previous(self) -> Found:
        seen = await self.recall.thread_run(self.asker.place) or await self.recall.last_run(
            self.asker.place, self.asker.user
        )
        if seen is None:
            raise NotFoundError(
                "There is no run that `prev` could come before.",
                why="You have not looked at a run here yet.",
                fix="Show one first, for example with `show last`.",
                closest=("show last",),
            )
        current = await self._read(seen)
        earlier = await current.connection.earlier(current.run, 1)
        if not earlier.items:
            raise NotFoundError(
                f"There is no run before {current.ref.short}.",
                why=f"Nothing comparable was {current.run.kind.ended or 'finished'} before it.",
                fix="Name the run you mean.",
                closest=(f"show {current.ref}",),
            )
        return Found(current.connection, earlier.items[0].ref, earlier.items[0])

    async def _this(self) -> RunRef:
        ref = await self.recall.thread_run(self.asker.place) if self.asker.place.thread else None
        if ref is None:
            raise NotFoundError(
                "This thread isn't under a run's message." if self.asker.place.thread else "There is no `this` here.",
                why="`this` is the run of the thread it is said in.",
                fix=f"Say which run: `@rundown {self.again(NamedRef(None, 'R', 118)).split()[0]} R118`.",
                closest=("show last",),
            )
        return ref

    async def _row(self, ref: RowRef) -> RunRef:
        place = self.asker.place
        rows = await self.recall.listed(place, thread_list(place.thread)) if place.thread else ()
        rows = rows or await self.recall.listed(place, self.asker.user)
        if not rows:
            raise NotFoundError(
                f"{ref} means nothing yet.",
                why="It is a row of your last list here, and there is none.",
                fix="List runs first.",
                closest=("list",),
            )
        if not 1 <= ref.row <= len(rows):
            raise NotFoundError(
                f"Your last list here has no row {ref}.",
                why=f"It has {len(rows)} rows." if len(rows) > 1 else "It has 1 row.",
                fix=f"Take a number from #1 to #{len(rows)}, or list again." if len(rows) > 1 else "Take #1.",
                closest=(self.again(RowRef(len(rows))),),
            )
        return rows[ref.row - 1]

    def _no_such_letter(self, ref: NamedRef) -> AskError:
        meant = self._meant(ref)
        letters = [
            f"{letter} for {kind.plural} ({_place(each)})" for each in meant for letter, kind in each.kinds.items()
        ]
        if not letters:
            return nothing_connected()
        return NotFoundError(
            f"Nothing {'here' if ref.connection is None else f'in {ref.connection}'} is numbered with {ref.letter}.",
            why=f"There is {', '.join(letters)}.",
            fix="Type one of these letters before the number, or the number alone.",
            closest=(self.again(NamedRef(ref.connection, None, ref.id, ref.part)),),
        )

    async def _closest(self, ref: NamedRef, candidates: Sequence[tuple[Connection, RunRef]]) -> tuple[str, ...]:
        """Commands for runs whose number looks like the one typed, among the newest; never worth failing for."""
        pairs = {(connection.name, missing.letter) for connection, missing in candidates}
        try:
            async with asyncio.timeout(CLOSEST_S):
                asked, _ = await targets(self.systems, self.context, connection=ref.connection or "")
                answers = await asyncio.gather(
                    *(
                        each.connection.runs(letter, RunQuery(project=each.project.id, state="all", at_most=100))
                        for each in asked
                        for letter in each.connection.kinds
                        if (each.connection.name, letter) in pairs
                    ),
                    return_exceptions=True,
                )
        except (RundownError, TimeoutError):
            return ()
        known = {
            run.ref: str(run.ref.id)
            for answer in answers
            if not isinstance(answer, BaseException)
            for run in answer.items
        }
        near = get_close_matches(str(ref.id), set(known.values()), 2, 0.6)
        fitting = (its for number in near for its, digits in known.items() if digits == number)
        return tuple(self.again(_named(its)) for its in fitting)[:3]


def thread_list(thread: str) -> str:
    """Under whose name the list that everybody sees in a thread is remembered."""
    return f"thread {thread}"


async def _try(
    candidates: Sequence[tuple[Connection, RunRef]],
) -> tuple[list[Found], list[RundownError]]:
    """Ask all candidates at once; tells which exist, and what the others said."""
    answers = await asyncio.gather(*(connection.run(ref) for connection, ref in candidates), return_exceptions=True)
    found: list[Found] = []
    errors: list[RundownError] = []
    for (connection, ref), answer in zip(candidates, answers, strict=True):
        if isinstance(answer, RundownError):
            errors.append(answer)
        elif isinstance(answer, BaseException):
            raise answer
        else:
            found.append(Found(connection, ref, answer))
    return found, errors


def _whole(ref: RunRef) -> RunRef:
    return RunRef(ref.connection, ref.letter, ref.id)


def _named(ref: RunRef, part: int | None = None) -> NamedRef:
    return NamedRef(ref.connection, ref.letter, ref.id, part)


def _place(connection: Connection) -> str:
    """A connection for people: `TestRail`, or `web (TestRail)` where its name tells more."""
    same = connection.name.casefold() == connection.system.casefold()
    return connection.system if same else f"{connection.name} ({connection.system})"


def _label(found: Found) -> str:
    run = found.run
    return f"{run.kind.noun} {run.ref.short} of {_place(found.connection)}: {run.name} ({run.state})"
