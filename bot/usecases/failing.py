"""Failures, results and differences: what is inside runs."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from bot.domain.answers import FailedTest, Failures, ResultList
from bot.domain.errors import NotFoundError
from bot.domain.model import Listing, Run, Test
from bot.domain.outcomes import Outcome
from bot.domain.queries import ResultQuery, Who
from bot.domain.streams import WINDOW, Diff, compare, is_flaky, outcome_strips, streak
from bot.usecases.finding import Found
from bot.usecases.ports import Connection
from bot.usecases.showing import extra, need, where_is


async def list_failures(
    found: Found, *, owners: tuple[Who, ...] = (), unassigned: bool = False, limit: int | None = None
) -> Failures:
    """The failing tests of a run or thread, newly broken first, with how long each has been failing.

    `owners` keeps those assigned to one of these people, `unassigned` those assigned to nobody. Where the system does
    not name tests, the counts per thread are told.
    """
    need(found, "failures")
    missing: list[str] = []
    where, tests, past = await asyncio.gather(
        where_is(found),
        found.connection.tests(found.ref, reasons=True),
        extra(_past(found.connection, found.run), "how long they have been failing", missing),
    )
    names = [await _name_of(found.connection, owner) for owner in owners]
    failing = [test for test in tests.items if test.outcome is Outcome.FAILED]
    mine = [test for test in failing if _is_theirs(test, names, unassigned)]
    history = past or ()
    lookup = [(run, {test.key: test for test in listing.items}) for run, listing in history]
    strips = outcome_strips([listing.items for _, listing in history])
    rows = [
        FailedTest(
            test,
            streak(found.run, test.key, lookup) if lookup else None,
            is_flaky(test, (test.outcome, *strips.get(test.key, ()))),
        )
        for test in mine
    ]
    rows.sort(key=lambda row: (row.streak.runs if row.streak else 1, row.test.name.casefold()))
    unnamed = found.run.tally.failed if not tests.items and found.ref.thread is None else 0
    return Failures(
        run=found.run,
        where=where,
        tests=tuple(rows[:limit]),
        read_at=tests.read_at,
        owner=" or ".join((*names, *(("nobody",) if unassigned else ()))),
        unnamed=unnamed,
        by_thread=await found.connection.threads(found.run.ref)
        if unnamed and "threads" in found.run.kind.verbs
        else (),
        judged_on=len(history),
        missing=(*tests.missing, *missing),
    )


async def list_results(found: Found, query: ResultQuery, *, words: str) -> ResultList:
    """The results of a run that match; `words` is the filter in words."""
    need(found, "results")
    if found.part is not None:
        query = replace(query, instance=(*query.instance, str(found.part)))
    where, listing = await asyncio.gather(where_is(found), found.connection.results(found.ref, query))
    return ResultList(
        run=found.run,
        where=where,
        results=listing.items,
        words=words,
        read_at=listing.read_at,
        total=listing.total,
        missing=listing.missing,
    )


async def diff_runs(found: Found, base: Found | None = None) -> Diff:
    """What changed between a run and the last finished run of its stream, or the run that is named as `base`.

    Raises NotFoundError when the stream has no earlier finished run.
    """
    need(found, "diff")
    connection, run = found.connection, found.run
    earlier = (await connection.earlier(run, WINDOW)).items
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
        connection.tests(found.ref, reasons=True), _tests_of(other, against), connection.history(earlier)
    )
    history = [listing.items for listing in past]
    if run.finished:
        history.insert(0, tests.items)
    diff = compare(run, tests.items, against, before.items, history[:WINDOW])
    return replace(
        diff,
        missing=tuple(
            dict.fromkeys(
                (*tests.missing, *(f"{against.ref.short}: {each}" for each in before.missing), *_gaps(earlier, past))
            )
        ),
    )


async def _past(connection: Connection, run: Run) -> tuple[tuple[Run, Listing[Test]], ...]:
    earlier = (await connection.earlier(run, WINDOW)).items
    return tuple(zip(earlier, await connection.history(earlier), strict=True))


async def _tests_of(connection: Connection, run: Run) -> Listing[Test]:
    return (await connection.history((run,)))[0]


async def _name_of(connection: Connection, owner: Who) -> str:
    """The name that the system knows that person by, else what was typed."""
    person = await connection.find_person(owner)
    return person.name if person is not None else owner.text


def _is_theirs(test: Test, names: Sequence[str], unassigned: bool) -> bool:
    if not names and not unassigned:
        return True
    if not test.assignee:
        return unassigned
    return test.assignee.casefold() in {name.casefold() for name in names}


def _gaps(runs: Sequence[Run], past: Sequence[Listing[Test]]) -> tuple[str, ...]:
    gaps = [run.ref.short for run, listing in zip(runs, past, strict=True) if listing.partial]
    return (f"flaky is judged without all of {', '.join(gaps)}",) if gaps else ()


def _series_word(run: Run) -> str:
    return "source" if run.source else "suite" if run.series else "kind of name"
