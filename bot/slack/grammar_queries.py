"""From a command to what the systems are asked. People come in looked up; `in` and `project` are for the caller."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from bot.domain.queries import ResultQuery, RunQuery, Who
from bot.slack.grammar_command import Command

_PEOPLE_FLAGS = ("by", "owner", "assign", "set-filter-user")


def people(command: Command) -> tuple[str, ...]:
    """The people named in a command, as typed: `me`, `<@U123>`, email addresses, numbers, names. Without `none`."""
    typed = [text for flag in _PEOPLE_FLAGS for text in (*command.several(flag), command.word(flag))]
    return tuple(dict.fromkeys(text for text in typed if text not in ("", "none")))


def run_query(command: Command, *, people: Mapping[str, Who], project: int | None = None) -> RunQuery:
    """The runs a `list` asks for. `people` tells who `me` and mentions are (KeyError if not); others need not be in it.

    `--auto` and `--manual` choose kinds and `--sort` an order: they are no part of a query. `at_most` is only set
    where the newest rows are wanted, since any other order needs all of them.
    """
    limited = command.word("sort") == "newest"
    filter_user = command.word("set-filter-user")
    return RunQuery(
        project=project,
        words=command.words,
        state=_state(command),
        since=command.when("since"),
        until=min(filter(None, (command.when("until"), command.when("older-than"))), default=None),
        closed_since=command.when("closed-since"),
        closed_until=command.when("closed-until"),
        status=command.several("status"),
        milestone=command.several("milestone"),
        config=command.several("config"),
        source=command.several("source"),
        suite=command.several("suite"),
        workflow=command.several("state"),
        refs=command.word("refs"),
        tag=command.several("tag"),
        without_tag=command.several("-tag"),
        by=_who(command.several("by"), people),
        set_filter=command.word("set-filter"),
        set_filter_user=_one(filter_user, people) if filter_user else None,
        at_most=command.number("limit") if limited else None,
    )


def result_query(command: Command, *, people: Mapping[str, Who]) -> ResultQuery:
    """The results a `results` asks for. `people` as for `run_query`."""
    owners = command.several("owner")
    return ResultQuery(
        status=command.several("status"),
        latest=command.on("latest"),
        since=command.when("since"),
        until=command.when("until"),
        by=_who(command.several("by"), people),
        owner=_who(tuple(owner for owner in owners if owner != "none"), people),
        unassigned="none" in owners,
        defects=command.word("defects"),
        test=command.several("test"),
        instance=command.several("instance"),
        automated=automated(command),
        oldest_first=command.word("sort") == "oldest",
        at_most=command.number("limit"),
    )


def automated(command: Command) -> bool | None:
    """True for `--auto`, False for `--manual`, None if neither was asked for."""
    return True if command.on("auto") else False if command.on("manual") else None


def _state(command: Command) -> Literal["open", "closed", "all"]:
    """Open runs unless told otherwise; who asks when runs were closed means closed ones."""
    if command.on("all"):
        return "all"
    asks_closed = command.when("closed-since") or command.when("closed-until")
    return "closed" if command.on("closed") or (asks_closed and not command.on("open")) else "open"


def _who(typed: tuple[str, ...], people: Mapping[str, Who]) -> tuple[Who, ...]:
    return tuple(_one(text, people) for text in typed)


def _one(text: str, people: Mapping[str, Who]) -> Who:
    if text == "me" or text.startswith("<@"):
        return people[text]
    return people.get(text) or Who(text, email=text if "@" in text else "")
