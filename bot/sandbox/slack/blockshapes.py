"""What each Block Kit object looks like: one table per family. Numbers come from `limits`, the language from `rules`.

Source: docs.slack.dev reference/block-kit (blocks, block-elements, composition-objects).
"""

from __future__ import annotations

from typing import Any

from bot.sandbox.slack.limits import limit
from bot.sandbox.slack.rules import (
    Family,
    Report,
    Rule,
    Shape,
    anything,
    array,
    boolean,
    distinct,
    either,
    excludes,
    integer,
    member,
    needs_one,
    number,
    one_of,
    ordered,
    string,
    text,
    url,
)

ELEMENTS = Family()
BLOCKS = Family()
RICH = Family()
RICH_PARTS = Family()
CELLS = Family()
CHARTS = Family()

ACTION_ID = string(limit("action_id.max_length"), 1)
BLOCK_ID = string(limit("block_id.max_length"), 1)
DATE = string(pattern=r"\A\d{4}-\d{2}-\d{2}\Z", says="must be in the format YYYY-MM-DD")
TIME = string(pattern=r"\A([01]\d|2[0-3]):[0-5]\d\Z", says="must be in the format HH:mm")
NUMERIC = string(pattern=r"\A-?\d+(\.\d+)?\Z", says="must be a number")
PLACEHOLDER = text(limit("select.placeholder.max_length"), "plain_text")


def _late(name: str) -> Rule:
    """A rule of this module that is defined further down."""

    def rule(value: Any, at: str, report: Report) -> None:
        globals()[name](value, at, report)

    return rule


# -- composition objects ---------------------------------------------------------------------------------------------

CONFIRM = Shape(
    {
        "title": text(limit("confirmation.title.max_length"), "plain_text"),
        "text": text(limit("confirmation.text.max_length")),
        "confirm": text(limit("confirmation.confirm.max_length"), "plain_text"),
        "deny": text(limit("confirmation.deny.max_length"), "plain_text"),
    },
    {"style": one_of("primary", "danger")},
)

SLACK_FILE = Shape(
    {},
    {"id": string(pattern=r"\AF[A-Z0-9]{8,}\Z", says="must be a file id"), "url": url(3000)},
    (needs_one("id", "url"), excludes("id", "url")),
)


def option(*kinds: str, links: bool = False) -> Shape:
    """An option whose words are of these kinds; `links` (a `url`) only in overflow menus."""
    extra: dict[str, Rule] = {"url": url(limit("option.url.max_length"))} if links else {}
    return Shape(
        {
            "text": text(limit("option.text.max_length"), *kinds),
            "value": string(limit("option.value.max_length"), 1),
        },
        {"description": text(limit("option.description.max_length"), *kinds), **extra},
    )


PLAIN_OPTION = option("plain_text")
RICH_OPTION = option("plain_text", "mrkdwn")
OPTIONS = array(PLAIN_OPTION, limit("select.options.min_items"), limit("select.options.max_items"))
GROUPS = array(
    Shape(
        {
            "label": text(limit("option_group.label.max_length"), "plain_text"),
            "options": array(
                PLAIN_OPTION, limit("option_group.options.min_items"), limit("option_group.options.max_items")
            ),
        }
    ),
    limit("select.option_groups.min_items"),
    limit("select.option_groups.max_items"),
)
FILTER = Shape(
    {},
    {
        "include": array(one_of("im", "mpim", "private", "public"), limit("conversation_filter.include.min_items")),
        "exclude_external_shared_channels": boolean,
        "exclude_bot_users": boolean,
    },
)
DISPATCH = Shape(
    {},
    {
        "trigger_actions_on": array(
            one_of("on_enter_pressed", "on_character_entered"),
            limit("dispatch_action_configuration.trigger_actions_on.min_items"),
            limit("dispatch_action_configuration.trigger_actions_on.max_items"),
        ),
    },
)
WORKFLOW = Shape({"trigger": Shape({"url": url(3000)}, {"customizable_input_parameters": array(anything)})})

# -- elements --------------------------------------------------------------------------------------------------------

COMMON: dict[str, Rule] = {"action_id": ACTION_ID, "confirm": CONFIRM, "focus_on_load": boolean}
TYPED: dict[str, Rule] = {
    "action_id": ACTION_ID,
    "focus_on_load": boolean,
    "dispatch_action_config": DISPATCH,
    "placeholder": text(limit("plain_text_input.placeholder.max_length"), "plain_text"),
}
SELECT: dict[str, Rule] = {**COMMON, "placeholder": PLACEHOLDER}
MULTI: dict[str, Rule] = {**SELECT, "max_selected_items": integer(limit("multi_select.max_selected_items.min"))}
STATIC: dict[str, Rule] = {"options": OPTIONS, "option_groups": GROUPS}
STATIC_ACROSS = (needs_one("options", "option_groups"), excludes("options", "option_groups"))
QUERY: dict[str, Rule] = {"min_query_length": integer(limit("select.min_query_length.min"))}
IDS = array(string(least=1))

ELEMENTS.members.update(
    {
        "button": Shape(
            {"text": text(limit("button.text.max_length"), "plain_text")},
            {
                "action_id": ACTION_ID,
                "confirm": CONFIRM,
                "style": one_of("primary", "danger"),
                "url": url(limit("button.url.max_length")),
                "value": string(limit("button.value.max_length")),
                "accessibility_label": string(limit("button.accessibility_label.max_length")),
                "agent_prompt": string(limit("button.agent_prompt.max_length")),
                "agent_prompt_display": anything,
                "visible_to_user_ids": array(string(least=1)),
            },
        ),
        "workflow_button": Shape(
            {"text": text(limit("workflow_button.text.max_length"), "plain_text"), "workflow": WORKFLOW},
            {
                "action_id": ACTION_ID,
                "confirm": CONFIRM,
                "style": one_of("primary", "danger"),
                "accessibility_label": string(limit("workflow_button.accessibility_label.max_length")),
            },
        ),
        "image": Shape(
            {"alt_text": string(limit("image.alt_text.max_length"), 1)},
            {
                "image_url": url(limit("image.image_url.max_length")),
                "slack_file": SLACK_FILE,
            },
            (needs_one("image_url", "slack_file"), excludes("image_url", "slack_file")),
        ),
        "overflow": Shape(
            {
                "options": array(
                    option("plain_text", links=True),
                    limit("overflow.options.min_items"),
                    limit("overflow.options.max_items"),
                ),
            },
            {"action_id": ACTION_ID, "confirm": CONFIRM},
        ),
        "checkboxes": Shape(
            {
                "options": array(
                    RICH_OPTION, limit("checkboxes.options.min_items"), limit("checkboxes.options.max_items")
                ),
            },
            {**COMMON, "initial_options": array(RICH_OPTION, 1)},
            (member("initial_options", "options"),),
        ),
        "radio_buttons": Shape(
            {
                "options": array(
                    RICH_OPTION, limit("radio_buttons.options.min_items"), limit("radio_buttons.options.max_items")
                ),
            },
            {**COMMON, "initial_option": RICH_OPTION},
            (member("initial_option", "options"),),
        ),
        "static_select": Shape(
            {},
            {**SELECT, **STATIC, "initial_option": PLAIN_OPTION},
            (
                *STATIC_ACROSS,
                member("initial_option", "options", "option_groups"),
            ),
        ),
        "external_select": Shape({}, {**SELECT, **QUERY, "initial_option": PLAIN_OPTION}),
        "users_select": Shape({}, {**SELECT, "initial_user": string(least=1)}),
        "conversations_select": Shape(
            {},
            {
                **SELECT,
                "initial_conversation": string(least=1),
                "default_to_current_conversation": boolean,
                "response_url_enabled": boolean,
                "filter": FILTER,
            },
        ),
        "channels_select": Shape({}, {**SELECT, "initial_channel": string(least=1), "response_url_enabled": boolean}),
        "multi_static_select": Shape(
            {},
            {**MULTI, **STATIC, "initial_options": array(PLAIN_OPTION, 1)},
            (
                *STATIC_ACROSS,
                member("initial_options", "options", "option_groups"),
            ),
        ),
        "multi_external_select": Shape({}, {**MULTI, **QUERY, "initial_options": array(PLAIN_OPTION, 1)}),
        "multi_users_select": Shape({}, {**MULTI, "initial_users": IDS}),
        "multi_conversations_select": Shape(
            {},
            {
                **MULTI,
                "initial_conversations": IDS,
                "default_to_current_conversation": boolean,
                "filter": FILTER,
            },
        ),
        "multi_channels_select": Shape({}, {**MULTI, "initial_channels": IDS}),
        "datepicker": Shape({}, {**SELECT, "initial_date": DATE}),
        "timepicker": Shape({}, {**SELECT, "initial_time": TIME, "timezone": string(least=1)}),
        "datetimepicker": Shape({}, {**COMMON, "initial_date_time": integer(1_000_000_000, 9_999_999_999)}),
        "plain_text_input": Shape(
            {},
            {
                **TYPED,
                "multiline": boolean,
                "initial_value": string(limit("text.max_length")),
                "min_length": integer(
                    limit("plain_text_input.min_length.min"), limit("plain_text_input.min_length.max")
                ),
                "max_length": integer(
                    limit("plain_text_input.max_length.min"), limit("plain_text_input.max_length.max")
                ),
            },
            (ordered("min_length", "max_length"),),
        ),
        "email_text_input": Shape({}, {**TYPED, "initial_value": string()}),
        "url_text_input": Shape({}, {**TYPED, "initial_value": string()}),
        "number_input": Shape(
            {"is_decimal_allowed": boolean},
            {
                **TYPED,
                "initial_value": NUMERIC,
                "min_value": NUMERIC,
                "max_value": NUMERIC,
            },
            (ordered("min_value", "max_value"),),
        ),
        "rich_text_input": Shape(
            {"action_id": ACTION_ID},
            {
                **TYPED,
                "initial_value": BLOCKS.only("rich_text"),
                "min_lines": integer(limit("rich_text_input.min_lines.min"), limit("rich_text_input.min_lines.max")),
                "max_lines": integer(limit("rich_text_input.max_lines.min"), limit("rich_text_input.max_lines.max")),
            },
            (ordered("min_lines", "max_lines"),),
        ),
        "file_input": Shape(
            {},
            {
                "action_id": ACTION_ID,
                "filetypes": array(string(least=1)),
                "max_files": integer(limit("file_input.max_files.min"), limit("file_input.max_files.max")),
            },
        ),
        "feedback_buttons": Shape(
            {"positive_button": _late("FEEDBACK"), "negative_button": _late("FEEDBACK")},
            {
                "action_id": ACTION_ID,
            },
        ),
        "icon_button": Shape(
            {"text": text(limit("text.max_length"), "plain_text"), "icon": one_of("trash")},
            {
                "action_id": ACTION_ID,
                "confirm": CONFIRM,
                "value": string(limit("icon_button.value.max_length")),
                "accessibility_label": string(limit("icon_button.accessibility_label.max_length")),
                "visible_to_user_ids": array(string(least=1), 0, limit("icon_button.visible_to_user_ids.max_items")),
            },
        ),
        "url": Shape({"url": url(3000), "text": string(least=1)}),
    }
)

FEEDBACK = Shape(
    {
        "text": text(limit("feedback_button.text.max_length"), "plain_text"),
        "value": string(limit("feedback_button.value.max_length")),
    },
    {"accessibility_label": string(limit("feedback_button.accessibility_label.max_length"))},
)

SELECTS = ("static_select", "external_select", "users_select", "conversations_select", "channels_select")
MULTI_SELECTS = tuple(f"multi_{name}" for name in SELECTS)
PICKERS = ("datepicker", "timepicker")
CHOICES = ("checkboxes", "radio_buttons")
TEXT_INPUTS = ("plain_text_input", "email_text_input", "url_text_input", "number_input", "rich_text_input")

IN_SECTION = ("button", "workflow_button", "image", "overflow", *CHOICES, *SELECTS, *MULTI_SELECTS, *PICKERS)
IN_ACTIONS = ("button", "workflow_button", "overflow", *CHOICES, *SELECTS, *PICKERS, "datetimepicker")
IN_INPUT = (*CHOICES, *SELECTS, *MULTI_SELECTS, *PICKERS, "datetimepicker", *TEXT_INPUTS, "file_input")

# -- rich text -------------------------------------------------------------------------------------------------------

STYLE = Shape(
    {},
    dict.fromkeys(
        ("bold", "italic", "strike", "code", "underline", "highlight", "client_highlight", "unlink"), boolean
    ),
)
RICH_PARTS.members.update(
    {
        "text": Shape({"text": string(least=1)}, {"style": STYLE}),
        "link": Shape({"url": string(least=1)}, {"text": string(), "unsafe": boolean, "style": STYLE}),
        "emoji": Shape({"name": string(least=1)}, {"unicode": string(), "skin_tone": integer(1, 6), "style": STYLE}),
        "user": Shape({"user_id": string(least=1)}, {"style": STYLE}),
        "usergroup": Shape({"usergroup_id": string(least=1)}, {"style": STYLE}),
        "channel": Shape({"channel_id": string(least=1)}, {"style": STYLE}),
        "team": Shape({"team_id": string(least=1)}, {"style": STYLE}),
        "broadcast": Shape({"range": one_of("here", "channel", "everyone")}, {"style": STYLE}),
        "color": Shape({"value": string(least=1)}, {"style": STYLE}),
        "date": Shape(
            {"timestamp": integer(0), "format": string(least=1)},
            {
                "url": string(),
                "fallback": string(),
                "style": STYLE,
            },
        ),
    }
)
PARTS = array(RICH_PARTS.only(*RICH_PARTS.members))
BORDER = integer(limit("rich_text_list.border.min"), limit("rich_text_list.border.max"))
RICH.members.update(
    {
        "rich_text_section": Shape({"elements": PARTS}),
        "rich_text_quote": Shape({"elements": PARTS}, {"border": BORDER}),
        "rich_text_preformatted": Shape(
            {"elements": array(RICH_PARTS.only("text", "link"))},
            {
                "border": BORDER,
                "language": string(),
            },
        ),
        "rich_text_list": Shape(
            {
                "elements": array(RICH.only("rich_text_section"), 1),
                "style": one_of("bullet", "ordered"),
            },
            {
                "indent": integer(limit("rich_text_list.indent.min"), limit("rich_text_list.indent.max")),
                "offset": integer(limit("rich_text_list.offset.min")),
                "border": BORDER,
            },
        ),
    }
)

# -- tables and charts -----------------------------------------------------------------------------------------------

CELLS.members.update(
    {
        "raw_text": Shape({"text": string()}, {"emoji": boolean}),
        "raw_number": Shape({"value": number}, {"text": string()}),
        "rich_text": Shape({"elements": array(RICH.only(*RICH.members), 1)}, {"block_id": BLOCK_ID}),
    }
)
CELL = CELLS.only("raw_text", "raw_number", "rich_text")


def _data_table_rows(value: Any, at: str, report: Report) -> None:
    """Every row as wide as the header; header cells and the sum of characters as Slack wants them."""
    rows = value["rows"]
    for index, row in enumerate(rows):
        if len(row) != len(rows[0]):
            report.note(f"{at}/rows/{index}", "uneven_rows", "all rows must have the same number of columns")
    for index, cell in enumerate(rows[0]):
        if cell["type"] == "rich_text":
            report.note(f"{at}/rows/0/{index}/type", "unsupported_type", "unsupported type: rich_text")


def _one_of_each(value: Any, at: str, report: Report) -> None:
    """Every series has one point for every category, and series have different names."""
    categories = value["axis_config"]["categories"]
    for index, series in enumerate(value["series"]):
        labels = [point["label"] for point in series["data"]]
        if sorted(labels) != sorted(categories):
            report.note(
                f"{at}/series/{index}/data",
                "missing_points",
                "every series needs one data point for every category",
            )


def _positive(value: Any, at: str, report: Report) -> None:
    number(value, at, report)
    if isinstance(value, int | float) and value <= 0:
        report.note(at, "too_small", "must be greater than 0", min=0, got=value)


POINT = Shape({"label": string(limit("data_visualization.point_label.max_length"), 1), "value": number})
AXIS_CHART = Shape(
    {
        "series": array(
            Shape(
                {
                    "name": string(limit("data_visualization.series_name.max_length"), 1),
                    "data": array(
                        POINT, limit("data_visualization.data.min_items"), limit("data_visualization.data.max_items")
                    ),
                }
            ),
            limit("data_visualization.series.min_items"),
            limit("data_visualization.series.max_items"),
        ),
        "axis_config": Shape(
            {
                "categories": array(
                    string(limit("data_visualization.category_label.max_length"), 1),
                    limit("data_visualization.categories.min_items"),
                    limit("data_visualization.categories.max_items"),
                ),
            },
            {
                "x_label": string(limit("data_visualization.axis_label.max_length")),
                "y_label": string(limit("data_visualization.axis_label.max_length")),
            },
        ),
    },
    {},
    (distinct("series", "name"), _one_of_each),
)
CHARTS.members.update(
    {
        "pie": Shape(
            {
                "segments": array(
                    Shape(
                        {
                            "label": string(limit("data_visualization.segment.label.max_length"), 1),
                            "value": _positive,
                        }
                    ),
                    limit("data_visualization.segments.min_items"),
                    limit("data_visualization.segments.max_items"),
                ),
            }
        ),
        "bar": AXIS_CHART,
        "line": AXIS_CHART,
        "area": AXIS_CHART,
    }
)

# -- blocks ----------------------------------------------------------------------------------------------------------


def _collapsed(value: Any, at: str, report: Report) -> None:
    if value.get("default_collapsed") and not value.get("is_collapsible"):
        report.note(f"{at}/default_collapsed", "conflict", "default_collapsed needs is_collapsible")


BID: dict[str, Rule] = {"block_id": BLOCK_ID}
IMAGE_SOURCE = (needs_one("image_url", "slack_file"), excludes("image_url", "slack_file"))
IMAGE_ELEMENT = ELEMENTS.only("image")
STATUS = one_of("pending", "in_progress", "complete", "error")
TASK: dict[str, Rule] = {
    "details": BLOCKS.only("rich_text"),
    "output": BLOCKS.only("rich_text"),
    "sources": array(ELEMENTS.only("url")),
}

BLOCKS.members.update(
    {
        "section": Shape(
            {},
            {
                **BID,
                "text": text(limit("section.text.max_length")),
                "accessory": ELEMENTS.only(*IN_SECTION),
                "fields": array(text(limit("section.fields.item_max_length")), 1, limit("section.fields.max_items")),
                "expand": boolean,
            },
            (needs_one("text", "fields"),),
        ),
        "header": Shape({"text": text(limit("header.text.max_length"), "plain_text")}, BID),
        "divider": Shape({}, BID),
        "context": Shape(
            {
                "elements": array(
                    either(IMAGE_ELEMENT, text(limit("text.max_length"))),
                    1,
                    limit("context.elements.max_items"),
                ),
            },
            BID,
        ),
        "actions": Shape({"elements": array(ELEMENTS.only(*IN_ACTIONS), 1, limit("actions.elements.max_items"))}, BID),
        "context_actions": Shape(
            {
                "elements": array(
                    ELEMENTS.only("feedback_buttons", "icon_button"),
                    1,
                    limit("context_actions.elements.max_items"),
                ),
            },
            BID,
        ),
        "image": Shape(
            {"alt_text": string(limit("image.alt_text.max_length"), 1)},
            {
                **BID,
                "image_url": url(limit("image.image_url.max_length")),
                "slack_file": SLACK_FILE,
                "title": text(limit("image.title.max_length"), "plain_text"),
            },
            IMAGE_SOURCE,
        ),
        "input": Shape(
            {
                "label": text(limit("input.label.max_length"), "plain_text"),
                "element": ELEMENTS.only(*IN_INPUT),
            },
            {
                **BID,
                "hint": text(limit("input.hint.max_length"), "plain_text"),
                "optional": boolean,
                "dispatch_action": boolean,
            },
        ),
        "rich_text": Shape({"elements": array(RICH.only(*RICH.members))}, BID),
        "markdown": Shape({"text": string(limit("markdown.text.max_length"), 1)}, BID),
        "file": Shape(
            {"external_id": string(limit("view.external_id.max_length"), 1), "source": one_of("remote")}, BID
        ),
        "video": Shape(
            {
                "alt_text": string(limit("video.alt_text.max_length"), 1),
                "title": text(limit("video.title.max_length"), "plain_text"),
                "thumbnail_url": url(limit("video.thumbnail_url.max_length")),
                "video_url": url(limit("video.video_url.max_length")),
            },
            {
                **BID,
                "author_name": string(limit("video.author_name.max_length")),
                "description": text(limit("video.description.max_length"), "plain_text"),
                "provider_name": string(limit("video.provider_name.max_length")),
                "provider_icon_url": url(limit("video.provider_icon_url.max_length")),
                "title_url": url(limit("video.title_url.max_length")),
            },
        ),
        "table": Shape(
            {
                "rows": array(
                    array(CELLS.only("raw_text", "rich_text", "raw_number"), 1, limit("table.columns.max_items")),
                    1,
                    limit("table.rows.max_items"),
                ),
            },
            {
                **BID,
                "column_settings": array(
                    Shape({}, {"align": one_of("left", "center", "right"), "is_wrapped": boolean}),
                    0,
                    limit("table.column_settings.max_items"),
                ),
            },
        ),
        "data_table": Shape(
            {
                "caption": string(least=1),
                "rows": array(
                    array(CELL, limit("data_table.columns.min_items"), limit("data_table.columns.max_items")),
                    limit("data_table.rows.min_items"),
                    limit("data_table.rows.max_items"),
                ),
            },
            {
                **BID,
                "page_size": integer(limit("data_table.page_size.min"), limit("data_table.page_size.max")),
                "row_header_column_index": integer(limit("data_table.row_header_column_index.min")),
            },
            (_data_table_rows,),
        ),
        "data_visualization": Shape(
            {
                "title": string(limit("data_visualization.title.max_length"), 1),
                "chart": CHARTS.only(*CHARTS.members),
            },
            BID,
        ),
        "card": Shape(
            {},
            {
                **BID,
                "hero_image": IMAGE_ELEMENT,
                "icon": IMAGE_ELEMENT,
                "slack_icon": Shape({"type": one_of("icon"), "name": string(least=1)}),
                "title": text(limit("card.title.max_length")),
                "subtitle": text(limit("card.subtitle.max_length")),
                "body": text(limit("card.body.max_length")),
                "subtext": text(limit("card.subtext.max_length")),
                "actions": array(ELEMENTS.only("button"), 0, limit("card.actions.max_items")),
            },
            (excludes("icon", "slack_icon"), needs_one("hero_image", "title", "actions", "body")),
        ),
        "carousel": Shape(
            {
                "elements": array(
                    BLOCKS.only("card"), limit("carousel.elements.min_items"), limit("carousel.elements.max_items")
                ),
            },
            BID,
        ),
        "container": Shape(
            {
                "child_blocks": array(
                    BLOCKS.only(
                        "actions",
                        "context",
                        "data_table",
                        "data_visualization",
                        "divider",
                        "header",
                        "image",
                        "input",
                        "rich_text",
                        "section",
                        "table",
                        "video",
                    ),
                    limit("container.child_blocks.min_items"),
                    limit("container.child_blocks.max_items"),
                ),
            },
            {
                **BID,
                "title": text(limit("container.title.max_length")),
                "rich_text_title": BLOCKS.only("rich_text"),
                "subtitle": text(limit("container.subtitle.max_length")),
                "width": one_of("narrow", "standard", "wide", "full"),
                "icon": IMAGE_ELEMENT,
                "is_collapsible": boolean,
                "default_collapsed": boolean,
                "has_header_divider": boolean,
            },
            (needs_one("title", "rich_text_title"), _collapsed),
        ),
        "alert": Shape(
            {"text": text(limit("alert.text.max_length"))},
            {
                **BID,
                "level": one_of("default", "info", "warning", "error", "success"),
            },
        ),
        "task_card": Shape({"task_id": string(least=1), "title": string(least=1)}, {**BID, **TASK, "status": STATUS}),
        "plan": Shape(
            {
                "title": string(least=1),
                "tasks": array(either(BLOCKS.only("task_card"), _late("PLAN_TASK")), 1, limit("plan.tasks.max_items")),
            },
            BID,
            (distinct("tasks", "task_id"),),
        ),
    }
)

PLAN_TASK = Shape({"task_id": string(least=1), "title": string(least=1)}, {**TASK, "status": STATUS})

VIEW_COMMON: dict[str, Rule] = {
    "private_metadata": string(limit("view.private_metadata.max_length")),
    "callback_id": string(limit("view.callback_id.max_length")),
    "external_id": string(limit("view.external_id.max_length")),
}
VIEWS = Family(
    {
        "modal": Shape(
            {"title": text(limit("view.title.max_length"), "plain_text"), "blocks": anything},
            {
                **VIEW_COMMON,
                "submit": text(limit("view.submit.max_length"), "plain_text"),
                "close": text(limit("view.close.max_length"), "plain_text"),
                "clear_on_close": boolean,
                "notify_on_close": boolean,
                "submit_disabled": boolean,
            },
        ),
        "home": Shape({"blocks": anything}, VIEW_COMMON),
    }
)
