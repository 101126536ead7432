"""Reads the words of `allow` and `deny`: what, then who, then perhaps where."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from bot.domain.access import ALLOWABLE
from bot.slack.grammar_near import nearest
from bot.slack.grammar_words import Word
from bot.slack.grammar_written import read_mention
from bot.slack.grammar_wrong import Mends, WrongError, shown, too_many
from bot.slack.verbs import Verb

#: How like a verb a word has to be to be taken for a mistyped one.
_ALIKE = 0.6
#: The order in which a rule is told.
_ORDER = ("what", "who", "where")
_PICK = "and pick it from what Slack suggests"


@dataclass(frozen=True, slots=True)
class Rule:
    """The rule of a command. `loose` are the places of its words in `tail`, flags are elsewhere."""

    verb: Verb
    head: tuple[Word, ...]
    tail: tuple[Word, ...]
    loose: list[int]

    def words(self) -> tuple[str, ...]:
        """The verb that is meant, the mention, and the channel if there is one. Raises WrongError."""
        words = [self.tail[at] for at in self.loose]
        parts = list(map(self._part, words))
        if sorted(parts) == sorted(_ORDER[: len(parts)]) and parts != list(_ORDER[: len(parts)]) and len(parts) > 1:
            raise self._wrong("Say what first, then who.", mends=[self._in_order(words, parts)])
        if not words:
            raise self._wrong("Who may do what?", why=f"Only {self.verb.name} was typed.")
        what = self._what(words[0])
        if len(words) == 1:
            raise self._wrong(
                f"Who {'may' if self.verb.name == 'allow' else 'may not'} {what}?",
                why="A rule is for a person or a user group.",
            )
        self._who(words[1])
        if len(words) > len(_ORDER):
            surplus = self.loose[len(_ORDER)]
            without = (*self.head, *(word for at, word in enumerate(self.tail) if at != surplus))
            raise too_many(self.verb, words[len(_ORDER)].text, lambda: [without])
        self._where(words[2:])
        return (what, *(word.text.strip() for word in words[1:]))

    def _part(self, word: Word) -> str:
        """Which part of a rule a word is: `what`, `who`, `where`, or empty."""
        kind = read_mention(word)
        if kind:
            return "where" if kind == "channel" else "who"
        return "what" if self._named(word) else ""

    def _named(self, word: Word) -> str:
        slot = self.verb.slots[0]
        typed = word.text.strip().lower()
        meant = dict(slot.synonyms).get(typed, typed)
        return meant if meant in slot.choices else ""

    def _in_order(self, words: list[Word], parts: list[str]) -> tuple[Word, ...]:
        return (*self.head, *(words[parts.index(part)] for part in _ORDER[: len(parts)]))

    def _what(self, word: Word) -> str:
        if found := self._named(word):
            return found
        typed = word.text.strip()
        if typed.lower() == "delete":
            raise self._wrong(
                "Deleting stays with admins.",
                why="No rule lets anybody else delete runs, so none is needed to forbid it.",
                fix=f"Name another command: {', '.join(ALLOWABLE)}, or all.",
            )
        if self._part(word):
            raise self._wrong("Say what first, then who.")
        spot = self.loose[0]
        near = [
            (*self.head, *self.tail[:spot], Word.of(name), *self.tail[spot + 1 :])
            for name in nearest(typed.lower(), self.verb.slots[0].choices, least=_ALIKE)
        ]
        raise self._wrong(
            f"{shown(typed)} is nothing that can be {'allowed' if self.verb.name == 'allow' else 'denied'}.",
            why=f"Say what first, then who. What is one of {', '.join(ALLOWABLE)}, or all.",
            mends=near,
        )

    def _who(self, word: Word) -> None:
        match self._part(word):
            case "who":
                return
            case "where":
                raise self._wrong("A channel is no person.", why="Say what, then who, then perhaps where.", mends=())
        typed = word.text.strip()
        if typed.startswith("<!"):
            raise self._wrong("That is everybody, not a user group.", why="A rule is for a person or a user group.")
        raise self._wrong(
            f"{shown(typed)} is only a name.",
            why="A name alone may be anybody's; what Slack suggests is one person or user group.",
            fix=f"Type @ and the name, {_PICK}: {self.verb.shown_examples[0]}.",
        )

    def _where(self, words: list[Word]) -> None:
        if words and self._part(words[0]) != "where":
            typed = words[0].text.strip()
            mention = bool(read_mention(words[0]))
            raise self._wrong(
                "One person or group at a time." if mention else f"{shown(typed)} is not a channel of Slack's.",
                why="Behind the person comes the channel, or nothing.",
                fix="Make one rule for each." if mention else f"Type # and the name, {_PICK}.",
            )

    def _wrong(self, what: str, *, why: str = "", fix: str = "", mends: Iterable[tuple[Word, ...]] = ()) -> WrongError:
        found: Mends = tuple(mends)
        return WrongError(
            what,
            why=why or f"{self.verb.name} is typed {self.verb.usage}.",
            fix=fix or f"For example: {self.verb.shown_examples[0]}.",
            mends=lambda: found,
            verb=self.verb,
        )
