"""A small app in the bot's place: a Socket Mode client that answers each command with a message of another shape."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from io import StringIO
from typing import Any

import aiohttp
from rich.console import Console
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox.demo import Town

Json = dict[str, Any]
Answer = Callable[["FakeApp", Json], Awaitable[None]]


def plain(text: str) -> Json:
    return {"type": "plain_text", "text": text}


def section(text: str, **more: Any) -> Json:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}, **more}


def context(*texts: str) -> Json:
    return {"type": "context", "elements": [{"type": "mrkdwn", "text": text} for text in texts]}


def button(action_id: str, label: str, value: str = "", **more: Any) -> Json:
    return {"type": "button", "action_id": action_id, "text": plain(label), "value": value or action_id, **more}


def actions(*elements: Json) -> Json:
    return {"type": "actions", "elements": list(elements)}


def menu(action_id: str, placeholder: str, *labels: str) -> Json:
    options = [{"text": plain(label), "value": label.lower()} for label in labels]
    return {"type": "static_select", "action_id": action_id, "placeholder": plain(placeholder), "options": options}


class FakeApp:
    """Answers by the first word of what it is asked, or by the action_id of what was pressed."""

    def __init__(self, town: Town, session: aiohttp.ClientSession) -> None:
        self.web = AsyncWebClient(town.slack.bot_token, base_url=town.slack.api_url, session=session)
        self._session = session
        self.asked: list[Json] = []
        self.cards: list[tuple[str, str]] = []

    async def take(self, client: AsyncBaseSocketModeClient, request: SocketModeRequest) -> None:
        payload = request.payload
        word = _word(payload)
        ack = ACKS[word](payload) if word in ACKS else None
        await client.send_socket_mode_response(SocketModeResponse(request.envelope_id, ack))
        self.asked.append(payload)
        if word in ANSWERS:
            await ANSWERS[word](self, payload)

    async def respond(self, payload: Json, **body: Any) -> None:
        """Say something through the response_url."""
        async with self._session.post(payload["response_url"], json={"text": "words", **body}) as answer:
            assert answer.status == 200, await answer.text()


def _word(payload: Json) -> str:
    if payload.get("actions"):
        return str(payload["actions"][0]["action_id"])
    if payload.get("type") == "view_submission":
        return str(payload["view"]["callback_id"] or "submitted")
    if payload.get("type") == "message_action":
        return f"shortcut {payload['callback_id']}"
    text = str(payload.get("text") or (payload.get("event") or {}).get("text") or "")
    words = [word for word in text.split() if not word.startswith("<@")]
    return words[0].rstrip(",") if words else ""


async def _card(app: FakeApp, payload: Json) -> None:
    await app.respond(
        payload,
        blocks=[
            section("❌ *Failed*  *<https://testmo.example/runs/412|Nightly web>*  `A412`\n71 passed · 10 failed"),
            context("Started <!date^1767603600^{time}|09:00>"),
            actions(
                button("failures", "Failures"), button("close", "Close…"), menu("sort", "Sort by", "Risk", "Newest")
            ),
        ],
    )


async def _slow(app: FakeApp, payload: Json) -> None:
    await app.respond(payload, blocks=[context("⏳ Looking up “slow” in Testmo…")])
    await app.respond(payload, blocks=[section("Here it is.")], replace_original=True)


async def _twice(app: FakeApp, payload: Json) -> None:
    await app.respond(payload, text="The first half.")
    await app.respond(payload, text="The second half.")


async def _public(app: FakeApp, payload: Json) -> None:
    event = payload["event"]
    thread = event.get("thread_ts") or event["ts"]
    await app.web.chat_postMessage(channel=event["channel"], text="In *public*", thread_ts=thread)


async def _direct(app: FakeApp, payload: Json) -> None:
    await app.web.chat_postMessage(channel=payload["event"]["channel"], text="Between us")


async def _failures(app: FakeApp, payload: Json) -> None:
    await app.respond(payload, response_type="ephemeral", replace_original=False, blocks=[section("Ten fail.")])


async def _close(app: FakeApp, payload: Json) -> None:
    await app.respond(payload, replace_original=True, blocks=[context("⏳ Working…")])
    await app.respond(payload, replace_original=True, blocks=[section("Closed by <@U0ANA00001>.")])


async def _sort(app: FakeApp, payload: Json) -> None:
    chosen = payload["actions"][0]["selected_option"]["text"]["text"]
    await app.respond(payload, replace_original=False, blocks=[section(f"Sorted by {chosen}.")])


async def _share(app: FakeApp, payload: Json) -> None:
    await app.web.chat_postMessage(channel=payload["channel"]["id"], text="Shared by all")
    await app.respond(payload, delete_original=True)


async def _dismiss(app: FakeApp, payload: Json) -> None:
    await app.respond(payload, delete_original=True)


async def _ask(app: FakeApp, payload: Json) -> None:
    await app.respond(
        payload,
        blocks=[actions(button("dialog", "Note…"), button("share", "Share"), button("dismiss", "Dismiss"))],
    )


async def _dialog(app: FakeApp, payload: Json) -> None:
    why = {
        "type": "input",
        "block_id": "why",
        "label": plain("Why"),
        "element": {"type": "plain_text_input", "action_id": "typed"},
    }
    view = {"type": "modal", "title": plain("A note"), "submit": plain("Save"), "blocks": [why]}
    await app.web.views_open(trigger_id=payload["trigger_id"], view=view)


async def _submitted(app: FakeApp, payload: Json) -> None:
    words = payload["view"]["state"]["values"]["why"]["typed"]["value"]
    await app.web.chat_postEphemeral(channel="C0RELEASE1", user=payload["user"]["id"], text=f"Noted: {words}")


def field(block_id: str, label: str, **element: Any) -> Json:
    whole = {"type": "plain_text_input", "action_id": "typed", **element}
    return {"type": "input", "block_id": block_id, "label": plain(label), "optional": True, "element": whole}


def several(*labels: str) -> list[Json]:
    return [{"text": plain(label), "value": label.lower()} for label in labels]


def form() -> Json:
    """A dialog with eight fields of different kinds."""
    return {
        "type": "modal",
        "callback_id": "form",
        "title": plain("Report"),
        "submit": plain("Send"),
        "blocks": [
            field("name", "Name"),
            field("words", "Description", multiline=True),
            field("outcome", "Outcome", type="static_select", options=several("Passed", "Failed")),
            field("tags", "Tags", type="multi_static_select", options=several("Web", "Smoke", "Slow")),
            field("day", "Day", type="datepicker"),
            field("who", "Tester", type="users_select"),
            field("count", "Tests", type="number_input", is_decimal_allowed=False),
            field("files", "Files", type="file_input", filetypes=["log", "png"]),
        ],
    }


async def _fresh(app: FakeApp, payload: Json) -> None:
    await app.respond(payload, blocks=[actions(button("open-form", "Report…"))])


async def _form(app: FakeApp, payload: Json) -> None:
    loading = {"type": "modal", "title": plain("Report"), "blocks": [section("Looking up R118…")]}
    opened = await app.web.views_open(trigger_id=payload["trigger_id"], view=loading)
    await app.web.views_update(view_id=opened["view"]["id"], view=form())


def _values(payload: Json) -> Json:
    """What was entered, by block_id."""
    values = payload["view"]["state"]["values"]
    return {
        block_id: next(value for key, value in entry["typed"].items() if key != "type")
        for block_id, entry in values.items()
    }


def _form_ack(payload: Json) -> Json | None:
    if not _values(payload)["name"]:
        return {"response_action": "errors", "errors": {"name": "A report needs a name"}}
    working = {"type": "modal", "callback_id": "done", "title": plain("Report"), "blocks": [section("Working…")]}
    return {"response_action": "update", "view": working}


async def _form_sent(app: FakeApp, payload: Json) -> None:
    values = _values(payload)
    if not values["name"]:
        return
    told = [
        values["name"],
        repr(values["words"]),
        (values["outcome"] or {}).get("value"),
        "+".join(one["value"] for one in values["tags"]),
        values["day"],
        values["who"],
        values["count"],
        ", ".join(f"{one['name']} of {one['size']}" for one in values["files"]),
    ]
    view = {"type": "modal", "title": plain("Report"), "blocks": [section(f"Reported: {'; '.join(map(str, told))}")]}
    await app.web.views_update(view_id=payload["view"]["id"], view=view)


async def _board(app: FakeApp, payload: Json) -> None:
    """Cards in two channels, then a question to one person."""
    for channel in ("C0RELEASE1", "C0CHECKOU2"):
        posted = await app.web.chat_postMessage(channel=channel, text="Nightly web is open")
        app.cards.append((channel, posted["ts"]))
    await app.respond(payload, blocks=[section("Close it?"), actions(button("finish", "Close R118"))])


async def _finish(app: FakeApp, payload: Json) -> None:
    await app.respond(payload, replace_original=True, blocks=[context("⏳ Working…")])
    for channel, ts in app.cards:
        await app.web.chat_update(channel=channel, ts=ts, text="Nightly web is closed")
    await app.respond(payload, replace_original=True, blocks=[section("Closed, 40 passed.")])


async def _plead(app: FakeApp, payload: Json) -> None:
    asked = [section("<@U0TOM00002> asks for access"), actions(button("grant", "Allow"))]
    await app.web.chat_postMessage(channel="U0ANA00001", text="Tom asks", blocks=asked)
    await app.respond(payload, text="Asked.")


async def _grant(app: FakeApp, payload: Json) -> None:
    where = {"channel": payload["channel"]["id"], "ts": payload["message"]["ts"]}
    await app.web.chat_update(**where, text="Tom is allowed now.", blocks=[])


async def _noted(app: FakeApp, payload: Json) -> None:
    await app.respond(payload, text=f"On it: {payload['message']['text']}")


#: What goes along with the acknowledgement.
ACKS: dict[str, Callable[[Json], Json | None]] = {"form": _form_ack}

ANSWERS: dict[str, Answer] = {
    "board": _board,
    "finish": _finish,
    "plead": _plead,
    "grant": _grant,
    "shortcut note_on_run": _noted,
    "report": _fresh,
    "open-form": _form,
    "form": _form_sent,
    "card": _card,
    "slow": _slow,
    "twice": _twice,
    "public": _public,
    "direct": _direct,
    "failures": _failures,
    "close": _close,
    "sort": _sort,
    "share": _share,
    "dismiss": _dismiss,
    "ask": _ask,
    "dialog": _dialog,
    "submitted": _submitted,
}


@asynccontextmanager
async def answering() -> AsyncIterator[tuple[Town, FakeApp]]:
    """A town with the app connected."""
    async with Town() as town, aiohttp.ClientSession() as session:
        app = FakeApp(town, session)
        client = SocketModeClient(app_token=town.slack.app_token, web_client=app.web)
        client.socket_mode_request_listeners.append(app.take)
        await client.connect()  # type: ignore[no-untyped-call]
        await town.slack.connected()
        try:
            yield town, app
        finally:
            await client.close()  # type: ignore[no-untyped-call]


def paper(width: int = 80) -> Console:
    """A screen without colours; `text` reads it."""
    return Console(file=StringIO(), width=width, highlight=False, markup=False, emoji=False, force_terminal=False)


def text(console: Console) -> str:
    """What is on the paper."""
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()
