"""A run, a moment, a gap in what was read: as every message shows them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.domain.answers import Trouble
from bot.domain.model import Run
from bot.presenters.figures import ago, bar, tally_words
from bot.presenters.icons import STATES
from bot.presenters.markup import Markup, code, date, link
from bot.presenters.text import cut

#: Older than this, and people are told how old what they read is.
FRESH_S = 60


@dataclass(frozen=True, slots=True)
class RunLook:
    """A run ready to be drawn; `sentence` follows a name: “is failing”."""

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
    number: int = 0


def look(run: Run, *, several: bool = False, width: int = 120, number: int = 0) -> RunLook:
    """With `several` connections in sight, references carry their connection. `number` is the row in a list."""
    icon, word, sentence = STATES[run.state]
    short = str(run.ref) if several else run.ref.short
    name = cut(run.name, width) or short
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
        tally=tally_words(run.tally),
        created=date(run.created_at),
        by=cut(run.assignee or run.by, 40),
        number=number,
    )


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
    words = "; ".join(_gap(cut(gap, 160)) for gap in missing[:5])
    return words + (f"; and {len(missing) - 5} more" if len(missing) > 5 else "")


def _gap(gap: str) -> str:
    unread = _UNREAD.search(gap)
    return f"{gap} {'are' if unread[1] else 'is'} missing" if unread else gap


@dataclass(frozen=True, slots=True)
class TroubleLook:
    connection: str
    what: str
    retry: Markup


def troubles(several: Sequence[Trouble]) -> tuple[TroubleLook, ...]:
    """Connections that could not answer, with the time to ask again."""
    return tuple(
        TroubleLook(trouble.connection, cut(trouble.error.what, 200), retry_of(trouble.error))
        for trouble in several[:6]
    )


def retry_of(error: object) -> Markup:
    at = getattr(error, "retry_at", None)
    return date(at) if isinstance(at, datetime) else Markup("")
