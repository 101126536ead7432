"""files.*: the three steps of an upload (ask for a place, send the bytes, say where it belongs), and looking one up."""

from __future__ import annotations

import secrets
from typing import Any

from bot.sandbox.slack import filing, wire
from bot.sandbox.slack.content import unpacked
from bot.sandbox.slack.methods._registry import method, required
from bot.sandbox.slack.records import Json, Upload
from bot.sandbox.slack.refusals import Refused
from bot.sandbox.slack.state import State, new_id


@method("files.getUploadURLExternal", "files:write", tier=4)
def get_upload_url(state: State, args: Json) -> Json:
    required(args, "filename", "length")
    try:
        length = int(args["length"])
    except ValueError:
        raise Refused("invalid_arguments") from None
    if length <= 0:
        raise Refused("file_upload_size_restricted" if length == 0 else "invalid_arguments")
    upload = Upload(new_id("F"), str(args["filename"]), length, secrets.token_hex(8))
    upload.user, upload.created = state.app.user_id, int(state.now().timestamp())
    state.uploads[upload.id] = upload
    return {"ok": True, "upload_url": f"{state.base_url}/upload/v1/{upload.id}/{upload.secret}", "file_id": upload.id}


@method("files.completeUploadExternal", "files:write", tier=4)
def complete_upload(state: State, args: Json) -> Json:
    """Finish uploads and, with `channel_id`, share them there as one message."""
    named = unpacked(args.get("files"), "invalid_arguments")
    if not isinstance(named, list) or not named:
        raise Refused("invalid_arguments", messages=["missing required field: files"])
    uploads = [_ready(state, one) for one in named]
    channel_ids = [word for word in str(args.get("channels") or args.get("channel_id") or "").split(",") if word]
    for word in channel_ids:
        channel = state.channel_for_app(word)
        if state.app.user_id not in channel.members:
            raise Refused("not_in_channel")
        state.post(
            channel,
            state.app.user_id,
            str(args.get("initial_comment") or ""),
            by_app=True,
            thread_ts=str(args.get("thread_ts") or ""),
            files=tuple(one.id for one in uploads),
        )
    for upload in uploads:
        upload.complete = True
        upload.shares += channel_ids
    return {"ok": True, "files": [wire.file(state, one) for one in uploads]}


@method("files.info", "files:read", tier=4)
def info(state: State, args: Json) -> Json:
    """What is known of a file that the app may read. Raises Refused file_not_found for all others."""
    required(args, "file")
    upload = state.uploads.get(str(args["file"]))
    if upload is None or not upload.complete or not filing.app_may_read(state, upload):
        raise Refused("file_not_found")
    return {"ok": True, "file": wire.file(state, upload), "comments": [], "response_metadata": {"next_cursor": ""}}


def _ready(state: State, one: Any) -> Upload:
    """The upload named, its bytes there. Raises Refused file_not_found or internal_error."""
    upload = state.uploads.get(str(one.get("id"))) if isinstance(one, dict) else None
    if upload is None or upload.complete:
        raise Refused("file_not_found")
    if upload.data is None:
        raise Refused("file_update_failed")
    upload.title = str(one.get("title") or upload.name)
    return upload
