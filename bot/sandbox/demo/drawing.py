"""A Slack message or dialog as it looks in a terminal, close to how it looks in Slack."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.text import Text

from bot.sandbox.demo import chips as chipping
from bot.sandbox.demo.chips import Chips, Thing
from bot.sandbox.demo.dates import clock
from bot.sandbox.demo.ink import BOLD, QUIET, Ink, Look
from bot.sandbox.demo.letters import emoji, harmless, line, small
from bot.sandbox.demo.shapes import Behind, Beside, Flow, Pairs
from bot.sandbox.slack.controls import BUTTONS, Control, controls
from bot.sandbox.slack.reading import Reader
from bot.sandbox.slack.records import Json, Message, View


def draw(message: Message, look: Look, chips: Chips, *, place: str = "", edited: bool = False) -> RenderableType:
    """One message. `place` tells where it stands when that is not where one looks; replies stand behind a bar."""
    ink = Ink(look)
    found = controls(message.blocks, message.attachments)
    page = _Page(message, ink, chips, found)
    body = list(page.blocks(message.blocks)) if message.blocks else ink.mrkdwn(message.text, names=False)
    for attachment in message.attachments:
        body += page.attachment(attachment)
    body += _tail(message, ink)
    body += _addresses(ink)
    drawn = Group(_author(message, look, place, edited or bool(message.edited_ts)), Behind(Group(*body), "  "))
    return Behind(drawn, "  │ ", style="dim") if message.thread_ts else drawn


def draw_dialog(view: View, look: Look, chips: Chips) -> RenderableType:
    """A dialog with its inputs, what was entered so far, and the words of errors under them."""
    ink = Ink(look)
    page = _Page(view, ink, chips, controls(view.blocks), typed=view.typed, errors=view.errors)
    body = list(page.blocks(view.blocks))
    ways = []
    for use, words in (("submit", "Submit"), ("close", "Cancel" if view.content.get("submit") else "Close")):
        asked = view.content.get(use)
        if asked or use == "close":
            label = ink.label(asked) or words
            number = chips.dialog_number(view, use, label)  # type: ignore[arg-type]  # one of the two
            ways.append(_chip(number, label))
    body += [Text(), Flow(ways), *_addresses(ink)]
    return Panel(Group(*body), title=Text(line(view.title), BOLD), title_align="left", box=box.ROUNDED, padding=(0, 1))


def _author(message: Message, look: Look, place: str, edited: bool) -> Text:
    """`Rundown APP 09:00 · edited`; what only one person sees is `replaced` instead: it leaves no other trace."""
    name = line(look.names.get(message.user, message.user)) or "somebody"
    text = Text.assemble((name, BOLD))
    if message.by_app:
        text.append(" ").append("APP", "reverse dim" if look.styled else "")
    text.append(f" {clock(message.at, look.zone)}", QUIET)
    changed = ("replaced" if message.is_ephemeral else "edited") if edited else ""
    for note in (place, changed, "Only visible to you" if message.is_ephemeral else ""):
        if note:
            text.append(f" · {line(note)}", QUIET)
    return text


def _tail(message: Message, ink: Ink) -> list[RenderableType]:
    """Files and reactions."""
    found: list[RenderableType] = [Text(f"📎 {line(ink.look.names.get(name, name))}") for name in message.files]
    counted = {name: sum(1 for one, _ in message.reactions if one == name) for name, _ in message.reactions}
    if counted:
        found.append(Text("  ".join(f"{emoji(line(name))} {count}" for name, count in counted.items())))
    return found


def _addresses(ink: Ink) -> list[RenderableType]:
    """Where the links lead, for terminals that can't be clicked."""
    return [Text(f"{small(number)} {url}", QUIET, overflow="fold") for number, url in enumerate(ink.addresses, 1)]


def _chip(number: int, words: str) -> Text:
    return Text.assemble(("[", "dim"), (str(number), "bold cyan"), f" {words}", ("]", "dim"))


class _Page:
    """Draws blocks; `typed` and `errors` are a dialog's, by block_id."""

    def __init__(
        self,
        thing: Thing,
        ink: Ink,
        chips: Chips,
        found: Sequence[Control],
        *,
        typed: Json | None = None,
        errors: Json | None = None,
    ) -> None:
        self._thing, self._ink, self._chips = thing, ink, chips
        self._found = found
        self._typed, self._errors = typed or {}, errors or {}
        self._drawers: dict[str, Callable[[Json], list[RenderableType]]] = {
            "header": self._header,
            "section": self._section,
            "context": self._context,
            "divider": lambda _: [Text("─" * 24, QUIET)],
            "actions": self._actions,
            "context_actions": self._actions,
            "rich_text": ink.rich,
            "image": self._image,
            "input": self._input,
            "markdown": lambda block: [Text(harmless(str(block.get("text") or "")), overflow="fold")],
        }

    def blocks(self, blocks: Iterable[Json]) -> Iterator[RenderableType]:
        listed = list(blocks)
        kinds = [None, *(block.get("type") for block in listed), None]
        for place, block in enumerate(listed, 1):
            drawn = self._drawers.get(str(block.get("type")), self._other)(block)
            if kinds[place] == "section" and "section" in (kinds[place - 1], kinds[place + 1]):
                yield Behind(Group(*drawn), "", "   ")  # one of several: Slack sets them apart by space
            else:
                yield from drawn

    def attachment(self, attachment: Json) -> list[RenderableType]:
        """An attachment or unfurl, behind its bar."""
        ink, inside = self._ink, list[RenderableType]()
        if attachment.get("author_name"):
            inside.append(Text(line(str(attachment["author_name"])), QUIET))
        if attachment.get("title"):
            title = Text(overflow="fold")
            if attachment.get("title_link"):
                ink.link(title, str(attachment["title_link"]), line(str(attachment["title"])), BOLD)
            else:
                title.append(line(str(attachment["title"])), BOLD)
            inside.append(title)
        if attachment.get("text"):
            inside += ink.mrkdwn(str(attachment["text"]))
        for one in attachment.get("fields") or ():
            inside.append(
                Text.assemble((line(str(one.get("title") or "")), BOLD), " ", line(str(one.get("value") or "")))
            )
        inside += self.blocks(attachment.get("blocks") or ())
        if attachment.get("footer"):
            inside.append(Text(line(str(attachment["footer"])), QUIET))
        if not inside:
            inside.append(Text(harmless(str(attachment.get("fallback") or ""))))
        above = ink.mrkdwn(str(attachment["pretext"])) if attachment.get("pretext") else []
        return [*above, Behind(Group(*inside), "▎ ", style="blue")]

    # -- blocks ------------------------------------------------------------------------------------------------------

    def _header(self, block: Json) -> list[RenderableType]:
        return self._ink.text(block.get("text"), BOLD)

    def _section(self, block: Json) -> list[RenderableType]:
        body = self._ink.text(block.get("text"))
        if block.get("fields"):
            body.append(Pairs([Group(*self._ink.text(cell)) for cell in block["fields"]]))
        accessory = block.get("accessory")
        if not accessory:
            return body
        chips, options = ([_alt(accessory)], []) if accessory.get("type") == "image" else self._usable([accessory])
        if not chips:
            return body
        head, rest = _first_line(body)
        return [Beside(head, chips[0]), *rest, *([Flow(chips[1:])] if chips[1:] else []), *options]

    def _context(self, block: Json) -> list[RenderableType]:
        """Elements in a row; one with several lines is a paragraph of its own."""
        found: list[RenderableType] = []
        row: list[Text] = []
        for element in block.get("elements", ()):
            parts = [_alt(element)] if element.get("type") == "image" else self._ink.text(element, QUIET)
            if len(parts) == 1 and isinstance(parts[0], Text) and "\n" not in parts[0].plain:
                row.append(parts[0])
                continue
            found += [Flow(row, "  ")] if row else []
            row = []
            found += parts
        return [*found, Flow(row, "  ")] if row else found

    def _actions(self, block: Json) -> list[RenderableType]:
        chips, options = self._usable(block.get("elements", ()))
        return [Flow(chips), *options]

    def _image(self, block: Json) -> list[RenderableType]:
        return [*self._ink.text(block.get("title"), BOLD), _alt(block)]

    def _input(self, block: Json) -> list[RenderableType]:
        label = Text(self._ink.label(block.get("label")), BOLD)
        if block.get("optional"):
            label.append(" (optional)", QUIET)
        chips, options = self._usable([block.get("element") or {}])
        hint = self._ink.text(block.get("hint"), QUIET)
        error = self._errors.get(str(block.get("block_id")))
        return [label, Flow(chips), *options, *hint, *([Text(f"! {line(str(error))}", "bold red")] if error else [])]

    def _other(self, block: Json) -> list[RenderableType]:
        """A kind of block without a drawing of its own: its words, line by line, and what can be used in it."""
        words = "\n".join(Reader(self._ink.look.names).blocks([block]))
        inside = [one.element for one in self._found if one.block is block]
        chips, options = self._usable(inside)
        body: list[RenderableType] = [Text(harmless(words), overflow="fold")] if words else []
        return [*body, *([Flow(chips)] if chips else []), *options]

    # -- what can be used --------------------------------------------------------------------------------------------

    def _usable(self, elements: Iterable[Json]) -> tuple[list[Text], list[RenderableType]]:
        """The chips in a row, and below them what the menus among them offer."""
        chips: list[Text] = []
        below: list[RenderableType] = []
        for control in self._controls(elements):
            number = self._chips.number(self._thing, control, self._found)
            if control.kind in BUTTONS:
                chips.append(chipping.button(self._ink, number, control))
                continue
            value = self._value(control)
            chips.append(chipping.entry(self._ink, number, control, value))
            ways = chipping.choices(self._ink, number, control, value)
            if chipping.options(self._ink, control):
                below.append(Behind(Flow(ways, "  "), "  "))
            else:
                chips += ways
        return chips, below

    def _controls(self, elements: Iterable[Json]) -> Iterator[Control]:
        for element in elements:
            if element.get("type") == "feedback_buttons":  # two buttons with one action_id
                yield from (one for one in self._found if _is_half(one, element))
            else:
                yield from (one for one in self._found if one.element is element)

    def _value(self, control: Control) -> Any:
        entered = self._typed.get(control.block_id, {}).get(control.action_id)
        if entered:
            return next((value for key, value in entered.items() if key != "type"), None)
        return chipping.initial(control)


def _first_line(body: list[RenderableType]) -> tuple[RenderableType, list[RenderableType]]:
    """The line a button stands beside, and what has the whole width below it."""
    if not body:
        return Text(), []
    first, *rest = body
    if not isinstance(first, Text) or "\n" not in first.plain:
        return first, rest
    head, tail = first.divide([first.plain.index("\n") + 1])
    head.rstrip()
    return head, [tail, *rest]


def _is_half(control: Control, element: Json) -> bool:
    halves = (element.get("positive_button") or {}, element.get("negative_button") or {})
    return control.kind == "feedback_button" and any(
        control.action_id == str(element.get("action_id") or "") and control.element.get("text") == half.get("text")
        for half in halves
    )


def _alt(image: Json) -> Text:
    """An image as its words."""
    return Text(f"[image: {line(str(image.get('alt_text') or 'without words'))}]", QUIET)
