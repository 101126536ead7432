"""The one set of icons and the words that always stand beside them. Nothing is told by icon or colour alone.

| icon | means |
|---|---|
| ❌ | failed: finished with failures |
| 🔴 | failing: failures already, not finished |
| ✅ | passed; of a change: done, allowed |
| 🟡 | incomplete: finished with tests left |
| 🚧 | blocked |
| ▶️ | running |
| ⚪ | open, not started, untested |
| 🟢 | open, all passed and nothing left |
| 🔁 | retest |
| ⏭️ | skipped |
| 🔹 | a system's own status, said by its own label |
| ↩️ | not understood, not possible or not wanted: the person's move |
| ⚠️ | a system's trouble, something missing, or something to think of before a change |
| 🔧 | our own mistake |
| ⏳ | looking, working |
| ✖️ | of a change: not done |
| ❓ | of a change: not known whether it was done |
| 🔄 | not any more what was seen |
| 💤 | nobody is at it |
| 🔒 ⛔ 🔑 | not allowed, denied, may I |
| 🆕 ⏺️ 🎉 🎲 ⚪ | in a comparison: new, still, fixed, flaky, not run |
| 💥 ❌ 🎲 🎉 ✅ | in a digest, of a stream: broke, still failing, flaky, recovered, passed |
| ⏱️ | unfinished: at work for longer than usual |
| 📌 ⏸️ 🗑️ | of a digest: set, paused, removed |
| ✉️ 🕳️ | of a message nobody waits for: on its way, too late to be posted |
| 💬 | a comment without an outcome |
"""

from __future__ import annotations

from bot.domain.acts import Ended
from bot.domain.digests import Sending, Turn
from bot.domain.model import State
from bot.domain.outcomes import Outcome

#: State → icon, word, and how a sentence says it.
STATES: dict[State, tuple[str, str, str]] = {
    State.FAILED: ("❌", "Failed", "has failed"),
    State.FAILING: ("🔴", "Failing", "is failing"),
    State.PASSED: ("✅", "Passed", "has passed"),
    State.INCOMPLETE: ("🟡", "Incomplete", "ended incomplete"),
    State.BLOCKED: ("🚧", "Blocked", "is blocked"),
    State.RUNNING: ("▶️", "Running", "is running"),
    State.OPEN: ("⚪", "Open", "is open"),
}

#: What an open run looks like when there is no doubt about it.
ALL_PASSED = ("🟢", "Open, all passed", "is open, all passed")
NOT_STARTED = ("⚪", "Not started", "has not been started")

OUTCOMES: dict[Outcome, tuple[str, str]] = {
    Outcome.PASSED: ("✅", "Passed"),
    Outcome.FAILED: ("❌", "Failed"),
    Outcome.BLOCKED: ("🚧", "Blocked"),
    Outcome.RETEST: ("🔁", "Retest"),
    Outcome.SKIPPED: ("⏭️", "Skipped"),
    Outcome.UNTESTED: ("⚪", "Untested"),
    Outcome.RUNNING: ("▶️", "Running"),
    Outcome.OTHER: ("🔹", "Other"),
}

#: A group of a comparison → icon, word, and what it means.
CHANGES: dict[str, tuple[str, str, str]] = {
    "new": ("🆕", "New", "fails now, did not before"),
    "still": ("⏺️", "Still", "failed before, fails now too"),
    "fixed": ("🎉", "Fixed", "failed before, passes now"),
    "flaky": ("🎲", "Flaky", "sometimes passes, sometimes fails"),
    "not_run": ("⚪", "Not run", "planned, without a result"),
}

#: What became of a change → icon, and the word that `audit --status` takes for it.
ENDED: dict[Ended, tuple[str, str]] = {
    Ended.BEGUN: ("⏳", "Begun"),
    Ended.DOUBT: ("❓", "Doubt"),
    Ended.DONE: ("✅", "Done"),
    Ended.FAILED: ("✖️", "Failed"),
    Ended.STALE: ("🔄", "Stale"),
    Ended.REFUSED: ("🔒", "Refused"),
    Ended.CANCELLED: ("↩️", "Cancelled"),
}

#: Instead of new, where nothing can be compared.
FAILS = ("❌", "Failed", "the other run does not have them")

#: What became of a stream since the last digest → icon, word.
TURNS: dict[Turn, tuple[str, str]] = {
    Turn.BROKE: ("💥", "Broke"),
    Turn.STILL: ("❌", "Still failing"),
    Turn.FLAKY: ("🎲", "Flaky"),
    Turn.FIXED: ("🎉", "Recovered"),
    Turn.PASSED: ("✅", "Passed"),
}

#: How far a message is that nobody waits for → icon, word.
SENDINGS: dict[Sending, tuple[str, str]] = {
    Sending.WAITING: ("⏳", "Waiting"),
    Sending.POSTING: ("✉️", "On its way"),
    Sending.POSTED: ("✅", "Posted"),
    Sending.REFUSED: ("✖️", "Not posted"),
    Sending.EXPIRED: ("🕳️", "Too late to be posted"),
}

COMMENT = ("💬", "Comment")

#: Before what a person asked and can't have as asked.
BACK = "↩️"

#: A verb's button; “…” tells that nothing is done before a second look.
VERBS: dict[str, str] = {
    "show": "Show",
    "failures": "Failures",
    "results": "Results",
    "diff": "Diff",
    "threads": "Threads",
    "close": "Close…",
    "complete": "Complete…",
    "edit": "Edit…",
    "note": "Note…",
    "link": "Link…",
    "attach": "Attach…",
    "report": "Report…",
    "delete": "Delete…",
    "watch": "Watch",
    "claim": "Claim",
    "snooze": "Snooze",
    "start": "Start…",
    "list": "Runs",
    "help": "Help",
    "here": "Here",
    "mute": "Mute…",
}
