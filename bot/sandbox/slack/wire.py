"""How the workspace's things look in answers and events: users, channels, messages, views, as Slack sends them."""

from __future__ import annotations

import re

from bot.sandbox.slack.records import Channel, Json, Message, Person, Upload, UserGroup, View
from bot.sandbox.slack.state import State

TZ_NAMES = {
    "Europe/Berlin": ("Central European Time", 3600),
    "America/New_York": ("Eastern Time", -18000),
    "America/Los_Angeles": ("Pacific Time", -28800),
}

#: By the ending of a file's name; what has none is text to Slack.
MIME_TYPES = {
    "png": "image/png",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "gif": "image/gif",
    "pdf": "application/pdf",
    "json": "application/json",
    "xml": "application/xml",
    "zip": "application/zip",
    "csv": "text/csv",
    "html": "text/html",
    "text": "text/plain",
    "txt": "text/plain",
    "log": "text/plain",
    "md": "text/plain",
}


def user(state: State, person: Person) -> Json:
    """A user object. `profile.email` is there only with the scope users:read.email.

    Of people from other workspaces Slack tells no ranks; one that is set here all the same is told, for the worst case.
    """
    label, offset = TZ_NAMES.get(person.tz, (person.tz, 0))
    first, _, last = person.name.partition(" ")
    profile: Json = {
        "title": "",
        "real_name": person.name,
        "real_name_normalized": person.name,
        "display_name": person.handle,
        "display_name_normalized": person.handle,
        "first_name": first,
        "last_name": last,
        "team": person.team_id,
        "status_text": "",
        "status_emoji": "",
        "avatar_hash": "g000000000",
        "image_48": "https://secure.gravatar.com/avatar/0.png",
    }
    if person.is_bot:
        profile |= {"api_app_id": state.app.id, "bot_id": state.app.bot_id, "always_active": True}
    elif person.email and "users:read.email" in state.app.scopes:
        profile["email"] = person.email
    ranks = {
        "is_admin": person.is_admin or person.is_owner,
        "is_owner": person.is_owner,
        "is_primary_owner": person.is_owner,
    }
    return {
        "id": person.id,
        "team_id": person.team_id,
        "name": person.handle,
        "deleted": person.deleted,
        "color": "9f69e7",
        "real_name": person.name,
        "tz": person.tz,
        "tz_label": label,
        "tz_offset": offset,
        "profile": profile,
        **{rank: held for rank, held in ranks.items() if held or not person.is_outsider},
        "is_restricted": person.is_guest or person.is_single_channel,
        "is_ultra_restricted": person.is_single_channel,
        "is_bot": person.is_bot,
        "is_app_user": False,
        "is_email_confirmed": not person.is_bot,
        "who_can_share_contact_card": "EVERYONE",
        "updated": 1_700_000_000,
        **({"is_stranger": _stranger(state, person)} if person.is_outsider else {}),
    }


def _stranger(state: State, person: Person) -> bool:
    """From another workspace and in no channel that the app can see."""
    return not any(person.id in one.members and state.app.user_id in one.members for one in state.channels.values())


def channel(state: State, one: Channel) -> Json:
    """A conversation object."""
    common: Json = {
        "id": one.id,
        "created": one.created,
        "is_archived": one.archived,
        "is_im": one.kind == "im",
        "is_mpim": one.kind == "mpim",
        "is_org_shared": False,
        "updated": one.created * 1000,
        "context_team_id": state.team_id,
        "priority": 0,
    }
    if one.kind == "im":
        others = [member for member in one.members if member != state.app.user_id]
        return {**common, "user": others[0] if others else state.app.user_id, "is_user_deleted": False, "is_open": True}
    return {
        **common,
        "name": one.name,
        "name_normalized": one.name,
        "is_channel": one.kind == "channel",
        "is_group": one.kind == "group",
        "is_private": one.kind != "channel",
        "is_general": one.name == "general",
        "is_shared": bool(one.shared_with),
        "is_ext_shared": bool(one.shared_with),
        "is_pending_ext_shared": False,
        "shared_team_ids": list(one.shared_with) or [state.team_id],
        "is_member": state.app.user_id in one.members,
        "creator": next(iter(one.members), ""),
        "unlinked": 0,
        "parent_conversation": None,
        "previous_names": [],
        "topic": {"value": one.topic, "creator": "", "last_set": 0},
        "purpose": {"value": "", "creator": "", "last_set": 0},
        "num_members": len(one.members),
    }


def message(state: State, one: Message) -> Json:
    """A message object as history and interactions show it."""
    person = state.people.get(one.user)
    shown: Json = {"type": "message", "user": one.user, "text": one.text, "ts": one.ts, "team": state.team_id}
    if person is not None:
        shown["team"] = person.team_id
    if one.by_app:
        shown |= {"bot_id": state.app.bot_id, "app_id": state.app.id, "bot_profile": bot_profile(state)}
    if one.client_msg_id:
        shown["client_msg_id"] = one.client_msg_id
    if person is not None and person.is_outsider:
        shown |= {"user_team": person.team_id, "source_team": person.team_id}
    if one.blocks:
        shown["blocks"] = list(one.blocks)
    if one.attachments:
        shown["attachments"] = list(one.attachments)
    if one.thread_ts:
        shown["thread_ts"] = one.thread_ts
        parent = state.messages.get((one.channel, one.thread_ts))
        shown["parent_user_id"] = parent.user if parent else ""
        if one.broadcast:
            shown["subtype"] = "thread_broadcast"
    if one.edited_ts:
        shown["edited"] = {"user": one.edited_by, "ts": one.edited_ts}
    if one.files:
        shown["files"] = [file(state, state.uploads[file_id]) for file_id in one.files]
    if one.reactions:
        names = dict.fromkeys(name for name, _ in one.reactions)
        shown["reactions"] = [
            {"name": name, "users": who, "count": len(who)}
            for name in names
            for who in [[user_id for each, user_id in one.reactions if each == name]]
        ]
    return shown | _thread_summary(state, one)


def _thread_summary(state: State, one: Message) -> Json:
    """What a parent tells about its replies."""
    if one.thread_ts or one.is_ephemeral:
        return {}
    replies = state.replies(one.channel, one.ts)
    if not replies:
        return {}
    users = list(dict.fromkeys(each.user for each in replies))
    return {
        "thread_ts": one.ts,
        "reply_count": len(replies),
        "reply_users": users,
        "reply_users_count": len(users),
        "latest_reply": replies[-1].ts,
        "is_locked": False,
        "subscribed": False,
    }


def bot_profile(state: State) -> Json:
    return {
        "id": state.app.bot_id,
        "app_id": state.app.id,
        "user_id": state.app.user_id,
        "name": state.app.name,
        "icons": {"image_36": "https://a.slack-edge.com/0.png"},
        "deleted": False,
        "updated": 1_700_000_000,
        "team_id": state.team_id,
    }


def file(state: State, one: Upload) -> Json:
    """A file object. Its private addresses lead to this workspace, where they want the token as Slack's do."""
    stem, dot, kind = one.name.rpartition(".")
    kind = kind.lower() if stem and dot else "text"
    address = re.sub(r"[^a-z0-9._-]", "_", one.name.lower())
    folder = f"{state.base_url}/files-pri/{state.team_id}-{one.id}"
    shares: dict[str, list[str]] = {"channel": [], "group": [], "im": [], "mpim": []}
    for channel_id in one.shares:
        shares[state.channels[channel_id].kind].append(channel_id)
    return {
        "id": one.id,
        "created": one.created,
        "timestamp": one.created,
        "name": one.name,
        "title": one.title or one.name,
        "mimetype": MIME_TYPES.get(kind, "application/octet-stream"),
        "filetype": kind,
        "pretty_type": kind.upper(),
        "user": one.user,
        "user_team": state.people[one.user].team_id if one.user in state.people else state.team_id,
        "editable": False,
        "size": one.length,
        "mode": "hosted",
        "is_external": False,
        "external_type": "",
        "is_public": bool(shares["channel"]),
        "public_url_shared": False,
        "display_as_bot": False,
        "username": "",
        "url_private": f"{folder}/{address}",
        "url_private_download": f"{folder}/download/{address}",
        "permalink": f"https://{state.domain}.slack.com/files/{one.user}/{one.id}/{address}",
        "channels": shares["channel"],
        "groups": shares["group"] + shares["mpim"],
        "ims": shares["im"],
        "comments_count": 0,
        "has_rich_preview": False,
        "file_access": "visible",
    }


def group(state: State, one: UserGroup) -> Json:
    return {
        "id": one.id,
        "team_id": state.team_id,
        "is_usergroup": True,
        "name": one.name,
        "description": "",
        "handle": one.handle,
        "is_external": False,
        "date_create": 1_700_000_000,
        "date_update": 1_700_000_000,
        "date_delete": 1_700_000_000 if one.disabled else 0,
        "created_by": "",
        "updated_by": "",
        "deleted_by": None,
        "auto_type": None,
        "prefs": {"channels": [], "groups": []},
    }


def view(state: State, one: View) -> Json:
    """A view object as the API answers it and as interactions carry it."""
    content = one.content
    return {
        "id": one.id,
        "team_id": state.people[one.user].team_id,
        "type": one.kind,
        "blocks": list(one.blocks),
        "private_metadata": one.private_metadata,
        "callback_id": one.callback_id,
        "state": {"values": one.typed},
        "hash": one.hash,
        "title": content.get("title"),
        "clear_on_close": bool(content.get("clear_on_close")),
        "notify_on_close": bool(content.get("notify_on_close")),
        "close": content.get("close"),
        "submit": content.get("submit"),
        "previous_view_id": one.previous_id or None,
        "root_view_id": one.root_id,
        "app_id": state.app.id,
        "external_id": one.external_id,
        "app_installed_team_id": state.team_id,
        "bot_id": state.app.bot_id,
    }


def permalink(state: State, one: Message) -> str:
    link = f"https://{state.domain}.slack.com/archives/{one.channel}/p{one.ts.replace('.', '')}"
    return f"{link}?thread_ts={one.thread_ts}&cid={one.channel}" if one.thread_ts else link
