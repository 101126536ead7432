"""The small language the Block Kit tables are written in: a rule looks at one value and notes what is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.sandbox.slack.records import Json


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a payload: where (JSON pointer), which kind, in Slack's words."""

    pointer: str
    code: str
    message: str
    constraint: Json = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.message} [json-pointer:{self.pointer}]"


class Report:
    """The problems found so far."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def note(self, at: str, code: str, message: str, **constraint: Any) -> None:
        self.problems.append(Problem(at, code, message, constraint))


#: (value, its JSON pointer, where to note problems)
Rule = Callable[[Any, str, Report], None]


@dataclass(frozen=True, slots=True)
class Shape:
    """An object: keys that must be there, keys that may be, checks across keys (they run when the keys are sound)."""

    required: Mapping[str, Rule] = field(default_factory=dict)
    optional: Mapping[str, Rule] = field(default_factory=dict)
    across: tuple[Rule, ...] = ()

    def check(self, value: Any, at: str, report: Report, *, fixed: Iterable[str] = ()) -> None:
        """Judge one object; `fixed` are keys that somebody else has judged already (its `type`)."""
        if not isinstance(value, dict):
            report.note(at, "invalid_type", "must be an object")
            return
        before = len(report.problems)
        for key in self.required:
            if value.get(key) is None:
                report.note(at, "missing_field", f"missing required field: {key}", field=key)
        known = {**self.required, **self.optional}
        for key, inner in value.items():
            if key in fixed:
                continue
            if key not in known:
                report.note(at, "unknown_field", f"invalid additional property: {key}", field=key)
            elif inner is not None:
                known[key](inner, f"{at}/{key}", report)
        if len(report.problems) == before:
            for rule in self.across:
                rule(value, at, report)

    def __call__(self, value: Any, at: str, report: Report) -> None:
        self.check(value, at, report)


@dataclass(slots=True)
class Family:
    """Objects told apart by their `type`; `members` is filled in after the tables that refer to it."""

    members: dict[str, Shape] = field(default_factory=dict)

    def only(self, *types: str) -> Rule:
        """The rule: one of these types, and sound."""

        def rule(value: Any, at: str, report: Report) -> None:
            if not isinstance(value, dict):
                report.note(at, "invalid_type", "must be an object")
                return
            kind = value.get("type")
            if kind is None:
                report.note(at, "missing_field", "missing required field: type", field="type")
            elif not isinstance(kind, str) or kind not in types:
                report.note(
                    f"{at}/type", "unsupported_type", f"unsupported type: {kind}", expected=sorted(types), got=kind
                )
            else:
                self.members[kind].check(value, at, report, fixed=("type",))

        return rule


def string(
    most: int | None = None, least: int = 0, *, pattern: str | None = None, says: str = "invalid format"
) -> Rule:
    """A string of `least` to `most` code points that matches the pattern."""

    def rule(value: Any, at: str, report: Report) -> None:
        if not isinstance(value, str):
            report.note(at, "invalid_type", "must be a string")
        elif len(value) < least:
            report.note(at, "too_short", f"must be more than {least - 1} characters", min=least, got=len(value))
        elif most is not None and len(value) > most:
            report.note(at, "too_long", f"must be less than {most + 1} characters", max=most, got=len(value))
        elif pattern is not None and re.search(pattern, value) is None:
            report.note(at, "invalid_format", says)

    return rule


def url(most: int) -> Rule:
    return string(most, 1, pattern=r"\A(?:https?|slack)://[^\s<>|]+\Z", says="must be a valid URL")


def integer(least: int | None = None, most: int | None = None) -> Rule:
    def rule(value: Any, at: str, report: Report) -> None:
        if not isinstance(value, int) or isinstance(value, bool):
            report.note(at, "invalid_type", "must be an integer")
        elif least is not None and value < least:
            report.note(at, "too_small", f"must be greater than {least - 1}", min=least, got=value)
        elif most is not None and value > most:
            report.note(at, "too_big", f"must be less than {most + 1}", max=most, got=value)

    return rule


def number(value: Any, at: str, report: Report) -> None:
    if not isinstance(value, int | float) or isinstance(value, bool):
        report.note(at, "invalid_type", "must be a number")


def boolean(value: Any, at: str, report: Report) -> None:
    if not isinstance(value, bool):
        report.note(at, "invalid_type", "must be a boolean")


def anything(_value: Any, _at: str, _report: Report) -> None:
    """No demands."""


def one_of(*words: str | int) -> Rule:
    def rule(value: Any, at: str, report: Report) -> None:
        if value not in words:
            shown = ", ".join(map(str, words))
            report.note(at, "invalid_value", f"must be one of: {shown}", expected=list(words), got=value)

    return rule


def array(of: Rule, least: int = 0, most: int | None = None) -> Rule:
    def rule(value: Any, at: str, report: Report) -> None:
        if not isinstance(value, list | tuple):
            report.note(at, "invalid_type", "must be an array")
            return
        if len(value) < least:
            report.note(at, "too_few", f"no fewer than {least} items allowed", min=least, got=len(value))
        if most is not None and len(value) > most:
            report.note(at, "too_many", f"no more than {most} items allowed", max=most, got=len(value))
        for index, inner in enumerate(value):
            of(inner, f"{at}/{index}", report)

    return rule


def either(*rules: Rule) -> Rule:
    """Sound if one of the rules is content; else the problems of the rule that came closest."""

    def rule(value: Any, at: str, report: Report) -> None:
        trials = []
        for candidate in rules:
            trial = Report()
            candidate(value, at, trial)
            trials.append(trial)
        report.problems.extend(min(trials, key=lambda trial: len(trial.problems)).problems)

    return rule


def text(most: int, *kinds: str, least: int = 1) -> Rule:
    """A text object of these kinds (default both), `least` to `most` code points."""
    allowed = kinds or ("plain_text", "mrkdwn")

    def rule(value: Any, at: str, report: Report) -> None:
        if not isinstance(value, dict):
            report.note(at, "invalid_type", "must be an object")
            return
        kind = value.get("type")
        if kind not in allowed:
            report.note(f"{at}/type", "unsupported_type", f"must be one of: {', '.join(allowed)}", got=kind)
            return
        extra: dict[str, Rule] = {"emoji": boolean} if kind == "plain_text" else {"verbatim": boolean}
        Shape({"text": string(most, least)}, extra).check(value, at, report, fixed=("type",))

    return rule


def needs_one(*keys: str) -> Rule:
    """At least one of the keys is there."""

    def rule(value: Any, at: str, report: Report) -> None:
        if all(value.get(key) in (None, []) for key in keys):
            report.note(at, "missing_field", f"must provide one of: {', '.join(keys)}", expected=list(keys))

    return rule


def excludes(*keys: str) -> Rule:
    """At most one of the keys is there."""

    def rule(value: Any, at: str, report: Report) -> None:
        given = [key for key in keys if value.get(key) is not None]
        if len(given) > 1:
            report.note(at, "conflict", f"cannot have both: {', '.join(given)}", got=given)

    return rule


def ordered(low: str, high: str) -> Rule:
    """The value of one key is not above that of the other."""

    def rule(value: Any, at: str, report: Report) -> None:
        first, second = value.get(low), value.get(high)
        if first is not None and second is not None and float(first) > float(second):
            report.note(f"{at}/{low}", "conflict", f"must not be greater than {high}")

    return rule


def distinct(items: str, key: str) -> Rule:
    """No two objects of a list have the same value under `key`."""

    def rule(value: Any, at: str, report: Report) -> None:
        seen: set[Any] = set()
        for index, item in enumerate(value.get(items) or ()):
            mark = item.get(key)
            if mark is not None and mark in seen:
                report.note(f"{at}/{items}/{index}/{key}", "duplicate", f"duplicate {key}: {mark}")
            seen.add(mark)

    return rule


def member(key: str, *lists: str) -> Rule:
    """What stands under `key` (one option or several) is exactly among the options offered."""

    def rule(value: Any, at: str, report: Report) -> None:
        chosen = value.get(key)
        if chosen is None:
            return
        offered = [option for name in lists for option in _options(value.get(name))]
        for option in chosen if isinstance(chosen, list) else [chosen]:
            if option not in offered:
                report.note(f"{at}/{key}", "not_an_option", f"{key} must match one of the options")

    return rule


def _options(value: Any) -> list[Any]:
    flat: list[Any] = []
    for item in value or ():
        flat.extend(item["options"] if isinstance(item, dict) and "options" in item else [item])
    return flat
