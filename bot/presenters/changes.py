"""A change to one run: asked about, being done, done, or too late."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.domain.acts import Append, Close, Delete, Edit, Ended, Entry, Proposal, Receipt, Recent, Seen, Start
from bot.domain.model import Run, RunRef
from bot.domain.outcomes import Tally
from bot.presenters import buttons
from bot.presenters.buttons import Button
from bot.presenters.deeds import Deed, deed, name_of, press
from bot.presenters.engine import render
from bot.presenters.figures import ago, bar, plural, tally_words
from bot.presenters.icons import ENDED, STATES
from bot.presenters.look import counts, gaps, look, moment, short_of, staleness, state_words
from bot.presenters.markup import Markup, code, link, said, user
from bot.presenters.message import Message
from bot.presenters.text import cut

LINES, WARNINGS, FIELDS, PEOPLE = 20, 10, 20, 8
FOR_GOOD = "This cannot be undone."


@dataclass(frozen=True, slots=True)
class Subject:
    """What a change is about. `short` is empty for a run that is not there yet; `link` is its name."""

    short: str
    ref: Markup
    name: str
    link: Markup


def subject_of(ref: RunRef | None, title: str, run: Run | None = None) -> Subject:
    """A run by its reference (a thread of it, where that is meant) and name, leading to its page where it has one."""
    ref = ref or (run.ref if run else None)
    short = cut(short_of(ref), 60) if ref else ""
    name = cut(run.name if run else "", 120) or cut(title, 120)
    named = name or short or "a run"
    return Subject(short, code(short), name, link(run.url, named) if run else link("", named))


def proposal(value: Proposal, *, now: datetime, changed: str = "", dry: bool = False) -> Message:
    """A change put before the person who asked for it. `changed` says how the run moved since they last saw it."""
    run, change = value.run, value.change
    subject = subject_of(_ref(value), name_of(change) or value.title, run)
    called = deed(value.verb, value.closing)
    return render(
        "proposal",
        changed=said(changed, 300),
        question=f"Would {called.ask}" if dry else called.ask.capitalize(),
        dry=dry,
        subject=subject,
        run=look(run) if run and not isinstance(change, Append) else None,
        lines=tuple(said(line, 300) for line in _lines(value)),
        fields=tuple(_field(*field, arrow=isinstance(change, Edit)) for field in _fields(value)),
        notices=_notices(value, now),
        where=cut(value.where, 120),
        gaps=gaps(value.missing),
        stale=staleness(run.read_at, now) if run else None,
        buttons=() if dry else buttons.legal(_choices(value, subject.short or "run")),
    )


def _ref(value: Proposal) -> RunRef | None:
    return None if isinstance(value.change, Start) else value.change.ref


def for_good(value: Proposal) -> bool:
    """Whether nobody can take it back."""
    closes = isinstance(value.change, Close) and value.closing is not None and value.closing.for_good
    return closes or isinstance(value.change, Delete)


def _lines(value: Proposal) -> list[str]:
    """What will happen; what closing means is told if the lines don't yet."""
    means = value.closing.consequences if value.closing and isinstance(value.change, Close) else ()
    return list(dict.fromkeys((*value.lines, *means)))[:LINES]


def _fields(value: Proposal) -> list[tuple[str, str, str]]:
    """What changes; the name of a new run is in the question."""
    named = ("name", "", value.change.name) if isinstance(value.change, Start) else None
    return [field for field in value.fields if field != named][:FIELDS]


@dataclass(frozen=True, slots=True)
class FieldLook:
    """One thing that is told to change; with `arrow` also what it was."""

    word: str
    before: str
    after: str
    arrow: bool


def _field(word: str, before: str, after: str, *, arrow: bool) -> FieldLook:
    return FieldLook(cut(word, 40), cut(before, 200) or "none", cut(after, 300) or "none", arrow)


def _notices(value: Proposal, now: datetime) -> tuple[tuple[str, Markup], ...]:
    """What to think of first: what can't be undone, who may still be at it, whose tests are left. Icon and words."""
    warnings = list(dict.fromkeys(value.warnings))[:WARNINGS]
    if for_good(value) and not says_for_good((*warnings, *_lines(value))):
        warnings.insert(0, FOR_GOOD)
    told = [("⚠️", warning) for warning in warnings]
    if value.recent is not None:
        told.append(_recent(value.recent, now))
    if value.untested_by:
        told.append(("⚪", _untested(value.untested_by, value.run.tally if value.run else Tally())))
    return tuple((icon, said(words, 400)) for icon, words in told)


def says_for_good(told: Iterable[str]) -> bool:
    """Whether one of the sentences says already that nobody can take it back."""
    return any(_FOR_GOOD.search(sentence) for sentence in told)


_FOR_GOOD = re.compile(r"\b(?:undo|undone|undoing|for good)\b", re.IGNORECASE)


def _recent(recent: Recent, now: datetime) -> tuple[str, str]:
    within = f"in the last {plural(recent.minutes, 'minute')}"
    if not recent.count:
        return "💤", f"No result {within}."
    last = f", the last {ago(recent.last_at, now)}" if recent.last_at else ""
    by = f" by {cut(recent.last_by, 60)}" if last and recent.last_by.strip() else ""
    return "⚠️", f"{plural(recent.count, 'result')} {within}{last}{by}. Somebody may still be at it."


def _untested(by: Sequence[tuple[str, int]], tally: Tally) -> str:
    """`4 untested: 3 Ana Diaz's, 1 not assigned.`; `2 untested, both Tom Becker's.`."""
    total = max(tally.untested, sum(count for _, count in by))
    if len(by) == 1 and by[0][1] == total:
        whose = cut(by[0][0], 40)
        every = {1: "", 2: "both "}.get(total, "all ")
        return f"{total} untested, {every}{whose}'s." if whose else f"{total} untested, not assigned."
    told = ", ".join(f"{count} {_whose(who)}" for who, count in by[:PEOPLE])
    rest = total - sum(count for _, count in by[:PEOPLE])
    return f"{total} untested: {told}" + (f", {rest} other" + "s" * (rest > 1) if rest else "") + "."


def _whose(who: str) -> str:
    return f"{name}'s" if (name := cut(who, 40)) else "not assigned"


def _choices(value: Proposal, short: str) -> tuple[Button, ...]:
    style = "danger" if for_good(value) else "primary"
    if value.confirm:
        do = Button("act:confirm", "Delete…" if isinstance(value.change, Delete) else "Confirm…", value.key, "", style)
    else:
        do = Button("act:go", press(value.verb, value.change, short, value.closing), value.key, "", style)
    form = (Button("act:form", "Edit…", value.key),) if value.has_form else ()
    return (do, *form, Button("act:cancel", "Cancel", value.key))


def doing(value: Proposal) -> str:
    """What is said while it is done: `Closing R118 “Smoke 5.2”`."""
    subject = subject_of(_ref(value), name_of(value.change) or value.title, value.run)
    named = f"“{subject.name}”" if subject.name else ""
    return " ".join(word for word in (deed(value.verb, value.closing).doing, subject.short, named) if word)


def working(what: str) -> Message:
    """Stands in for the buttons while a change is done."""
    words = cut(what, 200).rstrip("…. ") or "working"
    return render("working", what=words[0].upper() + words[1:])


def cancelled(value: Proposal | None = None) -> Message:
    """Stands where the question stood; that of a change to several runs has no proposal."""
    if value is None:
        return render("cancelled", before="nothing was closed", what="", after="")
    subject = subject_of(_ref(value), name_of(value.change) or value.title, value.run)
    called = deed(value.verb, value.closing)
    undone = called.undone[:1].lower() + called.undone[1:]
    return render(
        "cancelled",
        before=undone if called.given else "",
        what=subject.short or f"“{subject.name}”",
        after="" if called.given else f"was {undone}",
    )


def form_offer(verb: str, what: str, *, value: str) -> Message:
    """For a command that lacks something, as `what` says: the button opens its form. `value` is the command."""
    return render(
        "form_offer",
        what=said(what),
        ask=deed(verb).ask,
        buttons=buttons.legal((Button("act:form", "Fill in…", value, "", "primary"),)),
    )


def receipt(value: Receipt, *, now: datetime) -> Message:  # noqa: ARG001  ages, one day
    """What became of one change, for everybody: who, when, before, after."""
    entry, run = value.entry, value.run
    subject = subject_of(entry.ref, name_of(entry.change) or entry.title, run)
    called, word = deed(entry.verb), cut(value.done_word, 40)
    gone = entry.verb == "delete" and entry.outcome is Ended.DONE
    return render(
        "receipt",
        icon="🗑️" if gone else ENDED[entry.outcome][0],
        done=entry.outcome is Ended.DONE,
        sentence=_sentence(entry, called, word, subject),
        heading=_heading(entry, called, word),
        doubted=_doubted(called, word) if entry.outcome is Ended.DOUBT else None,
        again=called.again if entry.outcome is Ended.DOUBT else "",
        subject=subject,
        by=user(entry.who),
        who=cut(entry.who_name, 60) or user(entry.who),
        at=moment(entry.ended_at or entry.at, entry.at).at,
        why=said(entry.why),
        state=None if gone else _state(entry, run),
        had=_had(entry.seen) if gone else "",
        told=said(
            " ".join(
                f"{line.rstrip('.')}." if not line.endswith(("!", "?", "…", "”")) else line for line in _told(value)
            ),
            2_000,
        ),
        lines=tuple(said(line, 300) for line in _told(value)),
        doubts=tuple(said(doubt, 300) for doubt in value.doubts[:WARNINGS]),
        where=cut(value.where, 120),
        buttons=buttons.legal(
            buttons.opens("run", run.url, f"show {run.ref}") if run and not gone else (),
            (buttons.ask("show", f"show {entry.ref}"),) if entry.ref and not gone else (),
        ),
    )


def _told(value: Receipt) -> list[str]:
    """What was put where; the name of a new run stands above."""
    change = value.entry.change
    named = f"name: {change.name}" if isinstance(change, Start) else None
    return [line for line in value.lines if line != named][:LINES]


def _heading(entry: Entry, called: Deed, word: str) -> str:
    """What stands before the run's name."""
    match entry.outcome:
        case Ended.DONE:
            return f"{word[:1].upper()}{word[1:]}" or called.done
        case Ended.FAILED | Ended.STALE | Ended.REFUSED | Ended.CANCELLED:
            return f"Not {word}" if word and not called.given else called.undone
        case Ended.DOUBT | Ended.BEGUN:
            return called.doing


def _doubted(called: Deed, word: str) -> tuple[str, str]:
    """What stands before and after the run's name, where it is not clear whether it was done."""
    return (called.given, "") if called.given else ("", f"was {word or called.done.lower()}")


def _sentence(entry: Entry, called: Deed, word: str, subject: Subject) -> str:
    """How it ended, for notifications and screen readers."""
    named = " ".join(part for part in (subject.short, f"“{subject.name}”" if subject.name else "") if part) or "A run"
    who = cut(entry.who_name, 60) or entry.who
    done = word or called.done.lower()
    match entry.outcome:
        case Ended.DONE:
            return f"{named} {called.happened if called.given else f'was {done} by'} {who}."
        case Ended.FAILED | Ended.STALE | Ended.REFUSED | Ended.CANCELLED:
            failed = f"{called.undone} {named}" if called.given else f"{named} was not {done}"
            return f"{failed}, as {who} had asked."
        case Ended.DOUBT:
            before, after = _doubted(called, word)
            return f"It is not clear whether {' '.join(part for part in (before, named, after) if part)}."
        case Ended.BEGUN:
            return f"{called.doing} {named}."


@dataclass(frozen=True, slots=True)
class StateLook:
    """How a run stands; a new one has no `word` for it.

    `was` is its state and `before` its tally as they were, empty where they are the same.
    """

    was: str
    icon: str
    word: str
    bar: str
    tally: str
    before: str


#: Changes after which people want to know how the run stands, even if it stands as it did.
_TELLING = ("close", "complete", "start", "report")
#: Changes that put something beside the tests: how these stand has nothing to do with it.
_BESIDE = ("note", "link", "attach")


def _state(entry: Entry, run: Run | None) -> StateLook | None:
    seen, after = entry.seen, Seen.of(run) if run else entry.after
    if entry.verb in _BESIDE:
        return None
    if after is None:
        return _stood(seen) if seen else None
    moved = seen is not None and (seen.state, seen.finished) != (after.state, after.finished)
    counted = seen is not None and seen.tally != after.tally
    if not moved and not counted and entry.verb not in _TELLING:
        return None
    icon, word, _ = state_words(run) if run else STATES[after.state]
    if entry.verb == "start":  # “Started … not started” would be true, and puzzling
        icon = word = ""
    was = " ".join(STATES[seen.state][:2]) if seen and seen.state is not after.state else ""
    return StateLook(
        was, icon, word, bar(after.tally), _counts(entry, after, run),
        tally_words(seen.tally) if seen and counted else "",
    )  # fmt: skip


def _counts(entry: Entry, after: Seen, run: Run | None) -> str:
    if entry.verb == "start" and not after.tally.total:
        return "no results yet"
    return counts(run) if run else tally_words(after.tally)


def _had(seen: Seen | None) -> str:
    """What a deleted run took with it."""
    return f"It had {plural(seen.tally.total, 'test')}: {tally_words(seen.tally)}." if seen and seen.tally.total else ""


def _stood(seen: Seen) -> StateLook:
    """Of a run that could not be read afterwards."""
    return StateLook("", "", "", "", "", f"{STATES[seen.state][1].lower()} · {tally_words(seen.tally)}")


def late(entry: Entry, *, now: datetime, done: str = "") -> Message:
    """For who comes too late: what became of it. `done` is the system's word for it (`completed`)."""
    called, word = deed(entry.verb), cut(done, 40)
    subject = subject_of(entry.ref, name_of(entry.change) or entry.title)
    return render(
        "late",
        icon=ENDED[entry.outcome][0],
        outcome=entry.outcome.name.lower(),
        what=subject.ref or Markup(f"“{subject.link.text}”"),
        named=subject.short or f"“{subject.name}”",
        ask=called.ask,
        happened=f"was {word} by" if word and not called.given else called.happened,
        happens=f"is being {word} by" if word and not called.given else called.happens,
        by=user(entry.who),
        who=cut(entry.who_name, 60) or user(entry.who),
        at=moment(entry.ended_at or entry.at, now),
        why=said(entry.why),
        buttons=buttons.legal(
            (buttons.ask("show", f"show {entry.ref}"),)
            if entry.ref and not (entry.verb == "delete" and entry.outcome is Ended.DONE)
            else ()
        ),
    )
