"""What can go wrong, drawn as a tree by whose move is next. Every error says what, why, and how to mend it.

RundownError
├─ AskError           the person's move
│  ├─ GrammarError       the words
│  ├─ NotFoundError      no such thing
│  ├─ AmbiguousError     several things fit: choose
│  ├─ NoContextError     a connection or project has to be named
│  ├─ CannotError        the system can't do that
│  ├─ NotAllowedError    the person may not do that
│  └─ TooLateError       it is done already, being done, or not any more what was seen
├─ SystemFault        the test system's move; nothing was changed
│  ├─ RefusedFault       it refuses our key, or our right to read this
│  ├─ RejectedFault      it did not take the question as we put it
│  ├─ SlowDownFault      it says too many calls; `retry_at` tells when to come back
│  ├─ TooSlowFault       no whole answer in time
│  ├─ UnavailableFault   it, or the way to it, is down
│  ├─ UnreadableFault    it answered something else than its API's JSON
│  └─ TooLargeFault      its answer was larger than we are ready to hold
└─ OurError           our move
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Literal

Family = Literal["person", "system", "ours"]


class RundownError(Exception):
    """Base of all. `closest` are canonical words that might have been meant, best first."""

    family: ClassVar[Family] = "ours"

    def __init__(self, what: str, *, why: str = "", fix: str = "", closest: tuple[str, ...] = ()) -> None:
        super().__init__(what)
        self.what = what
        self.why = why
        self.fix = fix
        self.closest = closest


class AskError(RundownError):
    family = "person"


class GrammarError(AskError):
    """Words that mean nothing here."""


class NotFoundError(AskError):
    """No such run, project, person or name in that system.

    With `instead_of`, `closest` are no commands but words that could stand in place of that one.
    """

    def __init__(
        self, what: str, *, why: str = "", fix: str = "", closest: tuple[str, ...] = (), instead_of: str = ""
    ) -> None:
        super().__init__(what, why=why, fix=fix, closest=closest)
        self.instead_of = instead_of


class NoContextError(AskError):
    """A connection or a project has to be named first."""


class CannotError(AskError):
    """The system has no such thing; `fix` says what is possible instead."""


class NotAllowedError(AskError):
    """The person may not use `verb`; `what` names the rule. `askable` tells that an admin could allow it."""

    def __init__(self, what: str, *, verb: str, why: str = "", fix: str = "", askable: bool = False) -> None:
        super().__init__(what, why=why, fix=fix)
        self.verb = verb
        self.askable = askable


class TooLateError(AskError):
    """A change was not tried: somebody has done it, is doing it, or the run is not any more what was seen."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several things that fit: its text for people, and the command that takes it."""

    label: str
    command: str


class AmbiguousError(AskError):
    """Several things fit; the person chooses among `choices`, we never guess."""

    def __init__(self, what: str, choices: tuple[Choice, ...], *, why: str = "", fix: str = "") -> None:
        super().__init__(what, why=why, fix=fix)
        self.choices = choices


class SystemFault(RundownError):
    """A test system failed us. `system` is its label for people, `retry_at` the first useful time to ask again.

    `sent` tells that the question had left and no refusal came back: a change may have been done all the same.
    `answered` tells that something came back that says nothing about that, such as an error of the server's own;
    `left` says what a change of several calls has left there.
    """

    family = "system"

    def __init__(
        self, system: str, what: str, *, why: str = "", fix: str = "", retry_at: datetime | None = None
    ) -> None:
        super().__init__(what, why=why, fix=fix)
        self.system = system
        self.retry_at = retry_at
        self.sent = False
        self.answered = False
        self.left = ""


class RefusedFault(SystemFault):
    pass


class RejectedFault(SystemFault):
    pass


class SlowDownFault(SystemFault):
    pass


class TooSlowFault(SystemFault):
    pass


class UnavailableFault(SystemFault):
    pass


class UnreadableFault(SystemFault):
    pass


class TooLargeFault(SystemFault):
    pass


class OurError(RundownError):
    """Our own mistake; what went wrong is in the log, never in the message."""
