"""Who may change what: refused, asked for, decided, listed."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime

from bot.domain.access import AccessRequest, Grant
from bot.domain.answers import Complaint
from bot.presenters import buttons
from bot.presenters.buttons import Button
from bot.presenters.deeds import right
from bot.presenters.engine import render
from bot.presenters.figures import plural
from bot.presenters.limits import VALUE
from bot.presenters.look import moment
from bot.presenters.markup import Markup, channel, code, date, group, mentions, said, user
from bot.presenters.message import Message
from bot.presenters.pages import page_of
from bot.presenters.text import cut

RULES = 20
_PRIVATE = re.compile(r"D[A-Z0-9]{2,30}")


def refusal(complaint: Complaint, *, verb: str, askable: bool, value: str) -> Message:
    """That somebody may not do it, and by which rule; `value` is what the button says that asks to be allowed."""
    return render(
        "refusal",
        what=said(complaint.what) or said(f"You can't {right(verb)} here."),
        why=said(complaint.why),
        fix=said(complaint.fix),
        reference=code(complaint.reference, 40),
        buttons=buttons.legal((Button("access:ask", "Ask for access", value),) if askable else ()),
    )


def asked_for_access(request: AccessRequest, *, already: bool = False) -> Message:
    """To the one who asked: the admins know. `already` tells that they had been asked before."""
    return render(
        "access_asked",
        already=already,
        right=right(request.verb),
        place=place(request.channel),
        at=date(request.at),
    )


def access_request(request: AccessRequest, *, where: str, now: datetime) -> Message:
    """To the admins: who wants to do what, where (in words, or a channel's id), and what they had tried.

    Once it is decided: how, and by whom.
    """
    return render(
        "access_request",
        by=user(request.user),
        who=cut(request.user_name, 60) or user(request.user),
        right=right(request.verb),
        where=_where(request, where),
        tried=code(request.command, 300),
        asked=moment(request.at, now),
        settled=request.settled,
        settler=user(request.settled_by),
        buttons=() if request.settled else buttons.legal(_decisions(request)),
    )


def _where(request: AccessRequest, where: str) -> Markup:
    """Where it was tried, in the caller's words (or a channel's id), else by the channel itself."""
    told = cut(where, 120) or request.channel
    return Markup("a direct message") if _PRIVATE.fullmatch(told) else Markup(channel(told).text or "Slack")


def _decisions(request: AccessRequest) -> tuple[Button, ...]:
    """What an admin may decide; a direct message is no place to allow something in."""
    private = not request.channel or request.channel.startswith("D")
    here = () if private else (Button("access:here", "Allow here", request.key, "", "primary"),)
    return (
        *here,
        Button("access:everywhere", "Allow everywhere", request.key),
        Button("access:decline", "Decline", request.key),
    )


def access_settled(request: AccessRequest) -> Message:
    """To the one who asked: what an admin has decided."""
    return render(
        "access_settled",
        settled=request.settled,
        right=right(request.verb),
        place=place(request.channel, allow=request.settled != "declined"),
        by=user(request.settled_by),
        tried=code(request.command, 300) if request.settled else Markup(""),
        buttons=buttons.legal((buttons.ask(request.verb, request.command),)) if _runs_anywhere(request) else (),
    )


def _runs_anywhere(request: AccessRequest) -> bool:
    """Whether what was tried may be run from where the answer is read, which need not be where it was tried."""
    return request.settled == "everywhere" and bool(request.command.strip())


def place(slack_id: str, *, allow: bool = True) -> Markup:
    """Where a rule holds, as the end of a sentence."""
    if not slack_id:
        return Markup("everywhere" if allow else "anywhere")
    return Markup("in this direct message") if slack_id.startswith("D") else Markup(f"in {channel(slack_id).text}")


@dataclass(frozen=True, slots=True)
class RuleLook:
    """A rule. `value` is its text on the button, empty where there is none."""

    icon: str
    who: Markup
    may: str
    right: str
    place: Markup
    by: Markup
    at: Markup
    value: str


def _rule(grant: Grant, *, can_change: bool) -> RuleLook:
    value = rule_text(grant)
    return RuleLook(
        icon="✅" if grant.allow else "⛔",
        who=Markup((group(grant.subject) if grant.kind == "group" else user(grant.subject)).text or "somebody"),
        may="may" if grant.allow else "may not",
        right=right(grant.verb, allow=grant.allow),
        place=place(grant.channel, allow=grant.allow),
        by=user(grant.by),
        at=date(grant.at),
        value=value if can_change and len(value) <= VALUE else "",
    )


def grants(
    several: tuple[Grant, ...],
    *,
    admins: str,
    can_change: bool,
    now: datetime,  # noqa: ARG001  ages, one day
    page: int = 1,
    again: str = "allow list",
) -> Message:
    """The rules, twenty a page, for one reader only: in public it would call everybody named in it.

    `admins` is a sentence on who may do everything, with people in it as `<@U…>`.
    """
    shown = page_of(several, page, size=RULES)
    return render(
        "grants",
        admins=mentions(admins),
        counted=plural(len(several), "rule"),
        total=len(several),
        rows=tuple(_rule(grant, can_change=can_change) for grant in shown.rows),
        first=shown.first,
        end=shown.end,
        paged=shown.last > 1,
        can_change=can_change,
        buttons=buttons.legal(buttons.turns(again, shown.number, shown.last)),
    )


def granted(grant: Grant, *, took_away: bool = False) -> Message:
    """A rule was made, or taken away."""
    return render("granted", rule=_rule(grant, can_change=False), took_away=took_away)


def rule_text(grant: Grant) -> str:
    """A rule as a button's value; `read_rule` reads it."""
    parts = (grant.verb, grant.kind, grant.subject, grant.channel, grant.allow, grant.by, grant.at.isoformat())
    return json.dumps(parts, separators=(",", ":"))


def read_rule(text: str) -> Grant | None:
    """The rule behind a button; None for anything else."""
    try:
        verb, kind, subject, where, allow, by, at = json.loads(text)
        if kind not in ("user", "group") or not isinstance(allow, bool):
            return None
        if not all(isinstance(word, str) for word in (verb, subject, where, by)):
            return None
        return Grant(
            verb=verb, kind=kind, subject=subject, channel=where, allow=allow, by=by, at=datetime.fromisoformat(at)
        )
    except (TypeError, ValueError):
        return None
