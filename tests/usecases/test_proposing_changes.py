"""Changes before anybody confirms them: what they would do, what may surprise, what could not be read."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.domain.acts import (
    Append,
    Attachment,
    Close,
    Delete,
    Edit,
    Ended,
    Entry,
    Loss,
    Named,
    Pointer,
    Proposal,
    Recent,
    Report,
    Reported,
    Start,
    Step,
)
from bot.domain.errors import (
    AmbiguousError,
    AskError,
    CannotError,
    Choice,
    NoContextError,
    NotFoundError,
    TooLateError,
)
from bot.domain.model import Project, Result, Run
from bot.domain.outcomes import Outcome, Tally
from bot.usecases.changing import LateError
from bot.usecases.finding import Found
from bot.usecases.proposing import (
    Draft,
    cases_words,
    propose_append,
    propose_close,
    propose_delete,
    propose_edit,
    propose_report,
    propose_start,
    start_fields,
    start_target,
)
from bot.usecases.showing import EXTRAS_S
from bot.usecases.systems import Systems, Target
from tests.usecases.world_of_fakes import (
    NOW,
    OPEN_AUTOMATION,
    FakeConnection,
    Workshop,
    a_practitest,
    a_thread,
    at_once,
    check_words,
    commands,
    context,
    down,
    found,
    marking_practitest,
    open_testmo,
    open_testrail,
)


def draft(*connections: FakeConnection, typed: str = "close testrail:R118") -> Draft:
    return Draft(key="k1", by="U1", now=NOW, typed=typed, ledger=Workshop(*connections).ledger)


def a_run(**more: Any) -> tuple[FakeConnection, Run]:
    testrail = open_testrail()
    return testrail, testrail.add("R", 118, name="Release 5.2", **more)


def a_result(minutes: float, outcome: Outcome | None = Outcome.PASSED, by: str = "Ana") -> Result:
    return Result(test="t", outcome=outcome, at=NOW - timedelta(minutes=minutes), by=by)


# ── closing ──


@pytest.mark.parametrize(
    ("make", "letter", "word", "line"),
    [
        (open_testrail, "R", "closed", "TestRail archives its tests and results."),
        (open_testrail, "P", "closed", "Its runs are closed."),
        (open_testmo, "A", "completed", "All its threads are completed, too."),
        (marking_practitest, "S", "marked", "It stays open for results."),
    ],
)
async def test_closing_is_put_in_the_systems_own_words(
    make: Callable[[], FakeConnection], letter: str, word: str, line: str
) -> None:
    connection = make()
    run = connection.add(letter, 7, name="Smoke", tests="a:P b:P")
    proposal = await propose_close(found(connection, run), draft(connection, typed="close x"))
    assert proposal == Proposal(
        key="k1",
        verb="close",
        change=Close(run.ref),
        where=f"{connection.system} › Webshop",
        by="U1",
        made_at=NOW,
        typed="close x",
        run=run,
        title="Smoke",
        closing=run.kind.closing,
        lines=(line,),
    )
    assert proposal.closing is not None
    assert proposal.closing.done == word
    assert not connection.calls("carry_out")


async def test_completing_a_thread_speaks_of_the_thread_alone() -> None:
    testmo = open_testmo()
    run = testmo.add("A", 412, name="Nightly", tally=Tally(failed=3, untested=2), threads_active=2, threads_total=2)
    testmo.threaded[412] = (a_thread(1), a_thread(2, finished=False))
    proposal = await propose_close(found(testmo, run, thread=2), draft(testmo))
    assert (proposal.change, proposal.title) == (Close(replace(run.ref, thread=2)), "part 2 of Nightly")
    assert proposal.lines == ("The other threads and the run go on.",)
    assert (proposal.warnings, proposal.untested_by, testmo.calls("tests")) == ((), (), [])


@pytest.mark.parametrize(
    ("more", "warnings"),
    [
        ({"tally": Tally(passed=3)}, ()),
        ({"tally": Tally(failed=2)}, ()),
        ({"threads_active": 1, "threads_total": 4}, ("1 of its 4 threads is still at work.",)),
        (
            {"tally": Tally(failed=2), "threads_active": 3, "threads_total": 4},
            ("3 of its 4 threads are still at work.",),
        ),
    ],
)
async def test_what_may_surprise_is_warned_of(more: dict[str, Any], warnings: tuple[str, ...]) -> None:
    testmo = open_testmo()
    run = testmo.add("A", 1, **more)
    assert (await propose_close(found(testmo, run), draft(testmo))).warnings == warnings


@pytest.mark.parametrize(
    ("tests", "untested", "by"),
    [
        ("a:.@Ana b:.@Ben c:.@Ben d:P@Ben e:.", 4, (("Ben", 2), ("Ana", 1), ("", 1))),
        ("a:P", 0, ()),
        ("", 3, ()),
    ],
)
async def test_untested_tests_are_told_by_whose_they_are(
    tests: str, untested: int, by: tuple[tuple[str, int], ...]
) -> None:
    testrail, run = a_run(tests=tests, tally=Tally(passed=1, untested=untested))
    assert (await propose_close(found(testrail, run), draft(testrail))).untested_by == by
    assert len(testrail.calls("tests")) == (untested > 0)


@pytest.mark.parametrize(
    ("results", "recent"),
    [
        ([], None),
        ([a_result(15)], (1, 15.0, "Ana")),
        ([a_result(15.01)], None),
        ([a_result(-0.01)], None),
        ([a_result(0)], (1, 0.0, "Ana")),
        ([a_result(1, None)], None),
        ([a_result(9), a_result(2, by="Ben"), a_result(5), a_result(40), a_result(-3)], (3, 2.0, "Ben")),
    ],
)
async def test_results_of_the_last_quarter_of_an_hour_are_told(results: list[Result], recent: Any) -> None:
    testrail, run = a_run(tally=Tally(passed=5))
    testrail.results_of = results
    proposal = await propose_close(found(testrail, run), draft(testrail))
    expected = recent and Recent(
        count=recent[0], minutes=15, last_at=NOW - timedelta(minutes=recent[1]), last_by=recent[2]
    )
    assert proposal.recent == expected


async def test_a_run_nobody_has_begun_is_not_asked_for_results() -> None:
    testrail, run = a_run(tally=Tally(untested=5))
    await propose_close(found(testrail, run), draft(testrail))
    assert not testrail.calls("results")


TESTS, RESULTS = "whose the untested tests are could not be read", "the results of the last minutes could not be read"


@pytest.mark.parametrize(
    ("wrong", "missing"),
    [
        ((), ()),
        (("tests",), (TESTS,)),
        (("results",), (RESULTS,)),
        (("tests", "results"), (TESTS, RESULTS)),
        (("tests", "results", "projects"), (TESTS, RESULTS)),
    ],
)
@pytest.mark.parametrize("hangs", [False, True])
def test_what_can_not_be_read_beside_the_run_is_said_and_holds_up_nobody(
    wrong: tuple[str, ...], missing: tuple[str, ...], hangs: bool
) -> None:
    testrail, run = a_run(tests="a:. b:P", tally=Tally(passed=1, untested=1), missing=("its milestone",))
    if hangs:
        testrail.hangs = set(wrong)
    else:
        testrail.errors = dict.fromkeys(wrong, down())
    proposal, took_s = at_once(propose_close(found(testrail, run), draft(testrail)))
    assert proposal.missing == ("its milestone", *missing)
    assert proposal.where == ("TestRail › project 1" if "projects" in wrong else "TestRail › Webshop")
    assert took_s <= EXTRAS_S


@pytest.mark.parametrize(("seconds", "again"), [(2, 0), (10.1, 1), (600, 1)])
async def test_a_run_read_a_while_ago_is_read_again(seconds: float, again: int) -> None:
    testrail, run = a_run(tally=Tally(passed=1), read_at=NOW - timedelta(seconds=seconds))
    seen = found(testrail, run)
    testrail.alter(run.ref, tally=Tally(passed=2), read_at=NOW)
    proposal = await propose_close(seen, draft(testrail))
    assert proposal.run is not None
    assert proposal.run.tally.passed == 1 + again
    assert len(testrail.calls("forget")) == again


async def test_a_run_closed_elsewhere_is_told_as_closed() -> None:
    testrail, run = a_run(finished=True, finished_at=NOW - timedelta(hours=2))
    with pytest.raises(TooLateError) as caught:
        await propose_close(found(testrail, run), draft(testrail))
    assert caught.value.why == "Somebody did that in TestRail 2 h ago."
    check_words(caught.value)


async def test_a_run_closed_from_here_is_told_with_who_did_it() -> None:
    testrail, run = a_run(finished=True)
    shop = Workshop(testrail)
    done = Entry(
        key="k0", verb="close", connection="testrail", ref=run.ref, title="", who="U7", who_name="Ben", team="T1",
        channel="C1", thread="", at=NOW, outcome=Ended.DONE, ended_at=NOW,
    )  # fmt: skip
    shop.ledger.rows["k0"] = (done, None)
    with pytest.raises(LateError) as caught:
        await propose_close(found(testrail, run), replace(draft(), ledger=shop.ledger))
    assert caught.value.entry == done


async def test_a_finished_set_can_still_be_marked_but_only_once() -> None:
    practitest = marking_practitest()
    run = practitest.add("S", 55, finished=True)
    assert (await propose_close(found(practitest, run), draft(practitest))).verb == "close"
    practitest.reread = [True]
    with pytest.raises(TooLateError) as caught:
        await propose_close(found(practitest, run), draft(practitest))
    assert caught.value.what == "S55 is marked already."


async def test_a_finished_thread_is_told_as_completed_and_an_unknown_one_as_unknown() -> None:
    testmo = open_testmo()
    run = testmo.add("A", 412)
    testmo.threaded[412] = (a_thread(1, finished=True), a_thread(2, finished=False))
    with pytest.raises(TooLateError) as caught:
        await propose_close(found(testmo, run, thread=1), draft(testmo))
    assert caught.value.what == "A412/1 is completed already."
    with pytest.raises(NotFoundError) as unknown:
        await propose_close(found(testmo, run, thread=3), draft(testmo))
    check_words(unknown.value)


# ── what can't be done, and what is not certain ──


Propose = Callable[[Found, Draft], Awaitable[Proposal]]


def append(seen: Found, how: Draft) -> Awaitable[Proposal]:
    return propose_append("note", seen, Append(ref=seen.ref, by="Ana", at=NOW, marker="m", note="hi"), how)


def edit(seen: Found, how: Draft) -> Awaitable[Proposal]:
    return propose_edit(seen, Edit(ref=seen.run.ref, project=1, name="new"), how)


def report(seen: Found, how: Draft) -> Awaitable[Proposal]:
    tests = (Reported(outcome=Outcome.PASSED, id=3),)
    return propose_report(seen, Report(ref=seen.run.ref, project=1, by="Ana", at=NOW, marker="m", tests=tests), how)


@pytest.mark.parametrize(
    ("make", "letter", "propose", "what"),
    [
        (open_testmo, "R", propose_close, "Testmo's API closes no manual runs."),
        (open_testmo, "A", propose_delete, "Testmo's API deletes no automation runs; delete it on its page."),
        (open_testmo, "A", edit, "Testmo can't edit an automation run."),
        (open_testrail, "R", report, "Results are reported in TestRail itself."),
        (a_practitest, "S", append, "PractiTest can't note a test set."),
    ],
)
async def test_what_a_system_can_not_do_is_said_in_one_sentence(
    make: Callable[[], FakeConnection], letter: str, propose: Propose, what: str
) -> None:
    connection = make()
    run = connection.add(letter, 7)
    with pytest.raises(CannotError) as caught:
        await propose(found(connection, run), draft(connection))
    assert caught.value.what == what
    check_words(caught.value)
    assert not connection.calls("prepare")


@pytest.mark.parametrize("propose", [propose_close, propose_delete, append, edit])
async def test_a_single_test_of_a_run_is_not_taken_for_the_run(propose: Propose) -> None:
    testrail, run = a_run()
    with pytest.raises(CannotError) as caught:
        await propose(found(testrail, run, part=5), draft(testrail))
    check_words(caught.value)


async def test_a_thread_that_can_not_be_closed_alone_is_said() -> None:
    testmo = FakeConnection("testmo", "Testmo", {"A": replace(OPEN_AUTOMATION, closing_thread=None)})
    run = testmo.add("A", 412)
    testmo.threaded[412] = (a_thread(1, finished=False),)
    with pytest.raises(CannotError) as caught:
        await propose_close(found(testmo, run, thread=1), draft(testmo))
    check_words(caught.value)


@pytest.mark.parametrize(
    ("propose", "typed"),
    [
        (propose_close, "close testrail:R118"),
        (propose_delete, "delete testrail:R118"),
        (append, 'note testrail:R118 "not what it seems"'),
        (edit, "edit testrail:R118 --name new"),
    ],
)
async def test_a_run_that_another_system_may_have_too_is_asked_about_without_losing_what_was_typed(
    propose: Propose, typed: str
) -> None:
    testrail, run = a_run()
    doubtful = replace(found(testrail, run), doubts=("Testmo could not be asked and may have R118 too",))
    with pytest.raises(AmbiguousError) as caught:
        await propose(doubtful, draft(testrail, typed=typed))
    assert commands(caught.value) == [typed]
    assert caught.value.why == "Testmo could not be asked and may have R118 too."
    check_words(caught.value)
    assert not testrail.calls("prepare")


# ── starting ──


async def test_a_start_goes_to_the_one_system_that_can() -> None:
    systems = Systems([a_practitest(), open_testrail()])
    target, kind = await start_target(systems, None, connection="", project="", typed="start x")
    assert (target.where, kind.letter) == ("TestRail › Webshop", "R")


@pytest.mark.parametrize("chosen", ["testmo", "testrail"])
async def test_a_start_goes_where_the_channel_is(chosen: str) -> None:
    systems = Systems([open_testmo(), open_testrail()])
    target, _ = await start_target(systems, context(chosen), connection="", project="", typed="start x")
    assert target.connection.name == chosen


@pytest.mark.parametrize(
    ("asked", "typed"),
    [("", 'start "Smoke test" --source nightly'), ("all", "start x --in all"), ("", 'start "a --in b"')],
)
async def test_a_start_that_several_could_take_is_asked_about(asked: str, typed: str) -> None:
    systems = Systems([open_testmo(), open_testrail(), a_practitest()])
    with pytest.raises(AmbiguousError) as caught:
        await start_target(systems, None, connection=asked, project="", typed=typed)
    assert [choice.label for choice in caught.value.choices] == [
        "Testmo › Webshop: automation run",
        "TestRail › Webshop: run",
    ]
    assert [parsed(command) for command in commands(caught.value)] == ["testmo", "testrail"]
    check_words(caught.value)


def parsed(command: str) -> str:
    """The connection that a command names."""
    from bot.slack.grammar import Grammar

    return Grammar().parse(command, now=NOW).word("in")


@pytest.mark.parametrize("name", ["testrail", "TestRail"])
async def test_a_start_in_a_system_of_several_connections_is_asked_about(name: str) -> None:
    systems = Systems([open_testrail("web"), open_testrail("api")])
    with pytest.raises(AmbiguousError) as caught:
        await start_target(systems, None, connection=name, project="", typed=f"start x --in {name}")
    assert [parsed(command) for command in commands(caught.value)] == ["web", "api"]


async def test_a_start_in_a_project_that_several_have_needs_the_connection() -> None:
    systems = Systems([open_testrail("web"), open_testrail("api")])
    with pytest.raises(NoContextError) as caught:
        await start_target(systems, None, connection="", project="Webshop", typed="start x")
    check_words(caught.value)


async def test_a_start_nobody_can_take_is_refused_in_words() -> None:
    with pytest.raises(CannotError) as caught:
        await start_target(Systems([a_practitest()]), None, connection="", project="", typed="start x")
    assert caught.value.what == "PractiTest can't start runs from here."
    check_words(caught.value)


async def test_a_start_whose_system_can_not_be_asked_says_so() -> None:
    testrail = open_testrail(project=None)
    testrail.errors["projects"] = down()
    with pytest.raises(type(down())):
        await start_target(Systems([a_practitest(), testrail]), None, connection="", project="", typed="start x")


A_START = Start(connection="testmo", letter="A", project=1, name="Smoke", source="Nightly")


@pytest.mark.parametrize(
    ("known", "error", "warnings", "missing"),
    [
        ((Named("nightly", 3),), None, (), ()),
        ((Named("weekly", 3),), None, ("The source “Nightly” is new; Testmo will make it.",), ()),
        ((), down("Testmo"), (), ("the sources could not be read",)),
    ],
)
async def test_a_new_source_is_warned_of(
    known: tuple[Named, ...], error: Any, warnings: tuple[str, ...], missing: tuple[str, ...]
) -> None:
    testmo = open_testmo()
    testmo.offered["source"] = known
    if error:
        testmo.errors["offers"] = error
    target = Target(testmo, Project(1, "Webshop"))
    proposal = await propose_start(A_START, target, OPEN_AUTOMATION, draft(testmo, typed="start Smoke"))
    assert (proposal.warnings, proposal.missing) == (warnings, missing)
    assert proposal.lines == ("A new automation run is made in Testmo › Webshop.",)
    assert (proposal.run, proposal.title, proposal.has_form, proposal.change) == (None, "Smoke", True, A_START)
    assert proposal.fields == (("name", "", "Smoke"), ("source", "", "Nightly"))


async def test_a_start_is_put_as_the_system_will_get_it() -> None:
    testrail = open_testrail()
    change = Start(connection="testrail", letter="R", project=1, name="S", suite=Named("regr"))
    testrail.prepares = lambda _: replace(change, suite=Named("Regression", 4))
    target = Target(testrail, Project(1, "Webshop"))
    proposal = await propose_start(change, target, testrail.kinds["R"], draft(testrail))
    assert proposal.fields == (("name", "", "S"), ("suite", "", "Regression"), ("cases", "", "all of the suite"))


@pytest.mark.parametrize(
    ("given", "fields"),
    [
        ({"cases": (1, 2)}, (("cases", "2 cases: C1, C2"),)),
        ({"letter": "A"}, ()),
        ({"letter": "A", "tags": ("a", "b")}, (("tags", "a, b"),)),
        ({"letter": "A", "links": (Pointer("CI", "https://ci"), Pointer("", "u"))}, (("links", "CI (https://ci), u"),)),
        ({"letter": "A", "fields": (("browser", "x"), ("os", ""))}, (("browser", "x"),)),
        ({"letter": "A", "milestone": Named("", 7), "assignee": Named("Ana", 2)},
         (("milestone", "number 7"), ("assigned to", "Ana"))),
        ({"letter": "A", "config": Named("Chrome"), "refs": "J-1", "description": "d"},
         (("configuration", "Chrome"), ("refs", "J-1"), ("description", "d"))),
    ],
)  # fmt: skip
def test_only_what_a_new_run_will_have_is_shown(given: dict[str, Any], fields: tuple[tuple[str, str], ...]) -> None:
    change = Start(**{"connection": "x", "letter": "R", "project": 1, "name": "S", **given})
    assert start_fields(change) == (("name", "S"), *fields)


@pytest.mark.parametrize(
    ("count", "words"),
    [(1, "1 case: C1"), (10, "10 cases: C1, C2, C3, C4, C5, C6, C7, C8, C9, C10"),
     (12, "12 cases: C1, C2, C3, C4, C5, C6, C7, C8, C9, C10 and 2 more")],
)  # fmt: skip
def test_the_first_cases_are_named(count: int, words: str) -> None:
    assert cases_words(tuple(range(1, count + 1))) == words


# ── editing, adding, reporting, deleting ──


@pytest.mark.parametrize(
    ("given", "fields"),
    [
        ({"name": "Release 5.3"}, (("name", "Release 5.2", "Release 5.3"),)),
        ({"name": "Release 5.2", "refs": "J-2"}, (("refs", "J-1", "J-2"),)),
        ({"refs": ""}, (("refs", "J-1", ""),)),
        ({"milestone": Named("")}, (("milestone", "M1", ""),)),
        ({"milestone": Named("M2", 2), "description": "d"}, (("milestone", "M1", "M2"), ("description", "", "d"))),
        ({"cases": (1,)}, (("cases", "1 test", "1 case: C1"),)),
        ({"cases": ()}, (("cases", "1 test", "every case of the suite"),)),
    ],
)
async def test_an_edit_shows_only_what_changes(given: dict[str, Any], fields: Any) -> None:
    testrail, run = a_run(refs="J-1", milestone="M1", tally=Tally(passed=1))
    change = Edit(ref=run.ref, project=1, **given)
    proposal = await propose_edit(found(testrail, run), change, draft(testrail))
    assert (proposal.fields, proposal.change, proposal.has_form) == (fields, change, True)
    assert bool(proposal.warnings) == ("cases" in given)


@pytest.mark.parametrize("given", [{}, {"name": "Release 5.2"}, {"refs": "J-1", "milestone": Named("M1", 1)}])
async def test_an_edit_that_changes_nothing_is_refused(given: dict[str, Any]) -> None:
    testrail, run = a_run(refs="J-1", milestone="M1")
    with pytest.raises(AskError) as caught:
        await propose_edit(found(testrail, run), Edit(ref=run.ref, project=1, **given), draft(testrail))
    assert caught.value.what == "R118 is like that already."
    check_words(caught.value)


@pytest.mark.parametrize(
    ("verb", "given", "fields"),
    [
        ("note", {"note": "looks fine"}, (("note", "", "looks fine"),)),
        ("link", {"links": (Pointer("CI", "https://ci"),)}, (("link", "", "CI (https://ci)"),)),
        ("link", {"links": (Pointer("u", "u"), Pointer("", "v"))}, (("link", "", "u"), ("link", "", "v"))),
        ("attach", {"artifacts": (Pointer("log", "https://log"),)}, (("artifact", "", "log (https://log)"),)),
    ],
)
async def test_an_addition_shows_what_is_put_there(verb: str, given: dict[str, Any], fields: Any) -> None:
    testrail, run = a_run()
    change = Append(ref=run.ref, by="Ana", at=NOW, marker="m", **given)
    proposal = await propose_append(verb, found(testrail, run), change, draft(testrail))
    assert (proposal.verb, proposal.fields, proposal.run, proposal.closing) == (verb, fields, run, None)


async def test_a_report_shows_all_that_will_be_reported() -> None:
    practitest = marking_practitest()
    run = practitest.add("S", 55, name="Sanity")
    change = Report(
        ref=run.ref,
        project=1,
        by="Ana",
        at=NOW,
        marker="m",
        tests=(Reported(outcome=Outcome.FAILED, id=98142), Reported(outcome=Outcome.PASSED, name="login")),
        note="slow",
        duration_s=90.5,
        steps=(Step("open", Outcome.PASSED), Step("pay", Outcome.FAILED)),
        version="5.2",
        tester=Named("Ana", 7),
        fields=(("browser", "x"),),
        files=(Attachment("F1", "a.png"), Attachment("F2", "b.txt")),
    )
    proposal = await propose_report(found(practitest, run), change, draft(practitest))
    assert [f"{word}: {after}" for word, _, after in proposal.fields] == [
        "test 98142: failed", "login: passed", "step 1: open: passed", "step 2: pay: failed", "note: slow",
        "took: 1 min 30 s each", "version: 5.2", "tester: Ana", "browser: x", "files: a.png, b.txt",
    ]  # fmt: skip
    assert proposal.warnings == ("A reported result can't be taken back from here.",)


@pytest.mark.parametrize(
    ("loss", "more", "warning"),
    [
        (Loss(tests=40, results=90), {}, "40 tests and 90 results are"),
        (Loss(tests=1, results=1), {}, "1 test and 1 result are"),
        (Loss(tests=40), {}, "40 tests with all their results are"),
        (Loss(tests=1), {}, "1 test with all its results is"),
        (Loss(results=1), {}, "1 result is"),
        (Loss(), {"tally": Tally(passed=3)}, "3 tests with all their results are"),
        (Loss(), {"missing": ("its counts could not be read",)}, "All its tests and results are"),
    ],
)
async def test_deleting_says_what_is_lost_and_asks_for_the_name(loss: Loss, more: dict[str, Any], warning: str) -> None:
    testrail, run = a_run(**more)
    testrail.losses[118] = replace(loss, words=("Its plan stays.",))
    proposal = await propose_delete(found(testrail, run), draft(testrail))
    assert proposal.warnings == (f"{warning} deleted for good. This cannot be undone.", "Its plan stays.")
    assert (proposal.confirm, proposal.change, proposal.has_form) == ("Release 5.2", Delete(run.ref), False)


async def test_deleting_what_can_not_be_previewed_is_not_proposed() -> None:
    testrail, run = a_run()
    testrail.errors["loss"] = down()
    with pytest.raises(type(down())):
        await propose_delete(found(testrail, run), draft(testrail))


async def test_what_a_system_does_not_take_is_told_before_anybody_confirms() -> None:
    testrail, run = a_run()
    testrail.errors["prepare"] = NotFoundError("No milestone 9.", why="x.", fix="y.")
    with pytest.raises(NotFoundError):
        await edit(found(testrail, run), draft(testrail))


@pytest.mark.parametrize("propose", [propose_close, propose_delete, append, edit])
async def test_doubts_come_before_what_the_one_that_was_found_can_not_do(propose: Propose) -> None:
    testmo = open_testmo()
    run = testmo.add("R", 118)
    seen = replace(found(testmo, run), doubts=("TestRail could not be asked and may have R118 too",))
    with pytest.raises(AmbiguousError) as caught:
        await propose(seen, draft(testmo))
    assert caught.value.what == "Which R118?"
    assert caught.value.why.startswith(
        "TestRail could not be asked and may have R118 too; Testmo has “Nightly 118” and"
    )
    assert caught.value.choices == (), "nothing is offered that can't work"
    check_words(caught.value)


async def test_nothing_is_added_to_a_run_that_is_completed() -> None:
    testmo = open_testmo()
    run = testmo.add("A", 412, finished=True)
    with pytest.raises(CannotError) as caught:
        await append(found(testmo, run), draft(testmo))
    assert caught.value.what == "A412 is completed and takes nothing more."
    check_words(caught.value)


async def test_a_report_to_a_thread_is_refused_and_one_to_the_run_says_where_it_goes() -> None:
    testmo = open_testmo()
    run = testmo.add("A", 415)
    with pytest.raises(CannotError) as caught:
        await report(found(testmo, run, thread=1), draft(testmo, typed="report testmo:A415/1 passed --test login"))
    assert caught.value.what == "A415/1 can't be given results from here."
    assert commands(caught.value) == ["report testmo:A415 passed --test login"]
    check_words(caught.value)
    assert (await report(found(testmo, run), draft(testmo))).lines == ("A new thread is made in A415.",)


async def test_a_start_that_needs_a_suite_offers_those_there_are() -> None:
    testrail = open_testrail()
    testrail.errors["prepare"] = AmbiguousError(
        "Which suite?", (Choice("Smoke (4)", "--suite 4"),), why="There is one.", fix="Choose."
    )
    change = Start(connection="testrail", letter="R", project=1, name="S")
    target = Target(testrail, Project(1, "Webshop"))
    with pytest.raises(AmbiguousError) as caught:
        await propose_start(change, target, testrail.kinds["R"], draft(testrail, typed="start S --in testrail"))
    assert commands(caught.value) == ["start S --in testrail --suite 4"]
    check_words(caught.value)


SIGNED = "About it\n\nfine\n– Ana via Slack, 2026-11-20 08:00 UTC\n\nbad\n– Ben via Slack, 2026-11-20 08:30 UTC"


@pytest.mark.parametrize(
    ("given", "lost"),
    [
        ({"description": "new"}, ("2 notes or links below the description go with it.",)),
        ({"description": SIGNED.partition("\n\nbad")[0]}, ("1 note or link below the description goes with it.",)),
        ({"description": SIGNED.replace("About", "All about")}, ()),
        ({"name": "new"}, ()),
    ],
)
async def test_a_new_description_tells_which_notes_go_with_the_old_one(given: Any, lost: tuple[str, ...]) -> None:
    testrail, run = a_run(description=SIGNED)
    proposal = await propose_edit(found(testrail, run), Edit(ref=run.ref, project=1, **given), draft(testrail))
    assert proposal.warnings == lost
