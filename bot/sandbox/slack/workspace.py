"""The local Slack: one workspace on loopback, as strict as Slack, for the demo and the tests.

async with Workspace() as ws:
    app = AsyncApp(token=ws.bot_token, client=AsyncWebClient(ws.bot_token, base_url=ws.api_url))
    …
    delivery = await ws.command(ANA, "#release", "/runs", "show R118")
    answer = await ws.next_message(lambda message: message.only_for == ANA.slack)
    assert ws.errors == []
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any, Literal

from aiohttp import web

from bot.sandbox.server import Clock, Fault, Faults
from bot.sandbox.slack import company
from bot.sandbox.slack.api import WebApi
from bot.sandbox.slack.core import Where, Who
from bot.sandbox.slack.courier import Courier
from bot.sandbox.slack.deliveries import Attempt, Delivery, Kind
from bot.sandbox.slack.filing import FileRoom
from bot.sandbox.slack.installing import install
from bot.sandbox.slack.pace import Pace
from bot.sandbox.slack.records import (
    ApiCall,
    Channel,
    Download,
    Json,
    Message,
    Person,
    Refusal,
    Shortcut,
    Upload,
    UserGroup,
)
from bot.sandbox.slack.response_urls import ResponseUrls
from bot.sandbox.slack.signed_http import SignedHttp
from bot.sandbox.slack.socket_mode import Connection, Goodbye, SocketMode
from bot.sandbox.slack.speaking import Speaking
from bot.sandbox.slack.state import App, Quirks, State, new_id
from bot.sandbox.slack.using import Using
from bot.sandbox.slack.watching import Watching

Answer = Callable[[], Awaitable[web.StreamResponse]]
Role = Literal["member", "admin", "owner", "guest", "single-channel guest", "outsider"]


class Workspace(Speaking, Using, Watching):
    """A Slack workspace with Acme's people and one app.

    `messages_per_second` is per channel with `burst` at once (None: no limit); `tier_limits` adds the limits per
    method. `unfurl_domains` make link_shared events. `shortcuts` are those the app has, also by their callback ids
    alone (None: any).
    With `echo_own_messages` the app gets message events for its own posts too, as Slack sends them.
    """

    def __init__(
        self,
        clock: Clock | None = None,
        *,
        app_name: str = "Rundown",
        scopes: Iterable[str] = company.BOT_SCOPES,
        events: Iterable[str] = company.BOT_EVENTS,
        commands: Iterable[str] = ("/runs",),
        should_escape: bool = True,
        unfurl_domains: Iterable[str] = (),
        shortcuts: Iterable[str | Shortcut] | None = None,
        messages_per_second: float | None = 1.0,
        burst: int = 3,
        tier_limits: bool = False,
        echo_own_messages: bool = False,
        quirks: Quirks | None = None,
    ) -> None:
        Using.__init__(self)
        Watching.__init__(self)
        self.clock = clock or Clock()
        app = App(
            app_name,
            frozenset(scopes),
            frozenset(events),
            frozenset(commands),
            should_escape,
            tuple(unfurl_domains),
            None
            if shortcuts is None
            else tuple(Shortcut(one, one) if isinstance(one, str) else one for one in shortcuts),
        )
        self.state = State(self.clock, app, Pace(messages_per_second, burst, tier_limits), quirks or Quirks())
        self.faults = Faults()
        self.socket = SocketMode(self.state)
        self.http = SignedHttp(self.state)
        self.courier = Courier(self.state, self.socket, self.http)
        self.response_urls = ResponseUrls(self.state)
        self.files = FileRoom(self.state)
        self._api = WebApi(self.state, self.socket.open)
        self._runner: web.AppRunner | None = None
        if echo_own_messages:
            self.state.told.append(self._echo)

    # -- life --------------------------------------------------------------------------------------------------------

    async def start(self, port: int = 0) -> str:
        """Listen on loopback; returns `http://127.0.0.1:PORT`."""
        server = web.Application(client_max_size=64 * 1024 * 1024)
        server.add_routes(
            [
                web.route("*", "/api/{method:.*}", self._on_api),
                web.get("/link/", self._on_link),
                web.post("/upload/v1/{file}/{secret}", self._on_upload),
                web.get("/files-pri/{file}/{name}", self._on_file),
                web.get("/files-pri/{file}/download/{name}", self._on_file),
                web.get("/", self._on_login),
                *(
                    web.post(f"/{family}/{{rest:.+}}", self._on_response_url)
                    for family in ("commands", "actions", "app")
                ),
            ]
        )
        self._runner = web.AppRunner(server, access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", port).start()
        host, real_port = self._runner.addresses[0][:2]
        self.state.base_url = f"http://{host}:{real_port}"
        return self.state.base_url

    async def stop(self) -> None:
        """Close everything; pending repetitions are dropped."""
        await self.courier.close()
        await self.state.close()
        await self.socket.close()
        await self.http.close()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def __aenter__(self) -> Workspace:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def connect_http(self, request_url: str, *, verify: bool = True) -> None:
        """Deliver by signed HTTP to this URL from now on; it must answer Slack's challenge first."""
        await self.http.connect(request_url, verify=verify)

    # -- who and where -----------------------------------------------------------------------------------------------

    @property
    def url(self) -> str:
        return self.state.base_url

    @property
    def api_url(self) -> str:
        """For `base_url` of a client, with the slash at the end."""
        return f"{self.state.base_url}/api/"

    @property
    def bot_token(self) -> str:
        return self.state.app.bot_token

    @property
    def app_token(self) -> str:
        return self.state.app.app_token

    @property
    def signing_secret(self) -> str:
        return self.state.app.signing_secret

    @property
    def team_id(self) -> str:
        return self.state.team_id

    @property
    def bot_user_id(self) -> str:
        return self.state.app.user_id

    @property
    def app_id(self) -> str:
        return self.state.app.id

    @property
    def app(self) -> App:
        """The app as it is installed: scopes, events, commands, shortcuts."""
        return self.state.app

    # -- what happened -----------------------------------------------------------------------------------------------

    @property
    def journal(self) -> list[ApiCall]:
        """Every Web API call, in order, without its token."""
        return self.state.journal

    @property
    def errors(self) -> list[Refusal]:
        """Every refusal by the workspace itself: answers with `ok: false`, refused response_urls, bad view answers."""
        return self.state.errors

    @property
    def deliveries(self) -> list[Delivery]:
        return self.courier.deliveries

    @property
    def downloads(self) -> list[Download]:
        """Every request for a file's bytes, in order; refused ones too."""
        return self.files.downloads

    @property
    def connections(self) -> list[Connection]:
        """The open Socket Mode connections."""
        return self.socket.connections

    def calls(self, method: str) -> list[ApiCall]:
        """The journal's calls of one method."""
        return [call for call in self.state.journal if call.method == method]

    async def connected(self, count: int = 1, timeout_s: float = 5.0) -> None:
        """Wait until this many sockets are open."""
        await self.state.wait(lambda: len(self.connections) >= count, timeout_s, "a Socket Mode connection")

    # -- Slack's own doings ------------------------------------------------------------------------------------------

    async def deliver(self, kind: Kind, payload: Json, *, to: Connection | None = None) -> Delivery:
        """Send any payload, for shapes that no act of a person makes (forged, old, foreign)."""
        return await self.courier.deliver(Delivery(kind, payload), to=to)

    async def redeliver(
        self,
        delivery: Delivery,
        *,
        same_envelope: bool = False,
        to: Connection | None = None,
    ) -> Attempt:
        """Tell the same once more as a retry (retry number and reason set)."""
        return await self.courier.redeliver(delivery, same_envelope=same_envelope, to=to)

    async def replay(self, delivery: Delivery) -> Attempt:
        """The very same request or envelope again, as an attacker or a confused proxy would."""
        return await self.courier.replay(delivery)

    async def refresh(self, reason: Goodbye = "refresh_requested", only: Connection | None = None) -> None:
        """Send `disconnect` to the sockets, as Slack does every few hours."""
        await self.socket.refresh(reason, only)

    def cut_connections(self) -> None:
        """All sockets break without a word."""
        self.socket.cut()

    def revoke_token(self, error: str = "token_revoked") -> None:
        """From now on every call is answered with this (`account_inactive`, …); "" mends it."""
        self.state.app.token_error = error

    def install(self, manifest: Mapping[str, Any]) -> None:
        """Install the app anew by its manifest: it gets the scopes, events, commands and shortcuts of that, no more."""
        install(self.state.app, manifest)

    def grant(self, *scopes: str) -> None:
        self.state.app.scopes |= set(scopes)

    def withdraw(self, *scopes: str) -> None:
        self.state.app.scopes -= set(scopes)

    def close_edit_window(self, message: Message) -> None:
        """chat.update of this message is refused from now on."""
        self.state.edit_closed.add(message.key)

    def on_message(self, tell: Callable[[str, Message], None]) -> None:
        """Be told of every message that is `posted`, `edited` or `deleted` (for a screen)."""
        self.state.told.append(tell)

    # -- the office --------------------------------------------------------------------------------------------------

    def add_channel(
        self,
        name: str,
        members: Iterable[Who] = (),
        *,
        private: bool = False,
        with_app: bool = True,
    ) -> Channel:
        """A new channel."""
        ids = [self.person(one).id for one in members] + ([self.bot_user_id] if with_app else [])
        channel = Channel(new_id("G" if private else "C"), name, "group" if private else "channel", members=ids)
        self.state.channels[channel.id] = channel
        return channel

    def add_person(self, person: Person, *channels: Where) -> Person:
        """Somebody new, in these channels."""
        self.state.people[person.id] = person
        for where in channels:
            self.channel(where).members.append(person.id)
        return person

    def hire(self, count: int, *channels: Where, role: Role = "member") -> list[Person]:
        """So many new people in these channels: Tester 1, Tester 2, … An outsider's channel is a shared one then."""
        outside = role == "outsider"
        people = []
        for number in range(len(self.state.people) + 1, len(self.state.people) + count + 1):
            handle = f"tester{number}"
            person = Person(
                new_id("U"),
                handle,
                f"Tester {number}",
                f"{handle}@{'partner' if outside else 'agency' if 'guest' in role else 'acme'}.example",
                company.PARTNER_TEAM_ID if outside else self.team_id,
                is_admin=role in {"admin", "owner"},
                is_owner=role == "owner",
                is_guest=role in {"guest", "single-channel guest"},
                is_single_channel=role == "single-channel guest",
                is_outsider=outside,
            )
            people.append(self.add_person(person, *channels))
        for where in channels if outside else ():
            self.channel(where).shared_with = (self.team_id, company.PARTNER_TEAM_ID)
        return people

    def add_group(self, handle: str, users: Iterable[Who], *, disabled: bool = False) -> UserGroup:
        """A new user group, `@handle`."""
        group = UserGroup(new_id("S"), handle, handle, [self.person(one).id for one in users], disabled)
        self.state.groups[group.id] = group
        return group

    def put_file(self, who: Who, name: str, data: bytes) -> Upload:
        """A file in somebody's Slack, shared nowhere yet: for `say(files=…)`, or for a file_input."""
        return self.state.keep_file(name, data, self.person(who).id)

    def change_person(self, who: Who, **changes: Any) -> Person:
        """Make somebody an admin, a guest, deleted, … (fields of Person)."""
        changed = replace(self.person(who), **changes)
        self.state.people[changed.id] = changed
        return changed

    def archive(self, where: Where, archived: bool = True) -> None:
        self.channel(where).archived = archived

    def rename(self, where: Where, name: str) -> None:
        self.channel(where).name = name

    # -- faults ------------------------------------------------------------------------------------------------------

    def fail(self, method: str, error: str, *, times: int = 1, after: bool = False, **extra: Any) -> Fault:
        """Answer calls of a method with `ok: false` and this error (with `after`: the work is done all the same)."""
        body = web.json_response({"ok": False, "error": error, **extra}).body
        raw = body if isinstance(body, bytes) else b""
        return self.faults.answer(_api_pattern(method), 200, raw, times=times, after=after)

    def slow_down(self, method: str, retry_after: str | None = "1", *, times: int = 1) -> Fault:
        """Answer calls of a method with 429 and this Retry-After text (None: without one)."""
        headers = {} if retry_after is None else {"Retry-After": retry_after}
        body = b'{"ok":false,"error":"ratelimited"}'
        return self.faults.answer(_api_pattern(method), 429, body, times=times, headers=headers)

    # -- requests ----------------------------------------------------------------------------------------------------

    async def _on_api(self, request: web.Request) -> web.StreamResponse:
        call, token, bad = await self._api.note(request)

        async def answer() -> web.StreamResponse:
            return self._api.answer(call, token, bad)

        response = await self._spoilt(request, answer)
        call.status = response.status
        return response

    async def _on_link(self, request: web.Request) -> web.StreamResponse:
        fault = self.faults.find(f"{request.method} {request.raw_path}")
        if fault is not None and not fault.after:
            self.socket.spend(request.query.get("ticket", ""))
        return await self._spoilt(request, lambda: self.socket.accept(request))

    async def _on_response_url(self, request: web.Request) -> web.StreamResponse:
        await request.read()
        return await self._spoilt(request, lambda: self.response_urls.answer(request))

    async def _on_upload(self, request: web.Request) -> web.StreamResponse:
        async def answer() -> web.StreamResponse:
            upload = self.state.uploads.get(request.match_info["file"])
            if upload is None or upload.secret != request.match_info["secret"] or upload.complete:
                return web.Response(status=404, text="no such upload")
            data = await _uploaded(request)
            if len(data) != upload.length:
                return web.Response(status=400, text=f"expected {upload.length} bytes, got {len(data)}")
            upload.data = data
            return web.Response(text=f"OK - {len(data)}")

        return await self._spoilt(request, answer)

    async def _on_file(self, request: web.Request) -> web.StreamResponse:
        async def answer() -> web.StreamResponse:
            return self.files.answer(request)

        return await self._spoilt(request, answer)

    async def _on_login(self, request: web.Request) -> web.StreamResponse:
        return self.files.login(request)

    async def _spoilt(self, request: web.Request, answer: Answer) -> web.StreamResponse:
        """The answer, or what the fault script says instead."""
        fault = self.faults.find(f"{request.method} {request.raw_path}")
        if fault is None:
            return await answer()
        fault.hits += 1
        if fault.times > 0:
            fault.times -= 1
        return await fault.spoil(request, await answer() if fault.after else None)


def _api_pattern(method: str) -> str:
    return rf"/api/{method.replace('.', '[.]')}(?:[?]|$)"


async def _uploaded(request: web.Request) -> bytes:
    """The bytes of an upload, sent raw or as a form's file."""
    if request.content_type == "multipart/form-data":
        form = await request.post()
        for part in form.values():
            if isinstance(part, web.FileField):
                return part.file.read()
    return await request.read()
