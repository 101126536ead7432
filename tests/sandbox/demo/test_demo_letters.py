"""Letters that are safe to print, and dates as the reader's clock tells them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone, tzinfo

import pytest

from bot.sandbox.demo.dates import settle, spell
from bot.sandbox.demo.letters import EMOJI, harmless, line, small, with_emoji

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
NINE = 1767603600  # 2026-01-05 09:00 UTC


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain words", "plain words"),
        ("\x1b[31mred\x1b[0m", "␛[31mred␛[0m"),
        ("\x1b]8;;http://evil.example\x07here", "␛]8;;http://evil.example␇here"),
        ("\x9b2Jgone\x85next", "\ufffd2Jgone\ufffdnext"),
        ("back\x08\x7f", "back␈␡"),
        ("one\r\ntwo\rthree\u2028four", "one\ntwo\nthree\nfour"),
        ("a\tb", "a    b"),
        ("\u202egnp.exe", "gnp.exe"),
        ("zero\u200bwidth\ufeff", "zerowidth"),
        ("▶️ 👍🏽 👩\u200d💻", "▶ 👍 👩💻"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("\u200cx\u200c", "x"),
        ("שלום", "שלום"),
        ("half \ud83d", "half \ufffd"),
    ],
)
def test_nothing_is_left_that_a_terminal_obeys(text: str, shown: str) -> None:
    assert harmless(text) == shown


def test_one_line_stays_one_line() -> None:
    assert line(" two\nlines\x0b here ") == "two lines here"


def test_emoji_names_become_characters_where_they_are_known() -> None:
    assert with_emoji(":white_check_mark: done :party_parrot:") == "✅ done :party_parrot:"


def test_every_known_emoji_takes_the_same_cells_everywhere() -> None:
    assert [name for name, sign in EMOJI.items() if harmless(sign) != sign] == []


def test_notes_have_small_numbers() -> None:
    assert small(120) == "¹²⁰"


@pytest.mark.parametrize(
    ("template", "zone", "spelled"),
    [
        ("{date_num} {time_secs}", UTC, "2026-01-05 09:00:00"),
        ("{time}", timezone(timedelta(hours=-5)), "04:00"),
        ("{date_short_pretty} at {time}", UTC, "today at 09:00"),
        ("{date_pretty}", timezone(timedelta(hours=-10)), "yesterday"),
        ("{date}", UTC, "January 5th, 2026"),
        ("{date_short}", UTC, "Jan 5, 2026"),
        ("{date_long}", UTC, "Monday, January 5th, 2026"),
        ("{ago}", UTC, "3 hours ago"),
        ("no token at all", UTC, "no token at all"),
        ("{week}", UTC, None),
    ],
)
def test_date_formats_are_filled_in(template: str, zone: tzinfo, spelled: str | None) -> None:
    assert spell(template, NINE, NOW, zone) == spelled


@pytest.mark.parametrize(
    ("text", "settled"),
    [
        (f"<!date^{NINE}^{{time}}|09:00 UTC>", f"<!date^{NINE}^{{time}}|09:00>"),
        (f"<!date^{NINE}^{{date_num}}>", f"<!date^{NINE}^{{date_num}}|2026-01-05>"),
        (f"<!date^{NINE}^{{time}}^https://a.example|x>", f"<!date^{NINE}^{{time}}^https://a.example|09:00>"),
        (f"<!date^{NINE}^{{week}}|week 2>", f"<!date^{NINE}^{{week}}|week 2>"),
        ("<!date^999999999999^{time}|far away>", "<!date^999999999999^{time}|far away>"),
        ("<!date^soon^{time}|soon>", "<!date^soon^{time}|soon>"),
    ],
)
def test_date_tokens_get_their_words(text: str, settled: str) -> None:
    assert settle(text, NOW, UTC) == settled
