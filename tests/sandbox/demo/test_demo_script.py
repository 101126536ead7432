"""Scripts of commands against an app that answers in many ways."""

from __future__ import annotations

from datetime import UTC
from pathlib import Path

import pytest

from bot.sandbox.demo import Town, play
from bot.sandbox.slack import CannotDo
from tests.sandbox.demo.demo_fake_app import answering, paper, text


async def played(
    *commands: str, person: str = "ana", channel: str = "#release", timeout_s: float = 10, quiet_s: float = 0.05
) -> tuple[int, str]:
    """The exit code and what was drawn, times left out."""
    async with answering() as (town, _):
        console = paper()
        code = await play(town, commands, person, channel, console, timeout_s=timeout_s, quiet_s=quiet_s, zone=UTC)
        return code, text(console)


async def test_a_command_and_its_answer_are_drawn() -> None:
    code, shown = await played("/runs card")
    prompt, author, *rest = shown.split("\n")
    assert code == 0
    assert prompt == "ana in #release › /runs card"
    assert author.startswith("Rundown APP ")
    assert author.endswith(" · Only visible to you")
    assert rest == [
        "  ❌ Failed  Nightly web¹  `A412`",
        "  71 passed · 10 failed",
        "  Started 09:00",
        "  [1 Failures] [2 Close…] [3 Sort by ▾]",
        "    3.1 Risk  3.2 Newest",
        "  ¹ https://testmo.example/runs/412",
        "",
    ]


@pytest.mark.parametrize(
    ("commands", "shown"),
    [
        (("/runs slow",), "Here it is."),
        (("@rundown public",), "  │   In public"),
        (("@rundown public", ":thread", "@rundown public"), "ana in a thread of #release › @rundown public"),
        ((":dm", "direct"), "Between us"),
        ((":dm", "/runs card"), "ana to rundown › /runs card"),
        (("/runs card", "1"), "Ten fail."),
        (("/runs card", "2"), "Closed by @Ana Kovač."),
        (("/runs card", "3.2"), "Sorted by Newest."),
        (("/runs ask", "2"), "Shared by all"),
        (("/runs ask", "3"), "Rundown took a message away."),
        (("/runs ask", "2", "@rundown public"), "  │   In public"),
        (("/runs ask", "1", "4=Looks good", "5"), "Noted: Looks good"),
        ((":as tom", "/runs card"), "tom in #release › /runs card"),
        ((":as olga",), "Olga from Partner Ltd is not in #release; going to #partners."),
        ((":in #checkout", "/runs card"), "ana in #checkout › /runs card"),
        (("good morning",), "Said to #release."),
        ((":fail testrail", ":heal"), "Every system works again."),
        (("@rundown public", ":see"), "  @Rundown public"),
        ((":quit", "/nope"), "ana in #release › :quit"),
    ],
)
async def test_everything_typable_can_be_played(commands: tuple[str, ...], shown: str) -> None:
    code, drawn = await played(*commands)
    assert shown in drawn
    assert code == 0


async def test_what_was_shared_is_taken_away_before_the_next_command() -> None:
    _, shown = await played("/runs ask", "2", "/runs card", quiet_s=0)
    shared, gone, after = (shown.index(words) for words in ("Shared by all", "took a message away.", "› /runs card"))
    assert shared < gone < after


async def test_what_follows_an_answer_stands_under_its_command() -> None:
    _, shown = await played("/runs twice", "/runs card")
    assert shown.index("The second half.") < shown.index("› /runs card")


@pytest.mark.parametrize("said", ["public @rundown", "public, @Rundown.", "public then @rundown please"])
async def test_a_mention_anywhere_in_a_sentence_is_waited_for(said: str) -> None:
    code, shown = await played(said)
    assert "Said to #release." not in shown
    assert ("In public" in shown, code) == (True, 0)


async def test_a_line_that_the_answer_replaces_is_not_an_answer() -> None:
    _, shown = await played("/runs slow")
    assert "Looking" not in shown


async def test_what_only_one_person_sees_is_drawn_again_as_replaced() -> None:
    _, shown = await played("/runs card", "2")
    assert [" · replaced" in line for line in shown.split("\n") if line.startswith("Rundown")] == [False, True]


async def test_an_edited_card_elsewhere_is_told_in_a_line() -> None:
    code, shown = await played("/runs board", ":press close")
    told = [line for line in shown.split("\n") if "closed" in line.lower()]
    assert told == [
        "· edited in #release: Nightly web is closed",
        "· edited in #checkout: Nightly web is closed",
        "  Closed, 40 passed.",
    ]
    assert code == 0


async def test_what_was_asked_of_somebody_else_awaits_them() -> None:
    code, shown = await played("/runs plead", ":as ana", ":press allow", person="tom")
    asked, came, allowed = (shown.index(words) for words in ("Asked.", "1 message came meanwhile:", "Tom is allowed"))
    assert asked < came < allowed
    assert (shown.count("asks for access"), code) == (1, 0)


async def test_a_form_is_filled_in_and_sent(tmp_path: Path) -> None:
    log, shot = tmp_path / "a.log", tmp_path / "b.png"
    log.write_bytes(b"red")
    shot.write_bytes(b"\x89PNG")
    code, shown = await played(
        "/runs report",
        ":press Report",
        ":fill Name=Nightly",
        r":fill Description=one\ntwo",
        ":fill Outcome=fail",
        ":fill Tags=web, slow",
        ":fill Day=2026-01-05",
        ":fill Tester=tom",
        ":fill Tests=12",
        f":fill Files=@{log} @{shot}",
        ":press send",
    )
    assert "Looking up" not in shown
    assert "Working" not in shown
    assert "· Tags: Web, Slow\n" in shown
    assert "· Files: a.log (3 bytes), b.png (4 bytes)\n" in shown
    sent = "Reported: Nightly; 'one\\ntwo'; failed; web+slow; 2026-01-05; U0TOM00002; 12; a.log of 3, b.png of 4"
    assert sent in " ".join(shown.replace("│", "").split())
    assert code == 0


async def test_a_form_is_used_by_numbers_too() -> None:
    code, shown = await played("/runs report", "1", "2=Nightly", "4.2", "5.1", "5.3", "5.1", "10")
    assert "Reported: Nightly; None; failed; slow; None; None; None;" in " ".join(shown.replace("│", "").split())
    assert code == 0


async def test_words_under_a_field_are_shown_however_often_they_are_the_same() -> None:
    code, shown = await played(
        "/runs report", ":press report", ":press send", ":press send", ":fill name=x", ":press send"
    )
    assert shown.count("! A report needs a name") == 2
    assert "Reported: x;" in shown
    assert code == 0


@pytest.mark.parametrize(
    ("typed", "hint"),
    [
        (":fill Tags=web, maybe", "“maybe” is not offered; there is Web, Smoke, Slow."),
        (":fill Outcome=maybe", "“maybe” is not offered; there is Passed, Failed."),
        (":fill Day=tomorrow", "'Day' takes what looks like 2026-01-05."),
        (":fill Files=a.log", "a file is named by @ and its path"),
        (":fill Files=@/nowhere/a.log", "can't be read: No such file"),
        (":fill Nothing=x", "There is no input “Nothing” here"),
        (":press Nothing", "There is no button “Nothing” here"),
    ],
)
async def test_what_a_form_does_not_take_is_hinted_at(typed: str, hint: str) -> None:
    code, shown = await played("/runs report", ":press report", typed)
    assert hint.lower() in " ".join(shown.split()).lower()
    assert code == 1


async def test_buttons_of_a_closed_dialog_are_not_found() -> None:
    code, shown = await played("/runs report", ":press report", ":press cancel", ":press send")
    assert "There is no button “send” here" in shown
    assert code == 1


@pytest.mark.parametrize(
    ("commands", "shown"),
    [
        ((":shortcut",), ":shortcut attach_to_run – Attach to a test run"),
        (("it is red", "again", ":shortcut note"), "On it: again"),
        (("it is red", "again", ":shortcut note 2"), "On it: it is red"),
        (("it is red", ":shortcut note on"), "· Note on a run, on “it is red”"),
    ],
)
async def test_shortcuts_are_used_on_what_was_said(commands: tuple[str, ...], shown: str) -> None:
    code, drawn = await played(*commands)
    assert shown in drawn
    assert code == 0


async def test_the_app_may_do_only_what_its_manifest_asks_for() -> None:
    manifest = {"oauth_config": {"scopes": {"bot": ["commands"]}}, "features": {"slash_commands": [{"command": "/qa"}]}}
    async with Town(manifest=manifest) as town:
        app = town.slack.app
        assert (app.scopes, app.commands, app.shortcuts) == (frozenset({"commands"}), frozenset({"/qa"}), ())


@pytest.mark.parametrize(
    ("commands", "hint"),
    [
        (("/other",), "/other is not a valid command."),
        (("@rundown public", ":thread", "/runs card"), "/runs is not supported in threads."),
        ((":in #general", "@rundown public"), "The app is not in this channel."),
        ((":shortcut note",), "Nothing public was said in #release yet"),
        (("hello", ":shortcut note 2"), "Only 1 was said in #release yet"),
        (("hello", ":shortcut mute"), "The app has no shortcut mute; there are attach_to_run, note_on_run."),
        ((":in #nowhere",), "Ana Kovač is in no channel nowhere"),
        ((":as bob",), "There is nobody called bob; there are ana, tom, lea, max, gus, olga."),
        ((":thread",), "Nothing public was said in #release yet"),
        (("7",), "There is no 7 here; nothing is numbered yet."),
        (("/runs card", "4"), "There is no 4 here; numbers go up to 3."),
        (("/runs card", "3"), "3.1 to 3.2 choose"),
        (("/runs card", "2", "2"), "“Close…” is not there any more; :see shows what is."),
        (("/runs card", ":as tom", "1"), "Tom Becker does not see this message."),
        (("/runs ask", "1", "5"), "'Why' must be filled in."),
        ((":sea",), "Did you mean :see?"),
    ],
)
async def test_what_gets_no_answer_fails_the_script_with_a_hint(commands: tuple[str, ...], hint: str) -> None:
    code, shown = await played(*commands)
    assert hint in " ".join(shown.split())
    assert code == 1


async def test_silence_fails_the_script() -> None:
    code, shown = await played("/runs nothing", timeout_s=0.1)
    assert "? No answer within 0.1 s." in shown
    assert code == 1


async def test_without_a_bot_slack_itself_says_so() -> None:
    async with Town() as town:
        console = paper()
        code = await play(town, ["/runs"], "ana", "#release", console)
        assert "Slackbot" in text(console)
        assert '/runs failed with the error "dispatch_failed"' in text(console)
        assert code == 1


async def test_a_script_goes_on_after_what_failed() -> None:
    code, shown = await played("7", "/runs card")
    assert "Nightly web" in shown
    assert code == 1


async def test_what_is_only_for_somebody_else_is_not_drawn() -> None:
    async with answering() as (town, app):
        console = paper()
        await play(town, ["/runs card"], "ana", "#release", console)
        await app.web.chat_postEphemeral(channel="C0RELEASE1", user="U0TOM00002", text="For Tom")
        await app.web.chat_postMessage(channel="C0CHECKOU2", text="For all")
        assert "For Tom" not in text(console)
        assert "· #checkout\n  For all" in text(console)


async def test_an_unknown_person_or_channel_is_told_at_once() -> None:
    async with answering() as (town, _):
        with pytest.raises(CannotDo, match="there are ana, tom"):
            await play(town, ["/runs"], "bob", "#release", paper())
        with pytest.raises(CannotDo, match="there are #release"):
            await play(town, ["/runs"], "ana", "#nowhere", paper())
