"""The sample Testmo server."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from functools import partial

from aiohttp import web

from bot.sandbox.days import Days
from bot.sandbox.server import Clock, Handler, SampleServer
from bot.sandbox.testmo import neighbours, reading, writing
from bot.sandbox.testmo.limit import RateLimit
from bot.sandbox.testmo.paging import Lie
from bot.sandbox.testmo.records import AutomationRun, ManualRun, Result
from bot.sandbox.testmo.refusals import Refusal
from bot.sandbox.testmo.sample import BOT, fill, nights_to_come, still_going
from bot.sandbox.testmo.service import Access, Options, Service, refusal
from bot.sandbox.testmo.statuses import BY_ALIAS
from bot.sandbox.testmo.store import Draft, Store

Endpoint = Callable[[Service, web.Request], Awaitable[web.Response]]

API = "/api/v1"
DEMO_TOKEN = "testmo-demo-token"  # noqa: S105 - the demo's, for everyone to see
ENDPOINTS: tuple[tuple[str, str, Endpoint], ...] = (
    ("GET", "/user", neighbours.current_user),
    ("GET", "/users", neighbours.users),
    ("GET", r"/users/{id:\d+}", neighbours.user),
    ("GET", "/projects", neighbours.projects),
    ("GET", r"/projects/{id:\d+}", neighbours.project),
    ("GET", r"/projects/{id:\d+}/users", neighbours.project_users),
    ("GET", r"/projects/{id:\d+}/milestones", neighbours.milestones),
    ("GET", r"/milestones/{id:\d+}", neighbours.milestone),
    ("GET", r"/projects/{id:\d+}/cases", neighbours.cases),
    ("GET", r"/projects/{id:\d+}/automation/sources", neighbours.sources),
    ("GET", r"/automation/sources/{id:\d+}", neighbours.source),
    ("GET", r"/projects/{id:\d+}/runs", reading.manual_runs),
    ("GET", r"/runs/{id:\d+}", reading.manual_run),
    ("PATCH", r"/runs/{id:\d+}", writing.close_run),
    ("GET", r"/runs/{id:\d+}/results", reading.run_results),
    ("GET", r"/projects/{id:\d+}/automation/runs", reading.automation_runs),
    ("POST", r"/projects/{id:\d+}/automation/runs", writing.create_run),
    ("GET", r"/automation/runs/{id:\d+}", reading.automation_run),
    ("GET", r"/automation/runs/{id:\d+}/tests", reading.automation_run_tests),
    ("POST", r"/automation/runs/{id:\d+}/append", writing.append_to_run),
    ("POST", r"/automation/runs/{id:\d+}/complete", writing.complete_run),
    ("POST", r"/automation/runs/{id:\d+}/threads", writing.create_thread),
    ("POST", r"/automation/runs/threads/{id:\d+}/append", writing.append_to_thread),
    ("POST", r"/automation/runs/threads/{id:\d+}/complete", writing.complete_thread),
)


class Testmo(SampleServer):
    """A Testmo instance with sample data and the wire format of API 2.4, below `/api/v1`.

    `token` belongs to an administrator; `server.tokens[…] = Access(…)` adds others. Options:
    - `strict`: unknown parameters and body properties are refused with 422. The real service was seen to ignore
      them, which is worse to test with: the vendor page's example for failed runs sends `state=3`, no such
      parameter exists (it is `status`), and a bot that copied it would take all runs for failed ones.
    - `run_tests`: has GET /automation/runs/{id}/tests, newer than the vendor pages; False answers 404.
    - `test_fields`: the rows of that list carry `fields` with the error texts. Unverified; False leaves them out.
    - `close_runs`: has PATCH /runs/{id} {"is_closed": true}. Unverified, so off: 405.
    - `append_after_complete`: completed automation runs still take links, fields and artifacts.
    - `missing_parent`: status of lists whose project or run does not exist; the vendor pages name 403 but no 404.
    - `calls_per_minute`: rate limit, None for none.
    - `sample`: False starts with users and empty projects only.

    Times are the clock's at construction: "last night" is last night. `live_until` brings the nights that follow.
    """

    name = "testmo"

    def __init__(
        self,
        clock: Clock | None = None,
        *,
        token: str = DEMO_TOKEN,
        strict: bool = True,
        run_tests: bool = True,
        test_fields: bool = True,
        close_runs: bool = False,
        append_after_complete: bool = False,
        missing_parent: int = 403,
        calls_per_minute: int | None = None,
        sample: bool = True,
    ) -> None:
        super().__init__(clock)
        options = Options(strict, run_tests, test_fields, close_runs, append_after_complete, missing_parent)
        self.token = token
        self.store = Store()
        self.tokens = {token: Access(BOT, is_admin=True)}
        self.service = Service(self.store, self.clock, options, self.tokens)
        self.limit = None if calls_per_minute is None else RateLimit(calls_per_minute)
        birth = self.service.now()
        fill(self.store, birth, with_runs=sample)
        if sample:
            self.days = Days(birth, partial(nights_to_come, self.store), still_going(self.store, birth))

    # What the wire sees.

    def routes(self) -> list[web.RouteDef]:
        known = [web.route(method, API + path, self._endpoint(endpoint)) for method, path, endpoint in ENDPOINTS]
        paths = dict.fromkeys(path for _, path, _ in ENDPOINTS)
        others = [web.route("*", API + path, self._wrong_method(path)) for path in paths]
        # A route for all methods must come after the others of the same path.
        by_path = sorted([*known, *others], key=lambda route: (route.path, route.method == "*"))
        return [*by_path, web.route("*", "/{path:.*}", self._no_route)]

    def refuse(self, request: web.Request) -> web.Response | None:
        if self.service.access(request) is None:
            return refusal(Refusal(401, "Unauthenticated."))
        wait_s = None if self.limit is None else self.limit.wait_s(self.clock.now())
        if wait_s is None:
            return None
        return refusal(Refusal(429, "Too Many Attempts.", headers={"Retry-After": str(wait_s)}))

    def _endpoint(self, endpoint: Endpoint) -> Handler:
        async def handle(request: web.Request) -> web.StreamResponse:
            try:
                return await endpoint(self.service, request)
            except Refusal as no:
                return refusal(no)

        return handle

    def _wrong_method(self, path: str) -> Handler:
        """405 with the methods that work, which OPTIONS asks for (200: as the framework behind such APIs does)."""

        async def handle(request: web.Request) -> web.StreamResponse:
            allowed = ", ".join(
                method
                for method, other, _ in ENDPOINTS
                if other == path and (method != "PATCH" or self.service.options.can_close_runs)
            )
            if request.method == "OPTIONS":
                return web.Response(headers={"Allow": allowed})
            text = f"The {request.method} method is not supported for this route."
            return refusal(Refusal(405, text, headers={"Allow": allowed}))

        return handle

    async def _no_route(self, _request: web.Request) -> web.StreamResponse:
        return refusal(Refusal(404, "The route could not be found."))

    # What a test may do behind the wire.

    @property
    def lies(self) -> list[Lie]:
        """Ways to answer pages wrongly, told one after the other, see `paging`."""
        return self.service.lies

    @lies.setter
    def lies(self, lies: list[Lie]) -> None:
        self.service.lies = lies

    @property
    def shift_pages(self) -> Callable[[int], object] | None:
        """Called before every page but the first of any list, with the page's number, so that rows can move."""
        return self.service.shift_pages

    @shift_pages.setter
    def shift_pages(self, change: Callable[[int], object] | None) -> None:
        self.service.shift_pages = change

    def start_run(
        self, project: int, source: str, name: str, *, ago: timedelta = timedelta(), tags: Sequence[str] = ()
    ) -> AutomationRun:
        """A new automation run without threads, created `ago` before now."""
        return self.store.start_run(project, source, name, at=self.service.now() - ago, by=BOT, tags=tags)

    def add_tests(self, run_id: int, results: Sequence[tuple[str, str]], *, thread: int = 1) -> None:
        """More results for an automation run: pairs of test name and status alias.

        Threads up to this index are opened when the run has fewer. The key follows from the name.
        """
        run = self.store.automation_runs[run_id]
        now = self.service.now()
        while len(run.threads) < thread:
            self.store.start_thread(run, at=now, by=BOT)
        drafts = [
            Draft(name.encode().hex()[:64], name, "Synthetic", BY_ALIAS[alias].id, 1_000_000) for name, alias in results
        ]
        self.store.add_tests(run, run.threads[thread - 1], drafts, at=now)

    def finish_run(self, run_id: int, *, measure_elapsed: bool = False) -> None:
        """Completes an automation run as its own pages would."""
        run = self.store.automation_runs[run_id]
        self.store.complete_run(run, at=self.service.now(), by=BOT, measure_elapsed=measure_elapsed)

    def remove_run(self, run_id: int) -> None:
        """Deletes an automation run."""
        self.store.remove_run(run_id)

    def add_result(
        self,
        run_id: int,
        test_id: int,
        status_id: int,
        *,
        by: int = BOT,
        note: str | None = None,
        assignee_id: int | None = None,
    ) -> Result:
        """One more result for a test of a manual run."""
        run = self.store.manual_runs[run_id]
        return self.store.add_result(
            run, test_id, status_id, at=self.service.now(), by=by, note=note, assignee_id=assignee_id
        )

    def close_run(self, run_id: int, *, by: int = BOT) -> ManualRun:
        """Closes a manual run as its own pages would."""
        run = self.store.manual_runs[run_id]
        self.store.close_run(run, at=self.service.now(), by=by)
        return run

    def remove_manual_run(self, run_id: int) -> None:
        """Deletes a manual run."""
        del self.store.manual_runs[run_id]

    def add_runs(
        self, project: int, n: int, *, source: str = "synthetic", every: timedelta = timedelta(minutes=1)
    ) -> None:
        """Adds `n` completed automation runs of two tests each, the newest `every` ago, each one that much older."""
        now = self.service.now()
        for back in range(n, 0, -1):
            at = now - back * every
            run = self.store.start_run(project, source, f"Synthetic {n - back + 1}", at=at, by=BOT)
            thread = self.store.start_thread(run, at=at, by=BOT)
            outcome = BY_ALIAS["failed" if back % 7 == 0 else "passed"].id
            self.store.add_tests(
                run,
                thread,
                (
                    Draft("aa01", "first", "Synthetic", BY_ALIAS["passed"].id, 1_000),
                    Draft("aa02", "second", "Synthetic", outcome, 2_000),
                ),
                at=at,
            )
            self.store.complete_run(run, at=at, by=BOT)
