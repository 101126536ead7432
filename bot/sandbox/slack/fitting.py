"""What Slack's client checks itself before a dialog is submitted. Pure."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from bot.sandbox.slack.controls import Control
from bot.sandbox.slack.refusals import CannotDo

#: Of one file in a file_input. Source: docs.slack.dev block-elements/file-input-element.
FILE_BYTES_MAX = 10 * 1024 * 1024

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_NUMBER = re.compile(r"-?\d+(\.\d+)?")


def fits(control: Control, value: Any) -> None:
    """Raises CannotDo when the client would not send this."""
    if isinstance(value, list):
        most = control.element.get("max_selected_items")
        if most is not None and len(value) > most:
            raise CannotDo(f"{control.words!r} takes at most {most} of these")
    elif isinstance(value, str) and value and (check := _CHECKS.get(control.kind)):
        check(control, value)


def takes_file(control: Control, name: str) -> bool:
    """Whether a file_input takes a file by its ending."""
    endings = control.element.get("filetypes")
    return not endings or name.rpartition(".")[2].lower() in endings


def _text(control: Control, value: str) -> None:
    least, most = control.element.get("min_length"), control.element.get("max_length")
    if least is not None and len(value) < least:
        raise CannotDo(f"{control.words!r} needs at least {least} characters")
    if most is not None and len(value) > most:
        raise CannotDo(f"{control.words!r} takes at most {most} characters")


def _number(control: Control, value: str) -> None:
    if _NUMBER.fullmatch(value) is None or ("." in value and not control.element.get("is_decimal_allowed")):
        raise CannotDo(f"{control.words!r} takes a number")
    least, most = control.element.get("min_value"), control.element.get("max_value")
    if least is not None and float(value) < float(least):
        raise CannotDo(f"{control.words!r} takes nothing below {least}")
    if most is not None and float(value) > float(most):
        raise CannotDo(f"{control.words!r} takes nothing above {most}")


def _url(control: Control, value: str) -> None:
    if urlsplit(value).scheme not in {"http", "https"} or not urlsplit(value).hostname:
        raise CannotDo(f"{control.words!r} takes an address like https://acme.example")


def _email(control: Control, value: str) -> None:
    if _EMAIL.fullmatch(value) is None:
        raise CannotDo(f"{control.words!r} takes an email address")


_CHECKS = {"plain_text_input": _text, "number_input": _number, "url_text_input": _url, "email_text_input": _email}
