"""The whole bot at work on changes: what it sends to the systems, what people see of it. For the tests of changes."""

from __future__ import annotations

import itertools
import json
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from bot.app import Rundown
from bot.config import read_settings
from bot.sandbox.practitest import PractiTest
from bot.sandbox.server import Call, Clock, SampleServer, running
from bot.sandbox.slack import Message, Workspace
from bot.sandbox.testmo import Testmo
from bot.sandbox.testrail import TestRail
from tests.slack.front_door_kit import Town, Transport, environment

#: Options of the connections without which some things can't be closed.
CLOSING = {"TESTMO_CLOSE_MANUAL_RUNS": "true", "PRACTITEST_MARK_FIELD": "45911", "PRACTITEST_MARK_VALUE": "Done"}

#: Method, path, and the JSON that was sent.
Wrote = tuple[str, str, Any]


@dataclass(frozen=True, slots=True)
class Office(Town):
    """A town whose people change things. `clock` is the bot's, too."""

    clock: Clock
    _numbers: Iterable[int] = field(default_factory=itertools.count)

    def room(self, *people: str, name: str = "") -> str:
        """A new channel of these people (else the staff). One takes a message a second, so each change has its own."""
        name = name or f"room-{next(iter(self._numbers))}"
        self.slack.add_channel(name, people or ("ana", "tom", "lea", "max", "gus"))
        return f"#{name}"

    def wrote(self, *servers: SampleServer) -> list[Wrote]:
        """Every call that changes something, in order: method, path, body."""
        return [_wrote(call) for server in servers or self.systems for call in server.journal if _changes(call)]

    @property
    def systems(self) -> tuple[SampleServer, ...]:
        return (self.testmo, self.testrail, self.practitest)

    def forget(self) -> None:
        """From here on the servers' journals begin anew."""
        for server in self.systems:
            server.journal.clear()

    async def preview(self, text: str, where: str, *, who: str = "ana") -> Message:
        """Ask for a change by slash command; what only the asker sees."""
        delivery = await self.slack.command(who, where, "/runs", text)
        assert delivery.acked, delivery
        return await self.told(who, where)

    async def told(self, who: str, where: str, *words: str) -> Message:
        """The next message that this person alone sees there; with these words if some are given."""
        return await self._next(self.slack.person(who).id, where, words)

    async def public(self, where: str, *words: str, timeout_s: float = 10) -> Message:
        """The next message that everybody sees there; with these words if some are given."""
        return await self._next("", where, words, timeout_s)

    async def _next(self, only_for: str, where: str, wanted: tuple[str, ...], timeout_s: float = 10) -> Message:
        channel = self.slack.channel(where).id

        def fits(message: Message) -> bool:
            if message.channel != channel or message.only_for != only_for or "ooking" in message.text:
                return False
            return all(word in self.words(message) for word in wanted)

        try:
            return await self.slack.next_message(fits, timeout_s)
        except TimeoutError:
            said = [self.words(message) for message in self.slack.said(where)]
            raise AssertionError(f"nothing new says {wanted} there; there is {said}") from None

    async def becomes(self, message: Message, *wanted: str, timeout_s: float = 8) -> str:
        """Wait until a message says this; all its words then."""
        try:
            await self.slack.until(lambda: all(word in self.words(message) for word in wanted), timeout_s=timeout_s)
        except TimeoutError:
            raise AssertionError(f"{wanted} is not in: {self.words(message)}") from None
        return self.words(message)

    async def gone(self, message: Message) -> None:
        """Wait until a message is not there any more."""
        await self.slack.until(lambda: self.slack.now(message).deleted)

    async def idle(self) -> None:
        """Wait until the bot has nothing in hand."""
        await self.slack.until(lambda: not len(self.bot.tasks), timeout_s=26)

    def labels(self, message: Message) -> list[str]:
        """What is written on a message's buttons."""
        return [one.words for one in self.slack.buttons(message)]

    def pass_time(self, **span: float) -> None:
        """Let this much time pass at once."""
        self.clock.move_to(self.clock.now() + timedelta(**span))


def _changes(call: Call) -> bool:
    """OPTIONS only asks what there is, and `soft=1` what would be lost."""
    return call.method not in ("GET", "OPTIONS") and "soft=1" not in call.target


def _wrote(call: Call) -> Wrote:
    path = call.target.replace("/index.php?/api/v2", "").replace("/api/v1", "").replace("/api/v2", "")
    return call.method, path, json.loads(call.body) if call.body else None


@asynccontextmanager
async def office(
    transport: Transport = "socket", settings: Mapping[str, str] | None = None, *, pace: float | None = 1.0
) -> AsyncIterator[Office]:
    """Everything, started; the bot tells the time by the town's clock."""
    clock = Clock()
    testmo, testrail, practitest = Testmo(clock, close_runs=True), TestRail(clock), PractiTest(clock)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(running(testmo, testrail, practitest))
        slack = await stack.enter_async_context(Workspace(clock, messages_per_second=pace))
        env = environment(slack, testmo, testrail, practitest) | CLOSING
        env |= (
            {"SLACK_APP_TOKEN": slack.app_token}
            if transport == "socket"
            else {"SLACK_SIGNING_SECRET": slack.signing_secret}
        )
        env |= dict(settings or {})
        bot = await stack.enter_async_context(rundown(env, clock))
        if transport == "http":
            assert bot.web is not None
            await slack.connect_http(f"http://127.0.0.1:{bot.web.port}/slack/events")
        else:
            await slack.connected()
        yield Office(slack, testmo, testrail, practitest, bot, env, clock)
        assert slack.errors == [], "Slack refused something the bot said"


@asynccontextmanager
async def rundown(env: Mapping[str, str], clock: Clock) -> AsyncIterator[Rundown]:
    """The bot, started and in the end stopped."""
    bot = Rundown(read_settings(env), now=clock.now, host="127.0.0.1")
    try:
        await bot.start()
        yield bot
    finally:
        await bot.stop()
