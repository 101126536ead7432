"""What people type, and the command or the error it becomes."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bot.domain.errors import GrammarError
from bot.domain.refs import LastRef, LinkRef, NamedRef, PrevRef, RowRef, ThisRef
from bot.slack.grammar import Command, Grammar, When, strip_command, strip_mention
from bot.slack.verbs import PLANNED, VERBS, Flag, Takes, Verb

#: A Friday.
NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
GRAMMAR = Grammar()
R118 = NamedRef(None, "R", 118)


def parse(text: str, grammar: Grammar = GRAMMAR) -> Command:
    return grammar.parse(text, now=NOW)


def wrong(text: str, grammar: Grammar = GRAMMAR, **how: Any) -> GrammarError:
    with pytest.raises(GrammarError) as caught:
        grammar.parse(text, now=NOW, **how)
    return caught.value


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("", Command("menu")),
        ("   ", Command("menu")),
        ("menu", Command("menu")),
        ("--share", Command("menu", share=True)),
        ("help", Command("help")),
        ("help list", Command("help", words=("list",))),
        ("help digest add", Command("help", words=("digest add",))),
        ("list", Command("list")),
        ("LIST", Command("list")),
        ("ls", Command("list")),
        ("lis", Command("list")),
        ("list nightly web", Command("list", words=("nightly", "web"))),
        ("list R118", Command("list", words=("R118",))),
        ("show R118", Command("show", (R118,))),
        ("sho R118 --share", Command("show", (R118,), share=True)),
        ("show R118 --page 3", Command("show", (R118,), page=3)),
        ("failures last --limit 5", Command("failures", (LastRef(),), flags=(("limit", 5),))),
        ("diff R118", Command("diff", (R118,))),
        ("diff R118 prev", Command("diff", (R118, PrevRef()))),
        ("threads a412", Command("threads", (NamedRef(None, "A", 412),))),
        ("here", Command("here")),
        ("use testrail 1", Command("use", words=("testrail", "1"))),
        ("use testrail Web Shop", Command("use", words=("testrail", "Web Shop"))),
        ("whoami", Command("whoami")),
        ("version", Command("version")),
        ("list --help", Command("help", words=("list",))),
        ("--help", Command("help")),
        ("show —help", Command("help", words=("show",))),
    ],
)
def test_verbs_are_found_by_name_alias_and_beginning(text: str, command: Command) -> None:
    assert parse(text) == command


@pytest.mark.parametrize(
    ("typed", "ref"),
    [
        ("R118", R118),
        ("r118", R118),
        ("R000118", R118),
        ("118", NamedRef(None, None, 118)),
        ("A412/3", NamedRef(None, "A", 412, part=3)),
        ("412/3", NamedRef(None, None, 412, part=3)),
        ("S55/98142", NamedRef(None, "S", 55, part=98142)),
        ("P9", NamedRef(None, "P", 9)),
        ("testrail:R118", NamedRef("testrail", "R", 118)),
        ("TestRail:r118", NamedRef("testrail", "R", 118)),
        ("web-2.0:118", NamedRef("web-2.0", None, 118)),
        (f"R{2**63 - 1}", NamedRef(None, "R", 2**63 - 1)),
        ("last", LastRef()),
        ("LAST", LastRef()),
        ("last:nightly", LastRef("nightly")),
        ('last:"nightly web"', LastRef("nightly web")),
        ("prev", PrevRef()),
        ("this", ThisRef()),
        ("#3", RowRef(3)),
        ("https://x.testmo.net/runs/view/7", LinkRef("https://x.testmo.net/runs/view/7")),
        ("<https://x.testmo.net/runs/view/7>", LinkRef("https://x.testmo.net/runs/view/7")),
        (
            "<https://a.testrail.io/index.php?/runs/view/1&amp;group_by=x|Run 1 of many>",
            LinkRef("https://a.testrail.io/index.php?/runs/view/1&group_by=x"),
        ),
        ("<http://x.testmo.net/runs/7|x.testmo.net/runs/7>", LinkRef("http://x.testmo.net/runs/7")),
    ],
)
def test_references_are_read_after_a_verb_and_alone(typed: str, ref: Any) -> None:
    assert parse(f"show {typed}") == parse(typed) == Command("show", (ref,))


@pytest.mark.parametrize(
    ("typed", "name", "value"),
    [
        ("--status failed", "status", ("failed",)),
        ("--status=failed,blocked", "status", ("failed", "blocked")),
        ("status:failed,blocked", "status", ("failed", "blocked")),
        ("status: failed, blocked", "status", ("failed", "blocked")),
        ("status=failed", "status", ("failed",)),
        ("--STATUS Failed", "status", ("Failed",)),
        ("--status:failed", "status", ("failed",)),
        ("--status a --status b,a", "status", ("a", "b")),
        ("--sta failed --stat blocked", None, None),
        ("—status failed", "status", ("failed",)),
        ("–status failed", "status", ("failed",)),
        ("−−status failed", "status", ("failed",)),
        ("--tag a,b", "tag", ("a", "b")),
        ('--tag "a,b",c', "tag", ("a,b", "c")),
        ("-tag:wip", "-tag", ("wip",)),
        ("-tag: wip", "-tag", ("wip",)),
        ("-tag:wip,old -tag:x", "-tag", ("wip", "old", "x")),
        ("--milestone “Release 5.2”", "milestone", ("Release 5.2",)),
        ("--milestone „Release 5.2“", "milestone", ("Release 5.2",)),
        ("--milestone « Release 5.2 »", "milestone", ("Release 5.2",)),
        ("--milestone ‘Release 5.2’", "milestone", ("Release 5.2",)),
        ("--milestone 'Release 5.2'", "milestone", ("Release 5.2",)),
        ('--milestone="Release 5.2"', "milestone", ("Release 5.2",)),
        ("milestone:“Release 5.2”", "milestone", ("Release 5.2",)),
        ('--milestone "Release 5.2”', "milestone", ("Release 5.2",)),
        ('--milestone "say ""go"""', "milestone", ('say "go"',)),
        ("--milestone R&amp;D", "milestone", ("R&D",)),
        ("--source <http://web.dev|web.dev>", "source", ("web.dev",)),
        ("--limit 20", "limit", 20),
        ("--sort risk", "sort", "risk"),
        ("--sort OLD", "sort", "oldest"),
        ("--open", "open", True),
        ("--completed", "closed", True),
        ("--in testmo", "in", "testmo"),
        ("--project 4", "project", "4"),
        ('--project "Web Shop"', "project", "Web Shop"),
        ("--state 3", "state", ("3",)),
        ("--refs SAN-1", "refs", "SAN-1"),
        ("--set-filter 12", "set-filter", "12"),
        ("--set-filter-user me", "set-filter-user", "me"),
        ("--by <@U123|ana>", "by", ("<@U123>",)),
        ("--by <@U123|Ana Lima>,<@U9>", "by", ("<@U123>", "<@U9>")),
        ("--by @ana", "by", ("ana",)),
        ("--by ME", "by", ("me",)),
        ("--by <mailto:ana@x.io|ana@x.io>", "by", ("ana@x.io",)),
        ('--by "Ana Lima",7', "by", ("Ana Lima", "7")),
    ],
)
def test_flags_are_read_in_every_way_of_writing(typed: str, name: str | None, value: Any) -> None:
    if name is None:
        assert "may mean --status or --state" in wrong(f"list {typed}").what
    else:
        assert parse(f"list {typed}") == Command("list", flags=((name, value),))


@pytest.mark.parametrize(
    ("typed", "at"),
    [
        ("7d", datetime(2026, 11, 13, 9, 30, tzinfo=UTC)),
        ("2H", datetime(2026, 11, 20, 7, 30, tzinfo=UTC)),
        ("30m", datetime(2026, 11, 20, 9, 0, tzinfo=UTC)),
        ("2w", datetime(2026, 11, 6, 9, 30, tzinfo=UTC)),
        ("now", NOW),
        ("today", datetime(2026, 11, 19, 23, tzinfo=UTC)),
        ("yesterday", datetime(2026, 11, 18, 23, tzinfo=UTC)),
        ("Monday", datetime(2026, 11, 15, 23, tzinfo=UTC)),
        ("friday", datetime(2026, 11, 19, 23, tzinfo=UTC)),
        ("2026-10-01", datetime(2026, 9, 30, 22, tzinfo=UTC)),
        ("2026-11-01T09:00", datetime(2026, 11, 1, 8, tzinfo=UTC)),
        ("2026-11-01 09:00", datetime(2026, 11, 1, 8, tzinfo=UTC)),
        ("2026-11-01t09:00:30z", datetime(2026, 11, 1, 9, 0, 30, tzinfo=UTC)),
        ("2026-11-01T09:00+02:00", datetime(2026, 11, 1, 7, tzinfo=UTC)),
    ],
)
def test_times_are_meant_in_the_zone_of_the_one_who_asks(typed: str, at: datetime) -> None:
    command = GRAMMAR.parse(f"list --since {typed}", now=NOW.astimezone(ZoneInfo("Europe/Berlin")))
    assert command.when("since") == at


@pytest.mark.parametrize(
    ("typed", "until"),
    [
        ("--until 2026-11-01", datetime(2026, 11, 2, tzinfo=UTC)),
        ("--until today", datetime(2026, 11, 21, tzinfo=UTC)),
        ("--until 2026-11-01T09:00", datetime(2026, 11, 1, 9, tzinfo=UTC)),
        ("--until 7d", datetime(2026, 11, 13, 9, 30, tzinfo=UTC)),
        ("--closed-until yesterday", datetime(2026, 11, 20, tzinfo=UTC)),
        ("--older-than 30d", datetime(2026, 10, 21, 9, 30, tzinfo=UTC)),
    ],
)
def test_a_day_counts_to_its_end_for_until(typed: str, until: datetime) -> None:
    command = parse(f"list {typed}")
    assert [value.at for _, value in command.flags if isinstance(value, When)] == [until]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("list foo:bar", ("foo:bar",)),
        ("list https://example.org/x?a=b", ("https://example.org/x?a=b",)),
        ("list open:yes", ("open:yes",)),
        ("list -- --open -tag:x", ("--open", "-tag:x")),
        ('list "--open"', ("--open",)),
        ('list "tag:x"', ("tag:x",)),
        ("list -5 - 3-4", ("-5", "-", "3-4")),
        ("list Nightly — web", ("Nightly", "—", "web")),
        ("list don't panic", ("don't", "panic")),
        ("list Ana’s tests’ names", ("Ana’s", "tests’", "names")),
        ("list 'tis", ("'tis",)),
        ('list 5" screen', ('5"', "screen")),
        ("list `nightly`", ("nightly",)),
        ("`list nightly`", ("nightly",)),
        ("list <#C1|general> <@U1|ana> <!here>", ("<#C1>", "<@U1>", "<!here>")),
        ("list a &lt;b&gt; &amp;amp; <c", ("a", "<b>", "&amp;", "<c")),
        ("list\nnight\u200bly\u2003\x00web\u200f", ("nightly", "web")),
        ('list "" x', ("x",)),
        ("list ночь 夜 🌙", ("ночь", "夜", "🌙")),
    ],
)
def test_everything_else_is_a_word(text: str, words: tuple[str, ...]) -> None:
    assert parse(text) == Command("list", words=words)


def test_flags_stand_in_any_order() -> None:
    one = parse("results R118 --status failed --latest --since 2h --share")
    assert parse("results --since 2h --share --latest status:failed R118") == one


def test_a_run_with_its_connection_is_no_flag_even_if_it_looks_like_one() -> None:
    assert parse("results test:R5 --test login").refs == (NamedRef("test", "R", 5),)
    assert parse("results R5 test:login").several("test") == ("login",)
    assert parse('results "test:5"').refs == (NamedRef("test", None, 5),)


@pytest.mark.parametrize("verb", ["show", "failures", "results", "diff", "threads"])
def test_in_a_thread_its_run_is_meant_where_none_is_named(verb: str) -> None:
    assert GRAMMAR.parse(verb, now=NOW, this=True).refs == (ThisRef(),)
    assert GRAMMAR.parse(f"{verb} R118", now=NOW, this=True).refs == (R118,)


@pytest.mark.parametrize(
    ("text", "what", "closest"),
    [
        ("shwo R118", "“shwo” is not a command.", ("show R118",)),
        ("shwo", "“shwo” is not a command.", ("show last", "list shwo")),
        ("nightly build", "“nightly” is not a command.", ("list nightly build", "help")),
        ("h", "“h” may mean help or here.", ("help", "here")),
        ("thanks", "“thanks” is not a command.", ("list thanks", "help")),
        ("hmm", "“hmm” is not a command.", ("help",)),
        ("ok 12", "“ok” is not a command.", ("show 12", "help")),
        ("what about A412", "“what” is not a command.", ("show A412", "help")),
        ("R 118", "“R 118” is not a command.", ("show R118", "show 118")),
        ("run118", "“run118” is not a command.", ("show 118",)),
        ("R118 failures", "The command comes first.", ("failures R118",)),
        ("--open list web", "The command comes first.", ("list web --open",)),
        ("show", "show needs a run.", ("show last", "list")),
        ("show R 118", "“R” is not a run.", ("show R118", "show 118")),
        ("show R-118", "“R-118” is not a run.", ("show R118",)),
        ("show run118", "“run118” is not a run.", ("show 118",)),
        ("show run R118", "“run” is not a run.", ("show R118",)),
        ("show plan 9", "“plan” is not a run.", ("show P9", "show 9")),
        ("show R118,", "“R118,” is not a run.", ("show R118",)),
        ("show R:118", "“R:118” is not a run.", ("show R118",)),
        ("show testrail: R118", "“testrail:” is not a run.", ("show testrail:R118", "show R118")),
        ("show previous", "“previous” is not a run.", ("show prev",)),
        ("show <#C1|3>", "A channel is not a run.", ("show last",)),
        ("show <ftp://x/R1>", "“ftp://x/R1” is not a run.", ("show last",)),
        ("show R118 R119", "“R119” is too much for show.", ("show R118",)),
        ("show R0", "“R0” is not a run.", ("list",)),
        ("show #0", "“#0” is not a run.", ("list",)),
        (f"show R{2**63}", f"“R{2**63}” is not a run.", ("list",)),
        ("version now", "“now” is too much for version.", ("version",)),
        ("use testrail", "use needs CONNECTION PROJECT.", ("help use",)),
        ("list --stauts failed", "“--stauts” is not a flag of list.", ("list --status failed", "list --state failed")),
        ("list --open=yes", "--open takes no value.", ("list --open",)),
        ("list -since 7d", "“-since” is not a flag of list.", ("list --since 7d",)),
        ("list -tga:wip", "“-tga:wip” is not a flag of list.", ("list -tag:wip",)),
        ("list -since:7d", "-since: cannot leave anything out.", ("list --since 7d",)),
        ("show R118 --since 7d", "“--since” is not a flag of show.", ("help show",)),
        ("list --since", "--since needs a value.", ("list --since 7d", "list")),
        ("list --since --open", "--since needs a value.", ("list --open --since 7d", "list --open")),
        ("list --milestone ''", "--milestone needs a value.", ("list",)),
        ("list --tag ,,", "--tag needs a value.", ("list",)),
        ("list --since foo", "--since cannot be “foo”.", ("list --since 7d",)),
        ("list --since 7 days", "--since cannot be “7”.", ("list --since 7d", "list days --since 7d")),
        ("list --since mon", "--since cannot be “mon”.", ("list --since monday",)),
        ("list --since 2026/11/01", "--since cannot be “2026/11/01”.", ("list --since 2026-11-01",)),
        ("list --since 2026-02-30", "--since cannot be “2026-02-30”.", ("list --since 7d",)),
        ("list --since 999999w", "--since cannot be “999999w”.", ("list --since 7d",)),
        ("list --since 0001-01-01T00:00+14:00", "--since cannot be “0001-01-01T00:00+14:00”.", ("list --since 7d",)),
        ("list --until 9999-12-31", "--until cannot be “9999-12-31”.", ("list --until 7d",)),
        ("list --older-than monday", "--older-than cannot be “monday”.", ("list --older-than 30d",)),
        ("list --sort rsk", "--sort cannot be “rsk”.", ("list --sort risk",)),
        ("list --sort n", "--sort cannot be “n”.", ("list --sort newest", "list --sort name")),
        ("list --limit many", "--limit cannot be “many”.", ("list --limit 10",)),
        ("list --limit 0", "--limit cannot be “0”.", ("list --limit 10",)),
        ("list --limit -5", "--limit cannot be “-5”.", ("list --limit 5",)),
        ("list --limit 99999", "--limit cannot be “99999”.", ("list --limit 1000",)),
        ("list --limit ٣", "--limit cannot be “٣”.", ("list --limit 10",)),
        ("list --by none", "--by cannot be “none”.", ("list --by me",)),
        ("list --by <#C1|x>", "--by cannot be “<#C1>”.", ("list --by me",)),
        ("list --open --closed", "--open and --closed do not go together.", ("list --open", "list --closed")),
        ('list "Release 5', "A quotation mark is never closed.", ("list Release 5",)),
    ],
)
def test_a_mistake_is_told_with_what_may_have_been_meant(text: str, what: str, closest: tuple[str, ...]) -> None:
    error = wrong(text)
    assert (error.what, error.closest) == (what, closest)


def test_every_mistake_has_four_parts_and_its_suggestions_can_be_run() -> None:
    for text in ("shwo", "show", "list --x", "list --since", "list --limit x", "version 1", "use", 'list "', "show R0"):
        error = wrong(text)
        assert all((error.what, error.why, error.fix, error.closest)), text
        assert [parse(command).text() for command in error.closest] == list(error.closest)


@pytest.mark.parametrize(
    ("text", "why", "fix"),
    [
        (
            "list --stauts failed",
            "The flags of list are --status, --state, --open, --closed, --all, --auto, --manual, --since, and 18 more.",
            "Type help list to see all it takes, or put “quotes” around words that begin with a dash.",
        ),
        (
            "failures R118 --since 7d",
            "The flags of failures are --owner, --limit and --share.",
            "Type help failures to see all it takes, or put “quotes” around words that begin with a dash.",
        ),
        (
            "show R118 --x",
            "The only flag of show is --share.",
            "Type help show to see all it takes, or put “quotes” around words that begin with a dash.",
        ),
        (
            "list --status",
            "--status takes words such as passed, failed, blocked, untested, or a system's own.",
            "Add it, or leave --status out.",
        ),
        (
            "list --sort",
            "--sort takes one of risk, newest, oldest, closed or name.",
            "Write --sort risk, for example, or leave --sort out.",
        ),
        (
            f"show R{2**63}",
            "A run's number begins at 1 and has at most 19 digits.",
            "Check the number, or type list to find the run.",
        ),
        (
            "list --limit 0",
            "--limit takes a whole number from 1 to 1000.",
            "Write --limit 10, for example.",
        ),
    ],
)
def test_a_mistake_is_told_with_what_would_be_right(text: str, why: str, fix: str) -> None:
    error = wrong(text)
    assert (error.why, error.fix) == (why, fix)


@pytest.mark.parametrize("flag", [flag for verb in VERBS for flag in verb.flags if flag.takes is not Takes.SWITCH])
def test_every_flag_says_what_it_takes(flag: Flag) -> None:
    verb = next(verb for verb in VERBS if flag in verb.flags)
    assert wrong(f"{verb.name} {verb.refs[0] * 'R1'} --{flag.name}").why.startswith(f"--{flag.name} takes ")


def test_long_mistakes_are_cut_when_told() -> None:
    assert len(wrong("x" * 10_000).what) < 100


@pytest.mark.parametrize(
    ("text", "does", "closest"),
    [
        ("watch add web", "watch runs", ("help",)),
        ("mute A412 --for 7d", "mute runs", ("help",)),
        ("A412 mute", "mute runs", ("help",)),
        ("iam ana@x.io --in testrail", "take your word for who you are", ("help",)),
        ("doctor", "examine itself in Slack", ("help",)),
        ("hey watch A412", "watch runs", ("help",)),
    ],
)
def test_a_verb_of_later_versions_is_told_apart_from_a_mistake(text: str, does: str, closest: tuple[str, ...]) -> None:
    error = wrong(text)
    assert error.what == f"This version of Rundown does not {does} yet."
    assert error.why == (
        "What it does with runs: list, show, failures, results, diff, threads, close, start, edit, note, link, attach, "
        "report, delete."
    )
    assert error.closest == closest


def test_what_is_lacking_is_told_with_the_way_to_it_today() -> None:
    assert "whoami" in wrong("iam me").fix
    assert not any("changes nothing" in f"{each.does} {each.instead}" for each in PLANNED.values())
    assert not any("only reads" in f"{each.does} {each.instead}" for each in PLANNED.values())


def test_a_verb_of_the_table_is_never_told_to_be_missing() -> None:
    assert not [name for name in PLANNED if name in {verb.name.partition(" ")[0] for verb in VERBS}]
    assert parse("close R118", LATER).verb == "close"
    assert wrong("digest foo", LATER).what == "“digest foo” is not a command."


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("hi", "help"),
        ("Hello!", "help"),
        ("hey", "help"),
        ("hi there", "help"),
        ("hey, show A412", "show A412"),
        ("hello R118", "show R118"),
        ("?", "help"),
        ("commands", "help"),
        ("? list", "help list"),
    ],
)
def test_a_greeting_is_answered_with_help_or_with_what_follows_it(text: str, canonical: str) -> None:
    assert parse(text).text() == canonical


# ── the table ──

CLOSE = Verb(
    name="close",
    aliases=("complete",),
    says="Close a run.",
    usage="REF",
    examples=("close R118", "close last"),
    refs=(1, 1),
    flags=(Flag(name="dry-run", takes=Takes.SWITCH, says="Only say."), Flag(name="after", takes=Takes.REF, says="x")),
    writes=True,
)
NOTE = Verb(
    name="note",
    says="Note.",
    usage="REF TEXT…",
    examples=("note R1 x", "note R2 y"),
    refs=(1, 1),
    words=(1, 1),
    rest=True,
)
OTHERS = tuple(verb for verb in VERBS if verb.name not in ("close", "note"))
LATER = Grammar((*OTHERS, CLOSE, NOTE))


def test_a_verb_that_writes_is_never_taken_by_its_beginning() -> None:
    assert parse("complete R118 --dry-run", LATER).verb == "close"
    error = wrong("clo R118", LATER)
    assert (error.what, error.closest) == ("“clo” may mean close.", ("close R118",))
    assert "in full" in error.why
    assert wrong("clsoe R118", LATER).closest == ("close R118",)


def test_a_flag_of_a_verb_that_writes_is_never_taken_by_its_beginning() -> None:
    assert wrong("close R118 --dry", LATER).closest == ("close R118 --dry-run",)


def test_a_verb_that_writes_needs_its_run_named_in_threads_too() -> None:
    assert wrong("close", LATER, this=True).what == "close needs a run."


@pytest.mark.parametrize("text", ["close", "close foo", "clsoe", "close R118 R119 --dry"])
def test_no_run_is_suggested_out_of_thin_air_to_a_verb_that_writes(text: str) -> None:
    assert not any("last" in command for command in wrong(text, LATER).closest)


def test_a_flag_may_take_a_run() -> None:
    assert parse("close R118 --after A412/3", LATER).ref("after") == NamedRef(None, "A", 412, part=3)
    assert parse(parse("close R118 --after last", LATER).text(), LATER).ref("after") == LastRef()
    assert wrong("close R118 --after R-9", LATER).closest == ("close R118 --after R9",)
    assert wrong("close R118 --after R0", LATER).what == "--after cannot be “R0”."


def test_the_last_word_may_take_all_that_remains() -> None:
    assert parse("note R118 don't close, “Ana” asked", LATER).words == ("don't close, Ana asked",)
    assert wrong("note R118", LATER).what == "note needs REF TEXT…."


def test_verbs_of_two_words_are_entries_like_any_other() -> None:
    assert parse("digest add nightly", LATER) == Command("digest add", words=("nightly",))
    assert parse("DIGEST li", LATER) == Command("digest list")
    assert parse("digests", LATER) == Command("digest list")
    assert wrong("digest rmeove nightly", LATER).closest[0] == "digest remove nightly"
    assert parse("help digest add", LATER).words == ("digest add",)


@pytest.mark.parametrize("text", ["digest", "Digest", "digest --", "digests", "digest list"])
def test_the_first_word_of_several_verbs_alone_may_mean_one_of_them(text: str) -> None:
    assert parse(text) == Command("digest list")
    assert parse(f"{text.removesuffix(' --')} --share").share


@pytest.mark.parametrize(("text", "closest"), [("digest lst", "digest list"), ("digest ad x", "digest add x")])
def test_the_first_word_with_a_mistyped_second_one_is_no_list(text: str, closest: str) -> None:
    assert "is not a command" in wrong(text).what
    assert closest in wrong(text).closest


@pytest.mark.parametrize(
    ("text", "closest"),
    [
        ("digest add release readiness --at 09:00", 'digest add "release readiness" --at 09:00'),
        ("digest add --at 09:00 our release readiness", 'digest add "our release readiness" --at 09:00'),
        ("digest show release readiness", 'digest show "release readiness"'),
        ("digest add release --at 09:00 readiness", "digest add release --at 09:00"),
    ],
)
def test_a_name_of_several_words_is_offered_in_quotes(text: str, closest: str) -> None:
    error = wrong(text)
    assert error.closest == (closest,)
    assert ("quotes" in error.fix) == ('"' in closest)


@pytest.mark.parametrize(
    ("text", "about"),
    [("digest --help", "digest"), ("digests --help", "digest list"), ("digest add --help", "digest add")],
)
def test_a_word_that_begins_several_verbs_asks_for_help_about_all(text: str, about: str) -> None:
    assert parse(text) == Command("help", words=(about,))


def test_two_verbs_cannot_share_a_name() -> None:
    with pytest.raises(ValueError, match="two verbs are called list"):
        Grammar((*VERBS, Verb(name="x", aliases=("list",), says="", usage="", examples=("x", "x"))))


def test_a_table_needs_no_menu_no_help_and_no_show() -> None:
    bare = Grammar((CLOSE,))
    assert wrong("", bare).closest == ("close R118",)
    assert wrong("R118", bare).closest == ("close R118",)
    assert parse("close R118", bare).verb == "close"


def test_looking_up_costs_the_same_in_a_large_table() -> None:
    many = Grammar((*VERBS, *(Verb(name=f"verb{n}", says="", usage="", examples=("a", "b")) for n in range(400))))
    assert many.parse("show R118", now=NOW) == parse("show R118")
    assert wrong("shwo R118", many).closest == ("show R118",)


def test_starting_loads_nothing_but_the_standard_library_and_the_domain() -> None:
    code = (
        "import sys; from bot.slack import grammar, grammar_help, grammar_queries; from datetime import datetime, UTC;"
        "grammar.Grammar().parse('list --since 7d', now=datetime.now(UTC));"
        "print([name for name in sys.modules if name.partition('.')[0] in ('rapidfuzz', 'slack_sdk', 'slack_bolt')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# ── commands ──


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("", "menu"),
        ("R118", "show R118"),
        ("LS nightly STATUS:failed --op", "list nightly --open --status failed"),
        ("list “Release 5.2” -tag:wip --tag 'a b',c", 'list "Release 5.2" -tag:wip --tag "a b",c'),
        ("list --by <@U1|ana> --share --page 2", "list --by <@U1> --share --page 2"),
        ("list -- --open a:b", 'list "--open" "a:b"'),
        ("list R&amp;D &amp;amp;", 'list "R&D" "&amp;amp;"'),
        ("show <https://x.io/1?a=b&amp;c=d|x>", "show https://x.io/1?a=b&c=d"),
        ("list --since 2026-11-01 09:00", "list --since 2026-11-01T09:00"),
    ],
)
def test_a_command_can_be_written_down(text: str, canonical: str) -> None:
    command = parse(text)
    assert command.text() == canonical
    assert parse(canonical) == command


def test_a_button_turns_the_page_and_shares() -> None:
    command = parse("list --status failed")
    assert parse(command.with_page(2).text()) == command.with_page(2)
    assert parse(command.with_page(2).with_page(1).text()) == command
    assert parse(command.shared().text()).share


def test_a_command_gives_its_flags_by_kind_and_nothing_for_the_rest() -> None:
    command = parse("list --open --limit 5 --in testmo --tag a")
    assert (command.on("open"), command.number("limit"), command.word("in"), command.several("tag")) == (
        True,
        5,
        "testmo",
        ("a",),
    )
    assert (command.on("limit"), command.number("open"), command.word("tag"), command.several("in")) == (
        False,
        None,
        "",
        (),
    )
    assert (command.when("since"), command.ref("since"), command.get("since")) == (None, None, None)


# ── mentions and direct messages ──


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("<@UBOT> show R118", "show R118"),
        ("<@UBOT|rundown>: show R118", "show R118"),
        ("show R118 <@UBOT>", "show R118"),
        ("<@UBOT> <@UBOT> list --by <@U1|ana> <@UBOT|x>", "list --by <@U1|ana>"),
        ("list --by <@U1>", "list --by <@U1>"),
        ("<@UBOT>", ""),
        ("hey <@UBOT> show A412", "show A412"),
        ("hey <@UBOT|rundown>, show A412", "show A412"),
        ("hey <@UBOT> show A412 <@UBOT>", "show A412"),
        ("<@UBOT> list <@UBOT> web", "list <@UBOT> web"),
        ("thanks <@UBOT>", "thanks"),
        ("thanks <@UBOT>!", "thanks"),
        ("please <@UBOT> <@UBOT> help", "help"),
        ("<@UBOTTLE> hi", "<@UBOTTLE> hi"),
    ],
)
def test_the_bots_own_mention_is_left_out(text: str, left: str) -> None:
    assert strip_mention(text, "UBOT") == left


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("/runs show R118", "show R118"),
        ("runs show R118", "show R118"),
        ("`/runs show R118`", "show R118"),
        ("RUNS", ""),
        ("running", "running"),
        ("/runs\nnote R118 one\ntwo", "note R118 one\ntwo"),
        ("show R118", "show R118"),
        ("", ""),
    ],
)
def test_a_direct_message_may_begin_with_the_commands_name(text: str, left: str) -> None:
    assert strip_command(text, "/runs") == left
