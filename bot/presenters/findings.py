"""What was found in a run: failing tests, results, what changed since the run before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.domain.answers import FailedTest, Failures, ResultList
from bot.domain.model import Result, Test
from bot.domain.outcomes import Outcome
from bot.domain.streams import Diff
from bot.presenters import buttons
from bot.presenters.engine import render
from bot.presenters.figures import counted_words, duration, held, plural, tally_words
from bot.presenters.icons import CHANGES, COMMENT, FAILS, OUTCOMES
from bot.presenters.look import begun, gaps, look, staleness, uncounted
from bot.presenters.markup import Markup, code, date, link
from bot.presenters.message import Message
from bot.presenters.pages import page_of
from bot.presenters.text import cut

REASON = 140
NAME = 120

#: Rows that each group of a comparison shows, in the order people need them.
GROUPS = {"new": 8, "still": 5, "fixed": 5, "flaky": 5, "not_run": 3}


@dataclass(frozen=True, slots=True)
class FailureLook:
    title: str
    name: Markup
    new: bool
    still: bool
    seen: bool
    flaky: bool
    reason: str
    runs: int
    at_least: bool
    since: Markup
    owner: str
    defects: str


def failures(value: Failures, *, again: str, page: int = 1, now: datetime, shareable: bool = True) -> Message:
    """The failing tests of a run, newly broken first, ten a page."""
    run = value.run
    first = sorted(
        (failed for failed in value.tests if _is_new(failed, value.judged_on)), key=lambda it: _place(it.test)
    )
    shown = page_of((*first, *(failed for failed in value.tests if not _is_new(failed, value.judged_on))), page)
    new = max(value.new, len(first)) if value.judged_on > 0 else 0
    named = max(value.total, len(value.tests))
    total = named + max(0, value.unnamed)
    alone = not value.judged_on and not value.missing and bool(value.tests)
    return render(
        "failures",
        run=look(run),
        where=cut(value.where, 120),
        owner=cut(value.owner, 60),
        total=total,
        counted=plural(total, "failing test"),
        counted_still=plural(total, "test"),
        new=new,
        rows=tuple(_failure(failed, value.judged_on) for failed in shown.rows),
        first=shown.first,
        end=shown.end,
        paged=shown.last > 1,
        more=max(0, named - len(value.tests)) if shown.number == shown.last else 0,
        retried=_retried(value, total, again),
        begun=begun(run) or run.failing or uncounted(run),
        finished=run.finished,
        alone=alone,
        unnamed=max(0, value.unnamed),
        named=named,
        threads=tuple(
            (code(f"{run.ref.letter}{run.ref.id}/{thread.index}"), cut(thread.name, 60), tally_words(thread.tally))
            for thread in value.by_thread[:20]
        ),
        threads_more=max(0, len(value.by_thread) - 20),
        judged=plural(value.judged_on, "earlier run") if value.judged_on > 0 and value.tests else "",
        gaps=gaps(value.missing),
        stale=staleness(value.read_at, now),
        buttons=buttons.legal(
            buttons.turns(again, shown.number, shown.last),
            buttons.opens("run", run.url, f"show {run.ref}"),
            buttons.asks(("diff",) if "diff" in run.kind.verbs and not alone else (), run),
            buttons.share(again, shareable),
        ),
    )


def _retried(value: Failures, total: int, again: str) -> int:
    """The failed results that an automation run counts, where they are more than its tests that still fail."""
    run = value.run
    part = f"{run.ref}/" in again
    whole = run.kind.automated and not (part or value.owner or value.missing) and value.total == len(value.tests)
    return run.tally.failed if whole and 0 < total < run.tally.failed else 0


def _place(test: Test) -> tuple[str, str]:
    """Tests are told in the order of their folders and names."""
    return test.folder.casefold(), test.name.casefold()


def _is_new(failed: FailedTest, judged_on: int) -> bool:
    """Without an earlier run nobody can tell."""
    return failed.streak is not None and failed.streak.runs == 1 and judged_on > 0


def _failure(failed: FailedTest, judged_on: int) -> FailureLook:
    test, streak = failed.test, failed.streak
    known = streak is not None and judged_on > 0
    return FailureLook(
        title=title_of(test),
        name=link(test.url, title_of(test)),
        new=_is_new(failed, judged_on),
        still=known and not _is_new(failed, judged_on),
        seen=failed.seen,
        flaky=failed.flaky,
        reason=cut(test.note, REASON),
        runs=streak.runs if streak and known else 0,
        at_least=streak.at_least if streak else False,
        since=date(streak.since) if streak and known and streak.since else Markup(""),
        owner=cut(test.assignee, 60),
        defects=cut(test.defects, 80),
    )


def title_of(test: Test, width: int = NAME) -> str:
    """A test by its folder and name."""
    name = cut(test.name, width) or cut(test.key, width) or "(no name)"
    folder = cut(test.folder, width // 2)
    return f"{folder} › {name}" if folder else name


@dataclass(frozen=True, slots=True)
class ResultLook:
    icon: str
    word: str
    title: str
    name: Markup
    at: Markup
    by: str
    took: str
    note: str
    defects: str
    version: str


def results(value: ResultList, *, again: str, page: int = 1, now: datetime, shareable: bool = True) -> Message:
    """The results of a run in the order they are given, ten a page."""
    run = value.run
    shown = page_of(value.results, page)
    counted = held(len(value.results), value.total, again)
    return render(
        "results",
        run=look(run),
        where=cut(value.where, 120),
        words=counted_words(counted, cut(value.words, 200), "result"),
        counted=counted,
        rows=tuple(_result(result) for result in shown.rows),
        first=shown.first,
        end=shown.end,
        total=shown.total,
        paged=shown.last > 1,
        gaps=gaps(value.missing),
        stale=staleness(value.read_at, now),
        buttons=buttons.legal(
            buttons.turns(again, shown.number, shown.last),
            buttons.opens("run", run.url, f"show {run.ref}"),
            buttons.share(again, shareable),
        ),
    )


def _result(result: Result) -> ResultLook:
    icon, word = OUTCOMES[result.outcome] if result.outcome else COMMENT
    title = cut(result.test, NAME) or "(no name)"
    return ResultLook(
        icon=icon,
        word=cut(result.label, 40) if result.outcome is Outcome.OTHER and result.label.strip() else word,
        title=title,
        name=link(result.url, title),
        at=date(result.at),
        by=cut(result.by, 60),
        took=f"took {duration(result.elapsed_s)}" if result.elapsed_s else "",
        note=cut(result.note, REASON),
        defects=cut(result.defects, 80),
        version=cut(result.version, 40),
    )


@dataclass(frozen=True, slots=True)
class ChangeRow:
    name: Markup
    reason: str
    owner: str


@dataclass(frozen=True, slots=True)
class ChangeLook:
    icon: str
    word: str
    hint: str
    count: int
    rows: tuple[ChangeRow, ...]
    more: int


def diff(value: Diff, *, again: str, now: datetime, where: str = "", shareable: bool = True) -> Message:
    """What changed between a run and the one it is compared with."""
    run = value.run
    together = value.common > 0
    groups = tuple(_group(name, getattr(value, name), together) for name in GROUPS if getattr(value, name))
    return render(
        "diff",
        run=look(run),
        base=look(value.base),
        where=cut(where, 120),
        groups=groups,
        told=" · ".join(f"{group.count} {group.word.lower()}" for group in groups),
        nameless=not together and value.added <= 0 and run.tally.total > 0,
        common=plural(value.common, "test") if together else "",
        added=plural(value.added, "test") if value.added > 0 else "",
        gone=plural(value.gone, "test") if value.gone > 0 else "",
        judged=plural(value.judged_on, "finished run") if value.judged_on > 0 else "",
        gaps=gaps(value.missing),
        stale=staleness(run.read_at, now),
        buttons=buttons.legal(
            buttons.opens("run", run.url, f"show {run.ref}"),
            buttons.asks(("failures",) if run.failing and "failures" in run.kind.verbs else (), run),
            (buttons.ask("show", f"show {run.ref}", "Show run"),),
            buttons.share(again, shareable),
        ),
    )


def _group(name: str, tests: Sequence[Test], together: bool) -> ChangeLook:
    icon, word, hint = CHANGES[name] if together or name != "new" else FAILS
    shown = sorted(tests, key=_place)[: GROUPS[name]]
    reasons = name in ("new", "still")
    return ChangeLook(
        icon=icon,
        word=word,
        hint=hint,
        count=len(tests),
        rows=tuple(
            ChangeRow(link(test.url, title_of(test, 90)), cut(test.note, 90) if reasons else "", cut(test.assignee, 40))
            for test in shown
        ),
        more=len(tests) - len(shown),
    )
