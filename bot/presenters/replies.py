"""What is said about an answer rather than as one: help, complaints, “looking…”, who shared it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from bot.domain.answers import Complaint, HelpIndex, HelpVerb
from bot.presenters import buttons
from bot.presenters.engine import render
from bot.presenters.icons import BACK
from bot.presenters.markup import Markup, code, date, said, user, utc
from bot.presenters.message import Message
from bot.presenters.text import cut

DAILY = ("list", "show", "failures", "diff", "results", "close", "digest", "watch")
CHUNK = 10


@dataclass(frozen=True, slots=True)
class VerbLook:
    name: Markup
    sentence: Markup
    example: Markup


def help_index(value: HelpIndex) -> Message:
    """The verbs, each with its sentence and an example; details one click away."""
    verbs = tuple(_verb(verb) for verb in value.verbs[:90])
    return render(
        "help",
        command=code(value.command),
        chunks=tuple(verbs[start : start + CHUNK] for start in range(0, len(verbs), CHUNK)),
        buttons=buttons.legal(
            tuple(
                buttons.Button(f"choose:{number}", name, f"help {name}") for number, name in enumerate(_daily(value), 1)
            )
        ),
    )


def _daily(value: HelpIndex) -> tuple[str, ...]:
    """What is asked about most, verbs of the same first word by that; none where all begin with it."""
    heads = [verb.name.partition(" ")[0] for verb in value.verbs]
    return tuple(name for name in dict.fromkeys(heads) if name in DAILY) if len({*heads}) > 1 else ()


def _verb(verb: HelpVerb) -> VerbLook:
    return VerbLook(
        name=code(verb.name, 40),
        sentence=said(verb.sentence, 160),
        example=code(verb.examples[0], 120) if verb.examples else Markup(""),
    )


def help_verb(value: HelpVerb) -> Message:
    """All about one verb: usage, flags, examples."""
    return render(
        "help_verb",
        name=cut(value.name, 60),
        sentence=said(value.sentence),
        usage=code(value.usage, 600),
        flags=tuple((code(flag, 120), said(words, 200)) for flag, words in value.flags[:40]),
        flags_more=max(0, len(value.flags) - 40),
        examples=tuple(code(example, 200) for example in value.examples[:6]),
        notes=tuple(said(note, 300) for note in value.notes[:6]),
        buttons=buttons.legal((buttons.ask("help", label="All commands"),)),
    )


def complaint(value: Complaint, *, now: datetime | None = None) -> Message:  # noqa: ARG001  ages, one day
    """What went wrong, why, how to mend it, and what may have been meant. The template follows the family."""
    several, options = buttons.choices(value.closest)
    named = not value.system or all(name in f"{value.what} {value.why}" for name in _systems(value))
    return render(
        f"complaint_{value.family}",
        what=said(value.what),
        icon="" if _asks(value) else BACK,
        asks=_asks(value),
        why=said(value.why),
        whys=tuple(said(why) for why in _whys(value)),
        fix=said(value.fix),
        system="" if named else cut(value.system, 60),
        retry=date(value.retry_at) if value.retry_at else None,
        retry_utc=utc(value.retry_at) if value.retry_at else "",
        reference=code(value.reference, 40),
        closest=tuple(cut(choice.label, 75) for choice in value.closest[:5]),
        buttons=buttons.legal(several),
        options=options,
    )


def _asks(value: Complaint) -> bool:
    """A reference or name that fits several things: a question with its answers, no mistake."""
    return bool(value.closest) and (value.what.rstrip().endswith("?") or " could be any of " in value.what)


def _systems(value: Complaint) -> list[str]:
    """`TestRail, Testmo and PractiTest` are three."""
    return [name for name in re.split(r", | and ", value.system) if name]


def _whys(value: Complaint) -> list[str]:
    """Why, with a line for each system where several failed."""
    names = _systems(value)
    if len(names) < 2:
        return [value.why] if value.why.strip() else []
    lines = re.split(rf"(?<=\.) (?={'|'.join(map(re.escape, names))})", value.why[:2_000])
    return [line for line in lines if line.strip()][:8]


def looking(what: str, system: str) -> Message:
    """Stands in for an answer while a system takes its time."""
    return render("looking", what=cut(what, 200), system=cut(system, 60))


def shared_by(message: Message, slack_user: str) -> Message:
    """The same message with a line that tells who shared it."""
    line = render("shared_by", user=user(slack_user))
    return Message(message.text, [*message.blocks, *line.blocks], message.more)
