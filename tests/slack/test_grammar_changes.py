"""Commands that change something: how they are typed, what is refused, and what is told to the use cases."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from bot.domain.acts import Ended, Named, Pointer, Reported, Step
from bot.domain.errors import GrammarError
from bot.domain.outcomes import Outcome
from bot.domain.refs import NamedRef, ThisRef
from bot.slack.grammar import Command, Grammar
from bot.slack.grammar_changes import (
    AuditParts,
    EditParts,
    GrantParts,
    audit_parts,
    edit_parts,
    fields,
    grant_parts,
    named,
    pointers,
    report_parts,
    wants_form,
)
from bot.slack.grammar_command import Lines, Numbers, Span
from bot.slack.grammar_queries import people, run_query
from bot.slack.verbs import VERBS, Verb

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
MONTH_AGO = datetime(2026, 10, 21, 9, 30, tzinfo=UTC)
GRAMMAR = Grammar()
WRITING = [verb for verb in VERBS if verb.writes]

each_writing = pytest.mark.parametrize("verb", WRITING, ids=lambda verb: str(verb.name))


def parse(text: str, **how: Any) -> Command:
    return GRAMMAR.parse(text, now=NOW, **how)


def wrong(text: str, **how: Any) -> GrammarError:
    with pytest.raises(GrammarError) as caught:
        parse(text, **how)
    return caught.value


# ── how they are typed ──


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("close R118", "close R118"),
        ("COMPLETE A412/3 --dry-run", "close A412/3 --dry-run"),
        ("close --older-than 30d -tag:keep --auto --limit 5", "close -tag:keep --auto --limit 5 --older-than 30d"),
        ("start", "start"),
        ("start Nightly web --in testmo", 'start "Nightly web" --in testmo'),
        (
            "start x --link Build=<https://ci/7|ci> --link https://x.io",
            "start x --link Build=https://ci/7 --link https://x.io",
        ),
        ("start x --cases 3,1,2, 5 --tag a, b", "start x --cases 1-3,5 --tag a,b"),
        ("start x --cases 1-3 --cases 7", "start x --cases 1-3,7"),
        ("edit R1 --cases 1-3 --cases all", "edit R1 --cases all"),
        ("start x --field env: staging", 'start x --field "env: staging"'),
        ("start x --assign <@U1|ana>", "start x --assign <@U1>"),
        ("edit R118", "edit R118"),
        ('edit R118 --description "" --refs= --cases ALL', 'edit R118 --cases all --description "" --refs ""'),
        ('edit R118 --description "one\ntwo"', 'edit R118 --description "one&#10;two"'),
        ("note R118", "note R118"),
        ("note R118 done", "note R118 done"),
        ("note R118 “it is done”", 'note R118 "it is done"'),
        ('note R118 Ana said "no go", it’s late', 'note R118 "Ana said ""no go"", it’s late"'),
        ("note R118 one\ntwo\n\n\n- three", 'note R118 "one&#10;two&#10;&#10;- three"'),
        ("note R118 page:3 status: bad -x — Ana -- so", 'note R118 "page:3 status: bad -x — Ana -- so"'),
        ("note R118 -- --lf fails", 'note R118 "--lf fails"'),
        ("note R118 a &amp;#10; b &lt;c&gt;", 'note R118 "a &amp;#10; b &lt;c>"'),
        ("note --help", "help note"),
        ("note R118 --help", "help note"),
        ("note R118 try it with -h", 'note R118 "try it with -h"'),
        ("link R118", "link R118"),
        ("link R118 <https://ci.io/1?a=b&amp;c=d|x> --name Build", 'link R118 "https://ci.io/1?a=b&c=d" --name Build'),
        ("attach A412/3 https://x.io/a.zip", 'attach A412/3 "https://x.io/a.zip"'),
        ("report S55/98142 Passed", "report S55/98142 passed"),
        ("report S55/98142 N/A", "report S55/98142 skipped"),
        ("report S55 'no run' --instance 1-3", "report S55 untested --instance 1-3"),
        ("report A1 --test Login --test 'Pay : FAILED'", 'report A1 --test Login --test "Pay: failed"'),
        ("report A1 failed --step one: n/a", 'report A1 failed --step "one: skipped"'),
        ("delete testrail:R118", "delete testrail:R118"),
        ("allow close <@U1|ana>", "allow close <@U1>"),
        ("allow complete <!subteam^S1|@qa> <#C1|release>", "allow close <!subteam^S1> <#C1>"),
        ("deny ALL <@W1>", "deny all <@W1>"),
        ("allow list", "allow list"),
        ("deny list", "allow list"),
        ("aud --last 5", "audit --last 5"),
        ("audit --verb complete --status 'in doubt'", "audit --status doubt --verb close"),
    ],
)
def test_changes_are_typed_like_everything_else(text: str, canonical: str) -> None:
    assert parse(text).text() == canonical
    assert parse(canonical) == parse(text)


@pytest.mark.parametrize(
    ("typed", "seconds"),
    [("00:05:00", 300), ("5m", 300), ("5min", 300), ("90s", 90), ("1h30m", 5400), ("1H", 3600), ("99:59:59", 359999)],
)
def test_a_duration_is_seconds_in_the_end(typed: str, seconds: int) -> None:
    command = parse(f"report S55/1 passed --duration {typed}")
    assert command.get("duration") == Span(seconds)
    assert command.seconds("duration") == seconds


@pytest.mark.parametrize(
    ("typed", "numbers"),
    [
        ("7", (7,)),
        ("3,1,2,2", (1, 2, 3)),
        ("4-8", (4, 5, 6, 7, 8)),
        ("1,4–6", (1, 4, 5, 6)),
        ('"1 - 3, 9"', (1, 2, 3, 9)),
    ],
)
def test_numbers_of_cases_may_be_ranges(typed: str, numbers: tuple[int, ...]) -> None:
    assert parse(f"start x --cases {typed}").get("cases") == Numbers(numbers)
    assert parse(f"start x --cases {typed}").numbers("cases") == numbers


def test_a_flag_given_several_times_adds_each_time() -> None:
    command = parse("report S55/1 passed --step 'a, b: passed' --step 'a, b: passed' --step 'c: failed'")
    assert command.get("step") == Lines(("a, b: passed", "a, b: passed", "c: failed"))


def test_close_chooses_runs_by_the_filters_of_list() -> None:
    query = run_query(parse("close --older-than 30d --status failed --tag a -tag:b --milestone 7"), people={})
    assert (query.state, query.until, query.status) == ("open", MONTH_AGO, ("failed",))
    assert (query.tag, query.without_tag, query.milestone) == (("a",), ("b",), ("7",))


def test_the_people_of_a_change_are_looked_up() -> None:
    assert people(parse("start x --assign <@U1>")) == ("<@U1>",)
    assert people(parse("report S55/1 passed --by me")) == ("me",)
    assert people(parse("audit --by <@U1>")) == ("<@U1>",)


# ── what is refused ──


@each_writing
def test_no_change_is_known_by_the_beginning_of_its_verb(verb: Verb) -> None:
    assert wrong(verb.examples[0].replace(verb.name, verb.name[:-1], 1)).what.startswith("“")


@each_writing
def test_no_change_is_known_by_the_beginning_of_its_flags(verb: Verb) -> None:
    example = verb.examples[0]
    names = {name for flag in verb.flags for name in (flag.name, *flag.aliases)}
    for flag in verb.flags:
        if flag.name[:-1] not in names:
            assert "is not a flag" in wrong(f"{example} --{flag.name[:-1]} x").what


@each_writing
def test_in_a_thread_its_run_is_only_suggested(verb: Verb) -> None:
    if verb.refs[1]:
        error = wrong(verb.name, this=True)
        assert error.closest[0] == f"{verb.name} this"
        assert parse(f"{verb.name} this").refs == (ThisRef(),)


@pytest.mark.parametrize(
    ("text", "closest"),
    [
        ("note looks good", ('note this "looks good"',)),
        ("report passed", ("report this passed",)),
        ("edit --name x", ("edit this --name x", "list")),
    ],
)
def test_in_a_thread_what_was_typed_is_kept_for_its_run(text: str, closest: tuple[str, ...]) -> None:
    assert wrong(text, this=True).closest == closest


@pytest.mark.parametrize(
    ("text", "what", "closest"),
    [
        ("close", "Which run?", ("list",)),
        ("close --limit 5 --dry-run", "Which run?", ("list",)),
        ("close foo", "“foo” is not a run.", ("help close",)),
        (
            "close R118 --older-than 30d",
            "A run and --older-than do not go together.",
            ("close R118", "close --older-than 30d"),
        ),
        ("close --dry-run R118 --limit 5", "A run and --limit do not go together.", ("close R118 --dry-run",)),
        ("close --closed", "“--closed” is not a flag of close.", ("help close",)),
        ("close --older-than", "--older-than needs a value.", ("help close",)),
        ("close --older-than 3 weeks", "--older-than cannot be “3”.", ("close --older-than 3w",)),
        ("close --auto --manual", "--auto and --manual do not go together.", ("close --auto", "close --manual")),
        ("start Smoke --cases 1 2 3", "“2” is too much for start.", ("start Smoke --cases 1",)),
        ("start x --cases 8-4", "--cases cannot be “8-4”.", ("help start",)),
        ("start x --cases 0", "--cases cannot be “0”.", ("help start",)),
        ("start x --cases all", "--cases cannot be “all”.", ("help start",)),
        ("start x --cases ,", "--cases needs a value.", ("start x",)),
        ("start x --cases 1-99999999", "--cases cannot be “1-99999999”.", ("help start",)),
        ("start x --link ci.io/7", "--link cannot be “ci.io/7”.", ("start x --link https://ci.io/7",)),
        (
            "start x --link Build=ci.io/7",
            "--link cannot be “Build=ci.io/7”.",
            ("start x --link Build=https://ci.io/7",),
        ),
        ("start x --link <ftp://a.io/b>", "--link cannot be “ftp://a.io/b”.", ("help start",)),
        ("start x --field env", "--field cannot be “env”.", ("help start",)),
        ("start x --field ': staging'", "--field cannot be “: staging”.", ("help start",)),
        ("start x --assign none", "--assign cannot be “none”.", ("help start",)),
        ('edit R118 --name ""', "--name needs a value.", ("edit R118",)),
        ("edit R118 --description", "--description needs a value.", ("edit R118",)),
        ("note R118 ran pytest --lf, good", "“--lf,” is not a flag of note.", ('note R118 "ran pytest --lf, good"',)),
        ("link R118 ci.io/1", "URL cannot be “ci.io/1”.", ('link R118 "https://ci.io/1"',)),
        ("link R118 https://a.io b", "“b” is too much for link.", ('link R118 "https://a.io"',)),
        ("report S55/1 pased", "OUTCOME cannot be “pased”.", ("report S55/1 passed",)),
        ("report S55/1 p", "OUTCOME cannot be “p”.", ("report S55/1 passed",)),
        ("report S55/1 other", "OUTCOME cannot be “other”.", ("help report",)),
        (
            "report S55/1 passed --duration 90",
            "--duration cannot be “90”.",
            ("report S55/1 passed --duration 00:01:30", "report S55/1 passed --duration 01:30:00"),
        ),
        (
            "report S55/1 passed --duration 5:00",
            "--duration cannot be “5:00”.",
            ("report S55/1 passed --duration 00:05:00", "report S55/1 passed --duration 05:00:00"),
        ),
        (
            "report S55/1 passed --duration 5 minutes",
            "--duration cannot be “5”.",
            ("report S55/1 passed --duration 00:05:00",),
        ),
        ("report S55/1 passed --duration 100h", "--duration cannot be “100h”.", ("help report",)),
        ("report S55/1 passed --step x", "--step cannot be “x”.", ("help report",)),
        (
            "report S55/1 passed --step 'x: pased'",
            "--step cannot be “x: pased”.",
            ('report S55/1 passed --step "x: passed"',),
        ),
        ("report S55/1 --test 'x: pass'", "--test cannot be “x: pass”.", ('report S55/1 --test "x: passed"',)),
        ("allow close @ana", "“@ana” is only a name.", ("help allow",)),
        ("allow close <!here>", "That is everybody, not a user group.", ("help allow",)),
        ("allow close <#C1|x>", "A channel is no person.", ("help allow",)),
        ("allow close <@U1> #release", "“#release” is not a channel of Slack's.", ("help allow",)),
        ("allow close <@U1> <@U2>", "One person or group at a time.", ("help allow",)),
        ("allow clos <@U1>", "“clos” is nothing that can be allowed.", ("allow close <@U1>",)),
        ("deny banana <@U1>", "“banana” is nothing that can be denied.", ("help deny",)),
        ("allow delete <@U1>", "Deleting stays with admins.", ("help allow",)),
        ("deny delete <@U1>", "Deleting stays with admins.", ("help deny",)),
        ("allow", "Who may do what?", ("help allow",)),
        ("allow complete", "Who may close?", ("help allow",)),
        ("deny close", "Who may not close?", ("help deny",)),
        ("allow <@U1>", "Say what first, then who.", ("help allow",)),
        ("allow <@U1> complete", "Say what first, then who.", ("allow close <@U1>",)),
        ("deny <!subteam^S1> close <#C1>", "Say what first, then who.", ("deny close <!subteam^S1> <#C1>",)),
        ("allow close <#C1> <@U1>", "Say what first, then who.", ("allow close <@U1> <#C1>",)),
        ("allow close <@U1> <#C1> <#C2>", "“<#C2>” is too much for allow.", ("allow close <@U1> <#C1>",)),
        ("audit --last 501", "--last cannot be “501”.", ("audit --last 500",)),
        ("audit --status dnoe", "--status cannot be “dnoe”.", ("audit --status done",)),
    ],
)
def test_a_mistake_in_a_change_is_told_with_what_may_have_been_meant(
    text: str, what: str, closest: tuple[str, ...]
) -> None:
    error = wrong(text)
    assert (error.what, error.closest) == (what, closest)
    assert all((error.why, error.fix))


@pytest.mark.parametrize(
    ("text", "without"),
    [
        ("close R118 --share", ("close R118",)),
        ("edit R118 --name x --share", ("edit R118 --name x",)),
        ("note R118 looks good --share", ('note R118 "looks good"',)),
        ("allow close <@U1> --share", ("allow close <@U1>",)),
        ("digest add x --at 09:00 --share", ("digest add x --at 09:00",)),
        ("allow list --share", ("allow list",)),
        ("audit --last 5 --share", ("audit --last 5",)),
        ("whoami --share", ("whoami",)),
    ],
)
def test_what_is_told_to_one_person_only_can_not_be_shared(text: str, without: tuple[str, ...]) -> None:
    error = wrong(text)
    assert "can't be shared" in error.what
    assert "alone" in error.why
    assert error.closest == without


@pytest.mark.parametrize(
    ("text", "closest"),
    [
        ("audit R60", ("audit --run R60",)),
        ("audit testrail:R60 --last 5", ("audit --last 5 --run testrail:R60",)),
        ("audit last", ("audit --run last",)),
        ("audit close", ("audit",)),
        ("audit R60 --run R61", ("audit --run R61",)),
    ],
)
def test_a_run_behind_audit_is_offered_with_its_flag(text: str, closest: tuple[str, ...]) -> None:
    error = wrong(text)
    assert "is too much for audit" in error.what
    assert error.closest == closest


def test_no_mistake_in_a_rule_is_told_in_the_words_of_the_manual() -> None:
    for text in ("allow banana", "allow close", "allow close tom", "deny <@U1> close", "allow close <@U1> here"):
        error = wrong(text)
        told = f"{error.what} {error.fix}"
        assert not {"VERB", "WHO", "CHANNEL"} & set(told.split()), text
        assert "U024" not in told, text


def test_who_names_nobody_for_a_rule_is_told_to_pick_from_slacks_suggestions() -> None:
    assert "pick it from what Slack suggests" in wrong("allow close ana").fix
    assert "allow close @tom #release" in wrong("allow close ana").fix
    assert "pick it from what Slack suggests" in wrong("allow close <@U1> release").fix


# ── what the use cases are told ──


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("start", True),
        ("start --in testmo", True),
        ("start x", False),
        ("edit R1", True),
        ("edit R1 --name x", False),
        ("note R1", True),
        ("note R1 x", False),
        ("report S1/2", True),
        ("report S1/2 --note x", True),
        ("report S1/2 --test a --test 'b: passed'", True),
        ("report S1/2 --test 'b: passed'", False),
        ("report S1/2 passed", False),
        ("report S1/2 --step 'a: passed'", False),
        ("link R1", False),
        ("close R1", False),
    ],
)
def test_a_form_is_offered_where_too_little_was_typed(text: str, form: bool) -> None:
    assert wants_form(parse(text)) is form


def test_what_is_typed_is_named_and_none_is_nothing() -> None:
    command = parse("edit R1 --milestone NONE")
    assert (named(command, "milestone"), named(command, "name")) == (Named(""), None)
    assert named(parse("start x --suite 4"), "suite") == Named("4")


def test_an_edit_tells_what_stays_from_what_is_taken_away() -> None:
    none = EditParts(name=None, description=None, milestone=None, cases=None, refs=None)
    assert edit_parts(parse("edit R1")) == none
    assert edit_parts(parse('edit R1 --description "" --cases all --milestone 5 --name x --refs A-1')) == EditParts(
        name="x", description="", milestone=Named("5"), cases=(), refs="A-1"
    )


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("start x", ()),
        (
            "start x --link 'Build 7=https://a.io/?x=1' --link https://b.io",
            (Pointer("Build 7", "https://a.io/?x=1"), Pointer("", "https://b.io")),
        ),
        ("link R1", ()),
        ("link R1 https://a.io --name Build", (Pointer("Build", "https://a.io"),)),
        ("attach R1 https://a.io", (Pointer("", "https://a.io"),)),
    ],
)
def test_links_become_pointers(text: str, found: tuple[Pointer, ...]) -> None:
    assert pointers(parse(text)) == found


def test_fields_keep_their_order_and_their_colons() -> None:
    command = parse("start x --field 'b: 1' --field 'a: https://x.io:8080/'")
    assert fields(command) == (("b", "1"), ("a", "https://x.io:8080/"))


@pytest.mark.parametrize(
    ("text", "tests"),
    [
        ("report S55/9 passed", (Reported(outcome=Outcome.PASSED, id=9),)),
        ("report S55/9 passed --instance 9,10", tuple(Reported(outcome=Outcome.PASSED, id=id) for id in (9, 10))),
        ("report A412/3 failed", ()),
        (
            "report A1 passed --test a --test 'b: x: failed'",
            (Reported(outcome=Outcome.PASSED, name="a"), Reported(outcome=Outcome.FAILED, name="b: x")),
        ),
        ("report A1 --test 'b: n/a'", (Reported(outcome=Outcome.SKIPPED, name="b"),)),
        ("report S5/9 --step 'a: passed' --step 'b: blocked'", (Reported(outcome=Outcome.BLOCKED, id=9),)),
    ],
)
def test_a_report_names_its_tests_with_their_outcomes(text: str, tests: tuple[Reported, ...]) -> None:
    assert report_parts(parse(text)).tests == tests


def test_a_report_says_all_that_was_typed() -> None:
    parts = report_parts(
        parse(
            "report A1 failed --note “Times out” --duration 90s --step 'a: passed' --version 5.2 --folder Web --by me "
            "--field 'b: c' --file F1 --file F2"
        )
    )
    assert parts.outcome is Outcome.FAILED
    assert parts.steps == (Step("a", Outcome.PASSED),)
    assert (parts.note, parts.duration_s, parts.version, parts.folder) == ("Times out", 90.0, "5.2", "Web")
    assert (parts.by, parts.fields, parts.files) == ("me", (("b", "c"),), ("F1", "F2"))


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("report A1", "The report has no outcome."),
        ("report A1 --test 'a: passed' --test b", "“b” has no outcome."),
        ("report S1/7", "“7” has no outcome."),
        ("report S1 --test 'a: passed' --instance 7", "“7” has no outcome."),
    ],
)
def test_a_report_without_an_outcome_is_refused(text: str, what: str) -> None:
    with pytest.raises(GrammarError) as caught:
        report_parts(parse(text))
    assert caught.value.what == what
    assert parse(caught.value.closest[0]).verb == "help"


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("allow close <@U1>", GrantParts(verb="close", kind="user", subject="U1", channel="")),
        ("deny all <!subteam^S1|@qa> <#C1|x>", GrantParts(verb="all", kind="group", subject="S1", channel="C1")),
    ],
)
def test_a_rule_is_told_with_slacks_ids(text: str, parts: GrantParts) -> None:
    assert grant_parts(parse(text)) == parts


def test_an_audit_asks_for_twenty_of_everything_or_for_what_was_typed() -> None:
    plain = AuditParts(last=20, verb="", by="", run=None, since=None, outcome=None, csv=False)
    assert audit_parts(parse("audit")) == plain
    command = parse("audit --last 5 --verb complete --by me --run R1 --since 30d --status doubt --csv")
    assert audit_parts(command) == AuditParts(
        last=5, verb="close", by="me", run=NamedRef(None, "R", 1), since=MONTH_AGO, outcome=Ended.DOUBT, csv=True
    )


@pytest.mark.parametrize(
    "text", ["close R118", "complete R118", "R118 close", "note R118 x", "allow all <@U1>", "start"]
)
def test_where_rundown_only_reads_there_is_nothing_that_changes_anything(text: str) -> None:
    with pytest.raises(GrammarError, match="only reads here"):
        Grammar(read_only=True).parse(text, now=NOW)
