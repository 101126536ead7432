"""Who did what to which run: as a message, and as a table for a file."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from bot.domain.acts import Audit, Change, Edit, Ended, Entry, Seen
from bot.presenters import buttons
from bot.presenters.changes import subject_of
from bot.presenters.deeds import name_of
from bot.presenters.engine import render
from bot.presenters.figures import plural, tally_words
from bot.presenters.icons import ENDED, STATES
from bot.presenters.look import Moment, moment
from bot.presenters.markup import Markup, channel, code, said, user
from bot.presenters.message import Message
from bot.presenters.pages import page_of
from bot.presenters.text import cut, mrkdwn, whole


@dataclass(frozen=True, slots=True)
class EntryLook:
    """One attempted change.

    `before` is its tally then, empty where `tally`, the one in the end, is the same; both are empty where counts tell
    nothing of the change. `changed` is what an edit asked for.
    """

    icon: str
    word: str
    verb: Markup
    ref: Markup
    name: str | Markup
    who: str | Markup
    at: Moment
    before: str
    tally: str
    changed: tuple[tuple[str, str], ...]
    why: Markup


def audit(value: Audit, *, again: str, page: int = 1, now: datetime, shareable: bool = False) -> Message:
    """What was attempted, newest first, ten a page. People are named, not called: it may be shared."""
    shown = page_of(value.entries, page)
    return render(
        "audit",
        counted=plural(len(value.entries), "entry", "entries"),
        words=cut(value.words, 300),
        rows=tuple(_entry(entry, now) for entry in shown.rows),
        first=shown.first,
        end=shown.end,
        total=shown.total,
        paged=shown.last > 1,
        older=not value.whole and shown.number == shown.last,
        all_attempts=value.all_attempts and any(entry.outcome is Ended.REFUSED for entry in value.entries),
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
        name=_rule(entry.title) if entry.verb in ("allow", "deny") else cut(subject.name, 80),
        who=cut(entry.who_name, 60) or user(entry.who),
        at=moment(entry.at, now),
        before=before,
        tally=tally,
        changed=_changed(entry.change),
        why=said(_why(entry), 200),
    )


_CHANNEL = re.compile(r"(?P<before>.*) in #(?P<id>[CG][A-Z0-9]{2,30})\b(?P<after>.*)", re.DOTALL)


def _rule(title: str) -> str | Markup:
    """A rule of who may what; its channel by its name, where only the id was known when it was made."""
    found = _CHANNEL.fullmatch(title)
    if found is None:
        return cut(title, 120)
    before, after = mrkdwn(cut(found["before"], 80)), mrkdwn(cut(found["after"], 40))
    return Markup(f"{before} in {channel(found['id']).text}{after}")


#: Changes that move counts, or end them.
_COUNTED = ("close", "complete", "report", "delete")


def _tallies(entry: Entry) -> tuple[str, str]:
    if entry.verb not in _COUNTED:
        return "", ""
    before = cut(tally_words(entry.seen.tally), 100) if entry.seen else ""
    after = cut(tally_words(entry.after.tally), 100) if entry.after else ""
    return ("", after or before) if before == after or not after else (before, after)


def _changed(change: Change | None) -> tuple[tuple[str, str], ...]:
    """What an edit asked for, as (word, value); what it was before is on no record."""
    if not isinstance(change, Edit):
        return ()
    cases = (
        None if change.cases is None else ", ".join(f"C{case}" for case in change.cases) or "every case of the suite"
    )
    several = (
        ("name", change.name),
        ("milestone", None if change.milestone is None else change.milestone.name or str(change.milestone.id or "")),
        ("refs", change.refs),
        ("cases", cases),
        ("description", change.description),
    )
    return tuple((word, cut(value, 80) or "none") for word, value in several if value is not None)


def _why(entry: Entry) -> str:
    """Rules are told to whom they stopped; here others read them."""
    return _YOU.sub("them", entry.why) if entry.outcome is Ended.REFUSED else entry.why


_YOU = re.compile(r"\byou\b")


def file_sent(name: str, count: int) -> Message:
    """That the entries were sent as a file, to the asker alone."""
    return render("file_sent", name=code(name, 120), counted=plural(count, "entry", "entries"))


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
        entry.ref.short if entry.ref else "", entry.title or name_of(entry.change), entry.outcome.name.lower(),
        _why(entry),
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
