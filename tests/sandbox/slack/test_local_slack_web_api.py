"""The Web API as a real client meets it: tokens, scopes, shapes, refusals, faults."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox.slack import Quirks, Workspace
from bot.sandbox.world import ANA, GUS, MAX, OLGA, TOM
from tests.sandbox.slack.local_slack_kit import client, section

RELEASE = "C0RELEASE1"
GENERAL = "C0GENERAL3"
PRIVATE = "G0PAYMENT4"

Ask = Callable[[AsyncWebClient], Any]


REFUSING = Quirks(lost_threads="refuse")


async def refused(slack: AsyncWebClient, ask: Ask) -> Any:
    """The answer to a call that must be refused."""
    with pytest.raises(SlackApiError) as caught:
        await ask(slack)
    return caught.value.response


async def test_who_am_i() -> None:
    async with Workspace() as ws, client(ws) as slack:
        me = await slack.auth_test()
        assert (me["user_id"], me["team_id"], me["bot_id"]) == (ws.bot_user_id, ws.team_id, "B0RUNDOWN9")
        assert ws.errors == []


@pytest.mark.parametrize(
    ("token", "error"),
    [("", "not_authed"), ("xoxb-wrong", "invalid_auth"), ("app", "not_allowed_token_type")],
)
async def test_tokens_are_checked(token: str, error: str) -> None:
    async with Workspace() as ws, client(ws, ws.app_token if token == "app" else token) as slack:
        assert (await refused(slack, lambda one: one.auth_test()))["error"] == error


@pytest.mark.parametrize("error", ["token_revoked", "account_inactive"])
async def test_a_token_can_be_taken_away_and_given_back(error: str) -> None:
    async with Workspace() as ws, client(ws) as slack:
        ws.revoke_token(error)
        assert (await refused(slack, lambda one: one.auth_test()))["error"] == error
        ws.revoke_token("")
        assert (await slack.auth_test())["ok"]


async def test_the_token_is_never_in_the_journal() -> None:
    async with Workspace() as ws, aiohttp.ClientSession() as http:
        async with http.get(f"{ws.api_url}auth.test", params={"token": ws.bot_token}) as answer:
            assert (await answer.json())["ok"]
        assert ws.bot_token not in repr(ws.journal)


@pytest.mark.parametrize("how", ["query", "form", "json"])
async def test_arguments_come_by_query_form_or_json(how: str) -> None:
    async with Workspace() as ws, aiohttp.ClientSession(headers={"Authorization": f"Bearer {ws.bot_token}"}) as http:
        args = {"channel": RELEASE, "text": "hello"}
        way: Any = {"query": {"params": args}, "form": {"data": args}, "json": {"json": args}}[how]
        async with http.post(f"{ws.api_url}chat.postMessage", **way) as answer:
            assert (await answer.json())["message"]["text"] == "hello"
        assert ws.journal[-1].args == args


async def test_unknown_methods_are_refused() -> None:
    async with Workspace() as ws, client(ws) as slack:
        answer = await refused(slack, lambda one: one.api_call("chat.shout"))
        assert answer["error"] == "unknown_method"
        assert [refusal.error for refusal in ws.errors] == ["unknown_method"]


#: (a scope, a call that needs it)
SCOPED: list[tuple[str, Ask]] = [
    ("chat:write", lambda one: one.chat_postMessage(channel=RELEASE, text="a")),
    ("users:read", lambda one: one.users_info(user=ANA.slack)),
    ("users:read.email", lambda one: one.users_lookupByEmail(email=ANA.email)),
    ("usergroups:read", lambda one: one.usergroups_list()),
    ("channels:read", lambda one: one.conversations_info(channel=RELEASE)),
    ("channels:history", lambda one: one.conversations_history(channel=RELEASE)),
    ("groups:read", lambda one: one.conversations_list(types="public_channel,private_channel")),
    ("im:write", lambda one: one.conversations_open(users=ANA.slack)),
    ("links:write", lambda one: one.chat_unfurl(channel=RELEASE, ts="1.0", unfurls={})),
    ("files:write", lambda one: one.files_getUploadURLExternal(filename="a.txt", length=1)),
]


@pytest.mark.parametrize(("scope", "ask"), SCOPED, ids=[scope for scope, _ in SCOPED])
async def test_scopes_are_checked(scope: str, ask: Ask) -> None:
    async with Workspace() as ws, client(ws) as slack:
        ws.withdraw(scope)
        answer = await refused(slack, ask)
        assert (answer["error"], answer["needed"]) == ("missing_scope", scope)
        assert scope not in answer["provided"].split(",")


async def test_people_look_like_slacks() -> None:
    async with Workspace() as ws, client(ws) as slack:
        ana = (await slack.users_info(user=ANA.slack))["user"]
        assert (ana["team_id"], ana["is_admin"], ana["profile"]["email"]) == (ws.team_id, True, ANA.email)
        assert (await slack.users_info(user=GUS.slack))["user"]["is_restricted"]
        olga = (await slack.users_info(user=OLGA.slack))["user"]
        assert (olga["team_id"] != ws.team_id, olga["is_stranger"]) == (True, False)
        ws.remove("#partners")
        assert (await slack.users_info(user=OLGA.slack))["user"]["is_stranger"]
        assert (await slack.users_info(user=ws.bot_user_id))["user"]["is_bot"]
        assert (await slack.users_lookupByEmail(email=TOM.email.upper()))["user"]["id"] == TOM.slack
        assert (await refused(slack, lambda one: one.users_lookupByEmail(email=OLGA.email)))[
            "error"
        ] == "users_not_found"
        assert len((await slack.users_list())["members"]) == 8
        ws.withdraw("users:read.email")
        assert "email" not in (await slack.users_info(user=ANA.slack))["user"]["profile"]


async def test_channels_are_listed_by_page_and_private_ones_hidden() -> None:
    async with Workspace() as ws, client(ws) as slack:
        names: list[str] = []
        async for page in await slack.conversations_list(types="public_channel,private_channel", limit=2):
            names += [channel["name"] for channel in page["channels"]]
        assert names == ["release", "checkout", "general", "partners"]
        assert (await slack.conversations_info(channel="C0PARTNER5"))["channel"]["is_ext_shared"]
        assert (await refused(slack, lambda one: one.conversations_info(channel=PRIVATE)))[
            "error"
        ] == "channel_not_found"
        mine = await slack.users_conversations()
        assert [channel["name"] for channel in mine["channels"]] == ["release", "checkout", "partners"]
        members = await slack.conversations_members(channel=RELEASE)
        assert ANA.slack in members["members"]


async def test_groups_are_listed() -> None:
    async with Workspace() as ws, client(ws) as slack:
        groups = (await slack.usergroups_list(include_users=True))["usergroups"]
        assert groups[0]["users"] == (await slack.usergroups_users_list(usergroup=groups[0]["id"]))["users"]


#: (a call, Slack's error)
REFUSALS: list[tuple[Ask, str]] = [
    (lambda one: one.chat_postMessage(channel="C0NOWHERE0", text="a"), "channel_not_found"),
    (lambda one: one.chat_postMessage(channel=PRIVATE, text="a"), "channel_not_found"),
    (lambda one: one.chat_postMessage(channel=GENERAL, text="a"), "not_in_channel"),
    (lambda one: one.chat_postMessage(channel="C0CHECKOU2", text="a"), "is_archived"),
    (lambda one: one.api_call("chat.postMessage", json={"channel": RELEASE, "text": ""}), "no_text"),
    (lambda one: one.chat_postMessage(channel=RELEASE, text="a", blocks=[section("")]), "invalid_blocks"),
    (lambda one: one.chat_postMessage(channel=RELEASE, text="a", blocks="[{"), "invalid_blocks_format"),
    (
        lambda one: one.chat_postMessage(channel=RELEASE, text="a", blocks=[section("a" * 3000)] * 5),
        "msg_blocks_too_long",
    ),
    (lambda one: one.chat_postMessage(channel=RELEASE, text="a", thread_ts="1.000000"), "thread_not_found"),
    (lambda one: one.chat_postMessage(channel=RELEASE, text="a", thread_ts="first"), "invalid_thread_ts"),
    (
        lambda one: one.chat_postMessage(channel=RELEASE, text="a", metadata={"event_type": "a"}),
        "invalid_metadata_schema",
    ),
    (
        lambda one: one.chat_postMessage(
            channel=RELEASE, text="a", metadata={"event_type": "a", "event_payload": {"b": "c" * 10_000}}
        ),
        "metadata_too_large",
    ),
    (lambda one: one.chat_postMessage(channel=RELEASE, text="a", username="Boss"), "missing_scope"),
    (lambda one: one.chat_postEphemeral(channel=RELEASE, user=OLGA.slack, text="a"), "user_not_in_channel"),
    (lambda one: one.chat_update(channel=RELEASE, ts="1.000000", text="a"), "message_not_found"),
    (lambda one: one.chat_delete(channel=RELEASE, ts="1.000000"), "message_not_found"),
    (lambda one: one.chat_getPermalink(channel=RELEASE, message_ts="1.000000"), "message_not_found"),
    (lambda one: one.conversations_history(channel=GENERAL), "not_in_channel"),
    (lambda one: one.conversations_replies(channel=RELEASE, ts="1.000000"), "thread_not_found"),
    (lambda one: one.conversations_list(types="rooms"), "invalid_types"),
    (lambda one: one.conversations_list(limit=1001), "invalid_limit"),
    (lambda one: one.users_info(user="U0NOBODY00"), "user_not_found"),
    (lambda one: one.bots_info(bot="B0NOBODY00"), "bot_not_found"),
    (lambda one: one.usergroups_users_list(usergroup="S0NOBODY00"), "no_such_subteam"),
    (
        lambda one: one.chat_unfurl(channel=RELEASE, ts="1.000000", unfurls={"https://x.example": {}}),
        "cannot_find_message",
    ),
]


@pytest.mark.parametrize(
    ("ask", "error"), REFUSALS, ids=[f"{number}-{error}" for number, (_, error) in enumerate(REFUSALS)]
)
async def test_refusals_carry_slacks_codes(ask: Ask, error: str) -> None:
    async with Workspace(quirks=REFUSING) as ws, client(ws) as slack:
        ws.archive("#checkout")
        assert (await refused(slack, ask))["error"] == error
        assert [refusal.error for refusal in ws.errors] == [error]


async def test_refused_blocks_are_pointed_at() -> None:
    async with Workspace() as ws, client(ws) as slack:
        answer = await refused(slack, lambda one: one.chat_postMessage(channel=RELEASE, text="a", blocks=[section("")]))
        assert answer["response_metadata"]["messages"] == [
            "[ERROR] must be more than 0 characters [json-pointer:/blocks/0/text/text]"
        ]


async def test_blocks_validate_needs_no_token() -> None:
    async with Workspace() as ws, client(ws, "") as slack:
        assert (await slack.api_call("blocks.validate", json={"blocks": [section()]}))["ok"]
        answer = await refused(slack, lambda one: one.api_call("blocks.validate", json={"blocks": [section("")]}))
        assert (answer["error"], answer["errors"][0]["pointer"]) == ("invalid_blocks", "/blocks/0/text/text")


async def test_messages_are_posted_edited_and_deleted() -> None:
    async with Workspace() as ws, client(ws) as slack:
        posted = await slack.chat_postMessage(channel="#release", text="one", blocks=[section("*one*")])
        assert posted["channel"] == RELEASE
        assert posted["message"]["blocks"][0]["block_id"]
        (message,) = ws.seen_by(ANA, "#release")
        assert (ws.words(message), message.by_app) == ("one", True)
        await slack.chat_update(channel=RELEASE, ts=posted["ts"], text="two")
        (now,) = ws.seen_by(ANA, "#release")
        assert (now.text, now.blocks, now.edited_by, message.text) == ("two", (), ws.bot_user_id, "one")
        await slack.chat_delete(channel=RELEASE, ts=posted["ts"])
        assert ws.seen_by(ANA, "#release") == []
        assert ws.errors == []


async def test_attachments_stay_unless_only_text_is_given() -> None:
    async with Workspace() as ws, client(ws) as slack:
        bar = [{"color": "#f00", "blocks": [section("bar")]}]
        ts = (await slack.chat_postMessage(channel=RELEASE, text="a", attachments=bar))["ts"]
        await slack.chat_update(channel=RELEASE, ts=ts, text="b", blocks=[section("b")])
        assert ws.seen_by(ANA, RELEASE)[0].attachments
        await slack.chat_update(channel=RELEASE, ts=ts, text="c")
        assert ws.seen_by(ANA, RELEASE)[0].attachments == ()


async def test_only_own_messages_within_the_window_are_edited() -> None:
    async with Workspace() as ws, client(ws) as slack:
        theirs = (await ws.say(ANA, "#release", "mine")).message
        assert theirs is not None
        answer = await refused(slack, lambda one: one.chat_update(channel=RELEASE, ts=theirs.ts, text="a"))
        assert answer["error"] == "cant_update_message"
        ts = (await slack.chat_postMessage(channel=RELEASE, text="ours"))["ts"]
        answer = await refused(slack, lambda one: one.chat_update(channel=RELEASE, ts=ts, text="ä" * 2001))
        assert answer["error"] == "msg_too_long"
        ws.close_edit_window(ws.said()[0])
        answer = await refused(slack, lambda one: one.chat_update(channel=RELEASE, ts=ts, text="a"))
        assert answer["error"] == "edit_window_closed"


async def test_ephemeral_messages_are_for_one_and_cannot_be_edited() -> None:
    async with Workspace() as ws, client(ws) as slack:
        sent = await slack.chat_postEphemeral(channel=RELEASE, user=ANA.slack, text="psst")
        assert [message.text for message in ws.seen_by(ANA, RELEASE)] == ["psst"]
        assert ws.seen_by(TOM, RELEASE) == []
        assert (await slack.conversations_history(channel=RELEASE))["messages"] == []
        answer = await refused(slack, lambda one: one.chat_update(channel=RELEASE, ts=sent["message_ts"], text="a"))
        assert answer["error"] == "message_not_found"


async def test_threads_are_read_apart() -> None:
    async with Workspace() as ws, client(ws) as slack:
        ts = (await slack.chat_postMessage(channel=RELEASE, text="parent"))["ts"]
        reply = await slack.chat_postMessage(channel=RELEASE, text="reply", thread_ts=ts)
        await slack.chat_postMessage(channel=RELEASE, text="loud", thread_ts=ts, reply_broadcast=True)
        history = (await slack.conversations_history(channel=RELEASE))["messages"]
        assert [message["text"] for message in history] == ["loud", "parent"]
        assert (history[1]["reply_count"], history[1]["thread_ts"]) == (2, ts)
        replies = (await slack.conversations_replies(channel=RELEASE, ts=ts))["messages"]
        assert [message["text"] for message in replies] == ["parent", "reply", "loud"]
        assert [message.text for message in ws.thread(ANA, ws.said()[0])] == ["parent", "reply", "loud"]
        link = (await slack.chat_getPermalink(channel=RELEASE, message_ts=reply["ts"]))["permalink"]
        assert link.endswith(f"?thread_ts={ts}&cid={RELEASE}")
        answer = await refused(
            slack, lambda one: one.chat_postMessage(channel=RELEASE, text="a", thread_ts=reply["ts"])
        )
        assert answer["error"] == "cannot_reply_to_message"


async def test_a_reply_to_a_lost_parent_is_no_reply() -> None:
    async with Workspace() as ws, client(ws) as slack:
        ts = (await slack.chat_postMessage(channel=RELEASE, text="parent"))["ts"]
        await slack.chat_delete(channel=RELEASE, ts=ts)
        answer = await slack.chat_postMessage(channel=RELEASE, text="reply", thread_ts=ts)
        assert "thread_ts" not in answer["message"]
        assert [message.text for message in ws.seen_by(ANA, RELEASE)] == ["reply"]


async def test_text_alone_may_keep_the_blocks() -> None:
    async with Workspace(quirks=Quirks(text_alone_keeps_blocks=True)) as ws, client(ws) as slack:
        ts = (await slack.chat_postMessage(channel=RELEASE, text="a", blocks=[section("a")]))["ts"]
        await slack.chat_update(channel=RELEASE, ts=ts, text="b")
        assert ws.words(ws.said()[0]) == "a"
        await slack.chat_update(channel=RELEASE, ts=ts, text="b", blocks=[])
        assert ws.words(ws.said()[0]) == "b"


async def test_metadata_is_kept() -> None:
    async with Workspace() as ws, client(ws) as slack:
        metadata = {"event_type": "digest", "event_payload": {"slot": "2026-01-05"}}
        await slack.chat_postMessage(channel=RELEASE, text="a", metadata=metadata)
        history = await slack.conversations_history(channel=RELEASE, include_all_metadata=True)
        assert history["messages"][0]["metadata"] == metadata


async def test_direct_messages_are_opened() -> None:
    async with Workspace() as ws, client(ws) as slack:
        channel = (await slack.conversations_open(users=MAX.slack))["channel"]["id"]
        await slack.chat_postMessage(channel=MAX.slack, text="hi")
        assert [message.channel for message in ws.said()] == [channel]
        assert (await slack.conversations_info(channel=channel))["channel"]["user"] == MAX.slack
        between = ws.direct(ANA, TOM)
        answer = await refused(slack, lambda one: one.chat_postMessage(channel=between.id, text="a"))
        assert answer["error"] == "channel_not_found"


async def test_channels_are_joined_with_the_scope_for_it() -> None:
    async with Workspace() as ws, client(ws) as slack:
        assert (await refused(slack, lambda one: one.conversations_join(channel=GENERAL)))["needed"] == "channels:join"
        ws.grant("channels:join")
        assert (await slack.conversations_join(channel=GENERAL))["channel"]["is_member"]
        await slack.chat_postMessage(channel=GENERAL, text="here")


async def test_reactions_need_their_scope() -> None:
    async with Workspace() as ws, client(ws) as slack:
        ts = (await slack.chat_postMessage(channel=RELEASE, text="a"))["ts"]
        answer = await refused(slack, lambda one: one.reactions_add(channel=RELEASE, timestamp=ts, name="eyes"))
        assert answer["error"] == "missing_scope"
        ws.grant("reactions:write", "reactions:read")
        await slack.reactions_add(channel=RELEASE, timestamp=ts, name="eyes")
        answer = await refused(slack, lambda one: one.reactions_add(channel=RELEASE, timestamp=ts, name="eyes"))
        assert answer["error"] == "already_reacted"
        shown = (await slack.reactions_get(channel=RELEASE, timestamp=ts))["message"]["reactions"]
        assert shown == [{"name": "eyes", "users": [ws.bot_user_id], "count": 1}]


async def test_files_are_uploaded_in_three_steps() -> None:
    async with Workspace() as ws, client(ws) as slack:
        await slack.files_upload_v2(
            channel=RELEASE, filename="report.txt", content="42 passed", title="Report", initial_comment="see"
        )
        (message,) = ws.seen_by(ANA, RELEASE)
        upload = ws.state.uploads[message.files[0]]
        assert (message.text, upload.title, upload.data) == ("see", "Report", b"42 passed")
        assert ws.errors == []


async def test_too_many_messages_are_slowed_down_per_channel() -> None:
    async with Workspace(burst=2) as ws, client(ws) as slack:
        for _ in range(2):
            await slack.chat_postMessage(channel=RELEASE, text="a")
        answer = await refused(slack, lambda one: one.chat_postMessage(channel=RELEASE, text="a"))
        assert (answer.status_code, answer["error"], answer.headers["Retry-After"]) == (429, "ratelimited", "1")
        await slack.chat_postMessage(channel="C0CHECKOU2", text="a")
        ws.clock.move_to(ws.clock.now() + timedelta(seconds=1))
        await slack.chat_postMessage(channel=RELEASE, text="a")


async def test_the_pace_can_be_switched_off_and_tiers_on() -> None:
    async with Workspace(messages_per_second=None, tier_limits=True) as ws, client(ws) as slack:
        for _ in range(20):
            await slack.chat_postMessage(channel=RELEASE, text="a")
            await slack.users_list()
        answer = await refused(slack, lambda one: one.users_list())
        assert answer.status_code == 429
        ws.clock.move_to(ws.clock.now() + timedelta(minutes=1))
        await slack.users_list()


async def test_scripted_faults_are_in_the_journal_but_no_refusals() -> None:
    async with Workspace() as ws, client(ws) as slack:
        ws.fail("chat.postMessage", "internal_error")
        answer = await refused(slack, lambda one: one.chat_postMessage(channel=RELEASE, text="a"))
        assert answer["error"] == "internal_error"
        ws.slow_down("chat.postMessage", "30")
        answer = await refused(slack, lambda one: one.chat_postMessage(channel=RELEASE, text="a"))
        assert answer.headers["Retry-After"] == "30"
        assert [call.status for call in ws.calls("chat.postMessage")] == [200, 429]
        assert ws.said() == []
        assert ws.errors == []


async def test_a_post_can_be_stored_and_its_answer_lost() -> None:
    async with Workspace() as ws, client(ws) as slack:
        slack.retry_handlers.clear()
        ws.faults.reset(r"/api/chat[.]postMessage", times=1, after=True)
        with pytest.raises(aiohttp.ClientError):
            await slack.chat_postMessage(channel=RELEASE, text="a")
        assert [message.text for message in ws.said()] == ["a"]


async def test_html_can_come_where_json_belongs() -> None:
    async with Workspace() as ws, client(ws) as slack:
        ws.faults.html(r"/api/auth[.]test", times=1)
        with pytest.raises(SlackApiError):
            await slack.auth_test()
        assert (await slack.auth_test())["ok"]
