"""A Slack workspace on loopback that real clients talk to, as strict as Slack. See `Workspace`."""

from bot.sandbox.slack.controls import Control
from bot.sandbox.slack.deliveries import Attempt, Delivery
from bot.sandbox.slack.records import ApiCall, Channel, Message, Person, Refusal, View
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
    "Message",
    "Person",
    "Quirks",
    "Refusal",
    "View",
    "Workspace",
]
