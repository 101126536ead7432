"""Who may change what: every role, verb and rule against rules written down a second time."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import product
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as some

from bot.domain.access import ADMINS_ONLY, ALLOWABLE, Actor, Grant, Role, decide
from bot.domain.acts import WRITES

NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)
ROLES: tuple[Role, ...] = ("owner", "admin", "member", "guest", "outsider", "bot")
VERBS = (*WRITES, "allow", "deny")
#: Subjects of rules: the person, somebody else, a group of theirs, another group, a group by the person's own id.
SUBJECTS: tuple[tuple[Literal["user", "group"], str], ...] = (
    ("user", "U1"), ("user", "U2"), ("group", "S1"), ("group", "S9"), ("group", "U1"), ("user", "S1")
)  # fmt: skip


def who(role: Role, *, admin: bool = False) -> Actor:
    return Actor(user="U1", name="Ana", team="T1", role=role, admin=admin, groups=frozenset({"S1", "S2"}))


def rule(verb: str, subject: tuple[Literal["user", "group"], str], channel: str, allow: bool) -> Grant:
    return Grant(verb=verb, kind=subject[0], subject=subject[1], channel=channel, allow=allow, by="U9", at=NOW)


def expected(verb: str, actor: Actor, grants: list[Grant]) -> bool:
    """The rules again, from the page that promises them, for the channel C1."""
    if actor.role in {"guest", "outsider", "bot"}:
        return False
    if actor.role in {"owner", "admin"} or actor.admin:
        return True
    if verb in {"delete", "allow", "deny"}:
        return False
    mine = {("user", "U1"), ("group", "S1"), ("group", "S2")}
    says = {
        each.allow
        for each in grants
        if (each.kind, each.subject) in mine and each.verb in {verb, "all"} and each.channel in {"C1", ""}
    }
    return says == {True}


EVERY_RULE = [
    rule(verb, subject, channel, allow)
    for verb, subject, channel, allow in product(("close", "all", "note"), SUBJECTS, ("C1", "C2", ""), (True, False))
]


@pytest.mark.parametrize("admin", [False, True])
@pytest.mark.parametrize("role", ROLES)
def test_each_rule_alone_lets_through_whom_it_should(role: Role, admin: bool) -> None:
    actor = who(role, admin=admin)
    for verb, grant in product(VERBS, EVERY_RULE):
        assert decide(verb, actor, "C1", [grant]).allowed is expected(verb, actor, [grant]), (verb, grant)


@pytest.mark.parametrize("role", ["member", "guest", "admin"])
def test_any_two_rules_together_let_through_whom_they_should(role: Role) -> None:
    actor = who(role)
    for one, other in product(EVERY_RULE, EVERY_RULE):
        assert decide("close", actor, "C1", [one, other]).allowed is expected("close", actor, [one, other]), (
            one,
            other,
        )


@given(
    verb=some.sampled_from(VERBS),
    role=some.sampled_from(ROLES),
    admin=some.booleans(),
    grants=some.lists(some.sampled_from(EVERY_RULE), max_size=6),
)
def test_any_rules_let_through_whom_they_should_in_any_order(
    verb: str, role: Role, admin: bool, grants: list[Grant]
) -> None:
    actor = who(role, admin=admin)
    allowed = expected(verb, actor, grants)
    assert decide(verb, actor, "C1", grants).allowed is allowed
    assert decide(verb, actor, "C1", list(reversed(grants))).allowed is allowed


@pytest.mark.parametrize(("role", "verb"), [*product(ROLES, VERBS)])
def test_without_rules_only_admins_change_anything(role: Role, verb: str) -> None:
    assert decide(verb, who(role), "C1", []).allowed is (role in ("owner", "admin"))


@pytest.mark.parametrize(("role", "verb"), [*product(ROLES, VERBS)])
def test_in_read_mode_nobody_changes_anything(role: Role, verb: str) -> None:
    verdict = decide(verb, who(role, admin=True), "C1", [rule("all", ("user", "U1"), "", True)], read_only=True)
    assert (verdict.allowed, verdict.askable) == (False, False)
    assert "read mode" in verdict.rule


@pytest.mark.parametrize(
    ("role", "verb", "grants", "askable", "named"),
    [
        ("member", "close", [], True, None),
        ("member", "close", [rule("close", ("user", "U1"), "", False)], True, 0),
        (
            "member",
            "close",
            [rule("all", ("group", "S1"), "", True), rule("close", ("user", "U1"), "C1", False)],
            True,
            1,
        ),
        ("member", "close", [rule("note", ("user", "U1"), "", False)], True, None),
        ("member", "delete", [rule("all", ("user", "U1"), "", True)], False, None),
        ("guest", "close", [rule("all", ("user", "U1"), "", True)], False, None),
        ("outsider", "close", [], False, None),
        ("bot", "note", [], False, None),
    ],
)
def test_a_refusal_names_its_rule_and_whether_an_admin_could_allow_it(
    role: Role, verb: str, grants: list[Grant], askable: bool, named: int | None
) -> None:
    verdict = decide(verb, who(role), "C1", grants)
    assert (verdict.allowed, verdict.askable) == (False, askable)
    assert verdict.grant == (None if named is None else grants[named])
    assert verdict.rule.endswith(".")


def test_what_is_allowed_names_the_rule_that_allows_it() -> None:
    grants = [rule("note", ("user", "U1"), "", True), rule("all", ("group", "S2"), "C1", True)]
    assert decide("close", who("member"), "C1", grants).grant == grants[1]


@pytest.mark.parametrize(("role", "admin", "rules"), [
    ("owner", False, True), ("admin", False, True), ("member", False, False), ("member", True, True),
    ("guest", True, False), ("outsider", True, False), ("bot", True, False),
])  # fmt: skip
def test_admins_are_the_workspaces_own_and_those_the_settings_name(role: Role, admin: bool, rules: bool) -> None:
    assert who(role, admin=admin).rules is rules


def test_deleting_and_allowing_can_not_be_allowed() -> None:
    assert set(ALLOWABLE) == set(WRITES) - ADMINS_ONLY == {"close", "start", "edit", "note", "link", "attach", "report"}
