"""How Testmo is written to: a change → method, path and JSON body; and whether a run shows that it was made.

Nothing here asks anything. Bodies are those of the vendor's page on automation runs; limits and patterns are those of
its command-line tool 1.4, refused here before anything is sent. Habits met on the way:
- an automation run takes additions only: fields (named texts), links and artifacts, and threads with results in them;
- a thread has fields and artifacts but no name and no links; a test is known by its `key`, of 64 characters at most;
- `meta` of a field holds texts that its pages do not show: a good place to know one's own note again.
"""

from __future__ import annotations

import hashlib
import itertools
import math
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from bot.domain.acts import Append, Pointer, Report, Reported, Start
from bot.domain.errors import AskError, CannotError, NotFoundError
from bot.domain.outcomes import Outcome

STRING_CHARS = 750
TEXT_BYTES = 16 * 1024
REMARK_CHARS = 80
MOST_ATTACHED = 25
MOST_TESTS = 250
#: Types of fields.
STRING, TEXT, ADDRESS = 1, 2, 5
#: Where a report names no folder, and the run does not know the test.
FOLDER = "Reported"
#: The name in a field's `meta` under which a change is known again.
MARKED = "rundown"

_SOURCE = re.compile(r"[a-zA-Z][a-zA-Z0-9-]+")
_TAG = re.compile(r"[a-zA-Z0-9_-]+")
_URL = re.compile(r"https?://\S+")
_KEY = re.compile(r"[a-z0-9]{1,64}")
_REPORTABLE = (
    Outcome.PASSED,
    Outcome.FAILED,
    Outcome.BLOCKED,
    Outcome.RETEST,
    Outcome.SKIPPED,
    Outcome.UNTESTED,
)


@dataclass(frozen=True, slots=True)
class Request:
    """One call that changes something. `path` is below the API's root."""

    method: str
    path: str
    content: Mapping[str, Any]

    @property
    def body(self) -> bytes:
        return msgspec.json.encode(self.content)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a result belongs: the test's key, name and folder; `number` of its result where it has one already."""

    key: str
    name: str
    folder: str
    number: int | None = None


# Closing.


def complete_run(run_id: int) -> Request:
    return Request("POST", f"/automation/runs/{run_id}/complete", {"measure_elapsed": True})


def complete_thread(thread_id: int) -> Request:
    return Request("POST", f"/automation/runs/threads/{thread_id}/complete", {})


def close_run(run_id: int) -> Request:
    """Close a manual run. Known from other clients only, so not every Testmo has it."""
    return Request("PATCH", f"/runs/{run_id}", {"is_closed": True})


# Starting.


def checked_start(change: Start) -> Start:
    """The start with its words checked, as Testmo takes them. Raises an AskError that names the rule."""
    _refuse_extras(
        "an automation run",
        {
            "a suite": change.suite,
            "cases": change.cases,
            "an assignee": change.assignee,
            "references": change.refs,
            "a description": change.description,
        },
        "Leave that out; tags, links and fields are what an automation run takes.",
    )
    return replace(
        change,
        name=_name(change.name, "The name of a run"),
        source=_source(change.source),
        tags=tuple(map(_tag, dict.fromkeys(change.tags))),
        links=_pointers(change.links, "link"),
        artifacts=_pointers(change.artifacts, "artifact"),
        fields=_fields(change.fields),
    )


def create_run(change: Start) -> Request:
    """Its names of milestone and configuration must have been looked up."""
    content: dict[str, Any] = {"name": change.name, "source": change.source}
    for name, meant in (("milestone_id", change.milestone), ("config_id", change.config)):
        if meant is not None and meant.id is not None:
            content[name] = meant.id
    if change.tags:
        content["tags"] = list(change.tags)
    fields = [field(name, value) for name, value in change.fields]
    return Request("POST", f"/projects/{change.project}/automation/runs", content | _additions(change, fields))


# Adding.


def checked_append(change: Append) -> Append:
    """The additions with their words checked. Raises an AskError that names the limit."""
    if not (change.note.strip() or change.links or change.artifacts):
        raise AskError("Nothing to add.", why="There is no text and no address.", fix="Type what is to be added.")
    if change.links and change.ref.thread is not None:
        whole = replace(change.ref, thread=None).short
        raise CannotError(
            "Testmo keeps no links with a thread.",
            why="Links belong to the whole automation run; a thread takes notes and artifacts.",
            fix=f"Put the link on {whole}.",
        )
    _fits_text(change.note, "The note")
    return replace(
        change,
        note=change.note.strip(),
        links=_pointers(change.links, "link"),
        artifacts=_pointers(change.artifacts, "artifact"),
    )


def append_to_run(change: Append, thread_id: int | None = None) -> Request:
    """One call for all of it; with `thread_id` it goes to that thread of the run."""
    place = f"{change.ref.id}" if thread_id is None else f"threads/{thread_id}"
    fields = [note_field(change)] if change.note else []
    return Request("POST", f"/automation/runs/{place}/append", _additions(change, fields))


def note_field(change: Append) -> dict[str, Any]:
    name = f"Note from {change.by}" if change.by.strip() else "Note"
    return {"name": name[:STRING_CHARS], "type": TEXT, "value": change.note, "meta": {MARKED: change.marker}}


def field(name: str, value: str) -> dict[str, Any]:
    """A field of the type that holds its value: an address, a text of several lines or a long one, else a string."""
    short = len(value) <= STRING_CHARS
    kind = ADDRESS if short and _URL.fullmatch(value) else TEXT if not short or len(value.splitlines()) > 1 else STRING
    return {"name": name, "type": kind, "value": value}


def _additions(change: Start | Append, fields: list[dict[str, Any]]) -> dict[str, Any]:
    parts = {
        "artifacts": [_pointed(each) for each in change.artifacts],
        "fields": fields,
        "links": [_pointed(each) for each in change.links],
    }
    return {name: rows for name, rows in parts.items() if rows}


def _pointed(pointer: Pointer) -> dict[str, str]:
    return {"name": pointer.name, "url": pointer.url} | ({"note": pointer.note} if pointer.note else {})


# Reporting.


def checked_report(change: Report) -> Report:
    """The report with its words checked; its tests are looked up elsewhere. Raises an AskError."""
    whole = replace(change.ref, thread=None).short
    if change.ref.thread is not None:
        raise CannotError(
            "Results are not added to a thread that is there.",
            why="What is reported from here gets a thread of its own, so that it can be told apart.",
            fix=f"Report it to {whole}.",
        )
    _refuse_extras(
        "a result of an automated test",
        {"steps": change.steps, "files": change.files, "a version": change.version, "a tester": change.tester},
        "Leave that out; a note, a duration and fields are what it takes.",
    )
    if not change.tests:
        raise AskError("No test is named.", why="Testmo takes results by the name of the test.", fix="Type its name.")
    if len(change.tests) > MOST_TESTS:
        raise _too_many(len(change.tests), "results", MOST_TESTS)
    for test in change.tests:
        _reportable(test.outcome)
        _fits(test.name, "The name of a test", STRING_CHARS)
    _fits_text(change.note, "The note")
    _fits(change.folder, "The name of the folder", STRING_CHARS)
    if change.duration_s is not None and not (math.isfinite(change.duration_s) and 0 <= change.duration_s < 1e9):
        raise AskError(
            "That is no duration.", why="It takes none or very long.", fix="Give it as 00:05:00, or leave it."
        )
    fields = _fields(change.fields, spare=1)
    return replace(change, note=change.note.strip(), folder=change.folder.strip(), fields=fields)


def place_of(test: Reported, folder: str, known: Sequence[Place], run: str) -> Place:
    """Where this result belongs: the test that the run knows by this number or name, else one that is new to it.

    Raises NotFoundError for a number that is not in the run, AskError for a name that is in several of its folders.
    """
    name = test.name.strip()
    if test.id is not None:
        numbered = next((place for place in known if place.number == test.id), None)
        if numbered is not None:
            return numbered
        if not name:
            raise NotFoundError(
                f"No test {test.id} in {run}.",
                why="None of its results has this number, as far as Testmo tells.",
                fix=f"Give the test's name; `failures {run}` shows those that fail.",
            )
    if not name:
        raise AskError("A test has no name.", why="Testmo takes results by the name of the test.", fix="Type its name.")
    found = _named(name, folder, known)
    if len(found) > 1:
        folders = ", ".join(sorted(place.folder or "no folder" for place in found)[:8])
        raise AskError(
            f"Several tests of {run} are called “{name[:80]}”.",
            why=f"They are in different folders: {folders}.",
            fix="Name the folder, too.",
        )
    return found[0] if found else Place(made_key(folder or FOLDER, name), name, folder or FOLDER)


def _named(name: str, folder: str, known: Sequence[Place]) -> list[Place]:
    """Places with this name (as it is typed, else in any case), and in the folder if one is given; each test once."""
    here = [place for place in known if not folder or place.folder.casefold() == folder.casefold()]
    found = [place for place in here if place.name == name]
    found = found or [place for place in here if place.name.casefold() == name.casefold()]
    return list({place.key: place for place in found}.values())


def made_key(folder: str, name: str) -> str:
    """The key of a test that Testmo does not know yet; the same for the same test ever after."""
    return hashlib.sha1(f"{folder}\n{name}".encode(), usedforsecurity=False).hexdigest()


def is_key(key: str | None) -> bool:
    return key is not None and _KEY.fullmatch(key) is not None


def create_thread(change: Report) -> Request:
    """A thread that says who reported it, and by which change."""
    by = _words(change.by)[:STRING_CHARS] or "somebody"
    fields = [
        {"name": "Reported by", "type": STRING, "value": by},
        {"name": "Reported with", "type": STRING, "value": _signature(change)},
    ]
    return Request("POST", f"/automation/runs/{change.ref.id}/threads", {"fields": fields})


def _signature(change: Report) -> str:
    return f"Rundown {change.marker}"


def append_tests(change: Report, thread_id: int, places: Sequence[Place]) -> Request:
    """The results, one for each place. What stands beside the tests holds for each of them."""
    tests = [_tested(change, test.outcome, place) for test, place in zip(change.tests, places, strict=True)]
    return Request("POST", f"/automation/runs/threads/{thread_id}/append", {"tests": tests})


def _tested(change: Report, outcome: Outcome, place: Place) -> dict[str, Any]:
    told: dict[str, Any] = {"key": place.key, "name": place.name, "status": outcome.value}
    if place.folder:
        told["folder"] = place.folder
    if change.duration_s is not None:
        told["elapsed"] = round(change.duration_s * 1e6)
    fields = [field(name, value) for name, value in change.fields]
    if change.note:
        note = {"name": "Note", "type": TEXT, "value": change.note}
        fields.insert(0, note | ({"is_highlight": True} if outcome is Outcome.FAILED else {}))
    return told | ({"fields": fields} if fields else {})


def _reportable(outcome: Outcome) -> None:
    if outcome not in _REPORTABLE:
        raise CannotError(
            f"Testmo takes no result that is “{outcome.value}”.",
            why="A result says what came out of a test.",
            fix=f"Choose one of {', '.join(_REPORTABLE)}.",
        )


# Judging: what a run shows of a change. Any part that a Testmo does not tell is None.


class KeptField(msgspec.Struct):
    name: str | None = None
    value: str | None = None
    meta: Any = None


class KeptPointer(msgspec.Struct):
    url: str | None = None


class KeptThread(msgspec.Struct):
    id: int
    fields: list[KeptField] | None = None
    artifacts: list[KeptPointer] | None = None
    total_count: int | None = None


class KeptRun(msgspec.Struct):
    """What an automation run (the answer for a single one) shows of additions and reports."""

    id: int
    fields: list[KeptField] | None = None
    artifacts: list[KeptPointer] | None = None
    links: list[KeptPointer] | None = None
    threads: list[KeptThread] | None = None


def shows_append(run: KeptRun, change: Append, thread_id: int | None = None) -> bool | None:
    """Whether the additions are there. They go in one call, so one part that is missing tells that it never came."""
    place = run if thread_id is None else next((each for each in run.threads or () if each.id == thread_id), None)
    if place is None:
        return None
    told: list[bool | None] = []
    if change.note:
        told.append(None if place.fields is None else any(_is_note(each, change) for each in place.fields))
    if change.links:
        told.append(_has_all(run.links, change.links))
    if change.artifacts:
        told.append(_has_all(place.artifacts, change.artifacts))
    return False if False in told else None if None in told else True


def _is_note(kept: KeptField, change: Append) -> bool:
    """By its marker; by its words where this Testmo gave back no marker of any change."""
    mark = kept.meta.get(MARKED) if isinstance(kept.meta, dict) else None
    if mark is not None:
        return bool(mark == change.marker)
    return kept.name == note_field(change)["name"] and _words(kept.value) == _words(change.note)


def _has_all(kept: Sequence[KeptPointer] | None, wanted: Sequence[Pointer]) -> bool | None:
    return None if kept is None else {each.url for each in wanted} <= {each.url for each in kept}


def shows_report(run: KeptRun, change: Report) -> bool | None:
    """Whether the run has a thread of this report with results in it. They come in one call: all of them or none."""
    for thread in run.threads or ():
        if any(_words(each.value) == _signature(change) for each in thread.fields or ()):
            return None if thread.total_count is None else thread.total_count > 0
    untold = run.threads is None or any(thread.fields is None for thread in run.threads)
    return None if untold else False


def _words(text: str | None) -> str:
    return " ".join((text or "").split())


# Checking words.


def _refuse_extras(noun: str, extras: Mapping[str, object], fix: str) -> None:
    given = [word for word, value in extras.items() if value]
    if given:
        *most, last = given
        told = f"{', '.join(most)} and {last}" if most else last
        raise CannotError(f"Testmo has no place for {told} in {noun}.", why="Its API takes none there.", fix=fix)


def _name(text: str, what: str) -> str:
    if not text.strip():
        raise AskError(f"{what} is missing.", why="Testmo takes none without it.", fix="Type it in quotes.")
    return _fits(text.strip(), what, STRING_CHARS)


def _source(text: str) -> str:
    text = text.strip()
    if not text:
        raise AskError(
            "Which source is the run of?",
            why="Testmo wants one for every automation run; runs of one source are compared with each other.",
            fix="Add --source with its name; one that is new is made.",
        )
    _fits(text, "The name of a source", STRING_CHARS)
    if not _SOURCE.fullmatch(text):
        mended = _mended(text)
        raise NotFoundError(
            f"“{text[:80]}” can't be the name of a source.",
            why="Testmo wants a letter first, then letters, digits and hyphens, two characters at least.",
            fix=f"Type it as {mended}." if mended else "Choose another name.",
            closest=(mended,) if mended else (),
            instead_of=text,
        )
    return text


def _mended(text: str) -> str:
    """The nearest name that a source can have; empty when nothing of it is left."""
    words = re.findall(r"[a-zA-Z0-9]+", _without_accents(text))
    name = "-".join(itertools.dropwhile(lambda word: not word[0].isalpha(), words))
    return name if _SOURCE.fullmatch(name) else ""


def _without_accents(text: str) -> str:
    return unicodedata.normalize("NFKD", text.replace("ß", "ss")).encode("ascii", "ignore").decode()


def _tag(text: str) -> str:
    text = text.strip()
    _fits(text, "A tag", STRING_CHARS)
    if not _TAG.fullmatch(text):
        mended = re.sub(r"[^a-zA-Z0-9_]+", "-", _without_accents(text)).strip("-")
        raise NotFoundError(
            f"“{text[:80]}” can't be a tag.",
            why="Testmo wants letters, digits, hyphens and underscores in tags.",
            fix=f"Type it as {mended}." if mended else "Choose another tag.",
            closest=(mended,) if mended else (),
            instead_of=text,
        )
    return text


def _fields(fields: Sequence[tuple[str, str]], *, spare: int = 0) -> tuple[tuple[str, str], ...]:
    if len(fields) > MOST_ATTACHED - spare:
        raise _too_many(len(fields), "fields", MOST_ATTACHED - spare)
    for _, value in fields:
        _fits_text(value, "The value of a field")
    return tuple((_name(name, "The name of a field"), value) for name, value in fields)


def _pointers(pointers: Sequence[Pointer], noun: str) -> tuple[Pointer, ...]:
    if len(pointers) > MOST_ATTACHED:
        raise _too_many(len(pointers), f"{noun}s", MOST_ATTACHED)
    return tuple(_pointer(each, noun) for each in pointers)


def _pointer(pointer: Pointer, noun: str) -> Pointer:
    url, note = pointer.url.strip(), pointer.note.strip()
    if not _URL.fullmatch(url):
        raise AskError(
            f"“{url[:80]}” is no web address.",
            why="Testmo takes addresses that begin with http:// or https:// and have no blanks.",
            fix="Paste the whole address.",
        )
    _fits(url, f"The address of the {noun}", STRING_CHARS)
    _fits(note, f"The remark beside the {noun}", REMARK_CHARS)
    return Pointer(_fits(pointer.name.strip() or url, f"The name of the {noun}", STRING_CHARS), url, note)


def _fits(text: str, what: str, most: int) -> str:
    if len(text) > most:
        raise _too_long(what, f"{len(text):,} characters", f"{most:,}")
    return text


def _fits_text(text: str, what: str) -> None:
    size = len(text.encode(errors="replace"))
    if size > TEXT_BYTES:
        raise _too_long(what, f"{size:,} bytes", f"{TEXT_BYTES:,}")


def _too_long(what: str, size: str, most: str) -> AskError:
    fix = "Shorten it; a link can lead to the rest."
    return AskError(f"{what} is too long for Testmo.", why=f"It has {size}; Testmo takes {most}.", fix=fix)


def _too_many(number: int, noun: str, most: int) -> AskError:
    fix = "Give the rest with another command."
    return AskError(f"Too many {noun} at a time.", why=f"There are {number:,}; Testmo takes {most}.", fix=fix)
