"""Logging: JSON lines or a console, one line a record, no secret in any of them, and never in the way of the work."""

from __future__ import annotations

import logging
import logging.handlers
import queue
import re
import sys
from typing import Literal

_TOKENS = re.compile(r"xox[a-z]-[\w-]+|xapp-[\w-]+")
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")

#: Records that may wait for a slow pipe; further ones are dropped rather than waited for.
MOST_WAITING = 10_000


class Redacting(logging.Formatter):
    """Formats with another formatter, then takes out every secret and what could forge a line."""

    def __init__(self, inner: logging.Formatter, secrets: tuple[str, ...]) -> None:
        super().__init__()
        self._inner = inner
        self._secrets = sorted(secrets, key=len, reverse=True)

    def format(self, record: logging.LogRecord) -> str:
        line = _TOKENS.sub("•••", self._inner.format(record))
        for secret in self._secrets:
            line = line.replace(secret, "•••")
        return _CONTROLS.sub(lambda found: f"\\x{ord(found[0]):02x}", line.replace("\n", "\n  "))


class _Droppable(logging.handlers.QueueHandler):
    def enqueue(self, record: logging.LogRecord) -> None:
        try:
            self.queue.put_nowait(record)
        except queue.Full:
            return


def start_logging(
    style: Literal["json", "console"], secrets: tuple[str, ...], level: int = logging.INFO
) -> logging.handlers.QueueListener:
    """Log to stderr from a thread of its own. `stop()` the listener at the end, so that nothing is lost."""
    stream = logging.StreamHandler(sys.stderr)
    stream.setFormatter(Redacting(_formatter(style), secrets))
    waiting: queue.Queue[logging.LogRecord] = queue.Queue(MOST_WAITING)
    listener = logging.handlers.QueueListener(waiting, stream)
    root = logging.getLogger()
    root.handlers = [_Droppable(waiting)]
    root.setLevel(level)
    for chatty in ("httpx", "httpcore", "slack_bolt", "slack_sdk", "aiohttp.access", "asyncio"):
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
