"""Values made in bulk are those that would have been made one by one."""

from __future__ import annotations

import dataclasses
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from bot.domain.model import Kind, Run, RunRef
from bot.domain.outcomes import Tally
from bot.systems._bulk import decoded, quick

GIVEN: dict[str, Any] = {
    "ref": RunRef("tr", "R", 81),
    "kind": Kind("R", "run", "runs", "closed"),
    "project": 1,
    "name": "Smoke",
    "tally": Tally(passed=3, failed=1),
    "finished": True,
    "created_at": datetime(2026, 11, 20, tzinfo=UTC),
    "read_at": datetime(2026, 11, 21, tzinfo=UTC),
}
make_run = quick(Run)


def test_a_quick_value_is_like_any_other() -> None:
    run, usual = make_run(**GIVEN), Run(**GIVEN)
    assert type(run) is Run
    assert (run, repr(run), run.state, run.failing) == (usual, repr(usual), usual.state, True)
    assert replace(run, name="x") == replace(usual, name="x")
    assert all(hasattr(run, field.name) for field in dataclasses.fields(Run))


def test_a_quick_value_is_frozen() -> None:
    run = make_run(**GIVEN)
    with pytest.raises(dataclasses.FrozenInstanceError):
        run.name = "x"  # type: ignore[misc]
    with pytest.raises((AttributeError, TypeError)):
        run.other = "x"  # type: ignore[attr-defined]


def test_what_must_be_given_must_be_given() -> None:
    with pytest.raises(TypeError, match="ref"):
        make_run(**{name: value for name, value in GIVEN.items() if name != "ref"})
    with pytest.raises(TypeError, match="other"):
        make_run(**GIVEN, other=1)  # type: ignore[call-arg]


@dataclasses.dataclass(frozen=True, slots=True)
class Basket:
    owner: str
    things: list[str] = dataclasses.field(default_factory=list)


def test_defaults_are_made_anew_for_each() -> None:
    make_basket = quick(Basket)
    one, two = make_basket(owner="a"), make_basket(owner="b")
    one.things.append("x")
    assert (one, two) == (Basket("a", ["x"]), Basket("b"))
    assert hash(make_basket(owner="c", things=())) == hash(Basket("c", ()))  # type: ignore[arg-type]


class Row(msgspec.Struct):
    id: int


@pytest.mark.parametrize(
    ("body", "numbers"),
    [
        (b'[{"id": 1}, {"id": "2", "more": null}]', [1, 2]),
        (b"[]", []),
        (b'[{"id": 1}, {"id": null}]', None),
        (b'[{"id": 1}, {}', None),
        (b"<html>", None),
        (b"[" * 100_000, None),
    ],
)
def test_rows_are_read_at_once_or_not_at_all(body: bytes, numbers: list[int] | None) -> None:
    rows = decoded(body, list[Row])
    assert (rows if rows is None else [row.id for row in rows]) == numbers
