"""The acts that are killed: how each is asked for, what the systems show of it, what people read of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from aiohttp import web

from bot.sandbox.server import SampleServer
from bot.sandbox.slack import Message, View
from tests.killing.scenes import PATIENT_S, Scene

NIGHT = "Night 7"
NOTE = "The shop was slow"
TICKET = "https://tickets.acme.example/SHOP-7"


@dataclass(frozen=True)
class Held:
    """A call that is not answered: it is `there`, and gets its answer when it is `over`."""

    there: asyncio.Event = field(default_factory=asyncio.Event)
    over: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(frozen=True)
class Act:
    """One act. `call` fits the call that makes it; `shown` is how often the system shows that it was made.

    `done` and `undone` are how what people read about it begins. `calls` are the calls it takes at most.
    """

    command: str
    system: str
    call: str
    done: str
    undone: str
    shown: Callable[[Scene], int]
    calls: int = 1
    typed: str = ""

    @property
    def ends(self) -> bool:
        return self.command.startswith(("close", "complete"))

    async def press(self, scene: Scene, preview: Message) -> None:
        """Do as the preview offers, on a screen that may not have caught up; returns once Slack has delivered it.

        What has to be typed is typed if it is asked for, which it is not once there is nothing left to do.
        """
        if not self.typed:
            await scene.slack.click("ana", preview, "act:go", stale=True)
            return
        before = len(scene.slack.said())

        def form() -> View | None:
            view = scene.slack.view("ana")
            return view if view and view.content.get("submit") else None

        await scene.slack.click("ana", preview, "act:confirm", stale=True)
        await scene.slack.until(lambda: form() or len(scene.slack.said()) > before, timeout_s=PATIENT_S)
        if view := form():
            await scene.slack.submit(view, {"field:name": self.typed})

    def hold(self, scene: Scene, *, after: bool) -> Held:
        """Let the system not answer the call (`after`: having done it)."""
        server: SampleServer = getattr(scene, self.system)
        held, fault = Held(), server.faults.hang(self.call, times=1, after=after)

        async def spoil(_request: web.Request, answer: web.StreamResponse | None) -> web.StreamResponse:
            held.there.set()
            await held.over.wait()
            return answer or web.Response(status=500)

        fault.spoil = spoil
        return held


def _testrail(run_id: int) -> Callable[[Scene], int]:
    return lambda scene: int(scene.testrail.run(run_id).completed_on is not None)


def _appended(scene: Scene) -> int:
    return str(scene.testmo.store.automation_runs[415].fields).count(NOTE)


def _threads(scene: Scene) -> int:
    return sum(
        test.name == "Log in and out"
        for thread in scene.testmo.store.automation_runs[415].threads
        for test in thread.tests
    )


def _reported(scene: Scene) -> int:
    return sum(run.instance_id == 98144 and run.version == "7.7" for run in scene.practitest.account.runs.values())


ACTS = {
    "close a TestRail run": Act(
        "close testrail:R118", "testrail", "POST .*close_run", "Closed", "Not closed", _testrail(118)
    ),
    "close a TestRail plan": Act(
        "close P9", "testrail", "POST .*close_plan", "Closed", "Not closed",
        lambda scene: int(scene.testrail.plan(9).completed_on is not None),
    ),
    "close a Testmo run": Act(
        "close testmo:R118", "testmo", "PATCH .*/runs/118", "Closed", "Not closed",
        lambda scene: int(scene.testmo.store.manual_runs[118].closed_at is not None),
    ),
    "complete an automation run": Act(
        "complete A415", "testmo", "POST .*/runs/415/complete", "Completed", "Not completed",
        lambda scene: int(scene.testmo.store.automation_runs[415].completed_at is not None),
    ),
    "complete a thread": Act(
        "complete A415/1", "testmo", "POST .*/threads/.*/complete", "Completed", "Not completed",
        lambda scene: int(scene.testmo.store.automation_runs[415].threads[0].completed_at is not None),
    ),
    "mark a test set": Act(
        "close S55", "practitest", "PUT .*/sets/55", "Marked", "Not marked",
        lambda scene: int("Done" in scene.practitest.account.sets[55].custom_fields.values()),
    ),
    "start a Testmo run": Act(
        f'start "{NIGHT}" --in testmo --source nightly', "testmo", "POST .*/automation/runs", "Started", "Not started",
        lambda scene: sum(run.name == NIGHT for run in scene.testmo.store.automation_runs.values()),
    ),
    "start a TestRail run": Act(
        f'start "{NIGHT}" --in testrail --suite 4', "testrail", "POST .*add_run", "Started", "Not started",
        lambda scene: sum(run.name == NIGHT for run in scene.testrail.store.runs.values()),
    ),
    "edit a TestRail run": Act(
        f'edit testrail:R118 --name "{NIGHT}"', "testrail", "POST .*update_run", "Changed", "Not changed",
        lambda scene: int(scene.testrail.run(118).name == NIGHT),
    ),
    "note on a TestRail run": Act(
        f"note testrail:R118 {NOTE}", "testrail", "POST .*update_run", "Note added to", "No note was added to",
        lambda scene: (scene.testrail.run(118).description or "").count(NOTE),
    ),
    "note on an automation run": Act(
        f"note A415 {NOTE}", "testmo", "POST .*/415/append", "Note added to", "No note was added to", _appended
    ),
    "link on an automation run": Act(
        f"link A415 {TICKET}", "testmo", "POST .*/415/append", "Link added to", "No link was added to",
        lambda scene: sum(link["url"] == TICKET for link in scene.testmo.store.automation_runs[415].links),
    ),
    "report to PractiTest": Act(
        "report S55/98144 failed --version 7.7", "practitest", "POST .*/runs", "Result reported in",
        "No result was reported in", _reported,
    ),
    "report to Testmo": Act(
        'report A415 passed --test "Log in and out"', "testmo", "POST .*/threads", "Result reported in",
        "No result was reported in", _threads, calls=3,
    ),
    "delete a TestRail run": Act(
        "delete testrail:R118", "testrail", "POST .*delete_run/118$", "Deleted", "Not deleted",
        lambda scene: int(118 not in scene.testrail.store.runs), typed="Release 5.2 regression",
    ),
}  # fmt: skip
