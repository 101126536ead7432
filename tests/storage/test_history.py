"""History: runs as they were read, in few bytes; what is known is not written again, and not lost."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from bot.domain.digests import PastRun
from bot.domain.errors import OurError
from bot.domain.model import RunRef
from bot.domain.outcomes import Tally
from bot.domain.streams import Stream
from bot.storage.database import Database
from bot.storage.history import KEPT, LOT, StoredHistory
from tests.storage.opening import NOW, Clock, database, full, plans, refusing, traced, untraced
from tests.storage.test_packing import times

STREAM = Stream("testmo", 1, "A", "nightly", "")
RUN = PastRun(
    ref=RunRef("testmo", "A", 412),
    stream=STREAM,
    created_at=NOW,
    finished_at=NOW + timedelta(minutes=12),
    tally=Tally(passed=2, failed=1, other=(("Known bug", 3), ("", 1))),
    failing=True,
    failed=frozenset({"login"}),
    passed=frozenset({"cart 🎉", "search"}),
)


def nights(count: int, tests: int = 0, stream: Stream = STREAM) -> list[PastRun]:
    """Runs of so many nights, oldest first; some of their tests fail, a few come and go."""
    chance = random.Random(7)
    found = []
    for night in range(count):
        keys = [f"tests/checkout/test_cart_{number // 20}.py::test_case_{number}" for number in range(tests + night)]
        failed = frozenset(chance.sample(keys, len(keys) // 50))
        skipped = frozenset(chance.sample(keys, len(keys) // 100))
        found.append(
            replace(
                RUN,
                ref=RunRef("testmo", "A", 1000 + night),
                stream=stream,
                created_at=NOW - timedelta(days=count - night),
                finished_at=None,
                failed=failed,
                passed=frozenset(keys) - failed - skipped,
            )
        )
    return found


async def _rows(it: Database) -> list[Any]:
    tables = ("streams", "stream_tests", "past_runs")
    return await it.run(lambda db: [db.conn.execute(f"select * from {table}").fetchall() for table in tables])


# ── what is kept ──


@pytest.mark.parametrize(
    "run",
    [
        RUN,
        replace(RUN, failed=None, passed=None, finished_at=None, failing=False, tally=Tally()),
        replace(RUN, failed=frozenset(), passed=frozenset()),
        replace(RUN, failed=frozenset({""}), passed=frozenset({"", "\x00", "a,b", "'; drop table past_runs; --"})),
        replace(RUN, ref=RunRef("web-2", "A", 1, 3), stream=Stream("web-2", 0, "A", "", "Chrome, “en”")),
    ],
)
async def test_a_run_is_kept_as_it_is_over_a_restart(tmp_path: Path, run: PastRun) -> None:
    async with database(tmp_path / "a.db") as first:
        assert await StoredHistory(first, Clock()).keep([run]) == 1
    async with database(tmp_path / "a.db") as second:
        history = StoredHistory(second, Clock())
        assert await history.known([run.ref, RunRef("testmo", "A", 1)]) == {run.ref: run}
        assert await history.of(run.stream, before=NOW + timedelta(seconds=1), most=9) == (run,)


async def test_what_is_there_unchanged_writes_nothing() -> None:
    async with database() as only:
        history = StoredHistory(only, Clock())
        them = [*nights(5, tests=40), RUN, replace(RUN, ref=RunRef("testmo", "A", 1), failed=None, passed=None)]
        assert await history.keep(them) == 7
        before, written = await _rows(only), await only.run(lambda db: db.conn.total_changes)
        assert await history.keep(them) == await history.keep([RUN, RUN]) == await history.keep([]) == 0
        assert await only.run(lambda db: db.conn.total_changes) == written
        assert await _rows(only) == before


@pytest.mark.parametrize(
    "to",
    [
        {"tally": Tally(passed=3)},
        {"finished_at": None},
        {"failing": False},
        {"failed": frozenset[str]()},
        {"failed": frozenset({"search"}), "passed": frozenset({"login", "a new one"})},
        {"created_at": NOW - timedelta(days=1)},
        {"stream": replace(STREAM, config="Firefox")},
    ],
)
async def test_what_has_changed_is_one_row(to: dict[str, Any]) -> None:
    async with database() as only:
        history = StoredHistory(only, Clock())
        other = replace(RUN, ref=RunRef("testmo", "A", 413))
        changed = replace(RUN, **to)
        assert await history.keep([RUN, other]) == 2
        assert await history.keep([changed, other]) == 1
        assert await history.known([RUN.ref, other.ref]) == {RUN.ref: changed, other.ref: other}


@pytest.mark.parametrize("stream", [STREAM, replace(STREAM, config="Firefox")])
async def test_tests_once_known_stay_when_the_run_is_read_without_them(stream: Stream) -> None:
    async with database() as only:
        history = StoredHistory(only, Clock())
        without = replace(RUN, stream=stream, failing=False, failed=None, passed=None)
        assert [await history.keep([each]) for each in (RUN, without, without)] == [1, 1, 0]
        assert await history.known([RUN.ref]) == {RUN.ref: replace(RUN, stream=stream, failing=False)}


async def test_of_a_run_that_is_there_twice_the_last_word_counts() -> None:
    async with database() as only:
        history = StoredHistory(only, Clock())
        untold = replace(RUN, failed=None, passed=None, tally=Tally(passed=9))
        assert await history.keep([untold, RUN, untold]) == 1
        assert await history.known([RUN.ref]) == {RUN.ref: replace(RUN, tally=Tally(passed=9))}


async def test_runs_of_a_stream_that_began_before_come_newest_first() -> None:
    async with database() as only:
        history = StoredHistory(only, Clock())
        same_time = [replace(RUN, ref=RunRef("testmo", "A", number)) for number in (9, 11, 10)]
        earlier = replace(RUN, ref=RunRef("testmo", "A", 99), created_at=NOW - timedelta(microseconds=1))
        others = [
            replace(RUN, ref=RunRef("testmo", "A", 500 + number), stream=replace(STREAM, **{name: value}))  # type: ignore[arg-type]
            for number, (name, value) in enumerate({"project": 2, "series": "smoke", "config": "x"}.items())
        ]
        await history.keep([*same_time, earlier, *others])
        after = NOW + timedelta(microseconds=1)
        found = [[run.ref.id for run in await history.of(STREAM, before=after, most=most)] for most in (9, 2, 0, -1)]
        assert found == [[11, 10, 9, 99], [11, 10], [], []]
        assert await history.of(STREAM, before=NOW, most=9) == (earlier,)
        assert await history.of(replace(STREAM, project=3), before=after, most=9) == ()


keys = some.sets(some.sampled_from("abcdefgh") | some.text(max_size=3), max_size=6).map(frozenset)
runs = some.builds(
    lambda number, tests, **more: PastRun(
        ref=RunRef("testmo", "A", number), failed=tests and tests[0], passed=tests and tests[1], **more
    ),
    some.integers(1, 5),
    some.none() | some.tuples(keys, keys),
    stream=some.sampled_from([STREAM, replace(STREAM, series="smoke")]),
    created_at=times,
    finished_at=some.none() | times,
    tally=some.builds(Tally, passed=some.integers(0, 2), failed=some.integers(0, 10**12)),
    failing=some.booleans(),
)


@given(some.lists(some.lists(runs, max_size=4), max_size=5), times)
@settings(max_examples=40, deadline=None)
def test_it_says_what_a_dictionary_would_say(batches: list[list[PastRun]], swept: Any) -> None:
    asyncio.run(_says_what_a_dictionary_would_say(batches, swept))


async def _says_what_a_dictionary_would_say(batches: list[list[PastRun]], swept: Any) -> None:
    async with database() as only:
        history = StoredHistory(only, lambda: times_begin)
        model: dict[RunRef, PastRun] = {}
        for batch in batches:
            before = dict(model)
            for run in batch:
                old = model.get(run.ref)
                known = (
                    run if run.failed is not None or old is None else replace(run, failed=old.failed, passed=old.passed)
                )
                model[run.ref] = known
            told = await history.keep(batch)
            changed = {ref for ref in model if model[ref] != before.get(ref)}
            assert len(changed) <= told <= len({run.ref for run in batch})
            assert await history.known(list(model)) == model
        left = {ref: run for ref, run in model.items() if run.created_at >= swept}
        assert await history.sweep(swept) == len(model) - len(left)
        assert await history.known(list(model)) == left
        for stream in {run.stream for run in model.values()}:
            mine = sorted((run.created_at, run.ref.id) for run in left.values() if run.stream == stream)
            found = await history.of(stream, before=times_end, most=9)
            assert [(run.created_at, run.ref.id) for run in found] == mine[::-1]
        assert await history.keep(list(left.values())) == 0


times_begin, times_end = NOW.replace(year=1970) + KEPT, NOW.replace(year=3000)


async def test_connections_that_keep_at_once_number_the_tests_alike(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        opened = [await stack.enter_async_context(database(tmp_path / "a.db")) for _ in range(8)]
        them = nights(8, tests=60)
        told = await asyncio.gather(
            *(StoredHistory(each, Clock()).keep([run, them[0]]) for each, run in zip(opened, them, strict=True))
        )
        assert sum(told) == 8
        assert await StoredHistory(opened[0], Clock()).of(STREAM, before=NOW, most=9) == tuple(them[::-1])


# ── few bytes ──


async def test_thirty_nights_of_two_thousand_tests_cost_less_than_a_byte_a_test_each(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    async with database(path) as only:
        history = StoredHistory(only, Clock())
        await history.keep(nights(1, tests=2000))  # the names are written once
        pages = "PRAGMA page_count"
        first = await only.run(lambda db: db.conn.execute(pages).fetchone()[0])
        for run in nights(30, tests=2000):
            assert await history.keep([run]) == 1
        last = await only.run(lambda db: db.conn.execute(pages).fetchone()[0])
        assert (last - first) * 4096 / 30 < 1000  # bytes a night
        assert await history.of(STREAM, before=NOW, most=30) == tuple(nights(30, tests=2000)[::-1])


async def test_new_names_join_the_last_lot_until_it_is_large() -> None:
    async with database() as only:
        history = StoredHistory(only, Clock())
        for run in nights(30, tests=LOT - 10):
            await history.keep([run])
        lots = await only.run(lambda db: [(row["first"], row["count"]) for row in db["stream_tests"].rows])
        assert lots == [(0, LOT), (LOT, 30 - 1 - 10)]


# ── what goes ──


async def test_old_runs_go_with_the_streams_and_names_that_only_they_needed() -> None:
    async with database() as only:
        history = StoredHistory(only, Clock())
        old = replace(RUN, ref=RunRef("testmo", "A", 1), created_at=NOW - timedelta(days=9))
        many = frozenset(f"old {number}" for number in range(LOT))
        await history.keep([replace(old, passed=many, failed=frozenset())])
        await history.keep([RUN, replace(old, ref=RunRef("testmo", "A", 2), stream=replace(STREAM, series="gone"))])
        assert [len(rows) for rows in await _rows(only)] == [2, 3, 3]
        assert await history.sweep(NOW - timedelta(days=9)) == 0
        assert await history.sweep(NOW) == 2
        assert [len(rows) for rows in await _rows(only)] == [1, 1, 1]
        assert await history.known([RUN.ref, old.ref]) == {RUN.ref: RUN}
        assert await history.keep([RUN, replace(old, created_at=NOW)]) == 1
        assert await history.known([RUN.ref]) == {RUN.ref: RUN}
        assert await history.sweep(NOW + timedelta(days=1)) == 2
        assert [len(rows) for rows in await _rows(only)] == [0, 0, 0]


async def test_nothing_is_kept_for_ever_even_if_nobody_sweeps() -> None:
    async with database() as only:
        clock = Clock()
        history = StoredHistory(only, clock)
        await history.keep([RUN])
        clock.later(days=KEPT.days, seconds=1)
        await history.keep([replace(RUN, ref=RunRef("testmo", "A", 1), created_at=clock.now)])
        assert await history.known([RUN.ref]) == {}


async def test_a_run_whose_counts_another_version_wrote_is_not_there_until_it_is_read_again() -> None:
    async with database() as only:
        history = StoredHistory(only, Clock())
        await history.keep([RUN])
        await only.run(lambda db: db.table("past_runs").update("testmo:A412", {"tally": '{"exploded":3}'}))
        assert await history.known([RUN.ref]) == {}
        assert await history.keep([replace(RUN, failed=None, passed=None)]) == 1
        assert await history.known([RUN.ref]) == {RUN.ref: RUN}


# ── the file ──


async def test_no_question_reads_or_sorts_all_runs() -> None:
    async with database() as only:
        history = StoredHistory(only, Clock())
        await history.keep(nights(3, tests=5))
        statements = await traced(only)
        await history.keep([RUN])
        await history.of(STREAM, before=NOW, most=9)
        await history.known([RUN.ref])
        await history.sweep(NOW - timedelta(days=2))
        await untraced(only)
        steps = await plans(only, [each for each in statements if each.startswith(("select", "delete"))])
        read = [step for step in steps if "past_runs" in step]
        assert len(read) >= 5
        assert [step for step in read if not (step.startswith("SEARCH") and "INDEX" in step)] == []
        assert [step for step in steps if "TEMP" in step] == []


async def _keep(history: StoredHistory) -> None:
    await history.keep(nights(200, tests=20))


async def _sweep(history: StoredHistory) -> None:
    await history.sweep(NOW + timedelta(days=1))


async def _no_text(history: StoredHistory) -> None:
    await history.keep([replace(RUN, tally=Tally()), replace(RUN, failed=frozenset({"\ud800"}))])


async def _nothing(_: Database) -> None:
    """The disk is well."""


@pytest.mark.parametrize(("fails", "act"), [(refusing, _keep), (refusing, _sweep), (full, _keep), (_nothing, _no_text)])
async def test_what_the_disk_does_not_take_is_an_error_and_changes_nothing(
    fails: Callable[[Database], Awaitable[None]], act: Callable[[StoredHistory], Awaitable[None]]
) -> None:
    async with database() as only:
        history = StoredHistory(only, Clock())
        await history.keep([RUN])
        before = await _rows(only)
        await fails(only)
        with pytest.raises(OurError):
            await act(history)
        assert await _rows(only) == before
