"""The workspace as it stands when nobody has done anything yet: Acme's people, channels, groups."""

from __future__ import annotations

from bot.sandbox.slack.records import Channel, Person, Shortcut, UserGroup
from bot.sandbox.world import ANA, COLLEAGUES, GUS, LEA, MAX, OLGA, TOM, Colleague

TEAM_ID = "T0ACME0001"
TEAM_DOMAIN = "acme"
TEAM_NAME = "Acme"
PARTNER_TEAM_ID = "T0PARTNER2"
PARTNER_DOMAIN = "partner"
APP_ID = "A0RUNDOWN1"
BOT_USER_ID = "U0RUNDOWN9"
BOT_ID = "B0RUNDOWN9"
SLACKBOT_ID = "USLACKBOT"

RELEASE = "C0RELEASE1"
CHECKOUT = "C0CHECKOU2"
GENERAL = "C0GENERAL3"
PAYMENTS = "G0PAYMENT4"
PARTNERS = "C0PARTNER5"

#: The set a bot like ours asks for; see docs.slack.dev reference/scopes.
BOT_SCOPES = frozenset(
    {
        "chat:write",
        "commands",
        "app_mentions:read",
        "im:history",
        "im:read",
        "im:write",
        "channels:read",
        "channels:history",
        "groups:read",
        "groups:history",
        "users:read",
        "users:read.email",
        "usergroups:read",
        "links:read",
        "links:write",
        "files:read",
        "files:write",
    }
)

#: Events the app is subscribed to unless told otherwise. `message.channels` (the twin of a mention) can be added.
BOT_EVENTS = frozenset(
    {
        "app_mention",
        "message.im",
        "app_home_opened",
        "link_shared",
        "member_joined_channel",
        "app_uninstalled",
        "tokens_revoked",
    }
)

#: The shortcuts in the menu of every message.
SHORTCUTS = (
    Shortcut("attach_to_run", "Attach to a test run", "message"),
    Shortcut("note_on_run", "Note on a run", "message"),
)


def people(app_name: str) -> list[Person]:
    """Everybody with a user id: the colleagues, the app's bot user and Slackbot."""
    staff = [_person(one) for one in COLLEAGUES]
    app = Person(BOT_USER_ID, app_name.lower(), app_name, "", TEAM_ID, "America/Los_Angeles", is_bot=True)
    slackbot = Person(SLACKBOT_ID, "slackbot", "Slackbot", "", TEAM_ID, "America/Los_Angeles")
    return [*staff, app, slackbot]


def _person(one: Colleague) -> Person:
    outsider = one.role == "outsider"
    return Person(
        id=one.slack,
        handle=one.name.split()[0].lower(),
        name=one.name,
        email=one.email,
        team_id=PARTNER_TEAM_ID if outsider else TEAM_ID,
        is_admin=one.role == "admin",
        is_guest=one.role == "guest",
        is_outsider=outsider,
        tz="America/New_York" if one is TOM else "Europe/Berlin",
    )


def channels() -> list[Channel]:
    """The named channels. The bot is in #release, #checkout and #partners, not in #general and #payments-private."""
    staff = [one.slack for one in (ANA, TOM, LEA, MAX)]
    return [
        Channel(RELEASE, "release", members=[*staff, GUS.slack, BOT_USER_ID], topic="Go or no go"),
        Channel(CHECKOUT, "checkout", members=[ANA.slack, TOM.slack, LEA.slack, GUS.slack, BOT_USER_ID]),
        Channel(GENERAL, "general", members=staff),
        Channel(PAYMENTS, "payments-private", "group", members=[ANA.slack, TOM.slack]),
        Channel(
            PARTNERS,
            "partners",
            members=[ANA.slack, LEA.slack, OLGA.slack, BOT_USER_ID],
            shared_with=(TEAM_ID, PARTNER_TEAM_ID),
        ),
    ]


def groups() -> list[UserGroup]:
    return [
        UserGroup("S0QALEADS1", "qa-leads", "QA leads", [ANA.slack, LEA.slack]),
        UserGroup("S0RELMGRS2", "release-managers", "Release managers", [TOM.slack]),
    ]
