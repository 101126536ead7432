"""Typed lines and what they mean."""

from __future__ import annotations

import pytest

from bot.sandbox.demo import acts
from bot.sandbox.demo.acts import read_line


@pytest.mark.parametrize(
    ("line", "act"),
    [
        ("", acts.Nothing()),
        ("   ", acts.Nothing()),
        ("/runs", acts.Slash("/runs")),
        ("  /runs  show R118 ", acts.Slash("/runs", "show R118")),
        ("/RUNS list", acts.Slash("/runs", "list")),
        ("/ runs", acts.Say("/ runs")),
        ("@rundown", acts.Mention()),
        ("@Rundown, show A412", acts.Mention("show A412")),
        ("@rundowns are fun", acts.Say("@rundowns are fun")),
        ("hey @rundown show A412", acts.Say("hey @rundown show A412")),
        ("shall we ship?", acts.Say("shall we ship?")),
        ("1", acts.Press(1)),
        ("12.3", acts.Press(12, option=3)),
        ("4=2026-01-05", acts.Press(4, entered="2026-01-05")),
        ("4=", acts.Press(4, entered="")),
        ("1 more thing", acts.Say("1 more thing")),
        (":press 12", acts.Press(12)),
        (":press 12.3", acts.Press(12, option=3)),
        (":press Close R118", acts.Find("Close R118")),
        (":fill Name=Nightly = web", acts.Find("Name", "Nightly = web")),
        (":fill Files=@a.log", acts.Find("Files", "@a.log")),
        (":fill Name=", acts.Find("Name", "")),
        (":shortcut", acts.Menu()),
        (":shortcut Note", acts.Menu("note")),
        (":shortcut attach to a test run 3", acts.Menu("attach to a test run", 3)),
        (":as Tom", acts.Become("tom")),
        (":as @tom", acts.Become("tom")),
        (":in #checkout", acts.Enter("checkout")),
        (":in checkout", acts.Enter("checkout")),
        (":dm", acts.Enter()),
        (":thread", acts.Thread()),
        (":thread OFF", acts.Thread(on=False)),
        (":see", acts.See()),
        (":fail testrail", acts.Trouble("fail", "testrail")),
        (":slow Testmo", acts.Trouble("slow", "testmo")),
        (":heal", acts.Trouble("heal")),
        (":heal practitest", acts.Trouble("heal", "practitest")),
        (":help", acts.Help()),
        (":quit", acts.Quit()),
        (":q", acts.Quit()),
    ],
)
def test_a_line_means_an_act(line: str, act: acts.Act) -> None:
    assert read_line(line) == act


@pytest.mark.parametrize(
    ("line", "way_out"),
    [
        (":hepl", ":help"),
        (":xyzzy", ":help"),
        (":", ":help"),
        (":press", ":press 1"),
        (":fill Name", ":fill Name="),
        (":fill =x", ":fill Name="),
        (":shortcut 2", ":shortcut note"),
        (":shortcut note 0", ":shortcut note"),
        (":as", ":as tom"),
        (":in", ":in #checkout"),
        (":thread maybe", ":thread off"),
        (":fail", ":fail testrail"),
        (":fail tesmo", ":fail testmo"),
        (":slow jira", ":slow testrail"),
    ],
)
def test_what_is_not_understood_is_answered_with_a_way_out(line: str, way_out: str) -> None:
    act = read_line(line)
    assert isinstance(act, acts.Unknown)
    assert way_out in act.hint
