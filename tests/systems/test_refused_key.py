"""A key that was refused is not shown again at once: some servers lock an account that keeps trying."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bot.domain.errors import RefusedFault
from bot.systems._pace import Pace
from bot.systems._wire import REFUSED_S, Wire


class Refusing(Wire):
    calls = 0
    status = 401

    async def _exchange(self, method, target, body):  # type: ignore[no-untyped-def]
        self.calls += 1
        return self.status, {}, b"[]"


async def test_a_refused_key_rests_for_half_a_minute() -> None:
    pace = Pace(None)
    began = pace.now()
    wire = Refusing("It", "http://x", headers={}, secrets=(), pace=pace, now=lambda: datetime.now(UTC))
    for _ in range(5):
        with pytest.raises(RefusedFault):
            await wire.read("/a")
    assert wire.calls == 1
    wire.status = 200
    assert wire._refused is not None
    assert wire._refused[0] - began >= REFUSED_S
    wire._refused = (pace.now() - 1, wire._refused[1])  # the half minute is over
    assert await wire.read("/a") == b"[]"


async def test_what_a_good_key_may_not_do_is_asked_for_anew() -> None:
    wire = Refusing("It", "http://x", headers={}, secrets=(), pace=Pace(None), now=lambda: datetime.now(UTC))
    wire.status = 403
    for _ in range(2):
        with pytest.raises(RefusedFault):
            await wire.read("/a")
    assert wire.calls == 2
