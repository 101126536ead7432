"""A world in memory for the use cases: connections with their runs and tests, the memory of channels and people.

Nothing here waits: what hangs, hangs on a loop whose clock jumps to the next thing that is due (`at_once`).
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from bot.domain.acts import Change, Close, Delete, Loss, Named, Start
from bot.domain.errors import (
    AmbiguousError,
    NotFoundError,
    RundownError,
    UnavailableFault,
)
from bot.domain.model import Kind, Listing, Person, Project, Result, Run, RunRef, Test, Thread
from bot.domain.outcomes import Outcome, Tally
from bot.domain.queries import ResultQuery, RunQuery, Who
from bot.domain.refs import NamedRef, Ref
from bot.domain.streams import stream_of
from bot.slack.grammar import Grammar
from bot.slack.grammar_command import Command
from bot.usecases.finding import Asker, Finder, Found
from bot.usecases.ports import ChannelContext, Place
from bot.usecases.systems import Systems

T = TypeVar("T")
NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)
HERE = Place("T1", "C1")
THREAD = Place("T1", "C1", "171.5")
ASKER = Asker(HERE, "U1")

_EVERYWHERE = frozenset({"words", "since", "until", "status", "milestone"})
MANUAL = Kind(
    "R",
    "run",
    "runs",
    "closed",
    automated=False,
    verbs=frozenset({"failures", "results", "diff"}),
    filters=_EVERYWHERE | {"tag", "refs"},
    cannot={"threads": "Manual runs have no threads."},
)
AUTOMATION = Kind(
    "A",
    "automation run",
    "automation runs",
    "completed",
    automated=True,
    verbs=frozenset({"failures", "results", "diff", "threads"}),
    filters=_EVERYWHERE | {"tag", "source"},
)
RUN = Kind("R", "run", "runs", "closed", verbs=frozenset({"failures", "results", "diff"}), filters=_EVERYWHERE)
PLAN = Kind("P", "plan", "plans", "closed", verbs=frozenset({"failures", "diff"}), filters=_EVERYWHERE)
SET = Kind(
    "S", "test set", "test sets", "", verbs=frozenset({"failures", "results", "diff"}), filters=frozenset({"since"})
)


def down(system: str = "TestRail") -> RundownError:
    return UnavailableFault(system, f"{system} is down.", why="No answer came.", fix="Try again in a minute.")


@dataclass
class FakeConnection:
    """The port `Connection`. `errors` are raised by the calls of that name; `hangs` names those that never answer.

    `asked` tells which calls came. `named` are the tests of runs by number; a run without them names none.
    """

    name: str
    system: str
    kinds: Mapping[str, Kind]
    project: int | None = 1
    its_projects: tuple[Project, ...] = (Project(1, "Webshop"),)
    its_runs: list[Run] = field(default_factory=list)
    named: dict[int, list[Test]] = field(default_factory=dict)
    lost: dict[int, str] = field(default_factory=dict)
    threaded: dict[int, tuple[Thread, ...]] = field(default_factory=dict)
    people: tuple[Person, ...] = ()
    results_of: list[Result] = field(default_factory=list)
    errors: dict[str, RundownError] = field(default_factory=dict)
    hangs: set[str] = field(default_factory=set)
    missing: tuple[str, ...] = ()
    read_at: datetime = NOW
    host: str = ""
    asked: list[tuple[str, Any]] = field(default_factory=list)
    done: list[Change] = field(default_factory=list)
    does_all_the_same: bool = False

    def calls(self, name: str) -> list[Any]:
        return [what for call, what in self.asked if call == name]

    async def _answer(self, call: str, what: object) -> None:
        self.asked.append((call, what))
        if call in self.hangs:
            await asyncio.get_running_loop().create_future()
        if call in self.errors:
            raise self.errors[call]

    def read_link(self, url: str) -> RunRef | None:
        begin = f"https://{self.host or self.name + '.example'}/"
        if not url.startswith(begin):
            return None
        letter, number = url[len(begin) :][0], url[len(begin) + 1 :]
        return RunRef(self.name, letter, int(number)) if letter in self.kinds and number.isdecimal() else None

    async def projects(self) -> tuple[Project, ...]:
        await self._answer("projects", None)
        return self.its_projects

    async def run(self, ref: RunRef) -> Run:
        await self._answer("run", ref)
        for run in self.its_runs:
            if run.ref == ref:
                return run
        raise NotFoundError(f"{self.system} has no {ref.short}.", why="It says so.", fix="Look at the number.")

    async def runs(self, letter: str, query: RunQuery) -> Listing[Run]:
        await self._answer("runs", (letter, query))
        await self._answer(f"runs {letter}", query)
        rows = [
            run
            for run in sorted(self.its_runs, key=lambda run: run.created_at, reverse=True)
            if run.ref.letter == letter
            and run.project == query.project
            and (query.state == "all" or run.finished == (query.state == "closed"))
            and all(word.casefold() in run.name.casefold() for word in query.words)
            and (query.since is None or run.created_at >= query.since)
        ]
        return Listing(tuple(rows[: query.at_most]), self.read_at, len(rows), self.missing)

    async def earlier(self, run: Run, limit: int) -> Listing[Run]:
        await self._answer("earlier", (run.ref, limit))
        rows = [
            each
            for each in sorted(self.its_runs, key=lambda each: each.created_at, reverse=True)
            if each.finished and each.created_at < run.created_at and stream_of(each) == stream_of(run)
        ]
        return Listing(tuple(rows[:limit]), NOW)

    async def parts(self, run: Run) -> Listing[Run]:
        await self._answer("parts", run.ref)
        return Listing(tuple(each for each in self.its_runs if each.parent == run.ref), NOW)

    async def tests(self, ref: RunRef, *, reasons: bool = False) -> Listing[Test]:
        await self._answer("tests", ref)
        every = self.named.get(ref.id, [])
        return Listing(tuple(test for test in every if ref.thread in (None, test.thread)), NOW, None, self.missing)

    async def history(self, runs: Sequence[Run]) -> tuple[Listing[Test], ...]:
        await self._answer("history", tuple(run.ref for run in runs))
        return tuple(
            Listing(() if run.ref.id in self.lost else tuple(self.named.get(run.ref.id, ())), NOW, None, gaps)
            for run in runs
            for gaps in [(self.lost[run.ref.id],) if run.ref.id in self.lost else ()]
        )

    async def results(self, ref: RunRef, query: ResultQuery) -> Listing[Result]:
        await self._answer("results", (ref, query))
        return Listing(tuple(self.results_of), NOW, len(self.results_of), self.missing)

    async def threads(self, ref: RunRef) -> tuple[Thread, ...]:
        await self._answer("threads", ref)
        return self.threaded.get(ref.id, ())

    async def find_person(self, who: Who) -> Person | None:
        await self._answer("find_person", who)
        fitting = [person for person in self.people if who.text in (person.id, person.name, person.email)]
        return fitting[0] if len(fitting) == 1 else None

    async def prepare(self, change: Change) -> Change:
        await self._answer("prepare", change)
        return change

    async def carry_out(self, change: Change, files: Mapping[str, bytes]) -> RunRef | None:
        """Done before anything goes wrong, if `does_all_the_same`."""
        if self.does_all_the_same:
            self._do(change)
        await self._answer("carry_out", (change, dict(files)))
        return self._do(change)

    def _do(self, change: Change) -> RunRef | None:
        self.done.append(change)
        match change:
            case Close(ref=ref):
                self.its_runs = [
                    replace(run, finished=True, finished_at=NOW) if run.ref == ref else run for run in self.its_runs
                ]
            case Delete(ref=ref):
                self.its_runs = [run for run in self.its_runs if run.ref != ref]
            case Start():
                return self.add(change.letter, 900 + len(self.its_runs), name=change.name).ref
        return None

    async def was_done(self, change: Change, since: datetime) -> RunRef | bool | None:
        await self._answer("was_done", (change, since))
        return change in self.done

    async def loss(self, ref: RunRef) -> Loss:
        await self._answer("loss", ref)
        return Loss(tests=len(self.named.get(ref.id, ())))

    async def offers(self, what: str, project: int) -> tuple[Named, ...]:
        await self._answer("offers", (what, project))
        return ()

    def forget(self, ref: RunRef) -> None:
        self.asked.append(("forget", ref))

    async def close(self) -> None:
        await self._answer("close", None)

    def add(self, letter: str, number: int, *, days_ago: float = 0, tests: str = "", **more: Any) -> Run:
        """A run, and its tests: `a:F b:P` are two, `a:F@Ana` is assigned to Ana."""
        named = [_test(word) for word in tests.split()]
        failed = sum(test.outcome is Outcome.FAILED for test in named)
        given: dict[str, Any] = {
            "ref": RunRef(self.name, letter, number),
            "kind": self.kinds[letter],
            "project": 1,
            "name": f"Nightly {number}",
            "tally": Tally(passed=len(named) - failed, failed=failed),
            "finished": False,
            "created_at": NOW - timedelta(days=days_ago),
            "read_at": NOW,
            "series": "nightly",
            "page": "https://acme.example/{id}",
        }
        run = Run(**{**given, **more})
        self.its_runs.append(run)
        if named:
            self.named[number] = named
        return run


def _test(word: str) -> Test:
    key, _, rest = word.partition(":")
    letter, _, assignee = rest.partition("@")
    outcome = {"P": Outcome.PASSED, "F": Outcome.FAILED, "B": Outcome.BLOCKED, ".": Outcome.UNTESTED}[letter]
    return Test(key=key, name=key, outcome=outcome, id=key, assignee=assignee)


def a_testmo(name: str = "testmo", **more: Any) -> FakeConnection:
    return FakeConnection(name, "Testmo", {"R": MANUAL, "A": AUTOMATION}, **more)


def a_testrail(name: str = "testrail", **more: Any) -> FakeConnection:
    return FakeConnection(name, "TestRail", {"R": RUN, "P": PLAN}, **more)


def a_practitest(name: str = "practitest", **more: Any) -> FakeConnection:
    return FakeConnection(name, "PractiTest", {"S": SET}, **more)


def a_thread(index: int, *, failed: int = 0, finished: bool = True) -> Thread:
    return Thread(
        index=index,
        id=100 + index,
        name=f"part {index}",
        tally=Tally(passed=1, failed=failed),
        finished=finished,
        created_at=NOW,
    )


class FakeContexts:
    """The port `Contexts`."""

    def __init__(self, **known: ChannelContext) -> None:
        self.known = {("T1", channel): context for channel, context in known.items()}

    async def get(self, place: Place) -> ChannelContext | None:
        return self.known.get((place.team, place.channel))

    async def set(self, place: Place, context: ChannelContext) -> None:
        self.known[place.team, place.channel] = context


class FakeRecall:
    """The port `Recall`."""

    def __init__(self) -> None:
        self.lists: dict[tuple[Place, str], tuple[RunRef, ...]] = {}
        self.runs: dict[tuple[Place, str], RunRef] = {}
        self.threads: dict[Place, RunRef] = {}

    async def remember_list(self, place: Place, user: str, refs: Sequence[RunRef]) -> None:
        self.lists[place, user] = tuple(refs)

    async def listed(self, place: Place, user: str) -> tuple[RunRef, ...]:
        return self.lists.get((place, user), ())

    async def remember_run(self, place: Place, user: str, ref: RunRef) -> None:
        self.runs[place, user] = ref

    async def last_run(self, place: Place, user: str) -> RunRef | None:
        return self.runs.get((place, user))

    async def bind_thread(self, place: Place, ref: RunRef) -> None:
        self.threads[place] = ref

    async def thread_run(self, place: Place) -> RunRef | None:
        return self.threads.get(place) if place.thread else None


def context(connection: str, project: int = 1, name: str = "Webshop") -> ChannelContext:
    return ChannelContext(connection, project, name, by="U9", at=NOW)


def finder(
    *connections: FakeConnection,
    chosen: ChannelContext | None = None,
    recall: FakeRecall | None = None,
    at: Place = HERE,
) -> Finder:
    return Finder(
        systems=Systems(connections),
        context=chosen,
        recall=recall or FakeRecall(),
        asker=Asker(at, "U1"),
        now=NOW,
        again=lambda ref: Command("show", refs=(ref,)).text(),
    )


def found(connection: FakeConnection, run: Run, thread: int | None = None, part: int | None = None) -> Found:
    return Found(connection, replace(run.ref, thread=thread), run, part)


def named(text: str) -> Ref:
    """The reference in `show TEXT`, as the grammar reads it."""
    return Grammar().parse(f"show {text}", now=NOW).refs[0]


def commands(error: RundownError) -> list[str]:
    """What an error offers to be done next."""
    return [choice.command for choice in error.choices] if isinstance(error, AmbiguousError) else list(error.closest)


def check_words(error: RundownError) -> None:
    """What every error owes: what, why and how to mend it, as sentences, and commands that can be run as they stand."""
    for words in (error.what, error.why, error.fix):
        assert words == words.strip(), words
        assert words.endswith((".", "?")), words
        assert ": ." not in words, words
        assert "None" not in words, words
    for command in commands(error):
        Grammar().parse(command, now=NOW)


def one_ref(command: str) -> NamedRef:
    """The one reference in a command that names connection, letter and number."""
    (ref,) = Grammar().parse(command, now=NOW).refs
    assert isinstance(ref, NamedRef)
    return ref


class _Jumping(selectors.BaseSelector):
    """A selector that waits for nothing, and tells how long it would have waited."""

    def __init__(self) -> None:
        self._inner = selectors.SelectSelector()
        self.waited_s = 0.0

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._inner.register(fileobj, events, data)

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._inner.unregister(fileobj)

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise AssertionError("everything waits for something that never comes")
        self.waited_s += max(0.0, timeout)
        return self._inner.select(0)

    def close(self) -> None:
        self._inner.close()

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._inner.get_map()


class _JumpingLoop(asyncio.SelectorEventLoop):
    """A loop whose time passes only where somebody would have to wait for it."""

    def __init__(self) -> None:
        self._jumping = _Jumping()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.waited_s


def at_once(work: Coroutine[Any, Any, T]) -> tuple[T, float]:
    """Run it without waiting for anything; its result and how many seconds it would have taken."""
    with asyncio.Runner(loop_factory=_JumpingLoop) as runner:
        result = runner.run(work)
        return result, runner.get_loop().time()
