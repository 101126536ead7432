"""GET of what runs refer to: projects, users, milestones, sources, cases."""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter

from aiohttp import web

from bot.sandbox.testmo import wire
from bot.sandbox.testmo.query import Keep
from bot.sandbox.testmo.records import AutomationRun, Case, Json, Milestone, Project, Source
from bot.sandbox.testmo.refusals import missing, not_allowed
from bot.sandbox.testmo.service import Service, answer, by_time
from bot.sandbox.testmo.statuses import NEUTRAL

MILESTONE_EXPANDS = ("issues", "milestone_stats", "milestone_types", "milestones", "statuses", "users")
CASE_EXPANDS = ("automation_links", "comments", "folders", "history", "tags", "templates", "users")
USER_EXPANDS = ("groups", "roles", "users")

_NEWEST: Callable[..., tuple[bool, object, int]] = by_time(attrgetter("created_at"), attrgetter("id"))


def _by_id(row: object) -> tuple[bool, object, int]:
    return True, 0, attrgetter("id")(row)


async def current_user(service: Service, request: web.Request) -> web.Response:
    """GET /user: a bare object, the one without an envelope."""
    service.query(request).done()
    return answer(wire.current_user(service.store.users[service.person(request).user_id]))


async def users(service: Service, request: web.Request) -> web.Response:
    """GET /users, for administrators."""
    _for_admins(service, request)
    query = service.query(request)
    asked = query.paging((), descending=False)
    expands = query.expands(USER_EXPANDS)
    query.done()
    return service.page(request, service.store.users.values, asked, wire.user, rank=_by_id, expands=expands)


async def user(service: Service, request: web.Request) -> web.Response:
    """GET /users/{id}, for administrators."""
    _for_admins(service, request)
    found = service.store.users.get(int(request.match_info["id"]))
    if found is None:
        raise missing("user")
    query = service.query(request)
    expands = query.expands(USER_EXPANDS)
    query.done()
    return service.one(wire.user(found), expands)


async def project_users(service: Service, request: web.Request) -> web.Response:
    """GET /projects/{id}/users: ids and names only; this list has no expands."""
    project = service.project(request, of_list=True)
    query = service.query(request)
    asked = query.paging((), descending=False)
    query.done()
    members = [service.store.users[user_id] for user_id in project.members]
    return service.page(request, lambda: members, asked, wire.person, rank=_by_id, expands=None)


def _for_admins(service: Service, request: web.Request) -> None:
    if not service.person(request).is_admin:
        raise not_allowed()


async def projects(service: Service, request: web.Request) -> web.Response:
    """GET /projects: those the token may see."""
    query = service.query(request)
    keep: list[Keep[Project]] = [query.flag("is_completed", lambda _project: False)]
    asked = query.paging(("projects:created_at",))
    expands = query.expands(("users",))
    query.done()
    allowed = service.person(request).projects
    seen = [each for each in service.store.projects.values() if allowed is None or each.id in allowed]
    return service.page(
        request, lambda: seen, asked, lambda each: _project(service, each), rank=_NEWEST, keep=keep, expands=expands
    )


async def project(service: Service, request: web.Request) -> web.Response:
    """GET /projects/{id}."""
    found = service.project(request)
    query = service.query(request)
    expands = query.expands(("users",))
    query.done()
    return service.one(_project(service, found), expands)


def _project(service: Service, found: Project) -> Json:
    store = service.store
    milestones = [each.completed_at is None for each in store.milestones.values() if each.project_id == found.id]
    runs = [each.closed_at is None for each in store.manual_runs.values() if each.project_id == found.id]
    sources = [each.retired_at is None for each in store.sources.values() if each.project_id == found.id]
    automated = [each.completed_at is None for each in store.automation_runs.values() if each.project_id == found.id]
    return wire.project(
        found,
        {
            "milestone_count": len(milestones),
            "milestone_active_count": sum(milestones),
            "milestone_completed_count": len(milestones) - sum(milestones),
            "run_count": len(runs),
            "run_active_count": sum(runs),
            "run_closed_count": len(runs) - sum(runs),
            "session_count": 0,
            "session_active_count": 0,
            "session_closed_count": 0,
            "automation_source_count": len(sources),
            "automation_source_active_count": sum(sources),
            "automation_source_retired_count": len(sources) - sum(sources),
            "automation_run_count": len(automated),
            "automation_run_active_count": sum(automated),
            "automation_run_completed_count": len(automated) - sum(automated),
        },
    )


async def milestones(service: Service, request: web.Request) -> web.Response:
    """GET /projects/{id}/milestones."""
    found = service.project(request, of_list=True)
    query = service.query(request)
    keep: list[Keep[Milestone]] = [
        query.any_of("automation_tags", lambda each: each.automation_tags),
        query.after("completed_after", lambda each: each.completed_at),
        query.before("completed_before", lambda each: each.completed_at),
        query.after("created_after", lambda each: each.created_at),
        query.before("created_before", lambda each: each.created_at),
        query.among("created_by", lambda each: each.created_by),
        query.flag("is_completed", lambda each: each.completed_at is not None),
        query.among("parent_id", lambda each: each.parent_id),
        query.among("root_id", lambda each: _root(service, each)),
        query.among("type_id", lambda each: each.type_id),
    ]
    asked = query.paging(("milestones:created_at",))
    expands = query.expands(MILESTONE_EXPANDS)
    query.done()
    return service.page(
        request,
        lambda: (each for each in service.store.milestones.values() if each.project_id == found.id),
        asked,
        lambda each: wire.milestone(each, _root(service, each)),
        rank=_NEWEST,
        keep=keep,
        expands=expands,
    )


async def milestone(service: Service, request: web.Request) -> web.Response:
    """GET /milestones/{id}."""
    found = service.owned(request, service.store.milestones, "milestone", lambda each: each.project_id)
    query = service.query(request)
    expands = query.expands(MILESTONE_EXPANDS)
    query.done()
    return service.one(wire.milestone(found, _root(service, found)), expands)


def _root(service: Service, each: Milestone) -> int:
    while each.parent_id is not None:
        each = service.store.milestones[each.parent_id]
    return each.id


async def sources(service: Service, request: web.Request) -> web.Response:
    """GET /projects/{id}/automation/sources."""
    found = service.project(request, of_list=True)
    query = service.query(request)
    keep: list[Keep[Source]] = [query.flag("is_retired", lambda each: each.retired_at is not None)]
    asked = query.paging(("automation_sources:created_at",))
    expands = query.expands(("users",))
    query.done()
    return service.page(
        request,
        lambda: (each for each in service.store.sources.values() if each.project_id == found.id),
        asked,
        lambda each: _source(service, each),
        rank=_NEWEST,
        keep=keep,
        expands=expands,
    )


async def source(service: Service, request: web.Request) -> web.Response:
    """GET /automation/sources/{id}."""
    found = service.owned(request, service.store.sources, "automation source", lambda each: each.project_id)
    query = service.query(request)
    expands = query.expands(("users",))
    query.done()
    return service.one(_source(service, found), expands)


def _source(service: Service, each: Source) -> Json:
    """A source; `status` is that of its last finished run (1 when there is none)."""
    runs = [run for run in service.store.automation_runs.values() if run.source_id == each.id]
    finished: list[AutomationRun] = [run for run in runs if run.completed_at is not None]
    elapsed = [run.elapsed for run in finished if run.elapsed is not None]
    tests = sum(len(thread.tests) for run in finished for thread in run.threads)
    return {
        "id": each.id,
        "project_id": each.project_id,
        "name": each.name,
        "status": max(finished, key=attrgetter("created_at")).status if finished else NEUTRAL,
        "is_retired": each.retired_at is not None,
        "run_count": len(runs),
        "test_count_average": tests // len(finished) if finished else 0,
        "elapsed_average": sum(elapsed) // len(elapsed) if elapsed else None,
        "ran_at": wire.stamp(max((run.created_at for run in runs), default=None)),
        "created_at": wire.stamp(each.created_at),
        "created_by": each.created_by,
        "updated_at": None,
        "updated_by": None,
        "retired_at": wire.stamp(each.retired_at),
        "retired_by": each.retired_by,
    }


async def cases(service: Service, request: web.Request) -> web.Response:
    """GET /projects/{id}/cases: where the names behind `case_id` are."""
    found = service.project(request, of_list=True)
    query = service.query(request)
    keep: list[Keep[Case]] = [
        query.among("folder_id", lambda each: each.folder_id),
        query.among("template_id", lambda _each: 1),
        query.among("state_id", lambda _each: 4),
        query.among("status_id", lambda _each: None),
        query.after("created_after", lambda each: each.created_at),
        query.before("created_before", lambda each: each.created_at),
        query.flag("has_automation", lambda each: each.has_automation),
        query.flag("has_automation_status", lambda _each: False),
    ]
    asked = query.paging(("repository_cases:created_at", "repository_cases:name"))
    expands = query.expands(CASE_EXPANDS)
    query.done()

    def by_name(each: Case) -> tuple[bool, object, int]:
        return True, each.name, each.id

    return service.page(
        request,
        lambda: (each for each in service.store.cases.values() if each.project_id == found.id),
        asked,
        wire.case,
        rank=by_name if asked.sort.endswith(":name") else _NEWEST,
        keep=keep,
        expands=expands,
    )
