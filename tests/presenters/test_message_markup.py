"""Links, dates and mentions: the only markup there is, and nothing foreign gets into it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from bot.presenters import markup
from bot.presenters.text import JOINER


@pytest.mark.parametrize(
    ("url", "label", "ready"),
    [
        ("https://a.example/x?y=1&z=2", "Name", "<https://a.example/x?y=1&amp;z=2|Name>"),
        ("http://a.example", "a|b>c", "<http://a.example|a|b&gt;c>"),
        ("https://a.example/a b|c>d<e\"f'g`h\\i", "x", "<https://a.example/a%20b%7Cc%3Ed%3Ce%22f%27g%60h%5Ci|x>"),
        ("https://a.example/\n\u202e/ü", "x", "<https://a.example/%0A%E2%80%AE/%C3%BC|x>"),
        ("https://a.example/%7Cdone", "x", "<https://a.example/%7Cdone|x>"),
        ("javascript:alert(1)", "x", "x"),
        ("ftp://a.example", "x", "x"),
        ("//a.example", "x", "x"),
        ("https://", "x", "x"),
        ("https://user:secret@a.example/", "x", "x"),
        ("https://good.example\\@evil.example/", "x", "x"),
        ("https://a.example/" + "y" * 3_000, "x", "x"),
        ("https://a.example/" + "ü" * 600, "x", "x"),
        ("", "x", "x"),
        ("https://a.example", "\u200b", ""),
        ("https://a.example", "> *b* :x:", f"<https://a.example|{JOINER}&gt; ∗b∗ :{JOINER}x:>"),
    ],
)
def test_links_lead_only_to_web_pages(url: str, label: str, ready: str) -> None:
    assert markup.link(url, label).text == ready


def test_dates_are_told_in_the_readers_zone_and_in_utc() -> None:
    moment = datetime(2026, 1, 5, 9, 30, tzinfo=timezone(timedelta(hours=1)))
    assert markup.date(moment).text == "<!date^1767601800^{date_short_pretty} at {time}|2026-01-05 08:30 UTC>"
    assert markup.date(datetime(1960, 1, 1, tzinfo=UTC)).text.startswith("<!date^0^")


@pytest.mark.parametrize(
    ("slack_id", "ready"),
    [("U0ANA00001", "<@U0ANA00001>"), ("W1A", "<@W1A>"), ("!channel", "!channel"), ("U1|x>", "U1|x&gt;"), ("", "")],
)
def test_only_ids_become_mentions(slack_id: str, ready: str) -> None:
    assert markup.user(slack_id).text == ready


@pytest.mark.parametrize(
    ("slack_id", "ready"),
    [("C0RELEASE01", "<#C0RELEASE01>"), ("D0ANA00001", "This conversation"), ("C1>", "C1&gt;"), ("general", "general")],
)
def test_only_ids_become_channels(slack_id: str, ready: str) -> None:
    assert markup.channel(slack_id).text == ready


@pytest.mark.parametrize(
    ("sentence", "ready"),
    [
        ("Try `/runs list --tag *x*` now", "Try `/runs list --tag *x*` now"),
        ("No run “*x* <!here>”", "No run “∗x∗ &lt;!here&gt;”"),
        ("one ` alone", "one ˋ alone"),
        ("`a` and ` b", "`a` and ˋ b"),
        ("empty `` here", "empty  here"),
        ("`<@U1>`", "`&lt;@U1&gt;`"),
        ("", ""),
    ],
)
def test_our_sentences_show_commands_as_code(sentence: str, ready: str) -> None:
    assert markup.said(sentence).text == ready


def test_nothing_can_be_mixed_into_markup() -> None:
    assert not isinstance(markup.link("https://a.example", "x"), str)
