"""Who may change what: denied until allowed. Pure rules over values; asked anew at every click."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from bot.domain.acts import WRITES

Role = Literal["owner", "admin", "member", "guest", "outsider", "bot"]

#: Verbs of changes to runs that can be allowed; deleting stays with admins.
ALLOWABLE = tuple(verb for verb in WRITES if verb != "delete")
#: Verbs that only admins have, whatever is allowed.
ADMINS_ONLY = frozenset({"delete", "allow", "deny"})
EVERY = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Somebody about to change something. `admin` tells that the settings name them; `groups` are Slack's ids."""

    user: str
    name: str
    team: str
    role: Role
    admin: bool = False
    groups: frozenset[str] = frozenset()

    @property
    def rules(self) -> bool:
        """Whether they may do everything, and allow others."""
        return self.role not in _NEVER and (self.admin or self.role in ("owner", "admin"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """One rule: this person or user group may (or may not) use this verb, in one channel or (empty) everywhere.

    `verb` may be `all`. `by` is the Slack id of the admin who made it.
    """

    verb: str
    kind: Literal["user", "group"]
    subject: str
    channel: str
    allow: bool
    by: str
    at: datetime

    def covers(self, verb: str, actor: Actor, channel: str) -> bool:
        fits = self.subject == actor.user if self.kind == "user" else self.subject in actor.groups
        return fits and self.verb in (verb, EVERY) and self.channel in ("", channel)


def contrary(
    rule: Grant, grants: Iterable[Grant], *, groups: frozenset[str] = frozenset(), channel: str = ""
) -> Grant | None:
    """The denial that goes before this allowance, if there is one: it would be made in vain.

    `groups` are those of the person who is allowed; a rule for everywhere is looked at in `channel`. A denial that the
    new rule takes the place of is none.
    """
    if not rule.allow:
        return None
    for each in grants:
        same = each.subject == rule.subject or (each.kind == "group" and each.subject in groups)
        there = each.verb in (rule.verb, EVERY) and each.channel in ("", rule.channel or channel)
        replaced = (each.verb, each.subject, each.channel) == (rule.verb, rule.subject, rule.channel)
        if not each.allow and same and there and not replaced:
            return each
    return None


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether it may be done, and the rule that says so. `askable` tells that an admin could allow it."""

    allowed: bool
    rule: str
    askable: bool = False
    grant: Grant | None = None


_NEVER: dict[str, str] = {
    "guest": "Guests never change runs.",
    "outsider": "People of other workspaces never change runs.",
    "bot": "Bots never change runs.",
}


def decide(verb: str, actor: Actor, channel: str, grants: Iterable[Grant], *, read_only: bool = False) -> Verdict:
    """Whether this person may use this verb in this channel (its id; a direct message has one too).

    Nobody may in read mode; guests, bots and people of other workspaces never may; admins may everything; then what
    was denied is denied even if something else allows it; what nobody allowed is denied.
    """
    if read_only:
        return Verdict(False, "Rundown runs in read mode here and changes nothing.")
    if actor.role in _NEVER:
        return Verdict(False, _NEVER[actor.role])
    if actor.rules:
        return Verdict(True, "admins may do everything")
    if verb in ADMINS_ONLY:
        return Verdict(False, f"Only admins may {verb}.")
    fitting = [grant for grant in grants if grant.covers(verb, actor, channel)]
    denied = next((grant for grant in fitting if not grant.allow), None)
    if denied is not None:
        return Verdict(False, f"An admin has denied you to {verb}.", askable=True, grant=denied)
    allowed = next((grant for grant in fitting if grant.allow), None)
    if allowed is not None:
        return Verdict(True, "allowed", grant=allowed)
    return Verdict(False, f"Nobody has allowed you to {verb} here.", askable=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessRequest:
    """Somebody asks to be allowed a verb where they tried it. `command` is what they tried, empty if unknown.

    `settled` is empty until an admin (`settled_by`) has decided: `here` (in that channel), `everywhere` or `declined`.
    """

    key: str
    verb: str
    user: str
    user_name: str
    team: str
    channel: str
    at: datetime
    command: str = ""
    settled: Literal["", "here", "everywhere", "declined"] = ""
    settled_by: str = ""
