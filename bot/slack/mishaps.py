"""Error → words: the only place where one becomes the other. The reference is in the message and in the log."""

from __future__ import annotations

import logging
import secrets

from bot.domain.answers import Complaint
from bot.domain.errors import AmbiguousError, AskError, Choice, NotFoundError, RundownError, SystemFault
from bot.slack.grammar_command import Command

log = logging.getLogger(__name__)


def complain(error: BaseException, command: Command | None = None) -> Complaint:
    """What to tell the person; the log gets the same reference, and everything that must not be told.

    `command` is what they asked, so that the closest match can be offered as the same question put right.
    """
    reference = secrets.token_hex(3)
    if isinstance(error, AskError):
        log.info("asked in vain [%s]: %s", reference, error.what)
        return Complaint(
            family="person",
            what=error.what,
            why=error.why,
            fix=error.fix or "See `help` for what can be asked.",
            closest=_closest(error, command),
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


def _closest(error: AskError, command: Command | None) -> tuple[Choice, ...]:
    if isinstance(error, AmbiguousError):
        return error.choices
    if not isinstance(error, NotFoundError) or not error.instead_of:
        return tuple(Choice(text, text) for text in error.closest)
    if command is None:
        return ()
    mended = [command.with_word(error.instead_of, word) for word in error.closest]
    return tuple(Choice(each.text(), each.text()) for each in mended if each != command)
