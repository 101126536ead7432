"""Rows that hold a field of another type than they should: the field costs itself, not the row.

Only what a row is told apart and counted by must be as it should (`VITAL`, and every field that has to be there): a
wrong count would be worse than none. Of all other fields what can be taken is taken, else they count as not told.
Rows are read as they should be first; this is for those that can't.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, TypeVar, get_args, get_origin

import msgspec

T = TypeVar("T")
VITAL = re.compile(
    r"(?!thread_)\w+_count|is_\w+|status|status_id|deleted_at|run_id|test_id|project_id|entries|runs|rows|result"
)
#: What of an object tells best what it is.
_TELLING = ("display_id", "name", "title", "label", "url", "id")


def mended(raw: bytes | msgspec.Raw, shape: type[T]) -> T:
    """The row without what can't be read of it. Raises as `msgspec.json.decode` does where that leaves no row."""
    fields = msgspec.json.decode(raw, type=dict[str, msgspec.Raw])
    told: dict[str, Any] = {}
    for field in msgspec.structs.fields(shape):  # type: ignore[arg-type]
        part = fields.get(field.encode_name)
        if part is None:
            if field.required:
                raise msgspec.ValidationError(f"no `{field.encode_name}`")
            continue
        try:
            told[field.name] = msgspec.json.decode(part, type=field.type, strict=False)
        except msgspec.ValidationError:
            if field.required or VITAL.fullmatch(field.name):
                raise
            taken = _taken(msgspec.json.decode(part), part, field.type, id_of=field.name.endswith(("_id", "_by")))
            if taken is not None:
                told[field.name] = taken
    return shape(**told)


def _taken(value: Any, raw: msgspec.Raw, wanted: Any, *, id_of: bool) -> Any:
    """What can be had of a value that is of another type than wanted; None for nothing."""
    kinds = [kind for kind in _kinds(wanted) if kind is not type(None)]
    listed = next((kind for kind in kinds if get_origin(kind) is list), None)
    if listed is not None:
        return list(_elements(value, raw, [*_kinds(get_args(listed)[0])]))
    if str in kinds:
        return as_text(value) or None
    if int in kinds:
        return as_number(value) if id_of else None
    return None


def _elements(value: Any, raw: msgspec.Raw, kinds: list[Any]) -> Iterator[Any]:
    shape = next((kind for kind in kinds if isinstance(kind, type) and issubclass(kind, msgspec.Struct)), None)
    if shape is not None:
        for part in msgspec.json.decode(raw, type=list[msgspec.Raw]) if isinstance(value, list) else ():
            try:
                yield mended(part, shape)
            except msgspec.ValidationError:
                continue
        return
    several: Iterable[Any] = value.split(",") if isinstance(value, str) else value if isinstance(value, list) else ()
    for each in several:
        one = each if int in kinds and type(each) is int else as_text(each) if str in kinds else as_number(each)
        if one not in (None, ""):
            yield one


def _kinds(wanted: Any) -> tuple[Any, ...]:
    return (wanted,) if get_origin(wanted) is list or not get_args(wanted) else get_args(wanted)


def as_text(value: Any) -> str:
    """Text or a number as text, of an object what tells best what it is, of a list all with commas between."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, dict):
        return next((text for name in _TELLING if (text := _plainly(value.get(name)))), "")
    if isinstance(value, list):
        return ", ".join(filter(None, map(as_text, value)))
    return _plainly(value)


def as_number(value: Any) -> int | None:
    """A number, also as text or as the `id` of an object."""
    if isinstance(value, dict):
        value = value.get("id")
    if isinstance(value, str) and re.fullmatch(r"\s*[0-9]{1,15}\s*", value):
        value = int(value)
    return value if type(value) is int else None


def _plainly(value: Any) -> str:
    return value.strip() if isinstance(value, str) else str(value) if type(value) in (int, float) else ""
