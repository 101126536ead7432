"""GET of automation runs, manual runs and their results."""

from __future__ import annotations

from operator import attrgetter

from aiohttp import web

from bot.sandbox.testmo import wire
from bot.sandbox.testmo.query import Keep
from bot.sandbox.testmo.records import AutomationRun, AutomationTest, Json, ManualRun, Result, Thread
from bot.sandbox.testmo.refusals import missing
from bot.sandbox.testmo.service import Rank, Service, by_time
from bot.sandbox.testmo.statuses import automation_status

AUTOMATION_EXPANDS = ("automation_sources", "configs", "milestones", "statuses", "users")
RUN_EXPANDS = ("configs", "issues", "milestones", "states", "statuses", "users")
RESULT_EXPANDS = ("issues", "statuses", "users")
TEST_SORTS = (
    "automation_run_tests:id",
    "automation_run_tests:name",
    "automation_run_tests:status",
    "automation_run_tests:elapsed",
    "automation_run_tests:created_at",
)
TEST_PAGE_SIZES = range(100, 1001)


async def automation_runs(service: Service, request: web.Request) -> web.Response:
    """GET /projects/{id}/automation/runs. There is `status` and no `state`, whatever the page's example says."""
    project = service.project(request, of_list=True)
    query = service.query(request)
    keep: list[Keep[AutomationRun]] = [
        query.among("config_id", lambda run: run.config_id),
        query.after("created_after", lambda run: run.created_at),
        query.before("created_before", lambda run: run.created_at),
        query.among("created_by", lambda run: run.created_by),
        query.among("milestone_id", lambda run: run.milestone_id),
        query.among("source_id", lambda run: run.source_id),
        query.among("status", lambda run: run.status),
        query.any_of("tags", lambda run: run.tags),
    ]
    asked = query.paging(("automation_runs:created_at",))
    expands = query.expands(AUTOMATION_EXPANDS)
    query.done()
    return service.page(
        request,
        lambda: (run for run in service.store.automation_runs.values() if run.project_id == project.id),
        asked,
        wire.automation_run,
        keep=keep,
        expands=expands,
        rank=by_time(attrgetter("created_at"), attrgetter("id")),
    )


async def automation_run(service: Service, request: web.Request) -> web.Response:
    """GET /automation/runs/{id}, with its threads."""
    run = service.automation_run(request)
    query = service.query(request)
    expands = query.expands(AUTOMATION_EXPANDS)
    query.done()
    return service.one(wire.automation_run(run, with_threads=True), expands)


async def automation_run_tests(service: Service, request: web.Request) -> web.Response:
    """GET /automation/runs/{id}/tests, newer than the vendor pages: 404 where the instance does not have it."""
    if not service.options.has_run_tests:
        raise missing("route")
    run = service.automation_run(request)
    query = service.query(request)
    keep: list[Keep[tuple[Thread, AutomationTest]]] = [
        query.among("thread_id", lambda row: row[0].id),
        query.among("status_id", lambda row: automation_status(row[1].status_id)),
    ]
    asked = query.paging(TEST_SORTS, sizes=TEST_PAGE_SIZES)
    query.done()
    return service.page(
        request,
        lambda: [(thread, test) for thread in run.threads for test in thread.tests],
        asked,
        lambda row: _automation_test(service, run, *row),
        keep=keep,
        rank=_test_rank(asked.sort),
    )


def _test_rank(sort: str) -> Rank[tuple[Thread, AutomationTest]]:
    name = sort.partition(":")[2]

    def rank(row: tuple[Thread, AutomationTest]) -> tuple[bool, object, int]:
        test = row[1]
        value: object = {
            "name": test.name,
            "status": automation_status(test.status_id),
            "elapsed": test.elapsed or 0,
            "created_at": test.created_at.timestamp(),
        }.get(name, test.id)
        return True, value, test.id

    return rank


def _automation_test(service: Service, run: AutomationRun, thread: Thread, test: AutomationTest) -> Json:
    """One row of …/tests: shape known from a third-party client's types, there is no vendor model in 2.4.

    `status` is 1 neutral, 2 success, 3 failure. `fields` (the error texts) are not among what that client
    reads; `has_test_fields` switches them.
    """
    linked = service.store.case_links.get(test.key)
    row: Json = {
        "automation_test_id": test.id,
        "automation_case_id": service.store.automation_case(run.source_id, test.key),
        "repository_case_id": linked,
        "repository_case_ids": [] if linked is None else [linked],
        "key": test.key,
        "name": test.name,
        "folder": test.folder,
        "status": automation_status(test.status_id),
        "elapsed": test.elapsed,
        "thread_id": thread.id,
        "created_at": wire.stamp(test.created_at),
    }
    if service.options.has_test_fields:
        row["fields"] = [wire.read_field(each) for each in test.fields]
    return row


async def manual_runs(service: Service, request: web.Request) -> web.Response:
    """GET /projects/{id}/runs."""
    project = service.project(request, of_list=True)
    query = service.query(request)
    keep: list[Keep[ManualRun]] = [
        query.after("closed_after", lambda run: run.closed_at),
        query.before("closed_before", lambda run: run.closed_at),
        query.among("config_id", lambda run: run.config_id),
        query.after("created_after", lambda run: run.created_at),
        query.before("created_before", lambda run: run.created_at),
        query.among("created_by", lambda run: run.created_by),
        query.flag("is_closed", lambda run: run.closed_at is not None),
        query.among("milestone_id", lambda run: run.milestone_id),
        query.among("state_id", lambda run: run.state_id),
        query.any_of("tags", lambda run: run.tags),
    ]
    asked = query.paging(("runs:created_at", "runs:closed_at"))
    expands = query.expands(RUN_EXPANDS)
    query.done()
    return service.page(
        request,
        lambda: (run for run in service.store.manual_runs.values() if run.project_id == project.id),
        asked,
        wire.manual_run,
        keep=keep,
        expands=expands,
        rank=by_time(attrgetter(asked.sort.partition(":")[2]), attrgetter("id")),
    )


async def manual_run(service: Service, request: web.Request) -> web.Response:
    """GET /runs/{id}."""
    run = service.manual_run(request)
    query = service.query(request)
    expands = query.expands(RUN_EXPANDS)
    query.done()
    return service.one(wire.manual_run(run), expands)


async def run_results(service: Service, request: web.Request) -> web.Response:
    """GET /runs/{id}/results: the history of all tests, or with `get_latest_result` one result per tested test."""
    run = service.manual_run(request, of_list=True)
    query = service.query(request)
    latest = {result.id for result in run.latest().values()}
    keep: list[Keep[Result]] = [
        query.after("created_after", lambda result: result.created_at),
        query.before("created_before", lambda result: result.created_at),
        query.among("created_by", lambda result: result.created_by),
        query.among("assignee_id", lambda result: result.assignee_id),
        query.among("status_id", lambda result: result.status_id),
    ]
    if query.switch("get_latest_result"):
        keep.append(lambda result: result.id in latest)
    asked = query.paging(("run_results:created_at",))
    expands = query.expands(RESULT_EXPANDS)
    query.done()
    return service.page(
        request,
        lambda: run.results,
        asked,
        lambda result: wire.result(result, run, is_latest=result.id in latest),
        keep=keep,
        expands=expands,
        rank=by_time(attrgetter("created_at"), attrgetter("id")),
    )
