"""views.*: dialogs and Home tabs."""

from __future__ import annotations

from bot.sandbox.slack import modals, wire
from bot.sandbox.slack.methods._registry import method, required
from bot.sandbox.slack.records import Json, View
from bot.sandbox.slack.refusals import Refused
from bot.sandbox.slack.state import State


def _answer(state: State, view: View) -> Json:
    return {"ok": True, "view": wire.view(state, view)}


@method("views.open", tier=4)
def open_(state: State, args: Json) -> Json:
    """The view is judged first: a refused view does not use the trigger up."""
    required(args, "trigger_id")
    content = modals.read_view(state, args.get("view"), "modal")
    trigger = state.triggers.take(str(args["trigger_id"]), state.now())
    return _answer(state, modals.open_view(state, trigger.user, content))


@method("views.push", tier=4)
def push(state: State, args: Json) -> Json:
    required(args, "trigger_id")
    content = modals.read_view(state, args.get("view"), "modal")
    trigger = state.triggers.take(str(args["trigger_id"]), state.now())
    return _answer(state, modals.push_view(state, trigger.user, content))


@method("views.update", tier=4)
def update(state: State, args: Json) -> Json:
    if not args.get("view_id") and not args.get("external_id"):
        raise Refused("invalid_arguments", messages=["missing required field: view_id"])
    content = modals.read_view(state, args.get("view"), "modal")
    view = modals.find_view(state, args.get("view_id"), args.get("external_id"))
    return _answer(state, modals.update_view(state, view, content, args.get("hash")))


@method("views.publish", tier=4)
def publish(state: State, args: Json) -> Json:
    required(args, "user_id")
    if args["user_id"] not in state.people:
        raise Refused("invalid_arguments", messages=["invalid `user_id` [json-pointer:/user_id]"])
    content = modals.read_view(state, args.get("view"), "home")
    return _answer(state, modals.publish(state, str(args["user_id"]), content, args.get("hash")))
