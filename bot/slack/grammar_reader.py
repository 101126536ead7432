"""Reads what stands behind a verb: its flags with their values, its references, its words."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from bot.domain.refs import Ref, ThisRef
from bot.slack import grammar_wrong as wrong
from bot.slack.grammar_command import Command, Lines, Numbers, Value
from bot.slack.grammar_flags import Flags, TypedFlag, typed_flag, typed_pair
from bot.slack.grammar_near import nearest
from bot.slack.grammar_problem import ValueProblem
from bot.slack.grammar_rule import Rule
from bot.slack.grammar_values import is_day_and_clock, read_value, samples
from bot.slack.grammar_words import Word, prose
from bot.slack.grammar_wrong import Mends, WrongError
from bot.slack.refs import SPOKEN, NumberError, is_ref, names_kind, near_refs, read_ref
from bot.slack.verbs import REPEATED, SHARE, Flag, Takes, Verb

_SEVERAL = (Takes.WORDS, Takes.PEOPLE, Takes.NUMBERS)
#: Kinds whose value goes on behind a colon and a space, even without quotes.
_COLONED = (Takes.PAIRS, Takes.STEPS, Takes.TESTS)


class Reader:
    """Reads one command. `head` is the verb as typed (no words if it was left out), `tail` the words behind it.

    With `this`, a verb that only reads takes the run of the thread where no run was named.
    """

    def __init__(
        self, verb: Verb, flags: Flags, head: tuple[Word, ...], tail: tuple[Word, ...], *, now: datetime, this: bool
    ) -> None:
        self._verb = verb
        self._flags = flags
        self._head = head
        self._tail = tail
        self._now = now
        self._this = this
        self._single: dict[str, Value] = {}
        self._several: dict[str, dict[str, None]] = {}
        self._repeated: dict[str, list[str]] = {}
        self._picking: list[tuple[Flag, int, int]] = []
        self._groups: dict[str, tuple[str, int, int]] = {}
        self._loose: list[int] = []

    def command(self) -> Command:
        """The command. Raises WrongError."""
        at = 0
        while at < len(self._tail):
            at = self._step(at)
        self._loose = [at for at in self._loose if self._tail[at].text.strip()]
        refs = self._refs()
        if self._verb.picks:
            self._check_choice(refs)
        words = self._words(self._loose[len(refs) :])
        if not refs and self._verb.refs[0]:
            refs = (ThisRef(),)
        share, page = self._single.pop("share", False), self._single.pop("page", 1)
        flags = self._single | {name: tuple(values) for name, values in self._several.items()}
        flags |= {name: Lines(tuple(texts)) for name, texts in self._repeated.items()}
        return Command(
            self._verb.name,
            refs,
            words,
            tuple(sorted(flags.items())),
            share is True,
            page if isinstance(page, int) else 1,
        )

    # ── flags ──

    def _step(self, at: int) -> int:
        """Read one word (and its value); returns where to go on."""
        word = self._tail[at]
        if word.bare == "--":
            begun = self._in_prose and len(self._loose) > self._verb.refs[1]  # there it is a dash like any other
            self._loose += range(at if begun else at + 1, len(self._tail))
            return len(self._tail)
        if self._in_prose and not self._is_flag(word):
            self._loose.append(at)
            return at + 1
        if typed := typed_flag(word):
            return self._excluded(typed, at) if typed.dashes == 1 else self._flag(typed, at)
        if pair := self._pair(word):
            return self._flag(pair, at)
        self._loose.append(at)
        return at + 1

    @property
    def _in_prose(self) -> bool:
        """Whether what comes now is part of a text."""
        return self._verb.prose and len(self._loose) >= self._verb.refs[1]

    def _is_flag(self, word: Word) -> bool:
        """Whether a word in a text is a flag: one that is known, or that has two plain dashes."""
        typed = typed_flag(word)
        if typed is None or typed.dashes < 2:
            return False
        return self._flags.exact(typed.name) is not None or word.bare.startswith("--")

    def _pair(self, word: Word) -> TypedFlag | None:
        """`key:value`, if the verb has such a flag that takes a value; where a run is due, `testrail:R118` is one."""
        pair = typed_pair(word)
        flag = self._flags.exact(pair.name) if pair else None
        if flag is None or flag.takes is Takes.SWITCH:
            return None
        return None if len(self._loose) < self._verb.refs[1] and names_kind(word) else pair

    def _flag(self, typed: TypedFlag, at: int) -> int:
        flag = self._known(typed, at)
        if flag.takes is Takes.SWITCH:
            if typed.joint:
                alone = self._with(at, at + 1, Word.of(f"--{flag.name}"))
                raise wrong.needless_value(self._verb, flag, lambda: [alone])
            return self._set(flag, flag.name, True, at, at + 1)
        value, end = self._value(flag, typed, at)
        return self._set(flag, flag.name, self._read(flag, value, at, end), at, end)

    def _excluded(self, typed: TypedFlag, at: int) -> int:
        flag = self._flags.exact(typed.name)
        if flag is None or not typed.joint:
            raise wrong.no_flag(
                self._verb, self._tail[at].text, self._flags.like(typed.name), lambda: self._like(typed, at)
            )
        if not flag.excludes:
            asked = Word.of(f"--{flag.name}{typed.joint}") + typed.value
            raise wrong.cannot_exclude(self._verb, flag, lambda: [self._with(at, at + 1, asked)])
        value, end = self._value(flag, typed, at)
        return self._set(flag, f"-{flag.name}", self._read(flag, value, at, end), at, end)

    def _known(self, typed: TypedFlag, at: int) -> Flag:
        fitting = self._flags.fitting(typed.name)
        if not fitting and typed.name == SHARE.name:
            raise wrong.not_shared(self._verb, lambda: [self._with(at, at + 1)])
        if not fitting:
            raise wrong.no_flag(
                self._verb, f"--{typed.name}", self._flags.like(typed.name), lambda: self._like(typed, at)
            )
        if len(fitting) > 1:
            names = tuple(flag.name for flag in fitting)
            raise wrong.no_whole_flag(self._verb, f"--{typed.name}", fitting, lambda: self._named(names, typed, at))
        return fitting[0]

    def _value(self, flag: Flag, typed: TypedFlag, at: int) -> tuple[Word, int]:
        """The word behind a flag, and where to go on; a list goes on behind a comma and a space."""
        value, end = typed.value, at + 1
        if not value.text and typed.joint != "=" and self._may_be_value(end):
            value, end = self._tail[end], end + 1
        if flag.takes is Takes.WHEN and self._may_be_value(end) and is_day_and_clock(value.text, self._tail[end].text):
            value, end = value + Word.said("T") + self._tail[end], end + 1
        while flag.takes in _COLONED and value.bare.endswith(":") and self._may_be_value(end):
            value, end = value + Word.said(" ") + self._tail[end], end + 1
        while flag.takes in _SEVERAL and value.bare.endswith(",") and self._may_be_value(end):
            value, end = value + self._tail[end], end + 1
        empty = not (value.split() if flag.takes in _SEVERAL else value.text.strip())
        if empty and not (flag.clears and (end > at + 1 or typed.joint == "=")):
            example = next(iter(samples(flag)), "")
            raise wrong.no_value(self._verb, flag, example, lambda: self._sampled(flag, at, end))
        return value, end

    def _may_be_value(self, at: int) -> bool:
        if at >= len(self._tail) or self._tail[at].bare == "--":
            return False
        typed = typed_flag(self._tail[at])
        return typed is None or (typed.dashes == 1 and not typed.joint)

    def _read(self, flag: Flag, value: Word, at: int, end: int) -> Value:
        try:
            return read_value(flag, value, self._now)
        except ValueProblem as problem:
            why, fix, tries = problem.why, problem.fix, problem.tries
        raise wrong.wrong_value(
            self._verb, flag, value.text, why=why, fix=fix, mends=lambda: self._tried(flag, value, tries, at, end)
        )

    def _set(self, flag: Flag, name: str, value: Value, at: int, end: int) -> int:
        if flag.group:
            other, *where = self._groups.setdefault(flag.group, (flag.name, at, end))
            if other != flag.name:
                raise wrong.at_odds(
                    self._verb, other, flag.name, lambda: [self._with(at, end), self._with(where[0], where[1])]
                )
        if flag.picks:
            self._picking.append((flag, at, end))
        if flag.takes in REPEATED and isinstance(value, Lines):
            self._repeated.setdefault(name, []).extend(value.texts)
        elif isinstance(value, Numbers) and isinstance(before := self._single.get(name), Numbers):
            self._single[name] = before.and_also(value)
        elif isinstance(value, tuple):
            self._several.setdefault(name, {}).update(dict.fromkeys(value))
        else:
            self._single[name] = value
        return end

    # ── references and words ──

    def _refs(self) -> tuple[Ref, ...]:
        least, most = self._verb.refs
        refs: list[Ref] = []
        for at in self._loose[:most]:
            ref = self._ref(at)
            if ref is None and (len(refs) < least or not self._verb.words[1]):
                raise self._no_ref(at)
            if ref is None:
                break
            refs.append(ref)
        if len(refs) < least and not (self._this and not self._loose and not self._verb.writes):
            raise wrong.missing_ref(self._verb, self._found)
        return tuple(refs)

    def _ref(self, at: int) -> Ref | None:
        try:
            return read_ref(self._tail[at])
        except NumberError:
            raise wrong.no_number(self._verb, self._tail[at].text, lambda: [(Word.of("list"),)]) from None

    def _no_ref(self, at: int) -> WrongError:
        return wrong.no_ref(self._verb, self._tail[at].text, lambda: self._near(at))

    def _check_choice(self, refs: tuple[Ref, ...]) -> None:
        """Either a run or flags that choose some."""
        if refs and self._picking:
            without_ref = (*self._head, *(word for at, word in enumerate(self._tail) if at != self._loose[0]))
            raise wrong.chosen_twice(
                self._verb, self._picking[0][0].name, lambda: [self._without_choice(), without_ref]
            )
        if not refs and not any(flag.picks == "which" for flag, _, _ in self._picking):
            raise wrong.which_run(self._verb, self._found)

    def _without_choice(self) -> tuple[Word, ...]:
        picked = {spot for _, at, end in self._picking for spot in range(at, end)}
        return (*self._head, *(word for at, word in enumerate(self._tail) if at not in picked))

    def _words(self, loose: list[int]) -> tuple[str, ...]:
        least, most = self._verb.words
        if self._verb.prose:
            return (prose([self._tail[at] for at in loose]),) if loose else ()
        if any(slot.takes is Takes.GRANTEE for slot in self._verb.slots):
            return Rule(self._verb, self._head, self._tail, loose).words()
        if self._verb.slots and not self._verb.rest:
            return self._slots(loose)
        words = [self._tail[at].in_a_line().text.strip() for at in loose]
        if len(words) < least:
            raise wrong.missing_words(self._verb, len(words))
        if self._verb.writes and (astray := self._astray(loose)):
            raise wrong.too_many(self._verb, self._tail[astray[0]].text, lambda: self._fewer(astray))
        if len(words) > most and self._verb.rest:
            return (*words[: most - 1], " ".join(words[most - 1 :]))
        if len(words) > most:
            raise wrong.too_many(self._verb, words[most], lambda: self._fitted(loose[most:]))
        return tuple(words)

    @staticmethod
    def _astray(loose: list[int]) -> list[int]:
        """Words behind a flag, away from the first ones: more likely part of its value than of a name."""
        return [at for count, at in enumerate(loose) if at - loose[0] != count]

    def _slots(self, loose: list[int]) -> tuple[str, ...]:
        """Words that have a meaning each."""
        least, most = self._verb.words
        if len(loose) > most:
            typed = self._tail[loose[most]].text
            if self._is_one_name(loose):
                raise wrong.too_many(self._verb, typed, lambda: self._named_whole(loose), name=True)
            raise wrong.too_many(self._verb, typed, lambda: self._fewer(loose[most:]))
        read = zip(self._verb.slots, loose, strict=False)
        words = tuple(str(self._read(slot, self._tail[at], at, at + 1)) for slot, at in read)
        if len(words) < least:
            raise wrong.missing_words(self._verb, len(words))
        return words

    def _is_one_name(self, loose: list[int]) -> bool:
        """Whether these words, side by side, may be a name without its quotes."""
        name = len(self._verb.slots) == 1 and self._verb.slots[0].takes is Takes.WORD
        return name and loose[-1] - loose[0] == len(loose) - 1

    # ── what may have been meant ──

    def _with(self, at: int, end: int, *words: Word) -> tuple[Word, ...]:
        """The whole command with other words in one place."""
        return (*self._head, *self._tail[:at], *words, *self._tail[end:])

    def _like(self, typed: TypedFlag, at: int) -> Mends:
        """With the flags most like the one that is none; in a text, with the whole of it in quotes."""
        if self._in_prose:
            first = self._loose[self._verb.refs[1]] if len(self._loose) > self._verb.refs[1] else at
            yield self._with(first, len(self._tail), Word.said(prose(self._tail[first:])))
        yield from self._named(self._flags.like(typed.name), typed, at)

    def _named(self, names: tuple[str, ...], typed: TypedFlag, at: int) -> Mends:
        for name in names:
            flag = self._flags.exact(name)
            excludes = flag is not None and flag.excludes and typed.dashes == 1 and typed.joint
            dashes = "-" if excludes else "--"
            yield self._with(at, at + 1, Word.of(f"{dashes}{name}{typed.joint}") + typed.value)
            if flag is not None and not typed.joint and not self._may_be_value(at + 1):
                yield from self._valued(flag, self._samples(flag), at, at + 1)

    def _tried(self, flag: Flag, value: Word, tries: tuple[str, ...], at: int, end: int) -> Mends:
        """With other values: of the value and the next word together (`7 days`), of the value alone, or any."""
        if self._may_be_value(end):
            try:
                read_value(flag, value + Word.said(" ") + self._tail[end], self._now)
            except ValueProblem as problem:
                yield from self._valued(flag, problem.tries, at, end + 1)
            else:
                yield from self._valued(flag, (f"{value.text} {self._tail[end].text}",), at, end + 1)
        yield from self._valued(flag, tries or self._samples(flag), at, end)

    def _sampled(self, flag: Flag, at: int, end: int) -> Mends:
        """With a value such a flag takes, or without the flag."""
        yield from self._valued(flag, self._samples(flag), at, end)
        yield self._with(at, end)

    def _samples(self, flag: Flag) -> tuple[str, ...]:
        """Values out of thin air: never for a verb that writes."""
        return () if self._verb.writes else samples(flag)

    def _valued(self, flag: Flag, values: tuple[str, ...], at: int, end: int) -> Mends:
        for value in values:
            begin = () if flag.is_word else (Word.of(f"--{flag.name}"),)
            yield self._with(at, end, *begin, Word.said(value))

    def _near(self, at: int) -> Iterator[tuple[Word, ...]]:
        """With the word read as a run, together with the next one (`R 118`, `run R118`) or alone (`R-118`)."""
        word = self._tail[at]
        for later in [later for later in self._loose if later > at][:1]:
            joined = (word + self._tail[later]).text
            for text in (joined, *near_refs(joined), self._tail[later].text):
                yield self._with(at, later + 1, Word.of(text), *self._tail[at + 1 : later])
        for text in near_refs(word.text) or nearest(word.text, SPOKEN, 1) or self._harmless():
            yield self._with(at, at + 1, Word.of(text))
        if self._this and self._verb.writes:
            yield self._with(at, at, Word.of("this"))

    def _found(self) -> Mends:
        """With the newest run, for a verb that writes with that of the thread; or the list to find one in."""
        for text in self._harmless() or (("this",) if self._this else ()):
            yield self._with(0, 0, Word.of(text))
        yield (Word.of("list"),)

    def _harmless(self) -> tuple[str, ...]:
        """A run to suggest out of thin air: never to a verb that writes."""
        return () if self._verb.writes else ("last",)

    def _fitted(self, surplus: list[int]) -> Mends:
        """With a run that is too much behind the flag that takes one, else without what is too much."""
        flag = next((flag for flag in self._verb.flags if flag.takes is Takes.REF), None)
        if flag is not None and flag.name not in self._single and is_ref(self._tail[surplus[0]]):
            yield self._with(surplus[0], surplus[0], Word.of(f"--{flag.name}"))
        else:
            yield from self._fewer(surplus)

    def _named_whole(self, loose: list[int]) -> Mends:
        """With all the words as one name."""
        name = " ".join(self._tail[at].text for at in loose)
        yield self._with(loose[0], loose[-1] + 1, Word.said(name))

    def _fewer(self, surplus: list[int]) -> Mends:
        """Without what is too much."""
        without = set(surplus)
        yield (*self._head, *(word for at, word in enumerate(self._tail) if at not in without))
