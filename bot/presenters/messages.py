"""Everything the bot answers with: one function for each kind of answer, a domain value in, a Message out.

Arguments beyond the value: `command` and `again` are the canonical command, without the slash command's name, that
gives this answer once more (for *Share* and for paging, which appends `--page N`); `now` is for ages; a message that
is public already is not `shareable`.

The functions are loaded when the first is asked for: an acknowledgement needs none of them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bot.presenters.findings import diff, failures, results
    from bot.presenters.replies import complaint, help_index, help_verb, looking, shared_by
    from bot.presenters.runs import menu, run_card, run_list, threads
    from bot.presenters.settings import context_set, here, version, whoami

_PLACES = {
    "findings": ("diff", "failures", "results"),
    "replies": ("complaint", "help_index", "help_verb", "looking", "shared_by"),
    "runs": ("menu", "run_card", "run_list", "threads"),
    "settings": ("context_set", "here", "version", "whoami"),
}

__all__ = [
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


def load() -> None:
    """Load them all now."""
    for place, names in _PLACES.items():
        module = import_module(f"bot.presenters.{place}")
        globals().update({name: getattr(module, name) for name in names})


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(name)
    load()
    return globals()[name]
