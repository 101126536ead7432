"""The cards of runs that were posted: remembered, and edited when the run has changed."""

from __future__ import annotations

import logging
from dataclasses import replace

from bot.domain.acts import WRITES
from bot.domain.errors import RundownError
from bot.domain.model import RunRef
from bot.postman import NotSaidError, Postman, ReturnPath
from bot.presenters import messages
from bot.presenters.message import Message
from bot.slack.desk import World
from bot.slack.tasks import Tasks
from bot.usecases.finding import Found
from bot.usecases.ports import Card, Cards
from bot.usecases.showing import show_run

log = logging.getLogger(__name__)


class CardKeeper:
    """Keeps every public card of a run true to the run."""

    def __init__(self, world: World, cards: Cards, postman: Postman, tasks: Tasks) -> None:
        self._world = world
        self._cards = cards
        self._postman = postman
        self._tasks = tasks

    async def keep(self, card: Card) -> None:
        """A card was posted. That it can't be remembered spoils nothing but later edits."""
        try:
            await self._cards.put(card)
        except RundownError as error:
            log.warning("a card can't be remembered: %s", error.what)

    async def newest(self, ref: RunRef, channel: str) -> Card | None:
        """The newest card of a run in a channel."""
        try:
            return next((card for card in await self._cards.of(ref) if card.channel == channel), None)
        except RundownError:
            return None

    def changed(self, ref: RunRef) -> None:
        """The run is not any more what its cards say: edit them, behind what people wait for."""
        self._tasks.spawn(self._edit_all(replace(ref, thread=None)), name=f"cards of {ref}")

    async def post(self, back: ReturnPath, ref: RunRef) -> None:
        """Post the run's card where that was."""
        try:
            message = await self._card(ref, f"show {ref}")
            ts = await self._postman.say(back, message)
        except (NotSaidError, RundownError) as error:
            log.warning("the card of %s is not posted: %s", ref, error)
            return
        if ts:
            await self.keep(Card(back.team, back.channel, ts, back.thread, ref, f"show {ref}"))

    async def _card(self, ref: RunRef, command: str) -> Message:
        connection = self._world.systems.get(ref.connection)
        changes = () if self._world.gate.read_only else WRITES
        shown = await show_run(Found(connection, ref, await connection.run(ref)), changes=changes)
        return messages.run_card(shown, command=command, now=self._world.now(), shareable=False)

    async def _edit_all(self, ref: RunRef) -> None:
        try:
            cards = await self._cards.of(ref)
            if not cards:
                return
            message = await self._card(ref, f"show {ref}")
        except RundownError as error:
            log.warning("the cards of %s stay as they are: %s", ref, error.what)
            return
        for card in cards:
            try:
                if not await self._postman.edit(card.channel, card.ts, message):
                    await self._cards.drop(card)
            except (NotSaidError, RundownError) as error:
                log.warning("the card %s in %s stays as it is: %s", card.ts, card.channel, error)
