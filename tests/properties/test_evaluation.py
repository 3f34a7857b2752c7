"""What no labels and no predictions may break."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from dataengine.config import EvaluateConfig
from dataengine.evaluate import Evaluation, evaluate
from dataengine.frameboxes import FrameBoxes
from tests.evaluate.scenes import CLASSES, TAXONOMY, frames_table, scene

seeds = st.integers(0, 10_000)
quick = settings(max_examples=25, deadline=None)


def judged(truth: FrameBoxes, predictions: FrameBoxes, order: np.ndarray | None = None) -> Evaluation:
    frames = frames_table(truth.num_frames)
    if order is not None:
        truth, predictions, frames = truth.take(order), predictions.take(order), frames.take(order)
    return evaluate(
        truth,
        predictions,
        frames,
        taxonomy=TAXONOMY,
        config=EvaluateConfig(bootstrap=0),
        split="val",
        rng=np.random.default_rng(0),
    )


@quick
@given(seeds)
def test_figures_stay_in_their_ranges(seed: int) -> None:
    for measure in judged(*scene(seed, 12)).measures:
        if measure.metric in {"map50_95", "ap50"}:
            assert np.isnan(measure.value) or 0 <= measure.value <= 1 + 1e-12
        else:
            assert np.isnan(measure.value) or measure.value >= 0


@quick
@given(seeds, st.integers(0, 99))
def test_the_order_of_frames_does_not_matter(seed: int, order: int) -> None:
    """Scores are all different here; equal scores stand in the order of their frames, as in COCO."""
    truth, predictions = scene(seed, 12)
    plain = judged(truth, predictions)
    mixed = judged(truth, predictions, np.random.default_rng(order).permutation(12))
    values = [[(m.slice, m.metric, round(m.value, 9)) for m in found.measures] for found in (plain, mixed)]
    assert repr(sorted(values[0])) == repr(sorted(values[1]))


@quick
@given(seeds)
def test_a_worse_box_never_helps(seed: int) -> None:
    """Predictions below all others that hit nothing change no AP; above all others they never raise it."""
    truth, predictions = scene(seed, 10)
    for low, high in ((0.0, True), (1.0, False)):
        noise = FrameBoxes.build(
            predictions.frame_ids,
            predictions.counts + 1,
            np.insert(predictions.xyxy, predictions.offsets[1:], [900, 900, 910, 910], axis=0),
            np.insert(predictions.class_id, predictions.offsets[1:], 0),
            score=np.insert(predictions.score, predictions.offsets[1:], low),
        )
        before, after = judged(truth, predictions), judged(truth, noise)
        for name in ("all", *(f"class:{name}" for name in CLASSES)):
            old, new = before.value(name, "map50_95"), after.value(name, "map50_95")
            if high:
                np.testing.assert_allclose(new, old, atol=1e-12)
            else:
                assert np.isnan(old) or new <= old + 1e-12


@quick
@given(seeds)
def test_marking_what_was_missed_as_ignore_never_hurts(seed: int) -> None:
    truth, predictions = scene(seed, 10, ignore=0.0)
    plain = judged(truth, predictions)
    found = {(r["frame_id"], r["truth_box"]) for r in plain.mistakes.to_pylist() if r["kind"] == "missed"}
    number = np.arange(truth.num_boxes) - truth.offsets[truth.frame_index]
    missed = np.array(
        [(truth.frame_ids[f], n) in found for f, n in zip(truth.frame_index, number, strict=True)], bool
    )
    excused = FrameBoxes.build(truth.frame_ids, truth.counts, truth.xyxy, truth.class_id, ignore=missed)
    after = judged(excused, predictions)
    assert sum(after.errors["missed"].to_pylist()) <= sum(plain.errors["missed"].to_pylist())
    assert after.value("all", "false_alarms_per_frame") <= plain.value("all", "false_alarms_per_frame")
