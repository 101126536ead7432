"""Gather what a digest says: one listing for each kind of run, the failing tests of the worst, the rest from history.

The history keeps finished runs as they were read, so that what is new, still failing, flaky, and for how long, costs
no calls. It also tells which runs were ever seen: what a system that was down, or late, did not show to the digest
before is told by the next one. A system that cannot answer is a line of the digest, never silence.
"""

from __future__ import annotations

import asyncio
from array import array
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from itertools import islice
from typing import TypeVar

from bot.domain.answers import FailedTest, TrendPoint, Trouble
from bot.domain.digests import (
    DigestNews,
    DigestPlan,
    PastRun,
    Slot,
    StreamNews,
    Turn,
    broken_for,
    by_urgency,
    clusters_of,
    failed_in,
    outcome_sets,
    owners_of,
    past_end,
    streak_in,
    strip_of,
    turn_of,
)
from bot.domain.errors import AskError, NotFoundError, RundownError, TooSlowFault
from bot.domain.model import Kind, Listing, Run, RunRef, State, Test
from bot.domain.numbers import Numbers
from bot.domain.outcomes import Outcome
from bot.domain.queries import RunQuery
from bot.domain.streams import WINDOW, Stream, by_key, is_flaky, stream_of
from bot.usecases.ports import Connection, History
from bot.usecases.room import ROOM
from bot.usecases.showing import TREND_RUNS, extra
from bot.usecases.systems import Systems, Target, nothing_connected, target

T = TypeVar("T")

#: A run that began so long before the last digest, and ended after it, is still told; automation does not take longer.
LONGEST_RUN, LONGEST_BY_HAND = timedelta(days=7), timedelta(days=30)
#: What ended so long before the last digest, and was not to be seen then, is told by this one.
CATCH_UP = timedelta(days=7)
#: The first digest of a plan tells of so long a time; the longest time that any tells of.
FIRST, LONGEST = timedelta(hours=24), timedelta(days=35)
#: An automation run is called unfinished when it is older than so many times the usual, and when it is older, and
#: nothing happened in it for longer, than this.
USUAL, UNFINISHED = 3, timedelta(hours=1)
#: Without any history, a run of this age is unfinished.
UNKNOWN_UNFINISHED = timedelta(hours=6)
#: An open run without a change for so long is stale; older automation runs than that are not looked for, since their
#: system can't tell the open ones from all the others.
STALE, STALE_AUTOMATION = timedelta(days=14), timedelta(days=90)
#: Stale runs that are told, those that were left alone longest; unfinished ones, those at work for longest.
STALE_MOST = UNFINISHED_MOST = 500
#: Seconds for finding a project, and for reading the runs of one kind.
WHERE_S, SCAN_S = 20.0, 150.0
#: Failing streams whose tests are named, seconds for all of them, tests of each that are kept.
NAMED, NAMED_S, TESTS = 12, 60.0, 200
#: Runs that are written to the history in one go; so many such batches may wait, then no further page is read.
BATCH, BEHIND = 500, 2
#: Runs of a stream that are looked back at, so many at once, to find out since when it fails.
FAR, STEP = 100, 30


@dataclass(slots=True)
class _Seen:
    """What was read of one stream: its latest run, how many there were, how many failed, when the first one ended."""

    latest: Run
    first_end: datetime
    runs: int = 0
    failed: int = 0


class _Reader:
    """Takes in the runs of all kinds, in any order, and holds no more than one of each stream, and some left open.

    Finished ones go to the history in batches while others are still read; `room` is when it has kept up with them.
    """

    def __init__(self, plan: DigestPlan, since: datetime, until: datetime, history: History) -> None:
        self._plan = plan
        self._since = since
        self._until = until
        self._history = history
        self._told: dict[tuple[str, str], Numbers] = {}
        self._batch: list[Run] = []
        self._batches: list[asyncio.Task[None]] = []
        self.streams: dict[Stream, _Seen] = {}
        self.open = _Open(until)
        self.late = 0

    @property
    def runs(self) -> int:
        return sum(map(len, self._told.values()))

    def start_of(self, run: Run) -> datetime:
        """Runs of its stream that ended by then were told before: up to the last digest, unless some are told late."""
        return min(self._since, self.streams[stream_of(run)].first_end - timedelta.resolution)

    async def room(self) -> None:
        """Wait until the history is no more than a little behind."""
        while len(waiting := [each for each in self._batches if not each.done()]) >= BEHIND:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)

    def see(self, run: Run) -> None:
        if run.finished:
            self._batch.append(run)
            if len(self._batch) >= BATCH:
                self._hand_over()
        elif run.kind.automated is True:
            if "unfinished" in self._plan.what:
                self.open.see(run)
        elif run.failing and self._since < _ended(run) <= self._until:
            self._count(run)

    async def done(self) -> None:
        """All that was seen is counted and kept."""
        self._hand_over()
        await asyncio.gather(*self._batches)

    def _hand_over(self) -> None:
        batch, self._batch = self._batch, []
        self._batches = [each for each in self._batches if not _kept(each)]
        if batch:
            self._batches.append(asyncio.create_task(self._take(batch), name="runs of a digest"))

    async def _take(self, batch: Sequence[Run]) -> None:
        missed = [run.ref for run in batch if self._may_be_missed(run)]
        known = await self._history.known(missed) if missed else {}
        await self._history.keep([past_of(run) for run in batch])
        for run in batch:
            if self._since < _ended(run) <= self._until:
                self._count(run)
            elif self._may_be_missed(run) and run.ref not in known:
                self.late += self._count(run)

    def _may_be_missed(self, run: Run) -> bool:
        """Whether an earlier digest should have told it: its system was down, or its clock is behind ours."""
        if self._plan.since != self._since:
            return False  # the first one, or one after a long pause
        earliest = max(self._since - CATCH_UP, self._plan.made_at)
        return earliest < _ended(run) <= min(self._since, self._until)

    def _count(self, run: Run) -> bool:
        """Whether it is the first time: pages overlap where runs come in meanwhile."""
        if not self._told.setdefault((run.ref.connection, run.ref.letter), Numbers()).add(run.ref.id):
            return False
        stream, ended = stream_of(run), _ended(run)
        seen = self.streams.setdefault(stream, _Seen(run, ended))
        if _latest(run) > _latest(seen.latest):
            seen.latest = run
        seen.first_end = min(seen.first_end, ended)
        seen.runs += 1
        seen.failed += run.failing
        return True


def _kept(batch: asyncio.Task[None]) -> bool:
    """Whether it is over and all went well; what went wrong is told in the end."""
    return batch.done() and not batch.cancelled() and batch.exception() is None


def _ended(run: Run) -> datetime:
    return run.finished_at or run.updated_at or run.created_at


def _latest(run: Run) -> tuple[datetime, datetime, int]:
    return _ended(run), run.created_at, run.ref.id


def past_of(run: Run, tests: Iterable[Test] | None = None) -> PastRun:
    """A finished run as it is kept, with its tests if they were read."""
    failed, passed = (None, None) if tests is None else outcome_sets((test.key, test.outcome) for test in tests)
    return PastRun(
        ref=run.ref,
        stream=stream_of(run),
        created_at=run.created_at,
        finished_at=run.finished_at or run.updated_at,
        tally=run.tally,
        failing=run.failing,
        failed=failed,
        passed=passed,
    )


async def gather_news(
    plan: DigestPlan,
    slot: Slot,
    *,
    systems: Systems,
    history: History,
    now: datetime,
    skipped: int = 0,
    before: datetime | None = None,
) -> DigestNews:
    """What this digest says: of what ended since `plan.since`, up to now.

    The first one tells of a day, or of all since the slot `before` it if that is longer: on a Monday, the weekend.

    The next one goes on where this one ended if `plan.since` is its `read_at`. Raises only what makes it senseless
    (no such connection or project); all else is told in it.
    """
    since = plan.since or min(slot.at - FIRST, before or slot.at)
    notes: list[str] = []
    if now - since > LONGEST:
        since = now - LONGEST
        notes.append(f"runs that ended more than {LONGEST.days} days ago are left out")
    everywhere, troubles = await _where(plan, systems)
    read, stale = _Reader(plan, since, now, history), _Stale(now)
    scans = [
        *(
            _scan(each, kind, _news_query(plan, kind, since), read.see, read.room)
            for each, kind in _of_news(plan, everywhere)
        ),
        *(_scan(each, kind, _stale_query(plan, kind, now), stale.see) for each, kind in _of_stale(plan, everywhere)),
    ]
    asked = [*_of_news(plan, everywhere), *_of_stale(plan, everywhere)]
    if everywhere and not asked:
        notes.append("nothing was looked at: no kind of run here fits what this digest is about")
    answers = await asyncio.gather(*scans, return_exceptions=True)
    await read.done()
    troubles += _troubles(asked, answers, notes)
    connections = {each.connection.name: each.connection for each in everywhere}
    told = await _tell(read, connections, history, notes) if "failed" in plan.what else []
    unfinished = await read.open.told(history, notes)
    news = by_urgency(told)
    return DigestNews(
        plan=plan,
        slot=slot,
        since=since,
        read_at=now,
        where=_places([each for each, _ in asked] or everywhere) or " · ".join(each.connection for each in troubles),
        streams=news,
        passed=sum(1 for each in news if each.turn is Turn.PASSED),
        runs=read.runs if "failed" in plan.what else 0,
        unfinished=unfinished,
        stale=stale.told({run.ref for run in unfinished}, notes),
        owners=owners_of(news),
        clusters=clusters_of(news),
        before=sum(1 for each in news if each.before) if plan.since and "failed" in plan.what else None,
        troubles=_once(troubles),
        notes=tuple(dict.fromkeys(notes)),
        belated=read.late if "failed" in plan.what else 0,
        late_min=max(0, int((now - slot.at).total_seconds() // 60)),
        skipped=skipped,
    )


# ── where, and which kinds ──


async def _where(plan: DigestPlan, systems: Systems) -> tuple[list[Target], list[Trouble]]:
    """The project of each connection that is meant, and who could not say; nobody waits for the slowest."""
    everyone = list(systems)
    if plan.connection and plan.connection.casefold() != "all":
        everyone = list(systems.named(plan.connection)) or [systems.get(plan.connection)]
    if not everyone:
        raise nothing_connected()
    tried = await asyncio.gather(
        *(_within(target(each, None, plan.project), each, WHERE_S) for each in everyone), return_exceptions=True
    )
    found: list[Target] = []
    troubles: list[Trouble] = []
    for each, outcome in zip(everyone, tried, strict=True):
        if isinstance(outcome, Target):
            found.append(outcome)
        elif isinstance(outcome, RundownError):
            troubles.append(Trouble(each.name, outcome))
        else:
            raise outcome
    if not found and all(isinstance(each.error, AskError) for each in troubles):
        raise troubles[0].error
    if plan.project and found:  # a project named by people lives in one system or another
        troubles = [each for each in troubles if not isinstance(each.error, NotFoundError)]
    return found, troubles


async def _within(asking: Awaitable[T], connection: Connection, seconds: float) -> T:
    try:
        async with asyncio.timeout(seconds):
            return await asking
    except TimeoutError:
        raise TooSlowFault(
            connection.system,
            f"{connection.system} is too slow: no whole answer in {seconds:.0f} s.",
            why="It was asked for its runs.",
            fix="The next digest tells what is missing here.",
        ) from None


def _of_news(plan: DigestPlan, everywhere: Sequence[Target]) -> list[tuple[Target, Kind]]:
    """Automation, and what may be: kinds of which their system does not tell. A plan's runs stand for the plan."""
    wanted = {"failed", "unfinished"} & set(plan.what)
    return [
        (each, kind)
        for each in everywhere
        for kind in each.connection.kinds.values()
        if kind.letter != "P"
        and (kind.automated is not False if plan.automated is None else kind.automated is plan.automated)
        and ("failed" in wanted or (wanted and kind.automated is True))
        and _given(plan.query) <= kind.filters
    ]


def _of_stale(plan: DigestPlan, everywhere: Sequence[Target]) -> list[tuple[Target, Kind]]:
    """Every kind, unless one is chosen."""
    return [
        (each, kind)
        for each in everywhere
        for kind in each.connection.kinds.values()
        if "stale" in plan.what and plan.automated in (None, kind.automated) and _given(plan.query) <= kind.filters
    ]


#: What a digest decides itself.
_OURS = frozenset({"project", "state", "at_most", "since", "until", "closed_since", "closed_until"})


def _given(query: RunQuery) -> set[str]:
    """The filters that are used. A kind that does not know one of them has no run that fits."""
    return {field.name for field in fields(query) if field.name not in _OURS and getattr(query, field.name)}


def _news_query(plan: DigestPlan, kind: Kind, since: datetime) -> RunQuery:
    """By when runs began, as most systems can't be asked when they ended."""
    longest = LONGEST_RUN if kind.automated is True else LONGEST_BY_HAND
    if kind.automated is True and "unfinished" in plan.what:
        longest = STALE  # one that is older is stale
    return _query(plan, kind, state="all", since=since - longest)


def _stale_query(plan: DigestPlan, kind: Kind, now: datetime) -> RunQuery:
    since = now - STALE_AUTOMATION if kind.automated is True else None
    return _query(plan, kind, state="open", since=since, until=now - STALE)


def _query(plan: DigestPlan, kind: Kind, **more: object) -> RunQuery:
    empty = dict.fromkeys(("since", "until", "closed_since", "closed_until", "at_most"))
    known = {name: value for name, value in more.items() if name == "state" or name in kind.filters}
    return replace(plan.query, **{**empty, **known})  # type: ignore[arg-type]


async def _scan(
    where: Target,
    kind: Kind,
    query: RunQuery,
    see: Callable[[Run], None],
    room: Callable[[], Awaitable[None]] | None = None,
) -> Listing[Run]:
    """In a task of its own: `room` holds for this one only."""
    ROOM.set(room)
    query = replace(query, project=where.project.id)
    return await _within(where.connection.scan(kind.letter, query, see), where.connection, SCAN_S)


def _troubles(
    asked: Sequence[tuple[Target, Kind]], answers: Sequence[Listing[Run] | BaseException], notes: list[str]
) -> list[Trouble]:
    """Who could not answer. That one system lacks a name which others have is a note."""
    failed: list[Trouble] = []
    for (each, kind), answer in zip(asked, answers, strict=True):
        if isinstance(answer, RundownError):
            failed.append(Trouble(each.connection.name, answer))
        elif isinstance(answer, BaseException):
            raise answer
        else:
            notes += [f"{each.connection.name}: {kind.plural} are partial: {gap}" for gap in answer.missing]
    answered = {each.connection.name for (each, _), answer in zip(asked, answers, strict=True) if not _failed(answer)}
    notes += [f"{each.connection}: {each.error.what}" for each in failed if _is_elsewhere(each, answered)]
    return [each for each in failed if not _is_elsewhere(each, answered)]


def _failed(answer: object) -> bool:
    return isinstance(answer, BaseException)


def _is_elsewhere(trouble: Trouble, answered: set[str]) -> bool:
    """Whether what this connection does not have may well be what another one was asked for, and answered."""
    return isinstance(trouble.error, AskError) and bool(answered - {trouble.connection})


def _once(troubles: Iterable[Trouble]) -> tuple[Trouble, ...]:
    """One for each connection: two kinds of runs of a system that is down are one piece of news."""
    found: dict[str, Trouble] = {}
    for trouble in troubles:
        found.setdefault(trouble.connection, trouble)
    return tuple(found.values())


def _places(everywhere: Iterable[Target]) -> str:
    return " · ".join(dict.fromkeys(each.where for each in everywhere))


# ── streams ──


async def _tell(
    read: _Reader, connections: dict[str, Connection], history: History, notes: list[str]
) -> list[StreamNews]:
    """Each stream's news; the tests of the worst are read, all at once and not for ever."""
    told = [await _news_of(seen, history, read) for seen in read.streams.values()]
    failing = [each for each in by_urgency(told) if each.turn in (Turn.BROKE, Turn.STILL)]
    named = failing[:NAMED]
    if len(failing) > NAMED:
        notes.append(f"the failing tests of the {NAMED} most urgent streams are named, of {len(failing)}")
    gaps: list[str] = []
    asking = [
        extra(
            _with_tests(each, connections[each.run.ref.connection], history, read.start_of(each.run)),
            f"the tests of {each.run.ref.short}",
            gaps,
            NAMED_S,
        )
        for each in named
    ]
    found = await asyncio.gather(*asking)
    notes += gaps
    better = {each.run.ref: full for each, full in zip(named, found, strict=True) if full is not None}
    return [better.get(each.run.ref, each) for each in told]


async def _news_of(seen: _Seen, history: History, read: _Reader) -> StreamNews:
    """One stream's news by what is known without asking for its tests."""
    run, stream = seen.latest, stream_of(seen.latest)
    past = await history.of(stream, before=run.created_at, most=WINDOW)
    before = await _before(stream, past, read.start_of(run), history)
    flaky = 0 if run.failing else _flaky(run, past)
    turn = turn_of(run.failing, before, flaky=flaky)
    count, begun, at_least = (
        broken_for(run, await _far_back(stream, past, history)) if run.failing else (0, None, False)
    )
    trend = [TrendPoint(each.ref, each.tally.pass_rate, _state(each)) for each in reversed(past[: TREND_RUNS - 1])]
    return StreamNews(
        run=run,
        turn=turn,
        runs=seen.runs,
        failed=seen.failed,
        broken_for=count,
        broken_since=begun,
        at_least=at_least,
        trend=(*trend, TrendPoint(run.ref, run.tally.pass_rate, run.state)),
        flaky=flaky,
        missing=run.missing,
        before=before,
    )


async def _before(stream: Stream, past: Sequence[PastRun], start: datetime, history: History) -> bool | None:
    """Whether the last run that ended before all those that are told failed; None if there is none."""
    earlier = [each for each in past if past_end(each) <= start]
    if not earlier:  # more runs since than were looked back at
        earlier = [each for each in await history.of(stream, before=start, most=WINDOW) if past_end(each) <= start]
    last = max(earlier, key=lambda each: (past_end(each), each.created_at), default=None)
    return None if last is None else last.failing


async def _far_back(stream: Stream, past: Sequence[PastRun], history: History) -> Sequence[PastRun]:
    """The same runs, and those before them up to the last one that did not fail."""
    found = [*past]
    while found and len(found) < FAR and all(each.failing for each in islice(reversed(found), STEP)):
        more = await history.of(stream, before=found[-1].created_at, most=STEP)
        if not more:
            break
        found += [replace(each, failed=None, passed=None) for each in more]  # their tests are not asked for
    return found


def _state(past: PastRun) -> State:
    if past.failing:
        return State.FAILED
    tally = past.tally
    left = tally.untested + tally.blocked + tally.retest + tally.running
    return State.INCOMPLETE if left or not tally.total else State.PASSED


def _flaky(run: Run, past: Sequence[PastRun]) -> int:
    """How many tests of a run in which none fails flip, as far as runs with these tests were read."""
    kept = (past_of(run), *past) if run.finished else past
    met = {key for each in past for key in each.failed or ()}
    tests = (Test(key=key, name=key, outcome=Outcome.UNTESTED) for key in met)
    return sum(1 for test in tests if is_flaky(test, strip_of(kept, test.key)))


async def _with_tests(news: StreamNews, connection: Connection, history: History, start: datetime) -> StreamNews:
    """The same with its failing tests by name, and what is new about them; kept for the next time.

    `start` is when the time began that is told.
    """
    run = news.run
    listing = await connection.tests(run.ref, reasons=True)
    past = await history.of(stream_of(run), before=run.created_at, most=WINDOW)
    base = _base(past, start)
    read = past_of(run, listing.items)
    kept = (read, *past) if run.finished else past
    tests = by_key(listing.items).values()
    unsteady = {key for each in kept for key in each.failed or ()}
    named = [each for each in past if each.failed is not None and each.passed is not None]
    rows = [
        FailedTest(
            test,
            None if base is None else streak_in(run, test.key, past),
            is_flaky(test, strip_of(kept, test.key)),
            seen=not named or any(test.key in (each.failed or ()) or test.key in (each.passed or ()) for each in named),
        )
        for test in tests
        if test.outcome is Outcome.FAILED
    ]
    rows.sort(key=lambda row: (row.streak.runs if row.streak else 1, row.test.name.casefold()))
    if run.finished and not listing.partial and bool(read.failed) == bool(run.tally.failed):
        await history.keep((read,))
    new = sum(1 for row in rows if row.streak is not None and row.streak.runs == 1)
    return replace(
        news,
        tests=tuple(rows[:TESTS]),
        tests_total=len(rows),
        new=new,
        still=0 if base is None else len(rows) - new,
        fixed=len((base or frozenset()) & (read.passed or frozenset())),
        flaky=sum(
            1 for test in tests if (test.retried or test.key in unsteady) and is_flaky(test, strip_of(kept, test.key))
        ),
        unnamed=0 if listing.items else run.tally.failed,
        missing=(*news.missing, *listing.missing),
        compared=base is not None,
    )


def _base(past: Sequence[PastRun], start: datetime) -> frozenset[str] | None:
    """What failed in the run that is compared with: the last one, or the last digest's where it alone was read.

    None where an older run is all there is: what failed in between would seem to be new.
    """
    for each in past:
        failed = failed_in(each)
        if failed is not None or past_end(each) <= start:
            return failed
    return None


# ── open runs ──


class _Oldest:
    """Runs of which the oldest, by that moment, are told; a few more are held, and the others counted."""

    def __init__(self, moment: Callable[[Run], datetime], most: int) -> None:
        self._moment = moment
        self._most = most
        self.runs: dict[RunRef, Run] = {}
        self.dropped = 0

    def add(self, run: Run) -> None:
        self.runs[run.ref] = run
        if len(self.runs) >= 4 * self._most:
            self._trim(2 * self._most)

    def first(self) -> tuple[Run, ...]:
        """Those that are told, in their order."""
        self._trim(self._most)
        return tuple(self.runs.values())

    def _trim(self, most: int) -> None:
        oldest = sorted(self.runs.values(), key=lambda run: (self._moment(run), str(run.ref)))
        self.dropped += len(oldest) - len(oldest[:most])
        self.runs = {run.ref: run for run in oldest[:most]}


class _Open:
    """Automation runs that have been at work for longer than usual, and of which nothing is heard any more.

    What is usual is known only when all runs were read. So of all that may be meant it is kept when they began.
    """

    def __init__(self, now: datetime) -> None:
        self._now = now
        self._seen: dict[tuple[str, str], Numbers] = {}
        self._ages_s: dict[Stream, array[float]] = {}
        self._oldest = _Oldest(lambda run: run.created_at, UNFINISHED_MOST)

    def see(self, run: Run) -> None:
        age, silent = self._now - run.created_at, self._now - (run.updated_at or run.created_at)
        if age <= UNFINISHED or silent <= UNFINISHED:
            return
        if self._seen.setdefault((run.ref.connection, run.ref.letter), Numbers()).add(run.ref.id):
            self._ages_s.setdefault(stream_of(run), array("d")).append(age.total_seconds())
            self._oldest.add(run)

    async def told(self, history: History, notes: list[str]) -> tuple[Run, ...]:
        """Those at work for longest; how many more there are goes into the notes."""
        usual_s = {
            stream: _usual(await history.of(stream, before=self._now, most=WINDOW)).total_seconds()
            for stream in self._ages_s
        }
        several = sum(age_s > usual_s[stream] for stream, ages_s in self._ages_s.items() for age_s in ages_s)
        found = [
            run
            for run in sorted(self._oldest.runs.values(), key=lambda run: (run.created_at, str(run.ref)))
            if (self._now - run.created_at).total_seconds() > usual_s[stream_of(run)]
        ]
        runs = tuple(found[:UNFINISHED_MOST])
        if several > len(runs):
            notes.append(f"the {len(runs)} unfinished runs that are at work for longest are told, of {several}")
        return runs


def _usual(past: Sequence[PastRun]) -> timedelta:
    """From what age on a run of a stream takes longer than usual."""
    took_s = [(each.finished_at - each.created_at).total_seconds() for each in past if each.finished_at is not None]
    usual_s = sorted(took_s)[len(took_s) // 2] if took_s else 0.0
    return max(UNFINISHED, timedelta(seconds=USUAL * usual_s)) if took_s else UNKNOWN_UNFINISHED


class _Stale:
    """Open runs in which nothing has happened for two weeks, of every kind; those left alone longest are held."""

    def __init__(self, now: datetime) -> None:
        self._now = now
        self._oldest = _Oldest(_moved, STALE_MOST)

    def see(self, run: Run) -> None:
        if self._now - _moved(run) > STALE:
            self._oldest.add(run)

    def told(self, but: Iterable[RunRef], notes: list[str]) -> tuple[Run, ...]:
        """The oldest first, without those told elsewhere. The runs inside a stale plan go with the plan."""
        without, found = set(but), self._oldest.runs
        self._oldest.runs = {ref: run for ref, run in found.items() if ref not in without and run.parent not in found}
        runs = self._oldest.first()
        if self._oldest.dropped:
            count = self._oldest.dropped + len(runs)
            notes.append(f"the {STALE_MOST} stale runs that were left alone longest are told, of {count}")
        return runs


def _moved(run: Run) -> datetime:
    return run.updated_at or run.created_at
