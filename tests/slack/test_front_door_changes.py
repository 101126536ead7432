"""Each change from the words that were typed to the receipt that everybody reads, and the exact calls between them."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from bot.sandbox.slack import Message
from tests.slack.changes_kit import CLOSING, Office, Wrote, office
from tests.slack.front_door_kit import Transport

#: What was typed, what the preview says, the calls, what the receipt says. In this order, in one town.
Deed = tuple[str, list[str], list[Wrote], list[str]]

SIGNED = "– Ana Kovač via Slack, WHEN · rundown:KEY"
IN_TESTRAIL: list[Deed] = [
    (
        "close testrail:R118",
        [
            "Close testrail:R118",
            "It takes no more results",
            "cannot be undone",
            "3 failed",
            "2 untested, both Tom Becker's",
        ],
        [("POST", "/close_run/118", {})],
        ["Closed", "Release 5.2 regression", "by @ana", "Failing → ❌ Failed", "74 passed · 3 failed · 1 blocked"],
    ),
    (
        "complete P9",
        ["Close P9", "Every run inside it that is still open is closed with it."],
        [("POST", "/close_plan/9", {})],
        ["Closed", "Release 5.2 acceptance", "by @ana", "Failing → ❌ Failed"],
    ),
    (
        'start "Smoke 5.2" --in testrail --suite Smoke --cases 1001,1002 --milestone 5.2 --assign @tom --refs REL-9',
        ["Start “Smoke 5.2”", "2 cases: C1001, C1002", "milestone", "5.2", "assigned to", "TestRail › Webshop"],
        [
            (
                "POST",
                "/add_run/1",
                {
                    "name": "Smoke 5.2",
                    "suite_id": 1,
                    "milestone_id": 7,
                    "assignedto_id": 7,
                    "refs": "REL-9",
                    "include_all": False,
                    "case_ids": [1001, 1002],
                },
            )
        ],
        ["Started", "Smoke 5.2", "by @ana", "2 untested", "suite: Smoke"],
    ),
    (
        'edit testrail:R124 --name "Known issues, all" --milestone 5.3',
        ["Known issues sweep → Known issues, all", "→ 5.3"],
        [("POST", "/update_run/124", {"name": "Known issues, all", "milestone_id": 8})],
        ["Changed", "name: Known issues sweep → Known issues, all", "by @ana"],
    ),
    (
        "note testrail:R60 Firefox was down",
        ["Add a note to testrail:R60", "Firefox was down"],
        [("POST", "/update_run/60", {"milestone_id": 6, "description": f"Firefox was down\n{SIGNED}"})],
        ["Note added to", "Accessibility spring audit", "note: Firefox was down"],
    ),
    (
        "link testrail:R60 https://ci.example/9",
        ["Add a link to testrail:R60", "https://ci.example/9"],
        [
            (
                "POST",
                "/update_run/60",
                {
                    "milestone_id": 6,
                    "description": f"Firefox was down\n{SIGNED}\n\n[https://ci.example/9](https://ci.example/9)\n"
                    f"{SIGNED}",
                },
            )
        ],
        ["Link added to", "link: https://ci.example/9"],
    ),
    (
        "attach testrail:R125 https://ci.example/9.log --name log",
        ["Attach to testrail:R125", "log (https://ci.example/9.log)"],
        [("POST", "/update_run/125", {"milestone_id": 7, "description": f"[log](https://ci.example/9.log)\n{SIGNED}"})],
        ["Attached to", "Full catalogue 5.2"],
    ),
]
IN_TESTMO: list[Deed] = [
    (
        "note A415 Firefox was down",
        ["Add a note to A415", "note  Firefox was down"],
        [
            (
                "POST",
                "/automation/runs/415/append",
                {
                    "fields": [
                        {
                            "name": "Note from Ana Kovač",
                            "type": 2,
                            "value": "Firefox was down",
                            "meta": {"rundown": "KEY"},
                        }
                    ]
                },
            )
        ],
        ["Note added to", "API contract #260", "A415", "by @ana"],
    ),
    (
        "link A415 https://ci.example/9",
        ["Add a link to A415"],
        [
            (
                "POST",
                "/automation/runs/415/append",
                {"links": [{"name": "https://ci.example/9", "url": "https://ci.example/9"}]},
            )
        ],
        ["Link added to", "link: https://ci.example/9"],
    ),
    (
        "attach A415/1 https://ci.example/9.log --name log",
        ["Attach to A415/1"],
        [
            (
                "POST",
                "/automation/runs/threads/1615/append",
                {"artifacts": [{"name": "log", "url": "https://ci.example/9.log"}]},
            )
        ],
        ["Attached to", "A415/1"],
    ),
    (
        'report A415 failed --test "Log in" --test "Log out: passed" --folder API --duration 2s --note hi',
        ["Report a result in A415", "Log in  failed", "Log out  passed", "took  2 s", "can't be taken back"],
        [
            (
                "POST",
                "/automation/runs/415/threads",
                {
                    "fields": [
                        {"name": "Reported by", "type": 1, "value": "Ana Kovač"},
                        {"name": "Reported with", "type": 1, "value": "Rundown KEY"},
                    ]
                },
            ),
            (
                "POST",
                "/automation/runs/threads/1617/append",
                {
                    "tests": [
                        {
                            "key": "HASH",
                            "name": name,
                            "status": outcome,
                            "folder": "API",
                            "elapsed": 2_000_000,
                            "fields": [{"name": "Note", "type": 2, "value": "hi", **lit}],
                        }
                        for name, outcome, lit in (
                            ("Log in", "failed", {"is_highlight": True}),
                            ("Log out", "passed", {}),
                        )
                    ]
                },
            ),
            ("POST", "/automation/runs/threads/1617/complete", {}),
        ],
        ["Result reported in", "16 passed · 2 failed", "before 15 passed · 1 failed", "Log in: failed"],
    ),
    (
        "complete A415/1",
        ["Complete A415/1", "The other threads and the run go on."],
        [("POST", "/automation/runs/threads/1615/complete", {})],
        ["Completed", "A415/1", "by @ana"],
    ),
    (
        "close A415",
        ["Complete A415", "It takes no further threads or results.", "still at work"],
        [("POST", "/automation/runs/415/complete", {"measure_elapsed": True})],
        ["Completed", "A415", "Failing → ❌ Failed", "16 passed · 2 failed"],
    ),
    (
        "close testmo:R118",
        ["Close testmo:R118", "Tests without a result stay untested."],
        [("PATCH", "/runs/118", {"is_closed": True})],
        ["Closed", "Release 8.2 regression", "Failing → ❌ Failed"],
    ),
    (
        'start "Smoke 8.2" --in testmo --source nightly --tag web --link https://ci.example/7 --field "OS: Linux"',
        ["Start “Smoke 8.2”", "source  nightly", "The source “nightly” is new", "tags  web"],
        [
            (
                "POST",
                "/projects/1/automation/runs",
                {
                    "name": "Smoke 8.2",
                    "source": "nightly",
                    "tags": ["web"],
                    "links": [{"name": "https://ci.example/7", "url": "https://ci.example/7"}],
                    "fields": [{"name": "OS", "type": 1, "value": "Linux"}],
                },
            )
        ],
        ["Started", "Smoke 8.2", "A416", "by @ana", "OS: Linux"],
    ),
]


def _instance(number: int, **attributes: object) -> dict[str, Any]:
    return {"type": "instances", "attributes": {"instance-id": number, **attributes}}


_STEPS = {"data": [{"name": "open", "status": "PASSED"}, {"name": "pay", "status": "FAILED"}]}
IN_PRACTITEST: list[Deed] = [
    (
        'report S55/98142 passed --note "by machine" --duration 00:05:00 --version 5.2',
        ["Report a result in S55", "Cart keeps its items after login  passed", "took  5 min", "version  5.2"],
        [
            (
                "POST",
                "/projects/4566/runs.json",
                {
                    "data": _instance(
                        98142,
                        **{
                            "exit-code": 0,
                            "automated-execution-output": "by machine",
                            "run-duration": "00:05:00",
                            "version": "5.2",
                        },
                    )
                },
            )
        ],
        ["Result reported in", "UAT cart", "18 passed · 4 failed", "before 17 passed · 5 failed"],
    ),
    (
        'report S55 failed --instance 98142,98143 --step "open: passed" --step "pay: failed" --field Browser:Firefox',
        ["Pay by card with 3-D Secure  failed", "step 2: pay  failed", "Browser  Firefox"],
        [
            (
                "POST",
                "/projects/4566/runs.json",
                {
                    "data": [
                        _instance(number, **{"custom-fields": {"---f-45390": "Firefox"}}) | {"steps": _STEPS}
                        for number in (98142, 98143)
                    ]
                },
            )
        ],
        ["Result reported in", "Pay by card with 3-D Secure: failed", "Browser: Firefox"],
    ),
    (
        "report S55/98144 passed --by @tom",
        ["Voucher is taken off before tax  passed", "tester  Tom Becker"],
        [
            (
                "POST",
                "/projects/4566/runs.json",
                {
                    "data": _instance(98144, **{"run-type": "ManualRun", "tester-id": 5381})
                    | {"steps": {"data": [{"name": "Voucher is taken off before tax", "status": "PASSED"}]}}
                },
            )
        ],
        ["Result reported in", "tester: Tom Becker"],
    ),
    (
        "close S55",
        ["Mark S55", "Its field 45911 is set to “Done”", "PractiTest takes results all the same"],
        [
            (
                "PUT",
                "/projects/4566/sets/55.json",
                {"data": {"type": "sets", "attributes": {"custom-fields": {"---f-45911": "Done"}}}},
            )
        ],
        ["Marked", "UAT cart", "by @ana"],
    ),
]


def plainly(wrote: list[Wrote]) -> str:
    """Calls with what differs each time (keys, hashes, the time) under a name."""
    told = json.dumps(wrote, sort_keys=True, ensure_ascii=False)
    for pattern, name in (
        (r"\b[0-9a-f]{40}\b", "HASH"),
        (r"\b[0-9a-f]{16}\b", "KEY"),
        (r"\b\d{4}-\d\d-\d\d \d\d:\d\d UTC", "WHEN"),
    ):
        told = re.sub(pattern, name, told)
    return told


@pytest.mark.parametrize("transport", ["socket", "http"])
@pytest.mark.parametrize("deeds", [IN_TESTRAIL, IN_TESTMO, IN_PRACTITEST], ids=["testrail", "testmo", "practitest"])
async def test_a_confirmed_change_is_made_by_exactly_these_calls_and_told_to_all(
    deeds: list[Deed], transport: Transport
) -> None:
    async with office(transport) as here:
        for text, previewed, calls, told in deeds:
            here.forget()
            room = here.room()
            preview = await here.preview(text, room)
            for word in previewed:
                assert word in here.words(preview), (text, word, here.words(preview))
            assert here.wrote() == [], (text, "nothing is written for a preview")
            await here.slack.click("ana", preview, "act:go")
            receipt = await here.public(room)
            for word in told:
                assert word in here.words(receipt), (text, word, here.words(receipt))
            await here.gone(preview)
            assert plainly(here.wrote()) == plainly(calls), text


NOT_POSSIBLE = [
    ("close testmo:R118", ["Testmo", "close"]),
    ("close S55", ["PractiTest", "mark_field"]),
    ("close testrail:R119", ["belongs to plan P9", "close P9"]),
    ("note S55 hi", ["report a --note"]),
    ("edit A415 --name x", ["additions", "note and link"]),
    ("delete A415", ["deletes no automation runs"]),
    ("delete S55", ["PractiTest"]),
    ("start x --in practitest", ["Test sets are made in PractiTest itself"]),
    ("report testrail:R118/1 passed", ["TestRail"]),
]


async def test_what_a_system_cannot_do_is_said_in_a_sentence_and_nothing_is_offered_that_would() -> None:
    async with office(settings=dict.fromkeys(CLOSING, "")) as here:
        room = here.room()
        for text, expected in NOT_POSSIBLE:
            refused = await here.preview(text, room)
            for word in expected:
                assert word in here.words(refused), (text, here.words(refused))
            assert not [one for one in here.slack.buttons(refused) if one.action_id.startswith("act:")], text
        assert here.wrote() == []


async def test_a_run_is_deleted_only_when_its_name_is_typed_as_it_is() -> None:
    async with office() as here:
        room = here.room()
        preview = await here.preview("delete testrail:R118", room)
        assert "80 tests with all their results are deleted for good" in here.words(preview)
        assert "act:go" not in [one.action_id for one in here.slack.buttons(preview)]
        await here.slack.click("ana", preview, "act:confirm")
        form = await here.slack.until(lambda: _ready(here, "ana"))
        await here.slack.submit(form, {"name": "Release 5.2"})
        again = await here.slack.until(lambda: _ready(here, "ana", "That is not its name; nothing was deleted."))
        assert here.wrote() == []
        await here.slack.submit(again, {"name": "Release 5.2 regression"})
        receipt = await here.public(room)
        assert "Deleted" in here.words(receipt)
        assert "74 passed" in here.words(receipt), "the counts that are lost stay readable"
        assert here.wrote() == [("POST", "/delete_run/118", {})]
        assert "No run" in here.words(await here.preview("show testrail:R118", room))


def _ready(here: Office, who: str, words: str = "") -> Any:
    """The dialog in front of somebody once it can be sent, and says this."""
    view = here.slack.view(who)
    return view if view and view.content.get("submit") and words in str(view.content) else None


async def test_every_card_of_the_run_is_edited_wherever_it_was_posted() -> None:
    async with office() as here:
        cards: list[Message] = []
        for _ in range(3):
            room = here.room()
            await here.slack.command("tom", room, "/runs", "show testrail:R118 --share")
            cards.append(await here.public(room))
        first, *_ = cards
        preview = await here.preview("close testrail:R118", here.slack.state.channels[first.channel].name)
        await here.slack.click("ana", preview, "act:go")
        receipt = await here.slack.next_message(lambda one: "closed" in one.text)
        assert receipt.thread_ts == first.ts, "where there is a card the receipt stands below it"
        for card in cards:
            words = await here.becomes(card, "❌ Failed")
            assert "Closed" in words or "closed" in words
            assert "Close…" not in here.labels(card), "what is closed can't be closed"


async def test_link_this_puts_the_threads_address_on_the_run_and_the_runs_card_into_a_thread_without_one() -> None:
    async with office() as here:
        room, other = here.room(), here.room()
        await here.slack.mention("ana", room, "show testrail:R118")
        card = await here.public(room)
        root = card.thread_ts
        await here.slack.mention("ana", room, "link this", thread_ts=root)
        preview = await here.told("ana", room)
        await here.slack.click("ana", preview, "act:go")
        await here.public(room, "Link added to")
        (wrote,) = here.wrote()
        address = here.slack.permalink(here.slack.state.messages[card.channel, root])
        assert f"[Slack thread]({address})" in wrote[2]["description"]
        await here.gone(preview)
        talk = await here.slack.say("tom", other, "Firefox is down")
        assert talk.message is not None
        await here.slack.mention("ana", other, "link testrail:R118", thread_ts=talk.message.ts)
        preview = await here.told("ana", other)
        await here.slack.click("ana", preview, "act:go")
        receipt = await here.public(other, "Link added to")
        posted = await here.public(other, "74 passed")
        assert receipt.thread_ts == posted.thread_ts == talk.message.ts
        assert here.slack.permalink(talk.message) in here.wrote()[-1][2]["description"]
        await here.idle()
        in_first = [one for one in here.slack.thread("ana", card) if one.by_app and "74 passed" in here.words(one)]
        assert len(in_first) == 1, "a thread that has the card gets no second one"


async def test_in_read_mode_there_is_no_verb_no_button_and_a_press_of_an_old_one_is_refused() -> None:
    async with office(settings={"RUNDOWN_MODE": "read"}) as here:
        room = here.room()
        helped = here.words(await here.preview("help", room))
        assert "report" not in helped.split()
        for text in ("close testrail:R118", "start x", "delete testrail:R118", "close --older-than 1d"):
            refused = here.words(await here.preview(text, room))
            assert "Rundown only reads here: it changes nothing." in refused, (text, refused)
        card = await here.preview("show testrail:R118", room)
        assert not {"Close…", "Note…", "Delete…"} & set(here.labels(card))
        forged = await here.slack.click("ana", card, "ask:failures", forge_value="close testrail:R118")
        assert forged.acked
        refused = here.words(await here.told("ana", room))
        assert "Rundown only reads here: it changes nothing." in refused
        assert here.wrote() == []
