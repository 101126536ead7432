"""The tables, as numbered migrations. A released migration is never changed, only followed by another."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlite_utils import Database, Migrations


def migrations() -> Migrations:
    """All migrations in their order. The library is imported here, in the writer thread, not at start-up."""
    from sqlite_utils import Migrations

    rundown = Migrations("rundown")

    @rundown(name="001_contexts")
    def contexts(db: Database) -> None:
        db.table("contexts").create(
            {
                "team": str,
                "channel": str,
                "connection": str,
                "project": int,
                "project_name": str,
                "chosen_by": str,
                "chosen_at": str,
            },
            pk=("team", "channel"),
            not_null={"connection", "project", "project_name", "chosen_by", "chosen_at"},
            strict=True,
        )

    @rundown(name="002_recall")
    def recall(db: Database) -> None:
        db.table("recall_lists").create(
            {"team": str, "channel": str, "user": str, "refs": str, "at": str},
            pk=("team", "channel", "user"),
            strict=True,
        )
        db.table("recall_runs").create(
            {"team": str, "channel": str, "user": str, "ref": str, "at": str},
            pk=("team", "channel", "user"),
            strict=True,
        )
        db.table("run_threads").create(
            {"team": str, "channel": str, "thread": str, "ref": str, "at": str},
            pk=("team", "channel", "thread"),
            strict=True,
        )

    @rundown(name="003_deliveries")
    def deliveries(db: Database) -> None:
        db.table("deliveries").create({"key": str, "at": float}, pk="key", strict=True)
        db.table("deliveries").create_index(["at"])

    return rundown
