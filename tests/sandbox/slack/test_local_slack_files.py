"""Files: put into dialogs and channels by people, looked up and read by the app."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox.slack import CannotDo, View, Workspace
from bot.sandbox.world import ANA, TOM
from tests.sandbox.slack.local_slack_kit import asking, bolt, client, connected, modal, plain, section

LOG = ("Build 412.log", b"one\ntwo\n")


def files_input(**element: Any) -> dict[str, Any]:
    return {
        "type": "input",
        "block_id": "files",
        "label": plain("Files"),
        "optional": True,
        "element": {"type": "file_input", "action_id": "put", **element},
    }


@asynccontextmanager
async def dialog(*blocks: dict[str, Any]) -> AsyncIterator[tuple[Workspace, AsyncWebClient, AsyncApp, View]]:
    """A dialog in front of Ana, of an app that acknowledges its submission."""
    async with Workspace() as ws, client(ws) as slack:
        app = bolt(ws)

        @app.command("/runs")
        async def runs(ack: Any) -> None:
            await ack()

        @app.view("put")
        async def put(ack: Any) -> None:
            await ack()

        async with connected(ws, app):
            trigger_id = (await ws.command(ANA, "#release", "/runs")).trigger_id
            await slack.views_open(trigger_id=trigger_id, view=modal(*blocks, callback_id="put"))
            view = ws.view(ANA)
            assert view is not None
            yield ws, slack, app, view


async def fetched(url: str, token: str = "", *, follow: bool = True) -> tuple[int, str, bytes]:
    """Status, content type and bytes of an address."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with (
        aiohttp.ClientSession() as session,
        session.get(url, headers=headers, allow_redirects=follow) as answer,
    ):
        return answer.status, answer.content_type, await answer.read()


async def test_a_submission_tells_the_files_that_were_put_in() -> None:
    async with dialog(files_input()) as (ws, _, _, view):
        delivery = await ws.submit(view, {"Files": [LOG, ("shot.png", b"\x89PNG")]})
        entry = delivery.payload["view"]["state"]["values"]["files"]["put"]
        assert set(entry) == {"type", "files"}
        assert entry["type"] == "file_input"
        told = [
            (one["name"], one["mimetype"], one["filetype"], one["size"], one["user"], one["channels"])
            for one in entry["files"]
        ]
        assert told == [
            ("Build 412.log", "text/plain", "log", 8, ANA.slack, []),
            ("shot.png", "image/png", "png", 4, ANA.slack, []),
        ]
        assert entry["files"][0]["url_private_download"].endswith(f"-{entry['files'][0]['id']}/download/build_412.log")


async def test_an_empty_file_input_is_an_empty_list() -> None:
    async with dialog(files_input()) as (ws, _, _, view):
        ws.fill(view, {"files": LOG})
        delivery = await ws.submit(view, {"files": []})
        assert delivery.payload["view"]["state"]["values"]["files"]["put"] == {"type": "file_input", "files": []}


@pytest.mark.parametrize(
    ("element", "given", "words"),
    [
        ({"filetypes": ["png", "jpg"]}, LOG, "takes only png, jpg"),
        ({"max_files": 1}, [LOG, LOG], "at most 1 file$"),
        ({}, [LOG] * 11, "at most 10 files"),
        ({}, ("big.bin", b"0" * (10 * 1024 * 1024 + 1)), "larger than 10 MB"),
    ],
)
async def test_slacks_client_takes_only_what_the_input_takes(element: dict[str, Any], given: Any, words: str) -> None:
    async with dialog(files_input(**element)) as (ws, _, _, view):
        with pytest.raises(CannotDo, match=words):
            ws.fill(view, {"files": given})


async def test_a_required_file_must_be_there() -> None:
    async with dialog({**files_input(), "optional": False}) as (ws, _, _, view):
        with pytest.raises(CannotDo, match="must be filled in"):
            await ws.submit(view)


@pytest.mark.parametrize("key", ["url_private", "url_private_download"])
async def test_the_bytes_are_for_the_bot_token(key: str) -> None:
    async with dialog(files_input()) as (ws, _, _, view):
        (one,) = ws.fill(view, {"files": LOG}).typed["files"]["put"]["files"]
        assert await fetched(one[key], ws.bot_token) == (200, "application/octet-stream", LOG[1])
        assert [(seen.file, seen.refusal) for seen in ws.downloads] == [(one["id"], "")]


@pytest.mark.parametrize(
    ("token", "withdrawn", "refusal"),
    [
        ("", [], "not_authed"),
        ("xoxb-1-wrong", [], "invalid_auth"),
        ("right", ["files:read"], "missing_scope"),
    ],
)
async def test_everybody_else_gets_a_login_page_with_status_200(token: str, withdrawn: list[str], refusal: str) -> None:
    async with dialog(files_input()) as (ws, _, _, view):
        (one,) = ws.fill(view, {"files": LOG}).typed["files"]["put"]["files"]
        ws.withdraw(*withdrawn)
        given = ws.bot_token if token == "right" else token
        status, kind, page = await fetched(one["url_private_download"], given)
        assert (status, kind, b"Sign in" in page) == (200, "text/html", True)
        assert (await fetched(one["url_private_download"], given, follow=False))[0] == 302
        assert {seen.refusal for seen in ws.downloads} == {refusal}


async def test_a_revoked_token_reads_nothing() -> None:
    async with dialog(files_input()) as (ws, _, _, view):
        (one,) = ws.fill(view, {"files": LOG}).typed["files"]["put"]["files"]
        ws.revoke_token()
        assert (await fetched(one["url_private"], ws.bot_token))[1] == "text/html"


async def test_the_app_reads_only_what_is_shared_with_it() -> None:
    async with Workspace() as ws, client(ws) as slack:
        secret, shared = (ws.put_file(TOM, name, b"words") for name in ("secret.txt", "shared.txt"))
        await ws.say(TOM, "#general", "look", files=(secret.id,))
        said = (await ws.say(TOM, "#release", "look", files=(shared.id,))).message
        assert said is not None
        told = (await slack.conversations_history(channel="C0RELEASE1"))["messages"][0]["files"]
        assert [(one["id"], one["channels"]) for one in told] == [(shared.id, ["C0RELEASE1"])]
        assert (await slack.files_info(file=shared.id))["file"]["url_private"] == told[0]["url_private"]
        assert (await fetched(told[0]["url_private"], ws.bot_token))[2] == b"words"
        with pytest.raises(SlackApiError, match="file_not_found"):
            await slack.files_info(file=secret.id)
        hidden = told[0]["url_private"].replace(shared.id, secret.id)
        assert (await fetched(hidden, ws.bot_token))[1] == "text/html"


async def test_what_the_app_uploads_is_its_own() -> None:
    async with Workspace() as ws, client(ws) as slack:
        place = await slack.files_getUploadURLExternal(filename="report.txt", length=5)
        async with aiohttp.ClientSession() as session, session.post(place["upload_url"], data=b"words") as sent:
            assert sent.status == 200
        done = await slack.files_completeUploadExternal(files=[{"id": place["file_id"]}], channel_id="C0RELEASE1")
        (one,) = done["files"]
        assert (one["user"], one["channels"], one["is_public"]) == (ws.bot_user_id, ["C0RELEASE1"], True)
        assert (await fetched(one["url_private"], ws.bot_token))[2] == b"words"


async def test_a_file_input_needs_the_scope_and_spares_the_trigger() -> None:
    async with dialog(asking()) as (ws, slack, _, _):
        ws.withdraw("files:read")
        trigger_id = (await ws.command(ANA, "#release", "/runs")).trigger_id
        with pytest.raises(SlackApiError) as caught:
            await slack.views_open(trigger_id=trigger_id, view=modal(files_input()))
        answer = caught.value.response
        assert (answer["error"], answer["needed"]) == ("missing_scope", "files:read")
        await slack.views_open(trigger_id=trigger_id, view=modal(section()))
