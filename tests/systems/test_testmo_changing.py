"""What the connection sends to Testmo to change something, and what it makes of the answers; on the sample server."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.domain.acts import Append, Change, Close, Delete, Edit, Named, Pointer, Report, Reported, Start
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
from bot.domain.model import RunRef
from bot.domain.outcomes import Outcome
from bot.sandbox.server import running
from bot.sandbox.testmo import Access
from bot.sandbox.testmo import Testmo as SampleTestmo
from bot.systems import system, testmo
from bot.systems._pace import Pace
from bot.systems._spec import Account
from bot.usecases.ports import PATIENCE, Connection, Patience

AT = datetime(2026, 1, 5, 7, tzinfo=UTC)
A415, A412, R118 = RunRef("testmo", "A", 415), RunRef("testmo", "A", 412), RunRef("testmo", "R", 118)
CI = Pointer("Build", "https://ci.acme.example/1", "green")
PNG = Pointer("a.png", "https://ci.acme.example/a.png")
SECRET = "testmo-demo-token"
KNOWN_KEY = "49221b4599275957b1ac171f6c5a94c718616bb9"  # of "orders keeps version 1" in A415


@asynccontextmanager
async def sample(*, may_close: bool = False, **options: Any) -> AsyncIterator[tuple[SampleTestmo, Connection]]:
    async with running(server := SampleTestmo(**options)):
        settings: dict[str, str | int | bool | None]
        settings = {"url": server.url, "token": server.token, "project": 1, "close_manual_runs": may_close}
        connection = system("testmo").connect(Account("testmo", settings, Pace(), server.clock.now))
        yield server, connection
        await connection.close()


@contextmanager
def patience(seconds: float) -> Iterator[None]:
    before = PATIENCE.set(Patience(time.monotonic() + seconds))
    try:
        yield
    finally:
        PATIENCE.reset(before)


def start(**more: Any) -> Start:
    usual = Start(connection="testmo", letter="A", project=1, name="Smoke", source="nightly-web")
    return replace(usual, **more)


def append(ref: RunRef = A415, **more: Any) -> Append:
    return replace(Append(ref=ref, by="Ana", at=AT, marker="k1"), **more)


def report(ref: RunRef = A415, **more: Any) -> Report:
    tests = (Reported(outcome=Outcome.PASSED, name="orders keeps version 1"),)
    return replace(Report(ref=ref, project=1, by="Ana", at=AT, marker="k1", tests=tests), **more)


def sent(server: SampleTestmo) -> list[tuple[str, str, Any]]:
    """The calls that can change something, as (method, path below the API, JSON body)."""
    calls = [call for call in server.journal if call.method not in ("GET", "OPTIONS")]
    assert {call.headers["Content-Type"] for call in calls} <= {"application/json"}
    return [(call.method, call.target.removeprefix("/api/v1"), json.loads(call.body)) for call in calls]


async def change(connection: Connection, what: Change) -> RunRef | None:
    return await connection.carry_out(await connection.prepare(what), {})


# What goes out.

THREAD = "1617"  # the next one that the sample server makes
SHA1 = hashlib.sha1(b"Reported\nnew one", usedforsecurity=False).hexdigest()
REPORTED = {
    "fields": [
        {"name": "Reported by", "type": 1, "value": "Ana"},
        {"name": "Reported with", "type": 1, "value": "Rundown k1"},
    ]
}
CREATE, APPEND = "/projects/1/automation/runs", "/automation/runs/415/append"

CALLS: dict[str, tuple[Change, list[tuple[str, str, Any]]]] = {
    "complete a run": (Close(A415), [("POST", "/automation/runs/415/complete", {"measure_elapsed": True})]),
    "complete a thread": (
        Close(RunRef("testmo", "A", 415, 2)),
        [("POST", "/automation/runs/threads/1616/complete", {})],
    ),
    "close a manual run": (Close(R118), [("PATCH", "/runs/118", {"is_closed": True})]),
    "start with little": (start(), [("POST", CREATE, {"name": "Smoke", "source": "nightly-web"})]),
    "start with all": (
        start(
            name=' "Smoke" 夜 ',
            source="Nightly-WEB",
            tags=("a", "b_1", "a"),
            links=(CI,),
            artifacts=(PNG,),
            fields=(("Branch", "main"), ("Log", "one\ntwo"), ("Job", "https://ci.acme.example/2")),
            milestone=Named("release 8.2"),
            config=Named("firefox"),
        ),
        [
            (
                "POST",
                CREATE,
                {
                    "name": '"Smoke" 夜',
                    "source": "nightly-web",
                    "tags": ["a", "b_1"],
                    "links": [{"name": "Build", "url": "https://ci.acme.example/1", "note": "green"}],
                    "artifacts": [{"name": "a.png", "url": "https://ci.acme.example/a.png"}],
                    "fields": [
                        {"name": "Branch", "type": 1, "value": "main"},
                        {"name": "Log", "type": 2, "value": "one\ntwo"},
                        {"name": "Job", "type": 5, "value": "https://ci.acme.example/2"},
                    ],
                    "milestone_id": 3,
                    "config_id": 2,
                },
            )
        ],
    ),
    "start with numbers": (
        start(source="new-one", milestone=Named("Release 8.2", 1), config=Named("3")),
        [("POST", CREATE, {"name": "Smoke", "source": "new-one", "milestone_id": 1, "config_id": 3})],
    ),
    "start with names that say nothing": (
        start(milestone=Named(""), config=Named("")),
        [("POST", CREATE, {"name": "Smoke", "source": "nightly-web"})],
    ),
    "note": (
        append(note=' slow "again"\n<b> '),
        [
            (
                "POST",
                APPEND,
                {
                    "fields": [
                        {
                            "name": "Note from Ana",
                            "type": 2,
                            "value": 'slow "again"\n<b>',
                            "meta": {"rundown": "k1"},
                        }
                    ]
                },
            )
        ],
    ),
    "link and attach": (
        append(links=(CI,), artifacts=(PNG,)),
        [
            (
                "POST",
                APPEND,
                {
                    "artifacts": [{"name": "a.png", "url": "https://ci.acme.example/a.png"}],
                    "links": [{"name": "Build", "url": "https://ci.acme.example/1", "note": "green"}],
                },
            )
        ],
    ),
    "attach to a thread": (
        append(RunRef("testmo", "A", 415, 1), artifacts=(PNG,)),
        [
            (
                "POST",
                "/automation/runs/threads/1615/append",
                {"artifacts": [{"name": "a.png", "url": "https://ci.acme.example/a.png"}]},
            )
        ],
    ),
    "report": (
        report(),
        [
            ("POST", "/automation/runs/415/threads", REPORTED),
            (
                "POST",
                f"/automation/runs/threads/{THREAD}/append",
                {
                    "tests": [
                        {
                            "key": KNOWN_KEY,
                            "name": "orders keeps version 1",
                            "folder": "Contracts",
                            "status": "passed",
                        }
                    ]
                },
            ),
            ("POST", f"/automation/runs/threads/{THREAD}/complete", {}),
        ],
    ),
    "report with all": (
        report(
            tests=(Reported(outcome=Outcome.FAILED, id=62943), Reported(outcome=Outcome.SKIPPED, name="new one")),
            note="time-out",
            duration_s=1.5,
            fields=(("Build", "52"),),
        ),
        [
            ("POST", "/automation/runs/415/threads", REPORTED),
            (
                "POST",
                f"/automation/runs/threads/{THREAD}/append",
                {
                    "tests": [
                        {
                            "key": KNOWN_KEY,
                            "name": "orders keeps version 1",
                            "folder": "Contracts",
                            "status": "failed",
                            "elapsed": 1_500_000,
                            "fields": [
                                {"name": "Note", "type": 2, "value": "time-out", "is_highlight": True},
                                {"name": "Build", "type": 1, "value": "52"},
                            ],
                        },
                        {
                            "key": SHA1,
                            "name": "new one",
                            "folder": "Reported",
                            "status": "skipped",
                            "elapsed": 1_500_000,
                            "fields": [
                                {"name": "Note", "type": 2, "value": "time-out"},
                                {"name": "Build", "type": 1, "value": "52"},
                            ],
                        },
                    ]
                },
            ),
            ("POST", f"/automation/runs/threads/{THREAD}/complete", {}),
        ],
    ),
}


@pytest.mark.parametrize("case", CALLS)
async def test_a_change_goes_out_as_the_vendors_page_has_it(case: str) -> None:
    what, calls = CALLS[case]
    async with sample(may_close=True, close_runs=True) as (server, connection):
        since = server.clock.now()
        prepared = await connection.prepare(what)
        assert sent(server) == []
        assert await connection.was_done(prepared, since) is False
        made = await connection.carry_out(prepared, {})
        assert sent(server) == calls
        done = await connection.was_done(prepared, since)
        assert done == (made if isinstance(what, Start) else True)
        assert sent(server) == calls


async def test_a_started_run_is_the_one_that_is_there_now() -> None:
    async with sample() as (server, connection):
        ref = await change(connection, start(name="Fresh", milestone=Named("Release 8.1")))
        assert ref is not None
        run = await connection.run(ref)
        assert (run.name, run.source, run.milestone, run.finished) == ("Fresh", "nightly-web", "Release 8.1", False)
        assert run.ref.id == max(server.store.automation_runs)


async def test_a_change_that_is_prepared_says_the_names_with_their_numbers() -> None:
    async with sample() as (_, connection):
        prepared = await connection.prepare(start(milestone=Named("release 8.2"), config=Named("", 2)))
        assert isinstance(prepared, Start)
        assert (prepared.milestone, prepared.config) == (Named("Release 8.2", 3), Named("Firefox", 2))
        reported = await connection.prepare(report(tests=(Reported(outcome=Outcome.PASSED, id=62943),)))
        assert isinstance(reported, Report)
        assert [test.name for test in reported.tests] == ["orders keeps version 1"]
        assert await connection.prepare(prepared) == prepared
        assert await connection.prepare(reported) == reported


async def test_a_testmo_that_names_no_tests_takes_reports_by_name() -> None:
    async with sample(run_tests=False) as (server, connection):
        await change(connection, report(folder="Contracts"))
        key = hashlib.sha1(b"Contracts\norders keeps version 1", usedforsecurity=False).hexdigest()
        assert sent(server)[1][2]["tests"][0]["key"] == key
        with pytest.raises(NotFoundError, match=r"No test 5 in A415\."):
            await connection.prepare(report(tests=(Reported(outcome=Outcome.PASSED, id=5),)))


# What is refused before anything is sent.

EVERY_EDIT = Edit(ref=A415, project=1, name="x")
REFUSED: dict[str, tuple[Change, str]] = {
    "close a manual run": (Close(R118), "switched off here"),
    "close a thread of a manual run": (Close(RunRef("testmo", "R", 118, 1)), "switched off here"),
    "start a manual run": (start(letter="R"), "starts automation runs only"),
    "start in a suite": (start(suite=Named("Full")), "no place for a suite"),
    "edit": (EVERY_EDIT, "additions to an automation run, no changes"),
    "edit a manual run": (Edit(ref=R118, project=1, name="x"), "changes nothing of a manual run"),
    "note a manual run": (append(R118, note="x"), "(A…) take notes"),
    "link a manual run": (append(R118, links=(CI,)), "(A…) take links"),
    "attach to a manual run": (append(R118, artifacts=(PNG,)), "(A…) take artifacts"),
    "report to a manual run": (report(R118), "no results for manual runs"),
    "delete": (Delete(A415), "deletes no automation runs"),
    "delete a manual run": (Delete(R118), "deletes no runs"),
    "a note that is too long": (append(note="n" * 20_000), "Testmo takes 16,384"),
}


@pytest.mark.parametrize("case", REFUSED)
async def test_what_testmo_cannot_do_is_said_before_any_call(case: str) -> None:
    what, words = REFUSED[case]
    async with sample() as (server, connection):
        with pytest.raises(CannotError if "too long" not in case else AskError) as caught:
            await connection.prepare(what)
        assert words in f"{caught.value.what} {caught.value.why}"
        assert caught.value.fix
        assert server.journal == []


@pytest.mark.parametrize("what", [what for what, _ in list(REFUSED.values())[:3] + list(REFUSED.values())[4:12]])
async def test_what_testmo_cannot_do_is_not_sent_either(what: Change) -> None:
    async with sample() as (server, connection):
        with pytest.raises(CannotError):
            await connection.carry_out(what, {})
        assert server.journal == []


MISSING: dict[str, tuple[Change, str, tuple[str, ...]]] = {
    "a thread to complete": (Close(RunRef("testmo", "A", 415, 9)), "No thread A415/9", ("A415/2", "A415/1")),
    "a thread for a note": (
        append(RunRef("testmo", "A", 412, 0), note="x"),
        "No thread A412/0",
        ("A412/1", "A412/2", "A412/3"),
    ),
    "a milestone": (start(milestone=Named("Relase 8.2")), "No milestone", ("Release 8.2", "Release 8.1", "Release 8")),
    "a configuration": (start(config=Named("Crome")), "No configuration", ("Chrome",)),
    "a source's name": (start(source="nightly web"), "can't be the name", ("nightly-web",)),
    "a run": (report(RunRef("testmo", "A", 9999)), "No run A9999", ()),
}


@pytest.mark.parametrize("case", MISSING)
async def test_what_is_not_there_is_not_found_with_the_closest(case: str) -> None:
    what, words, closest = MISSING[case]
    async with sample() as (server, connection):
        with pytest.raises(NotFoundError) as caught:
            await connection.prepare(what)
        assert words in caught.value.what
        assert caught.value.closest == closest
        assert sent(server) == []


async def test_a_name_that_two_milestones_have_is_asked_for_by_number() -> None:
    async with sample() as (server, connection):
        server.store.milestones[2].name = "Release 8.2"
        with pytest.raises(AskError, match="several milestones") as caught:
            await connection.prepare(start(milestone=Named("Release 8.2")))
        assert "2" in caught.value.why
        assert "3" in caught.value.why


async def test_a_completed_run_takes_no_report() -> None:
    async with sample() as (server, connection):
        with pytest.raises(CannotError, match=r"A412 is completed\."):
            await connection.prepare(report(A412))
        assert sent(server) == []


async def test_a_run_that_was_completed_meanwhile_refuses_in_testmos_words() -> None:
    async with sample() as (server, connection):
        prepared = [await connection.prepare(what) for what in (Close(A415), append(note="x"), report())]
        server.finish_run(415)
        for what in prepared:
            with pytest.raises(RejectedFault) as caught:
                await connection.carry_out(what, {})
            assert "already completed" in caught.value.why
            assert not caught.value.sent
        assert [await connection.was_done(what, AT) for what in prepared] == [True, False, False]


# Manual runs.


@pytest.mark.parametrize(
    ("close_runs", "allow", "passes"),
    [
        (True, None, True),
        (False, None, False),
        (False, "", True),  # it does not say: the call itself will
        (True, "GET,HEAD, patch", True),
        (True, "GET, HEAD", False),
    ],
)
async def test_whether_a_manual_run_can_be_closed_is_asked_without_changing_anything(
    close_runs: bool, allow: str | None, passes: bool
) -> None:
    async with sample(may_close=True, close_runs=close_runs) as (server, connection):
        if allow is not None:
            server.faults.answer("OPTIONS", 200, "", headers={"Allow": allow} if allow else {})
        if passes:
            assert await connection.prepare(Close(R118)) == Close(R118)
        else:
            with pytest.raises(CannotError, match="This Testmo can't close R118"):
                await connection.prepare(Close(R118))
        assert [f"{call.method} {call.target}" for call in server.journal] == ["OPTIONS /api/v1/runs/118"]
        assert server.store.manual_runs[118].closed_at is None


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (401, RefusedFault),
        (429, SlowDownFault),
        (500, UnavailableFault),
        (403, None),
        (404, None),
        (405, None),
        (501, None),
    ],
)
async def test_a_probe_that_says_nothing_is_no_refusal(status: int, error: type[SystemFault] | None) -> None:
    async with sample(may_close=True, close_runs=True) as (server, connection):
        server.faults.answer("OPTIONS", status, "{}")
        if error is None:
            assert await connection.prepare(Close(R118)) == Close(R118)
        else:
            with pytest.raises(error):
                await connection.prepare(Close(R118))


@pytest.mark.parametrize("status", [404, 405])
async def test_a_testmo_that_cannot_close_manual_runs_says_so_itself(status: int) -> None:
    async with sample(may_close=True) as (server, connection):
        server.faults.answer("PATCH", status, '{"message": "The route could not be found."}')
        with pytest.raises(CannotError, match="This Testmo can't close R118"):
            await connection.carry_out(Close(R118), {})
        assert len(sent(server)) == 1


async def test_a_manual_run_that_is_gone_is_not_found() -> None:
    async with sample(may_close=True, close_runs=True) as (server, connection):
        server.remove_manual_run(118)
        with pytest.raises(NotFoundError, match=r"No run R118 in Testmo\."):
            await connection.carry_out(Close(R118), {})
        assert await connection.was_done(Close(R118), AT) is None


async def test_a_manual_run_has_no_threads_to_close() -> None:
    async with sample(may_close=True, close_runs=True) as (server, connection):
        with pytest.raises(CannotError) as caught:
            await connection.prepare(Close(RunRef("testmo", "R", 118, 1)))
        assert "no threads" in caught.value.why
        assert server.journal == []


def test_every_kind_says_of_each_verb_that_it_can_or_why_not() -> None:
    for kind in (testmo.MANUAL, testmo.MANUAL_CLOSING, testmo.AUTOMATION):
        for verb in ("close", "start", "edit", "note", "link", "attach", "report", "delete"):
            assert (verb in kind.verbs) != (verb in kind.cannot), (kind.noun, verb)
        assert ("close" in kind.verbs) == (kind.closing is not None)
        sentences = (*kind.cannot.values(), *(kind.closing.consequences if kind.closing else ()))
        assert all(sentence.endswith(".") for sentence in sentences)


async def test_the_setting_decides_whether_manual_runs_can_be_closed() -> None:
    for may_close in (False, True):
        async with sample(may_close=may_close) as (_, connection):
            kind = connection.kinds["R"]
            assert ("close" in kind.verbs) is may_close
            run = await connection.run(R118)
            assert run.kind is kind
            assert (await connection.tests(R118)).items
            assert not run.finished


# What became of it.

EACH: dict[str, tuple[Change, str]] = {
    "complete a run": (Close(A415), "/415/complete"),
    "complete a thread": (Close(RunRef("testmo", "A", 415, 1)), "threads/1615/complete"),
    "close a manual run": (Close(R118), "PATCH"),
    "start": (start(), "POST .*projects/1/automation/runs"),
    "note": (append(note="slow"), "/415/append"),
    "link": (append(links=(CI,)), "/415/append"),
    "attach to a thread": (append(RunRef("testmo", "A", 415, 2), artifacts=(PNG,)), "threads/1616/append"),
}


@pytest.mark.parametrize(("how", "error"), [("hang", TooSlowFault), ("reset", UnavailableFault)])
@pytest.mark.parametrize("case", EACH)
async def test_what_was_done_without_an_answer_is_seen_to_be_done(
    case: str, how: str, error: type[SystemFault]
) -> None:
    what, pattern = EACH[case]
    async with sample(may_close=True, close_runs=True) as (server, connection):
        since = server.clock.now()
        prepared = await connection.prepare(what)
        getattr(server.faults, how)(pattern, after=True)
        with patience(0.3), pytest.raises(error) as caught:
            await connection.carry_out(prepared, {})
        assert caught.value.sent
        assert len(sent(server)) == 1
        done = await connection.was_done(prepared, since)
        assert done == (RunRef("testmo", "A", 416) if isinstance(what, Start) else True)


@pytest.mark.parametrize("case", EACH)
async def test_what_was_lost_on_the_way_is_seen_not_to_be_done(case: str) -> None:
    what, pattern = EACH[case]
    async with sample(may_close=True, close_runs=True) as (server, connection):
        since = server.clock.now()
        prepared = await connection.prepare(what)
        server.faults.reset(pattern)
        with pytest.raises(UnavailableFault) as caught:
            await connection.carry_out(prepared, {})
        assert caught.value.sent
        assert len(sent(server)) == 1
        assert await connection.was_done(prepared, since) is False


async def test_a_new_run_whose_number_cannot_be_read_was_made_all_the_same() -> None:
    async with sample() as (server, connection):
        prepared = await connection.prepare(start())
        server.faults.answer("POST", 201, "{}", after=True)
        with pytest.raises(UnreadableFault) as caught:
            await connection.carry_out(prepared, {})
        assert caught.value.sent
        assert await connection.was_done(prepared, server.clock.now()) == RunRef("testmo", "A", 416)


async def test_only_a_run_of_the_same_name_source_and_time_is_the_one_that_was_started() -> None:
    async with sample() as (server, connection):
        now = server.clock.now()
        server.start_run(1, "nightly-web", "Smoke", ago=timedelta(hours=1))
        server.start_run(1, "api-contract", "Smoke")
        server.start_run(1, "nightly-web", "Smoke 2")
        server.start_run(3, "nightly-web", "Smoke")
        assert await connection.was_done(start(), now) is False
        mine = server.start_run(1, "nightly-web", "Smoke", ago=timedelta(minutes=1))  # its clock is behind ours
        assert await connection.was_done(start(), now) == RunRef("testmo", "A", mine.id)


async def test_runs_that_cannot_be_read_leave_it_open_whether_one_was_started() -> None:
    async with sample() as (server, connection):
        server.faults.answer("GET .*automation/runs", 200, '{"result": [{"no": "id"}], "total": 1, "page": 1}')
        assert await connection.was_done(start(), server.clock.now()) is None


async def test_what_a_testmo_does_not_tell_is_left_open() -> None:
    row = {"id": 415, "project_id": 1, "name": "x", "threads": [{"id": 1, "index": 1}]}
    async with sample() as (server, connection):
        server.faults.answer(r"GET .*runs/415\?", 200, json.dumps({"result": row, "expands": []}))
        for what in (Close(A415), append(note="x"), append(links=(CI,)), append(artifacts=(PNG,)), report()):
            assert await connection.was_done(what, AT) is None


async def test_a_run_that_is_gone_leaves_it_open() -> None:
    async with sample() as (server, connection):
        server.remove_run(415)
        for what in (Close(A415), Close(RunRef("testmo", "A", 415, 1)), append(note="x"), report()):
            assert await connection.was_done(what, AT) is None


async def test_a_thread_is_done_when_its_run_is() -> None:
    async with sample() as (server, connection):
        thread = Close(RunRef("testmo", "A", 415, 1))
        assert await connection.was_done(thread, AT) is False
        server.finish_run(415)
        assert await connection.was_done(thread, AT) is True


# A report that fails half-way.

HALF: dict[str, tuple[str, dict[str, Any], str, type[SystemFault], bool, bool]] = {
    # what goes wrong: at which call, how, what is said, as which error, the thread is completed, the results are there
    "the results are refused": (
        f"{THREAD}/append",
        {"status": 422, "body": '{"message": "The status is not known."}'},
        "A new thread is in A415, completed; nothing is in it.",
        RejectedFault,
        True,
        False,
    ),
    "the results are in doubt": (
        f"{THREAD}/append",
        {"status": 502},
        "A new thread is in A415, completed; whether the results are in it is not known.",
        UnavailableFault,
        True,
        False,
    ),
    "the results are there, but that is not said": (
        f"{THREAD}/append",
        {"status": 504, "after": True},
        "A new thread is in A415, completed; whether the results are in it is not known.",
        UnavailableFault,
        True,
        True,
    ),
    "nothing after the thread works": (
        THREAD,
        {"status": 403, "body": '{"message": "No."}'},
        "A new thread is in A415, still open; nothing is in it.",
        RefusedFault,
        False,
        False,
    ),
    "the end is refused": (
        f"{THREAD}/complete",
        {"status": 422, "body": '{"message": "No."}'},
        "The results are in A415; their thread is still open.",
        RejectedFault,
        False,
        True,
    ),
    "the end is in doubt": (
        f"{THREAD}/complete",
        {"status": 500, "after": True},
        "The results are in A415; their thread may still be open.",
        UnavailableFault,
        True,
        True,
    ),
}


@pytest.mark.parametrize("case", HALF)
async def test_a_report_that_fails_half_way_says_what_is_there(case: str) -> None:
    pattern, how, words, error, ended, there = HALF[case]
    async with sample() as (server, connection):
        prepared = await connection.prepare(report())
        server.faults.answer(f"POST .*{pattern}", **how)
        with pytest.raises(error) as caught:
            await connection.carry_out(prepared, {})
        assert caught.value.why.endswith(words)
        assert caught.value.sent
        assert caught.value.left == words
        assert caught.value.answered is issubclass(error, UnavailableFault)
        assert isinstance(caught.value, RundownError)
        calls = [path for _, path, _ in sent(server)]
        assert len(calls) == len(set(calls)) == 3  # none is sent twice
        thread = server.store.automation_runs[415].threads[-1]
        assert (thread.completed_at is not None, bool(thread.tests)) == (ended, there)
        server.faults.clear()
        assert await connection.was_done(prepared, AT) is there


async def test_a_report_nobody_waits_for_any_more_still_ends_its_thread() -> None:
    async with sample() as (server, connection):
        prepared = await connection.prepare(report())
        server.faults.hang(f"POST .*{THREAD}/append", after=True)
        with patience(0.3), pytest.raises(TooSlowFault) as caught:
            await connection.carry_out(prepared, {})
        assert caught.value.sent
        assert "completed; whether the results are in it is not known" in caught.value.why
        assert server.store.automation_runs[415].threads[-1].completed_at is not None
        assert await connection.was_done(prepared, AT) is True


async def test_a_report_whose_thread_was_refused_left_nothing() -> None:
    async with sample() as (server, connection):
        prepared = await connection.prepare(report())
        server.faults.answer("POST .*/415/threads", 403, '{"message": "No."}')
        with pytest.raises(RefusedFault) as caught:
            await connection.carry_out(prepared, {})
        assert not caught.value.sent
        assert len(sent(server)) == 1
        assert await connection.was_done(prepared, AT) is False


# Who may, and what leaks.


async def test_a_key_that_may_only_read_is_refused_by_name() -> None:
    async with sample() as (server, connection):
        server.tokens[SECRET] = Access(1, may_write=False)
        for what in (Close(A415), start(), append(note="x"), report()):
            with pytest.raises(RefusedFault) as caught:
                await change(connection, what)
            assert not caught.value.sent


@pytest.mark.parametrize("status", [400, 403, 404, 405, 422, 500])
async def test_no_refusal_of_a_change_repeats_the_key(status: int) -> None:
    async with sample(may_close=True, close_runs=True) as (server, connection):
        prepared = [await connection.prepare(what) for what in (Close(R118), start(), append(note="x"), report())]
        body = json.dumps({"message": f"Bearer {SECRET} may not.", "errors": {"token": [f"bad {SECRET}"]}})
        server.faults.answer("(POST|PATCH) ", status, body)
        for what in prepared:
            with pytest.raises(RundownError) as caught:
                await connection.carry_out(what, {})
            assert SECRET not in f"{caught.value} {caught.value.what} {caught.value.why} {caught.value.fix}"


# What can be chosen.


@pytest.mark.parametrize(
    ("what", "project", "offered"),
    [
        ("source", 1, {Named("nightly-web", 2), Named("api-contract", 5)}),
        ("milestone", 2, {Named("Store submission 4.0", 5)}),
        ("config", 2, {Named("iOS 19, iPhone", 3), Named("Android 16, Pixel", 4)}),
        ("suite", 1, set()),
        ("assignee", 1, set()),
    ],
)
async def test_what_can_be_chosen_is_offered(what: str, project: int, offered: set[Named]) -> None:
    async with sample() as (_, connection):
        assert set(await connection.offers(what, project)) == offered


async def test_people_are_offered_by_name_and_number() -> None:
    async with sample() as (_, connection):
        assert Named("Ana Kovač", 2) in await connection.offers("person", 1)


async def test_a_source_made_by_a_start_is_offered_next_time() -> None:
    async with sample() as (_, connection):
        assert "brand-new" not in {each.name for each in await connection.offers("source", 1)}
        await change(connection, start(source="brand-new"))
        assert "brand-new" in {each.name for each in await connection.offers("source", 1)}


async def test_a_loss_cannot_be_told_as_nothing_can_be_deleted() -> None:
    async with sample() as (server, connection):
        for ref in (A415, R118):
            with pytest.raises(CannotError) as caught:
                await connection.loss(ref)
            assert "delete" in caught.value.why
        connection.forget(A415)
        assert server.journal == []
