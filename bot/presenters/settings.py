"""What holds in a channel and for a person: here, context, who am I, version."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.domain.answers import ConnectionView, ContextSet, Here, Identity, Version, WhoAmI
from bot.presenters import buttons
from bot.presenters.engine import render
from bot.presenters.look import Moment, moment, retry_of, trouble_words
from bot.presenters.markup import Markup, channel, code, user
from bot.presenters.message import Message
from bot.presenters.text import cut

CONNECTIONS = 20


@dataclass(frozen=True, slots=True)
class ConnectionLook:
    name: Markup
    system: str
    project: str
    kinds: str
    trouble: str
    retry: Markup


@dataclass(frozen=True, slots=True)
class ContextLook:
    """A channel's context in a line; `chosen` is empty where none was chosen."""

    channel: Markup
    chosen: str
    connection: Markup
    by: Markup
    at: Markup


def context_of(value: Here) -> ContextLook:
    return ContextLook(
        channel=channel(value.channel),
        chosen=_where(value.chosen) if value.chosen else "",
        connection=code(value.chosen.name) if value.chosen else Markup(""),
        by=user(value.chosen_by),
        at=moment(value.chosen_at, value.chosen_at).at if value.chosen_at else Markup(""),
    )


def _where(view: ConnectionView) -> str:
    """`TestRail › Webshop`."""
    return cut(view.system, 60) + (f" › {_project(view)}" if view.project else "")


def _project(view: ConnectionView) -> str:
    return (cut(view.project.name, 80) or f"project {view.project.id}") if view.project else ""


def connections(several: Sequence[ConnectionView]) -> tuple[ConnectionLook, ...]:
    return tuple(
        ConnectionLook(
            name=code(view.name, 60),
            system=cut(view.system, 60),
            project=_project(view),
            kinds=cut(", ".join(view.kinds), 120),
            trouble=trouble_words(view.system, view.trouble.what) if view.trouble else "",
            retry=retry_of(view.trouble),
        )
        for view in several[:CONNECTIONS]
    )


def here(value: Here, *, now: datetime) -> Message:
    """The channel's context, and what each connection answered just now."""
    chosen_at: Moment | None = moment(value.chosen_at, now) if value.chosen_at else None
    return render(
        "here",
        context=context_of(value),
        chosen_at=chosen_at,
        connections=connections(value.connections),
        more=max(0, len(value.connections) - CONNECTIONS),
        this=code(str(value.this)) if value.this else None,
        buttons=buttons.legal(
            (buttons.ask("show", f"show {value.this}", f"Show {value.this.short}"),) if value.this else (),
            (buttons.ask("list", label="Open runs"), buttons.ask("help")),
        ),
    )


def context_set(value: ContextSet) -> Message:
    """The channel's context was set."""
    return render(
        "context_set",
        channel=channel(value.channel),
        where=_where(value.connection),
        connection=code(value.connection.name),
        by=user(value.by),
        buttons=buttons.legal((buttons.ask("list", label="Open runs"),)),
    )


@dataclass(frozen=True, slots=True)
class IdentityLook:
    connection: Markup
    system: str
    name: str
    id: str
    email: str
    trouble: str
    retry: Markup


def whoami(value: WhoAmI) -> Message:
    """Who a person is in each system, and what they may do here."""
    return render(
        "whoami",
        name=cut(value.name, 80),
        email=cut(value.email, 120),
        role=cut(value.role, 60),
        identities=tuple(_identity(identity) for identity in value.identities[:CONNECTIONS]),
        known=sum(1 for identity in value.identities if identity.person),
        asked=len(value.identities),
    )


def _identity(value: Identity) -> IdentityLook:
    person = value.person
    return IdentityLook(
        connection=code(value.connection, 60),
        system=cut(value.system, 60),
        name=(cut(person.name, 80) or "no name") if person else "",
        id=cut(person.id, 40) if person else "",
        email=cut(person.email, 120) if person else "",
        trouble=trouble_words(value.system, value.trouble.what) if value.trouble else "",
        retry=retry_of(value.trouble),
    )


def version(value: Version) -> Message:
    """Rundown's own version and what it is connected to."""
    return render(
        "version",
        rundown=cut(value.rundown, 40),
        python=cut(value.python, 40),
        connections=connections(value.connections),
        more=max(0, len(value.connections) - CONNECTIONS),
    )
