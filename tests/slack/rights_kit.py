"""Who may change what, as a table written for people: the oracle of the tests of rights, and the town they happen in.

Nothing here asks the bot's own rules: the roles say in plain words what they may, and made-up people may what their
own few rules say.
"""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from bot.sandbox.slack import Message
from tests.slack.front_door_kit import Town

HERE, ELSEWHERE, DIRECT, PARTNERS = "#release", "#checkout", "a direct message", "#partners"
PLACES = (HERE, ELSEWHERE, DIRECT)

#: Verb → the same attempt in each system that has it. All of these are only previews.
ATTEMPTS: dict[str, tuple[str, ...]] = {
    "close": ("close testmo:A415", "complete testrail:R118", "close testrail:P9"),
    "start": ("start Smoke --in testmo --source nightly", "start Smoke --in testrail --suite 4"),
    "edit": ("edit testrail:R118 --name Smoke",),
    "note": ("note testmo:A415 looked at it", "note testrail:R118 looked at it"),
    "link": ("link testmo:A415 https://ci.example.org/7", "link testrail:R118 https://ci.example.org/7"),
    "attach": ("attach testmo:A415 https://ci.example.org/log.txt",),
    "report": ("report testmo:A415 passed --test Login", "report S55/98142 passed"),
    "delete": ("delete testrail:R118",),
    "allow": ("allow note @max",),
    "deny": ("deny note @max",),
}
VERBS = tuple(ATTEMPTS)
CHANGES = tuple(verb for verb in VERBS if verb not in ("allow", "deny"))
#: What rules can be made of.
ALLOWABLE = tuple(verb for verb in CHANGES if verb != "delete")

Where = Literal["#release", "#checkout", ""]


@dataclass(frozen=True, slots=True)
class Rule:
    """`allow VERB @whom WHERE`, or deny; `whom` is a handle, an empty `where` is everywhere."""

    may: bool
    verb: str
    whom: str
    where: str = ""

    @property
    def command(self) -> str:
        return f"{'allow' if self.may else 'deny'} {self.verb} @{self.whom} {self.where}".rstrip()


@dataclass(frozen=True, slots=True)
class Somebody:
    """One person of the matrix. `rules` are those that mean them, by their name or their group's."""

    role: str
    handle: str
    everything: bool = False
    never: str = ""
    rules: tuple[Rule, ...] = ()
    places: tuple[str, ...] = PLACES


@dataclass(frozen=True, slots=True)
class Cell:
    """One attempt. `refusal` is what it must be answered with, empty where it is allowed."""

    who: Somebody
    verb: str
    text: str
    where: str
    refusal: str = field(default="", compare=False)


def refusal(who: Somebody, verb: str, where: str) -> str:
    """What somebody is told who may not do it; empty for who may."""
    if who.never:
        return who.never
    if who.everything:
        return ""
    if verb in ("delete", "allow", "deny"):
        return f"Only admins may {verb}."
    fitting = [rule for rule in who.rules if rule.verb in (verb, "all") and rule.where in ("", where)]
    if any(not rule.may for rule in fitting):
        return "The rule: deny"
    return "" if fitting else "An admin has to allow it."


def cells(people: Iterable[Somebody]) -> list[Cell]:
    """Everything that everybody could try, everywhere they are."""
    return [
        Cell(who, verb, text, where, refusal(who, verb, where))
        for who in people
        for where in who.places
        for verb, texts in ATTEMPTS.items()
        for text in texts
    ]


GUESTS, STRANGERS = "Guests never change runs.", "Runs are shown to members of this workspace only."
#: Whom the settings name: a member by id, one by address, a guest, somebody of another workspace.
SETTINGS = {"RUNDOWN_ADMINS": "U0TOM00002, Lea@Acme.example, u0gus00005, U0OLGA0006"} | {
    f"{system}_PER_MINUTE": "60000" for system in ("TESTMO", "TESTRAIL", "PRACTITEST")
}


def populate(here: Town, *, chance: random.Random, made_up: int = 0) -> list[Somebody]:
    """Hire one of each role, and so many people whose rules are left to chance. The rules are still to be made."""
    slack = here.slack
    everywhere = [HERE, ELSEWHERE]

    def hire(role: Literal["member", "owner", "guest", "single-channel guest"] = "member") -> str:
        return slack.hire(1, *(everywhere[:1] if role.startswith("single") else everywhere), role=role)[0].handle

    def member(role: str, *rules: tuple[bool, str, str]) -> Somebody:
        handle = hire()
        return Somebody(role, handle, rules=tuple(Rule(may, verb, handle, where) for may, verb, where in rules))

    grouped, barred, outvoted = hire(), hire(), hire()
    slack.add_group("testers", [grouped, barred])
    slack.add_group("interns", [outvoted])
    by_group = Rule(True, "all", "testers")
    people = [
        Somebody("owner", hire("owner"), everything=True),
        Somebody("admin of the workspace", "ana", everything=True),
        Somebody("admin by id", "tom", everything=True),
        Somebody("admin by address", "lea", everything=True),
        Somebody("guest whom the settings name", "gus", never=GUESTS),
        Somebody("guest", hire("guest"), never=GUESTS),
        Somebody("guest of one channel", hire("single-channel guest"), never=GUESTS, places=(HERE, DIRECT)),
        Somebody("outsider whom the settings name", "olga", never=STRANGERS, places=(PARTNERS,)),
        member("plain member"),
        member("member allowed here", (True, "all", HERE)),
        member("member allowed elsewhere", (True, "all", ELSEWHERE)),
        member("member allowed everywhere", (True, "all", "")),
        member("member allowed one verb", (True, "close", "")),
        member("member denied one verb", (True, "all", ""), (False, "close", "")),
        member("member denied in one place", (True, "all", ""), (False, "all", HERE)),
        Somebody("member by their group", grouped, rules=(by_group,)),
        Somebody("member denied though their group may", barred, rules=(by_group, Rule(False, "all", barred))),
        Somebody(
            "member allowed though their group may not",
            outvoted,
            rules=(Rule(True, "all", outvoted), Rule(False, "all", "interns")),
        ),
    ]
    for number in range(made_up):
        rules = {
            (chance.choice((*ALLOWABLE, "all")), chance.choice(("", HERE, ELSEWHERE))): chance.random() < 0.6
            for _ in range(chance.randint(1, 4))
        }
        people.append(member(f"made up {number}", *((may, verb, where) for (verb, where), may in rules.items())))
    return people


async def make_rules(here: Town, people: Iterable[Somebody]) -> None:
    """Type every rule, as an admin."""
    for rule in dict.fromkeys(rule for somebody in people for rule in somebody.rules):
        assert "from now on" in here.words(await here.ask(rule.command)), rule


async def attempt(here: Town, cell: Cell) -> Message:
    """Type it, as that person and in that place; the answer, which is for them alone."""
    slack, handle = here.slack, cell.who.handle
    where = slack.direct(handle) if cell.where == DIRECT else cell.where
    delivery = await slack.command(handle, where, "/runs", cell.text, foreign=cell.where == PARTNERS)
    assert delivery.acked, cell
    me = slack.person(handle).id
    return await slack.next_message(lambda said: said.only_for == me and "ooking" not in said.text, timeout_s=30)


def writes(here: Town) -> list[str]:
    """Every call to a test system that was more than reading; TestRail's `soft=1` only counts what would be lost."""
    return [
        f"{call.method} {call.target}"
        for system in (here.testmo, here.testrail, here.practitest)
        for call in system.journal
        if call.method != "GET" and "soft=1" not in call.target
    ]


def asked_systems(here: Town) -> int:
    """How many calls the test systems have had."""
    return sum(len(system.journal) for system in (here.testmo, here.testrail, here.practitest))


async def audit_rows(here: Town, *flags: str, who: str = "ana") -> list[dict[str, str]]:
    """The audit as the file that this person is sent, a row each, newest first."""
    before = len(here.slack.state.uploads)
    delivery = await here.slack.command(who, HERE, "/runs", " ".join(("audit", "--csv", *flags)))
    assert delivery.acked
    me = here.slack.person(who).id
    await here.slack.next_message(lambda said: said.only_for == me and "rundown-audit-" in here.words(said))
    uploads = list(here.slack.state.uploads.values())[before:]
    assert len(uploads) == 1
    assert uploads[0].shares == [here.slack.direct(who).id], "sent to the asker's own direct messages"
    return list(csv.DictReader(io.StringIO((uploads[0].data or b"").decode("utf-8-sig"))))
