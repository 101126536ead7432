"""Case `render`: a message of 50 blocks, hostile names among them, against equal plain dicts and `json.dumps`."""

from __future__ import annotations

import itertools
import json
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tests.bench.figures import Row, compared, exact
from tests.bench.plan import Plan
from tests.bench.probes import tell, turns
from tests.bench.programs import program

if TYPE_CHECKING:
    from bot.domain.model import Run
    from bot.presenters.look import RunLook
    from bot.presenters.message import Message

BAR = 3.0
WORDS, WHERE = "open runs of Webshop", "TestRail › Webshop"
ROWS = 48
#: So many different messages in turn, that nothing is gained by remembering the last one.
VERSIONS = 60


async def measure(plan: Plan) -> list[Row]:
    rows: list[Row] = []
    for names, what in (("hostile", "half the names hostile"), ("tame", "tame names")):
        async with program("tests.bench.render", names, str(plan(15, 7)), str(plan(120, 20))) as probe:
            told: Mapping[str, Any] = await probe.told()
        note = f"{told['bytes']:,} bytes of JSON, in UTF-8"
        if names == "hostile":
            rows.append(exact("render", "blocks", told["blocks"], ROWS + 2))
        rows.append(compared("render", what, told["looks"], "us", bar=BAR, note=note))
        rows.append(
            compared("render", f"{what}, from domain runs", told["runs"], "us", note="tallies, bars, dates too")
        )
    return rows


# The probe: python -m tests.bench.render hostile|tame PAIRS TIMES


def probe(names: str, pairs: int, times: int) -> dict[str, object]:
    from bot.presenters.look import look

    several = [_runs(version, hostile=names == "hostile") for version in range(VERSIONS)]
    looks = [tuple(look(run, number=number) for number, run in enumerate(runs, 1)) for runs in several]
    first = _parts(_rendered(looks[0]))
    next_looks, next_runs = itertools.cycle(looks), itertools.cycle(several)
    next_plain = itertools.cycle([_plain_code(_rendered(each)) for each in looks])

    def ours() -> str:
        return _json(_rendered(next(next_looks)))

    def ours_from_runs() -> str:
        return _json(_rendered(tuple(look(run, number=number) for number, run in enumerate(next(next_runs), 1))))

    def plain() -> str:
        return next(next_plain)()

    return {
        "blocks": sum(len(part.blocks) for part in first),
        "bytes": len(json.dumps([part.blocks for part in first], ensure_ascii=False).encode()),
        "looks": turns(ours, plain, pairs=pairs, times=times),
        "runs": turns(ours_from_runs, plain, pairs=pairs, times=times),
    }


def _runs(version: int, *, hostile: bool) -> list[Run]:
    from bot.domain.outcomes import Tally
    from bot.sandbox.world import HOSTILE_NAMES
    from tests.presenters.samples import NIGHTLY, RELEASE

    names = ["Release 5.2 regression", "Smoke: web & api", "Nightly web 2026-11-20"]
    names += HOSTILE_NAMES if hostile else ["test_login_ok nightly", "Payments", "Explorativ, Größe L"]
    return [
        replace(
            RELEASE if number % 2 else NIGHTLY,
            name=f"{names[number % len(names)]} {version}.{number}",
            tally=Tally(passed=70 + number + version, failed=number % 4, untested=number % 3),
        )
        for number in range(1, ROWS + 1)
    ]


def _rendered(looks: tuple[RunLook, ...]) -> Message:
    from bot.presenters import engine

    return engine.render(
        "runs", rows=looks, first=1, end=ROWS, total=ROWS, counted=f"{ROWS} runs", paged=False, unread=0, words=WORDS,
        notes=(), troubles=(), where=WHERE, gaps="", stale=None, buttons=(),
    )  # fmt: skip


def _parts(message: Message) -> tuple[Message, ...]:
    return (message, *message.more)


def _json(message: Message) -> str:
    return "".join([json.dumps({"text": part.text, "blocks": part.blocks}) for part in _parts(message)])


# The yardstick: code that builds these very blocks as somebody would write it down, made from the message itself.

_BETWEEN = re.compile(r"(  | · |\n)")


def _plain_code(message: Message) -> Callable[[], str]:
    """Builds fallback and blocks of texts that were escaped before, and says them as JSON."""
    parts = _parts(message)
    blocks = [block for part in parts for block in part.blocks]
    writers: dict[str, Callable[[Sequence[str]], Any]] = {}
    ready: list[tuple[Callable[[Sequence[str]], Any], list[str]]] = []
    for block in blocks:
        texts: list[str] = []
        source = f"lambda t: {_literal(block, texts)}"
        writer = writers.setdefault(source, eval(source))  # our own words, and the separators of the template
        ready.append((writer, texts))
    sentences = message.text.split(". ")

    def plain() -> list[Any]:
        return [writer(texts) for writer, texts in ready]

    if plain() != blocks:
        raise AssertionError("the plain dicts are not the same message")
    return lambda: json.dumps({"text": ". ".join(sentences), "blocks": plain()})


def _literal(value: Any, texts: list[str]) -> str:
    """A block as a dict display in Python, each of its longer texts put together from its parts."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name!r}: {_literal(each, texts)}" for name, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_literal(each, texts) for each in value) + "]"
    if not isinstance(value, str) or value.replace("_", "").isalpha():
        return repr(value)
    holes = []
    for piece in _BETWEEN.split(value):
        if _BETWEEN.fullmatch(piece):
            holes.append(piece.replace("\n", "\\n"))
        else:
            texts.append(piece)
            holes.append(f"{{t[{len(texts) - 1}]}}")
    return 'f"' + "".join(holes) + '"'


if __name__ == "__main__":
    tell(probe(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
