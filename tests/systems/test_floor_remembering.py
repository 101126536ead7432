"""Many who ask the same ask once; what is remembered is young, light, and forgotten when it changes."""

from __future__ import annotations

import asyncio
import tracemalloc
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.domain.acts import Change, Close, Loss, Named, Start
from bot.domain.errors import CannotError, NotFoundError, SlowDownFault, SystemFault, TooSlowFault, UnavailableFault
from bot.domain.model import Kind, Listing, Person, Project, Result, Run, RunRef, Test, Thread
from bot.domain.outcomes import Outcome, Tally
from bot.domain.queries import ResultQuery, RunQuery, Who
from bot.systems import _remembering
from bot.systems._remembering import Remembering
from bot.usecases.ports import PATIENCE, Connection, Patience
from tests.systems.floor_kit import gathered, now, play, settle

AT = datetime(2026, 11, 20, 9, tzinfo=UTC)
KIND = Kind("R", "run", "runs", "closed")
REF = RunRef("web", "R", 118)
THREAD = RunRef("web", "R", 118, 3)


def run_of(number: int, *, finished: bool = True, parent: RunRef | None = None, letter: str = "R") -> Run:
    return Run(
        ref=RunRef("web", letter, number), kind=KIND, project=1, name=f"Run {number}", tally=Tally(passed=1),
        finished=finished, created_at=AT, read_at=AT, parent=parent,
    )  # fmt: skip


def listing(*rows: Any, missing: tuple[str, ...] = ()) -> Listing[Any]:
    return Listing(rows, AT, len(rows), missing)


@dataclass(slots=True)
class Slow:
    """A connection whose every answer takes a second, unless told otherwise."""

    name: str = "web"
    system: str = "TestRail"
    kinds: Mapping[str, Kind] = field(default_factory=lambda: {"R": KIND})
    project: int | None = 1
    asked: list[str] = field(default_factory=list)
    lasts_s: float = 1.0
    error: Exception | None = None
    answers: dict[str, Any] = field(default_factory=dict)
    patience: list[Patience | None] = field(default_factory=list)
    forgotten: list[RunRef] = field(default_factory=list)
    closed: bool = False

    async def _say(self, what: str, otherwise: Any) -> Any:
        self.asked.append(what)
        self.patience.append(PATIENCE.get())
        patience, error, answer = PATIENCE.get(), self.error, self.answers.get(what.partition(" ")[0], otherwise)
        left = float("inf") if patience is None else patience.until - now()
        await asyncio.sleep(min(self.lasts_s, max(left, 0)))
        if left < self.lasts_s:
            raise TooSlowFault("TestRail", "TestRail is too slow.")
        if error is not None:
            raise error
        return answer

    def read_link(self, url: str) -> RunRef | None:
        return REF if url == "https://acme" else None

    async def projects(self) -> tuple[Project, ...]:
        return await self._say("projects", (Project(1, "Webshop"),))  # type: ignore[no-any-return]

    async def run(self, ref: RunRef) -> Run:
        return await self._say(f"run {ref}", run_of(ref.id))  # type: ignore[no-any-return]

    async def runs(self, letter: str, query: RunQuery) -> Listing[Run]:
        return await self._say(f"runs {letter} {query.words}", listing(run_of(118)))  # type: ignore[no-any-return]

    async def scan(self, letter: str, query: RunQuery, see: Callable[[Run], None]) -> Listing[Run]:
        see(await self._say(f"scan {letter} {query.words}", run_of(118)))
        return listing()

    async def earlier(self, run: Run, limit: int) -> Listing[Run]:
        return await self._say(f"earlier {run.ref} {limit}", listing())  # type: ignore[no-any-return]

    async def parts(self, run: Run) -> Listing[Run]:
        return await self._say(f"parts {run.ref}", listing())  # type: ignore[no-any-return]

    async def tests(self, ref: RunRef, *, reasons: bool = False) -> Listing[Test]:
        return await self._say(f"tests {ref} {reasons}", listing(test_row(1)))  # type: ignore[no-any-return]

    async def history(self, runs: Sequence[Run]) -> tuple[Listing[Test], ...]:
        lists = tuple(listing(test_row(run.ref.id)) for run in runs)
        return await self._say("history " + " ".join(str(run.ref) for run in runs), lists)  # type: ignore[no-any-return]

    async def results(self, ref: RunRef, query: ResultQuery) -> Listing[Result]:
        return await self._say(f"results {ref} {query.latest}", listing())  # type: ignore[no-any-return]

    async def threads(self, ref: RunRef) -> tuple[Thread, ...]:
        return await self._say(f"threads {ref}", ())  # type: ignore[no-any-return]

    async def find_person(self, who: Who) -> Person | None:
        return await self._say(f"person {who.text}", None)  # type: ignore[no-any-return]

    async def prepare(self, change: Change) -> Change:
        return await self._say(f"prepare {_of(change)}", change)  # type: ignore[no-any-return]

    async def carry_out(self, change: Change, files: Mapping[str, bytes]) -> RunRef | None:
        made = REF if isinstance(change, Start) else None
        return await self._say(f"carry_out {_of(change)} {','.join(files)}".strip(), made)  # type: ignore[no-any-return]

    async def was_done(self, change: Change, since: datetime) -> RunRef | bool | None:
        return await self._say(f"was_done {_of(change)} {since:%H:%M}", True)  # type: ignore[no-any-return]

    async def loss(self, ref: RunRef) -> Loss:
        return await self._say(f"loss {ref}", Loss(1))  # type: ignore[no-any-return]

    async def offers(self, what: str, project: int) -> tuple[Named, ...]:
        return await self._say(f"offers {what} {project}", (Named("Smoke", 4),))  # type: ignore[no-any-return]

    def forget(self, ref: RunRef) -> None:
        self.forgotten.append(ref)

    async def close(self) -> None:
        self.closed = True


def _of(change: Change) -> str:
    return f"{type(change).__name__} {change.name if isinstance(change, Start) else change.ref}"


def test_row(number: int) -> Test:
    return Test(key=str(number), name=f"Test {number}", outcome=Outcome.PASSED)


test_row.__test__ = False  # type: ignore[attr-defined]


def remembering(**how: Any) -> tuple[Slow, Remembering]:
    slow = Slow(**how)
    return slow, Remembering(slow, now=now)


Ask = Callable[[Connection], Coroutine[Any, Any, object]]

CALLS: dict[str, Ask] = {
    "projects": lambda web: web.projects(),
    "run": lambda web: web.run(REF),
    "runs": lambda web: web.runs("R", RunQuery(words=("a",))),
    "earlier": lambda web: web.earlier(run_of(118), 10),
    "parts": lambda web: web.parts(run_of(118)),
    "tests": lambda web: web.tests(REF),
    "history": lambda web: web.history([run_of(117), run_of(116)]),
    "results": lambda web: web.results(REF, ResultQuery()),
    "threads": lambda web: web.threads(REF),
    "person": lambda web: web.find_person(Who("Ana")),
    "offers": lambda web: web.offers("suite", 1),
}


@pytest.mark.parametrize("call", CALLS)
def test_a_hundred_who_ask_the_same_at_once_ask_once(call: str) -> None:
    async def scene() -> None:
        slow, web = remembering()
        answers = await asyncio.gather(*(CALLS[call](web) for _ in range(100)))
        assert len(slow.asked) == 1
        assert all(answer == answers[0] for answer in answers)
        assert answers[0] == await CALLS[call](Slow())

    _, played = play(scene)
    assert played.seconds == 2


@pytest.mark.parametrize(
    ("call", "kept_s"),
    [
        ("projects", 300), ("run", 15), ("runs", 15), ("earlier", 300), ("parts", 15), ("tests", 15), ("history", 3600),
        ("results", 15), ("threads", 15), ("offers", 300),
    ],
)  # fmt: skip
def test_answers_are_remembered_for_their_time(call: str, kept_s: float) -> None:
    async def scene() -> None:
        slow, web = remembering(lasts_s=0)
        for wait_s, asked in ((0, 1), (kept_s - 1, 1), (2, 2), (kept_s - 1, 2)):
            await asyncio.sleep(wait_s)
            await CALLS[call](web)
            assert len(slow.asked) == asked

    play(scene)


def test_that_somebody_was_not_found_is_not_remembered_but_who_was_is() -> None:
    async def scene() -> list[str]:
        slow, web = remembering()
        assert await web.find_person(Who("Ana")) is None
        slow.answers["person"] = Person("6", "Ana")
        for _ in range(3):
            assert await web.find_person(Who("Ana")) == Person("6", "Ana")
        return slow.asked

    assert len(play(scene)[0]) == 2


def test_different_questions_are_different_answers() -> None:
    async def scene() -> list[str]:
        slow, web = remembering()
        await asyncio.gather(
            web.tests(REF), web.tests(REF, reasons=True), web.tests(THREAD), web.run(REF),
            web.run(RunRef("web", "A", 118)),
            web.runs("R", RunQuery(words=("a",))), web.runs("R", RunQuery(words=("b",))), web.runs("A", RunQuery()),
            web.results(REF, ResultQuery()), web.results(REF, ResultQuery(latest=True)), web.earlier(run_of(118), 1),
            web.earlier(run_of(118), 2),
        )  # fmt: skip
        return slow.asked

    asked, _ = play(scene)
    assert len(asked) == len(set(asked)) == 12


def test_what_a_connection_says_of_itself_is_passed_on() -> None:
    slow, web = remembering()
    assert (web.name, web.system, web.kinds, web.project) == ("web", "TestRail", slow.kinds, 1)
    assert (web.read_link("https://acme"), web.read_link("x")) == (REF, None)


# Errors.


@pytest.mark.parametrize(
    "error",
    [
        UnavailableFault("TestRail", "Down."),
        NotFoundError("No run."),
        KeyError("ours"),
        ExceptionGroup("g", [KeyError()]),
    ],
)
def test_errors_reach_everybody_who_asked_and_are_never_remembered(error: Exception) -> None:
    async def scene() -> list[str]:
        slow, web = remembering(error=error)
        told = await gathered(*(CALLS["run"](web) for _ in range(100)))
        assert all(each is error for each in told)
        slow.error = None
        assert await web.run(REF) == run_of(118)
        return slow.asked

    assert len(play(scene)[0]) == 2


def test_what_is_not_complete_is_not_remembered() -> None:
    async def scene() -> list[str]:
        slow, web = remembering(answers={"runs": listing(run_of(1), missing=("page 2 of 3",))})
        for _ in range(3):
            await CALLS["runs"](web)
        slow.answers["history"] = (listing(missing=("its tests",)), listing(test_row(1)))
        for _ in range(3):
            await CALLS["history"](web)
            slow.answers.pop("history", None)
        return slow.asked

    asked, _ = play(scene)
    assert asked[:3] == ["runs R ('a',)"] * 3
    assert asked[3:] == ["history web:R117 web:R116", "history web:R117"]


# Giving up.


def test_the_others_are_answered_when_the_first_goes_away() -> None:
    async def scene() -> list[str]:
        slow, web = remembering()
        tasks = [asyncio.create_task(CALLS["run"](web)) for _ in range(10)]
        await asyncio.sleep(0.5)
        for task in tasks[:5]:
            task.cancel()
        told = await gathered(*tasks)
        assert [isinstance(each, asyncio.CancelledError) for each in told] == [True] * 5 + [False] * 5
        return slow.asked

    asked, played = play(scene)
    assert (len(asked), played.seconds) == (1, 1)


def test_when_all_go_away_the_answer_is_kept_and_an_error_makes_no_noise() -> None:
    async def scene() -> list[str]:
        slow, web = remembering()
        for error in (KeyError("nobody listens"), None):
            slow.error = error
            tasks = [asyncio.create_task(CALLS["run"](web)) for _ in range(3)]
            await asyncio.sleep(0.5)
            for task in tasks:
                task.cancel()
            await gathered(*tasks)
            await asyncio.sleep(1)
        await web.run(REF)
        return slow.asked

    assert len(play(scene)[0]) == 2


def test_nobody_waits_longer_than_alone_for_what_another_asked() -> None:
    async def scene() -> tuple[object, float]:
        _, web = remembering(lasts_s=10)
        first = asyncio.create_task(_with_patience(web, 20))
        await settle()
        began = now()
        told = (await gathered(_with_patience(web, 2)))[0]
        waited = now() - began
        assert await first == run_of(118)
        return told, waited

    (told, waited), _ = play(scene)
    assert isinstance(told, TooSlowFault)
    assert (told.system, waited) == ("TestRail", 2)
    assert told.what
    assert told.why
    assert told.fix


async def _with_patience(web: Connection, seconds: float, *, person: bool = True) -> object:
    PATIENCE.set(Patience(now() + seconds, person))
    return await web.run(REF)


@pytest.mark.parametrize("kind", [TooSlowFault, SlowDownFault])
def test_the_end_of_the_first_ones_patience_is_not_the_end_of_everybodys(kind: type[SystemFault]) -> None:
    async def scene() -> list[object]:
        slow, web = remembering(lasts_s=5)
        if kind is SlowDownFault:
            slow.error = SlowDownFault("TestRail", "Slow down.")
        jobs = [
            asyncio.create_task(_with_patience(web, seconds)) for seconds in (3 if kind is TooSlowFault else 6, 20, 30)
        ]
        await asyncio.sleep(1)
        slow.error = None
        told = await gathered(*jobs)
        assert len(slow.asked) == 2
        return told

    told, _ = play(scene)
    assert isinstance(told[0], kind)
    assert told[1:] == [run_of(118)] * 2


def test_a_person_does_not_wait_for_what_background_work_asked_but_the_other_way_round() -> None:
    async def scene() -> list[bool]:
        slow, web = remembering(lasts_s=5)
        jobs = [asyncio.create_task(_with_patience(web, 100, person=person)) for person in (False, True, True, False)]
        assert await asyncio.gather(*jobs) == [run_of(118)] * 4
        return [patience.person for patience in slow.patience if patience]

    assert play(scene)[0] == [False, True]


# Closing.


def test_closing_ends_what_is_on_its_way_in_words() -> None:
    async def scene() -> tuple[list[object], bool]:
        slow, web = remembering()
        tasks = [asyncio.create_task(CALLS["run"](web)) for _ in range(3)]
        late = asyncio.create_task(CALLS["tests"](web))
        await asyncio.sleep(0.5)
        never_began = asyncio.create_task(CALLS["threads"](web))
        await asyncio.sleep(0)
        await web.close()
        told = await gathered(*tasks, late, never_began)
        return told, slow.closed

    (told, closed), _ = play(scene)
    assert all(isinstance(each, UnavailableFault) for each in told), told
    assert closed


def test_who_is_cancelled_while_closing_is_cancelled() -> None:
    async def scene() -> object:
        _, web = remembering()
        task = asyncio.create_task(CALLS["run"](web))
        await asyncio.sleep(0.5)
        task.cancel()
        await web.close()
        return (await gathered(task))[0]

    assert isinstance(play(scene)[0], asyncio.CancelledError)


# Forgetting.

PLAN = RunRef("web", "P", 9)
INSIDE = run_of(118, parent=PLAN)
OTHERS: dict[str, Ask] = {
    "projects": lambda web: web.projects(),
    "what can be chosen": lambda web: web.offers("suite", 1),
    "another run": lambda web: web.run(RunRef("web", "R", 5)),
    "another letter": lambda web: web.run(RunRef("web", "A", 118)),
    "another's tests": lambda web: web.tests(RunRef("web", "R", 5)),
}
OWN: dict[str, Ask] = {
    **{name: ask for name, ask in CALLS.items() if name not in ("projects", "person", "history", "offers")},
    "its past": lambda web: web.history([run_of(118)]),
    "reasons": lambda web: web.tests(REF, reasons=True),
    "a thread's tests": lambda web: web.tests(THREAD),
    "another list": lambda web: web.runs("A", RunQuery()),
    "what came before another": lambda web: web.earlier(run_of(119), 10),
    "parts of a plan": lambda web: web.parts(run_of(9, letter="P")),
}


@pytest.mark.parametrize("ref", [REF, THREAD])
@pytest.mark.parametrize("name", OWN | OTHERS)
def test_forgetting_a_run_forgets_all_of_it_and_every_list(name: str, ref: RunRef) -> None:
    async def scene() -> int:
        slow, web = remembering()
        ask = (OWN | OTHERS)[name]
        await ask(web)
        web.forget(ref)
        await ask(web)
        return len(slow.asked)

    assert play(scene)[0] == (2 if name in OWN else 1)


def test_forgetting_a_run_forgets_its_plan_and_a_plan_its_runs() -> None:
    async def scene(forgotten: RunRef) -> list[str]:
        slow, web = remembering(answers={"parts": listing(INSIDE, run_of(119, parent=PLAN))})
        asks: list[Ask] = [
            lambda web: web.parts(run_of(9, letter="P")), lambda web: web.run(PLAN), lambda web: web.run(REF),
            lambda web: web.tests(PLAN), lambda web: web.tests(REF), lambda web: web.run(RunRef("web", "R", 7)),
        ]  # fmt: skip
        for ask in asks:
            await ask(web)
        slow.asked.clear()
        web.forget(forgotten)
        for ask in asks:
            await ask(web)
        return [asked for asked in slow.asked if not asked.startswith("parts")]

    both = ["run web:P9", "run web:R118", "tests web:P9 False", "tests web:R118 False"]
    assert play(lambda: scene(PLAN))[0] == both
    assert play(lambda: scene(REF))[0] == both


@pytest.mark.parametrize("call", ["run", "runs", "tests", "history"])
def test_what_was_asked_before_forgetting_is_no_answer_after_it(call: str) -> None:
    async def scene() -> int:
        slow, web = remembering()
        ask = CALLS[call]
        early = asyncio.create_task(ask(web))
        await asyncio.sleep(0.5)
        web.forget(run_of(117).ref if call == "history" else REF)
        late = asyncio.create_task(ask(web))
        await settle()
        assert len(slow.asked) == 2
        await early
        third = asyncio.create_task(ask(web))
        await asyncio.gather(late, third)
        return len(slow.asked)

    assert play(scene)[0] == 2


def test_that_a_run_is_in_a_plan_is_known_longer_than_the_run() -> None:
    async def scene() -> list[str]:
        slow, web = remembering(lasts_s=0, answers={"run": INSIDE})
        await web.run(REF)
        for _ in range(2):  # what is forgotten the first time is not there to tell of the plan the second time
            await web.run(PLAN)
            web.forget(REF)
        await web.run(PLAN)
        return slow.asked

    assert play(scene)[0] == ["run web:R118", *["run web:P9"] * 3]


def test_a_run_on_its_way_when_its_plan_is_forgotten_is_no_answer_after_it() -> None:
    async def scene() -> int:
        slow, web = remembering(answers={"run": INSIDE})
        early = asyncio.create_task(web.run(REF))
        await asyncio.sleep(0.5)
        web.forget(PLAN)
        await asyncio.gather(early, web.run(REF))
        return len(slow.asked)

    assert play(scene)[0] == 2


def test_not_all_plans_of_all_runs_are_remembered() -> None:
    async def scene() -> int:
        slow, web = remembering(lasts_s=0)
        rows = [run_of(number, parent=RunRef("web", "P", number)) for number in range(9_000)]
        for first in (0, 9_000):
            slow.answers["parts"] = listing(*(replace(row, ref=RunRef("web", "R", first + row.ref.id)) for row in rows))
            await web.parts(run_of(first, letter="P"))
        return len(web._parents)

    assert play(scene)[0] == _remembering.MOST_PARENTS


def test_a_look_at_very_many_runs_is_neither_shared_nor_remembered() -> None:
    async def scene() -> list[str]:
        slow, web = remembering()
        seen: list[Run] = []
        other: list[Run] = []
        await asyncio.gather(*(web.scan("R", RunQuery(), each.append) for each in (seen, other)))
        assert seen == other == [run_of(118)]
        return slow.asked

    assert play(scene)[0] == ["scan R ()"] * 2


# Changing.

CHANGES: dict[str, Change] = {
    "a change of the run": Close(REF),
    "a change of its thread": Close(THREAD),
    "a start": Start(connection="web", letter="R", project=1, name="Smoke"),
}
DOING: dict[str, Callable[[Connection, Change], Coroutine[Any, Any, object]]] = {
    "carried out": lambda web, change: web.carry_out(change, {}),
    "seen to be done": lambda web, change: web.was_done(change, AT),
}
#: What a start leaves as it is: all that is known of other runs.
ABOUT_RUNS = {name for name in OWN if name not in ("runs", "another list", "earlier", "what came before another")}


@pytest.mark.parametrize("name", OWN | OTHERS)
@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("done", DOING)
def test_whatever_was_changed_is_read_anew(done: str, change: str, name: str) -> None:
    async def scene() -> int:
        slow, web = remembering()
        ask = (OWN | OTHERS)[name]
        await ask(web)
        assert await DOING[done](web, CHANGES[change]) in (None, True, REF)
        slow.asked.clear()
        await ask(web)
        return len(slow.asked)

    starts = change == "a start"
    lasting = {*(OTHERS if not starts else OTHERS.keys() - {"what can be chosen"}), *(ABOUT_RUNS if starts else ())}
    assert play(scene)[0] == (0 if name in lasting else 1)


@pytest.mark.parametrize("error", [UnavailableFault("TestRail", "Down."), CannotError("No."), asyncio.CancelledError()])
def test_a_change_of_which_nothing_is_known_is_forgotten_too(error: BaseException) -> None:
    async def scene() -> list[str]:
        slow, web = remembering()
        await web.run(REF)
        slow.error = error if isinstance(error, Exception) else None
        job = asyncio.create_task(web.carry_out(Close(REF), {}))
        await asyncio.sleep(0.5)
        if slow.error is None:
            job.cancel()
        assert isinstance((await gathered(job))[0], type(error))
        slow.error = None
        await web.run(REF)
        assert slow.forgotten == [REF]
        return slow.asked

    assert play(scene)[0] == ["run web:R118", "carry_out Close web:R118", "run web:R118"]


@pytest.mark.parametrize("change", [CHANGES["a change of the run"], CHANGES["a start"]])
def test_what_was_asked_while_it_was_being_changed_is_not_remembered(change: Change) -> None:
    async def scene() -> int:
        slow, web = remembering()
        ask = CALLS["runs"]
        job = asyncio.create_task(web.carry_out(change, {}))
        await asyncio.sleep(0.5)
        late = asyncio.create_task(ask(web))  # is asked before the change, and answered after it
        await job
        await ask(web)
        await late
        slow.asked.clear()
        await ask(web)
        return len(slow.asked)

    assert play(scene)[0] == 0


def test_no_change_is_ever_made_for_two_nor_from_memory() -> None:
    async def scene() -> list[str]:
        slow, web = remembering()
        change = Close(REF)
        assert await asyncio.gather(*(web.carry_out(change, {"F1": b""}) for _ in range(2))) == [None, None]
        for _ in range(2):
            assert await web.prepare(change) == change
            assert await web.was_done(change, AT) is True
            assert await web.loss(REF) == Loss(1)
        return slow.asked

    asked = ["prepare Close web:R118", "was_done Close web:R118 09:00", "loss web:R118"]
    assert play(scene)[0] == ["carry_out Close web:R118 F1"] * 2 + asked * 2


# History.


def test_history_asks_for_the_unknown_in_one_go_and_answers_in_order() -> None:
    async def scene() -> list[str]:
        slow, web = remembering()
        runs = [run_of(number) for number in range(5)]
        assert _keys(await web.history(runs[1:3])) == ["1", "2"]
        assert _keys(await web.history(runs)) == ["0", "1", "2", "3", "4"]
        assert _keys(await web.history([*runs[::-1], runs[0]])) == ["4", "3", "2", "1", "0", "0"]
        assert await web.history([]) == ()
        open_run = replace(runs[0], ref=RunRef("web", "R", 77), finished=False)
        assert _keys(await web.history([open_run, open_run])) == ["77", "77"]
        assert _keys(await web.history([open_run, runs[1]])) == ["77", "1"]
        return slow.asked

    assert play(scene)[0] == [
        "history web:R1 web:R2",
        "history web:R0 web:R3 web:R4",
        "history web:R77",
        "history web:R77",
    ]


def _keys(listings: Sequence[Listing[Test]]) -> list[str]:
    return [one.items[0].key for one in listings]


# Weight.


def test_no_more_than_so_many_rows_are_held_the_least_used_go_first() -> None:
    async def scene() -> None:
        slow, web = remembering(lasts_s=0)
        rows = listing(*[test_row(number) for number in range(9_000)])
        slow.answers["tests"] = rows
        refs = [RunRef("web", "R", number) for number in range(6)]
        for ref in refs[:5]:
            await web.tests(ref)
        await web.tests(refs[0])
        await web.tests(refs[5])
        slow.asked.clear()
        for number in (0, 2, 3, 4, 5, 1):
            await web.tests(refs[number])
        assert slow.asked == ["tests web:R1 False"]

    play(scene)


def test_an_answer_too_large_to_keep_pushes_nothing_out() -> None:
    async def scene() -> int:
        slow, web = remembering(lasts_s=0)
        await web.run(REF)
        slow.answers["tests"] = listing(*[test_row(number) for number in range(12_501)])
        await web.tests(REF)
        await web.tests(REF)
        await web.run(REF)
        return len(slow.asked)

    assert play(scene)[0] == 3


def test_endlessly_many_different_questions_without_an_answer_do_not_fill_the_memory() -> None:
    async def scene() -> int:
        slow, web = remembering(lasts_s=0, answers={"runs": listing()})
        grown = 0
        for number in range(12_000):
            await web.runs("R", RunQuery(since=AT + timedelta(seconds=number)))
            slow.asked.clear()
            slow.patience.clear()
            if number == 6_000:
                tracemalloc.start()
            if number == 11_999:
                grown = tracemalloc.get_traced_memory()[0]
                tracemalloc.stop()
        return grown

    grown, _ = play(scene)
    assert grown < 3 * 1024**2  # what came is as much as what went; tracemalloc counts what came since it was started


def test_limits_are_those_that_were_promised() -> None:
    assert _remembering.MOST_ROWS == 50_000
