"""A world in memory for the use cases: connections with their runs and tests, the memory of channels and people.

Nothing here waits: what hangs, hangs on a loop whose clock jumps to the next thing that is due (`at_once`).
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from bot.domain.access import AccessRequest, Actor, Grant
from bot.domain.acts import Change, Close, Delete, Ended, Entry, Loss, Named, Proposal, Seen, Start
from bot.domain.digests import PastRun
from bot.domain.errors import AmbiguousError, NotFoundError, OurError, RundownError, SystemFault, UnavailableFault
from bot.domain.model import Closing, Kind, Listing, Person, Project, Result, Run, RunRef, Test, Thread
from bot.domain.outcomes import Outcome, Tally
from bot.domain.queries import ResultQuery, RunQuery, Who
from bot.domain.refs import NamedRef, Ref
from bot.domain.streams import Stream, stream_of
from bot.slack.grammar import Grammar
from bot.slack.grammar_command import Command
from bot.usecases.access import Gate
from bot.usecases.changing import Hands
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

#: The same kinds where changing things was chosen, each with what its system can do.
OPEN_AUTOMATION = replace(
    AUTOMATION,
    verbs=AUTOMATION.verbs | {"close", "start", "note", "link", "attach", "report"},
    cannot={"delete": "Testmo's API deletes no automation runs; delete it on its page."},
    closing=Closing("complete", "completed", ("All its threads are completed, too.",)),
    closing_thread=Closing("complete", "completed", ("The other threads and the run go on.",)),
)
OPEN_MANUAL = replace(MANUAL, cannot={**MANUAL.cannot, "close": "Testmo's API closes no manual runs."})
OPEN_RUN = replace(
    RUN,
    verbs=RUN.verbs | {"close", "start", "edit", "note", "link", "attach", "delete"},
    cannot={"report": "Results are reported in TestRail itself."},
    closing=Closing("close", "closed", ("TestRail archives its tests and results.",)),
)
OPEN_PLAN = replace(PLAN, verbs=PLAN.verbs | {"close"}, closing=Closing("close", "closed", ("Its runs are closed.",)))
MARKED_SET = replace(
    SET,
    verbs=SET.verbs | {"close", "report"},
    closing=Closing("mark", "marked", ("It stays open for results.",), for_good=False, finishes=False),
)


def down(system: str = "TestRail", *, sent: bool = False) -> SystemFault:
    """`sent`: the question had left, and may have been heard."""
    fault = UnavailableFault(system, f"{system} is down.", why="No answer came.", fix="Try again in a minute.")
    fault.sent = sent
    return fault


@dataclass
class FakeConnection:
    """The port `Connection`. `errors` are raised by the calls of that name; `hangs` names those that never answer.

    `asked` tells which calls came, `takes` how many seconds a call lasts. `named` are the tests of runs by number; a
    run without them names none. `reread` is what `was_done` says, one answer after another, the last one for ever; an
    error is raised. Without it, it says what is true. `before` is called first by the call of that name. A scan shows
    the newest run first, or last where it goes `backwards`.
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
    takes: dict[str, float] = field(default_factory=dict)
    before: dict[str, Callable[[], None]] = field(default_factory=dict)
    reread: list[RunRef | bool | RundownError | None] = field(default_factory=list)
    losses: dict[int, Loss] = field(default_factory=dict)
    offered: dict[str, tuple[Named, ...]] = field(default_factory=dict)
    prepares: Callable[[Change], Change] = lambda change: change
    backwards: bool = False

    def calls(self, name: str) -> list[Any]:
        return [what for call, what in self.asked if call == name]

    async def _answer(self, call: str, what: object) -> None:
        self.asked.append((call, what))
        if call in self.before:
            self.before[call]()
        await asyncio.sleep(self.takes.get(call, 0))
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

    async def scan(self, letter: str, query: RunQuery, see: Callable[[Run], None]) -> Listing[Run]:
        """`errors` and `hangs` of `scan` come before the first run, those of `scan end` after the last.

        Unlike `runs`, it keeps to every filter.
        """
        await self._answer("scan", (letter, query))
        found = await self.runs(letter, query)
        for run in reversed(found.items) if self.backwards else found.items:
            if _fits(run, query):
                see(run)
        await self._answer("scan end", letter)
        return replace(found, items=())

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
        rows = tuple(each for each in self.results_of if query.since is None or each.at >= query.since)
        return Listing(rows[: query.at_most], NOW, len(rows), self.missing)

    async def threads(self, ref: RunRef) -> tuple[Thread, ...]:
        await self._answer("threads", ref)
        return self.threaded.get(ref.id, ())

    async def find_person(self, who: Who) -> Person | None:
        await self._answer("find_person", who)
        fitting = [person for person in self.people if who.text in (person.id, person.name, person.email)]
        return fitting[0] if len(fitting) == 1 else None

    async def prepare(self, change: Change) -> Change:
        await self._answer("prepare", change)
        return self.prepares(change)

    async def carry_out(self, change: Change, files: Mapping[str, bytes]) -> RunRef | None:
        """Done before anything goes wrong, if `does_all_the_same`."""
        if self.does_all_the_same:
            self._do(change)
        await self._answer("carry_out", (change, dict(files)))
        return self._do(change)

    def _do(self, change: Change) -> RunRef | None:
        self.done.append(change)
        match change:
            case Close(ref=ref) if ref.thread is not None:
                self.threaded[ref.id] = tuple(
                    replace(each, finished=True) if each.index == ref.thread else each for each in self.threaded[ref.id]
                )
            case Close(ref=ref):
                self.finish(ref, finished_at=NOW)
            case Delete(ref=ref):
                self.its_runs = [run for run in self.its_runs if run.ref != ref]
            case Start():
                return self.add(change.letter, 900 + len(self.its_runs), name=change.name).ref
        return None

    async def was_done(self, change: Change, since: datetime) -> RunRef | bool | None:
        await self._answer("was_done", (change, since))
        if not self.reread:
            return change in self.done
        said = self.reread.pop(0) if len(self.reread) > 1 else self.reread[0]
        if isinstance(said, RundownError):
            raise said
        return said

    async def loss(self, ref: RunRef) -> Loss:
        await self._answer("loss", ref)
        return self.losses.get(ref.id) or Loss(tests=len(self.named.get(ref.id, ())))

    async def offers(self, what: str, project: int) -> tuple[Named, ...]:
        await self._answer("offers", (what, project))
        return self.offered.get(what, ())

    def forget(self, ref: RunRef) -> None:
        self.asked.append(("forget", ref))

    async def close(self) -> None:
        await self._answer("close", None)

    def alter(self, ref: RunRef, **more: Any) -> None:
        """Somebody changes a run in the system's own pages."""
        self.its_runs = [replace(run, **more) if run.ref == ref else run for run in self.its_runs]

    def finish(self, ref: RunRef, **more: Any) -> None:
        """A run is closed; one that is only marked stays as it is."""
        if all(run.kind.closing is None or run.kind.closing.finishes for run in self.its_runs if run.ref == ref):
            self.alter(ref, finished=True, **more)

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


def _fits(run: Run, query: RunQuery) -> bool:
    return (
        (query.until is None or run.created_at <= query.until)
        and (not query.source or run.source in query.source)
        and (not query.milestone or run.milestone in query.milestone)
        and (not query.config or run.config in query.config)
        and (not query.tag or not set(query.tag).isdisjoint(run.tags))
        and set(query.without_tag).isdisjoint(run.tags)
        and (not query.by or run.by in [who.text for who in query.by])
    )


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


def open_testmo(name: str = "testmo", **more: Any) -> FakeConnection:
    return FakeConnection(name, "Testmo", {"R": OPEN_MANUAL, "A": OPEN_AUTOMATION}, **more)


def open_testrail(name: str = "testrail", **more: Any) -> FakeConnection:
    return FakeConnection(name, "TestRail", {"R": OPEN_RUN, "P": OPEN_PLAN}, **more)


def marking_practitest(name: str = "practitest", **more: Any) -> FakeConnection:
    return FakeConnection(name, "PractiTest", {"S": MARKED_SET}, **more)


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


class FakeClock:
    """The time, which passes only where somebody waits (`sleep`) or says so. `meanwhile` happens at the next wait."""

    def __init__(self) -> None:
        self.now = NOW
        self.waits: list[float] = []
        self.meanwhile: list[Callable[[], None]] = []

    def __call__(self) -> datetime:
        return self.now

    def go(self, **by: float) -> None:
        self.now += timedelta(**by)

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.go(seconds=seconds)
        await asyncio.sleep(0)
        if self.meanwhile:
            self.meanwhile.pop(0)()


class Breakable:
    """A port that can be told to fail: `broken` are the calls that do, `asked` all that came."""

    def __init__(self, asked: list[tuple[str, Any]]) -> None:
        self.asked = asked
        self.broken: set[str] = set()

    async def _heard(self, call: str, what: object) -> None:
        self.asked.append((call, what))
        await asyncio.sleep(0)  # others get their turn, as with a real store
        if call in self.broken:
            raise OurError("Rundown could not use its database.", why="The disk is full.", fix="Try again later.")


class FakeLedger(Breakable):
    """The port `Ledger`: rows of an entry and until when somebody vouches for it (None: nothing is left to do)."""

    def __init__(self, now: Callable[[], datetime], asked: list[tuple[str, Any]]) -> None:
        super().__init__(asked)
        self._now = now
        self.rows: dict[str, tuple[Entry, datetime | None]] = {}

    def _later(self, seconds: float) -> datetime:
        return self._now() + timedelta(seconds=seconds)

    async def begin(self, entry: Entry, *, lease_s: float) -> Entry | None:
        await self._heard("begin", entry)
        if entry.key in self.rows:
            return self.rows[entry.key][0]
        for other, _ in self.rows.values():
            if other.outcome is Ended.BEGUN and entry.ref and other.ref and _whole(other.ref) == _whole(entry.ref):
                return other
        self.rows[entry.key] = (replace(entry, outcome=Ended.BEGUN, told=False), self._later(lease_s))
        return None

    async def renew(self, key: str, *, lease_s: float) -> None:
        await self._heard("renew", key)
        entry, lease = self.rows.get(key, (None, None))
        if entry is not None and lease is not None:
            self.rows[key] = (entry, self._later(lease_s))

    async def end(
        self,
        key: str,
        outcome: Ended,
        *,
        at: datetime,
        after: Seen | None = None,
        why: str = "",
        ref: RunRef | None = None,
    ) -> None:
        await self._heard("end", (key, outcome))
        entry, lease = self._known(key)
        if outcome in _OPEN and entry.outcome not in _OPEN:
            return
        told = entry.told and entry.outcome is outcome
        ended = replace(entry, outcome=outcome, ended_at=at, after=after, why=why, ref=ref or entry.ref, told=told)
        done = told and outcome not in _OPEN
        self.rows[key] = (ended, None if done else self._later(60) if outcome in _OPEN else lease)

    async def tell(self, key: str) -> None:
        await self._heard("tell", key)
        entry, lease = self._known(key)
        self.rows[key] = (replace(entry, told=True), lease if entry.outcome in _OPEN else None)

    def _known(self, key: str) -> tuple[Entry, datetime | None]:
        if key not in self.rows:
            raise OurError("Rundown can't find this change in its records.", why="It never began.", fix="Look again.")
        return self.rows[key]

    async def note(self, entry: Entry) -> None:
        await self._heard("note", entry)
        self.rows.setdefault(entry.key, (replace(entry, told=True), None))

    async def entry(self, key: str) -> Entry | None:
        await self._heard("entry", key)
        return self.rows[key][0] if key in self.rows else None

    async def last_done(self, ref: RunRef, verb: str) -> Entry | None:
        await self._heard("last_done", (ref, verb))
        fitting = [
            each
            for each, _ in self.rows.values()
            if each.verb == verb and each.outcome is Ended.DONE and each.ref in (ref, _whole(ref))
        ]
        return max(fitting, key=lambda each: each.ended_at or each.at, default=None)

    async def orphans(self) -> tuple[Entry, ...]:
        await self._heard("orphans", None)
        found = {key: entry for key, (entry, lease) in self.rows.items() if lease is not None and lease < self._now()}
        self.rows |= {key: (entry, self._later(60)) for key, entry in found.items()}
        return tuple(found.values())

    async def entries(
        self,
        *,
        last: int,
        verb: str = "",
        who: str = "",
        ref: RunRef | None = None,
        since: datetime | None = None,
        outcome: str = "",
        part_of: str = "",
    ) -> tuple[Entry, ...]:
        await self._heard("entries", part_of)
        fitting = [
            each
            for each, _ in self.rows.values()
            if verb in ("", each.verb)
            and who in ("", each.who)
            and (ref is None or (each.ref is not None and ref in (each.ref, _whole(each.ref))))
            and (since is None or each.at >= since)
            and outcome in ("", each.outcome.value)
            and part_of in ("", each.part_of)
        ]
        fitting.reverse()  # of the same time, the last one first
        return tuple(sorted(fitting, key=lambda each: each.at, reverse=True)[:last])

    def outcomes(self) -> list[Ended]:
        """What became of each attempt, in the order they were made."""
        return [entry.outcome for entry, _ in self.rows.values()]


_OPEN = (Ended.BEGUN, Ended.DOUBT)


def _whole(ref: RunRef) -> RunRef:
    return replace(ref, thread=None)


class FakeGrants(Breakable):
    """The port `Grants`."""

    def __init__(self, now: Callable[[], datetime], asked: list[tuple[str, Any]]) -> None:
        super().__init__(asked)
        self._now = now
        self.rules: dict[tuple[str, str, str, str], Grant] = {}
        self.requests: dict[str, AccessRequest] = {}

    async def all(self, team: str) -> tuple[Grant, ...]:
        await self._heard("grants", team)
        return tuple(grant for (of, *_), grant in self.rules.items() if of == team)

    async def put(self, team: str, grant: Grant) -> None:
        await self._heard("put grant", grant)
        self.rules[team, grant.verb, grant.subject, grant.channel] = grant

    async def drop(self, team: str, grant: Grant) -> bool:
        await self._heard("drop grant", grant)
        return self.rules.pop((team, grant.verb, grant.subject, grant.channel), None) is not None

    async def ask(self, request: AccessRequest) -> bool:
        await self._heard("ask", request)
        since = self._now() - timedelta(days=1)
        what = (request.team, request.user, request.verb, request.channel)
        if any((e.team, e.user, e.verb, e.channel) == what and e.at > since for e in self.requests.values()):
            return False
        self.requests[request.key] = request
        return True

    async def last_request(self, request: AccessRequest) -> AccessRequest | None:
        await self._heard("last_request", request)
        what = (request.team, request.user, request.verb, request.channel)
        same = [each for each in self.requests.values() if (each.team, each.user, each.verb, each.channel) == what]
        return max(same, key=lambda each: each.at, default=None)

    async def request(self, key: str) -> AccessRequest | None:
        await self._heard("request", key)
        return self.requests.get(key)

    async def settle(self, key: str, settled: Any, by: str) -> AccessRequest | None:
        await self._heard("settle", key)
        request = self.requests.get(key)
        if request is None or request.settled:
            return None
        self.requests[key] = replace(request, settled=settled, settled_by=by)
        return self.requests[key]


class FakeHistory(Breakable):
    """The port `History`: of a run without tests, those known before stay."""

    def __init__(self, asked: list[tuple[str, Any]] | None = None) -> None:
        super().__init__([] if asked is None else asked)
        self.rows: dict[RunRef, PastRun] = {}

    async def keep(self, runs: Sequence[PastRun]) -> int:
        await self._heard("keep", len(runs))
        changed = set()
        for run in runs:
            past, known = run, self.rows.get(run.ref)
            if run.failed is None or run.passed is None:
                tests = (known.failed, known.passed) if known is not None else (None, None)
                past = replace(run, failed=tests[0], passed=tests[1])
            if past != known:
                self.rows[past.ref] = past
                changed.add(past.ref)
        return len(changed)

    async def of(self, stream: Stream, *, before: datetime, most: int) -> tuple[PastRun, ...]:
        await self._heard("of", (stream, before, most))
        rows = [past for past in self.rows.values() if past.stream == stream and past.created_at < before]
        rows.sort(key=lambda past: (past.created_at, past.ref.id), reverse=True)
        return tuple(rows[: max(most, 0)])

    async def known(self, refs: Sequence[RunRef]) -> Mapping[RunRef, PastRun]:
        await self._heard("known", tuple(refs))
        return {ref: self.rows[ref] for ref in refs if ref in self.rows}

    async def sweep(self, older_than: datetime) -> int:
        await self._heard("sweep", older_than)
        gone = [ref for ref, past in self.rows.items() if past.created_at < older_than]
        for ref in gone:
            del self.rows[ref]
        return len(gone)


class FakeDirectory(Breakable):
    """The port `Directory`: everybody is a member unless told otherwise; U9 is an admin."""

    def __init__(self, asked: list[tuple[str, Any]]) -> None:
        super().__init__(asked)
        self.people: dict[str, Actor] = {}
        self.knows("U9", "admin")

    def knows(self, user: str, role: Any = "member", **more: Any) -> Actor:
        self.people[user] = Actor(user=user, name=f"Name of {user}", team="T1", role=role, **more)
        return self.people[user]

    async def actor(self, team: str, user: str) -> Actor:
        await self._heard("actor", user)
        return self.people.get(user) or self.knows(user)


class Workshop:
    """All that a change needs, in memory. `asked` is every call to any of it, in order. U1 may do everything."""

    def __init__(self, *connections: FakeConnection, read_only: bool = False) -> None:
        self.asked: list[tuple[str, Any]] = []
        self.clock = FakeClock()
        for each in connections:
            each.asked = self.asked
        self.systems = Systems(connections)
        self.ledger = FakeLedger(self.clock, self.asked)
        self.grants = FakeGrants(self.clock, self.asked)
        self.directory = FakeDirectory(self.asked)
        self.gate = Gate(directory=self.directory, grants=self.grants, ledger=self.ledger, read_only=read_only)
        self.hands = Hands(
            systems=self.systems, ledger=self.ledger, gate=self.gate, now=self.clock, sleep=self.clock.sleep
        )
        self.allow("U1")

    def allow(self, user: str, verb: str = "all", channel: str = "", *, allow: bool = True) -> Grant:
        """A rule as an admin made it."""
        grant = Grant(verb=verb, kind="user", subject=user, channel=channel, allow=allow, by="U9", at=NOW)
        self.grants.rules["T1", verb, user, channel] = grant
        return grant

    def calls(self, name: str) -> list[Any]:
        return [what for call, what in self.asked if call == name]

    def entry(self, key: str) -> Entry:
        return self.ledger.rows[key][0]


def proposed(run: Run | None, verb: str = "close", change: Change | None = None, **more: Any) -> Proposal:
    """A change as it was put before somebody a minute ago; of a start there is no run."""
    if change is None:
        assert run is not None
        change = Close(run.ref)
    kind = run.kind if run is not None and isinstance(change, Close) else None
    thread = isinstance(change, Close) and change.ref.thread is not None
    given: dict[str, Any] = {
        "key": "k1",
        "verb": verb,
        "change": change,
        "where": "TestRail › Webshop",
        "by": "U1",
        "made_at": NOW - timedelta(minutes=1),
        "typed": f"{verb} {run.ref if run else ''}",
        "run": run,
        "title": run.name if run else "",
        "closing": (kind.closing_thread if thread else kind.closing) if kind else None,
    }
    return Proposal(**{**given, **more})


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
