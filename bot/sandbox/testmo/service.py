"""What all endpoints share: who asks, what exists, one object or one page as an answer."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from aiohttp import web

from bot.sandbox.server import Clock
from bot.sandbox.testmo import paging
from bot.sandbox.testmo.body import Body, malformed
from bot.sandbox.testmo.expanding import expand
from bot.sandbox.testmo.query import Keep, Paging, Query
from bot.sandbox.testmo.records import AutomationRun, Json, ManualRun, Project, Thread
from bot.sandbox.testmo.refusals import Refusal, missing, not_allowed
from bot.sandbox.testmo.store import Store

T = TypeVar("T")
Rank = Callable[[T], tuple[bool, object, int]]


@dataclass(frozen=True, slots=True)
class Access:
    """What a token may do. `projects` None means all; `/users` is for administrators only."""

    user_id: int
    may_write: bool = True
    is_admin: bool = False
    projects: frozenset[int] | None = None


@dataclass
class Options:
    """How this instance differs from the next; see `Testmo` for each."""

    strict: bool = True
    has_run_tests: bool = True
    has_test_fields: bool = True
    can_close_runs: bool = False
    append_after_complete: bool = False
    missing_parent: int = 403


@dataclass
class Service:
    """The instance behind the HTTP face."""

    store: Store
    clock: Clock
    options: Options
    tokens: dict[str, Access]
    lies: list[paging.Lie] = field(default_factory=list)
    shift_pages: Callable[[int], object] | None = None

    def now(self) -> datetime:
        """The present, in whole milliseconds as the service keeps it."""
        now = self.clock.now()
        return now.replace(microsecond=now.microsecond // 1000 * 1000)

    def access(self, request: web.Request) -> Access | None:
        """The rights of the request's bearer token, None for a token that is not known."""
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        return self.tokens.get(token) if scheme.lower() == "bearer" else None

    def query(self, request: web.Request) -> Query:
        return Query(request.query, strict=self.options.strict)

    def person(self, request: web.Request) -> Access:
        """The rights of who asks. Raises Refusal 401."""
        access = self.access(request)
        if access is None:
            raise Refusal(401, "Unauthenticated.")
        return access

    def writer(self, request: web.Request) -> int:
        """The id of who writes. Raises Refusal 403 for tokens that may only read."""
        access = self.person(request)
        if not access.may_write:
            raise not_allowed()
        return access.user_id

    def project(self, request: web.Request, *, of_list: bool = False) -> Project:
        """The project in the path. Raises Refusal.

        Lists of an unknown project answer `missing_parent` (403), because their vendor pages know no 404.
        """
        found = self.store.projects.get(int(request.match_info["id"]))
        if found is None:
            raise self._no_parent("project") if of_list else missing("project")
        self._check(request, found.id)
        return found

    def automation_run(self, request: web.Request) -> AutomationRun:
        """The automation run in the path. Raises Refusal."""
        found = self.store.automation_runs.get(int(request.match_info["id"]))
        if found is None:
            raise missing("automation run")
        self._check(request, found.project_id)
        return found

    def thread(self, request: web.Request) -> tuple[AutomationRun, Thread]:
        """The thread in the path and its run. Raises Refusal."""
        found = self.store.threads.get(int(request.match_info["id"]))
        if found is None:
            raise missing("automation run thread")
        self._check(request, found[0].project_id)
        return found

    def manual_run(self, request: web.Request, *, of_list: bool = False) -> ManualRun:
        """The manual run in the path. Raises Refusal."""
        found = self.store.manual_runs.get(int(request.match_info["id"]))
        if found is None:
            raise self._no_parent("run") if of_list else missing("run")
        self._check(request, found.project_id)
        return found

    def owned(self, request: web.Request, objects: Mapping[int, T], what: str, project_of: Callable[[T], int]) -> T:
        """Another object in the path. Raises Refusal."""
        found = objects.get(int(request.match_info["id"]))
        if found is None:
            raise missing(what)
        self._check(request, project_of(found))
        return found

    async def body(self, request: web.Request) -> Body:
        """The request's JSON object. Raises Refusal 400 for another content type or unreadable JSON."""
        if request.content_type != "application/json" or "Content-Type" not in request.headers:
            raise malformed("The Content-Type header must be application/json.")
        try:
            given = json.loads(await request.read() or b"{}")
        except ValueError:
            raise malformed("The request body is not valid JSON.") from None
        if given == []:
            given = {}
        if not isinstance(given, dict):
            raise malformed("The request body must be a JSON object.")
        return Body(given, strict=self.options.strict)

    def one(self, row: Json, expands: Sequence[str]) -> web.Response:
        """A single object."""
        return answer({"result": row, "expands": expand(self.store, [row], expands)})

    def page(
        self,
        request: web.Request,
        rows: Callable[[], Iterable[T]],
        asked: Paging,
        show: Callable[[T], Json],
        *,
        rank: Rank[T],
        keep: Sequence[Keep[T]] = (),
        expands: Sequence[str] | None = (),
    ) -> web.Response:
        """One page of the rows that all filters keep; `expands` None for lists that have none.

        `shift_pages` runs before every page but the first, with the page's number; then the lies are told.
        """
        if self.shift_pages is not None and asked.page > 1:
            self.shift_pages(asked.page)
        kept = sorted((row for row in rows() if all(wants(row) for wants in keep)), key=rank, reverse=asked.descending)

        def rows_of(number: int) -> list[Json]:
            here = Paging(number, asked.per_page, asked.sort, asked.descending)
            return [show(row) for row in paging.cut(kept, here)]

        true = paging.envelope(len(kept), asked, rows_of(asked.page))
        told = true
        for lie in self.lies:
            told = lie(told, paging.Turned(asked, request.path, rows_of))
        if expands is None:
            return answer(told)
        return answer(told | {"expands": expand(self.store, paging.rows_in(told), expands)})

    def _check(self, request: web.Request, project_id: int) -> None:
        allowed = self.person(request).projects
        if allowed is not None and project_id not in allowed:
            raise not_allowed()

    def _no_parent(self, what: str) -> Refusal:
        return not_allowed() if self.options.missing_parent == 403 else missing(what)


def by_time(of: Callable[[T], datetime | None], id_of: Callable[[T], int]) -> Rank[T]:
    """Sorts by a moment, then by id; rows without a moment are the oldest."""
    return lambda row: ((at := of(row)) is not None, at.timestamp() if at is not None else 0.0, id_of(row))


def answer(content: Json | list[object], status: int = 200) -> web.Response:
    """JSON as PHP writes it: ASCII only, slashes escaped (the vendor's samples have `<\\/p>`)."""
    text = json.dumps(content, separators=(",", ":")).replace("/", "\\/")
    return web.Response(status=status, body=text.encode(), content_type="application/json")


def refusal(no: Refusal) -> web.Response:
    """A refusal as an answer."""
    response = answer(no.body(), no.status)
    response.headers.update(no.headers)
    return response
