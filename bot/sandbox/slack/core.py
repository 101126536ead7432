"""What the three faces of the workspace (speaking, using, watching) stand on."""

from __future__ import annotations

from bot.sandbox.slack.courier import Courier
from bot.sandbox.slack.deliveries import Delivery
from bot.sandbox.slack.records import Channel, Message, Person
from bot.sandbox.slack.refusals import CannotDo
from bot.sandbox.slack.response_urls import ResponseUrls
from bot.sandbox.slack.state import State
from bot.sandbox.world import Colleague

#: A person may be named by the colleague of `world`, a Person, an id or a handle.
Who = Colleague | Person | str
#: A conversation: `#release`, an id or a Channel.
Where = Channel | str


class Core:
    """State, courier and the few look-ups that all faces need."""

    state: State
    courier: Courier
    response_urls: ResponseUrls

    def person(self, who: Who) -> Person:
        """The person meant. Raises CannotDo."""
        if isinstance(who, Person):
            return self.state.person(who.id)
        if isinstance(who, Colleague):
            return self.state.person(who.slack)
        for person in self.state.people.values():
            if person.handle == who.removeprefix("@"):
                return person
        return self.state.person(who)

    def channel(self, where: Where) -> Channel:
        """The conversation meant. Raises CannotDo."""
        return self.state.channels[where.id] if isinstance(where, Channel) else self.state.channel_named(where)

    def direct(self, *people: Who) -> Channel:
        """The direct messages of one person with the app, or of several people without it."""
        ids = [self.person(one).id for one in people]
        return self.state.direct(*ids) if len(ids) > 1 else self.state.direct(ids[0], self.state.app.user_id)

    def _member(self, who: Who, where: Where) -> tuple[Person, Channel]:
        person, channel = self.person(who), self.channel(where)
        if person.id not in channel.members:
            raise CannotDo(f"{person.name} is not in {channel.name or channel.id}")
        if channel.archived:
            raise CannotDo(f"{channel.name} is archived")
        return person, channel

    def _live(self, who: Who, message: Message) -> tuple[Person, Message]:
        """The message as it is now, if this person sees it. Raises CannotDo."""
        person = self.person(who)
        live = self.state.messages.get(message.key)
        if live is None or live.deleted:
            raise CannotDo("the message is gone")
        if live.only_for not in {"", person.id} or person.id not in self.state.channels[live.channel].members:
            raise CannotDo(f"{person.name} does not see this message")
        return person, live

    def _untold(self, error: str, sentence: str) -> Delivery:
        """An act that Slack itself turned down: nothing reached the app."""
        return Delivery("events_api", {}, user_error=error, user_sees=sentence)
