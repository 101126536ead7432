"""The files' own addresses: the bytes for whoever may read them, and Slack's login page for everybody else."""

from __future__ import annotations

from urllib.parse import quote

from aiohttp import web

from bot.sandbox.slack.records import Download, Upload
from bot.sandbox.slack.state import State

LOGIN_PAGE = (
    '<!DOCTYPE html><html lang="en-US"><head><title>Sign in | Slack</title></head>'
    "<body><h1>Sign in to your workspace</h1></body></html>"
)


def app_may_read(state: State, upload: Upload) -> bool:
    """Whether it is the app's own, was put into one of its dialogs, or is shared where the app is."""
    shared = any(state.app.user_id in state.channels[channel_id].members for channel_id in upload.shares)
    return upload.user == state.app.user_id or upload.given or shared


class FileRoom:
    """Answers `url_private` and `url_private_download`.

    Without a good token in the header, without files:read, or for a file that the app may not read, Slack sends
    people (and bots) to its login page, which is HTML with status 200. Seen in slackapi/deno-slack-sdk issue 285,
    slackapi/bolt-js issue 2585.
    """

    def __init__(self, state: State) -> None:
        self._state = state
        self.downloads: list[Download] = []

    def answer(self, request: web.Request) -> web.Response:
        """The bytes, or the way to the login page."""
        team_id, _, file_id = request.match_info["file"].partition("-")
        upload = self._state.uploads.get(file_id)
        refusal = self._refusal(request, upload if team_id == self._state.team_id else None)
        self.downloads.append(Download(file_id, self._state.now(), refusal))
        self._state.changed()
        if upload is None or refusal:
            return web.Response(status=302, headers={"Location": f"/?redir={quote(request.path, safe='')}"})
        return web.Response(body=upload.data, headers={"Content-Type": "application/octet-stream"})

    def _refusal(self, request: web.Request, upload: Upload | None) -> str:
        app = self._state.app
        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        if kind.lower() != "bearer" or not token:
            return "not_authed"
        if token.strip() != app.bot_token:
            return "invalid_auth"
        if app.token_error:
            return app.token_error
        if "files:read" not in app.scopes:
            return "missing_scope"
        if upload is None or not upload.complete or not app_may_read(self._state, upload):
            return "file_not_found"
        return ""

    def login(self, _request: web.Request) -> web.Response:
        """The page itself."""
        return web.Response(text=LOGIN_PAGE, content_type="text/html")
