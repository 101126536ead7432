"""A sample PractiTest on loopback: its API v2 as the vendor documents it, an account that tells Acme's story."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import partial
from typing import Any

from aiohttp import web

from bot.sandbox.days import Days
from bot.sandbox.practitest import bodies, editing, paging, posting, sample
from bot.sandbox.practitest.account import Account, NewRun
from bot.sandbox.practitest.asking import Query, RefusalError
from bot.sandbox.practitest.coming import days_to_come
from bot.sandbox.practitest.credentials import token_of
from bot.sandbox.practitest.limit import MinuteLimit, minute_of
from bot.sandbox.practitest.resources import OF_ACCOUNT, OF_PROJECT, Resource
from bot.sandbox.practitest.wire import Json
from bot.sandbox.server import Clock, SampleServer

BASE = "/api/v2/"
DEMO_TOKEN = "practitest-demo-token"  # noqa: S105 - it opens nothing but this sample

_PATH = re.compile(r"(?:projects/(?P<project>\d{1,18})/)?(?P<word>[a-z_]+)(?:/(?P<number>\d{1,18}))?\.json", re.ASCII)


class PractiTest(SampleServer):
    """One PractiTest account.

    `token` is the account's; `personal_tokens` maps further tokens to the user they belong to. `limit` is the
    number of calls a minute (the vendor's is 30), None for no limit; `retry_after` adds that header to refusals,
    which the real service is not known to do. Data are relative to the clock's now at construction; `live_until` brings
    what follows.

    For tests: `account` holds every record, `twists` spoils pages by collection (see `mischief`), `shift_pages` is
    called with collection and page number before every page after the first, `ignored` collects the parameters
    that nobody asked for.
    """

    name = "practitest"

    def __init__(
        self,
        clock: Clock | None = None,
        *,
        token: str = DEMO_TOKEN,
        personal_tokens: Mapping[str, int] | None = None,
        limit: int | None = None,
        retry_after: bool = False,
    ) -> None:
        super().__init__(clock)
        self.token = token
        birth = self.clock.now()
        self.account: Account = sample.fill(birth)
        self.days = Days(birth, partial(days_to_come, self.account))
        self.limit = MinuteLimit(limit)
        self.twists: dict[str, paging.Twist] = {}
        self.shift_pages: Callable[[str, int], None] | None = None
        self.ignored: list[str] = []
        self._users_of_tokens: dict[str, int | None] = {token: None, **(personal_tokens or {})}
        self._retry_after = retry_after

    @property
    def calls_per_minute(self) -> Counter[datetime]:
        """How many calls arrived in each minute (its beginning, in UTC), answered or not."""
        return Counter(minute_of(call.at) for call in self.journal)

    def add_run(self, instance_id: int, status: str, *, at: datetime | None = None, **more: Any) -> int:
        """Add a run behind the API's back and return its id; `more` as in NewRun (output, tester_id, …)."""
        return self.account.add_run(NewRun(instance_id, status, **more), at or self.clock.now()).id

    def add_sets(self, project_id: int, count: int, name: str = "Load") -> list[int]:
        """Add empty sets `Load 1` to `Load {count}` and return their ids."""
        at = self.clock.now()
        return [self.account.add_set(project_id, f"{name} {number}", at).id for number in range(1, count + 1)]

    def remove_set(self, set_id: int) -> None:
        """Delete a set with its instances and runs."""
        self.account.remove_set(set_id)

    def routes(self) -> list[web.RouteDef]:
        return [web.route("*", "/{path:.*}", self._answer)]

    def refuse(self, request: web.Request) -> web.Response | None:
        """401 without a valid token; 429 when the account had its calls of this minute."""
        if token_of(request) not in self._users_of_tokens:
            return _errors(401, "Unauthorized: the API token is missing or wrong")
        wait_s = self.limit.wait_s(self.journal[-1].at)
        if wait_s is None:
            return None
        answer = _errors(429, "API rate limit exceeded: too many calls in this minute")
        if self._retry_after:
            answer.headers["Retry-After"] = str(wait_s)
        return answer

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        query = Query(_parameters(request))
        try:
            answer = self._dispatch(request, query, await request.read())
        except RefusalError as refusal:
            return _errors(refusal.status, refusal.title)
        self.ignored += query.ignored()
        return web.json_response(answer)

    def _dispatch(self, request: web.Request, query: Query, raw: bytes) -> Json:
        project_id, word, number = _address(request.path)
        resource = self._resource(project_id, word)
        verbs = _verbs(project_id, word, number, single=resource.single)
        if not verbs:
            raise RefusalError(404, "Not found")
        if request.method not in verbs:
            raise RefusalError(405, f"{request.method} is not possible here, only {', '.join(verbs)}")
        if request.method == "POST":
            return self._create(request, project_id, raw)
        if number is None:
            address = str(request.url.origin()) + request.path
            return self._list(word, resource, project_id, query, address)
        record = self._record(resource, project_id, number)
        if request.method == "PUT":
            data = bodies.read_data(raw, request.content_type)
            edit = editing.edit_set if word == "sets" else editing.edit_instance
            edit(record, data, self.account, self.clock.now())
        return {"data": resource.show(self.account, record, query)}

    def _resource(self, project_id: int, word: str) -> Resource:
        known = OF_PROJECT if project_id else OF_ACCOUNT
        if word not in known or (project_id and project_id not in self.account.projects):
            raise RefusalError(404, "Not found")
        return known[word]

    def _record(self, resource: Resource, project_id: int, number: int) -> Any:
        found = resource.table(self.account).get(number)
        if found is None or (project_id and found.project_id != project_id):
            raise RefusalError(404, "Not found")
        return found

    def _list(self, word: str, resource: Resource, project_id: int, query: Query, address: str) -> Json:
        number, size = paging.read_page(query)
        if self.shift_pages is not None and number > 1:
            self.shift_pages(word, number)
        found = resource.pick(self.account, project_id, query, self.clock.now())

        def rows_of(page: int) -> list[Json]:
            return [resource.show(self.account, each, query) for each in found[(page - 1) * size : page * size]]

        def stranger() -> Json | None:
            rows = resource.table(self.account).values()
            other = next((row for row in rows if getattr(row, "project_id", project_id) != project_id), None)
            return None if other is None else resource.show(self.account, other, query)

        page = paging.cut(word, number, size, total=len(found), rows_of=rows_of, stranger=stranger)
        twist = self.twists.get(word)
        return paging.envelope(page if twist is None else twist(page), query, address)

    def _create(self, request: web.Request, project_id: int, raw: bytes) -> Json:
        data = bodies.read_data(raw, request.content_type)
        caller = self._users_of_tokens[token_of(request) or ""]
        wanted = posting.read_runs(data, self.account, project_id, caller)
        now, show = self.clock.now(), OF_PROJECT["runs"].show
        made = [show(self.account, self.account.add_run(each, now), Query(())) for each in wanted]
        return {"data": made if isinstance(data, list) else made[0]}


def _address(path: str) -> tuple[int, str, int | None]:
    """Project (0 for none), collection and number of a path. Raises RefusalError: 404, or 406 without `.json`."""
    if not path.startswith(BASE):
        raise RefusalError(404, "Not found")
    if not path.endswith(".json"):
        raise RefusalError(406, "Not acceptable: ask for a path that ends in .json")
    found = _PATH.fullmatch(path.removeprefix(BASE))
    if found is None:
        raise RefusalError(404, "Not found")
    number = found["number"]
    return int(found["project"] or 0), found["word"], int(number) if number else None


def _verbs(project_id: int, word: str, number: int | None, *, single: bool) -> list[str]:
    """The methods of an address; none when there is no such call."""
    if number is None:
        return ["GET", "POST"] if word == "runs" else ["GET"]
    if not single:
        return []
    return ["GET", "PUT"] if project_id and word in {"sets", "instances"} else ["GET"]


def _parameters(request: web.Request) -> Iterator[tuple[str, str]]:
    yield from request.query.items()


def _errors(status: int, title: str) -> web.Response:
    return web.json_response({"errors": [{"title": title}]}, status=status)
