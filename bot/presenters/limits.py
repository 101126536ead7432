"""Slack's limits: what is too long is cut, what can't be sent is left out, what is too much goes on below.

One pass over the blocks of a message or form, cheap when nothing is wrong. Numbers: Slack's Block Kit reference.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bot.presenters.message import Block
from bot.presenters.text import character_end, cut_escaped

TEXT, FIELD, HEADER, BUTTON, VALUE, URL, ID, OPTION, OPTION_VALUE, PLACEHOLDER = (
    3_000, 2_000, 150, 75, 2_000, 3_000, 255, 75, 150, 150,
)  # fmt: skip
FIELDS, ELEMENTS, ACTIONS, OPTIONS, OVERFLOW = 10, 10, 25, 100, 5

VIEW_BLOCKS, VIEW_TITLE, LABEL, TYPED, CHECKS, FILES = 100, 24, 2_000, 3_000, 10, 10
STYLES = ("primary", "danger")

#: Slack takes 50 blocks and, undocumented, about 12,000 characters; one block is kept free for “shared by”.
BLOCKS, CHARACTERS = 39, 8_000
FALLBACK_BYTES = 3_000

Thing = dict[str, Any]


class TemplateError(Exception):
    """A template made something that is no message."""


def fit(block: Block) -> int:
    """Make a block legal, in place. Returns its number of text characters, 0 when nothing is left to send of it."""
    kind = block.get("type")
    check = _BLOCKS.get(kind) if isinstance(kind, str) else None
    if check is None:
        raise TemplateError(f"a block of type {kind!r} is not known here")
    if "block_id" in block:  # Slack makes its own, so they can't clash
        del block["block_id"]
    return check(block)


def _text(thing: Any, limit: int = TEXT) -> int:
    """A text object, ready to send: its length, 0 when it says nothing."""
    try:
        text: str = thing["text"]
        if thing["type"] == "mrkdwn":
            thing["verbatim"] = True  # or Slack links what looks like a channel, person or address
            if len(text) > limit:
                thing["text"] = text = cut_escaped(text, limit)
        elif thing["type"] == "plain_text":
            thing["emoji"] = False
            if len(text) > limit:
                thing["text"] = text = text[: character_end(text, limit - 1)] + "…"
        else:
            raise TemplateError(f"a text of type {thing['type']!r} is not known to Slack")
    except (TypeError, KeyError) as error:
        raise TemplateError("a text object needs a type and a text") from error
    return len(text) if text and not text.isspace() else 0


def _plain(thing: Any, limit: int) -> int:
    if not isinstance(thing, dict) or thing.get("type") != "plain_text":
        raise TemplateError("only plain_text may stand here")
    return _text(thing, limit)


def _section(block: Block) -> int:
    size = 0
    if "text" in block and not (size := _text(block["text"])):
        del block["text"]
    if "fields" in block:
        block["fields"], more = _several(block["fields"], FIELDS, FIELD, CHARACTERS - TEXT)
        size += more
        if not more:
            del block["fields"]
    if size and "accessory" in block:
        if length := _element(block["accessory"]):
            size += length
        else:
            del block["accessory"]
    return size


def _context(block: Block) -> int:
    block["elements"], size = _several(block["elements"], ELEMENTS, TEXT, CHARACTERS)
    return size


def _several(things: list[Thing], at_most: int, limit: int, together: int) -> tuple[list[Thing], int]:
    """Texts that say something, and their length; those that are too long together are all cut."""
    kept = [(thing, length) for thing in things if (length := _text(thing, limit))][:at_most]
    size = sum(length for _, length in kept)
    if size > together:
        size = sum(_text(thing, together // at_most) for thing, _ in kept)
    return [thing for thing, _ in kept], size


def _actions(block: Block) -> int:
    seen: set[str] = set()
    size, kept = 0, []
    for element in block["elements"]:
        if (length := _element(element)) and element["action_id"] not in seen:
            seen.add(element["action_id"])
            size += length
            kept.append(element)
    block["elements"] = kept[:ACTIONS]
    return size


def _header(block: Block) -> int:
    return _plain(block.get("text"), HEADER)


def _divider(block: Block) -> int:  # noqa: ARG001  nothing in it can be wrong
    return 1


def _element(element: Any) -> int:
    """A button or a menu: its length, 0 when it can't be sent."""
    if not isinstance(element, dict) or not isinstance(element.get("action_id"), str):
        raise TemplateError("what can be clicked needs an action_id")
    if not 0 < len(element["action_id"]) <= ID:
        return 0
    kind = element.get("type")
    if kind == "button":
        if len(element.get("value", "")) > VALUE or len(element.get("url", "")) > URL:
            return 0
        if element.get("value") == "":
            del element["value"]
        if "style" in element and element["style"] not in STYLES:
            raise TemplateError(f"a button of style {element['style']!r} is not known to Slack")
        return _plain(element.get("text"), BUTTON)
    if kind in ("static_select", "overflow"):
        return _menu(element, OVERFLOW if kind == "overflow" else OPTIONS)
    raise TemplateError(f"an element of type {kind!r} is not known here")


def _menu(element: Thing, at_most: int) -> int:
    element["options"] = options = _options(element["options"])[:at_most]
    _placeholder(element)
    return sum(len(option["text"]["text"]) for option in options)


def _options(several: list[Thing]) -> list[Thing]:
    """Those that can be chosen."""
    return [option for option in several if 0 < len(option["value"]) <= OPTION_VALUE and _plain(option["text"], OPTION)]


def _placeholder(element: Thing) -> None:
    if "placeholder" in element and not _plain(element["placeholder"], PLACEHOLDER):
        del element["placeholder"]


def fit_input(block: Block) -> Block:
    """Make a field of a form legal, in place. What it is called stays, as that is how its answer is found."""
    element = block.get("element")
    name = block.get("block_id")
    if not isinstance(name, str) or not 0 < len(name) <= ID or not isinstance(element, dict):
        raise TemplateError("a field needs a block_id and an element")
    if not _plain(block.get("label"), LABEL):
        raise TemplateError("a field needs a label")
    if "hint" in block and not _plain(block["hint"], LABEL):
        del block["hint"]
    action, kind = element.get("action_id"), element.get("type")
    check = _INPUTS.get(kind) if isinstance(kind, str) else None
    if check is None or not isinstance(action, str) or not 0 < len(action) <= ID:
        raise TemplateError(f"a field of type {kind!r} is not known here, or has no action_id")
    _placeholder(element)
    check(element)
    return block


def _number(element: Thing, name: str, most: int) -> None:
    """Templates say only texts; a number is read from one."""
    if name in element:
        element[name] = max(1, min(int(element[name]), most))


def _typed(element: Thing) -> None:
    _number(element, "max_length", TYPED)
    if not 0 < len(element.get("initial_value", "x")) <= element.get("max_length", TYPED):
        raise TemplateError("a text to begin with is neither empty nor too long")


def _choice(element: Thing) -> None:
    _choose(element, CHECKS if element["type"] == "checkboxes" else OPTIONS)


def _choose(element: Thing, at_most: int) -> None:
    """Options, and of those chosen beforehand the ones that are among them: Slack refuses any other."""
    element["options"] = options = _options(element["options"])[:at_most]
    if not options:
        raise TemplateError("nothing can be chosen")
    if "initial_option" in element and not _among([element["initial_option"]], options):
        del element["initial_option"]
    if "initial_options" in element and not _among(element["initial_options"], options):
        del element["initial_options"]


def _among(chosen: list[Thing], options: list[Thing]) -> bool:
    return bool(chosen) and len(_options(chosen)) == len(chosen) and all(one in options for one in chosen)


def _files(element: Thing) -> None:
    _number(element, "max_files", FILES)


_INPUTS: dict[str, Callable[[Thing], None]] = {
    "plain_text_input": _typed,
    "static_select": _choice,
    "multi_static_select": _choice,
    "checkboxes": _choice,
    "file_input": _files,
}


_BLOCKS: dict[str, Callable[[Block], int]] = {
    "section": _section,
    "context": _context,
    "actions": _actions,
    "header": _header,
    "divider": _divider,
}


def split(sized: list[tuple[Block, int]]) -> list[list[Block]]:
    """Blocks with their lengths, in as many messages as they need. Buttons and footer stay with the first."""
    if len(sized) <= BLOCKS and sum(size for _, size in sized) <= CHARACTERS:
        return [[block for block, _ in sized]]
    ending = len(sized)
    while ending and len(sized) - ending < 4 and sized[ending - 1][0]["type"] in ("actions", "context"):
        ending -= 1
    end = sized[ending:]
    room, space = BLOCKS - len(end), CHARACTERS - sum(size for _, size in end)
    if space < CHARACTERS // 2:
        end, ending, room, space = [], len(sized), BLOCKS, CHARACTERS
    pages: list[list[Block]] = [[]]
    for block, size in sized[:ending]:
        if pages[-1] and (len(pages[-1]) >= room or size > space):
            pages.append([])
            room, space = BLOCKS, CHARACTERS
        pages[-1].append(block)
        space -= size
    pages[0] += [block for block, _ in end]
    return pages
