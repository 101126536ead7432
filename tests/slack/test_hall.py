"""What comes in while the rooms behind the doors are still being furnished."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from bot.domain.errors import AskError, RundownError
from bot.postman import ReturnPath
from bot.slack.doors import Hall
from bot.slack.questions import Question
from bot.slack.tasks import Tasks

BACK = ReturnPath(team="T1", channel="C1", user="U1")


class Told:
    """Rooms that write down what comes in."""

    def __init__(self) -> None:
        self.heard: list[object] = []

    def take(self, question: Question) -> None:
        self.heard.append(question.text)

    def tell(self, back: ReturnPath, error: RundownError, *, key: str) -> None:
        self.heard.append((error.what, key))

    def press(self, action: Mapping[str, Any], back: ReturnPath, key: str, trigger: str) -> None:
        self.heard.append((action["action_id"], key, trigger))

    def sent(self, body: Mapping[str, Any]) -> dict[str, Any]:
        self.heard.append(body["view"])
        return {"response_action": "clear"}

    def on_shortcut(self, name: str, body: Mapping[str, Any], back: ReturnPath) -> None:
        self.heard.append((name, body))


def everything_into(hall: Hall) -> list[object]:
    """One of each; what the rooms are to hear of it."""
    hall.take(Question(text="list", back=BACK))
    hall.tell(BACK, AskError("No."), key="k1")
    hall.press({"action_id": "ask:more"}, BACK, "k2", "t1")
    hall.on_shortcut("note", {"message": {}}, BACK)
    return ["list", ("No.", "k1"), ("ask:more", "k2", "t1"), ("note", {"message": {}})]


async def test_what_came_too_early_is_handed_over_in_its_order_once_somebody_is_there() -> None:
    tasks, rooms = Tasks(), Told()
    hall = Hall(tasks)
    expected = everything_into(hall)
    dialog = asyncio.create_task(hall.sent({"view": "v1"}))
    assert len(tasks) == len(expected)
    assert rooms.heard == []
    hall.open(rooms)
    assert await dialog == {"response_action": "clear"}
    await tasks.drain(5)
    assert rooms.heard[:-1] == expected or rooms.heard[1:] == expected, "the dialog may come first or last"
    assert "v1" in rooms.heard


async def test_once_it_is_open_nothing_waits() -> None:
    tasks, rooms = Tasks(), Told()
    hall = Hall(tasks)
    hall.open(rooms)
    assert everything_into(hall) == rooms.heard
    assert len(tasks) == 0
    assert await hall.sent({"view": "v2"}) == {"response_action": "clear"}


async def test_a_dialog_that_is_given_up_spoils_nothing_for_the_others() -> None:
    tasks, rooms = Tasks(), Told()
    hall = Hall(tasks)
    given_up = asyncio.create_task(hall.sent({"view": "v3"}))
    await asyncio.sleep(0)
    given_up.cancel()
    await asyncio.gather(given_up, return_exceptions=True)
    hall.open(rooms)
    assert await hall.sent({"view": "v4"}) == {"response_action": "clear"}
    assert rooms.heard == ["v4"]
