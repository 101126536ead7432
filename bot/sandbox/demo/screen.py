"""One person's screen: draws what the bot says to them as it arrives, and knows when that was an answer."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import tzinfo
from typing import Any

from rich.console import Console, RenderableType
from rich.text import Text

from bot.sandbox.demo.chips import Chips
from bot.sandbox.demo.drawing import draw, draw_dialog
from bot.sandbox.demo.ink import Look
from bot.sandbox.demo.letters import harmless, line
from bot.sandbox.demo.shapes import Behind
from bot.sandbox.demo.town import Town
from bot.sandbox.slack import Channel, Message, Person, View
from bot.sandbox.slack.company import SLACKBOT_ID
from bot.sandbox.slack.reading import Reader

WIDEST = 110
SEEN_MOST = 20
MISSED_MOST = 5
#: “⏳ Looking up …”, “Working…”: the real answer takes its place.
_INTERIM = re.compile(
    r"(?:[⏳⌛]|:hourglass(?:_flowing_sand)?:|(?:looking|loading|reading|working|one moment)\b).*(?:…|\.\.\.)",
    re.IGNORECASE,
)


class Screen:
    """What `person` sees, looking at `channel`. With `interim` also lines that only say that an answer will come.

    `finals` grows with every message of the app (or of Slack itself) to this person that stands for itself, also
    when one was taken away.
    """

    def __init__(
        self,
        town: Town,
        console: Console,
        person: Person,
        channel: Channel,
        *,
        interim: bool,
        hyperlinks: bool = False,
        zone: tzinfo | None = None,
    ) -> None:
        self.town = town
        self.person = person
        self.channel = channel
        self.chips = Chips()
        self.finals: list[Message] = []
        self.news = 0
        #: Draws; the prompt puts its own in place, which keeps the line that is being typed.
        self.show: Callable[[RenderableType], None] = self._print
        self._console = console
        self._interim = interim
        self._hyperlinks = hyperlinks
        self._zone = zone
        self._drawn: dict[tuple[str, str], Any] = {}
        self._dialog: tuple[str, str] | None = None
        self._pending: set[tuple[str, str]] = set()
        self._missed: dict[tuple[str, str], None] = {}
        #: The message that is being used: its new state is drawn whole, that of others elsewhere as a line.
        self.used: tuple[str, str] | None = None
        self.thread_ts = ""
        self._last: Message | None = None
        town.watch(self.hear)

    # -- what arrives ------------------------------------------------------------------------------------------------

    def hear(self, how: str, message: Message) -> None:
        """Take note of a message that was posted, edited or deleted."""
        self.news += 1
        if not (message.by_app or message.user == SLACKBOT_ID):
            return
        if not self.sees(message):
            self._missed[message.key] = None
            return
        if how == "deleted":
            if self._drawn.pop(message.key, None) is not None:
                self.note(f"{self._name(message.user)} took a message away.")
            self.finals.append(message)
            return
        known = self._drawn.get(message.key)
        if is_interim(message.blocks, message.text):
            self._pending.add(message.key)
            if self._interim:
                self._draw(message, edited=known is not None)
            return
        if known != _content(message):
            if how == "edited" and self._stands_elsewhere(message):
                self.note(f"edited in {self._where(message)}: {self.glimpse(message)}")
            else:
                self._draw(message, edited=known is not None)
            self._drawn[message.key] = _content(message)
        self._pending.discard(message.key)
        self.finals.append(message)

    def _stands_elsewhere(self, message: Message) -> bool:
        """Whether an edited message is neither the one in use, nor the last one drawn, nor one still awaited."""
        at_hand = {self.used, self._last.key if self._last else None, *self._pending}
        return message.key not in at_hand

    def _where(self, message: Message) -> str:
        return f"{'a thread of ' if message.thread_ts else ''}{place_name(self._channel(message))}"

    def sees(self, message: Message) -> bool:
        """Whether this person sees that message."""
        return message.only_for in {"", self.person.id} and self.person.id in self._channel(message).members

    def _channel(self, message: Message) -> Channel:
        return self.town.slack.channel(message.channel)

    def become(self, person: Person, channel: Channel) -> None:
        """Be somebody else's screen from now on; what they were sent meanwhile is drawn."""
        self.person, self.channel, self._dialog = person, channel, None
        self._catch_up()
        self.draw_dialog()

    def _catch_up(self) -> None:
        now = [self.town.slack.state.messages[key] for key in self._missed]
        mine = [one for one in now if self.sees(one)]
        for one in mine:
            del self._missed[one.key]
        there = [one for one in mine if not one.deleted and self._drawn.get(one.key) != _content(one)]
        if there:
            shown = f"; the last {MISSED_MOST} of them" if len(there) > MISSED_MOST else ""
            self.note(f"{len(there)} message{'s' if len(there) > 1 else ''} came meanwhile{shown}:")
        for one in there[-MISSED_MOST:]:
            self._draw(one)
            self._drawn[one.key] = _content(one)

    # -- drawing -----------------------------------------------------------------------------------------------------

    @property
    def look(self) -> Look:
        state = self.town.slack.state
        names = {one.id: one.name for one in state.people.values()}
        names |= {one.id: one.name for one in state.channels.values() if one.name}
        names |= {one.id: one.handle for one in state.groups.values()}
        names |= {one.id: one.title or one.name for one in state.uploads.values()}
        return Look(
            names=names,
            now=self.town.clock.now(),
            zone=self._zone,
            styled=self._console.color_system is not None and not self._console.no_color,
            hyperlinks=self._hyperlinks,
            people=[(one.id, one.name) for one in state.people.values() if not one.is_bot and one.id != SLACKBOT_ID],
            channels=[
                (one.id, one.name) for one in state.channels.values() if self.person.id in one.members and one.name
            ],
        )

    def _draw(self, message: Message, *, edited: bool = False) -> None:
        try:
            self._lead_in(message)
            self.show(draw(message, self.look, self.chips, place=self._place(message), edited=edited))
        except Exception as error:  # the bot is still waiting for Slack's answer; a bad drawing must not spoil that
            self.hint(f"This could not be drawn ({type(error).__name__}): {self.town.slack.words(message)}")

    def _lead_in(self, message: Message) -> None:
        """Say which thread a reply belongs to, unless that is plain from what stands above it."""
        last, self._last = self._last, message
        parent = self.town.slack.state.messages.get((message.channel, message.thread_ts))
        if parent is None or message.thread_ts == self.thread_ts:
            return
        just_said = parent.user == self.person.id and (last is None or last.ts < parent.ts)
        if not just_said and (last is None or parent.ts not in (last.ts, last.thread_ts)):
            self.show(Text(f"  in the thread of “{self.glimpse(parent)}”", "dim", overflow="ellipsis", no_wrap=True))

    def glimpse(self, message: Message) -> str:
        """The first words of a message, on one line."""
        reader = Reader(self.look.names)
        words = line(
            next((part for part in reader.blocks(message.blocks) if part.strip()), "") or reader.mrkdwn(message.text)
        )
        return words if len(words) <= 48 else f"{words[:47].rstrip()}…"

    def _place(self, message: Message) -> str:
        channel = self._channel(message)
        return "" if channel.id == self.channel.id else place_name(channel)

    def _name(self, user: str) -> str:
        return self.look.names.get(user, user)

    def draw_dialog(self, *, again: bool = False) -> None:
        """Draw the dialog in front of this person when it is new or has changed, or `again`; say when it was closed."""
        view = self.town.slack.view(self.person)
        stamp = dialog_stamp(view)
        if stamp == self._dialog and not (again and view):
            return
        if view is not None and not self._interim and is_interim(view.blocks, ""):
            return
        if view is not None:
            self.show(draw_dialog(view, self.look, self.chips))
        else:
            self.note("The dialog is closed.")
        self._dialog = stamp

    def draw_entry(self, label: str, words: str) -> None:
        """Say what stands in an input of the dialog now: a line, for the whole form would be drawn for each of them."""
        self.note(f"{label}: {words or '–'}")
        self._dialog = dialog_stamp(self.town.slack.view(self.person))

    def see(self, thread_ts: str = "") -> None:
        """Draw the conversation, or one thread, as this person sees it, and the dialog in front of it."""
        slack = self.town.slack
        roots = slack.seen_by(self.person, self.channel)
        if thread_ts:
            roots = [one for one in roots if one.ts == thread_ts]
        if not roots:
            self.note(f"Nothing was said in {place_name(self.channel)} yet.")
        if len(roots) > SEEN_MOST:
            self.note(f"{len(roots) - SEEN_MOST} earlier messages are not shown.")
        for root in roots[-SEEN_MOST:]:
            for message in [root] if root.thread_ts else slack.thread(self.person, root):
                self._last = message
                self.show(draw(message, self.look, self.chips))
                self._drawn[message.key] = _content(message)
        self.draw_dialog(again=True)

    def note(self, words: str) -> None:
        """Something the demo says itself."""
        self.show(Behind(Text(harmless(words), "dim", overflow="fold"), "· ", "  ", style="dim"))

    def hint(self, words: str) -> None:
        """Something that went wrong, and what to do instead."""
        self.show(Behind(Text(harmless(words), "yellow", overflow="fold"), "? ", "  ", style="yellow"))

    def _print(self, drawing: RenderableType) -> None:
        self._console.print(drawing, width=min(self._console.width, WIDEST), crop=False)


def is_interim(blocks: Any, text: str) -> bool:
    """Whether a message or dialog only says that something is being looked up or done."""
    parts = [line(part) for part in Reader({}).blocks(blocks)] if blocks else [line(text)]
    return any(_INTERIM.fullmatch(part) for part in parts)


def dialog_stamp(view: View | None) -> tuple[str, str] | None:
    """Changes with everything that is shown in a dialog."""
    return None if view is None else (view.id, f"{view.hash} {view.typed} {view.errors}")


def place_name(channel: Channel) -> str:
    """`#release`, `direct messages`."""
    return f"#{channel.name}" if channel.name else "direct messages"


def _content(message: Message) -> Any:
    """What of a message can be seen; block_ids may be made up anew with every edit."""
    blocks = [{key: value for key, value in block.items() if key != "block_id"} for block in message.blocks]
    return (message.text if not blocks else "", blocks, message.attachments, message.reactions, message.files)
