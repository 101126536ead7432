"""What goes out to TestRail for each change, what is refused before, and what tells afterwards that it was done."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.domain.acts import Append, Change, Close, Delete, Edit, Loss, Named, Pointer, Report, Reported, Start
from bot.domain.errors import (
    AmbiguousError,
    AskError,
    CannotError,
    NotFoundError,
    RefusedFault,
    RejectedFault,
    RundownError,
    SystemFault,
    UnreadableFault,
)
from bot.domain.model import RunRef
from bot.domain.outcomes import Outcome
from bot.sandbox.server import running
from bot.sandbox.testrail import TestRail as Sample
from bot.systems import testrail
from bot.systems._pace import Pace
from bot.systems._spec import Account
from bot.usecases.ports import PATIENCE, Patience

AT = datetime(2026, 11, 21, 9, 3, tzinfo=UTC)
SIGNED = "– Ana via Slack, 2026-11-21 09:03 UTC · rundown:ab12cd"
COMPLETED = '{"error": "This operation is not allowed. The test run is already completed."}'


@asynccontextmanager
async def connected(server: Sample) -> AsyncIterator[testrail.TestRail]:
    """The server listening, and a connection named `tr` to it, without a rate of its own."""
    async with running(server):
        options: dict[str, Any] = {
            "url": server.url, "user": "bot@acme.example", "key": "testrail-demo-key", "project": 1,
        }  # fmt: skip
        connection = testrail.TestRail(Account("tr", options, Pace(None), server.clock.now))
        try:
            yield connection
        finally:
            await connection.close()


@pytest.fixture
async def sample() -> Sample:
    return Sample(admin=True)


def R(number: int) -> RunRef:
    return RunRef("tr", "R", number)


def P(number: int) -> RunRef:
    return RunRef("tr", "P", number)


def start(name: str = "Smoke 5.2", **more: Any) -> Start:
    return Start(**{"connection": "tr", "letter": "R", "project": 1, "name": name, "suite": Named("Smoke"), **more})


def edit(number: int = 118, **more: Any) -> Edit:
    return Edit(ref=R(number), project=1, **more)


def note(text: str = "Looks good.", number: int = 118, **more: Any) -> Append:
    return Append(**{"ref": R(number), "by": "Ana", "at": AT, "marker": "ab12cd", "note": text, **more})


def link(number: int = 118) -> Append:
    return note("", number, links=(Pointer("The thread", "https://acme.slack.example/1"),))


def report(ref: RunRef) -> Report:
    tests = (Reported(id=1, outcome=Outcome.PASSED),)
    return Report(ref=ref, project=1, by="Ana", at=AT, marker="ab12cd", tests=tests)


def posted(server: Sample) -> list[tuple[str, Any]]:
    """What was sent to change something: call and body."""
    calls = [call for call in server.journal if call.method != "GET"]
    assert all(call.method == "POST" and call.target.startswith("/index.php?/api/v2/") for call in calls)
    assert all(call.headers["Content-Type"] == "application/json" for call in calls)
    return [(call.target.partition("?/api/v2/")[2], json.loads(call.body)) for call in calls]


async def do(connection: testrail.TestRail, change: Change) -> RunRef | None:
    return await connection.carry_out(await connection.prepare(change), {})


# -- what is sent -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "call", "body"),
    [
        (Close(R(118)), "close_run/118", {}),
        (Close(P(9)), "close_plan/9", {}),
        (Delete(R(118)), "delete_run/118", {}),
        (Delete(R(117)), "delete_run/117", {}),
        (start(), "add_run/1", {"name": "Smoke 5.2", "suite_id": 1}),
        (start(suite=Named("4")), "add_run/1", {"name": "Smoke 5.2", "suite_id": 4}),
        (
            start(
                suite=Named("regression"), milestone=Named("5.2"), assignee=Named("tom@acme.example"), refs="A-1, B-2",
                description="Before the release.", cases=(4002, 4001, 4002),
            ),
            "add_run/1",
            {
                "name": "Smoke 5.2", "suite_id": 4, "milestone_id": 7, "assignedto_id": 7, "refs": "A-1, B-2",
                "description": "Before the release.", "include_all": False, "case_ids": [4002, 4001],
            },
        ),
        (start(project=2, suite=None), "add_run/2", {"name": "Smoke 5.2", "suite_id": 2}),
        (start(milestone=Named(""), assignee=Named("Lea Martin")), "add_run/1",
         {"name": "Smoke 5.2", "suite_id": 1, "assignedto_id": 8}),
        (edit(name=" New "), "update_run/118", {"milestone_id": 7, "name": "New"}),
        (edit(description=""), "update_run/118", {"milestone_id": 7, "description": ""}),
        (edit(refs="REL-53"), "update_run/118", {"milestone_id": 7, "refs": "REL-53"}),
        (edit(milestone=Named("5.3")), "update_run/118", {"milestone_id": 8}),
        (edit(milestone=Named("")), "update_run/118", {"milestone_id": None}),
        (edit(cases=(4001,)), "update_run/118", {"milestone_id": 7, "include_all": False, "case_ids": [4001]}),
        (edit(cases=()), "update_run/118", {"milestone_id": 7, "include_all": True}),
        (edit(129, name="New"), "update_run/129", {"name": "New"}),
        (note(number=129), "update_run/129", {"description": f"Looks good.\n{SIGNED}"}),
        (link(129), "update_run/129",
         {"description": f"[The thread](https://acme.slack.example/1)\n{SIGNED}"}),
    ],
)  # fmt: skip
async def test_a_change_is_one_call_as_the_vendor_shows_it(
    sample: Sample, change: Change, call: str, body: dict[str, Any]
) -> None:
    async with connected(sample) as connection:
        await do(connection, change)
    assert posted(sample) == [(call, body)]


async def test_a_start_gives_the_new_run(sample: Sample) -> None:
    async with connected(sample) as connection:
        made = await do(connection, start(cases=(1001, 1002)))
        assert made is not None
        run = await connection.run(made)
    assert (run.name, run.series, run.tally.untested, run.finished) == ("Smoke 5.2", "Smoke", 2, False)


async def test_preparing_puts_names_in_place_of_numbers(sample: Sample) -> None:
    typed = start(suite=Named("4"), milestone=Named("", 7), assignee=Named("8"))
    async with connected(sample) as connection:
        prepared = await connection.prepare(typed)
        again = await connection.prepare(prepared)
    assert prepared == again == replace(
        typed, suite=Named("Regression", 4), milestone=Named("5.2", 7), assignee=Named("Lea Martin", 8)
    )  # fmt: skip
    assert posted(sample) == []


async def test_what_was_made_a_moment_ago_is_found_by_its_name(sample: Sample) -> None:
    async with connected(sample) as connection:
        await connection.prepare(start(milestone=Named("5.2")))
        sample.store.milestones[8].name = "6.0"
        prepared = await connection.prepare(edit(milestone=Named("6.0")))
    assert isinstance(prepared, Edit)
    assert prepared.milestone == Named("6.0", 8)


async def test_closing_a_plan_closes_every_run_in_it(sample: Sample) -> None:
    async with connected(sample) as connection:
        await do(connection, Close(P(9)))
    assert all(sample.run(number).completed_on for number in (119, 120, 121, 122, 123))


async def test_a_key_that_sees_no_names_sends_the_numbers_that_were_typed(sample: Sample) -> None:
    sample.faults.answer("get_(suites|milestones|users|user|cases)", 403, '{"error": "no"}')
    async with connected(sample) as connection:
        await do(connection, start(suite=Named("1"), milestone=Named("7"), assignee=Named("8"), cases=(1001,)))
    assert posted(sample)[0][1] == {
        "name": "Smoke 5.2", "suite_id": 1, "milestone_id": 7, "assignedto_id": 8,
        "include_all": False, "case_ids": [1001],
    }  # fmt: skip


async def test_a_key_that_sees_no_suites_leaves_the_suite_to_testrail(sample: Sample) -> None:
    sample.faults.answer("get_suites", 403, '{"error": "no"}')
    async with connected(sample) as connection:
        with pytest.raises(RejectedFault) as caught:
            await do(connection, start(suite=None))
    assert caught.value.why == "Field :suite_id is a required field."
    assert not caught.value.sent


@pytest.mark.parametrize("change", [edit(name="New"), note()])
async def test_a_milestone_stays_on_builds_that_detach_it(sample: Sample, change: Change) -> None:
    sample.detaches_milestones = True
    async with connected(sample) as connection:
        await do(connection, change)
    assert sample.run(118).milestone_id == 7


# -- what is appended ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("old", ["What the owner signs.", "<p>Signed &amp; <b>sealed</b></p>", "", None])
async def test_a_note_keeps_the_old_description_and_comes_once(sample: Sample, old: str | None) -> None:
    sample.run(118).description = old
    async with connected(sample) as connection:
        await do(connection, note("1 < 2"))
        first = sample.run(118).description
        await do(connection, note("1 < 2"))
        assert await connection.was_done(note("1 < 2"), AT) is True
        await do(connection, note("And another", marker="other"))
    assert first is not None
    assert first.startswith(old or "1 < 2")
    assert sample.run(118).description.startswith(first)  # type: ignore[union-attr]
    assert [call for call, _ in posted(sample)] == ["update_run/118"] * 2


@pytest.mark.parametrize("told", [{"description": ["no", "text"]}, {"description": 5}, {}, {"milestone_id": "soon"}])
async def test_a_run_that_does_not_tell_what_it_has_is_not_written_on(sample: Sample, told: dict[str, Any]) -> None:
    row = {name: value for name, value in sample.row(118).items() if name != "description"}
    if "milestone_id" in told:
        row["description"] = "Before"
    sample.faults.answer("get_run/118", 200, json.dumps({**row, **told}))
    async with connected(sample) as connection:
        with pytest.raises(UnreadableFault) as caught:
            await connection.carry_out(note(), {})
    assert not caught.value.sent
    assert posted(sample) == []


async def test_what_happened_since_it_was_prepared_stops_an_addition(sample: Sample) -> None:
    async with connected(sample) as connection:
        prepared = await connection.prepare(note())
        sample.close(118)
        with pytest.raises(CannotError, match="is closed"):
            await connection.carry_out(prepared, {})
    assert posted(sample) == []


async def test_a_server_that_forgets_the_addition_is_not_believed(sample: Sample) -> None:
    sample.faults.answer("update_run/118", 200, json.dumps({**sample.row(118), "description": "as before"}))
    async with connected(sample) as connection:
        with pytest.raises(UnreadableFault) as caught:
            await connection.carry_out(note(), {})
        assert caught.value.sent
        assert await connection.was_done(note(), AT) is False


# -- refused beforehand -------------------------------------------------------------------------------------------

IN_PLAN = "R81 belongs to plan P80 and is changed in its plan, in TestRail itself."


@pytest.mark.parametrize(
    ("change", "error", "what"),
    [
        (Close(R(81)), CannotError, "R81 belongs to plan P80 and can't be closed alone."),
        (edit(81, name="New"), CannotError, IN_PLAN),
        (note(number=81), CannotError, IN_PLAN),
        (link(81), CannotError, IN_PLAN),
        (Delete(R(81)), CannotError, "R81 belongs to plan P80 and is deleted in its plan, in TestRail itself."),
        (edit(117, name="New"), CannotError, "R117 is closed and stays as it is."),
        (note(number=117), CannotError, "R117 is closed and stays as it is."),
        (link(117), CannotError, "R117 is closed and stays as it is."),
        (Close(RunRef("tr", "R", 118, 2)), CannotError, "R118 has no threads."),
        (Close(R(9999)), NotFoundError, "No run R9999 in TestRail."),
        (note(number=9999), NotFoundError, "No run R9999 in TestRail."),
        (start(" "), AskError, "A TestRail run needs a name."),
        (edit(name=""), AskError, "A TestRail run needs a name."),
        (start("x" * 251), AskError, "That name is too long for TestRail."),
        (start(source="nightly"), CannotError, "A TestRail run takes no source."),
        (start(config=Named("Chrome")), CannotError, "A TestRail run takes no configuration."),
        (start(tags=("smoke",)), CannotError, "A TestRail run takes no tags."),
        (start(links=(Pointer("", "https://a.example"),)), CannotError, "A TestRail run takes no links."),
        (start(artifacts=(Pointer("", "https://a.example"),)), CannotError, "A TestRail run takes no artifacts."),
        (start(fields=(("a", "b"),)), CannotError, "A TestRail run takes no fields."),
        (start(suite=None), AskError, "Which suite is the run to be made from?"),
        (start(suite=Named("Smok")), NotFoundError, "No suite “Smok” in TestRail."),
        (start(suite=Named("2")), NotFoundError, "No suite “2” in TestRail."),
        (start(milestone=Named("5.9")), NotFoundError, "No milestone “5.9” in TestRail."),
        (start(assignee=Named("Nobody At All")), NotFoundError, "No user “Nobody At All” in TestRail."),
        (start(assignee=Named("17")), NotFoundError, "No user “17” in TestRail."),
        (start(cases=(1001, 4001)), NotFoundError, "No case C4001 in that suite."),
        (start(project=99), NotFoundError, "No project 99 in TestRail."),
        (start(letter="P"), CannotError, testrail.PLAN.cannot["start"]),
        (edit(), AskError, "What is to change of R118?"),
        (edit(milestone=Named("5.9")), NotFoundError, "No milestone “5.9” in TestRail."),
        (edit(cases=(1001, 1002)), NotFoundError, "No cases C1001, C1002 in that suite."),
        (note(""), AskError, "What is to be put on R118?"),
        (note("", links=(Pointer("x", "javascript:alert(1)"),)), AskError, "“javascript:alert(1)” is no web address."),
        (note("", artifacts=(Pointer("x", "https://a b"),)), AskError, "“https://a b” is no web address."),
        (report(R(118)), CannotError, testrail.RUN.cannot["report"]),
        (report(P(9)), CannotError, testrail.PLAN.cannot["report"]),
        (Delete(P(9)), CannotError, testrail.PLAN.cannot["delete"]),
        (Edit(ref=P(9), project=1, name="New"), CannotError, testrail.PLAN.cannot["edit"]),
        (note(ref=P(9)), CannotError, testrail.PLAN.cannot["note"]),
    ],
)
async def test_what_testrail_cannot_take_is_refused_before_anything_is_sent(
    sample: Sample, change: Change, error: type[AskError], what: str
) -> None:
    async with connected(sample) as connection:
        with pytest.raises(error) as caught:
            await connection.prepare(change)
    assert caught.value.what == what
    assert caught.value.why
    assert caught.value.fix
    assert posted(sample) == []


async def test_a_run_of_a_plan_leads_to_its_plan(sample: Sample) -> None:
    async with connected(sample) as connection:
        with pytest.raises(CannotError) as closing:
            await connection.prepare(Close(R(81)))
        with pytest.raises(CannotError) as noting:
            await connection.prepare(note(number=81))
    assert (closing.value.closest, noting.value.closest) == (("close tr:P80",), ("show tr:P80",))


async def test_the_suites_are_named_when_one_has_to_be_chosen(sample: Sample) -> None:
    async with connected(sample) as connection:
        with pytest.raises(AmbiguousError) as caught:
            await connection.prepare(start(suite=None))
        with pytest.raises(NotFoundError) as close:
            await connection.prepare(start(suite=Named("Smoek")))
    assert "Smoke (1)" in caught.value.why
    assert ("Smoke (1)", "--suite 1") in [(each.label, each.command) for each in caught.value.choices]
    assert close.value.closest == ("Smoke",)


async def test_a_name_of_several_asks_for_the_number(sample: Sample) -> None:
    sample.store.milestones[8].name = "5.2"
    async with connected(sample) as connection:
        with pytest.raises(AskError) as caught:
            await connection.prepare(start(milestone=Named("5.2")))
    assert caught.value.why == "2 have that name: 7, 8."


async def test_cases_are_read_no_further_than_needed(sample: Sample) -> None:
    async with connected(sample) as connection:
        await connection.prepare(start(suite=Named("Full catalogue"), cases=(6001, 6002)))
        few = len(sample.calls("get_cases"))
        sample.faults.answer("get_cases", 500)
        await connection.prepare(start(suite=Named("Full catalogue"), cases=(9_999_999,)))
    assert few == 1


def test_every_verb_is_either_there_or_explained() -> None:
    writes = {"close", "start", "edit", "note", "link", "attach", "report", "delete"}
    for kind in (testrail.RUN, testrail.PLAN):
        assert writes <= kind.verbs | set(kind.cannot)
        assert kind.closing is not None
        assert (kind.closing.verb, kind.closing.done, kind.closing.for_good) == ("close", "closed", True)


# -- was it done? -------------------------------------------------------------------------------------------------

EVERY: list[tuple[str, Change]] = [
    ("close", Close(R(118))),
    ("close a plan", Close(P(9))),
    ("start", start("Unheard of", milestone=Named("5.2"))),
    ("edit", edit(name="New", description="As told.", milestone=Named("5.3"), refs="A-1,B-2")),
    ("edit cases", edit(cases=(4001, 4002))),
    ("edit to all cases", edit(cases=())),
    ("take away", edit(description="", milestone=Named(""), refs="")),
    ("note", note()),
    ("link", link()),
    ("delete", Delete(R(118))),
]
every_change = pytest.mark.parametrize("change", [each[1] for each in EVERY], ids=[each[0] for each in EVERY])


def unlike(sample: Sample) -> None:
    """R118 as none of the changes would leave it."""
    run = sample.run(118)
    run.include_all, run.description, run.refs = False, "Before", "OLD-1"


@every_change
async def test_what_was_not_done_is_not_shown_as_done(sample: Sample, change: Change) -> None:
    unlike(sample)
    since = sample.clock.now()
    async with connected(sample) as connection:
        prepared = await connection.prepare(change)
        assert await connection.was_done(prepared, since) is False
    assert posted(sample) == []


@every_change
@pytest.mark.parametrize("how", ["hang", "reset", "web page"])
async def test_what_was_done_shows_though_the_answer_never_came(sample: Sample, change: Change, how: str) -> None:
    unlike(sample)
    since = sample.clock.now()
    spoils: dict[str, Callable[[], object]] = {
        "hang": lambda: sample.faults.hang("^POST", after=True),
        "reset": lambda: sample.faults.reset("^POST", after=True),
        "web page": lambda: sample.faults.answer("^POST", 200, "<html>Login</html>", after=True),
    }
    async with connected(sample) as connection:
        prepared = await connection.prepare(change)
        spoils[how]()
        patience = PATIENCE.set(Patience(time.monotonic() + 0.6))
        try:
            with pytest.raises(SystemFault) as caught:
                await connection.carry_out(prepared, {})
        finally:
            PATIENCE.reset(patience)
        assert caught.value.sent
        done = await connection.was_done(prepared, since)
    newest = R(max(sample.store.runs))
    assert done == (newest if isinstance(change, Start) else True)
    assert len(posted(sample)) == 1


async def test_of_two_new_runs_of_one_name_none_is_taken(sample: Sample) -> None:
    since = sample.clock.now()
    async with connected(sample) as connection:
        prepared = await connection.prepare(start("Twice"))
        await connection.carry_out(prepared, {})
        await connection.carry_out(prepared, {})
        assert await connection.was_done(prepared, since) is None


async def test_a_run_from_a_little_before_may_be_another(sample: Sample) -> None:
    async with connected(sample) as connection:
        prepared = await connection.prepare(start("Before"))
        await connection.carry_out(prepared, {})
        assert await connection.was_done(prepared, sample.clock.now() + timedelta(seconds=60)) is None
        assert await connection.was_done(prepared, sample.clock.now() + timedelta(minutes=5)) is False
        other = await connection.prepare(start("Before", suite=Named("Regression")))
        assert await connection.was_done(other, sample.clock.now()) is False


@pytest.mark.parametrize("change", [Close(R(118)), edit(name="New"), note()])
async def test_of_a_run_that_is_gone_nothing_can_be_told(sample: Sample, change: Change) -> None:
    sample.remove_run(118)
    async with connected(sample) as connection:
        assert await connection.was_done(change, sample.clock.now()) is None


async def test_a_fault_while_reading_is_told_and_not_taken_for_an_answer(sample: Sample) -> None:
    sample.faults.answer("get_run/118", 403, '{"error": "no"}')
    async with connected(sample) as connection:
        with pytest.raises(RefusedFault):
            await connection.was_done(Delete(R(118)), sample.clock.now())


async def test_rich_text_made_of_an_edit_shows_that_it_was_done(sample: Sample) -> None:
    sample.run(118).description = "<p>As told &amp; done.</p>"
    async with connected(sample) as connection:
        assert await connection.was_done(edit(description="As told & done.\r\n"), AT) is True
        assert await connection.was_done(edit(description="Something else"), AT) is False


# -- the system's own refusals ------------------------------------------------------------------------------------


def refused(text: str, status: int = 403) -> tuple[int, str]:
    return status, json.dumps({"error": text})


@pytest.mark.parametrize(
    ("answer", "error", "what"),
    [
        ((403, COMPLETED), RejectedFault, "TestRail changed nothing: the run is closed already."),
        ((400, COMPLETED), RejectedFault, "TestRail changed nothing: the run is closed already."),
        (
            refused("This operation is not allowed. The test plan is already completed."),
            RejectedFault,
            "TestRail changed nothing: the plan is closed already.",
        ),
        (
            refused(
                "This operation is not allowed. The test run belongs to a test plan and cannot be closed independently."
            ),
            RejectedFault,
            "TestRail changed nothing: the run belongs to a plan.",
        ),
        (
            refused("Field :run_id is part of a test run. Please use API endpoints for test plan entries.", 400),
            RejectedFault,
            "TestRail changed nothing: the run belongs to a plan.",
        ),
        (
            refused("You are not allowed to close test runs (insufficient permissions)."),
            RefusedFault,
            "TestRail does not let our key close test runs.",
        ),
        (refused("Whatever."), RefusedFault, "TestRail does not let our key do this."),
        (refused("Field :x is odd.", 400), RejectedFault, "TestRail did not take the change."),
        (refused("Field :run_id is not a valid test run.", 400), NotFoundError, "No run R118 in TestRail."),
    ],
)
async def test_its_refusals_are_told_in_plain_words(
    sample: Sample, answer: tuple[int, str], error: type[RundownError], what: str
) -> None:
    sample.faults.answer("close_run/118", *answer)
    async with connected(sample) as connection:
        with pytest.raises(error) as caught:
            await connection.carry_out(Close(R(118)), {})
    assert caught.value.what == what
    assert caught.value.fix
    assert not getattr(caught.value, "sent", False)
    assert len(posted(sample)) == 1


@pytest.mark.parametrize(
    ("right", "change", "what"),
    [
        ("close_run", Close(R(118)), "close test runs"),
        ("close_plan", Close(P(9)), "close test plans"),
        ("add_run", start(), "add test runs"),
        ("update_run", note(), "edit test runs"),
        ("delete_run", Delete(R(118)), "delete test runs"),
        ("delete_completed_run", Delete(R(117)), "delete completed test runs"),
    ],
)
async def test_a_missing_right_is_named(sample: Sample, right: str, change: Change, what: str) -> None:
    sample.denied.add(right)
    async with connected(sample) as connection:
        with pytest.raises(RefusedFault) as caught:
            await do(connection, change)
    assert caught.value.what == f"TestRail does not let our key {what}."


async def test_nothing_is_sent_twice_and_only_what_was_sent_is_in_doubt(sample: Sample) -> None:
    sample.faults.answer("^POST", 500)
    async with connected(sample) as connection:
        with pytest.raises(SystemFault) as caught:
            await connection.carry_out(Close(R(118)), {})
        assert caught.value.sent
        sample.faults.clear()
        sample.faults.html("get_run/118")
        with pytest.raises(SystemFault) as before:
            await connection.carry_out(edit(name="New"), {})
        assert not before.value.sent
    assert [call for call, _ in posted(sample)] == ["close_run/118"]


async def test_another_run_in_the_answer_leaves_it_in_doubt(sample: Sample) -> None:
    for row in (sample.row(129), {**sample.row(118), "is_completed": False}):
        sample.faults.clear()
        sample.faults.answer("close_run/118", 200, json.dumps(row))
        async with connected(sample) as connection:
            with pytest.raises(UnreadableFault) as caught:
                await connection.carry_out(Close(R(118)), {})
        assert caught.value.sent


async def test_a_name_that_nobody_looked_up_never_goes_out_as_nothing(sample: Sample) -> None:
    async with connected(sample) as connection:
        with pytest.raises(ValueError, match="not looked up"):
            await connection.carry_out(edit(milestone=Named("5.3")), {})
    assert posted(sample) == []


# -- what would be lost -------------------------------------------------------------------------------------------


async def test_a_loss_is_asked_for_softly_in_both_places(sample: Sample) -> None:
    async with connected(sample) as connection:
        assert await connection.loss(R(118)) == Loss(80)
    assert posted(sample) == [("delete_run/118&soft=1", {"soft": 1})]
    assert 118 in sample.store.runs


@pytest.mark.parametrize("answer", ["", "[]", "{}", '"none"', '{"deleted": true}'])
async def test_a_loss_that_tells_nothing_is_unknown(sample: Sample, answer: str) -> None:
    sample.faults.answer("delete_run", 200, answer)
    async with connected(sample) as connection:
        assert await connection.loss(R(118)) == Loss()


async def test_a_testrail_too_old_for_it_is_never_asked_to_delete_softly() -> None:
    old = Sample(admin=True, old=True)
    async with connected(old) as connection:
        assert await connection.loss(R(118)) == Loss(80)
    assert posted(old) == []
    assert 118 in old.store.runs


async def test_plans_are_not_deleted_so_nothing_is_lost(sample: Sample) -> None:
    async with connected(sample) as connection:
        with pytest.raises(CannotError):
            await connection.loss(P(9))
        with pytest.raises(NotFoundError):
            await connection.loss(R(9999))
    assert posted(sample) == []


# -- what can be chosen -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("what", "offered"),
    [
        ("suite", ["Smoke", "Regression", "Accessibility", "Full catalogue", "Strange characters"]),
        ("milestone", ["5.2", "5.3"]),
        ("source", []),
    ],
)
async def test_offers_what_is_open_to_choose(sample: Sample, what: str, offered: list[str]) -> None:
    async with connected(sample) as connection:
        assert [each.name for each in await connection.offers(what, 1)] == offered


async def test_offers_people_who_are_active_by_name(sample: Sample) -> None:
    async with connected(sample) as connection:
        offered = await connection.offers("person", 1)
    names = [each.name for each in offered]
    assert names == sorted(names, key=str.casefold)
    assert Named("Tom Becker", 7) in offered
    assert "Nina Rossi" not in names


async def test_offers_nothing_to_a_key_that_may_not_see_it(sample: Sample) -> None:
    sample.faults.answer("get_(suites|milestones|users)", 403, '{"error": "no"}')
    async with connected(sample) as connection:
        assert [await connection.offers(what, 1) for what in ("suite", "milestone", "person")] == [(), (), ()]


async def test_forgetting_a_run_reads_the_runs_of_its_plan_anew(sample: Sample) -> None:
    async with connected(sample) as connection:
        for forgotten in (R(119), P(9)):
            plan = await connection.run(P(9))
            connection.forget(forgotten)
            sample.journal.clear()
            await connection.parts(plan)
            assert len(sample.calls("get_plan/9")) == 1


async def test_many_changes_at_once_are_one_call_each(sample: Sample) -> None:
    runs = [run.id for run in sample.store.runs.values() if run.completed_on is None and run.plan_id is None]
    async with connected(sample) as connection:
        await asyncio.gather(*(connection.carry_out(Close(R(number)), {}) for number in runs))
    assert sorted(call for call, _ in posted(sample)) == sorted(f"close_run/{number}" for number in runs)
