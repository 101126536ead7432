"""Is this Block Kit something Slack would take? Pure: a payload in, a list of problems with JSON pointers out.

`validate_blocks(blocks, "message")`, `validate_message(message)`, `validate_view(view)`; `text_weight(blocks)` is
what counts towards a message's undocumented total.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Literal

from bot.sandbox.slack.blockshapes import BLOCKS, VIEWS
from bot.sandbox.slack.limits import BLOCK_OVERHEAD, BLOCK_OVERHEAD_DEFAULT, MESSAGE_BLOCKS_TEXT_MAX, SURFACES, limit
from bot.sandbox.slack.records import Json
from bot.sandbox.slack.rules import Problem, Report

Surface = Literal["message", "modal", "home"]

__all__ = [
    "MESSAGE_BLOCKS_TEXT_MAX",
    "Problem",
    "Surface",
    "text_weight",
    "validate_blocks",
    "validate_message",
    "validate_view",
]


def validate_blocks(blocks: Any, surface: Surface, at: str = "/blocks") -> list[Problem]:
    """What is wrong with the blocks of a message, modal or Home tab; empty when nothing is."""
    report = Report()
    if not isinstance(blocks, list | tuple):
        report.note(at, "invalid_type", "must be an array")
        return report.problems
    most = limit("message.blocks.max_items" if surface == "message" else "view.blocks.max_items")
    if len(blocks) > most:
        report.note(at, "too_many", f"no more than {most} items allowed", max=most, got=len(blocks))
    rule = BLOCKS.only(*SURFACES[surface])
    for index, block in enumerate(blocks):
        rule(block, f"{at}/{index}", report)
    sound = [(f"{at}/{index}", block) for index, block in enumerate(blocks) if isinstance(block, dict)]
    _unique_ids(sound, report)
    _totals(sound, at, report)
    if surface != "modal":
        _no_file_inputs(sound, report)
    return report.problems


def validate_message(message: Any) -> list[Problem]:
    """What is wrong with the `blocks` and `attachments` of a message payload."""
    if not isinstance(message, dict):
        return [Problem("", "invalid_type", "must be an object")]
    problems = [] if message.get("blocks") is None else validate_blocks(message["blocks"], "message")
    attachments = message.get("attachments") or []
    if not isinstance(attachments, list):
        return [*problems, Problem("/attachments", "invalid_type", "must be an array")]
    most = limit("message.attachments.max_items")
    if len(attachments) > most:
        problems.append(Problem("/attachments", "too_many", f"no more than {most} items allowed"))
    for index, attachment in enumerate(attachments):
        at = f"/attachments/{index}"
        if not isinstance(attachment, dict):
            problems.append(Problem(at, "invalid_type", "must be an object"))
        elif attachment.get("blocks") is not None:
            problems += validate_blocks(attachment["blocks"], "message", f"{at}/blocks")
    return problems


def validate_view(view: Any, at: str = "/view") -> list[Problem]:
    """What is wrong with a modal or Home tab."""
    report = Report()
    VIEWS.only("modal", "home")(view, at, report)
    if not isinstance(view, dict) or view.get("type") not in {"modal", "home"}:
        return report.problems
    blocks = view.get("blocks")
    if blocks is None:
        return report.problems
    problems = report.problems + validate_blocks(blocks, view["type"], f"{at}/blocks")
    has_input = isinstance(blocks, list) and any(isinstance(one, dict) and one.get("type") == "input" for one in blocks)
    if view["type"] == "modal" and has_input and not view.get("submit"):
        problems.append(
            Problem(at, "missing_field", "submit is required when an input block is in blocks", {"field": "submit"})
        )
    if sum(1 for element in _elements(blocks) if element.get("focus_on_load")) > 1:
        problems.append(Problem(f"{at}/blocks", "conflict", "only one element may have focus_on_load"))
    return problems


def text_weight(blocks: Sequence[Json]) -> int:
    """Characters of all words in the blocks plus an overhead per block; Slack's measure is unknown, this is near it."""
    overhead = sum(BLOCK_OVERHEAD.get(str(block.get("type")), BLOCK_OVERHEAD_DEFAULT) for block in blocks)
    return overhead + sum(len(words) for words in _words(list(blocks)))


def _words(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for inner in value:
            yield from _words(inner)
    elif isinstance(value, dict):
        for key, inner in value.items():
            if isinstance(inner, str):
                if key in {"text", "alt_text", "caption", "label", "title"}:
                    yield inner
            else:
                yield from _words(inner)


def _elements(value: Any) -> Iterator[Json]:
    """All objects inside a payload, however deep."""
    if isinstance(value, list):
        for inner in value:
            yield from _elements(inner)
    elif isinstance(value, dict):
        yield value
        for inner in value.values():
            yield from _elements(inner)


def _unique_ids(blocks: Sequence[tuple[str, Json]], report: Report) -> None:
    """block_id once per payload, action_id once per block."""
    seen: set[str] = set()
    for at, block in blocks:
        block_id = block.get("block_id")
        if isinstance(block_id, str):
            if block_id in seen:
                report.note(f"{at}/block_id", "duplicate", f"`block_id` {block_id} already exists for another block")
            seen.add(block_id)
        actions: set[str] = set()
        for element in _elements(block):
            action_id = element.get("action_id")
            if isinstance(action_id, str):
                if action_id in actions:
                    report.note(at, "duplicate", f"`action_id` {action_id} already exists for another element")
                actions.add(action_id)


def _totals(blocks: Sequence[tuple[str, Json]], at: str, report: Report) -> None:
    """What is counted over all blocks of a payload: tables, charts, markdown, standalone tasks."""

    def of(kind: str) -> list[tuple[str, Json]]:
        return [(where, block) for where, block in blocks if block.get("type") == kind]

    if len(of("table")) > 1:
        report.note(at, "too_many", "only one table block allowed", max=1, got=len(of("table")))
    charts, most = of("data_visualization"), limit("message.data_visualizations.max_items")
    if len(charts) > most:
        report.note(at, "too_many", f"no more than {most} data_visualization blocks allowed", max=most, got=len(charts))
    for kind, name in (
        ("table", "table.content.max_length"),
        ("data_table", "data_table.total_content.max_length"),
        ("markdown", "markdown.total_text.max_length"),
    ):
        size = sum(len(words) for _, block in of(kind) for words in _words(block))
        if size > limit(name):
            report.note(
                at, "too_long", f"all {kind} blocks together must be less than {limit(name) + 1} characters", got=size
            )
    for where, block in of("task_card"):
        if block.get("status") == "pending":
            report.note(f"{where}/status", "invalid_value", "a standalone task_card cannot be pending")
        elif block.get("status") is None:
            report.note(where, "missing_field", "missing required field: status", field="status")


def _no_file_inputs(blocks: Sequence[tuple[str, Json]], report: Report) -> None:
    for at, block in blocks:
        element = block.get("element")
        if isinstance(element, dict) and element.get("type") == "file_input":
            report.note(f"{at}/element/type", "unsupported_type", "unsupported type: file_input")
