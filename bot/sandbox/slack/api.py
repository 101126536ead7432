"""The Web API's front desk: reads arguments however they come, checks token, scopes and pace, writes all down."""

from __future__ import annotations

import json
from typing import Any

from aiohttp import web

from bot.sandbox.slack.methods import METHODS, Method, need
from bot.sandbox.slack.records import ApiCall, Json
from bot.sandbox.slack.refusals import Refused
from bot.sandbox.slack.state import State


async def read_args(request: web.Request) -> Json:
    """All arguments of a call: query, then form (urlencoded or multipart) or JSON. Raises Refused."""
    args: Json = dict(request.query)
    if request.method == "POST":
        kind = request.content_type
        if kind == "application/json":
            args |= _json_object(await request.read())
        elif kind in {"application/x-www-form-urlencoded", "multipart/form-data"}:
            form = await request.post()
            args |= {key: value for key, value in form.items() if isinstance(value, str)}
    return args


def _json_object(body: bytes) -> Json:
    if not body.strip():
        return {}
    try:
        value = json.loads(body)
    except ValueError:
        raise Refused("invalid_json") from None
    if not isinstance(value, dict):
        raise Refused("json_not_object")
    return value


def token_of(request: web.Request, args: Json) -> str:
    """The token, from the header or the arguments (where it is taken away so that it is never written down)."""
    in_args = str(args.pop("token", None) or "")
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if kind.lower() == "bearer" else in_args


class WebApi:
    """Answers `/api/{method}`."""

    def __init__(self, state: State, open_socket: Any) -> None:
        self._state = state
        self._open_socket = open_socket

    async def note(self, request: web.Request) -> tuple[ApiCall, str, Refused | None]:
        """Enter a call into the journal before anything can go wrong with it; returns it with its token."""
        name = request.path.removeprefix("/api/")
        bad: Refused | None = None
        try:
            args = await read_args(request)
        except Refused as refused:
            args, bad = {}, refused
        token = token_of(request, args)
        call = ApiCall(name, args, self._state.now())
        self._state.journal.append(call)
        return call, token, bad

    def answer(self, call: ApiCall, token: str, bad: Refused | None = None) -> web.Response:
        """Do the work of a call, or refuse it as Slack does."""
        try:
            if bad is not None:
                raise bad
            body, status, headers = self._work(call, token), 200, {}
        except Refused as refused:
            self._state.refuse(call.method, refused, call.args)
            body, status, headers = refused.body(), refused.status, refused.headers
        call.answer, call.status, call.ok = body, status, bool(body.get("ok"))
        self._state.changed()
        scopes = {"X-OAuth-Scopes": ",".join(sorted(self._state.app.scopes))}
        return web.json_response(body, status=status, headers={**scopes, **headers})

    def _work(self, call: ApiCall, token: str) -> Json:
        if call.method == "apps.connections.open":
            return self._connections_open(token)
        known = METHODS.get(call.method)
        if known is None:
            raise Refused("unknown_method", extra={"req_method": call.method})
        self._admit(known, token)
        answer = known.work(self._state, call.args)
        if not answer["ok"]:
            self._state.refuse(call.method, Refused(str(answer["error"])), call.args)
        return answer

    def _admit(self, known: Method, token: str) -> None:
        if known.caller == "bot":
            self._check_token(token, self._state.app.bot_token)
            need(self._state, *known.scopes)
        wait = self._state.pace.call(known.name, known.tier, self._state.now())
        if wait:
            raise Refused("ratelimited", status=429, headers={"Retry-After": str(wait)})

    def _check_token(self, token: str, right: str) -> None:
        if not token:
            raise Refused("not_authed")
        if token in {self._state.app.bot_token, self._state.app.app_token} and token != right:
            raise Refused("not_allowed_token_type")
        if token != right:
            raise Refused("invalid_auth")
        if self._state.app.token_error and right == self._state.app.bot_token:
            raise Refused(self._state.app.token_error)

    def _connections_open(self, token: str) -> Json:
        self._check_token(token, self._state.app.app_token)
        return {"ok": True, "url": self._open_socket()}
