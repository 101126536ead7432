"""The whole bot between the sandbox's servers, over real sockets, for the tests of the front door."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Literal

from bot.app import Rundown
from bot.config import read_settings
from bot.sandbox.practitest import PractiTest
from bot.sandbox.server import Clock, running
from bot.sandbox.slack import Message, Workspace
from bot.sandbox.testmo import Testmo
from bot.sandbox.testrail import TestRail

Transport = Literal["socket", "http"]


@dataclass(frozen=True, slots=True)
class Town:
    """Slack, the three systems and the bot between them."""

    slack: Workspace
    testmo: Testmo
    testrail: TestRail
    practitest: PractiTest
    bot: Rundown
    environment: dict[str, str]

    async def ask(self, text: str, *, who: str = "ana", where: str = "#release") -> Message:
        """Type a slash command, an `@rundown …` mention, or (where is a person) a direct message; the final answer."""
        if text.startswith("@rundown"):
            await self.slack.mention(who, where, text.removeprefix("@rundown").strip())
        elif text.startswith("dm:"):
            await self.slack.dm(who, text.removeprefix("dm:"))
        else:
            delivery = await self.slack.command(who, where, "/runs", text)
            assert delivery.acked, delivery
        place = self.slack.direct(who).id if text.startswith("dm:") or not where.startswith("#") else ""
        return await self.slack.next_message(lambda message: _answers(message, place), timeout_s=26)

    async def answer(self) -> Message:
        return await self.slack.next_message(lambda message: "Looking" not in message.text, timeout_s=26)

    def words(self, message: Message) -> str:
        return self.slack.words(message)


def _answers(message: Message, direct: str) -> bool:
    """Whether it answers a question: what others are told directly meanwhile does not."""
    return "Looking" not in message.text and (message.channel == direct if direct else message.channel[:1] != "D")


def environment(slack: Workspace, testmo: Testmo, testrail: TestRail, practitest: PractiTest) -> dict[str, str]:
    return {
        "SLACK_BOT_TOKEN": slack.bot_token,
        "SLACK_API_URL": slack.api_url,
        "TESTMO_URL": testmo.url,
        "TESTMO_TOKEN": "testmo-demo-token",
        "TESTMO_PROJECT": "1",
        "TESTRAIL_URL": testrail.url,
        "TESTRAIL_USER": "bot@acme.example",
        "TESTRAIL_KEY": "testrail-demo-key",
        "TESTRAIL_PROJECT": "1",
        "PRACTITEST_URL": f"{practitest.url}/api/v2",
        "PRACTITEST_TOKEN": "practitest-demo-token",
        "PRACTITEST_PROJECT": "4566",
        "RUNDOWN_DB": ":memory:",
        "PORT": "0",
    }


@asynccontextmanager
async def town(transport: Transport = "socket", **settings: str) -> AsyncIterator[Town]:
    """Everything, started; `settings` are added to the bot's environment."""
    clock = Clock()
    testmo, testrail, practitest = Testmo(clock), TestRail(clock), PractiTest(clock)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(running(testmo, testrail, practitest))
        slack = await stack.enter_async_context(Workspace(clock))
        env = environment(slack, testmo, testrail, practitest)
        if transport == "socket":
            env["SLACK_APP_TOKEN"] = slack.app_token
        else:
            env["SLACK_SIGNING_SECRET"] = slack.signing_secret
        env |= settings
        bot = Rundown(read_settings(env), host="127.0.0.1")
        stack.push_async_callback(bot.stop)
        await bot.start()
        if transport == "http":
            assert bot.web is not None
            await slack.connect_http(f"http://127.0.0.1:{bot.web.port}/slack/events")
        else:
            await slack.connected()
        yield Town(slack, testmo, testrail, practitest, bot, env)
        assert slack.errors == [], "Slack refused something the bot said"
