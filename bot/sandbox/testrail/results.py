"""The endpoints of tests and results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bot.sandbox.testrail import filters, refusals
from bot.sandbox.testrail.desk import Desk, id_field, text
from bot.sandbox.testrail.elapsed import tidy_span
from bot.sandbox.testrail.model import UNTESTED, Result, Run, Test
from bot.sandbox.testrail.paging import Listing, Row
from bot.sandbox.testrail.refusals import Refusal, bad
from bot.sandbox.testrail.runs import must_be_open
from bot.sandbox.testrail.wire import result_row, row_of_test


def get_test(desk: Desk) -> Row:
    """One test; with `with_data=1` its results too."""
    test = desk.test()
    row = row_of_test(desk.store, test)
    if filters.flag(desk.params, "with_data"):
        row["results"] = [result_row(result) for result in reversed(test.results)]
        row["attachments"] = []
    return row


def get_tests(desk: Desk) -> Listing[Test]:
    """The tests of a run, in the order of the suite."""
    statuses, labels = filters.ids(desk.params, "status_id"), filters.ids(desk.params, "label_id")
    found = [
        test
        for test in desk.store.tests_of(desk.run())
        if (statuses is None or test.status_id in statuses) and labels is None  # no test here has a label
    ]
    return Listing("tests", found, lambda test: row_of_test(desk.store, test), whole_when_old=True)


def get_results(desk: Desk) -> Listing[Result]:
    """The results of one test, newest first."""
    return _listing(desk, list(reversed(desk.test().results)))


def get_results_for_case(desk: Desk) -> Listing[Result]:
    """The results of one case in one run, newest first."""
    return _listing(desk, list(reversed(_test_of_case(desk, desk.run()).results)))


def get_results_for_run(desk: Desk) -> Listing[Result]:
    """All results of a run, newest first; those without a status (comments, assignments) among them."""
    found = desk.store.results_of(desk.run())
    created, creators = filters.within(desk.params), filters.ids(desk.params, "created_by")
    return _listing(
        desk,
        [one for one in found if created(one.created_on) and (creators is None or one.created_by in creators)],
    )


def add_result(desk: Desk) -> Row:
    """Record a result for a test."""
    desk.needs("add_results")
    test = desk.test()
    return _record(desk, desk.store.runs[test.run_id], [(test, desk.body)])[0]


def add_result_for_case(desk: Desk) -> Row:
    """Record a result for a case in a run."""
    run = desk.run()
    desk.needs("add_results")
    must_be_open(run)
    return _record(desk, run, [(_test_of_case(desk, run), desk.body)])[0]


def add_results(desk: Desk) -> list[Row]:
    """Record many results by test: all or, when one is wrong, none."""
    run = desk.run()
    desk.needs("add_results")
    must_be_open(run)
    tests = {test.id: test for test in desk.store.tests_of(run)}
    return _record(desk, run, [(_named(tests, "test_id", one, "test T"), one) for one in _sent(desk)])


def add_results_for_cases(desk: Desk) -> list[Row]:
    """Record many results by case: all or, when one is wrong, none."""
    run = desk.run()
    desk.needs("add_results")
    must_be_open(run)
    tests = {test.case_id: test for test in desk.store.tests_of(run)}
    return _record(desk, run, [(_named(tests, "case_id", one, "case C"), one) for one in _sent(desk)])


# -- inside ---------------------------------------------------------------------------------------------------


def _listing(desk: Desk, found: Sequence[Result]) -> Listing[Result]:
    statuses, defect = filters.ids(desk.params, "status_id"), desk.params.get("defects_filter")
    kept = [
        one
        for one in found
        if (statuses is None or one.status_id in statuses) and (not defect or filters.listed(one.defects, defect))
    ]
    return Listing("results", kept, result_row)


def _test_of_case(desk: Desk, run: Run) -> Test:
    test = desk.store.test_for(run, desk.id("case_id", 1))
    if test is None:
        raise Refusal(400, refusals.NO_ACTIVE_TEST)
    return test


def _sent(desk: Desk) -> list[Mapping[str, object]]:
    """The results of a bulk call. Raises Refusal when there are none."""
    sent = desk.body.get("results")
    if not isinstance(sent, list) or not all(isinstance(one, dict) for one in sent):
        raise bad("results", "array")
    if not sent:
        raise Refusal(400, "Field :results cannot be empty (one result is required)")
    return sent


def _named(tests: Mapping[int, Test], key: str, sent: Mapping[str, object], what: str) -> Test:
    named = sent.get(key)
    test = tests.get(int(named)) if isinstance(named, int | str) and str(named).isdecimal() else None
    if test is None:
        raise _invalid(f"{what}{named} unknown or not part of the test run")
    return test


def _invalid(why: str) -> Refusal:
    return Refusal(400, f"Field :results contains one or more invalid results ({why})")


def _record(desk: Desk, run: Run, sent: Sequence[tuple[Test, Mapping[str, object]]]) -> list[Row]:
    must_be_open(run)
    read = [(test, *_read(desk, body)) for test, body in sent]
    return [
        result_row(desk.store.record(test, status_id, by=desk.by.id, at=desk.now, **more))
        for test, status_id, more in read
    ]


def _read(desk: Desk, body: Mapping[str, object]) -> tuple[int | None, dict[str, object]]:
    """Status and other fields of a posted result. Raises Refusal.

    Untested cannot be posted; one of status, assignee and comment is required.
    """
    status_id = body.get("status_id")
    if status_id is not None and (
        not str(status_id).isdecimal()
        or int(str(status_id)) not in desk.store.statuses
        or int(str(status_id)) == UNTESTED
    ):
        raise bad("status_id", "status")
    more: dict[str, object] = {name: value for name, value in body.items() if name.startswith("custom_")}
    for name in ("comment", "version", "defects"):
        more[name] = text(body, name)
    span = text(body, "elapsed")
    more["elapsed"] = tidy_span("elapsed", span) if span else None
    more["assignedto_id"] = id_field(body, "assignedto_id", desk.store.users.__contains__)
    if status_id is None and not more["comment"] and more["assignedto_id"] is None:
        raise _invalid("one of Status ID, Assigned To or Comment is required")
    return None if status_id is None else int(str(status_id)), more
