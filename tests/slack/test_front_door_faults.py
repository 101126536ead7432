"""Something fails: the person is told what, by whom, and what to do; nothing else suffers."""

from __future__ import annotations

import hashlib
import hmac

import aiohttp
import pytest

from bot.sandbox.slack import mrkdwn
from tests.slack.front_door_kit import Town, town

SYSTEMS = {
    "testmo": ("show A412", r"automation/runs/412", "Testmo"),
    "testrail": ("show testrail:R118", r"get_run/118", "TestRail"),
    "practitest": ("show S55", r"sets/55\.json", "PractiTest"),
}


def spoil(here: Town, system: str, how: str, pattern: str) -> None:
    faults = getattr(here, system).faults
    match how:
        case "down":
            faults.answer(pattern, 503)
        case "a web page":
            faults.html(pattern)
        case "cut off":
            faults.cut(pattern, 40)
        case "of another shape":
            faults.answer(pattern, 200, '[{"id": {"no": 1}}, 7, null]')
        case "no number":
            faults.answer(pattern, 200, '{"id": NaN}')
        case "refused":
            faults.answer(pattern, 401, '{"error": "no"}')
        case "forbidden":
            faults.answer(pattern, 403, '{"message": "no"}')
        case "elsewhere":
            faults.redirect(pattern, "https://evil.example/steal")
        case "broken off":
            faults.reset(pattern)
        case "slow down":
            faults.slow_down(pattern, "45")


HOW = [
    "down",
    "a web page",
    "cut off",
    "of another shape",
    "no number",
    "refused",
    "forbidden",
    "elsewhere",
    "broken off",
    "slow down",
]


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("system", SYSTEMS)
async def test_a_system_in_trouble_costs_its_own_answer_only(system: str, how: str) -> None:
    text, pattern, label = SYSTEMS[system]
    async with town() as here:
        spoil(here, system, how, pattern)
        answer = await here.ask(text)
        words = here.words(answer)
        assert label in words
        assert "Nothing was changed" in words
        assert "ref" in words, "the reference that is also in the log"
        for other, (question, _, _) in SYSTEMS.items():
            if other != system:
                assert "passed" in here.words(await here.ask(question))


async def test_a_system_that_never_answers_is_announced_in_time_and_given_up() -> None:
    async with town() as here:
        here.testmo.faults.hang("automation/runs/412")
        delivery = await here.slack.command("ana", "#release", "/runs", "show A412")
        assert delivery.acked
        looking = await here.slack.next_message(timeout_s=3)
        assert "ooking" in looking.text
        await here.slack.until(lambda: "too slow" in here.words(looking), timeout_s=26)


async def test_a_lost_response_url_is_made_up_for_by_an_ephemeral_message() -> None:
    async with town() as here:
        here.slack.faults.answer("POST /commands/", 500)
        answer = await here.ask("show A412")
        assert answer.only_for == here.slack.person("ana").id
        assert "71 passed" in here.words(answer)


async def test_where_the_bot_is_no_member_it_answers_all_the_same() -> None:
    async with town() as here:
        private = await here.ask("show A412", where="#general")
        assert "71 passed" in here.words(private)
        public = await here.ask("show A412 --share", where="#general")
        assert public.only_for == ""
        here.slack.errors.clear()


async def test_slack_saying_slow_down_loses_no_answer() -> None:
    async with town() as here:
        here.slack.slow_down("chat.postMessage", "1", times=2)
        answer = await here.ask("@rundown show A412")
        assert "71 passed" in here.words(answer)


async def test_slack_refusing_our_blocks_gets_the_sentence() -> None:
    async with town() as here:
        here.slack.fail("chat.postMessage", "invalid_blocks", times=1)
        answer = await here.ask("@rundown show A412")
        assert "71 passed" in here.words(answer)


async def test_a_button_nobody_knows_any_more_is_answered() -> None:
    async with town() as here:
        card = await here.ask("@rundown show A412")
        delivery = await here.slack.click("ana", card, "ask:failures")
        await here.answer()
        old = {**delivery.payload, "trigger_id": "1.2.old", "actions": [{"action_id": "approve_v0", "value": "R1"}]}
        await here.slack.deliver("interactive", old)
        answer = await here.answer()
        assert "older version" in here.words(answer)


@pytest.mark.parametrize(
    "text", ["show testmo:R119", "show testrail:R126", "failures testrail:R126", "show S58", "list --all"]
)
async def test_hostile_names_neither_ping_nor_link_nor_format(text: str) -> None:
    async with town() as here:
        answer = await here.ask(text)
        for block in answer.blocks:
            for each in [block.get("text"), *block.get("elements", []), *block.get("fields", [])]:
                if isinstance(each, dict) and each.get("type") == "mrkdwn":
                    spans = mrkdwn.parse(each["text"], verbatim=bool(each.get("verbatim")))
                    assert not mrkdwn.pings(spans), each
                    assert all("evil" not in link.target for link in mrkdwn.links(spans)), each


@pytest.mark.parametrize("reason", ["internal_error", "fatal_error", "service_unavailable"])
async def test_a_passing_fault_of_slack_only_delays_a_public_answer(reason: str) -> None:
    async with town() as here:
        here.slack.fail("chat.postMessage", reason, times=1)
        assert "71 passed" in here.words(await here.ask("@rundown show A412"))


async def test_a_web_page_instead_of_slacks_answer_only_delays_it() -> None:
    async with town() as here:
        here.slack.faults.html("chat[.]postMessage", times=1)
        assert "71 passed" in here.words(await here.ask("@rundown show A412"))


@pytest.mark.parametrize("reason", ["restricted_action", "not_in_channel", "is_archived"])
async def test_where_the_bot_may_not_speak_the_asker_is_told_alone(reason: str) -> None:
    async with town() as here:
        here.slack.fail("chat.postMessage", reason, times=1)
        answer = await here.ask("@rundown show A412")
        assert answer.only_for == here.slack.person("ana").id
        assert "71 passed" in here.words(answer)


async def test_a_line_that_is_gone_is_followed_by_the_answer() -> None:
    async with town() as here:
        here.testmo.faults.delay("automation/runs/412", 1.9, times=1)
        here.slack.fail("chat.update", "message_not_found", times=1)
        assert "71 passed" in here.words(await here.ask("@rundown show A412"))


async def test_share_pressed_again_and_again_shares_once() -> None:
    async with town() as here:
        private = await here.ask("show A412")
        for _ in range(3):
            await here.slack.click("ana", private, "share", stale=True)
        await here.slack.until(lambda: here.slack.now(private).deleted)
        await here.ask("version")
        assert len(here.slack.calls("chat.postMessage")) == 1


@pytest.mark.parametrize("body", ["payload=%7Bbroken", "payload=", "payload=[]", "[1]", "{{{", "null", "{"])
async def test_a_signed_body_that_is_nothing_of_slacks_is_refused_quietly(body: str) -> None:
    async with town("http") as here:
        assert here.bot.web is not None
        now = str(int(here.slack.clock.now().timestamp()))
        secret = here.slack.signing_secret.encode()
        signature = hmac.new(secret, f"v0:{now}:{body}".encode(), hashlib.sha256).hexdigest()
        kind = "application/json" if body[0] in "[{n" else "application/x-www-form-urlencoded"
        headers = {
            "X-Slack-Request-Timestamp": now,
            "X-Slack-Signature": f"v0={signature}",
            "Content-Type": kind,
        }
        address = f"http://127.0.0.1:{here.bot.web.port}/slack/events"
        async with aiohttp.ClientSession() as session, session.post(address, data=body, headers=headers) as answer:
            assert answer.status == 400


async def test_a_slow_answer_to_a_click_leaves_what_was_clicked_as_it_was() -> None:
    async with town() as here:
        card = await here.ask("show A412")
        here.testmo.faults.delay("automation/runs/412/tests", 1.9, times=1)
        await here.slack.click("ana", card, "ask:failures")
        await here.slack.next_message(lambda message: "ooking" in message.text)
        answer = await here.answer()
        assert "failing tests" in here.words(answer)
        assert "Failures" in here.words(card)
