"""A program that gives life to bots which kill themselves at a named moment of a change.

It loads the bot once and forks for each one that is asked for, so that a bot is up in a tenth of a second. Asked over
the socket whose number is its only argument: a JSON object of strings (the bot's environment) and an open pipe. The bot
writes to the pipe what moments it reaches and what it logs; the pipe ends when it is dead, however it died.
Answers with its process id. Beyond Rundown's own settings the environment has:

DIES_AT, DIES_TIME   the moment at which it kills itself (-9), when it gets there for so many times; without: never
CLOCK                a file with the seconds by which its clock is ahead, read each time
LOOK_S               seconds between two looks for what others left behind
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import socket
import sys
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.app import Rundown
from bot.config import read_settings
from bot.domain.checkpoints import Moment, on_checkpoint
from bot.rooms import warm_up
from bot.slack import receipts

REQUEST_BYTES = 64 * 1024


def main() -> None:
    """Fork for every request until whoever asks has gone. What died is not waited for: nobody asks how."""
    asked = socket.socket(fileno=int(sys.argv[1]))
    warm_up()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        request, pipes, _, _ = socket.recv_fds(asked, REQUEST_BYTES, 1)
        if not request:
            return
        child = os.fork()
        if child == 0:
            asked.close()
            begin(json.loads(request), pipes[0])
        os.close(pipes[0])
        asked.send(str(child).encode())


def begin(environment: Mapping[str, str], pipe: int) -> None:
    """Be a bot with this environment and no other, until it dies."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.dup2(pipe, 1)
    os.dup2(pipe, 2)
    os.close(pipe)
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, force=True)
    receipts.LOOK_S = float(environment["LOOK_S"])
    on_checkpoint(dying_at(environment.get("DIES_AT", ""), int(environment.get("DIES_TIME", "1"))))
    try:
        asyncio.run(live(environment))
    finally:
        os._exit(1)


def dying_at(moment: str, time: int) -> Callable[[Moment], None]:
    """Tells what is reached, and kills this process at that moment."""
    times: Counter[str] = Counter()

    def reached(name: Moment) -> None:
        times[name] += 1
        os.write(1, f"reached {name}\n".encode())
        if name == moment and times[name] == time:
            os.kill(os.getpid(), signal.SIGKILL)

    return reached


async def live(environment: Mapping[str, str]) -> None:
    """The whole bot, as `rundown serve` runs it but for its clock."""
    clock = Path(environment["CLOCK"])

    def now() -> datetime:
        return datetime.now(UTC) + timedelta(seconds=float(clock.read_text()))

    ending = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ending.set)
    rundown = Rundown(read_settings(environment), now=now, host="127.0.0.1")
    try:
        await rundown.start()
        await ending.wait()
    finally:
        await rundown.stop()


if __name__ == "__main__":
    main()
