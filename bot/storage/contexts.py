"""Table `contexts`: what `use` chose for a channel."""

from __future__ import annotations

from collections import OrderedDict
from datetime import datetime

from bot.storage.database import Database, DatabaseError
from bot.usecases.ports import ChannelContext, Place

#: Contexts held in memory as well, for the time when the disk can't be used.
MOST_KNOWN = 10_000


class StoredContexts:
    """The port `Contexts`. The disk is the truth, for every process that shares it.

    While it can't be used, what was known is told; of a channel that was not, the DatabaseError is raised: to act as
    if nothing had been chosen there would be a guess.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: OrderedDict[tuple[str, str], ChannelContext | None] = OrderedDict()

    async def get(self, place: Place) -> ChannelContext | None:
        key = (place.team, place.channel)
        try:
            rows = await self._database.run(
                lambda db: list(db["contexts"].rows_where("team = ? and channel = ?", list(key)))
            )
        except DatabaseError:
            if key in self._known:
                return self._known[key]
            raise
        return self._remember(key, _context(rows[0]) if rows else None)

    async def set(self, place: Place, context: ChannelContext) -> None:
        row = {
            "team": place.team,
            "channel": place.channel,
            "connection": context.connection,
            "project": context.project,
            "project_name": context.project_name,
            "chosen_by": context.by,
            "chosen_at": context.at.isoformat(),
        }
        await self._database.run(lambda db: db.table("contexts").upsert(row, pk=("team", "channel")))
        self._remember((place.team, place.channel), context)

    def _remember(self, key: tuple[str, str], context: ChannelContext | None) -> ChannelContext | None:
        self._known[key] = context
        self._known.move_to_end(key)
        while len(self._known) > MOST_KNOWN:
            self._known.popitem(last=False)
        return context


def _context(row: dict[str, object]) -> ChannelContext:
    return ChannelContext(
        connection=str(row["connection"]),
        project=int(str(row["project"])),
        project_name=str(row["project_name"]),
        by=str(row["chosen_by"]),
        at=datetime.fromisoformat(str(row["chosen_at"])),
    )
