"""How each test system speaks. A system is one file here, and one line in the CATALOGUE."""

from __future__ import annotations

import importlib
from collections.abc import Mapping

from bot.systems._spec import Account, Option, System

#: Name as typed in settings → the module that holds its `SYSTEM`.
CATALOGUE: Mapping[str, str] = {
    "testmo": "bot.systems.testmo",
    "testrail": "bot.systems.testrail",
    "practitest": "bot.systems.practitest",
}


def system(name: str) -> System:
    """The system of that name. Raises KeyError for one that is not in the catalogue."""
    found = importlib.import_module(CATALOGUE[name]).SYSTEM
    if not isinstance(found, System):
        raise TypeError(f"{CATALOGUE[name]}.SYSTEM is not a System")
    return found


__all__ = ["CATALOGUE", "Account", "Option", "System", "system"]
