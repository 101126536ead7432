"""close, start, edit, note, link, attach, report, delete: put before the person, confirmed by a press, done once.

A preview is for the asker alone; what was done is told to everybody. The press finds the proposal in the database, so
that it works after a restart and in another process; who presses may do it or not is asked at the press.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime

from bot.domain.acts import WRITES, Append, Bulk, Delete, Ended, Entry, Proposal, Receipt, Report
from bot.domain.checkpoints import checkpoint
from bot.domain.errors import AskError, GrammarError, NotAllowedError, NotFoundError, RundownError, TooLateError
from bot.domain.model import RunRef
from bot.postman import NotSaidError, Postman, ReturnPath
from bot.presenters import messages
from bot.presenters.message import Message
from bot.slack.buttons import Buttons, Click
from bot.slack.desk import PATIENCE_S, Answer, Asking, Desk, late_message
from bot.slack.drafting import Drafter, IncompleteError
from bot.slack.files import Files
from bot.slack.grammar_command import Command
from bot.slack.grammar_queries import automated, run_query
from bot.slack.mishaps import complain
from bot.slack.questions import Question
from bot.slack.receipts import Receipts
from bot.slack.runs import in_words
from bot.slack.tasks import Tasks
from bot.usecases.bulk import carry_out_bulk, first_go, propose_bulk
from bot.usecases.changing import ExpiredError, Hands, LateError, MovedError, carry_out, vouching
from bot.usecases.listing import ListAsk, list_runs
from bot.usecases.ports import PATIENCE, Patience, Place, Proposals

log = logging.getLogger(__name__)

#: Seconds between two edits of a message that tells how far a bulk change is.
PROGRESS_S = 3.0
#: Seconds that what was asked for waits for Slack to hear that it is being done.
SAID_S = 2.0

#: Seconds that a form waits for the system to say whether the run is there still; Slack gives three to open it.
THERE_S = 1.0
#: What became of a preview is known: it is done, or may be.
_TAKEN = (Ended.BEGUN, Ended.DOUBT, Ended.DONE)
_REPLACED = "Its form was sent instead: what that said is what counts."

#: Opens the form of a command; returns whether it did. Told the command, where from, and Slack's trigger.
OpenForm = Callable[[Command, ReturnPath, str, str], Awaitable[bool]]


def new_key() -> str:
    """A name for a change that nobody can guess."""
    return secrets.token_hex(8)


class _ForgottenError(AskError):
    def __init__(self) -> None:
        super().__init__(
            "This preview is not known any more.",
            why="Previews are kept for a month.",
            fix="Type the command again; nothing was changed.",
        )


class Acting:
    """The flow of a change from preview to receipt."""

    def __init__(
        self,
        desk: Desk,
        *,
        hands: Hands,
        proposals: Proposals,
        drafter: Drafter,
        receipts: Receipts,
        files: Files,
        postman: Postman,
        tasks: Tasks,
    ) -> None:
        self._desk = desk
        self._world = desk.world
        self._hands = hands
        self._proposals = proposals
        self._drafter = drafter
        self._receipts = receipts
        self._files = files
        self._postman = postman
        self._tasks = tasks
        self.open_form: OpenForm | None = None

    def register(self, buttons: Buttons) -> None:
        """Answer the verbs and hear the buttons."""
        for verb in WRITES:
            self._desk.feature(verb, self.answer)
        buttons.on("act", lambda click: self._hear(click, self._pressed(click)))
        buttons.on("bulk", lambda click: self._hear(click, self._pressed_bulk(click)))

    # ── the preview ──

    async def answer(self, asking: Asking) -> Answer:
        """A preview, or the form that asks for what the command lacks."""
        command = asking.command
        await self.need(command.verb, asking.asker.place, asking.asker.user, command.text())
        if command.verb == "close" and not command.refs:
            return await self._answer_bulk(asking)
        dry = command.on("dry-run")
        try:
            proposal = await self.propose(asking)
        except IncompleteError as error:
            return await self._ask_for_rest(asking, error)
        message = messages.proposal(proposal, now=self._world.now(), dry=dry)
        return Answer(message, proposal.run.ref if proposal.run else None, to_asker=True)

    async def propose(self, asking: Asking) -> Proposal:
        """The proposal of a command, kept so that its button works whenever and wherever it is pressed."""
        proposal = await self._drafter.propose(asking, new_key())
        place = asking.asker.place
        await self._proposals.put(
            proposal, team=place.team, channel=place.channel, thread=place.thread, user=asking.asker.user
        )
        return proposal

    async def need(self, verb: str, place: Place, user: str, typed: str = "") -> None:
        """Raises NotAllowedError, with the attempt on record: what was typed tells which run was meant."""
        now, key = self._world.now(), f"refused {new_key()}"
        await self._hands.gate.need(verb, place, user, now=now, key=key, title=typed.removeprefix(verb).strip())

    async def _ask_for_rest(self, asking: Asking, lacks: IncompleteError) -> Answer:
        """The form at once where Slack gave us a way to open it, else a button that does."""
        question, command = asking.question, asking.command
        opened = question.trigger and self.open_form is not None
        if opened and await self.open_form(command, question.back, question.trigger, ""):  # type: ignore[misc]
            return Answer(messages.working("the form"), silent=True)
        offer = messages.form_offer(command.verb, lacks.what, value=command.text()[:1_900])
        return Answer(offer, to_asker=True)

    async def _answer_bulk(self, asking: Asking) -> Answer:
        command, world = asking.command, self._world
        dry = command.on("dry-run")
        listing = await list_runs(
            ListAsk(
                query=run_query(command, people=await asking.people()),
                words=in_words(command, "runs", await asking.names()),
                connection=command.word("in"),
                project=command.word("project"),
                automated=automated(command),
                sort="oldest",
                limit=command.number("limit"),
            ),
            systems=world.systems,
            context=asking.context,
            recall=world.recall,
            asker=asking.asker,
            now=world.now(),
        )
        bulk = propose_bulk(
            listing,
            key=new_key(),
            typed=command.text(),
            by=asking.asker.user,
            now=world.now(),
            systems=world.systems,
            dry=dry,
        )
        if not dry:
            await self._proposals.put_bulk(bulk)
        message = messages.bulk(bulk, now=world.now(), page=command.page)
        return Answer(message, to_asker=True, listed=tuple(item.run.ref for item in bulk.items))

    # ── the press ──

    def _hear(self, click: Click, work: Awaitable[None]) -> None:
        self._tasks.spawn(self._heard(click, work), name=f"{click.what} {click.key}")

    async def _heard(self, click: Click, work: Awaitable[None]) -> None:
        """One delivery of a press; whatever goes wrong is told to whoever pressed."""
        if not await self._desk.is_first(click.key):
            getattr(work, "close", lambda: None)()
            return
        PATIENCE.set(Patience(time.monotonic() + PATIENCE_S))
        try:
            await work
        except NotSaidError as error:
            log.error("the end of a press could not be said in %s: %s", click.back.channel, error.reason)
        except Exception as error:  # the last resort: nobody is left without an answer
            await self._postman.whisper(click.back, self._sorry(error))

    def _sorry(self, error: BaseException) -> Message:
        if isinstance(error, NotAllowedError):
            return self._desk.refusal(error)
        if isinstance(error, LateError):
            return late_message(error.entry, self._world)
        return messages.complaint(complain(error), now=self._world.now())

    async def _pressed(self, click: Click) -> None:
        proposal = await self._proposals.get(click.value)
        if click.what == "form":
            await self._open_form(click, proposal)
            return
        if proposal is None and click.what == "cancel":
            await self._cancel_bulk(click)
            return
        if proposal is None:
            raise _ForgottenError
        match click.what:
            case "go" if proposal.confirm or isinstance(proposal.change, Delete):
                await self._open_form(click, proposal)  # whatever a button says: this is confirmed by typing alone
            case "go":
                await self._go(click, proposal)
            case "cancel":
                await self._cancel(click, proposal)
            case "confirm":
                await self._open_form(click, proposal)

    async def _open_form(self, click: Click, proposal: Proposal | None) -> None:
        """The form with what was typed. Nothing is said: it opens, or the one who pressed is told why it can't."""
        text = proposal.typed if proposal is not None else click.value
        command = self._world.grammar.parse(text, now=self._world.now())
        await self.need(command.verb, _place(click.back), click.back.user, command.text())
        if proposal is not None:
            try:
                await self._need_there(proposal)
            except NotFoundError as error:
                await self._postman.replace(click.back, messages.complaint(complain(error), now=self._world.now()))
                return
        preview = proposal.key if proposal is not None else ""
        if self.open_form is None or not await self.open_form(command, click.back, click.trigger, preview):
            raise AskError(
                "The form did not open.",
                why="Slack gives only three seconds for that.",
                fix="Press the button again.",
            )

    async def _need_there(self, proposal: Proposal) -> None:
        """Raise LateError for what was done already, NotFoundError when its run is gone. Does not wait for long."""
        entry = await self._hands.ledger.entry(proposal.key)
        if entry is not None and entry.outcome in _TAKEN:
            raise LateError(entry)
        if proposal.run is None:
            return
        ref = replace(proposal.run.ref, thread=None)
        try:
            async with asyncio.timeout(THERE_S):
                connection = self._world.systems.get(ref.connection)
                connection.forget(ref)
                await connection.run(ref)
        except NotFoundError as error:
            raise NotFoundError(
                f"{ref.short} is not there any more.",
                why="It was deleted since you looked. Nothing was changed.",
                fix=error.fix,
                closest=error.closest,
            ) from None
        except (RundownError, TimeoutError):
            return  # the form will tell

    async def replaced(self, key: str, back: ReturnPath) -> None:
        """Put on record that a preview's form was sent in its place, so that its button does nothing any more.

        Raises LateError when the preview was acted on before.
        """
        proposal = await self._proposals.get(key)
        if proposal is None:
            return
        ref = proposal.run.ref if proposal.run else None
        late = await self._put_off(back, key, proposal.verb, ref=ref, title=proposal.title, why=_REPLACED)
        if late is not None and late.outcome in _TAKEN:
            raise LateError(late)

    async def _cancel(self, click: Click, proposal: Proposal) -> None:
        run = proposal.run
        late = await self._put_off(
            click.back, proposal.key, proposal.verb, ref=run.ref if run else None, title=proposal.title
        )
        if late is not None:
            await self._say_late(click.back, proposal, LateError(late))
            return
        await self._postman.replace(click.back, messages.cancelled(proposal))

    async def _cancel_bulk(self, click: Click) -> None:
        bulk = await self._proposals.get_bulk(click.value)
        if bulk is None:
            raise _ForgottenError
        late = await self._put_off(click.back, first_go(bulk), "close", ref=None, title=bulk.words)
        if late is not None:
            raise LateError(late)
        await self._postman.replace(click.back, messages.cancelled())

    async def _put_off(
        self, back: ReturnPath, key: str, verb: str, *, ref: RunRef | None, title: str, why: str = ""
    ) -> Entry | None:
        """Put on record that it is not to be done, so that a press on an older screen does not do it after all.

        What is on record already where that comes too late.
        """
        now, ledger = self._world.now(), self._hands.ledger
        await ledger.note(
            Entry(
                key=key,
                verb=verb,
                connection=ref.connection if ref else "",
                ref=ref,
                title=title,
                who=back.user,
                who_name=(await self._world.people.member(back.user)).name,
                team=back.team,
                channel=back.channel,
                thread=back.thread,
                at=now,
                outcome=Ended.CANCELLED,
                ended_at=now,
                why=why,
            )
        )
        entry = await ledger.entry(key)
        return entry if entry is not None and entry.outcome is not Ended.CANCELLED else None

    async def _go(self, click: Click, proposal: Proposal) -> None:
        """Carry it out for whoever pressed; the message that was pressed tells how it went."""
        async with vouching(proposal.key, self._hands.ledger):  # until the end is told, too
            await self._try(click.back, proposal)

    async def _try(self, back: ReturnPath, proposal: Proposal) -> None:
        try:
            receipt = await self.carry_out(proposal, back, begun=lambda: self._say_working(back, proposal))
        except ExpiredError:
            await self._propose_again(back, proposal, "The preview was too old to act on. This is how it is now.")
        except MovedError as error:
            await self._receipts.told(proposal.key)
            await self._propose_again(back, proposal, f"Changed since you looked: {error.words}.")
        except LateError as error:
            await self._say_late(back, proposal, error)
        except (TooLateError, NotFoundError) as error:
            await self._postman.replace(back, messages.complaint(complain(error), now=self._world.now()))
            await self._receipts.told(proposal.key)
            if proposal.run is not None:
                self._receipts.refresh(proposal.run.ref)
        except NotAllowedError as error:
            await self._postman.whisper(back, self._desk.refusal(error))
        except RundownError as error:
            await self._postman.replace(back, messages.complaint(complain(error), now=self._world.now()))
            await self._receipts.told(proposal.key)
        else:
            await self.finish(back, receipt)

    async def carry_out(self, proposal: Proposal, back: ReturnPath, *, begun: Callable[[], Awaitable[None]]) -> Receipt:
        """Do it. Raises what `bot.usecases.changing.carry_out` raises."""
        change = proposal.change
        files = await self._files.read(change.files) if isinstance(change, Report) and change.files else {}
        return await carry_out(
            proposal, hands=self._hands, place=_place(back), user=back.user, files=files, begun=begun
        )

    async def told(self, key: str) -> None:
        """The person knows what became of it."""
        await self._receipts.told(key)

    async def publish(self, back: ReturnPath, receipt: Receipt) -> bool:
        """Tell everybody what a form asked for and was done. False where nobody else is to be told."""
        return receipt.entry.outcome is Ended.DONE and await self._receipts.publish(back, receipt)

    async def finish_form(self, back: ReturnPath, receipt: Receipt, *, said: bool) -> None:
        """The end of what a form asked for; `said` tells that the form or a public message says it already."""
        if not said:
            await self._postman.whisper(back, messages.receipt(receipt, now=self._world.now()))
        checkpoint("said")
        if receipt.entry.outcome is not Ended.DOUBT:
            await self._receipts.told(receipt.entry.key)

    async def finish(self, back: ReturnPath, receipt: Receipt) -> None:
        """Tell the end: in public what was done, in place of the preview what was not."""
        message = messages.receipt(receipt, now=self._world.now())
        done = receipt.entry.outcome is Ended.DONE
        public = done and await self._receipts.publish(back, receipt)
        if public and back.private:
            await self._postman.withdraw(back)
        else:
            await self._postman.replace(back, message)
        checkpoint("said")
        if receipt.entry.outcome is not Ended.DOUBT:
            await self._receipts.told(receipt.entry.key)
        if public and isinstance(receipt.entry.change, Append) and receipt.entry.verb == "link" and back.thread:
            await self._receipts.card_into_thread(back, receipt)

    async def _say_working(self, back: ReturnPath, proposal: Proposal) -> None:
        """The buttons leave at once. That this can't be said does not hold up what was asked for."""
        try:
            async with asyncio.timeout(SAID_S):
                await self._postman.replace(back, messages.working(messages.doing(proposal)))
        except NotSaidError as error:
            log.warning("could not say that it is being done: %s", error.reason)
        except TimeoutError:
            log.warning("could not say that it is being done: Slack does not answer")

    async def _say_late(self, back: ReturnPath, proposal: Proposal, error: LateError) -> None:
        """Who came second is told who was first; their own preview goes, unless it is the first one's."""
        message = late_message(error.entry, self._world)
        if error.entry.key == proposal.key:
            await self._postman.whisper(back, message)
            return
        await self._postman.replace(back, message)
        await self._receipts.told(proposal.key)

    async def _propose_again(self, back: ReturnPath, old: Proposal, words: str) -> None:
        """The same question once more, about the run as it is now, in place of the old one."""
        command = self._world.grammar.parse(old.typed, now=self._world.now())
        asking = await self._desk.understand(command, Question(text=old.typed, back=back))
        try:
            proposal = await self.propose(asking)
        except LateError as error:
            await self._postman.replace(back, late_message(error.entry, self._world))
        except RundownError as error:
            await self._postman.replace(back, messages.complaint(complain(error, command), now=self._world.now()))
        else:
            await self._postman.replace(back, messages.proposal(proposal, now=self._world.now(), changed=words))

    # ── several ──

    async def _pressed_bulk(self, click: Click) -> None:
        bulk = await self._proposals.get_bulk(click.value)
        if bulk is None:
            raise _ForgottenError
        back = click.back
        shown = _Progress(self._postman, self._world.now, back, self._tasks)
        try:
            done = await carry_out_bulk(
                replace(bulk, dry=False),
                hands=self._hands,
                place=_place(back),
                user=back.user,
                begun=lambda: shown.begin(bulk),
                progress=shown.tell,
            )
        except LateError as error:
            await self._postman.whisper(back, late_message(error.entry, self._world))
            return
        except ExpiredError as error:
            await self._postman.replace(back, messages.complaint(complain(error), now=self._world.now()))
            return
        await shown.end(done)
        checkpoint("go said")
        await self._receipts.told(done.attempt)
        for item in done.items:
            if item.entry is not None and item.entry.outcome is Ended.DONE:
                self._receipts.refresh(item.run.ref)


class _Progress:
    """The message that tells how far a bulk change is: public where people are, in place of the list elsewhere."""

    def __init__(self, postman: Postman, now: Callable[[], datetime], back: ReturnPath, tasks: Tasks) -> None:
        self._postman = postman
        self._now = now
        self._back = back
        self._tasks = tasks
        self._begun: asyncio.Task[None] | None = None
        self._ts = ""
        self._told_at = 0.0

    def _message(self, bulk: Bulk) -> Message:
        return messages.bulk(bulk, now=self._now())

    async def begin(self, bulk: Bulk) -> None:
        """The list's buttons leave at once; a Slack that is slow about it does not hold up what was asked for."""
        self._begun = self._tasks.spawn(self._announce(bulk), name=f"announce {bulk.key}")
        await asyncio.wait({self._begun}, timeout=SAID_S)

    async def _announce(self, bulk: Bulk) -> None:
        back = self._back
        try:
            if back.private:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(SAID_S):
                        await self._postman.replace(back, messages.working(f"Closing {bulk.left} runs"))
                self._ts = await self._postman.say(
                    replace_private(back), messages.bulk(bulk, now=self._now(), under_way=True)
                )
            else:
                await self._postman.replace(back, messages.bulk(bulk, now=self._now(), under_way=True))
                self._ts = back.message_ts
        except NotSaidError as error:
            log.warning("could not say how far it is: %s", error.reason)
        self._told_at = time.monotonic()

    async def tell(self, bulk: Bulk) -> None:
        """How far it is, every few seconds."""
        if not self._ts or time.monotonic() - self._told_at < PROGRESS_S:
            return
        self._told_at = time.monotonic()
        try:
            async with asyncio.timeout(SAID_S):
                await self._postman.edit(
                    self._back.channel, self._ts, messages.bulk(bulk, now=self._now(), under_way=True)
                )
        except NotSaidError as error:
            log.warning("could not say how far it is: %s", error.reason)
        except TimeoutError:
            log.warning("could not say how far it is: Slack does not answer")

    async def end(self, bulk: Bulk) -> None:
        """What became of each."""
        if self._begun is not None:
            await self._begun  # where it is said how far it was, the end is said
        message = self._message(bulk)
        if self._ts:
            await self._postman.put(self._back, self._ts, message)
        else:
            await self._postman.say(replace_private(self._back), message)
        if self._back.private:
            await self._postman.withdraw(self._back)


def replace_private(back: ReturnPath) -> ReturnPath:
    """The same place, for everybody to read."""
    return replace(back, private=False)


def _place(back: ReturnPath) -> Place:
    return Place(back.team, back.channel, back.thread)


__all__ = ["Acting", "GrammarError", "OpenForm", "new_key"]
