"""Rules of who may change what, and requests for them: one rule a place, one decision a request."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.domain.access import AccessRequest, Grant
from bot.domain.errors import OurError
from bot.storage.database import Database
from bot.storage.grants import ASKED_FOR, StoredGrants
from tests.storage.opening import NOW, Clock, database, full, refusing

GRANT = Grant(verb="close", kind="user", subject="U1", channel="C1", allow=True, by="U9", at=NOW)
GROUP = Grant(verb="all", kind="group", subject="S1", channel="", allow=True, by="U9", at=NOW + timedelta(seconds=1))
REQUEST = AccessRequest(
    key="r1", verb="close", user="U1", user_name="Anna “A”", team="T1", channel="C1", at=NOW, command="close R118"
)


async def test_rules_are_kept_by_workspace_over_a_restart(tmp_path: Path) -> None:
    async with database(tmp_path / "a.db") as first:
        grants = StoredGrants(first, Clock())
        for grant in (GROUP, GRANT):
            await grants.put("T1", grant)
        await grants.put("T2", replace(GRANT, subject="U2"))
    async with database(tmp_path / "a.db") as second:
        grants = StoredGrants(second, Clock())
        assert await grants.all("T1") == (GRANT, GROUP)
        assert [grant.subject for grant in await grants.all("T2")] == ["U2"]
        assert await grants.all("T3") == ()


@pytest.mark.parametrize(
    ("changes", "count"),
    [
        ({"allow": False, "by": "U8", "at": NOW + timedelta(days=1)}, 1),
        ({"verb": "start"}, 2),
        ({"subject": "U2"}, 2),
        ({"channel": "C2"}, 2),
        ({"channel": ""}, 2),
    ],
)
async def test_a_rule_takes_the_place_of_the_one_for_the_same(changes: dict[str, Any], count: int) -> None:
    async with database() as only:
        grants = StoredGrants(only, Clock())
        await grants.put("T1", GRANT)
        await grants.put("T1", replace(GRANT, **changes))
        rules = await grants.all("T1")
        assert replace(GRANT, **changes) in rules
        assert len(rules) == count


@pytest.mark.parametrize(
    ("team", "changes", "was_there"),
    [
        ("T1", {}, True),
        ("T1", {"by": "U8", "at": NOW + timedelta(days=1)}, True),
        ("T2", {}, False),
        ("T1", {"verb": "start"}, False),
        ("T1", {"subject": "U2"}, False),
        ("T1", {"channel": ""}, False),
        ("T1", {"allow": False}, False),
    ],
)
async def test_a_rule_is_taken_away_if_it_is_there(team: str, changes: dict[str, Any], was_there: bool) -> None:
    async with database() as only:
        grants = StoredGrants(only, Clock())
        await grants.put("T1", GRANT)
        assert await grants.drop(team, replace(GRANT, **changes)) is was_there
        assert (await grants.all("T1") == ()) is was_there
        assert await grants.drop(team, replace(GRANT, **changes)) is False


async def test_a_right_that_one_process_takes_away_is_gone_in_all(tmp_path: Path) -> None:
    async with database(tmp_path / "a.db") as one, database(tmp_path / "a.db") as other:
        ours, theirs = StoredGrants(one, Clock()), StoredGrants(other, Clock())
        await ours.put("T1", GRANT)
        assert await theirs.all("T1") == (GRANT,)
        assert await ours.drop("T1", GRANT)
        assert await theirs.all("T1") == ()


# ── requests ──


async def test_a_request_is_kept_as_it_is(tmp_path: Path) -> None:
    async with database(tmp_path / "a.db") as first:
        assert await StoredGrants(first, Clock()).ask(REQUEST)
    async with database(tmp_path / "a.db") as second:
        assert await StoredGrants(second, Clock()).request("r1") == REQUEST
        assert await StoredGrants(second, Clock()).request("r2") is None


@pytest.mark.parametrize(
    ("changes", "later", "is_new"),
    [
        ({"key": "r2"}, timedelta(0), False),
        ({"key": "r2", "command": "close R119"}, ASKED_FOR - timedelta(seconds=1), False),
        ({"key": "r2"}, ASKED_FOR, True),
        ({"key": "r2", "verb": "start"}, timedelta(0), True),
        ({"key": "r2", "channel": "C2"}, timedelta(0), True),
        ({"key": "r2", "user": "U2"}, timedelta(0), True),
        ({"key": "r2", "team": "T2"}, timedelta(0), True),
        ({"user": "U2"}, timedelta(0), False),  # the same key is the same request, delivered twice
        ({}, ASKED_FOR * 2, False),
    ],
)
async def test_the_same_is_asked_once_a_day(changes: dict[str, Any], later: timedelta, is_new: bool) -> None:
    async with database() as only:
        clock = Clock()
        grants = StoredGrants(only, clock)
        assert await grants.ask(REQUEST)
        clock.now += later
        second = replace(REQUEST, at=clock.now, **changes)
        assert await grants.ask(second) is is_new
        assert await grants.request("r1") == REQUEST
        assert (await grants.request("r2") == second) is is_new


@pytest.mark.parametrize("settled", ["here", "everywhere", "declined"])
async def test_a_request_is_decided_once(settled: Any) -> None:
    async with database() as only:
        grants = StoredGrants(only, Clock())
        await grants.ask(REQUEST)
        decided = replace(REQUEST, settled=settled, settled_by="U9")
        assert await grants.settle("r1", settled, "U9") == decided
        assert await grants.settle("r1", "declined", "U8") is None
        assert await grants.request("r1") == decided
        assert await grants.settle("r2", settled, "U9") is None


async def test_of_many_admins_who_decide_at_once_one_does(tmp_path: Path) -> None:
    async with database(tmp_path / "a.db") as one, database(tmp_path / "a.db") as other:
        both = [StoredGrants(each, Clock()) for each in (one, other)]
        await both[0].ask(REQUEST)
        told = await asyncio.gather(*(both[n % 2].settle("r1", "here", f"U{n}") for n in range(20)))
        (decided,) = [each for each in told if each is not None]
        assert await both[1].request("r1") == decided


async def test_of_many_who_ask_the_same_at_once_one_is_new(tmp_path: Path) -> None:
    async with database(tmp_path / "a.db") as one, database(tmp_path / "a.db") as other:
        both = [StoredGrants(each, Clock()) for each in (one, other)]
        told = await asyncio.gather(*(both[n % 2].ask(replace(REQUEST, key=f"r{n}")) for n in range(20)))
        assert sum(told) == 1


# ── what cannot be written ──


async def _put(grants: StoredGrants) -> None:
    await grants.put("T1", replace(GRANT, subject="x" * 100_000))


async def _drop(grants: StoredGrants) -> None:
    await grants.drop("T1", GRANT)


async def _ask(grants: StoredGrants) -> None:
    await grants.ask(replace(REQUEST, key="new", user="U7", command="x" * 100_000))


async def _settle(grants: StoredGrants) -> None:
    await grants.settle("r1", "here", "U9")


@pytest.mark.parametrize(
    ("fails", "act"),
    [(refusing, _put), (refusing, _drop), (refusing, _ask), (refusing, _settle), (full, _put), (full, _ask)],
)
async def test_what_the_disk_does_not_take_is_an_error_and_changes_nothing(
    fails: Callable[[Database], Awaitable[None]], act: Callable[[StoredGrants], Awaitable[None]]
) -> None:
    async with database() as only:
        grants = StoredGrants(only, Clock())
        await grants.put("T1", GRANT)
        await grants.ask(REQUEST)
        await fails(only)
        with pytest.raises(OurError):
            await act(grants)
        assert await grants.all("T1") == (GRANT,)
        assert (await grants.request("r1"), await grants.request("new")) == (REQUEST, None)


async def test_the_latest_request_for_the_same_is_found_again() -> None:
    async with database() as only:
        grants = StoredGrants(only, Clock())
        assert await grants.last_request(REQUEST) is None
        await grants.ask(replace(REQUEST, key="r0", at=NOW - timedelta(days=2)))
        await grants.ask(REQUEST)
        await grants.ask(replace(REQUEST, key="r2", verb="note"))
        await grants.settle("r1", "declined", "U9")
        known = replace(REQUEST, settled="declined", settled_by="U9")
        assert await grants.last_request(replace(REQUEST, key="r3")) == known
