"""Values that only commands that change something take: links, steps, durations, numbers of cases, who may do what."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from bot.slack.grammar_command import Lines, Numbers, Span, Value
from bot.slack.grammar_near import nearest
from bot.slack.grammar_problem import ValueProblem
from bot.slack.grammar_words import Word
from bot.slack.refs import LARGEST, read_link
from bot.slack.verbs import REPORTABLE, REPORTED_AS, Flag, Takes

_USER = re.compile(r"<@[UW][A-Z0-9]+>")
_GROUP = re.compile(r"<!subteam\^S[A-Z0-9]+>")
_CHANNEL = re.compile(r"<#[CGD][A-Z0-9]+>")
_HOST = re.compile(r"[\w-]+(?:\.[\w-]+)+(?::[0-9]+)?(?:/\S*)?")
_NUMBERS = re.compile(r"([0-9]{1,19})(?:[-–]([0-9]{1,19}))?")
_SURPLUS = re.compile(" ?([-–]) ?")
_MOST_NUMBERS = 10_000
_CLOCKED = re.compile(r"([0-9]{1,2}):([0-5][0-9]):([0-5][0-9])")
_LASTING = re.compile(r"(?:([0-9]{1,4})h)?(?:([0-9]{1,5})m(?:in)?)?(?:([0-9]{1,6})s)?")
_LOOSE_LASTING = re.compile(r"([0-9]{1,4}) ?([hms])[a-z]*")
_LONGEST_S = 100 * 60 * 60 - 1
#: How like an outcome the end of a test's name has to be to be taken for a mistyped one.
_ALIKE = 0.6


def split_judged(text: str) -> tuple[str, str]:
    """`Log in: passed` → the name and its outcome's word; the outcome is empty where the text has none."""
    name, colon, typed = text.rpartition(":")
    word = " ".join(typed.lower().split())
    outcome = REPORTED_AS.get(word, word)
    return (name.strip(), outcome) if colon and outcome in REPORTABLE else (text.strip(), "")


def split_pair(text: str) -> tuple[str, str]:
    """`Browser: Firefox` → name and value, either empty where it is missing."""
    name, _, value = text.partition(":")
    return name.strip(), value.strip()


def split_link(text: str) -> tuple[str, str]:
    """`Build=https://…` → the name (empty if there is none) and the address (empty if it is none)."""
    if link := read_link(Word.of(text.strip())):
        return "", link
    name, _, address = text.partition("=")
    return name.strip(), read_link(Word.of(address.strip()))


def _pair(flag: Flag, word: Word) -> str:
    text = word.text.strip()
    name, value = split_pair(text)
    if not name or not value:
        raise ValueProblem(
            f"{flag.called} takes a name and a value, with a colon between them.",
            f'Write {flag.called} "Browser: Firefox", for example.',
        )
    return f"{name}: {value}"


def _judged(flag: Flag, word: Word) -> str:
    text = word.text.strip()
    name, outcome = split_judged(text)
    if outcome and name:
        return f"{name}: {outcome}"
    begin, _, end = text.rpartition(":")
    like = nearest(end.strip(), REPORTABLE, least=_ALIKE) if end.strip() and begin.strip() else ()
    if name and not like and not outcome and flag.takes is Takes.TESTS:
        return name
    raise ValueProblem(
        f"{flag.called} takes a name, a colon and one of {', '.join(REPORTABLE)}.",
        f'Write {flag.called} "Log in: passed", for example.',
        tuple(f"{begin.strip()}: {word}" for word in like),
    )


def _link(flag: Flag, word: Word) -> str:
    if link := read_link(word):
        return link
    raise ValueProblem(f"{flag.called} takes a web address.", "Begin it with https://.", _linked("", word.text.strip()))


def _named_link(flag: Flag, word: Word) -> str:
    name, url = split_link(word.url or word.text)
    if url:
        return f"{name}={url}" if name else url
    begin, joint, rest = word.text.strip().rpartition("=")
    raise ValueProblem(
        f"{flag.called} takes a web address, perhaps with a name and = before it.",
        f'Write {flag.called} "Build 7=https://ci.example.org/7", for example.',
        _linked(begin + joint, rest.strip()),
    )


def _linked(begin: str, address: str) -> tuple[str, ...]:
    """The address with what it lacks, if it looks like one."""
    return (f"{begin}https://{address}",) if _HOST.fullmatch(address) else ()


def _numbers(flag: Flag, word: Word) -> Numbers:
    text = word.text.strip()
    if text.lower() in flag.choices:
        return Numbers(())
    found: set[int] = set()
    for part in _SURPLUS.sub(r"\1", " ".join(text.replace(",", " ").split())).split() or [text]:
        span = _NUMBERS.fullmatch(part)
        first, last = (int(span[1]), int(span[2] or span[1])) if span else (0, 0)
        if not 0 < first <= last <= LARGEST:
            other = f" or {flag.choices[0]}" if flag.choices else ""
            raise ValueProblem(
                f"{flag.called} takes whole numbers of 1 or more, and ranges of them{other}.",
                f"Write {flag.called} 1,2,4-8, for example.",
            )
        if last - first + len(found) >= _MOST_NUMBERS:
            raise ValueProblem(
                f"{flag.called} takes at most {_MOST_NUMBERS} numbers.", "Check the range, or name fewer of them."
            )
        found.update(range(first, last + 1))
    return Numbers(tuple(sorted(found)))


def _duration(flag: Flag, word: Word) -> Span:
    text = word.text.strip().lower()
    found = _CLOCKED.fullmatch(text) or (_LASTING.fullmatch(text) if text else None)
    seconds = (
        sum(int(part or 0) * unit for part, unit in zip(found.groups(), (3600, 60, 1), strict=True)) if found else -1
    )
    if 0 <= seconds <= _LONGEST_S:
        return Span(seconds)
    raise ValueProblem(
        f"{flag.called} takes hours, minutes and seconds, less than 100 hours in all.",
        "Write 00:05:00, 5m, 90s or 1h30m, for example.",
        _loose_duration(text),
    )


def _loose_duration(text: str) -> tuple[str, ...]:
    """`5 minutes` → `5m`, `90` → `90s` or `90m`, `5:00` → five minutes or five hours."""
    if loose := _LOOSE_LASTING.fullmatch(text):
        return (loose[1] + loose[2],)
    if re.fullmatch("[0-9]{1,4}", text):
        return (f"{text}s", f"{text}m")
    return (f"00:{text:0>5}", f"{text:0>5}:00") if re.fullmatch("[0-9]{1,2}:[0-5][0-9]", text) else ()


def read_mention(word: Word) -> str:
    """Which mention of Slack's a word is: `user`, `group` or `channel`; empty if it is none that rules are made of."""
    text = word.text.strip()
    several = ((_USER, "user"), (_GROUP, "group"), (_CHANNEL, "channel"))
    return next((kind for pattern, kind in several if pattern.fullmatch(text)), "")


def _grantee(flag: Flag, word: Word) -> str:
    if read_mention(word) in ("user", "group"):
        return word.text.strip()
    raise ValueProblem(
        f"{flag.called} takes a mention of a person or a user group: a name alone may be anybody's.",
        "Type @ and the name, and pick it from what Slack suggests.",
    )


def _channel(flag: Flag, word: Word) -> str:
    if read_mention(word) == "channel":
        return word.text.strip()
    raise ValueProblem(
        f"{flag.called} takes a channel of Slack's, not only its name.",
        "Type # and the name, and pick it from what Slack suggests.",
    )


def _lines(read: Callable[[Flag, Word], str]) -> Callable[[Flag, Word], Lines]:
    """A reader of one text, for a flag that may come several times."""
    return lambda flag, word: Lines((read(flag, word),))


#: How each kind is read.
WRITTEN: Mapping[Takes, Callable[[Flag, Word], Value]] = {
    Takes.LINES: lambda _, word: Lines((word.text.strip(),)),
    Takes.PAIRS: _lines(_pair),
    Takes.STEPS: _lines(_judged),
    Takes.TESTS: _lines(_judged),
    Takes.LINK: _link,
    Takes.LINKS: _lines(_named_link),
    Takes.NUMBERS: _numbers,
    Takes.DURATION: _duration,
    Takes.GRANTEE: _grantee,
    Takes.CHANNEL: _channel,
}
