"""What holds in a channel, and who people are in each system."""

from __future__ import annotations

import pytest

from bot.domain.answers import Here
from bot.domain.errors import AmbiguousError, NoContextError, NotFoundError, RundownError, UnavailableFault
from bot.domain.model import Person, Project, RunRef
from bot.domain.outcomes import Tally
from bot.slack.grammar import Grammar
from bot.usecases.context import open_menu, use_project, what_is_here
from bot.usecases.finding import Asker
from bot.usecases.identity import who_am_i
from bot.usecases.ports import ChannelContext
from bot.usecases.systems import Systems
from tests.usecases.world_of_fakes import (
    ASKER,
    HERE,
    NOW,
    THREAD,
    FakeConnection,
    FakeContexts,
    FakeRecall,
    a_practitest,
    a_testmo,
    a_testrail,
    check_words,
    commands,
    context,
    down,
)

SEVERAL = (Project(1, "Webshop"), Project(2, "Website"), Project(3, "App"))


@pytest.mark.parametrize(
    ("connection", "project", "chosen"),
    [
        ("testrail", "2", ("testrail", 2, "Website")),
        ("TESTRAIL", "app", ("testrail", 3, "App")),
        ("TestMo", "Webshop", ("testmo", 1, "Webshop")),
    ],
)
async def test_a_channel_means_from_then_on_what_was_chosen(
    connection: str, project: str, chosen: tuple[str, int, str]
) -> None:
    contexts = FakeContexts()
    systems = Systems([a_testmo(), a_testrail(its_projects=SEVERAL)])
    answer = await use_project(connection, project, systems=systems, contexts=contexts, asker=ASKER, now=NOW)
    assert await contexts.get(HERE) == ChannelContext(*chosen, by="U1", at=NOW)
    assert await contexts.get(THREAD) == ChannelContext(*chosen, by="U1", at=NOW)
    assert (answer.connection.name, answer.connection.project, answer.by) == (
        chosen[0],
        Project(chosen[1], chosen[2]),
        "U1",
    )


@pytest.mark.parametrize(
    ("connection", "project", "kind", "offers"),
    [
        ("testral", "2", NotFoundError, ["use testrail 2"]),
        ("testral", "My Web Shop", NotFoundError, ["use testrail My Web Shop"]),
        ("testral", '"x" --share {name}', NotFoundError, ["list --in testrail"]),
        ("testral", "-x", NotFoundError, ["list --in testrail"]),
        ("testrail", "web", AmbiguousError, ["use testrail 1", "use testrail 2"]),
        ("testrail", "webshp", NotFoundError, ["use testrail 1", "use testrail 2"]),
        ("testrail", "", NotFoundError, []),
        ("practitest", "1", AmbiguousError, ["use one 1", "use two 1"]),
    ],
)
async def test_what_cannot_be_chosen_is_said_with_a_way_out(
    connection: str, project: str, kind: type[RundownError], offers: list[str]
) -> None:
    contexts = FakeContexts()
    systems = Systems([a_testrail(its_projects=SEVERAL), a_practitest("one"), a_practitest("two")])
    with pytest.raises(kind) as raised:
        await use_project(connection, project, systems=systems, contexts=contexts, asker=ASKER, now=NOW)
    assert commands(raised.value) == offers
    check_words(raised.value)
    assert contexts.known == {}


async def here(
    *connections: FakeConnection, chosen: ChannelContext | None = None, asker: Asker = ASKER, this: RunRef | None = None
) -> Here:
    recall = FakeRecall()
    if this is not None:
        await recall.bind_thread(THREAD, this)
    contexts = FakeContexts(**({"C1": chosen} if chosen else {}))
    return await what_is_here(systems=Systems(connections), contexts=contexts, recall=recall, asker=asker)


async def test_every_connection_is_told_with_its_project_and_its_trouble() -> None:
    value = await here(
        a_testmo(project=3, its_projects=SEVERAL),
        a_testrail(project=5, errors={"projects": down()}),
        a_practitest(project=None),
        a_testrail("api", project=None, its_projects=SEVERAL),
        a_testrail("web", project=77, its_projects=SEVERAL),
    )
    assert [(view.name, view.project, view.trouble is not None) for view in value.connections] == [
        ("testmo", Project(3, "App"), False),
        ("testrail", Project(5, "project 5"), True),
        ("practitest", Project(1, "Webshop"), False),
        ("api", None, False),
        ("web", Project(77, "project 77"), False),
    ]
    assert value.connections[0].kinds == ("R runs", "A automation runs")
    assert (value.chosen, value.chosen_by, value.this) == (None, "", None)


async def test_the_chosen_context_is_told_with_who_chose_it_and_when() -> None:
    value = await here(a_testmo(its_projects=SEVERAL), chosen=context("testmo", 2, "Website"))
    assert value.chosen is not None
    assert (value.chosen.project, value.chosen_by, value.chosen_at) == (Project(2, "Website"), "U9", NOW)


async def test_a_context_whose_connection_was_removed_is_none() -> None:
    assert (await here(a_testmo(), chosen=context("removed"))).chosen is None


async def test_a_thread_has_its_run() -> None:
    ref = RunRef("testmo", "A", 412)
    assert (await here(a_testmo(), asker=Asker(THREAD, "U1"), this=ref)).this == ref
    assert (await here(a_testmo(), this=ref)).this is None


@pytest.mark.parametrize(
    ("chosen", "refs"),
    [
        (None, "testrail:R10 testmo:A1 testmo:A2"),
        (context("testmo"), "testmo:A1 testmo:A2 testmo:A3"),
        (context("removed"), "testrail:R10 testmo:A1 testmo:A2"),
    ],
)
async def test_the_menu_shows_the_open_runs_most_at_risk(chosen: ChannelContext | None, refs: str) -> None:
    testmo, testrail, recall = a_testmo(), a_testrail(), FakeRecall()
    for number in (1, 2, 3, 4):
        testmo.add("A", number, days_ago=number, tally=Tally(failed=5 - number))
    testrail.add("R", 10, tally=Tally(failed=9))
    testrail.add("R", 11, tally=Tally(failed=99), finished=True)
    menu = await open_menu(
        systems=Systems([testmo, testrail]),
        contexts=FakeContexts(**({"C1": chosen} if chosen else {})),
        recall=recall,
        asker=ASKER,
        now=NOW,
        rows=3,
    )
    assert " ".join(str(run.ref) for run in menu.at_risk.runs) == refs
    assert await recall.listed(HERE, "U1") == tuple(run.ref for run in menu.at_risk.runs)


@pytest.mark.parametrize(
    ("connections", "kind"),
    [
        ([], NoContextError),
        ([a_testmo(project=None, its_projects=SEVERAL)], NoContextError),
        ([a_testrail(errors={"runs": down()})], UnavailableFault),
    ],
)
async def test_a_menu_without_anything_in_it_says_why(
    connections: list[FakeConnection], kind: type[RundownError]
) -> None:
    with pytest.raises(kind) as raised:
        await open_menu(
            systems=Systems(connections), contexts=FakeContexts(), recall=FakeRecall(), asker=ASKER, now=NOW
        )
    check_words(raised.value)


async def test_people_are_found_in_each_system_or_not_or_that_is_not_known() -> None:
    ana = Person("7", "Ana", "ana@acme.test")
    systems = Systems(
        [a_testmo(people=(ana,)), a_testrail(errors={"find_person": down()}), a_practitest(people=(ana, ana))]
    )
    value = await who_am_i("Ana", "ana@acme.test", "member", systems=systems)
    assert [(each.connection, each.person, each.trouble is not None) for each in value.identities] == [
        ("testmo", ana, False),
        ("testrail", None, True),
        ("practitest", None, False),
    ]
    assert (value.name, value.email, value.role) == ("Ana", "ana@acme.test", "member")


@pytest.mark.parametrize(("email", "asked"), [("ana@acme.test", "ana@acme.test"), ("", "Ana")])
async def test_people_are_looked_for_by_address_else_by_name(email: str, asked: str) -> None:
    testmo = a_testmo()
    await who_am_i("Ana", email, "member", systems=Systems([testmo]))
    (who,) = testmo.calls("find_person")
    assert (who.text, who.email) == (asked, email)


def test_commands_that_errors_offer_are_those_of_the_grammar() -> None:
    """The words that use cases write into `closest` by hand."""
    for command in ("list", "list --all", "show last", "list --in web", "list --in web --project 7", "use web 7"):
        assert Grammar().parse(command, now=NOW).text() == command
