"""Who may change what: the rules applied to who somebody is right now, and how access is asked for and given."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from bot.domain.access import ADMINS_ONLY, ALLOWABLE, AccessRequest, Actor, Grant, Verdict, contrary, decide
from bot.domain.acts import Ended, Entry
from bot.domain.errors import AskError, NotAllowedError, RundownError
from bot.domain.model import RunRef
from bot.usecases.ports import Directory, Grants, Ledger, Place

#: What the verbs of the access rules do, for sentences.
DOES = {
    "close": "close runs",
    "start": "start runs",
    "edit": "edit runs",
    "note": "note on runs",
    "link": "link to runs",
    "attach": "attach to runs",
    "report": "report results",
    "delete": "delete runs",
    "allow": "decide who may change runs",
    "deny": "decide who may change runs",
    "all": "make every change except deleting",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """Lets people change things, or tells them why not. Nothing is remembered between two questions."""

    directory: Directory
    grants: Grants
    ledger: Ledger
    read_only: bool = False

    async def verdict(self, verb: str, place: Place, user: str) -> tuple[Actor | None, Verdict]:
        """Whether they may, there. In read mode nobody is even looked up."""
        if self.read_only:
            return None, _READ_ONLY
        actor = await self.directory.actor(place.team, user)
        if actor.rules or verb in ADMINS_ONLY:
            return actor, decide(verb, actor, place.channel, ())
        return actor, decide(verb, actor, place.channel, await self.grants.all(place.team))

    async def may(self, verb: str, place: Place, user: str) -> bool:
        """Whether they may, for what is only shown; in doubt they may not."""
        return verb in await self.among((verb,), place, user)

    async def among(self, verbs: Iterable[str], place: Place, user: str) -> frozenset[str]:
        """Those of these that they may, for what is only shown; in doubt none. Everything is asked for once."""
        if self.read_only:
            return frozenset()
        try:
            actor = await self.directory.actor(place.team, user)
            rules = () if actor.rules else await self.grants.all(place.team)
        except RundownError:
            return frozenset()
        return frozenset(verb for verb in verbs if decide(verb, actor, place.channel, rules).allowed)

    async def rules(self, place: Place, user: str) -> bool:
        """Whether they are an admin, also in read mode; in doubt they are not."""
        try:
            return (await self.directory.actor(place.team, user)).rules
        except RundownError:
            return False

    async def need(
        self, verb: str, place: Place, user: str, *, now: datetime, key: str, ref: RunRef | None = None, title: str = ""
    ) -> Actor:
        """Who they are, if they may. Raises NotAllowedError, having recorded the attempt under `key`."""
        actor, verdict = await self.verdict(verb, place, user)
        if actor is not None and verdict.allowed:
            return actor
        entry = Entry(
            key=key,
            verb=verb,
            connection=ref.connection if ref else "",
            ref=ref,
            title=title,
            who=user,
            who_name=actor.name if actor else "",
            team=place.team,
            channel=place.channel,
            thread=place.thread,
            at=now,
            outcome=Ended.REFUSED,
            ended_at=now,
            why=verdict.rule,
            told=True,
        )
        with contextlib.suppress(RundownError):  # it is refused all the same
            await self.ledger.note(entry)
        maker = await self.name(place.team, verdict.grant.by) if verdict.grant else ""
        raise not_allowed(verb, verdict, maker)

    async def name(self, team: str, user: str) -> str:
        """What somebody is called, for sentences; `an admin` in doubt."""
        try:
            return (await self.directory.actor(team, user)).name or "an admin"
        except RundownError:
            return "an admin"


_READ_ONLY = Verdict(False, "Rundown runs in read mode here and changes nothing.")


def not_allowed(verb: str, verdict: Verdict, maker: str = "") -> NotAllowedError:
    """The refusal in words. `maker` is the name of whoever made the rule that says so."""
    if verdict is _READ_ONLY:
        return NotAllowedError(
            verdict.rule,
            verb=verb,
            why="Whoever set it up chose that (RUNDOWN_MODE).",
            fix="Open the run in its own system; `show` has the link.",
        )
    if verdict.askable:
        rule = f"The rule: deny {verdict.grant.verb}, made by {maker or 'an admin'}." if verdict.grant else ""
        return NotAllowedError(
            f"You can't {DOES.get(verb, verb)} here{'' if rule else ' yet'}.",
            verb=verb,
            why=rule,
            fix="Only an admin can change that." if rule else "An admin has to allow it.",
            askable=True,
        )
    return NotAllowedError(
        f"You can't {DOES.get(verb, verb)}.", verb=verb, why=verdict.rule, fix="Ask an admin of Rundown to do it."
    )


def age(at: datetime, now: datetime) -> str:
    """How long ago that was: `a moment ago`, `5 min ago`, `3 h ago`, `2 days ago`."""
    minutes = max(0, round((now - at).total_seconds() / 60))
    if minutes < 1:
        return "a moment ago"
    if minutes < 60:
        return f"{minutes} min ago"
    if minutes < 48 * 60:
        return f"{minutes // 60} h ago"
    return f"{minutes // (24 * 60)} days ago"


async def ask_for_access(
    verb: str, command: str, *, gate: Gate, place: Place, user: str, key: str, now: datetime
) -> tuple[AccessRequest, bool]:
    """Keep a request for the admins. Also tells whether it is new; raises AskError when there is nothing to ask for."""
    if verb not in ALLOWABLE:  # nobody is offered to ask for it
        raise not_allowed(verb, Verdict(False, "Nobody can be allowed that by a rule."))
    actor, verdict = await gate.verdict(verb, place, user)
    if verdict.allowed:
        raise AskError(
            f"You may {DOES.get(verb, verb)} here already.",
            why="An admin has allowed it meanwhile.",
            fix="Try again.",
            closest=(command,) if command else (),
        )
    if actor is None or not verdict.askable:
        raise not_allowed(verb, verdict)
    request = AccessRequest(
        key=key,
        verb=verb,
        user=user,
        user_name=actor.name,
        team=place.team,
        channel=place.channel,
        at=now,
        command=command,
    )
    is_new = await gate.grants.ask(request)
    if not is_new:
        before = await gate.grants.last_request(request)
        if before is not None and before.settled == "declined":
            raise AskError(
                f"{await gate.name(place.team, before.settled_by)} has declined that.",
                why=f"You asked {age(before.at, now)}; the same can be asked for once a day.",
                fix="Talk to them; an admin can still type `allow`.",
            )
    return request, is_new


async def settle_request(
    key: str,
    settled: Literal["here", "everywhere", "declined"],
    *,
    gate: Gate,
    place: Place,
    user: str,
    now: datetime,
) -> AccessRequest:
    """Decide a request as an admin, once. Raises NotAllowedError, or AskError when it was decided before."""
    asked = await gate.grants.request(key)
    if asked is None:
        raise AskError(
            "That request is not known any more.",
            why="Requests are not kept for ever.",
            fix="Use `allow` instead.",
            closest=("help allow",),
        )
    await need_admin(gate, "allow", replace(place, team=asked.team), user, now=now, key=f"{key} {user}")
    rule = Grant(
        verb=asked.verb,
        kind="user",
        subject=asked.user,
        channel=asked.channel if settled == "here" else "",
        allow=True,
        by=user,
        at=now,
    )
    if settled != "declined" and not asked.settled:
        await need_effect(rule, gate=gate, team=asked.team, channel=asked.channel)
    done = await gate.grants.settle(key, settled, user)
    if done is None:
        before = await gate.grants.request(key) or asked
        raise AskError(
            f"{await gate.name(asked.team, before.settled_by)} has decided that already: {before.settled}.",
            why="Each request is decided once.",
            fix="Use `allow` or `deny` to change it.",
            closest=("allow list",),
        )
    if settled != "declined":
        await gate.grants.put(asked.team, rule)
    return done


async def need_effect(rule: Grant, *, gate: Gate, team: str, channel: str = "") -> None:
    """Raise AskError for a rule that would change nothing, so that nobody counts on it.

    That is one for an admin, and an allowance that a denial goes before: of the person or of a group of theirs, there
    (or, where the rule is for everywhere, in `channel`).
    """
    actor = await gate.directory.actor(team, rule.subject) if rule.kind == "user" else None
    if actor is not None and actor.rules:
        raise AskError(
            f"{actor.name or 'That person'} is an admin, so a rule for them has no effect.",
            why="Admins of this workspace and of Rundown may do everything.",
            fix="Make rules for those who are no admins.",
            closest=("allow list",),
        )
    groups = actor.groups if actor is not None else frozenset()
    denial = contrary(rule, await gate.grants.all(team), groups=groups, channel=channel)
    if denial is not None:
        who = (actor.name if actor is not None else "") or "They"
        of = "" if denial.subject == rule.subject else " for a group of theirs"
        where = " in that channel" if denial.channel else " everywhere"
        raise AskError(
            f"{who} would still not be allowed to {DOES.get(rule.verb, rule.verb)}.",
            why=f"Another rule goes first: deny {denial.verb}{of}{where}, made by {await gate.name(team, denial.by)}.",
            fix="Take that rule away in `allow list` first.",
            closest=("allow list",),
        )


async def need_admin(gate: Gate, verb: str, place: Place, user: str, *, now: datetime, key: str) -> Actor:
    """Raises NotAllowedError for everybody but admins."""
    return await gate.need(verb, place, user, now=now, key=key)
