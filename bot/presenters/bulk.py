"""Several runs closed in one go: what would be, what is to be, what is being, and what became of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.domain.acts import Bulk, BulkItem, Ended, Entry
from bot.domain.model import Run
from bot.domain.outcomes import Tally
from bot.presenters import buttons
from bot.presenters.buttons import Button
from bot.presenters.changes import FOR_GOOD, says_for_good
from bot.presenters.deeds import Deed, deed
from bot.presenters.engine import render
from bot.presenters.figures import ago, bar, plural
from bot.presenters.icons import ENDED
from bot.presenters.look import begun, counts, short_of
from bot.presenters.markup import Markup, code, date, link, said
from bot.presenters.message import Message
from bot.presenters.pages import page_of
from bot.presenters.text import cut

#: Lines of one block, of one page, of a result, of what is told while it goes on, of what is left out.
CHUNK, PAGE, MOST, LATEST, LEFT_OUT = 5, 25, 200, 5, 10
#: Longer addresses are left out of a line, or a few lines would fill a block.
ADDRESS = 200


@dataclass(frozen=True, slots=True)
class LineLook:
    icon: str
    ref: Markup
    name: Markup
    told: str
    why: Markup


def bulk(value: Bulk, *, now: datetime, page: int = 1, under_way: bool = False) -> Message:
    """Runs to close in one go, as far as that is: asked about, under way (`under_way` where it just begins), ended.

    A question of several pages is asked anew by the button that turns them, so that each page has a key of its own.
    """
    tried = [item for item in value.items if item.entry is not None]
    if value.dry or not (tried or under_way or value.stopped):
        return _question(value, now, page)
    if under_way or (not value.stopped and (value.left or value.count(Ended.BEGUN))):
        return _progress(value, tried)
    return _result(value, tried, now)


def _question(value: Bulk, now: datetime, page: int) -> Message:
    """What it would do, or is about to do: runs in their order, 25 a page, then those left out."""
    called = _called(value)
    runs = [item for item in value.items if not item.why and item.entry is None]
    out = [item for item in value.items if item.why]
    shown = page_of(runs, page, size=PAGE)
    counted = plural(len(runs), "run")
    return render(
        "bulk",
        heading=f"Would {called.ask} {counted}" if value.dry else f"{called.ask.capitalize()} {counted}?",
        empty=not runs,
        words=cut(value.words, 300),
        dry=value.dry,
        chunks=_chunks([_planned(item.run, now) for item in shown.rows]),
        first=shown.first,
        end=shown.end,
        total=shown.total,
        paged=shown.last > 1,
        out=tuple(_left_out(item) for item in out[:LEFT_OUT]),
        out_count=len(out),
        out_more=max(0, len(out) - LEFT_OUT),
        warning=FOR_GOOD if runs and _for_good(runs) and not says_for_good(value.notes) else "",
        notes=tuple(said(note, 300) for note in value.notes[:6]),
        buttons=buttons.legal(
            () if value.dry or not runs else (_go(f"{called.ask.capitalize()} {counted}", value),),
            () if value.dry or not runs else (Button("act:cancel", "Cancel", value.key),),
            buttons.turns(value.typed, shown.number, shown.last),
        ),
    )


def _progress(value: Bulk, tried: Sequence[BulkItem]) -> Message:
    """How far it is; what went wrong so far, and the latest."""
    ended = [item for item in tried if item.entry and item.entry.outcome is not Ended.BEGUN]
    wrong = [item for item in ended if item.entry and item.entry.outcome is not Ended.DONE]
    done = [item for item in ended if item.entry and item.entry.outcome is Ended.DONE]
    total = len(tried) + value.left
    return render(
        "bulk_progress",
        doing=_called(value).doing,
        done=len(ended),
        total=total,
        bar=bar(Tally(passed=len(ended), untested=total - len(ended))),
        rows=tuple(_ended(item) for item in [*wrong[-LATEST:], *done[-LATEST:]]),
    )


def _result(value: Bulk, tried: Sequence[BulkItem], now: datetime) -> Message:
    """What became of each: what went wrong first, then what was done, then what was not tried."""
    wrong = [item for item in tried if item.entry and item.entry.outcome is not Ended.DONE]
    done = [item for item in tried if item.entry and item.entry.outcome is Ended.DONE]
    left = [item for item in value.items if item.entry is None and not item.why]
    lines = [*_grouped(wrong), *map(_ended, done), *(_planned(item.run, now, "⚪") for item in left)]
    ended_at = max((entry.ended_at or entry.at for entry in _entries(done)), default=None)
    called = _called(value).done.lower()
    who = next((cut(entry.who_name, 60) for entry in _entries(tried) if entry.who_name.strip()), "")
    counted = plural(len(done), "run") if done else "no run"
    return render(
        "bulk_result",
        icon="✅" if not wrong and not left else "⚠️",
        head=f"{who} {called} {counted}" if who else f"{counted} {called}".capitalize(),
        at=date(ended_at) if ended_at else None,
        undone=_undone(value),
        words=cut(value.words, 300),
        stopped=said(value.stopped, 400),
        chunks=_chunks(lines[:MOST]),
        more=max(0, len(lines) - MOST),
        buttons=buttons.legal((_go(f"Continue with {value.left}", value),) if left else ()),
    )


def _entries(items: Sequence[BulkItem]) -> list[Entry]:
    return [item.entry for item in items if item.entry is not None]


def _undone(value: Bulk) -> str:
    """`1 not closed, 3 not tried`."""
    several = (
        (value.count(Ended.FAILED), f"not {_called(value).done.lower()}"),
        (value.count(Ended.DOUBT), "in doubt"),
        (value.count(Ended.BEGUN), "under way"),
        (value.count(Ended.STALE), "had changed"),
        (value.count(Ended.REFUSED), "refused"),
        (value.count(Ended.CANCELLED) + value.left, "not tried"),
    )
    return ", ".join(f"{count} {word}" for count, word in several if count)


def _called(value: Bulk) -> Deed:
    """The systems' word where all of them have the same."""
    closings = {item.run.kind.closing for item in value.items if not item.why}
    words = {deed("close", closing).ask for closing in closings}
    return deed("close", closings.pop() if len(words) == 1 else None)


def _for_good(items: Sequence[BulkItem]) -> bool:
    return any(item.run.kind.closing is not None and item.run.kind.closing.for_good for item in items)


def _go(label: str, value: Bulk) -> Button:
    return Button("bulk:go", label, value.key, "", "danger")


def _chunks(lines: Sequence[LineLook]) -> tuple[tuple[LineLook, ...], ...]:
    return tuple(tuple(lines[start : start + CHUNK]) for start in range(0, len(lines), CHUNK))


def _line(run: Run, icon: str, told: str, why: str = "") -> LineLook:
    name = cut(run.name, 60) or run.ref.short
    return LineLook(icon, code(short_of(run.ref), 60), link(run.url if len(run.url) <= ADDRESS else "", name),
                    told, said(why, 120))  # fmt: skip


def _planned(run: Run, now: datetime, icon: str = "•") -> LineLook:
    return _line(
        run, icon, f"{'started' if begun(run) else 'created'} {ago(run.created_at, now)} · {cut(counts(run), 80)}"
    )


def _left_out(item: BulkItem) -> LineLook:
    return _line(item.run, "⏭️", "", item.why)


def _ended(item: BulkItem) -> LineLook:
    assert item.entry is not None  # noqa: S101
    return _line(item.run, ENDED[item.entry.outcome][0], _how(item, item.entry), item.entry.why)


_HOW = {
    Ended.BEGUN: "under way",
    Ended.DOUBT: "in doubt",
    Ended.STALE: "had changed",
    Ended.REFUSED: "refused",
    Ended.CANCELLED: "not tried",
}


def _how(item: BulkItem, entry: Entry) -> str:
    done = deed("close", item.run.kind.closing).done.lower()
    return done if entry.outcome is Ended.DONE else _HOW.get(entry.outcome, f"not {done}")


def _grouped(items: Sequence[BulkItem]) -> list[LineLook]:
    """What went wrong, the same reason told once above its runs."""
    groups: dict[tuple[str, str, str], list[BulkItem]] = {}
    for item in items:
        if item.entry is not None:
            groups.setdefault((ENDED[item.entry.outcome][0], _how(item, item.entry), item.entry.why), []).append(item)
    lines: list[LineLook] = []
    for (icon, how, why), alike in groups.items():
        if len(alike) == 1 or not why.strip():
            lines += map(_ended, alike)
        else:
            lines.append(LineLook(icon, Markup(""), Markup(""), f"{len(alike)} {how}", said(why, 120)))
            lines += (_line(item.run, "•", "") for item in alike)
    return lines
