"""The mailroom against the local Slack: what is due is posted once and in order, or its owner is told why not."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.digests import Parcel, Sending
from bot.domain.errors import OurError
from bot.mailroom import AGAIN_S, BELIEVED, LEASE_S, Mailroom, parcels_of
from bot.postman import EVENT, Postman
from bot.presenters.message import Message
from bot.sandbox.slack import Message as Posted
from bot.sandbox.slack import Workspace
from bot.storage.outbox import StoredOutbox
from tests.storage.opening import database

#: Two of the channels that the app is in.
RELEASE, CHECKOUT = "C0RELEASE1", "C0CHECKOU2"
#: Seconds after which a call that gets no answer is given up, here.
SILENCE_S = 0.4
REPEAT = "This may be a repeat."


class Clock:
    """The machine's time, and what a test adds to it."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def later(self, seconds: float) -> None:
        self.ahead += timedelta(seconds=seconds)


class Outbox(StoredOutbox):
    """The real one, whose disk may fail: `fails` are the methods that do, each so often."""

    fails: dict[str, int]

    def _fail(self, method: str) -> None:
        if self.fails.get(method, 0):
            self.fails[method] -= 1
            raise OurError("the disk is full")

    async def posting(self, key: str, *, at: datetime, repeat: bool = False) -> bool:
        self._fail("posting")
        return await super().posting(key, at=at, repeat=repeat)

    async def ended(self, key: str, state: Sending, *, at: datetime, ts: str = "", reason: str = "") -> None:
        self._fail("ended")
        await super().ended(key, state, at=at, ts=ts, reason=reason)


@dataclass
class Room:
    """A mailroom and what is around it. `refused` is what it told of, `slept` how long it waited for history."""

    slack: Workspace
    clock: Clock
    postman: Postman
    outbox: Outbox
    mailroom: Mailroom
    rival: Mailroom
    rivals: StoredOutbox
    refused: list[Parcel] = field(default_factory=list)
    slept: list[float] = field(default_factory=list)

    async def put(self, *keys: str, channel: str = RELEASE, **more: Any) -> None:
        """A message for each of these keys."""
        for key in keys:
            assert await self.outbox.put(message(key, self.clock(), channel=channel, **more))

    def said(self) -> list[Posted]:
        return [one for one in self.slack.said() if not one.only_for]

    def texts(self) -> list[str]:
        return [one.text for one in self.said()]

    async def work(self, *steps_s: float) -> None:
        """Post what is due, and again each time after so many seconds."""
        await self.mailroom.work()
        for step_s in steps_s:
            self.clock.later(step_s)
            await self.mailroom.work()

    async def states(self) -> dict[str, str]:
        return {one.key: one.state.value for one in await self.outbox.about("plan", most=999)}


def message(key: str, at: datetime, *, parts: Sequence[str] = (), body: str = "", **more: Any) -> tuple[Parcel, ...]:
    def words(text: str, after: Sequence[Message] = ()) -> Message:
        return Message(text, [{"type": "section", "text": {"type": "mrkdwn", "text": text}}], tuple(after))

    known = {"team": "T0ACME0001", "channel": RELEASE, "for_whom": "plan", "owner": "U1", **more}
    first = Parcel(key=key, body=body, made_at=at, slot="2026-11-20T09:00", **known)
    return (first,) if body else parcels_of(words(key, [words(part) for part in parts]), first)


@asynccontextmanager
async def room(**workspace: Any) -> AsyncIterator[Room]:
    clock = Clock()
    timeout = aiohttp.ClientTimeout(total=SILENCE_S)
    async with (
        Workspace(**{"messages_per_second": None, **workspace}) as slack,
        database() as file,
        aiohttp.ClientSession(timeout=timeout) as session,
    ):
        client = AsyncWebClient(slack.bot_token, base_url=slack.api_url, session=session, retry_handlers=[])
        postman = Postman(client, session)
        outbox, rivals = Outbox(file, clock, "we"), StoredOutbox(file, clock, "they")
        outbox.fails = {}
        slept: list[float] = []
        refused: list[Parcel] = []

        async def sleep(seconds: float) -> None:
            slept.append(seconds)
            clock.later(seconds)

        async def told(parcel: Parcel) -> None:
            refused.append(parcel)

        ours = Mailroom(postman, outbox, clock, told, sleep)
        theirs = Mailroom(Postman(client, session), rivals, clock, told, sleep)
        yield Room(slack, clock, postman, outbox, ours, theirs, rivals, refused, slept)


async def test_a_channel_gets_its_messages_in_order_their_parts_in_their_threads_and_our_keys_with_them() -> None:
    async with room(messages_per_second=1.0, burst=1) as it:
        await it.put("first", parts=["one", "two"])
        await it.put("second")
        await it.put("elsewhere", channel=CHECKOUT)
        await it.work()
        here = [one for one in it.said() if one.channel == RELEASE]
        parents = [one for one in here if not one.thread_ts]
        assert [one.text for one in parents] == ["first", "second"]
        assert [(one.text, one.thread_ts) for one in here if one.thread_ts] == [
            ("one", parents[0].ts),
            ("two", parents[0].ts),
        ]
        assert [one.metadata for one in it.said() if one.text in {"two", "elsewhere"}] == [
            {"event_type": EVENT, "event_payload": {"key": key}} for key in ("elsewhere", "first/3")
        ]
        assert {one.key: one.ts for one in await it.outbox.about("plan")} == {
            (one.metadata or {})["event_payload"]["key"]: one.ts for one in it.said()
        }
        assert it.slack.errors == [], "never faster than Slack likes it"


async def test_what_a_person_waits_for_goes_before_what_nobody_does() -> None:
    async with room() as it:
        await it.put("first", "second", "third")
        working = asyncio.create_task(it.mailroom.work())
        await it.slack.until(lambda: it.texts() == ["first"] and it.postman._lane(RELEASE)._waiting)
        await asyncio.gather(
            it.postman.post(RELEASE, Message("asked", [])), it.postman.post(RELEASE, Message("asked too", []))
        )
        await working
        assert it.texts() == ["first", "asked", "asked too", "second", "third"]


@pytest.mark.parametrize("retry_after", ["1", None, "soon", "-3"])
async def test_a_429_of_a_channel_or_of_all_loses_nothing_and_doubles_nothing(retry_after: str | None) -> None:
    async with room() as it:
        it.slack.slow_down("chat.postMessage", retry_after, times=3)
        await it.put("first", "second")
        await it.put("elsewhere", channel=CHECKOUT)
        await it.work()
        assert sorted(it.texts()) == ["elsewhere", "first", "second"]
        assert it.texts().index("first") < it.texts().index("second")
        assert it.refused == []


async def test_while_a_channel_rests_a_person_is_still_first() -> None:
    async with room() as it:
        slow = it.slack.slow_down("chat.postMessage", "1", times=1)
        await it.put("digest")
        working = asyncio.create_task(it.mailroom.work())
        await it.slack.until(lambda: slow.hits)
        await it.postman.post(RELEASE, Message("asked", []))
        await working
        assert it.texts() == ["asked", "digest"]


async def test_429s_without_end_wait_and_are_over_when_they_end() -> None:
    async with room() as it:
        slow = it.slack.slow_down("chat.postMessage", "0", times=6)
        await it.put("digest")
        await it.work()
        assert (slow.hits, await it.states(), it.refused) == (5, {"digest": "waiting"}, [])
        await it.work(AGAIN_S[-1] + 1)
        assert it.texts() == ["digest"]


async def test_what_fails_for_a_passing_reason_is_tried_again_later_and_later_and_holds_up_its_channel_alone() -> None:
    async with room() as it:
        fault = it.slack.fail("chat.postMessage", "org_login_required", times=-1)
        await it.put("first", "second")
        await it.work()
        for tried, pause_s in enumerate((*AGAIN_S, AGAIN_S[-1]), 1):
            assert fault.hits == tried
            await it.work(pause_s - 2)
            assert fault.hits == tried, "not yet"
            it.clock.later(3)
            await it.work()
        it.slack.faults.clear()
        await it.put("elsewhere", channel=CHECKOUT)
        await it.work()
        assert it.texts() == ["elsewhere"]
        await it.work(AGAIN_S[-1] + 1)
        assert it.texts() == ["elsewhere", "first", "second"]
        assert it.refused == []


async def test_a_refusal_that_nobody_knows_is_believed_after_some_tries() -> None:
    async with room() as it:
        fault = it.slack.fail("chat.postMessage", "the_moon_is_full", times=-1)
        await it.put("digest")
        await it.work(*[AGAIN_S[-1] + 1] * (BELIEVED + 2))
        assert fault.hits == BELIEVED + 1
        assert [(one.key, one.reason) for one in it.refused] == [("digest", "the_moon_is_full")]


def archived(it: Room) -> None:
    it.slack.archive(RELEASE)


def left(it: Room) -> None:
    it.slack.remove(RELEASE)


def revoked(it: Room) -> None:
    it.slack.revoke_token()


def gone(it: Room) -> None:
    del it.slack.state.channels[RELEASE]


def restricted(it: Room) -> None:
    it.slack.fail("chat.postMessage", "restricted_action", times=-1)


def not_allowed(it: Room) -> None:
    it.slack.withdraw("chat:write")


@pytest.mark.parametrize(
    ("happened", "reason"),
    [
        (archived, "is_archived"),
        (left, "not_in_channel"),
        (revoked, "token_revoked"),
        (gone, "channel_not_found"),
        (restricted, "restricted_action"),
        (not_allowed, "missing_scope"),
    ],
)
async def test_what_slack_will_never_take_ends_at_once_and_is_told_once(
    happened: Callable[[Room], None], reason: str
) -> None:
    async with room() as it:
        happened(it)
        await it.put("digest", parts=["one"])
        await it.work(100, 100)
        assert [(one.key, one.state, one.reason) for one in it.refused] == [("digest", Sending.REFUSED, reason)]
        assert await it.states() == {"digest": "refused", "digest/2": "refused"}
        assert len(it.slack.calls("chat.postMessage")) == 1


def _none(_value: object) -> None:
    """For who is told, and answers nothing."""


async def test_a_part_whose_parent_was_deleted_is_refused_and_nobody_is_bothered() -> None:
    async with room() as it:
        it.slack.on_message(lambda _how, _one: _none(it.slack.fail("chat.postMessage", "thread_not_found")))
        await it.put("digest", parts=["one"])
        await it.work()
        assert await it.states() == {"digest": "posted", "digest/2": "refused"}
        assert it.refused == []


async def test_blocks_that_slack_does_not_take_are_said_as_plain_words() -> None:
    async with room() as it:
        body = json.dumps({"text": "plain words", "blocks": [{"type": "nonsense"}]})
        await it.put("digest", body=body)
        await it.work()
        assert it.texts() == ["plain words"]
        assert it.slack.words(it.said()[0]) == "plain words"
        assert await it.states() == {"digest": "posted"}


@pytest.mark.parametrize("body", ["", "[]", '{"text": 1}', '{"blocks": []}', "{", '{"text": "a", "blocks": 7}'])
async def test_words_that_nobody_can_read_hold_up_nothing(body: str) -> None:
    async with room() as it:
        await it.put("bad", body=body or "null")
        await it.put("good")
        await it.work()
        assert it.texts() == ["good"]
        assert [one.key for one in it.refused] == ["bad"]


# ── no answer ──


def spoil(it: Room, how: str, *, after: bool, method: str = "chat.postMessage", times: int = 1) -> None:
    pattern = rf"/api/{method}"
    match how:
        case "hang":
            it.slack.faults.hang(pattern, times=times, after=after)
        case "reset":
            it.slack.faults.reset(pattern, times=times, after=after)
        case "a web page":
            it.slack.faults.answer(pattern, 200, "<html>", content_type="text/html", times=times, after=after)
        case "no JSON":
            it.slack.faults.answer(pattern, 200, '{"ok": tr', times=times, after=after)
        case "503":
            it.slack.faults.answer(pattern, 503, "", times=times, after=after)
        case _:
            it.slack.fail(method, how, times=times, after=after)


SILENT = ["hang", "reset", "a web page", "no JSON", "503", "internal_error", "fatal_error", "request_timeout"]


@pytest.mark.parametrize("after", [True, False], ids=["posted", "not posted"])
@pytest.mark.parametrize("how", SILENT)
async def test_what_was_not_answered_is_looked_for_before_it_is_posted_again(how: str, after: bool) -> None:
    async with room() as it:
        spoil(it, how, after=after)
        await it.put("digest")
        await it.work(AGAIN_S[0] + 1)
        assert it.texts() == ["digest"]
        assert await it.states() == {"digest": "posted"}
        assert it.slack.calls("conversations.history"), "it was looked for"


@pytest.mark.parametrize("after", [True, False], ids=["posted", "not posted"])
async def test_a_part_that_was_not_answered_is_looked_for_in_its_thread(after: bool) -> None:
    async with room() as it:
        it.slack.on_message(lambda _how, one: spoil(it, "reset", after=after) if one.text == "digest" else None)
        await it.put("digest", parts=["one", "two"])
        await it.work(AGAIN_S[0] + 1, 1)
        assert it.texts() == ["digest", "one", "two"]
        assert {one.thread_ts for one in it.said()[1:]} == {it.said()[0].ts}
        assert it.slack.calls("conversations.replies")


@pytest.mark.parametrize("how", ["no right", "too much"])
@pytest.mark.parametrize("after", [True, False], ids=["posted", "not posted"])
async def test_where_history_cannot_be_read_it_is_posted_again_and_says_so(how: str, after: bool) -> None:
    async with room() as it:
        if how == "too much":
            it.slack.fail("conversations.history", "too_much", times=-1)
        else:
            it.slack.withdraw("channels:history")
        spoil(it, "reset", after=after)
        await it.put("digest")
        await it.work(AGAIN_S[0] + 1, 100, 100)
        assert len(it.texts()) == 1 + after
        assert [REPEAT in it.slack.words(one) for one in it.said()] == [False, True][-1 - after :]
        assert [one.repeat for one in await it.outbox.about("plan")] == [True]


async def test_where_history_can_be_read_in_a_while_it_is_waited_for() -> None:
    async with room() as it:
        spoil(it, "reset", after=True)
        spoil(it, "reset", after=False, method="conversations.history")
        await it.put("digest")
        await it.work(AGAIN_S[0] + 1)
        assert await it.states() == {"digest": "waiting"}
        await it.work(AGAIN_S[-1] + 1)
        assert (it.texts(), await it.states()) == (["digest"], {"digest": "posted"})


async def test_a_history_that_trails_is_given_five_seconds() -> None:
    async with room() as it:
        await it.put("digest")
        (taken,) = await it.rivals.due(lease_s=1.5, most=9)
        assert await it.rivals.posting(taken.key, at=it.clock())  # and there it died
        it.clock.later(2)
        await it.work()
        assert it.texts() == ["digest"]
        assert [2.5 < waited <= 3.1 for waited in it.slept] == [True]


@pytest.mark.parametrize("posted", [True, False])
async def test_what_was_on_its_way_when_its_process_died_is_posted_once(posted: bool) -> None:
    async with room() as it:
        await it.put("digest")
        (taken,) = await it.rivals.due(lease_s=LEASE_S, most=9)
        assert await it.rivals.posting(taken.key, at=it.clock())
        if posted:
            told = json.loads(taken.body)
            await it.postman.post_once(
                RELEASE, told["text"], told["blocks"], thread="", key=taken.key, may=lambda: asyncio.sleep(0, True)
            )
        await it.work()
        assert it.texts() == ["digest"] * posted, "another one's lease is kept"
        await it.work(LEASE_S + 1)
        assert it.texts() == ["digest"]
        assert await it.states() == {"digest": "posted"}


# ── whose it is ──


async def test_one_whose_lease_ran_out_before_its_turn_is_left_to_whoever_has_it_now() -> None:
    async with room() as it:
        await it.put("digest")
        async with it.postman._lane(RELEASE).turn():
            working = asyncio.create_task(it.mailroom.work())
            await it.slack.until(lambda: it.mailroom._held)
            it.clock.later(LEASE_S + 1)
            assert await it.rival.work() == 1
        await working
        assert it.texts() == ["digest"]
        assert [one.tries for one in await it.outbox.about("plan")] == [1]


async def test_two_processes_post_everything_once() -> None:
    async with room() as it:
        for number in range(30):
            channel = it.slack.add_channel(f"channel-{number}")
            await it.put(f"digest {number}", channel=channel.id, parts=["one"])
        await asyncio.gather(it.mailroom.work(), it.rival.work(), it.mailroom.work())
        await asyncio.gather(it.mailroom.work(), it.rival.work())
        assert sorted(it.texts()) == sorted([f"digest {number}" for number in range(30)] + ["one"] * 30)


async def test_a_clock_that_jumps_while_something_is_on_its_way_doubles_nothing() -> None:
    async with room() as it:
        it.slack.faults.delay("/api/chat.postMessage", SILENCE_S / 2, times=1)
        await it.put("digest")
        working = asyncio.create_task(it.mailroom.work())
        await it.slack.until(lambda: it.slack.calls("chat.postMessage"))
        it.clock.later(3600)
        assert await it.mailroom.work() == 0
        await working
        assert it.texts() == ["digest"]


# ── the disk fails ──


async def test_what_cannot_be_recorded_is_not_posted_until_it_can() -> None:
    async with room() as it:
        it.outbox.fails["posting"] = 1
        await it.put("digest", "second")
        await it.work()
        assert it.texts() == []
        await it.work(LEASE_S + 1)
        assert it.texts() == ["digest", "second"]


@pytest.mark.parametrize("readable", [True, False], ids=["history can be read", "it can't"])
async def test_what_is_posted_and_could_not_be_recorded_is_never_posted_again(readable: bool) -> None:
    async with room() as it:
        it.outbox.fails["ended"] = 3
        if not readable:
            it.slack.withdraw("channels:history")
        await it.put("digest", parts=["one"])
        await it.work(*[LEASE_S + 1] * 4)
        assert it.texts() == ["digest", "one"]
        assert set((await it.states()).values()) == {"posted"}


async def test_who_is_to_be_told_may_fail_and_nothing_else_suffers() -> None:
    async with room() as it:

        async def fails(_parcel: Parcel) -> None:
            raise ValueError("a bug")

        it.mailroom._refused = fails
        it.slack.archive(RELEASE)
        await it.put("digest")
        await it.put("elsewhere", channel=CHECKOUT)
        await it.work()
        assert (it.texts(), await it.states()) == (["elsewhere"], {"digest": "refused", "elsewhere": "posted"})


# ── time ──


async def test_what_could_not_be_posted_for_twelve_hours_is_not_posted_any_more_and_that_is_told() -> None:
    async with room() as it:
        fault = it.slack.fail("chat.postMessage", "org_login_required", times=-1)
        await it.put("old", parts=["one"])
        await it.work(11 * 3600)
        assert fault.hits == 2
        await it.put("young")
        it.slack.faults.clear()
        await it.work(3600 + 1)
        assert it.texts() == ["young"]
        assert [(one.key, one.state) for one in it.refused] == [("old", Sending.EXPIRED)]
        assert await it.states() == {"old": "expired", "old/2": "expired", "young": "posted"}


async def test_a_channel_that_hangs_holds_up_no_other_and_a_ring_is_heard() -> None:
    async with room() as it:
        it.slack.faults.hang("/api/chat.postMessage", times=1)
        await it.put("hangs")
        working = asyncio.create_task(it.mailroom.work_for_ever())
        await it.slack.until(lambda: it.slack.calls("chat.postMessage"))
        await it.put("elsewhere", channel=CHECKOUT)
        it.mailroom.ring()
        await it.slack.until(lambda: it.texts() == ["elsewhere"])
        assert await it.states() == {"hangs": "posting", "elsewhere": "posted"}
        working.cancel()
        with suppress(asyncio.CancelledError):
            await working
