"""A sample Testmo server: API 2.4 on the wire, a small company's runs in memory.

async with running(server := Testmo()):
    … GET {server.url}/api/v1/automation/runs/412 with `Authorization: Bearer testmo-demo-token`
"""

from bot.sandbox.testmo.server import Testmo
from bot.sandbox.testmo.service import Access

__all__ = ["Access", "Testmo"]
