"""Who may change what, where, by every way in: tried out by everybody, and compared with a table written by hand."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Iterable
from functools import partial

import pytest

from bot.app import Rundown
from bot.config import read_settings
from bot.sandbox.slack import Message, Person
from tests.slack.front_door_kit import Town, town
from tests.slack.rights_kit import (
    HERE,
    PARTNERS,
    SETTINGS,
    VERBS,
    Cell,
    asked_systems,
    attempt,
    audit_rows,
    cells,
    make_rules,
    populate,
    writes,
)

R118, A415 = "testrail:R118", "testmo:A415"


# ── everybody, everything, everywhere ──


async def _try_all(here: Town, several: Iterable[Cell]) -> list[str]:
    """Everybody tries theirs one after the other, all people at the same time; what went otherwise than expected."""
    mine: dict[str, list[Cell]] = {}
    for cell in several:
        mine.setdefault(cell.who.handle, []).append(cell)

    async def one_after_the_other(their: list[Cell]) -> list[str]:
        return [wrong for cell in their if (wrong := _judge(here, cell, await attempt(here, cell)))]

    return [wrong for found in await asyncio.gather(*map(one_after_the_other, mine.values())) for wrong in found]


def _judge(here: Town, cell: Cell, answer: Message) -> str:
    """What is wrong with an answer; empty if nothing is."""
    words = here.words(answer)
    pressable = {control.action_id for control in here.slack.buttons(answer)}
    offered = bool(pressable & {"act:go", "act:confirm"}) or "from now on" in words
    if cell.refusal:
        fine = cell.refusal in words and not offered
        fine = fine and ("access:ask" in pressable) == ("The rule" in words or "has to allow" in words)
    else:
        fine = offered and "🔒" not in words
    return "" if fine else f"{cell.who.role}, {cell.where}: {cell.text} → {words!r}"


async def test_everybody_may_what_the_table_says_and_nothing_else() -> None:
    async with town("socket", **SETTINGS) as here:
        people = populate(here, chance=random.Random(20), made_up=14)
        await make_rules(here, people)
        every = cells(people)
        refused = [cell for cell in every if cell.refusal]
        allowed = [cell for cell in every if not cell.refusal]
        assert len(refused) > 600
        assert len(allowed) > 400
        before = asked_systems(here)
        assert await _try_all(here, refused) == []
        assert asked_systems(here) == before, "whoever may not is refused before any system is asked anything"
        assert await _try_all(here, allowed) == []
        assert writes(here) == [], "a preview only reads"
        recorded = Counter(
            (row["Slack id"], row["verb"], row["channel"]) for row in await audit_rows(here, "--status", "refused")
        )
        expected = Counter(
            (here.slack.person(cell.who.handle).id, cell.verb, _channel(here, cell))
            for cell in refused
            if cell.where != PARTNERS
        )
        assert recorded == expected


def _channel(here: Town, cell: Cell) -> str:
    return here.slack.channel(cell.where).id if cell.where.startswith("#") else here.slack.direct(cell.who.handle).id


@pytest.mark.parametrize("text", ["close testrail:R118", "note testrail:R118 hello", "delete testrail:R118"])
async def test_mentions_and_direct_messages_are_refused_to_the_asker_alone(text: str) -> None:
    async with town() as here:
        await here.slack.mention("tom", HERE, text)
        answer = await here.answer()
        assert "🔒" in here.words(answer)
        assert answer.only_for == here.slack.person("tom").id
        await here.slack.dm("tom", text)
        assert "🔒" in here.words(await here.answer())
        assert asked_systems(here) == 0


# ── rules ──


async def test_rules_are_told_in_words_replace_each_other_and_can_be_removed() -> None:
    async with town() as here:
        assert "@tom may close runs in #release from now on" in here.words(await here.ask("allow close @tom #release"))
        assert "@tom may not close runs in #release from now on" in here.words(
            await here.ask("deny close @tom #release")
        )
        assert "@qa-leads may make every change except deleting everywhere" in here.words(
            await here.ask("allow all @qa-leads")
        )
        shown = await here.ask("allow list")
        words = here.words(shown)
        assert "2 rules" in words, "the second one took the first one's place"
        assert "@tom may not close" in words
        assert "@ana" in words
        theirs = await here.ask("allow list", who="tom")
        assert "2 rules" in here.words(theirs)
        assert here.slack.buttons(theirs) == [], "only admins take rules away"
        first = here.slack.buttons(shown)[0]
        await here.slack.click("ana", shown, first.action_id, value=first.value)
        await here.slack.until(lambda: "Rule removed" in here.words(shown))
        assert "1 rule " in here.words(await here.ask("allow list"))
        await here.slack.click("ana", shown, first.action_id, value=first.value, stale=True)
        await here.slack.next_message(lambda said: "gone already" in here.words(said))


@pytest.mark.parametrize("who", ["gus", "olga"])
async def test_a_rule_for_somebody_who_never_may_is_refused(who: str) -> None:
    async with town() as here:
        for verb in ("allow", "deny"):
            assert "has no effect" in here.words(await here.ask(f"{verb} close @{who}"))
        assert "0 rules" not in here.words(await here.ask("allow list"))
        assert "Nobody but admins" in here.words(await here.ask("allow list"))


@pytest.mark.parametrize("text", ["allow close @tom", "deny all @ana", "allow all @qa-leads #release"])
async def test_only_admins_make_rules(text: str) -> None:
    async with town() as here:
        for who in ("tom", "gus"):
            assert "🔒" in here.words(await here.ask(text, who=who))
        assert "Nobody but admins" in here.words(await here.ask("allow list"))


async def test_a_rule_is_not_taken_away_by_a_forged_press() -> None:
    async with town() as here:
        await here.ask("allow close @lea")
        shown = await here.ask("allow list")
        pressed = await here.slack.click(
            "ana",
            shown,
            "access:drop",
            forge_value='["close","user","U0MAX00004","",true,"x","2026-01-01T00:00:00+00:00"]',
        )
        await here.slack.next_message(lambda said: "gone already" in here.words(said))
        forged = {**pressed.payload, "trigger_id": "1.1.forged", "user": _user(here, "tom"), "response_url": ""}
        value = here.slack.buttons(shown)[0].value
        await here.slack.deliver("interactive", {**forged, "actions": [{**forged["actions"][0], "value": value}]})
        answer = await here.slack.next_message(lambda said: "🔒" in here.words(said))
        assert answer.only_for == here.slack.person("tom").id
        for value in ("", "[]", "null", "{", '["close"]'):
            await here.slack.click("ana", shown, "access:drop", forge_value=value)
            await here.slack.next_message(lambda said: "can't be read" in here.words(said))
        assert "1 rule " in here.words(await here.ask("allow list"))


def _user(here: Town, who: str) -> dict[str, str]:
    person = here.slack.person(who)
    return {"id": person.id, "name": person.handle, "username": person.handle, "team_id": person.team_id}


async def test_a_group_that_slack_does_not_tell_allows_nobody_and_says_so() -> None:
    async with town() as here:
        await here.ask("allow close @release-managers")
        fault = here.slack.fail("usergroups.users.list", "internal_error", times=-1)
        words = here.words(await here.ask(f"close {R118}", who="tom"))
        assert "who is in a user group" in words
        assert "release-managers" not in words
        assert asked_systems(here) == 0
        fault.times = 0
        assert "Close testrail:R118" in here.words(await here.ask(f"close {R118}", who="tom"))


async def test_a_group_that_was_disabled_allows_nobody() -> None:
    async with town() as here:
        group = here.slack.add_group("leavers", ["tom"])
        await here.ask("allow close @leavers")
        del here.slack.state.groups[group.id]
        assert "🔒" in here.words(await here.ask(f"close {R118}", who="tom"))
        here.slack.errors.clear()


async def test_somebody_whom_slack_does_not_tell_may_nothing() -> None:
    async with town() as here:
        here.slack.fail("users.info", "internal_error", times=-1)
        words = here.words(await here.ask(f"close {R118}"))
        assert "does not tell who that is" in words
        assert asked_systems(here) == 0


# ── rights at the press ──


async def test_a_right_taken_away_after_the_preview_is_missing_at_the_press() -> None:
    async with town() as here:
        await here.ask("allow close @tom")
        preview = await here.ask(f"close {R118}", who="tom")
        await here.ask("deny close @tom")
        await here.slack.click("tom", preview, "act:go")
        answer = await here.slack.next_message(lambda said: "🔒" in here.words(said))
        assert "The rule: deny close, made by Ana Kovač" in here.words(answer)
        assert answer.only_for == here.slack.person("tom").id
        assert writes(here) == []
        refused = await audit_rows(here, "--status", "refused")
        assert {(row["verb"], row["run"], row["name"]) for row in refused} == {
            ("close", "R118", "Release 5.2 regression")
        }
        await here.ask("allow close @tom")
        await here.slack.click("tom", preview, "act:go")
        await here.slack.until(lambda: len(writes(here)) == 1)


async def test_who_became_a_guest_meanwhile_may_not_press_any_more(tmp_path: object) -> None:
    """Roles are remembered for some seconds; another process knows nothing of them."""
    async with town(RUNDOWN_DB=f"{tmp_path}/rundown.db") as here:
        preview = await here.ask(f"close {R118}")
        await here.bot.stop()
        here.slack.change_person("ana", is_admin=False, is_guest=True)
        second = Rundown(read_settings(here.environment), host="127.0.0.1")
        await second.start()
        await here.slack.connected()
        await here.slack.click("ana", preview, "act:go")
        assert "Guests never change runs." in here.words(await here.answer())
        assert writes(here) == []
        await second.stop()


async def test_somebody_elses_press_on_a_preview_needs_their_own_right() -> None:
    async with town() as here:
        preview = await here.ask(f"close {R118}")
        pressed = await here.slack.click("ana", preview, "act:cancel")
        await here.slack.until(lambda: "act:go" not in str(here.slack.now(preview).blocks))
        go = next(
            control for control in here.slack.buttons(await here.ask(f"close {R118}")) if "go" in control.action_id
        )
        forged = {**pressed.payload, "trigger_id": "2.2.forged", "user": _user(here, "max"), "response_url": ""}
        forged["actions"] = [{"action_id": "act:go", "type": "button", "value": go.value, "action_ts": "1.0"}]
        await here.slack.deliver("interactive", forged)
        answer = await here.slack.next_message(lambda said: "🔒" in here.words(said))
        assert answer.only_for == here.slack.person("max").id
        assert writes(here) == []


# ── asking for access ──


async def _asked(here: Town, who: str = "tom", text: str = f"close {R118}") -> dict[str, Message]:
    """Ask for access; the message each admin got, by handle."""
    refusal = await here.ask(text, who=who)
    await here.slack.click(who, refusal, "access:ask")
    await here.slack.until(lambda: "admins were asked" in here.words(refusal))
    return {person.handle: message for person in _admins(here) if (message := await _in_dm(here, person))}


def _admins(here: Town) -> list[Person]:
    return [person for person in here.slack.state.people.values() if person.is_admin and not person.is_bot]


async def _in_dm(here: Town, person: Person) -> Message:
    channel = here.slack.direct(person).id
    return await here.slack.next_message(lambda said: said.channel == channel and "would like to" in said.text)


@pytest.mark.parametrize(
    ("button", "told", "here_too", "elsewhere_too"),
    [
        ("access:here", "You may close runs in #release now", True, False),
        ("access:everywhere", "You may close runs everywhere now", True, True),
        ("access:decline", "declined", False, False),
    ],
)
async def test_an_admin_decides_and_the_asker_is_told(
    button: str, told: str, here_too: bool, elsewhere_too: bool
) -> None:
    async with town() as here:
        request = (await _asked(here))["ana"]
        words = here.words(request)
        assert "@tom would like to close runs in #release" in words
        assert "close testrail:R118" in words
        await here.slack.click("ana", request, button)
        await here.slack.until(lambda: "@ana" in here.words(request))
        assert [one.action_id for one in here.slack.buttons(request)] == []
        direct = here.slack.direct("tom").id
        answer = await here.slack.next_message(lambda said: said.channel == direct)
        assert told in here.words(answer)
        for where, may in (("#release", here_too), ("#checkout", elsewhere_too)):
            again = await here.ask(f"close {R118}", who="tom", where=where)
            assert ("🔒" not in here.words(again)) == may, where


async def test_two_admins_at_once_decide_once_and_both_see_how() -> None:
    async with town() as here:
        second = here.slack.hire(1, HERE, role="admin")[0]
        requests = await _asked(here)
        assert set(requests) == {"ana", second.handle}
        await asyncio.gather(
            here.slack.click("ana", requests["ana"], "access:everywhere"),
            here.slack.click(second, requests[second.handle], "access:decline"),
        )
        for request in requests.values():
            await here.slack.until(partial(_is_settled, here, request))
        seen = {here.words(request) for request in requests.values()}
        assert len(seen) == 1, "the one who came second sees what the first one decided"
        allowed = "Allowed everywhere" in seen.pop()
        direct = here.slack.direct("tom").id
        told = await here.slack.next_message(lambda said: said.channel == direct)
        assert ("eclined" not in here.words(told)) == allowed
        assert ("🔒" not in here.words(await here.ask(f"close {R118}", who="tom"))) == allowed
        assert len([one for one in here.slack.said() if one.channel == direct]) == 1


def _is_settled(here: Town, request: Message) -> bool:
    return not here.slack.buttons(request)


async def test_asked_again_within_a_day_the_admins_are_told_once() -> None:
    async with town() as here:
        await _asked(here)
        again = await here.ask(f"close {R118}", who="tom")
        await here.slack.clicks(["tom"] * 3, again, "access:ask")
        await here.slack.until(lambda: "asked already today" in here.words(again))
        direct = here.slack.direct("ana").id
        assert len([one for one in here.slack.said() if one.channel == direct]) == 1


async def test_a_request_is_not_decided_by_whoever_is_no_admin() -> None:
    async with town() as here:
        request = (await _asked(here))["ana"]
        key = here.slack.buttons(request)[0].value
        refusal = await here.ask(f"close {R118}", who="max")
        pressed = await here.slack.click("max", refusal, "access:ask")
        await here.slack.until(lambda: "admins were asked" in here.words(refusal))
        for who in ("tom", "max", "gus"):
            forged = {**pressed.payload, "trigger_id": f"3.3.{who}", "user": _user(here, who), "response_url": ""}
            forged["actions"] = [{"action_id": "access:everywhere", "type": "button", "value": key, "action_ts": "1.0"}]
            await here.slack.deliver("interactive", forged)
            answer = await here.slack.next_message(lambda said: "🔒" in here.words(said))
            assert answer.only_for in ("", here.slack.person(who).id)
        assert "Nobody but admins" in here.words(await here.ask("allow list"))
        assert here.slack.buttons(request), "it can still be decided"


@pytest.mark.parametrize("value", ["delete delete testrail:R118", "allow", ""])
async def test_what_nobody_could_be_allowed_can_not_be_asked_for(value: str) -> None:
    async with town() as here:
        refusal = await here.ask(f"close {R118}", who="tom")
        await here.slack.click("tom", refusal, "access:ask", forge_value=value)
        await here.answer()
        direct = here.slack.direct("ana").id
        assert [one for one in here.slack.said() if one.channel == direct] == []


async def test_only_read_mode_refuses_admins_too_and_looks_nobody_up() -> None:
    async with town(RUNDOWN_MODE="read") as here:
        for text in (f"close {R118}", "start X --in testrail", "allow close @tom", f"delete {R118}"):
            words = here.words(await here.ask(text))
            assert "only reads here" in words, text
        assert asked_systems(here) == 0
        card = await here.ask(f"show {R118}")
        assert "ask:failures" in (offered := {one.action_id for one in here.slack.buttons(card)})
        assert not offered & {f"ask:{verb}" for verb in VERBS}


# ── who is told ──


async def test_somebody_who_did_not_ask_is_told_of_a_rule_for_them_once() -> None:
    async with town() as here:
        await here.ask("allow close @tom #release")
        direct = here.slack.direct("tom").id
        told = await here.slack.next_message(lambda said: said.channel == direct)
        assert "You may close runs in #release" in here.words(told)
        assert "@ana" in here.words(told)
        await here.ask("allow close @tom #release")
        await here.ask("deny close @tom #release")
        await here.slack.until(lambda: len([said for said in here.slack.said() if said.channel == direct]) == 2)
        told = [said for said in here.slack.said() if said.channel == direct][-1]
        assert "@tom may not close runs in #release" in here.words(told)


async def test_a_rule_holds_though_the_person_can_not_be_told() -> None:
    async with town() as here:
        here.slack.fail("conversations.open", "cannot_dm_bot", times=-1)
        assert "from now on" in here.words(await here.ask("allow close @tom"))
        assert "1 rule " in here.words(await here.ask("allow list"))


@pytest.mark.parametrize("verb", ["allow", "deny"])
async def test_a_rule_for_an_admin_is_refused(verb: str) -> None:
    async with town() as here:
        words = here.words(await here.ask(f"{verb} close @ana"))
        assert "is an admin" in words
        assert "Nobody but admins" in here.words(await here.ask("allow list"))


async def test_an_allowance_is_refused_while_a_denial_goes_before_it() -> None:
    async with town() as here:
        await here.ask("deny all @tom")
        words = here.words(await here.ask("allow close @tom"))
        assert "Another rule goes first: deny all everywhere, made by Ana Kovač" in words
        assert "1 rule " in here.words(await here.ask("allow list"))


async def test_that_the_admins_were_asked_is_only_said_once_one_of_them_was() -> None:
    async with town() as here:
        fault = here.slack.fail("conversations.open", "user_not_found", times=-1)
        refusal = await here.ask(f"close {R118}", who="tom")
        await here.slack.click("tom", refusal, "access:ask")
        assert "No admin of Rundown could be reached" in here.words(await here.answer())
        assert "were asked" not in here.words(refusal)
        fault.times = 0
        again = await here.ask(f"close {R118}", who="tom")
        await here.slack.click("tom", again, "access:ask")
        request = await _in_dm(here, here.slack.person("ana"))
        await here.slack.until(lambda: "admins were asked whether" in here.words(again))
        await here.slack.click("ana", request, "access:here")
        await here.slack.until(lambda: not here.slack.buttons(request))
        assert "🔒" not in here.words(await here.ask(f"close {R118}", who="tom"))


async def test_the_list_of_rules_says_who_requests_go_to() -> None:
    async with town() as here:
        assert "Requests go to @ana" in here.words(await here.ask("allow list", who="tom"))


# ── what is said ──


async def test_a_mistake_in_a_rule_is_told_with_names_and_offered_the_right_way_round() -> None:
    async with town() as here:
        answer = await here.ask("allow @tom close #release")
        words = here.words(answer)
        assert "Say what first, then who." in words
        assert "allow close @Tom Becker #release" in words
        assert "U0TOM" not in words
        button = here.slack.buttons(answer)[0]
        await here.slack.click("ana", answer, button.action_id, value=button.value)
        await here.slack.until(lambda: "may close runs in #release from now on" in _said(here))
        assert "Deleting stays with admins." in here.words(await here.ask("allow delete @tom"))


def _said(here: Town) -> str:
    return "\n".join(here.words(said) for said in here.slack.said())


@pytest.mark.parametrize("verb", ["close", "delete"])
async def test_what_ends_a_run_takes_no_last(verb: str) -> None:
    async with town() as here:
        answer = await here.ask(f"{verb} last")
        words = here.words(answer)
        assert f"Name the run to {verb}." in words
        named = [line for line in words.split("\n") if line.startswith((f"{verb} test", f"{verb} prac"))]
        assert len(named) == 1, "the newest run is offered by its name"
        assert "act:go" not in {one.action_id for one in here.slack.buttons(answer)}
        assert "Name the run" not in here.words(await here.ask(named[0]))
