"""What is put behind a description, and what TestRail's answers mean: the parts that ask nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.acts import Append, Loss, Pointer
from bot.domain.model import RunRef
from bot.systems import testrail_writing as writing
from bot.systems._plain import plain

AT = datetime(2026, 11, 21, 11, 3, tzinfo=timezone(timedelta(hours=2)))
SIGNED = "– Ana via Slack, 2026-11-21 09:03 UTC · rundown:ab12cd"


def addition(note: str = "", **more: Any) -> Append:
    return Append(**{"ref": RunRef("tr", "R", 81), "by": "Ana", "at": AT, "marker": "ab12cd", "note": note, **more})


def link(name: str, url: str, note: str = "") -> Append:
    return addition(links=(Pointer(name, url, note),))


@pytest.mark.parametrize(
    ("old", "change", "new"),
    [
        ("", addition("Fine."), f"Fine.\n{SIGNED}"),
        ("Old", addition("Fine."), f"Old\n\nFine.\n{SIGNED}"),
        ("Old\n", addition("Fine."), f"Old\n\nFine.\n{SIGNED}"),
        ("Old\r\n\n", addition(" Fine.\n"), f"Old\r\n\nFine.\n{SIGNED}"),
        ("", link("Build", "https://ci.example/1"), f"[Build](https://ci.example/1)\n{SIGNED}"),
        ("", link("", "https://ci.example/1", "see log"),
         f"[https://ci.example/1](https://ci.example/1) – see log\n{SIGNED}"),
        ("", link("a](b) [c", "https://ci.example/a(1)"), f"[a)(b) (c](https://ci.example/a%281%29)\n{SIGNED}"),
        ("<p>Old</p>", addition("1 < 2\nand <script>"),
         f"<p>Old</p><p>1 &lt; 2<br>and &lt;script&gt;<br>{SIGNED}</p>"),
        ("<p>Old</p>", link("A&B", 'https://ci.example/?a="1"&b=2'),
         f'<p>Old</p><p><a href="https://ci.example/?a=&quot;1&quot;&amp;b=2">A&amp;B</a><br>{SIGNED}</p>'),
        ("<https://acme.example>", addition("Fine."), f"<https://acme.example>\n\nFine.\n{SIGNED}"),
        ("", addition("Fine.", by="[Ana](x)\nof Acme"), f"Fine.\n{SIGNED.replace('Ana', '(Ana)(x) of Acme')}"),
    ],
)  # fmt: skip
def test_an_addition_is_a_paragraph_behind_the_old_description(old: str, change: Append, new: str) -> None:
    assert writing.with_addition(old, change) == new


DESCRIPTIONS = st.text() | st.text(alphabet="<p>/b \n&#*[]()") | st.text().map(lambda text: f"<p>{text}</p>")


@given(old=DESCRIPTIONS, note=DESCRIPTIONS, name=DESCRIPTIONS, by=st.text())
def test_an_addition_never_loses_a_character_of_the_old_description(old: str, note: str, name: str, by: str) -> None:
    first = addition(note, by=by, links=(Pointer(name, "https://ci.example/1"),))
    once = writing.with_addition(old, first)
    twice = writing.with_addition(once, addition(note, by=by, marker="other"))
    assert once.startswith(old)
    assert twice.startswith(once)
    assert writing.has_mark(once, "ab12cd")
    assert writing.has_mark(twice, "ab12cd")
    assert writing.append_order(first, twice) is None


@given(note=st.text(alphabet="ab<>&\"' =/", min_size=1).map(str.strip).filter(bool))
def test_in_rich_text_a_note_is_read_as_it_was_typed(note: str) -> None:
    told = writing.with_addition("<p>Old</p>", addition(note))
    assert plain(told).splitlines()[1:-1] == [" ".join(note.split())]


@pytest.mark.parametrize(
    ("description", "marker", "there"),
    [
        (None, "ab", False),
        ("rundown:ab", "ab", True),
        ("· rundown:ab.</p>", "ab", True),
        ("rundown:abc", "ab", False),
        ("ab", "ab", False),
        ("rundown:a-b", "a/b", True),
    ],
)
def test_a_mark_is_found_whole_only(description: str | None, marker: str, there: bool) -> None:
    assert writing.has_mark(description, marker) is there


@pytest.mark.parametrize(
    ("answer", "loss"),
    [
        ({"tests": 3}, Loss(3)),
        ({"tests": 3, "results": 7}, Loss(3, 7)),
        ({"affected": {"tests_count": "3", "test_results": 7}}, Loss(3, 7)),
        ({"affectedTests": 3, "affectedResults": 0}, Loss(3, 0)),
        ({"tests": {"count": 3}}, Loss(3)),
        ({"tests": [{"id": 1}, {"id": 2}]}, Loss(2)),
        ({"test_run_id": 5, "latest": 9}, Loss()),
        ({"tests": True, "results": -1}, Loss()),
        ({"tests": None}, Loss()),
        ([], Loss()),
        (None, Loss()),
        ("3", Loss()),
    ],
)
def test_a_loss_is_read_from_whatever_names_numbers(answer: object, loss: Loss) -> None:
    assert writing.read_loss(answer) == loss


@pytest.mark.parametrize(
    ("url", "fits"),
    [
        ("https://acme.example/a?b=c#d", True),
        ("http://localhost:8080/", True),
        ("ftp://acme.example", False),
        ("javascript:alert(1)", False),
        ("https://", False),
        ("https://[", False),
        ("https://a.example/ b", False),
        ("https://a.example/\n", False),
        ("https://a.example/" + "x" * 2_000, False),
        ("", False),
    ],
)
def test_only_web_addresses_are_put_on_runs(url: str, fits: bool) -> None:
    assert writing.is_web_address(url) is fits


def test_times_are_told_in_utc_wherever_they_come_from() -> None:
    assert "09:03 UTC" in writing.with_addition("", addition("x", at=AT.astimezone(UTC)))


def test_people_are_not_shown_the_marks() -> None:
    signed = "Fine\n– Ana via Slack, 2026-11-20 09:00 UTC · rundown:ab12-f0\n\nMore about rundown:this"
    assert writing.unmarked(signed) == "Fine\n– Ana via Slack, 2026-11-20 09:00 UTC\n\nMore about rundown:this"
    assert writing.unmarked("") == ""
