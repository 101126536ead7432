"""What people say and do in channels: commands, mentions, direct messages, edits, reactions, invitations."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from urllib.parse import urlsplit
from uuid import uuid4

from bot.sandbox.slack import composer, payloads
from bot.sandbox.slack.company import SLACKBOT_ID
from bot.sandbox.slack.content import read_content
from bot.sandbox.slack.core import Core, Where, Who
from bot.sandbox.slack.deliveries import Delivery
from bot.sandbox.slack.records import Channel, Json, Message, Person
from bot.sandbox.slack.refusals import CannotDo, Refused
from bot.sandbox.slack.state import new_id

SUBSCRIPTIONS = {"channel": "message.channels", "group": "message.groups", "im": "message.im", "mpim": "message.mpim"}


class Speaking(Core):
    """Acts of a person in a conversation; each returns what was delivered, once it was acknowledged or not."""

    async def command(
        self,
        who: Who,
        where: Where,
        name: str,
        text: str = "",
        *,
        thread_ts: str | None = None,
        escaped: bool = False,
        foreign: bool = False,
    ) -> Delivery:
        """Type a slash command. `text` is as typed (`@ana`, plain URLs); with `escaped` it is in Slack's form already.

        In a thread, for unknown commands and for people of other workspaces, Slack itself refuses. With `foreign` the
        app is installed in the other workspace too: then the command comes, told for that workspace's team.
        """
        person, channel = self._member(who, where)
        if thread_ts:
            return self._refused_command(
                person, channel, "not_supported_in_threads", f"{name} is not supported in threads. Sorry!"
            )
        if name not in self.state.app.commands or (person.is_outsider and not foreign):
            return self._refused_command(person, channel, "invalid_command", f"{name} is not a valid command.")
        words = text if escaped or not self.state.app.should_escape else composer.command_text(self.state, text)
        delivery = Delivery(
            "slash_commands",
            payloads.command(
                self.state,
                person,
                channel,
                name,
                words,
                response_url=self.response_urls.give("commands", channel.id, person.id),
                trigger_id=self.state.triggers.give(person.id, self.state.now()),
            ),
        )
        await self.courier.deliver(delivery)
        if delivery.user_error:
            self._slackbot(person, channel, delivery.user_sees)
        else:
            self._say_ack(delivery)
        return delivery

    def _refused_command(self, person: Person, channel: Channel, error: str, sentence: str) -> Delivery:
        self._slackbot(person, channel, sentence)
        return replace(self._untold(error, sentence), kind="slash_commands")

    def _slackbot(self, person: Person, channel: Channel, sentence: str) -> None:
        self.state.post(channel, SLACKBOT_ID, sentence, only_for=person.id)

    def _say_ack(self, delivery: Delivery) -> None:
        """Words in a command's acknowledgement are said like through its response_url, without using it up."""
        ack = delivery.ack
        args = {"text": ack} if isinstance(ack, str) else ack
        if not isinstance(args, dict) or not args:
            return
        try:
            content = read_content(args, measure=False)
        except Refused as refused:
            self.state.refuse("slash_commands", refused, args)
            return
        self.response_urls.say(self.response_urls.find(delivery.response_url), args, content)

    async def mention(
        self,
        who: Who,
        where: Where,
        text: str,
        *,
        thread_ts: str | None = None,
        escaped: bool = False,
    ) -> Delivery:
        """Say `@rundown …` in a channel or a thread of it."""
        me = f"<@{self.state.app.user_id}>" if escaped else f"@{self.state.people[self.state.app.user_id].handle}"
        return await self.say(who, where, f"{me} {text}".rstrip(), thread_ts=thread_ts, escaped=escaped)

    async def dm(self, who: Who, text: str, *, thread_ts: str | None = None, escaped: bool = False) -> Delivery:
        """Write to the app."""
        return await self.say(who, self.direct(who), text, thread_ts=thread_ts, escaped=escaped)

    async def say(
        self,
        who: Who,
        where: Where,
        text: str,
        *,
        thread_ts: str | None = None,
        escaped: bool = False,
        files: tuple[str, ...] = (),
    ) -> Delivery:
        """Post a message. Returns the delivery of the event that matters most; the others are its `twins`.

        `files` are ids (see `Workspace.put_file`). `delivery.message` is the message. Without any event for the app,
        nothing was attempted.
        """
        person, channel = self._member(who, where)
        parts = composer.read_text(text) if escaped else composer.elements(self.state, text)
        words = text if escaped else composer.message_text(parts)
        message = self.state.post(
            channel,
            person.id,
            words,
            blocks=composer.rich_text(parts),
            thread_ts=thread_ts or "",
            files=files,
        )
        for file_id in files:
            self.state.uploads[file_id].shares.append(channel.id)
        events = self._events(message, channel, parts)
        deliveries = [
            Delivery("events_api", payloads.event(self.state, inner, channel), message=message) for inner in events
        ]
        if not deliveries:
            mentioned = any(part.get("user_id") == self.state.app.user_id for part in parts)
            silent = self._untold(
                "not_in_channel" if mentioned else "", "The app is not in this channel." if mentioned else ""
            )
            return replace(silent, message=message)
        await asyncio.gather(*(self.courier.deliver(one) for one in deliveries))
        deliveries[0].twins = tuple(deliveries[1:])
        return deliveries[0]

    def _events(self, message: Message, channel: Channel, parts: list[Json]) -> list[Json]:
        """The events that a new message causes, most telling first."""
        state, found = self.state, []
        inside = state.app.user_id in channel.members
        if inside and channel.kind != "im" and any(part.get("user_id") == state.app.user_id for part in parts):
            found += [payloads.app_mention(state, message)] if "app_mention" in state.app.events else []
        if inside and SUBSCRIPTIONS[channel.kind] in state.app.events:
            found.append(payloads.message_event(state, message, channel))
        links = self._own_links(parts)
        if links and "link_shared" in state.app.events:
            unfurl_id = f"{channel.id}-{message.ts}-{new_id('', 16).lower()}"
            state.unfurls[unfurl_id] = (channel.id, message.ts, tuple(links))
            found.append(
                payloads.link_shared(
                    state,
                    message.user,
                    channel,
                    links,
                    ts=message.ts,
                    unfurl_id=unfurl_id,
                )
            )
        return found

    def _own_links(self, parts: list[Json]) -> list[str]:
        """Links on the app's unfurl domains (or below them)."""
        domains = self.state.app.unfurl_domains
        return list(
            dict.fromkeys(
                link
                for link in composer.links(parts)
                if any(f".{urlsplit(link).hostname}".endswith(f".{domain}") for domain in domains)
            )
        )

    async def compose(self, who: Who, text: str) -> Delivery:
        """Type a message with links without sending it: link_shared comes from the composer."""
        person = self.person(who)
        links = self._own_links(composer.elements(self.state, text))
        unfurl_id, ts = str(uuid4()), str(uuid4())
        self.state.unfurls[unfurl_id] = ("COMPOSER", ts, tuple(links))
        inner = payloads.link_shared(self.state, person.id, None, links, ts=ts, unfurl_id=unfurl_id)
        return await self.courier.deliver(Delivery("events_api", payloads.event(self.state, inner)))

    async def edit(self, who: Who, message: Message, text: str) -> Delivery:
        """Change one's own message; the app hears of it as `message_changed` where it is subscribed."""
        person, live = self._live(who, message)
        if live.user != person.id:
            raise CannotDo("this is somebody else's message")
        parts = composer.elements(self.state, text)
        after = self.state.edit(
            live,
            edited_by=person.id,
            text=composer.message_text(parts),
            blocks=composer.rich_text(parts),
        )
        channel = self.state.channels[live.channel]
        return await self._event(
            payloads.message_changed(self.state, live, after, channel), channel, SUBSCRIPTIONS[channel.kind]
        )

    async def delete(self, who: Who, message: Message) -> Delivery:
        """Take one's own message back (an admin: anybody's)."""
        person, live = self._live(who, message)
        if live.user != person.id and not person.is_admin:
            raise CannotDo("this is somebody else's message")
        self.state.remove(live)
        channel = self.state.channels[live.channel]
        return await self._event(
            payloads.message_deleted(self.state, live, channel), channel, SUBSCRIPTIONS[channel.kind]
        )

    async def react(self, who: Who, message: Message, name: str) -> Delivery:
        """Put a reaction under a message."""
        person, live = self._live(who, message)
        self.state.edit(live, reactions=(*live.reactions, (name, person.id)))
        inner = payloads.reaction(self.state, "reaction_added", person.id, live, name)
        return await self._event(inner, self.state.channels[live.channel], "reaction_added")

    async def invite(self, who: Who, where: Where, *, guest: Who | None = None) -> Delivery:
        """Bring the app (or `guest`) into a channel."""
        inviter, channel = self._member(who, where)
        newcomer = self.state.app.user_id if guest is None else self.person(guest).id
        if newcomer not in channel.members:
            channel.members.append(newcomer)
        return await self._event(
            payloads.joined(self.state, newcomer, channel, inviter.id), channel, "member_joined_channel"
        )

    def _echo(self, how: str, message: Message) -> None:
        """Tell the app of its own message."""
        channel = self.state.channels[message.channel]
        if how == "posted" and message.by_app and not message.is_ephemeral:
            self.courier.later(
                self._event(
                    payloads.message_event(self.state, message, channel),
                    channel,
                    SUBSCRIPTIONS[channel.kind],
                )
            )

    def remove(self, where: Where, who: Who | None = None) -> None:
        """Take the app (or somebody) out of a channel."""
        channel = self.channel(where)
        channel.members.remove(self.state.app.user_id if who is None else self.person(who).id)
        self.state.changed()

    async def open_home(self, who: Who, tab: str = "home") -> Delivery:
        """Look at the app's Home (or `messages`) tab."""
        person = self.person(who)
        inner = payloads.home_opened(self.state, person, tab, self.state.homes.get(person.id))
        return await self._event(inner, None, "app_home_opened")

    async def _event(self, inner: Json, channel: Channel | None, subscription: str) -> Delivery:
        """Deliver an event if the app wants it and may see it."""
        if subscription not in self.state.app.events:
            return self._untold("", "")
        if channel is not None and self.state.app.user_id not in channel.members:
            return self._untold("", "")
        return await self.courier.deliver(Delivery("events_api", payloads.event(self.state, inner, channel)))
