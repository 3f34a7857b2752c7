"""All the real data there is, as it is: partial, broken and frozen as well. Every file is told once."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from dataengine.adapters.base import files_under
from dataengine.config import Config, DatasetConfig, IngestConfig
from tests.corpus import damage
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
# folder -> files added, missing, broken and unused, counted by hand; frames at 0.5 a second, 0 is an error
COUNTS = {
    "bdd100k": ((6, 202, 0, 2), 6),  # a video's labels without its images, and a model's predictions of it
    "camvid": ((1405, 0, 0, 0), 701),
    "carla_voc": ((1120, 0, 0, 1), 560),
    "cityscapes": ((9, 0, 0, 0), 3),
    "comma2k19": ((0, 1, 0, 27), 0),  # its video is absent
    "dashcam": ((3, 0, 0, 0), 12),
    "kitti": ((150, 0, 0, 0), 75),
    "kitti_tracking": ((7, 445, 0, 0), 4),  # two frames of each of two cameras, labels of the whole sequence
    "lerobot_broken": ((2, 0, 3, 2), 5),  # its meta/ is empty: 3 of these files are needed
    "lerobot_g1": ((11, 192, 0, 2), 26),  # videos and tables of 96 episodes are absent
    "lerobot_v3": ((0, 6, 0, 9), 0),  # its videos are absent, so that its five tables are of no use
    "nuscenes_keyframe": ((6, 0, 0, 0), 6),
}


@pytest.fixture
def outcome(
    request: pytest.FixtureRequest, data_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Ended:
    """How the folder's ingest at one frame in two seconds ended, all of its rules checked."""
    adapter, settings = FOLDERS[request.param]
    root = data_root / request.param
    if not root.is_dir():
        pytest.skip(f"{root} is missing")
    monkeypatch.chdir(tmp_path)
    dataset = DatasetConfig(name=adapter, root=str(root), **settings)
    return ingested(Config(dataset=dataset, ingest=IngestConfig(fps=0.5)), tmp_path)


def folders(*slow: str) -> list[Any]:
    """Each folder, as the fixture's parameter and as the test's."""
    marks = dict.fromkeys(slow, (pytest.mark.slow,))
    return [pytest.param(name, name, id=name, marks=marks.get(name, ())) for name in FOLDERS]


@pytest.mark.parametrize(("outcome", "folder"), folders("camvid", "carla_voc"), indirect=["outcome"])
def test_every_real_file_is_accounted_for(outcome: Ended, folder: str, data_root: Path):
    (added, missing, broken, unused), frames = COUNTS[folder]
    assert len(list(files_under(data_root / folder))) == added + broken + unused
    told = [status for status, _ in outcome.reasons.values()]
    assert [told.count(status) for status in ("missing", "broken", "unused")] == [missing, broken, unused]
    if not frames:
        assert f"none of {added + missing + broken + unused} files can be used (first: " in outcome.error
        return
    assert outcome.error == ""
    assert outcome.summary is not None
    assert (outcome.summary.added, outcome.summary.frames) == (added, frames)


@pytest.mark.slow
@pytest.mark.parametrize("folder", sorted(FOLDERS.keys() - {"camvid", "carla_voc"}))
@pytest.mark.parametrize("seed", range(3))
def test_real_files_with_flipped_bits(
    folder: str, seed: int, data_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    root = tmp_path / "data"
    shutil.copytree(data_root / folder, root, copy_function=shutil.copyfile)
    for inner in [root, *(path for path in root.rglob("*") if path.is_dir())]:
        inner.chmod(0o755)  # the real data's folders may be read-only
    for number, name in enumerate(files_under(root)):
        damage.flip_bits(root / name, seed=1000 * seed + number, number=3 * seed + 1)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    adapter, settings = FOLDERS[folder]
    dataset = DatasetConfig(name=adapter, root=str(root), **settings)
    ingested(Config(dataset=dataset, ingest=IngestConfig(fps=2.0)), tmp_path / "here")
