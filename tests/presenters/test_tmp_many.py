"""Whatever comes in, Slack takes what goes out, and foreign text is only ever text."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from bot.domain.access import Grant
from bot.domain.acts import Entry
from bot.presenters import markup, messages
from bot.presenters.message import Message
from bot.presenters.text import clean, code, cut, cut_escaped, mrkdwn
from bot.sandbox.slack.blockkit import MESSAGE_BLOCKS_TEXT_MAX, text_weight, validate_blocks, validate_view
from bot.sandbox.slack.mrkdwn import Span, decode, links, parse, pings, plain, walk
from tests.presenters import hostile
from tests.presenters.checker import problems
from tests.presenters.hostile import KINDS, PAYLOADS
from tests.presenters.samples import CARD, NOW

OURS = {"text", "bold", "code", "link", "date", "emoji"}
ANY = settings(
    max_examples=200,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
)


def spans_of(message: Message) -> Iterator[tuple[Span, ...]]:
    """The parse trees of every mrkdwn text of a message."""
    for one in (message, *message.more):
        for block in one.blocks:
            for thing in [block.get("text"), *block.get("elements", [])]:
                if thing is not None and thing.get("type") == "mrkdwn":
                    yield parse(thing["text"], verbatim=True)


@pytest.mark.parametrize("name", KINDS)
@ANY
@given(data=st.data())
def test_slack_takes_any_message(name: str, data: st.DataObject) -> None:
    kind = KINDS[name]
    value = data.draw(kind.values)
    message = kind.make(value, **{word: data.draw(strategy) for word, strategy in kind.more.items()})
    assert problems(message) == []
    for one in (message, *message.more):
        assert [str(problem) for problem in validate_blocks(one.blocks, "message")] == []
        assert text_weight(one.blocks) <= MESSAGE_BLOCKS_TEXT_MAX
    for spans in spans_of(message):
        assert kind.mentions or pings(spans) == []
        assert {span.kind for span in walk(spans)} <= OURS | (
            {"user", "usergroup", "channel"} if kind.mentions else set()
        )
        assert [span.target for span in links(spans) if span.kind == "link" and not _is_web(span.target)] == []
        assert [span for span in walk(spans) if span.kind == "emoji"] == []


@ANY
@given(hostile.forms, st.none() | hostile.texts)
def test_slack_takes_any_form(form: messages.Form, error: str | None) -> None:
    view = messages.form(form) if error is None else messages.form_failed(form, error)
    assert [str(problem) for problem in validate_view(view.as_dict("form", "{}"))] == []
    for block in view.blocks:
        spans = parse(block["text"]["text"], verbatim=True) if block["type"] == "section" else ()
        assert pings(spans) == []
        assert {span.kind for span in walk(spans)} <= OURS


@ANY
@given(hostile.texts, hostile.texts)
def test_slack_takes_any_words_in_place_of_a_form(title: str, sentence: str) -> None:
    for view in (messages.form_working(title, sentence), messages.form_done(title, sentence)):
        assert [str(problem) for problem in validate_view(view.as_dict("form"))] == []


@ANY
@given(st.lists(hostile.entries, max_size=3))
def test_any_audit_becomes_a_table(entries: list[Entry]) -> None:
    table = messages.audit_csv(entries).decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(table, newline="")))
    assert len(rows) == 1 + len(entries)
    assert {len(row) for row in rows} == {len(rows[0])}
    assert [cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@", "\t", "\r"))] == []


@ANY
@given(
    st.builds(
        Grant, verb=st.text(), kind=st.sampled_from(["user", "group"]), subject=st.text(), channel=st.text(),
        allow=st.booleans(), by=st.text(), at=hostile.moments,
    )
)  # fmt: skip
def test_a_rule_is_read_from_its_button_as_it_was(rule: Grant) -> None:
    assert messages.read_rule(messages.rule_text(rule)) == rule


@ANY
@given(hostile.texts)
def test_anything_else_is_no_rule(text: str) -> None:
    assert messages.read_rule(text) is None


def _is_web(target: str) -> bool:
    return target.lower().startswith(("http://", "https://"))


@ANY
@given(hostile.texts)
@example("a_b_ c")
@example("a:b:c:d:")
def test_foreign_text_is_one_span_of_text(foreign: str) -> None:
    ready = mrkdwn(foreign)
    spans = parse(ready, verbatim=True)
    assert [span.kind for span in spans] == ["text"] * bool(ready)
    assert plain(spans) == decode(ready)


@pytest.mark.parametrize("foreign", PAYLOADS)
def test_foreign_text_is_text_between_any_neighbours(foreign: str) -> None:
    for before, after in (("*", "*"), ("", "\n> x"), ("a ", " b"), ("(", ")"), ("_", "_"), ("x · ", " · y")):
        spans = parse(f"{before}{mrkdwn(foreign)}{after}", verbatim=True)
        assert {span.kind for span in walk(spans)} <= {"text", "bold", "italic", "quote"}


@ANY
@given(hostile.texts)
def test_code_holds_all_of_it(foreign: str) -> None:
    ready = markup.code(foreign).text
    if ready:
        assert [(span.kind, plain((span,))) for span in parse(ready, verbatim=True)] == [
            ("code", decode(code(cut(foreign, 300))))
        ]


@ANY
@given(hostile.urls, hostile.texts)
def test_links_are_links_with_foreign_labels_or_only_labels(url: str, label: str) -> None:
    spans = parse(markup.link(url, label).text, verbatim=True)
    assert len(spans) <= 1
    assert all(span.kind in ("link", "text") for span in spans)
    assert plain(spans).replace("<", "&lt;").replace(">", "&gt;") == mrkdwn(label).replace("&amp;", "&")


@ANY
@given(hostile.texts, st.integers(0, 400))
def test_cutting_keeps_to_the_limit_and_to_the_beginning(foreign: str, limit: int) -> None:
    short = cut(foreign, limit)
    assert len(short) <= limit
    assert short == clean(foreign) or clean(foreign).startswith(short.removesuffix("…"))
    ready = cut_escaped(mrkdwn(foreign), limit or 1)
    assert len(ready) <= (limit or 1)
    assert parse(ready, verbatim=True) == parse(ready.replace("&lt;", "\ue000"), verbatim=True) or "&lt;" in ready


@pytest.mark.parametrize("foreign", [payload for payload in PAYLOADS if cut(payload, 200)])
def test_a_hostile_name_leaves_the_card_as_it_is(foreign: str) -> None:
    """The card of a run with that name has the spans of any other card, and the name is its link's label."""
    run = replace(CARD.run, name=foreign, by=foreign, assignee=foreign, config=foreign, milestone=foreign)
    hostile_card = messages.run_card(replace(CARD, run=run, where=foreign), command="show testrail:R118", now=NOW)
    friendly_run = replace(run, name="x", by="x", assignee="x", config="x", milestone="x")
    friendly = messages.run_card(replace(CARD, run=friendly_run, where="x"), command="show testrail:R118", now=NOW)
    assert [_shape(spans) for spans in spans_of(hostile_card)] == [_shape(spans) for spans in spans_of(friendly)]
    label = next(span for spans in spans_of(hostile_card) for span in walk(spans) if span.kind == "link")
    assert label.text == decode(mrkdwn(cut(foreign, 200)))


def _shape(spans: tuple[Span, ...]) -> list[tuple[str, str]]:
    return [(span.kind, span.target) for span in walk(spans) if span.kind != "text"]


@pytest.mark.parametrize("foreign", PAYLOADS)
def test_the_sentence_for_notifications_pings_nobody(foreign: str) -> None:
    run = replace(CARD.run, name=foreign)
    message = messages.run_card(replace(CARD, run=run, where=foreign), command="show testrail:R118", now=NOW)
    spans = parse(message.text, names=False)
    assert pings(spans) == []
    assert {span.kind for span in walk(spans)} <= {"text", "link"}  # Slack may link a bare address by itself
