"""A history to look at digests with: what is read meanwhile is known, and forgotten afterwards.

A digest that somebody only wants to see must not count as told: the next one would leave out what it told late.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from bot.domain.digests import PastRun
from bot.domain.model import RunRef
from bot.domain.streams import Stream
from bot.usecases.ports import History


class Unkept:
    """The port `History` over another one, which it only reads."""

    def __init__(self, kept: History) -> None:
        self._kept = kept
        self._read: dict[RunRef, PastRun] = {}

    async def keep(self, runs: Sequence[PastRun]) -> int:
        for run in runs:
            known = self._read.get(run.ref)
            if known is None or run.failed is not None or known.failed is None:
                self._read[run.ref] = run
        return len(runs)

    async def of(self, stream: Stream, *, before: datetime, most: int) -> tuple[PastRun, ...]:
        kept = {run.ref: run for run in await self._kept.of(stream, before=before, most=most)}
        for run in self._read.values():
            if run.stream == stream and run.created_at < before:
                there = kept.get(run.ref)
                if there is None or there.failed is None:
                    kept[run.ref] = run
        newest = sorted(kept.values(), key=lambda run: (run.created_at, run.ref.id), reverse=True)
        return tuple(newest[: max(most, 0)])

    async def known(self, refs: Sequence[RunRef]) -> Mapping[RunRef, PastRun]:
        """Only what was kept: whether a run was told before is what this is asked for."""
        return await self._kept.known(refs)

    async def sweep(self, older_than: datetime) -> int:  # noqa: ARG002  there is nothing to forget
        return 0
