"""Settings: every variable, every complaint at once with its name, and no secret in any of them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.config import Settings, SettingsError, read_settings, url_problem
from bot.domain.refs import NamedRef
from bot.slack.grammar import Grammar

BOT, APP, SIGNING = "xoxb-111-222-botcanary", "xapp-1-A0-333-appcanary", "51gn1ngc4n4ry51gn1ngc4n4ry"
TESTMO, TESTRAIL, PRACTITEST = "testmo-canary-token", "testrail.canary/key", "practitest-canary"
CANARIES = (BOT, APP, SIGNING, TESTMO, TESTRAIL, PRACTITEST, "canary")

NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)

SOCKET = {"SLACK_BOT_TOKEN": BOT, "SLACK_APP_TOKEN": APP}
ONE = {"TESTMO_URL": "https://acme.testmo.net", "TESTMO_TOKEN": TESTMO}
LEAST = {**SOCKET, **ONE}
UAT = {"PRACTITEST_URL": "https://api.x.test/api/v2", "PRACTITEST_TOKEN": PRACTITEST}


def complaints(env: dict[str, str]) -> list[str]:
    """What is said about these settings; empty when they are good. Checked for secrets on the way."""
    try:
        read_settings(env)
    except SettingsError as error:
        for told in (str(error), repr(error), *error.complaints):
            for canary in CANARIES:
                assert canary not in told
        return error.complaints
    return []


def good(**env: str) -> Settings:
    return read_settings({**LEAST, **env})


def test_the_least_settings_are_tokens_and_one_system() -> None:
    settings = read_settings(LEAST)
    assert (settings.transport, settings.command, settings.mode, settings.port) == ("socket", "/runs", "write", 3000)
    assert (settings.database, settings.poll_s, settings.admins, settings.templates) == ("rundown.db", 60, (), "")
    assert settings.slack_api_url == "https://slack.com/api/"
    (connection,) = settings.connections
    assert (connection.name, connection.system.name, connection.per_minute) == ("testmo", "testmo", None)
    assert dict(connection.options) == {
        "url": "https://acme.testmo.net",
        "token": TESTMO,
        "project": None,
        "close_manual_runs": False,
    }


@pytest.mark.parametrize(
    ("variable", "value", "field", "read"),
    [
        ("SLACK_API_URL", "https://slack-gov.com/api", "slack_api_url", "https://slack-gov.com/api/"),
        ("SLACK_API_URL", "http://127.0.0.1:4000/api/", "slack_api_url", "http://127.0.0.1:4000/api/"),
        ("SLACK_SIGNING_SECRET", SIGNING, "signing_secret", SIGNING),
        ("RUNDOWN_COMMAND", "/qa", "command", "/qa"),
        ("RUNDOWN_ADMINS", "U1, U2 U3,,", "admins", ("U1", "U2", "U3")),
        ("RUNDOWN_MODE", "read", "mode", "read"),
        ("RUNDOWN_MODE", " READ ", "mode", "read"),
        ("RUNDOWN_DB", "/data/x.db", "database", "/data/x.db"),
        ("RUNDOWN_POLL_SECONDS", "5", "poll_s", 5),
        ("RUNDOWN_POLL_SECONDS", "86400", "poll_s", 86_400),
        ("RUNDOWN_TEMPLATES", "/", "templates", "/"),
        ("RUNDOWN_LOG", "json", "log", "json"),
        ("RUNDOWN_LOG", "Console", "log", "console"),
        ("PORT", "0", "port", 0),
        ("PORT", "65535", "port", 65_535),
        ("RUNDOWN_MODE", "   ", "mode", "write"),  # blank is not set
        ("PORT", "", "port", 3000),
        ("RUNDOWN_SOMETHING_ELSE_ENTIRELY", "x", "port", 3000),
        ("SLACK_WEBHOOK_URL", "x", "port", 3000),
    ],
)
def test_variables_are_read(variable: str, value: str, field: str, read: object) -> None:
    assert getattr(good(**{variable: value}), field) == read


@pytest.mark.parametrize(
    ("variables", "system", "options"),
    [
        ({"TESTMO_PROJECT": "7"}, "testmo", {"project": 7}),
        ({"TESTMO_CLOSE_MANUAL_RUNS": "Yes"}, "testmo", {"close_manual_runs": True}),
        ({"TESTMO_CLOSE_MANUAL_RUNS": "0"}, "testmo", {"close_manual_runs": False}),
        (
            {
                "TESTRAIL_URL": "https://x.test/rail/",
                "TESTRAIL_USER": "a@x.test",
                "TESTRAIL_KEY": TESTRAIL,
                "TESTRAIL_PROJECT": "3",
            },
            "testrail",
            {"url": "https://x.test/rail/", "user": "a@x.test", "key": TESTRAIL, "project": 3},
        ),
        (
            {
                "PRACTITEST_URL": "https://api.x.test/api/v2",
                "PRACTITEST_TOKEN": PRACTITEST,
                "PRACTITEST_PROJECT": "4566",
            },
            "practitest",
            {"url": "https://api.x.test/api/v2", "token": PRACTITEST, "project": 4566, "mark_field": None},
        ),
        (
            {**UAT, "PRACTITEST_MARK_FIELD": "---f-45911"},
            "practitest",
            {"mark_field": "---f-45911", "mark_value": "Completed"},
        ),
        (
            {**UAT, "PRACTITEST_MARK_FIELD": "45911", "PRACTITEST_MARK_VALUE": "Signed off"},
            "practitest",
            {"mark_field": "45911", "mark_value": "Signed off"},
        ),
    ],
)
def test_systems_are_read(variables: dict[str, str], system: str, options: dict[str, object]) -> None:
    connection = next(each for each in good(**variables).connections if each.name == system)
    assert {name: connection.options[name] for name in options} == options


@pytest.mark.parametrize(("env", "rate"), [({}, 180), ({"TESTRAIL_PER_MINUTE": "30"}, 30)])
def test_a_systems_rate_is_its_vendors_or_ours(env: dict[str, str], rate: int) -> None:
    testrail = {"TESTRAIL_URL": "https://x.test", "TESTRAIL_USER": "a", "TESTRAIL_KEY": TESTRAIL}
    assert read_settings({**SOCKET, **testrail, **env}).connections[0].per_minute == rate


@pytest.mark.parametrize(
    ("env", "transport"),
    [
        ({"SLACK_APP_TOKEN": APP}, "socket"),
        ({"SLACK_SIGNING_SECRET": SIGNING}, "http"),
        ({"SLACK_APP_TOKEN": APP, "SLACK_SIGNING_SECRET": SIGNING}, "socket"),
    ],
)
def test_an_app_token_means_socket_mode_else_http(env: dict[str, str], transport: str) -> None:
    assert read_settings({"SLACK_BOT_TOKEN": BOT, **ONE, **env}).transport == transport


@pytest.mark.parametrize(
    ("variable", "value", "told"),
    [
        ("SLACK_BOT_TOKEN", "", "not set; expected the bot token of your Slack app, xoxb-…"),
        ("SLACK_BOT_TOKEN", "canary", "not of the right form; expected the bot token of your Slack app"),
        ("SLACK_BOT_TOKEN", "xoxb-can ary", "has white space in it"),
        ("SLACK_BOT_TOKEN", "xoxb-your-token", "still a placeholder"),
        ("SLACK_BOT_TOKEN", "xoxb-...", "still a placeholder"),
        ("SLACK_BOT_TOKEN", "<bot-token>", "still a placeholder"),
        ("SLACK_BOT_TOKEN", "xoxb-canäry", "has other characters in it than letters, digits and signs"),
        ("SLACK_APP_TOKEN", "canary", "not of the right form; expected an app-level token, xapp-…"),
        ("SLACK_APP_TOKEN", "xapp-xxxx", "still a placeholder"),
        ("SLACK_SIGNING_SECRET", "changeme", "still a placeholder"),
        ("SLACK_SIGNING_SECRET", "two\nlines", "has white space in it"),
        ("SLACK_SIGNING_SECRET", "SECRET", "still a placeholder; expected the signing secret of your Slack app"),
        ("SLACK_API_URL", "slack.com/api", "is not a web address such as https://example.com"),
        ("RUNDOWN_COMMAND", "runs", "“runs”; expected a slash and up to 31 of a-z 0-9 _ -, for example /runs"),
        ("RUNDOWN_COMMAND", "/Runs", "“/Runs”; expected"),
        ("RUNDOWN_COMMAND", "/" + "a" * 32, "expected a slash and up to 31"),
        ("RUNDOWN_COMMAND", BOT, "“•••”; expected a slash"),
        ("RUNDOWN_COMMAND", "xoxb-another-token", "“•••”; expected a slash"),
        ("RUNDOWN_MODE", "readonly", "“readonly”; expected one of read, write"),
        ("RUNDOWN_MODE", TESTMO, "“•••”; expected one of read, write"),
        ("RUNDOWN_LOG", "xml", "“xml”; expected one of json, console"),
        ("RUNDOWN_POLL_SECONDS", "4", "“4”; expected a whole number from 5 to 86400"),
        ("RUNDOWN_POLL_SECONDS", "1e3", "“1e3”; expected a whole number"),
        ("RUNDOWN_POLL_SECONDS", "٣٠", "“٣٠”; expected a whole number"),
        ("PORT", "65536", "“65536”; expected a whole number from 0 to 65535"),
        ("PORT", "-1", "“-1”; expected a whole number"),
        ("PORT", "9" * 5_000, "…”; expected a whole number"),
        ("RUNDOWN_TEMPLATES", "/no/such/folder", "“/no/such/folder” is no folder"),
        ("RUNDOWN_CONFIG", "/no/such.toml", "/no/such.toml can't be read (FileNotFoundError); expected a TOML file"),
        ("RUNDOWN_ADMIN", "U1", "is not a setting; did you mean RUNDOWN_ADMINS?"),
        ("RUNDOWN_POLL_SECOND", "9", "is not a setting; did you mean RUNDOWN_POLL_SECONDS?"),
        ("TESTMO_URL", "", "not set; expected the address of your Testmo"),
        ("TESTMO_URL", "acme.testmo.net", "is not a web address such as https://example.com; expected the address"),
        ("TESTMO_URL", TESTMO, "is not a web address"),  # put in the wrong place
        ("TESTMO_URL", "https://ana:canary@acme.testmo.net", "has a user or password in it"),
        ("TESTMO_URL", "https://your-company.testmo.net", "is still a placeholder"),
        ("TESTMO_URL", "https://acme.testmo.net/?token=canary", "has more in it than the address of a server"),
        ("TESTMO_TOKEN", "", "not set; expected an API token"),
        ("TESTMO_TOKEN", "your-token-here", "still a placeholder; expected an API token"),
        ("TESTMO_TOKEN", "can ary", "has white space in it; expected an API token"),
        ("TESTMO_PROJECT", "Webshop", "“Webshop”; expected the number of the project"),
        ("TESTMO_PROJECT", "0", "“0”; expected the number of the project"),
        ("TESTMO_PROJECT", "1.5", "“1.5”; expected the number of the project"),
        ("TESTMO_CLOSE_MANUAL_RUNS", "maybe", "“maybe”; expected true or false"),
        ("TESTMO_TOKENS", "x", "is not a setting; did you mean TESTMO_TOKEN?"),
        ("TESTMO_PER_MINUTE", "fast", "“fast”; expected a whole number from 1 to 100000"),
    ],
)
def test_what_is_wrong_is_said_with_the_variables_name_and_what_is_expected(
    variable: str, value: str, told: str
) -> None:
    (complaint,) = complaints({**LEAST, variable: value})
    assert complaint.startswith(f"{variable}: ")
    assert told in complaint
    assert len(complaint) < 300


def test_nothing_at_all_is_said_at_once() -> None:
    assert [complaint.partition(":")[0] for complaint in complaints({})] == [
        "SLACK_BOT_TOKEN",
        "TESTMO_URL or TESTRAIL_URL or PRACTITEST_URL",
        "SLACK_APP_TOKEN",
    ]


def test_all_complaints_come_at_once() -> None:
    env = {
        "SLACK_BOT_TOKEN": "canary",
        "TESTMO_URL": "nowhere",
        "TESTRAIL_KEY": TESTRAIL,
        "PRACTITEST_PROJECT": "x",
        "PORT": "ninety",
        "RUNDOWN_MODE": "both",
        "RUNDOWN_CONFIG": "/no/such.toml",
    }
    assert {complaint.partition(":")[0] for complaint in complaints(env)} == {
        "SLACK_BOT_TOKEN",
        "SLACK_APP_TOKEN",
        "TESTMO_URL",
        "TESTMO_TOKEN",
        "TESTRAIL_URL",
        "TESTRAIL_USER",
        "PRACTITEST_URL",
        "PRACTITEST_PROJECT",
        "PRACTITEST_TOKEN",
        "PORT",
        "RUNDOWN_MODE",
        "RUNDOWN_CONFIG",
    }


@pytest.mark.parametrize("random", ["aXxXb9Q", "0000a", "keYring7", "tokenize1234", "Tr3.x...y"[:-4], "exampl3"])
def test_secrets_that_look_a_little_like_placeholders_are_taken(random: str) -> None:
    assert complaints({**LEAST, "TESTMO_TOKEN": random}) == []


# ── secrets ──


def test_no_secret_is_in_the_words_for_settings() -> None:
    settings = good(
        SLACK_SIGNING_SECRET=SIGNING, TESTRAIL_URL="https://x.test", TESTRAIL_USER="a", TESTRAIL_KEY=TESTRAIL
    )
    for words in (repr(settings), str(settings), *map(repr, settings.connections), f"{settings.connections}"):
        for canary in CANARIES:
            assert canary not in words
    assert set(settings.secrets) == {BOT, APP, SIGNING, TESTMO, TESTRAIL}


@pytest.mark.parametrize("variable", ["SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "TESTMO_TOKEN"])
@pytest.mark.parametrize("content", ["{}", "{}\n", "  {}\r\n", "\ufeff{}"])
def test_a_secret_may_come_from_a_file(tmp_path: Path, variable: str, content: str) -> None:
    (tmp_path / "secret").write_text(content.format(LEAST[variable]), encoding="utf-8")
    env = {name: value for name, value in LEAST.items() if name != variable}
    assert read_settings({**env, f"{variable}_FILE": str(tmp_path / "secret")}) == read_settings(LEAST)


@pytest.mark.parametrize("variable", ["SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "TESTMO_TOKEN"])
@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "can't be read (FileNotFoundError); expected a file with the secret in it"),
        (b"", "is empty; expected a file with the secret in it"),
        (b" \n", "is empty; expected a file with the secret in it"),
        (b"\xff\xfecanary", "can't be read (UnicodeDecodeError)"),
    ],
)
def test_a_file_without_a_secret_is_one_complaint(
    tmp_path: Path, variable: str, content: bytes | None, told: str
) -> None:
    if content is not None:
        (tmp_path / "secret").write_bytes(content)
    env = {name: value for name, value in LEAST.items() if name != variable}
    (complaint,) = complaints({**env, f"{variable}_FILE": str(tmp_path / "secret")})
    assert complaint.startswith(f"{variable}_FILE: ")
    assert told in complaint


def test_a_folder_is_no_file_with_a_secret(tmp_path: Path) -> None:
    (complaint,) = complaints({**SOCKET, "TESTMO_URL": "https://x.test", "TESTMO_TOKEN_FILE": str(tmp_path)})
    assert complaint.startswith("TESTMO_TOKEN_FILE: can't be read (IsADirectoryError)")


# ── the TOML file ──

WEB = """
[connections.web]
system = "testrail"
url = "https://x.test"
user = "a@x.test"
key_env = "WEB_KEY"
"""


def with_toml(tmp_path: Path, toml: str, **env: str) -> dict[str, str]:
    (tmp_path / "rundown.toml").write_text(toml, encoding="utf-8")
    return {**SOCKET, "WEB_KEY": TESTRAIL, "RUNDOWN_CONFIG": str(tmp_path / "rundown.toml"), **env}


def test_connections_come_from_the_file_beside_those_of_the_environment(tmp_path: Path) -> None:
    more = '\n[connections.mobile]\nsystem = "testmo"\nurl = "https://m.test"\ntoken_file = "{}"\nper_minute = 9\n'
    (tmp_path / "token").write_text(f"{TESTMO}\n")
    settings = read_settings(with_toml(tmp_path, WEB + "project = 4\n" + more.format(tmp_path / "token"), **ONE))
    assert [(each.name, each.system.name, each.per_minute) for each in settings.connections] == [
        ("testmo", "testmo", None),
        ("web", "testrail", 180),
        ("mobile", "testmo", 9),
    ]
    assert dict(settings.connections[1].options) == {
        "url": "https://x.test",
        "user": "a@x.test",
        "key": TESTRAIL,
        "project": 4,
    }
    assert settings.connections[2].options["token"] == TESTMO


def test_a_variable_named_in_the_file_may_be_a_file_too(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(TESTRAIL)
    env = with_toml(tmp_path, WEB, WEB_KEY_FILE=str(tmp_path / "key"))
    del env["WEB_KEY"]
    assert read_settings(env).connections[0].options["key"] == TESTRAIL


@pytest.mark.parametrize(
    ("toml", "told"),
    [
        ("[connections", "rundown.toml is not TOML: "),
        ("[connections.web]\n[connections.web]", "rundown.toml is not TOML: "),
        ("connections = 5", "connections: expected tables such as [connections.web]"),
        ("[connections]\nweb = 5", "[connections.web]: expected a table"),
        ("[conections.web]", "conections: is not a setting"),
        ("[connections.web]\nurl = 'https://x.test'", "[connections.web] system: not set; expected one of testmo, "),
        ("[connections.web]\nsystem = 'jira'", "[connections.web] system: “jira”; expected one of testmo, testrail, "),
        ("[connections.web]\nsystem = ['testrail']", "[connections.web] system: “['testrail']”; expected one of"),
        (WEB.replace("web", "Web Shop", 1).replace("Web Shop", '"Web Shop"'), "expected a short name people can type"),
        (WEB.replace("web", "w", 1), "expected a short name people can type: 2 to 31"),
        (WEB.replace("web", "all", 1), "[connections.all]: all means something else in commands"),
        (WEB.replace("web", "last", 1), "[connections.last]: last means something else in commands"),
        (WEB + "usr = 'x'", "[connections.web] usr: is not a setting; did you mean user?"),
        (WEB + "zzzzzz = 'x'", "[connections.web] zzzzzz: is not a setting"),
        (WEB + "per_minute = 0", "per_minute: “0”; expected a whole number from 1 to 100000"),
        (WEB + "per_minute = '9'", "per_minute: “9”; expected a whole number"),
        (WEB + "per_minute = true", "per_minute: “True”; expected a whole number"),
        (WEB + "project = 'x'", "[connections.web] project: “x”; expected the number"),
        (WEB + "project = 1.5", "[connections.web] project: “1.5”; expected the number"),
        (WEB + "project = true", "[connections.web] project: “True”; expected the number"),
        (WEB.replace('"https://x.test"', "5"), "[connections.web] url: “5” is no text; expected the address"),
        (WEB.replace('"https://x.test"', '"x.test"'), "[connections.web] url: is not a web address"),
        (WEB.replace('"https://x.test"', '" "'), "[connections.web] url: not set; expected the address"),
        (WEB.replace('user = "a@x.test"', "user = ['a']"), "[connections.web] user: “['a']” is no text; expected"),
        (WEB.replace('user = "a@x.test"', ""), "[connections.web] user: not set; expected the email address"),
        (WEB.replace('key_env = "WEB_KEY"', ""), "[connections.web] key_env: not set; expected the variable that"),
        (WEB.replace("key_env", "key"), "[connections.web] key: secrets stay in the environment; use key_env"),
        (WEB.replace('"WEB_KEY"', '"NO_SUCH_KEY"'), "NO_SUCH_KEY: not set; expected an API key of that account"),
        (WEB.replace('"WEB_KEY"', f'"{TESTRAIL}"'), "[connections.web] key_env: there is no such variable"),
        (WEB.replace('"WEB_KEY"', '"c4n4ry"'), "[connections.web] key_env: there is no such variable"),
        (WEB.replace('"WEB_KEY"', "5"), "[connections.web] key_env: expected the name of the variable that holds"),
        (WEB.replace('"WEB_KEY"', '""'), "[connections.web] key_env: expected the name of the variable that holds"),
        (WEB.replace('key_env = "WEB_KEY"', "key_file = 5"), "key_file: expected the path of the file that holds"),
        (WEB.replace('key_env = "WEB_KEY"', "key_file = '/no/such'"), "key_file: can't be read (FileNotFoundError)"),
    ],
)
def test_what_is_wrong_in_the_file_is_said_with_its_place(tmp_path: Path, toml: str, told: str) -> None:
    (complaint,) = complaints(with_toml(tmp_path, toml))
    assert told in complaint
    assert str(tmp_path) in complaint or complaint.startswith("NO_SUCH_KEY")


UAT_TOML = """
[connections.uat]
system = "practitest"
url = "https://api.x.test/api/v2"
token_env = "WEB_KEY"
"""


@pytest.mark.parametrize(
    ("toml", "field", "value"),
    [
        ("mark_field = 45911", "45911", "Completed"),
        ("mark_field = '---f-45911'\nmark_value = 'Done'", "---f-45911", "Done"),
        ("mark_field = ''", None, "Completed"),
    ],
)
def test_the_field_that_marks_a_test_set_may_be_a_number_in_the_file(
    tmp_path: Path, toml: str, field: str | None, value: str
) -> None:
    (connection,) = read_settings(with_toml(tmp_path, UAT_TOML + toml)).connections
    assert (connection.options["mark_field"], connection.options["mark_value"]) == (field, value)


@pytest.mark.parametrize(
    ("toml", "told"),
    [
        (
            "mark_field = 'Sign-off'",
            "[connections.uat] mark_field: “Sign-off”; expected the number of the custom field",
        ),
        ("mark_field = 0", "[connections.uat] mark_field: “0”; expected the number"),
        ("mark_field = true", "[connections.uat] mark_field: “True” is no text; expected the number"),
        (
            "mark_value = 'Done'",
            "[connections.uat] mark_value: means nothing alone; expected ",
        ),
        ("mark_field = 5\nmark_value = 5", "[connections.uat] mark_value: “5” is no text"),
    ],
)
def test_what_is_wrong_with_the_mark_of_a_test_set_is_said(tmp_path: Path, toml: str, told: str) -> None:
    (complaint,) = complaints(with_toml(tmp_path, UAT_TOML + toml))
    assert told in complaint


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (
            {"PRACTITEST_MARK_VALUE": "Done"},
            "PRACTITEST_MARK_VALUE: means nothing alone; expected PRACTITEST_MARK_FIELD beside it",
        ),
        (
            {"PRACTITEST_MARK_FIELD": "---f-x"},
            "PRACTITEST_MARK_FIELD: “---f-x”; expected the number of the custom field",
        ),
        (
            {"PRACTITEST_MARK_FEILD": "5"},
            "PRACTITEST_MARK_FEILD: is not a setting; did you mean PRACTITEST_MARK_FIELD?",
        ),
    ],
)
def test_what_is_wrong_with_the_variables_of_the_mark_is_said(more: dict[str, str], told: str) -> None:
    (complaint,) = complaints({**SOCKET, **UAT, **more})
    assert complaint.startswith(told)


def test_a_name_that_is_there_twice_is_one_complaint(tmp_path: Path) -> None:
    (complaint,) = complaints(with_toml(tmp_path, WEB.replace("web", "testmo", 1), **ONE))
    assert complaint.startswith("connections.testmo: is there twice")


def test_an_empty_file_leaves_the_environment_as_it_is(tmp_path: Path) -> None:
    assert read_settings(with_toml(tmp_path, "", **ONE)).connections == read_settings(LEAST).connections


@pytest.mark.parametrize("name", ["web", "ab", "a-b_c", "w2", "status", "in", "lasts", "a" * 31])
def test_connections_have_names_that_commands_can_use(tmp_path: Path, name: str) -> None:
    (connection,) = read_settings(with_toml(tmp_path, WEB.replace("web", name, 1))).connections
    command = Grammar().parse(f"show {connection.name}:R118", now=NOW)
    assert command.refs == (NamedRef(name, "R", 118),)


@pytest.mark.parametrize(
    ("address", "fine"),
    [
        ("https://acme.testmo.net", True),
        ("http://127.0.0.1:8080/sub/path/", True),
        ("HTTPS://X.TEST", True),
        ("https://[::1]:80", True),
        ("https://yourself.test", True),
        ("", False),
        ("ftp://x.test", False),
        ("//x.test", False),
        ("https://", False),
        ("https://x.test:0", False),
        ("https://x.test:99999", False),
        ("https://[::1", False),
        ("https://x.test/a b", False),
        ("https://<host>", False),
        ("https://x.test/#top", False),
        ("https://x.test/index.php?/dashboard", False),
        ("https://u:p@x.test", False),
        ("https://u@x.test", False),
        ("javascript:alert(1)", False),
        ("https://yourcompany.testrail.io", False),
    ],
)
def test_an_address_is_that_of_a_server(address: str, fine: bool) -> None:
    assert (url_problem(address) == "") is fine
