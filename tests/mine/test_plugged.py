"""A rule from another package is found, composed, identified by its source, and blamed for its mistakes."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from dataengine import mine, verbs
from dataengine.arm import run_of
from dataengine.compare import gather
from dataengine.compare.plan import trial
from dataengine.config import MineConfig
from dataengine.errors import ConfigError
from dataengine.workspace import Workspace
from tests.compare.tiny_compare import tiny_compare

PAGE = Path(__file__).parents[2] / "docs" / "own-arm.md"
EXAMPLE = re.search(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)[1]  # type: ignore[index]

Install = Callable[..., Path]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Lays a package out as pip does; returns the file of its module."""

    def lay_out(source: str = EXAMPLE, *, name: str = "crowds", module: str = "crowds") -> Path:
        site = tmp_path / "site"
        info = site / f"{module}-1.0.dist-info"
        info.mkdir(parents=True, exist_ok=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[dataengine.arms]\n{name} = {module}:CROWDS\n")
        (site / f"{module}.py").write_text(source)
        monkeypatch.syspath_prepend(site)
        monkeypatch.delitem(sys.modules, module, raising=False)
        return site / f"{module}.py"

    return lay_out


def test_the_documented_rule_is_an_arm_and_part_of_compositions(install: Install) -> None:
    install()
    assert "crowds" in mine.arm_names()
    assert mine.arm("crowds").needs == {mine.Need.predictions}
    assert mine.Need.predictions in mine.arm("crowds__k_centre__class").needs
    assert mine.Need.predictions in mine.arm("composed", MineConfig(score="crowds")).needs


def test_it_is_measured_in_a_comparison_and_named_by_its_source(install: Install, tmp_path: Path) -> None:
    module = install()
    config = tiny_compare(tmp_path / "c", arms=["crowds", "class_balanced"], seeds=[0], noise=False)
    found = verbs.compare(config)
    assert {"crowds", "class_balanced"} <= set(found.arms)
    (root,) = (tmp_path / "c" / "worlds").iterdir()
    runs = [run for run in Workspace.open(root).runs() if run.arm == "crowds"]
    picks = gather.gather(config, tmp_path / "c").picks.to_pylist()
    assert {row["trigger"] for row in picks if row["arm"] == "crowds"} == {"crowds"}
    module.write_text(EXAMPLE + "# another rule now\n")
    assert (
        run_of(Workspace.open(root), trial(config, tmp_path / "c", 0).config, "crowds").run_id
        != runs[0].run_id
    )
    assert "crowds" not in gather.gather(config, tmp_path / "c").arms


def test_cells_of_an_arm_that_is_gone_are_left_out(
    install: Install, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    module = install()
    config = tiny_compare(tmp_path / "c", arms=["crowds", "class_balanced"], seeds=[0], noise=False)
    verbs.compare(config)
    (module.parent / "crowds-1.0.dist-info" / "entry_points.txt").write_text("")
    assert set(gather.gather(config, tmp_path / "c").arms) == {"random", "class_balanced"}
    assert "the cells of arm crowds are left out: mine.name=crowds is not an arm" in capsys.readouterr().err


def test_ours_are_of_no_other_module(install: Install) -> None:
    install()
    for name in ("auto", "uncertainty__k_centre", "composed", "none__badge"):
        assert mine.rule_module(name, MineConfig()) == ""
    for name in ("crowds", "crowds__k_centre__class", "crowds__clips"):
        assert mine.rule_module(name, MineConfig()) == "crowds"
    assert mine.rule_module("composed", MineConfig(score="crowds")) == "crowds"


def test_a_name_of_ours_stays_ours(install: Install) -> None:
    before = mine.arm("uncertainty")
    install(name="uncertainty")
    assert mine.arm("uncertainty") is before
    assert mine.rule_module("uncertainty", MineConfig()) == ""


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("import nowhere_at_all\n", r"crowds:CROWDS does not load \(No module named 'nowhere"),
        ("CROWDS = = 3\n", "does not load"),
        ("x = 1\n", "does not load .*no attribute 'CROWDS'"),
        ("CROWDS = 3\n", "is int, and no Score or Arm"),
        (EXAMPLE.replace('name="crowds"', 'name="mobs"'), "calls itself mobs; give entry point and"),
    ],
)
@pytest.mark.parametrize("name", ["crowds", "crowds__k_centre"])
def test_a_package_that_is_broken_is_one_line_for_those_who_name_it(
    source: str, said: str, name: str, install: Install, tmp_path: Path
) -> None:
    install(source)
    assert mine.arm("auto").name == "auto"
    with pytest.raises(ConfigError, match=said):
        mine.arm(name)
    with pytest.raises(ConfigError, match=said):
        verbs.compare(tiny_compare(tmp_path / "c", arms=[name]))


def test_values_of_another_length_are_refused(install: Install, tmp_path: Path) -> None:
    install(EXAMPLE.replace("values=expected", "values=expected[:-1]"))
    config = tiny_compare(tmp_path / "c", arms=["crowds"], seeds=[0], noise=False)
    with pytest.raises(
        ConfigError, match=r"score crowds answers with \(\d+,\), where FrameScores of \(\d+,\)"
    ):
        verbs.compare(replace(config, compute=replace(config.compute, workers=1)))


def test_a_misspelt_name_is_told_the_installed_ones(install: Install) -> None:
    install()
    for misspelt in ("crowd", "crowd__k_centre"):
        with pytest.raises(ConfigError, match="did you mean crowds"):
            mine.arm(misspelt)
