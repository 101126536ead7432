"""What the connection makes of a PractiTest that refuses, lies, breaks off, or shows what is none of its business."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from bot.domain.errors import (
    NotFoundError,
    RefusedFault,
    RejectedFault,
    RundownError,
    SlowDownFault,
    TooLargeFault,
    UnavailableFault,
    UnreadableFault,
)
from bot.domain.model import RunRef
from bot.domain.outcomes import Outcome, Tally
from bot.domain.queries import ResultQuery, RunQuery, Who
from bot.sandbox.practitest import PractiTest, mischief
from bot.sandbox.practitest.paging import Page
from bot.sandbox.server import Fault, running
from bot.systems import practitest, system
from bot.systems._pace import Pace
from bot.systems._spec import Account
from bot.usecases.ports import PATIENCE, Connection, Patience

FIXTURES = Path(__file__).parent.parent / "fixtures" / "practitest"
ALL = RunQuery(state="all")


@asynccontextmanager
async def sample(*, token: str = "", pace: Pace | None = None, **options: Any) -> AsyncIterator[Any]:
    """The sample and a connection to project 4567, which has the sets 61 to 65."""
    async with running(server := PractiTest(**options)):
        account: dict[str, str | int | bool | None] = {
            "url": f"{server.url}/api/v2",
            "token": token or server.token,
            "project": 4567,
            "web_url": "https://x",
        }
        connection = system("practitest").connect(Account("uat", account, pace or Pace(30), server.clock.now))
        try:
            yield server, connection
        finally:
            await connection.close()


@contextmanager
def patience(seconds: float) -> Iterator[None]:
    mark = PATIENCE.set(Patience(time.monotonic() + seconds))
    try:
        yield
    finally:
        PATIENCE.reset(mark)


def ref(number: int) -> RunRef:
    return RunRef("uat", "S", number)


async def ask_all(connection: Connection, number: int = 63) -> None:
    await connection.projects()
    run = await connection.run(ref(number))
    await connection.runs("S", ALL)
    await connection.earlier(run, 10)
    await connection.tests(ref(number), reasons=True)
    await connection.results(ref(number), ResultQuery())


# Refusals.


async def test_a_wrong_token_is_refused_and_never_told() -> None:
    async with sample(token="s3cret-token") as (server, connection):
        for asking in (
            connection.projects(),
            connection.run(ref(63)),
            connection.runs("S", ALL),
            connection.results(ref(63), ResultQuery()),
            connection.find_person(Who("5381")),
        ):
            with pytest.raises(RefusedFault) as caught:
                await asking
            assert "s3cret-token" not in f"{caught.value} {caught.value.why} {caught.value.fix}"
        assert not server.calls("s3cret-token")


async def test_the_services_own_words_are_told_without_the_token() -> None:
    async with sample(token="s3cret-token") as (server, connection):
        server.faults.answer("sets.json", 422, '{"errors": [{"title": "no filter for s3cret-token"}]}')
        with pytest.raises(RejectedFault) as caught:
            await connection.runs("S", ALL)
    assert caught.value.why == "no filter for •••"


async def test_an_unknown_filter_is_told_in_the_services_words() -> None:
    async with sample() as (_server, connection):
        with pytest.raises(RejectedFault) as caught:
            await connection.runs("S", RunQuery(state="all", set_filter="9999"))
    assert caught.value.why == "filter-id 9999 is not a filter of this project"


async def test_an_unknown_project_is_told() -> None:
    async with sample() as (_server, connection):
        with pytest.raises(NotFoundError) as caught:
            await connection.runs("S", RunQuery(project=99, state="all"))
    assert caught.value.what == "No project 99 in PractiTest."


@pytest.mark.parametrize("refused", ["users.json", "milestones.json", "/(users|milestones|groups).json"])
async def test_names_that_may_not_be_read_are_numbers(refused: str) -> None:
    async with sample() as (server, connection):
        server.faults.answer(refused, 403, '{"errors": [{"title": "Forbidden"}]}')
        run = await connection.run(ref(63))
        await connection.run(ref(63))
        assert run.assignee in {"Lea Martin", "user 5382"}
        assert run.milestone in {"App 7.0", "milestone 103"}
        assert len(server.calls(refused)) <= 2  # a refusal is remembered too
        assert run.tally.total == 8


async def test_nobody_is_found_where_users_may_not_be_listed() -> None:
    async with sample() as (server, connection):
        server.faults.answer("users.json", 403, "")
        assert await connection.find_person(Who("lea@acme.example")) is None
        assert (await connection.runs("S", RunQuery(state="all", by=(Who("5382"),)))).items
        with pytest.raises(NotFoundError) as caught:
            await connection.runs("S", RunQuery(state="all", by=(Who("Lea Martin"),)))
    assert "number" in caught.value.fix


async def test_a_set_whose_instances_may_not_be_read_keeps_its_own_status() -> None:
    async with sample() as (server, connection):
        server.faults.answer("instances.json", 403, "")
        run = await connection.run(ref(63))
        listing = await connection.runs("S", ALL)
        with pytest.raises(RefusedFault):
            await connection.tests(ref(63))
    assert (run.tally, run.verdict, run.finished) == (Tally(), Outcome.FAILED, False)
    assert [each.verdict for each in listing.items][2:] == [Outcome.FAILED, Outcome.FAILED, Outcome.PASSED]
    assert listing.missing == ("the counts of 5 test sets were not read: PractiTest does not let our key do this.",)
    assert {each.missing for each in (run, *listing.items)} == {(practitest.UNCOUNTED,)}
    assert listing.total is None


async def test_projects_that_may_not_be_read_are_passed_over() -> None:
    async with sample() as (server, connection):
        server.faults.answer("projects/4568/", 403, "")
        assert (await connection.run(ref(55))).project == 4566
        server.faults.answer("projects.json", 403, "")
        with pytest.raises(NotFoundError):
            await connection.run(ref(999))


# Too many calls.


async def test_waits_twenty_seconds_if_the_service_does_not_say_how_long() -> None:
    async with sample(limit=2) as (server, connection):
        with patience(5), pytest.raises(SlowDownFault) as caught:
            await ask_all(connection)
        assert caught.value.retry_at is not None
        wait = caught.value.retry_at - server.clock.now()
        assert timedelta(seconds=15) < wait <= timedelta(seconds=20)
        calls = len(server.journal)
        with patience(5), pytest.raises(SlowDownFault):
            await connection.runs("S", ALL)
        assert len(server.journal) == calls  # nobody asks before that


async def test_waits_as_long_as_the_service_says() -> None:
    async with sample() as (server, connection):
        server.faults.slow_down("sets", "40")
        with patience(5), pytest.raises(SlowDownFault) as caught:
            await connection.runs("S", ALL)
        assert caught.value.retry_at is not None
        assert caught.value.retry_at - server.clock.now() > timedelta(seconds=35)


async def test_reads_less_when_the_minute_is_nearly_used_up() -> None:
    pace = Pace(30)
    async with sample(pace=pace) as (server, connection):
        for _call in range(16):
            async with pace.turn():
                pass
        made = server.add_sets(4567, 5)
        for number in made:
            for test in [place.test_id for place in server.account.instances_of(61)] * 8:
                server.account.add_instance(number, test)
        listing = await connection.runs("S", ALL)
        assert len(server.calls("instances.json")) == 2
    assert len(listing.missing) == 1
    assert [run.ref.id for run in listing.items if run.tally.total] == [*made[:1:-1], 65]


# Answers that are none.


@pytest.mark.parametrize(
    ("spoil", "fault"),
    [
        (lambda faults: faults.html("."), UnreadableFault),
        (lambda faults: faults.html(".", status=503), UnavailableFault),
        (lambda faults: faults.answer(".", 500, "oops"), UnavailableFault),
        (lambda faults: faults.answer(".", 405, "{}"), RejectedFault),
        (lambda faults: faults.answer(".", 406, "", content_type="text/html"), RejectedFault),
        (lambda faults: faults.answer(".", 200, ""), UnreadableFault),
        (lambda faults: faults.answer(".", 200, "[]"), UnreadableFault),
        (lambda faults: faults.answer(".", 200, "{}"), UnreadableFault),
        (lambda faults: faults.answer(".", 200, '{"data": null}'), UnreadableFault),
        (lambda faults: faults.answer(".", 200, '{"data": {}, "meta": []}'), UnreadableFault),
        (lambda faults: faults.answer(".", 200, '{"data": NaN}'), UnreadableFault),
        (lambda faults: faults.cut(".", 200), UnreadableFault),
        (lambda faults: faults.redirect(".", "https://evil.example/"), UnavailableFault),
        (lambda faults: faults.reset("."), UnavailableFault),
    ],
)
async def test_answers_that_are_none(spoil: Callable[[Any], object], fault: type[RundownError]) -> None:
    async with sample(pace=Pace()) as (server, connection):
        spoil(server.faults)
        with pytest.raises(fault):
            await connection.runs("S", ALL)


def spoil_first(page: Page) -> Page:
    """The first row is no row."""
    return replace(page, rows=[{"id": "none", "attributes": []}, *page.rows[1:]])


def without(*names: str) -> Callable[[Page], Page]:
    def twist(page: Page) -> Page:
        kept = [{key: value for key, value in row["attributes"].items() if key not in names} for row in page.rows]
        rows = [{**row, "attributes": attributes} for row, attributes in zip(page.rows, kept, strict=True)]
        return replace(page, rows=rows)

    return twist


async def test_a_bad_row_costs_only_itself() -> None:
    async with sample() as (server, connection):
        server.twists["instances"] = spoil_first
        run = await connection.run(ref(63))
        assert run.tally == Tally(passed=5, failed=2, other=(("unreadable", 1),))
        tests = await connection.tests(ref(63))
        assert (len(tests.items), tests.missing) == (7, ("1 row could not be read",))
        server.twists = {"runs": spoil_first}
        server.clock.move_to(server.clock.now() + timedelta(minutes=1))
        results = await connection.results(ref(63), ResultQuery())
        assert (len(results.items), results.missing) == (7, ("1 row could not be read",))
        server.twists = {"sets": spoil_first}
        runs = await connection.runs("S", ALL)
        assert ([run.ref.id for run in runs.items], runs.missing) == ([64, 63, 62, 61], ("1 row could not be read",))


async def test_rows_without_a_project_are_taken_as_ours() -> None:
    async with sample() as (server, connection):
        server.twists = {word: without("project-id") for word in ("sets", "instances", "runs")}
        assert len((await connection.runs("S", ALL)).items) == 5
        assert len((await connection.tests(ref(63), reasons=True)).items) == 8


async def test_lists_without_any_numbers_of_pages_are_read_to_their_end() -> None:
    async with sample() as (server, connection):
        server.add_sets(4567, 120)

        async def spoil(_request: web.Request, answer: web.StreamResponse | None) -> web.StreamResponse:
            assert isinstance(answer, web.Response)
            page = json.loads(answer.text or "")
            page["meta"] = {"next-page": page["meta"]["next-page"]}
            return web.json_response(page)

        server.faults.script.append(Fault("/sets.json", spoil, after=True))
        runs = await connection.runs("S", ALL)
        assert (len(runs.items), len(server.calls("/sets.json"))) == (125, 2)


async def test_an_answer_that_unpacks_to_far_too_much_is_not_read() -> None:
    async with sample() as (server, connection):
        server.faults.bomb("sets.json")
        with pytest.raises(TooLargeFault):
            await connection.runs("S", ALL)


# Lies.


@pytest.mark.parametrize("word", ["sets", "instances", "runs"])
async def test_rows_of_another_project_are_left_out_and_told(word: str) -> None:
    async with sample() as (server, connection):
        server.twists[word] = mischief.foreign_row
        if word == "sets":
            listing = await connection.runs("S", ALL)
            assert [run.ref.id for run in listing.items] == [65, 64, 63, 62, 61]
        elif word == "instances":
            listing = await connection.tests(ref(63))
            assert len(listing.items) == 8
        else:
            listing = await connection.results(ref(63), ResultQuery())
            assert len(listing.items) == 8
    assert listing.missing == ("1 row of another project was left out",)


async def test_a_set_of_another_project_is_none_of_ours() -> None:
    async with sample() as (server, connection):
        server.account.sets[71].project_id = 4566  # answered below a project it is not in
        server.faults.answer("projects/4567/sets/63.json", 200, (FIXTURES / "set.sample.json").read_bytes())
        with pytest.raises(NotFoundError):
            await connection.run(ref(63))


async def test_results_of_other_sets_are_left_out_and_told() -> None:
    async with sample() as (server, connection):
        others = [place.id for place in server.account.instances_of(62)][:2]
        twisted = iter(others)

        def twist(page: Page) -> Page:
            rows = [{**row, "attributes": dict(row["attributes"])} for row in page.rows]
            for row, number in zip(rows, twisted, strict=False):
                row["attributes"]["instance-id"] = number
            return replace(page, rows=rows)

        server.twists["runs"] = twist
        listing = await connection.results(ref(63), ResultQuery())
    assert len(listing.items) == 6
    assert listing.missing == ("2 rows of another test set were left out",)


@pytest.mark.parametrize(
    ("twist", "calls"),
    [
        (mischief.endless, 2),
        (mischief.huge_total_pages, 4),
        (mischief.same_page_again, 2),
        (mischief.stuck, 2),
        (mischief.wrong_total(500), 2),
    ],
)
async def test_lists_that_lie_about_their_pages_end(twist: Callable[[Page], Page], calls: int) -> None:
    async with sample(pace=Pace()) as (server, connection):
        server.add_sets(4567, 120)
        server.twists["sets"] = twist
        listing = await connection.runs("S", ALL)
        assert len(server.calls("/sets.json")) == calls
    honest = twist in (mischief.endless, mischief.stuck)
    assert bool(listing.missing) is not honest
    assert len({run.ref for run in listing.items}) == len(listing.items)
    assert len(listing.items) == (100 if twist is mischief.same_page_again else 125)


async def test_of_very_many_sets_the_newest_are_read() -> None:
    async with sample() as (server, connection):
        server.add_sets(4567, 650)
        listing = await connection.runs("S", ALL)
        assert len(server.calls("/sets.json")) == 4
    assert listing.missing == ("only the newest 4 of 7 pages were read",)
    assert len(listing.items) == 400
    assert listing.total is None
    assert listing.items[0].ref.id == max(server.account.sets)


async def test_of_very_many_sets_the_newest_are_read_even_if_the_oldest_come_first() -> None:
    async with sample() as (server, connection):
        for number in range(650):
            server.account.add_set(4567, f"Load {number}", server.clock.now() - timedelta(minutes=650 - number))

        def turn(page: Page) -> Page:
            rows = [row for number in range(1, 8) for row in page.rows_of(number)][::-1]
            return replace(page, rows=rows[(page.number - 1) * 100 : page.number * 100])

        server.twists["sets"] = turn
        listing = await connection.runs("S", ALL)
        asked = sorted(call.target.split("number%5D=")[1].split("&")[0] for call in server.calls("/sets.json"))
        assert asked == ["1", "5", "6", "7"]
    assert listing.items[0].ref.id == max(server.account.sets)
    assert listing.missing == ("only the newest 3 of 7 pages were read",)


async def test_a_page_that_fails_is_named() -> None:
    async with sample() as (server, connection):
        server.add_sets(4567, 250)
        server.faults.answer(r"number%5D=2", 405, "")
        listing = await connection.runs("S", ALL)
    assert listing.missing == ("page 2 of 3",)
    assert listing.total is None
    assert len(listing.items) == 155


async def test_a_large_set_of_which_a_page_fails_has_no_counts() -> None:
    async with sample() as (server, connection):
        server.faults.answer(r"instances.json.*number%5D=2", 405, "")
        run = await connection.run(ref(52))
        assert (run.tally, run.verdict, run.finished) == (Tally(), Outcome.FAILED, False)
        tests = await connection.tests(ref(52))
    assert (len(tests.items), tests.total, tests.missing) == (150, None, ("page 2 of 3",))


async def test_a_set_too_large_to_be_read_keeps_its_own_status() -> None:
    async with sample() as (server, connection):
        test = server.account.instances_of(63)[0].test_id
        for _instance in range(2_001):
            server.account.add_instance(63, test)
        run = await connection.run(ref(63))
        assert not server.calls("instances")
        assert (run.tally, run.verdict, run.missing) == (Tally(), Outcome.FAILED, (practitest.UNCOUNTED,))
        assert await connection.history([run]) is not None
        assert not server.calls("set-ids=63$")


async def test_rows_that_move_while_they_are_read_come_once() -> None:
    async with sample() as (server, connection):
        server.add_sets(4567, 150)
        server.shift_pages = lambda word, _number: server.add_sets(4567, 1) if word == "sets" else None
        listing = await connection.runs("S", ALL)
    numbers = [run.ref.id for run in listing.items]
    assert len(numbers) == len(set(numbers)) == 155


# What is beside the point may fail.


async def test_tests_are_told_without_reasons_if_those_fail() -> None:
    async with sample() as (server, connection):
        server.faults.answer("/runs.json", 405, "")
        listing = await connection.tests(ref(63), reasons=True)
    assert len(listing.items) == 8
    assert listing.missing == ("the reasons: PractiTest did not take the question.",)


async def test_tests_are_told_without_the_steps_if_those_fail() -> None:
    async with sample() as (server, connection):
        server.faults.answer("/step_runs.json", 403, "")
        listing = await connection.tests(ref(63), reasons=True)
    assert len(listing.items) == 8
    assert listing.missing == ("the reasons of manual results: PractiTest does not let our key do this.",)


async def test_a_question_the_service_is_too_slow_for_is_given_up() -> None:
    async with sample() as (server, connection):
        server.faults.hang("instances.json")
        with patience(0.3), pytest.raises(RundownError):
            await connection.run(ref(63))


async def test_nobody_waits_for_names_that_somebody_else_renews() -> None:
    async with sample() as (server, connection):
        await connection.find_person(Who("5382"))
        server.clock.move_to(server.clock.now() + timedelta(minutes=6))
        stuck = server.faults.hang("users.json")
        renewing = asyncio.create_task(connection.find_person(Who("5382")))
        while not stuck.hits:  # noqa: ASYNC110 - the server has no event to wait for
            await asyncio.sleep(0)
        person = await connection.find_person(Who("5382"))
        renewing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await renewing
    assert person.name == "Lea Martin"
