"""The form of a digest: the same as `digest add` and `digest edit`, filled with what there is."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING

from bot.domain.digests import DigestPlan
from bot.domain.errors import AskError, Choice, GrammarError, RundownError
from bot.postman import NotSaidError, Postman, ReturnPath
from bot.presenters import messages
from bot.slack.acting import new_key
from bot.slack.buttons import Buttons, Click
from bot.slack.desk import Answer, Asking, Desk, Question
from bot.slack.digests import WHATS, DigestDesk
from bot.slack.forms import Forms, Memo, Sent, Values
from bot.slack.grammar_command import Command
from bot.slack.grammar_forms import FormError, command_from, values_of
from bot.slack.mishaps import complain
from bot.slack.tasks import Tasks

if TYPE_CHECKING:
    from bot.presenters.forms import Field

log = logging.getLogger(__name__)

NAME = "digest"
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
        )
        member = await self._world.people.member(back.user)
        values = {**(_values_of_plan(plan) if plan is not None else {"tz": member.tz}), **_typed(command)}
        await self._show(view, memo, values)
        return True

    async def _show(self, view: str, memo: Memo, values: Values, error: str = "") -> None:
        from bot.presenters.forms import Form

        title, submit = _TITLES[memo.verb]
        form = Form(title=title, submit=submit, fields=_fields(values, new=memo.verb == "digest add"), error=error)
        await self._forms.show(view, messages.form(form), NAME, memo)

    def check(self, sent: Sent) -> Mapping[str, str]:
        """What is wrong, by field, as far as that needs nobody to be asked."""
        try:
            self._command(sent)
        except FormError as error:
            asked = {name: words for name, words in error.fields.items() if name in sent.values}
            return asked or {"at": error.why}
        return {}

    def _command(self, sent: Sent) -> Command:
        values = dict(sent.values)
        if sent.memo.verb == "digest edit":
            name = str(values.pop("name", "") or sent.memo.run)
            values["name"] = sent.memo.run
            if name != sent.memo.run:
                values["rename"] = name
        return command_from(sent.memo.verb, values, now=self._world.now())

    async def take(self, sent: Sent) -> None:
        """Make or change the digest; what is refused comes back above the fields."""
        memo = sent.memo
        back = ReturnPath(team=memo.team, channel=memo.channel, user=sent.user, thread="", private=False)
        try:
            command = self._command(sent)
            asking: Asking = await self._desk.understand(command, Question(text=command.text(), back=back))
            answer: Answer = await (
                self._digests.add(asking) if command.verb == "digest add" else self._digests.edit(asking)
            )
        except RundownError as error:
            words = f"{error.what} {error.why} {error.fix}".strip()
            await self._show(sent.view, memo, sent.values, words)
            return
        await self._forms.show(sent.view, messages.form_done(_TITLES[memo.verb][0], answer.message), "waiting", memo)
        try:
            await self._postman.say(back, answer.message)
        except NotSaidError as error:
            log.error("a digest that was made can't be told in %s: %s", back.channel, error.reason)


def _typed(command: Command) -> dict[str, str | tuple[str, ...]]:
    try:
        return {name: value for name, value in values_of(command).items() if value}
    except GrammarError:
        return {}


def _values_of_plan(plan: DigestPlan) -> dict[str, str | tuple[str, ...]]:
    """What the form begins with: the plan as it is."""
    at_and_on = plan.timing.said.rpartition(" at ")
    by_clock = bool(at_and_on[1])
    return {
        "name": plan.name,
        "at": at_and_on[2] if by_clock else "",
        "on": at_and_on[0] if by_clock else "",
        "cron": "" if by_clock else plan.timing.cron,
        "tz": plan.timing.zone,
        "source": ",".join(plan.query.source),
        "tag": ",".join(plan.query.tag),
        "what": plan.what,
        "if-empty": plan.if_empty,
    }


def _fields(values: Values, *, new: bool) -> tuple[Field, ...]:
    from bot.presenters.forms import Field

    def text(name: str) -> str:
        value = values.get(name, "")
        return value if isinstance(value, str) else ",".join(value)

    on = text("on")
    days = _DAYS if any(each.command == on for each in _DAYS) or not on else (*_DAYS, Choice(on, on))
    what = tuple(word for word in WHATS if word in (values.get("what") or ("failed",)))
    return (
        Field(name="name", label="Name", value=text("name"), placeholder="nightly"),
        Field(
            name="at",
            label="At",
            value=text("at") or ("09:00" if new and not text("cron") else ""),
            hint="A time of day; several with commas between them.",
            optional=True,
        ),
        Field(
            name="on", label="On", kind="choice", options=days, value=on or ("mon-fri" if new else ""), optional=True
        ),
        Field(name="tz", label="Time zone", value=text("tz"), hint="Such as Europe/Berlin."),
        Field(name="source", label="Only these sources", value=text("source"), optional=True),
        Field(name="tag", label="Only with these tags", value=text("tag"), optional=True),
        Field(
            name="what",
            label="Tells of",
            kind="checks",
            options=(
                Choice("Failed runs", "failed"),
                Choice("Unfinished automation runs", "unfinished"),
                Choice("Open runs without a change for two weeks", "stale"),
            ),
            value=what,
        ),
        Field(
            name="if-empty",
            label="On a quiet day",
            kind="choice",
            options=_EMPTY,
            value=text("if-empty") or "line",
        ),
    )
