"""One HTTP client per connection: paced, capped, patient, and every failure in the words of the error tree.

Whole calls have a deadline (a read time-out alone never ends a drip of bytes), bodies a cap on their unpacked size,
redirects are never followed (they would carry the key elsewhere), reads are retried on 429 and 5xx while the one who
asks has patience, writes never.
"""

from __future__ import annotations

import asyncio
import functools
import logging
import re
import ssl
import time
import zlib
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from bot.domain.errors import (
    RefusedFault,
    RejectedFault,
    RundownError,
    SlowDownFault,
    TooLargeFault,
    TooSlowFault,
    UnavailableFault,
    UnreadableFault,
)
from bot.systems._pace import Pace, TooLong
from bot.usecases.ports import PATIENCE, Patience

if TYPE_CHECKING:
    import httpx

T = TypeVar("T")
log = logging.getLogger(__name__)

MOST_BYTES = 32 * 1024 * 1024
CALL_S = 12.0
PATIENCE_S = 30.0
LONGEST_PAUSE_S = 600.0
TRIES = 4

Judge = Callable[[int, bytes], RundownError | None]


class Wire:
    """How a connection talks to its server.

    `label` names the system in errors, `base` is the root that targets are appended to, `headers` carry the key.
    `judge` may turn a refused answer (status, body) into a better error than the general ones; `complaint` reads the
    server's own words out of an error body. `pause_s` is how long to hold still after a 429 that does not say.
    """

    def __init__(
        self,
        label: str,
        base: str,
        *,
        headers: Mapping[str, str],
        secrets: tuple[str, ...],
        pace: Pace,
        now: Callable[[], datetime],
        judge: Judge = lambda _status, _body: None,
        complaint: Callable[[bytes], str] = lambda _body: "",
        pause_s: float = 20.0,
    ) -> None:
        self.label = label
        self.now = now
        self._base = base.rstrip("/")
        self._headers = {"Content-Type": "application/json", "Accept": "application/json", **headers}
        self._secrets = tuple(secret for secret in secrets if secret)
        self._pace = pace
        self._judge = judge
        self._complaint = complaint
        self._pause_s = pause_s
        self._client: httpx.AsyncClient | None = None

    async def get(self, target: str, shape: type[T]) -> T:
        """Read JSON of this shape from `base + target` (path and query, already encoded)."""
        return self.decode(await self.read(target), shape)

    async def read(self, target: str) -> bytes:
        """The body of a successful GET; retried as long as it makes sense."""
        from tenacity import AsyncRetrying, retry_if_exception, stop_after_attempt, stop_before_delay, wait_random

        patience = _patience()
        attempts = AsyncRetrying(
            retry=retry_if_exception(_passing),
            stop=stop_after_attempt(TRIES) | stop_before_delay(max(patience.until - time.monotonic(), 0.0)),
            wait=wait_random(0.1, 0.4),
            reraise=True,
        )
        async for attempt in attempts:
            with attempt:
                return await self.call("GET", target)
        raise AssertionError("unreachable: tenacity re-raises")

    async def call(self, method: str, target: str, body: bytes | None = None) -> bytes:
        """One request, one answer. Raises what the answer means when it is not a success."""
        patience = _patience()
        limit = min(time.monotonic() + CALL_S, patience.until)
        started = time.monotonic()
        try:
            async with (
                asyncio.timeout_at(_loop_time(patience.until)),
                self._pace.turn(person=patience.person, until=patience.until),
            ):
                limit = min(time.monotonic() + CALL_S, patience.until)
                async with asyncio.timeout_at(_loop_time(limit)):
                    status, headers, raw = await self._exchange(method, target, body)
        except TooLong as wait:
            raise self._slow_down(wait.wait_s) from None
        except TimeoutError:
            raise TooSlowFault(
                self.label,
                f"{self.label} is too slow: no whole answer within {time.monotonic() - started:.0f} s.",
                why="It took the question but did not finish its answer.",
                fix="Try again in a minute.",
            ) from None
        log.debug("%s %s answered %s in %.3f s", method, _bare(target), status, time.monotonic() - started)
        if 200 <= status < 300:
            return raw
        raise self._error(status, headers, raw)

    def decode(self, raw: bytes, shape: type[T]) -> T:
        """JSON of this shape, or UnreadableFault. Unknown fields are ignored, numbers given as text are taken."""
        raw = raw.removeprefix(b"\xef\xbb\xbf")
        try:
            return _decoder(shape).decode(raw)
        except (msgspec.MsgspecError, RecursionError, UnicodeError, ValueError) as error:
            web_page = raw.lstrip()[:1] == b"<"
            log.warning("unreadable answer of %s: %s", self.label, "a web page" if web_page else error)
            raise UnreadableFault(
                self.label,
                f"{self.label} answered something that can't be read.",
                why="It sent a web page where data belongs." if web_page else "Its data is cut off or of another form.",
                fix=f"Try again in a minute; if it stays so, look whether {self.label} is under maintenance.",
            ) from None

    def rows(self, raws: list[msgspec.Raw], shape: type[T]) -> tuple[list[T], int]:
        """The rows that can be read, and how many could not: one bad row costs itself only."""
        decoder = _decoder(shape)
        good: list[T] = []
        for raw in raws:
            try:
                good.append(decoder.decode(raw))
            except (msgspec.MsgspecError, RecursionError, UnicodeError, ValueError) as error:
                log.warning("unreadable row of %s: %s", self.label, error)
        return good, len(raws) - len(good)

    async def close(self) -> None:
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    async def _exchange(self, method: str, target: str, body: bytes | None) -> tuple[int, Mapping[str, str], bytes]:
        import httpx

        client = self._client or self._open()
        url = httpx.URL(self._base)
        url = url.copy_with(raw_path=url.raw_path.rstrip(b"/") + target.encode("ascii"))
        try:
            async with client.stream(method, url, content=body) as answer:
                return answer.status_code, answer.headers, await self._body(answer)
        except httpx.TimeoutException:
            raise TimeoutError from None
        except httpx.TransportError as error:
            log.warning("no way to %s: %s: %s", self.label, type(error).__name__, self._clean(str(error)))
            raise UnavailableFault(
                self.label,
                f"{self.label} can't be reached.",
                why="The connection failed or broke off.",
                fix="Try again in a minute; if it stays so, ask whoever runs it.",
            ) from None

    async def _body(self, answer: httpx.Response) -> bytes:
        """The unpacked body, never more than the cap of it (the library would unpack a bomb before we could count)."""
        unpack = zlib.decompressobj(wbits=47) if answer.headers.get("content-encoding") in ("gzip", "deflate") else None
        parts: list[bytes] = []
        size = 0
        async for chunk in answer.aiter_raw():
            part = chunk if unpack is None else unpack.decompress(chunk, MOST_BYTES + 1 - size)
            parts.append(part)
            size += len(part)
            if size > MOST_BYTES:
                raise TooLargeFault(
                    self.label,
                    f"{self.label}'s answer is too large.",
                    why=f"It is over {MOST_BYTES // 1024**2} MiB.",
                    fix="Narrow the question, for example with --since 7d or --limit 50.",
                )
        return b"".join(parts)

    def _open(self) -> httpx.AsyncClient:
        import httpx

        secure = self._base.startswith("https:")
        self._client = httpx.AsyncClient(
            headers={**self._headers, "Accept-Encoding": "gzip, deflate"},
            verify=_tls() if secure else False,
            limits=httpx.Limits(max_connections=16, max_keepalive_connections=16),
            timeout=httpx.Timeout(CALL_S, connect=5.0, pool=None),
            follow_redirects=False,
        )
        return self._client

    def _error(self, status: int, headers: Mapping[str, str], raw: bytes) -> RundownError:
        judged = self._judge(status, raw)
        if judged is not None:
            return judged
        said = self._said(raw)
        if status == 429:
            seconds = retry_after_s(headers.get("retry-after"), self.now()) or self._pause_s
            self._pace.pause(seconds)
            return self._slow_down(seconds)
        if status in (401, 403):
            return RefusedFault(
                self.label,
                f"{self.label} refuses our key." if status == 401 else f"{self.label} does not let our key do this.",
                why=said or ("The key is wrong, expired or revoked." if status == 401 else "It lacks the permission."),
                fix="Ask whoever set up Rundown to renew the key or its rights.",
            )
        if status >= 500 or status == 409 or 300 <= status < 400:
            return UnavailableFault(
                self.label,
                f"{self.label} is not available right now.",
                why=said or f"It answered with HTTP status {status}.",
                fix="Try again in a minute.",
            )
        return RejectedFault(
            self.label,
            f"{self.label} did not take the question.",
            why=said or f"It answered with HTTP status {status}.",
            fix="Change the flags of your command; `help` shows what each takes.",
        )

    def _slow_down(self, seconds: float) -> SlowDownFault:
        return SlowDownFault(
            self.label,
            f"{self.label} takes no more calls right now.",
            why="Its limit of calls for this minute is used up.",
            fix=f"Try again in about {max(1, round(seconds))} s.",
            retry_at=self.now() + timedelta(seconds=seconds),
        )

    def _said(self, raw: bytes) -> str:
        try:
            words = self._complaint(raw)
        except (msgspec.MsgspecError, RecursionError, ValueError):
            words = ""
        return self._clean(" ".join(words.split()))[:200]

    def _clean(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, "•••")
        return text


def retry_after_s(value: str | None, now: datetime) -> float | None:
    """Seconds to wait as `Retry-After` says, as a number or a date: 1 s to 10 min. None when it says nothing."""
    if value is None or not value.strip():
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            moment = parsedate_to_datetime(value)
        except ValueError:
            return None
        seconds = ((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - now).total_seconds()
    if seconds != seconds:  # noqa: PLR0124 - the one value that differs from itself is NaN
        return None
    return min(max(seconds, 1.0), LONGEST_PAUSE_S)


def _passing(error: BaseException) -> bool:
    """Whether asking again may help. A slow server is not asked again: that only makes it slower."""
    return isinstance(error, UnavailableFault | SlowDownFault)


def _patience() -> Patience:
    return PATIENCE.get() or Patience(time.monotonic() + PATIENCE_S)


def _loop_time(moment: float) -> float:
    """A time of `time.monotonic()` on the clock of the event loop."""
    return asyncio.get_running_loop().time() + (moment - time.monotonic())


def _bare(target: str) -> str:
    return re.sub(r"[^\w/.?&=%,:\[\]-]", "?", target)[:200]


_DECODERS: dict[object, msgspec.json.Decoder[Any]] = {}


def _decoder(shape: type[T]) -> msgspec.json.Decoder[T]:
    decoder = _DECODERS.get(shape)
    if decoder is None:
        decoder = _DECODERS[shape] = msgspec.json.Decoder(shape, strict=False)
    return decoder


@functools.cache
def _tls() -> ssl.SSLContext:
    """One context for all: reading the certificates takes 20 ms of blocked loop. The machine's own are trusted too."""
    import certifi

    context = ssl.create_default_context(cafile=certifi.where())
    context.load_default_certs()
    return context
