"""A digest: one message that says in its first line whether anybody must act, the rest in its thread.

Nobody is called: a digest comes every day. People are named by their names alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.domain.answers import FailedTest, Trouble
from bot.domain.digests import Cluster, DigestNews, DigestPlan, Slot, StreamNews, Turn
from bot.domain.errors import RundownError
from bot.domain.model import Run
from bot.presenters import buttons
from bot.presenters.buttons import Button
from bot.presenters.engine import render
from bot.presenters.figures import duration, plural, trend_brief
from bot.presenters.findings import title_of
from bot.presenters.icons import TURNS
from bot.presenters.limits import FALLBACK_BYTES
from bot.presenters.look import counts, gap_words, retry_of, short_of, trouble_words
from bot.presenters.markup import Markup, address, code, date, link, said
from bot.presenters.message import Block, Message
from bot.presenters.plans import asking, filters, schedule, tells, wall
from bot.presenters.text import cut, cut_bytes

#: Streams that the first message names; fewer where their names are very long.
STREAMS, FEWER = 12, (6, 3, 1)
#: What the thread names at most: streams; tests of all streams together and of one; people, errors, names of each.
ALL_STREAMS, TESTS, OF_ONE, PEOPLE, ERRORS, NAMES = 100, 40, (3, 20), 20, 10, 5
#: Lines that share a block, so that none is too long.
TOGETHER = 5
RUNS, NOTES, TREND, REASON = 5, 4, 12, 110
#: A digest this late says so; gathering it takes a while.
LATE_MIN = 2
#: A longer address would leave no room for the other streams.
URL = 400
#: Slack's own limit; an answer gets a line above and one below.
BLOCKS = 50

_FAILING = (Turn.BROKE, Turn.STILL)


def digest(value: DigestNews, *, now: datetime) -> Message:  # noqa: ARG001  ages, one day
    """What became of a channel's runs since the last digest. Its first message is one, all else is for its thread."""
    if value.empty and value.plan.if_empty != "post":
        return _line(value)
    told = value.streams if value.empty else tuple(each for each in value.streams if each.turn is not Turn.PASSED)
    shown = min(len(told), STREAMS)
    parent = _parent(value, told, shown)
    for fewer in FEWER:
        if not parent.more or fewer >= shown:
            continue
        shown = fewer
        parent = _parent(value, told, shown)
    parts = (
        _all_streams(told if len(told) > shown else ()),
        _failing_tests(told),
        _shared_errors(value.clusters),
        _by_owner(value.owners, told),
    )
    return Message(parent.text, parent.blocks, (*parent.more, *_flat(parts)))


def _flat(parts: Sequence[Message | None]) -> Iterator[Message]:
    """What goes into the thread, in order, each a message of its own."""
    for part in parts:
        if part is not None:
            yield Message(part.text, part.blocks)
            yield from part.more


def _parent(value: DigestNews, told: Sequence[StreamNews], shown: int) -> Message:
    icon, heading, rest = _headline(value)
    worst = next((each for each in told if each.turn in _FAILING), None)
    return render(
        "digest",
        icon=icon,
        heading=heading[:1].upper() + heading[1:],
        rest=rest,
        name=cut(value.plan.name, 60),
        where=cut(value.where, 200),
        since=date(value.since),
        runs=_told_runs(value),
        change=_change(value),
        rows=tuple(_stream(each) for each in told[:shown]),
        more=len(told) - shown,
        oldest=_oldest(told),
        open=tuple(_open_runs(value)),
        troubles=_troubles(value),
        troubles_more=max(0, len({(it.connection, it.error.what) for it in value.troubles}) - NOTES),
        notes=tuple(gap_words(cut(note, 200)) for note in value.notes[:NOTES]),
        notes_more=max(0, len(value.notes) - NOTES),
        belated=_belated(value.belated),
        **_footer(value.plan, _timing(value.late_min, value.skipped)),
        buttons=buttons.legal(
            _failures(worst.run, f"Failures of {worst.run.ref.short}") if worst else (),
            (asking("show", value.plan, "About this digest"),),
            buttons.opens("run", worst.run.url, f"show {worst.run.ref}", f"Open {worst.run.ref.short}")
            if worst
            else (),
        ),
    )


def _told_runs(value: DigestNews) -> str:
    """`8 runs`, of those that ended; empty where the digest does not look at these."""
    if "failed" not in value.plan.what:
        return ""
    return plural(value.runs, "run") if value.runs else "no run was seen" if value.troubles else "no run ended"


def _failures(run: Run, label: str) -> tuple[Button, ...]:
    return (buttons.ask("failures", f"failures {run.ref}", label),) if "failures" in run.kind.verbs else ()


def _footer(plan: DigestPlan, timing: str = "") -> dict[str, object]:
    """Of what comes unasked: which rule, whose, why; and whether it comes late."""
    return {
        "timing": timing,
        "rule": cut(plan.name, 60),
        "owner": cut(plan.owner_name, 60) or "somebody who is not known any more",
        "schedule": schedule(plan),
        "tells": tells(plan),
        "filters": filters(plan),
    }


def _headline(value: DigestNews) -> tuple[str, str, str]:
    """Icon, what matters, the rest; the worst first."""
    broke, still, flaky, fixed = (value.count(turn) for turn in (Turn.BROKE, Turn.STILL, Turn.FLAKY, Turn.FIXED))
    unfinished, stale, silent = len(value.unfinished), len(value.stale), len({it.connection for it in value.troubles})
    streams = [(broke, "broke"), (still, "still failing"), (flaky, "flaky"), (fixed, "recovered")]
    parts = [f"{count} {word}" for count, word in streams if count]
    if parts:
        count = next(count for count, _ in streams if count)
        parts[0] = parts[0].replace(" ", " stream " if count == 1 else " streams ", 1)
    if unfinished:
        parts.append(f"{plural(unfinished, 'run')} unfinished")
    if silent:
        parts.append(f"{plural(silent, 'system')} did not answer")
    if stale:
        parts.append(f"{plural(stale, 'run')} stale")
    fine = not (broke or still or flaky or silent) and bool(fixed)
    rest = ["nothing fails"] if fine else []
    if value.passed and (parts or silent):
        rest.append(f"{value.passed if broke + still + flaky + fixed else plural(value.passed, 'stream')} passed")
    icons = (
        (broke, TURNS[Turn.BROKE][0]),
        (still, TURNS[Turn.STILL][0]),
        (unfinished, "⏱️"),
        (silent, "⚠️"),
        (flaky, TURNS[Turn.FLAKY][0]),
        (stale, "💤"),
        (fixed, TURNS[Turn.FIXED][0]),
    )
    icon = next((icon for count, icon in icons if count), "")
    return (icon, ", ".join(parts), " · ".join(rest)) if parts else (*_quiet(value), "")


def _quiet(value: DigestNews) -> tuple[str, str]:
    """Icon and words of a day on which nobody has to do anything."""
    if value.passed:
        return "✅", "the only stream passed" if value.passed == 1 else f"all {value.passed} streams passed"
    open_ones = " or ".join(what for what in value.plan.what if what != "failed")
    if "failed" in value.plan.what:
        return ("💤", "no run ended") if not value.runs else ("✅", "nothing failed")
    return "✅", f"nothing is {open_ones or 'to tell'}"


def _change(value: DigestNews) -> str:
    """`5 failing now, 3 of these streams before`."""
    if "failed" not in value.plan.what or not value.streams:
        return ""
    if value.before is None:
        return "the first digest, with none before it to compare with"
    now = value.count(*_FAILING)
    return f"{now} failing now, {value.before} of these streams before"


def _late_min(slot: Slot, now: datetime) -> int:
    return max(0, int((now - slot.at).total_seconds() // 60))


def _timing(late_min: int, skipped: int) -> str:
    """`9 min late · 2 before it were missed`; empty for one that is on time."""
    late = f"{duration(late_min * 60)} late" if late_min >= LATE_MIN else ""
    missed = f"{skipped} before it {'was' if skipped == 1 else 'were'} missed" if skipped > 0 else ""
    return " · ".join(word for word in (late, missed) if word)


@dataclass(frozen=True, slots=True)
class StreamLook:
    """A stream in two lines: what became of it, and its latest run in numbers.

    `lasting` is for how many runs it has been failing, empty for the first; `facts` are joined by dots; `may_be_manual`
    tells that its system does not say whether it is automated.
    """

    icon: str
    word: str
    lasting: str
    since: Markup
    title: str
    short: str
    name: Markup
    ref: Markup
    config: str
    tally: str
    facts: str
    may_be_manual: bool


def _stream(value: StreamNews) -> StreamLook:
    run, failing = value.run, value.turn in _FAILING
    icon, word = TURNS[value.turn]
    lasting = failing and value.broken_for > 1
    title = cut(run.name, 80) or short_of(run.ref)
    several = value.runs > 1
    facts = (
        _counted(value),
        f"{value.failed} of {value.runs} runs failed"
        if several and value.failed
        else plural(value.runs, "run")
        if several
        else "",
        trend_brief([point.rate for point in value.trend[-TREND:]]),
        "no earlier run to compare with" if failing and len(value.trend) < 2 and value.broken_for < 2 else "",
        "partial" if value.missing else "",
    )
    return StreamLook(
        icon=icon,
        word=word,
        lasting=f"for {'at least ' if value.at_least else ''}{value.broken_for} runs" if lasting else "",
        since=date(value.broken_since) if lasting and value.broken_since else Markup(""),
        title=title,
        short=cut(short_of(run.ref), 40),
        name=_near(run.url, title),
        ref=code(short_of(run.ref), 40),
        config="" if not run.config or run.config in run.name else cut(run.config, 40),
        tally=_brief(run),
        facts=" · ".join(fact for fact in facts if fact),
        may_be_manual=run.kind.automated is None,
    )


def _near(url: str, label: str) -> Markup:
    """A link, if its address leaves room for others."""
    return link(url if len(address(url)) <= URL else "", label)


def _brief(run: Run) -> str:
    """`15 of 640 tests failed · 2 blocked`: what failed, and what must never be hidden."""
    tally = run.tally
    if not tally.total:
        return counts(run)
    done = (
        f"{tally.failed} of {tally.total} tests failed" if tally.failed else f"{tally.passed} of {tally.total} passed"
    )
    rest = [(tally.blocked, "blocked"), (tally.untested, "untested")]
    if not tally.failed:  # what is neither passed nor failed would be asked for
        rest += [(tally.retest, "to retest"), (tally.running, "running"), (tally.skipped, "skipped")]
    return " · ".join((done, *(f"{count} {word}" for count, word in rest if count)))


def _counted(value: StreamNews) -> str:
    """`12 new, 3 still, 1 fixed`: tests against the run before, where they are known."""
    several = ((value.new, "new"), (value.still, "still"), (value.fixed, "fixed"), (value.flaky, "flaky"))
    return ", ".join(f"{count} {word}" for count, word in several if count > 0)


def _oldest(told: Sequence[StreamNews]) -> StreamLook | None:
    """The stream that has been broken longest, where several were broken before: of one its own lines tell all."""
    lasting = [each for each in told if each.turn in _FAILING and each.broken_for > 1 and each.broken_since is not None]
    if len(lasting) < 2:
        return None
    return _stream(min(lasting, key=lambda each: each.broken_since or each.run.created_at))


@dataclass(frozen=True, slots=True)
class OpenLook:
    """Runs that are not failed but left open."""

    icon: str
    heading: str
    hint: str
    rows: tuple[tuple[Markup, Markup, str, Markup], ...]
    more: int


def _open_runs(value: DigestNews) -> Iterator[OpenLook]:
    several = (
        ("⏱️", "unfinished", "at work for longer than usual, not failed", value.unfinished),
        ("💤", "stale", "open, and nobody is at it", value.stale),
    )
    for icon, word, hint, runs in several:
        if runs:
            rows = tuple(
                (
                    _near(run.url, cut(run.name, 80) or short_of(run.ref)),
                    code(short_of(run.ref), 40),
                    cut(counts(run), 120),
                    date(run.created_at if word == "unfinished" else run.updated_at or run.created_at),
                )
                for run in runs[:RUNS]
            )
            yield OpenLook(icon, f"{len(runs)} {word}", hint, rows, len(runs) - len(rows))


@dataclass(frozen=True, slots=True)
class SilentLook:
    """A system that did not answer; `partly` where other runs of it are told all the same."""

    what: str
    partly: bool
    retry: Markup


def _troubles(value: DigestNews) -> tuple[SilentLook, ...]:
    """Each trouble once, however many kinds of run it kept from us."""
    heard = {run.ref.connection for run in (*(each.run for each in value.streams), *value.unfinished, *value.stale)}
    once: dict[tuple[str, str], Trouble] = {}
    for trouble in value.troubles:
        once.setdefault((trouble.connection, trouble.error.what), trouble)
    return tuple(
        SilentLook(
            trouble_words(trouble.connection, trouble.error.what).rstrip(". "),
            trouble.connection in heard,
            retry_of(trouble.error),
        )
        for trouble in list(once.values())[:NOTES]
    )


def _line(value: DigestNews) -> Message:
    """A quiet day in one line. What failed in between, and passed later, is not left out."""
    icon, words = _quiet(value)
    failed = sum(each.failed for each in value.streams)
    return render(
        "digest_line",
        icon=icon,
        words=words,
        Words=words[:1].upper() + words[1:],
        name=cut(value.plan.name, 60),
        since=date(value.since) if "failed" in value.plan.what else Markup(""),
        runs=f"{plural(value.runs, 'run')}{f', {failed} of them failed in between' if failed else ''}"
        if value.runs
        else "",
        owner=cut(value.plan.owner_name, 60),
        timing=_timing(value.late_min, value.skipped),
        notes=tuple(gap_words(cut(note, 200)) for note in value.notes[:NOTES]),
        notes_more=max(0, len(value.notes) - NOTES),
        belated=_belated(value.belated),
    )


def _belated(count: int) -> str:
    """Why runs are told that ended before the time this digest speaks of."""
    them = "it" if count == 1 else "them"
    return f"{count} of these runs ended before the last digest, which could not see {them}" if count else ""


def _chunks(rows: Sequence[object]) -> tuple[tuple[object, ...], ...]:
    return tuple(tuple(rows[start : start + TOGETHER]) for start in range(0, len(rows), TOGETHER))


def _all_streams(told: Sequence[StreamNews]) -> Message | None:
    """Every stream there is to tell of, where the first message names only some."""
    if not told:
        return None
    return render(
        "digest_streams",
        counted=plural(len(told), "stream"),
        chunks=_chunks(tuple(_stream(each) for each in told[:ALL_STREAMS])),
        more=max(0, len(told) - ALL_STREAMS),
    )


@dataclass(frozen=True, slots=True)
class TestLook:
    __test__ = False

    new: bool
    flaky: bool
    title: str
    name: Markup
    reason: str
    lasting: str
    since: Markup


@dataclass(frozen=True, slots=True)
class TestsLook:
    """Some failing tests of a stream. The first of its parts has its name; the last one what is not named.

    `value` is the command that lists all of them, empty where it can't be asked. `retried` are failures that the run
    counts beside the tests that fail.
    """

    __test__ = False

    name: Markup
    ref: Markup
    title: str
    counted: str
    value: str
    rows: tuple[TestLook, ...]
    more: int
    unnamed: int
    retried: int


def _failing_tests(told: Sequence[StreamNews]) -> Message | None:
    """The failing tests by stream, newly broken first, with their reasons."""
    several = [each for each in told if each.turn in _FAILING and (each.tests or each.unnamed > 0)][:STREAMS]
    if not several:
        return None
    least, most = OF_ONE
    share = min(most, max(least, TESTS // len(several)))
    parts = tuple(part for each in several for part in _tests(each, share))
    total = sum(max(each.tests_total, len(each.tests)) + max(0, each.unnamed) for each in several)
    return render(
        "digest_failing",
        counted=plural(total, "failing test"),
        streams=plural(len(several), "stream"),
        parts=parts,
    )


def _tests(value: StreamNews, share: int) -> Iterator[TestsLook]:
    run = value.run
    total = max(value.tests_total, len(value.tests))
    rows = [_test(each) for each in sorted(value.tests, key=lambda each: not _is_new(each))[:share]]
    title = cut(run.name, 80) or short_of(run.ref)
    ask = _failures(run, "Failures")
    chunks = _chunks(rows) or ((),)
    for place, chunk in enumerate(chunks):
        first, last = not place, place == len(chunks) - 1
        yield TestsLook(
            name=_near(run.url, title) if first else Markup(""),
            ref=code(short_of(run.ref), 40),
            title=title,
            counted=plural(total + max(0, value.unnamed), "failing test"),
            value=ask[0].value if ask and first and buttons.legal(ask) else "",
            rows=chunk,  # type: ignore[arg-type]
            more=total - len(rows) if last else 0,
            unnamed=max(0, value.unnamed) if last else 0,
            retried=_retried(value) if last else 0,
        )


def _retried(value: StreamNews) -> int:
    """Failures of a run that was read as a whole, less its failing tests."""
    known = max(value.tests_total, len(value.tests)) + max(0, value.unnamed)
    return max(0, value.run.tally.failed - known) if known and not value.missing else 0


def _is_new(failed: FailedTest) -> bool:
    return failed.streak is not None and failed.streak.runs == 1 and not failed.streak.at_least


def _test(failed: FailedTest) -> TestLook:
    streak = failed.streak
    lasting = streak is not None and streak.runs > 1
    title = title_of(failed.test, 90)
    return TestLook(
        new=_is_new(failed),
        flaky=failed.flaky,
        title=title,
        name=_near(failed.test.url, title),
        reason=cut(failed.test.note, REASON),
        lasting=f"for {'at least ' if streak.at_least else ''}{streak.runs} runs" if streak and lasting else "",
        since=date(streak.since) if streak and lasting and streak.since else Markup(""),
    )


def _shared_errors(several: Sequence[Cluster]) -> Message | None:
    """Errors that several tests share: one cause, perhaps."""
    if not several:
        return None
    return render(
        "digest_shared",
        counted=plural(len(several), "error"),
        chunks=_chunks(
            tuple(
                (
                    cut(each.words, 200),
                    _failing_of(each),
                    plural(each.streams, "stream") if each.streams > 1 else "",
                    _named(each.tests),
                )
                for each in several[:ERRORS]
            )
        ),
        more=max(0, len(several) - ERRORS),
    )


def _failing_of(cluster: Cluster) -> str:
    """`3 tests`; `6 failures of 4 tests` where some fail in several streams, for they are named once."""
    tests = plural(len(cluster.tests), "test")
    return tests if cluster.count <= len(cluster.tests) else f"{plural(cluster.count, 'failure')} of {tests}"


def _by_owner(owners: Sequence[tuple[str, tuple[str, ...]]], told: Sequence[StreamNews]) -> Message | None:
    """Failing tests by who they are assigned to, where anybody is."""
    if not any(who.strip() for who, _ in owners):
        return None
    rows = tuple(
        (cut(who, 60) or "nobody", plural(len(tests), "test"), _named(tests)) for who, tests in owners[:PEOPLE]
    )
    return render(
        "digest_owners",
        once=sum(len(tests) for _, tests in owners) < sum(len(each.tests) for each in told),
        people=plural(sum(1 for who, _ in owners if who.strip()), "person", "people"),
        chunks=_chunks(rows),
        more=max(0, len(owners) - PEOPLE),
    )


def _named(tests: Sequence[str]) -> str:
    """`login, search and 7 more`."""
    names = ", ".join(cut(name, 80) or "(no name)" for name in tests[:NAMES])
    return names + (f" and {len(tests) - NAMES} more" if len(tests) > NAMES else "")


def digest_missed(plan: DigestPlan, slot: Slot, *, skipped: int, now: datetime) -> Message:
    """Instead of a digest that would come too late to be of use."""
    return render(
        "digest_missed",
        name=cut(plan.name, 60),
        at=wall(slot, plan, now),
        late=duration(max(0.0, (now - slot.at).total_seconds())),
        skipped=_timing(0, skipped),
        **_footer(plan),
        buttons=buttons.legal((asking("test", plan, "What it says now"), asking("show", plan, "About this digest"))),
    )


#: Whose move is next → icon, and what is to be done.
_MOVES = {
    "person": ("↩️", "Somebody here has to change the digest."),
    "system": ("⚠️", "Nobody here has to do anything. The next one comes at its time."),
    "ours": ("🔧", "This is our mistake, not yours. Tell whoever runs Rundown if it happens again."),
}


def digest_failed(plan: DigestPlan, error: RundownError, *, slot: Slot, now: datetime, skipped: int = 0) -> Message:
    """Instead of a digest that could not be made: why, how to mend it, and whose move it is."""
    icon, move = _MOVES[error.family]
    ours = error.family == "ours"
    return render(
        "digest_failed",
        icon=icon,
        name=cut(plan.name, 60),
        at=wall(slot, plan, now),
        what=said("Something went wrong in Rundown." if ours else error.what, 300),
        why=said("" if ours else error.why, 300),
        fix=said("" if ours else error.fix, 300),
        move=move,
        retry=retry_of(error),
        **_footer(plan, _timing(0, skipped)),
        buttons=buttons.legal((asking("test", plan, "Try now"), asking("show", plan, "About this digest"))),
    )


def digest_answer(plan: DigestPlan, message: Message, *, slot: Slot, now: datetime, skipped: int = 0) -> Message:
    """The answer to a command that was scheduled, between a line on what it is and one on whose it is."""
    above = render("digest_heading", name=cut(plan.name, 60), asked=code(plan.ask, 200), at=wall(slot, plan, now))
    below = render("digest_footer", **_footer(plan, _timing(_late_min(slot, now), skipped)))
    room = max(1, BLOCKS - len(above.blocks) - len(below.blocks))
    kept, rest = message.blocks[:room], message.blocks[room:]
    text = cut_bytes(f"{above.text} {message.text}", FALLBACK_BYTES)
    more = (Message(message.text, rest),) if rest else ()
    return Message(text, [*above.blocks, *kept, *below.blocks], (*more, *message.more))


def digest_silent(plan: DigestPlan) -> Message:
    """For who tests a digest that would not be posted now."""
    return render(
        "digest_silent",
        name=cut(plan.name, 60),
        tells=tells(plan),
        buttons=buttons.legal((asking("show", plan, "About this digest"),)),
    )


def mark_repeat(text: str, blocks: Sequence[Block]) -> tuple[str, list[Block]]:
    """A message's text and blocks with a line that says it may have been posted before."""
    line = render("repeat")
    room = BLOCKS - len(line.blocks)
    return cut_bytes(f"{line.text} {text}", FALLBACK_BYTES), [*blocks[:room], *line.blocks]
