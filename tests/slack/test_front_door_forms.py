"""Dialogs of changes, filled in by people in the local Slack and sent to the sample systems by the whole bot."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from bot.app import Rundown
from bot.config import read_settings
from bot.sandbox.server import Call
from bot.sandbox.slack import Message, View
from tests.slack.front_door_kit import Town, town
from tests.slack.rights_kit import writes

R118, A415 = "testrail:R118", "testmo:A415"


async def shown(here: Town, who: str = "ana") -> View:
    """The form in front of somebody, once it asks for something."""
    return await _seen(here, who, lambda view: view.callback_id in ("change", "confirm"))


async def _seen(here: Town, who: str, fits: Callable[[View], bool]) -> View:
    await here.slack.until(lambda: any(map(fits, here.slack.views(who)[-1:])), timeout_s=12)
    return here.slack.views(who)[-1]


async def form(here: Town, command: str, who: str = "ana") -> View:
    """The form that a command opens."""
    delivery = await here.slack.command(who, "#release", "/runs", command)
    assert delivery.acked
    return await shown(here, who)


async def said_in_form(here: Town, words: str, who: str = "ana") -> View:
    """The form, once it says this."""
    return await _seen(here, who, lambda view: words in json.dumps(view.blocks, ensure_ascii=False))


async def message(here: Town, words: str, *, only_for: str | None = None) -> Message:
    """What the bot says with these words in it."""
    wanted = None if only_for is None else here.slack.person(only_for).id if only_for else ""
    return await here.slack.next_message(
        lambda said: words in here.words(said) and wanted in (None, said.only_for), timeout_s=12
    )


@asynccontextmanager
async def restarted(here: Town) -> AsyncIterator[None]:
    """Another process with the same database, in place of the first one."""
    await here.bot.stop()
    second = Rundown(read_settings(here.environment), host="127.0.0.1")
    await second.start()
    try:
        await here.slack.connected()
        yield
    finally:
        await second.stop()


def fields(here: Town, view: View) -> dict[str, Any]:
    """What a form begins with, by field: a text, or the values of what is chosen."""
    return {control.block_id: _begins(control.element) for control in here.slack.controls(view)}


def _begins(element: dict[str, Any]) -> Any:
    if "initial_options" in element:
        return [option["value"] for option in element["initial_options"]]
    return element.get("initial_value") or (element.get("initial_option") or {}).get("value") or ""


def kinds(here: Town, view: View) -> dict[str, str]:
    return {control.block_id: control.kind for control in here.slack.controls(view)}


def body(call: Call) -> Any:
    return json.loads(call.body)


def only(calls: list[Call]) -> Call:
    assert len(calls) == 1, [call.target for call in calls]
    return calls[0]


# ── start ──


async def test_a_testrail_run_is_started_from_a_form_that_offers_what_can_be_chosen() -> None:
    async with town() as here:
        view = await form(here, "start --in testrail")
        assert kinds(here, view)["suite"] == kinds(here, view)["milestone"] == "static_select"
        await here.slack.submit(
            view, {"Name": "Smoke 5.3", "Suite": "4", "Milestone": "5.3", "Assigned to": "Lea Martin"}
        )
        receipt = await message(here, "Smoke 5.3", only_for="")
        assert "@ana" in here.words(receipt)
        told = body(only(here.testrail.calls("POST .*add_run/1")))
        assert {name: told.get(name) for name in ("name", "suite_id", "milestone_id", "assignedto_id")} == {
            "name": "Smoke 5.3",
            "suite_id": 4,
            "milestone_id": 8,
            "assignedto_id": 8,
        }


async def test_a_testmo_run_is_started_with_tags_links_and_fields() -> None:
    async with town() as here:
        view = await form(here, "start --in testmo")
        await here.slack.submit(
            view,
            {
                "Name": "Canary",
                "Source": "nightly-web",
                "Tags": "canary, web",
                "Links": "Build 7=https://ci.example.org/7\nhttps://ci.example.org/8",
                "Fields": "Commit: abc123",
            },
        )
        await message(here, "Canary", only_for="")
        told = body(only(here.testmo.calls("POST .*automation/runs$")))
        assert (told["name"], told["source"], told["tags"]) == ("Canary", "nightly-web", ["canary", "web"])
        assert [link["url"] for link in told["links"]] == ["https://ci.example.org/7", "https://ci.example.org/8"]
        assert "abc123" in json.dumps(told["fields"])


@pytest.mark.parametrize("how", ["down", "slow"])
async def test_what_a_system_does_not_tell_in_time_is_typed_instead(how: str) -> None:
    async with town() as here:
        await here.ask("use testrail Webshop")
        for pattern in ("get_suites", "get_milestones", "get_users"):
            if how == "down":
                here.testrail.faults.answer(pattern, 503)
            else:
                here.testrail.faults.hang(pattern)
        view = await form(here, "start --in testrail")
        assert kinds(here, view)["suite"] == kinds(here, view)["milestone"] == "plain_text_input"
        here.testrail.faults.clear()
        await here.slack.submit(view, {"Name": "Smoke", "Suite": "Regression"})
        await message(here, "Smoke", only_for="")
        assert body(only(here.testrail.calls("POST .*add_run")))["suite_id"] == 4


async def test_what_was_typed_beside_the_form_is_not_forgotten() -> None:
    async with town() as here:
        preview = await here.ask('start "Nightly again" --in testmo --source nightly-web --tag web --project 1')
        await here.slack.click("ana", preview, "act:form")
        view = await shown(here)
        assert fields(here, view) | {"name": "Nightly again", "source": "nightly-web", "tag": "web"} == fields(
            here, view
        )
        assert "--project 1" in view.private_metadata
        assert "Nightly again" not in view.private_metadata, "what the form shows does not travel twice"


# ── edit ──


async def test_an_edit_begins_with_what_is_there_and_changes_only_what_was_changed() -> None:
    async with town() as here:
        here.testrail.run(118).description = "Last regression before 5.2."
        view = await form(here, f"edit {R118}")
        now = fields(here, view)
        assert now["name"] == "Release 5.2 regression"
        assert now["milestone"] == "7"
        assert now["refs"] == "REL-52, WEB-2100"
        assert "Last regression" in now["description"]
        await here.slack.submit(view, {"Name": "Regression 5.2"})
        receipt = await message(here, "Regression 5.2", only_for="")
        assert "name: Release 5.2 regression → Regression 5.2" in here.words(receipt)
        told = body(only(here.testrail.calls("POST .*update_run/118")))
        assert told["name"] == "Regression 5.2"
        assert not told.keys() & {"description", "refs", "include_all", "case_ids"}
        assert told.get("milestone_id", 7) == 7


async def test_an_edit_can_take_away_what_is_there() -> None:
    async with town() as here:
        here.testrail.run(118).description = "Last regression before 5.2."
        view = await form(here, f"edit {R118}")
        await here.slack.submit(view, {"Description": "", "References": "", "Milestone": "none"})
        await message(here, "by @ana", only_for="")
        told = body(only(here.testrail.calls("POST .*update_run/118")))
        assert {name: told.get(name, "absent") or None for name in ("description", "refs", "milestone_id")} == {
            "description": None,
            "refs": None,
            "milestone_id": None,
        }
        assert "name" not in told


async def test_an_edit_that_changes_nothing_says_so_and_keeps_the_form() -> None:
    async with town() as here:
        view = await form(here, f"edit {R118}")
        await here.slack.submit(view, {})
        again = await said_in_form(here, "Nothing is different")
        assert fields(here, again)["name"] == "Release 5.2 regression"
        assert writes(here) == []


@pytest.mark.parametrize(
    "description",
    ["Before **5.2**.", "<p>Para <b>one</b></p>", "One\n\nTwo", "x" * 9_000],
)
async def test_a_description_whose_formatting_is_not_told_is_left_as_it_is(description: str) -> None:
    async with town() as here:
        here.testrail.run(118).description = description
        view = await form(here, f"edit {R118}")
        assert "description" not in fields(here, view)
        assert "change it in TestRail" in json.dumps(view.blocks)
        await here.slack.submit(view, {"Name": "Another"})
        await message(here, "Another", only_for="")
        assert here.testrail.run(118).description == description


async def test_what_a_colleague_changed_under_an_open_form_stays() -> None:
    async with town() as here:
        run = here.testrail.run(118)
        run.description = "old"
        view = await form(here, f"edit {R118}")
        run.description, run.refs = "old and a colleague's words", "COL-1"
        await here.slack.submit(view, {"Name": "Another"})
        await message(here, "Another", only_for="")
        assert (run.name, run.description, run.refs) == ("Another", "old and a colleague's words", "COL-1")


async def test_a_field_that_a_colleague_changed_meanwhile_is_shown_as_it_is_before_it_is_overwritten() -> None:
    async with town() as here:
        run = here.testrail.run(118)
        run.description = "old"
        view = await form(here, f"edit {R118}")
        run.description = "theirs"
        await here.slack.submit(view, {"Name": "Another", "Description": "mine"})
        again = await said_in_form(here, "changed by somebody else meanwhile")
        assert writes(here) == []
        assert "“mine”" in json.dumps(again.blocks, ensure_ascii=False)
        assert fields(here, again) | {"name": "Another", "description": "theirs"} == fields(here, again)
        await here.slack.submit(again, {"Description": "theirs and mine"})
        await message(here, "Another", only_for="")
        assert (run.name, run.description) == ("Another", "theirs and mine")


async def test_a_form_begins_with_the_run_as_it_is_now() -> None:
    async with town() as here:
        await here.ask(f"show {R118}")
        here.testrail.run(118).name = "Renamed elsewhere"
        assert fields(here, await form(here, f"edit {R118}"))["name"] == "Renamed elsewhere"


async def test_a_preview_whose_form_was_sent_does_nothing_any_more() -> None:
    async with town() as here:
        preview, other = await here.ask(f"note {A415} first words"), await here.ask(f"note {A415} others")
        (key,) = {one.value for one in here.slack.buttons(preview) if one.action_id == "act:go"}
        await here.slack.click("ana", preview, "act:form")
        await here.slack.submit(await shown(here), {"Note": "better words"})
        await message(here, "by @ana", only_for="")
        await here.slack.until(lambda: here.slack.now(preview).deleted)
        before = len(writes(here))
        await here.slack.clicks(["ana"], other, "act:go", forge_value=key)
        await message(here, "form was sent instead", only_for="ana")
        assert len(writes(here)) == before


@pytest.mark.parametrize(
    "command",
    ["edit S55", "edit testmo:A409", "note S55", f"report {R118}", f"report {R118} passed", "note testrail:R105"],
)
async def test_no_form_opens_for_what_can_not_be_done(command: str) -> None:
    async with town() as here:
        if command.endswith("R105"):
            here.testrail.run(118).completed_on = 1_700_000_000
            command = f"note {R118}"
        said = await here.ask(command)
        assert said.only_for
        assert here.slack.views("ana") == []


# ── what is wrong ──


@pytest.mark.parametrize(
    ("command", "filled", "wrong"),
    [
        (f"edit {R118}", {"Cases": "one, two"}, {"cases"}),
        ("start --in testrail", {"Name": "X", "Cases": "0"}, {"cases"}),
        (
            "start --in testmo",
            {"Name": "X", "Source": "y", "Links": "ftp://x", "Fields": "no colon"},
            {"link", "field"},
        ),
        (
            "report S55",
            {"Tests": ["98142"], "Outcome": "passed", "Took": "long", "Steps": "no outcome"},
            {"duration", "step"},
        ),
        (f"link {A415}", {"Address": "javascript:alert(1)"}, {"url"}),
    ],
)
async def test_what_is_wrong_stands_under_its_field(command: str, filled: dict[str, Any], wrong: set[str]) -> None:
    async with town() as here:
        view = await form(here, command)
        sent = await here.slack.submit(view, filled)
        assert set(sent.view_errors) == wrong
        assert "--" not in json.dumps(sent.view_errors), "a form has fields, no flags"
        assert writes(here) == []


async def test_what_the_system_refuses_keeps_what_was_typed_and_can_be_sent_again() -> None:
    async with town() as here:
        here.testrail.faults.answer("POST .*update_run", 400, '{"error": "Field :name is too dull."}', times=1)
        view = await form(here, f"edit {R118}")
        await here.slack.submit(view, {"Name": "Dull", "References": "REL-53"})
        again = await said_in_form(here, "too dull")
        assert fields(here, again) | {"name": "Dull", "refs": "REL-53"} == fields(here, again)
        await here.slack.submit(again, {"Name": "Bright"})
        await message(here, "Bright", only_for="")
        last = body(here.testrail.calls("POST .*update_run")[-1])
        assert (last["name"], last["refs"]) == ("Bright", "REL-53")


async def test_files_outlive_a_refusal() -> None:
    async with town() as here:
        here.practitest.faults.answer(
            "POST .*runs.json", 422, '{"errors": [{"detail": "version is too long"}]}', times=1
        )
        view = await form(here, "report S55")
        given = {"Tests": ["98142"], "Outcome": "failed", "Version": "x" * 20, "Files": ("a.log", b"first log")}
        await here.slack.submit(view, given)
        again = await said_in_form(here, "did not take the change")
        assert "1 file" in json.dumps(again.blocks)
        await here.slack.submit(again, {"Version": "5.2", "Files": ("b.log", b"second log")})
        await message(here, "by @ana", only_for="")
        assert _files(here.practitest.calls("POST .*runs.json")[-1]) == {"a.log": b"first log", "b.log": b"second log"}


async def test_a_form_that_can_not_be_shown_again_is_offered_by_a_button(tmp_path: object) -> None:
    """A process that has just started knows nothing of the run yet."""
    async with town(RUNDOWN_DB=f"{tmp_path}/rundown.db") as here:
        view = await form(here, f"edit {R118}")
        async with restarted(here):
            here.testrail.faults.answer("api/v2", 503)
            await here.slack.submit(view, {"Name": "Kept through the storm"})
            await said_in_form(here, "TestRail")
            offer = await message(here, "is kept", only_for="ana")
            here.testrail.faults.clear()
            await here.slack.click("ana", offer, "act:form")
            assert fields(here, await shown(here))["name"] == "Kept through the storm"


# ── report ──


def _files(call: Call) -> dict[str, bytes]:
    """The files of a reported PractiTest run, by name."""
    told = body(call)["data"]
    first = told[0] if isinstance(told, list) else told
    return {file["filename"]: base64.b64decode(file["content_encoded"]) for file in first["files"]["data"]}


async def test_several_tests_are_reported_with_steps_version_and_files() -> None:
    async with town() as here:
        view = await form(here, "report S55/98143")
        assert fields(here, view)["instance"] == ["98143"]
        data = bytes(range(256)) * 40
        await here.slack.submit(
            view,
            {
                "Tests": ["98142", "98143"],
                "Outcome": "failed",
                "Note": "Times out",
                "Took": "5m",
                "Version": "5.2",
                "Steps": "Open the cart: passed\nPay: failed",
                "Files": [("trace.bin", data), ("ünï <b>.log", b"hello")],
            },
        )
        await message(here, "by @ana", only_for="")
        call = only(here.practitest.calls("POST .*runs.json"))
        told = body(call)["data"]
        assert sorted(int(run["attributes"]["instance-id"]) for run in told) == [98142, 98143]
        assert "Open the cart" in json.dumps(told)
        assert "Times out" in json.dumps(told)
        sent = _files(call)
        assert sent["trace.bin"] == data, "every byte arrives"
        assert sorted(sent.values()) == sorted([data, b"hello"])
        assert all(download.refusal == "" for download in here.slack.downloads)


async def test_the_tests_of_a_preview_are_chosen_in_its_form() -> None:
    async with town() as here:
        preview = await here.ask("report S55 failed --instance 98142,98143,98144,98146 --note slow")
        await here.slack.click("ana", preview, "act:form")
        begins = fields(here, await shown(here))
        assert begins["instance"] == ["98142", "98143", "98144", "98146"]
        assert (begins["outcome"], begins["note"]) == ("failed", "slow")


async def test_a_file_that_slack_does_not_hand_over_reports_nothing() -> None:
    async with town() as here:
        here.slack.faults.html("/files-pri/")
        view = await form(here, "report S55")
        await here.slack.submit(view, {"Tests": ["98142"], "Outcome": "passed", "Files": ("a.log", b"log")})
        await said_in_form(here, "could not read the file a.log")
        assert writes(here) == []


async def test_testmo_tests_are_reported_line_by_line() -> None:
    async with town() as here:
        view = await form(here, f"report {A415}")
        await here.slack.submit(view, {"Tests": "Login\nPay: failed", "Outcome": "passed"})
        await message(here, "by @ana", only_for="")
        told = json.dumps([body(call) for call in here.testmo.calls("POST .*append")])
        assert "Login" in told
        assert "Pay" in told


# ── message shortcuts ──


async def _talk(here: Town, text: str, thread: Message | None = None) -> Message:
    """Somebody says something in the channel, or below that message."""
    delivery = await here.slack.say(
        "max", "#release", text, thread_ts=(thread.thread_ts or thread.ts) if thread else None
    )
    assert delivery.message is not None
    return delivery.message


async def test_a_note_from_a_message_goes_to_the_run_of_its_thread() -> None:
    async with town() as here:
        card = await here.ask(f"@rundown show {R118}")
        words = await _talk(here, "The voucher test is flaky on staging", card)
        await here.slack.shortcut("ana", "note_on_run", words)
        view = await shown(here)
        assert fields(here, view) == {"ref": R118, "text": "The voucher test is flaky on staging"}
        await here.slack.submit(view, {})
        receipt = await message(here, "by @ana", only_for="")
        assert receipt.thread_ts == card.thread_ts
        assert "flaky on staging" in body(only(here.testrail.calls("POST .*update_run/118")))["description"]


async def test_a_message_is_attached_as_a_link_to_a_run_that_is_typed() -> None:
    async with town() as here:
        words = await _talk(here, "Look at this")
        await here.slack.shortcut("ana", "attach_to_run", words)
        view = await shown(here)
        assert fields(here, view)["url"] == here.slack.permalink(words)
        await here.slack.submit(view, {"Run": A415})
        await message(here, "by @ana", only_for="")
        assert here.slack.permalink(words) in json.dumps(
            body(only(here.testmo.calls("POST .*automation/runs/415/append")))
        )


@pytest.mark.parametrize("typed", ["testrail:R9999", "R118"])
async def test_a_shortcut_on_a_run_that_is_unclear_asks_again_with_all_that_was_typed(typed: str) -> None:
    async with town() as here:
        words = await _talk(here, "This is the reason")
        await here.slack.shortcut("ana", "note_on_run", words)
        await here.slack.submit(await shown(here), {"Run": typed})
        again = await said_in_form(here, "⚠️")
        assert fields(here, again) == {"ref": typed, "text": "This is the reason"}
        await here.slack.submit(again, {"Run": R118})
        await message(here, "by @ana", only_for="")
        assert len(writes(here)) == 1


@pytest.mark.parametrize("who", ["tom", "gus"])
async def test_a_shortcut_refuses_whoever_may_not_in_the_form(who: str) -> None:
    async with town() as here:
        words = await _talk(here, "Not for everybody")
        await here.slack.shortcut(who, "note_on_run", words)
        await said_in_form(here, "You can", who)
        if who == "tom":
            refusal = await message(here, "Ask for access", only_for="tom")
            assert [one.action_id for one in here.slack.buttons(refusal)] == ["access:ask"]
        assert writes(here) == []


async def test_a_long_message_is_cut_to_what_a_note_has_room_for() -> None:
    async with town() as here:
        await here.slack.shortcut("ana", "note_on_run", await _talk(here, "w" * 3_500))
        view = await shown(here)
        assert "was cut" in json.dumps(view.blocks)
        assert 2_900 < len(fields(here, view)["text"]) <= 3_000


async def test_a_message_is_noted_in_words_that_mean_the_same_elsewhere() -> None:
    async with town() as here:
        await here.slack.shortcut("ana", "note_on_run", await _talk(here, "@tom saw a < b & c in #release"))
        text = fields(here, await shown(here))["text"]
        assert text.startswith("@Tom ")
        assert "saw a < b & c in #" in text
        assert "<#" not in text


async def test_a_typed_note_is_written_in_words_too() -> None:
    async with town() as here:
        tom = here.slack.person("tom").id
        preview = await here.ask(f"note {R118} ask <@{tom}|tom> in <#C1|general>: <https://x.example/1|the log>")
        await here.slack.click("ana", preview, "act:go")
        await message(here, "by @ana", only_for="")
        written = body(only(here.testrail.calls("POST .*update_run/118")))["description"]
        assert "ask @Tom" in written
        assert "in #general: the log (https://x.example/1)" in written


# ── rights and repetition ──


async def test_a_right_taken_away_while_the_form_was_open_is_missing_when_it_is_sent() -> None:
    async with town() as here:
        await here.ask("allow note @tom")
        view = await form(here, f"note {R118}", "tom")
        await here.ask("deny note @tom")
        await here.slack.submit(view, {"Note": "too late"})
        await said_in_form(here, "made by Ana Kovač", "tom")
        assert writes(here) == []


async def test_a_form_that_is_delivered_again_is_worked_on_once() -> None:
    async with town() as here:
        view = await form(here, f"note {R118}")
        sent = await here.slack.submit(view, {"Note": "once"})
        await asyncio.gather(*(here.slack.redeliver(sent) for _ in range(4)))
        await message(here, "by @ana", only_for="")
        await here.ask("version")
        assert len(writes(here)) == 1
        assert len([one for one in here.slack.said("#release") if "once" in here.words(one)]) <= 1


async def test_a_form_works_after_a_restart(tmp_path: object) -> None:
    async with town(RUNDOWN_DB=f"{tmp_path}/rundown.db") as here:
        view = await form(here, f"edit {R118}")
        preview = await here.ask(f"delete {R118}")
        async with restarted(here):
            await here.slack.submit(view, {"Name": "After the restart"})
            await message(here, "After the restart", only_for="")
            await here.slack.close(await said_in_form(here, "Changed R118"))
            await here.slack.click("ana", preview, "act:confirm")
            await said_in_form(here, "Type its name")


# ── time ──


async def test_a_dialog_closed_while_it_works_tells_the_end_another_way() -> None:
    async with town() as here:
        here.testrail.faults.delay("POST .*update_run", 0.6, times=1)
        view = await form(here, f"edit {R118}")
        sent = await here.slack.submit(view, {"Name": "Closed early"})
        assert sent.view is not None
        await here.slack.close(sent.view)
        assert "Closed early" in here.words(await message(here, "by @ana", only_for=""))
        here.slack.errors.clear()


async def test_a_dialog_closed_before_a_refusal_tells_it_and_keeps_what_was_typed() -> None:
    async with town() as here:
        here.testrail.faults.answer("POST .*update_run", 400, '{"error": "No such luck."}', times=1)
        here.testrail.faults.delay("GET .*get_run/118", 0.6, times=2)
        view = await form(here, f"edit {R118}")
        sent = await here.slack.submit(view, {"Name": "Unlucky"})
        assert sent.view is not None
        await here.slack.close(sent.view)
        await message(here, "No such luck", only_for="ana")
        offer = await message(here, "is kept", only_for="ana")
        await here.slack.click("ana", offer, "act:form")
        assert fields(here, await shown(here))["name"] == "Unlucky"
        here.slack.errors.clear()


async def test_a_slow_system_does_not_keep_the_form_from_opening() -> None:
    async with town() as here:
        here.testrail.faults.delay("get_run/118", 3.5, times=1)
        delivery = await here.slack.command("ana", "#release", "/runs", f"edit {R118}")
        assert delivery.acked
        await here.slack.until(lambda: here.slack.view("ana"), timeout_s=3)
        view = await shown(here)
        assert fields(here, view)["name"] == "Release 5.2 regression"
        assert not [one for one in here.slack.said("#release") if "ooking" in one.text], "nobody is left waiting"


async def test_a_row_of_the_persons_own_list_is_meant_in_their_form_too() -> None:
    async with town() as here:
        listed = here.words(await here.ask("list --in testrail"))
        view = await form(here, "edit #1")
        assert fields(here, view)["name"] in listed


async def test_a_trigger_that_is_used_up_leaves_a_button_that_opens_the_form() -> None:
    async with town() as here:
        here.slack.fail("views.open", "expired_trigger_id", times=1)
        offer = await here.ask(f"edit {R118}")
        assert "Fill in…" in here.words(offer)
        await here.slack.click("ana", offer, "act:form")
        assert fields(here, await shown(here))["name"] == "Release 5.2 regression"


async def test_a_shortcut_whose_trigger_is_used_up_says_so() -> None:
    async with town() as here:
        words = await _talk(here, "Too slow")
        here.slack.fail("views.open", "expired_trigger_id", times=1)
        await here.slack.shortcut("ana", "note_on_run", words)
        await message(here, "The form did not open", only_for="ana")


# ── delete ──


async def test_a_run_is_deleted_only_when_its_name_is_typed() -> None:
    async with town() as here:
        preview = await here.ask(f"delete {R118}")
        await here.slack.click("ana", preview, "act:confirm")
        view = await shown(here)
        await here.slack.submit(view, {"name": "Release 5.3 regression"})
        again = await said_in_form(here, "That is not its name")
        assert writes(here) == []
        await here.slack.submit(again, {"name": "  release 5.2  REGRESSION "})
        await message(here, "by @ana", only_for="")
        assert len(writes(here)) == 1
        assert "delete_run/118" in writes(here)[0]


@pytest.mark.parametrize(
    ("name", "wanted"), [("D" * 240, "R118"), ("\u200b\u200b", "R118"), ("ﬁne \u202eName", "fine name")]
)
async def test_a_name_that_nobody_can_type_is_confirmed_by_the_reference(name: str, wanted: str) -> None:
    async with town() as here:
        here.testrail.run(118).name = name
        preview = await here.ask(f"delete {R118}")
        await here.slack.click("ana", preview, "act:confirm")
        view = await shown(here)
        assert ("Type its reference to confirm: R118" in json.dumps(view.blocks)) == (wanted == "R118")
        await here.slack.submit(view, {"name": wanted})
        await message(here, "by @ana", only_for="")
        assert "delete_run/118" in writes(here)[0]


async def test_a_deletion_is_never_done_by_a_press_alone() -> None:
    async with town() as here:
        deletion, note = await here.ask(f"delete {R118}"), await here.ask(f"note {A415} hello")
        (key,) = {one.value for one in here.slack.buttons(deletion) if one.action_id == "act:confirm"}
        await here.slack.clicks(["ana"], note, "act:go", forge_value=key)
        assert "Type its name" in json.dumps((await shown(here)).blocks)
        assert writes(here) == []


async def test_a_press_on_the_deletion_of_a_run_that_is_gone_is_told_so_before_a_form_opens() -> None:
    async with town() as here:
        preview = await here.ask(f"delete {R118}")
        here.testrail.remove_run(118)
        await here.slack.click("ana", preview, "act:confirm")
        await here.slack.until(lambda: "not there any more" in here.words(here.slack.now(preview)))
        assert here.slack.views("ana") == []


async def test_a_form_whose_verb_or_field_is_unknown_is_out_of_date_and_one_sent_before_is_told_so() -> None:
    async with town() as here:
        view = await form(here, f"note {R118}")
        sent = await here.slack.submit(view, {"Note": "now"})
        await message(here, "by @ana", only_for="")
        done = await said_in_form(here, "✅ Note added to R118; the receipt is in ")
        memo = json.loads(sent.payload["view"]["private_metadata"])
        values = sent.payload["view"]["state"]["values"]
        for verb, state in (
            ("zz", values),
            ("close", values),
            ("delete", values),
            ("note", {"evil": {"field:evil": {"value": "x"}}}),
            ("note", []),
        ):
            told = json.dumps({**memo, "key": "another", "verb": verb})
            forged = {**sent.payload["view"], "private_metadata": told, "state": {"values": state}}
            answer = await here.slack.deliver("interactive", {**sent.payload, "view": forged})
            assert "older version" in json.dumps(answer.ack), verb
        await here.slack.deliver("interactive", sent.payload)
        await said_in_form(here, "got a note from")
        assert done.id
        assert len(writes(here)) == 1


async def test_a_form_of_another_version_says_that_it_is_out_of_date() -> None:
    async with town() as here:
        view = await form(here, f"note {R118}")
        sent = await here.slack.submit(view, {"Note": "now"})
        await message(here, "by @ana", only_for="")
        for metadata in ("", "{", "[]", "null", '{"verb": 7}'):
            old = {
                **sent.payload,
                "view": {**sent.payload["view"], "private_metadata": metadata, "callback_id": "change_v0"},
            }
            answer = await here.slack.deliver("interactive", old)
            assert "older version" in json.dumps(answer.ack)
        assert len(writes(here)) == 1
