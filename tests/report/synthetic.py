"""A workspace of any size that looks like a finished comparison: several arms, seeds, cycles and slices."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow as pa

from dataengine import cards, files
from dataengine.config import Config
from dataengine.frameboxes import FrameBoxes, Predictions
from dataengine.lake import write_parquet
from dataengine.schema import FRAME_ERRORS, FRAMES, MISTAKES, SELECTION, SPLIT_TABLE
from dataengine.workspace import Outcome, Run, Workspace

WIDTH, HEIGHT, NUM_IMAGES = 320, 192, 12
SIZES = np.array([[46, 30], [70, 50], [12, 32], [20, 34], [10, 16]])
"""Typical width and height of a box of each class."""
RATES = np.array([0.5, 0.12, 0.25, 0.08, 0.05])
CLIPS = {"pool": 40, "val": 12, "test": 20, "test_balanced": 8}
VERSIONS = {"dataengine": "0.1.0", "torch": "2.7.1", "numpy": "2.2.6"}
TIMES = {"mine": 0.8, "label": 0.2, "train": 41.0, "predict": 22.0, "evaluate": 4.0}
PICKED = {
    "random": ("random", "drawn at random"),
    "class_balanced": ("class:cyclist", "predicted cyclist, number {rank} of 41"),
}
EMPTY = "weather:fog"
"""The slice of the natural test that holds no objects."""


def synthetic_workspace(
    root: Path,
    *,
    arms: tuple[str, ...] = ("random", "class_balanced"),
    seeds: tuple[int, ...] = (0,),
    cycles: int = 3,
    clips: dict[str, int] | None = None,
    classes: tuple[str, ...] | None = None,
    batch: int = 120,
) -> Workspace:
    """Clips of ten frames in every split, truth, and one finished run for each arm and seed."""
    card = cards.load("simulated")
    if classes is not None:
        card = replace(card, taxonomy=replace(card.taxonomy, classes=classes, class_map={}))
    workspace = Workspace.create(root, card, None, "f00dfeed" * 8)
    truth = _ingest(workspace, clips or CLIPS, np.random.default_rng(3))
    broken = Outcome(path="drive9/clip3.mp4", status="broken", reason="not a video: <moov> is missing")
    missing = [Outcome(path=f"d{n}/a.json", status="missing", reason="telemetry missing") for n in range(4)]
    quarantine = workspace.quarantine()
    quarantine.settle([broken, *missing])
    quarantine.close()
    for seed in seeds:
        for arm in arms:
            write_run(workspace, truth, arm, seed, cycles, batch)
    return workspace


def _ingest(workspace: Workspace, clips: dict[str, int], rng: np.random.Generator) -> FrameBoxes:
    _paint_all(workspace.root / "media", rng)
    rows: list[dict[str, Any]] = []
    for number, split in enumerate(split for split, total in clips.items() for _ in range(total)):
        conditions = [
            ("time_of_day", str(rng.choice(["day", "dusk", "night"], p=[0.8, 0.12, 0.08]))),
            ("weather", str(rng.choice(["clear", "rain", "fog"], p=[0.82, 0.12, 0.06]))),
        ]
        rows += [_frame(number, step, split, conditions) for step in range(10)]
    workspace.lake.append("frames", pa.Table.from_pylist(rows, FRAMES))
    splits = [{"frame_id": r["frame_id"], "split": r["split_hint"], "reason": ""} for r in rows]
    workspace.lake.append("splits", pa.Table.from_pylist(splits, SPLIT_TABLE))
    truth = _truth([row["frame_id"] for row in rows], len(workspace.taxonomy), rng)
    workspace.lake.append("oracle", truth.to_table())
    return truth


def _frame(number: int, step: int, split: str, conditions: list[tuple[str, str]]) -> dict[str, Any]:
    return {
        "frame_id": f"clip-{number:04d}/{step:06d}",
        "clip_id": f"clip-{number:04d}",
        "drive_id": f"drive-{number // 4:03d}",
        "frame_number": step,
        "time_s": step * 0.5,
        "media_root": "workspace",
        "image_path": f"media/{(number + step) % NUM_IMAGES:02d}.jpg",
        "width": WIDTH,
        "height": HEIGHT,
        "split_hint": split,
        "conditions": conditions,
    }


def _truth(ids: list[str], num_classes: int, rng: np.random.Generator) -> FrameBoxes:
    rates = RATES if num_classes == len(RATES) else np.full(num_classes, 1 / num_classes)
    counts = rng.integers(0, 7, len(ids))
    total = int(counts.sum())
    classes = rng.choice(num_classes, total, p=rates)
    sizes = SIZES[classes % len(SIZES)] * rng.uniform(0.6, 1.5, (total, 1))
    corners = rng.uniform(0, 1, (total, 2)) * ([WIDTH, HEIGHT * 0.6] - sizes) + [0, HEIGHT * 0.35]
    ends = np.minimum(corners + sizes, [WIDTH, HEIGHT])
    return FrameBoxes.build(ids, counts, np.concatenate([corners, ends], 1), classes)


def _paint_all(folder: Path, rng: np.random.Generator) -> None:
    folder.mkdir(parents=True)
    road = np.array([[110, 70], [210, 70], [330, 192], [-10, 192]], np.int32)
    for number in range(NUM_IMAGES):
        ramp = np.linspace(190, 90, HEIGHT)[:, None, None] * [1.0, 0.95, 0.9]
        image = np.broadcast_to(ramp, (HEIGHT, WIDTH, 3)).copy()
        cv2.fillPoly(image, [road], (95, 95, 100))
        image = np.clip(image * (0.35 if number % 8 == 0 else 1.0) + rng.normal(0, 4, image.shape), 0, 255)
        cv2.imwrite(str(folder / f"{number:02d}.jpg"), image.astype(np.uint8))


def write_run(
    workspace: Workspace, truth: FrameBoxes, arm: str, seed: int, cycles: int, batch: int, **train: Any
) -> Run:
    """A finished run; ``train`` are settings of that group that differ from the defaults."""
    rng = np.random.default_rng([seed, len(arm)])
    settings = json.loads(json.dumps(Config().plain()))
    settings["loop"]["cycles"] = cycles
    settings["train"].update(train)
    run = workspace.run(f"{arm}-s{seed}-{files.digest(settings)[:6]}")
    run.create({"arm": arm, "seed": seed, "hash": "c0ffee", "start": "5eed", **settings})
    pool = _ids(workspace, "pool")
    start = list(np.random.default_rng(seed).permutation(pool))
    order = start[:batch] + list(rng.permutation(start[batch:]))
    judged = truth.select(_ids(workspace, "val", "test", "test_balanced"))
    for cycle in range(cycles):
        folder = run.cycle(cycle)
        trigger, reason = PICKED.get(arm, (arm, f"picked by {arm}")) if cycle else ("seed", "drawn first")
        picked = order[cycle * batch : (cycle + 1) * batch]
        picks = [
            (frame_id, cycle, rank, 1.0, trigger, reason.format(rank=rank))
            for rank, frame_id in enumerate(picked)
        ]
        write_parquet(folder / "selection.parquet", rows_table(SELECTION, picks))
        labels = truth.select(sorted(order[: (cycle + 1) * batch]))
        write_parquet(folder / "labels.parquet", labels.to_table())
        predicted = _predict(judged, 0.6 + 0.1 * cycle, rng)
        write_parquet(folder / "predictions.parquet", predicted.to_table())
        write_parquet(folder / "errors.parquet", FRAME_ERRORS.empty_table())
        write_parquet(folder / "mistakes.parquet", rows_table(MISTAKES, mistakes(judged, predicted.boxes)))
        _write_figures(workspace, run, {"arm": arm, "seed": seed, "cycle": cycle}, labels, rng)
    return run


def rows_table(schema: pa.Schema, rows: list[tuple[Any, ...]]) -> pa.Table:
    """A table from tuples in the order of the schema."""
    return pa.Table.from_pylist([dict(zip(schema.names, row, strict=True)) for row in rows], schema)


def _ids(workspace: Workspace, *splits: str) -> list[str]:
    ids: list[str] = workspace.frames(*splits)["frame_id"].to_pylist()
    return ids


def _predict(truth: FrameBoxes, skill: float, rng: np.random.Generator) -> Predictions:
    """The truth, box for box: some below the error score, some of the next class."""
    number, num_classes = truth.num_boxes, int(truth.class_id.max(initial=0)) + 1
    classes = np.where(rng.random(number) < 0.06, (truth.class_id + 1) % num_classes, truth.class_id)
    score = np.where(rng.random(number) < skill, 0.9 - 0.3 * rng.random(number), 0.1)
    xyxy = truth.xyxy + rng.normal(0, 0.4, (number, 4))
    return Predictions(
        boxes=FrameBoxes.build(truth.frame_ids, truth.counts, xyxy, classes, score=score),
        class_scores=np.zeros((number, num_classes), np.float32),
        embeddings=np.zeros((truth.num_frames, 4), np.float32),
    )


def mistakes(truth: FrameBoxes, predicted: FrameBoxes) -> list[tuple[Any, ...]]:
    """Rows of ``MISTAKES`` for predictions that stand box for box beside their truth, at score 0.3."""
    rows: list[tuple[Any, ...]] = []
    within = np.arange(truth.num_boxes) - truth.offsets[truth.frame_index]
    for row in range(truth.num_boxes):
        frame_id, box = truth.frame_ids[truth.frame_index[row]], int(within[row])
        label, said, score = (
            int(truth.class_id[row]),
            int(predicted.class_id[row]),
            float(predicted.score[row]),
        )
        if score < 0.3:
            rows.append((frame_id, "missed", box, -1, label, -1, math.nan, 0.0))
        elif said != label:
            rows.append((frame_id, "swapped_class", box, box, label, said, score, 0.9))
        elif row % 17 == 0:
            rows.append((frame_id, "false_alarm", -1, box, -1, said, score, 0.0))
    return rows


def _write_figures(
    workspace: Workspace, run: Run, head: dict[str, Any], labels: FrameBoxes, rng: np.random.Generator
) -> None:
    """Losses, manifest and metrics of one cycle; ``head`` holds arm, seed and cycle."""
    arm, cycle = head["arm"], head["cycle"]
    folder, frames, boxes = run.cycle(cycle), labels.num_frames, labels.num_boxes
    cost = {"frames": frames, "boxes": boxes, "seconds": 5.0 * frames + 10.0 * boxes}
    losses = [{"step": step, "loss": 6 * math.exp(-step / 90) + 0.7} for step in range(0, 400, 4)]
    files.write_text(folder / "losses.jsonl", "".join(json.dumps(row) + "\n" for row in losses))
    manifest = {
        **head,
        "cost": cost,
        "config_hash": "c0ffee",
        "data_fingerprint": "f00d",
        "weights_sha256": f"{cycle}b" * 32,
        "labels_sha256": f"{cycle}a" * 32,
        "selection_sha256": f"{arm[:2] if cycle else 'se'}{cycle}c",
        "versions": VERSIONS,
        "images_per_s": 84.2 + cycle,
    }
    files.write_json(folder / "manifest.json", manifest)
    names = ("split", "slice", "metric", "value")
    rows = _figures(workspace, arm, cycle, rng)
    run.write_metrics(cycle, [{**head, **cost, **dict(zip(names, row, strict=True))} for row in rows])


def _figures(
    workspace: Workspace, arm: str, cycle: int, rng: np.random.Generator
) -> Iterator[tuple[str, str, str, float]]:
    gain = 0.04 * cycle * (arm != "random")
    frames = workspace.frames()
    for split in ("val", "test", "test_balanced"):
        found = zip(frames["drive_id"].to_pylist(), frames["split"].to_pylist(), strict=True)
        drives = sorted({drive for drive, name in found if name == split})
        names = ["all", "tail", *(f"class:{name}" for name in workspace.taxonomy.classes)]
        names += ["time_of_day:day", "time_of_day:night", "weather:rain", EMPTY, "size:small", "size:large"]
        for place, name in enumerate([*names, *(f"drive:{drive}" for drive in drives)]):
            empty = name == EMPTY and split == "test"
            value = 0.42 + 0.11 * cycle + gain - 0.012 * (place % 9) + 0.03 * float(rng.standard_normal())
            half = 0.03 + 0.05 * float(rng.random())
            for metric, scale in (("ap50", 1.0), ("map50_95", 0.62))[: 1 if name.startswith("drive:") else 2]:
                for end, shift in (("", 0.0), ("_lower", -half), ("_upper", half)):
                    figure = math.nan if empty else min(max(value * scale + shift, 0.0), 1.0)
                    yield split, name, metric + end, figure
            yield split, name, "num_objects", 0.0 if empty else 1200.0 / (place + 1)
            yield split, name, "misses_per_frame", 0.9 - 0.2 * cycle - gain
            yield split, name, "false_alarms_per_frame", 0.5 - 0.1 * cycle
    for stage, seconds in TIMES.items():
        yield "pool", "all", f"{stage}_time_s", seconds + cycle
