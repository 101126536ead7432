"""One HTTP client per connection: paced, capped, patient, and every failure in the words of the error tree.

Whole calls have a deadline (a read time-out alone never ends a drip of bytes), bodies a cap on their unpacked size,
redirects are never followed (they would carry the key elsewhere), reads are retried on 429 and 5xx while the one who
asks has patience, writes never. Cookies are never kept, so no answer changes the next question.
"""

from __future__ import annotations

import asyncio
import functools
import html
import logging
import math
import re
import ssl
import zlib
from collections.abc import Callable, Coroutine, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote

import msgspec

from bot.domain.errors import (
    RefusedFault,
    RejectedFault,
    RundownError,
    SlowDownFault,
    SystemFault,
    TooLargeFault,
    TooSlowFault,
    UnavailableFault,
    UnreadableFault,
)
from bot.systems._mend import mended
from bot.systems._pace import Pace, TooLong
from bot.usecases.ports import PATIENCE, Patience

if TYPE_CHECKING:
    import httpx

T = TypeVar("T")
log = logging.getLogger(__name__)

MOST_BYTES = 32 * 1024 * 1024
#: So much of a refusal is read: its words are at the beginning.
MOST_REFUSAL_BYTES = 64 * 1024
#: Packed answers are unpacked in pieces of this size, so that a small one can't become a large one at once.
PIECE_BYTES = 1024 * 1024
CALL_S = 12.0
CONNECT_S = 5.0
PATIENCE_S = 30.0
LONGEST_PAUSE_S = 600.0
TRIES = 4
#: So long a key that was refused is not shown again.
REFUSED_S = 30.0
#: Methods that change nothing.
READING = ("GET", "HEAD", "OPTIONS")

Judge = Callable[[int, bytes], RundownError | None]


class LastingFault(UnavailableFault):
    """Not available, and asking again at once would not help."""


class Wire:
    """How a connection talks to its server.

    `label` names the system in errors, `base` is the root that targets are appended to, `headers` carry the key.
    `judge` may turn a refused answer (status, body) into a better error than the general ones; `complaint` reads the
    server's own words out of an error body. `pause_s` is how long to hold still after a 429 that does not say.
    Clock and sleep are those of the `pace`; the clock must be the one that patience is measured on.
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
        self._secrets = _every_form(secrets)
        self._pace = pace
        self._judge = judge
        self._complaint = complaint
        self._pause_s = pause_s
        self._client: httpx.AsyncClient | None = None
        self._closed = False
        self._refused: tuple[float, RundownError] | None = None

    async def get(self, target: str, shape: type[T]) -> T:
        """Read JSON of this shape from `base + target` (path and query, already encoded)."""
        return self.decode(await self.read(target), shape)

    async def read(self, target: str) -> bytes:
        """The body of a successful GET; retried as long as it makes sense."""
        from tenacity import AsyncRetrying, retry_if_exception, stop_after_attempt, stop_before_delay, wait_random

        patience = self._patience()
        attempts = AsyncRetrying(
            retry=retry_if_exception(functools.partial(self._may_pass, until=patience.until)),
            stop=stop_after_attempt(TRIES) | stop_before_delay(max(patience.until - self._pace.now(), 0.0)),
            wait=wait_random(0.1, 0.4),
            sleep=self._pace.sleep,
            reraise=True,
        )
        async for attempt in attempts:
            with attempt:
                return await self._call("GET", target, None, patience)
        raise AssertionError("unreachable: tenacity re-raises")

    async def call(self, method: str, target: str, body: bytes | None = None) -> bytes:
        """One request, one answer, never a second try. Raises what the answer means when it is not a success.

        The `sent` of a fault tells whether the server may have done it: it got the request and did not refuse it.
        A web page is no answer of an API: whoever sent it, nobody has confirmed anything.
        """
        raw = await self._call(method, target, body, self._patience())
        if _is_web_page(raw):
            log.warning("unreadable answer of %s: a web page", self.label)
            raise self._unreadable(_WEB_PAGE)
        return raw

    async def allowed(self, target: str) -> frozenset[str] | None:
        """The methods that the server says it takes there (OPTIONS changes nothing); None where it does not say.

        Any refusal but one of the key, of too many calls or of the whole server may just mean that it never says.
        """
        status, headers, raw = await self._answer("OPTIONS", target, None, self._patience())
        if status in (401, 408, 429) or (status >= 500 and status != 501):
            raise self._refusal("OPTIONS", status, headers, raw)
        told = frozenset(filter(None, (word.strip().upper() for word in headers.get("allow", "").split(","))))
        return told or None

    async def _call(self, method: str, target: str, body: bytes | None, patience: Patience) -> bytes:
        status, headers, raw = await self._answer(method, target, body, patience)
        if 200 <= status < 300:
            return raw
        raise self._refusal(method, status, headers, raw)

    async def _answer(
        self, method: str, target: str, body: bytes | None, patience: Patience
    ) -> tuple[int, Mapping[str, str], bytes]:
        started = self._pace.now()
        asked = False
        if self._refused is not None:
            until, known = self._refused
            if started < until:
                raise RefusedFault(self.label, known.what, why=known.why, fix=known.fix)
            self._refused = None
        try:
            if patience.until <= started:
                raise TimeoutError
            async with (
                asyncio.timeout(patience.until - started),
                self._pace.turn(person=patience.person, until=patience.until),
            ):
                asked = True
                status, headers, raw = await _unharmed(self._exchange(method, target, body), CALL_S)
        except TooLong as wait:
            raise self._slow_down(wait.wait_s) from None
        except TimeoutError:
            raise self._too_slow(self._pace.now() - started, asked=asked) from None
        log.debug("%s %s answered %s in %.3f s", method, self._clean(_bare(target)), status, self._pace.now() - started)
        return status, headers, raw

    def _refusal(self, method: str, status: int, headers: Mapping[str, str], raw: bytes) -> RundownError:
        error = self._error(method, status, headers, raw)
        if status == 401 and isinstance(error, RefusedFault):  # asked again and again, some lock the account
            self._refused = self._pace.now() + REFUSED_S, error
        return error

    def decode(self, raw: bytes, shape: type[T]) -> T:
        """JSON of this shape, or UnreadableFault. Unknown fields are ignored, numbers given as text are taken."""
        raw = raw.removeprefix(b"\xef\xbb\xbf")
        try:
            return _decoder(shape).decode(raw)
        except _UNREADABLE as error:
            whole = self._mended(raw, shape, error)
            if whole is not None:
                return whole
            web_page = _is_web_page(raw)
            log.warning(
                "unreadable answer of %s: %s", self.label, "a web page" if web_page else self._clean(str(error))
            )
            raise self._unreadable(_WEB_PAGE if web_page else "Its data is cut off or of another form.") from None

    def rows(self, raws: list[msgspec.Raw], shape: type[T]) -> tuple[list[T], int]:
        """The rows that can be read, and how many could not: one bad row costs itself only."""
        decoder = _decoder(shape)
        good: list[T] = []
        first: Exception | None = None
        for raw in raws:
            try:
                good.append(decoder.decode(raw))
            except _UNREADABLE as error:
                whole = self._mended(raw, shape, error)
                if whole is not None:
                    good.append(whole)
                else:
                    first = first or error
        bad = len(raws) - len(good)
        if first is not None:
            log.warning("%s unreadable rows of %s, the first: %s", bad, self.label, self._clean(str(first)))
        return good, bad

    def _mended(self, raw: bytes | msgspec.Raw, shape: type[T], error: Exception) -> T | None:
        """The row without its unreadable fields; None where that leaves no row."""
        if not (isinstance(error, msgspec.ValidationError) and hasattr(shape, "__struct_fields__")):
            return None
        try:
            whole = mended(raw, shape)
        except _UNREADABLE:
            return None
        log.info("a field of %s that can't be read: %s", self.label, self._clean(str(error)))
        return whole

    async def close(self) -> None:
        """Let go of all connections, for good."""
        self._closed = True
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    # One exchange.

    async def _exchange(self, method: str, target: str, body: bytes | None) -> tuple[int, Mapping[str, str], bytes]:
        from bot.systems._httpx import httpx

        try:
            client = self._client or self._open()
            url = httpx.URL(self._base)
            url = url.copy_with(raw_path=url.raw_path.rstrip(b"/") + target.encode("ascii"))
            async with client.stream(method, url, content=body) as answer:
                return answer.status_code, answer.headers, await self._body(answer)
        except httpx.ConnectTimeout:
            raise self._no_way("It does not answer at all.", "time-out while connecting", lasting=True) from None
        except httpx.TimeoutException:
            raise TimeoutError from None
        except zlib.error as error:
            log.warning("unreadable answer of %s: %s", self.label, error)
            raise self._unreadable("Its data is cut off or of another form.") from None
        except (httpx.TransportError, httpx.InvalidURL, OSError) as error:
            told = f"{type(error).__name__}: {error}"
            if _is_about_encryption(error):
                why = "Its certificate is not one we trust, or the encryption failed."
                raise self._no_way(why, told, lasting=True) from None
            lasting = not isinstance(error, httpx.NetworkError | httpx.ProtocolError)
            fault = self._no_way("The connection failed or broke off.", told, lasting=lasting)
            fault.sent = isinstance(error, httpx.ReadError | httpx.WriteError | httpx.RemoteProtocolError)
            raise fault from None

    async def _body(self, answer: httpx.Response) -> bytes:
        """The unpacked body, never more than the cap of it (the library would unpack a bomb before we could count).

        Of a refusal a beginning is enough; that it is too large, or packed badly, must not hide that it is one.
        """
        refused = not answer.is_success
        most = MOST_REFUSAL_BYTES if refused else MOST_BYTES
        told = answer.headers.get("content-length", "")
        if not refused and told.isdecimal() and int(told) > most:
            raise self._too_large()
        packed = answer.headers.get("content-encoding", "").strip().lower() in ("gzip", "x-gzip")
        unpack = zlib.decompressobj(wbits=31) if packed else None
        parts: list[bytes] = []
        size = received = 0
        try:
            async for chunk in answer.aiter_raw():
                received += len(chunk)
                for part in (chunk,) if unpack is None else _unpacked(unpack, chunk):
                    parts.append(part)
                    size += len(part)
                    if size > most or received > most:
                        if refused:
                            return b"".join(parts)[:most]
                        raise self._too_large()
                    if unpack is not None and len(part) == PIECE_BYTES:
                        await asyncio.sleep(0)  # unpacking takes its time, and others are waiting
            if unpack is not None and received and (not unpack.eof or unpack.unused_data):
                raise zlib.error("the packed answer is cut off, or goes on after its end")
        except zlib.error:
            if not refused:
                raise
        return b"".join(parts)

    def _open(self) -> httpx.AsyncClient:
        from http.cookiejar import CookieJar, DefaultCookiePolicy

        from bot.systems._httpx import httpx

        if self._closed:
            raise LastingFault(
                self.label,
                f"{self.label} is not asked any more.",
                why="Rundown is about to stop.",
                fix="Ask again in a minute.",
            )
        if not all(re.fullmatch(r"[\x20-\x7e]*", value) for value in self._headers.values()):
            # Found here, as the library would show the whole header in its complaint.
            raise RefusedFault(
                self.label,
                f"{self.label} can't be asked with our key.",
                why="The key in the settings holds characters that no key has.",
                fix="Ask whoever set up Rundown to copy the key again.",
            )
        secure = self._base.startswith("https:")
        self._client = httpx.AsyncClient(
            headers={**self._headers, "Accept-Encoding": "gzip"},
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
            verify=_tls() if secure else False,
            limits=httpx.Limits(max_connections=16, max_keepalive_connections=16),
            timeout=httpx.Timeout(CALL_S, connect=CONNECT_S, pool=None),
            follow_redirects=False,
        )
        return self._client

    # Patience.

    def _patience(self) -> Patience:
        return PATIENCE.get() or Patience(self._pace.now() + PATIENCE_S)

    def _may_pass(self, error: BaseException, *, until: float) -> bool:
        """Whether asking again may help. A slow server is not asked again: that only makes it slower."""
        if isinstance(error, SlowDownFault):
            left_s = min(until - self._pace.now(), LONGEST_PAUSE_S * 2)
            return error.retry_at is None or error.retry_at <= self.now() + timedelta(seconds=left_s)
        return isinstance(error, UnavailableFault) and not isinstance(error, LastingFault)

    # What went wrong.

    def _error(self, method: str, status: int, headers: Mapping[str, str], raw: bytes) -> RundownError:
        judged = self._judged(status, raw)
        if judged is not None:
            return judged
        said = self._said(raw)
        if status == 429:
            seconds = retry_after_s(headers.get("retry-after"), self.now()) or self._pause_s
            self._pace.pause(seconds)
            return self._slow_down(seconds)
        if status in (401, 402, 403):
            return RefusedFault(
                self.label,
                f"{self.label} refuses our key." if status == 401 else f"{self.label} does not let our key do this.",
                why=said or ("The key is wrong, expired or revoked." if status == 401 else "It lacks the permission."),
                fix="Ask whoever set up Rundown to renew the key or its rights.",
            )
        if 300 <= status < 400:
            return self._unavailable(
                "It sends us to another address, which we never follow with a key.",
                "Ask whoever set up Rundown to look at its address in the settings.",
                lasting=True,
            )
        if status == 407:
            return self._unavailable(
                "A proxy on the way wants a login.", "Ask whoever set up Rundown to look at the proxy.", lasting=True
            )
        if status >= 500 or status in (408, 409, 421, 425):
            fault = self._unavailable(
                said or f"It answered with HTTP status {status}.",
                "Try again in a minute.",
                lasting=status in (409, 501, 505),
            )
            fault.sent = status == 408 or (status >= 500 and status not in (501, 505))
            fault.answered = True
            return fault
        why = said or f"It answered with HTTP status {status}."
        if method not in READING:
            fix = f"See in {self.label} itself what is in the way."
            return RejectedFault(self.label, f"{self.label} did not take the change.", why=why, fix=fix)
        fix = "Change the flags of your command; `help` shows what each takes."
        return RejectedFault(self.label, f"{self.label} did not take the question.", why=why, fix=fix)

    def _judged(self, status: int, raw: bytes) -> RundownError | None:
        try:
            judged = self._judge(status, raw)
        except Exception as error:  # an error body of a strange form must not hide what its status says
            log.warning("unreadable refusal of %s: %s", self.label, type(error).__name__)
            return None
        if judged is not None:
            judged.what, judged.why, judged.fix = map(self._clean, (judged.what, judged.why, judged.fix))
            judged.args = (judged.what,)
        return judged

    def _said(self, raw: bytes) -> str:
        """The server's own words; none when they can't be read."""
        try:
            words = self._complaint(raw)
        except Exception as error:  # as above
            log.warning("unreadable refusal of %s: %s", self.label, type(error).__name__)
            return ""
        return self._clean(_in_a_line(words))[:200]

    def _unavailable(self, why: str, fix: str, *, lasting: bool) -> UnavailableFault:
        kind = LastingFault if lasting else UnavailableFault
        return kind(self.label, f"{self.label} is not available right now.", why=why, fix=fix)

    def _no_way(self, why: str, told: str, *, lasting: bool) -> UnavailableFault:
        log.warning("no way to %s: %s", self.label, self._clean(told))
        kind = LastingFault if lasting else UnavailableFault
        fix = "Try again in a minute; if it stays so, ask whoever runs it."
        return kind(self.label, f"{self.label} can't be reached.", why=why, fix=fix)

    def _slow_down(self, seconds: float) -> SlowDownFault:
        return SlowDownFault(
            self.label,
            f"{self.label} takes no more calls right now.",
            why="Its limit of calls for this minute is used up.",
            fix=f"Try again in about {max(1, math.ceil(seconds))} s.",
            retry_at=self.now() + timedelta(seconds=seconds),
        )

    def _too_slow(self, waited_s: float, *, asked: bool) -> TooSlowFault:
        fault = TooSlowFault(
            self.label,
            f"{self.label} is too slow: no whole answer within {max(1, round(waited_s))} s.",
            why="It took the question but did not finish its answer."
            if asked
            else "It is still busy with earlier questions of ours.",
            fix="Try again in a minute.",
        )
        fault.sent = asked
        return fault

    def _too_large(self) -> SystemFault:
        fault = TooLargeFault(
            self.label,
            f"{self.label}'s answer is too large.",
            why=f"It is over {MOST_BYTES // 1024**2} MiB.",
            fix="Narrow the question, for example with --since 7d or --limit 50.",
        )
        fault.sent = True
        return fault

    def _unreadable(self, why: str) -> UnreadableFault:
        fault = UnreadableFault(
            self.label,
            f"{self.label} answered something that can't be read.",
            why=why,
            fix=f"Try again in a minute; if it stays so, look whether {self.label} is under maintenance.",
        )
        fault.sent = True
        return fault

    def _clean(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, "•••")
        return text


_WEB_PAGE = "It sent a web page where data belongs."
_UNREADABLE = (msgspec.MsgspecError, RecursionError, UnicodeError, ValueError)


def retry_after_s(value: str | None, now: datetime) -> float | None:
    """Seconds to wait as `Retry-After` says, as a number or a date: 1 s to 10 min. None when it says nothing."""
    if value is None or not value.strip():
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            moment = parsedate_to_datetime(value)
            seconds = ((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - now).total_seconds()
        except (ValueError, TypeError, IndexError, OverflowError):
            return None
    return None if math.isnan(seconds) else min(max(seconds, 1.0), LONGEST_PAUSE_S)


async def _unharmed(exchange: Coroutine[Any, Any, T], limit_s: float) -> T:
    """What it gives within so many seconds, else TimeoutError. Whoever gives up lets it clean up behind itself.

    httpcore shields its cleaning up from cancel scopes only: a bare `Task.cancel()` at the wrong moment leaves a
    connection that its pool takes for busy ever after, and a few of these are the end of the pool.
    """
    import anyio

    scope = anyio.CancelScope(deadline=anyio.current_time() + limit_s)

    async def inside() -> T:
        with scope:
            return await exchange
        raise TimeoutError

    task = asyncio.create_task(inside(), name="exchange")
    task.add_done_callback(_heard)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        scope.cancel()
        await asyncio.wait({task})
        raise


def _heard(task: asyncio.Task[Any]) -> None:
    """Look at the outcome, so that a failure nobody waited for any more is not reported as forgotten."""
    if not task.cancelled():
        task.exception()


def _is_web_page(raw: bytes) -> bool:
    return raw.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"<"


def _unpacked(unpack: Any, packed: bytes) -> Iterator[bytes]:
    """What this much packed data holds, in pieces. Raises zlib.error."""
    if unpack.eof and packed:
        raise zlib.error("the packed answer goes on after its end")
    while not unpack.eof:
        part = unpack.decompress(packed, PIECE_BYTES)
        packed = unpack.unconsumed_tail
        yield part
        if not packed and len(part) < PIECE_BYTES:
            return


def _is_about_encryption(error: BaseException | None) -> bool:
    while error is not None and not isinstance(error, ssl.SSLError):
        error = error.__cause__ or error.__context__
    return error is not None


def _every_form(secrets: tuple[str, ...]) -> tuple[str, ...]:
    """Secrets as they may be repeated to us: as they are, and as text in code, addresses and web pages has them."""
    forms = {form(each) for each in secrets if each for form in (str, _in_a_line, _as_code, _as_address, html.escape)}
    return tuple(sorted(forms, key=len, reverse=True))


def _in_a_line(text: str) -> str:
    return " ".join(text.split())


def _as_code(text: str) -> str:
    return repr(text)[1:-1]


def _as_address(text: str) -> str:
    return quote(text, safe="")


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
