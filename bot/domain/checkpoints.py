"""Named moments between which a process may die. Outside tests a checkpoint does nothing.

What has to hold at each of them: the test system is told once at most, the person hears what really happened, and what
is due is posted once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypeAlias

#: In their order. Those of a go that changes several runs stand around those of each of its runs.
Moment: TypeAlias = Literal[
    "go asked",  # several runs: before the go is on record
    "go begun",  # it is on record
    "go announced",  # the list's buttons are gone
    "asked",  # before the attempt is on record
    "begun",  # it is on record
    "announced",  # the buttons are gone
    "read",  # the run is read again: the call is next
    "uncertain",  # the call was made, nobody answered
    "called",  # the call was answered
    "recorded",  # so was its end
    "said in public",  # the receipt stands in the channel
    "said",  # whoever pressed knows, too
    "told",  # that it was told is on record
    "go next",  # several runs: how far it is was told
    "go ended",  # nothing is left to be tried
    "go recorded",  # its end is on record
    "go said",  # the summary is said
    "found",  # what another process left behind is ours now
    "settled",  # what became of it was read and is on record
    "looked",  # nothing that was left behind is left
    "digest claimed",  # a digest: its slot is ours
    "digest written",  # it is put into words
    "digest kept",  # it is in the outbox, its slot is done
    "parcel taken",  # a message that is due is ours
    "parcel recorded",  # that it is about to be posted is on record
    "parcel posted",  # Slack has it
    "parcel confirmed",  # that it is posted is on record
]


def _nothing(_moment: Moment) -> None:
    """Nobody listens."""


_reached: Callable[[Moment], None] = _nothing


def checkpoint(moment: Moment) -> None:
    """This moment is reached."""
    _reached(moment)


def on_checkpoint(listener: Callable[[Moment], None] = _nothing) -> None:
    """Tell this one of every moment that is reached from now on; it may end the process there."""
    global _reached  # noqa: PLW0603  one listener for the process
    _reached = listener
