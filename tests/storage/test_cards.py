"""Cards: where a run is shown, newest first, until nobody would look there any more."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.domain.errors import OurError
from bot.domain.model import RunRef
from bot.storage.cards import KEPT, StoredCards
from bot.storage.database import Database
from bot.usecases.ports import Card
from tests.storage.opening import Clock, database, full, plans, refusing, traced, untraced

RUN = RunRef("testmo", "A", 412)
CARD = Card("T1", "C1", "1763629200.000100", "", RUN, "show A412")


async def put(cards: StoredCards, clock: Clock, *them: Card) -> None:
    """Put these cards, a second apart."""
    for card in them:
        await cards.put(card)
        clock.later(seconds=1)


async def test_cards_of_a_run_and_its_threads_come_newest_first_over_a_restart(tmp_path: Path) -> None:
    third = replace(CARD, ts="2", thread="1763629200.000100", ref=replace(RUN, thread=3))
    other = replace(CARD, ts="3", ref=replace(RUN, id=413))
    async with database(tmp_path / "a.db") as first:
        clock = Clock()
        await put(StoredCards(first, clock), clock, CARD, third, other)
    async with database(tmp_path / "a.db") as second:
        cards = StoredCards(second, Clock())
        assert await cards.of(RUN) == await cards.of(replace(RUN, thread=7)) == (third, CARD)
        assert await cards.of(replace(RUN, letter="R")) == await cards.of(replace(RUN, connection="web")) == ()


async def test_a_message_shows_the_run_it_was_put_for_last() -> None:
    async with database() as only:
        clock = Clock()
        cards = StoredCards(only, clock)
        now_another = replace(CARD, ref=replace(RUN, id=413), command="show A413")
        await put(cards, clock, CARD, now_another)
        assert await cards.of(RUN) == ()
        assert await cards.of(now_another.ref) == (now_another,)


async def test_a_card_that_is_said_again_is_the_newest() -> None:
    async with database() as only:
        clock = Clock()
        cards = StoredCards(only, clock)
        await put(cards, clock, CARD, replace(CARD, ts="2"), CARD)
        assert await cards.of(RUN) == (CARD, replace(CARD, ts="2"))


@pytest.mark.parametrize(("asked", "count"), [({}, 50), ({"most": 3}, 3), ({"most": 0}, 0), ({"most": -1}, 0)])
async def test_the_newest_cards_are_enough(asked: dict[str, int], count: int) -> None:
    async with database() as only:
        clock = Clock()
        cards = StoredCards(only, clock)
        await put(cards, clock, *(replace(CARD, ts=str(number)) for number in range(60)))
        found = [card.ts for card in await cards.of(RUN, **asked)]
        assert found == [str(number) for number in range(59, 59 - count, -1)]


async def test_a_card_that_is_gone_is_dropped_and_no_other() -> None:
    async with database() as only:
        clock = Clock()
        cards = StoredCards(only, clock)
        others = (replace(CARD, ts="2"), replace(CARD, channel="C2"), replace(CARD, team="T2"))
        await put(cards, clock, CARD, *others)
        for _ in range(2):
            await cards.drop(CARD)
            assert set(await cards.of(RUN)) == set(others)


async def test_old_cards_go_when_another_is_put_at_most_once_an_hour() -> None:
    async with database() as only:
        clock = Clock()
        cards = StoredCards(only, clock)
        for ts in ("old", "half an hour younger"):
            await cards.put(replace(CARD, ts=ts))
            clock.later(minutes=30)
        clock.now += KEPT - timedelta(minutes=45)
        for later_m, left in ((0, "half an hour younger"), (59, "half an hour younger"), (1, "new")):
            clock.later(minutes=later_m)
            await cards.put(replace(CARD, ts="new"))
            assert [card.ts for card in await cards.of(RUN)][-1] == left


async def test_no_question_reads_or_sorts_all_cards() -> None:
    async with database() as only:
        clock = Clock()
        cards = StoredCards(only, clock)
        statements = await traced(only)
        await cards.put(CARD)
        await cards.of(RUN)
        await cards.drop(CARD)
        await untraced(only)
        steps = await plans(only, [each for each in statements if each.startswith(("select", "delete"))])
        assert len(steps) == 3
        assert [step for step in steps if "INDEX" not in step] == []


async def _put(cards: StoredCards) -> None:
    await cards.put(replace(CARD, ts="2", command="x" * 100_000))


async def _drop(cards: StoredCards) -> None:
    await cards.drop(CARD)


@pytest.mark.parametrize(("fails", "act"), [(refusing, _put), (refusing, _drop), (full, _put)])
async def test_what_the_disk_does_not_take_is_an_error_and_changes_nothing(
    fails: Callable[[Database], Awaitable[None]], act: Callable[[StoredCards], Awaitable[None]]
) -> None:
    async with database() as only:
        cards = StoredCards(only, Clock())
        await cards.put(CARD)
        await fails(only)
        with pytest.raises(OurError):
            await act(cards)
        assert await cards.of(RUN) == (CARD,)
