"""What the contract suite must know of each system's changes: a row for each verb of each kind of run.

A new system needs its `Changes` here, and is held to all of it; the suite says which verbs have no row yet.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from bot.domain.acts import Append, Change, Close, Delete, Edit, Named, Pointer, Report, Reported, Start
from bot.domain.errors import NotFoundError
from bot.domain.model import RunRef
from bot.domain.outcomes import Outcome
from bot.usecases.ports import Connection

AT = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
CI = Pointer("Build 52", "https://ci.acme.example/52", "green")
LOG = Pointer("log.txt", "https://ci.acme.example/52/log.txt")

#: Looks at a run, or at the new one of a start, as people would.
Look = Callable[[Connection, RunRef], Awaitable[object]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """One change of one kind of run: what goes out for it, and what is seen of it.

    `calls` are method, path below the API and JSON body of all that goes out, in order; `deed` is the path of the call
    that does what was asked for, where there are several. `look` sees `before` and then `after` (nothing where people
    can't see it). `near` are other runs that change with it. `once` tells that it can't be done a second time.
    """

    letter: str
    verb: str
    change: Change
    calls: tuple[tuple[str, str, Any], ...]
    deed: str = ""
    look: Look | None = None
    before: object = None
    after: object = None
    near: tuple[RunRef, ...] = ()
    once: bool = False

    @property
    def doing(self) -> tuple[str, str]:
        """Method and path of the call that does it."""
        method, path, _ = self.calls[0]
        return method, self.deed or path


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """One system: all its changes, with what the sample server and the connection need to be told for them.

    `api` is what paths are below. `harmless` matches calls that change nothing though their method might. `state` is
    everything that the server keeps and a change could touch.
    """

    api: str
    writes: Mapping[str, Write]
    state: Callable[[Any], str]
    server: Mapping[str, Any] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    harmless: str = r"^(GET|OPTIONS) "


async def is_finished(connection: Connection, ref: RunRef) -> object:
    return (await connection.run(ref)).finished


async def name_of(connection: Connection, ref: RunRef) -> object:
    return (await connection.run(ref)).name


def says(*words: str) -> Look:
    """Whether its description has all these words."""

    async def look(connection: Connection, ref: RunRef) -> object:
        description = (await connection.run(ref)).description
        return all(word in description for word in words)

    return look


async def has_link(connection: Connection, ref: RunRef) -> object:
    return (CI.name, CI.url) in (await connection.run(ref)).links


async def is_there(connection: Connection, ref: RunRef) -> object:
    try:
        await connection.run(ref)
    except NotFoundError:
        return False
    return True


def outcome_of(*tests: str) -> Look:
    async def look(connection: Connection, ref: RunRef) -> object:
        return [test.outcome for test in (await connection.tests(ref)).items if test.id in tests]

    return look


# -- Testmo ---------------------------------------------------------------------------------------------------------

A415, A415_2, R118 = RunRef("testmo", "A", 415), RunRef("testmo", "A", 415, 2), RunRef("testmo", "R", 118)
_ON_A415 = "/automation/runs/415"
_NOTE = {"name": "Note from Ana", "type": 2, "value": "slow today", "meta": {"rundown": "k1"}}


async def _thread_ends(connection: Connection, ref: RunRef) -> object:
    return [thread.finished for thread in await connection.threads(ref)]


async def _thread_tallies(connection: Connection, ref: RunRef) -> object:
    return [(thread.tally.failed, thread.finished) for thread in (await connection.threads(ref))[2:]]


TESTMO = Changes(
    api="/api/v1",
    server={"close_runs": True},
    options={"close_manual_runs": True},
    state=lambda server: repr((server.store.automation_runs, server.store.manual_runs)),
    writes={
        "close a manual run": Write(
            letter="R",
            verb="close",
            change=Close(R118),
            calls=(("PATCH", "/runs/118", {"is_closed": True}),),
            look=is_finished,
            before=False,
            after=True,
            once=True,
        ),
        "complete an automation run": Write(
            letter="A",
            verb="close",
            change=Close(A415),
            calls=(("POST", f"{_ON_A415}/complete", {"measure_elapsed": True}),),
            look=is_finished,
            before=False,
            after=True,
            once=True,
        ),
        "complete a thread": Write(
            letter="A",
            verb="close",
            change=Close(A415_2),
            calls=(("POST", "/automation/runs/threads/1616/complete", {}),),
            look=_thread_ends,
            before=[False, False],
            after=[False, True],
            once=True,
        ),
        "start": Write(
            letter="A",
            verb="start",
            change=Start(
                connection="testmo",
                letter="A",
                project=1,
                name="Smoke of build 53",
                source="build-53",
                milestone=Named("release 8.2"),
                tags=("smoke",),
                links=(CI,),
            ),
            calls=(
                (
                    "POST",
                    "/projects/1/automation/runs",
                    {
                        "name": "Smoke of build 53",
                        "source": "build-53",
                        "milestone_id": 3,
                        "tags": ["smoke"],
                        "links": [{"name": CI.name, "url": CI.url, "note": CI.note}],
                    },
                ),
            ),
            look=name_of,
            after="Smoke of build 53",
        ),
        "note": Write(
            letter="A",
            verb="note",
            change=Append(ref=A415, by="Ana", at=AT, marker="k1", note="slow today"),
            calls=(
                (
                    "POST",
                    f"{_ON_A415}/append",
                    {"fields": [_NOTE]},
                ),
            ),
        ),
        "link": Write(
            letter="A",
            verb="link",
            change=Append(ref=A415, by="Ana", at=AT, marker="k1", links=(CI,)),
            calls=(
                (
                    "POST",
                    f"{_ON_A415}/append",
                    {"links": [{"name": CI.name, "url": CI.url, "note": CI.note}]},
                ),
            ),
            look=has_link,
            before=False,
            after=True,
        ),
        "attach": Write(
            letter="A",
            verb="attach",
            change=Append(ref=A415, by="Ana", at=AT, marker="k1", artifacts=(LOG,)),
            calls=(("POST", f"{_ON_A415}/append", {"artifacts": [{"name": LOG.name, "url": LOG.url}]}),),
        ),
        "report": Write(
            letter="A",
            verb="report",
            change=Report(
                ref=A415,
                project=1,
                by="Ana",
                at=AT,
                marker="k1",
                tests=(Reported(outcome=Outcome.FAILED, name="orders keeps version 1"),),
                note="time-out",
                duration_s=2.0,
            ),
            calls=(
                (
                    "POST",
                    f"{_ON_A415}/threads",
                    {
                        "fields": [
                            {"name": "Reported by", "type": 1, "value": "Ana"},
                            {"name": "Reported with", "type": 1, "value": "Rundown k1"},
                        ]
                    },
                ),
                (
                    "POST",
                    "/automation/runs/threads/1617/append",
                    {
                        "tests": [
                            {
                                "key": "49221b4599275957b1ac171f6c5a94c718616bb9",
                                "name": "orders keeps version 1",
                                "folder": "Contracts",
                                "status": "failed",
                                "elapsed": 2_000_000,
                                "fields": [{"name": "Note", "type": 2, "value": "time-out", "is_highlight": True}],
                            }
                        ]
                    },
                ),
                ("POST", "/automation/runs/threads/1617/complete", {}),
            ),
            deed="/automation/runs/threads/1617/append",
            look=_thread_tallies,
            before=[],
            after=[(1, True)],
        ),
    },
)

# -- PractiTest -----------------------------------------------------------------------------------------------------

S55 = RunRef("practitest", "S", 55)
_RUNS = "/projects/4566/runs.json"


def _practitest_report(*tests: Reported, note: str = "") -> Report:
    return Report(ref=S55, project=4566, by="Ana", at=AT, marker="k1", tests=tests, note=note)


def _instance(number: int, exit_code: int, **more: object) -> dict[str, object]:
    return {"type": "instances", "attributes": {"instance-id": number, "exit-code": exit_code, **more}}


PRACTITEST = Changes(
    api="/api/v2",
    options={"mark_field": "45911", "mark_value": "Done"},
    state=lambda server: repr(
        (server.account.sets, server.account.instances, server.account.runs, server.account.step_runs)
    ),
    writes={
        "mark a set": Write(
            letter="S",
            verb="close",
            change=Close(S55),
            calls=(
                (
                    "PUT",
                    "/projects/4566/sets/55.json",
                    {"data": {"type": "sets", "attributes": {"custom-fields": {"---f-45911": "Done"}}}},
                ),
            ),
            once=True,
        ),
        "report": Write(
            letter="S",
            verb="report",
            change=_practitest_report(Reported(outcome=Outcome.PASSED, id=98142), note="fixed"),
            calls=(
                ("POST", _RUNS, {"data": _instance(98142, 0, **{"automated-execution-output": "fixed"})}),
            ),
            look=outcome_of("98142"),
            before=[Outcome.FAILED],
            after=[Outcome.PASSED],
        ),
        "report several": Write(
            letter="S",
            verb="report",
            change=_practitest_report(
                Reported(outcome=Outcome.PASSED, id=98143), Reported(outcome=Outcome.PASSED, id=98144)
            ),
            calls=(("POST", _RUNS, {"data": [_instance(98143, 0), _instance(98144, 0)]}),),
            look=outcome_of("98143", "98144"),
            before=[Outcome.FAILED] * 2,
            after=[Outcome.PASSED] * 2,
        ),
    },
)  # fmt: skip

# -- TestRail -------------------------------------------------------------------------------------------------------

TR118, P9 = RunRef("testrail", "R", 118), RunRef("testrail", "P", 9)
TR119 = RunRef("testrail", "R", 119)
_UPDATE = "update_run/118"
_OLD = "Last regression before **5.2**. Ask Ana before closing."
_SIGNED = "– Ana via Slack, 2026-11-20 09:30 UTC · rundown:k1"


def _added(line: str) -> tuple[tuple[str, str, Any], ...]:
    return (("POST", _UPDATE, {"milestone_id": 7, "description": f"{_OLD}\n\n{line}\n{_SIGNED}"}),)


async def _ends_of_plan(connection: Connection, ref: RunRef) -> object:
    run = await connection.run(ref)
    parts = await connection.parts(run)
    return (run.finished, {part.finished for part in parts.items}, (await connection.run(TR119)).finished)


TESTRAIL = Changes(
    api="/index.php?/api/v2/",
    harmless=r"^GET |^POST \S+delete_run/\d+&soft=1$",
    state=lambda server: repr((server.store.runs, server.store.plans)),
    writes={
        "close a run": Write(
            letter="R",
            verb="close",
            change=Close(TR118),
            calls=(("POST", "close_run/118", {}),),
            look=is_finished,
            before=False,
            after=True,
            once=True,
        ),
        "close a plan": Write(
            letter="P",
            verb="close",
            change=Close(P9),
            calls=(("POST", "close_plan/9", {}),),
            look=_ends_of_plan,
            before=(False, {False}, False),
            after=(True, {True}, True),
            near=(TR119,),
            once=True,
        ),
        "start": Write(
            letter="R",
            verb="start",
            change=Start(
                connection="testrail",
                letter="R",
                project=1,
                name="Smoke 5.3",
                suite=Named("smoke"),
                milestone=Named("5.3"),
                refs="REL-53",
            ),
            calls=(
                ("POST", "add_run/1", {"name": "Smoke 5.3", "suite_id": 1, "milestone_id": 8, "refs": "REL-53"}),
            ),
            look=name_of,
            after="Smoke 5.3",
        ),
        "edit": Write(
            letter="R",
            verb="edit",
            change=Edit(ref=TR118, project=1, name="Regression of 5.2"),
            calls=(("POST", _UPDATE, {"milestone_id": 7, "name": "Regression of 5.2"}),),
            look=name_of,
            before="Release 5.2 regression",
            after="Regression of 5.2",
        ),
        "note": Write(
            letter="R",
            verb="note",
            change=Append(ref=TR118, by="Ana", at=AT, marker="k1", note="slow today"),
            calls=_added("slow today"),
            look=says(_OLD[:20], "slow today"),
            before=False,
            after=True,
        ),
        "link": Write(
            letter="R",
            verb="link",
            change=Append(ref=TR118, by="Ana", at=AT, marker="k1", links=(CI,)),
            calls=_added(f"[{CI.name}]({CI.url}) – green"),
            look=says(_OLD[:20], CI.name),
            before=False,
            after=True,
        ),
        "attach": Write(
            letter="R",
            verb="attach",
            change=Append(ref=TR118, by="Ana", at=AT, marker="k1", artifacts=(LOG,)),
            calls=_added(f"[{LOG.name}]({LOG.url})"),
            look=says(_OLD[:20], LOG.name),
            before=False,
            after=True,
        ),
        "delete": Write(
            letter="R",
            verb="delete",
            change=Delete(TR118),
            calls=(("POST", "delete_run/118", {}),),
            look=is_there,
            before=True,
            after=False,
            once=True,
        ),
    },
)  # fmt: skip

CHANGES: Mapping[str, Changes] = {"testmo": TESTMO, "testrail": TESTRAIL, "practitest": PRACTITEST}
