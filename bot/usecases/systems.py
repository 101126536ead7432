"""The configured connections, and how one is meant."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from bot.domain.answers import Trouble
from bot.domain.errors import AmbiguousError, AskError, Choice, NoContextError, NotFoundError, RundownError
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

    def named(self, name: str) -> tuple[Connection, ...]:
        """The connection of that name, whatever its case; else those of the system of that name."""
        wanted = name.casefold()
        one = tuple(each for each in self if each.name.casefold() == wanted)
        return one or tuple(each for each in self if each.system.casefold() == wanted)

    def get(self, name: str, command: str = "list --in {name}") -> Connection:
        """The one connection of that name, or of the system of that name.

        Raises NotFoundError with the closest, and AmbiguousError when the system has several. `command` is what takes
        another name in its place.
        """
        found = self.named(name)
        if len(found) > 1:
            raise AmbiguousError(
                f"“{name}” could be any of {len(found)} connections.",
                tuple(Choice(f"{each.name} ({each.system})", command.format(name=each.name)) for each in found),
                why=f"They are all of {found[0].system}.",
                fix="Choose one: " + ", ".join(each.name for each in found) + ".",
            )
        if not found:
            names = tuple(self._connections)
            near = get_close_matches(name.casefold(), names, 1)
            raise NotFoundError(
                f"There is no connection “{name}”.",
                why="The connections here are " + ", ".join(names) + "." if names else "No test system is connected.",
                fix=f"Name one of them, for example --in {names[0]}." if names else "Ask whoever set up Rundown.",
                closest=tuple(command.format(name=each) for each in near),
            )
        return found[0]


async def targets(
    systems: Systems, context: ChannelContext | None, *, connection: str = "", project: str = ""
) -> tuple[tuple[Target, ...], tuple[Trouble, ...]]:
    """Where a question goes: what was named, else the channel's context, else every connection's own project.

    `connection` may be `all`, or a system that several connections are of. Also tells which connections had to be
    left out, and why. Raises NoContextError when nothing is left, NotFoundError for a project nobody has.
    """
    everyone = list(systems)
    if connection and connection.casefold() != "all":
        everyone = list(systems.named(connection)) or [systems.get(connection)]
    elif context is not None and not connection:
        everyone = [systems.get(context.connection)]
    if len(everyone) == 1:
        return (await target(everyone[0], context, project),), ()
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
    if not found and troubles:  # whoever could not answer may be the one that has the project
        raise next((each.error for each in troubles if not isinstance(each.error, AskError)), troubles[0].error)
    if not found:
        raise nothing_connected()
    return tuple(found), tuple(troubles)


def nothing_connected() -> NoContextError:
    return NoContextError(
        "No test system is connected.",
        why="Rundown was started without a connection.",
        fix="Ask whoever set up Rundown to add one.",
    )


async def target(connection: Connection, context: ChannelContext | None, project: str = "") -> Target:
    """The project of a connection that is meant: the named one, the channel's, the configured one, or the only one."""
    if project:
        return Target(connection, await find_project(connection, project, f"list --in {connection.name} --project"))
    if context is not None and context.connection == connection.name:
        return Target(connection, Project(context.project, context.project_name))
    if connection.project is not None:
        return Target(connection, await name_project(connection, connection.project))
    projects = await connection.projects()
    if len(projects) == 1:
        return Target(connection, projects[0])
    if not projects:
        raise NoContextError(
            f"{connection.name} has no project.",
            why="Our key sees none there.",
            fix=f"Ask whoever looks after {connection.system} to let Rundown's account see one.",
        )
    raise NoContextError(
        f"Which project of {connection.system}?",
        why=f"{connection.name} has {len(projects)} projects and none is chosen for this channel.",
        fix=f"Choose one with `use {connection.name} PROJECT`, or add --project ID.",
        closest=tuple(f"use {connection.name} {each.id}" for each in projects[:5]),
    )


async def find_project(connection: Connection, text: str, command: str = "") -> Project:
    """A project by number, else by name (whole, else the only one that begins with it).

    Raises NotFoundError with the closest, AmbiguousError when several have the name. `command` is what takes another
    project's number behind it; without one it is chosen for the channel.
    """
    command = command or f"use {connection.name}"
    projects = await connection.projects()
    wanted = text.strip().casefold()
    numbered = [each for each in projects if wanted == str(each.id)]
    whole = [each for each in projects if wanted == each.name.strip().casefold()]
    begun = [each for each in projects if wanted and each.name.strip().casefold().startswith(wanted)]
    fitting = numbered or whole or begun
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        raise AmbiguousError(
            f"“{text}” could be any of {len(fitting)} projects of {connection.system}.",
            tuple(Choice(_named(each), f"{command} {each.id}") for each in fitting[:8]),
            why="They have the same name." if whole else "Their names begin with it.",
            fix="Choose one, or name it by its number.",
        )
    names = {each.name.casefold(): each for each in projects}
    near = [names[name] for name in get_close_matches(wanted, names, 3, 0.4)]
    seen = ": " + ", ".join(_named(each) for each in projects[:8]) if projects else ""
    raise NotFoundError(
        f"No project “{text}” in {connection.system}.",
        why=f"Our key sees {len(projects)} {'project' if len(projects) == 1 else 'projects'} there{seen}"
        + (", …" if len(projects) > 8 else "."),
        fix="Name one by its number or its name.",
        closest=tuple(f"{command} {each.id}" for each in near),
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
