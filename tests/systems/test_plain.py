"""Rich text as plain text: what stays, what goes, and how long it may take."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as some

from bot.systems._rich_text import MOST_CHARS, plain


@pytest.mark.parametrize(
    ("rich", "words"),
    [
        (None, ""),
        ("", ""),
        ("just words", "just words"),
        ("  one\r\n\r\n\r\ntwo  ", "one\ntwo"),
        ("<p>Timeout &amp; <b>boom</b></p><p>again</p>", "Timeout & boom\nagain"),
        ("<ul><li>a<li>b</li></ul>c", "- a\n- b\nc"),
        ("<pre>a\n  b</pre>c\nd", "a\nb\nc d"),
        ("<table><tr><td>x</td><td>1</td></tr><tr><td>y</td><td>2</td></tr></table>", "x 1\ny 2"),
        ("a<script>alert(1)</script>b<style>p {}</style>", "ab"),
        ("a<br>b<br/>c", "a\nb\nc"),
        ("<!-- <b>x</b> --><p>y</p>", "y"),
        ('<p><img src="a.png" alt="the log"> <a href="https://x.example">here</a></p>', "the log here"),
        ("<p>List<String> is null</p>", "List<String> is null"),
        ("List<String> a < b && c > d", "List<String> a < b && c > d"),
        ("<p>&amp;lt;b&amp;gt;</p>", "&lt;b&gt;"),
        ("a &lt;b&gt; &#65; &copy=1", "a <b> A &copy=1"),
        ("**bold** `code` [log](https://x.example/1) ![shot](index.php?/attachments/get/1)", "bold code log shot"),
        ("```java\nfoo()\n```", "foo()"),
        ("# Title\ntext", "Title\ntext"),
        ("array[0](x) 2 * 3 ** 4 snake_case __init__", "array[0](x) 2 * 3 ** 4 snake_case __init__"),
        ("<!channel> <@U1>", "<!channel> <@U1>"),
        ("a\x00b\x1b[31mc", "ab[31mc"),
        ("<![x <p>hello</p>", "<![x\nhello"),
    ],
)
def test_leaves_the_words(rich: str | None, words: str) -> None:
    assert plain(rich) == words


_PIECES = [
    "<",
    "<!",
    "<?",
    "<![",
    "-->",
    "<!--",
    "</",
    ">",
    "p",
    "script",
    "/",
    "=",
    "'",
    '"',
    " ",
    "\n",
    "&",
    "]",
    "[",
    "(",
]


@given(some.lists(some.sampled_from(_PIECES), max_size=40).map("".join))
def test_takes_any_text(rich: str) -> None:
    plain("<p>" + rich)


@pytest.mark.parametrize(
    "piece", ["<", "<!--", "<a ", "</", "<![CDATA[", "<script>", "**", "[", "![", "<a b='", "&#", "`a"]
)
@pytest.mark.parametrize("before", ["", "<p>"])
def test_is_quick_with_hostile_text(piece: str, before: str) -> None:
    started = time.thread_time()
    assert len(plain(before + piece * 500_000)) <= MOST_CHARS
    assert time.thread_time() - started < 0.25
