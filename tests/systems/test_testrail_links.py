"""Which web addresses are runs of this TestRail."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bot.systems import testrail
from bot.systems._pace import Pace
from bot.systems._spec import Account

CLOUD, OWN = "https://acme.testrail.io", "https://qa.acme.example:8443/testrail/"


def connection(url: str) -> testrail.TestRail:
    account = Account("tr", {"url": url, "user": "u", "key": "k"}, Pace(None), lambda: datetime.now(UTC))
    return testrail.TestRail(account)


@pytest.mark.parametrize(
    ("root", "url", "ref"),
    [
        (CLOUD, "https://acme.testrail.io/index.php?/runs/view/81", "tr:R81"),
        (CLOUD, "https://ACME.testrail.io/index.php?/runs/view/81", "tr:R81"),
        (CLOUD, "https://acme.testrail.io:443/index.php?/runs/view/81", "tr:R81"),
        (CLOUD, "https://acme.testrail.io/index.php?/runs/view/81&group_by=cases:section_id&group_id=5", "tr:R81"),
        (CLOUD, "https://acme.testrail.io/index.php?/runs/view/81#comment", "tr:R81"),
        (CLOUD, "https://acme.testrail.io/index.php?/plans/view/80", "tr:P80"),
        (CLOUD, "https://acme.testrail.io/index.php?/runs/view/81/", "tr:R81"),
        (CLOUD, "https://acme.testrail.io/index.php?%2Fruns%2Fview%2F81", "tr:R81"),
        (CLOUD + "/", "https://acme.testrail.io/index.php?/runs/view/81", "tr:R81"),
        (CLOUD + "/index.php?/dashboard", "https://acme.testrail.io/index.php?/runs/view/81", "tr:R81"),
        (OWN, "https://qa.acme.example:8443/testrail/index.php?/runs/view/81", "tr:R81"),
        (OWN, " https://qa.acme.example:8443/testrail/index.php?/plans/view/9&x=y ", "tr:P9"),
    ],
)
def test_reads_the_addresses_of_runs_and_plans(root: str, url: str, ref: str) -> None:
    assert str(connection(root).read_link(url)) == ref


@pytest.mark.parametrize(
    "url",
    [
        "",
        "R81",
        "https://acme.testrail.io/",
        "https://acme.testrail.io/index.php",
        "https://acme.testrail.io/index.php?/tests/view/81",
        "https://acme.testrail.io/index.php?/cases/view/81",
        "https://acme.testrail.io/index.php?/runs/overview/1",
        "https://acme.testrail.io/index.php?/runs/view/0",
        "https://acme.testrail.io/index.php?/runs/view/-5",
        "https://acme.testrail.io/index.php?/runs/view/٨١",
        "https://acme.testrail.io/index.php?/runs/view/" + "9" * 5000,
        "https://acme.testrail.io/index.php?/runs/view/81.5",
        "https://acme.testrail.io/index.php?/runs/view/81\n82",
        "https://acme.testrail.io/index.php?x=1&/runs/view/81",
        "https://acme.testrail.io/index.php?/api/v2/get_run/81",
        "https://acme.testrail.io/other/index.php?/runs/view/81",
        "https://acme.testrail.io/runs/view/81",
        "http://acme.testrail.io/index.php?/runs/view/81",
        "https://acme.testrail.io:8443/index.php?/runs/view/81",
        "https://acme.testrail.io.evil.example/index.php?/runs/view/81",
        "https://evil.example/index.php?/runs/view/81",
        "https://user@acme.testrail.io/index.php?/runs/view/81",
        "https://acme.testrail.io@evil.example/index.php?/runs/view/81",
        "https://evil.example\\@acme.testrail.io/index.php?/runs/view/81",
        "javascript:https://acme.testrail.io/index.php?/runs/view/81",
        "file:///index.php?/runs/view/81",
        "https://[::1/index.php?/runs/view/81",
        "https://acme.testrail.io:99999/index.php?/runs/view/81",
        "https://acme.testrail.io:x/index.php?/runs/view/81",
        "https://acme。testrail.io/index.php?/runs/view/81",
        "//acme.testrail.io/index.php?/runs/view/81",
        "https://\udc80/index.php?/runs/view/81",
    ],
)
def test_any_other_address_is_none(url: str) -> None:
    assert connection(CLOUD).read_link(url) is None


@pytest.mark.parametrize(
    "url",
    [
        "https://qa.acme.example:8443/index.php?/runs/view/81",
        "https://qa.acme.example/testrail/index.php?/runs/view/81",
        "https://qa.acme.example:8443/testrail2/index.php?/runs/view/81",
        "https://qa.acme.example:8443/testrail/../testrail/index.php?/runs/view/81",
    ],
)
def test_port_and_sub_path_belong_to_the_address(url: str) -> None:
    assert connection(OWN).read_link(url) is None
