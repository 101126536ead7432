"""Who somebody is in Slack right now, for the access rules: role, user groups, an admin by the settings or not."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

from bot.domain.access import Actor, Role
from bot.domain.errors import OurError
from bot.slack.people import Member, People
from bot.usecases.ports import Grants

if TYPE_CHECKING:
    from slack_sdk.web.async_client import AsyncWebClient

#: Seconds that roles and memberships are remembered: a burst of clicks asks once, a right that was taken away is gone.
FRESH_S = 2.0
#: The most admins who are asked about a request.
MOST_ADMINS = 10
#: Pages of `users.list` that are looked through for the workspace's admins.
PAGES = 5


class SlackDirectory:
    """The port `Directory`. `admins` are the settings' Slack ids and email addresses."""

    def __init__(self, client: AsyncWebClient, people: People, grants: Grants, admins: Sequence[str]) -> None:
        self._client = client
        self._people = people
        self._grants = grants
        self._admins = frozenset(each.strip().casefold() for each in admins)
        self._groups: dict[str, tuple[float, asyncio.Task[frozenset[str]]]] = {}

    async def actor(self, team: str, user: str) -> Actor:
        """Raises OurError when Slack won't tell: then nobody may change anything."""
        member = await self._people.member(user, within_s=FRESH_S)
        known = self._named(member)
        actor = Actor(
            user=user, name=member.name, team=team, role=cast("Role", member.role), admin=known, groups=frozenset()
        )
        if actor.rules or member.role in ("guest", "outsider", "bot"):
            return actor
        groups = {grant.subject for grant in await self._grants.all(team) if grant.kind == "group"}
        members = await asyncio.gather(*(self._members(group) for group in groups))
        mine = frozenset(group for group, users in zip(groups, members, strict=True) if user in users)
        return Actor(user=user, name=member.name, team=team, role=actor.role, admin=known, groups=mine)

    async def admins(self) -> tuple[str, ...]:
        """Who is asked about requests: the settings' admins, else the workspace's own; Slack ids."""
        ids = [each.upper() for each in self._admins if "@" not in each]
        for address in (each for each in self._admins if "@" in each):
            found = await self._call("users.lookupByEmail", email=address)
            ids += [str((found.get("user") or {}).get("id") or "")] if found else []
        ids = [each for each in dict.fromkeys(ids) if each]
        return tuple(ids[:MOST_ADMINS]) if ids else await self._workspace_admins()

    async def _workspace_admins(self) -> tuple[str, ...]:
        found: list[str] = []
        cursor = ""
        for _ in range(PAGES):
            page = await self._call("users.list", limit=200, **({"cursor": cursor} if cursor else {}))
            found += [
                str(each.get("id"))
                for each in page.get("members") or ()
                if (each.get("is_admin") or each.get("is_owner")) and not each.get("deleted") and not each.get("is_bot")
            ]
            cursor = str((page.get("response_metadata") or {}).get("next_cursor") or "")
            if not cursor or len(found) >= MOST_ADMINS:
                break
        return tuple(found[:MOST_ADMINS])

    def _named(self, member: Member) -> bool:
        return member.id.casefold() in self._admins or bool(
            member.email and member.email.casefold() in self._admins and member.role in ("owner", "admin", "member")
        )

    async def _members(self, group: str) -> frozenset[str]:
        """The group's people, asked for once by all who want to know at the same time."""
        known = self._groups.get(group)
        if known is None or known[0] < time.monotonic():
            known = (time.monotonic() + FRESH_S, asyncio.create_task(self._ask(group), name=f"group {group}"))
            self._groups[group] = known
        try:
            return await asyncio.shield(known[1])
        except OurError:
            self._groups.pop(group, None)
            raise

    async def _ask(self, group: str) -> frozenset[str]:
        answer = await self._call("usergroups.users.list", usergroup=group)
        if not answer:
            raise OurError(
                "Slack does not tell who is in a user group right now.",
                why="A rule of who may change runs names that group.",
                fix="Try again in a minute.",
            )
        return frozenset(str(each) for each in answer.get("users") or ())

    async def _call(self, method: str, **params: Any) -> dict[str, Any]:
        """The answer; empty when Slack won't."""
        from slack_sdk.errors import SlackApiError, SlackClientError

        try:
            answer = await self._client.api_call(method, params=params)
        except SlackApiError as error:
            gone = isinstance(error.response.data, dict) and error.response.data.get("error") == "no_such_subteam"
            return {"users": ()} if gone else {}
        except (SlackClientError, OSError, TimeoutError):
            return {}
        return answer.data if isinstance(answer.data, dict) else {}
