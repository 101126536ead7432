"""What is said about changes promises: what is asked, what can be pressed, what is told afterwards."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.acts import (
    Append,
    Bulk,
    Close,
    Edit,
    Ended,
    Entry,
    Named,
    Proposal,
    Receipt,
    Recent,
    Report,
    Reported,
    Seen,
)
from bot.domain.model import Closing, Run
from bot.domain.outcomes import Outcome, Tally
from bot.presenters import letters, messages
from bot.presenters.icons import ENDED
from bot.presenters.message import Message
from tests.presenters.samples import (
    AUDIT,
    BULK,
    CARD,
    CLOSED,
    CLOSES,
    CLOSING,
    COMPLETES,
    COMPLETING,
    DELETING,
    DOUBTFUL,
    EDITING,
    ENTRY,
    FAILED,
    NIGHTLY,
    NOTING,
    NOW,
    RELEASE,
    REPORTING,
    STARTED,
    STARTING,
    UNTOUCHED,
    WHERE,
    tried,
)
from tests.presenters.snapshots import readable

MARKS = Closing("mark", "marked", ("Its field Status becomes Done.",), for_good=False, finishes=False)
ARCHIVES = Closing("archive", "archived")


def pressable(message: Message) -> list[tuple[str, str, str]]:
    """The (action, label, style) of the buttons below a message."""
    return [
        (element["action_id"], element["text"]["text"], element.get("style", ""))
        for block in message.blocks
        if block["type"] == "actions"
        for element in block["elements"]
    ]


def values(message: Message) -> dict[str, str]:
    return {
        element["action_id"]: element["value"]
        for block in message.blocks
        if block["type"] == "actions"
        for element in block["elements"]
    }


@pytest.mark.parametrize(
    ("proposal", "heading", "buttons"),
    [
        (
            CLOSING,
            "*Close R118 “Release 5.2 regression”?*",
            [("act:go", "Close R118", "danger"), ("act:cancel", "Cancel", "")],
        ),
        (
            COMPLETING,
            "*Complete A416/3 “API contract”?*",
            [("act:go", "Complete A416/3", "danger"), ("act:cancel", "Cancel", "")],
        ),
        (
            replace(CLOSING, closing=MARKS),
            "*Mark R118 “Release 5.2 regression”?*",
            [("act:go", "Mark R118", "primary"), ("act:cancel", "Cancel", "")],
        ),
        (
            replace(CLOSING, closing=ARCHIVES),
            "*Archive R118 “Release 5.2 regression”?*",
            [("act:go", "Archive R118", "danger"), ("act:cancel", "Cancel", "")],
        ),
        (
            STARTING,
            "*Start “Smoke 5.3”?*",
            [("act:go", "Start run", "primary"), ("act:form", "Edit…", ""), ("act:cancel", "Cancel", "")],
        ),
        (
            EDITING,
            "*Change R118 “Release 5.2 regression”?*",
            [("act:go", "Save", "primary"), ("act:form", "Edit…", ""), ("act:cancel", "Cancel", "")],
        ),
        (
            replace(NOTING, has_form=False),
            "*Add a note to R118 “Release 5.2 regression”?*",
            [("act:go", "Add note", "primary"), ("act:cancel", "Cancel", "")],
        ),
        (
            replace(NOTING, verb="link", has_form=False),
            "*Add a link to R118 “Release 5.2 regression”?*",
            [("act:go", "Add link", "primary"), ("act:cancel", "Cancel", "")],
        ),
        (
            replace(NOTING, verb="attach", has_form=False),
            "*Attach to R118 “Release 5.2 regression”?*",
            [("act:go", "Attach", "primary"), ("act:cancel", "Cancel", "")],
        ),
        (
            replace(REPORTING, has_form=False),
            "*Report a result in R118 “Release 5.2 regression”?*",
            [("act:go", "Report result", "primary"), ("act:cancel", "Cancel", "")],
        ),
        (
            DELETING,
            "*Delete R118 “Release 5.2 regression”?*",
            [("act:confirm", "Delete…", "danger"), ("act:cancel", "Cancel", "")],
        ),
    ],
)
def test_a_change_is_asked_about_in_its_systems_words(
    proposal: Proposal, heading: str, buttons: list[tuple[str, str, str]]
) -> None:
    message = messages.proposal(proposal, now=NOW)
    assert heading in readable(message)
    assert pressable(message) == buttons
    assert set(values(message).values()) == {"k1"}


def test_several_results_are_counted_on_the_button() -> None:
    assert isinstance(REPORTING.change, Report)
    change = replace(REPORTING.change, tests=(Reported(outcome=Outcome.PASSED, id=1),) * 3)
    assert pressable(messages.proposal(replace(REPORTING, change=change), now=NOW))[0][1] == "Report 3 results"


def test_a_dry_run_has_nothing_to_press() -> None:
    for proposal in (CLOSING, DELETING, STARTING):
        message = messages.proposal(proposal, now=NOW, dry=True)
        assert pressable(message) == []
        assert "Dry run – nothing is changed." in readable(message)
        assert "*Would " in readable(message)


@pytest.mark.parametrize(
    ("closing", "warnings", "times"),
    [
        (CLOSES, (), 1),
        (CLOSES, ("This cannot be undone.",), 1),
        (CLOSES, ("Deleted for good: that cannot be undone.",), 1),
        (replace(CLOSES, consequences=("It is archived: no results, no undo.",)), (), 0),
        (MARKS, (), 0),
        (None, (), 0),
    ],
)
def test_what_cannot_be_undone_says_so_once(closing: Closing | None, warnings: tuple[str, ...], times: int) -> None:
    message = messages.proposal(replace(CLOSING, closing=closing, warnings=warnings), now=NOW)
    assert readable(message).split("\n", 1)[1].count("cannot be undone") == times


def test_what_closing_means_is_told_once() -> None:
    for lines in ((), CLOSES.consequences):
        text = readable(messages.proposal(replace(CLOSING, lines=lines), now=NOW))
        assert text.count("• Nobody can add results to R118 any more.") == 1


@pytest.mark.parametrize(
    ("recent", "told"),
    [
        (
            Recent(count=2, minutes=15, last_at=NOW - timedelta(minutes=3), last_by="Ben"),
            "⚠️ 2 results in the last 15 minutes, the last 3 min ago by Ben. Somebody may still be at it.",
        ),
        (Recent(count=1, minutes=1), "⚠️ 1 result in the last 1 minute. Somebody may still be at it."),
        (
            Recent(count=1, minutes=15, last_at=NOW, last_by=""),
            "⚠️ 1 result in the last 15 minutes, the last just now. Somebody may still be at it.",
        ),
        (Recent(count=0, minutes=15), "💤 No result in the last 15 minutes."),
    ],
)
def test_results_of_the_last_minutes_are_told(recent: Recent, told: str) -> None:
    assert f"\n{told}\n" in readable(messages.proposal(replace(CLOSING, recent=recent), now=NOW))


@pytest.mark.parametrize(
    ("untested", "by", "told"),
    [
        (4, (("Ana Diaz", 3), ("", 1)), "⚪ 4 untested: 3 Ana Diaz's, 1 not assigned."),
        (9, (("Ana Diaz", 3),), "⚪ 9 untested: 3 Ana Diaz's, 6 others."),
        (0, (("Ana Diaz", 3),), "⚪ 3 untested, all Ana Diaz's."),
        (2, (("Tom Becker", 2),), "⚪ 2 untested, both Tom Becker's."),
        (1, (("Tom Becker", 1),), "⚪ 1 untested, Tom Becker's."),
        (7, (("", 7),), "⚪ 7 untested, not assigned."),
        (9, (("A", 1),) * 9, "⚪ 9 untested: 1 A's, 1 A's, 1 A's, 1 A's, 1 A's, 1 A's, 1 A's, 1 A's, 1 other."),
    ],
)  # fmt: skip
def test_untested_tests_have_their_people(untested: int, by: tuple[tuple[str, int], ...], told: str) -> None:
    run = replace(RELEASE, tally=Tally(untested=untested))
    assert f"\n{told}\n" in readable(messages.proposal(replace(CLOSING, run=run, untested_by=by), now=NOW))


def test_how_the_run_moved_stands_above_the_question() -> None:
    blocks = messages.proposal(CLOSING, now=NOW, changed="Changed since you looked: 3 more failed.").blocks
    assert "3 more failed" in blocks[0]["text"]["text"]
    assert "Close R118" in blocks[1]["text"]["text"]


def test_only_an_edit_tells_what_was_there_before() -> None:
    assert "milestone  5.2 → *none*" in readable(messages.proposal(EDITING, now=NOW))
    assert "suite  *Checkout*" in readable(messages.proposal(STARTING, now=NOW))
    assert "result  *failed*" in readable(messages.proposal(REPORTING, now=NOW))


def test_a_letter_of_two_connections_is_written_with_its_connection() -> None:
    letters.use([("R",), ("R",)])
    try:
        message = messages.proposal(CLOSING, now=NOW)
        assert "*Close testrail:R118 “" in readable(message)
        assert pressable(message)[0][1] == "Close testrail:R118"
        assert "`testrail:R118`" in readable(messages.receipt(receipt(ENTRY), now=NOW))
    finally:
        letters.use([])


@pytest.mark.parametrize(
    ("proposal", "words"),
    [
        (CLOSING, "Closing R118 “Release 5.2 regression”"),
        (COMPLETING, "Completing A416/3 “API contract”"),
        (replace(CLOSING, closing=ARCHIVES), "Archiving R118 “Release 5.2 regression”"),
        (STARTING, "Starting “Smoke 5.3”"),
        (NOTING, "Adding a note to R118 “Release 5.2 regression”"),
        (DELETING, "Deleting R118 “Release 5.2 regression”"),
    ],
)
def test_while_it_is_done_there_is_nothing_to_press(proposal: Proposal, words: str) -> None:
    message = messages.working(messages.doing(proposal))
    assert readable(message).endswith(f"  ⏳ {words} …\n")
    assert pressable(message) == []


def test_who_thinks_better_of_it_changed_nothing() -> None:
    for proposal, told in (
        (CLOSING, "Cancelled: R118 was not closed."),
        (COMPLETING, "Cancelled: A416/3 was not completed."),
        (STARTING, "Cancelled: “Smoke 5.3” was not started."),
        (NOTING, "Cancelled: no note was added to R118."),
        (None, "Cancelled: nothing was closed."),
    ):
        message = messages.cancelled(proposal)
        assert message.text == told
        assert f"↩️ {told}\n" in readable(message)
        assert pressable(message) == []


def test_a_command_that_lacks_something_has_a_form_for_it() -> None:
    message = messages.form_offer("start", "A run needs a name.", value="start --in testrail")
    assert "↩️ *A run needs a name.*" in readable(message)
    assert values(message) == {"act:form": "start --in testrail"}
    assert "Something is missing to start a run." in readable(messages.form_offer("start", "", value="start"))


def receipt(entry: Entry, *, done_word: str = "closed", run: Run | None = CLOSED) -> Receipt:
    return Receipt(entry=entry, where=WHERE, done_word=done_word, run=run)


@pytest.mark.parametrize(
    ("value", "heading"),
    [
        (receipt(ENTRY), "✅ *Closed*  *Release 5.2 regression*  `R118`  by <@U0ANA00001>, "),
        (receipt(ENTRY, done_word="completed"), "✅ *Completed*  *Release 5.2 regression*"),
        (receipt(ENTRY, done_word=""), "✅ *Closed*  "),
        (receipt(FAILED), "✖️ *Not closed*  *Release 5.2 regression*  `R118`  asked for by <@U"),
        (receipt(replace(ENTRY, outcome=Ended.FAILED), done_word="completed"), "✖️ *Not completed*  "),
        (receipt(replace(ENTRY, verb="note", outcome=Ended.FAILED), done_word="noted"), "✖️ *No note was added to*  "),
        (receipt(DOUBTFUL), "❓ *It is not clear whether “Release 5.2 regression” was closed.*  `R118`\n"),
        (receipt(replace(DOUBTFUL, verb="report")), "❓ *It is not clear whether a result was reported in “Release"),
        (receipt(replace(ENTRY, outcome=Ended.STALE)), "🔄 *Not closed*  "),
        (receipt(STARTED, done_word="started", run=None), "✅ *Started*  *Smoke 5.3*  `R128`  by"),
    ],
)  # fmt: skip
def test_a_receipt_says_what_became_of_it(value: Receipt, heading: str) -> None:
    assert f"\n{heading}" in readable(messages.receipt(value, now=NOW))


@pytest.mark.parametrize(
    ("entry", "run", "told", "not_told"),
    [
        (ENTRY, CLOSED, "🔴 Failing → ❌ *Failed*  ■", ""),
        (ENTRY, CLOSED, "\nbefore 74 passed · 3 failed · 1 blocked · 2 untested", ""),
        (ENTRY, replace(RELEASE, finished=True), "🔴 Failing → ❌ *Failed*  ■", "before 74"),
        (replace(ENTRY, seen=None), CLOSED, "\n❌ *Failed*  ■", "→"),
        (ENTRY, None, "🔴 Failing → ❌ *Failed*  ■", ""),
        (replace(ENTRY, after=None), None, "\nbefore failing · 74 passed", "→"),
        (replace(ENTRY, verb="note"), RELEASE, "Note", "74 passed"),
        (replace(ENTRY, verb="edit"), CLOSED, "🔴 Failing → ❌ *Failed*", ""),
    ],
)
def test_a_receipt_tells_before_and_after_where_they_differ(
    entry: Entry, run: Run | None, told: str, not_told: str
) -> None:
    text = readable(messages.receipt(receipt(entry, run=run, done_word=""), now=NOW))
    assert told in text
    assert not not_told or not_told not in text


def test_a_deleted_run_has_no_way_to_it_any_more() -> None:
    entry = replace(ENTRY, verb="delete", after=None)
    assert pressable(messages.receipt(receipt(entry), now=NOW)) == []
    assert pressable(messages.late(entry, now=NOW)) == []
    kept = messages.receipt(receipt(replace(entry, outcome=Ended.FAILED)), now=NOW)
    assert values(kept) == {"open:run": "show testrail:R118", "ask:show": "show testrail:R118"}


@pytest.mark.parametrize(
    ("entry", "done", "told"),
    [
        (ENTRY, "", "✅ `R118` was closed by <@U0ANA00001>, 2026-11-20 07:58 UTC (2 min ago)."),
        (ENTRY, "completed", "✅ `R118` was completed by <@U0ANA00001>, "),
        (replace(ENTRY, outcome=Ended.BEGUN), "", "⏳ `R118` is being closed by <@U0ANA00001> right now."),
        (replace(ENTRY, verb="note"), "noted", "✅ `R118` got a note from <@U0ANA00001>, "),
        (replace(STARTED, ref=None, outcome=Ended.BEGUN), "", "⏳ “Smoke 5.3” is being started by <@U0ANA00001> right"),
        (FAILED, "", "It was not done.\nTestRail refused it: the project is completed already."),
        (DOUBTFUL, "", "Whether it was done is not known yet.\nTestRail did not answer."),
        (replace(ENTRY, outcome=Ended.CANCELLED), "", "Nothing was changed."),
        (replace(ENTRY, outcome=Ended.STALE), "", "`R118` had changed since <@U0ANA00001> looked at it, so nothing"),
        (replace(ENTRY, outcome=Ended.REFUSED), "", "<@U0ANA00001> may not close `R118`."),
    ],
)  # fmt: skip
def test_who_comes_too_late_hears_what_became_of_it(entry: Entry, done: str, told: str) -> None:
    assert told in readable(messages.late(entry, now=NOW, done=done))


@pytest.mark.parametrize(("run", "label"), [(RELEASE, "Close…"), (NIGHTLY, "Complete…")])
def test_a_card_calls_closing_what_its_system_calls_it(run: Run, label: str) -> None:
    for verb in ("close", "complete"):
        card = replace(CARD, run=run, buttons=(verb, "note"))
        message = messages.run_card(card, command="show", now=NOW, shareable=False)
        assert [(action, shown) for action, shown, _ in pressable(message)][1:] == [
            (f"ask:{verb}", label),
            ("ask:note", "Note…"),
        ]
        assert values(message)[f"ask:{verb}"] == f"{verb} {run.ref}"


@pytest.mark.parametrize(
    ("value", "told", "buttons"),
    [
        (BULK, "*Close 12 runs?*", [("bulk:go", "Close 12 runs", "danger"), ("act:cancel", "Cancel", "")]),
        (replace(BULK, dry=True), "*Would close 12 runs*", []),
        (
            replace(BULK, items=BULK.items[:1]),
            "*Close 1 run?*",
            [("bulk:go", "Close 1 run", "danger"), ("act:cancel", "Cancel", "")],
        ),
        (replace(BULK, items=BULK.items[12:]), "*There is no run to close*", []),
        (tried(5), "⏳ *Closing runs, 5 of 12…*\n■■■■■□□□□□□□\n", []),
        (tried(5, Ended.BEGUN), "⏳ *Closing runs, 4 of 12…*", []),
        (tried(12), "✅ *Ana Diaz closed 12 runs*, 2026-11-20 07:58 UTC\n", []),
        (tried(12, Ended.FAILED), "⚠️ *Ana Diaz closed 11 runs*, 2026-11-20 07:58 UTC\n*1 not closed*\n", []),
        (
            replace(tried(9, Ended.FAILED, Ended.DOUBT), stopped="It was stopped."),
            "*Ana Diaz closed 7 runs*, 2026-11-20 07:58 UTC\n*1 not closed, 1 in doubt, 3 not tried*\n",
            [("bulk:go", "Continue with 3", "danger")],
        ),
        (
            replace(tried(12, Ended.BEGUN), stopped="Rundown was stopped in the middle of it."),
            "*Ana Diaz closed 11 runs*, 2026-11-20 07:58 UTC\n*1 under way*\n",
            [],
        ),
        (replace(BULK, stopped="Nobody may."), "⚠️ *No run closed*\n", [("bulk:go", "Continue with 12", "danger")]),
    ],
)  # fmt: skip
def test_a_bulk_change_tells_how_far_it_is(value: Bulk, told: str, buttons: list[tuple[str, str, str]]) -> None:
    message = messages.bulk(value, now=NOW)
    assert told in readable(message)
    assert pressable(message) == buttons


def test_a_bulk_change_that_has_just_begun_has_nothing_to_press() -> None:
    for value, told in ((BULK, "0 of 12"), (replace(tried(9), stopped="x"), "9 of 12")):
        message = messages.bulk(value, now=NOW, under_way=True)
        assert told in readable(message)
        assert pressable(message) == []


def test_every_run_of_a_bulk_change_has_a_line() -> None:
    asked = readable(messages.bulk(BULK, now=NOW))
    stopped = readable(messages.bulk(replace(tried(9, Ended.FAILED), stopped="x"), now=NOW))
    assert [asked.count(f"`{item.run.ref.short}`") for item in BULK.items] == [1] * 13
    assert "started 5 weeks ago · 30 passed" in asked
    assert "closed as a whole" in asked
    assert [stopped.count(f"`{item.run.ref.short}`") for item in BULK.items] == [1] * 12 + [0]
    assert "closed as a whole" not in stopped  # who asked has read it; nobody else wants it


def test_a_reason_of_several_runs_is_told_once() -> None:
    text = readable(messages.bulk(tried(12, Ended.FAILED, Ended.FAILED, Ended.STALE), now=NOW))
    assert text.count("TestRail answered 500.") == 1
    assert "✖️ 2 not closed – TestRail answered 500.\n• `R40`  Regression 4.0" in text.replace("  \n", "\n")


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("report", "No result was reported in R118 “Release 5.2 regression”, as Ana Diaz had asked."),
        ("close", "R118 “Release 5.2 regression” was not closed, as Ana Diaz had asked."),
    ],
)
def test_screen_readers_hear_sentences(value: str, told: str) -> None:
    done_word = "closed" if value == "close" else ""
    message = messages.receipt(receipt(replace(FAILED, verb=value), done_word=done_word), now=NOW)
    assert message.text.startswith(told)


def test_what_is_not_clear_is_not_to_be_done_again() -> None:
    doubtful = replace(STARTED, ref=None, outcome=Ended.DOUBT)
    text = readable(messages.receipt(receipt(doubtful, done_word="", run=None), now=NOW))
    assert "❓ *It is not clear whether “Smoke 5.3” was started.*" in text
    assert "Don't start it again before you know." in text


def test_a_deleted_run_is_remembered_by_its_tests() -> None:
    deleted = replace(ENTRY, verb="delete", after=None)
    text = readable(messages.receipt(receipt(deleted, done_word="deleted", run=None), now=NOW))
    assert "🗑️ *Deleted*" in text
    assert "It had 80 tests: 74 passed · 3 failed · 1 blocked · 2 untested." in text


def test_a_new_run_is_named_once() -> None:
    empty = replace(RELEASE, ref=UNTOUCHED.ref, name="Smoke 5.3", tally=Tally())
    told = replace(receipt(STARTED, done_word="started", run=empty), lines=("name: Smoke 5.3", "suite: Checkout"))
    text = readable(messages.receipt(told, now=NOW))
    assert "name: Smoke 5.3" not in text
    assert "suite: Checkout" in text
    assert "no results yet" in text
    assert "\nname  " not in readable(messages.proposal(STARTING, now=NOW))


@pytest.mark.parametrize("verb", ["note", "link", "attach"])
def test_what_is_put_beside_the_tests_counts_none(verb: str) -> None:
    asked = readable(messages.proposal(replace(NOTING, verb=verb), now=NOW))
    done = readable(messages.receipt(receipt(replace(ENTRY, verb=verb), done_word=""), now=NOW))
    assert "passed" not in asked
    assert "passed" not in done


def test_many_runs_are_asked_about_page_by_page() -> None:
    many = replace(BULK, items=BULK.items[:10] * 6)
    first = messages.bulk(many, now=NOW)
    assert "1 to 25 of 60" in readable(first)
    assert [action for action, _, _ in pressable(first)] == ["bulk:go", "act:cancel", "page:next"]
    assert pressable(first)[0][1] == "Close 60 runs"
    assert values(messages.bulk(many, now=NOW, page=3))["page:prev"] == "close --older-than 30d --page 2"


@pytest.mark.parametrize(
    ("closings", "told"),
    [
        ((COMPLETES, COMPLETES), "Complete 2 runs"),
        ((CLOSES, COMPLETES), "Close 2 runs"),
        ((MARKS, MARKS), "Mark 2 runs"),
    ],
)
def test_several_systems_have_one_word(closings: tuple[Closing, ...], told: str) -> None:
    items = tuple(
        replace(item, run=replace(item.run, kind=replace(item.run.kind, closing=closing)))
        for item, closing in zip(BULK.items, closings, strict=False)
    )
    message = messages.bulk(replace(BULK, items=items), now=NOW)
    assert pressable(message)[0][1] == told
    assert ("cannot be undone" in readable(message)) is any(closing.for_good for closing in closings)


def test_the_audit_names_people_and_calls_nobody() -> None:
    message = messages.audit(AUDIT, again="audit", page=1, now=NOW, shareable=True)
    assert "Ana Diaz" in readable(message)
    assert "<@" not in str(message.blocks)
    assert pressable(message) == [("share", "Share", "")]
    assert pressable(messages.audit(AUDIT, again="audit", page=1, now=NOW)) == []


def test_the_audit_tells_counts_before_and_after_only_where_they_differ() -> None:
    moved = replace(ENTRY, seen=Seen.of(RELEASE), after=Seen.of(CLOSED))
    same = replace(ENTRY, after=Seen.of(RELEASE))
    for entry, told in ((moved, True), (same, False), (replace(ENTRY, after=None), False)):
        text = readable(messages.audit(replace(AUDIT, entries=(entry,)), again="audit", page=1, now=NOW))
        assert (" → " in text) is told
    noted = replace(moved, verb="note")
    assert "passed" not in readable(messages.audit(replace(AUDIT, entries=(noted,)), again="audit", now=NOW))


def test_the_audit_tells_what_an_edit_changed() -> None:
    edit = Edit(ref=RELEASE.ref, project=1, name="Smoke", milestone=Named(""), cases=(1, 2))
    entry = replace(ENTRY, verb="edit", change=edit)
    text = readable(messages.audit(replace(AUDIT, entries=(entry,)), again="audit", now=NOW))
    assert "name → Smoke\nmilestone → none\ncases → C1, C2\n" in text
    assert "passed" not in text


@pytest.mark.parametrize(
    ("title", "said"),
    [
        ("close for Tom Becker in #C0RELEASE1", "close for Tom Becker in <#C0RELEASE1>"),
        ("close for Tom Becker in #C0RELEASE1: rule removed", "close for Tom Becker in <#C0RELEASE1>: rule removed"),
        ("close for Tom Becker in #release", "close for Tom Becker in #release"),
        ("all for qa in #C&A everywhere", "all for qa in #C&amp;A everywhere"),
    ],
)
def test_the_channel_of_a_rule_is_shown_by_its_name(title: str, said: str) -> None:
    entry = replace(AUDIT.entries[0], verb="allow", ref=None, change=None, title=title)
    message = messages.audit(replace(AUDIT, entries=(entry,)), again="audit", now=NOW)
    assert said in str(message.blocks)


def test_refusals_in_the_audit_are_told_to_others() -> None:
    refused = replace(ENTRY, outcome=Ended.REFUSED, why="Nobody has allowed you to close here.")
    text = readable(messages.audit(replace(AUDIT, entries=(refused,)), again="audit", now=NOW))
    assert "Nobody has allowed them to close here." in text
    assert "Refused attempts are among them" in text
    done = readable(messages.audit(replace(AUDIT, entries=(ENTRY,)), again="audit", now=NOW))
    assert "Refused attempts" not in done
    assert "*1 entry*" in done


def test_the_audit_calls_outcomes_what_its_flag_takes() -> None:
    assert {ended: word.lower() for ended, (_, word) in ENDED.items()} == {ended: ended.name.lower() for ended in Ended}


def test_the_table_of_the_audit_is_no_formula() -> None:
    entry = replace(
        ENTRY, title="=cmd|' /C calc'!A0", who_name="@ana", why="-1+1", channel="\tC1", thread="\rx", team="+1",
        change=Close(RELEASE.ref),
    )  # fmt: skip
    table = messages.audit_csv([entry, ENTRY])
    assert table.startswith(b"\xef\xbb\xbfasked at,")
    header, row, second, end = table.decode("utf-8-sig").split("\r\n")
    assert end == ""
    for cell in ("'=cmd|", "'@ana", "'-1+1", "'\tC1", "'\rx", "'+1"):
        assert cell in row
    assert second.startswith(
        "2026-11-20T07:58:00+00:00,2026-11-20T07:58:00+00:00,Ana Diaz,U0ANA00001,close,testrail,R118,"
    )
    assert ",Failing,74 passed · 3 failed · 1 blocked · 2 untested,Failed,75 passed" in second
    assert header.count(",") == second.count(",") == 18


def test_a_note_is_no_close() -> None:
    """The verb on the button goes by what is appended, not by what it is appended to."""
    change = Append(ref=RELEASE.ref, by="Ana", at=NOW, marker="m")
    message = messages.proposal(replace(NOTING, change=change, closing=CLOSES), now=NOW)
    assert pressable(message)[0] == ("act:go", "Add note", "primary")
    assert "cannot be undone" not in readable(message)
