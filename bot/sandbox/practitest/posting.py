"""POST runs.json: the vendor's rules for new runs, checked before anything is added."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from bot.sandbox.practitest import bodies
from bot.sandbox.practitest.account import Account, NewRun
from bot.sandbox.practitest.asking import RefusalError
from bot.sandbox.practitest.records import Step
from bot.sandbox.practitest.statuses import FAILED, NO_RUN, PASSED, STEP_STATUSES, roll_up

MOST_RUNS = 20
OUTPUT_LIMIT = 255
NAME_LIMIT = 255
RUN_TYPES = ("AutomatedRun", "ManualRun")

#: `type` is "instances" on the vendor's page, "runs" in its Ruby example, absent in its importer.
ACCEPTED_TYPES = (None, "instances", "runs")


def read_runs(data: object, account: Account, project_id: int, caller: int | None) -> list[NewRun]:
    """One run (an object) or 1 to 20 (an array). `caller` is the user of a personal token, else None.

    Raises RefusalError (422) for the first thing that is wrong; then none of them is to be added.
    """
    items = data if isinstance(data, list) else [data]
    if len(items) > MOST_RUNS:
        raise RefusalError(422, f"data: at most {MOST_RUNS} instances can be updated in one request")
    return [_read_run(bodies.mapping(item, "data"), account, project_id, caller) for item in items]


def _read_run(item: dict[str, Any], account: Account, project_id: int, caller: int | None) -> NewRun:
    if item.get("type") not in ACCEPTED_TYPES:
        raise RefusalError(422, "data/type must be instances")
    given = bodies.mapping(item.get("attributes"), "data/attributes")
    steps, files = _read_steps(item)
    run_type = given.get("run-type") or "AutomatedRun"
    if run_type not in RUN_TYPES:
        raise RefusalError(422, "run-type must be AutomatedRun or ManualRun")
    manual = run_type == "ManualRun"
    output = bodies.text(given.get("automated-execution-output"), "automated-execution-output", OUTPUT_LIMIT)
    ran_at = bodies.date_and_time(given.get("run-date"), "run-date")
    if manual and output is not None:
        raise RefusalError(422, "automated-execution-output is for AutomatedRun only")
    if not manual:
        _refuse_manual_only(given)
    return NewRun(
        _instance(given, account, project_id),
        _status(given, steps),
        run_type,
        tester_id=_tester(given, account, caller) if manual else caller,
        ran_at=ran_at,
        duration_s=bodies.duration_s(given.get("run-duration")),
        output=output,
        version=bodies.text(given.get("version"), "version"),
        custom_fields=bodies.custom_fields(given.get("custom-fields"), account, project_id),
        steps=steps,
        files=[*_read_files(item, None), *files],
    )


def _instance(given: dict[str, Any], account: Account, project_id: int) -> int:
    wanted = bodies.number(given.get("instance-id"), "instance-id")
    if wanted is None:
        raise RefusalError(422, "instance-id is missing")
    found = account.instances.get(wanted)
    if found is None or found.project_id != project_id:
        raise RefusalError(422, f"instance-id {wanted} is not an instance of this project")
    return wanted


def _refuse_manual_only(given: dict[str, Any]) -> None:
    """What the vendor's table marks "ManualRun only"."""
    for name in ("run-date", "tester-id"):
        if given.get(name) not in (None, ""):
            raise RefusalError(422, f"{name} is for ManualRun only")


def _tester(given: dict[str, Any], account: Account, caller: int | None) -> int:
    wanted = bodies.number(given.get("tester-id"), "tester-id")
    tester = caller if wanted is None else wanted
    if tester is None:
        raise RefusalError(422, "tester-id is required for ManualRun")
    if tester not in account.users:
        raise RefusalError(422, f"tester-id {tester} is not a user of this account")
    return tester


def _status(given: dict[str, Any], steps: list[Step]) -> str:
    """By the steps when there are any; else by the exit code: "0 for passed, otherwise failed", a missing one too."""
    code = bodies.number(given.get("exit-code"), "exit-code")
    if steps:
        return roll_up(step.status for step in steps)
    return PASSED if code == 0 else FAILED


def _read_steps(item: dict[str, Any]) -> tuple[list[Step], list[tuple[int | None, str, bytes]]]:
    rows = _array(item, "steps")
    steps = [_read_step(row) for row in rows]
    return steps, [file for position, row in enumerate(rows, 1) for file in _read_files(row, position)]


def _read_step(row: dict[str, Any]) -> Step:
    name = bodies.text(row.get("name"), "step name", NAME_LIMIT)
    status = row.get("status") or NO_RUN
    if not name:
        raise RefusalError(422, "step name is missing")
    if status not in STEP_STATUSES:
        raise RefusalError(422, "step status must be one of " + ", ".join(STEP_STATUSES))
    return Step(
        name,
        status,
        bodies.text(row.get("description"), "step description"),
        bodies.text(row.get("expected-results"), "expected-results"),
        bodies.text(row.get("actual-results"), "actual-results"),
    )


def _read_files(holder: dict[str, Any], step: int | None) -> list[tuple[int | None, str, bytes]]:
    return [(step, *_read_file(row)) for row in _array(holder, "files")]


def _read_file(row: dict[str, Any]) -> tuple[str, bytes]:
    """Name and content; the BASE64 may be broken into lines, as Ruby's and the shell's are."""
    name, packed = row.get("filename"), row.get("content_encoded")
    if not isinstance(name, str) or not name:
        raise RefusalError(422, "files: filename is missing")
    if not isinstance(packed, str):
        raise RefusalError(422, f"files: content_encoded of {name} is missing")
    try:
        return name, base64.b64decode("".join(packed.split()), validate=True)
    except (binascii.Error, ValueError):
        raise RefusalError(422, f"files: content_encoded of {name} is not BASE64") from None


def _array(holder: dict[str, Any], what: str) -> list[dict[str, Any]]:
    """The objects of `{"steps": {"data": […]}}`; none when it is absent."""
    rows = bodies.mapping(holder.get(what), what).get("data") or []
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise RefusalError(422, f"{what}/data must be an array of objects")
    return rows
