"""Days that go by in a sample system while the sandbox's clock is moved: a bad one, a mixed one, a quiet one, again.

What happens is told as stories. A story yields the moment of its next step before it takes that step, so that a move
into the middle of a night leaves its runs half done, and the next move takes them up there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from heapq import heappop, heappush

Story = Iterator[datetime]

ONE_DAY = timedelta(days=1)
#: A longer move brings only the days at its end.
MOST_DAYS = 31
#: When a day begins, in UTC: the nightly suites start then.
NIGHT_HOUR = 2


class Mood(StrEnum):
    """What kind of day it is."""

    BAD = "bad"
    MIXED = "mixed"
    QUIET = "quiet"


RHYTHM = (Mood.BAD, Mood.MIXED, Mood.QUIET)


@dataclass(frozen=True, slots=True)
class Day:
    """One day: from `begins` (02:00 UTC) to the next one; `number` counts from 0, the first day after the sample's."""

    begins: datetime
    number: int

    @property
    def mood(self) -> Mood:
        return RHYTHM[self.number % len(RHYTHM)]


class Days:
    """What is going to happen in one system born at `birth`: `going` is on its way already, `stories` tells a day."""

    def __init__(self, birth: datetime, stories: Callable[[Day], Iterable[Story]], going: Iterable[Story] = ()) -> None:
        self._stories = stories
        self._tomorrow = Day(first_night(birth), 0)
        self._ahead: list[tuple[datetime, int, Story]] = []
        self._begun = 0
        for story in going:
            self._follow(story)

    def live_until(self, moment: datetime) -> None:
        """Takes all steps up to this moment, in the order of their times. A moment that is past has none."""
        while self._tomorrow.begins <= moment:
            day = self._tomorrow
            self._tomorrow = Day(day.begins + ONE_DAY, day.number + 1)
            if day.begins > moment - MOST_DAYS * ONE_DAY:
                for story in self._stories(day):
                    self._follow(story)
        while self._ahead and self._ahead[0][0] <= moment:
            self._follow(heappop(self._ahead)[2])

    def _follow(self, story: Story) -> None:
        """Goes on to the story's next step, which is taken when its moment has come."""
        at = next(story, None)
        if at is not None:
            self._begun += 1
            heappush(self._ahead, (at, self._begun, story))


def first_night(birth: datetime) -> datetime:
    """The first beginning of a day after this moment."""
    night = birth.astimezone(UTC).replace(hour=NIGHT_HOUR, minute=0, second=0, microsecond=0)
    return night if night > birth else night + ONE_DAY
