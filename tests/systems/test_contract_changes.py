"""What every system promises of changes: once, as asked, seen at once, and never a word about it that is not so.

A system is held to all of it by its rows in `changes_table`; nothing here knows a system by name.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import web

from bot.domain.acts import WRITES, Append, Change, Close, Delete, Edit, Pointer, Report, Reported, Start
from bot.domain.errors import (
    AskError,
    CannotError,
    NotFoundError,
    RefusedFault,
    RejectedFault,
    RundownError,
    SlowDownFault,
    SystemFault,
    TooSlowFault,
    UnavailableFault,
    UnreadableFault,
)
from bot.domain.model import Run, RunRef
from bot.domain.outcomes import Outcome
from bot.sandbox.server import Call, Fault
from bot.systems import CATALOGUE, system
from bot.systems._pace import Pace
from bot.systems._remembering import Remembering
from bot.systems._spec import Account
from bot.usecases.ports import PATIENCE, Connection, Patience
from tests.systems.changes_table import AT, CHANGES, Write
from tests.systems.contract_kit import GRACE_S, METHODS, check_error, connect, sample, without_times
from tests.systems.contract_table import SAMPLES
from tests.systems.floor_kit import gathered, http, now, play, saying, serving, settle

NO = json.dumps({"message": "no", "error": "no", "errors": [{"title": "no"}]})
OFFERED = ("suite", "milestone", "person", "source")


def changes_that(are: Callable[[Write], bool]) -> pytest.MarkDecorator:
    rows = [(name, what) for name, its in CHANGES.items() for what, write in its.writes.items() if are(write)]
    return pytest.mark.parametrize(("name", "what"), rows)


ROWS = [(name, what) for name in CATALOGUE for what in CHANGES[name].writes]
KINDS = [(name, kind.letter) for name in CATALOGUE for kind in system(name).kinds]

every_change = pytest.mark.parametrize(("name", "what"), ROWS)
every_change_of_a_run = changes_that(lambda write: not isinstance(write.change, Start))
every_change_that_adds = changes_that(lambda write: isinstance(write.change, Start | Report))
every_change_for_good = changes_that(lambda write: write.once)
every_kind = pytest.mark.parametrize(("name", "letter"), KINDS)
every_way = pytest.mark.parametrize("told_all", [False, True], ids=["as it comes", "with all settings"])


@asynccontextmanager
async def changing(name: str, *, told_all: bool = True) -> AsyncIterator[tuple[Any, Connection]]:
    """A sample server and a connection, told all that is needed for every change (or nothing beyond what must be)."""
    its = CHANGES[name]
    async with sample(name, options=its.options if told_all else None, **(its.server if told_all else {})) as both:
        yield both


def again(name: str, server: Any) -> Connection:
    """Another connection to it, which remembers nothing."""
    return connect(name, server, **CHANGES[name].options)


def writes(name: str, server: Any) -> list[Call]:
    """What came that may change something."""
    return [call for call in server.journal if not re.search(CHANGES[name].harmless, f"{call.method} {call.target}")]


def row(name: str, what: str) -> Write:
    return CHANGES[name].writes[what]


def pattern(name: str, method: str, path: str) -> str:
    """What matches this very call in a script of faults."""
    return f"^{method} {re.escape(CHANGES[name].api + path)}$"


def first(name: str, write: Write) -> str:
    method, path, _ = write.calls[0]
    return pattern(name, method, path)


def ref_of(write: Write, name: str) -> RunRef:
    """The run that is changed; for a start, one that is there."""
    if isinstance(write.change, Start):
        return RunRef(name, write.letter, SAMPLES[name].kinds[write.letter].runs[0])
    return replace(write.change.ref, thread=None)


async def tried(connection: Connection, change: Change) -> RundownError | RunRef | None:
    """What came of it, an error as a value; anything else that is raised is a mistake."""
    try:
        return await connection.carry_out(change, {})
    except RundownError as error:
        return error


# The table itself.


def test_every_verb_of_every_kind_has_its_row() -> None:
    assert set(CHANGES) == set(CATALOGUE)
    for name in CATALOGUE:
        for letter, kind in kinds(name, told_all=True).items():
            rows = {write.verb for write in CHANGES[name].writes.values() if write.letter == letter}
            assert rows == set(WRITES) & kind.verbs, f"{name} {letter}"
            assert (kind.closing is not None) is ("close" in kind.verbs)


def kinds(name: str, *, told_all: bool) -> Any:
    options = {option.name: "1" if option.of != "number" else 1 for option in system(name).options if option.required}
    more = CHANGES[name].options if told_all else {}
    account = Account(name, {**options, "url": "https://acme.example", **more}, Pace(), lambda: AT)
    return system(name).connect(account).kinds


# Right changes.


@every_change
def test_a_change_is_exactly_these_calls_and_seen_at_once_by_those_who_looked_before(name: str, what: str) -> None:
    async def scene() -> list[str]:
        write = row(name, what)
        async with changing(name) as (server, connection):
            remembering = Remembering(connection, now=now)
            ref = ref_of(write, name)
            runs = [await remembering.run(each) for each in (ref, *write.near)]
            await all_answers(remembering, runs)
            if write.look and not isinstance(write.change, Start):
                assert await write.look(remembering, ref) == write.before
            since = server.clock.now()
            change = await remembering.prepare(write.change)
            assert writes(name, server) == []
            assert await remembering.was_done(change, since) is False
            await all_answers(remembering, runs)

            made = await remembering.carry_out(change, {})

            api = CHANGES[name].api
            sent = [
                (call.method, call.target.removeprefix(api), json.loads(call.body)) for call in writes(name, server)
            ]
            assert sent == list(write.calls)
            assert (made is not None) is isinstance(write.change, Start)
            if write.look:
                assert await write.look(remembering, made or ref) == write.after
            fresh = again(name, server)
            known, anew = await all_answers(remembering, runs), await all_answers(fresh, runs)
            stale = [question for question in anew if known[question] != anew[question]]
            assert await fresh.was_done(change, since) == (made or True)
            assert await remembering.was_done(change, since) == (made or True)
            await fresh.close()
            assert len(writes(name, server)) == len(write.calls)
            return stale

    assert play(scene, grace_s=GRACE_S)[0] == []


async def all_answers(connection: Connection, runs: list[Run]) -> dict[str, object]:
    """The answers to every question about these runs; errors as their words."""
    answers: dict[str, object] = {}
    for run in runs:
        for method, ask in METHODS.items():
            try:
                answer = without_times(await ask(connection, run))
            except RundownError as error:
                answer = str(error)
            answers[f"{method} {run.ref}"] = answer
    return answers


@every_change_that_adds
def test_what_was_done_before_it_was_asked_for_is_not_what_was_asked_for(name: str, what: str) -> None:
    """Something alike that was there before is not taken for it; what a run shows of itself has no time."""

    async def scene() -> None:
        write = row(name, what)
        async with changing(name) as (server, connection):
            change = await connection.prepare(write.change)
            await connection.carry_out(change, {})
            later = server.clock.now() + timedelta(hours=2)
            server.clock.move_to(later)
            marked = isinstance(change, Report) and await connection.was_done(change, later) is True
            if marked:  # then it is told by its marker, and another report has another one
                assert isinstance(change, Report)
                change = replace(change, marker="k2")
            assert await connection.was_done(change, later) in (False, None)

    play(scene, grace_s=GRACE_S)


# No answer.


@dataclass(frozen=True, slots=True)
class Lost:
    """A way for the answer to get lost, after the work was done or instead of it."""

    spoil: Callable[[Any, str, bool], object]
    kind: type[SystemFault]


def _break_off(server: Any, pattern: str, after: bool) -> None:
    async def spoil(request: web.Request, _answer: web.StreamResponse | None) -> web.StreamResponse:
        answer = web.StreamResponse(headers={"Content-Type": "application/json", "Content-Length": "900"})
        await answer.prepare(request)
        await answer.write(b'{"id": ')
        assert request.transport is not None
        request.transport.close()
        raise ConnectionResetError

    server.faults.script.append(Fault(pattern, spoil, after=after))


def _web_page(server: Any, pattern: str, after: bool) -> None:
    server.faults.answer(pattern, 200, "<!doctype html><h1>Log in</h1>", after=after, content_type="text/html")


def _status(status: int) -> Callable[[Any, str, bool], object]:
    return lambda server, pattern, after: server.faults.answer(pattern, status, "oops", after=after)


LOST: dict[str, Lost] = {
    "never": Lost(lambda server, pattern, after: server.faults.hang(pattern, after=after), TooSlowFault),
    "cut": Lost(lambda server, pattern, after: server.faults.reset(pattern, after=after), UnavailableFault),
    **{str(status): Lost(_status(status), UnavailableFault) for status in (408, 500, 502, 503, 504)},
    "broken off": Lost(_break_off, UnavailableFault),
    "a web page": Lost(_web_page, UnreadableFault),
}


@pytest.mark.parametrize("after", [True, False], ids=["done", "not done"])
@pytest.mark.parametrize("lost", LOST)
@every_change
def test_without_an_answer_it_is_not_sent_again_and_can_be_told_later(
    name: str, what: str, lost: str, after: bool, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)

    async def scene() -> None:
        write, its = row(name, what), LOST[lost]
        async with changing(name) as (server, connection):
            remembering = Remembering(connection, now=now)
            since = server.clock.now()
            change = await remembering.prepare(write.change)
            its.spoil(server, pattern(name, *write.doing), after)
            told = await tried(remembering, change)
            fault = check_error(name, told)
            assert isinstance(fault, its.kind), fault
            assert fault.sent
            sent = [f"{call.method} {call.target}" for call in writes(name, server)]
            assert len(set(sent)) == len(sent)
            assert len([line for line in sent if re.search(pattern(name, *write.doing), line)]) == 1
            server.faults.clear()
            assert bool(await remembering.was_done(change, since)) is after
            if write.look and not isinstance(write.change, Start) and len(write.calls) == 1:
                assert await write.look(remembering, ref_of(write, name)) == (write.after if after else write.before)

    play(scene, grace_s=GRACE_S)
    assert not leaks(name, caplog)


def leaks(name: str, caplog: pytest.LogCaptureFixture) -> list[str]:
    return [
        record.getMessage()
        for record in caplog.records
        for secret in SAMPLES[name].secrets
        if secret in record.getMessage()
    ]


SILENCES: dict[str, Callable[[Any], object]] = {
    "down": lambda server: server.faults.answer(".", 500, "oops"),
    "slow": lambda server: server.faults.hang("."),
    "a web page": lambda server: server.faults.html("."),
    "slow down": lambda server: server.faults.slow_down(".", "40"),
    "cut off": lambda server: server.faults.cut(".", 60),
    "forbidden": lambda server: server.faults.answer(".", 403, NO),
}


@pytest.mark.parametrize("how", SILENCES)
@every_change
def test_what_cannot_be_read_is_never_said_to_be_done_or_not(name: str, what: str, how: str) -> None:
    async def scene() -> list[object]:
        write = row(name, what)
        async with changing(name) as (server, connection):
            since = server.clock.now()
            change = await connection.prepare(write.change)
            told: list[object] = []
            for done in (False, True):
                if done:
                    await connection.carry_out(change, {})
                SILENCES[how](server)
                fresh = again(name, server)
                PATIENCE.set(Patience(now() + 5))
                told += await gathered(fresh.was_done(change, since))
                PATIENCE.set(None)
                await fresh.close()
                server.faults.clear()
            return told

    told, _ = play(scene, grace_s=GRACE_S)
    assert not [each for each in told if each is not None and not isinstance(each, SystemFault)]


# Refused.

REFUSALS: dict[str, tuple[int, type[RundownError] | tuple[type[RundownError], ...]]] = {
    "400": (400, RejectedFault),
    "401": (401, RefusedFault),
    "403": (403, RefusedFault),
    "404": (404, (RejectedFault, NotFoundError, CannotError)),
    "409": (409, UnavailableFault),
    "413": (413, RejectedFault),
    "422": (422, RejectedFault),
    "429": (429, SlowDownFault),
    "501": (501, UnavailableFault),
}


@pytest.mark.parametrize("status", REFUSALS)
@every_change
def test_a_refusal_is_told_and_nothing_was_done(
    name: str, what: str, status: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)

    async def scene() -> None:
        write, (code, kind) = row(name, what), REFUSALS[status]
        async with changing(name) as (server, connection):
            since, before = server.clock.now(), CHANGES[name].state(server)
            change = await connection.prepare(write.change)
            told_back = json.dumps({"message": SAMPLES[name].secrets[0], "error": SAMPLES[name].secrets[0]})
            for words in (NO, told_back, "<h1>No</h1>"):
                server.faults.clear()
                server.journal.clear()
                server.faults.answer(first(name, write), code, words, headers={"Retry-After": "40"})
                stranger = again(name, server)
                PATIENCE.set(Patience(now() + 100))
                error = check_error(name, await tried(stranger, change))
                PATIENCE.set(None)
                await stranger.close()
                assert isinstance(error, kind), error
                assert not getattr(error, "sent", False)
                assert len(writes(name, server)) == 1
                if isinstance(error, SlowDownFault):
                    assert error.retry_at is not None
                    assert abs(error.retry_at - server.clock.now() - timedelta(seconds=40)) < timedelta(seconds=5)
            server.faults.clear()
            fresh = again(name, server)
            assert await fresh.was_done(change, since) is False
            await fresh.close()
            assert CHANGES[name].state(server) == before

    play(scene, grace_s=GRACE_S)
    assert not leaks(name, caplog)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@every_change
def test_a_change_never_follows_to_another_address(name: str, what: str, status: int) -> None:
    async def scene() -> None:
        write = row(name, what)
        async with changing(name) as (server, connection), serving(saying(http())) as elsewhere:
            since, before = server.clock.now(), CHANGES[name].state(server)
            change = await connection.prepare(write.change)
            server.faults.redirect(first(name, write), f"{elsewhere.url}/login", status=status)
            error = check_error(name, await tried(connection, change))
            assert isinstance(error, UnavailableFault)
            assert not error.sent
            assert elsewhere.connections == 0
            assert len(writes(name, server)) == 1
            server.faults.clear()
            assert await connection.was_done(change, since) is False
            assert CHANGES[name].state(server) == before

    play(scene, grace_s=GRACE_S)


@every_change
def test_a_server_that_is_gone_got_nothing(name: str, what: str) -> None:
    async def scene() -> None:
        write = row(name, what)
        async with changing(name) as (server, connection):
            since, before = server.clock.now(), CHANGES[name].state(server)
            change = await connection.prepare(write.change)
            await server.stop()
            error = check_error(name, await tried(connection, change))
            assert isinstance(error, UnavailableFault)
            assert not error.sent
            await server.start()
            fresh = again(name, server)
            assert await fresh.was_done(change, since) is False
            await fresh.close()
            assert (CHANGES[name].state(server), writes(name, server)) == (before, [])

    play(scene, grace_s=GRACE_S)


# Nothing by accident.


@every_kind
@every_way
def test_preparing_and_offering_change_nothing(name: str, letter: str, told_all: bool) -> None:
    async def scene() -> None:
        async with changing(name, told_all=told_all) as (server, connection):
            before = CHANGES[name].state(server)
            ref = RunRef(name, letter, SAMPLES[name].kinds[letter].runs[0])
            for verb in WRITES:
                for change in (a_change(verb, ref), *rows_of(name, letter, verb)):
                    told = (await gathered(connection.prepare(change)))[0]
                    assert not isinstance(told, BaseException) or isinstance(told, AskError), told
            loss = (await gathered(connection.loss(ref)))[0]
            if "delete" in connection.kinds[letter].verbs:
                assert not isinstance(loss, BaseException), loss
            else:
                assert isinstance(loss, CannotError)
                check_error(name, loss)
            for what in (*OFFERED, "nothing of the kind"):
                offered = await connection.offers(what, SAMPLES[name].project)
                assert len({each.id for each in offered}) == len(offered)
                assert all(each.name and each.id for each in offered)
                assert bool(offered) or what != "person"
            assert writes(name, server) == []
            assert CHANGES[name].state(server) == before

    play(scene, grace_s=GRACE_S)


@every_change
def test_what_is_prepared_is_prepared(name: str, what: str) -> None:
    """It means the same when it is prepared once more, in another process."""

    async def scene() -> None:
        async with changing(name) as (server, connection):
            change = await connection.prepare(row(name, what).change)
            fresh = again(name, server)
            assert await fresh.prepare(change) == change
            await fresh.close()

    play(scene, grace_s=GRACE_S)


@every_kind
@every_way
def test_what_a_kind_cannot_is_said_with_what_is_possible_instead(name: str, letter: str, told_all: bool) -> None:
    async def scene() -> None:
        async with changing(name, told_all=told_all) as (server, connection):
            kind = connection.kinds[letter]
            ref = RunRef(name, letter, SAMPLES[name].kinds[letter].runs[0])
            for verb in sorted(set(WRITES) - kind.verbs):
                assert re.fullmatch(r"[A-Z].{20,}\.", kind.cannot[verb]), f"{verb}: {kind.cannot[verb]!r}"
                change = a_change(verb, ref)
                for told in await gathered(connection.prepare(change), connection.carry_out(change, {})):
                    assert isinstance(told, CannotError), f"{verb}: {told!r}"
                    check_error(name, told)
            assert server.journal == []
            assert not set(kind.cannot) & kind.verbs

    play(scene, grace_s=GRACE_S)


def rows_of(name: str, letter: str, verb: str) -> list[Change]:
    return [each.change for each in CHANGES[name].writes.values() if (each.letter, each.verb) == (letter, verb)]


def a_change(verb: str, ref: RunRef) -> Change:
    """A plain change of that verb, as any system might be asked for."""
    pointer = Pointer("Build", "https://ci.acme.example/1")
    append = Append(ref=ref, by="Ana", at=AT, marker="k9")
    some: dict[str, Change] = {
        "close": Close(ref),
        "start": Start(connection=ref.connection, letter=ref.letter, project=1, name="Smoke", source="nightly"),
        "edit": Edit(ref=ref, project=1, name="Another name"),
        "note": replace(append, note="a note"),
        "link": replace(append, links=(pointer,)),
        "attach": replace(append, artifacts=(pointer,)),
        "report": Report(
            ref=ref, project=1, by="Ana", at=AT, marker="k9", tests=(Reported(outcome=Outcome.PASSED, name="a test"),)
        ),
        "delete": Delete(ref),
    }
    return some[verb]


@every_change_for_good
def test_what_can_be_done_once_only_does_no_harm_a_second_time(name: str, what: str) -> None:
    async def scene() -> None:
        write = row(name, what)
        async with changing(name) as (server, connection):
            change = await connection.prepare(write.change)
            await connection.carry_out(change, {})
            done = await looked(name, server, ref_of(write, name))
            told = (await gathered(connection.prepare(write.change)))[0]
            second = await tried(connection, change)
            refused = [each for each in (told, second) if isinstance(each, RundownError)]
            assert refused
            for error in refused:
                check_error(name, error)
                assert isinstance(error, AskError | SystemFault)
                assert not getattr(error, "sent", False)
            assert await looked(name, server, ref_of(write, name)) == done

    play(scene, grace_s=GRACE_S)


async def looked(name: str, server: Any, ref: RunRef) -> object:
    """The run with its tests as anybody would see them now, but for when it was last touched; None when it is gone."""
    connection = again(name, server)
    try:
        run = await connection.run(ref)
        return replace(run, read_at=AT, updated_at=None), (await connection.tests(ref)).items
    except NotFoundError:
        return None
    finally:
        await connection.close()


@every_change_of_a_run
def test_a_run_that_is_not_there_is_not_changed(name: str, what: str) -> None:
    async def scene() -> None:
        write = row(name, what)
        async with changing(name) as (server, connection):
            before = CHANGES[name].state(server)
            prepared = await connection.prepare(write.change)
            assert not isinstance(prepared, Start)
            gone = replace(prepared, ref=replace(prepared.ref, id=987_654))
            told = (await gathered(connection.prepare(gone)))[0]
            if isinstance(told, BaseException):
                assert isinstance(told, NotFoundError), told
                check_error(name, told)
            else:
                error = await tried(connection, told)
                assert isinstance(error, RundownError), error
                assert not getattr(check_error(name, error), "sent", False)
            assert CHANGES[name].state(server) == before

    play(scene, grace_s=GRACE_S)


# In time, and in turn.


@every_change
def test_a_change_nobody_waits_for_any_more_is_not_sent(name: str, what: str) -> None:
    async def scene() -> None:
        write = row(name, what)
        async with changing(name) as (server, connection):
            change = await connection.prepare(write.change)
            server.journal.clear()
            for late_s in (0.0, 60.0):
                PATIENCE.set(Patience(now() - late_s))
                error = check_error(name, await tried(connection, change))
                assert isinstance(error, TooSlowFault)
                assert not error.sent
            PATIENCE.set(None)
            assert server.journal == []

    play(scene, grace_s=GRACE_S)


@every_change
def test_a_change_waits_for_its_turn_ahead_of_background_work_and_not_for_ever(name: str, what: str) -> None:
    async def scene() -> None:
        write = row(name, what)
        async with changing(name) as (server, connection):
            change = await connection.prepare(write.change)
            pace = Pace(now=now, in_flight=1)
            options = {**SAMPLES[name].options(server), **CHANGES[name].options}
            paced = system(name).connect(Account(name, options, pace, server.clock.now))
            server.journal.clear()
            other = again(name, server)
            await other.projects()
            await other.close()
            polled = server.journal[0].target
            server.journal.clear()
            async with pace.turn():
                error = check_error(name, await with_patience(tried(paced, change), Patience(now() + 3.0)))
                assert isinstance(error, TooSlowFault)
                assert not error.sent
                assert server.journal == []
                background = Patience(now() + 300.0, person=False)
                poll = asyncio.create_task(with_patience(paced.projects(), background))
                await settle()
                click = asyncio.create_task(with_patience(tried(paced, change), Patience(now() + 300.0)))
                await settle()
                assert server.journal == []
            assert not isinstance(await click, RundownError)
            await poll
            await paced.close()
            assert server.journal[0].target != polled
            assert polled in [call.target for call in server.journal]
            assert len(writes(name, server)) == len(write.calls)

    play(scene, grace_s=GRACE_S)


async def with_patience(job: Any, patience: Patience) -> Any:
    before = PATIENCE.set(patience)
    try:
        return await job
    finally:
        PATIENCE.reset(before)


@every_change
def test_a_change_goes_out_with_the_key_in_its_header_only(name: str, what: str) -> None:
    async def scene() -> None:
        async with changing(name) as (server, connection):
            change = await connection.prepare(row(name, what).change)
            await connection.carry_out(change, {})
            for call in server.journal:
                told = (call.target.encode(), call.body)
                assert not [secret for secret in SAMPLES[name].secrets if any(secret.encode() in each for each in told)]

    play(scene, grace_s=GRACE_S)
