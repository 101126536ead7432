"""For the tests of the TestRail adapter: its fixtures, a server that hands them out, and a connection to a server."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import web

from bot.sandbox.server import SampleServer, running
from bot.sandbox.testrail import TestRail as SampleTestRail
from bot.systems import testrail
from bot.systems._pace import Pace
from bot.systems._spec import Account

FIXTURES = Path(__file__).parents[1] / "fixtures" / "testrail"
KEY = "testrail-demo-key"


def fixture(name: str) -> bytes:
    """The body of an answer, `get_run.open` for example."""
    return (FIXTURES / f"{name}.json").read_bytes()


class Shelf(SampleServer):
    """Answers calls (`get_run/81`, without filters) with fixtures; `{}` for calls nobody put there is a 404."""

    def __init__(self, answers: Mapping[str, str]) -> None:
        super().__init__()
        self.answers = dict(answers)

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/index.php", self._answer)]

    def refuse(self, request: web.Request) -> web.Response | None:
        return None

    async def _answer(self, request: web.Request) -> web.Response:
        call = request.raw_path.partition("?/api/v2/")[2].partition("&")[0]
        name = self.answers.get(call)
        if name is None:
            return web.json_response({"error": f"Unknown method '{call}'"}, status=404)
        status = 400 if name.startswith("error.") else 200
        return web.Response(body=fixture(name), status=status, content_type="application/json")


def connect(
    server: SampleServer, *, root: str = "", project: int | None = 1, pace: Pace | None = None
) -> testrail.TestRail:
    """A connection named `tr`, without a rate of its own."""
    options = {"url": f"{server.url}{root}", "user": "bot@acme.example", "key": KEY, "project": project}
    return testrail.TestRail(Account("tr", options, pace or Pace(None), server.clock.now))


@asynccontextmanager
async def connected(
    server: SampleServer, *, root: str = "", project: int | None = 1, pace: Pace | None = None
) -> AsyncIterator[testrail.TestRail]:
    """The server listening, and a connection to it."""
    async with running(server):
        connection = connect(server, root=root, project=project, pace=pace)
        try:
            yield connection
        finally:
            await connection.close()


def asked(server: SampleServer) -> list[str]:
    """The calls since the journal was cleared: `GET get_runs/1&is_completed=0`. All must be to the API."""
    calls = [f"{call.method} {call.target}" for call in server.journal]
    assert all("/index.php?/api/v2/" in call for call in calls)
    return [call.replace("/index.php?/api/v2/", "").replace("/testrail", "") for call in calls]


__all__ = ["FIXTURES", "KEY", "SampleTestRail", "Shelf", "asked", "connect", "connected", "fixture"]
