"""Templates become messages; an operator's bad template costs nothing but itself."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from bot.presenters.engine import Engine, Message, TemplateError, names
from bot.presenters.markup import link
from tests.presenters.checker import problems

FALLBACK = '{"fallback": "f"}\n'
SAYS_WHAT = '{"type": "section", "text": {"type": "mrkdwn", "text": "{{ what }}"}}'
RED_BUTTON = (
    '{"type": "actions", "elements": [{"type": "button", "action_id": "a", "style": "red",'
    ' "text": {"type": "plain_text", "text": "x"}}]}'
)

Faults = list[tuple[str, str]]


def say(folder: Path, template: str, **holes: object) -> tuple[Message, Faults]:
    """What an operator's template makes of `looking`'s holes, or ours in its place."""
    (folder / "looking.json.j2").write_text(template, encoding="utf-8")
    faults: Faults = []
    engine = Engine(folder, lambda name, why: faults.append((name, why)))
    return engine.render("looking", **{"what": "R1", "system": "TestRail"} | holes), faults


def words(message: Message) -> str:
    return str(message.blocks[0]["text"]["text"])


def test_an_operators_template_goes_first(tmp_path: Path) -> None:
    message, faults = say(tmp_path, FALLBACK + SAYS_WHAT, what='<b> _x_ "q" \\ {{ 7*7 }}')
    assert faults == []
    assert words(message) == "ˍxˍ".join(("&lt;b&gt; ", ' "q" \\ {{ 7∗7 }}'))


def test_an_operators_part_goes_into_our_templates(tmp_path: Path) -> None:
    (tmp_path / "_footer.json.j2").write_text(
        '{"type": "context", "elements": [{"type": "mrkdwn", "text": "ours"}]}', encoding="utf-8"
    )
    (tmp_path / "x.json.j2").write_text("", encoding="utf-8")
    message, faults = say(tmp_path, FALLBACK + SAYS_WHAT + '{% include "_footer.json.j2" %}')
    assert (message.blocks[-1]["elements"][0]["text"], faults) == ("ours", [])


@pytest.mark.parametrize(
    ("template", "why"),
    [
        ("", "a fallback and a block"),
        (SAYS_WHAT, "a fallback and a block"),
        (FALLBACK, "a fallback and a block"),
        (FALLBACK + '{"type": "section", ', "no JSON"),
        (FALLBACK + "[1]", "JSON objects"),
        (FALLBACK + '{"type": "table", "rows": []}', "not known here"),
        (FALLBACK + '{"type": "section", "text": {"type": "html", "text": "x"}}', "not known to Slack"),
        (FALLBACK + '{"type": "section", "text": "x"}', "type and a text"),
        (FALLBACK + SAYS_WHAT.replace("what", "unknown"), "undefined"),
        (FALLBACK + RED_BUTTON, "style 'red' is not known"),
        (FALLBACK + SAYS_WHAT + "{% if %}", "TemplateSyntaxError"),
        (FALLBACK + SAYS_WHAT.replace("what", "'x' * 10**9"), "not part of the templates' language"),
        (FALLBACK + SAYS_WHAT.replace("what", "10 ** 10 ** 9"), "not part of the templates' language"),
        (FALLBACK + SAYS_WHAT.replace("what", "'%999999999d' % 1"), "not part of the templates' language"),
        (FALLBACK + SAYS_WHAT.replace("what", "what.__class__"), "not for templates"),
        (FALLBACK + SAYS_WHAT.replace("what", "what['__class__']"), "unsafe"),
        (FALLBACK + SAYS_WHAT.replace("what", "what.upper()"), "can be called"),
        (FALLBACK + SAYS_WHAT.replace("what", "what.upper"), "text was expected"),
        (FALLBACK + SAYS_WHAT.replace("what", "range(9)"), "can be called"),
        (FALLBACK + SAYS_WHAT.replace("what", "what|center(999999999)"), "no filter center"),
        (FALLBACK + SAYS_WHAT.replace("what", "none"), "text was expected"),
        (FALLBACK + "{% for a in rows %}" * 3 + "{% endfor %}" * 3, "heavy"),
        (FALLBACK + "{% for letter in what %}" + SAYS_WHAT + "{% endfor %}", "heavy"),
        (FALLBACK + "{% for row in rows %}" + SAYS_WHAT + "{% endfor %}", "heavy"),
        (FALLBACK + "{% set x = 1 %}", "not part of the templates' language"),
        (FALLBACK + "{% macro x() %}{% endmacro %}", "not part of the templates' language"),
        (FALLBACK + '{% import "looking.json.j2" as me %}', "not part of the templates' language"),
        (FALLBACK + '{% include "looking.json.j2" %}', "only parts"),
        (FALLBACK + '{% include "../../etc/passwd" %}', "only parts"),
        (FALLBACK + '{% include "_nothing.json.j2" %}', "there is no part"),
        (FALLBACK + "x" * 50_001, "heavy"),
        (FALLBACK + SAYS_WHAT * 900 + SAYS_WHAT.replace("{{ what }}", "y" * 400) * 10, "heavy"),
        (FALLBACK + SAYS_WHAT.replace("{{ what }}", "{{ what|plain }}"), "don't escape for mrkdwn"),
        (FALLBACK + SAYS_WHAT.replace("{{ what }}", "{{ what|exact }}"), "don't escape for mrkdwn"),
        (FALLBACK + SAYS_WHAT.replace("mrkdwn", "plain_text"), "needs |plain"),
        (FALLBACK + SAYS_WHAT.replace("{{ what }}", ":{{ what }}"), "colon"),
        (FALLBACK + SAYS_WHAT.replace("{{ what }}", "{{ what }}: x"), "colon"),
        ("{{ what }}" + FALLBACK, "outside of a text"),
    ],
)  # fmt: skip
def test_a_bad_template_is_replaced_by_ours(tmp_path: Path, template: str, why: str) -> None:
    begun = time.perf_counter()
    message, faults = say(tmp_path, template, rows=tuple(range(1_000)))
    assert time.perf_counter() - begun < 2
    assert message == Engine().render("looking", what="R1", system="TestRail")
    assert [(name, why in told) for name, told in faults] == [("looking", True)], faults


def test_too_much_output_is_given_up(tmp_path: Path) -> None:
    rows = "{% for row in rows %}" + SAYS_WHAT + "{% endfor %}"
    message, faults = say(tmp_path, FALLBACK + rows, rows=tuple(range(200)), what="y" * 3_000)
    assert message.blocks[0]["type"] == "context"
    assert "come out of it" in faults[0][1]


def test_a_part_cannot_include_itself(tmp_path: Path) -> None:
    (tmp_path / "_me.json.j2").write_text('{% include "_me.json.j2" %}', encoding="utf-8")
    _, faults = say(tmp_path, FALLBACK + SAYS_WHAT + '{% include "_me.json.j2" %}')
    assert "no part can be included in a part" in faults[0][1]


def test_what_cannot_be_compiled_is_told_before_the_first_message(tmp_path: Path) -> None:
    (tmp_path / "run.json.j2").write_text("{% if %}", encoding="utf-8")
    faults: Faults = []
    Engine(tmp_path, lambda name, why: faults.append((name, why))).prepare()
    assert [name for name, _ in faults] == ["run"]


def test_a_fault_without_a_listener_is_no_fault(tmp_path: Path) -> None:
    (tmp_path / "looking.json.j2").write_text("{% if %}", encoding="utf-8")
    assert Engine(tmp_path).render("looking", what="R1", system="x").blocks


def test_our_own_fault_is_raised() -> None:
    with pytest.raises(Exception, match="what"):
        Engine().render("looking", system="x")


def test_markup_of_ours_is_not_escaped_again(tmp_path: Path) -> None:
    message, _ = say(tmp_path, FALLBACK + SAYS_WHAT, what=link("https://a.example/?a&b", 'a "b" & c'))
    assert words(message) == '<https://a.example/?a&amp;b|a "b" &amp; c>'


def test_helpers_make_markup(tmp_path: Path) -> None:
    template = FALLBACK + SAYS_WHAT.replace("{{ what }}", "{{ link(url, what) }} {{ user(who) }} {{ what|code }}")
    message, _ = say(tmp_path, template, what="*", url="https://a.example", who="U12")
    assert words(message) == "<https://a.example|∗> <@U12> `*`"


def test_what_is_too_long_is_cut_and_what_is_empty_left_out(tmp_path: Path) -> None:
    template = FALLBACK + "".join(
        (
            SAYS_WHAT,
            SAYS_WHAT.replace("{{ what }}", "  "),
            '{"type": "header", "text": {"type": "plain_text", "text": "{{ what|plain }}"}}',
            '{"type": "section", "fields": [' + ", ".join(['{"type": "mrkdwn", "text": "{{ what }}"}'] * 12) + "]}",
            '{"type": "context", "elements": [{"type": "mrkdwn", "text": " "}]}',
            '{"type": "context", "elements": [' + ", ".join(['{"type": "mrkdwn", "text": "x"}'] * 12) + "]}",
            '{"type": "actions", "elements": [' + ", ".join(
                f'{{"type": "button", "action_id": "a{n % 30}", "value": "{{{{ long|exact }}}}", '
                '"text": {"type": "plain_text", "text": "x"}}' if n == 3 else
                f'{{"type": "button", "action_id": "a{n % 30}", '
                '"text": {"type": "plain_text", "text": "{{ what|plain }}"}}'
                for n in range(40)
            ) + "]}",
            '{"type": "section", "block_id": "same", "text": {"type": "plain_text", "text": "x"}}',
            '{"type": "section", "block_id": "same", "text": {"type": "plain_text", "text": "x"}}',
            '{"type": "divider"}',
        )
    )  # fmt: skip
    message, faults = say(tmp_path, template, what="& é " * 800, long="x" * 2_001)
    assert faults == []
    assert problems(message) == []
    kinds = [block["type"] for one in (message, *message.more) for block in one.blocks]
    assert sorted(kinds) == ["actions", "context", "divider", "header", *["section"] * 4]
    actions = next(block for one in (message, *message.more) for block in one.blocks if block["type"] == "actions")
    assert len(actions["elements"]) == 25
    assert "a3" not in [element["action_id"] for element in actions["elements"]]


def test_what_does_not_fit_one_message_goes_on_in_the_thread(tmp_path: Path) -> None:
    rows = "{% for row in rows %}" + SAYS_WHAT.replace("what", "row") + "{% endfor %}"
    button = (
        '{"type": "actions", "elements": [{"type": "button", "action_id": "a", '
        '"text": {"type": "plain_text", "text": "x"}}]}'
    )
    message, faults = say(tmp_path, FALLBACK + rows + button, rows=tuple(range(100)))
    assert (faults, problems(message)) == ([], [])
    told = [block["text"]["text"] for one in (message, *message.more) for block in one.blocks if "text" in block]
    assert told == [str(number) for number in range(100)]
    assert message.blocks[-1]["type"] == "actions"
    assert [one.text for one in message.more] == ["f (continued, part 2 of 3)", "f (continued, part 3 of 3)"]


def test_many_words_go_on_in_the_thread(tmp_path: Path) -> None:
    rows = "{% for row in rows %}" + SAYS_WHAT + "{% endfor %}"
    message, _ = say(tmp_path, FALLBACK + rows, rows=tuple(range(9)), what="x" * 2_900)
    assert problems(message) == []
    assert [len(one.blocks) for one in (message, *message.more)] == [2, 2, 2, 2, 1]


def test_a_long_fallback_is_cut_by_its_bytes(tmp_path: Path) -> None:
    message, _ = say(tmp_path, '{"fallback": "{{ what }}"}' + SAYS_WHAT, what="😀&" * 3_000)
    assert problems(message) == []
    assert message.text.endswith("…")


@pytest.mark.parametrize("module", ["jinja2"])
def test_the_template_library_waits_for_the_first_message(module: str) -> None:
    asked = f"import sys, bot.presenters.messages; sys.exit({module!r} in sys.modules)"
    root = Path(__file__).parents[2]
    assert subprocess.run([sys.executable, "-c", asked], cwd=root, check=False).returncode == 0


def test_every_template_compiles() -> None:
    Engine().prepare(*names())
    assert "run" in names()
    assert not any(name.startswith("_") for name in names())


def test_a_render_fault_names_what_is_wrong(tmp_path: Path) -> None:
    _, faults = say(tmp_path, FALLBACK + SAYS_WHAT.replace("what", "what.name"))
    assert faults[0][0] == "looking"
    assert TemplateError.__name__ in faults[0][1] or "AttributeError" in faults[0][1]
