"""`kill -9` at every named moment of every act: the systems are told once at most, people hear what really happened."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from collections.abc import Awaitable, Callable, Iterator
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
    try:
        await act.press(played, preview)
    except CannotDo:
        return
    if act.typed:
        await played.slack.until(lambda: has_ended(played), timeout_s=PATIENT_S)
    else:
        await played.slack.next_message(timeout_s=PATIENT_S)


def has_ended(played: Scene) -> bool:
    """Whether the form in front of Ana tells the end of what it asked for."""
    view = played.slack.view("ana")
    return view is not None and not view.content.get("submit") and "Working" not in str(view.blocks)


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
RUNS = ("run/60", "run/127", "run/128", "run/125", "plan/80")
BULK_MOMENTS = {
    "go asked": 1, "go begun": 1, "go announced": 1, "asked": 3, "begun": 3, "announced": 3, "read": 3, "called": 3,
    "recorded": 3, "go next": 3, "go ended": 1, "go recorded": 1, "go said": 1, "told": 1,
}  # fmt: skip


def closed(played: Scene) -> dict[str, int]:
    """How many calls closed each of them."""
    writes = " ".join(played.writes())
    return {run: (writes + " ").count(f"close_{run} ") for run in RUNS}


async def test_a_bulk_that_is_killed_is_summed_up_and_goes_on_when_somebody_says_so(
    born: Nursery, tmp_path: Path
) -> None:
    async def play(moment: str) -> list[str]:
        async with scene(born, tmp_path / moment) as played:
            first = await played.bear(dies_at=moment, time=BULK_MOMENTS[moment])
            preview = await played.ask(BULK)
            pressing = asyncio.create_task(played.slack.click("ana", preview, "bulk:go", stale=True))
            await first.died()
            await asyncio.gather(pressing, return_exceptions=True)
            second = await played.bear(ahead_s=LATER_S)
            await second.looked()
            return await judge_bulk(played, second, preview, moment)

    assert await all_of(list(BULK_MOMENTS), play) == []


async def judge_bulk(played: Scene, alive: Bot, preview: Message, moment: str) -> list[str]:
    """What is not as it must be after the restart, and after Continue is pressed."""
    before, wrong = closed(played), []
    summaries = [one for one in map(played.slack.now, played.slack.said()) if is_summary(one)]
    if len(summaries) != (0 if moment == "go asked" else 1):
        wrong.append(f"summed up {len(summaries)} times: {[one.text for one in summaries]}")
    apart = played.told("Closed", "Not closed")
    if apart:
        wrong.append(f"told by itself: {apart}")
    rows = {row["run"]: row["outcome"] for row in await played.audit() if row["run"]}
    shown = {run.split("/")[1] for run, calls in before.items() if calls}
    if {run.strip("RP") for run, outcome in rows.items() if outcome == "done"} != shown:
        wrong.append(f"the ledger says {rows}, closed are {shown}")
    pressed = preview if moment == "go asked" else summaries[-1] if summaries else preview
    if len(rows) < len(RUNS):
        told = alive.told.count("reached told")
        await played.slack.click("ana", pressed, "bulk:go", stale=True)
        await alive.reached("go said")
        await alive.reached("told", told + 1)
    left_out = {run for run in RUNS if rows.get(f"{run[0].upper()}{run.split('/')[1]}") == "failed"}
    if closed(played) != {run: int(run not in left_out) for run in RUNS} or len(left_out) > 1:
        wrong.append(f"closed {closed(played)}, left out {left_out}")
    played.hand_out()
    await played.slack.click("ana", preview, "bulk:go", stale=True)
    late = await played.slack.next_message(timeout_s=PATIENT_S)
    if sum(closed(played).values()) != len(RUNS) - len(left_out):
        wrong.append(f"pressed once more, it closed {closed(played)} and said {late.text}")
    return wrong


def is_summary(message: Message) -> bool:
    return not message.is_ephemeral and "closed" in message.text and "of 5 so far" not in message.text


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
