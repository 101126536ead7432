"""auth.test, users.*, usergroups.*, team.info, bots.info: who is who."""

from __future__ import annotations

from bot.sandbox.slack import wire
from bot.sandbox.slack.company import TEAM_NAME
from bot.sandbox.slack.methods._registry import method, page, required, truthy
from bot.sandbox.slack.records import Json, Person
from bot.sandbox.slack.refusals import Refused
from bot.sandbox.slack.state import State


@method("auth.test")
def auth_test(state: State, _args: Json) -> Json:
    return {
        "ok": True,
        "url": f"https://{state.domain}.slack.com/",
        "team": TEAM_NAME,
        "team_id": state.team_id,
        "user": state.people[state.app.user_id].handle,
        "user_id": state.app.user_id,
        "bot_id": state.app.bot_id,
        "is_enterprise_install": False,
    }


@method("api.test", caller="anybody")
def api_test(_state: State, args: Json) -> Json:
    return {"ok": True, "args": args}


@method("users.info", "users:read", tier=4)
def info(state: State, args: Json) -> Json:
    required(args, "user")
    person = state.people.get(args["user"])
    if person is None:
        raise Refused("user_not_found")
    return {"ok": True, "user": wire.user(state, person)}


@method("users.list", "users:read", tier=2)
def list_(state: State, args: Json) -> Json:
    part, metadata = page(list(state.people.values()), args, default=1000)
    members = [wire.user(state, person) for person in part]
    return {"ok": True, "members": members, "cache_ts": int(state.now().timestamp()), "response_metadata": metadata}


@method("users.lookupByEmail", "users:read.email", tier=3)
def lookup_by_email(state: State, args: Json) -> Json:
    """Only people of this workspace who are still there are found."""
    required(args, "email")
    for person in state.people.values():
        if person.email and person.email.lower() == str(args["email"]).lower() and _is_here(person):
            return {"ok": True, "user": wire.user(state, person)}
    raise Refused("users_not_found")


def _is_here(person: Person) -> bool:
    return not person.is_outsider and not person.deleted


@method("usergroups.list", "usergroups:read", tier=2)
def groups(state: State, args: Json) -> Json:
    """Slack does not page groups. Disabled ones, their people and how many these are come only when asked for."""
    groups = [one for one in state.groups.values() if truthy(args.get("include_disabled")) or not one.disabled]
    found = [wire.group(state, one) for one in groups]
    if truthy(args.get("include_count")):
        found = [{**shown, "user_count": len(state.groups[shown["id"]].users)} for shown in found]
    if truthy(args.get("include_users")):
        found = [{**shown, "users": list(state.groups[shown["id"]].users)} for shown in found]
    return {"ok": True, "usergroups": found}


@method("usergroups.users.list", "usergroups:read", tier=2)
def group_users(state: State, args: Json) -> Json:
    required(args, "usergroup")
    group = state.groups.get(args["usergroup"])
    if group is None or (group.disabled and not truthy(args.get("include_disabled"))):
        raise Refused("no_such_subteam")
    return {"ok": True, "users": list(group.users)}


@method("team.info", "team:read", tier=3)
def team(state: State, _args: Json) -> Json:
    return {
        "ok": True,
        "team": {
            "id": state.team_id,
            "name": TEAM_NAME,
            "domain": state.domain,
            "email_domain": "acme.example",
            "url": f"https://{state.domain}.slack.com/",
            "icon": {"image_default": True},
        },
    }


@method("bots.info", "users:read", tier=3)
def bot(state: State, args: Json) -> Json:
    if args.get("bot") != state.app.bot_id:
        raise Refused("bot_not_found")
    return {"ok": True, "bot": wire.bot_profile(state)}
