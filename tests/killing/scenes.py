"""Scenes in which bots are killed: the systems and Slack live here, the bots are processes of their own on one file."""

from __future__ import annotations

import asyncio
import contextlib
import csv
import io
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bot.sandbox.practitest import PractiTest
from bot.sandbox.server import Clock, running
from bot.sandbox.slack import Message, Workspace
from bot.sandbox.testmo import Testmo
from bot.sandbox.testrail import TestRail
from tests.slack.front_door_kit import environment

ROOT = Path(__file__).parents[2]
#: Seconds within which anything that is waited for happens on a busy machine.
PATIENT_S = 20.0
#: Later than every lease, earlier than a preview is too old.
LATER_S = 120.0


class Nursery:
    """Where bots are forked."""

    def __init__(self) -> None:
        self._ours, theirs = socket.socketpair()
        self._program = subprocess.Popen(
            [sys.executable, "-m", "tests.killing.a_bot_that_dies", str(theirs.fileno())],
            cwd=ROOT,
            pass_fds=[theirs.fileno()],
        )
        theirs.close()

    def bear(self, env: dict[str, str]) -> tuple[int, int]:
        """A new bot: its process id, and the pipe that tells of its life."""
        listening, telling = os.pipe()
        socket.send_fds(self._ours, [json.dumps(env).encode()], [telling])
        os.close(telling)
        return int(self._ours.recv(32)), listening

    def close(self) -> None:
        self._ours.close()
        self._program.wait(timeout=PATIENT_S)


@contextlib.contextmanager
def nursery() -> Iterator[Nursery]:
    born = Nursery()
    try:
        yield born
    finally:
        born.close()


class Bot:
    """One process. `told` are the lines it wrote."""

    def __init__(self, pid: int, clock: Path) -> None:
        self.pid = pid
        self.told: list[str] = []
        self._clock = clock
        self._news = asyncio.Event()
        self._ended = asyncio.Event()
        self._listening: asyncio.Task[None] | None = None

    async def listen(self, pipe: int) -> None:
        reader = asyncio.StreamReader()
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(pipe, "rb")
        )

        async def read() -> None:
            while line := await reader.readline():
                self.told.append(line.decode(errors="replace").rstrip())
                self._news.set()
            transport.close()
            self._ended.set()
            self._news.set()

        self._listening = asyncio.create_task(read())

    async def reached(self, moment: str, times: int = 1) -> None:
        """Wait until it got to this moment for so many times."""
        async with asyncio.timeout(PATIENT_S):
            while self.told.count(f"reached {moment}") < times:
                assert not self._ended.is_set(), f"it died before {moment!r}:\n" + "\n".join(self.told)
                self._news.clear()
                await self._news.wait()

    async def looked(self) -> None:
        """Wait until it has looked for what others left behind, from now on."""
        await self.reached("looked", self.told.count("reached looked") + 2)  # the first may have begun before

    async def died(self) -> None:
        async with asyncio.timeout(PATIENT_S):
            await self._ended.wait()

    @property
    def is_dead(self) -> bool:
        return self._ended.is_set()

    async def kill(self) -> None:
        """-9. One that is dead already stays so."""
        with contextlib.suppress(ProcessLookupError):
            if not self._ended.is_set():
                os.kill(self.pid, signal.SIGKILL)
        await self.died()
        if self._listening is not None:
            await self._listening

    def move_clock(self, ahead_s: float) -> None:
        """Let its clock be so far ahead from now on."""
        fresh = self._clock.with_suffix(".new")
        fresh.write_text(str(ahead_s))
        fresh.replace(self._clock)


@dataclass
class Scene:
    """One database file, one Slack, three systems, and the bots that live or lived between them."""

    nursery: Nursery
    folder: Path
    slack: Workspace
    testmo: Testmo
    testrail: TestRail
    practitest: PractiTest
    bots: list[Bot] = field(default_factory=list)

    async def bear(self, *, dies_at: str = "", time: int = 1, ahead_s: float = 0.0) -> Bot:
        """A further bot on the same file; returns once Slack can speak to it."""
        clock = self.folder / f"clock-{len(self.bots)}"
        clock.write_text(str(ahead_s))
        before = set(self.slack.connections)
        env = {
            **environment(self.slack, self.testmo, self.testrail, self.practitest),
            "SLACK_APP_TOKEN": self.slack.app_token,
            "RUNDOWN_DB": str(self.folder / "rundown.db"),
            "RUNDOWN_POLL_SECONDS": "3600",
            "PRACTITEST_MARK_FIELD": "45911",
            "PRACTITEST_MARK_VALUE": "Done",
            "TESTMO_CLOSE_MANUAL_RUNS": "true",
            "DIES_AT": dies_at,
            "DIES_TIME": str(time),
            "CLOCK": str(clock),
            "LOOK_S": "0.05",
        }
        pid, pipe = self.nursery.bear(env)
        bot = Bot(pid, clock)
        self.bots.append(bot)
        await bot.listen(pipe)
        alive = sum(not each.is_dead for each in self.bots)
        await self.slack.until(
            lambda: (
                bot.is_dead
                or (len(self.slack.connections) == alive and any(link not in before for link in self.slack.connections))
            ),
            timeout_s=PATIENT_S,
        )
        return bot

    async def ask(self, text: str, where: str = "#release") -> Message:
        """Type a command; its answer."""
        delivery = await self.slack.command("ana", where, "/runs", text)
        assert delivery.acked, delivery
        return await self.slack.next_message(lambda one: "Looking" not in one.text, timeout_s=PATIENT_S)

    def told(self, *openings: str) -> list[str]:
        """What the app says to Ana or to everybody that begins with one of these after its icon, as on a screen now."""
        said = (self.slack.words(message) for message in self.slack.said() if not self.slack.now(message).deleted)
        return [text for text in said if text.partition(" ")[2].startswith(openings)]

    def hand_out(self) -> None:
        """What was said until now is no answer to what is asked from now on."""
        self.slack._handed |= {message.key for message in self.slack.said()}

    async def audit(self) -> list[dict[str, str]]:
        """The ledger as an admin gets it, newest first."""
        await self.slack.command("ana", "#release", "/runs", "audit --csv")
        sent = await self.slack.next_message(
            lambda one: one.is_ephemeral and "rundown-audit" in one.text, timeout_s=PATIENT_S
        )
        assert sent
        files = [upload for upload in self.slack.state.uploads.values() if upload.name.endswith(".csv") and upload.data]
        newest = files[-1].data or b""
        return list(csv.DictReader(io.StringIO(newest.decode("utf-8-sig"))))

    def writes(self) -> list[str]:
        """Every call that changes something, of all systems, in the systems' own journals."""
        return [
            f"{server.name} {call.method} {call.target}"
            for server in (self.testmo, self.testrail, self.practitest)
            for call in server.journal
            if call.method not in ("GET", "HEAD", "OPTIONS") and "soft=1" not in call.target
        ]


@asynccontextmanager
async def scene(born: Nursery, folder: Path) -> AsyncIterator[Scene]:
    """Everything but the bots; those that were born die at the end."""
    folder.mkdir(parents=True)  # noqa: ASYNC240 - nobody waits for it
    clock = Clock()
    testmo, testrail, practitest = Testmo(clock, close_runs=True), TestRail(clock), PractiTest(clock)
    async with running(testmo, testrail, practitest), Workspace(clock, messages_per_second=None) as slack:
        played = Scene(born, folder, slack, testmo, testrail, practitest)
        try:
            yield played
        finally:
            for bot in played.bots:
                await bot.kill()
