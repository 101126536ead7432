"""Refusals that mean something to an adapter: what is not there, and what our key may not see."""

from __future__ import annotations

import textwrap
from collections.abc import Callable

import msgspec

from bot.domain.errors import RefusedFault, RejectedFault, RundownError

MOST_CHARS = 200

Judge = Callable[[int, bytes], RundownError | None]


class Gone(RejectedFault):
    """404: no such thing, or this server has no such call."""


class Forbidden(RefusedFault):
    """403: the key is right but may not do this. Whatever else is refused, is refused of everything."""


def judging(system: str, complaint: Callable[[bytes], str], secrets: tuple[str, ...]) -> Judge:
    """A judge that makes errors of their own of 403 and 404, as some calls have another way then."""

    def judge(status: int, body: bytes) -> RundownError | None:
        if status == 404:
            fix = f"Look at the number; if it is right, look at the address of {system} in the settings."
            why = _said(complaint, body, secrets) or "It answered with HTTP status 404."
            return Gone(system, f"{system} knows no such thing.", why=why, fix=fix)
        if status == 403:
            fix = "Ask whoever set up Rundown to renew the key or its rights."
            why = _said(complaint, body, secrets) or "It lacks the permission."
            return Forbidden(system, f"{system} does not let our key do this.", why=why, fix=fix)
        return None

    return judge


def _said(complaint: Callable[[bytes], str], body: bytes, secrets: tuple[str, ...]) -> str:
    """The server's own words without our secrets; cut between words, so that no part of one in disguise is left."""
    try:
        words = complaint(body)
    except (msgspec.MsgspecError, RecursionError, UnicodeError, ValueError):
        return ""
    for secret in filter(None, secrets):
        words = words.replace(secret, "•••")
    return textwrap.shorten(words, MOST_CHARS, placeholder=" …")
