"""Whatever is typed: a command or an error in four parts, never anything else, and never slow."""

from __future__ import annotations

from datetime import UTC, datetime
from time import thread_time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.errors import GrammarError
from bot.domain.refs import NamedRef
from bot.slack.grammar import Command, Grammar, quoted, strip_command, strip_mention
from bot.slack.grammar_forms import FormError, command_from, values_of
from bot.slack.grammar_words import UnclosedError, clean, words_of
from bot.slack.verbs import VERBS

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
GRAMMAR = Grammar()

FLAGS = sorted({name for verb in VERBS for flag in verb.flags for name in (flag.name, *flag.aliases)})
PIECES = st.one_of(
    st.sampled_from([verb.name for verb in VERBS]),
    st.sampled_from([f"--{name}" for name in FLAGS] + [f"{name}:" for name in FLAGS] + ["-tag:", "—since", "--share"]),
    st.sampled_from(["R118", "a412/3", "S5/6", "testrail:R1", "test:5", "last", "last:x", "prev", "this", "#3", "#0"]),
    st.sampled_from(
        ["passed", "n/a", "a: failed", "'b: passed'", "5m", "00:05:00", "1-3", "all", "B=https://x.io", "#c"]
    ),
    st.sampled_from(["<!subteam^S1|@qa>", "<@U1>", "<#C1>", "&#10;", "&amp;#10;", "\n\n", '""', "--dry-run", "--lf"]),
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
READS = ["list ", "results R1 ", "results ", "diff ", "failures ", "use ", "show ", "audit ", ""]
CHANGES = [
    "close ",
    "start ",
    "edit R1 ",
    "note R1 ",
    "note ",
    "link R1 ",
    "report S5/9 ",
    "delete ",
    "allow ",
    "deny all ",
]
WORDS = st.sampled_from(READS + CHANGES)


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


@settings(max_examples=300, deadline=None)
@given(text=st.text() | TYPED)
def test_a_note_of_any_text_is_read_back(text: str) -> None:
    command = Command("note", (NamedRef(None, "R", 118),), tuple(filter(None, [clean(text)])))
    assert parse(command.text()) == command
    assert command_from("note", {"ref": "R118", "text": text}) == command


#: What may stand in the fields of forms; not all of it is right.
FIELDS = st.one_of(
    st.text(),
    st.lists(st.text(), max_size=3).map(tuple),
    st.sampled_from(
        ["passed", "n/a", "1-3,7", "all", "5m", "a: passed", "a: b\nc: d", "https://x.io", "B=https://x.io"]
    ),
    st.sampled_from(
        ["R118", "last:a b", "https://x.io/?a&#10;b", "<@U1>", "<!subteam^S1>", "<#C1>", "close", "yes", "a, b"]
    ),
)
FORMS = {
    verb.name: [
        *(["ref"] if verb.refs[1] else []),
        *(word.name for word in (*verb.slots, *verb.flags)),
        *(f"-{flag.name}" for flag in verb.flags if flag.excludes),
    ]
    for verb in VERBS
    if verb.slots or verb.writes
}


def filled(verb: str, values: dict[str, str | tuple[str, ...]]) -> Command | FormError:
    try:
        return command_from(verb, values, now=NOW)
    except FormError as error:
        return error


@settings(max_examples=600, deadline=None)
@given(data=st.data(), verb=st.sampled_from(sorted(FORMS)))
def test_a_form_of_any_texts_is_a_command_that_is_read_back_or_tells_which_fields_are_wrong(
    data: st.DataObject, verb: str
) -> None:
    values = data.draw(st.dictionaries(st.sampled_from(FORMS[verb]), FIELDS))
    values |= {"ref": "R1"} if "ref" in FORMS[verb] and verb != "close" else {}
    command = filled(verb, values)
    if isinstance(command, FormError):
        assert command.fields
        assert command.fields.keys() <= set(FORMS[verb])
        return
    assert parse(command.text()) == command
    assert "\n" not in command.text()
    assert command_from(verb, values_of(command), now=NOW) == command


def _seen(text: str) -> str:
    """What is left of a text once it is typed in quotes."""
    try:
        return words_of(quoted(text))[0].in_a_line().text.strip()
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
@pytest.mark.parametrize(
    "begin", ["", "list ", "list --tag ", "results ", "use ", "note R1 ", "start --cases ", "report S1 --step "]
)
def test_ten_thousand_characters_are_read_in_no_time(begin: str, piece: str) -> None:
    text = begin + piece * (10_000 // len(piece))
    assert any(seconds_for(text) < 1.0 for _ in range(3)), "also where the machine takes its time once"


def seconds_for(text: str) -> float:
    began = thread_time()
    parse(text)
    return thread_time() - began


@pytest.mark.parametrize("piece", ["<@U1>", "<@U1> ", "<@", "<", "x"])
def test_ten_thousand_characters_are_stripped_in_no_time(piece: str) -> None:
    began = thread_time()
    strip_mention(piece * (10_000 // len(piece)), "U1")
    assert thread_time() - began < 1.0
