"""Who people are in Slack: name, address, role. Asked for once, then remembered for some minutes."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.domain.errors import OurError
from bot.domain.queries import Who

if TYPE_CHECKING:
    from slack_sdk.web.async_client import AsyncWebClient

KEPT_S = 300.0


@dataclass(frozen=True, slots=True)
class Member:
    """One person. `role` is `owner`, `admin`, `member`, `guest`, `outsider` or `bot`; `tz` an IANA zone."""

    id: str
    name: str
    email: str = ""
    role: str = "member"
    tz: str = "UTC"
    team: str = ""

    def who(self) -> Who:
        return Who(text=self.email or self.name, email=self.email, name=self.name)


class People:
    """Looks people up by `users.info`."""

    def __init__(self, client: AsyncWebClient, home_team: str = "") -> None:
        self._client = client
        self._known: dict[str, tuple[float, Member]] = {}
        self._asked: dict[str, asyncio.Task[Member]] = {}
        self.home_team = home_team

    async def member(self, user: str, within_s: float = KEPT_S) -> Member:
        """Who that is, as Slack told it within the last so many seconds. Raises OurError when Slack won't tell."""
        known = self._known.get(user)
        if known is not None and known[0] > time.monotonic() - within_s:
            return known[1]
        asked = self._asked.get(user)
        if asked is None:
            asked = self._asked[user] = asyncio.create_task(self._ask(user), name=f"who is {user}")
            asked.add_done_callback(lambda _: self._asked.pop(user, None))
        return await asyncio.shield(asked)

    async def _ask(self, user: str) -> Member:
        from slack_sdk.errors import SlackClientError

        try:
            answer = await self._client.api_call("users.info", params={"user": user})
        except (SlackClientError, OSError, TimeoutError) as error:
            raise OurError(
                "Slack does not tell who that is right now.",
                why="Asking for the person's profile failed.",
                fix="Try again in a minute, or name the person by email address.",
            ) from error
        found = _member(answer.get("user") or {}, self.home_team)
        if len(self._known) > 5_000:
            self._known.clear()
        self._known[user] = (time.monotonic(), found)
        return found


def _member(user: dict[str, object], home_team: str) -> Member:
    profile = user.get("profile")
    profile = profile if isinstance(profile, dict) else {}
    name = profile.get("real_name") or user.get("real_name") or profile.get("display_name") or user.get("name") or ""
    return Member(
        id=str(user.get("id", "")),
        name=str(name),
        email=str(profile.get("email") or ""),
        role=_role(user, home_team),
        tz=str(user.get("tz") or "UTC"),
        team=str(user.get("team_id") or ""),
    )


def _role(user: dict[str, object], home_team: str) -> str:
    if user.get("is_stranger") or (home_team and user.get("team_id") not in (home_team, None, "")):
        return "outsider"
    if user.get("is_bot") or user.get("deleted"):
        return "bot"
    if user.get("is_restricted") or user.get("is_ultra_restricted"):
        return "guest"
    if user.get("is_owner") or user.get("is_primary_owner"):
        return "owner"
    return "admin" if user.get("is_admin") else "member"
