"""The value behind a flag: from what was typed to what it means."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta

from bot.domain.refs import Ref
from bot.slack.grammar_command import Value, When
from bot.slack.grammar_near import nearest
from bot.slack.grammar_problem import ValueProblem
from bot.slack.grammar_words import Word
from bot.slack.grammar_written import WRITTEN
from bot.slack.refs import LARGEST, NumberError, near_refs, read_ref
from bot.slack.verbs import Flag, Takes

_SPAN = re.compile(r"([0-9]{1,6})(m|min|h|d|w)")
_UNITS = {
    "m": timedelta(minutes=1),
    "min": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}
_LOOSE_SPAN = re.compile(r"[+-]?([0-9]{1,3}) ?(mo|[mhdwy])[a-z]*")
_LOOSE_UNITS = {"mo": (30, "d"), "y": (365, "d")}
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2})?(?:Z|[+-]\d{2}:?\d{2})?)?", re.ASCII)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_CLOCK = re.compile(r"\d{2}:\d{2}(?::\d{2})?", re.ASCII)
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_DAYS = ("today", "yesterday", *_WEEKDAYS)
_MENTION = re.compile(r"<@[^<>]+>")

_TIMES = "Write 30m, 2h, 7d or 2w (ago), today, yesterday, a weekday, 2026-11-01 or 2026-11-01T09:00."


def read_value(flag: Flag, word: Word, now: datetime) -> Value:
    """What a word means behind a flag; `now` is aware, in the zone of the one who asks. Raises ValueProblem."""
    word = word if flag.takes is Takes.TEXT else word.in_a_line()
    text = word.text.strip()
    match flag.takes:
        case Takes.WORDS:
            return _once(part.text.strip() for part in word.split())
        case Takes.PEOPLE:
            return _once(_person(flag, part.text) for part in word.split())
        case Takes.PERSON:
            return _person(flag, text)
        case Takes.NUMBER:
            return _number(flag, text)
        case Takes.WHEN | Takes.AGE:
            return _when(flag, text, now)
        case Takes.CHOICE:
            return _choice(flag, text.lower())
        case Takes.REF:
            return _ref(flag, word)
        case _:
            return text if flag.takes not in WRITTEN else WRITTEN[flag.takes](flag, word)


def is_day_and_clock(one: str, other: str) -> bool:
    """Whether two words are one point in time: `2026-11-01 09:00`."""
    return bool(_DAY.fullmatch(one) and _CLOCK.fullmatch(other))


def samples(flag: Flag) -> tuple[str, ...]:
    """Values that flag could take, for suggestions; none where there is no telling."""
    by_kind = {
        Takes.NUMBER: "10",
        Takes.WHEN: "7d",
        Takes.AGE: "30d",
        Takes.REF: "last",
        Takes.PERSON: "me",
        Takes.PEOPLE: "me",
        Takes.PAIRS: '"Browser: Firefox"',
        Takes.STEPS: '"Log in: passed"',
        Takes.TESTS: '"Log in: passed"',
        Takes.LINK: "https://ci.example.org/7",
        Takes.LINKS: "Build=https://ci.example.org/7",
        Takes.NUMBERS: "1,2,4-8",
        Takes.DURATION: "00:05:00",
    }
    if flag.takes in by_kind:
        return (by_kind[flag.takes],)
    return flag.choices


def _once(words: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(words))


def _person(flag: Flag, typed: str) -> str:
    """A person as typed: `<@U123>`, an email address, a number, a name, `me`, or `none` where nobody is an answer."""
    text = typed.lstrip("@ ").rstrip()
    if _MENTION.fullmatch(text):
        return text
    if not text or text.startswith(("<#", "<!")):
        raise ValueProblem(
            f"{flag.called} takes a person, not a channel or a group.",
            "Write @user, an email address, a name, a number or me.",
        )
    if text.lower() == "none" and not flag.nobody:
        raise ValueProblem(
            f"{flag.called} takes a person, and that is nobody.", f"Name a person, or leave {flag.called} out."
        )
    return text.lower() if text.lower() in ("me", "none") else text


def _number(flag: Flag, text: str) -> int:
    digits = text.lstrip("0")
    if text.isascii() and text.isdigit() and 0 < len(digits) < 20 and int(digits) <= flag.most:
        return int(digits)
    too_large = digits.isascii() and digits.isdigit()
    tries = (str(flag.most),) if too_large else tuple(re.findall("[1-9][0-9]{0,2}", text[:40])[:1])
    limit = f"from 1 to {flag.most}" if flag.most < LARGEST else "of 1 or more"
    raise ValueProblem(f"{flag.called} takes a whole number {limit}.", f"Write {flag.called} 10, for example.", tries)


def _choice(flag: Flag, text: str) -> str:
    text = dict(flag.synonyms).get(text, text)
    if text in flag.choices:
        return text
    fitting = [choice for choice in flag.choices if choice.startswith(text)]
    if len(fitting) == 1 and not flag.whole:
        return fitting[0]
    known = ", ".join(flag.choices)
    raise ValueProblem(
        f"{flag.called} takes one of {known}.",
        "Write one of them.",
        tuple(fitting) or nearest(text, flag.choices) or (() if flag.whole else flag.choices),
    )


def _ref(flag: Flag, word: Word) -> Ref:
    try:
        ref = read_ref(word)
    except NumberError:
        raise ValueProblem(
            "A run's number begins at 1 and has at most 19 digits.", "Check the number, or type list to find the run."
        ) from None
    if ref is None:
        raise ValueProblem(
            f"{flag.called} takes a run.",
            "Write R118, A412, paste a link, or take last or #3 (a row of your last list).",
            near_refs(word.text),
        )
    return ref


def _when(flag: Flag, typed: str, now: datetime) -> When:
    text = typed.lower()
    try:
        if span := _SPAN.fullmatch(text):
            return When(text, (now - int(span[1]) * _UNITS[span[2]]).astimezone(UTC))
        if flag.takes is Takes.AGE:
            raise ValueProblem(f"{flag.called} takes an age.", "Write 12h, 30d or 8w, for example.", _loose_span(text))
        if text == "now":
            return When(text, now.astimezone(UTC))
        if text in _DAYS:
            return When(text, _edge(flag, _day(text, now), now))
        if _MOMENT.fullmatch(typed.upper()):
            return _moment(flag, typed.upper().replace(" ", "T"), now)
    except OverflowError:
        raise ValueProblem("That is too long ago, or too far ahead.", _TIMES) from None
    except ValueError:
        raise ValueProblem("There is no such day or time.", _TIMES) from None
    raise ValueProblem(f"{flag.called} takes a time.", _TIMES, _near_times(text))


def _moment(flag: Flag, text: str, now: datetime) -> When:
    if "T" not in text:
        return When(text, _edge(flag, date.fromisoformat(text), now))
    moment = datetime.fromisoformat(text)
    return When(text, (moment if moment.tzinfo else moment.replace(tzinfo=now.tzinfo)).astimezone(UTC))


def _day(word: str, now: datetime) -> date:
    """The day meant by a word; a weekday is the latest one, today included."""
    if word in _WEEKDAYS:
        return now.date() - timedelta(days=(now.weekday() - _WEEKDAYS.index(word)) % 7)
    return now.date() - timedelta(days=word == "yesterday")


def _edge(flag: Flag, day: date, now: datetime) -> datetime:
    """The beginning of a day in the asker's zone, or its end where the flag counts whole days."""
    return datetime.combine(day + timedelta(days=flag.whole_day), time(), now.tzinfo).astimezone(UTC)


def _loose_span(text: str) -> tuple[str, ...]:
    """`7 days` → `7d`."""
    found = _LOOSE_SPAN.fullmatch(text)
    if found is None:
        return ()
    factor, unit = _LOOSE_UNITS.get(found[2], (1, found[2]))
    return (f"{int(found[1]) * factor}{unit}",)


def _near_times(text: str) -> tuple[str, ...]:
    weekdays = tuple(day for day in _WEEKDAYS if len(text) >= 2 and day.startswith(text))
    slashed = re.sub(r"[/.]", "-", text[:20])
    iso = (slashed,) if _MOMENT.fullmatch(slashed.upper()) else ()
    return _loose_span(text.removesuffix(" ago").removeprefix("last ")) or weekdays or iso or nearest(text, _DAYS, 1)
