"""What PractiTest is told: a change → method, path, JSON body; and whether what it shows later is that change.

Nothing here asks anything. Source: the vendor's pages on runs ("Create a run") and on sets. Its habits:
- a result is reported for an instance, by the instance's number (not the one it shows), 1 to 20 in one call;
- an exit code says passed (0) or failed; every other status has to come from steps, which override the exit code;
- what is written beside a machine's result ("output") has room for 255 characters, a person's result has none;
- nothing closes a set: a custom field can be set, and PractiTest goes on taking results.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import PurePosixPath
from typing import Any

from bot.domain.acts import Append, Change, Close, Delete, Edit, Report, Reported, Start, Step
from bot.domain.errors import AmbiguousError, CannotError, Choice, NotFoundError, RejectedFault
from bot.domain.model import Closing, Kind
from bot.domain.outcomes import Outcome
from bot.systems._names import MOST_TOLD, closest, read_digits, what_there_is
from bot.systems._plain import plain

LABEL = "PractiTest"
MOST_TESTS = 20
MOST_OUTPUT = 255
#: As the vendor's own importer keeps it; the page gives no limit.
MOST_STEP_NAME = 255
MOST_FILE_NAME = 120
LONGEST_S = 99 * 3600 + 59 * 60 + 59
#: Of all files of a call together, before they are packed as BASE64 (a third more).
MOST_FILE_BYTES = 8 * 1024 * 1024
#: So far our clock and PractiTest's may be apart.
CLOCKS = timedelta(minutes=2)

#: What a step may be reported as. RETEST, RUNNING and labels of other systems have no counterpart.
STATUSES: Mapping[Outcome, str] = {
    Outcome.PASSED: "PASSED",
    Outcome.FAILED: "FAILED",
    Outcome.BLOCKED: "BLOCKED",
    Outcome.SKIPPED: "N/A",
    Outcome.UNTESTED: "NO RUN",
}


@dataclass(frozen=True, slots=True)
class Write:
    """One call that changes something. `path` is below the API's address, `body` is what becomes its JSON."""

    method: str
    path: str
    body: Mapping[str, Any]


def verb_of(change: Change) -> str:
    """The word that people use for it."""
    match change:
        case Append(note=note, links=links):
            return "note" if note else "link" if links else "attach"
        case Close():
            return "close"
        case Start():
            return "start"
        case Edit():
            return "edit"
        case Report():
            return "report"
        case Delete():
            return "delete"


# Marking a set.


@dataclass(frozen=True, slots=True)
class Mark:
    """What stands for closing a set: a custom field by its key (`---f-45911`), and the value it is set to."""

    key: str
    value: str

    @property
    def number(self) -> int:
        return int(self.key.removeprefix("---f-"))


def field_key(word: str) -> str:
    """`45911` or `---f-45911` as the key of a custom field; empty for anything else."""
    found = re.fullmatch(r"(?:---f-)?([1-9][0-9]{0,17})", word.strip(), re.ASCII)
    return f"---f-{found[1]}" if found else ""


def read_mark(field: str, value: str) -> Mark | None:
    key = field_key(field)
    return Mark(key, value.strip()) if key and value.strip() else None


def marking(kind: Kind, mark: Mark | None) -> Kind:
    """The kind as it is where sets can be marked."""
    if mark is None:
        return kind
    said = f"Its field {mark.number} is set to “{mark.value}”; PractiTest takes results all the same."
    return replace(
        kind,
        verbs=kind.verbs | {"close"},
        cannot={verb: why for verb, why in kind.cannot.items() if verb not in ("close", "complete")},
        closing=Closing("mark", "marked", (said,), for_good=False, finishes=False),
    )


def write_mark(mark: Mark, project: int, number: int) -> Write:
    attributes = {"custom-fields": {mark.key: mark.value}}
    body = {"data": {"type": "sets", "attributes": attributes}}
    return Write("PUT", f"/projects/{project}/sets/{number}.json", body)


def is_marked(mark: Mark, fields: object) -> bool | None:
    """Whether the custom fields of a set (as they came) have the mark; None where they are not told."""
    if not isinstance(fields, Mapping):
        return None
    value = fields.get(mark.key)
    return value in (mark.value, [mark.value])


# Reporting results: what is refused before anything is asked.


def trimmed(report: Report) -> Report:
    """The report without what is empty: blanks around words, steps of nothing, a tester that is nobody."""
    tester = report.tester
    return replace(
        report,
        note=report.note.strip(),
        version=report.version.strip(),
        steps=tuple(replace(step, name=step.name.strip()) for step in report.steps),
        tester=tester if tester and (tester.id is not None or tester.name.strip()) else None,
    )


def check(report: Report) -> None:
    """Raise CannotError for words that PractiTest has no way to take, with what is possible instead."""
    _check_tests(report)
    _check_steps(report.steps)
    for outcome in dict.fromkeys(test.outcome for test in report.tests):
        _check_outcome(outcome, report.steps)
    _check_extent(report)
    check_size(report, sum(file.size for file in report.files))


def _check_tests(report: Report) -> None:
    asked = len(report.tests)
    if not asked:
        raise CannotError(
            "No instance is named to report a result of.",
            why="PractiTest keeps results with the instances of a test set.",
            fix=f"Name one: `report {report.ref.short}/NUMBER passed`.",
        )
    if asked > MOST_TESTS:
        parts = -(-asked // MOST_TESTS)
        raise CannotError(
            f"{asked} results are too many for one report.",
            why=f"PractiTest takes at most {MOST_TESTS} in one call.",
            fix=f"Split it: {parts} reports of at most {MOST_TESTS} each.",
        )


def _check_steps(steps: Sequence[Step]) -> None:
    for step in steps:
        if not step.name or len(step.name) > MOST_STEP_NAME:
            raise CannotError(
                "A step has no name." if not step.name else f"The name of a step has {len(step.name)} characters.",
                why=f"PractiTest's steps have names of 1 to {MOST_STEP_NAME} characters.",
                fix='Write it as --step "name: passed".',
            )


def _check_outcome(outcome: Outcome, steps: Sequence[Step]) -> None:
    for each in (outcome, *(step.outcome for step in steps)):
        if each not in STATUSES:
            *most, last = (known.value for known in STATUSES)
            raise CannotError(
                f"PractiTest takes no result that is “{each.value}”.",
                why="It has no such status for a result or a step.",
                fix=f"Report {', '.join(most)} or {last}.",
            )
    if not steps:
        return
    worked_out = status_by_steps(step.outcome for step in steps)
    if worked_out != STATUSES[outcome]:
        raise CannotError(
            f"You said {outcome.value}, but {_loudest(steps)}; PractiTest would record {worked_out.lower()}.",
            why="PractiTest works the status of a result out from its steps.",
            fix="Report the result that the steps make, or say which step failed or is blocked.",
        )


def _loudest(steps: Sequence[Step]) -> str:
    """The step that decides, in words: `the step “Pay” failed`; `none of its steps …` without one."""
    for outcome, words in (
        (Outcome.FAILED, "failed"),
        (Outcome.BLOCKED, "is blocked"),
        (Outcome.UNTESTED, "was not run"),
    ):
        name = next((step.name for step in steps if step.outcome is outcome), "")
        if name:
            return f"the step “{name[:80]}” {words}"
    return "none of its steps failed or is blocked"


def status_by_steps(outcomes: Iterable[Outcome]) -> str:
    """The status PractiTest works out: a failure wins, then a block; some of them not run leave it not completed."""
    seen = {STATUSES[outcome] for outcome in outcomes}
    loud = next((status for status in ("FAILED", "BLOCKED") if status in seen), "")
    if loud or len(seen) == 1:
        return loud or seen.pop()
    return "NOT COMPLETED" if "NO RUN" in seen else "PASSED"


def _check_extent(report: Report) -> None:
    if report.folder:
        raise CannotError(
            "PractiTest has no folder for results.",
            why="A result belongs to an instance of the test set.",
            fix="Leave the folder out.",
        )
    if report.tester is None and len(report.note) > MOST_OUTPUT:
        raise CannotError(
            f"The note has {len(report.note)} characters; PractiTest takes {MOST_OUTPUT} of them.",
            why=f"It keeps a note as execution output, which has room for {MOST_OUTPUT} characters.",
            fix="Shorten the note, or attach the rest as a file.",
        )
    if report.duration_s is not None and not 0 <= report.duration_s < LONGEST_S + 0.5:
        raise CannotError(
            "PractiTest takes no such duration.",
            why="It keeps hours, minutes and seconds: 00:00:00 to 99:59:59.",
            fix="Write it like --duration 00:05:00.",
        )


def check_size(report: Report, file_bytes: int) -> None:
    """Raise CannotError where the files, which go with each of the tests, are too large for one call."""
    total = file_bytes * len(report.tests)
    if total > MOST_FILE_BYTES:
        each = f", once for each of {len(report.tests)} tests" if len(report.tests) > 1 else ""
        raise CannotError(
            f"The files have {_mib(total)} MiB{each}.",
            why=f"PractiTest is sent at most {_mib(MOST_FILE_BYTES)} MiB of files in one call.",
            fix="Leave some files out, or put a link to them into the note.",
        )


def _mib(size: int) -> str:
    return f"{size / 1024**2:.1f}".removesuffix(".0")


# Reporting results: which instances are meant.


@dataclass(frozen=True, slots=True)
class Spot:
    """An instance as people may mean it: by its number, by what PractiTest shows (`117:19`), by its test's name."""

    id: int
    shown: str
    name: str


def meant(test: Reported, spots: Sequence[Spot]) -> Reported:
    """The test with the number and the name of the one instance that is meant.

    Raises NotFoundError, and AmbiguousError with the instances' numbers to choose from.
    """
    word = test.name.strip()
    fitting = _fitting(test, word, spots)
    if not fitting:
        raise _no_such_instance([test], spots)
    if len(fitting) > 1:
        raise AmbiguousError(
            f"“{word[:80]}” stands in this test set {len(fitting)} times.",
            tuple(Choice(f"{spot.name} ({spot.shown or spot.id})", str(spot.id)) for spot in fitting),
            why="A test may have several instances in one set.",
            fix="Choose one, or give the instance's number.",
        )
    return replace(test, id=fitting[0].id, name=fitting[0].name)


def all_meant(tests: Sequence[Reported], spots: Sequence[Spot]) -> list[Reported]:
    """Each test as `meant` has it. Raises NotFoundError that names all that there is no instance for."""
    wrong = [test for test in tests if not _fitting(test, test.name.strip(), spots)]
    if wrong:
        raise _no_such_instance(wrong, spots)
    return [meant(test, spots) for test in tests]


def _no_such_instance(tests: Sequence[Reported], spots: Sequence[Spot]) -> NotFoundError:
    words = [test.name.strip() if test.id is None else str(test.id) for test in tests]
    told = ", ".join(f"“{word[:80]}”" for word in words[:MOST_TOLD])
    rest = f" and {len(words) - MOST_TOLD} more" if len(words) > MOST_TOLD else ""
    return NotFoundError(
        f"No instance{'s' if len(words) > 1 else ''} of this test set {told}{rest} in {LABEL}.",
        why=what_there_is([f"{spot.id} {spot.name}" for spot in spots]),
        fix="Give the number in the address of the instance's page, the one it shows (117:19), or its whole name.",
        closest=closest(words[0], list(dict.fromkeys(spot.name for spot in spots if spot.name))),
        instead_of=words[0],
    )


def _fitting(test: Reported, word: str, spots: Sequence[Spot]) -> list[Spot]:
    """A number is one, whatever is named like it; what is shown goes before a name."""
    number = read_digits(word) if test.id is None else test.id
    folded = " ".join(word.casefold().split())
    numbered = [spot for spot in spots if number is not None and spot.id == number]
    if numbered or test.id is not None:
        return numbered
    shown = [spot for spot in spots if word and spot.shown == word]
    return shown or [spot for spot in spots if folded and " ".join(spot.name.casefold().split()) == folded]


def once_each(tests: Sequence[Reported]) -> tuple[Reported, ...]:
    """Each instance once. Raises CannotError for one that would have two results."""
    each = tuple(dict.fromkeys(tests))
    numbers = [test.id for test in each]
    twice = next((test for test in each if numbers.count(test.id) > 1), None)
    if twice is not None:
        raise CannotError(
            f"“{twice.name[:80]}” is named with two results.",
            why=f"Both are for instance {twice.id}.",
            fix="Leave one of them out, or report one after the other.",
        )
    return each


def several_fields(name: str, numbers: Sequence[int]) -> AmbiguousError:
    """The error for a name that several custom fields have."""
    return AmbiguousError(
        f"There are {len(numbers)} custom fields “{name.strip()[:80]}”.",
        tuple(Choice(f"{name.strip()[:80]} (field {number})", str(number)) for number in numbers),
        why="PractiTest lets fields of one project have the same name.",
        fix="Give the field's number.",
    )


# Reporting results: the call.


def write_report(report: Report, files: Mapping[str, bytes]) -> Write:
    """The call for a prepared report: an object for one instance, an array for several.

    Raises RejectedFault when the bytes of a file are lacking or too many: nothing has been sent then.
    """
    packed = _packed(report, files)
    items = [_item(report, test, packed) for test in report.tests]
    return Write("POST", f"/projects/{report.project}/runs.json", {"data": items[0] if len(items) == 1 else items})


def _item(report: Report, test: Reported, files: list[dict[str, str]]) -> dict[str, Any]:
    """One instance's result.

    Passed and failed of a machine are an exit code. Blocked, not applicable and not run have none: such a result is
    sent as one step, named after the test, whose status PractiTest takes over. So is every result of a person: all
    that the vendor shows or sends itself have steps, and only a step has room for what somebody saw.
    """
    attributes: dict[str, Any] = {"instance-id": test.id}
    steps = _steps(report, test)
    if not steps:
        attributes["exit-code"] = 0 if test.outcome is Outcome.PASSED else 1
    if report.tester is not None:
        attributes |= {"run-type": "ManualRun", "tester-id": report.tester.id}
    elif report.note:
        attributes["automated-execution-output"] = report.note
    if report.duration_s:
        attributes["run-duration"] = duration_text(report.duration_s)
    if report.version:
        attributes["version"] = report.version
    if report.fields:
        attributes["custom-fields"] = _custom_fields(report.fields)
    item: dict[str, Any] = {"type": "instances", "attributes": attributes}
    if steps:
        item["steps"] = {"data": steps}
    if files:
        item["files"] = {"data": files}
    return item


def _steps(report: Report, test: Reported) -> list[dict[str, str]]:
    steps = list(report.steps)
    by_hand = report.tester is not None
    if not steps and (by_hand or test.outcome not in (Outcome.PASSED, Outcome.FAILED)):
        steps = [Step(test.name[:MOST_STEP_NAME] or f"instance {test.id}", test.outcome)]
    rows = [{"name": step.name, "status": STATUSES[step.outcome]} for step in steps]
    about = _step_of_note(rows, by_hand=by_hand) if report.note else None
    if about is not None:
        rows[about]["actual-results"] = report.note
    return rows


def _step_of_note(rows: Sequence[Mapping[str, str]], *, by_hand: bool) -> int | None:
    """The step that the note is about: one that failed, else one that is blocked; a person's has no other place."""
    for status in ("FAILED", "BLOCKED"):
        for index, row in enumerate(rows):
            if row["status"] == status:
                return index
    return len(rows) - 1 if rows and by_hand else None


def _custom_fields(fields: Sequence[tuple[str, str]]) -> dict[str, str | list[str]]:
    """Values by field; a field that is given several times has a list of them."""
    values: dict[str, list[str]] = {}
    for name, value in fields:
        values.setdefault(name, []).append(value)
    return {name: each[0] if len(each) == 1 else each for name, each in values.items()}


def duration_text(seconds: float) -> str:
    """`HH:MM:SS`; a moment is a second, as nothing at all means that nobody took the time."""
    whole = max(1, round(seconds)) if seconds > 0 else 0
    return f"{whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02}"


def _packed(report: Report, files: Mapping[str, bytes]) -> list[dict[str, str]]:
    lacking = next((file.name for file in report.files if file.id not in files), None)
    if lacking is not None:
        raise _unsent(f"The file “{lacking[:80]}” could not be had.", "Report again, with the file attached anew.")
    contents = [files[file.id] for file in report.files]
    try:
        check_size(report, sum(map(len, contents)))
    except CannotError as refusal:
        raise _unsent(f"{refusal.what} {refusal.why}", refusal.fix) from None
    names = file_names([file.name for file in report.files])
    return [
        {"filename": name, "content_encoded": base64.b64encode(content).decode("ascii")}
        for name, content in zip(names, contents, strict=True)
    ]


def _unsent(why: str, fix: str) -> RejectedFault:
    return RejectedFault(LABEL, "Nothing was sent to PractiTest.", why=why, fix=fix)


def file_names(names: Sequence[str]) -> tuple[str, ...]:
    """Names as any disk takes them: no folders, signs that can't be seen, or endless ones; each name once."""
    taken: set[str] = set()
    found: list[str] = []
    for name in map(_clean_name, names):
        path, nth, free = PurePosixPath(name), 1, name
        while free.casefold() in taken:
            nth += 1
            free = f"{path.stem}-{nth}{path.suffix}"
        taken.add(free.casefold())
        found.append(free)
    return tuple(found)


def _clean_name(name: str) -> str:
    seen = "".join(sign if sign.isprintable() and sign not in '/\\:*?"<>|' else "_" for sign in name).strip(" .")
    path = PurePosixPath(seen or "file")
    suffix = path.suffix[:20]
    return path.stem[: MOST_FILE_NAME - len(suffix)] + suffix


# Reporting results: whether it was done.


@dataclass(frozen=True, slots=True)
class Shown:
    """A result as PractiTest shows it. None where it does not tell."""

    instance: int | None
    status: str
    output: str
    by_hand: bool | None
    tester: int | None
    at: datetime | None


def was_reported(report: Report, shown: Iterable[Shown], since: datetime, *, whole: bool) -> bool | None:
    """Whether these results hold what was reported: each of it (True), none of it (False), or no telling (None).

    `since` is when it was sent; `whole` tells that no result of these instances since then is lacking.
    """
    late = [row for row in shown if row.at is None or row.at >= since - CLOCKS]
    there = [_is_there(report, test, late) for test in report.tests]
    if all(each is True for each in there):
        return True
    return False if whole and all(each is False for each in there) else None


def _is_there(report: Report, test: Reported, shown: Iterable[Shown]) -> bool | None:
    if test.id is None:
        return None
    ours = [_fits(report, test, row) for row in shown if row.instance in (test.id, None)]
    return True if True in ours else None if None in ours else False


def _fits(report: Report, test: Reported, row: Shown) -> bool | None:
    by_hand = report.tester is not None
    tester = report.tester.id if report.tester else None
    if not row.status:
        return None
    if row.status.upper() != STATUSES[test.outcome] or row.by_hand not in (by_hand, None):
        return False
    if by_hand and row.tester not in (tester, None):
        return False
    if row.at is None or row.instance is None:
        return None
    if by_hand or not report.note:
        return True
    note, output = _in_a_line(report.note), _in_a_line(row.output)
    return True if output == note else None if note.startswith(output) else False


def _in_a_line(text: str) -> str:
    return " ".join(plain(text).split())
