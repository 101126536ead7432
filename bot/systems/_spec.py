"""What a system tells of itself, so that the rest of the bot needs to know no system by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from bot.domain.model import Kind

if TYPE_CHECKING:
    from bot.systems._pace import Pace
    from bot.usecases.ports import Connection


@dataclass(frozen=True, slots=True)
class Option:
    """One setting of a connection: `url` of `testrail` is `TESTRAIL_URL` in the environment, `url` in the TOML table.

    `expects` completes the sentence "TESTRAIL_URL: expected …". Secrets are never printed. `of` is the kind of value.
    """

    name: str
    expects: str
    of: Literal["url", "text", "secret", "number", "switch"] = "text"
    required: bool = True
    default: str | int | bool | None = None


@dataclass(frozen=True, slots=True)
class Account:
    """Everything a system needs to connect. `now` is the time of day, aware, in UTC."""

    name: str
    options: Mapping[str, str | int | bool | None] = field(repr=False)
    pace: Pace
    now: Callable[[], datetime]

    def text(self, option: str) -> str:
        value = self.options.get(option)
        return "" if value is None else str(value)

    def number(self, option: str) -> int | None:
        value = self.options.get(option)
        return value if isinstance(value, int) and not isinstance(value, bool) else None


@dataclass(frozen=True, slots=True)
class System:
    """One kind of test system. `per_minute` is the rate its vendor allows when nothing else is configured."""

    name: str
    label: str
    options: tuple[Option, ...]
    kinds: tuple[Kind, ...]
    connect: Callable[[Account], Connection]
    per_minute: int | None = None
    aliases: tuple[str, ...] = field(default=())
