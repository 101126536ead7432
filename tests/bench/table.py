"""What came out: a table for people, a file for programs."""

from __future__ import annotations

import json
import os
import platform
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.bench.figures import Row

_COLOURS = {"kept": "green", "missed": "bold red", "unclear": "yellow"}
_YARDSTICKS = ("slack-bolt", "slack-sdk", "aiohttp", "httpx", "msgspec", "jinja2")


def show(rows: Sequence[Row]) -> None:
    """The table, on the standard output; as wide as it needs to be where that is no terminal."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("case", "what"):
        table.add_column(name, no_wrap=True)
    for name in ("ours", "yardstick", "ratio", "IQR", "bar"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    table.add_column("", overflow="fold")
    case = ""
    for row in rows:
        colour = _COLOURS.get(row.verdict.split(" ")[0], "default")
        table.add_row(
            row.case if row.case != case else "", row.what, _number(row.ours, row.unit),
            _number(row.yardstick, row.unit), "" if row.exactly else f"{row.ratio:.3g}x",
            "" if row.exactly else f"{row.low:.3g}-{row.high:.3g} ({row.spread:.0%})", _bar(row),
            f"[{colour}]{row.verdict}[/]", row.note,
        )  # fmt: skip
        case = row.case
    Console(width=None if sys.stdout.isatty() else 190, highlight=False).print(table)


def _bar(row: Row) -> str:
    if row.exactly:
        return "equal"
    return "" if row.bar is None else f"{row.bar:g}x"


def _number(value: float, unit: str) -> str:
    text = f"{value:,.0f}" if value == int(value) or value >= 1_000 else f"{value:.3g}"
    return f"{text} {unit}".rstrip()


def save(rows: Sequence[Row], path: Path, *, quick: bool) -> None:
    """All figures, with what they were measured on."""
    content = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "quick": quick,
        "python": platform.python_version(),
        "machine": platform.machine(),
        "cores": os.cpu_count(),
        "versions": {name: version(name) for name in _YARDSTICKS},
        "rows": [
            {
                "case": row.case, "what": row.what, "ours": row.ours, "yardstick": row.yardstick, "unit": row.unit,
                "ratio": row.ratio, "quartiles": [row.low, row.high], "spread": row.spread, "bar": row.bar,
                "exactly": row.exactly, "verdict": row.verdict, "note": row.note,
            }
            for row in rows
        ],
    }  # fmt: skip
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
