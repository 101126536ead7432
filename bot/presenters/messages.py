"""Everything the bot says: one function for each kind of message or form, a domain value in, a Message or View out.

Arguments beyond the value: `command` and `again` are the canonical command, without the slash command's name, that
gives this answer once more (for *Share* and for paging, which appends `--page N`); `now` is for ages; a message that
is public already is not `shareable`.

A function is loaded when it is asked for: an acknowledgement needs none of them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bot.presenters.access import (
        access_request,
        access_settled,
        asked_for_access,
        granted,
        grants,
        read_rule,
        refusal,
        rule_text,
    )
    from bot.presenters.audit import audit, audit_csv, file_sent
    from bot.presenters.bulk import bulk
    from bot.presenters.changes import cancelled, doing, form_offer, late, proposal, receipt, working
    from bot.presenters.digests import (
        digest,
        digest_answer,
        digest_failed,
        digest_missed,
        digest_silent,
        mark_repeat,
    )
    from bot.presenters.findings import diff, failures, results
    from bot.presenters.forms import Field, Form, answers, form, form_done, form_failed, form_working
    from bot.presenters.plans import (
        digest_parked,
        digest_plan,
        digest_planned,
        digest_plans,
        digest_removed,
        reason_words,
    )
    from bot.presenters.replies import complaint, help_index, help_verb, looking, shared_by
    from bot.presenters.runs import menu, run_card, run_list, threads
    from bot.presenters.settings import context_set, here, version, whoami

_PLACES = {
    "access": (
        "access_request",
        "access_settled",
        "asked_for_access",
        "granted",
        "grants",
        "read_rule",
        "refusal",
        "rule_text",
    ),
    "audit": ("audit", "audit_csv", "file_sent"),
    "bulk": ("bulk",),
    "changes": ("cancelled", "doing", "form_offer", "late", "proposal", "receipt", "working"),
    "digests": ("digest", "digest_answer", "digest_failed", "digest_missed", "digest_silent", "mark_repeat"),
    "findings": ("diff", "failures", "results"),
    "forms": ("Field", "Form", "answers", "form", "form_done", "form_failed", "form_working"),
    "plans": ("digest_parked", "digest_plan", "digest_planned", "digest_plans", "digest_removed", "reason_words"),
    "replies": ("complaint", "help_index", "help_verb", "looking", "shared_by"),
    "runs": ("menu", "run_card", "run_list", "threads"),
    "settings": ("context_set", "here", "version", "whoami"),
}

__all__ = [
    "Field",
    "Form",
    "access_request",
    "access_settled",
    "answers",
    "asked_for_access",
    "audit",
    "audit_csv",
    "bulk",
    "cancelled",
    "complaint",
    "context_set",
    "diff",
    "digest",
    "digest_answer",
    "digest_failed",
    "digest_missed",
    "digest_parked",
    "digest_plan",
    "digest_planned",
    "digest_plans",
    "digest_removed",
    "digest_silent",
    "doing",
    "failures",
    "file_sent",
    "form",
    "form_done",
    "form_failed",
    "form_offer",
    "form_working",
    "granted",
    "grants",
    "help_index",
    "help_verb",
    "here",
    "late",
    "looking",
    "mark_repeat",
    "menu",
    "proposal",
    "read_rule",
    "reason_words",
    "receipt",
    "refusal",
    "results",
    "rule_text",
    "run_card",
    "run_list",
    "shared_by",
    "threads",
    "version",
    "whoami",
    "working",
]


#: What most questions are answered with: rooms of this floor, and their templates.
_COMMON = ("findings", "replies", "runs")
_TEMPLATES = ("complaint_person", "complaint_system", "failures", "looking", "run", "runs")


def prepare() -> None:
    """Load what most questions are answered with, so that nobody waits for it; the rest comes when it is needed."""
    from bot.presenters import engine

    for place in _COMMON:
        _load(place)
    engine.prepare(*_TEMPLATES)


def _load(place: str) -> None:
    module = import_module(f"bot.presenters.{place}")
    globals().update({name: getattr(module, name) for name in _PLACES[place]})


def __getattr__(name: str) -> object:
    place = next((place for place, names in _PLACES.items() if name in names), None)
    if place is None:
        raise AttributeError(name)
    _load(place)
    return globals()[name]
