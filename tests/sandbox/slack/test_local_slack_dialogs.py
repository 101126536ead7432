"""Triggers, dialogs, Home tabs, menus: opened, stacked, filled in, submitted, closed."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox.slack import CannotDo, Workspace
from bot.sandbox.world import ANA, TOM
from tests.sandbox.slack.local_slack_kit import (
    actions,
    asking,
    bolt,
    button,
    client,
    connected,
    modal,
    option,
    plain,
    section,
)


@asynccontextmanager
async def office(**more: Any) -> AsyncIterator[tuple[Workspace, AsyncWebClient, AsyncApp]]:
    """A workspace with a connected app that acknowledges every command and click."""
    async with Workspace(**more) as ws, client(ws) as slack:
        app = bolt(ws)

        @app.command("/runs")
        async def runs(ack: Any) -> None:
            await ack()

        @app.action(re.compile(".*"))
        async def clicked(ack: Any) -> None:
            await ack()

        @app.event("app_home_opened")
        async def opened() -> None: ...

        async with connected(ws, app):
            yield ws, slack, app


async def trigger(ws: Workspace) -> str:
    return (await ws.command(ANA, "#release", "/runs")).trigger_id


async def refused(work: Any) -> str:
    with pytest.raises(SlackApiError) as caught:
        await work
    return str(caught.value.response["error"])


async def test_a_trigger_opens_one_dialog() -> None:
    async with office() as (ws, slack, _):
        trigger_id = await trigger(ws)
        opened = await slack.views_open(trigger_id=trigger_id, view=modal(asking()))
        view = ws.view(ANA)
        assert view is not None
        assert (view.id, view.hash, view.title) == (opened["view"]["id"], opened["view"]["hash"], "Close")
        assert opened["view"]["root_view_id"] == view.id
        assert ws.view(TOM) is None
        assert await refused(slack.views_open(trigger_id=trigger_id, view=modal(asking()))) == "exchanged_trigger_id"


async def test_a_trigger_lives_three_seconds() -> None:
    async with office() as (ws, slack, _):
        trigger_id = await trigger(ws)
        ws.clock.move_to(ws.clock.now() + timedelta(seconds=3.1))
        assert await refused(slack.views_open(trigger_id=trigger_id, view=modal(asking()))) == "expired_trigger_id"
        assert await refused(slack.views_open(trigger_id="1.2.3", view=modal(asking()))) == "invalid_trigger_id"


async def test_wrong_views_are_refused_with_pointers_and_spare_the_trigger() -> None:
    async with office() as (ws, slack, _):
        trigger_id = await trigger(ws)
        with pytest.raises(SlackApiError) as caught:
            await slack.views_open(trigger_id=trigger_id, view=modal(asking(), title="a" * 25))
        assert caught.value.response["error"] == "invalid_arguments"
        assert caught.value.response["response_metadata"]["messages"] == [
            "[ERROR] must be less than 25 characters [json-pointer:/view/title/text]"
        ]
        await slack.views_open(trigger_id=trigger_id, view=modal(asking()))


async def test_views_of_250_kilobytes_are_too_large() -> None:
    async with office() as (ws, slack, _):
        blocks = [section("a" * 3000) for _ in range(85)]
        assert await refused(slack.views_open(trigger_id=await trigger(ws), view=modal(*blocks))) == "view_too_large"


async def test_three_dialogs_lie_on_each_other_and_no_more() -> None:
    async with office() as (ws, slack, _):
        await slack.views_open(trigger_id=await trigger(ws), view=modal(actions(button("next"))))
        for _ in range(2):
            view = ws.view(ANA)
            assert view is not None
            clicked = await ws.click(ANA, view, "next")
            pushed = await slack.views_push(trigger_id=clicked.trigger_id, view=modal(actions(button("next"))))
            assert pushed["view"]["previous_view_id"] == view.id
        assert len(ws.views(ANA)) == 3
        clicked = await ws.click(ANA, ws.views(ANA)[-1], "next")
        assert (
            await refused(slack.views_push(trigger_id=clicked.trigger_id, view=modal(section())))
            == "push_limit_reached"
        )
        await ws.close(ws.views(ANA)[-1])
        assert len(ws.views(ANA)) == 2


async def test_updates_are_guarded_by_the_hash() -> None:
    async with office() as (ws, slack, _):
        opened = (await slack.views_open(trigger_id=await trigger(ws), view=modal(section(), external_id="mine")))[
            "view"
        ]
        await slack.views_update(view_id=opened["id"], hash=opened["hash"], view=modal(section("two")))
        work = slack.views_update(view_id=opened["id"], hash=opened["hash"], view=modal(section("three")))
        assert await refused(work) == "hash_conflict"
        await slack.views_update(external_id="mine", view=modal(section("three")))
        view = ws.view(ANA)
        assert view is not None
        assert view.blocks[0]["text"]["text"] == "three"
        await ws.close(view)
        assert await refused(slack.views_update(view_id=opened["id"], view=modal(section()))) == "not_found"


async def submitted(
    answer: dict[str, Any], values: dict[str, Any] | None = None
) -> tuple[Workspace, Any, dict[str, Any]]:
    """Submit a dialog to an app that acknowledges with this; gives the workspace, the delivery and what the app got."""
    got: dict[str, Any] = {}
    async with office() as (ws, slack, app):

        @app.view("closing")
        async def closing(ack: Any, body: dict[str, Any]) -> None:
            got.update(body)
            await ack(**answer)

        await slack.views_open(
            trigger_id=await trigger(ws),
            view=modal(asking(), callback_id="closing", private_metadata="R118"),
        )
        view = ws.view(ANA)
        assert view is not None
        return ws, await ws.submit(view, values or {"Why": "because"}), got


async def test_a_submission_carries_what_was_typed_and_closes_the_dialog() -> None:
    ws, delivery, got = await submitted({})
    assert got["view"]["state"]["values"] == {"why": {"typed": {"type": "plain_text_input", "value": "because"}}}
    assert (got["view"]["private_metadata"], got["user"]["id"], got["type"]) == ("R118", ANA.slack, "view_submission")
    assert (delivery.view, ws.errors) == (None, [])


async def test_errors_keep_the_dialog_open() -> None:
    _, delivery, _ = await submitted({"response_action": "errors", "errors": {"why": "too short"}})
    assert delivery.view_errors == {"why": "too short"}
    assert delivery.view.errors == {"why": "too short"}


@pytest.mark.parametrize(
    ("answer", "titles"),
    [
        ({"response_action": "update", "view": modal(section(), title="Done")}, ["Done"]),
        ({"response_action": "push", "view": modal(section(), title="More")}, ["Close", "More"]),
        ({"response_action": "clear"}, []),
    ],
)
async def test_the_answer_changes_the_stack(answer: dict[str, Any], titles: list[str]) -> None:
    ws, _, _ = await submitted(answer)
    assert [view.title for view in ws.views(ANA)] == titles


@pytest.mark.parametrize(
    "answer",
    [
        {"response_action": "errors", "errors": {"nowhere": "a"}},
        {"response_action": "update", "view": modal(section(""))},
    ],
)
async def test_wrong_answers_are_the_apps_fault(answer: dict[str, Any]) -> None:
    ws, delivery, _ = await submitted(answer)
    assert delivery.user_error == "invalid_arguments"
    assert [refusal.where for refusal in ws.errors] == ["view_submission"]


async def test_slacks_client_checks_inputs_itself() -> None:
    async with office() as (ws, slack, _):
        await slack.views_open(trigger_id=await trigger(ws), view=modal(asking(min_length=3), asking("b")))
        view = ws.view(ANA)
        assert view is not None
        with pytest.raises(CannotDo, match="must be filled in"):
            await ws.submit(view, {"why": "because"})
        with pytest.raises(CannotDo, match="at least 3"):
            await ws.submit(view, {"why": "a", "b": "x"})


async def test_closing_is_told_only_where_asked_for() -> None:
    async with office() as (ws, slack, app):

        @app.view_closed("closing")
        async def closed(ack: Any) -> None:
            await ack()

        await slack.views_open(trigger_id=await trigger(ws), view=modal(section()))
        view = ws.view(ANA)
        assert view is not None
        assert (await ws.close(view)).attempts == []
        await slack.views_open(
            trigger_id=await trigger(ws), view=modal(section(), callback_id="closing", notify_on_close=True)
        )
        view = ws.view(ANA)
        assert view is not None
        told = await ws.close(view)
        assert (told.acked, told.payload["type"], told.payload["is_cleared"]) == (True, "view_closed", False)


async def test_home_tabs_are_published_and_used() -> None:
    async with office() as (ws, slack, _):
        first = (await slack.views_publish(user_id=ANA.slack, view={"type": "home", "blocks": [actions(button())]}))[
            "view"
        ]
        home = ws.home(ANA)
        assert home is not None
        clicked = await ws.click(ANA, home, 1)
        assert clicked.payload["container"] == {"type": "view", "view_id": home.id}
        assert "response_url" not in clicked.payload
        await slack.views_publish(user_id=ANA.slack, hash=first["hash"], view={"type": "home", "blocks": []})
        work = slack.views_publish(user_id=ANA.slack, hash=first["hash"], view={"type": "home", "blocks": []})
        assert await refused(work) == "hash_conflict"
        assert (await ws.open_home(ANA)).event["view"]["id"] == home.id


async def test_clicks_are_told_as_slack_tells_them() -> None:
    async with office() as (ws, slack, _):
        menu = {"type": "static_select", "action_id": "pick", "options": [option("one"), option("two")]}
        blocks = [actions(button("close", value="R118"), menu, block_id="row"), section("x")]
        await slack.chat_postMessage(channel="#release", text="card", blocks=blocks)
        (card,) = ws.said()
        await ws.choose(ANA, card, "pick", "two")
        payload = (await ws.click(ANA, card, "Close")).payload
        assert payload["actions"] == [
            {
                "action_id": "close",
                "block_id": "row",
                "type": "button",
                "text": plain("Close"),
                "value": "R118",
                "action_ts": payload["actions"][0]["action_ts"],
            }
        ]
        chosen = payload["state"]["values"]["row"]["pick"]
        assert chosen == {"type": "static_select", "selected_option": option("two")}
        assert payload["container"] == {
            "type": "message",
            "message_ts": card.ts,
            "channel_id": card.channel,
            "is_ephemeral": False,
        }
        assert payload["message"]["ts"] == card.ts
        assert set(payload) == {
            "type", "user", "api_app_id", "token", "container", "trigger_id", "team", "enterprise",
            "is_enterprise_install", "channel", "message", "state", "response_url", "actions",
        }  # fmt: skip


async def test_what_is_not_on_the_screen_cannot_be_used() -> None:
    async with office() as (ws, slack, _):
        posted = await slack.chat_postMessage(
            channel="#release",
            text="card",
            blocks=[actions(button("a", "Go"), button("b", "Go")), actions(button("a"))],
        )
        (card,) = ws.said()
        for what in ("nothing", "Go", "a", 4):
            with pytest.raises(CannotDo):
                await ws.click(ANA, card, what)
        assert [one.words for one in ws.buttons(card)] == ["Go", "Go", "Close"]
        assert (await ws.click(ANA, card, 2)).payload["actions"][0]["action_id"] == "b"
        await slack.chat_update(channel=posted["channel"], ts=posted["ts"], text="done")
        with pytest.raises(CannotDo):
            await ws.click(ANA, card, 2)
        assert (await ws.click(ANA, card, 2, stale=True)).acked
        await slack.chat_delete(channel=posted["channel"], ts=posted["ts"])
        with pytest.raises(CannotDo):
            await ws.click(ANA, card, 2, stale=True)


async def test_choices_that_are_not_offered_cannot_be_made() -> None:
    async with office() as (ws, slack, _):
        menu = {"type": "overflow", "action_id": "more", "options": [option("Diff", "diff"), option("Mute", "mute")]}
        await slack.chat_postMessage(channel="#release", text="card", blocks=[section(accessory=menu)])
        (card,) = ws.said()
        for chosen in ("Diff", "diff", 1):
            delivery = await ws.choose(ANA, card, "more", chosen)
            assert delivery.payload["actions"][0]["selected_option"] == option("Diff", "diff")
        with pytest.raises(CannotDo):
            await ws.choose(ANA, card, "more", "Close")


async def test_outside_options_are_asked_for_and_judged() -> None:
    async with office() as (ws, slack, app):

        @app.options("project")
        async def projects(ack: Any, payload: dict[str, Any]) -> None:
            await ack(options=[option(payload["value"])] * (101 if payload["value"] == "all" else 1))

        menu = {"type": "external_select", "action_id": "project", "min_query_length": 1}
        await slack.chat_postMessage(channel="#release", text="card", blocks=[actions(menu)])
        (card,) = ws.said()
        assert (await ws.suggest(ANA, card, "project", "web")).options == [option("web")]
        assert (await ws.suggest(ANA, card, "project", "all")).options == []
        assert [refusal.where for refusal in ws.errors] == ["block_suggestion"]
        with pytest.raises(CannotDo):
            await ws.suggest(ANA, card, "project", "")


async def test_shortcuts_open_dialogs() -> None:
    async with office(shortcuts={"attach", "start"}) as (ws, slack, app):

        @app.shortcut("attach")
        async def attach(ack: Any, body: dict[str, Any]) -> None:
            await ack()
            await slack.views_open(trigger_id=body["trigger_id"], view=modal(section(body["message"]["text"])))

        @app.shortcut("start")
        async def start(ack: Any) -> None:
            await ack()

        message = (await ws.say(TOM, "#release", "it fails again")).message
        assert message is not None
        on_message = await ws.shortcut(ANA, "attach", message)
        view = await ws.until(lambda: ws.view(ANA))
        assert view is not None
        assert (on_message.payload["type"], view.blocks[0]["text"]["text"]) == ("message_action", "it fails again")
        anywhere = await ws.shortcut(ANA, "start")
        assert (anywhere.payload["type"], anywhere.acked) == ("shortcut", True)
        with pytest.raises(CannotDo):
            await ws.shortcut(ANA, "unknown")
