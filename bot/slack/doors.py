"""Where Slack comes in: one listener per surface, which checks, acknowledges and hands over to our dictionary.

Bolt tries its listeners one by one (200 of them cost ten times the CPU) and keeps no reference to what they start,
so it gets one for each, and everything that takes time is a task of ours.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import parse_qs

from bot.domain.errors import AskError, RundownError
from bot.postman import ReturnPath
from bot.presenters import messages
from bot.slack.grammar_words import strip_command, strip_mention
from bot.slack.questions import Question
from bot.slack.tasks import Tasks

if TYPE_CHECKING:
    from slack_bolt.async_app import AsyncApp
    from slack_bolt.authorization import AuthorizeResult
    from slack_bolt.response import BoltResponse
    from slack_sdk.web.async_client import AsyncWebClient

Body = Mapping[str, Any]
Ack = Callable[..., Awaitable[Any]]

#: Seconds a request waits for us to learn who we are; Slack gives up after 3.
STARTING_S = 2.3


class Home:
    """Our own workspace, as `auth.test` told it once at the start."""

    def __init__(self) -> None:
        self._known = asyncio.Event()
        self.closing = False
        self.team = ""
        self.enterprise = ""
        self.bot_user = ""
        self.bot_id = ""

    def learn(self, answer: Mapping[str, Any]) -> None:
        self.team = str(answer.get("team_id") or "")
        self.enterprise = str(answer.get("enterprise_id") or "")
        self.bot_user = str(answer.get("user_id") or "")
        self.bot_id = str(answer.get("bot_id") or "")
        self._known.set()

    async def is_known(self) -> bool:
        """Whether Slack has told who we are, after waiting for it as long as an ack may take."""
        if self._known.is_set():
            return True
        try:
            await asyncio.wait_for(self._known.wait(), STARTING_S)
        except TimeoutError:
            return False
        return True

    def is_ours(self, team: str, enterprise: str = "") -> bool:
        """Whether a workspace is ours, or of our own organisation."""
        return not team or team == self.team or bool(enterprise and enterprise == self.enterprise)


class _Outsider(AskError):
    def __init__(self) -> None:
        super().__init__(
            "Runs are shown to members of this workspace only.",
            why="You are here from another workspace.",
            fix="Ask somebody of this workspace to share what you need.",
        )


class Inside(Protocol):
    """What is behind the doors. All of it returns at once; the work goes on in tasks."""

    def take(self, question: Question) -> None:
        """Answer it."""

    def tell(self, back: ReturnPath, error: RundownError, *, key: str) -> None:
        """Answer with an error."""

    def press(self, action: Body, back: ReturnPath, key: str, trigger: str) -> None:
        """A button was pressed; `action` is one of Slack's `actions`."""

    def sent(self, body: Body) -> dict[str, Any]:
        """A dialog was sent: what to acknowledge it with."""

    def on_shortcut(self, name: str, body: Body, back: ReturnPath) -> None:
        """A message shortcut was used."""


class Hall:
    """The way inside. What came in and is acknowledged waits here while the rooms behind are still being furnished."""

    def __init__(self, tasks: Tasks) -> None:
        self._tasks = tasks
        self._inside: asyncio.Future[Inside] = asyncio.get_running_loop().create_future()

    def open(self, inside: Inside) -> None:
        """From now on all goes in at once, and what has waited now."""
        self._inside.set_result(inside)

    def take(self, question: Question) -> None:
        self._hand_over(lambda inside: inside.take(question))

    def tell(self, back: ReturnPath, error: RundownError, *, key: str) -> None:
        self._hand_over(lambda inside: inside.tell(back, error, key=key))

    def press(self, action: Body, back: ReturnPath, key: str, trigger: str) -> None:
        self._hand_over(lambda inside: inside.press(action, back, key, trigger))

    def on_shortcut(self, name: str, body: Body, back: ReturnPath) -> None:
        self._hand_over(lambda inside: inside.on_shortcut(name, body, back))

    async def sent(self, body: Body) -> dict[str, Any]:
        """What a dialog is acknowledged with is for the rooms to say."""
        return (await asyncio.shield(self._inside)).sent(body)

    def _hand_over(self, take: Callable[[Inside], None]) -> None:
        if self._inside.done():
            take(self._inside.result())
        else:
            self._tasks.spawn(self._later(take), "waits in the hall")

    async def _later(self, take: Callable[[Inside], None]) -> None:
        take(await asyncio.shield(self._inside))


def build_bolt(client: AsyncWebClient, token: str, home: Home, hall: Hall, *, slash: str) -> AsyncApp:
    """The Bolt app. Requests reach it checked (HTTP) or authenticated by the connection (Socket Mode)."""
    from slack_bolt.async_app import AsyncApp
    from slack_bolt.authorization import AuthorizeResult
    from slack_sdk.web.async_client import AsyncWebClient

    async def authorize(enterprise_id: str | None, team_id: str | None) -> AuthorizeResult:
        return AuthorizeResult(
            enterprise_id=enterprise_id,
            team_id=team_id,
            bot_user_id=home.bot_user,
            bot_id=home.bot_id,
            bot_token=token,
        )

    bolt = AsyncApp(
        name="rundown",  # without a name Bolt reads the source of the whole call stack to find one
        client=AsyncWebClient(base_url=client.base_url, session=client.session),  # nobody speaks through Bolt
        authorize=authorize,
        process_before_response=True,
        request_verification_enabled=False,
        attaching_function_token_enabled=False,
        ignoring_self_assistant_message_events_enabled=False,
        attaching_conversation_kwargs_enabled=False,
    )

    async def on_command(ack: Ack, body: Body) -> None:
        await ack()
        question = _from_command(body)
        if not home.is_ours(str(body.get("team_id") or ""), str(body.get("enterprise_id") or "")):
            hall.tell(question.back, _Outsider(), key=question.key)
            return
        hall.take(question)

    async def on_event(body: Body, event: Body) -> None:
        question = _from_event(body, event, home.bot_user, slash)
        if question is None:
            return
        teams = (str(event.get(name) or "") for name in ("user_team", "source_team", "team"))
        if not all(home.is_ours(team, str(body.get("enterprise_id") or "")) for team in teams):
            hall.tell(question.back, _Outsider(), key=question.key)
            return
        hall.take(question)

    async def on_action(ack: Ack, body: Body) -> None:
        await ack()
        back, key = _path_of_click(body), _key_of_click(body)
        if _is_foreign(body, home):
            hall.tell(back, _Outsider(), key=key)
            return
        for action in body.get("actions") or ():
            hall.press(action, back, key, str(body.get("trigger_id") or ""))

    async def on_view(ack: Ack, body: Body) -> None:
        if _is_foreign(body, home):
            refused = _Outsider()
            view = messages.form_done("Not possible", f"{refused.what} {refused.why} {refused.fix}")
            await ack({"response_action": "update", "view": view.as_dict("waiting", "")})
            return
        await ack(await hall.sent(body))

    async def on_shortcut(ack: Ack, body: Body) -> None:
        await ack()
        back = _path_of_shortcut(body)
        if _is_foreign(body, home):
            hall.tell(back, _Outsider(), key=_key_of_click(body))
            return
        hall.on_shortcut(str(body.get("callback_id", "")), body, back)

    bolt.command(re.compile(r".*", re.DOTALL))(on_command)
    bolt.event("app_mention")(on_event)
    bolt.event("message")(on_event)
    bolt.action(re.compile(r".*", re.DOTALL))(on_action)
    bolt.view(re.compile(r".*", re.DOTALL))(on_view)
    bolt.shortcut(re.compile(r".*", re.DOTALL))(on_shortcut)
    return bolt


def intake_http(bolt: AsyncApp, home: Home) -> Callable[[str, Mapping[str, str]], Awaitable[BoltResponse]]:
    """What the web server hands checked requests to.

    While Slack has not told us who we are, and once we are about to stop, nothing is taken in: commands are told so,
    events come again, clicks fail where people see it.
    """
    from slack_bolt.request.async_request import AsyncBoltRequest
    from slack_bolt.response import BoltResponse

    async def take(body: str, headers: Mapping[str, str]) -> BoltResponse:
        if home.closing or not await home.is_known():
            if "command=" not in body or body.startswith("{"):
                return BoltResponse(status=503)
            doing = "restarting" if home.closing else "starting"
            return BoltResponse(status=200, body=f"⏳ Rundown is {doing}. Please ask again in a minute.")
        if not _is_well_formed(body, headers.get("Content-Type", "")):
            return BoltResponse(status=400)
        return await bolt.async_dispatch(AsyncBoltRequest(body=body, headers={k: [v] for k, v in headers.items()}))

    return take


def _is_well_formed(body: str, content_type: str) -> bool:
    """Whether a signed body is something Slack sends: a JSON object, or a form whose payload is one."""
    try:
        if "json" in content_type or body.startswith("{"):
            return isinstance(json.loads(body), dict)
        form = parse_qs(body, keep_blank_values=True, max_num_fields=200)
        return "payload" not in form or isinstance(json.loads(form["payload"][0]), dict)
    except (ValueError, RecursionError):
        return False


def intake_socket(bolt: AsyncApp) -> Callable[[Body, Mapping[str, str]], Awaitable[BoltResponse]]:
    """What the socket hands envelopes to."""
    from slack_bolt.request.async_request import AsyncBoltRequest

    async def take(payload: Body, headers: Mapping[str, str]) -> BoltResponse:
        request = AsyncBoltRequest(mode="socket_mode", body=dict(payload), headers={k: [v] for k, v in headers.items()})
        return await bolt.async_dispatch(request)

    return take


def _from_command(body: Body) -> Question:
    back = ReturnPath(
        team=str(body.get("team_id", "")),
        channel=str(body.get("channel_id", "")),
        user=str(body.get("user_id", "")),
        response_url=str(body.get("response_url", "")),
    )
    trigger = str(body.get("trigger_id") or "")
    return Question(text=str(body.get("text") or ""), back=back, key=_key("command", trigger), trigger=trigger)


def _from_event(body: Body, event: Body, bot_user: str, slash: str) -> Question | None:
    """The question in an event; None for what is not one: edits, other bots, channel talk that does not mention us."""
    direct = event.get("channel_type") in ("im", "mpim")
    mentioned = event.get("type") == "app_mention"
    if event.get("bot_id") or event.get("subtype") not in (None, "thread_broadcast") or not event.get("user"):
        return None
    if not mentioned and event.get("channel_type") != "im":
        return None
    ts = str(event.get("ts", ""))
    thread = str(event.get("thread_ts") or ("" if direct and not mentioned else ts))
    back = ReturnPath(
        team=str(body.get("team_id", "")),
        channel=str(event.get("channel", "")),
        user=str(event.get("user", "")),
        thread=thread,
        asked_ts=ts,
        private=False,
    )
    text = strip_command(strip_mention(str(event.get("text") or ""), bot_user), slash)
    return Question(text=text, back=back, key=_key("event", body.get("event_id") or ts), public=True)


def _is_foreign(body: Body, home: Home) -> bool:
    """Whether somebody of another workspace did this, in a channel that is shared with it."""
    user = body.get("user") or {}
    return not home.is_ours(str(user.get("team_id") or ""), str((body.get("enterprise") or {}).get("id") or ""))


def _path_of_shortcut(body: Body) -> ReturnPath:
    message = body.get("message") or {}
    ts = str(body.get("message_ts") or message.get("ts") or "")
    return ReturnPath(
        team=str((body.get("team") or {}).get("id") or ""),
        channel=str((body.get("channel") or {}).get("id") or ""),
        user=str((body.get("user") or {}).get("id") or ""),
        thread=str(message.get("thread_ts") or ""),
        response_url=str(body.get("response_url") or ""),
        message_ts=ts,
    )


def _path_of_click(body: Body) -> ReturnPath:
    container = body.get("container") or {}
    message = body.get("message") or {}
    ephemeral = bool(container.get("is_ephemeral"))
    return ReturnPath(
        team=str((body.get("team") or {}).get("id") or (body.get("user") or {}).get("team_id") or ""),
        channel=str((body.get("channel") or {}).get("id") or container.get("channel_id") or ""),
        user=str((body.get("user") or {}).get("id", "")),
        thread=str(container.get("thread_ts") or message.get("thread_ts") or ""),
        response_url=str(body.get("response_url") or ""),
        message_ts=str(container.get("message_ts") or message.get("ts") or ""),
        private=ephemeral,
    )


def _key_of_click(body: Body) -> str:
    return _key("click", body.get("trigger_id"))


def _key(surface: str, number: object) -> str:
    return f"{surface} {number}" if number else ""
