"""What must not be done is not done, with a sentence for whoever asked; what is uncertain is read, never repeated."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from bot.domain.acts import Ended, Entry
from bot.sandbox.slack import Message
from bot.storage.database import DatabaseError
from bot.storage.ledger import StoredLedger
from tests.slack.changes_kit import Office, office, rundown

WRITES = r"^(POST|PUT|PATCH) .*"


async def press(here: Office, preview: Message, button: str = "act:go", who: str = "ana", **how: Any) -> None:
    delivery = await here.slack.click(who, preview, button, **how)
    assert delivery.acked, delivery


# ── the run is not any more what was seen ──


def _closed_in_testrail(here: Office) -> None:
    here.testrail.close(118)


def _failed_meanwhile(here: Office) -> None:
    for test in here.testrail.tests(118, 1)[:3]:
        here.testrail.add_result(test, 5)


def _deleted(here: Office) -> None:
    here.testrail.remove_run(118)


MEANWHILE: list[tuple[str, Callable[[Office], None], list[str], list[str]]] = [
    ("F61: closed in TestRail itself", _closed_in_testrail, ["R118 is closed already", "in TestRail"], []),
    (
        "F62: three more failures",
        _failed_meanwhile,
        ["Changed since you looked: 3 fewer passed, 3 more failed", "71 passed · 6 failed"],
        ["Close testrail:R118", "Cancel"],
    ),
    ("F60: deleted", _deleted, ["R118 is not there any more.", "deleted in TestRail", "Nothing was changed."], []),
]


@pytest.mark.parametrize(
    ("meanwhile", "expected", "buttons"), [row[1:] for row in MEANWHILE], ids=[r[0] for r in MEANWHILE]
)
async def test_a_run_that_is_not_what_was_seen_any_more_is_left_alone_and_shown_as_it_is(
    meanwhile: Callable[[Office], None], expected: list[str], buttons: list[str]
) -> None:
    async with office() as here:
        room = here.room()
        card = here.room()
        await here.slack.command("tom", card, "/runs", "show testrail:R118 --share")
        shown = await here.public(card)
        preview = await here.preview("close testrail:R118", room)
        meanwhile(here)
        await press(here, preview)
        words = await here.becomes(preview, *expected)
        assert here.labels(preview) == buttons, words
        await here.idle()
        assert here.wrote() == []
        if "closed" in words:
            await here.becomes(shown, "❌ Failed")


async def test_after_the_new_counts_were_shown_a_second_press_closes_on_those() -> None:
    async with office() as here:
        room = here.room()
        preview = await here.preview("close testrail:R118", room)
        _failed_meanwhile(here)
        await press(here, preview)
        await here.becomes(preview, "Changed since you looked")
        await press(here, preview)
        assert "71 passed · 6 failed" in here.words(await here.public(room))
        assert here.wrote() == [("POST", "/close_run/118", {})]


# ── nobody may, nobody wants to, nobody remembers ──


async def test_f68_who_may_not_is_refused_alone_with_the_way_to_ask_and_the_attempt_is_on_record() -> None:
    async with office() as here:
        room = here.room()
        refused = await here.preview("close testrail:R118", room, who="tom")
        words = here.words(refused)
        assert "You may not close or complete runs here." in words
        assert "Changes are denied until an admin allows them." in words
        assert here.labels(refused) == ["Ask for access"]
        await here.slack.command("lea", room, "/runs", "show testrail:R118 --share")
        card = await here.public(room)
        assert "Close…" in here.labels(card), "on a card for all the button is there; who may not is told"
        await press(here, card, "Close…", who="tom")
        assert "You may not close or complete runs here." in here.words(await here.told("tom", room))
        audit = here.words(await here.preview("audit --status refused", room))
        assert audit.count("Tom Becker") == 2, audit
        assert here.wrote() == []


async def test_cancelled_is_cancelled_also_for_a_press_from_a_screen_that_has_not_caught_up() -> None:
    async with office() as here:
        room = here.room()
        preview = await here.preview("close testrail:R118", room)
        old = here.slack.now(preview)
        await press(here, preview, "act:cancel")
        await here.becomes(preview, "Nothing was changed.")
        assert here.labels(preview) == []
        await press(here, old, stale=True)
        told = here.words(await here.told("ana", room, "cancelled this"))
        assert "Nothing was changed" in told
        assert here.wrote() == []
        assert "cancelled" in here.words(await here.preview("audit", room)).lower()


async def test_f70_an_old_preview_asks_again_and_a_very_old_one_says_that_it_is_not_known() -> None:
    async with office() as here:
        room = here.room()
        preview = await here.preview("close testrail:R118", room)
        very_old = await here.preview("close testrail:R124", room)
        here.pass_time(minutes=16)
        await press(here, preview)
        await here.becomes(preview, "The preview was too old to act on. This is how it is now.")
        assert here.labels(preview) == ["Close testrail:R118", "Cancel"]
        assert here.wrote() == []
        here.pass_time(days=92)
        await here.preview("close testrail:R60", room)  # what is very old is swept when something new is kept
        await press(here, very_old)
        words = here.words(await here.told("ana", room, "This preview"))
        assert "not known any more" in words
        assert "Type the command again; nothing was changed." in words
        assert here.wrote() == []


async def test_f70_a_preview_is_good_after_a_restart_and_refused_by_a_bot_that_only_reads(tmp_path: Path) -> None:
    async with office(settings={"RUNDOWN_DB": str(tmp_path / "rundown.db")}) as here:
        room, other = here.room(), here.room()
        preview = await here.preview("close testrail:R118", room)
        later = await here.preview("close testrail:R124", other)
        await here.bot.stop()
        await here.slack.until(lambda: not here.slack.connections)
        async with rundown(here.environment, here.clock):
            await here.slack.connected()
            await press(here, preview)
            assert "Closed" in here.words(await here.public(room))
            await here.gone(preview)
        await here.slack.until(lambda: not here.slack.connections)
        async with rundown(here.environment | {"RUNDOWN_MODE": "read"}, here.clock):
            await here.slack.connected()
            await press(here, later)
            refused = here.words(await here.told("ana", other, "read mode"))
            assert "Nothing was changed" in refused
        assert here.wrote() == [("POST", "/close_run/118", {})]


async def test_f71_the_value_of_somebody_elses_preview_gives_no_right() -> None:
    async with office() as here:
        room = here.room()
        await here.preview("allow note @tom", room)
        closing = await here.preview("close testrail:R118", room)
        (key,) = {one.value for one in here.slack.buttons(closing) if one.action_id == "act:go"}
        own = await here.preview("note testrail:R118 hello", room, who="tom")
        await press(here, own, who="tom", forge_value=key)
        words = here.words(await here.told("tom", room, "You may not close"))
        assert "Nothing was changed." in words
        await press(here, own, who="tom", forge_value="0123456789abcdef")
        assert "not known any more" in here.words(await here.told("tom", room, "This preview"))
        assert here.wrote() == []
        await press(here, closing)
        assert "Closed" in here.words(await here.public(room)), "the refused press has spoilt nothing"


async def test_f72_a_right_that_is_taken_away_between_preview_and_press_is_gone() -> None:
    async with office() as here:
        room, admins = here.room(), here.room()
        await here.preview("allow all @tom", admins)
        preview = await here.preview("close testrail:R118", room, who="tom")
        note = await here.preview("note testrail:R124 hello", room, who="tom")
        await press(here, note, "act:form", who="tom")
        form = await here.slack.until(lambda: _form(here, "tom"))
        await here.preview("deny all @tom", admins)
        await press(here, preview, who="tom")
        words = here.words(await here.told("tom", room, "You may not close or complete runs here."))
        assert "deny all" in words
        await here.slack.submit(form)
        await here.slack.until(lambda: "may not" in str(here.slack.view("tom")))
        assert here.wrote() == []


def _form(here: Office, who: str) -> Any:
    view = here.slack.view(who)
    return view if view and view.content.get("submit") else None


async def test_f75_guests_and_people_of_other_workspaces_change_nothing_also_under_a_name_of_ours() -> None:
    async with office() as here:
        await here.slack.command("lea", "#partners", "/runs", "show testrail:R118 --share")
        card = await here.public("#partners")
        await press(here, card, "Close…", who="olga")
        assert "members of this workspace" in here.words(await here.told("olga", "#partners"))
        delivery = await here.slack.click("ana", card, "Close…")
        preview = await here.told("ana", "#partners")
        go = await here.slack.click("ana", preview, "act:cancel")
        await here.becomes(preview, "Nothing was changed.")
        for payload in (delivery.payload, go.payload):
            (action,) = payload["actions"]
            user = {**payload["user"], "team_id": "T0PARTNER2"}
            forged = {**payload, "user": user, "trigger_id": f"9.{len(str(action))}.forged"}
            if action["action_id"] == "act:cancel":
                forged["actions"] = [{**action, "action_id": "act:go"}]
            await here.slack.deliver("interactive", forged)
            assert "members of this workspace" in here.words(await here.told("ana", "#partners"))
        room = here.room()
        for text in ("close testrail:R118", "note testrail:R118 hi", "delete testrail:R118"):
            refused = here.words(await here.preview(text, room, who="gus"))
            assert "Guests never change runs." in refused, refused
        delivery = await here.slack.command("olga", "#partners", "/runs", "close testrail:R118", foreign=True)
        assert "members of this workspace" in here.words(await here.told("olga", "#partners"))
        assert here.wrote() == []


# ── the system does not answer ──

#: Of each system one change, and the path of the call that does it.
UNCERTAIN = [
    ("testrail", "close testrail:R118", "close_run/118", "Closed", "not closed"),
    ("testmo", "close A415", "runs/415/complete", "Completed", "not completed"),
    ("practitest", "report S55/98142 passed", "runs.json", "Result reported in", "No result reported"),
]


async def test_f63_a_call_without_an_answer_is_settled_by_reading_whether_it_was_done_or_not() -> None:
    async with office() as done, office() as undone:
        previews: list[tuple[Office, str, Message, str]] = []
        for here, after in ((done, True), (undone, False)):
            for system, text, path, said, unsaid in UNCERTAIN:
                getattr(here, system).faults.reset(WRITES + path, after=after, times=1)
                room = here.room()
                previews.append((here, room, await here.preview(text, room), said if after else unsaid))
        await asyncio.gather(*(press(here, preview) for here, _, preview, _ in previews))
        for here, room, preview, expected in previews:
            if here is done:
                words = here.words(await here.public(room))
                assert "did not answer. Read again: it is done." in words
            else:
                words = await here.becomes(preview, "did not answer. Read again at", "it was not done")
                assert "Nothing was repeated." in words
                assert not [one for one in here.slack.buttons(preview) if one.action_id == "act:go"]
            assert expected.lower() in words.lower(), words
        for here in (done, undone):
            await here.idle()
            assert len(here.wrote()) == 3, here.wrote()


async def test_f63_a_system_that_hangs_is_given_up_and_read_and_the_preview_says_meanwhile_that_it_works() -> None:
    async with office() as here:
        here.testrail.faults.hang(WRITES + "close_run/118", after=True, times=1)
        here.testrail.faults.hang(WRITES + "close_run/124", times=1)
        here.testmo.faults.hang(WRITES + "runs/415/complete", after=True, times=1)
        rooms = [here.room() for _ in range(3)]
        texts = ("close testrail:R118", "close A415", "close testrail:R124")
        previews = [await here.preview(text, room) for text, room in zip(texts, rooms, strict=True)]
        for preview in previews:
            await press(here, preview)
        for preview in previews:
            words = await here.becomes(preview, "⏳")
            assert here.labels(preview) == [], words
        for room in rooms[:2]:
            assert "did not answer. Read again: it is done." in here.words(await here.public(room))
        await here.becomes(previews[2], "TestRail did not answer. Read again at", "it was not done", timeout_s=26)
        assert len(here.wrote()) == 3
        again = await here.preview("close testrail:R124", rooms[2])
        await press(here, again)
        assert "Closed" in here.words(await here.public(rooms[2])), "nothing is left in the way of trying again"


async def test_what_the_system_refuses_is_told_in_its_name_and_nothing_is_repeated() -> None:
    async with office() as here:
        for status, expected in ((403, "TestRail"), (400, "TestRail"), (500, "TestRail"), (429, "TestRail")):
            room = here.room()
            here.testrail.faults.clear()
            here.testrail.faults.answer(WRITES + "close_run/118", status, '{"error": "No."}', times=1)
            here.forget()
            preview = await here.preview("close testrail:R118", room)
            await press(here, preview)
            words = await here.becomes(preview, expected, "not")
            assert "Closed" not in words
            await here.slack.until(lambda at=preview: "Closing" not in here.words(at))
            await here.idle()
            assert len(here.wrote()) == 1, (status, here.wrote())


# ── several in one go ──


async def test_f73_one_that_fails_and_one_that_nobody_answers_are_lines_and_the_others_are_closed() -> None:
    async with office() as here:
        room = here.room()
        here.testrail.add_runs(1, 12)
        here.forget()
        listed = await here.preview("close --in testrail --limit 12 Synthetic", room)
        print(here.words(listed))
        raise AssertionError


# ── our own disk ──


async def _read_only(here: Office) -> None:
    await here.bot.database.run(lambda db: db.conn.execute("pragma query_only = on"))


async def _full(here: Office) -> None:
    """No page more, and the ledger's own pages are filled up."""
    await here.bot.database.run(lambda db: db.conn.execute("pragma max_page_count = 1").fetchall())
    ledger, at = StoredLedger(here.bot.database, here.clock.now), here.clock.now()
    with contextlib.suppress(DatabaseError):
        for number in itertools.count():
            await ledger.note(
                Entry(
                    key=str(number),
                    verb="note",
                    connection="",
                    ref=None,
                    title="",
                    who="",
                    who_name="",
                    team="",
                    channel="",
                    thread="",
                    at=at,
                    outcome=Ended.REFUSED,
                )
            )


@pytest.mark.parametrize("spoil", [_read_only, _full], ids=["read-only", "full"])
async def test_f74_what_cannot_be_recorded_is_not_done(
    spoil: Callable[[Office], Awaitable[None]], tmp_path: Path
) -> None:
    async with office(settings={"RUNDOWN_DB": str(tmp_path / "rundown.db")}) as here:
        room = here.room()
        preview = await here.preview("close testrail:R118", room)
        await spoil(here)
        await press(here, preview)
        await here.becomes(preview, "It can't be recorded, so it was not done.", "Nothing was changed")
        assert here.wrote() == []
