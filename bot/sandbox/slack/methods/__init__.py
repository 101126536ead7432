"""The Web API, one family of methods a file. Importing this package fills METHODS."""

from bot.sandbox.slack.methods import chat, conversations, files, people, reactions, views
from bot.sandbox.slack.methods._registry import METHODS, Method, need

__all__ = ["METHODS", "Method", "chat", "conversations", "files", "need", "people", "reactions", "views"]
