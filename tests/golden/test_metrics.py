"""A scene small enough to work out on paper, and its figures on file.

Cars, at IoU 0.5 (two labels in frame a): predictions by falling score are a hit, a false alarm, a hit.
Precision is 1 up to recall 1/2 and 2/3 from there on, so of COCO's 101 recall levels 0, 0.01 .. 0.50
read 1 and the 50 others 2/3: AP = (51 + 50 * 2/3) / 101 = 0.8349835. Both hits are exact, so every IoU
threshold says the same.

Trucks (one label in frame b): one prediction with IoU 0.82, a hit at 0.50, 0.55 .. 0.80 and not at
0.85, 0.90, 0.95: AP50 = 1, AP = 7/10.

Cyclists (one label in frame b): never predicted, AP = 0. In frame c a prediction in an ignore region
counts for nothing. At ``error_score`` 0.3: 3 hits, 1 missed, 1 false alarm in 3 frames.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from dataengine.config import EvaluateConfig
from dataengine.evaluate import Evaluation, evaluate
from dataengine.frameboxes import FrameBoxes
from tests.evaluate.scenes import TAXONOMY, frame_ids, frames_table

ON_FILE = Path(__file__).with_name("metrics.json")
CAR, TRUCK, CYCLIST = 0, 1, 2


def paper_scene() -> Evaluation:
    ids = frame_ids(3)
    truth = FrameBoxes.build(
        ids,
        [2, 2, 1],
        [[0, 0, 10, 10], [50, 50, 90, 90], [0, 0, 100, 100], [200, 0, 230, 30], [0, 0, 50, 50]],
        [CAR, CAR, TRUCK, CYCLIST, CAR],
        ignore=[False, False, False, False, True],
    )
    predictions = FrameBoxes.build(
        ids,
        [3, 1, 1],
        [[0, 0, 10, 10], [120, 0, 140, 20], [50, 50, 90, 90], [0, 0, 100, 82], [10, 10, 20, 20]],
        [CAR, CAR, CAR, TRUCK, CAR],
        score=[0.9, 0.8, 0.7, 0.6, 0.95],
    )
    return evaluate(
        truth,
        predictions,
        frames_table(3),
        taxonomy=TAXONOMY,
        config=EvaluateConfig(bootstrap=0),
        split="val",
        rng=np.random.default_rng(0),
    )


def test_the_paper_and_the_code_agree() -> None:
    found = paper_scene()
    car = (51 + 50 * 2 / 3) / 101
    for name, ap50, mean in (
        ("class:car", car, car),
        ("class:truck", 1.0, 0.7),
        ("class:cyclist", 0.0, 0.0),
        ("all", (car + 1) / 3, (car + 0.7) / 3),
        ("tail", 1 / 2, 0.7 / 2),
    ):
        assert found.value(name, "ap50") == pytest.approx(ap50, abs=1e-9)
        assert found.value(name, "map50_95") == pytest.approx(mean, abs=1e-9)
    assert found.value("all", "misses_per_frame") == pytest.approx(1 / 3)
    assert found.value("all", "false_alarms_per_frame") == pytest.approx(1 / 3)
    assert sum(found.errors["hits"].to_pylist()) == 3


def test_no_figure_moved() -> None:
    """A refactoring changes no number. ``python -m tests.golden.test_metrics`` writes the file anew."""
    wanted = {tuple(key.split("|")): value for key, value in json.loads(ON_FILE.read_text()).items()}
    found = {(m.slice, m.metric): m.value for m in paper_scene().measures}
    assert found.keys() == wanted.keys()
    for key, value in wanted.items():
        assert found[key] == pytest.approx(np.nan if value is None else value, nan_ok=True, abs=1e-9), key


if __name__ == "__main__":
    rows = {f"{m.slice}|{m.metric}": None if np.isnan(m.value) else m.value for m in paper_scene().measures}
    ON_FILE.write_text(json.dumps(rows, indent=1) + "\n")
