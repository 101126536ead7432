"""Talks plain HTTP to a sample Testmo server, so that the tests see what a client would see."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp

from bot.sandbox.server import running
from bot.sandbox.testmo import Testmo


@dataclass(frozen=True)
class Heard:
    """One answer; `body` is the decoded JSON, None when there was none."""

    status: int
    body: Any
    headers: dict[str, str]

    @property
    def rows(self) -> list[dict[str, Any]]:
        return list(self.body["result"])

    @property
    def ids(self) -> list[int]:
        return [row["id"] for row in self.rows]


@dataclass(frozen=True)
class Caller:
    """Calls one server with one token."""

    server: Testmo
    session: aiohttp.ClientSession
    token: str

    async def ask(self, method: str, path: str, *, token: str | None = None, **more: Any) -> Heard:
        headers = {"Authorization": f"Bearer {token or self.token}"} | more.pop("headers", {})
        url = f"{self.server.url}/api/v1{path}"
        async with self.session.request(method, url, headers=headers, allow_redirects=False, **more) as answer:
            body = await answer.json() if await answer.read() else None
            return Heard(answer.status, body, dict(answer.headers))

    async def get(self, path: str, **params: str | int) -> Heard:
        return await self.ask("GET", path, params=params)

    async def post(self, path: str, body: object) -> Heard:
        return await self.ask("POST", path, json=body)

    async def all_pages(self, path: str, **params: str | int) -> list[dict[str, Any]]:
        """The rows of all pages, followed by `next_page`."""
        rows: list[dict[str, Any]] = []
        page: int | None = 1
        while page is not None:
            heard = await self.get(path, page=page, **params)
            rows += heard.rows
            page = heard.body["next_page"]
        return rows


@asynccontextmanager
async def calling(server: Testmo) -> AsyncIterator[Caller]:
    """The server, listening, and someone who calls it with its own token."""
    async with running(server), aiohttp.ClientSession() as session:
        yield Caller(server, session, server.token)
