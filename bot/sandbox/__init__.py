"""The sandbox: sample Testmo, TestRail and PractiTest servers and a local Slack, for the demo and the tests.

Imports nothing of the bot, so that both can be wrong only separately.
"""
