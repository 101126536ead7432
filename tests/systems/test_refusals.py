"""What becomes of 403 and 404, and what is never told of them; and answers of which a part is lacking."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime

import pytest

from bot.domain.errors import NotFoundError, RundownError, UnavailableFault
from bot.domain.model import Listing
from bot.systems._gaps import at_once, both, left_out, without
from bot.systems._refusals import Forbidden, Gone, judging

SECRET = "testmo_api_0123456789"
JUDGE = judging("Testmo", lambda body: str(json.loads(body)["message"]), (SECRET, ""))


@pytest.mark.parametrize(("status", "kind"), [(403, Forbidden), (404, Gone)])
@pytest.mark.parametrize("before", [0, 5, *range(170, 210)])
def test_the_secret_is_hidden_before_the_words_are_cut(status: int, kind: type[RundownError], before: int) -> None:
    for words in ("x" * before + SECRET, "x " * (before // 2) + SECRET + " is bad"):
        error = JUDGE(status, json.dumps({"message": words}).encode())
        assert isinstance(error, kind)
        assert SECRET[:4] not in error.why
        assert len(error.why) <= 200


def test_a_secret_in_another_form_is_told_whole_or_not_at_all() -> None:
    """So that it can be hidden by whoever knows all its forms."""
    odd = "k€y&<with>signs"
    for before in range(180, 205):
        error = judging("Testmo", lambda body: body.decode(), ("other",))(404, f"{'x' * before} {odd}".encode())
        assert error is not None
        assert odd in error.why or odd[:1] not in error.why


@pytest.mark.parametrize("body", [b"", b"<html>", b"{", b'{"other": 1}', b"\xff"])
def test_words_that_cannot_be_read_are_none(body: bytes) -> None:
    judge = judging("Testmo", lambda raw: raw.decode() and "", ())
    for status, why in ((403, "It lacks the permission."), (404, "It answered with HTTP status 404.")):
        error = judge(status, body)
        assert error is not None
        assert error.why == why


def test_nothing_else_is_judged() -> None:
    assert [JUDGE(status, b"{}") for status in (400, 401, 402, 422, 429, 500)] == [None] * 6


def test_rows_that_were_not_asked_for_are_left_out_and_said() -> None:
    at = datetime(2026, 11, 20, tzinfo=UTC)
    listing = Listing((1, 2, 3, 4), at, 9, ("page 3 of 4",))
    odd = without(listing, lambda row: row % 2 == 0, "of another project")
    assert odd == Listing((1, 3), at, 7, ("page 3 of 4", "2 rows of another project were left out"))
    assert without(listing, lambda row: row > 9, "of another project") is listing
    assert (left_out(0, "of another run"), left_out(1, "of another run")) == (
        (),
        ("1 row of another run was left out",),
    )


async def give(value: int | Exception) -> int:
    await asyncio.sleep(0)
    if isinstance(value, Exception):
        raise value
    return value


async def test_what_fails_costs_only_itself_unless_everything_does() -> None:
    fault = UnavailableFault("Testmo", "down")
    assert await at_once([give(1), give(fault), give(3)]) == [1, fault, 3]
    assert await at_once([]) == []
    with pytest.raises(UnavailableFault):
        await at_once([give(fault), give(NotFoundError("no"))])
    with pytest.raises(ZeroDivisionError):
        await at_once([give(1), give(ZeroDivisionError())])


async def test_of_two_the_first_failure_ends_both() -> None:
    assert await both(give(1), give(2)) == (1, 2)
    with pytest.raises(UnavailableFault):
        await both(give(1), give(UnavailableFault("Testmo", "down")))
