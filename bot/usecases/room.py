"""Room for more: whoever takes in very many runs may be slower than the systems that show them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextvars import ContextVar

#: Set around a `scan` by whoever keeps what is shown. Systems await it before each further page; without one they go on
#: as fast as they may.
ROOM: ContextVar[Callable[[], Awaitable[None]] | None] = ContextVar("room", default=None)
