"""Messages as text of 80 columns without colour, and what holds for every width and every text."""

from __future__ import annotations

from datetime import UTC, datetime
from textwrap import dedent
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from bot.sandbox.demo.chips import Chips
from bot.sandbox.demo.drawing import draw, draw_dialog
from bot.sandbox.demo.ink import Look
from bot.sandbox.slack import Message, View
from tests.sandbox.demo.demo_fake_app import Json, actions, button, context, menu, paper, plain, section, text

NAMES = {"U0RUNDOWN9": "Rundown", "U0ANA00001": "Ana Kovač", "C0RELEASE1": "release", "S0QALEADS1": "qa-leads"}
AT = datetime(2026, 1, 5, 9, tzinfo=UTC)
LOOK = Look(
    names=NAMES,
    now=AT,
    zone=UTC,
    people=[("U0ANA00001", "Ana Kovač"), ("U0TOM00002", "Tom Becker")],
    channels=[("C0RELEASE1", "release")],
)


def said(*blocks: Json, text: str = "", **more: Any) -> Message:
    known = {"channel": "C0RELEASE1", "ts": "1.0", "user": "U0RUNDOWN9", "by_app": True, "at": AT}
    return Message(**{**known, "text": text, "blocks": tuple(blocks), **more})


def drawn(message: Message, width: int = 80, look: Look = LOOK) -> str:
    console = paper(width)
    console.print(draw(message, look, Chips()), crop=False)
    return text(console)


def body(*blocks: Json, width: int = 80) -> str:
    """What is drawn below the author line, without its indentation."""
    return dedent("\n".join(drawn(said(*blocks), width).split("\n")[1:])).rstrip("\n")


CARD = (
    section("❌ *Failed*  *<https://testmo.example/runs/412|Nightly web>*  `A412`\n■■■■✕□  71 passed · 10 failed"),
    context("Started <!date^1767603600^{date_short_pretty} at {time}|2026-01-05 09:00 UTC> by <@U0ANA00001>"),
    actions(button("open", "Open", url="https://testmo.example/runs/412"), button("failures", "Failures")),
)


def test_a_run_card_looks_as_in_slack() -> None:
    assert drawn(said(*CARD, only_for="U0ANA00001")) == dedent(
        """\
        Rundown APP 09:00 · Only visible to you
          ❌ Failed  Nightly web¹  `A412`
          ■■■■✕□  71 passed · 10 failed
          Started today at 09:00 by @Ana Kovač
          [1 Open ↗] [2 Failures]
          ¹ https://testmo.example/runs/412
        """
    )


@pytest.mark.parametrize(
    ("more", "first_line"),
    [
        ({}, "Rundown APP 09:00"),
        ({"edited_ts": "2.0"}, "Rundown APP 09:00 · edited"),
        ({"only_for": "U0ANA00001"}, "Rundown APP 09:00 · Only visible to you"),
        ({"user": "U0ANA00001", "by_app": False}, "Ana Kovač 09:00"),
        ({"user": "U0NOBODY00", "by_app": False}, "U0NOBODY00 09:00"),
        ({"thread_ts": "0.5"}, "  │ Rundown APP 09:00"),
    ],
)
def test_the_first_line_tells_who_when_and_for_whom(more: Json, first_line: str) -> None:
    assert drawn(said(text="words", **more)).split("\n")[0] == first_line


def test_every_line_of_a_reply_stands_behind_the_bar() -> None:
    assert drawn(said(section("one\n\ntwo"), thread_ts="0.5")) == "\n".join(
        ["  │ Rundown APP 09:00", "  │   one", "  │", "  │   two", ""]
    )


@pytest.mark.parametrize(
    ("mrkdwn", "shown"),
    [
        ("*bold* _italic_ ~gone~ `code`", "bold italic ~gone~ `code`"),
        ("&lt;b&gt; &amp; 2*3 *not bold", "<b> & 2*3 *not bold"),
        ("<https://a.example|label>", "label¹\n¹ https://a.example"),
        ("<https://a.example|A> <https://a.example|B>", "A¹ B¹\n¹ https://a.example"),
        ("<https://a.example>", "https://a.example"),
        ("<mailto:ana@acme.example|ana@acme.example>", "ana@acme.example"),
        ("<@U0ANA00001> <@U0UNKNOWN1> <#C0RELEASE1>", "@Ana Kovač @U0UNKNOWN1 #release"),
        ("<!subteam^S0QALEADS1> <!here>", "@qa-leads @here"),
        ("<!date^1767603600^{time}|long ago>", "09:00"),
        (":white_check_mark: :tada: :unheard_of:", "✅ 🎉 :unheard_of:"),
        ("before\n> quoted\nafter", "before\n▌ quoted\nafter"),
        ("see\n```x = 1\n  y = 2```", "see\n┆ x = 1\n┆   y = 2"),
        ("\x1b[2Jgone <https://a.example/\x1b]0;x|\x07bell>", "␛[2Jgone ␇bell¹\n¹ https://a.example/␛]0;x"),
    ],
)
def test_mrkdwn_loses_nothing_without_colour(mrkdwn: str, shown: str) -> None:
    assert body(section(mrkdwn)) == shown


@pytest.mark.parametrize(
    ("block", "shown"),
    [
        ({"type": "header", "text": plain("Digest :sunny: *as is* :tada:")}, "Digest :sunny: *as is* 🎉"),
        ({"type": "divider"}, "─" * 24),
        (context("one", "two"), "one  two"),
        (
            {"type": "context", "elements": [{"type": "image", "alt_text": "A chart"}, plain("beside it")]},
            "[image: A chart]  beside it",
        ),
        ({"type": "image", "alt_text": "The trend", "title": plain("Trend")}, "Trend\n[image: The trend]"),
        (section("Text", accessory={"type": "image", "alt_text": "Logo"}), f"Text{' ' * 61}[image: Logo]"),
        (section("Row", accessory=button("show", "Show")), f"Row{' ' * 67}[1 Show]"),
        (
            {"type": "section", "fields": [plain("Passed"), plain("71"), plain("Failed")]},
            f"Passed{' ' * 34}71\nFailed",
        ),
        (
            actions(button("a", "Approve", style="primary"), button("b", "Delete…", style="danger")),
            "[1 Approve +] [2 Delete… !]",
        ),
        (actions(menu("sort", "Sort by", "Risk", "Newest")), "[1 Sort by ▾]\n  1.1 Risk  1.2 Newest"),
        (
            actions(
                {
                    **menu("sort", "Sort by", "Risk", "Newest"),
                    "initial_option": {"text": plain("Risk"), "value": "risk"},
                }
            ),
            "[1 Risk ▾]\n  1.1 Risk ✓  1.2 Newest",
        ),
        (
            section(
                "More",
                accessory={"type": "overflow", "action_id": "o", "options": [{"text": plain("Mute"), "value": "m"}]},
            ),
            f"More{' ' * 69}[1 ⋯]\n  1.1 Mute",
        ),
        (
            actions({"type": "users_select", "action_id": "who", "placeholder": plain("Who?")}),
            "[1 Who? ▾]\n  1.1 Ana Kovač  1.2 Tom Becker",
        ),
        (
            actions({"type": "datepicker", "action_id": "day", "initial_date": "2026-01-05"}),
            "[1 2026-01-05 ✎] 1=… enters",
        ),
        (
            actions(
                {
                    "type": "static_select",
                    "action_id": "test",
                    "options": [{"text": plain(f"T{one}"), "value": f"{one}"} for one in range(1, 14)],
                    "initial_option": {"text": plain("T11"), "value": "11"},
                }
            ),
            "[1 T11 ▾]\n"
            "  1.1 T1  1.2 T2  1.3 T3  1.4 T4  1.5 T5  1.6 T6  1.7 T7  1.8 T8  1.11 T11 ✓\n"
            "  and 4 more, 1=words chooses",
        ),
        (
            section("Until when?", accessory={"type": "datepicker", "action_id": "day"}),
            f"Until when?{' ' * 60}[1 … ✎]\n1=… enters",
        ),
        ({"type": "markdown", "text": "# As it is"}, "# As it is"),
        ({"type": "video", "title": plain("A film"), "alt_text": "Two people talk"}, "A film\nTwo people talk"),
    ],
)
def test_blocks_have_their_shapes(block: Json, shown: str) -> None:
    assert body(block) == shown


def test_rich_text_keeps_lists_quotes_and_styles() -> None:
    def part(kind: str, *elements: Json, **more: Any) -> Json:
        return {"type": f"rich_text_{kind}", "elements": list(elements), **more}

    rich = {
        "type": "rich_text",
        "elements": [
            part(
                "section",
                {"type": "text", "text": "Hi "},
                {"type": "user", "user_id": "U0ANA00001"},
                {"type": "text", "text": " gone", "style": {"strike": True}},
                {"type": "emoji", "name": "wave"},
                {"type": "link", "url": "https://a.example", "text": "there"},
                {"type": "date", "timestamp": 1767603600, "format": " at {time}", "fallback": "then"},
            ),
            part("list", part("section", {"type": "text", "text": "one"}), style="bullet"),
            part("list", part("section", {"type": "text", "text": "two"}), style="ordered", indent=1, offset=1),
            part("quote", {"type": "text", "text": "said"}),
            part("preformatted", {"type": "text", "text": "a\nb"}),
        ],
    }
    assert body(rich).split("\n") == [
        "Hi @Ana Kovač~ gone~👋there¹ at 09:00",
        "• one",
        "   2. two",
        "▌ said",
        "┆ a",
        "┆ b",
        "¹ https://a.example",
    ]


def test_rows_of_a_list_are_told_apart_by_their_indentation() -> None:
    rows = [section("🔴 *Failing*  Nightly\n71 passed", accessory=button("show", "Show")) for _ in range(2)]
    lines = body(*rows, width=60).split("\n")
    assert [line.split("[")[0].rstrip() for line in lines] == ["🔴 Failing  Nightly", "   71 passed"] * 2
    assert [line[-8:] for line in lines[::2]] == ["[1 Show]", "[2 Show]"]


def test_where_it_is_narrow_a_button_stands_below() -> None:
    assert body(section("Words", accessory=button("show", "Show the run")), width=50).split("\n") == [
        "Words",
        "[1 Show the run]",
    ]


def test_buttons_break_between_each_other_only() -> None:
    row = actions(*(button(f"b{number}", "Two words") for number in range(5)))
    assert body(row, width=40).split("\n") == [
        "[1 Two words] [2 Two words]",
        "[3 Two words] [4 Two words]",
        "[5 Two words]",
    ]


def test_attachments_files_and_reactions_are_drawn() -> None:
    unfurl = {"title": "R118", "title_link": "https://a.example", "text": "*3* failed", "footer": "TestRail"}
    message = said(text="look", attachments=(unfurl,), reactions=(("eyes", "U1"), ("eyes", "U2")), files=("log.txt",))
    assert drawn(message).split("\n")[1:-1] == [
        "  look",
        "  ▎ R118¹",
        "  ▎ 3 failed",
        "  ▎ TestRail",
        "  📎 log.txt",
        "  👀 2",
        "  ¹ https://a.example",
    ]


def test_a_button_keeps_its_number_when_its_message_changes() -> None:
    chips, console = Chips(), paper()
    console.print(draw(said(actions(button("a", "A"), button("b", "B"))), LOOK, chips))
    console.print(draw(said(actions(button("b", "B"), button("c", "C"))), LOOK, chips))
    assert [line for line in text(console).split("\n") if "[" in line] == ["  [1 A] [2 B]", "  [2 B] [3 C]"]


def test_the_same_button_twice_has_two_numbers() -> None:
    assert body(actions(button("a", "A")), actions(button("a", "A"))) == "[1 A]\n[2 A]"


def test_a_dialog_shows_its_inputs_what_is_typed_and_what_is_wrong() -> None:
    why = {
        "type": "input",
        "block_id": "why",
        "label": plain("Why"),
        "hint": plain("One sentence"),
        "element": {"type": "plain_text_input", "action_id": "typed", "placeholder": plain("Because…")},
    }
    content = {"title": plain("Close R118"), "submit": plain("Close"), "blocks": [section("3 failed"), why]}
    view = View("V1", "U0ANA00001", "modal", content, "1", "V1", errors={"why": "Say why"})
    console = paper(40)
    console.print(draw_dialog(view, LOOK, Chips()))
    assert text(console).split("\n")[:-1] == [
        "╭─ Close R118 ─────────────────────────╮",
        "│ 3 failed                             │",
        "│ Why                                  │",
        "│ [1 Because… ✎] 1=… enters            │",
        "│ One sentence                         │",
        "│ ! Say why                            │",
        "│                                      │",
        "│ [2 Close] [3 Cancel]                 │",
        "╰──────────────────────────────────────╯",
    ]


def test_a_terminal_that_knows_links_gets_links_and_styles_instead_of_marks() -> None:
    look = Look(names=NAMES, now=AT, zone=UTC, styled=True, hyperlinks=True)
    console = Console(file=paper().file, width=80, force_terminal=True, color_system="standard", _environ={})
    console.print(draw(said(section("<https://a.example/?q=1|label> `code` ~gone~")), look, Chips()))
    shown = text(console)
    assert ";https://a.example/?q=1\x1b\\" in shown
    assert "¹" not in shown
    assert "`" not in shown


@pytest.mark.parametrize("url", ["javascript:alert(1)", "file:///etc/passwd", "slack://open"])
def test_only_web_and_mail_addresses_become_hyperlinks(url: str) -> None:
    look = Look(names=NAMES, now=AT, zone=UTC, styled=True, hyperlinks=True)
    console = Console(file=paper().file, width=80, force_terminal=True, color_system="standard", _environ={})
    console.print(draw(said(section(f"<{url}|label>")), look, Chips()))
    assert "\x1b]8;" not in text(console)
    assert url in text(console)


WORDS = st.text(st.characters(), max_size=200) | st.lists(
    st.sampled_from(
        ["*", "_", "`", "~", "<", ">", "|", "@", "\n", " ", "מבחן", "🔴", "中文", "\x1b[2J", "a" * 90, "é\u0301"]
    ),
    max_size=30,
).map("".join)


@settings(deadline=None, max_examples=150)
@given(words=WORDS, width=st.integers(60, 160))
def test_no_text_leaves_its_width_or_reaches_the_terminal(words: str, width: int) -> None:
    blocks = (
        section(words, accessory=button("b", words)),
        {"type": "header", "text": plain(words)},
        {"type": "section", "fields": [plain(words), plain(words)]},
        context(words, words),
        actions(menu("m", words, words, "Newest"), button("c", words)),
    )
    shown = drawn(said(*blocks, thread_ts="0.5"), width)
    assert [line for line in shown.split("\n") if cell_len(line) > width] == []
    assert [sign for sign in shown if (sign < " " and sign != "\n") or "\x7f" <= sign <= "\x9f"] == []
