"""Anonymised ingest: what is stored is blurred, what was recorded is not, and the lake says how much."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dataengine.config import Anonymise, Config, CurateConfig, Device
from dataengine.errors import ModelError
from dataengine.images import read_image
from dataengine.ingest import ingest
from dataengine.privacy import summary_line
from tests.adapters.recordings import camvid_config, fleet_config, write_fleet, write_segnet
from tests.privacy.test_detected import write_detector


def anonymised(config: Config, weights: Path | None) -> Config:
    """The config with heads blurred by rule, or with nothing blurred."""
    if weights is not None:
        config.curate = CurateConfig(anonymise=Anonymise.boxes, anonymise_weights=str(weights))
    config.compute.device = Device.cpu
    return config


def test_images_of_a_folder_are_stored_blurred_and_stay_as_they_were(tmp_path: Path):
    root = tmp_path / "camvid"
    write_segnet(root, {"train": ["0001TP_000030", "0001TP_000060"]})
    originals = {path: path.read_bytes() for path in root.rglob("*.png")}
    weights = write_detector(tmp_path / "m.safetensors")
    workspace, summary = ingest(anonymised(camvid_config(root), weights), tmp_path / "ws")
    assert summary.frames == 2
    assert {path: path.read_bytes() for path in root.rglob("*.png")} == originals
    frames = workspace.frames()
    assert set(frames["media_root"].to_pylist()) == {"workspace"}
    for path, name in zip(workspace.image_paths(frames), ("0001TP_000030", "0001TP_000060"), strict=True):
        stored, original = read_image(path), read_image(root / "train" / f"{name}.png")
        assert np.abs(stored.astype(int) - original).mean() > 10
    blurred = workspace.lake.read("blurred")
    assert blurred["frame_id"].to_pylist() == frames["frame_id"].to_pylist()
    assert all(number > 0 for number in blurred["num_regions"].to_pylist())
    assert summary_line(blurred).startswith("anonymised: ")
    # the boxes are those of the frame as it was recorded
    assert workspace.lake.truth(frames["frame_id"].to_pylist()).num_boxes == 4


def test_frames_of_a_video_are_stored_blurred_alone(tmp_path: Path):
    write_fleet(tmp_path / "fleet", {"a": "pool"})
    weights = write_detector(tmp_path / "m.safetensors")
    stored = []
    for name, given in {"blurred": weights, "again": weights, "plain": None}.items():
        workspace, _ = ingest(anonymised(fleet_config(tmp_path / "fleet"), given), tmp_path / name)
        stored.append({path.name: path.read_bytes() for path in workspace.root.glob("media/a/*")})
    blurred, again, plain = stored
    assert blurred == again
    assert blurred.keys() == plain.keys()
    assert len(plain) == 4
    assert all(blurred[name] != plain[name] for name in plain)


def test_missing_weights_are_told_before_anything_is_written(tmp_path: Path):
    write_fleet(tmp_path / "fleet", {"a": "pool"})
    config = anonymised(fleet_config(tmp_path / "fleet"), tmp_path / "nowhere.safetensors")
    with pytest.raises(ModelError, match=r"nowhere.safetensors does not exist"):
        ingest(config, tmp_path / "ws")
    assert not (tmp_path / "ws").exists()
