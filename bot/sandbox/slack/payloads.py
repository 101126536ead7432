"""What goes to the app, in Slack's exact shapes: commands, events, interactions. Pure but for ids given out."""

from __future__ import annotations

import secrets
from urllib.parse import urlsplit

from bot.sandbox.slack import wire
from bot.sandbox.slack.records import Channel, Json, Message, Person, View
from bot.sandbox.slack.state import State, new_id

COMMAND_CHANNEL_NAMES = {"im": "directmessage", "group": "privategroup"}
CHANNEL_LETTERS = {"channel": "C", "group": "G", "im": "D", "mpim": "G"}


def command(
    state: State,
    person: Person,
    channel: Channel,
    name: str,
    text: str,
    *,
    response_url: str,
    trigger_id: str,
) -> Json:
    """The form fields of a slash command. Source: docs.slack.dev interactivity/implementing-slash-commands.

    The team is the person's own: a command from another workspace comes only if the app is installed there too.
    """
    return {
        "token": state.app.verification_token,
        "team_id": person.team_id,
        "team_domain": state.domains.get(person.team_id, ""),
        "channel_id": channel.id,
        "channel_name": COMMAND_CHANNEL_NAMES.get(channel.kind, channel.name),
        "user_id": person.id,
        "user_name": person.handle,
        "command": name,
        "text": text,
        "api_app_id": state.app.id,
        "is_enterprise_install": "false",
        "response_url": response_url,
        "trigger_id": trigger_id,
    }


def event(state: State, inner: Json, channel: Channel | None = None) -> Json:
    """An event in its envelope."""
    shared = bool(channel and channel.shared_with)
    return {
        "token": state.app.verification_token,
        "team_id": state.team_id,
        "context_team_id": state.team_id,
        "context_enterprise_id": None,
        "api_app_id": state.app.id,
        "event": inner,
        "type": "event_callback",
        "event_id": new_id("Ev"),
        "event_time": int(state.now().timestamp()),
        "authorizations": [
            {
                "enterprise_id": None,
                "team_id": state.team_id,
                "user_id": state.app.user_id,
                "is_bot": True,
                "is_enterprise_install": False,
            }
        ],
        "is_ext_shared_channel": shared,
        "event_context": f"4-{secrets.token_urlsafe(40)}",
    }


def _common(state: State, message: Message) -> Json:
    """The fields that app_mention and message events share."""
    shown = {key: value for key, value in wire.message(state, message).items() if key not in {"type", "reply_count"}}
    return {**shown, "channel": message.channel, "event_ts": message.ts}


def app_mention(state: State, message: Message) -> Json:
    return {"type": "app_mention", **_common(state, message)}


def message_event(state: State, message: Message, channel: Channel) -> Json:
    return {"type": "message", **_common(state, message), "channel_type": channel.kind}


def message_changed(state: State, before: Message, after: Message, channel: Channel) -> Json:
    """How an edit arrives. Ours carry both versions, as Slack's do."""
    ts = state.next_ts(channel.id)
    return {
        "type": "message",
        "subtype": "message_changed",
        "message": wire.message(state, after),
        "previous_message": wire.message(state, before),
        "channel": channel.id,
        "hidden": True,
        "ts": ts,
        "event_ts": ts,
        "channel_type": channel.kind,
    }


def message_deleted(state: State, before: Message, channel: Channel) -> Json:
    ts = state.next_ts(channel.id)
    return {
        "type": "message",
        "subtype": "message_deleted",
        "previous_message": wire.message(state, before),
        "channel": channel.id,
        "hidden": True,
        "deleted_ts": before.ts,
        "ts": ts,
        "event_ts": ts,
        "channel_type": channel.kind,
    }


def link_shared(
    state: State,
    user: str,
    channel: Channel | None,
    links: list[str],
    *,
    ts: str,
    unfurl_id: str,
) -> Json:
    """Links of the app's domains were posted; with no channel they are still being typed."""
    composing = channel is None
    return {
        "type": "link_shared",
        "user": user,
        "channel": "COMPOSER" if channel is None else channel.id,
        "is_bot_user_member": channel is not None and state.app.user_id in channel.members,
        "message_ts": ts,
        "unfurl_id": unfurl_id,
        "source": "composer" if composing else "conversations_history",
        "links": [{"domain": urlsplit(link).hostname or "", "url": link} for link in links],
        "event_ts": state.next_ts("events"),
    }


def joined(state: State, person: str, channel: Channel, inviter: str) -> Json:
    invited = {"inviter": inviter} if inviter else {}
    return {
        "type": "member_joined_channel",
        "user": person,
        "channel": channel.id,
        "channel_type": CHANNEL_LETTERS[channel.kind],
        "team": state.team_id,
        **invited,
        "event_ts": state.next_ts("events"),
    }


def home_opened(state: State, person: Person, tab: str, home: View | None) -> Json:
    direct = state.direct(person.id, state.app.user_id)
    shown = {"view": wire.view(state, home)} if home is not None and tab == "home" else {}
    return {
        "type": "app_home_opened",
        "user": person.id,
        "channel": direct.id,
        "tab": tab,
        **shown,
        "event_ts": state.next_ts("events"),
    }


def reaction(state: State, kind: str, person: str, message: Message, name: str) -> Json:
    return {
        "type": kind,
        "user": person,
        "reaction": name,
        "item_user": message.user,
        "item": {"type": "message", "channel": message.channel, "ts": message.ts},
        "event_ts": state.next_ts("events"),
    }


def _actor(person: Person) -> Json:
    return {"id": person.id, "username": person.handle, "name": person.handle, "team_id": person.team_id}


def _frame(state: State, kind: str, person: Person, team_id: str = "") -> Json:
    """What every interaction carries. `team_id` is the team it is told for, the app's own unless told otherwise.

    A click on a message is told for the team that has the app, whoever clicked; in a dialog, team and view are
    those of the person, and the view says `app_installed_team_id` (read from how Bolt finds its token).
    """
    team_id = team_id or state.team_id
    return {
        "type": kind,
        "user": _actor(person),
        "api_app_id": state.app.id,
        "token": state.app.verification_token,
        "team": {"id": team_id, "domain": state.domains.get(team_id, "")},
        "enterprise": None,
        "is_enterprise_install": False,
    }


def _channel(channel: Channel) -> Json:
    return {"id": channel.id, "name": COMMAND_CHANNEL_NAMES.get(channel.kind, channel.name)}


def _message_container(message: Message, attachment: int) -> Json:
    container: Json = {
        "type": "message",
        "message_ts": message.ts,
        "channel_id": message.channel,
        "is_ephemeral": message.is_ephemeral,
    }
    if message.thread_ts:
        container["thread_ts"] = message.thread_ts
    if attachment:
        card: Json = next((one for one in message.attachments if one.get("id") == attachment), {})
        container |= {"type": "message_attachment", "attachment_id": attachment}
        if card.get("is_app_unfurl"):
            container |= {"is_app_unfurl": True, "app_unfurl_url": card.get("app_unfurl_url")}
    return container


def message_action(
    state: State,
    person: Person,
    message: Message,
    actions: list[Json],
    *,
    values: Json,
    attachment: int,
    response_url: str,
    trigger_id: str,
) -> Json:
    """Something in a message was used. An ephemeral message's content is not in the payload, as in Slack."""
    payload = {
        **_frame(state, "block_actions", person),
        "container": _message_container(message, attachment),
        "trigger_id": trigger_id,
        "channel": _channel(state.channels[message.channel]),
        "state": {"values": values},
        "response_url": response_url,
        "actions": actions,
    }
    if not message.is_ephemeral:
        payload["message"] = wire.message(state, message)
    return payload


def view_action(state: State, person: Person, view: View, actions: list[Json], *, trigger_id: str) -> Json:
    """Something in a modal or Home tab was used."""
    return {
        **_frame(state, "block_actions", person, person.team_id),
        "container": {"type": "view", "view_id": view.id},
        "trigger_id": trigger_id,
        "view": wire.view(state, view),
        "actions": actions,
    }


def view_submission(state: State, person: Person, view: View, *, trigger_id: str, response_urls: list[Json]) -> Json:
    return {
        **_frame(state, "view_submission", person, person.team_id),
        "trigger_id": trigger_id,
        "view": wire.view(state, view),
        "response_urls": response_urls,
    }


def view_closed(state: State, person: Person, view: View, *, cleared: bool) -> Json:
    return {
        **_frame(state, "view_closed", person, person.team_id),
        "view": wire.view(state, view),
        "is_cleared": cleared,
    }


def global_shortcut(state: State, person: Person, callback_id: str, *, trigger_id: str) -> Json:
    return {
        **_frame(state, "shortcut", person, person.team_id),
        "callback_id": callback_id,
        "trigger_id": trigger_id,
        "action_ts": state.next_ts("actions"),
    }


def message_shortcut(
    state: State,
    person: Person,
    message: Message,
    channel: Channel,
    callback_id: str,
    *,
    response_url: str,
    trigger_id: str,
) -> Json:
    return {
        **_frame(state, "message_action", person, person.team_id),
        "callback_id": callback_id,
        "trigger_id": trigger_id,
        "action_ts": state.next_ts("actions"),
        "response_url": response_url,
        "message_ts": message.ts,
        "channel": _channel(channel),
        "message": wire.message(state, message),
    }


def suggestion(
    state: State,
    person: Person,
    action_id: str,
    block_id: str,
    value: str,
    *,
    view: View | None = None,
    message: Message | None = None,
) -> Json:
    """A menu with outside options asks for some that fit what was typed."""
    payload = {
        **_frame(state, "block_suggestion", person),
        "action_id": action_id,
        "block_id": block_id,
        "value": value,
    }
    if view is not None:
        return {**payload, "container": {"type": "view", "view_id": view.id}, "view": wire.view(state, view)}
    if message is not None:
        payload |= {
            "container": _message_container(message, 0),
            "channel": _channel(state.channels[message.channel]),
        }
        if not message.is_ephemeral:
            payload["message"] = wire.message(state, message)
    return payload
