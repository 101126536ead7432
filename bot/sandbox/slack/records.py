"""What a Slack workspace is made of: people, channels, messages, views, groups, files. Values; nothing here acts."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

Json = dict[str, Any]

#: How a conversation is reached; the words are Slack's `channel_type` in events.
ChannelKind = Literal["channel", "group", "im", "mpim"]


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody (or some app) with a user id. `team_id` differs from the workspace's for Slack Connect outsiders.

    A guest with `is_single_channel` may be in one channel only (Slack's `is_ultra_restricted`).
    """

    id: str
    handle: str
    name: str
    email: str
    team_id: str
    tz: str = "Europe/Berlin"
    is_admin: bool = False
    is_owner: bool = False
    is_guest: bool = False
    is_single_channel: bool = False
    is_outsider: bool = False
    is_bot: bool = False
    deleted: bool = False


@dataclass(slots=True)
class Channel:
    """A conversation. `members` are user ids as they joined, `shared_with` the teams of a Slack Connect channel."""

    id: str
    name: str
    kind: ChannelKind = "channel"
    members: list[str] = field(default_factory=list)
    archived: bool = False
    shared_with: tuple[str, ...] = ()
    topic: str = ""
    created: int = 1_700_000_000

    @property
    def is_direct(self) -> bool:
        return self.kind in {"im", "mpim"}


@dataclass(frozen=True, slots=True)
class Message:
    """One message as it stands now; an edit makes a new value, so what a test holds stays what was seen then.

    `only_for` is the one person who sees an ephemeral message, "" for everybody. `user` is the sender.
    `ts` and `thread_ts` are Slack's strings; a thread's parent has no `thread_ts` here (the wire adds it).
    """

    channel: str
    ts: str
    user: str
    text: str
    at: datetime
    blocks: tuple[Json, ...] = ()
    attachments: tuple[Json, ...] = ()
    thread_ts: str = ""
    broadcast: bool = False
    only_for: str = ""
    by_app: bool = False
    metadata: Json | None = None
    edited_ts: str = ""
    edited_by: str = ""
    deleted: bool = False
    reactions: tuple[tuple[str, str], ...] = ()
    files: tuple[str, ...] = ()
    client_msg_id: str = ""
    edits: int = 0

    @property
    def is_ephemeral(self) -> bool:
        return self.only_for != ""

    @property
    def key(self) -> tuple[str, str]:
        return (self.channel, self.ts)


@dataclass(frozen=True, slots=True)
class View:
    """One modal or Home tab as it stands now.

    `content` is what the app sent (title, blocks, submit, …). `errors` are the words under inputs after a refused
    submission, by block_id. `typed` is what the person entered so far, Slack's `state.values`.
    """

    id: str
    user: str
    kind: Literal["modal", "home"]
    content: Json
    hash: str
    root_id: str
    previous_id: str = ""
    external_id: str = ""
    typed: Json = field(default_factory=dict)
    errors: Json = field(default_factory=dict)
    updates: int = 0

    @property
    def title(self) -> str:
        return str((self.content.get("title") or {}).get("text", ""))

    @property
    def callback_id(self) -> str:
        return str(self.content.get("callback_id") or "")

    @property
    def private_metadata(self) -> str:
        return str(self.content.get("private_metadata") or "")

    @property
    def blocks(self) -> tuple[Json, ...]:
        return tuple(self.content.get("blocks") or ())


@dataclass(slots=True)
class UserGroup:
    """A user group (`@qa-leads`) and its people's ids. A disabled one is listed only when asked for."""

    id: str
    handle: str
    name: str
    users: list[str] = field(default_factory=list)
    disabled: bool = False


@dataclass(frozen=True, slots=True)
class Shortcut:
    """A shortcut of the app: in a message's menu, or anywhere (`global`); "" for one that is used in both ways."""

    callback_id: str
    name: str = ""
    kind: Literal["message", "global", ""] = ""


@dataclass(slots=True)
class Upload:
    """A file on its way or shared. `data` is None until the bytes came; `shares` are channel ids.

    `user` put it there at `created` (seconds since 1970); `given`: into a dialog of the app, which may read it then.
    """

    id: str
    name: str
    length: int
    secret: str
    title: str = ""
    data: bytes | None = None
    complete: bool = False
    shares: list[str] = field(default_factory=list)
    user: str = ""
    created: int = 0
    given: bool = False


@dataclass(frozen=True, slots=True)
class Download:
    """One request for a file's bytes. `refusal` tells why a login page was answered instead, "" when it was not."""

    file: str
    at: datetime
    refusal: str = ""


@dataclass(slots=True)
class ApiCall:
    """One Web API call: `method` like `chat.postMessage`, `args` decoded, `answer` as given (None: never answered)."""

    method: str
    args: Json
    at: datetime
    answer: Json | None = None
    status: int = 0
    ok: bool = False


@dataclass(frozen=True, slots=True)
class Refusal:
    """One refusal by the workspace itself (scripted faults are not among them).

    `where` is a method, `response_url`, or the kind of an answer to an interaction (`view_submission`, …);
    `detail` holds the messages Slack would give.
    """

    where: str
    error: str
    detail: tuple[str, ...] = ()
    args: Json = field(default_factory=dict)
