"""What people see while something slow goes on."""

from __future__ import annotations

import io
import sys

import pytest

from dataengine import progress


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_a_slow_bar_tells_minutes_each_and_left(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    moments = iter([0.0, 120.0, 360.0])
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(moments, 360.0))
    monkeypatch.setenv("COLUMNS", "120")
    with progress.slow_bar("compare", 10, "cells", done=4) as advance:
        advance(1)
        advance(1)
    assert "6/10" in screen.getvalue()
    assert "3.0 min each, 12 min left" in screen.getvalue()  # what was there before does not count


def test_without_a_terminal_bars_are_quiet(capsys: pytest.CaptureFixture[str]) -> None:
    with progress.slow_bar("compare", 3, "cells") as advance:
        advance(1)
    assert capsys.readouterr().err == ""


def test_a_hushed_process_says_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(progress, "_silent", False)
    monkeypatch.setattr(progress, "_hushed", False)
    progress.say("first")
    progress.hush()
    progress.say("second")
    assert capsys.readouterr().err == "first\n"
