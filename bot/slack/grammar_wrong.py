"""Words that mean nothing: each mistake with what, why, how to mend it, and what may have been meant."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from bot.slack.grammar_words import Word
from bot.slack.verbs import Flag, Planned, Takes, Verb

#: Flags named in one sentence.
_NAMED_MOST = 8
_RUNS = "Write R118, A412/3, testrail:R118, paste a link, or take last or #3 (a row of your last list)."
#: What stands behind a flag, by the kind of its value; `_VALUES` by the flag's name goes before.
_KINDS = {
    Takes.WORD: "a word, or several in “quotes”",
    Takes.WORDS: "one or more words, with commas between them",
    Takes.NUMBER: "a number",
    Takes.WHEN: "a time such as 2h or 7d (ago), today, monday or 2026-11-01",
    Takes.AGE: "an age such as 12h, 30d or 8w",
    Takes.PERSON: "a person: @user, an email address, a name or me",
    Takes.PEOPLE: "people: @user, email addresses, names or me",
    Takes.REF: "a run such as R118, A412 or last",
    Takes.TEXT: "a text in “quotes”",
    Takes.LINES: "a word, or several in “quotes”",
    Takes.PAIRS: "a name and a value in “quotes”, with a colon between them",
    Takes.STEPS: "a name and an outcome in “quotes”, with a colon between them",
    Takes.TESTS: "the name of a test, perhaps with a colon and its outcome",
    Takes.LINK: "a web address",
    Takes.LINKS: "a web address, perhaps with a name and = before it",
    Takes.NUMBERS: "whole numbers with commas between them, and ranges such as 4-8",
    Takes.DURATION: "a length of time such as 00:05:00, 5m or 90s",
}
_VALUES = {
    "status": "words such as passed, failed, blocked, untested, or a system's own",
    "in": "the name of a connection, such as testrail",
    "project": "a project's number or name",
    "milestone": "numbers or names of milestones",
    "config": "numbers or names of configurations",
    "source": "names of automation sources, such as nightly",
    "suite": "numbers or names of test suites",
    "tag": "tags, with commas between them",
}

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


def all_of(names: Iterable[str]) -> str:
    """`a`, `a and b`, `a, b and c`; nothing of nothing."""
    *most, last = (*names,) or ("",)
    return f"{', '.join(most)} and {last}" if most else last


def unclosed(rest: str, mends: Callable[[], Mends]) -> WrongError:
    return WrongError(
        "A quotation mark is never closed.",
        why=f"It is opened here: {shown(rest, 40)}.",
        fix="Add the closing mark, or leave this one out.",
        mends=mends,
    )


def no_verb(typed: str, mends: Callable[[], Mends]) -> WrongError:
    return WrongError(
        f"{shown(typed)} is not a command.",
        why="A message to Rundown begins with a command such as list or show, or is a run such as R118.",
        fix="Type help to see every command.",
        mends=mends,
    )


def not_yet(planned: Planned, about_runs: tuple[str, ...]) -> WrongError:
    """A verb of later versions. `about_runs` are the verbs that have to do with runs."""
    return WrongError(
        planned.whole or f"This version of Rundown does not {planned.does} yet.",
        why=f"What it does with runs: {', '.join(about_runs)}." if about_runs else "It can be asked for help only.",
        fix=planned.instead,
    )


def no_whole_verb(typed: str, fitting: tuple[Verb, ...], mends: Callable[[], Mends]) -> WrongError:
    """The beginning of several verbs, or of one that changes something."""
    names = tuple(verb.name for verb in fitting[:6])
    why = (
        "Commands that change something have to be typed in full."
        if len(fitting) == 1
        else f"{len(fitting)} commands begin like that."
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


def no_flag(verb: Verb, typed: str, like: tuple[str, ...], mends: Callable[[], Mends]) -> WrongError:
    """`like` are the names of flags that may have been meant."""
    names = [flag.name for flag in (*verb.flags, *verb.everywhere) if not flag.hidden]
    names = [f"--{name}" for name in dict.fromkeys((*like, *names))]
    more = len(names) - _NAMED_MOST
    named = f"{', '.join(names[:_NAMED_MOST])}, and {more} more" if more > 0 else all_of(names)
    there_are = f"The flags of {verb.name} are" if len(names) > 1 else f"The only flag of {verb.name} is"
    return WrongError(
        f"{shown(typed)} is not a flag of {verb.name}.",
        why=f"{there_are} {named}." if names else f"{verb.name} has no flags.",
        fix=f"Type help {verb.name} to see all it takes, or put “quotes” around words that begin with a dash.",
        mends=mends,
        verb=verb,
    )


def not_shared(verb: Verb, mends: Callable[[], Mends]) -> WrongError:
    """`--share` where the answer is for one person."""
    why = (
        "What you change is told to everybody anyway, once it is done; before that it is shown to you alone."
        if verb.writes and not verb.settings
        else "Its answer is for you alone."
    )
    return WrongError(f"{verb.name} can't be shared.", why=why, fix="Leave --share out.", mends=mends, verb=verb)


def no_whole_flag(verb: Verb, typed: str, fitting: tuple[Flag, ...], mends: Callable[[], Mends]) -> WrongError:
    names = either(f"--{flag.name}" for flag in fitting)
    return WrongError(
        f"{shown(typed)} may mean {names}.",
        why=f"{len(fitting)} flags of {verb.name} begin like that.",
        fix=f"Type {names}.",
        mends=mends,
        verb=verb,
    )


def no_value(verb: Verb, flag: Flag, example: str, mends: Callable[[], Mends]) -> WrongError:
    takes = f"one of {either(flag.choices)}" if flag.takes is Takes.CHOICE else _told(flag)
    such = f"Write --{flag.name} {example}, for example" if example else "Add it"
    return WrongError(
        f"--{flag.name} needs a value.",
        why=f"--{flag.name} takes {takes}.",
        fix=f"{such}, or leave --{flag.name} out.",
        mends=mends,
        verb=verb,
    )


def _told(flag: Flag) -> str:
    """What stands behind a flag; names are only known of some that take any word."""
    plain = flag.takes in (Takes.WORD, Takes.WORDS)
    return (_VALUES.get(flag.name) if plain else None) or _KINDS[flag.takes]


def needless_value(verb: Verb, flag: Flag, mends: Callable[[], Mends]) -> WrongError:
    return WrongError(
        f"--{flag.name} takes no value.",
        why="It is either there or not.",
        fix=f"Write --{flag.name} alone, or leave it out.",
        mends=mends,
        verb=verb,
    )


def wrong_value(verb: Verb, flag: Flag, typed: str, *, why: str, fix: str, mends: Callable[[], Mends]) -> WrongError:
    return WrongError(f"{flag.called} cannot be {shown(typed)}.", why=why, fix=fix, mends=mends, verb=verb)


def cannot_exclude(verb: Verb, flag: Flag, mends: Callable[[], Mends]) -> WrongError:
    able = tuple(f"-{other.name}:" for other in verb.flags if other.excludes)
    return WrongError(
        f"-{flag.name}: cannot leave anything out.",
        why=f"Only {either(able)} can leave out what matches." if able else f"No flag of {verb.name} can.",
        fix=f"Write --{flag.name} for what you want to see.",
        mends=mends,
        verb=verb,
    )


def at_odds(verb: Verb, one: str, other: str, mends: Callable[[], Mends]) -> WrongError:
    return WrongError(
        f"--{one} and --{other} do not go together.",
        why="They ask for different things at once.",
        fix="Keep one of them.",
        mends=mends,
        verb=verb,
    )


def no_ref(verb: Verb, typed: str, mends: Callable[[], Mends]) -> WrongError:
    fix = _RUNS
    if typed.startswith(("<#", "<@", "<!")):
        kind = "A channel" if typed[1] == "#" else "A mention"
        return WrongError(
            f"{kind} is not a run.", why=f"{verb.name} is asked about one run.", fix=fix, mends=mends, verb=verb
        )
    return WrongError(
        f"{shown(typed)} is not a run.",
        why="A run is a letter and a number (R118), a link to it, or a word such as last.",
        fix=fix,
        mends=mends,
        verb=verb,
    )


def no_number(verb: Verb, typed: str, mends: Callable[[], Mends]) -> WrongError:
    return WrongError(
        f"{shown(typed, 30)} is not a run.",
        why="A run's number begins at 1 and has at most 19 digits.",
        fix="Check the number, or type list to find the run.",
        mends=mends,
        verb=verb,
    )


def which_run(verb: Verb, mends: Callable[[], Mends]) -> WrongError:
    """Neither a run nor what chooses some."""
    return WrongError(
        "Which run?",
        why=f"{verb.name} takes a run, or flags that choose some, such as --older-than 30d.",
        fix="Add R118, A412, a pasted link, #3 (a row of your last list), or this in a run's thread.",
        mends=mends,
        verb=verb,
    )


def chosen_twice(verb: Verb, flag: str, mends: Callable[[], Mends]) -> WrongError:
    """A run, and flags that choose some."""
    return WrongError(
        f"A run and --{flag} do not go together.",
        why=f"{verb.name} takes one run, or the runs that flags choose.",
        fix="Keep one of them.",
        mends=mends,
        verb=verb,
    )


def missing_ref(verb: Verb, mends: Callable[[], Mends]) -> WrongError:
    return WrongError(
        f"{verb.name} needs a run.",
        why="You did not say which one.",
        fix="Add R118, A412, a pasted link, last, or #3 (a row of your last list).",
        mends=mends,
        verb=verb,
    )


def missing_words(verb: Verb, given: int) -> WrongError:
    return WrongError(
        f"{verb.name} needs {verb.usage}.",
        why=f"Only {verb.name} was typed." if not given else "Something is missing at the end.",
        fix=f"For example: {verb.shown_examples[0]}.",
        verb=verb,
    )


def too_many(verb: Verb, typed: str, mends: Callable[[], Mends], *, name: bool = False) -> WrongError:
    """A word too many; of a `name` it may be a part."""
    usage = f"{verb.name} {verb.usage}".strip()
    return WrongError(
        f"{shown(typed)} is too much for {verb.name}.",
        why=f"The command is {usage}." if verb.usage else f"{verb.name} is typed alone.",
        fix="Put “quotes” around a name of several words, or leave it out."
        if name
        else f"Leave it out, or type help {verb.name} to see what the command takes.",
        mends=mends,
        verb=verb,
    )
