"""Table `contexts`: what `use` chose for a channel."""

from __future__ import annotations

from datetime import datetime

from bot.storage.database import Database
from bot.usecases.ports import ChannelContext, Place


class StoredContexts:
    """The port `Contexts`. Read once from the disk, then from memory: this process is the only writer."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: dict[tuple[str, str], ChannelContext | None] = {}

    async def get(self, place: Place) -> ChannelContext | None:
        key = (place.team, place.channel)
        if key not in self._known:
            rows = await self._database.run(
                lambda db: list(db["contexts"].rows_where("team = ? and channel = ?", list(key)))
            )
            self._known[key] = _context(rows[0]) if rows else None
        return self._known[key]

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
        self._known[place.team, place.channel] = context


def _context(row: dict[str, object]) -> ChannelContext:
    return ChannelContext(
        connection=str(row["connection"]),
        project=int(str(row["project"])),
        project_name=str(row["project_name"]),
        by=str(row["chosen_by"]),
        at=datetime.fromisoformat(str(row["chosen_at"])),
    )
