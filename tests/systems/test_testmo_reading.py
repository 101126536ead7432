"""What Testmo says becomes runs, threads, tests and results, whatever is missing or strange in it."""

from __future__ import annotations

import json
import tracemalloc
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from bot.domain.model import Run, State
from bot.domain.outcomes import Outcome, Tally
from bot.systems import testmo

FIXTURES = Path(__file__).parent.parent / "fixtures" / "testmo"
NOW = datetime(2025, 3, 1, 12, tzinfo=UTC)
CREATED = datetime(2025, 2, 7, 9, 39, 21, 211_000, tzinfo=UTC)
PAGE = "https://acme.testmo.net/runs/view/1"


def fixture(name: str) -> Any:
    return json.loads((FIXTURES / f"{name}.json").read_text())


def names_in(answer: Any) -> testmo.Names:
    """The look-up tables of an answer, read as the connection reads them."""
    names = testmo.Names()
    expands = answer["expands"] or {}
    for status in expands.get("statuses", ()):
        names.statuses[status["id"]] = testmo.read_status(msgspec.convert(status, testmo.StatusRow))
    for group in ("users", "configs", "milestones", "states", "automation_sources", "issues"):
        for row in expands.get(group, ()):
            if name := row.get("display_id") or row["name"]:
                getattr(names, group)[row["id"]] = name
    return names


def read(name: str) -> Run:
    answer = fixture(name)
    row = msgspec.json.decode(json.dumps(answer["result"]), type=testmo.RunRow, strict=False)
    kind = testmo.MANUAL if name.startswith("run.") else testmo.AUTOMATION
    return testmo.read_run(row, names_in(answer), kind, connection="testmo", page=f"{PAGE[:-1]}{{id}}", read_at=NOW)


@pytest.mark.parametrize(
    ("name", "tally"),
    [
        ("run.open", Tally(untested=100)),
        ("run.closed", Tally(passed=20, failed=5, untested=75)),
        ("run.full", Tally(passed=20, failed=4, retest=2, blocked=3, skipped=1, untested=10)),
        (
            "run.custom_statuses",
            Tally(passed=15, failed=5, blocked=1, untested=4, other=(("Known issue", 2),)),
        ),
        ("run.unknown_status", Tally(passed=2, untested=1, other=(("status 13", 3),))),
        ("run.no_expands", Tally(passed=2, failed=1, blocked=1, untested=1, other=(("status 8", 2),))),
        ("run.nulls", Tally()),
        ("run.bare", Tally()),
        ("run.strange_numbers", Tally(passed=3)),
        ("run.numbers_as_text", Tally(passed=20, failed=5, untested=75)),
        ("automation_run.success_still_running", Tally(passed=90, failed=10)),
        ("automation_run.failed", Tally(passed=20, failed=5, untested=1)),
    ],
)
def test_counters_belong_to_the_status_with_the_next_id(name: str, tally: Tally) -> None:
    assert read(name).tally == tally


def test_testmos_own_totals_win_over_counters_that_do_not_add_up() -> None:
    assert read("run.disagreeing").tally == Tally(passed=9, failed=7, untested=2, other=(("other", 1),))


@pytest.mark.parametrize(
    ("name", "finished", "verdict", "state"),
    [
        ("run.open", False, None, State.OPEN),
        ("run.closed", True, None, State.FAILED),
        ("automation_run.success_still_running", False, Outcome.PASSED, State.FAILING),
        ("automation_run.failed", True, Outcome.FAILED, State.FAILED),
        ("automation_run.running", False, Outcome.RUNNING, State.RUNNING),
        ("automation_run.unknown_status", False, None, State.RUNNING),
        ("automation_run.nulls", False, None, State.OPEN),
        ("run.nulls", False, None, State.OPEN),
    ],
)
def test_finished_is_what_testmo_calls_closed_or_completed(
    name: str, finished: bool, verdict: Outcome | None, state: State
) -> None:
    run = read(name)
    assert (run.finished, run.verdict, run.state) == (finished, verdict, state)


def test_a_manual_run_keeps_all_that_testmo_tells() -> None:
    run = read("run.full")
    assert (run.ref.short, run.project, run.name) == ("R118", 1, "Release 8.2 regression")
    assert (run.config, run.milestone, run.workflow) == ("Chrome", "Release 8.2", "In progress")
    assert (run.by, run.refs, run.tags) == ("Ana Kovač", "SHOP-1287, issue 12", ("release", "release-82"))
    assert run.links == (
        ("Plan", "https://wiki.acme.example/8-2"),
        ("https://ci.acme.example/1", "https://ci.acme.example/1"),
    )
    assert (run.elapsed_s, run.series, run.series_id, run.source) == (7860.0, "", None, "")
    assert (run.created_at, run.updated_at) == (CREATED, datetime(2025, 2, 8, 9, tzinfo=UTC))
    assert (run.url, run.read_at) == ("https://acme.testmo.net/runs/view/118", NOW)


def test_an_automation_run_keeps_all_that_testmo_tells() -> None:
    run = read("automation_run.failed")
    assert (run.ref.short, run.source, run.series, run.series_id) == ("A412", "frontend", "frontend", 1)
    assert (run.config, run.milestone, run.by, run.tags) == ("Chrome", "Release 8.2", "Rundown", ("nightly",))
    assert run.links == (("Build 4918", "https://ci.acme.example/builds/4918"),)
    assert (run.elapsed_s, run.threads_total, run.threads_active) == (2229.0, 8, 2)
    assert run.finished_at == run.updated_at == datetime(2025, 2, 7, 9, 59, 21, 211_000, tzinfo=UTC)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("run.no_expands", ("user 17", "config 5", "milestone 6", "state 4", "No expands")),
        ("run.erased_user", ("user 7", "", "", "New", "Erased")),
        ("run.bare", ("", "", "", "", "Run 7")),
        ("run.nulls", ("", "", "", "", "Run 6")),
    ],
)
def test_what_has_no_name_is_told_by_its_number(name: str, told: tuple[str, ...]) -> None:
    run = read(name)
    assert (run.by, run.config, run.milestone, run.workflow, run.name) == told


def test_times_are_in_utc_whatever_zone_they_are_told_in() -> None:
    run = read("run.other_times")
    assert run.created_at == datetime(2025, 2, 7, 9, 39, 21, tzinfo=UTC)
    assert run.updated_at == datetime(2025, 2, 7, 10, tzinfo=UTC)
    assert run.finished_at == datetime(2025, 2, 7, 9, 39, 21, 211_456, tzinfo=UTC)
    assert {at.tzinfo for at in (run.created_at, run.updated_at, run.finished_at) if at} == {UTC}


@pytest.mark.parametrize("name", ["run.bare", "run.strange_numbers"])
def test_a_run_without_a_time_is_as_old_as_its_reading(name: str) -> None:
    assert read(name).created_at == NOW


@pytest.mark.parametrize(
    ("microseconds", "seconds"),
    [(240_000_000, 240.0), (0, 0.0), (11_607, 0.011607), (None, None), (-5, None), (1e300, None)],
)
def test_elapsed_is_told_in_microseconds(microseconds: float | None, seconds: float | None) -> None:
    assert testmo.read_elapsed(microseconds) == seconds


@pytest.mark.parametrize(
    ("row", "outcome", "label", "word"),
    [
        ({"id": 5, "name": "Blocked", "system_name": "blocked"}, Outcome.BLOCKED, "Blocked", "blocked"),
        ({"id": 5, "name": "On hold", "system_name": "blocked"}, Outcome.BLOCKED, "On hold", "blocked"),
        (
            {"id": 8, "name": "OK, but", "system_name": "status8", "is_passed": True},
            Outcome.PASSED,
            "OK, but",
            "passed",
        ),
        ({"id": 9, "name": "Broken", "is_failed": True}, Outcome.FAILED, "Broken", "failed"),
        ({"id": 1, "name": "Offen", "is_untested": True}, Outcome.UNTESTED, "Offen", "untested"),
        ({"id": 7, "name": "Known issue", "system_name": "status7"}, Outcome.OTHER, "Known issue", "Known issue"),
        ({"id": 7, "name": None}, Outcome.OTHER, "status 7", "status 7"),
        ({"id": 7, "name": "Other", "system_name": "other"}, Outcome.OTHER, "Other", "Other"),
    ],
)
def test_a_status_is_told_by_its_flags_then_by_its_system_name(
    row: dict[str, Any], outcome: Outcome, label: str, word: str
) -> None:
    status = testmo.read_status(msgspec.convert(row, testmo.StatusRow))
    assert (status.outcome, status.label, status.word) == (outcome, label, word)


def threads_of(name: str) -> tuple[Any, ...]:
    answer = fixture(name)
    rows = msgspec.convert(answer["result"]["threads"], list[testmo.ThreadRow])
    return testmo.read_threads(rows, names_in(answer), NOW)


def test_threads_come_in_the_order_of_their_index() -> None:
    one, two, three = threads_of("automation_run.failed")
    assert [(each.index, each.id, each.finished) for each in (one, two, three)] == [
        (1, 20, False),
        (2, 21, True),
        (3, 22, True),
    ]
    assert (two.name, two.tally, two.verdict, two.elapsed_s) == (
        "Thread 2",
        Tally(passed=10, failed=3),
        Outcome.FAILED,
        600.0,
    )
    assert (one.finished_at, one.verdict) == (None, Outcome.RUNNING)
    assert (three.name, three.elapsed_s, three.tally) == ("Thread 3", None, Tally(untested=1))


def test_threads_count_from_one_even_if_testmo_counts_from_zero() -> None:
    assert [(each.index, each.id) for each in threads_of("automation_run.threads_from_zero")] == [(1, 30), (2, 31)]


def automated(name: str, *, reasons: bool = False, tally: Tally | None = None) -> dict[str, Any]:
    rows = msgspec.convert(fixture(name)["result"], list[testmo.TestRow])
    neutral = testmo.read_neutral(tally or Tally())
    tests = testmo.read_automation_tests(rows, {20: 1, 21: 2}, PAGE, neutral, reasons=reasons)
    return {test.key: test for test in tests}


def test_a_test_that_ran_twice_is_one_and_its_last_result_counts() -> None:
    tests = automated("automation_tests.page")
    assert {key: (test.outcome, test.retried) for key, test in tests.items()} == {
        "k1": (Outcome.PASSED, True),
        "k2": (Outcome.OTHER, False),
        "k3": (Outcome.FAILED, False),
        "k4": (Outcome.FAILED, True),
    }
    assert (tests["k1"].thread, tests["k1"].id, tests["k4"].thread) == (2, "5", None)
    assert (tests["k3"].name, tests["k3"].folder, tests["k3"].url) == ("Test 3", "Folder A", PAGE)
    assert (tests["k3"].elapsed_s, tests["k3"].at) == (60.0, datetime(2025, 2, 7, 9, 44, tzinfo=UTC))


def test_the_reason_is_the_field_that_tells_the_error() -> None:
    assert automated("automation_tests.page")["k3"].note == ""
    note = automated("automation_tests.page", reasons=True)["k3"].note
    assert note == "NullPointerException: x < y\nat Test3.java:12"


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        (None, ""),
        ([], ""),
        ([{"type": 5, "name": "Error page", "value": "https://x.example"}], ""),
        ([{"type": 1, "name": "Browser", "value": "Chrome"}], ""),
        ([{"type": 1, "name": "Failure message", "value": "no"}], "no"),
        ([{"type": 2, "name": "Notes", "value": "<b>why</b>"}, {"type": 4, "name": "Log", "value": "x"}], "why"),
        ([{"type": 4, "name": None, "value": None}, {"name": "Stack"}], ""),
    ],
)
def test_reads_reasons(fields: Any, reason: str) -> None:
    assert testmo.read_reason(msgspec.convert(fields, list[testmo.FieldRow] | None)) == reason


@pytest.mark.parametrize(
    ("tally", "outcome", "label"),
    [
        (Tally(passed=5, failed=1), Outcome.OTHER, "neutral"),
        (Tally(passed=5, skipped=2), Outcome.SKIPPED, "skipped"),
        (Tally(passed=5, untested=2), Outcome.UNTESTED, "untested"),
        (Tally(passed=5, skipped=2, blocked=1), Outcome.OTHER, "neutral"),
        (Tally(passed=5, other=(("Known issue", 2),)), Outcome.OTHER, "Known issue"),
        (Tally(passed=5, other=(("other", 2),)), Outcome.OTHER, "neutral"),
    ],
)
def test_a_neutral_test_is_what_the_run_counts_if_that_is_clear(tally: Tally, outcome: Outcome, label: str) -> None:
    test = automated("automation_tests.page", tally=tally)["k2"]
    assert (test.outcome, test.label) == (outcome, label)


def test_automated_tests_with_hardly_anything_in_them_are_still_told() -> None:
    tests = automated("automation_tests.nulls")
    assert {key: (test.name, test.outcome, test.label) for key, test in tests.items()} == {
        "test 1": ("test 1", Outcome.OTHER, "no status"),
        "by name": ("by name", Outcome.OTHER, "status 9"),
        "77": ("77", Outcome.RUNNING, "running"),
        "a test": ("a test", Outcome.OTHER, "no status"),
    }


CASES = {1078: ("Pays with a voucher", "Checkout"), 1079: ("Pays by card", "Checkout"), 1080: ("", "")}


def manual(name: str) -> tuple[list[testmo.ResultRow], testmo.Names]:
    answer = fixture(name)
    rows = [row for row in answer["result"] if row["id"] is not None and not row.get("deleted_at")]
    return msgspec.convert(rows, list[testmo.ResultRow]), names_in(answer)


def test_a_manual_test_is_its_last_result() -> None:
    rows, names = manual("results.history")
    tests = {test.id: test for test in testmo.read_tests(rows, names, CASES, PAGE, reasons=True)}
    assert {key: (test.key, test.name, test.outcome, test.retried) for key, test in tests.items()} == {
        "64": ("1078", "Pays with a voucher", Outcome.FAILED, True),
        "65": ("1079", "Pays by card", Outcome.PASSED, True),
        "66": ("1080", "case 1080", Outcome.PASSED, False),
    }
    failed = tests["64"]
    assert (failed.note, failed.defects) == ("Total shows €0.00\nafter voucher", "SHOP-1287")
    assert (failed.assignee, failed.assignee_id, failed.folder) == ("Ana Kovač", "2", "Checkout")
    assert (failed.url, failed.elapsed_s, failed.label) == (f"{PAGE}?test_id=64", 240.0, "Failed")


def test_without_reasons_notes_are_left_out() -> None:
    rows, names = manual("results.history")
    assert {(test.note, test.defects, test.retried) for test in testmo.read_tests(rows, names, CASES, PAGE)} == {
        ("", "", False)
    }


def test_reads_results() -> None:
    (row, other), names = manual("results.page")
    result = testmo.read_result(row, names, CASES, PAGE, NOW)
    assert (result.test, result.outcome, result.label) == ("Pays with a voucher", Outcome.SKIPPED, "Skipped")
    assert result.note == (
        "Skipped due to prerequisite conditions not met in the current system configuration. Retesting in next sprint."
    )
    assert (result.by, result.assignee, result.at, result.elapsed_s) == ("Lea Martin", "", CREATED, 240.0)
    assert result.url == f"{PAGE}?test_id=64"
    assert testmo.read_result(other, names, CASES, PAGE, NOW).test == "case 1080"


def test_results_with_hardly_anything_in_them_are_still_told() -> None:
    (comment, empty, unknown), names = manual("results.nulls")
    for row in (comment, empty):
        result = testmo.read_result(row, names, {}, PAGE, NOW)
        assert (result.test, result.outcome, result.label, result.url) == (f"result {row.id}", None, "", PAGE)
    result = testmo.read_result(unknown, names, {}, PAGE, NOW)
    assert (result.outcome, result.label, result.by, result.assignee) == (
        Outcome.OTHER,
        "status 23",
        "user 17",
        "user 18",
    )
    assert [test.id for test in testmo.read_tests([comment, empty, unknown], names, {}, PAGE)] == ["64"]


def test_reads_the_vendors_own_pages() -> None:
    for name, shape in (("runs.page", testmo.RunRow), ("automation_runs.page", testmo.RunRow)):
        page = msgspec.json.decode((FIXTURES / f"{name}.json").read_bytes(), type=testmo.Envelope[msgspec.Raw])
        assert (page.total, page.last_page, page.next_page) == (150, 2, 2)
        assert [msgspec.json.decode(raw, type=shape).id for raw in page.result] == [1, 2]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (
            (FIXTURES / "error.validation.json").read_bytes(),
            "The given data was invalid. The selected status is invalid. The page must be at least 1.",
        ),
        ((FIXTURES / "error.message_only.json").read_bytes(), "The automation case does not exist or was deleted."),
        (b'{"errors": {"page": "too small", "x": [1, null]}}', "too small"),
        (b'{"message": null, "errors": ["one", "one", "two"]}', "one two"),
        (b"{}", ""),
    ],
)
def test_errors_are_told_in_testmos_words(body: bytes, words: str) -> None:
    assert testmo.complaint(body) == words


def test_ten_thousand_runs_fit_in_six_mebibytes() -> None:
    answer = fixture("automation_run.failed")
    text = json.dumps(answer["result"] | {"threads": None, "links": []})
    names = names_in(answer)

    def one(number: int) -> Run:
        changed = text.replace('"id": 412', f'"id": {number}').replace("Nightly web", f"Nightly web {number}")
        row = msgspec.json.decode(
            changed.replace("09:39:21.211", f"09:{number // 100 % 60:02}:21.{number % 100:03}"), type=testmo.RunRow
        )
        return testmo.read_run(row, names, testmo.AUTOMATION, connection="testmo", page=PAGE, read_at=NOW)

    one(1)
    tracemalloc.start()
    try:
        held = [one(number) for number in range(10_000)]
        size, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(held) == 10_000
    assert size <= 6 * 1024 * 1024
