"""Logging: one harmless line a record, no secret in any of them, and never in the way of the work."""

from __future__ import annotations

import io
import json
import logging
import os
import subprocess
import sys
import time
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as some

from bot.logs import MOST_CHARACTERS, start_logging

Style = Literal["json", "console"]
STYLES: tuple[Style, ...] = ("json", "console")
SECRETS = (
    "s3cr3t-of-testmo",
    'quo"ted\\and\\back',
    "ünïcode-secret",
    "sign+ing/secret=",
    "short-secret",
    "short-secret-that-is-longer",
)


@contextmanager
def logging_to(style: Style, secrets: Sequence[str] = SECRETS, level: int = logging.DEBUG) -> Iterator[io.StringIO]:
    """The bot's logging into memory."""
    written = io.StringIO()
    with redirect_stderr(written):
        listener = start_logging(style, tuple(secrets), level)
    try:
        yield written
    finally:
        listener.stop()


def test_once_it_is_stopped_everything_is_logged_as_before() -> None:
    watched = [logging.getLogger(name) for name in ("", "httpx", "asyncio")]
    before = [(each.level, list(each.handlers)) for each in watched]
    with logging_to("json", level=logging.CRITICAL):
        assert [(each.level, list(each.handlers)) for each in watched] != before
    assert [(each.level, list(each.handlers)) for each in watched] == before


def logged(style: Style, message: object, *args: object, **more: object) -> str:
    with logging_to(style) as written:
        logging.getLogger("test").warning(message, *args, **more)  # type: ignore[arg-type]
    return written.getvalue()


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("message", ["key=%s", "%r", "{'token': '%s'}", "https://x.test/?k=%s&y=1", "%s%s"])
def test_configured_secrets_are_in_no_line(style: Style, secret: str, message: str) -> None:
    line = logged(style, message, *[secret] * message.count("%"))
    for told in (secret, repr(secret)[1:-1], json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]):
        assert told not in line
    assert "•••" in line
    assert "that-is-longer" not in line


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Bearer xoxb-1-2-abc", "Bearer •••"),
        ("token=xapp-1-A0-1-f00&x", "token=•••&x"),
        ("xoxe.xoxp-1-Mi0yLTk", "xoxe.•••"),
        ("POST https://hooks.slack.com/commands/T1/2/abc failed", "POST https://hooks.slack.com/••• failed"),
        ("wss://wss-primary.slack.com/link/?ticket=ab-12&app_id=x", "link/?ticket=•••&app_id=x"),
        ("a ticket=7 is fine", "a ticket=7 is fine"),
        ("xoxo from Ana", "xoxo from Ana"),
    ],
)
def test_what_looks_like_a_secret_of_slack_is_in_no_line(style: Style, text: str, told: str) -> None:
    assert told in logged(style, text)


@pytest.mark.parametrize("style", STYLES)
def test_exceptions_keep_their_trace_and_lose_their_secrets(style: Style) -> None:
    with logging_to(style) as written:
        try:
            raise ValueError("refused s3cr3t-of-testmo and xoxb-1-2-abc")
        except ValueError:
            logging.getLogger("test").exception("it went wrong")
    line = written.getvalue()
    assert "Traceback" in line
    assert "refused ••• and •••" in line
    assert "s3cr3t" not in line


HARMFUL = "a\nERROR forged: line\r\x1b[31mred\x1b[0m\x00\x07\x08\x7f\x85\u2028\u2029\u202e\u2066\ud800\tz"


def test_a_console_line_cannot_be_forged() -> None:
    first, second = logged("console", HARMFUL).splitlines()
    assert first.endswith("WARNING test: a")
    assert second == (
        "  ERROR forged: line\\u000d\\u001b[31mred\\u001b[0m\\u0000\\u0007\\u0008\\u007f\\u0085\\u2028\\u2029\\u202e"
        "\\u2066\\ud800\tz"
    )


def test_a_json_line_is_one_line_and_says_the_same() -> None:
    (line,) = logged("json", HARMFUL).splitlines()
    assert json.loads(line)["message"] == HARMFUL


@given(some.text(max_size=80), some.text(max_size=20))
def test_any_text_is_one_json_line_that_can_be_read_back(message: str, extra: str) -> None:
    with logging_to("json") as written:
        logging.getLogger("test").warning("%s", message, extra={"more": extra})
    (line,) = written.getvalue().split("\n")[:-1]
    told = json.loads(line)
    assert (told["message"], told["more"]) == (message, extra)
    assert {unicodedata.category(character) for character in line}.isdisjoint({"Cc", "Cs", "Zl", "Zp"})


def test_a_json_line_has_when_how_bad_and_who() -> None:
    told = json.loads(logged("json", "hello %s", "you"))
    assert (told["level"], told["logger"], told["message"]) == ("WARNING", "test", "hello you")
    assert told["at"]


@pytest.mark.parametrize("style", STYLES)
def test_a_long_message_is_cut_and_not_within_a_secret(style: Style) -> None:
    message = "x" * (MOST_CHARACTERS - 8) + "s3cr3t-of-testmo" + "y" * 1_000_000
    line = logged(style, message)
    assert len(line) < MOST_CHARACTERS + 200
    assert "s3cr" not in line
    assert "… (cut)" in line


@pytest.mark.parametrize("style", STYLES)
def test_a_call_with_wrong_arguments_costs_its_arguments_only(style: Style) -> None:
    line = logged(style, "two: %s %s", "s3cr3t-of-testmo")
    assert "two: %s %s" in line
    assert "s3cr3t" not in line


@pytest.mark.parametrize("style", STYLES)
def test_something_that_cannot_be_written_down_costs_its_own_line_only(style: Style) -> None:
    class Bad:
        def __repr__(self) -> str:
            raise RuntimeError("no words")

    with logging_to(style) as written:
        logging.getLogger("test").warning("bad", extra={"more": Bad()})
        logging.getLogger("test").warning("good")
    assert "good" in written.getvalue()


def test_libraries_that_print_requests_are_kept_quiet_at_any_level() -> None:
    with logging_to("console", level=logging.DEBUG) as written:
        for name in ("httpx", "httpcore.http11", "slack_bolt.App", "slack_sdk.web", "aiohttp.access", "asyncio"):
            logging.getLogger(name).info("a whole body")
        logging.getLogger("bot.x").debug("ours")
    assert "whole body" not in written.getvalue()
    assert "ours" in written.getvalue()


def test_nothing_is_lost_at_the_end() -> None:
    with logging_to("console") as written:
        for number in range(2_000):
            logging.getLogger("test").info("line %s", number)
    assert len(written.getvalue().splitlines()) == 2_000


FLOOD = """
import logging, sys, time
from bot.logs import MOST_WAITING, start_logging
listener = start_logging("console", ())
began = time.monotonic()
for number in range(MOST_WAITING + 5_000):
    logging.getLogger("flood").info("line %s %s", number, "x" * 40)
print(time.monotonic() - began, flush=True)
began = time.monotonic()
listener.stop()
print(time.monotonic() - began, flush=True)
"""


def _child(stderr: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", FLOOD], stdout=subprocess.PIPE, stderr=stderr)


def test_a_blocked_pipe_blocks_neither_the_work_nor_the_end() -> None:
    reading, writing = os.pipe()
    process = _child(writing)
    os.close(writing)
    assert process.stdout is not None
    with process.stdout as told:
        working_s, stopping_s = float(told.readline()), float(told.readline())
    assert working_s < 8
    assert stopping_s < 8
    began = time.monotonic()
    process.wait(30)
    assert time.monotonic() - began < 8
    with os.fdopen(reading, "rb") as pipe:  # what did not fit was dropped
        assert 0 < len(pipe.read().splitlines()) < 10_000


def test_a_closed_pipe_stops_nothing() -> None:
    reading, writing = os.pipe()
    process = _child(writing)
    os.close(writing)
    os.close(reading)
    out, _ = process.communicate(timeout=30)
    assert len(out.splitlines()) == 2
