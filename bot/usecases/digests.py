"""Gather what a digest says: one listing for each kind of run, the failing tests of the worst, the rest from history.

The history keeps finished runs as they were read, so that what is new, still failing, flaky, and for how long, costs
no calls. A system that cannot answer is a line of the digest, never silence.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median

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
    outcome_sets,
    owners_of,
    turn_of,
)
from bot.domain.errors import RundownError
from bot.domain.model import Kind, Run, State, Test
from bot.domain.outcomes import Outcome
from bot.domain.queries import RunQuery
from bot.domain.streams import FLIPS, RECENT, WINDOW, Streak, Stream, stream_of
from bot.usecases.ports import Connection, History
from bot.usecases.showing import extra
from bot.usecases.systems import Systems, Target, targets

#: A run that began so long before the last digest, and ended after it, is still told.
LONGEST_RUN = timedelta(hours=48)
#: The first digest of a plan tells of so long a time.
FIRST = timedelta(hours=24)
#: An automation run is called unfinished when it is older than so many times the usual, and than this.
USUAL, UNFINISHED = 3, timedelta(hours=1)
#: Without any history, a run of this age is unfinished.
UNKNOWN_UNFINISHED = timedelta(hours=6)
#: An open run without a change for so long is stale.
STALE = timedelta(days=14)
#: Failing streams whose tests are named, seconds for all of them, tests of each that are kept.
NAMED, NAMED_S, TESTS = 12, 60.0, 200
#: Runs that are written to the history in one go.
BATCH = 500


@dataclass(slots=True)
class _Seen:
    """What was read of one stream."""

    latest: Run
    runs: int = 0
    failed: int = 0


@dataclass(slots=True)
class _Read:
    """What was read of all kinds, stream by stream."""

    since: datetime
    until: datetime
    streams: dict[Stream, _Seen] = field(default_factory=dict)
    open: list[Run] = field(default_factory=list)
    finished: list[PastRun] = field(default_factory=list)
    runs: int = 0

    def see(self, run: Run) -> None:
        """One run, in any order. Only the latest of each stream is held."""
        if not self._is_news(run):
            if not run.finished:
                self.open.append(run)
            return
        self.runs += 1
        stream = stream_of(run)
        seen = self.streams.get(stream)
        if seen is None:
            seen = self.streams[stream] = _Seen(run)
        elif _ended(run) >= _ended(seen.latest):
            seen.latest = run
        seen.runs += 1
        seen.failed += run.failing
        if run.finished:
            self.finished.append(past_of(run))

    def _is_news(self, run: Run) -> bool:
        """Whether it ended since the last digest, or, where systems leave runs open, fails and moved since then."""
        if run.finished:
            return self.since < _ended(run) <= self.until
        moved = run.updated_at or run.created_at
        return run.kind.automated is not True and run.failing and self.since < moved <= self.until


def _ended(run: Run) -> datetime:
    return run.finished_at or run.updated_at or run.created_at


def past_of(run: Run, tests: Iterable[Test] | None = None) -> PastRun:
    """A finished run as it is kept. Of one in which nothing failed it is known which tests did: none."""
    failed: frozenset[str] | None = None if run.failing or run.missing else frozenset()
    passed: frozenset[str] | None = None
    if tests is not None:
        failed, passed = outcome_sets((test.key, test.outcome) for test in tests)
    return PastRun(
        ref=run.ref,
        stream=stream_of(run),
        created_at=run.created_at,
        finished_at=run.finished_at,
        tally=run.tally,
        failing=run.failing,
        failed=failed,
        passed=passed,
    )


async def gather_news(
    plan: DigestPlan, slot: Slot, *, systems: Systems, history: History, now: datetime, skipped: int = 0
) -> DigestNews:
    """What this digest says. Raises only what makes it senseless (no such connection); all else is told in it."""
    since = plan.since or slot.at - FIRST
    asked, troubles = await targets(systems, None, connection=plan.connection, project=plan.project)
    read = _Read(since, now)
    wanted = [(each, kind) for each in asked for kind in each.connection.kinds.values() if _is_asked(plan, kind)]
    answers = await asyncio.gather(*(_scan(each, kind, plan, read) for each, kind in wanted), return_exceptions=True)
    notes: list[str] = []
    broken = list(troubles)
    for (each, kind), answer in zip(wanted, answers, strict=True):
        if isinstance(answer, RundownError):
            broken.append(Trouble(each.connection.name, answer))
        elif isinstance(answer, BaseException):
            raise answer
        else:
            notes += [f"{each.connection.system} {kind.plural}: {gap}" for gap in answer]
    for start in range(0, len(read.finished), BATCH):
        await history.keep(read.finished[start : start + BATCH])
    connections = {each.connection.name: each.connection for each in asked}
    streams = await _tell(read, connections, history, notes)
    unfinished = await _unfinished(read, history, now) if "unfinished" in plan.what else ()
    stale = await _stale(asked, plan, now, notes, broken) if "stale" in plan.what else ()
    news = by_urgency(streams) if "failed" in plan.what else ()
    return DigestNews(
        plan=plan,
        slot=slot,
        since=since,
        read_at=now,
        where=" · ".join(dict.fromkeys(each.where for each in asked)),
        streams=news,
        passed=sum(1 for each in news if each.turn is Turn.PASSED),
        runs=read.runs,
        unfinished=unfinished,
        stale=stale,
        owners=owners_of(news),
        clusters=clusters_of(news),
        before=sum(1 for each in news if each.turn in (Turn.STILL, Turn.FIXED)) if plan.since else None,
        troubles=tuple(broken),
        notes=tuple(dict.fromkeys(notes)),
        late_min=max(0, int((now - slot.at).total_seconds() // 60)),
        skipped=skipped,
    )


def _is_asked(plan: DigestPlan, kind: Kind) -> bool:
    """Automation, and what may be: a kind of which the system does not tell. A plan's runs stand for the plan."""
    if kind.letter == "P":
        return False
    return kind.automated is not False if plan.automated is None else kind.automated in (plan.automated, None)


async def _scan(target: Target, kind: Kind, plan: DigestPlan, read: _Read) -> tuple[str, ...]:
    """Read the runs of one kind, page by page, holding no more of them than is told. Returns what is missing."""
    query = replace(plan.query, project=target.project.id, state="all", at_most=None)
    unknown = [name for name in _GIVEN if getattr(query, name) and name not in kind.filters]
    if unknown:
        return ()  # a filter that kind does not know: none of its runs fits
    if "since" in kind.filters and kind.automated is True:
        query = replace(query, since=read.since - LONGEST_RUN)
    elif "since" in kind.filters:
        query = replace(query, since=read.since - STALE)
    listing = await target.connection.scan(kind.letter, query, read.see)
    return listing.missing


_GIVEN = ("words", "status", "milestone", "config", "source", "suite", "workflow", "refs", "tag", "without_tag", "by")


async def _tell(
    read: _Read, connections: dict[str, Connection], history: History, notes: list[str]
) -> list[StreamNews]:
    """Each stream's news; the tests of the worst are read, all at once and not for ever."""
    told = [
        _news_of(seen, await history.of(stream, before=seen.latest.created_at, most=WINDOW), read.since)
        for stream, seen in read.streams.items()
    ]
    failing = [each for each in by_urgency(told) if each.turn in (Turn.BROKE, Turn.STILL)]
    named = failing[:NAMED]
    if len(failing) > NAMED:
        notes.append(f"the failing tests of the {NAMED} most urgent streams are named, of {len(failing)}")
    gaps: list[str] = []
    asking = [
        extra(_with_tests(each, connections[each.run.ref.connection], history), _of(each.run), gaps, NAMED_S)
        for each in named
    ]
    found = await asyncio.gather(*asking)
    notes += gaps
    better = {each.run.ref: full for each, full in zip(named, found, strict=True) if full is not None}
    return [better.get(each.run.ref, each) for each in told]


def _of(run: Run) -> str:
    return f"the tests of {run.ref.short}"


def _news_of(seen: _Seen, past: Sequence[PastRun], since: datetime) -> StreamNews:
    """One stream's news by what is known without asking for its tests."""
    run = seen.latest
    before = next((each.failing for each in past if _past_end(each) <= since), None)
    turn = turn_of(run.failing, before)
    count, begun, at_least = broken_for(run, past) if run.failing else (0, None, False)
    trend = [TrendPoint(each.ref, each.tally.pass_rate, _state(each)) for each in reversed(past)]
    return StreamNews(
        run=run,
        turn=turn,
        runs=seen.runs,
        failed=seen.failed,
        broken_for=count,
        broken_since=begun,
        at_least=at_least,
        trend=(*trend, TrendPoint(run.ref, run.tally.pass_rate, run.state)),
        missing=run.missing,
    )


def _past_end(past: PastRun) -> datetime:
    return past.finished_at or past.created_at


def _state(past: PastRun) -> State:
    return State.FAILED if past.failing else State.PASSED


async def _with_tests(news: StreamNews, connection: Connection, history: History) -> StreamNews:
    """The same with its failing tests by name, and what is new about them; kept for the next time."""
    run = news.run
    listing = await connection.tests(run.ref, reasons=True)
    past = await history.of(stream_of(run), before=run.created_at, most=WINDOW)
    failing = [test for test in listing.items if test.outcome is Outcome.FAILED]
    base = past[0] if past else None
    known = base.failed if base is not None else None
    now_failed, _ = outcome_sets((test.key, test.outcome) for test in listing.items)
    rows = [
        FailedTest(
            test,
            _streak(run, test.key, past) if known is not None else None,
            _flips(test.key, past),
            seen=known is not None and test.key in known,
        )
        for test in failing
    ]
    rows.sort(key=lambda row: (row.streak.runs if row.streak else 1, row.test.name.casefold()))
    if run.finished and not listing.partial:
        await history.keep((past_of(run, listing.items),))
    unnamed = run.tally.failed if not listing.items else 0
    return replace(
        news,
        tests=tuple(rows[:TESTS]),
        tests_total=len(rows),
        new=len(now_failed - known) if known is not None else 0,
        still=len(now_failed & known) if known is not None else 0,
        fixed=len(known - now_failed) if known is not None else 0,
        flaky=sum(1 for row in rows if row.flaky),
        unnamed=unnamed,
        missing=(*news.missing, *listing.missing),
    )


def _streak(run: Run, key: str, past: Sequence[PastRun]) -> Streak:
    """How long a test has failed, counted back from a run in which it fails."""
    runs, since = 1, run.created_at
    for each in past:
        if each.failed is None:
            return Streak(runs, since, at_least=True)
        if key not in each.failed:
            return Streak(runs, since)
        runs, since = runs + 1, each.created_at
    return Streak(runs, since, at_least=bool(past))


def _flips(key: str, past: Sequence[PastRun]) -> bool:
    """Whether a test flips: by the same rule as everywhere, over the runs whose tests are known."""
    strip = [key in each.failed for each in past[:WINDOW] if each.failed is not None]
    flips = sum(1 for newer, older in pairwise(strip) if newer is not older)
    return flips >= FLIPS and len(set(strip[:RECENT])) == 2


async def _unfinished(read: _Read, history: History, now: datetime) -> tuple[Run, ...]:
    """Automation runs that have been at work for longer than usual."""
    found = []
    for run in read.open:
        if run.kind.automated is not True:
            continue
        past = await history.of(stream_of(run), before=run.created_at, most=WINDOW)
        took_s = [(_past_end(each) - each.created_at).total_seconds() for each in past if each.finished_at is not None]
        usual = max(UNFINISHED, timedelta(seconds=USUAL * median(took_s))) if took_s else UNKNOWN_UNFINISHED
        if now - run.created_at > usual:
            found.append(run)
    return tuple(sorted(found, key=lambda run: run.created_at))


async def _stale(
    asked: Sequence[Target], plan: DigestPlan, now: datetime, notes: list[str], troubles: list[Trouble]
) -> tuple[Run, ...]:
    """Open runs in which nothing has happened for two weeks, of every kind, the oldest first."""
    found: list[Run] = []
    for target in asked:
        for kind in target.connection.kinds.values():
            query = RunQuery(project=target.project.id, state="open", until=now - STALE, words=plan.query.words)
            try:
                listing = await target.connection.runs(kind.letter, _known(query, kind))
            except RundownError as error:
                if all(trouble.connection != target.connection.name for trouble in troubles):
                    troubles.append(Trouble(target.connection.name, error))
                continue
            found += [
                run for run in listing.items if not run.finished and now - (run.updated_at or run.created_at) > STALE
            ]
            notes += listing.missing
    return tuple(sorted(found, key=lambda run: run.updated_at or run.created_at))


def _known(query: RunQuery, kind: Kind) -> RunQuery:
    """The query without what that kind can't be filtered by."""
    return query if "until" in kind.filters else replace(query, until=None)
