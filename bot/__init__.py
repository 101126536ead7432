"""Rundown: a Slack bot for people who test software."""

__version__ = "0.2.0"
