"""Expands: the objects that the rows of an answer refer to, once each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

from bot.sandbox.testmo import wire
from bot.sandbox.testmo.records import Json
from bot.sandbox.testmo.statuses import STATUSES, counters
from bot.sandbox.testmo.store import Store

T = TypeVar("T")

_AUTHORS = ("created_by", "updated_by", "completed_by", "closed_by", "assignee_id", "deleted_by", "retired_by")


def expand(store: Store, rows: Sequence[Json], wanted: Sequence[str]) -> Json | list[object]:
    """The `expands` of an answer with these rows.

    Nothing asked for is an empty *list*: PHP cannot tell an empty object from an empty list. Ids without an
    object (people who are gone) are left out.
    """
    return {name: _EXPANDS[name](store, rows) for name in wanted} or []


def _ids(rows: Sequence[Json], *names: str) -> list[int]:
    """The distinct ids under these names, also inside lists, in ascending order."""
    found: set[int] = set()
    for row in rows:
        for name in names:
            value = row.get(name)
            found.update(each for each in (value if isinstance(value, list) else [value]) if isinstance(each, int))
    return sorted(found)


def _known(objects: Mapping[int, T], ids: Iterable[int]) -> list[T]:
    return [objects[each] for each in ids if each in objects]


def _users(store: Store, rows: Sequence[Json]) -> list[Json]:
    return [wire.person(each) for each in _known(store.users, _ids(rows, *_AUTHORS))]


def _issues(store: Store, rows: Sequence[Json]) -> list[Json]:
    return [wire.issue(each) for each in _known(store.issues, _ids(rows, "issues"))]


def _milestones(store: Store, rows: Sequence[Json]) -> list[Json]:
    return [wire.named(each) for each in _known(store.milestones, _ids(rows, "milestone_id", "parent_id", "root_id"))]


def _configs(store: Store, rows: Sequence[Json]) -> list[Json]:
    return [wire.named(each) for each in _known(store.configs, _ids(rows, "config_id"))]


def _states(store: Store, rows: Sequence[Json]) -> list[Json]:
    return [wire.state(each) for each in _known(store.states, _ids(rows, "state_id"))]


def _statuses(_store: Store, rows: Sequence[Json]) -> list[Json]:
    """Those of the results, and all of them where rows have counters instead of a status id."""
    ids = _ids(rows, "status_id")
    return [wire.status(each) for each in STATUSES if not ids or each.id in ids]


def _sources(store: Store, rows: Sequence[Json]) -> list[Json]:
    return [{"id": each.id, "name": each.name} for each in _known(store.sources, _ids(rows, "source_id"))]


def _milestone_types(store: Store, rows: Sequence[Json]) -> list[Json]:
    types = _known(store.milestone_types, _ids(rows, "type_id"))
    return [wire.named(each) | {"is_default": each.id == 1} for each in types]


def _milestone_stats(store: Store, rows: Sequence[Json]) -> list[Json]:
    """The manual and automated tests of each milestone together."""
    stats: list[Json] = []
    for milestone_id in _ids(rows, "id"):
        held = [
            status_id
            for run in store.manual_runs.values()
            if run.milestone_id == milestone_id
            for status_id in run.status_ids()
        ]
        held += [
            test.status_id
            for auto in store.automation_runs.values()
            if auto.milestone_id == milestone_id
            for test in auto.tests()
        ]
        stats.append({"id": milestone_id, **counters(held)})
    return stats


def _tags(store: Store, rows: Sequence[Json]) -> list[Json]:
    return [wire.named(each) for each in _known(store.tags, _ids(rows, "tags"))]


def _folders(store: Store, rows: Sequence[Json]) -> list[Json]:
    return [wire.named(each) for each in _known(store.folders, _ids(rows, "folder_id"))]


def _templates(store: Store, rows: Sequence[Json]) -> list[Json]:
    return [wire.named(each) | {"is_default": True} for each in _known(store.templates, _ids(rows, "template_id"))]


def _none(_store: Store, _rows: Sequence[Json]) -> list[Json]:
    return []


_EXPANDS = {
    "automation_links": _none,
    "automation_sources": _sources,
    "comments": _none,
    "configs": _configs,
    "folders": _folders,
    "groups": _none,
    "history": _none,
    "issues": _issues,
    "milestone_stats": _milestone_stats,
    "milestone_types": _milestone_types,
    "milestones": _milestones,
    "roles": _none,
    "states": _states,
    "statuses": _statuses,
    "tags": _tags,
    "templates": _templates,
    "users": _users,
}
