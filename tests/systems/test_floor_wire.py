"""What a server may do to us: every answer becomes rows or one error of the tree, in time and without a key in it."""

from __future__ import annotations

import asyncio
import gc
import gzip
import json
import logging
import random
import shutil
import ssl
import subprocess
import sys
import warnings
import zlib
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.errors import (
    RefusedFault,
    RejectedFault,
    RundownError,
    SlowDownFault,
    SystemFault,
    TooLargeFault,
    TooSlowFault,
    UnavailableFault,
    UnreadableFault,
)
from bot.systems import _wire
from bot.systems._pace import Pace
from bot.systems._wire import CALL_S, MOST_BYTES, TRIES, Wire, retry_after_s
from bot.usecases.ports import PATIENCE, Patience
from tests.systems.floor_kit import Answer, Play, Server, gathered, http, now, play, saying, serving, settle

T = TypeVar("T")
KEY = 'c4nary "key"/+'
NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)
GRACE_S = 0.001


class Row(msgspec.Struct):
    id: int
    name: str | None = None


def said(body: bytes) -> str:
    return str(json.loads(body)["error"])


def wire_to(url: str, *, pace: Pace | None = None, key: str = KEY, **how: Any) -> Wire:
    how = {"complaint": said, **how}
    return Wire(
        "Testmo", url, headers={"Authorization": f"Bearer {key}"}, secrets=(key,), now=lambda: NOW,
        pace=pace or Pace(now=now), **how,
    )  # fmt: skip


def asking(
    answer: Answer,
    ask: Callable[[Wire, Server], Coroutine[Any, Any, T]],
    *,
    patience_s: float | None = None,
    **how: Any,
) -> tuple[T, Server, Play]:
    """Ask a server that answers so; also the server and what happened behind the scenes."""

    async def scene() -> tuple[T, Server]:
        async with serving(answer) as server:
            wire = wire_to(server.url + "/api/v1", **how)
            if patience_s is not None:
                PATIENCE.set(Patience(now() + patience_s))
            try:
                return await ask(wire, server), server
            finally:
                await wire.close()
                await settle()
                assert server.open == 0

    (told, server), played = play(scene, grace_s=GRACE_S)
    return told, server, played


async def reading(wire: Wire, _server: Server) -> object:
    """What is read, or the error."""
    return (await gathered(wire.get("/rows?page=1", list[Row])))[0]


async def writing(wire: Wire, _server: Server) -> object:
    return (await gathered(wire.call("POST", "/rows", b'{"a":1}')))[0]


def check_words(error: object) -> SystemFault:
    """The four parts of an error: what, why, how to mend it; the closest match is the adapters' business."""
    assert isinstance(error, SystemFault), error
    assert error.system == "Testmo"
    for part in (error.what, error.why, error.fix):
        assert part
        assert part[0].isupper()
        assert part.endswith(".")
        assert KEY not in part
    assert str(error) == error.what
    return error


# Statuses.


def meaning(status: int) -> type[RundownError] | None:
    if status < 300:
        return None
    if status == 429:
        return SlowDownFault
    if status in (401, 402, 403):
        return RefusedFault
    if status < 400 or status >= 500 or status in (407, 408, 409, 421, 425):
        return UnavailableFault
    return RejectedFault


def tries(status: int) -> int:
    """How often a read is asked: again where it may help, within the patience of 5 s (a 429 says 20 s)."""
    again = (status >= 500 and status not in (501, 505)) or status in (408, 421, 425)
    return TRIES if again else 1


@pytest.mark.parametrize("hundred", [200, 300, 400, 500])
def test_every_status_has_its_place_in_the_error_tree(hundred: int) -> None:
    def answer_of(writer: asyncio.StreamWriter, status: int) -> None:
        empty = status in (204, 205, 304)
        body = b"" if empty else b"[]" if status < 300 else b'{"error": "It  said\\n so."}'
        writer.write(http(status, body, content_length="" if status in (204, 304) else str(len(body))))

    async def scene() -> None:
        current = hundred

        async def answer(writer: asyncio.StreamWriter, _number: int) -> None:
            answer_of(writer, current)

        async with serving(answer) as server:
            for status in range(hundred, hundred + 100):
                current = status
                for ask, most in ((reading, tries(status)), (writing, 1)):
                    wire = wire_to(server.url)
                    server.asked.clear()
                    PATIENCE.set(Patience(now() + 5.0))
                    told = await ask(wire, server)
                    await wire.close()
                    assert len(server.asked) == most, status
                    kind = meaning(status)
                    if kind is None:
                        assert told == ([] if ask is reading else b"[]") or status in (204, 205), status
                        continue
                    error = check_words(told)
                    assert isinstance(error, kind), status
                    if kind is SlowDownFault:
                        assert error.retry_at is not None
                        assert timedelta(seconds=19) < error.retry_at - NOW <= timedelta(seconds=20)
                    elif status not in (407, *range(300, 400)):
                        assert error.why == "It said so."

    play(scene, grace_s=GRACE_S)


@pytest.mark.parametrize(
    "body", [b"", b"<html>Bad gateway</html>", b"[]", b"{}", b"[5]", b"5", b"\xff\xfe", b"[" * 100_000, b'{"error":']
)
@pytest.mark.parametrize("status", [400, 401, 429, 503])
def test_a_refusal_keeps_its_meaning_whatever_its_body_is(status: int, body: bytes) -> None:
    def judge(_status: int, raw: bytes) -> RundownError | None:
        return RejectedFault("Testmo", "Gone.") if json.loads(raw)["error"] == "gone" else None

    told, _, _ = asking(saying(http(status, body)), writing, judge=judge)
    kind = meaning(status)
    assert kind is not None
    assert isinstance(check_words(told), kind)


def test_an_error_body_is_not_read_to_its_end() -> None:
    async def answer(writer: asyncio.StreamWriter, _number: int) -> None:
        writer.write(http(503, b"", content_length=str(10**9)))
        for _ in range(1_000):
            writer.write(b"x" * 65_536)
            await writer.drain()

    told, _, played = asking(answer, writing)
    assert isinstance(told, UnavailableFault)
    assert played.seconds < 1


# When to come back.


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("", None),
        ("  ", None),
        ("30", 30.0),
        (" 30 ", 30.0),
        ("0", 1.0),
        ("0.5", 1.0),
        ("1.5", 1.5),
        ("-1", 1.0),
        ("86400", 600.0),
        ("9" * 5_000, 600.0),
        ("inf", 600.0),
        ("-inf", 1.0),
        ("nan", None),
        ("soon", None),
        ("30, 60", None),
        (format_datetime(NOW + timedelta(seconds=42), usegmt=True), 42.0),
        (format_datetime(NOW + timedelta(days=9), usegmt=True), 600.0),
        (format_datetime(NOW - timedelta(days=9), usegmt=True), 1.0),
        ("Fri, 20 Nov 2026 10:00:42 +0100", 42.0),
        ("Fri, 20 Nov 2026 09:00:42 -0000", 42.0),
        ("Fri, 20 Nov 2026 09:00:42", 42.0),
        ("Fri, 99 Nov 2026 09:00:42 GMT", None),
        ("Fri, 20 Nov 99999 09:00:42 GMT", None),
        ("Fri, 20 Nov 2026 99999999999999999999:00:42 GMT", None),
        ("Fri, 20 Nov 2026 09:00:42 +99999999999999999999", None),
        ("2026-11-20T09:00:42Z", None),
    ],
)
def test_retry_after_is_read_in_every_form(value: str | None, seconds: float | None) -> None:
    assert retry_after_s(value, NOW) == seconds


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.text(max_size=60), st.from_regex(r"\w{0,4},? ?\d{1,22} \w{3} \d{1,22} [\d:]{1,30} ?[+-]?\w{0,22}")))
def test_no_retry_after_breaks_anything(value: str) -> None:
    seconds = retry_after_s(value, NOW)
    assert seconds is None or 1 <= seconds <= 600


def test_a_slow_down_that_fits_in_the_patience_is_waited_for_by_everybody() -> None:
    answer = saying(http(429, retry_after="7"), http(body=b'[{"id": 1}]'))

    async def ask(wire: Wire, server: Server) -> tuple[object, object]:
        first = asyncio.create_task(reading(wire, server))
        await asyncio.sleep(1)
        second = await wire.get("/other", list[Row])
        return await first, second

    told, server, played = asking(answer, ask, patience_s=20)
    assert told == ([Row(1)], [Row(1)])
    assert 7 <= played.seconds < 8
    assert len(server.asked) == 3


@pytest.mark.parametrize(("retry_after", "seconds"), [("40", 40), (None, 20)])
def test_a_slow_down_beyond_the_patience_is_told_at_once(retry_after: str | None, seconds: int) -> None:
    async def ask(wire: Wire, server: Server) -> tuple[object, object]:
        first = await reading(wire, server)
        assert now() == 1_000_000.0
        return first, await reading(wire, server)

    told, server, played = asking(saying(http(429, retry_after=retry_after or "")), ask, patience_s=10)
    for error in told:
        assert isinstance(error, SlowDownFault)
        assert error.retry_at == NOW + timedelta(seconds=seconds)
        assert check_words(error).fix == f"Try again in about {seconds} s."
    assert len(server.asked) == 1
    assert played.seconds == 0


def test_no_answer_in_the_minute_left_means_slow_down_not_silence() -> None:
    """The third call of a minute of two can't come in time, and is told so without being asked."""

    async def scene() -> list[object]:
        async with serving(saying(http())) as server:
            wire = wire_to(server.url, pace=Pace(2, now=now))
            PATIENCE.set(Patience(now() + 20))
            told = [await reading(wire, server) for _ in range(3)]
            assert now() == 1_000_000.0
            assert len(server.asked) == 2
            await wire.close()
            return told

    told, _ = play(scene, grace_s=GRACE_S)
    assert told[:2] == [[], []]
    assert isinstance(told[2], SlowDownFault)
    assert told[2].retry_at == NOW + timedelta(seconds=60)


# Trying again.


@pytest.mark.parametrize("status", [500, 502, 503, 504, 520, 524, 408])
def test_a_read_is_tried_again_and_a_write_never(status: int) -> None:
    answer = saying(http(status), http(body=b'[{"id": 1}]'))
    told, server, played = asking(answer, reading)
    assert (told, len(server.asked)) == ([Row(1)], 2)
    assert 0.1 <= played.seconds <= 0.41
    told, server, played = asking(answer, writing)
    assert (type(told), len(server.asked), played.seconds) == (UnavailableFault, 1, 0)


def test_a_write_is_not_tried_again_after_slow_down_or_a_broken_connection() -> None:
    async def breaks(writer: asyncio.StreamWriter, _number: int) -> None:
        writer.transport.abort()

    for answer, kind in ((saying(http(429, retry_after="1")), SlowDownFault), (breaks, UnavailableFault)):
        told, server, _ = asking(answer, writing)
        assert isinstance(told, kind)
        assert len(server.asked) == 1


def test_no_retry_begins_after_the_patience_is_over() -> None:
    told, server, played = asking(saying(http(503)), reading, patience_s=0.05)
    assert isinstance(told, UnavailableFault | TooSlowFault)
    assert len(server.asked) == 1
    assert played.seconds < 0.5


@pytest.mark.parametrize("patience_s", [0.0, -5.0])
def test_without_patience_nothing_is_asked(patience_s: float) -> None:
    for ask in (reading, writing):
        told, server, played = asking(saying(http()), ask, patience_s=patience_s)
        assert isinstance(check_words(told), TooSlowFault)
        assert (server.asked, played.seconds) == ([], 0)


def test_endless_patience_is_patience_too() -> None:
    told, _, _ = asking(saying(http(429, retry_after="300"), http()), reading, patience_s=float("inf"))
    assert told == []


# Deadlines.


async def hangs(_writer: asyncio.StreamWriter, _number: int) -> None:
    await asyncio.sleep(1_000)


def dripping(first: bytes, drop: bytes, every_s: float) -> Answer:
    async def answer(writer: asyncio.StreamWriter, _number: int) -> None:
        writer.write(first)
        for _ in range(10_000):
            writer.write(drop)
            await writer.drain()
            await asyncio.sleep(every_s)

    return answer


SLOW = {
    "accepts and says nothing": hangs,
    "a byte of the status line every half second": dripping(b"", b"H", 0.5),
    "header after header": dripping(b"HTTP/1.1 200 OK\r\n", b"a: b\r\n", 0.5),
    "a byte of the body every half second": dripping(http(content_length="100000"), b" ", 0.5),
    "chunk after chunk": dripping(http(body=b"", content_length="", transfer_encoding="chunked"), b"1\r\n \r\n", 0.5),
}


@pytest.mark.parametrize("slow", SLOW)
@pytest.mark.parametrize(("patience_s", "ends_after"), [(None, CALL_S), (3.0, 3.0), (100.0, CALL_S)])
def test_a_whole_call_has_a_deadline(slow: str, patience_s: float | None, ends_after: float) -> None:
    for ask in (reading, writing):
        told, server, played = asking(SLOW[slow], ask, patience_s=patience_s)
        assert isinstance(told, TooSlowFault | UnavailableFault)  # a status line of H is no HTTP at all
        assert isinstance(told, TooSlowFault) or "status line" in slow
        assert played.seconds <= ends_after + 0.1
        if isinstance(check_words(told), TooSlowFault):
            assert played.seconds == pytest.approx(ends_after)
            assert told.what == f"Testmo is too slow: no whole answer within {ends_after:.0f} s."
            assert len(server.asked) == 1


def test_who_waits_behind_slow_calls_is_not_told_that_its_question_was_taken() -> None:
    async def ask(wire: Wire, server: Server) -> list[object]:
        return await asyncio.gather(*(reading(wire, server) for _ in range(9)))

    told, server, _ = asking(hangs, ask, patience_s=5)
    assert all(isinstance(error, TooSlowFault) for error in told)
    whys = [check_words(error).why for error in told]
    assert whys == ["It took the question but did not finish its answer."] * 8 + [
        "It is still busy with earlier questions of ours."
    ]
    assert len(server.asked) == 8


def test_one_slow_call_does_not_hold_up_the_others() -> None:
    async def answer(writer: asyncio.StreamWriter, number: int) -> None:
        if number <= 7:
            await hangs(writer, number)
        writer.write(http())

    async def ask(wire: Wire, server: Server) -> float:
        slow = [asyncio.create_task(reading(wire, server)) for _ in range(7)]
        await asyncio.sleep(0.5)
        began = now()
        for _ in range(50):
            assert await reading(wire, server) == []
        quick = now() - began
        await asyncio.gather(*slow)
        return quick

    quick, _, _ = asking(answer, ask)
    assert quick == 0


# Sizes.


def bomb(size: int) -> bytes:
    packer = zlib.compressobj(9, wbits=31)
    pieces = [packer.compress(b"[")]
    pieces += [packer.compress(b" " * 1_000_000) for _ in range(size // 1_000_000)]
    return b"".join([*pieces, packer.compress(b"]"), packer.flush()])


def test_an_answer_may_be_large_but_not_larger_than_the_cap() -> None:
    just = b"[" + b" " * (MOST_BYTES - 2) + b"]"
    packed = gzip.compress(just, 1)
    for answer in (http(body=just), http(body=packed, content_encoding="gzip")):
        assert asking(saying(answer), reading)[0] == []
    over = b" " * (MOST_BYTES + 1)
    for answer in (
        http(body=b"", content_length=str(MOST_BYTES + 1)),
        http(body=gzip.compress(over, 1), content_encoding="gzip"),
        http(body=b"%x\r\n%b\r\n0\r\n\r\n" % (len(over), over), content_length="", transfer_encoding="chunked"),
        http(body=bomb(200_000_000), content_encoding="GZip"),
        http(body=bomb(200_000_000), content_encoding="x-gzip"),
    ):
        told, server, _ = asking(saying(answer), reading)
        assert isinstance(check_words(told), TooLargeFault)
        assert len(server.asked) == 1


RSS = """
import asyncio, resource, sys
from datetime import UTC, datetime
from bot.domain.errors import TooLargeFault
from bot.systems._pace import Pace
from bot.systems._wire import Wire

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)

async def main():
    wire = Wire("Testmo", sys.argv[1], headers={}, secrets=(), pace=Pace(), now=lambda: datetime.now(UTC))
    assert await wire.get("/small", list[int]) == []
    before = peak()
    for _ in range(3):
        try:
            await wire.get("/bomb", list[int])
        except TooLargeFault:
            continue
        raise SystemExit("it went through")
    print(peak() - before)

asyncio.run(main())
"""


def test_a_gzip_bomb_costs_less_than_50_mb_of_memory() -> None:
    packed = http(body=bomb(200_000_000), content_encoding="gzip")

    async def answer(writer: asyncio.StreamWriter, number: int) -> None:
        writer.write(packed if number > 1 else http())

    async def scene() -> int:
        async with serving(answer) as server:
            client = await asyncio.create_subprocess_exec(
                sys.executable, "-c", RSS, server.url, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]
            )
            told, _ = await client.communicate()
            return int(told)

    grown = asyncio.run(scene())
    assert grown < 50_000_000


def test_a_packed_answer_that_goes_on_after_its_end_is_not_collected() -> None:
    packed = gzip.compress(b"[]")
    for body in (packed + b"x", packed + packed, packed + b"\0" * 100_000):
        told, _, _ = asking(saying(http(body=body, content_encoding="gzip")), reading)
        assert isinstance(told, UnreadableFault)

    async def endless(writer: asyncio.StreamWriter, _number: int) -> None:
        writer.write(http(body=packed, content_encoding="gzip", content_length=str(10**7)))
        for _ in range(100):
            writer.write(b"\0" * 65_536)
            await writer.drain()

    told, _, played = asking(endless, reading)
    assert isinstance(told, UnreadableFault)
    assert played.seconds < 1


# Bodies.

BODY = '[{"id": 1, "name": "Zażółć “gęślą” jaźń 🚀"}, {"id": 2, "name": null}]'.encode()


def test_a_body_cut_off_anywhere_is_unreadable() -> None:
    wire = wire_to("http://x.invalid")
    for end in range(len(BODY)):
        with pytest.raises(UnreadableFault):
            wire.decode(BODY[:end], list[Row])
    assert len(wire.decode(BODY, list[Row])) == 2


def test_a_packed_body_cut_off_anywhere_is_unreadable() -> None:
    packed = gzip.compress(BODY)

    async def scene() -> None:
        end = 0

        async def answer(writer: asyncio.StreamWriter, _number: int) -> None:
            writer.write(http(body=packed[:end], content_encoding="gzip"))

        async with serving(answer) as server:
            wire = wire_to(server.url)
            for end in range(len(packed)):  # noqa: B007 - `answer` sees it
                assert isinstance((await gathered(wire.get("/rows", list[Row])))[0], UnreadableFault)
            await wire.close()

    play(scene, grace_s=GRACE_S)


@pytest.mark.parametrize(
    "answer",
    [
        http(body=b"[]", content_encoding="gzip"),
        http(body=b"[]", content_encoding="br"),
        http(body=zlib.compress(b"[]"), content_encoding="deflate"),
        http(body=b"\x1f\x8b" + b"x" * 50, content_encoding="gzip"),
    ],
    ids=["not packed at all", "brotli", "deflate", "broken gzip"],
)
def test_a_body_packed_as_nobody_asked_for_or_badly_is_no_crash(answer: bytes) -> None:
    told, server, _ = asking(saying(answer), reading)
    assert told == [] or isinstance(check_words(told), UnreadableFault)
    assert b"accept-encoding: gzip\r\n" in server.asked[0].lower()


@pytest.mark.parametrize(
    ("answer", "again"),
    [
        (http(body=b"[]", content_length="100"), True),
        (http(body=b"[]", content_length="", transfer_encoding="chunked"), True),
        (b"SSH-2.0-OpenSSH_9.6\r\n", True),
        (b"\x15\x03\x01\x00\x02\x02\x46", True),
        (b"HTTP/1.1 200 OK\r\nContent-Length: abc\r\n\r\n", True),
        (b"HTTP/1.1 999999 OK\r\n\r\n", True),
        (b"HTTP/1.1 200 OK\r\n" + b"a: " + b"b" * 200_000 + b"\r\n\r\n", True),
        (b"", True),
    ],
    ids=["short", "no chunks", "ssh", "tls alert", "length abc", "odd status", "huge header", "nothing"],
)
def test_what_is_no_http_is_a_broken_connection(answer: bytes, again: bool) -> None:
    async def says(writer: asyncio.StreamWriter, _number: int) -> None:
        writer.write(answer)
        await writer.drain()
        writer.close()

    told, server, _ = asking(says, reading)
    assert isinstance(check_words(told), UnavailableFault)
    assert len(server.asked) == (TRIES if again else 1)


DEEP = 100_000


class Deep(msgspec.Struct):
    id: int
    more: Any = None


@pytest.mark.parametrize(
    ("body", "reads"),
    [
        (b'\xef\xbb\xbf[{"id": 1}]', [Row(1)]),
        (b' \r\n\t[{"id": 1}] \n', [Row(1)]),
        (b'[{"id": "1"}]', [Row(1)]),
        (b'[{"id": 1, "id": 2}]', [Row(2)]),
        (b'[{"id": 1, "unknown": {"deep": [1, 2]}}]', [Row(1)]),
        (b'[{"id": 1, "unknown": ' + b"9" * 5_000 + b"}]", [Row(1)]),
        (b'[{"id": 1, "name": "\\ud83d\\ude80"}]', [Row(1, "🚀")]),
        (b'[{"id": 1, "name": "\\u0000\\u001b[31m"}]', [Row(1, "\0\x1b[31m")]),
        (b"", None),
        (b"null", None),
        (b'"[]"', None),
        (b"{}", None),
        (b"[1]", None),
        (b"[NaN]", None),
        (b'[{"id": NaN}]', None),
        (b'[{"id": 1, "x": Infinity}]', None),
        (b'[{"id": 1.5}]', None),
        (b'[{"id": true}]', None),
        (b'[{"id": ' + b"9" * 5_000 + b"}]", None),
        (b'[{"id": 1, "name": "\\ud800"}]', None),
        (b'[{"id": 1, "name": "\xff\xfe"}]', None),
        (b'[{"id": 1, "name": "\xed\xa0\x80"}]', None),
        ('[{"id": 1}]'.encode("utf-16"), None),
        (b'[{"id": 1}] trailing', None),
        (b"[{'id': 1}]", None),
        (b'[{"id": 1},]', None),
        (b"[" * DEEP, None),
        (b'[{"id": 1, "unknown": ' + b"[" * DEEP + b"]" * DEEP + b"}]", None),
        (b'{"a":' * DEEP + b"1" + b"}" * DEEP, None),
        (b"<!doctype html><title>Log in</title>", None),
        (b"  \n<html>", None),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_strange_json_is_read_right_or_not_at_all(body: bytes, reads: list[Row] | None) -> None:
    wire = wire_to("http://x.invalid")
    if reads is not None:
        assert wire.decode(body, list[Row]) == reads
        return
    with pytest.raises(UnreadableFault) as caught:
        wire.decode(body, list[Row])
    assert ("web page" in check_words(caught.value).why) is body.lstrip().startswith(b"<")
    for shape in (list[msgspec.Raw], list[Deep]):
        try:
            wire.decode(body, shape)
        except UnreadableFault:
            continue


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.binary(max_size=200), st.text(max_size=100).map(lambda text: json.dumps([{"id": text}]).encode())))
def test_no_body_at_all_raises_anything_else(body: bytes) -> None:
    wire = wire_to("http://x.invalid")
    for shape in (list[Row], Row, list[msgspec.Raw], list[Deep]):
        try:
            wire.decode(body, shape)
        except UnreadableFault as error:
            check_words(error)


def test_a_bad_row_costs_only_itself_and_one_line_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    raws = (
        msgspec.json.decode(
            b'[{"id": 1}, {"id": null}, {}, 7, {"id": 2}, {"id": 3, "x": ' + b"[" * 300 + b"]" * 300 + b"}]",
            type=list[msgspec.Raw],
        )
        + [msgspec.Raw(b"oops")] * 10_000
    )
    rows, bad = wire_to("http://x.invalid").rows(raws, Row)
    assert (rows, bad) == ([Row(1), Row(2), Row(3)], 10_003)
    assert len(caplog.records) == 1


# Ways that lead nowhere.


def test_nobody_listening_is_told_in_words() -> None:
    async def scene() -> tuple[object, float]:
        async with serving(saying(http())) as server:
            url = server.url
        wire = wire_to(url)
        return await reading(wire, server), now()

    (told, _), _ = play(scene, grace_s=GRACE_S)
    assert isinstance(check_words(told), UnavailableFault)
    assert check_words(told).what == "Testmo can't be reached."


@pytest.mark.parametrize("base", ["http://[::1", "http://x:99999999", "ftp://x.invalid", "x.invalid", "", "http://"])
def test_an_address_that_is_none_is_told_in_words(base: str) -> None:
    async def scene() -> object:
        wire = wire_to(base)
        told = await reading(wire, Server(saying()))
        await wire.close()
        return told

    told, _ = play(scene, grace_s=GRACE_S)
    assert isinstance(check_words(told), UnavailableFault)


def test_a_server_without_encryption_behind_https_is_told_in_words() -> None:
    async def scene() -> tuple[object, int]:
        connections = 0

        async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal connections
            connections += 1
            await reader.read(10)
            writer.write(http(400))
            writer.close()

        listening = await asyncio.start_server(plain, "127.0.0.1", 0)
        port = listening.sockets[0].getsockname()[1]
        wire = wire_to(f"https://127.0.0.1:{port}")
        told = await reading(wire, Server(saying()))
        await wire.close()
        listening.close()
        await settle()
        return told, connections

    (told, connections), _ = play(scene, grace_s=GRACE_S)
    assert isinstance(check_words(told), UnavailableFault)
    assert check_words(told).why == "Its certificate is not one we trust, or the encryption failed."
    assert connections == 1


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl to make a certificate")
def test_a_certificate_nobody_signed_is_not_trusted_and_gets_no_key(tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate],
        check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)

    async def scene() -> tuple[object, list[bytes]]:
        async with serving(saying(http()), ssl=context) as server:
            wire = wire_to(server.url.replace("http:", "https:"))
            told = await reading(wire, server)
            await wire.close()
            return told, server.asked

    told, asked = asyncio.run(scene())  # not in a swift loop: the server's side of it complains, and rightly so
    assert isinstance(check_words(told), UnavailableFault)
    assert check_words(told).why == "Its certificate is not one we trust, or the encryption failed."
    assert asked == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_never_followed_and_carries_no_key(status: int) -> None:
    async def scene() -> tuple[object, object, int]:
        async with serving(saying(http())) as other:
            async with serving(saying(http(status, b"", location=f"{other.url}/api?x={KEY}"))) as server:
                wire = wire_to(server.url)
                told = await reading(wire, server), await writing(wire, server)
                await wire.close()
                assert len(server.asked) == 2
            assert other.connections == 0
            return *told, other.connections

    (read, written, _), _ = play(scene, grace_s=GRACE_S)
    for told in (read, written):
        assert isinstance(check_words(told), UnavailableFault)
        assert "127.0.0.1" not in check_words(told).why


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_wants_a_login_is_no_fault_of_the_question(scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scene() -> tuple[object, list[bytes]]:
        async with serving(saying(http(407, b"<html>", proxy_authenticate="Basic"))) as proxy:
            monkeypatch.setenv("HTTP_PROXY", proxy.url)
            monkeypatch.setenv("HTTPS_PROXY", proxy.url)
            monkeypatch.delenv("NO_PROXY", raising=False)
            monkeypatch.delenv("no_proxy", raising=False)
            wire = wire_to(f"{scheme}://testmo.invalid")
            told = await reading(wire, proxy)
            await wire.close()
            return told, proxy.asked

    (told, asked), _ = play(scene, grace_s=GRACE_S)
    assert isinstance(check_words(told), UnavailableFault)
    assert len(asked) == 1
    assert (KEY.encode() in asked[0]) is (scheme == "http")  # a proxy sees what is not encrypted, and nothing else


def test_no_answer_leaves_a_cookie() -> None:
    told, server, _ = asking(
        saying(http(set_cookie="session=1; Path=/"), http(set_cookie=f"big={'x' * 4_000}")), _three_times
    )
    assert told == [[], [], []]
    assert not any(b"cookie" in head.lower() for head in server.asked)


async def _three_times(wire: Wire, server: Server) -> list[object]:
    return [await reading(wire, server) for _ in range(3)]


# Connections.


def test_a_thousand_requests_eight_at_a_time_use_eight_connections() -> None:
    async def ask(wire: Wire, server: Server) -> int:
        await asyncio.gather(*(wire.get(f"/rows?page={number}", list[Row]) for number in range(1_000)))
        return server.connections

    connections, server, _ = asking(saying(http()), ask)
    assert len(server.asked) == 1_000
    assert connections <= 8


def test_giving_up_at_any_moment_leaves_no_connection_and_no_noise() -> None:
    chance = random.Random(11)

    async def answer(writer: asyncio.StreamWriter, _number: int) -> None:
        await asyncio.sleep(chance.choice((0, 0, 0.01, 0.1)))
        body = b"[" + b" " * 300_000 + b"]"
        raw = http(body=gzip.compress(body) if chance.random() < 0.5 else body)
        writer.write(raw if raw.count(b" ") > 10_000 else http(body=gzip.compress(body), content_encoding="gzip"))

    async def ask(wire: Wire, server: Server) -> None:
        for _ in range(40):
            tasks = [asyncio.create_task(reading(wire, server)) for _ in range(10)]
            await (settle(chance.randrange(12)) if chance.random() < 0.7 else asyncio.sleep(chance.random() * 0.15))
            for task in chance.sample(tasks, chance.randrange(11)):
                task.cancel()
            done = await gathered(*tasks)
            assert all(each == [] or isinstance(each, asyncio.CancelledError) for each in done)
        connections = server.connections
        assert await asyncio.gather(*(reading(wire, server) for _ in range(100))) == [[]] * 100
        await settle()
        assert server.connections <= connections + 8
        assert server.open <= 8

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        asking(answer, ask)
        gc.collect()


def test_closing_while_a_call_is_in_flight_ends_it_in_words() -> None:
    async def ask(wire: Wire, server: Server) -> object:
        task = asyncio.create_task(reading(wire, server))
        await asyncio.sleep(1)
        await wire.close()
        return await task

    told, server, played = asking(hangs, ask)
    assert isinstance(check_words(told), UnavailableFault)
    assert server.connections == 1
    assert played.seconds < 2


def test_after_closing_nothing_is_asked_any_more() -> None:
    async def ask(wire: Wire, server: Server) -> list[object]:
        first = await reading(wire, server)
        await wire.close()
        await wire.close()
        return [first, await reading(wire, server), await writing(wire, server)]

    told, server, _ = asking(saying(http()), ask)
    assert told[0] == []
    assert all(isinstance(check_words(error), UnavailableFault) for error in told[1:])
    assert (server.connections, len(server.asked)) == (1, 1)


# Secrets.

CANARIES = {
    "plain": "c4nary-0123456789",
    "quotes and slashes": "c4nary \"k\" 'q' \\ / + = &",
    "spaces": "c4nary  with   spaces",
    "a line break": "c4nary\nsecond line",
    "beyond ascii": "c4narÿ-ключ",
}


def _hostile(key: str) -> dict[str, Answer]:
    """Servers that say the key back to us, in all places they can."""
    echo = json.dumps({"error": f"No such key: {key} ({' '.join(key.split())})", "id": key}).encode()
    long = json.dumps({"error": "x" * 190 + key}).encode()
    answers: dict[str, Answer] = {f"{status}": saying(http(status, echo)) for status in (400, 401, 403, 404, 429, 500)}
    answers["straddling the cut"] = saying(http(400, long))
    answers["judged"] = saying(http(418, echo))
    answers["wrong type"] = saying(http(body=json.dumps([{"id": key}]).encode()))
    answers["wrong name"] = saying(http(body=json.dumps([{key: 1}]).encode()))
    answers["web page"] = saying(http(body=f"<html>{key}".encode()))
    answers["no http"] = saying(key.encode() + b"\r\n\r\n")
    answers["hangs"] = hangs
    return answers


@pytest.mark.parametrize("kind", CANARIES)
def test_no_error_and_no_log_line_holds_the_key(kind: str, caplog: pytest.LogCaptureFixture) -> None:
    key = CANARIES[kind]
    caplog.set_level(logging.DEBUG)
    for name in ("httpx", "httpcore", "httpcore.http11", "httpcore.connection", "asyncio", "bot"):
        caplog.set_level(logging.DEBUG, logger=name)

    def judge(status: int, raw: bytes) -> RundownError | None:
        return RejectedFault("Testmo", said(raw) + ".", why=said(raw), fix=said(raw)) if status == 418 else None

    seen: list[str] = []
    for answer in _hostile(key).values():
        for ask in (reading, writing):
            told, server, _ = asking(answer, ask, patience_s=5, key=key, judge=judge)
            if isinstance(told, RundownError):
                seen += [str(told), repr(told), told.what, told.why, told.fix, *map(repr, told.args)]
            else:
                assert not isinstance(told, BaseException), told
            # The key goes out in its header only.
            for asked in server.asked:
                assert asked.count(key.encode("utf-8", "replace")) in (0, 1)
    # What a server says in place of HTTP is told by the library at DEBUG, which the bot's own logging never turns on.
    ours = [record for record in caplog.records if "receive_response_headers.failed" not in record.getMessage()]
    seen += [record.getMessage() for record in ours]
    assert len(caplog.records) > 5
    forms = {key, " ".join(key.split()), repr(key)[1:-1], json.dumps(key)[1:-1]}
    leaks = [text for text in seen for form in forms if form in text]
    assert leaks == []
    assert [text for text in seen if "c4nar" in text] == []


def test_a_key_that_cannot_be_sent_is_told_in_words() -> None:
    for kind in ("a line break", "beyond ascii"):
        told, server, _ = asking(saying(http()), reading, key=CANARIES[kind])
        assert isinstance(check_words(told), RefusedFault)
        assert server.asked == []


def test_what_a_connection_is_made_of_does_not_show_its_key() -> None:
    from bot.systems._spec import Account

    account = Account("web", {"token": KEY, "url": "https://acme.testmo.net"}, Pace(), lambda: NOW)
    wire = wire_to("http://x.invalid")
    assert KEY not in repr(account) + repr(wire)
    assert (account.text("token"), account.text("none"), account.number("token")) == (KEY, "", None)


@pytest.mark.parametrize(
    ("value", "text", "number"),
    [(None, "", None), (7, "7", 7), (0, "0", 0), (True, "True", None), ("7", "7", None), ("", "", None)],
)
def test_options_of_an_account_are_text_or_numbers(value: str | int | None, text: str, number: int | None) -> None:
    from bot.systems._spec import Account

    account = Account("web", {"option": value}, Pace(), lambda: NOW)
    assert (account.text("option"), account.number("option")) == (text, number)


def test_the_request_is_what_was_asked_for() -> None:
    async def ask(wire: Wire, _server: Server) -> bytes:
        await wire.read("/a%20b/index.php?/api/v2/get_run/1&x=a%2Cb,c[d]&y=%5B%5D")
        return await wire.call("POST", "/close", b'{"a": 1}')

    _, server, _ = asking(saying(http(body=b"done")), ask)
    first, second = server.asked
    assert first.startswith(b"GET /api/v1/a%20b/index.php?/api/v2/get_run/1&x=a%2Cb,c[d]&y=%5B%5D HTTP/1.1\r\n")
    assert b"\r\nContent-Type: application/json\r\n" in first
    assert f"\r\nAuthorization: Bearer {KEY}\r\n".encode() in first
    assert second.startswith(b"POST /api/v1/close HTTP/1.1\r\n")
    assert second.endswith(b'\r\n\r\n{"a": 1}')


# Changes.


def test_what_was_rejected_is_called_what_it_is() -> None:
    """A question can be put otherwise; of a change that was refused it matters that nothing was changed."""
    no = saying(http(422, b'{"error": "The name is taken."}'))
    question, change = check_words(asking(no, reading)[0]), check_words(asking(no, writing)[0])
    assert (question.what, change.what) == (
        "Testmo did not take the question.",
        "Testmo did not take the change.",
    )
    assert "flags" in question.fix
    assert change.fix == "See in Testmo itself what is in the way."
    assert question.why == change.why == "The name is taken."


def test_asking_what_may_be_changed_is_a_question() -> None:
    async def ask(wire: Wire, _server: Server) -> object:
        return (await gathered(wire.allowed("/rows")))[0]

    told, server, _ = asking(saying(http(401)), ask)
    assert isinstance(told, RefusedFault)
    assert [head.split()[0] for head in server.asked] == [b"OPTIONS"]


async def _nothing(_writer: asyncio.StreamWriter, _number: int) -> None:
    await asyncio.Event().wait()


async def _abort(writer: asyncio.StreamWriter, _number: int) -> None:
    writer.transport.abort()


async def _break_off(writer: asyncio.StreamWriter, _number: int) -> None:
    writer.write(http(200, b'{"id"', content_length="900"))
    writer.close()


@pytest.mark.parametrize(
    ("answer", "kind", "sent"),
    [
        *((saying(http(status, b"{}")), kind, False) for status, kind in (
            (302, UnavailableFault), (307, UnavailableFault), (400, RejectedFault), (401, RefusedFault),
            (403, RefusedFault), (404, RejectedFault), (405, RejectedFault), (407, UnavailableFault),
            (409, UnavailableFault), (413, RejectedFault), (422, RejectedFault), (429, SlowDownFault),
            (501, UnavailableFault),
        )),
        *((saying(http(status, b"{}")), UnavailableFault, True) for status in (408, 500, 502, 503, 504, 520)),
        *((saying(http(200, body)), UnreadableFault, True) for body in (
            b"<!doctype html><p>Log in</p>", b" \n<html>", b"\xef\xbb\xbf<html>"
        )),
        (saying(http(200, b"xx", content_encoding="gzip")), UnreadableFault, True),
        (saying(http(200, b"", content_length=str(MOST_BYTES + 1))), TooLargeFault, True),
        (saying(b"nonsense\r\n\r\n"), UnavailableFault, True),
        (_abort, UnavailableFault, True),
        (_break_off, UnavailableFault, True),
        (_nothing, TooSlowFault, True),
    ],
)  # fmt: skip
def test_a_change_without_a_confirmation_tells_whether_it_may_have_been_done(
    answer: Answer, kind: type[SystemFault], sent: bool
) -> None:
    told, server, _ = asking(answer, writing, patience_s=100.0)
    error = check_words(told)
    assert isinstance(error, kind)
    assert error.sent is sent
    assert len(server.asked) == 1


@pytest.mark.parametrize("late_s", [0.0, -1.0])
def test_a_change_nobody_waits_for_any_more_does_not_leave(late_s: float) -> None:
    told, server, _ = asking(saying(http()), writing, patience_s=late_s)
    error = check_words(told)
    assert isinstance(error, TooSlowFault)
    assert (error.sent, server.asked) == (False, [])


def test_a_change_that_never_got_its_turn_was_not_sent() -> None:
    pace = Pace(now=now, in_flight=1)

    async def ask(wire: Wire, _server: Server) -> object:
        async with pace.turn():
            return (await gathered(wire.call("POST", "/rows", b"{}")))[0]

    told, server, _ = asking(saying(http()), ask, patience_s=3.0, pace=pace)
    error = check_words(told)
    assert isinstance(error, TooSlowFault)
    assert (error.sent, server.asked) == (False, [])


def test_a_change_of_which_the_server_is_not_there_was_not_sent() -> None:
    async def scene() -> SystemFault:
        wire = wire_to("http://127.0.0.1:9")
        told = (await gathered(wire.call("POST", "/rows", b"{}")))[0]
        await wire.close()
        return check_words(told)

    error, _ = play(scene, grace_s=GRACE_S)
    assert isinstance(error, UnavailableFault)
    assert not error.sent


def test_limits_are_those_that_were_promised() -> None:
    assert (_wire.MOST_BYTES, _wire.CALL_S, _wire.TRIES) == (32 * 1024 * 1024, 12.0, 4)


@pytest.mark.parametrize(
    ("answer", "answered"),
    [(saying(http(500, b"{}")), True), (saying(http(502, b"<html>")), True), (_break_off, False), (_nothing, False)],
)
def test_an_error_that_came_is_told_from_silence(answer: Answer, answered: bool) -> None:
    told, _, _ = asking(answer, writing, patience_s=100.0)
    error = check_words(told)
    assert isinstance(error, SystemFault)
    assert error.answered is answered
