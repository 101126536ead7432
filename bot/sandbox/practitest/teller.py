"""Fills an account with sets and their history; runs are planned in any order and added in that of time."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from bot.sandbox.practitest.account import Account, NewRun
from bot.sandbox.practitest.records import Instance, LibraryTest, SetRecord

_FIRST_TEST = 80_893
_SEED = 4566

#: Who wrote the library's tests.
AUTHOR = 5380


class Teller:
    """Makes tests, sets and runs of one account. `at(hours)` is so many hours before the story's now."""

    def __init__(self, account: Account, now: datetime) -> None:
        self.account = account
        self.now = now.replace(microsecond=0)
        self.random = random.Random(_SEED)
        self._planned: list[tuple[datetime, int, NewRun]] = []

    def at(self, hours: float) -> datetime:
        return self.now - timedelta(hours=hours)

    def tests(self, project_id: int, names: Sequence[str], *, kind: str = "ScriptedTest") -> list[LibraryTest]:
        """New library tests with these names."""
        known = self.account.tests
        display = sum(test.project_id == project_id for test in known.values())
        made = [
            LibraryTest(
                _FIRST_TEST + len(known) + offset,
                project_id,
                display + offset + 1,
                name,
                kind,
                AUTHOR,
                self.random.randrange(30, 600),
                self.at(24 * 60),
            )
            for offset, name in enumerate(names)
        ]
        known |= {test.id: test for test in made}
        return made

    def a_set(
        self,
        set_id: int | None,
        project_id: int,
        name: str,
        created: datetime,
        tests: Sequence[LibraryTest],
        *,
        first_instance: int | None = None,
        **more: Any,
    ) -> tuple[SetRecord, list[Instance]]:
        """A set with one instance a test; `more` are its further attributes. Without `set_id` the next number."""
        made = self.account.add_set(project_id, name, created, set_id=set_id)
        for attribute, value in more.items():
            setattr(made, attribute, value)
        places = [
            self.account.add_instance(
                made.id,
                test.id,
                instance_id=None if first_instance is None else first_instance + offset,
            )
            for offset, test in enumerate(tests)
        ]
        return made, places

    def plan(self, place: Instance, at: datetime, status: str, **more: Any) -> None:
        """A run of that instance; `more` as in NewRun. Without a duration one is drawn."""
        more.setdefault("duration_s", self.random.randrange(4, 400))
        self._planned.append((min(at, self.now), len(self._planned), NewRun(place.id, status, **more)))

    def tell(self) -> None:
        """Add what was planned, oldest first."""
        for at, _order, new in sorted(self._planned, key=lambda planned: planned[:2]):
            self.account.add_run(new, at)
        self._planned.clear()
