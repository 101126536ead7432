"""allow, deny, allow list, and the way to ask for access: a press, a message to the admins, their press."""

from __future__ import annotations

import logging
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import replace
from typing import Any, Literal, cast

from bot.domain.access import AccessRequest, Grant
from bot.domain.acts import Ended, Entry
from bot.domain.errors import AskError, NotAllowedError, RundownError
from bot.postman import NotSaidError, Postman, ReturnPath
from bot.presenters import messages
from bot.slack.acting import new_key
from bot.slack.buttons import Buttons, Click
from bot.slack.desk import Answer, Asking, Desk
from bot.slack.directory import SlackDirectory
from bot.slack.grammar_changes import grant_parts
from bot.slack.mishaps import complain
from bot.slack.spoken import in_words, labels_in
from bot.slack.tasks import Tasks
from bot.usecases.access import Gate, ask_for_access, need_admin, need_effect, settle_request
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
        #: Keys of requests that no admin could be told of yet.
        self._untold: set[str] = set()

    def register(self, buttons: Buttons) -> None:
        self._desk.feature("allow", self.answer_rule)
        self._desk.feature("deny", self.answer_rule)
        self._desk.feature("allow list", self.answer_list)
        buttons.on("access", self._hear)

    # ── the verbs ──

    async def answer_rule(self, asking: Asking) -> Answer:
        """A rule, made by an admin: it is put on record, then it holds, then the person it is for is told."""
        command, asker = asking.command, asking.asker
        await self._need_admin(command.verb, asker.place, asker.user)
        parts = grant_parts(command)
        if parts.kind == "user":
            await self._must_be_able(parts.subject)
        grant = Grant(
            verb=parts.verb,
            kind=parts.kind,
            subject=parts.subject,
            channel=parts.channel,
            allow=command.verb == "allow",
            by=asker.user,
            at=self._world.now(),
        )
        await need_effect(grant, gate=self._gate, team=asker.place.team, channel=asker.place.channel)
        before = [replace(each, by=grant.by, at=grant.at) for each in await self._gate.grants.all(asker.place.team)]
        if grant in before:
            return Answer(messages.granted(grant), to_asker=True)
        title = await self._title(grant, labels_in(asking.question.text))
        await self._gate.ledger.note(await self._entry(command.verb, title, asker.place, asker.user))
        await self._gate.grants.put(asker.place.team, grant)
        if grant.kind == "user":
            self._tasks.spawn(self._tell_of(grant, asker.place.team), name=f"tell {grant.subject} of a rule")
        return Answer(messages.granted(grant), to_asker=True)

    async def _must_be_able(self, user: str) -> None:
        """A rule that could never have any effect is refused, so that nobody counts on it."""
        member = await self._world.people.member(user)
        if member.role in ("guest", "outsider", "bot"):
            raise AskError(
                f"A rule for {member.name} has no effect.",
                why="Guests, bots and people of other workspaces never change runs.",
                fix="Make rules for members of this workspace.",
                closest=("allow list",),
            )

    async def _tell_of(self, grant: Grant, team: str) -> None:
        """One line to somebody who did not ask. They need not know it to be held to it: it is not tried again."""
        if grant.allow:
            message = messages.access_settled(
                AccessRequest(
                    key="",
                    verb=grant.verb,
                    user=grant.subject,
                    user_name="",
                    team=team,
                    channel=grant.channel,
                    at=grant.at,
                    settled="here" if grant.channel else "everywhere",
                    settled_by=grant.by,
                )
            )
        else:
            message = messages.granted(grant)
        try:
            await self._postman.direct(grant.subject, message)
        except NotSaidError as error:
            log.warning("%s can't be told of a rule: %s", grant.subject, error.reason)

    # ── on record ──

    async def _title(self, grant: Grant, labels: Mapping[str, str] | None = None) -> str:
        """The rule in words that mean the same outside of Slack: `close for Tom Becker in #release`."""
        written = f"<@{grant.subject}>" if grant.kind == "user" else f"<!subteam^{grant.subject}>"
        whom = await in_words(written, self._name_of, labels)
        where = await in_words(f"in <#{grant.channel}>", self._name_of, labels) if grant.channel else "everywhere"
        return f"{grant.verb} for {whom.removeprefix('@')} {where}"

    async def _name_of(self, user: str) -> str:
        return (await self._world.people.member(user)).name

    async def _entry(self, verb: str, title: str, place: Place, user: str) -> Entry:
        now = self._world.now()
        return Entry(
            key=f"rule {new_key()}",
            verb=verb,
            connection="",
            ref=None,
            title=title,
            who=user,
            who_name=await self._gate.name(place.team, user),
            team=place.team,
            channel=place.channel,
            thread=place.thread,
            at=now,
            outcome=Ended.DONE,
            ended_at=now,
            told=True,
        )

    async def _record(self, verb: str, title: str, back: ReturnPath) -> None:
        """Put a decision on record that holds already."""
        try:
            await self._gate.ledger.note(await self._entry(verb, title, _place(back), back.user))
        except RundownError:
            log.exception("not on record: %s %s by %s", verb, title, back.user)

    # ── the list ──

    async def answer_list(self, asking: Asking) -> Answer:
        asker = asking.asker
        await need_member(self._gate, asker.place, asker.user, "allow list")
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
        asked = f" Requests go to {admins}." if admins else ""
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
        """Somebody who was refused asks the admins. That they were asked is only said once one of them was told."""
        verb, _, command = click.value.partition(" ")
        back, now = click.back, self._world.now()
        request, is_new = await ask_for_access(
            verb, command, gate=self._gate, place=_place(back), user=back.user, key=new_key(), now=now
        )
        before = request if is_new else await self._gate.grants.last_request(request)
        is_due = before is not None and (is_new or before.key in self._untold)
        if before is not None and is_due:
            await self._tell_admins(before)
        await self._postman.replace(back, messages.asked_for_access(request, already=not is_due))

    async def _tell_admins(self, request: AccessRequest) -> None:
        told = 0
        self._untold.add(request.key)
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
                fix="Ask again later, or ask an admin yourself; they type `allow`.",
            )
        self._untold.discard(request.key)

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
        rule = Grant(
            verb=request.verb,
            kind="user",
            subject=request.user,
            channel="" if settled == "everywhere" else request.channel,
            allow=settled != "declined",
            by=back.user,
            at=now,
        )
        title = await self._title(rule)
        await self._record(*(("allow", title) if rule.allow else ("deny", f"{title}: request declined")), back)
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
        await self._record("allow" if grant.allow else "deny", f"{await self._title(grant)}: rule removed", back)
        await self._postman.replace(back, messages.granted(grant, took_away=True))

    async def _need_admin(self, verb: str, place: Place, user: str) -> None:
        await need_admin(self._gate, verb, place, user, now=self._world.now(), key=f"refused {new_key()}")


async def need_member(gate: Gate, place: Place, user: str, verb: str) -> None:
    """Raises NotAllowedError for guests, bots and people of other workspaces, and OurError if Slack won't tell."""
    actor = await gate.directory.actor(place.team, user)
    if actor.role in ("guest", "outsider", "bot"):
        raise NotAllowedError(
            f"You can't read the {'rules' if verb == 'allow list' else verb}.",
            verb=verb,
            why="It is for members of this workspace.",
            fix="Ask one of them.",
        )


def _place(back: ReturnPath) -> Place:
    return Place(back.team, back.channel, back.thread)
