"""Which web addresses are runs of this Testmo. Nothing is ever fetched for it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bot.domain.model import RunRef
from bot.systems import system
from bot.systems._pace import Pace
from bot.systems._spec import Account
from bot.usecases.ports import Connection


def connection(url: str) -> Connection:
    options = {"url": url, "token": "t", "project": None, "close_manual_runs": False}
    return system("testmo").connect(Account("web", options, Pace(), lambda: datetime.now(UTC)))


@pytest.mark.parametrize(
    ("url", "short"),
    [
        ("https://acme.testmo.net/automation/runs/view/412", "A412"),
        ("https://acme.testmo.net/runs/view/118", "R118"),
        ("https://acme.testmo.net/runs/view/118/", "R118"),
        ("https://acme.testmo.net/runs/view/118?group_id=7&test_id=64", "R118"),
        ("https://acme.testmo.net/runs/view/118#results", "R118"),
        ("https://acme.testmo.net/automation/runs/view/412/threads/3?tab=errors&x=<y>", "A412"),
        ("HTTPS://ACME.Testmo.net/runs/view/1", "R1"),
        ("https://acme.testmo.net:443/runs/view/1", "R1"),
    ],
)
def test_reads_addresses_of_runs(url: str, short: str) -> None:
    ref = connection("https://acme.testmo.net/").read_link(url)
    assert ref is not None
    assert (ref.connection, ref.short) == ("web", short)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "nonsense",
        "https://",
        "https://acme.testmo.net",
        "https://acme.testmo.net/",
        "https://acme.testmo.net/runs/view/",
        "https://acme.testmo.net/runs/view/0",
        "https://acme.testmo.net/runs/view/007",
        "https://acme.testmo.net/runs/view/-1",
        "https://acme.testmo.net/runs/view/1.5",
        "https://acme.testmo.net/runs/view/12x",
        "https://acme.testmo.net/runs/view/" + "9" * 5_000,
        "https://acme.testmo.net/runs/view/１２",
        "https://acme.testmo.net/runs/view/١٢",
        "https://acme.testmo.net/runs/overview/1",
        "https://acme.testmo.net/repositories/1?group_id=2&case_id=3",
        "https://acme.testmo.net/api/v1/runs/1",
        "https://acme.testmo.net/x/runs/view/1",
        "https://acme.testmo.net/?/runs/view/1",
        "https://acme.testmo.net/runs%2Fview%2F1",
        "https://other.testmo.net/runs/view/1",
        "https://acme.testmo.net.evil.example/runs/view/1",
        "https://acme.testmo.net./runs/view/1",
        "https://user@acme.testmo.net/runs/view/1",
        "https://acme.testmo.net@evil.example/runs/view/1",
        "https://evil.example\\@acme.testmo.net/runs/view/1",
        "https://acme.testmo.net\\@evil.example/runs/view/1",
        "https://acme.testmo.net:8443/runs/view/1",
        "https://acme.testmo.net:99999999/runs/view/1",
        "https://acme.testmo.net:x/runs/view/1",
        "http://acme.testmo.net/runs/view/1",
        "ftp://acme.testmo.net/runs/view/1",
        "javascript:acme.testmo.net/runs/view/1",
        "//acme.testmo.net/runs/view/1",
        "https://[::1/runs/view/1",
        "https://[::1]/runs/view/1",
        "https://169.254.169.254/runs/view/1",
        "https://acme.testmo.net/runs/vi\new/1",
        "https://acme.testmo.net/runs/view/1 2",
        "https://acme.testmo.net/runs/view/1\x00",
        "https://ａｃｍｅ.testmo.net/runs/view/1",
        "https://acme.testmo.net／runs/view/1",
        "\udcff://acme.testmo.net/runs/view/1",
    ],
)
def test_anything_else_is_no_run(url: str) -> None:
    assert connection("https://acme.testmo.net").read_link(url) is None


def test_port_and_sub_path_are_part_of_the_address() -> None:
    here = connection("http://127.0.0.1:8000/testmo")
    assert here.read_link("http://127.0.0.1:8000/testmo/runs/view/5?x=1") == RunRef("web", "R", 5)
    for url in (
        "http://127.0.0.1:8000/runs/view/5",
        "http://127.0.0.1:8000/testmo2/runs/view/5",
        "http://127.0.0.1:8001/testmo/runs/view/5",
        "http://127.0.0.1/testmo/runs/view/5",
    ):
        assert here.read_link(url) is None


def test_the_address_of_the_api_is_taken_for_that_of_the_instance() -> None:
    assert connection("https://acme.testmo.net/api/v1").read_link("https://acme.testmo.net/runs/view/5") is not None
