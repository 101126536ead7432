"""The endpoints of users and statuses."""

from __future__ import annotations

from bot.sandbox.testrail import refusals
from bot.sandbox.testrail.desk import Desk, find
from bot.sandbox.testrail.model import User
from bot.sandbox.testrail.paging import Listing, Row
from bot.sandbox.testrail.refusals import Refusal, bad
from bot.sandbox.testrail.wire import status_row, user_row


def get_user(desk: Desk) -> Row:
    """One user; ids of people who are gone are refused."""
    return user_row(find(desk.store.users, desk.id("user_id"), "user_id"))


def get_current_user(desk: Desk) -> Row:
    """The account that asks; the id that newer versions put into the path changes nothing."""
    return user_row(desk.by)


def get_user_by_email(desk: Desk) -> Row:
    """The user with this email address. Unknown ones are refused with the text for malformed ones, as in life."""
    wanted = desk.params.get("email", "").lower()
    for user in desk.store.users.values():
        if user.email.lower() == wanted:
            return user_row(user)
    raise bad("email", "email address")


def get_users(desk: Desk) -> Listing[User]:
    """All users; accounts that do not administer must name a project."""
    if not desk.has_id() and not desk.by.is_admin:
        raise Refusal(403, refusals.NOT_ADMINISTRATOR)
    if desk.has_id():
        desk.project()
    return Listing("users", list(desk.store.users.values()), user_row, whole_when_old=True)


def get_statuses(desk: Desk) -> list[Row]:
    """Built-in and custom statuses; a project in the path changes nothing."""
    if desk.has_id():
        desk.project()
    return [status_row(status) for status in desk.store.statuses.values()]
