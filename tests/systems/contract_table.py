"""What the contract suite must know of each system: a row here is all that a new system needs to be held to it."""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from bot.domain.queries import RunQuery, Who
from bot.sandbox.practitest import PractiTest, mischief
from bot.sandbox.testmo import Testmo, paging
from bot.sandbox.testrail import TestRail
from bot.sandbox.testrail import paging as offsets

Options = Mapping[str, str | int | bool | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the sample server holds of one kind of runs.

    `runs` are numbers of runs in the usual project, the first one with a past; `truth` counts the tests of a run by
    the word people use, `tests` and `results` how many of them have a name and how many results there are.
    `queries` hold, for each filter, questions that leave something and take something away.
    """

    runs: tuple[int, ...]
    truth: Callable[[Any, int], Counter[str]]
    tests: Callable[[Any, int], int]
    results: Callable[[Any, int], int]
    finished: Callable[[Any, int], bool]
    name: Callable[[Any, int], str]
    queries: Mapping[str, tuple[RunQuery, ...]]
    hostile: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One system: its sample server, and the levers that all of them have in some form.

    `quiet` is a project with next to nothing in it, `many` fills it with runs of the letter `many_letter`, which come
    `page` to a page; at most `most_rows` of them are read for one question. `runs_call` matches requests for the list
    of these runs, `insert` and `remove` change it, `ids` tells what is in it.
    """

    start: Callable[..., Any]
    options: Callable[[Any], Options]
    secrets: tuple[str, ...]
    project: int
    kinds: Mapping[str, Known]
    quiet: int
    many_letter: str
    many: Callable[[Any, int], object]
    page: int
    runs_call: str
    on_page: Callable[[Any, Callable[[], object] | None], None]
    insert: Callable[[Any], object]
    remove: Callable[[Any, int], object]
    ids: Callable[[Any], list[int]]
    endless: Sequence[Callable[[Any], object]]
    strangers: Sequence[Callable[[Any], object]]
    page_of_strangers: str
    most_rows: int | None = None


def _basic(user: str, secret: str) -> str:
    return base64.b64encode(f"{user}:{secret}".encode()).decode()


def words(**queries: Any) -> tuple[RunQuery, ...]:
    """One question for each value; all of them look at open and closed runs."""
    return tuple(RunQuery(state="all", **{name: value}) for name, values in queries.items() for value in values)


STATES = (RunQuery(state="open"), RunQuery(state="closed"))

# -- Testmo ---------------------------------------------------------------------------------------------------------

_TESTMO_WORDS = {1: "untested", 2: "passed", 3: "failed", 4: "retest", 5: "blocked", 6: "skipped", 7: "Known issue"}


def _testmo_runs(server: Any) -> list[int]:
    return [run.id for run in server.store.automation_runs.values() if run.project_id == 3]


def _testmo_on_page(server: Any, change: Callable[[], object] | None) -> None:
    server.shift_pages = None if change is None else lambda _page: change()


def _testmo_lie(lie: paging.Lie) -> Callable[[Any], object]:
    return lambda server: server.lies.append(lie)


_TESTMO_SHARED: Mapping[str, tuple[RunQuery, ...]] = {
    "words": words(words=[("8.",), ("smoke",)]),
    "state": STATES,
    "status": words(status=[("failed",)]),
    "tag": words(tag=[("smoke",), ("risk", "full")]),
    "without_tag": words(without_tag=[("release",), ("smoke", "risk")]),
    "milestone": words(milestone=[("Release 8.1",), ("release 8.2", "Release 8.1")]),
    "config": words(config=[("Firefox",), ("chrome",)]),
    "by": words(by=[(Who("Ana Kovač"),), (Who("5"), Who("tom@acme.example"))]),
}

TESTMO = Sample(
    start=Testmo,
    options=lambda server: {"url": server.url, "token": server.token, "project": 1},
    secrets=("testmo-demo-token",),
    project=1,
    kinds={
        "R": Known(
            runs=(118, 112, 105, 121),
            truth=lambda server, number: Counter(
                _TESTMO_WORDS[status] for status in server.store.manual_runs[number].status_ids()
            ),
            tests=lambda server, number: len(server.store.manual_runs[number].latest()),
            results=lambda server, number: sum(
                result.deleted_at is None for result in server.store.manual_runs[number].results
            ),
            finished=lambda server, number: server.store.manual_runs[number].closed_at is not None,
            name=lambda server, number: str(server.store.manual_runs[number].name),
            hostile=(119,),
            queries={
                **_TESTMO_SHARED,
                "workflow": words(workflow=[("In progress",), ("ready to ship",)]),
                "refs": words(refs=["SHOP-1290"]),
            },
        ),
        "A": Known(
            runs=(412, 413, 415, 404),
            truth=lambda server, number: Counter(
                _TESTMO_WORDS[test.status_id] for test in server.store.automation_runs[number].tests()
            ),
            tests=lambda server, number: len({test.key for test in server.store.automation_runs[number].tests()}),
            results=lambda server, number: len(list(server.store.automation_runs[number].tests())),
            finished=lambda server, number: server.store.automation_runs[number].completed_at is not None,
            name=lambda server, number: str(server.store.automation_runs[number].name),
            hostile=(413,),
            queries={
                **_TESTMO_SHARED,
                "words": words(words=[("web",), ("contract", "25")]),
                "tag": words(tag=[("nightly",), ("web", "smoke")]),
                "without_tag": words(without_tag=[("nightly",), ("web", "smoke")]),
                "milestone": words(milestone=[("Release 8.2",)]),
                "config": words(config=[("Chrome",)]),
                "by": words(by=[(Who("7"),)]),
                "source": words(source=[("nightly-web",), ("API-contract",)]),
            },
        ),
    },
    quiet=3,
    many_letter="A",
    many=lambda server, number: server.add_runs(3, number),
    page=100,
    runs_call=r"GET /api/v1/projects/3/automation/runs\?",
    on_page=_testmo_on_page,
    insert=lambda server: server.start_run(3, "synthetic", "One more"),
    remove=lambda server, number: server.remove_run(number),
    ids=_testmo_runs,
    endless=[_testmo_lie(paging.endless), _testmo_lie(paging.huge_last_page), _testmo_lie(paging.same_page_again)],
    strangers=[_testmo_lie(paging.foreign_row)],
    page_of_strangers="Of another project",
)

# -- TestRail -------------------------------------------------------------------------------------------------------

_TESTRAIL_PLAIN = {1: "passed", 2: "blocked", 3: "untested", 4: "retest", 5: "failed"}


def _testrail_tests(server: Any, letter: str, number: int) -> list[Any]:
    if letter == "R":
        return list(server.tests(number))
    return [test for run in server.store.runs_of(server.plan(number)) for test in server.store.tests_of(run)]


def _testrail_truth(letter: str) -> Callable[[Any, int], Counter[str]]:
    def truth(server: Any, number: int) -> Counter[str]:
        labels = {status.id: status.label for status in server.store.statuses.values()}
        found = _testrail_tests(server, letter, number)
        return Counter(_TESTRAIL_PLAIN.get(test.status_id) or labels[test.status_id] for test in found)

    return truth


def _testrail_on_page(server: Any, change: Callable[[], object] | None) -> None:
    server.shift_pages = change


def _testrail_trick(endpoint: str, trick: offsets.Trick) -> Callable[[Any], object]:
    return lambda server: server.tricks.update({endpoint: trick})


def _testrail_stranger(server: Any) -> None:
    row = {**server.row(118), "id": 990_001, "project_id": 1, "name": "Of another project"}
    server.tricks["get_runs"] = offsets.with_row(row)


_TESTRAIL_SHARED: Mapping[str, tuple[RunQuery, ...]] = {
    "state": STATES,
    "status": words(status=[("failed",)]),
    "milestone": words(milestone=[("5.1",), ("5.1", "5.3")]),
    "by": words(by=[(Who("Rundown"),), (Who("ana@acme.example"),)]),
}

TESTRAIL = Sample(
    start=TestRail,
    options=lambda server: {
        "url": server.web_url,
        "user": "bot@acme.example",
        "key": "testrail-demo-key",
        "project": 1,
    },
    secrets=("testrail-demo-key", _basic("bot@acme.example", "testrail-demo-key")),
    project=1,
    kinds={
        "R": Known(
            runs=(118, 117, 124, 119, 60),
            truth=_testrail_truth("R"),
            tests=lambda server, number: len(server.tests(number)),
            results=lambda server, number: sum(len(test.results) for test in server.tests(number)),
            finished=lambda server, number: server.run(number).completed_on is not None,
            name=lambda server, number: str(server.run(number).name),
            hostile=(126,),
            queries={
                **_TESTRAIL_SHARED,
                "words": words(words=[("smoke",), ("build", "52")]),
                "config": words(config=[("Firefox",), ("Safari, macOS 26",)]),
                "suite": words(suite=[("Smoke",), ("accessibility", "Full catalogue")]),
                "refs": words(refs=["GIFT-7"]),
            },
        ),
        "P": Known(
            runs=(9, 70, 80),
            truth=_testrail_truth("P"),
            tests=lambda server, number: len(_testrail_tests(server, "P", number)),
            results=lambda server, number: sum(len(test.results) for test in _testrail_tests(server, "P", number)),
            finished=lambda server, number: server.plan(number).completed_on is not None,
            name=lambda server, number: str(server.plan(number).name),
            queries={
                **_TESTRAIL_SHARED,
                "milestone": words(milestone=[("5.1",), ("5.2",)]),
                "words": words(words=[("acceptance",), ("SYSTEM",)]),
                "status": words(status=[("blocked",), ("retest",)]),
            },
        ),
    },
    quiet=3,
    many_letter="R",
    many=lambda server, number: server.add_runs(3, number),
    page=250,
    runs_call=r"get_runs/3",
    on_page=_testrail_on_page,
    insert=lambda server: server.add_runs(3, 1),
    remove=lambda server, number: server.remove_run(number),
    ids=lambda server: [run.id for run in server.store.runs.values() if run.project_id == 3 and run.plan_id is None],
    endless=[_testrail_trick("get_runs", offsets.endless_next), _testrail_trick("get_runs", offsets.same_page_again)],
    strangers=[_testrail_stranger],
    page_of_strangers="Of another project",
)

# -- PractiTest -----------------------------------------------------------------------------------------------------

_PRACTITEST_WORDS = {
    "PASSED": "passed",
    "FAILED": "failed",
    "BLOCKED": "blocked",
    "NO RUN": "untested",
    "N/A": "skipped",
    "NOT COMPLETED": "running",
}


def _practitest_truth(server: Any, number: int) -> Counter[str]:
    return Counter(_PRACTITEST_WORDS[each.run_status] for each in server.account.instances_of(number))


def _practitest_finished(server: Any, number: int) -> bool:
    held = _practitest_truth(server, number)
    return bool(held) and not held["untested"] and not held["running"]


def _practitest_many(server: Any, number: int) -> None:
    server.add_sets(4568, number)


def _practitest_on_page(server: Any, change: Callable[[], object] | None) -> None:
    def turn(resource: str, _page: int) -> None:
        if change is not None and resource == "sets":
            change()

    server.shift_pages = turn


def _practitest_twist(twist: Any) -> Callable[[Any], object]:
    return lambda server: server.twists.update({"sets": twist})


def _practitest_stranger(server: Any) -> None:
    at = server.clock.now() - timedelta(days=900)
    stranger = server.account.add_set(4567, "Of another project", at)
    server.account.sets = {stranger.id: stranger, **server.account.sets}
    server.twists["sets"] = mischief.foreign_row


PRACTITEST = Sample(
    start=PractiTest,
    options=lambda server: {
        "url": f"{server.url}/api/v2",
        "token": server.token,
        "project": 4566,
        "web_url": "https://prod.practitest.com",
    },
    secrets=("practitest-demo-token", _basic("rundown", "practitest-demo-token")),
    project=4566,
    kinds={
        "S": Known(
            runs=(57, 54, 55, 52, 38),
            truth=_practitest_truth,
            tests=lambda server, number: len(server.account.instances_of(number)),
            results=lambda server, number: sum(run.set_id == number for run in server.account.runs.values()),
            finished=_practitest_finished,
            name=lambda server, number: str(server.account.sets[number].name),
            hostile=(58,),
            queries={
                "words": words(words=[("uat",), ("NIGHTLY", "11-1")]),
                "state": STATES,
                "status": words(status=[("failed",)]),
                "milestone": words(milestone=[("Release 4.1",), ("release 4.2", "Release 4.1")]),
                "by": words(by=[(Who("Tom Becker"),)]),
                "set_filter": words(set_filter=["323"]),
                "set_filter_user": (
                    RunQuery(state="all", set_filter="324", set_filter_user=Who("Tom Becker")),
                    RunQuery(state="all", set_filter="324", set_filter_user=Who("tom@acme.example")),
                ),
            },
        ),
    },
    quiet=4568,
    many_letter="S",
    many=_practitest_many,
    page=100,
    runs_call=r"GET /api/v2/projects/4568/sets\.json\?",
    on_page=_practitest_on_page,
    insert=lambda server: server.add_sets(4568, 1),
    remove=lambda server, number: server.remove_set(number),
    ids=lambda server: [each.id for each in server.account.sets.values() if each.project_id == 4568],
    endless=[
        _practitest_twist(mischief.endless),
        _practitest_twist(mischief.huge_total_pages),
        _practitest_twist(mischief.same_page_again),
        _practitest_twist(mischief.stuck),
    ],
    strangers=[_practitest_stranger],
    page_of_strangers="Of another project",
    most_rows=400,
)

SAMPLES: Mapping[str, Sample] = {"testmo": TESTMO, "testrail": TESTRAIL, "practitest": PRACTITEST}
