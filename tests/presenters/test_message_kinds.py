"""What each kind of message promises beyond its looks: buttons, pages, what is told and what is not."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.domain.answers import RunList
from bot.domain.errors import Choice
from bot.domain.model import RunRef
from bot.domain.outcomes import Outcome, Tally
from bot.domain.streams import Streak
from bot.presenters import messages
from bot.presenters.message import Message
from tests.presenters.samples import (
    CARD,
    DIFF,
    FAILURES,
    LIST,
    NIGHTLY,
    NOW,
    PERSON,
    RELEASE,
    RESULTS,
    RUNNING,
    failing,
)
from tests.presenters.snapshots import readable


def clickable(message: Message) -> list[dict[str, Any]]:
    return [element for block in message.blocks if block["type"] == "actions" for element in block["elements"]]


def buttons(message: Message) -> list[tuple[str, str]]:
    """The (action, command) pairs below a message."""
    return [(element["action_id"], element.get("value", "")) for element in clickable(message)]


def test_a_card_has_the_buttons_of_its_verbs_a_link_and_share() -> None:
    message = messages.run_card(CARD, command="show testrail:R118", now=NOW)
    assert buttons(message) == [
        ("open:run", "show testrail:R118"),
        ("ask:failures", "failures testrail:R118"),
        ("ask:diff", "diff testrail:R118"),
        ("ask:results", "results testrail:R118"),
        ("share", "show testrail:R118"),
    ]
    assert clickable(message)[0]["url"] == "https://acme.testrail.example/index.php?/runs/view/118"


def test_what_is_public_cannot_be_shared() -> None:
    message = messages.run_card(CARD, command="show testrail:R118", now=NOW, shareable=False)
    assert "share" not in [action for action, _ in buttons(message)]


def test_a_run_without_a_page_has_no_link() -> None:
    card = replace(CARD, run=replace(RELEASE, page="javascript:alert({id})"), buttons=())
    assert buttons(messages.run_card(card, command="show testrail:R118", now=NOW)) == [("share", "show testrail:R118")]


def test_a_command_too_long_for_a_button_has_none() -> None:
    message = messages.run_list(LIST, again="list " + "x" * 2_000, now=NOW)
    assert buttons(message) == []


@pytest.mark.parametrize(
    ("page", "turns"),
    [
        (1, [("page:next", "list --page 2")]),
        (2, [("page:prev", "list --page 1"), ("page:next", "list --page 3")]),
        (3, [("page:prev", "list --page 2")]),
        (99, [("page:prev", "list --page 2")]),
        (-1, [("page:next", "list --page 2")]),
    ],
)
def test_long_lists_can_be_turned(page: int, turns: list[tuple[str, str]]) -> None:
    listing = RunList(runs=(RELEASE,) * 25, words="open runs", read_at=NOW)
    message = messages.run_list(listing, again="list", page=page, now=NOW, shareable=False)
    assert buttons(message) == turns


def test_rows_are_numbered_through_and_lead_to_their_cards() -> None:
    runs = tuple(replace(RELEASE, ref=RunRef("testrail", "R", number)) for number in range(1, 13))
    message = messages.run_list(RunList(runs=runs, words="open runs", read_at=NOW), again="list", page=2, now=NOW)
    rows = [block for block in message.blocks if "accessory" in block]
    assert [row["accessory"]["value"] for row in rows] == ["show testrail:R11", "show testrail:R12"]
    assert "#11" in rows[0]["text"]["text"]


def test_the_last_page_tells_of_what_was_not_read() -> None:
    listing = RunList(runs=(RELEASE,) * 12, words="runs", read_at=NOW, total=40)
    assert "and 28 more that fit" in readable(messages.run_list(listing, again="list", page=2, now=NOW))
    assert "more that fit" not in readable(messages.run_list(listing, again="list", page=1, now=NOW))


@pytest.mark.parametrize(("age_s", "told"), [(5, False), (60, False), (61, True), (7_200, True)])
def test_old_readings_tell_their_age(age_s: int, told: bool) -> None:
    card = replace(CARD, run=replace(RELEASE, read_at=NOW - timedelta(seconds=age_s)))
    assert ("read 2026-11-20" in readable(messages.run_card(card, command="show", now=NOW))) is told


@pytest.mark.parametrize(
    ("missing", "told"),
    [
        (("page 7 of 12",), "page 7 of 12 is missing"),
        (("pages 7, 9 of 12",), "pages 7, 9 of 12 are missing"),
        (("R117: page 3 of 4",), "R117: page 3 of 4 is missing"),
        (("everything after page 6",), "everything after page 6 is missing"),
        (("the trend could not be read",), "the trend could not be read\n"),
        (
            ("page 1 of 2", "the list changed while it was read"),
            "page 1 of 2 is missing; the list changed while it was",
        ),
    ],
)
def test_gaps_are_told_in_clear_words(missing: tuple[str, ...], told: str) -> None:
    text = readable(messages.failures(replace(FAILURES, missing=missing), again="failures R118", now=NOW))
    assert f"*Partial* – {told}" in text


def test_new_failures_come_first_and_are_called_new() -> None:
    value = replace(FAILURES, tests=(failing(1, runs=4), failing(2), failing(3, runs=2)))
    rows = [block["text"]["text"] for block in messages.failures(value, again="f", now=NOW).blocks[1:4]]
    assert ["*New*" in row for row in rows] == [True, False, False]
    assert "failing for 4 runs, since <!date^" in rows[1]


def test_without_an_earlier_run_nothing_is_called_new() -> None:
    value = replace(FAILURES, tests=(failing(1),), judged_on=0)
    text = readable(messages.failures(value, again="f", now=NOW))
    assert "New" not in text
    assert "failing for" not in text


def test_a_streak_that_may_be_longer_says_so() -> None:
    one = replace(failing(1), streak=Streak(10, NOW, at_least=True))
    assert "at least 10 runs" in readable(messages.failures(replace(FAILURES, tests=(one,)), again="f", now=NOW))


def test_unfinished_is_never_shown_as_failed() -> None:
    run = replace(RUNNING, tally=Tally(passed=3, untested=9))
    text = readable(messages.run_card(replace(CARD, run=run, trend=()), command="show", now=NOW))
    assert "▶️ *Running*" in text
    assert "fail" not in text.lower().replace("[failures]", "")


@pytest.mark.parametrize(
    ("tally", "told"),
    [
        (Tally(passed=9), "🟢 *Open, all passed*"),
        (Tally(passed=9, skipped=1), "🟢 *Open, all passed*"),
        (Tally(passed=9, untested=1), "⚪ *Open*"),
        (Tally(passed=9, retest=1), "⚪ *Open*"),
        (Tally(passed=9, other=(("Known issue", 1),)), "⚪ *Open*"),
        (Tally(untested=9), "⚪ *Not started*"),
        (Tally(), "⚪ *Not started*"),
        (Tally(retest=1), "⚪ *Open*"),
        (Tally(passed=9, blocked=1), "🚧 *Blocked*"),
    ],
)
def test_an_open_run_tells_whether_it_is_begun_and_done(tally: Tally, told: str) -> None:
    run = replace(RELEASE, tally=tally)
    assert told in readable(messages.run_card(replace(CARD, run=run), command="show", now=NOW))


def test_a_run_whose_counts_were_not_read_is_not_called_empty_or_not_started() -> None:
    run = replace(RELEASE, tally=Tally(), missing=("its counts could not be read",))
    text = readable(messages.run_card(replace(CARD, run=run), command="show", now=NOW))
    assert "⚪ *Open*" in text
    assert "counts not read" in text


@pytest.mark.parametrize(("finished", "told"), [(True, "took 1 h 20 min"), (False, "worked on for 1 h 20 min")])
def test_only_what_is_finished_took_its_time(finished: bool, told: str) -> None:
    run = replace(RELEASE, finished=finished, elapsed_s=4_800)
    assert f" · {told} · " in readable(messages.run_card(replace(CARD, run=run), command="show", now=NOW))


def test_a_run_without_results_has_no_trend() -> None:
    trend = (*CARD.trend[:-1], replace(CARD.trend[-1], rate=None))
    assert "pass rate" not in readable(messages.run_card(replace(CARD, trend=trend), command="show", now=NOW))


@pytest.mark.parametrize(
    ("change", "again", "told"),
    [
        ({}, "failures testmo:A412", True),
        ({"run": replace(RELEASE, tally=Tally(failed=6))}, "failures testrail:R118", False),
        ({"owner": "Tom"}, "failures testmo:A412", False),
        ({"missing": ("page 2 of 3",)}, "failures testmo:A412", False),
        ({"total": 5}, "failures testmo:A412", False),
        ({}, "failures testmo:A412/2", False),
    ],
)
def test_failed_results_are_told_beside_fewer_failing_tests_of_a_whole_run(
    change: dict[str, Any], again: str, told: bool
) -> None:
    value = replace(FAILURES, run=replace(NIGHTLY, tally=Tally(passed=1, failed=6)), total=4)
    text = readable(messages.failures(replace(value, **change), again=again, now=NOW))
    assert ("6 failed results, 4 tests still failing" in text) is told


def test_new_tests_stand_in_one_order_everywhere() -> None:
    tests = [
        replace(failing(1, name=name, folder=folder).test) for folder, name in (("b", "a"), ("a", "b"), ("A", "a"))
    ]
    rows = tuple(replace(failing(1), test=test) for test in tests)
    failed = readable(messages.failures(replace(FAILURES, tests=rows), again="f", now=NOW))
    changed = readable(messages.diff(replace(DIFF, new=tuple(tests)), again="d", now=NOW))
    for text in (failed, changed):
        places = [text.rindex(title) for title in ("A › a", "a › b", "b › a")]
        assert places == sorted(places)


def test_without_an_earlier_run_there_is_nothing_to_compare_with() -> None:
    message = messages.failures(replace(FAILURES, judged_on=0), again="f", now=NOW)
    assert "No earlier run to compare with." in readable(message)
    assert "ask:diff" not in [action for action, _ in buttons(message)]
    partial = replace(FAILURES, judged_on=0, missing=("how long they have been failing could not be read",))
    assert "No earlier run" not in readable(messages.failures(partial, again="f", now=NOW))


def test_tests_without_names_are_no_missing_tests() -> None:
    value = replace(DIFF, new=(), still=(), fixed=(), not_run=(), common=0, added=0)
    text = readable(messages.diff(value, again="diff R118", now=NOW))
    assert "Nothing can be compared." in text
    assert "has no tests" not in text


def test_an_empty_list_offers_finished_runs_and_nothing_to_share() -> None:
    empty = RunList(runs=(), words="open runs", read_at=NOW)
    assert buttons(messages.run_list(empty, again="list", now=NOW, wider="list --all")) == [("page:all", "list --all")]
    assert buttons(messages.run_list(empty, again="list --all", now=NOW)) == []
    assert buttons(messages.run_list(LIST, again="list", now=NOW, wider="list --all")) == [("share", "list")]


@pytest.mark.parametrize(
    ("why", "told"), [(" (too many calls at once), so more", ""), (": PractiTest is down.", ": PractiTest is down.")]
)
def test_counts_that_were_not_read_can_be_asked_for_again(why: str, told: str) -> None:
    note = f"web: test sets are partial: the counts of 1 test set were not read{why}"
    message = messages.run_list(replace(LIST, notes=(note,)), again="list", now=NOW)
    assert f"  web – the counts of 1 test set are not read yet{told}\n" in readable(message)
    assert ("page:again", "list") in buttons(message)


def test_a_question_back_is_no_error() -> None:
    asked = replace(PERSON, what="“web” could be any of 2 connections.")
    for text in (readable(messages.complaint(asked)), readable(messages.complaint(replace(asked, what="Which R1?")))):
        assert "↩️" not in text
        assert "ref `" not in text
    assert "↩️" in readable(messages.complaint(replace(PERSON, what="Which R1?", closest=())))


def test_a_system_is_named_once() -> None:
    fault = replace(PERSON, family="system", system="TestRail", what="No answer.", why="", closest=())
    assert "⚠️ *TestRail* – No answer." in readable(messages.complaint(fault))
    named = readable(messages.complaint(replace(fault, what="TestRail does not answer.")))
    assert "⚠️ *TestRail does not answer.*" in named
    assert named.count("Nothing was changed") == 2, "once in the fallback, once in the message"


def test_custom_statuses_keep_their_label() -> None:
    result = replace(RESULTS.results[0], outcome=Outcome.OTHER, label="Won't fix")
    text = readable(messages.results(replace(RESULTS, results=(result,)), again="results", now=NOW))
    assert "🔹 *Won't fix*" in text


def test_a_comparison_names_only_some_and_counts_the_rest() -> None:
    value = replace(DIFF, new=tuple(failing(n).test for n in range(20)))
    text = readable(messages.diff(value, again="diff R118", now=NOW))
    assert "🆕 *20 New*" in text
    assert "and 12 more" in text


def test_up_to_five_matches_are_buttons_and_more_a_menu() -> None:
    few = tuple(Choice(f"R{n}", f"show R{n}") for n in range(5))
    many = tuple(Choice(f"R{n}", f"show R{n}") for n in range(6))
    assert buttons(messages.complaint(replace(PERSON, closest=few))) == [
        (f"choose:{n + 1}", f"show R{n}") for n in range(5)
    ]
    (menu,) = clickable(messages.complaint(replace(PERSON, closest=many)))
    assert (menu["type"], menu["action_id"]) == ("static_select", "choose:1")
    assert [option["value"] for option in menu["options"]] == [f"show R{n}" for n in range(6)]


def test_commands_too_long_for_a_menu_stay_buttons() -> None:
    many = tuple(Choice(f"R{n}", f"show R{n} " + "x" * 150) for n in range(6))
    assert len(clickable(messages.complaint(replace(PERSON, closest=many)))) == 6


def test_a_complaint_without_words_is_still_one() -> None:
    assert "That did not work." in messages.complaint(replace(PERSON, what="", why="", fix="", closest=())).text


def test_sharing_adds_one_line_and_changes_nothing_else() -> None:
    message = messages.run_card(CARD, command="show", now=NOW, shareable=False)
    shared = messages.shared_by(message, "U0ANA00001")
    assert shared.blocks[:-1] == message.blocks
    assert shared.blocks[-1]["elements"][0]["text"] == "Shared by <@U0ANA00001>"
    assert (shared.text, shared.more) == (message.text, message.more)
