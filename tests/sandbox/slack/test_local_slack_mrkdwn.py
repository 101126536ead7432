"""What Slack makes of mrkdwn: formatting by word boundaries, control sequences, what is linked unasked, what is not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.sandbox.slack.composer import escape
from bot.sandbox.slack.mrkdwn import Span, links, parse, pings, plain, walk
from bot.sandbox.world import HOSTILE_NAMES


def text(words: str) -> Span:
    return Span("text", words)


@pytest.mark.parametrize(
    ("written", "spans"),
    [
        ("plain", [text("plain")]),
        ("*bold*", [Span("bold", inside=(text("bold"),))]),
        ("a *b c* d", [text("a "), Span("bold", inside=(text("b c"),)), text(" d")]),
        ("(_x_)", [text("("), Span("italic", inside=(text("x"),)), text(")")]),
        ("~gone~", [Span("strike", inside=(text("gone"),))]),
        ("*_both_*", [Span("bold", inside=(Span("italic", inside=(text("both"),)),))]),
        ("snake_case_name", [text("snake_case_name")]),
        ("2*3*4", [text("2*3*4")]),
        ("* not bold *", [text("* not bold *")]),
        ("*open", [text("*open")]),
        ("**", [text("**")]),
        ("**twice**", [text("**twice**")]),
        ("*a\nb*", [text("*a\nb*")]),
        ("`*x*`", [Span("code", inside=(text("*x*"),))]),
        ("``", [text("``")]),
        ("```a\n*b*```", [Span("pre", inside=(text("a\n*b*"),))]),
        ("&lt;b&gt; &amp; &quot;", [text("<b> & &quot;")]),
        ("&amp;lt;", [text("&lt;")]),
        ("<@U0ANA00001>", [Span("user", "@U0ANA00001", "U0ANA00001")]),
        ("<@U0ANA00001|ana>", [Span("user", "@ana", "U0ANA00001")]),
        ("<#C0RELEASE1|release>", [Span("channel", "#release", "C0RELEASE1")]),
        ("<!subteam^S0QALEADS1|@qa-leads>", [Span("usergroup", "@qa-leads", "S0QALEADS1")]),
        ("<!here>", [Span("broadcast", "@here", "here")]),
        ("<!channel|channel>", [Span("broadcast", "@channel", "channel")]),
        ("<!date^1392734382^{date}|Feb 18>", [Span("date", "Feb 18", "1392734382")]),
        (
            "<https://x.example/?a=1&amp;b=2>",
            [Span("link", "https://x.example/?a=1&b=2", "https://x.example/?a=1&b=2")],
        ),
        ("<https://x.example|*R118* &lt;3>", [Span("link", "*R118* <3", "https://x.example")]),
        ("*<https://x.example|R118>*", [Span("bold", inside=(Span("link", "R118", "https://x.example"),))]),
        ("<mailto:a@x.example|a>", [Span("link", "a", "mailto:a@x.example")]),
        ("<no link>", [text("<no link>")]),
        (":fire: 10:30:45 :+1:", [Span("emoji", ":fire:", "fire"), text(" 10:30:45 "), Span("emoji", ":+1:", "+1")]),
        ("&gt; said", [Span("quote", inside=(text("said"),))]),
        ("a\n> b\nc", [text("a\n"), Span("quote", inside=(text("b"),)), text("\nc")]),
        ("&gt;&gt;&gt; a\nb", [Span("quote", inside=(text("a"), text("\n"), text("b")))]),
        ("a &gt; b", [text("a > b")]),
    ],
)
def test_markup_is_read(written: str, spans: list[Span]) -> None:
    read = parse(written, verbatim=True)
    assert [_flat(span) for span in read] == [_flat(span) for span in spans]


def _flat(span: Span) -> object:
    """A span whose neighbouring texts are one."""
    inside: list[object] = []
    for part in span.inside:
        if part.kind == "text" and inside and isinstance(inside[-1], str):
            inside[-1] += part.text
        else:
            inside.append(part.text if part.kind == "text" else _flat(part))
    return (span.kind, span.text, span.target, inside)


@pytest.mark.parametrize(
    ("written", "kind", "target"),
    [
        ("see https://x.example/a.", "link", "https://x.example/a"),
        ("see x.example", "link", "http://x.example"),
        ("ana@acme.example", "link", "mailto:ana@acme.example"),
        ("in #release", "channel", "release"),
        ("hi @here", "broadcast", "here"),
        ("https://x.example/_a_/b", "link", "https://x.example/_a_/b"),
        ("https://x.example/?a&gt;b", "link", "https://x.example/?a"),
    ],
)
def test_without_verbatim_slack_links_by_itself(written: str, kind: str, target: str) -> None:
    assert [(span.kind, span.target) for span in parse(written) if span.kind != "text"] == [(kind, target)]
    assert [span for span in parse(written, verbatim=True) if span.kind in {"link", "channel", "broadcast"}] == []


def test_the_top_level_text_knows_no_names() -> None:
    assert parse("@here #release", names=False) == (text("@here #release"),)


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_unescaped_hostile_names_are_found_out(name: str) -> None:
    assert [span for span in walk(parse(name)) if span.kind != "text"]


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_escaped_names_neither_ping_nor_link(name: str) -> None:
    spans = parse(escape(name), verbatim=True)
    assert pings(spans) == []
    assert links(spans) == []


@given(st.text(alphabet="<>&|!@#*_~`: ahUC019\n", max_size=60))
def test_what_is_escaped_never_pings_or_links(words: str) -> None:
    spans = parse(f"Run {escape(words)} done", verbatim=True)
    assert pings(spans) == []
    assert links(spans) == []


@given(st.text(alphabet="<>&|;ampltgh1 -", max_size=60))
def test_escaped_words_come_back_unchanged(words: str) -> None:
    assert plain(parse(f".{escape(words)}", verbatim=True)) == f".{words}"
