"""Buttons and menus as numbered chips: `[1 Failures]`. A number stays with its button for the whole session."""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from rich.text import Text

from bot.sandbox.demo.ink import Ink
from bot.sandbox.demo.letters import line, with_emoji
from bot.sandbox.slack.controls import BUTTONS, VALUE_KEYS, Control
from bot.sandbox.slack.records import Json, Message, View

Thing = Message | View
#: What a number does: press, choose or enter, submit the dialog, close it.
Use = Literal["button", "entry", "submit", "close"]

#: A longer list is cut here: it would fill the screen.
OFFERED_MOST, OFFERED_SHOWN = 12, 8

_PEOPLE = frozenset({"users_select", "multi_users_select"})
_CHANNELS = frozenset(
    {"channels_select", "multi_channels_select", "conversations_select", "multi_conversations_select"}
)


@dataclass(frozen=True, slots=True)
class Target:
    """What a number stands for. `nth` tells controls apart that look and mean the same."""

    thing: tuple[str, str]
    use: Use
    action_id: str = ""
    value: str = ""
    words: str = ""
    nth: int = 0


@dataclass(slots=True)
class Chips:
    """Gives out the numbers, from 1."""

    _targets: list[Target] = field(default_factory=list)
    _things: dict[tuple[str, str], Thing] = field(default_factory=dict)
    _drawn: dict[tuple[str, str], None] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self._targets)

    def number(self, thing: Thing, control: Control, among: Sequence[Control]) -> int:
        """The control's number, the same as before where it was there before."""
        return self._give(thing, _target(thing, control, among))

    def dialog_number(self, view: View, use: Literal["submit", "close"], words: str) -> int:
        return self._give(view, Target(key_of(view), use, words=words))

    def _give(self, thing: Thing, target: Target) -> int:
        self._things[target.thing] = thing
        self._drawn.pop(target.thing, None)
        self._drawn[target.thing] = None  # at the end: what was drawn last
        if target not in self._targets:
            self._targets.append(target)
        return self._targets.index(target) + 1

    def find(self, number: int) -> tuple[Thing, Target] | None:
        """What the number stands for; None where it was not given out."""
        if not 1 <= number <= len(self._targets):
            return None
        target = self._targets[number - 1]
        return self._things[target.thing], target

    def named(self, words: str, uses: Container[Use]) -> list[int]:
        """The numbers with these words on them, the likeliest first.

        What begins so before what has the words somewhere, what was drawn last before what was drawn earlier, the very
        words before longer ones, and then in reading order.
        """
        newest = {thing: -place for place, thing in enumerate(self._drawn)}
        found = [
            (closeness == 3, newest[target.thing], closeness, number)
            for number, target in enumerate(self._targets, 1)
            if target.use in uses and (closeness := _closeness(words, target.words))
        ]
        return [number for *_, number in sorted(found)]


def _closeness(asked: str, words: str) -> int:
    """1 for the same words, 2 where they begin so, 3 where they are among them, 0 where they are not."""
    asked, words = _plain(asked), _plain(words)
    return 1 if asked == words else 2 if words.startswith(asked) else 3 if asked in words else 0


def _plain(words: str) -> str:
    return with_emoji(line(words)).rstrip("….").strip().casefold()


def live(target: Target, thing: Thing, controls: Sequence[Control]) -> Control | None:
    """The target among the controls that are there now; None when it is gone."""
    return next((one for one in controls if _target(thing, one, controls) == target), None)


def key_of(thing: Thing) -> tuple[str, str]:
    return thing.key if isinstance(thing, Message) else ("view", thing.id)


def _target(thing: Thing, control: Control, among: Sequence[Control]) -> Target:
    same = [one for one in among if _traits(one) == _traits(control)]
    return Target(key_of(thing), *_traits(control), nth=[one.number for one in same].index(control.number))


def _traits(control: Control) -> tuple[Use, str, str, str]:
    return ("button" if control.kind in BUTTONS else "entry", control.action_id, control.value, control.words)


# -- drawing -----------------------------------------------------------------------------------------------------------


def button(ink: Ink, number: int, control: Control) -> Text:
    """`[1 Failures]`; `[2 Approve +]` and `[3 Delete… !]` where the colours of these two can't be seen."""
    style = {"primary": "green", "danger": "red"}.get(str(control.element.get("style")), "")
    mark = "" if ink.look.styled else {"green": " +", "red": " !"}.get(style, "")
    words = ink.label(control.element.get("text")) or "…"
    if control.url:
        words += " ↗"
    return Text.assemble(("[", "dim"), (str(number), "bold cyan"), (f" {words}{mark}", style), ("]", "dim"))


def entry(ink: Ink, number: int, control: Control, value: Any) -> Text:
    """`[4 Choose one… ▾]` with what is chosen or typed in place of the placeholder."""
    shown = shown_value(ink, control, value)
    words = shown or ("⋯" if control.kind == "overflow" else ink.label(control.element.get("placeholder")) or "…")
    sign = "" if control.kind == "overflow" else " ▾" if options(ink, control) else " ✎"
    return Text.assemble(("[", "dim"), (str(number), "bold cyan"), f" {words}{sign}", ("]", "dim"))


def choices(ink: Ink, number: int, control: Control, value: Any) -> list[Text]:
    """`4.1 Nightly web`, one for each option, ✓ at those that are chosen; how to enter where there are none."""
    found = options(ink, control)
    if control.kind == "file_input":
        return [Text.assemble((f"{number}=@", "cyan"), ("… reads a file", "dim"))]
    if not found:
        return [Text.assemble((f"{number}=", "cyan"), ("… enters", "dim"))]
    chosen = _chosen(value)
    drawn = [
        Text.assemble((f"{number}.{place}", "cyan"), f" {label}{' ✓' if _value(option) in chosen else ''}")
        for place, (label, option) in enumerate(found, 1)
        if len(found) <= OFFERED_MOST or place <= OFFERED_SHOWN or _value(option) in chosen
    ]
    if len(drawn) < len(found):
        drawn.append(
            Text.assemble(
                (f"and {len(found) - len(drawn)} more, ", "dim"), (f"{number}=", "cyan"), ("words chooses", "dim")
            )
        )
    return drawn


def options(ink: Ink, control: Control) -> list[tuple[str, Any]]:
    """What a menu offers: words and what choosing sends. Empty for what is typed."""
    if control.kind in _PEOPLE:
        return [(line(name), ident) for ident, name in ink.look.people]
    if control.kind in _CHANNELS:
        return [(line(f"#{name}"), ident) for ident, name in ink.look.channels]
    groups = control.element.get("option_groups") or ()
    listed = [*(control.element.get("options") or ()), *(one for group in groups for one in group.get("options", ()))]
    return [(_words(ink, one), one) for one in listed]


def _words(ink: Ink, option: Json) -> str:
    more = ink.label(option.get("description"))
    return ink.label(option.get("text")) + (f" – {more}" if more else "")


def shown_value(ink: Ink, control: Control, value: Any) -> str:
    """The words of what is chosen or typed, from the element itself when nobody chose yet."""
    if isinstance(value, list):
        return ", ".join(filter(None, (shown_value(ink, control, one) for one in value)))
    if isinstance(value, dict) and "mimetype" in value:
        return f"{line(str(value['name']))} ({value['size']:,} bytes)"
    if isinstance(value, dict):
        return _words(ink, value) if "text" in value else ""
    if value is None or value == "":
        return ""
    return line(ink.look.names.get(str(value), str(value)))


def meant(offered: Sequence[tuple[str, Any]], words: str) -> Any:
    """The offered option with these words on it (or that begins with them); None when none or several do."""
    for closeness in (1, 2, 3):
        fitting = [option for label, option in offered if _closeness(words, label) == closeness]
        if fitting:
            return fitting[0] if len(fitting) == 1 else None
    return None


def initial(control: Control) -> Any:
    key = VALUE_KEYS[control.kind][1]
    return control.element.get(key) if key else None


def _chosen(value: Any) -> list[str]:
    return [_value(one) for one in value] if isinstance(value, list) else [_value(value)] if value else []


def _value(option: Any) -> str:
    return str(option.get("value")) if isinstance(option, dict) else str(option)
