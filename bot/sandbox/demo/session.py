"""One person at work in the demo's Slack: does what was typed, and waits for what the bot makes of it."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from rich.text import Text

from bot.sandbox.demo.acts import (
    Act,
    Become,
    Enter,
    Find,
    Help,
    Mention,
    Menu,
    Move,
    Nothing,
    Press,
    Quit,
    Say,
    See,
    Slash,
    Thread,
    Trouble,
    Unknown,
)
from bot.sandbox.demo.chips import Target, Thing, Use, initial, live, meant, options, shown_value
from bot.sandbox.demo.guide import HELP
from bot.sandbox.demo.ink import Ink
from bot.sandbox.demo.letters import harmless, line
from bot.sandbox.demo.moments import HINT, read_moment
from bot.sandbox.demo.screen import Screen, dialog_stamp, is_interim, place_name
from bot.sandbox.demo.town import Town
from bot.sandbox.slack import CannotDo, Channel, Control, Delivery, Message, Person, Shortcut, View, Workspace

ANSWER_S = 30.0
QUIET_S, QUIET_MOST = 0.4, 8
#: How long a shared answer may take to leave the place where only one person saw it.
WITHDRAWN_S = 5.0


@dataclass(frozen=True, slots=True)
class Done:
    """An act as far as the person is concerned. With `waits` an answer is due.

    `before` is what was there already: messages, and the dialog; `place` where it was done (a channel's id), `used`
    the message that was clicked, `leaves` whether it goes away (its answer was shared).
    """

    ok: bool = True
    waits: bool = False
    ends: bool = False
    before: tuple[int, tuple[str, str] | None] = (0, None)
    place: str = ""
    used: tuple[str, str] | None = None
    leaves: bool = False

    def is_answer(self, message: Message, channel: Channel) -> bool:
        """Whether this answers the act: said where it was done or directly; gone only if it is what was clicked."""
        if message.deleted:
            return message.key == self.used
        return message.channel == self.place or channel.is_direct


class Session:
    """Who types, where, in which thread. Raises CannotDo when there is no such person or channel."""

    def __init__(self, town: Town, person: str, channel: str, screen: Callable[[Person, Channel], Screen]) -> None:
        self._town = town
        who = self._colleague(person)
        self.screen = screen(who, self._place(channel, who))

    @property
    def slack(self) -> Workspace:
        return self._town.slack

    @property
    def person(self) -> Person:
        return self.screen.person

    @property
    def channel(self) -> Channel:
        return self.screen.channel

    def prompt(self) -> str:
        """`ana in #release › `, `ana in a thread of #release › `, `ana to rundown › `."""
        thread = "a thread of " if self.screen.thread_ts else ""
        if self.channel.is_direct:
            bot = line(self.slack.person(self.slack.bot_user_id).handle)
            place = f"in {thread}direct messages" if thread else f"to {bot}"
        else:
            place = f"in {thread}{place_name(self.channel)}"
        return f"{self.person.handle} {place} › "

    def show_prompt(self, typed: str) -> None:
        """The prompt with what was typed, as a line of its own."""
        self.screen.show(Text.assemble((self.prompt(), "bold cyan"), (harmless(typed), "bold"), overflow="fold"))

    # -- doing -------------------------------------------------------------------------------------------------------

    async def do(self, act: Act) -> Done:
        """Do it; what can't be done is hinted at."""
        try:
            return await self._do(act)
        except CannotDo as error:
            words = str(error)
            self.screen.hint(f"{words[:1].upper()}{words[1:]}{'' if words.endswith('.') else '.'}")
            return Done(ok=False)

    async def _do(self, act: Act) -> Done:  # noqa: PLR0912  one case for each act
        match act:
            case Slash():
                return await self._send(self.slack.command, act.name, act.text)
            case Mention():
                return await self._send(self.slack.mention, act.text)
            case Say() if self.channel.is_direct or act.names_bot:
                return await self._send(self.slack.say, act.text)
            case Say():
                done = await self._send(self.slack.say, act.text)
                self.screen.note(f"Said to {place_name(self.channel)}. Rundown listens to /runs … and @rundown …")
                return Done(ok=done.ok)
            case Press():
                return await self._press(act)
            case Find():
                return await self._press(Press(self._number(act), entered=act.entered))
            case Menu():
                return await self._menu(act)
            case Become():
                self._become(self._colleague(act.person))
            case Enter():
                self.screen.channel = self._place(act.channel, self.person)
                self.screen.thread_ts = ""
            case Thread():
                self._thread(act.on)
            case Trouble():
                self._trouble(act)
            case Move():
                await self._move(act.when)
            case See():
                self.screen.see(self.screen.thread_ts)
            case Help():
                self.screen.show(HELP)
            case Unknown():
                self.screen.hint(act.hint)
                return Done(ok=False)
            case Quit():
                return Done(ends=True)
            case Nothing():
                pass
        return Done()

    async def _send(self, how: Callable[..., Any], *words: str) -> Done:
        before = self._before()
        self.screen.used = None
        delivery = await how(self.person, self.channel, *words, thread_ts=self.screen.thread_ts or None)
        return self._sent(delivery, before)

    def _sent(self, delivery: Delivery, before: tuple[int, tuple[str, str] | None], thing: Thing | None = None) -> Done:
        if not delivery.user_error:
            message = thing if isinstance(thing, Message) else None
            place = message.channel if message else self.channel.id
            return Done(waits=True, before=before, place=place, used=message.key if message else None)
        if len(self.screen.finals) == before[0]:  # Slackbot has not said so itself
            self.screen.hint(delivery.user_sees or f"Slack: {delivery.user_error}")
        return Done(ok=False)

    def _before(self) -> tuple[int, tuple[str, str] | None]:
        return len(self.screen.finals), dialog_stamp(self.slack.view(self.person))

    # -- shortcuts ---------------------------------------------------------------------------------------------------

    async def _menu(self, act: Menu) -> Done:
        offered = self.slack.app.shortcuts or ()
        if not act.name:
            listed = "; ".join(f":shortcut {one.callback_id} – {one.name}" for one in offered)
            self.screen.note(listed or "The app has no shortcuts.")
            return Done()
        shortcut: Shortcut | None = meant([(one.callback_id, one) for one in offered], act.name)
        shortcut = shortcut or meant([(one.name, one) for one in offered], act.name)
        if shortcut is None:
            names = ", ".join(one.callback_id for one in offered) or "none"
            raise CannotDo(f"the app has no shortcut {act.name}; there are {names}")
        message = None if shortcut.kind == "global" else self._public(act.back)
        before = self._before()
        self.screen.used = None
        self.screen.note(shortcut.name + (f", on “{self.screen.glimpse(message)}”" if message else ""))
        return self._sent(await self.slack.shortcut(self.person, shortcut.callback_id, message), before)

    def _public(self, back: int = 1) -> Message:
        """The newest message that all see here (in the thread one is in), or one `back` from it."""
        found = [
            one
            for one in self.slack.state.in_channel(self.channel.id)
            if not one.is_ephemeral and self.screen.thread_ts in ("", one.ts, one.thread_ts)
        ]
        if back > len(found):
            said = f"only {len(found)} {'was' if len(found) == 1 else 'were'}" if found else "nothing public was"
            raise CannotDo(f"{said} said in {place_name(self.channel)} yet; share an answer first")
        return found[-back]

    # -- numbers -----------------------------------------------------------------------------------------------------

    def _number(self, act: Find) -> int:
        """The number of the newest thing with these words that is still there for this person."""
        uses: tuple[Use, ...] = ("button", "submit", "close") if act.entered is None else ("entry",)
        for number in self.screen.chips.named(act.words, uses):
            found = self.screen.chips.find(number)
            if found is not None and self._is_there(*found):
                return number
        kind = "button" if act.entered is None else "input"
        raise CannotDo(f"there is no {kind} “{act.words}” here; :see shows what is")

    def _is_there(self, thing: Thing, target: Target) -> bool:
        if isinstance(thing, Message):
            thing = self.slack.now(thing)
            return self.screen.sees(thing) and live(target, thing, self.slack.controls(thing)) is not None
        top = self.slack.view(self.person)
        if top is None or top.id != thing.id:
            return False
        return target.use in {"submit", "close"} or live(target, thing, self.slack.controls(thing)) is not None

    async def _press(self, act: Press) -> Done:
        found = self.screen.chips.find(act.number)
        if found is None:
            count = len(self.screen.chips)
            raise CannotDo(
                f"there is no {act.number} here; "
                + (f"numbers go up to {count}" if count else "nothing is numbered yet")
            )
        thing, target = found
        if target.use in {"submit", "close"}:
            return await self._leave_dialog(thing, target)
        control = live(target, thing, self._controls(thing))
        if control is None:
            raise CannotDo(f"“{target.words or act.number}” is not there any more; :see shows what is")
        return await self._use(thing, control, target, act)

    def _controls(self, thing: Thing) -> list[Control]:
        if isinstance(thing, Message) and self.slack.now(thing).deleted:
            raise CannotDo("that message is gone")
        return self.slack.controls(thing)

    async def _use(self, thing: Thing, control: Control, target: Target, act: Press) -> Done:
        before = self._before()
        self.screen.used = thing.key if isinstance(thing, Message) else None
        if target.use == "button":
            if confirm := control.element.get("confirm"):
                label = Ink(self.screen.look).label
                asked = " ".join(filter(None, (label(confirm.get("title")), label(confirm.get("text")))))
                self.screen.note(f"Slack asks: {asked} – {label(confirm.get('confirm')) or 'Yes'}")
            delivery = await self.slack.click(self.person, thing, control.number)
            if control.url:
                self.screen.note(f"Opens {control.url}")
                return Done(ok=not delivery.user_error)
            done = self._sent(delivery, before, thing)
            leaves = isinstance(thing, Message) and bool(thing.only_for) and _shares(control)
            return replace(done, leaves=leaves)
        chosen = self._chosen(thing, control, act)
        if isinstance(thing, View) and control.is_input and not control.block.get("dispatch_action"):
            view = self.slack.fill(thing, {control.block_id: chosen})
            shown = shown_value(Ink(self.screen.look), control, _entered(view, control))
            self.screen.draw_entry(line(control.words), shown)
            return Done()
        return self._sent(await self.slack.choose(self.person, thing, control.number, chosen), before, thing)

    def _chosen(self, thing: Thing, control: Control, act: Press) -> Any:
        offered = options(Ink(self.screen.look), control)
        several = control.kind == "checkboxes" or control.kind.startswith("multi_")
        if act.option is not None and 1 <= act.option <= len(offered):
            option = offered[act.option - 1][1]
            return self._toggled(thing, control, option) if several else option
        if act.entered is not None and offered:
            return _several_meant(offered, act.entered) if several else _meant(offered, act.entered)
        if act.entered is not None and control.kind == "file_input":
            return _read_files(act.entered)
        if act.entered is not None:
            return act.entered.replace("\\n", "\n") if control.element.get("multiline") else act.entered
        way = f"{act.number}.1 to {act.number}.{len(offered)} choose" if offered else f"{act.number}=… enters"
        raise CannotDo(f"“{control.words or act.number}” is no button; {way}")

    def _toggled(self, thing: Thing, control: Control, option: Any) -> list[Any]:
        """What is chosen when one more option is pressed; pressed again, it is no longer chosen."""
        live_one = self.slack.view(self.person) if isinstance(thing, View) else None
        chosen = list((_entered(live_one, control) if live_one else initial(control)) or ())
        return [one for one in chosen if one != option] if option in chosen else [*chosen, option]

    async def _leave_dialog(self, thing: Thing, target: Target) -> Done:
        view = next((one for one in self.slack.views(self.person) if ("view", one.id) == target.thing), None)
        if view is None or not isinstance(thing, View):
            raise CannotDo("that dialog is closed")
        before = self._before()
        self.screen.used = None
        delivery = await (self.slack.submit(view) if target.use == "submit" else self.slack.close(view))
        self.screen.draw_dialog(again=bool(delivery.view_errors))
        if delivery.view_errors:
            return Done()
        after = delivery.view if target.use == "submit" else None
        moved_on = after is not None and dialog_stamp(after) != before[1] and not is_interim(after.blocks, "")
        if target.use == "close" or moved_on:
            return Done()
        return self._sent(delivery, (before[0], dialog_stamp(self.slack.view(self.person))))

    # -- places ------------------------------------------------------------------------------------------------------

    def _colleague(self, name: str) -> Person:
        people = {one.handle: one for one in self.slack.state.people.values() if one.email}
        if name.removeprefix("@").lower() not in people:
            raise CannotDo(f"there is nobody called {name}; there are {', '.join(people)}")
        return people[name.removeprefix("@").lower()]

    def _become(self, person: Person) -> None:
        """Be somebody else; in a place that person can't be in, the first one that fits."""
        place = self._place("", person) if self.channel.is_direct else self.channel
        if person.id not in place.members:
            named = [one for one in self.slack.state.channels.values() if one.name and person.id in one.members]
            place = named[0] if named else self._place("", person)
            self.screen.note(f"{person.name} is not in {place_name(self.channel)}; going to {place_name(place)}.")
        if place is not self.channel:
            self.screen.thread_ts = ""
        self.screen.become(person, place)

    def _place(self, name: str, person: Person) -> Channel:
        if name in {"", ":dm", "dm"}:
            return self.slack.direct(person)
        seen = [one for one in self.slack.state.channels.values() if one.name and person.id in one.members]
        for channel in seen:
            if channel.name == name.removeprefix("#"):
                return channel
        raise CannotDo(f"{person.name} is in no channel {name}; there are {', '.join(place_name(one) for one in seen)}")

    def _thread(self, on: bool) -> None:
        if not on:
            self.screen.thread_ts = ""
            return
        self.screen.thread_ts = ""
        newest = self._public()
        self.screen.thread_ts = newest.thread_ts or newest.ts

    def _trouble(self, act: Trouble) -> None:
        getattr(self._town, act.how)(*filter(None, [act.system]))
        words = {
            "fail": f"{act.system} answers everything with a maintenance page; :heal ends it.",
            "slow": f"{act.system} takes its time from now on; :heal ends it.",
            "heal": f"{act.system or 'Every system'} works again.",
        }
        self.screen.note(words[act.how])

    async def _move(self, when: str) -> None:
        """Let time pass to what the words mean in this person's zone; draws what came meanwhile."""
        zone = ZoneInfo(self.person.tz)
        now = self._town.clock.now()
        wanted = read_moment(when, now.astimezone(zone)) if when else now
        if wanted is None:
            raise CannotDo(HINT)
        moment = wanted.astimezone(UTC)  # two local times of a night when clocks change can't be compared
        if moment < now:
            raise CannotDo("time only goes forward here")
        if when:
            await self._town.move(moment)
        self.screen.note(f"It is {moment.astimezone(zone):%A %-d %B %Y, %H:%M} in {self.person.tz}.")

    # -- waiting -----------------------------------------------------------------------------------------------------

    async def answered(self, done: Done, timeout_s: float = ANSWER_S) -> bool:
        """Wait for the answer that is due; False (and a hint) when none came in time."""
        if not done.waits:
            return done.ok
        try:
            await self.slack.until(lambda: self._has_answer(done), timeout_s)
        except TimeoutError:
            self.screen.hint(f"No answer within {timeout_s:g} s.")
            return False
        self.screen.draw_dialog()
        return True

    def _has_answer(self, done: Done) -> bool:
        finals, stamp = done.before
        view = self.slack.view(self.person)
        changed = view is not None and dialog_stamp(view) != stamp and not is_interim(view.blocks, "")
        return changed or any(
            done.is_answer(one, self.slack.channel(one.channel)) for one in self.screen.finals[finals:]
        )

    async def settled(self, done: Done, quiet_s: float = QUIET_S) -> None:
        """Wait for what follows an answer: what was shared is taken away, several messages in a row, edits."""
        if not done.waits:
            return
        if done.leaves and done.used is not None:
            with contextlib.suppress(TimeoutError):
                await self.slack.until(lambda: self._is_gone(done), WITHDRAWN_S)
        for _ in range(QUIET_MOST):
            heard = self.screen.news
            try:
                await self.slack.until(lambda heard=heard: self._stirs(heard), quiet_s)  # type: ignore[misc]
            except TimeoutError:
                if self._all_told():
                    break
        self.screen.draw_dialog()

    def _is_gone(self, done: Done) -> bool:
        return done.used is not None and self.slack.state.messages[done.used].deleted

    def _stirs(self, heard: int) -> bool:
        return self.screen.news > heard

    def _all_told(self) -> bool:
        """Whether the app has taken all it was told, or Slack has given up telling it."""
        return all(one.acked or all(each.failure for each in one.attempts) for one in self.slack.deliveries)


def _entered(view: View, control: Control) -> Any:
    """What stands in an input of a dialog."""
    entry = view.typed.get(control.block_id, {}).get(control.action_id)
    return initial(control) if entry is None else next((one for key, one in entry.items() if key != "type"), None)


def _meant(offered: list[tuple[str, Any]], words: str) -> Any:
    """The option with these words, None for none at all. Raises CannotDo."""
    option = meant(offered, words) if words else None
    if words and option is None:
        raise CannotDo(f"“{words}” is not offered; there is {', '.join(label for label, _ in offered)}")
    return option


def _several_meant(offered: list[tuple[str, Any]], words: str) -> list[Any]:
    """The options of `web, slow`; one whose own words have a comma is found by all of them. Raises CannotDo."""
    if words and (whole := meant(offered, words)) is not None:
        return [whole]
    return [_meant(offered, part.strip()) for part in words.split(",") if part.strip()]


def _read_files(words: str) -> list[tuple[str, bytes]]:
    """The files of `@one.png @two.log`; none for nothing. Raises CannotDo."""
    paths = [Path(part.strip()).expanduser() for part in re.split(r"(?:^|\s+)@", words) if part.strip()]
    if paths and not words.startswith("@"):
        raise CannotDo("a file is named by @ and its path: =@shot.png")
    try:
        return [(path.name, path.read_bytes()) for path in paths]
    except OSError as error:
        raise CannotDo(f"{error.filename} can't be read: {error.strerror}") from None


def _shares(control: Control) -> bool:
    """Whether a button says the same again for everybody, in place of what only one person sees."""
    return control.action_id.partition(":")[0] == "share"
