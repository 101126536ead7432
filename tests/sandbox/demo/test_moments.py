"""What `:clock` understands."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from bot.sandbox.demo.moments import read_moment

BERLIN = ZoneInfo("Europe/Berlin")
SATURDAY = datetime(2026, 11, 21, 8, 15, tzinfo=BERLIN)


@pytest.mark.parametrize(
    ("words", "moment"),
    [
        ("tomorrow 09:00", "2026-11-22T09:00"),
        ("Monday 9:00", "2026-11-23T09:00"),
        ("mon", "2026-11-23T09:00"),
        ("saturday 08:00", "2026-11-28T08:00"),
        ("today 18:30", "2026-11-21T18:30"),
        ("09:00", "2026-11-21T09:00"),
        ("08:00", "2026-11-22T08:00"),
        ("+2h", "2026-11-21T10:15"),
        ("+ 3 days", "2026-11-24T08:15"),
        ("2026-12-24 09:00", "2026-12-24T09:00"),
        ("2026-12-24", "2026-12-24T09:00"),
    ],
)
def test_moments_are_read_as_people_name_them(words: str, moment: str) -> None:
    assert read_moment(words, SATURDAY) == datetime.fromisoformat(moment).replace(tzinfo=BERLIN)


@pytest.mark.parametrize(
    ("now", "words", "moment"),
    [
        ("2026-10-25T00:30+00:00", "+2h", "2026-10-25T02:30+00:00"),  # 02:30 to 03:30, an hour comes twice
        ("2026-10-25T00:45+00:00", "+30min", "2026-10-25T01:15+00:00"),
        ("2026-10-24T20:00+00:00", "tomorrow 09:00", "2026-10-25T08:00+00:00"),
        ("2026-10-24T07:00+00:00", "+1d", "2026-10-25T08:00+00:00"),
        ("2026-03-29T00:30+00:00", "+2h", "2026-03-29T02:30+00:00"),  # 01:30 to 04:30
        ("2026-03-28T20:00+00:00", "tomorrow 09:00", "2026-03-29T07:00+00:00"),
        ("2026-03-27T08:00+00:00", "monday 09:00", "2026-03-30T07:00+00:00"),
    ],
)
def test_hours_really_pass_and_days_keep_their_time_when_clocks_change(now: str, words: str, moment: str) -> None:
    found = read_moment(words, datetime.fromisoformat(now).astimezone(BERLIN))
    assert found is not None
    assert found.astimezone(UTC) == datetime.fromisoformat(moment)


@pytest.mark.parametrize("words", ["", "soon", "25:00", "09:60", "2026-13-01 09:00", "m 09:00"])
def test_what_is_no_moment_is_none(words: str) -> None:
    assert read_moment(words, SATURDAY) is None
