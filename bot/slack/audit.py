"""audit: who did what to which run, read from the ledger; as a file for spreadsheets too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from bot.domain.acts import Audit, Ended, Entry
from bot.domain.errors import AskError, OurError
from bot.domain.model import RunRef
from bot.domain.refs import NamedRef, Ref
from bot.postman import NotSaidError, Postman
from bot.presenters import messages
from bot.slack.access import need_member
from bot.slack.desk import Answer, Asking, Desk
from bot.slack.grammar_changes import AuditParts, audit_parts
from bot.slack.grammar_command import Command, When
from bot.usecases.ports import Ledger
from bot.usecases.systems import Systems

#: The most entries of a file.
MOST_CSV = 10_000


class AuditDesk:
    """Answers `audit`. Members may read what was done, as a file too; refused attempts are for admins."""

    def __init__(self, desk: Desk, ledger: Ledger, postman: Postman) -> None:
        self._world = desk.world
        self._ledger = ledger
        self._postman = postman
        desk.feature("audit", self.answer)

    async def answer(self, asking: Asking) -> Answer:
        parts = audit_parts(asking.command)
        asker, world = asking.asker, self._world
        await need_member(world.gate, asker.place, asker.user, "audit")
        admin = await world.gate.rules(asker.place, asker.user)
        who = self._who(asking, parts)
        ref = await self._run(asking, parts.run) if parts.run is not None else None
        if parts.csv:
            return await self._file(asking, parts, who=who, ref=ref, admin=admin)
        found = await self._entries(parts, parts.last + 1, who, ref, admin=admin)
        value = Audit(
            entries=found[: parts.last],
            words=_words(asking.command, parts, await asking.names(), ref),
            whole=len(found) <= parts.last,
            all_attempts=admin,
        )
        message = messages.audit(
            value, again=asking.again(), page=asking.command.page, now=world.now(), shareable=False
        )
        return Answer(message, to_asker=True)

    @staticmethod
    def _who(asking: Asking, parts: AuditParts) -> str:
        """The Slack id of the person who is meant, empty for everybody. Raises AskError for a name."""
        typed = parts.by
        if typed.lower() == "me":
            return asking.asker.user
        if typed and not typed.startswith("<@"):
            rest = tuple((name, value) for name, value in asking.command.flags if name != "by")
            raise AskError(
                f"Who is “{typed}”?",
                why="The audit knows people by their Slack accounts; a name alone may be anybody's.",
                fix="Type @ and the name, and pick it from what Slack suggests: audit --by @tom.",
                closest=(replace(asking.command, flags=rest).text(),),
            )
        return typed[2:].split("|")[0].rstrip(">")

    async def _run(self, asking: Asking, ref: Ref) -> RunRef:
        """The run that is meant. Where its name says all, nobody is asked: it may be gone by now."""
        told = _told(ref, self._world.systems)
        return told if told is not None else (await asking.find(ref)).run.ref

    async def _entries(
        self, parts: AuditParts, last: int, who: str, ref: RunRef | None, *, admin: bool
    ) -> tuple[Entry, ...]:
        found = await self._ledger.entries(
            last=last if admin else min(4 * last, MOST_CSV),
            verb=parts.verb,
            who=who,
            ref=ref,
            since=parts.since,
            outcome=parts.outcome.value if parts.outcome else "",
        )
        return found if admin else tuple(each for each in found if each.outcome is not Ended.REFUSED)[:last]

    async def _file(self, asking: Asking, parts: AuditParts, *, who: str, ref: RunRef | None, admin: bool) -> Answer:
        """The same entries as a file, sent to the asker's direct messages."""
        last = parts.last if asking.command.number("last") else MOST_CSV
        found = await self._entries(parts, last, who, ref, admin=admin)
        name = f"rundown-audit-{_stamp(self._world.now())}.csv"
        counted = f"{len(found)} {'entry' if len(found) == 1 else 'entries'}"
        try:
            await self._postman.send_file(asking.asker.user, name, messages.audit_csv(found), counted)
        except NotSaidError as error:
            raise OurError(
                "The file could not be sent.",
                why=f"Slack did not take it ({error.reason}).",
                fix="Without --csv the entries are shown here.",
            ) from None
        return Answer(messages.file_sent(name, len(found)), to_asker=True)


def _stamp(now: datetime) -> str:
    return f"{now:%Y-%m-%d-%H%M}"


def _told(ref: Ref, systems: Systems) -> RunRef | None:
    """The run that a letter and a number name, if only one connection can be meant."""
    if not isinstance(ref, NamedRef) or ref.letter is None:
        return None
    meant = systems if ref.connection is None else systems.named(ref.connection)
    fitting = [each for each in meant if ref.letter in each.kinds]
    if len(fitting) != 1:
        return None
    thread = ref.part if "threads" in fitting[0].kinds[ref.letter].verbs else None
    return RunRef(fitting[0].name, ref.letter, ref.id, thread)


def _words(command: Command, parts: AuditParts, names: Mapping[str, str], ref: RunRef | None) -> str:
    """The filter as people would say it."""
    since = command.get("since")
    several = (
        ("verb", parts.verb),
        ("by", names.get(parts.by, parts.by)),
        ("run", str(ref) if ref else ""),
        ("since", since.text if isinstance(since, When) else ""),
        ("status", parts.outcome.value if parts.outcome else ""),
    )
    return " · ".join(f"{word} {value}" for word, value in several if value)
