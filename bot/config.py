"""Environment and TOML file → Settings. Every complaint at once, each with the variable's name and what is expected.

A secret is never printed, and may come from a file: `TESTMO_TOKEN_FILE` instead of `TESTMO_TOKEN`.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from bot.systems import CATALOGUE, Option, System, system

Value = str | int | bool | None


class SettingsError(Exception):
    """Settings that can't be used. `complaints` has a line for each."""

    def __init__(self, complaints: list[str]) -> None:
        super().__init__("\n".join(complaints))
        self.complaints = complaints


@dataclass(frozen=True, slots=True)
class ConnectionSettings:
    """One account of a test system. `options` go by the names the system gives them; `per_minute` limits calls."""

    name: str
    system: System = field(repr=False)
    options: Mapping[str, Value] = field(repr=False)
    per_minute: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All of it. `transport` follows from the tokens: an app token means Socket Mode."""

    bot_token: str = field(repr=False)
    app_token: str = field(default="", repr=False)
    signing_secret: str = field(default="", repr=False)
    slack_api_url: str = "https://slack.com/api/"
    connections: tuple[ConnectionSettings, ...] = field(default=(), repr=False)
    command: str = "/runs"
    admins: tuple[str, ...] = ()
    mode: Literal["read", "write"] = "write"
    database: str = "rundown.db"
    poll_s: int = 60
    history_days: int = 400
    templates: str = ""
    log: Literal["json", "console"] = "console"
    port: int = 3000

    @property
    def transport(self) -> Literal["socket", "http"]:
        return "socket" if self.app_token else "http"

    @property
    def secrets(self) -> tuple[str, ...]:
        """Every secret there is, to be kept out of logs and messages."""
        mine = [self.bot_token, self.app_token, self.signing_secret]
        for connection in self.connections:
            names = [option.name for option in connection.system.options if option.of == "secret"]
            mine += [str(connection.options.get(name) or "") for name in names]
        return tuple(secret for secret in mine if len(secret) >= 4)


def read_settings(env: Mapping[str, str]) -> Settings:
    """The settings of this environment. Raises SettingsError with all complaints."""
    reader = _Reader(env)
    settings = Settings(
        bot_token=reader.secret("SLACK_BOT_TOKEN", "the bot token of your Slack app, xoxb-…", r"xox[a-z]-\S+"),
        app_token=reader.secret("SLACK_APP_TOKEN", "an app-level token, xapp-…", r"xapp-\S+", required=False),
        signing_secret=reader.secret("SLACK_SIGNING_SECRET", "the signing secret of your Slack app", required=False),
        slack_api_url=reader.url("SLACK_API_URL", "https://slack.com/api/").rstrip("/") + "/",
        connections=reader.connections(),
        command=reader.text("RUNDOWN_COMMAND", "/runs", r"/[a-z0-9_-]{1,31}", "a slash and up to 31 of a-z 0-9 _ -"),
        admins=tuple(reader.words("RUNDOWN_ADMINS")),
        mode=reader.choice("RUNDOWN_MODE", "write", ("read", "write")),  # type: ignore[arg-type]
        database=reader.text("RUNDOWN_DB", "rundown.db", r".+", "a path"),
        poll_s=reader.number("RUNDOWN_POLL_SECONDS", 60, least=5, most=86_400),
        history_days=reader.number("RUNDOWN_HISTORY_DAYS", 400, least=7, most=3_650),
        templates=reader.folder("RUNDOWN_TEMPLATES"),
        log=reader.choice("RUNDOWN_LOG", "console" if sys.stderr.isatty() else "json", ("json", "console")),  # type: ignore[arg-type]
        port=reader.number("PORT", 3000, least=0, most=65_535),
    )
    if not reader.mentions("SLACK_APP_TOKEN") and not reader.mentions("SLACK_SIGNING_SECRET"):
        reader.complain("SLACK_APP_TOKEN", "expected for Socket Mode, or SLACK_SIGNING_SECRET for HTTP")
    reader.complain_of_misspelled("RUNDOWN_", _OWN)
    if reader.complaints:
        raise SettingsError([_without(settings.secrets, each) for each in reader.complaints])
    return settings


#: All variables whose names begin with ours.
_OWN = frozenset(
    f"RUNDOWN_{word}"
    for word in ("CONFIG", "COMMAND", "ADMINS", "MODE", "DB", "POLL_SECONDS", "HISTORY_DAYS", "TEMPLATES", "LOG")
)

#: What examples say where a secret belongs. Only whole words: random characters may hold anything.
_PLACEHOLDER = re.compile(
    r"(?:xox[a-z]-|xapp-)?(?:your.*|my[-_].*|change[-_]?(?:me|it|this).*|replace.*|insert.*|paste.*|todo|secret|token|key|"
    r"password|example.*|[x*.…_0-]+)|.*(?:<.*>|\.\.\.|…|[-_]here|xxxx.*|your[-_].*)",
    re.IGNORECASE,
)
_SLACK_TOKEN = re.compile(r"(?:xox[a-z]|xapp)-[\w-]+")


def _without(secrets: tuple[str, ...], text: str) -> str:
    """A complaint without the secrets that stand in the wrong place; shorter ones may be words of the complaint."""
    for secret in (each for each in secrets if len(each) >= 8):
        text = text.replace(secret, "•••")
    return _SLACK_TOKEN.sub("•••", text)


def _shown(value: object) -> str:
    """A value as a complaint repeats it."""
    text = str(value)
    return f"“{text}”" if len(text) <= 60 else f"“{text[:59]}…”"


class _Reader:
    """Reads one environment and collects complaints instead of stopping at the first."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self._env = {name: value for name, value in env.items() if value.strip()}
        self.complaints: list[str] = []

    def complain(self, name: str, what: str) -> None:
        self.complaints.append(f"{name}: {what}")

    def _get(self, name: str) -> str | None:
        value = self._env.get(name)
        return value.strip() if value is not None else None

    def mentions(self, name: str) -> bool:
        """Whether this secret is given, or the file that holds it."""
        return not self._env.keys().isdisjoint({name, f"{name}_FILE"})

    def complain_of_misspelled(self, prefix: str, names: Collection[str]) -> None:
        """Complain of what looks like one of these variables and is none; other tools' variables are let be."""
        for variable in sorted(each for each in self._env if each.startswith(prefix) and each not in names):
            close = get_close_matches(variable, names, 1, 0.8)
            if close:
                self.complain(variable, f"is not a setting; did you mean {close[0]}?")

    def secret(self, name: str, expects: str, form: str = r"\S+", *, required: bool = True) -> str:
        if required and not self.mentions(name):
            self.complain(name, f"not set; expected {expects}")
        value = self._get(name) or self._from_file(f"{name}_FILE") or ""
        if value:
            self._check_secret(name, value, expects, form)
        return value

    def _check_secret(self, label: str, value: str, expects: str, form: str = r"\S+") -> None:
        if re.search(r"\s", value):
            self.complain(label, f"has white space in it; expected {expects} (its value is not shown)")
        elif len(value) < 40 and _PLACEHOLDER.fullmatch(value):
            self.complain(label, f"still a placeholder; expected {expects}")
        elif not re.fullmatch(r"[!-~]+", value):
            self.complain(label, f"has other characters in it than letters, digits and signs; expected {expects}")
        elif not re.fullmatch(form, value):
            self.complain(label, f"not of the right form; expected {expects} (its value is not shown)")

    def _from_file(self, name: str) -> str | None:
        """The secret in the file that this variable names; None (and a complaint) if there is none."""
        path = self._get(name)
        return None if path is None else self._read_secret(path, name)

    def _read_secret(self, path: str, label: str) -> str | None:
        try:
            secret = Path(path).read_text(encoding="utf-8-sig").strip()
        except (OSError, ValueError) as error:
            self.complain(label, f"can't be read ({type(error).__name__}); expected a file with the secret in it")
            return None
        if not secret:
            self.complain(label, "is empty; expected a file with the secret in it")
        return secret or None

    def text(self, name: str, default: str, form: str, expects: str) -> str:
        value = self._get(name) or default
        if not re.fullmatch(form, value):
            self.complain(name, f"{_shown(value)}; expected {expects}, for example {default}")
        return value

    def words(self, name: str) -> list[str]:
        return [word for word in re.split(r"[,\s]+", self._get(name) or "") if word]

    def choice(self, name: str, default: str, choices: tuple[str, ...]) -> str:
        value = (self._get(name) or default).lower()
        if value not in choices:
            self.complain(name, f"{_shown(value)}; expected one of {', '.join(choices)}")
            return default
        return value

    def number(self, name: str, default: int, *, least: int, most: int) -> int:
        value = self._get(name)
        if value is None:
            return default
        if not re.fullmatch(r"[0-9]{1,9}", value) or not least <= int(value) <= most:
            self.complain(name, f"{_shown(value)}; expected a whole number from {least} to {most}")
            return default
        return int(value)

    def folder(self, name: str) -> str:
        value = self._get(name) or ""
        if value and not Path(value).is_dir():
            self.complain(name, f"{_shown(value)} is no folder; expected one with templates that replace Rundown's own")
        return value

    def url(self, name: str, default: str) -> str:
        value = self._get(name) or default
        problem = url_problem(value)
        if problem:
            self.complain(name, problem)
        return value

    def connections(self) -> tuple[ConnectionSettings, ...]:
        """Those of the environment (`TESTMO_URL`, …), then those of the file that RUNDOWN_CONFIG names."""
        before = len(self.complaints)
        found = [self._from_env(name) for name in CATALOGUE if self._mentions(name)]
        found += self._from_toml()
        names = [connection.name for connection in found]
        for name in sorted({name for name in names if names.count(name) > 1}):
            self.complain(
                f"connections.{name}", "is there twice; names must differ (the environment's is the system's)"
            )
        if not found and len(self.complaints) == before:
            variables = " or ".join(f"{name.upper()}_URL" for name in CATALOGUE)
            self.complain(variables, "not set; expected the address of at least one test system")
        return tuple(found)

    def _mentions(self, name: str) -> bool:
        """Whether anything in the environment means this system; other tools' variables don't."""
        return not self._env.keys().isdisjoint(self._variables(name))

    def _variables(self, name: str) -> set[str]:
        prefix = f"{name.upper()}_"
        plain = {f"{prefix}{option.name.upper()}" for option in system(name).options}
        files = {f"{prefix}{option.name.upper()}_FILE" for option in system(name).options if option.of == "secret"}
        return {*plain, *files, f"{prefix}PER_MINUTE"}

    def _from_env(self, name: str) -> ConnectionSettings:
        its = system(name)
        prefix = f"{name.upper()}_"
        self.complain_of_misspelled(prefix, self._variables(name))
        known = {f"{prefix}{option.name.upper()}": option for option in its.options}
        options = {
            option.name: self._option(variable, option, self._get(variable), f"{variable}_FILE")
            for variable, option in known.items()
        }
        given = [option.name for variable, option in known.items() if self._get(variable) is not None]
        self._complain_of_halves(given, lambda option: f"{prefix}{option.upper()}")
        return ConnectionSettings(name, its, options, self._per_minute(f"{prefix}PER_MINUTE", its))

    def _complain_of_halves(self, given: Collection[str], label: Callable[[str], str]) -> None:
        """Complain of options that are there without the one they belong to."""
        for option, needed in _NEEDS.items():
            if option in given and needed not in given:
                self.complain(label(option), f"means nothing alone; expected {label(needed)} beside it")

    def _per_minute(self, variable: str, its: System) -> int | None:
        if self._get(variable) is None:
            return its.per_minute
        return self.number(variable, its.per_minute or 60, least=1, most=100_000)

    def _option(self, label: str, option: Option, value: object, file_variable: str = "") -> Value:
        """One option of a connection, checked; `value` is text (environment) or a TOML value."""
        if option.of == "secret" and value is None and self._get(file_variable) is not None:
            value = self._from_file(file_variable)
            if value is None:
                return ""
        if value is None or (isinstance(value, str) and not value.strip()):
            if option.required:
                self.complain(label, f"not set; expected {option.expects}")
            return option.default
        text = str(value).strip()
        match option.of:
            case "number":
                if isinstance(value, bool) or not re.fullmatch(r"[0-9]{1,18}", text) or not int(text):
                    self.complain(label, f"{_shown(value)}; expected {option.expects}")
                    return option.default
                return int(text)
            case "switch":
                if text.lower() not in _SWITCH:
                    self.complain(label, f"{_shown(value)}; expected true or false")
                    return option.default
                return _SWITCH[text.lower()]
        form = _FORMS.get(option.name)
        if not isinstance(value, str) and not (form and type(value) is int):
            self.complain(label, f"{_shown(value)} is no text; expected {option.expects}")
            return option.default
        if form and not re.fullmatch(form, text):
            self.complain(label, f"{_shown(value)}; expected {option.expects}")
        if option.of == "url" and (problem := url_problem(text)):
            self.complain(label, f"{problem}; expected {option.expects}")
        if option.of == "secret":
            self._check_secret(label, text, option.expects)
        return text

    def _from_toml(self) -> list[ConnectionSettings]:
        import tomllib

        path = self._get("RUNDOWN_CONFIG")
        if path is None:
            return []
        try:
            content = tomllib.loads(Path(path).read_text(encoding="utf-8"))
        except (OSError, UnicodeError) as error:
            self.complain("RUNDOWN_CONFIG", f"{path} can't be read ({type(error).__name__}); expected a TOML file")
            return []
        except tomllib.TOMLDecodeError as error:
            self.complain("RUNDOWN_CONFIG", f"{path} is not TOML: {error}")
            return []
        for key in content.keys() - {"connections"}:
            self.complain(f"{path}: {key}", "is not a setting; expected tables such as [connections.web]")
        tables = content.get("connections", {})
        if not isinstance(tables, dict):
            self.complain(f"{path}: connections", "expected tables such as [connections.web]")
            return []
        return [read for name, table in tables.items() if (read := self._table(path, name, table)) is not None]

    def _table(self, path: str, name: str, table: object) -> ConnectionSettings | None:
        label = f"{path}: [connections.{name}]"
        if not isinstance(table, dict):
            self.complain(label, "expected a table")
            return None
        if not re.fullmatch(r"[a-z][a-z0-9_-]{1,30}", name):
            self.complain(label, "expected a short name people can type: 2 to 31 of a-z, 0-9, _ and -")
        elif name in _SPOKEN:
            self.complain(label, f"{name} means something else in commands; expected another name")
        kind = table.get("system")
        if not isinstance(kind, str) or kind not in CATALOGUE:
            said = "not set" if kind is None else _shown(kind)
            self.complain(f"{label} system", f"{said}; expected one of {', '.join(CATALOGUE)}")
            return None
        its = system(kind)
        allowed = {"system", "per_minute"}
        options: dict[str, Value] = {}
        for option in its.options:
            allowed |= (
                {option.name, f"{option.name}_env", f"{option.name}_file"} if option.of == "secret" else {option.name}
            )
            options[option.name] = self._table_option(label, option, table)
        for key in sorted(table.keys() - allowed):
            close = get_close_matches(key, allowed, 1)
            self.complain(f"{label} {key}", "is not a setting" + (f"; did you mean {close[0]}?" if close else ""))
        given = [key for key, value in table.items() if str(value).strip()]
        self._complain_of_halves(given, lambda option: f"{label} {option}")
        rate = table.get("per_minute", its.per_minute)
        if rate is not None and (isinstance(rate, bool) or not isinstance(rate, int) or not 1 <= rate <= 100_000):
            self.complain(f"{label} per_minute", f"{_shown(rate)}; expected a whole number from 1 to 100000")
            rate = its.per_minute
        return ConnectionSettings(name.lower(), its, options, rate)

    def _table_option(self, label: str, option: Option, table: Mapping[str, Any]) -> Value:
        if option.of != "secret":
            return self._option(f"{label} {option.name}", option, table.get(option.name))
        if option.name in table:
            self.complain(
                f"{label} {option.name}", f'secrets stay in the environment; use {option.name}_env = "VARIABLE"'
            )
            return ""
        for way, named in (("file", "the path of the file"), ("env", "the name of the variable")):
            where, value = f"{label} {option.name}_{way}", table.get(f"{option.name}_{way}")
            if value is None:
                continue
            if not isinstance(value, str) or not value.strip():
                self.complain(where, f"expected {named} that holds {option.expects}")
                return ""
            if way == "file":
                return self._read_checked(where, option, value.strip())
            return self._option_of_variable(where, option, value.strip())
        self.complain(f"{label} {option.name}_env", f"not set; expected the variable that holds {option.expects}")
        return ""

    def _read_checked(self, label: str, option: Option, path: str) -> Value:
        secret = self._read_secret(path, label)
        return "" if secret is None else self._option(label, option, secret)

    def _option_of_variable(self, label: str, option: Option, variable: str) -> Value:
        """The secret in a variable. Its name is only said where it can't be the secret itself, put in its place."""
        is_name = re.fullmatch(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+|[A-Z]{3,20}", variable) is not None
        if not is_name and not self.mentions(variable):
            self.complain(label, f"there is no such variable; expected the one that holds {option.expects}")
            return ""
        return self._option(variable if is_name else label, option, self._get(variable), f"{variable}_FILE")


#: Options that have a form of their own, which may also be given as a number in the file.
_FORMS = {"mark_field": r"(?:---f-)?[1-9][0-9]{0,17}"}
#: Options that mean nothing without another one.
_NEEDS = {"mark_value": "mark_field"}
#: Names that the grammar takes for something else: `--in all`, `last:R118`.
_SPOKEN = frozenset({"all", "last", "http", "https"})
_SWITCH = {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False}


def url_problem(value: str) -> str:
    """What is wrong with this address of a server, empty when nothing is."""
    try:
        parts = urlsplit(value)
        port_is_fine = parts.port is None or parts.port > 0
    except ValueError:
        return "is not a web address"
    if parts.scheme not in ("http", "https") or not parts.hostname or not port_is_fine:
        return "is not a web address such as https://example.com"
    if parts.username or parts.password:
        return "has a user or password in it; they have settings of their own"
    if re.search(r"[\s\"<>]", value):
        return "has white space, quotes or < > in it"
    if parts.query or parts.fragment:
        return "has more in it than the address of a server, from ? or # on"
    if re.match(r"your[-_.]?(?:company|domain|name|org|team|site|instance|server|account|subdomain)\b", parts.hostname):
        return "is still a placeholder"
    return ""
