"""What of a pasted address is below the address of a system."""

from __future__ import annotations

import pytest

from bot.systems._links import Below, as_page, below

ROOT = "https://qa.acme.example:8443/testrail"


@pytest.mark.parametrize(
    ("url", "rest"),
    [
        (f"{ROOT}/index.php?/runs/view/81&x=y#z", Below("/index.php", "/runs/view/81&x=y")),
        (f" {ROOT}/runs/view/81\n", Below("/runs/view/81", "")),
        ("HTTPS://QA.acme.example:8443/testrail/", Below("/", "")),
        (ROOT, None),
        (f"{ROOT}2/runs", None),
        ("https://qa.acme.example/testrail/runs", None),
        ("http://qa.acme.example:8443/testrail/runs", None),
        ("https://qa.acme.example:8443/other", None),
        ("https://me@qa.acme.example:8443/testrail/runs", None),
        ("https://qa.acme.example:8443\\@evil.example/testrail/runs", None),
        (f"{ROOT}/a b", None),
        (f"{ROOT}/\u200b", None),
        (f"{ROOT}/" + "x" * 2_000, None),
        ("https://[::1/testrail", None),
        ("https://qa.acme.example:x/testrail", None),
        ("", None),
    ],
)
def test_only_addresses_of_this_very_system_have_a_rest(url: str, rest: Below | None) -> None:
    assert below(ROOT, url) == rest


def test_the_usual_port_may_be_left_out() -> None:
    assert below("https://acme.example", "https://acme.example:443/runs") == Below("/runs", "")
    assert below("http://acme.example:80", "http://acme.example/runs") == Below("/runs", "")


def test_braces_of_an_address_are_none_of_a_pages() -> None:
    assert (as_page("https://acme.example/{x}") + "/{id}").format(id=5) == "https://acme.example/%7Bx%7D/5"
