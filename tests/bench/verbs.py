"""Case `verbs`: what a command costs, from its text to its feature, when 1 to 400 verbs are registered."""

from __future__ import annotations

import asyncio
import itertools
import random
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from tests.bench.figures import Pair, Row, compared, slope
from tests.bench.plan import Plan
from tests.bench.probes import tell
from tests.bench.programs import CHANNEL, TEAM, USER, program

BAR = 1.15
SIZES = (1, 10, 50, 100, 200, 400)
NOW = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)

#: Handles so many commands; its CPU microseconds per command.
Burst = Callable[[int], float]


async def measure(plan: Plan) -> list[Row]:
    return await _curve("ours", "Grammar and Desk", plan(11, 7), plan(400, 80), bar=BAR)


async def inform(plan: Plan) -> list[Row]:
    return await _curve("bolt", "Bolt's listeners", plan(5, 1), plan(100, 50))


async def _curve(who: str, name: str, pairs: int, times: int, bar: float | None = None) -> list[Row]:
    """What a command costs at each size as a multiple of its cost with a single verb; the last one is judged."""
    async with program("tests.bench.verbs", who, str(pairs), str(times)) as probe:
        curve: Mapping[str, list[Pair]] = await probe.told()
    rows = [compared("verbs", f"{name}, {size} to 1", its, "us") for size, its in curve.items()]
    grows = slope([(int(size), row.ours) for size, row in zip(curve, rows, strict=True)])
    rows[-1] = replace(rows[-1], bar=bar, note=f"slope {grows:+.2f}")
    return rows


# The probe: python -m tests.bench.verbs ours|bolt PAIRS TIMES


def probe(who: str, pairs: int, times: int) -> dict[int, list[Pair]]:
    """For each size but the first: (cost at that size, cost at one), taking turns."""
    bursts = {size: (_ours if who == "ours" else _bolt)(size) for size in SIZES}
    curve: dict[int, list[Pair]] = {}
    for size in SIZES[1:]:
        for warm in (bursts[size], bursts[1]):
            warm(max(size, 50))
        curve[size] = [(bursts[size](times), bursts[1](times)) for _ in range(pairs)]
    return curve


def _per_command(loop: asyncio.AbstractEventLoop, handle: Callable[[int], Any]) -> Burst:
    def burst(times: int) -> float:
        begun = time.process_time()
        loop.run_until_complete(handle(times))
        return (time.process_time() - begun) / times * 1e6

    return burst


def _ours(size: int) -> Burst:
    from bot.postman import Postman, ReturnPath
    from bot.presenters.message import Message
    from bot.slack.desk import Answer, Asking, Desk, World
    from bot.slack.grammar import Grammar
    from bot.slack.people import People
    from bot.slack.questions import Question
    from bot.slack.tasks import Tasks
    from bot.slack.verbs import VERBS, Verb
    from bot.usecases.access import Gate
    from bot.usecases.ports import ChannelContext, Contexts, Place, Recall
    from bot.usecases.systems import Systems

    names = [_name(number) for number in range(size)]
    model = next(verb for verb in VERBS if verb.name == "list")
    verbs = [
        Verb(
            name=name, says="A verb.", usage="[WORDS…]", examples=(name, f"{name} --all"),
            words=model.words, flags=model.flags,
        )
        for name in names
    ]  # fmt: skip
    said: list[Message] = []

    class Contexted(Contexts):
        async def get(self, place: Place) -> ChannelContext | None:
            return None

    class Recalled(Recall):
        async def thread_run(self, place: Place) -> None:
            return None

    class Said(Postman):
        def __init__(self) -> None: ...

        async def whisper(self, back: ReturnPath, message: Message, *, replace: bool = False) -> None:
            said.append(message)

    class Fresh:
        async def claim(self, key: str) -> bool:
            return True

    loop = asyncio.new_event_loop()
    gate = Gate(directory=None, grants=None, ledger=None, read_only=True)  # type: ignore[arg-type]
    world = World(
        systems=Systems([]), contexts=Contexted(), recall=Recalled(), people=People(None),  # type: ignore[arg-type,abstract]
        grammar=Grammar(verbs), gate=gate, now=lambda: NOW,
    )  # fmt: skip
    tasks = Tasks()
    desk = Desk(world, Said(), tasks, Fresh())

    async def answer(asking: Asking) -> Answer:
        return Answer(Message(asking.command.verb, []))

    for name in names:
        desk.feature(name, answer)
    every = itertools.cycle(random.Random(size).sample(names, size))

    async def handle(times: int) -> None:
        said.clear()
        asked = []
        for number in range(times):
            asked.append(next(every))
            back = ReturnPath(team=TEAM, channel=CHANNEL, user=USER, response_url="https://slack.example/1")
            text = f"{asked[-1]} nightly web --all --limit 20"
            desk.take(Question(text=text, back=back, key=f"command {number}"))
            await tasks.drain(10)
        if [message.text for message in said] != asked:
            raise AssertionError("a command was not answered by its own feature")

    return _per_command(loop, handle)


def _bolt(size: int) -> Burst:
    from slack_bolt.async_app import AsyncApp
    from slack_bolt.authorization import AuthorizeResult
    from slack_bolt.request.async_request import AsyncBoltRequest

    async def authorize() -> AuthorizeResult:
        return AuthorizeResult(enterprise_id=None, team_id=TEAM, bot_token="xoxb-bench", bot_user_id="U1", bot_id="B1")

    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    # Acknowledged before the listener returns: otherwise most of the time is Bolt's sleep, which costs no CPU.
    app = AsyncApp(
        authorize=authorize, signing_secret="bench", request_verification_enabled=False, process_before_response=True
    )

    async def say_hello(ack: Any) -> None:
        await ack("Hello")

    names = [f"/{_name(number)}" for number in range(size)]
    for name in names:
        app.command(name)(say_hello)
    every = itertools.cycle(random.Random(size).sample(names, size))
    headers: dict[str, str | Sequence[str]] = {"content-type": ["application/x-www-form-urlencoded"]}

    async def handle(times: int) -> None:
        for _ in range(times):
            body = urlencode({"command": next(every), "text": "nightly web --all", "team_id": TEAM, "user_id": USER})
            if (await app.async_dispatch(AsyncBoltRequest(body=body, headers=headers))).status != 200:
                raise AssertionError("a command was not acknowledged")

    return _per_command(loop, handle)


def _name(number: int) -> str:
    """A verb's name of equal length, and like its neighbours, as real ones may be."""
    return f"{'abcdefghijklmnopqrst'[number % 20]}verb{number:03d}"


if __name__ == "__main__":
    tell(probe(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
