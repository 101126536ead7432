"""httpx without its command line, which would load rich and pygments: 5 MB that the bot has no use for.

The only place that imports the library, so that one of its forks is a line away.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import cast

_COMMAND_LINE = "httpx._main"

if "httpx" not in sys.modules and _COMMAND_LINE not in sys.modules:
    modules = cast("dict[str, ModuleType | None]", sys.modules)
    modules[_COMMAND_LINE] = None  # httpx takes this for "not installed", and does without
    import httpx

    del modules[_COMMAND_LINE]
else:
    import httpx

__all__ = ["httpx"]
