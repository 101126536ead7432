"""Deliveries as signed HTTP requests, as Slack sends them to an app's request URL."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from urllib.parse import urlencode

import aiohttp

from bot.sandbox.slack.deliveries import ACK_TIMEOUT_S, Attempt, Delivery
from bot.sandbox.slack.refusals import CannotDo
from bot.sandbox.slack.state import State, new_id

USER_AGENT = "Slackbot 1.0 (+https://api.slack.com/robots)"
FORM = "application/x-www-form-urlencoded"


def sign(secret: str, timestamp: str, body: bytes) -> str:
    """The v0 signature. Source: docs.slack.dev authentication/verifying-requests-from-slack."""
    base = f"v0:{timestamp}:".encode() + body
    return "v0=" + hmac.new(secret.encode(), base, hashlib.sha256).hexdigest()


def packed(delivery: Delivery) -> tuple[bytes, str]:
    """Body and content type: commands are forms, interactions a form field `payload`, events JSON."""
    if delivery.kind == "slash_commands":
        return urlencode(delivery.payload).encode(), FORM
    text = json.dumps(delivery.payload, separators=(",", ":"))
    if delivery.kind == "interactive":
        return urlencode({"payload": text}).encode(), FORM
    return text.encode(), "application/json"


class SignedHttp:
    """Posts to the app's request URL and waits three seconds for a 200."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._session: aiohttp.ClientSession | None = None
        self.request_url = ""

    async def connect(self, request_url: str, *, verify: bool = True) -> None:
        """Use this URL from now on; with `verify` it must answer Slack's challenge first. Raises CannotDo."""
        self.request_url = request_url
        if not verify:
            return
        challenge = new_id("", 40)
        body = json.dumps(
            {
                "token": self._state.app.verification_token,
                "challenge": challenge,
                "type": "url_verification",
            }
        ).encode()
        async with self._open().post(
            request_url,
            data=body,
            headers=self._headers(body, "application/json"),
        ) as answer:
            said = await answer.text()
            if answer.status != 200 or challenge not in said:
                raise CannotDo(f"the request URL did not answer the challenge: {answer.status} {said[:200]!r}")

    async def tell(
        self, delivery: Delivery, *, retry_num: int = 0, reason: str = "", replay: Attempt | None = None
    ) -> Attempt:
        """Send once and wait. With `replay` the very same bytes and headers go again."""
        body, kind = packed(delivery)
        headers = self._headers(body, kind)
        if retry_num:
            headers |= {"X-Slack-Retry-Num": str(retry_num), "X-Slack-Retry-Reason": reason}
        if replay is not None:
            body, headers = replay.body, replay.headers
        attempt = Attempt(self._state.now(), retry_num, reason, headers=headers, body=body)
        delivery.attempts.append(attempt)
        task = asyncio.create_task(self._post(attempt))
        if not await self._state.wait_by_clock(task, ACK_TIMEOUT_S):
            task.cancel()
            attempt.failure = "http_timeout"
        self._state.changed()
        return attempt

    async def _post(self, attempt: Attempt) -> None:
        try:
            async with self._open().post(
                self.request_url,
                data=attempt.body,
                headers=attempt.headers,
                allow_redirects=False,
            ) as answer:
                raw = await answer.read()
                attempt.status = answer.status
                attempt.no_retry = answer.headers.get("X-Slack-No-Retry") == "1"
                if answer.status != 200:
                    attempt.failure = "http_error"
                    return
                attempt.acked_at = self._state.now()
                if raw and answer.content_type == "application/json":
                    attempt.ack = json.loads(raw)
                elif raw:
                    attempt.ack = raw.decode(errors="replace")
        except (aiohttp.ClientError, OSError):
            attempt.failure = "connection_failed"
        except ValueError:
            attempt.failure = "http_error"

    def _headers(self, body: bytes, kind: str) -> dict[str, str]:
        timestamp = str(int(self._state.now().timestamp()))
        return {
            "Content-Type": kind,
            "User-Agent": USER_AGENT,
            "Accept": "application/json,*/*",
            "X-Slack-Request-Timestamp": timestamp,
            "X-Slack-Signature": sign(self._state.app.signing_secret, timestamp, body),
        }

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None or self._session.closed:
            self._session = aiohttp.ClientSession()
        return self._session

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
