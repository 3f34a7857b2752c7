"""All the real data there is, as it is: partial, broken and frozen as well. Every file is told once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dataengine import cards
from dataengine.adapters.base import files_under
from dataengine.config import Config, DatasetConfig, IngestConfig
from tests.corpus.outcomes import Ended, ingested

CARLA = ["vehicle", "bike", "motobike", "traffic_light", "traffic_sign"]
CARLA_NAMES = {f"traffic_sign_{limit}": "traffic_sign" for limit in (30, 60, 90)} | {
    f"traffic_light_{colour}": "traffic_light" for colour in ("red", "orange", "green")
}

# folder -> adapter, and the settings that it needs
FOLDERS: dict[str, tuple[str, dict[str, Any]]] = {
    "bdd100k": ("bdd100k", {}),
    "camvid": ("camvid", {"min_box_area": 100.0}),
    "carla_voc": ("voc", {"classes": CARLA, "class_map": CARLA_NAMES}),
    "cityscapes": ("cityscapes", {}),
    "comma2k19": ("comma2k19", {}),
    "dashcam": ("dashcam", {}),
    "kitti": ("kitti", {}),
    "kitti_tracking": ("kitti_tracking", {}),
    "lerobot_broken": ("lerobot", {}),
    "lerobot_g1": ("lerobot", {}),
    "lerobot_v3": ("lerobot", {}),
    "nuscenes_keyframe": ("nuscenes", {}),
}
NOTHING_USABLE = {
    "comma2k19": "files can be used (first: ",  # its video is absent
    "lerobot_broken": "",
    "lerobot_v3": "files can be used (first: ",  # its videos are absent
}
LONG = {"camvid", "carla_voc"}


def folders() -> list[Any]:
    return [pytest.param(name, marks=pytest.mark.slow) if name in LONG else name for name in FOLDERS]


@pytest.fixture
def outcome(
    request: pytest.FixtureRequest, data_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Ended:
    """How the folder's ingest at one frame in two seconds ended, all of its rules checked."""
    adapter, settings = FOLDERS[request.param]
    root = data_root / request.param
    if not root.is_dir():
        pytest.skip(f"{root} is missing")
    if adapter not in cards.names():
        pytest.skip(f"no adapter for {adapter} yet")
    monkeypatch.chdir(tmp_path)
    dataset = DatasetConfig(name=adapter, root=str(root), **settings)
    return ingested(Config(dataset=dataset, ingest=IngestConfig(fps=0.5)), tmp_path)


@pytest.mark.parametrize(("outcome", "folder"), [(name, name) for name in FOLDERS], indirect=["outcome"])
def test_every_real_file_is_accounted_for(outcome: Ended, folder: str, data_root: Path):
    there = list(files_under(data_root / folder))
    if folder in NOTHING_USABLE:
        assert NOTHING_USABLE[folder] in outcome.error
        assert outcome.error
        return
    assert outcome.error == ""
    assert outcome.summary is not None
    assert outcome.summary.frames > 0
    assert outcome.summary.num_files - outcome.summary.missing == len(there)
    assert outcome.summary.broken == 0
