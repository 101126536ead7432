"""allow, deny, allow list, and the way to ask for access: a press, a message to the admins, their press."""

from __future__ import annotations

import logging
from collections.abc import Callable, Coroutine
from typing import Any, Literal, cast

from bot.domain.access import AccessRequest, Grant
from bot.domain.errors import AskError, NotAllowedError
from bot.postman import NotSaidError, Postman, ReturnPath
from bot.presenters import messages
from bot.slack.acting import new_key
from bot.slack.buttons import Buttons, Click
from bot.slack.desk import Answer, Asking, Desk
from bot.slack.directory import SlackDirectory
from bot.slack.grammar_changes import grant_parts
from bot.slack.mishaps import complain
from bot.slack.tasks import Tasks
from bot.usecases.access import Gate, ask_for_access, need_admin, settle_request
from bot.usecases.ports import Place

log = logging.getLogger(__name__)


class AccessDesk:
    """Answers the verbs about rights, and hears the buttons of refusals and requests."""

    def __init__(self, desk: Desk, *, gate: Gate, directory: SlackDirectory, postman: Postman, tasks: Tasks) -> None:
        self._desk = desk
        self._world = desk.world
        self._gate = gate
        self._directory = directory
        self._postman = postman
        self._tasks = tasks

    def register(self, buttons: Buttons) -> None:
        self._desk.feature("allow", self.answer_rule)
        self._desk.feature("deny", self.answer_rule)
        self._desk.feature("allow list", self.answer_list)
        buttons.on("access", self._hear)

    # ── the verbs ──

    async def answer_rule(self, asking: Asking) -> Answer:
        """A rule, made by an admin."""
        command, asker = asking.command, asking.asker
        await self._need_admin(command.verb, asker.place, asker.user)
        parts = grant_parts(command)
        if parts.kind == "user":
            await self._must_be_able(parts.subject, asker.place.team, allow=command.verb == "allow")
        grant = Grant(
            verb=parts.verb,
            kind=parts.kind,
            subject=parts.subject,
            channel=parts.channel,
            allow=command.verb == "allow",
            by=asker.user,
            at=self._world.now(),
        )
        await self._gate.grants.put(asker.place.team, grant)
        log.info("rule: %s %s %s %s by %s", command.verb, parts.verb, parts.subject, parts.channel, asker.user)
        return Answer(messages.granted(grant), to_asker=True)

    async def _must_be_able(self, user: str, team: str, *, allow: bool) -> None:
        """A rule that could never have any effect is refused, so that nobody counts on it."""
        member = await self._world.people.member(user)
        if allow and member.role in ("guest", "outsider", "bot"):
            raise AskError(
                f"{member.name} can't be allowed that.",
                why="Guests, bots and people of other workspaces never change runs.",
                fix="Allow a member of this workspace.",
                closest=("allow list",),
            )
        del team

    async def answer_list(self, asking: Asking) -> Answer:
        asker = asking.asker
        rules = await self._gate.grants.all(asker.place.team)
        message = messages.grants(
            rules,
            admins=await self._admins(),
            can_change=await self._gate.may("allow", asker.place, asker.user),
            now=self._world.now(),
            page=asking.command.page,
        )
        return Answer(message, to_asker=True)

    async def _admins(self) -> str:
        admins = " ".join(f"<@{each}>" for each in await self._directory.admins())
        asked = f" Who is asked: {admins}" if admins else ""
        return f"Admins of this workspace and of Rundown may do everything.{asked}"

    # ── the buttons ──

    def _hear(self, click: Click) -> None:
        works: dict[str, Callable[[Click], Coroutine[Any, Any, None]]] = {
            "ask": self._ask,
            "here": self._settle,
            "everywhere": self._settle,
            "decline": self._settle,
            "drop": self._drop,
        }
        work = works.get(click.what)
        if work is not None:
            self._tasks.spawn(self._heard(click, work), name=f"access {click.what} {click.key}")

    async def _heard(self, click: Click, work: Callable[[Click], Coroutine[Any, Any, None]]) -> None:
        if not await self._desk.is_first(click.key):
            return
        try:
            await work(click)
        except NotSaidError as error:
            log.error("could not be said in %s: %s", click.back.channel, error.reason)
        except NotAllowedError as error:
            await self._postman.whisper(click.back, self._desk.refusal(error))
        except Exception as error:  # the last resort: nobody is left without an answer
            await self._postman.whisper(click.back, messages.complaint(complain(error), now=self._world.now()))

    async def _ask(self, click: Click) -> None:
        """Somebody who was refused asks the admins. The button leaves at once: asking twice helps nobody."""
        verb, _, command = click.value.partition(" ")
        back, now = click.back, self._world.now()
        request, is_new = await ask_for_access(
            verb, command, gate=self._gate, place=_place(back), user=back.user, key=new_key(), now=now
        )
        await self._postman.replace(back, messages.asked_for_access(request, already=not is_new))
        if is_new:
            await self._tell_admins(request)

    async def _tell_admins(self, request: AccessRequest) -> None:
        told = 0
        message = messages.access_request(request, where=request.channel, now=self._world.now())
        for admin in await self._directory.admins():
            try:
                await self._postman.direct(admin, message)
                told += 1
            except NotSaidError as error:
                log.warning("an admin (%s) can't be told of a request: %s", admin, error.reason)
        if not told:
            raise AskError(
                "No admin of Rundown could be reached.",
                why="The settings name nobody, or Slack did not take the message.",
                fix="Ask them yourself; they type `allow`.",
            )

    async def _settle(self, click: Click) -> None:
        """An admin decides; the one who asked is told, and the message shows the decision, whoever's it was."""
        settled = cast(
            'Literal["here", "everywhere", "declined"]', "declined" if click.what == "decline" else click.what
        )
        back, now = click.back, self._world.now()
        try:
            request = await settle_request(
                click.value, settled, gate=self._gate, place=_place(back), user=back.user, now=now
            )
        except NotAllowedError:
            raise
        except AskError:
            before = await self._gate.grants.request(click.value)
            if before is None or not before.settled:
                raise
            await self._postman.replace(back, messages.access_request(before, where=before.channel, now=now))
            return
        await self._tell_asker(request)
        await self._postman.replace(back, messages.access_request(request, where=request.channel, now=now))

    async def _tell_asker(self, request: AccessRequest) -> None:
        """Hours may have passed: a direct message waits for them, what only they see in a channel does not."""
        message = messages.access_settled(request)
        try:
            await self._postman.direct(request.user, message)
        except NotSaidError as error:
            log.warning("%s is told in the channel, not directly: %s", request.user, error.reason)
            await self._postman.whisper(
                ReturnPath(team=request.team, channel=request.channel, user=request.user), message
            )

    async def _drop(self, click: Click) -> None:
        """An admin takes a rule away."""
        back = click.back
        await self._need_admin("allow", _place(back), back.user)
        grant = messages.read_rule(click.value)
        if grant is None:
            raise AskError("That rule can't be read.", fix="List the rules again.", closest=("allow list",))
        if not await self._gate.grants.drop(back.team, grant):
            raise AskError("That rule is gone already.", fix="List the rules again.", closest=("allow list",))
        await self._postman.replace(back, messages.granted(grant, took_away=True))

    async def _need_admin(self, verb: str, place: Place, user: str) -> None:
        await need_admin(self._gate, verb, place, user, now=self._world.now(), key=f"refused {new_key()}")


def _place(back: ReturnPath) -> Place:
    return Place(back.team, back.channel, back.thread)
