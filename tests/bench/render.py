"""Case `render`: a message of 50 blocks, hostile names among them, against equal plain dicts and `json.dumps`."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from tests.bench.figures import Pair, Row, compared, exact
from tests.bench.plan import Plan
from tests.bench.probes import tell, turns
from tests.bench.programs import program

BAR = 3.0


async def measure(plan: Plan) -> list[Row]:
    async with program("tests.bench.render", str(plan(15, 9)), str(plan(150, 60))) as probe:
        told: Mapping[str, Any] = await probe.told()
    return [
        exact("render", "blocks", told["blocks"], 50, note=f"{told['bytes']:,} bytes of JSON"),
        compared("render", "template, escaping, limits, JSON", told["looks"], "us", bar=BAR),
        compared("render", "the same from domain runs", told["runs"], "us", note="tally, bar, dates and links too"),
    ]


# The probe: python -m tests.bench.render PAIRS TIMES


def probe(pairs: int, times: int) -> dict[str, object]:
    from bot.domain.model import Run
    from bot.domain.outcomes import Tally
    from bot.presenters import engine
    from bot.presenters.look import RunLook, look
    from bot.presenters.message import Message
    from bot.sandbox.world import HOSTILE_NAMES
    from tests.presenters.samples import NIGHTLY, RELEASE

    names = ("Release 5.2 regression", "Smoke: web & api", "Nightly web 2026-11-20", *HOSTILE_NAMES)
    runs = [
        replace(
            RELEASE if number % 2 else NIGHTLY,
            name=f"{names[number % len(names)]} {number}",
            tally=Tally(passed=70 + number, failed=number % 4, untested=number % 3),
        )
        for number in range(1, 49)
    ]

    def looks_of(several: Sequence[Run]) -> tuple[RunLook, ...]:
        return tuple(look(run, number=number) for number, run in enumerate(several, 1))

    def rendered(rows: tuple[RunLook, ...]) -> Message:
        return engine.render(
            "runs", rows=rows, first=1, end=48, total=48, counted="48 runs", paged=False, unread=0,
            words="open runs of Webshop", notes=(), troubles=(), where="TestRail › Webshop", gaps="", stale=None,
            buttons=(),
        )  # fmt: skip

    looks = looks_of(runs)
    message = rendered(looks)
    parts = (message, *message.more)
    blocks = [block for part in parts for block in part.blocks]
    plain = _plain_parts(blocks)

    def ours() -> str:
        return _json(rendered(looks))

    def ours_from_runs() -> str:
        return _json(rendered(looks_of(runs)))

    def dicts() -> str:
        return json.dumps({"text": message.text, "blocks": plain()})

    if plain() != blocks:
        raise AssertionError("the plain dicts are not the same message")
    return {
        "blocks": len(blocks),
        "bytes": len(dicts()),
        "looks": turns(ours, dicts, pairs=pairs, times=times),
        "runs": turns(ours_from_runs, dicts, pairs=pairs, times=times),
    }


def _json(message: Any) -> str:
    parts = (message, *message.more)
    return "".join([json.dumps({"text": part.text, "blocks": part.blocks}) for part in parts])


def _plain_parts(blocks: Sequence[Mapping[str, Any]]) -> Callable[[], list[Any]]:
    """Builds the same blocks anew each time, from their texts, as the simplest code would."""
    sources = [_source(block) for block in blocks]
    return lambda: [build(*texts) for build, texts in sources]


def _source(block: Mapping[str, Any]) -> tuple[Callable[..., Any], tuple[Any, ...]]:
    """How a block is built, and the texts it is built of."""
    if block["type"] == "context":
        return _context, (block["elements"][0]["text"],)
    text = block["text"]["text"]
    if "accessory" not in block:
        return _section, (text,)
    first, _, second = text.partition("\n")
    return _row, (first, second, block["accessory"]["value"])


def _mrkdwn(text: str) -> dict[str, Any]:
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": _mrkdwn(text)}


def _context(text: str) -> dict[str, Any]:
    return {"type": "context", "elements": [_mrkdwn(text)]}


def _row(first: str, second: str, value: str) -> dict[str, Any]:
    label = {"type": "plain_text", "text": "Show", "emoji": False}
    button = {"type": "button", "action_id": "ask:show", "text": label, "value": value}
    return {"type": "section", "text": _mrkdwn(f"{first}\n{second}"), "accessory": button}


if __name__ == "__main__":
    tell(probe(int(sys.argv[1]), int(sys.argv[2])))
