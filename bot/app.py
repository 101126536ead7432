"""The composition root: the only file that knows every other. Puts the bot together, starts it, stops it in order."""

from __future__ import annotations

import asyncio
import gc
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from bot.config import Settings
from bot.domain.digests import DigestPlan, Parcel, Sending, Slot
from bot.domain.errors import CannotError, NotFoundError, RundownError
from bot.mailroom import Mailroom
from bot.postman import NotSaidError, Postman
from bot.presenters import letters
from bot.presenters.message import Message
from bot.schedule.clock import DueClock
from bot.schedule.digesting import Digesting
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
from bot.slack.doors import Home, Shortcuts, build_bolt, intake_http, intake_socket
from bot.slack.drafting import Drafter
from bot.slack.files import Files
from bot.slack.filling import Filling
from bot.slack.forms import Forms
from bot.slack.grammar import Grammar
from bot.slack.people import People
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
from bot.web.server import Doors, WebServer

if TYPE_CHECKING:
    import aiohttp
    from slack_sdk.errors import SlackApiError
    from slack_sdk.web.async_client import AsyncWebClient

    from bot.slack.socket import Intake, SocketDoor

log = logging.getLogger(__name__)

#: Seconds that questions get to finish at shutdown; platforms kill after 10 to 30.
GRACE_S = 8.0
#: Seconds for what has become due when the clock was moved; messages of a plan that are looked at for that.
CATCH_UP_S, NEWEST = 60.0, 50
FEATURES = (runs, context, help)


class StartError(Exception):
    """The bot can't run with these settings. Its words are for whoever starts it."""


def utc_now() -> datetime:
    return datetime.now(UTC)


class Rundown:
    """The whole bot. `now` is the time of day; tests and the demo bring their own."""

    def __init__(self, settings: Settings, *, now: Callable[[], datetime] = utc_now, host: str = "0.0.0.0") -> None:  # noqa: S104
        self.settings = settings
        self._now = now
        self._host = host
        self.tasks = Tasks()
        self.database = Database(settings.database)
        self.systems = Systems([_connect(each, now) for each in settings.connections])
        letters.use(list(connection.kinds) for connection in self.systems)
        self._home = Home()
        self._missing: dict[str, str] = {"slack": "not asked yet", "database": "not open yet"}
        self._background: list[asyncio.Task[None]] = []
        self._opening: asyncio.Task[None] | None = None
        self._session: aiohttp.ClientSession | None = None
        self._socket: SocketDoor | None = None
        self._receipts: Receipts | None = None
        self._digests: Digests | None = None
        self.web: WebServer | None = None

    async def start(self) -> None:
        """Listen, then get ready. Raises StartError when Slack refuses the tokens or the database can't be used."""
        client = self._slack_client()
        people = People(client)
        ledger, grants = StoredLedger(self.database, self._now), StoredGrants(self.database, self._now)
        directory = SlackDirectory(client, people, grants, self.settings.admins)
        read_only = self.settings.mode == "read"
        gate = Gate(directory=directory, grants=grants, ledger=ledger, read_only=read_only)
        world = World(
            systems=self.systems,
            contexts=StoredContexts(self.database),
            recall=StoredRecall(self.database, self._now),
            people=people,
            grammar=Grammar(read_only=read_only),
            gate=gate,
            now=self._now,
            slash=self.settings.command,
        )
        assert self._session is not None  # noqa: S101 - made with the client
        if self.settings.templates:
            from bot.presenters import engine

            engine.use(engine.Engine(Path(self.settings.templates), _template_fault))
        postman = Postman(client, self._session)
        desk = Desk(world, postman, self.tasks, StoredDeliveries(self.database))
        for feature in FEATURES:
            feature.register(desk)
        buttons, forms = Buttons(desk), Forms(client, self.tasks)
        AuditDesk(desk, ledger, postman)
        self._digests, digest_desk = self._let_digests_come(desk, postman)
        DigestForms(desk, digest_desk, forms=forms, postman=postman, tasks=self.tasks, buttons=buttons)
        AccessDesk(desk, gate=gate, directory=directory, postman=postman, tasks=self.tasks).register(buttons)
        hands = Hands(systems=self.systems, ledger=ledger, gate=gate, now=self._now)
        shortcuts = self._let_people_change(desk, hands, postman, Files(client, self._session), buttons, forms)
        bolt = build_bolt(
            client, self.settings.bot_token, self._home, desk, buttons=buttons, forms=forms, shortcuts=shortcuts
        )
        over_http = self.settings.transport == "http"
        doors = Doors(
            ready=self.missing,
            intake=intake_http(bolt, self._home) if over_http else None,
            signing_secret=self.settings.signing_secret,
            now=lambda: self._now().timestamp(),
        )
        self.web = WebServer(doors, self.settings.port, self._host)
        await self.web.start()
        gc.enable()
        await self._meet_slack(client)
        self._opening = asyncio.create_task(self._open_database(), name="open database")
        people.home_team = self._home.team
        if not over_http:
            await self._open_socket(client, intake_socket(bolt))
        await self._opening
        self._background.append(asyncio.create_task(self._watch_slack(client), name="slack watch"))
        if self._receipts is not None:
            self._background.append(asyncio.create_task(self._receipts.settle_for_ever(), name="settle changes"))
        if self._digests is not None:
            self._background.append(asyncio.create_task(self._digests.work(), name="digests"))
        self._background.append(asyncio.create_task(asyncio.to_thread(warm_up), name="warm up"))
        log.info(
            "ready: %s, port %s, systems: %s",
            self.settings.transport,
            self.web.port,
            ", ".join(connection.name for connection in self.systems),
        )

    def _let_people_change(  # noqa: PLR0917  the rooms a change goes through
        self, desk: Desk, hands: Hands, postman: Postman, files: Files, buttons: Buttons, forms: Forms
    ) -> Shortcuts:
        """Put together what carries out changes. Returns what hears the message shortcuts."""
        proposals = StoredProposals(self.database, self._now)
        cards = CardKeeper(desk.world, StoredCards(self.database, self._now), postman, self.tasks)
        desk.keep_card = cards.keep
        self._receipts = Receipts(desk.world, hands, proposals, postman, cards)
        drafter = Drafter(hands.ledger, postman, files)
        acting = Acting(
            desk,
            hands=hands,
            proposals=proposals,
            drafter=drafter,
            receipts=self._receipts,
            files=files,
            postman=postman,
            tasks=self.tasks,
        )
        acting.register(buttons)
        filling = Filling(
            desk, acting=acting, drafter=drafter, proposals=proposals, forms=forms, postman=postman, tasks=self.tasks
        )
        filling.register()
        return filling.on_shortcut

    def _let_digests_come(self, desk: Desk, postman: Postman) -> tuple[Digests, DigestDesk]:
        """Put together what makes digests and posts them."""
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
        clock = DueClock(digesting.make, self._now)
        answering = DigestDesk(desk, plans=plans, outbox=outbox, waiting=clock, test=look, postman=postman)
        kept = timedelta(days=self.settings.history_days)
        digests = Digests(plans, digesting, clock, mailroom, postman, self._now, history, kept, outbox)
        return digests, answering

    def missing(self) -> Mapping[str, str]:
        """What is not ready, and why; empty when all is."""
        if self._socket is not None and not self._socket.up:
            return {**self._missing, "slack": "Socket Mode is not connected"}
        return self._missing

    async def catch_up(self) -> None:
        """The clock was moved: do now what has become due, and wait until it is done."""
        if self._digests is not None:
            await self._digests.catch_up()

    async def stop(self) -> None:
        """Take nothing in any more, finish what was taken, then let go of everything."""
        self._missing["slack"] = "shutting down"
        self._home.closing = True
        if self._socket is not None:
            await self._socket.close()
        late = await self.tasks.drain(GRACE_S)
        if late:
            log.warning("%d questions were not finished in time; their askers were told", late)
        for task in self._background:
            task.cancel()
        if self._digests is not None:
            self._digests.stop()
        if self._opening is not None:
            await asyncio.gather(self._opening, return_exceptions=True)  # whoever waits for `start` is told
        if self.web is not None:
            await self.web.stop()
        for connection in self.systems:
            await connection.close()
        await self.database.close()
        if self._session is not None:
            await self._session.close()

    def _slack_client(self) -> AsyncWebClient:
        """One session for all calls (the SDK would make a TLS connection per call), and no retries of its own."""
        import aiohttp
        from slack_sdk.web.async_client import AsyncWebClient

        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=15, connect=5), trust_env=True)
        return AsyncWebClient(
            token=self.settings.bot_token,
            base_url=self.settings.slack_api_url,
            session=self._session,
            retry_handlers=[],
        )

    async def _open_database(self) -> None:
        await self.database.open()
        self._missing.pop("database", None)

    async def _meet_slack(self, client: AsyncWebClient) -> None:
        """Learn who we are, once, before any request needs it; waits as long as Slack is away."""
        wait_s = 0.5
        while True:
            refusal = await self._ask_who_we_are(client)
            if refusal is None:
                self._missing.pop("slack", None)
                return
            self._missing["slack"] = f"auth.test: {refusal}"
            log.warning("Slack does not answer auth.test (%s); trying again in %.0f s", refusal, wait_s)
            await asyncio.sleep(wait_s)
            wait_s = min(wait_s * 2, 30.0)

    async def _ask_who_we_are(self, client: AsyncWebClient) -> str | None:
        """None when Slack knows us, else why not. Raises StartError when trying again can't help."""
        from slack_sdk.errors import SlackApiError

        try:
            answer = await client.auth_test()
        except SlackApiError as error:
            reason = _reason(error)
            if reason in _HOPELESS:
                raise StartError(f"SLACK_BOT_TOKEN: Slack refuses it ({reason}); install the app again.") from None
            return reason
        except aiohttp_errors() as error:
            return type(error).__name__
        self._home.learn(answer.data if isinstance(answer.data, dict) else {})
        return None

    async def _open_socket(self, client: AsyncWebClient, intake: Intake) -> None:
        from slack_sdk.errors import SlackApiError

        from bot.slack.socket import SocketDoor

        async def ask_address() -> str:
            answer = await client.apps_connections_open(app_token=self.settings.app_token)
            return str(answer["url"])

        try:
            await ask_address()  # a wrong token is told now, not retried for ever
        except SlackApiError as error:
            reason = _reason(error)
            if reason in _HOPELESS:
                raise StartError(f"SLACK_APP_TOKEN: Slack refuses it ({reason}); make a new one.") from None
            log.warning("Socket Mode: %s", reason)
        except aiohttp_errors() as error:
            log.warning("Socket Mode: %s", type(error).__name__)
        self._socket = SocketDoor(ask_address, intake, self.tasks)
        await self._socket.open()

    async def _watch_slack(self, client: AsyncWebClient) -> None:
        """Notice a revoked token, and Slack's clock and ours drifting apart, before somebody asks in vain."""
        while True:
            await asyncio.sleep(60)
            try:
                refusal = await self._ask_who_we_are(client)
            except StartError as error:
                refusal = str(error)
            if refusal is None:
                self._missing.pop("slack", None)
            else:
                self._missing["slack"] = refusal
                log.error("Slack does not know us any more: %s", refusal)


async def preview_digest(settings: Settings, name: str, now: Callable[[], datetime] = utc_now) -> list[tuple[str, str]]:
    """What the digests of that name would say now, as (channel, text); nothing is posted or kept, Slack is not asked.

    Raises RundownError when there is none, or the database can't be used.
    """
    from bot.presenters.plainly import plain_text

    _find_database(settings.database)
    if settings.templates:
        from bot.presenters import engine

        engine.use(engine.Engine(Path(settings.templates), _template_fault))
    database = Database(settings.database)
    systems = Systems([_connect(each, now) for each in settings.connections])
    letters.use(list(connection.kinds) for connection in systems)
    try:
        await database.open()
        plans = StoredPlans(database, now)
        named = _named(name, await plans.all())
        told = []
        for plan in named:
            if plan.ask:
                told.append((plan.channel, f"It posts the answer to `{plan.ask}`. In Slack, digest test shows that."))
                continue
            digesting = Digesting(
                plans=plans,
                systems=systems,
                history=Unkept(StoredHistory(database, now)),
                ring=lambda: None,
                ask=_in_slack,
                now=now,
            )
            message = await digesting.message(plan, Slot(f"{now():%Y-%m-%dT%H:%M}", now()))
            told.append((plan.channel, plain_text(message) if message else "It would say nothing now."))
        return told
    finally:
        for connection in systems:
            await connection.close()
        await database.close()


def _find_database(path: str) -> None:
    """Raises NotFoundError where there is none: looking must not make an empty one."""
    if not Path(path).is_file():
        raise NotFoundError(
            f"There is no database {path}.",
            why="Rundown makes it where it runs.",
            fix="Set RUNDOWN_DB to the file it uses, or go to the folder it was started in.",
        )


def _named(name: str, every: Sequence[DigestPlan]) -> list[DigestPlan]:
    """The plans of that name, whatever its case. Raises NotFoundError with the closest."""
    found = [plan for plan in every if plan.name.casefold() == name.casefold()]
    if found:
        return found
    names = {plan.name.casefold(): plan.name for plan in every}
    near = [names[each] for each in get_close_matches(name.casefold(), names, 3, 0.5)]
    raise NotFoundError(
        f"There is no digest “{name}”.",
        why=f"There are: {', '.join(sorted(names.values()))}." if names else "Nobody has made one yet.",
        fix=f"Did you mean {' or '.join(near)}?"
        if near
        else "Name one of them."
        if names
        else "Make one in Slack with digest add.",
        closest=tuple(near),
    )


async def _in_slack(plan: DigestPlan) -> Message:
    raise CannotError(f"“{plan.ask}” can't be answered here.", why="It is answered for somebody in Slack.")


class Digests:
    """The rooms that digests go through, started and stopped together."""

    def __init__(  # noqa: PLR0917  one of each
        self,
        plans: StoredPlans,
        digesting: Digesting,
        clock: DueClock,
        mailroom: Mailroom,
        postman: Postman,
        now: Callable[[], datetime],
        history: StoredHistory,
        kept: timedelta,
        outbox: StoredOutbox,
    ) -> None:
        self._outbox = outbox
        self._awake = asyncio.Event()
        self._history = history
        self._kept = kept
        self.plans = plans
        self.digesting = digesting
        self.clock = clock
        self._mailroom = mailroom
        self._postman = postman
        self._now = now

    async def work(self) -> None:
        """Wake for what is due and post it, from now on. The scheduler is loaded once everybody has been answered."""
        while True:
            try:
                plans = await self.plans.all()
                break
            except RundownError as error:
                log.warning("the digests can't be read yet: %s", error.what)
                await asyncio.sleep(5)
        if plans:
            await asyncio.to_thread(import_module, "apscheduler.schedulers.asyncio")
        self.clock.start(plans)
        self._awake.set()
        await asyncio.gather(self._mailroom.work_for_ever(), self._forget_for_ever())

    async def _forget_for_ever(self) -> None:
        """Forget finished runs that are older than the settings want them kept, once a day."""
        while True:
            try:
                await self._history.sweep(self._now() - self._kept)
            except RundownError as error:
                log.warning("old runs can't be forgotten: %s", error.what)
            await asyncio.sleep(24 * 3600)

    async def catch_up(self) -> None:
        """Make and post what is due by now, and wait until it is there, for `CATCH_UP_S` seconds at most."""
        try:
            async with asyncio.timeout(CATCH_UP_S):
                await self._awake.wait()
                self.clock.look()
                await self.clock.finished()
                while await self._mailroom.work() or await self._left():  # noqa: ASYNC110  the mailroom's own task
                    await asyncio.sleep(0.02)  # may have taken them
        except TimeoutError:
            log.warning("what was due is not all posted yet")

    async def _left(self) -> bool:
        """Whether anything is still to be posted that does not wait for a better time."""
        for plan in await self.plans.all():
            about = await self._outbox.about(plan.id, most=NEWEST)
            if any(each.state in (Sending.WAITING, Sending.POSTING) and not each.reason for each in about):
                return True
        return False

    def stop(self) -> None:
        self.clock.stop()

    async def park(self, parcel: Parcel) -> None:
        """A digest can't be posted any more: it waits with its reason, and its owner is told once."""
        from bot.presenters import messages

        plan = await self.digesting.park(parcel)
        if plan is None:
            return
        self.clock.removed(plan.id)
        told = messages.digest_parked(plan, messages.reason_words(plan.parked), now=self._now())
        try:
            await self._postman.direct(plan.owner, told)
        except NotSaidError as error:
            log.warning("the owner of digest %s can't be told that it is parked: %s", plan.id, error.reason)


def _template_fault(template: str, reason: str) -> None:
    log.error("template %s of RUNDOWN_TEMPLATES is not used, ours is: %s", template, reason)


def _reason(error: SlackApiError) -> str:
    """Slack's word for why it refused."""
    data = error.response.data if isinstance(error.response.data, dict) else {}
    return str(data.get("error", error.response.status_code))


def aiohttp_errors() -> tuple[type[Exception], ...]:
    """What a call to Slack raises when Slack can't be reached."""
    import aiohttp

    return (aiohttp.ClientError, TimeoutError, OSError)


_HOPELESS = frozenset(
    {
        "invalid_auth",
        "not_authed",
        "account_inactive",
        "token_revoked",
        "token_expired",
        "not_allowed_token_type",
        "missing_scope",
        "no_permission",
        "org_login_required",
    }
)


def warm_up() -> None:
    """Load what the first answers need, after the first acks: libraries, templates. Then spare them the collector."""
    import anyio._backends._asyncio  # noqa: F401
    import httpcore  # noqa: F401
    import tenacity  # noqa: F401

    import bot.systems._httpx
    import bot.systems._rich_text  # noqa: F401
    from bot.presenters import engine, messages

    messages.load()
    engine.compile_all()
    gc.collect()
    gc.freeze()


def _connect(each: object, now: Callable[[], datetime]) -> Connection:
    from bot.config import ConnectionSettings

    if not isinstance(each, ConnectionSettings):
        raise TypeError("not the settings of a connection")
    account = Account(each.name, each.options, Pace(each.per_minute, now=time.monotonic), now)
    return Remembering(each.system.connect(account))
