"""POST of automation runs and threads, and the unverified PATCH that closes a manual run."""

from __future__ import annotations

from aiohttp import web

from bot.sandbox.testmo import drafts, wire
from bot.sandbox.testmo.body import Body
from bot.sandbox.testmo.records import AutomationRun, Thread
from bot.sandbox.testmo.refusals import Refusal, invalid
from bot.sandbox.testmo.service import Service, answer


async def create_run(service: Service, request: web.Request) -> web.Response:
    """POST /projects/{id}/automation/runs: 201 and the id. An unknown source is made."""
    project = service.project(request)
    by = service.writer(request)
    body = await service.body(request)
    name = body.word("name")
    source = body.word("source", pattern=drafts.SOURCE)
    config_id = _config(service, body)
    milestone_id = _milestone(service, body, project.id)
    tags = body.words("tags", pattern=drafts.TAG)
    artifacts, fields, links = drafts.artifacts(body), drafts.fields(body), drafts.links(body)
    body.done()
    run = service.store.start_run(
        project.id,
        source,
        name,
        at=service.now(),
        by=by,
        config_id=config_id,
        milestone_id=milestone_id,
        tags=tags,
        artifacts=artifacts,
        fields=fields,
        links=links,
    )
    return answer({"id": run.id}, 201)


def _config(service: Service, body: Body) -> int | None:
    """The configuration by id or name; the id wins."""
    config_id, name = body.number("config_id"), body.text("config")
    if config_id is not None:
        if config_id not in service.store.configs:
            body.complain("config_id", "is invalid.")
        return config_id
    found = next((each.id for each in service.store.configs.values() if each.name == name), None)
    if name is not None and found is None:
        body.complain("config", "is invalid.")
    return found


def _milestone(service: Service, body: Body, project_id: int) -> int | None:
    """The project's milestone by id or name; the id wins."""
    milestone_id, name = body.number("milestone_id"), body.text("milestone")
    here = {each.id: each for each in service.store.milestones.values() if each.project_id == project_id}
    if milestone_id is not None:
        if milestone_id not in here:
            body.complain("milestone_id", "is invalid.")
        return milestone_id
    found = next((each.id for each in here.values() if each.name == name), None)
    if name is not None and found is None:
        body.complain("milestone", "is invalid.")
    return found


async def append_to_run(service: Service, request: web.Request) -> web.Response:
    """POST /automation/runs/{id}/append: more artifacts, fields and links; 204."""
    run = service.automation_run(request)
    by = service.writer(request)
    body = await service.body(request)
    artifacts, fields, links = drafts.artifacts(body), drafts.fields(body), drafts.links(body)
    body.done()
    if not service.options.append_after_complete:
        _open(run)
    run.artifacts += artifacts
    run.fields += fields
    run.links += links
    run.updated_at, run.updated_by = service.now(), by
    return _done()


async def complete_run(service: Service, request: web.Request) -> web.Response:
    """POST /automation/runs/{id}/complete: completes its threads too; 204, a second time 422."""
    run = service.automation_run(request)
    by = service.writer(request)
    body = await service.body(request)
    measure = body.flag("measure_elapsed") or False
    body.done()
    _open(run)
    service.store.complete_run(run, at=service.now(), by=by, measure_elapsed=measure)
    return _done()


async def create_thread(service: Service, request: web.Request) -> web.Response:
    """POST /automation/runs/{id}/threads: 201 and the id."""
    run = service.automation_run(request)
    by = service.writer(request)
    body = await service.body(request)
    observed, computed = body.number("elapsed_observed"), body.number("elapsed_computed")
    artifacts, fields = drafts.artifacts(body), drafts.fields(body)
    body.done()
    _open(run)
    thread = service.store.start_thread(run, at=service.now(), by=by)
    thread.elapsed_observed, thread.elapsed_computed = observed, computed
    thread.artifacts, thread.fields = artifacts, fields
    return answer({"id": thread.id}, 201)


async def append_to_thread(service: Service, request: web.Request) -> web.Response:
    """POST /automation/runs/threads/{id}/append: more tests, artifacts, fields; elapsed is added; 204."""
    run, thread = service.thread(request)
    service.writer(request)
    body = await service.body(request)
    observed, computed = body.number("elapsed_observed"), body.number("elapsed_computed")
    artifacts, fields, tests = drafts.artifacts(body), drafts.fields(body), drafts.tests(body)
    body.done()
    _open(run, thread)
    thread.elapsed_observed = _sum(thread.elapsed_observed, observed)
    thread.elapsed_computed = _sum(thread.elapsed_computed, computed)
    thread.artifacts += artifacts
    thread.fields += fields
    service.store.add_tests(run, thread, tests, at=service.now())
    return _done()


async def complete_thread(service: Service, request: web.Request) -> web.Response:
    """POST /automation/runs/threads/{id}/complete: elapsed replaces what was added; 204, a second time 422."""
    run, thread = service.thread(request)
    by = service.writer(request)
    body = await service.body(request)
    observed, computed = body.number("elapsed_observed"), body.number("elapsed_computed")
    body.done()
    _open(run, thread)
    thread.elapsed_observed = thread.elapsed_observed if observed is None else observed
    thread.elapsed_computed = thread.elapsed_computed if computed is None else computed
    service.store.complete_thread(thread, at=service.now(), by=by)
    return _done()


async def close_run(service: Service, request: web.Request) -> web.Response:
    """PATCH /runs/{id} {"is_closed": true}: known from third-party clients only, so 405 unless switched on.

    Reopening is refused, as those clients report.
    """
    if not service.options.can_close_runs:
        raise Refusal(405, "The PATCH method is not supported for this route.", headers={"Allow": "GET"})
    run = service.manual_run(request)
    by = service.writer(request)
    body = await service.body(request)
    if body.flag("is_closed") is not True:
        body.complain("is_closed", "must be true; a closed run cannot be reopened.")
    body.done()
    if run.closed_at is not None:
        raise invalid({"is_closed": ["The run is already closed."]})
    service.store.close_run(run, at=service.now(), by=by)
    return service.one(wire.manual_run(run), ())


def _open(run: AutomationRun, thread: Thread | None = None) -> None:
    """Raises Refusal 422 when the run or the thread is completed: both are closed for input then."""
    if run.completed_at is not None:
        raise invalid({"automation_run_id": ["The automation run is already completed."]})
    if thread is not None and thread.completed_at is not None:
        raise invalid({"automation_run_thread_id": ["The automation run thread is already completed."]})


def _sum(known: int | None, more: int | None) -> int | None:
    return known if more is None else (known or 0) + more


def _done() -> web.Response:
    return web.Response(status=204)
