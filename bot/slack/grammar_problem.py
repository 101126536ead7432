"""What is wrong with one value, before it is known where it stood."""

from __future__ import annotations


class ValueProblem(Exception):
    """A value that means nothing behind its flag: why, how to mend it, and values that may have been meant."""

    def __init__(self, why: str, fix: str, tries: tuple[str, ...] = ()) -> None:
        super().__init__(why)
        self.why = why
        self.fix = fix
        self.tries = tries
