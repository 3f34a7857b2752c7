"""The doctor: a line for each thing, and an error only for what the default run needs."""

from __future__ import annotations

from pathlib import Path

import pytest

from dataengine import doctor
from dataengine.doctor import Finding
from dataengine.errors import ServiceError


def test_this_machine_is_fit_for_the_default_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    findings = doctor.report(tmp_path)
    said = capsys.readouterr().out
    for finding in findings:
        assert finding.what in said
        assert finding.works or finding.remedy or not finding.required


def test_what_is_required_and_fails_is_an_error_with_its_remedy(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = Finding(what="Disk", works=False, detail="0.1 GB free", remedy="free some space")
    optional = Finding(what="GPU", works=False, detail="none", required=False)
    monkeypatch.setattr(doctor, "examine", lambda folder: iter([optional, broken]))
    with pytest.raises(ServiceError, match="Disk"):
        doctor.report(tmp_path)
    said = capsys.readouterr().out
    assert "free some space" in said
    assert "no    GPU" in said


def test_a_full_disk_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "LEAST_DISK_GB", 1e9)
    finding = list(doctor.examine(tmp_path / "not" / "there"))[-1]
    assert (finding.what, finding.works) == ("Disk", False)
    assert "workspace=PATH" in finding.remedy
