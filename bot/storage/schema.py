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

    @rundown(name="004_changes")
    def changes(db: Database) -> None:
        db.table("changes").create(
            {
                "key": str,
                "verb": str,
                "connection": str,
                "run": str,
                "run_thread": int,
                "title": str,
                "who": str,
                "who_name": str,
                "team": str,
                "channel": str,
                "thread": str,
                "at": str,
                "change": str,
                "seen": str,
                "outcome": str,
                "ended_at": str,
                "after": str,
                "why": str,
                "part_of": str,
                "told": int,
                "owner": str,
                "lease_until": str,
            },
            pk="key",
            not_null={"verb", "at", "outcome", "told"},
            strict=True,
        )
        for columns in (("at",), ("verb", "at"), ("who", "at"), ("run", "at"), ("outcome", "at"), ("part_of", "at")):
            db.table("changes").create_index(columns)
        for index in (
            "unique index changes_busy on changes (run) where outcome = 'begun'",
            "index changes_done on changes (run, verb, ended_at) where outcome = 'done'",
            "index changes_leased on changes (lease_until) where lease_until is not null",
        ):
            db.conn.execute(f"create {index}")

    @rundown(name="005_proposals")
    def proposals(db: Database) -> None:
        db.table("proposals").create(
            {
                "kind": str,
                "key": str,
                "team": str,
                "channel": str,
                "thread": str,
                "user": str,
                "at": str,
                "body": str,
            },
            pk=("kind", "key"),
            not_null={"at", "body"},
            strict=True,
        )
        db.table("proposals").create_index(["at"])

    @rundown(name="006_grants")
    def grants(db: Database) -> None:
        db.table("grants").create(
            {
                "team": str,
                "verb": str,
                "kind": str,
                "subject": str,
                "channel": str,
                "allow": int,
                "made_by": str,
                "at": str,
            },
            pk=("team", "verb", "subject", "channel"),
            not_null={"kind", "allow", "made_by", "at"},
            strict=True,
        )
        db.table("access_requests").create(
            {
                "key": str,
                "verb": str,
                "user": str,
                "user_name": str,
                "team": str,
                "channel": str,
                "at": str,
                "command": str,
                "settled": str,
                "settled_by": str,
            },
            pk="key",
            not_null={"verb", "user", "team", "channel", "at", "settled"},
            strict=True,
        )
        db.table("access_requests").create_index(["team", "user", "verb", "channel", "at"])

    @rundown(name="007_cards")
    def cards(db: Database) -> None:
        db.table("cards").create(
            {
                "team": str,
                "channel": str,
                "ts": str,
                "thread": str,
                "run": str,
                "run_thread": int,
                "command": str,
                "at": str,
            },
            pk=("team", "channel", "ts"),
            not_null={"run", "at"},
            strict=True,
        )
        db.table("cards").create_index(["run", "at"])
        db.table("cards").create_index(["at"])

    @rundown(name="008_recall_by_age")
    def recall_by_age(db: Database) -> None:
        for table in ("recall_lists", "recall_runs", "run_threads"):
            db.table(table).create_index(["at"])

    @rundown(name="009_plans")
    def plans(db: Database) -> None:
        db.table("plans").create(
            {
                "id": str,
                "team": str,
                "channel": str,
                "name": str,
                "folded": str,
                "owner": str,
                "body": str,
                "since": str,
            },
            pk="id",
            not_null={"team", "channel", "name", "folded", "owner", "body"},
            strict=True,
        )
        db.table("plans").create_index(["team", "channel", "folded"], unique=True)
        db.table("plan_slots").create(
            {"plan": str, "slot": str, "state": str, "owner": str, "lease_until": str, "made_at": str},
            pk=("plan", "slot"),
            not_null={"state", "owner"},
            strict=True,
        )

    @rundown(name="010_parcels")
    def parcels(db: Database) -> None:
        db.table("parcels").create(
            {
                "key": str,
                "team": str,
                "channel": str,
                "made_at": str,
                "for_whom": str,
                "owner": str,
                "slot": str,
                "under": str,
                "thread": str,
                "state": str,
                "tries": int,
                "tried_at": str,
                "posted_at": str,
                "ts": str,
                "reason": str,
                "repeat": int,
                "holder": str,
                "free_at": str,
                "ended_at": str,
                "body": str,  # last: what is asked for lies before the long text
            },
            pk="key",
            not_null={"team", "channel", "body", "made_at", "under", "thread", "state", "tries", "holder"},
            strict=True,
        )
        for index in (
            "parcels_open on parcels (made_at) where free_at is not null",
            "parcels_in_order on parcels (team, channel, under, thread, made_at) where free_at is not null",
            "parcels_parts on parcels (under) where under != ''",
            "parcels_ended on parcels (ended_at) where ended_at is not null",
            "parcels_about on parcels (for_whom, made_at)",
        ):
            db.conn.execute(f"create index {index}")

    @rundown(name="011_history")
    def history(db: Database) -> None:
        db.table("streams").create(
            {"id": int, "connection": str, "project": int, "letter": str, "series": str, "config": str},
            pk="id",
            not_null={"connection", "project", "letter", "series", "config"},
            strict=True,
        )
        db.table("streams").create_index(["connection", "project", "letter", "series", "config"], unique=True)
        db.table("stream_tests").create(
            {"stream": int, "first": int, "count": int, "keys": bytes},
            pk=("stream", "first"),
            not_null={"count", "keys"},
            strict=True,
        )
        db.table("past_runs").create(
            {
                "run": str,
                "stream": int,
                "number": int,
                "created_at": str,
                "finished_at": str,
                "tally": str,
                "failing": int,
                "first_test": int,
                "tests": bytes,
            },
            pk="run",
            not_null={"stream", "number", "created_at", "tally", "failing"},
            strict=True,
        )
        db.table("past_runs").create_index(["stream", "created_at", "number"])

    return rundown
