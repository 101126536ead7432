"""Who did what to which run: as a message, and as a table for a file."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from bot.domain.acts import Audit, Entry, Seen
from bot.presenters import buttons
from bot.presenters.changes import subject_of
from bot.presenters.deeds import name_of
from bot.presenters.engine import render
from bot.presenters.figures import plural, tally_words
from bot.presenters.icons import ENDED, STATES
from bot.presenters.look import Moment, moment
from bot.presenters.markup import Markup, code, said, user
from bot.presenters.message import Message
from bot.presenters.pages import page_of
from bot.presenters.text import cut, whole


@dataclass(frozen=True, slots=True)
class EntryLook:
    """One attempted change. `before` is its tally then, empty where `tally`, the one in the end, is the same."""

    icon: str
    word: str
    verb: Markup
    ref: Markup
    name: str
    who: str | Markup
    at: Moment
    before: str
    tally: str
    why: Markup


def audit(value: Audit, *, again: str, page: int = 1, now: datetime, shareable: bool = False) -> Message:
    """What was attempted, newest first, ten a page. People are named, not called: it may be shared."""
    shown = page_of(value.entries, page)
    return render(
        "audit",
        counted=plural(len(value.entries), "change"),
        words=cut(value.words, 300),
        rows=tuple(_entry(entry, now) for entry in shown.rows),
        first=shown.first,
        end=shown.end,
        total=shown.total,
        paged=shown.last > 1,
        older=not value.whole and shown.number == shown.last,
        all_attempts=value.all_attempts,
        buttons=buttons.legal(
            buttons.turns(again, shown.number, shown.last),
            buttons.share(again, shareable and bool(value.entries)),
        ),
    )


def _entry(entry: Entry, now: datetime) -> EntryLook:
    icon, word = ENDED[entry.outcome]
    subject = subject_of(entry.ref, name_of(entry.change) or entry.title)
    before, tally = _tallies(entry)
    return EntryLook(
        icon=icon,
        word=word,
        verb=code(entry.verb, 40),
        ref=subject.ref,
        name=cut(subject.name, 80),
        who=cut(entry.who_name, 60) or user(entry.who),
        at=moment(entry.at, now),
        before=before,
        tally=tally,
        why=said(entry.why, 200),
    )


def _tallies(entry: Entry) -> tuple[str, str]:
    before = cut(tally_words(entry.seen.tally), 100) if entry.seen else ""
    after = cut(tally_words(entry.after.tally), 100) if entry.after else ""
    return ("", after or before) if before == after or not after else (before, after)


def file_sent(name: str, count: int) -> Message:
    """That the entries were sent as a file, to the asker alone."""
    return render("file_sent", name=code(name, 120), counted=plural(count, "change"))


COLUMNS = (
    "asked at", "ended at", "who", "Slack id", "verb", "connection", "run", "name", "outcome", "why",
    "state before", "counts before", "state after", "counts after", "workspace", "channel", "thread",
    "part of", "key",
)  # fmt: skip


def audit_csv(entries: Iterable[Entry]) -> bytes:
    """The entries as a table for spreadsheets: a row each, times in ISO 8601 and UTC."""
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(COLUMNS)
    writer.writerows(map(_row, entries))
    return file.getvalue().encode("utf-8-sig")


def _row(entry: Entry) -> list[str]:
    cells = (
        _iso(entry.at), _iso(entry.ended_at), entry.who_name, entry.who, entry.verb, entry.connection,
        entry.ref.short if entry.ref else "", entry.title or name_of(entry.change), entry.outcome.value, entry.why,
        *_seen(entry.seen), *_seen(entry.after), entry.team, entry.channel, entry.thread, entry.part_of, entry.key,
    )  # fmt: skip
    return [_harmless(cell) for cell in cells]


def _iso(at: datetime | None) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds") if at else ""


def _seen(seen: Seen | None) -> Iterator[str]:
    yield STATES[seen.state][1] if seen else ""
    yield str(seen.tally) if seen else ""


def _harmless(cell: str) -> str:
    """Spreadsheets take what begins like a formula for one; an apostrophe makes it text."""
    cell = whole(cell).replace("\x00", "")
    return f"'{cell}" if cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell
