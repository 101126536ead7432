"""Changes of test sets: what goes over the wire, what is refused before, and what is seen of it afterwards."""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from bot.domain.acts import (
    Append,
    Attachment,
    Change,
    Close,
    Delete,
    Edit,
    Named,
    Pointer,
    Report,
    Reported,
    Start,
    Step,
)
from bot.domain.errors import (
    AmbiguousError,
    CannotError,
    NotFoundError,
    RejectedFault,
    SlowDownFault,
    SystemFault,
    TooLateError,
)
from bot.domain.model import RunRef
from bot.domain.outcomes import Outcome
from bot.domain.queries import ResultQuery, RunQuery
from bot.sandbox.practitest import PractiTest
from bot.sandbox.server import running
from bot.systems import system
from bot.systems._pace import Pace
from bot.systems._spec import Account
from bot.usecases.ports import PATIENCE, Connection, Patience

TOKEN = "s3cret-token-of-uat"
REF = RunRef("uat", "S", 55)
PASSED = Reported(outcome=Outcome.PASSED, id=98142)
FAILED = Reported(outcome=Outcome.FAILED, id=98143)
MARK: dict[str, Any] = {"mark_field": "45911", "mark_value": "Done"}


@asynccontextmanager
async def sample(
    *, project: int | None = 4566, pace: Pace | None = None, limit: int | None = 30, **options: Any
) -> AsyncIterator[tuple[PractiTest, Connection]]:
    """The sample, and a connection that may not send a call too many, nor a parameter that nobody knows."""
    async with running(server := PractiTest(limit=limit, token=TOKEN)):
        account = {
            "url": f"{server.url}/api/v2",
            "token": TOKEN,
            "project": project,
            "web_url": "https://prod.practitest.com",
            **options,
        }
        connection = system("practitest").connect(Account("uat", account, pace or Pace(30), server.clock.now))
        try:
            yield server, connection
        finally:
            await connection.close()
        assert server.ignored == []
        assert not server.limit.refused
        assert not server.calls(TOKEN)


@contextmanager
def patience(seconds: float, *, person: bool = True) -> Iterator[None]:
    mark = PATIENCE.set(Patience(time.monotonic() + seconds, person))
    try:
        yield
    finally:
        PATIENCE.reset(mark)


def report(server: PractiTest, *tests: Reported, **more: Any) -> Report:
    said: dict[str, Any] = {
        "ref": REF,
        "project": 4566,
        "by": "Ana Kovač",
        "at": server.clock.now(),
        "marker": "m1",
        "tests": tests or (PASSED,),
    }
    return Report(**{**said, **more})


async def carry_out(connection: Connection, change: Change, **files: bytes) -> Change:
    prepared = await connection.prepare(change)
    await connection.carry_out(prepared, files)
    return prepared


def writes(server: PractiTest) -> list[tuple[str, str, Any]]:
    """Method, path below the API's address, and body of what was sent to change something."""
    sent = [call for call in server.journal if call.method != "GET"]
    return [(call.method, call.target.removeprefix("/api/v2/"), json.loads(call.body)) for call in sent]


def asked(server: PractiTest) -> list[str]:
    """What was read so far, shortly; then the journal is empty."""
    found = [call.target.removeprefix("/api/v2/").partition("?")[0] for call in server.journal if call.method == "GET"]
    server.journal.clear()
    return found


def status_of(server: PractiTest, instance: int) -> str:
    return server.account.instances[instance].run_status


def item(instance: int = 98142, *, steps: Any = None, files: Any = None, **attributes: Any) -> dict[str, Any]:
    named = {name.replace("_", "-"): value for name, value in attributes.items()}
    its: dict[str, Any] = {"type": "instances", "attributes": {"instance-id": instance, **named}}
    its |= {"steps": {"data": steps}} if steps else {}
    return its | ({"files": {"data": files}} if files else {})


NAME = "Cart keeps its items after login"


# What it can do.


async def test_results_can_always_be_reported_and_nothing_else_changed() -> None:
    async with sample() as (_server, connection):
        kind = connection.kinds["S"]
        assert "report" in kind.verbs
        assert kind.closing is None
        for verb in ("close", "start", "edit", "note", "link", "attach", "delete"):
            assert verb not in kind.verbs
            assert kind.cannot[verb].endswith(".")


async def test_sets_can_be_marked_where_the_settings_name_a_field() -> None:
    async with sample(mark_field="---f-45911", mark_value="Completed") as (server, connection):
        closing = connection.kinds["S"].closing
        assert closing is not None
        assert (closing.verb, closing.done, closing.for_good, closing.finishes) == ("mark", "marked", False, False)
        assert (await connection.run(REF)).kind is connection.kinds["S"]
        assert {run.kind.closing for run in (await connection.runs("S", RunQuery(project=4566))).items} == {closing}
        assert not writes(server)


@pytest.mark.parametrize(
    "change",
    [
        Close(REF),
        Start(connection="uat", letter="S", project=4566, name="x"),
        Edit(ref=REF, project=4566, name="x"),
        Append(ref=REF, by="Ana", at=datetime.now().astimezone(), marker="m", note="x"),
        Append(ref=REF, by="Ana", at=datetime.now().astimezone(), marker="m", links=(Pointer("a", "https://x.test"),)),
        Append(ref=REF, by="Ana", at=datetime.now().astimezone(), marker="m", artifacts=(Pointer("a", "https://x"),)),
        Delete(REF),
    ],
)
async def test_what_it_cannot_do_is_refused_with_what_is_possible_instead(change: Change) -> None:
    async with sample() as (server, connection):
        for asking in (connection.prepare(change), connection.carry_out(change, {})):
            with pytest.raises(CannotError) as caught:
                await asking
            assert caught.value.why in connection.kinds["S"].cannot.values()
            assert caught.value.fix
        assert await connection.was_done(change, server.clock.now()) is False
        assert server.journal == []


async def test_there_is_no_preview_of_a_loss() -> None:
    async with sample() as (_server, connection):
        with pytest.raises(CannotError) as caught:
            await connection.loss(REF)
    assert "deletes nothing" in caught.value.why


async def test_offers_testers_by_name() -> None:
    async with sample() as (server, connection):
        assert await connection.offers("person", 4566) == (
            Named("Ana Kovač", 5380),
            Named("ci@acme.example", 5390),
            Named("Ida Roth", 5379),
            Named("Lea Martin", 5382),
            Named("Tom Becker", 5381),
        )
        assert await connection.offers("suite", 4566) == ()
        assert asked(server) == ["users.json"]


async def test_offers_nobody_where_users_may_not_be_listed() -> None:
    async with sample() as (server, connection):
        server.faults.answer("users.json", 403, "")
        assert await connection.offers("person", 4566) == ()


# Reports, as they are sent.

BLOCKED = replace(PASSED, outcome=Outcome.BLOCKED)


@pytest.mark.parametrize(
    ("tests", "more", "body"),
    [
        ([PASSED], {}, item(exit_code=0)),
        ([replace(PASSED, outcome=Outcome.FAILED)], {}, item(exit_code=1)),
        ([BLOCKED], {}, item(steps=[{"name": NAME, "status": "BLOCKED"}])),
        (
            [Reported(outcome=Outcome.PASSED, name="16:1")],
            {"note": " all fine ", "duration_s": 300.0, "version": "4.2"},
            item(exit_code=0, automated_execution_output="all fine", run_duration="00:05:00", version="4.2"),
        ),
        ([Reported(outcome=Outcome.PASSED, name=NAME.upper())], {}, item(exit_code=0)),
        (
            [replace(PASSED, outcome=Outcome.FAILED)],
            {"steps": (Step("login", Outcome.PASSED), Step("cart", Outcome.FAILED)), "note": "empty"},
            item(
                steps=[
                    {"name": "login", "status": "PASSED"},
                    {"name": "cart", "status": "FAILED", "actual-results": "empty"},
                ],
                automated_execution_output="empty",
            ),
        ),
        (
            [PASSED],
            {"tester": Named("Tom Becker"), "note": "looks good"},
            item(
                run_type="ManualRun",
                tester_id=5381,
                steps=[{"name": NAME, "status": "PASSED", "actual-results": "looks good"}],
            ),
        ),
        (
            [PASSED],
            {"fields": (("os", "Win"), ("45390", "Chrome"), ("---f-45900", "812"))},
            item(exit_code=0, custom_fields={"---f-45293": "Win", "---f-45390": "Chrome", "---f-45900": "812"}),
        ),
        (
            [PASSED],
            {"fields": (("Clients", "ClientA"), ("45916", "ClientC"))},
            item(exit_code=0, custom_fields={"---f-45916": ["ClientA", "ClientC"]}),
        ),
        ([PASSED, FAILED, PASSED], {}, [item(exit_code=0), item(98143, exit_code=1)]),
    ],
)
async def test_a_report_is_one_call_with_this_body(tests: list[Reported], more: dict[str, Any], body: Any) -> None:
    async with sample() as (server, connection):
        before = len(server.account.runs)
        await carry_out(connection, report(server, *tests, **more))
        assert writes(server) == [("POST", "projects/4566/runs.json", {"data": body})]
        assert len(server.account.runs) == before + (len(body) if isinstance(body, list) else 1)


async def test_twenty_results_are_one_call_and_one_more_is_refused_before_any() -> None:
    async with sample() as (server, connection):
        places = [place.id for place in server.account.instances_of(55)][:21]
        tests = [Reported(outcome=Outcome.PASSED, id=number) for number in places]
        with pytest.raises(CannotError) as caught:
            await connection.prepare(report(server, *tests))
        assert server.journal == []
        await carry_out(connection, report(server, *tests[:20]))
        assert len(writes(server)) == 1
        assert {status_of(server, number) for number in places[:20]} == {"PASSED"}
    assert "at most 20" in caught.value.why


async def test_files_go_with_the_result_as_base64() -> None:
    async with sample() as (server, connection):
        files = (Attachment("F1", "../shot.png", 4), Attachment("F2", "run.log", 3))
        await carry_out(connection, report(server, files=files), F1=b"\x89PNG", F2=b"log")
        packed = [
            {"filename": "_shot.png", "content_encoded": base64.b64encode(b"\x89PNG").decode()},
            {"filename": "run.log", "content_encoded": base64.b64encode(b"log").decode()},
        ]
        assert writes(server)[0][2]["data"] == item(exit_code=0, files=packed)
        kept = [(each.filename, each.content) for each in server.account.attachments]
        assert kept == [("_shot.png", b"\x89PNG"), ("run.log", b"log")]


async def test_nothing_is_sent_when_a_file_is_lacking() -> None:
    async with sample() as (server, connection):
        prepared = await connection.prepare(report(server, files=(Attachment("F1", "run.log", 3),)))
        with pytest.raises(RejectedFault) as caught:
            await connection.carry_out(prepared, {})
        assert not caught.value.sent
        assert not writes(server)


async def test_a_prepared_report_names_all_by_number_and_by_name() -> None:
    async with sample() as (server, connection):
        loose = report(
            server,
            Reported(outcome=Outcome.PASSED, name="16:1"),
            ref=RunRef("uat", "S", 55, 3),
            project=1,
            tester=Named("becker"),
            fields=(("OS", "Mac"),),
        )
        prepared = await connection.prepare(loose)
        assert prepared == replace(
            loose,
            ref=REF,
            project=4566,
            tests=(Reported(outcome=Outcome.PASSED, id=98142, name=NAME),),
            tester=Named("Tom Becker", 5381),
            fields=(("---f-45293", "Mac"),),
        )
        assert await connection.prepare(prepared) == prepared
        assert not writes(server)


async def test_the_shown_number_of_a_set_becomes_its_own() -> None:
    async with sample() as (server, connection):
        shown = server.account.sets[42].display_id
        place = server.account.instances_of(42)[0].id
        loose = report(server, Reported(outcome=Outcome.PASSED, id=place), ref=RunRef("uat", "S", shown))
        prepared = await connection.prepare(loose)
        assert isinstance(prepared, Report)
        assert prepared.ref == RunRef("uat", "S", 42)


@pytest.mark.parametrize(
    ("tests", "more", "error", "told"),
    [
        ([replace(PASSED, id=98230)], {}, NotFoundError, "No instance of this test set “98230”"),
        ([replace(PASSED, id=None, name="Cart")], {}, NotFoundError, "No instance of this test set “Cart”"),
        ([replace(PASSED, id=None, name="4:1")], {}, NotFoundError, "No instance of this test set “4:1”"),
        ([PASSED, replace(PASSED, outcome=Outcome.FAILED)], {}, CannotError, "two results"),
        ([PASSED], {"note": "x" * 256}, CannotError, "255"),
        ([PASSED], {"tester": Named("Nobody")}, NotFoundError, "No user “Nobody”"),
        ([PASSED], {"tester": Named("", 5301)}, NotFoundError, "No user “5301”"),
        ([PASSED], {"fields": (("Amiga", "x"),)}, NotFoundError, "No custom field “Amiga”"),
        ([PASSED], {"fields": (("46001", "Pixel 9"),)}, NotFoundError, "No custom field “46001”"),
        ([PASSED], {"fields": (("OS", "Amiga"),)}, NotFoundError, "No value of the field OS “Amiga”"),
        ([PASSED], {"ref": RunRef("uat", "S", 999)}, NotFoundError, "No test set S999"),
        ([PASSED], {"files": (Attachment("F1", "a", 9_000_000),)}, CannotError, "8.6 MiB"),
    ],
)
async def test_what_does_not_fit_is_refused_before_anything_is_sent(
    tests: list[Reported], more: dict[str, Any], error: type[Exception], told: str
) -> None:
    async with sample() as (server, connection):
        with pytest.raises(error) as caught:
            await connection.prepare(report(server, *tests, **more))
        assert told in f"{caught.value} {getattr(caught.value, 'why', '')}"
        assert not writes(server)


async def test_a_test_that_stands_in_a_set_twice_is_a_choice() -> None:
    async with sample() as (server, connection):
        again = server.account.add_instance(55, server.account.instances[98142].test_id)
        with pytest.raises(AmbiguousError) as caught:
            await connection.prepare(report(server, Reported(outcome=Outcome.PASSED, name=NAME)))
        assert [choice.command for choice in caught.value.choices] == ["98142", str(again.id)]
        await connection.prepare(report(server, Reported(outcome=Outcome.PASSED, id=again.id)))


async def test_a_name_that_several_fields_have_is_a_choice() -> None:
    async with sample() as (server, connection):
        server.account.fields[45299] = replace(server.account.fields[45293], id=45299)
        with pytest.raises(AmbiguousError) as caught:
            await connection.prepare(report(server, fields=(("os", "Win"),)))
        assert {choice.command for choice in caught.value.choices} == {"45293", "45299"}


async def test_a_name_is_never_said_to_be_unknown_when_the_service_is_down() -> None:
    async with sample() as (server, connection):
        server.faults.reset("custom_fields.json")
        with patience(0.5), pytest.raises(SystemFault):
            await connection.prepare(report(server, fields=(("OS", "Win"),)))
        with patience(0.5):
            prepared = await connection.prepare(report(server, fields=(("45293", "Win"),)))
        assert isinstance(prepared, Report)
        assert prepared.fields == (("---f-45293", "Win"),)


async def test_a_project_that_lists_no_fields_is_there_all_the_same() -> None:
    async with sample() as (server, connection):
        server.faults.answer("custom_fields.json", 404, "")
        await carry_out(connection, report(server, fields=(("45293", "Win"),)))
        assert writes(server)[0][2]["data"]["attributes"]["custom-fields"] == {"---f-45293": "Win"}
        with pytest.raises(NotFoundError) as caught:
            await connection.prepare(report(server, fields=(("OS", "Win"),)))
        assert caught.value.what == "No custom field “OS” in PractiTest."


async def test_names_that_may_not_be_read_leave_numbers() -> None:
    async with sample() as (server, connection):
        server.faults.answer("/(users|custom_fields).json", 403, "")
        numbered = report(server, tester=Named("", 5382), fields=(("45293", "Win"),))
        await carry_out(connection, numbered)
        attributes = writes(server)[0][2]["data"]["attributes"]
        assert (attributes["tester-id"], attributes["custom-fields"]) == (5382, {"---f-45293": "Win"})
        for named in (report(server, tester=Named("Lea Martin")), report(server, fields=(("OS", "Win"),))):
            with pytest.raises(NotFoundError):
                await connection.prepare(named)


async def test_an_instance_beyond_what_is_read_of_a_huge_set_is_asked_for() -> None:
    async with sample(limit=None, pace=Pace()) as (server, connection):
        test_id = server.account.instances[98142].test_id
        for _ in range(2_001):
            last = server.account.add_instance(55, test_id)
        prepared = await connection.prepare(report(server, Reported(outcome=Outcome.PASSED, id=last.id)))
        assert isinstance(prepared, Report)
        assert prepared.tests[0].name == NAME
        assert f"projects/4566/instances/{last.id}.json" in asked(server)
        for stranger in (98230, 97327, 12):  # of another project, of another set, of none
            with pytest.raises(NotFoundError):
                await connection.prepare(report(server, Reported(outcome=Outcome.PASSED, id=stranger)))


# How many calls.


async def test_a_report_after_a_look_at_the_set_takes_one_call_more() -> None:
    async with sample() as (server, connection):
        await connection.run(REF)
        asked(server)
        await carry_out(connection, report(server))
        assert [call.method for call in server.journal] == ["POST"]


async def test_a_report_out_of_the_blue_takes_three_calls() -> None:
    async with sample() as (server, connection):
        await carry_out(connection, report(server))
        assert asked(server) == ["projects/4566/sets/55.json", "projects/4566/instances.json"]


async def test_a_prepared_report_means_the_same_in_another_process() -> None:
    async with sample() as (server, connection):
        prepared = await connection.prepare(report(server))
    async with sample(project=None) as (server, connection):
        await connection.carry_out(prepared, {})
        assert [call.method for call in server.journal] == ["POST"]
        assert await connection.was_done(prepared, server.clock.now()) is True


async def test_a_change_goes_ahead_of_background_work_and_takes_its_reserve() -> None:
    async with sample(pace=Pace(5)) as (server, connection):
        prepared = await connection.prepare(report(server))
        with patience(0.5, person=False):
            await connection.results(REF, ResultQuery())
            with pytest.raises(SlowDownFault):  # a fifth of the minute is left to people
                await connection.results(REF, ResultQuery())
            await connection.carry_out(prepared, {})
        assert status_of(server, 98142) == "PASSED"


async def test_a_minute_that_is_used_up_is_told_and_nothing_was_sent() -> None:
    async with sample(pace=Pace(2)) as (server, connection):
        prepared = await connection.prepare(report(server))
        with patience(0.5), pytest.raises(SlowDownFault) as caught:
            await connection.carry_out(prepared, {})
        assert not caught.value.sent
        assert not writes(server)


# What is remembered.


async def test_after_a_report_the_set_is_read_anew() -> None:
    async with sample() as (server, connection):
        before = await connection.run(REF)
        tests = await connection.tests(REF)
        await carry_out(connection, report(server, PASSED, replace(FAILED, outcome=Outcome.PASSED)))
        after = await connection.run(REF)
        assert (after.tally.passed, after.tally.failed) == (before.tally.passed + 2, before.tally.failed - 2)
        assert (await connection.tests(REF)).items != tests.items
        listed = await connection.runs("S", RunQuery(project=4566, state="all"))
        assert next(run.tally for run in listed.items if run.ref == REF) == after.tally


async def test_a_report_of_which_no_answer_came_is_forgotten_too() -> None:
    async with sample() as (server, connection):
        await connection.tests(REF)
        prepared = await connection.prepare(report(server))
        server.faults.reset("POST", after=True)
        with pytest.raises(SystemFault):
            await connection.carry_out(prepared, {})
        tests = (await connection.tests(REF)).items
        assert next(test.outcome for test in tests if test.id == "98142") is Outcome.PASSED


async def test_what_was_being_read_during_a_report_is_not_remembered() -> None:
    async with sample() as (server, connection):
        prepared = await connection.prepare(report(server))
        connection.forget(REF)
        release, reading = asyncio.Event(), asyncio.Event()

        async def late(_request: Any, answer: Any) -> Any:
            reading.set()
            await release.wait()
            return answer

        fault = server.faults.delay("instances.json", 0.0, times=1)
        fault.spoil = late
        old = asyncio.create_task(connection.tests(REF))
        await reading.wait()
        await connection.carry_out(prepared, {})
        release.set()
        assert next(test.outcome for test in (await old).items if test.id == "98142") is Outcome.FAILED
        tests = (await connection.tests(REF)).items
        assert next(test.outcome for test in tests if test.id == "98142") is Outcome.PASSED


async def test_forgetting_one_set_leaves_the_others() -> None:
    async with sample() as (server, connection):
        for number in (55, 57):
            await connection.tests(RunRef("uat", "S", number))
        asked(server)
        connection.forget(REF)
        connection.forget(RunRef("uat", "S", 999))
        for number in (55, 57):
            await connection.tests(RunRef("uat", "S", number))
        assert [each for each in asked(server) if "instances" in each] == ["projects/4566/instances.json"]


# Was it done?

NOTED = {"note": "a < b & “c”"}
BY_HAND = {"tester": Named("", 5381), "note": "saw it"}


@pytest.mark.parametrize("more", [{}, NOTED, BY_HAND])
@pytest.mark.parametrize("tests", [[PASSED], [BLOCKED], [PASSED, FAILED]])
async def test_a_report_that_was_done_is_seen(tests: list[Reported], more: dict[str, Any]) -> None:
    async with sample() as (server, connection):
        since = server.clock.now()
        prepared = await connection.prepare(report(server, *tests, **more))
        assert await connection.was_done(prepared, since) is False
        await connection.carry_out(prepared, {})
        assert await connection.was_done(prepared, since) is True
        assert await connection.was_done(prepared, since + timedelta(hours=1)) is False


@pytest.mark.parametrize("how", ["hang", "reset", "cut off", "an error"])
async def test_a_report_that_was_done_but_never_answered_is_seen(how: str) -> None:
    async with sample() as (server, connection):
        since = server.clock.now()
        prepared = await connection.prepare(report(server, FAILED, note="empty"))
        match how:
            case "hang":
                server.faults.hang("POST", after=True)
            case "reset":
                server.faults.reset("POST", after=True)
            case "an error":
                server.faults.answer("POST", 500, "", after=True)
            case _:
                server.faults.answer("POST", 502, "<html>", after=True, content_type="text/html")
        with patience(0.5), pytest.raises(SystemFault) as caught:
            await connection.carry_out(prepared, {})
        assert caught.value.sent
        assert await connection.was_done(prepared, since) is True
        assert len(writes(server)) == 1


@pytest.mark.parametrize("how", ["hang", "reset"])
async def test_a_report_that_was_sent_but_not_done_is_seen(how: str) -> None:
    async with sample() as (server, connection):
        since = server.clock.now()
        prepared = await connection.prepare(report(server))
        server.faults.hang("POST") if how == "hang" else server.faults.reset("POST")
        with patience(0.5), pytest.raises(SystemFault) as caught:
            await connection.carry_out(prepared, {})
        assert caught.value.sent
        assert await connection.was_done(prepared, since) is False


async def test_a_refused_report_was_not_done_and_is_told_in_the_services_words() -> None:
    async with sample() as (server, connection):
        since = server.clock.now()
        prepared = await connection.prepare(report(server))
        del server.account.instances[98142]
        with pytest.raises(RejectedFault) as caught:
            await connection.carry_out(prepared, {})
        assert caught.value.why == "instance-id 98142 is not an instance of this project"
        assert not caught.value.sent
        assert await connection.was_done(prepared, since) is False


async def test_half_of_a_report_is_no_telling() -> None:
    async with sample() as (server, connection):
        prepared = await connection.prepare(report(server, PASSED, FAILED))
        server.add_run(98142, "PASSED")
        assert await connection.was_done(prepared, server.clock.now()) is None


async def test_a_list_that_can_only_be_read_in_part_is_no_telling() -> None:
    async with sample() as (server, connection):
        prepared = await connection.prepare(report(server))
        row = {"id": "nonsense", "attributes": {}}
        server.faults.answer("runs.json", 200, json.dumps({"data": [row], "meta": {"total-pages": 1}}))
        assert await connection.was_done(prepared, server.clock.now()) is None


async def test_looking_for_a_report_is_one_call_for_its_instances_since_then() -> None:
    async with sample() as (server, connection):
        since = server.clock.now() - timedelta(hours=2, minutes=59)
        prepared = await connection.prepare(report(server, PASSED, FAILED))
        server.journal.clear()
        await connection.was_done(prepared, since)
        (call,) = server.journal
        assert "instance-ids=98142,98143&updated-hours-ago=4&" in call.target


# The mark.


async def test_a_mark_is_one_call_that_sets_the_field() -> None:
    async with sample(**MARK) as (server, connection):
        since = server.clock.now()
        prepared = await connection.prepare(Close(REF))
        assert prepared == Close(REF)
        assert await connection.was_done(prepared, since) is False
        assert await connection.carry_out(prepared, {}) is None
        body = {"data": {"type": "sets", "attributes": {"custom-fields": {"---f-45911": "Done"}}}}
        assert writes(server) == [("PUT", "projects/4566/sets/55.json", body)]
        assert server.account.sets[55].custom_fields["---f-45293"] == "Win"
        assert await connection.was_done(prepared, since) is True


async def test_the_shown_number_of_a_set_is_marked_as_its_own() -> None:
    async with sample(**MARK) as (server, connection):
        shown = server.account.sets[42].display_id
        assert await connection.prepare(Close(RunRef("uat", "S", shown))) == Close(RunRef("uat", "S", 42))


async def test_a_part_of_a_set_is_never_taken_for_the_set() -> None:
    async with sample(**MARK) as (server, connection):
        with pytest.raises(CannotError) as caught:
            await connection.prepare(Close(RunRef("uat", "S", 55, 98142)))
        assert caught.value.fix == "Mark the test set: `close S55`."
        assert server.journal == []


async def test_a_set_that_is_marked_is_not_marked_again() -> None:
    async with sample(**MARK) as (server, connection):
        await carry_out(connection, Close(REF))
        with pytest.raises(TooLateError) as caught:
            await connection.prepare(Close(REF))
        assert caught.value.what == "S55 is marked already."
        assert len(writes(server)) == 1


@pytest.mark.parametrize("how", ["hang", "reset"])
@pytest.mark.parametrize("after", [True, False])
async def test_a_mark_without_an_answer_is_read_from_the_set(how: str, after: bool) -> None:
    async with sample(**MARK) as (server, connection):
        since = server.clock.now()
        prepared = await connection.prepare(Close(REF))
        getattr(server.faults, how)("PUT", after=after)
        with patience(0.5), pytest.raises(SystemFault) as caught:
            await connection.carry_out(prepared, {})
        assert caught.value.sent
        assert await connection.was_done(prepared, since) is after


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"mark_field": "46001", "mark_value": "Pixel 9"}, "No custom field “---f-46001” in PractiTest."),
        ({"mark_field": "45911", "mark_value": "Completed"}, "No value of the field Sign-off “Completed”"),
    ],
)
async def test_a_mark_that_the_project_does_not_know_is_refused(options: dict[str, Any], told: str) -> None:
    async with sample(**options) as (server, connection):
        with pytest.raises(CannotError) as caught:
            await connection.prepare(Close(REF))
        assert told in caught.value.why
        assert "mark_field" in caught.value.fix
        assert not writes(server)


async def test_a_mark_is_tried_where_fields_may_not_be_listed() -> None:
    async with sample(**MARK) as (server, connection):
        server.faults.answer("custom_fields.json", 403, "")
        await carry_out(connection, Close(REF))
        assert server.account.sets[55].custom_fields["---f-45911"] == "Done"


async def test_whether_a_set_that_is_gone_was_marked_cannot_be_told() -> None:
    async with sample(**MARK) as (server, connection):
        prepared = await connection.prepare(Close(REF))
        server.remove_set(55)
        assert await connection.was_done(prepared, server.clock.now()) is None


# No secret anywhere.


async def test_no_failure_of_a_change_tells_the_token(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    login = base64.b64encode(f"rundown:{TOKEN}".encode()).decode()
    async with sample(**MARK) as (server, connection):
        told = ""
        for change in (report(server), Close(REF)):
            prepared = await connection.prepare(change)
            for status in (400, 403, 404, 422, 500):
                body = json.dumps({"errors": [{"title": f"{TOKEN} {login}"}], "links": {"self": f"?api_token={TOKEN}"}})
                server.faults.answer("^(POST|PUT)", status, body, times=1)
                with pytest.raises(SystemFault) as caught:
                    await connection.carry_out(prepared, {})
                told += f"{caught.value} {caught.value.why} {caught.value.fix} {caught.value!r}"
            links = {"self": f"?api_token={TOKEN}"}
            server.faults.answer("^(POST|PUT)", 200, json.dumps({"data": [], "links": links}), times=1)
            await connection.carry_out(prepared, {})
        assert "•••" in told
        for secret in (TOKEN, login):
            assert secret not in told
            assert secret not in caplog.text
            assert not any(secret in call.target or secret.encode() in call.body for call in server.journal)
