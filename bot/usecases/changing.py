"""Carry out a change that a person has confirmed: once, on what they saw, recorded before and after.

The order is what makes it safe: the right is checked, the attempt is recorded (whoever comes second is told), the run
is read again, the system is called once, and what became of it is recorded. A call without an answer is settled by
reading, never by calling again. A process that dies in between leaves a record that another one settles.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from bot.domain.acts import Append, Change, Close, Delete, Edit, Ended, Entry, Proposal, Receipt, Report, Seen, Start
from bot.domain.checkpoints import checkpoint
from bot.domain.errors import (
    NotFoundError,
    OurError,
    RundownError,
    SystemFault,
    TooLateError,
    TooSlowFault,
    UnavailableFault,
)
from bot.domain.model import Run, RunRef, Thread
from bot.usecases.access import Gate, age
from bot.usecases.ports import PATIENCE, Connection, Ledger, Place
from bot.usecases.systems import Systems

log = logging.getLogger(__name__)

#: How long a preview is good for.
GOOD_FOR = timedelta(minutes=15)
#: Seconds for which a process vouches for a change it is at.
LEASE_S = 15.0
#: Seconds to wait before each reading that settles an uncertain call.
SETTLE_S = (0.5, 2.0, 5.0)
#: Seconds that a change waits for another one of the same run, and how often it looks.
BUSY_S, LOOK_S = 10.0, 0.25
#: A change asked for so shortly before may have left what is taken for another one like it.
ALIKE = timedelta(minutes=15)
#: So far our clock and a system's may be apart.
CLOCKS = timedelta(minutes=2)

_ENDS = ("close", "delete")


class LateError(TooLateError):
    """Somebody was first: `entry` tells who, when, and what became of it."""

    def __init__(self, entry: Entry) -> None:
        super().__init__("Somebody was first.")
        self.entry = entry


class UnrecordedError(OurError):
    """The attempt could not be recorded, so it was not made."""

    def __init__(self) -> None:
        super().__init__(
            "It can't be recorded, so it was not done.",
            why="Rundown can't write to its database right now. Nothing was changed.",
            fix="Try again in a minute; whoever runs Rundown finds the reason in its log.",
        )


class MovedError(TooLateError):
    """The run is not any more what the person saw; `words` say how it differs."""

    def __init__(self, words: str) -> None:
        super().__init__("It has changed since you looked.", why=words)
        self.words = words


class ExpiredError(TooLateError):
    """The preview is too old to be acted on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hands:
    """What a change is carried out with. `sleep` waits (tests and demos bring their own clock)."""

    systems: Systems
    ledger: Ledger
    gate: Gate
    now: Callable[[], datetime]
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep


async def _nothing() -> None:
    """Nobody waits for it."""


async def carry_out(
    proposal: Proposal,
    *,
    hands: Hands,
    place: Place,
    user: str,
    files: Mapping[str, bytes] | None = None,
    begun: Callable[[], Awaitable[None]] = _nothing,
    part_of: str = "",
) -> Receipt:
    """Do what the proposal says, for this person. `begun` is awaited once it is certain that we are the one to do it.

    Raises NotAllowedError, ExpiredError, LateError (somebody was first), MovedError, TooLateError (closed already),
    NotFoundError (it is gone), and the system's or our own fault: in all these cases nothing was changed. An uncertain
    end is no error: the receipt's entry says what is known.
    """
    now = hands.now()
    actor = await hands.gate.need(
        proposal.verb,
        place,
        user,
        now=now,
        key=f"{proposal.key} {user} refused {now.timestamp()}",
        ref=_ref(proposal.change),
        title=proposal.title,
    )
    if now - proposal.made_at > GOOD_FOR:
        raise ExpiredError("This preview is too old to act on.", why="Things may have changed since.")
    connection = hands.systems.get(_connection(proposal.change))
    entry = Entry(
        key=proposal.key,
        verb=proposal.verb,
        connection=connection.name,
        ref=_ref(proposal.change),
        title=proposal.title,
        who=user,
        who_name=actor.name,
        team=place.team,
        channel=place.channel,
        thread=place.thread,
        at=now,
        change=proposal.change,
        seen=Seen.of(proposal.run) if proposal.run else None,
        part_of=part_of,
    )
    checkpoint("asked")
    await _begin(entry, hands)
    _log(entry)
    checkpoint("begun")
    async with vouching(entry.key, hands.ledger):
        await begun()
        checkpoint("announced")
        attempt = _Attempt(proposal=proposal, entry=entry, connection=connection, hands=hands, files=files or {})
        return await attempt.act()


async def _begin(entry: Entry, hands: Hands) -> None:
    """Record the attempt. Raises LateError when it was made before, or somebody is ending the same run."""
    waited = 0.0
    while True:
        try:
            before = await hands.ledger.begin(entry, lease_s=LEASE_S)
        except RundownError as error:
            raise UnrecordedError from error
        if before is None:
            return
        if before.key == entry.key or before.verb in _ENDS or waited >= BUSY_S:
            raise LateError(before)
        await hands.sleep(LOOK_S)
        waited += LOOK_S


@contextlib.contextmanager
def unhurried() -> Iterator[None]:
    """Read with the systems' own limits: the call that has to be settled may have used up the person's patience."""
    before = PATIENCE.set(None)
    try:
        yield
    finally:
        PATIENCE.reset(before)


@asynccontextmanager
async def vouching(key: str, ledger: Ledger) -> AsyncIterator[None]:
    """Keep a record ours for as long as we are at it; one that is not there (any more) is let be."""

    async def renew() -> None:
        while True:
            await asyncio.sleep(LEASE_S / 3)
            with contextlib.suppress(RundownError):
                await ledger.renew(key, lease_s=LEASE_S)

    renewing = asyncio.create_task(renew(), name=f"lease {key}")
    try:
        yield
    finally:
        renewing.cancel()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Attempt:
    """One change on its way: recorded as begun, ours alone."""

    proposal: Proposal
    entry: Entry
    connection: Connection
    hands: Hands
    files: Mapping[str, bytes]

    async def act(self) -> Receipt:
        """Read, call once, record what became of it."""
        try:
            run = await self._look_again()
        except (TooLateError, NotFoundError) as error:
            await self._fall(Ended.STALE, error)
            raise
        except RundownError as error:
            await self._fall(Ended.FAILED, error)
            raise
        checkpoint("read")
        try:
            made = await self.connection.carry_out(self.proposal.change, self.files)
        except SystemFault as fault:
            if not fault.sent:
                await self._fall(Ended.FAILED, fault)
                raise
            checkpoint("uncertain")
            with unhurried():
                return await self._settled(run, fault)
        except RundownError as error:
            await self._fall(Ended.FAILED, error)
            raise
        checkpoint("called")
        with unhurried():
            return await self._done(made, run)

    async def _fall(self, outcome: Ended, error: RundownError) -> None:
        """Record that nothing was changed, and why."""
        await _end(self.entry, outcome, self.hands, why=f"{error.what} {error.why}".strip())

    async def _look_again(self) -> Run | None:
        """The run as it is now. Raises when it is not what the person saw."""
        proposal, connection, change = self.proposal, self.connection, self.proposal.change
        if isinstance(change, Start) or proposal.run is None:
            return None
        ref = replace(change.ref, thread=None)
        connection.forget(ref)
        try:
            run = await connection.run(ref)
        except NotFoundError as error:
            raise NotFoundError(
                f"{ref.short} is not there any more.",
                why=f"It was deleted in {connection.system} since you looked. Nothing was changed.",
                fix=error.fix,
                closest=error.closest,
            ) from None
        if isinstance(change, Close):
            if change.ref.thread is not None:
                thread = await find_thread(connection, change.ref)
                if thread.finished:
                    raise await self._already(change.ref, run, thread)
                run = as_thread(run, thread)
            elif _only_marks(proposal) and await connection.was_done(change, proposal.made_at):
                raise await self._already(change.ref, run)
        if run.finished and not proposal.run.finished:
            raise await self._already(ref, run)
        words = _differs(proposal, run)
        if words:
            raise MovedError(words)
        return run

    async def _already(self, ref: RunRef, run: Run, thread: Thread | None = None) -> TooLateError:
        return await already(ref, run, self.connection, self.hands.ledger, thread, now=self.hands.now())

    async def _done(self, made: RunRef | None, before: Run | None, why: str = "") -> Receipt:
        """Record that it is done, with what the run looks like now."""
        run = await _read_after(self.connection, made or self.entry.ref, self.entry.verb)
        ended = await _end(self.entry, Ended.DONE, self.hands, after=Seen.of(run) if run else None, ref=made, why=why)
        checkpoint("recorded")
        return self._receipt(ended, run, before)

    async def _settled(self, run: Run | None, fault: SystemFault) -> Receipt:
        """What became of a call that nobody confirmed: what the system shows now."""
        said = _said(fault)
        done: RunRef | bool | None = None
        for pause_s in SETTLE_S:
            await self.hands.sleep(pause_s)
            try:
                done = await self.connection.was_done(self.proposal.change, self.entry.at)
            except RundownError as error:
                log.warning("could not read what became of %s: %s", self.entry.key, error.what)
                done = None
            if done:
                other = await _claimed(self.entry, done, self.hands)
                if other is not None:
                    ended = await _end(self.entry, Ended.DOUBT, self.hands, why=_untold(said, self.entry, other))
                    return self._receipt(ended, run)
                made = done if isinstance(done, RunRef) else None
                return await self._done(made, run, f"{said} Read again: it is done.")
        if done is False:
            why = f"{said} Read again at {self.hands.now():%H:%M} UTC: it was not done. Nothing was repeated."
            ended = await _end(self.entry, Ended.FAILED, self.hands, why=why, after=Seen.of(run) if run else None)
        else:
            why = f"{said} Whether it was done can't be read yet. Nothing was repeated; you will be told."
            ended = await _end(self.entry, Ended.DOUBT, self.hands, why=why)
        return self._receipt(ended, run)

    def _receipt(self, ended: Entry, run: Run | None, before: Run | None = None) -> Receipt:
        """`before` is the run as it was at the press: what moved between preview and press is none of our doing."""
        return Receipt(
            entry=ended if before is None else replace(ended, seen=Seen.of(before)),
            where=self.proposal.where,
            done_word=made_word(self.proposal),
            run=run,
            lines=tuple(map(_line, self.proposal.fields)) if ended.outcome is Ended.DONE else (),
            doubts=(_UNTOLD,) if UNRECORDED in ended.why else (),
        )


def _said(fault: SystemFault) -> str:
    """What came instead of an answer, and what it may have left there."""
    if not isinstance(fault, TooSlowFault | UnavailableFault):
        return f"{fault.what} {fault.why}".strip()
    words = "answered with an error" if fault.answered else "did not answer"
    return f"{fault.system} {words}. {fault.left}".strip()


async def _claimed(entry: Entry, done: RunRef | bool, hands: Hands) -> Entry | None:
    """Another change that what the system shows may be of just as well; None where it can only be of this one.

    Of a start that is one that has this run, or is not settled yet; of a report or an addition one of the same words.
    """
    change = entry.change
    if not isinstance(change, Start | Report | Append):
        return None
    others = await hands.ledger.entries(last=200, verb=entry.verb, since=entry.at - ALIKE)
    for other in others:
        if other.key == entry.key or other.connection != entry.connection or other.outcome not in _MAY_HAVE_DONE:
            continue
        if isinstance(done, RunRef) and other.ref == done:
            return other
        if _content(other.change) == _content(change) and not (isinstance(done, RunRef) and other.ref is not None):
            return other
    return None


_MAY_HAVE_DONE = (Ended.DONE, Ended.DOUBT, Ended.BEGUN)


#: Stands for the time in changes whose time does not matter.
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


def _content(change: Change | None) -> Change | None:
    """The change without what differs each time it is asked for."""
    if isinstance(change, Report | Append):
        return replace(change, by="", at=_NEVER, marker="")
    return change


def _untold(said: str, entry: Entry, other: Entry) -> str:
    who = "the same person" if other.who == entry.who else other.who_name or "somebody else"
    return (
        f"{said} Whether it was done can't be told: the system shows one, and {who} asked for the same at about the "
        "same time. Nothing was repeated; look at the run's own page."
    )


def _only_marks(proposal: Proposal) -> bool:
    return proposal.closing is not None and not proposal.closing.finishes


def as_thread(run: Run, thread: Thread) -> Run:
    """The run with the counts of one of its threads alone: what somebody sees who closes that."""
    return replace(run, tally=thread.tally)


async def find_thread(connection: Connection, ref: RunRef) -> Thread:
    """The thread that a reference names. Raises NotFoundError."""
    threads = await connection.threads(replace(ref, thread=None))
    for thread in threads:
        if thread.index == ref.thread:
            return thread
    raise NotFoundError(
        f"{replace(ref, thread=None).short} has no thread {ref.thread}.",
        why=f"It has {len(threads)} thread{'' if len(threads) == 1 else 's'}.",
        fix=f"See them with `threads {replace(ref, thread=None)}`.",
        closest=(f"threads {replace(ref, thread=None)}",),
    )


async def already(
    ref: RunRef,
    run: Run,
    connection: Connection,
    ledger: Ledger,
    thread: Thread | None = None,
    *,
    now: datetime,
) -> TooLateError:
    """That it is closed already: by whom and when, as far as anybody knows; perhaps with its plan."""
    closing = run.kind.closing_thread if thread is not None else run.kind.closing
    word = closing.done if closing else run.kind.ended or "finished"
    try:
        mine = await ledger.last_done(ref, "close")
    except RundownError:
        mine = None
    if mine is not None:
        return LateError(mine)
    at = thread.finished_at if thread is not None else run.finished_at
    plan = await _closed_plan(run, ledger)
    when = f" {age(at, now)}" if at else ""
    why = f"Somebody did that in {connection.system}{when}."
    if plan is not None and plan.ref is not None:
        why = f"{ref.short} was {word} with {plan.ref.short} by {plan.who_name or 'somebody'}{when}."
    return TooLateError(f"{ref.short} is {word} already.", why=why, fix="Nothing was done.")


async def _closed_plan(run: Run, ledger: Ledger) -> Entry | None:
    """The closing of the plan that closed this run of it, if that was done from here."""
    if run.parent is None or run.finished_at is None:
        return None
    try:
        plan = await ledger.last_done(run.parent, "close")
    except RundownError:
        return None
    if plan is None or not plan.at - CLOCKS <= run.finished_at <= (plan.ended_at or plan.at) + CLOCKS:
        return None
    return plan


def values_of(run: Run) -> Mapping[str, str]:
    """What a run says of itself, by the words that an edit's fields have."""
    return {
        "name": run.name,
        "milestone": run.milestone,
        "refs": run.refs,
        "cases": f"{run.tally.total} test{'' if run.tally.total == 1 else 's'}",
        "description": run.description,
    }


def _differs(proposal: Proposal, now: Run) -> str:
    """How the run differs from what the person was shown, where that matters to the change; empty where it does not."""
    seen, change = proposal.run, proposal.change
    if seen is None:
        return ""
    if isinstance(change, Edit):
        values = values_of(now)
        fields = [(word, values.get(word, before)) for word, before, _ in proposal.fields]
        shown = {word: before for word, before, _ in proposal.fields}
        return ", ".join(_is_now(word, value) for word, value in fields if value != shown[word])
    if isinstance(change, Delete) and seen.name != now.name:
        return _is_now("name", now.name)
    return moved(seen, now) if isinstance(change, Close | Delete) else ""


def _is_now(word: str, value: str) -> str:
    if word == "description":
        return "its description is another one now"
    if word == "cases":
        return f"it has {value} now"
    return f"its {word} is “{value[:80]}” now" if value else f"it has no {word} now"


def moved(seen: Run, now: Run) -> str:
    """How a run differs from what was seen, in words; empty when the counts are the same."""
    if _uncounted(now) and not _uncounted(seen):
        return "its counts can't be read now"
    before, after = _counts(seen), _counts(now)
    words = []
    for word in dict.fromkeys((*after, *before)):
        more = after[word] - before[word]
        if more:
            words.append(f"{abs(more)} {'more' if more > 0 else 'fewer'} {word}")
    return ", ".join(words)


def _counts(run: Run) -> Counter[str]:
    """How many by word; a system may have two statuses of one label, and tell them in any order."""
    counts: Counter[str] = Counter()
    for word, count in run.tally.parts():
        counts[word] += count
    return counts


def _uncounted(run: Run) -> bool:
    return any(gap.startswith("its counts") for gap in run.missing)


async def _end(
    entry: Entry,
    outcome: Ended,
    hands: Hands,
    *,
    after: Seen | None = None,
    why: str = "",
    ref: RunRef | None = None,
) -> Entry:
    """Record the end. When that fails the act is not undone by it: the record stays open and is settled by reading."""
    at = hands.now()
    told = entry.told and outcome is entry.outcome  # another end than the person knows is news
    ended = replace(entry, outcome=outcome, ended_at=at, after=after, why=why, ref=ref or entry.ref, told=told)
    try:
        await hands.ledger.end(entry.key, outcome, at=at, after=after, why=why, ref=ref)
    except RundownError as error:
        log.error("the end of %s (%s) could not be recorded: %s", entry.key, outcome, error.what)
        return replace(ended, why=f"{why} {UNRECORDED}".strip())
    _log(ended)
    return ended


def _log(entry: Entry) -> None:
    """A line when it begins and one when it has ended, each with all there is to know then."""
    log.info(
        "change %s: %s %s by %s in %s: %s%s",
        entry.key,
        entry.verb,
        entry.ref or entry.title,
        entry.who,
        entry.channel,
        entry.outcome,
        f" ({entry.why})" if entry.why else "",
        extra={"change": audit_line(entry)},
    )


UNRECORDED = "(Its end could not be recorded yet.)"
_UNTOLD = "Rundown could not record the end of this; it will, by reading the run again."


def audit_line(entry: Entry) -> dict[str, object]:
    """One attempt as plain values, for the log."""
    return {
        "key": entry.key,
        "verb": entry.verb,
        "run": str(entry.ref) if entry.ref else "",
        "title": entry.title,
        "who": entry.who,
        "team": entry.team,
        "channel": entry.channel,
        "at": entry.at.isoformat(),
        "outcome": entry.outcome.value,
        "ended_at": entry.ended_at.isoformat() if entry.ended_at else "",
        "before": str(entry.seen.tally) if entry.seen else "",
        "after": str(entry.after.tally) if entry.after else "",
        "why": entry.why,
        "part_of": entry.part_of,
    }


async def _read_after(connection: Connection, ref: RunRef | None, verb: str) -> Run | None:
    """The run as it is after the change; None when it can't be read, which spoils nothing.

    A thread that was completed is told by its own counts, as before. What is added to one is told with the whole run.
    """
    if ref is None or verb == "delete":
        return None
    if verb != "close":
        ref = replace(ref, thread=None)
    try:
        connection.forget(replace(ref, thread=None))
        run = await connection.run(replace(ref, thread=None))
        return run if ref.thread is None else as_thread(run, await find_thread(connection, ref))
    except RundownError:
        return None


def made_word(proposal: Proposal) -> str:
    """The system's own word for it once it is done (`closed`, `completed`, `marked`); empty where it has none."""
    return proposal.closing.done if proposal.closing else ""


def _line(field: tuple[str, str, str]) -> str:
    """`name: Smoke → Smoke 5.2`, or without an arrow where there was nothing before."""
    word, before, after = field
    return f"{word}: {before} → {after or 'none'}" if before else f"{word}: {after}"


def done_word(entry: Entry, systems: Systems) -> str:
    """The system's own word for a closing that is done; empty for anything else."""
    named = [each for each in systems if each.name == entry.connection]
    kind = named[0].kinds.get(entry.ref.letter) if named and entry.ref is not None else None
    if kind is None or entry.verb != "close" or entry.ref is None:
        return ""
    closing = kind.closing if entry.ref.thread is None else kind.closing_thread
    return closing.done if closing else ""


async def settle_orphan(entry: Entry, *, hands: Hands) -> Receipt:
    """Find out what became of a change whose process died (or whose end could not be read), and record it.

    Reads only. An end that nobody can read stays in doubt; the entry in the receipt is `told` when that is no news.
    """
    change, settled = entry.change, entry.outcome not in (Ended.BEGUN, Ended.DOUBT)
    if change is None and not settled:
        why = "Rundown was stopped in the middle of it, and what it was can't be read any more. Look at the run itself."
        entry = await _end(entry, Ended.FAILED, hands, why=why)
    if change is None or settled:
        run = await _orphan_run(entry, hands)
        return Receipt(entry=entry, where="", done_word=done_word(entry, hands.systems), run=run)
    try:
        connection = hands.systems.get(entry.connection)
        done = await connection.was_done(change, entry.at)
    except RundownError as error:
        log.warning("could not read what became of %s: %s", entry.key, error.what)
        done = None
    stopped = entry.outcome is Ended.BEGUN
    known = entry.why.partition(" Whether it was done ")[0]
    said = "Rundown was stopped in the middle of it." if stopped else known or "The system had not answered."
    other = await _claimed(entry, done, hands) if done else None
    if other is not None:
        ended = await _end(entry, Ended.DOUBT, hands, why=_untold(said, entry, other))
        run = await _orphan_run(entry, hands)
        return Receipt(entry=ended, where="", done_word=done_word(entry, hands.systems), run=run)
    if done:
        made = done if isinstance(done, RunRef) else None
        run = await _orphan_run(replace(entry, ref=made or entry.ref), hands)
        after = Seen.of(run) if run else None
        ended = await _end(entry, Ended.DONE, hands, after=after, ref=made, why=f"{said} Read again: it is done.")
        return Receipt(entry=ended, where="", done_word=done_word(entry, hands.systems), run=run)
    run = await _orphan_run(entry, hands)
    if done is False:
        why = f"{said} Read again: it was not done. Nothing was repeated."
        ended = await _end(entry, Ended.FAILED, hands, after=Seen.of(run) if run else None, why=why)
    else:
        why = f"{said} Whether it was done can't be read. Nothing was repeated; look at the run's own page."
        ended = await _end(entry, Ended.DOUBT, hands, why=why)
    return Receipt(entry=ended, where="", done_word=done_word(entry, hands.systems), run=run)


async def _orphan_run(entry: Entry, hands: Hands) -> Run | None:
    if entry.ref is None:
        return None
    try:
        return await _read_after(hands.systems.get(entry.connection), entry.ref, entry.verb)
    except RundownError:
        return None


def _ref(change: Change) -> RunRef | None:
    return None if isinstance(change, Start) else change.ref


def _connection(change: Change) -> str:
    return change.connection if isinstance(change, Start) else change.ref.connection
