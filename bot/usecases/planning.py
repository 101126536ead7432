"""Whether a plan for a digest makes sense, found out when it is made: not every morning afterwards."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import fields, replace
from datetime import datetime, timedelta

from bot.domain.digests import DigestPlan
from bot.domain.errors import AskError, RundownError
from bot.domain.model import Kind
from bot.usecases.systems import Target

#: Seconds that looking up names may take; a system that needs longer is not asked any further.
LOOK_UP_S = 8.0
#: The names of filters are looked up with runs of so long: what is sought is the name, not the runs.
RECENT = timedelta(days=2)
#: Filters that hold no names of a system's.
_NO_NAMES = frozenset({"project", "state", "at_most", "words"})


async def look_up(plan: DigestPlan, found: Sequence[Target], now: datetime) -> None:
    """Raises AskError where no system has what the plan's filters name: no such source, milestone, configuration.

    A system that can't answer now is no reason to refuse: it may well have them.
    """
    given = {field.name for field in fields(plan.query) if getattr(plan.query, field.name)} - _NO_NAMES
    if not given or not found:
        return
    asked = [(each, kind) for each in found for kind in each.connection.kinds.values() if _fits(plan, kind, given)]
    if not asked:
        named = ", ".join(sorted(name.replace("_", "-") for name in given))
        raise AskError(
            "No kind of run here fits what this digest is about.",
            why=f"None of the systems keeps {named} for such runs.",
            fix="Leave a filter out, or name another connection with --in.",
        )
    answers = await asyncio.gather(*(_ask(plan, each, kind, now) for each, kind in asked), return_exceptions=True)
    for answer in answers:
        if isinstance(answer, BaseException) and not isinstance(answer, (RundownError, TimeoutError)):
            raise answer
    wrong = [answer for answer in answers if isinstance(answer, AskError)]
    if len(wrong) == len(answers):
        raise wrong[0]


def _fits(plan: DigestPlan, kind: Kind, given: set[str]) -> bool:
    """Whether the digest tells of such runs, as it will decide itself: hand-made ones only if asked for, or stale."""
    if plan.automated is not None:
        return kind.automated is plan.automated and given <= kind.filters
    return (kind.automated is not False or "stale" in plan.what) and given <= kind.filters


async def _ask(plan: DigestPlan, where: Target, kind: Kind, now: datetime) -> None:
    since = now - RECENT if "since" in kind.filters else None
    query = replace(plan.query, project=where.project.id, at_most=1, since=since)
    async with asyncio.timeout(LOOK_UP_S):
        await where.connection.runs(kind.letter, query)
