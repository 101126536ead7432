"""What Slack would refuse in a message, judged from its documentation alone; shares nothing with the presenters."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bot.presenters.message import Message

TEXTS = {"mrkdwn", "plain_text"}


def problems(message: Message) -> list[str]:
    """Everything wrong with a message and those in its thread; empty when nothing is."""
    found = list(_message(message))
    for more in message.more:
        found += problems(more)
    return found


def _message(message: Message) -> Iterator[str]:
    if not message.text.strip():
        yield "no fallback"
    if len(message.text.encode()) > 3_000:
        yield "fallback too long"
    if not 1 <= len(message.blocks) <= 40:
        yield f"{len(message.blocks)} blocks"
    if sum(len(text) for text in _texts(message.blocks)) > 8_000:
        yield "too many characters"
    ids = [block["block_id"] for block in message.blocks if "block_id" in block]
    if len(ids) != len(set(ids)):
        yield "a block_id twice"
    for place, block in enumerate(message.blocks):
        for problem in _block(block):
            yield f"block {place}: {problem}"


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
    elif isinstance(value, dict):
        if isinstance(value.get("text"), str):
            yield value["text"]
        for inner in value.values():
            yield from _texts(inner)


def _block(block: dict[str, Any]) -> Iterator[str]:
    kind = block["type"]
    if kind == "section":
        yield from _section(block)
    elif kind == "header":
        yield from _text(block["text"], 150, plain=True)
    elif kind in ("context", "actions"):
        if not 1 <= len(block["elements"]) <= (10 if kind == "context" else 25):
            yield f"{len(block['elements'])} elements"
        for element in block["elements"]:
            yield from _text(element, 3_000) if kind == "context" else _element(element)
        ids = [element.get("action_id", place) for place, element in enumerate(block["elements"])]
        if len(ids) != len(set(ids)):
            yield "an action_id twice"
    elif kind != "divider":
        yield f"unexpected {kind}"


def _section(block: dict[str, Any]) -> Iterator[str]:
    if "text" not in block and "fields" not in block:
        yield "a section of nothing"
    if "text" in block:
        yield from _text(block["text"], 3_000)
    if "fields" in block:
        if not 1 <= len(block["fields"]) <= 10:
            yield f"{len(block['fields'])} fields"
        for field in block["fields"]:
            yield from _text(field, 2_000)
    if "accessory" in block:
        yield from _element(block["accessory"])


def _text(thing: dict[str, Any], limit: int, *, plain: bool = False) -> Iterator[str]:
    if thing["type"] not in TEXTS or (plain and thing["type"] != "plain_text"):
        yield f"text of type {thing['type']}"
    if not thing["text"].strip() or len(thing["text"]) > limit:
        yield f"{len(thing['text'])} characters"
    if thing["type"] == "mrkdwn" and thing.get("verbatim") is not True:
        yield "not verbatim"
    if thing["type"] == "plain_text" and thing.get("emoji") is not False:
        yield "emoji names are read"
    thing["text"].encode()  # no half characters


def _element(element: dict[str, Any]) -> Iterator[str]:
    if not 1 <= len(element["action_id"]) <= 255:
        yield "action_id"
    if element["type"] == "button":
        yield from _text(element["text"], 75, plain=True)
        if "value" in element and not 1 <= len(element["value"]) <= 2_000:
            yield "button value"
        if "url" in element and not (1 <= len(element["url"]) <= 3_000 and element["url"].startswith("http")):
            yield "button url"
    elif element["type"] == "static_select":
        yield from _text(element["placeholder"], 150, plain=True)
        if not 1 <= len(element["options"]) <= 100:
            yield "options"
        for option in element["options"]:
            yield from _text(option["text"], 75, plain=True)
            if not 1 <= len(option["value"]) <= 150:
                yield "option value"
    else:
        yield f"unexpected {element['type']}"
