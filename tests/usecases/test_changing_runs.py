"""Changes that were confirmed: done once, on what was seen, recorded before and after, settled by reading."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.domain.acts import (
    Append,
    Change,
    Close,
    Delete,
    Edit,
    Ended,
    Entry,
    Named,
    Pointer,
    Proposal,
    Receipt,
    Report,
    Reported,
    Seen,
    Start,
)
from bot.domain.checkpoints import on_checkpoint
from bot.domain.errors import (
    CannotError,
    NotAllowedError,
    NotFoundError,
    OurError,
    RejectedFault,
    RundownError,
    SystemFault,
    TooLateError,
    TooSlowFault,
    UnreadableFault,
)
from bot.domain.model import Run, RunRef
from bot.domain.outcomes import Outcome, Tally
from bot.usecases.changing import (
    BUSY_S,
    GOOD_FOR,
    LEASE_S,
    LOOK_S,
    SETTLE_S,
    UNRECORDED,
    ExpiredError,
    LateError,
    MovedError,
    as_thread,
    audit_line,
    carry_out,
    moved,
    settle_orphan,
)
from bot.usecases.ports import PATIENCE, Patience
from tests.usecases.world_of_fakes import (
    HERE,
    NOW,
    FakeConnection,
    Workshop,
    a_thread,
    at_once,
    down,
    marking_practitest,
    open_testmo,
    open_testrail,
    proposed,
)

SEEN = Tally(passed=40, failed=2, untested=4)


def with_a_run(**more: Any) -> tuple[FakeConnection, Run, Workshop]:
    """TestRail with one open run, R118."""
    testrail = open_testrail()
    run = testrail.add("R", 118, **{"name": "Release 5.2", "tally": SEEN, **more})
    return testrail, run, Workshop(testrail)


def with_a_mark() -> tuple[FakeConnection, Run, Workshop]:
    practitest = marking_practitest()
    run = practitest.add("S", 55, tally=SEEN)
    return practitest, run, Workshop(practitest)


def with_threads(*finished: bool) -> tuple[FakeConnection, Run, Workshop]:
    testmo = open_testmo()
    run = testmo.add("A", 412, threads_total=len(finished), tally=SEEN)
    testmo.threaded[412] = tuple(a_thread(number, finished=each) for number, each in enumerate(finished, 1))
    return testmo, run, Workshop(testmo)


def note(run: Run, text: str = "fine") -> Append:
    return Append(ref=run.ref, by="Ana", at=NOW, marker="rundown:k1", note=text)


def some_change(verb: str, run: Run) -> Change:
    changes: dict[str, Change] = {"close": Close(run.ref), "note": note(run), "delete": Delete(run.ref)}
    return changes[verb]


START = Start(connection="testrail", letter="R", project=1, name="Smoke")


async def go(shop: Workshop, proposal: Proposal, user: str = "", **more: Any) -> Receipt:
    """U1 presses; what only admins may, U9."""
    who = user or ("U9" if proposal.verb == "delete" else "U1")
    return await carry_out(proposal, hands=shop.hands, place=HERE, user=who, **more)


async def gone_wrong(shop: Workshop, proposal: Proposal, user: str = "", **more: Any) -> RundownError:
    with pytest.raises(RundownError) as caught:
        await go(shop, proposal, user, **more)
    return caught.value


class Died(BaseException):
    """The process ends here."""


@pytest.fixture
def dies_at() -> Iterator[Callable[[str], None]]:
    """Let the process die at a checkpoint."""

    def at(name: str) -> None:
        def reached(checkpoint: str) -> None:
            if checkpoint == name:
                raise Died(name)

        on_checkpoint(reached)

    yield at
    on_checkpoint()


# ── as it should be ──


async def test_the_right_is_asked_then_it_is_recorded_read_called_and_recorded_again() -> None:
    testrail, run, shop = with_a_run()
    receipt = await go(shop, proposed(run))
    steps = [call for call, _ in shop.asked]
    assert steps == ["actor", "grants", "begin", "forget", "run", "carry_out", "forget", "run", "end"]
    assert receipt.entry == shop.entry("k1")
    assert testrail.done == [Close(run.ref)]


async def test_a_receipt_tells_who_did_what_and_how_it_was_before_and_after() -> None:
    testrail, run, shop = with_a_run()
    testrail.before["carry_out"] = lambda: shop.clock.go(seconds=3)
    receipt = await go(shop, proposed(run), part_of="b1")
    assert receipt.entry == Entry(
        key="k1",
        verb="close",
        connection="testrail",
        ref=run.ref,
        title="Release 5.2",
        who="U1",
        who_name="Name of U1",
        team="T1",
        channel="C1",
        thread="",
        at=NOW,
        change=Close(run.ref),
        seen=Seen.of(run),
        outcome=Ended.DONE,
        ended_at=NOW + timedelta(seconds=3),
        after=Seen(SEEN, finished=True, state=replace(run, finished=True).state),
        part_of="b1",
    )
    assert (receipt.done_word, receipt.where, receipt.doubts) == ("closed", "TestRail › Webshop", ())
    assert receipt.run is not None
    assert receipt.run.finished


@pytest.mark.parametrize(
    ("verb", "make"),
    [
        ("start", lambda run: START),
        ("edit", lambda run: Edit(ref=run.ref, project=1, name="x")),
        ("note", note),
        ("delete", lambda run: Delete(run.ref)),
    ],
)
async def test_every_kind_of_change_is_called_once_with_its_files(verb: str, make: Callable[[Run], Change]) -> None:
    _, run, shop = with_a_run()
    change = make(run)
    seen = None if verb == "start" else run
    receipt = await go(shop, proposed(seen, verb, change), files={"F1": b"png"})
    assert (receipt.done_word, receipt.entry.outcome) == ("", Ended.DONE)
    assert shop.calls("carry_out") == [(change, {"F1": b"png"})]


async def test_a_start_is_recorded_with_its_new_run() -> None:
    _, _, shop = with_a_run()
    receipt = await go(shop, proposed(None, "start", START))
    assert receipt.run is not None
    assert receipt.entry.ref == receipt.run.ref == shop.entry("k1").ref == RunRef("testrail", "R", 901)
    assert (receipt.entry.seen, receipt.entry.after) == (None, Seen.of(receipt.run))


async def test_a_deleted_run_is_not_read_again() -> None:
    _, run, shop = with_a_run()
    receipt = await go(shop, proposed(run, "delete", Delete(run.ref)))
    assert (receipt.run, receipt.entry.after, shop.calls("run")) == (None, None, [run.ref])


async def test_a_change_is_done_even_if_the_run_can_not_be_read_after_it() -> None:
    testrail, run, shop = with_a_run()
    testrail.before["carry_out"] = lambda: testrail.errors.update(run=down())
    receipt = await go(shop, proposed(run))
    assert (receipt.entry.outcome, receipt.run, receipt.entry.after) == (Ended.DONE, None, None)


async def test_it_is_told_that_it_begins_once_it_is_certain_and_before_anything_is_done() -> None:
    _, run, shop = with_a_run()

    async def begun() -> None:
        shop.asked.append(("told", None))

    await go(shop, proposed(run), begun=begun)
    steps = [call for call, _ in shop.asked]
    assert steps.index("begin") < steps.index("told") < steps.index("run") < steps.index("carry_out")


def test_a_slow_change_is_vouched_for_as_long_as_it_takes_and_no_longer() -> None:
    testrail, run, shop = with_a_run()
    testrail.takes["carry_out"] = 2 * LEASE_S
    testrail.before["carry_out"] = lambda: None

    async def work() -> None:
        await go(shop, proposed(run))
        during = len(shop.calls("renew"))
        assert during >= 5
        await asyncio.sleep(3 * LEASE_S)
        assert len(shop.calls("renew")) == during

    at_once(work())


def test_a_lease_that_can_not_be_renewed_does_not_stop_the_change() -> None:
    testrail, run, shop = with_a_run()
    testrail.takes["carry_out"] = LEASE_S
    shop.ledger.broken = {"renew"}
    receipt, _ = at_once(go(shop, proposed(run)))
    assert receipt.entry.outcome is Ended.DONE


# ── not allowed, too old ──


async def test_whoever_may_not_is_refused_before_anything_and_the_attempt_is_recorded() -> None:
    _, run, shop = with_a_run()
    error = await gone_wrong(shop, proposed(run), user="U2")
    assert isinstance(error, NotAllowedError)
    assert error.askable
    assert [call for call, _ in shop.asked] == ["actor", "grants", "note"]
    ((key, (entry, _)),) = shop.ledger.rows.items()
    assert key != "k1"
    assert (entry.outcome, entry.who, entry.ref, entry.title) == (Ended.REFUSED, "U2", run.ref, "Release 5.2")


async def test_a_refused_press_leaves_the_preview_to_whoever_may() -> None:
    _, run, shop = with_a_run()
    await gone_wrong(shop, proposed(run), user="U2")
    assert (await go(shop, proposed(run))).entry.outcome is Ended.DONE


@pytest.mark.parametrize(
    ("late", "good"), [(timedelta(0), True), (timedelta(seconds=1), False), (timedelta(days=1), False)]
)
async def test_a_preview_is_good_for_so_long(late: timedelta, good: bool) -> None:
    _, run, shop = with_a_run()
    old = proposed(run, made_at=NOW - GOOD_FOR - late)
    if good:
        assert (await go(shop, old)).entry.outcome is Ended.DONE
    else:
        assert isinstance(await gone_wrong(shop, old), ExpiredError)
        assert not shop.ledger.rows
    assert len(shop.calls("carry_out")) == good


# ── once ──


async def test_a_hundred_presses_at_once_make_one_call_and_all_others_hear_of_the_first() -> None:
    _, run, shop = with_a_run()
    for number in range(100):
        shop.allow(f"P{number}")
    presses = (go(shop, proposed(run), user=f"P{number}") for number in range(100))
    ends = await asyncio.gather(*presses, return_exceptions=True)
    (first,) = [end for end in ends if isinstance(end, Receipt)]
    late = [end for end in ends if isinstance(end, LateError)]
    assert len(late) == 99
    assert {(end.entry.key, end.entry.who) for end in late} == {("k1", first.entry.who)}
    assert len(shop.calls("carry_out")) == 1


@pytest.mark.parametrize("outcome", list(Ended))
async def test_the_same_preview_is_never_acted_on_twice_whatever_became_of_it(outcome: Ended) -> None:
    _, run, shop = with_a_run()
    before = replace(an_entry(run), outcome=outcome)
    shop.ledger.rows["k1"] = (before, None)
    error = await gone_wrong(shop, proposed(run))
    assert isinstance(error, LateError)
    assert error.entry == before
    assert not shop.calls("carry_out")


def an_entry(run: Run, key: str = "k1", verb: str = "close", **more: Any) -> Entry:
    given: dict[str, Any] = {
        "connection": run.ref.connection,
        "ref": run.ref,
        "title": run.name,
        "who": "U7",
        "who_name": "Ben",
        "team": "T1",
        "channel": "C2",
        "thread": "",
        "at": NOW,
        "change": Close(run.ref),
    }
    return Entry(key=key, verb=verb, **{**given, **more})


@pytest.mark.parametrize("mine", ["close", "note", "delete"])
@pytest.mark.parametrize("other", ["close", "delete"])
async def test_whoever_comes_while_another_ends_the_run_is_told_at_once(mine: str, other: str) -> None:
    _, run, shop = with_a_run()
    await shop.ledger.begin(an_entry(run, "k7", other), lease_s=15)
    change = some_change(mine, run)
    error = await gone_wrong(shop, proposed(run, mine, change))
    assert isinstance(error, LateError)
    assert (error.entry.who, shop.clock.waits, shop.calls("carry_out")) == ("U7", [], [])


@pytest.mark.parametrize("mine", ["close", "note"])
async def test_a_change_waits_for_another_one_of_the_run_and_then_goes_on(mine: str) -> None:
    _, run, shop = with_a_run()
    await shop.ledger.begin(an_entry(run, "k7", "note"), lease_s=15)
    other, lease = shop.ledger.rows["k7"]

    def ends() -> None:
        shop.ledger.rows["k7"] = (replace(other, outcome=Ended.DONE), lease)

    shop.clock.meanwhile = [lambda: None, lambda: None, ends]
    change = Close(run.ref) if mine == "close" else note(run)
    assert (await go(shop, proposed(run, mine, change))).entry.outcome is Ended.DONE
    assert shop.clock.waits == [LOOK_S] * 3


async def test_a_change_that_waited_long_enough_is_told_who_is_in_the_way() -> None:
    _, run, shop = with_a_run()
    await shop.ledger.begin(an_entry(run, "k7", "note"), lease_s=15)
    error = await gone_wrong(shop, proposed(run, "note", note(run)))
    assert isinstance(error, LateError)
    assert error.entry.key == "k7"
    assert sum(shop.clock.waits) == BUSY_S
    assert not shop.calls("carry_out")


async def test_changes_of_different_runs_do_not_wait_for_each_other() -> None:
    testrail, run, shop = with_a_run()
    other = testrail.add("R", 119)
    await shop.ledger.begin(an_entry(other, "k7"), lease_s=15)
    assert (await go(shop, proposed(run))).entry.outcome is Ended.DONE


# ── not any more what was seen ──


async def test_a_run_that_is_gone_is_not_changed() -> None:
    testrail, run, shop = with_a_run()
    testrail.its_runs.clear()
    assert isinstance(await gone_wrong(shop, proposed(run)), NotFoundError)
    assert (shop.entry("k1").outcome, shop.calls("carry_out")) == (Ended.STALE, [])


@pytest.mark.parametrize("verb", ["close", "note", "delete"])
async def test_a_run_closed_in_its_own_pages_is_not_changed_and_its_time_is_told(verb: str) -> None:
    testrail, run, shop = with_a_run()
    testrail.alter(run.ref, finished=True, finished_at=datetime(2026, 11, 20, 8, 5, tzinfo=UTC))
    change = some_change(verb, run)
    error = await gone_wrong(shop, proposed(run, verb, change))
    assert type(error) is TooLateError
    assert error.what == "R118 is closed already."
    assert error.why == "Somebody did that in TestRail 55 min ago."
    entry = shop.entry("k1")
    assert (entry.outcome, entry.why) == (Ended.STALE, f"{error.what} {error.why}")
    assert not shop.calls("carry_out")


async def test_a_run_closed_from_here_meanwhile_is_told_with_who_did_it() -> None:
    testrail, run, shop = with_a_run()
    await go(shop, proposed(run, key="k0"))
    testrail.asked.clear()
    error = await gone_wrong(shop, proposed(run))
    assert isinstance(error, LateError)
    assert (error.entry.key, error.entry.who_name) == ("k0", "Name of U1")
    assert shop.entry("k1").outcome is Ended.STALE
    assert not shop.calls("carry_out")


async def test_that_it_is_closed_is_told_also_when_the_ledger_can_not_say_by_whom() -> None:
    testrail, run, shop = with_a_run()
    testrail.alter(run.ref, finished=True)
    shop.ledger.broken = {"last_done"}
    error = await gone_wrong(shop, proposed(run))
    assert (type(error), error.why) == (TooLateError, "Somebody did that in TestRail.")


@pytest.mark.parametrize(
    ("after", "words"),
    [
        (Tally(passed=40, failed=5, untested=1), "3 more failed, 3 fewer untested"),
        (Tally(passed=40, failed=2, untested=3, other=(("On hold", 1),)), "1 more On hold, 1 fewer untested"),
        (Tally(passed=46), "6 more passed, 2 fewer failed, 4 fewer untested"),
        (Tally(), "40 fewer passed, 2 fewer failed, 4 fewer untested"),
    ],
)
@pytest.mark.parametrize("verb", ["close", "delete"])
async def test_a_run_whose_counts_moved_is_not_ended(verb: str, after: Tally, words: str) -> None:
    testrail, run, shop = with_a_run()
    testrail.alter(run.ref, tally=after)
    change = Close(run.ref) if verb == "close" else Delete(run.ref)
    error = await gone_wrong(shop, proposed(run, verb, change))
    assert isinstance(error, MovedError)
    assert error.words == words
    entry = shop.entry("k1")
    assert (entry.outcome, entry.why) == (Ended.STALE, f"It has changed since you looked. {words}")
    assert not shop.calls("carry_out")


@pytest.mark.parametrize("verb", ["note", "edit"])
async def test_what_does_not_end_a_run_is_done_whatever_its_counts_are(verb: str) -> None:
    testrail, run, shop = with_a_run()
    testrail.alter(run.ref, tally=Tally(passed=46))
    change: Change = note(run) if verb == "note" else Edit(ref=run.ref, project=1, name="x")
    assert (await go(shop, proposed(run, verb, change))).entry.outcome is Ended.DONE


@pytest.mark.parametrize(
    ("seen", "now", "words"),
    [
        (Tally(other=(("a", 1), ("b", 2))), Tally(other=(("b", 2), ("a", 1))), ""),
        (Tally(passed=1, other=(("a", 0),)), Tally(passed=1), ""),
        (Tally(other=(("a", 1), ("a", 2))), Tally(other=(("a", 2), ("a", 2))), "1 more a"),
        (Tally(), Tally(), ""),
    ],
)
async def test_only_counts_matter_not_how_the_system_puts_them(seen: Tally, now: Tally, words: str) -> None:
    _, run, _ = with_a_run(tally=seen)
    assert moved(run, replace(run, tally=now)) == words


async def test_counts_that_can_not_be_read_any_more_are_not_told_as_fewer() -> None:
    testrail, run, shop = with_a_run()
    testrail.alter(run.ref, tally=Tally(), missing=("its counts could not be read",))
    error = await gone_wrong(shop, proposed(run))
    assert isinstance(error, MovedError)
    assert error.words == "its counts can't be read now"


@pytest.mark.parametrize(("finished", "calls"), [(False, 1), (True, 0)])
async def test_a_thread_is_completed_unless_it_is_already(finished: bool, calls: int) -> None:
    testmo, run, shop = with_threads(True, finished)
    seen = as_thread(run, testmo.threaded[run.ref.id][1])
    proposal = proposed(seen, change=Close(replace(run.ref, thread=2)))
    if finished:
        error = await gone_wrong(shop, proposal)
        assert (type(error), error.what) == (TooLateError, "A412/2 is completed already.")
        assert shop.entry("k1").outcome is Ended.STALE
    else:
        receipt = await go(shop, proposal)
        assert (receipt.done_word, receipt.entry.ref) == ("completed", replace(run.ref, thread=2))
        assert not testmo.its_runs[0].finished
    assert len(shop.calls("carry_out")) == calls


@pytest.mark.parametrize(("moves", "ends"), [("the other thread", Ended.DONE), ("this thread", Ended.STALE)])
async def test_a_thread_is_completed_by_its_own_counts(moves: str, ends: Ended) -> None:
    testmo, run, shop = with_threads(False, False)
    first, second = testmo.threaded[run.ref.id]
    proposal = proposed(as_thread(run, second), change=Close(replace(run.ref, thread=2)))
    if moves == "this thread":
        second = replace(second, tally=replace(second.tally, failed=second.tally.failed + 1))
        testmo.threaded[run.ref.id] = (first, second)
    testmo.alter(run.ref, tally=Tally(passed=99, failed=3))
    if ends is Ended.DONE:
        await go(shop, proposal)
    else:
        assert isinstance(await gone_wrong(shop, proposal), MovedError)
    assert shop.entry("k1").outcome is ends


async def test_a_thread_that_is_gone_is_not_completed() -> None:
    _, run, shop = with_threads(False)
    error = await gone_wrong(shop, proposed(run, change=Close(replace(run.ref, thread=3))))
    assert (type(error), error.what, error.why) == (NotFoundError, "A412 has no thread 3.", "It has 1 thread.")
    assert (shop.entry("k1").outcome, shop.calls("carry_out")) == (Ended.STALE, [])


@pytest.mark.parametrize(("there", "ends"), [(False, Ended.DONE), (None, Ended.DONE), (True, Ended.STALE)])
async def test_a_set_is_marked_unless_the_mark_is_there(there: bool | None, ends: Ended) -> None:
    practitest, run, shop = with_a_mark()
    practitest.reread = [there]
    if there:
        error = await gone_wrong(shop, proposed(run))
        assert (type(error), error.what) == (TooLateError, "S55 is marked already.")
    else:
        assert (await go(shop, proposed(run))).done_word == "marked"
    assert shop.entry("k1").outcome is ends
    assert len(shop.calls("carry_out")) == (not there)


async def test_a_run_that_can_not_be_read_again_is_not_changed() -> None:
    testrail, run, shop = with_a_run()
    testrail.errors["run"] = down()
    error = await gone_wrong(shop, proposed(run))
    assert error is testrail.errors["run"]
    entry = shop.entry("k1")
    assert (entry.outcome, entry.why, shop.calls("carry_out")) == (
        Ended.FAILED,
        "TestRail is down. No answer came.",
        [],
    )


# ── the system refuses, or says nothing ──


@pytest.mark.parametrize(
    "error",
    [
        RejectedFault("TestRail", "TestRail did not take it.", why="Field :milestone_id is unknown."),
        down(),
        CannotError("Inside a plan.", why="Plans are closed whole.", fix="Close the plan."),
    ],
)
async def test_a_refusal_is_raised_recorded_and_never_repeated(error: RundownError) -> None:
    testrail, run, shop = with_a_run()
    testrail.errors["carry_out"] = error
    assert await gone_wrong(shop, proposed(run)) is error
    entry = shop.entry("k1")
    assert (entry.outcome, entry.why) == (Ended.FAILED, f"{error.what} {error.why}")
    assert (len(shop.calls("carry_out")), shop.calls("was_done"), testrail.done) == (1, [], [])


NO, YES, UNKNOWN = False, True, None


@pytest.mark.parametrize(
    ("said", "ends", "waits"),
    [
        ([YES], Ended.DONE, 1),
        ([NO, NO, YES], Ended.DONE, 3),
        ([down(), UNKNOWN, YES], Ended.DONE, 3),
        ([NO], Ended.FAILED, 3),
        ([UNKNOWN, down(), NO], Ended.FAILED, 3),
        ([UNKNOWN], Ended.DOUBT, 3),
        ([down()], Ended.DOUBT, 3),
        ([NO, NO, down()], Ended.DOUBT, 3),
        ([NO, NO, UNKNOWN], Ended.DOUBT, 3),
    ],
)
async def test_a_call_without_an_answer_is_settled_by_reading(said: list[Any], ends: Ended, waits: int) -> None:
    testrail, run, shop = with_a_run()
    testrail.errors["carry_out"] = down(sent=True)
    testrail.reread = said
    receipt = await go(shop, proposed(run))
    assert receipt.entry == shop.entry("k1")
    assert receipt.entry.outcome is ends
    assert receipt.entry.why.startswith("TestRail did not answer.")
    assert shop.clock.waits == list(SETTLE_S[:waits])
    assert len(shop.calls("carry_out")) == 1
    assert shop.calls("was_done") == [(Close(run.ref), NOW)] * waits


async def test_a_change_done_without_an_answer_is_told_with_the_run_as_it_is() -> None:
    testrail, run, shop = with_a_run()
    testrail.errors["carry_out"] = down(sent=True)
    testrail.does_all_the_same = True
    receipt = await go(shop, proposed(run))
    assert receipt.run is not None
    assert (receipt.entry.outcome, receipt.entry.after) == (Ended.DONE, Seen.of(receipt.run))
    assert receipt.run.finished
    assert testrail.done == [Close(run.ref)]


async def test_a_start_without_an_answer_finds_its_run() -> None:
    testrail, run, shop = with_a_run()
    testrail.errors["carry_out"] = down(sent=True)
    testrail.reread = [run.ref]
    receipt = await go(shop, proposed(None, "start", START))
    assert (receipt.entry.outcome, receipt.entry.ref, receipt.run) == (Ended.DONE, run.ref, run)


async def test_what_was_not_done_says_when_that_was_read() -> None:
    testrail, run, shop = with_a_run()
    testrail.errors["carry_out"] = down(sent=True)
    receipt = await go(shop, proposed(run))
    assert receipt.entry.why == (
        "TestRail did not answer. Read again at 09:00 UTC: it was not done. Nothing was repeated."
    )


async def test_settling_has_its_own_time_when_the_call_took_all_the_patience() -> None:
    testrail, run, shop = with_a_run()
    testrail.errors["carry_out"] = down(sent=True)
    heard: list[Patience | None] = []
    testrail.before["carry_out"] = testrail.before["was_done"] = lambda: heard.append(PATIENCE.get())
    patience = Patience(until=20.0)
    before = PATIENCE.set(patience)
    try:
        await go(shop, proposed(run))
        assert PATIENCE.get() is patience
    finally:
        PATIENCE.reset(before)
    assert heard == [patience, None, None, None]


# ── the ledger fails ──


async def test_what_can_not_be_recorded_is_not_begun() -> None:
    testrail, run, shop = with_a_run()
    shop.ledger.broken = {"begin"}
    assert isinstance(await gone_wrong(shop, proposed(run)), OurError)
    assert (shop.calls("run"), shop.calls("carry_out"), testrail.done) == ([], [], [])


@pytest.mark.parametrize(
    ("said", "ends"), [(None, Ended.DONE), ([YES], Ended.DONE), ([NO], Ended.FAILED), ([UNKNOWN], Ended.DOUBT)]
)
async def test_what_was_done_stays_done_when_its_end_can_not_be_recorded(said: list[Any] | None, ends: Ended) -> None:
    testrail, run, shop = with_a_run()
    if said is not None:
        testrail.errors["carry_out"] = down(sent=True)
        testrail.reread = said
    shop.ledger.broken = {"end"}
    receipt = await go(shop, proposed(run))
    assert receipt.entry.outcome is ends
    assert receipt.entry.why.endswith(UNRECORDED)
    assert receipt.doubts
    assert shop.entry("k1").outcome is Ended.BEGUN  # whoever looks for orphans settles it
    assert len(shop.calls("carry_out")) == 1


@pytest.mark.parametrize("error", [down(), CannotError("No.", why="No.", fix="No.")])
async def test_a_refusal_is_raised_also_when_it_can_not_be_recorded(error: RundownError) -> None:
    testrail, run, shop = with_a_run()
    testrail.errors["carry_out"] = error
    shop.ledger.broken = {"end"}
    assert await gone_wrong(shop, proposed(run)) is error


# ── the process dies in the middle ──


def cancel(task: asyncio.Task[Receipt]) -> None:
    task.cancel()


@pytest.mark.parametrize(
    ("where", "sent", "done"),
    [("begun", False, 0), ("read", False, 0), ("called", False, 1), ("uncertain", True, 0)],
)
async def test_whoever_is_cancelled_in_the_middle_leaves_a_record_of_having_begun(
    where: str, sent: bool, done: int
) -> None:
    testrail, run, shop = with_a_run()
    if sent:
        testrail.errors["carry_out"] = down(sent=True)
    task = asyncio.create_task(go(shop, proposed(run)))
    on_checkpoint(lambda name: cancel(task) if name == where else None)
    try:
        with pytest.raises(asyncio.CancelledError):
            await task
    finally:
        on_checkpoint()
    assert shop.entry("k1").outcome is Ended.BEGUN
    if where != "read":  # there the call is what is cancelled
        assert len(testrail.done) == done


@pytest.mark.parametrize(("where", "done"), [("begun", False), ("read", False), ("called", True), ("recorded", True)])
async def test_another_process_settles_what_was_left_and_never_repeats_it(
    where: str, done: bool, dies_at: Callable[[str], None]
) -> None:
    testrail, run, shop = with_a_run()
    dies_at(where)
    with pytest.raises(Died):
        await go(shop, proposed(run))
    called = len(shop.calls("carry_out"))
    shop.clock.go(seconds=LEASE_S + 1)
    (orphan,) = await shop.ledger.orphans()
    receipt = await settle_orphan(orphan, hands=shop.hands)
    assert receipt.entry == shop.entry("k1")
    assert receipt.entry.outcome is (Ended.DONE if done else Ended.FAILED)
    assert receipt.done_word == "closed"
    assert len(shop.calls("carry_out")) == called == done
    assert len(testrail.done) == done


# ── settling what was left behind ──


@pytest.mark.parametrize(
    ("was", "said", "ends", "why"),
    [
        (Ended.BEGUN, YES, Ended.DONE, "Rundown was stopped in the middle of it. Read again: it is done."),
        (Ended.BEGUN, NO, Ended.FAILED, "Rundown was stopped in the middle of it. Read again: it was not done."),
        (Ended.BEGUN, UNKNOWN, Ended.DOUBT, "Rundown was stopped in the middle of it. Whether it was done can't be"),
        (Ended.BEGUN, down(), Ended.DOUBT, "Rundown was stopped in the middle of it. Whether it was done can't be"),
        (Ended.DOUBT, YES, Ended.DONE, "The system had not answered. Read again: it is done."),
        (Ended.DOUBT, NO, Ended.FAILED, "The system had not answered. Read again: it was not done."),
        (Ended.DOUBT, UNKNOWN, Ended.DOUBT, "The system had not answered. Whether it was done can't be read."),
    ],
)
async def test_an_open_end_is_settled_by_reading_alone(was: Ended, said: Any, ends: Ended, why: str) -> None:
    testrail, run, shop = with_a_run()
    left = an_entry(run, outcome=was, at=NOW - timedelta(minutes=5))
    shop.ledger.rows["k1"] = (left, NOW)
    testrail.reread = [said]
    receipt = await settle_orphan(left, hands=shop.hands)
    assert receipt.entry == shop.entry("k1")
    assert receipt.entry.outcome is ends
    assert receipt.entry.why.startswith(why)
    assert shop.calls("was_done") == [(Close(run.ref), left.at)]
    assert not shop.calls("carry_out")
    assert (receipt.entry.after is None) == (ends is Ended.DOUBT)


@pytest.mark.parametrize(("said", "told"), [(UNKNOWN, True), (YES, False), (NO, False)])
async def test_a_doubt_that_lasts_is_no_news_and_its_end_is(said: bool | None, told: bool) -> None:
    testrail, run, shop = with_a_run()
    left = an_entry(run, outcome=Ended.DOUBT, told=True)
    shop.ledger.rows["k1"] = (left, NOW)
    testrail.reread = [said]
    receipt = await settle_orphan(left, hands=shop.hands)
    assert receipt.entry.told is shop.entry("k1").told is told


async def test_a_start_left_behind_finds_its_run() -> None:
    testrail, run, shop = with_a_run()
    left = an_entry(run, verb="start", ref=None, change=START, title="Smoke")
    shop.ledger.rows["k1"] = (left, NOW)
    testrail.reread = [run.ref]
    receipt = await settle_orphan(left, hands=shop.hands)
    assert (receipt.entry.ref, receipt.run, receipt.done_word) == (run.ref, run, "")
    assert shop.entry("k1").ref == run.ref


async def test_a_start_that_was_not_made_is_told_so() -> None:
    testrail, run, shop = with_a_run()
    left = an_entry(run, verb="start", ref=None, change=START)
    shop.ledger.rows["k1"] = (left, NOW)
    testrail.reread = [NO]
    receipt = await settle_orphan(left, hands=shop.hands)
    assert (receipt.entry.outcome, receipt.entry.ref, receipt.run) == (Ended.FAILED, None, None)


@pytest.mark.parametrize("was", [Ended.DONE, Ended.FAILED, Ended.STALE])
async def test_an_end_that_is_known_is_only_to_be_told(was: Ended) -> None:
    _, run, shop = with_a_run()
    left = an_entry(run, outcome=was)
    receipt = await settle_orphan(left, hands=shop.hands)
    assert (receipt.entry, receipt.run, shop.calls("was_done"), shop.calls("end")) == (left, run, [], [])


async def test_a_change_of_a_connection_that_is_gone_stays_in_doubt() -> None:
    _, run, shop = with_a_run()
    left = an_entry(run, connection="old", ref=RunRef("old", "R", 1), change=Close(RunRef("old", "R", 1)))
    shop.ledger.rows["k1"] = (left, NOW)
    receipt = await settle_orphan(left, hands=shop.hands)
    assert (receipt.entry.outcome, receipt.run, receipt.done_word) == (Ended.DOUBT, None, "")


@pytest.mark.parametrize(("thread", "word"), [(None, "completed"), (1, "completed")])
async def test_what_was_left_behind_is_told_in_the_systems_word(thread: int | None, word: str) -> None:
    testmo, run, shop = with_threads(False)
    ref = replace(run.ref, thread=thread)
    left = an_entry(run, ref=ref, change=Close(ref))
    shop.ledger.rows["k1"] = (left, NOW)
    testmo.reread = [YES]
    assert (await settle_orphan(left, hands=shop.hands)).done_word == word


async def test_an_end_that_can_not_be_recorded_is_looked_for_again() -> None:
    testrail, run, shop = with_a_run()
    left = an_entry(run)
    shop.ledger.rows["k1"] = (left, NOW)
    shop.ledger.broken = {"end"}
    testrail.reread = [YES]
    receipt = await settle_orphan(left, hands=shop.hands)
    assert receipt.entry.why.endswith(UNRECORDED)
    assert shop.entry("k1") == left


async def test_an_attempt_is_logged_as_plain_values() -> None:
    _, run, shop = with_a_run()
    line = audit_line((await go(shop, proposed(run))).entry)
    assert line["run"] == "testrail:R118"
    assert (line["outcome"], line["who"], line["before"], line["after"]) == ("done", "U1", str(SEEN), str(SEEN))
    assert all(isinstance(value, str) for value in line.values())


def test_a_fault_says_itself_whether_the_question_had_left() -> None:
    assert isinstance(down(), SystemFault)
    assert (down().sent, down(sent=True).sent) == (False, True)


@pytest.mark.parametrize(
    ("said", "lines"), [([YES], ("name: Smoke → Smoke 5.2", "refs: J-1 → none", "note: hi")), ([NO], ())]
)
async def test_a_receipt_tells_what_was_changed_once_it_is_done(said: list[Any], lines: tuple[str, ...]) -> None:
    testrail, run, shop = with_a_run()
    testrail.errors["carry_out"] = down(sent=True)
    testrail.reread = said
    testrail.alter(run.ref, name="Smoke", refs="J-1")
    fields = (("name", "Smoke", "Smoke 5.2"), ("refs", "J-1", ""), ("note", "", "hi"))
    receipt = await go(shop, proposed(run, "edit", Edit(ref=run.ref, project=1, name="Smoke 5.2"), fields=fields))
    assert receipt.lines == lines


async def test_an_attempt_is_logged_when_it_begins_and_when_it_has_ended(caplog: pytest.LogCaptureFixture) -> None:
    _, run, shop = with_a_run()
    with caplog.at_level("INFO", logger="bot.usecases.changing"):
        await go(shop, proposed(run))
    changes = [vars(record)["change"] for record in caplog.records if "change" in vars(record)]
    assert [(each["key"], each["outcome"]) for each in changes] == [("k1", "begun"), ("k1", "done")]


# ── whose it is ──


def a_report(run: Run, by: str = "Ana", marker: str = "k1", note: str = "slow") -> Report:
    tests = (Reported(outcome=Outcome.PASSED, id=3),)
    return Report(ref=run.ref, project=1, by=by, at=NOW, marker=marker, tests=tests, note=note)


ALIKE = timedelta(minutes=15)


@pytest.mark.parametrize(
    ("ago", "outcome", "note", "connection", "ends"),
    [
        (timedelta(0), Ended.DONE, "slow", "practitest", Ended.DOUBT),
        (ALIKE, Ended.DONE, "slow", "practitest", Ended.DOUBT),
        (timedelta(minutes=1), Ended.DOUBT, "slow", "practitest", Ended.DOUBT),
        (ALIKE + timedelta(seconds=1), Ended.DONE, "slow", "practitest", Ended.DONE),
        (timedelta(minutes=1), Ended.FAILED, "slow", "practitest", Ended.DONE),
        (timedelta(minutes=1), Ended.DONE, "fast", "practitest", Ended.DONE),
        (timedelta(minutes=1), Ended.DONE, "slow", "another", Ended.DONE),
    ],
)
@pytest.mark.parametrize("orphan", [False, True])
async def test_a_result_that_somebody_else_may_have_left_is_not_taken_for_ours(
    ago: timedelta,
    outcome: Ended,
    note: str,
    connection: str,
    ends: Ended,
    *,
    orphan: bool,
) -> None:
    practitest, run, shop = with_a_mark()
    other = an_entry(
        run, "k0", "report", change=a_report(run, "Ben", "k0", note), at=NOW - ago, outcome=outcome,
        connection=connection,
    )  # fmt: skip
    shop.ledger.rows["k0"] = (other, None)
    practitest.errors["carry_out"] = down("PractiTest", sent=True)
    practitest.reread = [YES]
    if orphan:
        left = an_entry(run, "k1", "report", change=a_report(run), who="U1")
        shop.ledger.rows["k1"] = (left, NOW)
        receipt = await settle_orphan(left, hands=shop.hands)
    else:
        receipt = await go(shop, proposed(run, "report", a_report(run)))
    assert receipt.entry.outcome is shop.entry("k1").outcome is ends
    assert ("can't be told: the system shows one, and Ben asked" in receipt.entry.why) is (ends is Ended.DOUBT)


@pytest.mark.parametrize(
    ("theirs", "found", "ends"), [(118, 118, Ended.DOUBT), (117, 118, Ended.DONE), (None, 118, Ended.DOUBT)]
)
async def test_a_run_that_another_start_made_is_not_taken_for_ours(theirs: Any, found: int, ends: Ended) -> None:
    testrail, run, shop = with_a_run()
    ref = RunRef("testrail", "R", theirs) if theirs else None
    other = an_entry(run, "k0", "start", ref=ref, change=START, outcome=Ended.DONE if ref else Ended.DOUBT)
    shop.ledger.rows["k0"] = (other, None)
    testrail.errors["carry_out"] = down(sent=True)
    testrail.reread = [RunRef("testrail", "R", found)]
    receipt = await go(shop, proposed(None, "start", START))
    assert receipt.entry.outcome is ends
    assert (receipt.entry.ref is None) is (ends is Ended.DOUBT)


def came(fault: SystemFault, *, answered: bool = False, left: str = "") -> SystemFault:
    fault.sent, fault.answered, fault.left = True, answered, left
    return fault


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (came(down()), "TestRail did not answer. Read"),
        (came(TooSlowFault("TestRail", "TestRail is too slow.")), "TestRail did not answer. Read"),
        (came(down(), answered=True), "TestRail answered with an error. Read"),
        (came(down(), answered=True, left="A new thread is in A4; nothing is in it."),
         "TestRail answered with an error. A new thread is in A4; nothing is in it. Read"),
        (came(UnreadableFault("TestRail", "It can't be read.", why="It is a web page.")),
         "It can't be read. It is a web page. Read"),
    ],
)  # fmt: skip
async def test_what_came_instead_of_an_answer_is_told(fault: SystemFault, said: str) -> None:
    testrail, run, shop = with_a_run()
    testrail.errors["carry_out"] = fault
    assert (await go(shop, proposed(run))).entry.why.startswith(said)


# ── edited meanwhile ──

SHOWN = (("name", "Release 5.2", "x"), ("description", "", "d"), ("cases", "46 tests", "3 cases"))


@pytest.mark.parametrize(
    ("meanwhile", "words"),
    [
        ({"name": "Release 6"}, "its name is “Release 6” now"),
        ({"description": "other"}, "its description is another one now"),
        ({"tally": Tally(passed=1)}, "it has 1 test now"),
        ({"refs": "J-9"}, ""),
    ],
)
async def test_an_edit_of_what_somebody_changed_meanwhile_is_not_made(meanwhile: dict[str, Any], words: str) -> None:
    testrail, run, shop = with_a_run()
    change = Edit(ref=run.ref, project=1, name="x", description="d", cases=(1, 2, 3), milestone=Named(""))
    testrail.alter(run.ref, **meanwhile)
    proposal = proposed(run, "edit", change, fields=SHOWN)
    if words:
        error = await gone_wrong(shop, proposal)
        assert isinstance(error, MovedError)
        assert (error.words, shop.calls("carry_out")) == (words, [])
    else:
        assert (await go(shop, proposal)).entry.outcome is Ended.DONE


async def test_a_run_of_another_name_than_was_typed_is_not_deleted() -> None:
    testrail, run, shop = with_a_run()
    testrail.alter(run.ref, name="Release 6")
    error = await gone_wrong(shop, proposed(run, "delete", Delete(run.ref)))
    assert isinstance(error, MovedError)
    assert error.words == "its name is “Release 6” now"


async def test_what_moved_between_preview_and_press_is_none_of_our_doing() -> None:
    testrail, run, shop = with_a_run()
    testrail.alter(run.ref, tally=Tally(passed=46))
    receipt = await go(shop, proposed(run, "note", note(run)))
    assert receipt.entry.seen == receipt.entry.after
    entry = shop.entry("k1")
    assert entry.seen == Seen.of(run), "the record keeps what the person had been shown"


async def test_an_addition_to_a_thread_is_told_with_the_whole_run() -> None:
    _, run, shop = with_threads(False)
    ref = replace(run.ref, thread=1)
    change = Append(ref=ref, by="Ana", at=NOW, marker="k1", artifacts=(Pointer("log", "https://log"),))
    receipt = await go(shop, proposed(run, "attach", change))
    assert (receipt.entry.ref, receipt.entry.after) == (ref, receipt.entry.seen)


@pytest.mark.parametrize(
    ("minutes", "why"),
    [(0, "R118 was closed with P9 by Ben 3 h ago."), (10, "Somebody did that in TestRail 2 h ago.")],
)
async def test_a_run_closed_with_its_plan_is_told_with_who_closed_the_plan(minutes: int, why: str) -> None:
    testrail, run, shop = with_a_run(parent=RunRef("testrail", "P", 9))
    then = NOW - timedelta(hours=3)
    plan = an_entry(run, "k0", ref=run.parent, at=then, ended_at=then, outcome=Ended.DONE)
    shop.ledger.rows["k0"] = (plan, None)
    testrail.alter(run.ref, finished=True, finished_at=then + timedelta(minutes=minutes))
    assert (await gone_wrong(shop, proposed(run))).why == why
