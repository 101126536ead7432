"""What people do with the app's messages and dialogs: click, choose, fill in, submit, close, use shortcuts."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from bot.sandbox.slack import modals, payloads, wire
from bot.sandbox.slack.blockshapes import GROUPS, OPTIONS
from bot.sandbox.slack.controls import BUTTONS, Control, choice, controls, pick, present, pressed
from bot.sandbox.slack.core import Core, Who
from bot.sandbox.slack.deliveries import Delivery
from bot.sandbox.slack.fitting import FILE_BYTES_MAX, fits, takes_file
from bot.sandbox.slack.records import Json, Message, Person, Upload, View
from bot.sandbox.slack.refusals import CannotDo, Refused
from bot.sandbox.slack.rules import Report

Thing = Message | View


class Using(Core):
    """Acts of a person on something the app has shown."""

    def __init__(self) -> None:
        self._chosen: dict[tuple[str, str, str], Json] = {}

    def controls(self, thing: Thing) -> list[Control]:
        """Everything usable in a message or view as it is now."""
        return _controls(self._now(thing))

    def buttons(self, thing: Thing) -> list[Control]:
        """The buttons of a message or view as it is now, numbered from 1."""
        return [one for one in self.controls(thing) if one.kind in BUTTONS]

    def _now(self, thing: Thing) -> Thing:
        if isinstance(thing, Message):
            return self.state.messages[thing.key]
        if thing.kind == "home":
            return self.state.homes[thing.user]
        if thing.id not in self.state.views:
            raise CannotDo("the dialog is closed")
        return self.state.views[thing.id]

    async def click(
        self,
        who: Who,
        thing: Thing,
        button: str | int,
        *,
        value: str | None = None,
        stale: bool = False,
        forge_value: str | None = None,
    ) -> Delivery:
        """Press a button, named by action_id, words or number; `value` tells twins apart. A confirmation is agreed to.

        With `stale` the button is looked for in what is passed, as on a screen that has not caught up. With
        `forge_value` the app is told this value in place of the button's own, which no client of Slack's does.
        """
        shown = thing if stale else self._now(thing)
        control = pick([one for one in _controls(shown) if one.kind in BUTTONS], button, value)
        if forge_value is not None:
            control = replace(control, element={**control.element, "value": forge_value})
        return await self._use(who, shown, control, None)

    async def clicks(
        self,
        people: Iterable[Who],
        thing: Thing,
        button: str | int,
        *,
        value: str | None = None,
        stale: bool = False,
        forge_value: str | None = None,
    ) -> list[Delivery]:
        """The same button, pressed by all of these at once; one person may be among them many times."""
        pressing = (self.click(who, thing, button, value=value, stale=stale, forge_value=forge_value) for who in people)
        return list(await asyncio.gather(*pressing))

    async def choose(self, who: Who, thing: Thing, menu: str | int, chosen: Any, *, stale: bool = False) -> Delivery:
        """Choose in a menu, picker, overflow or box: options by value, words or number; people and channels by id."""
        shown = thing if stale else self._now(thing)
        control = pick([one for one in _controls(shown) if one.kind not in BUTTONS], menu)
        if control.is_input and not control.block.get("dispatch_action"):
            raise CannotDo("this input tells the app nothing until the dialog is submitted")
        return await self._use(who, shown, control, choice(control, chosen))

    async def _use(self, who: Who, shown: Thing, control: Control, chosen: Any) -> Delivery:
        action = pressed(control, chosen, self.state.next_ts("actions"))
        if isinstance(shown, View):
            person = self.person(who)
            if person.id != shown.user:
                raise CannotDo("this is somebody else's dialog")
            view = self._type(shown, control, chosen)
            trigger_id = self.state.triggers.give(person.id, self.state.now(), view.id)
            whole = replace(view, typed=self._entries(view))
            payload = payloads.view_action(self.state, person, whole, [action], trigger_id=trigger_id)
        else:
            person, _ = self._live(who, shown)
            values = self._message_values(person, shown, control, chosen)
            payload = payloads.message_action(
                self.state,
                person,
                shown,
                [action],
                values=values,
                attachment=control.attachment,
                response_url=self.response_urls.give("actions", shown.channel, person.id, shown),
                trigger_id=self.state.triggers.give(person.id, self.state.now()),
            )
        return await self.courier.deliver(Delivery("interactive", payload))

    def _type(self, view: View, control: Control, chosen: Any) -> View:
        """Keep what was entered in a view, for elements that keep a state."""
        if control.kind in BUTTONS or control.kind == "overflow":
            return view
        mine = {**view.typed.get(control.block_id, {}), control.action_id: present(control, chosen)}
        fresh = replace(view, typed={**view.typed, control.block_id: mine})
        if view.kind == "home":
            self.state.homes[view.user] = fresh
        elif view.id in self.state.views:
            self.state.views[view.id] = fresh
        return fresh

    def _message_values(self, person: Person, message: Message, used: Control, chosen: Any) -> Json:
        """`state.values` of a message: what this person chose so far, else what is set from the start."""
        mine = self._chosen.setdefault((*message.key, person.id), {})
        if used.kind not in BUTTONS:
            mine[used.action_id] = chosen
        values: Json = {}
        for one in _controls(message):
            if one.kind not in BUTTONS and one.kind != "overflow":
                values.setdefault(one.block_id, {})[one.action_id] = present(one, mine.get(one.action_id))
        return values

    # -- dialogs -----------------------------------------------------------------------------------------------------

    def fill(self, view: View, values: dict[str, Any]) -> View:
        """Enter into a dialog's inputs, named by action_id, label or block_id, without submitting.

        A file_input takes `(name, bytes)`, an Upload, or a list of these; [] takes the files out again.
        """
        live = self._now(view)
        if not isinstance(live, View):
            raise CannotDo("this is no dialog")
        found = [one for one in controls(live.blocks) if one.kind not in BUTTONS]
        for name, value in values.items():
            control = pick(found, name)
            chosen = self._files(live, control, value) if control.kind == "file_input" else choice(control, value)
            live = self._type(live, control, chosen)
        return live

    def _files(self, view: View, control: Control, given: Any) -> list[Json]:
        """The files as Slack's client uploads them: as soon as they are put into the input, before it is submitted."""
        several = given if isinstance(given, list) else [] if given is None else [given]
        most = int(control.element.get("max_files", 10))
        if len(several) > most:
            raise CannotDo(f"{control.words!r} takes at most {most} file{'s' if most > 1 else ''}")
        uploads = []
        for one in several:
            name, data = (one.name, one.data or b"") if isinstance(one, Upload) else one
            if not takes_file(control, name):
                raise CannotDo(f"{control.words!r} takes only {', '.join(control.element['filetypes'])}")
            if len(data) > FILE_BYTES_MAX:
                raise CannotDo(f"{name} is larger than 10 MB")
            upload = one if isinstance(one, Upload) else self.state.keep_file(name, data, view.user)
            upload.given = True
            uploads.append(upload)
        return [wire.file(self.state, upload) for upload in uploads]

    async def submit(self, view: View, values: dict[str, Any] | None = None) -> Delivery:
        """Fill in and press the dialog's submit button. Raises CannotDo for what Slack's client would not send."""
        live = self.fill(view, values or {})
        if self.state.top_view(live.user) is None or self.state.stacks[live.user][-1] != live.id:
            raise CannotDo("this dialog is not on top")
        if not live.content.get("submit"):
            raise CannotDo("this dialog has no submit button")
        live = self._complete(live)
        person = self.person(live.user)
        delivery = Delivery(
            "interactive",
            payloads.view_submission(
                self.state,
                person,
                live,
                trigger_id=self.state.triggers.give(person.id, self.state.now(), live.id),
                response_urls=self._view_response_urls(person, live),
            ),
        )
        await self.courier.deliver(delivery)
        if not delivery.user_error:
            self._obey(delivery, live)
        delivery.view = self.state.top_view(person.id)
        return delivery

    def _complete(self, view: View) -> View:
        """All inputs with a state, required ones filled. Raises CannotDo."""
        typed = self._entries(view)
        for one in controls(view.blocks):
            if one.kind in BUTTONS or one.kind == "overflow":
                continue
            entry = typed[one.block_id][one.action_id]
            value = next((inner for key, inner in entry.items() if key != "type"), None)
            optional = one.block.get("optional") or one.kind == "checkboxes"
            if one.is_input and not optional and value in (None, "", []):
                raise CannotDo(f"{one.words!r} must be filled in")
            fits(one, value)
        fresh = replace(view, typed=typed, errors={})
        self.state.views[view.id] = fresh
        return fresh

    def _entries(self, view: View) -> Json:
        """`state.values` of a dialog: what was entered, else what was there from the start."""
        entries = dict(view.typed)
        for one in controls(view.blocks):
            if one.kind not in BUTTONS and one.kind != "overflow":
                mine = entries.get(one.block_id, {})
                entries[one.block_id] = {**mine, one.action_id: mine.get(one.action_id) or present(one, None)}
        return entries

    def _view_response_urls(self, person: Person, view: View) -> list[Json]:
        """One per channel menu of the dialog that asked for it."""
        urls = []
        for one in controls(view.blocks):
            entry = view.typed.get(one.block_id, {}).get(one.action_id, {})
            channel_id = entry.get("selected_conversation") or entry.get("selected_channel")
            if one.element.get("response_url_enabled") and channel_id in self.state.channels:
                urls.append(
                    {
                        "block_id": one.block_id,
                        "action_id": one.action_id,
                        "channel_id": channel_id,
                        "response_url": self.response_urls.give("app", channel_id, person.id),
                    }
                )
        return urls

    def _obey(self, delivery: Delivery, view: View) -> None:
        """Do what the acknowledgement of a submission says."""
        ack = delivery.ack if isinstance(delivery.ack, dict) else {}
        try:
            match ack.get("response_action"):
                case None:
                    if self.state.stacks.get(view.user, [])[-1:] == [view.id]:
                        modals.close_top(self.state, view.user)
                case "clear":
                    modals.close_all(self.state, view.user)
                case "errors":
                    delivery.view_errors = _read_errors(ack.get("errors"), view)
                    self.state.views[view.id] = replace(self.state.views[view.id], errors=delivery.view_errors)
                    self.state.changed()
                case "update":
                    content = modals.read_view(self.state, ack.get("view"), "modal")
                    modals.update_view(self.state, self.state.views[view.id], content)
                case "push":
                    modals.push_view(self.state, view.user, modals.read_view(self.state, ack.get("view"), "modal"))
                case other:
                    raise Refused("invalid_arguments", messages=[f"unknown response_action {other}"])
        except Refused as refused:
            self.state.refuse("view_submission", refused, ack)
            delivery.user_error, delivery.user_sees = refused.error, "We had some trouble connecting. Try again?"

    async def close(self, view: View, *, all_of_them: bool = False) -> Delivery:
        """Close a dialog (or the whole stack); the app hears of it if it asked for `notify_on_close`."""
        live = self.state.views.get(view.id)
        if live is None:
            raise CannotDo("the dialog is closed")
        all_of_them = all_of_them or bool(live.content.get("clear_on_close"))
        if all_of_them:
            modals.close_all(self.state, live.user)
        else:
            modals.close_top(self.state, live.user)
        if not live.content.get("notify_on_close"):
            return self._untold("", "")
        payload = payloads.view_closed(self.state, self.person(live.user), live, cleared=all_of_them)
        return await self.courier.deliver(Delivery("interactive", payload))

    async def suggest(self, who: Who, thing: Thing, menu: str | int, typed: str = "") -> Delivery:
        """Type into a menu whose options come from the app; they are in `delivery.options`."""
        person, shown = self.person(who), self._now(thing)
        control = pick([one for one in _controls(shown) if one.kind not in BUTTONS], menu)
        if "external" not in control.kind:
            raise CannotDo("this menu brings its own options")
        if len(typed) < int(control.element.get("min_query_length", 3)):
            raise CannotDo("too few characters for Slack to ask the app")
        view, message = (shown, None) if isinstance(shown, View) else (None, shown)
        delivery = Delivery(
            "interactive",
            payloads.suggestion(
                self.state,
                person,
                control.action_id,
                control.block_id,
                typed,
                view=view,
                message=message,
            ),
        )
        await self.courier.deliver(delivery)
        if not delivery.user_error:
            self._read_options(delivery)
        return delivery

    def _read_options(self, delivery: Delivery) -> None:
        ack, report = delivery.ack if isinstance(delivery.ack, dict) else {}, Report()
        if "option_groups" in ack:
            GROUPS(ack["option_groups"], "/option_groups", report)
            options = [option for group in ack["option_groups"] for option in group.get("options", ())]
        else:
            options = ack.get("options", [])
            if options:
                OPTIONS(options, "/options", report)
        if report.problems:
            self.state.refuse("block_suggestion", Refused("invalid_options", messages=map(str, report.problems)), ack)
            return
        delivery.options = list(options)

    # -- shortcuts ---------------------------------------------------------------------------------------------------

    async def shortcut(
        self, who: Who, callback_id: str, message: Message | None = None, *, foreign: bool = False
    ) -> Delivery:
        """Use a shortcut: on a message, or from anywhere without one.

        People of other workspaces are not offered any; with `foreign` the app is installed in theirs too.
        """
        self._refuse_unknown(callback_id, "global" if message is None else "message")
        person = self.person(who)
        if person.is_outsider and not foreign:
            raise CannotDo(f"{person.name} is not offered the shortcuts of this workspace's apps")
        trigger_id = self.state.triggers.give(person.id, self.state.now())
        if message is None:
            payload = payloads.global_shortcut(self.state, person, callback_id, trigger_id=trigger_id)
        else:
            _, live = self._live(who, message)
            if live.is_ephemeral:
                raise CannotDo("Slack offers no shortcuts on messages that only one person sees")
            payload = payloads.message_shortcut(
                self.state,
                person,
                live,
                self.state.channels[live.channel],
                callback_id,
                trigger_id=trigger_id,
                response_url=self.response_urls.give("app", live.channel, person.id),
            )
        return await self.courier.deliver(Delivery("interactive", payload))

    def _refuse_unknown(self, callback_id: str, kind: str) -> None:
        known = self.state.app.shortcuts
        if known is not None and not any(one.callback_id == callback_id and one.kind in {kind, ""} for one in known):
            names = ", ".join(one.callback_id for one in known if one.kind in {kind, ""}) or "none"
            raise CannotDo(f"the app has no {kind} shortcut {callback_id}; there are {names}")


def _controls(thing: Thing) -> list[Control]:
    return controls(thing.blocks, thing.attachments if isinstance(thing, Message) else ())


def _read_errors(errors: Any, view: View) -> Json:
    """Words under inputs, by block_id. Raises Refused when a block_id is not that of an input."""
    inputs = {block.get("block_id") for block in view.blocks if block.get("type") == "input"}
    if not isinstance(errors, dict) or not errors:
        raise Refused("invalid_arguments", messages=["errors must be an object of block_id and words"])
    wrong = [block_id for block_id in errors if block_id not in inputs]
    if wrong:
        raise Refused("invalid_arguments", messages=[f"errors for blocks that are no inputs: {', '.join(wrong)}"])
    return dict(errors)
