"""Quality flags: what they find, and what they tell."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from dataengine.config import CurateConfig
from dataengine.curate.quality import flags, table
from dataengine.images import measure, read_image
from tests.curate.timelines import timeline


def flagged(found, **settings) -> dict[str, list[bool]]:
    return {flag.name: flag.flagged.tolist() for flag in flags(found, CurateConfig(**settings))}


def test_flags_name_what_nobody_wants_to_label():
    found = timeline(
        {"a": [0, 1, 2, 3], "b": [0]},
        phash=[255, 255, 255 << 30, 255 << 50, 255],
        sharpness=[100, 100, 10, 90, 1],
        brightness=[0.01, 0.01, 0.5, 0.99, 0.5],
        plain_share=[0.1, 0.1, 0.61, 0.6, 1.0],
    )
    assert flagged(found) == {
        "dark": [True, True, False, False, False],
        "bright": [False, False, False, True, False],
        "blurred": [False, False, True, False, False],  # beside its clip; "b" is alike throughout
        "frozen": [True, True, False, False, False],
        "blocked": [False, False, True, False, True],
    }


def test_thresholds_are_those_of_the_settings():
    found = timeline({"a": [0, 1, 2]}, sharpness=[100, 100, 60], brightness=[0.5, 0.3, 0.8])
    assert flagged(found, dark=0.4, bright=0.7, blur=0.7) == {
        "dark": [False, True, False],
        "bright": [False, False, True],
        "blurred": [False, False, True],
        "frozen": [False, False, False],
        "blocked": [False, False, False],
    }


# hashes, sharpness, frozen_frames -> frozen
STILLS = [
    ([7, 7, 7, 255 << 40], [50, 50, 50, 50], 2, [True, True, True, False]),
    ([7, 7, 7, 255 << 40], [50, 50, 50, 50], 4, [False] * 4),
    ([7, 6, 4, 255 << 40], [50, 50.01, 50, 50], 3, [True, True, True, False]),  # lines drawn in, compression
    ([7, 7, 7, 7], [50, 51, 50, 51], 2, [False] * 4),  # a parked car: the same look, live noise
    ([7, 7 << 20, 7, 7 << 20], [50, 50, 50, 50], 2, [False] * 4),  # repeated, but not in a row
]


@pytest.mark.parametrize(("hashes", "sharpness", "number", "expected"), STILLS)
def test_a_frozen_camera_repeats_a_still(hashes, sharpness, number, expected):
    found = timeline({"a": range(4)}, phash=hashes, sharpness=sharpness)
    assert flagged(found, frozen_frames=number)["frozen"] == expected


def test_a_still_does_not_reach_over_clips():
    found = timeline({"a": [0], "b": [0]}, phash=[7, 7])
    assert flagged(found)["frozen"] == [False, False]


def test_the_frozen_video_is_flagged_and_live_ones_are_not(data_root: Path):
    import av

    for name, expected in (("frozen", 0.9), ("highway_white_right", 0.0), ("highway_cars", 0.0)):
        path = data_root / "dashcam" / f"{name}.mp4"
        if not path.is_file():
            pytest.skip(f"no {path}")
        with av.open(str(path)) as video:
            pictures = [frame.to_ndarray(format="rgb24") for frame in video.decode(video=0)][::12]
        measures = [measure(picture) for picture in pictures]
        found = timeline(
            {name: range(len(measures))},
            phash=[one.phash for one in measures],
            sharpness=[one.sharpness for one in measures],
        )
        assert np.mean(flagged(found)["frozen"]) == pytest.approx(expected, abs=0.1), name


def test_the_table_gives_each_flag_its_figure_and_reason():
    found = timeline({"a": [0, 1]}, brightness=[0.5, 0.01], phash=[0, 255 << 40], plain_share=[0.1, 0.75])
    rows = table(found, flags(found, CurateConfig())).to_pylist()
    assert [(row["frame_id"], row["flag"], round(row["value"], 3), row["reason"]) for row in rows] == [
        ("a/000001", "dark", 0.01, "mean grey level 0.010, below curate.dark=0.04"),
        ("a/000001", "blocked", 0.75, "75% of its tiles show no detail, above curate.blocked_share=60%"),
    ]


def test_no_frames_have_no_flags():
    assert table(timeline({}), flags(timeline({}), CurateConfig())).num_rows == 0


def covered(image: np.ndarray, share: float) -> np.ndarray:
    """Dirt on the lens over the lower part of an image, stored as JPEG."""
    blurred = cv2.GaussianBlur(image, (0, 0), 12)
    begin = round(len(image) * (1 - share))
    dirty = np.concatenate([image[:begin], blurred[begin:]])
    return cv2.imdecode(cv2.imencode(".jpg", dirty, [cv2.IMWRITE_JPEG_QUALITY, 92])[1], cv2.IMREAD_COLOR)


def test_dirt_on_the_lens_empties_its_tiles(data_root: Path):
    images = sorted((data_root / "camvid" / "test").glob("*.png"))[::60]
    if not images:
        pytest.skip(f"no CamVid at {data_root}")
    for path in images:
        image = read_image(path)
        assert measure(image).plain_share <= 0.4
        assert measure(covered(image, 0.8)).plain_share > CurateConfig().blocked_share


@pytest.mark.parametrize("shape", [(1, 1), (7, 9), (8, 8), (33, 47)])
def test_a_flat_image_is_all_plain_and_noise_is_not(shape):
    noise = np.random.default_rng(0).integers(0, 255, (*shape, 3)).astype(np.uint8)
    tiles = min(shape) >= 8
    assert measure(np.full((*shape, 3), 90, np.uint8)).plain_share == (1.0 if tiles else 0.0)
    assert measure(noise).plain_share <= 0.1
