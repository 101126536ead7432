"""Forms: Slack takes them, nothing typed is lost in them, and their answers come back by name."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.domain.acts import Attachment
from bot.domain.answers import Complaint
from bot.domain.errors import Choice
from bot.presenters import engine, messages
from bot.presenters.engine import Engine, TemplateError
from bot.presenters.message import View
from bot.sandbox.slack.blockkit import validate_view
from tests.presenters.samples import START_FORM

FIELD = messages.Field(name="name", label="Name")
MANY = tuple(Choice(f"Suite {n}", str(n)) for n in range(150))


def with_field(**more: Any) -> messages.Form:
    return replace(START_FORM, intro=(), fields=(replace(FIELD, **more),))


def element(view: View) -> dict[str, Any]:
    (block,) = [block for block in view.blocks if block["type"] == "input"]
    found: dict[str, Any] = block["element"]
    return found


def problems(view: View) -> list[str]:
    return [str(problem) for problem in validate_view(view.as_dict("form", "{}"))]


def test_a_form_is_a_modal_whose_fields_are_found_by_name() -> None:
    view = messages.form(START_FORM).as_dict("start", "k1")
    assert (view["type"], view["callback_id"], view["private_metadata"]) == ("modal", "start", "k1")
    inputs = {block["block_id"]: block["element"] for block in view["blocks"] if block["type"] == "input"}
    assert {name: it["action_id"] for name, it in inputs.items()} == {
        field.name: f"field:{field.name}" for field in START_FORM.fields
    }
    assert [it["type"] for it in inputs.values()] == [
        "plain_text_input", "plain_text_input", "static_select", "multi_static_select", "checkboxes", "file_input",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({}, {"max_length": 3_000}),
        ({"longest": 250, "value": "Smoke"}, {"max_length": 250, "initial_value": "Smoke"}),
        ({"longest": 9_000}, {"max_length": 3_000}),
        ({"longest": 3, "value": "Smoke"}, {"max_length": 5, "initial_value": "Smoke"}),
        ({"kind": "text", "value": 'a\n "b" <c> & _d_\\'}, {"multiline": True, "initial_value": 'a\n "b" <c> & _d_\\'}),
        ({"value": "a\nb"}, {"initial_value": "a b"}),
        ({"kind": "files"}, {"max_files": 10}),
        ({"kind": "files", "longest": 3}, {"max_files": 3}),
        ({"kind": "files", "longest": 30}, {"max_files": 10}),
    ],
)
def test_a_text_begins_as_it_is(more: dict[str, Any], told: dict[str, Any]) -> None:
    view = messages.form(with_field(**more))
    assert {name: element(view).get(name) for name in told} == told
    assert problems(view) == []


def test_an_empty_text_begins_with_nothing() -> None:
    for value in ("", "  ", "\x00"):
        assert "initial_value" not in element(messages.form(with_field(value=value)))


def test_a_text_that_a_form_would_cut_off_is_left_alone() -> None:
    view = messages.form(with_field(kind="text", value="x" * 3_001))
    assert [block["type"] for block in view.blocks] == ["section"]
    assert "stays as it is" in view.blocks[0]["text"]["text"]
    assert problems(view) == []
    assert len(element(messages.form(with_field(kind="text", value="x" * 3_000)))["initial_value"]) == 3_000


@pytest.mark.parametrize(
    ("more", "options", "chosen"),
    [
        ({"kind": "choice", "options": MANY[:3], "value": "1"}, ["0", "1", "2"], ["1"]),
        ({"kind": "choice", "options": MANY[:3], "value": "7"}, ["0", "1", "2"], []),
        ({"kind": "choice", "options": MANY[:3], "value": ("1", "2")}, ["0", "1", "2"], ["1"]),
        ({"kind": "choices", "options": MANY[:3], "value": ("1", "2", "9")}, ["0", "1", "2"], ["1", "2"]),
        ({"kind": "choices", "options": MANY[:3], "value": ()}, ["0", "1", "2"], []),
        ({"kind": "checks", "options": MANY[:12], "value": ("11",)}, [*map(str, range(9)), "11"], ["11"]),
        ({"kind": "choice", "options": MANY, "value": "140"}, [*map(str, range(99)), "140"], ["140"]),
        ({"kind": "choice", "options": (*MANY[:2], MANY[0]), "value": "0"}, ["0", "1"], ["0"]),
        ({"kind": "choice", "options": (Choice("x" * 90, "1"), Choice("y", "z" * 151)), "value": "1"}, ["1"], ["1"]),
    ],
)
def test_what_is_chosen_stays_among_the_options(more: dict[str, Any], options: list[str], chosen: list[str]) -> None:
    view = messages.form(with_field(**more))
    it = element(view)
    assert [option["value"] for option in it["options"]] == options
    first = [it["initial_option"]] if "initial_option" in it else it.get("initial_options", [])
    assert [option["value"] for option in first] == chosen
    assert problems(view) == []


def test_without_options_a_choice_is_typed() -> None:
    for kind, value in (("choice", "5.2"), ("choices", ("5.2",)), ("checks", ("5.2",))):
        it = element(messages.form(with_field(kind=kind, value=value)))
        assert (it["type"], it["initial_value"]) == ("plain_text_input", "5.2")


def test_what_was_wrong_stands_above_the_same_fields() -> None:
    before, after = messages.form(START_FORM), messages.form_failed(START_FORM, "No such <!channel>.")
    assert "⚠️ *No such &lt;!channel&gt;.*" in after.blocks[0]["text"]["text"]
    assert after.blocks[1:] == before.blocks


def test_titles_keep_to_their_room() -> None:
    view = messages.form(replace(START_FORM, title="A title that is too long for Slack", submit="S" * 30))
    assert (len(view.title) <= 24, len(view.submit)) == (True, 24)
    assert messages.form(replace(START_FORM, title=" ", submit="")).title == "Rundown"


def test_the_first_sentence_of_a_message_stands_in_a_form() -> None:
    told = messages.complaint(Complaint(family="person", what="No run “a & b. 5.2” of v1.0.", why="So.", reference="1"))
    section = messages.form_done("Close", told).blocks[0]["text"]["text"]
    assert section == "No run “a &amp; b. 5.2” of v1.0."


def test_what_stands_in_place_of_a_form_cannot_be_sent() -> None:
    for view in (messages.form_working("Start", "Asking TestRail…"), messages.form_done("Start", "Done.")):
        assert "submit" not in view.as_dict("form")
        assert problems(view) == []


@pytest.mark.parametrize(("callback_id", "data"), [("", ""), ("x" * 256, ""), ("form", "x" * 3_001)])
def test_data_that_slack_refuses_is_refused_at_once(callback_id: str, data: str) -> None:
    with pytest.raises(ValueError, match="callback_id"):
        messages.form_done("Start", "Done.").as_dict(callback_id, data)


@pytest.mark.parametrize("names", [("", "b"), ("a", "a"), ("x" * 256,)])
def test_fields_have_names_of_their_own(names: tuple[str, ...]) -> None:
    fields = tuple(replace(FIELD, name=name) for name in names)
    if len(set(names)) < len(names):
        assert problems(messages.form(replace(START_FORM, fields=fields[:1]))) == []
    with pytest.raises(TemplateError):
        messages.form(replace(START_FORM, fields=fields))


def test_answers_come_back_by_name() -> None:
    option = {"text": {"type": "plain_text", "text": "x"}, "value": "4"}
    state: dict[str, dict[str, dict[str, Any]]] = {
        "name": {"field:name": {"type": "plain_text_input", "value": "Smoke"}},
        "description": {"field:description": {"type": "plain_text_input", "value": None}},
        "suite": {"field:suite": {"type": "static_select", "selected_option": option}},
        "none": {"field:none": {"type": "static_select", "selected_option": None}},
        "tags": {"field:tags": {"type": "multi_static_select", "selected_options": [option, option]}},
        "checks": {"field:checks": {"type": "checkboxes", "selected_options": []}},
        "files": {"field:files": {"type": "file_input", "files": [{"id": "F1", "name": "a.png", "size": 7}]}},
        "other": {"somebody:else": {"type": "plain_text_input", "value": "x"}},
    }
    assert messages.answers(state) == {
        "name": "Smoke", "description": "", "suite": "4", "none": "", "tags": ("4", "4"), "checks": (),
        "files": (Attachment("F1", "a.png", 7),),
    }  # fmt: skip


INPUT = (
    '{"type": "input", "block_id": "name", "label": {"type": "plain_text", "text": "Name"},'
    ' "element": {"type": "plain_text_input", "action_id": "field:name"}}'
)
TITLE = '{"title": "Theirs", "submit": "Go", "close": "No"}'


@pytest.mark.parametrize(
    ("template", "why"),
    [
        (TITLE, "has the fields"),
        (TITLE + INPUT + INPUT.replace("name", "more"), "has the fields"),
        (INPUT, "needs a title"),
        (TITLE.replace("Go", "") + INPUT, "needs a word that sends it"),
        (TITLE + INPUT.replace("plain_text_input", "rich_text_input"), "not known here"),
        (TITLE + INPUT.replace('"field:name"', '""'), "has no action_id"),
        (TITLE + INPUT.replace('"text": "Name"', '"text": ""'), "needs a label"),
        (TITLE + INPUT.replace('"element"', '"elements"'), "an element"),
        (TITLE + INPUT.replace('"plain_text_input"', '"checkboxes", "options": []'), "nothing can be chosen"),
        (TITLE + INPUT.replace('"action_id"', '"initial_value": "", "action_id"'), "neither empty nor too long"),
        (TITLE + INPUT + '{"type": "divider"}' * 100, "1 to 100 blocks"),
    ],
)  # fmt: skip
def test_an_operators_form_that_lacks_something_is_replaced_by_ours(tmp_path: Path, template: str, why: str) -> None:
    (tmp_path / "form.json.j2").write_text(template, encoding="utf-8")
    faults: list[str] = []
    engine.use(Engine(tmp_path, lambda name, fault: faults.append(f"{name} {fault}")))
    try:
        theirs = messages.form(with_field())
    finally:
        engine.use(Engine())
    assert theirs == messages.form(with_field())
    assert [why in fault for fault in faults] == [True], faults


def test_an_operators_form_with_the_same_fields_goes_first(tmp_path: Path) -> None:
    (tmp_path / "form.json.j2").write_text(TITLE + INPUT, encoding="utf-8")
    engine.use(Engine(tmp_path))
    try:
        assert messages.form(with_field()).title == "Theirs"
    finally:
        engine.use(Engine())
