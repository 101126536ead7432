"""Whatever is typed: a command or an error in four parts, never anything else, and never slow."""

from __future__ import annotations

from datetime import UTC, datetime
from time import perf_counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.errors import GrammarError
from bot.slack.grammar import Command, Grammar, quoted, strip_command, strip_mention
from bot.slack.grammar_words import UnclosedError, words_of
from bot.slack.verbs import VERBS

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
GRAMMAR = Grammar()

FLAGS = sorted({name for verb in VERBS for flag in verb.flags for name in (flag.name, *flag.aliases)})
PIECES = st.one_of(
    st.sampled_from([verb.name for verb in VERBS]),
    st.sampled_from([f"--{name}" for name in FLAGS] + [f"{name}:" for name in FLAGS] + ["-tag:", "—since", "--share"]),
    st.sampled_from(["R118", "a412/3", "S5/6", "testrail:R1", "test:5", "last", "last:x", "prev", "this", "#3", "#0"]),
    st.sampled_from(["7d", "today", "monday", "2026-11-01", "2026-11-01T09:00Z", "me", "none", "risk", "5", "0"]),
    st.sampled_from(["<@U1|ana>", "<#C1|x>", "<!here>", "<https://x.io/a?b=c&amp;d|x>", "<mailto:a@b.c|a@b.c>", "<x"]),
    st.sampled_from(
        ['"', '""', "“", "”", "„", "«", "»", "'", "’", "`", ",", "=", ":", "-", "--", "—", "&amp;", "&lt;"]
    ),
    st.text(max_size=8),
)
TYPED = st.lists(st.tuples(PIECES, st.sampled_from(["", " ", " ", " ", "\n"])), max_size=12).map(
    lambda pieces: "".join(piece + space for piece, space in pieces)
)
WORDS = st.sampled_from(["list ", "results R1 ", "results ", "diff ", "failures ", "use ", "show ", ""])


def parse(text: str) -> Command | GrammarError:
    try:
        return GRAMMAR.parse(text, now=NOW)
    except GrammarError as error:
        return error


def check(text: str) -> None:
    found = parse(text)
    if isinstance(found, Command):
        canonical = found.text()
        assert parse(canonical) == found
        canonical.encode()
        assert "\n" not in canonical
        assert "\0" not in canonical
        return
    assert all((found.what, found.why, found.fix, found.closest))
    for command in found.closest:
        again = parse(command)
        assert isinstance(again, Command)
        assert again.text() == command


@settings(deadline=None)
@given(text=st.text())
def test_any_text_is_a_command_or_an_error(text: str) -> None:
    check(text)


@settings(max_examples=600, deadline=None)
@given(verb=WORDS, text=TYPED)
def test_any_pieces_of_commands_are_a_command_or_an_error(verb: str, text: str) -> None:
    check(verb + text)


@settings(deadline=None)
@given(words=st.lists(st.text()), flag=st.sampled_from(["milestone", "source", "-tag"]), values=st.lists(st.text()))
def test_a_command_made_of_any_texts_is_read_back(words: list[str], flag: str, values: list[str]) -> None:
    said = [text for text in map(_seen, words) if text]
    listed = tuple(dict.fromkeys(text for text in map(_seen, values) if text))
    command = Command("list", words=tuple(said), flags=((flag, listed),) if listed else ())
    assert parse(command.text()) == command


def _seen(text: str) -> str:
    """What is left of a text once it is typed in quotes."""
    try:
        return words_of(quoted(text))[0].text.strip()
    except (UnclosedError, IndexError):
        return ""


@settings(deadline=None)
@given(text=st.text())
def test_quoting_makes_one_word_of_any_text(text: str) -> None:
    assert len(words_of(quoted(text))) <= 1
    assert [word.text for word in words_of(quoted(_seen(text) or "x"))] == [_seen(text) or "x"]


@settings(deadline=None)
@given(text=TYPED)
def test_stripping_never_fails_and_never_adds(text: str) -> None:
    assert len(strip_mention(text, "U1")) <= len(text)
    assert len(strip_command(text, "/runs")) <= len(text)


@pytest.mark.parametrize(
    "piece",
    [
        *(
            "x",
            "x ",
            "'x ",
            "“x ",
            '"x" ',
            '"',
            "'",
            "‘x’ ",
            "a, ",
            ",",
            "<",
            "<@",
            "<@U1> ",
            "<https://x",
            "&",
            "&amp;",
        ),
        *(
            "-",
            "--",
            "—a ",
            "--tag a ",
            "-tag:b ",
            "tag:c ",
            "R1 ",
            "1",
            "R",
            "#1 ",
            "=",
            ":",
            ".",
            "_",
            "/",
            "\0",
            "`",
        ),
        *("\u200f", "\n", "&lt;", "“", "“a“ ", "„", "»a« ", "İ", "ß", "--since 7 ", "--limit x "),
    ],
)
@pytest.mark.parametrize("begin", ["", "list ", "show ", "list --tag ", "results ", "use "])
def test_ten_thousand_characters_are_read_in_no_time(begin: str, piece: str) -> None:
    text = begin + piece * (10_000 // len(piece))
    began = perf_counter()
    parse(text)
    assert perf_counter() - began < 1.0


@pytest.mark.parametrize("piece", ["<@U1>", "<@U1> ", "<@", "<", "x"])
def test_ten_thousand_characters_are_stripped_in_no_time(piece: str) -> None:
    began = perf_counter()
    strip_mention(piece * (10_000 // len(piece)), "U1")
    assert perf_counter() - began < 1.0
