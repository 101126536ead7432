"""From the command somebody typed (or a form they sent) to the change that is put before them."""

from __future__ import annotations

from dataclasses import dataclass, replace

from bot.domain.acts import Append, Change, Edit, Named, Pointer, Proposal, Report, Start
from bot.domain.errors import AskError, CannotError, NotFoundError, RundownError, TooLateError
from bot.domain.model import Kind
from bot.domain.refs import NamedRef
from bot.postman import Postman
from bot.slack.desk import Asking
from bot.slack.files import Files
from bot.slack.grammar_changes import edit_parts, fields, named, pointers, report_parts, wants_form
from bot.slack.spoken import in_words, labels_in
from bot.usecases.finding import Found
from bot.usecases.ports import Ledger
from bot.usecases.proposing import (
    Draft,
    need_write,
    propose_append,
    propose_close,
    propose_delete,
    propose_edit,
    propose_report,
    propose_start,
    start_target,
)
from bot.usecases.systems import Target


class IncompleteError(AskError):
    """The command lacks what a form can ask for."""


@dataclass(frozen=True, slots=True)
class Drafter:
    """Makes proposals. Raises what the finder, the grammar and the systems raise, and IncompleteError."""

    ledger: Ledger
    postman: Postman
    files: Files

    async def propose(self, asking: Asking, key: str) -> Proposal:
        """The change that a command means, looked up and put into words."""
        match asking.command.verb:
            case "start":
                return await self._start(asking, key)
            case "edit":
                return await self._edit(asking, key)
            case "report":
                return await self._report(asking, key)
            case "note" | "link" | "attach":
                return await self._append(asking, key)
            case verb:
                found = await asking.find(asking.command.refs[0])
                draft = self._draft(asking, key, asking.again(found))
                return await (propose_close(found, draft) if verb == "close" else propose_delete(found, draft))

    async def need_possible(self, found: Found, verb: str) -> None:
        """Raise what stands in the way of such a change of this run, whatever it says: no form is filled in vain."""
        need_write(verb, found.run.kind, found.connection.system, found.run.ref)
        change = _least(verb, found)
        if change is None:
            return
        try:
            await found.connection.prepare(change)
        except (CannotError, NotFoundError, TooLateError):
            raise
        except RundownError:
            return  # of what it says, or of a system that is away now: both are told when it is sent

    def _draft(self, asking: Asking, key: str, typed: str) -> Draft:
        return Draft(key=key, by=asking.asker.user, now=asking.world.now(), typed=typed, ledger=self.ledger)

    async def _start(self, asking: Asking, key: str) -> Proposal:
        command = asking.command
        target, kind = await self.target(asking)
        name = " ".join(command.words).strip()
        if not name:
            raise IncompleteError("A run needs a name.", fix="Give one, in quotes if it has several words.")
        change = Start(
            connection=target.connection.name,
            letter=kind.letter,
            project=target.project.id,
            name=name,
            description=command.word("description"),
            source=command.word("source"),
            config=named(command, "config"),
            milestone=named(command, "milestone"),
            suite=named(command, "suite"),
            cases=command.numbers("cases") or (),
            assignee=await _person(asking, command.word("assign")),
            refs=command.word("refs"),
            tags=command.several("tag"),
            links=pointers(command),
            fields=fields(command),
        )
        return await propose_start(change, target, kind, self._draft(asking, key, command.text()))

    async def target(self, asking: Asking) -> tuple[Target, Kind]:
        """Where a new run would go."""
        command = asking.command
        return await start_target(
            asking.world.systems,
            asking.context,
            connection=command.word("in"),
            project=command.word("project"),
            typed=command.text(),
        )

    async def _edit(self, asking: Asking, key: str) -> Proposal:
        command = asking.command
        found = await asking.find(command.refs[0])
        if not command.flags:
            await self.need_possible(found, "edit")
            raise IncompleteError("What should change?", fix="Give a flag such as --name, or use the form.")
        parts = edit_parts(command)
        change = Edit(
            ref=found.run.ref,
            project=found.run.project,
            name=parts.name,
            description=parts.description,
            milestone=parts.milestone,
            cases=parts.cases,
            refs=parts.refs,
        )
        return await propose_edit(found, change, self._draft(asking, key, asking.again(found)))

    async def _append(self, asking: Asking, key: str) -> Proposal:
        command, verb = asking.command, asking.command.verb
        found = await asking.find(command.refs[0])
        text = await self._in_words(asking, " ".join(command.words).strip())
        if verb == "note" and text:
            asking = replace(asking, command=replace(command, words=(text,)))
        pointed: tuple[Pointer, ...] = ()
        if verb != "note":
            pointed = pointers(command) or await self._thread_link(asking)
        if not (text if verb == "note" else pointed):
            await self.need_possible(found, verb)
            raise IncompleteError("What should be put there?", fix="Give the text or the address, or use the form.")
        name = command.word("name")
        if name:
            pointed = tuple(replace(each, name=name) for each in pointed)
        change = Append(
            ref=found.ref,
            by=(await asking.world.people.member(asking.asker.user)).name,
            at=asking.world.now(),
            marker=key,
            note=text if verb == "note" else "",
            links=pointed if verb == "link" else (),
            artifacts=pointed if verb == "attach" else (),
        )
        return await propose_append(verb, found, change, self._draft(asking, key, asking.again(found)))

    async def _in_words(self, asking: Asking, text: str) -> str:
        """What somebody typed, as it is understood outside of Slack."""

        async def name_of(user: str) -> str:
            return (await asking.world.people.member(user)).name

        return await in_words(text, name_of, labels_in(asking.question.text))

    async def _thread_link(self, asking: Asking) -> tuple[Pointer, ...]:
        """The thread the command was typed in."""
        place = asking.asker.place
        url = await self.postman.permalink(place.channel, place.thread) if place.thread else ""
        return (Pointer("Slack thread", url),) if url else ()

    async def _report(self, asking: Asking, key: str) -> Proposal:
        command = asking.command
        found = await asking.find(command.refs[0])
        need_write("report", found.run.kind, found.connection.system, found.run.ref)
        if wants_form(command):
            raise IncompleteError("Which test, and what became of it?", fix="Name both, or use the form.")
        settled = replace(command, refs=(NamedRef(found.ref.connection, found.ref.letter, found.ref.id, found.part),))
        parts = report_parts(settled)
        if not parts.tests:
            raise IncompleteError("Which test is it?", fix="Name it, or use the form.")
        change = Report(
            ref=replace(found.run.ref, thread=None),
            project=found.run.project,
            by=(await asking.world.people.member(asking.asker.user)).name,
            at=asking.world.now(),
            marker=key,
            tests=parts.tests,
            note=await self._in_words(asking, parts.note),
            duration_s=parts.duration_s,
            steps=parts.steps,
            version=parts.version,
            tester=await _person(asking, parts.by),
            folder=parts.folder,
            fields=parts.fields,
            files=await self.files.about(parts.files),
        )
        return await propose_report(found, change, self._draft(asking, key, asking.again(found)))


def _least(verb: str, found: Found) -> Change | None:
    """The smallest change of that kind; None for what depends on its content alone."""
    ref, run = found.ref, found.run
    if verb == "edit":
        return Edit(ref=run.ref, project=run.project, name=run.name)
    if verb not in ("note", "link", "attach"):
        return None
    pointed = (Pointer("Link", "https://example.org/"),)
    return Append(
        ref=ref,
        by="",
        at=run.read_at,
        marker="",
        note="Note" if verb == "note" else "",
        links=pointed if verb == "link" else (),
        artifacts=pointed if verb == "attach" else (),
    )


async def _person(asking: Asking, typed: str) -> Named | None:
    """A person by what a system may know them by: address, else name, else what was typed."""
    if not typed:
        return None
    who = (await asking.people()).get(typed)
    return Named(who.email or who.name or who.text) if who else Named(typed)
