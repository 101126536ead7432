"""Posts what is due and nobody waits for: recorded before, confirmed after, looked up before it is ever said again.

A parcel is `waiting`, then `posting` (recorded when its channel's turn has come, right before the call), then `posted`
or `refused`. One that was on its way when its process died, or whose call was not answered, is looked for in the
channel by the key in its metadata: found, it is posted; not found, it is posted; where the channel can't be read it is
posted and marked as a possible repeat. What could not be recorded as posted is known until it is.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from bot.domain.checkpoints import checkpoint
from bot.domain.digests import Parcel, Sending
from bot.domain.errors import RundownError
from bot.postman import NotSaidError, Postman
from bot.presenters import messages
from bot.presenters.message import Message
from bot.usecases.ports import Outbox

log = logging.getLogger(__name__)

#: Seconds for which a process vouches for the parcels it has taken; how many it takes at a time, and holds at most.
LEASE_S, MOST, HELD = 60.0, 100, 4000
#: Seconds between two looks when nobody rings, and between two however often it rings: what comes one by one is taken
#: together, long before its channel has rested.
LOOK_S, GATHER_S = 15.0, 0.1
#: History may trail a post: absent is believed after so long.
TRAILS = timedelta(seconds=5)
#: How far Slack's clock may be from ours, for finding a post by the time at which it was tried.
APART = timedelta(hours=1)
#: Seconds to wait before something is tried again that failed for a passing reason, and how long it is worth it.
AGAIN_S, WORTH = (5.0, 15.0, 30.0, 60.0), timedelta(hours=12)
#: Tries after which a refusal that we do not know is believed.
BELIEVED = 4

#: What is on record of a try whose end is not known; it is looked for before the next one.
IN_DOUBT = "no_answer"
#: Reasons that pass by themselves.
_PASSING = frozenset({IN_DOUBT, "unreachable", "ratelimited", "rate_limited", "org_login_required"})
#: Reasons of Slack's for which trying again helps nobody until somebody does something.
_FINAL = frozenset(
    {
        "access_denied",
        "account_inactive",
        "cannot_reply_to_message",
        "channel_is_limited_access",
        "channel_not_found",
        "ekm_access_denied",
        "invalid_arguments",
        "invalid_auth",
        "invalid_blocks",
        "invalid_blocks_format",
        "invalid_metadata_format",
        "invalid_metadata_schema",
        "is_archived",
        "is_inactive",
        "message_limit_exceeded",
        "messages_tab_disabled",
        "metadata_too_large",
        "missing_scope",
        "msg_blocks_too_long",
        "msg_too_long",
        "no_permission",
        "no_text",
        "not_allowed_token_type",
        "not_authed",
        "not_in_channel",
        "restricted_action",
        "restricted_action_non_threadable_channel",
        "restricted_action_read_only_channel",
        "restricted_action_thread_locked",
        "restricted_action_thread_only_channel",
        "team_access_not_granted",
        "team_not_found",
        "thread_not_found",
        "token_expired",
        "token_revoked",
        "user_not_found",
    }
)

#: Told that a parcel won't be posted, and why; once for each message that is not a part of another.
Refused = Callable[[Parcel], Awaitable[None]]


def parcels_of(message: Message, first: Parcel) -> tuple[Parcel, ...]:
    """A message as parcels: what continues it goes into its thread. `first` tells all but the words."""
    parts = [replace(first, body=_body(message))]
    for number, part in enumerate(message.more, 2):
        parts.append(replace(first, key=f"{first.key}/{number}", body=_body(part), under=first.key))
    return tuple(parts)


def _body(message: Message) -> str:
    return json.dumps({"text": message.text, "blocks": message.blocks}, ensure_ascii=False, separators=(",", ":"))


def _read(body: str) -> tuple[str, list[dict[str, Any]]] | None:
    """Text and blocks; None where another version wrote it in a way that means nothing here."""
    try:
        told = json.loads(body)
        return str(told["text"]), list(told["blocks"])
    except (ValueError, TypeError, KeyError):
        return None


class Mailroom:
    """Posts the outbox: channels side by side, each in its order. `ring` tells it that there is something new.

    `refused` is told of what won't be posted. `sleep` is how it waits for a history that trails.
    """

    def __init__(
        self,
        postman: Postman,
        outbox: Outbox,
        now: Callable[[], datetime],
        refused: Refused,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._postman = postman
        self._outbox = outbox
        self._now = now
        self._refused = refused
        self._sleep = sleep
        self._bell = asyncio.Event()
        #: Keys of what this process has taken and not yet let go of.
        self._held: set[str] = set()
        self._queues: dict[str, deque[Parcel]] = {}
        self._workers: set[asyncio.Task[None]] = set()
        self._keeping: asyncio.Task[None] | None = None
        #: Key → timestamp of what Slack has and our record does not tell yet.
        self._unrecorded: dict[str, str] = {}

    def ring(self) -> None:
        """There is something to post."""
        self._bell.set()

    async def work_for_ever(self) -> None:
        """Post what is due, now and whenever there is something. Cancelled, it begins nothing new."""
        try:
            while True:
                self._bell.clear()
                try:
                    await self._take()
                except RundownError as error:
                    log.warning("the outbox can't be read: %s", error.what)
                except Exception:
                    log.exception("the outbox can't be read")
                await asyncio.sleep(GATHER_S)
                await self._rung()
        finally:
            for queue in self._queues.values():
                queue.clear()
            if self._keeping is not None:
                self._keeping.cancel()

    async def _rung(self) -> None:
        try:
            async with asyncio.timeout(LOOK_S):
                await self._bell.wait()
        except TimeoutError:
            return

    async def work(self) -> int:
        """Post all that is due by now, and what follows it; returns how many parcels were worked on."""
        worked = 0
        while taken := await self._take():
            worked += taken
            await self._idle()
        await self._idle()
        return worked

    async def _idle(self) -> None:
        while self._workers:
            await asyncio.wait(set(self._workers))

    async def _take(self) -> int:
        """Take what is due, in small steps, and queue it at its channels; returns how much it was."""
        taken = 0
        while room := max(min(HELD - len(self._held), MOST), 0):  # without room: whoever has emptied a queue rings
            parcels = await self._outbox.due(lease_s=LEASE_S, most=room)
            taken += self._queue(parcels)
            if len(parcels) < room:
                break
        return taken

    def _queue(self, parcels: Sequence[Parcel]) -> int:
        # After a jump of the clock our own leases may seem to be over.
        fresh = [parcel for parcel in parcels if parcel.key not in self._held]
        for parcel in fresh:
            self._held.add(parcel.key)
            queue = self._queues.get(parcel.channel)
            if queue is None:
                self._queues[parcel.channel] = queue = deque()
                self._start(self._empty(parcel.channel, queue), f"parcels of {parcel.channel}")
            queue.append(parcel)
        if self._held and (self._keeping is None or self._keeping.done()):
            self._keeping = asyncio.create_task(self._keep(), name="leases of parcels")
        return len(fresh)

    def _start(self, work: Any, name: str) -> None:
        task: asyncio.Task[None] = asyncio.create_task(work, name=name)
        self._workers.add(task)
        task.add_done_callback(self._workers.discard)

    async def _keep(self) -> None:
        """Vouch for what we have taken for as long as it takes."""
        while self._held:
            await asyncio.sleep(LEASE_S / 3)
            try:
                await self._outbox.renew(tuple(self._held), lease_s=LEASE_S)
            except RundownError as error:
                log.warning("the leases of parcels can't be renewed: %s", error.what)

    async def _empty(self, channel: str, queue: deque[Parcel]) -> None:
        """One channel's parcels, one after the other. What has to wait holds up its own channel only."""
        while queue:
            parcel = queue.popleft()
            try:
                goes_on = await self._post(parcel)
            except RundownError as error:
                log.error("%s waits: %s", parcel.key, error.what)
                goes_on = False
            except Exception:
                log.exception("%s waits", parcel.key)
                goes_on = False
            self._held.discard(parcel.key)
            if not goes_on:
                await self._put_back(queue)
        del self._queues[channel]
        self.ring()  # parts may have become due

    async def _put_back(self, queue: deque[Parcel]) -> None:
        """What comes after one that waits is let go of. What is in doubt stays so, until its lease is over."""
        while queue:
            parcel = queue.popleft()
            if parcel.state is Sending.WAITING:
                try:
                    await self._outbox.later(parcel.key, wait_s=0, reason=parcel.reason)
                except RundownError as error:
                    log.warning("%s waits: %s", parcel.key, error.what)
            self._held.discard(parcel.key)

    async def _post(self, parcel: Parcel) -> bool:
        """False if it has to wait."""
        checkpoint("parcel taken")
        known = self._unrecorded.get(parcel.key)
        if known is not None:
            await self._posted(parcel, known)
            return True
        if parcel.state is Sending.POSTING or parcel.reason == IN_DOUBT:
            try:
                found = await self._find(parcel)
            except NotSaidError as error:
                return await self._wait(parcel, IN_DOUBT, f"it can't be looked for: {error.reason}")
            if found:
                await self._posted(parcel, found)
                return True
            parcel = replace(parcel, repeat=parcel.repeat or found is None)
        if self._now() - parcel.made_at > WORTH:
            await self._end(parcel, Sending.EXPIRED, "it could not be posted for 12 hours")
            return True
        words = _read(parcel.body)
        if words is None:
            await self._end(parcel, Sending.REFUSED, "another version of Rundown wrote it")
            return True
        return await self._say(parcel, *(messages.mark_repeat(*words) if parcel.repeat else words))

    async def _say(self, parcel: Parcel, text: str, blocks: list[dict[str, Any]]) -> bool:
        async def still_ours() -> bool:
            ours = await self._outbox.posting(parcel.key, at=self._now(), repeat=parcel.repeat)
            checkpoint("parcel recorded")
            return ours

        try:
            ts = await self._postman.post_once(
                parcel.channel, text, blocks, thread=parcel.thread, key=parcel.key, may=still_ours
            )
        except NotSaidError as error:
            return await self._not_said(parcel, error.reason)
        checkpoint("parcel posted")
        await self._posted(parcel, ts)
        return True

    async def _posted(self, parcel: Parcel, ts: str) -> None:
        self._unrecorded[parcel.key] = ts
        await self._outbox.ended(parcel.key, Sending.POSTED, at=self._now(), ts=ts)
        del self._unrecorded[parcel.key]
        checkpoint("parcel confirmed")

    async def _not_said(self, parcel: Parcel, reason: str) -> bool:
        """What becomes of one that Slack did not take. False if it has to wait."""
        if reason == "withdrawn":  # another process has it
            return True
        if reason in _FINAL or (reason not in _PASSING and parcel.tries >= BELIEVED):
            await self._end(parcel, Sending.REFUSED, reason)
            return True
        return await self._wait(parcel, reason, reason)

    async def _wait(self, parcel: Parcel, reason: str, why: str) -> bool:
        """It is tried again, the later the more often it was."""
        wait_s = AGAIN_S[min(parcel.tries, len(AGAIN_S) - 1)]
        log.warning("%s is tried again in %.0f s: %s", parcel.key, wait_s, why)
        await self._outbox.later(parcel.key, wait_s=wait_s, reason=reason)
        asyncio.get_running_loop().call_later(wait_s + 0.05, self.ring)
        return False

    async def _find(self, parcel: Parcel) -> str | None:
        """Where it was posted; empty if it was not; None where nobody can tell. Raises NotSaidError: not just now."""
        tried_at = parcel.tried_at or parcel.made_at
        wait_s = (tried_at + TRAILS - self._now()).total_seconds()
        if wait_s > 0:
            await self._sleep(min(wait_s, TRAILS.total_seconds()))
        oldest = (min(tried_at, self._now()) - APART).timestamp()
        try:
            return await self._postman.find(parcel.channel, parcel.key, thread=parcel.thread, oldest=oldest)
        except NotSaidError as error:
            if error.reason in _PASSING:
                raise
            log.warning("%s can't be looked for (%s)", parcel.key, error.reason)
            return None

    async def _end(self, parcel: Parcel, state: Sending, reason: str) -> None:
        """It won't be posted. Whoever is to know is told once that is on record."""
        await self._outbox.ended(parcel.key, state, at=self._now(), reason=reason)
        log.warning("%s is not posted: %s", parcel.key, reason)
        if parcel.under:
            return
        try:
            await self._refused(replace(parcel, state=state, reason=reason))
        except Exception:
            log.exception("nobody can be told that %s is not posted", parcel.key)
