"""A small, complete workspace for tests: painted frames, truth, splits and two fake finished runs."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pyarrow as pa

from dataengine import cards, files
from dataengine.config import Config
from dataengine.frameboxes import FrameBoxes, Predictions
from dataengine.lake import write_parquet
from dataengine.schema import CLIPS, FRAME_ERRORS, FRAMES, MISTAKES, SELECTION, SPLIT_TABLE
from dataengine.workspace import Run, Workspace

WIDTH, HEIGHT, FRAMES_PER_CLIP, EMBEDDING = 96, 64, 4, 8
CLIP_SPLITS = ("pool",) * 8 + ("val",) * 3 + ("test",) * 3 + ("test_balanced",) * 2
COLOURS = np.array([[200, 40, 40], [40, 40, 200], [220, 180, 40], [40, 180, 90], [230, 120, 20]], np.uint8)


def tiny_workspace(
    root: Path, cycles: int = 2, arms: tuple[str, ...] = ("random", "class_balanced")
) -> Workspace:
    """A workspace of 16 clips x 4 frames with one finished run for each arm."""
    rng = np.random.default_rng(5)
    workspace = Workspace.create(root, cards.load("simulated"), None, "tiny")
    truth = _ingest(workspace, rng)
    for arm in arms:
        _run(workspace, truth, arm, cycles, np.random.default_rng(len(arm)))
    return workspace


def _ingest(workspace: Workspace, rng: np.random.Generator) -> FrameBoxes:
    clips, frames, splits, ids, counts, boxes, classes = [], [], [], [], [], [], []
    for number, split in enumerate(CLIP_SPLITS):
        clip_id, drive_id = f"clip{number:03d}", f"drive{number // 2:02d}"
        night = number % 3 == 0
        conditions = [
            ("time_of_day", "night" if night else "day"),
            ("weather", "fog" if number == 4 else "clear"),
        ]
        clips.append(
            (
                clip_id,
                drive_id,
                "v0",
                "front",
                10.0 * number,
                2.0,
                FRAMES_PER_CLIP,
                WIDTH,
                HEIGHT,
                split,
                conditions,
                f"{clip_id}.mp4",
                "test",
            )
        )
        for step in range(FRAMES_PER_CLIP):
            frame_id = f"{clip_id}/{step:06d}"
            xyxy, kinds = _objects(rng)
            path = f"media/{frame_id}.jpg"
            _paint(workspace.root / path, xyxy, kinds, 60 if night else 170, rng)
            frames.append(
                (
                    frame_id,
                    clip_id,
                    drive_id,
                    step,
                    step * 0.5,
                    "workspace",
                    path,
                    None,
                    "simulated",
                    "permissive",
                    WIDTH,
                    HEIGHT,
                    50.0 + step,
                    0.2 if night else 0.6,
                    0.1,
                    int(rng.integers(2**63)),
                    8.0,
                    0.01,
                    None,
                    split,
                    conditions,
                )
            )
            splits.append((frame_id, split, "declared by the recording"))
            ids.append(frame_id)
            counts.append(len(xyxy))
            boxes.extend(xyxy)
            classes.extend(kinds)
    lake = workspace.lake
    lake.append("clips", table(CLIPS, clips))
    lake.append("frames", table(FRAMES, frames))
    lake.append("splits", table(SPLIT_TABLE, splits))
    truth = FrameBoxes.build(ids, counts, boxes, classes)
    lake.append("oracle", truth.to_table())
    return truth


def table(schema: pa.Schema, rows: list[tuple[object, ...]]) -> pa.Table:
    """A table from row tuples in the order of the schema."""
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(schema)
    return pa.Table.from_arrays(
        [pa.array(list(column), field.type) for column, field in zip(columns, schema, strict=True)],
        schema=schema,
    )


def _objects(rng: np.random.Generator) -> tuple[list[list[float]], list[int]]:
    boxes, kinds = [], []
    for _ in range(int(rng.integers(0, 4))):
        width, height = rng.integers(12, 30, 2)
        x, y = rng.integers(0, WIDTH - width), rng.integers(0, HEIGHT - height)
        boxes.append([float(x), float(y), float(x + width), float(y + height)])
        kinds.append(int(rng.choice(5, p=[0.5, 0.1, 0.25, 0.1, 0.05])))
    return boxes, kinds


def _paint(
    path: Path, boxes: list[list[float]], kinds: list[int], grey: int, rng: np.random.Generator
) -> None:
    image = np.clip(rng.normal(grey, 6, (HEIGHT, WIDTH, 3)), 0, 255).astype(np.uint8)
    for (x1, y1, x2, y2), kind in zip(boxes, kinds, strict=True):
        image[int(y1) : int(y2), int(x1) : int(x2)] = COLOURS[kind][::-1]
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), image)


def _run(workspace: Workspace, truth: FrameBoxes, arm: str, cycles: int, rng: np.random.Generator) -> Run:
    from dataclasses import asdict

    run = workspace.run(f"{arm}-s0-abc123")
    run.create({"arm": arm, "seed": 0, **json.loads(json.dumps(asdict(Config()), default=lambda e: e.value))})
    pool = [frame_id for frame_id in truth.frame_ids if int(frame_id[4:7]) < 8]
    judged = [frame_id for frame_id in truth.frame_ids if int(frame_id[4:7]) >= 8]
    order = list(rng.permutation(pool))
    for cycle in range(cycles):
        folder = run.cycle(cycle)
        picked = order[cycle * 8 : cycle * 8 + 8]
        trigger = "seed" if cycle == 0 else arm
        rows = [
            (frame_id, cycle, rank, 1.0 / (rank + 1), trigger, f"predicted cyclist 0.8{rank} <in {arm}>")
            for rank, frame_id in enumerate(picked)
        ]
        write_parquet(folder / "selection.parquet", table(SELECTION, rows))
        labelled = sorted(order[: cycle * 8 + 8])
        labels = truth.select(labelled)
        write_parquet(folder / "labels.parquet", labels.to_table())
        unlabelled = sorted(set(pool) - set(labelled))
        predicted = _predict(truth.select(judged + unlabelled), rng)
        write_parquet(folder / "predictions.parquet", predicted.to_table())
        errors = [(f, 1, int(rng.integers(3)), int(rng.integers(2)), 0, int(rng.integers(2))) for f in judged]
        write_parquet(folder / "errors.parquet", table(FRAME_ERRORS, errors))
        write_parquet(folder / "mistakes.parquet", table(MISTAKES, _mistakes(truth, judged)))
        losses = [{"step": s, "loss": 3.0 / (s + 1), "images_per_s": 100.0} for s in range(10)]
        files.write_text(folder / "losses.jsonl", "".join(json.dumps(row) + "\n" for row in losses))
        (folder / "model.safetensors").write_bytes(b"weights")
        cost = {
            "frames": labels.num_frames,
            "boxes": labels.num_boxes,
            "seconds": 5.0 * labels.num_frames + 10.0 * labels.num_boxes,
        }
        files.write_json(
            folder / "manifest.json",
            {
                "arm": arm,
                "seed": 0,
                "cycle": cycle,
                "cost": cost,
                "config_hash": "abc123",
                "data_fingerprint": "tiny",
                "weights_sha256": "0" * 64,
                "selection_sha256": "1" * 64,
                "labels_sha256": "2" * 64,
                "classes": list(workspace.taxonomy.classes),
                "versions": {"torch": "2"},
                "images_per_s": 100.0,
            },
        )
        run.write_metrics(cycle, _metrics(workspace, arm, cycle, cost, rng))
    return run


def _predict(truth: FrameBoxes, rng: np.random.Generator) -> Predictions:
    noise = rng.normal(0, 1.0, truth.xyxy.shape).astype(np.float32)
    scores = np.sort(rng.random(truth.num_boxes).astype(np.float32))[::-1]
    spread = rng.random((truth.num_boxes, 5)).astype(np.float32) * 0.2
    spread[np.arange(truth.num_boxes), truth.class_id] = scores
    boxes = FrameBoxes.build(truth.frame_ids, truth.counts, truth.xyxy + noise, truth.class_id, score=scores)
    embeddings = rng.normal(size=(truth.num_frames, EMBEDDING)).astype(np.float32)
    return Predictions(boxes=boxes, class_scores=spread, embeddings=embeddings)


def _mistakes(truth: FrameBoxes, judged: list[str]) -> list[tuple[object, ...]]:
    shown = truth.select(judged)
    kinds = ("missed", "false_alarm", "swapped_class", "bad_location")
    rows: list[tuple[object, ...]] = []
    for frame, frame_id in enumerate(judged):
        for box in range(int(shown.counts[frame])):
            kind = kinds[(frame + box) % 4]
            label = int(shown.class_id[shown.rows(frame)][box])
            rows.append(
                (
                    frame_id,
                    kind,
                    -1 if kind == "false_alarm" else box,
                    -1 if kind == "missed" else box,
                    -1 if kind == "false_alarm" else label,
                    -1 if kind == "missed" else (label + (kind == "swapped_class")) % 5,
                    0.5,
                    0.3,
                )
            )
    return rows


def _metrics(
    workspace: Workspace, arm: str, cycle: int, cost: dict[str, float], rng: np.random.Generator
) -> list[dict]:
    rows = []
    slices = [
        "all",
        "tail",
        "size:small",
        "time_of_day:night",
        *(f"class:{n}" for n in workspace.taxonomy.classes),
    ]
    for split in ("val", "test", "test_balanced"):
        for name in slices:
            value = min(0.2 + 0.2 * cycle + 0.1 * float(rng.random()), 1.0)
            figures = {
                "ap50": value,
                "ap50_lower": value - 0.05,
                "ap50_upper": value + 0.05,
                "map50_95": value / 2,
                "map50_95_lower": value / 2 - 0.03,
                "map50_95_upper": value / 2 + 0.03,
                "num_objects": 0.0 if name == "class:cone" else 12.0,
                "num_frames": 12.0,
            }
            if name == "class:cone":
                figures.update(ap50=float("nan"), map50_95=float("nan"))
            if name == "all":
                figures.update(misses_per_frame=0.5, false_alarms_per_frame=0.3)
            rows += [
                {
                    "arm": arm,
                    "seed": 0,
                    "cycle": cycle,
                    **cost,
                    "split": split,
                    "slice": name,
                    "metric": metric,
                    "value": value,
                }
                for metric, value in figures.items()
            ]
    rows.append(
        {
            "arm": arm,
            "seed": 0,
            "cycle": cycle,
            **cost,
            "split": "pool",
            "slice": "all",
            "metric": "train_time_s",
            "value": 1.5,
        }
    )
    return rows
