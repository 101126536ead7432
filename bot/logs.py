"""Logging: JSON lines or a console, one line a record, no secret in any of them, and never in the way of the work."""

from __future__ import annotations

import contextlib
import copy
import json
import logging
import logging.handlers
import queue
import re
import sys
import threading
from typing import Literal, TextIO, TypeAlias
from urllib.parse import quote

#: Records on their way; None ends them.
Waiting: TypeAlias = "queue.Queue[logging.LogRecord | None]"

#: Slack's tokens, its addresses that anybody may post to, and one-use tickets, in whatever text they come along.
_TOKENS = re.compile(r"xox[a-z]-[\w-]+|xapp-[\w-]+|(?<=hooks\.slack\.com/)[^\s\"'<>\\]+|(?<=[?&]ticket=)[^\s&\"'<>\\]+")
#: What could move the cursor, end the line or turn it around; in JSON, what the encoder leaves as it is.
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")

#: Loggers that tell more than anybody wants to read.
_CHATTY = ("httpx", "httpcore", "slack_bolt", "slack_sdk", "aiohttp.access", "asyncio")
#: Records that may wait for a slow pipe; further ones are dropped rather than waited for.
MOST_WAITING = 10_000
#: Characters of one message; the rest is cut.
MOST_CHARACTERS = 20_000
#: Seconds that the last records may take to be written at the end.
LAST_S = 2.0


class Redacting(logging.Formatter):
    """Formats with another formatter what has no secret in it, and takes out what could forge a line."""

    def __init__(self, inner: logging.Formatter, secrets: tuple[str, ...]) -> None:
        super().__init__()
        self._inner = inner
        ways = {spelled for secret in secrets if secret for spelled in (secret, repr(secret)[1:-1], quote(secret, ""))}
        coded = {json.dumps(way, ensure_ascii=ascii_only)[1:-1] for way in ways for ascii_only in (True, False)}
        self._secrets = sorted(ways, key=len, reverse=True)
        self._coded = sorted(coded, key=len, reverse=True)

    def format(self, record: logging.LogRecord) -> str:
        clean = copy.copy(record)
        clean.msg, clean.args = self.redact(record.getMessage()), None
        clean.exc_info = None
        trace = record.exc_text or (record.exc_info and self._inner.formatException(record.exc_info))
        clean.exc_text = self.redact(trace) if trace else None
        clean.stack_info = self.redact(record.stack_info) if record.stack_info else None
        line = _without(self._coded, self._inner.format(clean)).replace("\n", "\n  ")
        return _CONTROLS.sub(lambda found: f"\\u{ord(found[0]):04x}", line)

    def redact(self, text: str) -> str:
        """The text without the secrets, as they are or as `repr` and addresses write them."""
        return _without(self._secrets, text)


def _without(secrets: list[str], text: str) -> str:
    for secret in secrets:
        text = text.replace(secret, "•••")
    return _TOKENS.sub("•••", text)


class _Droppable(logging.handlers.QueueHandler):
    """Hands records over without ever waiting, failing or holding more than it may."""

    def __init__(self, waiting: Waiting, redacting: Redacting) -> None:
        super().__init__(waiting)
        self._redacting = redacting

    def prepare(self, record: logging.LogRecord) -> logging.LogRecord:
        ready: logging.LogRecord = super().prepare(record)
        if len(ready.msg) > MOST_CHARACTERS:  # redacted before it is cut: nobody would find half of a secret
            ready.msg = ready.message = self._redacting.redact(ready.msg)[:MOST_CHARACTERS] + " … (cut)"
        return ready

    def enqueue(self, record: logging.LogRecord) -> None:
        with contextlib.suppress(queue.Full):
            self.queue.put_nowait(record)

    def handleError(self, record: logging.LogRecord) -> None:
        """A call with the wrong arguments: its words are logged without them."""
        words = str(record.msg)[:MOST_CHARACTERS]
        self.enqueue(logging.LogRecord(record.name, record.levelno, record.pathname, record.lineno, words, None, None))


class _Stderr(logging.StreamHandler[TextIO]):
    """Writes from the listener's thread alone: without a lock, so that nobody waits behind a blocked pipe."""

    def createLock(self) -> None:
        self.lock = None

    def flush(self) -> None:
        """Nothing to do for others: each record is written out as it comes."""

    def emit(self, record: logging.LogRecord) -> None:
        with contextlib.suppress(Exception):  # a closed pipe, a full disk: the bot goes on
            self.stream.write(self.format(record) + self.terminator)
            self.stream.flush()


class _Listener(logging.handlers.QueueListener):
    """Takes records from the queue to stderr."""

    def __init__(self, waiting: Waiting, stderr: _Stderr) -> None:
        super().__init__(waiting, stderr)
        self._waiting = waiting
        self._before = {name: logging.getLogger(name).level for name in ("", *_CHATTY)}
        self._handlers = logging.getLogger().handlers

    def stop(self) -> None:
        """Write what waits, as long as somebody reads it, and log as before."""
        logging.getLogger().handlers = self._handlers
        for name, level in self._before.items():
            logging.getLogger(name).setLevel(level)
        thread: threading.Thread | None = self._thread
        self._thread = None
        if thread is not None:
            with contextlib.suppress(queue.Full):
                self._waiting.put(None, timeout=LAST_S)
                thread.join(LAST_S)


def start_logging(
    style: Literal["json", "console"], secrets: tuple[str, ...], level: int = logging.INFO
) -> logging.handlers.QueueListener:
    """Log to stderr from a thread of its own. `stop()` the listener at the end, so that nothing is lost."""
    redacting = Redacting(_formatter(style), secrets)
    stream = _Stderr(sys.stderr)
    stream.setFormatter(redacting)
    waiting: Waiting = queue.Queue(MOST_WAITING)
    listener = _Listener(waiting, stream)
    root = logging.getLogger()
    root.handlers = [_Droppable(waiting, redacting)]
    root.setLevel(level)
    for chatty in _CHATTY:
        logging.getLogger(chatty).setLevel(max(level, logging.WARNING))
    listener.start()
    return listener


def _formatter(style: Literal["json", "console"]) -> logging.Formatter:
    if style == "console":
        return logging.Formatter("%(asctime)s %(levelname)-7s %(name)s: %(message)s", datefmt="%H:%M:%S")
    from pythonjsonlogger.json import JsonFormatter

    return JsonFormatter(
        "%(asctime)s %(levelname)s %(name)s %(message)s",
        rename_fields={"asctime": "at", "levelname": "level", "name": "logger"},
        json_ensure_ascii=False,
    )
