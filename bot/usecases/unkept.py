"""A history to look at digests with: what is read meanwhile is known, and forgotten afterwards.

A digest that somebody only wants to see must not count as told: the next one would leave out what it told late.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from heapq import nlargest

from bot.domain.digests import PastRun, past_end
from bot.domain.model import RunRef
from bot.domain.outcomes import Tally
from bot.domain.streams import Stream
from bot.usecases.ports import History

#: Of each stream so many runs are known whole, the latest; it is not looked further back at than that.
WHOLE = 150


class Unkept:
    """The port `History` over another one, which it only reads."""

    def __init__(self, kept: History) -> None:
        self._kept = kept
        self._read: dict[Stream, _Past] = {}

    async def keep(self, runs: Sequence[PastRun]) -> int:
        for run in runs:
            self._read.setdefault(run.stream, _Past(run.stream)).add(run)
        return len(runs)

    async def of(self, stream: Stream, *, before: datetime, most: int) -> tuple[PastRun, ...]:
        kept = {run.ref: run for run in await self._kept.of(stream, before=before, most=most)}
        read = self._read.get(stream)
        if read is not None:
            for run in read.before(before, most):
                there = kept.get(run.ref)
                if there is None or there.failed is None:
                    kept[run.ref] = run
        return tuple(nlargest(max(most, 0), kept.values(), key=_age))

    async def known(self, refs: Sequence[RunRef]) -> Mapping[RunRef, PastRun]:
        """Only what was kept: whether a run was told before is what this is asked for."""
        return await self._kept.known(refs)

    async def sweep(self, older_than: datetime) -> int:  # noqa: ARG002  there is nothing to forget
        return 0


class _Past:
    """The runs of one stream: the latest as they were read, of those before only when they were, and how they ended."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._whole: dict[RunRef, PastRun] = {}
        #: Begin and end in seconds, number, whether it failed: of one run after the other.
        self._bare = array("d")

    def add(self, run: PastRun) -> None:
        known = self._whole.get(run.ref)
        if known is None or run.failed is not None or known.failed is None:
            self._whole[run.ref] = run
        if len(self._whole) >= 2 * WHOLE:
            latest = nlargest(WHOLE, self._whole.values(), key=_age)
            for ref in self._whole.keys() - {each.ref for each in latest}:
                old = self._whole[ref]
                self._bare.extend((old.created_at.timestamp(), past_end(old).timestamp(), ref.id, old.failing))
            self._whole = {each.ref: each for each in latest}

    def before(self, moment: datetime, most: int) -> list[PastRun]:
        """The newest that began before then, newest first."""
        bare = nlargest(max(most, 0), (row for row in self._rows() if row[0] < moment.timestamp()))
        runs = {run.ref: run for run in map(self._filled, bare)}
        runs |= {ref: run for ref, run in self._whole.items() if run.created_at < moment}
        return nlargest(max(most, 0), runs.values(), key=_age)

    def _rows(self) -> Iterator[tuple[float, int, float, bool]]:
        rows = iter(self._bare)
        for created, ended, number, failing in zip(rows, rows, rows, rows, strict=True):
            yield created, int(number), ended, bool(failing)

    def _filled(self, row: tuple[float, int, float, bool]) -> PastRun:
        created, number, ended, failing = row
        return PastRun(
            ref=RunRef(self._stream.connection, self._stream.letter, number),
            stream=self._stream,
            created_at=datetime.fromtimestamp(created, UTC),
            finished_at=datetime.fromtimestamp(ended, UTC),
            tally=Tally(),
            failing=failing,
        )


def _age(run: PastRun) -> tuple[datetime, int]:
    return run.created_at, run.ref.id
