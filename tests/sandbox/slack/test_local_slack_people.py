"""What people's own clients do: typed words, what each sees, who is where."""

from __future__ import annotations

import pytest

from bot.sandbox.server import Clock
from bot.sandbox.slack import CannotDo, Person, Workspace
from bot.sandbox.slack.composer import command_text, elements, message_text
from bot.sandbox.world import ANA, COLLEAGUES, MAX, OLGA, TOM
from tests.sandbox.slack.local_slack_kit import client, section


@pytest.mark.parametrize(
    ("typed", "as_command", "as_message"),
    [
        ("show R118", "show R118", "show R118"),
        ("a < b & c > d", "a &lt; b &amp; c &gt; d", "a &lt; b &amp; c &gt; d"),
        ("by @ana", "by <@U0ANA00001|ana>", "by <@U0ANA00001>"),
        ("@nobody", "@nobody", "@nobody"),
        ("in #release", "in <#C0RELEASE1|release>", "in <#C0RELEASE1|>"),
        ("@qa-leads", "<!subteam^S0QALEADS1|@qa-leads>", "<!subteam^S0QALEADS1>"),
        ("@here", "<!here>", "<!here>"),
        ("https://x.example/?a=1&b=2.", "<https://x.example/?a=1&amp;b=2>.", "<https://x.example/?a=1&amp;b=2>."),
        ("x.example/a", "<http://x.example/a|x.example/a>", "<http://x.example/a|x.example/a>"),
        (
            "ana@acme.example",
            "<mailto:ana@acme.example|ana@acme.example>",
            "<mailto:ana@acme.example|ana@acme.example>",
        ),
        ("testrail:R118 --since 7d", "testrail:R118 --since 7d", "testrail:R118 --since 7d"),
        ("<!channel>", "&lt;!channel&gt;", "&lt;!channel&gt;"),
    ],
)
def test_typed_words_become_what_slack_sends(typed: str, as_command: str, as_message: str) -> None:
    state = Workspace().state
    assert command_text(state, typed) == as_command
    assert message_text(elements(state, typed)) == as_message


async def test_without_escaping_a_command_is_raw() -> None:
    async with Workspace(should_escape=False) as ws:
        assert (await ws.command(ANA, "#release", "/runs", "by @ana & co")).payload["text"] == "by @ana & co"


async def test_each_person_sees_their_own_channels() -> None:
    async with Workspace() as ws, client(ws) as slack:
        await slack.chat_postMessage(channel="#release", text="a", blocks=[section("*a* for <@U0TOM00002>")])
        assert [ws.words(message) for message in ws.seen_by(MAX, "#release")] == ["a for @tom"]
        with pytest.raises(CannotDo):
            ws.seen_by(OLGA, "#payments-private")
        with pytest.raises(CannotDo):
            await ws.command(OLGA, "#release", "/runs")
        with pytest.raises(CannotDo):
            await ws.say(TOM, "#nowhere", "hello")


async def test_the_office_changes() -> None:
    async with Workspace() as ws, client(ws) as slack:
        ws.add_person(Person("U0NEW00009", "new", "New One", "new@acme.example", ws.team_id), "#release")
        ws.change_person("new", is_admin=True)
        assert (await slack.users_info(user="U0NEW00009"))["user"]["is_admin"]
        channel = ws.add_channel("qa", [ANA, "new"], private=True)
        ws.rename(channel, "quality")
        assert (await slack.conversations_info(channel=channel.id))["channel"]["name"] == "quality"
        await ws.invite(ANA, channel, guest=TOM)
        assert channel.members == [ANA.slack, "U0NEW00009", ws.bot_user_id, TOM.slack]


def test_everybody_of_the_company_is_here() -> None:
    ws = Workspace(Clock())
    assert [ws.person(one).email for one in COLLEAGUES] == [one.email for one in COLLEAGUES]
    assert ws.person("@ana") == ws.person(ANA) == ws.person(ANA.slack)


async def test_waiting_hands_each_message_out_once_and_gives_up() -> None:
    async with Workspace() as ws, client(ws) as slack:
        await slack.chat_postMessage(channel="#release", text="a")
        await slack.chat_postMessage(channel="#release", text="b")
        assert (await ws.next_message(lambda message: message.text == "b")).text == "b"
        assert (await ws.next_message()).text == "a"
        with pytest.raises(TimeoutError):
            await ws.next_message(timeout_s=0.05)


async def test_screens_are_told_of_every_message() -> None:
    async with Workspace() as ws, client(ws) as slack:
        told: list[tuple[str, str]] = []
        ws.on_message(lambda how, message: told.append((how, message.text)))
        ts = (await slack.chat_postMessage(channel="#release", text="a"))["ts"]
        await slack.chat_update(channel="C0RELEASE1", ts=ts, text="b")
        await slack.chat_delete(channel="C0RELEASE1", ts=ts)
        assert told == [("posted", "a"), ("edited", "b"), ("deleted", "b")]
