"""Says what became of changes: to everybody what was done, to the asker alone what was not; after a restart too."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace

from bot.domain.acts import Bulk, Ended, Entry, Receipt
from bot.domain.checkpoints import checkpoint
from bot.domain.errors import RundownError
from bot.domain.model import RunRef
from bot.postman import NotSaidError, Postman, ReturnPath
from bot.presenters import messages
from bot.slack.cards import CardKeeper
from bot.slack.desk import World
from bot.usecases.bulk import bulk_of, bulk_words, last_go, recorded
from bot.usecases.changing import Hands, settle_orphan
from bot.usecases.ports import Place, Proposals

log = logging.getLogger(__name__)

#: Seconds between two looks for changes whose end nobody was told.
LOOK_S = 20.0
STOPPED = "Rundown was stopped in the middle of it."


class Receipts:
    """Where the ends of changes are said."""

    def __init__(self, world: World, hands: Hands, proposals: Proposals, postman: Postman, cards: CardKeeper) -> None:
        self._world = world
        self._hands = hands
        self._proposals = proposals
        self._postman = postman
        self._cards = cards

    async def publish(self, back: ReturnPath, receipt: Receipt) -> bool:
        """Say in public what was done: in the thread it was asked in, else under the run's card, else in the channel.

        False where it was done in a direct message: the answer there is all there is to say.
        """
        ref = receipt.entry.ref
        if ref is not None:
            self._cards.changed(ref)
        if back.channel.startswith("D"):
            return False
        thread = back.thread
        if not thread and ref is not None:
            card = await self._cards.newest(replace(ref, thread=None), back.channel)
            thread = (card.thread or card.ts) if card else ""
        there = ReturnPath(
            team=back.team, channel=back.channel, user=back.user, thread=thread, response_url=back.response_url
        )
        ts = await self._postman.say(there, messages.receipt(receipt, now=self._world.now()))
        checkpoint("said in public")
        if ts and ref is not None:
            await self._bind(Place(back.team, back.channel, thread or ts), replace(ref, thread=None))
        return True

    async def _bind(self, place: Place, ref: RunRef) -> None:
        """The first run a thread tells of is the thread's."""
        try:
            if await self._world.recall.thread_run(place) is None:
                await self._world.recall.bind_thread(place, ref)
        except RundownError as error:
            log.warning("a thread can't be remembered: %s", error.what)

    def refresh(self, ref: RunRef) -> None:
        """The cards of a run are not true any more."""
        self._cards.changed(ref)

    async def card_into_thread(self, back: ReturnPath, receipt: Receipt) -> None:
        """The run's card below the thread that was linked to it, unless it has one there."""
        ref = receipt.entry.ref
        if ref is None or receipt.run is None:
            return
        card = await self._cards.newest(replace(ref, thread=None), back.channel)
        if card is None or back.thread not in (card.ts, card.thread):
            await self._cards.post(back, replace(ref, thread=None))

    async def told(self, key: str) -> None:
        """The person knows the end."""
        try:
            await self._hands.ledger.tell(key)
        except RundownError as error:
            log.warning("that %s was told can't be recorded: %s", key, error.what)
        checkpoint("told")

    async def settle_for_ever(self) -> None:
        """Settle, and tell, what a process left behind that died or could not speak: now, and every while."""
        while True:
            try:
                await self.settle()
            except RundownError as error:
                log.warning("changes left behind can't be settled yet: %s", error.what)
            await asyncio.sleep(LOOK_S)

    async def settle(self) -> None:
        """Settle and tell what was left behind: each run for itself, then the goes that were made of several."""
        orphans = await self._hands.ledger.orphans()
        checkpoint("found")
        for entry in sorted(orphans, key=lambda each: bool(bulk_of(each))):
            try:
                await self._settle(entry)
            except Exception:  # the last resort: one that can't be settled does not hold up the others
                log.exception("what became of %s can't be settled yet", entry.key)
        checkpoint("looked")

    async def _settle(self, entry: Entry) -> None:
        if bulk_of(entry):
            await self._settle_go(entry)
            return
        receipt = await settle_orphan(entry, hands=self._hands)
        checkpoint("settled")
        await self._tell(receipt)

    async def _tell(self, receipt: Receipt) -> None:
        entry = receipt.entry
        if entry.outcome is Ended.DOUBT and entry.told:
            return  # that it is in doubt is known; what comes of it will be told
        back = _way_back(entry)
        try:
            if entry.part_of and await self._is_summed_up_later(entry):
                if entry.ref is not None:
                    self._cards.changed(entry.ref)
            elif entry.outcome is not Ended.DONE or not await self.publish(back, receipt):
                await self._postman.whisper(back, messages.receipt(receipt, now=self._world.now()))
        except NotSaidError as error:
            log.warning("the end of %s can't be told: %s", entry.key, error.reason)
            return
        checkpoint("said")
        await self.told(entry.key)

    async def _is_summed_up_later(self, entry: Entry) -> bool:
        """Whether the summary of several runs will tell of this one: then it is not told by itself."""
        go = await last_go(entry.part_of, self._hands.ledger)
        return go is not None and not (go.told and go.outcome is not Ended.BEGUN)

    async def _settle_go(self, entry: Entry) -> None:
        """Sum up a change to several runs whose process died. One of them that is not settled yet is waited for."""
        bulk = await self._proposals.get_bulk(bulk_of(entry))
        bulk = await recorded(bulk, self._hands.ledger) if bulk is not None else None
        if bulk is not None and bulk.count(Ended.BEGUN):
            return
        if entry.outcome is Ended.BEGUN:
            whole = bulk is not None and not bulk.left
            entry = replace(
                entry,
                outcome=Ended.DONE if whole else Ended.FAILED,
                why=f"{bulk_words(bulk)}." if bulk is not None and whole else STOPPED,
            )
            await self._hands.ledger.end(entry.key, entry.outcome, at=self._world.now(), why=entry.why)
        checkpoint("settled")
        if bulk is not None and not await self._sum_up(replace(bulk, dry=False), entry):
            return
        await self.told(entry.key)

    async def _sum_up(self, bulk: Bulk, go: Entry) -> bool:
        """Say what became of each run; False when it could not be said."""
        summary = messages.bulk(replace(bulk, stopped=go.why if bulk.left else ""), now=self._world.now())
        try:
            await self._postman.say(_way_back(go), summary)
        except NotSaidError as error:
            log.warning("the end of %s can't be told: %s", go.key, error.reason)
            return False
        checkpoint("go said")
        return True


def _way_back(entry: Entry) -> ReturnPath:
    """To where it was asked."""
    return ReturnPath(team=entry.team, channel=entry.channel, user=entry.who, thread=entry.thread)
