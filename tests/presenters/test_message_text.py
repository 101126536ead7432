"""Foreign text is harmless wherever it lands, and otherwise stays as it is."""

from __future__ import annotations

import pytest

from bot.presenters import text
from bot.presenters.text import JOINER, clean, code, cut, cut_bytes, cut_escaped, mrkdwn


@pytest.mark.parametrize(
    ("foreign", "ready"),
    [
        ("Release 5.2 regression", "Release 5.2 regression"),
        ("Ana Kovač › Größe 你好 👩‍💻", "Ana Kovač › Größe 你好 👩‍💻"),
        ("a & b < c > d", "a &amp; b &lt; c &gt; d"),
        ("&amp;lt;", "&amp;amp;lt;"),
        ("<!channel>", "&lt;!channel&gt;"),
        ("<@U0ANA00001>", "&lt;@U0ANA00001&gt;"),
        ("<https://evil.example|Pass>", "&lt;https://evil.example|Pass&gt;"),
        ("*bold* `code` ~gone~", "∗bold∗ ˋcodeˋ ∼gone∼"),
        ("test_login_ok", "test_login_ok"),
        ("a__b", "a__b"),
        ("_italic_", "ˍitalicˍ"),
        ("__init__", "ˍˍinitˍˍ"),
        ("say _this_ and that_", "say ˍthisˍ and thatˍ"),
        ("(_x_)", "(ˍxˍ)"),
        ("é_è", "éˍè"),
        ("09:00:00", "09:00:00"),
        ("a::b", "a::b"),
        ("std::vector::push_back", f"std::{JOINER}vector::push_back"),
        ("16:9 and 1:1", "16:9 and 1:1"),
        (":fire:", f":{JOINER}fire:"),
        (":+1: :100: :a:b:", f":{JOINER}+1: :{JOINER}100: :{JOINER}a:{JOINER}b:"),
        ("at 09:30:smile:", f"at 09:30:{JOINER}smile:"),
        ("> quote", f"{JOINER}&gt; quote"),
        (">>> quote", f"{JOINER}&gt;&gt;&gt; quote"),
        ("\n> quote", f"{JOINER}&gt; quote"),
        ("two\nlines\tand\x1b[31mcolour", "two lines and [31mcolour"),
        ("a\r\nb\u2028c\x85d", "a  b c d"),
        ("user\u202egnp.exe", "usergnp.exe"),
        ("zero\u200bwidth\ufeff\u2060\u00ad\u200d", "zerowidth"),
        ("\u061c\u200e\u2066isolated\u2069\u200f", "isolated"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("\ud83d\ude00 \ud83d", "😀 \ufffd"),
        ("\U000e0041\U000e0042tag", "tag"),
        ("e" + "\u0301" * 1_000, "e" + "\u0301" * 4),
        ("  spaced  ", "spaced"),
        ("\u3164\u2800\u3000", ""),
        ("", ""),
        ("{{ 7*7 }} {% for %} {0.__class__} %s", "{{ 7∗7 }} {% for %} {0.ˍˍclassˍˍ} %s"),
    ],
)
def test_mrkdwn_is_only_ever_text(foreign: str, ready: str) -> None:
    assert mrkdwn(foreign) == ready


def test_code_keeps_what_people_type() -> None:
    assert code('--cron "0 9 * * 1-5" _x_ ~a~ :fire: <b> `') == '--cron "0 9 * * 1-5" _x_ ~a~ :fire: &lt;b&gt; ˋ'


@pytest.mark.parametrize(
    ("words", "limit", "short"),
    [
        ("short", 10, "short"),
        ("exactly ten", 11, "exactly ten"),
        ("a sentence that is too long", 20, "a sentence that is…"),
        ("a sentence, that is long", 13, "a sentence…"),
        ("oneverylongwordwithoutspaces", 10, "oneverylo…"),
        ("x verylongwordwithoutspaces", 12, "x verylongw…"),
        ("e\u0301" * 10, 10, "e\u0301" * 4 + "…"),
        ("👩‍💻👩‍💻👩‍💻", 6, "👩‍💻…"),
        ("👍🏽👍🏽", 3, "👍🏽…"),
        ("🇩🇪🇫🇷🇪🇸", 4, "🇩🇪…"),
        ("\ud83d\ude00\ud83d\ude00\ud83d\ude00", 2, "😀…"),
        ("line one\nline two", 100, "line one line two"),
        ("abc", 1, "…"),
        ("abc", 0, ""),
    ],
)
def test_cuts_at_a_word_and_never_inside_a_character(words: str, limit: int, short: str) -> None:
    assert cut(words, limit) == short
    assert len(short) <= limit


@pytest.mark.parametrize(
    ("ready", "limit", "short"),
    [
        ("a &amp; b", 9, "a &amp; b"),
        ("a &amp; b", 8, "a &amp;…"),
        ("a &amp; b", 7, "a…"),
        ("ab&lt;cd", 8, "ab&lt;cd"),
        ("ab&lt;cde", 7, "ab&lt;…"),
        ("see <https://a.example/x|the page> now", 30, "see the page now"),
        ("see <https://a.example/x|the page> now", 8, "see the…"),
        ("at <!date^1^{time}|noon> or so", 20, "at…"),
        ("hi <@U0ANA00001> there", 10, "hi…"),
        ("try `/runs list` now", 12, "try…"),
    ],
)
def test_cuts_escaped_text_between_tokens(ready: str, limit: int, short: str) -> None:
    assert cut_escaped(ready, limit) == short


def test_cuts_to_bytes() -> None:
    assert cut_bytes("é" * 100, 200) == "é" * 100
    assert cut_bytes("é" * 100, 199) == "é" * 98 + "…"
    assert len(cut_bytes("😀&amp;" * 5_000, 3_000).encode()) <= 3_000


def test_cleaning_twice_changes_nothing() -> None:
    hostile = "\u202e<b>\n_x_ *y* \ud83d :fire: e" + "\u0301" * 9
    assert clean(clean(hostile)) == clean(hostile)


def test_plain_text_is_returned_as_it_is() -> None:
    ordinary = "checkout › pays with voucher (Chrome 130), 12 s"
    assert text.mrkdwn(ordinary) is ordinary
