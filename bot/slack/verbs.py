"""The verbs people can type. The parser, `help` and the README's command table are made from this table alone.

A new verb is a new entry. A name may have two words (`digest add`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import Literal

from bot.domain.access import ALLOWABLE, EVERY
from bot.domain.acts import WRITES, Ended
from bot.domain.outcomes import Outcome


class Takes(Enum):
    """What stands behind a flag; the value is how help writes it."""

    SWITCH = ""
    WORD = "X"
    WORDS = "A,B"
    NUMBER = "N"
    WHEN = "WHEN"
    AGE = "AGE"
    PERSON = "@user"
    PEOPLE = "@user,…"
    CHOICE = "ONE"
    REF = "REF"
    TEXT = "TEXT"
    LINES = "NAME"
    PAIRS = '"NAME: VALUE"'
    STEPS = '"NAME: OUTCOME"'
    TESTS = '"NAME[: OUTCOME]"'
    LINK = "URL"
    LINKS = "[NAME=]URL"
    NUMBERS = "1,2,3"
    DURATION = "00:05:00"
    GRANTEE = "@user|@group"
    CHANNEL = "#channel"


#: Flags of these kinds may come several times; each time adds one.
REPEATED = frozenset({Takes.LINES, Takes.PAIRS, Takes.STEPS, Takes.TESTS, Takes.LINKS})


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag:
    """One flag. `says` is its sentence in help, `shown` how its value is written there.

    Of the flags of one `group` only one may be given. `excludes` allows `-name:value`. `nobody` allows `none` for a
    person. `whole_day` makes a day mean its end (for `--until`). `most` limits a number, which begins at 1.
    `choices` are the words of a choice (`synonyms` are (typed, meant)), of other kinds the words it takes besides; with
    `whole` they must be typed in full. `clears` allows an empty text in quotes, which takes away what is there.
    `picks` tells that it chooses runs in place of a reference, or (`how many`) limits how many of them.

    A word of a verb is told the same way, with `is_word`.
    """

    name: str
    says: str
    takes: Takes = Takes.WORD
    shown: str = ""
    aliases: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()
    group: str = ""
    excludes: bool = False
    nobody: bool = False
    whole_day: bool = False
    most: int = 2**63 - 1
    hidden: bool = False
    synonyms: tuple[tuple[str, str], ...] = ()
    whole: bool = False
    clears: bool = False
    picks: Literal["", "which", "how many"] = ""
    is_word: bool = False

    @property
    def called(self) -> str:
        """What it is called where it is talked about: `--since`, or `OUTCOME` for a word."""
        return self.name.upper() if self.is_word else f"--{self.name}"

    @property
    def typed(self) -> str:
        """How it is typed: `--since WHEN`."""
        shown = self.shown or "|".join(self.choices) or self.takes.value
        typed = f"--{self.name} {shown}".rstrip()
        return f"{typed} · -{self.name}:{shown}" if self.excludes else typed


@dataclass(frozen=True, slots=True, kw_only=True)
class Verb:
    """One verb. `usage` is what follows its name, `examples` are commands that can be run as they stand.

    `refs` and `words` are how many (least, most) of each it takes, words after references; with `rest` the last word
    takes everything that remains. `slots` tell what its words are, where they are more than words. `stands_for` makes
    it the verb of a text without one: of an empty text, of a bare reference, or (only as a suggestion) of other words.
    A verb that `writes` must be typed in full, as must its flags; with `settings` it changes what Rundown itself does
    and no run, and is there where Rundown only reads, too. What it says is `private` where others have no use for it.
    With `picks` it takes either a reference or flags that choose runs.
    """

    name: str
    says: str
    usage: str
    examples: tuple[str, ...]
    aliases: tuple[str, ...] = ()
    refs: tuple[int, int] = (0, 0)
    words: tuple[int, int] = (0, 0)
    rest: bool = False
    slots: tuple[Flag, ...] = ()
    flags: tuple[Flag, ...] = ()
    notes: tuple[str, ...] = ()
    writes: bool = False
    settings: bool = False
    private: bool = False
    picks: bool = False
    stands_for: Literal["", "nothing", "ref", "words"] = ""

    @property
    def everywhere(self) -> tuple[Flag, ...]:
        """The flags that are not its own: what changes something shows its preview to who asked, and nobody else."""
        return tuple(flag for flag in EVERYWHERE if flag is not SHARE or not (self.writes or self.private))

    @property
    def to_asker(self) -> bool:
        """Whether what it says is for who asked alone, wherever they asked: their own things, and previews."""
        return self.private or (self.writes and not self.settings)

    @property
    def shown_examples(self) -> tuple[str, ...]:
        """The examples as people see them while they type: with names where Slack has ids."""
        return tuple(_as_typed(example) for example in self.examples)

    @property
    def prose(self) -> bool:
        """Whether all that follows its reference is a text, kept as it was written."""
        return self.rest and any(slot.takes is Takes.TEXT for slot in self.slots)


#: What the mentions in examples are shown as: Slack knows people, groups and channels by ids.
NAMED = {"<@U024BE7LH>": "@tom", "<!subteam^S024BE7LH>": "@qa-team", "<#C024BE7LH>": "#release"}


def _as_typed(example: str) -> str:
    for written, name in NAMED.items():
        example = example.replace(written, name)
    return example


#: As many words as somebody cares to type.
ANY = 10_000

SHARE = Flag(name="share", takes=Takes.SWITCH, says="Answer in public.")
#: Flags that verbs have besides their own, see `Verb.everywhere`. `--page` is for buttons.
EVERYWHERE = (
    SHARE,
    Flag(name="page", takes=Takes.NUMBER, most=1_000_000, hidden=True, says="A further page of the answer."),
)

_SINCE = Flag(name="since", takes=Takes.WHEN, says="Created at that time or later.")
_UNTIL = Flag(name="until", takes=Takes.WHEN, whole_day=True, says="Created until then; a day counts to its end.")
_LIMIT = Flag(name="limit", takes=Takes.NUMBER, most=1_000, says="At most so many rows.")
_AUTO = Flag(name="auto", aliases=("automated",), takes=Takes.SWITCH, group="auto", says="Only automated ones.")
_MANUAL = Flag(name="manual", takes=Takes.SWITCH, group="auto", says="Only manual ones.")
_OWNER = Flag(
    name="owner",
    aliases=("assignee",),
    takes=Takes.PEOPLE,
    shown="@user|me|none",
    nobody=True,
    says="Assigned to these people; none means to nobody.",
)

_LIST_FLAGS = (
    Flag(name="open", takes=Takes.SWITCH, group="state", says="Runs that are not finished."),
    Flag(name="closed", aliases=("completed",), takes=Takes.SWITCH, group="state", says="Finished runs."),
    Flag(name="all", takes=Takes.SWITCH, group="state", says="Open and finished runs."),
    _AUTO,
    _MANUAL,
    Flag(name="status", takes=Takes.WORDS, shown="failed,…", says="Runs in one of these states or outcomes."),
    _SINCE,
    _UNTIL,
    Flag(name="older-than", takes=Takes.AGE, shown="30d", says="Created longer ago than that."),
    Flag(name="closed-since", takes=Takes.WHEN, says="Finished at that time or later."),
    Flag(name="closed-until", takes=Takes.WHEN, whole_day=True, says="Finished until then; a day counts to its end."),
    Flag(name="in", aliases=("connection",), shown="CONNECTION", says="In this connection only."),
    Flag(name="project", shown="ID|NAME", says="In this project, by number or name."),
    Flag(name="milestone", takes=Takes.WORDS, says="Of these milestones, by number or name."),
    Flag(name="config", takes=Takes.WORDS, aliases=("configuration",), says="With these configurations."),
    Flag(name="source", takes=Takes.WORDS, says="Automation runs of these sources."),
    Flag(name="suite", takes=Takes.WORDS, says="Of these test suites."),
    Flag(name="state", takes=Takes.WORDS, aliases=("workflow",), says="In these workflow states."),
    Flag(name="refs", shown="ID", says="With this reference (a requirement or an issue)."),
    Flag(
        name="tag", takes=Takes.WORDS, aliases=("tags",), excludes=True, says="With one of these tags; -tag: without."
    ),
    Flag(name="by", takes=Takes.PEOPLE, shown="@user|me", aliases=("created-by",), says="Created by these people."),
    Flag(name="set-filter", shown="ID", says="Test sets of this PractiTest filter."),
    Flag(name="set-filter-user", takes=Takes.PERSON, says="Who is meant by “current user” in that filter."),
    Flag(
        name="sort",
        takes=Takes.CHOICE,
        choices=("risk", "newest", "oldest", "closed", "name"),
        says="What comes first.",
    ),
    _LIMIT,
)

_RESULTS_FLAGS = (
    Flag(name="status", takes=Takes.WORDS, shown="failed,…", says="Results with one of these outcomes."),
    Flag(name="latest", takes=Takes.SWITCH, group="which", says="Only the last result of each test."),
    Flag(name="all", takes=Takes.SWITCH, group="which", says="Every result of each test."),
    _SINCE,
    _UNTIL,
    Flag(name="by", takes=Takes.PEOPLE, shown="@user|me", aliases=("created-by",), says="Reported by these people."),
    _OWNER,
    Flag(name="defects", shown="ID", says="With this defect."),
    Flag(name="test", takes=Takes.WORDS, says="Of these tests, by number or name."),
    Flag(name="instance", takes=Takes.WORDS, says="Of these PractiTest instances, by number."),
    _AUTO,
    _MANUAL,
    Flag(name="sort", takes=Takes.CHOICE, choices=("newest", "oldest"), says="What comes first."),
    _LIMIT,
)

#: Flags of `list` that do not choose what to close: only open runs can be, and their order does not matter.
_NO_FILTERS = frozenset(
    ("open", "closed", "all", "closed-since", "closed-until", "set-filter", "set-filter-user", "sort", "limit")
)
_CLOSE_FLAGS = (
    *(replace(flag, picks="which") for flag in _LIST_FLAGS if flag.name not in _NO_FILTERS),
    replace(_LIMIT, picks="how many", says="At most so many runs."),
    Flag(name="dry-run", takes=Takes.SWITCH, says="Only say what would be closed."),
)

#: What can be reported; PractiTest calls skipped N/A, and untested NO RUN.
REPORTABLE = tuple(word.value for word in Outcome if word not in (Outcome.RUNNING, Outcome.OTHER))
REPORTED_AS: Mapping[str, str] = {"n/a": "skipped", "na": "skipped", "no run": "untested", "not run": "untested"}
_OUTCOME = Flag(
    name="outcome",
    takes=Takes.CHOICE,
    choices=REPORTABLE,
    synonyms=tuple(REPORTED_AS.items()),
    whole=True,
    is_word=True,
    says="What became of the test.",
)
_CASES = Flag(name="cases", takes=Takes.NUMBERS, shown="1,2,4-8", says="Only these cases, by number.")
_LINK_NAME = Flag(name="name", says="What the link is called.")
_URL = Flag(name="url", takes=Takes.LINK, is_word=True, says="The web address.")
_FIELD = Flag(name="field", takes=Takes.PAIRS, says="A field and its value; may be given several times.")

_ALLOW_SLOTS = (
    Flag(
        name="verb",
        takes=Takes.CHOICE,
        choices=(*ALLOWABLE, EVERY),
        synonyms=(("complete", "close"),),
        whole=True,
        is_word=True,
        says="What may be done.",
    ),
    Flag(name="who", takes=Takes.GRANTEE, is_word=True, says="Who may do it."),
    Flag(name="channel", takes=Takes.CHANNEL, is_word=True, says="Where; everywhere if it is left out."),
)
_ALLOW_NOTES = (
    f"VERB is one of {', '.join(ALLOWABLE)}, or all. Deleting stays with admins.",
    "Without a channel it holds everywhere.",
    "Pick people, groups and channels from what Slack suggests while you type.",
    "Only admins of this workspace and of Rundown may do this.",
)

_DIGEST_NAME = Flag(name="name", is_word=True, says="What the digest is called here.")
_DIGEST_FLAGS = (
    Flag(name="at", shown="09:00", says="At this time of day; several with commas between them."),
    Flag(name="on", shown="mon-fri", says="On these days; every day unless told otherwise."),
    Flag(
        name="tz", aliases=("timezone",), shown="Europe/Berlin", says="In this time zone; yours unless told otherwise."
    ),
    Flag(name="cron", shown='"0 9 * * 1-5"', says="At these times, in cron's five fields."),
    *(
        flag
        for flag in _LIST_FLAGS
        if flag.name in ("auto", "manual", "in", "project", "milestone", "config", "source", "suite", "tag", "by")
    ),
    Flag(name="words", says="Only runs with these words in their names."),
    Flag(name="what", takes=Takes.WORDS, shown="failed,unfinished,stale", says="What it tells of; failed unless told."),
    Flag(
        name="if-empty",
        takes=Takes.CHOICE,
        choices=("skip", "line", "post"),
        says="What it does on a quiet day: nothing, one line, or the whole digest.",
    ),
    Flag(name="query", takes=Takes.TEXT, shown='"list --older-than 14d"', says="The answer to this command instead."),
)
_DIGEST_NOTES = (
    "The zone is that of your Slack profile unless --tz says another; the next three times are shown before it counts.",
    "Both clock changes are kept: one digest for each time of day.",
)

VERBS = (
    Verb(
        name="menu",
        says="What matters here: the context, open runs at risk, buttons.",
        usage="",
        examples=("menu", "menu --share"),
        stands_for="nothing",
        notes=("The command alone, without any words, says the same.",),
    ),
    Verb(
        name="help",
        aliases=("commands", "?"),
        says="Every command, or all about one.",
        usage="[COMMAND]",
        examples=("help", "help list"),
        words=(0, 1),
        rest=True,
    ),
    Verb(
        name="list",
        aliases=("ls",),
        says="Which runs there are: open ones unless told otherwise.",
        usage="[WORDS…] [--open|--closed|--all] [--auto|--manual] [--status failed,…] [--since WHEN] [--in CONNECTION] "
        "[--project ID|NAME] [--by @user] [--tag A,B] [-tag:A] [--sort risk|newest] [--limit N] [more flags]",
        examples=("list --status failed --since 7d", "list nightly --auto --all --sort newest"),
        words=(0, ANY),
        flags=_LIST_FLAGS,
        stands_for="words",
        notes=("Words are looked for in the names of the runs.",),
    ),
    Verb(
        name="show",
        says="One run: state, counts, trend, who, when, links.",
        usage="REF",
        examples=("show R118", "show last:nightly"),
        refs=(1, 1),
        stands_for="ref",
        notes=("A reference or a pasted link alone does the same.",),
    ),
    Verb(
        name="failures",
        aliases=("failed", "fails"),
        says="What fails in a run: test, reason, link, how long it has been failing.",
        usage="REF [--owner @user] [--limit N]",
        examples=("failures A412", "failures last --owner me"),
        refs=(1, 1),
        flags=(_OWNER, _LIMIT),
    ),
    Verb(
        name="results",
        says="The single results of a run.",
        usage="REF [--status failed,…] [--latest|--all] [--since WHEN] [--by @user] [--owner @user] [more flags]",
        examples=("results R118 --status failed,blocked --latest", "results S55/98142 --since 2h"),
        refs=(1, 1),
        flags=_RESULTS_FLAGS,
    ),
    Verb(
        name="diff",
        aliases=("compare",),
        says="What is new, still failing, fixed, flaky or not run against the run before, or another one.",
        usage="REF [REF]",
        examples=("diff A412", "diff R118 R110"),
        refs=(1, 2),
    ),
    Verb(
        name="threads",
        says="The parallel threads of an automation run.",
        usage="REF",
        examples=("threads A412", "threads last"),
        refs=(1, 1),
    ),
    Verb(
        name="close",
        aliases=("complete",),
        says="Close or complete a run or a thread, or all runs that fit: a preview first, then a button.",
        usage="REF | --older-than AGE [--in CONNECTION] [--project ID|NAME] [--auto|--manual] [more flags] [--dry-run]",
        examples=("close R118", "close --older-than 30d --dry-run"),
        refs=(0, 1),
        flags=_CLOSE_FLAGS,
        notes=(
            "Nothing is changed before you press the button of the preview.",
            "Without REF the flags choose among the open runs; at least one of them is needed.",
        ),
        writes=True,
        picks=True,
    ),
    Verb(
        name="start",
        says="Start a run; without a name a form is offered.",
        usage='[NAME] [--in CONNECTION] [--source X] [--tag A,B] [--link [NAME=]URL] [--field "NAME: VALUE"] '
        "[--suite X] [--milestone X] [--cases 1,2,4-8] [--assign @user|me] [more flags]",
        examples=('start "Nightly 7" --in testmo --source nightly', 'start "Smoke 5.2" --suite 4 --cases 1,2,4-8'),
        words=(0, 1),
        rest=True,
        slots=(Flag(name="name", is_word=True, says="What the run is called."),),
        flags=(
            Flag(name="in", aliases=("connection",), shown="CONNECTION", says="In this connection."),
            Flag(name="project", shown="ID|NAME", says="In this project, by number or name."),
            Flag(name="source", says="The automation source of the run."),
            Flag(name="tag", takes=Takes.WORDS, aliases=("tags",), says="With these tags."),
            Flag(name="link", takes=Takes.LINKS, says="With this link; may be given several times."),
            _FIELD,
            Flag(name="config", aliases=("configuration",), says="With this configuration."),
            Flag(name="milestone", says="For this milestone."),
            Flag(name="suite", says="Of this test suite."),
            _CASES,
            Flag(name="assign", takes=Takes.PERSON, shown="@user|me", says="Assigned to this person."),
            Flag(name="refs", shown="ID", says="With these references (requirements or issues)."),
            Flag(name="description", takes=Takes.TEXT, says="What the run is about."),
        ),
        notes=("Nothing is started before you press the button of the preview.",),
        writes=True,
    ),
    Verb(
        name="edit",
        says="Change what a run says of itself; without flags a form is offered.",
        usage="REF [--name X] [--description TEXT] [--milestone X|none] [--cases 1,2,4-8|all] [--refs ID]",
        examples=('edit R118 --name "Release 5.2"', "edit R118 --milestone none --cases all"),
        refs=(1, 1),
        flags=(
            Flag(name="name", says="What the run is called from now on."),
            Flag(name="description", takes=Takes.TEXT, clears=True, says="What the run is about."),
            Flag(name="milestone", shown="X|none", says="For this milestone; none takes it away."),
            replace(_CASES, shown="1,2,4-8|all", choices=("all",), says="Only these cases; all means the whole suite."),
            Flag(name="refs", shown="ID", clears=True, says="With these references (requirements or issues)."),
        ),
        notes=(
            "Nothing is changed before you press the button of the preview.",
            'An empty text takes away what is there: --description "".',
        ),
        writes=True,
    ),
    Verb(
        name="note",
        says="Put a note on a run, beside what is there; without a text a form is offered.",
        usage="REF [TEXT…]",
        examples=("note R118 Login fails on staging only", "note A412/3 Runner ran out of disk"),
        refs=(1, 1),
        words=(0, 1),
        rest=True,
        slots=(Flag(name="text", takes=Takes.TEXT, is_word=True, says="The note."),),
        notes=("The text is kept as you write it, line by line.",),
        writes=True,
    ),
    Verb(
        name="link",
        says="Put a link on a run; without a URL, the link of the thread you are in.",
        usage="REF [URL] [--name X]",
        examples=("link R118 https://ci.example.org/builds/7", "link A412 https://ci.example.org/7 --name Build"),
        refs=(1, 1),
        words=(0, 1),
        slots=(_URL,),
        flags=(_LINK_NAME,),
        writes=True,
    ),
    Verb(
        name="attach",
        says="Put an artifact (a report, a log) on a run by its link.",
        usage="REF [URL] [--name X]",
        examples=("attach A412 https://ci.example.org/7/log.txt", "attach A412/3 https://x.io/a.zip --name Screens"),
        refs=(1, 1),
        words=(0, 1),
        slots=(_URL,),
        flags=(_LINK_NAME,),
        writes=True,
    ),
    Verb(
        name="report",
        says="Report results of tests in a run; without an outcome a form is offered.",
        usage='REF [OUTCOME] [--test "NAME[: OUTCOME]"] [--instance 1,2,3] [--note TEXT] [--duration 00:05:00|5m] '
        '[--step "NAME: OUTCOME"] [more flags]',
        examples=(
            'report S55/98142 failed --note "Times out" --duration 5m',
            'report A412 --test "Login: passed" --test "Pay: failed"',
        ),
        refs=(1, 1),
        words=(0, 1),
        slots=(_OUTCOME,),
        flags=(
            Flag(name="test", takes=Takes.TESTS, says="This test, perhaps with its own outcome; may be repeated."),
            Flag(name="instance", takes=Takes.NUMBERS, shown="1,2,3", says="These PractiTest instances, by number."),
            Flag(name="note", takes=Takes.TEXT, says="What there is to say about it."),
            Flag(name="duration", takes=Takes.DURATION, shown="00:05:00|5m|90s", says="How long it took."),
            Flag(name="step", takes=Takes.STEPS, says="A step and its outcome; may be given several times."),
            Flag(name="version", says="The version that was tested."),
            _FIELD,
            Flag(name="by", takes=Takes.PERSON, shown="@user|me", says="Who ran the test."),
            Flag(name="folder", says="The folder of a new test."),
            Flag(name="file", takes=Takes.LINES, hidden=True, says="A file of Slack, by its id."),
        ),
        notes=(
            f"OUTCOME is one of {', '.join(REPORTABLE)}, n/a.",
            "Without OUTCOME the worst of the steps counts.",
        ),
        writes=True,
    ),
    Verb(
        name="delete",
        says="Delete a run with all its results, for good: a preview first, then its name has to be typed.",
        usage="REF",
        examples=("delete R118", "delete testrail:R118"),
        refs=(1, 1),
        notes=("Only admins may, and only TestRail can.",),
        writes=True,
    ),
    Verb(
        name="allow",
        says="Let a person or a user group change runs, in one channel or everywhere.",
        usage="VERB @user|@group [#channel]",
        examples=("allow close <@U024BE7LH> <#C024BE7LH>", "allow report <!subteam^S024BE7LH>"),
        words=(2, 3),
        slots=_ALLOW_SLOTS,
        notes=_ALLOW_NOTES,
        writes=True,
    ),
    Verb(
        name="deny",
        says="Forbid a person or a user group to change runs, whatever else allows it.",
        usage="VERB @user|@group [#channel]",
        examples=("deny close <@U024BE7LH>", "deny all <!subteam^S024BE7LH> <#C024BE7LH>"),
        words=(2, 3),
        slots=_ALLOW_SLOTS,
        notes=_ALLOW_NOTES,
        writes=True,
    ),
    Verb(
        name="allow list",
        aliases=("deny list",),
        says="Who may change what, and whom to ask for more.",
        usage="",
        examples=("allow list", "deny list"),
        private=True,
    ),
    Verb(
        name="audit",
        says="Who did what to which run, with the counts before and after.",
        private=True,
        usage="[--last N] [--verb X] [--by @user|me] [--run REF] [--since WHEN] [--status X] [--csv]",
        examples=("audit --last 50 --verb close", "audit --run R118 --status failed"),
        flags=(
            Flag(name="last", takes=Takes.NUMBER, most=500, says="So many; 20 unless told otherwise."),
            Flag(
                name="verb",
                takes=Takes.CHOICE,
                shown="X",
                choices=(*WRITES, "allow", "deny"),
                synonyms=(("complete", "close"),),
                says="Only changes by this command.",
            ),
            Flag(name="by", takes=Takes.PERSON, shown="@user|me", says="Only changes by this person."),
            Flag(name="run", takes=Takes.REF, says="Only changes of this run."),
            Flag(name="since", takes=Takes.WHEN, says="Asked for at that time or later."),
            Flag(
                name="status",
                takes=Takes.CHOICE,
                shown="X",
                choices=tuple(ended.name.lower() for ended in Ended),
                synonyms=((Ended.DOUBT.value, Ended.DOUBT.name.lower()),),
                says="Only what ended like that.",
            ),
            Flag(name="csv", takes=Takes.SWITCH, says="As a file."),
        ),
        notes=(f"--status is one of {', '.join(ended.name.lower() for ended in Ended)}.",),
    ),
    Verb(
        name="digest add",
        says="Post a digest of failed automation runs in this channel; without a name or a time a form is offered.",
        usage="[NAME] --at 09:00 [--on DAYS] [--tz ZONE] | --cron X [--in CONNECTION] [--project ID|NAME] "
        "[--source X] [--tag A,B] [--what failed,unfinished,stale] [--if-empty skip|line|post] [more flags]",
        examples=(
            "digest add nightly --at 09:00 --on mon-fri",
            'digest add weekly --cron "0 9 * * 1" --what failed,stale',
        ),
        words=(0, 1),
        slots=(_DIGEST_NAME,),
        flags=_DIGEST_FLAGS,
        notes=_DIGEST_NOTES,
        writes=True,
        settings=True,
    ),
    Verb(
        name="digest list",
        aliases=("digests", "digest"),
        says="The digests of this channel: when, about what, whose, and when they come next.",
        usage="",
        examples=("digest list", "digest list --share"),
    ),
    Verb(
        name="digest show",
        says="One digest: its next times, what it tells, and what became of the last ones.",
        usage="NAME",
        examples=("digest show nightly", "digest show weekly"),
        words=(1, 1),
        slots=(_DIGEST_NAME,),
    ),
    Verb(
        name="digest test",
        says="What a digest would say now, to you alone.",
        usage="NAME",
        examples=("digest test nightly", "digest test weekly"),
        private=True,
        words=(1, 1),
        slots=(_DIGEST_NAME,),
    ),
    Verb(
        name="digest edit",
        says="Change a digest; without flags a form is offered.",
        usage="NAME [--rename X] [--at 09:00] [--on DAYS] [--tz ZONE] [more flags]",
        examples=("digest edit nightly --at 08:30", "digest edit weekly --if-empty skip"),
        words=(1, 1),
        slots=(_DIGEST_NAME,),
        notes=("What no flag names stays as it is; none takes a filter away, as in --source none.",),
        flags=(*_DIGEST_FLAGS, Flag(name="rename", shown="X", says="What it is called from now on.")),
        writes=True,
        settings=True,
    ),
    Verb(
        name="digest pause",
        says="Post a digest no more, until it is resumed or a day has come.",
        usage="NAME [--until 2026-12-24]",
        examples=("digest pause nightly", "digest pause nightly --until 2027-01-02"),
        words=(1, 1),
        slots=(_DIGEST_NAME,),
        flags=(
            Flag(name="until", shown="DAY", says="It goes on at that day: 2026-12-24, tomorrow, monday, 3d or 2w."),
        ),
        writes=True,
        settings=True,
    ),
    Verb(
        name="digest resume",
        says="Post a paused or parked digest again, from its next time on.",
        usage="NAME",
        examples=("digest resume nightly", "digest resume weekly"),
        words=(1, 1),
        slots=(_DIGEST_NAME,),
        writes=True,
        settings=True,
    ),
    Verb(
        name="digest remove",
        says="Take a digest away.",
        usage="NAME",
        examples=("digest remove nightly", "digest remove weekly"),
        words=(1, 1),
        slots=(_DIGEST_NAME,),
        writes=True,
        settings=True,
    ),
    Verb(
        name="here",
        says="Which connection and project hold in this channel.",
        usage="",
        examples=("here", "here --share"),
    ),
    Verb(
        name="use",
        says="Choose this channel's connection and project, so that they need not be typed.",
        usage="CONNECTION PROJECT",
        examples=("use testrail 1", "use testmo Webshop"),
        words=(2, 2),
        rest=True,
        notes=("The project is given by number or name.",),
    ),
    Verb(
        name="whoami",
        says="Who you are in each system.",
        usage="",
        examples=("whoami",),
        private=True,
    ),
    Verb(
        name="version",
        says="Which version this is, and what it is connected to.",
        usage="",
        examples=("version", "version --share"),
    ),
)

#: A message that only greets is answered with help; one that goes on is read from there on.
GREETINGS = frozenset({"hi", "hello", "hey"})


@dataclass(frozen=True, slots=True)
class Planned:
    """A verb that people will try and that is not there. `does` ends “This version of Rundown does not … yet”.

    `instead` is the way to it today; `whole` is said in place of the sentence.
    """

    does: str
    instead: str
    whole: str = ""


#: What is said of every verb that changes something where Rundown only reads.
READ_ONLY = Planned(
    "change anything",
    "Open the run in its own system; `show` has the link. Whoever set Rundown up chose this (RUNDOWN_MODE).",
    "Rundown only reads here: it changes nothing.",
)


_STATE = "Ask when you want to know: list --status failed shows the runs in which something fails."

#: Verbs of later versions. An entry of the same name in a grammar's own table goes before.
PLANNED: Mapping[str, Planned] = {
    "watch": Planned("watch runs", _STATE),
    "mute": Planned("mute runs", "There is nothing to mute: Rundown only says what somebody asked it or did with it."),
    "iam": Planned("take your word for who you are", "It knows you by your email address: whoami shows as whom."),
    "doctor": Planned(
        "examine itself in Slack", "Type version to see what it is connected to; its admins can run rundown check."
    ),
}
