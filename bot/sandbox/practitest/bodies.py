"""Reading request bodies: `{"data": …}`, and the attribute forms that several calls share."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any

from bot.sandbox.practitest.account import Account
from bot.sandbox.practitest.asking import RefusalError
from bot.sandbox.practitest.records import CustomFields, FieldValue

JSON_TYPES = {"application/json", "application/vnd.api+json"}
_DURATION = re.compile(r"(\d{2}):([0-5]\d):([0-5]\d)", re.ASCII)
_FIELD = re.compile(r"---f-(\d+)", re.ASCII)


def read_data(raw: bytes, content_type: str) -> Any:
    """What is under `data`. Raises RefusalError: 400 for broken JSON, 422 for anything but JSON with data.

    Raw line breaks inside strings pass: the vendor's own shell examples send them (`$(base64 file)`).
    """
    if content_type not in JSON_TYPES:
        raise RefusalError(422, "data is missing: send JSON with Content-Type: application/json")
    try:
        body = json.loads(raw, strict=False)
    except ValueError:
        raise RefusalError(400, "the request body is not valid JSON") from None
    if not isinstance(body, dict) or not body.get("data"):
        raise RefusalError(422, "data is missing")
    return body["data"]


def mapping(value: object, what: str) -> dict[str, Any]:
    """A JSON object; None is an empty one. Raises RefusalError (422) for anything else."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise RefusalError(422, f"{what} must be an object")
    return value


def number(value: object, what: str) -> int | None:
    """A whole number, also as text; None stays None. Raises RefusalError (422) for anything else."""
    if value is None:
        return None
    if isinstance(value, bool) or not re.fullmatch(r"-?\d{1,18}", str(value), re.ASCII):
        raise RefusalError(422, f"{what} must be a number")
    return int(str(value))


def text(value: object, what: str, limit: int | None = None) -> str | None:
    """Text of at most `limit` characters; a number becomes text. Raises RefusalError (422)."""
    if value is None:
        return None
    if isinstance(value, bool | dict | list):
        raise RefusalError(422, f"{what} must be a string")
    if limit is not None and len(str(value)) > limit:
        raise RefusalError(422, f"{what} is too long (maximum is {limit} characters)")
    return str(value)


def duration_s(value: object) -> int:
    """`HH:MM:SS` as seconds; nothing is 0. Raises RefusalError (422)."""
    if value in (None, ""):
        return 0
    found = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise RefusalError(422, "run-duration must be HH:MM:SS")
    hours, minutes, seconds = map(int, found.groups())
    return hours * 3600 + minutes * 60 + seconds


def date_and_time(value: object, what: str) -> datetime | None:
    """An ISO date, with or without time and offset (UTC then). Raises RefusalError (422)."""
    if value in (None, ""):
        return None
    try:
        at = datetime.fromisoformat(value if isinstance(value, str) else "")
    except ValueError:
        raise RefusalError(422, f"{what} must be an ISO 8601 date") from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def custom_fields(value: object, account: Account, project_id: int) -> CustomFields:
    """`{"---f-45293": "Win"}`: fields of this project, a list's values among its choices.

    Raises RefusalError (422) that names the field.
    """
    return {
        key: _field_value(key, given, account, project_id) for key, given in mapping(value, "custom-fields").items()
    }


def _field_value(key: str, given: object, account: Account, project_id: int) -> FieldValue:
    found = _FIELD.fullmatch(key)
    field = account.fields.get(int(found[1])) if found else None
    if field is None or field.project_id != project_id:
        raise RefusalError(422, f"custom-fields: {key} is not a field of this project")
    if field.format == "multilist":
        chosen = [str(each) for each in (given if isinstance(given, list) else [given])]
    else:
        single = text(given, f"custom-fields: {key}")
        if single is None:
            return None
        chosen = [single]
    wrong = [each for each in chosen if field.values and each not in field.values]
    if wrong:
        raise RefusalError(422, f"custom-fields: {wrong[0]!r} is not a value of {key}")
    return chosen if field.format == "multilist" else chosen[0]
