"""A sample PractiTest: the vendor's API v2 over invented data, for the demo and the tests.

Wire facts: the vendor's page on runs, and the pages next to it on sets, instances, tests, users and milestones.
"""

from bot.sandbox.practitest.server import PractiTest

__all__ = ["PractiTest"]
