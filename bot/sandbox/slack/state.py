"""All that a workspace remembers, and the few ways it changes. No wire here: the API and the people both come through.

Every change calls `changed()`, so that whoever waits for a condition looks again.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import uuid4

from bot.sandbox.server import Clock
from bot.sandbox.slack import company
from bot.sandbox.slack.pace import Pace
from bot.sandbox.slack.records import (
    ApiCall,
    Channel,
    ChannelKind,
    Json,
    Message,
    Person,
    Refusal,
    Shortcut,
    Upload,
    UserGroup,
    View,
)
from bot.sandbox.slack.refusals import CannotDo, Refused
from bot.sandbox.slack.triggers import Triggers

ID_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ0123456789"


def new_id(prefix: str, length: int = 10) -> str:
    return prefix + "".join(secrets.choice(ID_LETTERS) for _ in range(length))


@dataclass(slots=True)
class App:
    """The one app installed here: who it is, what it may, what it is told. Tokens are made up per workspace."""

    name: str
    scopes: frozenset[str]
    events: frozenset[str]
    commands: frozenset[str]
    should_escape: bool = True
    unfurl_domains: tuple[str, ...] = ()
    shortcuts: tuple[Shortcut, ...] | None = None
    id: str = company.APP_ID
    bot_id: str = company.BOT_ID
    user_id: str = company.BOT_USER_ID
    bot_token: str = field(default_factory=lambda: f"xoxb-1001-2002-{secrets.token_hex(12)}")
    app_token: str = field(default_factory=lambda: f"xapp-1-{company.APP_ID}-3003-{secrets.token_hex(24)}")
    signing_secret: str = field(default_factory=lambda: secrets.token_hex(16))
    verification_token: str = field(default_factory=lambda: secrets.token_hex(12))
    #: "" while the token works, else what every call is answered with: token_revoked, account_inactive, …
    token_error: str = ""


@dataclass(frozen=True, slots=True)
class Quirks:
    """Behaviour that reports about Slack disagree on; a test can have it either way.

    `lost_threads`: a reply to a parent that is gone becomes a top-level message whose answer has no `thread_ts`
    (slack-go issue 1571), or is refused with thread_not_found. `text_alone_keeps_blocks`: what chat.update with
    text only does to blocks and attachments (kept: slack-go issue 1214; gone: later reports).
    """

    lost_threads: Literal["unthread", "refuse"] = "unthread"
    text_alone_keeps_blocks: bool = False


class State:
    """Everything in the workspace. `base_url` is where it listens once it does."""

    def __init__(self, clock: Clock, app: App, pace: Pace, quirks: Quirks) -> None:
        self.clock = clock
        self.app = app
        self.pace = pace
        self.quirks = quirks
        self.base_url = ""
        self.team_id = company.TEAM_ID
        self.domain = company.TEAM_DOMAIN
        self.domains = {company.TEAM_ID: company.TEAM_DOMAIN, company.PARTNER_TEAM_ID: company.PARTNER_DOMAIN}
        self.people: dict[str, Person] = {person.id: person for person in company.people(app.name)}
        self.channels: dict[str, Channel] = {channel.id: channel for channel in company.channels()}
        self.groups: dict[str, UserGroup] = {group.id: group for group in company.groups()}
        self.messages: dict[tuple[str, str], Message] = {}
        self.views: dict[str, View] = {}
        self.stacks: dict[str, list[str]] = {}
        self.homes: dict[str, View] = {}
        self.uploads: dict[str, Upload] = {}
        self.unfurls: dict[str, tuple[str, str, tuple[str, ...]]] = {}
        self.triggers = Triggers()
        self.journal: list[ApiCall] = []
        self.errors: list[Refusal] = []
        self.edit_closed: set[tuple[str, str]] = set()
        self.told: list[Callable[[str, Message], None]] = []
        self._last_ts: dict[str, int] = {}
        self._changes: list[asyncio.Event] = []
        self._deadlines: dict[asyncio.Future[None], datetime] = {}
        self._ticker: asyncio.Task[None] | None = None
        self._by_channel: dict[str, dict[str, Message]] = {}
        self._replies: dict[tuple[str, str], list[str]] = {}

    # -- waiting -----------------------------------------------------------------------------------------------------

    def changed(self) -> None:
        for event in self._changes:
            event.set()

    async def wait(self, met: Callable[[], Any], timeout_s: float, what: str = "a condition") -> Any:
        """Wait until `met()` is truthy and return it. Raises TimeoutError after `timeout_s` seconds of real time."""
        event = asyncio.Event()
        self._changes.append(event)
        end = asyncio.get_running_loop().time() + timeout_s
        try:
            while not (value := met()):
                left = end - asyncio.get_running_loop().time()
                if left <= 0:
                    raise TimeoutError(f"waited {timeout_s} s for {what}; last refusals: {self.errors[-3:]}")
                event.clear()
                try:
                    await asyncio.wait_for(event.wait(), min(left, 0.02))
                except TimeoutError:
                    continue
            return value
        finally:
            self._changes.remove(event)

    async def wait_by_clock(self, work: asyncio.Future[Any], seconds: float) -> bool:
        """Wait for the work, at most this long by the workspace's clock (so a test may move it). True: it ended."""
        over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._deadlines[over] = self.clock.now() + timedelta(seconds=seconds)
        if self._ticker is None or self._ticker.done():
            self._ticker = asyncio.create_task(self._tick())
        try:
            await asyncio.wait({work, over}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._deadlines.pop(over, None)
            over.cancel()
        return work.done()

    async def _tick(self) -> None:
        """Look at the clock for everybody who waits by it; ends when nobody does."""
        while self._deadlines:
            await asyncio.sleep(0.01)
            now = self.clock.now()
            for over, deadline in list(self._deadlines.items()):
                if now >= deadline and not over.done():
                    over.set_result(None)

    async def close(self) -> None:
        """Nobody waits any longer."""
        if self._ticker is not None:
            self._ticker.cancel()
            await asyncio.gather(self._ticker, return_exceptions=True)

    # -- finding -----------------------------------------------------------------------------------------------------

    def now(self) -> datetime:
        return self.clock.now()

    def person(self, user: str) -> Person:
        """By id. Raises CannotDo."""
        if user not in self.people:
            raise CannotDo(f"there is nobody called {user} in this workspace")
        return self.people[user]

    def channel_named(self, word: str) -> Channel:
        """By id, `#name` or name. Raises CannotDo."""
        name = word.removeprefix("#")
        for channel in self.channels.values():
            if channel.id == word or (channel.name and channel.name == name):
                return channel
        raise CannotDo(f"there is no channel {word}")

    def direct(self, *users: str) -> Channel:
        """The direct conversation of these people, made when it is not there yet."""
        members = sorted(set(users))
        kind: ChannelKind = "im" if len(members) <= 2 else "mpim"
        for channel in self.channels.values():
            if channel.kind == kind and sorted(channel.members) == members:
                return channel
        channel = Channel(new_id("D", 8) if kind == "im" else new_id("G", 8), "", kind, members=list(members))
        if kind == "mpim":
            channel.name = "mpdm-" + "--".join(self.people[user].handle for user in members) + "-1"
        self.channels[channel.id] = channel
        return channel

    def app_sees(self, channel: Channel) -> bool:
        """Whether the app may know of this conversation at all."""
        return channel.kind == "channel" or self.app.user_id in channel.members

    def channel_for_app(self, word: Any) -> Channel:
        """A conversation the app names by id (or `#name`). Raises Refused channel_not_found."""
        for channel in self.channels.values():
            if (channel.id == word or (channel.name and f"#{channel.name}" == word)) and self.app_sees(channel):
                return channel
        raise Refused("channel_not_found")

    def message_for_app(self, channel: Channel, ts: Any) -> Message:
        """A message that is still there; an ephemeral one is none. Raises Refused message_not_found."""
        message = self.messages.get((channel.id, str(ts)))
        if message is None or message.deleted or message.is_ephemeral:
            raise Refused("message_not_found")
        return message

    def in_channel(self, channel_id: str) -> list[Message]:
        """All messages that are still there, oldest first, ephemeral ones included."""
        return [one for one in self._by_channel.get(channel_id, {}).values() if not one.deleted]

    def replies(self, channel_id: str, ts: str) -> list[Message]:
        """The replies of a thread that are still there and for everybody, oldest first."""
        found = [self.messages[(channel_id, reply)] for reply in self._replies.get((channel_id, ts), ())]
        return [one for one in found if not one.deleted and not one.is_ephemeral]

    def top_view(self, user: str) -> View | None:
        stack = self.stacks.get(user) or []
        return self.views[stack[-1]] if stack else None

    # -- changing ----------------------------------------------------------------------------------------------------

    def next_ts(self, channel_id: str) -> str:
        """A ts later than every other in the channel."""
        now = int(self.now().timestamp() * 1_000_000)
        micros = max(now, self._last_ts.get(channel_id, 0) + 1)
        self._last_ts[channel_id] = micros
        return f"{micros // 1_000_000}.{micros % 1_000_000:06d}"

    def post(
        self,
        channel: Channel,
        user: str,
        text: str,
        *,
        blocks: Iterable[Json] = (),
        attachments: Iterable[Json] = (),
        thread_ts: str = "",
        broadcast: bool = False,
        only_for: str = "",
        by_app: bool = False,
        metadata: Json | None = None,
        files: tuple[str, ...] = (),
    ) -> Message:
        """Put one message into a channel."""
        message = Message(
            channel=channel.id,
            ts=self.next_ts(channel.id),
            user=user,
            text=text,
            at=self.now(),
            blocks=named(blocks),
            attachments=tuple(
                {**one, "blocks": list(named(one["blocks"]))} if one.get("blocks") else one for one in attachments
            ),
            thread_ts=thread_ts,
            broadcast=broadcast,
            only_for=only_for,
            by_app=by_app,
            metadata=metadata,
            files=files,
            client_msg_id="" if by_app else str(uuid4()),
        )
        return self._keep(message, "posted")

    def edit(self, message: Message, *, edited_by: str = "", **changes: Any) -> Message:
        """Replace parts of a message; with `edited_by` it is marked as edited."""
        if "blocks" in changes:
            changes["blocks"] = named(changes["blocks"])
        if edited_by:
            changes |= {"edited_ts": f"{int(self.now().timestamp())}.000000", "edited_by": edited_by}
        return self._keep(replace(message, edits=message.edits + 1, **changes), "edited")

    def keep_file(self, name: str, data: bytes, user: str, *, given: bool = False) -> Upload:
        """A file that a person has put into the workspace, all its bytes there."""
        upload = Upload(
            new_id("F"),
            name,
            len(data),
            secrets.token_hex(8),
            data=data,
            complete=True,
            user=user,
            created=int(self.now().timestamp()),
            given=given,
        )
        self.uploads[upload.id] = upload
        return upload

    def remove(self, message: Message) -> None:
        self._keep(replace(message, deleted=True), "deleted")

    def _keep(self, message: Message, how: str) -> Message:
        if message.thread_ts and message.key not in self.messages:
            self._replies.setdefault((message.channel, message.thread_ts), []).append(message.ts)
        self.messages[message.key] = message
        self._by_channel.setdefault(message.channel, {})[message.ts] = message
        for tell in self.told:
            tell(how, message)
        self.changed()
        return message

    def refuse(self, where: str, refused: Refused, args: Json) -> None:
        """Write a refusal down."""
        self.errors.append(Refusal(where, refused.error, refused.messages, args))
        self.changed()


def named(blocks: Iterable[Json]) -> tuple[Json, ...]:
    """The blocks as Slack keeps them: every block has a block_id, every interactive element an action_id."""
    return tuple(_named_block(block) for block in blocks)


def _named_block(block: Json) -> Json:
    whole = {**block, "block_id": block.get("block_id") or secrets.token_urlsafe(4)}
    for key in ("accessory", "element"):
        if isinstance(whole.get(key), dict):
            whole[key] = _named_element(whole[key])
    if whole.get("type") in {"actions", "context_actions"}:
        whole["elements"] = [_named_element(element) for element in whole.get("elements", ())]
    if whole.get("type") == "card" and whole.get("actions"):
        whole["actions"] = [_named_element(element) for element in whole["actions"]]
    for key in ("child_blocks",):
        if isinstance(whole.get(key), list):
            whole[key] = list(named(whole[key]))
    if whole.get("type") == "carousel":
        whole["elements"] = list(named(whole.get("elements", ())))
    return whole


def _named_element(element: Json) -> Json:
    if element.get("type") == "image" or element.get("action_id"):
        return element
    return {**element, "action_id": secrets.token_urlsafe(4)}
