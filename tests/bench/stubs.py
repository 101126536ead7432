"""What the bot talks to while it is measured: Slack, response_urls and Testmo, answered from bytes made before.

`python -m tests.bench.stubs` writes its port to its output. Lists of automation runs have as many pages as the number
of their project, and arrive LATENCY_S after they were asked for; everything else is answered at once.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.bench.programs import BOT_USER, TEAM, USER

LATENCY_S = 0.05
PER_PAGE = 100
#: What the name of run A412 is; an answer that has it is the answer.
RUN_NAME = "Nightly web 412"

_LIST = re.compile(r"/testmo/api/v1/projects/(\d+)/automation/runs\?")
_RAW = re.compile(r"/bench/pages/(\d+)/(\d+)")
_BEGAN = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
_SOURCES = ("web", "api", "mobile", "payments")
_TAGS: tuple[tuple[str, ...], ...] = (("nightly", "main"), ("smoke",), ())


def whole(status: str, body: bytes) -> bytes:
    """A whole HTTP answer."""
    return f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


def told(value: object) -> bytes:
    return whole("200 OK", json.dumps(value, separators=(",", ":")).encode())


def run_row(number: int, project: int = 1) -> dict[str, Any]:
    """An automation run as Testmo lists it, all 24 counters included."""
    failed = number % 7 if number % 3 == 0 else 0
    passed, total = 600 + number % 40 - failed, 600 + number % 40
    source = number % len(_SOURCES)
    created = _BEGAN - timedelta(minutes=7 * (100_000 - number), milliseconds=number % 997)
    ended = created + timedelta(seconds=900 + number % 1_800)
    counts = {f"status{n}_count": 0 for n in range(1, 25)} | {"status1_count": passed, "status2_count": failed}
    return {
        "id": number, "project_id": project, "source_id": source + 1, "name": f"Nightly {_SOURCES[source]} {number}",
        "status": 3 if failed else 2, "config_id": number % 3 + 1, "milestone_id": 7, "elapsed": 900_000_000 + number,
        "is_completed": True, "artifacts": [], "fields": [], "links": [], "tags": list(_TAGS[number % len(_TAGS)]),
        "untested_count": 0, **counts, "success_count": passed, "failure_count": failed, "completed_count": total,
        "total_count": total, "thread_count": 8, "thread_active_count": 0, "thread_completed_count": 8,
        "created_at": _stamp(created), "created_by": 2, "updated_at": _stamp(ended), "updated_by": 2,
        "completed_at": _stamp(ended), "completed_by": 2,
    }  # fmt: skip


def _stamp(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z"


_STATUSES = ("untested", "passed", "failed", "retest", "blocked", "skipped")
EXPANDS = {
    "automation_sources": [{"id": n, "name": f"nightly-{name}"} for n, name in enumerate(_SOURCES, 1)],
    "configs": [{"id": n, "name": name} for n, name in enumerate(("Chrome", "Firefox", "Safari"), 1)],
    "milestones": [{"id": 7, "name": "Release 8.2"}],
    "statuses": [
        {
            "id": n, "name": name.capitalize(), "system_name": name, "color": "#a3a3a3", "is_final": n > 1,
            "is_untested": n == 1, "is_passed": n == 2, "is_failed": n == 3, "aliases": [],
        }
        for n, name in enumerate(_STATUSES, 1)
    ],
    "users": [{"id": 1, "name": "Lea Martin"}, {"id": 2, "name": "Rundown"}],
}  # fmt: skip


def pages(count: int) -> list[bytes]:
    """The whole list of project `count`: so many pages of a hundred runs, the newest first."""
    most = count * PER_PAGE
    return [
        told({
            "page": page, "prev_page": page - 1 or None, "next_page": page + 1 if page < count else None,
            "last_page": count, "per_page": PER_PAGE, "total": most,
            "result": [run_row(most - at, count) for at in range((page - 1) * PER_PAGE, page * PER_PAGE)],
            "expands": EXPANDS,
        })
        for page in range(1, count + 1)
    ]  # fmt: skip


def _thread(number: int) -> dict[str, Any]:
    row = run_row(number)
    kept = {name: value for name, value in row.items() if name.endswith(("_count", "_at", "_by"))}
    return {**kept, "id": number, "index": number, "name": f"Thread {number}", "status": 2, "is_completed": True}


_FIXED = {
    "auth.test": {
        "ok": True, "url": "https://acme.example/", "team": "Acme", "user": "rundown", "team_id": TEAM,
        "user_id": BOT_USER, "bot_id": "B0BENCH001", "is_enterprise_install": False,
    },
    "users.info": {
        "ok": True,
        "user": {
            "id": USER, "team_id": TEAM, "name": "ana", "real_name": "Ana Kovač", "tz": "Europe/Berlin",
            "profile": {"real_name": "Ana Kovač", "email": "ana@acme.example"},
        },
    },
    "chat.postMessage": {"ok": True, "ts": "1766000000.000100", "channel": "C0RELEASE01"},
}  # fmt: skip
SLACK = {method: told(answer) for method, answer in _FIXED.items()}
OK, NOTHING = told({"ok": True}), whole("404 Not Found", b'{"message":"No such thing.","error":"No such thing."}')
EMPTY = told({"page": 1, "per_page": 100, "total": 0, "result": [], "expands": []})
EMPTY_OFFSETS = told({"offset": 0, "limit": 250, "size": 0, "_links": {"next": None, "prev": None}, "runs": []})
EMPTY_DATA = told({"data": [], "meta": {"current-page": 1, "next-page": None, "total-pages": 1, "total-count": 0}})
RUN = told({
    "result": {**run_row(412), "name": RUN_NAME, "threads": [_thread(n) for n in range(1, 9)]}, "expands": EXPANDS,
})  # fmt: skip
PROJECTS = told({
    "page": 1, "next_page": None, "last_page": 1, "per_page": 100, "total": 1,
    "result": [{"id": 1, "name": "Webshop"}], "expands": [],
})  # fmt: skip


class Stubs:
    """All of them, and what they were asked. `numbers` are the commands that were answered, and how often."""

    def __init__(self) -> None:
        self._lists: dict[int, list[bytes]] = {}
        self._earlier = pages(1)[0]
        self.asked: Counter[str] = Counter()
        self.right: Counter[int] = Counter()
        self.wrong: Counter[int] = Counter()
        self._last_wrong = ""

    def answer(self, target: str, body: bytes) -> tuple[bytes, float]:
        """The answer's bytes, and how many seconds later they leave."""
        if target.startswith("/commands/"):
            return self._said(int(target.removeprefix("/commands/")), body), 0.0
        if found := _LIST.match(target):
            self.asked["page"] += 1
            return self._page(int(found[1]), target)
        if found := _RAW.fullmatch(target):
            return self._list(int(found[1]))[int(found[2]) - 1], LATENCY_S
        if target.startswith("/bench/"):
            return self._tell(target), 0.0
        self.asked[urlsplit(target).path] += 1
        return self._other(target), 0.0

    def _said(self, number: int, body: bytes) -> bytes:
        if RUN_NAME.encode() in body:
            self.right[number] += 1
        else:
            self.wrong[number] += 1
            self._last_wrong = body[:500].decode(errors="replace")
        return OK

    def _list(self, project: int) -> list[bytes]:
        if project not in self._lists:
            self._lists[project] = pages(project)
        return self._lists[project]

    def _page(self, project: int, target: str) -> tuple[bytes, float]:
        if project == 1:
            return self._earlier, 0.0
        page = int(parse_qs(urlsplit(target).query)["page"][0])
        its = self._list(project)
        return (its[page - 1] if page <= len(its) else EMPTY), LATENCY_S

    def _tell(self, target: str) -> bytes:
        if target.startswith("/bench/command/"):
            number = int(target.rpartition("/")[2])
            return told({"right": self.right[number], "wrong": self.wrong[number]})
        if target == "/bench/reset":
            for counted in (self.asked, self.right, self.wrong):
                counted.clear()
        return told({
            "asked": dict(self.asked), "answered": len(self.right), "twice": sum(n > 1 for n in self.right.values()),
            "wrong": sum(self.wrong.values()), "last_wrong": self._last_wrong,
        })  # fmt: skip

    @staticmethod
    def _other(target: str) -> bytes:
        if target.startswith("/api/"):
            return SLACK.get(urlsplit(target).path.removeprefix("/api/"), OK)
        for begin, answer in (
            ("/testmo/api/v1/automation/runs/412?", RUN),
            ("/testmo/api/v1/projects?", PROJECTS),
            ("/testmo/api/v1/projects/", EMPTY),
            ("/testrail/index.php?/api/v2/get_run", EMPTY_OFFSETS),
            ("/practitest/", EMPTY_DATA),
        ):
            if target.startswith(begin):
                return answer
        return NOTHING


class Door(asyncio.Protocol):
    """One connection to the stubs."""

    def __init__(self, answer: Callable[[str, bytes], tuple[bytes, float]]) -> None:
        self._answer = answer
        self._got = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        came = time.perf_counter()
        self._got += data
        while True:
            head, blank, rest = self._got.partition(b"\r\n\r\n")
            if not blank:
                return
            found = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
            length = int(found[1]) if found else 0
            if len(rest) < length:
                return
            body, self._got = rest[:length], rest[length:]
            answer, delay_s = self._answer(head.split(b" ", 2)[1].decode(), body)
            if delay_s:
                self._later(answer, came + delay_s)
            else:
                self._write(answer)

    def _write(self, answer: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(answer)

    def _later(self, answer: bytes, due: float) -> None:
        """Answer at that very moment: timers alone are up to a millisecond late, which would count as ours."""
        left = due - time.perf_counter()
        loop = asyncio.get_running_loop()
        if left <= 0:
            self._write(answer)
        elif left > 0.002:
            loop.call_later(left - 0.0015, self._later, answer, due)
        else:
            loop.call_soon(self._later, answer, due)


async def serve() -> None:
    stubs = Stubs()
    server = await asyncio.get_running_loop().create_server(lambda: Door(stubs.answer), "127.0.0.1", 0, backlog=1_024)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve())
