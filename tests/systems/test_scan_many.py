"""Thousands of runs are looked at page by page: each is asked for once, none held, and no faster than they are kept."""

from __future__ import annotations

import asyncio
import gc
import json
import re
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from bot.domain.model import Listing, Run
from bot.domain.queries import RunQuery
from bot.systems import Account, system
from bot.systems._pace import Pace
from bot.systems._pages import HELD, LOOKED_AT, Page, by_number, by_offset
from bot.systems._remembering import Remembering
from bot.usecases.ports import PATIENCE, Connection, Patience
from bot.usecases.room import ROOM
from tests.bench.stubs import EXPANDS, run_row
from tests.systems.floor_kit import http, now, play, serving, settle
from tests.systems.hours_kit import Strict

NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)
MANY = 5_000
LOOK = RunQuery(project=1, state="all")


# ── systems of very many runs ──


def testmo_page(query: dict[str, str], rows: int) -> Any:
    page, size = int(query["page"]), int(query["per_page"])
    last = -(-rows // size)
    return {
        "page": page, "next_page": page + 1 if page < last else None, "last_page": last, "per_page": size,
        "total": rows, "expands": EXPANDS,
        "result": [run_row(number) for number in range(rows - (page - 1) * size, max(rows - page * size, 0), -1)],
    }  # fmt: skip


def testrail_page(query: dict[str, str], rows: int) -> Any:
    offset = int(query.get("offset", 0))
    numbers = range(rows - offset, max(rows - offset - 250, 0), -1)
    return {
        "offset": offset, "limit": 250, "size": len(numbers),
        "_links": {"next": "/api/v2/more" if offset + 250 < rows else None, "prev": None},
        "runs": [
            {
                "id": number, "project_id": 1, "name": f"Run {number}", "is_completed": True, "suite_id": 1,
                "created_on": 1_700_000_000 + number, "completed_on": 1_700_000_600 + number,
                "passed_count": number, "failed_count": number % 3,
            }
            for number in numbers
        ],
    }  # fmt: skip


def practitest_page(query: dict[str, str], rows: int) -> Any:
    page = int(query["page[number]"])
    last, begun = -(-rows // 100), NOW - timedelta(days=1)
    return {
        "data": [
            {
                "id": str(number), "type": "sets",
                "attributes": {
                    "project-id": 1, "display-id": number, "name": f"Set {number}", "instances-count": 0,
                    "created-at": f"{begun + timedelta(seconds=number):%Y-%m-%dT%H:%M:%SZ}", "run-status": "PASSED",
                },
            }
            for number in range(rows - (page - 1) * 100, max(rows - page * 100, 0), -1)
        ],
        "meta": {
            "current-page": page, "next-page": page + 1 if page < last else None, "total-pages": last,
            "total-count": rows,
        },
    }  # fmt: skip


EMPTY: dict[str, Any] = {
    "testmo": {"page": 1, "last_page": 1, "per_page": 100, "total": 0, "result": [], "expands": {}},
    "testrail": [],
    "practitest": {"data": [], "meta": {"current-page": 1, "next-page": None, "total-pages": 1, "total-count": 0}},
}
LISTS: dict[str, tuple[str, Callable[[dict[str, str], int], Any]]] = {
    "testmo": (r"/projects/1/automation/runs\?", testmo_page),
    "testrail": (r"get_runs/1\b", testrail_page),
    "practitest": (r"/projects/1/sets\.json\?", practitest_page),
}
LETTERS = {"testmo": "A", "testrail": "R", "practitest": "S"}


@dataclass
class Counting:
    """A system of so many runs that counts what it is asked, by its own clock too."""

    name: str
    rows: int
    strict: Strict
    lists: int = 0
    others: list[str] = field(default_factory=list)
    takes_s: float = 0.2

    async def answer(self, target: str) -> bytes:
        self.strict.see(now())
        await asyncio.sleep(self.takes_s)
        pattern, page = LISTS[self.name]
        if not re.search(pattern, target):
            self.others.append(target)
            return json.dumps(EMPTY[self.name]).encode()
        self.lists += 1
        query = parse_qs(urlsplit(target).query.replace("?", "&"))
        return json.dumps(page({name: values[0] for name, values in query.items()}, self.rows)).encode()


@asynccontextmanager
async def counting(name: str, rows: int) -> AsyncIterator[tuple[Counting, Connection]]:
    its = Counting(name, rows, Strict(system(name).per_minute or 10**9))

    async def answer(writer: asyncio.StreamWriter, number: int) -> None:
        target = unquote(server.asked[number - 1].split(b" ", 2)[1].decode())
        writer.write(http(body=await its.answer(target)))

    async with serving(answer) as server:
        options: dict[str, str | int | bool | None] = {
            "url": server.url,
            "token": "t",
            "user": "u",
            "key": "k",
            "project": 1,
        }
        pace = Pace(system(name).per_minute, now=now)
        connection = Remembering(system(name).connect(Account(name, options, pace, lambda: NOW)), now=now)
        try:
            yield its, connection
        finally:
            await connection.close()
            await settle(50)


@dataclass
class Looking:
    """Looks at runs, and now and then how many there are in memory."""

    every: int = 1_000
    runs: set[int] = field(default_factory=set)
    alive: int = 0
    before: int = field(default_factory=lambda: len(living()))

    def see(self, run: Run) -> None:
        self.runs.add(run.ref.id)
        if len(self.runs) % self.every == 950:  # within a page of a hundred, and of 250
            self.alive = max(self.alive, len(living()) - self.before)


def living() -> list[Run]:
    return [each for each in gc.get_objects() if isinstance(each, Run)]


def look_at(name: str, rows: int = MANY) -> tuple[Counting, Looking, Listing[Run], float]:
    """All runs of a system as background work looks at them; with the seconds it took."""

    async def scene() -> tuple[Counting, Looking, Listing[Run]]:
        PATIENCE.set(Patience(now() + 1_000, person=False))
        async with counting(name, rows) as (its, connection):
            looking = Looking(every=max(rows // 5, 1_000))
            return its, looking, await connection.scan(LETTERS[name], LOOK, looking.see)

    (its, looking, told), played = play(scene, grace_s=0.001)
    return its, looking, told, played.seconds


# ── how many calls, how many runs in memory ──


@pytest.mark.parametrize(
    ("name", "calls", "held"),
    [
        ("testmo", 50, 800),  # eight pages are read at a time
        ("testrail", 21, 1),  # each page begins with the last run of the one before
    ],
)
def test_each_page_is_asked_for_once_and_its_runs_are_held_no_longer_than_they_are_shown(
    name: str, calls: int, held: int
) -> None:
    its, looking, told, _ = look_at(name)
    assert (len(looking.runs), told.items, told.missing) == (MANY, (), ())
    assert its.lists == calls
    assert len(its.others) <= 6, its.others  # names, and the list of plans
    assert 0 < looking.alive <= held


def test_of_practitest_the_newest_pages_are_looked_at_and_the_others_are_said() -> None:
    its, looking, told, _ = look_at("practitest")
    assert (its.lists, len(looking.runs)) == (4, 400)
    assert told.missing == ("only the newest 4 of 50 pages were read",)
    assert len(its.others) <= 2, its.others


def test_more_pages_than_a_minute_allows_take_their_time_and_are_never_refused() -> None:
    its, looking, told, seconds = look_at("testrail", 50_000)
    assert (len(looking.runs), told.missing) == (50_000, ())
    assert its.lists == 201
    assert (its.strict.refused, its.strict.per_minute) == (0, 180)
    assert its.strict.most <= 144
    assert 40 < seconds < 120


# ── how far, and how fast ──


Reading = Callable[..., Awaitable[Listing[int]]]


@pytest.mark.parametrize("read_all", [by_number, by_offset])
def test_what_is_only_looked_at_is_read_beyond_a_thousand_pages_in_little_memory(read_all: Reading) -> None:
    rows, size = 150_000, 100
    seen = 0

    async def read(asked: int) -> Page[int]:
        start = asked if read_all is by_offset else (asked - 1) * size
        page = list(range(rows - start, max(rows - start - size, 0), -1))
        last = rows // size if read_all is by_number else None
        return Page(page, len(page), None, last, more=start + size < rows)

    def keep(_row: int) -> bool:
        nonlocal seen
        seen += 1
        return False

    def key(row: int) -> int:
        return row

    tracemalloc.start()
    try:
        told, _ = play(lambda: _all(read_all, read, key=key, keep=keep, reach=LOOKED_AT))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (seen, told.items, told.missing) == (rows, (), ())
    assert peak < 2 * 2**20
    held, _ = play(lambda: _all(read_all, read, key=key, reach=HELD))
    assert (len(held.items), bool(held.missing)) == (100_000, True)


async def _all(read_all: Reading, read: object, **how: Any) -> Listing[int]:
    return await read_all(read, now=lambda: NOW, **how)


@pytest.mark.parametrize(("name", "pages"), [("testmo", 50), ("testrail", 21), ("practitest", 4)])
def test_no_further_page_is_asked_for_before_there_is_room(name: str, pages: int) -> None:
    async def scene() -> tuple[int, int, int]:
        async with counting(name, MANY) as (its, connection):
            free = asyncio.Event()

            async def room() -> None:
                if its.lists:
                    await free.wait()

            ROOM.set(room)
            looking = Looking()
            scan = asyncio.create_task(connection.scan(LETTERS[name], LOOK, looking.see))
            await asyncio.sleep(60)
            before = its.lists
            free.set()
            await scan
            return before, its.lists, len(looking.runs)

    (before, lists, seen), _ = play(scene, grace_s=0.001)
    assert (before, lists) == (1, pages)
    assert seen == (400 if name == "practitest" else MANY)
