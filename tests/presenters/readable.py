"""A message as text: what a person sees, without Slack."""

from __future__ import annotations

import re
from typing import Any

from bot.presenters.message import Message, View

_LINK = re.compile(r"<https?://[^|<>]*\|([^<>]*)>")
_DATE = re.compile(r"<!date\^\d+\^[^|]*\|([^<>]*)>")
_SIGNS = (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&"))


def read(message: Message) -> str:
    """Sections as they are, small print indented by two, buttons in brackets; then what goes to the thread."""
    lines = [f"({_words(message.text)})", ""]
    for block in message.blocks:
        lines += _block(block)
    for number, more in enumerate(message.more, 1):
        lines += ["", f"--- in the thread, {number} ---", read(more)]
    return "\n".join(line.rstrip() for line in lines)


def read_view(view: View) -> str:
    """The title, then sections and fields as they are, then the buttons."""
    lines = [f"=== {view.title} ==="]
    for block in view.blocks:
        lines += _field(block) if block["type"] == "input" else _block(block)
    buttons = f"[{view.close}]" + (f" [{view.submit}]" if view.submit else "")
    return "\n".join(line.rstrip() for line in [*lines, buttons])


def _field(block: dict[str, Any]) -> list[str]:
    element = block["element"]
    chosen = element.get("initial_options", [element["initial_option"]] if "initial_option" in element else [])
    shown = element.get("initial_value") or ", ".join(option["text"]["text"] for option in chosen)
    options = " | ".join(option["text"]["text"] for option in element.get("options", ()))
    kind = element["type"] + (", optional" if block.get("optional") else "")
    lines = [f"{block['label']['text']} ({kind})", f"  {shown or '…'}" + (f"  [▾ {options}]" if options else "")]
    return lines + ([f"  {block['hint']['text']}"] if "hint" in block else [])


def _block(block: dict[str, Any]) -> list[str]:
    kind = block["type"]
    if kind == "section":
        first, *rest = _words(block["text"]["text"]).split("\n")
        button = f"   {_button(block['accessory'])}" if "accessory" in block else ""
        return [first + button, *rest]
    if kind == "context":
        return ["  " + line for element in block["elements"] for line in _words(element["text"]).split("\n")]
    if kind == "actions":
        return [" ".join(_button(element) for element in block["elements"])]
    return [_words(block["text"]["text"])]


def _button(element: dict[str, Any]) -> str:
    if element["type"] == "static_select":
        return "[▾ " + " | ".join(option["text"]["text"] for option in element["options"]) + "]"
    return f"[{element['text']['text']}]"


def _words(text: str) -> str:
    text = _DATE.sub(r"\1", _LINK.sub(r"\1", text))
    for entity, sign in _SIGNS:
        text = text.replace(entity, sign)
    return text
