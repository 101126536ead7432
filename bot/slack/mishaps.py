"""Error → words: the only place where one becomes the other. The reference is in the message and in the log."""

from __future__ import annotations

import logging
import secrets

from bot.domain.answers import Complaint
from bot.domain.errors import AmbiguousError, AskError, Choice, RundownError, SystemFault

log = logging.getLogger(__name__)


def complain(error: BaseException) -> Complaint:
    """What to tell the person; the log gets the same reference, and everything that must not be told."""
    reference = secrets.token_hex(3)
    if isinstance(error, AskError):
        log.info("asked in vain [%s]: %s", reference, error.what)
        return Complaint(
            family="person",
            what=error.what,
            why=error.why,
            fix=error.fix or "See `help` for what can be asked.",
            closest=error.choices if isinstance(error, AmbiguousError) else _commands(error.closest),
            reference=reference,
        )
    if isinstance(error, SystemFault):
        log.warning("%s failed us [%s]: %s: %s", error.system, reference, type(error).__name__, error.what)
        return Complaint(
            family="system",
            what=error.what,
            why=error.why,
            fix=error.fix,
            reference=reference,
            system=error.system,
            retry_at=error.retry_at,
        )
    log.error("our mistake [%s]", reference, exc_info=error)
    told = error if isinstance(error, RundownError) else None
    return Complaint(
        family="ours",
        what=told.what if told else "Something went wrong in Rundown.",
        why=told.why if told else "This is our mistake, not yours.",
        fix=(told.fix if told else "") or "Try again; if it happens again, give the reference to whoever runs Rundown.",
        reference=reference,
    )


def _commands(closest: tuple[str, ...]) -> tuple[Choice, ...]:
    return tuple(Choice(command, command) for command in closest)
