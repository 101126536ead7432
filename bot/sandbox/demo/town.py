"""Everything the real bot needs to believe it is at work: three sample systems and a Slack workspace, on loopback."""

from __future__ import annotations

import tempfile
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from datetime import datetime
from pathlib import Path
from typing import Any

from bot.sandbox.practitest import PractiTest
from bot.sandbox.server import Clock, SampleServer, running
from bot.sandbox.slack import CannotDo, Message, Workspace
from bot.sandbox.slack.company import SHORTCUTS
from bot.sandbox.testmo import Testmo
from bot.sandbox.testrail import TestRail

SLOW_S = 2.5  # longer than the bot waits before it says that a system is slow


async def _nothing() -> None:
    """Nobody wants to know."""


class Town:
    """The sample systems and the workspace, listening while the block lasts.

    async with Town() as town:
        settings = read_settings(town.environment())
        …

    With `http` Slack delivers by signed HTTP once `connect_http` told it the port, else over Socket Mode. With a
    `manifest` the app is installed with what that asks for, no scope more; `mode` is what the bot is let do.
    """

    def __init__(
        self,
        *,
        http: bool = False,
        clock: Clock | None = None,
        manifest: Mapping[str, Any] | None = None,
        mode: str = "write",
    ) -> None:
        self.clock = clock or Clock()
        self.http = http
        self._mode = mode
        self.testmo = Testmo(self.clock)
        self.testrail = TestRail(self.clock)
        self.practitest = PractiTest(self.clock)
        self.slack = Workspace(self.clock, shortcuts=SHORTCUTS)
        if manifest is not None:
            self.slack.install(manifest)
        self.systems: dict[str, SampleServer] = {
            server.name: server for server in (self.testmo, self.testrail, self.practitest)
        }
        self._open = AsyncExitStack()
        self._database = ""
        self._listener: Callable[[str, Message], None] | None = None
        self.on_move: Callable[[], Awaitable[None]] = _nothing

    async def __aenter__(self) -> Town:
        async with AsyncExitStack() as opening:
            folder = opening.enter_context(
                tempfile.TemporaryDirectory(prefix="rundown-demo-", ignore_cleanup_errors=True)
            )
            self._database = str(Path(folder) / "rundown.db")
            await opening.enter_async_context(running(*self.systems.values()))
            await opening.enter_async_context(self.slack)
            self.slack.on_message(self._tell)
            self._open = opening.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._open.aclose()

    def environment(self) -> dict[str, str]:
        """The variables with which the bot runs here; of the machine's own only the mode may be among them."""
        door = (
            {"SLACK_SIGNING_SECRET": self.slack.signing_secret}
            if self.http
            else {"SLACK_APP_TOKEN": self.slack.app_token}
        )
        return {
            "SLACK_BOT_TOKEN": self.slack.bot_token,
            **door,
            "SLACK_API_URL": self.slack.api_url,
            "TESTMO_URL": self.testmo.url,
            "TESTMO_TOKEN": self.testmo.token,
            "TESTMO_PROJECT": "1",
            "TESTRAIL_URL": self.testrail.web_url,
            "TESTRAIL_USER": "bot@acme.example",
            "TESTRAIL_KEY": "testrail-demo-key",
            "TESTRAIL_PROJECT": "1",
            "PRACTITEST_URL": f"{self.practitest.url}/api/v2",
            "PRACTITEST_TOKEN": self.practitest.token,
            "PRACTITEST_PROJECT": "4566",
            "PRACTITEST_WEB_URL": self.practitest.url,
            "RUNDOWN_DB": self._database,
            "RUNDOWN_MODE": self._mode,
            "RUNDOWN_LOG": "console",
            "PORT": "0",
        }

    async def connect_http(self, port: int) -> None:
        """Let Slack deliver to the bot that listens on this port. Raises CannotDo when it fails Slack's challenge."""
        await self.slack.connect_http(f"http://127.0.0.1:{port}/slack/events")

    def watch(self, listener: Callable[[str, Message], None] | None) -> None:
        """Tell this one (and no other any more) of every message that is posted, edited or deleted."""
        self._listener = listener

    def _tell(self, how: str, message: Message) -> None:
        if self._listener is not None:
            self._listener(how, message)

    # -- time --------------------------------------------------------------------------------------------------------

    async def move(self, moment: datetime) -> None:
        """It is this moment now, for everybody here: the systems lived on, and the bot does what has become due."""
        for server in self.systems.values():
            server.live_until(moment)
        self.clock.move_to(moment)
        await self.on_move()

    # -- trouble -----------------------------------------------------------------------------------------------------

    def fail(self, system: str) -> None:
        """This system answers everything with a maintenance page. Raises CannotDo for one that is not here."""
        self._system(system).faults.html(".", status=503)

    def slow(self, system: str) -> None:
        """Every answer of this system comes late. Raises CannotDo."""
        self._system(system).faults.delay(".", SLOW_S)

    def heal(self, system: str = "") -> None:
        """This system, or all of them, work again. Raises CannotDo."""
        for server in [self._system(system)] if system else self.systems.values():
            server.faults.clear()

    def _system(self, name: str) -> SampleServer:
        """The server, its script of faults empty."""
        if name not in self.systems:
            raise CannotDo(f"there is no system {name}; there are {', '.join(self.systems)}")
        server = self.systems[name]
        server.faults.clear()
        return server
