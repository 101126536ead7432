"""`kill -9` from due to recorded: a digest and its parts are posted once, or say that they may be there twice."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sqlite3
import sys
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.domain.digests import DigestPlan, Timing
from bot.sandbox.slack.refusals import CannotDo
from bot.storage.database import Database
from bot.storage.plans import StoredPlans
from tests.killing.scenes import LATER_S, Nursery, Scene, nursery, scene

#: Rounds that are killed at random times, and the digests of each.
ROUNDS, DIGESTS = int(os.environ.get("RUNDOWN_KILLS", "12")), 24
#: Scenes that are played at a time.
AT_A_TIME = 4
#: Seconds in which everything that is due is posted, on a busy machine.
PATIENT_S = 40.0
#: Seconds before the digests are due at which a bot is born.
EARLY_S = 0.5
REPEAT = "This may be a repeat."

#: Where a bot dies, and for which time it gets there: the second parcel is a part.
MOMENTS = {
    "digest claimed": ("digest claimed", 1),
    "digest written": ("digest written", 1),
    "digest kept": ("digest kept", 1),
    **{
        f"{moment}, {what}": (moment, time)
        for moment in ("parcel taken", "parcel recorded", "parcel posted", "parcel confirmed")
        for what, time in (("parent", 1), ("part", 2))
    },
}


@pytest.fixture(scope="module")
def born() -> Iterator[Nursery]:
    with nursery() as program:
        yield program


@dataclass
class Digests:
    """Digests that are due at the next full minute, on the file of a scene. `ahead_s` is how far a clock has to be
    ahead for that to be in a moment.
    """

    played: Scene
    plans: list[DigestPlan]
    ahead_s: float

    def parcels(self) -> dict[str, str]:
        """Key → state, as the file has it."""
        with closing(sqlite3.connect(self.played.folder / "rundown.db")) as file:
            return dict(file.execute("select key, state from parcels").fetchall())

    def all_told(self) -> bool:
        """Whether every digest is there with all its parts, and on record."""
        parcels = self.parcels()
        parents = {key for key in parcels if "/" not in key}
        return len(parents) == len(self.plans) and set(parcels.values()) == {"posted"}

    def judge(self, *, repeats: int = 0) -> list[str]:
        """What is not as it must be in the end. `repeats` is how many messages may be there twice."""
        said = [one for one in map(self.played.slack.now, self.played.slack.said()) if one.metadata]
        times = Counter((one.metadata or {})["event_payload"]["key"] for one in said)
        parcels = self.parcels()
        wrong = [f"{key} is {state}" for key, state in parcels.items() if state != "posted"]
        wrong += [f"{key} was never posted" for key in parcels if not times[key]]
        wrong += [f"{key} is on no record" for key in times if key not in parcels]
        wrong += [f"no digest of {each.id}" for each in self.plans if not any(key.startswith(each.id) for key in times)]
        twice = sum(times.values()) - len(times)
        marked = sum(REPEAT in self.played.slack.words(one) for one in said)
        if twice > repeats or max(times.values(), default=0) > 1 + repeats:
            wrong.append(f"{twice} messages too many: {[key for key, count in times.items() if count > 1]}")
        if not twice <= marked <= repeats:
            wrong.append(f"{marked} marked as repeats, {twice} are")
        parents = {(one.ts, (one.metadata or {})["event_payload"]["key"]) for one in said if not one.thread_ts}
        for one in said:
            key, _, part = (one.metadata or {})["event_payload"]["key"].partition("/")
            if part and (one.thread_ts, key) not in parents:
                wrong.append(f"{key}/{part} is in the thread {one.thread_ts or 'of none'}")
        return wrong


async def due(played: Scene, several: int = 1) -> Digests:
    """So many plans, each with a channel of its own or two of them in one, due at the next full minute."""
    now = datetime.now(UTC)
    slot = now.replace(second=0, microsecond=0) + timedelta(minutes=1)
    channels = [played.slack.add_channel(f"channel-{number}") for number in range((several + 1) // 2)]
    plans = [
        DigestPlan(
            id=f"d{number}",
            team=played.slack.team_id,
            channel=channels[number % len(channels)].id,
            name=f"Nightly {number}",
            owner=played.slack.person("ana").id,
            owner_name="Ana",
            timing=Timing(f"{slot.minute} {slot.hour} * * *", "UTC", f"daily at {slot:%H:%M}"),
            made_at=slot - timedelta(hours=1),
            connection="testmo",
            project="1",
        )
        for number in range(several)
    ]
    file = Database(str(played.folder / "rundown.db"))
    await file.open()
    stored = StoredPlans(file, lambda: now)
    for plan in plans:
        assert await stored.add(plan)
    await file.close()
    return Digests(played, plans, (slot - datetime.now(UTC)).total_seconds() - EARLY_S)


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


@pytest.mark.parametrize("readable", [True, False], ids=["history can be read", "it can't"])
async def test_a_digest_is_posted_once_wherever_the_bot_is_killed(
    readable: bool, born: Nursery, tmp_path: Path
) -> None:
    async def play(name: str) -> list[str]:
        moment, time = MOMENTS[name]
        async with scene(born, tmp_path / name) as played:
            if not readable:
                played.slack.withdraw("channels:history")
            digests = await due(played)
            first = await played.bear(dies_at=moment, time=time, ahead_s=digests.ahead_s)
            await first.died()
            await played.bear(ahead_s=digests.ahead_s + LATER_S)
            await played.slack.until(digests.all_told, timeout_s=PATIENT_S)
            in_doubt = not readable and moment in {"parcel recorded", "parcel posted"}
            wrong = digests.judge(repeats=int(in_doubt))
            return wrong if len(digests.parcels()) > 1 else [*wrong, "it has no parts: nothing was tested"]

    assert await all_of(list(MOMENTS), play) == []


async def test_whoever_goes_on_may_be_killed_as_well(born: Nursery, tmp_path: Path) -> None:
    async def play(name: str) -> list[str]:
        first, _, second = name.partition(", then ")
        async with scene(born, tmp_path / name) as played:
            digests = await due(played)
            for number, moment in enumerate((first, second)):
                bot = await played.bear(dies_at=moment, ahead_s=digests.ahead_s + number * LATER_S)
                await bot.died()
            await played.bear(ahead_s=digests.ahead_s + 2 * LATER_S)
            await played.slack.until(digests.all_told, timeout_s=PATIENT_S)
            return digests.judge()

    moments = ["digest claimed", "digest written", "parcel taken", "parcel recorded", "parcel posted"]
    pairs = [
        f"{first}, then {second}" for number, first in enumerate(moments) for second in moments[number:]
        if (first, second) != ("parcel posted", "parcel recorded")
    ]  # fmt: skip
    reached = [pair for pair in pairs if pair != "parcel posted, then parcel posted"]
    assert await all_of(reached, play) == []


async def test_of_two_processes_on_one_file_one_posts(born: Nursery, tmp_path: Path) -> None:
    async with scene(born, tmp_path / "scene") as played:
        digests = await due(played, 8)
        for _ in range(2):
            await played.bear(ahead_s=digests.ahead_s)
        await played.slack.until(digests.all_told, timeout_s=PATIENT_S)
        assert digests.judge() == []


@pytest.mark.timeout(300)
async def test_killed_at_any_time_each_of_hundreds_of_digests_is_posted_once(born: Nursery, tmp_path: Path) -> None:
    seed = random.SystemRandom().randrange(2**32)
    chance = random.Random(seed)
    rounds = {f"{number}": [chance.uniform(0.2, 3), chance.uniform(0.1, 3)] for number in range(ROUNDS)}
    told: list[int] = []

    async def play(name: str) -> list[str]:
        async with scene(born, tmp_path / name) as played:
            digests = await due(played, DIGESTS)
            for number, after_s in enumerate(rounds[name]):
                bot = await played.bear(ahead_s=digests.ahead_s + number * LATER_S)
                asyncio.get_running_loop().call_later(after_s, os.kill, bot.pid, signal.SIGKILL)
                await bot.died()
            await played.bear(ahead_s=digests.ahead_s + 2 * LATER_S)
            await played.slack.until(digests.all_told, timeout_s=PATIENT_S)
            told.append(len(digests.parcels()))
            return digests.judge()

    assert await all_of(list(rounds), play) == [], f"seed {seed}: {rounds}"
    assert sum(told) >= ROUNDS * DIGESTS
    sys.stdout.write(f"seed {seed}: {ROUNDS * DIGESTS} digests, {sum(told)} messages\n")
