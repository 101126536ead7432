"""What was attempted: as rows, as a file, as lines of the log; and the app as its manifest describes it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import pytest

from bot.config import read_settings
from bot.logs import start_logging
from bot.sandbox.slack import CannotDo, Message
from bot.slack.manifest import SCOPES, manifest
from tests.slack.front_door_kit import Town, town
from tests.slack.rights_kit import HERE, SETTINGS, audit_rows, writes
from tests.slack.test_front_door_forms import form, message, said_in_form, shown

R118, A415 = "testrail:R118", "testmo:A415"


async def do(here: Town, text: str, who: str = "ana", where: str = HERE) -> Message:
    """Type a change and confirm it; the public receipt."""
    await here.slack.command(who, where, "/runs", text)
    preview = await here.slack.next_message(lambda said: said.only_for and "act:go" in str(said.blocks), timeout_s=12)
    await here.slack.click(who, preview, "act:go")
    return await here.slack.next_message(lambda said: not said.only_for and "by @" in here.words(said), timeout_s=12)


async def in_dm(here: Town, who: str, words: str) -> Message:
    """What the bot writes to somebody directly."""
    channel = here.slack.direct(who).id
    return await here.slack.next_message(lambda said: said.channel == channel and words in here.words(said))


async def history(here: Town) -> None:
    """A day's changes: one refused, one that the system did not take, a note, a closing, a start."""
    await here.ask("allow note @tom")
    await here.ask(f"close {R118}", who="tom")
    await do(here, f"note {A415} Looked at it", who="tom")
    here.testrail.faults.answer("POST .*update_run", 400, '{"error": "No."}', times=1)
    failing = await here.ask(f"edit {R118} --name Never")
    await here.slack.click("ana", failing, "act:go")
    await here.slack.until(lambda: "Nothing was changed" in here.words(failing))
    await do(here, f"close {R118}")
    await do(here, 'start "=cmd()" --in testrail --suite 4')


# ── rows ──


async def test_every_attempt_is_a_row_with_counts_and_outcome() -> None:
    async with town() as here:
        await history(here)
        words = here.words(await here.ask("audit"))
        rows = words.split("\n")
        assert "6 entries" in rows[0]
        assert [row.split("  ")[:2] for row in rows if "  " in row] == [
            ["✅ Done", "start"],
            ["✅ Done", "close"],
            ["✖️ Failed", "edit"],
            ["✅ Done", "note"],
            ["🔒 Refused", "close"],
            ["✅ Done", "allow"],
        ]
        assert "74 passed · 3 failed · 1 blocked · 2 untested" in words
        assert "Nobody has allowed them to close here." in words
        assert next(row for row in rows if "Refused" in row).split("  ")[2].startswith(R118), "which one was meant"
        assert "Tom Becker" in words
        assert "@" not in words.replace("@example", ""), "people are named, not called"


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ("--verb close", ["close", "close"]),
        ("--by @tom", ["note", "close"]),
        ("--by me", ["start", "close", "edit", "allow"]),
        (f"--run {A415}", ["note"]),
        ("--status failed", ["edit"]),
        ("--status refused", ["close"]),
        ("--last 2", ["start", "close"]),
        ("--since 1h --verb start", ["start"]),
        ("--verb delete", []),
        ("--verb allow", ["allow"]),
    ],
)
async def test_rows_are_chosen_by_flags_in_the_message_and_in_the_file(flags: str, expected: list[str]) -> None:
    async with town() as here:
        await history(here)
        words = here.words(await here.ask(f"audit {flags}"))
        shown_verbs = [row.split("  ")[1] for row in words.split("\n") if row[:1] in "✅✖🔒" and "  " in row]
        assert shown_verbs == expected
        assert [row["verb"] for row in await audit_rows(here, flags)] == expected


async def test_refused_attempts_are_shown_to_admins_only() -> None:
    async with town() as here:
        await history(here)
        answer = await here.ask("audit", who="tom")
        assert "Refused" not in here.words(answer)
        assert answer.only_for == here.slack.person("tom").id
        assert "No change fits" in here.words(await here.ask("audit --status refused", who="tom"))
        assert "refused" not in {row["outcome"] for row in await audit_rows(here, who="tom")}
        await message(here, "5 entries")


@pytest.mark.parametrize("text", ["audit", "audit --csv", "allow list"])
async def test_guests_read_neither_what_was_done_nor_who_may(text: str) -> None:
    async with town() as here:
        await here.ask("allow note @tom")
        answer = await here.ask(text, who="gus")
        assert "You can't read the" in here.words(answer)
        assert "members of this workspace" in here.words(answer)
        assert "Tom" not in here.words(answer)
        assert answer.only_for == here.slack.person("gus").id
        assert here.slack.buttons(answer) == [], "there is nothing to ask for"
        assert not here.slack.state.uploads


# ── which rows ──


async def test_a_run_that_is_gone_is_found_by_its_name_alone() -> None:
    async with town() as here:
        await do(here, f"note {R118} Looked at it")
        await do(here, f"note {A415} Looked at it")
        here.testrail.faults.answer(".", 400, '{"error": "Field :run_id is not a valid test run."}', times=-1)
        here.testmo.faults.answer(".", 404, "{}", times=-1)
        for run in (R118, A415, "A415"):
            assert "1 entry" in here.words(await here.ask(f"audit --run {run}")), run
        assert "No run R4040 found" in here.words(await here.ask("audit --run R4040")), "two systems may have one"


async def test_a_name_that_is_no_mention_is_asked_back_instead_of_finding_nothing() -> None:
    async with town() as here:
        answer = await here.ask("audit --by tom --last 5")
        assert "Who is “tom”?" in here.words(answer)
        assert "audit --last 5" in here.words(answer)
        assert "0 entries" not in here.words(answer)


async def test_the_filter_is_told_as_it_was_typed() -> None:
    async with town() as here:
        await here.ask("allow note @tom")
        assert "by Ana Kovač · since 1h" in here.words(await here.ask("audit --since 1h --by @ana"))


# ── rules ──


def _is_decided(here: Town, request: Message) -> bool:
    return not here.slack.buttons(request)


async def test_rules_and_decisions_are_on_record_in_words() -> None:
    async with town() as here:
        await here.ask("allow close @tom #release")
        await here.ask("allow close @tom #release")
        await here.ask("deny all @qa-leads")
        shown_rules = await here.ask("allow list")
        drop = here.slack.buttons(shown_rules)[0]
        await here.slack.click("ana", shown_rules, drop.action_id, value=drop.value)
        await here.slack.until(lambda: "removed" in here.words(shown_rules))
        for button in ("access:here", "access:decline"):
            refusal = await here.ask(f"{'note' if button == 'access:here' else 'edit'} {R118}", who="max")
            await here.slack.click("max", refusal, "access:ask")
            request = await in_dm(here, "ana", "would like to")
            await here.slack.click("ana", request, button)
            await here.slack.until(partial(_is_decided, here, request))
        rows = [(row["verb"], row["name"], row["outcome"], row["who"]) for row in await audit_rows(here, "--by me")]
        release = here.slack.channel(HERE).id
        assert rows == [
            ("deny", f"edit for Max Ngo in #{release}: request declined", "done", "Ana Kovač"),
            ("allow", f"note for Max Ngo in #{release}", "done", "Ana Kovač"),
            ("allow", f"close for Tom Becker in #{release}: rule removed", "done", "Ana Kovač"),
            ("deny", "all for qa-leads everywhere", "done", "Ana Kovač"),
            ("allow", "close for Tom Becker in #release", "done", "Ana Kovač"),
        ]


# ── the file ──


async def test_the_file_holds_before_and_after_no_formula_and_no_secret() -> None:
    async with town() as here:
        await history(here)
        rows = {(row["verb"], row["outcome"]): row for row in await audit_rows(here)}
        closed = rows["close", "done"]
        assert (closed["state before"], closed["state after"]) == ("Failing", "Failed") or closed["state after"]
        assert closed["counts before"] == closed["counts after"] != ""
        assert closed["run"] == "R118"
        assert closed["who"] == "Ana Kovač"
        assert closed["channel"] == here.slack.channel(HERE).id
        assert closed["ended at"] >= closed["asked at"] > "2020"
        assert rows["edit", "failed"]["why"] != ""
        assert rows["start", "done"]["name"] == "'=cmd()"
        assert rows["start", "done"]["run"].startswith("R")
        data = list(here.slack.state.uploads.values())[-1].data or b""
        for secret in read_settings(here.environment).secrets:
            assert secret.encode() not in data


async def test_a_file_that_slack_does_not_take_is_said_with_the_way_out() -> None:
    async with town() as here:
        here.slack.fail("files.completeUploadExternal", "restricted_action", times=1)
        words = here.words(await here.ask("audit --csv"))
        assert "could not be sent" in words
        assert "Without --csv" in words


# ── the log ──


@contextmanager
def logging_as_served() -> Iterator[None]:
    """The log is written as `rundown serve` writes it; all of it is written at the end."""
    listener = start_logging("json", ("testrail-demo-key",))
    try:
        yield
    finally:
        listener.stop()


async def test_the_log_has_a_line_before_and_one_after_each_attempt(capsys: pytest.CaptureFixture[str]) -> None:
    with logging_as_served():
        async with town() as here:
            channel, team = here.slack.channel(HERE).id, here.slack.team_id
            await do(here, 'start "testrail-demo-key \u202e {}" --in testrail --suite 4')
            await do(here, f"close {R118}")
    written = capsys.readouterr().err
    assert "testrail-demo-key" not in written
    lines = [line["change"] for line in map(json.loads, written.splitlines()) if "change" in line]
    assert [(line["verb"], line["outcome"]) for line in lines] == [
        ("start", "begun"),
        ("start", "done"),
        ("close", "begun"),
        ("close", "done"),
    ]
    before, after = lines[2:]
    assert before.keys() == after.keys(), "both have the same shape"
    same = ("key", "who", "run", "team", "channel", "at", "before", "title", "part_of")
    assert {name: before[name] for name in same} == {name: after[name] for name in same}
    assert (after["who"], after["run"], after["team"], after["channel"]) == ("U0ANA00001", R118, team, channel)
    assert (before["after"], before["ended_at"]) == ("", "")
    assert "74" in after["before"]
    assert "74" in after["after"]
    assert after["ended_at"] >= after["at"]


# ── the manifest ──


async def test_the_app_as_its_manifest_describes_it_may_all_it_needs() -> None:
    """Nothing here is refused for a scope that is missing: the town would complain at its end."""
    async with town("socket", **SETTINGS) as here:
        here.slack.install(manifest())
        group = here.slack.add_group("testers", ["max"])
        await here.ask(f"allow note @{group.handle}")
        await do(here, f"note {A415} seen", who="max")
        refusal = await here.ask(f"close {R118}", who="max")
        await here.slack.click("max", refusal, "access:ask")
        for admin in ("tom", "lea"):
            request = await in_dm(here, admin, "would like to")
        await here.slack.click("lea", request, "access:everywhere")
        await in_dm(here, "max", "You may")
        await do(here, f"close {R118}", who="max")
        view = await form(here, "report S55")
        await here.slack.submit(view, {"Tests": ["98142"], "Outcome": "passed", "Files": ("a.log", b"log")})
        await message(here, "UAT cart", only_for="")
        await said_in_form(here, "receipt is in")
        talk = await here.slack.say("max", HERE, "Flaky again")
        assert talk.message is not None
        for callback in ("note_on_run", "attach_to_run"):
            await here.slack.shortcut("ana", callback, talk.message)
            await here.slack.submit(await shown(here), {"Run": A415})
            await said_in_form(here, "A415")
        assert {row["outcome"] for row in await audit_rows(here)} == {"done", "refused"}
        await here.ask(f"@rundown show {R118}")
        await here.ask(f"dm:show {R118}")
        refused = [call for call in here.slack.state.journal if (call.answer or {}).get("error") == "missing_scope"]
        assert [call.method for call in refused] == []


@pytest.mark.parametrize("scope", [scope.name for scope in SCOPES if scope.writes])
async def test_a_scope_that_is_missing_costs_only_what_needs_it_and_is_told(scope: str) -> None:
    async with town() as here:
        here.slack.install(manifest())
        await here.ask("allow note @release-managers")
        here.slack.withdraw(scope)
        match scope:
            case "files:read":
                await here.slack.command("ana", HERE, "/runs", "report S55")
                await said_in_form(here, "Slack does not take the form")
            case "files:write":
                assert "missing_scope" in here.words(await here.ask("audit --csv"))
            case "usergroups:read":
                assert "who is in a user group" in here.words(await here.ask(f"note {A415} x", who="tom"))
            case other:
                pytest.fail(f"what does it cost to be without {other}?")
        preview = await here.ask(f"close {R118}")
        assert "act:go" in {one.action_id for one in here.slack.buttons(preview)}
        here.slack.errors.clear()


async def test_the_manifest_of_read_mode_asks_for_nothing_that_changes_need() -> None:
    async with town(RUNDOWN_MODE="read") as here:
        told = manifest(mode="read")
        here.slack.install(told)
        assert not set(told["oauth_config"]["scopes"]["bot"]) & {scope.name for scope in SCOPES if scope.writes}
        talk = await here.slack.say("ana", HERE, "Nothing to see")
        assert talk.message is not None
        with pytest.raises(CannotDo):
            await here.slack.shortcut("ana", "note_on_run", talk.message)
        for text in (f"show {R118}", "list", f"@rundown show {A415}", "dm:here", "whoami", "audit"):
            assert "🔒" not in here.words(await here.ask(text)), text
        for text in (f"close {R118}", f"note {A415} x", "allow close @tom"):
            assert "only reads here" in here.words(await here.ask(text)), text
        assert writes(here) == []


async def test_what_is_asked_at_the_same_time_is_recorded_once_each() -> None:
    async with town() as here:
        previews = [await here.ask(f"note {A415} number {number}") for number in range(4)]
        await asyncio.gather(*(here.slack.clicks(["ana"] * 3, preview, "act:go") for preview in previews))
        await here.slack.until(lambda: len(here.testmo.calls("POST .*append")) == 4, timeout_s=20)
        for number in range(4):
            await message(here, f"number {number}", only_for="")
        rows = await audit_rows(here, "--verb", "note")
        assert [row["outcome"] for row in rows] == ["done"] * 4
        assert len({row["key"] for row in rows}) == 4
