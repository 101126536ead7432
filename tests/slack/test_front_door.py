"""Questions asked in the local Slack, answered by the whole bot from the sample systems."""

from __future__ import annotations

import random

import pytest

from tests.slack.front_door_kit import Transport, town

ASKED = [
    ("", ["open runs"]),
    ("help", ["failures", "diff"]),
    ("help list", ["--closed"]),
    ("version", ["0.2.0"]),
    ("whoami", ["Ana Kovač", "ana@acme.example"]),
    ("here", ["testmo", "testrail", "practitest"]),
    ("list", ["Release 5.2 regression", "runs"]),
    ("list --in testmo --auto --all --sort newest", ["nightly"]),
    ("list nightly --in practitest --all", ["Nightly API"]),
    ("show A412", ["71 passed · 10 failed · 2 skipped", "A412"]),
    ("show testrail:R118", ["74 passed · 3 failed · 1 blocked · 2 untested", "Release 5.2 regression"]),
    ("show P9", ["Release 5.2 acceptance"]),
    ("show S55", ["UAT cart", "17 passed · 5 failed · 2 blocked"]),
    ("show A412/3", ["3"]),
    ("failures A412", ["A412"]),
    ("failures testrail:R118", ["WEB-2291"]),
    ("failures S55", ["UAT cart"]),
    ("results testrail:R118 --latest", ["results"]),
    ("results S55 --status failed", ["results"]),
    ("results testmo:R118", ["results"]),
    ("diff A412", ["new", "still", "fixed"]),
    ("diff testrail:R118", ["new", "still", "fixed"]),
    ("diff S57", ["S57"]),
    ("threads A412", ["Thread 3"]),
]


@pytest.mark.parametrize("transport", ["socket", "http"])
async def test_every_reading_verb_answers_in_both_transports(transport: Transport) -> None:
    async with town(transport) as here:
        for text, expected in ASKED:
            answer = await here.ask(text)
            words = here.words(answer)
            assert answer.only_for == here.slack.person("ana").id, text
            for word in expected:
                assert word.lower() in words.lower(), (text, word, words)


async def test_a_bare_number_that_fits_several_runs_is_answered_with_a_menu_that_leads_to_one() -> None:
    async with town() as here:
        menu = await here.ask("show R118")
        assert "testrail" in here.words(menu).lower()
        assert "testmo" in here.words(menu).lower()
        await here.slack.click("ana", menu, "choose:2")
        await here.slack.until(lambda: "could be any of" not in here.words(menu))
        assert "Release 5.2 regression" in here.words(menu)


async def test_in_the_thread_of_a_run_this_is_the_run() -> None:
    async with town() as here:
        card = await here.ask("@rundown show A412")
        assert card.only_for == ""
        assert card.thread_ts, "a mention is answered in its thread"
        await here.slack.mention("tom", "#release", "failures", thread_ts=card.thread_ts)
        answer = await here.answer()
        assert answer.thread_ts == card.thread_ts
        assert "A412" in here.words(answer)


async def test_share_publishes_the_same_answer_and_takes_the_private_one_away() -> None:
    async with town() as here:
        private = await here.ask("show A412")
        await here.slack.click("ana", private, "share")
        public = await here.answer()
        assert public.only_for == ""
        assert "71 passed" in here.words(public)
        await here.slack.until(lambda: here.slack.now(private).deleted)


async def test_a_list_is_turned_page_by_page_in_place() -> None:
    async with town() as here:
        first = await here.ask("list --all --in testmo")
        assert "1 to 10" in here.words(first)
        await here.slack.click("ana", first, "page:next")
        await here.slack.until(lambda: "11 to 20" in here.words(first))
        row = await here.ask("show #3")
        assert row.only_for == here.slack.person("ana").id


async def test_direct_messages_take_the_same_words_and_the_slash_commands_name() -> None:
    async with town() as here:
        assert "71 passed" in here.words(await here.ask("dm:show A412"))
        assert "71 passed" in here.words(await here.ask("dm:/runs show A412"))


async def test_a_chosen_project_lets_ids_be_dropped() -> None:
    async with town() as here:
        await here.ask("use testrail Webshop")
        assert "74 passed · 3 failed" in here.words(await here.ask("show R118"))
        assert "Webshop" in here.words(await here.ask("here"))
        assert "testmo:" not in here.words(await here.ask("list"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("shwo R118", "show R118"),
        ("show R9999", "R9999"),
        ("list --stauts failed", "--status"),
        ("show https://evil.example/runs/view/118", "not a run of one of your systems"),
        ("show Z5", "Z"),
        ("threads testrail:R118", "threads"),
        ("show #7", "#7"),
        ("use testrail Webshap", "Webshop"),
        ("list --in testral", "testrail"),
        ("\u202e<!channel> {{ 7*7 }} `rm -rf` " + "x" * 5000, "help"),
    ],
)
async def test_what_cannot_be_understood_is_answered_with_the_way_out(text: str, expected: str) -> None:
    async with town() as here:
        answer = await here.ask(text)
        assert expected in here.words(answer)
        assert answer.only_for == here.slack.person("ana").id


async def test_a_system_that_is_down_costs_only_its_own_rows() -> None:
    async with town() as here:
        here.testrail.faults.answer("api/v2", 503)
        words = here.words(await here.ask("list"))
        assert "TestRail" in words
        assert "Release 8.2 regression" in words
        assert "71 passed" in here.words(await here.ask("show A412"))


async def test_a_slow_system_is_announced_and_the_line_replaced() -> None:
    async with town() as here:
        here.testmo.faults.delay("automation/runs/412", 2.0, times=1)
        delivery = await here.slack.command("ana", "#release", "/runs", "show A412")
        assert delivery.acked
        looking = await here.slack.next_message(lambda message: "ooking" in message.text)
        await here.slack.until(lambda: "71 passed" in here.words(looking), timeout_s=10)


async def test_a_delivery_that_comes_again_is_answered_once() -> None:
    async with town() as here:
        delivery = await here.slack.mention("ana", "#release", "show A412")
        await here.answer()
        await here.slack.redeliver(delivery)
        await here.ask("version")
        assert len([one for one in here.slack.said("#release") if "A412" in one.text]) == 1


async def test_somebody_of_another_workspace_sees_no_runs() -> None:
    async with town() as here:
        await here.slack.mention("olga", "#partners", "show A412")
        answer = await here.answer()
        assert "members of this workspace" in here.words(answer)
        assert "passed" not in here.words(answer)


NASTY = (
    "/",
    "--",
    "—",
    "«",
    "show",
    "diff A412",
    "--limit 0",
    "list",
    "\u202e",
    "<!channel>",
    "<@U0ANA00001>",
    "&amp;",
    "#3",
)


async def test_any_words_get_a_first_answer_within_three_seconds() -> None:
    """Words that mean something and words that don't, in every order chance brings."""
    chance = random.Random(7)
    async with town() as here:
        for _ in range(40):
            text = " ".join(
                chance.choices([*NASTY, "#3", "R118", "A412/3", "S55", "last:nightly", "\n", "x" * 900], k=4)
            )
            delivery = await here.slack.command("ana", "#release", "/runs", text, escaped=True)
            assert delivery.acked, text
            answer = await here.slack.next_message(timeout_s=3)
            assert answer.text.strip(), text
            assert "Traceback" not in here.words(answer)


async def test_closed_runs_can_be_listed_by_the_time_they_were_closed() -> None:
    async with town() as here:
        words = here.words(await here.ask("list --closed --manual --in testmo --sort closed --limit 3"))
        assert "3" in words
        assert words.index("R112") < words.index("R105")


async def test_in_a_thread_of_no_run_this_is_asked_back_in_one_line_that_can_be_typed() -> None:
    async with town() as here:
        talk = await here.slack.say("ana", "#release", "Anything new?")
        assert talk.message is not None
        await here.slack.mention("ana", "#release", "failures this", thread_ts=talk.message.ts)
        words = here.words(await here.answer())
        assert "This thread isn't under a run's message." in words
        assert "Say which run: @rundown failures R118." in words.replace("`", "")
