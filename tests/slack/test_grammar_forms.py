"""A form that was filled in says the same as what would be typed, and tells field by field what is wrong."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from bot.domain.errors import GrammarError
from bot.slack.grammar import Grammar
from bot.slack.grammar_forms import FormError, command_from, values_of
from bot.slack.verbs import VERBS

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
GRAMMAR = Grammar()
FORMS = tuple(verb for verb in VERBS if verb.slots or verb.writes)

CASES: list[tuple[str, dict[str, Any], str]] = [
    ("note", {"ref": "R118", "text": 'one\r\ntwo "x" <b> & “y”'}, 'note R118 "one&#10;two ""x"" &lt;b> & “y”"'),
    ("note", {"ref": " this ", "text": ""}, "note this"),
    (
        "start",
        {"name": "Nightly\n7", "tag": "a, b c", "cases": "1, 4-6"},
        'start "Nightly 7" --cases 1,4-6 --tag a,"b c"',
    ),
    ("start", {"name": "x", "tag": ("a, b", "c"), "in": ""}, 'start x --tag "a, b",c'),
    (
        "start",
        {"name": "x", "link": "B=https://a.io\n\nhttps://b.io"},
        "start x --link B=https://a.io --link https://b.io",
    ),
    ("start", {"name": "x", "field": ("a: b", "")}, 'start x --field "a: b"'),
    (
        "start",
        {"name": "x", "assign": "<@U1>", "description": "a\nb"},
        'start x --assign <@U1> --description "a&#10;b"',
    ),
    ("edit", {"ref": "R1", "name": "", "description": ""}, 'edit R1 --description ""'),
    (
        "edit",
        {"ref": "testrail:R1", "cases": "All", "milestone": "none"},
        "edit testrail:R1 --cases all --milestone none",
    ),
    ("link", {"ref": "R1", "url": "https://a.io/?b=c", "name": "Build"}, 'link R1 "https://a.io/?b=c" --name Build'),
    (
        "report",
        {"ref": "S5/9", "outcome": "passed", "duration": "5m", "step": "a: n/a\nb: passed"},
        'report S5/9 passed --duration 00:05:00 --step "a: skipped" --step "b: passed"',
    ),
    (
        "report",
        {"ref": "S5", "outcome": "", "instance": "1 2 3", "file": ("F1", "F2")},
        "report S5 --file F1 --file F2 --instance 1-3",
    ),
    ("allow", {"verb": "close", "who": "<@U1>", "channel": "<#C1>"}, "allow close <@U1> <#C1>"),
    ("deny", {"verb": "all", "who": "<!subteam^S1>"}, "deny all <!subteam^S1>"),
    (
        "close",
        {"older-than": "30d", "-tag": "keep", "dry-run": "yes", "auto": "no"},
        "close --dry-run -tag:keep --older-than 30d",
    ),
    (
        "delete",
        {"ref": "https://a.testrail.io/index.php?/runs/view/1"},
        "delete https://a.testrail.io/index.php?/runs/view/1",
    ),
]


@pytest.mark.parametrize(("verb", "values", "typed"), CASES)
def test_a_form_says_what_would_be_typed(verb: str, values: dict[str, Any], typed: str) -> None:
    command = command_from(verb, values, now=NOW)
    assert command == GRAMMAR.parse(typed, now=NOW)
    assert GRAMMAR.parse(command.text(), now=NOW) == command
    assert command_from(verb, values_of(command), now=NOW) == command


@pytest.mark.parametrize("example", [example for verb in FORMS for example in verb.examples])
def test_a_form_is_filled_with_what_was_typed(example: str) -> None:
    command = GRAMMAR.parse(example, now=NOW)
    assert command_from(command.verb, values_of(command), now=NOW) == command


@pytest.mark.parametrize(
    ("verb", "values", "wrong"),
    [
        ("note", {"text": "x"}, {"ref": "note needs a run."}),
        ("note", {"ref": "foo"}, {"ref": "“foo” is not a run."}),
        ("note", {"ref": "R0"}, {"ref": "“R0” is not a run."}),
        (
            "start",
            {"cases": "x", "link": "y", "name": "z"},
            {"cases": "--cases takes whole", "link": "--link takes a web"},
        ),
        ("start", {"field": "a: b\nc"}, {"field": "--field takes a name"}),
        (
            "report",
            {"ref": "S1", "outcome": "good", "step": "x"},
            {"outcome": "OUTCOME takes one", "step": "--step takes a"},
        ),
        ("allow", {"verb": "close"}, {"who": "Who may do it."}),
        ("allow", {"verb": "delete", "who": "@ana"}, {"verb": "VERB takes one", "who": "WHO takes a mention"}),
        ("close", {"ref": "R1", "status": "failed"}, {"ref": "A run and --status do not go together."}),
        ("close", {"limit": "5"}, {"ref": "Which run?"}),
        ("close", {"auto": "yes", "manual": "yes"}, {"manual": "--auto and --manual do not go together."}),
    ],
)
def test_all_wrong_fields_are_told_at_once(verb: str, values: dict[str, Any], wrong: dict[str, str]) -> None:
    with pytest.raises(FormError) as caught:
        command_from(verb, values, now=NOW)
    assert isinstance(caught.value, GrammarError)
    assert caught.value.fields.keys() == wrong.keys()
    assert all(caught.value.fields[name].startswith(begin) for name, begin in wrong.items())
    assert all((caught.value.what, caught.value.why, caught.value.fix))
    assert [GRAMMAR.parse(text, now=NOW).text() for text in caught.value.closest] == [f"help {verb}"]


def test_a_field_no_command_has_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(KeyError, match="note has no title"):
        command_from("note", {"ref": "R1", "title": "x"})


def test_a_time_means_nothing_without_the_time_it_is() -> None:
    with pytest.raises(ValueError, match="older-than is a time"):
        command_from("close", {"older-than": "30d"})
