"""A run, a moment, a gap in what was read: as every message shows them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.domain.answers import Trouble
from bot.domain.model import Run, RunRef, State
from bot.presenters import letters
from bot.presenters.figures import ago, bar, tally_words
from bot.presenters.icons import ALL_PASSED, NOT_STARTED, STATES
from bot.presenters.markup import Markup, code, date, link
from bot.presenters.text import cut

#: Older than this, and people are told how old what they read is.
FRESH_S = 60


@dataclass(frozen=True, slots=True)
class RunLook:
    """A run ready to be drawn; `sentence` follows a name: “is failing”.

    `then` says what happened `at` that time: created, started, or the system's word for finished. `who` is `for` the
    assignee, else `by` who made it. `config` is empty where the name tells it already.
    """

    icon: str
    word: str
    sentence: str
    name: str
    link: Markup
    ref: Markup
    short: str
    command: str
    bar: str
    tally: str
    created: Markup
    by: str
    config: str
    then: str
    at: Markup
    who: str
    number: int = 0


def look(run: Run, *, several: bool = False, width: int = 120, number: int = 0) -> RunLook:
    """References carry their connection when `several` are in sight, or the letter is used by more than one.

    `number` is the row in a list.
    """
    icon, word, sentence = state_words(run)
    short = str(run.ref) if several else short_of(run.ref)
    name = cut(run.name, width) or short
    ended = run.finished_at if run.finished else None
    return RunLook(
        icon=icon,
        word=word,
        sentence=sentence,
        name=name,
        link=link(run.url, name),
        ref=code(short),
        short=short,
        command=f"show {run.ref}",
        bar=bar(run.tally),
        tally=counts(run),
        created=date(run.created_at),
        by=cut(run.assignee or run.by, 40),
        number=number,
        config="" if not run.config or run.config in run.name else cut(run.config, 60),
        then=cut(run.kind.ended, 20) or "finished"
        if ended
        else "started"
        if begun(run) or uncounted(run)
        else "created",
        at=date(ended or run.created_at),
        who=f"for {cut(run.assignee, 40)}" if run.assignee else f"by {cut(run.by, 40)}" if run.by else "",
    )


def short_of(ref: RunRef) -> str:
    """A reference as briefly as it still means one run."""
    return str(ref) if ref.letter in letters.shared else ref.short


def state_words(run: Run) -> tuple[str, str, str]:
    """Icon, word and sentence of a run's state; of an open one whether it was begun, and whether it is done."""
    tally = run.tally
    if run.state is not State.OPEN or uncounted(run):
        return STATES[run.state]
    if not begun(run):
        return NOT_STARTED
    left = tally.untested or tally.retest or tally.running or tally.other
    return ALL_PASSED if tally.passed and not left else STATES[State.OPEN]


def begun(run: Run) -> bool:
    """Something was executed in it."""
    return bool(run.tally.done or run.tally.retest or run.tally.running or run.threads_active)


def uncounted(run: Run) -> bool:
    """Its counts could not be read, so that an empty tally means nothing."""
    return not run.tally.total and any(gap.startswith("its counts") for gap in run.missing)


def counts(run: Run) -> str:
    return "counts not read" if uncounted(run) else tally_words(run.tally)


@dataclass(frozen=True, slots=True)
class Moment:
    """A time in the reader's zone, with its age beside it."""

    at: Markup
    age: str


def moment(at: datetime, now: datetime) -> Moment:
    return Moment(date(at), ago(at, now))


def staleness(read_at: datetime, now: datetime) -> Moment | None:
    """When it was read, if that was a while ago."""
    return moment(read_at, now) if (now - read_at).total_seconds() > FRESH_S else None


#: What a system's reader leaves without a verb: `page 7 of 12`, `everything after page 6`.
_UNREAD = re.compile(r"(?:^|: )(?:page(s)? [^:]* of [\d,]+|everything after page [\d,]+)$")


def gaps(missing: Sequence[str]) -> str:
    """`page 7 of 12 is missing`; empty when nothing is."""
    words = "; ".join(gap_words(cut(gap, 160)) for gap in missing[:5])
    return words + (f"; and {len(missing) - 5} more" if len(missing) > 5 else "")


#: How an adapter tells that counts were not read in one go; said shorter, beside a button that reads on.
_UNCOUNTED = re.compile(r"^([^:]+): .+ are partial: the counts of ([\d,]+ .+?) (?:was|were) not read(?: \(.*|(: .*))?$")


def notes_of(notes: Sequence[str], most: int) -> tuple[str, ...]:
    """What is beside a list, in few words."""
    return tuple(cut(_UNCOUNTED.sub(r"\1 – the counts of \2 are not read yet\3", note), 300) for note in notes[:most])


def unread(notes: Sequence[str]) -> bool:
    """Asking again in a minute would tell more."""
    return any(_UNCOUNTED.match(note) for note in notes)


def gap_words(gap: str) -> str:
    """`page 7 of 12 is missing`."""
    unread = _UNREAD.search(gap)
    return f"{gap} {'are' if unread[1] else 'is'} missing" if unread else gap


@dataclass(frozen=True, slots=True)
class TroubleLook:
    """`connection` is empty where `what` names it already."""

    connection: str
    what: str
    retry: Markup


def troubles(several: Sequence[Trouble]) -> tuple[TroubleLook, ...]:
    """Connections that could not answer, with the time to ask again."""
    return tuple(
        TroubleLook(
            "" if trouble.connection.casefold() in trouble.error.what.casefold() else trouble.connection,
            cut(trouble.error.what, 200),
            retry_of(trouble.error),
        )
        for trouble in several[:6]
    )


def trouble_words(system: str, what: str) -> str:
    """What is wrong with a system, its name in it."""
    return cut(what if system.casefold() in what.casefold() else f"{system} – {what}", 200)


def retry_of(error: object) -> Markup:
    at = getattr(error, "retry_at", None)
    return date(at) if isinstance(at, datetime) else Markup("")
