"""What each change is called: before it, while it is done, afterwards, and when it was not done."""

from __future__ import annotations

from dataclasses import dataclass

from bot.domain.access import EVERY
from bot.domain.acts import Append, Change, Close, Delete, Edit, Report, Start
from bot.domain.model import Closing
from bot.presenters.figures import plural
from bot.presenters.text import clean, cut
from bot.usecases.access import DOES


@dataclass(frozen=True, slots=True)
class Deed:
    """A run's name follows `ask`, `doing`, `done` and `undone`; it stands before `happened` and `happens`, and
    after those the person's.

    `again` is what not to do twice; `given` what the run gets (`a note was added to`), empty where it is the run itself
    that is changed.
    """

    ask: str
    doing: str
    done: str
    undone: str
    happened: str
    happens: str
    again: str
    given: str = ""


def _regular(ask: str, doing: str, done: str) -> Deed:
    return Deed(ask, doing, done.capitalize(), f"Not {done}", f"was {done} by", f"is being {done} by", ask)


_DEEDS: dict[str, Deed] = {
    "close": _regular("close", "Closing", "closed"),
    "complete": _regular("complete", "Completing", "completed"),
    "mark": _regular("mark", "Marking", "marked"),
    "start": _regular("start", "Starting", "started"),
    "edit": _regular("change", "Changing", "changed"),
    "delete": _regular("delete", "Deleting", "deleted"),
    "note": Deed(
        "add a note to", "Adding a note to", "Note added to", "No note was added to",
        "got a note from", "is getting a note from", "add", "a note was added to",
    ),
    "link": Deed(
        "add a link to", "Adding a link to", "Link added to", "No link was added to",
        "got a link from", "is getting a link from", "add", "a link was added to",
    ),
    "attach": Deed(
        "attach to", "Attaching to", "Attached to", "Nothing was attached to",
        "got an attachment from", "is getting an attachment from", "attach", "something was attached to",
    ),
    "report": Deed(
        "report a result in", "Reporting a result in", "Result reported in", "No result was reported in",
        "got a result from", "is getting a result from", "report", "a result was reported in",
    ),
}  # fmt: skip
_ANY = _regular("change", "Changing", "changed")


def deed(verb: str, closing: Closing | None = None) -> Deed:
    """What a change is called, closing in its system's own words."""
    if closing is None or verb not in ("close", "complete"):
        return _DEEDS.get(verb, _ANY)
    word = cut(closing.verb, 30).lower() or "close"
    if word in _DEEDS:
        return _DEEDS[word]
    done = cut(closing.done, 30).lower() or f"{word.removesuffix('e')}ed"
    return _regular(word, f"{word.removesuffix('e')}ing".capitalize(), done)


def right(verb: str, *, allow: bool = True) -> str:
    """What somebody may, or may not, do by a rule for that verb: `close runs`."""
    if verb == EVERY and not allow:
        return "change runs"
    return DOES.get("close" if verb == "complete" else verb) or f"use {cut(verb, 40) or 'that'}"


def name_of(change: Change | None) -> str:
    """The name that a change gives to what it makes."""
    return clean(change.name) if isinstance(change, Start) else ""


def press(verb: str, change: Change, ref: str, closing: Closing | None) -> str:
    """What the button says that does it."""
    match change:
        case Close():
            return f"{deed(verb, closing).ask.capitalize()} {ref}"
        case Start():
            return "Start run"
        case Edit():
            return "Save"
        case Append():
            return _APPEND.get(verb, "Add")
        case Report():
            return "Report result" if len(change.tests) == 1 else f"Report {plural(len(change.tests), 'result')}"
        case Delete():
            return f"Delete {ref}"


_APPEND = {"note": "Add note", "link": "Add link", "attach": "Attach"}
