"""What people see, and how tests wait for it: conditions, never times."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from bot.sandbox.slack import wire
from bot.sandbox.slack.core import Core, Where, Who
from bot.sandbox.slack.reading import words
from bot.sandbox.slack.records import Message, View
from bot.sandbox.slack.refusals import CannotDo

T = TypeVar("T")


class Watching(Core):
    """Looks at the workspace as it is now."""

    def __init__(self) -> None:
        self._handed: set[tuple[str, str]] = set()

    def seen_by(self, who: Who, where: Where, *, thread_ts: str | None = None) -> list[Message]:
        """What this person sees in a conversation, oldest first: edits applied, deleted gone, own ephemerals in.

        Without `thread_ts` the channel itself (replies only when broadcast), with it the parent and its replies.
        """
        person, channel = self.person(who), self.channel(where)
        if person.id not in channel.members and channel.kind != "channel":
            raise CannotDo(f"{person.name} does not see {channel.name or channel.id}")
        visible = [one for one in self.state.in_channel(channel.id) if one.only_for in {"", person.id}]
        if thread_ts is None:
            return [one for one in visible if not one.thread_ts or one.broadcast]
        return [one for one in visible if thread_ts in (one.ts, one.thread_ts)]

    def thread(self, who: Who, parent: Message) -> list[Message]:
        """The parent and its replies, as this person sees them."""
        return self.seen_by(who, parent.channel, thread_ts=parent.thread_ts or parent.ts)

    def said(self, where: Where | None = None) -> list[Message]:
        """Everything the app has posted that is still there (also to one person only), oldest first."""
        channel_id = None if where is None else self.channel(where).id
        found = [
            one
            for one in self.state.messages.values()
            if one.by_app and not one.deleted and channel_id in (None, one.channel)
        ]
        return sorted(found, key=lambda one: one.ts)

    def now(self, message: Message) -> Message:
        """The message as it is now (`deleted` when it is gone)."""
        return self.state.messages[message.key]

    def words(self, message: Message) -> str:
        """All words of a message as read on a screen, markup gone, one line per block."""
        names = {person.id: person.handle for person in self.state.people.values()}
        names |= {channel.id: channel.name for channel in self.state.channels.values()}
        names |= {group.id: group.handle for group in self.state.groups.values()}
        return words(self.state.messages[message.key], names)

    def permalink(self, message: Message) -> str:
        return wire.permalink(self.state, message)

    def view(self, who: Who) -> View | None:
        """The dialog on top in front of this person."""
        return self.state.top_view(self.person(who).id)

    def views(self, who: Who) -> list[View]:
        """The dialogs in front of this person, the top one last."""
        return [self.state.views[one] for one in self.state.stacks.get(self.person(who).id, [])]

    def home(self, who: Who) -> View | None:
        """What the app has published as this person's Home tab."""
        return self.state.homes.get(self.person(who).id)

    async def next_message(
        self,
        predicate: Callable[[Message], Any] = lambda _: True,
        timeout_s: float = 5.0,
    ) -> Message:
        """The app's oldest message that fits and was not handed out by this call before; waits for it.

        Raises TimeoutError after `timeout_s` seconds of real time.
        """

        def fresh() -> Message | None:
            return next((one for one in self.said() if one.key not in self._handed and predicate(one)), None)

        found: Message = await self.state.wait(fresh, timeout_s, "a message")
        self._handed.add(found.key)
        return found

    async def until(self, predicate: Callable[[], T], timeout_s: float = 5.0) -> T:
        """Wait until this is true, looking again after every change; returns what it returned.

        Raises TimeoutError after `timeout_s` seconds of real time.
        """
        met: T = await self.state.wait(predicate, timeout_s)
        return met
