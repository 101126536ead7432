"""audit: who did what to which run, read from the ledger; as a file for spreadsheets too."""

from __future__ import annotations

from datetime import datetime

from bot.domain.acts import Audit, Ended, Entry
from bot.domain.errors import OurError
from bot.domain.model import RunRef
from bot.postman import NotSaidError, Postman
from bot.presenters import messages
from bot.slack.desk import Answer, Asking, Desk
from bot.slack.grammar_changes import AuditParts, audit_parts
from bot.usecases.ports import Ledger

#: The most entries of a file.
MOST_CSV = 10_000


class AuditDesk:
    """Answers `audit`. Everybody may read what was done, as a file too; refused attempts are for admins."""

    def __init__(self, desk: Desk, ledger: Ledger, postman: Postman) -> None:
        self._world = desk.world
        self._ledger = ledger
        self._postman = postman
        desk.feature("audit", self.answer)

    async def answer(self, asking: Asking) -> Answer:
        parts = audit_parts(asking.command)
        asker, world = asking.asker, self._world
        admin = await world.gate.rules(asker.place, asker.user)
        ref = (await asking.find(parts.run)).run.ref if parts.run is not None else None
        who = await self._who(asking, parts)
        if parts.csv:
            return await self._file(asking, parts, who=who, ref=ref, admin=admin)
        found = await self._entries(parts, parts.last + 1, who, ref, admin=admin)
        value = Audit(
            entries=found[: parts.last],
            words=_words(parts, await asking.names(), ref),
            whole=len(found) <= parts.last,
            all_attempts=admin,
        )
        message = messages.audit(
            value, again=asking.again(), page=asking.command.page, now=world.now(), shareable=False
        )
        return Answer(message, to_asker=True)

    async def _who(self, asking: Asking, parts: AuditParts) -> str:
        """The Slack id of the person who is meant; what was typed, where that is nobody of Slack's."""
        typed = parts.by
        if typed.lower() == "me":
            return asking.asker.user
        return typed[2:].split("|")[0].rstrip(">") if typed.startswith("<@") else typed

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
        counted = f"{len(found)} change{'' if len(found) == 1 else 's'}"
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


def _words(parts: AuditParts, names: object, ref: RunRef | None) -> str:
    """The filter as people would say it."""
    known = names if isinstance(names, dict) else {}
    several = (
        ("verb", parts.verb),
        ("by", str(known.get(parts.by, parts.by))),
        ("run", str(ref) if ref else ""),
        ("since", f"{parts.since:%Y-%m-%d %H:%M} UTC" if parts.since else ""),
        ("status", parts.outcome.value if parts.outcome else ""),
    )
    return " · ".join(f"{word} {value}" for word, value in several if value)
