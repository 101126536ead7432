"""Words that mean nothing: each mistake with what, why, how to mend it, and what may have been meant."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from bot.slack.grammar_words import Word
from bot.slack.refs import LARGEST
from bot.slack.verbs import Flag, Planned, Verb

#: Whole commands, as words, that may have been meant; best first. Not all of them need to make sense.
Mends = Iterable[tuple[Word, ...]]


class WrongError(Exception):
    """One mistake. `mends` is only asked for when a person is to be told."""

    def __init__(
        self, what: str, *, why: str, fix: str, mends: Callable[[], Mends] = tuple, verb: Verb | None = None
    ) -> None:
        super().__init__(what)
        self.what = what
        self.why = why
        self.fix = fix
        self.mends = mends
        self.verb = verb


def shown(text: str, limit: int = 60) -> str:
    """What somebody typed, in quotes and not too long."""
    return f"“{text}”" if len(text) <= limit else f"“{text[: limit - 1].rstrip()}…”"


def either(names: Iterable[str]) -> str:
    """`a`, `a or b`, `a, b or c`."""
    *most, last = names
    return f"{', '.join(most)} or {last}" if most else last


def unclosed(rest: str, mends: Callable[[], Mends]) -> WrongError:
    return WrongError(
        "A quotation mark is never closed.",
        why=f"It stands here: {shown(rest, 40)}.",
        fix="Close it, or leave it out.",
        mends=mends,
    )


def no_verb(typed: str, mends: Callable[[], Mends]) -> WrongError:
    return WrongError(
        f"{shown(typed)} is not a command.",
        why="The first word has to be a command, or a run.",
        fix="Take one of the suggestions, or type help to see every command.",
        mends=mends,
    )


def not_yet(planned: Planned, reads: tuple[str, ...], mends: Callable[[], Mends]) -> WrongError:
    """A verb of later versions. `reads` are the verbs that ask about runs."""
    return WrongError(
        f"This version of Rundown does not {planned.does} yet.",
        why=f"It reads: {', '.join(reads)}." if reads else "It can be asked for help only.",
        fix=planned.instead or "Open the run's page to do it there: show R118 has the link.",
        mends=mends,
    )


def no_whole_verb(typed: str, fitting: tuple[Verb, ...], mends: Callable[[], Mends]) -> WrongError:
    """The beginning of several verbs, or of one that changes something."""
    names = tuple(verb.name for verb in fitting[:6])
    why = (
        "Commands that change something have to be typed in full."
        if len(fitting) == 1
        else "A beginning is enough only where it fits one command."
    )
    return WrongError(f"{shown(typed)} may mean {either(names)}.", why=why, fix=f"Type {either(names)}.", mends=mends)


def verb_not_first(verb: Verb, before: str, mends: Callable[[], Mends]) -> WrongError:
    return WrongError(
        "The command comes first.",
        why=f"{shown(before)} stands before {verb.name}.",
        fix=f"Begin with {verb.name}.",
        mends=mends,
        verb=verb,
    )


def no_flag(verb: Verb, typed: str, mends: Callable[[], Mends]) -> WrongError:
    return WrongError(
        f"{shown(typed)} is not a flag of {verb.name}.",
        why="A flag nobody knows is never passed over in silence.",
        fix=f"Type help {verb.name} to see its flags, or put “quotes” around words that begin with a dash.",
        mends=mends,
        verb=verb,
    )


def no_whole_flag(verb: Verb, typed: str, fitting: tuple[Flag, ...], mends: Callable[[], Mends]) -> WrongError:
    names = either(f"--{flag.name}" for flag in fitting)
    return WrongError(
        f"{shown(typed)} may mean {names}.",
        why="A beginning is enough only where it fits one flag.",
        fix=f"Type {names}.",
        mends=mends,
        verb=verb,
    )


def no_value(verb: Verb, flag: Flag, example: str, mends: Callable[[], Mends]) -> WrongError:
    such = f", such as --{flag.name} {example}" if example else ""
    return WrongError(
        f"--{flag.name} needs a value.",
        why="Nothing stands behind it that could be one.",
        fix=f"Write {flag.typed.split(' · ', maxsplit=1)[0]}{such}.",
        mends=mends,
        verb=verb,
    )


def needless_value(verb: Verb, flag: Flag, mends: Callable[[], Mends]) -> WrongError:
    return WrongError(
        f"--{flag.name} takes no value.",
        why="It holds as soon as it is typed.",
        fix=f"Write --{flag.name} alone, or leave it out.",
        mends=mends,
        verb=verb,
    )


def wrong_value(verb: Verb, flag: Flag, typed: str, *, why: str, fix: str, mends: Callable[[], Mends]) -> WrongError:
    return WrongError(f"--{flag.name} cannot be {shown(typed)}.", why=why, fix=fix, mends=mends, verb=verb)


def cannot_exclude(verb: Verb, flag: Flag, mends: Callable[[], Mends]) -> WrongError:
    able = tuple(f"-{other.name}:" for other in verb.flags if other.excludes)
    return WrongError(
        f"--{flag.name} cannot exclude.",
        why=f"Of the flags of {verb.name} only {either(able)} can." if able else f"No flag of {verb.name} can.",
        fix=f"Leave out the dash: {flag.name}:… asks for what is to be there.",
        mends=mends,
        verb=verb,
    )


def at_odds(verb: Verb, one: str, other: str, mends: Callable[[], Mends]) -> WrongError:
    return WrongError(
        f"--{one} and --{other} exclude each other.",
        why="Only one of them can hold.",
        fix="Leave one of them out.",
        mends=mends,
        verb=verb,
    )


def no_ref(verb: Verb, typed: str, mends: Callable[[], Mends]) -> WrongError:
    fix = "Write R118, A412/3, testrail:R118, paste a link, or take last or #3 (a row of your last list)."
    if typed.startswith(("<#", "<@", "<!")):
        kind = "A channel" if typed[1] == "#" else "A mention"
        return WrongError(f"{kind} is not a run.", why=f"{verb.name} is about a run.", fix=fix, mends=mends, verb=verb)
    return WrongError(
        f"{shown(typed)} is not a run.",
        why="A run is a letter and a number, a link, or a word such as last.",
        fix=fix,
        mends=mends,
        verb=verb,
    )


def no_number(verb: Verb, typed: str, mends: Callable[[], Mends]) -> WrongError:
    return WrongError(
        f"{shown(typed, 30)} is not a run.",
        why=f"Numbers go from 1 to {LARGEST}.",
        fix="Check the number, or find the run with list.",
        mends=mends,
        verb=verb,
    )


def missing_ref(verb: Verb, mends: Callable[[], Mends]) -> WrongError:
    return WrongError(
        f"{verb.name} needs a run.",
        why="It does not say which one is meant.",
        fix="Add R118, A412, a pasted link, last, or #3 (a row of your last list).",
        mends=mends,
        verb=verb,
    )


def missing_words(verb: Verb, given: int) -> WrongError:
    return WrongError(
        f"{verb.name} needs {verb.usage}.",
        why="Nothing stands behind it." if not given else "Something is missing at the end.",
        fix=f"Write it as {verb.name} {verb.usage}, such as {verb.examples[0]}.",
        verb=verb,
    )


def too_many(verb: Verb, typed: str, mends: Callable[[], Mends]) -> WrongError:
    usage = f"{verb.name} {verb.usage}".strip()
    return WrongError(
        f"{shown(typed)} is too much for {verb.name}.",
        why=f"It is written {usage}." if verb.usage else f"Nothing stands behind {verb.name} but flags.",
        fix=f"Leave it out, or type help {verb.name}.",
        mends=mends,
        verb=verb,
    )
