"""Who may change what: asked anew each time, recorded when refused, asked for and given."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any, Literal

import pytest

from bot.domain.access import AccessRequest, Grant
from bot.domain.acts import WRITES, Ended, Entry
from bot.domain.errors import AskError, NotAllowedError, OurError
from bot.domain.model import RunRef
from bot.usecases.access import age, ask_for_access, need_admin, need_effect, settle_request
from tests.usecases.world_of_fakes import HERE, NOW, Workshop, check_words

ELSEWHERE = replace(HERE, channel="C2")
RUN = RunRef("testrail", "R", 118)

Settled = Literal["here", "everywhere", "declined"]


async def ask(shop: Workshop, key: str = "q1", user: str = "U2", verb: str = "close", place: Any = HERE) -> bool:
    """Ask for access; whether that was new."""
    request, new = await ask_for_access(
        verb, "close R118", gate=shop.gate, place=place, user=user, key=key, now=shop.clock()
    )
    assert request.key == key
    return new


async def settle(shop: Workshop, settled: Settled, key: str = "q1", user: str = "U9") -> AccessRequest:
    return await settle_request(key, settled, gate=shop.gate, place=ELSEWHERE, user=user, now=shop.clock())


# ── the gate ──


async def test_whoever_may_passes_without_a_trace() -> None:
    shop = Workshop()
    actor = await shop.gate.need("close", HERE, "U1", now=NOW, key="k")
    assert (actor.user, shop.ledger.rows) == ("U1", {})


async def test_whoever_may_not_is_refused_and_recorded() -> None:
    shop = Workshop()
    with pytest.raises(NotAllowedError) as caught:
        await shop.gate.need("close", HERE, "U2", now=NOW, key="k", ref=RUN, title="Smoke")
    assert shop.entry("k") == Entry(
        key="k", verb="close", connection="testrail", ref=RUN, title="Smoke", who="U2", who_name="Name of U2",
        team="T1", channel="C1", thread="", at=NOW, outcome=Ended.REFUSED, ended_at=NOW,
        why="Nobody has allowed you to close here.", told=True,
    )  # fmt: skip
    assert caught.value.what == "You can't close runs here yet."
    assert (caught.value.verb, caught.value.askable) == ("close", True)
    assert caught.value.fix == "An admin has to allow it."


async def test_a_refusal_that_can_not_be_recorded_is_a_refusal() -> None:
    shop = Workshop()
    shop.ledger.broken = {"note"}
    with pytest.raises(NotAllowedError):
        await shop.gate.need("close", HERE, "U2", now=NOW, key="k")


@pytest.mark.parametrize("silent", ["actor", "grants"])
async def test_nobody_may_while_it_can_not_be_told_who_they_are_or_what_is_allowed(silent: str) -> None:
    shop = Workshop()
    shop.directory.broken = shop.grants.broken = {silent}
    with pytest.raises(OurError):
        await shop.gate.need("close", HERE, "U1", now=NOW, key="k")
    assert not await shop.gate.may("close", HERE, "U1")


async def test_an_admin_needs_no_rules() -> None:
    shop = Workshop()
    shop.grants.broken = {"grants"}
    assert [await shop.gate.may(verb, HERE, "U9") for verb in (*WRITES, "allow", "deny")] == [True] * 10


@pytest.mark.parametrize("verb", ["delete", "allow", "deny"])
async def test_what_only_admins_may_is_not_asked_for(verb: str) -> None:
    shop = Workshop()
    shop.allow("U1", verb)
    with pytest.raises(NotAllowedError) as caught:
        await shop.gate.need(verb, HERE, "U1", now=NOW, key="k")
    assert (caught.value.askable, caught.value.why) == (False, f"Only admins may {verb}.")
    check_words(caught.value)


async def test_a_right_that_is_taken_away_is_gone_at_the_next_question() -> None:
    shop = Workshop()
    grant = shop.allow("U2", "close", "C1")
    assert await shop.gate.may("close", HERE, "U2")
    await shop.grants.drop("T1", grant)
    assert not await shop.gate.may("close", HERE, "U2")


async def test_a_denial_names_its_rule() -> None:
    shop = Workshop()
    shop.allow("U1", "close", "C1", allow=False)
    with pytest.raises(NotAllowedError) as caught:
        await shop.gate.need("close", HERE, "U1", now=NOW, key="k")
    assert caught.value.why == "The rule: deny close, made by Name of U9."
    check_words(caught.value)


@pytest.mark.parametrize("user", ["U1", "U9"])
async def test_in_read_mode_nobody_may_and_nobody_is_looked_up(user: str) -> None:
    shop = Workshop(read_only=True)
    assert not await shop.gate.may("close", HERE, user)
    with pytest.raises(NotAllowedError) as caught:
        await shop.gate.need("close", HERE, user, now=NOW, key="k")
    assert caught.value.what == "Rundown runs in read mode here and changes nothing."
    assert not caught.value.askable
    check_words(caught.value)
    assert [call for call, _ in shop.asked] == ["note"]
    assert shop.entry("k").outcome is Ended.REFUSED
    with pytest.raises(NotAllowedError):
        await ask(shop, user=user)


@pytest.mark.parametrize(
    ("user", "read_only", "rules"), [("U9", False, True), ("U9", True, True), ("U1", False, False)]
)
async def test_who_is_an_admin_is_known_in_read_mode_too(user: str, read_only: bool, rules: bool) -> None:
    assert await Workshop(read_only=read_only).gate.rules(HERE, user) is rules


async def test_nobody_is_taken_for_an_admin_while_slack_is_silent() -> None:
    shop = Workshop()
    shop.directory.broken = {"actor"}
    assert not await shop.gate.rules(HERE, "U9")


async def test_only_admins_pass_for_admins() -> None:
    shop = Workshop()
    assert (await need_admin(shop.gate, "allow", HERE, "U9", now=NOW, key="k")).user == "U9"
    with pytest.raises(NotAllowedError):
        await need_admin(shop.gate, "allow", HERE, "U1", now=NOW, key="k")


# ── asking ──


@pytest.mark.parametrize(
    ("hours", "again", "new"),
    [
        (0, {}, False),
        (23.9, {}, False),
        (24, {}, True),
        (0, {"verb": "note"}, True),
        (0, {"place": ELSEWHERE}, True),
        (0, {"user": "U3"}, True),
    ],
)
async def test_the_same_is_asked_for_once_a_day(hours: float, again: dict[str, Any], new: bool) -> None:
    shop = Workshop()
    assert await ask(shop)
    shop.clock.go(hours=hours)
    assert await ask(shop, "q2", **again) is new
    assert ("q2" in shop.grants.requests) is new


async def test_a_request_keeps_who_asked_for_what_where() -> None:
    shop = Workshop()
    await ask(shop)
    assert shop.grants.requests["q1"] == AccessRequest(
        key="q1", verb="close", user="U2", user_name="Name of U2", team="T1", channel="C1", at=NOW, command="close R118"
    )


async def test_whoever_may_already_need_not_ask() -> None:
    shop = Workshop()
    with pytest.raises(AskError) as caught:
        await ask(shop, user="U1")
    assert caught.value.what == "You may close runs here already."
    check_words(caught.value)
    assert not shop.grants.requests


@pytest.mark.parametrize(
    ("role", "verb"), [("guest", "close"), ("outsider", "note"), ("bot", "edit"), ("member", "delete")]
)
async def test_whoever_could_never_be_allowed_can_not_ask(role: str, verb: str) -> None:
    shop = Workshop()
    shop.directory.knows("U2", role)
    with pytest.raises(NotAllowedError):
        await ask(shop, verb=verb)
    assert not shop.grants.requests


# ── deciding ──


@pytest.mark.parametrize(
    ("settled", "here", "there"), [("here", True, False), ("everywhere", True, True), ("declined", False, False)]
)
async def test_a_request_is_granted_as_the_admin_decides(settled: Settled, here: bool, there: bool) -> None:
    shop = Workshop()
    await ask(shop)
    done = await settle(shop, settled)
    assert (done.settled, done.settled_by) == (settled, "U9")
    assert await shop.gate.may("close", HERE, "U2") is here
    assert await shop.gate.may("close", ELSEWHERE, "U2") is there
    assert not await shop.gate.may("note", HERE, "U2")
    rule = Grant(
        verb="close", kind="user", subject="U2", channel="C1" if settled == "here" else "", allow=True, by="U9", at=NOW
    )
    assert shop.calls("put grant") == ([] if settled == "declined" else [rule])


async def test_a_request_is_decided_once_however_many_decide_at_once() -> None:
    shop = Workshop()
    shop.directory.knows("U8", "owner")
    await ask(shop)
    ends = await asyncio.gather(
        *(settle(shop, "declined" if user == "U8" else "everywhere", user=user) for user in ("U8", "U9", "U9", "U8")),
        return_exceptions=True,
    )
    (done,) = [each for each in ends if isinstance(each, AccessRequest)]
    refused = [each for each in ends if isinstance(each, AskError)]
    assert len(refused) == 3
    for error in refused:
        assert error.what == f"Name of {done.settled_by} has decided that already: {done.settled}."
        check_words(error)
    assert len(shop.calls("put grant")) == (done.settled == "everywhere")


async def test_only_an_admin_decides() -> None:
    shop = Workshop()
    await ask(shop)
    for user in ("U1", "U2"):
        with pytest.raises(NotAllowedError):
            await settle(shop, "everywhere", user=user)
    assert shop.grants.requests["q1"].settled == ""
    assert not await shop.gate.may("close", HERE, "U2")
    assert shop.ledger.outcomes() == [Ended.REFUSED, Ended.REFUSED]


async def test_a_request_nobody_knows_is_said_so() -> None:
    with pytest.raises(AskError) as caught:
        await settle(Workshop(), "here")
    check_words(caught.value)


async def test_nothing_is_decided_in_read_mode() -> None:
    shop = Workshop(read_only=True)
    shop.grants.requests["q1"] = AccessRequest(
        key="q1", verb="close", user="U2", user_name="Ben", team="T1", channel="C1", at=NOW - timedelta(hours=1)
    )
    with pytest.raises(NotAllowedError):
        await settle(shop, "here")
    assert shop.grants.requests["q1"].settled == ""


# ── what would have no effect ──


@pytest.mark.parametrize(
    ("denied", "channel", "settled", "vain"),
    [
        ("all", "", "here", True),
        ("all", "", "everywhere", True),
        ("close", "", "here", True),
        ("close", "", "everywhere", False),  # the new rule takes its place
        ("close", "C1", "here", False),
        ("close", "C1", "everywhere", True),
        ("close", "C2", "here", False),
        ("note", "", "here", False),
    ],
)
async def test_a_request_is_not_granted_in_vain(denied: str, channel: str, settled: Settled, vain: bool) -> None:
    shop = Workshop()
    shop.allow("U2", denied, channel, allow=False)
    await ask(shop)
    if not vain:
        await settle(shop, settled)
        assert await shop.gate.may("close", HERE, "U2")
        return
    with pytest.raises(AskError) as caught:
        await settle(shop, settled)
    assert caught.value.what == "Name of U2 would still not be allowed to close runs."
    assert f"deny {denied}" in caught.value.why
    assert "made by Name of U9" in caught.value.why
    check_words(caught.value)
    assert shop.grants.requests["q1"].settled == "", "it can still be decided"
    assert (await settle(shop, "declined")).settled == "declined"


async def test_a_denial_of_a_group_of_theirs_is_told() -> None:
    shop = Workshop()
    shop.directory.knows("U2", groups=frozenset({"S1"}))
    group = Grant(verb="all", kind="group", subject="S1", channel="", allow=False, by="U9", at=NOW)
    await shop.grants.put("T1", group)
    await ask(shop)
    with pytest.raises(AskError) as caught:
        await settle(shop, "here")
    assert "deny all for a group of theirs everywhere" in caught.value.why


@pytest.mark.parametrize("allow", [True, False])
@pytest.mark.parametrize(("user", "vain"), [("U9", True), ("U2", False)])
async def test_a_rule_for_an_admin_is_refused(user: str, vain: bool, allow: bool) -> None:
    shop = Workshop()
    rule = Grant(verb="close", kind="user", subject=user, channel="", allow=allow, by="U9", at=NOW)
    if not vain:
        await need_effect(rule, gate=shop.gate, team="T1")
        return
    with pytest.raises(AskError) as caught:
        await need_effect(rule, gate=shop.gate, team="T1")
    assert caught.value.what == "Name of U9 is an admin, so a rule for them has no effect."
    check_words(caught.value)


async def test_who_declined_is_told_to_whoever_asks_again() -> None:
    shop = Workshop()
    await ask(shop)
    await settle(shop, "declined")
    shop.clock.go(hours=3)
    with pytest.raises(AskError) as caught:
        await ask(shop, "q2")
    assert caught.value.what == "Name of U9 has declined that."
    assert caught.value.why.startswith("You asked 3 h ago")
    check_words(caught.value)


@pytest.mark.parametrize(
    ("minutes", "words"),
    [(-5, "a moment ago"), (0.4, "a moment ago"), (1, "1 min ago"), (59, "59 min ago"), (60, "1 h ago"),
     (47 * 60, "47 h ago"), (49 * 60, "2 days ago")],
)  # fmt: skip
def test_ages_are_told_in_words(minutes: float, words: str) -> None:
    assert age(NOW - timedelta(minutes=minutes), NOW) == words
