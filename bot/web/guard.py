"""Who may come in: Slack's signature, age, size and replay are checked here, before anything else sees a request.

Bolt answers 500 to garbled headers, reads bodies of any size and runs one signed request as often as it is sent.
Source of the scheme: docs.slack.dev, "Verifying requests from Slack".
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable, Mapping

MOST_BYTES = 1024 * 1024
OLDEST_S = 300

_TIMESTAMP = re.compile(r"[0-9]{1,12}", re.ASCII)
_SIGNATURE = re.compile(r"v0=[0-9a-f]{64}", re.ASCII)


def is_from_slack(secret: str, headers: Mapping[str, str], body: bytes, now: float) -> bool:
    """Whether Slack signed this body with our secret, within five minutes of `now` (UNIX seconds).

    `headers` may be a multi-dictionary: what is there twice is not Slack's.
    """
    timestamp = _only(headers, "x-slack-request-timestamp")
    signature = _only(headers, "x-slack-signature")
    if not secret or not _TIMESTAMP.fullmatch(timestamp) or not _SIGNATURE.fullmatch(signature):
        return False
    if abs(now - int(timestamp)) > OLDEST_S:
        return False
    expected = hmac.new(
        secret.encode(errors="surrogatepass"), b"v0:" + timestamp.encode() + b":" + body, hashlib.sha256
    ).hexdigest()
    return hmac.compare_digest(f"v0={expected}", signature)


def _only(headers: Mapping[str, str], name: str) -> str:
    values = [value for key, value in headers.items() if key.lower() == name]
    return values[0] if len(values) == 1 else ""


class Seen:
    """Remembers keys for `kept_s` seconds at least. `first` is True once per key."""

    def __init__(self, now: Callable[[], float], kept_s: float = 2 * OLDEST_S) -> None:
        self._now = now
        self._kept_s = kept_s
        self._young: set[str] = set()
        self._old: set[str] = set()
        self._turned_at = now()

    def first(self, key: str) -> bool:
        now = self._now()
        if now - self._turned_at > self._kept_s:  # two generations: no key goes before its time
            self._old = self._young if now - self._turned_at < 2 * self._kept_s else set()
            self._young = set()
            self._turned_at = now
        if key in self._young or key in self._old:
            return False
        self._young.add(key)
        return True
