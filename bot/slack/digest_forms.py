"""The form of a digest: the same as `digest add` and `digest edit`, filled with what there is."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from bot.domain.digests import DigestPlan
from bot.domain.errors import AskError, Choice, GrammarError, NotFoundError, RundownError
from bot.postman import NotSaidError, Postman, ReturnPath
from bot.presenters import messages
from bot.slack.acting import new_key
from bot.slack.buttons import Buttons, Click
from bot.slack.desk import Desk
from bot.slack.digests import LONGEST_NAME, NONE, WHATS, DigestDesk, parts_of
from bot.slack.forms import Forms, Memo, Sent, Values
from bot.slack.grammar_command import Command
from bot.slack.grammar_forms import FormError, command_from, values_of
from bot.slack.mishaps import complain
from bot.slack.questions import Question
from bot.slack.tasks import Tasks
from bot.timetable import TimingError, timing, zone_named
from bot.usecases.ports import ChannelContext
from bot.usecases.systems import Target, targets

if TYPE_CHECKING:
    from bot.presenters.forms import Field

log = logging.getLogger(__name__)

NAME = "digest"
#: Seconds that a form waits for the names of the system and the project it looks at.
NAMES_S = 2.0
_TITLES = {"digest add": ("A new digest", "Make it"), "digest edit": ("Change a digest", "Save")}
_DAYS = (
    Choice("Monday to Friday", "mon-fri"),
    Choice("Every day", "daily"),
    Choice("Mondays", "mon"),
    Choice("Fridays", "fri"),
    Choice("The first of the month", "1st"),
)
_EMPTY = (Choice("one line", "line"), Choice("nothing", "skip"), Choice("the whole digest", "post"))


class DigestForms:
    """Opens the form of a digest and does what it says."""

    def __init__(
        self, desk: Desk, digests: DigestDesk, *, forms: Forms, postman: Postman, tasks: Tasks, buttons: Buttons
    ) -> None:
        self._desk = desk
        self._world = desk.world
        self._digests = digests
        self._forms = forms
        self._postman = postman
        self._tasks = tasks
        digests.open_form = self.open
        forms.on(NAME, self.check, self.take)
        buttons.on("digest", self._hear)

    def _hear(self, click: Click) -> None:
        self._tasks.spawn(self._pressed(click), name=f"digest form {click.key}")

    async def _pressed(self, click: Click) -> None:
        """Somebody wants to change a digest by the form; the value is the command."""
        if not await self._desk.is_first(click.key):
            return
        try:
            command = self._world.grammar.parse(click.value, now=self._world.now())
            asking = await self._desk.understand(command, Question(text=click.value, back=click.back))
            plan = await self._digests.named(asking)
            if not await self.open(command, click.back, click.trigger, plan):
                raise AskError(
                    "The form did not open.", why="Slack gives only three seconds for that.", fix="Press again."
                )
        except NotSaidError as error:
            log.error("a form could not be opened in %s: %s", click.back.channel, error.reason)
        except RundownError as error:
            await self._postman.whisper(click.back, messages.complaint(complain(error), now=self._world.now()))

    async def open(self, command: Command, back: ReturnPath, trigger: str, plan: DigestPlan | None) -> bool:
        """The form of a command, with what there is and what was typed. False when Slack does not open it."""
        title, _ = _TITLES[command.verb]
        view = await self._forms.open(trigger, title) if trigger else ""
        if not view:
            return False
        memo = Memo(
            key=new_key(),
            verb=command.verb,
            team=back.team,
            channel=back.channel,
            thread=back.thread,
            typed=command.text(),
            run=plan.name if plan is not None else "",
            shown=await self._looks_at(command, back, plan),
        )
        member = await self._world.people.member(back.user)
        values = {**(_values_of_plan(plan) if plan is not None else {"tz": member.tz}), **_typed(command)}
        await self._show(view, replace(memo, preview=_sort(values, plan)), values)
        return True

    async def _looks_at(self, command: Command, back: ReturnPath, plan: DigestPlan | None) -> str:
        """One sentence that says which system and project the digest looks at: no field of the form does.

        Empty where the form is about a command whose answer is posted. What can't be looked up is told as it was
        typed: that it is wrong is said when the form is sent.
        """
        if command.word("query") or (plan is not None and plan.ask):
            return ""
        connection, project = command.word("in"), command.word("project")
        context: ChannelContext | None = None
        if plan is not None and not connection:
            connection, project = plan.connection, project or plan.project
        elif plan is None:
            asking = await self._desk.understand(command, Question(text=command.text(), back=back))
            context = asking.context
        if not (connection or project):
            return "It looks at what this channel looks at." if plan is None else "It looks at every connected system."
        try:
            async with asyncio.timeout(NAMES_S):
                found, _ = await targets(self._world.systems, context, connection=connection, project=project)
        except (RundownError, TimeoutError):
            found = ()
        return f"It looks at {_place(found, connection, project)}."

    async def _show(self, view: str, memo: Memo, values: Values, error: str = "") -> None:
        from bot.presenters.forms import Form

        title, submit = _TITLES[memo.verb]
        fields = _fields(values, memo.preview, new=memo.verb == "digest add")
        intro = (memo.shown,) if memo.shown else ()
        form = Form(title=title, submit=submit, fields=fields, intro=intro, error=error)
        await self._forms.show(view, messages.form(form), NAME, memo)

    def check(self, sent: Sent) -> Mapping[str, str]:
        """What is wrong, by field, as far as that needs nobody to be asked."""
        values = sent.values
        wrong = _wrong_times({name: _word(values, name) for name in ("at", "on", "cron", "tz")}, values)
        try:
            self._command(sent)
        except FormError as error:
            wrong |= {name: words for name, words in error.fields.items() if name in values} or {"name": error.why}
        return wrong

    def _command(self, sent: Sent) -> Command:
        """The command that says what was filled in, and what was typed that has no field. Raises FormError."""
        memo, values = sent.memo, dict(sent.values)
        now = self._world.now()
        typed = _typed(self._world.grammar.parse(memo.typed, now=now)) if memo.typed else {}
        if memo.verb == "digest edit":
            name = str(values.pop("name", "") or memo.run)
            values["name"] = memo.run
            if name != memo.run:
                values["rename"] = name
            values |= {name: NONE for name in ("source", "tag") if name in values and not _word(values, name)}
        return command_from(memo.verb, {**typed, **values}, now=now)

    async def take(self, sent: Sent) -> None:
        """Make or change the digest; what is refused comes back above the fields."""
        memo = sent.memo
        back = ReturnPath(team=memo.team, channel=memo.channel, user=sent.user, thread="", private=False)
        try:
            command = self._command(sent)
            asking = await self._desk.understand(command, Question(text=command.text(), back=back))
            answer = await (self._digests.add(asking) if memo.verb == "digest add" else self._digests.edit(asking))
        except Exception as error:  # the last resort: nobody is left in front of a form that says it is working
            told = complain(error)
            words = f"{told.what} {told.why} {told.fix} {_did_you_mean(error)}"
            await self._show(sent.view, memo, sent.values, " ".join(words.split()))
            return
        await self._forms.show(sent.view, messages.form_done(_TITLES[memo.verb][0], answer.message), "waiting", memo)
        try:
            await self._postman.say(back, answer.message)
        except NotSaidError as error:
            log.error("a digest that was made can't be told in %s: %s", back.channel, error.reason)


def _place(found: Sequence[Target], connection: str, project: str) -> str:
    """`testrail › Webshop`, several with commas between; what was typed where nothing was found."""
    names = [f"{each.connection.name} › {each.project.name}" for each in found]
    return ", ".join(names) or " › ".join(filter(None, (connection, project and f"project {project}")))


def _typed(command: Command) -> dict[str, str | tuple[str, ...]]:
    try:
        return {name: value for name, value in values_of(command).items() if value}
    except GrammarError:
        return {}


def _word(values: Values, name: str) -> str:
    value = values.get(name, "")
    return (value if isinstance(value, str) else ",".join(value)).strip()


def _wrong_times(said: Mapping[str, str], fields: Values) -> dict[str, str]:
    """What is wrong with the times, under the field that says it."""
    wrong = {}
    try:
        zone_named(said["tz"])
    except TimingError as error:
        wrong["tz"] = _told(error)
    try:
        timing(at=said["at"], on=said["on"], cron=said["cron"], zone="UTC")
    except TimingError as error:
        by_value = next((name for name in ("on", "at", "cron") if said[name] and said[name] == error.instead_of), "")
        wrong[by_value or ("cron" if "cron" in fields else "at")] = _told(error)
    return wrong


def _told(error: TimingError) -> str:
    return " ".join(f"{error.what} {error.why} {_did_you_mean(error) or error.fix}".split())


def _did_you_mean(error: BaseException) -> str:
    """The words that were perhaps meant in place of others; commands help nobody in a form."""
    if not isinstance(error, NotFoundError) or not error.instead_of or not error.closest:
        return ""
    return f"Did you mean {' or '.join(error.closest)}?"


def _sort(values: Values, plan: DigestPlan | None) -> str:
    """Which fields a form has: `cron` where the times are told so, `query` where an answer is posted."""
    by_cron = "cron" if values.get("cron") else ""
    asks = "query" if values.get("query") or (plan is not None and plan.ask) else ""
    return f"{by_cron} {asks}".strip()


def _values_of_plan(plan: DigestPlan) -> dict[str, str | tuple[str, ...]]:
    """What the form begins with: the plan as it is."""
    at, on = parts_of(plan.timing) or ("", "")
    values: dict[str, str | tuple[str, ...]] = {
        "name": plan.name,
        "at": at,
        "on": on,
        "cron": "" if at else plan.timing.cron,
        "tz": plan.timing.zone,
    }
    if plan.ask:
        return {**values, "query": plan.ask}
    return {
        **values,
        "source": ",".join(plan.query.source),
        "tag": ",".join(plan.query.tag),
        "what": plan.what,
        "if-empty": plan.if_empty,
    }


def _fields(values: Values, sort: str, *, new: bool) -> tuple[Field, ...]:
    times = _cron_field(values) if "cron" in sort else _clock_fields(values, new=new)
    rest = _query_field(values) if "query" in sort else _run_fields(values)
    return (*_name_field(values), *times, *_zone_field(values), *rest)


def _name_field(values: Values) -> tuple[Field, ...]:
    from bot.presenters.forms import Field

    return (Field(name="name", label="Name", value=_word(values, "name"), placeholder="nightly", longest=LONGEST_NAME),)


def _zone_field(values: Values) -> tuple[Field, ...]:
    from bot.presenters.forms import Field

    return (Field(name="tz", label="Time zone", value=_word(values, "tz"), hint="Such as Europe/Berlin."),)


def _cron_field(values: Values) -> tuple[Field, ...]:
    from bot.presenters.forms import Field

    hint = "Minute, hour, day of the month, month, day of the week."
    return (Field(name="cron", label="Cron", value=_word(values, "cron"), hint=hint),)


def _clock_fields(values: Values, *, new: bool) -> tuple[Field, ...]:
    from bot.presenters.forms import Field

    on = _word(values, "on") or ("mon-fri" if new else "daily")
    days = _DAYS if any(each.command == on for each in _DAYS) else (*_DAYS, Choice(on, on))
    hint = "A time of day; several with commas between them."
    return (
        Field(name="at", label="At", value=_word(values, "at") or "09:00", hint=hint),
        Field(name="on", label="On", kind="choice", options=days, value=on),
    )


def _query_field(values: Values) -> tuple[Field, ...]:
    from bot.presenters.forms import Field

    hint = "A command that reads runs, such as list --older-than 14d."
    return (Field(name="query", label="Posts the answer to", value=_word(values, "query"), hint=hint),)


def _run_fields(values: Values) -> tuple[Field, ...]:
    from bot.presenters.forms import Field

    several = (
        Choice("Failed runs", "failed"),
        Choice("Unfinished automation runs", "unfinished"),
        Choice("Open runs without a change for two weeks", "stale"),
    )
    what = tuple(word for word in WHATS if word in (values.get("what") or ("failed",)))
    return (
        Field(name="source", label="Only these sources", value=_word(values, "source"), optional=True),
        Field(name="tag", label="Only with these tags", value=_word(values, "tag"), optional=True),
        Field(name="what", label="Tells of", kind="checks", options=several, value=what),
        Field(
            name="if-empty",
            label="On a quiet day",
            kind="choice",
            options=_EMPTY,
            value=_word(values, "if-empty") or "line",
        ),
    )
