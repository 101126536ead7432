"""What is sent to Testmo for each change, and what a run shows of it: without a server."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.domain.acts import Append, Attachment, Named, Pointer, Report, Reported, Start, Step
from bot.domain.errors import AskError, CannotError, NotFoundError
from bot.domain.model import RunRef
from bot.domain.outcomes import Outcome
from bot.systems import testmo_writing as writing
from bot.systems.testmo_writing import KeptField, KeptPointer, KeptRun, KeptThread, Place

AT = datetime(2026, 1, 5, 7, tzinfo=UTC)
A415 = RunRef("testmo", "A", 415)
CI = Pointer("Build", "https://ci.acme.example/1")


def start(**more: Any) -> Start:
    usual = Start(connection="testmo", letter="A", project=1, name="Smoke", source="nightly-web")
    return replace(usual, **more)


def append(**more: Any) -> Append:
    return replace(Append(ref=A415, by="Ana", at=AT, marker="k1"), **more)


def report(**more: Any) -> Report:
    tests = (Reported(outcome=Outcome.FAILED, name="pays"),)
    return replace(Report(ref=A415, project=1, by="Ana", at=AT, marker="k1", tests=tests), **more)


def said(error: AskError) -> str:
    return f"{error.what} {error.why} {error.fix}"


# What can't be sent.

STARTS: dict[str, tuple[dict[str, Any], str]] = {
    "a suite": ({"suite": Named("Smoke")}, "no place for a suite in an automation run"),
    "several things": ({"cases": (1, 2), "refs": "SHOP-1"}, "no place for cases and references in"),
    "three things": (
        {"suite": Named("", 1), "assignee": Named("Ana"), "description": "x"},
        "no place for a suite, an assignee and a description in",
    ),
    "no name": ({"name": "  "}, "The name of a run is missing"),
    "a long name": ({"name": "n" * 751}, "It has 751 characters; Testmo takes 750"),
    "no source": ({"source": ""}, "Add --source"),
    "a source of one letter": ({"source": "a"}, "a letter first, then letters, digits and hyphens"),
    "a tag with a blank": ({"tags": ("release 8.2",)}, "letters, digits, hyphens and underscores"),
    "a link that is none": ({"links": (Pointer("x", "javascript:alert(1)"),)}, "is no web address"),
    "a link with a blank": ({"links": (Pointer("x", "https://a.example/a b"),)}, "is no web address"),
    "a long remark": ({"links": (replace(CI, note="n" * 81),)}, "It has 81 characters; Testmo takes 80"),
    "a long address": ({"artifacts": (Pointer("x", f"https://a.example/{'a' * 750}"),)}, "Testmo takes 750"),
    "too many artifacts": ({"artifacts": (CI,) * 26}, "There are 26; Testmo takes 25"),
    "too many fields": ({"fields": (("a", "b"),) * 26}, "There are 26; Testmo takes 25"),
    "a field without a name": ({"fields": (("", "b"),)}, "The name of a field is missing"),
    "a long field": ({"fields": (("a", "ä" * 8193),)}, "It has 16,386 bytes; Testmo takes 16,384"),
}


@pytest.mark.parametrize("case", STARTS)
def test_a_start_that_testmo_would_not_take_is_refused_with_the_rule(case: str) -> None:
    more, words = STARTS[case]
    with pytest.raises(AskError) as caught:
        writing.checked_start(start(**more))
    assert words in said(caught.value)
    assert caught.value.fix.endswith(".")


@pytest.mark.parametrize(
    ("typed", "mended"),
    [
        ("2nd night", "night"),
        ("front end", "front-end"),
        ("nightly_web", "nightly-web"),
        ("Größe/Länge", "Grosse-Lange"),
        ("-- nightly --", "nightly"),
        ("42", None),
        ("夜", None),
    ],
)
def test_a_wrong_source_is_mended(typed: str, mended: str | None) -> None:
    with pytest.raises(NotFoundError) as caught:
        writing.checked_start(start(source=typed))
    assert caught.value.closest == (() if mended is None else (mended,))
    assert caught.value.instead_of == typed
    if mended is not None:
        assert writing.checked_start(start(source=mended)).source == mended


def test_a_wrong_tag_is_mended() -> None:
    with pytest.raises(NotFoundError) as caught:
        writing.checked_start(start(tags=("release 8.2",)))
    assert caught.value.closest == ("release-8-2",)
    assert writing.checked_start(start(tags=caught.value.closest)).tags == ("release-8-2",)


APPENDS: dict[str, tuple[dict[str, Any], str]] = {
    "nothing": ({"note": " "}, "Nothing to add"),
    "a long note": ({"note": "n" * 16_385}, "It has 16,385 bytes; Testmo takes 16,384"),
    "a link that is none": ({"links": (Pointer("x", "ftp://a.example"),)}, "is no web address"),
    "a link of a thread": ({"ref": replace(A415, thread=2), "links": (CI,)}, "Put the link on A415"),
    "too many links": ({"links": (CI,) * 26}, "Too many links"),
}


@pytest.mark.parametrize("case", APPENDS)
def test_an_addition_that_testmo_would_not_take_is_refused_with_the_rule(case: str) -> None:
    more, words = APPENDS[case]
    with pytest.raises(AskError) as caught:
        writing.checked_append(append(**more))
    assert words in said(caught.value)


REPORTS: dict[str, tuple[dict[str, Any], str]] = {
    "steps": ({"steps": (Step("a", Outcome.PASSED),)}, "no place for steps in a result"),
    "files": ({"files": (Attachment("F1", "a.png"),), "version": "5"}, "no place for files and a version in"),
    "a tester": ({"tester": Named("Ana")}, "no place for a tester in"),
    "a thread": ({"ref": replace(A415, thread=1)}, "Report it to A415"),
    "no test": ({"tests": ()}, "No test is named"),
    "too many": ({"tests": (Reported(outcome=Outcome.PASSED, name="a"),) * 251}, "Testmo takes 250"),
    "running": ({"tests": (Reported(outcome=Outcome.RUNNING, name="a"),)}, "no result that is “running”"),
    "other": ({"tests": (Reported(outcome=Outcome.OTHER, name="a"),)}, "passed, failed, blocked"),
    "a long name": ({"tests": (Reported(outcome=Outcome.PASSED, name="a" * 751),)}, "Testmo takes 750"),
    "a long note": ({"note": "n" * 16_385}, "Testmo takes 16,384"),
    "a long folder": ({"folder": "n" * 751}, "Testmo takes 750"),
    "too many fields": ({"fields": (("a", "b"),) * 25}, "Testmo takes 24"),
    "a negative duration": ({"duration_s": -1.0}, "no duration"),
    "an endless duration": ({"duration_s": float("inf")}, "no duration"),
}


@pytest.mark.parametrize("case", REPORTS)
def test_a_report_that_testmo_would_not_take_is_refused_with_the_rule(case: str) -> None:
    more, words = REPORTS[case]
    with pytest.raises(AskError) as caught:
        writing.checked_report(report(**more))
    assert words in said(caught.value)


@pytest.mark.parametrize("outcome", [each for each in Outcome if each not in (Outcome.RUNNING, Outcome.OTHER)])
def test_an_outcome_goes_by_its_own_word(outcome: Outcome) -> None:
    change = report(tests=(Reported(outcome=outcome, name="pays"),))
    body = writing.append_tests(change, 1, [Place("k", "pays", "Checkout")]).content
    assert [test["status"] for test in body["tests"]] == [outcome.value]


# What is sent.


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("main", 1),
        ("", 1),
        ("https://ci.acme.example/1", 5),
        ("see https://ci.acme.example/1", 1),
        ("one\ntwo", 2),
        ("n" * 751, 2),
        (f"https://ci.acme.example/{'n' * 750}", 2),
    ],
)
def test_a_field_has_the_type_that_holds_its_value(value: str, kind: int) -> None:
    assert writing.field("F", value) == {"name": "F", "type": kind, "value": value}


def test_what_people_type_is_kept_as_it_is_in_json() -> None:
    hostile = 'a "b" \\ </script> <!channel> 夜 \u2028'
    request = writing.append_to_run(append(note=hostile, by='"Ana"'))
    assert json.loads(request.body) == request.content
    assert request.content["fields"][0]["value"] == hostile


def test_a_pointer_without_a_name_is_called_by_its_address() -> None:
    change = writing.checked_append(append(links=(Pointer(" ", " https://ci.acme.example/1 "),)))
    assert change.links == (Pointer("https://ci.acme.example/1", "https://ci.acme.example/1"),)


# Which test is meant.

KNOWN = (
    Place("k1", "pays", "Checkout", 11),
    Place("k1", "pays", "Checkout", 10),
    Place("k2", "loads", "Checkout", 12),
    Place("k3", "loads", "Search", 13),
    Place("k4", "Loads", "Search", 14),
)


@pytest.mark.parametrize(
    ("number", "name", "folder", "key"),
    [
        (None, "pays", "", "k1"),
        (None, " PAYS ", "", "k1"),
        (None, "pays", "checkout", "k1"),
        (None, "loads", "Checkout", "k2"),
        (None, "loads", "Search", "k3"),
        (None, "Loads", "", "k4"),
        (13, "", "", "k3"),
        (10, "called otherwise", "", "k1"),
        (99, "pays", "", "k1"),
    ],
)
def test_a_test_that_the_run_knows_keeps_its_key(number: int | None, name: str, folder: str, key: str) -> None:
    test = Reported(outcome=Outcome.PASSED, id=number, name=name)
    assert writing.place_of(test, folder, KNOWN, "A415").key == key


@pytest.mark.parametrize(
    ("name", "folder", "place"),
    [
        ("new one", "", Place(hashlib.sha1(b"Reported\nnew one").hexdigest(), "new one", "Reported")),
        ("new one", "Cart", Place(hashlib.sha1(b"Cart\nnew one").hexdigest(), "new one", "Cart")),
        ("pays", "Cart", Place(hashlib.sha1(b"Cart\npays").hexdigest(), "pays", "Cart")),
    ],
)
def test_a_test_that_is_new_to_the_run_gets_a_key_that_stays(name: str, folder: str, place: Place) -> None:
    test = Reported(outcome=Outcome.PASSED, name=name)
    assert writing.place_of(test, folder, KNOWN, "A415") == place
    assert writing.is_key(place.key)


@pytest.mark.parametrize(
    ("number", "name", "words"),
    [
        (99, "", "No test 99 in A415."),
        (None, " ", "A test has no name."),
        (None, "loads", "Several tests of A415 are called “loads”. They are in different folders: Checkout, Search."),
    ],
)
def test_a_test_is_never_guessed(number: int | None, name: str, words: str) -> None:
    with pytest.raises(AskError) as caught:
        writing.place_of(Reported(outcome=Outcome.PASSED, id=number, name=name), "", KNOWN, "A415")
    assert said(caught.value).startswith(words)


# What a run shows.

NOTE = append(note="slow\nagain", by="Ana")
LINKS = append(links=(CI, Pointer("x", "https://a.example")))
BOTH = append(note="slow again", artifacts=(CI,))


def note(value: str, meta: Any = None, name: str = "Note from Ana") -> KeptField:
    return KeptField(name, value, meta)


@pytest.mark.parametrize(
    ("change", "run", "shown"),
    [
        (NOTE, KeptRun(1, fields=[]), False),
        (NOTE, KeptRun(1), None),
        (NOTE, KeptRun(1, fields=[note("slow again")]), True),
        (NOTE, KeptRun(1, fields=[note("slow again", [])]), True),
        (NOTE, KeptRun(1, fields=[note("another")]), False),
        (NOTE, KeptRun(1, fields=[note("slow again", name="Note from Tom")]), False),
        (NOTE, KeptRun(1, fields=[note("cut off", {"rundown": "k1"})]), True),
        (NOTE, KeptRun(1, fields=[note("slow again", {"rundown": "k0"})]), False),  # said before, by another change
        (LINKS, KeptRun(1, links=[KeptPointer(CI.url), KeptPointer("https://a.example")]), True),
        (LINKS, KeptRun(1, links=[KeptPointer(CI.url)]), False),
        (LINKS, KeptRun(1, fields=[]), None),
        (BOTH, KeptRun(1, fields=[note("slow again")], artifacts=[KeptPointer(CI.url)]), True),
        (BOTH, KeptRun(1, fields=[note("slow again")]), None),
        (BOTH, KeptRun(1, fields=[], artifacts=[KeptPointer(CI.url)]), False),
        (BOTH, KeptRun(1, artifacts=[]), False),
    ],
)
def test_a_run_shows_whether_an_addition_is_there(change: Append, run: KeptRun, shown: bool | None) -> None:
    assert writing.shows_append(run, change) is shown


def test_a_thread_shows_whether_an_addition_is_there() -> None:
    run = KeptRun(1, fields=[note("slow again")], threads=[KeptThread(7, []), KeptThread(8, [note("slow again")])])
    assert [writing.shows_append(run, NOTE, number) for number in (7, 8, 9)] == [False, True, None]


MINE = [KeptField("Reported with", "Rundown k1")]


@pytest.mark.parametrize(
    ("threads", "shown"),
    [
        (None, None),
        ([], False),
        ([KeptThread(1, [], total_count=4)], False),
        ([KeptThread(1, None, total_count=4)], None),
        ([KeptThread(1, None), KeptThread(2, MINE, total_count=1)], True),
        ([KeptThread(2, MINE, total_count=0)], False),
        ([KeptThread(2, MINE)], None),
        ([KeptThread(2, [KeptField("Reported with", "Rundown k11")], total_count=1)], False),
    ],
)
def test_a_run_shows_whether_a_report_is_there(threads: list[KeptThread] | None, shown: bool | None) -> None:
    assert writing.shows_report(KeptRun(1, threads=threads), report()) is shown


def test_what_testmo_has_no_place_for_is_something_it_cannot_do() -> None:
    with pytest.raises(CannotError):
        writing.checked_start(start(suite=Named("x")))
    with pytest.raises(CannotError):
        writing.checked_report(report(version="5"))
