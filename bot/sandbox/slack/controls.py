"""The things in blocks that a person can use: finding them by what is written on them, and what using them sends."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from bot.sandbox.slack.records import Json
from bot.sandbox.slack.refusals import CannotDo

BUTTONS = frozenset({"button", "workflow_button", "icon_button", "feedback_button"})

#: Under which keys an element's value stands: the present one in `state.values` and actions, the initial one in blocks.
VALUE_KEYS: dict[str, tuple[str, str]] = {
    "static_select": ("selected_option", "initial_option"),
    "external_select": ("selected_option", "initial_option"),
    "users_select": ("selected_user", "initial_user"),
    "conversations_select": ("selected_conversation", "initial_conversation"),
    "channels_select": ("selected_channel", "initial_channel"),
    "multi_static_select": ("selected_options", "initial_options"),
    "multi_external_select": ("selected_options", "initial_options"),
    "multi_users_select": ("selected_users", "initial_users"),
    "multi_conversations_select": ("selected_conversations", "initial_conversations"),
    "multi_channels_select": ("selected_channels", "initial_channels"),
    "datepicker": ("selected_date", "initial_date"),
    "timepicker": ("selected_time", "initial_time"),
    "datetimepicker": ("selected_date_time", "initial_date_time"),
    "checkboxes": ("selected_options", "initial_options"),
    "radio_buttons": ("selected_option", "initial_option"),
    "overflow": ("selected_option", ""),
    "plain_text_input": ("value", "initial_value"),
    "email_text_input": ("value", "initial_value"),
    "url_text_input": ("value", "initial_value"),
    "number_input": ("value", "initial_value"),
    "rich_text_input": ("rich_text_value", "initial_value"),
    "file_input": ("files", ""),
}
TYPED = frozenset({"plain_text_input", "email_text_input", "url_text_input", "number_input"})
_PICKED: dict[str, Callable[[str], object]] = {
    "datepicker": date.fromisoformat,
    "timepicker": lambda text: datetime.strptime(text, "%H:%M"),  # noqa: DTZ007  a time of day has no zone
}


@dataclass(frozen=True, slots=True)
class Control:
    """One usable element. `number` counts from 1 in reading order: buttons among buttons, others among others.

    `attachment` is the id of the attachment it stands in, 0 when it stands in the message's own blocks.
    """

    number: int
    kind: str
    block: Json
    element: Json
    attachment: int = 0

    @property
    def action_id(self) -> str:
        return str(self.element.get("action_id") or "")

    @property
    def block_id(self) -> str:
        return str(self.block.get("block_id") or "")

    @property
    def words(self) -> str:
        """What is written on it: a button's text, an input's label, a menu's placeholder."""
        for source in (self.element.get("text"), self.block.get("label"), self.element.get("placeholder")):
            if isinstance(source, dict) and source.get("text"):
                return str(source["text"])
        return ""

    @property
    def value(self) -> str:
        return str(self.element.get("value") or "")

    @property
    def url(self) -> str:
        return str(self.element.get("url") or "")

    @property
    def is_input(self) -> bool:
        return self.block.get("type") == "input"


def controls(blocks: Iterable[Json], attachments: Sequence[Json] = ()) -> list[Control]:
    """Everything usable in a message or view, in reading order."""
    found = [(0, block, element) for block, element in _walk(blocks)]
    for index, attachment in enumerate(attachments, start=1):
        number = int(attachment.get("id") or index)
        found += [(number, block, element) for block, element in _walk(attachment.get("blocks") or ())]
    numbers = {True: 0, False: 0}
    counted = []
    for attachment_id, block, element in found:
        is_button = element["type"] in BUTTONS
        numbers[is_button] += 1
        counted.append(Control(numbers[is_button], element["type"], block, element, attachment_id))
    return counted


def _walk(blocks: Iterable[Json]) -> Iterator[tuple[Json, Json]]:
    for block in blocks:
        for element in _elements(block):
            if element.get("type") in BUTTONS or element.get("type") in VALUE_KEYS:
                yield block, element
        yield from _walk(block.get("child_blocks") or ())
        if block.get("type") == "carousel":
            yield from _walk(block.get("elements") or ())


def _elements(block: Json) -> list[Json]:
    match block.get("type"):
        case "section":
            return [block["accessory"]] if block.get("accessory") else []
        case "input":
            return [block["element"]]
        case "card":
            return list(block.get("actions") or ())
        case "actions" | "context_actions":
            return [part for element in block.get("elements", ()) for part in _parts(element)]
        case _:
            return []


def _parts(element: Json) -> list[Json]:
    """Feedback buttons are two buttons with one action_id."""
    if element.get("type") != "feedback_buttons":
        return [element]
    action_id = element.get("action_id")
    return [
        {**element[key], "type": "feedback_button", "action_id": action_id}
        for key in ("positive_button", "negative_button")
    ]


def pick(found: Sequence[Control], what: str | int, value: str | None = None) -> Control:
    """The one control meant by its number, action_id, words or block_id (in this order); `value` tells twins apart.

    Raises CannotDo listing what there is when none or several fit.
    """
    if isinstance(what, int):
        fitting = [one for one in found if one.number == what]
    else:
        fitting = []
        for attribute in ("action_id", "words", "block_id"):
            fitting = fitting or [one for one in found if getattr(one, attribute) == what]
    if value is not None:
        fitting = [one for one in fitting if one.value == value]
    if len(fitting) != 1:
        there = ", ".join(f"{one.number}: {one.words!r} ({one.action_id})" for one in found) or "nothing"
        raise CannotDo(f"{'nothing' if not fitting else 'more than one thing'} here is {what!r}; there is {there}")
    return fitting[0]


def present(control: Control, entered: Any) -> Json:
    """The control's entry in `state.values`: what was entered, else its initial value."""
    key, initial = VALUE_KEYS[control.kind]
    value = entered if entered is not None else control.element.get(initial) if initial else None
    if value == "" and control.kind in TYPED:  # an input that was emptied
        value = None
    if value is None and key.endswith("s"):
        value = []
    return {"type": control.kind, key: value}


def choice(control: Control, chosen: Any) -> Any:
    """What a person chose, as Slack sends it: options by value, words or number become the whole option.

    Raises CannotDo for what Slack's client does not offer or take.
    """
    key, _ = VALUE_KEYS[control.kind]
    if control.kind in TYPED:
        return None if chosen is None else str(chosen)
    if control.kind in _PICKED and chosen:
        return _picked(control, str(chosen))
    if control.kind == "datetimepicker" and chosen:
        return _moment(control, chosen)
    if key == "selected_option":
        return None if chosen is None else _option(control, chosen)
    if key == "selected_options":
        several = chosen if isinstance(chosen, list | tuple | set) else [chosen]
        return [_option(control, one) for one in several]
    if key.endswith("s") and not isinstance(chosen, list):
        return list(chosen) if isinstance(chosen, tuple | set) else [chosen]
    return chosen


def _picked(control: Control, chosen: str) -> str:
    """A day or a time of day, which people can only pick."""
    try:
        _PICKED[control.kind](chosen)
    except ValueError:
        form = "2026-01-05" if control.kind == "datepicker" else "09:30"
        raise CannotDo(f"{control.words!r} takes what looks like {form}") from None
    return chosen


def _moment(control: Control, chosen: Any) -> int:
    """Seconds since 1970; also of `2026-01-05T09:30+01:00`."""
    try:
        return int(chosen) if str(chosen).isdecimal() else int(datetime.fromisoformat(str(chosen)).timestamp())
    except ValueError:
        raise CannotDo(f"{control.words!r} takes what looks like 2026-01-05T09:30+01:00") from None


def _option(control: Control, chosen: Any) -> Json:
    options = list(control.element.get("options") or ())
    for group in control.element.get("option_groups") or ():
        options += group["options"]
    if isinstance(chosen, dict) and (chosen in options or "external" in control.kind):
        return chosen
    for number, option in enumerate(options, start=1):
        if chosen in (option.get("value"), option["text"]["text"]) or (chosen == number and isinstance(chosen, int)):
            return dict(option)
    raise CannotDo(f"{chosen!r} is not offered; there is {[option['text']['text'] for option in options]}")


def pressed(control: Control, chosen: Any, action_ts: str) -> Json:
    """The entry in `actions[]` of a block_actions payload."""
    action: Json = {
        "action_id": control.action_id,
        "block_id": control.block_id,
        "type": control.kind,
        "action_ts": action_ts,
    }
    if control.kind in BUTTONS:
        action["type"] = "feedback_buttons" if control.kind == "feedback_button" else control.kind
        action["text"] = control.element.get("text")
        for key in ("value", "style"):
            if control.element.get(key) is not None:
                action[key] = control.element[key]
        return action
    key, initial = VALUE_KEYS[control.kind]
    if control.element.get(initial) is not None:
        action[initial] = control.element[initial]
    if control.element.get("placeholder"):
        action["placeholder"] = control.element["placeholder"]
    return {**action, key: chosen}
