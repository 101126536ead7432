"""The messages as they were last looked at.

`python -m tests.presenters.snapshots` writes them anew; the difference is then reviewed like prose.
"""

from __future__ import annotations

import json
from pathlib import Path

from bot.presenters.message import Message, View
from tests.presenters.readable import read, read_view
from tests.presenters.samples import SAMPLES, VIEWS

FOLDER = Path(__file__).parents[1] / "snapshots" / "messages"


def readable(message: Message) -> str:
    return read(message) + "\n"


def payload(message: Message) -> str:
    told = [{"text": one.text, "blocks": one.blocks} for one in (message, *message.more)]
    return json.dumps(told, ensure_ascii=False, indent=1) + "\n"


def view_readable(view: View) -> str:
    return read_view(view) + "\n"


def view_payload(view: View) -> str:
    return json.dumps(view.as_dict("form", "{}"), ensure_ascii=False, indent=1) + "\n"


def write() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    for old in FOLDER.iterdir():
        old.unlink()
    for kind, make in SAMPLES.items():
        message = make()
        (FOLDER / f"{kind}.txt").write_text(readable(message), encoding="utf-8")
        (FOLDER / f"{kind}.json").write_text(payload(message), encoding="utf-8")
    for kind, draw in VIEWS.items():
        view = draw()
        (FOLDER / f"{kind}.txt").write_text(view_readable(view), encoding="utf-8")
        (FOLDER / f"{kind}.json").write_text(view_payload(view), encoding="utf-8")


if __name__ == "__main__":
    write()
