"""An automation run that is going to be made: when it began, what it held, how far it got."""

from __future__ import annotations

import hashlib
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zlib import crc32

from bot.sandbox.testmo.records import AutomationRun, Json, Thread
from bot.sandbox.testmo.sample.company import BOT
from bot.sandbox.testmo.statuses import FAILED, PASSED
from bot.sandbox.testmo.store import Draft, Store

CONSOLE, STRING, LINK = 4, 1, 5
BATCH = 5
SECOND_US = 1_000_000


def key(folder: str, name: str) -> str:
    """The key of an automated test: the same in all runs."""
    return hashlib.sha1(f"{folder}.{name}".encode(), usedforsecurity=False).hexdigest()


def wobble(*parts: object) -> int:
    """A number from 0 to 999 that looks random and is always the same."""
    return crc32("|".join(map(str, parts)).encode()) % 1000


def draft(folder: str, name: str, status_id: int = PASSED, *, salt: object = 0, error: str = "") -> Draft:
    """One result; `error` is the text of a failed one, its first word before the colon the kind of error.

    The field is as the vendor's command-line tool 1.4.5 makes it from JUnit XML.
    """
    fields: tuple[Json, ...] = ()
    if error:
        trace = f"{error}\n    at {folder.lower().replace(' ', '-')}.spec.ts:{20 + wobble(name) % 80}:7"
        meta = {"message": error, "type": error.partition(":")[0]}
        fields = ({"type": CONSOLE, "name": "Failure", "value": trace, "meta": meta, "is_highlight": True},)
    elapsed = (400 + 9 * wobble(folder, name) + wobble(name, salt)) * 1000
    file = f"e2e/{folder.lower().replace(' ', '-')}.spec.ts"
    return Draft(key(folder, name), name, folder, status_id, elapsed, file, 20 + wobble(name) % 80, 4, (), fields)


def ended(thread: Thread, command: str) -> Json:
    """The console field of a thread, as the vendor's command-line tool adds it: what ran and how it ended."""
    wrong = [test for test in thread.tests if test.status_id == FAILED]
    lines = [f"{test.folder} › {test.name}\n  {_first_line(test.fields)}" for test in wrong]
    text = f"Executing: {command}\n\n{len(thread.tests)} tests, {len(wrong)} failed\n" + "\n".join(lines)
    text += f"\n\nExited after {(thread.elapsed or 0) / SECOND_US} seconds with exit code {int(bool(wrong))}"
    return {"type": CONSOLE, "name": "Output", "value": text, "meta": {}, "is_highlight": False}


def _first_line(fields: Sequence[Json]) -> str:
    return str(fields[0]["value"]).partition("\n")[0] if fields else ""


@dataclass
class Plan:
    """One run to be. `threads` holds the results of each thread; `open_threads` of them (the last ones) stay open.

    `lasts` is the time from the first to the last result.
    """

    at: datetime
    project: int
    source: str
    name: str
    threads: list[list[Draft]]
    lasts: timedelta = timedelta(minutes=12)
    completed: bool = True
    open_threads: int = 0
    shown_status: int | None = None
    config_id: int | None = None
    milestone_id: int | None = None
    tags: tuple[str, ...] = ()
    command: str = "npx playwright test"
    by: int = BOT
    links: tuple[Json, ...] = field(default_factory=tuple)

    def build(self, store: Store) -> None:
        """Makes the whole run at once."""
        for _ in self.unfold(store):
            pass

    def unfold(self, store: Store) -> Generator[datetime, None, AutomationRun]:
        """Makes the run step by step; yields the moment of each step before it is taken.

        Results arrive in batches, thread after thread, so that ids grow with time. What somebody completed in between
        takes no more.
        """
        yield self.at
        run = store.start_run(
            self.project,
            self.source,
            self.name,
            at=self.at,
            by=self.by,
            config_id=self.config_id,
            milestone_id=self.milestone_id,
            tags=self.tags,
            fields=self._fields(),
            links=self._links(),
        )
        opened = self.at + timedelta(seconds=20)
        yield opened
        if run.completed_at is not None:
            return run
        threads = [store.start_thread(run, at=opened, by=self.by) for _ in self.threads]
        batches = max((len(drafts) + BATCH - 1) // BATCH for drafts in self.threads)
        for batch in range(batches):
            at = self.at + timedelta(seconds=30) + self.lasts * (batch + 1) / batches
            yield at
            for thread, drafts in zip(threads, self.threads, strict=True):
                if thread.completed_at is None:
                    part = drafts[batch * BATCH : (batch + 1) * BATCH]
                    store.add_tests(run, thread, part, at=at.replace(microsecond=at.microsecond // 1000 * 1000))
        yield from self._finish(store, run, threads)
        return run

    def _finish(self, store: Store, run: AutomationRun, threads: list[Thread]) -> Iterator[datetime]:
        end = self.at + self.lasts + timedelta(minutes=1)
        yield end
        for thread in threads[: len(threads) - self.open_threads]:
            if thread.completed_at is None:
                thread.elapsed_observed = sum(test.elapsed or 0 for test in thread.tests) + 3 * SECOND_US
                thread.fields = (ended(thread, self.command),)
                store.complete_thread(thread, at=end, by=self.by)
        if run.completed_at is not None:
            return
        run.shown_status = self.shown_status
        if self.completed:
            at = end + timedelta(seconds=9)
            yield at
            if run.completed_at is None:
                store.complete_run(run, at=at, by=self.by, measure_elapsed=True)

    def _fields(self) -> tuple[Json, ...]:
        commit = hashlib.sha1(f"{self.source}{self.at:%m%d%H%M}".encode(), usedforsecurity=False).hexdigest()[:10]
        return (
            {"type": STRING, "name": "Branch", "value": "main", "meta": {}, "is_highlight": False},
            {"type": STRING, "name": "Commit", "value": commit, "meta": {}, "is_highlight": False},
        )

    def _links(self) -> tuple[Json, ...]:
        build = wobble(self.source, self.at.date()) + 4000
        return ({"name": f"Build {build}", "note": None, "url": f"https://ci.acme.example/builds/{build}"}, *self.links)
