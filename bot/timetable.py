"""When a plan is due: `--at`, `--on`, `--cron` and a zone → `Timing`, and a `Timing` → its slots.

Slots are wall times, one for each, in order:
- A time that the clock shows twice (autumn) is due the first time only.
- A time that it never shows (spring) is due at the next minute that exists, under the key of the time it was meant for.
  If others of the plan fall on that very minute, the latest of them stands for all. What runs every so often (a star
  first in its minute or hour, as in Debian's cron) leaves such times out.
- A day that a zone leaves out (Samoa had no 30 December 2011) has no slots.
"""

from __future__ import annotations

import copy
import difflib
import re
import zoneinfo
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from heapq import merge
from itertools import groupby, islice, takewhile
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from bot.domain.digests import Slot, Timing
from bot.domain.errors import NotFoundError, OurError

#: Between two slots of one plan.
LEAST_MIN = 5
#: A plan that is silent for longer was not meant so; 29 February comes at least every eight years.
_RARE_YEARS = 8
#: After so long without a slot the search ends, whatever the expression.
_SEARCH_YEARS = 30
#: How far back the slot before one is looked for: few steps for one that comes often.
_BEFORE = (timedelta(days=1), timedelta(days=8), timedelta(days=35))
_LONGEST = 200
_DAY = timedelta(days=1)
#: Where a parsed expression stands until it is asked; on a wall clock, so without a zone.
_ANY_TIME = datetime(2024, 1, 1)  # noqa: DTZ001

#: Between the expressions of a `Timing` that no single one can say: `0 9 * * *; 30 14 * * *`.
_AND = ";"


class TimingError(NotFoundError):
    """A time, day, zone or cron expression that means nothing, or is never or too often.

    `closest` are values that could stand in place of `instead_of`, the value as it was given.
    """


# ------------------------------------------------------------------ words → Timing


def timing(*, at: str = "", on: str = "", cron: str = "", zone: str) -> Timing:
    """Read when: clock times `at` (`09:00,14:30`) with days `on` (all if empty), or `cron`; in an IANA zone.

    `said` can be typed again: the words of `on`, “at”, those of `at`; or the expression. Raises TimingError, with the
    closest value; OurError where this machine knows no zones.
    """
    at, on, cron = at.strip(), on.strip(), cron.strip()
    if cron and (at or on):
        raise TimingError(
            f"--cron and --{'at' if at else 'on'} do not go together.",
            why="A cron expression holds both the time and the days.",
            fix='Keep --at and --on, or --cron "0 9 * * 1-5" alone.',
        )
    if not (cron or at):
        raise TimingError(
            "It does not say at what time.",
            why="--on holds the days only." if on else "A digest needs a time of day.",
            fix='Add --at 09:00, or --cron "0 9 * * 1-5".',
        )
    named = zone_named(zone)
    if cron:
        expression = _cron(cron)
        found = Timing(expression, named, expression)
        _check_often(found, "--cron", cron)
        _check_rare(found, cron)
        return found
    clocks, days, said = _clocks(at), *_days(on)
    found = Timing(_expressions(clocks, days), named, f"{said} at {_joined(clocks)}")
    _check_often(found, "--at", at)
    return found


def in_words(timing: Timing) -> str:
    """For people: `mon-fri at 09:00 (Europe/Berlin)`, `cron 0 9 * * 1-5 (UTC)`."""
    return f"{'cron ' if timing.said == timing.cron else ''}{timing.said} ({timing.zone})"


# ------------------------------------------------------------------ Timing → slots


def slots(timing: Timing, *, after: datetime, most: int) -> tuple[Slot, ...]:
    """The next slots, all strictly later than `after` (aware); fewer if no more come within decades."""
    return tuple(islice(_walk(timing, after), most))


def slots_between(timing: Timing, after: datetime, until: datetime) -> Iterator[Slot]:
    """Slots later than `after`, up to and with `until`; spans laid end to end give each slot once."""
    return takewhile(lambda slot: slot.at <= until, _walk(timing, after))


def slot_before(timing: Timing, at: datetime) -> datetime | None:
    """When the last slot before then was; None if there was none for some weeks."""
    for span in _BEFORE:
        last = max((slot.at for slot in slots_between(timing, at - span, at) if slot.at < at), default=None)
        if last is not None:
            return last
    return None


def next_slot(timing: Timing, after: datetime) -> Slot:
    """The first slot strictly later than `after`. Raises TimingError if none comes within decades."""
    found = next(_walk(timing, after), None)
    if found is None:
        raise _never(timing.said)
    return found


def _walk(timing: Timing, after: datetime) -> Iterator[Slot]:
    zone = _zone(timing.zone)
    every_so_often = any(field.startswith("*") for field in timing.cron.split()[:2])
    # In the second hour of an autumn night this is earlier than what was due already: those are passed over below.
    start = after.astimezone(zone).replace(tzinfo=None, second=0, microsecond=0, fold=0)
    limit = start.year + _SEARCH_YEARS
    held: Slot | None = None
    for wall in _walls(timing.cron, start):
        if wall.year > limit:
            break
        due, exists = _due(wall, zone, skip_missing=every_so_often)
        if due is None or due <= after:
            continue
        limit = wall.year + _SEARCH_YEARS
        slot = Slot(wall.isoformat(timespec="minutes"), due)
        if held and held.at < due:
            yield held
        # The next wall time may fall on the same minute.
        held = None if exists else slot
        if exists:
            yield slot
    if held:
        yield held


def _walls(cron: str, start: datetime) -> Iterator[datetime]:
    """Wall times later than `start`, in order, each once: cron is asked without a zone, so no clock ever changes."""
    first = _first_wall(cron, start)
    if first:
        yield first
        yield from _walls_anew(cron, first)


@lru_cache(maxsize=8192)
def _first_wall(cron: str, start: datetime) -> datetime | None:
    # Kept, since most plans of a place are due at the same few times and are asked for at once.
    return next(_walls_anew(cron, start), None)


def _walls_anew(cron: str, start: datetime) -> Iterator[datetime]:
    several = []
    for parsed in _parsed(cron):
        walker = copy.copy(parsed)
        walker.dt = start
        several.append(walker)
    if len(several) == 1:
        return several[0]
    return (wall for wall, _ in groupby(merge(*several)))


@lru_cache(maxsize=4096)
def _parsed(cron: str) -> tuple[CronSim, ...]:
    return tuple(CronSim(each, _ANY_TIME) for each in cron.split(_AND))


def _due(wall: datetime, zone: ZoneInfo, *, skip_missing: bool) -> tuple[datetime | None, bool]:
    """When a wall time is due in UTC (None: never), and whether the clock ever shows it."""
    local = wall.replace(tzinfo=zone)
    before, since = _offset(local), _offset(local.replace(fold=1))
    at = (wall - before).replace(tzinfo=UTC)
    if since <= before:
        return at, True
    if skip_missing or since - before >= _DAY:
        return None, False
    # The clock jumps somewhere between these two; `at` is what it would be had it not.
    low = (wall - since).replace(tzinfo=UTC)
    seconds = range(int((at - low).total_seconds()))
    jump = bisect_left(seconds, True, key=lambda s: _offset((low + timedelta(seconds=s)).astimezone(zone)) == since)
    return (low + timedelta(seconds=jump + 59)).replace(second=0), False


def _offset(local: datetime) -> timedelta:
    return local.utcoffset() or timedelta(0)


# ------------------------------------------------------------------ zones

#: What people write for a zone, and cities that keep it. Some are IANA names too, but EST there has no summer time.
_SHORT = {
    "ET": ("America/New_York",),
    "EST": ("America/New_York", "America/Panama"),
    "EDT": ("America/New_York",),
    "CT": ("America/Chicago",),
    "CST": ("America/Chicago", "Asia/Shanghai"),
    "CDT": ("America/Chicago",),
    "MT": ("America/Denver",),
    "MST": ("America/Denver", "America/Phoenix"),
    "MDT": ("America/Denver",),
    "PT": ("America/Los_Angeles",),
    "PST": ("America/Los_Angeles", "Asia/Manila"),
    "PDT": ("America/Los_Angeles",),
    "HST": ("Pacific/Honolulu",),
    "BRT": ("America/Sao_Paulo",),
    "WET": ("Europe/Lisbon",),
    "WEST": ("Europe/Lisbon",),
    "BST": ("Europe/London",),
    "CET": ("Europe/Berlin", "Europe/Paris"),
    "CEST": ("Europe/Berlin", "Europe/Paris"),
    "MET": ("Europe/Berlin", "Europe/Paris"),
    "MEZ": ("Europe/Berlin", "Europe/Vienna"),
    "MESZ": ("Europe/Berlin", "Europe/Vienna"),
    "EET": ("Europe/Helsinki", "Europe/Athens"),
    "EEST": ("Europe/Helsinki", "Europe/Athens"),
    "MSK": ("Europe/Moscow",),
    "IST": ("Asia/Kolkata", "Asia/Jerusalem", "Europe/Dublin"),
    "SGT": ("Asia/Singapore",),
    "JST": ("Asia/Tokyo",),
    "KST": ("Asia/Seoul",),
    "AEST": ("Australia/Sydney", "Australia/Brisbane"),
    "AEDT": ("Australia/Sydney",),
    "NZST": ("Pacific/Auckland",),
}
#: In the list of zones of some machines, but no place.
_NO_PLACE = {"Factory", "localtime", "posixrules"}
_PLACE = re.compile(r"[A-Z][A-Za-z_]*(?:/[A-Z][A-Za-z0-9_+-]*){1,2}")
_SHIFT = re.compile(r"(?:utc|gmt|z)?\s*[+-]\s*[0-9]{1,2}(?::?[0-9]{2})?", re.IGNORECASE)


def zone_named(typed: str) -> str:
    """The IANA name that was typed, whatever its case. Raises TimingError: unknown, or an abbreviation or offset."""
    name = typed.strip().replace(" ", "_")
    # The list takes a while to read from a cold disk: whoever writes the name as it is need not wait for it.
    if name == "UTC" or (len(name) <= 64 and _PLACE.fullmatch(name) and _opens(name)):
        return name
    known = _zones()
    short = _SHORT.get(name.upper())
    if not short and name.casefold() in known:
        return known[name.casefold()]
    what, fix = (
        f"{_shown(typed)} is not a time zone I know.",
        "Name a city as IANA does, such as Europe/Berlin, or UTC.",
    )
    if not name:
        raise TimingError("The time zone is missing.", why="It is empty.", fix=fix)
    if short:
        why = "A few letters mean different places, and do not tell whether there is a summer time."
        raise TimingError(what, why=why, fix=fix, closest=short, instead_of=typed)
    if _SHIFT.fullmatch(name):
        why = "An offset does not know when summer time begins and ends."
        raise TimingError(what, why=why, fix=fix, instead_of=typed)
    why = "Zones have the names of the IANA list."
    raise TimingError(what, why=why, fix=fix, closest=_near_zones(name.casefold(), known), instead_of=typed)


def _near_zones(name: str, known: dict[str, str]) -> tuple[str, ...]:
    """Zones of that city, or the like; old names of a place give way to the ones with a continent."""
    cities: dict[str, list[str]] = {}
    for folded, real in known.items():
        cities.setdefault(folded.rsplit("/", 1)[-1], []).append(real)
    city = name.rsplit("/", 1)[-1]
    if city in cities:
        return tuple(sorted(cities[city])[:3])
    close = [known[each] for each in _like(name, known)]
    return tuple(close or [sorted(cities[each])[0] for each in _like(city, cities)])


def _like(word: str, known: Iterable[str]) -> list[str]:
    """The most like it, and others only if they are nearly as much so."""
    found = difflib.get_close_matches(word[:64], known, 3, 0.7)
    likeness = [difflib.SequenceMatcher(None, each, word[:64]).ratio() for each in found]
    return [each for each, ratio in zip(found, likeness, strict=True) if ratio > likeness[0] - 0.08]


@lru_cache(maxsize=1)
def _zones() -> dict[str, str]:
    """Every zone by its folded name. Raises OurError where there are none."""
    known = zoneinfo.available_timezones() - _NO_PLACE
    if not known:
        raise OurError(
            "Rundown knows no time zones here.",
            why="Neither this machine nor the Python package tzdata has the IANA list.",
            fix="Whoever runs Rundown: install tzdata.",
        )
    return {name.casefold(): name for name in sorted(known)}


def _opens(name: str) -> bool:
    try:
        return ZoneInfo(name).key == name
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return False


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo(zone_named(name))


# ------------------------------------------------------------------ clock times

_CLOCK = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])")
_LIKE_CLOCK = re.compile(r"([0-9]{1,2}?)(?:\s*[:.h]\s*|(?=[0-9]{2}(?![0-9])))?([0-9]{2})?\s*(?:uhr|h|([ap])\.?m\.?)?")
_SPOKEN = {"noon": (12, 0), "midday": (12, 0), "midnight": (0, 0), "morning": (9, 0)}

Clock = tuple[int, int]


def _clocks(at: str) -> list[Clock]:
    """`9:00,14:30` → (9, 0), (14, 30), in order, each once."""
    if len(at) > _LONGEST:
        raise TimingError(f"{_shown(at)} is too long.", why="It is no list of times.", fix="Write --at 09:00.")
    words = [word.strip() for word in at.split(",")]
    wrong = [word for word in words if not _CLOCK.fullmatch(word)]
    if wrong:
        guesses = [_guess_clock(word) for word in words if word]
        mended = _joined(sorted({each for each in guesses if each}))
        raise TimingError(
            f"{_shown(wrong[0])} is not a time of day." if wrong[0] else f"A time is missing in {_shown(at)}.",
            why="Times have hours from 00 to 23, a colon and minutes from 00 to 59; several stand with commas between.",
            fix="Write --at 09:00, or --at 09:00,14:30.",
            closest=(mended,) if mended else (),
            instead_of=at,
        )
    found = [_CLOCK.fullmatch(word) for word in words]
    return sorted({(int(each[1]), int(each[2])) for each in found if each})


def _guess_clock(word: str) -> Clock | None:
    """What was meant by `9am`, `09.00`, `0900`, `noon`; `25:00` is one o'clock at night."""
    word = word.casefold()
    if word in _SPOKEN:
        return _SPOKEN[word]
    like = _LIKE_CLOCK.fullmatch(word)
    if not like or not word.isascii():
        return None
    hour, minute = int(like[1]), int(like[2] or 0)
    if like[3]:
        hour = hour % 12 + (12 if like[3] == "p" else 0)
    return divmod((hour * 60 + minute) % (24 * 60), 60)


def _joined(clocks: Iterable[Clock]) -> str:
    return ",".join(f"{hour:02}:{minute:02}" for hour, minute in clocks)


# ------------------------------------------------------------------ days

_NAMES = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_WORDS = {
    "daily": "1-7", "every day": "1-7", "everyday": "1-7", "every-day": "1-7",
    "weekday": "1-5", "weekdays": "1-5", "workday": "1-5", "workdays": "1-5", "weekend": "6-7", "weekends": "6-7",
}  # fmt: skip
_LAST = {"last", "last day", "last-day"}
#: Every way to write a weekday, and which it is; Monday is 1, as in cron.
_WEEKDAY = {
    way: number
    for number, name in enumerate(_NAMES, 1)
    for way in {name, name + "s", name[:3], *({"tues"} if number == 2 else {"thur", "thurs"} if number == 4 else ())}
}
_NTH = re.compile(r"([1-9]|[12][0-9]|3[01])(st|nd|rd|th)")


def _days(on: str) -> tuple[tuple[str, str], str]:
    """`mon-fri` → the fields of cron for the day of the month and of the week, and the words to say it."""
    if len(on) > _LONGEST:
        raise TimingError(f"{_shown(on)} is too long.", why="These are no days.", fix="Write --on mon-fri.")
    words = [
        " ".join(word.split()) for word in re.sub(r"\s*[-–]\s*|\s+to\s+", "-", on.casefold() or "daily").split(",")
    ]
    week: set[int] = set()
    month: set[int | str] = set()
    wrong = [word for word in words if not _read_day(word, week, month)]
    if wrong:
        mended = list(dict.fromkeys(mend for word in words if (mend := _guess_day(word))))
        raise TimingError(
            f"{_shown(wrong[0])} is no day." if wrong[0] else f"A day is missing in {_shown(on)}.",
            why="Days are mon to sun, mon-fri, weekdays, daily, days of the month such as 1st and 15th, or last-day.",
            fix="Write --on mon-fri, or several with commas between: --on mon,wed,1st.",
            closest=(",".join(mended),) if mended else (),
            instead_of=on,
        )
    if week >= set(range(1, 8)):
        return ("*", "*"), "daily"
    dates = sorted(day for day in month if isinstance(day, int))
    said = [*_week_words(week), *(f"{day}{_ending(day)}" for day in dates), *(["last-day"] if "L" in month else [])]
    of_month = ",".join([*map(str, dates), *(["L"] if "L" in month else [])])
    # Where both are given, either will do: neither begins with a star.
    return (of_month or "*", ",".join(map(str, sorted(week))) or "*"), ",".join(said)


def _read_day(word: str, week: set[int], month: set[int | str]) -> bool:
    """Put what a word means into the two sets; False if it means nothing."""
    word = _WORDS.get(word, word)
    nth = _NTH.fullmatch(word)
    first, dash, last = word.partition("-")
    if word in _LAST:
        month.add("L")
    elif nth and nth[2] == _ending(int(nth[1])):
        month.add(int(nth[1]))
    elif word in _WEEKDAY:
        week.add(_WEEKDAY[word])
    elif word in ("1-7", "1-5", "6-7") and word in _WORDS.values():
        week.update(range(int(first), int(last) + 1))
    elif dash and first in _WEEKDAY and last in _WEEKDAY:
        week.update(_span(_WEEKDAY[first], _WEEKDAY[last]))
    else:
        return False
    return True


def _span(first: int, last: int) -> Iterator[int]:
    """Days from one to another, over the end of the week if need be."""
    return ((first - 1 + step) % 7 + 1 for step in range((last - first) % 7 + 1))


def _week_words(week: set[int]) -> Iterator[str]:
    """{1, 2, 3, 5} → `mon-wed`, `fri`."""
    for _, run in groupby(enumerate(sorted(week)), key=lambda row: row[1] - row[0]):
        days = [_NAMES[day - 1][:3] for _, day in run]
        if len(days) > 2:
            yield f"{days[0]}-{days[-1]}"
        else:
            yield from days


def _ending(day: int) -> str:
    return "th" if day in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")


def _guess_day(word: str) -> str:
    """A word of the grammar that was meant by another, empty if none is near; a right one stays."""
    if _read_day(word, set(), set()):
        return word
    several = [each for each in re.split(r"[\s/;&+]+|\band\b", word) if each]
    if len(several) > 1:  # never some of what was typed: who takes it would miss a day
        dates: set[int | str] = set()  # “2nd tuesday” is neither of the two
        return ",".join(several) if all(_read_day(each, set(), dates) for each in several) and not dates else ""
    number = re.fullmatch(r"([0-9]{1,2})(?:st|nd|rd|th|\.)?", word, re.ASCII)
    if number:
        day = min(max(int(number[1]), 1), 31)
        return f"{day}{_ending(day)}"
    ends = [_guess_weekday(part) for part in word.split("-")]
    if len(ends) <= 2 and all(ends):
        return "-".join(ends)
    return next(iter(difflib.get_close_matches(word, [*_WORDS, *sorted(_LAST)], 1, 0.6)), "")


_LATER = re.compile(r"([1-9][0-9]{0,2})([dw])")


def day_ahead(typed: str, today: date) -> date:
    """The day that is meant by `2026-12-24`, `tomorrow`, `friday` (the next one), `3d` or `2w` from today on.

    Raises TimingError.
    """
    word = " ".join(typed.casefold().split())
    later = _LATER.fullmatch(word)
    try:
        if word == "tomorrow":
            return today + _DAY
        if word in _WEEKDAY:
            return today + ((_WEEKDAY[word] - today.isoweekday() - 1) % 7 + 1) * _DAY
        if later:
            return today + int(later[1]) * (7 if later[2] == "w" else 1) * _DAY
        return date.fromisoformat(word)
    except (ValueError, OverflowError):
        raise TimingError(
            f"{_shown(typed)} is no day to come.",
            why="Days are 2026-12-24, tomorrow, friday, or a time from today on such as 3d or 2w.",
            fix="Write --until 2026-12-24.",
        ) from None


def _guess_weekday(word: str) -> str:
    begins = [name for name in _NAMES if len(word) > 1 and name.startswith(word)]
    near = begins or difflib.get_close_matches(word, _WEEKDAY, 1, 0.6)
    return near[0][:3] if len(near) == 1 else ""


# ------------------------------------------------------------------ cron

#: How a star is shown in Slack, where a plain one makes bold; it comes back by copying.
_STAR = "∗"
#: The fields as cronsim names them, with the least of their numbers and how many there are.
_FIELDS = {"minute": (0, 60), "hour": (0, 24), "day-of-month": (1, 31), "month": (1, 12), "day-of-week": (0, 7)}
_AT_WORDS = {
    "@hourly": "0 * * * *", "@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *", "@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *",
}  # fmt: skip
_CRON_FIX = 'Write --cron "0 9 * * 1-5": minute, hour, day of the month, month, day of the week.'


def _expressions(clocks: list[Clock], days: tuple[str, str]) -> str:
    """Clock times on some days as few expressions of five fields: one for each minute past the hour."""
    hours: dict[int, list[int]] = {}
    for hour, minute in clocks:
        hours.setdefault(minute, []).append(hour)
    return f"{_AND} ".join(
        f"{minute} {','.join(map(str, each))} {days[0]} * {days[1]}" for minute, each in sorted(hours.items())
    )


def _cron(typed: str) -> str:
    """An expression that cron can read, its spaces made one."""
    fields = typed.replace(_STAR, "*").split() if len(typed) <= _LONGEST else []
    expression = " ".join(fields)
    if len(fields) != 5:
        raise _not_five(typed, fields)
    try:
        CronSim(expression, _ANY_TIME)
    except (CronSimError, ValueError) as error:
        raise _wrong_field(typed, fields, str(error)) from None
    return expression


def _not_five(typed: str, fields: list[str]) -> TimingError:
    closest: tuple[str, ...] = ()
    if typed.startswith("@"):
        why = "Words with @ are not read here."
        near = difflib.get_close_matches(typed.casefold()[:20], _AT_WORDS, 1, 0.6)
        closest = tuple(_AT_WORDS[word] for word in near)
    elif len(fields) in (6, 7):
        why = f"It has {len(fields)} fields; there are none for seconds or years."
        tries = [" ".join(fields[1:6]), " ".join(fields[:5])]
        closest = tuple(dict.fromkeys(each.replace("?", "*") for each in tries if _readable(each.replace("?", "*"))))[
            :1
        ]
    else:
        why = f"It has {len(fields)} {'field' if len(fields) == 1 else 'fields'}." if fields else "It is too long."
        padded = " ".join([*fields, "*", "*", "*", "*"][:5])
        closest = (padded,) if 1 < len(fields) < 5 and _readable(padded) else ()
    return TimingError(
        f"{_shown(typed)} is not a cron expression of five fields.",
        why=why,
        fix=_CRON_FIX,
        closest=closest,
        instead_of=typed,
    )


def _wrong_field(typed: str, fields: list[str], problem: str) -> TimingError:
    name = problem.removeprefix("Bad ")
    place = list(_FIELDS).index(name) if name in _FIELDS else 0
    wrong = fields[place]
    if place == 2 and _readable(f"0 0 {wrong} * *"):
        return _never(typed, " ".join([*fields[:2], "L", *fields[3:]]))
    mended = _mended_field(wrong, place)
    closest = " ".join([*fields[:place], mended, *fields[place + 1 :]])
    return TimingError(
        f"{_shown(wrong, 30)} is no {name.replace('-of-', ' of the ')}.",
        why=f"It stands in place {place + 1} of {_shown(typed)}.",
        fix=_CRON_FIX,
        closest=(closest,) if _readable(closest) else (),
        instead_of=typed,
    )


def _mended_field(wrong: str, place: int) -> str:
    """What a field may have meant, empty if there is no telling: `?`, 25 o'clock, `mo-fr`, `5-1`."""
    if wrong == "?":
        return "*"
    least, many = list(_FIELDS.values())[place]
    if wrong.isascii() and wrong.isdigit():
        return str((int(wrong[:9]) - least) % many + least)
    if place != 4:
        return ""
    numbers = re.fullmatch("([0-7])-([0-7])", wrong)
    if numbers:
        return ",".join(map(str, sorted(_span(int(numbers[1]) or 7, int(numbers[2]) or 7))))
    guess = _guess_day(wrong.casefold())
    return _days(guess)[0][1] if guess else ""


def _readable(expression: str) -> bool:
    try:
        CronSim(expression, _ANY_TIME)
    except (CronSimError, ValueError):
        return False
    return True


def _never(typed: str, *closest: str) -> TimingError:
    return TimingError(
        f"{_shown(typed)} never comes, or less than once in {_RARE_YEARS} years.",
        why="Hardly any year has such a day in such a month.",
        fix="Choose a day that each of its months has; L is the last one.",
        closest=tuple(each for each in closest if _readable(each)),
        instead_of=typed,
    )


def _check_rare(timing: Timing, typed: str) -> None:
    """Refuse what is not due for years on end. The calendar repeats itself after 28 years, until 2100."""
    now = datetime(2024, 1, 1, tzinfo=UTC)
    while now.year < 2024 + 28:
        found = next(_walk(timing, now), None)
        if found is None or found.at.year - now.year > _RARE_YEARS:
            raise _never(typed)
        now = max(found.at, now + 365 * _DAY)


def _check_often(timing: Timing, flag: str, typed: str) -> None:
    """Refuse two times of day, midnight between them or not, that are closer than `LEAST_MIN` minutes."""
    day = 24 * 60
    minutes = sorted({hour * 60 + m for each in _parsed(timing.cron) for hour in each.hours for m in each.minutes})
    if all(
        (later - each) % day >= LEAST_MIN
        for each, later in zip(minutes, minutes[1:] + minutes[:1], strict=True)
        if later != each
    ):
        return
    raise TimingError(
        f"{_shown(typed)} is too often.",
        why=f"Between two digests there are at least {LEAST_MIN} minutes.",
        fix="Choose times that lie further apart.",
        closest=(_less_often(timing.cron, minutes) if flag == "--cron" else _joined(_apart(minutes)),),
        instead_of=typed,
    )


def _less_often(cron: str, minutes: list[int]) -> str:
    rest = cron.split()[1:]
    tried = " ".join([f"*/{LEAST_MIN}", *rest])
    return tried if {m % 60 for m in minutes} != set(range(0, 60, LEAST_MIN)) else " ".join(["0", *rest])


def _apart(minutes: list[int]) -> list[Clock]:
    """Those of the times that are far enough from the one before, and from the first of the next day."""
    kept = minutes[:1]
    for each in minutes[1:]:
        if each - kept[-1] >= LEAST_MIN and kept[0] + 24 * 60 - each >= LEAST_MIN:
            kept.append(each)
    return [divmod(each, 60) for each in kept]


def _shown(text: str, limit: int = 60) -> str:
    """What somebody typed, in quotes and not too long."""
    return f"“{text}”" if len(text) <= limit else f"“{text[: limit - 1].rstrip()}…”"
