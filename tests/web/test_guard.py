"""Who may come in: only what Slack signed, lately, once."""

from __future__ import annotations

import hashlib
import hmac
import time

import pytest
from hypothesis import given
from hypothesis import strategies as some
from multidict import CIMultiDict

from bot.web.guard import OLDEST_S, Seen, is_from_slack

SECRET = "51gn1ng"
NOW = 1_763_600_000
BODY = b"command=%2Fruns&text=list"


def signature(body: bytes = BODY, timestamp: str = str(NOW), secret: str = SECRET) -> str:
    return "v0=" + hmac.new(secret.encode(), f"v0:{timestamp}:".encode() + body, hashlib.sha256).hexdigest()


def headers(signed: str | None = None, timestamp: str = str(NOW)) -> CIMultiDict[str]:
    signed = signature(timestamp=timestamp) if signed is None else signed
    return CIMultiDict({"X-Slack-Request-Timestamp": timestamp, "X-Slack-Signature": signed})


def test_what_slack_signed_may_come_in() -> None:
    assert is_from_slack(SECRET, headers(), BODY, NOW)
    assert is_from_slack(SECRET, {key.lower(): value for key, value in headers().items()}, BODY, NOW)
    assert is_from_slack(SECRET, headers(signature(b"")), b"", NOW + 0.5)


RIGHT = signature()
DIGITS = RIGHT.removeprefix("v0=")


@pytest.mark.parametrize("place", range(len(RIGHT)))
def test_a_signature_with_one_other_character_is_none(place: int) -> None:
    for other in ("0", "f", "F", "g", " ", "=", "é"):
        if RIGHT[place] != other:
            assert not is_from_slack(SECRET, headers(RIGHT[:place] + other + RIGHT[place + 1 :]), BODY, NOW)


@pytest.mark.parametrize(
    "signed",
    [
        "",
        " ",
        "v0=",
        "v0",
        DIGITS,
        f"v1={DIGITS}",
        f"V0={DIGITS}",
        f"v0={DIGITS.upper()}",
        f" {RIGHT}",
        f"{RIGHT} ",
        f"{RIGHT}\n",
        f"{RIGHT}0",
        RIGHT[:-1],
        f"{RIGHT},{RIGHT}",
        "v0=" + "é" * 64,
        "v0=" + "٣" * 64,
        "v0=" + "\ud800" * 64,
        "v0=" + "0" * 1_000_000,
        "v0=\x00" + DIGITS[1:],
    ],
)
def test_what_is_not_the_signature_is_not_taken_for_it(signed: str) -> None:
    assert not is_from_slack(SECRET, headers(signed), BODY, NOW)


@pytest.mark.parametrize("place", range(len(BODY)))
def test_a_body_with_one_other_byte_is_not_slacks(place: int) -> None:
    changed = bytearray(BODY)
    changed[place] ^= 1
    assert not is_from_slack(SECRET, headers(), bytes(changed), NOW)


@pytest.mark.parametrize(
    ("age_s", "fine"),
    [(0, True), (299, True), (300, True), (301, False), (-299, True), (-300, True), (-301, False), (10**9, False)],
)
def test_what_was_signed_long_ago_or_ahead_of_time_is_refused(age_s: int, fine: bool) -> None:
    assert is_from_slack(SECRET, headers(timestamp=str(NOW - age_s)), BODY, NOW) is fine


@pytest.mark.parametrize(
    "timestamp",
    [
        "",
        " ",
        "abc",
        "-1",
        "+1",
        "1.5",
        "1e9",
        "0x10",
        "9" * 5_000,
        "9" * 13,
        "١٧٦٣٦٠٠٠٠٠",
        "１７６３６",
        f"{NOW}\n",
        f" {NOW}",
        "nan",
    ],
)
def test_a_timestamp_that_is_none_is_refused_at_once(timestamp: str) -> None:
    began = time.thread_time()
    assert not is_from_slack(SECRET, headers(timestamp=timestamp), BODY, NOW)
    assert time.thread_time() - began < 0.05


@pytest.mark.parametrize("missing", ["X-Slack-Request-Timestamp", "X-Slack-Signature"])
def test_without_one_of_the_headers_nobody_comes_in(missing: str) -> None:
    some_of_them = headers()
    del some_of_them[missing]
    assert not is_from_slack(SECRET, some_of_them, BODY, NOW)
    assert not is_from_slack(SECRET, {}, BODY, NOW)


@pytest.mark.parametrize("name", ["X-Slack-Request-Timestamp", "x-slack-signature"])
@pytest.mark.parametrize("first", [True, False])
def test_a_header_that_is_there_twice_is_not_slacks(name: str, first: bool) -> None:
    right = headers()
    twice = CIMultiDict([(name, "other"), *right.items()] if first else [*right.items(), (name, "other")])
    assert not is_from_slack(SECRET, twice, BODY, NOW)


def test_without_a_secret_nobody_comes_in() -> None:
    assert not is_from_slack("", headers(signature(secret="")), BODY, NOW)


def test_another_secret_does_not_open_the_door() -> None:
    assert not is_from_slack(SECRET, headers(signature(secret="other")), BODY, NOW)


@given(some.text(min_size=1), some.text(), some.text(), some.binary(), some.floats(allow_nan=True))
def test_whatever_comes_is_refused_without_an_error(
    secret: str, timestamp: str, signed: str, body: bytes, now: float
) -> None:
    assert not is_from_slack(secret, headers(signed, timestamp), body, now)


@given(
    some.text(some.characters(codec="utf-8"), min_size=1),
    some.binary(),
    some.integers(0, 10**11),
    some.integers(-600, 600),
)
def test_whatever_is_signed_comes_in_within_five_minutes(secret: str, body: bytes, at: int, age_s: int) -> None:
    right = headers(signature(body, str(at), secret), str(at))
    assert is_from_slack(secret, right, body, at + age_s) is (abs(age_s) <= OLDEST_S)


def test_a_secret_that_is_no_text_opens_nothing() -> None:
    assert not is_from_slack("\ud800", headers(), BODY, NOW)


# ── replays ──


class Clock:
    def __init__(self) -> None:
        self.at = 1_000.0

    def __call__(self) -> float:
        return self.at


@pytest.mark.parametrize(
    ("later_s", "first"),
    [(0, False), (1, False), (599, False), (600, False), (1_801, True), (100_000, True), (-50, False)],
)
def test_a_key_is_first_once_as_long_as_a_signature_is_good(later_s: float, first: bool) -> None:
    clock = Clock()
    seen = Seen(clock)
    assert seen.first("a")
    clock.at += later_s
    assert seen.first("a") is first
    assert seen.first("b")


@given(some.lists(some.tuples(some.floats(0, 400), some.sampled_from("abc")), max_size=40))
def test_no_key_comes_twice_within_its_time(steps: list[tuple[float, str]]) -> None:
    clock, last = Clock(), dict[str, float]()
    seen = Seen(clock, kept_s=600)
    for passed_s, key in steps:
        clock.at += passed_s
        if seen.first(key):
            assert clock.at - last.get(key, -1e9) > 600
            last[key] = clock.at


def test_old_keys_are_forgotten() -> None:
    clock = Clock()
    seen = Seen(clock, kept_s=10)
    for number in range(10_000):
        clock.at += 0.1
        assert seen.first(str(number))
    assert len(seen._young) + len(seen._old) < 400
