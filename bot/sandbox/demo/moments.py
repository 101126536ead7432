"""A moment as people name it, from words: `tomorrow 09:00`, `monday 09:00`, `+2h`, `2026-12-24 09:00`. Pure."""

from __future__ import annotations

import re
from datetime import UTC, datetime, time, timedelta

_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_SPAN = re.compile(r"\+ ?(\d{1,4}) ?(m|min|h|d|w)[a-z]*")
_UNITS = {
    "m": timedelta(minutes=1),
    "min": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}
_CLOCK = re.compile(r"(?:(.*?)[ t])?(\d{1,2}):(\d{2})")
HINT = "Say :clock tomorrow 09:00, monday 09:00, +2h or 2026-12-24 09:00"


def read_moment(words: str, now: datetime) -> datetime | None:
    """The moment meant by these words; `now` is aware, in the zone they are said in. None if they mean none.

    A time alone is the next one of it; a weekday is the next one, never today. Minutes and hours really pass, days
    and weeks lead to the same time of another day, whatever the clocks do in between.
    """
    words = " ".join(words.lower().split())
    if span := _SPAN.fullmatch(words):
        ahead = int(span[1]) * _UNITS[span[2]]
        return now + ahead if span[2] in "dw" else (now.astimezone(UTC) + ahead).astimezone(now.tzinfo)
    found = _CLOCK.fullmatch(words)
    day, clock = (found[1] or "", (int(found[2]), int(found[3]))) if found else (words, (9, 0))
    if clock[0] > 23 or clock[1] > 59:
        return None
    if not day and found:
        today = datetime.combine(now.date(), time(*clock), now.tzinfo)
        return today if today > now else today + timedelta(days=1)
    return _on(day, time(*clock), now)


def _on(day: str, clock: time, now: datetime) -> datetime | None:
    date = now.date()
    begun = [number for number, name in enumerate(_DAYS) if len(day) >= 2 and name.startswith(day)]
    if day == "tomorrow":
        date += timedelta(days=1)
    elif begun:
        date += timedelta(days=(begun[0] - now.weekday() - 1) % 7 + 1)
    elif day != "today":
        try:
            date = datetime.fromisoformat(day).date()
        except ValueError:
            return None
    return datetime.combine(date, clock, now.tzinfo)
