"""What TestRail answers instead of data: a status and one sentence, in its own words.

Sources: the vendor's page on runs for the codes, the product's language pack and clients' issues for the texts.
Texts seen nowhere are marked "unverified".
"""

from __future__ import annotations


class Refusal(Exception):
    """An answer `{"error": text}` with an HTTP status; raised by whatever handles a call."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.text = text


API_DISABLED = (
    "The API is disabled for your installation. It can be enabled in the administration area in TestRail under "
    "Administration > Site Settings > API."
)
BAD_LOGIN = "Authentication failed: invalid or missing user/password or session cookie."
CONTENT_MISSING = "Content-Type header missing (use Content-Type: application/json)"
CONTENT_INVALID = "Content-Type header invalid (use Content-Type: application/json)"
#: Unverified text; the status is the vendor's.
MAINTENANCE = "TestRail is currently being maintained. Please try again in a few minutes."
NOT_ADMINISTRATOR = "Access Denied. You are not a TestRail administrator. Field:project_id is a required field."
#: Unverified text.
BAD_JSON = "The request body is not valid JSON."
RUN_COMPLETED = "This operation is not allowed. The test run is already completed."
PLAN_COMPLETED = "This operation is not allowed. The test plan is already completed."
RUN_IN_PLAN_CLOSE = (
    "This operation is not allowed. The test run belongs to a test plan and cannot be closed independently."
)
RUN_IN_PLAN_EDIT = (
    "This operation is not allowed. The test run belongs to a test plan and cannot be edited independently."
)
RUN_IN_PLAN_DELETE = "Field :run_id is part of a test run. Please use API endpoints for test plan entries."
NO_ACTIVE_TEST = "No (active) test found for the run/case combination."

#: The noun in "Field :x is not a valid …." per field.
NOUNS = {
    "run_id": "test run",
    "plan_id": "test plan",
    "test_id": "test",
    "case_id": "test case",
    "suite_id": "test suite",
    "section_id": "section",
    "milestone_id": "milestone",
    "project_id": "or accessible project",
    "result_id": "test result",
    "user_id": "user",
    "assignedto_id": "user",
    "entry_id": "test plan entry",
}


def unknown(field: str) -> Refusal:
    """400 for an id that names nothing."""
    return Refusal(400, f"Field :{field} is not a valid {NOUNS[field]}.")


def required(field: str) -> Refusal:
    return Refusal(400, f"Field :{field} is a required field.")


def bad(field: str, kind: str) -> Refusal:
    """400 for a value of the wrong kind, e.g. `bad("limit", "natural number")`."""
    return Refusal(400, f"Field :{field} is not a valid {kind}.")


def denied(verb: str, things: str) -> Refusal:
    """403 for a person without the right."""
    return Refusal(403, f"You are not allowed to {verb} {things} (insufficient permissions).")


def no_access() -> Refusal:
    """403 for a project the account may not see. Unverified text; the status is the vendor's."""
    return Refusal(403, "The requested project does not exist or you do not have the permissions to access it.")


def unknown_method(name: str) -> Refusal:
    return Refusal(404, f"Unknown method '{name}'")


def wrong_verb(method: str) -> Refusal:
    """Text from the language pack, status unverified."""
    return Refusal(400, f'Unsupported HTTP method "{method}" for this action.')
