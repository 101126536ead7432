"""Messages are as they are with one system, whatever other tests connected before."""

from __future__ import annotations

import pytest

from bot.presenters import letters


@pytest.fixture(autouse=True)
def _one_system() -> None:
    letters.use([])
