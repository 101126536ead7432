"""Deliveries over sockets, with real Bolt apps on the other end."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta
from typing import Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError

from bot.sandbox.slack import Workspace
from bot.sandbox.slack.deliveries import Delivery
from bot.sandbox.world import ANA, GUS, OLGA, TOM
from tests.sandbox.slack.local_slack_kit import bolt, client, connected


async def test_a_command_arrives_as_slack_sends_it() -> None:
    got: list[dict[str, Any]] = []
    async with Workspace() as ws:
        app = bolt(ws)

        @app.command("/runs")
        async def runs(ack: Any, body: dict[str, Any]) -> None:
            got.append(body)
            await ack()

        async with connected(ws, app):
            delivery = await ws.command(ANA, "#release", "/runs", "show R118 for @tom in #checkout")
        assert delivery.acked
        assert delivery.user_error == ""
        (body,) = got
        assert body["text"] == "show R118 for <@U0TOM00002|tom> in <#C0CHECKOU2|checkout>"
        assert set(body) == {
            "token", "team_id", "team_domain", "channel_id", "channel_name", "user_id", "user_name", "command",
            "text", "api_app_id", "is_enterprise_install", "response_url", "trigger_id",
        }  # fmt: skip
        assert (body["channel_name"], body["user_name"], body["command"]) == ("release", "ana", "/runs")


@pytest.mark.parametrize(
    ("where", "name"), [("#payments-private", "privategroup"), ("direct", "directmessage"), ("#general", "general")]
)
async def test_a_command_works_where_the_app_is_no_member(where: str, name: str) -> None:
    async with Workspace() as ws:
        app = bolt(ws)

        @app.command("/runs")
        async def runs(ack: Any, respond: Any) -> None:
            await ack()
            await respond("here")

        async with connected(ws, app):
            channel = ws.direct(ANA, TOM) if where == "direct" else ws.channel(where)
            delivery = await ws.command(ANA, channel, "/runs")
            message = await ws.next_message()
        assert delivery.payload["channel_name"] == name
        assert (message.only_for, message.channel) == (ANA.slack, channel.id)


async def test_words_in_the_acknowledgement_are_said() -> None:
    async with Workspace() as ws:
        app = bolt(ws)

        @app.command("/runs")
        async def runs(ack: Any, command: dict[str, Any]) -> None:
            if command["text"]:
                await ack({"text": "to all", "response_type": "in_channel"})
            else:
                await ack("only you")

        async with connected(ws, app):
            await ws.command(ANA, "#release", "/runs")
            await ws.command(ANA, "#release", "/runs", "all")
        assert [(one.text, one.only_for) for one in ws.said()] == [("only you", ANA.slack), ("to all", "")]


@pytest.mark.parametrize(
    ("who", "name", "thread_ts", "error"),
    [
        (ANA, "/runs", "1700000000.000001", "not_supported_in_threads"),
        (ANA, "/walks", None, "invalid_command"),
        (OLGA, "/runs", None, "invalid_command"),
    ],
)
async def test_slack_itself_refuses_some_commands(who: Any, name: str, thread_ts: str | None, error: str) -> None:
    async with Workspace() as ws:
        delivery = await ws.command(who, "#partners", name, thread_ts=thread_ts)
        assert (delivery.user_error, delivery.attempts) == (error, [])
        assert [message.text for message in ws.seen_by(who, "#partners")] == [delivery.user_sees]


async def test_without_an_app_the_command_fails_at_once() -> None:
    async with Workspace() as ws:
        delivery = await ws.command(ANA, "#release", "/runs")
        assert delivery.user_error == "dispatch_failed"
        assert ws.seen_by(ANA, "#release")[0].text == '/runs failed with the error "dispatch_failed"'


async def test_no_acknowledgement_in_three_seconds_is_a_timeout() -> None:
    async with Workspace() as ws:
        app = bolt(ws)
        asked, never = asyncio.Event(), asyncio.Event()

        @app.command("/runs")
        async def runs(ack: Any) -> None:
            asked.set()
            await never.wait()

        async with connected(ws, app):
            typing = asyncio.create_task(ws.command(ANA, "#release", "/runs"))
            await asked.wait()
            ws.clock.move_to(ws.clock.now() + timedelta(seconds=3.1))
            delivery = await typing
            never.set()
        assert (delivery.acked, delivery.user_error) == (False, "operation_timeout")
        assert delivery.seconds_to_ack is None


async def test_a_mention_brings_its_twin_where_subscribed() -> None:
    got: list[str] = []
    async with Workspace(events={"app_mention", "message.channels"}) as ws:
        app = bolt(ws)

        @app.event("app_mention")
        async def mention(event: dict[str, Any]) -> None:
            got.append(event["type"])
            assert event["text"] == "<@U0RUNDOWN9> show R118"
            assert event["blocks"][0]["elements"][0]["elements"][0] == {"type": "user", "user_id": "U0RUNDOWN9"}

        @app.event("message")
        async def message(event: dict[str, Any]) -> None:
            got.append(event["type"])

        async with connected(ws, app):
            delivery = await ws.mention(ANA, "#release", "show R118")
            await ws.until(lambda: len(got) == 2)
        assert (delivery.event["type"], [twin.event["type"] for twin in delivery.twins]) == ("app_mention", ["message"])
        assert delivery.event_id != delivery.twins[0].event_id
        assert delivery.event["ts"] == delivery.twins[0].event["ts"]
        assert sorted(got) == ["app_mention", "message"]


async def test_a_mention_in_a_thread_names_its_parent() -> None:
    async with Workspace() as ws, client(ws) as slack:
        app = bolt(ws)

        @app.event("app_mention")
        async def mention(event: dict[str, Any], say: Any) -> None:
            await say("there", thread_ts=event["thread_ts"])

        async with connected(ws, app):
            parent = await slack.chat_postMessage(channel="#release", text="card")
            delivery = await ws.mention(TOM, "#release", "close this", thread_ts=parent["ts"])
            await ws.next_message(lambda message: message.text == "there")
        assert delivery.event["thread_ts"] == parent["ts"]
        assert [one.text for one in ws.thread(ANA, ws.said()[0])] == ["card", "<@U0RUNDOWN9> close this", "there"]


async def test_mentions_where_the_app_is_not_are_not_delivered() -> None:
    async with Workspace() as ws:
        assert (await ws.mention(ANA, "#general", "show")).user_error == "not_in_channel"
        assert ws.deliveries == []


async def test_direct_messages_and_outsiders_are_marked() -> None:
    async with Workspace() as ws:
        app = bolt(ws)

        @app.event("message")
        async def message() -> None: ...

        @app.event("app_mention")
        async def mention() -> None: ...

        async with connected(ws, app):
            direct = await ws.dm(GUS, "show R118")
            outside = await ws.mention(OLGA, "#partners", "show R118")
        assert (direct.event["type"], direct.event["channel_type"]) == ("message", "im")
        assert outside.event["user_team"] == outside.event["source_team"] == "T0PARTNER2"
        assert outside.payload["is_ext_shared_channel"]
        assert outside.payload["authorizations"][0]["user_id"] == ws.bot_user_id


async def test_each_envelope_goes_to_one_connection() -> None:
    async with Workspace(messages_per_second=None) as ws:
        seen: list[tuple[int, str]] = []

        def listening(number: int) -> Any:
            app = bolt(ws)

            @app.command("/runs")
            async def runs(ack: Any, command: dict[str, Any]) -> None:
                seen.append((number, command["text"]))
                await ack()

            return app

        async with connected(ws, *(listening(number) for number in range(3))):
            told = await asyncio.gather(*(ws.command(ANA, "#release", "/runs", str(n)) for n in range(60)))
        assert all(delivery.acked for delivery in told)
        assert sorted(int(text) for _, text in seen) == list(range(60))
        assert Counter(number for number, _ in seen) == {0: 20, 1: 20, 2: 20}


async def test_a_refresh_loses_no_envelope() -> None:
    async with Workspace(messages_per_second=None) as ws:
        app, seen = bolt(ws), Counter[str]()

        @app.command("/runs")
        async def runs(ack: Any, command: dict[str, Any]) -> None:
            seen[command["text"]] += 1
            await ack()

        async with connected(ws, app):
            first = ws.connections[0]
            await ws.refresh("warning")
            await ws.until(lambda: first not in ws.connections and ws.connections)
            told = await asyncio.gather(*(ws.command(ANA, "#release", "/runs", str(n)) for n in range(20)))
        assert all(delivery.acked for delivery in told)
        assert set(seen.values()) == {1}


async def test_a_connection_told_to_go_gets_nothing_new() -> None:
    async with Workspace() as ws:
        apps = [bolt(ws), bolt(ws)]
        for app in apps:

            @app.command("/runs")
            async def runs(ack: Any) -> None:
                await ack()

        async with connected(ws, *apps):
            going = ws.connections[0]
            await ws.refresh("refresh_requested", going)
            delivery = await ws.command(ANA, "#release", "/runs")
            assert delivery.acked
            assert delivery.attempts[0].connection != going.number
            await ws.until(lambda: going not in ws.connections and len(ws.connections) == 2)


async def test_tickets_work_once() -> None:
    async with Workspace() as ws, client(ws, ws.app_token) as slack, aiohttp.ClientSession() as http:
        url = (await slack.apps_connections_open(app_token=ws.app_token))["url"]
        async with http.ws_connect(url) as socket:
            hello = await socket.receive_json()
            assert (hello["type"], hello["num_connections"]) == ("hello", 1)
            with pytest.raises(aiohttp.WSServerHandshakeError):
                await http.ws_connect(url)


async def test_only_app_tokens_open_connections_and_the_link_can_be_disabled() -> None:
    async with Workspace() as ws, client(ws) as slack:
        with pytest.raises(SlackApiError, match="not_allowed_token_type"):
            await slack.apps_connections_open(app_token=ws.bot_token)
        await ws.refresh("link_disabled")
        with pytest.raises(SlackApiError, match="link_disabled"):
            await slack.apps_connections_open(app_token=ws.app_token)


async def test_an_eleventh_connection_is_turned_away() -> None:
    async with Workspace() as ws, aiohttp.ClientSession() as http:
        sockets = [await http.ws_connect(ws.socket.open()) for _ in range(11)]
        turned_away = await sockets[10].receive_json()
        assert (turned_away["type"], turned_away["reason"]) == ("disconnect", "too_many_websockets")
        assert len(ws.connections) == 10
        for socket in sockets:
            await socket.close()


async def test_broken_connections_are_forgotten() -> None:
    async with Workspace() as ws, aiohttp.ClientSession() as http:
        await http.ws_connect(ws.socket.open())
        ws.cut_connections()
        await ws.until(lambda: not ws.connections)
        assert (await ws.command(ANA, "#release", "/runs")).user_error == "dispatch_failed"


async def test_an_event_is_repeated_until_it_is_acknowledged() -> None:
    async with Workspace() as ws, aiohttp.ClientSession() as http, http.ws_connect(ws.socket.open()) as socket:
        assert (await socket.receive_json())["type"] == "hello"
        saying = asyncio.create_task(ws.mention(ANA, "#release", "show"))
        first = await socket.receive_json()
        assert (first["retry_attempt"], first["retry_reason"], first["accepts_response_payload"]) == (0, "", False)
        ws.clock.move_to(ws.clock.now() + timedelta(seconds=3.1))
        delivery = await saying
        second = await socket.receive_json()
        assert (second["retry_attempt"], second["retry_reason"]) == (1, "timeout")
        assert second["payload"]["event_id"] == first["payload"]["event_id"]
        ws.clock.move_to(ws.clock.now() + timedelta(seconds=3.1))
        await ws.until(lambda: delivery.attempts[1].failure)
        ws.clock.move_to(ws.clock.now() + timedelta(seconds=61))
        third = await socket.receive_json()
        assert third["retry_attempt"] == 2
        await socket.send_json({"envelope_id": third["envelope_id"]})
        await ws.until(lambda: delivery.acked)
        assert (delivery.retries, delivery.user_error) == (2, "")


async def test_an_event_can_be_redelivered_and_replayed_at_will() -> None:
    async with Workspace() as ws:
        app, seen = bolt(ws), list[tuple[str, str]]()

        @app.event("app_mention")
        async def mention(body: dict[str, Any], request: Any) -> None:
            seen.append((body["event_id"], request.headers["x-slack-retry-num"][0]))

        async with connected(ws, app):
            delivery = await ws.mention(ANA, "#release", "show")
            await ws.redeliver(delivery)
            await ws.replay(delivery)
            await ws.until(lambda: len(seen) == 3)
        assert seen == [(delivery.event_id, "0"), (delivery.event_id, "1"), (delivery.event_id, "0")]
        envelopes = [attempt.envelope_id for attempt in delivery.attempts]
        assert envelopes[0] != envelopes[1]
        assert envelopes[0] == envelopes[2]


async def test_a_deaf_connection_swallows_what_is_sent() -> None:
    async with Workspace() as ws, aiohttp.ClientSession() as http, http.ws_connect(ws.socket.open()):
        await ws.connected()
        ws.connections[0].deaf = True
        typing = asyncio.create_task(ws.command(ANA, "#release", "/runs"))
        await ws.until(lambda: ws.deliveries and ws.deliveries[0].attempts)
        ws.clock.move_to(ws.clock.now() + timedelta(seconds=4))
        assert (await typing).user_error == "operation_timeout"


async def test_home_invitations_links_edits_and_reactions_are_told() -> None:
    everything = {"app_home_opened", "member_joined_channel", "link_shared", "message.channels", "reaction_added"}
    async with Workspace(events=everything, unfurl_domains=["testrail.example"]) as ws:
        app, seen = bolt(ws), list[str]()
        for kind in ("app_home_opened", "member_joined_channel", "link_shared", "message", "reaction_added"):

            @app.event(kind)
            async def told(event: dict[str, Any]) -> None:
                seen.append(event["type"] + event.get("subtype", ""))

        @app.event({"type": "message", "subtype": "message_changed"})
        async def changed(event: dict[str, Any]) -> None:
            seen.append(f"{event['previous_message']['text']} > {event['message']['text']}")

        async with connected(ws, app):
            await ws.open_home(ANA)
            await ws.invite(ANA, "#general")
            told_of = await ws.say(ANA, "#release", "see https://acme.testrail.example/index.php?/runs/view/81")
            assert told_of.message is not None
            await ws.react(TOM, told_of.message, "eyes")
            await ws.edit(ANA, told_of.message, "gone")
            assert all(delivery.acked for delivery in ws.deliveries)
        assert [delivery.event["type"] for delivery in ws.deliveries[:2]] == [
            "app_home_opened",
            "member_joined_channel",
        ]
        (link,) = [delivery.event for delivery in ws.deliveries if delivery.event["type"] == "link_shared"]
        assert link["links"] == [
            {"domain": "acme.testrail.example", "url": "https://acme.testrail.example/index.php?/runs/view/81"}
        ]
        assert link["source"] == "conversations_history"


async def test_announced_links_are_unfurled() -> None:
    async with Workspace(unfurl_domains=["testrail.example"]) as ws, client(ws) as slack:
        app = bolt(ws)

        @app.event("link_shared")
        async def shared(event: dict[str, Any]) -> None:
            link = event["links"][0]["url"]
            card = {"blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": "*R81*"}}]}
            await slack.chat_unfurl(unfurl_id=event["unfurl_id"], source=event["source"], unfurls={link: card})

        async with connected(ws, app):
            told = await ws.say(ANA, "#release", "see https://testrail.example/81")
            message = told.message
            assert message is not None
            await ws.until(lambda: ws.now(message).attachments)
        assert ws.words(message).splitlines() == ["see https://testrail.example/81", "R81"]
        with pytest.raises(SlackApiError, match="cannot_unfurl_url"):
            await slack.chat_unfurl(channel=message.channel, ts=message.ts, unfurls={"https://else.example": {}})


async def test_own_posts_come_back_when_asked_for() -> None:
    async with Workspace(events={"message.channels"}, echo_own_messages=True) as ws, client(ws) as slack:
        app = bolt(ws)
        async with connected(ws, app):
            await slack.chat_postMessage(channel="#release", text="mine")

            def echo() -> Delivery | None:
                return next((one for one in ws.deliveries if one.acked), None)

            delivery = await ws.until(echo)
        assert delivery is not None
        assert delivery.event["bot_id"] == "B0RUNDOWN9"
