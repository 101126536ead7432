"""Who somebody is in each system."""

from __future__ import annotations

import asyncio

from bot.domain.answers import Identity, WhoAmI
from bot.domain.errors import RundownError
from bot.domain.queries import Who
from bot.usecases.ports import Connection
from bot.usecases.systems import Systems


async def who_am_i(name: str, email: str, role: str, *, systems: Systems) -> WhoAmI:
    """The person in every system, by email address (by name where Slack tells no address)."""
    who = Who(text=email or name, email=email, name=name)
    identities = await asyncio.gather(*(_identify(connection, who) for connection in systems))
    return WhoAmI(name=name, email=email, role=role, identities=tuple(identities))


async def _identify(connection: Connection, who: Who) -> Identity:
    try:
        person = await connection.find_person(who)
    except RundownError as error:
        return Identity(connection=connection.name, system=connection.system, trouble=error)
    return Identity(connection=connection.name, system=connection.system, person=person)
