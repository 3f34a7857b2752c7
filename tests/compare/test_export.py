"""A comparison on disk."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from dataengine.compare import export
from dataengine.compare.tables import PICKS, Comparison
from dataengine.errors import InputError
from tests.compare.fleet import World, cells_table, compared, curves
from tests.compare.test_purchases import pick


@pytest.fixture(scope="module")
def comparison() -> Comparison:
    world = World(gain=0.1, arms={"random": 0, "random@2": 0, "auto": 0.8, "oracle": 1})
    picks = pa.Table.from_pylist([pick(arm, f) for arm in ("random", "auto") for f in ("a1", "b1")], PICKS)
    return compared(*world.draw(np.random.default_rng(1)), picks, name="toy", arms=["auto", "oracle"])


def test_what_is_written_is_read_again(comparison: Comparison, tmp_path: Path) -> None:
    written = export.write(comparison, tmp_path)
    assert all(path.is_file() and path.parent == tmp_path / "tables" for path in written)
    again = export.read(tmp_path)
    for name in ("name", "baseline", "arms", "trials", "classes", "tail", "confidence", "headline", "notes"):
        assert getattr(again, name) == getattr(comparison, name)
    assert again.settings == comparison.settings
    assert again.tables.keys() == comparison.tables.keys()
    for name, table in comparison.tables.items():
        assert again.tables[name].schema == table.schema
        assert repr(again.tables[name].to_pylist()) == repr(table.to_pylist())


def test_the_same_comparison_gives_the_same_bytes(comparison: Comparison, tmp_path: Path) -> None:
    first, second = (export.write(comparison, tmp_path / name) for name in ("one", "two"))
    for one, other in zip(first, second, strict=True):
        assert one.read_bytes() == other.read_bytes()


def test_a_csv_is_a_comment_a_head_and_rounded_rows(comparison: Comparison, tmp_path: Path) -> None:
    export.write(comparison, tmp_path)
    lines = (tmp_path / "tables" / "differences.csv").read_text(encoding="utf-8").splitlines()
    assert lines[0].startswith("# toy: arm minus baseline, paired by seed;")
    rows = list(csv.DictReader(lines[1:]))
    assert list(rows[0]) == comparison.table("differences").column_names
    assert len(rows) == comparison.table("differences").num_rows
    assert all(len(row["value"].partition(".")[2]) <= 4 for row in rows)


def test_what_is_not_a_number_is_an_empty_field() -> None:
    table = pa.table({"a": [math.nan, 0.123456, 100.0], "b": [1, 2, 3]})
    assert export.to_csv(table, "note") == "# note\na,b\n,1\n0.1235,2\n100,3\n"


def test_a_table_without_rows_has_no_csv(tmp_path: Path) -> None:
    export.write(compared(cells_table(curves(random=[[0.2, 0.3]], auto=[[0.2, 0.3]]))), tmp_path)
    assert not (tmp_path / "tables" / "purchases.csv").exists()
    assert (tmp_path / "tables" / "purchases.parquet").exists()


def test_no_comparison_here(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no comparison is here; make one with `dataengine compare`"):
        export.read(tmp_path)


def test_the_page_of_evidence(comparison: Comparison, tmp_path: Path) -> None:
    export.write(comparison, tmp_path, command="dataengine compare experiment=toy")
    page = (tmp_path / "tables" / "evidence.md").read_text(encoding="utf-8")
    assert page.startswith(f"# toy\n\n{comparison.headline}\n\n```\ndataengine compare experiment=toy\n```\n")
    assert "## tail AP50, natural test" in page
    assert "balanced" not in page.replace("class_balanced", "")  # it was not measured
    for title in (
        "value at mean frames",
        "minus `random`",
        "saved at `random`'s final",
        "share of the oracle's gain",
        "bought a cycle",
    ):
        assert f"| {title}" in page
    (curve,) = [r for r in comparison.table("curves").to_pylist() if (r["arm"], r["cycle"]) == ("auto", 2)]
    assert f"{curve['value']:.3f} ({curve['lower']:.3f} to {curve['upper']:.3f}) at 300" in page
    for note in comparison.notes:
        assert f"* {note}" in page


def test_every_row_of_a_table_of_evidence_has_its_columns(comparison: Comparison, tmp_path: Path) -> None:
    export.write(comparison, tmp_path)
    page = (tmp_path / "tables" / "evidence.md").read_text(encoding="utf-8")
    tables = [block.splitlines() for block in page.split("\n\n") if block.startswith("|")]
    assert len(tables) == 6
    for lines in tables:
        assert len({line.count("|") for line in lines}) == 1


def test_evidence_says_not_reached(tmp_path: Path) -> None:
    values = curves(random=[[0.2, 0.3, 0.4]], auto=[[0.2, 0.3, 0.35]], all_labels=[[0.2, 0.9]])
    export.write(compared(cells_table(values), arms=["auto", "all_labels"]), tmp_path)
    page = (tmp_path / "tables" / "evidence.md").read_text(encoding="utf-8")
    assert "| `auto` | not reached | not reached | not reached | 0% of 1 |" in page
    assert "| `random` | not reached | not reached | not reached | 0% of 1 |" in page  # 95% of the ceiling
    assert "nan" not in page


def test_evidence_by_class_counts_the_objects(tmp_path: Path) -> None:
    values = curves(random=[[0.2, 0.3]], auto=[[0.2, 0.4]])
    objects = dict.fromkeys(values, 41.0)
    cells = [
        cells_table(values, slice_name="class:cone"),
        cells_table(objects, slice_name="class:cone", metric="num_objects"),
    ]
    export.write(compared(pa.concat_tables(cells)), tmp_path)
    page = (tmp_path / "tables" / "evidence.md").read_text(encoding="utf-8")
    assert "## Classes, natural test" in page
    assert "| AP50 at cycle 1 | car | cone (41 objects) |" in page
    assert "| `auto` |  | 0.400 |" in page


def test_evidence_says_which_arms_ran_in_few_seeds(tmp_path: Path) -> None:
    nothing = [math.nan] * 2
    values = curves(
        random=[[0.2, 0.3], [0.2, 0.4]], auto=[[0.2, 0.3], [0.2, 0.4]], cald=[[0.2, 0.3], nothing]
    )
    known = {key: value for key, value in values.items() if not math.isnan(value)}
    export.write(compared(cells_table(known)), tmp_path)
    page = (tmp_path / "tables" / "evidence.md").read_text(encoding="utf-8")
    assert "| `auto` |" in page
    assert "| `cald`, 1 of 2 seeds |" in page
    assert "| `cald` |" not in page


def test_evidence_of_nothing(tmp_path: Path) -> None:
    export.write(compared(cells_table({})), tmp_path)
    assert export.read(tmp_path).arms == ()
