"""Views: judged, opened, stacked, updated, closed. At most three modals lie on top of each other."""

from __future__ import annotations

import json
import secrets
from dataclasses import replace
from typing import Any, Literal

from bot.sandbox.slack.blockkit import validate_view
from bot.sandbox.slack.content import unpacked
from bot.sandbox.slack.records import Json, View
from bot.sandbox.slack.refusals import Refused
from bot.sandbox.slack.state import State, named, new_id

STACK_MAX = 3
VIEW_BYTES_MAX = 250_000


def read_view(state: State, value: Any, kind: Literal["modal", "home"]) -> Json:
    """Judge a view that the app sent. Raises Refused invalid_arguments, view_too_large or missing_scope."""
    value = unpacked(value, "invalid_arguments")
    if not isinstance(value, dict):
        raise Refused("invalid_arguments", messages=["missing required field: view [json-pointer:/view]"])
    problems = [str(problem) for problem in validate_view(value)]
    if value.get("type") != kind:
        problems.append(f"view type must be {kind} [json-pointer:/view/type]")
    if problems:
        raise Refused("invalid_arguments", messages=problems)
    if len(json.dumps(value, ensure_ascii=False).encode()) > VIEW_BYTES_MAX:
        raise Refused("view_too_large")
    _refuse_unreadable_files(state, value["blocks"])
    return {**value, "blocks": list(named(value["blocks"]))}


def open_view(state: State, user: str, content: Json) -> View:
    """Show a modal; whatever stack the person had before is gone."""
    _refuse_double(state, content, None)
    _forget(state, user)
    return _stack(state, user, content)


def push_view(state: State, user: str, content: Json) -> View:
    """Lay a modal on top. Raises Refused push_limit_reached."""
    stack = state.stacks.get(user) or []
    if not stack:
        raise Refused("not_found")
    if len(stack) >= STACK_MAX:
        raise Refused("push_limit_reached")
    _refuse_double(state, content, None)
    return _stack(state, user, content)


def update_view(state: State, old: View, content: Json, known_hash: str | None = None) -> View:
    """Replace what a view shows; what was typed stays for blocks with the same block_id and action_id.

    Raises Refused hash_conflict when `known_hash` is not the present one.
    """
    if known_hash and known_hash != old.hash:
        raise Refused("hash_conflict")
    _refuse_double(state, content, old)
    ids = {block["block_id"] for block in content["blocks"]}
    fresh = replace(
        old,
        content=content,
        hash=_hash(state),
        updates=old.updates + 1,
        errors={},
        external_id=str(content.get("external_id") or old.external_id),
        typed={block_id: inner for block_id, inner in old.typed.items() if block_id in ids},
    )
    if old.kind == "home":
        state.homes[old.user] = fresh
    else:
        state.views[old.id] = fresh
    state.changed()
    return fresh


def publish(state: State, user: str, content: Json, known_hash: str | None) -> View:
    """Set somebody's Home tab. Raises Refused hash_conflict."""
    old = state.homes.get(user)
    if old is not None:
        return update_view(state, old, content, known_hash)
    if known_hash:
        raise Refused("hash_conflict")
    view_id = new_id("V")
    fresh = View(
        view_id, user, "home", content, _hash(state), view_id, external_id=str(content.get("external_id") or "")
    )
    state.homes[user] = fresh
    state.changed()
    return fresh


def close_top(state: State, user: str) -> None:
    """The top modal is gone, the one below shows again."""
    stack = state.stacks.get(user) or []
    if stack:
        state.views.pop(stack.pop(), None)
    state.changed()


def close_all(state: State, user: str) -> None:
    _forget(state, user)
    state.changed()


def find_view(state: State, view_id: Any, external_id: Any) -> View:
    """An open view by either id. Raises Refused not_found."""
    for one in (*state.views.values(), *state.homes.values()):
        if (view_id and one.id == view_id) or (not view_id and external_id and one.external_id == external_id):
            return one
    raise Refused("not_found")


def _stack(state: State, user: str, content: Json) -> View:
    stack = state.stacks.setdefault(user, [])
    view_id = new_id("V")
    below = state.views[stack[-1]] if stack else None
    fresh = View(
        view_id,
        user,
        "modal",
        content,
        _hash(state),
        below.root_id if below else view_id,
        previous_id=below.id if below else "",
        external_id=str(content.get("external_id") or ""),
    )
    state.views[view_id] = fresh
    stack.append(view_id)
    state.changed()
    return fresh


def _forget(state: State, user: str) -> None:
    for view_id in state.stacks.pop(user, []):
        state.views.pop(view_id, None)


def _refuse_double(state: State, content: Json, mine: View | None) -> None:
    external_id = content.get("external_id")
    if external_id and any(
        one.external_id == external_id and (mine is None or one.id != mine.id) for one in state.views.values()
    ):
        raise Refused("duplicate_external_id")


def _refuse_unreadable_files(state: State, blocks: list[Json]) -> None:
    """A file_input needs files:read. Source: docs.slack.dev block-elements/file-input-element; it names no error."""
    takes_files = any((block.get("element") or {}).get("type") == "file_input" for block in blocks)
    if takes_files and "files:read" not in state.app.scopes:
        provided = ",".join(sorted(state.app.scopes))
        raise Refused("missing_scope", extra={"needed": "files:read", "provided": provided})


def _hash(state: State) -> str:
    return f"{int(state.now().timestamp())}.{secrets.token_hex(4)}"
