"""Slack's date tokens as the reader's local time. Source: docs.slack.dev messaging/formatting-message-text."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo

_TOKEN = re.compile(r"<!date\^(\d{1,12})\^([^\^|<>]+)(\^[^|<>]+)?(\|[^<>]*)?>")
_WORD = re.compile(r"\{(\w+)\}")


def settle(text: str, now: datetime, zone: tzinfo | None) -> str:
    """The mrkdwn text, each date token's label replaced by what its format says. `zone` None is this machine's."""

    def fill(found: re.Match[str]) -> str:
        spelled = spell(found[2], int(found[1]), now, zone)
        return found[0] if spelled is None else f"<!date^{found[1]}^{found[2]}{found[3] or ''}|{spelled}>"

    return _TOKEN.sub(fill, text)


def spell(template: str, stamp: int, now: datetime, zone: tzinfo | None) -> str | None:
    """`{date_short_pretty} at {time}` → `today at 09:00`; None for a moment no calendar has or an unknown word."""
    try:
        moment = datetime.fromtimestamp(stamp, UTC).astimezone(zone)
    except (OverflowError, ValueError, OSError):
        return None
    words = {word: _WORDS[word](moment, now.astimezone(zone)) for word in _WORD.findall(template) if word in _WORDS}
    if words.keys() != set(_WORD.findall(template)):
        return None
    return _WORD.sub(lambda found: words[found[1]], template)


def clock(moment: datetime, zone: tzinfo | None) -> str:
    return f"{moment.astimezone(zone):%H:%M}"


def _date(moment: datetime, _now: datetime) -> str:
    return f"{moment:%B} {_ordinal(moment.day)}, {moment.year}"


def _short(moment: datetime, _now: datetime) -> str:
    return f"{moment:%b} {moment.day}, {moment.year}"


def _long(moment: datetime, now: datetime) -> str:
    return f"{moment:%A}, {_date(moment, now)}"


def _number(moment: datetime, _now: datetime) -> str:
    return f"{moment:%Y-%m-%d}"


def _pretty(otherwise: Callable[[datetime, datetime], str]) -> Callable[[datetime, datetime], str]:
    """Yesterday, today and tomorrow by these words."""

    def say(moment: datetime, now: datetime) -> str:
        near = {
            now.date() + timedelta(days=days): word for days, word in ((-1, "yesterday"), (0, "today"), (1, "tomorrow"))
        }
        return near.get(moment.date()) or otherwise(moment, now)

    return say


def _ago(moment: datetime, now: datetime) -> str:
    seconds = int((now - moment).total_seconds())
    for unit_s, word in ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second")):
        count = abs(seconds) // unit_s
        if count:
            amount = f"{count} {word}{'s' if count > 1 else ''}"
            return f"{amount} ago" if seconds > 0 else f"in {amount}"
    return "now"


def _ordinal(day: int) -> str:
    ending = "th" if 11 <= day <= 13 else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")
    return f"{day}{ending}"


_WORDS: dict[str, Callable[[datetime, datetime], str]] = {
    "date_num": _number,
    "date_slash": lambda moment, _: f"{moment:%d/%m/%Y}",
    "date": _date,
    "date_short": _short,
    "date_long": _long,
    "date_long_full": _long,
    "date_pretty": _pretty(_date),
    "date_short_pretty": _pretty(_short),
    "date_long_pretty": _pretty(_long),
    "day_divider_pretty": _pretty(_long),
    "time": lambda moment, _: f"{moment:%H:%M}",
    "time_secs": lambda moment, _: f"{moment:%H:%M:%S}",
    "ago": _ago,
}
