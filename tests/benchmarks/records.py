"""Synthetic frame records into a lake, on the path of an ingest: ``python -m tests.benchmarks.records N``.

Prints one JSON line: rows per second (wall and processor time, imports left out) and the peak of
resident memory in MB.
"""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from dataengine import cards
from dataengine.adapters.base import Recording
from dataengine.adapters.labels import FrameLabels
from dataengine.adapters.telemetry import Telemetry
from dataengine.images import ImageMeasures
from dataengine.ingest.extract import Extract
from dataengine.ingest.ledger import Ledger
from dataengine.ingest.rows import Rows
from dataengine.quarantine import Outcome
from dataengine.workspace import Workspace

FRAMES_PER_CLIP = 100
CARD = cards.load("simulated")

LABELS = FrameLabels(
    xyxy=np.array([[1, 2, 30, 40], [5, 5, 9, 9]], np.float32),
    names=("car", "cone"),
    ignore=np.zeros(2, np.bool_),
    visibility=np.ones(2, np.float32),
    track_id=np.arange(2, dtype=np.int32),
)
CLOCK = np.arange(0, FRAMES_PER_CLIP / 10, 0.1)
TELEMETRY = Telemetry.on_one_clock(
    CLOCK, {"speed_mps": CLOCK, "yaw_rate_radps": CLOCK, "acceleration_mps2": CLOCK}
)


def clip(number: int, hashes: list[int]) -> Extract:
    """One clip of a hundred frames with two boxes each, as a worker hands it over."""
    name = f"clip{number:06d}"
    recording = Recording(
        clip_id=name,
        drive_id=f"drive{number // 4}",
        fps=10.0,
        source=f"{name}.mp4",
        files=(f"{name}.mp4",),
        conditions={"time_of_day": "day", "weather": "clear"},
    )
    rows = Rows(recording, CARD, CARD)
    for frame, phash in enumerate(hashes):
        rows.add(
            number=frame,
            time_s=frame / 10,
            size=(1080, 1920),
            measures=ImageMeasures(sharpness=1.0, brightness=0.5, phash=phash),
            labels=LABELS,
            media_root="workspace",
            image_path=f"media/{name}/{frame:06d}.jpg",
        )
    return Extract(
        tables=rows.tables(TELEMETRY, 1.0),
        outcomes=(Outcome(path=recording.files[0], status="added"),),
        num_frames=len(hashes),
    )


def main(number: int) -> None:
    """Append that many frame records."""
    with tempfile.TemporaryDirectory() as folder:
        ledger = Ledger(Workspace.create(Path(folder), CARD, None, "synthetic"))
        rng = np.random.default_rng(0)
        ledger.take(clip(0, [1]))  # pays for what is imported on first use
        began, worked = time.perf_counter(), time.process_time()
        for index in range(1, number // FRAMES_PER_CLIP + 1):
            ledger.take(clip(index, rng.integers(0, 2**63, FRAMES_PER_CLIP).tolist()))
        ledger.commit()
        wall, processor = time.perf_counter() - began, time.process_time() - worked
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    rates = {"rows_per_s": number / wall, "rows_per_processor_s": number / processor, "peak_mb": peak}
    sys.stdout.write(
        json.dumps({"rows": number, **{key: round(value) for key, value in rates.items()}}) + "\n"
    )


if __name__ == "__main__":
    main(int(sys.argv[1]))
