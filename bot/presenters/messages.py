"""Everything the bot answers with: one function for each kind of answer, a domain value in, a Message out.

Arguments beyond the value: `command` and `again` are the canonical command, without the slash command's name, that
gives this answer once more (for *Share* and for paging, which appends `--page N`); `now` is for ages; a message that
is public already is not `shareable`.
"""

from __future__ import annotations

from bot.presenters.findings import diff, failures, results
from bot.presenters.message import Message
from bot.presenters.replies import complaint, help_index, help_verb, looking, shared_by
from bot.presenters.runs import menu, run_card, run_list, threads
from bot.presenters.settings import context_set, here, version, whoami

__all__ = [
    "Message",
    "complaint",
    "context_set",
    "diff",
    "failures",
    "help_index",
    "help_verb",
    "here",
    "looking",
    "menu",
    "results",
    "run_card",
    "run_list",
    "shared_by",
    "threads",
    "version",
    "whoami",
]
