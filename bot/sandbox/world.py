"""The small company that all sample systems and the local Slack tell about.

Acme sells things on the web. Its people have the same email address everywhere, so that a person in Slack is found
in each system; their numbers differ from system to system, as in life.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Colleague:
    """One employee, with that person's ids in Slack and in the systems; None where a system does not know them."""

    name: str
    email: str
    slack: str
    testmo: int | None
    testrail: int | None
    practitest: int | None
    role: str = "member"


ANA = Colleague("Ana Kovač", "ana@acme.example", "U0ANA00001", 2, 6, 5380, "admin")
TOM = Colleague("Tom Becker", "tom@acme.example", "U0TOM00002", 3, 7, 5381)
LEA = Colleague("Lea Martin", "lea@acme.example", "U0LEA00003", 4, 8, 5382)
MAX = Colleague("Max Ngo", "max@acme.example", "U0MAX00004", 5, 9, None)
GUS = Colleague("Gus (agency guest)", "gus@agency.example", "U0GUS00005", None, None, None, "guest")
OLGA = Colleague("Olga from Partner Ltd", "olga@partner.example", "U0OLGA0006", None, None, None, "outsider")

COLLEAGUES = (ANA, TOM, LEA, MAX, GUS, OLGA)

#: Names that try to ping, link, format or run something where they are shown.
HOSTILE_NAMES = (
    "<!channel> checkout <@U0ANA00001> *bold* _it_ ~gone~ `code`",
    "Pay </a><https://evil.example|Pass> &amp; {{ 7*7 }} {% raw %}",
    "> quoted\n:fire: \u202egnp.exe \u200bzero width %s {0.__class__}",
)
