"""Spans of time as TestRail reads and writes them: "1m 45s"."""

from __future__ import annotations

import re

from bot.sandbox.testrail.refusals import Refusal

#: Working days and weeks, TestRail's defaults.
SECONDS = {"w": 5 * 8 * 3600, "d": 8 * 3600, "h": 3600, "m": 60, "s": 1}


def tidy_span(field: str, span: str) -> str:
    """The same span with seconds carried over ("105s" becomes "1m 45s"). Raises Refusal."""
    parts = re.findall(r"(\d+)\s*([wdhms])", span)
    if not parts or re.sub(r"\d+\s*[wdhms]|[\s,]", "", span):
        raise Refusal(400, f"Field :{field} is not in a valid time span format.")
    seconds = sum(int(number) * SECONDS[unit] for number, unit in parts)
    return show_span(seconds)


def show_span(seconds: int) -> str:
    """Seconds as TestRail shows them, in hours, minutes and seconds."""
    hours, rest = divmod(seconds, 3600)
    minutes, seconds = divmod(rest, 60)
    shown = [f"{number}{unit}" for number, unit in ((hours, "h"), (minutes, "m"), (seconds, "s")) if number]
    return " ".join(shown) or "0s"
