"""The house's own rules: one command checks all of them."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from bot.slack.grammar import Grammar
from bot.slack.grammar_help import markdown_table
from bot.slack.manifest import manifest, manifest_yaml, scope_table

ROOT = Path(__file__).parents[2]
SOURCES = [*ROOT.glob("bot/**/*.py"), *ROOT.glob("tests/**/*.py")]


def run(*command: str) -> str:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else done.stdout + done.stderr


def between(text: str, name: str) -> str:
    found = re.search(rf"<!-- {name} begins -->\n(.*?)<!-- {name} ends -->", text, re.DOTALL)
    assert found is not None, f"README.md has no part {name}"
    return found[1]


def test_ruff_finds_nothing() -> None:
    assert run(sys.executable, "-m", "ruff", "check", ".") == ""


def test_everything_is_formatted() -> None:
    assert run(sys.executable, "-m", "ruff", "format", "--check", ".") == ""


def test_types_are_strict() -> None:
    assert run(sys.executable, "-m", "mypy") == ""


def test_imports_only_go_down() -> None:
    assert run(str(Path(sys.executable).parent / "lint-imports"), "--no-logo") == ""


def test_readme_shows_the_commands_of_the_grammar() -> None:
    assert between((ROOT / "README.md").read_text(), "commands") == markdown_table(Grammar())


def test_readme_shows_the_scopes_of_the_manifest() -> None:
    assert between((ROOT / "README.md").read_text(), "scopes") == scope_table()


def test_manifest_file_is_the_default_output() -> None:
    assert (ROOT / "app_manifest.yml").read_text() == manifest_yaml()


@pytest.mark.parametrize("choices", [{}, {"mode": "read"}, {"command": "/qa"}, {"url": "https://rundown.example.com"}])
def test_manifest_fits_the_schema_of_slack(choices: dict[str, Any]) -> None:
    schema = json.loads((ROOT / "tests/fixtures/slack/manifest.schema.json").read_text())
    jsonschema.Draft7Validator(schema).validate(manifest(**choices))


def test_http_manifest_names_one_address_everywhere() -> None:
    text = manifest_yaml(url="https://rundown.example.com/")
    assert text.count("https://rundown.example.com/slack/events") == 3
    assert manifest(url="https://rundown.example.com")["settings"]["socket_mode_enabled"] is False


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_test_or_product_patches_names(path: Path) -> None:
    """Fakes, not mocks: nothing replaces a name of ours behind its back."""
    if path == Path(__file__):
        return
    assert not re.search(r"unittest\.mock|monkeypatch\.setattr|\bMagicMock\b|\bmocker\b", path.read_text())
