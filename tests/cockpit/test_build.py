"""The dataset that a sync writes, and what a second sync leaves alone."""

from __future__ import annotations

import shutil
from typing import Any

import numpy as np
import pytest

from dataengine import cockpit, files
from dataengine.cockpit import views
from dataengine.frameboxes import FrameBoxes, Predictions
from dataengine.lake import read_parquet, write_parquet
from dataengine.workspace import Workspace

pytestmark = pytest.mark.mongo


@pytest.fixture
def dataset(fo: Any, workspace: Workspace) -> Any:
    return fo.load_dataset(cockpit.sync(workspace, workspace.runs()))


def by_frame(dataset: Any, field: str) -> dict[str, Any]:
    return dict(zip(*dataset.values(["frame_id", field]), strict=True))


def again(workspace: Workspace, dataset: Any) -> None:
    assert cockpit.sync(workspace, workspace.runs()) == dataset.name
    dataset.reload()


def snapshot(dataset: Any) -> list[Any]:
    return list(dataset._sample_collection.find().sort("frame_id"))


def test_every_frame_is_there_once_with_its_facts(dataset: Any, workspace: Workspace) -> None:
    frames = workspace.frames()
    assert dataset.persistent
    assert dataset.values("frame_id") == frames["frame_id"].to_pylist()
    assert dataset.values("split") == frames["split"].to_pylist()
    assert dataset.values("filepath") == [str(p.resolve()) for p in workspace.image_paths(frames)]
    assert dataset.values("speed_mps") == frames["speed_mps"].to_pylist()
    assert dataset.values("acceleration_mps2") == [None] * len(dataset)  # the recording has none
    assert dataset.count_values("time_of_day") == {"night": 24, "day": 40}
    assert dataset.first().metadata.width == 96


def test_truth_is_shown_where_it_was_bought_and_nowhere_else_in_the_pool(
    dataset: Any, workspace: Workspace
) -> None:
    bought = {
        frame_id
        for run in workspace.runs()
        for frame_id in read_parquet(run.cycle(1) / "labels.parquet")["frame_id"].to_pylist()
    }
    judged = set(workspace.frames("val", "test", "test_balanced")["frame_id"].to_pylist())
    shown = {frame_id for frame_id, truth in by_frame(dataset, "ground_truth").items() if truth is not None}
    assert shown == bought | judged
    assert bought < set(workspace.frames("pool")["frame_id"].to_pylist())
    truth = workspace.lake.truth(sorted(shown))
    counts = {
        frame_id: len(value.detections)
        for frame_id, value in by_frame(dataset, "ground_truth").items()
        if value
    }
    assert counts == dict(zip(truth.frame_ids, truth.counts.tolist(), strict=True))


def test_tags_and_picks_say_when_and_why_a_frame_was_bought(dataset: Any, workspace: Workspace) -> None:
    run = next(run for run in workspace.runs() if run.arm == "class_balanced")
    picked = read_parquet(run.cycle(1) / "selection.parquet").to_pylist()
    view = dataset.load_saved_view("mined in cycle 1 (class_balanced)")
    assert view.values("frame_id") == [row["frame_id"] for row in picked]
    assert view.values("pick_class_balanced.reason") == [row["reason"] for row in picked]
    assert view.values("pick_class_balanced.trigger") == ["class_balanced"] * 8
    for sample in view:
        assert {"pool", "labelled", "mined-c1"} <= set(sample.tags)
    assert set(dataset.match_tags("pool").values("split")) == {"pool"}
    assert set(view.values("status")) == {"mined-c1"}


def test_predictions_carry_the_kind_of_mistake_and_weak_ones_are_left_out(
    dataset: Any, workspace: Workspace
) -> None:
    run = next(run for run in workspace.runs() if run.arm == "random")
    boxes = Predictions.from_table(read_parquet(run.cycle(1) / "predictions.parquet"), 5).boxes
    mistakes = read_parquet(run.cycle(1) / "mistakes.parquet").to_pylist()
    wrong = {(row["frame_id"], row["predicted_box"]) for row in mistakes if row["predicted_box"] >= 0}
    number = np.arange(boxes.num_boxes) - np.repeat(boxes.offsets[:-1], boxes.counts)
    keys = list(zip(boxes.frame_ids[boxes.frame_index], number.tolist(), strict=True))
    expected = sum(key in wrong or score >= 0.2 for key, score in zip(keys, boxes.score, strict=True))
    assert dataset.count("predictions_random_c1.detections") == expected
    kinds = dataset.count_values("predictions_random_c1.detections.mistake")
    assert kinds["false_alarm"] == sum(row["kind"] == "false_alarm" for row in mistakes)
    truth = dataset.count_values("ground_truth.detections.mistake_random")
    assert truth["missed"] == sum(row["kind"] == "missed" for row in mistakes)


def test_error_counts_are_those_of_the_last_cycle(dataset: Any, workspace: Workspace) -> None:
    run = next(run for run in workspace.runs() if run.arm == "random")
    errors = {
        row["frame_id"]: row["missed"] for row in read_parquet(run.cycle(1) / "errors.parquet").to_pylist()
    }
    shown = by_frame(dataset, "errors_random.missed")
    assert {frame_id: count for frame_id, count in shown.items() if count is not None} == errors


def test_a_second_sync_changes_no_sample(dataset: Any, workspace: Workspace) -> None:
    before = snapshot(dataset)
    again(workspace, dataset)
    assert snapshot(dataset) == before


def test_new_frames_and_a_new_cycle_are_added_in_place(fo: Any, workspace: Workspace) -> None:
    hidden = workspace.root / "later"
    for run in workspace.runs():
        shutil.move(run.cycle(1), hidden / run.run_id)
    frames = workspace.lake.read("frames")
    (part,) = workspace.lake.parts("frames")
    write_parquet(part, frames.slice(0, 60))
    dataset = fo.load_dataset(cockpit.sync(workspace, workspace.runs()))
    identities = by_frame(dataset, "id")
    assert len(identities) == 60
    assert not dataset.has_field("predictions_random_c1")
    write_parquet(part, frames)
    for run in workspace.runs():
        shutil.move(hidden / run.run_id, run.cycle(1))
    again(workspace, dataset)
    after = by_frame(dataset, "id")
    assert len(after) == 64
    assert identities.items() <= after.items()
    assert dataset.count("predictions_random_c1.detections")
    assert len(dataset.match_tags("mined-c1")) > 0
    everything = fo.load_dataset(dataset.name).count("ground_truth.detections")
    dataset.delete()
    rebuilt = fo.load_dataset(cockpit.sync(workspace, workspace.runs()))
    assert rebuilt.count("ground_truth.detections") == everything


def test_what_people_added_survives_every_sync(dataset: Any, workspace: Workspace, fo: Any) -> None:
    sample = dataset[dataset.match_tags("labelled").first().id]
    sample.tags.append("reject")
    sample.tags.append("ask Ana")
    sample["note"] = "sun in the lens"
    sample.save()
    dataset.save_view("my view", dataset.match_tags("ask Ana"))
    dataset.save_view("labelled frames of mine", dataset.limit(3))
    dataset.app_config.dynamic_groups_target_frame_rate = 7
    dataset.save()
    settings = workspace.runs()[0].folder / "cycles/1/selection.parquet"
    write_parquet(settings, read_parquet(settings).slice(0, 5))  # our own fields do change
    again(workspace, dataset)
    kept = dataset[sample.id]
    assert {"reject", "ask Ana", "pool", "labelled"} <= set(kept.tags)
    assert kept["note"] == "sun in the lens"
    assert len(dataset.load_saved_view("my view")) == 1
    assert "labelled frames of mine" in dataset.list_saved_views()
    assert dataset.app_config.dynamic_groups_target_frame_rate == 7


def test_a_view_of_a_person_with_our_name_is_not_overwritten(fo: Any, workspace: Workspace) -> None:
    name = cockpit.sync(workspace, [])
    dataset = fo.load_dataset(name)
    theirs = "seed set (random)"
    dataset.save_view(theirs, dataset.limit(3))
    again(workspace, dataset)
    assert len(dataset.load_saved_view(theirs)) == 3
    assert len(dataset.load_saved_view(f"{theirs} (dataengine)")) == 8


def test_fields_and_views_without_a_run_are_removed(dataset: Any, workspace: Workspace) -> None:
    assert dataset.has_field("predictions_random_c0")
    kept = [run for run in workspace.runs() if run.arm == "class_balanced"]
    cockpit.sync(workspace, kept)
    dataset.reload()
    assert not [name for name in dataset.get_field_schema() if "random" in name]
    assert not [name for name in dataset.list_saved_views() if "random" in name]
    assert dataset.has_field("predictions_class_balanced_c1")


def test_only_the_newest_run_of_an_arm_is_shown(dataset: Any, workspace: Workspace) -> None:
    import os

    old = next(run for run in workspace.runs() if run.arm == "random")
    newer = shutil.copytree(old.folder, old.folder.with_name("random-s1-def456"))
    settings = (newer / "config.yaml").read_text().replace("seed: 0", "seed: 1")
    (newer / "config.yaml").write_text(settings)
    shutil.rmtree(newer / "cycles/1")
    os.utime(newer / "cycles/0/selection.parquet", (2e9, 2e9))
    again(workspace, dataset)
    assert not dataset.has_field("predictions_random_c1")
    assert dataset.has_field("predictions_random_c0")


def test_a_moved_workspace_keeps_its_decisions_and_finds_its_images(
    dataset: Any, workspace: Workspace
) -> None:
    frame = dataset.first()
    frame.tags.append("reject")
    frame.save()
    moved = Workspace.open(workspace.root.rename(workspace.root.with_name("moved")))
    assert cockpit.sync(moved, moved.runs()) == dataset.name
    dataset.reload()
    assert {path.split("/media/")[0] for path in dataset.values("filepath")} == {str(moved.root.resolve())}
    assert cockpit.pull_decisions(moved).rejected == (frame.frame_id,)


def test_somebody_elses_dataset_of_that_name_is_left_alone(fo: Any, workspace: Workspace) -> None:
    from dataengine.cockpit import record
    from dataengine.errors import ServiceError

    theirs = fo.Dataset(record.fresh_name(workspace.root), persistent=True)
    theirs.add_sample(fo.Sample(filepath="/tmp/theirs.jpg"))
    with pytest.raises(ServiceError, match="was not written by dataengine"):
        cockpit.sync(workspace, workspace.runs())
    assert len(theirs) == 1


def test_a_workspace_without_runs_shows_its_frames(fo: Any, workspace: Workspace) -> None:
    dataset = fo.load_dataset(cockpit.sync(workspace, []))
    assert len(dataset) == 64
    assert dataset.count("ground_truth.detections") > 0
    assert views.CLIPS in dataset.list_saved_views()


def test_clips_play_in_time_order(dataset: Any) -> None:
    view = dataset.load_saved_view(views.CLIPS)
    assert len(view) == 16
    group = view.get_dynamic_group("clip002")
    assert group.values("frame_number") == [0, 1, 2, 3]
    assert any("clip_id" in str(index) for index in dataset.get_index_information())


def test_saved_views_answer_their_question(dataset: Any) -> None:
    worst = dataset.load_saved_view("worst misses on val (class_balanced)")
    missed = worst.values("errors_class_balanced.missed")
    assert missed == sorted(missed, reverse=True)
    assert min(missed) > 0
    assert set(worst.values("split")) == {"val"}
    assert set(dataset.load_saved_view("night misses (random)").values("time_of_day")) == {"night"}
    assert views.highlights(dataset) == [
        "mined in cycle 1 (class_balanced)",
        "worst misses on val (class_balanced)",
        "night misses (class_balanced)",
        views.CLIPS,
    ]


def test_a_frame_whose_labels_were_dropped_loses_its_truth(dataset: Any, workspace: Workspace) -> None:
    victim = dataset.match_tags("labelled").first().frame_id
    for run in workspace.runs():
        path = run.cycle(1) / "labels.parquet"
        labels = FrameBoxes.from_table(read_parquet(path))
        write_parquet(path, labels.select([f for f in labels.frame_ids if f != victim]).to_table())
    again(workspace, dataset)
    sample = dataset.one(dataset_field("frame_id") == victim)
    assert sample.ground_truth is None
    assert "labelled" not in sample.tags


def dataset_field(name: str) -> Any:
    from fiftyone import ViewField

    return ViewField(name)


def test_decisions_frozen_into_a_run_come_back_when_the_database_is_lost(
    fo: Any, workspace: Workspace
) -> None:
    run = workspace.runs()[0]
    labels = FrameBoxes.from_table(read_parquet(run.cycle(1) / "labels.parquet"))
    chosen = next(i for i in range(labels.num_frames) if labels.counts[i])
    corrected = labels.take([chosen])
    corrected = FrameBoxes.build(corrected.frame_ids, [1], [[1, 2, 30, 40]], [2])
    write_parquet(run.cycle(1) / "corrected.parquet", corrected.to_table())
    files.write_json(run.cycle(1) / "rejected.json", ["clip000/000002"])
    cockpit.sync(workspace, workspace.runs())
    decisions = cockpit.pull_decisions(workspace)
    assert decisions.rejected == ("clip000/000002",)
    assert decisions.corrected.frame_ids.tolist() == corrected.frame_ids.tolist()
    np.testing.assert_allclose(decisions.corrected.xyxy, [[1, 2, 30, 40]], atol=1e-3)
