"""The three equal ways to show a token: Basic password, `PTToken` header, `api_token` parameter."""

from __future__ import annotations

import base64
import binascii

from aiohttp import web


def token_of(request: web.Request) -> str | None:
    """The token of a request, None without one. The Basic user name and `developer_email` are not looked at."""
    scheme, _, packed = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(packed.strip(), validate=True).decode().partition(":")[2]
        except (binascii.Error, ValueError):
            return None
    return request.headers.get("PTToken") or request.query.get("api_token")
