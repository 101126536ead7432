"""A click acts once: pressed twice, by two, by a thousand, delivered again, heard by two processes, with Slack away."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from bot.sandbox.slack import Message, View
from tests.slack.changes_kit import Office, Wrote, office, rundown
from tests.slack.front_door_kit import Transport

ONCE: list[Wrote] = [("POST", "/close_run/118", {})]


@pytest.mark.parametrize("transport", ["socket", "http"])
async def test_f69_a_double_click_makes_one_call_and_the_second_press_is_told_by_whom_it_is_done(
    transport: Transport,
) -> None:
    async with office(transport) as here:
        room = here.room()
        here.testrail.faults.delay("close_run/118", 0.3)
        preview = await here.preview("close testrail:R118", room)
        await here.slack.clicks(["ana", "ana"], preview, "act:go", stale=True)
        late = here.words(await here.told("ana", room, "by @ana"))
        assert "is being closed by" in late or "was closed by" in late
        await here.public(room, "Closed")
        assert here.wrote() == ONCE


async def test_f69_two_people_with_a_preview_each_close_once_and_the_second_is_told_who_was_first() -> None:
    async with office() as here:
        room = here.room()
        await here.preview("allow close @tom", room)
        mine = await here.preview("close testrail:R118", room)
        theirs = await here.preview("close testrail:R118", room, who="tom")
        await asyncio.gather(
            here.slack.click("ana", mine, "act:go"),
            here.slack.click("tom", theirs, "act:go"),
        )
        receipt = here.words(await here.public(room, "Closed"))
        first = "@ana" if "by @ana" in receipt else "@tom"
        second = theirs if first == "@ana" else mine
        words = await here.becomes(second, f"by {first}")
        assert "closed by" in words
        assert here.labels(second) == ["Show"]
        await here.idle()
        assert here.wrote() == ONCE


async def test_f69_a_thousand_clicks_of_one_make_one_call_and_each_is_answered() -> None:
    async with office() as here:
        room = here.room()
        here.testrail.faults.delay("close_run/118", 0.3)
        preview = await here.preview("close testrail:R118", room)
        presses = await here.slack.clicks(["ana"] * 1_000, preview, "act:go", stale=True)
        assert all(press.acked for press in presses)
        await here.public(room, "Closed")
        await here.idle()
        answers = [one for one in here.slack.said(room) if one.only_for and "closed by" in here.words(one)]
        assert len(answers) == 999
        assert here.wrote() == ONCE


async def test_f69_a_thousand_people_press_at_once_and_one_call_is_made_and_nobody_is_left_without_an_answer() -> None:
    async with office() as here:
        room = here.room()
        crowd = here.slack.hire(1_000, room, role="admin")
        here.testrail.faults.answer("close_run", 403, '{"error": "Frozen."}', times=3)
        here.testrail.add_runs(1, 4, closed=False)
        listed = await here.preview("close --in testrail --since 1h", room)
        await here.slack.click("ana", listed, "bulk:go")
        result = await here.public(room)
        await here.becomes(result, "3 not closed, 1 not tried")
        here.forget()
        here.testrail.faults.delay("close_run", 0.3)
        shown = here.slack.now(result)
        presses = await here.slack.clicks(crowd, shown, "bulk:go", stale=True)
        assert all(press.acked for press in presses)
        await here.becomes(result, "closed 1 run", "3 not closed")
        await here.idle()
        assert len(here.wrote()) == 1
        told = {one.only_for for one in here.slack.said(room) if one.only_for}
        first = {one.id for one in crowd} - told
        assert len(first) == 1, "everybody but the first is told; the first reads the result"


async def test_f69_twenty_people_with_a_preview_each_make_one_call_and_each_reads_how_it_ended() -> None:
    async with office() as here:
        room = here.room()
        crowd = here.slack.hire(20, room, role="admin")
        await asyncio.gather(
            *(here.slack.command(one, room, "/runs", "close testrail:R118") for one in crowd),
        )
        previews = {one.only_for: one for one in [await here.slack.next_message() for _ in crowd]}
        await asyncio.gather(*(here.slack.click(one, previews[one.id], "act:go") for one in crowd))
        await here.public(room, "Closed")
        await here.idle()
        left = [one for one in previews.values() if not here.slack.now(one).deleted]
        assert len(left) == 19
        assert all("closed by" in here.words(one) and here.labels(one) == ["Show"] for one in left)
        assert here.wrote() == ONCE


@pytest.mark.parametrize("transport", ["socket", "http"])
async def test_a_click_a_command_and_a_form_that_are_delivered_again_do_nothing_again(transport: Transport) -> None:
    async with office(transport) as here:
        room, other = here.room(), here.room()
        command = await here.slack.command("ana", room, "/runs", "close testrail:R118")
        preview = await here.told("ana", room)
        await here.slack.redeliver(command)
        press = await here.slack.click("ana", preview, "act:go")
        await here.slack.redeliver(press)
        await here.slack.replay(press)
        await here.public(room, "Closed")
        await here.preview("note testrail:R124 hello", other)
        note = here.slack.said(other)[-1]
        await here.slack.click("ana", note, "act:form")
        form = await here.slack.until(lambda: _form(here))
        assert form is not None
        sent = await here.slack.submit(form)
        await here.slack.redeliver(sent)
        await here.public(other, "Note added")
        await here.slack.replay(sent)
        await here.idle()
        assert [path for _, path, _ in here.wrote()] == ["/close_run/118", "/update_run/124"]
        assert sum("Closed" in here.words(one) for one in here.slack.said(room) if not one.only_for) == 1
        assert sum("Note added" in here.words(one) for one in here.slack.said(other) if not one.only_for) == 1


def _form(here: Office) -> View | None:
    view = here.slack.view("ana")
    return view if view and view.content.get("submit") else None


async def test_two_bots_on_one_database_make_one_call_whichever_of_them_hears_the_presses(tmp_path: Path) -> None:
    async with (
        office(settings={"RUNDOWN_DB": str(tmp_path / "rundown.db")}) as here,
        rundown(here.environment, here.clock),
    ):
        await here.slack.connected(2)
        for text, call, said in (
            ("close testrail:R118", "/close_run/118", "Closed"),
            ("note testrail:R124 hello", "/update_run/124", "Note added"),
            ("report S55/98142 passed", "/projects/4566/runs.json", "Result reported"),
        ):
            here.forget()
            room = here.room()
            preview = await here.preview(text, room)
            presses = await here.slack.clicks(["ana"] * 20, preview, "act:go", stale=True)
            first, second = here.slack.connections[:2]
            assert {one.connection for press in presses for one in press.attempts} == {first.number, second.number}
            for connection in (first, second):
                await here.slack.redeliver(presses[0], to=connection)
            await here.public(room, said)
            await here.idle()
            assert [path for _, path, _ in here.wrote()] == [call]
            assert sum(said in here.words(one) for one in here.slack.said(room) if not one.only_for) == 1


# ── Slack itself is slow or away ──


async def _closes(here: Office, room: str, preview: Message) -> None:
    await here.slack.click("ana", preview, "act:go")
    await here.slack.until(lambda: here.wrote() == ONCE, timeout_s=10)
    assert room


async def test_a_response_url_that_fails_neither_stops_nor_repeats_it_and_the_end_is_told_in_public() -> None:
    async with office() as here:
        room = here.room()
        preview = await here.preview("close testrail:R118", room)
        here.slack.faults.answer("POST /actions/", 500)
        await _closes(here, room, preview)
        assert "by @ana" in here.words(await here.public(room, "Closed"))
        await here.idle()
        assert here.wrote() == ONCE


async def test_a_silent_response_url_does_not_hold_up_the_call() -> None:
    async with office() as here:
        room, other = here.room(), here.room()
        preview = await here.preview("close testrail:R118", room)
        here.testrail.add_runs(1, 2, closed=False)
        listed = await here.preview("close --in testrail --since 1h", other)
        here.slack.faults.hang("POST /actions/", times=2)
        began = time.monotonic()
        await here.slack.click("ana", preview, "act:go")
        await here.slack.click("ana", listed, "bulk:go")
        await here.slack.until(lambda: len(here.wrote()) == 3, timeout_s=20)
        took = time.monotonic() - began
        assert took < 5, f"whoever pressed waits for TestRail, not for Slack: {took:.1f} s"
        await here.public(room, "Closed")
        await here.public(other, "closed 2 runs", timeout_s=26)
        assert len(here.wrote()) == 3


@pytest.mark.parametrize("reason", ["internal_error", "channel_not_found", "restricted_action", "ratelimited"])
async def test_a_receipt_that_slack_does_not_take_reaches_whoever_pressed_another_way(reason: str) -> None:
    async with office() as here:
        room = here.room()
        preview = await here.preview("close testrail:R118", room)
        here.slack.fail("chat.postMessage", reason, times=1)
        await here.slack.click("ana", preview, "act:go")
        receipt = await here.slack.next_message(lambda one: "closed" in one.text, timeout_s=10)
        assert receipt.only_for in ("", here.slack.person("ana").id)
        await here.idle()
        assert here.wrote() == ONCE


async def test_cards_that_cannot_be_edited_spoil_neither_the_act_nor_its_receipt() -> None:
    async with office() as here:
        room, other = here.room(), here.room()
        await here.slack.command("tom", other, "/runs", "show testrail:R118 --share")
        await here.public(other)
        here.slack.fail("chat.update", "msg_too_old", times=-1)
        preview = await here.preview("close testrail:R118", room)
        await here.slack.click("ana", preview, "act:go")
        await here.public(room, "Closed")
        await here.idle()
        assert here.wrote() == ONCE
