"""The endpoints of lists that seldom change: fields, types, priorities, templates."""

from __future__ import annotations

from bot.sandbox.testrail.desk import Desk
from bot.sandbox.testrail.paging import Row


def get_case_fields(_desk: Desk) -> list[Row]:
    """The custom fields of cases; `custom_automation_id` is what automation finds cases by."""
    return [
        _field(1, "automation_id", "Automation ID", type_id=1),
        _field(2, "preconds", "Preconditions", type_id=3),
        _field(3, "steps", "Steps", type_id=3),
        _field(4, "expected", "Expected Result", type_id=3),
    ]


def get_result_fields(_desk: Desk) -> list[Row]:
    """The custom fields of results."""
    return [_field(5, "build_url", "Build", type_id=4)]


def get_case_types(_desk: Desk) -> list[Row]:
    names = ("Acceptance", "Accessibility", "Automated", "Functional", "Performance", "Regression", "Other")
    return [{"id": place, "name": name, "is_default": name == "Other"} for place, name in enumerate(names, start=1)]


def get_priorities(_desk: Desk) -> list[Row]:
    names = ("Low", "Medium", "High", "Critical")
    return [
        {"id": place, "name": name, "short_name": name, "priority": place, "is_default": name == "Medium"}
        for place, name in enumerate(names, start=1)
    ]


def get_templates(desk: Desk) -> list[Row]:
    """The templates of cases in a project."""
    desk.project()
    return [
        {"id": 1, "name": "Test Case (Text)", "is_default": True},
        {"id": 2, "name": "Test Case (Steps)", "is_default": False},
        {"id": 3, "name": "Exploratory Session", "is_default": False},
    ]


def _field(field_id: int, name: str, label: str, *, type_id: int) -> Row:
    everywhere = {"is_global": True, "project_ids": None}
    options = {"is_required": False, "default_value": "", "format": "markdown", "rows": "7"}
    return {
        "id": field_id,
        "is_active": True,
        "type_id": type_id,
        "name": name,
        "system_name": f"custom_{name}",
        "label": label,
        "description": None,
        "configs": [{"id": f"field-{field_id}", "context": everywhere, "options": options}],
        "display_order": field_id,
        "include_all": True,
        "template_ids": [],
    }
