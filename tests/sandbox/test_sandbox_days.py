"""Days go by in the sandbox in a rhythm of three, each step at its moment, however the clock is moved."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from bot.sandbox.days import Day, Days, Mood, Story, first_night

BIRTH = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


class Diary:
    """Days in which two things happen, two hours and four and a half hours after each day's beginning."""

    def __init__(self) -> None:
        self.entries: list[tuple[datetime, str]] = []
        self.days = Days(BIRTH, self._stories)

    def _stories(self, day: Day) -> Iterator[Story]:
        yield self._story(day)

    def _story(self, day: Day) -> Story:
        for after, what in ((2 * HOUR, "begins"), (4.5 * HOUR, "ends")):
            yield day.begins + after
            self.entries.append((day.begins + after, f"{day.mood} day {what}"))


@pytest.mark.parametrize(
    ("birth", "night"),
    [
        ("2026-11-20T12:00+00:00", "2026-11-21T02:00+00:00"),
        ("2026-11-20T01:59:59+00:00", "2026-11-20T02:00+00:00"),
        ("2026-11-20T02:00+00:00", "2026-11-21T02:00+00:00"),
        ("2026-11-20T02:30+01:00", "2026-11-20T02:00+00:00"),
        ("2026-12-31T23:00+00:00", "2027-01-01T02:00+00:00"),
    ],
)
def test_the_first_day_begins_with_the_first_night_to_come(birth: str, night: str) -> None:
    assert first_night(datetime.fromisoformat(birth)) == datetime.fromisoformat(night)


def test_bad_mixed_and_quiet_days_follow_each_other() -> None:
    days = [Day(BIRTH, number).mood for number in range(7)]
    assert days == [Mood.BAD, Mood.MIXED, Mood.QUIET, Mood.BAD, Mood.MIXED, Mood.QUIET, Mood.BAD]


def test_only_what_falls_into_the_time_happens() -> None:
    diary = Diary()
    seen = []
    for moment in ("21T03:59", "21T04:00", "21T06:29", "21T07:00", "22T05:00"):
        diary.days.live_until(datetime.fromisoformat(f"2026-11-{moment}+00:00"))
        seen.append(len(diary.entries))
    assert seen == [0, 1, 1, 2, 3]
    assert [what for _, what in diary.entries] == ["bad day begins", "bad day ends", "mixed day begins"]


def test_a_moment_that_is_past_brings_nothing() -> None:
    diary = Diary()
    diary.days.live_until(BIRTH + timedelta(days=2))
    before = list(diary.entries)
    diary.days.live_until(BIRTH - timedelta(days=400))
    diary.days.live_until(BIRTH + timedelta(days=2))
    assert diary.entries == before


def test_a_long_time_brings_the_last_month_and_ends_what_was_begun() -> None:
    diary = Diary()
    diary.days.live_until(BIRTH + timedelta(hours=17))
    diary.days.live_until(BIRTH + timedelta(days=400))
    first, last = diary.entries[:2], diary.entries[2:]
    assert [what for _, what in first] == ["bad day begins", "bad day ends"]
    assert len(last) == 2 * 31
    assert last[-1][0] == BIRTH + timedelta(days=399, hours=18.5)
    assert diary.entries == sorted(diary.entries, key=lambda entry: entry[0])


def test_what_goes_on_already_comes_to_its_end() -> None:
    ended = []

    def going() -> Story:
        yield BIRTH + HOUR
        ended.append("it")

    days = Days(BIRTH, lambda _day: (), [going()])
    days.live_until(BIRTH + 0.5 * HOUR)
    assert not ended
    days.live_until(BIRTH + HOUR)
    assert ended == ["it"]
