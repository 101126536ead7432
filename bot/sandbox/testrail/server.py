"""The sample TestRail: real wire format on loopback, with a past to tell about and levers for tests."""

from __future__ import annotations

import html
import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from aiohttp import web

from bot.sandbox.days import Days
from bot.sandbox.server import Clock, SampleServer
from bot.sandbox.testrail import filters, refusals, wire
from bot.sandbox.testrail.coming import days_to_come
from bot.sandbox.testrail.desk import Desk, find
from bot.sandbox.testrail.endpoints import READS, WRITES
from bot.sandbox.testrail.gate import Account, Budget, check_content_type, who
from bot.sandbox.testrail.model import FAILED, PASSED, UNTESTED, Plan, Result, Run, Status, Test, User
from bot.sandbox.testrail.paging import Listing, Page, Row, Trick, honest
from bot.sandbox.testrail.question import Question, asks_the_api, read_question
from bot.sandbox.testrail.refusals import Refusal, unknown_method, wrong_verb
from bot.sandbox.testrail.sample import BOT_ID, tell
from bot.sandbox.testrail.store import Store


class TestRail(SampleServer):
    """TestRail's API v2 below `{url}{root}/index.php?/api/v2/`, with the company's sample data.

    `key` and, when given, `password` are both accepted with `user`. `admin`: whether that account administers
    (get_users needs a project otherwise). `old`: versions before 6.6, bare arrays instead of envelopes (these came
    with 6.7), and a delete_run that knows no `soft`.
    `per_minute`: the rate limit, None for none. Data are relative to the clock's now at construction;
    `live_until` brings what follows.

    Levers, all plain attributes to be set at any time: `maintenance` (409), `api_disabled` (403), `denied` (names of
    rights that are missing, see desk.RIGHTS), `hidden` (projects without access), `budget.per_minute`, `tricks`
    (endpoint → paging trick), `shift_pages` (called after each page that has a next one), `store` (everything kept),
    `detaches_milestones` (update_run without milestone_id takes the milestone away, as clients saw it do).
    """

    __test__ = False
    name = "testrail"

    def __init__(
        self,
        clock: Clock | None = None,
        *,
        user: str = "bot@acme.example",
        key: str = "testrail-demo-key",
        password: str = "",
        root: str = "",
        admin: bool = False,
        old: bool = False,
        per_minute: int | None = None,
    ) -> None:
        super().__init__(clock)
        self.root = root.rstrip("/")
        self.old = old
        self.maintenance = False
        self.api_disabled = False
        self.denied: set[str] = set()
        self.hidden: set[int] = set()
        self.budget = Budget(per_minute)
        self.tricks: dict[str, Trick] = {}
        self.shift_pages: Callable[[], object] | None = None
        self.detaches_milestones = False
        self.store: Store = tell(self._now())
        self.days = Days(self.clock.now(), partial(days_to_come, self.store))
        account = self.store.users[BOT_ID]
        account.email, account.is_admin = user, admin
        self.accounts: dict[str, Account] = {}
        self.let_in(account.id, key, password)

    # -- listening ------------------------------------------------------------------------------------------

    @property
    def web_url(self) -> str:
        """The root that people and clients configure: address and sub-path, without a slash at the end."""
        return f"{self.url}{self.root}"

    async def start(self, port: int = 0) -> str:
        """Listen on loopback; returns `http://127.0.0.1:PORT` (see `web_url` for the one with the sub-path)."""
        url = await super().start(port)
        self.store.web = self.web_url
        return url

    def routes(self) -> list[web.RouteDef]:
        return [
            web.route("*", f"{self.root}/index.php", self._answer),
            web.route("*", f"{self.root}/", self._answer),
        ]

    def refuse(self, request: web.Request) -> web.Response | None:
        """Switches first, then login, content type and rate; pages for people need none of them."""
        if not asks_the_api(_query(request)):
            return None
        try:
            self._admit(request)
        except Refusal as refusal:
            return _refused(refusal)
        wait_s = self.budget.take(self.clock.now().timestamp())
        if wait_s is None:
            return None
        text = (
            f"API Rate Limit Exceeded - {self.budget.per_minute} per minute maximum allowed. "
            f"Retry after {wait_s} seconds."
        )
        return _json({"error": text}, 429, {"Retry-After": str(wait_s)})

    # -- levers for tests -----------------------------------------------------------------------------------

    def let_in(self, user_id: int, *accepted: str) -> User:
        """Let one more user call, with these keys or passwords."""
        user = self.store.users[user_id]
        self.accounts[user.email.lower()] = Account(user, frozenset(filter(None, accepted)))
        return user

    def run(self, run_id: int) -> Run:
        """The stored run. Raises Refusal when there is none."""
        return find(self.store.runs, run_id, "run_id")

    def plan(self, plan_id: int) -> Plan:
        """The stored plan. Raises Refusal when there is none."""
        return find(self.store.plans, plan_id, "plan_id")

    def tests(self, run_id: int, status_id: int | None = None) -> list[Test]:
        """The stored tests of a run, all or those with this status."""
        tests = self.store.tests_of(self.run(run_id))
        return [test for test in tests if status_id is None or test.status_id == status_id]

    def row(self, run_id: int) -> Row:
        """The run as the API would show it."""
        return wire.run_row(self.store, self.run(run_id))

    def close(self, run_id: int) -> None:
        """Close a run behind everybody's back, as somebody in the browser would."""
        self.store.close_run(self.run(run_id), self._now())

    def close_plan(self, plan_id: int) -> None:
        """Close a plan and its runs."""
        self.store.close_plan(self.plan(plan_id), self._now())

    def add_result(self, test: Test, status_id: int | None = PASSED, *, by: int = 7, **more: object) -> Result:
        """Record a result now; `more`: comment, defects, elapsed, version, assignedto_id."""
        return self.store.record(test, status_id, by=by, at=self._now(), **more)

    def remove_run(self, run_id: int) -> None:
        """Delete a run with its tests and results."""
        self.store.remove_run(self.run(run_id))

    def rename_status(self, status_id: int, label: str) -> Status:
        """Give a status another label, as administrators can."""
        self.store.statuses[status_id] = replace(self.store.statuses[status_id], label=label)
        return self.store.statuses[status_id]

    def add_runs(
        self, project_id: int, n: int, *, passed: int = 18, failed: int = 1, untested: int = 1, closed: bool = True
    ) -> list[Run]:
        """`n` more runs of the project's largest suite, a minute apart; their tests are made only when looked at.

        10,000 of them take some hundredths of a second and a few megabytes.
        """
        suites = [suite.id for suite in self.store.suites.values() if suite.project_id == project_id]
        suite_id = max(suites, key=lambda one: len(self.store.case_ids_of(one)))
        now = self._now()
        pattern = Run(0, project_id, suite_id, "Bulk run", now, 1, completed_on=now if closed else None)
        statuses = bytes([PASSED] * passed + [FAILED] * failed + [UNTESTED] * untested)
        return self.store.add_dormant_runs(pattern, statuses, n)

    # -- answering ------------------------------------------------------------------------------------------

    def _now(self) -> int:
        return int(self.clock.now().timestamp())

    def _admit(self, request: web.Request) -> User:
        if self.maintenance:
            raise Refusal(409, refusals.MAINTENANCE)
        if self.api_disabled:
            raise Refusal(403, refusals.API_DISABLED)
        user = who(request.headers.get("Authorization", ""), self.accounts)
        check_content_type(request.headers.get("Content-Type"))
        return user

    async def _answer(self, request: web.Request) -> web.Response:
        query = _query(request)
        if not asks_the_api(query):
            return _page(query)
        try:
            question = read_question(query)
            user = who(request.headers.get("Authorization", ""), self.accounts)
            return self._reply(question, self._ask(request.method, question, await request.read(), user))
        except Refusal as refusal:
            return _refused(refusal)

    def _ask(self, method: str, question: Question, body: bytes, user: User) -> object:
        """What the endpoint says. Raises Refusal."""
        endpoint = READS.get(question.name) or WRITES.get(question.name)
        if endpoint is None:
            raise unknown_method(question.name)
        if method != ("GET" if question.name in READS else "POST"):
            raise wrong_verb(method)
        return endpoint(
            Desk(
                self.store,
                question,
                _read_body(body) if method == "POST" else {},
                user,
                self._now(),
                frozenset(self.denied),
                frozenset(self.hidden),
                self.old,
                self.detaches_milestones,
            )
        )

    def _reply(self, question: Question, said: object) -> web.Response:
        if said is None:
            return web.Response(status=200, content_type="application/json")
        if not isinstance(said, Listing):
            return _json(said)
        limit, offset = filters.limit_and_offset(question.params, clamps=not self.old)
        page = Page(said, question.link, limit, offset)
        envelope = self.tricks.get(question.name, honest)(page)
        if self.old:
            return _json(said.cut(0, len(said.things)) if said.whole_when_old else envelope[said.key])
        answer = _json(envelope)
        if self.shift_pages is not None and offset + limit < len(said.things):
            self.shift_pages()
        return answer


def _query(request: web.Request) -> str:
    """The query string as it was sent, undecoded."""
    return request.raw_path.partition("?")[2]


def _read_body(body: bytes) -> dict[str, object]:
    """The fields of a JSON object; an empty body has none. Raises Refusal."""
    if not body.strip():
        return {}
    try:
        read = json.loads(body)
    except ValueError:
        raise Refusal(400, refusals.BAD_JSON) from None
    if isinstance(read, dict):
        return read
    if read in (None, []):
        return {}
    raise Refusal(400, refusals.BAD_JSON)


def _json(said: object, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    return web.json_response(said, status=status, headers=headers)


def _refused(refusal: Refusal) -> web.Response:
    return _json({"error": refusal.text}, refusal.status)


def _page(query: str) -> web.Response:
    """What a browser gets: the sample has no pages, only their addresses."""
    body = f"<!doctype html><title>TestRail (sample)</title><h1>TestRail (sample)</h1><p>{html.escape(query)}</p>"
    return web.Response(text=body, content_type="text/html")
