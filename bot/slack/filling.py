"""The forms of changes: what they ask for, filled with what was typed, and what happens when they are sent.

Sending a form is the confirmation: it shows all that will be done. What is wrong comes back under its field, what the
system refuses above them; nothing that was typed is lost. What makes fields is loaded with the first form.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import logging
import re
import time
import unicodedata
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from bot.domain.acts import WRITES, Delete, Ended, Proposal, Receipt
from bot.domain.errors import (
    AmbiguousError,
    AskError,
    GrammarError,
    NotAllowedError,
    OurError,
    RundownError,
    TooLateError,
)
from bot.domain.model import Run
from bot.postman import NotSaidError, Postman, ReturnPath
from bot.presenters import messages
from bot.presenters.message import Message
from bot.slack.acting import Acting, new_key
from bot.slack.desk import LIMIT_S, PATIENCE_S, Answer, Asking, Desk, late_message
from bot.slack.drafting import Drafter
from bot.slack.forms import Forms, Memo, OldFormError, Sent, Values, one, several
from bot.slack.grammar_changes import wants_form
from bot.slack.grammar_command import Command
from bot.slack.grammar_forms import FormError, command_from, values_of
from bot.slack.grammar_words import clean
from bot.slack.mishaps import complain
from bot.slack.questions import Question
from bot.slack.spoken import message_in_words
from bot.slack.tasks import Tasks
from bot.usecases.changing import LateError
from bot.usecases.finding import Found
from bot.usecases.ports import PATIENCE, Patience, Place, Proposals

if TYPE_CHECKING:
    from bot.presenters.forms import Field

log = logging.getLogger(__name__)

NAME = "change"
CONFIRM = "confirm"
#: Seconds until the form opens though the system has not told yet what it is about; Slack gives three.
OPEN_S = 1.0
#: Seconds that a form waits for the public receipt before it says that it is done.
SAID_S = 2.0
#: The longest name that anybody is asked to type.
MOST_TYPED = 150
SHORTCUTS = {"note_on_run": "note", "attach_to_run": "link"}

_UNSHOWN = "Slack does not take the form; the log says why. Type the whole command instead."
_TITLES = {
    "start": ("Start a run", "Start run"),
    "edit": ("Edit a run", "Save"),
    "note": ("Note on a run", "Add note"),
    "link": ("Link on a run", "Add link"),
    "attach": ("Attach to a run", "Attach"),
    "report": ("Report results", "Report"),
    "delete": ("Delete a run", "Delete for good"),
}


@dataclass(frozen=True, slots=True)
class _Filled:
    """A form as it will be shown. `there` is what the run has in those of its fields that begin with it."""

    fields: tuple[Field, ...]
    intro: tuple[str, ...] = ()
    run: str = ""
    there: Mapping[str, str] = field(default_factory=dict)


class Filling:
    """Opens the forms and works on what is sent."""

    def __init__(
        self,
        desk: Desk,
        *,
        acting: Acting,
        drafter: Drafter,
        proposals: Proposals,
        forms: Forms,
        postman: Postman,
        tasks: Tasks,
    ) -> None:
        self._desk = desk
        self._world = desk.world
        self._acting = acting
        self._drafter = drafter
        self._proposals = proposals
        self._forms = forms
        self._postman = postman
        self._tasks = tasks
        self._opening: set[str] = set()

    def register(self) -> None:
        for verb in WRITES:
            self._desk.feature(verb, self.answer)
        self._acting.open_form = self.open
        self._forms.on(NAME, self.check, lambda sent: self._taken(sent, self.take))
        self._forms.on(CONFIRM, _check_confirm, lambda sent: self._taken(sent, self.take_confirmed))

    # ── opening ──

    async def answer(self, asking: Asking) -> Answer:
        """What `Acting` answers; the form first where one is wanted and the system takes longer than Slack waits."""
        question, command = asking.question, asking.command
        if not (question.trigger and _wants_form(asking)):
            return await self._acting.answer(asking)
        answering = asyncio.create_task(self._acting.answer(asking), name=f"form or not {question.key}")
        try:
            done, _ = await asyncio.wait({answering}, timeout=OPEN_S)
            if done or question.trigger in self._opening:  # a trigger opens one form, and this one is at it
                return await answering
        finally:
            answering.cancel()
        await self._acting.need(command.verb, asking.asker.place, asking.asker.user, command.text())
        if await self.open(command, question.back, question.trigger, ""):
            return Answer(messages.working("the form"), silent=True)
        return await self._acting.answer(asking)

    async def open(self, command: Command, back: ReturnPath, trigger: str, preview: str) -> bool:
        """The form of a command, to be filled with what it says. False when Slack does not open it."""
        title, _ = _TITLES.get(command.verb, ("Rundown", "Send"))
        self._opening.add(trigger)
        view = await self._forms.open(trigger, title) if trigger else ""
        if not view:
            self._opening.discard(trigger)
            return False
        memo = Memo(
            key=new_key(),
            verb=command.verb,
            team=back.team,
            channel=back.channel,
            thread=back.thread,
            typed=command.text(),
            preview=preview,
            answer=back.response_url if preview else "",
        )
        filling = self._tasks.spawn(self._fill_in(view, memo, command, back.user), name=f"form {memo.key}")
        filling.add_done_callback(lambda _: self._opening.discard(trigger))
        return True

    async def _fill_in(self, view: str, memo: Memo, command: Command, user: str) -> None:
        """Show what the form asks, once that is known."""
        PATIENCE.set(Patience(time.monotonic() + PATIENCE_S))
        try:
            async with asyncio.timeout(LIMIT_S):
                if command.verb == "delete":
                    await self._show_confirm(view, memo, user)
                else:
                    shown = await self._show(view, memo, command, values_of(command), user)
                    if not shown:  # closed by now, which is all right; or Slack does not take it
                        sorry = messages.form_done(_TITLES[memo.verb][0], _UNSHOWN)
                        await self._forms.show(view, sorry, "waiting", memo)
        except Exception as error:  # the last resort: nobody is left with a form that never comes
            await self._failed(view, memo, error, user, command)

    async def open_on_message(self, verb: str, back: ReturnPath, trigger: str, text: str) -> None:
        """The form of a message shortcut: a note with the message's words, or a link to the message."""
        from bot.slack.fields import append_fields

        view = await self._forms.open(trigger, _TITLES[verb][0])
        if not view:
            self._desk.tell(back, GrammarError("The form did not open.", fix="Use the shortcut again."), key="")
            return
        PATIENCE.set(Patience(time.monotonic() + PATIENCE_S))
        memo = Memo(key=new_key(), verb=verb, team=back.team, channel=back.channel, thread=back.thread)
        try:
            await self._acting.need(verb, Place(back.team, back.channel, back.thread), back.user)
            values: dict[str, str | tuple[str, ...]] = {}
            place = Place(back.team, back.channel, back.thread or back.message_ts)
            known = await self._world.recall.thread_run(place) or await self._world.recall.last_run(
                Place(back.team, back.channel), back.user
            )
            if known is not None:
                values["ref"] = str(known)
            intro: tuple[str, ...] = ()
            if verb == "note":
                values["text"], intro = _fitting(await message_in_words(text, self._name_of))
            else:
                values["url"] = await self._postman.permalink(back.channel, back.message_ts)
                values["name"] = "Slack message"
            await self._update(view, memo, _Filled(append_fields(verb, values, ask_run=True), intro))
        except Exception as error:  # the last resort, as above
            await self._failed(view, memo, error, back.user)

    async def _name_of(self, user: str) -> str:
        return (await self._world.people.member(user)).name

    async def _show(
        self, view: str, memo: Memo, command: Command, values: Values, user: str, *, error: str = ""
    ) -> bool:
        """The form with these values. False when it is not open any more."""
        back = ReturnPath(team=memo.team, channel=memo.channel, user=user, thread=memo.thread)
        asking = await self._desk.understand(command, Question(text=command.text(), back=back))
        filled = await self._fill(asking, values)
        kept = _beside(command, filled.fields).text()
        before = _digests(memo)  # of what was changed already: that is compared with what was first shown
        there = {**filled.there, **{name: before[name] for name in filled.there if name in values and name in before}}
        shown = json.dumps(there, separators=(",", ":")) if there else ""
        return await self._update(view, replace(memo, run=filled.run, typed=kept, shown=shown), filled, error)

    async def _update(self, view: str, memo: Memo, filled: _Filled, error: str = "") -> bool:
        from bot.presenters.forms import Form

        title, submit = _TITLES[memo.verb]
        form = Form(title=title, submit=submit, fields=filled.fields, intro=filled.intro, error=error)
        return await self._forms.show(view, messages.form(form), NAME, memo)

    async def _failed(
        self, view: str, memo: Memo, failed: BaseException, user: str, command: Command | None = None
    ) -> None:
        """Say in the form what is wrong; and by a message, too, where the form is closed or there is a way to press."""
        if isinstance(failed, NotSaidError):
            log.error("a form could not be answered: %s", failed.reason)
            return
        error = _told(failed)
        title, _ = _TITLES.get(memo.verb, ("Rundown", ""))
        shown = await self._forms.show(view, messages.form_done(title, _words(error)), "waiting", memo)
        complaint = complain(failed, command)
        if shown and not complaint.closest and not getattr(error, "askable", False):
            return
        refused = isinstance(error, NotAllowedError)
        message = (
            self._desk.refusal(error, command)
            if isinstance(error, NotAllowedError)
            else messages.complaint(complaint, now=self._world.now())
        )
        await self._say(memo, user, message)
        if command is not None and not shown and not refused:
            await self._offer_again(memo, user, command)

    async def _say(self, memo: Memo, user: str, message: Message) -> None:
        """Say it to whoever filled in the form, where that was opened."""
        back = ReturnPath(team=memo.team, channel=memo.channel, user=user, thread=memo.thread)
        try:
            await self._postman.whisper(back, message)
        except NotSaidError as error:
            log.error("what became of a form could not be said in %s: %s", memo.channel, error.reason)

    async def _offer_again(self, memo: Memo, user: str, command: Command) -> None:
        """A button that opens the form with what was typed; a text too long for a button is not offered."""
        if len(command.text()) <= 1_900:
            kept = "What you had filled in is kept."
            await self._say(memo, user, messages.form_offer(memo.verb, kept, value=command.text()))

    async def _show_confirm(self, view: str, memo: Memo, user: str, error: str = "") -> None:
        from bot.presenters.forms import Field, Form

        proposal = await self._proposals.get(memo.preview)
        if proposal is None or not _confirms(proposal):
            gone = GrammarError("This preview is not known any more.", fix="Ask again.")
            await self._failed(view, memo, gone, user)
            return
        what, wanted = _to_type(proposal)
        form = Form(
            title="Delete a run",
            submit="Delete for good",
            intro=proposal.warnings,
            fields=(
                Field(
                    name="name",
                    label=f"Type {what} to confirm: {wanted}",
                    placeholder=what.capitalize(),
                ),
            ),
            error=error,
        )
        shown = await self._forms.show(view, messages.form(form), CONFIRM, replace(memo, key=new_key()))
        if error and not shown:
            await self._failed(view, memo, GrammarError(error, fix="Press Delete… again."), user)

    def on_shortcut(self, name: str, body: Mapping[str, Any], back: ReturnPath) -> None:
        """A message shortcut was used."""
        verb = SHORTCUTS.get(name)
        if verb is None:
            self._desk.tell(
                back, GrammarError("That shortcut is from another version.", fix="Use `note` or `link`."), key=""
            )
            return
        message = body.get("message") or {}
        trigger = str(body.get("trigger_id") or "")
        work = self.open_on_message(verb, back, trigger, str(message.get("text") or ""))
        self._tasks.spawn(work, name=f"shortcut {name}")

    # ── what is asked ──

    async def _fill(self, asking: Asking, values: Values) -> _Filled:
        from bot.slack.fields import append_fields, edit_fields, report_fields, start_fields

        command = asking.command
        if command.verb == "start":
            target, kind = await self._drafter.target(asking)
            fields = await start_fields(target.connection, target.project.id, kind, values)
            return _Filled(fields, (f"A new {kind.noun} in {target.where}.",), f"{target.connection.name}")
        found = await asking.find(command.refs[0])
        await self._drafter.need_possible(found, command.verb)
        run = await _read_now(found) if command.verb == "edit" else found.run
        intro: tuple[str, ...] = (f"{run.kind.noun.capitalize()} {run.ref.short}: {run.name}",)
        there: Mapping[str, str] = {}
        match command.verb:
            case "edit":
                there = _there(await edit_fields(found.connection, run, {}))
                fields = await edit_fields(found.connection, run, values)
                if run.rich:
                    intro += (f"Its description has formatting; change it in {found.connection.system}.",)
            case "report":
                fields = await report_fields(found, values)
            case verb:
                fields = append_fields(verb, values)
        return _Filled(fields, intro, str(found.ref), there)

    # ── what is sent ──

    def check(self, sent: Sent) -> Mapping[str, str]:
        """What is wrong, by field, as far as that needs nobody to be asked."""
        if sent.memo.verb not in _TITLES or sent.memo.verb == "delete" or not sent.values:
            raise OldFormError
        try:
            command = self._command(sent)
        except KeyError:
            raise OldFormError from None
        except FormError as error:
            wrong = {name: _by_label(words, sent.labels) for name, words in error.fields.items()}
            asked = {name: words for name, words in wrong.items() if name in sent.values}
            return asked or {next(iter(sent.values)): " ".join(wrong.values())}
        if command.verb == "report" and wants_form(command) and "outcome" in sent.values:
            return {"outcome": "Every test needs an outcome."}
        return {}

    def _command(self, sent: Sent) -> Command:
        """The command that says what was filled in; what the form did not ask stays as it was typed."""
        return command_from(sent.memo.verb, self._values(sent), now=self._world.now())

    def _values(self, sent: Sent) -> Values:
        """What was filled in, on top of what was typed; files that a form had before are still among them."""
        typed = self._typed(sent.memo)
        files = dict.fromkeys((*several(typed, "file"), *several(sent.values, "file")))
        values = {**typed, **sent.values, **({"file": tuple(files)} if files else {})}
        chosen = values.get("instance")
        return values if chosen is None else {**values, "instance": ",".join(several(values, "instance"))}

    def _typed(self, memo: Memo) -> Values:
        values: dict[str, str | tuple[str, ...]] = {}
        if memo.typed:
            try:
                values = dict(values_of(self._world.grammar.parse(memo.typed, now=self._world.now())))
            except GrammarError:
                values = {}
        if memo.run and memo.verb != "start":
            values["ref"] = memo.run
        if memo.run and memo.verb == "start":
            values["in"] = memo.run
        return values

    async def _taken(self, sent: Sent, work: Callable[[Sent], Awaitable[None]]) -> None:
        """Work on one delivery of a form; whatever goes wrong is told to whoever sent it."""
        if not await self._desk.is_first(f"form {sent.memo.key}"):
            await self._tell_late(sent)
            return
        PATIENCE.set(Patience(time.monotonic() + PATIENCE_S))
        try:
            await work(sent)
        except Exception as error:  # the last resort: no form says for ever that it is working
            await self._failed(sent.view, sent.memo, error, sent.user)

    async def _tell_late(self, sent: Sent) -> None:
        """What became of a form that was sent before; while that is being done, whoever does it tells."""
        with contextlib.suppress(RundownError):
            tried = (sent.memo.key, sent.memo.preview if sent.memo.verb == "delete" else "")
            entries = [await self._drafter.ledger.entry(key) for key in filter(None, tried)]
            for entry in entries:
                if entry is not None and entry.outcome is not Ended.BEGUN:
                    late = messages.form_done(_TITLES[sent.memo.verb][0], late_message(entry, self._world))
                    await self._forms.show(sent.view, late, "waiting", sent.memo)

    async def take(self, sent: Sent) -> None:
        """Do what the form says; it tells how that went."""
        memo = sent.memo
        back = ReturnPath(team=memo.team, channel=memo.channel, user=sent.user, thread=memo.thread, private=False)
        command = self._command(sent)
        try:
            async with asyncio.timeout(LIMIT_S):
                place = Place(back.team, back.channel, back.thread)
                await self._acting.need(memo.verb, place, back.user, command.text())
                asking = await self._desk.understand(command, Question(text=command.text(), back=back))
                if memo.verb == "edit":
                    asking = replace(asking, command=await self._only_changes(asking, sent))
                if memo.preview:
                    await self._acting.replaced(memo.preview, back)
                proposal = replace(await self._drafter.propose(asking, memo.key), made_at=self._world.now())
                await self._proposals.put(
                    proposal, team=back.team, channel=back.channel, thread=back.thread, user=back.user
                )
        except LateError as error:
            await self._say_late(sent, error)
            return
        except _ChangedError as error:
            await self._show_changed(sent, command, error)
            return
        except (RundownError, TimeoutError) as error:
            told = error if isinstance(error, RundownError) else GrammarError("That took too long.", fix="Try again.")
            await self._show_again(sent, command, told)
            return
        await self._do(sent, proposal, back, command)

    async def take_confirmed(self, sent: Sent) -> None:
        """Delete, if the name was typed as it is."""
        memo = sent.memo
        proposal = await self._proposals.get(memo.preview)
        if proposal is None or not _confirms(proposal):
            gone = GrammarError("This preview is not known any more.", fix="Ask again.")
            await self._failed(sent.view, memo, gone, sent.user)
            return
        what, wanted = _to_type(proposal)
        if _folded(str(sent.values.get("name", ""))) != _folded(wanted):
            sorry = f"That is not {what}; nothing was deleted."
            await self._show_confirm(sent.view, memo, sent.user, sorry)
            return
        back = ReturnPath(team=memo.team, channel=memo.channel, user=sent.user, thread=memo.thread, private=False)
        await self._do(sent, proposal, back, None)

    async def _do(self, sent: Sent, proposal: Proposal, back: ReturnPath, command: Command | None) -> None:
        memo = sent.memo
        title, _ = _TITLES.get(memo.verb, ("Rundown", ""))
        try:
            receipt = await self._acting.carry_out(proposal, back, begun=_nothing)
        except LateError as error:
            await self._say_late(sent, error)
            return
        except RundownError as error:
            if command is None or isinstance(error, TooLateError):
                await self._failed(sent.view, memo, error, sent.user)
            else:
                await self._show_again(sent, command, error)
            await self._acting.told(proposal.key)
            return
        if memo.answer and receipt.entry.outcome is Ended.DONE:
            await self._postman.withdraw(replace(back, response_url=memo.answer))
        publishing = asyncio.create_task(self._acting.publish(back, receipt), name=f"receipt {proposal.key}")
        try:
            await asyncio.wait({publishing}, timeout=SAID_S)
            public = publishing.done() and publishing.exception() is None and publishing.result()
            end = self._end(receipt, back.channel if public else "")
            shown = await self._forms.show(sent.view, messages.form_done(title, end), "waiting", memo)
            public = await publishing
            await self._acting.finish_form(back, receipt, said=shown or public)
        except NotSaidError as error:
            log.error("the end of %s could not be said: %s", proposal.key, error.reason)
        finally:
            publishing.cancel()

    def _end(self, receipt: Receipt, channel: str) -> Message | str:
        """The end in a short sentence; with the reason where it is not simply done, as nobody else tells that."""
        from bot.presenters.deeds import deed

        entry, called = receipt.entry, deed(receipt.entry.verb)
        short = f" {entry.ref.short}" if entry.ref is not None else ""
        if entry.outcome is Ended.DONE:
            where = f"; the receipt is in <#{channel}>" if channel else ""
            return Message(text=f"✅ {called.done}{short}{where}.", blocks=[])
        if entry.outcome is Ended.DOUBT:
            return f"❔ It is not known yet whether this was done:{short or ' a new run'}. {entry.why}"
        return f"⚠️ {called.undone}{short}. {entry.why}"

    async def _say_late(self, sent: Sent, error: LateError) -> None:
        late = late_message(error.entry, self._world)
        title, _ = _TITLES.get(sent.memo.verb, ("Rundown", ""))
        if not await self._forms.show(sent.view, messages.form_done(title, late), "waiting", sent.memo):
            await self._say(sent.memo, sent.user, late)

    async def _show_changed(self, sent: Sent, command: Command, error: _ChangedError) -> None:
        """The form with what somebody else wrote meanwhile, and what the person had written in its place."""
        memo = replace(sent.memo, key=new_key(), shown="")
        values = {name: value for name, value in self._values(sent).items() if name in error.kept}
        names = [sent.labels.get(name, name) for name in error.theirs]
        yours = ", ".join(f"“{_cut(one(sent.values, name))}”" for name in error.theirs)
        words = (
            f"{' and '.join(names)} {'was' if len(names) == 1 else 'were'} changed by somebody else meanwhile; you see "
            f"it as it is now. You had written {yours}. Nothing was changed; send the form again as it should be."
        )
        try:
            shown = await self._show(sent.view, memo, command, values, sent.user, error=words)
        except (RundownError, TimeoutError) as failed:
            await self._failed(sent.view, memo, failed, sent.user)
            return
        if not shown:
            await self._say(memo, sent.user, messages.complaint(complain(error, command), now=self._world.now()))
            await self._offer_again(memo, sent.user, command)

    async def _show_again(self, sent: Sent, command: Command, error: RundownError) -> None:
        """The same form with what was typed, and why it could not be done."""
        from bot.slack.fields import append_fields

        memo = replace(sent.memo, key=new_key())
        if isinstance(error, NotAllowedError):
            await self._failed(sent.view, memo, error, sent.user, command)
            return
        values = self._values(sent)
        if memo.verb == "edit":  # what was left alone is shown as it is by now
            kept = _changed(sent)
            values = {name: value for name, value in values.items() if name in kept or name not in sent.values}
        told = _by_label(_words(error), sent.labels)
        try:
            if "ref" in sent.values:  # a form that asks for the run as well
                filled = _Filled(append_fields(memo.verb, values, ask_run=True))
                shown = await self._update(sent.view, memo, filled, told)
            else:
                shown = await self._show(sent.view, memo, command, values, sent.user, error=told)
        except (RundownError, TimeoutError):  # the system does not even tell what the form needs
            await self._failed(sent.view, memo, error, sent.user)
            await self._offer_again(memo, sent.user, command)
            return
        if not shown:
            await self._say(memo, sent.user, messages.complaint(complain(error, command), now=self._world.now()))
            await self._offer_again(memo, sent.user, command)

    async def _only_changes(self, asking: Asking, sent: Sent) -> Command:
        """The edit without the fields that were left as they were shown. Raises _ChangedError."""
        from bot.slack.fields import edit_fields

        found = await asking.find(asking.command.refs[0])
        typed = {name: value for name, value in self._typed(sent.memo).items() if name not in {*sent.values, "ref"}}
        changed = _changed(sent)
        if not changed and not typed:
            raise AskError(
                "Nothing is different.", why="Every field is as it was.", fix="Change one, or close the form."
            )
        before, run = _digests(sent.memo), await _read_now(found)
        now = {each.name: each for each in await edit_fields(found.connection, run, {})}
        theirs = tuple(
            name
            for name, value in changed.items()
            if name in before
            and name in now
            and before[name] not in _alike(now[name], run)
            and _digest(name, value) not in _alike(now[name], run)
        )
        if theirs:
            raise _ChangedError(theirs, frozenset({*changed, *typed}.difference(theirs)))
        return command_from("edit", {"ref": str(run.ref), **typed, **changed})


def _wants_form(asking: Asking) -> bool:
    """Whether so little was typed that a form asks for the rest."""
    command = asking.command
    if command.verb in ("link", "attach"):
        return not command.words and not asking.asker.place.thread
    return wants_form(command)


def _beside(command: Command, fields: Sequence[Field]) -> Command:
    """What was typed that a form does not show: it travels along. A form never shows the files it had before."""
    shown = {field.name for field in fields if field.kind != "files"}
    flags = tuple((name, value) for name, value in command.flags if name not in shown)
    return replace(command, words=(), flags=flags)


def _told(failed: BaseException) -> RundownError:
    """What may be told of it; what is no error of ours or theirs stays in the log."""
    if isinstance(failed, RundownError):
        return failed
    if isinstance(failed, TimeoutError):
        return GrammarError("That took too long.", fix="Try again.")
    return OurError("Something went wrong in Rundown.", why="This is our mistake, not yours.", fix="Try again.")


async def _nothing() -> None:
    """The form says already that it is being done."""


class _ChangedError(TooLateError):
    """Somebody else changed a field after it was shown: `theirs` are the fields, `kept` what is asked besides."""

    def __init__(self, theirs: tuple[str, ...], kept: frozenset[str]) -> None:
        super().__init__(
            f"Somebody else changed its {' and '.join(theirs)} meanwhile.",
            why="Nothing was changed.",
            fix="Look again.",
        )
        self.theirs = theirs
        self.kept = kept


async def _read_now(found: Found) -> Run:
    """The run as it is, from no memory: what a form begins with is what is there."""
    found.connection.forget(found.run.ref)
    return await found.connection.run(found.run.ref)


def _there(fields: Sequence[Field]) -> dict[str, str]:
    """What fields begin with, short enough to travel in a form."""
    return {each.name: _digest(each.name, each.value) for each in fields}


def _digest(name: str, value: str | tuple[str, ...]) -> str:
    text = clean(value if isinstance(value, str) else ",".join(value))
    text = text if name == "description" else " ".join(text.split())
    return hashlib.blake2s(text.encode(), digest_size=6).hexdigest()


def _digests(memo: Memo) -> dict[str, str]:
    try:
        told = json.loads(memo.shown or "{}")
    except ValueError:
        return {}
    return {str(name): str(value) for name, value in told.items()} if isinstance(told, dict) else {}


def _changed(sent: Sent) -> dict[str, str | tuple[str, ...]]:
    """What is not as the run had it when the form was shown."""
    before, nothing = _digests(sent.memo), _digest("", "")
    return {name: value for name, value in sent.values.items() if before.get(name, nothing) != _digest(name, value)}


def _alike(now: Field, run: Run) -> tuple[str, ...]:
    """What a field has now; a milestone goes by its number or, where none could be chosen, by its name."""
    value = _digest(now.name, now.value)
    return (value, _digest(now.name, run.milestone)) if now.name == "milestone" else (value,)


def _by_label(words: str, labels: Mapping[str, str]) -> str:
    """The sentence with what a form calls its fields, in place of the flags that one would type."""
    return re.sub(r"--([a-z][a-z-]*)", lambda flag: f"“{labels[flag[1]]}”" if flag[1] in labels else flag[0], words)


def _check_confirm(sent: Sent) -> Mapping[str, str]:
    if sent.memo.verb != "delete" or "name" not in sent.values:
        raise OldFormError
    return {}


def _confirms(proposal: Proposal) -> bool:
    return isinstance(proposal.change, Delete) and bool(proposal.confirm)


def _to_type(proposal: Proposal) -> tuple[str, str]:
    """What has to be typed to delete a run: its name, or its reference where nobody could type that."""
    ref = proposal.run.ref if proposal.run is not None else None
    if ref is not None and not 0 < len(_folded(proposal.confirm)) <= MOST_TYPED:
        return "its reference", ref.short
    return "its name", " ".join(proposal.confirm.split())


def _folded(text: str) -> str:
    """What of a name is to be seen, however it is written."""
    spaced = (" " if char.isspace() else char for char in unicodedata.normalize("NFKC", text))
    seen = (char for char in spaced if unicodedata.category(char) not in ("Cf", "Cc", "Cn"))
    return " ".join("".join(seen).split()).casefold()


def _fitting(text: str) -> tuple[str, tuple[str, ...]]:
    """A text that a field has room for, with a sentence where it had to be cut."""
    from bot.presenters.limits import TYPED

    if len(text) <= TYPED:
        return text, ()
    return f"{text[: TYPED - 1].rstrip()}…", (f"The message was cut: a note has room for {TYPED:,} characters.",)


def _cut(text: str) -> str:
    return text if len(text) <= 300 else f"{text[:299]}…"


def _words(error: RundownError) -> str:
    choices = ""
    if isinstance(error, AmbiguousError):
        choices = " It could be " + ", ".join(choice.label for choice in error.choices[:8]) + "."
    return " ".join(filter(None, (error.what, error.why, error.fix))) + choices
