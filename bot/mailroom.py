"""Posts what is due and nobody waits for: recorded before, confirmed after, looked up before it is ever said again.

A parcel is `waiting`, then `posting` (recorded before the call), then `posted` or `refused`. One that was on its way
when its process died, or whose call was not answered, is looked for in the channel by the key in its metadata: found,
it is posted; not found, it is posted; where the channel can't be read it is posted and marked as a possible repeat.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from bot.domain.checkpoints import checkpoint
from bot.domain.digests import Parcel, Sending
from bot.domain.errors import RundownError
from bot.postman import NotSaidError, Postman
from bot.presenters.message import Message
from bot.usecases.ports import Outbox

log = logging.getLogger(__name__)

#: Seconds for which a process vouches for the parcels it has taken, and how many it takes at a time.
LEASE_S, MOST = 60.0, 500
#: Seconds between two looks when nobody rings.
LOOK_S = 15.0
#: History may trail a post: absent is believed after so long.
TRAILS = timedelta(seconds=5)
#: Seconds to wait before something is tried again that failed for a passing reason, and how long it is worth it.
AGAIN_S, WORTH = (5.0, 15.0, 60.0, 300.0), timedelta(hours=12)

#: Reasons of Slack's for which trying again helps nobody until somebody does something.
_FINAL = frozenset(
    {
        "channel_not_found",
        "not_in_channel",
        "is_archived",
        "restricted_action",
        "restricted_action_thread_only_channel",
        "restricted_action_read_only_channel",
        "account_inactive",
        "token_revoked",
        "invalid_auth",
        "not_authed",
        "no_permission",
        "missing_scope",
        "team_access_not_granted",
        "org_login_required",
        "ekm_access_denied",
        "no_text",
        "message_limit_exceeded",
        "user_not_found",
        "messages_tab_disabled",
        "cannot_reply_to_message",
        "thread_not_found",
    }
)

#: Told that a parcel can't be posted, and why; once for each.
Refused = Callable[[Parcel], Awaitable[None]]


def parcels_of(message: Message, first: Parcel) -> tuple[Parcel, ...]:
    """A message as parcels: what continues it goes into its thread. `first` tells all but the words."""
    parts = [replace(first, body=_body(message))]
    for number, part in enumerate(message.more, 2):
        parts.append(replace(first, key=f"{first.key}/{number}", body=_body(part), under=first.key))
    return tuple(parts)


def _body(message: Message) -> str:
    return json.dumps({"text": message.text, "blocks": message.blocks}, ensure_ascii=False, separators=(",", ":"))


class Mailroom:
    """Posts the outbox. `ring` tells it that there is something new."""

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
        self._working: dict[str, asyncio.Task[None]] = {}
        self._queues: dict[str, list[Parcel]] = defaultdict(list)

    def ring(self) -> None:
        """There is something to post."""
        self._bell.set()

    async def work_for_ever(self) -> None:
        """Post what is due, now and whenever there is something."""
        while True:
            self._bell.clear()
            try:
                if await self.work():
                    continue
            except RundownError as error:
                log.warning("the outbox can't be read: %s", error.what)
            try:
                async with asyncio.timeout(LOOK_S):
                    await self._bell.wait()
            except TimeoutError:
                continue

    async def work(self) -> int:
        """Post all that is due by now; returns how many parcels were worked on."""
        parcels = await self._outbox.due(lease_s=LEASE_S, most=MOST)
        by_channel: dict[str, list[Parcel]] = defaultdict(list)
        for parcel in parcels:
            by_channel[parcel.channel].append(parcel)
        keeping = asyncio.create_task(self._keep([parcel.key for parcel in parcels]), name="leases of parcels")
        try:
            await asyncio.gather(*(self._post_in_order(several) for several in by_channel.values()))
        finally:
            keeping.cancel()
        return len(parcels)

    async def _keep(self, keys: Sequence[str]) -> None:
        """Vouch for what we have taken for as long as it takes."""
        while keys:
            await asyncio.sleep(LEASE_S / 3)
            try:
                await self._outbox.renew(keys, lease_s=LEASE_S)
            except RundownError as error:
                log.warning("the leases of parcels can't be renewed: %s", error.what)

    async def _post_in_order(self, parcels: Sequence[Parcel]) -> None:
        """One channel's parcels, one after the other; one that can't be recorded holds up its own channel only."""
        for parcel in parcels:
            try:
                if not await self._post(parcel):
                    return  # what comes after it waits with it
            except RundownError as error:
                log.error("%s waits: %s", parcel.key, error.what)
                return

    async def _post(self, parcel: Parcel) -> bool:
        """False if it has to wait."""
        checkpoint("parcel taken")
        in_doubt = parcel.state is Sending.POSTING
        if in_doubt:
            found = await self._find(parcel)
            if found:
                await self._posted(parcel, found)
                return True
            parcel = replace(parcel, repeat=parcel.repeat or found is None)
        if self._now() - parcel.made_at > WORTH:
            await self._end(parcel, Sending.EXPIRED, "it could not be posted for 12 hours")
            return True
        if not await self._outbox.posting(parcel.key, at=self._now(), repeat=parcel.repeat):
            return True
        checkpoint("parcel recorded")
        body = json.loads(parcel.body)
        if parcel.repeat:
            body = _marked(body)
        try:
            ts = await self._postman.post_once(
                parcel.channel, body["text"], body["blocks"], thread=parcel.thread, key=parcel.key
            )
        except NotSaidError as error:
            return await self._not_said(parcel, error.reason)
        checkpoint("parcel posted")
        await self._posted(parcel, ts)
        return True

    async def _posted(self, parcel: Parcel, ts: str) -> None:
        await self._outbox.ended(parcel.key, Sending.POSTED, at=self._now(), ts=ts)
        checkpoint("parcel confirmed")

    async def _not_said(self, parcel: Parcel, reason: str) -> bool:
        """What becomes of one that Slack did not take. False if it has to wait."""
        if reason in _FINAL:
            await self._end(parcel, Sending.REFUSED, reason)
            return True
        if reason == "no_answer":  # it may have been posted: it is looked for before it is posted again
            found = await self._find(replace(parcel, tried_at=self._now()))
            if found:
                await self._posted(parcel, found)
                return True
            if found is None:
                return False  # in doubt it stays, until its lease is over
        wait_s = AGAIN_S[min(parcel.tries, len(AGAIN_S) - 1)]
        await self._outbox.later(parcel.key, wait_s=wait_s, reason=reason)
        return False

    async def _find(self, parcel: Parcel) -> str | None:
        """Where it was posted; empty if it was not; None where that can't be found out."""
        tried_at = parcel.tried_at or parcel.made_at
        wait_s = (tried_at + TRAILS - self._now()).total_seconds()
        if wait_s > 0:
            await self._sleep(min(wait_s, TRAILS.total_seconds()))
        oldest = (tried_at - timedelta(minutes=2)).timestamp()
        try:
            return await self._postman.find(parcel.channel, parcel.key, thread=parcel.thread, oldest=oldest)
        except NotSaidError as error:
            log.warning("%s can't be looked for (%s)", parcel.key, error.reason)
            return None

    async def _end(self, parcel: Parcel, state: Sending, reason: str) -> None:
        await self._outbox.ended(parcel.key, state, at=self._now(), reason=reason)
        log.warning("%s is not posted: %s", parcel.key, reason)
        if not parcel.under:
            await self._refused(replace(parcel, state=state, reason=reason))


def _marked(body: dict[str, Any]) -> dict[str, Any]:
    """The same message, with a line that says it may be there twice."""
    line = {"type": "context", "elements": [{"type": "mrkdwn", "text": "This may be a repeat."}]}
    return {"text": f"(This may be a repeat.) {body['text']}", "blocks": [*body["blocks"][:49], line]}
