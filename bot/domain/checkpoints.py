"""Named moments between which a process may die. Outside tests a checkpoint does nothing."""

from __future__ import annotations

from collections.abc import Callable


def _nothing(_name: str) -> None:
    """Nobody listens."""


_reached: Callable[[str], None] = _nothing


def checkpoint(name: str) -> None:
    """This moment is reached."""
    _reached(name)


def on_checkpoint(listener: Callable[[str], None] = _nothing) -> None:
    """Tell this one of every moment that is reached from now on; it may end the process there."""
    global _reached  # noqa: PLW0603  one listener for the process
    _reached = listener
