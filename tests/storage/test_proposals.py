"""Proposals: there until they are forgotten, equal to what was put, and not there rather than half understood."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from bot.domain.acts import Delete, Proposal
from bot.domain.errors import OurError
from bot.storage.database import Database
from bot.storage.proposals import KEPT, StoredProposals
from tests.storage.opening import Clock, database, full, refusing
from tests.storage.test_packing import BULK, PROPOSAL, RUN


async def put(proposals: StoredProposals, proposal: Proposal = PROPOSAL) -> None:
    await proposals.put(proposal, team="T1", channel="C1", thread="", user="U1")


async def test_a_proposal_is_as_it_was_after_a_restart_and_in_another_process(tmp_path: Path) -> None:
    async with database(tmp_path / "a.db") as one, database(tmp_path / "a.db") as other:
        await put(StoredProposals(one, Clock()))
        assert await StoredProposals(other, Clock()).get("k") == PROPOSAL
    async with database(tmp_path / "a.db") as again:
        assert await StoredProposals(again, Clock()).get("k") == PROPOSAL
        assert await StoredProposals(again, Clock()).get("another") is None


async def test_a_bulk_is_as_it_was_last_put() -> None:
    async with database() as only:
        proposals = StoredProposals(only, Clock())
        await proposals.put_bulk(BULK)
        assert await proposals.get_bulk("b") == BULK
        stopped = replace(BULK, stopped="3 in a row failed.")
        await proposals.put_bulk(stopped)
        assert await proposals.get_bulk("b") == stopped


async def test_one_that_is_put_again_is_the_new_one() -> None:
    async with database() as only:
        proposals = StoredProposals(only, Clock())
        await put(proposals)
        await put(proposals, replace(PROPOSAL, change=Delete(RUN.ref)))
        assert await proposals.get("k") == replace(PROPOSAL, change=Delete(RUN.ref))


async def test_a_proposal_is_no_bulk_of_the_same_key() -> None:
    async with database() as only:
        proposals = StoredProposals(only, Clock())
        await put(proposals)
        assert await proposals.get_bulk("k") is None
        await proposals.put_bulk(replace(BULK, key="k"))
        assert await proposals.get("k") == PROPOSAL


async def test_one_that_another_version_wrote_is_not_there() -> None:
    async with database() as only:
        proposals = StoredProposals(only, Clock())
        await put(proposals)
        await proposals.put_bulk(BULK)
        await only.run(lambda db: db.conn.execute("""update proposals set body = replace(body, '"Close"', '"Shut"')"""))
        assert (await proposals.get("k"), await proposals.get_bulk("b")) == (None, None)


async def test_old_ones_go_when_another_is_put_at_most_once_an_hour() -> None:
    async with database() as only:
        clock = Clock()
        proposals = StoredProposals(only, clock)
        await put(proposals)
        clock.later(minutes=30)
        await put(proposals, replace(PROPOSAL, key="half an hour younger"))
        clock.now += KEPT
        await put(proposals, replace(PROPOSAL, key="new"))
        assert await proposals.get("k") is None
        assert await proposals.get("half an hour younger") is not None
        clock.later(minutes=59)
        await put(proposals, replace(PROPOSAL, key="new"))
        assert await proposals.get("half an hour younger") is not None
        clock.later(minutes=1)
        await put(proposals, replace(PROPOSAL, key="new"))
        assert await proposals.get("half an hour younger") is None
        assert await proposals.get("new") is not None


async def _one(proposals: StoredProposals) -> None:
    await put(proposals, replace(PROPOSAL, lines=("x" * 100_000,)))


async def _bulk(proposals: StoredProposals) -> None:
    await proposals.put_bulk(replace(BULK, words="x" * 100_000))


async def _no_text(proposals: StoredProposals) -> None:
    await put(proposals, replace(PROPOSAL, title="\ud800"))


async def _nothing(_: Database) -> None:
    """The disk is well."""


@pytest.mark.parametrize(
    ("fails", "act"), [(refusing, _one), (refusing, _bulk), (full, _one), (full, _bulk), (_nothing, _no_text)]
)
async def test_what_the_disk_does_not_take_is_an_error_and_leaves_nothing(
    fails: Callable[[Database], Awaitable[None]], act: Callable[[StoredProposals], Awaitable[None]], tmp_path: Path
) -> None:
    async with database(tmp_path / "a.db") as only:
        await fails(only)
        with pytest.raises(OurError):
            await act(StoredProposals(only, Clock()))
    async with database(tmp_path / "a.db") as again:
        assert await again.run(lambda db: db["proposals"].count) == 0
