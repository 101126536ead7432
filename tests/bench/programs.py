"""Programs under measurement: started, pinned to a core of their own, looked at, ended."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]

SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
BOT_TOKEN = "xoxb-1-2-bench"
APP_TOKEN = "xapp-1-A0BENCH-1-bench"
TEAM, CHANNEL, USER, BOT_USER = "T0BENCH001", "C0RELEASE01", "U0ANA00001", "U0BOT00001"

_OURS = ("SLACK_", "TESTMO_", "TESTRAIL_", "PRACTITEST_", "RUNDOWN_", "PORT", "PYTHONDONTWRITEBYTECODE")
#: Which of the columns of /proc/stat are idleness: doing nothing, and waiting for a disk.
_IDLE = (3, 4)
_TICKS = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100


def cores() -> tuple[frozenset[int], frozenset[int]]:
    """The cores for what is measured, and for the load and the stubs; empty where they can't be told apart."""
    if not hasattr(os, "sched_getaffinity"):
        return frozenset(), frozenset()
    mine = sorted(os.sched_getaffinity(0))
    return (frozenset(mine[:1]), frozenset(mine[1:2])) if len(mine) > 1 else (frozenset(), frozenset())


MEASURED, LOAD = cores()


def pin(pid: int, where: frozenset[int]) -> None:
    if where:
        os.sched_setaffinity(pid, where)


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def clean_environment() -> dict[str, str]:
    """This environment without any setting of a bot, so that only what the bench says is set."""
    return {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}


def rundown_settings(stub: str, port: int, database: Path, *, socket_mode: bool = False) -> dict[str, str]:
    """What `rundown serve` needs to run between the stubs, with all three systems configured."""
    door = {"SLACK_APP_TOKEN": APP_TOKEN} if socket_mode else {"SLACK_SIGNING_SECRET": SECRET}
    return door | {
        "SLACK_BOT_TOKEN": BOT_TOKEN,
        "SLACK_API_URL": f"{stub}/api/",
        "TESTMO_URL": f"{stub}/testmo",
        "TESTMO_TOKEN": "testmo-bench-token",
        "TESTMO_PROJECT": "1",
        "TESTRAIL_URL": f"{stub}/testrail",
        "TESTRAIL_USER": "bot@acme.example",
        "TESTRAIL_KEY": "testrail-bench-key",
        "TESTRAIL_PROJECT": "1",
        "PRACTITEST_URL": f"{stub}/practitest/api/v2",
        "PRACTITEST_TOKEN": "practitest-bench-token",
        "PRACTITEST_PROJECT": "4566",
        "RUNDOWN_DB": str(database),
        "RUNDOWN_LOG": "json",
        "PORT": str(port),
    }


#: The process numbers of all programs that run now.
_RUNNING: set[int] = set()


class Neighbours:
    """Everybody else on the cores of the bench."""

    def __init__(self) -> None:
        self._before = self._look()

    def share(self) -> float:
        """What part of these cores others used since the last look; 0 where the machine does not tell."""
        before, self._before = self._before, self._look()
        at, busy, ours = (now - then for now, then in zip(self._before, before, strict=True))
        return max(0.0, busy - ours) / (at * max(1, len(MEASURED | LOAD)))

    @staticmethod
    def _look() -> tuple[float, float, float]:
        """The time, and CPU seconds of these cores, and of our programs."""
        busy = 0.0
        with contextlib.suppress(OSError):
            for line in Path("/proc/stat").read_text().splitlines():
                name, *ticks = line.split()
                if name in {f"cpu{core}" for core in MEASURED | LOAD}:
                    busy += sum(int(each) for place, each in enumerate(ticks[:8]) if place not in _IDLE) / _TICKS
        ours = sum(os.times()[:2]) + sum(_cpu_s(pid) for pid in _RUNNING)
        return time.perf_counter(), busy, ours


def _cpu_s(pid: int) -> float:
    with contextlib.suppress(OSError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS
    return 0.0


class Program:
    """A running `python -m …`. `begun_at` is `time.perf_counter()` just before it was started."""

    def __init__(self, process: asyncio.subprocess.Process, begun_at: float, log: Path) -> None:
        self._process = process
        self._log = log
        self.begun_at = begun_at

    @property
    def pid(self) -> int:
        return self._process.pid

    def running(self) -> None:
        """Raise when it has ended already, with its last words."""
        if self._process.returncode is not None:
            raise ProgramEnded(f"exit code {self._process.returncode}\n{self._log.read_text()[-3_000:]}")

    async def line(self) -> str:
        """The next line of its output."""
        assert self._process.stdout is not None
        line = await self._process.stdout.readline()
        if not line:
            await self._process.wait()
            self.running()
        return line.decode().strip()

    async def told(self) -> Any:
        """The JSON in the next line of its output."""
        return json.loads(await self.line())

    def cpu_s(self) -> float:
        """Processor seconds it has used; 0 where the machine does not tell."""
        return _cpu_s(self.pid)

    def resident_mib(self) -> float:
        """Memory it holds in MiB; 0 where the machine does not tell."""
        with contextlib.suppress(OSError):
            pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
            return pages * os.sysconf("SC_PAGE_SIZE") / 2**20
        return 0.0

    async def end(self) -> None:
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(signal.SIGTERM)
            try:
                async with asyncio.timeout(12):
                    await self._process.wait()
            except TimeoutError:
                self._process.kill()
                await self._process.wait()


class ProgramEnded(Exception):
    """A program under measurement is not there any more."""


@contextlib.asynccontextmanager
async def program(
    module: str, *arguments: str, where: frozenset[int] = MEASURED, settings: Mapping[str, str] | None = None
) -> AsyncIterator[Program]:
    """`python -m module arguments`, while the block lasts."""
    with workplace() as folder:
        log = folder / "stderr"
        with log.open("wb") as stderr:
            begun_at = time.perf_counter()
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", module, *arguments,
                cwd=ROOT, env=clean_environment() | dict(settings or {}),
                stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=stderr, limit=2**24,
            )  # fmt: skip
        pin(process.pid, where)
        started = Program(process, begun_at, log)
        _RUNNING.add(process.pid)
        try:
            yield started
        finally:
            await started.end()
            _RUNNING.discard(process.pid)


@contextlib.contextmanager
def workplace() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="rundown-bench-") as folder:
        yield Path(folder)
