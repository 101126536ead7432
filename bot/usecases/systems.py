"""The configured connections, and how one is meant."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from bot.domain.answers import Trouble
from bot.domain.errors import NoContextError, NotFoundError, RundownError
from bot.domain.model import Project
from bot.usecases.ports import ChannelContext, Connection


@dataclass(frozen=True, slots=True)
class Target:
    """A project of a connection that a question goes to."""

    connection: Connection
    project: Project

    @property
    def where(self) -> str:
        """For people: `TestRail › Webshop`."""
        return f"{self.connection.system} › {self.project.name}"


class Systems:
    """The connections by name, in the order of the settings."""

    def __init__(self, connections: Sequence[Connection]) -> None:
        self._connections = {connection.name: connection for connection in connections}

    def __iter__(self) -> Iterator[Connection]:
        return iter(self._connections.values())

    def __len__(self) -> int:
        return len(self._connections)

    def get(self, name: str) -> Connection:
        """The connection of that name, whatever its case. Raises NotFoundError with the closest."""
        found = self._connections.get(name.casefold()) or next(
            (connection for connection in self if name.casefold() in (connection.name, connection.system.casefold())),
            None,
        )
        if found is None:
            names = tuple(self._connections)
            raise NotFoundError(
                f"There is no connection “{name}”.",
                why="The connections here are " + ", ".join(names) + ".",
                fix=f"Name one of them, for example --in {names[0]}." if names else "Ask whoever set up Rundown.",
                closest=tuple(get_close_matches(name.casefold(), names, 1)),
            )
        return found


async def targets(
    systems: Systems, context: ChannelContext | None, *, connection: str = "", project: str = ""
) -> tuple[tuple[Target, ...], tuple[Trouble, ...]]:
    """Where a question goes: what was named, else the channel's context, else every connection's own project.

    `connection` may be `all`. Also tells which connections had to be left out, and why. Raises NoContextError when
    nothing is left, NotFoundError for a project nobody has.
    """
    if connection and connection.casefold() != "all":
        return (await target(systems.get(connection), context, project),), ()
    if context is not None and not connection:
        return (await target(systems.get(context.connection), context, project),), ()
    everyone = list(systems)
    tried = await asyncio.gather(*(target(each, context, project) for each in everyone), return_exceptions=True)
    found: list[Target] = []
    troubles: list[Trouble] = []
    for each, outcome in zip(everyone, tried, strict=True):
        if isinstance(outcome, Target):
            found.append(outcome)
        elif isinstance(outcome, RundownError):
            troubles.append(Trouble(each.name, outcome))
        else:
            raise outcome
    if project:  # a project named by people lives in one system or another; that the others lack it is no trouble
        troubles = (
            [trouble for trouble in troubles if not isinstance(trouble.error, NotFoundError)] if found else troubles
        )
    if not found and troubles:
        raise troubles[0].error
    if not found:
        raise NoContextError(
            "No test system is connected.",
            why="Rundown was started without a connection.",
            fix="Ask whoever set up Rundown to add one.",
        )
    return tuple(found), tuple(troubles)


async def target(connection: Connection, context: ChannelContext | None, project: str = "") -> Target:
    """The project of a connection that is meant: the named one, the channel's, the configured one, or the only one."""
    if project:
        return Target(connection, await find_project(connection, project))
    if context is not None and context.connection == connection.name:
        return Target(connection, Project(context.project, context.project_name))
    if connection.project is not None:
        return Target(connection, await name_project(connection, connection.project))
    projects = await connection.projects()
    if len(projects) == 1:
        return Target(connection, projects[0])
    raise NoContextError(
        f"Which project of {connection.system}?",
        why=f"{connection.name} has {len(projects)} projects and none is chosen for this channel.",
        fix=f"Choose one with `use {connection.name} PROJECT`, or add --project ID.",
        closest=tuple(f"use {connection.name} {each.id}" for each in projects[:5]),
    )


async def find_project(connection: Connection, text: str) -> Project:
    """A project by number or by name (whole, else the only one that begins with it). Raises NotFoundError."""
    projects = await connection.projects()
    wanted = text.strip().casefold()
    exact = [each for each in projects if wanted in (str(each.id), each.name.casefold())]
    begun = [each for each in projects if each.name.casefold().startswith(wanted)]
    for fitting in (exact, begun):
        if len(fitting) == 1:
            return fitting[0]
    names = {each.name.casefold(): each for each in projects}
    near = [names[name] for name in get_close_matches(wanted, names, 3, 0.4)]
    raise NotFoundError(
        f"No project “{text}” in {connection.system}.",
        why=f"Our key sees {len(projects)} projects there: " + ", ".join(_named(each) for each in projects[:8]) + ".",
        fix="Name one by its number or its name.",
        closest=tuple(f"use {connection.name} {each.id}" for each in near),
    )


async def name_project(connection: Connection, project: int) -> Project:
    """The project with its name, or with its number for a name where our key may not list projects."""
    try:
        projects = await connection.projects()
    except RundownError:
        projects = ()
    return next((each for each in projects if each.id == project), Project(project, f"project {project}"))


def _named(project: Project) -> str:
    return f"{project.name} ({project.id})"
