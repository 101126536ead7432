"""What a change would do, put into words before anybody confirms it. Nothing is changed here."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.domain.acts import (
    Append,
    Change,
    Close,
    Delete,
    Edit,
    Named,
    Pointer,
    Proposal,
    Recent,
    Report,
    Start,
)
from bot.domain.errors import AmbiguousError, AskError, CannotError, Choice, NoContextError
from bot.domain.model import Kind, Run, RunRef, Test
from bot.domain.outcomes import Outcome
from bot.domain.queries import ResultQuery
from bot.usecases.changing import already, as_thread, find_thread, values_of
from bot.usecases.finding import Found
from bot.usecases.ports import ChannelContext, Connection, Ledger
from bot.usecases.showing import extra, where_is
from bot.usecases.systems import Systems, Target, targets

#: Results that came within so many minutes are told: somebody may still be at it.
RECENT_MIN = 15
#: A run read longer ago than this is read again before it is put before somebody.
FRESH = timedelta(seconds=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """Who proposes, when, under which key, and the command that says it."""

    key: str
    by: str
    now: datetime
    typed: str
    ledger: Ledger


def need_write(verb: str, kind: Kind, system: str, ref: RunRef) -> None:
    """Raise CannotError when the system can't do this with that kind of run, with what is possible instead."""
    if verb in kind.verbs:
        return
    raise CannotError(
        kind.cannot.get(verb) or f"{system} can't {verb} {_a(kind.noun)}.",
        why=f"{ref.short} is {_a(kind.noun)} of {system}.",
        fix="Open it in its own pages to change it there.",
        closest=(f"show {replace(ref, thread=None)}",),
    )


def _a(noun: str) -> str:
    return f"{'an' if noun[:1] in 'aeiou' else 'a'} {noun}"


def need_certain(verb: str, found: Found, typed: str) -> None:
    """Raise AmbiguousError when a system that could not be asked may have a run of that number too.

    `typed` is the whole command, with this run settled: a choice only where its system can do it.
    """
    if not found.doubts:
        return
    system, kind = found.connection.system, found.run.kind
    able = verb in kind.verbs
    there = () if able else (f"{system} has “{found.run.name}” and can't {verb} {_a(kind.noun)}",)
    raise AmbiguousError(
        f"Which {found.ref.short}?",
        (Choice(f"{system}: {found.run.name}", typed),) if able else (),
        why="; ".join((*found.doubts, *there)) + ".",
        fix="Choose, or type the connection before the number."
        if able
        else "Try again in a minute, or type the connection before the number.",
    )


async def fresh(found: Found, now: datetime) -> Run:
    """The run as it is now, not as somebody read it a while ago."""
    if now - found.run.read_at <= FRESH:
        return found.run
    found.connection.forget(found.run.ref)
    return await found.connection.run(found.run.ref)


async def propose_close(found: Found, draft: Draft) -> Proposal:
    """Close, complete or mark a run, or one thread of it. Raises TooLateError when that is done already."""
    kind, ref = found.run.kind, found.ref
    need_certain("close", found, draft.typed)
    need_write("close", kind, found.connection.system, ref)
    if found.part is not None:
        raise CannotError(
            f"One test of {found.run.ref.short} can't be closed.",
            why=f"{found.connection.system} closes whole {kind.plural}.",
            fix=f"Close the {kind.noun}, or report a result of the test.",
            closest=(f"close {found.run.ref}",),
        )
    run = await fresh(found, draft.now)
    thread = await find_thread(found.connection, ref) if ref.thread is not None else None
    closing = kind.closing if thread is None else kind.closing_thread
    if closing is None:
        raise CannotError(
            f"{found.connection.system} can't close {ref.short}.",
            why=f"{run.ref.short} is closed as a whole." if thread else f"It has no way to close {_a(kind.noun)}.",
            fix=f"Close the whole {kind.noun}." if thread else "Open it in its own pages.",
            closest=(f"close {run.ref}" if thread else f"show {run.ref}",),
        )
    if thread.finished if thread is not None else run.finished and closing.finishes:
        raise await already(ref, run, found.connection, draft.ledger, thread, now=draft.now)
    change = await found.connection.prepare(Close(ref))
    if not closing.finishes and await found.connection.was_done(change, draft.now):
        raise await already(ref, run, found.connection, draft.ledger, thread, now=draft.now)
    no_tests: list[str] = []
    no_results: list[str] = []
    untested, recent, where = await asyncio.gather(  # at the same time: somebody waits
        _untested(found.connection, run, no_tests, whole=thread is None),
        _recent(found.connection, run, draft.now, no_results),
        where_is(found),
    )
    title = run.name if thread is None else f"{thread.name or f'thread {thread.index}'} of {run.name}"
    return Proposal(
        key=draft.key,
        verb="close",
        change=change,
        where=where,
        by=draft.by,
        made_at=draft.now,
        typed=draft.typed,
        run=run if thread is None else as_thread(run, thread),
        title=title,
        closing=closing,
        lines=closing.consequences,
        warnings=_close_warnings(run) if thread is None else (),
        untested_by=untested,
        recent=recent,
        missing=(*run.missing, *no_tests, *no_results),
    )


def _close_warnings(run: Run) -> tuple[str, ...]:
    warnings = []
    if run.threads_active:
        active = run.threads_active
        warnings.append(f"{active} of its {run.threads_total} threads {'is' if active == 1 else 'are'} still at work.")
    return tuple(warnings)


async def _untested(
    connection: Connection, run: Run, missing: list[str], *, whole: bool
) -> tuple[tuple[str, int], ...]:
    """Whose tests of a whole run have no result yet, most first; nobody as an empty name."""
    if not whole or not run.tally.untested:
        return ()
    tests = await extra(connection.tests(run.ref), "whose the untested tests are", missing)
    if tests is None:
        return ()
    counted = Counter(_whose(test) for test in tests.items if test.outcome is Outcome.UNTESTED)
    return tuple(counted.most_common())


def _whose(test: Test) -> str:
    return test.assignee.strip()


async def _recent(connection: Connection, run: Run, now: datetime, missing: list[str]) -> Recent | None:
    if not run.tally.done:
        return None
    query = ResultQuery(since=now - timedelta(minutes=RECENT_MIN), at_most=200)
    found = await extra(connection.results(run.ref, query), "the results of the last minutes", missing)
    results = [each for each in found.items if each.outcome is not None and each.at <= now] if found else []
    if not results:
        return None
    last = max(results, key=lambda each: each.at)
    return Recent(count=len(results), minutes=RECENT_MIN, last_at=last.at, last_by=last.by)


async def start_target(
    systems: Systems, context: ChannelContext | None, *, connection: str, project: str, typed: str
) -> tuple[Target, Kind]:
    """Where a new run would go. Raises AmbiguousError when several systems could take it."""
    asked, troubles = await targets(systems, context, connection=connection, project=project)
    able = [(each, kind) for each in asked for kind in each.connection.kinds.values() if "start" in kind.verbs]
    if len(able) == 1:
        return able[0]
    if not able:
        if troubles:
            raise troubles[0].error
        one = asked[0].connection
        kind = next(iter(one.kinds.values()))
        raise CannotError(
            kind.cannot.get("start") or f"{one.system} can't start runs from here.",
            why=f"{one.name} is a connection to {one.system}.",
            fix="Name another connection with --in.",
            closest=("here",),
        )
    if project:
        raise NoContextError(
            "Several systems have such a project.",
            why=f"They are {', '.join(each.where for each, _ in able)}.",
            fix=f"Name the connection with --in, for example --in {able[0][0].connection.name}.",
        )
    raise AmbiguousError(
        "Where should it start?",
        tuple(Choice(f"{each.where}: {kind.noun}", f"{typed} --in {each.connection.name}") for each, kind in able),
        why=f"{len(able)} systems here can start runs.",
        fix="Choose one, or add --in CONNECTION.",
    )


async def propose_start(change: Start, target: Target, kind: Kind, draft: Draft) -> Proposal:
    """Begin a new run. The fields say what it will have."""
    try:
        prepared = await target.connection.prepare(change)
    except AmbiguousError as error:  # a system knows its own flag, and not what was typed before it
        choices = tuple(replace(each, command=f"{draft.typed} {each.command}") for each in error.choices)
        raise AmbiguousError(error.what, choices, why=error.why, fix=error.fix) from None
    if not isinstance(prepared, Start):
        raise TypeError("a start stays a start")
    missing: list[str] = []
    warnings: list[str] = []
    if prepared.source:
        known = await extra(target.connection.offers("source", prepared.project), "the sources", missing)
        if known is not None and not any(each.name.casefold() == prepared.source.casefold() for each in known):
            warnings.append(f"The source “{prepared.source}” is new; {target.connection.system} will make it.")
    return Proposal(
        key=draft.key,
        verb="start",
        change=prepared,
        where=target.where,
        by=draft.by,
        made_at=draft.now,
        typed=draft.typed,
        title=prepared.name,
        lines=(f"A new {kind.noun} is made in {target.where}.",),
        warnings=tuple(warnings),
        fields=tuple((word, "", value) for word, value in start_fields(prepared)),
        missing=tuple(missing),
        has_form=True,
    )


def start_fields(change: Start) -> tuple[tuple[str, str], ...]:
    """What a new run will have, as (word, value)."""
    several = (
        ("name", change.name),
        ("source", change.source),
        ("suite", _name(change.suite)),
        ("cases", cases_words(change.cases) if change.cases else "all of the suite" if change.letter == "R" else ""),
        ("milestone", _name(change.milestone)),
        ("configuration", _name(change.config)),
        ("assigned to", _name(change.assignee)),
        ("refs", change.refs),
        ("tags", ", ".join(change.tags)),
        ("links", ", ".join(_pointer(each) for each in change.links)),
        ("artifacts", ", ".join(_pointer(each) for each in change.artifacts)),
        *change.fields,
        ("description", change.description),
    )
    return tuple((word, value) for word, value in several if value)


def cases_words(cases: tuple[int, ...]) -> str:
    """`3 cases: C1, C2, C5`, the first ones named."""
    named = ", ".join(f"C{each}" for each in cases[:10])
    more = f" and {len(cases) - 10} more" if len(cases) > 10 else ""
    return f"{len(cases)} case{'' if len(cases) == 1 else 's'}: {named}{more}"


def _name(named: Named | None) -> str:
    return named.name or (f"number {named.id}" if named.id else "") if named else ""


def _pointer(pointer: Pointer) -> str:
    return f"{pointer.name} ({pointer.url})" if pointer.name and pointer.name != pointer.url else pointer.url


async def propose_edit(found: Found, change: Edit, draft: Draft) -> Proposal:
    """Change what a run says of itself; shows each field as it is and as it would be."""
    run, prepared = await _prepared(found, "edit", change, draft)
    if not isinstance(prepared, Edit):
        raise TypeError("an edit stays an edit")
    fields = tuple((word, before, after) for word, before, after in _edits(run, prepared) if before != after)
    if not fields:
        raise AskError(
            f"{run.ref.short} is like that already.",
            why="It has these values now.",
            fix="Give another value, or see it with `show`.",
            closest=(f"show {run.ref}",),
        )
    warnings = []
    if prepared.cases is not None:
        warnings.append("Tests of cases that are taken out of the run go with their results.")
    added = len(_ADDED.findall(run.description)) if any(word == "description" for word, _, _ in fields) else 0
    kept = len(_ADDED.findall(prepared.description or ""))
    if added > kept:
        lost = added - kept
        warnings.append(
            f"{lost} note{'' if lost == 1 else 's'} or link{'' if lost == 1 else 's'} below the description "
            f"{'goes' if lost == 1 else 'go'} with it."
        )
    return await _proposal("edit", found, run, prepared, draft, fields=fields, warnings=tuple(warnings))


#: The line below what was added to a description from here: who, and when.
_ADDED = re.compile(r"^– .+ via Slack, \d{4}-\d\d-\d\d \d\d:\d\d UTC", re.MULTILINE)


def _edits(run: Run, change: Edit) -> tuple[tuple[str, str, str], ...]:
    now = values_of(run)
    cases = None if change.cases is None else cases_words(change.cases) if change.cases else "every case of the suite"
    wanted = (
        ("name", change.name),
        ("milestone", None if change.milestone is None else change.milestone.name),
        ("refs", change.refs),
        ("cases", cases),
        ("description", change.description),
    )
    return tuple((word, now[word], value) for word, value in wanted if value is not None)


async def propose_append(verb: str, found: Found, change: Append, draft: Draft) -> Proposal:
    """Put a note, links or artifacts on a run."""
    run, prepared = await _prepared(found, verb, change, draft)
    if not isinstance(prepared, Append):
        raise TypeError("an addition stays an addition")
    if run.finished:
        raise CannotError(
            f"{run.ref.short} is {run.kind.ended or 'finished'} and takes nothing more.",
            why=f"{found.connection.system} adds to {run.kind.plural} that are still open.",
            fix="Take one that is open; `list` shows them.",
            closest=(f"show {run.ref}",),
        )
    fields = (
        *((("note", "", prepared.note),) if prepared.note else ()),
        *(("link", "", _pointer(each)) for each in prepared.links),
        *(("artifact", "", _pointer(each)) for each in prepared.artifacts),
    )
    return await _proposal(verb, found, run, prepared, draft, fields=fields)


async def propose_report(found: Found, change: Report, draft: Draft) -> Proposal:
    """Report results of tests of a run."""
    threaded = "threads" in found.run.kind.verbs
    if threaded and found.ref.thread is not None and not found.doubts and "report" in found.run.kind.verbs:
        whole = replace(found.ref, thread=None)
        raise CannotError(
            f"{found.ref.short} can't be given results from here.",
            why=f"{found.connection.system} makes a new thread for each report, so that it can be told apart.",
            fix=f"Report to {whole.short}; the new thread is part of it.",
            closest=(draft.typed.replace(str(found.ref), str(whole), 1),),
        )
    run, prepared = await _prepared(found, "report", change, draft)
    if not isinstance(prepared, Report):
        raise TypeError("a report stays a report")
    took = _took(prepared.duration_s) if prepared.duration_s is not None else ""
    if took and len(prepared.tests) > 1:
        took += " each"
    fields = (
        *((each.name or f"test {each.id}", "", each.outcome.value) for each in prepared.tests),
        *((f"step {number}: {step.name}", "", step.outcome.value) for number, step in enumerate(prepared.steps, 1)),
        *(
            (word, "", value)
            for word, value in (
                ("note", prepared.note),
                ("took", took),
                ("version", prepared.version),
                ("tester", _name(prepared.tester)),
                ("folder", prepared.folder),
                *_called(change.fields, prepared.fields),
                ("files", ", ".join(each.name for each in prepared.files)),
            )
            if value
        ),
    )
    warnings = ("A reported result can't be taken back from here.",)
    proposal = await _proposal("report", found, run, prepared, draft, fields=fields, warnings=warnings)
    return replace(proposal, lines=(f"A new thread is made in {run.ref.short}.",)) if threaded else proposal


def _called(typed: tuple[tuple[str, str], ...], prepared: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    """Fields as the system will get them, by the names people know: a system may have turned those into numbers."""
    if len(typed) != len(prepared):
        return prepared
    return tuple((name, value) for (name, _), (_, value) in zip(typed, prepared, strict=True))


def _took(seconds: float) -> str:
    """`1 h 5 min`, `5 min`, `90 s` becomes `1 min 30 s`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    parts = ((hours, "h"), (minutes, "min"), (rest, "s"))
    return " ".join(f"{count} {unit}" for count, unit in parts if count) or "0 s"


async def propose_delete(found: Found, draft: Draft) -> Proposal:
    """Delete a run; says what would be lost, and asks for its name to be typed."""
    run, prepared = await _prepared(found, "delete", Delete(found.run.ref), draft)
    loss = await found.connection.loss(run.ref)
    tests = loss.tests
    if tests is None and loss.results is None and not run.missing:
        tests = run.tally.total
    warnings = (f"{_lost(tests, loss.results)} deleted for good. This cannot be undone.", *loss.words)
    proposal = await _proposal("delete", found, run, prepared, draft, warnings=warnings)
    return replace(proposal, confirm=run.name)


def _lost(tests: int | None, results: int | None) -> str:
    """`1 test with all its results is`, `40 tests and 90 results are`."""
    if tests is None:
        return (
            f"{_counted(results, 'result')} {_are(results)}" if results is not None else "All its tests and results are"
        )
    if results is None:
        return f"{_counted(tests, 'test')} with all {'its' if tests == 1 else 'their'} results {_are(tests)}"
    return f"{_counted(tests, 'test')} and {_counted(results, 'result')} are"


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _are(count: int) -> str:
    return "is" if count == 1 else "are"


async def _prepared(found: Found, verb: str, change: Change, draft: Draft) -> tuple[Run, Change]:
    """The run as it is now, and the change as the system will get it."""
    need_certain(verb, found, draft.typed)
    need_write(verb, found.run.kind, found.connection.system, found.run.ref)
    if found.part is not None and verb != "report":
        kind, ref = found.run.kind, found.run.ref
        raise CannotError(
            f"{found.connection.system} can't {verb} one test of {ref.short}.",
            why=f"What stands behind the slash is a test, and this is done to a whole {kind.noun}.",
            fix=f"Leave it away to mean the {kind.noun}.",
            closest=(f"show {ref}",),
        )
    run = await fresh(found, draft.now)
    return run, await found.connection.prepare(change)


async def _proposal(
    verb: str,
    found: Found,
    run: Run,
    change: Change,
    draft: Draft,
    *,
    fields: tuple[tuple[str, str, str], ...] = (),
    warnings: tuple[str, ...] = (),
) -> Proposal:
    return Proposal(
        key=draft.key,
        verb=verb,
        change=change,
        where=await where_is(found),
        by=draft.by,
        made_at=draft.now,
        typed=draft.typed,
        run=run,
        title=run.name,
        warnings=warnings,
        fields=fields,
        has_form=verb != "delete",
    )
