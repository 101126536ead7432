"""The bot as a process: opens its doors, meets Slack, lets the rooms behind be furnished, stops all in order."""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from importlib import import_module
from typing import TYPE_CHECKING

from bot.config import Settings
from bot.courtesy import Courtesy
from bot.slack.doors import Hall, Home, build_bolt, intake_http, intake_socket
from bot.slack.tasks import Tasks
from bot.web.server import Doors, WebServer

if TYPE_CHECKING:
    import aiohttp
    from slack_sdk.errors import SlackApiError
    from slack_sdk.web.async_client import AsyncWebClient

    from bot.rooms import Rooms
    from bot.slack.socket import Intake, SocketDoor

log = logging.getLogger(__name__)

#: Seconds that questions get to finish at shutdown; platforms kill after 10 to 30.
GRACE_S = 8.0


def utc_now() -> datetime:
    return datetime.now(UTC)


class StartError(Exception):
    """The bot can't run with these settings. Its words are for whoever starts it."""


class Rundown:
    """The whole bot. `now` is the time of day; tests and the demo bring their own."""

    def __init__(self, settings: Settings, *, now: Callable[[], datetime] = utc_now, host: str = "0.0.0.0") -> None:  # noqa: S104
        self.settings = settings
        self._now = now
        self._host = host
        self.tasks = Tasks()
        self._home = Home()
        self._missing: dict[str, str] = {"slack": "not asked yet", "database": "not open yet"}
        self._rooms: Rooms | None = None
        self._furnishing: asyncio.Task[Rooms] | None = None
        self._watching: asyncio.Task[None] | None = None
        self._session: aiohttp.ClientSession | None = None
        self._socket: SocketDoor | None = None
        self.web: WebServer | None = None

    @property
    def rooms(self) -> Rooms:
        """What is behind the doors, once the bot has started."""
        assert self._rooms is not None, "not started"  # noqa: S101 - whoever asks earlier is mistaken
        return self._rooms

    async def start(self) -> None:
        """Listen, then get ready. Raises StartError when Slack refuses the tokens or the database can't be used."""
        self._session = session = _slack_session()
        client = self._slack_client(session)
        hall, courtesy = Hall(self.tasks), Courtesy()
        bolt = build_bolt(client, self.settings.bot_token, self._home, hall, slash=self.settings.command)
        over_http = self.settings.transport == "http"
        doors = Doors(
            ready=self.missing,
            intake=courtesy.first(intake_http(bolt, self._home)) if over_http else None,
            signing_secret=self.settings.signing_secret,
            now=lambda: self._now().timestamp(),
        )
        self.web = WebServer(doors, self.settings.port, self._host)
        await self.web.start()
        await self._meet_slack(client)
        self._furnishing = asyncio.create_task(self._furnish(client, session, hall, courtesy), name="furnish")
        if not over_http:
            await self._open_socket(client, courtesy.first(intake_socket(bolt)))
        self._rooms = rooms = await self._furnishing
        self._watching = asyncio.create_task(self._watch_slack(client), name="slack watch")
        rooms.work()
        log.info(
            "ready: %s, port %s, systems: %s",
            self.settings.transport,
            self.web.port,
            ", ".join(connection.name for connection in rooms.systems),
        )

    async def _furnish(
        self, client: AsyncWebClient, session: aiohttp.ClientSession, hall: Hall, courtesy: Courtesy
    ) -> Rooms:
        """Load and put together what is behind the doors, while what comes in is acknowledged already."""
        await asyncio.to_thread(import_module, "bot.rooms")
        gc.enable()
        from bot.rooms import Rooms

        self._rooms = rooms = Rooms(
            self.settings,
            self._now,
            client=client,
            session=session,
            tasks=self.tasks,
            courtesy=courtesy,
            home_team=self._home.team,
        )
        hall.open(rooms)
        await rooms.database.open()
        self._missing.pop("database", None)
        return rooms

    def missing(self) -> Mapping[str, str]:
        """What is not ready, and why; empty when all is."""
        if self._socket is not None and not self._socket.up:
            return {**self._missing, "slack": "Socket Mode is not connected"}
        return self._missing

    async def catch_up(self) -> None:
        """The clock was moved: do now what has become due, and wait until it is done."""
        await self.rooms.catch_up()

    async def stop(self) -> None:
        """Take nothing in any more, finish what was taken, then let go of everything."""
        self._missing["slack"] = "shutting down"
        self._home.closing = True
        if self._socket is not None:
            await self._socket.close()
        late = await self.tasks.drain(GRACE_S)
        if late:
            log.warning("%d questions were not finished in time; their askers were told", late)
        if self._watching is not None:
            self._watching.cancel()
        if self._rooms is not None:
            self._rooms.stop_work()
        if self._furnishing is not None:
            await asyncio.gather(self._furnishing, return_exceptions=True)  # whoever waits for `start` is told
        if self.web is not None:
            await self.web.stop()
        if self._rooms is not None:
            await self._rooms.close()
        if self._session is not None:
            await self._session.close()

    def _slack_client(self, session: aiohttp.ClientSession) -> AsyncWebClient:
        """One session for all calls (the SDK would make a TLS connection per call), and no retries of its own."""
        from slack_sdk.web.async_client import AsyncWebClient

        return AsyncWebClient(
            token=self.settings.bot_token,
            base_url=self.settings.slack_api_url,
            session=session,
            retry_handlers=[],
        )

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


def _slack_session() -> aiohttp.ClientSession:
    import aiohttp

    return aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=15, connect=5), trust_env=True)


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
