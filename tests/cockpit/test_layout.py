"""What the App shows at first, and the map of frames."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from dataengine import cockpit
from dataengine.cockpit import layout, projection
from dataengine.cockpit.facts import MAX_CYCLES, Facts
from dataengine.workspace import Workspace
from tests.factory import tiny_workspace


def test_principal_components_find_the_long_axis_and_do_not_flip() -> None:
    along = np.linspace(-3, 3, 50)
    vectors = np.stack([np.zeros(50), along, 0.1 * np.cos(along)], 1).astype(np.float32)
    points = projection.principal_components(vectors)
    np.testing.assert_allclose(points[:, 0], along, atol=1e-5)
    np.testing.assert_array_equal(points, projection.principal_components(vectors))


@pytest.mark.parametrize("shape", [(1, 8), (5, 1)])
def test_too_few_vectors_for_a_map_lie_in_one_place(shape: tuple[int, int]) -> None:
    assert not projection.principal_components(np.ones(shape, np.float32)).any()


def test_facts_show_the_chosen_arm_first_and_few_cycles(workspace: Workspace, tmp_path: Any) -> None:
    facts = Facts.gather(workspace, workspace.runs())
    assert [arm.name for arm in facts.arms] == ["random", "class_balanced"]
    assert facts.primary is not None
    assert facts.primary.name == "class_balanced"
    assert layout.frame_rate(facts) == 2
    longer = tiny_workspace(tmp_path / "longer", cycles=4, arms=("random",))
    assert Facts.gather(longer, longer.runs()).arms[0].predicted == (0, 1, 2, 3)
    assert MAX_CYCLES == 6


@pytest.mark.mongo
def test_the_layout_names_every_field_once(fo: Any, workspace: Workspace) -> None:
    dataset = fo.load_dataset(cockpit.sync(workspace, workspace.runs()))
    groups = {group.name: group.paths for group in dataset.app_config.sidebar_groups}
    assert list(groups)[:4] == ["tags", "labels", "mining", "errors"]
    listed = [path for paths in groups.values() for path in paths]
    assert len(listed) == len(set(listed))
    assert {path.split(".")[0] for path in listed} == {*dataset.get_field_schema(), "_label_tags"}
    colours = {field["path"]: field for field in dataset.app_config.color_scheme.fields}
    values = {item["value"]: item["color"] for item in colours["ground_truth"]["valueColors"]}
    assert set(values) == {*workspace.taxonomy.classes, "ignore"}
    assert len(set(values.values())) == len(values)


@pytest.mark.mongo
def test_the_workspace_opens_samples_histograms_and_the_map(fo: Any, workspace: Workspace) -> None:
    dataset = fo.load_dataset(cockpit.sync(workspace, workspace.runs()))
    assert dataset.list_workspaces() == [layout.WORKSPACE]
    text = str(dataset.load_workspace(layout.WORKSPACE).to_dict())
    assert all(f"'{panel}'" in text for panel in ("Samples", "Histograms", "Embeddings"))
    points = dataset.load_brain_results(projection.MAP)
    assert points.points.shape == (56, 2)  # 64 frames without the seed set of 8


@pytest.mark.mongo
def test_a_workspace_that_a_person_rearranged_stays_so(fo: Any, workspace: Workspace) -> None:
    dataset = fo.load_dataset(cockpit.sync(workspace, workspace.runs()))
    theirs = fo.Space(children=[fo.Panel(type="Samples", pinned=True)])
    dataset.save_workspace(layout.WORKSPACE, theirs, overwrite=True)
    cockpit.sync(workspace, workspace.runs())
    dataset.reload()
    assert "Embeddings" not in str(dataset.load_workspace(layout.WORKSPACE).to_dict())
