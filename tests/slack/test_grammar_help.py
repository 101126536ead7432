"""Help and the README's table come from the table of verbs, and tell the truth."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest

from bot.domain.errors import GrammarError
from bot.slack.grammar import Grammar
from bot.slack.grammar_help import help_family, help_index, help_verb, markdown_table, usage
from bot.slack.verbs import EVERYWHERE, SHARE, VERBS, Verb

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
GRAMMAR = Grammar()

each_verb = pytest.mark.parametrize("verb", VERBS, ids=lambda verb: str(verb.name))


@each_verb
def test_the_examples_of_a_verb_can_be_run(verb: Verb) -> None:
    assert {GRAMMAR.parse(example, now=NOW).verb for example in verb.examples} == {verb.name}
    assert len(verb.examples) == (2 if verb.usage or verb.aliases or SHARE in verb.everywhere else 1)


def test_examples_show_names_where_slack_has_ids() -> None:
    found = help_verb(GRAMMAR, "allow", "/runs")
    assert found.examples == ("/runs allow close @tom #release", "/runs allow report @qa-team")
    index = help_index(GRAMMAR, "/runs")
    assert not any("<" in example for verb in index.verbs for example in verb.examples)


@pytest.mark.parametrize(
    "name", ["close", "note", "allow", "digest add", "audit", "whoami", "allow list", "digest test"]
)
def test_help_offers_to_share_only_what_can_be_shared(name: str) -> None:
    assert "--share" not in [typed for typed, _ in help_verb(GRAMMAR, name, "/runs").flags]


@each_verb
def test_usage_names_only_flags_there_are(verb: Verb) -> None:
    known = {flag.name for flag in (*verb.flags, *EVERYWHERE)}
    assert set(re.findall(r"-{1,2}([a-z][a-z-]*)", verb.usage)) <= known


@each_verb
def test_usage_names_every_flag_or_says_there_are_more(verb: Verb) -> None:
    told = set(re.findall(r"--([a-z][a-z-]*)", verb.usage))
    assert told == {flag.name for flag in verb.flags} or "more flags" in verb.usage


@each_verb
def test_every_sentence_is_one(verb: Verb) -> None:
    for sentence in (verb.says, *verb.notes, *(flag.says for flag in verb.flags)):
        assert sentence.endswith(".")
        assert len(sentence) < 120


@each_verb
def test_names_of_flags_are_told_apart(verb: Verb) -> None:
    names = [name for flag in (*verb.flags, *EVERYWHERE) for name in (flag.name, *flag.aliases)]
    assert len(names) == len(set(names))


def test_the_index_has_every_verb_with_one_example() -> None:
    index = help_index(GRAMMAR, "/qa")
    assert index.command == "/qa"
    assert [verb.name for verb in index.verbs] == [verb.name for verb in VERBS]
    assert all(len(verb.examples) == 1 and verb.examples[0].startswith("/qa ") for verb in index.verbs)
    assert index.verbs[0].usage == "/qa"


def test_help_about_several_verbs_names_each_with_the_way_to_more() -> None:
    rows = help_family(GRAMMAR, "Digest", "/qa").verbs
    assert [verb.examples for verb in rows] == [
        (f"/qa help digest {verb}",) for verb in ("add", "list", "show", "test", "edit", "pause", "resume", "remove")
    ]
    assert [rows[at].name for at in (0, 1, 5)] == ["digest add [NAME] --at 09:00", "digest list", "digest pause NAME"]
    assert all(verb.sentence and len(verb.name) <= 40 for verb in rows)


@pytest.mark.parametrize("word", ["allow", "list", "digests", "digest add", "xyzzy", ""])
def test_a_verb_or_no_verb_begins_no_others(word: str) -> None:
    assert help_family(GRAMMAR, word, "/runs").verbs == ()


def test_what_is_for_the_asker_alone_is_known_before_it_is_answered() -> None:
    alone = {verb.name for verb in VERBS if verb.to_asker}
    assert {"close", "note", "allow", "allow list", "audit", "whoami", "digest test"} <= alone
    assert not alone & {"list", "show", "help", "digest add", "digest show", "digest remove", "use"}


def test_help_for_a_verb_tells_its_flags_but_not_those_of_buttons() -> None:
    found = help_verb(GRAMMAR, "compare", "/runs")
    assert (found.name, found.usage) == ("diff", "/runs diff REF [REF]")
    assert found.flags == (("--share", "Answer in public."),)
    assert found.examples == ("/runs diff A412", "/runs diff R118 R110")
    assert "Also: compare." in found.notes


def test_help_for_list_shows_how_each_flag_is_typed() -> None:
    typed = [flag for flag, _ in help_verb(GRAMMAR, "lis", "/runs").flags]
    assert {
        "--open",
        "--since WHEN",
        "--sort risk|newest|oldest|closed|name",
        "--tag A,B · -tag:A,B",
        "--limit N",
    } <= set(typed)
    assert not any("page" in flag for flag in typed)


@pytest.mark.parametrize(("name", "closest"), [("lsit", ("help list",)), ("xyzzy", ("help",)), ("", ("help",))])
def test_help_for_no_verb_is_an_error_with_the_closest(name: str, closest: tuple[str, ...]) -> None:
    with pytest.raises(GrammarError) as caught:
        help_verb(GRAMMAR, name, "/runs")
    assert caught.value.closest == closest
    assert all((caught.value.what, caught.value.why, caught.value.fix))


def test_the_readmes_table_has_a_row_for_every_verb() -> None:
    lines = markdown_table(GRAMMAR).splitlines()
    assert lines[:2] == ["| command | what it answers |", "|---|---|"]
    assert lines[2] == "| `/runs` | What matters here: the context, open runs at risk, buttons. |"
    assert "| `/runs diff REF [REF]` |" in lines[8]
    assert len(lines) == 2 + len(VERBS)
    assert all(len(re.findall(r"(?<!\\)\|", line)) == 3 for line in lines)


def test_usage_of_two_words_has_both() -> None:
    verb = Verb(name="digest add", says="", usage="NAME", examples=("a", "b"))
    assert usage(verb, "/runs") == "/runs digest add NAME"
