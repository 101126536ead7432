"""Plans: kept as they were made, one of a name in a channel; of many who want a slot, one makes it, and once."""

from __future__ import annotations

import asyncio
import json
import logging
import sqlite3
import sys
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.domain.digests import DigestPlan, Parcel, Sending, Timing
from bot.domain.errors import OurError
from bot.domain.queries import RunQuery, Who
from bot.storage.database import Database
from bot.storage.outbox import StoredOutbox
from bot.storage.plans import KEPT, NEWEST, StoredPlans
from tests.storage.opening import NOW, Clock, database, full, plans, refusing, traced, untraced

PLAN = DigestPlan(
    id="d1",
    team="T1",
    channel="C1",
    name="Nightly",
    owner="U1",
    owner_name="Anna “A” 🎉",
    timing=Timing("0 9 * * 1-5", "Europe/Berlin", "mon-fri at 09:00"),
    made_at=NOW,
    query=RunQuery(state="all", source=("nightly",), by=(Who("@anna", "anna@example.com"),), since=NOW),
    what=("failed", "stale"),
)
SLOT = "2026-11-20T09:00"
LEASE_S = 60.0


def parcel(key: str = f"d1/{SLOT}", **more: Any) -> Parcel:
    known: dict[str, Any] = {"team": "T1", "channel": "C1", "body": "{}", "for_whom": "d1", "owner": "U1"}
    return Parcel(key=key, made_at=NOW, slot=SLOT, **{**known, **more})


async def make(stored: StoredPlans, slot: str = SLOT, plan: str = "d1", *parcels: Parcel) -> bool:
    """Claim a slot and make its digest."""
    assert await stored.claim(plan, slot, lease_s=LEASE_S)
    return await stored.made(plan, slot, since=NOW, parcels=parcels)


# ── plans ──


@pytest.mark.parametrize(
    "plan",
    [
        PLAN,
        replace(PLAN, automated=False, what=(), if_empty="post", ask="list --older-than 14d", parked="no such channel"),
        replace(PLAN, since=NOW, paused_until=NOW + timedelta(days=9999), words="\x00 '; drop table plans; --"),
    ],
)
async def test_a_plan_is_kept_as_it_is_over_a_restart(tmp_path: Path, plan: DigestPlan) -> None:
    async with database(tmp_path / "a.db") as first:
        assert await StoredPlans(first, Clock()).add(plan)
    async with database(tmp_path / "a.db") as second:
        stored = StoredPlans(second, Clock())
        assert await stored.get("d1") == plan
        assert await stored.all() == await stored.of("T1") == await stored.of("T1", "C1") == (plan,)
        assert await stored.get("d2") is None


@pytest.mark.parametrize(
    ("other", "fits"),
    [
        ({"id": "d2"}, False),
        ({"id": "d2", "name": "NIGHTLY"}, False),
        ({"id": "d1", "name": "Weekly"}, False),
        ({"id": "d2", "name": "Nightly 2"}, True),
        ({"id": "d2", "channel": "C2"}, True),
        ({"id": "d2", "team": "T2"}, True),
    ],
)
async def test_a_channel_has_one_plan_of_a_name_whatever_its_case(other: dict[str, str], fits: bool) -> None:
    async with database() as only:
        stored = StoredPlans(only, Clock())
        another = replace(PLAN, **other)  # type: ignore[arg-type]
        assert await stored.add(PLAN)
        assert await stored.add(another) is fits
        assert set(await stored.all()) == ({PLAN, another} if fits else {PLAN})


@pytest.mark.parametrize(
    ("to", "fits"),
    [
        ({"name": "NIGHTLY", "ask": "list"}, True),
        ({"channel": "C2"}, True),
        ({"owner": "U2", "parked": "it was archived"}, True),
        ({"name": "weekly"}, False),
        ({"id": "gone"}, False),
    ],
)
async def test_a_plan_is_changed_unless_it_is_gone_or_would_take_anothers_name(to: dict[str, str], fits: bool) -> None:
    async with database() as only:
        stored = StoredPlans(only, Clock())
        weekly = replace(PLAN, id="d2", name="Weekly")
        changed = replace(PLAN, **to)  # type: ignore[arg-type]
        assert await stored.add(PLAN)
        assert await stored.add(weekly)
        assert await stored.change(changed) is fits
        assert set(await stored.all()) == {changed if fits else PLAN, weekly}


async def test_a_change_that_read_the_plan_before_a_digest_does_not_make_it_tell_the_same_again() -> None:
    async with database() as only:
        stored = StoredPlans(only, Clock())
        assert await stored.add(PLAN)
        assert await make(stored)
        assert await stored.change(replace(PLAN, ask="list"))
        assert await stored.get("d1") == replace(PLAN, ask="list", since=NOW)
        later = replace(PLAN, since=NOW + timedelta(days=1))
        assert await stored.change(later)
        assert await stored.get("d1") == later


async def test_plans_come_by_name_those_of_one_channel_or_of_all() -> None:
    async with database() as only:
        stored = StoredPlans(only, Clock())
        for number, (team, channel, name) in enumerate(
            [("T1", "C1", "b"), ("T1", "C2", "A"), ("T1", "C1", "C"), ("T2", "C1", "a"), ("T1", "C1", "a")]
        ):
            assert await stored.add(replace(PLAN, id=str(number), team=team, channel=channel, name=name))
        found = {asked: [each.id for each in await stored.of(*asked)] for asked in (("T1",), ("T1", "C1"), ("T3",))}
        assert found == {("T1",): ["4", "1", "0", "2"], ("T1", "C1"): ["4", "0", "2"], ("T3",): []}


async def test_a_removed_plan_is_gone_and_its_name_is_free() -> None:
    async with database() as only:
        stored = StoredPlans(only, Clock())
        assert await stored.add(PLAN)
        assert await stored.remove("d1")
        assert not await stored.remove("d1")
        assert await stored.all() == ()
        assert await stored.add(replace(PLAN, id="d2"))


async def test_one_that_another_version_made_is_left_out_and_told_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    async with database() as only:
        stored = StoredPlans(only, Clock())
        assert await stored.add(PLAN)
        assert await stored.add(replace(PLAN, id="d2", name="Weekly"))
        body = await only.run(lambda db: json.loads(db.table("plans").get("d1")["body"]))
        body["query"]["branch"] = ["main"]
        await only.run(lambda db: db.table("plans").update("d1", {"body": json.dumps(body)}))
        with caplog.at_level(logging.WARNING):
            assert [each.id for each in await stored.all()] == ["d2"]
        assert "digest d1" in caplog.text
        assert await stored.get("d1") is None
        assert not await stored.add(replace(PLAN, id="d3"))


# ── slots ──


async def test_of_25_connections_that_claim_at_once_one_gets_the_slot(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        opened = [await stack.enter_async_context(database(tmp_path / "a.db")) for _ in range(25)]
        them = [StoredPlans(each, Clock()) for each in opened]
        assert await them[0].add(PLAN)
        claimed = await asyncio.gather(*(each.claim("d1", SLOT, lease_s=LEASE_S) for each in them))
        assert sorted(claimed) == [False] * 24 + [True]
        made = await asyncio.gather(
            *(each.made("d1", SLOT, since=NOW, parcels=[parcel(str(number))]) for number, each in enumerate(them))
        )
        assert made == claimed
        (kept,) = await StoredOutbox(opened[0], Clock()).about("d1")
        assert kept.key == str(claimed.index(True))


CLAIM_ALL = """
import asyncio, sys
from datetime import datetime
from bot.storage.database import Database
from bot.storage.plans import StoredPlans
async def main():
    now = datetime.fromisoformat(sys.argv[2])
    database = Database(sys.argv[1])
    await database.open()
    plans = StoredPlans(database, lambda: now)
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    for day in range(40):
        if await plans.claim("d1", f"slot {day:02}", lease_s=60) and await plans.made(
            "d1", f"slot {day:02}", since=now, parcels=[]
        ):
            print(day)
    await database.close()
asyncio.run(main())
"""


async def test_two_processes_make_each_slot_once(tmp_path: Path) -> None:
    async with database(tmp_path / "a.db") as only:
        assert await StoredPlans(only, Clock()).add(PLAN)
    both = [
        await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", CLAIM_ALL, str(tmp_path / "a.db"), NOW.isoformat()),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        for _ in range(2)
    ]
    for process in both:
        assert process.stdout is not None
        assert await process.stdout.readline() == b"ready\n"
    said = await asyncio.gather(*(process.communicate(b"\n") for process in both))
    assert [process.returncode for process in both] == [0, 0]
    assert sorted(int(day) for out, _ in said for day in out.split()) == list(range(40))


@pytest.mark.parametrize(("later_s", "free"), [(0, False), (LEASE_S, False), (LEASE_S + 1, True)])
async def test_a_slot_is_free_again_when_whoever_was_at_it_is_not_heard_of(later_s: float, free: bool) -> None:
    async with database() as only:
        clock = Clock()
        us, them = (StoredPlans(only, clock, owner=owner) for owner in ("us", "them"))
        assert await us.add(PLAN)
        assert await us.claim("d1", SLOT, lease_s=LEASE_S)
        clock.later(seconds=later_s)
        assert await them.claim("d1", SLOT, lease_s=LEASE_S) is free
        await us.renew("d1", SLOT, lease_s=1e6)
        clock.later(seconds=LEASE_S + 1)
        assert await us.claim("d1", SLOT, lease_s=LEASE_S) is free  # a lease that was taken over is not renewed
        assert await them.made("d1", SLOT, since=NOW, parcels=[parcel()]) is False
        assert await us.made("d1", SLOT, since=NOW, parcels=[parcel()]) is True


async def test_one_who_was_away_for_long_and_lost_nothing_may_still_make_it() -> None:
    async with database() as only:
        clock = Clock()
        stored = StoredPlans(only, clock)
        assert await stored.add(PLAN)
        assert await stored.claim("d1", SLOT, lease_s=LEASE_S)
        clock.later(hours=5)
        assert await stored.made("d1", SLOT, since=NOW, parcels=[])


async def test_what_is_made_is_done_for_good_and_the_plan_goes_on_from_there() -> None:
    async with database() as only:
        clock = Clock()
        stored, outbox = StoredPlans(only, clock), StoredOutbox(only, clock)
        assert await stored.add(PLAN)
        part = parcel(f"d1/{SLOT}/2", under=f"d1/{SLOT}")
        assert await make(stored, SLOT, "d1", parcel(), part)
        assert await stored.get("d1") == replace(PLAN, since=NOW)
        assert set(await outbox.about("d1")) == {parcel(), part}
        clock.later(days=300)
        assert not await stored.claim("d1", SLOT, lease_s=LEASE_S)
        assert not await stored.made("d1", SLOT, since=clock.now, parcels=[parcel("another")])
        assert len(await outbox.about("d1")) == 2
        assert await stored.get("d1") == replace(PLAN, since=NOW)


async def test_an_older_slot_that_is_made_late_does_not_move_the_plan_back() -> None:
    async with database() as only:
        stored = StoredPlans(only, Clock())
        assert await stored.add(PLAN)
        for slot, since in ((SLOT, NOW), ("2026-11-19T09:00", NOW - timedelta(days=1))):
            assert await stored.claim("d1", slot, lease_s=LEASE_S)
            assert await stored.made("d1", slot, since=since, parcels=[])
        assert await stored.get("d1") == replace(PLAN, since=NOW)
        assert await stored.last_slot("d1") == SLOT


async def test_a_message_that_is_there_already_is_not_kept_twice() -> None:
    async with database() as only:
        stored, outbox = StoredPlans(only, Clock()), StoredOutbox(only, Clock())
        assert await stored.add(PLAN)
        assert await outbox.put([parcel()])
        await outbox.ended(parcel().key, Sending.POSTED, at=NOW, ts="1.5")
        assert await make(stored, SLOT, "d1", parcel())
        assert [each.ts for each in await outbox.about("d1")] == ["1.5"]


async def test_nothing_is_made_for_a_plan_that_is_gone_or_that_nobody_claimed() -> None:
    async with database() as only:
        stored, outbox = StoredPlans(only, Clock()), StoredOutbox(only, Clock())
        assert not await stored.claim("d1", SLOT, lease_s=LEASE_S)
        assert await stored.add(PLAN)
        assert not await stored.made("d1", SLOT, since=NOW, parcels=[parcel()])
        assert await stored.claim("d1", SLOT, lease_s=LEASE_S)
        assert await stored.remove("d1")
        assert not await stored.made("d1", SLOT, since=NOW, parcels=[parcel()])
        assert await outbox.about("d1") == ()


async def test_the_last_slot_is_the_latest_that_is_done() -> None:
    async with database() as only:
        stored = StoredPlans(only, Clock())
        for plan in (PLAN, replace(PLAN, id="d2", name="Weekly")):
            assert await stored.add(plan)
        assert await stored.last_slot("d1") == ""
        for slot in ("2026-10-25T09:00", "2026-11-02T09:00", "2026-10-31T09:00"):
            assert await make(stored, slot)
        assert await make(stored, SLOT, "d2")
        assert await stored.claim("d1", SLOT, lease_s=LEASE_S)
        assert [await stored.last_slot(plan) for plan in ("d1", "d2", "d3")] == ["2026-11-02T09:00", SLOT, ""]


@pytest.mark.parametrize(
    ("every", "count", "left"),
    [
        (timedelta(days=1), 600, KEPT.days + 1),  # a daily one: as long as they are kept
        (timedelta(days=7), 150, NEWEST),  # a weekly one: as many as are kept
    ],
)
async def test_old_slots_go_when_another_is_made(every: timedelta, count: int, left: int) -> None:
    async with database() as only:
        stored = StoredPlans(only, Clock())
        assert await stored.add(PLAN)
        slots = [f"{NOW - every * number:%Y-%m-%dT%H:%M}" for number in range(count)]
        old = [{"plan": plan, "slot": slot, "state": "made", "owner": ""} for slot in slots[1:] for plan in ("d1", "x")]
        await only.run(lambda db: db.table("plan_slots").insert_all(old))
        assert await make(stored, slots[0])
        found = await only.run(lambda db: [row["slot"] for row in db["plan_slots"].rows_where("plan = 'd1'")])
        assert sorted(found, reverse=True) == slots[:left]
        assert await only.run(lambda db: db["plan_slots"].count_where("plan = 'x'")) == count - 1


# ── the file ──


async def test_no_question_reads_all_plans_or_slots() -> None:
    async with database() as only:
        stored = StoredPlans(only, Clock())
        assert await stored.add(PLAN)
        statements = await traced(only)
        await stored.of("T1")
        await stored.of("T1", "C1")
        await stored.get("d1")
        await stored.change(PLAN)
        await make(stored)
        await stored.renew("d1", SLOT, lease_s=LEASE_S)
        await stored.last_slot("d1")
        await stored.remove("d1")
        await untraced(only)
        steps = await plans(only, [each for each in statements if each.startswith(("select", "update", "delete"))])
        read = [step for step in steps if not step.startswith(("SCALAR SUBQUERY", "USE TEMP B-TREE"))]
        assert len(read) >= 10
        assert [step for step in read if not (step.startswith("SEARCH plan") and "INDEX" in step)] == []


def _copies(connection: sqlite3.Connection, them: list[DigestPlan]) -> None:
    others = "team, channel, owner, since"
    sql = (
        f"insert into plans (id, name, folded, body, {others}) "
        f"select :id, :name, :name, replace(replace(body, '\"d0\"', :new_id), '\"Nightly 0\"', :new_name), {others} "
        "from plans where id = 'd0'"
    )
    with connection:
        connection.executemany(
            sql,
            [{"id": it.id, "name": it.name, "new_id": f'"{it.id}"', "new_name": f'"{it.name}"'} for it in them],
        )


async def test_ten_thousand_plans_are_read_equal_and_once_each() -> None:
    async with database() as only:
        stored = StoredPlans(only, Clock())
        many = [replace(PLAN, id=f"d{number}", name=f"Nightly {number}") for number in range(10_000)]
        assert await stored.add(many[0])
        await only.run(lambda db: _copies(db.conn, many[1:]))
        assert set(await stored.all()) == set(many)


async def _add(stored: StoredPlans) -> None:
    await stored.add(replace(PLAN, id="d2", name="x" * 100_000))


async def _change(stored: StoredPlans) -> None:
    await stored.change(replace(PLAN, ask="x" * 100_000))


async def _remove(stored: StoredPlans) -> None:
    await stored.remove("d1")


async def _claim(stored: StoredPlans) -> None:
    await stored.claim("d1", "another", lease_s=LEASE_S)


async def _made(stored: StoredPlans) -> None:
    await stored.made("d1", SLOT, since=NOW, parcels=[parcel("1"), parcel("2", body="x" * 100_000)])


async def _no_text(stored: StoredPlans) -> None:
    await stored.add(replace(PLAN, id="d2", name="\ud800"))


async def _nothing(_: Database) -> None:
    """The disk is well."""


READ_ONLY = [(refusing, act) for act in (_add, _change, _remove, _claim, _made)]
FULL = [(full, act) for act in (_add, _change, _made)]


@pytest.mark.parametrize(("fails", "act"), [*READ_ONLY, *FULL, (_nothing, _no_text)])
async def test_what_the_disk_does_not_take_is_an_error_and_changes_nothing(
    fails: Callable[[Database], Awaitable[None]], act: Callable[[StoredPlans], Awaitable[None]]
) -> None:
    async with database() as only:
        stored = StoredPlans(only, Clock())
        assert await stored.add(PLAN)
        assert await stored.claim("d1", SLOT, lease_s=LEASE_S)
        before = await _all_rows(only)
        await fails(only)
        with pytest.raises(OurError):
            await act(stored)
        assert await _all_rows(only) == before


async def _all_rows(it: Database) -> list[Any]:
    tables = ("plans", "plan_slots", "parcels")
    return await it.run(lambda db: [db.conn.execute(f"select * from {table}").fetchall() for table in tables])
