"""Every rule of Block Kit: something that is taken and something that is not."""

from __future__ import annotations

from typing import Any

import pytest
from slackblocks import _limits as oracle
from slackblocks import _surfaces as oracle_surfaces

from bot.sandbox.slack.blockkit import (
    MESSAGE_BLOCKS_TEXT_MAX,
    text_weight,
    validate_blocks,
    validate_message,
    validate_view,
)
from bot.sandbox.slack.limits import LIMITS, SURFACES
from tests.sandbox.slack.local_slack_kit import actions, asking, button, modal, mrkdwn, option, plain, section

Json = dict[str, Any]

CONFIRM: Json = {"title": plain("Sure?"), "text": mrkdwn("*Gone*"), "confirm": plain("Yes"), "deny": plain("No")}
IMAGE: Json = {"type": "image", "image_url": "https://x.example/a.png", "alt_text": "a"}
RICH: Json = {
    "type": "rich_text",
    "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": "a", "style": {"bold": True}}]}],
}
POINTS = [{"label": "Mon", "value": 1}, {"label": "Tue", "value": 2}]
LINE: Json = {
    "type": "line",
    "series": [{"name": "failed", "data": POINTS}],
    "axis_config": {"categories": ["Mon", "Tue"], "x_label": "day"},
}


def select(**more: Any) -> Json:
    return {"type": "static_select", "action_id": "pick", "options": [option("one")], **more}


def chart(inner: Json, **more: Any) -> Json:
    return {"type": "data_visualization", "title": "Trend", "chart": inner, **more}


def rows(*widths: int) -> list[list[Json]]:
    return [[{"type": "raw_text", "text": "c"} for _ in range(width)] for width in widths]


#: (what is judged, a good block, a bad one, where the problem is)
BLOCKS: list[tuple[str, Json, Json, str]] = [
    ("text is there", section("a"), section(""), "/text/text"),
    ("text of a section", section("a" * 3000), section("a" * 3001), "/text/text"),
    ("kind of text", section(), {"type": "section", "text": {"type": "markdown", "text": "a"}}, "/text/type"),
    ("section has words", {"type": "section", "fields": [plain("a")]}, {"type": "section"}, ""),
    ("section keys", section(expand=True), section(colour="red"), ""),
    ("number of fields", section(fields=[plain("a")] * 10), section(fields=[plain("a")] * 11), "/fields"),
    ("length of fields", section(fields=[plain("a" * 2000)]), section(fields=[plain("a" * 2001)]), "/fields/0/text"),
    ("accessory", section(accessory=button()), section(accessory={"type": "plain_text_input"}), "/accessory/type"),
    ("block_id", section(block_id="b" * 255), section(block_id="b" * 256), "/block_id"),
    (
        "verbatim",
        section(fields=[{**mrkdwn("a"), "verbatim": True}]),
        {"type": "section", "text": {**plain("a"), "verbatim": True}},
        "/text",
    ),
    (
        "emoji",
        {"type": "section", "text": {**plain("a"), "emoji": True}},
        {"type": "section", "text": {**plain("a"), "emoji": "yes"}},
        "/text/emoji",
    ),
    (
        "header",
        {"type": "header", "text": plain("a" * 150)},
        {"type": "header", "text": plain("a" * 151)},
        "/text/text",
    ),
    ("header is plain", {"type": "header", "text": plain("a")}, {"type": "header", "text": mrkdwn("a")}, "/text/type"),
    ("divider", {"type": "divider"}, {"type": "divider", "text": "a"}, ""),
    (
        "context elements",
        {"type": "context", "elements": [mrkdwn("a"), IMAGE]},
        {"type": "context", "elements": [button()]},
        "/elements/0/type",
    ),
    (
        "context count",
        {"type": "context", "elements": [mrkdwn("a")] * 10},
        {"type": "context", "elements": [mrkdwn("a")] * 11},
        "/elements",
    ),
    (
        "actions count",
        actions(*(button(f"a{n}") for n in range(25))),
        actions(*(button(f"a{n}") for n in range(26))),
        "/elements",
    ),
    ("actions not empty", actions(button()), actions(), "/elements"),
    ("button words", actions(button(text="a" * 75)), actions(button(text="a" * 76)), "/elements/0/text/text"),
    ("button is plain", actions(button()), actions({**button(), "text": mrkdwn("a")}), "/elements/0/text/type"),
    ("button value", actions(button(value="a" * 2000)), actions(button(value="a" * 2001)), "/elements/0/value"),
    ("button url", actions(button(url="https://x.example/")), actions(button(url="javascript:x")), "/elements/0/url"),
    (
        "button url length",
        actions(button(url="https://x.example/" + "a" * 2982)),
        actions(button(url="https://x.example/" + "a" * 2983)),
        "/elements/0/url",
    ),
    ("button style", actions(button(style="danger")), actions(button(style="red")), "/elements/0/style"),
    (
        "accessibility label",
        actions(button(accessibility_label="a" * 75)),
        actions(button(accessibility_label="a" * 76)),
        "/elements/0/accessibility_label",
    ),
    ("action_id", actions(button("a" * 255)), actions(button("a" * 256)), "/elements/0/action_id"),
    ("button needs text", actions(button()), actions({"type": "button", "action_id": "a"}), "/elements/0"),
    ("twin action_ids", actions(button("a"), button("b")), actions(button("a"), button("a")), ""),
    (
        "confirm",
        actions(button(confirm=CONFIRM)),
        actions(button(confirm={"title": plain("a")})),
        "/elements/0/confirm",
    ),
    (
        "confirm title",
        actions(button(confirm={**CONFIRM, "title": plain("a" * 100)})),
        actions(button(confirm={**CONFIRM, "title": plain("a" * 101)})),
        "/elements/0/confirm/title/text",
    ),
    (
        "confirm text",
        actions(button(confirm={**CONFIRM, "text": plain("a" * 300)})),
        actions(button(confirm={**CONFIRM, "text": plain("a" * 301)})),
        "/elements/0/confirm/text/text",
    ),
    (
        "confirm deny",
        actions(button(confirm={**CONFIRM, "deny": plain("a" * 30)})),
        actions(button(confirm={**CONFIRM, "deny": plain("a" * 31)})),
        "/elements/0/confirm/deny/text",
    ),
    (
        "options of a select",
        actions(select(options=[option(str(n)) for n in range(100)])),
        actions(select(options=[option(str(n)) for n in range(101)])),
        "/elements/0/options",
    ),
    ("options not empty", actions(select()), actions(select(options=[])), "/elements/0/options"),
    (
        "option words",
        actions(select(options=[option("a" * 75)])),
        actions(select(options=[option("a" * 76, "v")])),
        "/elements/0/options/0/text/text",
    ),
    (
        "option value",
        actions(select(options=[option(value="a" * 150)])),
        actions(select(options=[option(value="a" * 151)])),
        "/elements/0/options/0/value",
    ),
    (
        "option url only in overflow",
        actions({"type": "overflow", "options": [option(url="https://x.example")]}),
        actions(select(options=[option(url="https://x.example")])),
        "/elements/0/options/0",
    ),
    (
        "initial option is offered",
        actions(select(initial_option=option("one"))),
        actions(select(initial_option=option("two"))),
        "/elements/0/initial_option",
    ),
    (
        "option groups",
        actions({"type": "static_select", "option_groups": [{"label": plain("g"), "options": [option()]}]}),
        actions(select(option_groups=[{"label": plain("g"), "options": [option()]}])),
        "/elements/0",
    ),
    (
        "group label",
        actions({"type": "static_select", "option_groups": [{"label": plain("g" * 75), "options": [option()]}]}),
        actions({"type": "static_select", "option_groups": [{"label": plain("g" * 76), "options": [option()]}]}),
        "/elements/0/option_groups/0/label/text",
    ),
    (
        "placeholder",
        actions(select(placeholder=plain("a" * 150))),
        actions(select(placeholder=plain("a" * 151))),
        "/elements/0/placeholder/text",
    ),
    (
        "overflow count",
        actions({"type": "overflow", "options": [option(str(n)) for n in range(5)]}),
        actions({"type": "overflow", "options": [option(str(n)) for n in range(6)]}),
        "/elements/0/options",
    ),
    (
        "checkboxes count",
        actions({"type": "checkboxes", "options": [option(str(n)) for n in range(10)]}),
        actions({"type": "checkboxes", "options": [option(str(n)) for n in range(11)]}),
        "/elements/0/options",
    ),
    (
        "radio count",
        actions({"type": "radio_buttons", "options": [option(str(n)) for n in range(10)]}),
        actions({"type": "radio_buttons", "options": [option(str(n)) for n in range(11)]}),
        "/elements/0/options",
    ),
    (
        "date",
        actions({"type": "datepicker", "initial_date": "2026-01-05"}),
        actions({"type": "datepicker", "initial_date": "5.1."}),
        "/elements/0/initial_date",
    ),
    (
        "time",
        actions({"type": "timepicker", "initial_time": "09:30"}),
        actions({"type": "timepicker", "initial_time": "9"}),
        "/elements/0/initial_time",
    ),
    (
        "multi selects",
        section(accessory={"type": "multi_users_select"}),
        actions({"type": "multi_users_select"}),
        "/elements/0/type",
    ),
    (
        "most chosen",
        section(accessory={"type": "multi_users_select", "max_selected_items": 1}),
        section(accessory={"type": "multi_users_select", "max_selected_items": 0}),
        "/accessory/max_selected_items",
    ),
    (
        "filter",
        actions({"type": "conversations_select", "filter": {"include": ["im"]}}),
        actions({"type": "conversations_select", "filter": {"include": []}}),
        "/elements/0/filter/include",
    ),
    ("image", IMAGE, {"type": "image", "image_url": "https://x.example/a.png"}, ""),
    ("image alt text", {**IMAGE, "alt_text": "a" * 2000}, {**IMAGE, "alt_text": "a" * 2001}, "/alt_text"),
    ("image title", {**IMAGE, "title": plain("a" * 2000)}, {**IMAGE, "title": plain("a" * 2001)}, "/title/text"),
    (
        "image source",
        {"type": "image", "alt_text": "a", "slack_file": {"id": "F0123456789"}},
        {**IMAGE, "slack_file": {"id": "F0123456789"}},
        "",
    ),
    (
        "slack file",
        {"type": "image", "alt_text": "a", "slack_file": {"id": "F0123456789"}},
        {"type": "image", "alt_text": "a", "slack_file": {"id": "F0123456789", "url": "https://x.example"}},
        "/slack_file",
    ),
    ("input label", asking(), {**asking(), "label": plain("a" * 2001)}, "/label/text"),
    ("input hint", {**asking(), "hint": plain("a" * 2000)}, {**asking(), "hint": plain("a" * 2001)}, "/hint/text"),
    ("input element", asking(), {**asking(), "element": button()}, "/element/type"),
    ("input lengths", asking(min_length=1, max_length=3000), asking(max_length=3001), "/element/max_length"),
    ("input order", asking(min_length=2, max_length=2), asking(min_length=3, max_length=2), "/element/min_length"),
    (
        "dispatch",
        asking(dispatch_action_config={"trigger_actions_on": ["on_enter_pressed"]}),
        asking(dispatch_action_config={"trigger_actions_on": ["x"]}),
        "/element/dispatch_action_config/trigger_actions_on/0",
    ),
    (
        "rich text",
        RICH,
        {"type": "rich_text", "elements": [{"type": "rich_text_part", "elements": []}]},
        "/elements/0/type",
    ),
    (
        "rich text list",
        {
            "type": "rich_text",
            "elements": [{"type": "rich_text_list", "style": "bullet", "indent": 8, "elements": RICH["elements"]}],
        },
        {
            "type": "rich_text",
            "elements": [{"type": "rich_text_list", "style": "bullet", "indent": 9, "elements": RICH["elements"]}],
        },
        "/elements/0/indent",
    ),
    ("markdown", {"type": "markdown", "text": "a" * 12000}, {"type": "markdown", "text": "a" * 12001}, "/text"),
    ("table width", {"type": "table", "rows": rows(20)}, {"type": "table", "rows": rows(21)}, "/rows/0"),
    ("table height", {"type": "table", "rows": rows(*[1] * 100)}, {"type": "table", "rows": rows(*[1] * 101)}, "/rows"),
    (
        "data table height",
        {"type": "data_table", "caption": "c", "rows": rows(2, 2)},
        {"type": "data_table", "caption": "c", "rows": rows(2)},
        "/rows",
    ),
    (
        "data table rows",
        {"type": "data_table", "caption": "c", "rows": rows(2, 2)},
        {"type": "data_table", "caption": "c", "rows": rows(2, 3)},
        "/rows/1",
    ),
    (
        "data table caption",
        {"type": "data_table", "caption": "c", "rows": rows(1, 1)},
        {"type": "data_table", "rows": rows(1, 1)},
        "",
    ),
    (
        "data table page",
        {"type": "data_table", "caption": "c", "rows": rows(1, 1), "page_size": 100},
        {"type": "data_table", "caption": "c", "rows": rows(1, 1), "page_size": 101},
        "/page_size",
    ),
    (
        "data table header",
        {"type": "data_table", "caption": "c", "rows": rows(1, 1)},
        {"type": "data_table", "caption": "c", "rows": [[RICH], *rows(1)]},
        "/rows/0/0/type",
    ),
    ("chart", chart(LINE), chart({"type": "scatter"}), "/chart/type"),
    ("chart title", chart(LINE, title="a" * 50), chart(LINE, title="a" * 51), "/title"),
    (
        "pie",
        chart({"type": "pie", "segments": [{"label": "a", "value": 1}]}),
        chart({"type": "pie", "segments": [{"label": "a", "value": 0}]}),
        "/chart/segments/0/value",
    ),
    (
        "chart labels",
        chart(LINE),
        chart({**LINE, "series": [{"name": "s" * 21, "data": POINTS}]}),
        "/chart/series/0/name",
    ),
    (
        "chart points",
        chart(LINE),
        chart({**LINE, "series": [{"name": "s", "data": POINTS[:1]}]}),
        "/chart/series/0/data",
    ),
    (
        "chart names",
        chart(LINE),
        chart({**LINE, "series": [{"name": "s", "data": POINTS}] * 2}),
        "/chart/series/1/name",
    ),
    ("card", {"type": "card", "title": mrkdwn("a" * 150)}, {"type": "card", "title": mrkdwn("a" * 151)}, "/title/text"),
    (
        "card body",
        {"type": "card", "body": mrkdwn("a" * 200)},
        {"type": "card", "body": mrkdwn("a" * 201)},
        "/body/text",
    ),
    (
        "card buttons",
        {"type": "card", "actions": [button(f"{n}") for n in range(3)]},
        {"type": "card", "actions": [button(f"{n}") for n in range(4)]},
        "/actions",
    ),
    (
        "carousel",
        {"type": "carousel", "elements": [{"type": "card", "body": plain("a")}] * 10},
        {"type": "carousel", "elements": [{"type": "card", "body": plain("a")}] * 11},
        "/elements",
    ),
    (
        "container",
        {"type": "container", "title": plain("a"), "child_blocks": [section()] * 10},
        {"type": "container", "title": plain("a"), "child_blocks": [section()] * 11},
        "/child_blocks",
    ),
    (
        "container title",
        {"type": "container", "title": plain("a"), "child_blocks": [section()]},
        {"type": "container", "child_blocks": [section()]},
        "",
    ),
    (
        "container children",
        {"type": "container", "title": plain("a"), "child_blocks": [section()]},
        {"type": "container", "title": plain("a"), "child_blocks": [{"type": "markdown", "text": "a"}]},
        "/child_blocks/0/type",
    ),
    (
        "task card",
        {"type": "task_card", "task_id": "t", "title": "a", "status": "complete"},
        {"type": "task_card", "task_id": "t", "title": "a", "status": "pending"},
        "/status",
    ),
    (
        "plan",
        {"type": "plan", "title": "p", "tasks": [{"task_id": "a", "title": "a", "status": "pending"}]},
        {"type": "plan", "title": "p", "tasks": [{"task_id": "a", "title": "a"}] * 2},
        "/tasks/1/task_id",
    ),
    (
        "feedback",
        {
            "type": "context_actions",
            "elements": [
                {
                    "type": "feedback_buttons",
                    "positive_button": {"text": plain("+"), "value": "1"},
                    "negative_button": {"text": plain("-"), "value": "0"},
                }
            ],
        },
        {"type": "context_actions", "elements": [button()]},
        "/elements/0/type",
    ),
    ("known types", section(), {"type": "sektion"}, "/type"),
    ("modal only", section(), {"type": "alert", "text": plain("a")}, "/type"),
    ("has a type", section(), {"text": plain("a")}, ""),
]


@pytest.mark.parametrize(("name", "good", "bad", "where"), BLOCKS, ids=[case[0] for case in BLOCKS])
def test_blocks_are_judged(name: str, good: Json, bad: Json, where: str) -> None:
    assert validate_blocks([good], "message") == []
    problems = validate_blocks([bad], "message")
    assert any(problem.pointer.startswith(f"/blocks/0{where}") for problem in problems), problems


#: (a good view, a bad one, where the problem is)
VIEWS: list[tuple[Json, Json, str]] = [
    (modal(asking(), title="a" * 24), modal(asking(), title="a" * 25), "/view/title/text"),
    (modal(asking()), {"type": "modal", "blocks": []}, "/view"),
    (modal(asking()), {**modal(asking()), "submit": None}, "/view"),
    (modal(section(), submit=plain("a" * 24)), modal(section(), submit=plain("a" * 25)), "/view/submit/text"),
    (modal(section(), close=plain("a" * 24)), modal(section(), close=plain("a" * 25)), "/view/close/text"),
    (
        modal(section(), private_metadata="a" * 3000),
        modal(section(), private_metadata="a" * 3001),
        "/view/private_metadata",
    ),
    (modal(section(), callback_id="a" * 255), modal(section(), callback_id="a" * 256), "/view/callback_id"),
    (modal(section(), external_id="a" * 255), modal(section(), external_id="a" * 256), "/view/external_id"),
    (modal(*[section()] * 100), modal(*[section()] * 101), "/view/blocks"),
    (
        modal({"type": "alert", "text": plain("a" * 200)}),
        modal({"type": "alert", "text": plain("a" * 201)}),
        "/view/blocks/0/text",
    ),
    (modal(section()), modal({"type": "table", "rows": rows(1)}), "/view/blocks/0/type"),
    (modal(section()), modal({"type": "markdown", "text": "a"}), "/view/blocks/0/type"),
    (
        modal(asking(focus_on_load=True)),
        modal(asking("a", focus_on_load=True), asking("b", focus_on_load=True)),
        "/view/blocks",
    ),
    (modal(section(), notify_on_close=True), modal(section(), notify=True), "/view"),
    ({"type": "home", "blocks": [section()]}, {"type": "home", "title": plain("a"), "blocks": []}, "/view"),
    (
        {"type": "home", "blocks": [{"type": "table", "rows": rows(1)}]},
        {"type": "home", "blocks": [{"type": "alert", "text": plain("a")}]},
        "/view/blocks/0/type",
    ),
    ({"type": "home", "blocks": []}, {"type": "workflow_step", "blocks": []}, "/view/type"),
    (
        modal({**asking(), "element": {"type": "file_input", "action_id": "f"}}),
        {"type": "home", "blocks": [{**asking(), "element": {"type": "file_input", "action_id": "f"}}]},
        "/view/blocks/0/element/type",
    ),
]


@pytest.mark.parametrize(("good", "bad", "where"), VIEWS)
def test_views_are_judged(good: Json, bad: Json, where: str) -> None:
    assert validate_view(good) == []
    assert any(problem.pointer.startswith(where) for problem in validate_view(bad)), validate_view(bad)


@pytest.mark.parametrize(
    ("good", "bad", "where"),
    [
        ([section()] * 50, [section()] * 51, "/blocks"),
        (
            [section(block_id="a"), section(block_id="b")],
            [section(block_id="a"), section(block_id="a")],
            "/blocks/1/block_id",
        ),
        ([actions(button("a")), actions(button("a"))], [actions(button("a"), button("a"))], "/blocks/0"),
        ([{"type": "table", "rows": rows(1)}], [{"type": "table", "rows": rows(1)}] * 2, "/blocks"),
        ([chart(LINE)] * 2, [chart(LINE)] * 3, "/blocks"),
        ([{"type": "markdown", "text": "a" * 6000}] * 2, [{"type": "markdown", "text": "a" * 6001}] * 2, "/blocks"),
        ([section()], section(), "/blocks"),
    ],
)
def test_blocks_are_judged_together(good: Any, bad: Any, where: str) -> None:
    assert validate_blocks(good, "message") == []
    assert [problem.pointer for problem in validate_blocks(bad, "message")] == [where]


def test_blocks_inside_attachments_are_judged() -> None:
    assert validate_message({"attachments": [{"color": "#f00", "blocks": [section()]}]}) == []
    problems = validate_message({"attachments": [{"blocks": [section("")]}]})
    assert [problem.pointer for problem in problems] == ["/attachments/0/blocks/0/text/text"]


def test_a_problem_reads_like_slack() -> None:
    (problem,) = validate_blocks([section("a" * 3001)], "message")
    assert str(problem) == "must be less than 3001 characters [json-pointer:/blocks/0/text/text]"


def test_the_weight_of_a_message_counts_words_and_containers() -> None:
    assert text_weight([section("a" * 3000)] * 4) < MESSAGE_BLOCKS_TEXT_MAX < text_weight([section("a" * 3000)] * 5)
    header = {"type": "header", "text": plain("a" * 100)}
    assert text_weight([header]) == 200


@pytest.mark.parametrize("name", LIMITS)
def test_limits_agree_with_an_independent_registry(name: str) -> None:
    if name == "table.content.max_length":
        return  # the registry has none; Slack's page says 10,000
    assert getattr(oracle, name.replace(".", "_").upper()) == LIMITS[name]


@pytest.mark.parametrize("surface", ["message", "modal", "home"])
def test_surfaces_agree_with_an_independent_registry(surface: Any) -> None:
    assert oracle_surfaces._BLOCK_TYPES_BY_SURFACE[surface] == SURFACES[surface]
