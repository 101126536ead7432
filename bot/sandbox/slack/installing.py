"""What an app's manifest says it is, read as Slack reads it when the app is installed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.sandbox.slack.records import Shortcut
from bot.sandbox.slack.state import App


def install(app: App, manifest: Mapping[str, Any]) -> None:
    """Give the app the scopes, events, commands and shortcuts of its manifest, and nothing else."""
    features = manifest.get("features") or {}
    settings = manifest.get("settings") or {}
    commands = features.get("slash_commands") or []
    app.scopes = frozenset(((manifest.get("oauth_config") or {}).get("scopes") or {}).get("bot") or ())
    app.events = frozenset((settings.get("event_subscriptions") or {}).get("bot_events") or ())
    app.commands = frozenset(one["command"] for one in commands)
    app.should_escape = all(one.get("should_escape") for one in commands)
    app.unfurl_domains = tuple(features.get("unfurl_domains") or ())
    app.shortcuts = tuple(
        Shortcut(one["callback_id"], one["name"], one["type"]) for one in features.get("shortcuts") or ()
    )
