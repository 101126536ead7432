"""What people ask for, with every name already typed but not yet looked up in a system."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal


@dataclass(frozen=True, slots=True)
class Who:
    """A person as somebody typed them: a number, an email address, a name, or all that Slack tells of a mention.

    `name` is the full name where it is known apart from the text.
    """

    text: str
    email: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunQuery:
    """Which runs of a project. Empty means any; a tuple means one of these. Names may be given by number or by name.

    `at_most` lets a system stop reading once so many of the newest matching rows are found, None reads all.
    Every field is one of the filters a system may know: `Kind.filters` holds the names of these fields.
    """

    project: int | None = None
    words: tuple[str, ...] = ()
    state: Literal["open", "closed", "all"] = "open"
    since: datetime | None = None
    until: datetime | None = None
    closed_since: datetime | None = None
    closed_until: datetime | None = None
    status: tuple[str, ...] = ()
    milestone: tuple[str, ...] = ()
    config: tuple[str, ...] = ()
    source: tuple[str, ...] = ()
    suite: tuple[str, ...] = ()
    workflow: tuple[str, ...] = ()
    refs: str = ""
    tag: tuple[str, ...] = ()
    without_tag: tuple[str, ...] = ()
    by: tuple[Who, ...] = ()
    set_filter: str = ""
    set_filter_user: Who | None = None
    at_most: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultQuery:
    """Which results of a run. `latest` keeps only the last one of each test. Empty means any."""

    status: tuple[str, ...] = ()
    latest: bool = False
    since: datetime | None = None
    until: datetime | None = None
    by: tuple[Who, ...] = ()
    owner: tuple[Who, ...] = ()
    unassigned: bool = False
    defects: str = ""
    test: tuple[str, ...] = ()
    instance: tuple[str, ...] = ()
    automated: bool | None = None
    oldest_first: bool = False
    at_most: int | None = None
