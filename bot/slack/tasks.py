"""Our own tasks: started after the ack, kept until they end, drained at shutdown."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

log = logging.getLogger(__name__)


class Tasks:
    """Work that was acknowledged and is not done yet."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[Any]] = set()

    def __len__(self) -> int:
        return len(self._running)

    def spawn(self, work: Coroutine[Any, Any, Any], name: str) -> asyncio.Task[Any]:
        """Start it; nobody need hold on to it. What it raises is logged."""
        task = asyncio.create_task(work, name=name)
        self._running.add(task)
        task.add_done_callback(self._ended)
        return task

    async def drain(self, grace_s: float) -> int:
        """Wait for what is running, at most so long; cancel the rest. Returns how many were cancelled."""
        loop = asyncio.get_running_loop()
        end = loop.time() + grace_s
        while self._running and loop.time() < end:  # what ends may have started something
            await asyncio.wait(set(self._running), timeout=end - loop.time())
        late = set(self._running)
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late, timeout=1.0)
        return len(late)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("task %s failed", task.get_name(), exc_info=task.exception())
