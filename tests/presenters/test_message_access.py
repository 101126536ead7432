"""What is said about who may change what: the rule is named, the admins decide, and only they can."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

import pytest

from bot.presenters import messages
from bot.presenters.message import Message
from tests.presenters.samples import GRANT, GRANTS, NOW, REFUSED, REQUEST
from tests.presenters.snapshots import readable


def elements(message: Message) -> list[dict[str, Any]]:
    """All that can be pressed, beside the text and below it."""
    inside = [block["accessory"] for block in message.blocks if "accessory" in block]
    below = [element for block in message.blocks if block["type"] == "actions" for element in block["elements"]]
    return [*inside, *below]


def test_a_refusal_names_the_rule_and_the_way_out() -> None:
    message = messages.refusal(REFUSED, verb="close", askable=True, value="close testrail:R118")
    assert "🔒 *You can't close runs here yet.*\nAn admin has to allow it.\n" in readable(message)
    assert readable(message).count("An admin") == 2  # once for screen readers, once to be read
    assert [(it["action_id"], it["value"]) for it in elements(message)] == [("access:ask", "close testrail:R118")]


def test_what_nobody_can_allow_is_not_asked_for() -> None:
    message = messages.refusal(REFUSED, verb="delete", askable=False, value="x")
    assert elements(message) == []


@pytest.mark.parametrize(
    ("channel", "actions"),
    [
        ("C0RELEASE01", ["access:here", "access:everywhere", "access:decline"]),
        ("G0RELEASE01", ["access:here", "access:everywhere", "access:decline"]),
        ("D0BEN00001", ["access:everywhere", "access:decline"]),
        ("", ["access:everywhere", "access:decline"]),
    ],
)
def test_admins_decide_for_a_channel_only_where_there_is_one(channel: str, actions: list[str]) -> None:
    message = messages.access_request(replace(REQUEST, channel=channel), where="", now=NOW)
    assert [it["action_id"] for it in elements(message)] == actions
    assert {it["value"] for it in elements(message)} == {"r1"}


@pytest.mark.parametrize(
    ("settled", "told"),
    [
        ("here", "✅ *Allowed in #release* by <@U0ANA00001>"),
        ("everywhere", "✅ *Allowed everywhere* by <@U0ANA00001>"),
        ("declined", "⛔ <@U0ANA00001> declined"),
    ],
)
def test_a_decision_stands_where_the_buttons_were(
    settled: Literal["here", "everywhere", "declined"], told: str
) -> None:
    request = replace(REQUEST, settled=settled, settled_by="U0ANA00001")
    message = messages.access_request(request, where="#release", now=NOW)
    assert told in readable(message)
    assert elements(message) == []


@pytest.mark.parametrize(
    ("where", "channel", "told"),
    [
        ("#release", "C0RELEASE01", "in #release."),
        ("", "C0RELEASE01", "in <#C0RELEASE01>."),
        ("C0RELEASE01", "C0RELEASE01", "in <#C0RELEASE01>."),
        ("", "D0BEN00001", "in a direct message."),
        ("D0BEN00001", "D0BEN00001", "in a direct message."),
        ("", "", "in Slack."),
    ],
)
def test_admins_hear_where_it_was_tried(where: str, channel: str, told: str) -> None:
    message = messages.access_request(replace(REQUEST, channel=channel), where=where, now=NOW)
    assert f"<@U0BEN00001> would like to *close runs* {told}\n" in readable(message)


@pytest.mark.parametrize(
    ("settled", "told"),
    [
        ("here", "✅ You may *close runs* in <#C0RELEASE01> now, <@U0ANA00001> allowed it."),
        ("everywhere", "✅ You may *close runs* everywhere now, <@U0ANA00001> allowed it."),
        ("declined", "⛔ <@U0ANA00001> declined: you can't close runs in <#C0RELEASE01>.\nYou had tried `close R118`"),
        ("", "⏳ The admins have not decided yet whether you may *close runs*."),
    ],
)
def test_who_asked_hears_the_decision(settled: Literal["", "here", "everywhere", "declined"], told: str) -> None:
    request = replace(REQUEST, settled=settled, settled_by="U0ANA00001")
    assert told in readable(messages.access_settled(request))


@pytest.mark.parametrize(
    ("settled", "command", "buttons"),
    [
        ("everywhere", "close R118", [("ask:close", "close R118")]),
        ("everywhere", "", []),
        ("here", "close R118", []),  # a direct message is not there
        ("declined", "close R118", []),
    ],
)
def test_who_is_allowed_goes_on_where_they_read_it_if_they_may_there(
    settled: Literal["here", "everywhere", "declined"], command: str, buttons: list[tuple[str, str]]
) -> None:
    request = replace(REQUEST, settled=settled, settled_by="U0ANA00001", command=command)
    shown = [(it["action_id"], it["value"]) for it in elements(messages.access_settled(request))]
    assert shown == buttons


def test_admins_are_asked_once_a_day() -> None:
    assert "were asked whether" in readable(messages.asked_for_access(REQUEST))
    assert "were asked already today" in readable(messages.asked_for_access(REQUEST, already=True))


def test_only_who_can_change_rules_sees_how() -> None:
    shown = messages.grants(GRANTS, admins="", can_change=True, now=NOW)
    assert [messages.read_rule(it["value"]) for it in elements(shown)] == list(GRANTS)
    assert {it["action_id"] for it in elements(shown)} == {"access:drop"}
    assert elements(messages.grants(GRANTS, admins="", can_change=False, now=NOW)) == []


def test_rules_come_twenty_a_page() -> None:
    message = messages.grants((GRANT,) * 45, admins="", can_change=False, now=NOW, page=2)
    assert "21 to 40 of 45" in readable(message)
    assert [it["value"] for it in elements(message)] == ["allow list --page 1", "allow list --page 3"]


def test_people_in_the_sentence_on_admins_are_people_and_all_else_is_text() -> None:
    message = messages.grants((), admins="<@U0ANA00001> and <!channel> may <@everyone>.", can_change=False, now=NOW)
    text = message.blocks[0]["text"]["text"]
    assert "<@U0ANA00001> and &lt;!channel&gt; may &lt;@everyone&gt;." in text


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({}, "✅ <@U0BEN00001> may *close runs* in <#C0RELEASE01> from now on."),
        ({"allow": False, "channel": ""}, "⛔ <@U0BEN00001> may not *close runs* anywhere from now on."),
        ({"kind": "group", "subject": "S0TESTERS1"}, "✅ <!subteam^S0TESTERS1> may *close"),
        ({"verb": "all"}, "may *make every change except deleting* in"),
        ({"verb": "all", "allow": False}, "may not *change runs* in"),
        ({"channel": "D0BEN00001"}, "in this direct message from now on."),
    ],
)
def test_a_rule_is_told_in_plain_words(change: dict[str, Any], told: str) -> None:
    assert told in readable(messages.granted(replace(GRANT, **change)))


def test_a_rule_that_is_gone_holds_no_more() -> None:
    assert "↩️ *Rule removed*  <@U0BEN00001> may close runs" in readable(messages.granted(GRANT, took_away=True))


@pytest.mark.parametrize(
    "text",
    [
        "", "x", "[]", "{}", "1", '["close","user","U1","",true,"U2"]',
        '["close","team","U1","",true,"U2","2026-01-01"]',
        '["close","user","U1","","yes","U2","2026-01-01"]', '["close","user","U1","",true,"U2","yesterday"]',
        '[1,"user","U1","",true,"U2","2026-01-01"]', '["close","user","U1","",true,"U2",5]',
    ],
)  # fmt: skip
def test_what_is_no_rule_is_read_as_none(text: str) -> None:
    assert messages.read_rule(text) is None
