"""Who people are, and many of them pressing at once: guests, outsiders, groups, forged and repeated clicks."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox.slack import CannotDo, Message, Shortcut, Workspace
from bot.sandbox.slack.workspace import Role
from bot.sandbox.world import ANA, GUS, LEA, OLGA, TOM, Colleague
from tests.sandbox.slack.local_slack_kit import (
    actions,
    asking,
    bolt,
    button,
    client,
    connected,
    listening_bolt,
    modal,
    option,
    plain,
    section,
)


@asynccontextmanager
async def office(*, http: bool = False, **more: Any) -> AsyncIterator[tuple[Workspace, AsyncWebClient, list[Any]]]:
    """A workspace with an app that acknowledges everything; the list is what it was told."""
    async with Workspace(**more) as ws, client(ws) as slack:
        app, told = bolt(ws), list[Any]()

        async def take(ack: Any, body: dict[str, Any]) -> None:
            told.append(body)
            await ack()

        anything = re.compile(".*")
        for listen in (app.command("/runs"), app.action(anything), app.view(anything), app.shortcut(anything)):
            listen(take)
        if http:
            async with listening_bolt(app) as url:
                await ws.connect_http(url)
                yield ws, slack, told
        else:
            async with connected(ws, app):
                yield ws, slack, told


async def card(ws: Workspace, slack: AsyncWebClient, channel: str = "#release") -> Message:
    await slack.chat_postMessage(channel=channel, text="card", blocks=[actions(button("close", value="R118"))])
    return ws.said(channel)[-1]


# -- roles -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("role", "flags"),
    [
        ("member", set()),
        ("admin", {"is_admin"}),
        ("owner", {"is_admin", "is_owner", "is_primary_owner"}),
        ("guest", {"is_restricted"}),
        ("single-channel guest", {"is_restricted", "is_ultra_restricted"}),
    ],
)
async def test_new_people_come_with_their_role(role: Role, flags: set[str]) -> None:
    async with Workspace() as ws, client(ws) as slack:
        (person,) = ws.hire(1, "#release", role=role)
        user = (await slack.users_info(user=person.id))["user"]
        ranks = ("is_admin", "is_owner", "is_primary_owner", "is_restricted", "is_ultra_restricted", "is_bot")
        assert {rank for rank in ranks if user[rank]} == flags
        assert (user["team_id"], "is_stranger" in user) == (ws.team_id, False)


async def test_of_outsiders_no_rank_is_told_and_strangers_are_marked() -> None:
    async with Workspace() as ws, client(ws) as slack:
        (known,), (stranger,) = ws.hire(1, "#partners", role="outsider"), ws.hire(1, role="outsider")
        users = [(await slack.users_info(user=one.id))["user"] for one in (known, stranger)]
        assert [(one["team_id"], one["is_stranger"], "is_admin" in one) for one in users] == [
            ("T0PARTNER2", False, False),
            ("T0PARTNER2", True, False),
        ]
        ws.change_person(OLGA, is_admin=True)
        assert (await slack.users_info(user=OLGA.slack))["user"]["is_admin"]


async def test_the_app_itself_is_a_bot() -> None:
    async with Workspace() as ws, client(ws) as slack:
        user = (await slack.users_info(user=ws.bot_user_id))["user"]
        assert (user["is_bot"], user["profile"]["bot_id"]) == (True, "B0RUNDOWN9")


@pytest.mark.parametrize(
    ("who", "where", "foreign", "team"),
    [
        (ANA, "#release", False, ("T0ACME0001", "acme")),
        (GUS, "#release", False, ("T0ACME0001", "acme")),
        (OLGA, "#partners", True, ("T0PARTNER2", "partner")),
    ],
)
async def test_commands_tell_the_team_of_who_typed(
    who: Colleague, where: str, foreign: bool, team: tuple[str, str]
) -> None:
    async with office() as (ws, _, _):
        payload = (await ws.command(who, where, "/runs", foreign=foreign)).payload
        assert (payload["team_id"], payload["team_domain"]) == team
        assert payload["user_id"] == who.slack


async def test_outsiders_are_offered_neither_commands_nor_shortcuts() -> None:
    async with office() as (ws, slack, told):
        assert (await ws.command(OLGA, "#partners", "/runs")).user_error == "invalid_command"
        message = await card(ws, slack, "#partners")
        with pytest.raises(CannotDo, match="not offered"):
            await ws.shortcut(OLGA, "note", message)
        assert told == []
        assert (await ws.shortcut(OLGA, "note", message, foreign=True)).payload["user"]["team_id"] == "T0PARTNER2"


async def test_an_outsiders_click_names_both_teams() -> None:
    async with office() as (ws, slack, _):
        payload = (await ws.click(OLGA, await card(ws, slack, "#partners"), "close")).payload
        assert (payload["user"]["id"], payload["user"]["team_id"]) == (OLGA.slack, "T0PARTNER2")
        assert payload["team"] == {"id": "T0ACME0001", "domain": "acme"}


async def test_an_outsiders_dialog_says_where_the_app_is_installed() -> None:
    async with office() as (ws, slack, _):
        click = await ws.click(OLGA, await card(ws, slack, "#partners"), "close")
        await slack.views_open(trigger_id=click.trigger_id, view=modal(asking(), callback_id="why"))
        view = ws.view(OLGA)
        assert view is not None
        payload = (await ws.submit(view, {"Why": "because"})).payload
        assert (payload["team"]["id"], payload["user"]["team_id"]) == ("T0PARTNER2", "T0PARTNER2")
        assert (payload["view"]["team_id"], payload["view"]["app_installed_team_id"]) == ("T0PARTNER2", "T0ACME0001")


async def test_everybody_is_listed_page_by_page() -> None:
    async with Workspace() as ws, client(ws) as slack:
        ws.hire(250)
        found, cursor = list[str](), ""
        while True:
            answer = await slack.users_list(limit=100, cursor=cursor)
            found += [one["id"] for one in answer["members"]]
            cursor = answer["response_metadata"]["next_cursor"]
            if not cursor:
                break
        assert found == list(ws.state.people)
        assert len(ws.calls("users.list")) == 3


async def test_people_who_left_are_not_found_by_email_nor_written_to() -> None:
    async with Workspace() as ws, client(ws) as slack:
        ws.change_person(TOM, deleted=True)
        with pytest.raises(SlackApiError, match="users_not_found"):
            await slack.users_lookupByEmail(email=TOM.email)
        with pytest.raises(SlackApiError, match="user_disabled"):
            await slack.conversations_open(users=TOM.slack)
        opened = await slack.conversations_open(users=LEA.slack, return_im=True)
        assert (opened["channel"]["user"], opened["channel"]["is_im"]) == (LEA.slack, True)


async def test_groups_are_made_and_asked_for() -> None:
    async with Workspace() as ws, client(ws) as slack:
        group = ws.add_group("closers", [ANA, TOM])
        gone = ws.add_group("old", [LEA], disabled=True)
        assert (await slack.usergroups_users_list(usergroup=group.id))["users"] == [ANA.slack, TOM.slack]
        listed = (await slack.usergroups_list(include_count=True))["usergroups"]
        assert [(one["handle"], one["user_count"]) for one in listed][-1] == ("closers", 2)
        assert gone.id in [one["id"] for one in (await slack.usergroups_list(include_disabled=True))["usergroups"]]
        for lost in (gone.id, "S0NOBODY"):
            with pytest.raises(SlackApiError, match="no_such_subteam"):
                await slack.usergroups_users_list(usergroup=lost)


@pytest.mark.parametrize(
    ("method", "args", "scope"),
    [
        ("usergroups.list", {}, "usergroups:read"),
        ("usergroups.users.list", {"usergroup": "S0QALEADS1"}, "usergroups:read"),
        ("users.list", {}, "users:read"),
        ("users.info", {"user": "U0ANA00001"}, "users:read"),
        ("users.lookupByEmail", {"email": "ana@acme.example"}, "users:read.email"),
        ("conversations.info", {"channel": "C0RELEASE1"}, "channels:read"),
        ("conversations.open", {"users": "U0ANA00001"}, "im:write"),
        ("files.info", {"file": "F0"}, "files:read"),
    ],
)
async def test_each_question_needs_its_scope(method: str, args: dict[str, Any], scope: str) -> None:
    async with Workspace() as ws, client(ws) as slack:
        ws.withdraw(scope)
        with pytest.raises(SlackApiError) as caught:
            await slack.api_call(method, params=args)
        assert (caught.value.response["error"], caught.value.response["needed"]) == ("missing_scope", scope)


@pytest.mark.parametrize("verb", ["GET", "POST"])
async def test_a_message_has_a_permanent_address(verb: str) -> None:
    async with Workspace() as ws, client(ws) as slack:
        message = await card(ws, slack)
        found = await slack.api_call(
            "chat.getPermalink", http_verb=verb, params={"channel": message.channel, "message_ts": message.ts}
        )
        assert found["permalink"] == ws.permalink(message)
        for channel, ts, error in (
            ("C0NOWHERE0", message.ts, "channel_not_found"),
            ("G0PAYMENT4", message.ts, "channel_not_found"),
            (message.channel, "1.000000", "message_not_found"),
        ):
            with pytest.raises(SlackApiError, match=error):
                await slack.chat_getPermalink(channel=channel, message_ts=ts)


# -- the app's own list ------------------------------------------------------------------------------------------------


async def test_an_app_is_what_its_manifest_says() -> None:
    async with office() as (ws, slack, _):
        ws.install(
            {
                "oauth_config": {"scopes": {"bot": ["chat:write", "commands"]}},
                "settings": {"event_subscriptions": {"bot_events": ["app_mention"]}},
                "features": {
                    "slash_commands": [{"command": "/qa", "should_escape": True}],
                    "shortcuts": [{"callback_id": "note", "name": "Note on a run", "type": "message"}],
                    "unfurl_domains": ["acme.testmo.net"],
                },
            }
        )
        assert ws.app.shortcuts == (Shortcut("note", "Note on a run", "message"),)
        assert (await ws.command(ANA, "#release", "/runs")).user_error == "invalid_command"
        with pytest.raises(SlackApiError, match="missing_scope"):
            await slack.users_info(user=ANA.slack)
        message = await card(ws, slack)
        assert (await ws.shortcut(ANA, "note", message)).acked
        for callback_id, on in (("note", None), ("attach", message)):
            with pytest.raises(CannotDo, match="there are"):
                await ws.shortcut(ANA, callback_id, on)


async def test_a_message_shortcut_tells_the_message_and_its_place() -> None:
    async with office() as (ws, _, _):
        message = (await ws.say(TOM, "#release", "it fails again")).message
        assert message is not None
        payload = (await ws.shortcut(ANA, "attach", message)).payload
        assert {key: payload[key] for key in ("type", "callback_id", "message_ts", "channel")} == {
            "type": "message_action",
            "callback_id": "attach",
            "message_ts": message.ts,
            "channel": {"id": "C0RELEASE1", "name": "release"},
        }
        assert (payload["message"]["text"], payload["message"]["user"]) == ("it fails again", TOM.slack)
        assert (payload["user"]["id"], payload["team"]["id"]) == (ANA.slack, ws.team_id)
        assert set(payload) >= {"trigger_id", "response_url", "action_ts", "token"}


# -- crowds ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("http", [False, True], ids=["socket", "http"])
async def test_hundreds_of_people_press_at_once(http: bool) -> None:
    async with office(http=http) as (ws, slack, told):
        message = await card(ws, slack)
        crowd = ws.hire(150, "#release")
        deliveries = await ws.clicks([*crowd, *[ANA] * 150], message, "close")
        assert all(one.acked for one in deliveries)
        assert len({one.trigger_id for one in deliveries}) == len({one.response_url for one in deliveries}) == 300
        assert len({body["user"]["id"] for body in told}) == 151


async def test_a_forged_value_is_told_as_if_the_button_had_it() -> None:
    async with office() as (ws, slack, _):
        message = await card(ws, slack)
        (delivery,) = await ws.clicks([ANA], message, "close", forge_value="R999")
        assert [one["value"] for one in delivery.payload["actions"]] == ["R999"]
        assert ws.buttons(message)[0].value == "R118"


async def test_a_stale_screen_presses_what_is_no_longer_there() -> None:
    async with office() as (ws, slack, told):
        message = await card(ws, slack)
        await slack.chat_update(channel=message.channel, ts=message.ts, text="closed")
        with pytest.raises(CannotDo):
            await ws.clicks([ANA], message, "close")
        await ws.clicks([ANA] * 10, message, "close", stale=True)
        assert [body["actions"][0]["value"] for body in told] == ["R118"] * 10


async def test_a_button_of_long_ago_still_presses() -> None:
    async with office() as (ws, slack, told):
        message = await card(ws, slack)
        ws.clock.move_to(ws.clock.now() + timedelta(days=400))
        assert (await ws.click(ANA, message, "close")).acked
        assert told[0]["message"]["ts"] == message.ts
        assert float(told[0]["actions"][0]["action_ts"]) - float(message.ts) > 399 * 86_400


@pytest.mark.parametrize("http", [False, True], ids=["socket", "http"])
async def test_clicks_and_submissions_are_told_again(http: bool) -> None:
    async with office(http=http) as (ws, slack, told):
        click = await ws.click(ANA, await card(ws, slack), "close")
        await slack.views_open(trigger_id=click.trigger_id, view=modal(asking(), callback_id="why"))
        view = ws.view(ANA)
        assert view is not None
        submission = await ws.submit(view, {"Why": "because"})
        for delivery in (click, submission):
            again = await ws.redeliver(delivery)
            assert (again.retry_num, again.failure) == (1, "")
        assert [body["type"] for body in told] == ["block_actions", "view_submission"] * 2
        assert told[0] == told[2]
        assert told[1] == told[3]


# -- forms -------------------------------------------------------------------------------------------------------------


def asked(kind: str, **element: Any) -> dict[str, Any]:
    whole = {"type": kind, "action_id": "typed", **element}
    return {"type": "input", "block_id": "why", "label": plain("Why"), "element": whole}


@asynccontextmanager
async def asking_for(*blocks: dict[str, Any]) -> AsyncIterator[tuple[Workspace, Any]]:
    async with office() as (ws, slack, _):
        trigger_id = (await ws.command(ANA, "#release", "/runs")).trigger_id
        await slack.views_open(trigger_id=trigger_id, view=modal(*blocks, callback_id="why"))
        yield ws, ws.view(ANA)


@pytest.mark.parametrize(
    ("block", "entered", "told"),
    [
        (asked("number_input", is_decimal_allowed=False), 12, {"type": "number_input", "value": "12"}),
        (asked("datepicker"), "2026-01-05", {"type": "datepicker", "selected_date": "2026-01-05"}),
        (asked("timepicker"), "09:30", {"type": "timepicker", "selected_time": "09:30"}),
        (
            asked("datetimepicker"),
            "2026-01-05T09:30+01:00",
            {"type": "datetimepicker", "selected_date_time": 1767601800},
        ),
        (asked("url_text_input"), "https://a.example", {"type": "url_text_input", "value": "https://a.example"}),
        (
            {**asked("plain_text_input", initial_value="old"), "optional": True},
            "",
            {"type": "plain_text_input", "value": None},
        ),
        (
            asked("multi_static_select", options=[option("a"), option("b")]),
            ["b"],
            {"type": "multi_static_select", "selected_options": [option("b")]},
        ),
    ],
)
async def test_what_is_entered_is_told_in_slacks_form(block: Any, entered: Any, told: Any) -> None:
    async with asking_for(block) as (ws, view):
        delivery = await ws.submit(view, {"Why": entered})
        assert delivery.payload["view"]["state"]["values"] == {"why": {"typed": told}}


@pytest.mark.parametrize(
    ("block", "entered", "words"),
    [
        (asked("number_input", is_decimal_allowed=False), "twelve", "takes a number"),
        (asked("number_input", is_decimal_allowed=False), "1.5", "takes a number"),
        (asked("number_input", is_decimal_allowed=True, min_value="1"), "0.5", "nothing below 1"),
        (asked("number_input", is_decimal_allowed=False, max_value="9"), 10, "nothing above 9"),
        (asked("datepicker"), "tomorrow", "looks like 2026-01-05"),
        (asked("timepicker"), "noon", "looks like 09:30"),
        (asked("datetimepicker"), "soon", "looks like 2026-01-05T09:30"),
        (asked("url_text_input"), "a.example", "an address like"),
        (asked("email_text_input"), "ana", "an email address"),
        (
            asked("multi_static_select", options=[option("a"), option("b")], max_selected_items=1),
            ["a", "b"],
            "at most 1 of these",
        ),
    ],
)
async def test_what_slacks_client_would_not_send_is_not_sent(block: Any, entered: Any, words: str) -> None:
    async with asking_for(block) as (ws, view):
        with pytest.raises(CannotDo, match=words):
            await ws.submit(view, {"Why": entered})


async def test_a_click_in_a_dialog_tells_all_that_stands_in_it() -> None:
    initial = asked("plain_text_input", initial_value="old")
    async with asking_for(initial, {**asked("number_input", is_decimal_allowed=False), "block_id": "count"}) as (
        ws,
        view,
    ):
        assert view is not None
        ws.fill(view, {"count": 3})
        async with client(ws) as slack:
            blocks = [initial, {**asked("number_input", is_decimal_allowed=False), "block_id": "count"}]
            shown = modal(*blocks, section("x", accessory=button("more")), callback_id="why")
            await slack.views_update(view_id=view.id, view=shown)
        payload = (await ws.click(ANA, view, "more")).payload
        assert payload["view"]["state"]["values"] == {
            "why": {"typed": {"type": "plain_text_input", "value": "old"}},
            "count": {"typed": {"type": "number_input", "value": "3"}},
        }
