"""`kill -9` at every named moment of every act: the systems are told once at most, people hear what really happened."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sqlite3
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from bot.sandbox.slack import Message
from bot.sandbox.slack.refusals import CannotDo
from tests.killing.acts import ACTS, Act
from tests.killing.scenes import LATER_S, PATIENT_S, Bot, Nursery, Scene, nursery, scene

#: Scenes that are played at a time.
AT_A_TIME = 6
#: Killed there, the receipt may be said once more: it is said, and not yet on record that it was.
BETWEEN = ("said in public", "said")
MOMENTS = (
    "asked",
    "begun",
    "announced",
    "read",
    "on its way",
    "done unanswered",
    "called",
    "recorded",
    "said in public",
    "said",
    "told",
)


@pytest.fixture(scope="module")
def born() -> Iterator[Nursery]:
    with nursery() as program:
        yield program


async def all_of(names: list[str], play: Callable[[str], Awaitable[list[str]]]) -> list[str]:
    """Play these scenes, some at a time; what went wrong, each with the name of its scene."""
    places = asyncio.Semaphore(AT_A_TIME)

    async def one(name: str) -> list[str]:
        async with places:
            try:
                return [f"{name}: {wrong}" for wrong in await play(name)]
            except (AssertionError, TimeoutError, CannotDo) as error:
                return [f"{name}: {type(error).__name__} {error}"]

    return [wrong for several in await asyncio.gather(*map(one, names)) for wrong in several]


async def killed(act: Act, played: Scene, moment: str) -> Message:
    """Ask for it, agree to it, and let the bot die of it at that moment. Returns the preview that was agreed to."""
    held = moment in ("on its way", "done unanswered")
    bot = await played.bear(dies_at="" if held else moment)
    preview = await played.ask(act.command)
    call = act.hold(played, after=moment == "done unanswered") if held else None
    pressing = asyncio.create_task(act.press(played, preview))
    if call is not None:
        async with asyncio.timeout(PATIENT_S):
            await call.there.wait()
        await bot.kill()
        call.over.set()
    await bot.died()
    await asyncio.gather(pressing, return_exceptions=True)  # Slack may have got no answer
    return preview


def judge(
    act: Act, played: Scene, rows: list[dict[str, str]], *, asked: bool = True, repeats: int = 1, denials: int = 1
) -> list[str]:
    """What is not as it must be once all is settled.

    `repeats` is how often the receipt may be said, `denials` how often that it was not done.
    """
    shown, writes = act.shown(played), played.writes()
    yes, no = played.told(act.done), played.told(act.undone)
    ledger = [row["outcome"] for row in rows]
    wrong = []
    if shown > 1 or len(writes) > act.calls or len(set(writes)) < len(writes):
        wrong.append(f"made {shown} times, by {writes}")
    if ledger != (["done" if shown else "failed"] if asked else []):
        wrong.append(f"the ledger says {ledger}, the system shows {shown}")
    if shown and (no or not 1 <= len(yes) <= repeats):
        wrong.append(f"done, but told {yes + no}")
    if not shown and (yes or not asked <= len(no) <= denials * asked):
        wrong.append(f"not done, but told {yes + no}")
    return wrong


async def press_again(act: Act, played: Scene, preview: Message) -> None:
    """Press what was agreed to once more, where it is still on a screen, and wait for an answer."""
    played.hand_out()
    forms = len(played.slack.calls("views.update"))
    try:
        await act.press(played, preview)
    except CannotDo:
        return
    if len(played.slack.calls("views.update")) > forms:  # the form was filled, then tells the end
        await played.slack.until(lambda: len(played.slack.calls("views.update")) >= forms + 2, timeout_s=PATIENT_S)
    else:
        await played.slack.next_message(timeout_s=PATIENT_S)


async def close_anew(act: Act, played: Scene) -> list[str]:
    """Ask for it once more from the start: it is closed already, or can be."""
    before = len(played.writes())
    played.hand_out()
    answer = await played.ask(act.command)
    if act.shown(played):
        told = " was " in answer.text or "already" in answer.text
        return [] if told and not played.told("Close ", "Complete ", "Mark ") else [f"done, but answered {answer.text}"]
    told_before = len(played.told(act.done))
    await act.press(played, answer)
    await played.slack.until(lambda: len(played.told(act.done)) > told_before, timeout_s=PATIENT_S)
    again = len(played.writes()) - before
    return [] if act.shown(played) == 1 and again == 1 else [f"done anew by {again} calls"]


@pytest.mark.parametrize("name", ACTS)
async def test_an_act_is_done_once_at_most_and_told_as_it_was_wherever_the_bot_is_killed(
    name: str, born: Nursery, tmp_path: Path
) -> None:
    act = ACTS[name]

    async def play(moment: str) -> list[str]:
        async with scene(born, tmp_path / moment) as played:
            preview = await killed(act, played, moment)
            second = await played.bear(ahead_s=LATER_S)
            await second.looked()
            asked, repeats = moment != "asked", 2 if moment in BETWEEN else 1
            wrong = judge(act, played, await played.audit(), asked=asked, repeats=repeats)
            await press_again(act, played, preview)
            if not asked:  # nothing had begun: the preview is as good as it was
                await played.slack.until(lambda: played.told(act.done), timeout_s=PATIENT_S)
                await second.reached("told")
            wrong += judge(act, played, await played.audit(), repeats=repeats)
            if act.ends:
                wrong += await close_anew(act, played)
            return wrong

    assert await all_of(list(MOMENTS), play) == []


@pytest.mark.parametrize("name", ["close a TestRail run", "start a Testmo run", "delete a TestRail run"])
async def test_whoever_settles_may_be_killed_as_well(name: str, born: Nursery, tmp_path: Path) -> None:
    act = ACTS[name]

    async def play(moments: str) -> list[str]:
        first, _, second = moments.partition(", then ")
        async with scene(born, tmp_path / moments) as played:
            preview = await killed(act, played, first)
            heir = await played.bear(dies_at=second, ahead_s=LATER_S)
            await heir.died()
            last = await played.bear(ahead_s=2 * LATER_S)
            await last.looked()
            repeats = 1 + sum(moment in BETWEEN for moment in (first, second))
            wrong = judge(act, played, await played.audit(), repeats=repeats, denials=1 + (second == "said"))
            await press_again(act, played, preview)
            return wrong + judge(act, played, await played.audit(), repeats=repeats, denials=1 + (second == "said"))

    done = [f"called, then {second}" for second in ("found", "settled", "said in public", "said", "told", "looked")]
    undone = [f"begun, then {second}" for second in ("found", "settled", "said", "told", "looked")]
    assert await all_of([*done, *undone, "said, then said"], play) == []


@pytest.mark.parametrize("after", [True, False], ids=["done", "not done"])
async def test_of_two_processes_the_one_that_lives_on_settles_what_the_other_left_once_its_lease_ran_out(
    after: bool, born: Nursery, tmp_path: Path
) -> None:
    async def play(name: str) -> list[str]:
        act = ACTS[name]
        async with scene(born, tmp_path / name) as played:
            first = await played.bear()
            preview = await played.ask(act.command)
            call = act.hold(played, after=after)
            pressing = asyncio.create_task(act.press(played, preview))
            async with asyncio.timeout(PATIENT_S):
                await call.there.wait()
            second = await played.bear()
            await second.looked()
            early = played.told(act.done, act.undone)
            await first.kill()
            call.over.set()
            await second.looked()
            early += played.told(act.done, act.undone)
            second.move_clock(LATER_S)
            await second.looked()
            await asyncio.gather(pressing, return_exceptions=True)
            wrong = [f"told before the lease ran out: {early}"] if early else []
            wrong += judge(act, played, await played.audit())
            await press_again(act, played, preview)
            return wrong + judge(act, played, await played.audit())

    assert await all_of(["close a TestRail run", "complete an automation run", "report to PractiTest"], play) == []


#: Several runs, and what the oldest of them are called.
BULK = "close --in testrail --older-than 1d --limit 5"
RUNS = {"R60", "R127", "R128", "R125", "P80"}
BULK_MOMENTS = {
    "go asked": 1, "go begun": 1, "go announced": 1, "asked": 3, "begun": 3, "announced": 3, "read": 3, "on its way": 3,
    "done unanswered": 3, "called": 3, "recorded": 3, "go next": 3, "go ended": 1, "go recorded": 1, "go said": 1,
    "told": 1,
}  # fmt: skip


THIRD = replace(ACTS["close a TestRail run"], call="POST .*close_run/128")


def closed(played: Scene) -> set[str]:
    """Those that TestRail shows as closed."""
    store = played.testrail.store
    runs = {f"R{run.id}" for run in store.runs.values() if run.completed_on and f"R{run.id}" in RUNS}
    return runs | {f"P{plan.id}" for plan in store.plans.values() if plan.completed_on and f"P{plan.id}" in RUNS}


async def test_a_bulk_that_is_killed_is_summed_up_and_goes_on_when_somebody_says_so(
    born: Nursery, tmp_path: Path
) -> None:
    async def play(moment: str) -> list[str]:
        async with scene(born, tmp_path / moment) as played:
            preview = await killed_in_bulk(played, moment)
            second = await played.bear(ahead_s=LATER_S)
            await second.looked()
            return await judge_bulk(played, second, preview, moment)

    assert await all_of(list(BULK_MOMENTS), play) == []


async def killed_in_bulk(played: Scene, moment: str) -> Message:
    """Agree to a bulk and let the bot die of it at that moment. Returns the list that was agreed to."""
    held = moment in ("on its way", "done unanswered")
    bot = await played.bear(dies_at="" if held else moment, time=BULK_MOMENTS[moment])
    preview = await played.ask(BULK)
    call = THIRD.hold(played, after=moment == "done unanswered") if held else None
    await played.slack.click("ana", preview, "bulk:go")
    if call is not None:
        async with asyncio.timeout(PATIENT_S):
            await call.there.wait()
        await bot.kill()
        call.over.set()
    await bot.died()
    return preview


async def judge_bulk(played: Scene, alive: Bot, preview: Message, moment: str) -> list[str]:
    """What is not as it must be after the restart, and after Continue is pressed."""
    wrong = []
    summaries = [one for one in map(played.slack.now, played.slack.said()) if is_summary(one)]
    if len(summaries) != {"go asked": 0, "go said": 2}.get(moment, 1):
        wrong.append(f"summed up {len(summaries)} times: {[one.text for one in summaries]}")
    apart = played.told("Closed", "Not closed")
    if apart:
        wrong.append(f"told by itself: {apart}")
    ledger = await played.audit()
    rows = {row["run"]: row["outcome"] for row in ledger if row["run"]}
    goes = [row["outcome"] for row in ledger if not row["run"]]
    if goes != ([] if moment == "go asked" else ["done" if closed(played) == RUNS else "failed"]):
        wrong.append(f"the ledger says the go has {goes}, closed are {closed(played)}")
    if {run for run, outcome in rows.items() if outcome == "done"} != closed(played):
        wrong.append(f"the ledger says {rows}, closed are {closed(played)}")
    if len(rows) < len(RUNS):
        told = alive.told.count("reached told")
        await played.slack.click("ana", summaries[-1] if summaries else preview, "bulk:go")
        await alive.reached("go said")
        await alive.reached("told", told + 1)
    failed = {run for run, outcome in rows.items() if outcome == "failed"}
    if closed(played) != RUNS - failed or len(failed) > 1:
        wrong.append(f"closed {closed(played)}, failed {failed}")
    played.hand_out()
    if not played.slack.now(preview).deleted:
        await played.slack.click("ana", preview, "bulk:go", stale=True)
        await played.slack.next_message(timeout_s=PATIENT_S)
    if closed(played) != RUNS - failed or len(set(played.writes())) < len(played.writes()):
        wrong.append(f"pressed once more, it has closed {closed(played)} by {played.writes()}")
    return wrong


def is_summary(message: Message) -> bool:
    said = "closed" in message.text or "not tried" in message.text
    return said and not message.is_ephemeral and "so far" not in message.text


async def test_runs_of_a_bulk_that_are_done_are_waited_for_by_nobody_while_it_goes_on(
    born: Nursery, tmp_path: Path
) -> None:
    async with scene(born, tmp_path / "scene") as played:
        await killed_in_bulk(played, "go next")
        with closing(sqlite3.connect(played.folder / "rundown.db")) as file:
            rows = file.execute("select run is null, told, lease_until is null from changes order by run is null")
            assert rows.fetchall() == [(0, 1, 1)] * 3 + [(1, 0, 0)], "else they are told apart after their leases"


async def test_an_end_that_nobody_can_read_is_told_once_and_once_more_when_it_can(
    born: Nursery, tmp_path: Path
) -> None:
    act = ACTS["close a TestRail run"]
    async with scene(born, tmp_path / "scene") as played:
        await killed(act, played, "called")
        away = played.testrail.faults.answer("GET", 503)
        second = await played.bear(ahead_s=LATER_S)
        await second.looked()
        assert len(played.told("It is not clear whether")) == 1
        for times in (2, 3, 4):
            second.move_clock(times * LATER_S)
            await second.looked()
        assert away.hits > 2, "it was read again"
        assert len(played.told("It is not clear whether")) == 1, "nobody wants to hear that every minute"
        played.testrail.faults.clear()
        second.move_clock(5 * LATER_S)
        await second.looked()
        assert judge(act, played, await played.audit()) == []


async def test_killed_at_any_time_after_the_press_an_act_is_done_once_at_most_and_told(
    born: Nursery, tmp_path: Path
) -> None:
    seed = random.SystemRandom().randrange(2**32)
    chance = random.Random(seed)
    rounds = {f"{number}. {name}": chance.uniform(0, 0.4) for number in range(40) for name in [chance.choice([*ACTS])]}

    async def play(name: str) -> list[str]:
        act = ACTS[name.partition(". ")[2]]
        async with scene(born, tmp_path / name) as played:
            bot = await played.bear()
            preview = await played.ask(act.command)
            pressing = asyncio.create_task(act.press(played, preview))
            asyncio.get_running_loop().call_later(rounds[name], os.kill, bot.pid, signal.SIGKILL)
            await bot.died()
            pressing.cancel()
            await asyncio.gather(pressing, return_exceptions=True)
            second = await played.bear(ahead_s=LATER_S)
            await second.looked()
            rows = await played.audit()
            wrong = judge(act, played, rows, asked=bool(rows), repeats=2)
            await press_again(act, played, preview)
            if not rows:
                return wrong
            return wrong + judge(act, played, await played.audit(), repeats=2)

    assert await all_of(list(rounds), play) == [], f"seed {seed}: {rounds}"
