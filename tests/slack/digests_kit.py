"""The whole bot at work on digests: a town whose nights go by, and what its channels read in the morning."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from bot.app import Rundown
from bot.sandbox.practitest import PractiTest
from bot.sandbox.server import Clock, running
from bot.sandbox.slack import Message, View, Workspace
from bot.sandbox.testmo import Testmo
from bot.sandbox.testrail import TestRail
from tests.slack.changes_kit import Office, rundown
from tests.slack.front_door_kit import environment

#: The sample systems take as many calls as come, so that days may go by in seconds.
FAST = {f"{system}_PER_MINUTE": "100000" for system in ("TESTMO", "TESTRAIL", "PRACTITEST")}
#: A Thursday. The first night of the sample systems is a bad one, then a mixed and a quiet one.
NOON = datetime(2026, 11, 19, 12, 0, tzinfo=UTC)


@dataclass(slots=True)
class Process:
    """The bot that is at work, None while nobody is."""

    bot: Rundown | None = None
    stack: AsyncExitStack | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Newsroom(Office):
    """An office in which time passes. `process` is the bot that runs now."""

    process: Process

    async def goes_by(self, moment: str) -> None:
        """It is this moment in UTC now (`2026-11-20T08:30`): the systems lived on, the bot does what is due."""
        at = datetime.fromisoformat(moment).replace(tzinfo=UTC)
        for server in self.systems:
            server.live_until(at)
        self.clock.move_to(at)
        if self.process.bot is not None:
            await self.process.bot.catch_up()

    async def works(self) -> None:
        """A bot begins to work on the same database, and does what is due."""
        stack = AsyncExitStack()
        self.process.stack = stack
        self.process.bot = await stack.enter_async_context(rundown(self.environment, self.clock))
        await self.slack.connected()
        await self.process.bot.catch_up()

    async def rests(self) -> None:
        """The bot is stopped."""
        stack, self.process.bot, self.process.stack = self.process.stack, None, None
        if stack is not None:
            await stack.aclose()

    async def said(self, text: str, where: str = "#release", *, who: str = "ana") -> Message:
        """A slash command (or `@rundown …`, `dm:…`); its answer, whoever may see it."""
        before = {message.key for message in self.slack.said()}
        if text.startswith("@rundown"):
            await self.slack.mention(who, where, text.removeprefix("@rundown").strip())
        elif text.startswith("dm:"):
            await self.slack.dm(who, text.removeprefix("dm:"))
        else:
            await self.slack.command(who, where, "/runs", text)
        return await self.new_since(before)

    async def new_since(self, before: set[tuple[str, str]]) -> Message:
        """The first answer that was not there before."""

        def fresh() -> list[Message]:
            said = [message for message in self.slack.said() if message.key not in before and not message.metadata]
            return [message for message in said if "ooking" not in message.text and not message.deleted]

        await self.slack.until(lambda: bool(fresh()), timeout_s=20)
        await self.idle()  # what continues it has come, too
        return fresh()[0]

    async def asked(self, text: str, where: str = "#release", *, who: str = "ana") -> str:
        """The same, as all words of the answer."""
        return self.words(await self.said(text, where, who=who))

    async def idle(self) -> None:
        """Wait until the bot has nothing in hand."""
        await self.slack.until(lambda: self.process.bot is None or not len(self.process.bot.tasks), timeout_s=26)

    def posted(self, where: str = "#release") -> list[str]:
        """What came unasked, each first message with all its words."""
        return [self.words(message) for message in self.unasked(where)]

    def unasked(self, where: str = "#release") -> list[Message]:
        """The first messages of digests. What posts them marks them with its key."""
        return [message for message in self.slack.said(where) if message.metadata and not message.thread_ts]

    def below(self, message: Message) -> str:
        """All words of its thread."""
        channel = message.channel
        return "\n".join(
            self.words(each)
            for each in self.slack.said()
            if each.channel == channel and each.thread_ts == message.ts and not each.deleted
        )

    async def dialog(self, *words: str, who: str = "ana") -> View:
        """The dialog in front of somebody, once it asks for a digest and says these words."""

        def fits() -> bool:
            views = self.slack.views(who)[-1:]
            return any(
                view.callback_id == "digest" and all(word in str(view.blocks) for word in words) for view in views
            )

        await self.slack.until(fits, timeout_s=12)
        return self.slack.views(who)[-1]

    def fields(self, view: View) -> dict[str, object]:
        """What a dialog begins with, by field."""
        told: dict[str, object] = {}
        for control in self.slack.controls(view):
            element = control.element
            several = [option["value"] for option in element.get("initial_options", ())]
            one = element.get("initial_value") or (element.get("initial_option") or {}).get("value") or ""
            told[control.block_id] = several or one
        return told


@asynccontextmanager
async def newsroom(
    start: datetime = NOON, settings: Mapping[str, str] | None = None, *, refusals: tuple[str, ...] = ()
) -> AsyncIterator[Newsroom]:
    """Everything, started at that moment. `refusals` are what Slack may answer with in the end."""
    clock = Clock()
    clock.move_to(start)
    testmo, testrail, practitest = Testmo(clock), TestRail(clock), PractiTest(clock)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(running(testmo, testrail, practitest))
        slack = await stack.enter_async_context(Workspace(clock, messages_per_second=None))
        env = environment(slack, testmo, testrail, practitest)
        env |= {"SLACK_APP_TOKEN": slack.app_token} | FAST | dict(settings or {})
        process = Process()
        bot = Rundown.__new__(Rundown)  # the one at work is in `process`
        here = Newsroom(slack, testmo, testrail, practitest, bot, env, clock, process=process)
        stack.push_async_callback(here.rests)
        await here.works()
        yield here
        assert [refusal for refusal in slack.errors if refusal.error not in refusals] == [], "Slack refused something"
