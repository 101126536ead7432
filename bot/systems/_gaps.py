"""Answers with gaps: what failed or was left out, in words, beside what could be had."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from dataclasses import replace
from typing import Any, TypeVar

from bot.domain.errors import RundownError
from bot.domain.model import Listing

T = TypeVar("T")
U = TypeVar("U")


async def at_once(jobs: Iterable[Awaitable[T]]) -> list[T | RundownError]:
    """All at once. What fails costs only itself, unless everything does: then the first failure is raised."""
    answers = await asyncio.gather(*jobs, return_exceptions=True)
    told: list[T | RundownError] = []
    for answer in answers:
        if isinstance(answer, BaseException) and not isinstance(answer, RundownError):
            raise answer
        told.append(answer)
    if told and isinstance(told[0], RundownError) and all(isinstance(answer, RundownError) for answer in told):
        raise told[0]
    return told


async def both(one: Coroutine[Any, Any, T], other: Coroutine[Any, Any, U]) -> tuple[T, U]:
    """Both at once; the first failure ends both and is raised as it is."""
    try:
        async with asyncio.TaskGroup() as group:
            first, second = group.create_task(one), group.create_task(other)
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from None
    return first.result(), second.result()


def some(number: int, noun: str) -> str:
    """`1 row`, `2,000 rows`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def left_out(number: int, whose: str) -> tuple[str, ...]:
    """What to say of rows that were never asked for (`of another project`); nothing when there were none."""
    return (f"{some(number, 'row')} {whose} {'was' if number == 1 else 'were'} left out",) if number else ()


def without(listing: Listing[T], foreign: Callable[[T], bool], whose: str) -> Listing[T]:
    """The rows without those that were never asked for, and a word on them."""
    own = tuple(row for row in listing.items if not foreign(row))
    lost = len(listing.items) - len(own)
    if not lost:
        return listing
    total = None if listing.total is None else max(listing.total - lost, len(own))
    return replace(listing, items=own, total=total, missing=(*listing.missing, *left_out(lost, whose)))
