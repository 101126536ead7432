"""`kill -9` at every named moment of every act: the systems are told once at most, people hear what really happened."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from bot.sandbox.slack import Message
from bot.sandbox.slack.refusals import CannotDo
from tests.killing.acts import ACTS, Act
from tests.killing.scenes import LATER_S, PATIENT_S, Bot, Nursery, Scene, nursery, scene

#: Scenes that are played at a time.
AT_A_TIME = 5
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


def judge(act: Act, played: Scene, rows: list[dict[str, str]], *, asked: bool = True, repeats: int = 1) -> list[str]:
    """What is not as it must be once all is settled. `repeats` is how often the receipt may be said."""
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
    if not shown and (yes or len(no) != asked):
        wrong.append(f"not done, but told {yes + no}")
    return wrong


async def press_again(act: Act, played: Scene, preview: Message) -> None:
    """Press what was agreed to once more, where it is still on a screen, and wait for an answer."""
    played.hand_out()
    view = played.slack.view("ana")
    try:
        await act.press(played, preview)
    except CannotDo:
        return
    if act.typed:
        await played.slack.until(
            lambda: (now := played.slack.view("ana")) and now != view and "Release 5.2" in str(now.blocks) and not now.content.get("submit"),
            timeout_s=PATIENT_S,
        )
    else:
        await played.slack.next_message(timeout_s=PATIENT_S)


async def close_anew(act: Act, played: Scene) -> list[str]:
    """Ask for it once more from the start: it is closed already, or can be."""
    before = len(played.writes())
    played.hand_out()
    answer = await played.ask(act.command)
    if act.shown(played):
        told = "already" in answer.text or " by " in answer.text
        return [] if told and not played.slack.buttons(answer) or "was" in answer.text else [f"closed, but {answer.text}"]
    told_before = len(played.told(act.done))
    await act.press(played, answer)
    await played.slack.until(lambda: len(played.told(act.done)) > told_before, timeout_s=PATIENT_S)
    again = len(played.writes()) - before
    return [] if act.shown(played) == 1 and again == 1 else [f"closed anew by {again} calls"]


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
