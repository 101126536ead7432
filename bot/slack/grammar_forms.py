"""Forms and commands: what was filled in becomes the same command that typing would give, and the reverse.

A value goes by the name of its flag; a word of the verb by the name of its slot (`name` of `start`, `text` of `note`,
`url`, `outcome`, `verb`, `who`, `channel`); the run by `ref`. A flag that may come several times is a tuple, or a text
with a line for each.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from bot.domain.errors import GrammarError
from bot.domain.refs import Ref
from bot.slack import grammar_wrong as wrong
from bot.slack.grammar_command import Command, Lines, Value, When
from bot.slack.grammar_problem import ValueProblem
from bot.slack.grammar_values import read_value
from bot.slack.grammar_words import Word, clean
from bot.slack.grammar_wrong import WrongError
from bot.slack.refs import NumberError, read_ref
from bot.slack.verbs import REPEATED, VERBS, Flag, Takes, Verb

#: What one field of a form holds.
Filled = str | tuple[str, ...]

_VERBS = {verb.name: verb for verb in VERBS}
_SEVERAL = (Takes.WORDS, Takes.PEOPLE)
_YES = ("yes", "true", "on")
#: Stands where no time is read.
_NO_TIME = datetime.min.replace(tzinfo=UTC)


class FormError(GrammarError):
    """What was filled in does not make a command. `fields` says by each field's name what is wrong with it."""

    def __init__(self, verb: str, fields: Mapping[str, str]) -> None:
        super().__init__(
            "That does not fit together yet.",
            why=" ".join(fields.values()),
            fix="Put it right in the form, and send it again.",
            closest=(f"help {verb}",),
        )
        self.fields = dict(fields)


def command_from(verb: str, values: Mapping[str, Filled], *, now: datetime | None = None) -> Command:
    """The command that says what was filled in. Raises FormError with all that is wrong at once.

    An empty value counts as not given, except where it takes away what is there (`description` and `refs` of `edit`):
    those are only to be passed on if they were changed. `now` is needed where a time is. KeyError: no such field.
    """
    return _Filling(_VERBS[verb], values, now).command()


def values_of(command: Command) -> Mapping[str, Filled]:
    """What a form is filled with to say this command: `command_from` makes an equal one of it."""
    verb = _VERBS[command.verb]
    values: dict[str, Filled] = {name: _filled(value) for name, value in command.flags}
    values |= {slot.name: word for slot, word in zip(verb.slots, command.words, strict=False)}
    return values | ({"ref": str(command.refs[0])} if command.refs else {})


def _filled(value: Value) -> Filled:
    match value:
        case True:
            return "yes"
        case Lines(texts=texts):
            return texts
        case tuple():
            return value
        case When(text=text):
            return text
        case _:
            return str(value)


class _Filling:
    """One form that was sent, read field by field."""

    def __init__(self, verb: Verb, values: Mapping[str, Filled], now: datetime | None) -> None:
        self._verb = verb
        self._now = now
        self._wrong: dict[str, str] = {}
        self._flags = {flag.name: flag for flag in verb.flags}
        self._flags |= {f"-{flag.name}": flag for flag in verb.flags if flag.excludes}
        known = {"ref", *self._flags, *(slot.name for slot in verb.slots)}
        if unknown := values.keys() - known:
            raise KeyError(f"{verb.name} has no {', '.join(sorted(unknown))}")
        self._values = {name: _cleaned(value) for name, value in values.items()}

    def command(self) -> Command:
        refs = self._refs()
        words = self._words()
        flags = {name: value for name in self._flags if (value := self._flag(name)) is not None}
        self._check(bool(refs), flags)
        if self._wrong:
            raise FormError(self._verb.name, self._wrong)
        return Command(self._verb.name, refs, words, tuple(sorted(flags.items())))

    def _refs(self) -> tuple[Ref, ...]:
        least, most = self._verb.refs
        text = _first(self._values.get("ref", ""))
        if not text:
            if least:
                self._say("ref", wrong.missing_ref(self._verb, tuple))
            return ()
        try:
            ref = read_ref(Word.said(text).in_a_line()) if most else None
        except NumberError:
            self._say("ref", wrong.no_number(self._verb, text, tuple))
            return ()
        if ref is None:
            self._say("ref", wrong.no_ref(self._verb, text, tuple))
            return ()
        return (ref,)

    def _words(self) -> tuple[str, ...]:
        words: list[str] = []
        for at, slot in enumerate(self._verb.slots):
            text = _first(self._values.get(slot.name, ""))
            if text:
                words.append(str(self._read(slot.name, slot, Word.said(text)) or ""))
            elif at < self._verb.words[0]:
                self._wrong[slot.name] = f"{slot.says} This is needed."
        return tuple(words)

    def _flag(self, name: str) -> Value | None:
        flag, filled = self._flags[name], self._values.get(name)
        if filled is None or (not filled and not flag.clears):
            return None
        if flag.takes is Takes.SWITCH:
            return True if _first(filled).lower() in _YES else None
        if flag.takes in REPEATED:
            return self._lines(name, flag, filled.split("\n") if isinstance(filled, str) else filled)
        if flag.takes in _SEVERAL:
            word = Word.of(filled.replace("\n", ",")) if isinstance(filled, str) else _listed(filled)
            return self._read(name, flag, word) if word.split() else None
        return self._read(name, flag, Word.said(_first(filled)))

    def _lines(self, name: str, flag: Flag, lines: list[str] | tuple[str, ...]) -> Value | None:
        texts: list[str] = []
        for line in filter(None, map(str.strip, lines)):
            value = self._read(name, flag, Word.said(line))
            texts += value.texts if isinstance(value, Lines) else ()
        return Lines(tuple(texts)) if texts else None

    def _read(self, name: str, flag: Flag, word: Word) -> Value | None:
        """What a field means; None if it is wrong, which is then noted."""
        if self._now is None and flag.takes in (Takes.WHEN, Takes.AGE):
            raise ValueError(f"{name} is a time: it needs to be known what time it is")
        try:
            return read_value(flag, word, self._now or _NO_TIME)
        except ValueProblem as problem:
            self._wrong.setdefault(name, f"{problem.why} {problem.fix}")
            return None

    def _check(self, has_ref: bool, flags: Mapping[str, Value]) -> None:
        """What must not, or must, be given together."""
        groups: dict[str, str] = {}
        for name in flags:
            group = self._flags[name].group
            if group and groups.setdefault(group, name) != name:
                self._say(name, wrong.at_odds(self._verb, groups[group], name, tuple))
        if not self._verb.picks or "ref" in self._wrong:
            return
        picking = [name for name in flags if self._flags[name].picks]
        if has_ref and picking:
            self._say("ref", wrong.chosen_twice(self._verb, picking[0], tuple))
        elif not has_ref and not any(self._flags[name].picks == "which" for name in picking):
            self._say("ref", wrong.which_run(self._verb, tuple))

    def _say(self, name: str, error: WrongError) -> None:
        self._wrong.setdefault(name, f"{error.what} {error.why}")


def _cleaned(value: Filled) -> Filled:
    return clean(value) if isinstance(value, str) else tuple(filter(None, map(clean, value)))


def _first(value: Filled) -> str:
    return value if isinstance(value, str) else next(iter(value), "")


def _listed(items: tuple[str, ...]) -> Word:
    """The items as one word with commas between them; commas in an item are its own."""
    word = Word.of("")
    for item in items:
        word = word + Word.said(item) + Word.of(",")
    return word
