"""What holds in a channel: its connection and project, so that ids can be dropped."""

from __future__ import annotations

import asyncio
import re
from datetime import datetime

from bot.domain.answers import ConnectionView, ContextSet, Here, Menu
from bot.domain.errors import RundownError
from bot.domain.queries import RunQuery
from bot.usecases.finding import Asker
from bot.usecases.listing import ListAsk, list_runs
from bot.usecases.ports import ChannelContext, Connection, Contexts, Recall
from bot.usecases.systems import Systems, find_project, name_project


async def use_project(
    connection_name: str, project: str, *, systems: Systems, contexts: Contexts, asker: Asker, now: datetime
) -> ContextSet:
    """From now on this channel means that project when none is named. Raises NotFoundError with the closest."""
    plain = re.fullmatch(r"\w[\w.-]*(?: \w[\w.-]*)*", project)
    connection = systems.get(connection_name, f"use {{name}} {project}" if plain else "list --in {name}")
    chosen = await find_project(connection, project)
    await contexts.set(asker.place, ChannelContext(connection.name, chosen.id, chosen.name, by=asker.user, at=now))
    view = ConnectionView(name=connection.name, system=connection.system, project=chosen)
    return ContextSet(connection=view, channel=asker.place.channel, by=asker.user)


async def what_is_here(*, systems: Systems, contexts: Contexts, recall: Recall, asker: Asker) -> Here:
    """The channel's context, and every connection with its own project and whether it answers."""
    context = await contexts.get(asker.place)
    views = await asyncio.gather(*(_view(connection, None) for connection in systems))
    this = await recall.thread_run(asker.place) if asker.place.thread else None
    chosen = None
    if context is not None:
        chosen = next((view for view in views if view.name == context.connection), None)
        chosen = chosen and await _view(systems.get(chosen.name), context)
    return Here(
        channel=asker.place.channel,
        chosen=chosen,
        connections=tuple(views),
        chosen_by=context.by if context else "",
        chosen_at=context.at if context else None,
        this=this,
    )


async def open_menu(
    *, systems: Systems, contexts: Contexts, recall: Recall, asker: Asker, now: datetime, rows: int = 5
) -> Menu:
    """What matters here: the context in a line and the open runs most at risk."""
    context = await contexts.get(asker.place)
    if context is not None and context.connection not in (connection.name for connection in systems):
        context = None
    ask = ListAsk(query=RunQuery(), words="open runs", sort="risk", limit=rows)
    here, at_risk = await asyncio.gather(
        what_is_here(systems=systems, contexts=contexts, recall=recall, asker=asker),
        list_runs(ask, systems=systems, context=context, recall=recall, asker=asker, now=now),
    )
    return Menu(here=here, at_risk=at_risk)


async def _view(connection: Connection, context: ChannelContext | None) -> ConnectionView:
    kinds = tuple(f"{letter} {kind.plural}" for letter, kind in connection.kinds.items())
    number = context.project if context is not None else connection.project
    try:
        projects = await connection.projects()
    except RundownError as error:
        project = await name_project(connection, number) if number is not None else None
        return ConnectionView(
            name=connection.name, system=connection.system, project=project, kinds=kinds, trouble=error
        )
    found = next((each for each in projects if each.id == number), None)
    if found is None and number is None and len(projects) == 1:
        found = projects[0]
    if found is None and number is not None:
        found = await name_project(connection, number)
    return ConnectionView(name=connection.name, system=connection.system, project=found, kinds=kinds)
