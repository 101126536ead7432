"""From a command that changes something to what the use cases need, as far as no system has to be asked for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from bot.domain.acts import Ended, Named, Pointer, Reported, Step
from bot.domain.errors import GrammarError
from bot.domain.outcomes import Outcome
from bot.domain.refs import NamedRef, Ref
from bot.slack.grammar_command import Command
from bot.slack.grammar_forms import FormError, command_from, values_of
from bot.slack.grammar_written import split_judged, split_link, split_pair

__all__ = [
    "AuditParts",
    "EditParts",
    "FormError",
    "GrantParts",
    "ReportParts",
    "audit_parts",
    "command_from",
    "edit_parts",
    "fields",
    "grant_parts",
    "named",
    "pointers",
    "report_parts",
    "values_of",
    "wants_form",
]

#: Entries an audit shows where nobody says how many.
LAST = 20
#: The outcome of steps together is the first of these that one of them has.
_WORST_FIRST = (
    Outcome.FAILED,
    Outcome.BLOCKED,
    Outcome.RETEST,
    Outcome.UNTESTED,
    Outcome.PASSED,
    Outcome.SKIPPED,
)


def wants_form(command: Command) -> bool:
    """Whether so little was typed that a form is offered: no name, no text, no change, no outcome."""
    match command.verb:
        case "start" | "note":
            return not command.words
        case "edit":
            return not command.flags
        case "report":
            return _outcome(command) is None and not all(map(_own_outcome, command.several("test") or ("",)))
        case _:
            return False


# ── start and edit ──


def named(command: Command, flag: str) -> Named | None:
    """What a flag names, to be looked up in the system; `none` is a name without letters. None if it was not given."""
    typed = command.word(flag)
    return Named("" if typed.lower() == "none" else typed) if typed else None


@dataclass(frozen=True, slots=True, kw_only=True)
class EditParts:
    """What is to be changed: None leaves as it is, an empty text takes away; empty `cases` are all of the suite."""

    name: str | None
    description: str | None
    milestone: Named | None
    cases: tuple[int, ...] | None
    refs: str | None


def edit_parts(command: Command) -> EditParts:
    return EditParts(
        name=_given(command, "name"),
        description=_given(command, "description"),
        milestone=named(command, "milestone"),
        cases=command.numbers("cases"),
        refs=_given(command, "refs"),
    )


def _given(command: Command, flag: str) -> str | None:
    value = command.get(flag)
    return value if isinstance(value, str) else None


def pointers(command: Command) -> tuple[Pointer, ...]:
    """The links of a `start`; the one of a `link` or `attach`, none if no address was typed. A name may be empty."""
    if command.verb in ("link", "attach"):
        return tuple(Pointer(command.word("name"), url) for url in command.words)
    return tuple(Pointer(*split_link(text)) for text in command.several("link"))


def fields(command: Command) -> tuple[tuple[str, str], ...]:
    """Names and values of `--field`, in their order."""
    return tuple(split_pair(text) for text in command.several("field"))


# ── report ──


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportParts:
    """What is reported. `outcome` holds where a test has none of its own: typed, or else the worst of the steps.

    `tests` are those typed by name, then those by number of instance (with that behind the run's slash, unless the
    run has an automation run's letter: there it is a thread). `by` is the person as typed, empty if nobody.
    """

    outcome: Outcome | None
    tests: tuple[Reported, ...]
    steps: tuple[Step, ...]
    duration_s: float | None
    fields: tuple[tuple[str, str], ...]
    note: str
    version: str
    folder: str
    by: str
    files: tuple[str, ...]


def report_parts(command: Command) -> ReportParts:
    """What a `report` reports. Raises GrammarError where a test has no outcome."""
    outcome = _outcome(command)
    names = tuple(_reported(text, outcome) for text in command.several("test"))
    numbers = dict.fromkeys((*_part(command), *(command.numbers("instance") or ())))
    if outcome is None and (numbers or not names):
        raise _no_outcome(", ".join(map(str, numbers)))
    seconds = command.seconds("duration")
    return ReportParts(
        outcome=outcome,
        tests=(*names, *(Reported(outcome=outcome, id=number) for number in numbers if outcome is not None)),
        steps=_steps(command),
        duration_s=None if seconds is None else float(seconds),
        fields=fields(command),
        note=command.word("note"),
        version=command.word("version"),
        folder=command.word("folder"),
        by=command.word("by"),
        files=command.several("file"),
    )


def _outcome(command: Command) -> Outcome | None:
    if command.words:
        return Outcome(command.words[0])
    found = {step.outcome for step in _steps(command)}
    return next((outcome for outcome in _WORST_FIRST if outcome in found), None)


def _steps(command: Command) -> tuple[Step, ...]:
    judged = map(split_judged, command.several("step"))
    return tuple(Step(name, Outcome(outcome)) for name, outcome in judged)


def _own_outcome(text: str) -> str:
    return split_judged(text)[1]


def _reported(text: str, otherwise: Outcome | None) -> Reported:
    name, own = split_judged(text)
    outcome = Outcome(own) if own else otherwise
    if outcome is None:
        raise _no_outcome(name)
    return Reported(outcome=outcome, name=name)


def _part(command: Command) -> tuple[int, ...]:
    """The instance behind the slash of the run."""
    ref = command.refs[0] if command.refs else None
    return (ref.part,) if isinstance(ref, NamedRef) and ref.part is not None and ref.letter != "A" else ()


def _no_outcome(what: str) -> GrammarError:
    return GrammarError(
        f"“{what}” has no outcome." if what else "The report has no outcome.",
        why="Every test that is reported needs one.",
        fix='Add passed, failed or another outcome behind the run, or write --test "Log in: passed".',
        closest=("help report",),
    )


# ── allow, deny, audit ──


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantParts:
    """Who may (or may not) do what, and where: `subject` and `channel` are Slack's ids, no channel means everywhere."""

    verb: str
    kind: Literal["user", "group"]
    subject: str
    channel: str


def grant_parts(command: Command) -> GrantParts:
    """The rule an `allow` or `deny` makes."""
    verb, who, *channel = command.words
    group = who.startswith("<!subteam^")
    return GrantParts(
        verb=verb,
        kind="group" if group else "user",
        subject=who.removeprefix("<!subteam^" if group else "<@").removesuffix(">"),
        channel="".join(channel).removeprefix("<#").removesuffix(">"),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditParts:
    """What of the ledger is asked for. `by` is the person as typed, empty for everybody."""

    last: int
    verb: str
    by: str
    run: Ref | None
    since: datetime | None
    outcome: Ended | None
    csv: bool


def audit_parts(command: Command) -> AuditParts:
    status = command.word("status")
    return AuditParts(
        last=command.number("last") or LAST,
        verb=command.word("verb"),
        by=command.word("by"),
        run=command.ref("run"),
        since=command.when("since"),
        outcome=Ended[status.upper()] if status else None,
        csv=command.on("csv"),
    )
