"""Several runs closed in one go: the list, each recorded for itself, what ends it, and going on after it ended."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.domain.acts import Bulk, Close, Ended, Entry
from bot.domain.answers import RunList, Trouble
from bot.domain.checkpoints import on_checkpoint
from bot.domain.errors import AskError, NotAllowedError, OurError, RejectedFault, RundownError
from bot.domain.model import Run, RunRef
from bot.domain.outcomes import Tally
from bot.usecases.bulk import FAULTS, MOST, bulk_words, carry_out_bulk, propose_bulk, recorded
from bot.usecases.changing import GOOD_FOR, LEASE_S, ExpiredError, LateError
from bot.usecases.ports import PATIENCE, Patience
from tests.usecases.world_of_fakes import (
    HERE,
    NOW,
    FakeConnection,
    Workshop,
    at_once,
    check_words,
    down,
    open_testmo,
    open_testrail,
)


def with_runs(count: int) -> tuple[FakeConnection, Workshop, Bulk]:
    """TestRail with so many open runs, R1 and up, and the list of them."""
    testrail = open_testrail()
    runs = [testrail.add("R", number) for number in range(1, count + 1)]
    shop = Workshop(testrail)
    return testrail, shop, listed(shop, *runs)


def a_list(*runs: Run, **more: Any) -> RunList:
    return RunList(runs=runs, words="open runs", read_at=NOW, **more)


def listed(shop: Workshop, *runs: Run, dry: bool = False, **more: Any) -> Bulk:
    return propose_bulk(
        a_list(*runs, **more), key="b1", typed="close --older-than 30d", by="U1", now=NOW, systems=shop.systems, dry=dry
    )


async def _nothing(*_: object) -> None:
    """Nobody looks."""


async def go(shop: Workshop, bulk: Bulk, user: str = "U1", **more: Any) -> Bulk:
    return await carry_out_bulk(
        bulk, hands=shop.hands, place=HERE, user=user, **{"begun": _nothing, "progress": _nothing, **more}
    )


def ends(bulk: Bulk) -> str:
    """`1 done, 2 failed, 3 -`: what became of each run; nothing for one that was not tried."""
    words = {each: each.value for each in Ended}
    return ", ".join(f"{item.run.ref.id} {words[item.entry.outcome] if item.entry else '-'}" for item in bulk.items)


def called(shop: Workshop) -> list[int]:
    return [change.ref.id for change, _ in shop.calls("carry_out")]


def failing(testrail: FakeConnection, shop: Workshop, *numbers: int, error: RundownError) -> None:
    """Closing these runs goes wrong."""

    def before() -> None:
        change, _ = shop.calls("carry_out")[-1]
        testrail.errors.pop("carry_out", None)
        if change.ref.id in numbers:
            testrail.errors["carry_out"] = error

    testrail.before["carry_out"] = before


class Died(BaseException):
    """The process ends here."""


@pytest.fixture
def dies_at() -> Iterator[Callable[[str, int], None]]:
    """Let the process die when a checkpoint is reached for so many times."""

    def at(name: str, time: int) -> None:
        seen: list[str] = []

        def reached(checkpoint: str) -> None:
            seen.append(checkpoint)
            if checkpoint == name and seen.count(name) == time:
                raise Died(name)

        on_checkpoint(reached)

    yield at
    on_checkpoint()


# ── the list ──


async def test_a_list_says_what_would_be_closed_and_why_others_are_left_out() -> None:
    testrail, testmo = open_testrail(), open_testmo()
    plan = testrail.add("P", 9)
    runs = (
        testrail.add("R", 1),
        testrail.add("R", 2, finished=True),
        testrail.add("R", 3, parent=plan.ref),
        plan,
        testmo.add("R", 4),
        testmo.add("A", 5),
    )
    bulk = listed(Workshop(testrail, testmo), *runs, dry=True)
    assert [(item.run.ref.short, item.why) for item in bulk.items] == [
        ("R1", ""),
        ("R2", "closed already"),
        ("R3", "part of P9"),
        ("P9", ""),
        ("R4", "Testmo can't close manual runs"),
        ("A5", ""),
    ]
    assert (bulk.dry, bulk.left, bulk.key, bulk.by, bulk.made_at, bulk.words) == (True, 3, "b1", "U1", NOW, "open runs")


@pytest.mark.parametrize(
    ("count", "total", "taken", "cut"),
    [(MOST, MOST, MOST, False), (MOST, MOST + 1, MOST, True), (MOST + 5, None, MOST, True), (3, None, 3, False)],
)
async def test_only_so_many_are_taken_in_one_go(count: int, total: int | None, taken: int, cut: bool) -> None:
    testrail = open_testrail()
    runs = [testrail.add("R", number) for number in range(1, count + 1)]
    bulk = listed(Workshop(testrail), *runs, total=total)
    assert len(bulk.items) == taken
    assert (f"only the first {MOST} are taken in one go" in bulk.notes) is cut


async def test_what_a_list_lacks_is_said() -> None:
    testrail = open_testrail()
    run = testrail.add("R", 1)
    bulk = listed(Workshop(testrail), run, notes=("sets have no age",), troubles=(Trouble("testmo", down("Testmo")),))
    assert bulk.notes == ("sets have no age", "testmo: Testmo is down.")


@pytest.mark.parametrize(
    ("finished", "why"),
    [
        ((), "No runs fit “open runs”."),
        ((True,), "1 run fits, none of which can be closed: closed already (R0)."),
        ((True, True), "2 runs fit, none of which can be closed: closed already (R0, R1)."),
    ],
)
async def test_a_list_of_nothing_to_close_is_refused(finished: tuple[bool, ...], why: str) -> None:
    testrail = open_testrail()
    runs = [testrail.add("R", number, finished=each) for number, each in enumerate(finished)]
    with pytest.raises(AskError) as caught:
        listed(Workshop(testrail), *runs)
    assert (caught.value.what, caught.value.why) == ("There is nothing to close.", why)
    check_words(caught.value)


# ── the go ──


async def test_each_run_is_closed_in_its_order_and_recorded_for_itself() -> None:
    _, shop, bulk = with_runs(3)
    progress: list[str] = []

    async def tell(so_far: Bulk) -> None:
        progress.append(ends(so_far))

    done = await go(shop, bulk, progress=tell)
    assert ends(done) == progress[-1] == "1 done, 2 done, 3 done"
    assert progress[0] == "1 done, 2 -, 3 -"
    assert called(shop) == [1, 2, 3]
    assert [each.part_of for each in await shop.ledger.entries(last=9, part_of="b1")] == ["b1"] * 3
    claim = shop.entry(done.attempt)
    assert (claim.outcome, claim.why, claim.title) == (Ended.DONE, "3 closed.", "3 open runs")
    assert done.stopped == ""


async def test_what_was_left_out_is_never_tried() -> None:
    testrail = open_testrail()
    runs = (testrail.add("R", 1), testrail.add("R", 2, finished=True))
    shop = Workshop(testrail)
    assert ends(await go(shop, listed(shop, *runs))) == "1 done, 2 -"
    assert called(shop) == [1]


async def test_one_that_goes_wrong_does_not_hold_up_the_others() -> None:
    testrail, shop, bulk = with_runs(5)
    testrail.its_runs = [run for run in testrail.its_runs if run.ref.id != 1]
    testrail.alter(RunRef("testrail", "R", 2), tally=Tally(failed=9))
    testrail.alter(RunRef("testrail", "R", 3), finished=True)
    failing(testrail, shop, 4, error=RejectedFault("TestRail", "TestRail did not take it."))
    done = await go(shop, bulk)
    assert ends(done) == "1 stale, 2 stale, 3 stale, 4 failed, 5 done"
    assert called(shop) == [4, 5]
    assert bulk_words(done) == "1 closed, 1 not closed, 3 changed since"
    assert [item.entry.why for item in done.items if item.entry][3] == "TestRail did not take it."


@pytest.mark.parametrize(
    ("broken", "after"),
    [
        ((1, 2, 3), "1 failed, 2 failed, 3 failed, 4 -, 5 -"),
        ((1, 2, 4, 5), "1 failed, 2 failed, 3 done, 4 failed, 5 failed"),
        ((2, 3, 4), "1 done, 2 failed, 3 failed, 4 failed, 5 -"),
        ((3, 4, 5), "1 done, 2 done, 3 failed, 4 failed, 5 failed"),
    ],
)
@pytest.mark.parametrize("sent", [False, True])
async def test_a_system_that_fails_again_and_again_ends_it(broken: tuple[int, ...], after: str, sent: bool) -> None:
    testrail, shop, bulk = with_runs(5)
    failing(testrail, shop, *broken, error=down(sent=sent))
    if sent:
        testrail.reread = [None]
    done = await go(shop, bulk)
    assert ends(done) == (after.replace("failed", "in doubt") if sent else after)
    assert bool(done.stopped) == (done.left > 0)
    assert called(shop) == [number for number in range(1, 6) if f"{number} -" not in after]


async def test_a_right_that_is_taken_away_in_the_middle_ends_it() -> None:
    _, shop, bulk = with_runs(4)

    async def tell(so_far: Bulk) -> None:
        if so_far.left == 2:
            shop.allow("U1", allow=False)

    done = await go(shop, bulk, progress=tell)
    assert ends(done) == "1 done, 2 done, 3 -, 4 -"
    assert done.stopped.startswith("You can't close runs here.")
    assert called(shop) == [1, 2]
    assert shop.ledger.outcomes().count(Ended.REFUSED) == 1


async def test_whoever_may_not_is_refused_before_anything() -> None:
    _, shop, bulk = with_runs(2)
    with pytest.raises(NotAllowedError):
        await go(shop, bulk, user="U2")
    assert (called(shop), shop.ledger.outcomes()) == ([], [Ended.REFUSED])


@pytest.mark.parametrize(("late", "good"), [(0, True), (1, False)])
async def test_a_list_is_good_for_so_long(late: int, good: bool) -> None:
    _, shop, bulk = with_runs(1)
    shop.clock.go(seconds=GOOD_FOR.total_seconds() + late)
    if good:
        assert ends(await go(shop, bulk)) == "1 done"
    else:
        with pytest.raises(ExpiredError):
            await go(shop, bulk)
        assert not shop.ledger.rows


async def test_many_presses_at_once_make_one_go() -> None:
    _, shop, bulk = with_runs(3)
    every = await asyncio.gather(*(go(shop, bulk) for _ in range(20)), return_exceptions=True)
    late = [each for each in every if isinstance(each, LateError)]
    assert len(late) == 19
    assert {each.entry.key for each in late} == {"b1#0"}
    assert called(shop) == [1, 2, 3]


@pytest.mark.parametrize("at", [1, 2])
async def test_whoever_presses_while_it_goes_on_is_told_who_is_at_it(at: int) -> None:
    _, shop, bulk = with_runs(3)
    shop.allow("U2")
    told: list[str] = []

    async def tell(so_far: Bulk) -> None:
        if 3 - so_far.left == at:
            with pytest.raises(LateError) as caught:
                await go(shop, bulk, user="U2")
            told.append(caught.value.entry.who)

    assert ends(await go(shop, bulk, progress=tell)) == "1 done, 2 done, 3 done"
    assert told == ["U1"]
    assert called(shop) == [1, 2, 3]


async def test_whoever_presses_when_all_is_done_is_told_who_did_it() -> None:
    _, shop, bulk = with_runs(2)
    await go(shop, bulk)
    with pytest.raises(LateError) as caught:
        await go(shop, bulk)
    assert (caught.value.entry.key, caught.value.entry.outcome) == ("b1#0", Ended.DONE)


async def test_a_run_that_somebody_else_is_closing_is_left_to_them() -> None:
    testrail, shop, bulk = with_runs(2)
    one = testrail.its_runs[0]
    other = replace(shop_entry(shop, one), key="k7", who="U7")
    await shop.ledger.begin(other, lease_s=15)
    done = await go(shop, bulk)
    assert ends(done) == "1 stale, 2 done"
    entry = done.items[0].entry
    assert entry is not None
    assert (entry.key, entry.who, entry.why) == ("b1:testrail:R1", "U1", "Somebody else was first.")
    assert shop.entry("k7").outcome is Ended.BEGUN


def shop_entry(shop: Workshop, run: Run) -> Entry:
    return Entry(
        key="k", verb="close", connection="testrail", ref=run.ref, title=run.name, who="U1", who_name="Ana", team="T1",
        channel="C1", thread="", at=shop.clock(), change=Close(run.ref),
    )  # fmt: skip


def test_a_long_go_is_vouched_for_all_the_time() -> None:
    testrail, shop, bulk = with_runs(3)
    testrail.takes["carry_out"] = 2 * LEASE_S
    at_once(go(shop, bulk))
    assert shop.calls("renew").count("b1#0") >= 6


async def test_each_run_has_its_own_time_however_long_the_go_takes() -> None:
    testrail, shop, bulk = with_runs(2)
    heard: list[Patience | None] = []
    testrail.before["run"] = lambda: heard.append(PATIENCE.get())
    before = PATIENCE.set(Patience(until=20.0))
    try:
        await go(shop, bulk)
    finally:
        PATIENCE.reset(before)
    assert set(heard) == {None}


# ── the ledger fails ──


@pytest.mark.parametrize("broken", ["renew", "end"])
async def test_what_was_closed_is_told_when_the_ledger_fails_meanwhile(broken: str) -> None:
    _, shop, bulk = with_runs(3)
    shop.ledger.broken = {broken}
    assert ends(await go(shop, bulk)) == "1 done, 2 done, 3 done"


async def test_a_ledger_that_takes_nothing_any_more_ends_it() -> None:
    _, shop, bulk = with_runs(9)

    async def tell(so_far: Bulk) -> None:
        shop.ledger.broken = {"begin", "entry", "end", "note"}

    done = await go(shop, bulk, progress=tell)
    assert ends(done).startswith("1 done, 2 failed, 3 failed, 4 failed, 5 -")
    assert called(shop) == [1]
    assert done.stopped == f"{FAULTS} in a row failed, so the rest was not tried."


async def test_a_ledger_that_takes_nothing_at_all_is_an_error_and_nothing_is_closed() -> None:
    _, shop, bulk = with_runs(2)
    shop.ledger.broken = {"begin"}
    with pytest.raises(OurError):
        await go(shop, bulk)
    assert called(shop) == []


# ── going on ──


async def test_going_on_after_faults_tries_only_what_was_not_tried() -> None:
    testrail, shop, bulk = with_runs(5)
    failing(testrail, shop, 1, 2, 3, error=down())
    first = await go(shop, bulk)
    assert first.left == 2
    testrail.before.clear()
    testrail.errors.clear()
    shop.clock.go(hours=1)  # what was begun may be gone on with later
    again = await go(shop, bulk)
    assert ends(again) == "1 failed, 2 failed, 3 failed, 4 done, 5 done"
    assert (called(shop), again.attempt) == ([1, 2, 3, 4, 5], "b1#1")


@pytest.mark.parametrize("where", ["begun", "read", "called", "recorded"])
@pytest.mark.parametrize("item", [1, 2, 4])
async def test_after_a_crash_the_rest_is_done_and_nothing_tried_is_touched(
    where: str, item: int, dies_at: Callable[[str, int], None]
) -> None:
    _, shop, bulk = with_runs(4)
    dies_at(where, item)
    with pytest.raises(Died):
        await go(shop, bulk)
    on_checkpoint()
    tried = [item.run.ref.id for item in (await recorded(bulk, shop.ledger)).items if item.entry is not None]
    assert tried == list(range(1, item + 1))
    before = called(shop)
    if item == 4:
        with pytest.raises(LateError):
            await go(shop, bulk)
    else:
        done = await go(shop, bulk)
        assert [each.run.ref.id for each in done.items if each.entry and each.entry.outcome is Ended.DONE][-1] == 4
    assert called(shop) == [*before, *range(item + 1, 5)]


async def test_after_a_crash_before_the_first_run_the_list_can_be_pressed_again() -> None:
    _, shop, bulk = with_runs(2)

    async def dies() -> None:
        raise Died

    with pytest.raises(Died):
        await go(shop, bulk, begun=dies)
    assert shop.entry("b1#0").outcome is Ended.FAILED
    assert ends(await go(shop, bulk)) == "1 done, 2 done"


async def test_a_go_of_a_process_that_was_killed_is_in_the_way_until_it_is_settled() -> None:
    testrail, shop, bulk = with_runs(2)
    claim = replace(shop_entry(shop, testrail.its_runs[0]), key="b1#0", ref=None, change=None)
    await shop.ledger.begin(claim, lease_s=LEASE_S)
    with pytest.raises(LateError):
        await go(shop, bulk)
    await shop.ledger.end("b1#0", Ended.FAILED, at=NOW + timedelta(minutes=1))
    assert ends(await go(shop, bulk)) == "1 done, 2 done"


@pytest.mark.parametrize(
    ("outcomes", "words"),
    [
        ([Ended.DONE, Ended.DONE, None], "2 closed, 1 not tried"),
        ([Ended.FAILED, Ended.STALE, Ended.DOUBT, Ended.BEGUN], "1 not closed, 1 changed since, 2 in doubt"),
        ([], "nothing"),
    ],
)
async def test_a_go_is_summed_up_in_words(outcomes: list[Ended | None], words: str) -> None:
    testrail, shop, bulk = with_runs(max(1, len(outcomes)))
    entry = shop_entry(shop, testrail.its_runs[0])
    items = tuple(
        replace(item, entry=replace(entry, outcome=each) if each else None)
        for item, each in zip(bulk.items, outcomes, strict=False)
    )
    assert bulk_words(replace(bulk, items=items)) == words


async def test_what_could_not_be_asked_is_named_where_nothing_was_found() -> None:
    testrail = open_testrail()
    done = testrail.add("R", 1, finished=True)
    for runs in ((), (done,)):
        with pytest.raises(AskError) as caught:
            listed(Workshop(testrail), *runs, troubles=(Trouble("testmo", down("Testmo")),))
        assert caught.value.what == "Nothing to close was found."
        assert caught.value.why.endswith("testmo could not be asked: Testmo is down.")
        check_words(caught.value)


async def test_reasons_to_leave_runs_out_are_told_once_each() -> None:
    testrail = open_testrail()
    runs = [testrail.add("R", number, finished=True) for number in range(1, 6)]
    inside = testrail.add("R", 9, parent=RunRef("testrail", "P", 3))
    with pytest.raises(AskError) as caught:
        listed(Workshop(testrail), *runs[:2], inside, *runs[2:])
    assert caught.value.why.endswith("closed already (R1, R2, R3 and 2 more); part of P3 (R9).")
    bulk = listed(Workshop(testrail), *runs, inside, testrail.add("R", 10))
    assert bulk.left_out == (("closed already", tuple(runs)), ("part of P3", (inside,)))


async def test_failing_runs_and_those_somebody_is_at_are_warned_of() -> None:
    testrail = open_testrail()
    runs = (
        testrail.add("R", 1, tally=Tally(failed=2), updated_at=NOW - timedelta(minutes=16)),
        testrail.add("R", 2, tally=Tally(failed=1), updated_at=NOW - timedelta(minutes=15)),
        testrail.add("R", 3, finished=True, tally=Tally(failed=9), updated_at=NOW),
        testrail.add("R", 4),
    )
    assert listed(Workshop(testrail), *runs).warnings == (
        "3 tests in R1, R2 fail.",
        "Somebody was at R2 in the last 15 minutes.",
    )
    assert listed(Workshop(testrail), runs[3]).warnings == ()
