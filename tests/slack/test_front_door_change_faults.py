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
from tests.slack.changes_kit import Office, Wrote, office, rundown

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
    ("F60: deleted", _deleted, ["R118 is not there any more.", "deleted in TestRail"], []),
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
        assert "You can't close runs here" in words
        assert "An admin has to allow it." in words
        assert here.labels(refused) == ["Ask for access"]
        await here.slack.command("lea", room, "/runs", "show testrail:R118 --share")
        card = await here.public(room)
        assert "Close…" in here.labels(card), "on a card for all the button is there; who may not is told"
        await press(here, card, "Close…", who="tom")
        assert "You can't close runs here" in here.words(await here.told("tom", room))
        audit = here.words(await here.preview("audit --status refused", room))
        assert audit.count("Tom Becker") == 2, audit
        assert here.wrote() == []


async def test_cancelled_is_cancelled_also_for_a_press_from_a_screen_that_has_not_caught_up() -> None:
    async with office() as here:
        room = here.room()
        preview = await here.preview("close testrail:R118", room)
        old = here.slack.now(preview)
        await press(here, preview, "act:cancel")
        await here.becomes(preview, "Cancelled: testrail:R118 was not closed.")
        assert here.labels(preview) == []
        await press(here, old, stale=True)
        told = here.words(await here.told("ana", room, "cancelled this"))
        assert "Nothing was changed" in told
        assert here.wrote() == []
        assert "cancelled" in here.words(await here.preview("audit", room)).lower()


async def test_a_list_that_was_cancelled_is_not_closed_by_a_press_from_an_older_screen() -> None:
    async with office() as here:
        room = here.room()
        here.testrail.add_runs(1, 3, closed=False)
        listed = await here.preview("close --in testrail --since 1h", room)
        old = here.slack.now(listed)
        await press(here, listed, "act:cancel")
        await here.becomes(listed, "Cancelled: nothing was closed.")
        await press(here, old, "bulk:go", stale=True)
        assert "cancelled this" in here.words(await here.told("ana", room, "cancelled this"))
        await here.idle()
        assert here.wrote() == []


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
            assert "changes nothing" in refused
        assert here.wrote() == [("POST", "/close_run/118", {})]


async def test_f71_the_value_of_somebody_elses_preview_gives_no_right() -> None:
    async with office() as here:
        room = here.room()
        await here.preview("allow note @tom", room)
        closing = await here.preview("close testrail:R118", room)
        (key,) = {one.value for one in here.slack.buttons(closing) if one.action_id == "act:go"}
        own = await here.preview("note testrail:R118 hello", room, who="tom")
        await press(here, own, who="tom", forge_value=key)
        words = here.words(await here.told("tom", room, "You can't close"))
        assert "An admin has to allow it." in words
        await press(here, own, who="tom", forge_value="0123456789abcdef")
        assert "not known any more" in here.words(await here.told("tom", room, "This preview"))
        deletion = await here.preview("delete testrail:R118", room)
        (key,) = {one.value for one in here.slack.buttons(deletion) if one.action_id == "act:confirm"}
        await press(here, own, "act:form", who="tom", forge_value=key)
        assert "Only admins may delete." in here.words(await here.told("tom", room, "You can't delete"))
        assert here.slack.view("tom") is None
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
        words = here.words(await here.told("tom", room, "You can't close runs here"))
        assert "deny all" in words
        await here.slack.submit(form)
        await here.slack.until(lambda: "You can" in str(here.slack.view("tom")))
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
        await here.becomes(preview, "Cancelled: testrail:R118 was not closed.")
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

#: A change, the call that does it, what is said once it is known to be done or not; and what becomes of the answer.
UNCERTAIN = [
    ("testrail", "close testrail:R118", "close_run/118", "Closed", "not closed", "broken off"),
    ("testrail", "close testrail:R124", "close_run/124", "Closed", "not closed", "500"),
    ("testmo", "close A415", "runs/415/complete", "Completed", "not completed", "broken off"),
    (
        "practitest",
        "report S55/98142 passed",
        "runs.json",
        "Result reported in",
        "No result was reported in",
        "broken off",
    ),
]


def _spoil(here: Office, system: str, path: str, how: str, *, after: bool) -> None:
    faults = getattr(here, system).faults
    if how == "500":
        faults.answer(WRITES + path, 500, after=after, times=1)
    else:
        faults.reset(WRITES + path, after=after, times=1)


async def test_f63_a_call_without_an_answer_is_settled_by_reading_whether_it_was_done_or_not() -> None:
    async with office() as done, office() as undone:
        previews: list[tuple[Office, str, Message, str]] = []
        for here, after in ((done, True), (undone, False)):
            for system, text, path, said, unsaid, how in UNCERTAIN:
                _spoil(here, system, path, how, after=after)
                room = here.room()
                previews.append((here, room, await here.preview(text, room), said if after else unsaid))
        await asyncio.gather(*(press(here, preview) for here, _, preview, _ in previews))
        for here, room, preview, expected in previews:
            if here is done:
                words = here.words(await here.public(room))
                assert "Read again: it is done." in words
            else:
                words = await here.becomes(preview, "Read again at", "it was not done")
                assert "Nothing was repeated." in words
                assert not [one for one in here.slack.buttons(preview) if one.action_id == "act:go"]
            assert expected.lower() in words.lower(), words
        for here in (done, undone):
            await here.idle()
            assert len(here.wrote()) == len(UNCERTAIN), here.wrote()


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
            words = here.words(await here.public(room, timeout_s=26))
            assert "Read again: it is done." in words
        await here.becomes(previews[2], "Read again at", "it was not done", timeout_s=26)
        assert len(here.wrote()) == 3
        again = await here.preview("close testrail:R124", rooms[2])
        await press(here, again)
        assert "Closed" in here.words(await here.public(rooms[2])), "nothing is left in the way of trying again"


@pytest.mark.parametrize("status", [400, 403, 404, 429])
async def test_what_the_system_refuses_is_told_in_its_name_and_nothing_is_repeated(status: int) -> None:
    async with office() as here:
        room = here.room()
        here.testrail.faults.answer(WRITES + "close_run/118", status, '{"error": "Frozen."}', times=1)
        preview = await here.preview("close testrail:R118", room)
        await press(here, preview)
        words = await here.becomes(preview, "TestRail", "Nothing was changed")
        assert here.labels(preview) == [], words
        await here.idle()
        assert here.wrote() == [("POST", "/close_run/118", {})]


# ── several in one go ──


async def test_f73_what_fails_is_a_line_what_nobody_answers_is_read_and_after_three_faults_the_rest_waits() -> None:
    async with office() as here:
        room = here.room()
        numbers = [run.id for run in here.testrail.add_runs(1, 12, closed=False)]
        faults = here.testrail.faults
        for number in (3, 8, 9, 10):
            faults.answer(rf"{WRITES}close_run/{numbers[number - 1]}", 403, '{"error": "Frozen."}', times=1)
        faults.reset(rf"{WRITES}close_run/{numbers[4]}", after=True, times=1)
        listed = await here.preview("close --in testrail --since 1h", room)
        assert "Close 12 runs?" in here.words(listed)
        assert here.wrote() == []
        await press(here, listed, "bulk:go")
        result = await here.public(room)
        await here.becomes(result, "closed 6 runs", "4 not closed, 2 not tried")
        words = await here.becomes(result, "3 in a row failed, so the rest was not tried.")
        for number, line in (
            (3, "• testrail:R"),
            (5, "Read again: it is done"),
            (9, "• testrail:R"),
            (12, "Bulk run"),
        ):
            told = next(row for row in words.splitlines() if f"R{numbers[number - 1]} " in row)
            assert line in told, (number, told)
        assert "4 not closed – TestRail does not let our key do this. Frozen." in words
        await here.gone(listed)
        tried: list[Wrote] = [("POST", f"/close_run/{number}", {}) for number in numbers[:10]]
        assert here.wrote() == tried
        await press(here, result, "bulk:go")
        await here.becomes(result, "closed 8 runs", "4 not closed")
        assert here.labels(result) == []
        assert here.wrote() == [*tried, *(("POST", f"/close_run/{number}", {}) for number in numbers[10:])]


async def test_f73_a_right_that_is_taken_away_on_the_way_ends_it_there() -> None:
    async with office() as here:
        room, admins = here.room(), here.room()
        await here.preview("allow close @tom", admins)
        numbers = [run.id for run in here.testrail.add_runs(1, 12, closed=False)]
        held = here.testrail.faults.delay(rf"{WRITES}close_run/{numbers[1]}", 0.5, times=1)
        listed = await here.preview("close --in testrail --since 1h", room, who="tom")
        await press(here, listed, "bulk:go", who="tom")
        await here.slack.until(lambda: held.hits)
        await here.preview("deny close @tom", admins)
        result = await here.public(room)
        await here.becomes(result, "closed 2 runs", "10 not tried")
        assert len(here.wrote()) == 2


# ── our own disk ──


async def _read_only(here: Office) -> None:
    def refuse(database: Any) -> None:
        database.conn.execute("pragma query_only = on")

    await here.bot.rooms.database.run(refuse)


async def _full(here: Office) -> None:
    """No page more, and the ledger's own pages are filled up."""

    def fill(database: Any) -> None:
        database.conn.execute("pragma max_page_count = 1").fetchall()

    await here.bot.rooms.database.run(fill)
    ledger, at = StoredLedger(here.bot.rooms.database, here.clock.now), here.clock.now()
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
        room, other = here.room(), here.room()
        preview = await here.preview("close testrail:R118", room)
        here.testrail.add_runs(1, 3, closed=False)
        listed = await here.preview("close --in testrail --since 1h", other)
        await spoil(here)
        await press(here, preview)
        await here.becomes(preview, "It can't be recorded, so it was not done.", "Nothing was changed")
        await press(here, listed, "bulk:go")
        told = here.words(await here.told("ana", other, "It can't be recorded"))
        assert "so it was not done" in told
        assert here.wrote() == []
