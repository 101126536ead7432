"""The desk: every question, wherever it was asked, is read, worked on in a task of our own, and answered.

A question has been acknowledged before it gets here. The first answer leaves within three seconds: the result, an
error in four parts, or, when a system is slow, a line that says so and is replaced by either.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol
from zoneinfo import ZoneInfo

from bot.domain.acts import WRITES, Entry
from bot.domain.errors import AmbiguousError, AskError, Choice, GrammarError, NotAllowedError, OurError, RundownError
from bot.domain.model import RunRef
from bot.domain.queries import Who
from bot.domain.refs import LastRef, NamedRef, Ref
from bot.postman import NotSaidError, Postman, ReturnPath
from bot.presenters import messages
from bot.presenters.message import Message
from bot.slack.grammar import Grammar
from bot.slack.grammar_command import Command, When
from bot.slack.grammar_queries import people as people_in
from bot.slack.mishaps import complain
from bot.slack.people import Member, People
from bot.slack.questions import Question
from bot.slack.spoken import in_words, labels_in
from bot.slack.tasks import Tasks
from bot.usecases.access import Gate
from bot.usecases.changing import LateError, done_word
from bot.usecases.finding import Asker, Finder, Found, thread_list
from bot.usecases.ports import PATIENCE, Card, ChannelContext, Contexts, Patience, Place, Recall
from bot.usecases.systems import Systems

log = logging.getLogger(__name__)

#: Seconds: until a slow source is announced; until a system must have answered; until we give up on ourselves.
SLOW_S, PATIENCE_S, LIMIT_S = 1.5, 20.0, 24.0
#: Verbs whose run has to be named: `last` alone may be somebody else's newest one.
_NAMED_ONLY = frozenset({"close", "delete"})
#: Public answers whose askers are known; the others' pages are turned in private.
MOST_ASKERS = 5_000


class Deliveries(Protocol):
    async def claim(self, key: str) -> bool:
        """True for whoever comes first with this key."""


def asker_of(question: Question) -> Asker:
    """Who asks, and where."""
    return Asker(Place(question.back.team, question.back.channel, question.back.thread), question.back.user)


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What features work with."""

    systems: Systems
    contexts: Contexts
    recall: Recall
    people: People
    grammar: Grammar
    gate: Gate
    now: Callable[[], datetime]
    slash: str = "/runs"


def late_message(entry: Entry, world: World) -> Message:
    """For who comes second: who was first, when, and what became of it."""
    return messages.late(entry, now=world.now(), done=done_word(entry, world.systems))


@dataclass(frozen=True, slots=True)
class Answer:
    """What to say; the run it is about, so that `this` means it in the thread below; the runs it lists, for `#3`.

    `to_all` is said in public even if it was asked in private (a setting of the channel changed), `to_asker` in
    private even if it was asked in public; `silent` is not said at all (a dialog has opened). A public message that is
    a `card` of its run is kept true to it: that is the command that says it again.
    """

    message: Message
    run: RunRef | None = None
    listed: tuple[RunRef, ...] = ()
    is_error: bool = False
    to_all: bool = False
    to_asker: bool = False
    silent: bool = False
    card: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """A question that was understood, with all that a feature needs to answer it."""

    command: Command
    question: Question
    world: World
    context: ChannelContext | None

    @property
    def asker(self) -> Asker:
        return asker_of(self.question)

    async def offers(self) -> frozenset[str]:
        """The verbs of changes that may be offered on what is answered: the asker's own, or anybody's in public."""
        question, gate = self.question, self.world.gate
        if question.public or question.share or not question.back.private:
            return frozenset() if gate.read_only else frozenset(WRITES)
        return await gate.among(WRITES, self.asker.place, self.asker.user)

    @property
    def shareable(self) -> bool:
        question = self.question
        return not (question.public or question.share or (question.in_place and not question.back.private))

    def again(self, *found: Found) -> str:
        """This command as text with its references settled, so that it means the same later and to others."""
        return _settled(self.command, *found).with_page(1).text()

    async def find(self, ref: Ref) -> Found:
        """The run that is meant by one of the command's references.

        Raises AskError for `last` where a run would be gone from sight: the newest one may be anybody's.
        """
        finder = Finder(
            systems=self.world.systems,
            context=self.context,
            recall=self.world.recall,
            asker=self.asker,
            now=self.world.now(),
            again=lambda other: _with_ref(self.command, ref, other).text(),
        )
        found = await finder.find(ref)
        if isinstance(ref, LastRef) and not ref.words and self.command.verb in _NAMED_ONLY:
            verb = self.command.verb
            raise AskError(
                f"Name the run to {verb}.",
                why=f"`last` is whatever run is newest; right now that is {found.ref}, {found.run.name}.",
                fix=f"Type {verb} and its number.",
                closest=(self.again(found),),
            )
        return found

    async def people(self) -> Mapping[str, Who]:
        """Who `me` and the mentions of this command are."""
        return {text: member.who() for text, member in (await self._members()).items()}

    async def names(self) -> Mapping[str, str]:
        """The same people's names, for the answer."""
        return {text: member.name for text, member in (await self._members()).items()}

    async def _members(self) -> Mapping[str, Member]:
        typed = [text for text in people_in(self.command) if text == "me" or text.startswith("<@")]
        ids = [self.asker.user if text == "me" else text[2:].split("|")[0].rstrip(">") for text in typed]
        members = await asyncio.gather(*(self.world.people.member(each) for each in ids))
        return dict(zip(typed, members, strict=True))


Feature = Callable[[Asking], Awaitable[Answer]]


class Desk:
    """Takes questions and sees to it that each gets exactly one answer."""

    def __init__(self, world: World, postman: Postman, tasks: Tasks, deliveries: Deliveries) -> None:
        self.world = world
        self._postman = postman
        self._tasks = tasks
        self._deliveries = deliveries
        self._features: dict[str, Feature] = {}
        self.keep_card: Callable[[Card], Awaitable[None]] | None = None
        self._askers: OrderedDict[tuple[str, str], str] = OrderedDict()
        self._shared: OrderedDict[tuple[str, str], None] = OrderedDict()

    def feature(self, verb: str, answer: Feature) -> None:
        """Let this function answer the verb."""
        self._features[verb] = answer

    def was_asked_by(self, back: ReturnPath) -> bool:
        """Whether the message that was clicked is an answer to the one who clicked; others' clicks don't change it."""
        return back.private or self._askers.get((back.channel, back.message_ts)) == back.user

    def begins_sharing(self, back: ReturnPath) -> bool:
        """True for the first press of Share on a message; pressing again while it is done shares nothing twice."""
        press = (back.user, back.message_ts)
        if press in self._shared:
            return False
        self._shared[press] = None
        while len(self._shared) > MOST_ASKERS:
            self._shared.popitem(last=False)
        return True

    def take(self, question: Question) -> None:
        """Work on it from now on. Returns at once."""
        self._tasks.spawn(self._serve(question), name=f"question {question.key}")

    def tell(self, back: ReturnPath, error: RundownError, *, key: str) -> None:
        """Answer with an error, for things that are no questions (a button nobody knows any more)."""
        self._tasks.spawn(self._refuse(back, error, key), name=f"refusal {key}")

    async def _refuse(self, back: ReturnPath, error: RundownError, key: str) -> None:
        if await self.is_first(key):
            await self._postman.whisper(back, messages.complaint(complain(error), now=self.world.now()))

    async def _serve(self, question: Question) -> None:
        if not await self.is_first(question.key):
            return
        PATIENCE.set(Patience(time.monotonic() + PATIENCE_S))
        first = self._parse(question)
        question = replace(question, share=question.share or (isinstance(first, Command) and first.share))
        work = asyncio.create_task(self._work(question, first), name=f"work {question.key}")
        looking = _NOTHING
        try:
            done, _ = await asyncio.wait({work}, timeout=SLOW_S)
            if not done:
                looking = await self._say_slow(question, first)
            await self._deliver(question, await work, looking)
        except asyncio.CancelledError:
            work.cancel()
            await self._deliver(question, self._error(_Restarting()), looking)
            raise
        except NotSaidError as error:
            log.error("an answer could not be said in %s: %s", question.back.channel, error.reason)

    async def is_first(self, key: str) -> bool:
        """Whether this delivery is the first one with its key."""
        if not key:
            return True
        try:
            return await self._deliveries.claim(key)
        except RundownError:
            return True  # without a database an answer given twice is better than none

    async def _work(self, question: Question, first: Command | GrammarError) -> Answer:
        """The answer, whatever happens on the way to it."""
        command = first if isinstance(first, Command) else None
        try:
            async with asyncio.timeout(LIMIT_S):
                return await self._answer(question, first)
        except TimeoutError:
            return self._error(_Overdue())
        except Exception as error:  # the last resort: nobody is left without an answer
            if isinstance(error, GrammarError):
                error = await self._in_words(error, question.text)
            return self._error(error, command)

    async def _in_words(self, error: GrammarError, text: str) -> RundownError:
        """The same mistake with names for what only Slack understands: mentions are ids in what is typed."""
        labels = labels_in(text)

        async def named(words: str) -> str:
            return await in_words(words, self._name_of, labels)

        choices = tuple([Choice(await named(each), each) for each in error.closest])
        what, why, fix = [await named(words) for words in (error.what, error.why, error.fix)]
        if all(choice.label == choice.command for choice in choices):
            return GrammarError(what, why=why, fix=fix, closest=error.closest)
        return AmbiguousError(what, choices, why=why, fix=fix)

    async def _name_of(self, user: str) -> str:
        return (await self.world.people.member(user)).name

    def _error(self, error: BaseException, command: Command | None = None) -> Answer:
        if isinstance(error, NotAllowedError):
            return Answer(self.refusal(error, command), is_error=True, to_asker=True)
        if isinstance(error, LateError):
            return Answer(late_message(error.entry, self.world), is_error=True, to_asker=True)
        return Answer(messages.complaint(complain(error, command), now=self.world.now()), is_error=True)

    def refusal(self, error: NotAllowedError, command: Command | None = None) -> Message:
        """That somebody may not do that, with the way to ask for it."""
        told = complain(error, command)
        value = f"{error.verb} {command.text()}" if command is not None else error.verb
        return messages.refusal(told, verb=error.verb, askable=error.askable, value=value)

    async def answer_for(self, text: str, team: str, channel: str, user: str) -> Message:
        """What a reading command says when nobody waits for it, as this person would be answered there."""
        back = ReturnPath(team=team, channel=channel, user=user, private=False)
        question = Question(text=text, back=back, public=True)
        return (await self._work(question, self._parse(question))).message

    async def understand(self, command: Command, question: Question) -> Asking:
        """A command that did not come as words, with all that a feature needs to answer it."""
        return Asking(command=command, question=question, world=self.world, context=await self._context(question))

    async def _context(self, question: Question) -> ChannelContext | None:
        context = await self.world.contexts.get(asker_of(question).place)
        if context is not None and not any(each.name == context.connection for each in self.world.systems):
            return None  # the settings lost the connection that was chosen here
        return context

    async def _answer(self, question: Question, first: Command | GrammarError) -> Answer:
        context = await self._context(question)
        command = await self._settle(question, first)
        asking = Asking(command=replace(command, share=False), question=question, world=self.world, context=context)
        answer = await self._features[command.verb](asking)
        if question.clicked_share:
            answer = replace(answer, message=messages.shared_by(answer.message, question.back.user))
        return answer

    def _parse(self, question: Question) -> Command | GrammarError:
        try:
            return self.world.grammar.parse(question.text, now=self.world.now())
        except GrammarError as error:
            return error

    async def _settle(self, question: Question, first: Command | GrammarError) -> Command:
        """The command as it is meant here: of the thread's run when none is named, with days of the asker's zone.

        The thread and the zone are looked up only where they matter.
        """
        place, recall = asker_of(question).place, self.world.recall
        if not question.text.strip() and await recall.thread_run(place) is not None:
            first = self.world.grammar.parse("show this", now=self.world.now())  # a bare mention in a run's thread
        this = isinstance(first, GrammarError) and await recall.thread_run(place) is not None
        if isinstance(first, GrammarError):
            first = self.world.grammar.parse(question.text, now=self.world.now(), this=this)
        if not any(isinstance(value, When) for _, value in first.flags):
            return first
        try:
            zone = ZoneInfo((await self.world.people.member(question.back.user)).tz)
        except (RundownError, ValueError, OSError):  # ZoneInfo raises these for names it does not know
            return first
        return self.world.grammar.parse(question.text, now=self.world.now().astimezone(zone), this=this)

    async def _say_slow(self, question: Question, first: Command | GrammarError) -> _Said:
        """Say that a system is slow; what was said is replaced by the answer.

        It goes where the answer will go: a public line of a private answer would stay there for ever.
        """
        message = messages.looking(question.text.strip()[:80] or "what matters here", "the test system")
        try:
            alone = isinstance(first, Command) and self._is_for_asker(first, question.back)
            if (question.public or question.share) and not alone:
                return _Said(ts=await self._postman.say(question.back, message))
            if not question.in_place:
                await self._postman.whisper(question.back, message)
                # A click's response_url would replace what was clicked, not this line: there the answer comes below it.
                return _Said(privately=not question.back.message_ts)
        except NotSaidError as error:
            log.warning("could not say that a system is slow: %s", error.reason)
        return _NOTHING

    def _is_for_asker(self, command: Command, back: ReturnPath) -> bool:
        """Whether the answer goes to the asker alone; in a direct message nobody else reads it anyway."""
        return self.world.grammar.named(command.verb).to_asker and not back.channel.startswith("D")

    async def _deliver(self, question: Question, answer: Answer, said: _Said) -> None:
        back = question.back
        if answer.silent:
            return
        if answer.is_error and question.clicked_share:
            self._shared.pop((back.user, back.message_ts), None)
        public = question.public or answer.to_all or (question.share and not answer.is_error)
        if answer.to_asker and not back.channel.startswith("D"):
            public = False
        if question.in_place and not answer.is_error:
            await self._postman.replace(back, answer.message)
        elif not public:
            await self._postman.whisper(back, answer.message, replace=said.privately)
        else:
            await self._publish(question, answer, said)

    async def _publish(self, question: Question, answer: Answer, said: _Said) -> None:
        """Say it where all read it, and remember what the thread below it is about."""
        back, ts = question.back, said.ts
        ts = await (self._postman.put(back, ts, answer.message) if ts else self._postman.say(back, answer.message))
        if ts:
            self._askers[back.channel, ts] = back.user
            while len(self._askers) > MOST_ASKERS:
                self._askers.popitem(last=False)
        if ts and answer.card and answer.run is not None and self.keep_card is not None:
            await self.keep_card(Card(back.team, back.channel, ts, back.thread, answer.run, answer.card))
        root = back.thread or ts
        place = Place(back.team, back.channel, root)
        if answer.run is not None and root:
            await self._bind(place, answer.run)
        if answer.listed and root:
            await self.world.recall.remember_list(place, thread_list(root), answer.listed)
        if question.clicked_share and back.private:
            await self._postman.withdraw(back)

    async def _bind(self, place: Place, ref: RunRef) -> None:
        """The first run a thread tells of is the thread's."""
        if await self.world.recall.thread_run(place) is None:
            await self.world.recall.bind_thread(place, ref)


@dataclass(frozen=True, slots=True)
class _Said:
    """The line that says a source is slow: where it is, so that the answer takes its place."""

    ts: str = ""
    privately: bool = False


_NOTHING = _Said()


class _Overdue(OurError):
    def __init__(self) -> None:
        super().__init__(
            f"That took longer than {LIMIT_S:.0f} s.",
            why="Nobody should wait for ever.",
            fix="Narrow the question, or repeat it.",
        )


class _Restarting(OurError):
    def __init__(self) -> None:
        super().__init__("Rundown is restarting.", why="Your question was not finished.", fix="Please ask again.")


def _settled(command: Command, *found: Found) -> Command:
    refs: list[Ref] = [NamedRef(each.ref.connection, each.ref.letter, each.ref.id, _part(each)) for each in found]
    return replace(command, refs=(*refs, *command.refs[len(refs) :]))


def _part(found: Found) -> int | None:
    return found.ref.thread if found.part is None else found.part


def _with_ref(command: Command, old: Ref, new: Ref) -> Command:
    """The command with another reference in place of one."""
    return replace(command, refs=tuple(new if ref == old else ref for ref in command.refs))
