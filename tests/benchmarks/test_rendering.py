"""Frames per second of the fleet's renderer on one core, beside its peer: encoding the same frames.

Both are measured in turn, clip by clip, in processor time, so that a busy machine slows them alike.
Run ``python tests/benchmarks/test_rendering.py`` for the figures of every part.

A plain painter of boxes in an earlier study drew 200 to 340 frames/s where the same encoder wrote
1,450: 0.14 to 0.23 of the encoder's rate.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np

from dataengine.config import WorldConfig
from dataengine.simulator.painter import Painter
from dataengine.simulator.plan import plan_fleet
from dataengine.simulator.recorder import encode
from dataengine.simulator.scene import Scene

NUM_CLIPS = 24
LEAST_SHARE = 0.14


def measure(folder: Path, clips: int = NUM_CLIPS) -> dict[str, float]:
    """Frames per second of each part over clips spread across the default world, shapes cached."""
    world = WorldConfig()
    plans = plan_fleet(world)
    chosen = plans[:: max(len(plans) // clips, 1)][:clips]
    spent = {"scene": 0.0, "paint": 0.0, "encode": 0.0}
    frames = 0
    for timed in (False, True):
        for plan in chosen if timed else chosen[::4]:
            began = time.process_time()
            scene = Scene.sample(world, plan)
            painter = Painter(scene, np.random.default_rng(0))
            sampled = time.process_time()
            pictures = [painter.frame(number)[0] for number in range(len(scene.ego.time_s))]
            painted = time.process_time()
            encode(pictures, folder / "clip.mp4", world)
            encoded = time.process_time()
            if timed:
                frames += len(pictures)
                for name, seconds in zip(
                    spent, (sampled - began, painted - sampled, encoded - painted), strict=True
                ):
                    spent[name] += seconds
    return {
        "render": frames / (spent["scene"] + spent["paint"]),
        "paint": frames / spent["paint"],
        "encode": frames / spent["encode"],
        "scene_ms_per_clip": 1000 * spent["scene"] / len(chosen),
    }


def test_rendering_keeps_up_with_a_plain_painter(tmp_path: Path, record_property):
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        found = measure(tmp_path, 8)
    finally:
        cv2.setNumThreads(threads)
    for name, value in found.items():
        record_property(name, round(value, 1))
    assert found["render"] / found["encode"] >= LEAST_SHARE, found


if __name__ == "__main__":
    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory() as scratch:
        figures = measure(Path(scratch))
    figures["ratio"] = figures["render"] / figures["encode"]
    sys.stdout.writelines(f"{name} {value:.2f}\n" for name, value in figures.items())
