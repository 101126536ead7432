"""Help and the README's command table, made from the grammar's own table of verbs."""

from __future__ import annotations

from bot.domain.answers import HelpIndex, HelpVerb
from bot.slack.grammar import Grammar
from bot.slack.verbs import Verb

_REFS = (
    "REF: R118, A412, A412/3 (a thread), S55/98142 (an instance), testrail:R118, a number, a pasted link, last, "
    "last:nightly, prev, this (in a run's thread), #3 (a row of your last list)."
)
_TIMES = "WHEN: 30m, 2h, 7d or 2w ago, today, yesterday, monday, 2026-11-01, 2026-11-01T09:00."
_FLAGS = "Flags: --key value, --key=value or key:value, in any order; “quotes” keep words together; -- ends the flags."


def help_index(grammar: Grammar, command_name: str) -> HelpIndex:
    """Every verb with its sentence and one example."""
    return HelpIndex(command=command_name, verbs=tuple(_brief(verb, command_name) for verb in grammar.verbs))


def help_family(grammar: Grammar, word: str, command_name: str) -> HelpIndex:
    """The verbs that begin with a word, such as `digest`: each with its sentence and the help that tells more.

    Without any verb where none begins with it, or where it is one itself.
    """
    rows = (
        HelpVerb(
            name=f"{verb.name} {verb.usage.partition(' [--')[0]}".strip(),
            sentence=verb.says,
            usage=usage(verb, command_name),
            flags=(),
            examples=(f"{command_name} help {verb.name}",),
        )
        for verb in grammar.family(word)
    )
    return HelpIndex(command=command_name, verbs=tuple(rows))


def help_verb(grammar: Grammar, name: str, command_name: str) -> HelpVerb:
    """All about one verb. Raises GrammarError if there is none of that name."""
    verb = grammar.named(name)
    flags = tuple((flag.typed, flag.says) for flag in (*verb.flags, *verb.everywhere) if not flag.hidden)
    return HelpVerb(
        name=verb.name,
        sentence=verb.says,
        usage=usage(verb, command_name),
        flags=flags,
        examples=tuple(f"{command_name} {example}" for example in verb.shown_examples),
        notes=_notes(verb),
    )


def usage(verb: Verb, command_name: str) -> str:
    """`/runs failures REF [--owner @user] [--limit N]`; what stands for nothing is the command alone."""
    name = "" if verb.stands_for == "nothing" else verb.name
    return " ".join(part for part in (command_name, name, verb.usage) if part)


def markdown_table(grammar: Grammar, command_name: str = "/runs") -> str:
    """The commands as a table in GitHub's Markdown: the command, what it answers."""
    rows = [(f"`{usage(verb, command_name)}`".replace("|", "\\|"), verb.says) for verb in grammar.verbs]
    lines = ["| command | what it answers |", "|---|---|"]
    return "\n".join((*lines, *(f"| {command} | {says} |" for command, says in rows))) + "\n"


def _brief(verb: Verb, command_name: str) -> HelpVerb:
    return HelpVerb(
        name=verb.name,
        sentence=verb.says,
        usage=usage(verb, command_name),
        flags=(),
        examples=(f"{command_name} {verb.shown_examples[0]}",),
    )


def _notes(verb: Verb) -> tuple[str, ...]:
    notes = list(verb.notes)
    if verb.aliases:
        notes.append(f"Also: {', '.join(verb.aliases)}.")
    if verb.refs[1]:
        notes.append(_REFS)
    if any(flag.takes.name in ("WHEN", "AGE") for flag in verb.flags):
        notes.append(_TIMES)
    if verb.flags:
        notes.append(_FLAGS)
    return tuple(notes)
