"""From PractiTest's JSON to runs, tests and results: the vendor's samples, and everything stranger than them."""

from __future__ import annotations

import tracemalloc
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

import msgspec
import pytest

from bot.domain import model
from bot.domain.model import Person, Run, RunRef, State
from bot.domain.outcomes import Outcome, Tally
from bot.domain.queries import RunQuery
from bot.systems import practitest
from bot.systems._filters import in_status, status_words
from bot.systems.practitest import (
    Counted,
    Envelope,
    Names,
    PlaceRow,
    Places,
    ResultRow,
    Row,
    SetRow,
    Single,
    StepRow,
    Told,
    complaint,
    constant_word,
    may_fit,
    read_elapsed,
    read_number,
    read_outcome,
    read_person,
    read_result,
    read_run,
    read_told,
)

A = TypeVar("A", bound=practitest.Attributes)

FIXTURES = Path(__file__).parent.parent / "fixtures" / "practitest"
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
PAGE = "https://prod.practitest.com/p/4566/sets/{id}/edit"
PLACE_PAGE = "https://prod.practitest.com/p/4566/sets/55/instances/{id}/edit"
NAMES = Names(
    {5381: Person("5381", "Tom Becker"), 4825: Person("4825", "Lea Martin")}, {354: "Testers"}, {101: "Release 4.2"}
)


def rows(fixture: str, shape: type[Row[A]]) -> list[Row[A]]:
    page = msgspec.json.decode((FIXTURES / f"{fixture}.json").read_bytes(), type=Envelope, strict=False)
    return [msgspec.json.decode(raw, type=shape, strict=False) for raw in page.data]


def the_set(fixture: str) -> SetRow:
    return msgspec.json.decode((FIXTURES / f"{fixture}.json").read_bytes(), type=Single, strict=False).data


def run(fixture: str, counted: Counted | None = None) -> Run:
    row = the_set(fixture)
    ref = RunRef("uat", "S", row.id)
    return read_run(row, counted, NAMES, ref=ref, project=4566, page=PAGE, read_at=NOW)


def counted(**counts: int) -> Counted:
    return Counted(Tally(**counts), None)  # type: ignore[arg-type]


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type, misc]


def test_reads_a_finished_set() -> None:
    assert run("set.finished", counted(passed=2, failed=1)) == Run(
        ref=RunRef("uat", "S", 57),
        kind=practitest.SET,
        project=4566,
        name="Nightly API 2026-11-20",
        tally=Tally(passed=2, failed=1),
        finished=True,
        created_at=utc(2026, 11, 20, 4),
        read_at=NOW,
        finished_at=utc(2026, 11, 20, 4, 14, 5),
        updated_at=utc(2026, 11, 20, 4, 14, 5),
        assignee="Tom Becker",
        milestone="Release 4.2",
        description="All API tests",
        verdict=Outcome.FAILED,
        page=PAGE,
    )


def test_builds_the_address_of_a_set() -> None:
    assert run("set.finished").url == "https://prod.practitest.com/p/4566/sets/57/edit"


@pytest.mark.parametrize(
    ("fixture", "counts", "finished", "state"),
    [
        ("set.finished", counted(passed=3), True, State.FAILED),  # its own status says so
        ("set.finished", counted(passed=2, failed=1), True, State.FAILED),
        ("set.finished", counted(passed=1, failed=1, blocked=1), True, State.FAILED),
        ("set.finished", counted(passed=1, failed=1, untested=1), False, State.FAILING),
        ("set.finished", counted(failed=2, running=1), False, State.FAILING),
        ("set.finished", None, False, State.FAILING),  # nobody knows: never called finished
        ("set.passed", counted(passed=20, skipped=4), True, State.PASSED),
        ("set.passed", None, True, State.PASSED),  # all instances have passed, or there would be another status
        ("set.never_run", counted(untested=3), False, State.OPEN),
        ("set.never_run", None, False, State.OPEN),
        ("set.never_run", Counted(Tally(), None), False, State.OPEN),  # a set without instances is not done
        ("set.going_on", counted(passed=2, untested=1), False, State.RUNNING),
        ("set.going_on", None, False, State.RUNNING),
        ("set.unknown_status", Counted(Tally(passed=2, other=(("On hold", 1),)), None), True, State.PASSED),
        ("set.unknown_status", None, False, State.OPEN),
        ("set.nulls", None, False, State.OPEN),
    ],
)
def test_is_finished_when_every_instance_has_a_final_result(
    fixture: str, counts: Counted | None, finished: bool, state: State
) -> None:
    read = run(fixture, counts)
    assert (read.finished, read.state) == (finished, state)
    assert (read.finished_at is not None) == finished


def test_is_finished_since_the_last_run_of_an_instance_if_the_set_does_not_say() -> None:
    row = the_set("set.finished")
    row.attributes.last_run = None
    at = utc(2026, 11, 20, 4, 30)
    read = read_run(row, Counted(Tally(passed=3), at), NAMES, ref=RunRef("u", "S", 57), project=1, page="", read_at=NOW)
    assert read.finished_at == at


@pytest.mark.parametrize(
    ("fixture", "read"),
    [
        ("set.sample", ("first name", "", "", Outcome.FAILED, utc(2017, 1, 27, 12, 19, 46))),
        ("set.of_group", ("first name", "Testers", "milestone 999", Outcome.FAILED, utc(2017, 1, 27, 12, 19, 46))),
        ("set.unknown_status", ("first name", "", "", Outcome.OTHER, utc(2017, 1, 27, 12, 19, 46))),
        ("set.nulls", ("test set 61", "", "", None, NOW)),
        ("set.bare", ("test set 62", "", "", None, NOW)),
        ("set.strange", ("test set 63", "", "", Outcome.OTHER, utc(2017, 1, 27, 12, 19, 46))),
    ],
)
def test_reads_sets_that_lack_things(fixture: str, read: tuple[object, ...]) -> None:
    one = run(fixture)
    assert (one.name, one.assignee, one.milestone, one.verdict, one.created_at) == read


def test_never_reads_links_of_answers() -> None:
    page = msgspec.json.decode((FIXTURES / "sets.page.json").read_bytes(), type=Envelope, strict=False)
    assert b"api_token" in (FIXTURES / "sets.page.json").read_bytes()
    assert "api_token" not in repr(page)


def test_counts_instances_by_status() -> None:
    places = Places(tuple(rows("instances.all_statuses", PlaceRow)), NOW)
    assert places.counted == Counted(
        Tally(passed=2, failed=1, blocked=1, skipped=1, untested=1, running=1, other=(("On hold", 1), ("unknown", 1))),
        utc(2015, 11, 18, 7, 46, 57),
    )


def test_counts_what_could_not_be_read_too() -> None:
    places = Places(tuple(rows("instances.page", PlaceRow)), NOW, unreadable=2)
    assert places.counted.tally == Tally(passed=2, other=(("unreadable", 2),))


@pytest.mark.parametrize(
    ("status", "outcome", "label"),
    [
        ("PASSED", Outcome.PASSED, "PASSED"),
        ("FAILED", Outcome.FAILED, "FAILED"),
        ("BLOCKED", Outcome.BLOCKED, "BLOCKED"),
        ("NO RUN", Outcome.UNTESTED, "NO RUN"),
        ("N/A", Outcome.SKIPPED, "N/A"),
        ("NOT COMPLETED", Outcome.RUNNING, "NOT COMPLETED"),
        ("NOT COMPLETE", Outcome.RUNNING, "NOT COMPLETE"),
        (" passed ", Outcome.PASSED, "passed"),
        ("Known issue", Outcome.OTHER, "Known issue"),
        ("", Outcome.OTHER, "unknown"),
        (None, Outcome.OTHER, "unknown"),
        (7, Outcome.OTHER, "7"),
        ([1], Outcome.OTHER, "unknown"),
    ],
)
def test_keeps_the_label_of_a_status(status: object, outcome: Outcome, label: str) -> None:
    assert read_outcome(status) == (outcome, label)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("00:53:20", 3200.0),
        ("100:00:01", 360001.0),
        ("0:0:7", 7.0),
        ("00:00:00", None),
        ("", None),
        (None, None),
        (90, None),
        ("1:2", None),
        ("00:99:00", None),
        ("٠٠:٠٠:٠٧", None),
    ],
)
def test_reads_durations(text: object, seconds: float | None) -> None:
    assert read_elapsed(text) == seconds


@pytest.mark.parametrize(
    ("value", "number"),
    [(7, 7), ("7", 7), (0, None), (-7, None), (True, None), ("٧", None), ("9" * 30, None), (7.0, None), (None, None)],
)
def test_reads_numbers(value: object, number: int | None) -> None:
    assert read_number(value) == number


def test_reads_instances_as_tests() -> None:
    first, group, nobody = practitest.read_tests(
        rows("instances.assigned", PlaceRow), {1: Told("boom", retried=True)}, NAMES, PLACE_PAGE
    )
    assert first == model.Test(
        key="369093",
        name="User login",
        outcome=Outcome.FAILED,
        label="FAILED",
        id="1",
        url="https://prod.practitest.com/p/4566/sets/55/instances/1/edit",
        assignee="Tom Becker",
        assignee_id="5381",
        note="boom",
        at=utc(2015, 11, 18, 7, 46, 57),
        elapsed_s=3723.0,
        retried=True,
    )
    assert (group.assignee, group.elapsed_s, group.note) == ("Lea Martin", None, "")  # nobody but who ran it is known
    assert (nobody.assignee, nobody.assignee_id, nobody.at) == ("", "", None)


def test_tells_instances_of_one_test_apart() -> None:
    tests = practitest.read_tests(rows("instances.same_test_twice", PlaceRow), {}, NAMES, PLACE_PAGE)
    assert [test.key for test in tests] == ["80893", "80893#2", "80894"]


def test_reads_an_instance_of_nulls() -> None:
    (test,) = practitest.read_tests(rows("instances.nulls", PlaceRow), {}, NAMES, PLACE_PAGE)
    assert (test.key, test.name, test.outcome, test.label) == ("i98016", "instance 98016", Outcome.OTHER, "unknown")


@pytest.mark.parametrize(
    ("fixture", "status", "steps", "told"),
    [
        ("runs.retried", "PASSED", {}, Told(retried=True)),
        ("runs.failed_twice", "FAILED", {}, Told("Expected 49.90 but was 59.90\nat Cart.total (cart.ts:88)", True)),
        ("runs.failed_by_hand", "FAILED", {}, Told("")),  # never the reason of an older failure
        ("runs.failed_by_hand", "FAILED", {3: "The button stays grey"}, Told("The button stays grey")),
        ("runs.blocked", "BLOCKED", {}, Told("sandbox is down")),
        ("runs.blocked", "FAILED", {}, Told("boom")),
        ("runs.nulls", "FAILED", {}, Told()),
        ("runs.bare", "PASSED", {}, Told()),
    ],
)
def test_reads_reasons_and_retries(fixture: str, status: str, steps: dict[int, str], told: Told) -> None:
    (place,) = rows("instances.nulls", PlaceRow)
    place.attributes.run_status = status
    assert read_told(place, rows(fixture, ResultRow), steps) == told


def test_reads_the_vendors_results() -> None:
    (place,) = rows("instances.nulls", PlaceRow)
    place.attributes.name = "Pay by card"
    first, second = rows("runs.page", ResultRow)
    assert read_result(first, place, NAMES, PLACE_PAGE, NOW) == model.Result(
        test="Pay by card",
        outcome=Outcome.UNTESTED,
        at=utc(2017, 3, 7, 10, 4, 44),
        label="NO RUN",
        by="user 5380",
        url="https://prod.practitest.com/p/4566/sets/55/instances/98016/edit",
        version="2",
        elapsed_s=3200.0,
    )
    read = read_result(second, None, NAMES, PLACE_PAGE, NOW)
    assert (read.test, read.outcome, read.elapsed_s) == ("instance 98016", Outcome.RUNNING, None)


@pytest.mark.parametrize("fixture", ["runs.nulls", "runs.bare"])
def test_reads_a_result_that_lacks_everything(fixture: str) -> None:
    (row,) = rows(fixture, ResultRow)
    read = read_result(row, None, NAMES, PLACE_PAGE, NOW)
    assert (read.test, read.outcome, read.at, read.url) == ("an unknown test", Outcome.OTHER, NOW, "")


def test_reads_the_vendors_other_pages() -> None:
    assert [row.attributes.name for row in rows("step_runs.page", StepRow)] == [
        "Login to the system",
        "Go to the User Management Tab",
    ]
    assert [row.attributes.display_id for row in rows("sets.page", SetRow)] == [205]
    assert [row.attributes.display_id for row in rows("instances.page", PlaceRow)] == ["117:19", "117:20"]


def test_reads_people_by_the_name_they_are_shown_with() -> None:
    assert [read_person(row) for row in rows("users.page", practitest.NameRow)] == [
        Person("53811", "chris.z@rd.com", "chris.z@rd.com"),
        Person("22", "Stas Krichevsky", "stask+test@practitest.com"),
        Person("23", "Ida Roth", "ida@acme.example"),
        Person("24", "user 24"),
    ]


@pytest.mark.parametrize(
    ("fixture", "words"),
    [
        ("error.titles", "filter-id is not a filter; set-ids must be ids"),
        ("error.texts", "Unauthorized"),
        ("error.other", ""),
    ],
)
def test_reads_complaints(fixture: str, words: str) -> None:
    assert complaint((FIXTURES / f"{fixture}.json").read_bytes()) == words


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("Nightly API 2026-11-20", "Nightly"),
        ("UAT cart", "cart"),
        ("Release 4.2 sign-off", "sign-off"),
        ("2026-11-20", ""),
        ("v4.2 rc1", ""),
        ("Smoke API 19 November 2026", "Smoke"),
        ("Smoke November 19", "Smoke"),
        ("4f1c2d9beefc0de QA", "QA"),
        ("November smoke", "November"),  # beside no number it does not vary
        ("# 12", ""),
        ("", ""),
    ],
)
def test_names_what_a_stream_has_in_common(name: str, word: str) -> None:
    assert constant_word(name) == word


@pytest.mark.parametrize(
    ("fixture", "query", "may"),
    [
        ("set.finished", RunQuery(state="open"), True),
        ("set.finished", RunQuery(state="closed"), True),
        ("set.passed", RunQuery(state="open"), False),
        ("set.passed", RunQuery(state="closed"), True),
        ("set.never_run", RunQuery(state="closed"), False),
        ("set.going_on", RunQuery(state="closed"), False),
        ("set.going_on", RunQuery(state="all", closed_since=NOW), False),
        ("set.going_on", RunQuery(state="open"), True),
        ("set.unknown_status", RunQuery(state="closed"), True),
        ("set.nulls", RunQuery(state="open"), True),
        ("set.passed", RunQuery(state="all", status=("failed",)), False),
        ("set.finished", RunQuery(state="all", status=("Failed", "failing")), True),
        ("set.passed", RunQuery(state="all", status=("failed", "passed")), True),
    ],
)
def test_reads_instances_only_of_sets_that_may_fit(fixture: str, query: RunQuery, may: bool) -> None:
    assert may_fit(the_set(fixture), query, frozenset(map(str.casefold, query.status))) is may


@pytest.mark.parametrize(
    ("counts", "label", "status", "fit"),
    [
        (counted(passed=3), "PASSED", "passed", True),
        (counted(passed=2, untested=1), "NOT COMPLETED", "passed", False),  # some passed, the set did not
        (counted(passed=2, untested=1), "NOT COMPLETED", "no run", True),
        (counted(passed=2, untested=1), "NOT COMPLETED", "not completed", True),
        (counted(passed=2, blocked=1), "BLOCKED", "blocked", True),
        (counted(passed=2, failed=1, blocked=1), "FAILED", "n/a", False),
        (Counted(Tally(passed=1, other=(("On hold", 1),)), None), "ON HOLD", "on HOLD", True),
        (None, "BLOCKED", "blocked", True),  # its counts were not read
        (None, "BLOCKED", "failed", False),
    ],
)
def test_knows_a_set_by_what_practitest_calls_its_statuses(
    counts: Counted | None, label: str, status: str, fit: bool
) -> None:
    row = the_set("set.going_on")
    row.attributes.run_status = label
    read = read_run(row, counts, NAMES, ref=RunRef("u", "S", 55), project=1, page="", read_at=NOW)
    (word,) = status_words("PractiTest", [status], practitest.status_names([label]))
    assert in_status(read, word) is fit
    assert read.missing == (() if counts else (practitest.UNCOUNTED,))


def test_ten_thousand_sets_need_less_than_six_mebibytes() -> None:
    row = the_set("set.finished")
    row.attributes.description = ""
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    held = []
    for number in range(10_000):
        at = NOW + timedelta(minutes=number)
        row.attributes.name = f"Nightly API {at:%Y-%m-%d %H:%M}"
        row.attributes.created_at, row.attributes.last_run = at.isoformat(), (at + timedelta(minutes=9)).isoformat()
        row.attributes.updated_at = (at + timedelta(minutes=30)).isoformat()
        counts = counted(passed=20 + number % 30, failed=number % 7)
        ref = RunRef("uat", "S", 1_850_000 + number)
        held.append(read_run(row, counts, NAMES, ref=ref, project=4566, page=PAGE, read_at=NOW))
    used = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert len(held) == 10_000
    assert used < 6 * 1024**2


STRANGE: tuple[object, ...] = (
    *(None, True, -1, 0, 1.5, 1e300, [], [1], {}, {"a": 1}),
    *("", "x", "9" * 400, "\x00", "<b>x</b>", "0000-99-99"),
)


@pytest.mark.parametrize("value", STRANGE, ids=repr)
def test_no_value_is_too_strange_to_be_read(value: object) -> None:
    one, place = the_set("set.finished"), rows("instances.assigned", PlaceRow)[0]
    result, user = rows("runs.failed_twice", ResultRow)[0], rows("users.page", practitest.NameRow)[1]
    for row in (one, place, result, user):
        for attribute in row.attributes.__struct_fields__:
            before = getattr(row.attributes, attribute)
            setattr(row.attributes, attribute, value)
            places = Places((place,), NOW)
            ref = RunRef("u", "S", one.id)
            read = read_run(one, places.counted, NAMES, ref=ref, project=1, page=PAGE, read_at=NOW)
            for query in (RunQuery(state="closed", closed_since=NOW, status=("failed",)), RunQuery()):
                may_fit(one, query, query.status)
            told = {place.id: read_told(place, [result], {})}
            practitest.read_tests([place], told, NAMES, PLACE_PAGE)
            read_result(result, place, NAMES, PLACE_PAGE, NOW)
            read_person(user)
            assert read.url
            assert read.created_at.tzinfo is UTC
            assert places.belongs()(result) in ("", "of another test set")
            setattr(row.attributes, attribute, before)
