"""help, version, whoami: about the bot and about the asker."""

from __future__ import annotations

import platform

from bot import __version__
from bot.domain.answers import ConnectionView, Version
from bot.presenters import messages
from bot.slack.desk import Answer, Asking, Desk
from bot.slack.grammar_help import help_family, help_index, help_verb
from bot.usecases.identity import who_am_i


def register(desk: Desk) -> None:
    desk.feature("help", answer_help)
    desk.feature("version", answer_version)
    desk.feature("whoami", answer_whoami)


async def answer_help(asking: Asking) -> Answer:
    world = asking.world
    if not asking.command.words:
        return Answer(messages.help_index(help_index(world.grammar, world.slash)))
    family = help_family(world.grammar, asking.command.words[0], world.slash)
    if family.verbs:
        return Answer(messages.help_index(family))
    return Answer(messages.help_verb(help_verb(world.grammar, asking.command.words[0], world.slash)))


async def answer_version(asking: Asking) -> Answer:
    views = tuple(ConnectionView(name=each.name, system=each.system) for each in asking.world.systems)
    return Answer(messages.version(Version(rundown=__version__, python=platform.python_version(), connections=views)))


async def answer_whoami(asking: Asking) -> Answer:
    member = await asking.world.people.member(asking.asker.user)
    value = await who_am_i(member.name, member.email, member.role, systems=asking.world.systems)
    return Answer(messages.whoami(value), to_asker=True)
