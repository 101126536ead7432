"""The verbs people can type. The parser, `help` and the README's command table are made from this table alone.

A new verb is a new entry. A name may have two words (`digest add`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Literal


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag:
    """One flag. `says` is its sentence in help, `shown` how its value is written there.

    Of the flags of one `group` only one may be given. `excludes` allows `-name:value`. `nobody` allows `none` for a
    person. `whole_day` makes a day mean its end (for `--until`). `most` limits a number, which begins at 1.
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
    takes everything that remains. `stands_for` makes it the verb of a text without one: of an empty text, of a bare
    reference, or (only as a suggestion) of other words. A verb that `writes` must be typed in full, as must its flags.
    """

    name: str
    says: str
    usage: str
    examples: tuple[str, str]
    aliases: tuple[str, ...] = ()
    refs: tuple[int, int] = (0, 0)
    words: tuple[int, int] = (0, 0)
    rest: bool = False
    flags: tuple[Flag, ...] = ()
    notes: tuple[str, ...] = ()
    writes: bool = False
    stands_for: Literal["", "nothing", "ref", "words"] = ""


#: As many words as somebody cares to type.
ANY = 10_000

#: Every verb has these. `--page` is for buttons.
EVERYWHERE = (
    Flag(name="share", takes=Takes.SWITCH, says="Answer in public."),
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
        examples=("whoami", "whoami --share"),
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
    """A verb that people will try and this version lacks. `does` ends “This version of Rundown does not …”.

    `instead` is the way to it today; empty where that is the run's own page.
    """

    does: str
    instead: str = ""


_STATE = "Ask when you want to know: list --status failed shows the runs in which something fails."
_RIGHTS = "Nothing has to be allowed: Rundown only reads, and everybody of this workspace may ask."

#: Verbs of later versions. An entry of the same name in a grammar's own table goes before.
PLANNED: Mapping[str, Planned] = {
    "close": Planned("close runs"),
    "complete": Planned("complete runs"),
    "start": Planned("start runs"),
    "edit": Planned("edit runs"),
    "note": Planned("put notes on runs"),
    "link": Planned("put links on runs"),
    "attach": Planned("attach anything to runs"),
    "report": Planned("report results"),
    "delete": Planned("delete runs"),
    "digest": Planned("post digests", _STATE),
    "watch": Planned("watch runs", _STATE),
    "mute": Planned("mute runs", "There is nothing to mute: Rundown only speaks when it is asked."),
    "allow": Planned("have permissions", _RIGHTS),
    "deny": Planned("have permissions", _RIGHTS),
    "iam": Planned("take your word for who you are", "It knows you by your email address: whoami shows as whom."),
    "audit": Planned("keep an audit", "Rundown changes nothing; each system's own pages tell who changed what there."),
    "doctor": Planned(
        "examine itself in Slack", "Type version to see what it is connected to; its admins can run rundown check."
    ),
}
