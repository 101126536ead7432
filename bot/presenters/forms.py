"""Forms to fill in, and what stands in their place while the answers are worked on.

A form keeps what it is given: what can't be shown whole in a field is left out, with a sentence that says so, because
sending the form would else cut it off. Whoever reads the answers takes a field that is not there as left alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from bot.domain.acts import Attachment
from bot.domain.errors import Choice
from bot.presenters.engine import view
from bot.presenters.limits import CHECKS, FILES, ID, LABEL, OPTION_VALUE, OPTIONS, PLACEHOLDER, TYPED, VIEW_TITLE
from bot.presenters.markup import Markup, said
from bot.presenters.message import Message, View
from bot.presenters.text import cut, whole

FieldKind = Literal["line", "text", "choice", "choices", "files", "checks"]

#: Sentences above the fields.
INTRO = 8
ACTION = "field:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One thing to fill in. `value` is what it begins with: a text, or the `command`s of the options chosen.

    `name` is ours, short and used once; its answer comes back under it. `longest` is a number of characters, of files
    their number. Without any option to choose from, a choice becomes a line to type.
    """

    name: str
    label: str
    kind: FieldKind = "line"
    value: str | tuple[str, ...] = ""
    options: tuple[Choice, ...] = ()
    hint: str = ""
    optional: bool = False
    longest: int = 0
    placeholder: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """What is asked for. `title` and `submit` have room for 24 characters; `intro` are whole sentences."""

    title: str
    submit: str
    fields: tuple[Field, ...]
    intro: tuple[str, ...] = ()
    error: str = ""


@dataclass(frozen=True, slots=True)
class FieldLook:
    """A field ready to be drawn: `kind` is Slack's name for it, `chosen` its options chosen beforehand."""

    name: str
    action: str
    label: str
    kind: str
    hint: str
    placeholder: str
    optional: bool
    multiline: bool
    value: str
    longest: int
    options: tuple[Choice, ...] = ()
    chosen: tuple[Choice, ...] = ()


def form(value: Form) -> View:
    """The form as Slack takes it. Raises TemplateError for fields without a usable name of their own."""
    fits = [field for field in value.fields if not _too_long(field)]
    looks = tuple(_field(field) for field in fits)
    kept = [
        f"“{_label(field)}” is too long for a form and stays as it is." for field in value.fields if _too_long(field)
    ]
    return view(
        "form",
        fields=[look.name for look in looks],
        title=cut(value.title, VIEW_TITLE) or "Rundown",
        submit=cut(value.submit, VIEW_TITLE) or "Send",
        error=said(value.error, 1_000),
        intro=tuple(filter(None, (said(each, 1_000) for each in (*value.intro[:INTRO], *kept)))) or _nothing(looks),
        rows=looks,
    )


def _nothing(looks: tuple[FieldLook, ...]) -> tuple[Markup, ...]:
    return () if looks else (Markup("There is nothing to fill in."),)


def _too_long(field: Field) -> bool:
    return isinstance(field.value, str) and field.kind in ("line", "text") and len(whole(field.value)) > TYPED


def _label(field: Field) -> str:
    return cut(field.label, min(LABEL, 200)) or cut(field.name, 80) or "Field"


_TYPED: dict[str, str] = {
    "line": "plain_text_input", "text": "plain_text_input", "choice": "static_select",
    "choices": "multi_static_select", "files": "file_input", "checks": "checkboxes",
}  # fmt: skip


def _field(field: Field) -> FieldLook:
    """The field as it is drawn; what is chosen stays among the options, however many there are."""
    options, chosen = _options(field)
    typed = field.kind in ("line", "text") or (field.kind != "files" and not options)
    begins = field.value if isinstance(field.value, str) else ", ".join(field.value)
    begins = _text(begins, lines=field.kind == "text")[:TYPED] if typed else ""
    most = FILES if field.kind == "files" else TYPED
    return FieldLook(
        name=field.name[: ID + 1],
        action=f"{ACTION}{field.name}"[:ID],
        label=_label(field),
        kind="plain_text_input" if typed else _TYPED[field.kind],
        hint=cut(field.hint, 500),
        placeholder=cut(field.placeholder, PLACEHOLDER),
        optional=field.optional,
        multiline=field.kind == "text",
        value=begins,
        longest=max(min(field.longest, most) if field.longest > 0 else most, len(begins)),
        options=options,
        chosen=chosen[:1] if field.kind == "choice" else chosen,
    )


def _text(text: str, *, lines: bool) -> str:
    """As it may begin a field: whole characters, and lines only where there is room for them."""
    text = whole(text).replace("\x00", "")
    text = text if lines else " ".join(text.split("\n"))
    return text if text.strip() else ""


def _options(field: Field) -> tuple[tuple[Choice, ...], tuple[Choice, ...]]:
    """Options that Slack takes, each once, and those of them that are chosen."""
    if field.kind not in ("choice", "choices", "checks"):
        return (), ()
    named: dict[str, Choice] = {}
    for option in field.options:
        label = cut(option.label, 75) or cut(option.command, 75)
        if label and 0 < len(option.command) <= OPTION_VALUE and option.command == whole(option.command):
            named.setdefault(option.command, Choice(label, option.command))
    several = list(named.values())
    values = (field.value,) if isinstance(field.value, str) else field.value
    chosen = [option for option in several if option.command in values]
    most = CHECKS if field.kind == "checks" else OPTIONS
    beyond = [option for option in chosen[:most] if option not in several[:most]]
    kept = (*several[: most - len(beyond)], *beyond) if beyond else tuple(several[:most])
    return tuple(kept), tuple(option for option in chosen if option in kept)


def form_failed(value: Form, error: str) -> View:
    """The same form, with what was wrong on top; what was typed stays in it."""
    return form(replace(value, error=error))


def form_working(title: str, sentence: str) -> View:
    """In place of a form while its answers are worked on, or while it is made."""
    return _said(title, sentence, "⏳")


def form_done(title: str, sentence: str | Message) -> View:
    """In place of a form that has done its part, however that ended: a sentence, or the first one of a message."""
    return _said(title, sentence, "")


def _said(title: str, sentence: str | Message, icon: str) -> View:
    words = Markup(_first(sentence.text)) if isinstance(sentence, Message) else said(sentence, 2_000)
    return view(
        "form_said",
        title=cut(title, VIEW_TITLE) or "Rundown",
        icon=icon,
        sentence=words or Markup("One moment."),
    )


#: A sentence with its names in quotes, which may hold points of their own.
_SENTENCE = re.compile(r"(?:“[^”]*”|[^.!?…]|[.!?…](?!\s|$))+[.!?…]")


def _first(text: str) -> str:
    found = _SENTENCE.match(text)
    return found[0] if found else text


#: What comes back for a field: a text, the commands of the options chosen, or files.
Answer = str | tuple[str, ...] | tuple[Attachment, ...]


def answers(values: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> dict[str, Answer]:
    """What was filled in, by the names of the fields; `values` is `view.state.values` as Slack sends it.

    Whatever kind a field was drawn as: a text (empty for none), or a tuple where several could be given.
    """
    return {
        name: _answer(state)
        for name, actions in values.items()
        for action, state in actions.items()
        if action.startswith(ACTION)
    }


def _answer(state: Mapping[str, Any]) -> Answer:
    if "files" in state:
        return tuple(
            Attachment(str(file.get("id", "")), str(file.get("name", "")), int(file.get("size") or 0))
            for file in state["files"] or ()
        )
    if "selected_options" in state:
        return tuple(str(option["value"]) for option in state["selected_options"] or ())
    if "selected_option" in state:
        return str((state["selected_option"] or {}).get("value", ""))
    return str(state.get("value") or "")
