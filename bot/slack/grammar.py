"""The grammar: words → command values. Pure: time comes in as an argument, and nothing of Slack is imported."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from datetime import datetime

from bot.domain.acts import WRITES
from bot.domain.errors import GrammarError
from bot.slack import grammar_wrong as wrong
from bot.slack.grammar_command import Command, Value, When
from bot.slack.grammar_flags import Flags, typed_flag
from bot.slack.grammar_near import nearest
from bot.slack.grammar_reader import Reader
from bot.slack.grammar_words import (
    UnclosedError,
    Word,
    quoted,
    strip_command,
    strip_mention,
    words_of,
)
from bot.slack.grammar_wrong import Mends, WrongError
from bot.slack.refs import is_ref, near_refs
from bot.slack.verbs import GREETINGS, PLANNED, READ_ONLY, VERBS, Planned, Verb

__all__ = ["Command", "Grammar", "Value", "When", "quoted", "strip_command", "strip_mention"]

_HELP = frozenset({"--help", "-h", "-?", "—help", "–help"})
_SUGGESTIONS = 3
#: How like a verb an unknown word has to be.
_ALIKE = 0.6
#: Letters a single unknown word needs to be looked for in the names of runs.
_WORTH_LOOKING = 4


class Grammar:
    """Reads commands by a table of verbs. The look-up costs the same however many verbs there are."""

    def __init__(self, verbs: Iterable[Verb] = VERBS, *, read_only: bool = False) -> None:
        """With `read_only` there are no verbs that change anything: who types one is told why."""
        every = tuple(verbs)
        writing = {verb.name for verb in every if read_only and verb.writes and not verb.settings}
        self.verbs = tuple(verb for verb in every if verb.name.partition(" ")[0] not in writing)
        removed = {name for verb in every if verb not in self.verbs for name in (verb.name, *verb.aliases)}
        self._away: Mapping[str, Planned] = {**PLANNED, **dict.fromkeys(removed, READ_ONLY)}
        self._names: dict[str, Verb] = {}
        self._begun: dict[str, Verb | None] = {}
        self._flags: dict[str, Flags] = {}
        for verb in self.verbs:
            for name in (verb.name, *verb.aliases):
                self._register(name.lower(), verb)
        self._heads = frozenset(name.partition(" ")[0] for name in self._names if " " in name)
        self._standing = {verb.stands_for: verb for verb in self.verbs if verb.stands_for}

    def _register(self, name: str, verb: Verb) -> None:
        if name in self._names:
            raise ValueError(f"two verbs are called {name}")
        self._names[name] = verb
        for end in range(1, len(name) + 1):
            known = self._begun.setdefault(name[:end], verb)
            if known is not verb:
                self._begun[name[:end]] = None

    def parse(self, text: str, *, now: datetime, this: bool = False) -> Command:
        """The command somebody typed. `now` is aware, in the asker's zone: days begin there.

        With `this` (typed in a run's thread), verbs that only read may be given without a run: it is the thread's.
        Raises GrammarError with what, why, fix, and canonical commands that can be run as they stand.
        """
        try:
            return self._command(self._cut(text), now, this)
        except WrongError as error:
            closest = self._closest(error, now, this)
            raise GrammarError(error.what, why=error.why, fix=error.fix, closest=closest) from None

    def named(self, name: str) -> Verb:
        """The verb of that name, alias or (if it only reads) beginning. Raises GrammarError."""
        verb = self._find(" ".join(name.lower().split()))
        if verb is not None:
            return verb
        planned = name.strip().lower() in self._away
        error = self._not_yet(name.strip().lower()) if planned else wrong.no_verb(name, tuple)
        near = () if planned else tuple(Command("help", words=(like.name,)).text() for like in self._like(name))
        raise GrammarError(error.what, why=error.why, fix=error.fix, closest=near or ("help",))

    def family(self, word: str) -> tuple[Verb, ...]:
        """The verbs of two words that begin with this one; none where it is a verb by its own name."""
        head = word.strip().lower()
        known = self._names.get(head)
        if head not in self._heads or (known is not None and known.name == head):
            return ()
        return tuple(verb for verb in self.verbs if verb.name.startswith(f"{head} "))

    def _asked_about(self, verb: Verb, head: tuple[Word, ...]) -> str:
        """What `--help` asks about: the verb, or all that begin with a word where only that was typed."""
        alone = head[0].text.lower() if len(head) == 1 else ""
        return alone if self.family(alone) else verb.name

    def _cut(self, text: str) -> tuple[Word, ...]:
        try:
            return words_of(text)
        except UnclosedError as error:
            without = error.without
            raise wrong.unclosed(error.rest, lambda: self._recut(without)) from None

    def _recut(self, text: str) -> Mends:
        try:
            yield words_of(text)
        except UnclosedError:
            return

    def _command(self, words: tuple[Word, ...], now: datetime, this: bool) -> Command:
        words = self._ungreeted(words)
        verb, length = self._verb(words)
        head, tail = words[:length], words[length:]
        asks = () if verb.prose and len(tail) > verb.refs[1] + 1 else _before_end(tail)  # a text may speak of --help
        if "help" in self._names and any(word.bare.lower() in _HELP for word in asks):
            return Command("help", words=(self._asked_about(verb, head),) if length else ())
        if verb.name not in self._flags:
            self._flags[verb.name] = Flags(verb)
        return Reader(verb, self._flags[verb.name], head, tail, now=now, this=this).command()

    # ── which verb ──

    def _ungreeted(self, words: tuple[Word, ...]) -> tuple[Word, ...]:
        """Without a greeting in front of a command; a greeting alone, or with other words, asks for help."""
        if not words or "help" not in self._names or words[0].bare.lower().rstrip("!,.") not in GREETINGS:
            return words
        if len(words) > 1 and (_named_by(words[1], self._names, self._heads, self._away) or is_ref(words[1])):
            return words[1:]
        return (Word.of("help"),)

    def _verb(self, words: tuple[Word, ...]) -> tuple[Verb, int]:
        """The verb, and how many words name it: none where it is understood (nothing typed, or a bare reference)."""
        name = words[0].text.lower() if words else ""
        if (
            name in self._heads
            and len(words) > 1
            and words[1].text
            and (verb := self._find(f"{name} {words[1].text.lower()}"))
        ):
            return verb, 2
        if verb := self._names.get(name):
            if self.family(name) and len(words) > 1 and words[1].text and not _is_flag(words[1]):
                raise self._no_verb(words)  # `digest` alone means one of its verbs, `digest foo` a mistyped one
            return verb, 1
        if name in self._away and name not in self._heads:
            raise self._not_yet(name)
        if verb := self._understood(words):
            return verb, 0
        if not _spaced_ref(words) and (verb := self._find(name)):
            return verb, 1
        raise self._no_verb(words)

    def _find(self, name: str) -> Verb | None:
        """By name or alias, else by a beginning that fits one verb, which only reads."""
        verb = self._names.get(name) or self._begun.get(name)
        return verb if verb is None or name in self._names or not verb.writes else None

    def _understood(self, words: tuple[Word, ...]) -> Verb | None:
        flagged = not words or _is_flag(words[0])
        verb = self._standing.get("nothing" if flagged else "ref")
        if verb is None or not (flagged or is_ref(words[0])):
            return None
        later = next((at for at, word in enumerate(words) if at and word.text.lower() in self._names), 0)
        if later:
            moved = (words[later], *words[:later], *words[later + 1 :])
            raise wrong.verb_not_first(self._names[words[later].text.lower()], words[0].text, lambda: [moved])
        if not flagged and len(words) > 1 and words[1].text.lower() in self._away:
            raise self._not_yet(words[1].text.lower())
        return verb

    def _no_verb(self, words: tuple[Word, ...]) -> WrongError:
        if not words:
            return wrong.no_verb("", tuple)
        typed = words[0].text
        two = words[0].text.lower() in self._heads and len(words) > 1
        if _spaced_ref(words):
            return wrong.no_verb(f"{typed} {words[1].text}", lambda: self._near(words, two))
        fitting = () if two else self._all_begun_by(typed.lower())
        if fitting:
            return wrong.no_whole_verb(
                typed, fitting, lambda: [(Word.of(verb.name), *words[1:]) for verb in fitting[:_SUGGESTIONS]]
            )
        return wrong.no_verb(f"{typed} {words[1].text}" if two else typed, lambda: self._near(words, two))

    def _not_yet(self, name: str) -> WrongError:
        """A verb of later versions."""
        about_runs = [verb for verb in self.verbs if verb.refs[1] or verb.stands_for == "words" or verb.name in WRITES]
        return wrong.not_yet(self._away[name], tuple(verb.name for verb in about_runs))

    def _like(self, typed: str) -> tuple[Verb, ...]:
        """The verbs whose names are like a word."""
        return tuple(dict.fromkeys(self._names[name] for name in nearest(typed, self._names, least=_ALIKE)))

    def _all_begun_by(self, name: str) -> tuple[Verb, ...]:
        if name not in self._begun:
            return ()
        return tuple(dict.fromkeys(verb for known, verb in self._names.items() if known.startswith(name)))

    # ── what may have been meant ──

    def _near(self, words: tuple[Word, ...], two: bool) -> Iterator[tuple[Word, ...]]:
        """Verbs like the first word, runs like it, and the words taken as words to look for."""
        refs = [(ref, end) for end in (1, 2) for ref in near_refs("".join(word.text for word in words[:end]))]
        for ref, end in refs:
            yield (Word.of(ref), *words[end:])
        typed, behind = (f"{words[0].text} {words[1].text}", words[2:]) if two else (words[0].text, words[1:])
        begun = self._begun.get(typed.lower())
        verbs = tuple(dict.fromkeys((*filter(None, [begun]), *self._like(typed))))
        for verb in verbs:
            due = behind or ((Word.of("last"),) if verb.refs[0] and not verb.writes else ())
            yield (*map(Word.of, verb.name.split()), *due)
        if named := next(filter(is_ref, words), None):
            if "ref" in self._standing and not verbs:
                yield (Word.of(self._standing["ref"].name), named)
        elif "words" in self._standing and (len(words) > 1 or sum(map(str.isalpha, words[0].text)) >= _WORTH_LOOKING):
            yield (Word.of(self._standing["words"].name), *words)
        if not verbs and not refs and "help" in self._names:
            yield (Word.of("help"),)

    def _closest(self, error: WrongError, now: datetime, this: bool) -> tuple[str, ...]:
        """Canonical commands that can be run as they stand; help where there are none."""
        found: dict[str, None] = {}
        for words in error.mends():
            try:
                found[self._command(words, now, this).text()] = None
            except WrongError:
                continue
            if len(found) == _SUGGESTIONS:
                break
        if not found and "help" in self._names:
            found[Command("help", words=(error.verb.name,)).text() if error.verb else "help"] = None
        return tuple(found) or ((error.verb or self.verbs[0]).examples[0],)


def _named_by(word: Word, *names: Container[str]) -> bool:
    return any(word.text.lower() in each for each in names)


def _is_flag(word: Word) -> bool:
    """Whether flags, or their end, begin with it."""
    return word.bare == "--" or typed_flag(word) is not None


def _before_end(words: tuple[Word, ...]) -> Iterator[Word]:
    """The words before `--`."""
    for word in words:
        if word.bare == "--":
            return
        yield word


def _spaced_ref(words: tuple[Word, ...]) -> bool:
    """`R 118`: more like a run than like the beginning of a verb."""
    return len(words) > 1 and len(words[0].text) == 1 and words[0].text.isupper() and words[1].text.isdecimal()
