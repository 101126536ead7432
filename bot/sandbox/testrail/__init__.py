"""A sample TestRail: the vendor's API v2 on loopback, with the company's runs, for the demo and the tests.

`TestRail` is the server. Sources of its habits: the vendor's page on runs, the fact sheet on test systems.
"""

from bot.sandbox.testrail.server import TestRail

__all__ = ["TestRail"]
