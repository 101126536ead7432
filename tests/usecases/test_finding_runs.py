"""From what people type to the one run that is meant. Several fit: they choose, nobody guesses."""

from __future__ import annotations

import pytest

from bot.domain.errors import AmbiguousError, NoContextError, NotFoundError, RundownError, UnavailableFault
from bot.domain.model import RunRef
from bot.domain.refs import LinkRef
from bot.usecases.finding import CLOSEST_S
from bot.usecases.ports import ChannelContext, Place
from tests.usecases.world_of_fakes import (
    HERE,
    NOW,
    THREAD,
    FakeConnection,
    FakeRecall,
    a_practitest,
    a_testmo,
    a_testrail,
    at_once,
    check_words,
    commands,
    context,
    down,
    finder,
    named,
    one_ref,
)


def world() -> tuple[FakeConnection, FakeConnection, FakeConnection]:
    """R118 is in Testmo and in TestRail, 9 is a run and a plan of TestRail, the rest is unmistakable."""
    testmo, testrail, practitest = a_testmo(), a_testrail(), a_practitest()
    testmo.add("R", 118, days_ago=5)
    testmo.add("A", 411, days_ago=2, finished=True)
    testmo.add("A", 412, days_ago=1)
    testrail.add("R", 118, days_ago=4)
    testrail.add("R", 9, days_ago=3, name="Smoke")
    testrail.add("P", 9, days_ago=6)
    practitest.add("S", 55, days_ago=7)
    return testmo, testrail, practitest


async def ref_of(text: str, *, chosen: ChannelContext | None = None) -> str:
    return str((await finder(*world(), chosen=chosen).find(named(text))).ref)


@pytest.mark.parametrize(
    ("text", "chosen", "ref"),
    [
        ("A412", None, "testmo:A412"),
        ("a412", None, "testmo:A412"),
        ("412", None, "testmo:A412"),
        ("S55", None, "practitest:S55"),
        ("P9", None, "testrail:P9"),
        ("testrail:R118", None, "testrail:R118"),
        ("TestRail:r118", None, "testrail:R118"),
        ('"testrail:118"', None, "testrail:R118"),
        ("A412/3", None, "testmo:A412/3"),
        ("412/3", None, "testmo:A412/3"),
        # the channel's connection goes first
        ("R118", context("testmo"), "testmo:R118"),
        ("R118", context("testrail"), "testrail:R118"),
        ("118", context("testmo"), "testmo:R118"),
        ("R118", context("practitest"), None),
        ("A412", context("testrail"), "testmo:A412"),
        ("testmo:R118", context("testrail"), "testmo:R118"),
        # several fit
        ("R118", None, None),
        ("118", None, None),
        ("9", None, None),
        ("9", context("testrail"), None),
        ('"testrail:9"', None, None),
        # links
        ("https://testrail.example/R118", None, "testrail:R118"),
        ("https://testrail.example/R118", context("testmo"), "testrail:R118"),
        # the last one
        ("last", None, "testmo:A412"),
        ("last", context("testrail"), "testrail:R9"),
        ("last:smoke", None, "testrail:R9"),
        ('last:"nightly 118"', None, "testrail:R118"),
        ('last:"118 NIGHT"', context("testmo"), "testmo:R118"),
    ],
)
async def test_a_reference_means_one_run_or_is_a_question(
    text: str, chosen: ChannelContext | None, ref: str | None
) -> None:
    if ref is not None:
        assert await ref_of(text, chosen=chosen) == ref
        return
    with pytest.raises(AmbiguousError) as raised:
        await ref_of(text, chosen=chosen)
    check_words(raised.value)
    assert len(raised.value.choices) > 1
    meant = {await ref_of(str(one_ref(choice.command)), chosen=chosen) for choice in raised.value.choices}
    assert len(meant) == len(raised.value.choices)


async def test_the_choices_of_a_menu_say_what_and_where_the_runs_are() -> None:
    with pytest.raises(AmbiguousError) as raised:
        await finder(*world()).find(named("R118/3"))
    assert [(choice.label, choice.command) for choice in raised.value.choices] == [
        ("run R118 of Testmo: Nightly 118 (open)", "show testmo:R118/3"),
        ("run R118 of TestRail: Nightly 118 (open)", "show testrail:R118/3"),
    ]


async def test_a_connection_of_another_name_is_named_in_the_menu() -> None:
    one, other = a_testrail("web"), a_testrail("api")
    one.add("R", 5)
    other.add("R", 5)
    with pytest.raises(AmbiguousError) as raised:
        await finder(one, other).find(named("testrail:R5"))
    assert [choice.label for choice in raised.value.choices] == [
        "run R5 of web (TestRail): Nightly 5 (open)",
        "run R5 of api (TestRail): Nightly 5 (open)",
    ]
    assert commands(raised.value) == ["show web:R5", "show api:R5"]


async def test_what_follows_the_slash_is_a_thread_only_where_there_are_threads() -> None:
    automation = await finder(*world()).find(named("A412/3"))
    assert (automation.ref, automation.part, automation.run.ref.thread) == (RunRef("testmo", "A", 412, 3), None, None)
    test_set = await finder(*world()).find(named("S55/98142"))
    assert (test_set.ref, test_set.part) == (RunRef("practitest", "S", 55), 98142)


async def test_a_broken_system_is_never_answered_for_by_another() -> None:
    testmo, testrail, _ = world()
    testrail.errors["run"] = down()
    with pytest.raises(UnavailableFault):
        await finder(testmo, testrail, chosen=context("testrail")).find(named("R118"))
    with pytest.raises(UnavailableFault):  # nobody else has it: it may be there
        await finder(testmo, testrail).find(named("R77"))


async def test_the_run_that_was_found_is_remembered_for_prev() -> None:
    recall = FakeRecall()
    await finder(*world(), recall=recall).find(named("A412/3"))
    assert await recall.last_run(HERE, "U1") == RunRef("testmo", "A", 412)


@pytest.mark.parametrize("at", [HERE, THREAD])
async def test_prev_goes_back_through_the_stream(at: Place) -> None:
    testmo, recall = a_testmo(), FakeRecall()
    for number, days_ago in ((1, 3), (2, 2), (3, 1)):
        testmo.add("A", number, days_ago=days_ago, finished=True)
    look = finder(testmo, recall=recall, at=at)
    await look.find(named("A3"))
    assert (await look.find(named("prev"))).ref.id == 2
    assert (await look.find(named("prev"))).ref.id == 1
    with pytest.raises(NotFoundError) as raised:
        await look.find(named("prev"))
    assert raised.value.what == "There is no run before A1."
    check_words(raised.value)


async def test_in_a_thread_prev_and_this_are_of_the_threads_run() -> None:
    testmo, recall = a_testmo(), FakeRecall()
    for number, days_ago in ((1, 3), (2, 2), (3, 1)):
        testmo.add("A", number, days_ago=days_ago, finished=True)
    await recall.bind_thread(THREAD, RunRef("testmo", "A", 2))
    await recall.remember_run(THREAD, "U1", RunRef("testmo", "A", 3))
    look = finder(testmo, recall=recall, at=THREAD)
    assert (await look.find(named("this"))).ref.id == 2
    assert (await look.find(named("prev"))).ref.id == 1


async def test_rows_are_those_of_the_last_list() -> None:
    recall = FakeRecall()
    await recall.remember_list(HERE, "U1", [RunRef("testrail", "P", 9), RunRef("testmo", "A", 412)])
    look = finder(*world(), recall=recall)
    assert [str((await look.find(named(text))).ref) for text in ("#1", "#2")] == ["testrail:P9", "testmo:A412"]
    with pytest.raises(NotFoundError) as raised:
        await look.find(named("#3"))
    assert (raised.value.why, commands(raised.value)) == ("It has 2 rows.", ["show #2"])
    check_words(raised.value)


def _gone() -> FakeRecall:
    recall = FakeRecall()
    recall.lists[HERE, "U1"] = (RunRef("removed", "R", 1),)
    recall.runs[HERE, "U1"] = RunRef("removed", "R", 1)
    return recall


@pytest.mark.parametrize(
    ("text", "chosen", "recall", "what", "offers"),
    [
        ("R404", None, None, "No run R404 found.", ["list"]),
        ("R404", context("practitest"), None, "No run R404 found.", ["list"]),
        ("R119", None, None, "No run R119 found.", ["show testmo:R118", "show testrail:R118"]),
        ("R119", context("testrail"), None, "No run R119 found.", ["show testrail:R118"]),
        ("testrail:R119", context("testmo"), None, "No run testrail:R119 found.", ["show testrail:R118"]),
        ("413", None, None, "No run 413 found.", ["show testmo:A412", "show testmo:A411"]),
        ("X5", None, None, "Nothing here is numbered with X.", ["show 5"]),
        ("testrail:A412", None, None, "Nothing in testrail is numbered with A.", ['show "testrail:412"']),
        ("testrai:R118", None, None, "There is no connection “testrai”.", ["list --in testrail"]),
        ("https://evil.example/R118", None, None, "That address is not a run of one of your systems.", ["list"]),
        ("https://testrail.example/S118", None, None, "That address is not a run of one of your systems.", ["list"]),
        ("https://testrail.example/R404", None, None, "TestRail has no R404.", []),
        ("last:unheard", None, None, "There is no last:unheard.", ["list --all"]),
        ("prev", None, None, "There is no run that `prev` could come before.", ["show last"]),
        ("this", None, None, "There is no `this` here.", ["show last"]),
        ("#1", None, None, "#1 means nothing yet.", ["list"]),
        ("#1", None, _gone(), "There is no connection “removed”.", []),
        ("prev", None, _gone(), "There is no connection “removed”.", []),
    ],
)
async def test_what_cannot_be_found_is_said_with_a_way_out(
    text: str, chosen: ChannelContext | None, recall: FakeRecall | None, what: str, offers: list[str]
) -> None:
    with pytest.raises(NotFoundError) as raised:
        await finder(*world(), chosen=chosen, recall=recall).find(named(text))
    assert raised.value.what == what
    assert commands(raised.value) == offers
    check_words(raised.value)


async def test_it_is_said_everywhere_that_was_looked() -> None:
    with pytest.raises(NotFoundError) as raised:
        await finder(*world(), chosen=context("testrail")).find(named("404"))
    assert raised.value.why == "Looked in Testmo, TestRail, PractiTest."


async def test_without_any_connection_that_is_said() -> None:
    for text in ("R1", "5", "last"):
        with pytest.raises(NoContextError) as raised:
            await finder().find(named(text))
        check_words(raised.value)


@pytest.mark.parametrize("broken", ["projects", "runs"])
async def test_the_last_run_is_not_denied_while_a_system_cannot_be_asked(broken: str) -> None:
    testmo, testrail, _ = world()
    testrail.project, testrail.errors[broken] = None, down()
    assert str((await finder(testmo, testrail).find(named("last"))).ref) == "testmo:A412"
    with pytest.raises(UnavailableFault):
        await finder(testmo, testrail).find(named("last:unheard"))


async def test_systems_that_cannot_look_for_words_are_not_asked_for_them() -> None:
    testmo, _, practitest = world()
    await finder(testmo, practitest).find(named("last:nightly"))
    assert practitest.calls("runs") == []
    (_, query), *_ = testmo.calls("runs")
    assert (query.words, query.state, query.at_most) == (("nightly",), "all", 1)
    assert query.since is not None
    assert (NOW - query.since).days == 90


@pytest.mark.parametrize("call", ["projects", "runs"])
def test_a_suggestion_is_never_waited_for(call: str) -> None:
    async def look() -> RundownError:
        testrail = a_testrail(project=None, hangs={call})
        testrail.add("R", 118)
        with pytest.raises(NotFoundError) as raised:
            await finder(testrail).find(named("R119"))
        return raised.value

    error, seconds = at_once(look())
    assert commands(error) == ["list"]
    assert seconds == pytest.approx(CLOSEST_S)


@pytest.mark.parametrize("call", ["projects", "runs"])
async def test_a_suggestion_is_not_worth_failing_for(call: str) -> None:
    testrail = a_testrail(project=None, errors={call: down()})
    with pytest.raises(NotFoundError) as raised:
        await finder(testrail).find(named("R119"))
    assert commands(raised.value) == ["list"]


async def test_an_address_is_never_fetched() -> None:
    testmo, testrail, practitest = world()
    with pytest.raises(NotFoundError):
        await finder(testmo, testrail, practitest).find(LinkRef("https://169.254.169.254/latest/R118"))
    assert [*testmo.asked, *testrail.asked, *practitest.asked] == []
