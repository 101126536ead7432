"""What PractiTest is told of a change, what is refused before anything is asked, and what counts as done later."""

from __future__ import annotations

import base64
import math
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.acts import (
    Append,
    Attachment,
    Change,
    Close,
    Delete,
    Edit,
    Named,
    Pointer,
    Report,
    Reported,
    Start,
    Step,
)
from bot.domain.errors import AmbiguousError, CannotError, NotFoundError, RejectedFault
from bot.domain.model import RunRef
from bot.domain.outcomes import Outcome
from bot.systems import practitest_writing as writing
from bot.systems.practitest import SET, read_elapsed
from bot.systems.practitest_writing import Mark, Shown, Spot

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
REF = RunRef("uat", "S", 55)
LOGIN = Reported(outcome=Outcome.PASSED, id=98142, name="Log in")
PAY = Reported(outcome=Outcome.FAILED, id=98143, name="Pay")
TOM = Named("Tom Becker", 5381)
MIB = 1024 * 1024


def report(*tests: Reported, **more: Any) -> Report:
    return Report(ref=REF, project=4566, by="Ana Kovač", at=NOW, marker="m1", **{"tests": tests or (LOGIN,), **more})


def test_every_change_has_its_verb() -> None:
    append = Append(ref=REF, by="Ana", at=NOW, marker="m")
    link = (Pointer("build", "https://x.test"),)
    changes: list[tuple[Change, str]] = [
        (Close(REF), "close"),
        (Start(connection="uat", letter="S", project=4566, name="x"), "start"),
        (Edit(ref=REF, project=4566, name="x"), "edit"),
        (replace(append, note="x", links=link), "note"),
        (replace(append, links=link), "link"),
        (replace(append, artifacts=link), "attach"),
        (report(), "report"),
        (Delete(REF), "delete"),
    ]
    assert [writing.verb_of(change) for change, _ in changes] == [verb for _, verb in changes]


# Marking.


@pytest.mark.parametrize(
    ("word", "key"),
    [
        ("45911", "---f-45911"),
        (" ---f-45911 ", "---f-45911"),
        ("", ""),
        ("0", ""),
        ("---f-", ""),
        ("--f-45911", ""),
        ("Sign-off", ""),
        ("٤٥", ""),
        ("9" * 19, ""),
    ],
)
def test_a_custom_field_is_known_by_its_number(word: str, key: str) -> None:
    assert writing.field_key(word) == key


@pytest.mark.parametrize(("field", "value"), [("", "Completed"), ("Sign-off", "Completed"), ("45911", " ")])
def test_half_a_mark_is_none_and_leaves_the_kind_as_it_is(field: str, value: str) -> None:
    mark = writing.read_mark(field, value)
    assert mark is None
    assert writing.marking(SET, mark) is SET


def test_a_set_that_can_be_marked_is_closed_by_that() -> None:
    kind = writing.marking(SET, Mark("---f-45911", "Done"))
    assert kind.verbs == SET.verbs | {"close"}
    assert kind.cannot.keys() == SET.cannot.keys() - {"close", "complete"}
    assert kind.closing is not None
    assert (kind.closing.verb, kind.closing.done) == ("mark", "marked")
    assert (kind.closing.for_good, kind.closing.finishes) == (False, False)
    assert kind.closing.consequences == ("Its field 45911 is set to “Done”; PractiTest takes results all the same.",)


def test_a_mark_is_one_field_of_the_set() -> None:
    write = writing.write_mark(Mark("---f-123", "Completed"), 4566, 55)
    assert (write.method, write.path) == ("PUT", "/projects/4566/sets/55.json")
    assert write.body == {"data": {"type": "sets", "attributes": {"custom-fields": {"---f-123": "Completed"}}}}


@pytest.mark.parametrize(
    ("fields", "marked"),
    [
        ({"---f-123": "Done"}, True),
        ({"---f-123": ["Done"]}, True),
        ({"---f-123": "Open"}, False),
        ({"---f-123": ["Open", "Done"]}, False),
        ({"---f-124": "Done"}, False),
        ({}, False),
        (None, None),
        ("Done", None),
    ],
)
def test_a_mark_is_read_from_the_fields(fields: object, marked: bool | None) -> None:
    assert writing.is_marked(Mark("---f-123", "Done"), fields) is marked


# What is refused.


def steps(*outcomes: Outcome) -> tuple[Step, ...]:
    return tuple(Step(f"step {number}", outcome) for number, outcome in enumerate(outcomes, 1))


@pytest.mark.parametrize(
    ("refused", "told"),
    [
        (report(tests=()), "Name one: `report S55/NUMBER passed`."),
        (report(*[LOGIN] * 21), "PractiTest takes at most 20 in one call. Split it: 2 reports of at most 20 each."),
        (report(*[LOGIN] * 41), "Split it: 3 reports of at most 20 each."),
        (report(note="x" * 256), "The note has 256 characters; PractiTest takes 255 of them."),
        (report(replace(LOGIN, outcome=Outcome.RETEST)), "“retest”"),
        (report(replace(LOGIN, outcome=Outcome.RUNNING)), "“running”"),
        (report(replace(LOGIN, outcome=Outcome.OTHER)), "Report passed, failed, blocked, skipped or untested."),
        (report(steps=steps(Outcome.PASSED, Outcome.RETEST)), "“retest”"),
        (
            report(steps=steps(Outcome.PASSED, Outcome.FAILED)),
            "but the step “step 2” failed; PractiTest would record failed.",
        ),
        (
            report(PAY, steps=steps(Outcome.PASSED)),
            "but none of its steps failed or is blocked",
        ),
        (
            report(LOGIN, PAY, steps=steps(Outcome.FAILED)),
            "You said passed, but the step “step 1” failed",
        ),
        (
            report(steps=steps(Outcome.PASSED, Outcome.UNTESTED)),
            "“step 2” was not run; PractiTest would record not completed.",
        ),
        (report(steps=(Step("", Outcome.PASSED),)), "A step has no name."),
        (report(steps=(Step("x" * 256, Outcome.PASSED),)), "has 256 characters"),
        (report(folder="nightly"), "no folder"),
        (report(duration_s=-1), "00:00:00 to 99:59:59"),
        (report(duration_s=math.nan), "00:00:00 to 99:59:59"),
        (report(duration_s=math.inf), "00:00:00 to 99:59:59"),
        (report(duration_s=360_000), "00:00:00 to 99:59:59"),
        (report(files=(Attachment("F1", "a.log", 8 * MIB + 1),)), "at most 8 MiB of files"),
        (report(LOGIN, PAY, files=(Attachment("F1", "a.log", 5 * MIB),)), "10 MiB, once for each of 2 tests"),
    ],
)
def test_what_practitest_has_no_way_to_take_is_refused(refused: Report, told: str) -> None:
    with pytest.raises(CannotError) as caught:
        writing.check(refused)
    assert told in f"{caught.value.what} {caught.value.why} {caught.value.fix}"
    assert caught.value.why
    assert caught.value.fix


@pytest.mark.parametrize(
    "taken",
    [
        report(*[LOGIN] * 20),
        report(note="ß" * 255),
        report(note="x" * 3000, tester=TOM),
        report(duration_s=359_999),
        report(duration_s=0),
        report(files=(Attachment("F1", "a.log", 8 * MIB),)),
        report(PAY, steps=steps(Outcome.PASSED, Outcome.FAILED, Outcome.BLOCKED)),
        report(steps=steps(Outcome.PASSED, Outcome.SKIPPED)),
        report(replace(LOGIN, outcome=Outcome.SKIPPED), steps=steps(Outcome.SKIPPED, Outcome.SKIPPED)),
        report(*(replace(LOGIN, outcome=outcome) for outcome in writing.STATUSES)),
    ],
)
def test_what_practitest_takes_is_let_through(taken: Report) -> None:
    writing.check(taken)


def test_blanks_and_a_nameless_tester_are_nothing() -> None:
    loose = report(note=" x \n", version=" 4.2 ", steps=(Step(" a ", Outcome.PASSED),), tester=Named(" "))
    assert writing.trimmed(loose) == report(note="x", version="4.2", steps=(Step("a", Outcome.PASSED),))
    assert writing.trimmed(report(tester=Named("", 5381))).tester == Named("", 5381)


# Which instance.

SPOTS = (
    Spot(98142, "16:1", "Log in"),
    Spot(98143, "16:2", "Pay by card"),
    Spot(98144, "16:3", "Pay by card"),
    Spot(98145, "16:4", "98143"),
    Spot(98146, "16:5", "16:1"),
)


@pytest.mark.parametrize(
    ("meant", "number"),
    [
        ({"id": 98142}, 98142),
        ({"id": 98143, "name": "whatever it was called"}, 98143),
        ({"name": "98144"}, 98144),
        ({"name": "98143"}, 98143),  # a number is a number, whatever is named like it
        ({"name": " 16:1 "}, 98142),  # what PractiTest shows goes before a name
        ({"name": "log  IN"}, 98142),
    ],
)
def test_an_instance_is_found_by_number_shown_number_or_whole_name(meant: dict[str, Any], number: int) -> None:
    found = writing.meant(Reported(outcome=Outcome.FAILED, **meant), SPOTS)
    assert found == Reported(
        outcome=Outcome.FAILED, id=number, name=next(spot.name for spot in SPOTS if spot.id == number)
    )


@pytest.mark.parametrize(
    ("meant", "word"),
    [({"id": 1}, "1"), ({"name": "117:19"}, "117:19"), ({"name": "Log"}, "Log"), ({"name": ""}, ""), ({"id": 0}, "0")],
)
def test_an_instance_of_another_set_or_a_part_of_a_name_is_none(meant: dict[str, Any], word: str) -> None:
    with pytest.raises(NotFoundError) as caught:
        writing.meant(Reported(outcome=Outcome.FAILED, **meant), SPOTS)
    assert caught.value.what == f"No instance of this test set “{word}” in PractiTest."


def test_a_name_of_several_instances_is_a_choice_by_number() -> None:
    with pytest.raises(AmbiguousError) as caught:
        writing.meant(Reported(outcome=Outcome.FAILED, name="pay by card"), SPOTS)
    assert [(each.label, each.command) for each in caught.value.choices] == [
        ("Pay by card (16:2)", "98143"),
        ("Pay by card (16:3)", "98144"),
    ]


def test_an_instance_named_twice_is_reported_once() -> None:
    assert writing.once_each([LOGIN, PAY, LOGIN]) == (LOGIN, PAY)
    with pytest.raises(CannotError) as caught:
        writing.once_each([LOGIN, replace(LOGIN, outcome=Outcome.FAILED)])
    assert caught.value.what == "“Log in” is named with two results."


# The call.

ITEM: dict[str, Any] = {"type": "instances", "attributes": {"instance-id": 98142, "exit-code": 0}}


def item(*rows: dict[str, str], files: Any = None, **attributes: Any) -> dict[str, Any]:
    named = {name.replace("_", "-"): value for name, value in attributes.items()}
    its: dict[str, Any] = {"type": "instances", "attributes": {"instance-id": 98142, **named}}
    if rows:
        its["steps"] = {"data": list(rows)}
    if files:
        its["files"] = {"data": files}
    return its


def row(name: str, status: str, **more: str) -> dict[str, str]:
    return {"name": name, "status": status, **{key.replace("_", "-"): value for key, value in more.items()}}


def of(outcome: Outcome) -> Reported:
    return replace(LOGIN, outcome=outcome)


HAND = {"run_type": "ManualRun", "tester_id": 5381}


@pytest.mark.parametrize(
    ("said", "sent"),
    [
        (report(), item(exit_code=0)),
        (report(of(Outcome.FAILED)), item(exit_code=1)),
        (report(of(Outcome.BLOCKED)), item(row("Log in", "BLOCKED"))),
        (report(of(Outcome.SKIPPED)), item(row("Log in", "N/A"))),
        (report(of(Outcome.UNTESTED)), item(row("Log in", "NO RUN"))),
        (report(note="saw it"), item(exit_code=0, automated_execution_output="saw it")),
        (
            report(of(Outcome.BLOCKED), note="no server"),
            item(row("Log in", "BLOCKED", actual_results="no server"), automated_execution_output="no server"),
        ),
        (
            report(of(Outcome.FAILED), note="403", steps=steps(Outcome.PASSED, Outcome.BLOCKED, Outcome.FAILED)),
            item(
                row("step 1", "PASSED"),
                row("step 2", "BLOCKED"),
                row("step 3", "FAILED", actual_results="403"),
                automated_execution_output="403",
            ),
        ),
        (
            report(note="fine", steps=steps(Outcome.PASSED)),
            item(row("step 1", "PASSED"), automated_execution_output="fine"),
        ),
        (report(duration_s=303.4), item(exit_code=0, run_duration="00:05:03")),
        (report(duration_s=0.0), item(exit_code=0)),
        (report(version="4.2"), item(exit_code=0, version="4.2")),
        (
            report(fields=(("---f-1", "Win"), ("---f-2", "A"), ("---f-2", "B"))),
            item(exit_code=0, custom_fields={"---f-1": "Win", "---f-2": ["A", "B"]}),
        ),
        (report(tester=TOM), item(row("Log in", "PASSED"), **HAND)),
        (report(of(Outcome.FAILED), tester=TOM), item(row("Log in", "FAILED"), **HAND)),
        (report(tester=TOM, note="ok"), item(row("Log in", "PASSED", actual_results="ok"), **HAND)),
        (
            report(tester=TOM, note="ok", steps=steps(Outcome.PASSED, Outcome.PASSED)),
            item(row("step 1", "PASSED"), row("step 2", "PASSED", actual_results="ok"), **HAND),
        ),
    ],
)
def test_a_result_becomes_this_body(said: Report, sent: dict[str, Any]) -> None:
    write = writing.write_report(said, {})
    assert (write.method, write.path) == ("POST", "/projects/4566/runs.json")
    assert write.body == {"data": sent}


def test_several_results_are_an_array_and_share_what_stands_beside_them() -> None:
    write = writing.write_report(report(LOGIN, PAY, version="4.2"), {})
    assert write.body["data"] == [
        {"type": "instances", "attributes": {"instance-id": 98142, "exit-code": 0, "version": "4.2"}},
        {"type": "instances", "attributes": {"instance-id": 98143, "exit-code": 1, "version": "4.2"}},
    ]


def test_files_are_packed_as_base64_under_clean_names() -> None:
    files = (Attachment("F1", "../../etc/a.log", 3), Attachment("F2", "image.png"), Attachment("F3", "IMAGE.png"))
    contents = {"F1": b"\x00\xff\n", "F2": b"", "F3": b"three", "F9": b"not asked for"}
    data = writing.write_report(report(files=files), contents).body["data"]
    assert [(each["filename"], base64.b64decode(each["content_encoded"])) for each in data["files"]["data"]] == [
        ("_.._etc_a.log", b"\x00\xff\n"),
        ("image.png", b""),
        ("IMAGE-2.png", b"three"),
    ]


@pytest.mark.parametrize(
    ("contents", "told"),
    [({}, "The file “a.log” could not be had."), ({"F1": bytes(8 * MIB + 1)}, "at most 8 MiB")],
)
def test_nothing_is_sent_without_the_files_or_with_more_than_was_told(contents: dict[str, bytes], told: str) -> None:
    with pytest.raises(RejectedFault) as caught:
        writing.write_report(report(files=(Attachment("F1", "a.log"),)), contents)
    assert told in caught.value.why
    assert not caught.value.sent


@pytest.mark.parametrize(
    ("name", "clean"),
    [
        ("one.log", "one.log"),
        ("C:\\temp\\one.log", "C__temp_one.log"),
        ("a\x00b\nc.txt", "a_b_c.txt"),
        ("invoice\u202efdp.exe", "invoice_fdp.exe"),
        ("...", "file"),
        ("", "file"),
        (".env", "env"),
        ("x" * 200 + ".html", "x" * 115 + ".html"),
        ("Ergebnis ä.pdf", "Ergebnis ä.pdf"),
    ],
)
def test_file_names_are_what_any_disk_takes(name: str, clean: str) -> None:
    assert writing.file_names([name]) == (clean,)


@given(st.lists(st.text(max_size=300), max_size=6))
def test_file_names_are_never_empty_twice_or_paths(names: list[str]) -> None:
    clean = writing.file_names(names)
    assert len({name.casefold() for name in clean}) == len(names)
    assert all(name and len(name) < 140 and name.isprintable() and not re.search(r"[/\\]", name) for name in clean)


@given(st.floats(min_value=0, max_value=writing.LONGEST_S))
def test_a_duration_is_read_back_as_it_was_to_the_second(seconds: float) -> None:
    text = writing.duration_text(seconds)
    assert re.fullmatch(r"\d\d:[0-5]\d:[0-5]\d", text)
    read = read_elapsed(text) or 0.0
    assert abs(read - seconds) <= (0.5 if seconds >= 0.5 else 1.0)
    assert (read > 0) == (seconds > 0)


# Whether it was done.


def shown(**more: Any) -> Shown:
    its: dict[str, Any] = {
        "instance": 98142,
        "status": "PASSED",
        "output": "",
        "by_hand": False,
        "tester": None,
        "at": NOW,
    }
    return Shown(**{**its, **more})


NOTED = report(note="saw <b>it</b> &  fine")


@pytest.mark.parametrize(
    ("sent", "rows", "done"),
    [
        (report(), [shown()], True),
        (report(), [], False),
        (report(), [shown(at=NOW - timedelta(minutes=2))], True),
        (report(), [shown(at=NOW - timedelta(minutes=2, seconds=1))], False),
        (report(), [shown(at=None)], None),
        (report(), [shown(status="passed")], True),
        (report(), [shown(status="FAILED")], False),
        (report(), [shown(status="")], None),
        (report(), [shown(instance=98143)], False),
        (report(), [shown(instance=None)], None),
        (report(), [shown(by_hand=True)], False),
        (report(), [shown(by_hand=None)], True),
        (report(), [shown(at=None), shown()], True),
        (report(of(Outcome.BLOCKED)), [shown(status="BLOCKED")], True),
        (report(of(Outcome.SKIPPED)), [shown(status="N/A")], True),
        (report(of(Outcome.UNTESTED)), [shown(status="NO RUN")], True),
        (NOTED, [shown(output="saw <b>it</b> &  fine")], True),
        (NOTED, [shown(output="saw it &amp; fine")], True),
        (NOTED, [shown(output="saw")], None),  # perhaps it was cut
        (NOTED, [shown(output="")], None),
        (NOTED, [shown(output="another pipeline's words")], False),
        (report(tester=TOM, note="ok"), [shown(by_hand=True, tester=5381)], True),
        (report(tester=TOM, note="ok"), [shown(by_hand=True, tester=None)], True),
        (report(tester=TOM, note="ok"), [shown(by_hand=True, tester=5382)], False),
        (report(tester=TOM), [shown()], False),
        (report(LOGIN, PAY), [shown(), shown(instance=98143, status="FAILED")], True),
        (report(LOGIN, PAY), [shown()], None),
        (report(LOGIN, PAY), [shown(instance=98143)], False),
        (report(replace(LOGIN, id=None)), [shown()], None),
    ],
)
def test_a_report_was_done_when_each_of_its_results_is_there(
    sent: Report, rows: list[Shown], done: bool | None
) -> None:
    assert writing.was_reported(sent, rows, NOW, whole=True) is done
    assert writing.was_reported(sent, rows, NOW, whole=False) is (done or None)


def test_all_that_there_is_no_instance_for_are_named_beside_what_there_is() -> None:
    spots = (writing.Spot(98142, "117:19", "Cart keeps its goods"), writing.Spot(98143, "117:20", "Pay"))
    asked = [Reported(outcome=Outcome.PASSED, id=1), Reported(outcome=Outcome.PASSED, id=98143),
             Reported(outcome=Outcome.PASSED, name="Pays")]  # fmt: skip
    with pytest.raises(NotFoundError) as caught:
        writing.all_meant(asked, spots)
    assert caught.value.what == "No instances of this test set “1”, “Pays” in PractiTest."
    assert caught.value.why == "There are 98142 Cart keeps its goods and 98143 Pay."
    assert [test.name for test in writing.all_meant(asked[1:2], spots)] == ["Pay"]
