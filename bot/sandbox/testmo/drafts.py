"""The bodies of Testmo's automation calls, checked: artifacts, fields, links and tests."""

from __future__ import annotations

from bot.sandbox.testmo.body import STRING_LIMIT, TEXT_LIMIT, Body
from bot.sandbox.testmo.records import Json
from bot.sandbox.testmo.statuses import BY_ALIAS
from bot.sandbox.testmo.store import Draft

#: Limits and patterns: those of the vendor's command-line tool 1.4.5, and the key's of the client's model.
NOTE_LIMIT = 80
MOST_ATTACHED = 25
MOST_TESTS = 250
SOURCE = r"[a-zA-Z][a-zA-Z0-9-]+"
TAG = r"[a-zA-Z0-9_-]+"
KEY = r"[a-z0-9]{1,64}"
URL = r"https?://\S+"

#: Types of fields: 1 string, 2 plain text, 3 HTML, 4 console, 5 URL. Strings and URLs are short.
FIELD_TYPES = (1, 2, 3, 4, 5)
SHORT_TYPES = (1, 5)


def artifacts(body: Body) -> tuple[Json, ...]:
    """Links to files kept elsewhere; name and url are required, `size` is in bytes."""
    found: list[Json] = []
    for part in body.parts("artifacts", most=MOST_ATTACHED):
        found.append(
            {
                "name": part.word("name"),
                "note": part.text("note", limit=NOTE_LIMIT),
                "url": part.word("url", pattern=URL),
                "mime_type": part.text("mime_type"),
                "size": part.number("size"),
            }
        )
        part.read_up()
    return tuple(found)


def links(body: Body) -> tuple[Json, ...]:
    """Links; name and url are required."""
    found: list[Json] = []
    for part in body.parts("links", most=MOST_ATTACHED):
        found.append(
            {
                "name": part.word("name"),
                "note": part.text("note", limit=NOTE_LIMIT),
                "url": part.word("url", pattern=URL),
            }
        )
        part.read_up()
    return tuple(found)


def fields(body: Body) -> tuple[Json, ...]:
    """Texts with a name; type and name are required."""
    found: list[Json] = []
    for part in body.parts("fields", most=MOST_ATTACHED):
        kind = part.number("type", required=True, among=FIELD_TYPES)
        limit = STRING_LIMIT if kind in SHORT_TYPES else TEXT_LIMIT
        found.append(
            {
                "type": kind,
                "name": part.word("name"),
                "value": part.text("value", limit=limit),
                "meta": part.texts("meta"),
                "is_highlight": part.flag("is_highlight") or False,
            }
        )
        part.read_up()
    return tuple(found)


def tests(body: Body) -> tuple[Draft, ...]:
    """Results; key, name, status and folder are required, the status is one of the instance's aliases."""
    found: list[Draft] = []
    for part in body.parts("tests", most=MOST_TESTS):
        alias = part.word("status")
        status = BY_ALIAS.get(alias)
        if alias and status is None:
            part.complain("status", "is not a known status alias.")
        found.append(
            Draft(
                key=part.word("key", pattern=KEY),
                name=part.word("name"),
                folder=part.word("folder"),
                status_id=status.id if status is not None else 0,
                elapsed=part.number("elapsed"),
                file=part.text("file"),
                line=part.number("line"),
                assertions=part.number("assertions"),
                artifacts=artifacts(part),
                fields=fields(part),
            )
        )
        part.read_up()
    return tuple(found)
