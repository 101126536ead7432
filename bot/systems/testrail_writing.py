"""Changes as TestRail takes them: what is sent for each, what it has no place for, what shows that one was made.

Asks nothing; `testrail.py` does. TestRail keeps no history of its texts, so what is written beside a description is
always written after all of it. Source: the vendor's page on runs.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import msgspec

from bot.domain.acts import Append, Change, Close, Delete, Edit, Loss, Named, Pointer, Report, Start
from bot.domain.errors import AskError, CannotError
from bot.domain.model import Kind, RunRef
from bot.systems._plain import plain

#: TestRail takes no longer names.
MOST_NAME_CHARS = 250
MOST_ADDRESS_CHARS = 2_000
#: How far TestRail's clock may be off ours, and what its whole seconds cut off.
CLOCKS_APART, CUT_OFF = timedelta(minutes=2), timedelta(seconds=5)


class WireHeld(msgspec.Struct, kw_only=True):
    """A run or plan as TestRail holds it, as far as a change depends on it.

    `description` and `milestone_id` are written back, so an answer that does not tell them is none.
    """

    id: int
    description: str | None
    milestone_id: int | None
    name: str | None = None
    refs: str | None = None
    project_id: int | None = None
    suite_id: int | None = None
    plan_id: int | None = None
    include_all: bool | None = None
    is_completed: bool | None = None
    created_on: int | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """One POST: the endpoint with its number and further parameters (`delete_run/81&soft=1`), and the JSON sent."""

    call: str
    body: Mapping[str, Any]

    @property
    def raw(self) -> bytes:
        return msgspec.json.encode(self.body)


# What is sent.


def close_order(ref: RunRef) -> Order:
    return Order(f"close_{_noun(ref)}/{ref.id}", {})


def delete_order(ref: RunRef) -> Order:
    return Order(f"delete_run/{ref.id}", {})


def count_order(ref: RunRef) -> Order:
    """Asks what deleting would delete. It says so in both places: a server that reads only one must not delete."""
    return Order(f"delete_run/{ref.id}&soft=1", {"soft": 1})


def start_order(change: Start) -> Order:
    """`change` has its names looked up. Without cases, TestRail takes all of the suite by itself."""
    told = {
        "name": change.name.strip(),
        "suite_id": _number(change.suite),
        "description": change.description or None,
        "milestone_id": _number(change.milestone),
        "assignedto_id": _number(change.assignee),
        "refs": change.refs or None,
    }
    body: dict[str, Any] = {name: value for name, value in told.items() if value is not None}
    return Order(f"add_run/{change.project}", body | (_selection(change.cases) if change.cases else {}))


def edit_order(change: Edit, milestone: int | None = None) -> Order:
    """Only what changes, and the `milestone` the run has: some builds detach a milestone that is not sent along."""
    told = {"name": change.name and change.name.strip(), "description": change.description, "refs": change.refs}
    body: dict[str, Any] = {name: value for name, value in told.items() if value is not None}
    if change.milestone is not None:
        body["milestone_id"] = _number(change.milestone)
    if change.cases is not None:
        body |= _selection(change.cases)
    return Order(f"update_run/{change.ref.id}", _kept(milestone) | body)


def append_order(change: Append, description: str | None, milestone: int | None = None) -> Order | None:
    """The whole description with the addition behind it; None when it holds that already."""
    if has_mark(description, change.marker):
        return None
    return Order(
        f"update_run/{change.ref.id}", _kept(milestone) | {"description": with_addition(description or "", change)}
    )


def _number(named: Named | None) -> int | None:
    """Its number; None for nothing. A name nobody has looked up must never go out as nothing."""
    if named is not None and named.name and named.id is None:
        raise ValueError("a name that was not looked up")
    return None if named is None else named.id


def _kept(milestone: int | None) -> dict[str, Any]:
    return {} if milestone is None else {"milestone_id": milestone}


def _selection(cases: Sequence[int]) -> dict[str, Any]:
    return {"include_all": False, "case_ids": list(cases)} if cases else {"include_all": True}


def _noun(ref: RunRef) -> str:
    return "plan" if ref.letter == "P" else "run"


# What is appended.

_RICH = re.compile(r"\s*<(?:p|div|span|h[1-6]|ul|ol|table|br|strong|em|b|i|u|a|img|pre|blockquote|hr)\b[^<>]*>", re.I)
_URL_BREAKS = {ord(char): f"%{ord(char):02X}" for char in "()<>\"' \\"}


def with_addition(old: str, change: Append) -> str:
    """All of the old description, then what is added as a paragraph of its own: HTML where the old one is."""
    if _RICH.match(old):
        return f"{old}<p>{'<br>'.join(_rich_lines(change))}</p>"
    gap = "" if not old or old.endswith("\n\n") else "\n" if old.endswith("\n") else "\n\n"
    return old + gap + "\n".join(_plain_lines(change))


def mark(marker: str) -> str:
    """What tells this addition from all others, in letters that mean nothing in Markdown or HTML."""
    return "rundown:" + re.sub(r"[^A-Za-z0-9-]", "-", marker)


def has_mark(description: str | None, marker: str) -> bool:
    return re.search(re.escape(mark(marker)) + r"(?![A-Za-z0-9-])", description or "") is not None


def unmarked(description: str) -> str:
    """The description for people, to whom the marks mean nothing."""
    return re.sub(r" · rundown:[A-Za-z0-9-]+", "", description) if "rundown:" in description else description


def _plain_lines(change: Append) -> Iterator[str]:
    if note := change.note.strip():
        yield note
    for pointer in (*change.links, *change.artifacts):
        yield f"[{_label(pointer)}]({pointer.url.translate(_URL_BREAKS)})" + _remark(pointer)
    yield _signature(change)


def _rich_lines(change: Append) -> Iterator[str]:
    yield from map(html.escape, change.note.strip().splitlines())
    for pointer in (*change.links, *change.artifacts):
        link = f'<a href="{html.escape(pointer.url)}">{html.escape(_label(pointer))}</a>'
        yield link + html.escape(_remark(pointer))
    yield html.escape(_signature(change))


def _label(pointer: Pointer) -> str:
    return _in_a_line(pointer.name) or _in_a_line(pointer.url)


def _remark(pointer: Pointer) -> str:
    return f" – {note}" if (note := _in_a_line(pointer.note)) else ""


def _signature(change: Append) -> str:
    """Who, when and the mark."""
    at = change.at.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
    return f"– {_in_a_line(change.by)[:80] or 'somebody'} via Slack, {at} · {mark(change.marker)}"


def _in_a_line(text: str) -> str:
    """In one line, and without the brackets that make links in Markdown."""
    return " ".join(text.split()).replace("[", "(").replace("]", ")")


# What TestRail has no place for.

#: Field of a Start → its word, why TestRail has no place for it, what there is instead.
_NO_PLACE = {
    "source": ("source", "TestRail runs are made from a suite.", "Name the suite with --suite."),
    "config": ("configuration", "TestRail has configurations in plans only.", "Put it into the name."),
    "tags": ("tags", "TestRail runs have none.", "Use --refs or --milestone, or put them into the name."),
    "links": ("links", "TestRail runs have none.", "Put them into the description, or add them later with `link`."),
    "artifacts": ("artifacts", "TestRail runs have none.", "Put them into the description, or `attach` them later."),
    "fields": ("fields", "TestRail runs have none of their own.", "Put them into the description."),
}


def verb_of(change: Change) -> str:
    """The verb people typed for it; of an addition the most telling one."""
    if isinstance(change, Append):
        return "note" if change.note.strip() else "link" if change.links else "attach"
    verbs = {Close: "close", Start: "start", Edit: "edit", Report: "report", Delete: "delete"}
    return verbs[type(change)]


def refuse_what_has_no_place(change: Change, kind: Kind) -> None:
    """Raise an AskError for what TestRail can't take whatever it holds."""
    verb = verb_of(change)
    if verb not in kind.verbs:
        raise CannotError(
            kind.cannot.get(verb) or f"TestRail can't {verb} a {kind.noun}.",
            why=f"TestRail has no such call for {kind.plural}.",
            fix="Open its page in TestRail to change it there.",
        )
    if not isinstance(change, Start) and change.ref.thread is not None:
        whole = RunRef(change.ref.connection, change.ref.letter, change.ref.id)
        raise CannotError(
            f"{whole.short} has no threads.",
            why=f"{kind.plural.capitalize()} of TestRail are one whole.",
            fix=f"Leave away what follows {whole.short}.",
            closest=(f"show {whole}",),
        )
    if isinstance(change, Start):
        _refuse_start(change)
    elif isinstance(change, Edit):
        _refuse_edit(change)
    elif isinstance(change, Append):
        _refuse_addition(change)


def _refuse_start(change: Start) -> None:
    for name, (word, why, fix) in _NO_PLACE.items():
        if getattr(change, name):
            raise CannotError(f"A TestRail run takes no {word}.", why=why, fix=fix)
    _refuse_name(change.name)


def _refuse_edit(change: Edit) -> None:
    if (change.name, change.description, change.milestone, change.cases, change.refs) == (None,) * 5:
        raise AskError(
            f"What is to change of {change.ref.short}?",
            why="Nothing was named.",
            fix="Add --name, --description, --milestone, --cases or --refs.",
        )
    if change.name is not None:
        _refuse_name(change.name)


def _refuse_name(name: str) -> None:
    if not name.strip():
        raise AskError("A TestRail run needs a name.", why="It is empty.", fix='Give it one, such as "Smoke 5.2".')
    if len(name.strip()) > MOST_NAME_CHARS:
        raise AskError(
            "That name is too long for TestRail.",
            why=f"It has {len(name.strip())} characters, TestRail takes {MOST_NAME_CHARS}.",
            fix="Shorten it, and put the rest into the description.",
        )


def _refuse_addition(change: Append) -> None:
    pointers = (*change.links, *change.artifacts)
    if not change.note.strip() and not pointers:
        raise AskError(
            f"What is to be put on {change.ref.short}?", why="Nothing was named.", fix="Add a text or an address."
        )
    for pointer in pointers:
        if not is_web_address(pointer.url):
            raise AskError(
                f"“{pointer.url[:80]}” is no web address.",
                why="It has to begin with http:// or https://, and to hold no blanks.",
                fix="Copy it from the address line of your browser.",
            )


def is_web_address(url: str) -> bool:
    if len(url) > MOST_ADDRESS_CHARS or any(char.isspace() or not char.isprintable() for char in url):
        return False
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        return False


def refuse_what_is_fixed(change: Close | Edit | Append | Delete, *, plan: int | None, closed: bool) -> None:
    """Raise CannotError for a run that is changed in its plan only, and for changes of a closed one."""
    ref = change.ref
    if plan is not None:
        whole = RunRef(ref.connection, "P", plan)
        if isinstance(change, Close):
            raise CannotError(
                f"{ref.short} belongs to plan {whole.short} and can't be closed alone.",
                why="TestRail closes the runs of a plan together with their plan.",
                fix=f"Close the plan with `close {whole.short}`: it closes every run in it.",
                closest=(f"close {whole}",),
            )
        done = "deleted" if isinstance(change, Delete) else "changed"
        raise CannotError(
            f"{ref.short} belongs to plan {whole.short} and is {done} in its plan, in TestRail itself.",
            why="TestRail does not let runs of a plan be changed alone.",
            fix=f"Open the plan from its card: `show {whole.short}`.",
            closest=(f"show {whole}",),
        )
    if closed and isinstance(change, Edit | Append):
        raise CannotError(
            f"{ref.short} is closed and stays as it is.",
            why="TestRail takes no changes to closed runs.",
            fix="Take an open run, or begin a new one with `start`.",
            closest=(f"show {ref}",),
        )


# What shows that it was made.


def shows_edit(change: Edit, held: WireHeld, cases: Iterable[int] | None) -> bool | None:
    """Whether the run is as was asked. `cases` are those of its tests, None where they can't be read."""
    milestone = change.milestone
    told = (
        change.name is None or change.name.strip() == (held.name or "").strip(),
        change.description is None or _is_told(change.description, held.description or ""),
        milestone is None or (milestone.id or None) == (held.milestone_id or None),
        change.refs is None or _listed(change.refs) == _listed(held.refs or ""),
        not change.cases or not held.include_all,
        change.cases != () or bool(held.include_all),
    )
    if not all(told):
        return False
    if not change.cases:
        return True
    return None if cases is None else set(cases) == set(change.cases)


def _is_told(asked: str, held: str) -> bool:
    """TestRail makes rich text of a plain one, and has its own line ends."""
    if "\n".join(asked.splitlines()).strip() == "\n".join(held.splitlines()).strip():
        return True
    return bool(_RICH.match(held)) and not _RICH.match(asked) and plain(held) == plain(asked)


def _listed(refs: str) -> list[str]:
    return [ref for each in refs.split(",") if (ref := each.strip())]


def started_since(since: datetime) -> int:
    """The UNIX seconds after which a run begun at `since` was created, by whoever's clock."""
    return max(0, int((since - CLOCKS_APART).timestamp()))


def shows_start(change: Start, rows: Iterable[WireHeld], since: datetime) -> int | bool | None:
    """The number of the run that was begun at `since` or later; False when there is none.

    None when several could be it, or the only one may have been there before: clocks differ by some seconds.
    """
    alike = [row for row in rows if (row.created_on or 0) >= started_since(since) and _is_like(row, change)]
    surely = [row for row in alike if (row.created_on or 0) >= (since - CUT_OFF).timestamp()]
    if len(surely) == 1:
        return surely[0].id
    return None if alike else False


def _is_like(row: WireHeld, change: Start) -> bool:
    return (
        (row.name or "").strip() == change.name.strip()
        and (change.suite is None or change.suite.id == row.suite_id)
        and (change.milestone is None or (change.milestone.id or None) == (row.milestone_id or None))
    )


# What would be lost.


def read_loss(answer: object) -> Loss:
    """TestRail's answer to `soft=1`. Its shape is documented nowhere, so counts are taken from wherever they stand."""
    found = tuple(_named_numbers(answer))
    results = next((number for name, number in found if _says("result", name)), None)
    tests = next((number for name, number in found if _says("test", name) and not _says("result", name)), None)
    return Loss(tests, results)


def _says(word: str, name: str) -> bool:
    return re.search(rf"(?<![a-z]){word}s?(?![a-z])", name) is not None


def _named_numbers(answer: object, name: str = "") -> Iterator[tuple[str, int]]:
    """Every count with the names it is below: `tests`, `affected.tests_count`. Of a list, how long it is."""
    if isinstance(answer, dict) and name.count(".") < 4:
        for key, value in answer.items():
            word = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", str(key)).casefold()
            yield from _named_numbers(value, f"{name}.{word}" if name else word)
    elif isinstance(answer, list):
        yield name, len(answer)
    elif re.search(r"(^|[._])id$", name) is None:
        if isinstance(answer, str) and re.fullmatch(r"[0-9]{1,9}", answer):
            answer = int(answer)
        if type(answer) is int and answer >= 0:
            yield name, answer
