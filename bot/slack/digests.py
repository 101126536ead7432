"""digest add, list, show, edit, test, pause, resume, remove: what a channel is told every day, and when."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from difflib import get_close_matches
from typing import Any, Protocol, cast
from zoneinfo import ZoneInfo

from bot.domain.digests import DigestPlan, IfEmpty, PlanLook, Slot, Timing, What
from bot.domain.errors import AmbiguousError, AskError, Choice, GrammarError, NotFoundError
from bot.domain.queries import RunQuery
from bot.domain.refs import LastRef, LinkRef, NamedRef
from bot.postman import NotSaidError, Postman, ReturnPath
from bot.presenters import messages
from bot.presenters.message import Message
from bot.slack.desk import Answer, Asking, Desk
from bot.slack.grammar_command import Command
from bot.slack.grammar_queries import automated, run_query
from bot.slack.people import Member
from bot.timetable import day_ahead, slots, timing
from bot.usecases.planning import look_up
from bot.usecases.ports import Outbox, Plans
from bot.usecases.systems import Target, targets

#: What a digest may tell of.
WHATS = ("failed", "unfinished", "stale")
#: The most digests of a channel, messages that `digest show` tells of, characters of a name.
MOST, SHOWN, LONGEST_NAME = 20, 40, 60
#: In place of a filter's value: the filter is taken away.
NONE = "none"
#: A pause without an end.
FOR_EVER = datetime(9000, 1, 1, tzinfo=UTC)
#: Verbs that only read runs and are answered for everybody, and so can be scheduled.
_SCHEDULABLE = frozenset({"list", "show", "failures", "results", "diff", "threads", "menu"})
#: References that mean the same whoever asks, wherever and whenever.
_LASTING = (NamedRef, LinkRef, LastRef)
#: Why Slack will not take a message into a channel until somebody lets us in.
_OUTSIDE = frozenset({"not_in_channel", "channel_not_found"})
#: Flags that say which runs a digest is about, and the fields of a query they fill.
_FILTERS = {
    "words": "words",
    "milestone": "milestone",
    "config": "config",
    "source": "source",
    "suite": "suite",
    "tag": "tag",
    "-tag": "without_tag",
    "by": "by",
}
_WHERE = ("in", "project")
_TIMES = ("at", "on", "cron", "tz")
#: What a digest that posts the answer to a command has no use for.
_NOT_WITH_QUERY = (*_FILTERS, *_WHERE, "auto", "manual", "what", "if-empty")


#: Opens the form of a command, for a plan that is there or none; returns whether it did.
OpenForm = Callable[[Command, ReturnPath, str, DigestPlan | None], Awaitable[bool]]


class Waiting(Protocol):
    """What wakes for plans."""

    def changed(self, plan: DigestPlan) -> None: ...
    def removed(self, plan_id: str) -> None: ...
    def next_of(self, plan_id: str) -> Slot | None: ...


class DigestDesk:
    """Answers the verbs about digests. `test` tells what a plan would say now, `postman` whether it can be posted."""

    def __init__(
        self,
        desk: Desk,
        *,
        plans: Plans,
        outbox: Outbox,
        waiting: Waiting,
        test: Callable[[DigestPlan, Slot], Awaitable[Message | None]],
        postman: Postman,
    ) -> None:
        self._world = desk.world
        self._plans = plans
        self._outbox = outbox
        self._waiting = waiting
        self._test = test
        self._postman = postman
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
        if not command.words or not (command.word("at") or command.word("cron")):
            return await self._ask_for_rest(asking, None)
        name = _name(command.words[0])
        if len(await self._plans.of(asker.place.team, asker.place.channel)) >= MOST:
            raise AskError(
                f"This channel has {MOST} digests already.", why="That is the most.", fix="Remove one first."
            )
        plan = DigestPlan(
            id=secrets.token_hex(6),
            team=asker.place.team,
            channel=asker.place.channel,
            name=name,
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
        await self._check_reach(plan.channel)
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
        """The form, where Slack gave us a way to open it; else words that say what is lacking.

        A button with the same command opens it: pressing it is a way.
        """
        question, command = asking.question, asking.command
        if question.trigger and self.open_form is not None:
            opened = await self.open_form(command, question.back, question.trigger, plan)
            if opened:
                return Answer(messages.working("the form"), silent=True)
        form = Choice("Fill in a form", command.text())
        if plan is not None:
            raise AmbiguousError(
                "What should change?",
                (_with(command, at="09:00"), form),
                why="No flag says it.",
                fix="Say it, for example --at 08:30.",
            )
        if not command.words:
            raise AmbiguousError(
                "What should it be called?",
                (form,),
                why="A digest needs a name, unique in its channel, and a time of day.",
                fix="Say both, such as digest add nightly --at 09:00.",
            )
        raise AmbiguousError(
            "When should it come?",
            (_with(command, at="09:00", on="mon-fri"), form),
            why="A digest needs a time of day.",
            fix="Say --at 09:00, with --on mon-fri if not every day.",
        )

    async def _check_reach(self, channel: str) -> None:
        """Raises AskError where a digest could not be posted: it would fail in the night, with nobody there."""
        try:
            await self._postman.find(channel, "", thread="", oldest=self._world.now().timestamp())
        except NotSaidError as error:
            if error.reason not in _OUTSIDE:
                return  # what passes by itself, or hinders reading only, is no reason to refuse
            direct = channel.startswith("D")
            raise AskError(
                "Rundown can't post here.",
                why="This is a conversation between people." if direct else "It is not in this channel.",
                fix="Make the digest in a channel, or in a direct message to Rundown."
                if direct
                else "Invite it with /invite, then ask again.",
            ) from None

    async def _filled(self, plan: DigestPlan, asking: Asking) -> DigestPlan:
        """The plan with what the command says of runs, looked up now so that mistakes are told now.

        What the command does not name stays as it is; `none` takes a filter away.
        """
        command = asking.command
        if command.word("query"):
            return self._with_query(plan, command)
        named = [f"--{name}" for name, _ in command.flags if name in _NOT_WITH_QUERY]
        if plan.ask and named:
            raise AskError(
                f"{named[0]} means nothing to “{plan.name}”.",
                why=f"It posts the answer to `{plan.ask}`.",
                fix="Say it in --query, or make another digest.",
                closest=(f"help {plan.ask.split()[0]}", f"help {command.verb}"),
            )
        changed = replace(
            plan,
            query=await _merged(plan.query, asking),
            automated=automated(command) if automated(command) is not None else plan.automated,
            what=_whats(command) or plan.what,
            if_empty=cast("IfEmpty", command.word("if-empty") or plan.if_empty),
            words=_words(plan.words, command, await asking.names()),
            typed=command.text(),
        )
        same = (changed.query, changed.automated) == (plan.query, plan.automated)
        if plan.typed and same and not any(command.word(name) for name in _WHERE):
            return changed  # a form says every filter again: nothing is looked up for those that stay
        return await self._placed(changed, asking, new=not plan.typed)

    async def _placed(self, plan: DigestPlan, asking: Asking, *, new: bool) -> DigestPlan:
        """The plan with its connection and project as they are meant now; the channel may mean others later."""
        connection, project = asking.command.word("in"), asking.command.word("project")
        context = asking.context if new else None
        if not connection and not new:
            connection, project = plan.connection, project or plan.project
        found, troubles = await targets(self._world.systems, context, connection=connection, project=project)
        await look_up(plan, found, self._world.now())
        if len(found) > 1 or troubles or not (connection or project or context):
            return replace(plan, connection=connection, project=project)
        return replace(plan, connection=found[0].connection.name, project=_project_of(found[0]))

    def _with_query(self, plan: DigestPlan, command: Command) -> DigestPlan:
        """The plan that posts the answer to a command. Raises AskError for what can't be scheduled."""
        others = [f"--{name}" for name, _ in command.flags if name in _NOT_WITH_QUERY]
        if others:
            raise AskError(
                f"--query and {others[0]} do not go together.",
                why="With --query a digest posts the answer to that command, and nothing else.",
                fix=f'Say it in the command: --query "list {others[0]} …".',
                closest=(f"help {command.verb}",),
            )
        return replace(plan, ask=self._asked(command.word("query")), typed=command.text())

    def _asked(self, text: str) -> str:
        """The canonical words of a command that can be scheduled. Raises AskError."""
        try:
            asked = self._world.grammar.parse(text, now=self._world.now())
        except GrammarError as error:
            raise NotFoundError(
                f"--query can't be asked: {error.what}",
                why=error.why,
                fix=error.fix,
                closest=tuple(each for each in error.closest if not each.startswith("help")),
                instead_of=text,
            ) from None
        if asked.verb not in _SCHEDULABLE:
            raise NotFoundError(
                f"`{asked.verb}` can't be scheduled.",
                why="Only commands that read runs can.",
                fix=f"Schedule one of {', '.join(sorted(_SCHEDULABLE))}.",
                closest=(text.replace(asked.verb, "show", 1),) if asked.refs and asked.verb in text else ("list",),
                instead_of=text,
            )
        passing = [str(ref) for ref in asked.refs if not isinstance(ref, _LASTING)]
        if passing:
            raise AskError(
                f"`{passing[0]}` means nothing in the morning.",
                why="It depends on where somebody is, or what they were shown last.",
                fix="Name the run, or say last:WORDS.",
                closest=("help show",),
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
        if command.word("rename").casefold() == NONE:
            raise AskError(
                "A digest's name can't be taken away.",
                why="It is how people name the digest here.",
                fix="Say another name, such as --rename mornings.",
                closest=("help digest edit",),
            )
        changed = await self._filled(plan, asking)
        if any(command.word(flag) for flag in _TIMES):
            changed = self._from_now_on(replace(changed, timing=self._retimed(plan, command)))
        if command.word("rename"):
            changed = replace(changed, name=_name(command.word("rename")))
        return await self._change(changed, member, "changed")

    def _retimed(self, plan: DigestPlan, command: Command) -> Timing:
        """The plan's times with what the command says in place of what it said before. Raises TimingError."""
        old, zone = plan.timing, command.word("tz") or plan.timing.zone
        at, on, cron = command.word("at"), command.word("on"), command.word("cron")
        if cron:
            return timing(at=at, on=on, cron=cron, zone=zone)
        parts = parts_of(old)
        if parts is None:  # days alone mean nothing to an expression, which holds its own
            return timing(at=at, on=on, zone=zone) if at or on else timing(cron=old.cron, zone=zone)
        return timing(at=at or parts[0], on=on or parts[1], zone=zone)

    async def pause(self, asking: Asking) -> Answer:
        plan = await self.named(asking)
        member = await self._member(asking)
        until = self._day(asking.command.word("until"), plan.timing.zone)
        return await self._change(replace(plan, paused_until=until), member, "paused")

    def _day(self, text: str, zone: str) -> datetime:
        """The beginning of a day in the plan's zone. Raises AskError, or TimingError for what is no day."""
        if not text:
            return FOR_EVER
        now, here = self._world.now(), ZoneInfo(zone)
        try:
            found = datetime.combine(day_ahead(text, now.astimezone(here).date()), time.min, here)
            day = found.astimezone(UTC)
        except OverflowError:  # the first or the last day that there is
            raise AskError(
                f"“{text}” is too far away.", why="No clock shows it.", fix="Name another day, or leave it out."
            ) from None
        if day <= now:
            raise AskError(
                f"{text} is not in the future.", why="A pause ends later.", fix="Name a later day, or leave it out."
            )
        return day

    async def resume(self, asking: Asking) -> Answer:
        plan = await self.named(asking)
        member = await self._member(asking)
        await self._check_reach(plan.channel)
        return await self._change(self._from_now_on(replace(plan, paused_until=None, parked="")), member, "resumed")

    def _from_now_on(self, plan: DigestPlan) -> DigestPlan:
        """The plan with its pause over: times before now are not missed ones, also not after a restart."""
        now = self._world.now()
        return replace(plan, paused_until=max(plan.paused_until or now, now))

    async def remove(self, asking: Asking) -> Answer:
        plan = await self.named(asking)
        await self._member(asking)
        await self._plans.remove(plan.id)
        self._waiting.removed(plan.id)
        return Answer(messages.digest_removed(plan, asking.asker.user), to_all=True)

    async def _change(self, plan: DigestPlan, member: Member, deed: str) -> Answer:
        """Keep what was changed, and tell everybody what was done, and who did it."""
        if not await self._plans.change(plan):
            here = await self._plans.of(plan.team, plan.channel)
            taken = any(each.name.casefold() == plan.name.casefold() and each.id != plan.id for each in here)
            raise AskError(
                f"There is a digest “{plan.name}” here already." if taken else f"The digest “{plan.name}” is gone.",
                why="Names are unique in a channel." if taken else "Somebody took it away just now.",
                fix="Take another name." if taken else "List those that are left.",
                closest=("digest list",),
            )
        self._waiting.changed(plan)
        look, now = self._look(plan, member.tz), self._world.now()
        return Answer(messages.digest_planned(look, now=now, deed=deed, by=member.name), to_all=True)

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
            why=f"There are {', '.join(f'“{each}”' for each in names.values())}." if names else "There is none.",
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
        now = self._world.now()
        after = now
        if plan.paused_until is not None and plan.paused_until > now:
            after = plan.paused_until - timedelta.resolution  # its end may be one of its times
        coming = (
            () if plan.parked or after >= FOR_EVER - timedelta(days=1) else slots(plan.timing, after=after, most=most)
        )
        return PlanLook(plan, coming, reader_zone)


def parts_of(timing: Timing) -> tuple[str, str] | None:
    """The words of `--at` and `--on` that say this; None where it was said in cron."""
    on, by_clock, at = timing.said.rpartition(" at ")
    return (at, on) if by_clock else None


def _with(command: Command, **said: str) -> Choice:
    """The command with these flags where it does not have them itself."""
    more = [(name, value) for name, value in said.items() if command.get(name) is None]
    text = replace(command, flags=tuple(sorted([*command.flags, *more], key=lambda each: each[0]))).text()
    return Choice(text, text)


def _name(typed: str) -> str:
    name = " ".join(typed.split())
    if not name or len(name) > LONGEST_NAME:
        raise AskError(
            "That is no name for a digest.",
            why=f"A name has 1 to {LONGEST_NAME} characters.",
            fix="Take a shorter one, such as nightly." if name else "Take one such as nightly.",
            closest=("help digest add",),
        )
    return name


def _whats(command: Command) -> tuple[What, ...]:
    """What it is to tell of, in our order. Raises NotFoundError with the closest."""
    typed = tuple(word.casefold() for word in command.several("what"))
    for word in command.several("what"):
        if word.casefold() not in WHATS:
            raise NotFoundError(
                f"A digest can't tell of “{word}”.",
                why=f"It tells of {', '.join(WHATS)}.",
                fix="Name some of these, with commas between them.",
                closest=tuple(get_close_matches(word.casefold(), WHATS, 1)),
                instead_of=word,
            )
    return cast("tuple[What, ...]", tuple(word for word in WHATS if word in typed))


async def _merged(query: RunQuery, asking: Asking) -> RunQuery:
    """The filters with those that the command names in place of what they were."""
    command = asking.command
    typed = replace(run_query(command, people=await asking.people()), words=tuple(command.word("words").split()))
    changes: dict[str, Any] = {}
    for flag, field in _FILTERS.items():
        if command.get(flag) is not None:
            changes[field] = () if _is_none(command, flag) else getattr(typed, field)
    return replace(query, **changes)


def _is_none(command: Command, flag: str) -> bool:
    said = command.several(flag) or (command.word(flag),)
    return len(said) == 1 and said[0].casefold() == NONE


def _project_of(where: Target) -> str:
    """The project as it is kept: its number, or nothing for the connection's own, whose name nobody has to look up."""
    return "" if where.project.id == where.connection.project else str(where.project.id)


def _words(before: str, command: Command, names: Mapping[str, str]) -> str:
    """The filters in words: those of before, with those that the command names in their place."""
    said = dict(word.partition(" ")[::2] for word in before.split(_BETWEEN) if word)
    for name in ("auto", "manual", *_FILTERS):
        value = command.get(name)
        if value is None:
            continue
        if name in ("auto", "manual"):
            said.pop("auto", None)
            said.pop("manual", None)
        key = "without-tag" if name == "-tag" else name
        said.pop(key, None)
        several = value if isinstance(value, tuple) else () if value is True else (str(value),)
        if not _is_none(command, name):
            said[key] = ", ".join(names.get(each, each).replace(_BETWEEN, " ") for each in several)
    return _BETWEEN.join(f"{name} {value}".strip() for name, value in said.items())


#: Between two filters in words.
_BETWEEN = " · "
