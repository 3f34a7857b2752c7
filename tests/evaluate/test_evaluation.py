"""The sheet of figures as a whole."""

from __future__ import annotations

import numpy as np
import pytest

from dataengine.config import EvaluateConfig
from dataengine.evaluate import Evaluation, coco, evaluate
from dataengine.frameboxes import FrameBoxes
from dataengine.schema import Taxonomy
from tests.evaluate.scenes import CLASSES, TAXONOMY, frames_table, scene

CONFIG = EvaluateConfig(bootstrap=60)


def judged(truth: FrameBoxes, predictions: FrameBoxes, seed: int = 0, **changes: object) -> Evaluation:
    settings = {"taxonomy": TAXONOMY, "config": CONFIG, "split": "val", **changes}
    frames = settings.pop("frames", frames_table(truth.num_frames))
    return evaluate(truth, predictions, frames, rng=np.random.default_rng(seed), **settings)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def evaluation() -> Evaluation:
    return judged(*scene(7, 80))


def test_slices_and_metrics(evaluation: Evaluation) -> None:
    found: dict[str, set[str]] = {}
    for measure in evaluation.measures:
        assert measure.split == "val"
        assert measure.metric not in found.setdefault(measure.slice, set())
        found[measure.slice].add(measure.metric)
    plain = {"map50_95", "ap50", "num_objects", "num_frames", "misses_per_frame", "false_alarms_per_frame"}
    ends = {f"{name}_{end}" for name in ("map50_95", "ap50") for end in ("lower", "upper")}
    assert found == {
        **dict.fromkeys(["all", "tail", "weather:fog", "weather:snow"], plain | ends),
        **{f"class:{name}": plain | ends for name in CLASSES},
        **dict.fromkeys(["weather:clear", "time_of_day:day", "time_of_day:night"], plain),
        **{f"size:{name}": plain for name in ("small", "medium", "large")},
        **{f"drive:drive{number:02d}": {"ap50", "num_objects"} for number in range(10)},
    }


def test_headline_is_the_librarys(evaluation: Evaluation) -> None:
    figures = coco.average_precision(*scene(7, 80), len(CLASSES), list(coco.area_ranges(300, 2500).values()))
    assert evaluation.value("all", "map50_95") == pytest.approx(figures[0].mean())
    assert evaluation.value("all", "ap50") == pytest.approx(figures[0, 0].mean())
    assert evaluation.value("class:truck", "ap50") == pytest.approx(figures[0, 0, 1])
    assert evaluation.value("tail", "map50_95") == pytest.approx(figures[0, :, 1:].mean())
    assert evaluation.value("size:small", "map50_95") == pytest.approx(np.nanmean(figures[1]))


def test_a_condition_is_the_evaluation_of_its_frames(evaluation: Evaluation) -> None:
    truth, predictions = scene(7, 80)
    night = [index for index in range(80) if index % 3 == 0]
    figures = coco.average_precision(truth.take(night), predictions.take(night), 3, [(0, 1e10)])[0]
    assert evaluation.value("time_of_day:night", "map50_95") == pytest.approx(np.nanmean(figures))
    assert evaluation.value("time_of_day:night", "num_frames") == len(night)
    assert evaluation.value("time_of_day:night", "num_objects") == (~truth.take(night).ignore).sum()


def test_a_drive_is_the_evaluation_of_its_frames(evaluation: Evaluation) -> None:
    truth, predictions = scene(7, 80)
    drive = list(range(8, 16))
    figures = coco.average_precision(truth.take(drive), predictions.take(drive), 3, [(0, 1e10)])[0]
    assert evaluation.value("drive:drive01", "ap50") == pytest.approx(np.nanmean(figures[0]))
    assert evaluation.value("drive:drive01", "num_objects") == (~truth.take(drive).ignore).sum()


def test_errors_per_frame_add_up(evaluation: Evaluation) -> None:
    truth, _ = scene(7, 80)
    hits = sum(evaluation.errors["hits"].to_pylist())
    assert evaluation.value("all", "misses_per_frame") == ((~truth.ignore).sum() - hits) / 80
    alarms = sum(
        sum(evaluation.errors[kind].to_pylist()) for kind in ("false_alarm", "swapped_class", "bad_location")
    )
    assert evaluation.value("all", "false_alarms_per_frame") == alarms / 80
    for metric in ("misses_per_frame", "false_alarms_per_frame", "num_objects"):
        total = evaluation.value("all", metric)
        assert sum(evaluation.value(f"class:{name}", metric) for name in CLASSES) == pytest.approx(total)
        assert sum(
            evaluation.value(f"size:{s}", metric) for s in ("small", "medium", "large")
        ) == pytest.approx(total)


def test_intervals_hold_their_value(evaluation: Evaluation) -> None:
    for name in ("all", "tail", "class:car", "weather:fog"):
        for metric in ("map50_95", "ap50"):
            low, high = (evaluation.value(name, f"{metric}_{end}") for end in ("lower", "upper"))
            assert low < evaluation.value(name, metric) < high


def test_a_slice_without_objects_is_nan(evaluation: Evaluation) -> None:
    assert evaluation.value("weather:snow", "num_objects") == 0
    for metric in ("map50_95", "ap50", "ap50_lower", "misses_per_frame"):
        assert np.isnan(evaluation.value("weather:snow", metric))


def test_the_same_stream_gives_the_same_figures() -> None:
    first, again, other = (judged(*scene(7, 80), seed=seed) for seed in (3, 3, 4))
    assert repr(first.measures) == repr(again.measures)
    assert first.value("all", "ap50") == other.value("all", "ap50")
    assert first.value("all", "ap50_lower") != other.value("all", "ap50_lower")


def replicates(evaluation: Evaluation) -> dict[tuple[str, str], np.ndarray]:
    rows = evaluation.replicates.to_pylist()
    assert {row["split"] for row in rows} <= {evaluation.split}
    return {(row["slice"], row["metric"]): np.array(row["values"]) for row in rows}


def test_intervals_are_quantiles_of_the_replicates(evaluation: Evaluation) -> None:
    found = replicates(evaluation)
    names = ["all", *(f"class:{name}" for name in CLASSES), "tail", "weather:fog"]
    assert set(found) == {(name, metric) for name in names for metric in ("ap50", "map50_95")}
    for (name, metric), values in found.items():
        assert values.shape == (CONFIG.bootstrap,)
        for end, share in (("lower", 0.025), ("upper", 0.975)):
            assert evaluation.value(name, f"{metric}_{end}") == pytest.approx(np.nanquantile(values, share))


def test_replicates_of_two_models_are_of_the_same_drives() -> None:
    """One drive is found by the first model and not by the second: they differ only where it is drawn."""
    truth, predictions = scene(7, 80, ignore=0.0)
    silent = predictions.filter(~np.isin(predictions.frame_index, np.arange(8)))
    first, second = (replicates(judged(truth, p))["all", "ap50"] for p in (predictions, silent))
    same = first == second
    assert 0.2 < same.mean() < 0.55  # a drive of ten is missed by 35% of the resamples
    assert np.corrcoef(first, second)[0, 1] > 0.5


def test_one_drive_has_no_interval_and_no_replicates() -> None:
    found = judged(*scene(2, 16), frames=frames_table(16, ["only"] * 16))
    assert found.value("all", "ap50") > 0
    assert np.isnan(found.value("all", "ap50_lower"))
    assert found.replicates.num_rows == 0


def test_the_bootstrap_can_be_off() -> None:
    found = judged(*scene(2, 16), config=EvaluateConfig(bootstrap=0))
    assert not [measure for measure in found.measures if measure.metric.endswith(("_lower", "_upper"))]
    assert found.replicates.num_rows == 0


def test_a_taxonomy_without_a_tail_has_no_tail_slice() -> None:
    found = judged(*scene(2, 16), taxonomy=Taxonomy(classes=CLASSES))
    assert "tail" not in {measure.slice for measure in found.measures}


def test_a_perfect_model() -> None:
    truth, _ = scene(5, 16, ignore=0.0)
    found = judged(truth, truth)
    assert found.value("all", "map50_95") == pytest.approx(1.0)
    assert found.value("all", "misses_per_frame") == found.value("all", "false_alarms_per_frame") == 0
    assert found.mistakes.num_rows == 0
    assert sum(found.errors["hits"].to_pylist()) == truth.num_boxes


def test_a_silent_model() -> None:
    truth, predictions = scene(5, 16)
    found = judged(truth, predictions.filter(np.zeros(predictions.num_boxes, bool)))
    assert found.value("all", "map50_95") == 0
    assert found.value("all", "misses_per_frame") == (~truth.ignore).sum() / 16


def test_frames_without_any_object() -> None:
    _, predictions = scene(5, 16)
    found = judged(predictions.filter(np.zeros(predictions.num_boxes, bool)), predictions)
    assert np.isnan(found.value("all", "map50_95"))
    assert (
        found.value("all", "false_alarms_per_frame") == (predictions.score >= CONFIG.error_score).sum() / 16
    )


def test_no_frames_at_all() -> None:
    nothing = FrameBoxes.build([], [], [], [])
    found = judged(nothing, nothing, frames=frames_table(0))
    assert np.isnan(found.value("all", "map50_95"))
    assert found.value("all", "num_frames") == 0


def test_other_frames_or_another_order_are_refused() -> None:
    truth, predictions = scene(5, 16)
    with pytest.raises(ValueError, match="predictions and frames must hold the same frames"):
        judged(truth, predictions.take(np.arange(16)[::-1]))
    with pytest.raises(ValueError, match="truth and frames"):
        judged(truth.take([1, 0]), predictions.take([0, 1]), frames=frames_table(2))
