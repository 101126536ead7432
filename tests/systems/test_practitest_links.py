"""Which web addresses are test sets of this PractiTest. Nothing is ever fetched for it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bot.domain.model import RunRef
from bot.systems import system
from bot.systems._pace import Pace
from bot.systems._spec import Account
from bot.usecases.ports import Connection

PAGES = "https://prod.practitest.com"


def connection(web_url: str = PAGES) -> Connection:
    options: dict[str, str | int | bool | None] = {
        "url": "https://api.practitest.com/api/v2",
        "token": "t",
        "project": 4566,
        "web_url": web_url,
    }
    return system("practitest").connect(Account("uat", options, Pace(), lambda: datetime.now(UTC)))


@pytest.mark.parametrize(
    "path",
    [
        "/p/4566/sets/55/edit",
        "/p/4566/sets/55",
        "/p/4566/sets/55/",
        "/p/4566/sets/55/edit?filter=323&page=2",
        "/p/4566/sets/55/edit#instances",
        "/p/4566/sets/55/instances/98142/edit",
        "/p/4566/sets/55/instances/98142",
        "/p/4566/sets/55/instances",
        "/p/9999/sets/55/edit",
    ],
)
def test_reads_addresses_of_sets_and_instances(path: str) -> None:
    assert connection().read_link(PAGES + path) == RunRef("uat", "S", 55)


@pytest.mark.parametrize(
    ("web_url", "url"),
    [
        ("https://eu.practitest.example", "https://EU.practitest.example/p/1/sets/55/edit"),
        ("https://prod.practitest.com/", "https://prod.practitest.com:443/p/1/sets/55/edit"),
        ("https://qa.acme.example:8443/pt/", "https://qa.acme.example:8443/pt/p/1/sets/55/edit"),
        ("http://127.0.0.1:4100", "http://127.0.0.1:4100/p/1/sets/55"),
    ],
)
def test_reads_addresses_of_wherever_the_pages_are(web_url: str, url: str) -> None:
    assert connection(web_url).read_link(url) == RunRef("uat", "S", 55)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "55",
        "//prod.practitest.com/p/1/sets/55",
        "http://prod.practitest.com/p/1/sets/55",
        "ftp://prod.practitest.com/p/1/sets/55",
        "file:///p/1/sets/55",
        "javascript:alert(1)",
        "https://prod.practitest.com:8443/p/1/sets/55",
        "https://prod.practitest.com.evil.example/p/1/sets/55",
        "https://evil.example/p/1/sets/55?https://prod.practitest.com",
        "https://me@prod.practitest.com/p/1/sets/55",
        "https://prod.practitest.com@evil.example/p/1/sets/55",
        "https://prod.practitest.com\\@evil.example/p/1/sets/55",
        "https://prod.practitest.com/p/1/sets/55 x",
        "https://prod.practitest.com/p/1/sets/5\n5",
        "https://prod.practitest.com/p/1/sets/\u200b55",
        "https://api.practitest.com/api/v2/projects/1/sets/55.json",
        "https://prod.practitest.com/p/1/sets",
        "https://prod.practitest.com/p/1/sets/",
        "https://prod.practitest.com/p/1/sets/0",
        "https://prod.practitest.com/p/1/sets/-5",
        "https://prod.practitest.com/p/1/sets/5x",
        "https://prod.practitest.com/p/1/sets/new",
        "https://prod.practitest.com/p/x/sets/55",
        "https://prod.practitest.com/p/1/tests/80893/edit",
        "https://prod.practitest.com/x/p/1/sets/55",
        "https://prod.practitest.com/p/1/sets/٥٥",
        "https://prod.practitest.com/p/1/sets/" + "5" * 30,
        "https://prod.practitest.com/p/1/sets/55?" + "x" * 3000,
        "https://[::1/p/1/sets/55",
        "https://prod.practitest.com:99999/p/1/sets/55",
        "https://2130706433/p/1/sets/55",
        "https://169.254.169.254/p/1/sets/55",
    ],
)
def test_takes_no_other_address(url: str) -> None:
    assert connection().read_link(url) is None


def test_keeps_to_the_path_its_pages_are_below() -> None:
    assert connection("https://qa.acme.example/pt").read_link("https://qa.acme.example/p/1/sets/55") is None
    assert connection("https://qa.acme.example/pt").read_link("https://qa.acme.example/ptx/p/1/sets/55") is None


def test_the_pages_are_at_prod_if_nothing_else_is_told() -> None:
    assert connection("").read_link("https://prod.practitest.com/p/1/sets/55") == RunRef("uat", "S", 55)
    assert connection("").read_link("/p/1/sets/55") is None
