"""A Slack workspace on loopback that real clients talk to, as strict as Slack. See `Workspace`."""

from bot.sandbox.slack.controls import Control
from bot.sandbox.slack.deliveries import Attempt, Delivery
from bot.sandbox.slack.records import ApiCall, Channel, Download, Message, Person, Refusal, Shortcut, Upload, View
from bot.sandbox.slack.refusals import CannotDo
from bot.sandbox.slack.state import Quirks
from bot.sandbox.slack.workspace import Workspace

__all__ = [
    "ApiCall",
    "Attempt",
    "CannotDo",
    "Channel",
    "Control",
    "Delivery",
    "Download",
    "Message",
    "Person",
    "Quirks",
    "Refusal",
    "Shortcut",
    "Upload",
    "View",
    "Workspace",
]
