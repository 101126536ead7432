"""What the connection asks PractiTest for, how often, and what it makes of the answers; against the sample server."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, timedelta
from typing import Any

import pytest

from bot.domain.errors import CannotError, NoContextError, NotFoundError
from bot.domain.model import Project, Run, RunRef, State
from bot.domain.outcomes import Outcome, Tally
from bot.domain.queries import ResultQuery, RunQuery, Who
from bot.domain.streams import compare
from bot.sandbox.practitest import PractiTest
from bot.sandbox.server import running
from bot.systems import system
from bot.systems._pace import Pace
from bot.systems._spec import Account
from bot.usecases.ports import PATIENCE, Connection, Patience

PAGE = "page[number]=1&page[size]=100"
BUDGET = 8


@asynccontextmanager
async def sample(*, project: int | None = 4566, **options: Any) -> AsyncIterator[tuple[PractiTest, Connection]]:
    """The sample as strict as the service: 30 calls a minute. No call may carry a parameter it does not know."""
    async with running(server := PractiTest(limit=30, **options)):
        connection = connect(server, project=project)
        try:
            yield server, connection
        finally:
            await connection.close()
        assert server.ignored == []
        assert not server.limit.refused


def connect(server: PractiTest, *, project: int | None = 4566, token: str = "") -> Connection:
    options = {
        "url": f"{server.url}/api/v2/",
        "token": token or server.token,
        "project": project,
        "web_url": "https://prod.practitest.com",
    }
    return system("practitest").connect(Account("uat", options, Pace(30), server.clock.now))


def targets(server: PractiTest) -> list[str]:
    """What was asked so far, without the base; then the journal is empty."""
    found = [f"{call.method} {call.target}" for call in server.journal]
    server.journal.clear()
    server.limit.calls.clear()
    readable = (each.replace("%5B", "[").replace("%5D", "]").replace("/api/v2/", "") for each in found)
    return [each.replace(f"?{PAGE}", "").replace(f"&{PAGE}", "") for each in readable]


def ref(number: int) -> RunRef:
    return RunRef("uat", "S", number)


def shorts(runs: tuple[Run, ...]) -> list[int]:
    return [run.ref.id for run in runs]


NIGHTS = [57, 54, *range(50, 39, -1)]


# One set.


async def test_shows_a_set_with_its_counts_and_names() -> None:
    async with sample() as (server, connection):
        run = await connection.run(ref(55))
        assert sorted(targets(server)) == [
            "GET projects/4566/instances.json?set-ids=55",
            "GET projects/4566/milestones.json",
            "GET projects/4566/sets/55.json",
            "GET users.json",
        ]
    assert run.tally == Tally(passed=17, failed=5, blocked=2, skipped=2, untested=4, running=1)
    assert (run.name, run.project, run.assignee, run.milestone) == ("UAT cart", 4566, "Tom Becker", "Release 4.2")
    assert (run.finished, run.state, run.verdict) == (False, State.FAILING, Outcome.FAILED)
    assert run.url == "https://prod.practitest.com/p/4566/sets/55/edit"
    assert run.created_at.tzinfo is UTC


async def test_sends_the_token_as_basic_password_and_never_in_an_address() -> None:
    async with sample() as (server, connection):
        await connection.run(ref(55))
        login = base64.b64encode(f"rundown:{server.token}".encode()).decode()
        assert {call.headers["Authorization"] for call in server.journal} == {f"Basic {login}"}
        assert not server.calls(server.token)
        assert not server.calls("api_token|developer_email")


async def test_asks_for_names_only_where_a_set_has_any() -> None:
    async with sample() as (server, connection):
        run = await connection.run(ref(57))
        assert targets(server) == [
            "GET projects/4566/sets/57.json",
            "GET projects/4566/instances.json?set-ids=57",
        ]
        await connection.run(ref(59))
        assert sorted(targets(server)) == [
            "GET projects/4566/groups.json",
            "GET projects/4566/instances.json?set-ids=59",
            "GET projects/4566/milestones.json",
            "GET projects/4566/sets/59.json",
        ]
        again = await connection.run(ref(59))
        assert len(targets(server)) == 2
    assert (run.assignee, run.milestone) == ("", "")
    assert (again.assignee, again.milestone, again.state) == ("Testers", "Release 4.2", State.OPEN)


async def test_reads_all_pages_of_a_large_set() -> None:
    async with sample() as (server, connection):
        run = await connection.run(ref(52))
        assert sum("instances.json" in each for each in targets(server)) == 3
    assert (run.tally.total, run.tally.failed, run.tally.untested) == (250, 6, 10)


async def test_a_set_without_instances_is_not_finished() -> None:
    async with sample(project=4568) as (server, connection):
        run = await connection.run(ref(72))
        assert targets(server) == ["GET projects/4568/sets/72.json"]
    assert (run.tally, run.finished, run.state) == (Tally(), False, State.OPEN)


async def test_a_set_is_finished_once_all_its_instances_have_a_result() -> None:
    async with sample() as (server, connection):
        night = await connection.run(ref(54))
        last = server.account.sets[54].last_run
    assert last is not None
    assert (night.finished, night.finished_at, night.state) == (True, last, State.FAILED)
    assert night.tally == Tally(passed=19, failed=4, skipped=1)


# Which set, of which project.


async def test_finds_a_set_of_another_project() -> None:
    async with sample() as (server, connection):
        run = await connection.run(ref(61))
        asked = targets(server)
        assert asked[:2] == ["GET projects/4566/sets/61.json", "GET projects.json"]
        assert "GET projects/4567/sets/61.json" in asked
        assert (run.project, run.url) == (4567, "https://prod.practitest.com/p/4567/sets/61/edit")
        await connection.run(ref(61))
        assert targets(server)[0] == "GET projects/4567/sets/61.json"  # where it was found before


async def test_a_link_tells_the_project_to_look_in() -> None:
    async with sample() as (server, connection):
        found = connection.read_link("https://prod.practitest.com/p/4567/sets/61/instances/98200/edit")
        assert found is not None
        await connection.run(found)
        assert targets(server)[0] == "GET projects/4567/sets/61.json"


async def test_a_link_with_a_wrong_project_does_no_harm() -> None:
    async with sample() as (server, connection):
        await connection.run(ref(55))
        assert connection.read_link("https://prod.practitest.com/p/999/sets/55") == ref(55)
        targets(server)
        assert (await connection.run(ref(55))).project == 4566
        assert targets(server)[0] == "GET projects/4566/sets/55.json"
        assert connection.read_link("https://prod.practitest.com/p/999/sets/57") == ref(57)
        assert (await connection.run(ref(57))).project == 4566


async def test_takes_the_number_that_practitest_shows_if_no_set_has_it_as_its_own() -> None:
    async with sample() as (server, connection):
        shown = server.account.sets[42].display_id
        assert shown not in server.account.sets
        run = await connection.run(ref(shown))
        assert f"GET projects/4566/sets.json?display-ids={shown}" in targets(server)
        assert run.ref == ref(42)
        tests = await connection.tests(ref(shown))
        assert (len(tests.items), targets(server)) == (24, ["GET users.json"])  # it is known by now which set that is


async def test_says_that_there_is_no_such_set() -> None:
    async with sample() as (server, connection):
        with pytest.raises(NotFoundError) as caught:
            await connection.run(ref(999))
        assert targets(server) == [
            "GET projects/4566/sets/999.json",
            "GET projects.json",
            "GET projects/4568/sets/999.json",
            "GET projects/4567/sets/999.json",
            "GET projects/4566/sets.json?display-ids=999",
        ]
    assert caught.value.what == "No test set S999 in PractiTest."
    assert caught.value.why
    assert caught.value.fix


async def test_a_deleted_set_is_not_there_any_more() -> None:
    async with sample() as (server, connection):
        await connection.run(ref(55))
        server.remove_set(55)
        with pytest.raises(NotFoundError):
            await connection.run(ref(55))


async def test_works_without_a_configured_project() -> None:
    async with sample(project=None) as (_server, connection):
        assert (await connection.run(ref(55))).project == 4566
        with pytest.raises(NoContextError):
            await connection.runs("S", RunQuery())
        assert shorts((await connection.runs("S", RunQuery(project=4568, state="all"))).items) == [72, 71]


async def test_tells_its_projects() -> None:
    async with sample() as (server, connection):
        assert await connection.projects() == (
            Project(4568, "Back office UAT"),
            Project(4567, "Mobile UAT"),
            Project(4566, "Webshop UAT"),
        )
        await connection.projects()
        assert targets(server) == ["GET projects.json"]


# Lists.


async def test_lists_open_sets_and_reads_instances_only_of_those_that_may_be_open() -> None:
    async with sample(project=4567) as (server, connection):
        found = await connection.runs("S", RunQuery(project=4567))
        asked = targets(server)
        assert asked[0] == "GET projects/4567/sets.json"
        assert "GET projects/4567/instances.json?set-ids=65,64,63,62" in asked
        assert len(asked) == 4
    assert [(run.ref.id, run.state) for run in found.items] == [(65, State.OPEN), (64, State.BLOCKED)]
    assert (found.total, found.missing) == (2, ())


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        (RunQuery(state="all"), [65, 64, 63, 62, 61]),
        (RunQuery(state="open"), [65, 64]),
        (RunQuery(state="closed"), [63, 62, 61]),
        (RunQuery(state="all", words=("iOS",)), [64, 63, 62, 61]),
        (RunQuery(state="all", words=("smoke", "ANDROID")), [65]),
        (RunQuery(state="all", words=("nothing",)), []),
        (RunQuery(state="all", status=("failed",)), [63, 62]),
        (RunQuery(state="all", status=("passed",)), [61]),
        (RunQuery(state="all", status=("blocked", "PASSED")), [64, 61]),
        (RunQuery(state="all", status=("NO RUN",)), [65, 64]),
        (RunQuery(state="all", status=("untested",)), [65, 64]),
        (RunQuery(state="all", milestone=("app 7.0",)), [64, 63, 62, 61]),
        (RunQuery(state="all", milestone=("103",)), [64, 63, 62, 61]),
        (RunQuery(state="all", milestone=("104",)), []),
        (RunQuery(state="all", by=(Who("lea@acme.example", "lea@acme.example"),)), [64, 63, 62, 61]),
        (RunQuery(state="all", by=(Who("Lea Martin"),)), [64, 63, 62, 61]),
        (RunQuery(state="all", by=(Who("5380"), Who("5381"))), []),
        (RunQuery(state="all", set_filter="326", set_filter_user=Who("5382")), [64, 63, 62, 61]),
        (RunQuery(state="all", at_most=2), [65, 64]),
        (RunQuery(state="closed", at_most=1), [63]),
    ],
)
async def test_filters(query: RunQuery, numbers: list[int]) -> None:
    async with sample(project=4567) as (server, connection):
        found = await connection.runs("S", query)
        assert len(targets(server)) <= BUDGET
    assert (shorts(found.items), found.missing) == (numbers, ())


@pytest.mark.parametrize(
    ("filters", "numbers"),
    [
        ({"since": 10.0}, [65, 64, 63]),
        ({"until": 10.0}, [62, 61]),
        ({"since": 18.0, "until": 10.0}, [62]),
        ({"closed_since": 10.0}, [63]),
        ({"closed_since": 18.0, "closed_until": 6.0}, [63, 62]),
        ({"closed_until": 18.0}, [61]),
    ],
)
async def test_filters_by_time(filters: dict[str, float], numbers: list[int]) -> None:
    async with sample(project=4567) as (server, connection):
        now = server.clock.now()
        times: dict[str, Any] = {name: now - timedelta(days=days) for name, days in filters.items()}
        found = await connection.runs("S", RunQuery(state="all", **times))
    assert shorts(found.items) == numbers


@pytest.mark.parametrize(
    ("query", "asked"),
    [
        (RunQuery(state="all", words=("api", "Nightly")), "?name_like=Nightly"),
        (RunQuery(state="all", words=("a & b=c?%[",)), "?name_like=a+%26+b%3Dc%3F%25["),
        (RunQuery(state="all", set_filter="323"), "?filter-id=323"),
        (
            RunQuery(state="all", set_filter="324", set_filter_user=Who("Tom Becker")),
            "?filter-id=324&filter-user-id=5381",
        ),
        (RunQuery(state="all", milestone=("Release 4.2",)), ""),
    ],
)
async def test_lets_the_service_filter_what_it_can(query: RunQuery, asked: str) -> None:
    async with sample() as (server, connection):
        await connection.runs("S", query)
        assert f"GET projects/4566/sets.json{asked}" in targets(server)


@pytest.mark.parametrize(
    ("query", "what", "closest"),
    [
        (RunQuery(state="all", milestone=("Relase 4.2",)), "milestone “Relase 4.2”", "Release 4.2"),
        (RunQuery(state="all", by=(Who("Tom Beker"),)), "user “Tom Beker”", "Tom Becker"),
        (RunQuery(state="all", status=("faild",)), "status “faild”", "failed"),
        (RunQuery(state="all", set_filter="Nightly"), "filter “Nightly”", None),
        (RunQuery(state="all", set_filter="324", set_filter_user=Who("nobody@acme.example")), "user “nobody@", None),
    ],
)
async def test_names_that_nobody_has(query: RunQuery, what: str, closest: str | None) -> None:
    async with sample() as (_server, connection):
        with pytest.raises(NotFoundError) as caught:
            await connection.runs("S", query)
    assert what in caught.value.what
    assert closest is None or caught.value.closest[0] == closest
    assert caught.value.fix


async def test_the_newest_set_costs_two_calls() -> None:
    async with sample() as (server, connection):
        found = await connection.runs("S", RunQuery(state="all", words=("nightly",), at_most=1))
        assert targets(server) == [
            "GET projects/4566/sets.json?name_like=nightly",
            "GET projects/4566/instances.json?set-ids=57",
        ]
    assert shorts(found.items) == [57]


async def test_reads_no_further_page_than_the_filter_needs() -> None:
    async with sample() as (server, connection):
        server.add_sets(4566, 150)
        await connection.runs("S", RunQuery(state="all", at_most=3))
        assert targets(server) == ["GET projects/4566/sets.json"]
        await connection.runs("S", RunQuery(state="all", since=server.clock.now() - timedelta(days=1)))
        assert sum("/sets.json" in each for each in targets(server)) == 2
        server.add_sets(4566, 20)
        later = server.clock.now() + timedelta(hours=1)
        await connection.runs("S", RunQuery(state="all", since=later))
        assert targets(server) == ["GET projects/4566/sets.json"]


async def test_says_what_took_too_many_calls_and_reads_it_the_next_time() -> None:
    async with sample() as (server, connection):
        first = await connection.runs("S", RunQuery(state="all"))
        assert len(targets(server)) == BUDGET
        server.clock.move_to(server.clock.now() + timedelta(minutes=1))
        second = await connection.runs("S", RunQuery(state="all"))
        asked = targets(server)
        assert asked[0] == "GET projects/4566/sets.json"
        assert len(asked) <= BUDGET
        server.clock.move_to(server.clock.now() + timedelta(minutes=1))
        third = await connection.runs("S", RunQuery(state="all"))
        assert targets(server) == ["GET projects/4566/sets.json"]  # nothing changed
    unread = [run for run in first.items if not run.tally.total]
    assert first.missing == (
        f"the counts of {len(unread)} test sets were not read (too many calls at once), so more may be finished; "
        "ask again in a minute",
    )
    assert first.total is None
    assert all(run.verdict for run in unread)
    assert [run for run in first.items if run.missing] == unread
    assert not [run for run in third.items if run.missing]
    assert second.missing == third.missing == ()
    assert third.total == len(third.items) == 19
    assert [run.tally.total for run in third.items] == [
        len(server.account.instances_of(run.ref.id)) for run in third.items
    ]


async def test_reads_again_what_changed() -> None:
    async with sample(project=4567) as (server, connection):
        await connection.runs("S", RunQuery(state="all"))
        server.clock.move_to(server.clock.now() + timedelta(minutes=1))
        server.add_run(server.account.instances_of(64)[-1].id, "FAILED")
        targets(server)
        found = await connection.runs("S", RunQuery(state="all"))
        assert targets(server) == [
            "GET projects/4567/sets.json",
            "GET projects/4567/instances.json?set-ids=64",
        ]
    assert found.items[1].tally.failed == 1


async def test_a_set_changed_this_very_second_is_not_trusted_to_stay_so() -> None:
    async with sample(project=4567) as (server, connection):
        server.add_run(server.account.instances_of(64)[-1].id, "FAILED")
        await connection.runs("S", RunQuery(state="all"))
        targets(server)
        await connection.runs("S", RunQuery(state="all"))
        assert targets(server)[1:] == ["GET projects/4567/instances.json?set-ids=64"]


async def test_asks_for_fifty_sets_in_one_call() -> None:
    async with sample(project=4568) as (server, connection):
        test = next(test.id for test in server.account.tests.values() if test.project_id == 4568)
        for number in server.add_sets(4568, 60):
            server.account.add_instance(number, test)
        found = await connection.runs("S", RunQuery(state="all"))
        asked = [each for each in targets(server) if "instances" in each]
    assert [each.count(",") + 1 for each in asked] == [50, 11]
    assert sum(run.tally.total for run in found.items) == 65


# Streams.


async def test_finds_the_earlier_sets_of_a_stream() -> None:
    async with sample() as (server, connection):
        run = await connection.run(ref(57))
        targets(server)
        found = await connection.earlier(run, 10)
        nights = ",".join(map(str, NIGHTS[1:11]))
        assert targets(server) == [
            "GET projects/4566/sets.json?name_like=Nightly",
            *[f"GET projects/4566/instances.json?set-ids={nights}"],
            *[
                f"GET projects/4566/instances.json?set-ids={nights}&page[number]={page}&page[size]=100"
                for page in (2, 3)
            ],
        ]
        assert (shorts(found.items), found.missing) == (NIGHTS[1:11], ())
        assert all(each.finished and each.tally.total == 24 for each in found.items)
        assert shorts((await connection.earlier(run, 3)).items) == [54, 50, 49]
        assert (await connection.earlier(run, 0)).items == ()
        assert shorts((await connection.earlier(found.items[1], 20)).items) == NIGHTS[3:]


async def test_leaves_sets_out_of_a_stream_that_are_not_finished() -> None:
    async with sample() as (server, connection):
        run = await connection.run(ref(57))
        added = server.account.add_instance(54, server.account.instances_of(54)[0].test_id)
        assert server.account.sets[54].run_status == "FAILED"
        assert added.run_status == "NO RUN"
        assert shorts((await connection.earlier(run, 2)).items) == [50, 49]


async def test_a_set_of_another_name_has_another_stream() -> None:
    async with sample() as (server, connection):
        run = await connection.run(ref(38))
        assert shorts((await connection.earlier(run, 10)).items) == [31]
        assert "GET projects/4566/sets.json?name_like=cart" in targets(server)
        assert (await connection.earlier(await connection.run(ref(55)), 10)).items == ()


async def test_reads_the_tests_of_many_sets_at_once() -> None:
    async with sample() as (server, connection):
        runs = [run for run in (await connection.runs("S", RunQuery(state="all"))).items if run.ref.id in (54, 50, 49)]
        server.clock.move_to(server.clock.now() + timedelta(minutes=6))
        targets(server)
        listings = await connection.history(runs)
        assert targets(server)[:1] == ["GET projects/4566/instances.json?set-ids=54,50,49"]
        await connection.history(runs)
        assert targets(server) == []
    assert [len(listing.items) for listing in listings] == [24, 24, 24]
    keys = [{test.key for test in listing.items} for listing in listings]
    assert keys[0] == keys[1] == keys[2]
    assert await connection.history(()) == ()


async def test_reads_the_tests_of_sets_of_several_projects() -> None:
    async with sample() as (_server, connection):
        runs = [await connection.run(ref(number)) for number in (38, 63, 31)]
        listings = await connection.history(runs)
    assert [len(listing.items) for listing in listings] == [31, 8, 31]
    assert listings[1].items[0].url.startswith("https://prod.practitest.com/p/4567/sets/63/instances/")


# Tests.


async def test_tells_tests_with_their_reasons() -> None:
    async with sample() as (server, connection):
        run = await connection.run(ref(57))
        targets(server)
        listing = await connection.tests(run.ref, reasons=True)
        assert sorted(targets(server)) == ["GET projects/4566/runs.json?set-ids=57", "GET users.json"]
    tests = {test.name: test for test in listing.items}
    failed = [test for test in listing.items if test.outcome is Outcome.FAILED]
    assert (len(listing.items), listing.missing) == (24, ())
    assert [test.name for test in failed] == [
        "POST /cart/items",
        "PATCH /cart/items/{id}",
        "POST /checkout",
        "POST /checkout/voucher",
    ]
    assert all(test.note and "\n\n" not in test.note for test in failed)
    assert tests["POST /payments"].note == "Skipped: the payment sandbox is down since 04:10"
    assert [test.name for test in listing.items if test.retried] == ["POST /orders/{id}/return"]
    assert tests["GET /cart"].note == ""
    assert tests["GET /cart"].assignee == "ci@acme.example"
    assert tests["GET /cart"].elapsed_s


async def test_tells_what_people_wrote_of_failed_steps() -> None:
    async with sample() as (server, connection):
        run = await connection.run(ref(55))
        targets(server)
        listing = await connection.tests(run.ref, reasons=True)
        asked = targets(server)
        assert len(asked) == 2
        assert asked[1].startswith("GET projects/4566/step_runs.json?run-ids=")
        assert asked[1].endswith("49656,49643,49639,49621")
    failed = [test for test in listing.items if test.outcome is Outcome.FAILED]
    assert all(test.note for test in failed)
    assert "The button stays grey; nothing in the console" in {test.note for test in failed}


async def test_tests_without_reasons_need_no_results() -> None:
    async with sample() as (server, connection):
        await connection.run(ref(57))
        targets(server)
        listing = await connection.tests(ref(57))
        assert targets(server) == ["GET users.json"]
        server.clock.move_to(server.clock.now() + timedelta(seconds=16))
        await connection.tests(ref(57))
        assert targets(server) == ["GET projects/4566/instances.json?set-ids=57"]
    assert {test.note for test in listing.items} == {""}
    assert listing.total == 24


async def test_an_instance_has_its_own_address() -> None:
    async with sample() as (_server, connection):
        first = (await connection.tests(ref(55))).items[0]
    assert (first.id, first.url) == ("98142", "https://prod.practitest.com/p/4566/sets/55/instances/98142/edit")


async def test_hostile_names_arrive_as_they_are() -> None:
    async with sample() as (_server, connection):
        run = await connection.run(ref(58))
        tests = await connection.tests(ref(58), reasons=True)
    assert run.name == "<!channel> checkout <@U0ANA00001> *bold* _it_ ~gone~ `code`"
    assert run.url == "https://prod.practitest.com/p/4566/sets/58/edit"
    assert len(tests.items) == 3


# Results.


async def test_tells_results_newest_first() -> None:
    async with sample() as (server, connection):
        await connection.run(ref(55))
        targets(server)
        listing = await connection.results(ref(55), ResultQuery())
        assert targets(server) == ["GET projects/4566/runs.json?set-ids=55"]
    times = [result.at for result in listing.items]
    assert times == sorted(times, reverse=True)
    assert (len(listing.items), listing.total, listing.missing) == (42, 42, ())
    assert {result.version for result in listing.items} == {"4.2"}
    assert {"Tom Becker", "ci@acme.example", "user 5301"} <= {result.by for result in listing.items}


@pytest.mark.parametrize(
    ("query", "asked", "number"),
    [
        (ResultQuery(status=("failed",)), "", 9),
        (ResultQuery(status=("Not completed", "BLOCKED")), "", 4),
        (ResultQuery(latest=True), "", 28),
        (ResultQuery(latest=True, status=("failed",)), "", 5),
        (ResultQuery(status=("untested",)), "", 1),
        (ResultQuery(instance=("98142",)), "&instance-ids=98142", 3),
        (ResultQuery(instance=("98142", "98145")), "&instance-ids=98142,98145", 6),
        (ResultQuery(instance=("98170",)), "&instance-ids=98170", 0),
        (ResultQuery(test=("80893",)), "&test-ids=80893", 3),
        (ResultQuery(test=("voucher",)), "&instance-ids=98144", 2),
        (ResultQuery(test=("80893", "voucher")), "&instance-ids=98142,98144", 5),
        (ResultQuery(test=("voucher",), instance=("98142",)), "&instance-ids=98142", 0),
        (ResultQuery(automated=True), "&run-type=AutomatedRun", None),
        (ResultQuery(automated=False), "&run-type=ManualRun", None),
        (ResultQuery(by=(Who("5381"),)), "", None),
        (ResultQuery(owner=(Who("Tom Becker"),)), "", None),
        (ResultQuery(unassigned=True), "", 0),
        (ResultQuery(at_most=2), "", 2),
        (ResultQuery(at_most=1, oldest_first=True), "", 1),
    ],
)
async def test_filters_results(query: ResultQuery, asked: str, number: int | None) -> None:
    async with sample() as (server, connection):
        listing = await connection.results(ref(55), query)
        assert f"GET projects/4566/runs.json?set-ids=55{asked}" in targets(server)
    assert listing.missing == ()
    assert number is None or len(listing.items) == number
    assert number is not None or 0 < len(listing.items) < 42
    if query.by:
        assert {result.by for result in listing.items} == {"Tom Becker"}
    if query.owner:
        assert {result.assignee for result in listing.items} == {"Tom Becker"}


async def test_filters_results_by_time() -> None:
    async with sample() as (server, connection):
        now = server.clock.now()
        since, until = now - timedelta(hours=10, minutes=30), now - timedelta(hours=2)
        listing = await connection.results(ref(55), ResultQuery(since=since, until=until))
        everything = await connection.results(ref(55), ResultQuery())
        future = await connection.results(ref(55), ResultQuery(since=now + timedelta(days=1)))
        asked = targets(server)
        assert "GET projects/4566/runs.json?set-ids=55&updated-hours-ago=11" in asked
        assert "GET projects/4566/runs.json?set-ids=55&updated-hours-ago=1" in asked
    assert [each.at for each in listing.items] == [each.at for each in everything.items if since <= each.at <= until]
    assert listing.items
    assert future.items == ()


async def test_oldest_results_come_first_if_asked() -> None:
    async with sample() as (_server, connection):
        newest = await connection.results(ref(55), ResultQuery())
        oldest = await connection.results(ref(55), ResultQuery(oldest_first=True))
    assert [each.at for each in oldest.items] == sorted(each.at for each in newest.items)


@pytest.mark.parametrize(
    ("query", "what"),
    [
        (ResultQuery(instance=("1",)), "instance of this test set “1”"),
        (ResultQuery(test=("Pay by cart",)), "test of this test set “Pay by cart”"),
        (ResultQuery(status=("faild",)), "status “faild”"),
        (ResultQuery(by=(Who("Tom Beker"),)), "user “Tom Beker”"),
    ],
)
async def test_results_of_what_is_not_there(query: ResultQuery, what: str) -> None:
    async with sample() as (_server, connection):
        with pytest.raises(NotFoundError) as caught:
            await connection.results(ref(55), query)
    assert what in caught.value.what


async def test_an_instance_may_be_given_as_practitest_shows_it() -> None:
    async with sample() as (server, connection):
        shown = f"{server.account.sets[55].display_id}:1"
        assert len((await connection.results(ref(55), ResultQuery(instance=(shown,)))).items) == 3


async def test_says_what_it_cannot() -> None:
    async with sample() as (server, connection):
        with pytest.raises(CannotError):
            await connection.results(ref(55), ResultQuery(defects="BUG-1"))
        with pytest.raises(CannotError):
            await connection.threads(ref(55))
        assert (await connection.parts(await connection.run(ref(57)))).items == ()
        assert set(connection.kinds["S"].cannot) >= {"threads", "close", "complete", "start", "note"}
        assert connection.kinds["S"].automated is None
        targets(server)


# People.


@pytest.mark.parametrize(
    ("who", "found"),
    [
        (Who("5381"), "5381"),
        (Who("tom@acme.example"), "5381"),
        (Who("U0TOM00002", email="Tom@Acme.example"), "5381"),
        (Who("lea martin"), "5382"),
        (Who("5301"), None),
        (Who("max@acme.example"), None),
    ],
)
async def test_finds_people(who: Who, found: str | None) -> None:
    async with sample() as (server, connection):
        person = await connection.find_person(who)
        await connection.find_person(who)
        assert targets(server) == ["GET users.json"]
    assert (person.id if person else None) == found


# Thirty calls a minute.


async def test_a_list_costs_eight_calls_at_most() -> None:
    async with sample() as (server, connection):
        await connection.runs("S", RunQuery())
        assert len(targets(server)) <= BUDGET


@pytest.mark.parametrize("number", [57, 55, 54, 38])
async def test_a_card_costs_eight_calls_at_most(number: int) -> None:
    async with sample() as (server, connection):
        run = await connection.run(ref(number))
        await asyncio.gather(connection.earlier(run, 9), connection.parts(run), connection.projects())
        assert len(targets(server)) <= BUDGET


@pytest.mark.parametrize("number", [57, 55, 54, 38])
async def test_failures_cost_eight_calls_at_most(number: int) -> None:
    async with sample() as (server, connection):
        run = await connection.run(ref(number))

        async def past() -> None:
            await connection.history((await connection.earlier(run, 10)).items)

        await asyncio.gather(connection.tests(run.ref, reasons=True), past())
        assert len(targets(server)) <= BUDGET


async def test_results_cost_eight_calls_at_most() -> None:
    async with sample() as (server, connection):
        await connection.run(ref(55))
        await connection.results(ref(55), ResultQuery(status=("failed",), by=(Who("Tom Becker"),)))
        assert len(targets(server)) <= BUDGET


async def test_a_difference_costs_eight_calls_at_most_and_tells_the_story() -> None:
    async with sample() as (server, connection):
        run = await connection.run(ref(57))
        earlier = (await connection.earlier(run, 10)).items
        tests, (before,), history = await asyncio.gather(
            connection.tests(run.ref, reasons=True), connection.history(earlier[:1]), connection.history(earlier)
        )
        assert len(targets(server)) <= BUDGET
    diff = compare(run, tests.items, earlier[0], before.items, [listing.items for listing in history])
    assert [test.name for test in diff.new] == ["POST /cart/items", "PATCH /cart/items/{id}"]
    assert [test.name for test in diff.still] == ["POST /checkout", "POST /checkout/voucher"]
    assert [test.name for test in diff.fixed] == ["GET /orders", "POST /orders/{id}/cancel"]
    assert {test.name for test in diff.flaky} == {"POST /orders/{id}/cancel", "POST /orders/{id}/return"}
    assert [test.name for test in diff.not_run] == ["PUT /stock/{sku}"]


async def test_names_are_asked_for_once_by_many() -> None:
    async with sample() as (server, connection):
        await asyncio.gather(*(connection.find_person(Who(str(number))) for number in range(1, 9)))
        assert targets(server) == ["GET users.json"]
        server.clock.move_to(server.clock.now() + timedelta(minutes=6))
        await connection.find_person(Who("5381"))
        assert targets(server) == ["GET users.json"]


async def test_digests_of_the_same_minute_share_the_pages_of_sets_and_people_get_their_own() -> None:
    async with sample() as (server, practitest):

        async def scan(**wanted: Any) -> frozenset[int]:
            seen: set[int] = set()
            await practitest.scan("S", RunQuery(project=4566, state="all", **wanted), lambda run: seen.add(run.ref.id))
            return frozenset(seen)

        def pages() -> int:
            return sum("/sets.json" in each for each in targets(server))

        alone = await scan()
        once = pages()
        assert once
        patience = PATIENCE.set(Patience(float("inf"), person=False))
        found = await asyncio.gather(scan(), scan(), scan(since=server.clock.now() - timedelta(days=3)))
        assert (found[0], found[1]) == (alone, alone)
        assert found[2] < alone
        assert pages() == once
        server.clock.move_to(server.clock.now() + timedelta(seconds=61))
        assert await scan() == alone
        assert pages() == once
        PATIENCE.reset(patience)
        assert await scan() == alone
        assert pages() == once
