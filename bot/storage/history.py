"""Tables `streams`, `stream_tests` and `past_runs`: finished runs and what became of their tests, in few bytes.

A run's tests are one mark each (failed, passed, neither), compressed together; a mark's place among them is the test's
number in its stream. So the name of a test is kept once for all nights.
"""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import chain, compress
from typing import Any

from bot.domain.digests import PastRun
from bot.domain.model import RunRef
from bot.domain.streams import Stream
from bot.storage.database import Database, alone, breathe, rows
from bot.storage.packing import pack_ref, pack_tally, pack_words, stamp, unpack_ref, unpack_tally, unpack_words
from bot.storage.sweeping import Sweep

#: How long runs stay if nobody ever sweeps.
KEPT = timedelta(days=800)
#: The names of a stream are kept in lots; new ones join the last lot until it has so many.
LOT = 512
#: Runs that are looked at in one go while the loop may be waiting.
BREATH = 8

_PASSED, _FAILED = 1, 2
_IS_PASSED, _IS_FAILED = (bytes(mark & flag for mark in range(256)) for flag in (_PASSED, _FAILED))

_STREAM = ("connection", "project", "letter", "series", "config")
_RUN = ("run", "stream", "number", "created_at", "finished_at", "tally", "failing", "first_test", "tests")
_RUNS = f"select {', '.join(f'past_runs.{name}' for name in _RUN)}, {', '.join(_STREAM)} from past_runs join streams on id = stream"  # noqa: S608, E501 - names of ours
_IS_STREAM = " and ".join(f"{name} = ?" for name in _STREAM)


class StoredHistory:
    """The port `History`. A run whose counts another version wrote, and this one can't read, is not there."""

    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        self._database = database
        self._old = Sweep(now, KEPT)

    async def keep(self, runs: Sequence[PastRun]) -> int:
        """Keep them; returns how many rows were written. What is there unchanged writes none; tests once known stay."""
        if not runs:
            return 0
        before = self._old.due()
        return await self._database.run(lambda db: _keep(db.conn, runs, before))

    async def of(self, stream: Stream, *, before: datetime, most: int) -> tuple[PastRun, ...]:
        """The newest finished runs of a stream that began before then, newest first."""
        sql = (
            f"{_RUNS} where stream = (select id from streams where {_IS_STREAM}) and created_at < ? "  # noqa: S608 - names of ours
            "order by created_at desc, number desc limit ?"
        )
        values = [*_values(stream), stamp(before), max(most, 0)]
        return await self._database.run(lambda db: _past(db.conn, rows(db.conn, sql, values)))

    async def known(self, refs: Sequence[RunRef]) -> Mapping[RunRef, PastRun]:
        found = await self._database.run(lambda db: _past(db.conn, _known(db.conn, refs)))
        return {past.ref: past for past in found}

    async def sweep(self, older_than: datetime) -> int:
        """Forget runs that began before then, and what only they needed; returns how many."""
        return await self._database.run(lambda db: _sweep(db.conn, stamp(older_than)))


class _Tests:
    """The tests of one stream by number, as far as they were ever met in it."""

    def __init__(self, connection: sqlite3.Connection, stream: int) -> None:
        self._stream = stream
        self._lots: list[tuple[int, list[str]]] = [
            (row["first"], unpack_words(zlib.decompress(row["keys"])))
            for row in rows(
                connection, "select first, keys from stream_tests where stream = ? order by first", [stream]
            )
        ]
        self._numbers: dict[str, int] = {}
        for first, keys in self._lots:
            self._numbers.update(zip(keys, range(first, first + len(keys)), strict=True))
        self._next = first + len(keys) if self._lots else 0
        self._new: list[str] = []

    def mark(self, failed: Iterable[str], passed: Iterable[str]) -> tuple[int, bytes]:
        """The number of the first test that has a mark, and the marks from there to the last one."""
        for key in sorted({*failed, *passed} - self._numbers.keys()):
            self._numbers[key] = self._next + len(self._new)
            self._new.append(key)
        marks = bytearray(self._next + len(self._new))
        for keys, flag in ((failed, _FAILED), (passed, _PASSED)):
            for key in keys:
                marks[self._numbers[key]] |= flag
        some = marks.rstrip(b"\0")
        cut = some.lstrip(b"\0")
        return len(some) - len(cut), zlib.compress(cut, 9)

    def read(self, first_test: int, tests: bytes) -> tuple[frozenset[str], frozenset[str]]:
        """Those that failed, and those that passed."""
        marks = zlib.decompress(tests)
        failed: list[Iterable[str]] = []
        passed: list[Iterable[str]] = []
        for first, keys in (*self._lots, (self._next, self._new)):
            start = first - first_test
            lot = marks[max(start, 0) : max(start + len(keys), 0)]
            marked = keys[max(-start, 0) :]
            failed.append(compress(marked, lot.translate(_IS_FAILED)))
            passed.append(compress(marked, lot.translate(_IS_PASSED)))
        return frozenset(chain.from_iterable(failed)), frozenset(chain.from_iterable(passed))

    def save(self, connection: sqlite3.Connection) -> None:
        """Keep the names that were met for the first time."""
        if not self._new:
            return
        first, keys = self._lots[-1] if self._lots else (0, [])
        if not keys or len(keys) >= LOT:
            first, keys = self._next, []
        joined = [*keys, *self._new]
        connection.execute(
            "insert or replace into stream_tests (stream, first, count, keys) values (?, ?, ?, ?)",
            [self._stream, first, len(joined), zlib.compress(pack_words(joined).encode(), 9)],
        )


class _Streams:
    """Numbers and tests of the streams that one piece of work meets, each read once."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._numbers: dict[Stream, int] = {}
        self._tests: dict[int, _Tests] = {}

    def number(self, stream: Stream) -> int:
        """The number of a stream; a new one gets one."""
        if stream not in self._numbers:
            values = _values(stream)
            found = rows(self._connection, f"select id from streams where {_IS_STREAM}", values)  # noqa: S608 - names of ours
            if not found:
                sql = f"insert into streams ({', '.join(_STREAM)}) values (?, ?, ?, ?, ?) returning id"  # noqa: S608 - names of ours
                found = rows(self._connection, sql, values)
            self._numbers[stream] = found[0]["id"]
        return self._numbers[stream]

    def tests(self, number: int) -> _Tests:
        if number not in self._tests:
            self._tests[number] = _Tests(self._connection, number)
        return self._tests[number]

    def save(self) -> None:
        for tests in self._tests.values():
            tests.save(self._connection)


# ── in ──


def _keep(connection: sqlite3.Connection, runs: Sequence[PastRun], before: str | None) -> int:
    with alone(connection):
        if before:
            _forget(connection, before)
        known = {
            row["run"]: {name: row[name] for name in _RUN} for row in _known(connection, [run.ref for run in runs])
        }
        streams = _Streams(connection)
        changed: dict[str, dict[str, Any]] = {}
        for number, past in enumerate(runs):
            if number % BREATH == 0:
                breathe()
            name = pack_ref(past.ref)
            row = {**_row(past, streams), **_marks(past, streams, known.get(name))}
            if row != known.get(name):
                known[name] = changed[name] = row
        if changed:
            streams.save()
            connection.executemany(
                f"insert or replace into past_runs ({', '.join(_RUN)}) "  # noqa: S608 - names of ours
                f"values ({', '.join(f':{name}' for name in _RUN)})",
                list(changed.values()),
            )
        return len(changed)


def _row(past: PastRun, streams: _Streams) -> dict[str, object]:
    return {
        "run": pack_ref(past.ref),
        "stream": streams.number(past.stream),
        "number": past.ref.id,
        "created_at": stamp(past.created_at),
        "finished_at": stamp(past.finished_at) if past.finished_at else None,
        "tally": pack_tally(past.tally),
        "failing": int(past.failing),
    }


def _marks(past: PastRun, streams: _Streams, known: Mapping[str, Any] | None) -> dict[str, object]:
    """The run's tests in the numbers of its stream: as they were read now, or else as they were known before."""
    failed, passed = past.failed, past.passed
    if failed is None or passed is None:
        if known is None or known["tests"] is None:
            return {"first_test": None, "tests": None}
        if known["stream"] == streams.number(past.stream):
            return {"first_test": known["first_test"], "tests": known["tests"]}
        failed, passed = streams.tests(known["stream"]).read(known["first_test"], known["tests"])
    first_test, tests = streams.tests(streams.number(past.stream)).mark(failed, passed)
    return {"first_test": first_test, "tests": tests}


# ── and out ──


def _known(connection: sqlite3.Connection, refs: Sequence[RunRef]) -> list[dict[str, Any]]:
    names = pack_words(pack_ref(ref) for ref in refs)
    return rows(connection, f"{_RUNS} where run in (select value from json_each(?))", [names])  # noqa: S608 - names of ours


def _past(connection: sqlite3.Connection, found: Sequence[Mapping[str, Any]]) -> tuple[PastRun, ...]:
    streams = _Streams(connection)
    return tuple(past for row in found if (past := _past_run(row, streams)))


def _past_run(row: Mapping[str, Any], streams: _Streams) -> PastRun | None:
    tally = unpack_tally(row["tally"])
    if tally is None:
        return None
    failed = passed = None
    if row["tests"] is not None:
        failed, passed = streams.tests(row["stream"]).read(row["first_test"], row["tests"])
    return PastRun(
        ref=unpack_ref(row["run"]),
        stream=Stream(*(row[name] for name in _STREAM)),
        created_at=datetime.fromisoformat(row["created_at"]),
        finished_at=datetime.fromisoformat(row["finished_at"]) if row["finished_at"] else None,
        tally=tally,
        failing=bool(row["failing"]),
        failed=failed,
        passed=passed,
    )


def _values(stream: Stream) -> list[object]:
    return [getattr(stream, name) for name in _STREAM]


# ── and away ──


def _sweep(connection: sqlite3.Connection, before: str) -> int:
    with alone(connection):
        return _forget(connection, before)


def _forget(connection: sqlite3.Connection, before: str) -> int:
    """Forget runs that began before then, streams that have none left, and lots of names that none left uses."""
    old = "from past_runs where stream in (select id from streams) and created_at < ?"
    streams = [row["stream"] for row in rows(connection, f"select distinct stream {old}", [before])]
    gone = connection.execute(f"delete {old}", [before]).rowcount
    for stream in streams:
        lots = {
            row["first"]: row["count"]
            for row in rows(connection, "select first, count from stream_tests where stream = ?", [stream])
        }
        for first in _unused(connection, stream, lots):
            connection.execute("delete from stream_tests where stream = ? and first = ?", [stream, first])
    connection.execute("delete from streams where not exists (select 1 from past_runs where stream = streams.id)")
    connection.execute("delete from stream_tests where stream not in (select id from streams)")
    return gone


def _unused(connection: sqlite3.Connection, stream: int, lots: Mapping[int, int]) -> set[int]:
    """The lots of names (by their first, with their counts) that no run uses. Runs are unpacked one after the other."""
    unused = set(lots)
    left = connection.execute(
        "select first_test, tests from past_runs where stream = ? and tests is not null", [stream]
    )
    for first_test, tests in left:
        if not unused:
            break
        marks = zlib.decompress(tests)
        unused -= {first for first in unused if _uses(marks, first - first_test, lots[first])}
    return unused


def _uses(marks: bytes, start: int, count: int) -> bool:
    """Whether any of these tests, counted from the first mark, has one."""
    return bool(marks[max(start, 0) : max(start + count, 0)].strip(b"\0"))
