"""What a message of 50 blocks costs, in multiples of plain dicts and `json.dumps`.

`python -m tests.presenters.speed` prints it, and exits with 1 when it is over the goal.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import replace

from bot.presenters import engine
from bot.presenters.look import RunLook, look
from tests.presenters.samples import RELEASE

NAMES = ("Release 5.2 regression", "test_login_ok nightly", "Smoke: web & api", "Nightly web 2026-11-20")
ROWS = tuple(look(replace(RELEASE, name=f"{NAMES[n % 4]} {n}"), number=n) for n in range(1, 49))
GOAL = 3.0


def with_engine() -> engine.Message:
    return engine.render(
        "runs", rows=ROWS, first=1, end=48, total=48, counted="48 runs", paged=False, unread=0,
        words="open runs of Webshop", notes=(), troubles=(), where="TestRail › Webshop", gaps="", stale=None,
        buttons=(),
    )  # fmt: skip


def with_dicts() -> str:
    told = {"type": "mrkdwn", "verbatim": True, "text": "*48 runs* · open runs of Webshop"}
    where = {"type": "mrkdwn", "verbatim": True, "text": "TestRail › Webshop"}
    blocks = [{"type": "section", "text": told}, *map(_row, ROWS), {"type": "context", "elements": [where]}]
    names = "".join(f" {row.short} “{row.name}” {row.sentence}." for row in ROWS)
    return json.dumps({"text": f"48 runs found (open runs of Webshop).{names}", "blocks": blocks})


def _row(row: RunLook) -> dict[str, object]:
    first = f"{row.icon} *{row.word}*  {row.link.text}  {row.ref.text}  #{row.number}"
    second = f"{row.bar}  {row.tally} · {row.created.text} · {row.by}"
    return {
        "type": "section",
        "text": {"type": "mrkdwn", "verbatim": True, "text": f"{first}\n{second}"},
        "accessory": {
            "type": "button",
            "action_id": "ask:show",
            "text": {"type": "plain_text", "emoji": False, "text": "Show"},
            "value": row.command,
        },
    }


def micros(work: Callable[[], object], times: int = 200) -> float:
    begun = time.perf_counter()
    for _ in range(times):
        work()
    return (time.perf_counter() - begun) / times * 1e6


def main() -> int:
    message = with_engine()
    blocks = len(message.blocks) + sum(len(more.blocks) for more in message.more)
    pairs = [(micros(with_engine), micros(with_dicts)) for _ in range(15)]
    ratio = statistics.median(ours / plain for ours, plain in pairs)
    ours, plain = (statistics.median(times) for times in zip(*pairs, strict=True))
    sys.stdout.write(f"{blocks} blocks: engine {ours:.0f} us, dicts {plain:.0f} us, {ratio:.2f} times (goal {GOAL})\n")
    return ratio > GOAL


if __name__ == "__main__":
    sys.exit(main())
