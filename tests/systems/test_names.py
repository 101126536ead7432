"""What people type for things and people, whatever system they are of."""

from __future__ import annotations

import pytest

from bot.domain.errors import NoContextError, NotFoundError
from bot.domain.model import Person
from bot.domain.queries import Who
from bot.systems._names import (
    look_up,
    look_up_people,
    none_such,
    person_meant,
    project_meant,
    read_digits,
    what_there_is,
)

RELEASES = {6: "5.1", 7: "5.2", 8: "5.3", 70: "5.2"}


@pytest.mark.parametrize(
    ("typed", "numbers"),
    [
        (["7", "99"], (7, 99)),
        (["5.3", "5.1", "5.3"], (8, 6)),
        ([" 5.2 "], (7, 70)),
        (["8", "5.1"], (8, 6)),
        ([], ()),
    ],
)
def test_looks_up_numbers_and_names_in_the_order_typed(typed: list[str], numbers: tuple[int, ...]) -> None:
    assert look_up("TestRail", "milestone", typed, RELEASES) == numbers


@pytest.mark.parametrize(
    ("word", "number"),
    [("7", 7), (" 007 ", 7), ("", None), ("-1", None), ("1.5", None), ("٣", None), ("²", None), ("9" * 16, None)],
)
def test_reads_digits(word: str, number: int | None) -> None:
    assert read_digits(word) == number


def test_a_name_that_nothing_has_is_answered_with_what_there_is() -> None:
    with pytest.raises(NotFoundError) as caught:
        look_up("TestRail", "milestone", ["5.1", "5.22"], RELEASES)
    error = caught.value
    assert error.what == "No milestone “5.22” in TestRail."
    assert error.why == "There are 5.1, 5.2 and 5.3."
    assert error.fix == "Take one of these, or give its number."
    assert (error.closest[0], error.instead_of) == ("5.2", "5.22")


def test_where_our_key_sees_no_names_the_number_is_asked_for() -> None:
    error = none_such("TestRail", "milestone", "x", [])
    assert (error.why, error.fix, error.closest) == ("Our key can see none.", "Give its number.", ())


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (1, "There is only n1."),
        (2, "There are n1 and n2."),
        (9, "There are n1, n2, n3, n4, n5, n6, n7, n8 and n9."),
        (10, "There are n1, n2, n3, n4, n5, n6, n7, n8 and 2 more."),
        (22, "There are n1, n2, n3, n4, n5, n6, n7, n8 and 14 more."),
    ],
)
def test_tells_what_there_is(number: int, words: str) -> None:
    assert what_there_is([f"n{place}" for place in range(1, number + 1)]) == words


@pytest.mark.parametrize(
    ("typed", "names", "best"),
    [
        ("5.3", ["App 5.2", "5.2"], "5.2"),
        ("Regresion", ["Smoke", "Regression"], "Regression"),
        ("faild", ["failing", "failed", "passed"], "failed"),
    ],
)
def test_the_closest_come_first(typed: str, names: list[str], best: str) -> None:
    assert none_such("TestRail", "name", typed, names).closest[0] == best


PEOPLE = (
    Person("22", "Stas Krichevsky", "stask+test@practitest.com"),
    Person("23", "Ida Roth", "ida@acme.example"),
    Person("24", "Max Ngo"),
    Person("25", "Max Roth"),
)


@pytest.mark.parametrize(
    ("who", "found"),
    [
        (Who("22"), "22"),
        (Who("022"), "22"),
        (Who("99"), None),
        (Who("STASK+test@practitest.com"), "22"),
        (Who("U1", email="Ida@acme.example"), "23"),
        (Who(" stas  krichevsky "), "22"),
        (Who("Ida Roth", email="ida.roth@other.example"), None),  # another Ida Roth
        (Who("Max Ngo", email="max@acme.example"), "24"),  # whose address is not told here
        (Who("Max", email="max@acme.example"), None),  # a mention is never taken for a part of a name
        (Who("Stas"), "22"),
        (Who("Max"), None),
        (Who("Roth"), None),
        (Who("roth ida"), "23"),
        (Who(""), None),
        (Who("@"), None),
    ],
)
def test_finds_the_one_person_meant(who: Who, found: str | None) -> None:
    person = person_meant(who, PEOPLE)
    assert (person and person.id) == found


def test_two_of_a_name_are_nobody() -> None:
    assert person_meant(Who("Ida Roth"), [Person("1", "Ida Roth", "a@x"), Person("2", "ida roth", "b@x")]) is None


def test_people_are_looked_up_in_the_order_typed() -> None:
    assert look_up_people("Testmo", [Who("99"), Who("Max Ngo"), Who("x", "ida@acme.example")], PEOPLE) == (99, 24, 23)
    with pytest.raises(NotFoundError) as caught:
        look_up_people("Testmo", [Who("Ida Rot")], PEOPLE)
    assert (caught.value.closest[0], caught.value.instead_of) == ("Ida Roth", "Ida Rot")


def test_the_project_named_goes_before_the_usual_one() -> None:
    assert project_meant("Testmo", 3, 1) == 3
    assert project_meant("Testmo", None, 1) == 1
    with pytest.raises(NoContextError, match=r"Which project of Testmo\?"):
        project_meant("Testmo", None, None)
