"""Where a question goes: named, `all`, the channel's context, what is configured, the only project."""

from __future__ import annotations

import pytest

from bot.domain.errors import AmbiguousError, NoContextError, NotFoundError, RundownError, UnavailableFault
from bot.domain.model import Project
from bot.usecases.ports import ChannelContext
from bot.usecases.systems import Systems, find_project, name_project, targets
from tests.usecases.world_of_fakes import (
    FakeConnection,
    a_practitest,
    a_testmo,
    a_testrail,
    check_words,
    commands,
    context,
    down,
)

SEVERAL = (Project(1, "Webshop"), Project(2, "Website"), Project(3, "App"))
TWICE = (Project(1, "Webshop"), Project(2, "Webshop"), Project(7, "12"), Project(12, "App"))


def three() -> list[FakeConnection]:
    """Testmo and TestRail have projects configured, PractiTest has only one."""
    return [a_testmo(project=2, its_projects=SEVERAL), a_testrail(its_projects=SEVERAL), a_practitest(project=None)]


@pytest.mark.parametrize(
    ("connection", "project", "chosen", "where"),
    [
        ("", "", None, "Testmo › Website, TestRail › Webshop, PractiTest › Webshop"),
        ("all", "", None, "Testmo › Website, TestRail › Webshop, PractiTest › Webshop"),
        ("ALL", "", context("testrail", 3, "App"), "Testmo › Website, TestRail › App, PractiTest › Webshop"),
        ("testrail", "", None, "TestRail › Webshop"),
        ("TestRail", "", context("testmo", 3, "App"), "TestRail › Webshop"),
        ("testmo", "", context("testmo", 3, "App"), "Testmo › App"),
        ("", "", context("testmo", 3, "App"), "Testmo › App"),
        ("", "webs", context("practitest"), "PractiTest › Webshop"),
        ("", "2", context("testrail", 3, "App"), "TestRail › Website"),
        ("testmo", "app", None, "Testmo › App"),
        ("", "App", None, "Testmo › App, TestRail › App"),
        ("all", "App", context("practitest"), "Testmo › App, TestRail › App"),
        ("", "webshop", None, "Testmo › Webshop, TestRail › Webshop, PractiTest › Webshop"),
        ("", "3", None, "Testmo › App, TestRail › App"),
    ],
)
async def test_a_question_goes_where_it_was_meant_to(
    connection: str, project: str, chosen: ChannelContext | None, where: str
) -> None:
    found, troubles = await targets(Systems(three()), chosen, connection=connection, project=project)
    assert ", ".join(target.where for target in found) == where
    assert troubles == ()


async def test_a_connection_that_cannot_be_asked_costs_only_itself() -> None:
    two = [a_testmo(), a_testrail(project=None, errors={"projects": down()})]
    found, troubles = await targets(Systems(two), None)
    assert [target.where for target in found] == ["Testmo › Webshop"]
    assert [(each.connection, each.error.what) for each in troubles] == [("testrail", "TestRail is down.")]


async def test_a_connection_without_a_chosen_project_is_told_of_beside_the_others() -> None:
    two = [a_testmo(), a_testrail(project=None, its_projects=SEVERAL)]
    found, (trouble,) = await targets(Systems(two), None)
    assert [target.where for target in found] == ["Testmo › Webshop"]
    assert isinstance(trouble.error, NoContextError)
    check_words(trouble.error)
    assert commands(trouble.error) == ["use testrail 1", "use testrail 2", "use testrail 3"]


async def test_the_name_of_a_configured_project_is_not_worth_failing_for() -> None:
    found, _ = await targets(Systems([a_testrail(project=5, errors={"projects": down()})]), None)
    assert [target.where for target in found] == ["TestRail › project 5"]
    assert await name_project(a_testrail(), 1) == Project(1, "Webshop")


@pytest.mark.parametrize(
    ("connections", "connection", "project", "kind", "what", "offers"),
    [
        ([], "", "", NoContextError, "No test system is connected.", []),
        ([], "testmo", "", NotFoundError, "There is no connection “testmo”.", []),
        ([a_testmo()], "testm", "", NotFoundError, "There is no connection “testm”.", ["list --in testmo"]),
        ([a_testmo()], "zzz", "", NotFoundError, "There is no connection “zzz”.", []),
        ([a_testmo()], "", "shop", NotFoundError, "No project “shop” in Testmo.", ["list --in testmo --project 1"]),
        (
            [a_testmo(project=None, its_projects=SEVERAL)],
            "",
            "",
            NoContextError,
            "Which project of Testmo?",
            ["use testmo 1", "use testmo 2", "use testmo 3"],
        ),
        ([a_testmo(project=None, its_projects=())], "", "", NoContextError, "testmo has no project.", []),
        ([a_testmo(its_projects=())], "", "x", NotFoundError, "No project “x” in Testmo.", []),
        (
            [a_testmo(its_projects=SEVERAL)],
            "",
            "web",
            AmbiguousError,
            "“web” could be any of 2 projects of Testmo.",
            ["list --in testmo --project 1", "list --in testmo --project 2"],
        ),
        (  # who is down may have the project
            [a_testmo(), a_testrail(errors={"projects": down()})],
            "",
            "shop",
            UnavailableFault,
            "TestRail is down.",
            [],
        ),
    ],
)
async def test_what_cannot_be_asked_is_said_with_a_way_out(  # noqa: PLR0917
    connections: list[FakeConnection],
    connection: str,
    project: str,
    kind: type[RundownError],
    what: str,
    offers: list[str],
) -> None:
    with pytest.raises(kind) as raised:
        await targets(Systems(connections), None, connection=connection, project=project)
    assert raised.value.what == what
    assert commands(raised.value) == offers
    check_words(raised.value)


async def test_a_system_with_several_connections_means_all_of_them_in_lists_and_none_where_one_is_needed() -> None:
    systems = Systems([a_testrail("web"), a_testrail("api"), a_testmo()])
    found, _ = await targets(systems, None, connection="testrail")
    assert [target.connection.name for target in found] == ["web", "api"]
    with pytest.raises(AmbiguousError) as raised:
        systems.get("TestRail")
    assert commands(raised.value) == ["list --in web", "list --in api"]
    check_words(raised.value)


async def test_a_connections_own_name_goes_before_the_name_of_a_system() -> None:
    systems = Systems([a_testrail("web"), a_testmo("testrail")])
    assert systems.get("TestRail").system == "Testmo"


@pytest.mark.parametrize(
    ("text", "number"),
    [("1", 1), ("12", 12), ("7", 7), ("app", 12), (" App ", 12), ("AP", 12)],
)
async def test_a_project_is_found_by_number_then_by_name_then_by_its_beginning(text: str, number: int) -> None:
    assert (await find_project(a_testrail(its_projects=TWICE), text)).id == number


async def test_two_projects_of_one_name_are_a_question_and_each_choice_is_an_answer() -> None:
    connection = a_testrail(its_projects=TWICE)
    with pytest.raises(AmbiguousError) as raised:
        await find_project(connection, "webshop")
    check_words(raised.value)
    assert commands(raised.value) == ["use testrail 1", "use testrail 2"]
    for command in commands(raised.value):
        await find_project(connection, command.split()[-1])
