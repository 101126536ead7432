"""The demo: sample systems, a local Slack and a terminal to use them with. The bot itself is the real one."""

from bot.sandbox.demo.script import play, run
from bot.sandbox.demo.town import Town

__all__ = ["Town", "play", "run"]
