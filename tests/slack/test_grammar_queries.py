"""From a command to what the systems are asked: every filter of the vendors' pages can be reached."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.domain.queries import ResultQuery, RunQuery, Who
from bot.slack.grammar import Grammar
from bot.slack.grammar_queries import automated, people, result_query, run_query

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
WEEK_AGO = datetime(2026, 11, 13, 9, 30, tzinfo=UTC)
ANA = Who("Ana Lima", "ana@x.io")
KNOWN = {"<@U1>": ANA, "me": Who("Me", "me@x.io")}
GRAMMAR = Grammar()

RUN_CASES: list[tuple[str, dict[str, Any]]] = [
    ("", {}),
    ("nightly web", {"words": ("nightly", "web")}),
    ("--open", {"state": "open"}),
    ("--closed", {"state": "closed"}),
    ("--all", {"state": "all"}),
    ("--since 7d", {"since": WEEK_AGO}),
    ("--until 7d", {"until": WEEK_AGO}),
    ("--older-than 7d", {"until": WEEK_AGO}),
    ("--older-than 7d --until today", {"until": WEEK_AGO}),
    ("--closed-since 7d", {"closed_since": WEEK_AGO, "state": "closed"}),
    ("--closed-until 7d --all", {"closed_until": WEEK_AGO, "state": "all"}),
    ("--closed-until 7d --open", {"closed_until": WEEK_AGO, "state": "open"}),
    ("--status failed,3", {"status": ("failed", "3")}),
    ("--milestone 7,8", {"milestone": ("7", "8")}),
    ("--config 2,Firefox", {"config": ("2", "Firefox")}),
    ("--source nightly", {"source": ("nightly",)}),
    ("--suite 4", {"suite": ("4",)}),
    ("--state 3", {"workflow": ("3",)}),
    ("--refs SAN-1", {"refs": "SAN-1"}),
    ("--tag a,b -tag:c", {"tag": ("a", "b"), "without_tag": ("c",)}),
    ("--by <@U1|ana>,7,tom@x.io", {"by": (ANA, Who("7"), Who("tom@x.io", "tom@x.io"))}),
    ("--set-filter 12 --set-filter-user me", {"set_filter": "12", "set_filter_user": KNOWN["me"]}),
    ("--limit 5", {}),
    ("--limit 5 --sort newest", {"at_most": 5}),
    ("--in testmo --project 4 --sort risk --auto", {}),
]

RESULT_CASES: list[tuple[str, dict[str, Any]]] = [
    ("", {}),
    ("--status failed,7", {"status": ("failed", "7")}),
    ("--latest", {"latest": True}),
    ("--all", {"latest": False}),
    ("--since 7d --until 7d", {"since": WEEK_AGO, "until": WEEK_AGO}),
    ("--by me", {"by": (KNOWN["me"],)}),
    ("--owner <@U1>", {"owner": (ANA,)}),
    ("--owner none,Tom", {"owner": (Who("Tom"),), "unassigned": True}),
    ("--defects BUG-1", {"defects": "BUG-1"}),
    ("--test 80895,login", {"test": ("80895", "login")}),
    ("--instance 98142", {"instance": ("98142",)}),
    ("--auto", {"automated": True}),
    ("--manual", {"automated": False}),
    ("--sort oldest --limit 9", {"oldest_first": True, "at_most": 9}),
]


@pytest.mark.parametrize(("flags", "asked"), RUN_CASES)
def test_a_list_asks_for_runs(flags: str, asked: dict[str, Any]) -> None:
    command = GRAMMAR.parse(f"list {flags}", now=NOW)
    assert run_query(command, people=KNOWN, project=4) == RunQuery(project=4, **asked)


@pytest.mark.parametrize(("flags", "asked"), RESULT_CASES)
def test_results_are_asked_for(flags: str, asked: dict[str, Any]) -> None:
    command = GRAMMAR.parse(f"results R118 {flags}", now=NOW)
    assert result_query(command, people=KNOWN) == ResultQuery(**asked)


def test_every_field_of_a_query_can_be_reached() -> None:
    reached = {name for _, asked in RUN_CASES for name in asked}
    assert reached == {field.name for field in fields(RunQuery)} - {"project"}
    reached = {name for _, asked in RESULT_CASES for name in asked}
    assert reached == {field.name for field in fields(ResultQuery)}


def test_the_people_to_be_looked_up_are_told_once() -> None:
    command = GRAMMAR.parse("list --by me,<@U1|ana>,7 --set-filter-user me", now=NOW)
    assert people(command) == ("me", "<@U1>", "7")
    assert people(GRAMMAR.parse("failures R1 --owner none", now=NOW)) == ()


def test_a_mention_nobody_looked_up_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(KeyError):
        run_query(GRAMMAR.parse("list --by me", now=NOW), people={})


@pytest.mark.parametrize(("flag", "answer"), [("--auto", True), ("--manual", False), ("", None)])
def test_automated_or_manual_is_told_beside_the_query(flag: str, answer: bool | None) -> None:
    assert automated(GRAMMAR.parse(f"list {flag}", now=NOW)) is answer
