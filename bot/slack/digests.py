"""digest add, list, show, edit, test, pause, resume, remove: what a channel is told every day, and when."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from difflib import get_close_matches
from typing import Protocol, cast
from zoneinfo import ZoneInfo

from bot.domain.digests import DigestPlan, IfEmpty, PlanLook, Slot, Timing, What
from bot.domain.errors import AskError, NotFoundError
from bot.domain.queries import RunQuery
from bot.postman import ReturnPath
from bot.presenters import messages
from bot.presenters.message import Message
from bot.slack.desk import Answer, Asking, Desk
from bot.slack.grammar_command import Command
from bot.slack.grammar_queries import automated, run_query
from bot.slack.people import Member
from bot.timetable import slots, timing
from bot.usecases.ports import Outbox, Plans
from bot.usecases.systems import target, targets

#: What a digest may tell of.
WHATS = ("failed", "unfinished", "stale")
#: The most digests of a channel, and messages that `digest show` tells of.
MOST, SHOWN = 20, 5
#: A pause without an end.
FOR_EVER = datetime(9000, 1, 1, tzinfo=UTC)
#: Verbs that only read runs, and so can be scheduled.
_SCHEDULABLE = frozenset({"list", "show", "failures", "results", "diff", "threads", "menu", "audit"})


#: Opens the form of a command, for a plan that is there or none; returns whether it did.
OpenForm = Callable[[Command, ReturnPath, str, DigestPlan | None], Awaitable[bool]]


class Waiting(Protocol):
    """What wakes for plans."""

    def changed(self, plan: DigestPlan) -> None: ...
    def removed(self, plan_id: str) -> None: ...
    def next_of(self, plan_id: str) -> Slot | None: ...


class DigestDesk:
    """Answers the verbs about digests. `test` tells what a plan would say now."""

    def __init__(
        self,
        desk: Desk,
        *,
        plans: Plans,
        outbox: Outbox,
        waiting: Waiting,
        test: Callable[[DigestPlan, Slot], Awaitable[Message | None]],
    ) -> None:
        self._world = desk.world
        self._plans = plans
        self._outbox = outbox
        self._waiting = waiting
        self._test = test
        self.open_form: OpenForm | None = None
        for verb, answer in (
            ("add", self.add),
            ("list", self.list),
            ("show", self.show),
            ("test", self.test),
            ("edit", self.edit),
            ("pause", self.pause),
            ("resume", self.resume),
            ("remove", self.remove),
        ):
            desk.feature(f"digest {verb}", answer)

    async def add(self, asking: Asking) -> Answer:
        """A new plan; its next three times are told, so that a wrong zone is seen at once."""
        command, asker = asking.command, asking.asker
        member = await self._member(asking)
        if not command.word("at") and not command.word("cron"):
            return await self._ask_for_rest(asking, None)
        if len(await self._plans.of(asker.place.team, asker.place.channel)) >= MOST:
            raise AskError(
                f"This channel has {MOST} digests already.", why="That is the most.", fix="Remove one first."
            )
        plan = DigestPlan(
            id=secrets.token_hex(6),
            team=asker.place.team,
            channel=asker.place.channel,
            name=command.words[0],
            owner=asker.user,
            owner_name=member.name,
            timing=timing(
                at=command.word("at"),
                on=command.word("on"),
                cron=command.word("cron"),
                zone=command.word("tz") or member.tz,
            ),
            made_at=self._world.now(),
        )
        plan = await self._filled(plan, asking)
        if not await self._plans.add(plan):
            raise AskError(
                f"There is a digest “{plan.name}” here already.",
                why="Names are unique in a channel.",
                fix="Take another name, or change that one.",
                closest=(f"digest edit {plan.name}", f"digest show {plan.name}"),
            )
        self._waiting.changed(plan)
        return Answer(messages.digest_planned(self._look(plan, member.tz), now=self._world.now()), to_all=True)

    async def _ask_for_rest(self, asking: Asking, plan: DigestPlan | None) -> Answer:
        """The form, where Slack gave us a way to open it; else words that say what is lacking."""
        question, command = asking.question, asking.command
        if question.trigger and self.open_form is not None:
            opened = await self.open_form(command, question.back, question.trigger, plan)
            if opened:
                return Answer(messages.working("the form"), silent=True)
        name = command.words[0]
        if plan is not None:
            raise AskError(
                "What should change?",
                why="No flag says it.",
                fix="Say it, for example --at 08:30.",
                closest=(f"digest edit {name} --at 09:00",),
            )
        raise AskError(
            "When should it come?",
            why="A digest needs a time of day.",
            fix="Say --at 09:00, with --on mon-fri if not every day.",
            closest=(f"digest add {name} --at 09:00 --on mon-fri",),
        )

    async def _filled(self, plan: DigestPlan, asking: Asking) -> DigestPlan:
        """The plan with what the command says of runs, looked up now so that mistakes are told now."""
        command = asking.command
        unknown = [word for word in command.several("what") if word not in WHATS]
        if unknown:
            raise AskError(
                f"A digest can't tell of “{unknown[0]}”.",
                why=f"It tells of {', '.join(WHATS)}.",
                fix="Name some of these, with commas between them.",
                closest=tuple(f"help {command.verb}" for _ in get_close_matches(unknown[0], WHATS, 1)),
            )
        if command.word("query"):
            return replace(plan, ask=self._asked(command.word("query")), typed=command.text())
        connection, project = command.word("in"), command.word("project")
        if asking.context is not None and not connection and not project and not plan.connection:
            connection, project = asking.context.connection, str(asking.context.project)
        if connection or project or not plan.typed:
            found, _ = await targets(self._world.systems, asking.context, connection=connection, project=project)
            if connection and len(found) == 1:
                await target(found[0].connection, None, str(found[0].project.id))
            plan = replace(
                plan,
                connection=connection,
                project=str(found[0].project.id) if project and len(found) == 1 else project,
            )
        query = run_query(command, people=await asking.people())
        query = replace(query, state="all", words=tuple(command.word("words").split()), at_most=None)
        whats = cast("tuple[What, ...]", tuple(word for word in WHATS if word in command.several("what")))
        return replace(
            plan,
            query=query if query != _NO_QUERY else plan.query,
            automated=automated(command) if automated(command) is not None else plan.automated,
            what=whats or plan.what,
            if_empty=cast("IfEmpty", command.word("if-empty") or plan.if_empty),
            words=_words(command) or plan.words,
            typed=command.text(),
        )

    def _asked(self, text: str) -> str:
        """The canonical words of a command that can be scheduled. Raises GrammarError, AskError."""
        asked = self._world.grammar.parse(text, now=self._world.now())
        if asked.verb not in _SCHEDULABLE:
            raise AskError(
                f"`{asked.verb}` can't be scheduled.",
                why="Only commands that read runs can.",
                fix=f"Schedule one of {', '.join(sorted(_SCHEDULABLE))}.",
                closest=("help digest add",),
            )
        return asked.text()

    async def list(self, asking: Asking) -> Answer:
        asker = asking.asker
        member = await self._world.people.member(asker.user)
        plans = await self._plans.of(asker.place.team, asker.place.channel)
        looks = tuple(self._look(plan, member.tz, most=1) for plan in plans)
        return Answer(messages.digest_plans(looks, now=self._world.now(), page=asking.command.page))

    async def show(self, asking: Asking) -> Answer:
        plan = await self.named(asking)
        member = await self._world.people.member(asking.asker.user)
        look = replace(self._look(plan, member.tz), sent=await self._outbox.about(plan.id, most=SHOWN))
        return Answer(messages.digest_plan(look, now=self._world.now()))

    async def test(self, asking: Asking) -> Answer:
        """What it would say now, for the asker alone; nothing is kept, and the next one tells the same again."""
        plan = await self.named(asking)
        now = self._world.now()
        message = await self._test(plan, Slot(f"{now:%Y-%m-%dT%H:%M}", now))
        return Answer(message or messages.digest_silent(plan), to_asker=True)

    async def edit(self, asking: Asking) -> Answer:
        command = asking.command
        plan = await self.named(asking)
        member = await self._member(asking)
        if not command.flags:
            return await self._ask_for_rest(asking, plan)
        changed = await self._filled(plan, asking)
        if any(command.word(flag) for flag in ("at", "on", "cron", "tz")):
            changed = replace(changed, timing=self._retimed(plan, command))
        if command.word("rename"):
            changed = replace(changed, name=command.word("rename"))
        return await self._change(changed, member.tz)

    def _retimed(self, plan: DigestPlan, command: Command) -> Timing:
        """The plan's times with what the command says in place of what it said before."""
        old = plan.timing
        zone = command.word("tz") or old.zone
        if command.word("cron"):
            return timing(cron=command.word("cron"), zone=zone)
        at, on = command.word("at"), command.word("on")
        if not at and not on:
            return timing(cron=old.cron, zone=zone) if " at " not in old.said else timing(**_parts(old.said), zone=zone)
        parts = _parts(old.said) if " at " in old.said else {"at": "09:00", "on": ""}
        return timing(at=at or parts["at"], on=on or parts["on"], zone=zone)

    async def pause(self, asking: Asking) -> Answer:
        plan = await self.named(asking)
        member = await self._member(asking)
        until = self._day(asking.command.word("until"), plan.timing.zone)
        return await self._change(replace(plan, paused_until=until), member.tz)

    def _day(self, text: str, zone: str) -> datetime:
        """The beginning of a day in the plan's zone. Raises AskError."""
        if not text:
            return FOR_EVER
        try:
            day = datetime.combine(date.fromisoformat(text), datetime.min.time(), ZoneInfo(zone)).astimezone(UTC)
        except (ValueError, OverflowError):
            raise AskError(
                f"“{text}” is no day.", why="--until takes a day.", fix="Write it like 2026-12-24.", closest=()
            ) from None
        if day <= self._world.now():
            raise AskError(
                f"{text} is not in the future.", why="A pause ends later.", fix="Name a later day, or leave it out."
            )
        return day

    async def resume(self, asking: Asking) -> Answer:
        plan = await self.named(asking)
        member = await self._member(asking)
        return await self._change(replace(plan, paused_until=None, parked=""), member.tz)

    async def remove(self, asking: Asking) -> Answer:
        plan = await self.named(asking)
        await self._member(asking)
        await self._plans.remove(plan.id)
        self._waiting.removed(plan.id)
        return Answer(messages.digest_removed(plan, asking.asker.user), to_all=True)

    async def _change(self, plan: DigestPlan, reader_zone: str) -> Answer:
        if not await self._plans.change(plan):
            raise AskError(
                f"The digest “{plan.name}” could not be changed.",
                why="It is gone, or another one here has that name.",
                fix="List them.",
                closest=("digest list",),
            )
        self._waiting.changed(plan)
        return Answer(messages.digest_planned(self._look(plan, reader_zone), now=self._world.now()), to_all=True)

    async def named(self, asking: Asking) -> DigestPlan:
        """The plan of that name in this channel. Raises NotFoundError with the closest."""
        place, name = asking.asker.place, asking.command.words[0]
        plans = await self._plans.of(place.team, place.channel)
        for plan in plans:
            if plan.name.casefold() == name.casefold():
                return plan
        names = {plan.name.casefold(): plan.name for plan in plans}
        near = get_close_matches(name.casefold(), names, 3, 0.5)
        raise NotFoundError(
            f"There is no digest “{name}” here.",
            why=f"This channel has {', '.join(names.values())}." if names else "This channel has none.",
            fix="Name one of them." if names else "Make one with `digest add`.",
            closest=tuple(names[each] for each in near) or ("digest list",),
            instead_of=name if near else "",
        )

    async def _member(self, asking: Asking) -> Member:
        """Whoever asks, if they may make digests here: not guests, nor people of other workspaces."""
        member = await self._world.people.member(asking.asker.user)
        if member.role in ("guest", "outsider", "bot"):
            raise AskError(
                "Guests can't change a channel's digests.",
                why="Everybody in the channel reads them.",
                fix="Ask a member of this workspace.",
                closest=("digest list",),
            )
        return member

    def _look(self, plan: DigestPlan, reader_zone: str, most: int = 3) -> PlanLook:
        after = max(self._world.now(), plan.paused_until or self._world.now())
        coming = (
            () if plan.parked or after >= FOR_EVER - timedelta(days=1) else slots(plan.timing, after=after, most=most)
        )
        return PlanLook(plan, coming, reader_zone)


_NO_QUERY = RunQuery(state="all")


def _parts(said: str) -> dict[str, str]:
    on, _, at = said.rpartition(" at ")
    return {"at": at, "on": on}


def _words(command: Command) -> str:
    """The filters in words."""
    said = []
    for name, value in command.flags:
        if name in ("at", "on", "tz", "cron", "what", "if-empty", "query", "rename"):
            continue
        text = (
            ", ".join(value)
            if isinstance(value, tuple)
            else ""
            if value is True
            else str(getattr(value, "text", value))
        )
        said.append(f"{name.lstrip('-')} {'not ' if name.startswith('-') else ''}{text}".strip())
    return " · ".join(said)
