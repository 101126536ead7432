"""Failures, results and differences: what is inside runs."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import TypeAlias

from bot.domain.answers import FailedTest, Failures, ResultList
from bot.domain.errors import CannotError, NotFoundError
from bot.domain.model import Listing, Person, Run, Test, Thread
from bot.domain.outcomes import Outcome
from bot.domain.queries import ResultQuery, Who
from bot.domain.streams import WINDOW, Diff, by_key, compare, is_flaky, outcome_strips, streak, stream_of
from bot.usecases.finding import Found
from bot.usecases.ports import Connection
from bot.usecases.showing import extra, need, where_is

#: Seconds a comparison waits for the tests of earlier runs.
FLAKY_S = 10.0

#: Finished runs with their tests, newest first.
Past: TypeAlias = tuple[tuple[Run, Listing[Test]], ...]


async def list_failures(
    found: Found, *, owners: tuple[Who, ...] = (), unassigned: bool = False, limit: int | None = None
) -> Failures:
    """The failing tests of a run or thread, newly broken first, with how long each has been failing.

    `owners` keeps those assigned to one of these people, `unassigned` those assigned to nobody. Where the system does
    not name tests, the counts per thread are told. Raises NotFoundError for an owner whom nobody knows.
    """
    need(found, "failures")
    missing: list[str] = []
    where, tests, past, people = await asyncio.gather(
        where_is(found),
        found.connection.tests(found.ref, reasons=True),
        extra(_past(found.connection, found.run), "how long they have been failing", missing),
        asyncio.gather(*(found.connection.find_person(owner) for owner in owners)),
    )
    asked = tuple(zip(owners, people, strict=True))
    _check_known(found, asked, tests.items)
    now = by_key(tests.items)
    history = past or ()
    lookup = [(run, by_key(listing.items)) for run, listing in history]
    strips = outcome_strips([listing.items for _, listing in history])
    rows = [
        FailedTest(
            test,
            streak(found.run, test.key, lookup) if lookup else None,
            is_flaky(test, _strip(found.run, now[test.key], strips.get(test.key, ()))),
            seen=test.key in strips,
        )
        for test in tests.items
        if test.outcome is Outcome.FAILED
        and (found.part is None or test.id == str(found.part))
        and _is_theirs(test, asked, unassigned)
    ]
    rows.sort(key=lambda row: (row.streak.runs if row.streak else 1, row.test.name.casefold()))
    unnamed, by_thread = await _unnamed(found, missing) if not tests.items else (0, ())
    names = (person.name if person else who.text for who, person in asked)
    return Failures(
        run=found.run,
        where=where,
        tests=tuple(rows[:limit]),
        read_at=tests.read_at,
        total=len(rows),
        new=sum(1 for row in rows if row.streak is not None and row.streak.runs == 1),
        owner=" or ".join((*names, *(("nobody",) if unassigned else ()))),
        unnamed=unnamed,
        by_thread=by_thread,
        judged_on=len(history),
        missing=(
            *tests.missing,
            *missing,
            *found.doubts,
            *_gaps(history, "how long they have been failing is told"),
        ),
    )


async def list_results(found: Found, query: ResultQuery, *, words: str) -> ResultList:
    """The results of a run that match; `words` is the filter in words."""
    need(found, "results")
    if found.part is not None:  # in a test set people number its instances, elsewhere tests
        part = str(found.part)
        instances = found.ref.letter == "S"
        query = (
            replace(query, instance=(*query.instance, part)) if instances else replace(query, test=(*query.test, part))
        )
    where, listing = await asyncio.gather(where_is(found), found.connection.results(found.ref, query))
    return ResultList(
        run=found.run,
        where=where,
        results=listing.items,
        words=words,
        read_at=listing.read_at,
        total=listing.total,
        missing=(*listing.missing, *found.doubts),
    )


async def diff_runs(found: Found, base: Found | None = None) -> Diff:
    """What changed between a run and the last finished run of its stream, or the run that is named as `base`.

    Raises NotFoundError when the stream has no earlier finished run.
    """
    need(found, "diff")
    if base is not None:
        found, base = _in_order(found, base)
    connection, run = found.connection, found.run
    missing: list[str] = []
    asking = connection.earlier(run, WINDOW)
    listing = await (asking if base is None else extra(asking, "which tests are flaky", missing, FLAKY_S))
    earlier = listing.items if listing else ()
    against = base.run if base is not None else next(iter(earlier), None)
    if against is None:
        raise NotFoundError(
            f"There is nothing to compare {run.ref.short} with.",
            why=f"No comparable run (same project, {_series_word(run)} and configuration) was finished before it.",
            fix="Name another run: `diff REF REF`.",
            closest=(f"show {run.ref}",),
        )
    other = base.connection if base is not None else connection
    tests, before, past = await asyncio.gather(
        connection.tests(found.ref, reasons=True),
        _tests_of(other, against),
        extra(connection.history(earlier), "which tests are flaky", missing, FLAKY_S),
    )
    if not tests.items and tests.missing:
        raise CannotError(
            f"The tests of {run.ref.short} can't be compared.",
            why=f"{found.connection.system} only counts them: {tests.missing[0]}.",
            fix=f"`show {run.ref.short}` has the counts.",
            closest=(f"show {run.ref}",),
        )
    history = [each.items for each in past or ()]
    if run.finished:
        history.insert(0, tests.items)
    diff = compare(run, tests.items, against, before.items, history[:WINDOW])
    read = tuple(zip(earlier, past, strict=True)) if past else ()
    nameless = run.tally.untested - len(diff.not_run) if found.ref.thread is None else 0
    if nameless > 0:
        missing.append(f"{nameless} untested tests, which are only counted")
    return replace(
        diff,
        # One thread never has the tests of the others, and what is only counted may be among those that seem gone.
        gone=diff.gone if found.ref.thread is None and nameless <= 0 else 0,
        missing=tuple(
            dict.fromkeys(
                (
                    *tests.missing,
                    *(f"{against.ref.short}: {each}" for each in before.missing),
                    *missing,
                    *found.doubts,
                    *_gaps(read, "flaky is judged"),
                    *(("the two are of different streams",) if stream_of(run) != stream_of(against) else ()),
                )
            )
        ),
    )


def _in_order(one: Found, other: Found) -> tuple[Found, Found]:
    """The later run first, whichever was named first. Raises CannotError for runs of two kinds or systems."""
    need(other, "diff")
    if one.run.ref == other.run.ref and one.ref == other.ref:
        raise CannotError(
            f"{one.ref.short} is both of the runs.",
            why="A run does not differ from itself.",
            fix="Name two runs, or one to compare it with the run before.",
            closest=(f"diff {one.run.ref}",),
        )
    if (one.connection.name, one.run.ref.letter) != (other.connection.name, other.run.ref.letter):
        raise CannotError(
            f"{one.ref.short} and {other.ref.short} can't be compared.",
            why=f"One is a {one.run.kind.noun} of {one.connection.system}, the other a {other.run.kind.noun}"
            f" of {other.connection.system}: their tests are not the same.",
            fix="Name two runs of one kind in one system.",
            closest=(f"diff {one.run.ref}", f"diff {other.run.ref}"),
        )
    return (one, other) if one.run.created_at >= other.run.created_at else (other, one)


async def _past(connection: Connection, run: Run) -> Past:
    earlier = (await connection.earlier(run, WINDOW)).items
    return tuple(zip(earlier, await connection.history(earlier), strict=True))


async def _tests_of(connection: Connection, run: Run) -> Listing[Test]:
    return (await connection.history((run,)))[0]


async def _unnamed(found: Found, missing: list[str]) -> tuple[int, tuple[Thread, ...]]:
    """How many failures the system only counts, and the threads it counts them by."""
    run, number = found.run, found.ref.thread
    by_thread: tuple[Thread, ...] = ()
    if "threads" in run.kind.verbs and (run.tally.failed or number is not None):
        by_thread = await extra(found.connection.threads(run.ref), "the counts of its threads", missing) or ()
    if number is None:
        return run.tally.failed, by_thread
    its = tuple(thread for thread in by_thread if thread.index == number)
    return sum(thread.tally.failed for thread in its), its


def _strip(run: Run, test: Test, past: Sequence[Outcome]) -> tuple[Outcome, ...]:
    """A test's outcomes in finished runs, newest first: this run is one of them only if it is finished."""
    return (test.outcome, *past) if run.finished else tuple(past)


def _check_known(found: Found, asked: Sequence[tuple[Who, Person | None]], tests: Sequence[Test]) -> None:
    """Nobody is told that a stranger has no failing tests."""
    assignees = {test.assignee.casefold() for test in tests}
    for who, person in asked:
        if person is None and who.text.casefold() not in assignees:
            raise NotFoundError(
                f"{found.connection.system} knows nobody as “{who.text}”.",
                why="No account there, or more than one, has that name or address, and no test is assigned to it.",
                fix="Give the person's email address or number there, or leave the owner out.",
                closest=(f"failures {found.ref}",),
            )


def _is_theirs(test: Test, asked: Sequence[tuple[Who, Person | None]], unassigned: bool) -> bool:
    if not asked and not unassigned:
        return True
    if not test.assignee and not test.assignee_id:
        return unassigned
    return any(_is_of(test, who, person) for who, person in asked)


def _is_of(test: Test, who: Who, person: Person | None) -> bool:
    if person is not None and person.id and test.assignee_id:
        return person.id == test.assignee_id
    return test.assignee.casefold() == (person.name if person is not None else who.text).casefold()


def _gaps(past: Past, what: str) -> tuple[str, ...]:
    gaps = [run.ref.short for run, listing in past if listing.partial]
    return (f"{what} without all of {', '.join(gaps)}",) if gaps else ()


def _series_word(run: Run) -> str:
    return "source" if run.source else "suite" if run.series else "kind of name"
