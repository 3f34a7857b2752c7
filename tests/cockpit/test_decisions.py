"""What people change in FiftyOne, as it comes back."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from dataengine import cockpit
from dataengine.errors import InputError
from dataengine.workspace import Workspace

pytestmark = pytest.mark.mongo


@pytest.fixture
def dataset(fo: Any, workspace: Workspace) -> Any:
    return fo.load_dataset(cockpit.sync(workspace, workspace.runs()))


def labelled_with_boxes(dataset: Any) -> Any:
    from fiftyone import ViewField as F

    view = dataset.match_tags("labelled").match(F("ground_truth.detections").length() > 1)
    return dataset[view.first().id]


def test_nothing_is_decided_at_first(dataset: Any, workspace: Workspace) -> None:
    decisions = cockpit.pull_decisions(workspace)
    assert decisions.rejected == ()
    assert decisions.corrected.num_frames == 0


def test_before_the_first_sync_fiftyone_is_not_even_imported(workspace: Workspace) -> None:
    program = (
        "import sys; from pathlib import Path; from dataengine import cockpit;"
        "from dataengine.workspace import Workspace;"
        f"found = cockpit.pull_decisions(Workspace.open(Path({str(workspace.root)!r})));"
        "assert found.rejected == () and found.corrected.num_frames == 0;"
        "assert not {'fiftyone', 'pymongo'} & set(sys.modules)"
    )
    env = {**os.environ, "FIFTYONE_DATABASE_URI": "mongodb://127.0.0.1:1"}
    subprocess.run([sys.executable, "-W", "error", "-c", program], check=True, env=env, timeout=60)


def test_a_deleted_dataset_holds_no_decisions(dataset: Any, workspace: Workspace) -> None:
    dataset.delete()
    assert cockpit.pull_decisions(workspace).rejected == ()


def test_rejected_frames_come_back_in_order(dataset: Any, workspace: Workspace) -> None:
    dataset.limit(3).tag_samples("reject")
    assert cockpit.pull_decisions(workspace).rejected == tuple(dataset.limit(3).values("frame_id"))


def test_corrected_boxes_come_back_in_pixels_and_stay_after_a_sync(
    dataset: Any, workspace: Workspace
) -> None:
    sample = labelled_with_boxes(dataset)
    first, *others = sample.ground_truth.detections
    first.label, first.bounding_box = "cone", [0.25, 0.25, 0.5, 0.125]
    sample.ground_truth.detections = [first, *others[1:]]
    sample.save()
    for _ in range(2):
        corrected = cockpit.pull_decisions(workspace).corrected
        assert corrected.frame_ids.tolist() == [sample.frame_id]
        assert corrected.num_boxes == len(others)
        np.testing.assert_allclose(corrected.xyxy[0], [24, 16, 72, 24], atol=1e-4)
        assert workspace.taxonomy.classes[corrected.class_id[0]] == "cone"
        cockpit.sync(workspace, workspace.runs())
    dataset.reload()
    assert dataset[sample.id].ground_truth.detections[0].label == "cone"


def test_uncorrected_boxes_come_back_as_they_went(dataset: Any, workspace: Workspace) -> None:
    """One box less: the others are those of the lake, to a thousandth of a pixel."""
    sample = labelled_with_boxes(dataset)
    sample.ground_truth.detections = sample.ground_truth.detections[1:]
    sample.save()
    corrected = cockpit.pull_decisions(workspace).corrected
    truth = workspace.lake.truth([sample.frame_id])
    np.testing.assert_allclose(corrected.xyxy, truth.xyxy[1:], atol=1e-3)
    assert corrected.class_id.tolist() == truth.class_id[1:].tolist()
    assert np.isnan(corrected.visibility).all()
    assert corrected.track_id.tolist() == [-1] * corrected.num_boxes


@pytest.mark.parametrize("emptied", [True, False], ids=["no boxes left", "field cleared"])
def test_a_frame_emptied_by_a_person_comes_back_empty(
    dataset: Any, workspace: Workspace, emptied: bool
) -> None:
    sample = labelled_with_boxes(dataset)
    if emptied:
        sample.ground_truth.detections = []
    else:
        sample.ground_truth = None
    sample.save()
    corrected = cockpit.pull_decisions(workspace).corrected
    assert (corrected.num_frames, corrected.num_boxes) == (1, 0)
    cockpit.sync(workspace, workspace.runs())
    assert cockpit.pull_decisions(workspace).corrected.num_frames == 1


def test_a_reverted_correction_is_none(dataset: Any, workspace: Workspace) -> None:
    sample = labelled_with_boxes(dataset)
    before = sample.ground_truth.detections[0].label
    for label, frames in (("cone" if before != "cone" else "car", 1), (before, 0)):
        sample.ground_truth.detections[0].label = label
        sample.save()
        assert cockpit.pull_decisions(workspace).corrected.num_frames == frames


def test_tags_and_attributes_are_no_correction(dataset: Any, workspace: Workspace) -> None:
    sample = labelled_with_boxes(dataset)
    sample.ground_truth.detections[0].tags.append("checked")
    sample.ground_truth.detections = sample.ground_truth.detections[::-1]
    sample.save()
    assert cockpit.pull_decisions(workspace).corrected.num_frames == 0


def test_label_tags_of_people_survive_a_sync_with_other_mistakes(dataset: Any, workspace: Workspace) -> None:
    from fiftyone import ViewField as F

    view = dataset.match(F("split") == "val").match(F("ground_truth.detections").length() > 0)
    sample = dataset[view.first().id]
    sample.ground_truth.detections[0].tags.append("hard")
    sample.save()
    kept = [run for run in workspace.runs() if run.arm == "random"]
    cockpit.sync(workspace, kept)
    dataset.reload()
    assert dataset[sample.id].ground_truth.detections[0].tags == ["hard"]


def test_boxes_drawn_on_a_frame_that_was_not_bought_stay_but_are_no_labels(
    dataset: Any, workspace: Workspace, fo: Any
) -> None:
    sample = dataset[dataset.match_tags("pool").match_tags("labelled", bool=False).first().id]
    sample.ground_truth = fo.Detections(detections=[fo.Detection(label="car", bounding_box=[0, 0, 0.5, 0.5])])
    sample.save()
    cockpit.sync(workspace, workspace.runs())
    dataset.reload()
    assert len(dataset[sample.id].ground_truth.detections) == 1
    assert cockpit.pull_decisions(workspace).corrected.num_frames == 0


def test_an_ignore_region_drawn_by_a_person_is_one(dataset: Any, workspace: Workspace) -> None:
    sample = labelled_with_boxes(dataset)
    sample.ground_truth.detections[0].label = "ignore"
    sample.save()
    corrected = cockpit.pull_decisions(workspace).corrected
    assert corrected.ignore[0]
    assert not corrected.ignore[1:].any()


def test_an_unknown_class_is_one_line_that_names_frame_class_and_choice(
    dataset: Any, workspace: Workspace
) -> None:
    sample = labelled_with_boxes(dataset)
    sample.ground_truth.detections[0].label = "unicorn"
    sample.save()
    with pytest.raises(
        InputError, match=f"frame {sample.frame_id}: .*class unicorn.*choose one of car, truck"
    ):
        cockpit.pull_decisions(workspace)
