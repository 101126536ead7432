"""Numbers in few bytes: a set, but for its weight."""

from __future__ import annotations

import tracemalloc

from hypothesis import given
from hypothesis import strategies as some

from bot.domain.numbers import Numbers


@given(some.lists(some.one_of(some.integers(-600, 600), some.integers(0, 2**64))), some.integers(-700, 700))
def test_it_holds_what_a_set_would_hold(several: list[int], other: int) -> None:
    numbers, plain = Numbers(), set[int]()
    for number in several:
        assert numbers.add(number) == (number not in plain)
        plain.add(number)
    assert len(numbers) == len(plain)
    assert all(number in numbers for number in plain)
    assert (other in numbers) == (other in plain)


def test_a_hundred_thousand_numbers_of_runs_take_less_than_a_megabyte() -> None:
    tracemalloc.start()
    try:
        numbers = Numbers()
        for number in range(5_000_000, 5_500_000, 5):  # every fifth run of the account is of this project
            numbers.add(number)
        weight, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(numbers) == 100_000
    assert weight < 2**20
