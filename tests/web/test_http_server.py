"""The HTTP server over real sockets: what gets through to the intake, and what everybody else is answered."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import io
import json
import tracemalloc
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
import pytest
from slack_bolt.response import BoltResponse

from bot.web.guard import MOST_BYTES
from bot.web.server import Doors, WebServer

SECRET = "51gn1ng"
NOW = 1_763_600_000


@dataclass
class Slack:
    """A stub behind the door: takes bodies, gives the answer it was told to give."""

    answer: BoltResponse = field(default_factory=lambda: BoltResponse(status=200, body=""))
    taken: list[str] = field(default_factory=list)
    headers: list[Mapping[str, str]] = field(default_factory=list)
    error: Exception | None = None
    not_ready: dict[str, str] = field(default_factory=dict)
    now: float = NOW
    body_s: float = 5.0

    async def take(self, body: str, headers: Mapping[str, str]) -> BoltResponse:
        self.taken.append(body)
        self.headers.append(headers)
        if self.error is not None:
            raise self.error
        return self.answer


@asynccontextmanager
async def serving(slack: Slack, *, over_http: bool = True) -> AsyncIterator[tuple[str, aiohttp.ClientSession]]:
    doors = Doors(
        ready=lambda: slack.not_ready,
        intake=slack.take if over_http else None,
        signing_secret=SECRET,
        now=lambda: slack.now,
        body_s=slack.body_s,
    )
    server = WebServer(doors, 0, "127.0.0.1")
    await server.start()
    try:
        async with aiohttp.ClientSession() as session:
            yield f"http://127.0.0.1:{server.port}", session
    finally:
        await server.stop()
        await server.stop()


def signed(body: bytes, timestamp: int = NOW) -> dict[str, str]:
    digest = hmac.new(SECRET.encode(), f"v0:{timestamp}:".encode() + body, hashlib.sha256).hexdigest()
    return {"X-Slack-Request-Timestamp": str(timestamp), "X-Slack-Signature": f"v0={digest}"}


async def test_what_slack_signed_reaches_the_intake_and_its_answer_goes_back() -> None:
    slack = Slack(BoltResponse(status=200, body='{"text": "hé"}', headers={"content-type": ["application/json"]}))
    body = "command=%2Fruns&text=é".encode()
    async with serving(slack) as (url, http):
        asked = {**signed(body), "Content-Type": "application/x-www-form-urlencoded", "X-Slack-Retry-Num": "1"}
        async with http.post(f"{url}/slack/events", data=body, headers=asked) as answer:
            assert (answer.status, answer.content_type) == (200, "application/json")
            assert await answer.json() == {"text": "hé"}
    assert slack.taken == [body.decode()]
    assert slack.headers[0]["content-type"] == "application/x-www-form-urlencoded"
    assert slack.headers[0]["x-slack-retry-num"] == "1"


async def test_an_empty_answer_is_an_empty_answer() -> None:
    async with (
        serving(Slack()) as (url, http),
        http.post(f"{url}/slack/events", data=b"a", headers=signed(b"a")) as told,
    ):
        assert (told.status, await told.read()) == (200, b"")


BIG = b"x" * (2 * MOST_BYTES)
FULL = b"x" * MOST_BYTES


@pytest.mark.parametrize(
    ("body", "headers", "status", "taken"),
    [
        (b"a", {}, 401, 0),
        (b"a", signed(b"b"), 401, 0),
        (b"a", {**signed(b"a"), "X-Slack-Signature": "v0=é"}, 401, 0),
        (b"a", {**signed(b"a"), "X-Slack-Request-Timestamp": "9" * 5_000}, 401, 0),
        (b"a", {**signed(b"a"), "X-Slack-Request-Timestamp": "abc"}, 401, 0),
        (b"a", signed(b"a", NOW - 301), 401, 0),
        (b"a", signed(b"a", NOW - 299), 200, 1),
        (b"", signed(b""), 200, 1),
        (b"\xff\xfe", signed(b"\xff\xfe"), 400, 0),
        (b"\xff\xfe", {}, 401, 0),
        (BIG, signed(BIG), 413, 0),
        (BIG, {}, 413, 0),
        (FULL, signed(FULL), 200, 1),
        (b"payload=" + b"{" * 9_000, signed(b"payload=" + b"{" * 9_000), 200, 1),
        (b"&a=1" * 10_000, signed(b"&a=1" * 10_000), 200, 1),
    ],
    ids=range(15),
)
async def test_nothing_else_gets_through(body: bytes, headers: dict[str, str], status: int, taken: int) -> None:
    slack = Slack()
    async with serving(slack) as (url, http):
        answer = await http.post(f"{url}/slack/events", data=io.BytesIO(body), headers=headers)
        assert answer.status == status
        answer.release()
    assert len(slack.taken) == taken


@pytest.mark.parametrize(
    ("method", "path", "over_http", "status"),
    [
        ("GET", "/slack/events", True, 405),
        ("POST", "/", True, 404),
        ("POST", "/slack/events/", True, 404),
        ("POST", "/slack/events", False, 404),  # Socket Mode: there is no such door
        ("POST", "/healthz", True, 405),
        ("HEAD", "/healthz", True, 200),
    ],
)
async def test_there_are_no_other_doors(method: str, path: str, over_http: bool, status: int) -> None:
    slack = Slack()
    async with serving(slack, over_http=over_http) as (url, http):
        answer = await http.request(method, f"{url}{path}", data=b"a", headers=signed(b"a"))
        assert answer.status == status
        answer.release()
    assert slack.taken == []


async def test_the_same_request_again_is_answered_and_not_taken_again() -> None:
    slack = Slack()
    async with serving(slack) as (url, http):
        for _ in range(5):
            async with http.post(f"{url}/slack/events", data=b"a", headers=signed(b"a")) as answer:
                assert answer.status == 200
        slack.now += 1
        async with http.post(f"{url}/slack/events", data=b"a", headers=signed(b"a", NOW + 1)) as answer:
            assert answer.status == 200
    assert slack.taken == ["a", "a"]


async def test_the_same_request_many_times_at_once_is_taken_once() -> None:
    slack = Slack()

    async def send(http: aiohttp.ClientSession, url: str) -> int:
        async with http.post(f"{url}/slack/events", data=b"a", headers=signed(b"a")) as answer:
            return answer.status

    async with serving(slack) as (url, http):
        assert await asyncio.gather(*(send(http, url) for _ in range(20))) == [200] * 20
    assert slack.taken == ["a"]


async def test_a_forged_request_does_not_use_up_the_right_one() -> None:
    slack = Slack()
    async with serving(slack) as (url, http):
        for body in (b"forged", b"a"):
            async with http.post(f"{url}/slack/events", data=body, headers=signed(b"a")) as answer:
                assert answer.status == (200 if body == b"a" else 401)
    assert slack.taken == ["a"]


async def test_an_error_behind_the_door_tells_nothing_outside() -> None:
    slack = Slack(error=RuntimeError("canary"))
    async with serving(slack) as (url, http):
        async with http.post(f"{url}/slack/events", data=b"a", headers=signed(b"a")) as answer:
            assert answer.status == 500
            assert "canary" not in await answer.text()
        slack.error = None
        async with http.post(f"{url}/slack/events", data=b"b", headers=signed(b"b")) as answer:
            assert answer.status == 200


async def test_a_header_that_is_there_twice_is_not_slacks() -> None:
    slack = Slack()
    async with serving(slack) as (url, http):
        twice = [*signed(b"a").items(), ("X-Slack-Signature", "v0=00")]
        async with http.post(f"{url}/slack/events", data=b"a", headers=twice) as answer:
            assert answer.status == 401
    assert slack.taken == []


async def test_64_mib_that_nobody_announced_are_refused_and_not_held() -> None:
    chunk = b"x" * 65_536
    piece = b"%x\r\n%b\r\n" % (len(chunk), chunk)
    slack = Slack()
    async with serving(slack) as (url, _):
        host, port = url.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"POST /slack/events HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")

        async def pour() -> None:
            with contextlib.suppress(ConnectionError):
                for _ in range(1_024):
                    writer.write(piece)
                    await writer.drain()

        tracemalloc.start()
        pouring = asyncio.create_task(pour())
        status = await reader.readline()
        await pouring
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        with contextlib.suppress(ConnectionError):
            await reader.read()
        writer.close()
    assert status.startswith(b"HTTP/1.1 413 ")
    assert most < 12 * MOST_BYTES
    assert slack.taken == []


async def test_a_body_that_never_comes_is_not_waited_for() -> None:
    slack = Slack(body_s=0.05)
    async with serving(slack) as (url, http):
        host, port = url.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"POST /slack/events HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf")
        async with http.post(f"{url}/slack/events", data=b"a", headers=signed(b"a")) as answer:
            assert answer.status == 200
        assert (await reader.readline()).startswith(b"HTTP/1.1 408 ")
        writer.close()
    assert slack.taken == ["a"]


async def test_garbage_is_answered_and_others_are_served() -> None:
    async with serving(Slack()) as (url, http):
        host, port = url.removeprefix("http://").split(":")
        for garbage in (
            b"\x16\x03\x01\x02\x00\x01",
            b"GET / HTTP/9\r\n\r\n",
            b"POST /slack/events\r\n\r\n",
            b"\r\n\r\n",
        ):
            _, writer = await asyncio.open_connection(host, int(port))
            writer.write(garbage)
            await writer.drain()
            async with http.get(f"{url}/healthz") as answer:
                assert answer.status == 200
            writer.close()


async def test_health_is_that_the_server_answers() -> None:
    slack = Slack(not_ready={"slack": "away"})
    async with serving(slack) as (url, http), http.get(f"{url}/healthz") as answer:
        assert (answer.status, await answer.text()) == (200, "ok\n")


async def test_readiness_says_in_words_what_is_not_ready() -> None:
    slack = Slack(not_ready={"slack": "auth.test: invalid_auth", "database": "not open yet"})
    async with serving(slack) as (url, http):
        async with http.get(f"{url}/readyz") as answer:
            assert answer.status == 503
            assert await answer.json() == {
                "ready": False,
                "missing": {"slack": "auth.test: invalid_auth", "database": "not open yet"},
            }
        slack.not_ready.clear()
        async with http.get(f"{url}/readyz") as answer:
            assert (answer.status, json.loads(await answer.text())) == (200, {"ready": True, "missing": {}})


async def test_a_port_that_is_taken_is_an_error_at_the_start() -> None:
    async with serving(Slack()) as (url, _):
        other = WebServer(Doors(ready=dict), int(url.rpartition(":")[2]), "127.0.0.1")
        with pytest.raises(OSError, match="address already in use"):
            await other.start()
        await other.stop()


async def test_a_server_that_stopped_is_gone() -> None:
    async with serving(Slack()) as (url, _):
        pass
    with pytest.raises(ConnectionError):
        await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
