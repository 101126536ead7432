"""What every system promises, whatever it is: right answers, one error of the tree for every mishap, nothing leaked.

A system is held to all of it by its row in `contract_table`; nothing here knows a system by name.
"""

from __future__ import annotations

import dataclasses
import gc
import json
import logging
import math
import tracemalloc
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import web

from bot.domain.errors import (
    CannotError,
    NotFoundError,
    RefusedFault,
    RundownError,
    SlowDownFault,
    SystemFault,
    TooSlowFault,
    UnavailableFault,
    UnreadableFault,
)
from bot.domain.model import Listing, Run, RunRef, State, Test
from bot.domain.outcomes import Outcome
from bot.domain.queries import ResultQuery, RunQuery, Who
from bot.domain.streams import stream_of
from bot.sandbox.server import Fault, SampleServer
from bot.sandbox.world import ANA, HOSTILE_NAMES
from bot.systems import CATALOGUE, system
from bot.usecases.ports import PATIENCE, Connection, Patience
from tests.systems.contract_kit import ALL, GRACE_S, METHODS, check_error, connect, sample, scanned, without_times
from tests.systems.contract_table import SAMPLES, Known, Sample
from tests.systems.floor_kit import gathered, now, play

UNKNOWN = 987_654
#: What the suite of changes asks of a connection (`test_contract_changes`).
CHANGING = {"prepare", "carry_out", "was_done", "loss", "offers"}
KINDS = [(name, kind.letter) for name in CATALOGUE for kind in system(name).kinds]

every_system = pytest.mark.parametrize("name", CATALOGUE)
every_kind = pytest.mark.parametrize(("name", "letter"), KINDS)


@dataclass(frozen=True, slots=True)
class Told:
    """What came of a question: an answer or an error, after how many requests and seconds."""

    answer: Any
    requests: int
    seconds: float

    @property
    def error(self) -> RundownError | None:
        return self.answer if isinstance(self.answer, RundownError) else None


async def ask(name: str, server: SampleServer, method: str, run: Run, *, patience_s: float | None = None) -> Told:
    """Put one question on a fresh connection, which remembers nothing."""
    connection = connect(name, server)
    before, began = len(server.journal), now()
    PATIENCE.set(None if patience_s is None else Patience(began + patience_s))
    try:
        answer = await METHODS[method](connection, run)
    except RundownError as error:
        answer = error
    finally:
        PATIENCE.set(None)
        seconds = now() - began
        await connection.close()
    return Told(answer, len(server.journal) - before, seconds)


def check_fault(name: str, method: str, told: Told, kind: type[SystemFault]) -> SystemFault | None:
    """A question that needed the server must have failed in that way; what the system can't do, it may say at once."""
    if not told.requests or isinstance(told.answer, CannotError):
        return None
    error = check_error(name, told.answer)
    assert isinstance(error, kind), f"{method}: {error!r}"
    return error


def stories(name: str, letter: str) -> Known:
    return SAMPLES[name].kinds[letter]


async def first_run(connection: Connection, name: str, letter: str) -> Run:
    return await connection.run(RunRef(name, letter, stories(name, letter).runs[0]))


# The table itself.


def test_every_system_and_every_kind_has_its_row() -> None:
    assert set(SAMPLES) == set(CATALOGUE)
    for name in CATALOGUE:
        assert set(SAMPLES[name].kinds) == {kind.letter for kind in system(name).kinds}


@every_system
def test_a_system_tells_enough_of_itself(name: str) -> None:
    its = system(name)
    assert its.name == name
    assert its.label
    assert len({option.name for option in its.options}) == len(its.options)
    assert all(option.expects and not option.expects.endswith(".") for option in its.options)
    assert any(option.of == "secret" for option in its.options)
    for kind in its.kinds:
        assert kind.filters <= {field.name for field in dataclasses.fields(RunQuery)} - {"project", "at_most"}
        assert not set(kind.cannot) & kind.verbs
        assert all(sentence.endswith(".") for sentence in kind.cannot.values())
        assert all((kind.letter.isupper(), kind.noun, kind.plural, kind.ended))


# Right answers.


@every_kind
def test_runs_are_what_the_server_stores(name: str, letter: str) -> None:
    async def scene() -> None:
        known = stories(name, letter)
        async with sample(name) as (server, connection):
            listed = {run.ref.id: run for run in (await connection.runs(letter, ALL)).items}
            for number in known.runs:
                run = await connection.run(RunRef(name, letter, number))
                assert run.ref == RunRef(name, letter, number)
                assert run.kind is connection.kinds[letter]
                assert (run.project, run.name) == (SAMPLES[name].project, known.name(server, number))
                assert Counter(dict(run.tally.parts())) == +known.truth(server, number), run
                assert run.finished is known.finished(server, number)
                assert (run.finished_at is not None) is run.finished
                assert run.read_at.tzinfo is UTC
                assert replace(listed[number], read_at=run.read_at) == run

    play(scene, grace_s=GRACE_S)


@every_kind
def test_lists_of_runs_are_complete_newest_first_and_of_one_project(name: str, letter: str) -> None:
    async def scene() -> None:
        async with sample(name) as (_, connection):
            listing = await connection.runs(letter, ALL)
            assert listing.missing == ()
            assert listing.total in (None, len(listing.items))
            assert len({run.ref for run in listing.items}) == len(listing.items)
            created = [run.created_at for run in listing.items]
            assert created == sorted(created, reverse=True)
            assert {run.project for run in listing.items} == {SAMPLES[name].project}
            for at_most in (1, 2, 5, 10_000):
                some = await connection.runs(letter, replace(ALL, at_most=at_most))
                assert [run.ref for run in some.items] == [run.ref for run in listing.items][:at_most]
            assert (await connection.runs(letter, replace(ALL, project=SAMPLES[name].quiet))).missing == ()

    play(scene, grace_s=GRACE_S)


@every_kind
def test_looking_at_very_many_shows_each_run_of_the_list_once(name: str, letter: str) -> None:
    async def scene() -> None:
        async with sample(name) as (_, connection):
            for state in ("all", "open", "closed"):
                query = replace(ALL, state=state)
                listed, seen = await connection.runs(letter, query), await scanned(connection, letter, query)
                assert Counter(run.ref for run in seen.items) == Counter(run.ref for run in listed.items)
                known = {run.ref: replace(run, read_at=run.created_at) for run in listed.items}
                assert {run.ref: replace(run, read_at=run.created_at) for run in seen.items} == known
                assert seen.missing == ()
                assert seen.total in (None, len(seen.items))
            with pytest.raises(RundownError):
                await scanned(connection, letter, replace(ALL, project=UNKNOWN))

    play(scene, grace_s=GRACE_S)


@every_kind
def test_tests_are_those_of_the_run(name: str, letter: str) -> None:
    async def scene() -> None:
        known = stories(name, letter)
        async with sample(name) as (server, connection):
            for number in known.runs:
                run = await connection.run(RunRef(name, letter, number))
                plain = await connection.tests(run.ref)
                told = await connection.tests(run.ref, reasons=True)
                for tests in (plain, told):
                    assert tests.missing == ()
                    assert len(tests.items) == known.tests(server, number)
                    assert tests.total in (None, len(tests.items))
                    assert len({test.key for test in tests.items}) == len(tests.items)
                    held = Counter(test.outcome for test in tests.items)
                    told_twice = run.tally.total - run.tally.untested > len(tests.items)  # a retried test counts twice
                    assert held[Outcome.FAILED] == run.tally.failed or told_twice
                    assert held[Outcome.PASSED] == run.tally.passed or told_twice
                    assert all(test.name and test.url.startswith(("http://", "https://")) for test in tests.items)
                assert {test.key: (test.name, test.outcome, test.label) for test in plain.items} == {
                    test.key: (test.name, test.outcome, test.label) for test in told.items
                }
                assert not any(test.note for test in plain.items)
            run = await first_run(connection, name, letter)
            reasons = [test.note for test in (await connection.tests(run.ref, reasons=True)).items if test.note]
            assert reasons or not run.tally.failed

    play(scene, grace_s=GRACE_S)


@every_kind
def test_history_is_the_tests_of_each_run_in_order(name: str, letter: str) -> None:
    async def scene() -> None:
        known = stories(name, letter)
        async with sample(name) as (_, connection):
            runs = [await connection.run(RunRef(name, letter, number)) for number in known.runs]
            past = await connection.history(runs)
            assert len(past) == len(runs)
            for run, tests in zip(runs, past, strict=True):
                alone = await connection.tests(run.ref)
                assert tests.missing == ()
                assert {test.key: test.outcome for test in tests.items} == {
                    test.key: test.outcome for test in alone.items
                }
            assert await connection.history([]) == ()

    play(scene, grace_s=GRACE_S)


@every_kind
def test_results_are_all_there_are_in_the_order_asked_for(name: str, letter: str) -> None:
    async def scene() -> None:
        known = stories(name, letter)
        async with sample(name) as (server, connection):
            for number in known.runs:
                ref = RunRef(name, letter, number)
                results = await connection.results(ref, ResultQuery())
                assert results.missing == ()
                assert len(results.items) == known.results(server, number), ref
                assert results.total in (None, len(results.items))
                at = [result.at for result in results.items]
                assert at == sorted(at, reverse=True)
                oldest = await connection.results(ref, ResultQuery(oldest_first=True))
                assert [result.at for result in oldest.items] == sorted(at)
                few = await connection.results(ref, ResultQuery(at_most=3))
                assert [result.at for result in few.items] == at[:3]
                failed = await connection.results(ref, ResultQuery(status=("failed",)))
                assert len(failed.items) == sum(result.outcome is Outcome.FAILED for result in results.items)
                latest = await connection.results(ref, ResultQuery(latest=True))
                assert len(latest.items) <= len(results.items)
                assert len({(result.test, result.url) for result in latest.items}) <= known.tests(server, number)
                if len(set(at)) > 1:
                    middle = between(at)
                    since = await connection.results(ref, ResultQuery(since=middle))
                    assert len(since.items) == sum(each >= middle for each in at)

    play(scene, grace_s=GRACE_S)


@every_kind
def test_earlier_runs_are_finished_ones_of_the_same_stream(name: str, letter: str) -> None:
    async def scene() -> None:
        async with sample(name) as (_, connection):
            everything = (await connection.runs(letter, ALL)).items
            for run in everything[:12]:
                fitting = [
                    each
                    for each in everything
                    if each.finished and stream_of(each) == stream_of(run) and each.created_at < run.created_at
                ]
                for limit in (1, 10):
                    found = await connection.earlier(run, limit)
                    assert [each.ref for each in found.items] == [each.ref for each in fitting][:limit], run.ref
            assert (await connection.earlier(everything[0], 0)).items == ()

    play(scene, grace_s=GRACE_S)


@every_kind
def test_threads_and_parts_belong_to_the_run(name: str, letter: str) -> None:
    async def scene() -> None:
        known = stories(name, letter)
        async with sample(name) as (_, connection):
            for number in known.runs:
                run = await connection.run(RunRef(name, letter, number))
                parts = await connection.parts(run)
                assert all(part.parent == run.ref for part in parts.items)
                if parts.items:
                    assert sum(part.tally.total for part in parts.items) == run.tally.total
                if "threads" not in run.kind.verbs:
                    continue
                threads = await connection.threads(run.ref)
                assert [thread.index for thread in threads] == list(range(1, len(threads) + 1))
                assert len(threads) == run.threads_total
                assert sum(thread.tally.total for thread in threads) == run.tally.total
                for thread in threads[:2]:
                    tests = await connection.tests(replace(run.ref, thread=thread.index))
                    assert {test.thread for test in tests.items} <= {thread.index}
                with pytest.raises(NotFoundError):
                    await connection.tests(replace(run.ref, thread=99))

    play(scene, grace_s=GRACE_S)


@every_system
def test_people_are_found_by_email_name_and_number_and_never_guessed(name: str) -> None:
    async def scene() -> None:
        async with sample(name) as (_, connection):
            ana = await connection.find_person(Who("someone", ANA.email))
            assert ana is not None
            assert ana.name == ANA.name
            for who in (
                Who(ANA.name),
                Who(ANA.name.upper()),
                Who(ANA.email.upper()),
                Who(ana.id),
                Who(f" {ANA.name} "),
            ):
                assert await connection.find_person(who) == ana, who
            for who in (
                Who("Nobody At All"),
                Who("nobody@acme.example"),
                Who(str(UNKNOWN)),
                Who(""),
                Who("%"),
                Who("@"),
            ):
                assert await connection.find_person(who) is None, who

    play(scene, grace_s=GRACE_S)


@every_system
def test_projects_are_those_our_key_sees(name: str) -> None:
    async def scene() -> None:
        async with sample(name) as (_, connection):
            projects = {project.id: project.name for project in await connection.projects()}
            assert {SAMPLES[name].project, SAMPLES[name].quiet} <= set(projects)
            assert all(projects.values())
            assert connection.project == SAMPLES[name].project
            assert (connection.name, connection.system) == (name, system(name).label)

    play(scene, grace_s=GRACE_S)


@every_kind
def test_all_times_are_aware_and_in_utc(name: str, letter: str) -> None:
    async def scene() -> None:
        async with sample(name) as (server, connection):
            run = await first_run(connection, name, letter)
            for method in METHODS:
                told = await ask(name, server, method, run)
                assert all(at.utcoffset() == timedelta() for at in times_in(told.answer)), method

    play(scene, grace_s=GRACE_S)


def times_in(value: object) -> Iterator[datetime]:
    if isinstance(value, datetime):
        yield value
    elif isinstance(value, tuple | list):
        for each in value:
            yield from times_in(each)
    elif dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            yield from times_in(getattr(value, field.name))


# Filters.


def brute_force(query: RunQuery, run: Run) -> bool:
    """Whether a run is wanted, as far as a run itself can tell."""

    def among(wanted: tuple[str, ...], *texts: str) -> bool:
        return not wanted or bool({word.casefold() for word in wanted} & {text.casefold() for text in texts})

    text = "\n".join((run.name, run.source, run.series, run.config, *run.tags)).casefold()
    return (
        (query.state == "all" or run.finished is (query.state == "closed"))
        and all(word.casefold() in text for word in query.words)
        and (query.since is None or run.created_at >= query.since)
        and (query.until is None or run.created_at <= query.until)
        and (query.closed_since is None or (run.finished_at is not None and run.finished_at >= query.closed_since))
        and (query.closed_until is None or (run.finished_at is not None and run.finished_at <= query.closed_until))
        and (not query.status or any(is_in(run, word) for word in query.status))
        and among(query.milestone, run.milestone)
        and among(query.config, run.config, *run.config.split(", "))
        and among(query.source, run.source)
        and among(query.suite, run.series)
        and among(query.workflow, run.workflow)
        and among(query.tag, *run.tags)
        and not (query.without_tag and among(query.without_tag, *run.tags))
        and query.refs.casefold() in run.refs.casefold()
    )  # fmt: skip


def is_in(run: Run, word: str) -> bool:
    """What a word for a status means in every system."""
    if word == "failed":
        return run.tally.failed > 0 or run.verdict is Outcome.FAILED
    if word in ("passed", "failing", "open", "running", "incomplete"):
        return run.state.value == word
    return word in {label.casefold() for label, _ in run.tally.parts()}


def between(moments: list[datetime]) -> datetime:
    """A moment that cuts the list in two and is none of them."""
    ordered = sorted(set(moments))
    middle = len(ordered) // 2
    return ordered[middle - 1] + (ordered[middle] - ordered[middle - 1]) / 2


def time_queries(filters: frozenset[str], runs: tuple[Run, ...]) -> dict[str, tuple[RunQuery, ...]]:
    created = between([run.created_at for run in runs])
    ended = [run.finished_at for run in runs if run.finished_at]
    closed = between(ended) if len(set(ended)) > 1 else max(ended) - timedelta(seconds=1)
    queries = {
        "since": replace(ALL, since=created),
        "until": replace(ALL, until=created),
        "closed_since": replace(ALL, closed_since=closed),
        "closed_until": replace(ALL, closed_until=closed if len(set(ended)) > 1 else closed + timedelta(minutes=1)),
    }
    return {field: (query,) for field, query in queries.items() if field in filters}


@every_kind
def test_every_filter_a_kind_names_leaves_what_brute_force_leaves(name: str, letter: str) -> None:
    async def scene() -> None:
        async with sample(name) as (_, connection):
            kind, known = connection.kinds[letter], stories(name, letter)
            everything = (await connection.runs(letter, ALL)).items
            queries: Mapping[str, tuple[RunQuery, ...]] = {
                **known.queries, **time_queries(kind.filters, everything)
            }  # fmt: skip
            assert set(queries) == set(kind.filters)
            wrong = []
            for field, each in [(field, each) for field, several in sorted(queries.items()) for each in several]:
                found = await connection.runs(letter, each)
                expected = await wanted(connection, each, everything)
                refs = [run.ref for run in found.items]
                if refs != expected or found.missing or not 0 < len(refs) < len(everything):
                    lacks, over = set(expected) - set(refs), set(refs) - set(expected)
                    asked = getattr(each, field)
                    wrong.append(f"{field} {asked}: of {len(expected)} lacks {lacks}, has {over} too, {found.missing}")
            assert not wrong, "\n".join(wrong)

    play(scene, grace_s=GRACE_S)


@pytest.mark.parametrize("state", ["open", "closed", "all"])
@every_kind
def test_a_word_for_a_status_means_the_same_everywhere(name: str, letter: str, state: Any) -> None:
    async def scene() -> list[str]:
        wrong = []
        async with sample(name) as (_, connection):
            everything = (await connection.runs(letter, replace(ALL, state=state))).items
            labels = {label for run in everything for label, _ in run.tally.other}
            for word in (*State, *(word for word in Outcome if word is not Outcome.OTHER), *labels):
                for status in ((word,), (word.upper(), "blocked")):
                    query = replace(ALL, state=state, status=status)
                    found = {run.ref for run in (await connection.runs(letter, query)).items}
                    meant = {
                        run.ref for run in everything if any(is_in(run, each.casefold()) for each in status)
                    }  # fmt: skip
                    if found != meant:
                        wrong.append(f"{status}: lacks {meant - found}, has {found - meant} too")
        return wrong

    wrong, _ = play(scene, grace_s=GRACE_S)
    assert not wrong, "\n".join(wrong)


async def wanted(connection: Connection, query: RunQuery, everything: tuple[Run, ...]) -> list[RunRef]:
    fitting = [run for run in everything if brute_force(query, run)]
    if query.by or query.set_filter_user:
        people = [await connection.find_person(who) for who in (*query.by, *filter(None, [query.set_filter_user]))]
        people_names = {person.name for person in people if person is not None}
        fitting = [run for run in fitting if people_names & ({run.by} if run.by else {run.assignee})]
    elif query.set_filter:
        fitting = [run for run in fitting if run.name.startswith("Nightly")]
    return [run.ref for run in fitting]


@every_kind
def test_names_that_are_none_are_not_found_with_the_closest(name: str, letter: str) -> None:
    async def scene() -> None:
        async with sample(name) as (_, connection):
            filters = connection.kinds[letter].filters
            strange = "zzz <!channel> %s {0} & ? # nothing"
            for field in {"milestone", "config", "source", "suite", "workflow", "status"} & filters:
                query: RunQuery = replace(ALL, **{field: (strange,)})  # type: ignore[arg-type]
                with pytest.raises(NotFoundError) as caught:
                    await connection.runs(letter, query)
                assert check_error(name, caught.value)
                assert caught.value.instead_of == strange
                assert caught.value.why.startswith("There ")
            with pytest.raises(NotFoundError) as caught:
                await connection.runs(letter, replace(ALL, by=(Who("Ana Kovac"),)))
            assert ANA.name in caught.value.closest
            assert caught.value.instead_of == "Ana Kovac"

    play(scene, grace_s=GRACE_S)


# Not found.


@every_kind
def test_what_is_not_there_is_not_found(name: str, letter: str) -> None:
    async def scene() -> None:
        async with sample(name) as (_, connection):
            run = await first_run(connection, name, letter)
            gone = replace(run.ref, id=UNKNOWN)
            jobs: dict[str, Callable[[], Awaitable[object]]] = {
                "run": lambda: connection.run(gone),
                "tests": lambda: connection.tests(gone),
                "reasons": lambda: connection.tests(gone, reasons=True),
                "results": lambda: connection.results(gone, ResultQuery()),
                "runs": lambda: connection.runs(letter, replace(ALL, project=UNKNOWN)),
            }
            if "threads" in run.kind.verbs:
                jobs["threads"] = lambda: connection.threads(gone)
            wrong = []
            for what, job in jobs.items():
                answer = (await gathered(job()))[0]
                if what == "runs" and isinstance(answer, RefusedFault):
                    continue  # where the system does not tell a project that is not there from one we may not see
                if not isinstance(answer, NotFoundError) or str(UNKNOWN) not in check_error(name, answer).what:
                    wrong.append((what, repr(answer)[:200]))
            assert not wrong, wrong

    play(scene, grace_s=GRACE_S)


# Mishaps.


@dataclass(frozen=True, slots=True)
class Mishap:
    """What goes wrong with every request, and what must come of it."""

    spoil: Callable[[Any], object]
    kind: type[SystemFault]
    patience_s: float | None = None
    most_requests: int = 16
    names_may_be_unknown: bool = False


NO = '{"message": "no", "error": "no"}'

MISHAPS: dict[str, Mishap] = {
    "401": Mishap(lambda server: server.faults.answer(".", 401, '{"message": "no", "error": "no"}'), RefusedFault),
    "403": Mishap(
        lambda server: server.faults.answer(".", 403, '{"message": "no", "error": "no"}'),
        RefusedFault,
        names_may_be_unknown=True,
    ),
    "401 as a web page": Mishap(lambda server: server.faults.html(".", status=401), RefusedFault),
    "429 with seconds": Mishap(lambda server: server.faults.slow_down(".", "40"), SlowDownFault, 5.0, 4),
    "429 without": Mishap(lambda server: server.faults.slow_down(".", None), SlowDownFault, 5.0, 4),
    "500": Mishap(lambda server: server.faults.answer(".", 500, "oops"), UnavailableFault),
    "503 as a web page": Mishap(lambda server: server.faults.html(".", status=503), UnavailableFault),
    "409": Mishap(lambda server: server.faults.answer(".", 409, '{"error": "maintenance"}'), UnavailableFault),
    "reset": Mishap(lambda server: server.faults.reset("."), UnavailableFault),
    "redirect": Mishap(lambda server: server.faults.redirect(".", "http://127.0.0.1:9/login"), UnavailableFault),
    "a web page": Mishap(lambda server: server.faults.html("."), UnreadableFault),
    "empty": Mishap(lambda server: server.faults.answer(".", 200, b""), UnreadableFault),
    "null": Mishap(lambda server: server.faults.answer(".", 200, b"null"), UnreadableFault),
    "a number": Mishap(lambda server: server.faults.answer(".", 200, b"7"), UnreadableFault),
    "an empty object": Mishap(lambda server: server.faults.answer(".", 200, b"{}"), UnreadableFault),
    "cut off at once": Mishap(lambda server: server.faults.cut(".", 1), UnreadableFault),
    "cut off later": Mishap(lambda server: server.faults.cut(".", 60), UnreadableFault),
    "hang": Mishap(lambda server: server.faults.hang("."), TooSlowFault, 3.0),
    "drip": Mishap(lambda server: server.faults.drip("."), TooSlowFault, 3.0),
}


@pytest.mark.parametrize("mishap", MISHAPS)
@every_kind
def test_every_mishap_is_the_same_fault_for_every_question(
    name: str, letter: str, mishap: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)

    async def scene() -> list[str]:
        wrong = []
        its = MISHAPS[mishap]
        async with sample(name) as (server, connection):
            run = await first_run(connection, name, letter)
            its.spoil(server)
            for method in METHODS:
                told = await ask(name, server, method, run, patience_s=its.patience_s)
                if its.names_may_be_unknown and (told.answer is None or isinstance(told.answer, NotFoundError)):
                    continue
                try:
                    fault = check_fault(name, method, told, its.kind)
                    if fault is not None:
                        assert told.requests <= its.most_requests, f"{told.requests} requests"
                        assert told.seconds <= (its.patience_s or 15) + 0.1, f"{told.seconds} s"
                    if isinstance(fault, SlowDownFault) and mishap == "429 with seconds":
                        assert fault.retry_at is not None
                        assert abs(fault.retry_at - server.clock.now() - timedelta(seconds=40)) < timedelta(seconds=5)
                except AssertionError as error:
                    wrong.append(f"{method}: {str(error).splitlines()[0]} ← {told}"[:400])
        return wrong

    wrong, _ = play(scene, grace_s=GRACE_S)
    leaks = [
        record.getMessage()
        for record in caplog.records
        for secret in SAMPLES[name].secrets
        if secret in record.getMessage()
    ]
    assert not leaks
    assert not wrong, "\n".join(wrong)


@every_kind
def test_a_server_that_is_gone_is_unavailable(name: str, letter: str) -> None:
    async def scene() -> list[str]:
        wrong = []
        async with sample(name) as (server, connection):
            run = await first_run(connection, name, letter)
        for method in METHODS:
            told = await ask(name, server, method, run)
            if method not in ("parts", "threads") and not isinstance(told.answer, UnavailableFault):
                wrong.append(f"{method}: {told.answer!r}"[:300])
        return wrong

    wrong, _ = play(scene, grace_s=GRACE_S)
    assert not wrong, "\n".join(wrong)


@every_kind
def test_one_500_and_one_lost_connection_are_not_noticed(name: str, letter: str) -> None:
    async def scene() -> None:
        async with sample(name) as (server, connection):
            run = await first_run(connection, name, letter)
            for method in METHODS:
                if method == "runs by name" and not run.milestone:
                    continue
                told = await ask(name, server, method, run)
                server.faults.answer(".", 500, "oops", times=1)
                server.faults.reset(".", times=1)
                again = await ask(name, server, method, run)
                server.faults.clear()
                if isinstance(told.answer, CannotError):
                    continue
                assert without_times(again.answer) == without_times(told.answer), method

    play(scene, grace_s=GRACE_S)


def skeleton(answer: Any) -> Any:
    """What of an answer must be there, or be said to be missing: numbers, not the names of people or statuses."""
    if isinstance(answer, Listing):
        return tuple(map(skeleton, answer.items))
    if isinstance(answer, Run):
        held = answer.tally
        return (answer.ref, answer.name, replace(held, other=()), held.total, answer.finished)
    return (answer.key, answer.outcome) if isinstance(answer, Test) else getattr(answer, "at", answer)


@pytest.mark.parametrize("method", ["run", "runs", "tests", "results", "projects"])
@every_kind
def test_an_answer_cut_off_anywhere_is_never_taken_for_a_whole_one(name: str, letter: str, method: str) -> None:
    """The body of each request is cut at twenty places; what comes is a fault, or says that something is missing."""

    async def scene() -> list[str]:
        wrong = []
        async with sample(name) as (server, connection):
            run = await first_run(connection, name, letter)
            whole = skeleton((await ask(name, server, method, run)).answer)
            lengths = [0, 1, *(round(1.9**power) for power in range(2, 20))]
            for keep in lengths:
                server.faults.clear()
                server.faults.cut(".", keep)
                told = await ask(name, server, method, run)
                if told.error is not None:
                    check_error(name, told.error)
                    assert isinstance(told.error, SystemFault), told.error
                elif skeleton(told.answer) != whole and not getattr(told.answer, "missing", ()):
                    wrong.append(f"{keep} bytes: {told.answer!r}"[:300])
        return wrong

    wrong, _ = play(scene, grace_s=GRACE_S)
    assert not wrong, "\n".join(wrong)


# Pages.


def no_change(_server: Any, _row: Sample) -> None:
    return None


def comes(server: Any, row: Sample) -> None:
    row.insert(server)


def newest_goes(server: Any, row: Sample) -> None:
    row.remove(server, max(row.ids(server)))


def oldest_goes(server: Any, row: Sample) -> None:
    row.remove(server, min(row.ids(server)))


def one_goes_in_the_middle(server: Any, row: Sample) -> None:
    ids = sorted(row.ids(server))
    row.remove(server, ids[len(ids) // 2])


def one_for_another(server: Any, row: Sample) -> None:
    newest_goes(server, row)
    comes(server, row)


@pytest.mark.parametrize(
    "change", [no_change, comes, newest_goes, oldest_goes, one_goes_in_the_middle, one_for_another]
)
@every_system
def test_each_run_comes_once_or_it_is_said_when_pages_shift(name: str, change: Callable[[Any, Sample], None]) -> None:
    row = SAMPLES[name]

    async def scene() -> None:
        async with sample(name) as (server, connection):
            row.many(server, 3 * row.page + 10)
            before = set(row.ids(server))
            query = replace(ALL, project=row.quiet)
            turned = 0

            def turn() -> None:
                nonlocal turned
                turned += 1
                if turned <= 3:
                    change(server, row)

            row.on_page(server, turn)
            listing = await connection.runs(row.many_letter, query)
            row.on_page(server, None)
            assert turned
            found = [run.ref.id for run in listing.items]
            assert len(set(found)) == len(found)
            lost = (before & set(row.ids(server))) - set(found)
            assert not lost or listing.missing, f"silently lost {len(lost)}"
            if change in (no_change, comes):
                assert (lost, listing.missing) == (set(), ())

    play(scene, grace_s=GRACE_S)


@every_system
def test_lists_that_never_end_end(name: str) -> None:
    row = SAMPLES[name]

    async def scene() -> None:
        for spoil in row.endless:
            async with sample(name) as (server, connection):
                row.many(server, 2 * row.page)
                spoil(server)
                listing = await connection.runs(row.many_letter, replace(ALL, project=row.quiet))
                found = [run.ref.id for run in listing.items]
                assert len(set(found)) == len(found)
                lost = set(row.ids(server)) - set(found)
                assert not lost or listing.missing
                assert len(server.journal) <= 30

    play(scene, grace_s=GRACE_S)


@every_system
def test_rows_of_another_project_are_left_out_and_said(name: str) -> None:
    row = SAMPLES[name]

    async def scene() -> None:
        for spoil in row.strangers:
            async with sample(name) as (server, connection):
                row.many(server, 5)
                spoil(server)
                listing = await connection.runs(row.many_letter, replace(ALL, project=row.quiet))
                assert row.page_of_strangers not in {run.name for run in listing.items}
                assert {run.project for run in listing.items} == {row.quiet}
                assert set(row.ids(server)) == {run.ref.id for run in listing.items}
                assert [word for word in listing.missing if "another project" in word]

    play(scene, grace_s=GRACE_S)


@every_system
def test_a_page_that_fails_is_said(name: str) -> None:
    row = SAMPLES[name]

    async def scene() -> None:
        async with sample(name) as (server, connection):
            row.many(server, 3 * row.page - 10)
            turned = 0

            def turn() -> None:
                nonlocal turned
                turned += 1
                if turned == 1:
                    server.faults.answer(row.runs_call, 503, "")

            query = replace(ALL, project=row.quiet)
            row.on_page(server, turn)
            listing = await connection.runs(row.many_letter, query)
            assert listing.missing
            assert listing.total is None or listing.total >= len(listing.items)
            assert len(listing.items) < len(row.ids(server))

    play(scene, grace_s=GRACE_S)


# What may stand in names, and what must not stand anywhere.


@every_kind
def test_hostile_names_come_through_as_they_are(name: str, letter: str) -> None:
    async def scene() -> None:
        known = stories(name, letter)
        async with sample(name) as (server, connection):
            seen: list[str] = []
            for number in known.hostile:
                run = await connection.run(RunRef(name, letter, number))
                assert run.name == known.name(server, number).strip()
                assert run in (await connection.runs(letter, ALL)).items or run.name in {
                    each.name for each in (await connection.runs(letter, ALL)).items
                }
                tests = (await connection.tests(run.ref)).items
                seen += [run.name, run.milestone, run.source, *(test.name for test in tests)]
            if known.hostile:
                assert [text for text in seen if any(text == hostile.strip() for hostile in HOSTILE_NAMES)]
                assert not [text for text in seen if "&lt;" in text]

    play(scene, grace_s=GRACE_S)


@every_system
def test_the_key_goes_out_in_its_header_only(name: str) -> None:
    row = SAMPLES[name]

    async def scene() -> None:
        async with sample(name) as (server, connection):
            for letter in row.kinds:
                run = await first_run(connection, name, letter)
                for method in METHODS:
                    await ask(name, server, method, run)
            for call in server.journal:
                assert not [secret for secret in row.secrets if secret in call.target or secret.encode() in call.body]
                assert call.method == "GET"
            assert not [secret for secret in row.secrets if secret in repr(connection)]

    play(scene, grace_s=GRACE_S)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422, 429, 500])
@every_system
def test_no_refusal_repeats_the_key_or_a_part_of_it(name: str, status: int) -> None:
    """A server that says our key back to us, wherever its words may be cut."""

    async def scene() -> list[str]:
        wrong = []
        async with sample(name) as (server, connection):
            run = await first_run(connection, name, system(name).kinds[0].letter)
            for secret in SAMPLES[name].secrets:
                for before in (0, 5, *range(186, 201, 2)):
                    words = "x" * before + secret
                    body = json.dumps({"message": words, "error": words, "errors": [{"title": words}]})
                    server.faults.clear()
                    server.faults.answer(".", status, body)
                    told = await ask(name, server, "run", run, patience_s=1)
                    assert told.error is not None
                    parts = (told.error.what, told.error.why, told.error.fix)
                    wrong += [part for part in parts if secret[:6] in part]
        return wrong

    assert play(scene, grace_s=GRACE_S)[0] == []


# Addresses.


@every_kind
def test_the_address_of_a_run_leads_back_to_it(name: str, letter: str) -> None:
    async def scene() -> None:
        async with sample(name) as (_, connection):
            for run in (await connection.runs(letter, ALL)).items:
                assert connection.read_link(run.url) == run.ref
            url = run.url
            for other in (
                "",
                "https://example.com/",
                url.replace("://", "://evil.example/?x="),
                url.replace("://", "://user@"),
                url.replace("://", "://x"),
                f"javascript:{url}",
                f"file://{url}",
                f" {url} x",
                url.replace(str(run.ref.id), "0"),
                url.replace(str(run.ref.id), "-1"),
                url.replace(str(run.ref.id), "٣"),
                url.replace(str(run.ref.id), "9" * 5_000),
                "http://169.254.169.254/latest/meta-data",
                "http://[::1",
                "https://\x00",
                "💥" * 3_000,
            ):
                assert connection.read_link(other) is None, other[:100]

    play(scene, grace_s=GRACE_S)


# Sizes.


@every_system
def test_ten_thousand_runs_are_light_and_cost_no_request_too_many(name: str) -> None:
    row = SAMPLES[name]
    rows = min(10_000, row.most_rows or 10_000)

    async def scene() -> tuple[int, int]:
        bodies: dict[str, bytes] = {}

        async def record(request: web.Request, answer: web.StreamResponse | None) -> web.StreamResponse:
            assert isinstance(answer, web.Response)
            assert isinstance(answer.body, bytes)
            bodies[request.raw_path] = answer.body
            return web.Response(body=answer.body, content_type="application/json")

        async def replay(request: web.Request, _answer: web.StreamResponse | None) -> web.StreamResponse:
            return web.Response(body=bodies[request.raw_path], content_type="application/json")

        async with sample(name) as (server, connection):
            row.many(server, rows - len(row.ids(server)))
            query = replace(ALL, project=row.quiet)
            await connection.runs(row.many_letter, replace(query, at_most=1))  # names are remembered from now on
            server.journal.clear()
            server.faults.script.append(Fault(".", record, after=True))
            assert len((await connection.runs(row.many_letter, query)).items) == rows
            requests = len(server.journal)
            server.faults.script[:] = [Fault(".", replay)]
            tracemalloc.start()
            listing: Listing[Run] | None = await connection.runs(row.many_letter, query)
            assert listing is not None
            assert (len(listing.items), listing.missing) == (rows, ())
            gc.collect()
            held = tracemalloc.get_traced_memory()[0]
            listing = None
            gc.collect()
            held -= tracemalloc.get_traced_memory()[0]
            tracemalloc.stop()
            return held, requests

    (held, requests), _ = play(scene, grace_s=0)
    assert requests <= math.ceil(rows / row.page) + 3
    assert held <= 6 * 1024**2 * rows / 10_000


@every_system
def test_few_runs_cost_few_requests(name: str) -> None:
    row = SAMPLES[name]

    async def scene() -> int:
        async with sample(name) as (server, connection):
            row.many(server, 3 * row.page)
            query = replace(ALL, project=row.quiet, at_most=10)
            await connection.runs(row.many_letter, query)
            server.journal.clear()
            assert len((await connection.runs(row.many_letter, query)).items) == 10
            return len(server.journal)

    assert play(scene, grace_s=GRACE_S)[0] <= 2


def test_nothing_of_a_connection_is_left_out_of_the_contract() -> None:
    """A question that Connection knows and METHODS does not ask would be held to nothing; so would a change."""
    asked = {
        "projects",
        "run",
        "runs",
        "scan",
        "earlier",
        "parts",
        "tests",
        "history",
        "results",
        "threads",
        "find_person",
    }
    known = {each for each in vars(Connection) if not each.startswith("_") and callable(vars(Connection)[each])}
    assert known - {"close", "forget", "read_link"} - CHANGING == asked
    assert known >= CHANGING
    assert {method.split(" ")[0] for method in METHODS} == {each.split("_")[0] for each in asked}
