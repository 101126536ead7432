"""The templates keep the house's rules: also those that only a reader of their text can see."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bot.presenters import engine, icons, limits

FILES = sorted(engine.folder().glob("*.json.j2"))
TEXTS = {path.name: path.read_text(encoding="utf-8") for path in FILES}
MESSAGES = {name: text for name, text in TEXTS.items() if not name.startswith("_")}
SOURCES = "".join(path.read_text(encoding="utf-8") for path in Path(engine.__file__).parent.glob("*.py"))

PLAIN_TEXT = re.compile(r'"type": "plain_text", "text": "([^"]*)"')
OTHER_KEYS = re.compile(r'"(?:action_id|value|url|style|block_id|initial_value|max_length|max_files)": "([^"]*)"')
HOLE = re.compile(r"\{\{(.*?)\}\}")


@pytest.mark.parametrize("name", TEXTS)
def test_begins_with_a_word_on_who_says_it_and_its_holes(name: str) -> None:
    assert re.match(r"\{# .+ #\}\n", TEXTS[name])


@pytest.mark.parametrize("name", TEXTS)
def test_holes_in_plain_text_are_plain(name: str) -> None:
    holes = [hole for text in PLAIN_TEXT.findall(TEXTS[name]) for hole in HOLE.findall(text)]
    assert [hole for hole in holes if not hole.rstrip().endswith("|plain")] == []


@pytest.mark.parametrize("name", TEXTS)
def test_holes_in_values_are_exact(name: str) -> None:
    holes = [hole for text in OTHER_KEYS.findall(TEXTS[name]) for hole in HOLE.findall(text)]
    assert [hole for hole in holes if not hole.rstrip().endswith("|exact")] == []


@pytest.mark.parametrize("name", MESSAGES)
def test_begins_with_its_fallback_or_title(name: str) -> None:
    assert re.search(r"\#\}\n(?:\{% if \w+ %\}\n)?\{\"(?:fallback|title)\"", MESSAGES[name])


@pytest.mark.parametrize("name", TEXTS)
def test_holes_neither_touch_each_other_nor_a_colon(name: str) -> None:
    assert re.findall(r"\}\}(?:\{\{|:)|:\{\{", TEXTS[name]) == []


@pytest.mark.parametrize("name", [name for name in TEXTS if name.startswith("_")])
def test_every_part_is_used(name: str) -> None:
    assert any(f'include "{name}"' in text for text in TEXTS.values())


@pytest.mark.parametrize("name", MESSAGES)
def test_every_template_is_used(name: str) -> None:
    stem = name.removesuffix(engine.ENDING)
    assert f'"{stem}"' in SOURCES or (stem.startswith("complaint_") and 'f"complaint_{value.family}"' in SOURCES)


def test_blocks_are_in_templates_only() -> None:
    assert not re.search(r'"type": "(?:section|context|actions|header|mrkdwn)"', SOURCES)


def test_every_icon_has_a_word_and_stands_in_the_table() -> None:
    told = icons.__doc__ or ""
    rows = [
        *icons.STATES.values(),
        *icons.OUTCOMES.values(),
        *icons.CHANGES.values(),
        *icons.ENDED.values(),
        *icons.TURNS.values(),
        *icons.SENDINGS.values(),
        icons.COMMENT,
    ]
    for icon, word, *_ in rows:
        assert icon in told, icon
        assert word
    words = [(icon, word) for icon, word, *_ in icons.STATES.values()]
    assert len(set(words)) == len({icon for icon, _ in words})


def test_our_limits_are_those_of_an_independent_package() -> None:
    import slackblocks._limits as theirs

    assert limits.TEXT == theirs.SECTION_TEXT_MAX_LENGTH == theirs.TEXT_MAX_LENGTH
    assert limits.FIELD == theirs.SECTION_FIELDS_ITEM_MAX_LENGTH
    assert limits.FIELDS == theirs.SECTION_FIELDS_MAX_ITEMS
    assert limits.HEADER == theirs.HEADER_TEXT_MAX_LENGTH
    assert limits.ELEMENTS == theirs.CONTEXT_ELEMENTS_MAX_ITEMS
    assert limits.ACTIONS == theirs.ACTIONS_ELEMENTS_MAX_ITEMS
    assert limits.BUTTON == theirs.BUTTON_TEXT_MAX_LENGTH
    assert limits.VALUE == theirs.BUTTON_VALUE_MAX_LENGTH
    assert limits.URL == theirs.BUTTON_URL_MAX_LENGTH
    assert limits.ID == theirs.ACTION_ID_MAX_LENGTH == theirs.BLOCK_ID_MAX_LENGTH
    assert limits.OPTION == theirs.OPTION_TEXT_MAX_LENGTH
    assert limits.OPTION_VALUE == theirs.OPTION_VALUE_MAX_LENGTH
    assert limits.OPTIONS == theirs.SELECT_OPTIONS_MAX_ITEMS
    assert limits.OVERFLOW == theirs.OVERFLOW_OPTIONS_MAX_ITEMS
    assert limits.PLACEHOLDER == theirs.SELECT_PLACEHOLDER_MAX_LENGTH
    assert limits.LABEL == theirs.INPUT_LABEL_MAX_LENGTH == theirs.INPUT_HINT_MAX_LENGTH
    assert limits.TYPED == theirs.PLAIN_TEXT_INPUT_MAX_LENGTH_MAX
    assert limits.CHECKS == theirs.CHECKBOXES_OPTIONS_MAX_ITEMS
    assert limits.FILES == theirs.FILE_INPUT_MAX_FILES_MAX
    assert limits.VIEW_BLOCKS == theirs.VIEW_BLOCKS_MAX_ITEMS
    assert limits.VIEW_TITLE == theirs.VIEW_TITLE_MAX_LENGTH
    assert limits.BLOCKS < theirs.MESSAGE_BLOCKS_MAX_ITEMS
