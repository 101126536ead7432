"""Says messages in Slack: to one person or in public, at Slack's pace, and by another way when the first one fails.

One queue per channel keeps order and one post a second; a 429 waits as long as Slack says and loses nothing. What
nobody waits for goes at one pace for all channels, which is found out: Slack has a limit per workspace, but does not
tell it. A post whose answer never came is not repeated (Slack has no idempotency key): it is logged as in doubt.
"""

from __future__ import annotations

import asyncio
import heapq
import logging
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bot.presenters.message import Message

if TYPE_CHECKING:
    import aiohttp
    from slack_sdk.errors import SlackApiError
    from slack_sdk.web.async_client import AsyncWebClient

log = logging.getLogger(__name__)

#: Seconds between two posts into one channel.
CHANNEL_S = 1.0
#: Posts that nobody waits for and that are on their way at a time: a thousand channels with a post a second each,
#: answered after 100 ms, need a hundred. And how many may be recorded meanwhile: no connection waits for a disk.
AT_ONCE, AHEAD = 100, 32
#: The pace of what nobody waits for, in posts a second: the first, the least and the most that is tried.
FIRST, LEAST, MOST = 100.0, 1.0, 2000.0
#: By how much each post that is taken raises the pace: while the limit is sought (it doubles in a quarter of a second),
#: and once it is found.
SEEKING, FOUND = 2.8, 0.02
#: What is left of the pace after a refusal; seconds after which a limit is sought again: it may have been lifted.
EASED, SOUGHT_S = 0.95, 20.0
#: Slack counts when a post comes in, so a channel rests while its answer is on the way: for the shortest way seen among
#: so many, at most so long, and only this part of it is counted, for ways there and back differ.
KNOWN_WAYS, LONGEST_WAYS_S, SURE = 20, 0.2, 0.8
#: Seconds by which grants may be late and still be caught up with: the loop's timers are.
LATE_S = 0.005
#: Uses of a response_url, and the seconds it is good for (Slack: 5 and 30 min; we stay below).
USES, USABLE_S = 5, 29 * 60.0
#: The longest Slack's Retry-After is obeyed inside one post, and how often.
LONGEST_WAIT_S, WAITS = 60.0, 5

#: Refusals that mean the bot can't speak there; another way may still reach the person.
_NO_WAY = frozenset(
    {
        "channel_not_found",
        "not_in_channel",
        "is_archived",
        "user_not_in_channel",
        "restricted_action",
        "messages_tab_disabled",
    }
)
#: By what name our messages carry their keys, and pages of history that are looked through for one.
EVENT, PAGES = "rundown_message", 10
#: Methods that take their arguments as a form alone.
_FORMS_ONLY = frozenset({"files.getUploadURLExternal", "conversations.history", "conversations.replies"})
#: Refusals that mean a message is not there, or not ours to edit, any more.
_GONE = frozenset({"message_not_found", "cant_update_message", "edit_window_closed", "msg_too_old"})
#: Faults of Slack's own that pass, and the seconds before the first next try.
_PASSING = frozenset({"internal_error", "fatal_error", "service_unavailable", "request_timeout", "team_added_to_org"})
PASSING_S = 0.4
#: Refusals of the message itself; it is said again as plain text.
_BAD_BLOCKS = frozenset({"invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long", "msg_too_long"})


@dataclass(slots=True)
class ReturnPath:
    """How to answer somebody. `thread` is the root's timestamp where the answer belongs into a thread.

    `response_url` is what Slack gave with a command or a click, good for five uses; `asked_ts` is the timestamp of the
    message that asked, `message_ts` of the one that was clicked; `private` tells that only the asker saw it.
    """

    team: str
    channel: str
    user: str
    thread: str = ""
    response_url: str = ""
    message_ts: str = ""
    asked_ts: str = ""
    private: bool = True
    uses_left: int = USES
    made_at: float = field(default_factory=time.monotonic)

    def usable(self) -> bool:
        return bool(self.response_url) and self.uses_left > 0 and time.monotonic() - self.made_at < USABLE_S


class NotSaidError(Exception):
    """Slack took the message on no way. `reason` is its last word, `detail` what it said of the message's blocks."""

    def __init__(self, reason: str, detail: object = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.detail = detail


class _NotNowError(Exception):
    """The same call may be answered in a while. `wait_s` is None where Slack did not say when.

    `perhaps` tells that it may have been carried out all the same: Slack says so of its internal errors.
    """

    def __init__(self, reason: str, *, wait_s: float | None = None, perhaps: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.wait_s = wait_s
        self.perhaps = perhaps


class Postman:
    """Speaks for the bot. One of it per process: its queues know what every channel has got."""

    def __init__(self, client: AsyncWebClient, session: aiohttp.ClientSession) -> None:
        self._client = client
        self._session = session
        self._channels: dict[str, _Lane] = {}
        self._pace = _Pace()
        self._ways = _Ways()
        self._gate = asyncio.Semaphore(AT_ONCE)
        self._ahead = asyncio.Semaphore(AT_ONCE + AHEAD)

    async def whisper(self, back: ReturnPath, message: Message, *, replace: bool = False) -> None:
        """Say it to the asker alone: by the response_url, else as an ephemeral message, else as a direct message."""
        for number, part in enumerate((message, *message.more)):
            again = replace and number == 0
            if await self._respond(back, part, {"response_type": "ephemeral", "replace_original": again}):
                continue
            try:
                await self._call(
                    "chat.postEphemeral", channel=back.channel, user=back.user, **_thread(back), **_body(part)
                )
            except NotSaidError as error:
                if error.reason not in _NO_WAY:
                    raise
                await self.direct(back.user, part)

    async def say(self, back: ReturnPath, message: Message) -> str:
        """Say it in public, in the thread it belongs to. Returns its timestamp, empty where Slack does not tell it.

        Where the bot may not speak, the response_url speaks for it. When that fails too, or it is in doubt whether
        Slack took the message, the asker is told alone: an answer is never lost.
        """
        try:
            return await self.post(back.channel, message, thread=back.thread)
        except NotSaidError as error:
            log.warning("not said in %s: %s", back.channel, error.reason)
            public = {"response_type": "in_channel", "replace_original": False}
            if error.reason not in _NO_WAY or not await self._respond(back, message, public):
                await self.whisper(back, message)
                return ""
            for part in message.more:
                await self._respond(back, part, public)
            return ""

    async def post(self, channel: str, message: Message, *, thread: str = "") -> str:
        """Post into a channel or thread; what continues goes into its thread. Returns the first one's timestamp."""
        answer = await self._post(channel, message, thread)
        ts = str(answer.get("ts", ""))
        for part in message.more:
            await self._post(channel, part, thread or ts)
        return ts

    async def put(self, back: ReturnPath, ts: str, message: Message) -> str:
        """Put this in place of a message of ours, or say it anew where that is gone. Returns its timestamp."""
        try:
            await self._call("chat.update", channel=back.channel, ts=ts, **_body(message))
        except NotSaidError as error:
            log.warning("not edited in %s: %s", back.channel, error.reason)
            return await self.say(back, message)
        for part in message.more:
            await self._post(back.channel, part, back.thread or ts)
        return ts

    async def post_once(
        self,
        channel: str,
        text: str,
        blocks: list[dict[str, Any]],
        *,
        thread: str,
        key: str,
        may: Callable[[], Awaitable[bool]],
    ) -> str:
        """Post something that nobody waits for, behind what people wait for. Returns its timestamp.

        Its key goes along as metadata, by which `find` finds it again. `may` is asked when its turn has come, right
        before every attempt. Raises NotSaidError: with the reason `no_answer` it may have been posted all the same,
        with `withdrawn` it may not be posted any more.
        """
        lane = self._lane(channel)
        arguments = {
            "channel": channel,
            **({"thread_ts": thread} if thread else {}),
            **_body(Message(text, blocks)),
            "metadata": {"event_type": EVENT, "event_payload": {"key": key}},
        }
        plain = False
        for _ in range(WAITS):
            await lane.clear()
            await self._pace.turn()
            async with lane.turn(person=False, rest_s=CHANNEL_S - self._ways.least_s), self._ahead:
                if not await may():
                    raise NotSaidError("withdrawn")
                async with self._gate:
                    begun_at = time.monotonic()
                    try:
                        answer = await self._ask("chat.postMessage", arguments)
                    except _NotNowError as error:
                        if error.perhaps:
                            raise NotSaidError("no_answer") from None
                        if error.wait_s is None:
                            raise NotSaidError(error.reason) from None
                        lane.rest(error.wait_s)  # whoever is next waits as well: it is the channel that has to rest
                        self._pace.refused(begun_at, error.wait_s)
                    except NotSaidError as error:
                        if plain or error.reason not in _BAD_BLOCKS:
                            raise
                        log.error("the blocks of %s were refused (%s): %s", key, error.reason, error.detail)
                        arguments["blocks"], plain = _plainly(text), True
                    else:
                        self._pace.taken(begun_at)
                        self._ways.took(time.monotonic() - begun_at)
                        return str(answer.get("ts", ""))
        raise NotSaidError("ratelimited")

    async def find(self, channel: str, key: str, *, thread: str, oldest: float) -> str:
        """The timestamp of what was posted with this key at `oldest` (seconds of the epoch) or later; empty if it is
        not there. Raises NotSaidError when the channel can't be read.
        """
        method = "conversations.replies" if thread else "conversations.history"
        place: dict[str, Any] = {"channel": channel, **({"ts": thread} if thread else {})}
        cursor = ""
        for _ in range(PAGES):
            page = await self._call(
                method,
                **place,
                oldest=f"{oldest:.6f}",
                inclusive=True,
                limit=200,
                include_all_metadata=True,
                **({"cursor": cursor} if cursor else {}),
            )
            for message in page.get("messages") or ():
                told = message.get("metadata") or {}
                if told.get("event_type") == EVENT and (told.get("event_payload") or {}).get("key") == key:
                    return str(message.get("ts", ""))
            cursor = str((page.get("response_metadata") or {}).get("next_cursor") or "")
            if not cursor:
                return ""
        raise NotSaidError("too_much_history")

    def _lane(self, channel: str) -> _Lane:
        lane = self._channels.setdefault(channel, _Lane())
        if len(self._channels) > 10_000:
            self._channels = {name: kept for name, kept in self._channels.items() if kept.busy() or kept is lane}
        return lane

    async def edit(self, channel: str, ts: str, message: Message) -> bool:
        """Put this in place of an older message of ours. False when that is gone or can't be edited any more.

        What would continue in its thread is left out: that is there already.
        """
        try:
            await self._call("chat.update", channel=channel, ts=ts, **_body(message))
        except NotSaidError as error:
            if error.reason in _GONE or error.reason in _NO_WAY:
                return False
            raise
        return True

    async def direct(self, user: str, message: Message) -> tuple[str, str]:
        """Say it to somebody in their direct messages. Returns channel and timestamp."""
        opened = await self._call("conversations.open", users=user)
        channel = str((opened.get("channel") or {}).get("id", ""))
        answer = await self._post(channel, message, "")
        return channel, str(answer.get("ts", ""))

    async def send_file(self, user: str, name: str, content: bytes, comment: str) -> None:
        """Send somebody a file in their direct messages. Raises NotSaidError."""
        import aiohttp

        opened = await self._call("conversations.open", users=user)
        channel = str((opened.get("channel") or {}).get("id", ""))
        place = await self._call("files.getUploadURLExternal", filename=name, length=len(content))
        try:
            async with self._session.post(str(place.get("upload_url", "")), data=content) as answer:
                if answer.status != 200:
                    raise NotSaidError(f"upload answered {answer.status}")
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise NotSaidError(type(error).__name__) from None
        file = {"id": place.get("file_id"), "title": name}
        await self._call("files.completeUploadExternal", files=[file], channel_id=channel, initial_comment=comment)

    async def permalink(self, channel: str, ts: str) -> str:
        """The web address of a message; empty when Slack does not tell it."""
        from slack_sdk.errors import SlackClientError

        try:
            answer = await self._client.api_call("chat.getPermalink", params={"channel": channel, "message_ts": ts})
        except (SlackClientError, OSError, TimeoutError) as error:
            log.warning("no permalink: %s", error)
            return ""
        return str(answer.get("permalink") or "")

    async def replace(self, back: ReturnPath, message: Message) -> None:
        """Put this in place of the message that was clicked, whoever sees it."""
        kind = {"replace_original": True} | ({"response_type": "ephemeral"} if back.private else {})
        if await self._respond(back, message, kind):
            return
        if back.private:
            await self.whisper(back, message)
        else:
            await self.put(back, back.message_ts, message)

    async def withdraw(self, back: ReturnPath) -> None:
        """Take away the private message that was clicked; if that fails it stays, which does no harm."""
        await self._send(back, {"delete_original": True})

    async def _post(self, channel: str, message: Message, thread: str) -> Mapping[str, Any]:
        async with self._lane(channel).turn():
            place = {"thread_ts": thread} if thread else {}
            return await self._call("chat.postMessage", channel=channel, **place, **_body(message))

    async def _respond(self, back: ReturnPath, message: Message, kind: Mapping[str, Any]) -> bool:
        place = {"thread_ts": back.thread} if back.thread else {}
        return await self._send(back, {**kind, **place, "text": message.text, "blocks": message.blocks})

    async def _send(self, back: ReturnPath, body: Mapping[str, Any]) -> bool:
        """Use the response_url once; False when it is used up, too old, or Slack did not take it."""
        import aiohttp

        if not back.usable():
            return False
        back.uses_left -= 1
        try:
            async with self._session.post(back.response_url, json=body, allow_redirects=False) as answer:
                said = (await answer.content.read(500)).decode(errors="replace")
        except (aiohttp.ClientError, TimeoutError) as error:
            log.warning("response_url: %s", type(error).__name__)
            return False
        if answer.status == 200 and '"ok":false' not in said.replace(" ", ""):
            return True
        log.warning("response_url answered %s: %s", answer.status, said[:200])
        return False

    async def _call(self, method: str, **arguments: Any) -> Mapping[str, Any]:
        """One Web API call; waits out 429s and passing faults, says it plainly when Slack refuses the blocks."""
        refused = False
        for number in range(WAITS):
            try:
                return await self._ask(method, arguments)
            except _NotNowError as error:
                await asyncio.sleep(PASSING_S * 2**number if error.wait_s is None else error.wait_s)
            except NotSaidError as error:
                if refused or error.reason not in _BAD_BLOCKS:
                    raise
                log.error("%s refused our blocks (%s): %s", method, error.reason, error.detail)
                arguments["blocks"] = _plainly(arguments.get("text", ""))
                refused = True
        raise NotSaidError("unreachable")

    async def _ask(self, method: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        """Ask once. Raises _NotNowError, or NotSaidError; with `no_answer` it may have been done."""
        import aiohttp
        from slack_sdk.errors import SlackApiError

        try:
            if method in _FORMS_ONLY:
                answer = await self._client.api_call(method, data=dict(arguments))
            else:
                answer = await self._client.api_call(method, json=dict(arguments))
        except SlackApiError as error:
            raise _refusal(error) from None
        except (aiohttp.ClientConnectorError, ConnectionRefusedError):
            raise _NotNowError("unreachable") from None
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            log.error("%s: no answer from Slack (%s); whether it was done is in doubt", method, type(error).__name__)
            raise NotSaidError("no_answer") from None
        return answer.data if isinstance(answer.data, dict) else {}


def _refusal(error: SlackApiError) -> NotSaidError | _NotNowError:
    """What Slack meant by that. An answer that can't be read, or a bare status, is none of the API's."""
    response = error.response
    status = int(getattr(response, "status_code", 0) or getattr(response, "status", 0))
    told = response.data if isinstance(getattr(response, "data", None), dict) else {}
    reason = str(told.get("error", status))
    if status == 429 or reason == "ratelimited":
        return _NotNowError("ratelimited", wait_s=_wait_s(response.headers))
    if reason in _PASSING or reason.isdigit():
        return _NotNowError(reason, perhaps=True)
    return NotSaidError(reason, told.get("response_metadata"))


class _Lane:
    """One channel's queue: one post at a time and a second, people's before those that nobody waits for.

    Who is next is chosen when the channel is free again, so that a person who comes last is not behind a post that
    only waits for its second.
    """

    def __init__(self) -> None:
        self._taken = False
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []
        self._number = 0
        self._free_at = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def busy(self) -> bool:
        return self._taken or bool(self._waiting) or self._free_at > time.monotonic()

    def rest(self, seconds: float) -> None:
        """Nobody posts here for so long."""
        self._free_at = max(self._free_at, time.monotonic() + seconds)

    @asynccontextmanager
    async def turn(self, *, person: bool = True, rest_s: float = CHANNEL_S) -> AsyncIterator[None]:
        await self._enter(person)
        try:
            yield
        finally:
            self.rest(rest_s)
            self._leave()

    async def clear(self) -> None:
        """Wait until a post that nobody waits for could go; whoever comes meanwhile is not held up."""
        await self._enter(person=False)
        self._leave()

    async def _enter(self, person: bool) -> None:
        self._number += 1
        mine: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (0 if person else 1, self._number, mine))
        self._next()
        try:
            await mine
        except asyncio.CancelledError:
            if mine.done() and not mine.cancelled():  # the turn had come just then: the next one has it
                self._leave()
            raise

    def _leave(self) -> None:
        self._taken = False
        self._next()

    def _next(self) -> None:
        if self._taken or self._timer is not None or not self._waiting:
            return
        wait = self._free_at - time.monotonic()
        if wait > 0:
            self._timer = asyncio.get_running_loop().call_later(wait, self._rested)
            return
        while self._waiting:
            _, _, theirs = heapq.heappop(self._waiting)
            if not theirs.done():
                self._taken = True
                theirs.set_result(None)
                return

    def _rested(self) -> None:
        self._timer = None
        self._next()


class _Ways:
    """How long the ways to Slack and back take at least: so much of a channel's rest is over when an answer comes."""

    def __init__(self) -> None:
        self.least_s = 0.0
        self._shortest_s = LONGEST_WAYS_S
        self._several = 0

    def took(self, seconds: float) -> None:
        """A post was answered after so long."""
        self._several += 1
        self._shortest_s = min(self._shortest_s, seconds)
        if self._several >= KNOWN_WAYS:
            self.least_s = self._shortest_s * SURE


class _Pace:
    """How fast all channels together get what nobody waits for: as fast as Slack takes it.

    A refusal slows it once for all posts that were on their way then. At the first one nothing is sent until those are
    answered, and how many of them were taken tells the limit. If what is sent after that is refused as well, and
    nothing taken, all channels wait as long as Slack says.
    """

    def __init__(self) -> None:
        self.per_second = FIRST
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._free_at = 0.0
        self._timer: asyncio.TimerHandle | None = None
        #: When it was slowed last, whether something begun since then was taken, and whether the limit is known.
        self._slowed_at = -SOUGHT_S
        self._took = True
        #: Between these two was begun what tells the limit; so many of it were taken.
        self._telling, self._told = (0.0, 0.0), 0

    async def turn(self) -> None:
        """Wait until another one may go."""
        mine: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(mine)
        self._next()
        await mine

    def taken(self, begun_at: float) -> None:
        """Slack took a post that was begun then."""
        begin, end = self._telling
        if begin <= begun_at < end:
            self._told += 1
            self._set(self._told / (end - begin))
        elif begun_at >= self._slowed_at:
            self._took = True
            if self._waiting:  # else it is not the pace that limits
                self._set(self.per_second + (SEEKING if self._seeking() else FOUND))

    def refused(self, begun_at: float, wait_s: float) -> None:
        """Slack did not take one that was begun then, and wants so long a wait."""
        if begun_at < self._slowed_at:
            return
        now = time.monotonic()
        if self._seeking():
            self._telling, self._told = (begun_at, now), 0
            self._set(LEAST)
            self._free_at = now + (now - begun_at)
        else:
            self._set(self.per_second * EASED)
            if not self._took:
                self._free_at = now + wait_s
        self._slowed_at, self._took = now, False

    def _seeking(self) -> bool:
        return time.monotonic() - self._slowed_at >= SOUGHT_S

    def _set(self, per_second: float) -> None:
        self.per_second = min(max(per_second, LEAST), MOST)

    def _next(self) -> None:
        if self._timer is not None:
            return
        now = time.monotonic()
        while self._waiting and self._free_at <= now:
            theirs = self._waiting.popleft()
            if not theirs.done():
                self._free_at = max(self._free_at, now - LATE_S) + 1 / self.per_second
                theirs.set_result(None)
        if self._waiting:
            self._timer = asyncio.get_running_loop().call_later(self._free_at - now, self._rested)

    def _rested(self) -> None:
        self._timer = None
        self._next()


def _body(message: Message) -> dict[str, Any]:
    return {"text": message.text, "blocks": message.blocks, "unfurl_links": False, "unfurl_media": False}


def _plainly(text: str) -> list[dict[str, Any]]:
    """The fallback sentence as the simplest block there is, for when Slack does not take ours."""
    return [{"type": "section", "text": {"type": "mrkdwn", "text": text[:2900] or "…", "verbatim": True}}]


def _thread(back: ReturnPath) -> dict[str, str]:
    """Private words go into a thread that is there; in one that nobody has begun they would not be seen."""
    return {"thread_ts": back.thread} if back.thread and back.thread != back.asked_ts else {}


def _wait_s(headers: Mapping[str, str]) -> float:
    value = next((value for name, value in headers.items() if name.lower() == "retry-after"), "")
    try:
        seconds = float(value)
    except ValueError:
        return CHANNEL_S
    return min(max(seconds, CHANNEL_S), LONGEST_WAIT_S) if seconds == seconds else CHANNEL_S  # noqa: PLR0124
