"""`rundown digest preview`: what a digest would say now, on a terminal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from difflib import get_close_matches
from pathlib import Path

from bot.config import Settings
from bot.domain.digests import DigestPlan, Slot
from bot.domain.errors import CannotError, NotFoundError
from bot.presenters.message import Message
from bot.presenters.plainly import plain_text
from bot.rooms import connect_all, use_templates, utc_now
from bot.schedule.digesting import Digesting
from bot.storage.database import Database
from bot.storage.history import StoredHistory
from bot.storage.plans import StoredPlans
from bot.usecases.unkept import Unkept


async def preview_digest(settings: Settings, name: str, now: Callable[[], datetime] = utc_now) -> list[tuple[str, str]]:
    """What the digests of that name would say now, as (channel, text); nothing is posted or kept, Slack is not asked.

    Raises RundownError when there is none, or the database can't be used.
    """
    _find_database(settings.database)
    use_templates(settings)
    database = Database(settings.database)
    systems = connect_all(settings, now)
    try:
        await database.open()
        plans = StoredPlans(database, now)
        named = _named(name, await plans.all())
        told = []
        for plan in named:
            if plan.ask:
                told.append((plan.channel, f"It posts the answer to `{plan.ask}`. In Slack, digest test shows that."))
                continue
            digesting = Digesting(
                plans=plans,
                systems=systems,
                history=Unkept(StoredHistory(database, now)),
                ring=lambda: None,
                ask=_in_slack,
                now=now,
            )
            message = await digesting.message(plan, Slot(f"{now():%Y-%m-%dT%H:%M}", now()))
            told.append((plan.channel, plain_text(message) if message else "It would say nothing now."))
        return told
    finally:
        for connection in systems:
            await connection.close()
        await database.close()


def _find_database(path: str) -> None:
    """Raises NotFoundError where there is none: looking must not make an empty one."""
    if not Path(path).is_file():
        raise NotFoundError(
            f"There is no database {path}.",
            why="Rundown makes it where it runs.",
            fix="Set RUNDOWN_DB to the file it uses, or go to the folder it was started in.",
        )


def _named(name: str, every: Sequence[DigestPlan]) -> list[DigestPlan]:
    """The plans of that name, whatever its case. Raises NotFoundError with the closest."""
    found = [plan for plan in every if plan.name.casefold() == name.casefold()]
    if found:
        return found
    names = {plan.name.casefold(): plan.name for plan in every}
    near = [names[each] for each in get_close_matches(name.casefold(), names, 3, 0.5)]
    raise NotFoundError(
        f"There is no digest “{name}”.",
        why=f"There are: {', '.join(sorted(names.values()))}." if names else "Nobody has made one yet.",
        fix=f"Did you mean {' or '.join(near)}?"
        if near
        else "Name one of them."
        if names
        else "Make one in Slack with digest add.",
        closest=tuple(near),
    )


async def _in_slack(plan: DigestPlan) -> Message:
    raise CannotError(f"“{plan.ask}” can't be answered here.", why="It is answered for somebody in Slack.")
