"""For hours digests take all the calls they may: the minute is kept to, and people hardly wait."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from bot.systems import system
from tests.bench.figures import percentile
from tests.systems.floor_kit import play
from tests.systems.hours_kit import BACKLOG, busy

PER_MINUTE = system("practitest").per_minute or 0
HOUR = 60


@pytest.mark.parametrize(
    ("every_s", "calls"),
    [(60, (1,)), (15, (1,)), (15, (1, 2, 3)), (30, (2, 3, 4)), (60, (2, 3, 6)), (20, (2, 3))],
    ids=lambda value: f"{value}" if isinstance(value, int) else "-".join(map(str, value)),
)
@pytest.mark.parametrize("seed", [1, 2])
def test_people_wait_a_second_at_most_while_digests_want_every_call(
    every_s: float, calls: Sequence[int], seed: int
) -> None:
    hours, _ = play(lambda: busy(5 * HOUR, per_minute=PER_MINUTE, every_s=every_s, calls=calls, seed=seed))
    assert (PER_MINUTE, hours.server.refused) == (30, 0)
    assert hours.server.most <= PER_MINUTE
    assert percentile(hours.waits_s, 0.95) <= 1
    assert len(hours.waits_s) > 100


@pytest.mark.parametrize(("per_minute", "share"), [(30, 24), (180, 144), (5, 4)])
def test_what_people_do_not_need_digests_use_up_to_their_share(per_minute: int, share: int) -> None:
    hours, _ = play(lambda: busy(HOUR, per_minute=per_minute, every_s=3600, calls=(1,)))
    assert hours.server.refused == 0
    assert share * 0.97 <= (hours.background - BACKLOG) / HOUR <= share


def test_people_who_want_every_call_get_them_and_are_never_refused() -> None:
    hours, _ = play(lambda: busy(HOUR, per_minute=PER_MINUTE, every_s=2, calls=(1, 2, 3)))
    assert (hours.server.most, hours.server.refused) == (PER_MINUTE, 0)
    assert hours.background < HOUR


def test_the_seventh_call_of_a_person_waits_for_one_call_of_a_digest_and_not_for_a_minute() -> None:
    hours, _ = play(lambda: busy(5 * HOUR, per_minute=PER_MINUTE, every_s=180, calls=(7,)))
    assert percentile(hours.waits_s, 0.5) < 3
