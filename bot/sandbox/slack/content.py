"""What an app wants to say, judged as Slack does before it is posted: text, blocks, attachments, metadata."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from bot.sandbox.slack.blockkit import MESSAGE_BLOCKS_TEXT_MAX, text_weight, validate_blocks, validate_message
from bot.sandbox.slack.records import Json
from bot.sandbox.slack.refusals import Refused
from bot.sandbox.slack.rules import Problem

TEXT_MAX = 40_000
UPDATE_TEXT_MAX_BYTES = 4_000
METADATA_MAX_BYTES = 10_000


@dataclass(frozen=True, slots=True)
class Content:
    """A judged message. A part is None when the app did not mention it (matters for updates)."""

    text: str | None
    blocks: list[Json] | None
    attachments: list[Json] | None
    metadata: Json | None


def unpacked(value: Any, error: str) -> Any:
    """JSON that may have come as a string. Raises Refused(error)."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        raise Refused(error) from None


def read_content(args: Json, *, measure: bool = True) -> Content:
    """Judge what was sent. Raises Refused: no_text, invalid_blocks, invalid_blocks_format, msg_blocks_too_long, …

    `measure` is off for response_urls, which do not know the total limit.
    """
    blocks = unpacked(args.get("blocks"), "invalid_blocks_format")
    attachments = unpacked(args.get("attachments"), "invalid_attachments")
    if blocks is not None:
        if not isinstance(blocks, list):
            raise Refused("invalid_blocks_format")
        _refuse_problems("invalid_blocks", validate_blocks(blocks, "message"))
        if measure and text_weight(blocks) > MESSAGE_BLOCKS_TEXT_MAX:
            raise Refused("msg_blocks_too_long")
    if attachments is not None:
        _refuse_problems("invalid_attachments", validate_message({"attachments": attachments}))
    text = args.get("text")
    if text is None and args.get("markdown_text") is not None:
        text = args["markdown_text"]
    text = None if text is None else str(text)[:TEXT_MAX]
    if not text and not blocks and not attachments:
        raise Refused("no_text")
    return Content(text, blocks, attachments, read_metadata(args.get("metadata")))


def read_metadata(value: Any) -> Json | None:
    """Message metadata: an event type and a flat payload. Raises Refused."""
    value = unpacked(value, "invalid_metadata_format")
    if value is None:
        return None
    if not isinstance(value, dict):
        raise Refused("invalid_metadata_format")
    payload = value.get("event_payload")
    if value.get("entities") is None and (not value.get("event_type") or not isinstance(payload, dict)):
        raise Refused("invalid_metadata_schema", messages=["event_type and event_payload are required"])
    if isinstance(payload, dict) and any(isinstance(inner, dict) for inner in payload.values()):
        raise Refused("invalid_metadata_schema", messages=["event_payload must be flat"])
    if len(json.dumps(value).encode()) > METADATA_MAX_BYTES:
        raise Refused("metadata_too_large")
    return value


def _refuse_problems(error: str, problems: list[Problem]) -> None:
    if problems:
        raise Refused(error, messages=map(str, problems), extra={"errors": [str(problem) for problem in problems]})


def refuse_long_update(text: str | None) -> None:
    """chat.update takes less text than chat.postMessage, measured in bytes."""
    if text is not None and len(text.encode()) > UPDATE_TEXT_MAX_BYTES:
        raise Refused("msg_too_long")
