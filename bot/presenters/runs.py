"""Runs: one as a card, many as a list, the threads of one, and the menu of what matters here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.domain.answers import Menu, RunCard, RunList, ThreadList
from bot.domain.model import Run, State, Thread
from bot.domain.outcomes import Outcome
from bot.presenters import buttons
from bot.presenters.engine import render
from bot.presenters.figures import bar, counted_words, duration, held, plural, tally_words, trend_words
from bot.presenters.icons import STATES
from bot.presenters.look import RunLook, begun, gaps, look, moment, notes_of, staleness, troubles, uncounted, unread
from bot.presenters.markup import Markup, code, link
from bot.presenters.message import Message
from bot.presenters.pages import page_of
from bot.presenters.settings import context_of
from bot.presenters.text import cut

PARTS, LINKS, TREND, AT_RISK = 8, 5, 12, 5


def run_card(card: RunCard, *, command: str, now: datetime, shareable: bool = True) -> Message:
    """One run: state, tally, trend, who, when. `command` is what shares it."""
    run = card.run
    return render(
        "run",
        run=look(run, width=200),
        where=cut(card.where, 120),
        trend=trend_words([point.rate for point in card.trend[-TREND:]]),
        started=moment(run.created_at, now),
        ended=moment(run.finished_at, now) if run.finished_at else None,
        finished=run.finished,
        started_word="Started" if begun(run) or run.finished or uncounted(run) else "Created",
        ended_word=run.kind.ended or "finished",
        took=_took(run.elapsed_s, run.finished),
        by=cut(run.by, 60),
        assignee=cut(run.assignee, 60),
        threads=f"{run.threads_active} of {plural(run.threads_total, 'thread')} at work" if run.threads_active else "",
        details=_details(run),
        description=cut(run.description, 200),
        links=tuple(_links(run.links)),
        parent=code(run.parent.short) if run.parent else None,
        parts=tuple(look(part, width=80) for part in card.parts[:PARTS]),
        parts_more=max(0, len(card.parts) - PARTS),
        gaps=gaps(card.missing),
        stale=staleness(run.read_at, now),
        buttons=buttons.legal(
            buttons.opens("run", run.url, f"show {run.ref}"),
            buttons.asks(card.buttons, run),
            buttons.share(command, shareable),
        ),
    )


def _took(seconds: float | None, finished: bool) -> str:
    return f"{'took' if finished else 'worked on for'} {duration(seconds)}" if seconds else ""


def _details(run: Run) -> tuple[tuple[str, str], ...]:
    """What a run is about, as (word, value)."""
    several = (
        ("milestone", run.milestone),
        ("configuration", run.config),
        ("source", run.source),
        ("workflow", run.workflow),
        ("refs", run.refs),
        ("tags", ", ".join(cut(tag, 40) for tag in run.tags[:10])),
    )
    return tuple((word, cut(value, 120)) for word, value in several if value.strip())


def _links(several: Sequence[tuple[str, str]]) -> list[Markup]:
    """Links of a run; a system may give (name, address) or the reverse."""
    ordered = ((name, url) if "://" in url else (url, name) for name, url in several[:LINKS])
    return [link(url, cut(name, 60) or "link") for name, url in ordered]


def run_list(
    listing: RunList, *, again: str, page: int = 1, now: datetime, shareable: bool = True, wider: str = ""
) -> Message:
    """Runs, ten a page. `again` is the command without its page; its rows are numbered through for `#3`.

    `wider` is the command that finds finished runs too, offered when nothing fits.
    """
    shown = page_of(listing.runs, page)
    counted = held(len(listing.runs), listing.total, again)
    return render(
        "runs",
        rows=_rows(shown.rows, shown.first, several=listing.several_connections),
        first=shown.first,
        end=shown.end,
        total=shown.total,
        counted=counted,
        paged=shown.last > 1,
        unread=0 if "--limit" in again or shown.number < shown.last else max(0, (listing.total or 0) - shown.total),
        words=counted_words(counted, cut(listing.words, 300), "run"),
        wider=bool(wider),
        notes=notes_of(listing.notes, 6),
        troubles=troubles(listing.troubles),
        where="",
        gaps="",
        stale=staleness(listing.read_at, now),
        buttons=buttons.legal(
            buttons.turns(again, shown.number, shown.last),
            (buttons.Button("page:all", "Include finished", wider),) if wider and not listing.runs else (),
            buttons.refresh(again, unread(listing.notes)),
            buttons.share(again, shareable and bool(listing.runs)),
        ),
    )


def _rows(runs: Sequence[Run], first: int, *, several: bool) -> tuple[RunLook, ...]:
    return tuple(look(run, several=several, width=90, number=number) for number, run in enumerate(runs, first))


def menu(value: Menu, *, now: datetime) -> Message:
    """What matters here: the channel's context in a line, the open runs most at risk, where to go next."""
    risky = value.at_risk
    return render(
        "menu",
        context=context_of(value.here),
        rows=_rows(risky.runs[:AT_RISK], 1, several=risky.several_connections),
        more=max(0, max(len(risky.runs), risky.total or 0) - AT_RISK),
        counted=plural(max(len(risky.runs), risky.total or 0), "run"),
        notes=notes_of(risky.notes, 4),
        troubles=troubles(risky.troubles),
        where="",
        gaps="",
        stale=staleness(risky.read_at, now),
        buttons=buttons.legal(
            (
                buttons.ask("list", label="All open runs"),
                buttons.ask("here", label="This channel"),
                buttons.ask("help"),
            )
        ),
    )


@dataclass(frozen=True, slots=True)
class ThreadLook:
    icon: str
    word: str
    ref: Markup
    name: str
    bar: str
    tally: str
    took: str


def threads(value: ThreadList, *, again: str, page: int = 1, now: datetime, shareable: bool = True) -> Message:
    """The parallel parts of an automation run."""
    run = value.run
    shown = page_of(value.threads, page)
    working = sum(1 for thread in value.threads if not thread.finished)
    return render(
        "threads",
        run=look(run),
        where=cut(value.where, 120),
        counted=plural(len(value.threads), "thread"),
        working=working,
        rows=tuple(_thread(run, thread) for thread in shown.rows),
        first=shown.first,
        end=shown.end,
        more=shown.more,
        gaps="",
        stale=staleness(run.read_at, now),
        buttons=buttons.legal(
            buttons.turns(again, shown.number, shown.last),
            buttons.opens("run", run.url, f"show {run.ref}"),
            (buttons.ask("show", f"show {run.ref}", "Show run"),),
            buttons.share(again, shareable),
        ),
    )


def _thread(run: Run, thread: Thread) -> ThreadLook:
    icon, word, _ = STATES[_state(thread)]
    return ThreadLook(
        icon=icon,
        word=word,
        ref=code(f"{run.ref.letter}{run.ref.id}/{thread.index}"),
        name=cut(thread.name, 80),
        bar=bar(thread.tally),
        tally=tally_words(thread.tally),
        took=_took(thread.elapsed_s, thread.finished),
    )


def _state(thread: Thread) -> State:
    if thread.tally.failed or thread.verdict is Outcome.FAILED:
        return State.FAILED if thread.finished else State.FAILING
    return State.PASSED if thread.finished else State.RUNNING
