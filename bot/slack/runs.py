"""list, show, failures, results, diff, threads: the reading verbs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, cast

from bot.presenters import messages
from bot.slack.desk import Answer, Asking, Desk
from bot.slack.grammar_command import Command
from bot.slack.grammar_queries import automated, result_query, run_query
from bot.usecases.failing import diff_runs, list_failures, list_results
from bot.usecases.listing import ListAsk, Sort, list_runs
from bot.usecases.showing import show_run, show_threads, where_is


def register(desk: Desk) -> None:
    desk.feature("list", answer_list)
    desk.feature("show", answer_show)
    desk.feature("failures", answer_failures)
    desk.feature("results", answer_results)
    desk.feature("diff", answer_diff)
    desk.feature("threads", answer_threads)


async def answer_list(asking: Asking) -> Answer:
    command, world = asking.command, asking.world
    ask = ListAsk(
        query=run_query(command, people=await asking.people()),
        words=in_words(command, "runs", await asking.names()),
        connection=command.word("in"),
        project=command.word("project"),
        automated=automated(command),
        sort=cast("Sort | None", command.word("sort") or None),
        limit=command.number("limit"),
    )
    listing = await list_runs(
        ask,
        systems=world.systems,
        context=asking.context,
        recall=world.recall,
        asker=asking.asker,
        now=world.now(),
    )
    message = messages.run_list(
        listing,
        again=asking.again(),
        page=command.page,
        now=world.now(),
        shareable=asking.shareable,
        wider=command.with_switch("all", instead_of=("open", "closed")).text() if ask.query.state == "open" else "",
    )
    return Answer(message, listed=tuple(run.ref for run in listing.runs))


async def answer_show(asking: Asking) -> Answer:
    found = await asking.find(asking.command.refs[0])
    if found.ref.thread is not None:
        return await answer_threads(asking)
    if found.part is not None:  # one test of a run: its results are all there is to show
        return await answer_results(asking)
    card = await show_run(found, changes=await asking.offers())
    again = asking.again(found)
    message = messages.run_card(card, command=again, now=asking.world.now(), shareable=asking.shareable)
    return Answer(message, found.run.ref, card=again)


async def answer_failures(asking: Asking) -> Answer:
    command = asking.command
    found = await asking.find(command.refs[0])
    query = result_query(command, people=await asking.people())
    value = await list_failures(found, owners=query.owner, unassigned=query.unassigned, limit=command.number("limit"))
    message = messages.failures(
        value, again=asking.again(found), page=command.page, now=asking.world.now(), shareable=asking.shareable
    )
    return Answer(message, found.run.ref)


async def answer_results(asking: Asking) -> Answer:
    command = asking.command
    found = await asking.find(command.refs[0])
    query = result_query(command, people=await asking.people())
    value = await list_results(found, query, words=in_words(command, "results", await asking.names()))
    message = messages.results(
        value, again=asking.again(found), page=command.page, now=asking.world.now(), shareable=asking.shareable
    )
    return Answer(message, found.run.ref)


async def answer_diff(asking: Asking) -> Answer:
    found = await asking.find(asking.command.refs[0])
    base = await asking.find(asking.command.refs[1]) if len(asking.command.refs) > 1 else None
    value = await diff_runs(found, base)
    settled = (found,) if base is None else (found, base)
    message = messages.diff(
        value,
        again=asking.again(*settled),
        now=asking.world.now(),
        where=await where_is(found),
        shareable=asking.shareable,
    )
    return Answer(message, found.run.ref)


async def answer_threads(asking: Asking) -> Answer:
    found = await asking.find(asking.command.refs[0])
    message = messages.threads(
        await show_threads(found),
        again=asking.again(found),
        page=asking.command.page,
        now=asking.world.now(),
        shareable=asking.shareable,
    )
    return Answer(message, found.run.ref)


def in_words(command: Command, noun: Literal["runs", "results"], names: Mapping[str, str]) -> str:
    """The filter as people would say it: `open runs “nightly” · since 7d · status failed`."""
    switches = [name for name, value in command.flags if value is True]
    others = [
        f"{name.lstrip('-')} not {_said(value, names)}" if name.startswith("-") else f"{name} {_said(value, names)}"
        for name, value in command.flags
        if value is not True and name not in ("sort", "limit")
    ]
    state = [name for name in switches if name in ("open", "closed", "all", "latest")]
    if noun == "runs" and not state:
        closed = any(name.startswith("closed-") for name, _ in command.flags)
        state = ["closed" if closed else "open"]
    kinds = {"auto": "automated", "manual": "manual"}
    head = " ".join([*state, *(kinds[name] for name in switches if name in kinds), noun])
    words = f" “{' '.join(command.words)}”" if command.words and noun == "runs" else ""
    return " · ".join((head + words, *others))


def _said(value: object, names: Mapping[str, str]) -> str:
    if isinstance(value, tuple):
        return ", ".join(names.get(str(each), str(each)) for each in value)
    text = str(getattr(value, "text", value))
    return names.get(text, text)
