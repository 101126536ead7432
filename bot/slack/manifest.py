"""The Slack app manifest, made from what the bot really uses. Format: Slack's app manifest, schema version 2."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Mode = Literal["read", "write"]


@dataclass(frozen=True, slots=True)
class Scope:
    """A permission the app asks for, and why. With `writes` it is asked for in write mode only."""

    name: str
    why: str
    writes: bool = False


SCOPES = (
    Scope("app_mentions:read", "hear questions put by mentioning the bot"),
    Scope("channels:history", "look whether a digest was posted before it is posted again, in public channels"),
    Scope("chat:write", "answer mentions and direct messages, share answers in channels the bot was invited to"),
    Scope("commands", "the slash command"),
    Scope("groups:history", "the same in private channels the bot was invited to"),
    Scope("im:history", "read the direct messages people write to the bot"),
    Scope("im:write", "reach a person by direct message where no other way is open"),
    Scope("users:read", "know people's names, time zones and roles"),
    Scope("files:read", "read the files that people put into the form of a reported result", writes=True),
    Scope("files:write", "send the audit as a file to whoever asked for it", writes=True),
    Scope("usergroups:read", "know who is in a user group that may change runs", writes=True),
    Scope("users:read.email", "find the same person in the test systems by email address"),
)

#: Message shortcuts: name, what it does.
SHORTCUTS = {
    "attach_to_run": ("Attach to a test run", "Put a link to this message on a run."),
    "note_on_run": ("Note on a run", "Put the words of this message on a run, as a note."),
}

EVENTS = ("app_mention", "message.im")


def manifest(*, command: str = "/runs", mode: Mode = "write", url: str = "") -> dict[str, Any]:
    """The manifest as data. With `url` (the bot's public address) for HTTP, without for Socket Mode."""
    endpoint = f"{url.rstrip('/')}/slack/events" if url else ""
    slash: dict[str, Any] = {
        "command": command,
        "description": "Test runs of Testmo, TestRail and PractiTest: list, show, failures, diff, close",
        "usage_hint": "[help | list | show R118 | failures A412 | close R118 | …]",
        "should_escape": True,
    }
    events: dict[str, Any] = {"bot_events": list(EVENTS)}
    interactivity: dict[str, Any] = {"is_enabled": True}
    if endpoint:
        slash["url"] = endpoint
        events["request_url"] = endpoint
        interactivity["request_url"] = endpoint
    return {
        "_metadata": {"major_version": 2, "minor_version": 1},
        "display_information": {
            "name": "Rundown",
            "description": "Test runs where releases are decided: Testmo, TestRail and PractiTest in Slack.",
            "background_color": "#1f3a4d",
        },
        "features": {
            "app_home": {
                "home_tab_enabled": False,
                "messages_tab_enabled": True,
                "messages_tab_read_only_enabled": False,
            },
            "bot_user": {"display_name": "rundown", "always_online": True},
            **({"shortcuts": _shortcuts()} if mode == "write" else {}),
            "slash_commands": [slash],
        },
        "oauth_config": {"scopes": {"bot": [scope.name for scope in SCOPES if mode == "write" or not scope.writes]}},
        "settings": {
            "event_subscriptions": events,
            "interactivity": interactivity,
            "org_deploy_enabled": False,
            "socket_mode_enabled": not endpoint,
            "token_rotation_enabled": False,
        },
    }


def _shortcuts() -> list[dict[str, str]]:
    return [
        {"name": name, "type": "message", "callback_id": callback, "description": says}
        for callback, (name, says) in SHORTCUTS.items()
    ]


def manifest_yaml(**choices: Any) -> str:
    """The manifest as Slack's settings page takes it."""
    import yaml

    return yaml.safe_dump(manifest(**choices), sort_keys=False, allow_unicode=True, width=110)


def scope_table() -> str:
    """The scopes and why, as a table in GitHub's Markdown."""
    rows = [f"| `{scope.name}` | {scope.why} |" for scope in SCOPES]
    return "\n".join(["| scope | why |", "|---|---|", *rows]) + "\n"
