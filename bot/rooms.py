"""The rooms behind the doors, put together: what answers, changes, makes digests. The doors are open already."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import gc
import logging
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bot.config import ConnectionSettings, Settings
from bot.courtesy import Courtesy
from bot.domain.digests import DigestPlan, Slot
from bot.domain.errors import RundownError
from bot.mailroom import Mailroom
from bot.postman import Postman, ReturnPath
from bot.presenters import letters
from bot.presenters.message import Message
from bot.schedule.clock import DueClock
from bot.schedule.digesting import Digesting
from bot.schedule.digests import Digests
from bot.slack import context, help, runs
from bot.slack.access import AccessDesk
from bot.slack.acting import Acting
from bot.slack.audit import AuditDesk
from bot.slack.buttons import Buttons
from bot.slack.cards import CardKeeper
from bot.slack.desk import Desk, World
from bot.slack.digest_forms import DigestForms
from bot.slack.digests import DigestDesk
from bot.slack.directory import SlackDirectory
from bot.slack.drafting import Drafter
from bot.slack.files import Files
from bot.slack.filling import Filling
from bot.slack.forms import Forms
from bot.slack.grammar import Grammar
from bot.slack.people import People
from bot.slack.questions import Question
from bot.slack.receipts import Receipts
from bot.slack.tasks import Tasks
from bot.storage.cards import StoredCards
from bot.storage.contexts import StoredContexts
from bot.storage.database import Database
from bot.storage.deliveries import StoredDeliveries
from bot.storage.grants import StoredGrants
from bot.storage.history import StoredHistory
from bot.storage.ledger import StoredLedger
from bot.storage.outbox import StoredOutbox
from bot.storage.plans import StoredPlans
from bot.storage.proposals import StoredProposals
from bot.storage.recall import StoredRecall
from bot.systems import Account
from bot.systems._pace import Pace
from bot.systems._remembering import Remembering
from bot.usecases.access import Gate
from bot.usecases.changing import Hands
from bot.usecases.ports import Connection, History
from bot.usecases.systems import Systems
from bot.usecases.unkept import Unkept

if TYPE_CHECKING:
    import aiohttp
    from slack_sdk.web.async_client import AsyncWebClient

log = logging.getLogger(__name__)

FEATURES = (runs, context, help)


def utc_now() -> datetime:
    return datetime.now(UTC)


class Rooms:
    """All that works on what the doors take in (`bot.slack.doors.Inside`), and what works by itself."""

    def __init__(
        self,
        settings: Settings,
        now: Callable[[], datetime],
        *,
        client: AsyncWebClient,
        session: aiohttp.ClientSession,
        tasks: Tasks,
        courtesy: Courtesy,
        home_team: str,
    ) -> None:
        use_templates(settings)
        self.database = Database(settings.database)
        self.systems = connect_all(settings, now)
        self._settings = settings
        self._now = now
        self._tasks = tasks
        self._courtesy = courtesy
        self._postman = Postman(client, session)
        self._working: list[asyncio.Task[None]] = []
        people = People(client, home_team)
        ledger, grants = StoredLedger(self.database, now), StoredGrants(self.database, now)
        directory = SlackDirectory(client, people, grants, settings.admins)
        read_only = settings.mode == "read"
        gate = Gate(directory=directory, grants=grants, ledger=ledger, read_only=read_only)
        world = World(
            systems=self.systems,
            contexts=StoredContexts(self.database),
            recall=StoredRecall(self.database, now),
            people=people,
            grammar=Grammar(read_only=read_only),
            gate=gate,
            now=now,
            slash=settings.command,
        )
        self._desk = Desk(world, self._postman, tasks, StoredDeliveries(self.database))
        self._buttons, self._forms = Buttons(self._desk), Forms(client, tasks)
        for feature in FEATURES:
            feature.register(self._desk)
        AuditDesk(self._desk, ledger, self._postman)
        AccessDesk(self._desk, gate=gate, directory=directory, postman=self._postman, tasks=tasks).register(
            self._buttons
        )
        self._digests = self._let_digests_come()
        hands = Hands(systems=self.systems, ledger=ledger, gate=gate, now=now)
        self._receipts, self.on_shortcut = self._let_people_change(hands, Files(client, session))

    def _let_people_change(
        self, hands: Hands, files: Files
    ) -> tuple[Receipts, Callable[[str, Mapping[str, Any], ReturnPath], None]]:
        """Put together what carries out changes. Returns what tells of them, and what hears the message shortcuts."""
        desk, postman, tasks = self._desk, self._postman, self._tasks
        proposals = StoredProposals(self.database, self._now)
        cards = CardKeeper(desk.world, StoredCards(self.database, self._now), postman, tasks)
        desk.keep_card = cards.keep
        receipts = Receipts(desk.world, hands, proposals, postman, cards)
        drafter = Drafter(hands.ledger, postman, files)
        acting = Acting(
            desk,
            hands=hands,
            proposals=proposals,
            drafter=drafter,
            receipts=receipts,
            files=files,
            postman=postman,
            tasks=tasks,
        )
        acting.register(self._buttons)
        filling = Filling(
            desk,
            acting=acting,
            drafter=drafter,
            proposals=proposals,
            forms=self._forms,
            postman=postman,
            tasks=tasks,
        )
        filling.register()
        return receipts, filling.on_shortcut

    def _let_digests_come(self) -> Digests:
        """Put together what makes digests, posts them, and answers about them."""
        desk, postman = self._desk, self._postman
        plans = StoredPlans(self.database, self._now)
        outbox = StoredOutbox(self.database, self._now)
        history = StoredHistory(self.database, self._now)
        mailroom = Mailroom(postman, outbox, self._now, lambda parcel: digests.park(parcel))  # noqa: PLW0108  made below

        def making(history: History) -> Digesting:
            return Digesting(
                plans=plans,
                systems=self.systems,
                history=history,
                ring=mailroom.ring,
                ask=lambda plan: desk.answer_for(plan.ask, plan.team, plan.channel, plan.owner),
                now=self._now,
            )

        async def look(plan: DigestPlan, slot: Slot) -> Message | None:
            return await making(Unkept(history)).message(plan, slot)

        digesting = making(history)
        clock = DueClock(digesting.make, self._now, self._courtesy.begin)
        answering = DigestDesk(desk, plans=plans, outbox=outbox, waiting=clock, test=look, postman=postman)
        DigestForms(desk, answering, forms=self._forms, postman=postman, tasks=self._tasks, buttons=self._buttons)
        digests = Digests(
            plans=plans,
            outbox=outbox,
            history=history,
            kept=timedelta(days=self._settings.history_days),
            digesting=digesting,
            clock=clock,
            mailroom=mailroom,
            postman=postman,
            now=self._now,
        )
        return digests

    def take(self, question: Question) -> None:
        self._desk.take(question)

    def tell(self, back: ReturnPath, error: RundownError, *, key: str) -> None:
        self._desk.tell(back, error, key=key)

    def press(self, action: Mapping[str, Any], back: ReturnPath, key: str, trigger: str) -> None:
        self._buttons.press(action, back, key, trigger)

    def sent(self, body: Mapping[str, Any]) -> dict[str, Any]:
        return self._forms.sent(body)

    def work(self) -> None:
        """Do from now on what nobody asks for: settle what others left behind, make digests and post them."""
        self._working = [
            asyncio.create_task(self._receipts.settle_for_ever(), name="settle changes"),
            self._courtesy.begin(self._digests.work(), name="digests"),
            asyncio.create_task(asyncio.to_thread(warm_up), name="warm up"),
        ]

    async def catch_up(self) -> None:
        """The clock was moved: do now what has become due, and wait until it is done."""
        await self._digests.catch_up()

    def stop_work(self) -> None:
        """Begin nothing more that nobody asked for."""
        for task in self._working:
            task.cancel()
        self._digests.stop()

    async def close(self) -> None:
        """Let go of the systems and the database."""
        for connection in self.systems:
            await connection.close()
        await self.database.close()


def warm_up() -> None:
    """Load what the first answers need, after the first acks: libraries, templates. Then spare them the collector."""
    import anyio._backends._asyncio  # noqa: F401
    import httpcore  # noqa: F401
    import tenacity  # noqa: F401

    import bot.systems._httpx
    import bot.systems._rich_text  # noqa: F401
    from bot.presenters import messages

    messages.prepare()
    gc.collect()
    gc.freeze()
    _give_back()


def _give_back() -> None:
    """Let the system have the memory that loading needed and nobody does any more, where the C library can."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


def use_templates(settings: Settings) -> None:
    """Let the templates of the settings' folder stand before ours, if it names one."""
    if settings.templates:
        from bot.presenters import engine

        engine.use(engine.Engine(Path(settings.templates), _template_fault))


def _template_fault(template: str, reason: str) -> None:
    log.error("template %s of RUNDOWN_TEMPLATES is not used, ours is: %s", template, reason)


def connect_all(settings: Settings, now: Callable[[], datetime]) -> Systems:
    """The configured connections; nothing is asked of them yet."""
    systems = Systems([_connect(each, now) for each in settings.connections])
    letters.use(list(connection.kinds) for connection in systems)
    return systems


def _connect(each: ConnectionSettings, now: Callable[[], datetime]) -> Connection:
    account = Account(each.name, each.options, Pace(each.per_minute, now=time.monotonic), now)
    return Remembering(each.system.connect(account))
