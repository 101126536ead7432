"""`python -m tests.bench [--quick] [case …] [--json FILE]`: Rundown against yardsticks of the same minute.

Ratios count, never milliseconds: ours and the yardstick take turns, and the median of the pairs is judged.
Exit code 1 when a ratio misses its bar.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from types import ModuleType

from tests.bench import table
from tests.bench.figures import Row, exact
from tests.bench.plan import Measure, Plan
from tests.bench.programs import LOAD, ProgramEnded, pin

#: Case → its module, in the order they run.
CASES: Mapping[str, str] = {
    name: f"tests.bench.{name}" for name in ("ack", "verbs", "fetch", "render", "start", "socket", "digests", "scan")
} | {"socket": "tests.bench.sockets"}


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=(__doc__ or "").partition("\n\n")[2])
    parser.add_argument("cases", nargs="*", metavar="case", help=f"of {', '.join(CASES)}; all when none is named")
    parser.add_argument("--quick", action="store_true", help="a look of less than a minute")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures to this file too")
    told = parser.parse_args(arguments)
    unknown = [name for name in told.cases if name not in CASES]
    if unknown:
        parser.error(f"no case {', '.join(unknown)}; there are {', '.join(CASES)}")
    pin(0, LOAD)
    rows = asyncio.run(_all(told.cases or list(CASES), Plan(told.quick)))
    table.show(rows)
    if told.json is not None:
        table.save(rows, told.json, quick=told.quick)
    return any(row.verdict == "missed" for row in rows)


async def _all(names: Sequence[str], plan: Plan) -> list[Row]:
    rows: list[Row] = []
    for name in names:
        sys.stderr.write(f"{name} …\n")
        try:
            rows += await _measured(import_module(CASES[name]), plan)
        except (ProgramEnded, TimeoutError, OSError) as error:
            sys.stderr.write(f"{name} could not be measured: {type(error).__name__}: {error}\n")
            rows.append(exact(name, "could be measured", 0, 1))
    return rows


async def _measured(case: ModuleType, plan: Plan) -> list[Row]:
    """What is judged, once more if it was too restless the first time; then what is only told."""
    judge: Measure | None = getattr(case, "measure", None)
    inform: Measure | None = getattr(case, "inform", None)
    rows: list[Row] = []
    if judge is not None:
        begun = time.monotonic()
        rows = await judge(plan)
        if any(row.wide for row in rows) and plan.has_time_for(time.monotonic() - begun):
            rows = await judge(plan)
    return rows if inform is None else rows + await inform(plan)


if __name__ == "__main__":
    sys.exit(main())
