"""What the forms of changes ask for: their fields, filled with what was typed, or else with what the run has."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from bot.domain.acts import Named
from bot.domain.errors import Choice
from bot.domain.model import Kind, Run
from bot.domain.outcomes import Outcome
from bot.presenters.forms import Field
from bot.slack.forms import Values, one, several
from bot.usecases.finding import Found
from bot.usecases.ports import Connection
from bot.usecases.showing import extra

#: So many can be chosen from: Slack shows no more.
MOST = 100


async def start_fields(connection: Connection, project: int, kind: Kind, values: Values) -> tuple[Field, ...]:
    """Of a run that does not exist yet."""
    typed = _Typed(values)
    if kind.automated:
        milestones, sources = await asyncio.gather(
            _offered(connection, "milestone", project), _offered(connection, "source", project)
        )
        known = ", ".join(each.label for each in sources[:8])
        there_are = f"There are: {known}. A new name makes a new source." if known else ""
        return (
            typed.line("name", "Name", optional=False),
            typed.line("source", "Source", hint=there_are, optional=False),
            typed.choice("milestone", "Milestone", milestones),
            typed.line("config", "Configuration"),
            typed.line("tag", "Tags", hint="Several with commas between them."),
            typed.lines("link", "Links", hint="One a line: an address, or name=address."),
            typed.lines("field", "Fields", hint="One a line: name: value"),
        )
    suites, milestones, people = await asyncio.gather(
        _offered(connection, "suite", project),
        _offered(connection, "milestone", project),
        _offered(connection, "person", project),
    )
    return (
        typed.line("name", "Name", optional=False),
        typed.choice("suite", "Suite", suites),
        typed.line("cases", "Cases", hint="Numbers such as 1,2,4-8; all of the suite if left empty."),
        typed.choice("milestone", "Milestone", milestones),
        typed.choice("assign", "Assigned to", people),
        typed.line("refs", "References"),
        typed.text("description", "Description"),
    )


async def edit_fields(connection: Connection, run: Run, values: Values) -> tuple[Field, ...]:
    """What the run has, but where something else was typed; a description whose formatting is not told is left out."""
    milestones = await _offered(connection, "milestone", run.project)
    none = (Choice("No milestone", "none"),) if milestones else ()
    now = next((each.command for each in milestones if each.label == run.milestone), "none" if none else run.milestone)
    there = {"name": run.name, "milestone": now, "refs": run.refs, "description": run.description}
    typed = _Typed({**there, **values, "name": one(values, "name") or run.name})
    return (
        typed.line("name", "Name", optional=False),
        typed.choice("milestone", "Milestone", (*none, *milestones)),
        typed.line("refs", "References"),
        typed.line("cases", "Cases", hint="Numbers such as 1,2,4-8, or all. Left empty, they stay as they are."),
        *(() if run.rich else (typed.text("description", "Description"),)),
    )


def append_fields(verb: str, values: Values, *, ask_run: bool = False) -> tuple[Field, ...]:
    """Of what is added to a run; `ask_run` if it is to be said to which."""
    typed = _Typed(values)
    place = "R118, A412, last, or the address of its page"
    which = (typed.line("ref", "Run", placeholder=place, optional=False),) if ask_run else ()
    if verb == "note":
        return (*which, typed.text("text", "Note", optional=False))
    return (
        *which,
        typed.line("url", "Address", placeholder="https://…", optional=False),
        typed.line("name", "What it is called"),
    )


async def report_fields(found: Found, values: Values) -> tuple[Field, ...]:
    """Of results that are reported: of tests by name to an automation run, else of instances of a set."""
    typed = _Typed(values)
    outcomes = tuple(
        Choice(each.value.capitalize(), each.value)
        for each in (Outcome.PASSED, Outcome.FAILED, Outcome.BLOCKED, Outcome.SKIPPED)
    )
    common = (
        typed.choice("outcome", "Outcome", outcomes, optional=False),
        typed.text("note", "Note"),
        typed.line("duration", "Took", placeholder="00:05:00, 5m or 90s"),
    )
    if found.run.kind.letter == "A":
        return (
            typed.lines("test", "Tests", hint="One a line: a test's name, or name: outcome.", optional=False),
            *common,
            typed.line("folder", "Folder"),
        )
    tests, people = await asyncio.gather(
        extra(found.connection.tests(found.run.ref), "the tests", []),
        _offered(found.connection, "person", found.run.project),
    )
    named = tuple(Choice(f"{each.name} ({each.outcome})", each.id) for each in (tests.items if tests else ())[:MOST])
    chosen = _numbers(several(values, "instance")) or ((str(found.part),) if found.part is not None else ())
    return (
        Field(
            name="instance",
            label="Tests",
            kind="choices",
            options=named,
            value=tuple(each for each in chosen if any(each == one.command for one in named)),
            hint="At most 20 in one go.",
        ),
        *common,
        typed.line("version", "Version"),
        typed.lines("step", "Steps", hint="One a line: name: outcome"),
        typed.choice("by", "Run by hand by", people, hint="Leave it empty for an automated result."),
        Field(name="file", label="Files", kind="files", hint=_kept_files(values), optional=True),
    )


class _Typed:
    """Makes fields that begin with what was typed."""

    def __init__(self, values: Values) -> None:
        self._values = values

    def line(self, name: str, label: str, *, hint: str = "", placeholder: str = "", optional: bool = True) -> Field:
        value = one(self._values, name)
        return Field(name=name, label=label, value=value, hint=hint, placeholder=placeholder, optional=optional)

    def text(self, name: str, label: str, *, optional: bool = True) -> Field:
        return Field(name=name, label=label, kind="text", value=one(self._values, name), optional=optional)

    def lines(self, name: str, label: str, *, hint: str, optional: bool = True) -> Field:
        """One of a kind on each line."""
        value = self._values.get(name, ())
        typed = value if isinstance(value, str) else "\n".join(value)
        return Field(name=name, label=label, kind="text", value=typed, hint=hint, optional=optional)

    def choice(
        self, name: str, label: str, options: tuple[Choice, ...], *, hint: str = "", optional: bool = True
    ) -> Field:
        value = _chosen(one(self._values, name), options)
        return Field(name=name, label=label, kind="choice", options=options, value=value, hint=hint, optional=optional)


async def _offered(connection: Connection, what: str, project: int) -> tuple[Choice, ...]:
    """What can be chosen; none where the system does not tell in time: then it is typed."""
    offers: Sequence[Named] = await extra(connection.offers(what, project), what, []) or ()
    return tuple(Choice(each.name, str(each.id) if each.id is not None else each.name) for each in offers[:MOST])


def _kept_files(values: Values) -> str:
    """Slack shows no files in a form that it did not get there itself: these are told."""
    count = len(several(values, "file"))
    return f"{count} file{'' if count == 1 else 's'} given before will go along." if count else ""


def _chosen(value: str, options: Sequence[Choice]) -> str:
    """The option that a typed value means, by its number or its name; the value itself where there are none."""
    if not options:
        return value
    folded = value.casefold()
    return next((each.command for each in options if folded in (each.command.casefold(), each.label.casefold())), "")


def _numbers(typed: Sequence[str]) -> tuple[str, ...]:
    """Numbers and spans of them (`4-8`), each number by itself."""
    spans = [each.partition("-") for each in typed]
    return tuple(
        str(number)
        for first, _, last in spans
        if first.isdecimal() and (last or first).isdecimal()
        for number in range(int(first), min(int(last or first), int(first) + 100) + 1)
    )
