"""How TestRail's rows become runs, tests and results; and what its words and numbers stand for."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from bot.domain.errors import NotFoundError
from bot.domain.model import Person, Run, RunRef, State
from bot.domain.outcomes import Outcome, Tally
from bot.systems import testrail
from bot.systems.testrail import Lens, WireResult, WireRun, WireTest

FIXTURES = Path(__file__).parents[1] / "fixtures" / "testrail"
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
LENS = Lens(
    "tr",
    "https://acme.example/testrail",
    NOW,
    statuses={1: "OK", 5: "Broken", 6: "Known issue", 7: "Skipped", 9: "Won't test"},
    people={1: Person("1", "Rundown"), 6: Person("6", "Ana Kovač")},
    milestones={7: "5.2"},
    suites={4: "Regression"},
)


def fixture(name: str) -> bytes:
    return (FIXTURES / f"{name}.json").read_bytes()


def row(name: str) -> WireRun:
    return msgspec.json.decode(fixture(name), type=WireRun, strict=False)


def run_of(name: str) -> Run:
    return testrail.read_run(row(name), LENS)


@pytest.mark.parametrize(
    ("name", "tally", "finished_at", "state"),
    [
        ("get_run.open", Tally(passed=2, failed=2, retest=1, untested=3), None, State.FAILING),
        ("get_run.closed", Tally(passed=5), datetime(2014, 3, 4, 11, 20, 44, tzinfo=UTC), State.PASSED),
        (
            "get_run.custom_statuses",
            Tally(passed=9, untested=1, other=(("Known issue", 3), ("Skipped", 2), ("status 12", 1))),
            None,
            State.OPEN,
        ),
        ("get_run.bare", Tally(), None, State.OPEN),
        ("get_run.nulls", Tally(), None, State.OPEN),
        ("get_run.strange_numbers", Tally(passed=12, retest=1, untested=3), None, State.INCOMPLETE),
    ],
)
def test_reads_counts_and_ends_of_runs(name: str, tally: Tally, finished_at: datetime | None, state: State) -> None:
    run = run_of(name)
    assert (run.tally, run.finished_at, run.state) == (tally, finished_at, state)


def test_reads_the_vendors_sample_whole() -> None:
    run = run_of("get_run.open")
    assert run == Run(
        ref=RunRef("tr", "R", 81),
        kind=testrail.RUN,
        project=1,
        name="File Formats",
        tally=Tally(passed=2, failed=2, retest=1, untested=3),
        finished=False,
        created_at=datetime(2014, 3, 3, 11, 20, 44, tzinfo=UTC),
        read_at=NOW,
        by="Rundown",
        assignee="Ana Kovač",
        series="Regression",
        series_id=4,
        config="Firefox, Ubuntu 12",
        milestone="5.2",
        refs="SAN-1",
        parent=RunRef("tr", "P", 80),
        page="https://acme.example/testrail/index.php?/runs/view/{id}",
    )
    assert run.url == "https://acme.example/testrail/index.php?/runs/view/81"


@pytest.mark.parametrize(
    ("name", "field", "value"),
    [
        ("get_run.bare", "name", "run 82"),
        ("get_run.bare", "created_at", NOW),
        ("get_run.bare", "series", ""),
        ("get_run.nulls", "config", ""),
        ("get_run.nulls", "parent", None),
        ("get_run.strange_numbers", "ref", RunRef("tr", "R", 84)),
        ("get_run.strange_numbers", "finished", True),
        ("get_run.strange_numbers", "assignee", "user 17"),
        ("get_run.strange_numbers", "milestone", "milestone 99"),
        ("get_run.strange_numbers", "series", "suite 98"),
        ("get_run.strange_numbers", "series_id", 98),
        ("get_run.closed", "description", "Signed & sealed\nby Ana"),
        ("get_run.closed", "refs", "SAN-1, SAN-2"),
        ("get_run.closed", "updated_at", datetime(2014, 3, 4, 11, 20, 44, tzinfo=UTC)),
        ("get_run.hostile_name", "name", "<!channel> {id} *bold* \u202egnp.exe"),
    ],
)
def test_reads_what_is_missing_or_strange_as_well_as_it_can(name: str, field: str, value: object) -> None:
    assert getattr(run_of(name), field) == value


def test_a_wrong_type_makes_a_row_unreadable_and_nothing_else() -> None:
    with pytest.raises(msgspec.ValidationError):
        row("get_run.wrong_type")


STRANGE: tuple[object, ...] = (
    None, "", "x", "٣", -1, 0, 1, 1.5, 2**63, -(2**70), 10**30, True, [], [1], [None], {}, {"a": 1}, "\ud800",
    "9" * 5000,
)  # fmt: skip


@pytest.mark.parametrize("name", [*WireRun.__struct_fields__, "_links", "something_new"])
def test_any_value_in_any_field_is_read_or_refused_as_unreadable(name: str) -> None:
    sample = json.loads(fixture("get_plan.open"))
    for value in STRANGE:
        raw = json.dumps({**sample, name: value}).encode()
        try:
            read = msgspec.json.decode(raw, type=WireRun, strict=False)
        except (msgspec.MsgspecError, UnicodeError, ValueError):
            continue
        for run in (testrail.read_run(read, LENS), testrail.read_plan(read, LENS)):
            assert run.url
            assert run.state
            assert str(run.tally)


def test_braces_in_the_servers_address_do_no_harm_to_addresses_of_runs() -> None:
    lens = Lens("tr", "https://acme.example/{0.__class__}", NOW)
    run = testrail.read_run(WireRun(id=5), lens)
    assert run.url == "https://acme.example/%7B0.__class__%7D/index.php?/runs/view/5"


def test_a_plans_tally_is_the_sum_of_its_runs() -> None:
    plan = row("get_plan.open")
    runs = [
        msgspec.json.decode(raw, type=WireRun, strict=False) for entry in plan.entries or () for raw in entry.runs or ()
    ]
    read = testrail.read_plan(plan, LENS, runs)
    assert read.tally == Tally(passed=5, failed=2, blocked=2, retest=1, untested=6, other=(("Known issue", 1),))
    assert (read.ref.short, read.series, read.url) == (
        "P80",
        "",
        "https://acme.example/testrail/index.php?/plans/view/80",
    )


def test_a_plan_in_a_list_has_its_own_counts() -> None:
    assert testrail.read_plan(row("get_plan.without_entries"), LENS).tally.failed == 2


def test_equal_tallies_and_texts_of_many_runs_are_held_once() -> None:
    one, two = run_of("get_run.custom_statuses"), run_of("get_run.custom_statuses")
    assert one.tally is two.tally
    assert one.page is two.page


@pytest.mark.parametrize(
    ("place", "key", "name", "outcome", "label"),
    [
        (0, "1", "Verify line spacing on multi-page document", Outcome.FAILED, "Broken"),
        (1, "2", "Zoom", Outcome.OTHER, "Won't test"),
        (2, "3", "test 102", Outcome.UNTESTED, "Untested"),
    ],
)
def test_reads_tests(place: int, key: str, name: str, outcome: Outcome, label: str) -> None:
    rows = msgspec.json.decode(fixture("get_tests.envelope"))["tests"]
    test = testrail.read_test(msgspec.convert(rows[place], WireTest), LENS)
    assert (test.key, test.name, test.outcome, test.label) == (key, name, outcome, label)


@pytest.mark.parametrize(
    ("place", "key", "outcome", "label"),
    [
        (0, "test 7", Outcome.OTHER, "no status"),
        (1, "test 8", Outcome.OTHER, "no status"),
        (2, "12", Outcome.OTHER, "status 77"),
    ],
)
def test_reads_tests_without_much_in_them(place: int, key: str, outcome: Outcome, label: str) -> None:
    rows = msgspec.json.decode(fixture("get_tests.nulls"))["tests"]
    test = testrail.read_test(msgspec.convert(rows[place], WireTest), LENS)
    assert (test.key, test.outcome, test.label) == (key, outcome, label)


def test_configurations_keep_the_same_case_apart_inside_a_plan() -> None:
    wire = WireTest(id=1, case_id=12, status_id=1)
    one = testrail.read_test(wire, LENS, config="Firefox", folder="File Formats (Firefox)")
    two = testrail.read_test(wire, LENS, config="Chrome", folder="File Formats (Chrome)")
    assert one.key != two.key
    assert one.folder == "File Formats (Firefox)"


RESULTS = [
    msgspec.convert(each, WireResult)
    for each in msgspec.json.decode(fixture("get_results_for_run.envelope"))["results"]
]


def test_reads_a_result() -> None:
    test = testrail.read_test(WireTest(id=100, case_id=1, title="Line spacing", assignedto_id=6), LENS)
    result = testrail.read_result(RESULTS[1], LENS, test)
    assert (result.test, result.outcome, result.label) == ("Line spacing", Outcome.FAILED, "Broken")
    assert (result.note, result.defects, result.version) == ("Timeout <30 s>\nagain", "TR-1", "1.0RC1")
    assert (result.by, result.elapsed_s) == ("Rundown", 105.0)
    assert result.at == datetime(2014, 3, 3, 13, 5, 3, tzinfo=UTC)
    assert result.url == "https://acme.example/testrail/index.php?/tests/view/100"


def test_a_result_without_a_status_is_a_comment() -> None:
    result = testrail.read_result(RESULTS[0], LENS, None)
    assert (result.outcome, result.label, result.test) == (None, "", "test 100")


def test_reads_results_without_much_in_them() -> None:
    rows = msgspec.json.decode(fixture("get_results_for_run.nulls"))["results"]
    bare, odd = [testrail.read_result(msgspec.convert(each, WireResult), LENS, None) for each in rows]
    assert (bare.test, bare.outcome, bare.at, bare.elapsed_s) == (
        "test 64",
        None,
        NOW,
        None,
    )
    assert (odd.outcome, odd.label, odd.by, odd.elapsed_s) == (Outcome.OTHER, "status 77", "user 17", 45.0)


def test_a_failing_test_gets_the_reason_of_its_newest_failure() -> None:
    test = testrail.read_test(WireTest(id=100, case_id=1, status_id=5), LENS)
    told = testrail.read_reason(test, [RESULTS[1], RESULTS[3]])
    assert (told.note, told.defects, told.elapsed_s, told.retried) == ("Timeout <30 s>\nagain", "TR-1", 105.0, True)
    assert not testrail.read_reason(test, [RESULTS[1]]).retried


def test_a_test_that_passes_after_failing_was_retried_and_has_no_reason() -> None:
    test = testrail.read_test(WireTest(id=100, case_id=1, status_id=1), LENS)
    told = testrail.read_reason(test, [RESULTS[1]])
    assert (told.retried, told.note) == (True, "")


@pytest.mark.parametrize(
    ("span", "seconds"),
    [
        ("30s", 30.0),
        ("1m 45s", 105.0),
        ("1h 1m", 3660.0),
        ("1H", 3600.0),
        ("2.5h", 9000.0),
        ("1d", 28_800.0),
        ("1w", 144_000.0),
        ("5min", 300.0),
        ("90", 90.0),
        (45, 45.0),
        (0.5, 0.5),
        ("0s", 0.0),
        ("", None),
        ("soon", None),
        ("٣s", None),
        (None, None),
        (-1, None),
        (float("nan"), None),
        (10**400, None),
        ("9" * 5000, None),
    ],
)
def test_reads_spans_of_time(span: str | float | None, seconds: float | None) -> None:
    assert testrail.read_elapsed(span) == seconds


@pytest.mark.parametrize("seconds", [None, 10**20, -(10**20), 253402300800])
def test_times_that_are_none_are_left_out(seconds: int | None) -> None:
    assert testrail.read_time(seconds) is None


def test_times_are_aware_and_in_utc() -> None:
    assert testrail.read_time(0) is None


@pytest.mark.parametrize(
    ("status", "body", "what"),
    [
        (400, "error.unknown_run", "TestRail has no such run."),
        (400, "error.unknown_plan", "TestRail has no such plan."),
        (400, "error.unknown_project", "TestRail has no such project."),
        (400, "error.bad_milestone", None),
        (403, "error.no_access", None),
        (500, "error.unknown_run", None),
    ],
)
def test_unknown_numbers_are_told_from_other_refusals(status: int, body: str, what: str | None) -> None:
    judged = testrail.judge(status, fixture(body))
    assert (judged.what if judged else None) == what


def test_reads_the_servers_own_words() -> None:
    assert testrail.complaint(fixture("error.unknown_run")) == "Field :run_id is not a valid test run."


@pytest.mark.parametrize("body", [b"<html>Down</html>", b"", b'{"error": 5}', b"[]", b'{"error"', b"\xff\xfe"])
def test_an_error_in_another_form_is_no_reason_to_fail_otherwise(body: bytes) -> None:
    assert testrail.judge(400, body) is None


LABELS = {1: "OK", 2: "Blocked", 3: "Not started", 4: "Retest", 5: "Broken", 6: "Known issue", 7: "Skipped"}


@pytest.mark.parametrize(
    ("typed", "numbers"),
    [
        (["failed"], {5}),
        (["Broken"], {5}),
        (["broken", "OK"], {1, 5}),
        (["known ISSUE"], {6}),
        (["skipped"], {7}),
        (["12"], {12}),
        (["running"], set()),
        (["untested"], {3}),
        (["other"], {6, 7, 8, 9, 10, 11, 12}),
    ],
)
def test_looks_up_statuses(typed: list[str], numbers: set[int]) -> None:
    assert testrail.look_up_statuses(typed, LABELS) == numbers


def test_an_unknown_status_is_answered_with_the_closest() -> None:
    with pytest.raises(NotFoundError) as caught:
        testrail.look_up_statuses(["knwon issue"], LABELS)
    assert caught.value.closest[0] == "Known issue"


CONFIGS = {1: "Chrome", 2: "Firefox", 6: "Ubuntu 12", 9: "Firefox", 10: "Small, dark"}


@pytest.mark.parametrize(
    ("typed", "wanted"),
    [
        (["Chrome"], [{1}]),
        (["chrome", "6"], [{1}, {6}]),
        (["Chrome, Ubuntu 12"], [{1, 6}]),
        (["firefox"], [{2}, {9}]),
        (["firefox,ubuntu 12"], [{2, 6}, {9, 6}]),
        (["small, dark"], [{10}]),
    ],
)
def test_looks_up_configurations(typed: list[str], wanted: list[set[int]]) -> None:
    assert sorted(map(sorted, testrail.look_up_configs(typed, CONFIGS))) == sorted(map(sorted, wanted))
