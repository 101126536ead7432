"""Domain values as text in a row, and back. What another version wrote and this one can't read whole reads as None.

msgspec is imported where it is first needed: the start must not wait for it.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from typing import Any, TypeVar, get_args, get_type_hints

from bot.domain.acts import Bulk, BulkItem, Change, Entry, Proposal, Seen
from bot.domain.digests import DigestPlan
from bot.domain.model import RunRef
from bot.domain.outcomes import Tally

T = TypeVar("T")

_CHANGES: dict[str, type[Any]] = {kind.__name__: kind for kind in get_args(Change)}
#: What reading says of text that is no such value: msgspec's errors are ValueErrors, missing names are TypeErrors.
_UNREADABLE = (ValueError, TypeError, KeyError, AttributeError, RecursionError)


def stamp(at: datetime) -> str:
    """A time such that times sort as text does: in UTC, always as long."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def pack_ref(ref: RunRef) -> str:
    return str(ref)


def unpack_ref(packed: str) -> RunRef:
    connection, _, short = packed.rpartition(":")
    number, _, thread = short[1:].partition("/")
    return RunRef(connection, short[0], int(number), int(thread) if thread else None)


# ── out ──


def pack_change(change: Change | None) -> str | None:
    return None if change is None else _text(_named(change))


def pack_seen(seen: Seen | None) -> str | None:
    return None if seen is None else _text(_plain(seen))


def pack_proposal(proposal: Proposal) -> str:
    return _text({**_plain(proposal), "change": _named(proposal.change)})


def pack_bulk(bulk: Bulk) -> str:
    return _text({**_plain(bulk), "items": [_item(item) for item in bulk.items]})


def pack_plan(plan: DigestPlan) -> str:
    """A plan without `since`, which moves by itself and is kept beside it."""
    import msgspec

    return msgspec.json.encode(replace(plan, since=None)).decode()


def pack_tally(tally: Tally) -> str:
    """The counts that are not zero."""
    return _text({word: number for word, number in _plain(tally).items() if number})


def pack_words(words: Iterable[str]) -> str:
    """A list of words, as SQLite's `json_each` reads it."""
    import msgspec

    return msgspec.json.encode(list(words)).decode()


def _item(item: BulkItem) -> dict[str, Any]:
    entry = item.entry
    if entry is None:
        return _plain(item)
    change = None if entry.change is None else _named(entry.change)
    return {**_plain(item), "entry": {**_plain(entry), "change": change}}


def _named(change: Change) -> dict[str, Any]:
    """A change under the name of its kind: `{"Close": …}`."""
    return {type(change).__name__: _plain(change)}


def _plain(value: object) -> dict[str, Any]:
    import msgspec

    plain: dict[str, Any] = msgspec.to_builtins(value, order="deterministic", enc_hook=dict)  # any Mapping is a dict
    return plain


def _text(plain: dict[str, Any]) -> str:
    import msgspec

    return msgspec.json.encode(plain).decode()


# ── and back ──


def unpack_change(packed: str | None) -> Change | None:
    return _unpacked(packed, _change)


def unpack_seen(packed: str | None) -> Seen | None:
    return _unpacked(packed, lambda plain: _read(Seen, plain))


def unpack_proposal(packed: str | None) -> Proposal | None:
    return _unpacked(packed, lambda plain: _read(Proposal, plain, change=_change))


def unpack_bulk(packed: str | None) -> Bulk | None:
    return _unpacked(packed, lambda plain: _read(Bulk, plain, items=lambda items: tuple(map(_read_item, items))))


def unpack_plan(packed: str) -> DigestPlan | None:
    """The plan, if this version knows all that it asks for. What this version wrote is read three times as fast."""
    import msgspec

    try:
        plan = msgspec.json.decode(packed, type=DigestPlan)
        same = msgspec.json.encode(plan) == packed.encode()
        return plan if same else _whole(msgspec.json.decode(packed), DigestPlan)
    except _UNREADABLE:
        return None


def unpack_tally(packed: str) -> Tally | None:
    return _unpacked(packed, lambda plain: _whole(plain, Tally))


def unpack_words(packed: str | bytes) -> list[str]:
    import msgspec

    return msgspec.json.decode(packed, type=list[str])


def _unpacked(packed: str | None, read: Callable[[Any], T]) -> T | None:
    import msgspec

    try:
        return None if packed is None else read(msgspec.json.decode(packed))
    except _UNREADABLE:
        return None


def _change(plain: Any) -> Change:
    ((name, value),) = plain.items()
    change: Change = _read(_CHANGES[name], value)
    return change


def _read_item(plain: Any) -> BulkItem:
    return _read(BulkItem, plain, entry=_read_entry)


def _read_entry(plain: Any) -> Entry | None:
    return None if plain is None else _read(Entry, plain, change=lambda it: None if it is None else _change(it))


def _read(kind: Callable[..., T], plain: Any, **by: Callable[[Any], Any]) -> T:
    """A value of this dataclass, field by field; `by` tells how fields are read that msgspec can't (unions of ours)."""
    types = _types(kind)
    return kind(**{name: by[name](of) if name in by else _whole(of, types[name]) for name, of in plain.items()})


@cache
def _types(kind: Hashable) -> dict[str, Any]:
    return get_type_hints(kind)


def _whole(plain: Any, kind: Any) -> Any:
    """The value, if this version knows all that is in it: less than what a person agreed to is something else."""
    import msgspec

    value = msgspec.convert(plain, kind)
    if _loses(plain, msgspec.to_builtins(value, order="deterministic", enc_hook=dict)):
        raise ValueError("made by another version")
    return value


def _loses(plain: Any, read: Any) -> bool:
    """Whether anything named in `plain` is not in what was read of it."""
    if isinstance(plain, dict):
        return any(name not in read or _loses(value, read[name]) for name, value in plain.items())
    if isinstance(plain, list):
        return any(map(_loses, plain, read))
    return False
