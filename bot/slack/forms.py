"""Dialogs: opened at once while what they offer is still looked up, checked when sent, kept with what was typed.

What a dialog is about travels in its `private_metadata` (a `Memo`), so that it means the same after a restart.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol

from bot.presenters import messages
from bot.slack.tasks import Tasks

if TYPE_CHECKING:
    from slack_sdk.web.async_client import AsyncWebClient

log = logging.getLogger(__name__)

#: Seconds that Slack may take to show what a submission was acknowledged with: what comes sooner would be overwritten.
SETTLE_S = 0.5
#: Dialogs that were sent just now and not answered yet.
MOST_SETTLING = 10_000

Values = Mapping[str, str | tuple[str, ...]]


def one(values: Values, name: str) -> str:
    """What was typed into a field, as one line or text."""
    value = values.get(name, "")
    return value if isinstance(value, str) else ", ".join(value)


def several(values: Values, name: str) -> tuple[str, ...]:
    """What was chosen in a field, or typed with commas between."""
    value = values.get(name, ())
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


@dataclass(frozen=True, slots=True, kw_only=True)
class Memo:
    """What a dialog is about: the verb, where it was opened from and by which command; `key` is new with each showing.

    `preview` is the proposal it belongs to, `answer` the address that reaches its message, `run` the run it is about
    (all empty where there is none). `shown` tells what the run had in its fields when they were shown.
    """

    key: str
    verb: str
    team: str
    channel: str
    thread: str = ""
    typed: str = ""
    preview: str = ""
    answer: str = ""
    run: str = ""
    shown: str = ""

    def text(self) -> str:
        """As it travels; Slack takes 3,000 characters, so a long command stays behind."""
        whole = json.dumps(asdict(self), separators=(",", ":"))
        return whole if len(whole) <= 3_000 else json.dumps({**asdict(self), "typed": ""}, separators=(",", ":"))

    @classmethod
    def read(cls, text: str) -> Memo | None:
        """None for what is not ours."""
        try:
            told = json.loads(text)
            return cls(**{name: str(told.get(name, "")) for name in cls.__slots__})
        except (ValueError, TypeError, AttributeError):
            return None


class ShownView(Protocol):
    """A dialog as the presenters make it."""

    def as_dict(self, callback_id: str, private_metadata: str) -> dict[str, Any]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A dialog that somebody has sent. `values` are by field name, as `labels` are; files are their Slack ids."""

    view: str
    user: str
    values: Values
    memo: Memo
    labels: Mapping[str, str] = field(default_factory=dict)


class OldFormError(Exception):
    """A dialog that this version does not make: nothing can be done with what it says."""


#: Wrong fields with what is wrong about them; nothing if the dialog may go. May raise OldFormError.
Check = Callable[[Sent], Mapping[str, str]]
Take = Callable[[Sent], Coroutine[Any, Any, None]]


class Forms:
    """The bot's dialogs by name (the `callback_id` before the colon)."""

    def __init__(self, client: AsyncWebClient, tasks: Tasks) -> None:
        self._client = client
        self._tasks = tasks
        self._known: dict[str, tuple[Check, Take]] = {}
        self._settling: dict[str, float] = {}

    def on(self, name: str, check: Check, take: Take) -> None:
        """Let these handle a dialog: `check` decides at once, `take` works on it afterwards."""
        self._known[name] = check, take

    async def open(self, trigger: str, title: str) -> str:
        """Open a dialog that says it is coming. Returns its id, empty when Slack does not open it (too late)."""
        view = messages.form_working(title, "One moment, looking up what can be chosen…")
        answer = await self._call("views.open", trigger_id=trigger, view=view.as_dict("waiting", ""))
        return str((answer.get("view") or {}).get("id", "")) if answer else ""

    async def show(self, view_id: str, view: ShownView, name: str, memo: Memo) -> bool:
        """Show this in an open dialog. False when it is not open any more."""
        await asyncio.sleep(max(self._settling.pop(view_id, 0.0) - time.monotonic(), 0.0))
        shown = view.as_dict(name, memo.text())
        return bool(await self._call("views.update", view_id=view_id, view=shown))

    def sent(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Somebody has sent a dialog: what to acknowledge it with. The work starts now."""
        view = body.get("view") or {}
        memo = Memo.read(str(view.get("private_metadata") or ""))
        known = self._known.get(str(view.get("callback_id") or ""))
        values = _values(view)
        if known is None or memo is None or values is None:
            return _out_of_date()
        check, take = known
        sent = Sent(
            view=str(view.get("id", "")),
            user=str((body.get("user") or {}).get("id", "")),
            values=values,
            memo=replace(memo, team=_team(body)),  # what Slack says now, not what a form said then
            labels=_labels(view),
        )
        try:
            wrong = check(sent)
        except OldFormError:
            return _out_of_date()
        if wrong:
            return {"response_action": "errors", "errors": dict(wrong)}
        if len(self._settling) > MOST_SETTLING:
            self._settling.clear()
        self._settling[sent.view] = time.monotonic() + SETTLE_S
        self._tasks.spawn(take(sent), name=f"form {memo.verb} {memo.key}")
        working = messages.form_working(_title(view), "Working…")
        return {"response_action": "update", "view": working.as_dict("waiting", "")}

    async def _call(self, method: str, **arguments: Any) -> dict[str, Any]:
        from slack_sdk.errors import SlackApiError, SlackClientError

        try:
            answer = await self._client.api_call(method, json=arguments)
        except SlackApiError as error:
            told = error.response.data if isinstance(error.response.data, dict) else {}
            log.warning("%s: %s %s", method, told.get("error"), told.get("response_metadata", ""))
            return {}
        except (SlackClientError, OSError, TimeoutError) as error:
            log.warning("%s: %s", method, type(error).__name__)
            return {}
        return answer.data if isinstance(answer.data, dict) else {}


def _title(view: Mapping[str, Any]) -> str:
    return str((view.get("title") or {}).get("text") or "Rundown")


def _out_of_date() -> dict[str, Any]:
    done = messages.form_done("Out of date", "This form is from an older version. Please type the command again.")
    return {"response_action": "update", "view": done.as_dict("waiting", "")}


def _team(body: Mapping[str, Any]) -> str:
    told = (body.get("team") or {}).get("id") or (body.get("user") or {}).get("team_id")
    return str(told or (body.get("view") or {}).get("team_id") or "")


def _labels(view: Mapping[str, Any]) -> dict[str, str]:
    """What the fields are called, by their names."""
    blocks = [block for block in view.get("blocks") or () if isinstance(block, dict) and block.get("label")]
    return {str(block.get("block_id", "")): str(block["label"].get("text", "")) for block in blocks}


def _values(view: Mapping[str, Any]) -> dict[str, str | tuple[str, ...]] | None:
    """What was entered, by field name; files by their ids. None for what is no form of ours."""
    try:
        told = messages.answers((view.get("state") or {}).get("values") or {})
    except (AttributeError, TypeError, ValueError, KeyError):
        return None
    return {
        name: value if isinstance(value, str) else tuple(each if isinstance(each, str) else each.id for each in value)
        for name, value in told.items()
    }
