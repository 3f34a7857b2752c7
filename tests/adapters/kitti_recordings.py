"""KITTI written out small: images, labels, the mapping, tracks, oxts and calibration."""

from __future__ import annotations

from pathlib import Path

from dataengine.config import Config, DatasetConfig
from tests.adapters.recordings import street, write_image

CAR = "Car 0.20 1 -1.57 4.00 8.00 20.00 24.00 1.5 1.6 3.9 1.0 1.5 20.0 -1.5"
CYCLIST = "Cyclist 0.00 3 -1.57 1.00 2.00 11.00 12.50 1.5 1.6 3.9 1.0 1.5 20.0 -1.5"
REGION = "DontCare -1 -1 -10 30.00 1.00 40.00 9.00 -1 -1 -1 -1000 -1000 -1000 -10"


def tracked(frame: int, track: int, name: str = "Car", truncated: int = 0, occluded: int = 0) -> str:
    """A line of the tracking benchmark: a box of 16x16 that moves to the right by a pixel a frame."""
    box = f"{frame:.6f} 8.000000 {frame + 16:.6f} 24.000000"
    return f"{frame} {track} {name} {truncated} {occluded} -1.57 {box} 1.5 1.6 3.9 1.0 1.5 20.0 -1.5"


def region(frame: int) -> str:
    """A region of the tracking benchmark, with its placeholders in that benchmark's own order."""
    return f"{frame} -1 DontCare -1 -1 -10.0 30.0 1.0 40.0 9.0 -1000.0 -1000.0 -1000.0 -10.0 -1.0 -1.0 -1.0"


def write_lines(path: Path, *lines: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


def write_objects(root: Path, numbers: list[int], *lines: str, split: str = "training") -> None:
    """Images of the object benchmark, labelled unless they are of ``testing``."""
    for number in numbers:
        write_image(root / split / "image_2" / f"{number:06d}.png", street(number))
        if split != "testing":
            write_lines(root / split / "label_2" / f"{number:06d}.txt", *(lines or (CAR, REGION)))


def write_mapping(folder: Path, moments: list[tuple[str, int]], order: list[int]) -> None:
    """The devkit's mapping: drives and frames in the order of recording, and the shuffle, from 1 on."""
    lines = [f"2011_09_26 2011_09_26_drive_{drive}_sync {frame:010d}" for drive, frame in moments]
    write_lines(folder / "train_mapping.txt", *lines)
    write_lines(folder / "train_rand.txt", ",".join(map(str, order)))


def oxts_line(number: int) -> str:
    """Thirty values: 3 m/s forward and 4 to the left, 30 degrees north of east, turning left at 0.1 rad/s."""
    pose = [49.0 + number / 1000, 8.0, 110.0, 0.01, 0.02, 0.5235987755982988]
    velocity = [0.0, 0.0, 3.0, 4.0, 0.0]
    acceleration = [0.0, 0.0, 9.8, -0.5 * number, 0.25, 9.8]
    rates = [0.0, 0.0, 0.0, 0.0, 0.0, 0.1]
    return " ".join(
        str(value) for value in [*pose, *velocity, *acceleration, *rates, 0.4, 0.05, 4, 7, 4, 4, 0]
    )


def calibration() -> list[str]:
    """Projections of four cameras, and a line without a colon as the release has them."""
    rows = [f"P{camera}: " + " ".join(f"{camera}.{value:02d}" for value in range(12)) for camera in range(4)]
    return [*rows, "R_rect 1 0 0 0 1 0 0 0 1"]


def write_tracking(
    root: Path, sequence: str = "0001", num_frames: int = 3, *, split: str = "training", right: bool = True
) -> None:
    """One sequence with every table; track 7 is in each frame, frame 1 holds a region too."""
    for camera in ("image_02", "image_03") if right else ("image_02",):
        for number in range(num_frames):
            write_image(root / split / camera / sequence / f"{number:06d}.png", street(number + len(camera)))
    lines = [tracked(number, 7) for number in range(num_frames)]
    if split == "training":
        write_lines(root / split / "label_02" / f"{sequence}.txt", *lines, region(1))
    write_lines(root / split / "oxts" / f"{sequence}.txt", *(oxts_line(n) for n in range(num_frames)))
    write_lines(root / split / "calib" / f"{sequence}.txt", *calibration())


def kitti_config(name: str, root: Path) -> Config:
    config = Config(dataset=DatasetConfig(name=name, root=str(root)))
    config.compute.workers = 1
    return config
