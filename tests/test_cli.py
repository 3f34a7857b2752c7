"""The command line: fast help, one line for a mistake, the promised exit codes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from dataengine import cli

MISTAKES = [
    # what was typed, what the one line must name
    (["train.stepz=3"], ["train.stepz", "train.steps"]),
    (["train.steps=abc"], ["train.steps", "abc"]),
    (["train.steps=0"], ["train.steps=0", "1.."]),
    (["mine=class_balancd"], ["class_balancd", "class_balanced"]),
    (["dataset=nosuch"], ["dataset=nosuch", "camvid"]),
    (["mine.budget.unit=kg"], ["kg", "frames"]),
    (["foo=bar"], ["foo"]),
    (["mien"], ["mien", "mine"]),
    (["seed=-1"], ["seed=-1"]),
    (["mine.budget.amount=-3"], ["mine.budget.amount"]),
    (["mine=[a"], ["[a"]),
    (["dataset.world.weather_rates.fog=0.9"], ["weather_rates", "1.84"]),
    (["-m", "seed=-1,2"], ["seed=-1"]),
]


@pytest.mark.parametrize(("typed", "named"), MISTAKES, ids=" ".join)
def test_a_mistake_is_one_line_and_exit_code_2(
    typed: list[str],
    named: list[str],
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as caught:
        cli.main(typed)
    said = capsys.readouterr().err
    assert caught.value.code == 2
    assert len(said.strip().splitlines()) == 1
    for word in named:
        assert word in said


@pytest.mark.parametrize("verb", ["train", "evaluate", "mine", "label", "report", "app"])
def test_a_verb_without_a_workspace_says_what_to_run_first(
    verb: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main([verb, f"workspace={tmp_path}/none"])
    assert caught.value.code == 2
    assert "dataengine ingest" in capsys.readouterr().err


def test_a_workspace_of_another_dataset_is_named(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    from tests.factory import tiny_workspace

    tiny_workspace(tmp_path / "w")
    with pytest.raises(SystemExit):
        cli.main(["mine", f"workspace={tmp_path}/w", "dataset=camvid", "dataset.root=/nowhere"])
    assert "add dataset=simulated" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["uncertainty", "uncertainty__k_centre__class"])
def test_a_miner_is_chosen_by_its_name_with_or_without_a_file(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from dataengine import verbs
    from dataengine.config import Config

    asked: list[Config] = []
    monkeypatch.setattr(verbs, "run", lambda verb, config: asked.append(config))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as caught:
        cli.main(["mine", f"mine={name}"])
    assert not caught.value.code
    assert [config.mine.name for config in asked] == [name]


def test_help_lists_every_verb_and_loads_nothing_heavy() -> None:
    code = (
        "import sys; from dataengine import cli; cli.main(['--help'])\n"
        "heavy = {'torch', 'fiftyone', 'hydra', 'pyarrow', 'numpy', 'cv2'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    for verb in cli.VERBS:
        assert f"\n  {verb}" in done.stdout


def test_a_bug_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from dataengine import verbs

    def broken(verb: str, config: object) -> None:
        raise ZeroDivisionError(verb)

    monkeypatch.setattr(verbs, "run", broken)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ZeroDivisionError):
        cli.main(["report"])


def test_ctrl_c_is_130(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from dataengine import verbs

    def interrupted(verb: str, config: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(verbs, "run", interrupted)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as caught:
        cli.main(["report"])
    assert caught.value.code == 130
    assert "continues" in capsys.readouterr().err
