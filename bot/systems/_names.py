"""What people type for a thing or a person of a system: its number, or its name; else what there is instead."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from bot.domain.errors import NoContextError, NotFoundError
from bot.domain.model import Person
from bot.domain.queries import Who

#: So many of the names there are stand in an error.
MOST_TOLD = 8


def read_digits(word: str) -> int | None:
    """The number that was typed; None for anything else. More than fifteen digits are no number of any system."""
    word = word.strip()
    return int(word) if word.isascii() and word.isdigit() and len(word) <= 15 else None


def look_up(system: str, noun: str, typed: Sequence[str], names: Mapping[int, str]) -> tuple[int, ...]:
    """Numbers as they are, names as the numbers that have them, in the order typed. Raises NotFoundError."""
    found: list[int] = []
    for word in typed:
        number, folded = read_digits(word), word.strip().casefold()
        fitting = [each for each, name in names.items() if name.casefold() == folded] if number is None else [number]
        if not fitting:
            raise none_such(system, noun, word, names.values())
        found += fitting
    return tuple(dict.fromkeys(found))


def none_such(system: str, noun: str, word: str, names: Iterable[str], *, fix: str = "") -> NotFoundError:
    """The error for a name that nothing has: what there is, and what of it could stand in place of the word."""
    known = tuple(dict.fromkeys(name for name in names if name))
    return NotFoundError(
        f"No {noun} “{word[:80]}” in {system}.",
        why=what_there_is(known),
        fix=fix or ("Take one of these, or give its number." if known else "Give its number."),
        closest=closest(word, known),
        instead_of=word,
    )


def what_there_is(names: Sequence[str]) -> str:
    """`There are 5.0, 5.1 and 5.2.`, or with many `… and 14 more.`"""
    if not names:
        return "Our key can see none."
    told = [name[:80] for name in (names if len(names) <= MOST_TOLD + 1 else names[:MOST_TOLD])]
    rest = len(names) - len(told)
    *most, last = [*told, f"{rest} more"] if rest else told
    return f"There are {', '.join(most)} and {last}." if most else f"There is only {last}."


def closest(word: str, names: Sequence[str]) -> tuple[str, ...]:
    """The three names most alike, best first; none that are not alike at all."""
    from rapidfuzz import fuzz, process, utils

    found = process.extract(word, names, limit=3, score_cutoff=50, processor=utils.default_process)
    return tuple(sorted((name for name, _, _ in found), key=lambda name: -fuzz.ratio(word.casefold(), name.casefold())))


def person_meant(who: Who, people: Iterable[Person]) -> Person | None:
    """The one person meant: by number, by email address, by name, or by a part of the name that only one has.

    Somebody whose address is known here is never taken for somebody with another one, whatever the names.
    """
    text = who.text.strip()
    if (number := read_digits(text)) is not None:
        return next((person for person in people if person.id == str(number)), None)
    email = (who.email or (text if "@" in text else "")).strip().casefold()
    everybody = tuple(people)
    fitting = [person for person in everybody if email and person.email.casefold() == email]
    if not fitting:
        words = (who.name or text).casefold().split()
        free = [person for person in everybody if words and not (email and person.email)]
        fitting = [person for person in free if person.name.casefold().split() == words]
        if not fitting and not email:
            fitting = [person for person in free if {*words} <= {*person.name.casefold().split()}]
    return fitting[0] if len(fitting) == 1 else None


def look_up_people(system: str, typed: Sequence[Who], people: Sequence[Person]) -> tuple[int, ...]:
    """Numbers of people, those that were typed as they are. Raises NotFoundError."""
    numbers: list[int] = []
    for who in typed:
        number, person = read_digits(who.text), person_meant(who, people)
        if number is None and person is not None:
            number = int(person.id)
        if number is None:
            raise none_such(system, "user", who.text or who.email, (one.name for one in people))
        numbers.append(number)
    return tuple(dict.fromkeys(numbers))


def project_meant(system: str, named: int | None, usual: int | None) -> int:
    """The number of the project that was named, else of the usual one. Raises NoContextError when there is neither."""
    project = usual if named is None else named
    if project is None:
        raise NoContextError(
            f"Which project of {system}?",
            why=f"{system} lists runs by project, and none is chosen here.",
            fix="Add --project with its number, or choose one with `use`.",
        )
    return project
