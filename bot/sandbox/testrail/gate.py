"""What stands before every call: switches of the whole instance, the login, the content type, the rate limit."""

from __future__ import annotations

import base64
import binascii
import math
from collections import deque
from dataclasses import dataclass, field

from bot.sandbox.testrail import refusals
from bot.sandbox.testrail.model import User
from bot.sandbox.testrail.refusals import Refusal


@dataclass(frozen=True, slots=True)
class Account:
    """Who may call: a user and what passes as the second half of Basic auth (API key, password)."""

    user: User
    accepted: frozenset[str]


@dataclass(slots=True)
class Budget:
    """A limit of calls in any 60 seconds; `per_minute` None means no limit."""

    per_minute: int | None = None
    _taken: deque[float] = field(default_factory=deque)

    def take(self, now_s: float) -> int | None:
        """Count a call; returns the whole seconds to wait when there was none left, else None."""
        while self._taken and self._taken[0] <= now_s - 60:
            self._taken.popleft()
        if self.per_minute is not None and len(self._taken) >= self.per_minute:
            return max(1, math.ceil(self._taken[0] + 60 - now_s)) if self._taken else 60
        self._taken.append(now_s)
        return None


def who(authorization: str, accounts: dict[str, Account]) -> User:
    """The user of a Basic login; the email's case does not matter. Raises Refusal (401)."""
    scheme, _, coded = authorization.partition(" ")
    try:
        email, colon, given = base64.b64decode(coded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        raise Refusal(401, refusals.BAD_LOGIN) from None
    account = accounts.get(email.lower())
    if scheme.lower() != "basic" or not colon or account is None or not given or given not in account.accepted:
        raise Refusal(401, refusals.BAD_LOGIN)
    if not account.user.is_active:
        raise Refusal(401, refusals.BAD_LOGIN)
    return account.user


def check_content_type(content_type: str | None) -> None:
    """JSON must be named on every call, reads too. Raises Refusal (400)."""
    if not content_type:
        raise Refusal(400, refusals.CONTENT_MISSING)
    if content_type.partition(";")[0].strip().lower() != "application/json":
        raise Refusal(400, refusals.CONTENT_INVALID)
