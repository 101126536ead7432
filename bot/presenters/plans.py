"""The plans of digests: what was made, when it comes next, what became of the last ones, why one does not come."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

from bot.domain.digests import DigestPlan, Parcel, PlanLook, Sending, Slot
from bot.presenters import buttons
from bot.presenters.buttons import Button
from bot.presenters.engine import render
from bot.presenters.figures import plural
from bot.presenters.icons import SENDINGS
from bot.presenters.markup import Markup, channel, code, date, said, user
from bot.presenters.message import Message
from bot.presenters.pages import page_of
from bot.presenters.text import cut, mrkdwn

NEXT, SENT = 3, 10
#: A pause that ends later than this ends when somebody resumes it.
FOR_EVER = timedelta(days=365 * 100)

#: What a digest does when there is nothing to tell.
_QUIET = {"skip": "nothing", "line": "one line", "post": "the whole digest"}


def asking(verb: str, plan: DigestPlan, label: str) -> Button:
    """Asks a command about the digest of that name in the same channel."""
    return buttons.ask(f"digest {verb}", command(verb, plan), label)


_BARE = re.compile(r"[^\W_][\w-]*", re.ASCII)


def command(verb: str, plan: DigestPlan) -> str:
    """`digest show nightly`; a name of several words in quotes."""
    name = plan.name
    if _BARE.fullmatch(name) is None:
        escaped = name.replace("&", "&amp;").replace("<", "&lt;").replace("\n", "&#10;").replace('"', '""')
        name = f'"{escaped}"'
    return f"digest {verb} {name}"


def schedule(plan: DigestPlan) -> Markup:
    """`mon-fri at 09:00 (Europe/Berlin)`; an expression of cron as code, for its stars can't be told otherwise."""
    timing = plan.timing
    zone = mrkdwn(cut(timing.zone, 60))
    if timing.said in ("", timing.cron):
        return Markup(f"cron {code(timing.cron, 100).text} ({zone})")
    return Markup(f"{mrkdwn(cut(timing.said, 100))} ({zone})")


def tells(plan: DigestPlan) -> Markup:
    """`tells of failed and stale runs`, or the command whose answer is posted."""
    if plan.ask:
        return Markup(f"posts the answer to {code(plan.ask, 200).text}")
    *first, last = plan.what or ("failed",)
    return Markup(f"tells of {', '.join(first)} and {last} runs" if first else f"tells of {last} runs")


def filters(plan: DigestPlan) -> str:
    return "" if plan.ask else cut(plan.words, 200)


def wall(slot: Slot, plan: DigestPlan, now: datetime) -> str:
    """The wall time of a slot where the digest has its time: `Fri 20 Nov 09:00`."""
    return local(slot.at, zone_of(plan.timing.zone), now)


def zone_of(name: str) -> tzinfo:
    """The zone of that name; UTC for one that nobody knows."""
    try:
        return ZoneInfo(name)
    except (ValueError, KeyError, OSError):
        return UTC


def local(at: datetime, zone: tzinfo, now: datetime) -> str:
    """`Mon 23 Nov 09:00`, with the year where it is another."""
    here = at.astimezone(zone)
    year = "" if here.year == now.astimezone(zone).year else f" {here.year}"
    return f"{here:%a} {here.day} {here:%b}{year} {here:%H:%M}"


@dataclass(frozen=True, slots=True)
class PlanWords:
    """A plan in words. `paused` and `parked` are empty for one that runs; `coming` are its next times, first its own
    zone's, then the reader's where that differs.
    """

    name: str
    channel: Markup
    schedule: Markup
    tells: Markup
    filters: str
    quiet: str
    where: Markup
    owner: str
    paused: str
    parked: Markup
    coming: tuple[tuple[str, str], ...]
    next: str
    value: str


def _words(look: PlanLook, now: datetime) -> PlanWords:
    plan = look.plan
    own = zone_of(plan.timing.zone)
    coming = _coming(look, now)
    return PlanWords(
        name=cut(plan.name, 60) or "without a name",
        channel=channel(plan.channel),
        schedule=schedule(plan),
        tells=tells(plan),
        filters=filters(plan),
        quiet="" if plan.ask else _QUIET.get(plan.if_empty, ""),
        where=_where(plan),
        owner=cut(plan.owner_name, 60),
        paused=_paused(plan, own, now),
        parked=said(reason_words(plan.parked)) if plan.parked.strip() else Markup(""),
        coming=coming,
        next=local(look.next[0].at, own, now) if look.next else "",
        value=command("show", plan),
    )


def _where(plan: DigestPlan) -> Markup:
    """`in testmo, project 3`; empty for a digest of whatever the channel is about."""
    connection, project = code(plan.connection, 80).text, code(plan.project, 80).text
    several = (f"in {connection}" if connection else "", f"project {project}" if project else "")
    return Markup(", ".join(word for word in several if word))


def _paused(plan: DigestPlan, zone: tzinfo, now: datetime) -> str:
    """`until Thu 24 Dec 00:00`; empty for one that is not."""
    until = plan.paused_until
    if until is None or until <= now:
        return ""
    return "until somebody resumes it" if until - now > FOR_EVER else f"until {local(until, zone, now)}"


def _coming(look: PlanLook, now: datetime) -> tuple[tuple[str, str], ...]:
    """(zone, times) of the plan, and of the reader where their clock shows another time."""
    rows: list[tuple[str, str]] = []
    for name in dict.fromkeys((look.plan.timing.zone, look.reader_zone)):
        zone = zone_of(name)
        times = ", ".join(local(slot.at, zone, now) for slot in look.next[:NEXT])
        if times and all(times != known for _, known in rows):
            rows.append((cut(name, 60) or "UTC", times))
    return tuple(rows)


def digest_planned(look: PlanLook, *, now: datetime, deed: str = "set", by: str = "") -> Message:
    """A digest was made or changed, for everybody: what it tells, when in words, and its next times.

    `deed` is what was done: set, changed, paused or resumed; `by` the name of who did it, empty for its owner.
    """
    plan = look.plan
    return render(
        "digest_planned",
        deed=deed,
        by=cut(by or plan.owner_name, 60),
        plan=_words(look, now),
        buttons=buttons.legal((asking("test", plan, "What it says now"), asking("show", plan, "Show"))),
    )


@dataclass(frozen=True, slots=True)
class SentLook:
    """A message of a digest, and what became of it. `below` counts those in its thread that went as they should."""

    icon: str
    word: str
    slot: str
    part: bool
    below: str
    at: Markup
    tries: str
    reason: Markup
    repeat: bool


def digest_plan(look: PlanLook, *, now: datetime) -> Message:
    """All about one digest: when, what, whose, its next times, and what became of the last ones."""
    plan, words = look.plan, _words(look, now)
    rows = tuple(_history(look.sent, zone_of(plan.timing.zone), now))
    rests = bool(words.paused or words.parked)
    return render(
        "digest_plan",
        deed="",
        plan=words,
        made_at=date(plan.made_at),
        since=date(plan.since) if plan.since else None,
        sent=rows[:SENT],
        sent_more=max(0, len(rows) - SENT),
        buttons=buttons.legal(
            (
                asking("test", plan, "What it says now"),
                asking("resume", plan, "Resume") if rests else asking("pause", plan, "Pause"),
                Button("digest:edit", "Edit…", command("edit", plan)),
                Button("ask:digest remove", "Remove", command("remove", plan), "", "danger", _remove_question(plan)),
            )
        ),
    )


def _remove_question(plan: DigestPlan) -> str:
    return f"Remove the digest “{cut(plan.name, 60)}”? Nothing of it is posted any more, and it can't be brought back."


def _history(sent: Sequence[Parcel], zone: tzinfo, now: datetime) -> Iterator[SentLook]:
    """One row for each time. What stands in its thread has one of its own only where something is to be told of it."""
    firsts = {parcel.slot for parcel in sent if not parcel.under}
    fine = [parcel for parcel in sent if parcel.under and parcel.slot in firsts and _is_fine(parcel)]
    for parcel in sent:
        if parcel not in fine:
            below = 0 if parcel.under else sum(1 for each in fine if each.slot == parcel.slot)
            yield _sent(parcel, below, zone, now)


def _is_fine(parcel: Parcel) -> bool:
    return parcel.state is Sending.POSTED and parcel.tries < 2 and not (parcel.repeat or parcel.reason.strip())


def _slot_words(key: str, zone: tzinfo, now: datetime) -> str:
    """`Fri 20 Nov 09:00` for the key of a slot, which is the wall time of its plan; other keys as they are."""
    try:
        return local(datetime.fromisoformat(key).replace(tzinfo=zone), zone, now)
    except (ValueError, OverflowError):
        return cut(key, 40)


def _sent(parcel: Parcel, below: int, zone: tzinfo, now: datetime) -> SentLook:
    icon, word = SENDINGS[parcel.state]
    at = parcel.posted_at or parcel.tried_at
    return SentLook(
        icon=icon,
        word=word,
        slot=_slot_words(parcel.slot, zone, now),
        part=bool(parcel.under),
        below=plural(below, "message") if below else "",
        at=date(at) if at else Markup(""),
        tries="" if parcel.tries < 1 else "tried once" if parcel.tries == 1 else f"tried {parcel.tries} times",
        reason=said(reason_words(parcel.reason)) if parcel.reason.strip() else Markup(""),
        repeat=parcel.repeat,
    )


def digest_plans(looks: Sequence[PlanLook], *, now: datetime, page: int = 1) -> Message:
    """The digests of a channel, ten a page."""
    shown = page_of(looks, page)
    return render(
        "digest_plans",
        total=len(looks),
        counted=plural(len(looks), "digest"),
        rows=tuple(_words(look, now) for look in shown.rows),
        first=shown.first,
        end=shown.end,
        paged=shown.last > 1,
        buttons=buttons.legal(buttons.turns("digest list", shown.number, shown.last)),
    )


def digest_removed(plan: DigestPlan, by: str) -> Message:
    """A digest is gone. `by` is a Slack id."""
    return render("digest_removed", name=cut(plan.name, 60), schedule=schedule(plan), by=user(by))


def digest_parked(plan: DigestPlan, reason: str, *, now: datetime) -> Message:  # noqa: ARG001  ages, one day
    """For the owner, once: a digest can't be posted any more, why, and how to mend it. `reason` is Slack's or words."""
    return render(
        "digest_parked",
        name=cut(plan.name, 60),
        channel=channel(plan.channel),
        schedule=schedule(plan),
        reason=said(reason_words(reason)),
        resume=code(command("resume", plan)),
    )


_GONE = "Slack does not take Rundown's token any more. Whoever runs Rundown has to install the app again."
_CLOSED = "Only some may post in this channel. An admin of it has to let Rundown, or the digest goes to another one."
_RIGHTS = "Rundown's app lacks a right in Slack. An admin has to install it again with all that its manifest asks for."
_OURS = "Slack did not take the message as it was. This is our mistake; tell whoever runs Rundown."
_BUSY = "Slack is in trouble, or busy. It is tried again."
_REASONS = {
    "is_archived": "The channel is archived. Unarchive it, or make the digest in another one.",
    "not_in_channel": "Rundown is not in the channel any more. Invite it there.",
    "channel_not_found": "The channel is gone, or it is private and Rundown is not in it any more. Invite it there, or "
    "make the digest in another channel.",
    "user_not_found": "The person is not in this workspace any more.",
    "messages_tab_disabled": "Rundown's app takes no direct messages. Its messages tab has to be switched on.",
    "message_limit_exceeded": "This workspace has used up the messages that its plan of Slack allows.",
    "thread_not_found": "The message that this belongs below is gone.",
    "cannot_reply_to_message": "The message that this belongs below takes no replies.",
    "restricted_action_thread_locked": "The thread that this belongs to is locked. An admin can unlock it.",
    "is_inactive": "The channel is not in use any more. Make the digest in another one.",
    "team_not_found": "Slack does not know this workspace any more. Whoever runs Rundown has to install the app again.",
    "org_login_required": "This workspace is being moved inside its organisation. Try again when that is done.",
    "ekm_access_denied": "The workspace's admins have suspended its encryption keys. They have to let messages through "
    "again.",
    "team_access_not_granted": "Rundown is not allowed in that workspace. An admin of the organisation has to add it.",
    **dict.fromkeys(
        ("token_revoked", "token_expired", "account_inactive", "invalid_auth", "not_authed", "not_allowed_token_type"),
        _GONE,
    ),
    **dict.fromkeys(
        (
            "restricted_action",
            "restricted_action_read_only_channel",
            "restricted_action_thread_only_channel",
            "restricted_action_non_threadable_channel",
            "channel_is_limited_access",
        ),
        _CLOSED,
    ),
    **dict.fromkeys(("missing_scope", "no_permission", "access_denied"), _RIGHTS),
    **dict.fromkeys(
        (
            "no_text",
            "invalid_arguments",
            "invalid_blocks",
            "invalid_blocks_format",
            "invalid_metadata_format",
            "invalid_metadata_schema",
            "metadata_too_large",
            "msg_too_long",
            "msg_blocks_too_long",
        ),
        _OURS,
    ),
    **dict.fromkeys(
        ("ratelimited", "rate_limited", "internal_error", "fatal_error", "service_unavailable", "request_timeout"),
        _BUSY,
    ),
    "no_answer": "Slack did not answer, so it is not known whether it was posted. It is looked for before it is tried "
    "again.",
}
_CODE = re.compile(r"\w{1,60}", re.ASCII)


def reason_words(reason: str) -> str:
    """Why Slack does not take a message and how to mend that, in whole sentences; other words stay as they are."""
    reason = cut(reason, 300)
    if reason in _REASONS:
        return _REASONS[reason]
    if _CODE.fullmatch(reason):
        return f"Slack answers `{reason}`. Whoever runs Rundown can look that up."
    words = reason[:1].upper() + reason[1:]
    return words if words.endswith((".", "!", "?", "…")) or not words else f"{words}."
